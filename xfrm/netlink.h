/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the kernel over netlink: building them (attributes with sticky failure, over libnl's
 * messages), sending them, and waiting a bounded time for the answer. Sockets here ask and get
 * answers; events have sockets of their own, because an overrun eats answers too.
 */
#ifndef XFRM_NETLINK_H
#define XFRM_NETLINK_H

#include <linux/netlink.h>
#include <netlink/attr.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/err.h"
#include "xfrm/answer.h"

struct nl_msg;

/* What may stand in the place of the kernel: a model of it, in tests. Both as the system call,
 * errno included; what `receive` has not got now (EAGAIN) never comes. Of a datagram longer than
 * `size` it gives that much, and returns how long it is (MSG_TRUNC). */
struct netlink_ops {
	ssize_t (*send)(void *ctx, const void *p, size_t len);
	ssize_t (*receive)(void *ctx, void *p, size_t size);
};

struct netlink {
	int fd; /* -1: closed, or a model's */
	uint32_t seq;
	uint32_t port;
	uint8_t *buf; /* for one datagram; NULL: closed */
	const struct netlink_ops *ops;
	void *ctx;
};

/* A request being built. Once something does not fit, or memory is out, it is broken for good and
 * says so when it is sent: nobody has to ask in between. */
struct ask {
	struct nl_msg *msg;
	bool bad;
};

struct ask ask_new(uint16_t type, uint16_t flags);
void ask_free(struct ask *a); /* wipes it: keys travel in requests */
void ask_header(struct ask *a, const void *p,
		size_t len); /* the family's fixed part: first of all */
void ask_bytes(struct ask *a, int type, const void *p, size_t len);
void ask_u8(struct ask *a, int type, uint8_t v);
void ask_u32(struct ask *a, int type, uint32_t v);
void ask_be32(struct ask *a, int type, uint32_t v);
void ask_str(struct ask *a, int type, const char *s);
struct nlattr *ask_nest(struct ask *a, int type);
void ask_nest_end(struct ask *a, struct nlattr *nest);
/* The message as bytes, for golden tests; empty when broken. */
struct span ask_span(const struct ask *a);

/* `protocol`: NETLINK_XFRM, NETLINK_ROUTE, NETLINK_NETFILTER. ERR_UNSUPPORTED: the kernel has not
 * got it. */
MUST_USE enum err netlink_open(struct netlink *nl, int protocol);
/* Over a model, which sees us as port NETLINK_MODEL_PORT. */
enum { NETLINK_MODEL_PORT = 77 };
MUST_USE enum err netlink_over(struct netlink *nl, const struct netlink_ops *ops, void *ctx);
void netlink_close(struct netlink *nl);

/* All three free the request. `*a` says how it ended: a->error is the kernel's errno. The result
 * maps it: ERR_EXISTS, ERR_NOT_FOUND, ERR_DENIED, ERR_UNSUPPORTED, else ERR_SYSTEM; ERR_NO_ANSWER
 * when nothing came for seconds. What came is wiped behind the judge: states are shown with keys.
 */
MUST_USE enum err netlink_ask(struct netlink *nl, struct ask *req, struct answer *a);
/* `fn` gets each message. After an interruption all is asked again: `restart` (may be NULL) forgets
 * what came before. */
struct netlink_sink {
	void (*restart)(void *ctx);
	answer_fn *take;
	void *ctx;
};
MUST_USE enum err netlink_dump(struct netlink *nl, struct ask *req, const struct netlink_sink *sink,
			       struct answer *a);
/* One object: its message, then the acknowledgement. */
MUST_USE enum err netlink_get(struct netlink *nl, struct ask *req, const struct netlink_sink *sink,
			      struct answer *a);
/* One datagram of n messages, all of which are taken or none (nftables). */
MUST_USE enum err netlink_transact(struct netlink *nl, struct ask *v, size_t n, struct answer *a);

/* For sockets that only listen. netlink_read: one datagram of the kernel, if there is one:
 * ERR_NOT_FOUND when not, empty when it was somebody else's; ERR_BUSY: some were lost. */
MUST_USE enum err netlink_join(const struct netlink *nl, uint32_t group);
MUST_USE enum err netlink_read(struct netlink *nl, struct span *got);

/* Words for a person: what failed, what the kernel said. */
enum { NETLINK_WORDS_MAX = 200 };
const char *netlink_words(enum err err, const struct answer *a, char buf[static NETLINK_WORDS_MAX]);

#endif
