/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager has kept for us over a planned restart (FDSTORE=1 of sd_notify(3)):
 * descriptors with names, from LISTEN_FDS and LISTEN_FDNAMES on. Whoever starts us could hand over
 * anything, or half of it: what the names mean, and that none is missing and none too many, is
 * judged by who looks for them (daemon/handover.c).
 *
 * They stay in the store until they are taken out, and sockets live as long as they are there. So
 * that is the first thing that is done with them, whether they are gone on with or not.
 *
 * LISTEN_FDS may be more than there are. So they are looked at before anything of our own is
 * opened, which could have such a number, and only what was there then is closed.
 */
#ifndef DAEMON_STORE_H
#define DAEMON_STORE_H

#include "base/err.h"
#include "daemon/notify.h"

/* So many of ours go into one: FileDescriptorStoreMax of the unit. */
enum { STORE_NAME_MAX = 32, STORE_MAX = 4096 };

struct stored {
	const char *name;
	bool given; /* there is one */
	bool found;
};

/* The descriptor of v[i] is first + i. */
struct store {
	int first;
	unsigned int n;
	struct stored *v;
	char *names; /* one after the other */
};

/* What this process was given, close-on-exec from now on; the environment has it no more. Comes
 * before anything else is opened. ERR_NOT_FOUND: nothing; ERR_SYNTAX: the names are not one for
 * each, or one twice, or there are fewer; ERR_NOMEM. *s holds the descriptors all the same.
 * ERR_DENIED: another process was given some, and *s has nothing. */
MUST_USE enum err store_take(struct store *s);
/* The same of n descriptors; names are "one:two:three". */
MUST_USE enum err store_list(struct store *s, int first, unsigned int n, const char *names);
/* The descriptor of that name, which counts as found from now on; -1: there is none. */
int store_find(struct store *s, const char *name);
bool store_all_found(const struct store *s);
/* Takes all of it out of the manager's store; ends where that does not listen. */
void store_clear(const struct store *s, const struct notify *n);
void store_close(const struct store *s); /* every descriptor that was given */
void store_free(struct store *s);

/* Puts one in. False: the manager does not listen. What it made of it only a barrier tells, and
 * whether it had room for it nobody. */
MUST_USE bool store_put(const struct notify *n, const char *name, int fd);
bool store_remove(const struct notify *n, const char *name);

#endif
