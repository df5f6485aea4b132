/* SPDX-License-Identifier: Apache-2.0 */
/* What a child's data plane can carry. What no plane can do is not proposed: a suite that the
 * kernel lacks is left out of the offer, and a child that is left with nothing is refused with the
 * reason before the peer is asked for it.
 */
#ifndef IKE_CARRY_H
#define IKE_CARRY_H

#include "ike/core.h"
#include "ike/proposal.h"

/* The plane of a child that this machine's planes carry it on; `why` for a person. */
enum sa_plane carry_plane(const struct ike_engine *e, const struct conf_connection *cn,
			  const struct conf_child *ch, char why[static CONF_PLANE_WHY_MAX]);
/* Can it be carried at all, whoever the peer is? Else ERR_UNSUPPORTED, and `why` says what is
 * missing. */
MUST_USE enum err carry_judge(const struct ike_engine *e, const struct conf_connection *cn,
			      const struct conf_child *ch, char why[static CONF_PLANE_WHY_MAX]);
/* ... and on the way to the peer of this IKE SA: its family, UDP encapsulation. */
MUST_USE enum err carry_judge_path(const struct ike_sa *sa, const struct conf_child *ch,
				   char why[static CONF_PLANE_WHY_MAX]);
/* ... said in a note. */
void carry_explain(const struct conf_child *ch, const char *why, struct ike_note *n);
/* Is there a child that is not down and that a plane of this machine can carry? Asked before the
 * peer is; else *n says why not. */
bool carry_any(const struct conn *c, struct ike_note *n);
/* Does its plane know transport mode? Userspace does. */
bool carry_transport(const struct ike_engine *e, const struct conf_connection *cn,
		     const struct conf_child *ch);
/* What is offered and taken for it: the connection's policy without what its plane lacks, which is
 * written to *room; the result points there. */
struct proposal_want carry_want(const struct ike_sa *sa, const struct conf_child *ch,
				struct suite_policy *room);

#endif
