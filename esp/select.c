/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors against packets.
 *
 * Negotiated selectors of different children may overlap (a child for one port beside one for the
 * network). IKEv2 orders nothing between SAs, so the narrowest wins, as the longest prefix does in
 * routing. The walk is linear in SAs.
 */
#include "esp/select.h"

/* How many leading bits the two ends of the range share: 32 or 128 for one host. */
static unsigned common_bits(const struct ts *t)
{
	unsigned bits = 0;

	for (size_t i = 0; i < addr_len(&t->lo); i++) {
		uint8_t differ = t->lo.b[i] ^ t->hi.b[i];

		if (differ == 0) {
			bits += 8;
			continue;
		}
		while (!(differ & 0x80)) {
			differ = (uint8_t)(differ << 1);
			bits++;
		}
		break;
	}
	return bits;
}

/* Larger is narrower. Address bits outweigh the protocol, which outweighs the ports. */
static unsigned narrowness(const struct ts *t)
{
	unsigned ports = ts_port_opaque(t) ? 0 : 16;

	for (unsigned span = (unsigned)(uint16_t)(t->port_hi - t->port_lo); ports > 0 && span > 0;
	     span >>= 1)
		ports--;
	return common_bits(t) << 10 | (t->proto != 0 ? 0x100u : 0) | ports;
}

/* The narrowest selector of the list that fits; 0 when none does. */
static unsigned best(const struct ts_list *l, const struct addr *a, const struct flow *f,
		     uint16_t port)
{
	unsigned most = 0;

	for (size_t i = 0; i < l->n; i++) {
		unsigned score = narrowness(&l->v[i]) + 1;

		if (score > most && ts_match(&l->v[i], a, f->proto, f->ports_known, port))
			most = score;
	}
	return most;
}

struct sa *select_outbound(const struct sa_list *l, const struct flow *f, uint32_t if_id)
{
	struct sa *found = NULL;
	unsigned most = 0;

	for (size_t i = 0; i < l->n; i++) {
		bool joins = l->v[i]->if_id == if_id && sa_joins(l->v[i], f);
		unsigned remote = joins ? best(&l->v[i]->remote, &f->dst, f, f->dport) : 0;
		unsigned local = remote > 0 ? best(&l->v[i]->local, &f->src, f, f->sport) : 0;

		if (local > 0 && remote + local > most) {
			most = remote + local;
			found = l->v[i];
		}
	}
	return found;
}

bool select_inbound(const struct sa *sa, const struct flow *f)
{
	struct flow out = {
		.src = f->dst,
		.dst = f->src,
		.proto = f->proto,
		.ports_known = f->ports_known,
		.sport = f->dport,
		.dport = f->sport,
	};

	return sa_joins(sa, &out) && ts_lists_match(&sa->local, &sa->remote, &out);
}

bool select_whole(const struct sa_list *l, const struct flow *f, uint32_t if_id)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i]->mode == SA_TRANSPORT && l->v[i]->if_id == if_id &&
		    sa_joins(l->v[i], f))
			return true;
	return false;
}
