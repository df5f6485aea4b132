/* SPDX-License-Identifier: Apache-2.0 */
/* Child SAs and their way into a data plane: see child.h. */
#include "ike/child.h"

#include <stdlib.h>

#include "ike/carry.h"
#include "ike/child_plane.h"
#include "ike/connection.h"
#include "ike/cover.h"
#include "ike/create.h"
#include "ike/exchange_auth.h"
#include "ike/exchange_create.h"
#include "ike/life.h"
#include "ike/note.h"
#include "ike/rekey.h"
#include "ike/renew.h"
#include "ike/restore.h"

/* A plane that says nothing for so long does not answer any more. */
static const mono_ns plane_time = 10 * NS_PER_S;

enum { PATH_MTU_DEFAULT = 1500 };

size_t child_count(const struct ike_sa *sa)
{
	size_t n = 0;

	for (const struct child_sa *c = sa->children; c; c = c->next)
		n++;
	return n;
}

enum err child_judge_room(const struct ike_sa *sa, size_t more, bool replaces)
{
	size_t max = replaces ? 2 * SA_SELECTORS_MAX : SA_SELECTORS_MAX;

	for (const struct child_sa *c = sa->children; c; c = c->next) {
		if (child_stays(c))
			more += (size_t)c->ts.i.n + c->ts.r.n;
	}
	return more <= max ? OK : ERR_NO_ADDITIONAL_SAS;
}

enum err child_new(struct ike_sa *sa, const struct conf_child *conf, bool made_by_us,
		   struct child_sa **out)
{
	struct ike_engine *e = sa->e;
	struct child_sa *c;
	char why[CONF_PLANE_WHY_MAX];
	enum err err;

	*out = NULL;
	if (child_count(sa) >= SA_PAIRS_MAX)
		return ERR_LIMIT;
	c = calloc(1, sizeof(*c));
	if (!c)
		return ERR_NOMEM;
	c->sa = sa;
	c->conf = conf;
	c->made_by_us = made_by_us;
	c->plane = carry_plane(e, sa->conn->conf, conf, why);
	c->offload = OFFLOAD_NO;
	c->mode = SA_TUNNEL;
	c->id = ++e->last_child_id;
	err = spi_take(&e->spis, &e->env.random, c->plane, e->env.n_owners, &c->spi_in);
	if (err != OK) {
		free(c);
		return err;
	}
	c->next = sa->children;
	sa->children = c;
	*out = c;
	return OK;
}

const struct ts_list *child_local(const struct child_sa *c)
{
	return c->made_by_us ? &c->ts.i : &c->ts.r;
}

const struct ts_list *child_remote(const struct child_sa *c)
{
	return c->made_by_us ? &c->ts.r : &c->ts.i;
}

/* ---- ends ---- */

void child_free(struct child_sa *c)
{
	struct ike_engine *e = c->sa->e;
	struct child_sa **at = &c->sa->children;

	child_plane_take_out(c);
	create_forget_child(c->sa, c);
	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	/* It may have been the last that kept an IKE SA which another one replaces. */
	if (renew_is_old(c->sa))
		conn_look(c->sa->conn);
	child_plane_drop_tickets(c);
	spi_give(&e->spis, c->spi_in);
	ts_pair_free(&c->ts);
	secret_free(c, sizeof(*c));
}

void child_end(struct child_sa *c, enum err why)
{
	struct ike_sa *sa = c->sa;
	struct ike_note n = note_of_sa(sa, IKE_NOTE_CHILD_DOWN, why);
	struct ike_engine *e = sa->e;
	const struct conf_child *conf = c->conf;
	bool was_up = c->stage == CHILD_UP;

	/* It was told already, or another one carries on. */
	if (!conf || c->rekey.lingers || cover_is_there(c, CHILD_HELD)) {
		child_free(c);
		sa->full = false;
		return;
	}
	note_print(n.child, sizeof(n.child), "%s", conf->name);
	n.spi = c->spi_in;
	child_free(c);
	if (was_up)
		note_tell(e, &n);
	sa->full = false; /* there is room for another one */
	/* One that the peer deletes while it is being put in is wanted no less. */
	if (sa->state == S_UP && (was_up || why == ERR_PEER_DELETED))
		conn_child_gone(sa->conn, conf, why);
}

void child_bury(struct child_sa *c)
{
	struct ike_engine *e = c->sa->e;
	struct ike_note n = note_of_sa(c->sa, IKE_NOTE_CHILD_DOWN, ERR_OPERATOR);

	note_print(n.child, sizeof(n.child), "%s", c->conf->name);
	n.spi = c->spi_in;
	if (c->stage == CHILD_UP)
		note_tell(e, &n);
	child_plane_take_out(c);
	child_plane_drop_tickets(c);
	child_keys_wipe(&c->keys);
	c->stage = CHILD_ASKED;
	c->conf = NULL;
	child_delete_later(c, ERR_OPERATOR);
}

bool child_stays(const struct child_sa *c)
{
	return !c->delete_wanted && !c->delete_sent && !c->rekey.lingers;
}

void child_delete_later(struct child_sa *c, enum err why)
{
	c->why = why;
	c->delete_wanted = !c->delete_sent && !c->rekey.lingers;
}

void child_delete(struct child_sa *c, enum err why)
{
	child_delete_later(c, why);
	sa_settle(c->sa);
}

/* ---- installing ---- */

enum err child_install_inbound(struct child_sa *c, const struct proposal_chosen *chosen,
			       const struct keymat_seed *seed)
{
	enum err err;

	c->suite = chosen->suite;
	c->spi_out = (uint32_t)chosen->spi;
	err = keymat_child(&c->suite, c->sa->suite.prf, &c->sa->keys.d, seed, &c->keys);
	if (err != OK)
		return err;
	err = child_plane_install(c, SA_IN);
	c->in_there = err == OK;
	c->stage = CHILD_INBOUND;
	return err;
}

static enum err install_outbound(struct child_sa *c)
{
	enum err err = child_plane_install(c, SA_OUT);

	c->out_there = err == OK;
	c->stage = CHILD_OUTBOUND;
	return err;
}

/* Both ends made it at once, and the peer's stays: see ike/exchange_create.h. */
static bool is_surplus(const struct child_sa *c)
{
	for (const struct child_sa *o = c->sa->children; o && c->surplus; o = o->next) {
		if (o != c && o->conf == c->conf && !o->made_by_us && child_stays(o))
			return true;
	}
	return false;
}

static void up(struct child_sa *c)
{
	struct ike_sa *sa = c->sa;
	struct ike_note n =
		note_of_sa(sa, rekey_old(c) ? IKE_NOTE_CHILD_REKEYED : IKE_NOTE_CHILD_UP, OK);
	char local[NOTE_TEXT_MAX / 2 - 2], remote[NOTE_TEXT_MAX / 2 - 2];

	c->stage = CHILD_UP;
	c->since = sa->e->now;
	c->mtu = child_mtu(c, PATH_MTU_DEFAULT);
	child_keys_wipe(&c->keys);
	note_print(n.child, sizeof(n.child), "%s", c->conf->name);
	note_print_suite(&n, &c->suite);
	note_print_ts(local, sizeof(local), child_local(c));
	note_print_ts(remote, sizeof(remote), child_remote(c));
	note_print(n.text, sizeof(n.text), "%s = %s", local, remote);
	n.mtu = c->mtu;
	n.spi = c->spi_in;
	n.plane = c->plane;
	n.mode = c->mode;
	actions_mtu(&sa->e->actions, n.connection, n.child, c->mtu);
	note_tell(sa->e, &n);
	conn_child_up(sa->conn, c->conf);
	rekey_plan(c);
	if (is_surplus(c))
		child_delete(c, ERR_REPLACED);
	else
		rekey_settle(sa, c->replaces);
}

void child_explain_plane(const struct child_sa *c, enum err err, const char *why,
			 struct ike_note *n)
{
	note_print(n->child, sizeof(n->child), "%s", c->conf->name);
	note_print(n->text, sizeof(n->text), "the %s data plane refused the %s SA: %s",
		   c->plane == PLANE_USER ? "userspace" : "kernel",
		   c->stage == CHILD_INBOUND ? "inbound" : "outbound",
		   why[0] ? why : err_text(err));
}

/* What both halves have. */
static enum sa_offload weaker(enum sa_offload a, enum sa_offload b)
{
	return a < b ? a : b;
}

/* A half was refused: the other one goes too, and the peer, who has the whole, is told. The IKE SA
 * stays. */
static void refused(struct child_sa *c, enum err err, const char *why)
{
	struct ike_sa *sa = c->sa;
	struct ike_note n = note_of_sa(sa, IKE_NOTE_CHILD_FAILED, err);

	if (rekey_old(c))
		n.kind = IKE_NOTE_REKEY_FAILED;
	n.initiator = true; /* it is our own failure, whoever asked for the child */
	child_explain_plane(c, err, why, &n);
	note_tell(sa->e, &n);
	child_plane_take_out(c);
	rekey_or_child_failed(sa, c->replaces, c->conf, err);
	if (c->restored && !rekey_old(c))
		conn_child_renew(sa->conn, c->conf); /* it was not its fault */
	child_delete_later(c, err);
}

static void on_installed(struct child_sa *c, const struct sa_done *done)
{
	struct ike_sa *sa = c->sa;
	enum err err = done->err;
	enum sa_offload given = done->offload == OFFLOAD_AUTO ? OFFLOAD_NO : done->offload;

	c->offload = c->stage == CHILD_INBOUND ? given : weaker(c->offload, given);
	if (c->stage == CHILD_INBOUND && sa->hs && sa->hs->wait == WAIT_INSTALL) {
		auth_on_installed(sa, done);
		return;
	}
	if (c->stage == CHILD_INBOUND && sa->theirs && sa->theirs->deal.child == c) {
		create_on_installed(sa, done);
		return;
	}
	/* By one that is to go meanwhile nothing shall be sent. */
	if (err == OK && c->stage == CHILD_INBOUND)
		err = child_stays(c) ? install_outbound(c) : OK;
	else if (err == OK && c->stage == CHILD_OUTBOUND)
		up(c);
	if (err == OK)
		return;
	refused(c, err, done->why);
	sa_settle(sa);
}

void child_go_on(struct child_sa *c)
{
	enum err err = install_outbound(c);

	if (err != OK)
		refused(c, err, "");
}

/* One that did not follow carries nothing any more: a new one takes its place. */
static void on_moved(struct child_sa *c, const struct sa_done *done, struct ticket *t)
{
	struct ike_note n;

	ticket_drop(c->sa->e, t);
	if (done->err == OK || c->delete_wanted || c->delete_sent)
		return;
	n = note_of_sa(c->sa, IKE_NOTE_CHILD_FAILED, done->err);
	note_print(n.child, sizeof(n.child), "%s", c->conf->name);
	note_print(n.text, sizeof(n.text), "it could not follow its peer to another address: %s",
		   done->why[0] ? done->why : err_text(done->err));
	note_tell(c->sa->e, &n);
	child_delete(c, done->err);
}

/* Not every plane knows when a packet came (xfrm/kernel.c). */
static void note_came(struct child_sa *c, const struct sa_counters *now)
{
	if (c->looked > 0 && now->packets > c->in.packets)
		c->came = c->looked;
	c->looked = c->sa->e->now;
}

static void on_counters(struct child_sa *c, enum sa_dir dir, const struct sa_done *done)
{
	bool missed = done->err == ERR_NOT_FOUND && c->restored;
	bool unheard = done->err != OK && c->restored && !missed;
	/* What the plane has said of that there was perhaps no engine to hear. */
	bool worn = done->err == OK && c->restored && c->stage == CHILD_UP &&
		    child_plane_is_worn(c, &done->counters);

	if (done->err == OK && dir == SA_IN)
		note_came(c, &done->counters);
	if (done->err == OK)
		*(dir == SA_IN ? &c->in : &c->out) = done->counters;
	else
		c->rekey.idle_asked = false;
	ticket_drop(c->sa->e, dir == SA_IN ? &c->query_in : &c->query_out);
	if (dir == SA_IN)
		sa_looked(c->sa, c);
	c->restored = c->restored && (c->query_in.number != 0 || c->query_out.number != 0);
	if (missed)
		restore_missed(c, dir);
	else if (unheard)
		restore_unheard(c);
	else if (worn)
		child_expired(c, true);
	else
		rekey_on_counters(c);
}

void child_on_plane(struct child_sa *c, const struct ticket *t, const struct sa_done *done)
{
	struct ike_engine *e = c->sa->e;

	if (t == &c->ticket) {
		ticket_drop(e, &c->ticket);
		if (done->err != OK)
			*(c->stage == CHILD_INBOUND ? &c->in_there : &c->out_there) = false;
		on_installed(c, done);
		return;
	}
	if (t == &c->move_in || t == &c->move_out) {
		on_moved(c, done, t == &c->move_in ? &c->move_in : &c->move_out);
		return;
	}
	on_counters(c, t == &c->query_in ? SA_IN : SA_OUT, done);
}

void child_plane_gone(struct child_sa *c, enum sa_plane plane)
{
	if (c->plane != plane || (c->stage != CHILD_UP && c->stage != CHILD_HELD))
		return;
	c->in_there = false;
	c->out_there = false;
	child_delete(c, ERR_SYSTEM);
}

void child_expired(struct child_sa *c, bool soft)
{
	struct ike_note n;

	if (!c->conf)
		return; /* it is buried, and was told */
	if (!soft) {
		rekey_overdue(c);
		sa_settle(c->sa);
		return;
	}
	c->sa->e->stats.soft_limits++;
	n = note_of_sa(c->sa, IKE_NOTE_CHILD_LIMIT, OK);
	note_print(n.child, sizeof(n.child), "%s", c->conf->name);
	note_print(n.text, sizeof(n.text), "its key has carried most of what it may");
	n.spi = c->spi_in;
	note_tell(c->sa->e, &n);
	rekey_want(c);
}

mono_ns child_deadline(const struct child_sa *c)
{
	return c->ticket.number ? c->asked + plane_time : NEVER;
}

/* It may still put the half in, and nobody would know of it. So the half counts as there, and its
 * removal is sent behind the command that puts it in. */
void child_tick(struct child_sa *c)
{
	static const struct sa_done silent = { .err = ERR_SYSTEM, .why = "it does not answer" };

	if (child_deadline(c) > c->sa->e->now)
		return;
	ticket_drop(c->sa->e, &c->ticket);
	on_installed(c, &silent);
}

struct child_sa *child_find_out(const struct ike_sa *sa, uint32_t spi_out)
{
	struct child_sa *c = sa->children;

	while (c && (c->spi_out != spi_out || spi_out == 0 || c->rekey.lingers))
		c = c->next;
	return c;
}

static enum err move_half(struct child_sa *c, enum sa_dir dir, struct ticket *t)
{
	enum err err = ticket_take(t, c->sa, c);

	return err == OK ? child_plane_command(c, SA_MOVE, dir, t->number) : err;
}

void child_move(struct child_sa *c, const struct path *was)
{
	const struct path *is = &c->sa->path;
	bool other_host =
		c->mode == SA_TRANSPORT && (!addr_eq(&was->remote.addr, &is->remote.addr) ||
					    !addr_eq(&was->local.addr, &is->local.addr));
	enum err err = other_host ? ERR_REPLACED : OK;

	if (err == OK && c->in_there)
		err = move_half(c, SA_IN, &c->move_in);
	if (err == OK && c->out_there)
		err = move_half(c, SA_OUT, &c->move_out);
	if (err == OK)
		return;
	child_delete_later(c, err);
}

/* For want of memory the old numbers stay. */
static void query_half(struct child_sa *c, enum sa_dir dir, struct ticket *t)
{
	if (ticket_take(t, c->sa, c) == OK &&
	    child_plane_command(c, SA_QUERY, dir, t->number) != OK)
		ticket_drop(c->sa->e, t);
}

void child_query(struct child_sa *c)
{
	if (c->stage != CHILD_UP)
		return;
	query_half(c, SA_IN, &c->query_in);
	query_half(c, SA_OUT, &c->query_out);
}
