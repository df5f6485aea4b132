/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listen.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static enum err dir_make(const char *path, mode_t mode, char why[static LISTEN_WHY_MAX])
{
	/* One that is there already belongs to whoever made it: its mode is left alone. */
	if (mkdir(path, mode) == 0)
		return chmod(path, mode) == 0 ? OK : ERR_SYSTEM;
	if (errno == EEXIST)
		return OK;
	snprintf(why, LISTEN_WHY_MAX, "cannot make %s: %s", path, strerror(errno));
	return ERR_SYSTEM;
}

enum err listen_dirs(const char *run_dir, const char *state_dir, char why[static LISTEN_WHY_MAX])
{
	enum err e = dir_make(run_dir, 0755, why);

	return e == OK ? dir_make(state_dir, 0700, why) : e;
}

static enum err path_fill(const char *run_dir, struct sockaddr_un *sun)
{
	int n;

	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(sun->sun_path, sizeof sun->sun_path, "%s/control.sock", run_dir);
	return n > 0 && (size_t)n < sizeof sun->sun_path ? OK : ERR_SPACE;
}

static bool somebody_serves(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool served = fd >= 0 && (connect(fd, (const struct sockaddr *)sun, sizeof *sun) == 0 ||
				  errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return served;
}

/* Readable for the group postern when there is one; root alone otherwise. */
static bool permissions_set(const char *path)
{
	const struct group *gr = getgrnam("postern");

	if (gr == NULL)
		return chmod(path, 0600) == 0;
	return chown(path, (uid_t)-1, gr->gr_gid) == 0 && chmod(path, 0660) == 0;
}

enum err listen_control(const char *run_dir, int *fd, char why[static LISTEN_WHY_MAX])
{
	struct sockaddr_un sun;

	*fd = -1;
	if (path_fill(run_dir, &sun) != OK) {
		snprintf(why, LISTEN_WHY_MAX, "the path %s/control.sock is too long for a socket",
			 run_dir);
		return ERR_SPACE;
	}
	if (somebody_serves(&sun)) {
		snprintf(why, LISTEN_WHY_MAX,
			 "another posternd serves %s: give this one its own --run-dir",
			 sun.sun_path);
		return ERR_EXISTS;
	}
	(void)unlink(sun.sun_path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd >= 0 && bind(*fd, (const struct sockaddr *)&sun, sizeof sun) == 0 &&
	    permissions_set(sun.sun_path) && listen(*fd, 16) == 0)
		return OK;
	snprintf(why, LISTEN_WHY_MAX, "cannot make %s: %s", sun.sun_path, strerror(errno));
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return ERR_SYSTEM;
}

void listen_remove(const char *run_dir)
{
	struct sockaddr_un sun;

	if (path_fill(run_dir, &sun) == OK)
		(void)unlink(sun.sun_path);
}
