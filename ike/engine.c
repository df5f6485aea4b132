/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's door: inputs come in here, are dated, and go to whom they concern; actions come out.
 * What a datagram goes through is in ike/receive.c, what becomes of an IKE SA in ike/life.c, of a
 * connection in ike/connection.c. */
#include "ike/engine.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/create.h"
#include "ike/exchange_auth.h"
#include "ike/exchange_create.h"
#include "ike/exchange_init.h"
#include "ike/keep.h"
#include "ike/life.h"
#include "ike/peer.h"
#include "ike/receive.h"
#include "ike/restore.h"
#include "ike/snapshot.h"
#include "ike/wall.h"

/* ---- birth and death ---- */

static enum err make_tables(struct ike_engine *e)
{
	uint8_t seed[SIPHASH_KEY_LEN];
	uint16_t slot;
	enum err err;

	if (!random_fill(&e->env.random, seed, sizeof(seed)) ||
	    !random_fill(&e->env.random, e->limits.seed, sizeof(e->limits.seed)))
		return ERR_CRYPTO;
	/* Not the slots of our predecessor, whose SAs peers may still have. */
	if (!random_fill(&e->env.random, &slot, sizeof(slot)))
		return ERR_CRYPTO;
	e->spis.next = slot;
	err = table_init(&e->by_spi, seed, sa_spi_key);
	if (err == OK)
		err = table_init(&e->by_init, seed, sa_init_key);
	if (err == OK)
		err = table_init(&e->by_peer, seed, peer_table_key);
	if (err == OK)
		err = table_init(&e->by_ticket, seed, ticket_key);
	secret_wipe(seed, sizeof(seed));
	return err;
}

/* One more connection at the end of the list; the list has room. */
static enum err add_conn(struct ike_engine *e, const struct conf_connection *cn)
{
	enum err err = conn_new(e, cn, &e->conns[e->n_conns]);

	if (err == OK)
		e->n_conns++;
	return err;
}

static struct conn **conn_list(const struct conf *conf)
{
	return calloc(conf->n_connections > 0 ? conf->n_connections : 1, sizeof(struct conn *));
}

struct ike_engine *ike_engine_new(const struct ike_env *env, const struct conf *conf, mono_ns now)
{
	struct ike_engine *e = malloc(sizeof(*e));
	enum err err;

	if (!e)
		return NULL;
	memset(e, 0, offsetof(struct ike_engine, limits));
	limits_init(&e->limits);
	e->env = *env;
	e->conf = conf;
	e->now = now;
	e->last_ticket = now; /* beyond those of an engine that was here before */
	e->opened = malloc(SCRATCH_LEN);
	e->built = malloc(SCRATCH_LEN);
	e->sealed = malloc(SCRATCH_LEN);
	e->keeps.bytes = env->keeps ? malloc(SNAPSHOT_MAX) : NULL;
	e->conns = conn_list(conf);
	err = e->opened && e->built && e->sealed && e->conns && !e->keeps.bytes == !env->keeps
		      ? make_tables(e)
		      : ERR_NOMEM;
	for (size_t i = 0; i < conf->n_connections && err == OK; i++)
		err = add_conn(e, &conf->connections[i]);
	if (err != OK) {
		ike_engine_free(e);
		return NULL;
	}
	for (size_t i = 0; i < e->n_conns && !env->restores; i++)
		conn_begin(e->conns[i]);
	return e;
}

void ike_engine_free(struct ike_engine *e)
{
	struct table_node *n;

	if (!e)
		return;
	restore_give_up(e);
	while (e->by_spi.n > 0 && (n = table_next(&e->by_spi, NULL)))
		sa_free(container_of(n, struct ike_sa, by_spi));
	for (size_t i = 0; i < e->n_conns; i++)
		conn_free(e->conns[i]);
	free(e->conns);
	keep_free_all(e);
	actions_free(&e->actions);
	table_free(&e->by_spi);
	table_free(&e->by_init);
	table_free(&e->by_peer);
	table_free(&e->by_ticket);
	secret_free(e->keeps.bytes, e->keeps.used);
	secret_free(e->opened, SCRATCH_LEN);
	secret_free(e->built, SCRATCH_LEN);
	secret_free(e->sealed, SCRATCH_LEN);
	limits_end(&e->limits);
	secret_wipe(e, offsetof(struct ike_engine, limits));
	free(e);
}

/* ---- inputs ---- */

static void begin(struct ike_engine *e, mono_ns now)
{
	/* A clock that runs backwards would make durations huge. */
	if (now > e->now)
		e->now = now;
}

void ike_engine_datagram(struct ike_engine *e, const struct path *p, struct span d, mono_ns now)
{
	begin(e, now);
	receive_datagram(e, p, d);
}

/* The CREATE_CHILD_SA that waits by this ticket; NULL: it is another's. */
static struct create *create_of(const struct ike_sa *sa, const struct ticket *t)
{
	if (sa->mine && t == &sa->mine->ticket)
		return sa->mine;
	return sa->theirs && t == &sa->theirs->ticket ? sa->theirs : NULL;
}

static void on_job(struct ike_engine *e, const struct job_result *r)
{
	struct ticket *t = ticket_find(e, r->ticket);
	struct ike_sa *sa = t && !t->child ? t->sa : NULL;
	struct create *c = sa ? create_of(sa, t) : NULL;

	keep_touch_sa(sa);
	if (c) {
		ticket_drop(e, t);
		create_on_job(c, r);
		return;
	}
	if (!sa || !sa->hs)
		return;
	ticket_drop(e, t);
	switch (sa->hs->wait) {
	case WAIT_KE_PUBLIC:
	case WAIT_KE_SECRET:
		init_on_job(sa, r);
		break;
	case WAIT_OWN_AUTH:
	case WAIT_PEER_AUTH:
		auth_on_job(sa, r);
		break;
	case WAIT_NONE:
	case WAIT_INSTALL:
		break;
	}
}

static void on_plane_answer(struct ike_engine *e, const struct sa_done *done)
{
	struct ticket *t = ticket_find(e, done->ticket);

	if (!t || !t->child)
		return;
	keep_touch_sa(t->child->sa);
	child_on_plane(t->child, t, done);
}

/* SPIs that peers chose may be equal: then the address tells, where the plane knows it. */
static bool is_meant(const struct child_sa *c, enum sa_plane from, const struct plane_event *ev)
{
	const struct addr *remote = &c->sa->path.remote.addr;

	if (c->plane != from || (ev->dir == SA_IN ? c->spi_in : c->spi_out) != ev->spi)
		return false;
	return ev->dir == SA_IN || ev->remote.addr.family == AF_UNSPEC ||
	       addr_eq(&ev->remote.addr, remote);
}

static struct child_sa *meant_child(const struct ike_sa *sa, enum sa_plane from,
				    const struct plane_event *ev)
{
	struct child_sa *c = sa->children;

	while (c && !is_meant(c, from, ev))
		c = c->next;
	return c;
}

/* NULL: not one of that plane. 0 is no SPI: the kernel has it where there is no SA yet. */
static struct child_sa *child_of_event(struct ike_engine *e, enum sa_plane from,
				       const struct plane_event *ev)
{
	for (size_t i = 0; ev->spi != 0 && i < e->n_conns; i++) {
		for (struct ike_sa *sa = e->conns[i]->sas; sa; sa = sa->next) {
			struct child_sa *c = meant_child(sa, from, ev);

			if (!c)
				continue;
			keep_touch_sa(sa);
			return c;
		}
	}
	return NULL;
}

static void on_plane_gone(struct ike_engine *e, enum sa_plane plane)
{
	for (size_t i = 0; i < e->n_conns; i++) {
		for (struct ike_sa *sa = e->conns[i]->sas; sa; sa = sa->next) {
			keep_touch_sa(sa);
			for (struct child_sa *c = sa->children; c; c = c->next)
				child_plane_gone(c, plane);
		}
	}
}

/* Hard limits and acquires are rare, so looking through everything is cheap enough for them.
 *
 * The process of userspace ESP may have been taken over: what it says of the kernel's children is
 * nothing. False: it was about none of its own. */
static bool on_plane(struct ike_engine *e, enum sa_plane from, const struct plane_event *ev)
{
	struct child_sa *child;

	switch (ev->kind) {
	case PLANE_ACQUIRE:
		return conn_acquire_any(e, from, ev);
	case PLANE_EXPIRE:
		child = child_of_event(e, from, ev);
		if (child)
			child_expired(child, ev->soft);
		return child != NULL;
	case PLANE_SILENT:
		child = child_of_event(e, from, ev);
		if (child)
			sa_unheard(child->sa, ev->heard_ns);
		return child != NULL;
	case PLANE_MAPPING:
		child = ev->dir == SA_IN ? child_of_event(e, from, ev) : NULL;
		if (!child)
			return false;
		move_hint(child->sa, &ev->remote);
		sa_settle(child->sa);
		return true;
	case PLANE_MTU:
		return true; /* by children_on_mtu */
	case PLANE_GONE:
		on_plane_gone(e, from);
		return true;
	case PLANE_BACK:
		restore_plane(e, from);
		return true;
	}
	return false;
}

void ike_engine_event(struct ike_engine *e, const struct ike_event *ev, mono_ns now)
{
	struct conn *c = NULL;

	begin(e, now);
	if (ev->kind == IKE_EV_UP || ev->kind == IKE_EV_DOWN || ev->kind == IKE_EV_REKEY)
		c = conn_find(e, ev->command.connection);
	else if (ev->kind == IKE_EV_RESOLVED)
		c = conn_find(e, ev->resolved->connection);
	keep_touch_conn(c);
	switch (ev->kind) {
	case IKE_EV_JOB:
		on_job(e, ev->job);
		break;
	case IKE_EV_SA:
		on_plane_answer(e, ev->sa);
		break;
	case IKE_EV_PLANE:
		if (ev->plane->kind == PLANE_MTU)
			children_on_mtu(e, ev);
		else if (!on_plane(e, ev->from, ev->plane))
			e->stats.dropped[ERR_NOT_FOUND]++;
		break;
	case IKE_EV_RESOLVED:
		if (c)
			conn_resolved(c, ev->resolved);
		break;
	case IKE_EV_UP:
	case IKE_EV_DOWN:
	case IKE_EV_REKEY:
		if (c)
			conn_command(c, ev);
		break;
	case IKE_EV_UNREACHABLE:
		sa_doubt_at(e, &ev->unreachable->remote.addr);
		break;
	case IKE_EV_ADDRESSES:
		mobike_on_addresses(e, ev->addresses);
		for (size_t i = 0; i < e->n_conns; i++)
			conn_on_addresses(e->conns[i], ev->addresses);
		break;
	case IKE_EV_ROUTES:
		mobike_on_routes(e, ev->routes);
		break;
	case IKE_EV_CLOCK:
		wall_on_clock(e, ev->clock);
		break;
	}
}

void ike_engine_tick(struct ike_engine *e, mono_ns now)
{
	struct heap_node *n;

	begin(e, now);
	while ((n = heap_pop_due(&e->timers, e->now))) {
		struct timer *t = container_of(n, struct timer, node);

		if (t->of_sa)
			sa_tick(container_of(t, struct ike_sa, timer));
		else
			conn_tick(container_of(t, struct conn, timer));
	}
}

mono_ns ike_engine_deadline(const struct ike_engine *e)
{
	return heap_deadline(&e->timers);
}

void ike_engine_shutdown(struct ike_engine *e, mono_ns now)
{
	begin(e, now);
	for (size_t i = 0; i < e->n_conns; i++) {
		struct ike_sa *sa = e->conns[i]->sas;

		conn_want_nothing(e->conns[i]);
		while (sa) {
			struct ike_sa *next = sa->next;

			/* Nobody waits for what is outstanding any more: the Delete goes at once.
			 */
			if (sa->state == S_UP)
				window_heard(&sa->window);
			sa_close(sa, ERR_OPERATOR, 0);
			sa = next;
		}
	}
}

/* ---- a new configuration ---- */

/* Half-open SAs of peers remember whose policy took their offer. */
static void repoint_half_open(struct ike_engine *e, const struct conf *conf)
{
	struct table_node *n = table_next(&e->by_init, NULL);

	while (n) {
		struct table_node *next = table_next(&e->by_init, n);
		struct ike_sa *sa = container_of(n, struct ike_sa, by_init);

		if (sa->hs && sa->hs->candidate)
			sa->hs->candidate = conf_connection_find(conf, sa->hs->candidate->name);
		if (sa->hs && !sa->hs->candidate)
			sa_end(sa, ERR_OPERATOR);
		n = next;
	}
}

/* The connection of the old list that stays, taken out of it; NULL: there is none. Its children may
 * be others. */
static struct conn *take_unchanged(struct ike_engine *e, const struct conf_connection *cn)
{
	for (size_t i = 0; i < e->n_conns; i++) {
		struct conn *c = e->conns[i];

		if (!c || strcmp(c->conf->name, cn->name) != 0 ||
		    !conf_connection_same(c->conf, cn))
			continue;
		e->conns[i] = NULL;
		return c;
	}
	return NULL;
}

enum err ike_engine_reconfigure(struct ike_engine *e, const struct conf *conf, mono_ns now)
{
	struct conn **old = e->conns, **list = conn_list(conf);
	size_t n_old = e->n_conns, n = 0;
	enum err err = OK;

	begin(e, now);
	if (!list)
		return ERR_NOMEM;
	actions_drop_resolves(&e->actions);
	for (size_t i = 0; i < conf->n_connections; i++) {
		list[n] = take_unchanged(e, &conf->connections[i]);
		if (list[n] && conn_repoint(list[n], &conf->connections[i]) != OK) {
			conn_retire(list[n], NULL);
			err = ERR_NOMEM;
		} else if (list[n] || conn_new(e, &conf->connections[i], &list[n]) == OK) {
			n++;
		} else {
			err = ERR_NOMEM;
		}
	}
	repoint_half_open(e, conf);
	e->conns = list;
	e->n_conns = n;
	e->conf = conf;
	for (size_t i = 0; i < n_old; i++) {
		if (old[i])
			conn_retire(old[i], conf_connection_find(conf, old[i]->conf->name));
	}
	free(old);
	for (size_t i = 0; i < n; i++) {
		if (!list[i]->begun)
			conn_begin(list[i]);
	}
	return err;
}

/* ---- outputs ---- */

bool ike_engine_next(struct ike_engine *e, struct ike_action *a)
{
	return (e->env.keeps && keep_next(e, a)) || actions_next(&e->actions, a);
}
