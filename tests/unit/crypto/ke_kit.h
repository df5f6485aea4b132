/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of groups share: the vector of a group, numbers near others, and refusals. */
#ifndef TESTS_UNIT_CRYPTO_KE_KIT_H
#define TESTS_UNIT_CRYPTO_KE_KIT_H

#include "crypto/alg.h"
#include "tests/unit/crypto/hex.h"
#include "tests/unit/crypto/ke_vectors.h"

const struct ke_vector *ke_vector_of(const struct ke_group *g);
/* Refused, and nothing left in the buffer of the secret. */
void ke_expect_peer_refused(const struct ke_group *g, struct span peer);
/* base + add, big-endian, as long as base */
struct hex number(struct span base, int add);
void number_reverse(struct hex *n);

#endif
