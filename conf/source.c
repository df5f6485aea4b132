/* SPDX-License-Identifier: Apache-2.0 */
/* Files from the disk. What is checked is the opened file, not its name, so nothing can be
 * exchanged between the check and the reading. A secret that others can read is no secret: refused,
 * however it came there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "conf/load.h"

enum { FILE_SIZE_MAX = 64 * 1024, TRUST_SIZE_MAX = 1024 * 1024 };

static bool kind_is_secret(enum conf_file_kind kind)
{
	switch (kind) {
	case CONF_FILE_KEY:
	case CONF_FILE_PASSPHRASE:
	case CONF_FILE_PSK:
	case CONF_FILE_QCD_SECRET:
		return true;
	case CONF_FILE_CERTIFICATE:
	case CONF_FILE_TRUST:
		return false;
	}
	return true;
}

static enum err open_failed(int errnum, const char *path, char why[static 256])
{
	if (errnum == ENOENT || errnum == ENOTDIR)
		return ERR_NOT_FOUND;
	snprintf(why, 256, "cannot be opened (%s)\n%s", strerror(errnum), path);
	return errnum == EACCES || errnum == EPERM ? ERR_DENIED : ERR_SYSTEM;
}

static enum err file_judge(const struct stat *st, enum conf_file_kind kind, const char *path,
			   char why[static 256])
{
	off_t most = kind == CONF_FILE_TRUST ? TRUST_SIZE_MAX : FILE_SIZE_MAX;

	if (!S_ISREG(st->st_mode)) {
		snprintf(why, 256, "is no regular file\n%s", path);
		return ERR_DENIED;
	}
	if (st->st_size > most) {
		snprintf(why, 256, "is larger than %lld bytes\n%s", (long long)most, path);
		return ERR_LIMIT;
	}
	if (!kind_is_secret(kind))
		return OK;
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		snprintf(why, 256, "belongs to user %lu, so others may read it\nchown root %s",
			 (unsigned long)st->st_uid, path);
		return ERR_DENIED;
	}
	if (st->st_mode & (S_IRWXG | S_IRWXO | S_IXUSR)) {
		snprintf(why, 256, "can be read by others (mode %04o)\nchmod 0600 %s",
			 (unsigned int)st->st_mode & 07777, path);
		return ERR_DENIED;
	}
	return OK;
}

/* Reads at most what fstat saw; a file that grows meanwhile is cut, one that shrinks ends earlier.
 */
static enum err file_read(int fd, size_t size, struct span *bytes)
{
	uint8_t *p = malloc(size + 1);
	size_t have = 0;
	ssize_t n = 1;

	if (!p)
		return ERR_NOMEM;
	while (have < size && n != 0) {
		n = read(fd, p + have, size - have);
		if (n < 0 && errno != EINTR) {
			secret_free(p, have);
			return ERR_SYSTEM;
		}
		have += n > 0 ? (size_t)n : 0;
	}
	*bytes = (struct span){ p, have };
	return OK;
}

/* Certificate and key are exchanged more often than a key is left open, and what everybody may read
 * is said better than how to close it. */
static bool is_certificate(int fd, size_t size)
{
	static const char wanted[] = "-----BEGIN CERTIFICATE-----", key[] = "PRIVATE KEY-----";
	struct span text = SPAN_EMPTY;
	bool is = false;

	if (file_read(fd, size, &text) != OK)
		return false;
	if (text.len > 0)
		is = memmem(text.p, text.len, wanted, sizeof(wanted) - 1) != NULL &&
		     memmem(text.p, text.len, key, sizeof(key) - 1) == NULL;
	secret_free((void *)(uintptr_t)text.p, text.len);
	return is;
}

static enum err disk_read(void *ctx, enum conf_file_kind kind, const char *path, struct span *bytes,
			  char why[static 256])
{
	/* O_NONBLOCK: a FIFO must not hold up the start. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	enum err e;

	(void)ctx;
	if (fd < 0)
		return open_failed(errno, path, why);
	if (fstat(fd, &st) != 0)
		e = open_failed(errno, path, why);
	else
		e = file_judge(&st, kind, path, why);
	if (e == ERR_DENIED && S_ISREG(st.st_mode) && kind == CONF_FILE_KEY &&
	    st.st_size <= FILE_SIZE_MAX && is_certificate(fd, (size_t)st.st_size))
		snprintf(why, 256, "holds a certificate, not a private key\n%s", path);
	if (e == OK)
		e = file_read(fd, (size_t)st.st_size, bytes);
	close(fd);
	return e;
}

static enum err none_read(void *ctx, enum conf_file_kind kind, const char *path, struct span *bytes,
			  char why[static 256])
{
	(void)ctx;
	(void)kind;
	(void)path;
	*bytes = SPAN_EMPTY;
	why[0] = '\0';
	return ERR_UNSUPPORTED;
}

struct conf_source conf_source_none(void)
{
	return (struct conf_source){ .read = none_read };
}

struct conf_source conf_source_disk(void)
{
	return (struct conf_source){ .read = disk_read };
}
