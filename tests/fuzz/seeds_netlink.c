/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the kernel for fuzz_netlink, made from our requests: what it shows has the same form.
 */
#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>

#include "tests/fuzz/seeds.h"
#include "tests/fuzz/texts.h"
#include "xfrm/attr.h"
#include "xfrm/flow.h"
#include "xfrm/iface.h"
#include "xfrm/policy.h"
#include "xfrm/route.h"
#include "xfrm/rule.h"
#include "xfrm/state.h"

enum { ROOM = 16384 };

static uint8_t room[ROOM];

/* Numbers of readers and errands as in fuzz_netlink.c. */

enum { READ_STATE, READ_EVENT, READ_FLOW, READ_POLICY, READ_ROUTE, READ_RULE };
enum { READ_IFACE = 6, READ_NEXTHOP, READ_OUTER, READ_CARRY, READ_OWN, READ_WATCH };
enum { ERRAND = 128, OBEYS = 64, RUN_COMMANDS = 1, RUN_CLEAR, RUN_ROUTES, RUN_RULES, RUN_DEVICES };
enum { RUN_PROBE = 0, RUN_CARRY = 6 };

struct shown {
	uint16_t type;
	struct span body;
};

static void save_read(struct seeds *out, const char *name, uint8_t reader, const struct shown *m)
{
	struct wr w = wr_into(room, sizeof(room));

	wr_u8(&w, reader);
	wr_u16(&w, m->type);
	wr_u8(&w, 0);
	wr_span(&w, m->body);
	seed_save(out, "netlink", name, wr_done(&w));
}

/* A dump of this one thing, then whatever is asked is done. */
static void save_errand(struct seeds *out, const char *name, uint8_t errand, const struct shown *m)
{
	struct wr w = wr_into(room, sizeof(room));

	wr_u8(&w, ERRAND | OBEYS | errand);
	for (int i = 0; i < 3; i++) {
		wr_u8(&w, 2 | 16);
		wr_u16(&w, m->type);
		wr_u16(&w, (uint16_t)m->body.len);
		wr_span(&w, m->body);
	}
	seed_save(out, "netlink", name, wr_done(&w));
}

/* As the kernel would show what this request made. The request is freed when the next comes. */
static struct shown shown_as(uint16_t type, struct ask *a)
{
	static uint8_t copy[ROOM];
	struct span s = span_tail(ask_span(a), NLMSG_HDRLEN);

	FUZZ_HOLDS(!a->bad && s.len > 0 && s.len < ROOM);
	memcpy(copy, s.p, s.len);
	ask_free(a);
	return (struct shown){ type, span_of(copy, s.len) };
}

static void states(struct seeds *out)
{
	const struct sa_desc d = seed_desc();
	const struct state_extra x = { .sa_dir = true };
	struct ask a = state_ask_add(&d, &x);
	struct shown m = shown_as(XFRM_MSG_NEWSA, &a);
	struct flow_list l = { .n = 0 };

	save_read(out, "state", READ_STATE, &m);
	save_errand(out, "dump-states", RUN_COMMANDS, &m);
	save_errand(out, "probe", RUN_PROBE, &m);
	save_errand(out, "clear-states", RUN_CLEAR, &m);
	FUZZ_HOLDS(flow_list_fill(&l, &d) == OK && l.n > 0);
	a = flow_ask_add(&l.v[0]);
	flow_list_free(&l);
	m = shown_as(XFRM_MSG_NEWPOLICY, &a);
	save_read(out, "flow", READ_FLOW, &m);
	save_read(out, "policy", READ_POLICY, &m);
	save_read(out, "watch-policy", READ_WATCH, &m);
	save_errand(out, "dump-policies", RUN_COMMANDS, &m);
	save_errand(out, "clear-policies", RUN_CLEAR, &m);
}

static void events(struct seeds *out)
{
	const struct addr to = fuzz_addr("192.0.2.2");
	struct xfrm_user_expire expire = { .hard = 1 };
	struct xfrm_user_mapping mapping = { .new_sport = htons(4501) };
	struct {
		struct xfrm_user_acquire u;
		struct nlattr a;
		struct xfrm_user_tmpl t;
	} acquire = { .a = { .nla_len = sizeof(struct nlattr) + sizeof(struct xfrm_user_tmpl),
			     .nla_type = XFRMA_TMPL } };

	expire.state.id.proto = mapping.id.proto = acquire.u.id.proto = IPPROTO_ESP;
	expire.state.family = mapping.id.family = AF_INET;
	acquire.t.family = acquire.u.sel.family = AF_INET;
	expire.state.id.daddr = mapping.id.daddr = acquire.u.id.daddr = attr_xfrm_addr(&to);
	mapping.new_saddr = acquire.u.sel.daddr = attr_xfrm_addr(&to);
	acquire.u.sel.proto = IPPROTO_TCP;
	acquire.u.sel.dport = htons(443);
	expire.state.id.spi = mapping.id.spi = htonl(0x1001);
	save_read(out, "expire", READ_EVENT,
		  &(struct shown){ XFRM_MSG_EXPIRE, span_of(&expire, sizeof(expire)) });
	save_read(out, "mapping", READ_EVENT,
		  &(struct shown){ XFRM_MSG_MAPPING, span_of(&mapping, sizeof(mapping)) });
	save_read(out, "acquire", READ_EVENT,
		  &(struct shown){ XFRM_MSG_ACQUIRE, span_of(&acquire, sizeof(acquire)) });
}

static void routes(struct seeds *out)
{
	const struct route r = { .to = fuzz_net("10.2.0.0/16"), .device = 7, .mtu = 1400 };
	const struct route here = { .to = fuzz_net("fd02::/48"), .device = 7, .main = true };
	struct rule rule = { .priority = 5050,
			     .action = FR_ACT_TO_TBL,
			     .from = fuzz_net("10.1.0.0/16"),
			     .to = fuzz_net("10.2.0.0/16"),
			     .sport_hi = 65535,
			     .dport_lo = 80,
			     .dport_hi = 90,
			     .proto = IPPROTO_TCP };
	struct ask a = route_ask_put(&r);
	struct shown m = shown_as(RTM_NEWROUTE, &a);

	save_read(out, "route", READ_ROUTE, &m);
	save_read(out, "watch-route", READ_WATCH, &m);
	save_errand(out, "dump-routes", RUN_ROUTES, &m);
	a = route_ask_put(&here);
	m = shown_as(RTM_NEWROUTE, &a);
	save_read(out, "route-main", READ_ROUTE, &m);
	save_read(out, "carry-route", READ_CARRY, &m);
	save_read(out, "outer-route", READ_OUTER, &m);
	save_errand(out, "carry-routes", RUN_CARRY, &m);
	a = rule_ask_add(&rule);
	m = shown_as(RTM_NEWRULE, &a);
	save_read(out, "rule", READ_RULE, &m);
	save_errand(out, "dump-rules", RUN_RULES, &m);
}

static void others_routes(struct seeds *out)
{
	const uint32_t table = RT_TABLE_MAIN, device = 7, other = 3, weight = 0;
	const struct rtnexthop hops[2] = { { .rtnh_len = 8, .rtnh_ifindex = 7 },
					   { .rtnh_len = 8, .rtnh_ifindex = 3 } };
	const struct nexthop_grp group[2] = { { .id = 5 }, { .id = 6 } };
	const struct rtmsg h = { .rtm_family = AF_INET6, .rtm_type = RTN_UNICAST };
	const struct nhmsg nh = { .nh_family = AF_INET };
	struct ask a = ask_new(RTM_NEWROUTE, 0);
	struct shown m;

	ask_header(&a, &h, sizeof(h));
	ask_bytes(&a, RTA_TABLE, &table, 4);
	ask_bytes(&a, RTA_PRIORITY, &weight, 4);
	ask_bytes(&a, RTA_MULTIPATH, hops, sizeof(hops));
	m = shown_as(RTM_NEWROUTE, &a);
	save_read(out, "outer-hops", READ_OUTER, &m);
	save_read(out, "carry-hops", READ_CARRY, &m);
	save_errand(out, "outer-hops-dump", RUN_DEVICES, &m);
	a = ask_new(RTM_NEWROUTE, 0);
	ask_header(&a, &h, sizeof(h));
	ask_bytes(&a, RTA_TABLE, &table, 4);
	ask_bytes(&a, RTA_OIF, &other, 4);
	ask_bytes(&a, RTA_NH_ID, &device, 4);
	m = shown_as(RTM_NEWROUTE, &a);
	save_read(out, "outer-object", READ_OUTER, &m);
	a = ask_new(RTM_NEWNEXTHOP, 0);
	ask_header(&a, &nh, sizeof(nh));
	ask_bytes(&a, NHA_ID, &device, 4);
	ask_bytes(&a, NHA_GROUP, group, sizeof(group));
	m = shown_as(RTM_NEWNEXTHOP, &a);
	save_read(out, "nexthop", READ_NEXTHOP, &m);
	save_errand(out, "nexthops", RUN_CARRY, &m);
}

static void devices(struct seeds *out)
{
	const struct iface want = { .name = "ipsec1",
				    .alias = "postern office/lan",
				    .kind = "xfrm",
				    .if_id = 5,
				    .mtu = 1400,
				    .group = IFACE_GROUP };
	const struct net inside = fuzz_net("10.9.0.1/32");
	struct ask a = iface_ask_make(&want);
	struct shown m = shown_as(RTM_NEWLINK, &a);

	save_read(out, "link", READ_IFACE, &m);
	save_errand(out, "dump-links", RUN_DEVICES, &m);
	a = iface_ask_address(RTM_NEWADDR, 7, &inside);
	m = shown_as(RTM_NEWADDR, &a);
	save_read(out, "address", READ_OWN, &m);
	save_read(out, "carry-address", READ_CARRY, &m);
	save_errand(out, "dump-addresses", RUN_DEVICES, &m);
}

void seed_netlink(struct seeds *out)
{
	states(out);
	events(out);
	routes(out);
	others_routes(out);
	devices(out);
}
