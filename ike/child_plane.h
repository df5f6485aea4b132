/* SPDX-License-Identifier: Apache-2.0 */
/* What a data plane is told about a Child SA: its halves come and go, move, and are asked. The
 * order of these commands is the business of child.c and rekey.c. */
#ifndef IKE_CHILD_PLANE_H
#define IKE_CHILD_PLANE_H

#include "ike/child.h"

/* Commands that a half be put in; c->ticket waits for the answer. Again: an engine that was stopped
 * had commanded it, or was about to. */
MUST_USE enum err child_plane_install(struct child_sa *c, enum sa_dir dir);
MUST_USE enum err child_plane_install_again(struct child_sa *c, enum sa_dir dir);
MUST_USE enum err child_plane_command(struct child_sa *c, enum sa_op op, enum sa_dir dir,
				      uint64_t ticket);
/* The peer is about to be asked for it: what it sends by it before its answer is here waits. */
void child_plane_expect(struct child_sa *c);
/* An engine that was stopped had put this half in: is it there? */
MUST_USE enum err child_plane_claim(struct child_sa *c, enum sa_dir dir, uint64_t ticket);
/* Has a half with these counters carried most of what it may? For when nobody has heard the plane
 * say so. */
bool child_plane_is_worn(const struct child_sa *c, const struct sa_counters *n);
/* A half that is there is taken out; both are. */
void child_plane_take_half(struct child_sa *c, enum sa_dir dir);
void child_plane_take_out(struct child_sa *c);
/* Answers that are under way find nothing. */
void child_plane_drop_tickets(struct child_sa *c);

#endif
