/* SPDX-License-Identifier: Apache-2.0 */
/* Builders of nftables messages: see xfrm/nft.h. */
#include "xfrm/nft.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_FIRST = 16, BATCH_MAX = 65536, REG = NFT_REG_1, REG_QUEUE = NFT_REG_2 };

/* The next message; the list may move, so a pointer is good until the next call. */
static struct ask *nft_next(struct nft *t, uint16_t type, uint16_t flags, const struct nfgenmsg *h)
{
	size_t size = t->size == 0 ? LIST_FIRST : t->size * 2;
	struct ask *v;

	if (t->n == t->size) {
		v = size > BATCH_MAX ? NULL : reallocarray(t->v, size, sizeof(*v));
		t->bad = t->bad || v == NULL;
		if (v == NULL)
			return &t->spare;
		t->v = v;
		t->size = size;
	}
	t->v[t->n] = ask_new(type, flags);
	ask_header(&t->v[t->n], h, sizeof(*h));
	return &t->v[t->n++];
}

static struct ask *nft_message(struct nft *t, uint16_t kind, uint16_t flags)
{
	const struct nfgenmsg h = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };

	return nft_next(t, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | kind), flags, &h);
}

static void nft_bracket(struct nft *t, uint16_t type)
{
	const struct nfgenmsg h = { .version = NFNETLINK_V0,
				    .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	nft_next(t, type, 0, &h);
}

void nft_begin(struct nft *t)
{
	*t = (struct nft){ .spare = { .bad = true } };
	nft_bracket(t, NFNL_MSG_BATCH_BEGIN);
}

void nft_end(struct nft *t)
{
	/* The last change is acknowledged, when all are done. */
	if (t->n > 0 && !t->v[t->n - 1].bad)
		nlmsg_hdr(t->v[t->n - 1].msg)->nlmsg_flags |= NLM_F_ACK;
	nft_bracket(t, NFNL_MSG_BATCH_END);
}

void nft_free(struct nft *t)
{
	for (size_t i = 0; i < t->n; i++)
		ask_free(&t->v[i]);
	free(t->v);
	*t = (struct nft){ .v = NULL };
}

enum err nft_commit(struct netlink *nl, struct nft *t, struct answer *a)
{
	*a = (struct answer){ .error = 0 };
	return t->bad ? ERR_LIMIT : netlink_transact(nl, t->v, t->n, a);
}

void nft_table_add(struct nft *t, const char *table)
{
	ask_str(nft_message(t, NFT_MSG_NEWTABLE, NLM_F_CREATE), NFTA_TABLE_NAME, table);
}

void nft_table_hold(struct nft *t, const char *table)
{
	struct ask *a = nft_message(t, NFT_MSG_NEWTABLE, NLM_F_CREATE);

	ask_str(a, NFTA_TABLE_NAME, table);
	ask_be32(a, NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
}

void nft_table_delete(struct nft *t, const char *table)
{
	ask_str(nft_message(t, NFT_MSG_DELTABLE, 0), NFTA_TABLE_NAME, table);
}

void nft_chain_add(struct nft *t, const struct nft_chain *c)
{
	struct ask *a = nft_message(t, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nlattr *hook;

	ask_str(a, NFTA_CHAIN_TABLE, c->table);
	ask_str(a, NFTA_CHAIN_NAME, c->name);
	if (c->kind == NFT_CHAIN_CALLED)
		return;
	ask_str(a, NFTA_CHAIN_TYPE, c->kind == NFT_CHAIN_REROUTE ? "route" : "filter");
	hook = ask_nest(a, NFTA_CHAIN_HOOK);
	ask_be32(a, NFTA_HOOK_HOOKNUM, c->hook);
	ask_be32(a, NFTA_HOOK_PRIORITY, (uint32_t)c->priority);
	ask_nest_end(a, hook);
}

/* Types are for who prints it: an integer, a mark. */
void nft_map_add(struct nft *t, const struct nft_map *m)
{
	enum { TYPE_INTEGER = 4, TYPE_MARK = 19, ID = 1 };
	struct ask *a = nft_message(t, NFT_MSG_NEWSET, NLM_F_CREATE);

	ask_str(a, NFTA_SET_TABLE, m->table);
	ask_str(a, NFTA_SET_NAME, m->name);
	ask_be32(a, NFTA_SET_FLAGS, NFT_SET_MAP);
	ask_be32(a, NFTA_SET_KEY_TYPE, TYPE_INTEGER);
	ask_be32(a, NFTA_SET_KEY_LEN, sizeof(uint32_t));
	ask_be32(a, NFTA_SET_DATA_TYPE, TYPE_MARK);
	ask_be32(a, NFTA_SET_DATA_LEN, sizeof(uint32_t));
	ask_be32(a, NFTA_SET_ID, ID);
}

static void element_word(struct ask *a, int type, uint32_t v)
{
	struct nlattr *nest = ask_nest(a, type);

	ask_u32(a, NFTA_DATA_VALUE, v);
	ask_nest_end(a, nest);
}

/* `queue` NULL: none is said. */
static void element(struct ask *a, const struct nft_map *m, uint32_t word, const uint16_t *queue)
{
	struct nlattr *list;
	struct nlattr *one;

	ask_str(a, NFTA_SET_ELEM_LIST_TABLE, m->table);
	ask_str(a, NFTA_SET_ELEM_LIST_SET, m->name);
	list = ask_nest(a, NFTA_SET_ELEM_LIST_ELEMENTS);
	one = ask_nest(a, NFTA_LIST_ELEM);
	element_word(a, NFTA_SET_ELEM_KEY, htonl(word));
	if (queue != NULL)
		element_word(a, NFTA_SET_ELEM_DATA, *queue);
	ask_nest_end(a, one);
	ask_nest_end(a, list);
}

void nft_map_put(struct nft *t, const struct nft_map *m, uint32_t word, uint16_t queue)
{
	element(nft_message(t, NFT_MSG_NEWSETELEM, NLM_F_CREATE), m, word, &queue);
}

void nft_map_take(struct nft *t, const struct nft_map *m, uint32_t word)
{
	element(nft_message(t, NFT_MSG_DELSETELEM, 0), m, word, NULL);
}

struct nft_rule nft_rule_begin(struct nft *t, const struct nft_chain *c)
{
	struct ask *a = nft_message(t, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

	ask_str(a, NFTA_RULE_TABLE, c->table);
	ask_str(a, NFTA_RULE_CHAIN, c->name);
	return (struct nft_rule){ .ask = a, .list = ask_nest(a, NFTA_RULE_EXPRESSIONS) };
}

void nft_rule_end(struct nft_rule *r)
{
	ask_nest_end(r->ask, r->list);
}

struct nft_expr {
	struct nlattr *element;
	struct nlattr *fields;
};

static struct nft_expr expr_begin(struct nft_rule *r, const char *name)
{
	struct nft_expr e = { .element = ask_nest(r->ask, NFTA_LIST_ELEM) };

	ask_str(r->ask, NFTA_EXPR_NAME, name);
	e.fields = ask_nest(r->ask, NFTA_EXPR_DATA);
	return e;
}

static void expr_end(struct nft_rule *r, const struct nft_expr *e)
{
	ask_nest_end(r->ask, e->fields);
	ask_nest_end(r->ask, e->element);
}

static void value(struct nft_rule *r, int type, const void *p, size_t len)
{
	struct nlattr *nest = ask_nest(r->ask, type);

	ask_bytes(r->ask, NFTA_DATA_VALUE, p, len);
	ask_nest_end(r->ask, nest);
}

static void compare(struct nft_rule *r, uint32_t op, const void *p, size_t len)
{
	struct nft_expr e = expr_begin(r, "cmp");

	ask_be32(r->ask, NFTA_CMP_SREG, REG);
	ask_be32(r->ask, NFTA_CMP_OP, op);
	value(r, NFTA_CMP_DATA, p, len);
	expr_end(r, &e);
}

/* REG = (REG & mask) ^ flip */
static void bitwise(struct nft_rule *r, const void *mask, const void *flip, uint32_t len)
{
	struct nft_expr e = expr_begin(r, "bitwise");

	ask_be32(r->ask, NFTA_BITWISE_SREG, REG);
	ask_be32(r->ask, NFTA_BITWISE_DREG, REG);
	ask_be32(r->ask, NFTA_BITWISE_OP, NFT_BITWISE_BOOL);
	ask_be32(r->ask, NFTA_BITWISE_LEN, len);
	value(r, NFTA_BITWISE_MASK, mask, len);
	value(r, NFTA_BITWISE_XOR, flip, len);
	expr_end(r, &e);
}

static void meta_load(struct nft_rule *r, uint32_t key)
{
	struct nft_expr e = expr_begin(r, "meta");

	ask_be32(r->ask, NFTA_META_KEY, key);
	ask_be32(r->ask, NFTA_META_DREG, REG);
	expr_end(r, &e);
}

void nft_meta_is(struct nft_rule *r, uint32_t key, const void *p, size_t len)
{
	meta_load(r, key);
	compare(r, NFT_CMP_EQ, p, len);
}

void nft_meta_is_not(struct nft_rule *r, uint32_t key, const void *p, size_t len)
{
	meta_load(r, key);
	compare(r, NFT_CMP_NEQ, p, len);
}

void nft_device_is(struct nft_rule *r, uint32_t key, const char *name, bool equal)
{
	char whole[16] = ""; /* IFNAMSIZ: the kernel compares all of it */

	memcpy(whole, name, strnlen(name, sizeof(whole) - 1));
	meta_load(r, key);
	compare(r, equal ? NFT_CMP_EQ : NFT_CMP_NEQ, whole, sizeof(whole));
}

void nft_mark_is(struct nft_rule *r, uint32_t mark, uint32_t mask)
{
	const uint32_t zero = 0;

	meta_load(r, NFT_META_MARK);
	bitwise(r, &mask, &zero, sizeof(mask));
	compare(r, NFT_CMP_EQ, &mark, sizeof(mark));
}

void nft_mark_set(struct nft_rule *r, uint32_t mark, uint32_t mask)
{
	const uint32_t keep = ~mask;
	struct nft_expr e;

	meta_load(r, NFT_META_MARK);
	bitwise(r, &keep, &mark, sizeof(keep));
	e = expr_begin(r, "meta");
	ask_be32(r->ask, NFTA_META_KEY, NFT_META_MARK);
	ask_be32(r->ask, NFTA_META_SREG, REG);
	expr_end(r, &e);
}

static void payload_load(struct nft_rule *r, uint32_t base, uint32_t offset, uint32_t len)
{
	struct nft_expr e = expr_begin(r, "payload");

	ask_be32(r->ask, NFTA_PAYLOAD_DREG, REG);
	ask_be32(r->ask, NFTA_PAYLOAD_BASE, base);
	ask_be32(r->ask, NFTA_PAYLOAD_OFFSET, offset);
	ask_be32(r->ask, NFTA_PAYLOAD_LEN, len);
	expr_end(r, &e);
}

void nft_payload_is(struct nft_rule *r, uint32_t base, uint32_t offset, const void *p, uint32_t len)
{
	payload_load(r, base, offset, len);
	compare(r, NFT_CMP_EQ, p, len);
}

void nft_payload_masked(struct nft_rule *r, uint32_t base, uint32_t offset, uint16_t mask,
			bool zero)
{
	const uint16_t bits = htons(mask);
	const uint16_t none = 0;

	payload_load(r, base, offset, sizeof(bits));
	bitwise(r, &bits, &none, sizeof(bits));
	compare(r, zero ? NFT_CMP_EQ : NFT_CMP_NEQ, &none, sizeof(none));
}

void nft_payload_none_of(struct nft_rule *r, uint32_t base, uint32_t offset, const uint8_t *v,
			 size_t n)
{
	payload_load(r, base, offset, sizeof(*v));
	for (size_t i = 0; i < n; i++)
		compare(r, NFT_CMP_NEQ, &v[i], sizeof(v[i]));
}

void nft_payload_bits(struct nft_rule *r, const struct nft_bits *b, bool equal)
{
	const uint8_t zero[NFT_BITS_MAX] = { 0 };

	payload_load(r, b->base, b->offset, b->len);
	bitwise(r, b->mask, zero, b->len);
	compare(r, equal ? NFT_CMP_EQ : NFT_CMP_NEQ, b->is, b->len);
}

void nft_port_within(struct nft_rule *r, uint32_t offset, uint16_t lo, uint16_t hi)
{
	const uint16_t first = htons(lo);
	const uint16_t last = htons(hi);

	payload_load(r, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof(first));
	compare(r, NFT_CMP_GTE, &first, sizeof(first));
	compare(r, NFT_CMP_LTE, &last, sizeof(last));
}

static void fragment_offset6(struct nft_rule *r)
{
	enum { OFFSET_AT = 2, OFFSET_MASK = 0xfff8 }; /* RFC 8200 4.5 */
	const uint16_t mask = htons(OFFSET_MASK);
	const uint16_t none = 0;
	struct nft_expr e = expr_begin(r, "exthdr");

	ask_be32(r->ask, NFTA_EXTHDR_DREG, REG);
	ask_u8(r->ask, NFTA_EXTHDR_TYPE, IPPROTO_FRAGMENT);
	ask_be32(r->ask, NFTA_EXTHDR_OFFSET, OFFSET_AT);
	ask_be32(r->ask, NFTA_EXTHDR_LEN, sizeof(mask));
	ask_be32(r->ask, NFTA_EXTHDR_OP, NFT_EXTHDR_OP_IPV6);
	ask_be32(r->ask, NFTA_EXTHDR_FLAGS, 0);
	expr_end(r, &e);
	bitwise(r, &mask, &none, sizeof(mask));
	compare(r, NFT_CMP_NEQ, &none, sizeof(none));
}

void nft_later_fragment(struct nft_rule *r, sa_family_t family)
{
	enum { OFFSET_AT = 6, OFFSET_MASK = 0x1fff }; /* RFC 791 3.1 */

	if (family == AF_INET6)
		fragment_offset6(r);
	else
		nft_payload_masked(r, NFT_PAYLOAD_NETWORK_HEADER, OFFSET_AT, OFFSET_MASK, false);
}

void nft_net_is(struct nft_rule *r, uint32_t offset, const struct net *n)
{
	nft_net_at(r, NFT_PAYLOAD_NETWORK_HEADER, offset, n);
}

void nft_net_at(struct nft_rule *r, uint32_t base, uint32_t offset, const struct net *n)
{
	const struct net ones = { .addr = { .family = n->addr.family }, .bits = n->bits };
	struct addr mask = net_last(&ones); /* the host's bits */
	const struct addr zero = { .family = AF_UNSPEC };
	uint32_t len = (uint32_t)addr_len(&n->addr);

	if (n->bits == 0)
		return;
	for (size_t i = 0; i < len; i++)
		mask.b[i] = (uint8_t)~mask.b[i];
	payload_load(r, base, offset, len);
	bitwise(r, mask.b, zero.b, len);
	compare(r, NFT_CMP_EQ, n->addr.b, len);
}

void nft_mapped(struct nft_rule *r, uint32_t base, uint32_t offset, const struct nft_map *m)
{
	struct nft_expr e;

	payload_load(r, base, offset, sizeof(uint32_t));
	e = expr_begin(r, "lookup");
	ask_str(r->ask, NFTA_LOOKUP_SET, m->name);
	ask_be32(r->ask, NFTA_LOOKUP_SREG, REG);
	ask_be32(r->ask, NFTA_LOOKUP_DREG, REG_QUEUE);
	expr_end(r, &e);
}

void nft_queue(struct nft_rule *r)
{
	const uint16_t flags = htons(NFT_QUEUE_FLAG_BYPASS);
	struct nft_expr e = expr_begin(r, "queue");

	ask_be32(r->ask, NFTA_QUEUE_SREG_QNUM, REG_QUEUE);
	ask_bytes(r->ask, NFTA_QUEUE_FLAGS, &flags, sizeof(flags));
	expr_end(r, &e);
}

static void immediate(struct nft_rule *r, const void *p, size_t len)
{
	struct nft_expr e = expr_begin(r, "immediate");

	ask_be32(r->ask, NFTA_IMMEDIATE_DREG, REG);
	value(r, NFTA_IMMEDIATE_DATA, p, len);
	expr_end(r, &e);
}

void nft_mss_set(struct nft_rule *r, uint16_t mss)
{
	enum { OPTION_MAXSEG = 2, VALUE_AT = 2 }; /* RFC 9293 3.2 */
	const uint16_t wire = htons(mss);
	struct nft_expr e;

	immediate(r, &wire, sizeof(wire));
	e = expr_begin(r, "exthdr");
	ask_be32(r->ask, NFTA_EXTHDR_SREG, REG);
	ask_u8(r->ask, NFTA_EXTHDR_TYPE, OPTION_MAXSEG);
	ask_be32(r->ask, NFTA_EXTHDR_OFFSET, VALUE_AT);
	ask_be32(r->ask, NFTA_EXTHDR_LEN, sizeof(wire));
	ask_be32(r->ask, NFTA_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
	expr_end(r, &e);
}

void nft_ipsec_out(struct nft_rule *r)
{
	const uint8_t yes = 1;
	struct nft_expr e = expr_begin(r, "rt");

	ask_be32(r->ask, NFTA_RT_KEY, NFT_RT_XFRM);
	ask_be32(r->ask, NFTA_RT_DREG, REG);
	expr_end(r, &e);
	compare(r, NFT_CMP_EQ, &yes, sizeof(yes));
}

void nft_to_this_host(struct nft_rule *r)
{
	const uint32_t local = RTN_LOCAL;
	struct nft_expr e = expr_begin(r, "fib");

	ask_be32(r->ask, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	ask_be32(r->ask, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	ask_be32(r->ask, NFTA_FIB_DREG, REG);
	expr_end(r, &e);
	compare(r, NFT_CMP_EQ, &local, sizeof(local));
}

/* From nothing; what it says is the kernel's to fill in. */
void nft_counter(struct nft_rule *r)
{
	struct nft_expr e = expr_begin(r, "counter");

	expr_end(r, &e);
}

static void verdict_to(struct nft_rule *r, int32_t code, const char *chain)
{
	struct nft_expr e = expr_begin(r, "immediate");
	struct nlattr *data;
	struct nlattr *verdict;

	ask_be32(r->ask, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = ask_nest(r->ask, NFTA_IMMEDIATE_DATA);
	verdict = ask_nest(r->ask, NFTA_DATA_VERDICT);
	ask_be32(r->ask, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain != NULL)
		ask_str(r->ask, NFTA_VERDICT_CHAIN, chain);
	ask_nest_end(r->ask, verdict);
	ask_nest_end(r->ask, data);
	expr_end(r, &e);
}

void nft_verdict(struct nft_rule *r, int32_t code)
{
	verdict_to(r, code, NULL);
}

void nft_jump(struct nft_rule *r, const char *chain)
{
	verdict_to(r, NFT_JUMP, chain);
}
