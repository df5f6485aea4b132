/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/answer.h"

void answer_send(struct process *p, struct link *l, uint8_t type, struct span body)
{
	enum err e = link_send(l, type, body, -1);

	if (e != OK && e != ERR_NOT_FOUND)
		process_exit(p, EXIT_FAILED);
}
