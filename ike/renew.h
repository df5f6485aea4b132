/* SPDX-License-Identifier: Apache-2.0 */
/* A new handshake in the place of an IKE SA that is not rekeyed: the peer has refused new keys by
 * TEMPORARY_FAILURE for minutes (RFC 7296 2.25), its lifetime is nearly over, or one of the two
 * ends wants the other one to prove itself anew (2.8.3, RFC 4478). The new IKE SA is up with all
 * children of the old one before that goes; when it cannot be made, the old one stays till its end.
 *
 * Until then a connection has two: `conn.renews` is our SPI of the old one, over which nothing new
 * is begun.
 */
#ifndef IKE_RENEW_H
#define IKE_RENEW_H

#include "ike/sa.h"

/* The peer has refused new keys by TEMPORARY_FAILURE; it has answered otherwise, or given some of
 * its own accord. */
void renew_on_busy(struct ike_sa *sa);
void renew_on_answer(struct ike_sa *sa);
/* When it is to be renewed, should it not have been rekeyed by then; NEVER. */
mono_ns renew_at(const struct ike_sa *sa);
/* ... when to look; NEVER: it is under way, or never ours to begin. */
mono_ns renew_deadline(const struct ike_sa *sa);
/* Begins the handshake, where we are the one to begin any. */
void renew_begin(struct ike_sa *sa);
bool renew_is_old(const struct ike_sa *sa);
/* That, or the one of two that does not stay: it carries on until the other one has taken over. */
bool renew_goes(const struct ike_sa *sa);
/* What has come up in its place loses against it (duplicate.h): it stays, and another one is begun
 * when that has gone. */
void renew_again(struct ike_sa *sa);
/* The old one, or one of two, gets new keys meanwhile: so does its end. */
void renew_pass_on(struct ike_sa *heir, const struct ike_sa *old);
/* All that it has is carried by others. */
bool renew_is_done(const struct ike_sa *sa);
/* A child has come up: when all is carried by others that an old one has, or one of two that came
 * from both ends at once (duplicate.h), then its children go, and it soon after. */
void renew_settle(struct conn *c);
/* Its time is over. */
void renew_end(struct ike_sa *sa);

#endif
