/* SPDX-License-Identifier: Apache-2.0 */
/* ESP: what a peer with good keys may have sealed (the input is the text, sealed here and then
 * opened), what comes from the TUN, and what a stranger without keys sends. The first byte chooses,
 * the second is the suite, a TOS or an MTU.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "crypto/seal.h"
#include "esp/arrive.h"
#include "esp/fragment.h"
#include "esp/icmp.h"
#include "esp/mss.h"
#include "esp/outbound.h"
#include "esp/select.h"

enum { ROOM = 160 * 1024, SPI = 0x80000102 };

static uint8_t scratch[3][ROOM];

/* Selectors that take every address, one per family. */
static const struct ts everything[] = {
	{ .port_hi = 65535, .lo = { AF_INET, { 0 } }, .hi = { AF_INET, { 255, 255, 255, 255 } } },
	{ .port_hi = 65535,
	  .lo = { AF_INET6, { 0 } },
	  .hi = { AF_INET6,
		  { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
		    255 } } },
};

static struct sa *sa_of(enum sa_dir dir, uint8_t which)
{
	struct ts both[2] = { everything[0], everything[1] };
	bool aead = which % 2 == 0;
	struct sa_desc d = {
		.dir = dir,
		.spi = SPI,
		.esn = which & 2,
		.encr_id = aead ? ENCR_AES_GCM_16 : ENCR_AES_CBC,
		.encr_key_bits = 128,
		.integ_id = aead ? 0 : INTEG_HMAC_SHA2_256_128,
		.encr_key.len = aead ? 20 : 16,
		.integ_key.len = aead ? 0 : 32,
		.local = { 2, both },
		.remote = { 2, both },
		.path.remote.addr.family = AF_INET,
	};
	struct sa *sa;

	FUZZ_HOLDS(esp_sa_new(&d, NULL, &sa) == OK);
	return sa;
}

/* A whole ESP packet around `text`, as a peer makes it. */
static size_t seal_by_hand(struct sa *sa, struct span text, uint8_t *buf)
{
	struct wr w = wr_into(buf, ROOM);
	struct seal_text t = { .text_len = text.len };
	struct esp_cover c;
	uint8_t *iv;

	esp_cover(&c, &sa->shape, SPI, 1);
	wr_u32(&w, SPI);
	wr_u32(&w, 1);
	iv = wr_take(&w, sa->shape.iv_len);
	t.text = wr_take(&w, text.len);
	t.icv = wr_take(&w, sa->shape.icv_len);
	FUZZ_HOLDS(wr_ok(&w));
	memcpy(t.text, text.p, text.len);
	t.aad = c.aad_span;
	t.suffix = c.suffix;
	t.iv = iv;
	FUZZ_HOLDS(sealer_iv(sa->sealer, 1, iv) == OK && seal(sa->sealer, &t) == OK);
	return wr_len(&w);
}

/* Whatever was sealed: it is opened to a packet that lies inside the text and is what it says, or
 * dropped for a reason behind the ICV; and its number is spent. */
static void fuzz_sealed(uint8_t which, struct span text)
{
	struct sa *sa = sa_of(SA_IN, which);
	struct esp_datagram d = { .p = scratch[0], .tos = which >> 2 };
	struct opened o = { 0 };
	struct inner again;
	enum drop why;

	text = span_head(text, text.len - text.len % sa->shape.align);
	if (text.len > 0) {
		d.len = seal_by_hand(sa, text, scratch[0]);
		memcpy(scratch[1], scratch[0], d.len);
		why = inbound_open(sa, &d, 1, &o);
		FUZZ_HOLDS(why == DROP_NONE || (why >= DROP_PADDING && why <= DROP_ECN));
		FUZZ_HOLDS(sa->tally->replay.top == 1);
		if (why == DROP_NONE) {
			FUZZ_HOLDS(o.p >= d.p && o.p + o.in.len <= d.p + d.len);
			FUZZ_HOLDS(inner_parse(span_of(o.p, o.in.len), &again) == OK);
			FUZZ_HOLDS(again.len == o.in.len);
			(void)mss_clamp(o.p, &o.in, 1400);
		}
		d.p = scratch[1];
		FUZZ_HOLDS(inbound_open(sa, &d, 1, &o) == DROP_REPLAY);
	}
	esp_sa_free(sa);
}

static void through_a_tunnel(uint8_t which, struct span p, const struct inner *in)
{
	struct sa *out = sa_of(SA_OUT, which), *back = sa_of(SA_IN, which);
	struct wr w = wr_into(scratch[1], ROOM);
	struct esp_datagram d = { .p = scratch[1] };
	struct opened o;

	FUZZ_HOLDS(outbound_seal(out, p, in->version, 1, &w) == DROP_NONE);
	d.len = wr_len(&w);
	FUZZ_HOLDS(inbound_open(back, &d, 1, &o) == DROP_NONE);
	FUZZ_HOLDS(span_eq(p, span_of(o.p, o.in.len)));
	esp_sa_free(out);
	esp_sa_free(back);
}

static void in_pieces(struct span p, const struct inner *in, uint16_t mtu)
{
	size_t at = in->frag_at;
	struct cutter c;

	if (cutter_init(&c, p, in, mtu) != OK)
		return;
	for (;;) {
		struct wr w = wr_into(scratch[1], ROOM);
		struct inner piece;

		if (!cutter_next(&c, &w))
			break;
		FUZZ_HOLDS(wr_len(&w) <= mtu);
		/* A first piece may end before the ports: our own peer refuses that, rightly. */
		if (inner_parse(wr_done(&w), &piece) != OK)
			continue;
		FUZZ_HOLDS(piece.frag_at >= at && piece.len == wr_len(&w));
		at = piece.frag_at;
	}
	FUZZ_HOLDS(c.at == (size_t)in->len - in->head_len);
}

/* A packet of the TUN meets everything that may be done to it. */
static void fuzz_outbound(uint8_t which, struct span packet)
{
	struct wr answer = wr_into(scratch[2], ICMP_ANSWER_MAX);
	struct inner in, same;
	struct span p;

	memcpy(scratch[0], packet.p, packet.len);
	if (inner_parse(span_of(scratch[0], packet.len), &in) != OK)
		return;
	p = span_of(scratch[0], in.len);
	(void)mss_clamp(scratch[0], &in, (uint16_t)(which * 8));
	FUZZ_HOLDS(inner_parse(p, &same) == OK && same.l4_at == in.l4_at);
	if (in.len <= 9000)
		in_pieces(p, &in, (uint16_t)(which * 8 + 28));
	if (icmp_may_answer(p, &in)) {
		FUZZ_HOLDS(icmp_too_big(p, &in, 1400, &answer));
		FUZZ_HOLDS(inner_parse(wr_done(&answer), &same) == OK);
		FUZZ_HOLDS(!icmp_may_answer(wr_done(&answer), &same));
	}
	through_a_tunnel(which, p, &in);
}

/* Nobody without the keys is heard. */
static void fuzz_stranger(uint8_t which, struct span packet)
{
	struct sa *sa = sa_of(SA_IN, which);
	struct esp_datagram d = { .p = scratch[0], .len = packet.len };
	struct opened o;

	memcpy(scratch[0], packet.p, packet.len);
	(void)arrival_of(packet);
	FUZZ_HOLDS(inbound_open(sa, &d, 1, &o) != DROP_NONE);
	FUZZ_HOLDS(sa->tally->replay.top == 0);
	esp_sa_free(sa);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_from(span_of(bytes, len));
	uint8_t kind = rd_u8(&r), which = rd_u8(&r);
	struct span rest = rd_rest(&r);

	if (!rd_ok(&r) || rest.len == 0 || rest.len > 66000)
		return 0;
	switch (kind % 3) {
	case 0:
		fuzz_sealed(which, rest);
		break;
	case 1:
		fuzz_outbound(which, rest);
		break;
	case 2:
		fuzz_stranger(which, rest);
		break;
	}
	return 0;
}
