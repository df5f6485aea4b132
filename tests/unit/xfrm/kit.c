/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/xfrm/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS_MAX = 8, TEXT_MAX = 256, HEX_MAX = 8192 };

struct children kit_children(const char *const *text, size_t n)
{
	char copy[TEXTS_MAX][TEXT_MAX];
	char *v[TEXTS_MAX];
	struct children c;

	ck_assert_uint_le(n, TEXTS_MAX);
	for (size_t i = 0; i < n; i++) {
		snprintf(copy[i], TEXT_MAX, "%s", text[i]);
		v[i] = copy[i];
	}
	ck_assert(children_parse(&c, v, n));
	return c;
}

void kit_compare(const struct ask *a, uint16_t type, const char *hex)
{
	static const char digits[] = "0123456789abcdef";
	struct span s = ask_span(a);
	struct nlmsghdr h;
	char got[HEX_MAX] = "";

	ck_assert_uint_ge(s.len, sizeof(h));
	ck_assert_uint_lt(2 * s.len, HEX_MAX);
	memcpy(&h, s.p, sizeof(h));
	ck_assert_uint_eq(h.nlmsg_type, type);
	ck_assert_uint_eq(h.nlmsg_len, s.len);
	ck_assert_uint_ne(h.nlmsg_flags & NLM_F_REQUEST, 0);
	for (size_t i = sizeof(h); i < s.len; i++) {
		got[2 * (i - sizeof(h))] = digits[s.p[i] >> 4];
		got[2 * (i - sizeof(h)) + 1] = digits[s.p[i] & 0xf];
	}
	ck_assert_str_eq(got, hex);
}

void kit_expect(struct ask *a, uint16_t type, const char *hex)
{
	kit_compare(a, type, hex);
	ask_free(a);
}

struct nlmsghdr *kit_answer(struct ask *a, uint16_t type)
{
	struct span s = ask_span(a);
	struct nlmsghdr *m = malloc(s.len);

	ck_assert_ptr_nonnull(m);
	memcpy(m, s.p, s.len);
	m->nlmsg_type = type;
	ask_free(a);
	return m;
}

struct nlmsghdr *kit_message(const char *hex)
{
	size_t len = strlen(hex) / 2;
	uint8_t *p = malloc(len);

	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < len; i++) {
		char two[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		p[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return (struct nlmsghdr *)(void *)p;
}

struct nlmsghdr *kit_cut(const struct nlmsghdr *m, uint32_t len)
{
	struct nlmsghdr *cut = malloc(len);

	ck_assert_ptr_nonnull(cut);
	memcpy(cut, m, len);
	cut->nlmsg_len = len;
	return cut;
}
