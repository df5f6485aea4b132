/* SPDX-License-Identifier: Apache-2.0 */
/* What is wanted of a connection, and the next try: see connection.h. */
#include "ike/connection.h"

#include <stdlib.h>
#include <string.h>

#include "ike/auth.h"
#include "ike/carry.h"
#include "ike/child.h"
#include "ike/core.h"
#include "ike/exchange_init.h"
#include "ike/life.h"
#include "ike/note.h"

static const mono_ns first_backoff = NS_PER_S;
enum { BACKOFF_DOUBLINGS = 6 }; /* up to 64 s */
/* An answer about the peer's name must come within this, else it is asked for again. */
static const mono_ns resolve_time = 30 * NS_PER_S;

enum err conn_new(struct ike_engine *e, const struct conf_connection *conf, struct conn **out)
{
	struct conn *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return ERR_NOMEM;
	c->children = calloc(conf->n_children > 0 ? conf->n_children : 1, sizeof(*c->children));
	if (!c->children) {
		free(c);
		return ERR_NOMEM;
	}
	c->e = e;
	c->conf = conf;
	c->next_try = NEVER;
	c->since = e->now;
	/* The daemon puts the guards of the whole configuration in place before there is an engine.
	 */
	for (size_t i = 0; i < conf->n_children; i++)
		c->children[i] = (struct conn_child){ .conf = &conf->children[i],
						      .guarded = true,
						      .wanted = true };
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
		for (const struct child_sa *child = sa->children; sa->state == S_UP && child;
		     child = child->next) {
			if (!child->delete_wanted && !child->delete_sent)
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
	mono_ns acquire = acquire_deadline(c);

	heap_set(&c->e->timers, &c->timer.node, acquire < c->next_try ? acquire : c->next_try);
}

static void schedule(struct conn *c, mono_ns at)
{
	c->next_try = at;
	conn_schedule(c);
}

static mono_ns backoff(const struct conn *c)
{
	uint32_t doublings = c->tries > 0 ? c->tries - 1 : 0;

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
	schedule(c, c->e->now + resolve_time);
	actions_resolve(&c->e->actions, c->conf);
}

static void try_path(struct conn *c)
{
	struct ike_note n = note_of_conn(c, IKE_NOTE_CONNECTING, OK);
	enum err err;

	/* An IKE SA without a child is of no use while it cannot make one: a new one takes its
	 * place. */
	while (find_state(c, 1u << S_UP))
		sa_close(find_state(c, 1u << S_UP), ERR_REPLACED, 0);
	schedule(c, NEVER);
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
}

void conn_resolved(struct conn *c, const struct ike_resolved *r)
{
	struct ike_note n;

	if (!c->resolving)
		return;
	c->resolving = false;
	if (r->err == OK && r->n > 0)
		take_paths(c, r);
	if (!c->wanted || has_child(c) || find_state(c, 1u << S_INIT_SENT | 1u << S_AUTH_SENT)) {
		schedule(c, NEVER);
		return;
	}
	if (r->err == OK && r->n > 0) {
		try_path(c);
		return;
	}
	n = note_of_conn(c, IKE_NOTE_REFUSED, r->err == OK ? ERR_RESOLVE : r->err);
	n.initiator = true;
	n.line = c->conf->address_pos.line;
	note_print(n.text, sizeof(n.text), "%s has no address that we have a route to",
		   c->conf->address_name ? c->conf->address_name : "the peer");
	note_print(n.fix, sizeof(n.fix),
		   "check `address` and this machine's routes and name service");
	conn_failed(c, &n);
}

void conn_tick(struct conn *c)
{
	acquire_tick(c);
	if (c->next_try > c->e->now) {
		conn_schedule(c);
		return;
	}
	schedule(c, NEVER);
	c->resolving = false;
	if (!c->wanted || has_child(c) || find_state(c, 1u << S_INIT_SENT | 1u << S_AUTH_SENT))
		return;
	if (c->another_path)
		try_path(c);
	else
		try_now(c);
	c->another_path = false;
}

void conn_try(struct conn *c)
{
	if (has_child(c) || c->resolving || find_state(c, 1u << S_INIT_SENT | 1u << S_AUTH_SENT))
		return;
	try_now(c);
}

static void want(struct conn *c)
{
	c->wanted = true;
	c->tries = 0;
	conn_try(c);
}

void conn_begin(struct conn *c)
{
	c->begun = true;
	if (c->conf->start == CONF_START_ALWAYS && !c->conf->any_address)
		want(c);
}

static bool is_child(const struct conn *c, size_t i, const char *name)
{
	return !name || strcmp(c->conf->children[i].name, name) == 0;
}

static void set_guard(struct conn *c, size_t i, bool guarded)
{
	if (c->children[i].guarded == guarded)
		return;
	c->children[i].guarded = guarded;
	actions_guard(&c->e->actions, c->conf->name, c->conf->children[i].name, guarded);
}

static void tell_not_ours_to_begin(struct conn *c)
{
	struct ike_note n = note_of_conn(c, IKE_NOTE_REFUSED, ERR_UNSUPPORTED);

	n.initiator = true;
	n.line = c->conf->address_pos.line;
	note_print(n.text, sizeof(n.text), "`address = any` waits for peers and cannot begin");
	note_print(n.fix, sizeof(n.fix), "write the peer's address, or begin from its end");
	note_tell(c->e, &n);
}

/* Whoever waits for a child that has no room beside the one that is up would wait for ever. */
static void tell_no_room(const struct conn *c, const char *child)
{
	for (const struct ike_sa *sa = c->sas; sa; sa = sa->next) {
		if (sa->state == S_UP && sa->children)
			auth_child_tell_left_out(sa, sa->children->conf, child);
	}
}

void conn_up(struct conn *c, const char *child)
{
	c->down = false;
	for (size_t i = 0; i < c->conf->n_children; i++) {
		if (!is_child(c, i, child))
			continue;
		c->children[i].wanted = true;
		set_guard(c, i, true);
	}
	if (c->conf->any_address)
		tell_not_ours_to_begin(c);
	else
		want(c);
	tell_no_room(c, child);
}

static void down_whole(struct conn *c)
{
	struct ike_sa *sa = c->sas;

	c->wanted = false;
	c->down = true;
	c->resolving = false;
	c->tries = 0;
	c->since = c->e->now;
	acquire_fail(c);
	schedule(c, NEVER);
	while (sa) {
		struct ike_sa *next = sa->next;

		sa_close(sa, ERR_OPERATOR, 0);
		sa = next;
	}
}

static void down_child(struct conn *c, const char *name)
{
	for (struct ike_sa *sa = c->sas; sa; sa = sa->next) {
		for (struct child_sa *child = sa->children; child; child = child->next) {
			if (strcmp(child->conf->name, name) == 0)
				child_delete(child, ERR_OPERATOR);
		}
	}
}

void conn_down(struct conn *c, const char *child)
{
	size_t left = 0;

	for (size_t i = 0; i < c->conf->n_children; i++) {
		if (is_child(c, i, child)) {
			c->children[i].wanted = false;
			set_guard(c, i, false);
		}
		left += c->children[i].wanted;
	}
	if (left == 0)
		down_whole(c);
	else
		down_child(c, child);
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

	if (c->path_at + 1 < c->n_paths && n->err != ERR_RESOLVE) {
		c->path_at++;
		c->another_path = true;
		n->next_address = c->wanted;
		wait = 0;
	} else {
		c->tries++;
		c->wanted = c->wanted && c->conf->start == CONF_START_ALWAYS;
		wait = backoff(c);
		c->not_before = c->e->now + wait;
		acquire_fail(c);
	}
	n->tries = c->tries;
	schedule(c, c->wanted ? c->e->now + wait : NEVER);
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
	schedule(c, NEVER);
}

void conn_child_up(struct conn *c, const struct conf_child *up)
{
	c->tries = 0;
	acquire_answered(c, up);
	schedule(c, NEVER);
}

void conn_child_failed(struct conn *c)
{
	acquire_fail(c);
	if (c->conf->start == CONF_START_MANUAL ||
	    (c->conf->start == CONF_START_ALWAYS && !c->wanted))
		return;
	c->tries++;
	c->not_before = c->e->now + backoff(c);
	c->wanted = c->conf->start == CONF_START_ALWAYS; /* else the next packet asks again */
	schedule(c, c->wanted ? c->not_before : NEVER);
}

void conn_child_gone(struct conn *c)
{
	if (c->conf->start == CONF_START_TRAFFIC)
		c->wanted = false; /* the next packet wants it again */
	if (!c->wanted)
		return;
	c->tries++;
	schedule(c, c->e->now + backoff(c));
}

void conn_lost(struct conn *c, const struct ike_note *n)
{
	conn_remember(c, n);
	c->since = c->e->now;
	if (c->resolving || find_state(c, 1u << S_INIT_SENT | 1u << S_AUTH_SENT))
		return; /* the next one is on its way */
	if (c->conf->start == CONF_START_TRAFFIC)
		c->wanted = false;
	/* Two ends that began at once may keep the SA whose child could not be made, and let go of
	 * the one with a child: an SA that is up does not mean that all is well. */
	if (!c->wanted || has_child(c))
		return;
	if (n->err == ERR_PEER_LOST) {
		c->tries = 0;
		try_now(c);
		return;
	}
	c->tries++;
	schedule(c, c->e->now + backoff(c));
}
