/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody may have meant who named a connection or child that there is not. */
#ifndef DAEMON_NEAR_H
#define DAEMON_NEAR_H

#include "ike/engine.h"

struct near {
	const char *connection; /* as asked for; borrowed */
	const char *child;	/* "": none */
	unsigned int slips;	/* from that to `name` */
	char name[2 * CONF_NAME_MAX + 2];
};

/* Takes the names of the next view into account: an ike_view_fn, `ctx` is a struct near. */
void near_view(void *ctx, const struct ike_view *v);

enum { NEAR_TEXT_MAX = 256 };
/* "no connection of that name in the configuration: did you mean `office`?" */
const char *near_text(const struct near *n, char text[static NEAR_TEXT_MAX]);

#endif
