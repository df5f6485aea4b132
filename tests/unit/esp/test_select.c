/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/select.h"

#include <stdlib.h>

#include "esp/inner.h"

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

START_TEST(the_narrowest_selectors_win)
{
	struct sa_list *l = calloc(1, sizeof(*l) + N_SAS * sizeof(l->v[0]));
	struct sa *all = calloc(N_SAS, sizeof(*all));
	struct ts local[N_SAS], remote[N_SAS];
	struct flow f = {
		.src = kit_addr(flows[_i].src),
		.dst = kit_addr(flows[_i].dst),
		.proto = flows[_i].proto,
		.ports_known = flows[_i].ports,
		.sport = 5000,
		.dport = flows[_i].dport,
	};

	l->n = N_SAS;
	for (size_t i = 0; i < N_SAS; i++) {
		local[i] = kit_ts(i == 5 ? "2001:db8:1::/48" : "10.1.0.0/16");
		remote[i] = kit_ts(sas[i].remote);
		remote[i].proto = sas[i].proto;
		remote[i].port_lo = sas[i].lo;
		remote[i].port_hi = sas[i].hi;
		all[i].local = (struct ts_list){ 1, &local[i] };
		all[i].remote = (struct ts_list){ 1, &remote[i] };
		l->v[N_SAS - 1 - i] = &all[i]; /* newest first */
	}
	ck_assert_msg(select_outbound(l, &f, 0) ==
			      (flows[_i].want < 0 ? NULL : &all[flows[_i].want]),
		      "%s", flows[_i].why);
	free(l);
	free(all);
}
END_TEST

START_TEST(between_equals_the_newest_wins)
{
	struct sa_list *l = calloc(1, sizeof(*l) + 2 * sizeof(l->v[0]));
	struct ts local = kit_ts("10.1.0.0/16"), remote = kit_ts("10.2.0.0/16");
	struct sa *all = calloc(2, sizeof(*all));
	struct flow f = { .src = kit_addr("10.1.0.1"),
			  .dst = kit_addr("10.2.0.1"),
			  .proto = PROTO_UDP };

	l->n = 2;
	for (size_t i = 0; i < 2; i++) {
		all[i].local = (struct ts_list){ 1, &local };
		all[i].remote = (struct ts_list){ 1, &remote };
		l->v[i] = &all[i];
	}
	ck_assert_ptr_eq(select_outbound(l, &f, 0), &all[0]);
	free(l);
	free(all);
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
	struct sa_list *l = calloc(1, sizeof(*l) + 2 * sizeof(l->v[0]));
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

	l->n = 2;
	kit_sa_make(&k, &kit_suites[0], SA_OUT, 0x80000102);
	kit_sa_join(&k, "192.0.2.1", "192.0.2.2");
	k.local = k.remote = kit_ts("0.0.0.0/0"); /* whatever was negotiated */
	ck_assert_int_eq(esp_sa_new(&k.d, &l->v[0]), OK);
	k.remote.proto = PROTO_TCP;
	k.remote.port_lo = k.remote.port_hi = 443;
	ck_assert_int_eq(esp_sa_new(&k.d, &l->v[1]), OK);
	for (size_t i = 0; i < sizeof(joined) / sizeof(joined[0]); i++) {
		struct flow f = { .src = kit_addr(joined[i].src),
				  .dst = kit_addr(joined[i].dst),
				  .proto = PROTO_TCP,
				  .ports_known = true,
				  .sport = 5000,
				  .dport = joined[i].dport };
		struct sa *got = select_outbound(l, &f, 0);

		ck_assert_ptr_eq(got, joined[i].want < 0 ? NULL : l->v[joined[i].want]);
		ck_assert(select_whole(l, &f, 0) == joined[i].whole);
	}
	esp_sa_free(l->v[0]);
	esp_sa_free(l->v[1]);
	free(l);
}
END_TEST

UNIT("esp/select")
{
	tcase_add_loop_test(tc, the_narrowest_selectors_win, 0,
			    (int)(sizeof(flows) / sizeof(flows[0])));
	tcase_add_test(tc, between_equals_the_newest_wins);
	tcase_add_loop_test(tc, inbound_packets_must_be_the_peers_to_ours, 0, 6);
	tcase_add_test(tc, only_the_two_hosts_are_joined);
}
