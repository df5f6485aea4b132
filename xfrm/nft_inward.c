/* SPDX-License-Identifier: Apache-2.0 */
/* The inward check: see xfrm/nft_inward.h.
 *
 * An SA takes what its own selectors allow, and those of a route-based child are often everything.
 * So its peer could send packets in the name of a network that another child protects. Of all
 * configured selectors that fit a packet the narrowest decides which child it has to come from (RFC
 * 4301 4.4.1: the SPD is ordered; 5.2: what arrives is checked against it), whether that child is
 * up or not. What has come out of another child's device is dropped, and counted.
 *
 * Both planes pass here alike, behind decryption and before anything translates addresses. By
 * policies it could not be done: the kernel looks at those of the device's number alone, and in
 * userspace one mark opens the guards for all.
 */
#include "xfrm/nft_inward.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>

#include "xfrm/grow.h"
#include "xfrm/iface.h"
#include "xfrm/pair.h"

enum {
	IP4_SOURCE_AT = 12,
	IP4_TARGET_AT = 16,
	IP6_SOURCE_AT = 8,
	IP6_TARGET_AT = 24,
	SOURCE_PORT_AT = 0,
	TARGET_PORT_AT = 2,
};

/* A pair of selectors, and the device that its packets come out of; "": none of a child's own. */
struct claim {
	struct pair pair;
	const char *device;
};

struct claim_list {
	struct claim *v;
	size_t n;
	size_t size;
};

static bool claims_add(struct claim_list *l, const struct host_child *c)
{
	struct pair_list pairs = { .n = 0 };
	bool done = pair_list_fill(&pairs, c, 1) == OK;

	for (size_t i = 0; i < pairs.n && done; i++) {
		struct claim *v = grow(l->v, l->n, &l->size, sizeof(*v));

		done = v != NULL;
		if (!done)
			break;
		l->v = v;
		v[l->n++] = (struct claim){ .pair = pairs.v[i], .device = c->interface };
	}
	pair_list_free(&pairs);
	return done;
}

/* The narrowest first, equal ones side by side. */
static int claim_cmp(const void *x, const void *y)
{
	const struct claim *a = x;
	const struct claim *b = y;

	if (a->pair.narrow != b->pair.narrow)
		return (int)b->pair.narrow - (int)a->pair.narrow;
	return pair_cmp(&a->pair, &b->pair);
}

static void match_addresses(struct nft_rule *r, const struct pair *p)
{
	bool v6 = p->local.addr.family == AF_INET6;
	const uint8_t nfproto = v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;

	nft_meta_is(r, NFT_META_NFPROTO, &nfproto, sizeof(nfproto));
	nft_net_is(r, v6 ? IP6_SOURCE_AT : IP4_SOURCE_AT, &p->remote);
	nft_net_is(r, v6 ? IP6_TARGET_AT : IP4_TARGET_AT, &p->local);
	if (p->proto != 0)
		nft_meta_is(r, NFT_META_L4PROTO, &p->proto, sizeof(p->proto));
}

static void match_ports(struct nft_rule *r, const struct pair *p)
{
	if (!port_is_any(p->remote_port_lo, p->remote_port_hi))
		nft_port_within(r, SOURCE_PORT_AT, p->remote_port_lo, p->remote_port_hi);
	if (!port_is_any(p->local_port_lo, p->local_port_hi))
		nft_port_within(r, TARGET_PORT_AT, p->local_port_lo, p->local_port_hi);
}

static bool has_ports(const struct pair *p)
{
	return !port_is_any(p->remote_port_lo, p->remote_port_hi) ||
	       !port_is_any(p->local_port_lo, p->local_port_hi);
}

static void pass(struct nft *t, const struct nft_chain *c, const struct claim *claim)
{
	struct nft_rule r = nft_rule_begin(t, c);

	nft_device_is(&r, NFT_META_IIFNAME, claim->device, true);
	match_addresses(&r, &claim->pair);
	match_ports(&r, &claim->pair);
	nft_verdict(&r, NFT_RETURN);
	nft_rule_end(&r);
	if (!has_ports(&claim->pair))
		return;
	/* Later fragments have no ports, and nobody can do anything with one alone. */
	r = nft_rule_begin(t, c);
	nft_device_is(&r, NFT_META_IIFNAME, claim->device, true);
	match_addresses(&r, &claim->pair);
	nft_later_fragment(&r, claim->pair.local.addr.family);
	nft_verdict(&r, NFT_RETURN);
	nft_rule_end(&r);
}

static void stop(struct nft *t, const struct nft_chain *c, const struct pair *p)
{
	struct nft_rule r = nft_rule_begin(t, c);

	match_addresses(&r, p);
	match_ports(&r, p);
	nft_counter(&r);
	nft_verdict(&r, NF_DROP);
	nft_rule_end(&r);
}

static void only_our_devices(struct nft *t, const struct nft_chain *c)
{
	const uint32_t group = IFACE_GROUP;
	struct nft_rule r = nft_rule_begin(t, c);

	nft_meta_is_not(&r, NFT_META_IIFGROUP, &group, sizeof(group));
	nft_verdict(&r, NFT_RETURN);
	nft_rule_end(&r);
}

static void claims_build(struct nft *t, const struct nft_chain *c, struct claim_list *l)
{
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), claim_cmp);
	for (size_t i = 0; i < l->n; i++) {
		bool last = i + 1 == l->n || claim_cmp(&l->v[i], &l->v[i + 1]) != 0;

		if (l->v[i].device[0] != '\0')
			pass(t, c, &l->v[i]);
		if (last)
			stop(t, c, &l->v[i].pair);
	}
}

static bool any_device(const struct host_child *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].interface[0] != '\0')
			return true;
	}
	return false;
}

void nft_inward_build(struct nft *t, const char *table, const struct host_child *v, size_t n)
{
	const struct nft_chain chain = { .table = table,
					 .name = "inward",
					 .hook = NF_INET_PRE_ROUTING,
					 .priority = NF_IP_PRI_RAW + 1 };
	struct claim_list claims = { .n = 0 };

	if (n < 2 || !any_device(v, n))
		return;
	for (size_t i = 0; i < n; i++)
		t->bad = !claims_add(&claims, &v[i]) || t->bad;
	nft_chain_add(t, &chain);
	only_our_devices(t, &chain);
	claims_build(t, &chain, &claims);
	free(claims.v);
}
