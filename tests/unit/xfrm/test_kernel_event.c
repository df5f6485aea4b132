/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's data plane refuses, forgets, and hears of. */
#include <arpa/inet.h>
#include <errno.h>
#include <netlink/msg.h>
#include <string.h>

#include "tests/unit/xfrm/kernel_world.h"
#include "xfrm/probe.h"

/* ---- who may have what ---- */

START_TEST(another_child_with_the_same_selectors_is_refused)
{
	struct world *w = world_new();
	struct sa_cmd cmd = world_cmd(w, SA_INSTALL, SA_OUT, 0x3002);

	world_up(w);
	cmd.sa.reqid = REQID + 5;
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, ERR_EXISTS);
	ck_assert_ptr_nonnull(strstr(w->why, "10.1.0.0/24 -> 10.2.0.0/24 out"));
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

START_TEST(a_second_host_behind_a_nat_is_refused_in_transport_mode)
{
	struct world *w = world_new();
	struct sa_cmd cmd = world_cmd(w, SA_INSTALL, SA_OUT, 0x3002);

	cmd.sa.mode = SA_TRANSPORT;
	cmd.sa.encap = true;
	cmd.sa.path.local.port = 4500;
	cmd.sa.path.remote.port = 1024;
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	cmd.sa.spi = 0x3012;
	cmd.sa.child_id++;
	cmd.sa.path.remote.port = 1025;
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, ERR_EXISTS);
	ck_assert_ptr_nonnull(strstr(w->why, "192.0.2.2:1024"));
	cmd.sa.path.remote.port = 1024;
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "the same host again: %s", w->why);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

/* 10.2.0.1 to 10.2.255.254, and the same at our side: 900 pairs of prefixes. */
START_TEST(ragged_selectors_are_refused)
{
	static const enum sa_dir dirs[] = { SA_IN, SA_OUT };
	struct world *w = world_new();
	struct sa_cmd cmd = world_cmd(w, SA_INSTALL, dirs[_i], 0x1002);
	struct ts mine = cmd.sa.local.v[0], theirs = cmd.sa.remote.v[0];

	(void)!addr_parse("10.1.0.1", &mine.lo);
	(void)!addr_parse("10.1.255.254", &mine.hi);
	(void)!addr_parse("10.2.0.1", &theirs.lo);
	(void)!addr_parse("10.2.255.254", &theirs.hi);
	cmd.sa.local = (struct ts_list){ .n = 1, .v = &mine };
	cmd.sa.remote = (struct ts_list){ .n = 1, .v = &theirs };
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(w->why, "networks make fewer"));
	ck_assert_uint_eq(w->k->halves.n, 0);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

START_TEST(a_command_reaches_the_child_that_it_names)
{
	static const enum sa_op ops[] = { SA_MOVE, SA_REMOVE, SA_QUERY };
	struct world *w = world_new();
	struct sa_cmd cmd = world_cmd(w, ops[_i], SA_OUT, 0x1002);

	world_up(w);
	cmd.sa.reqid = REQID + 5;
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, ERR_NOT_FOUND);
	ck_assert_uint_eq(w->k->halves.n, 2);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

/* ---- larval states ---- */

static size_t larval(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->m->n_states; i++)
		n += w->m->states[i].acquire;
	return n;
}

START_TEST(an_answered_or_forgotten_acquire_leaves_no_larval_state)
{
	static const enum sa_op ops[] = { SA_INSTALL, SA_FORGET };
	struct world *w = world_new();
	struct sa_cmd cmd = world_cmd(w, ops[_i], SA_OUT, 0x1002);

	world_asked_for(w);
	ck_assert_uint_eq(larval(w), 1);
	cmd.sa.acquire = 99;
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert_uint_eq(larval(w), 0);
	world_free(w);
}
END_TEST

/* ---- events ---- */

static void tell(void *ctx, const struct plane_event *ev)
{
	struct world *w = ctx;

	w->told++;
	w->ev = *ev;
}

static void event(struct world *w, struct ask *a, uint32_t port)
{
	struct kernel_news news = { .fn = tell, .ctx = w };
	struct nlmsghdr *m = (struct nlmsghdr *)(uintptr_t)ask_span(a).p;

	w->told = 0;
	m->nlmsg_pid = port;
	kernel_event(w->k, m, &news);
	kernel_news_end(w->k, &news);
	ask_free(a);
}

static struct ask acquire_message(uint32_t reqid)
{
	struct xfrm_user_acquire u = { .id = { .proto = IPPROTO_ESP }, .seq = 55 };
	struct xfrm_user_tmpl t = { .family = AF_INET, .reqid = reqid, .mode = XFRM_MODE_TUNNEL };
	struct ask a = ask_new(XFRM_MSG_ACQUIRE, 0);

	u.saddr.a4 = htonl(0x7f000001);
	u.sel.family = AF_INET;
	u.sel.saddr.a4 = htonl(0x0a010001);
	u.sel.daddr.a4 = htonl(0x0a020001);
	t.id.proto = IPPROTO_ESP;
	ask_header(&a, &u, sizeof(u));
	ask_bytes(&a, XFRMA_TMPL, &t, sizeof(t));
	return a;
}

START_TEST(an_acquire_of_ours_is_told_and_remembered)
{
	struct world *w = world_new();
	struct ask a = acquire_message(REQID);

	event(w, &a, 0);
	ck_assert_int_eq(w->told, 1);
	ck_assert_int_eq((int)w->ev.kind, PLANE_ACQUIRE);
	ck_assert_uint_eq(w->ev.reqid, REQID);
	ck_assert_uint_eq(w->ev.acquire, 55);
	ck_assert_uint_eq(w->k->acquires[0].reqid, REQID);
	a = acquire_message(7);
	event(w, &a, 0);
	ck_assert_int_eq(w->told, 0);
	world_free(w);
}
END_TEST

static struct ask expire_message(uint32_t spi, bool hard)
{
	struct xfrm_user_expire u = { .hard = hard };
	struct ask a = ask_new(XFRM_MSG_EXPIRE, 0);

	u.state.id.spi = htonl(spi);
	u.state.id.proto = IPPROTO_ESP;
	u.state.id.daddr.a4 = htonl(0xc0000202);
	u.state.family = AF_INET;
	u.state.reqid = REQID;
	u.state.mode = XFRM_MODE_TUNNEL;
	ask_header(&a, &u, sizeof(u));
	return a;
}

START_TEST(a_soft_limit_is_told_and_changes_nothing)
{
	struct world *w = world_new();
	struct ask a = expire_message(0x1002, false);

	world_up(w);
	event(w, &a, 0);
	ck_assert_int_eq(w->told, 1);
	ck_assert(w->ev.soft && w->ev.dir == SA_OUT && w->ev.spi == 0x1002);
	ck_assert_msg(w->ev.remote.addr.b[3] == 2, "peers choose SPIs: whose it is");
	ck_assert_ptr_null(world_wrong(w));
	ck_assert_uint_eq(w->k->halves.n, 2);
	world_free(w);
}
END_TEST

static struct ask mapping_message(uint16_t port)
{
	struct xfrm_user_mapping u = { .reqid = REQID };
	struct ask a = ask_new(XFRM_MSG_MAPPING, 0);

	u.id.spi = htonl(0x1001);
	u.id.proto = IPPROTO_ESP;
	u.id.family = AF_INET;
	u.id.daddr.a4 = htonl(0xc0000201);
	u.old_saddr.a4 = u.new_saddr.a4 = htonl(0xc0000202);
	u.old_sport = htons(4500);
	u.new_sport = htons(port);
	ask_header(&a, &u, sizeof(u));
	return a;
}

START_TEST(mappings_of_an_sa_are_told_at_a_pace)
{
	struct world *w = world_new();
	struct ask a = mapping_message(1024);

	world_up(w);
	event(w, &a, 0);
	ck_assert_int_eq(w->told, 1);
	ck_assert_uint_eq(w->ev.remote.port, 1024);
	for (uint16_t port = 1025; port < 1125; port++) {
		a = mapping_message(port);
		event(w, &a, 0);
		ck_assert_int_eq(w->told, 0);
	}
	for (struct kernel_half *half = w->k->halves.newest; half != NULL; half = half->older)
		half->mapped_ns -= 3000000000u;
	a = mapping_message(1024);
	event(w, &a, 0);
	ck_assert_int_eq(w->told, 1);
	world_free(w);
}
END_TEST

static void vanish(struct world *w, uint32_t spi)
{
	for (size_t i = 0; i < w->m->n_states; i++) {
		if (ntohl(w->m->states[i].u.id.spi) == spi) {
			w->m->states[i] = w->m->states[--w->m->n_states];
			return;
		}
	}
}

/* Others deleted the state; a packet met the policy, whose template leads to the peer. */
static void child_asks(struct world *w)
{
	struct ask a = acquire_message(REQID);
	struct xfrm_user_acquire *u = nlmsg_data(nlmsg_hdr(a.msg));

	world_up(w);
	vanish(w, 0x1002);
	u->saddr.a4 = htonl(0xc0000201);
	u->id.daddr.a4 = htonl(0xc0000202);
	for (size_t i = 0; larval(w) == 0 && i < w->m->n_policies; i++) {
		if (w->m->policies[i].tmpl.id.daddr.a4 == u->id.daddr.a4)
			model_acquire(w->m, i, 55);
	}
	event(w, &a, 0);
}

START_TEST(a_flush_leaves_no_larval_state)
{
	struct world *w = world_new();

	(_i == 0 ? world_asked_for : child_asks)(w);
	ck_assert_uint_eq(larval(w), 1);
	kernel_flush(w->k);
	ck_assert_uint_eq(larval(w), 0);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

START_TEST(after_a_hard_limit_the_policies_are_gone_too)
{
	struct world *w = world_new();
	struct ask a = expire_message(0x1002, true);

	world_up(w);
	vanish(w, 0x1002);
	event(w, &a, 0);
	ck_assert_int_eq(w->told, 1);
	ck_assert(!w->ev.soft);
	ck_assert_ptr_null(world_wrong(w));
	ck_assert_uint_eq(w->k->halves.n, 1);
	a = expire_message(0x1002, true);
	event(w, &a, 0);
	ck_assert_msg(w->told == 0, "not ours any more");
	world_free(w);
}
END_TEST

/* A flush by others, as a lost event, leads to reading all. */
START_TEST(what_others_take_is_told_or_put_back)
{
	struct world *w = world_new();
	struct ask a = ask_new(XFRM_MSG_FLUSHSA, 0);
	size_t policies;

	world_up(w);
	vanish(w, 0x1002);
	policies = w->m->n_policies;
	event(w, &a, 1);
	ck_assert_int_eq(w->told, 1);
	ck_assert(w->ev.kind == PLANE_EXPIRE && !w->ev.soft && w->ev.spi == 0x1002);
	ck_assert_ptr_null(world_wrong(w));
	ck_assert_uint_eq(w->m->n_policies, policies - 1);
	w->m->n_policies -= 2;
	ck_assert_ptr_nonnull(world_wrong(w));
	a = ask_new(XFRM_MSG_FLUSHPOLICY, 0);
	event(w, &a, 1);
	ck_assert_int_eq(w->told, 0);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

static ssize_t no_send(void *ctx, const void *p, size_t len)
{
	(void)ctx;
	(void)p;
	return (ssize_t)len;
}

/* As a socket whose buffer ran over: that first, then what had been in it. */
static ssize_t overrun(void *ctx, void *p, size_t size)
{
	int *at = ctx;
	struct ask a = expire_message(0x1001, false);
	struct span s = ask_span(&a);

	ck_assert_uint_le(s.len, size);
	memcpy(p, s.p, s.len);
	ask_free(&a);
	errno = *at == 0 ? ENOBUFS : EAGAIN;
	return (*at)++ == 1 ? (ssize_t)s.len : -1;
}

static const struct netlink_ops overrun_ops = { .send = no_send, .receive = overrun };

START_TEST(when_events_were_lost_all_states_are_read)
{
	struct world *w = world_new();
	int at = 0;

	world_up(w);
	vanish(w, 0x1002);
	ck_assert_int_eq(netlink_over(&w->k->events, &overrun_ops, &at), OK);
	kernel_events(w->k, tell, w);
	ck_assert_int_eq(at, 3);
	ck_assert_int_eq(w->told, 1);
	ck_assert(w->ev.spi == 0x1002 && !w->ev.soft);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

/* A command found it out, when nobody could be told. */
START_TEST(a_half_that_is_missing_is_told_with_the_next_event)
{
	struct world *w = world_new();
	struct ask a = acquire_message(7);

	world_up(w);
	vanish(w, 0x1002);
	w->k->doubt = true;
	world_simply(w, SA_QUERY, SA_IN, 0x1001);
	ck_assert(w->k->missing);
	event(w, &a, 0);
	ck_assert_int_eq(w->told, 1);
	ck_assert_uint_eq(w->ev.spi, 0x1002);
	ck_assert_ptr_null(world_wrong(w));
	world_free(w);
}
END_TEST

/* `postern check` beside the daemon tries what the kernel can do. */
START_TEST(the_probe_of_another_process_is_left_alone)
{
	struct world *w = world_new();
	struct model_state *s;
	size_t n;

	world_up(w);
	n = w->m->n_states;
	s = &w->m->states[w->m->n_states++];
	*s = w->m->states[FOREIGN_STATES];
	s->u.id.spi = htonl(0x8888);
	s->u.reqid = PROBE_REQID;
	memcpy(s->body, &s->u, sizeof(s->u));
	w->k->doubt = true;
	world_simply(w, SA_QUERY, SA_IN, 0x1001);
	ck_assert_uint_eq(w->m->n_states, n + 1);
	ck_assert_int_eq(kernel_clear(w->k, w->why), OK);
	ck_assert_uint_eq(w->m->n_states, FOREIGN_STATES);
	world_free(w);
}
END_TEST

START_TEST(what_we_do_ourselves_is_no_news)
{
	struct world *w = world_new();
	struct ask a = ask_new(XFRM_MSG_FLUSHSA, 0);

	world_up(w);
	vanish(w, 0x1002);
	event(w, &a, NETLINK_MODEL_PORT);
	ck_assert_int_eq(w->told, 0);
	ck_assert_ptr_nonnull(world_wrong(w));
	world_free(w);
}
END_TEST

UNIT("xfrm/kernel_event")
{
	tcase_add_loop_test(tc, ragged_selectors_are_refused, 0, 2);
	tcase_add_loop_test(tc, a_command_reaches_the_child_that_it_names, 0, 3);
	tcase_add_test(tc, mappings_of_an_sa_are_told_at_a_pace);
	tcase_add_test(tc, another_child_with_the_same_selectors_is_refused);
	tcase_add_test(tc, a_second_host_behind_a_nat_is_refused_in_transport_mode);
	tcase_add_loop_test(tc, an_answered_or_forgotten_acquire_leaves_no_larval_state, 0, 2);
	tcase_add_loop_test(tc, a_flush_leaves_no_larval_state, 0, 2);
	tcase_add_test(tc, an_acquire_of_ours_is_told_and_remembered);
	tcase_add_test(tc, a_soft_limit_is_told_and_changes_nothing);
	tcase_add_test(tc, after_a_hard_limit_the_policies_are_gone_too);
	tcase_add_test(tc, what_others_take_is_told_or_put_back);
	tcase_add_test(tc, when_events_were_lost_all_states_are_read);
	tcase_add_test(tc, a_half_that_is_missing_is_told_with_the_next_event);
	tcase_add_test(tc, the_probe_of_another_process_is_left_alone);
	tcase_add_test(tc, what_we_do_ourselves_is_no_news);
}
