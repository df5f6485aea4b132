/* SPDX-License-Identifier: Apache-2.0 */
/* Who is passed over: see standby.h. */
#include "ike/standby.h"

#include <string.h>

#include "ike/child_plane.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/note.h"

/* Datagrams of one question in vain; how old the plane's word may be. */
enum { SENT_IN_VAIN = 2 };
static const mono_ns word_good = 3 * NS_PER_S;

enum { HOLD_LEAST = 1, HOLD_MOST = 64 };
/* The slowest, too, is passed over after twice what fits into a byte: 1 s. */
enum { TOOK_UNIT = 4 * NS_PER_MS, TOOK_MOST = UINT8_MAX };
/* Passed over again within this: it comes and goes. */
static const mono_ns restless = 120 * NS_PER_S;

static bool may_be(const struct ike_sa *sa)
{
	return sa->conn && sa->conn->conf->priority > 0 && sa->state == S_UP;
}

/* What finds no memory is said with the next packets that nothing answers. */
static bool say(struct ike_sa *sa, bool over)
{
	bool all = true;

	sa->standby.over = over;
	for (struct child_sa *c = sa->children; c; c = c->next) {
		if (c->conf && c->out_there && child_plane_command(c, SA_PASS, SA_OUT, 0) != OK)
			all = false;
	}
	return all;
}

static bool lists_meet(const struct ts_list *a, const struct ts_list *b)
{
	struct ts both;

	for (size_t i = 0; i < a->n; i++) {
		for (size_t k = 0; k < b->n; k++) {
			if (ts_intersect(&a->v[i], &b->v[k], &both))
				return true;
		}
	}
	return false;
}

static bool leads_there(const struct ike_sa *other, const struct child_sa *c)
{
	for (const struct child_sa *o = other->children; o; o = o->next) {
		if (o->conf && o->out_there && lists_meet(child_local(o), child_local(c)) &&
		    lists_meet(child_remote(o), child_remote(c)))
			return true;
	}
	return false;
}

static bool stands_in(const struct ike_sa *other, const struct ike_sa *sa)
{
	if (!other || !may_be(other) || other->standby.over)
		return false;
	for (const struct child_sa *c = sa->children; c; c = c->next) {
		if (c->conf && c->out_there && leads_there(other, c))
			return true;
	}
	return false;
}

/* By whom its packets go now; NULL: there is nobody, and they go to it as before. */
static const struct conn *who_stands_in(const struct ike_sa *sa)
{
	const struct conn *best = NULL;

	for (size_t i = 0; i < sa->e->n_conns; i++) {
		const struct conn *c = sa->e->conns[i];

		if (c != sa->conn && stands_in(conn_sa(c), sa) &&
		    (!best || c->conf->priority < best->conf->priority))
			best = c;
	}
	return best;
}

static void pass_over(struct ike_sa *sa)
{
	struct standby *s = &sa->standby;
	struct ike_note n = note_of_sa(sa, IKE_NOTE_PASSED_OVER, ERR_NO_ANSWER);
	const struct conn *other = who_stands_in(sa);
	bool again = s->since > 0 && sa->e->now - s->since < restless;

	if (!say(sa, true))
		return;
	s->hold_s = !again ? HOLD_LEAST : s->hold_s < HOLD_MOST ? 2 * s->hold_s : HOLD_MOST;
	s->since = sa->e->now;
	s->back = NEVER;
	if (other)
		note_print(n.text, sizeof(n.text), "its packets go to %s", other->conf->name);
	else
		note_print(n.text, sizeof(n.text), "no other peer for its networks is up");
	note_tell(sa->e, &n);
}

/* Of the last answers the quickest: those to what was lost, or to a peer that was away, count from
 * the first datagram, too. */
static mono_ns usual(const struct standby *s)
{
	uint8_t least = s->took_4ms[0];

	for (size_t i = 1; i < STANDBY_ANSWERS && s->took_4ms[i] > 0; i++)
		least = s->took_4ms[i] < least ? s->took_4ms[i] : least;
	return (mono_ns)least * TOOK_UNIT;
}

/* Until then the request that is out may be answered. */
static mono_ns patient_until(const struct ike_sa *sa)
{
	return sa->standby.asked + 2 * usual(&sa->standby);
}

static bool asks_in_vain(const struct ike_sa *sa)
{
	return sa->window.asked && sa->rt.sent >= SENT_IN_VAIN;
}

static void judge(struct ike_sa *sa)
{
	if (!may_be(sa) || sa->standby.over || sa->standby.told == 0 ||
	    sa->e->now - sa->standby.told >= word_good || !asks_in_vain(sa))
		return;
	if (sa->e->now >= patient_until(sa)) {
		pass_over(sa);
		return;
	}
	sa->standby.doubts = true;
	sa_schedule(sa);
}

void standby_silent(struct ike_sa *sa)
{
	sa->standby.told = sa->e->now;
	judge(sa);
}

void standby_asked(struct ike_sa *sa)
{
	sa->standby.asked = sa->e->now;
	sa->standby.doubts = false;
}

void standby_sent_again(struct ike_sa *sa)
{
	/* It has not gone on to be heard. */
	if (sa->standby.over && sa->e->now >= patient_until(sa))
		sa->standby.back = NEVER;
	judge(sa);
}

/* Which of several datagrams was answered nobody can say, so it is the first. */
void standby_answered(struct ike_sa *sa)
{
	struct standby *s = &sa->standby;
	mono_ns took = (sa->e->now - s->asked) / TOOK_UNIT + 1;

	s->doubts = false;
	memmove(s->took_4ms + 1, s->took_4ms, STANDBY_ANSWERS - 1);
	s->took_4ms[0] = (uint8_t)(took < TOOK_MOST ? took : TOOK_MOST);
}

void standby_heard(struct ike_sa *sa)
{
	if (!sa->standby.over || sa->standby.back != NEVER)
		return;
	sa->standby.back = sa->e->now + sa->standby.hold_s * NS_PER_S;
	sa->alive_wanted = true; /* is it so for good? */
}

mono_ns standby_deadline(const struct ike_sa *sa)
{
	const struct standby *s = &sa->standby;

	if (sa->state != S_UP)
		return NEVER;
	if (s->over)
		return s->back;
	return s->doubts ? patient_until(sa) : NEVER;
}

static void use_again(struct ike_sa *sa)
{
	struct standby *s = &sa->standby;
	struct ike_note n;

	if (!say(sa, false)) {
		s->over = true;
		s->back = sa->e->now + NS_PER_S;
		return;
	}
	s->back = NEVER;
	n = note_of_sa(sa, IKE_NOTE_USED_AGAIN, OK);
	n.ms = (uint32_t)((sa->e->now - s->since) / NS_PER_MS);
	note_tell(sa->e, &n);
}

void standby_tick(struct ike_sa *sa)
{
	struct standby *s = &sa->standby;

	if (standby_deadline(sa) > sa->e->now)
		return;
	if (!s->over) {
		s->doubts = false;
		judge(sa);
	} else if (!asks_in_vain(sa)) {
		use_again(sa);
	} else {
		/* Whether it still is there is just being asked. */
		s->back = sa->e->now < patient_until(sa) ? patient_until(sa) : NEVER;
	}
}
