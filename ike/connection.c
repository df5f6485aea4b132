/* SPDX-License-Identifier: Apache-2.0 */
/* What is wanted of a connection, and the next try: see connection.h. */
#include "ike/connection.h"

#include <stdlib.h>
#include <string.h>

#include "ike/carry.h"
#include "ike/child.h"
#include "ike/core.h"
#include "ike/exchange_init.h"
#include "ike/keep.h"
#include "ike/life.h"
#include "ike/note.h"
#include "ike/renew.h"

static const mono_ns first_backoff = NS_PER_S;
static const mono_ns restart_pause = 10 * NS_PER_S;
static const mono_ns hear_interval = 10 * NS_PER_S;
enum { BACKOFF_DOUBLINGS = 6 }; /* up to 64 s */
/* An answer about the peer's name must come within this, else it is asked for again. */
static const mono_ns resolve_time = 30 * NS_PER_S;

enum err conn_new(struct ike_engine *e, const struct conf_connection *conf, struct conn **out)
{
	struct conn *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return ERR_NOMEM;
	c->e = e;
	c->children = calloc(conf->n_children > 0 ? conf->n_children : 1, sizeof(*c->children));
	if (!c->children || keep_new_conn(c) != OK) {
		free(c->children);
		free(c);
		return ERR_NOMEM;
	}
	c->conf = conf;
	c->digest = conf_connection_digest(conf);
	c->next_try = NEVER;
	c->look_at = NEVER;
	c->since = e->now;
	for (size_t i = 0; i < conf->n_children; i++)
		c->children[i] = conn_child_fresh(c, &conf->children[i]);
	*out = c;
	return OK;
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	while (c->sas)
		sa_free(c->sas);
	heap_stop(&c->e->timers, &c->timer.node);
	keep_gone(c->e, c->keep);
	free(c->failure);
	free(c->children);
	free(c);
}

struct conn *conn_find(const struct ike_engine *e, const char *name)
{
	for (size_t i = 0; i < e->n_conns; i++) {
		if (strcmp(e->conns[i]->conf->name, name) == 0)
			return e->conns[i];
	}
	return NULL;
}

/* ---- SAs ---- */

void conn_add_sa(struct conn *c, struct ike_sa *sa)
{
	sa->conn = c;
	keep_listed(sa);
	sa->prev = NULL;
	sa->next = c->sas;
	if (sa->next)
		sa->next->prev = sa;
	c->sas = sa;
}

void conn_remove_sa(struct conn *c, struct ike_sa *sa)
{
	if (sa->prev)
		sa->prev->next = sa->next;
	else
		c->sas = sa->next;
	if (sa->next)
		sa->next->prev = sa->prev;
	if (c->renews == sa_own_spi(sa))
		c->renews = 0;
	keep_touch_sa(sa);
	sa->next = NULL;
	sa->prev = NULL;
	sa->conn = NULL;
}

static struct ike_sa *find_state(const struct conn *c, uint32_t states)
{
	struct ike_sa *sa = c->sas;

	while (sa && !(states & 1u << sa->state))
		sa = sa->next;
	return sa;
}

struct ike_sa *conn_sa(const struct conn *c)
{
	struct ike_sa *up = find_state(c, 1u << S_UP);

	return up ? up : find_state(c, 1u << S_INIT_SENT | 1u << S_AUTH_SENT);
}

bool conn_is_up(const struct conn *c)
{
	return find_state(c, 1u << S_UP) != NULL;
}

/* Up with something to carry packets, or about to be. */
static bool has_child(const struct conn *c)
{
	for (const struct ike_sa *sa = c->sas; sa; sa = sa->next) {
		const struct child_sa *child = renew_is_old(sa) ? NULL : sa->children;

		for (; sa->state == S_UP && child; child = child->next) {
			if (child_stays(child))
				return true;
		}
	}
	return false;
}

bool conn_is_at(const struct conn *c, const struct addr *remote)
{
	const struct conf_connection *cn = c->conf;

	if (cn->any_address)
		return true;
	for (size_t i = 0; i < cn->n_addresses; i++) {
		if (addr_eq(&cn->addresses[i], remote))
			return true;
	}
	if (!cn->address_name)
		return false;
	for (size_t i = 0; i < c->n_paths; i++) {
		if (addr_eq(&c->paths[i].remote.addr, remote))
			return true;
	}
	/* A name that nobody has resolved yet rules nobody out: the identity has to be proved
	 * anyway. */
	return c->n_paths == 0;
}

/* ---- trying ---- */

void conn_schedule(struct conn *c)
{
	mono_ns children = earlier(c->look_at, conn_children_deadline(c));
	mono_ns when = earlier(earlier(acquire_deadline(c), c->next_try), children);

	keep_touch_conn(c);
	heap_set(&c->e->timers, &c->timer.node, when);
}

void conn_look(struct conn *c)
{
	c->look_at = c->e->now;
	conn_schedule(c);
}

void conn_plan_try(struct conn *c, mono_ns at)
{
	c->next_try = at;
	conn_schedule(c);
}

mono_ns conn_backoff(const struct conn *c, uint32_t tries)
{
	uint32_t doublings = tries > 0 ? tries - 1 : 0;

	if (doublings > BACKOFF_DOUBLINGS)
		doublings = BACKOFF_DOUBLINGS;
	return jitter(&c->e->env.random, first_backoff << doublings);
}

/* Addresses may have changed since the last time, so every round begins with the name (or the
 * route). */
static void try_now(struct conn *c)
{
	struct ike_note n = note_of_conn(c, IKE_NOTE_REFUSED, OK);

	if (!carry_any(c, &n)) {
		n.initiator = true;
		c->path_at = c->n_paths; /* no other address of the peer changes that */
		conn_failed(c, &n);
		return;
	}
	c->resolving = true;
	c->another_path = false;
	conn_plan_try(c, c->e->now + resolve_time);
	actions_resolve(&c->e->actions, c->conf);
}

/* What carries nothing and has refused what is due: a new one takes its place. One that is renewed
 * stays until the new one is up. */
static void close_useless(struct conn *c)
{
	struct ike_sa *next;

	for (struct ike_sa *sa = c->sas; sa; sa = next) {
		next = sa->next;
		if (sa->state == S_UP && !renew_is_old(sa))
			sa_close(sa, ERR_REPLACED, 0);
	}
}

static void try_path(struct conn *c)
{
	struct ike_note n = note_of_conn(c, IKE_NOTE_CONNECTING, OK);
	enum err err;

	close_useless(c);
	c->redirect_to = (struct addr){ .family = AF_UNSPEC };
	conn_plan_try(c, NEVER);
	c->since = c->e->now;
	n.initiator = true;
	note_tell(c->e, &n);
	err = init_begin(c, &c->paths[c->path_at]);
	if (err == OK)
		return;
	n.err = err;
	note_print(n.text, sizeof(n.text), "the attempt could not begin: %s", err_text(err));
	n.kind = IKE_NOTE_REFUSED;
	conn_failed(c, &n);
}

/* An attempt is under way, or there is an IKE SA over which children can be made. */
static bool has_way(const struct conn *c)
{
	const struct ike_sa *sa = conn_carrier(c);

	return has_child(c) || find_state(c, 1u << S_INIT_SENT | 1u << S_AUTH_SENT) ||
	       (sa && !conn_is_of_no_use(c, sa));
}

/* The configuration's port says where IKE is spoken: 500, or 4500 and others with the non-ESP
 * marker. */
static void take_paths(struct conn *c, const struct ike_resolved *r)
{
	uint16_t remote = c->conf->port ? c->conf->port : PORT_IKE;

	c->n_paths = r->n < CONF_ADDRS_MAX ? r->n : CONF_ADDRS_MAX;
	for (size_t i = 0; i < c->n_paths; i++) {
		c->paths[i] = r->paths[i];
		c->paths[i].remote.port = remote;
		c->paths[i].local.port = remote == PORT_IKE ? PORT_IKE : PORT_NATT;
	}
	c->path_at = 0;
	c->redirected_from = (struct addr){ .family = AF_UNSPEC };
}

static void explain_address(const struct conn *c, struct ike_note *n)
{
	n->line = c->conf->address_pos.line;
	note_print(n->text, sizeof(n->text), "%s has no address that we have a route to",
		   c->conf->address_name ? c->conf->address_name : "the peer");
	note_print(n->fix, sizeof(n->fix),
		   "check `address` and this machine's routes and name service");
}

static void explain_own(const struct conn *c, struct ike_note *n)
{
	char text[ADDR_TEXT_MAX];

	n->line = c->conf->pos.line;
	note_print(n->text, sizeof(n->text), "local_address = %s is no address of this machine",
		   addr_text(&c->conf->local_address, text));
	note_print(n->fix, sizeof(n->fix), "give this machine %s, or correct `local_address`%s",
		   text,
		   c->conf->start == CONF_START_ALWAYS
			   ? "; it is tried again as soon as the address is there"
			   : "");
}

void conn_resolved(struct conn *c, const struct ike_resolved *r)
{
	struct ike_note n;

	if (!c->resolving)
		return;
	c->resolving = false;
	if (r->err == OK && r->n > 0)
		take_paths(c, r);
	if (!c->wanted || has_way(c)) {
		conn_plan_try(c, NEVER);
		return;
	}
	if (r->err == OK && r->n > 0) {
		try_path(c);
		return;
	}
	n = note_of_conn(c, IKE_NOTE_REFUSED, r->err == OK ? ERR_RESOLVE : r->err);
	n.initiator = true;
	if (r->err == ERR_NOT_HERE)
		explain_own(c, &n);
	else
		explain_address(c, &n);
	conn_failed(c, &n);
}

void conn_on_addresses(struct conn *c, const struct ike_addresses *own)
{
	bool here = false;

	for (size_t i = 0; i < own->n; i++)
		here = here || addr_eq(&own->addrs[i], &c->conf->local_address);
	if (here && c->wanted && c->failure && c->failure->err == ERR_NOT_HERE &&
	    c->next_try != NEVER && !c->resolving && !has_way(c))
		conn_plan_try(c, c->e->now);
}

/* Children that are due, over the IKE SA that is up; one of no use is replaced. */
static void look(struct conn *c)
{
	struct ike_sa *sa = conn_carrier(c);

	c->look_at = NEVER;
	renew_settle(c);
	if (!sa || !c->wanted)
		return;
	if (conn_is_of_no_use(c, sa))
		conn_try(c);
	else
		sa_settle(sa);
}

void conn_tick(struct conn *c)
{
	keep_touch_conn(c);
	acquire_tick(c);
	look(c);
	if (c->next_try > c->e->now) {
		conn_schedule(c);
		return;
	}
	conn_plan_try(c, NEVER);
	c->resolving = false;
	if (!c->wanted || has_way(c))
		return;
	if (c->another_path)
		try_path(c);
	else
		try_now(c);
	c->another_path = false;
}

void conn_try(struct conn *c)
{
	if (c->resolving || has_way(c))
		return;
	try_now(c);
}

/* A name that was not resolved yet is everywhere (conn_is_at), which is too wide here. */
static bool is_known_at(const struct conn *c, const struct addr *remote)
{
	return (c->conf->n_addresses > 0 || c->n_paths > 0) && conn_is_at(c, remote);
}

void conn_hear(struct conn *c, const struct addr *remote)
{
	mono_ns now = c->e->now;
	struct ike_sa *sa;

	if (!c->wanted || now - c->heard < hear_interval || !is_known_at(c, remote))
		return;
	sa = find_state(c, 1u << S_INIT_SENT);
	if (sa && sa->rt.at > now && sa->rt.at < NEVER) {
		/* It has all its tries again, as long as an attempt may take. */
		retransmit_start(&sa->rt, &c->e->env.random, now);
		sa->rt.at = now;
		sa_schedule(sa);
	} else if (c->next_try > now && c->next_try < NEVER && !c->resolving) {
		conn_plan_try(c, now);
	} else {
		return;
	}
	c->heard = now;
}

void conn_push(struct conn *c)
{
	if (conn_carrier(c))
		look(c);
	else
		conn_try(c);
	conn_schedule(c);
}

void conn_begin(struct conn *c)
{
	c->begun = true;
	if (c->conf->start != CONF_START_ALWAYS || c->conf->any_address)
		return;
	for (size_t i = 0; i < c->conf->n_children; i++)
		conn_child_want(c, &c->children[i]);
	c->tries = 0;
	conn_push(c);
}

/* ---- what became of it ---- */

void conn_remember(struct conn *c, const struct ike_note *n)
{
	if (!c->failure)
		c->failure = malloc(sizeof(*c->failure));
	if (!c->failure)
		return;
	*c->failure = *n;
	c->failure_at = c->e->now;
}

/* `always` never gives up; what was begun by a command or by traffic fails once and for all. */
static void plan(struct conn *c, struct ike_note *n)
{
	mono_ns wait;

	if (c->path_at + 1 < c->n_paths && n->err != ERR_RESOLVE && n->err != ERR_NOT_HERE) {
		c->path_at++;
		c->another_path = true;
		n->next_address = c->wanted;
		wait = 0;
	} else {
		c->tries++;
		c->renews = 0;
		if (c->conf->start != CONF_START_ALWAYS)
			conn_give_up(c);
		wait = conn_backoff(c, c->tries);
		c->not_before = c->e->now + wait;
		acquire_fail(c);
	}
	n->tries = c->tries;
	conn_plan_try(c, c->wanted ? c->e->now + wait : NEVER);
	n->next_try_ms = c->wanted ? (uint32_t)(wait / NS_PER_MS) + 1 : 0;
}

void conn_failed(struct conn *c, struct ike_note *n)
{
	c->since = c->e->now;
	plan(c, n);
	conn_remember(c, n);
	note_tell(c->e, n);
}

void conn_succeeded(struct conn *c)
{
	c->since = c->e->now;
	c->resolving = false;
	conn_children_begin(c);
	conn_plan_try(c, NEVER);
	conn_look(c);
}

/* A peer that was lost is called at once, and so is one that has restarted; but one that says so
 * again and again does not make us call without a pause. */
static bool is_called_at_once(enum err why, mono_ns lived)
{
	return why == ERR_PEER_LOST || (why == ERR_PEER_RESTARTED && lived >= restart_pause);
}

void conn_lost(struct conn *c, const struct ike_note *n)
{
	mono_ns lived = c->e->now - c->since;

	if (!conn_is_up(c) || c->conf->any_address) /* else nothing has failed */
		conn_remember(c, n);
	c->since = c->e->now;
	if (c->resolving || find_state(c, 1u << S_INIT_SENT | 1u << S_AUTH_SENT))
		return; /* the next one is on its way */
	for (size_t i = 0; i < c->conf->n_children && !conn_carrier(c); i++) {
		if (c->conf->start == CONF_START_TRAFFIC)
			conn_child_rest(c, &c->children[i], n->err);
	}
	if (!c->wanted)
		return;
	/* Another one is up: what only the lost one had is made over that. */
	if (has_way(c)) {
		conn_look(c);
		return;
	}
	if (is_called_at_once(n->err, lived)) {
		c->tries = 0;
		try_now(c);
		return;
	}
	c->tries++;
	conn_plan_try(c, c->e->now + conn_backoff(c, c->tries));
}
