/* SPDX-License-Identifier: Apache-2.0 */
/* XFRM in memory: states and policies with the rules of Linux as far as the kernel's data plane
 * meets them, behind struct netlink_ops. It reads and writes messages by the structs of
 * linux/xfrm.h and nothing of xfrm/, so that it does not share its mistakes.
 *
 * One request can be made to go wrong: refused with an errno, or done and not properly answered.
 */
#ifndef TESTS_UNIT_XFRM_MODEL_H
#define TESTS_UNIT_XFRM_MODEL_H

#include <linux/xfrm.h>
#include <stdbool.h>
#include <stddef.h>

#include "xfrm/netlink.h"

enum {
	MODEL_ENTRIES = 200,
	MODEL_BODY = 800, /* of a message behind its header */
	MODEL_REPLIES = 400,
};

enum model_fault {
	FAULT_NONE,
	FAULT_REFUSE,	   /* with `error`; nothing is done */
	FAULT_SEND,	   /* the system call fails with `error`; nothing is done */
	FAULT_SILENT,	   /* done, never answered */
	FAULT_SHORT,	   /* done, the answer is cut */
	FAULT_GARBLED,	   /* done, the answer is not one: `error` is an enum model_garble */
	FAULT_LATE,	   /* done, answered behind the next request */
	FAULT_DOUBLE,	   /* done, answered twice */
	FAULT_ALIEN,	   /* done, another's answers come first */
	FAULT_LOST,	   /* done, the answer is lost in an overrun */
	FAULT_INTERRUPTED, /* a dump lacks its last entry and says that it is not consistent */
	FAULT_INDEX,	   /* a policy gets another index than it asked for */
};

enum model_garble {
	GARBLE_LONG,	 /* its length says more than came */
	GARBLE_NOTHING,	 /* its length is less than a header */
	GARBLE_POSITIVE, /* an error that is none */
	GARBLE_TYPE,	 /* of no type that anybody asked for; what it says is not heard */
};

struct model_state {
	struct xfrm_usersa_info u;
	bool acquire; /* larval, or from ALLOCSPI */
	size_t len;
	unsigned char body[MODEL_BODY]; /* as in NEWSA */
};

struct model_policy {
	struct xfrm_userpolicy_info u;
	uint32_t if_id;
	bool has_tmpl;
	struct xfrm_user_tmpl tmpl;
	unsigned int woken; /* how often packets that wait at it were asked to look again */
	size_t len;
	unsigned char body[MODEL_BODY];
};

struct model_reply {
	size_t len;
	bool lost;
	_Alignas(8) unsigned char p[MODEL_BODY + 64];
};

struct model {
	struct model_state states[MODEL_ENTRIES];
	size_t n_states;
	struct model_policy policies[MODEL_ENTRIES];
	size_t n_policies;
	uint32_t next_index;
	uint32_t next_spi;
	/* The next state that goes is looked for by a packet on another processor. */
	bool late_packet;
	/* what goes wrong; model_arm means one request */
	enum model_fault fault;
	int error;
	int at;	     /* the request of this number since model_arm, from 0 */
	int lasting; /* and so many behind it */
	int asked;
	/* answers on their way */
	struct model_reply replies[MODEL_REPLIES];
	size_t first, n_replies;
	struct model_reply late;
	uint32_t port;
};

struct model *model_new(void);
void model_free(struct model *m);
extern const struct netlink_ops model_ops; /* its context is the model */
void model_arm(struct model *m, enum model_fault fault, int error, int at);

/* As if a packet had met the policy at `i`: a larval state. Its number comes back. */
uint32_t model_acquire(struct model *m, size_t i, uint32_t seq);

/* Whether a packet from `src` to `dst` (IPv4, host order) that came out of the state with this SPI
 * is let in: by the selector of the state, and by the best policy and its template. */
bool model_lets_in(const struct model *m, uint32_t spi, uint32_t src, uint32_t dst);

#endif
