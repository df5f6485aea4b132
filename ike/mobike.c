/* SPDX-License-Identifier: Apache-2.0 */
/* What is said and heard of MOBIKE: see mobike.h. Which way is taken is in ike/mobike_route.c. */
#include "ike/mobike.h"

#include <string.h>

#include "ike/connection.h"
#include "ike/core.h"
#include "ike/life.h"
#include "ike/note.h"
#include "ike/send.h"

/* ---- IKE_SA_INIT and IKE_AUTH ---- */

/* The hash of our address as the peer sees it. */
static bool seen_by_peer(const struct message *m, uint8_t seen[static NATD_LEN])
{
	struct pl_notify n;
	struct rd r;

	if (!message_notify(m, NOTIFY_NAT_DETECTION_DESTINATION_IP, &n))
		return false;
	r = rd_from(n.data);
	rd_copy(&r, seen, NATD_LEN);
	return rd_end(&r);
}

void mobike_begin(struct ike_sa *sa, bool natt)
{
	sa->mobike.natt = natt;
	sa->mobike.decides = sa->initiator;
}

static void put_address(struct builder *b, const struct addr *a)
{
	builder_notify(b,
		       a->family == AF_INET ? NOTIFY_ADDITIONAL_IP4_ADDRESS
					    : NOTIFY_ADDITIONAL_IP6_ADDRESS,
		       addr_span(a));
}

/* What a tunnel protects is reached through it, and is nothing for its outside. */
static bool is_inside(const struct conf_connection *cn, const struct addr *a)
{
	const struct net lone = { .addr = *a, .bits = (uint8_t)(8 * addr_len(a)) };
	const struct ts t = ts_from_net(&lone);

	for (size_t i = 0; i < cn->n_children; i++) {
		if (ts_list_covers(&cn->children[i].local, &t))
			return true;
	}
	return false;
}

/* Our addresses beside the one that the message leaves from. False: there are none. One that is
 * configured is the only one. */
static bool put_addresses(const struct ike_sa *sa, struct builder *b)
{
	const struct conf_connection *cn = sa->conn->conf;
	const struct ike_engine *e = sa->e;
	bool any = false;

	if (cn->local_address.family != AF_UNSPEC)
		return false;
	for (size_t i = 0; i < e->n_addrs; i++) {
		if (addr_eq(&e->addrs[i], &sa->path.local.addr) || is_inside(cn, &e->addrs[i]))
			continue;
		put_address(b, &e->addrs[i]);
		any = true;
	}
	return any;
}

/* Where no NAT is allowed, the addresses are protected (3.9). */
static void put_no_nats(const struct ike_sa *sa, struct builder *b)
{
	uint8_t data[2 * (16 + 2)];
	struct wr w = wr_into(data, sizeof(data));

	if (sa->mobike.natt)
		return;
	wr_span(&w, addr_span(&sa->path.local.addr));
	wr_span(&w, addr_span(&sa->path.remote.addr));
	wr_u16(&w, sa->path.local.port);
	wr_u16(&w, sa->path.remote.port);
	builder_notify(b, NOTIFY_NO_NATS_ALLOWED, wr_done(&w));
}

void mobike_put(struct ike_sa *sa, struct builder *b)
{
	/* As responder: only to a peer that speaks it. */
	if (!sa->conn->conf->mobike || (!sa->initiator && !sa->mobike.on))
		return;
	builder_notify(b, NOTIFY_MOBIKE_SUPPORTED, SPAN_EMPTY);
	(void)put_addresses(sa, b);
	if (sa->initiator)
		put_no_nats(sa, b);
}

static bool is_address(const struct pl_notify *n, struct addr *a)
{
	return (n->type == NOTIFY_ADDITIONAL_IP4_ADDRESS ||
		n->type == NOTIFY_ADDITIONAL_IP6_ADDRESS) &&
	       addr_from_span(a, n->data) &&
	       (a->family == AF_INET) == (n->type == NOTIFY_ADDITIONAL_IP4_ADDRESS);
}

/* All that the peer has: the one that it sends from, and those that it names. */
static void take_addresses(struct ike_sa *sa, const struct message *m, const struct addr *from)
{
	struct mobike *mb = &sa->mobike;
	struct pl_notify n;
	struct addr a;

	mb->addrs[0] = *from;
	mb->n_addrs = 1;
	for (const struct payload *p = message_find(m, PL_NOTIFY); p; p = message_next(m, p)) {
		if (mb->n_addrs < MOBIKE_ADDRS_MAX && pl_notify_decode(p->body, &n) == OK &&
		    is_address(&n, &a) && addr_is_host(&a))
			mb->addrs[mb->n_addrs++] = a;
	}
}

bool mobike_peer_has(const struct ike_sa *sa, const struct addr *a)
{
	for (size_t i = 0; i < sa->mobike.n_addrs; i++) {
		if (addr_eq(&sa->mobike.addrs[i], a))
			return true;
	}
	return false;
}

void mobike_take(struct ike_sa *sa, const struct message *m, const struct path *p)
{
	sa->mobike.on = sa->conn->conf->mobike && message_notify(m, NOTIFY_MOBIKE_SUPPORTED, NULL);
	sa->mobike.good = sa->path;
	if (sa->mobike.on)
		take_addresses(sa, m, &p->remote.addr);
}

bool mobike_hits_nat(const struct message *m, const struct path *p)
{
	struct pl_notify n;
	uint8_t data[2 * (16 + 2)];
	struct wr w = wr_into(data, sizeof(data));

	if (!message_notify(m, NOTIFY_NO_NATS_ALLOWED, &n))
		return false;
	/* As the peer has them: its own first. */
	wr_span(&w, addr_span(&p->remote.addr));
	wr_span(&w, addr_span(&p->local.addr));
	wr_u16(&w, p->remote.port);
	wr_u16(&w, p->local.port);
	return !span_eq(n.data, wr_done(&w));
}

void mobike_inherit(struct ike_sa *heir, const struct ike_sa *old)
{
	struct mobike *mb = &heir->mobike;

	*mb = old->mobike;
	mb->update_due = mb->update_due || mb->update_out;
	mb->list_due = mb->list_due || mb->list_out;
	mb->update_out = false;
	mb->list_out = false;
	mb->cookie_out = false;
	mb->seen_known = false;
}

void mobike_end(struct ike_sa *sa)
{
	struct mobike *mb = &sa->mobike;

	mb->on = false;
	mb->decides = false;
	mb->update_due = mb->update_out = false;
	mb->list_due = mb->list_out = false;
}

void mobike_moved(struct ike_sa *sa)
{
	sa->mobike.stale = true;
	sa->mobike.left = false;
	sa->mobike.stays = false;
}

/* ---- asking ---- */

bool mobike_is_due(const struct ike_sa *sa)
{
	return sa->mobike.update_due || sa->mobike.list_due;
}

static void put_natd(struct ike_sa *sa, struct builder *b)
{
	struct ike_header h = send_header(sa, X_INFORMATIONAL, false, sa->window.next_out);

	/* Without them it says less, and is as true. */
	if (sa->mobike.natt)
		(void)!natd_add(b, &h, &sa->path, sa->conn->conf->encap == CONF_ENCAP_ALWAYS);
}

static void put_cookie(struct ike_sa *sa, struct builder *b)
{
	struct mobike *mb = &sa->mobike;

	mb->cookie_out = random_fill(&sa->e->env.random, mb->cookie, sizeof(mb->cookie));
	if (mb->cookie_out)
		builder_notify(b, NOTIFY_COOKIE2, span_of(mb->cookie, sizeof(mb->cookie)));
}

bool mobike_ask(struct ike_sa *sa, struct builder *b)
{
	struct mobike *mb = &sa->mobike;

	if (!mobike_is_due(sa))
		return false;
	mb->update_out = mb->update_due;
	mb->list_out = mb->list_due;
	mb->stale = false;
	if (mb->update_due) {
		builder_notify(b, NOTIFY_UPDATE_SA_ADDRESSES, SPAN_EMPTY);
		put_natd(sa, b);
		put_cookie(sa, b);
	}
	if (mb->list_due && !put_addresses(sa, b))
		builder_notify(b, NOTIFY_NO_ADDITIONAL_ADDRESSES, SPAN_EMPTY);
	put_no_nats(sa, b);
	mb->update_due = false;
	mb->list_due = false;
	return true;
}

void mobike_add(struct ike_sa *sa, struct builder *b)
{
	if (!sa->mobike.on)
		return;
	/* libreswan gives a cookie back only beside these. */
	if (move_is_asking(sa) || (sa->mobike.decides && sa->nat_here))
		put_natd(sa, b);
	if (move_is_asking(sa))
		put_cookie(sa, b);
}

void mobike_put_back(struct ike_sa *sa)
{
	struct mobike *mb = &sa->mobike;

	mb->update_due = mb->update_due || mb->update_out;
	mb->list_due = mb->list_due || mb->list_out;
	mb->update_out = false;
	mb->list_out = false;
	mb->cookie_out = false;
}

/* ---- answering ---- */

/* As natd says; where we pretend to have one, there is always one. */
static struct place place_at(const struct ike_sa *sa, const struct path *p, const struct natd *nat)
{
	bool always = sa->conn->conf->encap == CONF_ENCAP_ALWAYS;

	return (struct place){
		.path = *p,
		.nat_here = nat->known && nat->nat_here,
		.nat_there = nat->known && nat->nat_there,
		.encap = always || (nat->known && (nat->nat_here || nat->nat_there)),
	};
}

/* The peer, who decides, is there now. 0, or the notify that refuses it. */
static uint16_t on_update(struct turn *t)
{
	struct ike_sa *sa = t->sa;
	const struct place is = move_place(sa);
	struct place to;
	struct natd nat;

	if (!move_is_peers(sa, &t->path->remote) || natd_judge(t->m, t->path, &nat) != OK)
		return NOTIFY_UNACCEPTABLE_ADDRESSES;
	to = place_at(sa, t->path, &nat);
	/* It came to an address that has gone meanwhile. */
	if (mobike_answer_path(sa, t->path) == &sa->path)
		to.path.local = sa->path.local;
	if (!move_same_place(&to, &is))
		move_follow(sa, &to, "it says so");
	return 0;
}

static bool is_list(const struct message *m)
{
	return message_notify(m, NOTIFY_ADDITIONAL_IP4_ADDRESS, NULL) ||
	       message_notify(m, NOTIFY_ADDITIONAL_IP6_ADDRESS, NULL) ||
	       message_notify(m, NOTIFY_NO_ADDITIONAL_ADDRESSES, NULL);
}

/* The addresses that the peer has are others; perhaps no longer the one that we use (3.6). */
static void on_list(struct turn *t)
{
	struct ike_sa *sa = t->sa;

	take_addresses(sa, t->m, &t->path->remote.addr);
	if (!sa->mobike.decides)
		return;
	sa->mobike.left = !mobike_peer_has(sa, &sa->path.remote.addr);
	if (sa->mobike.left)
		mobike_look(sa);
}

static void answer_natd(struct turn *t)
{
	struct ike_header h = send_header(t->sa, X_INFORMATIONAL, true, t->m->h.message_id);

	if (message_notify(t->m, NOTIFY_NAT_DETECTION_SOURCE_IP, NULL))
		(void)!natd_add(t->reply, &h, t->path,
				t->sa->conn->conf->encap == CONF_ENCAP_ALWAYS);
}

/* 0, or the notify that refuses it. Who does not decide updates nothing, whatever it says (3.5). */
static uint16_t take_what_it_says(struct turn *t)
{
	bool updates = message_notify(t->m, NOTIFY_UPDATE_SA_ADDRESSES, NULL);
	uint16_t refusal = 0;

	if (!updates && !is_list(t->m))
		return 0;
	if (mobike_hits_nat(t->m, t->path))
		return NOTIFY_UNEXPECTED_NAT_DETECTED;
	if (updates && !t->sa->mobike.decides)
		refusal = on_update(t);
	if (!refusal && is_list(t->m))
		on_list(t);
	return refusal;
}

void mobike_on_request(struct turn *t)
{
	uint16_t refusal;
	struct pl_notify n;

	if (message_notify(t->m, NOTIFY_COOKIE2, &n))
		builder_notify(t->reply, NOTIFY_COOKIE2, n.data);
	if (!t->sa->mobike.on || t->sa->state != S_UP)
		return;
	refusal = take_what_it_says(t);
	if (refusal)
		builder_notify(t->reply, refusal, SPAN_EMPTY);
	answer_natd(t);
}

/* ---- what was answered ---- */

/* Only who saw the request knows it (3.7). */
static bool cookie_holds(struct mobike *mb, const struct message *m)
{
	struct pl_notify n;

	if (!mb->cookie_out)
		return true;
	mb->cookie_out = false;
	return message_notify(m, NOTIFY_COOKIE2, &n) &&
	       secret_eq(n.data, span_of(mb->cookie, sizeof(mb->cookie)));
}

/* The address that a NAT gives us is another one; or perhaps so, for what the peer saw before went
 * by another port (IKE_SA_INIT) or has other SPIs in its hash. An update too many is harmless. */
static void look_at_seen(struct ike_sa *sa, const struct message *m)
{
	struct mobike *mb = &sa->mobike;
	const struct span before = span_of(mb->seen, sizeof(mb->seen));
	uint8_t now[NATD_LEN];

	if (!seen_by_peer(m, now))
		return;
	if (mb->decides && (!mb->seen_known || !span_eq(before, span_of(now, sizeof(now)))))
		mb->update_due = true;
	mb->seen_known = true;
	memcpy(mb->seen, now, sizeof(now));
}

static void tell_refused(struct ike_sa *sa, uint16_t type)
{
	struct ike_note n = note_of_sa(sa, IKE_NOTE_MOVED, ERR_PEER_REFUSED);

	note_print(n.text, sizeof(n.text), "the peer refuses our new address: %s",
		   notify_name(type));
	note_tell(sa->e, &n);
}

static uint16_t refusal_of(const struct message *m)
{
	if (message_notify(m, NOTIFY_UNEXPECTED_NAT_DETECTED, NULL))
		return NOTIFY_UNEXPECTED_NAT_DETECTED;
	return message_notify(m, NOTIFY_UNACCEPTABLE_ADDRESSES, NULL)
		       ? NOTIFY_UNACCEPTABLE_ADDRESSES
		       : 0;
}

/* Said again: one packet that was changed on its way is no NAT (3.9). */
static void on_refusal(struct ike_sa *sa, uint16_t type, bool updated)
{
	struct mobike *mb = &sa->mobike;

	tell_refused(sa, type);
	if (mb->refusals < MOBIKE_REFUSALS_MAX)
		mb->refusals++;
	if (type == NOTIFY_UNEXPECTED_NAT_DETECTED && mb->refusals < MOBIKE_REFUSALS_MAX) {
		mb->update_due = mb->update_due || updated;
		mb->list_due = mb->list_due || !updated;
	} else if (updated) {
		mobike_refused(sa);
	}
}

static void on_updated(struct turn *t)
{
	struct ike_sa *sa = t->sa;
	const struct place is = move_place(sa);
	struct place to;
	struct natd nat;

	sa->mobike.refusals = 0;
	sa->mobike.barred = 0;
	sa->mobike.silent = false;
	sa->mobike.good = sa->path;
	move_bring_children(sa);
	if (!sa->mobike.natt || natd_judge(t->m, t->path, &nat) != OK)
		return;
	to = place_at(sa, &sa->path, &nat);
	if (!move_same_place(&to, &is))
		move_to(sa, &to, "what translates addresses is another");
}

/* What we have said of our addresses is answered. After a change since it left that counts for
 * nothing, and is said again (3.5, 3.6). */
static void on_said(struct turn *t, bool updated, bool listed)
{
	struct mobike *mb = &t->sa->mobike;
	uint16_t refusal = refusal_of(t->m);

	if (mb->stale) {
		mb->update_due = mb->update_due || updated;
		mb->list_due = mb->list_due || listed;
	} else if (refusal) {
		on_refusal(t->sa, refusal, updated);
	} else if (updated) {
		mb->seen_known = seen_by_peer(t->m, mb->seen);
		on_updated(t);
	} else {
		mb->refusals = 0;
	}
}

struct step mobike_on_response(struct turn *t)
{
	struct mobike *mb = &t->sa->mobike;
	bool updated = mb->update_out, listed = mb->list_out;

	if (!cookie_holds(mb, t->m))
		return step_fatal(ERR_PEER_REFUSED, NOTIFY_INVALID_SYNTAX);
	mb->update_out = false;
	mb->list_out = false;
	if (updated || listed)
		on_said(t, updated, listed);
	else
		look_at_seen(t->sa, t->m);
	return step_done();
}
