/* SPDX-License-Identifier: Apache-2.0 */
/* What struct kernel is, for the files that implement xfrm/kernel.h.
 *
 * The book says what shall be in the kernel: states of children that are up, their policies, traps
 * and exceptions. kernel_put.c puts in and takes out one of them at a time and keeps the book true
 * to what the kernel said. Where it said nothing (no answer, an answer that was lost), the book has
 * what is wanted, `doubt` is set, and kernel_settle.c reads the kernel's tables and makes them
 * agree with the book.
 */
#ifndef XFRM_KERNEL_INNER_H
#define XFRM_KERNEL_INNER_H

#include "xfrm/event.h"
#include "xfrm/flow.h"
#include "xfrm/kernel.h"
#include "xfrm/netlink.h"
#include "xfrm/state.h"

struct kernel_sa {
	struct sa_desc d;	 /* whole, keys too: a move makes the state anew */
	enum sa_offload offload; /* what the kernel gave */
	uint64_t packets;	 /* when they were last asked for, and when they had become more */
	uint64_t last_ns;
	uint64_t mapped_ns; /* when a MAPPING of it was last told */
};

struct kernel_sas {
	struct kernel_sa *v; /* in the order in which they came: the newest is last */
	size_t n;
	size_t size;
};

enum { KERNEL_ACQUIRES = 256 };

struct kernel {
	struct netlink own;    /* requests */
	struct netlink events; /* closed: over a caller's netlink */
	struct netlink route;  /* for the host's own addresses */
	struct netlink *nl;    /* &own, or the caller's */
	/* offload_device (xfrm/offload.h); NULL: no device takes anything over. */
	uint32_t (*device)(const struct addr *own, enum sa_offload want);
	bool sa_dir; /* from the probe */
	bool doubt;
	bool missing; /* a half of the book is not in the kernel, and nobody was told yet */
	struct kernel_sas sas;
	struct flow_list policies; /* with their indexes */
	uint8_t *taken;		   /* a byte for each slot of POLICY_OF_FLOW */
	uint32_t slot;		   /* where to look on */
	/* Larval states, by the ACQUIREs that told of them; the oldest makes room. reqid 0: none.
	 */
	struct state_larval acquires[KERNEL_ACQUIRES];
	size_t next_acquire;
};

uint64_t kernel_now_ns(void); /* monotonic */

/* ---- kernel_book.c: pure ---- */

/* The half that the command means; NULL: none. Spans and pointers into the book hold until it next
 * changes. */
struct kernel_sa *book_find(const struct kernel *k, const struct sa_desc *d);
MUST_USE enum err book_put(struct kernel *k, const struct sa_desc *d);
void book_take(struct kernel *k, struct kernel_sa *sa);
void book_free(struct kernel *k);
/* The policies of a half, with their levels. */
MUST_USE enum err book_flows(const struct kernel *k, const struct sa_desc *d, struct flow_list *l);
/* What shall stand under this key, as far as children say: the newest half that has it decides.
 * False: no child has it. */
bool book_wants(const struct kernel *k, const struct flow_policy *key, struct flow_policy *want);
/* Whether the half may come in beside what is there; words when not. */
MUST_USE enum err book_judge(const struct kernel *k, const struct sa_desc *d,
			     const struct flow_list *flows, char *why);

/* Every child's policy in the book becomes what the halves ask for, whatever the kernel has. */
void book_refresh(struct kernel *k);

void acquire_note(struct kernel *k, const struct state_larval *l);
void acquire_drop(struct kernel *k, uint32_t reqid, uint32_t seq);

/* ---- kernel_put.c: one thing at a time ---- */

/* x->ifindex: the device that was asked to take it over, in the end; 0: none. */
MUST_USE enum err put_state(struct kernel *k, const struct sa_desc *d, struct state_extra *x,
			    char *why);
MUST_USE enum err show_state(struct kernel *k, const struct sa_desc *d, struct state_info *s,
			     char *why);
/* Gone already is gone. */
MUST_USE enum err take_state(struct kernel *k, const struct state_id *id, char *why);
/* Brings the policy in, or changes the one that has its key; the book too. */
MUST_USE enum err put_policy(struct kernel *k, const struct flow_policy *f, char *why);
MUST_USE enum err take_policy(struct kernel *k, const struct flow_policy *key, char *why);
MUST_USE enum err forget_larval(struct kernel *k, const struct state_larval *l, char *why);
/* Every larval state of the reqid that is known of, and that of its traps. */
MUST_USE enum err forget_acquires(struct kernel *k, uint32_t reqid, uint32_t seq, char *why);

/* ---- kernel_move.c ---- */

MUST_USE enum err kernel_move(struct kernel *k, const struct sa_desc *to, char *why);
/* The policies of a half say what the book wants of them; all are tried, the first failure is
 * told and in doubt. */
MUST_USE enum err settle_flows(struct kernel *k, const struct flow_list *flows, char *why);

/* ---- kernel_settle.c ---- */

struct settle {
	bool larval; /* larval states of ours go, too */
	/* Told of halves of the book that are not in the kernel, which then leave it. NULL: they
	 * stay in the book. */
	kernel_event_fn *gone;
	void *ctx;
};
/* Reads all states and policies: what of ours the book does not have goes, policies that it has and
 * the kernel has not, or otherwise, come back. */
MUST_USE enum err kernel_settle(struct kernel *k, const struct settle *s, char *why);

/* ---- kernel_event.c ---- */

/* What a batch of messages asks for beyond what it tells. */
struct kernel_news {
	kernel_event_fn *fn;
	void *ctx;
	bool settle; /* others took something away, or messages were lost */
};
void kernel_event(struct kernel *k, const struct nlmsghdr *m, struct kernel_news *news);
void kernel_news_end(struct kernel *k, const struct kernel_news *news);

#endif
