/* SPDX-License-Identifier: Apache-2.0 */
/* Transport mode behind NATs, and several peers that want the same packets. The simulator has the
 * rest.
 */
#include <stdio.h>
#include <string.h>

#include "ike/connection.h"
#include "ike/core.h"
#include "ike/transport.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

/* ---- substitution ---- */

static struct ts host(const char *addr, uint16_t port)
{
	struct ts t = { .proto = 17, .port_lo = port, .port_hi = port };

	ck_assert(addr_parse(addr, &t.lo));
	t.hi = t.lo;
	return t;
}

/* We are 10.0.0.2 and the peer is 198.51.100.2, as packets here have it. */
static const struct {
	bool nat_here, nat_there;
	const char *local[2], *remote[2]; /* as they came */
	bool fits;
	const char *nat_local, *nat_remote; /* NULL: none */
} substitutions[] = {
	{ false, false, { "10.0.0.2" }, { "198.51.100.2" }, true, NULL, NULL },
	{ true, false, { "192.0.2.1" }, { "198.51.100.2" }, true, "192.0.2.1", NULL },
	{ false, true, { "10.0.0.2" }, { "10.9.0.2" }, true, NULL, "10.9.0.2" },
	{ true, true, { "192.0.2.1" }, { "10.9.0.2" }, true, "192.0.2.1", "10.9.0.2" },
	/* A peer behind its NAT that names us as we are. */
	{ true, true, { "10.0.0.2" }, { "198.51.100.2" }, true, NULL, NULL },
	/* No NAT, and other hosts than the two ends. */
	{ false, false, { "10.0.0.3" }, { "198.51.100.2" }, false, NULL, NULL },
	{ true, false, { "192.0.2.1" }, { "198.51.100.3" }, false, NULL, NULL },
	/* Several hosts on a side. */
	{ true, true, { "192.0.2.1", "192.0.2.2" }, { "10.9.0.2" }, false, NULL, NULL },
	{ true,
	  true,
	  { "192.0.2.1", "192.0.2.1" },
	  { "10.9.0.2", "10.9.0.2" },
	  true,
	  "192.0.2.1",
	  "10.9.0.2" },
	{ true, true, { "2001:db8::1" }, { "10.9.0.2" }, false, NULL, NULL },
};

static struct ts_list list(const char *const text[2], struct ts v[2])
{
	struct ts_list l = { .v = v };

	for (; l.n < 2 && text[l.n]; l.n++)
		v[l.n] = host(text[l.n], (uint16_t)(500 + l.n));
	return l;
}

static void expect_addr(const struct addr *a, const char *text)
{
	struct addr want;

	ck_assert(text ? addr_parse(text, &want) && addr_eq(a, &want) : a->family == AF_UNSPEC);
}

START_TEST(addresses_become_those_that_packets_have_here)
{
	struct ike_sa sa = { .nat_here = substitutions[_i].nat_here,
			     .nat_there = substitutions[_i].nat_there };
	struct ts mine[2], yours[2];
	struct ts_list local = list(substitutions[_i].local, mine);
	struct ts_list remote = list(substitutions[_i].remote, yours);

	ck_assert(addr_parse("10.0.0.2", &sa.path.local.addr));
	ck_assert(addr_parse("198.51.100.2", &sa.path.remote.addr));
	for (int began = 0; began < 2; began++) {
		struct ts_pair ts = { .i = began ? local : remote, .r = began ? remote : local };
		struct transport_nat nat;

		ck_assert(transport_substitute(&sa, began, &ts, &nat) == substitutions[_i].fits);
		if (!substitutions[_i].fits)
			continue;
		if (began == 0) {
			expect_addr(&nat.local, substitutions[_i].nat_local);
			expect_addr(&nat.remote, substitutions[_i].nat_remote);
		}
		expect_addr(&local.v[0].hi, "10.0.0.2");
		expect_addr(&remote.v[remote.n - 1].lo, "198.51.100.2");
		ck_assert_uint_eq(remote.v[remote.n - 1].port_lo, 499 + remote.n);
	}
}
END_TEST

START_TEST(no_selector_is_no_host)
{
	struct ike_sa sa = { .nat_here = true };
	struct ts_pair ts = { .i = { .n = 0 } };
	struct transport_nat nat;

	ck_assert(!transport_substitute(&sa, true, &ts, &nat));
}
END_TEST

/* ---- several peers ---- */

/* Two peers in one engine, who are two hosts behind one NAT, and the gateway for everybody. */
static const char left[] =
	"me a {\n identity = a.example.org\n certificate = me.pem\n key = me.key\n trust = ca.pem\n}\n"
	"me b {\n identity = b.example.org\n certificate = me.pem\n key = me.key\n trust = ca.pem\n}\n"
	"connection one {\n me = a\n address = 198.51.100.2\n local_address = 192.0.2.1\n"
	" identity = right.example.org\n start = manual\n"
	" child net {\n  local = %s\n  remote = %s\n  mode = %s\n }\n}\n"
	"connection two {\n me = b\n address = 198.51.100.2\n local_address = 192.0.2.9\n"
	" identity = right.example.org\n start = manual\n"
	" child net {\n  local = %s\n  remote = %s\n  mode = %s\n }\n}\n";
static const char right[] =
	"me {\n identity = right.example.org\n certificate = me.pem\n key = me.key\n trust = ca.pem\n}\n"
	"connection all {\n address = any\n identity = any\n"
	" child net {\n  local = %s\n  remote = %s\n  mode = %s\n }\n}\n";

static struct pair *two_peers(bool transport)
{
	static char l[2048], r[1024];
	const char *mode = transport ? "transport" : "tunnel";
	const char *there = transport ? "198.51.100.2" : "10.2.0.0/16";
	struct pair *p;

	snprintf(l, sizeof(l), left, transport ? "192.0.2.1[udp/1701]" : "10.1.1.0/24", there, mode,
		 transport ? "192.0.2.9[udp/1701]" : "10.1.2.0/24", there, mode);
	snprintf(r, sizeof(r), right, there, transport ? "0.0.0.0/0[udp/1701]" : "10.1.0.0/16",
		 mode);
	p = pair_new(l, r);
	if (transport)
		ck_assert(addr_parse("203.0.113.7", &p->nat));
	return p;
}

static void begin(struct pair *p, const char *connection, const char *who)
{
	p->end[LEFT].name = who;
	pair_up(p, LEFT, connection);
	pair_drain(p);
}

static size_t children_of(const struct pair *p, const char *connection)
{
	size_t n = 0;

	for (size_t i = 0; i < p->end[LEFT].n_sas; i++)
		n += strcmp(p->end[LEFT].sas[i].connection, connection) == 0;
	return n;
}

/* Behind one NAT both look the same to the gateway. */
START_TEST(a_second_client_behind_one_nat_is_refused)
{
	struct pair *p = two_peers(true);
	const struct ike_note *n;

	begin(p, "one", "a.example.org");
	pair_expect_children(p, 1);
	ck_assert_int_eq(p->end[RIGHT].sas[0].mode, SA_TRANSPORT);
	expect_addr(&p->end[RIGHT].sas[0].remote.v[0].lo, "203.0.113.7");
	expect_addr(&p->end[RIGHT].sas[0].nat_remote, "192.0.2.1");
	expect_addr(&p->end[RIGHT].sas[0].nat_local, NULL);
	expect_addr(&p->end[LEFT].sas[0].nat_local, "203.0.113.7");
	begin(p, "two", "b.example.org");
	pair_expect_children(p, 1);
	ck_assert_uint_eq(children_of(p, "one"), 2);
	n = pair_note(p, RIGHT, IKE_NOTE_CHILD_FAILED);
	ck_assert_int_eq(n->err, ERR_EXISTS);
	ck_assert_ptr_nonnull(strstr(n->text, "a.example.org"));
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_FAILED)->err, ERR_PEER_TS);
	/* Once the first one is gone there is room. */
	pair_down(p, LEFT, "one");
	pair_drain(p);
	begin(p, "two", "b.example.org");
	ck_assert_uint_eq(children_of(p, "two"), 2);
	pair_free(p);
}
END_TEST

/* With ports of its own each has its packets. */
START_TEST(clients_behind_one_nat_with_their_own_ports_are_both_up)
{
	struct pair *p = two_peers(true);
	struct ts *second = &p->end[LEFT].conf->connections[1].children[0].local.v[0];
	struct ts *there = &p->end[RIGHT].conf->connections[0].children[0].remote.v[0];

	second->port_lo = second->port_hi = 1702;
	there->port_hi = 1702;
	begin(p, "one", "a.example.org");
	begin(p, "two", "b.example.org");
	pair_expect_children(p, 2);
	pair_free(p);
}
END_TEST

/* Tunnels of a connection for anybody: what one peer has, or a part of it, another one cannot have;
 * the peer itself may come again. */
START_TEST(nobody_takes_the_packets_of_another_peer)
{
	static const char *const want[] = { "10.1.1.0", "10.1.1.77", "10.1.0.0" };
	static const char *const to[] = { "10.1.1.255", "10.1.1.77", "10.1.255.255" };
	struct pair *p = two_peers(false);
	struct ts *second = &p->end[LEFT].conf->connections[1].children[0].local.v[0];
	bool same = _i / 3;

	ck_assert(addr_parse(want[_i % 3], &second->lo));
	ck_assert(addr_parse(to[_i % 3], &second->hi));
	if (same)
		p->end[LEFT].conf->connections[1].local_identity =
			p->end[LEFT].conf->connections[0].local_identity;
	begin(p, "one", "a.example.org");
	pair_expect_children(p, 1);
	begin(p, "two", same ? "a.example.org" : "b.example.org");
	ck_assert_uint_eq(children_of(p, "two"), same ? 2 : 0);
	ck_assert_uint_gt(p->end[RIGHT].n_sas, 0);
	if (!same)
		ck_assert_int_eq(pair_note(p, RIGHT, IKE_NOTE_CHILD_FAILED)->err, ERR_EXISTS);
	pair_free(p);
}
END_TEST

START_TEST(peers_with_networks_of_their_own_are_all_up)
{
	struct pair *p = two_peers(false);

	begin(p, "one", "a.example.org");
	begin(p, "two", "b.example.org");
	pair_expect_children(p, 2);
	ck_assert_uint_eq(p->end[RIGHT].sas[0].reqid, p->end[RIGHT].sas[2].reqid);
	pair_free(p);
}
END_TEST

/* ---- the offer ---- */

/* A wide selector of ours is cut to the two ends; what has neither is no transport mode. */
START_TEST(wide_selectors_are_cut_to_the_ends)
{
	static char l[1024], r[1024];
	static const char site[] =
		"me {\n identity = %s\n}\nconnection site {\n address = any\n identity = %s\n"
		" auth = psk\n psk_file = a.psk\n start = manual\n"
		" child net {\n  local = %s\n  remote = %s\n  mode = transport\n }\n}\n";
	struct pair *p;
	struct conf_connection *cn;

	snprintf(l, sizeof(l), site, "left.example.org", "right.example.org",
		 _i ? "10.0.0.0/8" : "192.0.2.0/24", "0.0.0.0/0[tcp]");
	snprintf(r, sizeof(r), site, "right.example.org", "left.example.org", "198.51.100.0/24",
		 "0.0.0.0/0");
	p = pair_new(l, r);
	/* As if a name had been resolved. */
	cn = &p->end[LEFT].conf->connections[0];
	cn->any_address = false;
	cn->n_addresses = 1;
	ck_assert(addr_parse("198.51.100.2", &cn->addresses[0]));
	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, _i ? 0 : 1);
	if (_i) {
		ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_REFUSED)->err, ERR_TS);
		ck_assert_ptr_nonnull(strstr(pair_note(p, LEFT, IKE_NOTE_REFUSED)->fix,
					     "local = 192.0.2.1, remote = 198.51.100.2"));
	} else {
		expect_addr(&p->end[LEFT].sas[0].local.v[0].hi, "192.0.2.1");
		expect_addr(&p->end[LEFT].sas[0].remote.v[0].lo, "198.51.100.2");
		ck_assert_uint_eq(p->end[LEFT].sas[0].remote.v[0].proto, 6);
	}
	pair_free(p);
}
END_TEST

UNIT("ike/engine-transport")
{
	tcase_add_loop_test(tc, addresses_become_those_that_packets_have_here, 0,
			    sizeof(substitutions) / sizeof(substitutions[0]));
	tcase_add_test(tc, no_selector_is_no_host);
	tcase_add_test(tc, a_second_client_behind_one_nat_is_refused);
	tcase_add_test(tc, clients_behind_one_nat_with_their_own_ports_are_both_up);
	tcase_add_loop_test(tc, nobody_takes_the_packets_of_another_peer, 0, 6);
	tcase_add_test(tc, peers_with_networks_of_their_own_are_all_up);
	tcase_add_loop_test(tc, wide_selectors_are_cut_to_the_ends, 0, 2);
}
