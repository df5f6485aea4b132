/* SPDX-License-Identifier: Apache-2.0 */
/* A new handshake in the place of an IKE SA that is not rekeyed: see renew.h. */
#include "ike/renew.h"

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/rekey.h"
#include "ike/rekey_ike.h"

static const mono_ns patience = 180 * NS_PER_S;
/* What the peer has sent by the old pairs still comes. */
static const mono_ns linger_time = 5 * NS_PER_S;
/* The last fortieth of the lifetime is for it: behind both ends' times for new keys (rekey.c). */
enum { RENEW_PART = 40 };

void renew_on_busy(struct ike_sa *sa)
{
	struct conn *c = sa->conn;

	if (c->busy_since == 0)
		c->busy_since = sa->e->now;
	else if (sa->e->now - c->busy_since >= patience)
		renew_begin(sa);
}

void renew_on_answer(struct ike_sa *sa)
{
	sa->conn->busy_since = 0;
}

mono_ns renew_at(const struct ike_sa *sa)
{
	return sa->ends_at == NEVER ? NEVER : sa->ends_at - sa->conn->conf->lifetime / RENEW_PART;
}

bool renew_is_old(const struct ike_sa *sa)
{
	return sa->conn && sa->conn->renews == sa_own_spi(sa);
}

void renew_begin(struct ike_sa *sa)
{
	struct conn *c = sa->conn;

	if (c->renews || c->conf->any_address || c->not_before > sa->e->now ||
	    conn_carrier(c) != sa || rekey_ike_is_under_way(sa))
		return;
	for (const struct child_sa *child = sa->children; child; child = child->next) {
		if (child->conf && child_stays(child))
			conn_child_renew(c, child->conf);
	}
	if (!c->wanted)
		return;
	/* Of an heir that is not asked for yet the peer must not hear: two would take its place. */
	if (sa->mine && sa->mine->purpose == CREATE_IKE_REKEY)
		create_free(&sa->mine);
	c->busy_since = 0;
	c->renews = sa_own_spi(sa);
	conn_try(c);
}

void renew_settle(struct conn *c)
{
	struct ike_sa *old = c->renews ? sa_find(c->e, c->renews) : NULL;
	mono_ns end = c->e->now + linger_time;

	if (!old || old->state != S_UP || old->ends_at <= end)
		return;
	for (struct child_sa *child = old->children; child; child = child->next) {
		if (child->conf && child_stays(child) && !rekey_is_elsewhere(child))
			return;
	}
	old->ends_at = end;
	sa_schedule(old);
}
