/* SPDX-License-Identifier: Apache-2.0 */
/* Other answers to our IKE_SA_INIT request. Nothing proves an answer before IKE_AUTH, and whoever
 * sees our request can be faster than the peer. So answers that fit as well are kept, a few of
 * them, while the first is followed; when that leads nowhere the next one is, from the same request
 * on, as RFC 7296 2.4 allows: one forged answer does not cost the attempt.
 */
#ifndef IKE_INIT_RIVAL_H
#define IKE_INIT_RIVAL_H

#include "ike/core.h"
#include "ike/step.h"

enum { INIT_RIVALS_MAX = 4 };

/* Owned by the handshake, made for the first one. */
struct init_rivals {
	/* SPIs of responders that were followed. None is a second time: it would see another
	 * request with the message ID of the first (2.1). */
	uint64_t followed[INIT_RIVALS_MAX];
	size_t n_followed;
	size_t n;
	struct {
		uint64_t spi_r;
		struct packets response;
		struct path path;
	} v[INIT_RIVALS_MAX];
};

/* An answer in clear while IKE_AUTH is under way. OK: it is kept; else why it has no effect. */
MUST_USE enum err rival_keep(struct ike_engine *e, const struct path *p, const struct message *m);
/* Has an answer with this SPI of the responder been given up? */
bool rival_was_followed(const struct ike_sa *sa, uint64_t spi_r);
/* Is there another one to follow? */
bool rival_waits(const struct ike_sa *sa);
/* Lets go of the answer that is followed, and of all that came of it, and follows the next. FATAL:
 * nothing came of that one either, and it was told. */
MUST_USE struct step rival_follow(struct ike_sa *sa);
void rivals_free(struct init_rivals *r); /* takes NULL */

#endif
