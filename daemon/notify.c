/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int notify_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd;

	if ((path[0] != '/' && path[0] != '@') || len >= sizeof sun.sun_path)
		return -1;
	memcpy(sun.sun_path, path, len);
	if (path[0] == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static uint64_t env_number(const char *name)
{
	const char *v = getenv(name);

	return v != NULL ? strtoull(v, NULL, 10) : 0;
}

struct notify notify_open(void)
{
	struct notify n = { .fd = -1 };
	const char *path = getenv("NOTIFY_SOCKET");
	uint64_t pid = env_number("WATCHDOG_PID");

	if (path != NULL)
		n.fd = notify_connect(path);
	/* Half the time that is allowed, as sd_watchdog_enabled(3) advises. */
	if (n.fd >= 0 && (pid == 0 || pid == (uint64_t)getpid()))
		n.watchdog = env_number("WATCHDOG_USEC") * NS_PER_US / 2;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return n;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

void notify_send(const struct notify *n, const char *state)
{
	if (n->fd >= 0)
		(void)send(n->fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void notify_alive(const struct notify *n)
{
	if (n->watchdog != 0)
		notify_send(n, "WATCHDOG=1");
}

void notify_status(const struct notify *n, struct span text)
{
	char line[256];

	snprintf(line, sizeof line, "STATUS=%.*s", (int)span_head(text, 200).len,
		 (const char *)text.p);
	notify_send(n, line);
}

void notify_reloading(const struct notify *n, mono_ns now)
{
	char line[64];

	snprintf(line, sizeof line, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now / NS_PER_US);
	notify_send(n, line);
}
