/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody in the middle who can more than change bytes: he breaks the weak group as fast as it is
 * used (that is modp4096 here, whose Diffie-Hellman is a fake in the simulator), so he reads and
 * writes what IKE_AUTH protects; and he has somebody's signing key. The attacks of the downgrade
 * draft need both.
 */
#ifndef TESTS_SIM_MALLORY_H
#define TESTS_SIM_MALLORY_H

#include "ike/keymat.h"
#include "tests/sim/sim.h"

enum { MALLORY_ROOM = 2048 };

/* A message of IKE_SA_INIT as it was sent, and as he let it through. */
struct mallory_message {
	size_t sent_len, passed_len;
	uint8_t sent[MALLORY_ROOM], passed[MALLORY_ROOM];
};

struct mallory {
	const char *key_of; /* whose signing key he has: as long as the identity that he replaces */
	bool of_responder;  /* it is the responder's: its AUTH is what he replaces */
	bool strip_request, strip_response;   /* he takes the announcement 16447 out */
	void (*change)(struct sim_packet *p); /* what the attack is for, in the message below */
	bool change_response;
	struct mallory_message request, response;
	struct ike_keys keys;
	uint32_t n_forged; /* AUTHs that he replaced */
};

/* The middle of sim_set_middle; ctx is a struct mallory. He answers a request by the strong group
 * (x25519) himself, and asks for the weak one. */
bool mallory_middle(struct sim *s, struct sim_packet *p, void *ctx);
/* The keys that follow from these two messages, for who breaks the weak group: both public values
 * are enough. */
bool mallory_break(struct span request, struct span response, struct ike_keys *keys);
/* Are these the keys of this side's IKE SA? Then he reads everything that its children carry. */
bool mallory_reads(const struct sim *s, const struct mallory *m, enum side side);
/* A byte string in a datagram, or NULL. */
uint8_t *mallory_find(struct sim_packet *p, const void *what, size_t len);
/* The defence is off at both ends: nobody announces 16447, as implementations of old. Of all runs,
 * so it has to be said at the begin of each story. */
void mallory_switch_off(bool off);

#endif
