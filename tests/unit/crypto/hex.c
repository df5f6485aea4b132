/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/crypto/hex.h"

#include <check.h>
#include <ctype.h>
#include <string.h>

static uint8_t hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = strchr(digits, tolower((unsigned char)c));

	ck_assert_msg(c && at, "'%c' in a vector", c);
	return (uint8_t)(at - digits);
}

struct hex hex(const char *s)
{
	struct hex h = { 0 };

	while (s && *s) {
		if (isspace((unsigned char)*s)) {
			s++;
			continue;
		}
		ck_assert_uint_lt(h.len, HEX_MAX);
		h.b[h.len++] = (uint8_t)(hex_digit(s[0]) << 4 | hex_digit(s[1]));
		s += 2;
	}
	return h;
}

struct span hex_span(const struct hex *h)
{
	return span_of(h->b, h->len);
}

void hex_expect(const char *want, struct span got)
{
	const struct hex h = hex(want);

	ck_assert_uint_eq(got.len, h.len);
	ck_assert_mem_eq(got.p, h.b, h.len);
}
