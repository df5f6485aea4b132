/* SPDX-License-Identifier: Apache-2.0 */
/* One character at a time: either a good UTF-8 sequence that shows something, or a single byte. */
#include "base/escape.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

/* How many bytes a sequence has that begins with `first`; 0 when none begins so. */
static size_t utf8_len(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >> 5 == 0x06)
		return 2;
	if (first >> 4 == 0x0e)
		return 3;
	return first >> 3 == 0x1e ? 4 : 0;
}

/* The length of the UTF-8 sequence that begins here, and its code point; 0 when it is none (RFC
 * 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
static size_t utf8_char(struct span s, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	struct rd r = rd_from(s);
	uint8_t first = rd_u8(&r);
	size_t len = utf8_len(first);

	if (len == 0)
		return 0;
	*code = len == 1 ? first : first & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		uint8_t next = rd_u8(&r);

		if (next >> 6 != 2)
			return 0;
		*code = *code << 6 | (next & 0x3f);
	}
	if (!rd_ok(&r) || *code < least[len] || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return len;
}

bool escape_is_utf8(struct span s)
{
	uint32_t code;

	while (s.len > 0) {
		size_t len = utf8_char(s, &code);

		if (len == 0)
			return false;
		s = span_tail(s, len);
	}
	return true;
}

/* Control characters, and those that hide or reorder what stands around them. */
static bool code_shows(uint32_t c)
{
	static const struct {
		uint32_t lo, hi;
	} hidden[] = {
		{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad }, { 0x061c, 0x061c },
		{ 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c >= hidden[i].lo && c <= hidden[i].hi)
			return false;
	return true;
}

/* Writes the first character of `s` and returns how many bytes it had. */
static size_t escape_char(struct wr *w, struct span s, const char *also)
{
	uint32_t code = 0;
	size_t len = utf8_char(s, &code);
	uint8_t byte = s.p[0];

	if (len == 0 || !code_shows(code)) {
		const uint8_t hex[] = { '\\', 'x', (uint8_t)hex_digits[byte >> 4],
					(uint8_t)hex_digits[byte & 15] };

		wr_span(w, span_of(hex, sizeof(hex)));
		return 1;
	}
	if (byte == '"' || byte == '\\' || (also != NULL && strchr(also, byte) != NULL)) {
		const uint8_t pair[] = { '\\', byte };

		wr_span(w, span_of(pair, sizeof(pair)));
		return 1;
	}
	wr_span(w, span_head(s, len));
	return len;
}

void escape_write(struct wr *w, struct span s, size_t max, const char *also)
{
	size_t at = 0;

	while (at < s.len && at < max && wr_ok(w))
		at += escape_char(w, span_tail(s, at), also);
	if (at < s.len)
		wr_span(w, span_str("..."));
}

void escape_end(struct wr *w)
{
	wr_u8(w, 0);
	if (!wr_ok(w) && w->start < w->end)
		*w->start = 0;
}

const char *escape_peer(struct span s, char *buf, size_t size)
{
	struct wr w = wr_into(buf, size);
	size_t at = 0;

	/* Character by character on a copy, so that what does not fit leaves no half of itself. */
	while (at < s.len && at < ESCAPE_MAX) {
		struct wr next = w;

		at += escape_char(&next, span_tail(s, at), NULL);
		if (wr_left(&next) == 0)
			break;
		w = next;
	}
	if (at < s.len && wr_left(&w) > 3)
		wr_span(&w, span_str("..."));
	escape_end(&w);
	return buf;
}
