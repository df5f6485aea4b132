/* SPDX-License-Identifier: Apache-2.0 */
/* A pair with an established tunnel, and somebody else who sends packets to RIGHT. What RIGHT
 * answers to strangers is lost; the peer's own messages arrive, so liveness goes on. */
#ifndef TESTS_UNIT_IKE_SCENE_H
#define TESTS_UNIT_IKE_SCENE_H

#include "ike/core.h"
#include "tests/unit/ike/pair.h"

enum { SCENE_ROOM = 4096 };

struct scene {
	struct pair *p;
	struct path path;	  /* of the packet in hand */
	uint8_t init[SCENE_ROOM]; /* a genuine IKE_SA_INIT request */
	size_t init_len;
	uint8_t old[SCENE_ROOM]; /* a genuine INFORMATIONAL request that was answered */
	size_t old_len;
	uint8_t buf[SCENE_ROOM]; /* the packet in hand */
	size_t len;
	uint64_t chance;
	size_t n_down; /* established SAs that went */
};

struct scene *scene_new(void);
void scene_free(struct scene *s);
/* The same every run. */
uint64_t scene_roll(struct scene *s);
void scene_fill(struct scene *s, uint8_t *p, size_t len);
void scene_pass_time(struct scene *s, mono_ns time);
/* The established SA of an end; fails when it is gone. */
struct ike_sa *scene_up_sa(const struct scene *s, enum side side);

#endif
