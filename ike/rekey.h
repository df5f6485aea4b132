/* SPDX-License-Identifier: Apache-2.0 */
/* Rekeying of Child SAs (RFC 7296 1.3.3, 2.8, 2.8.1, 2.25): when a new pair is due, and how the
 * old one goes, so that no packet is lost. The exchange itself is CREATE_CHILD_SA
 * (exchange_create.h).
 *
 * The one who began it puts in the new inbound half, then the outbound one, from which moment it
 * sends there; then its old outbound half goes, and the peer is told to delete. The other one puts
 * in its new inbound half before it answers, and goes on sending on the old pair until a packet
 * has come by the new one, or the Delete of the old one has, or a time is over: for the answer may
 * have got lost. On both sides the old inbound half stays some seconds for what is still on its
 * way.
 *
 * Both ends may do so at once, and then there are two new pairs. The one with the lowest of the
 * four nonces is deleted by who began it, and the old one by the other. Neither gets new keys
 * before that is known.
 *
 * Half a minute after the first child of a connection has come up it is rekeyed, unless something
 * else has shown that the peer takes part in that: so a difference in groups (PFS) is told while
 * somebody still looks.
 *
 * A rekey that fails is tried again until the hard limit, and takes nothing down. */
#ifndef IKE_REKEY_H
#define IKE_REKEY_H

#include "ike/child.h"
#include "ike/create.h"

/* So much of a limit may be used before new keys are asked for; who made what it is for (`ours`) is
 * earlier than the other one. */
uint64_t rekey_part(struct ike_engine *e, bool ours, uint64_t hard);
/* ... of a child. */
uint64_t rekey_soft(const struct child_sa *c, uint64_t hard);
/* It is up: when it is due. */
void rekey_plan(struct child_sa *c);
/* A limit comes near: it is due now. */
void rekey_want(struct child_sa *c);
/* One that is due and may begin over this SA; NULL: none. */
struct child_sa *rekey_next(const struct ike_sa *sa);
/* When the next of all this is due by the clock; NEVER: nothing. */
mono_ns rekey_deadline(const struct ike_sa *sa);
void rekey_tick(struct ike_sa *sa);

struct child_sa *rekey_find(const struct ike_sa *sa, uint32_t id);
/* The one that it was made for, if that is there still. */
struct child_sa *rekey_old(const struct child_sa *c);
/* Another one is made for it, and both ends know that. */
bool rekey_has_agreed_heir(const struct child_sa *old);
/* Another one may yet come in the place of the same old one, and then the nonces say which of the
 * two goes. Until then there are no new keys for either: what took the place of the one that goes
 * would stay beside the other. */
bool rekey_is_open(const struct child_sa *c);
/* Which nonces the exchange had. */
void rekey_remember(struct child_sa *c, struct span a, struct span b);
/* Responder: the answer has left. */
void rekey_hold(struct child_sa *c);
/* New counters: does the peer use what is held? */
void rekey_on_counters(struct child_sa *c);
/* The peer deletes this one: what replaces it, over whatever IKE SA, is used from now on. */
void rekey_release(struct child_sa *old);
/* The IKE SA goes: what other ones with the same peer hold and have nothing else to send by is used
 * from now on. False: there is none. */
bool rekey_release_all(const struct ike_sa *going);
/* A hard limit was reached: it is deleted, and what may replace it used. */
void rekey_overdue(struct child_sa *c);
/* Something became of a replacement of the child `id`: which pair stays, if that can be said yet.
 */
void rekey_settle(struct ike_sa *sa, uint32_t id);
/* A Delete is answered, by us or by the peer: ends the child, or its inbound half lingers. */
void rekey_end(struct child_sa *c, enum err why);

/* A child could not be made: if it was to replace one that is there still, that one is rekeyed
 * later; else see conn_child_failed. */
void rekey_or_child_failed(struct ike_sa *sa, uint32_t replaces, const struct conf_child *conf,
			   enum err err);
/* The peer does not know the one that is to be replaced: it goes, and is made anew at once. */
void rekey_unknown(struct child_sa *old);

#endif
