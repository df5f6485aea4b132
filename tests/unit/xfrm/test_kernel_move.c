/* SPDX-License-Identifier: Apache-2.0 */
/* What a move of a Child SA leaves open on its way, and what it carries over. */
#include <arpa/inet.h>
#include <errno.h>
#include <netlink/msg.h>
#include <string.h>

#include "tests/unit/xfrm/kernel_world.h"

enum { STEPS_MAX = 60, LASTING = 1000, LOOPBACK = 0x7f000001 };

static struct sa_cmd move_cmd(const struct world *w, enum sa_dir dir, const char *to)
{
	struct sa_cmd cmd = world_cmd(w, SA_MOVE, dir, dir == SA_OUT ? 0x1002 : 0x1001);

	ck_assert(addr_parse(to, &cmd.sa.path.remote.addr));
	return cmd;
}

static struct model_state *state_at(const struct world *w, uint32_t spi)
{
	for (size_t i = 0; i < w->m->n_states; i++) {
		if (ntohl(w->m->states[i].u.id.spi) == spi)
			return &w->m->states[i];
	}
	return NULL;
}

static bool is_childs(const struct model_policy *p)
{
	return p->has_tmpl && p->u.sel.user == (FLOW_USER | FLOW_CHILD);
}

/* ---- on the way ---- */

static bool leads_nowhere(const struct xfrm_user_tmpl *t)
{
	return t->id.spi == 0 && t->id.daddr.a4 == 0 && t->saddr.a4 == htonl(LOOPBACK) &&
	       t->mode == XFRM_MODE_TUNNEL;
}

/* Outbound policies lead to one state that is there, or nowhere; inbound ones let nothing in while
 * there is no state. How many lead nowhere. */
static size_t stopped(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->m->n_policies; i++) {
		const struct model_policy *p = &w->m->policies[i];
		bool nowhere = leads_nowhere(&p->tmpl);

		if (!is_childs(p))
			continue;
		n += nowhere;
		if (p->u.dir == XFRM_POLICY_OUT)
			ck_assert(nowhere ||
				  (p->tmpl.id.spi == htonl(0x1002) && state_at(w, 0x1002) != NULL));
		else
			ck_assert(nowhere || state_at(w, 0x1001) != NULL);
	}
	return n;
}

static const struct {
	enum sa_dir dir;
	size_t policies;
} halves[] = { { SA_IN, 2 }, { SA_OUT, 1 } };

/* As if the machine stood still behind each request in turn. */
START_TEST(nobody_finds_another_state_while_a_half_moves)
{
	size_t most = 0;
	bool without = false;
	int step = 0;

	for (bool reached = true; reached; step++) {
		struct world *w = world_new();
		struct sa_cmd cmd = move_cmd(w, halves[_i].dir, "192.0.2.77");

		world_up(w);
		model_arm(w->m, FAULT_SEND, EAGAIN, step);
		w->m->lasting = LASTING;
		world_run(w, &cmd);
		reached = w->m->asked > step;
		most = stopped(w) > most ? stopped(w) : most;
		without = without || state_at(w, cmd.sa.spi) == NULL;
		world_free(w);
		ck_assert_int_lt(step, STEPS_MAX);
	}
	ck_assert_uint_eq(most, halves[_i].policies);
	ck_assert_msg(without, "the moment without a state was not met");
}
END_TEST

/* The larval state that it raised would keep the trap silent. */
START_TEST(a_packet_that_waited_for_the_move_leaves_no_larval_state)
{
	struct world *w = world_new();
	struct sa_cmd cmd = move_cmd(w, SA_OUT, "192.0.2.77");
	size_t n;

	world_up(w);
	n = w->m->n_states;
	for (size_t i = 0; i < w->m->n_policies; i++) {
		if (w->m->policies[i].tmpl.reqid == REQID && leads_nowhere(&w->m->policies[i].tmpl))
			model_acquire(w->m, i, 99);
	}
	ck_assert_uint_eq(w->m->n_states, n + 1);
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert_uint_eq(w->m->n_states, n);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

/* The kernel's state without keys has its SPI. */
START_TEST(a_packet_that_looks_for_the_state_while_it_moves_is_not_in_its_way)
{
	struct world *w = world_new();
	struct sa_cmd cmd = move_cmd(w, SA_OUT, "192.0.2.2");
	size_t n;

	world_up(w);
	n = w->m->n_states;
	ck_assert(addr_parse("192.0.2.99", &cmd.sa.path.local.addr));
	w->m->late_packet = true;
	world_run(w, &cmd);
	ck_assert(!w->m->late_packet);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert_uint_eq(w->m->n_states, n);
	ck_assert(!state_at(w, cmd.sa.spi)->acquire);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

static void tell(void *ctx, const struct plane_event *ev)
{
	struct world *w = ctx;

	w->told++;
	w->ev = *ev;
}

static int asked_by(struct world *w, const struct model_policy *p)
{
	struct xfrm_user_acquire u = { .id = { .proto = IPPROTO_ESP }, .seq = 55 };
	struct xfrm_user_tmpl t = { .family = AF_INET, .reqid = REQID, .mode = XFRM_MODE_TUNNEL };
	struct ask a = ask_new(XFRM_MSG_ACQUIRE, 0);
	struct kernel_news news = { .fn = tell, .ctx = w };

	u.saddr.a4 = htonl(LOOPBACK);
	u.sel.family = AF_INET;
	u.policy = p->u;
	ask_header(&a, &u, sizeof(u));
	ask_bytes(&a, XFRMA_TMPL, &t, sizeof(t));
	w->told = 0;
	kernel_event(w->k, (struct nlmsghdr *)(uintptr_t)ask_span(&a).p, &news);
	ask_free(&a);
	return w->told;
}

START_TEST(a_packet_that_waited_for_the_move_asks_for_no_child)
{
	struct world *w = world_new();
	unsigned int asked[2] = { 0, 0 };

	world_up(w);
	for (size_t i = 0; i < w->m->n_policies; i++) {
		const struct model_policy *p = &w->m->policies[i];

		if (p->tmpl.reqid != REQID || p->u.dir != XFRM_POLICY_OUT)
			continue;
		ck_assert_int_eq(asked_by(w, p), is_childs(p) ? 0 : 1);
		asked[is_childs(p)]++;
	}
	ck_assert_msg(asked[0] == 1 && asked[1] == 1, "a trap and a child");
	world_free(w);
}
END_TEST

/* ---- what goes on ---- */

static void count_there(struct world *w, uint32_t spi, uint64_t packets)
{
	struct model_state *s = state_at(w, spi);

	ck_assert_ptr_nonnull(s);
	s->u.curlft = (struct xfrm_lifetime_cur){ .bytes = 100 * packets,
						  .packets = packets,
						  .add_time = 1700000000,
						  .use_time = 1700000001 };
	s->u.stats = (struct xfrm_stats){ .replay_window = 2, .replay = 3, .integrity_failed = 4 };
	memcpy(s->body, &s->u, sizeof(s->u));
}

START_TEST(counters_go_on_where_it_moved_to)
{
	struct world *w = world_new();
	struct sa_cmd cmd = move_cmd(w, halves[_i].dir, "192.0.2.77");
	struct model_state *s;

	world_up(w);
	count_there(w, cmd.sa.spi, 7);
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	s = state_at(w, cmd.sa.spi);
	ck_assert_uint_eq(s->u.curlft.add_time, 1700000000);
	ck_assert_uint_eq(s->u.curlft.use_time, 1700000001);
	ck_assert_uint_eq(s->u.stats.replay, 0);
	count_there(w, cmd.sa.spi, 9);
	world_simply(w, SA_QUERY, halves[_i].dir, cmd.sa.spi);
	ck_assert_uint_eq(w->counters.packets, 9);
	ck_assert_uint_eq(w->counters.bytes, 900);
	ck_assert_uint_eq(w->counters.drop_replay, 10);
	ck_assert_uint_eq(w->counters.drop_integrity, 8);
	world_free(w);
}
END_TEST

static const struct {
	const char *to;
	uint16_t port; /* 4500 is where it is */
	uint64_t packets;
	uint64_t soft;
} limits[] = {
	{ "192.0.2.77", 4500, 29, 30 },	      { "192.0.2.2", 4501, 29, 30 },
	{ "192.0.2.77", 4500, 30, XFRM_INF }, { "192.0.2.2", 4501, 30, XFRM_INF },
	{ "192.0.2.77", 4500, 35, XFRM_INF }, { "192.0.2.2", 4501, 35, XFRM_INF },
};

/* The hard limit stands in packets of the whole SA, for the kernel goes on counting them. */
START_TEST(a_soft_limit_that_was_told_is_not_told_again)
{
	struct world *w = world_new();
	struct sa_cmd cmd = world_cmd(w, SA_INSTALL, SA_OUT, 0x1002);
	struct model_state *s;

	world_half_up(w);
	cmd.sa.packet_soft = 30;
	cmd.sa.packet_limit = 40;
	cmd.sa.encap = true;
	cmd.sa.path.local.port = cmd.sa.path.remote.port = 4500;
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	count_there(w, 0x1002, limits[_i].packets);
	cmd.op = SA_MOVE;
	ck_assert(addr_parse(limits[_i].to, &cmd.sa.path.remote.addr));
	cmd.sa.path.remote.port = limits[_i].port;
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	s = state_at(w, 0x1002);
	ck_assert_uint_eq(s->u.curlft.packets, limits[_i].packets);
	ck_assert_uint_eq(s->u.lft.soft_packet_limit, limits[_i].soft);
	ck_assert_uint_eq(s->u.lft.hard_packet_limit, 40);
	ck_assert_uint_eq(s->u.lft.soft_byte_limit, XFRM_INF);
	world_free(w);
}
END_TEST

static void number_there(struct world *w, uint32_t spi, uint32_t oseq, uint32_t seq)
{
	struct model_state *s = state_at(w, spi);
	struct xfrm_replay_state_esn r;
	struct nlattr *a;
	unsigned char *body = s->body;

	a = nla_find((struct nlattr *)(void *)(body + sizeof(s->u)), (int)(s->len - sizeof(s->u)),
		     XFRMA_REPLAY_ESN_VAL);
	ck_assert_ptr_nonnull(a);
	memcpy(&r, nla_data(a), sizeof(r));
	r.oseq = oseq;
	r.seq = seq;
	memcpy(nla_data(a), &r, sizeof(r));
}

static void numbers_of(const struct world *w, uint32_t spi, struct xfrm_replay_state_esn *r,
		       uint32_t *bits)
{
	struct model_state *s = state_at(w, spi);
	struct nlattr *a = nla_find((struct nlattr *)(void *)(s->body + sizeof(s->u)),
				    (int)(s->len - sizeof(s->u)), XFRMA_REPLAY_ESN_VAL);

	memcpy(r, nla_data(a), sizeof(*r));
	memcpy(bits, (unsigned char *)nla_data(a) + sizeof(*r), sizeof(*bits));
}

START_TEST(numbers_go_on_and_none_is_used_or_taken_twice)
{
	static const uint32_t sent[] = { 5, UINT32_MAX - 5 };
	struct world *w = world_new();
	struct sa_cmd out = move_cmd(w, SA_OUT, "192.0.2.77");
	struct sa_cmd in = move_cmd(w, SA_IN, "192.0.2.77");
	struct xfrm_replay_state_esn r;
	uint32_t bits = 0;

	world_up(w);
	number_there(w, 0x1002, sent[_i], 0);
	number_there(w, 0x1001, 0, 77);
	world_run(w, &out);
	ck_assert_msg(w->err == OK, "%s", w->why);
	world_run(w, &in);
	ck_assert_msg(w->err == OK, "%s", w->why);
	numbers_of(w, 0x1002, &r, &bits);
	ck_assert_msg(r.oseq > sent[_i], "%u", r.oseq);
	numbers_of(w, 0x1001, &r, &bits);
	ck_assert_uint_eq(r.seq, 77);
	ck_assert_uint_eq(bits, UINT32_MAX);
	world_free(w);
}
END_TEST

/* ---- what is not there for sure ---- */

/* Another's state may have the SPI, and it must stay: older doubt does not make it ours. */
START_TEST(only_an_answer_that_was_lost_leaves_it_open_whether_the_state_is_there)
{
	struct world *w = world_new();
	const struct sa_cmd there = world_cmd(w, SA_INSTALL, SA_IN, 0x1001);
	const struct sa_cmd other = world_cmd(w, SA_INSTALL, SA_IN, 0x1003);
	struct state_extra x = { .if_id = 0 };
	bool unheard;

	world_up(w);
	w->k->doubt = true;
	ck_assert_int_eq(put_state(w->k, &there.sa, &x, &unheard, w->why), ERR_EXISTS);
	ck_assert(!unheard);
	w->k->doubt = false;
	model_arm(w->m, FAULT_LOST, 0, 0);
	ck_assert_int_ne(put_state(w->k, &other.sa, &x, &unheard, w->why), OK);
	ck_assert(unheard && w->k->doubt);
	ck_assert_ptr_nonnull(state_at(w, 0x1003));
	world_free(w);
}
END_TEST

/* ---- two halves with the same selectors ---- */

START_TEST(an_older_half_that_moves_leaves_the_policy_of_the_newer)
{
	struct world *w = world_new();
	struct sa_cmd cmd = move_cmd(w, SA_OUT, "192.0.2.77");

	world_up_twice(w);
	model_arm(w->m, FAULT_SEND, EAGAIN, 1); /* behind the question for the numbers */
	w->m->lasting = LASTING;
	world_run(w, &cmd);
	for (size_t i = 0; i < w->m->n_policies; i++) {
		const struct model_policy *p = &w->m->policies[i];

		if (is_childs(p) && p->u.dir == XFRM_POLICY_OUT)
			ck_assert_uint_eq(ntohl(p->tmpl.id.spi), 0x1012);
	}
	world_free(w);
}
END_TEST

UNIT("xfrm/kernel_move")
{
	tcase_add_loop_test(tc, nobody_finds_another_state_while_a_half_moves, 0, 2);
	tcase_add_test(tc, a_packet_that_waited_for_the_move_leaves_no_larval_state);
	tcase_add_test(tc, a_packet_that_looks_for_the_state_while_it_moves_is_not_in_its_way);
	tcase_add_test(tc, a_packet_that_waited_for_the_move_asks_for_no_child);
	tcase_add_loop_test(tc, counters_go_on_where_it_moved_to, 0, 2);
	tcase_add_loop_test(tc, a_soft_limit_that_was_told_is_not_told_again, 0, 6);
	tcase_add_loop_test(tc, numbers_go_on_and_none_is_used_or_taken_twice, 0, 2);
	tcase_add_test(tc, only_an_answer_that_was_lost_leaves_it_open_whether_the_state_is_there);
	tcase_add_test(tc, an_older_half_that_moves_leaves_the_policy_of_the_newer);
}
