/* SPDX-License-Identifier: Apache-2.0 */
/* Peers of one configured child behind one address: who may come in beside whom. */
#include <string.h>

#include "tests/unit/xfrm/kernel_world.h"

enum { FIRST = 0x1001, SECOND = 0x2001, OURS = 0x0a010005 };

/* The inbound half of a peer. `text` owns its selectors. */
static struct sa_cmd half_cmd(const struct world *w, const struct children *text, uint32_t spi,
			      uint16_t port)
{
	struct sa_cmd cmd = world_cmd(w, SA_INSTALL, SA_IN, spi);

	cmd.sa.local = text->v[0].local;
	cmd.sa.remote = text->v[0].remote;
	cmd.sa.encap = port != 0;
	cmd.sa.path.local.port = port == 0 ? 0 : 4500;
	cmd.sa.path.remote.port = port;
	return cmd;
}

static const struct {
	const char *first;
	const char *second;
	enum err err;
} pairs[] = {
	{ "10.1.0.0/24>10.0.0.1/32,10.0.0.6/32", "10.1.0.0/24>10.0.0.3/32", ERR_EXISTS },
	{ "10.1.0.0/24>10.0.0.1/32,10.0.0.6/32", "10.1.0.0/24>10.0.0.0/24", ERR_EXISTS },
	{ "10.1.0.0/24>10.0.0.1/32,10.0.0.6/32", "10.1.0.0/24>10.0.0.2/32,10.0.0.5/32",
	  ERR_EXISTS },
	{ "10.1.0.0/24>10.0.0.1/32@tcp", "10.1.0.0/24>10.0.0.1/32@udp", ERR_EXISTS },
	{ "10.1.0.0/24,10.1.2.0/24>10.0.0.0/24", "10.1.1.0/24>10.0.0.9/32", ERR_EXISTS },
	/* one selector cannot be of two families: the state takes everything */
	{ "10.1.0.0/24,2001:db8:1::/64>10.0.0.1/32,2001:db8::1/128", "10.1.0.0/24>10.0.0.3/32",
	  ERR_EXISTS },
	/* harmless: one network each, */
	{ "10.1.0.0/24>10.0.0.1/32", "10.1.0.0/24>10.0.0.3/32", OK },
	{ "10.1.0.0/24>10.0.0.0/24", "10.1.0.0/24>10.0.0.3/32", OK },
	{ "10.1.0.0/24,10.1.2.0/24>10.0.0.1/32", "10.1.0.0/24,10.1.2.0/24>10.0.0.3/32", OK },
	/* several that are one, */
	{ "10.1.0.0/24>10.0.0.0/25,10.0.0.128/25", "10.1.0.0/24>10.0.0.3/32", OK },
	{ "10.1.0.0/24>10.0.0.0-10.0.0.9,10.0.0.9-10.0.0.255", "10.1.0.0/24>10.0.0.3/32", OK },
	/* what lies apart from them, */
	{ "10.1.0.0/24>10.0.0.1/32,10.0.0.6/32", "10.1.0.0/24>10.0.0.8/32", OK },
	/* and the same again, or a part of it */
	{ "10.1.0.0/24>10.0.0.1/32,10.0.0.6/32", "10.1.0.0/24>10.0.0.1/32,10.0.0.6/32", OK },
	{ "10.1.0.0/24>10.0.0.1/32,10.0.0.6/32", "10.1.0.0/24>10.0.0.6/32", OK },
};

enum { PAIRS = sizeof(pairs) / sizeof(pairs[0]) };

/* In either order, behind a NAT and without one. */
static void try_pair(int at, bool reverse, uint16_t port)
{
	const char *text[] = { reverse ? pairs[at].second : pairs[at].first,
			       reverse ? pairs[at].first : pairs[at].second };
	struct world *w = world_new();
	struct children a = kit_children(&text[0], 1);
	struct children b = kit_children(&text[1], 1);
	struct sa_cmd cmd = half_cmd(w, &a, FIRST, 1024);

	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s: %s", text[0], w->why);
	cmd = half_cmd(w, &b, SECOND, port);
	world_run(w, &cmd);
	ck_assert_msg(w->err == pairs[at].err, "%s beside %s: %s", text[1], text[0], w->why);
	if (w->err != OK) {
		ck_assert_ptr_nonnull(strstr(w->why, "192.0.2.2:1024"));
		ck_assert_ptr_nonnull(strstr(w->why, "a child of its own"));
	}
	ck_assert_ptr_null(world_wrong(w));
	/* From elsewhere it is no neighbour, before it moves here. */
	cmd.sa.spi = SECOND + 1;
	ck_assert(addr_parse("192.0.2.3", &cmd.sa.path.remote.addr));
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert_ptr_null(world_wrong(w));
	cmd.op = SA_MOVE;
	ck_assert(addr_parse("192.0.2.2", &cmd.sa.path.remote.addr));
	world_run(w, &cmd);
	ck_assert_msg(w->err == pairs[at].err, "%s", w->why);
	ck_assert_ptr_null(world_wrong(w));
	ck_assert_uint_eq(w->k->halves.n, pairs[at].err == OK ? 3 : 2);
	children_free(&a);
	children_free(&b);
	world_free(w);
}

START_TEST(who_could_send_as_its_neighbour_is_refused)
{
	static const uint16_t ports[] = { 1024, 1025, 0 };

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		try_pair(_i, false, ports[i]);
		try_pair(_i, true, ports[i]);
	}
}
END_TEST

/* Past the rule, as if there was none. */
static void force(struct world *w, const struct sa_cmd *cmd)
{
	struct state_extra x = { .sa_dir = false };
	bool unheard;
	struct kernel_half *half;

	ck_assert_int_eq(half_new(w->k, &cmd->sa, &half), OK);
	ck_assert_int_eq(book_put(w->k, half), OK);
	ck_assert_int_eq(put_state(w->k, &half->d, &x, &unheard, w->why), OK);
	for (size_t i = 0; i < half->flows.n; i++)
		ck_assert_int_eq(put_policy(w->k, &half->flows.v[i], w->why), OK);
}

/* Why the rule is there: the kernel would take the packet. */
START_TEST(without_the_rule_a_packet_in_a_neighbours_name_is_taken)
{
	const char *text[] = { "10.1.0.0/24>10.0.0.1/32,10.0.0.6/32", "10.1.0.0/24>10.0.0.3/32" };
	struct world *w = world_new();
	struct children a = kit_children(&text[0], 1);
	struct children b = kit_children(&text[1], 1);
	struct sa_cmd cmd = half_cmd(w, &a, FIRST, 1024);

	world_run(w, &cmd);
	ck_assert(model_lets_in(w->m, FIRST, 0x0a000001, OURS));
	ck_assert(model_lets_in(w->m, FIRST, 0x0a000006, OURS));
	ck_assert_msg(!model_lets_in(w->m, FIRST, 0x0a000003, OURS), "no policy has it");
	cmd = half_cmd(w, &b, SECOND, 1025);
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, ERR_EXISTS);
	ck_assert(!model_lets_in(w->m, FIRST, 0x0a000003, OURS));
	force(w, &cmd);
	ck_assert(model_lets_in(w->m, SECOND, 0x0a000003, OURS));
	ck_assert_msg(!model_lets_in(w->m, SECOND, 0x0a000001, OURS), "its own state is exact");
	ck_assert_msg(model_lets_in(w->m, FIRST, 0x0a000003, OURS), "forged, and taken");
	children_free(&a);
	children_free(&b);
	world_free(w);
}
END_TEST

/* A rekey: for a while a child has two halves with equal selectors, the newest decides. */
START_TEST(a_child_may_be_there_twice)
{
	const char *text = "10.1.0.0/24>10.0.0.1/32,10.0.0.6/32";
	struct world *w = world_new();
	struct children c = kit_children(&text, 1);
	struct sa_cmd cmd = half_cmd(w, &c, FIRST, 1024);

	for (uint32_t i = 0; i < 4; i++) {
		cmd.sa.dir = i % 2 == 0 ? SA_IN : SA_OUT;
		cmd.sa.spi = FIRST + i;
		world_run(w, &cmd);
		ck_assert_msg(w->err == OK, "%s", w->why);
	}
	ck_assert_uint_eq(w->k->halves.n, 4);
	ck_assert_uint_eq(w->k->policies.n, 6);
	ck_assert_ptr_null(world_wrong(w));
	children_free(&c);
	world_free(w);
}
END_TEST

UNIT("xfrm/kernel_judge")
{
	tcase_add_loop_test(tc, who_could_send_as_its_neighbour_is_refused, 0, PAIRS);
	tcase_add_test(tc, without_the_rule_a_packet_in_a_neighbours_name_is_taken);
	tcase_add_test(tc, a_child_may_be_there_twice);
}
