/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends whose addresses change, for the tests of MOBIKE (RFC 4555). LEFT begins, so it decides
 * on addresses.
 */
#ifndef TESTS_UNIT_IKE_ROAM_H
#define TESTS_UNIT_IKE_ROAM_H

#include "tests/unit/ike/pair.h"

/* Where an end may go besides its own place, as roam_conf expects it; where nobody expects it. */
#define ROAM_ELSEWHERE "203.0.113.7"
#define ROAM_BEYOND    "203.0.113.8"
#define ROAM_NOWHERE   "203.0.113.99"

/* What becomes of datagrams. */
struct roam {
	struct addr dead;	/* nothing comes from there, nothing gets there */
	struct addr translated; /* ... comes from here, as RIGHT sees it */
	struct addr as;
	bool without_natt; /* nobody looks for NATs */
	uint16_t ports[2]; /* that RIGHT saw last, by exchange IKE_SA_INIT or another */
};

struct pair *roam_new(struct roam *w, const char *left, const char *right);
/* ... and up. */
struct pair *roam_begin_with(struct roam *w, const char *left, const char *right);
/* ... by these kernels. */
struct pair *roam_begin_on(struct roam *w, const char *const text[2],
			   const struct plane_caps kernel[2]);
/* ... where RIGHT expects LEFT at all places. */
struct pair *roam_begin(struct roam *w);
/* The usual configuration, which expects the peer at all places. */
const char *roam_conf(enum side s, const char *more);
/* The machine has these addresses now; it sends from the first. */
void roam_has(struct pair *p, enum side s, const char *const *texts, size_t n);
/* ... this one alone. */
void roam_go(struct pair *p, enum side s, const char *to);
/* The IKE SA and all its children are there. */
void roam_expect_at(struct pair *p, enum side s, const char *local, const char *remote);
/* LEFT is there, as both ends know. */
void roam_expect_left_at(struct pair *p, const char *address);

/* What is next on the wire is taken from it; arrives after all. */
struct datagram *roam_take(struct pair *p);
void roam_arrive(struct pair *p, struct datagram *d);
struct addr roam_address(const char *text);

#endif
