/* SPDX-License-Identifier: Apache-2.0 */
/* Which outbound SA carries a packet, among ten thousand.
 *
 * One thread changes the index, workers read it without locks inside their epoch, as with all of
 * the SAD (esp/sad.h).
 */
#ifndef ESP_LOOKUP_H
#define ESP_LOOKUP_H

#include "esp/select.h"

struct lookup;
struct lookup_entry; /* of an SA (sa->entries) */

/* ERR_NOMEM, ERR_SYSTEM: no random numbers. */
MUST_USE enum err lookup_new(struct lookup **out);
void lookup_free(struct lookup *x); /* no entries are left; takes NULL */

/* Newer than all that are there. ERR_NOMEM, and then nothing changed. */
MUST_USE enum err lookup_add(struct lookup *x, struct sa *sa);
/* Readers that come now find it no more. What it leaves is freed by lookup_sweep. */
void lookup_del(struct lookup *x, struct sa *sa);
/* After a grace period. */
void lookup_sweep(struct lookup *x);

/* Readers. Of the SAs that fit, those of the best rank (priority and passed, base/sadesc.h) come
 * first. Of those the one whose selectors fit the packet most narrowly (esp/select.h); between
 * equals the one with the narrower remote side, and of SAs with the same selectors the newest.
 * if_id: the device that the packet comes from; only SAs of that are looked at. NULL when none
 * fits: the packet is then never sent in any other way. */
struct sa *lookup_find(struct lookup *x, const struct flow *f, uint32_t if_id);
/* Must a fragment of this flow become whole before its SA is chosen? Yes when one of transport mode
 * joins its two hosts, or when it could be that of a selector with ports: they stand in the first
 * fragment alone. No when there is an SA for just such packets (OPAQUE, RFC 4301 7.2). */
bool lookup_wants_whole(struct lookup *x, const struct flow *f, uint32_t if_id);

#endif
