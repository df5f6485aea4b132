/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing the kernel's policies of one section (guards, or the plane's exceptions) to what the
 * plan says: missing ones are added first, changed ones updated in place, and what is too much
 * taken away last.
 */
#ifndef XFRM_POLICY_SET_H
#define XFRM_POLICY_SET_H

#include "xfrm/policy.h"

struct policy_set {
	struct netlink *nl;
	enum policy_section section;
};

/* `wanted` is sorted as plan_* leaves it. `why` (HOST_WHY_MAX bytes) is filled on failure.
 * Idempotent. */
MUST_USE enum err policy_set_apply(const struct policy_set *s, const struct policy_list *wanted,
				   char *why);
/* Only the taking away: what stands before other things change. */
MUST_USE enum err policy_set_prune(const struct policy_set *s, const struct policy_list *wanted,
				   char *why);
/* The section's policies that stand now, sorted. */
MUST_USE enum err policy_set_read(const struct policy_set *s, struct policy_list *got, char *why);

#endif
