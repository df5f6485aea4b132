/* SPDX-License-Identifier: Apache-2.0 */
/* The table: see xfrm/nft_table.h.
 *
 * Chain "marks" stands before everything (hook prerouting, priority raw). It gives packets out of
 * the TUN device the inner mark, by which the policies of the data plane let them in (xfrm/plan.h),
 * and takes that mark from everything else. What XFRM has just decrypted comes by a second time and
 * loses the outer mark of the packet that it was in: it is to be led into other tunnels. Outer
 * packets to this host, IKE and ESP, get the outer
 * mark, so that the reverse path filter looks for their sender past our rules: a strict one would
 * otherwise find a peer inside its own tunnel's selectors behind the TUN.
 *
 * Chain "guard6" (hook postrouting) drops IPv6 packets of the children's selectors on their way to
 * any other device: their XFRM guard is lifted while the plane is in place (xfrm/plan.c says why).
 */
#include "xfrm/nft_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>
#include <string.h>

#include "xfrm/host.h"
#include "xfrm/nft_inward.h"
#include "xfrm/nft_mss.h"
#include "xfrm/words.h"

static const char table[] = NFT_TABLE;

static const struct nft_chain chain_mark = { .table = table,
					     .name = "marks",
					     .hook = NF_INET_PRE_ROUTING,
					     .priority = NF_IP_PRI_RAW };

/* Last of all, so that it sees addresses as they leave. */
static const struct nft_chain chain_guard6 = { .table = table,
					       .name = "guard6",
					       .hook = NF_INET_POST_ROUTING,
					       .priority = INT_MAX - 1 };

enum {
	IP6_SOURCE_AT = 8,
	IP6_TARGET_AT = 24,
	SOURCE_PORT_AT = 0, /* also the type and code of ICMPv6 */
	TARGET_PORT_AT = 2,
	ND_FIRST = 133,
	ND_LAST = 137,
};

static void proto_is(struct nft_rule *r, uint8_t proto)
{
	nft_meta_is(r, NFT_META_L4PROTO, &proto, sizeof(proto));
}

static void mark_decrypted(struct nft *t)
{
	const uint8_t yes = 1;
	struct nft_rule r = nft_rule_begin(t, &chain_mark);

	nft_meta_is(&r, NFT_META_SECPATH, &yes, sizeof(yes));
	nft_mark_set(&r, 0, HOST_MARK_MASK);
	nft_verdict(&r, NFT_RETURN);
	nft_rule_end(&r);
}

static void mark_device(struct nft *t, const char *tun)
{
	struct nft_rule r = nft_rule_begin(t, &chain_mark);

	nft_device_is(&r, NFT_META_IIFNAME, tun, true);
	nft_mark_set(&r, HOST_MARK_INNER, HOST_MARK_MASK);
	nft_verdict(&r, NFT_RETURN);
	nft_rule_end(&r);
}

/* A TUN of a child's own is ours to read, so what comes out of it has been through ESP. */
static void mark_inner(struct nft *t, const struct nft_plan *p)
{
	struct nft_rule r;

	mark_device(t, p->tun);
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].interface[0] != '\0' && p->v[i].plane == PLANE_USER)
			mark_device(t, p->v[i].interface);
	}
	r = nft_rule_begin(t, &chain_mark);
	nft_mark_is(&r, HOST_MARK_INNER, HOST_MARK_MASK);
	nft_mark_set(&r, 0, HOST_MARK_MASK);
	nft_rule_end(&r);
}

static void mark_outer_port(struct nft *t, uint16_t port)
{
	const uint16_t wire = htons(port);
	struct nft_rule r = nft_rule_begin(t, &chain_mark);

	proto_is(&r, IPPROTO_UDP);
	nft_payload_is(&r, NFT_PAYLOAD_TRANSPORT_HEADER, TARGET_PORT_AT, &wire, sizeof(wire));
	nft_to_this_host(&r);
	nft_mark_set(&r, HOST_MARK_OUTER, HOST_MARK_MASK);
	nft_rule_end(&r);
}

/* Later fragments have no port. Only IPv4 has a reverse path filter, so only there they need the
 * mark. */
static void mark_outer_fragment(struct nft *t)
{
	const uint8_t ipv4 = NFPROTO_IPV4;
	struct nft_rule r = nft_rule_begin(t, &chain_mark);

	nft_meta_is(&r, NFT_META_NFPROTO, &ipv4, sizeof(ipv4));
	proto_is(&r, IPPROTO_UDP);
	nft_later_fragment(&r, AF_INET);
	nft_to_this_host(&r);
	nft_mark_set(&r, HOST_MARK_OUTER, HOST_MARK_MASK);
	nft_rule_end(&r);
}

static void mark_outer_esp(struct nft *t)
{
	struct nft_rule r = nft_rule_begin(t, &chain_mark);

	proto_is(&r, IPPROTO_ESP);
	nft_to_this_host(&r);
	nft_mark_set(&r, HOST_MARK_OUTER, HOST_MARK_MASK);
	nft_rule_end(&r);
}

static void guard6_device(struct nft *t, const char *name)
{
	struct nft_rule r = nft_rule_begin(t, &chain_guard6);

	nft_device_is(&r, NFT_META_OIFNAME, name, true);
	nft_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);
}

/* What the kernel is about to encrypt passes here under the name of the device that it leaves by
 * afterwards: packets of a route-based child, and of any child that lies inside a wider one of
 * userspace ESP. Their own guards are not lifted, and the wider child's packets have no such way
 * out. */
static void guard6_encrypted(struct nft *t)
{
	struct nft_rule r = nft_rule_begin(t, &chain_guard6);

	nft_ipsec_out(&r);
	nft_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);
}

static void guard6_devices(struct nft *t, const struct nft_plan *p)
{
	bool kernel = false;

	guard6_device(t, "lo");
	guard6_device(t, p->tun);
	for (size_t i = 0; i < p->n; i++) {
		kernel = kernel || p->v[i].plane == PLANE_KERNEL;
		if (p->v[i].interface[0] != '\0')
			guard6_device(t, p->v[i].interface);
	}
	if (kernel)
		guard6_encrypted(t);
}

/* IKE, ESP, and the neighbours without whom neither leaves. */
static void guard6_always(struct nft *t)
{
	struct nft_rule r = nft_rule_begin(t, &chain_guard6);

	nft_mark_is(&r, HOST_MARK_OUTER, HOST_MARK_MASK);
	nft_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);
	r = nft_rule_begin(t, &chain_guard6);
	proto_is(&r, IPPROTO_ESP);
	nft_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);
	for (uint8_t type = ND_FIRST; type <= ND_LAST; type++) {
		r = nft_rule_begin(t, &chain_guard6);
		proto_is(&r, IPPROTO_ICMPV6);
		nft_payload_is(&r, NFT_PAYLOAD_TRANSPORT_HEADER, SOURCE_PORT_AT, &type,
			       sizeof(type));
		nft_verdict(&r, NF_ACCEPT);
		nft_rule_end(&r);
	}
}

static void guard6_policy(struct nft *t, const struct policy *p)
{
	struct nft_rule r = nft_rule_begin(t, &chain_guard6);
	struct net from = { .addr = { .family = AF_INET6 }, .bits = p->sel.prefixlen_s };
	struct net to = { .addr = { .family = AF_INET6 }, .bits = p->sel.prefixlen_d };
	const uint8_t ipv6 = NFPROTO_IPV6;

	memcpy(from.addr.b, &p->sel.saddr, sizeof(from.addr.b));
	memcpy(to.addr.b, &p->sel.daddr, sizeof(to.addr.b));
	nft_meta_is(&r, NFT_META_NFPROTO, &ipv6, sizeof(ipv6));
	nft_net_is(&r, IP6_SOURCE_AT, &from);
	nft_net_is(&r, IP6_TARGET_AT, &to);
	if (p->sel.proto != 0)
		proto_is(&r, p->sel.proto);
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

/* The first rule that fits decides, so the best policy comes first. */
static void guard6_policies(struct nft *t, const struct policy_list *guards)
{
	const struct policy **v = calloc(guards->n + 1, sizeof(const struct policy *));
	size_t n = 0;

	t->bad = t->bad || v == NULL;
	for (size_t i = 0; v != NULL && i < guards->n; i++) {
		const struct policy *p = &guards->v[i];

		if (p->dir == XFRM_POLICY_OUT && p->sel.family == AF_INET6 &&
		    p->priority != POLICY_PRIORITY_BEST)
			v[n++] = p;
	}
	if (n > 0)
		qsort(v, n, sizeof(const struct policy *), better);
	for (size_t i = 0; i < n; i++)
		guard6_policy(t, v[i]);
	free(v);
}

void nft_table_build(struct nft *t, const struct nft_plan *p)
{
	nft_begin(t);
	/* Adding it makes removing it possible whether it was there or not; all within one
	 * transaction. */
	nft_table_add(t, table);
	nft_table_delete(t, table);
	nft_table_add(t, table);
	nft_chain_add(t, &chain_mark);
	mark_decrypted(t);
	mark_inner(t, p);
	mark_outer_port(t, 500);
	mark_outer_port(t, 4500);
	mark_outer_fragment(t);
	mark_outer_esp(t);
	nft_chain_add(t, &chain_guard6);
	guard6_devices(t, p);
	guard6_always(t);
	guard6_policies(t, p->guards);
	nft_inward_build(t, table, p->v, p->n);
	nft_mss_build(t, table, p->v, p->n);
	nft_end(t);
}

static enum err said(char *why, enum err err, const struct answer *a, const char *what)
{
	if (a->error == EOPNOTSUPP || a->error == EINVAL)
		return why_say(why, ERR_UNSUPPORTED,
			       "%s: the kernel lacks nftables (CONFIG_NF_TABLES, "
			       "CONFIG_NF_TABLES_INET)",
			       what);
	if (a->error == ENOENT)
		return why_say(why, ERR_UNSUPPORTED,
			       "%s: the kernel lacks a part of nftables (CONFIG_NFT_FIB_INET)",
			       what);
	return why_kernel(why, err, a, what);
}

enum err nft_table_apply(struct netlink *nl, const struct nft_plan *p, char *why)
{
	struct nft t;
	struct answer a;
	enum err err;

	nft_table_build(&t, p);
	err = nft_commit(nl, &t, &a);
	nft_free(&t);
	return err == OK ? OK
			 : said(why, err, &a, "cannot set up the nftables table `inet postern`");
}

enum err nft_table_remove(struct netlink *nl, char *why)
{
	struct nft t;
	struct answer a;
	enum err err;

	nft_begin(&t);
	nft_table_add(&t, table);
	nft_table_delete(&t, table);
	nft_end(&t);
	err = nft_commit(nl, &t, &a);
	nft_free(&t);
	return err == OK ? OK
			 : said(why, err, &a, "cannot remove the nftables table `inet postern`");
}
