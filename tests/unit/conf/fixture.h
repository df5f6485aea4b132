/* SPDX-License-Identifier: Apache-2.0 */
/* Loading configurations from memory: files that exist without a disk, results as text. */
#ifndef TESTS_UNIT_CONF_FIXTURE_H
#define TESTS_UNIT_CONF_FIXTURE_H

#include "conf/load.h"

/* Every file is there: a good pre-shared key, a passphrase, else the path itself. Not so with these
 * names: "missing" is not there, "open.psk" is refused for its mode, "short.psk", "same.psk",
 * "name.psk", "lines.psk", "hex.psk", "base64.psk", "empty.psk" hold what they are called after;
 * "encoded.psk" is good. */
struct conf_source fixture_files(void);
/* A process that may see no file at all. */
struct conf_source fixture_no_files(void);

/* Must load without a problem. The caller frees. */
struct conf *fixture_load(const char *text);
/* "line:column: text | hint" for each problem, a line each; "ok\n" when there is none. The caller
 * frees. */
char *fixture_problems(const char *text);

/* A small configuration that loads, with line `line` replaced; line 0: nothing is. Lines 1, 4, 11
 * and 15 are empty: they stand outside of blocks, in `me`, in `connection office` and in its `child
 * lan`. The caller frees. */
char *fixture_text(int line, const char *with);

#endif
