/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/share.h"

#include <stdlib.h>

bool share_has(enum share s, const struct host_child *c)
{
	bool user = c->plane == PLANE_USER;
	bool routed = c->interface[0] != '\0';

	switch (s) {
	case SHARE_DEVICE:
		return user || routed;
	case SHARE_LED:
		return !routed && (user || c->mode == SA_TUNNEL);
	case SHARE_BESIDE:
		return !routed && !user && c->mode != SA_TUNNEL;
	case SHARE_ROUTED:
		return routed;
	case SHARE_ERRORS:
		return user && !routed && c->mode == SA_TUNNEL;
	}
	return false;
}

struct host_child *share_pick(enum share s, const struct host_child *v, size_t n, size_t *n_picked)
{
	struct host_child *picked = calloc(n + 1, sizeof(*picked));

	*n_picked = 0;
	for (size_t i = 0; i < n && picked != NULL; i++) {
		if (share_has(s, &v[i]))
			picked[(*n_picked)++] = v[i];
	}
	return picked;
}
