/* SPDX-License-Identifier: Apache-2.0 */
/* What a packet may begin: a child that is not up, of a connection that waits for traffic or is on
 * its way anyhow. An IKE SA that is up makes it by CREATE_CHILD_SA, and it comes before those that
 * nobody waits for; else an attempt begins, one at a time whatever the packets want.
 */
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"

/* The kernel asks for what is not to be no more often. */
static const mono_ns acquire_pace = NS_PER_S;

/* Is this child up, or on its way? *up: too far on the way for a packet to be joined to it. Where
 * the peer takes pairs of addresses, only that of the packet counts. */
static bool is_made(const struct conn *c, const struct conn_child *of, const struct flow *flow,
		    bool *up)
{
	bool made = false;

	*up = false;
	for (const struct ike_sa *sa = c->sas; sa; sa = sa->next) {
		for (const struct child_sa *child = sa->children; child; child = child->next) {
			if (child->conf != of->conf || !child_stays(child))
				continue;
			if (of->pairs &&
			    !ts_lists_match(child_local(child), child_remote(child), flow))
				continue;
			/* Another one may be on its way that replaces one that is up. */
			*up = *up || child->stage == CHILD_OUTBOUND || child->stage == CHILD_UP;
			made = true;
		}
	}
	return made;
}

/* Until when nothing is to be begun for this child; 0: now. Every packet asks, and a peer that has
 * just refused is not called for each of them. */
static mono_ns not_before(const struct conn *c, const struct conn_child *child)
{
	bool never = c->down || c->conf->any_address || child->down;

	if (never || (!child->due && c->conf->start != CONF_START_TRAFFIC))
		return c->e->now + acquire_pace;
	if (!c->wanted && c->tries > 0 && c->e->now < c->not_before)
		return c->not_before;
	if (!child->due && c->e->now < child->not_before)
		return child->not_before;
	return 0;
}

void conn_acquire(struct conn *c, struct conn_child *child, const struct plane_event *ev)
{
	bool up, made = is_made(c, child, &ev->flow, &up), first = !child->acquire.there;
	mono_ns until = made ? 0 : not_before(c, child);

	/* A device of its own takes any packet; for one that is not configured nothing is begun,
	 * nor does it take the place of one that waits. */
	if (!ts_lists_match(&child->conf->local, &child->conf->remote, &ev->flow)) {
		if (!child->acquire.waits)
			acquire_hold(c, child, ev, c->e->now + acquire_pace);
		return;
	}

	/* One pair after the other; who wants another one asks again. */
	if (child->pairs && child->acquire.waits && child->acquire.number == ev->acquire)
		return;
	if (up) /* ... but not for this packet */
		until = c->e->now + acquire_pace;
	if (until > 0) {
		acquire_hold(c, child, ev, until);
		return;
	}
	acquire_join(c, child, ev);
	if (made || (child->due && !child->pairs))
		return;
	/* What was refused was not this pair. */
	if (child->pairs && first) {
		child->not_before = 0;
		child->refused_by = 0;
	}
	child->due = true;
	c->wanted = true;
	conn_push(c);
}
