/* SPDX-License-Identifier: Apache-2.0 */
/* The children of a connection: which of them shall be up, which one is made next, and what becomes
 * of one that failed or went. The first of an IKE SA comes with IKE_AUTH, all others one after the
 * other by CREATE_CHILD_SA. Each has tries of its own: one that a peer refuses is tried again with
 * backoff, and its siblings never notice. See connection.h.
 */
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/create.h"
#include "ike/keep.h"
#include "ike/life.h"
#include "ike/renew.h"

/* A peer that is busy with something else is asked so often, whoever wanted the child. */
enum { BUSY_TRIES = 5 };

static struct conn_child *child_of(const struct conn *c, const struct conf_child *conf)
{
	for (size_t i = 0; i < c->conf->n_children; i++) {
		if (c->children[i].conf == conf)
			return &c->children[i];
	}
	return NULL;
}

/* ---- what is wanted ---- */

void conn_child_want(struct conn *c, struct conn_child *child)
{
	if (child->down)
		return;
	child->due = true;
	child->tries = 0;
	child->not_before = 0;
	child->refused_by = 0;
	c->wanted = true;
}

/* A connection is wanted for its children alone. */
void conn_count_due(struct conn *c)
{
	c->wanted = false;
	for (size_t i = 0; i < c->conf->n_children; i++)
		c->wanted = c->wanted || c->children[i].due;
}

static void set_due(struct conn *c, struct conn_child *child, bool due)
{
	child->due = due;
	conn_count_due(c);
}

void conn_child_unwant(struct conn *c, const struct conf_child *conf)
{
	struct conn_child *child = child_of(c, conf);

	if (!child)
		return;
	acquire_fail_child(c, child);
	child->missed = false;
	set_due(c, child, false);
}

void conn_want_nothing(struct conn *c)
{
	for (size_t i = 0; i < c->conf->n_children; i++) {
		c->children[i].due = false;
		c->children[i].missed = false;
	}
	c->wanted = false;
	keep_touch_conn(c);
}

static void miss(struct conn *c, struct conn_child *child)
{
	child->missed = child->missed || child->due;
	set_due(c, child, false);
}

void conn_child_rest(struct conn *c, struct conn_child *child, enum err why)
{
	if (why == ERR_PEER_DELETED || why == ERR_OPERATOR)
		set_due(c, child, false);
	else
		miss(c, child);
}

void conn_give_up(struct conn *c)
{
	for (size_t i = 0; i < c->conf->n_children; i++)
		miss(c, &c->children[i]);
}

/* ---- what there is ---- */

bool conn_child_made(const struct conn *c, const struct conf_child *conf)
{
	for (const struct ike_sa *sa = c->sas; sa; sa = sa->next) {
		const struct child_sa *child = renew_goes(sa) ? NULL : sa->children;

		for (; child; child = child->next) {
			if (child->conf == conf && child_stays(child))
				return true;
		}
	}
	return false;
}

/* One of its SAs, or one that is being agreed on, carries this flow. */
static bool flow_is_carried(const struct conn *c, const struct conf_child *conf,
			    const struct flow *flow)
{
	for (const struct ike_sa *sa = c->sas; sa; sa = sa->next) {
		for (const struct child_sa *child = sa->children; child; child = child->next) {
			if (child->conf == conf && child_stays(child) &&
			    ts_lists_match(child_local(child), child_remote(child), flow))
				return true;
		}
	}
	return false;
}

static bool carries(const struct ike_sa *sa)
{
	const struct child_sa *child = sa->children;

	while (child && !child_stays(child))
		child = child->next;
	return child != NULL;
}

struct ike_sa *conn_carrier(const struct conn *c)
{
	struct ike_sa *sa = c->sas;

	while (sa && (sa->state != S_UP || renew_goes(sa)))
		sa = sa->next;
	return sa;
}

/* There are pairs, but none for the packet that waits. */
static bool misses_pair(const struct conn *c, const struct conn_child *child)
{
	return child->pairs && child->acquire.waits &&
	       !flow_is_carried(c, child->conf, &child->acquire.flow);
}

static bool is_due(const struct conn *c, const struct conn_child *child)
{
	return !child->down && child->due && child->not_before <= c->e->now &&
	       (!conn_child_made(c, child->conf) || misses_pair(c, child));
}

static bool refused_by(const struct conn_child *child, const struct ike_sa *sa)
{
	return child->refused_by == sa_own_spi(sa);
}

/* An IKE SA that carries nothing and has refused what is due is of no use: a new one may find the
 * peer, or its configuration, changed. */
bool conn_is_of_no_use(const struct conn *c, const struct ike_sa *sa)
{
	if (carries(sa) || sa->mine || sa->theirs || sa->hs)
		return false;
	for (size_t i = 0; i < c->conf->n_children; i++) {
		if (is_due(c, &c->children[i]) && refused_by(&c->children[i], sa))
			return true;
	}
	return false;
}

const struct conf_child *conn_child_next(const struct ike_sa *sa)
{
	const struct conn *c = sa->conn;
	const struct conf_child *next = NULL;

	if (!c || !c->wanted || c->conf->any_address || sa->full || conn_carrier(c) != sa)
		return NULL;
	for (size_t i = 0; i < c->conf->n_children; i++) {
		const struct conn_child *child = &c->children[i];

		if (!is_due(c, child) || (refused_by(child, sa) && !carries(sa)))
			continue;
		if (child->pairs && child_count(sa) >= SA_CHILDREN_MAX)
			continue;
		if (child->acquire.waits)
			return child->conf; /* a packet waits */
		if (!next && sa->yield <= c->e->now)
			next = child->conf;
	}
	return next;
}

mono_ns conn_children_deadline(const struct conn *c)
{
	mono_ns when = NEVER;

	/* One that could be made already waits for the window, or for an IKE SA. */
	for (size_t i = 0; i < c->conf->n_children; i++) {
		const struct conn_child *child = &c->children[i];

		if (child->due && child->not_before > c->e->now && child->not_before < when)
			when = child->not_before;
	}
	return when;
}

/* ---- what became of one ---- */

void conn_child_up(struct conn *c, const struct conf_child *conf)
{
	struct conn_child *child = child_of(c, conf);

	c->tries = 0;
	if (child) {
		child->tries = 0;
		child->not_before = 0;
		child->refused_by = 0;
		child->missed = false;
		acquire_answered(c, child);
	}
	renew_settle(c);
	conn_look(c);
}

static void put_off(struct conn *c, struct conn_child *child)
{
	child->tries++;
	child->not_before = c->e->now + conn_backoff(c, child->tries);
	conn_look(c);
}

void conn_child_put_off(struct conn *c, const struct conf_child *conf)
{
	struct conn_child *child = child_of(c, conf);

	if (child)
		put_off(c, child);
}

void conn_child_failed(struct ike_sa *sa, const struct conf_child *conf, enum err err)
{
	struct conn *c = sa->conn;
	struct conn_child *child = child_of(c, conf);

	if (!child)
		return;
	/* Else the next packet, or command, asks again. */
	if (c->conf->start != CONF_START_ALWAYS &&
	    (err != ERR_BUSY || child->tries >= BUSY_TRIES)) {
		acquire_fail_child(c, child);
		miss(c, child);
	}
	child->refused_by = sa_own_spi(sa);
	put_off(c, child);
}

uint32_t conn_child_wait_ms(const struct conn *c, const struct conf_child *conf)
{
	const struct conn_child *child = child_of(c, conf);

	if (!child || !child->due || child->not_before <= c->e->now)
		return 0;
	return (uint32_t)((child->not_before - c->e->now) / NS_PER_MS) + 1;
}

void conn_child_bar(struct conn *c, const struct conf_child *conf)
{
	struct conn_child *child = child_of(c, conf);

	if (child && c->conf->start == CONF_START_ALWAYS)
		child->not_before = NEVER;
	conn_schedule(c);
}

void conn_child_split(struct conn *c, const struct conf_child *conf)
{
	struct conn_child *child = child_of(c, conf);

	if (child)
		child->pairs = true;
}

bool conn_child_is_split(const struct conn *c, const struct conf_child *conf)
{
	const struct conn_child *child = child_of(c, conf);

	return child && child->pairs;
}

void conn_child_gone(struct conn *c, const struct conf_child *conf, enum err why)
{
	struct conn_child *child = child_of(c, conf);

	/* It may have been the last that kept an IKE SA which another one replaces. */
	conn_look(c);
	if (!child || conn_child_made(c, conf))
		return;
	if (c->conf->start == CONF_START_TRAFFIC)
		conn_child_rest(c, child, why);
	if (child->due)
		put_off(c, child);
}

void conn_child_renew(struct conn *c, const struct conf_child *conf)
{
	struct conn_child *child = child_of(c, conf);

	if (!child || c->conf->any_address)
		return;
	conn_child_want(c, child);
	conn_look(c);
}

void conn_children_begin(struct conn *c)
{
	for (size_t i = 0; i < c->conf->n_children; i++)
		c->children[i].not_before = 0;
}
