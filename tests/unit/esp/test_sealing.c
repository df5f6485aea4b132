/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and opening: against packets that scapy made, and what an attacker may try on a packet.
 */
#include "esp/inbound.h"
#include "esp/outbound.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/seal.h"
#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

enum { SPI = 0x80000102 };

static const struct vector {
	int suite;
	bool esn;
	uint64_t seq;
	const char *hex;
} vectors[] = {
#include "tests/unit/esp/vectors.inc"
};

enum { N_VECTORS = sizeof(vectors) / sizeof(vectors[0]) };

static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		char byte[3] = { hex[2 * i], hex[2 * i + 1], 0 };

		out[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return n;
}

/* The sender's SA from the left gateway, or the receiver's at the right one. */
static struct sa *sa_make(int suite, enum sa_dir dir, bool esn)
{
	struct kit_sa k;
	struct sa *sa;

	kit_sa_make(&k, &kit_suites[suite], dir, SPI);
	if (dir == SA_IN)
		kit_sa_mirror(&k);
	k.d.esn = esn;
	ck_assert_int_eq(esp_sa_new(&k.d, NULL, &sa), OK);
	return sa;
}

static enum drop open_bytes(struct sa *sa, uint8_t *p, size_t len, uint8_t tos, struct opened *o)
{
	struct esp_datagram d = { .p = p, .len = len, .tos = tos };

	return inbound_open(sa, &d, 1, o);
}

/* Seals `text` (payload, padding, trailer as they are) as the peer would: for what our own sender
 * never makes. */
static size_t seal_text_by_hand(struct sa *out, const uint8_t *text, size_t text_len, uint8_t *buf,
				size_t size)
{
	struct wr w = wr_into(buf, size);
	uint64_t seq = atomic_fetch_add(&out->tally->seq, 1) + 1;
	struct esp_cover c;
	struct seal_text t = { .text_len = text_len };
	uint8_t *iv;

	wr_u32(&w, out->spi);
	wr_u32(&w, (uint32_t)seq);
	iv = wr_take(&w, out->shape.iv_len);
	t.text = wr_take(&w, text_len);
	t.icv = wr_take(&w, out->shape.icv_len);
	ck_assert(wr_ok(&w));
	memcpy(t.text, text, text_len);
	esp_cover(&c, &out->shape, out->spi, seq);
	t.aad = c.aad_span;
	t.suffix = c.suffix;
	t.iv = iv;
	ck_assert_int_eq(sealer_iv(out->sealer, seq, iv), OK);
	ck_assert_int_eq(seal(out->sealer, &t), OK);
	return wr_len(&w);
}

START_TEST(packets_of_scapy_are_opened)
{
	const struct vector *v = &vectors[_i];
	struct sa *sa = sa_make(v->suite, SA_IN, v->esn);
	uint8_t buf[300], inner[61];
	struct span want = kit_udp(inner, 61, "10.1.0.1", "10.2.0.1");
	size_t len = from_hex(v->hex, buf);
	struct opened o;

	if (v->esn)
		sa->tally->replay.top = v->seq - 1;
	ck_assert_int_eq(open_bytes(sa, buf, len, 0, &o), DROP_NONE);
	ck_assert(span_eq(span_of(o.p, o.in.len), want));
	ck_assert_uint_eq(sa->tally->replay.top, v->seq);
	esp_sa_free(sa);
}
END_TEST

START_TEST(packets_that_we_seal_are_those_of_scapy)
{
	const struct vector *v = &vectors[_i];
	struct sa *sa = sa_make(v->suite, SA_OUT, v->esn);
	uint8_t want[300], got[300], inner[61];
	struct span p = kit_udp(inner, 61, "10.1.0.1", "10.2.0.1");
	size_t len = from_hex(v->hex, want);
	struct wr w = wr_into(got, sizeof(got));

	atomic_store(&sa->tally->seq, v->seq - 1);
	ck_assert_int_eq(outbound_seal(sa, p, 4, 1, &w), DROP_NONE);
	/* With CBC the IV is unpredictable, so only the header can be compared. */
	len = sa->shape.encr->id == ENCR_AES_CBC ? ESP_HEAD_LEN : len;
	ck_assert_uint_ge(wr_len(&w), len);
	ck_assert(span_eq(span_head(wr_done(&w), len), span_of(want, len)));
	esp_sa_free(sa);
}
END_TEST

START_TEST(any_flipped_bit_is_refused_and_changes_nothing)
{
	const struct vector *v = &vectors[_i];
	struct sa *sa = sa_make(v->suite, SA_IN, v->esn);
	uint8_t good[300], buf[300];
	size_t len = from_hex(v->hex, good);
	struct opened o;

	sa->tally->replay.top = v->seq - 1;
	for (size_t bit = 0; bit < len * 8; bit++) {
		enum drop why;

		memcpy(buf, good, len);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		why = open_bytes(sa, buf, len, 0, &o);
		/* A flipped SPI bit is no packet of this SA, a flipped number may lie behind the
		 * window. */
		if (bit < 32)
			ck_assert_int_eq(why, DROP_SHORT);
		else if (bit < 64)
			ck_assert(why == DROP_ICV || why == DROP_REPLAY);
		else
			ck_assert_int_eq(why, DROP_ICV);
		ck_assert_uint_eq(sa->tally->replay.top, v->seq - 1);
	}
	memcpy(buf, good, len);
	ck_assert_int_eq(open_bytes(sa, buf, len, 0, &o), DROP_NONE);
	esp_sa_free(sa);
}
END_TEST

START_TEST(a_replay_is_refused_before_and_after)
{
	struct sa *sa = sa_make(0, SA_IN, false);
	uint8_t buf[300];
	struct sa_counters c;
	struct opened o;

	ck_assert_int_eq(open_bytes(sa, buf, from_hex(vectors[0].hex, buf), 0, &o), DROP_NONE);
	ck_assert_int_eq(open_bytes(sa, buf, from_hex(vectors[0].hex, buf), 0, &o), DROP_REPLAY);
	sa_counters(sa, &c);
	ck_assert_uint_eq(c.packets, 1);
	ck_assert_uint_eq(c.bytes, 61);
	ck_assert_uint_eq(c.drop_replay, 1);
	ck_assert_uint_eq(c.last_ns, 1);
	esp_sa_free(sa);
}
END_TEST

/* The high half is not on the wire: a wrong guess must fail the ICV, not pass. */
START_TEST(a_wrong_high_half_fails_the_icv)
{
	const struct vector *v = &vectors[_i];
	struct sa *sa = sa_make(v->suite, SA_IN, v->esn);
	uint8_t buf[300];
	struct opened o;

	sa->tally->replay.top = ((uint64_t)4 << 32) + 2000;
	ck_assert_int_eq(open_bytes(sa, buf, from_hex(v->hex, buf), 0, &o),
			 v->esn ? DROP_ICV : DROP_REPLAY);
	esp_sa_free(sa);
}
END_TEST

START_TEST(numbers_run_out_and_never_wrap)
{
	struct sa *sa = sa_make(0, SA_OUT, _i);
	uint64_t last = _i ? UINT64_MAX : UINT32_MAX;
	uint8_t buf[300], inner[61];
	struct span p = kit_udp(inner, 61, "10.1.0.1", "10.2.0.1");
	int sent = 0;

	atomic_store(&sa->tally->seq, last - 100);
	for (int i = 0; i < 300; i++) {
		struct wr w = wr_into(buf, sizeof(buf));
		enum drop why = outbound_seal(sa, p, 4, 1, &w);

		ck_assert_int_eq(why, i < 100 ? DROP_NONE : DROP_EXHAUSTED);
		sent += why == DROP_NONE;
	}
	ck_assert_int_eq(sent, 100);
	ck_assert_uint_eq(atomic_load(&sa->tally->seq), last);
	esp_sa_free(sa);
}
END_TEST

START_TEST(without_esn_every_number_to_the_last_is_taken_by_the_peer)
{
	struct sa *out = sa_make(0, SA_OUT, false), *in = sa_make(0, SA_IN, false);
	uint8_t buf[300], inner[61];
	struct span p = kit_udp(inner, 61, "10.1.0.1", "10.2.0.1");
	struct opened o;

	atomic_store(&out->tally->seq, UINT32_MAX - 3);
	for (int i = 0; i < 3; i++) {
		struct wr w = wr_into(buf, sizeof(buf));

		ck_assert_int_eq(outbound_seal(out, p, 4, 1, &w), DROP_NONE);
		ck_assert_int_eq(open_bytes(in, buf, wr_len(&w), 0, &o), DROP_NONE);
	}
	esp_sa_free(out);
	esp_sa_free(in);
}
END_TEST

START_TEST(esn_goes_over_2_to_the_32)
{
	struct sa *out = sa_make(_i, SA_OUT, true), *in = sa_make(_i, SA_IN, true);
	uint8_t buf[300], inner[61];
	struct span p = kit_udp(inner, 61, "10.1.0.1", "10.2.0.1");
	struct opened o;

	atomic_store(&out->tally->seq, (uint64_t)UINT32_MAX - 1500);
	in->tally->replay.top = (uint64_t)UINT32_MAX - 1500;
	for (int i = 0; i < 3000; i++) {
		struct wr w = wr_into(buf, sizeof(buf));

		ck_assert_int_eq(outbound_seal(out, p, 4, 1, &w), DROP_NONE);
		if (i % 7 == 3)
			continue; /* lost */
		ck_assert_int_eq(open_bytes(in, buf, wr_len(&w), 0, &o), DROP_NONE);
	}
	ck_assert_uint_gt(in->tally->replay.top, (uint64_t)1 << 32);
	esp_sa_free(out);
	esp_sa_free(in);
}
END_TEST

START_TEST(hard_limits_stop_either_direction)
{
	struct sa *out = sa_make(0, SA_OUT, false), *in = sa_make(0, SA_IN, false);
	uint8_t buf[300], inner[61];
	struct span p = kit_udp(inner, 61, "10.1.0.1", "10.2.0.1");
	struct wr w = wr_into(buf, sizeof(buf));
	struct opened o;

	*(_i ? &out->byte_limit : &out->packet_limit) = _i ? 2 * 61 + 60 : 2;
	for (int i = 0; i < 2; i++) {
		w = wr_into(buf, sizeof(buf));
		ck_assert_int_eq(outbound_seal(out, p, 4, 1, &w), DROP_NONE);
	}
	ck_assert_int_eq(outbound_seal(out, p, 4, 1, &w), DROP_LIMIT);
	*(_i ? &in->byte_limit : &in->packet_limit) = 1;
	in->tally->stats.packets = 1;
	ck_assert_int_eq(open_bytes(in, buf, wr_len(&w), 0, &o), DROP_LIMIT);
	esp_sa_free(out);
	esp_sa_free(in);
}
END_TEST

/* What a peer with good keys may send. Texts are whole: payload, padding, trailer. */
static const struct {
	const char *why;
	enum drop want;
	uint8_t change_at; /* in the inner packet of 61 bytes; 0: nothing */
	uint8_t change_to;
	uint8_t tail[16]; /* behind it */
	uint8_t tail_len;
} lies[] = {
	{ "a good packet", DROP_NONE, 0, 0, { 1, 1, 4 }, 3 },
	{ "TFC padding behind the packet",
	  DROP_NONE,
	  0,
	  0,
	  { 7, 7, 7, 7, 7, 7, 7, 7, 1, 1, 4 },
	  11 },
	{ "pad length over everything", DROP_PADDING, 0, 0, { 1, 255, 4 }, 3 },
	{ "padding of zeros", DROP_PADDING, 0, 0, { 0, 1, 4 }, 3 },
	{ "a dummy", DROP_DUMMY, 0, 0, { 1, 1, 59 }, 3 },
	{ "TCP in transport mode", DROP_NEXT_HEADER, 0, 0, { 1, 1, 6 }, 3 },
	{ "IPv4 that claims to be IPv6", DROP_INNER, 0, 0, { 1, 1, 41 }, 3 },
	{ "version 6 that claims to be IPv4", DROP_INNER, 0, 0, { 1, 1, 4 }, 3 },
	{ "total length over the payload", DROP_INNER, 3, 62, { 1, 1, 4 }, 3 },
	{ "total length under its header", DROP_INNER, 3, 10, { 1, 1, 4 }, 3 },
	{ "another's source", DROP_SELECTOR, 13, 9, { 1, 1, 4 }, 3 },
	{ "another's destination", DROP_SELECTOR, 17, 9, { 1, 1, 4 }, 3 },
};

enum { N_LIES = sizeof(lies) / sizeof(lies[0]) };

START_TEST(inner_packets_are_judged)
{
	struct sa *out = sa_make(0, SA_OUT, false), *in = sa_make(0, SA_IN, false);
	uint8_t text[80], buf[300];
	struct opened o;
	enum drop why;

	kit_udp(text, 61, "10.1.0.1", "10.2.0.1");
	if (lies[_i].change_at > 0)
		text[lies[_i].change_at] = lies[_i].change_to;
	if (_i == 7)
		text[0] = 0x65;
	memcpy(text + 61, lies[_i].tail, sizeof(lies[_i].tail));
	/* 61 + 3 or 61 + 11 fill whole words of 4. */
	why = open_bytes(in, buf,
			 seal_text_by_hand(out, text, 61u + lies[_i].tail_len, buf, sizeof(buf)), 0,
			 &o);
	ck_assert_msg(why == lies[_i].want, "%s: %s", lies[_i].why, drop_name(why));
	if (why == DROP_NONE)
		ck_assert_uint_eq(o.in.len, 61);
	/* Authentic all the same: the number is spent. */
	ck_assert_uint_eq(in->tally->replay.top, 1);
	esp_sa_free(out);
	esp_sa_free(in);
}
END_TEST

START_TEST(a_dummy_of_nothing_is_discarded)
{
	struct sa *out = sa_make(0, SA_OUT, false), *in = sa_make(0, SA_IN, false);
	static const uint8_t text[4] = { 1, 2, 2, 59 };
	uint8_t buf[100];
	struct opened o;
	struct sa_counters c;

	ck_assert_int_eq(open_bytes(in, buf, seal_text_by_hand(out, text, 4, buf, sizeof(buf)), 0,
				    &o),
			 DROP_DUMMY);
	sa_counters(in, &c);
	ck_assert_uint_eq(c.drop_other, 0);
	esp_sa_free(out);
	esp_sa_free(in);
}
END_TEST

START_TEST(congestion_comes_out_of_the_tunnel)
{
	static const struct {
		uint8_t inner, outer;
		enum drop why;
		uint8_t onward;
	} cases[] = { { 0, 3, DROP_ECN, 0 },
		      { 2, 3, DROP_NONE, 3 },
		      { 2, 0, DROP_NONE, 2 },
		      { 0xb8, 0xb9, DROP_NONE, 0xb8 } };
	struct sa *out = sa_make(0, SA_OUT, false), *in = sa_make(0, SA_IN, false);
	uint8_t inner[61], buf[300];
	struct wr w = wr_into(buf, sizeof(buf));
	struct span p = kit_udp(inner, 61, "10.1.0.1", "10.2.0.1");
	struct opened o;

	inner[1] = cases[_i].inner;
	kit_fix_v4(inner);
	ck_assert_int_eq(outbound_seal(out, p, 4, 1, &w), DROP_NONE);
	ck_assert_int_eq(open_bytes(in, buf, wr_len(&w), cases[_i].outer, &o), cases[_i].why);
	if (cases[_i].why == DROP_NONE) {
		ck_assert_uint_eq(o.p[1], cases[_i].onward);
		ck_assert(kit_v4_sum_ok(span_of(o.p, o.in.len)));
	}
	esp_sa_free(out);
	esp_sa_free(in);
}
END_TEST

START_TEST(descriptions_that_cannot_be_are_refused)
{
	struct kit_sa k;
	struct sa *sa;
	enum err want = ERR_CONFIG;

	kit_sa_make(&k, &kit_suites[0], SA_OUT, SPI);
	switch (_i) {
	case 0:
		k.d.spi = 255;
		break;
	case 1:
		k.d.local.n = 0;
		break;
	case 2:
		k.d.remote.n = 0;
		break;
	case 3:
		k.d.path.remote.addr = (struct addr){ 0 };
		break;
	case 4:
		k.d.mode = SA_TRANSPORT;
		k.d.path.local.addr = (struct addr){ 0 };
		break;
	case 7:
		k.d.mode = SA_TRANSPORT;
		k.d.path.local.addr = kit_addr("2001:db8::1");
		break;
	case 8:
		k.d.mode = SA_TRANSPORT;
		k.d.nat_remote = kit_addr("2001:db8::1");
		break;
	case 5:
		k.d.encr_id = 3;
		want = ERR_UNSUPPORTED;
		break;
	case 6:
		k.d.encr_key.len--;
		want = OK;
		break;
	}
	if (want == OK)
		ck_assert_int_ne(esp_sa_new(&k.d, NULL, &sa), OK);
	else
		ck_assert_int_eq(esp_sa_new(&k.d, NULL, &sa), want);
	ck_assert_ptr_null(sa);
}
END_TEST

UNIT("esp/sealing")
{
	tcase_add_loop_test(tc, packets_of_scapy_are_opened, 0, N_VECTORS);
	tcase_add_loop_test(tc, packets_that_we_seal_are_those_of_scapy, 0, N_VECTORS);
	tcase_add_loop_test(tc, any_flipped_bit_is_refused_and_changes_nothing, 0, N_VECTORS);
	tcase_add_test(tc, a_replay_is_refused_before_and_after);
	tcase_add_loop_test(tc, a_wrong_high_half_fails_the_icv, 0, N_VECTORS);
	tcase_add_loop_test(tc, numbers_run_out_and_never_wrap, 0, 2);
	tcase_add_test(tc, without_esn_every_number_to_the_last_is_taken_by_the_peer);
	tcase_add_loop_test(tc, esn_goes_over_2_to_the_32, 0, KIT_SUITES);
	tcase_add_loop_test(tc, hard_limits_stop_either_direction, 0, 2);
	tcase_add_loop_test(tc, inner_packets_are_judged, 0, N_LIES);
	tcase_add_test(tc, a_dummy_of_nothing_is_discarded);
	tcase_add_loop_test(tc, congestion_comes_out_of_the_tunnel, 0, 4);
	tcase_add_loop_test(tc, descriptions_that_cannot_be_are_refused, 0, 9);
}
