/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel's data plane over XFRM in memory, on a machine where others have states and policies of
 * their own, and the question whether all is as it should be.
 */
#ifndef TESTS_UNIT_XFRM_KERNEL_WORLD_H
#define TESTS_UNIT_XFRM_KERNEL_WORLD_H

#include "tests/unit/xfrm/kit.h"
#include "tests/unit/xfrm/model.h"
#include "xfrm/kernel.h"
#include "xfrm/kernel_inner.h"

enum {
	REQID = SA_REQID_BASE + 1,
	REQID_SPARE = SA_REQID_BASE + 5,
	REQID_THIRD = SA_REQID_BASE + 6,
	SET = SA_REQID_BASE + SA_REQID_SETS + 1,
	FOREIGN_STATES = 5,
	FOREIGN_POLICIES = 4,
	GCM_16 = 20,
	CHILDREN = 2,
};

struct world {
	struct model *m;
	struct netlink nl;
	struct kernel *k;
	struct children children;
	struct model_state foreign_states[FOREIGN_STATES];
	struct model_policy foreign_policies[FOREIGN_POLICIES];
	enum err err; /* of the last command */
	char why[HOST_WHY_MAX];
	struct sa_counters counters;
	enum sa_offload given;
	int told;
	struct plane_event ev; /* the last */
};

struct world *world_new(void);
void world_free(struct world *w);

/* A command about the first child; SPIs 0x1001 and 0x1002 are its halves, 0x1011 and 0x1012 those
 * of a later one. */
struct sa_cmd world_cmd(const struct world *w, enum sa_op op, enum sa_dir dir, uint32_t spi);
void world_run(struct world *w, const struct sa_cmd *cmd);
void world_simply(struct world *w, enum sa_op op, enum sa_dir dir, uint32_t spi);
void world_traps(struct world *w, size_t n);
/* ... about a peer for the networks of the first child, of this number: SPIs 0x1001, 0x1002 of the
 * peer that the first child has, 0x2001, 0x2002 of the next, at 192.0.2.3. */
struct sa_cmd world_ranked_cmd(const struct world *w, enum sa_op op, enum sa_dir dir,
			       uint8_t priority);

void world_nothing(struct world *w);
void world_trapped(struct world *w);
void world_half_up(struct world *w); /* inbound */
void world_up(struct world *w);
void world_up_twice(struct world *w);
void world_ranked(struct world *w);    /* both peers, 1 and 2 */
void world_asked_for(struct world *w); /* inbound, and a larval state of number 99 */

/* The book and the kernel have the same, and the policies are those that the halves ask for. NULL,
 * or what is wrong. */
const char *world_wrong(const struct world *w);

#endif
