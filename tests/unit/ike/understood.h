/* SPDX-License-Identifier: Apache-2.0 */
/* What of a message can be understood, said a second time: a reader of the tests' own. */
#ifndef TESTS_UNIT_IKE_UNDERSTOOD_H
#define TESTS_UNIT_IKE_UNDERSTOOD_H

#include "tests/unit/ike/matrix.h"

/* All lengths hold, nothing critical is unknown, and what this message needs is there, once. */
bool understood(enum station at, const struct chain *c);
/* ... with every body, those of the child's payloads too. */
bool child_understood(const struct chain *c);
/* ID and AUTH are there as they were made. */
bool same_proof(const struct chain *good, const struct chain *bad);

#endif
