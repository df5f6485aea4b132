/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments to whole packets: in any order, never from pieces that overlap, never without bounds.
 */
#include "esp/reassemble.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

enum { MOST = 65535, PIECES = 64 };

static uint32_t seed;

static uint32_t chance(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

struct pieces {
	size_t n;
	struct {
		uint8_t *p;
		size_t len;
	} v[PIECES];
};

static void pieces_free(struct pieces *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].p);
	l->n = 0;
}

/* One IPv6 fragment of the payload of `p`. */
static void add6(struct pieces *l, struct span p, size_t at, size_t len, uint8_t id)
{
	size_t all = p.len - 40, body = at + len > all ? all - at : len;
	uint8_t *b = malloc(48 + body);
	struct wr w = wr_into(b, 48 + body);

	wr_span(&w, span_head(p, 4));
	wr_u16(&w, (uint16_t)(8 + body));
	wr_u8(&w, 44);
	wr_span(&w, span_tail(span_head(p, 40), 7));
	wr_u8(&w, p.p[6]);
	wr_u8(&w, 0);
	wr_u16(&w, (uint16_t)(at | (at + body < all)));
	wr_u32(&w, id);
	wr_span(&w, span_head(span_tail(p, 40 + at), body));
	ck_assert(wr_ok(&w));
	l->v[l->n].p = b;
	l->v[l->n++].len = 48 + body;
}

/* One IPv4 fragment, likewise. */
static void add4(struct pieces *l, struct span p, size_t at, size_t len, uint8_t id)
{
	size_t all = p.len - 20, body = at + len > all ? all - at : len;
	uint8_t *b = malloc(20 + body);
	struct wr w = wr_into(b, 20 + body);

	wr_u16(&w, 0x4500);
	wr_u16(&w, (uint16_t)(20 + body));
	wr_u16(&w, id);
	wr_u16(&w, (uint16_t)(at / 8 | (at + body < all ? 0x2000 : 0)));
	wr_span(&w, span_tail(span_head(p, 20), 8));
	wr_span(&w, span_head(span_tail(p, 20 + at), body));
	ck_assert(wr_ok(&w));
	kit_fix_v4(b);
	l->v[l->n].p = b;
	l->v[l->n++].len = 20 + body;
}

static void add(struct pieces *l, struct span p, size_t at, size_t len, uint8_t id)
{
	(p.p[0] >> 4 == 6 ? add6 : add4)(l, p, at, len, id);
}

static bool give(struct reassembler *r, struct pieces *l, size_t i, mono_ns now, struct wr *w)
{
	struct span p = span_of(l->v[i].p, l->v[i].len);
	struct inner in;

	ck_assert_int_eq(inner_parse(p, &in), OK);
	ck_assert(in.fragment);
	return reassembler_add(r, p, &in, now, w);
}

static const char *const hosts[2][2] = { { "192.0.2.1", "192.0.2.2" },
					 { "2001:db8::1", "2001:db8::2" } };

/* As it came, but for identification and checksum, which nobody needs any more. */
static bool same_packet(struct span a, struct span b)
{
	if (a.len != b.len || a.p[0] != b.p[0])
		return false;
	if (a.p[0] >> 4 == 6)
		return span_eq(a, b);
	return kit_v4_sum_ok(a) && span_eq(span_tail(a, 20), span_tail(b, 20)) &&
	       memcmp(a.p, b.p, 4) == 0 && memcmp(a.p + 12, b.p + 12, 8) == 0 && a.p[9] == b.p[9] &&
	       a.p[6] == 0 && a.p[7] == 0;
}

START_TEST(pieces_in_any_order_are_the_whole)
{
	static uint8_t b[3000], whole[MOST];
	struct reassembler r = { .bytes = 0 };

	seed = (uint32_t)_i;
	for (int family = 0; family < 2; family++) {
		size_t step = 8 * (size_t)(1 + _i % 30) + 64;
		struct span p =
			kit_udp(b, 1000 + (size_t)_i * 17, hosts[family][0], hosts[family][1]);
		struct pieces l = { 0 };
		struct wr w = wr_into(whole, sizeof(whole));
		size_t head = family ? 40 : 20;

		for (size_t at = 0; at < p.len - head; at += step)
			add(&l, p, at, step, 9);
		for (size_t i = l.n; i > 1; i--) {
			size_t k = chance((uint32_t)i);
			uint8_t *q = l.v[i - 1].p;
			size_t len = l.v[i - 1].len;

			l.v[i - 1] = l.v[k];
			l.v[k].p = q;
			l.v[k].len = len;
		}
		for (size_t i = 0; i < l.n; i++)
			ck_assert(give(&r, &l, i, 1, &w) == (i == l.n - 1));
		ck_assert(same_packet(wr_done(&w), p));
		ck_assert_uint_eq(r.bytes, 0);
		ck_assert_uint_eq(r.dropped, 0);
		pieces_free(&l);
	}
	reassembler_free(&r);
}
END_TEST

START_TEST(the_longest_packet_comes_whole)
{
	static uint8_t b[MOST], whole[MOST + 1];
	struct reassembler r = { .bytes = 0 };

	for (int family = 0; family < 2; family++) {
		struct span p = kit_udp(b, MOST, hosts[family][0], hosts[family][1]);
		struct pieces l = { 0 };
		struct wr w = wr_into(whole, sizeof(whole));

		for (size_t at = 0; at < p.len - (family ? 40 : 20); at += 1448)
			add(&l, p, at, 1448, 9);
		for (size_t i = 0; i < l.n; i++)
			ck_assert(give(&r, &l, i, 1, &w) == (i == l.n - 1));
		ck_assert(same_packet(wr_done(&w), p));
		pieces_free(&l);
	}
	reassembler_free(&r);
}
END_TEST

/* Places and lengths in a packet of 800 bytes behind the header, in order; the last one completes
 * it, or nothing does. */
static const struct {
	const char *why;
	bool good;
	struct {
		uint16_t at, len;
	} v[6];
} orders[] = {
	{ "two", true, { { 0, 400 }, { 400, 400 } } },
	{ "the end first", true, { { 400, 400 }, { 0, 400 } } },
	{ "the same twice", false, { { 0, 400 }, { 0, 400 }, { 400, 400 } } },
	{ "one within another", false, { { 0, 400 }, { 8, 8 }, { 400, 400 } } },
	{ "one over the border", false, { { 0, 400 }, { 392, 400 }, { 792, 8 } } },
	{ "the end twice", false, { { 400, 400 }, { 400, 400 }, { 0, 400 } } },
	{ "a hole", false, { { 0, 392 }, { 400, 400 } } },
};

enum { N_ORDERS = sizeof(orders) / sizeof(orders[0]) };

START_TEST(overlaps_are_dropped_with_all_that_follows)
{
	static uint8_t b[900], whole[MOST];

	for (int family = 0; family < 2; family++) {
		struct span p =
			kit_udp(b, (family ? 40 : 20) + 800, hosts[family][0], hosts[family][1]);
		struct reassembler r = { .bytes = 0 };
		struct wr w = wr_into(whole, sizeof(whole));
		struct pieces l = { 0 };
		bool done = false;

		for (size_t i = 0; i < 6 && orders[_i].v[i].len > 0; i++)
			add(&l, p, orders[_i].v[i].at, orders[_i].v[i].len, 9);
		for (size_t i = 0; i < l.n; i++)
			done = give(&r, &l, i, 1, &w);
		ck_assert_msg(done == orders[_i].good, "%s", orders[_i].why);
		if (done)
			ck_assert(same_packet(wr_done(&w), p));
		else if (_i != N_ORDERS - 1) /* a hole may be filled yet */
			ck_assert_uint_eq(r.dropped, 1);
		pieces_free(&l);
		reassembler_free(&r);
	}
}
END_TEST

/* Bytes that nobody sent must never leave: what lies behind a later end cannot count for a hole. */
START_TEST(an_end_before_what_came_is_refused)
{
	static uint8_t b[900], whole[MOST];
	struct span p = kit_udp(b, 20 + 800, hosts[0][0], hosts[0][1]);
	struct span shorter = span_head(p, 20 + 600);
	struct reassembler r = { .bytes = 0 };
	struct wr w = wr_into(whole, sizeof(whole));
	struct pieces l = { 0 };

	add(&l, p, 640, 104, 9);       /* beyond 600 */
	add(&l, shorter, 496, 104, 9); /* the end: 600 */
	add(&l, shorter, 0, 392, 9);   /* 104 are missing, 104 too many */
	for (size_t i = 0; i < l.n; i++)
		ck_assert(!give(&r, &l, i, 1, &w));
	ck_assert_uint_eq(r.dropped, 1);
	pieces_free(&l);
	reassembler_free(&r);
}
END_TEST

START_TEST(datagrams_are_told_apart)
{
	static uint8_t b[900], whole[MOST];
	struct span p = kit_udp(b, 820, "192.0.2.1", "192.0.2.2");
	struct reassembler r = { .bytes = 0 };
	struct wr w = wr_into(whole, sizeof(whole));
	struct pieces l = { 0 };

	add(&l, p, 0, 400, 1);
	add(&l, p, 400, 400, 2);
	b[19] = 3; /* another host */
	add(&l, p, 400, 400, 1);
	b[19] = 2;
	b[9] = 6; /* another protocol */
	add(&l, p, 400, 400, 1);
	b[9] = 17;
	for (size_t i = 0; i < 4; i++)
		ck_assert(!give(&r, &l, i, 1, &w));
	add(&l, p, 0, 400, 2);
	ck_assert(give(&r, &l, 4, 1, &w));
	ck_assert(same_packet(wr_done(&w), p));
	pieces_free(&l);
	reassembler_free(&r);
}
END_TEST

START_TEST(what_is_old_is_given_up)
{
	static uint8_t b[900], whole[MOST];
	struct span p = kit_udp(b, 820, "192.0.2.1", "192.0.2.2");
	struct reassembler r = { .bytes = 0 };
	struct wr w = wr_into(whole, sizeof(whole));
	struct pieces l = { 0 };
	mono_ns late = 1 + REASSEMBLY_SECONDS * NS_PER_S;

	add(&l, p, 0, 400, 1);
	add(&l, p, 400, 400, 1);
	ck_assert(!give(&r, &l, 0, 1, &w));
	ck_assert(!give(&r, &l, 1, late + 1, &w));
	ck_assert_uint_eq(r.dropped, 1);
	ck_assert(give(&r, &l, 0, late + 2, &w));
	pieces_free(&l);
	reassembler_free(&r);
}
END_TEST

static size_t waiting(const struct reassembler *r)
{
	size_t n = 0;

	for (size_t i = 0; i < REASSEMBLY_SLOTS; i++)
		n += r->slots[i] != NULL;
	return n;
}

START_TEST(the_store_has_bounds_and_the_oldest_goes)
{
	static uint8_t b[MOST], whole[MOST];
	struct reassembler r = { .bytes = 0 };
	struct wr w = wr_into(whole, sizeof(whole));

	/* Far pieces of many datagrams, from many hosts: a 60000 byte buffer for each. */
	for (unsigned i = 0; i < 500; i++) {
		struct span p = kit_udp(b, 60020, "192.0.2.1", "192.0.2.2");
		struct pieces l = { 0 };

		b[15] = (uint8_t)(i % 7);
		add(&l, p, 59000, 1000, (uint8_t)i);
		ck_assert(!give(&r, &l, 0, 1 + i, &w));
		ck_assert_uint_le(r.bytes, REASSEMBLY_BYTES);
		ck_assert_uint_le(waiting(&r), REASSEMBLY_SLOTS);
		pieces_free(&l);
	}
	ck_assert_uint_eq(r.dropped + waiting(&r), 500);
	reassembler_free(&r);
	ck_assert_uint_eq(r.bytes, 0);

	/* One pair of hosts leaves room for others. */
	for (unsigned i = 0; i < 200; i++) {
		struct span p = kit_udp(b, 820, "192.0.2.1", "192.0.2.2");
		struct pieces l = { 0 };

		add(&l, p, 0, 400, (uint8_t)i);
		ck_assert(!give(&r, &l, 0, 1000 + i, &w));
		pieces_free(&l);
	}
	ck_assert_uint_eq(waiting(&r), REASSEMBLY_OF_PAIR);
	reassembler_free(&r);
}
END_TEST

START_TEST(too_long_for_a_packet_is_dropped)
{
	static uint8_t b[1500], whole[MOST];
	struct reassembler r = { .bytes = 0 };
	struct wr w = wr_into(whole, sizeof(whole));
	struct span p = kit_udp(b, 820, "192.0.2.1", "192.0.2.2");
	struct pieces l = { 0 };

	add(&l, p, 0, 400, 1);
	add(&l, p, 400, 400, 1);
	/* ends at 65128 + 400, over 65515 */
	l.v[1].p[6] = 0x1f;
	l.v[1].p[7] = 0xcd;
	ck_assert(!give(&r, &l, 0, 1, &w));
	ck_assert(!give(&r, &l, 1, 1, &w));
	ck_assert_uint_eq(r.dropped, 1);
	pieces_free(&l);
	reassembler_free(&r);
}
END_TEST

UNIT("esp/reassemble")
{
	tcase_add_loop_test(tc, pieces_in_any_order_are_the_whole, 0, 60);
	tcase_add_test(tc, the_longest_packet_comes_whole);
	tcase_add_loop_test(tc, overlaps_are_dropped_with_all_that_follows, 0, N_ORDERS);
	tcase_add_test(tc, an_end_before_what_came_is_refused);
	tcase_add_test(tc, datagrams_are_told_apart);
	tcase_add_test(tc, what_is_old_is_given_up);
	tcase_add_test(tc, the_store_has_bounds_and_the_oldest_goes);
	tcase_add_test(tc, too_long_for_a_packet_is_dropped);
}
