/* SPDX-License-Identifier: Apache-2.0 */
/* Two real engines in the simulator's world, for targets: which configurations there are, how far
 * they have come, and messages that are sealed with the keys that the engines have agreed on. */
#ifndef TESTS_FUZZ_IKE_WORLD_H
#define TESTS_FUZZ_IKE_WORLD_H

#include "ike/core.h"
#include "tests/fuzz/ops.h"
#include "tests/sim/world.h"

/* The next messages of one side that are not delivered as they are. */
struct ambush {
	uint8_t drop; /* so many protected ones are lost; 255: all */
	bool edits;   /* one is changed: */
	uint8_t skip;
	uint8_t rounds;
	uint32_t seed;
};

/* Looks at every message before it is sent, with its chain in plain text. */
typedef void ike_world_look_fn(void *ctx, enum side from, const struct ike_header *h,
			       const struct inner *in);

struct ike_world {
	struct sim *s;
	struct ambush ambush[2];
	ike_world_look_fn *look;
	void *look_ctx;
};

enum { N_IKE_CONFS = 8 };
extern const struct sim_conf ike_confs[N_IKE_CONFS];

/* `which`: bits 0 and 1 say who has a kernel's data plane, 2 to 4 the configuration, and with 128
 * LEFT is behind a NAT. */
void ike_world_begin(struct ike_world *w, uint8_t which);
/* Whatever a hostile peer did: what has to hold held, and no memory is left. */
void ike_world_end(struct ike_world *w);

/* The SA of this side that has keys, the first in its engine's table; NULL: none. */
struct ike_sa *ike_world_sa(const struct ike_world *w, enum side side);
/* ... with or without keys. */
struct ike_sa *ike_world_any_sa(const struct ike_world *w, enum side side);

/* Where a victim's SA stands when the message comes. */
enum ike_station {
	AT_INIT_DONE, /* a responder waits for IKE_AUTH, and has no keys yet */
	AT_AUTH_SENT, /* an initiator waits for its answer */
	AT_PARKED,    /* a job or a data plane has to answer first */
	AT_UP,
	AT_ASKING,    /* our CREATE_CHILD_SA waits for its answer */
	AT_ANSWERING, /* the peer's is being worked on */
	AT_ALIVE,     /* our INFORMATIONAL waits for its answer */
	AT_CLOSING,   /* our Delete does */
	N_STATIONS
};
/* False: it did not come so far in eight seconds. Until then all goes well; the other side's
 * messages that would lead further are lost from then on. */
bool ike_world_reach(struct ike_world *w, enum side victim, bool initiator, enum ike_station at);

/* Carries out OP_INSIDE and OP_CLEAR. */
void ike_world_inside(struct ike_world *w, struct span args);
void ike_world_clear(struct ike_world *w, struct span args);

#endif
