/* SPDX-License-Identifier: Apache-2.0 */
/* Questions of the data plane, and their ends: see acquire.h. */
#include "ike/acquire.h"

#include "ike/connection.h"
#include "ike/core.h"
#include "ike/note.h"

/* Longer than any attempt; the kernel's own patience ends before that. */
static const mono_ns wait_time = 120 * NS_PER_S;

static struct conn_child *child_of(const struct conn *c, const struct conf_child *conf)
{
	for (size_t i = 0; i < c->conf->n_children; i++) {
		if (c->children[i].conf == conf)
			return &c->children[i];
	}
	return NULL;
}

static void forget(struct conn *c, struct conn_child *child)
{
	struct sa_cmd cmd = {
		.op = SA_FORGET,
		.sa = {
			.dir = SA_OUT, .plane = PLANE_KERNEL,
			.reqid = child->conf->reqid, .acquire = child->acquire.number,
		},
	};
	bool told = child->acquire.there && child->acquire.number != 0;

	child->acquire = (struct acquire){ .there = false };
	if (!told)
		return;
	note_print(cmd.sa.connection, sizeof(cmd.sa.connection), "%s", c->conf->name);
	note_print(cmd.sa.child, sizeof(cmd.sa.child), "%s", child->conf->name);
	/* Without memory for it the kernel forgets by itself, later. */
	if (actions_sa(&c->e->actions, &cmd) != OK)
		c->e->stats.dropped[ERR_NOMEM]++;
}

static void take(struct conn_child *child, const struct plane_event *ev)
{
	/* Another number: the kernel has given up the question before, or it would not ask. */
	child->acquire.there = true;
	child->acquire.number = ev->acquire;
	child->acquire.flow = ev->flow;
}

void acquire_join(struct conn *c, struct conn_child *child, const struct plane_event *ev)
{
	take(child, ev);
	child->acquire.waits = true;
	child->acquire.forget_at = c->e->now + wait_time;
	conn_schedule(c);
}

void acquire_hold(struct conn *c, struct conn_child *child, const struct plane_event *ev,
		  mono_ns until)
{
	/* Userspace asks again by itself, at a bounded rate. */
	if (ev->acquire == 0)
		return;
	take(child, ev);
	child->acquire.waits = false;
	child->acquire.forget_at = until;
	conn_schedule(c);
}

void acquire_fail_child(struct conn *c, struct conn_child *child)
{
	if (child->acquire.waits)
		forget(c, child);
}

void acquire_fail(struct conn *c)
{
	for (size_t i = 0; i < c->conf->n_children; i++)
		acquire_fail_child(c, &c->children[i]);
}

void acquire_answered(struct conn *c, struct conn_child *child)
{
	if (child->acquire.waits)
		child->acquire = (struct acquire){ .there = false };
	conn_schedule(c);
}

uint32_t acquire_number(const struct conn *c, const struct conf_child *conf)
{
	const struct conn_child *child = child_of(c, conf);

	return child && child->acquire.waits ? child->acquire.number : 0;
}

const struct flow *acquire_flow(const struct conn *c, const struct conf_child *conf)
{
	const struct conn_child *child = child_of(c, conf);

	return child && child->acquire.waits ? &child->acquire.flow : NULL;
}

mono_ns acquire_deadline(const struct conn *c)
{
	mono_ns when = NEVER;

	for (size_t i = 0; i < c->conf->n_children; i++) {
		const struct acquire *a = &c->children[i].acquire;

		if (a->there && a->forget_at < when)
			when = a->forget_at;
	}
	return when;
}

void acquire_tick(struct conn *c)
{
	for (size_t i = 0; i < c->conf->n_children; i++) {
		struct acquire *a = &c->children[i].acquire;

		if (a->there && a->forget_at <= c->e->now)
			forget(c, &c->children[i]);
	}
}
