/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that outlives a process: made and held by the monitor, and mapped by one engine after the
 * other (a vault, base/vault.h), or by one esp after the other (esp/ledger.h). In these the monitor
 * never looks; the book of the kernel's plane (xfrm/kernel.h), which goes from one monitor to the
 * next, is in such memory, too. It is sealed, so that nobody can take pages away from under a
 * reader; it is in no core dump and, as far as the limits allow, in no swap.
 */
#ifndef DAEMON_VAULT_MEMORY_H
#define DAEMON_VAULT_MEMORY_H

#include <stddef.h>

#include "base/bytes.h"
#include "base/err.h"

/* Pages come as they are written to. A vault takes up to four and a half times what is alive in it;
 * the engine's has some 1.2 KiB alive for an IKE SA with its child. */
#define VAULT_MEMORY_SIZE ((size_t)256 << 20)

MUST_USE enum err vault_memory_make(int *fd);
bool vault_memory_is(int fd);
/* ERR_SYNTAX: that is something else. The descriptor stays the caller's. */
MUST_USE enum err vault_memory_map(int fd, void **mem, size_t *size);
/* This part of it is zeros from now on, and its whole pages are nobody's memory. */
void vault_memory_give_back(struct span part);
void vault_memory_unmap(void *mem, size_t size); /* takes NULL */

#endif
