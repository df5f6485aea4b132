/* SPDX-License-Identifier: Apache-2.0 */
/* What must be known of an inner packet, IPv4 or IPv6: bounded parsing to plain numbers. */
#ifndef ESP_INNER_H
#define ESP_INNER_H

#include "base/err.h"
#include "base/ts.h"

enum {
	IP4_HEAD_MIN = 20,
	IP6_HEAD_LEN = 40,
	IP6_MTU_MIN = 1280,
	PROTO_HOPOPTS = 0,
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_DCCP = 33,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_ESP = 50,
	PROTO_ICMPV6 = 58,
	PROTO_DSTOPTS = 60,
	PROTO_SCTP = 132,
	PROTO_UDPLITE = 136,
};

struct inner {
	struct flow flow;
	uint8_t version;   /* 4 or 6 */
	uint8_t tos;	   /* TOS or traffic class, whole */
	uint8_t ttl;	   /* or hop limit */
	uint32_t label;	   /* IPv6: flow label */
	uint16_t len;	   /* as the packet says; what follows is padding (RFC 4303 2.7) */
	uint16_t head_len; /* IPv4: with options. IPv6: 40 */
	uint16_t l4_at;	   /* where the header of flow.proto begins; len when nothing is there */
	bool fragment;	   /* a part of a larger packet */
	uint16_t frag_at;  /* its place in that, bytes */
	bool more;	   /* IPv4 MF */
	bool df;	   /* IPv4 DF; with IPv6 always true */
};

/* The start of a packet that an ICMP error quotes: as inner_parse, but p may be shorter than the
 * packet, only not than its headers up to the ports. `len` is then what is there. */
MUST_USE enum err inner_parse_quoted(struct span p, struct inner *in);

/* Parses what begins at p; p may be longer than the packet, never shorter. ERR_SYNTAX for anything
 * odd: a version other than 4 and 6, lengths that do not fit in each other, jumbograms, type 0
 * routing headers (RFC 5095), IPv4-mapped addresses, over 8 extension headers, a first fragment
 * without its whole header chain (RFC 7112), ports that are not there. */
MUST_USE enum err inner_parse(struct span p, struct inner *in);

#endif
