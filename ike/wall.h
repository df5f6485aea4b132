/* SPDX-License-Identifier: Apache-2.0 */
/* The wall clock, which the engine does not know: only that it was set, or that the machine has
 * slept. Certificates end by it (proof.h), peers may have given up meanwhile and are asked, and
 * what waits for its next try may have failed for the clock alone.
 */
#ifndef IKE_WALL_H
#define IKE_WALL_H

#include "ike/engine.h"

void wall_on_clock(struct ike_engine *e, const struct ike_clock *clock);

#endif
