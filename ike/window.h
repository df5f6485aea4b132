/* SPDX-License-Identifier: Apache-2.0 */
/* Message IDs (RFC 7296 2.2, 2.3) with a window of one: the peer's next request, our one
 * outstanding request, and the bytes of our last answer, so that a retransmitted request gets
 * identical bytes and is never handled twice.
 */
#ifndef IKE_WINDOW_H
#define IKE_WINDOW_H

#include "base/bytes.h"
#include "base/err.h"

/* The datagrams of one message as they left: one, or its fragments, one behind the other
 * (header_split tells them apart). Owned bytes. */
struct packets {
	uint8_t *bytes;
	size_t len;
};

/* Replaces what is held by a copy. ERR_NOMEM leaves it as it was. */
MUST_USE enum err packets_set(struct packets *p, struct span bytes);
struct span packets_span(const struct packets *p);
void packets_free(struct packets *p);

struct window {
	uint32_t next_in;	/* ID of the peer's next request */
	uint32_t next_out;	/* ID of our next request */
	bool asked;		/* our request waits for its answer: */
	uint8_t exchange;	/* of this type, once it is protected */
	bool busy;		/* the peer's request next_in is being worked on */
	uint32_t asked_id;	/* while asked */
	struct packets answer;	/* to the peer's request next_in - 1; empty: none was sent */
	struct packets request; /* ours, while asked */
};

enum window_verdict {
	WINDOW_NEW,	/* a request to be handled, or the answer that we wait for */
	WINDOW_AGAIN,	/* the request that was answered last: send the answer again */
	WINDOW_BUSY,	/* the request that is being worked on */
	WINDOW_OUTSIDE, /* anything else: no effect */
};

/* Judges an ID without changing anything. */
enum window_verdict window_judge(const struct window *w, bool is_response, uint32_t id);
/* Our answer to the peer's request next_in is `answer`, whose memory the window takes over. */
void window_answered(struct window *w, struct packets *answer);
/* Our request next_out is `request`, whose memory the window takes over. */
void window_asked(struct window *w, struct packets *request);
/* The same request in another form (with a COOKIE, another group): the ID stays. */
void window_asked_anew(struct window *w, struct packets *request);
/* As if our first request, this one, had not been answered. */
void window_back(struct window *w, struct packets *request);
/* The answer to our request is here. */
void window_heard(struct window *w);
void window_free(struct window *w);

#endif
