/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing.
 *
 * The sequence number is also the IV (RFC 4106 3.1, RFC 7634 2): the one secret of GCM and
 * ChaCha20-Poly1305 is that it never repeats under a key. So it is taken by an atomic add that
 * cannot be taken back, 64 bits wide also without ESN, and the SA ends before the number would
 * wrap. A packet that fails after that leaves a gap, which no receiver minds.
 */
#include "esp/outbound.h"

#include "esp/transport.h"

/* 0 when they are used up. */
static uint64_t sequence_take(struct sa *sa)
{
	uint64_t last = sa->shape.esn ? UINT64_MAX : UINT32_MAX;
	uint64_t seq = atomic_load(&sa->tally->seq);

	do {
		if (seq >= last)
			return 0;
	} while (!atomic_compare_exchange_weak(&sa->tally->seq, &seq, seq + 1));
	return seq + 1;
}

static enum drop seal_parts(struct sa *sa, const struct esp_parts *p, uint64_t seq)
{
	struct esp_cover cover;
	struct seal_text t;

	esp_cover(&cover, &sa->shape, sa->spi, seq);
	t = (struct seal_text){
		.aad = cover.aad_span,
		.suffix = cover.suffix,
		.iv = p->iv,
		.text = p->text,
		.text_len = p->text_len,
		.icv = p->icv,
	};
	if (sealer_iv(sa->sealer, seq, p->iv) != OK || seal(sa->sealer, &t) != OK)
		return DROP_CRYPTO;
	return DROP_NONE;
}

static enum drop lay_and_seal(struct sa *sa, struct span inner, uint8_t version, struct wr *w)
{
	struct esp_parts p = { .spi = sa->spi };
	uint8_t next = version == 4 ? NEXT_IPV4 : NEXT_IPV6;
	struct span text = inner;
	uint64_t seq;

	if (sa->mode == SA_TRANSPORT && !transport_payload(inner, &text, &next))
		return DROP_HEADER;
	seq = sequence_take(sa);
	if (seq == 0)
		return DROP_EXHAUSTED;
	p.seq = (uint32_t)seq;
	if (esp_lay(w, &sa->shape, &p, text, next) != OK)
		return DROP_TOO_BIG;
	return seal_parts(sa, &p, seq);
}

enum drop outbound_seal(struct sa *sa, struct span inner, uint8_t version, mono_ns now,
			struct wr *w)
{
	enum drop why = sa_spent(sa, inner.len) ? DROP_LIMIT : lay_and_seal(sa, inner, version, w);

	if (why == DROP_NONE)
		sa_count_packet(sa, inner.len, now);
	else
		sa_count_drop(sa, why);
	return why;
}
