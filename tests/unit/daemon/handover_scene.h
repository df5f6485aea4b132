/* SPDX-License-Identifier: Apache-2.0 */
/* A record that has everything, for those who try how it is read. */
#ifndef TESTS_UNIT_DAEMON_HANDOVER_SCENE_H
#define TESTS_UNIT_DAEMON_HANDOVER_SCENE_H

#include "daemon/handover.h"

enum { WORKERS = 3, DEVICES = 2, FIRST_FD = 100 };

/* Every place has a number of its own, from FIRST_FD on. */
void handover_filled(struct handover *h);

#endif
