/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of actions: see actions.h. Each item is one allocation with room for what its kind
 * needs and no more (an answer to a stranger is a few hundred bytes), so that freeing it is one
 * wipe; only the selectors of an SA hang off it. */
#include "ike/actions.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_SPANS = 4, RESERVE_MAX = 64 };

struct child_names {
	char connection[CONF_NAME_MAX + 1];
	char child[CONF_NAME_MAX + 1];
};

struct action_item {
	struct action_item *next;
	struct ike_action act;
	size_t room;			       /* behind the item: */
	_Alignas(max_align_t) uint8_t bytes[]; /* what its kind holds, then borrowed bytes */
};

static struct action_item *item_new(enum ike_action_kind kind, size_t room)
{
	struct action_item *it = calloc(1, sizeof(*it) + room);

	if (it) {
		it->act.kind = kind;
		it->room = room;
	}
	return it;
}

static void item_free(struct action_item *it)
{
	if (!it)
		return;
	if (it->act.kind == IKE_ACT_SA)
		sa_desc_wipe(&((struct sa_cmd *)(void *)it->bytes)->sa);
	secret_free(it, sizeof(*it) + it->room);
}

_Static_assert(sizeof(struct child_names) <= sizeof(struct sa_cmd),
	       "a guard fits into the reserve");

/* An item by which an SA was put in is there when an SA has to go: RESERVE_MAX of them are kept. */
static void item_spend(struct actions *q, struct action_item *it)
{
	bool kept = it && it->act.kind == IKE_ACT_SA && it->act.sa->op == SA_INSTALL &&
		    q->n_reserve < RESERVE_MAX;

	if (!kept) {
		item_free(it);
		return;
	}
	sa_desc_wipe(&((struct sa_cmd *)(void *)it->bytes)->sa);
	secret_wipe(it, sizeof(*it) + it->room);
	it->room = sizeof(struct sa_cmd);
	it->next = q->reserve;
	q->reserve = it;
	q->n_reserve++;
}

static struct action_item *item_from_reserve(struct actions *q, enum ike_action_kind kind)
{
	struct action_item *it = q->reserve;

	if (!it)
		return NULL;
	q->reserve = it->next;
	q->n_reserve--;
	it->next = NULL;
	it->act.kind = kind;
	return it;
}

/* Nobody would say again that an SA goes, or that there is a guard. The SA has its item back, so
 * that the reserve does not grow with those that come and go. */
static struct action_item *item_for_removal(struct actions *q)
{
	struct action_item *it = item_from_reserve(q, IKE_ACT_SA);

	return it ? it : item_new(IKE_ACT_SA, sizeof(struct sa_cmd));
}

static struct action_item *item_for_guard(struct actions *q)
{
	struct action_item *it = item_new(IKE_ACT_GUARD, sizeof(struct child_names));

	return it ? it : item_from_reserve(q, IKE_ACT_GUARD);
}

static void push(struct actions *q, struct action_item *it)
{
	if (q->tail)
		q->tail->next = it;
	else
		q->head = it;
	q->tail = it;
}

void actions_send(struct actions *q, const struct path *p, struct span bytes)
{
	struct action_item *it = item_new(IKE_ACT_SEND, bytes.len);
	struct wr w;

	if (!it)
		return;
	w = wr_into(it->bytes, it->room);
	wr_span(&w, bytes);
	it->act.send.path = *p;
	it->act.send.marker = p->local.port != 500;
	it->act.send.bytes = wr_done(&w);
	push(q, it);
}

void actions_keepalive(struct actions *q, const struct path *p)
{
	struct action_item *it = item_new(IKE_ACT_KEEPALIVE, 0);

	if (!it)
		return;
	it->act.send.path = *p;
	push(q, it);
}

enum err actions_sa(struct actions *q, const struct sa_cmd *cmd)
{
	struct action_item *it =
		cmd->op == SA_REMOVE ? item_for_removal(q) : item_new(IKE_ACT_SA, sizeof(*cmd));
	struct sa_cmd *held;
	enum err err;

	if (!it)
		return ERR_NOMEM;
	held = (struct sa_cmd *)(void *)it->bytes;
	*held = *cmd;
	err = sa_desc_copy(&held->sa, &cmd->sa);
	if (err != OK) {
		memset(&held->sa.local, 0, sizeof(held->sa.local));
		memset(&held->sa.remote, 0, sizeof(held->sa.remote));
		item_free(it);
		return err;
	}
	it->act.sa = held;
	push(q, it);
	return OK;
}

/* Copies one borrowed span behind the item and points to the copy. */
static void keep_span(struct wr *w, struct span *s)
{
	const uint8_t *at = w->p;

	wr_span(w, *s);
	*s = span_of(at, s->len);
}

/* The spans that a job of each kind borrows. */
static size_t job_spans(struct job *j, struct span *out[static SCRATCH_SPANS])
{
	switch (j->kind) {
	case JOB_SIGN:
		out[0] = &j->sign.octets;
		return 1;
	case JOB_PSK_MAC:
		out[0] = &j->psk_mac.octets;
		return 1;
	case JOB_VERIFY:
		out[0] = &j->verify.chain;
		out[1] = &j->verify.auth;
		out[2] = &j->verify.octets;
		return 3;
	case JOB_KE:
		out[0] = &j->ke.secret;
		out[1] = &j->ke.peer;
		return 2;
	}
	return 0;
}

enum err actions_job(struct actions *q, const struct job *job)
{
	struct job j = *job;
	struct span *spans[SCRATCH_SPANS] = { NULL };
	size_t n = job_spans(&j, spans), room = sizeof(j);
	struct action_item *it;
	struct job *held;
	struct wr w;

	for (size_t i = 0; i < n; i++)
		room += spans[i]->len;
	it = item_new(IKE_ACT_JOB, room);
	if (!it)
		return ERR_NOMEM;
	held = (struct job *)(void *)it->bytes;
	w = wr_into(it->bytes + sizeof(j), it->room - sizeof(j));
	for (size_t i = 0; i < n; i++)
		keep_span(&w, spans[i]);
	*held = j;
	it->act.job = held;
	push(q, it);
	return OK;
}

void actions_resolve(struct actions *q, const struct conf_connection *cn)
{
	struct action_item *it = item_new(IKE_ACT_RESOLVE, 0);

	if (!it)
		return;
	it->act.resolve.connection = cn;
	push(q, it);
}

void actions_route(struct actions *q, const struct ike_route_question *question)
{
	struct action_item *it = item_new(IKE_ACT_ROUTE, sizeof(*question));
	struct ike_route_question *held;

	if (!it)
		return;
	held = (struct ike_route_question *)(void *)it->bytes;
	*held = *question;
	it->act.route = held;
	push(q, it);
}

static void push_child(struct actions *q, struct action_item *it, const char *connection,
		       const char *child)
{
	struct child_names *held = (struct child_names *)(void *)it->bytes;

	snprintf(held->connection, sizeof(held->connection), "%s", connection);
	snprintf(held->child, sizeof(held->child), "%s", child);
	it->act.child.connection = held->connection;
	it->act.child.child = held->child;
	push(q, it);
}

void actions_guard(struct actions *q, const char *connection, const char *child, bool guarded)
{
	struct action_item *it = item_for_guard(q);

	if (!it)
		return;
	it->act.child.guarded = guarded;
	push_child(q, it, connection, child);
}

void actions_mtu(struct actions *q, const char *connection, const char *child, uint16_t mtu)
{
	struct action_item *it = item_new(IKE_ACT_CHILD_MTU, sizeof(struct child_names));

	if (!it)
		return;
	it->act.child.mtu = mtu;
	push_child(q, it, connection, child);
}

void actions_note(struct actions *q, const struct ike_note *note)
{
	struct action_item *it = item_new(IKE_ACT_NOTE, sizeof(*note));
	struct ike_note *held;

	if (!it)
		return;
	held = (struct ike_note *)(void *)it->bytes;
	*held = *note;
	it->act.note = held;
	push(q, it);
}

bool actions_next(struct actions *q, struct ike_action *a)
{
	struct action_item *it = q->head;

	item_spend(q, q->spent);
	q->spent = it;
	if (!it)
		return false;
	q->head = it->next;
	if (!q->head)
		q->tail = NULL;
	*a = it->act;
	return true;
}

void actions_drop_resolves(struct actions *q)
{
	struct action_item *it = q->head;

	q->head = NULL;
	q->tail = NULL;
	while (it) {
		struct action_item *next = it->next;

		it->next = NULL;
		if (it->act.kind == IKE_ACT_RESOLVE)
			item_free(it);
		else
			push(q, it);
		it = next;
	}
}

void actions_free(struct actions *q)
{
	struct ike_action a;

	while (actions_next(q, &a))
		;
	while (q->reserve) {
		struct action_item *it = q->reserve;

		q->reserve = it->next;
		free(it);
	}
	q->n_reserve = 0;
}
