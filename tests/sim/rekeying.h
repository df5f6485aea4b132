/* SPDX-License-Identifier: Apache-2.0 */
/* What scenarios of new keys have in common, be it those of a child or of the IKE SA: two gateways
 * with one child, who asks when, and what comes between. Packets go both ways where that is said.
 */
#ifndef TESTS_SIM_REKEYING_H
#define TESTS_SIM_REKEYING_H

#include "tests/sim/confs.h"

/* For 8 hours: nobody rekeys the child before it is asked to. */
extern const struct sim_conf rekeying_always, rekeying_manual;
extern const struct sim_conf rekeying_slow;   /* in a slow group */
extern const struct sim_conf rekeying_groups; /* each end likes another one best */

/* sim_rekey or sim_rekey_ike */
typedef void rekey_fn(struct sim *s, enum side side);

/* There is one pair, once nothing is on its way; ... which either end has asked for. */
void rekeying_settle(struct sim *s);
void rekeying_start(struct sim *s);
/* ... and all packets have come, and nobody was told that anything went. */
void rekeying_end(struct sim *s);

/* Five minutes of a lifetime of one, under packets. `told`: by which new keys are. */
void rekeying_by_time(struct sim *s, enum ike_note_kind told);
/* Under packets: six times by either end; by both, so that requests cross each other, or one comes
 * while the other's is answered, or just behind; at the same instant, when both see a collision
 * each time. */
void rekeying_from_either(struct sim *s, rekey_fn *rekey);
void rekeying_from_both(struct sim *s, rekey_fn *rekey);
void rekeying_at_once(struct sim *s, rekey_fn *rekey);

/* Somewhere in the middle of what was begun: `down`, after which nothing is left within so many
 * seconds; a hard limit of the child. */
void rekeying_meets_down(struct sim *s, uint32_t seconds);
void rekeying_meets_hard_limit(struct sim *s);
/* ... of what is begun here: a worker fails or is silent; an engine dies and is back; a plane dies;
 * the same configuration is read once more, in which nothing changes. */
void rekeying_breaks_job(struct sim *s, rekey_fn *rekey);
void rekeying_meets_crash(struct sim *s, rekey_fn *rekey, uint32_t seconds);
void rekeying_meets_dead_plane(struct sim *s, rekey_fn *rekey);
void rekeying_meets_reload(struct sim *s, rekey_fn *rekey);

#endif
