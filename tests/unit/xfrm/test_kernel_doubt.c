/* SPDX-License-Identifier: Apache-2.0 */
/* What the book says of a policy when the kernel's answer to a change was not heard; and what is
 * left of messages that could not be read. */
#include <errno.h>
#include <string.h>

#include "tests/unit/xfrm/kernel_world.h"

#define N_OF(v) (int)(sizeof(v) / sizeof((v)[0]))

enum { STEPS_MAX = 60 };

static const enum model_fault unheard[] = { FAULT_SEND, FAULT_SILENT, FAULT_SHORT, FAULT_LOST };

static size_t traps_of(const struct world *w, uint32_t reqid, uint32_t priority)
{
	size_t n = 0;

	for (size_t i = 0; i < w->m->n_policies; i++) {
		const struct model_policy *p = &w->m->policies[i];

		n += p->has_tmpl && p->u.sel.user == (FLOW_USER | FLOW_TRAP) &&
		     p->tmpl.reqid == reqid && p->u.priority == priority;
	}
	return n;
}

static uint32_t priority_of_trap(const struct world *w, uint32_t reqid)
{
	for (const struct standing *s = w->k->policies.first; s != NULL; s = s->next) {
		if (s->f.reqid == reqid)
			return s->f.p.priority;
	}
	return 0;
}

static void book_is_sane(const struct world *w)
{
	for (const struct standing *s = w->k->policies.first; s != NULL; s = s->next)
		ck_assert_uint_ge(s->f.p.priority, FLOW_PRIORITY_BEST);
}

/* False when there was no request of this number. */
static bool change_unheard(enum model_fault fault, int step)
{
	struct world *w = world_new();
	bool reached;
	uint32_t priority;

	world_traps(w, 1);
	ck_assert_msg(w->err == OK, "%s", w->why);
	priority = priority_of_trap(w, REQID);
	w->children.v[0].reqid = REQID + 7; /* the same selectors: changed in place */
	model_arm(w->m, fault, ENOBUFS, step);
	world_traps(w, 1);
	reached = w->m->asked > step;
	book_is_sane(w);
	model_arm(w->m, FAULT_NONE, 0, -1);
	world_simply(w, SA_QUERY, SA_IN, 0xdead);
	book_is_sane(w);
	ck_assert(!w->k->doubt);
	ck_assert_ptr_null(world_wrong(w));
	ck_assert_msg(traps_of(w, REQID, priority) + traps_of(w, REQID + 7, priority) == 1,
		      "fault %d at request %d", (int)fault, step);
	world_traps(w, 1);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert_uint_eq(traps_of(w, REQID + 7, priority), 1);
	world_free(w);
	return reached;
}

START_TEST(a_trap_whose_change_was_not_heard_of_is_as_wanted_after_the_next_look)
{
	int step = 0;

	while (change_unheard(unheard[_i], step))
		ck_assert_int_lt(++step, STEPS_MAX);
	ck_assert_int_gt(step, 2);
}
END_TEST

/* Somebody has changed a trap, and the kernel refuses to have it changed back: it is wanted no less
 * for that. */
START_TEST(what_the_kernel_refuses_to_put_right_stays_wanted)
{
	const struct settle again = { .gone = NULL };
	struct world *w = world_new();
	uint32_t priority;
	int changes = 0;

	world_trapped(w);
	priority = priority_of_trap(w, REQID);
	ck_assert_uint_eq(traps_of(w, REQID, priority), 1);
	for (size_t i = 0; i < w->m->n_policies; i++) {
		struct model_policy *p = &w->m->policies[i];

		if (!p->has_tmpl || p->u.sel.user != (FLOW_USER | FLOW_TRAP))
			continue;
		p->u.priority++;
		memcpy(p->body, &p->u, sizeof(p->u));
		changes++;
	}
	ck_assert_int_gt(changes, 0);
	model_arm(w->m, FAULT_REFUSE, ENOMEM, 2); /* behind the two dumps */
	w->m->lasting = STEPS_MAX;
	ck_assert_int_ne(kernel_settle(w->k, &again, w->why), OK);
	ck_assert(w->k->doubt);
	ck_assert_ptr_nonnull(world_wrong(w));
	model_arm(w->m, FAULT_NONE, 0, -1);
	ck_assert_int_eq(kernel_settle(w->k, &again, w->why), OK);
	ck_assert_ptr_null(world_wrong(w));
	ck_assert_uint_eq(traps_of(w, REQID, priority), 1);
	world_free(w);
}
END_TEST

/* ---- messages ---- */

static ssize_t no_send(void *ctx, const void *p, size_t len)
{
	(void)ctx;
	(void)p;
	return (ssize_t)len;
}

/* One message that is longer than the buffer, full of what nobody may read later. */
static ssize_t too_long(void *ctx, void *p, size_t size)
{
	int *at = ctx;

	errno = EAGAIN;
	if ((*at)++ > 0)
		return -1;
	memset(p, 0xaa, size);
	return (ssize_t)size + 1;
}

static const struct netlink_ops long_ops = { .send = no_send, .receive = too_long };

static void nobody(void *ctx, const struct plane_event *ev)
{
	(void)ctx;
	(void)ev;
	ck_abort_msg("told of nothing");
}

START_TEST(a_message_that_was_cut_short_is_wiped_and_all_is_read)
{
	struct world *w = world_new();
	size_t dirty = 0;
	int at = 0;

	world_up(w);
	w->m->n_policies--;
	ck_assert_int_eq(netlink_over(&w->k->events, &long_ops, &at), OK);
	kernel_events(w->k, nobody, NULL);
	ck_assert_int_eq(at, 2);
	ck_assert_ptr_null(world_wrong(w));
	for (size_t i = 0; i < 65536; i++)
		dirty += w->k->events.buf[i] == 0xaa;
	ck_assert_uint_eq(dirty, 0);
	world_free(w);
}
END_TEST

UNIT("xfrm/kernel_doubt")
{
	tcase_add_loop_test(tc,
			    a_trap_whose_change_was_not_heard_of_is_as_wanted_after_the_next_look,
			    0, N_OF(unheard));
	tcase_add_test(tc, what_the_kernel_refuses_to_put_right_stays_wanted);
	tcase_add_test(tc, a_message_that_was_cut_short_is_wiped_and_all_is_read);
}
