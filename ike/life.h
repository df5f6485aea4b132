/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an IKE SA: established, asked whether it lives, closed, gone; and its timer. */
#ifndef IKE_LIFE_H
#define IKE_LIFE_H

#include "ike/core.h"

/* Both sides have proved themselves: told, the connection knows, duplicates are settled. The
 * caller, who may still need the handshake's data for the child, forgets it (sa_forget_handshake).
 */
void sa_established(struct ike_sa *sa);
/* Nothing is under way: sends the next request that is due (Delete, Deletes of children, a liveness
 * check), one at a time as the window allows, and sets the timer. The SA may be gone after it. */
void sa_settle(struct ike_sa *sa);
/* Says goodbye and goes when that is answered or 10 s later. `notify` 0: a Delete; else this error,
 * without one (2.21.2). A handshake that cannot say anything yet just ends. */
void sa_close(struct ike_sa *sa, enum err why, uint16_t notify);
/* ... of one that is up and has nothing any more: when the caller settles it. */
void sa_close_later(struct ike_sa *sa, enum err why, uint16_t notify);
/* The end: children out of the planes, told, the connection decides what next, freed. */
void sa_end(struct ike_sa *sa, enum err why);
/* Somebody unproved says that the peer has forgotten us: ask the peer, once in a while. */
void sa_doubt(struct ike_sa *sa);
/* ... or ICMP that nobody is at that address, which is anybody's word, too (RFC 7296 2.4, 2.21.4).
 */
void sa_doubt_at(struct ike_engine *e, const struct addr *remote);
/* A data plane says that packets go to the peer and none come back, the last at `heard`. It may be
 * so for ever (what is sent needs no answer), so the peer, as long as it answers, is asked at
 * growing intervals, up to 32 s, and again at once when something has come meanwhile. With MOBIKE a
 * question that is not answered leads to the other ways (mobike_silence). */
void sa_unheard(struct ike_sa *sa, mono_ns heard);
/* A data plane has said what has come by this child. */
void sa_looked(struct ike_sa *sa, struct child_sa *c);
void sa_tick(struct ike_sa *sa);

#endif
