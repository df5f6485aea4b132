/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/transcript.h"

#include "crypto/prf.h"

enum { ZERO_PREFIX = 8 };

/* RFC 7296 2.15: MACedID = prf(SK_p, type | RESERVED | data), as they were on the wire. */
static enum err maced_id(const struct transcript *t, const struct key *sk_p, struct span id_body,
			 struct wr *w)
{
	struct key mac;
	enum err err = prf_compute(t->prf, key_span(sk_p), &id_body, 1, &mac);

	if (err == OK)
		wr_span(w, key_span(&mac));
	key_wipe(&mac);
	if (err != OK)
		return err;
	return wr_ok(w) ? OK : ERR_SPACE;
}

/* Messages of the full form: the one that the signer received, then the one that it sent (downgrade
 * prevention, section 4). */
static void messages(const struct transcript *t, struct span received, struct span sent,
		     struct wr *w)
{
	if (t->full) {
		wr_zero(w, ZERO_PREFIX);
		wr_span(w, received);
	}
	wr_span(w, sent);
}

enum err transcript_initiator(const struct transcript *t, const struct key *sk_pi,
			      struct span id_body, struct wr *w)
{
	messages(t, t->response, t->request, w);
	wr_span(w, t->nr);
	return maced_id(t, sk_pi, id_body, w);
}

enum err transcript_responder(const struct transcript *t, const struct key *sk_pr,
			      struct span id_body, struct wr *w)
{
	messages(t, t->request, t->response, w);
	wr_span(w, t->ni);
	return maced_id(t, sk_pr, id_body, w);
}

/* Both messages and both nonces: more than either form of either side. */
size_t transcript_len(const struct transcript *t)
{
	return ZERO_PREFIX + t->request.len + t->response.len + t->ni.len + t->nr.len + t->prf->len;
}
