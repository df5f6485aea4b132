/* SPDX-License-Identifier: Apache-2.0 */
/* Which way MOBIKE takes: see mobike.h. The engine knows no routes, so it asks for our address
 * towards each address that the peer may have, and takes the first that it is told: where the peer
 * is now, then the others that it has, as it says, then those of the configuration. A silent one is
 * passed over for the next.
 */
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/life.h"
#include "ike/mobike.h"
#include "ike/send.h"

/* Datagrams in vain until another way is tried. */
enum { SILENCE = 3 };

/* One that is closing goes along, for its last request to arrive. */
static bool is_alive(const struct ike_sa *sa)
{
	return sa->mobike.on && (sa->state == S_UP || sa->state == S_CLOSING);
}

static void add(struct ike_route_question *q, const struct addr *a)
{
	for (size_t i = 0; i < q->n; i++) {
		if (addr_eq(&q->to[i], a))
			return;
	}
	if (q->n < IKE_ROUTES_MAX)
		q->to[q->n++] = *a;
}

static bool is_own(const struct ike_engine *e, const struct addr *a)
{
	for (size_t i = 0; i < e->n_addrs; i++) {
		if (addr_eq(&e->addrs[i], a))
			return true;
	}
	return false;
}

static bool has_kernel_children(const struct ike_sa *sa)
{
	const struct child_sa *c = sa->children;

	while (c && c->plane != PLANE_KERNEL)
		c = c->next;
	return c;
}

/* Of those that only the peer has named. The monitor lets nothing be sent by the kernel to where
 * the configuration does not expect the peer. */
static bool may_be_tried(const struct ike_sa *sa, const struct addr *a)
{
	return !is_own(sa->e, a) &&
	       (conf_peer_may_be_at(sa->conn->conf, a) || !has_kernel_children(sa));
}

static void ask(struct ike_sa *sa)
{
	const struct conn *c = sa->conn;
	struct ike_route_question q = { .spi = sa_own_spi(sa), .local = c->conf->local_address };

	if (!sa->mobike.left)
		add(&q, &sa->path.remote.addr);
	for (size_t i = 0; sa->mobike.decides && i < sa->mobike.n_addrs; i++) {
		if (may_be_tried(sa, &sa->mobike.addrs[i]))
			add(&q, &sa->mobike.addrs[i]);
	}
	for (size_t i = 0; sa->mobike.decides && i < c->n_paths; i++)
		add(&q, &c->paths[i].remote.addr);
	actions_route(&sa->e->actions, &q);
}

/* The end that does not decide goes nowhere as long as its address is there (3.5). */
void mobike_look(struct ike_sa *sa)
{
	if (is_alive(sa) && (sa->mobike.decides || !is_own(sa->e, &sa->path.local.addr)))
		ask(sa);
}

static bool take_addresses(struct ike_engine *e, const struct ike_addresses *a)
{
	const size_t n = a->n < IKE_ADDRS_MAX ? a->n : IKE_ADDRS_MAX;
	bool others = n != e->n_addrs;

	for (size_t i = 0; i < n; i++) {
		others = others || !addr_eq(&e->addrs[i], &a->addrs[i]);
		e->addrs[i] = a->addrs[i];
	}
	e->n_addrs = n;
	return others;
}

static void forget_refusals(struct mobike *mb)
{
	mb->refusals = 0;
	mb->barred = 0;
	mb->stays = false;
}

static void look_at(struct conn *c, bool others)
{
	struct ike_sa *next;

	for (struct ike_sa *sa = c->sas; sa; sa = next) {
		next = sa->next;
		/* Who decides has said what else it has, and says where it is. */
		if (others && is_alive(sa) && sa->state == S_UP && !sa->mobike.decides)
			sa->mobike.list_due = true;
		if (others)
			forget_refusals(&sa->mobike);
		mobike_look(sa);
		/* From an address that is gone nothing can leave. */
		if (!is_alive(sa) || is_own(sa->e, &sa->path.local.addr))
			sa_settle(sa);
	}
}

void mobike_on_addresses(struct ike_engine *e, const struct ike_addresses *a)
{
	const bool others = take_addresses(e, a);

	for (size_t i = 0; i < e->n_conns; i++)
		look_at(e->conns[i], others);
}

void mobike_silence(struct ike_sa *sa, unsigned sent)
{
	if (!is_alive(sa) || !sa->mobike.decides || sent % SILENCE != 0)
		return;
	sa->mobike.silent = true;
	ask(sa);
}

static bool same_ends(const struct path *a, const struct path *b)
{
	return addr_eq(&a->local.addr, &b->local.addr) && addr_eq(&a->remote.addr, &b->remote.addr);
}

/* It has not gone with us: back to where it is or, where either address has gone, on by another
 * way. */
void mobike_refused(struct ike_sa *sa)
{
	struct place was = move_place(sa);

	if (sa->mobike.barred < IKE_ROUTES_MAX)
		sa->mobike.barred++;
	was.path = sa->mobike.good;
	if (!mobike_peer_has(sa, &was.path.remote.addr))
		was.path.remote = sa->path.remote;
	if ((sa->e->n_addrs == 0 || is_own(sa->e, &was.path.local.addr)) &&
	    !same_ends(&was.path, &sa->path)) {
		move_to(sa, &was, "the peer refuses our new address");
		sa->mobike.stays = true;
	} else if (sa->mobike.refusals < MOBIKE_REFUSALS_MAX) {
		mobike_silence(sa, 0);
	}
}

void mobike_answered(struct ike_sa *sa, const struct path *p)
{
	if (same_ends(p, &sa->mobike.good))
		sa->mobike.barred = 0;
}

const struct path *mobike_answer_path(const struct ike_sa *sa, const struct path *p)
{
	bool gone = sa->mobike.on && sa->e->n_addrs > 0 && !is_own(sa->e, &p->local.addr);

	return gone && is_own(sa->e, &sa->path.local.addr) ? &sa->path : p;
}

/* Where it was good nobody answers: those behind it that were refused are passed over. When all
 * are, it stays there until the peer is lost: a refusal is an answer, too, and would keep alive an
 * SA whose packets find no way. */
static const struct path *choose_unbarred(const struct mobike *mb, const struct ike_routes *r,
					  size_t at)
{
	const size_t next = at == r->n ? mb->barred : at + 1 + mb->barred;
	const size_t end = at == r->n ? r->n : at + r->n;

	return next < end ? &r->paths[next % r->n] : NULL;
}

/* The one that we are on, if it is still there and somebody answers; else the next one, and from
 * the last one on to the first. NULL: there is no way. */
static const struct path *choose(const struct ike_sa *sa, const struct ike_routes *r)
{
	const struct mobike *mb = &sa->mobike;
	size_t at = 0;

	if (mb->stays && !mb->silent && !mb->left)
		return NULL;
	while (at < r->n && !same_ends(&r->paths[at], &sa->path))
		at++;
	if (mb->stays && !mb->left)
		return choose_unbarred(mb, r, at);
	if (at == r->n || mb->left)
		return r->n > 0 ? &r->paths[0] : NULL;
	return mb->silent ? &r->paths[(at + 1) % r->n] : &r->paths[at];
}

/* An address that only the peer has named may be anybody's: children follow once it has answered
 * from there. */
static bool is_trusted(const struct ike_sa *sa)
{
	return sa->conn->conf->mobike_check == CONF_CHECK_AFTER &&
	       conn_is_at(sa->conn, &sa->path.remote.addr);
}

static void go(struct ike_sa *sa, const struct path *p)
{
	struct mobike *mb = &sa->mobike;
	struct place to = move_place(sa);
	/* One whose heir the peer may not know yet is all that the peer has. */
	const bool says = sa->state == S_UP || sa->waits;

	to.path.local.addr = p->local.addr;
	/* Without NAT traversal it stays at port 500 (3.3). */
	if (mb->natt)
		to.path.local.port = PORT_NATT;
	if (!addr_eq(&p->remote.addr, &sa->path.remote.addr))
		to.path.remote =
			(struct endpoint){ .addr = p->remote.addr, .port = to.path.local.port };
	move_ahead(sa, &to, "our way to it is another one");
	if (is_trusted(sa))
		move_bring_children(sa);
	mb->update_due = says && mb->decides;
	mb->list_due = says && !mb->decides;
	if (mb->silent)
		send_request_elsewhere(sa);
	else
		send_request_anew(sa);
	mb->silent = false;
}

void mobike_on_routes(struct ike_engine *e, const struct ike_routes *r)
{
	struct ike_sa *sa = sa_find(e, r->spi);
	const struct path *p = sa && is_alive(sa) ? choose(sa, r) : NULL;

	if (!p)
		return;
	if (!same_ends(p, &sa->path))
		go(sa, p);
	else if (!sa->mobike.silent)
		sa_doubt(sa); /* is it the same on the way, too? */
	sa_settle(sa);
}
