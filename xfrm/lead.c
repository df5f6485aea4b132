/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of rules and routes: see xfrm/lead.h. */
#include "xfrm/lead.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "xfrm/iface.h"
#include "xfrm/share.h"

static struct rule rule_to(uint32_t priority, uint8_t action, const struct net *from,
			   const struct net *to)
{
	return (struct rule){
		.priority = priority,
		.action = action,
		.from = *from,
		.to = *to,
		.sport_hi = UINT16_MAX,
		.dport_hi = UINT16_MAX,
		.target = action == FR_ACT_GOTO ? LEAD_END : 0,
	};
}

static struct net net_any(sa_family_t family)
{
	return (struct net){ .addr = { .family = family } };
}

/* What "no source address yet" looks like in a rule. */
static struct net net_unset(sa_family_t family)
{
	return (struct net){ .addr = { .family = family }, .bits = family == AF_INET ? 32 : 0 };
}

/* `base`: LEAD_PAIRS or LEAD_NEW. */
static uint32_t level(uint32_t base, const struct pair *p, enum lead_step step)
{
	return base + 3u * (uint32_t)(LEAD_LEVELS - 1 - p->narrow / 2) + (uint32_t)step;
}

static enum err add_lookup(struct rule_list *l, struct rule r, uint32_t base, const struct pair *p)
{
	enum err err;

	r.priority = level(base, p, LEAD_LOOKUP);
	r.action = FR_ACT_TO_TBL;
	err = rule_list_add(l, &r);
	r.priority = level(base, p, LEAD_DEAD);
	r.action = FR_ACT_UNREACHABLE;
	return err != OK ? err : rule_list_add(l, &r);
}

/* Unlike policies, rules know ranges of ports. */
static enum err lead_pair(struct rule_list *l, const struct pair *p)
{
	struct rule r = rule_to(0, FR_ACT_TO_TBL, &p->local, &p->remote);

	r.proto = p->proto;
	r.sport_lo = p->local_port_lo;
	r.sport_hi = p->local_port_hi;
	r.dport_lo = p->remote_port_lo;
	r.dport_hi = p->remote_port_hi;
	return add_lookup(l, r, LEAD_PAIRS, p);
}

/* A gateway in front of a network that reaches everything through the tunnel keeps its own way out:
 * names must resolve and the peer must be found before there is a tunnel. Only a single address
 * that is ours is led as a whole. */
static bool leads_unset(const struct pair *p, const struct own_list *own)
{
	bool single = p->local.bits == addr_len(&p->local.addr) * 8;

	return port_is_any(p->local_port_lo, p->local_port_hi) &&
	       own_list_inside(own, &p->local) != NULL && (p->remote.bits > 0 || single);
}

static enum err lead_unset(struct rule_list *l, const struct pair *p)
{
	struct net unset = net_unset(p->remote.addr.family);
	struct rule r = rule_to(0, FR_ACT_TO_TBL, &unset, &p->remote);

	r.proto = p->proto;
	r.dport_lo = p->remote_port_lo;
	r.dport_hi = p->remote_port_hi;
	return add_lookup(l, r, LEAD_NEW, p);
}

static enum err lead_pairs(struct rule_list *l, const struct pair_list *pairs,
			   const struct own_list *own)
{
	enum err err = OK;

	for (size_t i = 0; i < pairs->n && err == OK; i++) {
		err = lead_pair(l, &pairs->v[i]);
		if (err == OK && leads_unset(&pairs->v[i], own))
			err = lead_unset(l, &pairs->v[i]);
	}
	return err;
}

static enum err lead_exempt(struct rule_list *l, const struct pair_list *exempt,
			    const struct own_list *own)
{
	enum err err = OK;

	for (size_t i = 0; i < exempt->n && err == OK; i++) {
		const struct pair *p = &exempt->v[i];
		struct net unset = net_unset(p->remote.addr.family);
		struct rule r = rule_to(level(LEAD_PAIRS, p, LEAD_EXEMPT), FR_ACT_GOTO, &p->local,
					&p->remote);

		err = rule_list_add(l, &r);
		r = rule_to(level(LEAD_NEW, p, LEAD_EXEMPT), FR_ACT_GOTO, &unset, &p->remote);
		if (err == OK && own_list_inside(own, &p->local) != NULL)
			err = rule_list_add(l, &r);
	}
	return err;
}

/* Where nothing of the family is led, nothing has to be let out. */
static enum err lead_beside(struct rule_list *l, const struct pair_list *led,
			    const struct lead_host *host)
{
	struct pair_list pairs = { .n = 0 };
	enum err err = pair_list_fill(&pairs, host->beside, host->n_beside);

	for (size_t i = 0; i < pairs.n && err == OK; i++) {
		const struct pair *p = &pairs.v[i];
		struct net unset = net_unset(p->remote.addr.family);
		struct rule r = rule_to(level(LEAD_PAIRS, p, LEAD_EXEMPT), FR_ACT_GOTO, &p->local,
					&p->remote);

		if (!pair_list_has(led, p->local.addr.family))
			continue;
		r.proto = p->proto;
		r.dport_lo = p->remote_port_lo;
		r.dport_hi = p->remote_port_hi;
		if (leads_unset(p, host->own)) {
			struct rule new = r;

			new.priority = level(LEAD_NEW, p, LEAD_EXEMPT);
			new.from = unset;
			err = rule_list_add(l, &new);
		}
		r.sport_lo = p->local_port_lo;
		r.sport_hi = p->local_port_hi;
		if (err == OK)
			err = rule_list_add(l, &r);
	}
	pair_list_free(&pairs);
	return err;
}

static struct rule rule_outer(uint32_t priority, uint8_t action, sa_family_t family)
{
	const struct net any = net_any(family);
	struct rule r = rule_to(priority, action, &any, &any);

	r.mark = HOST_MARK_OUTER;
	r.mask = HOST_MARK_MASK;
	return r;
}

/* See xfrm/outer.h. */
static enum err lead_outer(struct rule_list *l, sa_family_t family)
{
	struct rule r = rule_outer(LEAD_MARK, FR_ACT_TO_TBL, family);
	enum err err;

	r.table = RT_TABLE_MAIN;
	r.ifgroup = IFACE_GROUP;
	err = rule_list_add(l, &r);
	r = rule_outer(LEAD_OUTER, FR_ACT_TO_TBL, family);
	r.table = HOST_TABLE_OUTER;
	if (err == OK)
		err = rule_list_add(l, &r);
	r = rule_outer(LEAD_OUTER_DEAD, FR_ACT_UNREACHABLE, family);
	return err == OK ? rule_list_add(l, &r) : err;
}

static struct rule rule_error(uint32_t priority, uint8_t action, const struct net *to)
{
	const struct net any = net_any(to->addr.family);
	struct rule r = rule_to(priority, action, &any, to);

	r.mark = HOST_MARK_ERROR;
	r.mask = HOST_MARK_MASK;
	return r;
}

static enum err lead_errors_of(struct rule_list *l, sa_family_t family,
			       const struct pair_list *exempt)
{
	const struct net any = net_any(family);
	struct rule r = rule_error(LEAD_ERROR, FR_ACT_TO_TBL, &any);
	enum err err = rule_list_add(l, &r);

	for (size_t i = 0; i < exempt->n && err == OK; i++) {
		if (exempt->v[i].remote.addr.family != family)
			continue;
		r = rule_error(LEAD_ERROR_BACK, FR_ACT_GOTO, &exempt->v[i].remote);
		err = rule_list_add(l, &r);
	}
	return err;
}

static enum err lead_errors(struct rule_list *l, const struct host_child *v, size_t n,
			    const struct pair_list *exempt)
{
	struct pair_list pairs = { .n = 0 };
	size_t n_picked;
	struct host_child *picked = share_pick(SHARE_ERRORS, v, n, &n_picked);
	enum err err = picked != NULL ? pair_list_fill(&pairs, picked, n_picked) : ERR_NOMEM;

	if (err == OK && pair_list_has(&pairs, AF_INET))
		err = lead_errors_of(l, AF_INET, exempt);
	if (err == OK && pair_list_has(&pairs, AF_INET6))
		err = lead_errors_of(l, AF_INET6, exempt);
	pair_list_free(&pairs);
	free(picked);
	return err;
}

static enum err lead_frame(struct rule_list *l, sa_family_t family, bool routed)
{
	const struct net any = net_any(family);
	struct net half = { .addr = { .family = family }, .bits = 1 };
	struct rule r = rule_to(LEAD_END, FR_ACT_NOP, &any, &any);
	enum err err = rule_list_add(l, &r);

	r = rule_outer(LEAD_MARK, FR_ACT_GOTO, family);
	r.target = LEAD_END;
	if (err == OK && !routed)
		err = rule_list_add(l, &r);
	for (size_t i = 0; i < 2 && family == AF_INET6 && err == OK; i++) {
		r = rule_to(LEAD_SOURCED, FR_ACT_GOTO, &half, &any);
		err = rule_list_add(l, &r);
		half.addr.b[0] = 0x80;
	}
	return err;
}

static enum err lead_families(struct rule_list *l, const struct pair_list *pairs,
			      const struct lead_host *host)
{
	enum err err = OK;

	if (pair_list_has(pairs, AF_INET))
		err = lead_frame(l, AF_INET, host->routed);
	if (err == OK && pair_list_has(pairs, AF_INET6))
		err = lead_frame(l, AF_INET6, host->routed);
	if (err == OK && host->routed)
		err = lead_outer(l, AF_INET);
	if (err == OK && host->routed && host->has6)
		err = lead_outer(l, AF_INET6);
	return err;
}

enum err lead_rules(struct rule_list *l, const struct host_child *v, size_t n,
		    const struct lead_host *host)
{
	struct pair_list pairs = { .n = 0 };
	struct pair_list exempt = { .n = 0 };
	enum err err = pair_list_fill(&pairs, v, n);

	if (err == OK)
		err = pair_list_fill_exempt(&exempt, v, n, host->own);
	if (err == OK)
		err = lead_families(l, &pairs, host);
	if (err == OK)
		err = lead_exempt(l, &exempt, host->own);
	if (err == OK)
		err = lead_errors(l, v, n, &exempt);
	if (err == OK)
		err = lead_beside(l, &pairs, host);
	if (err == OK)
		err = lead_pairs(l, &pairs, host->own);
	rule_list_settle(l);
	pair_list_free(&pairs);
	pair_list_free(&exempt);
	return err;
}

enum err lead_routes(struct route_list *l, const struct pair_list *pairs,
		     const struct own_list *own, uint32_t device)
{
	enum err err = OK;

	for (size_t i = 0; i < pairs->n && err == OK; i++) {
		const struct addr *source = own_list_inside(own, &pairs->v[i].local);
		struct route *old = route_list_find(l, &pairs->v[i].remote);
		struct route r = { .to = pairs->v[i].remote, .device = device };

		if (source != NULL)
			r.source = *source;
		if (old == NULL)
			err = route_list_add(l, &r);
		else if (old->source.family == AF_UNSPEC)
			old->source = r.source;
	}
	return err;
}

static enum err lead_network(struct route_list *l, const struct net *to, const struct addr *source,
			     uint32_t device)
{
	struct route r = { .to = *to, .device = device, .main = true };
	struct route dead = { .to = *to, .main = true, .dead = true };
	enum err err = OK;

	if (source != NULL)
		r.source = *source;
	if (to->bits == 0 || route_list_same(l, &r) != NULL)
		return OK;
	if (device != 0)
		err = route_list_add(l, &r);
	return err == OK ? route_list_add(l, &dead) : err;
}

/* The address that the gateway itself sends from: the device's own by the kernel's choice, when it
 * has one of that family; else one inside the local selector. */
static const struct addr *device_source(const struct host_child *c, const struct pair *p,
					const struct own_list *own)
{
	for (size_t i = 0; i < c->n_addresses; i++) {
		if (net_contains(&p->local, &c->addresses[i].addr))
			return NULL;
	}
	return own_list_inside(own, &p->local);
}

enum err lead_device_routes(struct route_list *l, const struct host_child *c,
			    const struct own_list *own, uint32_t device)
{
	struct pair_list pairs = { .n = 0 };
	enum err err = pair_list_fill(&pairs, c, 1);

	for (size_t i = 0; i < pairs.n && err == OK; i++)
		err = lead_network(l, &pairs.v[i].remote, device_source(c, &pairs.v[i], own),
				   device);
	pair_list_free(&pairs);
	return err;
}
