/* SPDX-License-Identifier: Apache-2.0 */
/* nftables messages, as much as our tables need: tables, chains, and rules as lists of small
 * expressions that work on a register. Pure builders; the order of calls is the order of
 * evaluation.
 */
#ifndef XFRM_NFT_H
#define XFRM_NFT_H

#include "base/addr.h"
#include "xfrm/netlink.h"

/* A transaction: nft_begin, table, chains, rules, nft_end. Failures stick in the message that they
 * hit. */
struct nft {
	struct ask *v;
	size_t n;
	size_t size;
	bool bad;
	struct ask spare; /* broken: what builders work on when there is no room */
};

void nft_begin(struct nft *t);
void nft_end(struct nft *t);
void nft_free(struct nft *t);
/* Sends all; all is done, or nothing. */
MUST_USE enum err nft_commit(struct netlink *nl, struct nft *t, struct answer *a);

void nft_table_add(struct nft *t, const char *table);
/* One that nobody but this socket can change, flush or delete, and that goes with it (since Linux
 * 5.12). */
void nft_table_hold(struct nft *t, const char *table);
void nft_table_delete(struct nft *t, const char *table);

enum nft_chain_kind {
	NFT_CHAIN_FILTER,
	NFT_CHAIN_REROUTE, /* of packets of this host: another mark, and they are routed anew */
	NFT_CHAIN_CALLED,  /* from other chains, by nft_jump */
};

struct nft_chain {
	const char *table;
	const char *name;
	enum nft_chain_kind kind;
	uint32_t hook; /* NF_INET_PRE_ROUTING, ...; not of one that is called, and no priority */
	int32_t priority;
};
void nft_chain_add(struct nft *t, const struct nft_chain *c);

/* From a word of a packet to the number of a queue; behind the table, before rules that use it. */
struct nft_map {
	const char *table;
	const char *name;
};
void nft_map_add(struct nft *t, const struct nft_map *m);
void nft_map_put(struct nft *t, const struct nft_map *m, uint32_t word, uint16_t queue);
void nft_map_take(struct nft *t, const struct nft_map *m, uint32_t word);

/* A rule being built: its message is the last one of the transaction until nft_rule_end. */
struct nft_rule {
	struct ask *ask;
	struct nlattr *list;
};
struct nft_rule nft_rule_begin(struct nft *t, const struct nft_chain *c);
void nft_rule_end(struct nft_rule *r);

void nft_meta_is(struct nft_rule *r, uint32_t key, const void *p, size_t len);
void nft_meta_is_not(struct nft_rule *r, uint32_t key, const void *p, size_t len);
void nft_device_is(struct nft_rule *r, uint32_t key, const char *name,
		   bool equal); /* NFT_META_IIFNAME, _OIFNAME */
void nft_mark_is(struct nft_rule *r, uint32_t value, uint32_t mask);
void nft_mark_set(struct nft_rule *r, uint32_t value, uint32_t mask); /* other bits are kept */
/* `len` bytes of the packet, counted from NFT_PAYLOAD_NETWORK_HEADER or _TRANSPORT_HEADER. */
void nft_payload_is(struct nft_rule *r, uint32_t base, uint32_t offset, const void *p,
		    uint32_t len);
void nft_payload_masked(struct nft_rule *r, uint32_t base, uint32_t offset, uint16_t mask,
			bool zero);
/* One byte of the packet, and what it must not be. */
void nft_payload_none_of(struct nft_rule *r, uint32_t base, uint32_t offset, const uint8_t *v,
			 size_t n);
/* Bits of several bytes of the packet. */
enum { NFT_BITS_MAX = 8 };
struct nft_bits {
	uint32_t base;
	uint32_t offset;
	uint32_t len;
	uint8_t mask[NFT_BITS_MAX];
	uint8_t is[NFT_BITS_MAX];
};
void nft_payload_bits(struct nft_rule *r, const struct nft_bits *b, bool equal);
/* A port of TCP or UDP at this place of their header. */
void nft_port_within(struct nft_rule *r, uint32_t offset, uint16_t lo, uint16_t hi);
/* Of IPv4 or IPv6, any but the first. */
void nft_later_fragment(struct nft_rule *r, sa_family_t family);
void nft_net_is(struct nft_rule *r, uint32_t offset,
		const struct net *n); /* address in the network header */
void nft_net_at(struct nft_rule *r, uint32_t base, uint32_t offset, const struct net *n);
/* Of packets whose word at this place is in the map. What follows may ask more of them, and
 * nft_queue has them wait in the map's queue, as long as somebody has that. */
void nft_mapped(struct nft_rule *r, uint32_t base, uint32_t offset, const struct nft_map *m);
void nft_queue(struct nft_rule *r);
void nft_mss_set(struct nft_rule *r, uint16_t mss); /* of a SYN; it is only lowered */
/* It has a way out through XFRM: what is before encryption, whatever its device says. */
void nft_ipsec_out(struct nft_rule *r);
void nft_to_this_host(struct nft_rule *r);	      /* fib daddr type local */
void nft_counter(struct nft_rule *r);		      /* counts what has come so far */
void nft_verdict(struct nft_rule *r, int32_t code);   /* NF_ACCEPT, NF_DROP, NFT_RETURN */
void nft_jump(struct nft_rule *r, const char *chain); /* and back, unless that decides */

#endif
