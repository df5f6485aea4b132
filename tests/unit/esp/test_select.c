/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/select.h"

#include <stdlib.h>

#include "esp/inner.h"
#include "esp/sad.h"
#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

enum { N_SAS = 8 };

/* Remote selectors of eight SAs, oldest first; all have 10.1.0.0/16 (or its IPv6 likeness) on our
 * side. */
static const struct {
	const char *remote;
	uint8_t proto;
	uint16_t lo, hi;
} sas[N_SAS] = {
	{ "0.0.0.0/0", 0, 0, 65535 },
	{ "10.2.0.0/16", 0, 0, 65535 },
	{ "10.2.0.0/16", PROTO_TCP, 0, 65535 },
	{ "10.2.0.0/16", PROTO_TCP, 443, 443 },
	{ "10.2.3.4/32", PROTO_UDP, 1000, 2000 },
	{ "2001:db8:2::/48", 0, 0, 65535 },
	{ "10.2.0.0/16", PROTO_TCP, 65535, 0 }, /* OPAQUE */
	{ "10.2.128.0/17", 0, 0, 65535 },
};

static const struct {
	const char *why;
	const char *src, *dst;
	uint8_t proto;
	bool ports;
	uint16_t dport;
	int want; /* index in sas; -1: none */
} flows[] = {
	{ "the network's SA before the default's", "10.1.0.1", "10.2.0.1", PROTO_UDP, true, 53, 1 },
	{ "the protocol's SA before the network's", "10.1.0.1", "10.2.0.1", PROTO_TCP, true, 80,
	  2 },
	{ "the port's SA before the protocol's", "10.1.0.1", "10.2.0.1", PROTO_TCP, true, 443, 3 },
	{ "half the network before a port of it", "10.1.0.1", "10.2.200.1", PROTO_TCP, true, 443,
	  7 },
	{ "a host's SA in its port range", "10.1.0.1", "10.2.3.4", PROTO_UDP, true, 1500, 4 },
	{ "a host's SA not beyond its port range", "10.1.0.1", "10.2.3.4", PROTO_UDP, true, 2001,
	  1 },
	{ "fragments never by a port's SA", "10.1.0.1", "10.2.3.4", PROTO_UDP, false, 0, 1 },
	{ "elsewhere by the default", "10.1.0.1", "198.51.100.1", PROTO_TCP, true, 443, 0 },
	{ "IPv6 by IPv6", "2001:db8:1::1", "2001:db8:2::9", PROTO_TCP, true, 443, 5 },
	{ "IPv6 elsewhere by none", "2001:db8:1::1", "2001:db8:3::9", PROTO_TCP, true, 443, -1 },
	{ "a source that is not ours by none", "10.9.0.1", "10.2.0.1", PROTO_TCP, true, 443, -1 },
	{ "our own network is not the peer's", "10.2.0.1", "10.2.0.2", PROTO_TCP, true, 443, -1 },
};

/* An outbound SA with these selectors, known by its child's number. */
static void install(struct sad *d, uint32_t child, const struct ts *local, const struct ts *remote)
{
	struct kit_sa k;

	kit_sa_make(&k, &kit_suites[0], SA_OUT, 0x1000 + child);
	k.local = *local;
	k.remote = *remote;
	k.d.child_id = child;
	ck_assert_int_eq(sad_install(d, &k.d, 0), OK);
}

static struct ts ports(const char *net, uint8_t proto, uint16_t lo, uint16_t hi)
{
	struct ts t = kit_ts(net);

	t.proto = proto;
	t.port_lo = lo;
	t.port_hi = hi;
	return t;
}

/* The number of the child that carries it; -1: none. */
static int carried_by(struct sad *d, const struct flow *f)
{
	const struct sa *sa = sad_out(d, f, 0);

	return sa ? (int)sa->child_id : -1;
}

START_TEST(the_narrowest_selectors_win)
{
	struct sad *d;
	struct flow f = {
		.src = kit_addr(flows[_i].src),
		.dst = kit_addr(flows[_i].dst),
		.proto = flows[_i].proto,
		.ports_known = flows[_i].ports,
		.sport = 5000,
		.dport = flows[_i].dport,
	};

	ck_assert_int_eq(sad_new(1, &d), OK);
	for (uint32_t i = 0; i < N_SAS; i++) {
		struct ts local = kit_ts(i == 5 ? "2001:db8:1::/48" : "10.1.0.0/16");
		struct ts remote = ports(sas[i].remote, sas[i].proto, sas[i].lo, sas[i].hi);

		install(d, i, &local, &remote);
	}
	ck_assert_msg(carried_by(d, &f) == flows[_i].want, "%s", flows[_i].why);
	sad_free(d);
}
END_TEST

/* The order that the kernel gives to policies: xfrm/flow.h. Both fit a packet from 10.1.0.1 port
 * 5000 to 10.2.0.1 port 443, and the first is the one. */
static const struct {
	const char *why;
	struct selectors {
		const char *local, *remote;
		uint8_t proto;
		uint16_t local_lo, local_hi, lo, hi;
	} first, second;
} orders[] = {
	{ "a bit of address before protocol and ports",
	  { "10.1.0.0/16", "10.2.0.0/17", 0, 0, 65535, 0, 65535 },
	  { "10.1.0.0/16", "10.2.0.0/16", 6, 5000, 5000, 443, 443 } },
	{ "one side's bits count as the other's",
	  { "10.1.0.0/18", "10.2.0.0/16", 0, 0, 65535, 0, 65535 },
	  { "10.1.0.0/16", "10.2.0.0/17", 0, 0, 65535, 0, 65535 } },
	{ "a single port before two ranges",
	  { "10.1.0.0/16", "10.2.0.0/16", 6, 0, 65535, 443, 443 },
	  { "10.1.0.0/16", "10.2.0.0/16", 6, 4998, 5001, 442, 444 } },
	{ "a protocol before the port of any",
	  { "10.1.0.0/16", "10.2.0.0/16", 6, 0, 65535, 0, 65535 },
	  { "10.1.0.0/16", "10.2.0.0/16", 0, 0, 65535, 443, 443 } },
	{ "the smaller range of ports",
	  { "10.1.0.0/16", "10.2.0.0/16", 6, 0, 65535, 440, 447 },
	  { "10.1.0.0/16", "10.2.0.0/16", 6, 0, 65535, 256, 1023 } },
	{ "of crossed ones that with the narrower remote side",
	  { "10.1.0.0/16", "10.2.0.1/32", 0, 0, 65535, 0, 65535 },
	  { "10.1.0.1/32", "10.2.0.0/16", 0, 0, 65535, 0, 65535 } },
	{ "of crossed ports too",
	  { "10.1.0.0/16", "10.2.0.0/16", 6, 0, 65535, 443, 443 },
	  { "10.1.0.0/16", "10.2.0.0/16", 6, 5000, 5000, 0, 65535 } },
	{ "of equal blocks in different ranges always the same",
	  { "10.1.0.0/16", "10.2.0.0/16", 6, 0, 65535, 440, 447 },
	  { "10.1.0.0/16", "10.2.0.0/16", 6, 0, 65535, 440, 449 } },
};

START_TEST(which_one_wins_does_not_depend_on_who_came_first)
{
	const struct flow f = { .src = kit_addr("10.1.0.1"),
				.dst = kit_addr("10.2.0.1"),
				.proto = PROTO_TCP,
				.ports_known = true,
				.sport = 5000,
				.dport = 443 };

	for (uint32_t swapped = 0; swapped < 2; swapped++) {
		struct sad *d;

		ck_assert_int_eq(sad_new(1, &d), OK);
		for (uint32_t i = 0; i < 2; i++) {
			uint32_t which = i ^ swapped;
			const struct selectors *o = which ? &orders[_i].second : &orders[_i].first;
			struct ts local = ports(o->local, o->proto, o->local_lo, o->local_hi);
			struct ts remote = ports(o->remote, o->proto, o->lo, o->hi);

			install(d, which, &local, &remote);
		}
		ck_assert_msg(carried_by(d, &f) == 0, "%s", orders[_i].why);
		sad_free(d);
	}
}
END_TEST

/* A range that is no prefix is as narrow as the block of it that the packet lies in, as the kernel
 * cuts it. 10.2.0.1 to 10.2.1.255: 10.2.1.0/24 is one of its blocks, 10.2.0.1/32 another. */
START_TEST(a_range_is_as_narrow_as_its_block)
{
	struct ts local = kit_ts("10.1.0.0/16"), net = kit_ts("10.2.0.0/28"), range = net;
	struct flow f = { .src = kit_addr("10.1.0.1"),
			  .dst = kit_addr("10.2.0.1"),
			  .proto = PROTO_UDP };
	struct sad *d;

	range.lo = kit_addr("10.2.0.1");
	range.hi = kit_addr("10.2.1.255");
	ck_assert_int_eq(sad_new(1, &d), OK);
	install(d, 1, &local, &range);
	install(d, 2, &local, &net);
	ck_assert_int_eq(carried_by(d, &f), 1);
	f.dst = kit_addr("10.2.0.9"); /* in 10.2.0.8/29 of the range */
	ck_assert_int_eq(carried_by(d, &f), 1);
	net = kit_ts("10.2.0.8/30");
	install(d, 3, &local, &net);
	ck_assert_int_eq(carried_by(d, &f), 3);
	f.dst = kit_addr("10.2.0.0");
	ck_assert_int_eq(carried_by(d, &f), 2);
	f.dst = kit_addr("10.2.1.7");
	ck_assert_int_eq(carried_by(d, &f), 1);
	f.dst = kit_addr("10.2.2.0");
	ck_assert_int_eq(carried_by(d, &f), -1);
	sad_free(d);
}
END_TEST

START_TEST(between_equals_the_newest_wins)
{
	struct ts local = kit_ts("10.1.0.0/16"), remote = kit_ts("10.2.0.0/16");
	struct flow f = { .src = kit_addr("10.1.0.1"),
			  .dst = kit_addr("10.2.0.1"),
			  .proto = PROTO_UDP };
	struct sa_desc gone = { .dir = SA_OUT, .spi = 0x1000 + 2, .child_id = 2 };
	struct sad *d;

	ck_assert_int_eq(sad_new(1, &d), OK);
	install(d, 1, &local, &remote);
	install(d, 2, &local, &remote);
	ck_assert_int_eq(carried_by(d, &f), 2);
	ck_assert_int_eq(sad_remove(d, &gone), OK);
	ck_assert_int_eq(carried_by(d, &f), 1);
	sad_free(d);
}
END_TEST

START_TEST(inbound_packets_must_be_the_peers_to_ours)
{
	static const struct {
		const char *src, *dst;
		uint16_t sport;
		bool ports, good;
	} cases[] = {
		{ "10.2.0.1", "10.1.0.1", 443, true, true },
		{ "10.2.0.1", "10.1.0.1", 444, true, false },
		{ "10.2.0.1", "10.1.0.1", 0, false, false },
		{ "10.1.0.1", "10.2.0.1", 443, true, false },
		{ "10.3.0.1", "10.1.0.1", 443, true, false },
		{ "10.2.0.1", "10.2.0.2", 443, true, false },
	};
	struct ts local = kit_ts("10.1.0.0/16"), remote = kit_ts("10.2.0.0/16");
	struct sa *sa = calloc(1, sizeof(*sa));
	struct flow f = {
		.src = kit_addr(cases[_i].src),
		.dst = kit_addr(cases[_i].dst),
		.proto = PROTO_TCP,
		.ports_known = cases[_i].ports,
		.sport = cases[_i].sport,
		.dport = 7777,
	};

	remote.proto = PROTO_TCP;
	remote.port_lo = remote.port_hi = 443;
	sa->local = (struct ts_list){ 1, &local };
	sa->remote = (struct ts_list){ 1, &remote };
	ck_assert_int_eq(select_inbound(sa, &f), cases[_i].good);
	free(sa);
}
END_TEST

START_TEST(only_the_two_hosts_are_joined)
{
	struct kit_sa k;
	struct sad *d;
	static const struct {
		const char *src, *dst;
		uint16_t dport;
		int want; /* -1: none */
		bool whole;
	} joined[] = {
		{ "192.0.2.1", "192.0.2.2", 443, 1, true },
		{ "192.0.2.1", "192.0.2.2", 80, 0, true },
		{ "192.0.2.1", "192.0.2.3", 443, -1, false },
		{ "192.0.2.3", "192.0.2.2", 443, -1, false },
		{ "192.0.2.2", "192.0.2.1", 443, -1, false },
	};

	ck_assert_int_eq(sad_new(1, &d), OK);
	for (uint32_t i = 0; i < 2; i++) {
		kit_sa_make(&k, &kit_suites[0], SA_OUT, 0x80000102 + i);
		kit_sa_join(&k, "192.0.2.1", "192.0.2.2");
		k.local = k.remote = kit_ts("0.0.0.0/0"); /* whatever was negotiated */
		k.d.child_id = i;
		if (i == 1) {
			k.remote.proto = PROTO_TCP;
			k.remote.port_lo = k.remote.port_hi = 443;
		}
		ck_assert_int_eq(sad_install(d, &k.d, 0), OK);
	}
	for (size_t i = 0; i < sizeof(joined) / sizeof(joined[0]); i++) {
		struct flow f = { .src = kit_addr(joined[i].src),
				  .dst = kit_addr(joined[i].dst),
				  .proto = PROTO_TCP,
				  .ports_known = true,
				  .sport = 5000,
				  .dport = joined[i].dport };

		ck_assert_int_eq(carried_by(d, &f), joined[i].want);
		ck_assert(sad_wants_whole(d, &f, 0) == joined[i].whole);
	}
	sad_free(d);
}
END_TEST

/* What a later fragment shows, and whether it may be judged by that. SAs as in `sas`, one of them
 * alone or two. */
static const struct {
	const char *why;
	int sas[2];
	const char *src, *dst;
	uint8_t proto;
	bool whole;
} pieces[] = {
	{ "no ports in any selector", { 0, 1 }, "10.1.0.1", "10.2.0.1", PROTO_UDP, false },
	{ "a protocol alone", { 2, 1 }, "10.1.0.1", "10.2.0.1", PROTO_TCP, false },
	{ "a port of its protocol", { 3, 1 }, "10.1.0.1", "10.2.0.1", PROTO_TCP, true },
	{ "a port of another protocol", { 3, 1 }, "10.1.0.1", "10.2.0.1", PROTO_UDP, false },
	{ "a port of another host", { 4, 1 }, "10.1.0.1", "10.2.3.5", PROTO_UDP, false },
	{ "a range of ports", { 4, 1 }, "10.1.0.1", "10.2.3.4", PROTO_UDP, true },
	{ "an SA for what shows no ports", { 3, 6 }, "10.1.0.1", "10.2.0.1", PROTO_TCP, false },
};

START_TEST(a_fragment_waits_for_its_ports_where_they_decide)
{
	struct flow f = { .src = kit_addr(pieces[_i].src),
			  .dst = kit_addr(pieces[_i].dst),
			  .proto = pieces[_i].proto };
	struct sad *d;

	ck_assert_int_eq(sad_new(1, &d), OK);
	for (uint32_t i = 0; i < 2; i++) {
		int at = pieces[_i].sas[i];
		struct ts local = kit_ts("10.1.0.0/16");
		struct ts remote = ports(sas[at].remote, sas[at].proto, sas[at].lo, sas[at].hi);

		install(d, i, &local, &remote);
	}
	ck_assert_msg(sad_wants_whole(d, &f, 0) == pieces[_i].whole, "%s", pieces[_i].why);
	ck_assert(!sad_wants_whole(d, &f, 1));
	sad_free(d);
}
END_TEST

/* A later fragment of IPv6 names what its datagram begins with, here options: that hides the
 * protocol. */
START_TEST(options_of_ipv6_do_not_hide_a_fragment)
{
	struct ts local = kit_ts("2001:db8:1::/48");
	struct ts remote = ports("2001:db8:2::/48", PROTO_TCP, 443, 443);
	struct flow f = { .src = kit_addr("2001:db8:1::1"),
			  .dst = kit_addr("2001:db8:2::1"),
			  .proto = PROTO_DSTOPTS };
	struct sad *d;

	ck_assert_int_eq(sad_new(1, &d), OK);
	install(d, 1, &local, &remote);
	ck_assert(sad_wants_whole(d, &f, 0));
	f.proto = PROTO_UDP;
	ck_assert(!sad_wants_whole(d, &f, 0));
	sad_free(d);
}
END_TEST

UNIT("esp/select")
{
	tcase_add_loop_test(tc, the_narrowest_selectors_win, 0,
			    (int)(sizeof(flows) / sizeof(flows[0])));
	tcase_add_loop_test(tc, which_one_wins_does_not_depend_on_who_came_first, 0,
			    (int)(sizeof(orders) / sizeof(orders[0])));
	tcase_add_test(tc, a_range_is_as_narrow_as_its_block);
	tcase_add_test(tc, between_equals_the_newest_wins);
	tcase_add_loop_test(tc, inbound_packets_must_be_the_peers_to_ours, 0, 6);
	tcase_add_test(tc, only_the_two_hosts_are_joined);
	tcase_add_loop_test(tc, a_fragment_waits_for_its_ports_where_they_decide, 0,
			    (int)(sizeof(pieces) / sizeof(pieces[0])));
	tcase_add_test(tc, options_of_ipv6_do_not_hide_a_fragment);
}
