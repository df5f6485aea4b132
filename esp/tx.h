/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams to be sent: a run of packets of one SA, in the order of their sequence numbers, by as
 * few system calls as can be. */
#ifndef ESP_TX_H
#define ESP_TX_H

#include "esp/outer.h"

struct tx {
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	struct envelope envelope[BATCH];
	uint8_t *buf; /* BATCH times TX_ROOM */
	int n;
	bool split;	/* this batch may be cut on its way: the next flush sends without DF */
	size_t lost;	/* packets that the kernel did not take */
	size_t too_big; /* length of the longest that was too long for the path; 0: none */
};

MUST_USE enum err tx_init(struct tx *tx);
void tx_free(struct tx *tx);
/* Where the next ESP packet is written. The batch must not be full. */
struct wr tx_room(struct tx *tx);
/* What was written there is to be sent. True when the batch is full now. */
bool tx_add(struct tx *tx, struct span esp, const struct outer_sock *s, const struct path *path,
	    const struct outer_head *head);
/* Sends everything by `s`. */
void tx_flush(struct tx *tx, const struct outer_sock *s);

#endif
