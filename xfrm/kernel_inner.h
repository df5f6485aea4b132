/* SPDX-License-Identifier: Apache-2.0 */
/* What struct kernel is, for the files that implement xfrm/kernel.h.
 *
 * The book says what shall be in the kernel: states of children that are up, their policies, traps
 * and exceptions. kernel_put.c puts in and takes out one of them at a time and keeps the book true
 * to what the kernel said. Where it said nothing (no answer, an answer that was lost), the book has
 * what is wanted, `doubt` is set, and kernel_settle.c reads the kernel's tables and makes them
 * agree with the book.
 *
 * kernel_index.c has how things of the book are found: no command walks over what others have.
 */
#ifndef XFRM_KERNEL_INNER_H
#define XFRM_KERNEL_INNER_H

#include "xfrm/chain.h"
#include "xfrm/early.h"
#include "xfrm/event.h"
#include "xfrm/flow.h"
#include "xfrm/kernel.h"
#include "xfrm/netlink.h"
#include "xfrm/state.h"

/* ---- what things are found by; compared as memory, so there is no padding in them ---- */

/* A policy as the kernel finds it, and whose. */
struct flow_key {
	uint8_t saddr[16];
	uint8_t daddr[16];
	uint16_t sport[2]; /* and its mask */
	uint16_t dport[2];
	uint16_t family;
	uint8_t bits[2];
	uint32_t proto;
	int32_t ifindex;
	uint32_t user;
	uint32_t mark[2];
	uint32_t dir;
	uint32_t if_id;
	uint32_t reqid; /* 0 where it does not matter whose */
};

struct spi_key {
	uint32_t dir;
	uint32_t spi;
};

/* What the kernel knows a peer by when it judges what came out of a tunnel, and what else has to be
 * known of peers that are the same to it (kernel_judge.c). */
enum peer_kind {
	PEER_WHOLE,  /* its state takes exactly what was negotiated */
	PEER_RAGGED, /* ... takes more */
	PEER_HOST,   /* transport mode */
};

struct peer_key {
	uint8_t remote[16];
	uint32_t family;
	uint32_t reqid;
	uint32_t dir;
	uint32_t kind;
};

_Static_assert(sizeof(struct flow_key) == 44 + 8 * 4, "no padding");
_Static_assert(sizeof(struct peer_key) == 16 + 4 * 4, "no padding");

/* ---- the things ---- */

/* A half asks for a policy. */
struct claim {
	struct chain by_key; /* what halves of one reqid want under one key */
	struct flow_key key;
	const struct flow_policy *flow; /* in the half's list */
};

/* A policy of the book: a child's, a trap, an exception. */
struct standing {
	struct table_node node;
	struct flow_key key; /* whoever's: reqid 0 */
	struct standing *prev;
	struct standing *next;
	struct flow_policy f; /* index 0: the kernel does not have it */
};

/* How many policies the children of one reqid have together, or halves a connection. */
struct tally {
	struct table_node node;
	size_t n;
	size_t len;
	uint8_t key[64]; /* the reqid, or the name */
};

/* One direction of a Child SA: a half of it. */
struct kernel_half {
	struct sa_desc d;	 /* whole, keys too: a move makes the state anew */
	uint32_t reqid;		 /* of its state and its policies: its own, or the set's */
	enum sa_offload offload; /* what the kernel gave */
	uint64_t packets;	 /* when they were last asked for, and when they had become more */
	uint64_t last_ns;
	/* kernel_look.c: its packets at the last look; out: since then nothing has come, or
	 * it was told; 0: not */
	uint64_t looked_packets;
	uint64_t sent_ns;
	bool claimed;	    /* by the engine that there is now, or put in by it */
	bool driven_out;    /* its state has been deleted for another one's sake, see book_yields */
	uint64_t mapped_ns; /* when a MAPPING of it was last told */
	/* What states of it counted that it has moved away from. */
	uint64_t drop_replay;
	uint64_t drop_integrity;
	/* Its policies with their levels: d, cut once. */
	struct flow_list flows;
	struct claim *claims;	      /* one for each of them */
	struct xfrm_selector arrival; /* what its state takes, inbound in tunnel mode */
	/* In the book: */
	struct kernel_half *older;
	struct kernel_half *newer;
	struct chain by_spi;
	struct spi_key spi_key;
	struct chain by_peer;
	struct peer_key peer_key;
};

struct kernel_halves {
	struct kernel_half *newest; /* `older` leads on */
	size_t n;
	size_t n_ranked; /* that have a priority */
};

struct kernel_policies {
	struct standing *first; /* the last that came */
	size_t n;
};

struct kernel_index {
	struct table claims;
	struct table standing;
	struct table shares; /* by reqid */
	struct table connections;
	struct table by_spi;
	struct table by_peer;
};

enum { KERNEL_ACQUIRES = 256 };

struct kernel {
	struct netlink own;    /* requests */
	struct netlink events; /* closed: over a caller's netlink */
	struct netlink route;  /* for the host's own addresses */
	struct netlink *nl;    /* &own, or the caller's */
	/* offload_device (xfrm/offload.h); NULL: no device takes anything over. */
	uint32_t (*device)(const struct addr *own, enum sa_offload want);
	struct early early; /* of which nothing is opened over a caller's netlink */
	bool sa_dir;	    /* from the probe */
	bool doubt;
	int hold_error; /* kernel_hold_error */
	bool missing;	/* a half of the book is not in the kernel, and nobody was told yet */
	struct kernel_halves halves;
	struct kernel_policies policies;
	struct flow_list traps; /* of the configuration, by reqid; those of kernel_trap.c */
	struct kernel_index index;
	uint8_t *taken; /* a byte for each slot of POLICY_OF_FLOW */
	uint32_t slot;	/* where to look on */
	/* Larval states, by the ACQUIREs that told of them; the oldest makes room. reqid 0: none.
	 */
	struct state_larval acquires[KERNEL_ACQUIRES];
	size_t next_acquire;
	/* Outbound halves that had their turn: of those without a priority, and with one. */
	size_t look_from[2];
	uint64_t looked_ns; /* at those without */
	/* Numbers of installs: the last that was carried out, and the last of the engines that are
	 * gone. */
	uint64_t installed;
	uint64_t installed_before;
};


/* ---- kernel_book.c, kernel_judge.c, kernel_index.c: pure ---- */

/* A half that is not in the book (yet, or any more). All that it will need is there: its selectors
 * are cut into policies. Fails as flow_list_fill does. half_free wipes its keys and takes NULL. */
MUST_USE enum err half_new(const struct kernel *k, const struct sa_desc *d,
			   struct kernel_half **out);
void half_free(struct kernel_half *half);

/* The half that the command means, or whose state that is; NULL: none. */
struct kernel_half *book_find(const struct kernel *k, const struct sa_desc *d);
struct kernel_half *book_find_state(const struct kernel *k, const struct state_id *id);
/* As the newest; the book owns it. ERR_NOMEM is the only failure. */
MUST_USE enum err book_put(struct kernel *k, struct kernel_half *half);
/* Out of the book: the caller owns it. */
void book_take(struct kernel *k, struct kernel_half *half);
/* The half is elsewhere, and its policies want to lead there. The only way to change a path. */
void book_place(struct kernel *k, struct kernel_half *half, const struct path *path, bool encap);
/* Others go before it, or do not any more; its policies want to stand accordingly. */
void book_pass(struct kernel_half *half, bool passed);
void book_free(struct kernel *k);

/* What shall stand under this key, as far as children of the same reqid say: the newest half that
 * has it decides, of those with the best rank. False: no child has it. */
bool book_wants(const struct kernel *k, const struct flow_policy *key, struct flow_policy *want);
/* Every child's policy in the book becomes what the halves ask for, whatever the kernel has. */
void book_refresh(struct kernel *k);

/* The configured traps, which the levels of children come from and how ragged they may be; *traps
 * is theirs afterwards. What the halves want has the new levels. */
void book_traps_set(struct kernel *k, struct flow_list *traps);
const struct flow_policy *book_traps(const struct kernel *k, uint32_t reqid, size_t *n);

/* Whether the half may come in beside what is there; words when not. */
MUST_USE enum err book_judge(const struct kernel *k, const struct kernel_half *half, char *why);
/* ... beside those who are where it goes to. */
MUST_USE enum err book_judge_move(struct kernel *k, struct kernel_half *half,
				  const struct sa_desc *to, char *why);
/* One of its set that has to go for it to come in, and has not; NULL: there is none. */
struct kernel_half *book_yields(const struct kernel *k, const struct kernel_half *half);
/* What the half is judged by: to be called when its path has changed. */
void judge_prepare(struct kernel_half *half);

MUST_USE enum err index_init(struct kernel_index *x, const uint8_t seed[static SIPHASH_KEY_LEN]);
void index_free(struct kernel_index *x); /* takes a zeroed one */
struct flow_key flow_key_of(const struct flow_policy *f, uint32_t reqid);
/* The half's claims, in and out. ERR_NOMEM: nothing has changed. */
MUST_USE enum err index_claim(struct kernel *k, struct kernel_half *half);
void index_unclaim(struct kernel *k, struct kernel_half *half);
const struct flow_policy *index_wanted(const struct kernel *k, const struct flow_policy *f);
/* How many policies the children of its reqid would have with this half. */
size_t index_share_with(const struct kernel *k, const struct kernel_half *half);
size_t index_count(const struct kernel *k, const char *connection); /* halves */

/* Policies of the book; NULL: it is not there. ERR_EXISTS: it is. */
struct flow_policy *book_policy_find(const struct kernel *k, const struct flow_policy *key);
MUST_USE enum err book_policy_put(struct kernel *k, const struct flow_policy *f);
void book_policy_take(struct kernel *k, const struct flow_policy *key);

void acquire_note(struct kernel *k, const struct state_larval *l);
void acquire_drop(struct kernel *k, uint32_t reqid, uint32_t seq);

/* ---- kernel_put.c: one thing at a time ---- */

/* x->ifindex: the device that was asked to take it over, in the end; 0: none. *unheard: it failed
 * because no answer came, so the state may be there; that is in doubt already. */
MUST_USE enum err put_state(struct kernel *k, const struct sa_desc *d, struct state_extra *x,
			    bool *unheard, char *why);
MUST_USE enum err show_state(struct kernel *k, const struct sa_desc *d, struct state_info *s,
			     char *why);
/* Gone already is gone. */
MUST_USE enum err take_state(struct kernel *k, const struct state_id *id, char *why);
/* Brings the policy in, or changes the one that has its key; the book too. */
MUST_USE enum err put_policy(struct kernel *k, const struct flow_policy *f, char *why);
MUST_USE enum err take_policy(struct kernel *k, const struct flow_policy *key, char *why);
/* ... one that the kernel has, by its index, and the book has not. */
MUST_USE enum err take_stray(struct kernel *k, const struct flow_policy *f, char *why);
MUST_USE enum err forget_larval(struct kernel *k, const struct state_larval *l, char *why);
/* The one where traps lead; `seq` may be 0. */
MUST_USE enum err forget_trap_larval(struct kernel *k, uint32_t reqid, uint32_t seq, char *why);
/* Every larval state of the reqid that is known of. If none is: the one with this `seq` where its
 * traps lead, unless that is 0. */
MUST_USE enum err forget_acquires(struct kernel *k, uint32_t reqid, uint32_t seq, char *why);

/* ---- kernel_trap.c ---- */

/* Packets that wait at the traps of this child look for their tunnel now. */
void kernel_traps_wake(struct kernel *k, uint32_t reqid);

/* ---- kernel_move.c ---- */

MUST_USE enum err kernel_move(struct kernel *k, const struct sa_desc *to, char *why);
/* The policies of a half say what the book wants of them; all are tried, the first failure is
 * told and in doubt. */
MUST_USE enum err settle_flows(struct kernel *k, const struct flow_list *flows, char *why);

/* ---- kernel_settle.c ---- */

struct settle {
	bool all; /* larval states of ours go, too, and those of a probe */
	/* Told of halves of the book that are not in the kernel, which then leave it. NULL: they
	 * stay in the book. */
	kernel_event_fn *gone;
	void *ctx;
};
/* Reads all states and policies: what of ours the book does not have goes, policies that it has and
 * the kernel has not, or otherwise, come back. */
MUST_USE enum err kernel_settle(struct kernel *k, const struct settle *s, char *why);

/* For a book that knows nothing yet of what stands: the traps, from which children have their
 * levels; and then, when it has its halves, the policies, as far as they are wanted. The kernel is
 * only read. */
MUST_USE enum err kernel_learn_traps(struct kernel *k, char *why);
MUST_USE enum err kernel_learn(struct kernel *k, char *why);

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
