/* SPDX-License-Identifier: Apache-2.0 */
/* The IKE SAs that one proved peer has with one connection: as a rule one, two while something is
 * being replaced. A gateway has thousands of peers on a connection that takes any, so they are
 * found by a table and not by walking over all SAs.
 */
#ifndef IKE_PEER_H
#define IKE_PEER_H

#include "ike/sa.h"

/* sa->peer and sa->conn have just been set. */
void peer_enter(struct ike_sa *sa);
/* It goes, or its connection does. Does nothing when it was not entered. */
void peer_leave(struct ike_sa *sa);
/* The first SA of the peer that `sa` has (perhaps `sa` itself), the others by ->peer_next; NULL:
 * not entered. */
struct ike_sa *peer_first(const struct ike_sa *sa);
/* It has shown that it has this IKE SA, by more than IKE_AUTH, whose answer may be lost. */
bool peer_knows(const struct ike_sa *sa);

struct span peer_table_key(const struct table_node *n);

#endif
