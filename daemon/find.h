/* SPDX-License-Identifier: Apache-2.0 */
/* What a client names: a connection or a child of it, as it is now. */
#ifndef DAEMON_FIND_H
#define DAEMON_FIND_H

#include "ike/engine.h"

struct find {
	const char *connection; /* borrowed */
	const char *child;	/* "": all of them */
	bool found;
	bool up;	     /* what was asked for is up, whole */
	bool ike;	     /* its IKE SA is */
	bool gone;	     /* no IKE SA, and none is wanted */
	bool waits_for_peer; /* only the peer can begin */
};

struct find find_do(const struct ike_engine *e, const char *connection, const char *child);

#endif
