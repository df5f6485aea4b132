/* SPDX-License-Identifier: Apache-2.0 */
/* Address substitution: see transport.h. */
#include "ike/transport.h"

/* The address that all selectors of a side are of. */
static bool host_of(const struct ts_list *l, struct addr *host)
{
	for (unsigned int i = 0; i < l->n; i++) {
		if (!addr_eq(&l->v[i].lo, &l->v[i].hi) || !addr_eq(&l->v[i].lo, &l->v[0].lo))
			return false;
	}
	if (l->n > 0)
		*host = l->v[0].lo;
	return l->n > 0;
}

static bool side(struct ts_list *l, const struct addr *here, bool translated, struct addr *original)
{
	struct addr host;

	if (!host_of(l, &host))
		return false;
	if (addr_eq(&host, here))
		return true;
	if (!translated || host.family != here->family)
		return false;
	*original = host;
	for (unsigned int i = 0; i < l->n; i++) {
		l->v[i].lo = *here;
		l->v[i].hi = *here;
	}
	return true;
}

bool transport_substitute(const struct ike_sa *sa, bool we_began, struct ts_pair *ts,
			  struct transport_nat *nat)
{
	struct ts_list *local = we_began ? &ts->i : &ts->r;
	struct ts_list *remote = we_began ? &ts->r : &ts->i;

	*nat = (struct transport_nat){ .local.family = AF_UNSPEC };
	return side(local, &sa->path.local.addr, sa->nat_here, &nat->local) &&
	       side(remote, &sa->path.remote.addr, sa->nat_there, &nat->remote);
}
