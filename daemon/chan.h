/* SPDX-License-Identifier: Apache-2.0 */
/* A channel between two of our processes: one SOCK_SEQPACKET socket, whole messages, at most one
 * descriptor each.
 *
 * Each direction of each channel has a const table of the message types that exist there and how
 * long they may be (daemon/proto). The reader judges every message against its table before anybody
 * looks inside: the other process may have been taken over. A message that breaks the table ends
 * the channel, and its owner accuses the sender at the monitor, which ends it; the reader itself
 * goes on.
 *
 * Sending never blocks: what the socket does not take waits in a bounded queue. So no two of our
 * processes can wait for each other.
 */
#ifndef DAEMON_CHAN_H
#define DAEMON_CHAN_H

#include "base/bytes.h"
#include "base/err.h"

/* The longest body: a chain of certificates, the octets that were signed, and the rest of a job. */
enum { CHAN_BODY_MAX = 192 * 1024, CHAN_QUEUE_MAX = 8 * 1024 * 1024 };

struct chan_rule {
	uint8_t type;
	uint32_t min; /* bytes of the body */
	uint32_t max;
	bool fd; /* carries a descriptor; else it must not */
};

struct chan_table {
	const char *name;
	const struct chan_rule *rules;
	size_t n;
};

struct chan_msg {
	uint8_t type;
	struct span body; /* into the channel's buffer: until the next chan_recv */
	int fd;		  /* the receiver's own from now on; -1: none */
};

struct chan;

/* Both ends, close-on-exec and non-blocking, with room for the longest message. */
MUST_USE enum err chan_pair(int fd[2]);
/* Takes the descriptor, also when it fails (ERR_NOMEM). `in` and `out` are const tables. */
MUST_USE enum err chan_new(int fd, const struct chan_table *in, const struct chan_table *out,
			   struct chan **c);
void chan_free(struct chan *c); /* closes; takes NULL */
int chan_fd(const struct chan *c);

/* Sends or queues; the bytes are copied, `fd` (-1: none) is duplicated when it must wait.
 * ERR_UNSUPPORTED: not in our table, a mistake of ours; ERR_LIMIT: the queue is full;
 * ERR_NOT_FOUND: the other end is gone. */
MUST_USE enum err chan_send(struct chan *c, uint8_t type, struct span body, int fd);
/* Without the queue, so any thread may call it: ERR_BUSY when the socket is full. */
MUST_USE enum err chan_send_now(const struct chan *c, uint8_t type, struct span body, int fd);
/* Sends what waits, as much as the socket takes. */
MUST_USE enum err chan_flush(struct chan *c);
bool chan_waiting(const struct chan *c);
/* Bytes of memory that wait: at most CHAN_QUEUE_MAX. */
size_t chan_queued(const struct chan *c);

/* The next message. ERR_BUSY: none there; ERR_NOT_FOUND: the other end is gone; ERR_SYNTAX: it
 * broke its table. */
MUST_USE enum err chan_recv(struct chan *c, struct chan_msg *m);
/* Wipes the buffer that the last message came in: for those with keys. */
void chan_wipe(struct chan *c);

#endif
