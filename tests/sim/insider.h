/* SPDX-License-Identifier: Apache-2.0 */
/* A peer that has the keys and does not keep to the protocol: messages sealed with the keys of an
 * end's own IKE SA, which its engine never meant to send. */
#ifndef TESTS_SIM_INSIDER_H
#define TESTS_SIM_INSIDER_H

#include "ike/message.h"
#include "tests/sim/world.h"

/* The SA of this end that is on its way or up; NULL: none that has keys. */
struct ike_sa *insider_sa(const struct sim *s, enum side side);

struct insider_message {
	uint8_t exchange;
	bool response;
	uint32_t id;
	struct inner in;
};
/* Seals a message of `side` into w. */
bool insider_seal(struct sim *s, enum side side, const struct insider_message *m, struct wr *w);
/* Sends it to the other end, as if the engine had. `in_vain`: it must not change anything. */
void insider_send(struct sim *s, enum side side, const struct insider_message *m, bool in_vain);
/* As a request of its own, with the next message ID, whose answer is then not waited for. */
void insider_ask(struct sim *s, enum side side, uint8_t exchange, const struct inner *in);
/* Opens what the other end sent to `side`; in->chain points into buf. */
bool insider_open(struct sim *s, enum side side, struct span datagram, struct wr *buf,
		  struct inner *in);

#endif
