/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/xfrm/nft_run.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { EXPR_MAX = NFTA_BITWISE_MAX + NFTA_PAYLOAD_MAX };

/* The one register, and what became of the rule. */
struct step {
	uint8_t reg[16];
	bool fits;
	int verdict; /* NFT_CONTINUE until one is said */
	const char *chain;
};

static uint32_t be32_of(struct nlattr *a)
{
	return ntohl(nla_get_u32(a));
}

static struct nlattr *value_of(struct nlattr *nest)
{
	struct nlattr *v = nla_find(nla_data(nest), nla_len(nest), NFTA_DATA_VALUE);

	ck_assert_ptr_nonnull(v);
	return v;
}

static void do_meta(struct nlattr **f, struct nft_packet *p, struct step *s)
{
	uint32_t key = be32_of(f[NFTA_META_KEY]);

	if (f[NFTA_META_SREG] != NULL) {
		ck_assert_uint_eq(key, NFT_META_MARK);
		memcpy(&p->mark, s->reg, sizeof(p->mark));
		return;
	}
	memset(s->reg, 0, sizeof(s->reg));
	if (key == NFT_META_MARK)
		memcpy(s->reg, &p->mark, sizeof(p->mark));
	else if (key == NFT_META_NFPROTO)
		s->reg[0] = p->family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	else if (key == NFT_META_L4PROTO)
		s->reg[0] = p->proto;
	else if (key == NFT_META_OIFNAME)
		memcpy(s->reg, p->device, strlen(p->device));
	else
		ck_abort_msg("meta %u", key);
}

/* What is not there fits nothing. */
static void do_payload(struct nlattr **f, const struct nft_packet *p, struct step *s)
{
	uint32_t at = be32_of(f[NFTA_PAYLOAD_OFFSET]), len = be32_of(f[NFTA_PAYLOAD_LEN]);

	ck_assert_uint_eq(be32_of(f[NFTA_PAYLOAD_BASE]), NFT_PAYLOAD_TRANSPORT_HEADER);
	ck_assert_uint_le(len, sizeof(s->reg));
	s->fits = at + len <= p->len;
	if (s->fits)
		memcpy(s->reg, p->l4 + at, len);
}

static void do_bitwise(struct nlattr **f, struct step *s)
{
	const uint8_t *mask = nla_data(value_of(f[NFTA_BITWISE_MASK]));
	const uint8_t *flip = nla_data(value_of(f[NFTA_BITWISE_XOR]));

	for (uint32_t i = 0; i < be32_of(f[NFTA_BITWISE_LEN]); i++)
		s->reg[i] = (uint8_t)((s->reg[i] & mask[i]) ^ flip[i]);
}

static void do_cmp(struct nlattr **f, struct step *s)
{
	struct nlattr *v = value_of(f[NFTA_CMP_DATA]);
	bool same = memcmp(s->reg, nla_data(v), (size_t)nla_len(v)) == 0;

	s->fits = same == (be32_of(f[NFTA_CMP_OP]) == NFT_CMP_EQ);
}

static void do_verdict(struct nlattr **f, struct step *s)
{
	struct nlattr *data = f[NFTA_IMMEDIATE_DATA], *chain;
	struct nlattr *v = nla_find(nla_data(data), nla_len(data), NFTA_DATA_VERDICT);

	ck_assert_ptr_nonnull(v);
	s->verdict = (int)be32_of(nla_find(nla_data(v), nla_len(v), NFTA_VERDICT_CODE));
	chain = nla_find(nla_data(v), nla_len(v), NFTA_VERDICT_CHAIN);
	s->chain = chain == NULL ? NULL : nla_get_string(chain);
}

static void do_expression(struct nlattr *element, struct nft_packet *p, struct step *s)
{
	struct nlattr *name = nla_find(nla_data(element), nla_len(element), NFTA_EXPR_NAME);
	struct nlattr *data = nla_find(nla_data(element), nla_len(element), NFTA_EXPR_DATA);
	struct nlattr *f[EXPR_MAX + 1];
	const char *what = nla_get_string(name);

	if (strcmp(what, "counter") == 0)
		return;
	ck_assert_int_eq(nla_parse_nested(f, EXPR_MAX, data, NULL), 0);
	if (strcmp(what, "meta") == 0)
		do_meta(f, p, s);
	else if (strcmp(what, "payload") == 0)
		do_payload(f, p, s);
	else if (strcmp(what, "bitwise") == 0)
		do_bitwise(f, s);
	else if (strcmp(what, "cmp") == 0)
		do_cmp(f, s);
	else if (strcmp(what, "immediate") == 0)
		do_verdict(f, s);
	else if (strcmp(what, "rt") == 0)
		s->reg[0] = p->encrypted;
	else
		ck_abort_msg("%s", what);
}

static int run(const struct nft *t, const char *chain, struct nft_packet *p)
{
	int verdict = NFT_CONTINUE;

	for (size_t i = 0; i < t->n && verdict == NFT_CONTINUE; i++) {
		struct nlmsghdr *h = nlmsg_hdr(t->v[i].msg);
		struct nlattr *rule[NFTA_RULE_MAX + 1], *element;
		struct step s = { .fits = true, .verdict = NFT_CONTINUE };
		int left;

		if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE))
			continue;
		ck_assert_int_eq(nlmsg_parse(h, sizeof(struct nfgenmsg), rule, NFTA_RULE_MAX, NULL),
				 0);
		if (strcmp(nla_get_string(rule[NFTA_RULE_CHAIN]), chain) != 0)
			continue;
		nla_for_each_nested(element, rule[NFTA_RULE_EXPRESSIONS], left)
		{
			if (s.fits)
				do_expression(element, p, &s);
		}
		if (s.fits && s.verdict == NFT_JUMP)
			s.verdict = run(t, s.chain, p);
		if (s.fits)
			verdict = s.verdict;
	}
	return verdict == NFT_RETURN ? NFT_CONTINUE : verdict;
}

bool nft_run(const struct nft *t, const char *chain, struct nft_packet *p)
{
	return run(t, chain, p) != NF_DROP;
}
