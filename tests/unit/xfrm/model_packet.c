/* SPDX-License-Identifier: Apache-2.0 */
/* What XFRM in memory says of a packet. */
#include <arpa/inet.h>
#include <string.h>

#include "tests/unit/xfrm/model.h"

static bool net_has(const xfrm_address_t *net, uint8_t bits, uint32_t addr)
{
	return bits == 0 || (ntohl(net->a4) ^ addr) >> (32 - bits) == 0;
}

static bool selects(const struct xfrm_selector *sel, uint32_t src, uint32_t dst)
{
	return sel->family == AF_UNSPEC ||
	       (sel->family == AF_INET && net_has(&sel->saddr, sel->prefixlen_s, src) &&
		net_has(&sel->daddr, sel->prefixlen_d, dst));
}

bool model_lets_in(const struct model *m, uint32_t spi, uint32_t src, uint32_t dst)
{
	const struct model_policy *best = NULL;
	const struct model_state *s = NULL;

	for (size_t i = 0; i < m->n_states; i++) {
		if (ntohl(m->states[i].u.id.spi) == spi)
			s = &m->states[i];
	}
	for (size_t i = 0; i < m->n_policies; i++) {
		const struct model_policy *p = &m->policies[i];

		if (p->u.dir == XFRM_POLICY_IN && selects(&p->u.sel, src, dst) &&
		    (best == NULL || p->u.priority < best->u.priority))
			best = p;
	}
	return s != NULL && selects(&s->u.sel, src, dst) && best != NULL && best->has_tmpl &&
	       best->tmpl.reqid == s->u.reqid && best->tmpl.mode == s->u.mode &&
	       (best->tmpl.saddr.a4 == 0 ||
		memcmp(&best->tmpl.saddr, &s->u.saddr, sizeof(s->u.saddr)) == 0);
}
