/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"

enum { SEALS = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL };

enum err sealed_make(const char *name, int *fd)
{
	*fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return *fd >= 0 ? OK : ERR_SYSTEM;
}

enum err sealed_append(int fd, struct span s)
{
	while (s.len > 0) {
		ssize_t n = write(fd, s.p, s.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_SYSTEM;
		s = span_tail(s, (size_t)n);
	}
	return OK;
}

enum err sealed_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, SEALS) == 0 ? OK : ERR_SYSTEM;
}

bool sealed_is(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

static enum err read_whole(int fd, uint8_t *to, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = pread(fd, to + at, len - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_SYSTEM;
		at += (size_t)n;
	}
	return OK;
}

enum err sealed_read(int fd, size_t max, uint8_t **bytes, size_t *len)
{
	struct stat st;
	enum err e;

	*bytes = NULL;
	*len = 0;
	if (!sealed_is(fd))
		return ERR_DENIED;
	if (fstat(fd, &st) != 0)
		return ERR_SYSTEM;
	if (st.st_size <= 0 || (uintmax_t)st.st_size > max)
		return ERR_SYNTAX;
	*bytes = malloc((size_t)st.st_size);
	if (*bytes == NULL)
		return ERR_NOMEM;
	e = read_whole(fd, *bytes, (size_t)st.st_size);
	if (e == OK) {
		*len = (size_t)st.st_size;
	} else {
		secret_free(*bytes, (size_t)st.st_size);
		*bytes = NULL;
	}
	return e;
}
