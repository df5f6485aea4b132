/* SPDX-License-Identifier: Apache-2.0 */
/* Following a peer whose NAT moved it: see move.h. */
#include "ike/move.h"

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/note.h"
#include "ike/send.h"

/* Datagrams for a place that nobody has answered from. */
enum { MOVE_TRIES = 4 };
/* One hint is followed in this time, whatever is sent to us. */
static const mono_ns hint_interval = 5 * NS_PER_S;

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

static bool may_move(const struct ike_sa *sa, const struct endpoint *to)
{
	bool translated = sa->nat_there && !sa->nat_here && sa->encap;

	/* Only to where the configuration expects it: it could not come back from elsewhere. */
	return sa->state == S_UP && translated && conn_is_at(sa->conn, &to->addr) &&
	       sa->path.local.port != PORT_IKE && to->port != 0 &&
	       to->addr.family == sa->path.remote.addr.family && !endpoint_eq(to, &sa->path.remote);
}

void move_hint(struct ike_sa *sa, const struct endpoint *from)
{
	struct move *m = &sa->move;

	if (!may_move(sa, from) || is_moving(sa))
		return;
	if (m->tried && sa->e->now < m->at + hint_interval)
		return;
	*m = (struct move){ .to = *from, .tried = true, .at = sa->e->now };
	sa->alive_wanted = true;
}

static struct path path_to(const struct ike_sa *sa, const struct endpoint *remote)
{
	return (struct path){ .local = sa->path.local, .remote = *remote };
}

struct path move_path(struct ike_sa *sa)
{
	if (!is_moving(sa) || sa->state != S_UP) {
		stay(sa);
		return sa->path;
	}
	sa->move.alone = true;
	sa->move.sent = 1;
	return path_to(sa, &sa->move.to);
}

void move_send_again(struct ike_sa *sa)
{
	struct path there;

	if (is_moving(sa) && sa->move.sent >= MOVE_TRIES)
		stay(sa);
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
	const struct endpoint was = sa->path.remote;
	struct ike_note n;
	char text[ENDPOINT_TEXT_MAX];

	sa->path.remote = sa->move.to;
	stay(sa);
	for (struct child_sa *c = sa->children; c; c = c->next)
		child_move(c, &was.addr);
	n = note_of_sa(sa, IKE_NOTE_MOVED, OK);
	note_print(n.text, sizeof(n.text), "its NAT moved it; it was at %s",
		   endpoint_text(&was, text));
	note_tell(sa->e, &n);
}

void move_answered(struct ike_sa *sa, const struct endpoint *from)
{
	if (!is_moving(sa)) {
		move_hint(sa, from);
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
