/* SPDX-License-Identifier: Apache-2.0 */
/* The guard behind routing: see xfrm/nft_guard6.h. */
#include "xfrm/nft_guard6.h"

#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

enum {
	IP6_SOURCE_AT = 8,
	IP6_TARGET_AT = 24,
	SOURCE_PORT_AT = 0, /* also the type and code of ICMPv6 */
	TARGET_PORT_AT = 2,
	ND_FIRST = 133,
	ND_LAST = 137,
};

static void guard6_proto(struct nft_rule *r, uint8_t proto)
{
	nft_meta_is(r, NFT_META_L4PROTO, &proto, sizeof(proto));
}

static void guard6_device(struct nft *t, const struct nft_chain *c, const char *name)
{
	struct nft_rule r = nft_rule_begin(t, c);

	nft_device_is(&r, NFT_META_OIFNAME, name, true);
	nft_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);
}

/* What the kernel is about to encrypt passes here under the name of the device that it leaves by
 * afterwards: packets of a route-based child, and of any child that lies inside a wider one of
 * userspace ESP. Their own guards are not lifted, and the wider child's packets have no such way
 * out. */
static void guard6_encrypted(struct nft *t, const struct nft_chain *c)
{
	struct nft_rule r = nft_rule_begin(t, c);

	nft_ipsec_out(&r);
	nft_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);
}

void nft_guard6_tunnels(struct nft *t, const struct nft_chain *c, const struct nft_plan *p)
{
	bool kernel = false;

	guard6_device(t, c, "lo");
	guard6_device(t, c, p->tun);
	for (size_t i = 0; i < p->n; i++) {
		kernel = kernel || p->v[i].plane == PLANE_KERNEL;
		if (p->v[i].interface[0] != '\0')
			guard6_device(t, c, p->v[i].interface);
	}
	if (kernel)
		guard6_encrypted(t, c);
}

/* IKE, ESP, and the neighbours without whom neither leaves. */
static void guard6_always(struct nft *t, const struct nft_chain *c)
{
	struct nft_rule r = nft_rule_begin(t, c);

	nft_mark_is(&r, HOST_MARK_OUTER, HOST_MARK_MASK);
	nft_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);
	r = nft_rule_begin(t, c);
	guard6_proto(&r, IPPROTO_ESP);
	nft_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);
	for (uint8_t type = ND_FIRST; type <= ND_LAST; type++) {
		r = nft_rule_begin(t, c);
		guard6_proto(&r, IPPROTO_ICMPV6);
		nft_payload_is(&r, NFT_PAYLOAD_TRANSPORT_HEADER, SOURCE_PORT_AT, &type,
			       sizeof(type));
		nft_verdict(&r, NF_ACCEPT);
		nft_rule_end(&r);
	}
}

static void guard6_policy(struct nft *t, const struct nft_chain *c, const struct policy *p)
{
	struct nft_rule r = nft_rule_begin(t, c);
	struct net from = { .addr = { .family = AF_INET6 }, .bits = p->sel.prefixlen_s };
	struct net to = { .addr = { .family = AF_INET6 }, .bits = p->sel.prefixlen_d };
	const uint8_t ipv6 = NFPROTO_IPV6;

	memcpy(from.addr.b, &p->sel.saddr, sizeof(from.addr.b));
	memcpy(to.addr.b, &p->sel.daddr, sizeof(to.addr.b));
	nft_meta_is(&r, NFT_META_NFPROTO, &ipv6, sizeof(ipv6));
	nft_net_is(&r, IP6_SOURCE_AT, &from);
	nft_net_is(&r, IP6_TARGET_AT, &to);
	if (p->sel.proto != 0)
		guard6_proto(&r, p->sel.proto);
	if (p->sel.sport_mask != 0)
		nft_payload_is(&r, NFT_PAYLOAD_TRANSPORT_HEADER, SOURCE_PORT_AT, &p->sel.sport,
			       sizeof(p->sel.sport));
	if (p->sel.dport_mask != 0)
		nft_payload_is(&r, NFT_PAYLOAD_TRANSPORT_HEADER, TARGET_PORT_AT, &p->sel.dport,
			       sizeof(p->sel.dport));
	nft_verdict(&r, p->action == XFRM_POLICY_BLOCK ? NF_DROP : NF_ACCEPT);
	nft_rule_end(&r);
}

static int better(const void *x, const void *y)
{
	const struct policy *const *a = x;
	const struct policy *const *b = y;

	return ((*a)->priority > (*b)->priority) - ((*a)->priority < (*b)->priority);
}

static bool guard6_is(const struct policy *p)
{
	return p->dir == XFRM_POLICY_OUT && p->sel.family == AF_INET6 &&
	       p->priority != POLICY_PRIORITY_BEST;
}

/* The first rule that fits decides, so the best policy comes first. */
static void guard6_policies(struct nft *t, const struct nft_chain *c,
			    const struct policy_list *guards)
{
	const struct policy **v = calloc(guards->n + 1, sizeof(const struct policy *));
	size_t n = 0;

	t->bad = t->bad || v == NULL;
	for (size_t i = 0; v != NULL && i < guards->n; i++) {
		const struct policy *p = &guards->v[i];

		if (guard6_is(p))
			v[n++] = p;
	}
	if (n > 0)
		qsort(v, n, sizeof(const struct policy *), better);
	for (size_t i = 0; i < n; i++)
		guard6_policy(t, c, v[i]);
	free(v);
}

bool nft_guard6_needed(const struct nft_plan *p)
{
	for (size_t i = 0; i < p->guards->n; i++) {
		if (guard6_is(&p->guards->v[i]))
			return true;
	}
	return false;
}

/* Last of all, so that it sees addresses as they leave. */
void nft_guard6_build(struct nft *t, const char *table, const struct nft_plan *p)
{
	const struct nft_chain chain = { .table = table,
					 .name = "guard6",
					 .hook = NF_INET_POST_ROUTING,
					 .priority = INT_MAX - 1 };

	nft_chain_add(t, &chain);
	nft_guard6_tunnels(t, &chain, p);
	guard6_always(t, &chain);
	guard6_policies(t, &chain, p->guards);
}
