/* SPDX-License-Identifier: Apache-2.0 */
/* Intersection and covering are compared with counting in a space that is small enough to try
 * whole: all selectors over three addresses, three protocols and the ports 0, 1, 65534 and 65535.
 */
#include "base/ts.h"

#include <string.h>

#include "tests/unit/unit.h"

enum { N_ADDR = 3, N_PORT = 4, N_PROTO = 3 };

static const uint16_t ports[N_PORT] = { 0, 1, UINT16_MAX - 1, UINT16_MAX };
static const uint8_t protos[N_PROTO] = { 0, 6, 17 };

static struct addr nth(unsigned int i)
{
	struct addr a = { .family = AF_INET, .b = { 10, 0, 0, (uint8_t)i } };

	return a;
}

/* Fills `all` with every combination, also those that are not valid; returns how many. */
static size_t all_selectors(struct ts *all)
{
	size_t n = 0;

	for (unsigned int i = 0; i < N_PROTO * N_PORT * N_PORT * N_ADDR * N_ADDR; i++) {
		unsigned int rest = i;
		struct ts *t = &all[n++];

		memset(t, 0, sizeof(*t));
		t->proto = protos[rest % N_PROTO];
		rest /= N_PROTO;
		t->port_lo = ports[rest % N_PORT];
		rest /= N_PORT;
		t->port_hi = ports[rest % N_PORT];
		rest /= N_PORT;
		t->lo = nth(rest % N_ADDR);
		t->hi = nth(rest / N_ADDR);
	}
	return n;
}

/* The packets that a selector takes, as a set of bits: addresses times protocols times ports, and
 * one port more, which is not known. Protocol 99 stands for all that no selector names. */
static __uint128_t packets(const struct ts *t)
{
	static const uint8_t packet_protos[N_PROTO] = { 99, 6, 17 };
	__uint128_t set = 0;

	for (unsigned int bit = 0; bit < N_ADDR * N_PROTO * (N_PORT + 1); bit++) {
		unsigned int port = bit % (N_PORT + 1);
		uint8_t proto = packet_protos[bit / (N_PORT + 1) % N_PROTO];
		struct addr at = nth(bit / (N_PORT + 1) / N_PROTO);

		if (ts_match(t, &at, proto, port < N_PORT, port < N_PORT ? ports[port] : 0))
			set |= (__uint128_t)1 << bit;
	}
	return set;
}

enum { N_ALL = N_PROTO * N_PORT * N_PORT * N_ADDR * N_ADDR };

START_TEST(intersect_and_cover_agree_with_counting)
{
	static struct ts all[N_ALL];
	static __uint128_t set[N_ALL];
	size_t n = all_selectors(all);
	unsigned int wrong = 0;

	for (size_t i = 0; i < n; i++)
		set[i] = packets(&all[i]);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			struct ts both;
			bool some = ts_intersect(&all[i], &all[k], &both);
			bool covers = ts_covers(&all[i], &all[k]);

			wrong += some != ((set[i] & set[k]) != 0);
			wrong += some && packets(&both) != (set[i] & set[k]);
			wrong += covers != (set[k] != 0 && (set[k] & ~set[i]) == 0);
		}
	}
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(what_is_not_valid_takes_nothing)
{
	static struct ts all[N_ALL];
	size_t n = all_selectors(all);

	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(ts_valid(&all[i]), packets(&all[i]) != 0);
}
END_TEST

START_TEST(families_have_nothing_in_common)
{
	struct net v4, v6;
	struct ts a, b, both;

	ck_assert(net_parse("0.0.0.0/0", &v4) && net_parse("::/0", &v6));
	a = ts_from_net(&v4);
	b = ts_from_net(&v6);
	ck_assert(!ts_intersect(&a, &b, &both));
	ck_assert(!ts_covers(&b, &a));
	ck_assert(ts_has_addr(&a, &a.lo) && ts_has_addr(&a, &a.hi));
	ck_assert(!ts_has_addr(&a, &b.lo) && !ts_has_addr(&b, &a.hi));
	b.lo = a.lo;
	ck_assert(!ts_valid(&b));
}
END_TEST

START_TEST(a_network_becomes_its_whole_range)
{
	struct net n;
	struct ts t;
	char buf[TS_TEXT_MAX];

	ck_assert(net_parse("10.1.0.0/16", &n));
	t = ts_from_net(&n);
	ck_assert(ts_port_any(&t) && !ts_port_opaque(&t) && !ts_asks_ports(&t));
	ck_assert_uint_eq(t.proto, 0);
	ck_assert_str_eq(ts_text(&t, buf), "10.1.0.0/16");
	t.port_lo = t.port_hi = 443;
	ck_assert(ts_asks_ports(&t));
	t.port_lo = UINT16_MAX;
	t.port_hi = 0;
	ck_assert(ts_port_opaque(&t) && !ts_asks_ports(&t));
}
END_TEST

static const struct {
	const char *lo, *hi;
	uint8_t proto;
	uint16_t port_lo, port_hi;
	const char *text;
} texts[] = {
	{ "10.1.0.0", "10.1.255.255", 6, 443, 443, "10.1.0.0/16 tcp/443" },
	{ "192.0.2.1", "192.0.2.9", 17, 1000, 2000, "192.0.2.1-192.0.2.9 udp/1000-2000" },
	{ "192.0.2.1", "192.0.2.1", 47, 0, 65535, "192.0.2.1/32 gre" },
	{ "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, 0, 65535, "::/0" },
	{ "10.0.0.0", "10.255.255.255", 1, 0x0800, 0x0800, "10.0.0.0/8 icmp/8.0" },
	{ "2001:db8::", "2001:db8::ffff", 58, 0x8000, 0x81ff,
	  "2001:db8::/112 icmp6/128.0-129.255" },
	{ "10.0.0.0", "10.255.255.255", 6, 65535, 0, "10.0.0.0/8 tcp/opaque" },
	{ "10.0.0.0", "10.255.255.255", 0, 53, 53, "10.0.0.0/8 any/53" },
	{ "10.0.0.0", "10.255.255.255", 200, 0, 65535, "10.0.0.0/8 200" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 132,
	  10000, 20000,
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe sctp/10000-20000" },
};

START_TEST(selectors_are_shown)
{
	struct ts t = { .proto = texts[_i].proto,
			.port_lo = texts[_i].port_lo,
			.port_hi = texts[_i].port_hi };
	char buf[TS_TEXT_MAX];

	ck_assert(addr_parse(texts[_i].lo, &t.lo) && addr_parse(texts[_i].hi, &t.hi));
	ck_assert_str_eq(ts_text(&t, buf), texts[_i].text);
}
END_TEST

START_TEST(lists_are_copied_whole)
{
	struct ts v[TS_MAX];
	struct ts_list from = { TS_MAX, v };
	struct ts_list none = { 0, NULL };
	struct ts_list to;

	memset(v, 0, sizeof(v));
	for (unsigned int i = 0; i < TS_MAX; i++)
		v[i].lo = v[i].hi = nth(i);
	ck_assert_int_eq(ts_list_copy(&to, &from), OK);
	ck_assert_ptr_ne(to.v, from.v);
	ck_assert(ts_list_eq(&to, &from));
	to.v[TS_MAX - 1].proto = 1;
	ck_assert(!ts_list_eq(&to, &from));
	ck_assert(!ts_list_eq(&to, &none));
	ts_list_free(&to);
	ck_assert_uint_eq(to.n, 0);
	ts_list_free(&to);
	ck_assert_int_eq(ts_list_copy(&to, &none), OK);
	ck_assert_ptr_null(to.v);
}
END_TEST

/* The source has to fit locally and the destination remotely: not both the same, and not the other
 * way. */
START_TEST(a_flow_matches_in_its_direction)
{
	struct ts l = { .proto = 6, .port_hi = UINT16_MAX, .lo = nth(1), .hi = nth(1) };
	struct ts r = { .proto = 6, .port_lo = 443, .port_hi = 443, .lo = nth(2), .hi = nth(2) };
	struct ts_list local = { 1, &l };
	struct ts_list remote = { 1, &r };
	struct ts_list none = { 0, NULL };
	struct flow f = { .src = nth(1),
			  .dst = nth(2),
			  .proto = 6,
			  .ports_known = true,
			  .sport = 999,
			  .dport = 443 };

	ck_assert(ts_lists_match(&local, &remote, &f));
	ck_assert(!ts_lists_match(&remote, &local, &f));
	ck_assert(!ts_lists_match(&none, &remote, &f));
	f.ports_known = false;
	ck_assert(!ts_lists_match(&local, &remote, &f));
	f.ports_known = true;
	f.dport = 80;
	ck_assert(!ts_lists_match(&local, &remote, &f));
	f.dport = 443;
	f.proto = 17;
	ck_assert(!ts_lists_match(&local, &remote, &f));
}
END_TEST

/* Each of the one in one of the other; together they are not enough. */
START_TEST(a_list_lies_within_another_piece_by_piece)
{
	struct ts wide[] = { { .port_hi = UINT16_MAX, .lo = nth(1), .hi = nth(4) },
			     { .port_hi = UINT16_MAX, .lo = nth(5), .hi = nth(9) } };
	struct ts narrow[] = { { .port_hi = UINT16_MAX, .lo = nth(6), .hi = nth(7) },
			       { .proto = 6, .port_hi = 9, .lo = nth(2), .hi = nth(4) } };
	struct ts_list outer = { 2, wide }, inner = { 2, narrow }, none = { 0, NULL };

	ck_assert(ts_list_within(&inner, &outer));
	ck_assert(ts_list_within(&outer, &outer));
	ck_assert(!ts_list_within(&outer, &inner));
	ck_assert(!ts_list_within(&none, &outer));
	ck_assert(!ts_list_within(&inner, &none));
	narrow[1].hi = nth(5);
	ck_assert(!ts_list_covers(&outer, &narrow[1]));
	ck_assert(!ts_list_within(&inner, &outer));
}
END_TEST

START_TEST(five_protocols_have_ports)
{
	static const uint8_t those[] = { 6, 17, 33, 132, 136 };
	size_t n = 0;

	for (unsigned int i = 0; i <= UINT8_MAX; i++)
		n += ts_proto_has_ports((uint8_t)i);
	ck_assert_uint_eq(n, sizeof(those));
	for (size_t i = 0; i < sizeof(those); i++)
		ck_assert(ts_proto_has_ports(those[i]));
}
END_TEST

/* Every packet over all types and codes, or over a few ports of either end, is tried. */
static bool some_packet(const struct ts *a, const struct ts *b, uint8_t proto)
{
	static const uint16_t tried[] = { 0, 53, 0x0100, 0x01ff, 0x0200, 0x8000, UINT16_MAX };
	enum { N_TRIED = sizeof(tried) / sizeof(tried[0]) };
	bool icmp = ts_proto_is_icmp(proto);
	bool found = false;

	for (unsigned int i = 0; i < 2 * N_TRIED * N_TRIED; i++) {
		uint16_t sport = tried[i / 2 % N_TRIED];
		uint16_t dport = icmp ? sport : tried[i / 2 / N_TRIED];

		found = found || (ts_match(a, &a->lo, proto, i % 2, sport) &&
				  ts_match(b, &b->lo, proto, i % 2, dport));
	}
	return found;
}

START_TEST(two_ends_meet_when_some_packet_has_both)
{
	static const struct {
		uint8_t proto;
		uint16_t lo, hi;
	} rows[] = {
		{ 0, 0, UINT16_MAX },	{ 0, UINT16_MAX, 0 },	{ 17, 0, UINT16_MAX },
		{ 17, 53, 53 },		{ 17, UINT16_MAX, 0 },	{ 6, 0, UINT16_MAX },
		{ 6, 0x0100, 0x0200 },	{ 58, 0, UINT16_MAX },	{ 58, 0x0100, 0x0100 },
		{ 58, 0x0100, 0x01ff }, { 58, 0x01ff, 0x0200 }, { 58, 0x8000, 0x8000 },
		{ 58, UINT16_MAX, 0 },	{ 1, 0x0100, 0x0100 },	{ 1, 0x0200, 0x0200 },
	};
	enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };
	unsigned int met = 0;

	for (unsigned int i = 0; i < N_ROWS * N_ROWS; i++) {
		struct ts t[2];
		uint8_t proto;

		for (unsigned int k = 0; k < 2; k++) {
			unsigned int row = k == 0 ? i / N_ROWS : i % N_ROWS;

			t[k] = (struct ts){ .proto = rows[row].proto,
					    .port_lo = rows[row].lo,
					    .port_hi = rows[row].hi,
					    .lo = nth(k),
					    .hi = nth(k) };
		}
		proto = t[0].proto != 0 ? t[0].proto : t[1].proto;
		ck_assert_msg(ts_could_meet(&t[0], &t[1]) ==
				      some_packet(&t[0], &t[1], proto != 0 ? proto : 17),
			      "%u and %u", i / N_ROWS, i % N_ROWS);
		met += ts_could_meet(&t[0], &t[1]) ? 1 : 0;
		t[1].lo.family = t[1].hi.family = AF_INET6;
		ck_assert(!ts_could_meet(&t[0], &t[1]));
	}
	ck_assert_uint_gt(met, N_ROWS);
}
END_TEST

static bool holds(const struct ts_list *l, const char *first, const char *last, uint8_t proto)
{
	struct ts t = { .proto = proto, .port_hi = UINT16_MAX };

	ck_assert(addr_parse(first, &t.lo));
	ck_assert(addr_parse(last, &t.hi));
	return ts_list_holds(l, &t);
}

START_TEST(pieces_hold_a_range_when_there_is_no_gap)
{
	struct ts v[4] = { { .port_hi = UINT16_MAX },
			   { .port_hi = UINT16_MAX },
			   { .port_hi = UINT16_MAX },
			   { .proto = 6, .port_hi = UINT16_MAX } };
	const struct ts_list l = { .n = 4, .v = v };

	ck_assert(addr_parse("10.1.128.0", &v[0].lo) && addr_parse("10.1.255.255", &v[0].hi));
	ck_assert(addr_parse("10.1.0.0", &v[1].lo) && addr_parse("10.1.127.255", &v[1].hi));
	ck_assert(addr_parse("255.0.0.0", &v[2].lo) && addr_parse("255.255.255.255", &v[2].hi));
	ck_assert(addr_parse("10.2.0.0", &v[3].lo) && addr_parse("10.2.0.255", &v[3].hi));
	ck_assert(holds(&l, "10.1.0.0", "10.1.255.255", 0));
	ck_assert(holds(&l, "10.1.127.255", "10.1.128.0", 17));
	ck_assert(holds(&l, "255.255.255.0", "255.255.255.255", 0));
	ck_assert(holds(&l, "10.1.0.0", "10.2.0.255", 6));
	ck_assert(!holds(&l, "10.1.0.0", "10.2.0.255", 0));
	ck_assert(!holds(&l, "10.1.0.0", "10.2.1.0", 6));
	ck_assert(!holds(&l, "10.0.255.255", "10.1.0.0", 0));
	ck_assert(!holds(&l, "::", "::ff", 0));
	ck_assert(!ts_list_holds(&(struct ts_list){ .n = 0 }, &v[0]));
}
END_TEST

UNIT("base/ts")
{
	tcase_add_test(tc, pieces_hold_a_range_when_there_is_no_gap);
	tcase_add_test(tc, two_ends_meet_when_some_packet_has_both);
	tcase_add_test(tc, a_list_lies_within_another_piece_by_piece);
	tcase_add_test(tc, five_protocols_have_ports);
	tcase_add_test(tc, intersect_and_cover_agree_with_counting);
	tcase_add_test(tc, what_is_not_valid_takes_nothing);
	tcase_add_test(tc, families_have_nothing_in_common);
	tcase_add_test(tc, a_network_becomes_its_whole_range);
	tcase_add_loop_test(tc, selectors_are_shown, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(tc, lists_are_copied_whole);
	tcase_add_test(tc, a_flow_matches_in_its_direction);
}
