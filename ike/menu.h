/* SPDX-License-Identifier: Apache-2.0 */
/* One proposal of a peer as seen by a policy: which of the policy's transforms it holds, and what
 * else there is. Shared by the two halves of ike/proposal.h: choosing (proposal.c) and explaining
 * (proposal_text.c).
 */
#ifndef IKE_MENU_H
#define IKE_MENU_H

#include "ike/proposal.h"

/* Bit i of encr, integ, prf, ke: the policy's transform number i is on the menu. */
struct menu {
	uint32_t encr, integ, prf, ke;
	bool integ_none, ke_none;
	bool esn_yes, esn_no;
	uint32_t types; /* 1 << transform type: there is one of it, usable or not */
	uint8_t n_of[N_TRANSFORM_TYPES]; /* how many of each type are usable; stops at 255 */
	uint8_t n_strange; /* transforms that nobody here could choose; stops at 255 */
	bool foreign;	   /* a transform type that is unknown, or not of this protocol */
	bool spi_ok;
	uint64_t spi;
};

/* p has gone through offer_check. */
void menu_read(const struct offer_proposal *p, const struct proposal_want *want, struct menu *m);

/* The best suite of a menu by the policy's order. Returns 0 and fills *c, and *rank (less is
 * better), or the transform types that lack something usable, as bits 1 << type. */
uint32_t menu_choose(const struct menu *m, const struct proposal_want *want,
		     struct proposal_chosen *c, uint32_t *rank);

/* Is a transform of this type, when it can be chosen, part of a suite of this kind? */
bool menu_type_wanted(const struct proposal_want *want, uint8_t type);

#endif
