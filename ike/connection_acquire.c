/* SPDX-License-Identifier: Apache-2.0 */
/* What a packet may begin: a child that is not up, of a connection that waits for traffic or is on
 * its way anyhow. An IKE SA that is up makes it by CREATE_CHILD_SA, and it comes before those that
 * nobody waits for; else an attempt begins, one at a time whatever the packets want.
 */
#include "ike/carry.h"
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/keep.h"

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

/* Until when it is not for this packet; 0: it is. */
static mono_ns held_until(const struct conn *c, const struct conn_child *child,
			  const struct plane_event *ev, bool *made)
{
	bool up;

	*made = false;
	/* A device of its own takes any packet; for one that is not configured nothing is begun,
	 * nor does it take the place of one that waits. */
	if (!ts_lists_match(&child->conf->local, &child->conf->remote, &ev->flow))
		return c->e->now + acquire_pace;
	*made = is_made(c, child, &ev->flow, &up);
	if (up) /* ... but not for this packet */
		return c->e->now + acquire_pace;
	return *made ? 0 : not_before(c, child);
}

static bool may_wake(const struct conn *c, const struct conn_child *child,
		     const struct plane_event *ev)
{
	bool made;

	return held_until(c, child, ev, &made) == 0;
}

void conn_acquire(struct conn *c, struct conn_child *child, const struct plane_event *ev)
{
	bool made, first = !child->acquire.there;
	mono_ns until = held_until(c, child, ev, &made);

	if (!ts_lists_match(&child->conf->local, &child->conf->remote, &ev->flow)) {
		if (!child->acquire.waits)
			acquire_hold(c, child, ev, until);
		return;
	}

	/* One pair after the other; who wants another one asks again. */
	if (child->pairs && child->acquire.waits && child->acquire.number == ev->acquire)
		return;
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

/* ---- whose packet it is ---- */

/* What came from the device of all is known by its addresses alone; a child with a device of its
 * own is named by that. The kernel knows whose trap it was. */
static bool is_asked_for(const struct conf_child *ch, enum sa_plane from,
			 const struct plane_event *ev)
{
	if (ev->reqid != 0 || from == PLANE_KERNEL)
		return ch->reqid == ev->reqid;
	return ch->interface[0] == '\0' && ts_lists_match(&ch->local, &ch->remote, &ev->flow);
}

static bool is_carried_by(const struct conn *c, const struct conf_child *ch, enum sa_plane plane)
{
	char why[CONF_PLANE_WHY_MAX];

	return carry_plane(c->e, c->conf, ch, why) == plane;
}

static struct conn_child *asked_child(struct conn *c, enum sa_plane from,
				      const struct plane_event *ev)
{
	for (size_t k = 0; k < c->conf->n_children; k++) {
		const struct conf_child *ch = &c->conf->children[k];

		if (is_asked_for(ch, from, ev) && is_carried_by(c, ch, from))
			return &c->children[k];
	}
	return NULL;
}

static bool is_ranked(const struct conn *c, const struct conf_child *ch)
{
	return c->conf->priority > 0 && ch->interface[0] == '\0';
}

/* The child of one of several peers for the same networks that this packet may wake. */
static struct conn_child *ranked_child(struct conn *c, enum sa_plane from,
				       const struct plane_event *ev)
{
	for (size_t k = 0; k < c->conf->n_children; k++) {
		const struct conf_child *ch = &c->conf->children[k];

		if (is_ranked(c, ch) && is_carried_by(c, ch, from) &&
		    may_wake(c, &c->children[k], ev))
			return &c->children[k];
	}
	return NULL;
}

/* The kernel has one trap for all peers that have the same networks, and whose it is says nothing.
 * So a packet wakes all of them: one may not be reached, and a standby has to be up before. False:
 * there is none that it wakes. */
static bool wake_ranked(struct ike_engine *e, enum sa_plane from, const struct plane_event *ev)
{
	bool any = false;

	for (size_t i = 0; i < e->n_conns; i++) {
		struct conn_child *child = ranked_child(e->conns[i], from, ev);

		if (!child)
			continue;
		keep_touch_conn(e->conns[i]);
		conn_acquire(e->conns[i], child, ev);
		any = true;
	}
	return any;
}

/* The number is the kernel's. */
bool conn_acquire_any(struct ike_engine *e, enum sa_plane from, const struct plane_event *ev)
{
	struct conn_child *child = NULL;
	size_t i = 0;

	if (from == PLANE_USER && ev->acquire != 0)
		return false;
	while (i < e->n_conns && (child = asked_child(e->conns[i], from, ev)) == NULL)
		i++;
	if (!child)
		return false;
	if (is_ranked(e->conns[i], child->conf) && wake_ranked(e, from, ev))
		return true;
	keep_touch_conn(e->conns[i]);
	conn_acquire(e->conns[i], child, ev);
	return true;
}
