/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors are written as the RFCs print them: in hexadecimal, with spaces where they help. */
#ifndef TESTS_UNIT_CRYPTO_HEX_H
#define TESTS_UNIT_CRYPTO_HEX_H

#include "base/bytes.h"

enum { HEX_MAX = 2048 };

struct hex {
	size_t len;
	uint8_t b[HEX_MAX];
};

/* Fails the test when `s` is not hexadecimal or too long. NULL is no bytes. */
struct hex hex(const char *s);
struct span hex_span(const struct hex *h);
/* Fails the test, showing both, when `got` is not what `want` says. */
void hex_expect(const char *want, struct span got);

#endif
