/* SPDX-License-Identifier: Apache-2.0 */
/* ESP between two hosts: what a peer with good keys may have sealed, what this machine's own stack
 * sends, and fragments in any order. The first byte chooses, the second is a family and a TOS.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "crypto/seal.h"
#include "esp/outbound.h"
#include "esp/reassemble.h"
#include "esp/transport.h"

enum { ROOM = 160 * 1024, SPI = 0x80000102 };

static uint8_t scratch[3][ROOM];

static const struct addr ends[2][2] = {
	{ { AF_INET, { 192, 0, 2, 1 } }, { AF_INET, { 192, 0, 2, 2 } } },
	{ { AF_INET6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } },
	  { AF_INET6, { 0x20, 1, 0xd, 0xb8, [15] = 2 } } },
};
static const struct addr nat[2] = { { AF_INET, { 10, 0, 0, 1 } },
				    { AF_INET6, { 0xfd, [15] = 9 } } };

static struct sa *sa_of(enum sa_dir dir, bool v6, const struct addr *local,
			const struct addr *remote)
{
	struct ts mine = { .port_hi = 65535, .lo = *local, .hi = *local };
	struct ts theirs = { .port_hi = 65535, .lo = *remote, .hi = *remote };
	struct sa_desc d = {
		.dir = dir,
		.mode = SA_TRANSPORT,
		.spi = SPI,
		.encr_id = ENCR_AES_GCM_16,
		.encr_key_bits = 128,
		.encr_key.len = 20,
		.local = { 1, &mine },
		.remote = { 1, &theirs },
		.path = { { .addr = *local }, { .addr = *remote } },
		.nat_remote = nat[v6],
	};
	struct sa *sa;

	FUZZ_HOLDS(esp_sa_new(&d, NULL, &sa) == OK);
	return sa;
}

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

/* Whatever was sealed: it is opened to a whole packet between the two hosts, or dropped. */
static void fuzz_sealed(bool v6, uint8_t tos, struct span text)
{
	struct sa *sa = sa_of(SA_IN, v6, &ends[v6][1], &ends[v6][0]);
	struct esp_datagram d = { .p = scratch[0], .tos = tos };
	struct opened o = { .room = wr_into(scratch[1], 65536) };
	struct inner again;
	enum drop why;

	text = span_head(text, text.len - text.len % 4);
	if (text.len > 0) {
		d.len = seal_by_hand(sa, text, scratch[0]);
		why = inbound_open(sa, &d, 1, &o);
		FUZZ_HOLDS(why == DROP_NONE || (why >= DROP_PADDING && why <= DROP_SELECTOR));
		if (why == DROP_NONE) {
			FUZZ_HOLDS(o.p == scratch[1] && o.in.len == wr_len(&o.room));
			FUZZ_HOLDS(inner_parse(span_of(o.p, o.in.len), &again) == OK);
			FUZZ_HOLDS(!again.fragment && again.len == o.in.len && again.tos == tos);
			FUZZ_HOLDS(addr_eq(&again.flow.src, &ends[v6][0]));
			FUZZ_HOLDS(addr_eq(&again.flow.dst, &ends[v6][1]));
		}
	}
	esp_sa_free(sa);
}

/* A packet of this host comes out at the other with the same payload. */
static void fuzz_outbound(struct span packet)
{
	struct wr w = wr_into(scratch[1], ROOM);
	struct esp_datagram d = { .p = scratch[1] };
	struct opened o = { .room = wr_into(scratch[2], 65536) };
	struct span payload, options;
	struct sa *out, *back;
	struct inner in;
	enum drop why;
	uint8_t next;

	memcpy(scratch[0], packet.p, packet.len);
	packet.p = scratch[0];
	if (inner_parse(packet, &in) != OK || in.fragment || !addr_len(&in.flow.src) ||
	    addr_is_any(&in.flow.src) || addr_is_any(&in.flow.dst))
		return;
	packet = span_head(packet, in.len);
	if (!transport_options(packet, &in, &options))
		return;
	FUZZ_HOLDS(options.len <= 40 && options.len % 4 == 0);
	out = sa_of(SA_OUT, in.version == 6, &in.flow.src, &in.flow.dst);
	back = sa_of(SA_IN, in.version == 6, &in.flow.dst, &in.flow.src);
	why = outbound_seal(out, packet, in.version, 1, &w);
	FUZZ_HOLDS(why == (transport_payload(packet, &payload, &next) ? DROP_NONE : DROP_HEADER));
	if (why == DROP_NONE) {
		d.len = wr_len(&w);
		why = inbound_open(back, &d, 1, &o);
		/* A chain that goes on behind what is sealed may hold what the peer refuses, and a
		 * packet of nothing is none of IPv6. */
		if (why == DROP_NONE)
			FUZZ_HOLDS(o.in.len == payload.len + (in.version == 6 ? 40u : 20u));
		else
			FUZZ_HOLDS(in.version == 6 || next == NEXT_DUMMY);
	}
	esp_sa_free(out);
	esp_sa_free(back);
}

/* Packets, each behind its length: what comes whole is a packet and no longer than what was put in.
 */
static void fuzz_fragments(struct span all)
{
	struct reassembler f = { .bytes = 0 };
	struct rd r = rd_from(all);
	mono_ns now = 1;

	while (rd_left(&r) > 3) {
		struct wr w = wr_into(scratch[0], 65536);
		uint16_t len = rd_u16(&r);
		struct span p = rd_take(&r, len < rd_left(&r) ? len : rd_left(&r));
		struct inner in, whole;

		now += (mono_ns)len << 16;
		if (inner_parse(p, &in) != OK || !in.fragment)
			continue;
		if (reassembler_add(&f, span_head(p, in.len), &in, now, &w)) {
			FUZZ_HOLDS(wr_len(&w) <= all.len);
			if (inner_parse(wr_done(&w), &whole) == OK)
				FUZZ_HOLDS(!whole.fragment || whole.version == 6);
		}
		FUZZ_HOLDS(f.bytes <= REASSEMBLY_BYTES);
	}
	reassembler_free(&f);
	FUZZ_HOLDS(f.bytes == 0);
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
		fuzz_sealed(which & 1, which, rest);
		break;
	case 1:
		fuzz_outbound(rest);
		break;
	case 2:
		fuzz_fragments(rest);
		break;
	}
	return 0;
}
