/* SPDX-License-Identifier: Apache-2.0 */
/* See init_pick.h. A stranger asks, so the work is bounded whatever the configuration: gateways
 * have many connections and few policies, and policies are what is compared. */
#include "ike/init_pick.h"

#include "ike/auth.h"
#include "ike/init_message.h"

/* So many different policies at one address are weighed against each other; of the others the first
 * that takes the offer does, when none of these do. */
enum { POLICIES_MAX = 8 };
/* The floor of a connection that names the address weighs more than all of those that take any. */
enum { WEIGHT_NAMED = POLICIES_MAX + 1, WEIGHT_ANY = 1 };

struct candidates {
	const struct conn *v[POLICIES_MAX]; /* the first of each policy */
	size_t n;
};

static void add(struct candidates *all, const struct conn *c)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct conf_connection *known = all->v[i]->conf;

		if (known->any_address == c->conf->any_address &&
		    suite_policy_eq(&known->policy, &c->conf->policy))
			return;
	}
	if (all->n < POLICIES_MAX)
		all->v[all->n++] = c;
}

static void gather(const struct ike_engine *e, const struct addr *remote, bool any,
		   struct candidates *all, struct init_pick *p)
{
	for (size_t i = 0; i < e->n_conns; i++) {
		const struct conn *c = e->conns[i];

		if (c->conf->any_address != any || !conn_is_at(c, remote))
			continue;
		if (c->down) {
			p->down = c;
			continue;
		}
		p->near = p->near ? p->near : c;
		add(all, c);
	}
}

/* Whose floors a suite holds. */
static unsigned weigh(const struct candidates *all, const struct suite *s)
{
	unsigned sum = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct conf_connection *cn = all->v[i]->conf;

		if (auth_floor_holds(&cn->policy, s))
			sum += cn->any_address ? (unsigned)WEIGHT_ANY : (unsigned)WEIGHT_NAMED;
	}
	return sum;
}

static void weigh_all(const struct candidates *all, struct span sa_body, struct init_pick *p)
{
	unsigned best = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct proposal_want want = init_want(all->v[i]->conf);
		struct proposal_chosen chosen;
		unsigned weight;

		if (proposal_choose(sa_body, &want, &chosen) != OK)
			continue;
		weight = weigh(all, &chosen.suite);
		if (weight <= best)
			continue;
		best = weight;
		p->c = all->v[i];
		p->chosen = chosen;
	}
}

static void first_of(const struct ike_engine *e, const struct addr *remote, bool any,
		     struct span sa_body, struct init_pick *p)
{
	for (size_t i = 0; i < e->n_conns && !p->c; i++) {
		const struct conn *c = e->conns[i];
		struct proposal_want want = init_want(c->conf);

		if (c->down || c->conf->any_address != any || !conn_is_at(c, remote))
			continue;
		if (proposal_choose(sa_body, &want, &p->chosen) == OK)
			p->c = c;
	}
}

struct init_pick init_pick(const struct ike_engine *e, const struct addr *remote,
			   struct span sa_body)
{
	struct init_pick p = { .c = NULL };
	struct candidates all = { .n = 0 };

	gather(e, remote, false, &all, &p);
	gather(e, remote, true, &all, &p);
	weigh_all(&all, sa_body, &p);
	if (all.n == POLICIES_MAX) {
		first_of(e, remote, false, sa_body, &p);
		first_of(e, remote, true, sa_body, &p);
	}
	return p;
}
