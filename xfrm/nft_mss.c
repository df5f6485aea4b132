/* SPDX-License-Identifier: Apache-2.0 */
/* The clamp: see xfrm/nft_mss.h.
 *
 * A SYN that is forwarded between the two sides of a child says no larger segments than fit into
 * its tunnel, in both directions, so that no connection hangs on an ICMP message that a firewall
 * ate. What the gateway itself sends has its route's MTU. The kernel only ever lowers the option.
 *
 * Userspace ESP clamps too (esp/mss.h), to what it has learned of the path; what our routes say is
 * known here, and the kernel drops by it before a packet gets to userspace.
 */
#include "xfrm/nft_mss.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>

#include "xfrm/iface.h"
#include "xfrm/pair.h"

enum {
	IP4_SOURCE_AT = 12,
	IP4_TARGET_AT = 16,
	IP6_SOURCE_AT = 8,
	IP6_TARGET_AT = 24,
	TCP_FLAGS_AT = 12, /* with the data offset before them */
	TCP_SYN = 0x0002,
	HEADERS4 = 40, /* IPv4 and TCP without options */
	HEADERS6 = 60,
	MESSAGES_MAX = 8000, /* so that a very long table still fits into one transaction */
};

/* Whatever is no SYN is through with the chain at once: it may be long. */
static void only_syn(struct nft *t, const struct nft_chain *c)
{
	const uint8_t proto = IPPROTO_TCP;
	struct nft_rule r = nft_rule_begin(t, c);

	nft_meta_is_not(&r, NFT_META_L4PROTO, &proto, sizeof(proto));
	nft_verdict(&r, NFT_RETURN);
	nft_rule_end(&r);
	r = nft_rule_begin(t, c);
	nft_payload_masked(&r, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_AT, TCP_SYN, true);
	nft_verdict(&r, NFT_RETURN);
	nft_rule_end(&r);
}

static struct nft_rule syn_begin(struct nft *t, const struct nft_chain *c, sa_family_t family)
{
	const uint8_t nfproto = family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	struct nft_rule r = nft_rule_begin(t, c);

	nft_meta_is(&r, NFT_META_NFPROTO, &nfproto, sizeof(nfproto));
	return r;
}

static void clamp_end(struct nft_rule *r, sa_family_t family, uint16_t mtu)
{
	nft_mss_set(r, (uint16_t)(mtu - (family == AF_INET6 ? HEADERS6 : HEADERS4)));
	nft_rule_end(r);
}

static uint16_t mtu_of(const struct host_child *c)
{
	return c->mtu != 0 ? c->mtu : HOST_MTU_FIRST;
}

static void clamp_nets(struct nft *t, const struct nft_chain *c, const struct net *from,
		       const struct net *to, uint16_t mtu)
{
	sa_family_t family = from->addr.family;
	bool v6 = family == AF_INET6;
	struct nft_rule r = syn_begin(t, c, family);

	nft_net_is(&r, v6 ? IP6_SOURCE_AT : IP4_SOURCE_AT, from);
	nft_net_is(&r, v6 ? IP6_TARGET_AT : IP4_TARGET_AT, to);
	clamp_end(&r, family, mtu);
}

static void clamp_pairs(struct nft *t, const struct nft_chain *c, const struct host_child *child)
{
	struct pair_list pairs = { .n = 0 };

	if (pair_list_fill(&pairs, child, 1) != OK)
		t->bad = true;
	for (size_t i = 0; i < pairs.n; i++) {
		clamp_nets(t, c, &pairs.v[i].local, &pairs.v[i].remote, mtu_of(child));
		clamp_nets(t, c, &pairs.v[i].remote, &pairs.v[i].local, mtu_of(child));
	}
	pair_list_free(&pairs);
}

static void clamp_device(struct nft *t, const struct nft_chain *c, const struct host_child *child)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	static const uint32_t ways[] = { NFT_META_IIFNAME, NFT_META_OIFNAME };

	for (size_t i = 0; i < 4; i++) {
		struct nft_rule r = syn_begin(t, c, families[i / 2]);

		nft_device_is(&r, ways[i % 2], child->interface, true);
		clamp_end(&r, families[i / 2], mtu_of(child));
	}
}

static bool clamped(const struct nft *t, const struct host_child *c)
{
	return c->mode == SA_TUNNEL && t->n < MESSAGES_MAX;
}

void nft_mss_build(struct nft *t, const char *table, const struct host_child *v, size_t n)
{
	const struct nft_chain chain = { .table = table,
					 .name = "mss",
					 .hook = NF_INET_FORWARD,
					 .priority = NF_IP_PRI_MANGLE };
	bool begun = false;

	for (size_t i = 0; i < n; i++) {
		if (!clamped(t, &v[i]))
			continue;
		if (!begun) {
			nft_chain_add(t, &chain);
			only_syn(t, &chain);
		}
		begun = true;
		if (v[i].interface[0] != '\0')
			clamp_device(t, &chain, &v[i]);
		else
			clamp_pairs(t, &chain, &v[i]);
	}
}
