/* SPDX-License-Identifier: Apache-2.0 */
/* Several peers for the same networks: who has the policies out, and whose packets are let in. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/xfrm/kernel_world.h"

enum { MAIN_IN = 0x1001, MAIN = 0x1002, SPARE_IN = 0x2001, SPARE = 0x2002, THIRD_IN = 0x3001 };
enum { OURS = 0x0a010005, THEIRS = 0x0a020005 };

static void command(struct world *w, enum sa_op op, uint8_t priority, bool passed)
{
	struct sa_cmd cmd = world_ranked_cmd(w, op, SA_OUT, priority);

	cmd.sa.passed = passed;
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert_ptr_null(world_wrong(w));
}

/* The best policy out for that packet, which is no trap's. */
static const struct model_policy *policy_out(const struct world *w, uint32_t dst)
{
	const struct model_policy *best = NULL;

	for (size_t i = 0; i < w->m->n_policies; i++) {
		const struct model_policy *p = &w->m->policies[i];
		const uint8_t bits = p->u.sel.prefixlen_d;

		if (p->u.dir == XFRM_POLICY_OUT && p->u.sel.user == (FLOW_USER | FLOW_CHILD) &&
		    (ntohl(p->u.sel.daddr.a4) ^ dst) >> (32 - bits) == 0 &&
		    (best == NULL || p->u.priority < best->u.priority))
			best = p;
	}
	ck_assert_ptr_nonnull(best);
	return best;
}

static uint32_t goes_by(const struct world *w)
{
	return ntohl(policy_out(w, THEIRS)->tmpl.id.spi);
}

static bool lets_in(const struct world *w, uint32_t spi)
{
	return model_lets_in(w->m, spi, THEIRS, OURS);
}

START_TEST(packets_go_to_the_best_that_is_not_passed_over)
{
	static const struct {
		enum sa_op op;
		uint8_t priority;
		bool passed;
		uint32_t want;
	} steps[] = {
		{ SA_PASS, 1, true, SPARE },	{ SA_PASS, 1, false, MAIN },
		{ SA_PASS, 2, true, MAIN },	{ SA_PASS, 1, true, MAIN }, /* all are */
		{ SA_PASS, 2, false, SPARE },	{ SA_PASS, 1, false, MAIN },
		{ SA_REMOVE, 1, false, SPARE }, { SA_INSTALL, 1, true, SPARE },
		{ SA_PASS, 1, false, MAIN },	{ SA_REMOVE, 2, false, MAIN },
	};
	struct world *w = world_new();

	world_ranked(w);
	ck_assert_ptr_null(world_wrong(w));
	ck_assert_uint_eq(goes_by(w), MAIN);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		command(w, steps[i].op, steps[i].priority, steps[i].passed);
		ck_assert_msg(goes_by(w) == steps[i].want, "%zu: %08x", i, goes_by(w));
		ck_assert_msg(lets_in(w, MAIN_IN) && lets_in(w, SPARE_IN), "%zu", i);
	}
	world_free(w);
}
END_TEST

/* Of one peer the newest, as ever. */
START_TEST(new_keys_stay_with_their_peer)
{
	struct world *w = world_new();
	struct sa_cmd cmd;

	world_ranked(w);
	cmd = world_ranked_cmd(w, SA_INSTALL, SA_OUT, 2);
	cmd.sa.spi = SPARE + 0x10;
	world_run(w, &cmd);
	ck_assert_uint_eq(goes_by(w), MAIN);
	command(w, SA_PASS, 1, true);
	ck_assert_uint_eq(goes_by(w), SPARE + 0x10);
	cmd = world_ranked_cmd(w, SA_INSTALL, SA_OUT, 1);
	cmd.sa.spi = MAIN + 0x10;
	cmd.sa.passed = true;
	world_run(w, &cmd);
	ck_assert_uint_eq(goes_by(w), SPARE + 0x10);
	command(w, SA_PASS, 1, false);
	ck_assert_uint_eq(goes_by(w), MAIN);
	cmd.op = SA_PASS;
	cmd.sa.passed = false;
	world_run(w, &cmd);
	ck_assert_uint_eq(goes_by(w), MAIN + 0x10);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

/* Both have the networks configured. */
static void trap_both(struct world *w)
{
	struct host_child both[] = { w->children.v[0], w->children.v[0] };

	both[1].reqid = REQID_SPARE;
	ck_assert_int_eq(kernel_traps_set(w->k, both, 2, true, w->why), OK);
}

/* The standby has agreed to a part of the networks: it is preferred no more for that. */
START_TEST(what_is_narrower_is_not_better)
{
	const char *text = "10.1.0.0/24>10.2.0.5/32";
	struct children narrow = kit_children(&text, 1);
	struct world *w = world_new();
	struct sa_cmd cmd;

	trap_both(w);
	for (int i = 0; i < 4; i++) {
		cmd = world_ranked_cmd(w, SA_INSTALL, i % 2 ? SA_OUT : SA_IN, i < 2 ? 1 : 2);
		if (i >= 2)
			cmd.sa.remote = narrow.v[0].remote;
		world_run(w, &cmd);
		ck_assert_msg(w->err == OK, "%s", w->why);
	}
	ck_assert_uint_eq(goes_by(w), MAIN);
	command(w, SA_PASS, 1, true);
	ck_assert_uint_eq(goes_by(w), SPARE);
	ck_assert_uint_eq(ntohl(policy_out(w, THEIRS + 1)->tmpl.id.spi), MAIN);
	ck_assert(lets_in(w, MAIN_IN) && lets_in(w, SPARE_IN));
	ck_assert(model_lets_in(w->m, MAIN_IN, THEIRS + 1, OURS));
	ck_assert(!model_lets_in(w->m, SPARE_IN, THEIRS + 1, OURS));
	children_free(&narrow);
	world_free(w);
}
END_TEST

/* A state of two families takes anything by itself, so policies alone judge. */
static struct sa_cmd third_cmd(const struct world *w, const struct children *c)
{
	struct sa_cmd cmd = world_cmd(w, SA_INSTALL, SA_IN, THIRD_IN);

	cmd.sa.reqid = REQID_THIRD;
	cmd.sa.local = c->v[0].local;
	cmd.sa.remote = c->v[0].remote;
	return cmd;
}

/* From the address of one of the peers, too. */
START_TEST(a_third_connection_does_not_satisfy_their_policies)
{
	const char *text = "10.1.0.0/24,2001:db8:1::/64>10.9.0.0/24,2001:db8:9::/64";
	struct children c = kit_children(&text, 1);
	struct world *w = world_new();
	struct sa_cmd cmd = third_cmd(w, &c);

	world_ranked(w);
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert_ptr_null(world_wrong(w));
	ck_assert(model_lets_in(w->m, THIRD_IN, 0x0a090001, OURS));
	ck_assert_msg(!lets_in(w, THIRD_IN), "what is the peers' came by it");
	ck_assert(lets_in(w, MAIN_IN) && lets_in(w, SPARE_IN));
	children_free(&c);
	world_free(w);
}
END_TEST

/* The control of the above: with their reqid it would, and so it is refused. */
START_TEST(nobody_comes_in_who_could_send_as_one_of_them)
{
	const char *text = "10.1.0.0/24,2001:db8:1::/64>10.9.0.0/24,2001:db8:9::/64";
	struct children c = kit_children(&text, 1);
	struct world *w = world_new();
	struct sa_cmd cmd = third_cmd(w, &c);
	struct state_extra x = { .sa_dir = false };
	bool unheard;

	world_ranked(w);
	cmd.sa.priority = 3;
	cmd.sa.set = SET;
	ck_assert(addr_parse("192.0.2.4", &cmd.sa.path.remote.addr));
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, ERR_EXISTS);
	ck_assert_ptr_null(world_wrong(w));
	ck_assert_int_eq(put_state(w->k, &cmd.sa, &x, &unheard, w->why), OK);
	ck_assert_msg(lets_in(w, THIRD_IN), "the rule is for nothing");
	children_free(&c);
	world_free(w);
}
END_TEST

/* A part of the networks in pieces, which the selector of no state is: with it one could send as
 * those that have the rest. */
static struct sa_cmd ragged_cmd(const struct world *w, uint8_t priority, const struct children *c)
{
	struct sa_cmd cmd = world_ranked_cmd(w, SA_INSTALL, SA_IN, priority);

	cmd.sa.remote = c->v[0].remote;
	return cmd;
}

static void on_event(void *ctx, const struct plane_event *ev)
{
	struct world *w = ctx;

	w->told++;
	w->ev = *ev;
}

/* It came first, by its own choice of selectors. The other one has all that is configured, so it is
 * let in, and the ragged one goes, and stays out as long as the other is there. */
START_TEST(a_ragged_peer_keeps_nobody_out)
{
	const char *text = "10.1.0.0/24>10.2.0.0/28,10.2.0.32/28";
	struct children c = kit_children(&text, 1);
	struct kernel_news news = { .fn = on_event };
	struct world *w = world_new();
	struct sa_cmd cmd, full;

	news.ctx = w;
	trap_both(w);
	cmd = ragged_cmd(w, 2, &c);
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert(lets_in(w, SPARE_IN));
	full = world_ranked_cmd(w, SA_INSTALL, SA_IN, 1);
	world_run(w, &full);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert(lets_in(w, MAIN_IN) && !lets_in(w, SPARE_IN));
	ck_assert(kernel_doubts(w->k));
	w->told = 0;
	kernel_news_end(w->k, &news);
	ck_assert_int_eq(w->told, 1);
	ck_assert_int_eq(w->ev.kind, PLANE_EXPIRE);
	ck_assert_uint_eq(w->ev.spi, SPARE_IN);
	ck_assert(!w->ev.soft && !kernel_doubts(w->k));
	ck_assert_ptr_null(world_wrong(w));
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, ERR_EXISTS);
	ck_assert(lets_in(w, MAIN_IN));
	world_simply(w, SA_REMOVE, SA_IN, MAIN_IN);
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert(lets_in(w, SPARE_IN));
	children_free(&c);
	world_free(w);
}
END_TEST

/* Two that are ragged alike are no danger to each other; of two that are not, who came first stays.
 */
START_TEST(of_two_ragged_peers_none_drives_the_other_out)
{
	const char *text[] = { "10.1.0.0/24>10.2.0.0/28,10.2.0.32/28",
			       "10.1.0.0/24>10.2.0.0/28,10.2.0.64/28" };
	struct children c = kit_children(text, 2);
	struct world *w = world_new();
	struct sa_cmd cmd;

	trap_both(w);
	cmd = ragged_cmd(w, 2, &c);
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	cmd = ragged_cmd(w, 1, &c);
	cmd.sa.remote = c.v[_i].remote;
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, _i == 0 ? OK : ERR_EXISTS);
	ck_assert(lets_in(w, SPARE_IN) && lets_in(w, MAIN_IN) == (_i == 0));
	ck_assert_ptr_null(world_wrong(w));
	children_free(&c);
	world_free(w);
}
END_TEST

/* Another child may not have what is theirs, nor they what is another child's. */
START_TEST(without_a_priority_the_selectors_are_taken)
{
	struct world *w = world_new();
	struct sa_cmd cmd;

	world_ranked(w);
	cmd = world_cmd(w, SA_INSTALL, SA_OUT, THIRD_IN);
	cmd.sa.reqid = REQID_THIRD;
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, ERR_EXISTS);
	ck_assert_uint_eq(goes_by(w), MAIN);
	world_free(w);
}
END_TEST

static size_t larval(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->m->n_states; i++)
		n += w->m->states[i].acquire;
	return n;
}

/* The kernel asked by the trap of the first, and the second came first. */
START_TEST(whoever_comes_has_answered_what_was_asked)
{
	struct world *w = world_new();
	struct state_larval l = { .src = flow_trap_src(),
				  .dst = flow_trap_dst(),
				  .mode = SA_TUNNEL,
				  .reqid = REQID,
				  .seq = 99 };
	struct sa_cmd cmd;

	trap_both(w);
	for (size_t i = 0; i < w->m->n_policies; i++) {
		if (w->m->policies[i].tmpl.reqid == REQID)
			model_acquire(w->m, i, l.seq);
	}
	acquire_note(w->k, &l);
	ck_assert_uint_eq(larval(w), 1);
	cmd = world_ranked_cmd(w, SA_INSTALL, SA_OUT, 2);
	cmd.sa.acquire = l.seq;
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert_uint_eq(larval(w), 0);
	world_free(w);
}
END_TEST

/* Who does not answer loses its packets, whoever moves meanwhile. */
START_TEST(a_peer_that_moves_does_not_take_the_others_policies)
{
	struct world *w = world_new();

	world_ranked(w);
	for (uint8_t i = 1; i <= 2; i++) {
		const char *to = i == 1 ? "192.0.2.77" : "192.0.2.78";
		struct sa_cmd cmd = world_ranked_cmd(w, SA_MOVE, SA_OUT, i);

		ck_assert(addr_parse(to, &cmd.sa.path.remote.addr));
		world_run(w, &cmd);
		ck_assert_msg(w->err == OK, "%s", w->why);
		cmd = world_ranked_cmd(w, SA_MOVE, SA_IN, i);
		ck_assert(addr_parse(to, &cmd.sa.path.remote.addr));
		world_run(w, &cmd);
		ck_assert_msg(w->err == OK, "%s", w->why);
		ck_assert_ptr_null(world_wrong(w));
		ck_assert_uint_eq(goes_by(w), MAIN);
		ck_assert(lets_in(w, MAIN_IN) && lets_in(w, SPARE_IN));
	}
	world_free(w);
}
END_TEST

/* Another engine that has another configuration does not take it over. */
START_TEST(what_is_claimed_has_its_rank)
{
	static const struct {
		uint8_t priority;
		uint32_t set;
		enum err err;
	} claims[] = { { 1, SET, OK }, { 2, SET, ERR_NOT_FOUND }, { 1, 0, ERR_NOT_FOUND } };
	struct world *w = world_new();

	world_ranked(w);
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		struct sa_cmd cmd = world_ranked_cmd(w, SA_CLAIM, SA_OUT, 1);

		cmd.sa.priority = claims[i].priority;
		cmd.sa.set = claims[i].set;
		world_run(w, &cmd);
		ck_assert_int_eq(w->err, claims[i].err);
	}
	world_free(w);
}
END_TEST

START_TEST(who_is_passed_over_has_to_be_there)
{
	struct world *w = world_new();
	struct sa_cmd cmd;

	world_ranked(w);
	cmd = world_ranked_cmd(w, SA_PASS, SA_OUT, 1);
	cmd.sa.spi++;
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, ERR_NOT_FOUND);
	world_simply(w, SA_PASS, SA_IN, MAIN_IN);
	ck_assert_int_eq(w->err, ERR_NOT_FOUND);
	world_free(w);
}
END_TEST

UNIT("xfrm/kernel-rank")
{
	tcase_add_test(tc, packets_go_to_the_best_that_is_not_passed_over);
	tcase_add_test(tc, new_keys_stay_with_their_peer);
	tcase_add_test(tc, what_is_narrower_is_not_better);
	tcase_add_test(tc, a_third_connection_does_not_satisfy_their_policies);
	tcase_add_test(tc, nobody_comes_in_who_could_send_as_one_of_them);
	tcase_add_test(tc, a_ragged_peer_keeps_nobody_out);
	tcase_add_loop_test(tc, of_two_ragged_peers_none_drives_the_other_out, 0, 2);
	tcase_add_test(tc, without_a_priority_the_selectors_are_taken);
	tcase_add_test(tc, a_peer_that_moves_does_not_take_the_others_policies);
	tcase_add_test(tc, what_is_claimed_has_its_rank);
	tcase_add_test(tc, whoever_comes_has_answered_what_was_asked);
	tcase_add_test(tc, who_is_passed_over_has_to_be_there);
}
