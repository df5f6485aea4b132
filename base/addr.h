/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, endpoints, paths and networks, IPv4 and IPv6, as plain values. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/err.h"

enum { ADDR_TEXT_MAX = 46, ENDPOINT_TEXT_MAX = 56, NET_TEXT_MAX = 50 };

/* family is AF_INET (4 bytes used), AF_INET6 (16) or AF_UNSPEC (none known). Unused bytes are zero,
 * so that addresses may be compared and hashed as memory. IPv4-mapped IPv6 never occurs: it becomes
 * IPv4. */
struct addr {
	sa_family_t family;
	uint8_t b[16];
};

struct endpoint {
	struct addr addr;
	uint16_t port; /* host order */
};

/* Where a message came to and from, or leaves from and to. */
struct path {
	struct endpoint local;
	struct endpoint remote;
};

/* A network: the first `bits` bits of addr; the rest is zero. */
struct net {
	struct addr addr;
	uint8_t bits;
};

size_t addr_len(const struct addr *a); /* 4, 16 or 0 */
struct span addr_span(const struct addr *a);
/* 4 or 16 bytes; anything else fails. */
MUST_USE bool addr_from_span(struct addr *a, struct span s);
bool addr_eq(const struct addr *a, const struct addr *b);
int addr_cmp(const struct addr *a, const struct addr *b); /* family, then bytes */
bool addr_is_any(const struct addr *a);			  /* unspecified, or 0.0.0.0, or :: */
bool endpoint_eq(const struct endpoint *a, const struct endpoint *b);
bool path_eq(const struct path *a, const struct path *b);

/* Text without a port; no names. False, and *a cleared, when `s` is not an address. */
MUST_USE bool addr_parse(const char *s, struct addr *a);
/* "10.0.0.0/8", or a lone address with its full length. Host bits that are set are an error. */
MUST_USE bool net_parse(const char *s, struct net *n);
const char *addr_text(const struct addr *a, char buf[static ADDR_TEXT_MAX]);
/* 192.0.2.1:500, [2001:db8::1]:500 */
const char *endpoint_text(const struct endpoint *e, char buf[static ENDPOINT_TEXT_MAX]);
const char *net_text(const struct net *n, char buf[static NET_TEXT_MAX]);

bool net_contains(const struct net *n, const struct addr *a);
/* An address of one machine that packets can be sent to over a network: not unspecified, loopback,
 * multicast, limited broadcast, or reserved. */
bool addr_is_host(const struct addr *a);
bool net_overlap(const struct net *a, const struct net *b);
struct addr net_first(const struct net *n);
struct addr net_last(const struct net *n);
/* How many leading bits two addresses of one family share. */
unsigned int addr_common_bits(const struct addr *a, const struct addr *b);
/* Cuts the range lo..hi (one family, lo <= hi) into networks; at most `max`, returns how many are
 * needed. */
size_t net_from_range(const struct addr *lo, const struct addr *hi, struct net *out, size_t max);

socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ss);
MUST_USE bool endpoint_from_sockaddr(struct endpoint *e, const struct sockaddr *sa);

#endif
