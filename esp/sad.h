/* SPDX-License-Identifier: Apache-2.0 */
/* The SA database: inbound SAs by the slot of their SPI, outbound SAs by their selectors.
 *
 * One thread (the channel's) changes it; workers read it without locks, between sad_enter and
 * sad_leave, and keep no pointer beyond. What is removed is wiped when the call returns: the call
 * waits until no worker can see the SA.
 */
#ifndef ESP_SAD_H
#define ESP_SAD_H

#include "esp/esp.h"
#include "esp/sa.h"

struct sad;

/* n_readers: threads that read, each known by its number below that. */
MUST_USE enum err sad_new(unsigned n_readers, struct sad **out);
/* No reader may be inside any more. Takes NULL. */
void sad_free(struct sad *d);

/* From now on SAs are written down in that memory, which is older than *d. Those that another
 * process has left there are there again, and nobody's until they are claimed. Before there are
 * readers, once. As ledger_open. */
MUST_USE enum err sad_keep(struct sad *d, const struct esp_memory *m, struct esp_kept *kept);
/* The largest number of an install that ever was; 0: not known. */
uint64_t sad_installed(const struct sad *d);
void sad_forget_installed(struct sad *d);

/* Readers. Between the two, what was found stays alive. */
void sad_enter(struct sad *d, unsigned reader);
void sad_leave(struct sad *d, unsigned reader);
/* The inbound SA of exactly this SPI, or NULL. */
struct sa *sad_in(struct sad *d, uint32_t spi);
/* The outbound SA for a packet, and whether a fragment has to become whole before: see
 * esp/lookup.h. */
struct sa *sad_out(struct sad *d, const struct flow *f, uint32_t if_id);
bool sad_wants_whole(struct sad *d, const struct flow *f, uint32_t if_id);
/* The outbound SAs to a peer, one after the other; begin with NULL. One that is on the move may be
 * left out. */
struct sa *sad_to(struct sad *d, const struct addr *peer, const struct sa *after);

/* The changing thread. `install`: as in struct sa_cmd. As esp_sa_new; ERR_EXISTS when the SPI, or
 * an inbound SPI's slot, is taken; ERR_CONFIG for an inbound SPI that is not of this plane.
 */
MUST_USE enum err sad_install(struct sad *d, const struct sa_desc *desc, uint64_t install);
/* By spi and dir. An outbound SPI is the peer's choice and two peers may choose alike: child_id,
 * and then path.remote, tell them apart. ERR_NOT_FOUND, also when that leaves it open. */
MUST_USE enum err sad_remove(struct sad *d, const struct sa_desc *which);
/* To `which->path` and `which->encap`. ERR_UNSUPPORTED: another address, in transport mode. */
MUST_USE enum err sad_move(struct sad *d, const struct sa_desc *which);
/* Says whether it is passed over. ERR_NOT_FOUND, also for an inbound one. */
MUST_USE enum err sad_pass(struct sad *d, const struct sa_desc *which);
MUST_USE enum err sad_query(struct sad *d, const struct sa_desc *which, struct sa_counters *out);
/* An engine goes, and another one comes: none is claimed; the new one has this one, too, if it is
 * what its predecessor put in; those that it does not have go. */
void sad_unclaim(struct sad *d);
MUST_USE enum err sad_claim(struct sad *d, const struct sa_desc *which, struct sa_counters *out);
void sad_sweep(struct sad *d);
void sad_flush(struct sad *d);
/* Comes back when no reader can see any more what the caller has taken out of its sight. */
void sad_grace(struct sad *d);

#endif
