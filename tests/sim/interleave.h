/* SPDX-License-Identifier: Apache-2.0 */
/* Two things that happen to one tunnel, in every order that there is. The first begins; the second
 * begins at each moment of it, at the same end or the other one; and of all datagrams from then on,
 * what is sent again included, each set of so many is lost, or overtakes the one that is on its way
 * to the same end. In each of these cases it ends well.
 *
 * A case is a way of explore.h: b: the second begins after so many instants in which something
 * happened; l, o: this datagram is lost, or overtakes the one before it.
 */
#ifndef TESTS_SIM_INTERLEAVE_H
#define TESTS_SIM_INTERLEAVE_H

#include "tests/sim/explore.h"
#include "tests/sim/sim.h"

enum il_what {
	IL_IKE_REKEY,
	IL_CHILD_REKEY,
	IL_CHILD_DELETE,
	IL_IKE_DELETE,
	IL_REAUTHENTICATE,
	IL_LIVENESS,
	IL_MOBIKE,
	IL_RESTART,
	N_IL_WHAT
};
const char *il_name(enum il_what what);

struct il_pair {
	enum il_what what[2]; /* the first, the second */
	enum side at[2];      /* LEFT has made the IKE SA */
	enum side lower;      /* whose nonces are always the lower ones */
	bool busy;	      /* packets go all the time, else the planes see none */
	bool slow;	      /* jobs and planes are slower than the network, else faster */
	unsigned faults;      /* at most so many datagrams are lost, or overtake */
};
/* Whose nonces are lower makes a difference. */
bool il_may_cross(const struct il_pair *p);

/* What is broken on purpose, to be found; NULL: nothing. */
struct il_control {
	const char *name;
	const char *found_by; /* what `why` says then */
	void (*breaks)(struct sim *s, unsigned instant);
};
/* NULL name behind the last. */
extern const struct il_control il_controls[];

struct il_result {
	char why[512]; /* "": it ended well */
	uint64_t messages;
};
/* One case. */
struct il_result il_run(const struct il_pair *p, struct explore *x, const struct il_control *c);

#endif
