/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/narrow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* "10.0.0.0/8", "10.0.0.1-10.0.0.9", each with "=proto:lo-hi" behind it. */
static struct ts ts_of(const char *text)
{
	struct ts t = { .port_hi = UINT16_MAX };
	char lo[64] = "", hi[64] = "";
	unsigned int proto = 0, port_lo = 0, port_hi = UINT16_MAX;
	struct net n;

	ck_assert_int_ge(sscanf(text, "%63[^-=]-%63[^=]", lo, hi), 1);
	if (strchr(text, '=') != NULL)
		ck_assert_int_eq(sscanf(strchr(text, '='), "=%u:%u-%u", &proto, &port_lo, &port_hi),
				 3);
	if (hi[0] != '\0') {
		ck_assert(addr_parse(lo, &t.lo));
		ck_assert(addr_parse(hi, &t.hi));
	} else {
		ck_assert(net_parse(lo, &n));
		t = ts_from_net(&n);
	}
	t.proto = (uint8_t)proto;
	t.port_lo = (uint16_t)port_lo;
	t.port_hi = (uint16_t)port_hi;
	return t;
}

enum { LIST_MAX = 6 };

static struct ts_list list_of(const char *const *texts)
{
	struct ts_list l = { .v = calloc(TS_MAX, sizeof(*l.v)) };

	ck_assert_ptr_nonnull(l.v);
	for (size_t i = 0; i < LIST_MAX && texts[i] != NULL; i++)
		l.v[l.n++] = ts_of(texts[i]);
	return l;
}

/* ---- the payload ---- */

/* 10.1.0.0/16 any; 2001:db8::/32 tcp 443 */
static const uint8_t two[] = {
	2,    0,    0,	  0,	7,    0,    0,	  16,	0,    0,    0xff, 0xff, 10,   1,    0,
	0,    10,   1,	  0xff, 0xff, 8,    6,	  0,	40,   0x01, 0xbb, 0x01, 0xbb, 0x20, 0x01,
	0x0d, 0xb8, 0,	  0,	0,    0,    0,	  0,	0,    0,    0,	  0,	0,    0,    0x20,
	0x01, 0x0d, 0xb8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};

START_TEST(selectors_are_read_and_written_back)
{
	struct ts want[] = { ts_of("10.1.0.0/16"), ts_of("2001:db8::/32=6:443-443") };
	uint8_t out[sizeof(two)];
	struct wr w = wr_into(out, sizeof(out));
	struct ts_list l;

	ck_assert_int_eq(ts_payload_decode(span_of(two, sizeof(two)), &l), OK);
	ck_assert_uint_eq(l.n, 2);
	ck_assert(ts_eq(&l.v[0], &want[0]));
	ck_assert(ts_eq(&l.v[1], &want[1]));
	ts_payload_encode(&w, &l);
	ck_assert(span_eq(wr_done(&w), span_of(two, sizeof(two))));
	ts_list_free(&l);
}
END_TEST

START_TEST(selectors_cut_anywhere_are_refused)
{
	for (size_t len = 0; len < sizeof(two); len++) {
		uint8_t *exact = malloc(len + 1);
		struct ts_list l;

		ck_assert_ptr_nonnull(exact);
		memcpy(exact, two, len);
		ck_assert_int_eq(ts_payload_decode(span_of(exact, len), &l), ERR_SYNTAX);
		ck_assert_ptr_null(l.v);
		free(exact);
	}
}
END_TEST

/* CVE-2023-23009 */
START_TEST(every_count_and_length_that_lies_is_refused)
{
	static const size_t fields[] = { 6, 22 };
	uint8_t b[sizeof(two)];
	struct ts_list l;

	memcpy(b, two, sizeof(b));
	for (unsigned int n = 0; n <= UINT8_MAX; n++) {
		b[0] = (uint8_t)n;
		ck_assert_int_eq(ts_payload_decode(span_of(b, sizeof(b)), &l),
				 n == 2 ? OK : ERR_SYNTAX);
		ts_list_free(&l);
	}
	for (size_t i = 0; i < 2; i++) {
		for (unsigned int len = 0; len <= UINT16_MAX; len++) {
			memcpy(b, two, sizeof(b));
			b[fields[i]] = (uint8_t)(len >> 8);
			b[fields[i] + 1] = (uint8_t)len;
			if (len == (unsigned int)(two[fields[i]] << 8 | two[fields[i] + 1]))
				continue;
			ck_assert_int_eq(ts_payload_decode(span_of(b, sizeof(b)), &l), ERR_SYNTAX);
		}
	}
}
END_TEST

START_TEST(types_that_we_do_not_speak_are_passed_over)
{
	uint8_t b[sizeof(two)];
	struct ts_list l;

	for (unsigned int type = 0; type <= UINT8_MAX; type++) {
		memcpy(b, two, sizeof(b));
		b[4] = (uint8_t)type;
		if (type == 7 || type == 8)
			continue;
		ck_assert_int_eq(ts_payload_decode(span_of(b, sizeof(b)), &l), OK);
		ck_assert_uint_eq(l.n, 1);
		ck_assert_uint_eq(l.v[0].proto, 6);
		ts_list_free(&l);
	}
}
END_TEST

START_TEST(ranges_that_run_backwards_are_refused)
{
	/* clang-format off */
	static const struct {
		uint8_t ports[4];
		uint8_t addrs[8];
		enum err err;
	} cases[] = {
		{ { 0, 0, 255, 255 }, { 10, 0, 0, 1, 10, 0, 0, 1 }, OK },
		{ { 0, 0, 255, 255 }, { 10, 0, 0, 2, 10, 0, 0, 1 }, ERR_SYNTAX },
		{ { 0, 80, 0, 80 }, { 0, 0, 0, 0, 255, 255, 255, 255 }, OK },
		{ { 0, 81, 0, 80 }, { 0, 0, 0, 0, 255, 255, 255, 255 }, ERR_SYNTAX },
		{ { 255, 255, 0, 0 }, { 10, 0, 0, 1, 10, 0, 0, 1 }, OK }, /* OPAQUE */
		{ { 255, 255, 0, 1 }, { 10, 0, 0, 1, 10, 0, 0, 1 }, ERR_SYNTAX },
	};
	/* clang-format on */
	uint8_t b[20] = { 1, 0, 0, 0, 7, 17, 0, 16 };
	struct ts_list l;

	memcpy(b + 8, cases[_i].ports, 4);
	memcpy(b + 12, cases[_i].addrs, 8);
	ck_assert_int_eq(ts_payload_decode(span_of(b, sizeof(b)), &l), cases[_i].err);
	ts_list_free(&l);
}
END_TEST

START_TEST(mapped_addresses_do_not_become_ipv4)
{
	uint8_t b[44] = { 1,   0,   0,		0,   8,		 0,   0,   40,	0,   0,
			  255, 255, [22] = 255, 255, [38] = 255, 255, 255, 255, 255, 255 };
	struct ts_list l;

	ck_assert_int_eq(ts_payload_decode(span_of(b, sizeof(b)), &l), OK);
	ck_assert_uint_eq(l.n, 0);
	ts_list_free(&l);
}
END_TEST

START_TEST(lists_of_1_to_255_come_back)
{
	static uint8_t buf[255 * 40 + 4];
	struct ts_list l = { .v = calloc(TS_MAX, sizeof(*l.v)) }, back;

	ck_assert_ptr_nonnull(l.v);
	for (unsigned int i = 0; i < TS_MAX; i++) {
		struct wr w = wr_into(buf, sizeof(buf));

		l.v[i] = ts_of(i % 2 ? "2001:db8::1-2001:db8::ff" : "192.0.2.1/32=17:500-4500");
		l.n++;
		ts_payload_encode(&w, &l);
		ck_assert_int_eq(ts_payload_decode(wr_done(&w), &back), OK);
		ck_assert(ts_list_eq(&l, &back));
		ts_list_free(&back);
	}
	ts_list_free(&l);
}
END_TEST

START_TEST(an_empty_list_is_not_written)
{
	uint8_t out[64];
	struct wr w = wr_into(out, sizeof(out));
	struct ts_list l = { .n = 0 };

	ts_payload_encode(&w, &l);
	ck_assert(!wr_ok(&w));
}
END_TEST

/* ---- narrowing ---- */

/* clang-format off */
static const struct {
	const char *tsi[LIST_MAX], *tsr[LIST_MAX];	 /* the initiator's offer */
	const char *remote[LIST_MAX], *local[LIST_MAX];	 /* the responder's configuration */
	const char *want_i[LIST_MAX], *want_r[LIST_MAX]; /* none: TS_UNACCEPTABLE */
	bool first;
} cases[] = {
	{ { "10.1.0.0/16" }, { "10.2.0.0/16" }, { "10.1.0.0/16" }, { "10.2.0.0/16" },
	  { "10.1.0.0/16" }, { "10.2.0.0/16" }, true },
	/* the responder's policy is narrower, wider, beside it */
	{ { "10.0.0.0/8" }, { "0.0.0.0/0" }, { "10.1.0.0/16" }, { "10.2.0.0/16" },
	  { "10.1.0.0/16" }, { "10.2.0.0/16" }, false },
	{ { "10.1.2.0/24" }, { "10.2.3.0/24" }, { "10.1.0.0/16" }, { "0.0.0.0/0" },
	  { "10.1.2.0/24" }, { "10.2.3.0/24" }, true },
	{ { "10.1.0.0/16" }, { "10.2.0.0/16" }, { "10.3.0.0/16" }, { "10.2.0.0/16" }, { NULL },
	  { NULL }, false },
	{ { "10.1.0.0/16" }, { "10.2.0.0/16" }, { "10.2.0.0/16" }, { "10.1.0.0/16" }, { NULL },
	  { NULL }, false },
	/* RFC 7296 2.9: the packet's own selector first, then the network */
	{ { "198.51.100.43/32=6:1025-1025", "198.51.100.0/24" }, { "192.0.2.1/32=6:80-80",
	  "192.0.2.0/24" }, { "198.51.100.0/24" }, { "192.0.2.0/24" }, { "198.51.100.0/24" },
	  { "192.0.2.0/24" }, true },
	{ { "198.51.100.43/32=6:1025-1025", "198.51.100.0/24" }, { "192.0.2.1/32=6:80-80",
	  "192.0.2.0/24" }, { "198.51.100.32/27" }, { "192.0.2.0/24" }, { "198.51.100.32/27" },
	  { "192.0.2.0/24" }, true },
	{ { "198.51.100.43/32", "198.51.100.0/24" }, { "192.0.2.0/24" }, { "198.51.100.0/27" },
	  { "192.0.2.0/24" }, { "198.51.100.0/27" }, { "192.0.2.0/24" }, false },
	{ { "198.51.100.43/32", "198.51.100.0/24" }, { "192.0.2.0/24" }, { "198.51.100.43/32" },
	  { "192.0.2.0/24" }, { "198.51.100.43/32" }, { "192.0.2.0/24" }, true },
	/* what a wider one before it covers is left out */
	{ { "10.1.0.0/16", "10.1.2.0/24" }, { "10.2.0.0/16", "10.2.0.0/16" }, { "10.0.0.0/8" },
	  { "10.0.0.0/8" }, { "10.1.0.0/16" }, { "10.2.0.0/16" }, true },
	/* several of ours in one of the peer's */
	{ { "10.0.0.0/8" }, { "0.0.0.0/0" }, { "10.1.0.0/16", "10.9.0.0/16" }, { "10.2.0.0/16",
	  "10.3.0.0/16" }, { "10.1.0.0/16", "10.9.0.0/16" }, { "10.2.0.0/16", "10.3.0.0/16" },
	  false },
	/* protocols and ports */
	{ { "10.1.0.0/16" }, { "10.2.0.0/16" }, { "10.1.0.0/16" }, { "10.2.0.0/16=6:443-443" },
	  { "10.1.0.0/16" }, { "10.2.0.0/16=6:443-443" }, false },
	{ { "10.1.0.0/16" }, { "10.2.0.0/16=6:400-500" }, { "10.1.0.0/16" },
	  { "10.2.0.0/16=6:443-600" }, { "10.1.0.0/16" }, { "10.2.0.0/16=6:443-500" }, false },
	{ { "10.1.0.0/16" }, { "10.2.0.0/16=6:80-80" }, { "10.1.0.0/16" },
	  { "10.2.0.0/16=6:443-443" }, { NULL }, { NULL }, false },
	{ { "10.1.0.0/16=6:0-65535" }, { "10.2.0.0/16" }, { "10.1.0.0/16" },
	  { "10.2.0.0/16=17:53-53" }, { NULL }, { NULL }, false },
	/* OPAQUE: no port to be seen, at either end of a packet. ANY holds it, a port does not. */
	{ { "10.1.0.0/16=17:65535-0" }, { "10.2.0.0/16=17:65535-0" }, { "10.1.0.0/16" },
	  { "10.2.0.0/16" }, { "10.1.0.0/16=17:65535-0" }, { "10.2.0.0/16=17:65535-0" }, true },
	{ { "10.1.0.0/16" }, { "10.2.0.0/16" }, { "10.1.0.0/16=17:65535-0" },
	  { "10.2.0.0/16=17:65535-0" }, { "10.1.0.0/16=17:65535-0" },
	  { "10.2.0.0/16=17:65535-0" }, false },
	{ { "10.1.0.0/16=17:65535-0" }, { "10.2.0.0/16=17:65535-0" }, { "10.1.0.0/16" },
	  { "10.2.0.0/16=17:0-65535" }, { "10.1.0.0/16=17:65535-0" },
	  { "10.2.0.0/16=17:65535-0" }, true },
	{ { "10.1.0.0/16=17:65535-0" }, { "10.2.0.0/16=17:65535-0" }, { "10.1.0.0/16" },
	  { "10.2.0.0/16=17:53-53" }, { NULL }, { NULL }, false },
	/* ranges that are no prefixes, whole and cut, in both families */
	{ { "10.1.0.3-10.1.0.9" }, { "10.2.0.0-10.2.2.255" }, { "10.1.0.0/16" }, { "10.2.0.0/16" },
	  { "10.1.0.3-10.1.0.9" }, { "10.2.0.0-10.2.2.255" }, true },
	{ { "10.1.0.3-10.1.0.9" }, { "10.2.0.1-10.2.0.200" }, { "10.1.0.5-10.1.0.77" },
	  { "10.2.0.100-10.2.0.255" }, { "10.1.0.5-10.1.0.9" }, { "10.2.0.100-10.2.0.200" }, false },
	{ { "2001:db8::3-2001:db8::9" }, { "2001:db8:2::/48" }, { "2001:db8::/125" },
	  { "2001:db8:2::5-2001:db8:2::8" }, { "2001:db8::3-2001:db8::7" },
	  { "2001:db8:2::5-2001:db8:2::8" }, false },
	{ { "10.1.0.3-10.1.0.9" }, { "10.2.0.0/16" }, { "10.1.0.10-10.1.0.11" }, { "10.2.0.0/16" },
	  { NULL }, { NULL }, false },
	/* no packet has two types of ICMP, or two codes; a range meets what lies in it */
	{ { "10.1.0.0/16=1:256-256" }, { "10.2.0.0/16=1:512-512" }, { "10.1.0.0/16" },
	  { "10.2.0.0/16" }, { NULL }, { NULL }, false },
	{ { "10.1.0.0/16=1:769-769" }, { "10.2.0.0/16=1:772-772" }, { "10.1.0.0/16" },
	  { "10.2.0.0/16" }, { NULL }, { NULL }, false },
	{ { "10.1.0.0/16=1:768-1023" }, { "10.2.0.0/16=1:772-772" }, { "10.1.0.0/16" },
	  { "10.2.0.0/16" }, { "10.1.0.0/16=1:768-1023" }, { "10.2.0.0/16=1:772-772" }, true },
	/* families: each alone, both, and none that meet */
	{ { "2001:db8:1::/48" }, { "2001:db8:2::/48" }, { "2001:db8::/32" }, { "::/0" },
	  { "2001:db8:1::/48" }, { "2001:db8:2::/48" }, true },
	{ { "10.1.0.0/16", "2001:db8:1::/48" }, { "10.2.0.0/16", "2001:db8:2::/48" },
	  { "10.1.0.0/16", "2001:db8:1::/48" }, { "10.2.0.0/16", "2001:db8:2::/48" },
	  { "10.1.0.0/16", "2001:db8:1::/48" }, { "10.2.0.0/16", "2001:db8:2::/48" }, true },
	{ { "10.1.0.0/16", "2001:db8:1::/48" }, { "10.2.0.0/16", "2001:db8:2::/48" },
	  { "10.1.0.0/16" }, { "2001:db8:2::/48" }, { NULL }, { NULL }, false },
	{ { "10.1.0.0/16" }, { "10.2.0.0/16" }, { "2001:db8:1::/48" }, { "10.2.0.0/16" },
	  { NULL }, { NULL }, false },
	{ { NULL }, { "10.2.0.0/16" }, { "10.1.0.0/16" }, { "10.2.0.0/16" }, { NULL }, { NULL },
	  false },
	{ { "10.1.0.0/16" }, { NULL }, { "10.1.0.0/16" }, { "10.2.0.0/16" }, { NULL }, { NULL },
	  false },
};
/* clang-format on */
enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };

START_TEST(narrowing_follows_the_rfc)
{
	struct ts_pair offer = { list_of(cases[_i].tsi), list_of(cases[_i].tsr) };
	struct ts_pair ours = { list_of(cases[_i].remote), list_of(cases[_i].local) };
	struct ts_pair want = { list_of(cases[_i].want_i), list_of(cases[_i].want_r) }, got;

	ck_assert_int_eq(narrow_respond(&offer, &ours, &got), want.i.n > 0 ? OK : ERR_TS);
	ck_assert(ts_list_eq(&got.i, &want.i));
	ck_assert(ts_list_eq(&got.r, &want.r));
	if (want.i.n > 0) {
		ck_assert_int_eq(narrow_verify(&offer, &got), OK);
		ck_assert_int_eq(narrow_keeps_first(&offer, &got), cases[_i].first);
	} else {
		ck_assert_ptr_null(got.i.v);
		ck_assert_ptr_null(got.r.v);
	}
	ts_pair_free(&offer);
	ts_pair_free(&ours);
	ts_pair_free(&want);
	ts_pair_free(&got);
}
END_TEST

START_TEST(an_answer_outside_of_the_offer_is_refused)
{
	/* clang-format off */
	static const struct {
		const char *i[LIST_MAX], *r[LIST_MAX];
		enum err err;
	} answers[] = {
		{ { "10.1.0.0/16" }, { "10.2.0.0/16=6:443-443" }, OK },
		{ { "10.1.5.0/24" }, { "10.2.0.1/32=6:443-443" }, OK },
		{ { "10.0.0.0/8" }, { "10.2.0.0/16=6:443-443" }, ERR_TS },
		{ { "10.1.0.0/16" }, { "10.2.0.0/16" }, ERR_TS },
		{ { "10.1.0.0/16" }, { "10.2.0.0/16=6:443-444" }, ERR_TS },
		{ { "10.1.0.0/16", "10.7.0.0/16" }, { "10.2.0.0/16=6:443-443" }, ERR_TS },
		{ { NULL }, { "10.2.0.0/16=6:443-443" }, ERR_TS },
		{ { "10.1.0.0/16" }, { NULL }, ERR_TS },
		{ { "2001:db8::/64" }, { "10.2.0.0/16=6:443-443" }, ERR_TS },
	};
	/* clang-format on */
	static const char *const offer_i[LIST_MAX] = { "10.1.0.0/16" };
	static const char *const offer_r[LIST_MAX] = { "10.2.0.0/16=6:443-443" };
	struct ts_pair offer = { list_of(offer_i), list_of(offer_r) };
	struct ts_pair answer = { list_of(answers[_i].i), list_of(answers[_i].r) };

	ck_assert_int_eq(narrow_verify(&offer, &answer), answers[_i].err);
	ts_pair_free(&offer);
	ts_pair_free(&answer);
}
END_TEST

START_TEST(an_answer_that_no_packet_fits_is_refused)
{
	static const char *const both[LIST_MAX] = { "10.1.0.0/16", "2001:db8::/32" };
	static const char *const v4[LIST_MAX] = { "10.1.0.0/16" };
	static const char *const v6[LIST_MAX] = { "2001:db8::/32" };
	struct ts_pair offer = { list_of(both), list_of(both) };
	struct ts_pair good = { list_of(v4), list_of(v4) }, dead = { list_of(v4), list_of(v6) };

	ck_assert_int_eq(narrow_verify(&offer, &good), OK);
	ck_assert_int_eq(narrow_verify(&offer, &dead), ERR_TS);
	ts_pair_free(&offer);
	ts_pair_free(&good);
	ts_pair_free(&dead);
}
END_TEST

/* ---- against a world small enough to try every packet ---- */

static uint32_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * UINT32_C(1664525) + UINT32_C(1013904223);
	return (seed >> 8) % below;
}

enum { WORLD = 8, PROTOS = 3, PORTS = 4 };

/* Addresses 10.0.0.0 to 10.0.0.7, protocols 0 to 2, ports 0 to 3. */
static struct ts_list random_list(void)
{
	struct ts_list l = { .v = calloc(TS_MAX, sizeof(*l.v)) };
	unsigned int n = 1 + draw(4);

	ck_assert_ptr_nonnull(l.v);
	for (unsigned int i = 0; i < n; i++) {
		uint8_t lo = (uint8_t)draw(WORLD),
			hi = (uint8_t)(lo + draw((uint32_t)(WORLD - lo)));
		struct ts t = { .port_hi = UINT16_MAX };

		t.lo = (struct addr){ .family = AF_INET, .b = { 10, 0, 0, lo } };
		t.hi = (struct addr){ .family = AF_INET, .b = { 10, 0, 0, hi } };
		t.proto = (uint8_t)draw(PROTOS);
		if (t.proto != 0 && draw(2) == 0) {
			t.port_lo = (uint16_t)draw(PORTS);
			t.port_hi = (uint16_t)(t.port_lo + draw(PORTS - t.port_lo));
		}
		l.v[l.n++] = t;
	}
	return l;
}

static bool list_has(const struct ts_list *l, uint8_t host, uint8_t proto, uint16_t port)
{
	struct addr a = { .family = AF_INET, .b = { 10, 0, 0, host } };

	for (unsigned int i = 0; i < l->n; i++) {
		if (ts_match(&l->v[i], &a, proto, true, port))
			return true;
	}
	return false;
}

static void expect_intersection(const struct ts_list *a, const struct ts_list *b,
				const struct ts_list *both)
{
	for (unsigned int x = 0; x < WORLD * 4 * PORTS; x++) {
		uint8_t host = (uint8_t)(x % WORLD), proto = (uint8_t)(1 + x / WORLD % 3);
		uint16_t port = (uint16_t)(x / WORLD / 4);

		ck_assert_int_eq(list_has(both, host, proto, port),
				 list_has(a, host, proto, port) && list_has(b, host, proto, port));
	}
}

START_TEST(the_result_holds_exactly_the_packets_that_both_hold)
{
	seed = (uint32_t)_i;
	for (unsigned int round = 0; round < 200; round++) {
		struct ts_pair offer = { random_list(), random_list() },
			       ours = { random_list(), random_list() }, got;
		enum err err = narrow_respond(&offer, &ours, &got);

		ck_assert(err == OK || err == ERR_TS);
		if (err == OK) {
			expect_intersection(&offer.i, &ours.i, &got.i);
			expect_intersection(&offer.r, &ours.r, &got.r);
			ck_assert_int_eq(narrow_verify(&offer, &got), OK);
			ck_assert_int_eq(narrow_verify(&ours, &got), OK);
		}
		ts_pair_free(&offer);
		ts_pair_free(&ours);
		ts_pair_free(&got);
	}
}
END_TEST

START_TEST(more_than_255_are_cut_and_the_first_stays)
{
	struct ts_pair offer = { { .v = calloc(TS_MAX, sizeof(struct ts)) },
				 { .v = calloc(TS_MAX, sizeof(struct ts)) } };
	struct ts_pair ours = { { .v = calloc(TS_MAX, sizeof(struct ts)) },
				{ .v = calloc(TS_MAX, sizeof(struct ts)) } },
		       got;

	/* Each of the offer, a /24, meets two /25 of ours. */
	for (unsigned int i = 0; i < TS_MAX; i++) {
		struct ts t = { .port_hi = UINT16_MAX };

		t.lo = (struct addr){ .family = AF_INET, .b = { 10, 0, (uint8_t)i, 0 } };
		t.hi = (struct addr){ .family = AF_INET, .b = { 10, 0, (uint8_t)i, 255 } };
		offer.i.v[offer.i.n++] = offer.r.v[offer.r.n++] = t;
		t.lo.b[2] = t.hi.b[2] = (uint8_t)(i / 2);
		t.lo.b[3] = (uint8_t)(i % 2 * 128);
		t.hi.b[3] = (uint8_t)(i % 2 * 128 + 127);
		ours.i.v[ours.i.n++] = ours.r.v[ours.r.n++] = t;
	}
	ck_assert_int_eq(narrow_respond(&offer, &ours, &got), OK);
	ck_assert_uint_eq(got.i.n, TS_MAX);
	ck_assert(ts_eq(&got.i.v[0], &ours.i.v[0]));
	ts_pair_free(&got);
	/* 255 of ours with two ports each would be 510. */
	for (unsigned int i = 0; i < TS_MAX; i++) {
		offer.i.v[i].proto = 6;
		offer.i.v[i].port_lo = offer.i.v[i].port_hi = (uint16_t)(i * 3);
		offer.i.v[i].lo.b[2] = 0;
		offer.i.v[i].hi.b[2] = 255;
	}
	ck_assert_int_eq(narrow_respond(&offer, &ours, &got), OK);
	ck_assert_uint_eq(got.i.n, TS_MAX);
	ck_assert_uint_eq(got.i.v[0].port_lo, 0);
	ts_pair_free(&got);
	ts_pair_free(&offer);
	ts_pair_free(&ours);
}
END_TEST

UNIT("ike/narrow")
{
	tcase_add_test(tc, selectors_are_read_and_written_back);
	tcase_add_test(tc, selectors_cut_anywhere_are_refused);
	tcase_add_test(tc, every_count_and_length_that_lies_is_refused);
	tcase_add_test(tc, types_that_we_do_not_speak_are_passed_over);
	tcase_add_loop_test(tc, ranges_that_run_backwards_are_refused, 0, 6);
	tcase_add_test(tc, mapped_addresses_do_not_become_ipv4);
	tcase_add_test(tc, lists_of_1_to_255_come_back);
	tcase_add_test(tc, an_empty_list_is_not_written);
	tcase_add_loop_test(tc, narrowing_follows_the_rfc, 0, N_CASES);
	tcase_add_loop_test(tc, an_answer_outside_of_the_offer_is_refused, 0, 9);
	tcase_add_test(tc, an_answer_that_no_packet_fits_is_refused);
	tcase_add_loop_test(tc, the_result_holds_exactly_the_packets_that_both_hold, 0, 10);
	tcase_add_test(tc, more_than_255_are_cut_and_the_first_stays);
}
