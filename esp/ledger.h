/* SPDX-License-Identifier: Apache-2.0 */
/* What of the SAs outlives this process, in memory that somebody else holds: of each its
 * description, keys included, and its numbers (struct tally). The next process goes on with them.
 *
 * Descriptions are records of a vault (base/vault.h), written by the thread of the commands before
 * anybody uses the SA. Each is the SA_INSTALL that made it, in the channel's own bytes, as it would
 * be given now. Numbers lie in places of their own, in front of the vault; workers count in them
 * directly. A record is under the number of its place, so no two SAs can share one.
 *
 * Whoever comes next trusts nothing that it finds: a place or a record that is not what it should
 * be is an SA that is not there any more.
 */
#ifndef ESP_LEDGER_H
#define ESP_LEDGER_H

#include "base/vault.h"
#include "esp/esp.h"
#include "esp/sa.h"

struct ledger {
	struct tally *tallies; /* NULL: there is no memory, and nothing is kept */
	size_t n;
	uint8_t *used; /* n, a byte each */
	uint8_t *scratch;
	struct vault vault;
	void (*spare)(struct span part); /* of struct esp_memory */
};

/* It is aligned as struct tally is, and stays the caller's. ERR_SYNTAX: it was spoilt, and is empty
 * now. ERR_SPACE: too small. ERR_NOMEM. After the last two, and of zeros, it keeps nothing. */
MUST_USE enum err ledger_open(struct ledger *l, const struct esp_memory *m);
/* What was kept stays there. */
void ledger_close(struct ledger *l);

/* Numbers for a new SA, at their beginning. NULL: there is no room, or no memory. */
struct tally *ledger_take(struct ledger *l);
/* All that was written about its SA is wiped, and the place is for others. Nobody uses it any more.
 * Takes one that is not from here. */
void ledger_give(struct ledger *l, const struct tally *t);
/* The number of an install that is being carried out; 0: none was. */
void ledger_set_installed(struct ledger *l, uint64_t number);
uint64_t ledger_installed(const struct ledger *l);
/* The description of an SA with these numbers, where there is room for it. */
void ledger_write(struct ledger *l, const struct tally *t, uint64_t install,
		  const struct sa_desc *d);
/* Its path, encapsulation, and whether it is passed over, are others. */
void ledger_amend(struct ledger *l, const struct sa *sa);
/* All of that counts. */
void ledger_commit(struct ledger *l);

/* What a process that is gone has left, in the order of its installs. The function says whether
 * it goes on with that; what it refuses is forgotten. Returns how many it took; *refused: not. */
typedef enum err ledger_fn(void *ctx, const struct sa_desc *d, struct tally *t);
size_t ledger_each(struct ledger *l, ledger_fn *fn, void *ctx, size_t *refused);

#endif
