/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel answers on netlink, judged without a socket: which messages of a datagram belong
 * to the request that was sent, and whether the request is done. Anything else (late answers to an
 * earlier request, notifications, doubles) is stepped over, anything malformed is an error and
 * never read past its end.
 */
#ifndef XFRM_ANSWER_H
#define XFRM_ANSWER_H

#include <linux/netlink.h>

#include "base/bytes.h"
#include "base/err.h"

enum { ANSWER_WORDS_MAX = 120 };

/* Set seq_first, seq_last and port; the rest is the judge's. A request of several messages (a
 * transaction of nftables) has several sequence numbers: an error for any of them ends it, success
 * only the acknowledgement of the last. */
struct answer {
	uint32_t seq_first;
	uint32_t seq_last;
	uint32_t port; /* our netlink port */
	bool done;
	bool interrupted; /* NLM_F_DUMP_INTR: what was dumped is inconsistent */
	int error;	  /* when done: errno of the kernel, 0 when it took the request */
	char words[ANSWER_WORDS_MAX]; /* what the kernel says about it; "" when it says nothing */
};

/* One message of data. Its length has been checked against the datagram; its payload has not. */
typedef enum err answer_fn(void *ctx, const struct nlmsghdr *m);

/* Reads one datagram, aligned as struct nlmsghdr. ERR_SYNTAX: cut short or contradicting itself;
 * ERR_BUSY: the kernel lost messages (NLMSG_OVERRUN); or what `fn` returned. `fn` may be NULL: data
 * is then stepped over. */
MUST_USE enum err answer_read(struct answer *a, struct span datagram, answer_fn *fn, void *ctx);

#endif
