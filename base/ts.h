/* SPDX-License-Identifier: Apache-2.0 */
/* Traffic selectors (RFC 7296 3.13.1) as plain values: an address range, a port range, a protocol.
 */
#ifndef BASE_TS_H
#define BASE_TS_H

#include "base/addr.h"

enum { TS_MAX = 255, TS_TEXT_MAX = 128 };

/* Ports: 0..65535 is ANY, 65535..0 is OPAQUE. For ICMP and ICMPv6 type and code stand in the port
 * (type << 8 | code). lo and hi are of one family, lo <= hi. */
struct ts {
	uint8_t proto; /* 0: any */
	uint16_t port_lo;
	uint16_t port_hi;
	struct addr lo;
	struct addr hi;
};

struct ts_list {
	uint8_t n;
	struct ts *v; /* owner: whoever holds the list; ts_list_free */
};

/* The fields of a packet that selectors judge. `ports_known` is false for non-first fragments and
 * for protocols without ports: such a packet matches only selectors whose port range is ANY (or
 * OPAQUE). ICMP's type and code stand in both ports. */
struct flow {
	struct addr src;
	struct addr dst;
	uint8_t proto;
	bool ports_known;
	uint16_t sport;
	uint16_t dport;
};

/* One known family, lo <= hi, and a port range that is not empty: what a decoder has to ask. A
 * selector that is not valid matches nothing, covers nothing and has no intersection. */
bool ts_valid(const struct ts *t);
struct ts ts_from_net(const struct net *n);
bool ts_eq(const struct ts *a, const struct ts *b);
bool ts_port_any(const struct ts *t);
bool ts_port_opaque(const struct ts *t);
/* Neither: a packet whose ports (or type and code) are not known cannot be judged by it. */
bool ts_asks_ports(const struct ts *t);
/* Two ports stand first in its header: TCP, UDP, DCCP, SCTP, UDP-Lite. */
bool ts_proto_has_ports(uint8_t proto);
/* Of either family: type and code are one field, which both ends of a packet have in common. */
bool ts_proto_is_icmp(uint8_t proto);
/* The whole of b lies in a. */
bool ts_covers(const struct ts *a, const struct ts *b);
/* Is there a packet with one end in a and the other in b? It has one family, one protocol (RFC 7296
 * 2.9) and, when that is ICMP, one type and code (3.13.1). */
bool ts_could_meet(const struct ts *a, const struct ts *b);
/* Their intersection; false when it is empty. */
bool ts_intersect(const struct ts *a, const struct ts *b, struct ts *out);
/* Does the address lie in its range? */
bool ts_has_addr(const struct ts *t, const struct addr *a);
bool ts_match(const struct ts *t, const struct addr *a, uint8_t proto, bool port_known,
	      uint16_t port);
/* "10.1.0.0/16", "10.1.0.0/16 tcp/443", "192.0.2.1-192.0.2.9 udp/1000-2000", "10.1.0.0/16 icmp/8.0"
 */
const char *ts_text(const struct ts *t, char buf[static TS_TEXT_MAX]);

MUST_USE enum err ts_list_copy(struct ts_list *to, const struct ts_list *from);
void ts_list_free(struct ts_list *l);
bool ts_list_eq(const struct ts_list *a, const struct ts_list *b);
/* The whole of t lies in one of them. */
bool ts_list_covers(const struct ts_list *l, const struct ts *t);
/* The whole of t lies in them together, though they may cut its addresses into pieces. */
bool ts_list_holds(const struct ts_list *l, const struct ts *t);
/* Each of `inner` lies in one of `outer`, and there is one: an empty list says nothing. */
bool ts_list_within(const struct ts_list *inner, const struct ts_list *outer);
/* Does the flow leave by (src in local, dst in remote)? For inbound packets swap src and dst first.
 */
bool ts_lists_match(const struct ts_list *local, const struct ts_list *remote,
		    const struct flow *f);

#endif
