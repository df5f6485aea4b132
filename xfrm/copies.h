/* SPDX-License-Identifier: Apache-2.0 */
/* A list of routes, each as the request that would make it, and the comparison of two such lists:
 * of a table as it shall be and as it is. */
#ifndef XFRM_COPIES_H
#define XFRM_COPIES_H

#include "xfrm/netlink.h"

struct copy {
	struct ask ask;
	size_t key; /* bytes of the message, from its fixed part on, that make it another route */
	bool known; /* copies_match: the other list has it, too */
};

struct copies {
	struct copy *v;
	size_t n;
	size_t size;
};

/* Takes the request over, on failure too (ERR_NOMEM). */
MUST_USE enum err copies_add(struct copies *c, const struct copy *one);
/* Says of each whether the other list has a route of the same key; a broken request has none. The
 * order stays. ERR_NOMEM: nothing is said. */
MUST_USE enum err copies_match(struct copies *a, struct copies *b);
void copies_clear(struct copies *c);
void copies_free(struct copies *c);

#endif
