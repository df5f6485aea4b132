/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and sending. Whatever leaves an IKE SA is kept as bytes: a request until it is answered,
 * an answer until the next one, so that the same message is never sealed twice (A17: no IV twice)
 * and a retransmission is the identical bytes.
 */
#ifndef IKE_SEND_H
#define IKE_SEND_H

#include "ike/core.h"

/* An inner chain in the engine's scratch. One at a time. */
struct builder send_begin(struct ike_engine *e);
/* Seals our answer to the peer's request next_in, keeps it and sends it along `p`. */
MUST_USE enum err send_answer(struct ike_sa *sa, uint8_t exchange, struct builder *b,
			      const struct path *p);
/* The last one once more. */
void send_answer_again(struct ike_sa *sa, const struct path *p);
/* What is out goes on from where we are now, to where the peer is now, with all its tries. */
void send_request_anew(struct ike_sa *sa);
/* ... with those that it has left: a silent peer is not to be looked for for ever. */
void send_request_elsewhere(struct ike_sa *sa);
/* Seals our next request, keeps it, sends it and starts its timer. ERR_BUSY: the window is full. */
MUST_USE enum err send_request(struct ike_sa *sa, uint8_t exchange, struct builder *b);
/* The datagrams of a kept message, once more. */
void send_packets(struct ike_sa *sa, const struct packets *p, const struct path *path);
/* The header of a message of ours. */
struct ike_header send_header(const struct ike_sa *sa, uint8_t exchange, bool response,
			      uint32_t id);
/* Notifies in clear, in answer to a request with header `h`: same SPIs and ID; without a bound. */
void send_clear(struct ike_engine *e, const struct path *p, const struct ike_header *h,
		const struct pl_notify *notifies, size_t n);
/* One Notify in clear, in answer to a request with header `h`: same SPIs and ID, at a bounded rate.
 */
void send_clear_notify(struct ike_engine *e, const struct path *p, const struct ike_header *h,
		       uint16_t type, struct span notify_data);
/* The same, without the bound. */
void send_clear_always(struct ike_engine *e, const struct path *p, const struct ike_header *h,
		       uint16_t type, struct span notify_data);

#endif
