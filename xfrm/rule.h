/* SPDX-License-Identifier: Apache-2.0 */
/* Routing rules (`ip rule`) of ours as plain values, and their messages. Known as ours by
 * FRA_PROTOCOL. */
#ifndef XFRM_RULE_H
#define XFRM_RULE_H

#include "base/addr.h"
#include "xfrm/netlink.h"

struct rule {
	uint32_t priority;
	uint8_t action; /* FR_ACT_TO_TBL (our table), FR_ACT_GOTO, FR_ACT_UNREACHABLE, FR_ACT_NOP */
	uint8_t proto;	/* 0: any */
	struct net from; /* its family is the rule's; bits 0: anything, also no address yet */
	struct net to;
	uint16_t sport_lo; /* 0 and 65535: any */
	uint16_t sport_hi;
	uint16_t dport_lo;
	uint16_t dport_hi;
	uint32_t target; /* FR_ACT_GOTO: a priority */
	uint32_t mark;
	uint32_t mask; /* 0: no mark is asked for */
	uint32_t table;	  /* FR_ACT_TO_TBL: 0 is our table */
	uint32_t ifgroup; /* routes into devices of that group do not count; 0: all do */
};

struct rule_list {
	struct rule *v;
	size_t n;
	size_t size;
};

MUST_USE enum err rule_list_add(struct rule_list *l, const struct rule *r);
void rule_list_free(struct rule_list *l);
/* A total order: the order in which they are added, so that a target stands before who jumps to it.
 */
int rule_cmp(const struct rule *a, const struct rule *b);
/* Sorted, none twice. */
void rule_list_settle(struct rule_list *l);

struct ask rule_ask_add(const struct rule *r);
struct ask rule_ask_delete(const struct rule *r);
struct ask rule_ask_dump(sa_family_t family);
/* Of a dump, or an event that tells of a rule that went. ERR_NOT_FOUND: not ours; ERR_SYNTAX:
 * malformed. */
MUST_USE enum err rule_read(const struct nlmsghdr *m, struct rule *r);
/* Brings the kernel's rules with our protocol number to these: adds first, removes then. */
MUST_USE enum err rule_set_apply(struct netlink *nl, const struct rule_list *wanted, char *why);

#endif
