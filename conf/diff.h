/* SPDX-License-Identifier: Apache-2.0 */
/* What a reload changes: a new configuration is read whole, then compared with the running one, and
 * only what differs is touched.
 */
#ifndef CONF_DIFF_H
#define CONF_DIFF_H

#include "conf/model.h"

enum conf_change { CONF_UNCHANGED, CONF_ADDED, CONF_REMOVED, CONF_CHANGED };

struct conf_diff_row {
	enum conf_change change;
	const struct conf_connection *was; /* NULL when added */
	const struct conf_connection *is;  /* NULL when removed */
	const char *child;		   /* name of the child that differs first, or NULL */
	const char *option; /* the option that differs first; NULL: a child came, went, or has
			       another reqid */
	bool restarts;	    /* false: what changed is in effect without a new handshake */
};

/* Points into both configurations; must not outlive them. */
struct conf_diff {
	const char *daemon_option; /* "tun": wants a restart of the daemon; NULL: none */
	size_t n;
	size_t n_changes;	    /* rows that are not CONF_UNCHANGED */
	struct conf_diff_row *rows; /* the new configuration's order, then the removed ones */
};

MUST_USE enum err conf_diff(const struct conf *was, const struct conf *is, struct conf_diff *out);
void conf_diff_free(struct conf_diff *d);
/* Does a child of `is` have the device that another child of `was` has? Children are told apart by
 * the names of connection and child. `text`: which, and what to do, in words. */
bool conf_device_moves(const struct conf *was, const struct conf *is, char text[static 256]);
/* "restarts, identity changed", "child lan restarts, esn changed" (it alone), for the log. */
const char *conf_diff_text(const struct conf_diff_row *row, char buf[static 128]);

#endif
