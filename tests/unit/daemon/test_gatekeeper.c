/* SPDX-License-Identifier: Apache-2.0 */
/* A good command, and then one thing of it at a time as an engine that was taken over would have
 * it: each must be refused, with words that name it.
 */
#include <string.h>

#include "ike/child.h"
#include "ike/duplicate.h"
#include "tests/unit/daemon/gate_scene.h"
#include "tests/unit/unit.h"

/* ---- what is right ---- */

static void as_it_is(struct scene *s)
{
	(void)s;
}

static void outbound(struct scene *s)
{
	s->cmd.sa.dir = SA_OUT;
	s->cmd.sa.spi = 0xc0000001; /* the peer's choice */
	s->cmd.sa.replay_window = 0;
}

static void by_udp(struct scene *s)
{
	s->cmd.sa.encap = true;
	s->cmd.sa.path.local.port = s->cmd.sa.path.remote.port = 4500;
}

static void cbc_with_sha2(struct scene *s)
{
	s->cmd.sa.encr_id = AES_CBC;
	s->cmd.sa.encr_key.len = 32;
	s->cmd.sa.integ_id = SHA2_256;
	s->cmd.sa.integ_key.len = 32;
}

static void transport_where_it_is_configured(struct scene *s)
{
	s->ch->mode = CONF_MODE_TRANSPORT;
	s->cmd.sa.mode = SA_TRANSPORT;
}

static void transport_where_it_is_preferred(struct scene *s)
{
	s->ch->mode = CONF_MODE_PREFER_TRANSPORT;
	s->cmd.sa.mode = SA_TRANSPORT;
}

static void tunnel_where_transport_is_preferred(struct scene *s)
{
	s->ch->mode = CONF_MODE_PREFER_TRANSPORT;
}

static void any_peer(struct scene *s)
{
	s->cn->any_address = true;
	s->cn->n_addresses = 0;
	s->cmd.sa.path.remote.addr = address("198.51.100.77");
}

static void a_peer_that_sends_us_on(struct scene *s)
{
	s->cn->redirect = CONF_REDIRECT_FOLLOW;
	s->cmd.sa.path.remote.addr = address("198.51.100.77");
}

static void a_removal_of_what_a_reload_took_away(struct scene *s)
{
	s->cmd.op = SA_REMOVE;
	scene_name(s, "gone", "lan");
}

static void a_query(struct scene *s)
{
	s->cmd.op = SA_QUERY;
	s->facts = (struct gate_facts){ .local = WHOSE_UNKNOWN }; /* nobody asks for it */
}

static void the_latest_number(struct scene *s)
{
	s->cmd.install = s->facts.now;
}

static void a_move(struct scene *s)
{
	s->cmd.op = SA_MOVE;
}

static void one_that_is_expected(struct scene *s)
{
	s->cmd.op = SA_EXPECT;
	s->facts = (struct gate_facts){ .local = WHOSE_UNKNOWN }; /* nobody asks for it */
}

static void a_negotiation_that_failed(struct scene *s)
{
	s->cmd.op = SA_FORGET;
	s->cmd.sa.spi = 0;
	s->cmd.sa.acquire = 77;
}

static void (*const right[])(struct scene *s) = {
	as_it_is,
	outbound,
	by_udp,
	cbc_with_sha2,
	transport_where_it_is_configured,
	transport_where_it_is_preferred,
	tunnel_where_transport_is_preferred,
	any_peer,
	a_peer_that_sends_us_on,
	a_removal_of_what_a_reload_took_away,
	a_query,
	the_latest_number,
	a_move,
	one_that_is_expected,
	a_negotiation_that_failed,
};
enum { N_RIGHT = sizeof right / sizeof right[0] };

START_TEST(what_the_configuration_allows_is_let_through)
{
	struct scene s;
	enum err e;

	scene_open(&s);
	right[_i](&s);
	e = scene_judge(&s);
	ck_assert_msg(e == OK, "case %d: %s", _i, s.why);
	ck_assert_str_eq(s.why, "");
	scene_close(&s);
}
END_TEST

/* ---- what is not ---- */

/* One thing of the good command, as it must not be. */
#define SPOIL(name, assignment)           \
	static void name(struct scene *s) \
	{                                 \
		assignment;               \
	}

SPOIL(w_plane, s->cmd.sa.plane = PLANE_USER)

static void w_reqid_foreign(struct scene *s)
{
	s->cmd.op = SA_REMOVE;
	s->cmd.sa.reqid = 16385;
}

SPOIL(w_spi_reserved, s->cmd.sa.spi = 255)
SPOIL(w_spi_user, s->cmd.sa.spi |= SPI_USER_BIT)
SPOIL(w_connection, scene_name(s, "nobody", "lan"))
SPOIL(w_child, scene_name(s, "office", "dmz"))

static void w_user_child(struct scene *s)
{
	scene_name(s, "branch", "lan");
	s->cmd.sa.reqid = s->c->connections[1].children[0].reqid;
}

SPOIL(w_kernel_without_esp, s->kernel = (struct plane_caps){ .lacks = "CONFIG_INET_ESP" })
SPOIL(w_reqid_sibling, s->cmd.sa.reqid = s->c->connections[1].children[1].reqid)
SPOIL(w_if_id, s->cmd.sa.if_id = 1)
SPOIL(w_priority, s->cmd.sa.priority = 1)
SPOIL(w_set, s->cmd.sa.set = SA_REQID_BASE | SA_REQID_SETS)
SPOIL(w_no_address, s->cmd.sa.path.local.addr = (struct addr){ .family = AF_UNSPEC })
SPOIL(w_local_other, s->cn->local_address = address("192.0.2.9"))

SPOIL(w_local_foreign, s->facts.local = WHOSE_OTHER)
SPOIL(w_local_broadcast, s->facts.local = WHOSE_MANY)
SPOIL(w_local_unknown, s->facts.local = WHOSE_UNKNOWN)
SPOIL(w_remote_ours, s->facts.remote = WHOSE_OURS)
SPOIL(w_remote_broadcast, s->facts.remote = WHOSE_MANY)
SPOIL(w_remote_unknown, s->facts.remote = WHOSE_UNKNOWN)

static void w_moved_foreign(struct scene *s)
{
	s->facts.local = WHOSE_OTHER;
	s->cmd.op = SA_MOVE;
}

static void w_moved_elsewhere(struct scene *s)
{
	s->cmd.sa.path.remote.addr = address("203.0.113.3");
	s->cmd.op = SA_MOVE;
}

static void w_expected_user(struct scene *s)
{
	s->cmd.sa.spi |= SPI_USER_BIT;
	s->cmd.op = SA_EXPECT;
}

static void w_expected_outbound(struct scene *s)
{
	s->cmd.sa.dir = SA_OUT;
	s->cmd.op = SA_EXPECT;
}

static void w_port(struct scene *s)
{
	by_udp(s);
	s->cmd.sa.path.remote.port = 0;
}

SPOIL(w_transport, s->cmd.sa.mode = SA_TRANSPORT)
SPOIL(w_tunnel, s->ch->mode = CONF_MODE_TRANSPORT)
SPOIL(w_local_wide, s->local[0] = network("10.0.0.0/8"))
SPOIL(w_local_second, s->local[1] = network("2001:db8::/32"))
SPOIL(w_local_none, s->cmd.sa.local.n = 0)
SPOIL(w_remote_wide, s->remote[0] = network("0.0.0.0/0"))
SPOIL(w_remote_other, s->remote[0] = network("10.9.0.0/16"))
SPOIL(w_remote_none, s->cmd.sa.remote.n = 0)
SPOIL(w_number, s->cmd.install = s->facts.now + 1)

static void w_ports_wide(struct scene *s)
{
	scene_name(s, "branch", "web");
	s->cmd.sa.reqid = s->c->connections[1].children[1].reqid;
	s->cmd.sa.local.n = s->cmd.sa.remote.n = 1;
	s->remote[0] = network("10.4.0.0/16");
}

static void w_null_encryption(struct scene *s)
{
	s->cmd.sa.encr_id = NULL_ENCRYPTION;
	s->cmd.sa.encr_key_bits = 0;
	s->cmd.sa.encr_key.len = 0;
	s->cmd.sa.integ_id = SHA2_256;
	s->cmd.sa.integ_key.len = 32;
}

static void w_no_integrity(struct scene *s)
{
	cbc_with_sha2(s);
	s->cmd.sa.integ_id = 0;
	s->cmd.sa.integ_key.len = 0;
}

static void w_integrity_twice(struct scene *s)
{
	s->cmd.sa.integ_id = SHA2_256;
	s->cmd.sa.integ_key.len = 32;
}

SPOIL(w_key_short, s->cmd.sa.encr_key.len = 20)

static void w_integ_key_short(struct scene *s)
{
	cbc_with_sha2(s);
	s->cmd.sa.integ_key.len = 1;
}

SPOIL(w_window_wide, s->cmd.sa.replay_window = 4097)
SPOIL(w_window_none, s->cmd.sa.replay_window = 0)

static void w_byte_soft(struct scene *s)
{
	s->cmd.sa.byte_limit = 1000;
	s->cmd.sa.byte_soft = 1001;
}

SPOIL(w_packet_soft, s->cmd.sa.packet_soft = s->cmd.sa.packet_limit + 1)
SPOIL(w_dscp_hide, s->cmd.sa.headers.dscp_hide = !s->cmd.sa.headers.dscp_hide)
SPOIL(w_dscp_adopt, s->cmd.sa.headers.dscp_adopt = !s->cmd.sa.headers.dscp_adopt)
SPOIL(w_ecn_off, s->cmd.sa.headers.ecn_off = !s->cmd.sa.headers.ecn_off)
SPOIL(w_label_copy, s->cmd.sa.headers.label_copy = !s->cmd.sa.headers.label_copy)
SPOIL(w_icmp_errors, s->cmd.sa.headers.icmp_errors = !s->cmd.sa.headers.icmp_errors)
SPOIL(w_ttl, s->cmd.sa.headers.ttl++)
SPOIL(w_offload, s->cmd.sa.offload = OFFLOAD_PACKET)
SPOIL(w_nat_local, s->cmd.sa.nat_local = address("2001:db8::1"))
SPOIL(w_nat_remote, s->cmd.sa.nat_remote = address("2001:db8::1"))

static const struct {
	void (*spoil)(struct scene *s);
	const char *says;
} wrong[] = {
	{ w_plane, "kernel's plane" },
	{ w_reqid_foreign, "none of ours" },
	{ w_spi_reserved, "reserved" },
	{ w_spi_user, "userspace plane" },
	{ w_connection, "no such connection" },
	{ w_child, "no such child" },
	{ w_user_child, "on the userspace plane" },
	{ w_kernel_without_esp, "on the userspace plane" },
	{ w_reqid_sibling, "another child's" },
	{ w_if_id, "interface" },
	{ w_priority, "priority" },
	{ w_set, "priority" },
	{ w_no_address, "no path" },
	{ w_local_other, "local address" },
	{ w_local_foreign, "none of this host" },
	{ w_local_broadcast, "none of this host" },
	{ w_local_unknown, "none of this host" },
	{ w_remote_ours, "ourselves" },
	{ w_remote_broadcast, "one machine" },
	{ w_remote_unknown, "one machine" },
	{ w_moved_foreign, "none of this host" },
	{ w_moved_elsewhere, "not configured to be there" },
	{ w_expected_user, "userspace plane" },
	{ w_expected_outbound, "not inbound" },
	{ w_port, "port" },
	{ w_transport, "not configured for transport" },
	{ w_tunnel, "transport mode alone" },
	{ w_local_wide, "local selectors" },
	{ w_local_second, "local selectors" },
	{ w_local_none, "local selectors" },
	{ w_remote_wide, "remote selectors" },
	{ w_remote_other, "remote selectors" },
	{ w_remote_none, "remote selectors" },
	{ w_number, "times to come" },
	{ w_ports_wide, "remote selectors" },
	{ w_null_encryption, "encryption" },
	{ w_no_integrity, "integrity" },
	{ w_integrity_twice, "integrity" },
	{ w_key_short, "key" },
	{ w_integ_key_short, "key" },
	{ w_window_wide, "replay window" },
	{ w_window_none, "replay window" },
	{ w_byte_soft, "soft" },
	{ w_packet_soft, "soft" },
	{ w_offload, "offload" },
	{ w_dscp_hide, "headers" },
	{ w_dscp_adopt, "headers" },
	{ w_ecn_off, "headers" },
	{ w_label_copy, "headers" },
	{ w_icmp_errors, "headers" },
	{ w_ttl, "headers" },
	{ w_nat_local, "our address" },
	{ w_nat_remote, "peer's address" },
};
enum { N_WRONG = sizeof wrong / sizeof wrong[0] };

START_TEST(what_the_configuration_does_not_allow_is_refused_by_name)
{
	struct scene s;

	scene_open(&s);
	ck_assert_int_eq(scene_judge(&s), OK);
	wrong[_i].spoil(&s);
	ck_assert_msg(scene_judge(&s) == ERR_DENIED, "%s was let through", wrong[_i].says);
	ck_assert_msg(strstr(s.why, wrong[_i].says) != NULL, "%s: %s", wrong[_i].says, s.why);
	scene_close(&s);
}
END_TEST

/* The last one that fits, and one more. Only those that make one are counted. */
START_TEST(there_is_a_bound_to_sas_in_all_and_of_a_connection)
{
	struct scene s;
	size_t of_peer, of_many;

	scene_open(&s);
	of_peer = gate_connection_max(s.cn);
	/* No peer has more than a fiftieth of all. */
	ck_assert_uint_lt(of_peer, GATE_HALVES_MAX / 50);
	s.facts.halves = (struct kernel_count){ .all = of_peer - 1, .of_connection = of_peer - 1 };
	ck_assert_int_eq(scene_judge(&s), OK);
	s.facts.halves.of_connection = of_peer;
	ck_assert_int_eq(scene_judge(&s), ERR_LIMIT);
	ck_assert_str_eq(s.why, "the connection has as many SAs as it may have");
	s.cmd.op = SA_MOVE;
	ck_assert_int_eq(scene_judge(&s), OK);
	s.cmd.op = SA_INSTALL;
	s.cn->identity.type = ID_NONE;
	of_many = gate_connection_max(s.cn);
	ck_assert_uint_gt(of_many, 10000);
	s.facts.halves.of_connection = of_many - 1;
	ck_assert_int_eq(scene_judge(&s), OK);
	s.facts.halves.all = GATE_HALVES_MAX;
	ck_assert_int_eq(scene_judge(&s), ERR_LIMIT);
	ck_assert_str_eq(s.why, "there are as many SAs as the kernel is given");
	scene_close(&s);
}
END_TEST

/* The engine makes so many for one child: a peer may take it by pairs of addresses (RFC 7296 2.9),
 * each of them is replaced by another one at times, and a peer has several IKE SAs. */
START_TEST(a_peer_has_all_pairs_that_the_engine_makes)
{
	struct scene s;

	scene_open(&s);
	for (size_t i = 0; i < (size_t)2 * SAME_PEER_MAX * SA_PAIRS_MAX; i++) {
		s.facts.halves = (struct kernel_count){ .all = i, .of_connection = i };
		ck_assert_msg(scene_judge(&s) == OK, "%zu halves, and not one more: %s", i, s.why);
	}
	scene_close(&s);
}
END_TEST

/* Also where the peer may be anywhere. */
static const struct {
	const char *local;
	const char *remote;
	bool any;
	const char *says;
} paths[] = {
	{ "192.0.2.1", "127.0.0.1", true, "no path" },
	{ "192.0.2.1", "224.0.0.5", true, "no path" },
	{ "192.0.2.1", "255.255.255.255", true, "no path" },
	{ "192.0.2.1", "0.0.0.0", true, "no path" },
	{ "0.0.0.0", "203.0.113.2", true, "no path" },
	{ "127.0.0.1", "203.0.113.2", true, "no path" },
	{ "2001:db8:f::1", "::1", true, "no path" },
	{ "2001:db8:f::1", "ff02::1", true, "no path" },
	{ "2001:db8:f::1", "::", true, "no path" },
	{ "2001:db8:f::1", "203.0.113.2", true, "no path" },
	{ "192.0.2.1", "192.0.2.1", true, "ourselves" },
	{ "192.0.2.1", "203.0.113.3", false, "not configured to be there" },
};
enum { N_PATHS = sizeof paths / sizeof paths[0] };

START_TEST(an_sa_leads_to_its_peer_and_nowhere_else)
{
	struct scene s;

	scene_open(&s);
	s.cn->any_address = paths[_i].any;
	s.cmd.sa.path.local.addr = address(paths[_i].local);
	s.cmd.sa.path.remote.addr = address(paths[_i].remote);
	ck_assert_int_eq(scene_judge(&s), ERR_DENIED);
	ck_assert_msg(strstr(s.why, paths[_i].says) != NULL, "%s: %s", paths[_i].says, s.why);
	scene_close(&s);
}
END_TEST

UNIT("daemon/gatekeeper")
{
	tcase_add_test(tc, there_is_a_bound_to_sas_in_all_and_of_a_connection);
	tcase_add_test(tc, a_peer_has_all_pairs_that_the_engine_makes);
	tcase_add_loop_test(tc, an_sa_leads_to_its_peer_and_nowhere_else, 0, N_PATHS);
	tcase_add_loop_test(tc, what_the_configuration_allows_is_let_through, 0, N_RIGHT);
	tcase_add_loop_test(tc, what_the_configuration_does_not_allow_is_refused_by_name, 0,
			    N_WRONG);
}
