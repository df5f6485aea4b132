/* SPDX-License-Identifier: Apache-2.0 */
/* Events of XFRM: see xfrm/event.h. */
#include "xfrm/event.h"

#include <arpa/inet.h>
#include <netlink/msg.h>
#include <string.h>

#include "xfrm/attr.h"
#include "xfrm/state.h"

static const struct nla_policy shape[ATTR_MAX + 1] = {
	[XFRMA_TMPL] = { .minlen = sizeof(struct xfrm_user_tmpl) },
	[XFRMA_IF_ID] = { .minlen = sizeof(uint32_t) },
};

static enum sa_mode mode_of(uint8_t mode)
{
	return mode == XFRM_MODE_TRANSPORT ? SA_TRANSPORT : SA_TUNNEL;
}

/* Ports, or type and code in their place. Of a fragment that it forwards the kernel does not look
 * at either and leaves both zero; a pair of zeros therefore says nothing (and costs an echo reply,
 * type 0 code 0, its place in the selector). */
static void flow_ports(struct flow *f, uint16_t sport, uint16_t dport)
{
	if (sport == 0 && dport == 0)
		return;
	if (ts_proto_has_ports(f->proto)) {
		f->ports_known = true;
		f->sport = sport;
		f->dport = dport;
	} else if (f->proto == IPPROTO_ICMP || f->proto == IPPROTO_ICMPV6) {
		/* RFC 7296 3.13.1: type above code, on both sides. */
		f->ports_known = true;
		f->sport = f->dport = (uint16_t)((sport & 0xff) << 8 | (dport & 0xff));
	}
}

static void flow_read(const struct xfrm_selector *sel, struct flow *f)
{
	*f = (struct flow){
		.src = attr_addr(&sel->saddr, sel->family),
		.dst = attr_addr(&sel->daddr, sel->family),
		.proto = sel->proto,
	};
	flow_ports(f, ntohs(sel->sport), ntohs(sel->dport));
}

/* Outer addresses stand in the ACQUIRE itself, their family and the reqid in the template. The
 * packet's own addresses are the selector. */
static enum err read_acquire(const struct nlmsghdr *m, struct event *ev)
{
	struct nlattr *tb[ATTR_MAX + 1];
	struct xfrm_user_acquire u;
	struct xfrm_user_tmpl t;

	if (!attr_parse(m, sizeof(u), tb, shape) || tb[XFRMA_TMPL] == NULL)
		return ERR_SYNTAX;
	memcpy(&u, nlmsg_data(m), sizeof(u));
	attr_copy(tb[XFRMA_TMPL], &t, sizeof(t));
	if (u.id.proto != IPPROTO_ESP)
		return ERR_UNEXPECTED;
	ev->plane.kind = PLANE_ACQUIRE;
	ev->plane.dir = SA_OUT;
	ev->plane.spi = ntohl(u.id.spi);
	ev->plane.reqid = t.reqid;
	ev->plane.acquire = u.seq;
	flow_read(&u.sel, &ev->plane.flow);
	ev->src.addr = attr_addr(&u.saddr, t.family);
	ev->dst.addr = attr_addr(&u.id.daddr, t.family);
	ev->mode = mode_of(t.mode);
	ev->policy_user = u.policy.sel.user;
	attr_copy(tb[XFRMA_IF_ID], &ev->if_id, sizeof(ev->if_id));
	return ev->dst.addr.family == AF_UNSPEC || ev->plane.flow.dst.family == AF_UNSPEC
		       ? ERR_SYNTAX
		       : OK;
}

static enum err read_expire(const struct nlmsghdr *m, struct event *ev)
{
	struct nlattr *tb[ATTR_MAX + 1];
	struct xfrm_user_expire u;
	struct state_info s;

	if (!attr_parse(m, sizeof(u), tb, shape))
		return ERR_SYNTAX;
	memcpy(&u, nlmsg_data(m), sizeof(u));
	state_read_fixed(&u.state, &s);
	if (s.proto != IPPROTO_ESP)
		return ERR_UNEXPECTED;
	ev->plane.kind = PLANE_EXPIRE;
	ev->plane.dir = s.larval ? SA_OUT : SA_IN;
	ev->plane.spi = s.spi;
	ev->plane.reqid = s.reqid;
	ev->plane.acquire = s.larval ? s.seq : 0;
	ev->plane.soft = u.hard == 0;
	ev->src.addr = s.src;
	ev->dst.addr = s.dst;
	ev->mode = mode_of(s.mode);
	ev->larval = s.larval;
	attr_copy(tb[XFRMA_IF_ID], &ev->if_id, sizeof(ev->if_id));
	return s.dst.family == AF_UNSPEC ? ERR_SYNTAX : OK;
}

static enum err read_mapping(const struct nlmsghdr *m, struct event *ev)
{
	struct nlattr *tb[ATTR_MAX + 1];
	struct xfrm_user_mapping u;

	if (!attr_parse(m, sizeof(u), tb, shape))
		return ERR_SYNTAX;
	memcpy(&u, nlmsg_data(m), sizeof(u));
	if (u.id.proto != IPPROTO_ESP)
		return ERR_UNEXPECTED;
	ev->plane.kind = PLANE_MAPPING;
	ev->plane.dir = SA_IN;
	ev->plane.spi = ntohl(u.id.spi);
	ev->plane.reqid = u.reqid;
	ev->plane.remote.addr = attr_addr(&u.new_saddr, u.id.family);
	ev->plane.remote.port = ntohs(u.new_sport);
	ev->src.addr = attr_addr(&u.old_saddr, u.id.family);
	ev->src.port = ntohs(u.old_sport);
	ev->dst.addr = attr_addr(&u.id.daddr, u.id.family);
	return ev->dst.addr.family == AF_UNSPEC ? ERR_SYNTAX : OK;
}

enum err event_read(const struct nlmsghdr *m, struct event *ev)
{
	*ev = (struct event){ .larval = false };
	switch (m->nlmsg_type) {
	case XFRM_MSG_ACQUIRE:
		return read_acquire(m, ev);
	case XFRM_MSG_EXPIRE:
		return read_expire(m, ev);
	case XFRM_MSG_MAPPING:
		return read_mapping(m, ev);
	default:
		return ERR_UNEXPECTED;
	}
}
