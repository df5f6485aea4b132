/* SPDX-License-Identifier: Apache-2.0 */
/* The table: see xfrm/nft_table.h.
 *
 * Chain "marks" stands before everything (hook prerouting, priority raw). It gives packets out of
 * the TUN device the inner mark, by which the policies of the data plane let them in (xfrm/plan.h),
 * and takes that mark from everything else. What XFRM has just decrypted comes by a second time and
 * loses the outer mark of the packet that it was in: it is to be led into other tunnels. Outer
 * packets to this host, IKE and ESP, get the outer mark, so that the reverse path filter looks for
 * their sender past our rules: a strict one would otherwise find a peer inside its own tunnel's
 * selectors behind the TUN. Other chains have files of their own.
 */
#include "xfrm/nft_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>

#include "xfrm/host.h"
#include "xfrm/nft_errors.h"
#include "xfrm/nft_guard6.h"
#include "xfrm/nft_inward.h"
#include "xfrm/nft_mss.h"
#include "xfrm/words.h"

static const char table[] = NFT_TABLE;
static const char held[] = NFT_TABLE_HELD;

static const struct nft_chain chain_mark = { .table = table,
					     .name = "marks",
					     .hook = NF_INET_PRE_ROUTING,
					     .priority = NF_IP_PRI_RAW };

enum { TARGET_PORT_AT = 2 };

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
	nft_guard6_build(t, table, p);
	nft_errors_build(t, table, p);
	nft_inward_build(t, table, p->v, p->n);
	nft_mss_build(t, table, p->v, p->n);
	nft_end(t);
}

static bool held_needed(const struct nft_plan *p)
{
	return nft_guard6_needed(p) || nft_errors_needed(p);
}

void nft_table_build_held(struct nft *t, const struct nft_plan *p)
{
	nft_begin(t);
	nft_table_hold(t, held);
	nft_table_delete(t, held);
	if (held_needed(p))
		nft_table_hold(t, held);
	if (nft_guard6_needed(p))
		nft_guard6_build(t, held, p);
	nft_errors_build_held(t, held, p);
	nft_end(t);
}

static enum err said(char *why, enum err err, const struct answer *a, const char *what)
{
	char words[NETLINK_WORDS_MAX];

	(void)netlink_words(err, a, words);
	if (a->error == EOPNOTSUPP)
		return why_say(why, ERR_UNSUPPORTED,
			       "%s: the kernel lacks nftables (CONFIG_NF_TABLES, "
			       "CONFIG_NF_TABLES_INET): %s",
			       what, words);
	if (a->error == EINVAL)
		return why_say(
			why, ERR_UNSUPPORTED,
			"%s: the kernel lacks a part of nftables, or what was sent is wrong: "
			"%s",
			what, words);
	if (a->error == ENOENT)
		return why_say(why, ERR_UNSUPPORTED,
			       "%s: the kernel lacks a part of nftables (CONFIG_NFT_FIB_INET): %s",
			       what, words);
	return why_kernel(why, err, a, what);
}

/* Old kernels say that they do not know the flag, in either way; the last is the answer when the
 * table is somebody else's. The first two may be said of a rule as well, so it is told. */
static bool cannot_hold(const struct answer *a)
{
	return a->error == EOPNOTSUPP || a->error == EINVAL || a->error == EPERM;
}

static enum err held_apply(struct netlink *nl, const struct nft_plan *p, char *lacks, char *why)
{
	char words[NETLINK_WORDS_MAX];
	struct nft t;
	struct answer a;
	enum err err;

	nft_table_build_held(&t, p);
	err = nft_commit(nl, &t, &a);
	nft_free(&t);
	if (err == OK)
		return OK;
	if (!cannot_hold(&a))
		return said(why, err, &a, "cannot set up the nftables table `inet postern-held`");
	if (!held_needed(p))
		return OK;
	return why_say(
		lacks, OK,
		"the nftables table `inet postern-held` cannot be set up; its guards stand in "
		"`inet postern` alone, which `nft flush ruleset` takes away: %s",
		netlink_words(err, &a, words));
}

enum err nft_table_apply(struct netlink *nl, const struct nft_plan *p, char *lacks, char *why)
{
	struct nft t;
	struct answer a;
	enum err err;

	lacks[0] = '\0';
	nft_table_build(&t, p);
	err = nft_commit(nl, &t, &a);
	nft_free(&t);
	if (err != OK)
		return said(why, err, &a, "cannot set up the nftables table `inet postern`");
	return held_apply(nl, p, lacks, why);
}

enum err nft_table_remove(struct netlink *nl, char *why)
{
	static const struct policy_list none = { .n = 0 };
	char unused[HOST_WHY_MAX];
	struct nft t;
	struct answer a;
	enum err err;

	nft_begin(&t);
	nft_table_add(&t, table);
	nft_table_delete(&t, table);
	nft_end(&t);
	err = nft_commit(nl, &t, &a);
	nft_free(&t);
	if (err != OK)
		return said(why, err, &a, "cannot remove the nftables table `inet postern`");
	return held_apply(nl, &(struct nft_plan){ .guards = &none }, unused, why);
}
