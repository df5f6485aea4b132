/* SPDX-License-Identifier: Apache-2.0 */
/* Child SAs and their way into a data plane: see child.h. */
#include "ike/child.h"

#include <stdlib.h>

#include "ike/carry.h"
#include "ike/connection.h"
#include "ike/create.h"
#include "ike/exchange_auth.h"
#include "ike/exchange_create.h"
#include "ike/life.h"
#include "ike/note.h"

/* AES-GCM and ChaCha20 stay far from their bounds below 2^32 packets on one key (RFC 8221; A18). */
static const uint64_t packet_limit = UINT32_MAX;
/* Time to see to a new one before that: an eighth of it is minutes even at line rate. */
static const uint64_t packet_soft = UINT32_MAX / 8 * 7;

/* A plane that says nothing for so long does not answer any more. */
static const mono_ns plane_time = 10 * NS_PER_S;

enum { PATH_MTU_DEFAULT = 1500 };

enum err child_new(struct ike_sa *sa, const struct conf_child *conf, bool made_by_us,
		   struct child_sa **out)
{
	struct ike_engine *e = sa->e;
	struct child_sa *c = calloc(1, sizeof(*c));
	char why[CONF_PLANE_WHY_MAX];
	enum err err;

	*out = NULL;
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

/* ---- what a data plane is told ---- */

/* How much one key may carry; lifetimes that are configured would go here. CBC with a block of 128
 * bits has a bound of its own that nobody reaches, but numbers of 32 bits run out. */
static void set_limits(struct sa_desc *d, const struct suite *s)
{
	if (!s->encr->aead && s->esn)
		return;
	d->packet_limit = packet_limit;
	d->packet_soft = packet_soft;
}

static struct sa_desc describe(const struct child_sa *c, enum sa_dir dir)
{
	/* The initiator of the exchange sends with the i keys (RFC 7296 2.17). */
	bool i_keys = (dir == SA_OUT) == c->made_by_us;
	struct sa_desc d = {
		.dir = dir,
		.mode = c->mode,
		.plane = c->plane,
		.spi = dir == SA_IN ? c->spi_in : c->spi_out,
		.twin_spi = dir == SA_IN ? c->spi_out : c->spi_in,
		.child_id = c->id,
		.reqid = c->conf->reqid,
		.path = c->sa->path,
		.encap = c->sa->encap,
		.esn = c->suite.esn,
		.replay_window = dir == SA_IN ? c->conf->replay_window : 0,
		.encr_id = c->suite.encr->id,
		.encr_key_bits = c->suite.encr->key_bits,
		.integ_id = c->suite.integ ? c->suite.integ->id : 0,
		.encr_key = i_keys ? c->keys.i_encr : c->keys.r_encr,
		.integ_key = i_keys ? c->keys.i_integ : c->keys.r_integ,
		.local = *child_local(c),
		.remote = *child_remote(c),
		.acquire = dir == SA_OUT ? acquire_number(c->sa->conn, c->conf) : 0,
		.nat_local = c->nat.local,
		.nat_remote = c->nat.remote,
		.offload = c->conf->offload,
		.headers = conf_child_headers(c->conf),
		.if_id = sa_if_id(c->conf->interface, c->conf->reqid),
	};

	set_limits(&d, &c->suite);
	note_print(d.connection, sizeof(d.connection), "%s", c->sa->conn->conf->name);
	note_print(d.child, sizeof(d.child), "%s", c->conf->name);
	return d;
}

static enum err install(struct child_sa *c, enum sa_dir dir)
{
	struct sa_cmd cmd = { .op = SA_INSTALL, .sa = describe(c, dir) };
	enum err err = ticket_take(&c->ticket, c->sa, c);

	c->asked = c->sa->e->now;
	if (err == OK) {
		cmd.ticket = c->ticket.number;
		err = actions_sa(&c->sa->e->actions, &cmd);
	}
	secret_wipe(&cmd, sizeof(cmd)); /* not sa_desc_wipe: the selectors are the child's */
	return err;
}

static enum err command(struct child_sa *c, enum sa_op op, enum sa_dir dir, uint64_t ticket)
{
	struct sa_cmd cmd = {
		.op = op,
		.ticket = ticket,
		.sa = {
			.dir = dir, .plane = c->plane, .mode = c->mode,
			.path = c->sa->path, .encap = c->sa->encap,
			.spi = dir == SA_IN ? c->spi_in : c->spi_out,
			.twin_spi = dir == SA_IN ? c->spi_out : c->spi_in,
			.child_id = c->id, .reqid = c->conf->reqid,
			.if_id = sa_if_id(c->conf->interface, c->conf->reqid),
		},
	};

	note_print(cmd.sa.connection, sizeof(cmd.sa.connection), "%s", c->sa->conn->conf->name);
	note_print(cmd.sa.child, sizeof(cmd.sa.child), "%s", c->conf->name);
	return actions_sa(&c->sa->e->actions, &cmd);
}

/* ---- ends ---- */

/* A removal that finds no memory leaves an SA in the plane that nobody renews: it ends at its
 * packet limit, and its selectors stay guarded. */
static void take_half_out(struct child_sa *c, enum sa_dir dir)
{
	if (command(c, SA_REMOVE, dir, 0) != OK)
		c->sa->e->stats.dropped[ERR_NOMEM]++;
}

static void take_out(struct child_sa *c)
{
	if (c->out_there)
		take_half_out(c, SA_OUT);
	if (c->in_there)
		take_half_out(c, SA_IN);
	c->out_there = false;
	c->in_there = false;
}

static void drop_tickets(struct child_sa *c)
{
	struct ike_engine *e = c->sa->e;

	ticket_drop(e, &c->ticket);
	ticket_drop(e, &c->query_in);
	ticket_drop(e, &c->query_out);
	ticket_drop(e, &c->move_in);
	ticket_drop(e, &c->move_out);
}

void child_free(struct child_sa *c)
{
	struct ike_engine *e = c->sa->e;
	struct child_sa **at = &c->sa->children;

	take_out(c);
	create_forget_child(c->sa, c);
	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	drop_tickets(c);
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

	if (!conf) {
		child_free(c); /* it was told already */
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
		conn_child_gone(sa->conn, conf);
}

void child_bury(struct child_sa *c)
{
	struct ike_engine *e = c->sa->e;
	struct ike_note n = note_of_sa(c->sa, IKE_NOTE_CHILD_DOWN, ERR_OPERATOR);

	note_print(n.child, sizeof(n.child), "%s", c->conf->name);
	n.spi = c->spi_in;
	if (c->stage == CHILD_UP)
		note_tell(e, &n);
	take_out(c);
	drop_tickets(c);
	child_keys_wipe(&c->keys);
	c->stage = CHILD_ASKED;
	c->conf = NULL;
	child_delete_later(c, ERR_OPERATOR);
}

bool child_stays(const struct child_sa *c)
{
	return !c->delete_wanted && !c->delete_sent;
}

void child_delete_later(struct child_sa *c, enum err why)
{
	c->why = why;
	c->delete_wanted = !c->delete_sent;
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
	err = install(c, SA_IN);
	c->in_there = err == OK;
	c->stage = CHILD_INBOUND;
	return err;
}

static enum err install_outbound(struct child_sa *c)
{
	enum err err = install(c, SA_OUT);

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
	struct ike_note n = note_of_sa(sa, IKE_NOTE_CHILD_UP, OK);
	char local[NOTE_TEXT_MAX / 2 - 2], remote[NOTE_TEXT_MAX / 2 - 2];

	c->stage = CHILD_UP;
	c->since = sa->e->now;
	c->mtu = child_mtu(c, PATH_MTU_DEFAULT);
	child_keys_wipe(&c->keys);
	note_print(n.child, sizeof(n.child), "%s", c->conf->name);
	suite_text(&c->suite, n.suite, sizeof(n.suite));
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
	if (is_surplus(c))
		child_delete(c, ERR_REPLACED);
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

	n.initiator = true; /* it is our own failure, whoever asked for the child */
	child_explain_plane(c, err, why, &n);
	note_tell(sa->e, &n);
	take_out(c);
	conn_child_failed(sa, c->conf, err);
	child_delete(c, err);
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
	if (err == OK && c->stage == CHILD_INBOUND)
		err = install_outbound(c);
	else if (err == OK && c->stage == CHILD_OUTBOUND)
		up(c);
	if (err != OK)
		refused(c, err, done->why);
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
	if (done->err == OK)
		*(t == &c->query_in ? &c->in : &c->out) = done->counters;
	ticket_drop(e, t == &c->query_in ? &c->query_in : &c->query_out);
}

void child_plane_gone(struct child_sa *c, enum sa_plane plane)
{
	if (c->plane != plane || c->stage != CHILD_UP)
		return;
	c->in_there = false;
	c->out_there = false;
	child_delete(c, ERR_SYSTEM);
}

void child_expired(struct child_sa *c, bool soft)
{
	struct ike_note n;

	if (!soft) {
		/* Until there is rekeying it is made anew: by `always`, or by the next packet. */
		child_delete(c, ERR_LIMIT);
		return;
	}
	/* Rekeying begins here. */
	c->sa->e->stats.soft_limits++;
	n = note_of_sa(c->sa, IKE_NOTE_CHILD_LIMIT, OK);
	note_print(n.child, sizeof(n.child), "%s", c->conf->name);
	note_print(n.text, sizeof(n.text), "its key has carried most of what it may");
	n.spi = c->spi_in;
	note_tell(c->sa->e, &n);
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

	while (c && (c->spi_out != spi_out || spi_out == 0))
		c = c->next;
	return c;
}

static enum err move_half(struct child_sa *c, enum sa_dir dir, struct ticket *t)
{
	enum err err = ticket_take(t, c->sa, c);

	return err == OK ? command(c, SA_MOVE, dir, t->number) : err;
}

void child_move(struct child_sa *c, const struct addr *was)
{
	bool other_host = c->mode == SA_TRANSPORT && !addr_eq(was, &c->sa->path.remote.addr);
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
	if (ticket_take(t, c->sa, c) == OK && command(c, SA_QUERY, dir, t->number) != OK)
		ticket_drop(c->sa->e, t);
}

void child_query(struct child_sa *c)
{
	if (c->stage != CHILD_UP)
		return;
	query_half(c, SA_IN, &c->query_in);
	query_half(c, SA_OUT, &c->query_out);
}
