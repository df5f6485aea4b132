/* SPDX-License-Identifier: Apache-2.0 */
/* A second request of ours beside one that is out (RFC 7296 2.3): where the peer has announced a
 * window of more than one (SET_WINDOW_SIZE), an INFORMATIONAL does not wait for the answer to a
 * CREATE_CHILD_SA, which may take the peer long: a Delete, of a child or of the IKE SA, or whether
 * the peer is there. Never beside a rekey of the IKE SA, nor while it is asked whether the peer has
 * moved: those mean what they mean in their order. No other request begins before this one is
 * answered, so what two answers mean does not depend on which comes first.
 *
 * We announce no window of our own: the peer has one request at a time.
 */
#ifndef IKE_BESIDE_H
#define IKE_BESIDE_H

#include "ike/message.h"
#include "ike/retransmit.h"
#include "ike/sa.h"

struct beside {
	uint32_t window; /* the peer's */
	bool out;	 /* the request waits for its answer: */
	uint32_t id;
	struct packets request;
	struct retransmit rt;
};

/* What a proved peer says of its window; it only grows. */
void beside_take_window(struct ike_sa *sa, const struct message *m);
/* May an INFORMATIONAL leave beside what is out? */
bool beside_may(const struct ike_sa *sa);
/* It leaves; its memory goes along. It was sealed with the ID next_out. */
void beside_send(struct ike_sa *sa, struct packets *sealed);
/* ... once more, for one of the two ends is elsewhere now. */
void beside_send_anew(struct ike_sa *sa);
bool beside_is_out(const struct ike_sa *sa);
/* Is this the ID of its answer? */
bool beside_is(const struct ike_sa *sa, uint32_t id);
/* The answer is here. */
void beside_heard(struct ike_sa *sa);
/* When it is sent again; NEVER: it is not out. */
mono_ns beside_deadline(const struct ike_sa *sa);
/* False: all tries are spent. */
bool beside_tick(struct ike_sa *sa);
void beside_free(struct beside *b);

#endif
