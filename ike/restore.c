/* SPDX-License-Identifier: Apache-2.0 */
/* Going on where another engine was stopped: see restore.h. */
#include "ike/restore.h"

#include <stdlib.h>

#include "ike/child.h"
#include "ike/child_plane.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/create.h"
#include "ike/exchange_create.h"
#include "ike/keep.h"
#include "ike/life.h"
#include "ike/note.h"
#include "ike/peer.h"
#include "ike/reinstall.h"
#include "ike/rekey.h"
#include "ike/snapshot_parts.h"

/* ---- into the tables ---- */

static enum err enter(struct ike_sa *sa)
{
	struct wr w = wr_into(sa->own_spi, sizeof(sa->own_spi));
	enum err err;

	wr_u64(&w, sa->initiator ? sa->spi_i : sa->spi_r);
	err = keep_new_sa(sa);
	if (err == OK)
		err = table_add(&sa->e->by_spi, &sa->by_spi);
	if (err != OK) {
		keep_gone(sa->e, sa->keep);
		sa->keep = NULL;
		return err;
	}
	sa->e->stats.sas++;
	return OK;
}

static void leave(struct ike_sa *sa)
{
	table_del(&sa->e->by_spi, &sa->by_spi);
	sa->e->stats.sas--;
	keep_gone(sa->e, sa->keep);
	sa->keep = NULL;
}

/* SPIs that are taken already are somebody else's: all of them, or none. */
static enum err take_spis(struct ike_sa *sa)
{
	struct spi_pool *p = &sa->e->spis;
	struct child_sa *c = sa->children;

	while (c && spi_claim(p, c->spi_in) == OK)
		c = c->next;
	if (!c)
		return OK;
	for (const struct child_sa *o = sa->children; o != c; o = o->next)
		spi_give(p, o->spi_in);
	return ERR_EXISTS;
}

/* Into all tables, or into none. */
static enum err enter_all(const struct snapshot *s)
{
	struct ike_sa *const all[] = { s->sa, s->heir, s->rival };
	const size_t n = sizeof(all) / sizeof(all[0]);
	size_t i = 0;
	enum err err = OK;

	while (i < n && (!all[i] || (err = enter(all[i])) == OK))
		i++;
	if (err == OK)
		err = take_spis(s->sa);
	while (err != OK && i-- > 0) {
		if (all[i])
			leave(all[i]);
	}
	return err;
}

/* Numbers that are drawn from now on are new ones. */
static void go_beyond(struct ike_engine *e, const struct ike_sa *sa)
{
	const uint64_t events[] = { sa->born_at, sa->up_at, sa->keep->listed_at };

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		e->events = events[i] > e->events ? events[i] : e->events;
	for (const struct child_sa *c = sa->children; c; c = c->next)
		e->last_child_id = c->id > e->last_child_id ? c->id : e->last_child_id;
}

/* ---- what a reload has changed meanwhile (connection_reload.c) ---- */

/* Its connection is gone: it has nothing any more, and says goodbye. Halves are taken out when
 * nobody claims them. */
static struct child_sa *retire(struct snapshot *s)
{
	struct child_sa *children = s->sa->children;

	snapshot_free_mine(s);
	s->sa->children = NULL;
	mobike_end(s->sa);
	if (s->sa->state == S_UP)
		sa_close_later(s->sa, ERR_OPERATOR, 0);
	return children;
}

static void tell_gone(const struct snapshot *s, const struct child_sa *c)
{
	struct ike_note n = note_of_sa(s->sa, IKE_NOTE_CHILD_DOWN, ERR_OPERATOR);

	if (!c->conf || c->stage != CHILD_UP)
		return;
	note_print(n.connection, sizeof(n.connection), "%s", s->connection);
	note_print(n.child, sizeof(n.child), "%s", c->conf->name);
	n.spi = c->spi_in;
	note_tell(s->sa->e, &n);
}

static void bury_formers(struct snapshot *s)
{
	for (struct child_sa *c = s->sa->children; c; c = c->next) {
		if (!snapshot_is_former(s, c->conf))
			continue;
		c->ticket.number = 0;
		c->move_in.number = 0;
		c->move_out.number = 0;
		/* What nobody claims is taken out, if it was ever put in. */
		c->in_there = c->out_there = false;
		child_bury(c);
	}
}

static enum err restore_sa(struct ike_engine *e, struct span bytes)
{
	struct child_sa *gone = NULL;
	struct snapshot s;
	enum err err = snapshot_get(e, bytes, &s);

	if (err != OK)
		return err;
	if (s.retires)
		gone = retire(&s);
	err = enter_all(&s);
	if (err != OK) {
		snapshot_free_children(gone);
		snapshot_free(&s);
		return err;
	}
	for (const struct child_sa *c = gone; c; c = c->next)
		tell_gone(&s, c);
	snapshot_free_children(gone);
	e->n_retired += s.retires || s.formers;
	bury_formers(&s);
	snapshot_free_formers(&s);
	keep_restored(s.sa, s.listed_at);
	if (s.sa->mine) {
		s.sa->mine->heir = s.heir ? sa_own_spi(s.heir) : 0;
		s.sa->mine->rival = s.rival ? sa_own_spi(s.rival) : 0;
	}
	go_beyond(e, s.sa);
	s.sa->next = e->restored;
	e->restored = s.sa;
	return OK;
}

enum err ike_engine_restore(struct ike_engine *e, struct span key, struct span bytes)
{
	struct rd r = rd_from(key);

	switch (rd_u8(&r)) {
	case KEEP_SA:
		return restore_sa(e, bytes);
	case KEEP_CONN:
		return snapshot_get_conn(e, bytes);
	default:
		return ERR_SYNTAX;
	}
}

/* They go as others do, from the list of their connection. */
void restore_give_up(struct ike_engine *e)
{
	while (e->restored) {
		struct ike_sa *sa = e->restored;
		struct conn *c = sa->conn;

		e->restored = sa->next;
		sa->next = NULL;
		if (c)
			conn_add_sa(c, sa);
	}
}

/* ---- lists, in the order that they had ---- */

static int by_listing(const void *a, const void *b)
{
	const struct ike_sa *const *x = a, *const *y = b;

	uint64_t i = (*x)->keep->listed_at, k = (*y)->keep->listed_at;

	return i < k ? -1 : i > k;
}

/* Without memory for it they come in another order, which matters little. */
static void sort(struct ike_engine *e)
{
	struct ike_sa **v, *sa;
	size_t n = 0;

	for (sa = e->restored; sa; sa = sa->next)
		n++;
	v = calloc(n + 1, sizeof(struct ike_sa *));
	if (!v)
		return;
	n = 0;
	for (sa = e->restored; sa; sa = sa->next)
		v[n++] = sa;
	qsort(v, n, sizeof(v[0]), by_listing);
	e->restored = v[0];
	for (size_t i = 0; i < n; i++)
		v[i]->next = v[i + 1];
	free(v);
}

/* ---- right with the world ---- */

static enum err claim(struct child_sa *c, enum sa_dir dir, struct ticket *t)
{
	enum err err = ticket_take(t, c->sa, c);

	return err == OK ? child_plane_claim(c, dir, t->number) : err;
}

/* The half that is being put in comes by its number, the others are there. */
static enum err ask_for_halves(struct child_sa *c)
{
	bool waits = c->ticket.number != 0;
	enum err err = OK;

	if (c->in_there && !(waits && reinstall_half(c) == SA_IN))
		err = claim(c, SA_IN, &c->query_in);
	if (err == OK && c->out_there && !(waits && reinstall_half(c) == SA_OUT))
		err = claim(c, SA_OUT, &c->query_out);
	return err;
}

static void go_on_child(struct child_sa *c)
{
	bool moves = c->move_in.number != 0 || c->move_out.number != 0;

	c->move_in.number = 0;
	c->move_out.number = 0;
	/* One that is only asked for is in no plane. */
	c->restored = c->stage != CHILD_ASKED;
	/* Without memory to ask for it nobody would know of it. */
	if (ask_for_halves(c) != OK)
		child_delete_later(c, ERR_NOMEM);
	else if (moves)
		child_move(c, &c->sa->path);
	/* Behind the claim: by then the bridge knows of this one, and not only of its namesakes. */
	if (c->stage == CHILD_UP && child_stays(c))
		actions_mtu(&c->sa->e->actions, c->sa->conn->conf->name, c->conf->name, c->mtu);
	/* What a predecessor said of that may not have been heard. */
	if (c->out_there && c->sa->conn->conf->priority > 0 &&
	    child_plane_command(c, SA_PASS, SA_OUT, 0) != OK)
		c->sa->e->stats.dropped[ERR_NOMEM]++;
}

/* As in an SA that was just read: a number, and nobody will answer to it. */
static void disown(struct ike_engine *e, struct ticket *t)
{
	uint64_t number = t->number;

	ticket_drop(e, t);
	t->number = number;
}

static void disown_all(struct ike_sa *sa, enum sa_plane plane)
{
	struct ike_engine *e = sa->e;

	for (struct child_sa *c = sa->children; c; c = c->next) {
		if (c->plane != plane || !c->conf)
			continue;
		disown(e, &c->ticket);
		disown(e, &c->move_in);
		disown(e, &c->move_out);
		ticket_drop(e, &c->query_in);
		ticket_drop(e, &c->query_out);
	}
}

/* Until what could not be asked is asked again. */
static const mono_ns claim_pause = NS_PER_S;

void restore_missed(struct child_sa *c, enum sa_dir dir)
{
	*(dir == SA_IN ? &c->in_there : &c->out_there) = false;
	if (!child_stays(c) || !c->conf)
		return;
	rekey_release(c);
	child_delete_later(c, ERR_SYSTEM);
	conn_child_renew(c->sa->conn, c->conf);
	sa_settle(c->sa);
}

void restore_unheard(struct child_sa *c)
{
	struct ike_sa *sa = c->sa;
	mono_ns again = sa->e->now + claim_pause;

	if (!sa->keep)
		return;
	sa->keep->claims_again = true;
	if (sa->keep->wake_at > again)
		sa->keep->wake_at = again;
	sa_schedule(sa);
}

/* Also those that were heard of: which ones these were nobody has written down. */
static void claim_again(struct child_sa *c)
{
	if (!c->conf || !child_stays(c) || c->ticket.number != 0)
		return;
	c->restored = true;
	if (ask_for_halves(c) != OK)
		child_delete_later(c, ERR_NOMEM);
}

static void list(struct ike_sa *sa)
{
	uint64_t at = sa->keep->listed_at;
	struct conn *c = sa->conn;

	sa->conn = NULL;
	sa->next = NULL;
	if (c) {
		conn_add_sa(c, sa);
		sa->keep->listed_at = at;
	}
	if (c && sa->peer)
		peer_enter(sa);
	for (struct child_sa *child = sa->children; child; child = child->next) {
		child->asked = sa->e->now;
		if (!child->conf)
			child->move_in.number = child->move_out.number = 0;
	}
}

/* Not all at once: each costs a message, and its peer one. */
static const mono_ns wake_interval = NS_PER_MS;

static void list_all(struct ike_engine *e)
{
	struct ike_sa *sa = e->restored;
	mono_ns wake = e->now;

	e->restored = NULL;
	while (sa) {
		struct ike_sa *next = sa->next;

		list(sa);
		sa->keep->wake_at = wake;
		sa_schedule(sa);
		wake += wake_interval;
		sa = next;
	}
}

void restore_wake(struct ike_sa *sa)
{
	struct ike_engine *e = sa->e;
	uint64_t own_spi = sa_own_spi(sa);

	sa->keep->wake_at = NEVER;
	for (struct child_sa *c = sa->children; c && sa->keep->claims_again; c = c->next)
		claim_again(c);
	sa->keep->claims_again = false;
	sa->alive_wanted = sa->alive_wanted || sa->state == S_UP;
	/* What was asked about routes is lost. */
	if (sa->conn && (sa->mobike.left || sa->mobike.silent))
		mobike_look(sa);
	create_resume(sa);
	sa = sa_find(e, own_spi);
	if (sa)
		sa_settle(sa);
}

static void go_on_conn(struct conn *c)
{
	if (c->renews && !sa_find(c->e, c->renews))
		c->renews = 0;
	if (!c->begun) {
		conn_begin(c);
		return;
	}
	for (size_t i = 0; i < c->conf->n_children; i++) {
		if (!c->children[i].guarded)
			actions_guard(&c->e->actions, c->conf->name, c->conf->children[i].name,
				      false);
	}
	if (c->wanted)
		conn_push(c);
	conn_look(c);
}

/* What nobody has asked for by now is nobody's. */
static void sweep(struct ike_engine *e, enum sa_plane plane)
{
	struct sa_cmd cmd = { .op = SA_SWEEP, .sa = { .plane = plane } };

	if (actions_sa(&e->actions, &cmd) != OK)
		e->stats.dropped[ERR_NOMEM]++;
}

static void go_on_children(struct ike_sa *sa, enum sa_plane plane)
{
	for (struct child_sa *c = sa->children; c; c = c->next) {
		if (c->plane == plane && c->conf)
			go_on_child(c);
	}
	sa_schedule(sa);
}

static void go_on_plane(struct ike_engine *e, enum sa_plane plane)
{
	reinstall_all(e, plane);
	for (size_t i = 0; i < e->n_conns; i++) {
		for (struct ike_sa *sa = e->conns[i]->sas; sa; sa = sa->next)
			go_on_children(sa, plane);
	}
}

void restore_plane(struct ike_engine *e, enum sa_plane plane)
{
	for (size_t i = 0; i < e->n_conns; i++) {
		for (struct ike_sa *sa = e->conns[i]->sas; sa; sa = sa->next)
			disown_all(sa, plane);
	}
	go_on_plane(e, plane);
	sweep(e, plane);
}

void ike_engine_resume(struct ike_engine *e, mono_ns now)
{
	e->now = now > e->now ? now : e->now;
	sort(e);
	list_all(e);
	go_on_plane(e, PLANE_USER);
	go_on_plane(e, PLANE_KERNEL);
	sweep(e, PLANE_USER);
	if (plane_caps_esp(&e->env.kernel))
		sweep(e, PLANE_KERNEL);
	for (size_t i = 0; i < e->n_conns; i++)
		go_on_conn(e->conns[i]);
}
