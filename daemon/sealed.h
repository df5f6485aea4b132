/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes for another process: an anonymous file in memory that is written once and then sealed, so
 * that whoever reads it knows that nobody changes it meanwhile. */
#ifndef DAEMON_SEALED_H
#define DAEMON_SEALED_H

#include "base/bytes.h"
#include "base/err.h"

MUST_USE enum err sealed_make(const char *name, int *fd); /* empty; -1 when that fails */
MUST_USE enum err sealed_append(int fd, struct span s);	  /* ERR_SYSTEM when not all of it went */
MUST_USE enum err sealed_seal(int fd);			  /* from here on it stays as it is */
bool sealed_is(int fd);
/* All that is in it, 1 to `max` bytes, into malloc'd memory: secret_free() it. Does not close `fd`.
 * ERR_DENIED (not sealed), ERR_SYNTAX (another size), ERR_NOMEM, ERR_SYSTEM. */
MUST_USE enum err sealed_read(int fd, size_t max, uint8_t **bytes, size_t *len);

#endif
