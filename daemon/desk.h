/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine is waiting for: one slip for each job, SA command and name that another process
 * has in hand.
 *
 * An answer counts only when it fits a slip: the same ticket, from the process that was asked, of
 * the kind that was asked. So a verifier that was taken over cannot answer for the signer, nor
 * anybody twice. When a process dies, its slips are failed at once, and never given to its
 * successor: what killed it is not tried again. Those of esp alone are waited for, since the next
 * one may go on with its SAs: then the engine asks anew, and only for so long as it would have
 * waited for the first one.
 *
 * After a restore there are thousands, so none is looked for by going over the others.
 */
#ifndef DAEMON_DESK_H
#define DAEMON_DESK_H

#include "base/sadesc.h"
#include "base/table.h"
#include "conf/model.h"
#include "daemon/role.h"

enum { SLIP_KEY_LEN = 16 };

struct slip {
	struct table_node node;
	struct slip *next, *prev;  /* of the same process */
	uint8_t key[SLIP_KEY_LEN]; /* the next three */
	uint64_t ticket;
	enum role role;
	unsigned int kind;		    /* enum job_kind for a job; else 0 */
	char connection[CONF_NAME_MAX + 1]; /* of a name to be resolved */
	uint32_t spi;			    /* of an SA command */
	enum sa_dir dir;
};

struct desk {
	struct table slips;
	struct slip *first[N_ROLES];
	size_t n[N_ROLES];
};

/* ERR_NOMEM is the only failure. */
MUST_USE enum err desk_init(struct desk *d);
/* NULL: no memory. The caller fills in what else it wants to find again. */
struct slip *desk_put(struct desk *d, enum role r, unsigned int kind, uint64_t ticket);
/* Takes it off the desk, the caller frees it; NULL: nobody asked for that. */
struct slip *desk_take(struct desk *d, enum role r, unsigned int kind, uint64_t ticket);
/* Takes any slip of that process; NULL: none is left. */
struct slip *desk_take_any(struct desk *d, enum role r);
/* How many that process has in hand. */
size_t desk_count(const struct desk *d, enum role r);
void desk_free(struct desk *d); /* takes a zeroed one */

#endif
