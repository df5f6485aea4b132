/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of strangers as text that a terminal, a log line and a person can take. */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include "base/bytes.h"

/* What is shown of one value of a peer, in bytes of input, and the buffer that holds it whatever it
 * is. */
enum { ESCAPE_MAX = 200, ESCAPE_TEXT_MAX = ESCAPE_MAX * 4 + 4 };

/* Writes at most `max` bytes of `s`: printable ASCII and good UTF-8 as they are; quote, backslash
 * and the characters of `also` (NULL: none) behind a backslash; all else (control characters,
 * invisible and direction-changing ones, bad UTF-8) byte by byte as \xNN. A longer `s` ends in
 * "...". */
void escape_write(struct wr *w, struct span s, size_t max, const char *also);

/* The first ESCAPE_MAX bytes of `s` escaped into `buf`, always terminated, without a half character
 * or a half escape at the end when `size` is too small. Returns `buf`. */
const char *escape_peer(struct span s, char *buf, size_t size);

/* No byte of `s` is bad UTF-8. */
bool escape_is_utf8(struct span s);

/* Ends the text in `w`, which was begun on a buffer of at least one byte, with a NUL; a text that
 * did not fit becomes empty. */
void escape_end(struct wr *w);

#endif
