/* SPDX-License-Identifier: Apache-2.0 */
/* Following a peer whose NAT moved it: see move.h. */
#include "ike/move.h"

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/keep.h"
#include "ike/note.h"
#include "ike/retransmit.h"
#include "ike/send.h"

/* Datagrams for a place that nobody has answered from, and for one from where an answer came once.
 */
enum { MOVE_TRIES = 4, PROVE_TRIES = 3, MOBIKE_TRIES = 5 };
/* One hint is followed in this time, whatever is sent to us. */
static const mono_ns hint_interval = 5 * NS_PER_S;
/* After a move, less a part at random. */
static const mono_ns prove_time = 2 * NS_PER_S;
/* After an update to where nobody answered. */
static const mono_ns distrust_time = 600 * NS_PER_S;

/* So many moves of a connection at once, and one each time, may stop for a moment what others send.
 */
enum { STOPS_AT_ONCE = 4 };
static const mono_ns stop_time = 5 * NS_PER_S;

static bool is_moving(const struct ike_sa *sa)
{
	return sa->move.to.addr.family != AF_UNSPEC;
}

static void stay(struct ike_sa *sa)
{
	sa->move.to = (struct endpoint){ .port = 0 };
	sa->move.alone = false;
	sa->move.sent = 0;
}

/* An address of this gateway, as far as the engine has seen them. */
static bool is_own(const struct ike_engine *e, const struct addr *a)
{
	for (size_t i = 0; i < e->n_conns; i++) {
		if (addr_eq(&e->conns[i]->conf->local_address, a))
			return true;
		for (const struct ike_sa *sa = e->conns[i]->sas; sa; sa = sa->next) {
			if (addr_eq(&sa->path.local.addr, a))
				return true;
		}
	}
	return false;
}

/* Only to where the configuration expects it: it could not come back from elsewhere. */
static bool is_expected(const struct ike_sa *sa, const struct endpoint *to)
{
	return conn_is_at(sa->conn, &to->addr) && to->port != 0 && addr_is_host(&to->addr);
}

bool move_is_peers(const struct ike_sa *sa, const struct endpoint *to)
{
	return is_expected(sa, to) && !is_own(sa->e, &to->addr);
}

static bool went_back_from(const struct ike_sa *sa, const struct endpoint *to)
{
	const struct endpoint *left = &sa->move.left.path.remote;

	return left->port != 0 && endpoint_eq(to, left) && !endpoint_eq(to, &sa->path.remote);
}

/* Where other peers are is no reason: behind one NAT all have its address, and a port that one of
 * them had may be another's now. */
static bool may_move(const struct ike_sa *sa, const struct endpoint *to)
{
	bool translated = sa->nat_there && !sa->nat_here && sa->encap;

	if (went_back_from(sa, to))
		return sa->state == S_UP;
	return sa->state == S_UP && translated && is_expected(sa, to) &&
	       sa->path.local.port != PORT_IKE && to->addr.family == sa->path.remote.addr.family &&
	       !endpoint_eq(to, &sa->path.remote);
}

void move_hint(struct ike_sa *sa, const struct endpoint *from)
{
	struct move *m = &sa->move;

	if (!may_move(sa, from) || is_moving(sa))
		return;
	if (m->tried && sa->e->now < m->at + hint_interval)
		return;
	m->tried = true;
	m->at = sa->e->now;
	/* It looks at every SA, so no stranger may have it asked more often than that. */
	if (is_own(sa->e, &from->addr))
		return;
	stay(sa);
	m->to = *from;
	sa->alive_wanted = true;
}

static struct path path_to(const struct ike_sa *sa, const struct endpoint *remote)
{
	return (struct path){ .local = sa->path.local, .remote = *remote };
}

/* The request that leaves goes to where the peer is now, alone. */
static void prove(struct ike_sa *sa)
{
	sa->move.asks = sa->move.unproved && sa->state == S_UP;
	sa->move.asked = 1;
}

struct path move_path(struct ike_sa *sa)
{
	sa->move.asks = false;
	if (!is_moving(sa) || sa->state != S_UP) {
		stay(sa);
		prove(sa);
		return sa->path;
	}
	sa->move.alone = true;
	sa->move.sent = 1;
	return path_to(sa, &sa->move.to);
}

struct place move_place(const struct ike_sa *sa)
{
	return (struct place){
		.path = sa->path,
		.nat_here = sa->nat_here,
		.nat_there = sa->nat_there,
		.encap = sa->encap,
	};
}

bool move_same_place(const struct place *a, const struct place *b)
{
	return path_eq(&a->path, &b->path) && a->nat_here == b->nat_here &&
	       a->nat_there == b->nat_there && a->encap == b->encap;
}

static bool same_hosts(const struct path *a, const struct path *b)
{
	return addr_eq(&a->local.addr, &b->local.addr) && addr_eq(&a->remote.addr, &b->remote.addr);
}

/* The kernel changes ports in place, but makes the state anew for all else. */
static bool stops_others(const struct ike_sa *sa)
{
	const struct place *was = &sa->move.children_at;
	const struct child_sa *c = sa->conn ? sa->children : NULL;

	if (same_hosts(&was->path, &sa->path) && was->encap == sa->encap)
		return false;
	while (c && !(c->plane == PLANE_KERNEL && c->conf && c->conf->set != 0))
		c = c->next;
	return c != NULL;
}

/* When it may do so again. */
static mono_ns next_stop(const struct conn *c)
{
	const mono_ns at_once = (STOPS_AT_ONCE - 1) * stop_time;

	return c->stops > at_once ? c->stops - at_once : 0;
}

static void bring_children(struct ike_sa *sa)
{
	const struct place *was = &sa->move.children_at;
	struct conn *c = sa->conn;

	if (!sa->move.children_wait)
		return;
	if (stops_others(sa)) {
		c->stops = (c->stops > sa->e->now ? c->stops : sa->e->now) + stop_time;
		keep_touch_conn(c);
	}
	sa->move.children_wait = false;
	sa->move.paced = false;
	/* Gone, and come back before they followed. */
	if (path_eq(&was->path, &sa->path) && was->encap == sa->encap)
		return;
	for (struct child_sa *child = sa->children; child; child = child->next)
		child_move(child, &was->path);
}

void move_bring_children(struct ike_sa *sa)
{
	if (sa->move.children_wait && stops_others(sa) && next_stop(sa->conn) > sa->e->now) {
		sa->move.paced = true;
		sa_schedule(sa);
		return;
	}
	bring_children(sa);
}

struct place move_children_place(const struct ike_sa *sa)
{
	return sa->move.children_wait ? sa->move.children_at : move_place(sa);
}

void move_to(struct ike_sa *sa, const struct place *to, const char *why)
{
	move_ahead(sa, to, why);
	move_bring_children(sa);
}

void move_ahead(struct ike_sa *sa, const struct place *to, const char *why)
{
	const struct path was = sa->path;
	struct ike_note n;
	char remote[ENDPOINT_TEXT_MAX], local[ENDPOINT_TEXT_MAX];

	if (!sa->move.children_wait)
		sa->move.children_at = move_place(sa);
	sa->move.children_wait = true;
	sa->move.paced = false;
	mobike_moved(sa);
	sa->path = to->path;
	sa->nat_here = to->nat_here;
	sa->nat_there = to->nat_there;
	sa->encap = to->encap;
	n = note_of_sa(sa, IKE_NOTE_MOVED, OK);
	note_print(n.text, sizeof(n.text), "%s; it was at %s, and we at %s", why,
		   endpoint_text(&was.remote, remote), endpoint_text(&was.local, local));
	note_tell(sa->e, &n);
}

/* Where an answer came from that counts, not where it was for a moment in between. */
static void remember(struct ike_sa *sa)
{
	if (!sa->move.unproved)
		sa->move.was = move_place(sa);
	sa->move.unproved = true;
	sa->move.asks = false;
	stay(sa);
}

void move_follow(struct ike_sa *sa, const struct place *to, const char *why)
{
	remember(sa);
	sa->move.ask_at = NEVER;
	sa->alive_wanted = true;
	move_ahead(sa, to, why);
	send_request_anew(sa);
	if (sa->conn->conf->mobike_check == CONF_CHECK_AFTER &&
	    sa->e->now >= sa->move.checked_until)
		move_bring_children(sa);
}

static void go_back(struct ike_sa *sa)
{
	const struct place was = sa->move.was;

	sa->move.asks = false;
	sa->move.unproved = false;
	sa->move.ask_at = NEVER;
	/* It answered from there before: only what translates addresses is another. */
	if (path_eq(&was.path, &sa->path)) {
		move_bring_children(sa);
		return;
	}
	if (sa->mobike.on) {
		sa->move.left = move_place(sa);
		sa->move.checked_until = sa->e->now + distrust_time;
	}
	move_ahead(sa, &was, "it does not answer there any more");
	bring_children(sa);
}

void move_send_again(struct ike_sa *sa)
{
	struct path there;

	if (sa->move.asks && sa->move.asked >= (sa->mobike.on ? MOBIKE_TRIES : PROVE_TRIES))
		go_back(sa);
	else if (sa->move.asks)
		sa->move.asked++;
	if (is_moving(sa) && sa->move.sent >= MOVE_TRIES) {
		if (sa->move.alone)
			prove(sa);
		stay(sa);
	}
	if (is_moving(sa)) {
		there = path_to(sa, &sa->move.to);
		sa->move.sent++;
		send_packets(sa, &sa->window.request, &there);
	}
	/* One that was out before the hint goes both ways (2.23), but its answer moves nothing:
	 * whoever saw it on the old way could send it from anywhere. */
	if (!sa->move.alone)
		send_packets(sa, &sa->window.request, &sa->path);
}

static void carry_over(struct ike_sa *sa)
{
	struct place to = went_back_from(sa, &sa->move.to) ? sa->move.left : move_place(sa);

	to.path.remote = sa->move.to;
	remember(sa);
	sa->move.ask_at = sa->e->now + NS_PER_S + jitter(&sa->e->env.random, prove_time);
	move_to(sa, &to, sa->mobike.on ? "it answers there" : "its NAT moved it");
}

static void proved(struct ike_sa *sa, const struct endpoint *from)
{
	struct move *m = &sa->move;

	m->asks = false;
	if (endpoint_eq(from, &sa->path.remote)) {
		m->unproved = false;
		m->ask_at = NEVER;
		move_bring_children(sa);
	} else {
		m->ask_at = sa->e->now + NS_PER_S;
	}
}

bool move_is_asking(const struct ike_sa *sa)
{
	return is_moving(sa) || sa->move.asks || sa->move.unproved;
}

static mono_ns pace_deadline(const struct ike_sa *sa)
{
	const struct move *m = &sa->move;

	return m->children_wait && m->paced && sa->conn ? next_stop(sa->conn) : NEVER;
}

static mono_ns ask_deadline(const struct ike_sa *sa)
{
	return sa->move.unproved ? sa->move.ask_at : NEVER;
}

mono_ns move_deadline(const struct ike_sa *sa)
{
	return earlier(pace_deadline(sa), ask_deadline(sa));
}

void move_tick(struct ike_sa *sa)
{
	if (pace_deadline(sa) <= sa->e->now)
		bring_children(sa);
	if (ask_deadline(sa) > sa->e->now)
		return;
	sa->move.ask_at = NEVER;
	sa->alive_wanted = true;
}

void move_heard(struct ike_sa *sa, const struct endpoint *from)
{
	if (!sa->mobike.on || went_back_from(sa, from))
		move_hint(sa, from);
}

void move_answered(struct ike_sa *sa, const struct endpoint *from)
{
	sa->mobike.silent = false;
	if (!is_moving(sa)) {
		if (sa->move.asks)
			proved(sa, from);
		move_heard(sa, from);
		return;
	}
	if (sa->state != S_UP || (sa->move.alone && !endpoint_eq(from, &sa->move.to))) {
		stay(sa);
		return;
	}
	if (sa->move.alone) {
		carry_over(sa);
		return;
	}
	/* The one before the hint is answered: now the way is free for one that counts. */
	sa->move.sent = 0;
	sa->alive_wanted = true;
}

/* No request of the heir's is out yet. */
void move_pass_on(struct ike_sa *heir, const struct ike_sa *old)
{
	struct move *m = &heir->move;

	*m = old->move;
	m->alone = false;
	m->sent = 0;
	m->asks = false;
	m->ask_at = heir->e->now + NS_PER_S;
	heir->alive_wanted = is_moving(heir);
}
