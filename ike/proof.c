/* SPDX-License-Identifier: Apache-2.0 */
/* How long a proof is good: see proof.h. */
#include "ike/proof.h"

#include "ike/connection.h"
#include "ike/core.h"
#include "ike/renew.h"

/* So much of its time is for the next proof, and never less than a few tries take that nobody
 * answers, unless it is short. Who did not begin the IKE SA leaves half of that to the other one,
 * so that both seldom begin at once. */
enum { PROOF_PART = 40, PROOF_PART_MOST = 4 };
static const mono_ns tries_time = 90 * NS_PER_S;
/* A peer cannot have us begin more often. */
static const mono_ns least_time = 60 * NS_PER_S;
/* RFC 4478 2: an end that comes by surprise leaves "a reasonable time". */
static const mono_ns surprise_time = 120 * NS_PER_S;

/* Of the end of certificates. */
static const mono_ns told_ahead = 86400 * NS_PER_S;

/* When to begin, for a proof that is good for `time` from now on. */
static mono_ns begin_at(const struct ike_sa *sa, mono_ns time)
{
	mono_ns part = time / PROOF_PART;
	mono_ns at;

	if (time == NEVER)
		return NEVER;
	if (part < tries_time)
		part = tries_time;
	if (part > time / PROOF_PART_MOST)
		part = time / PROOF_PART_MOST;
	at = sa->e->now + time - (sa->initiator ? part : part / 2);
	return at > sa->since + least_time ? at : sa->since + least_time;
}

/* An end that is so far away makes no difference. */
void proof_taken(struct ike_sa *sa, uint64_t good_s)
{
	bool ends = good_s > 0 && good_s < UINT32_MAX;

	sa->certified_until = ends ? sa->e->now + good_s * NS_PER_S : NEVER;
}

static mono_ns certificate_time(const struct ike_sa *sa)
{
	mono_ns now = sa->e->now;

	if (sa->certified_until == NEVER)
		return NEVER;
	return sa->certified_until > now ? sa->certified_until - now : 0;
}

/* How long one is good that was just made. */
static mono_ns time_of(const struct ike_sa *sa)
{
	mono_ns time = sa->conn->conf->reauthenticate, certificate = certificate_time(sa);

	return time > 0 && time < certificate ? time : certificate;
}

void proof_plan(struct ike_sa *sa)
{
	mono_ns time = time_of(sa);

	sa->proved_until = time == NEVER ? NEVER : sa->e->now + time;
	sa->prove_at = begin_at(sa, time);
}

void proof_pass_on(struct ike_sa *heir, const struct ike_sa *old)
{
	heir->answered = old->answered;
	heir->certified_until = old->certified_until;
	heir->proved_until = old->proved_until;
	heir->prove_at = old->prove_at;
	heir->tell_proof = old->tell_proof;
}

/* It ends sooner than was thought. */
static void shorten(struct ike_sa *sa, mono_ns end)
{
	mono_ns now = sa->e->now, begin;

	if (end < now + surprise_time)
		end = now + surprise_time;
	if (sa->state != S_UP || end >= sa->proved_until)
		return;
	sa->proved_until = end;
	begin = begin_at(sa, end - now);
	/* It may be so for all of them at once. */
	if (begin < end)
		begin -= end - begin - jitter(&sa->e->env.random, end - begin);
	sa->prove_at = earlier(sa->prove_at, begin);
	sa->ends_at = earlier(sa->ends_at, end);
	sa->tell_proof = sa->answered;
}

void proof_follow(struct ike_sa *sa)
{
	if (sa->conn->conf->reauthenticate > 0)
		shorten(sa, sa->since + sa->conn->conf->reauthenticate);
}

void proof_on_clock(struct ike_sa *sa, mono_ns ahead)
{
	mono_ns left = certificate_time(sa);

	if (ahead == 0 || left == NEVER)
		return;
	sa->certified_until = sa->e->now + (ahead < left ? left - ahead : 0);
	shorten(sa, sa->certified_until);
}

void proof_want(struct ike_sa *sa)
{
	sa->prove_at = sa->e->now;
	renew_begin(sa);
	sa_schedule(sa);
}

/* ---- AUTH_LIFETIME ---- */

static void put(mono_ns time, struct builder *b)
{
	uint8_t body[4];
	struct wr w = wr_into(body, sizeof(body));

	wr_u32(&w, time / NS_PER_S < UINT32_MAX ? (uint32_t)(time / NS_PER_S) : UINT32_MAX);
	builder_notify(b, NOTIFY_AUTH_LIFETIME, wr_done(&w));
}

void proof_put_lifetime(const struct ike_sa *sa, struct builder *b)
{
	mono_ns time = time_of(sa);

	if (sa->conn->conf->reauthenticate > 0 || time < told_ahead)
		put(time, b);
}

bool proof_put_change(struct ike_sa *sa, struct builder *b)
{
	mono_ns now = sa->e->now;

	if (!sa->tell_proof || sa->state != S_UP)
		return false;
	sa->tell_proof = false;
	put(sa->proved_until > now ? sa->proved_until - now : 0, b);
	return true;
}

void proof_on_lifetime(struct ike_sa *sa, const struct message *m)
{
	mono_ns now = sa->e->now, at = NEVER, own = NEVER;
	struct pl_notify n;
	uint32_t seconds;
	struct rd r;

	if (sa->state != S_UP || !message_notify(m, NOTIFY_AUTH_LIFETIME, &n))
		return;
	r = rd_from(n.data);
	seconds = rd_u32(&r);
	if (!rd_end(&r))
		return;
	at = begin_at(sa, seconds * NS_PER_S);
	if (sa->proved_until != NEVER)
		own = begin_at(sa, sa->proved_until > now ? sa->proved_until - now : 0);
	sa->prove_at = at < own ? at : own;
	sa_schedule(sa);
}
