/* SPDX-License-Identifier: Apache-2.0 */
/* The places that the explorer goes to (test_matrix_explore.c): an SA in one of its states, and
 * somebody beside it who has the keys. And which messages have a row there, said a second time. */
#ifndef TESTS_UNIT_IKE_EXPLORE_H
#define TESTS_UNIT_IKE_EXPLORE_H

#include "ike/core.h"
#include "ike/rules.h"
#include "tests/unit/ike/matrix.h"

enum stage {
	NOWHERE,
	INIT_SENT,
	INIT_DONE,
	AUTH_SENT,
	UP_BEGAN,
	UP_ANSWERED,
	ASKED_BEGAN,
	ASKED_ANSWERED,
	CLOSING_BEGAN,
	CLOSING_ANSWERED,
	LEAVING,
	/* parked: something is asked of somebody else */
	PROVING,
	CHECKING,
	JUDGING,
	INSTALLING,
	N_PLACES
};

/* The table has rows of its own for who goes before IKE_AUTH is answered, whose peer has proved
 * nothing, and none for who is parked. */
enum { S_LEAVING = N_SA_STATES, S_PARKED };

struct place_row {
	const char *name;
	enum side at; /* the end that is looked at */
	enum sa_state state;
	bool keys;   /* the other end has them */
	unsigned as; /* the state that the table knows it by */
};
extern const struct place_row places[N_PLACES];

struct world {
	enum stage place;
	struct matrix m; /* for its pair alone */
	enum side at;
	struct ike_sa *sa; /* there; NULL: none */
	struct ike_sa *other;
	size_t n, n_dropped, n_refused, n_processed, n_effects;
};

void explore_go(struct world *w);
void explore_leave(struct world *w);

/* What the SA is, with its children, its handshake and its window, as bytes. */
struct digest {
	uint64_t all;  /* everything */
	uint64_t rest; /* but window, and when something was last heard */
};
struct digest explore_digest(const struct world *w);

/* Is this exchange expected in this state, whatever it carries? With these payloads? */
bool explore_expects(uint8_t exchange, enum direction d, unsigned s);
bool explore_takes(uint8_t exchange, enum direction d, unsigned s, uint32_t present);
/* The payloads of the nth good message, of whatever state; false: no more. */
bool explore_good(size_t n, uint8_t *exchange, enum direction *d, uint32_t *present);

#endif
