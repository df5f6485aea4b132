/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a process to its neighbour, who waits for each of them without a clock. */
#ifndef DAEMON_ANSWER_H
#define DAEMON_ANSWER_H

#include "daemon/process.h"

/* To whom is gone it is no answer any more. One that there is no memory or room for ends this
 * process: that the neighbour hears, and counts what it had asked as failed. */
void answer_send(struct process *p, struct link *l, uint8_t type, struct span body);

#endif
