/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle: what one process may know of the configuration, in a sealed memfd. It holds the
 * configuration's text and those of its files that role_may_see allows, nothing else. The process
 * runs the ordinary conf_load on it, so there is one parser of the configuration and no second form
 * of the model.
 *
 * Who compares configurations has a mark of every other file: a MAC of what is in it by a key that
 * only the monitor has. A mark tells that a file is not what it was, and not what it is: without
 * the key a weak pre-shared key could be found by trying.
 *
 * Layout: magic, file name, text, count, then kind, path and bytes (or mark) of each file.
 */
#ifndef DAEMON_BUNDLE_H
#define DAEMON_BUNDLE_H

#include "daemon/role.h"

enum { BUNDLE_MAX = 64 * 1024 * 1024, BUNDLE_PATH_MAX = 4096, BUNDLE_KEY_LEN = 32 };

/* Writing, where the files can be read: into a new file of sealed_make(), sealed at the end. `key`:
 * of the marks, the same for as long as bundles are compared. */
MUST_USE enum err bundle_write(int fd, enum role r, struct span text, const struct conf *c,
			       struct span key);

struct bundle;

/* Reads a sealed bundle into memory of its own and checks it whole. Does not close `fd`.
 * ERR_SYNTAX, ERR_DENIED (not sealed: somebody could change it under the reader), ERR_NOMEM,
 * ERR_SYSTEM. */
MUST_USE enum err bundle_read(int fd, struct bundle **b);
void bundle_free(struct bundle *b); /* wipes; takes NULL */
/* Into the bundle. */
const char *bundle_file(const struct bundle *b);
struct span bundle_text(const struct bundle *b);
/* Loads the text with the files of the bundle. A setting whose file is not in it stays without
 * bytes; *c is NULL when there are errors. */
MUST_USE enum err bundle_load(struct bundle *b, struct conf **c, struct conf_problems *problems);

#endif
