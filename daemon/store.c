/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* SD_LISTEN_FDS_START; more than a process may have; and what a name of 255 bytes fits into. */
enum { FIRST = 3, GIVEN_MAX = 65536, REQUEST_MAX = 320 };

static unsigned long number_of(const char *name)
{
	const char *v = getenv(name);
	char *end;
	unsigned long n;

	if (v == NULL || v[0] < '0' || v[0] > '9')
		return 0;
	errno = 0;
	n = strtoul(v, &end, 10);
	return *end == '\0' && errno == 0 ? n : 0;
}

static bool is_known(const struct store *s, unsigned int n, const char *name)
{
	for (unsigned int i = 0; i < n; i++) {
		if (strcmp(s->v[i].name, name) == 0)
			return true;
	}
	return false;
}

/* They go into lines of ours. */
static bool is_plain(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s < 0x20 || *s > 0x7e)
			return false;
	}
	return true;
}

/* Each name that there is, so that it can be taken out even where they are not as they should. */
static enum err split(struct store *s)
{
	enum err e = OK;
	unsigned int i = 0;

	for (char *at = s->names, *end; at != NULL; at = end) {
		end = strchr(at, ':');
		if (end != NULL)
			*end++ = '\0';
		if (i == s->n)
			return ERR_SYNTAX;
		if (at[0] == '\0' || !is_plain(at) || is_known(s, i, at)) {
			e = ERR_SYNTAX;
			continue;
		}
		s->v[i++].name = at;
	}
	return i == s->n ? e : ERR_SYNTAX;
}

enum err store_list(struct store *s, int first, unsigned int n, const char *names)
{
	*s = (struct store){ .first = first, .n = n };
	s->v = calloc((size_t)n + 1, sizeof *s->v);
	s->names = strdup(names);
	for (unsigned int i = 0; i < n && s->v != NULL; i++)
		s->v[i] = (struct stored){ .name = "", .given = true };
	return s->v != NULL && s->names != NULL ? split(s) : ERR_NOMEM;
}

/* Whose LISTEN_PID is another's has inherited these variables, or was started by who should have
 * become it. What its descriptors are from 3 on nobody can tell: a lock that whoever started us
 * holds by them is as likely as a store. So they stay as they are, as sd_listen_fds(3) has it; no
 * other process of ours gets them (daemon/spawn.c). */
static enum err judge_receiver(unsigned long n)
{
	if (n == 0)
		return ERR_NOT_FOUND;
	return number_of("LISTEN_PID") == (unsigned long)getpid() ? OK : ERR_DENIED;
}

enum err store_take(struct store *s)
{
	const unsigned long n = number_of("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	enum err e = judge_receiver(n <= GIVEN_MAX ? n : 0);

	*s = (struct store){ .first = FIRST };
	if (e == OK)
		e = store_list(s, FIRST, (unsigned int)n, names != NULL ? names : "");
	for (unsigned int i = 0; s->v != NULL && i < s->n; i++) {
		s->v[i].given = fcntl(FIRST + (int)i, F_SETFD, FD_CLOEXEC) == 0;
		if (!s->v[i].given && e == OK)
			e = ERR_SYNTAX;
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return e;
}

int store_find(struct store *s, const char *name)
{
	for (unsigned int i = 0; i < s->n; i++) {
		if (strcmp(s->v[i].name, name) == 0) {
			s->v[i].found = true;
			return s->first + (int)i;
		}
	}
	return -1;
}

bool store_all_found(const struct store *s)
{
	for (unsigned int i = 0; i < s->n; i++) {
		if (!s->v[i].found)
			return false;
	}
	return true;
}

void store_clear(const struct store *s, const struct notify *n)
{
	for (unsigned int i = 0; s->v != NULL && i < s->n; i++) {
		if (s->v[i].name[0] != '\0' && !store_remove(n, s->v[i].name))
			return;
	}
}

void store_close(const struct store *s)
{
	for (unsigned int i = 0; s->v != NULL && i < s->n; i++) {
		if (s->v[i].given)
			close(s->first + (int)i);
	}
}

void store_free(struct store *s)
{
	free(s->v);
	free(s->names);
	*s = (struct store){ .first = -1 };
}

/* ---- the other side ---- */

/* The manager is not to look whether they are readable (FDPOLL): a socket that an ICMP error came
 * to looks broken to it, and would be closed. */
bool store_put(const struct notify *n, const char *name, int fd)
{
	char line[REQUEST_MAX];

	snprintf(line, sizeof line, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	return notify_pass(n, line, fd);
}

bool store_remove(const struct notify *n, const char *name)
{
	char line[REQUEST_MAX];

	snprintf(line, sizeof line, "FDSTOREREMOVE=1\nFDNAME=%s", name);
	return notify_pass(n, line, -1);
}
