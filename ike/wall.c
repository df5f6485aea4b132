/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/wall.h"

#include "ike/connection.h"
#include "ike/core.h"
#include "ike/proof.h"

/* There may be thousands: none sends at the same moment as another one. */
static const mono_ns interval = NS_PER_MS;

static bool waits(const struct conn *c, mono_ns at)
{
	return !c->resolving && c->next_try > at && c->next_try < NEVER;
}

void wall_on_clock(struct ike_engine *e, const struct ike_clock *clock)
{
	mono_ns at = e->now;

	for (size_t i = 0; i < e->n_conns; i++) {
		struct conn *c = e->conns[i];

		for (struct ike_sa *sa = c->sas; sa; sa = sa->next) {
			proof_on_clock(sa, clock->ahead);
			if (sa->state == S_UP && clock->slept > 0) {
				at += interval;
				sa->alive_wanted = true;
				sa->again = earlier(sa->again, at);
			}
			sa_schedule(sa);
		}
		if (waits(c, at)) {
			at += interval;
			conn_plan_try(c, at);
		}
	}
}
