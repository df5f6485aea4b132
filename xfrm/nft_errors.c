/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP errors by what they quote: see xfrm/nft_errors.h.
 *
 * An error has a protocol of its own, and perhaps a router for a sender, so neither rules nor
 * policies of a child know it: a child for one port would have its decrypted packets quoted in
 * clear. What decides is the packet the other way round of the quoted one. Whatever guard would
 * hold that back, or exception let it pass, counts for the error as well: the plan of guards is
 * read here, best first, with both sides exchanged. Errors about packets that were in clear
 * themselves have no such guard and go as they always did.
 *
 * Chain "quoted" is called for errors alone and puts what it finds into the mark: HOST_MARK_ERROR
 * where userspace ESP may carry the error (a rule leads it into the TUN, xfrm/lead.h), the bit
 * HOST_MARK_HELD where nobody does. It is asked twice: before routing, and last of all, when
 * everything that does not go into a tunnel is dropped, and counted.
 *
 * Where ports count and cannot be seen, behind IPv4 options and IPv6 extension headers and in later
 * fragments, the guard for fragments decides, which asks for addresses and protocol.
 */
#include "xfrm/nft_errors.h"

#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>
#include <string.h>

#include "xfrm/nft_guard6.h"

enum {
	TYPE_AT = 0,
	TYPE6_INFORMATIONAL = 0x8000, /* the bit, in type and code (RFC 4443 2.1) */
	QUOTE_AT = 8,		      /* behind the ICMP header */
	IP4_PROTO_AT = QUOTE_AT + 9,
	IP4_SOURCE_AT = QUOTE_AT + 12,
	IP4_TARGET_AT = QUOTE_AT + 16,
	IP4_PORTS_AT = QUOTE_AT + 20,
	IP6_PROTO_AT = QUOTE_AT + 6,
	IP6_SOURCE_AT = QUOTE_AT + 8,
	IP6_TARGET_AT = QUOTE_AT + 24,
	IP6_PORTS_AT = QUOTE_AT + 40,
	TO_TARGET_PORT = 2,
	BASE = NFT_PAYLOAD_TRANSPORT_HEADER,
};

/* Unreachable, source quench, redirect, time exceeded, parameter problem: all that quote. */
static const uint8_t error_types[] = { 3, 4, 5, 11, 12 };
static const uint8_t icmp = IPPROTO_ICMP;
static const uint8_t icmp6 = IPPROTO_ICMPV6;
/* What follows an IPv6 header and is no extension of it. */
static const uint8_t upper_layers[] = { IPPROTO_IPIP, IPPROTO_TCP,    IPPROTO_UDP, IPPROTO_DCCP,
					IPPROTO_IPV6, IPPROTO_GRE,    IPPROTO_ESP, IPPROTO_ICMPV6,
					IPPROTO_SCTP, IPPROTO_UDPLITE };

static const char quoted[] = "quoted";

/* ---- one guard ---- */

static struct net selector_net(const struct policy *p, bool source)
{
	struct net n = { .addr = { .family = p->sel.family },
			 .bits = source ? p->sel.prefixlen_s : p->sel.prefixlen_d };

	memcpy(n.addr.b, source ? &p->sel.saddr : &p->sel.daddr, addr_len(&n.addr));
	return n;
}

/* The quoted packet came from where the guard looks to. */
static struct nft_rule rule_for(struct nft *t, const char *table, const struct policy *p)
{
	const struct nft_chain c = { .table = table, .name = quoted };
	bool v6 = p->sel.family == AF_INET6;
	const uint8_t nfproto = v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	const struct net local = selector_net(p, true);
	const struct net remote = selector_net(p, false);
	struct nft_rule r = nft_rule_begin(t, &c);

	nft_meta_is(&r, NFT_META_NFPROTO, &nfproto, sizeof(nfproto));
	nft_net_at(&r, BASE, v6 ? IP6_SOURCE_AT : IP4_SOURCE_AT, &remote);
	nft_net_at(&r, BASE, v6 ? IP6_TARGET_AT : IP4_TARGET_AT, &local);
	return r;
}

static void proto_is(struct nft_rule *r, const struct policy *p)
{
	bool v6 = p->sel.family == AF_INET6;

	nft_payload_is(r, BASE, v6 ? IP6_PROTO_AT : IP4_PROTO_AT, &p->sel.proto,
		       sizeof(p->sel.proto));
}

/* An IPv4 header of 20 bytes that is no later fragment's, or the contrary. */
static void ports_shown4(struct nft_rule *r, bool shown)
{
	const struct nft_bits plain = { .base = BASE,
					.offset = QUOTE_AT,
					.len = 8,
					.mask = { 0x0f, 0, 0, 0, 0, 0, 0x1f, 0xff },
					.is = { 5 } };

	nft_payload_bits(r, &plain, shown);
}

static void ports_are(struct nft_rule *r, const struct policy *p)
{
	uint32_t at = p->sel.family == AF_INET6 ? IP6_PORTS_AT : IP4_PORTS_AT;

	if (p->sel.family == AF_INET)
		ports_shown4(r, true);
	if (p->sel.dport_mask != 0)
		nft_payload_is(r, BASE, at, &p->sel.dport, sizeof(p->sel.dport));
	if (p->sel.sport_mask != 0)
		nft_payload_is(r, BASE, at + TO_TARGET_PORT, &p->sel.sport, sizeof(p->sel.sport));
}

/* ---- what a guard says ---- */

struct errors {
	struct nft *t;
	const char *table;
	const struct nft_plan *plan;
};

static int by_policy(const void *x, const void *y)
{
	return policy_cmp(x, y);
}

static bool is_led(const struct errors *e, const struct policy *p)
{
	const struct policy_list *led = e->plan->led;

	return led != NULL && led->n > 0 &&
	       bsearch(p, led->v, led->n, sizeof(*led->v), by_policy) != NULL;
}

/* It ends the rule. */
static void say(const struct errors *e, struct nft_rule *r, const struct policy *p)
{
	if (p->action == XFRM_POLICY_BLOCK && is_led(e, p))
		nft_mark_set(r, HOST_MARK_ERROR, HOST_MARK_MASK);
	else if (p->action == XFRM_POLICY_BLOCK)
		nft_mark_set(r, HOST_MARK_HELD, HOST_MARK_HELD);
	nft_verdict(r, NFT_RETURN);
	nft_rule_end(r);
}

static bool has_ports(const struct policy *p)
{
	return p->sel.sport_mask != 0 || p->sel.dport_mask != 0;
}

/* Of xfrm/plan.c: fragments, whose ports the kernel takes for 0. */
static bool is_for_pieces(const struct policy *p)
{
	return p->sel.sport_mask != 0 && p->sel.dport_mask != 0 && p->sel.sport == 0 &&
	       p->sel.dport == 0;
}

static void hidden(const struct errors *e, const struct policy *p)
{
	struct nft_rule r = rule_for(e->t, e->table, p);

	if (p->sel.family == AF_INET6) {
		nft_payload_none_of(&r, BASE, IP6_PROTO_AT, upper_layers, sizeof(upper_layers));
	} else {
		proto_is(&r, p);
		ports_shown4(&r, false);
	}
	say(e, &r, p);
}

static void guard(const struct errors *e, const struct policy *p)
{
	struct nft_rule r;

	if (is_for_pieces(p)) {
		hidden(e, p);
		return;
	}
	r = rule_for(e->t, e->table, p);
	if (p->sel.proto != 0)
		proto_is(&r, p);
	if (has_ports(p))
		ports_are(&r, p);
	say(e, &r, p);
	/* Behind extension headers there may be any protocol. */
	if (p->sel.proto != 0 && !has_ports(p) && p->sel.family == AF_INET6)
		hidden(e, p);
}

/* ---- the chains ---- */

static int better(const void *x, const void *y)
{
	const struct policy *const *a = x;
	const struct policy *const *b = y;

	return ((*a)->priority > (*b)->priority) - ((*a)->priority < (*b)->priority);
}

static bool counts(const struct policy *p)
{
	return p->dir == XFRM_POLICY_OUT && p->priority != POLICY_PRIORITY_BEST;
}

/* The first rule that fits decides, so the best policy comes first. */
static void quoted_build(const struct errors *e)
{
	const struct nft_chain c = { .table = e->table, .name = quoted, .kind = NFT_CHAIN_CALLED };
	const struct policy_list *all = e->plan->all;
	const struct policy **v = calloc(all->n + 1, sizeof(const struct policy *));
	size_t n = 0;

	nft_chain_add(e->t, &c);
	e->t->bad = e->t->bad || v == NULL;
	for (size_t i = 0; v != NULL && i < all->n; i++) {
		if (counts(&all->v[i]))
			v[n++] = &all->v[i];
	}
	if (n > 0)
		qsort(v, n, sizeof(const struct policy *), better);
	for (size_t i = 0; i < n; i++)
		guard(e, v[i]);
	free(v);
}

/* Everything else has nothing to do with this, and neither have our own IKE and ESP. */
static void only_icmp(const struct errors *e, const struct nft_chain *c)
{
	struct nft_rule r = nft_rule_begin(e->t, c);

	nft_meta_is_not(&r, NFT_META_L4PROTO, &icmp, sizeof(icmp));
	nft_meta_is_not(&r, NFT_META_L4PROTO, &icmp6, sizeof(icmp6));
	nft_verdict(&r, NFT_RETURN);
	nft_rule_end(&r);
	r = nft_rule_begin(e->t, c);
	nft_mark_is(&r, HOST_MARK_OUTER, HOST_MARK_MASK);
	nft_verdict(&r, NFT_RETURN);
	nft_rule_end(&r);
}

static void errors_to(const struct errors *e, const struct nft_chain *c, const char *target)
{
	const uint8_t nfproto = NFPROTO_IPV6;
	struct nft_rule r;

	for (size_t i = 0; i < sizeof(error_types); i++) {
		r = nft_rule_begin(e->t, c);
		nft_meta_is(&r, NFT_META_L4PROTO, &icmp, sizeof(icmp));
		nft_payload_is(&r, BASE, TYPE_AT, &error_types[i], sizeof(error_types[i]));
		nft_jump(&r, target);
		nft_rule_end(&r);
	}
	r = nft_rule_begin(e->t, c);
	nft_meta_is(&r, NFT_META_NFPROTO, &nfproto, sizeof(nfproto));
	nft_meta_is(&r, NFT_META_L4PROTO, &icmp6, sizeof(icmp6));
	nft_payload_masked(&r, BASE, TYPE_AT, TYPE6_INFORMATIONAL, true);
	nft_jump(&r, target);
	nft_rule_end(&r);
}

static void call_quoted(const struct errors *e, const struct nft_chain *c)
{
	struct nft_rule r = nft_rule_begin(e->t, c);

	nft_jump(&r, quoted);
	nft_rule_end(&r);
}

static void unmark_held(const struct errors *e, const struct nft_chain *c)
{
	struct nft_rule r = nft_rule_begin(e->t, c);

	nft_mark_set(&r, 0, HOST_MARK_HELD);
	nft_rule_end(&r);
}

static void drop_marked(const struct errors *e, const struct nft_chain *c, uint32_t mark,
			uint32_t mask)
{
	struct nft_rule r = nft_rule_begin(e->t, c);

	nft_mark_is(&r, mark, mask);
	nft_counter(&r);
	nft_verdict(&r, NF_DROP);
	nft_rule_end(&r);
}

/* Before routing. What nothing carries keeps the mark that it has: its own selectors may have it
 * led all the same, and if not it is dropped behind routing. */
static void lead_build(const struct errors *e)
{
	const struct nft_chain lead = { .table = e->table,
					.name = "lead_error",
					.kind = NFT_CHAIN_CALLED };
	const struct nft_chain in = { .table = e->table,
				      .name = "errors_in",
				      .hook = NF_INET_PRE_ROUTING,
				      .priority = NF_IP_PRI_RAW + 2 };
	const struct nft_chain own = { .table = e->table,
				       .name = "errors_own",
				       .kind = NFT_CHAIN_REROUTE,
				       .hook = NF_INET_LOCAL_OUT,
				       .priority = NF_IP_PRI_MANGLE };
	struct nft_rule r;

	nft_chain_add(e->t, &lead);
	call_quoted(e, &lead);
	unmark_held(e, &lead);
	nft_chain_add(e->t, &in);
	only_icmp(e, &in);
	errors_to(e, &in, lead.name);
	nft_chain_add(e->t, &own);
	only_icmp(e, &own);
	r = nft_rule_begin(e->t, &own);
	nft_ipsec_out(&r);
	nft_verdict(&r, NFT_RETURN);
	nft_rule_end(&r);
	errors_to(e, &own, lead.name);
}

static void hold_build(const struct errors *e)
{
	const struct nft_chain hold = { .table = e->table,
					.name = "hold_error",
					.kind = NFT_CHAIN_CALLED };
	const struct nft_chain out = { .table = e->table,
				       .name = "errors_out",
				       .hook = NF_INET_POST_ROUTING,
				       .priority = INT_MAX - 1 };

	nft_chain_add(e->t, &hold);
	unmark_held(e, &hold);
	call_quoted(e, &hold);
	drop_marked(e, &hold, HOST_MARK_HELD, HOST_MARK_HELD);
	drop_marked(e, &hold, HOST_MARK_ERROR, HOST_MARK_MASK);
	nft_chain_add(e->t, &out);
	only_icmp(e, &out);
	nft_guard6_tunnels(e->t, &out, e->plan);
	errors_to(e, &out, hold.name);
}

bool nft_errors_needed(const struct nft_plan *p)
{
	for (size_t i = 0; p->all != NULL && i < p->all->n; i++) {
		if (counts(&p->all->v[i]))
			return true;
	}
	return false;
}

void nft_errors_build(struct nft *t, const char *table, const struct nft_plan *p)
{
	const struct errors e = { .t = t, .table = table, .plan = p };

	nft_errors_build_held(t, table, p);
	if (nft_errors_needed(p) && p->led != NULL && p->led->n > 0)
		lead_build(&e);
}

void nft_errors_build_held(struct nft *t, const char *table, const struct nft_plan *p)
{
	const struct errors e = { .t = t, .table = table, .plan = p };

	if (!nft_errors_needed(p))
		return;
	quoted_build(&e);
	hold_build(&e);
}
