/* SPDX-License-Identifier: Apache-2.0 */
/* What people do to a connection, or to one child of it: up and down. Only `down` lifts guards. See
 * connection.h. */
#include <string.h>

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/exchange_create.h"
#include "ike/life.h"
#include "ike/note.h"
#include "ike/proof.h"
#include "ike/rekey.h"
#include "ike/rekey_ike.h"

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

void conn_up(struct conn *c, const char *child)
{
	c->down = false;
	for (size_t i = 0; i < c->conf->n_children; i++) {
		if (!is_child(c, i, child))
			continue;
		c->children[i].down = false;
		set_guard(c, i, true);
		if (!c->conf->any_address)
			conn_child_want(c, &c->children[i]);
	}
	/* Who says so wants the peer asked, whatever it said before. */
	for (struct ike_sa *sa = c->sas; sa; sa = sa->next)
		sa->full = false;
	c->tries = 0;
	if (c->conf->any_address)
		tell_not_ours_to_begin(c);
	else
		conn_push(c);
}

static void down_whole(struct conn *c)
{
	struct ike_sa *sa = c->sas;

	conn_want_nothing(c);
	c->down = true;
	c->resolving = false;
	c->tries = 0;
	c->since = c->e->now;
	acquire_fail(c);
	conn_plan_try(c, NEVER);
	while (sa) {
		struct ike_sa *next = sa->next;

		sa_close(sa, ERR_OPERATOR, 0);
		sa = next;
	}
}

static void down_child(struct conn *c, const struct conf_child *conf)
{
	conn_child_unwant(c, conf);
	for (struct ike_sa *sa = c->sas; sa; sa = sa->next) {
		create_cancel(sa, conf);
		for (struct child_sa *child = sa->children; child; child = child->next) {
			if (child->conf == conf && child_stays(child))
				child_delete_later(child, ERR_OPERATOR);
		}
		sa_settle(sa);
	}
}

/* Attempts that nothing is to come of. */
static void stop_trying(struct conn *c)
{
	struct ike_sa *sa = c->sas;

	c->resolving = false;
	conn_plan_try(c, NEVER);
	while (sa) {
		struct ike_sa *next = sa->next;

		if (sa->state == S_INIT_SENT || sa->state == S_AUTH_SENT)
			sa_close(sa, ERR_OPERATOR, 0);
		sa = next;
	}
}

void conn_down(struct conn *c, const char *child)
{
	size_t left = 0;

	for (size_t i = 0; i < c->conf->n_children; i++) {
		if (is_child(c, i, child)) {
			c->children[i].down = true;
			set_guard(c, i, false);
		}
		left += !c->children[i].down;
	}
	for (size_t i = 0; i < c->conf->n_children && left > 0; i++) {
		if (is_child(c, i, child))
			down_child(c, &c->conf->children[i]);
	}
	if (left == 0)
		down_whole(c);
	else if (!c->wanted)
		stop_trying(c);
}

static void rekey_children(struct ike_sa *sa, const char *name)
{
	struct child_sa *child = sa->children;

	while (child) {
		struct child_sa *next = child->next;

		if (child->conf && (!name || strcmp(child->conf->name, name) == 0))
			rekey_want(child);
		child = next;
	}
}

void conn_rekey(struct conn *c, const char *child, enum ike_rekey what)
{
	struct ike_sa *sa = c->sas;

	if (what == IKE_REKEY_PROOF && c->conf->any_address)
		tell_not_ours_to_begin(c);
	while (sa) {
		struct ike_sa *next = sa->next;

		if (sa->state == S_UP && what == IKE_REKEY_CHILD)
			rekey_children(sa, child);
		else if (sa->state == S_UP && what == IKE_REKEY_IKE)
			rekey_ike_want(sa);
		else if (sa->state == S_UP)
			proof_want(sa);
		sa = next;
	}
}

void conn_command(struct conn *c, const struct ike_event *ev)
{
	if (ev->kind == IKE_EV_UP)
		conn_up(c, ev->command.child);
	else if (ev->kind == IKE_EV_DOWN)
		conn_down(c, ev->command.child);
	else
		conn_rekey(c, ev->command.child, ev->command.rekey);
}
