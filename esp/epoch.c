/* SPDX-License-Identifier: Apache-2.0 */
/* Grace periods.
 *
 * All operations are sequentially consistent, so they have one order that everybody agrees on. If
 * the waiting side reads an even count, the reader's next enter stands behind that read, hence
 * behind the unpublishing, and the reader finds the new pointer. If it reads an odd one, it waits
 * until that count has changed, and then nothing from before is held any more.
 */
#include "esp/epoch.h"

#include <stddef.h>
#include <time.h>

void epoch_enter(struct epoch *e)
{
	atomic_fetch_add(&e->count, 1);
}

void epoch_leave(struct epoch *e)
{
	atomic_fetch_add(&e->count, 1);
}

static void rest(void)
{
	struct timespec t = { .tv_nsec = 20000 };

	(void)nanosleep(&t, NULL);
}

void epoch_wait(struct epoch *readers, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t seen = atomic_load(&readers[i].count);

		while ((seen & 1) && atomic_load(&readers[i].count) == seen)
			rest();
	}
}
