/* SPDX-License-Identifier: Apache-2.0 */
/* Quick crash detection (RFC 6290): a peer that has restarted, and is asked about an IKE SA that it
 * does not know, proves that it is who made that SA, by a token that it had given us over the SA.
 * Then the SA goes at once, and not after half a minute of questions without an answer.
 *
 * Taker we always are. Of a token its hash is kept, so an SA is no larger for a long one, and who
 * could read our memory would have no token. A token in clear counts for the SA whose two SPIs
 * stand in its message, and for no other; one that is wrong is charged to where it came from.
 *
 * Maker we are with `qcd = yes` and a secret that outlives us (`qcd_secret_file`): a token is a MAC
 * of both SPIs by it. Who gets one can end that SA at the peer. So one leaves in clear only when no
 * SA of ours has either SPI, in whatever role (an observer who turns the direction of a message
 * round asks about an SA that is up), and only as often as other answers to strangers. Hosts that
 * are up at the same time must not share the secret: what one does not know may be up at the other
 * (9.2).
 */
#ifndef IKE_QCD_H
#define IKE_QCD_H

#include "ike/core.h"

enum {
	QCD_TOKEN_MIN = 16, /* RFC 6290 5 */
	QCD_TOKEN_MAX = 128,
	QCD_HASH_LEN = 32,  /* what is kept of one */
	QCD_TOKENS_MAX = 4, /* that are looked at in one message (4.5) */
};

/* ---- maker ---- */

bool qcd_makes(const struct ike_engine *e, const struct conf_connection *cn);
/* The token of `sa`, which may have no connection yet, for a message to this connection's peer;
 * nothing when we make none. */
void qcd_put(const struct ike_sa *sa, const struct conf_connection *cn, struct builder *b);
/* A protected request for an SA that is not here: INVALID_IKE_SPI, with the token where we make
 * them. The caller bounds the rate. */
void qcd_answer(struct ike_engine *e, const struct path *p, const struct ike_header *h);

/* ---- taker ---- */

/* The peer says it over the SA, or over the one before: it is the token of `sa` from now on (4.3,
 * 4.4). Nothing when there is none in the message. */
void qcd_take(struct ike_sa *sa, const struct message *m);
/* A message in clear with the SPIs of `sa`. OK: the token was right, and the SA is gone.
 * ERR_NOT_FOUND: there is none, or none is known. ERR_LIMIT: too many wrong ones from there.
 * ERR_ICV: it is wrong. */
MUST_USE enum err qcd_judge(struct ike_sa *sa, const struct path *p, const struct message *m);

#endif
