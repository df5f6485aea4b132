/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/pack.h"
#include "daemon/proto.h"
#include "tests/unit/unit.h"

/* Every body as one case: how it is made, and who reads it. */
struct body_case {
	const char *name;
	void (*put)(struct wr *w);
	enum err (*get)(struct span s);
	bool open_end; /* what follows belongs to it */
};

static void put_number(struct wr *w)
{
	msg_number_put(w, 0x1122334455667788);
}

static enum err get_number(struct span s)
{
	uint64_t n;
	enum err e = msg_number_get(s, &n);

	if (e == OK)
		ck_assert_uint_eq(n, 0x1122334455667788);
	return e;
}

static void put_config(struct wr *w)
{
	msg_config_put(w, &(struct msg_config){ .generation = 7, .workers = 2 });
}

static enum err get_config(struct span s)
{
	struct msg_config m;
	enum err e = msg_config_get(s, &m);

	if (e == OK)
		ck_assert(m.generation == 7 && m.workers == 2);
	return e;
}

static void put_restart(struct wr *w)
{
	const struct msg_restart m = { .ticket = 7,
				       .pid = 4711,
				       .room = 64,
				       .command = span_str("/sbin/posternd\n-x") };

	msg_restart_put(w, &m);
}

static enum err get_restart(struct span s)
{
	struct msg_restart m;
	enum err e = msg_restart_get(s, &m);

	if (e == OK)
		ck_assert(m.ticket == 7 && m.pid == 4711 && m.room == 64 &&
			  span_eq(m.command, span_str("/sbin/posternd\n-x")));
	return e;
}

static void put_role(struct wr *w)
{
	msg_role_put(w, ROLE_ESP);
}

static enum err get_role(struct span s)
{
	enum role r;
	enum err e = msg_role_get(s, &r);

	if (e == OK)
		ck_assert_int_eq(r, ROLE_ESP);
	return e;
}

static void put_socket(struct wr *w)
{
	msg_socket_put(w, &(struct msg_socket){ .kind = SOCK_DEVICE, .index = 63, .device = 7 });
}

static enum err get_socket(struct span s)
{
	struct msg_socket m;
	enum err e = msg_socket_get(s, &m);

	if (e == OK)
		ck_assert(m.kind == SOCK_DEVICE && m.index == 63 && m.device == 7);
	return e;
}

static void put_child(struct wr *w)
{
	msg_child_put(w,
		      &(struct msg_child){ .connection = "office", .child = "lan", .value = 1400 });
}

static enum err get_child(struct span s)
{
	struct msg_child m;
	enum err e = msg_child_get(s, &m);

	if (e != OK)
		return e;
	ck_assert_str_eq(m.connection, "office");
	ck_assert_str_eq(m.child, "lan");
	ck_assert_uint_eq(m.value, 1400);
	return OK;
}

static void put_text(struct wr *w)
{
	msg_text_put(w,
		     &(struct msg_text){ .ticket = 9, .err = ERR_CONFIG, .text = span_str("no") });
}

static enum err get_text(struct span s)
{
	struct msg_text m;
	enum err e = msg_text_get(s, &m);

	if (e == OK)
		ck_assert(m.ticket == 9 && m.err == ERR_CONFIG && span_eq(m.text, span_str("no")));
	return e;
}

static const struct addr v4 = { .family = AF_INET, .b = { 192, 0, 2, 1 } };
static const struct addr v6 = { .family = AF_INET6, .b = { 0x20, 0x01, 0x0d, 0xb8 } };

static void put_resolved(struct wr *w)
{
	struct msg_resolved m = { .ticket = 3, .err = OK, .n = 2, .addr = { v4, v6 } };

	msg_resolved_put(w, &m);
}

static enum err get_resolved(struct span s)
{
	struct msg_resolved m;
	enum err e = msg_resolved_get(s, &m);

	if (e == OK)
		ck_assert(m.ticket == 3 && m.n == 2 && addr_eq(&m.addr[0], &v4) &&
			  addr_eq(&m.addr[1], &v6));
	return e;
}

static void put_addresses(struct wr *w)
{
	msg_addresses_put(w, &(struct msg_addresses){ .n = 2, .addr = { v6, v4 } });
}

static enum err get_addresses(struct span s)
{
	struct msg_addresses m;
	enum err e = msg_addresses_get(s, &m);

	if (e == OK)
		ck_assert(m.n == 2 && addr_eq(&m.addr[0], &v6) && addr_eq(&m.addr[1], &v4));
	return e;
}

static void put_datagram(struct wr *w)
{
	struct msg_datagram m = {
		.path = { .local = { v4, 4500 }, .remote = { v4, 500 } },
		.bytes = span_str("ike"),
	};

	msg_datagram_put(w, &m);
}

static enum err get_datagram(struct span s)
{
	struct msg_datagram m;
	enum err e = msg_datagram_get(s, &m);

	if (e == OK)
		ck_assert(m.path.local.port == 4500 && m.path.remote.port == 500);
	return e;
}

static const struct body_case bodies[] = {
	{ "number", put_number, get_number, false },
	{ "config", put_config, get_config, false },
	{ "restart", put_restart, get_restart, false },
	{ "role", put_role, get_role, false },
	{ "socket", put_socket, get_socket, false },
	{ "child", put_child, get_child, false },
	{ "text", put_text, get_text, false },
	{ "resolved", put_resolved, get_resolved, false },
	{ "addresses", put_addresses, get_addresses, false },
	{ "datagram", put_datagram, get_datagram, true },
};
enum { N_BODIES = sizeof bodies / sizeof bodies[0] };

static struct span made(const struct body_case *c, uint8_t *buf, size_t size)
{
	struct wr w = wr_into(buf, size);

	c->put(&w);
	ck_assert(wr_ok(&w));
	return wr_done(&w);
}

START_TEST(what_is_put_is_got)
{
	uint8_t buf[512];

	ck_assert_int_eq(bodies[_i].get(made(&bodies[_i], buf, sizeof buf)), OK);
}
END_TEST

START_TEST(a_body_that_is_cut_or_too_long_is_refused)
{
	const struct body_case *c = &bodies[_i];
	uint8_t buf[512] = { 0 };
	struct span s = made(c, buf, sizeof buf);
	/* A datagram may be shorter, but not empty. */
	size_t whole = c->open_end ? s.len - 2 : s.len;

	for (size_t len = 0; len < whole; len++)
		ck_assert_int_eq(c->get(span_of(buf, len)), ERR_SYNTAX);
	ck_assert_int_eq(c->get(span_of(buf, s.len + 1)), c->open_end ? OK : ERR_SYNTAX);
}
END_TEST

/* Any byte replaced by any other: no reader goes astray (the sanitizers watch), and values outside
 * an enum are never let through. */
START_TEST(a_body_with_a_changed_byte_is_judged_without_harm)
{
	uint8_t buf[512];

	for (unsigned int v = 0; v < 256; v += 5) {
		struct span s = made(&bodies[_i], buf, sizeof buf);

		for (size_t at = 0; at < s.len; at++) {
			enum role r;
			struct msg_socket k;
			struct msg_resolved m;
			uint8_t old = buf[at];

			buf[at] = (uint8_t)v;
			if (msg_role_get(s, &r) == OK)
				ck_assert_uint_lt(r, N_ROLES);
			if (msg_socket_get(s, &k) == OK)
				ck_assert_uint_lt(k.kind, N_SOCK);
			if (msg_resolved_get(s, &m) == OK)
				ck_assert_uint_le(m.n, CONF_ADDRS_MAX);
			buf[at] = old;
		}
	}
}
END_TEST

/* _i addresses: as many as there is room for, and one more. */
START_TEST(more_addresses_than_fit_are_refused)
{
	struct msg_resolved m;
	uint8_t buf[512];
	struct wr w = wr_into(buf, sizeof buf);

	wr_u64(&w, 3);
	pack_err(&w, OK);
	wr_u8(&w, (uint8_t)_i);
	for (int i = 0; i < _i; i++)
		pack_addr(&w, &v4);
	ck_assert_int_eq(msg_resolved_get(wr_done(&w), &m), _i > CONF_ADDRS_MAX ? ERR_SYNTAX : OK);
}
END_TEST

START_TEST(more_addresses_of_the_machine_than_fit_are_refused)
{
	struct msg_addresses m;
	uint8_t buf[512];
	struct wr w = wr_into(buf, sizeof buf);

	wr_u8(&w, (uint8_t)_i);
	for (int i = 0; i < _i; i++)
		pack_addr(&w, &v6);
	ck_assert_int_eq(msg_addresses_get(wr_done(&w), &m),
			 _i > PROTO_ADDRS_MAX ? ERR_SYNTAX : OK);
}
END_TEST

START_TEST(no_rule_is_longer_than_a_channel_carries)
{
	const struct chan_table *all[4 + 2 * N_ROLES] = { proto_from_monitor(ROLE_ENGINE),
							  proto_from_monitor(ROLE_ESP),
							  proto_from_process(ROLE_ENGINE),
							  proto_from_process(ROLE_ESP) };

	for (unsigned int r = 0; r < N_ROLES; r++) {
		all[4 + 2 * r] = proto_from_engine((enum role)r);
		all[5 + 2 * r] = proto_to_engine((enum role)r);
	}
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		for (size_t k = 0; k < all[i]->n; k++) {
			ck_assert_uint_le(all[i]->rules[k].max, CHAN_BODY_MAX);
			ck_assert_uint_le(all[i]->rules[k].min, all[i]->rules[k].max);
			for (size_t j = 0; j < k; j++)
				ck_assert_uint_ne(all[i]->rules[j].type, all[i]->rules[k].type);
		}
	}
}
END_TEST

/* A process that has no business with guards, MTUs and reloads has no such messages. */
START_TEST(only_the_engine_may_ask_the_monitor_for_anything)
{
	for (unsigned int r = 0; r < N_ROLES; r++) {
		const struct chan_table *t = proto_from_process((enum role)r);

		for (size_t k = 0; k < t->n && r != ROLE_ENGINE; k++)
			ck_assert(t->rules[k].type == MSG_READY ||
				  t->rules[k].type == MSG_REFUSED ||
				  t->rules[k].type == MSG_ACCUSE || t->rules[k].type == MSG_PONG);
	}
}
END_TEST

static bool table_has(const struct chan_table *t, uint8_t type)
{
	for (size_t k = 0; k < t->n; k++) {
		if (t->rules[k].type == type)
			return true;
	}
	return false;
}

START_TEST(only_the_engine_hears_of_the_kernels_plane)
{
	static const uint8_t types[] = { MSG_CAPS, MSG_SA_DONE, MSG_PLANE, MSG_RELOADED };

	for (unsigned int r = ROLE_MONITOR + 1; r < N_ROLES; r++) {
		for (size_t i = 0; i < sizeof types; i++)
			ck_assert_int_eq(table_has(proto_from_monitor((enum role)r), types[i]),
					 r == ROLE_ENGINE);
		ck_assert_int_eq(table_has(proto_from_process((enum role)r), MSG_SA),
				 r == ROLE_ENGINE);
	}
}
END_TEST

static const struct chan_rule *rule_of(const struct chan_table *t, uint8_t type)
{
	const struct chan_rule *found = NULL;

	for (size_t k = 0; k < t->n; k++) {
		if (t->rules[k].type == type)
			found = &t->rules[k];
	}
	ck_assert_ptr_nonnull(found);
	return found;
}

static void fill_text(char *text, size_t size)
{
	memset(text, 'x', size - 1);
	text[size - 1] = '\0';
}

/* What the planes have to say at most fits the bounds of the channels that carry it. */
START_TEST(the_longest_answers_of_a_plane_fit_their_rules)
{
	struct plane_caps caps = { .n_encr = PLANE_ENCR_MAX, .n_integ = PLANE_INTEG_MAX };
	struct sa_done done = { .err = ERR_SYSTEM };
	uint8_t buf[PROTO_SMALL_MAX];
	struct wr w = wr_into(buf, sizeof buf);

	fill_text(caps.lacks, sizeof caps.lacks);
	fill_text(done.why, sizeof done.why);
	plane_caps_encode(&w, &caps);
	ck_assert_uint_le(wr_done(&w).len, rule_of(proto_from_monitor(ROLE_ENGINE), MSG_CAPS)->max);
	ck_assert(wr_ok(&w));
	w = wr_into(buf, sizeof buf);
	sa_done_encode(&w, &done);
	ck_assert_uint_le(wr_done(&w).len,
			  rule_of(proto_from_monitor(ROLE_ENGINE), MSG_SA_DONE)->max);
	ck_assert(wr_ok(&w));
}
END_TEST

START_TEST(the_longest_command_for_a_plane_fits_its_rules)
{
	struct ts v[TS_MAX];
	struct sa_cmd cmd = { .sa.local = { .n = TS_MAX, .v = v },
			      .sa.remote = { .n = TS_MAX, .v = v } };
	uint8_t *buf = malloc(CHAN_BODY_MAX);
	struct wr w = wr_into(buf, CHAN_BODY_MAX);
	struct net net;

	ck_assert(net_parse("2001:db8::/64", &net));
	for (size_t i = 0; i < TS_MAX; i++)
		v[i] = ts_from_net(&net);
	fill_text(cmd.sa.connection, sizeof cmd.sa.connection);
	fill_text(cmd.sa.child, sizeof cmd.sa.child);
	cmd.sa.encr_key.len = sizeof cmd.sa.encr_key.b;
	cmd.sa.integ_key.len = sizeof cmd.sa.integ_key.b;
	sa_cmd_encode(&w, &cmd);
	ck_assert(wr_ok(&w));
	ck_assert_uint_le(wr_done(&w).len, rule_of(proto_from_process(ROLE_ENGINE), MSG_SA)->max);
	ck_assert_uint_le(wr_done(&w).len, rule_of(proto_from_engine(ROLE_ESP), MSG_SA)->max);
	free(buf);
}
END_TEST

UNIT("daemon/proto")
{
	tcase_add_test(tc, only_the_engine_hears_of_the_kernels_plane);
	tcase_add_test(tc, the_longest_answers_of_a_plane_fit_their_rules);
	tcase_add_test(tc, the_longest_command_for_a_plane_fits_its_rules);
	tcase_add_loop_test(tc, what_is_put_is_got, 0, N_BODIES);
	tcase_add_loop_test(tc, a_body_that_is_cut_or_too_long_is_refused, 0, N_BODIES);
	tcase_add_loop_test(tc, a_body_with_a_changed_byte_is_judged_without_harm, 0, N_BODIES);
	tcase_add_loop_test(tc, more_addresses_than_fit_are_refused, CONF_ADDRS_MAX,
			    CONF_ADDRS_MAX + 2);
	tcase_add_loop_test(tc, more_addresses_of_the_machine_than_fit_are_refused, 0,
			    PROTO_ADDRS_MAX + 3);
	tcase_add_test(tc, no_rule_is_longer_than_a_channel_carries);
	tcase_add_test(tc, only_the_engine_may_ask_the_monitor_for_anything);
}
