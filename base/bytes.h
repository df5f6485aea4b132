/* SPDX-License-Identifier: Apache-2.0 */
/* The one bounds check of the program: a reader and a writer by value with sticky failure.
 *
 * A reader walks over borrowed bytes, a writer fills a caller's buffer. Once a step does not fit,
 * the reader (writer) is broken for good: reads give zero and empty spans, writes do nothing, and
 * the one question at the end (rd_end, rd_ok, wr_ok) says so. So parsers need no length arithmetic
 * of their own, and none is allowed outside this file.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))

/* Borrowed, read-only bytes. A span never outlives the call that it came with. */
struct span {
	const uint8_t *p;
	size_t len;
};

#define SPAN_EMPTY ((struct span){ NULL, 0 })

struct span span_of(const void *p, size_t len);
struct span span_str(const char *s);
bool span_eq(struct span a, struct span b);
/* Total order: shorter first, then bytewise. For nonces use memcmp order by span_order_bytes. */
int span_cmp(struct span a, struct span b);
/* Bytewise order over the common length, then the shorter first (RFC 7296 2.8: lowest nonce). */
int span_order_bytes(struct span a, struct span b);
/* The first `len` bytes (all of them if fewer), and what follows them. */
struct span span_head(struct span s, size_t len);
struct span span_tail(struct span s, size_t skip);

struct rd {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

struct rd rd_from(struct span s);
uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r); /* all multi-byte reads are big-endian */
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);
struct span rd_take(struct rd *r, size_t len);
struct span rd_rest(struct rd *r);
void rd_skip(struct rd *r, size_t len);
/* Copies exactly `len` bytes to `to`; zeroes `to` and breaks the reader when they are not there. */
void rd_copy(struct rd *r, void *to, size_t len);
size_t rd_left(const struct rd *r);
bool rd_ok(const struct rd *r);
/* Unbroken, and nothing is left over. */
bool rd_end(const struct rd *r);
/* Breaks the reader: for a value that the format forbids. */
void rd_fail(struct rd *r);

struct wr {
	uint8_t *start;
	uint8_t *p;
	uint8_t *end;
	bool bad;
};

struct wr wr_into(void *buf, size_t size);
void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v);
void wr_u32(struct wr *w, uint32_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_span(struct wr *w, struct span s);
void wr_zero(struct wr *w, size_t len);
/* Reserves `len` bytes for the caller to fill; NULL when they do not fit. */
uint8_t *wr_take(struct wr *w, size_t len);
/* A length field that is known only later: wr_hole_u16 leaves two bytes and returns their offset;
 * wr_fill_u16 writes `v` there. */
size_t wr_hole_u16(struct wr *w);
void wr_fill_u16(struct wr *w, size_t at, uint16_t v);
void wr_fill_u8(struct wr *w, size_t at, uint8_t v);
void wr_fill_u32(struct wr *w, size_t at, uint32_t v);
/* Puts (here - from) into the two bytes at `at`; breaks the writer when it exceeds 65535. */
void wr_fill_len16(struct wr *w, size_t at, size_t from);
size_t wr_len(const struct wr *w);
size_t wr_left(const struct wr *w);
bool wr_ok(const struct wr *w);
void wr_fail(struct wr *w);
/* What has been written so far; empty when broken. */
struct span wr_done(const struct wr *w);

#endif
