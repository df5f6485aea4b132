/* SPDX-License-Identifier: Apache-2.0 */
/* A channel in a loop: messages come to a callback, what waits is sent when there is room, and the
 * end of the channel, by death or by rubbish, is told once.
 */
#ifndef DAEMON_LINK_H
#define DAEMON_LINK_H

#include "daemon/chan.h"
#include "daemon/loop.h"

/* `m` and its body hold during the call; its descriptor is the callee's. Any error but OK says that
 * the message was malformed inside: the link ends as if it had broken its table. */
typedef enum err link_msg_fn(void *ctx, const struct chan_msg *m);
/* ERR_NOT_FOUND: the other end is gone; anything else: it broke its table. The link is closed by
 * then. */
typedef void link_gone_fn(void *ctx, enum err why);

struct link {
	struct loop *loop;
	struct chan *chan; /* NULL: not open */
	struct loop_watch watch;
	uint32_t events;
	link_msg_fn *on_msg;
	link_gone_fn *on_gone;
	void *ctx;
};

/* Takes `fd`, also on failure. `l` has loop, on_msg, on_gone and ctx filled in and must not be
 * open. */
MUST_USE enum err link_open(struct link *l, int fd, const struct chan_table *in,
			    const struct chan_table *out);
void link_close(struct link *l); /* without on_gone; an unopened one is left alone */
bool link_is_open(const struct link *l);
/* Bytes that wait for the other end to read; 0 when it is not open. */
size_t link_queued(const struct link *l);
/* ERR_NOT_FOUND also when it is not open. */
MUST_USE enum err link_send(struct link *l, uint8_t type, struct span body, int fd);

#endif
