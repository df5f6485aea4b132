/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/loop.h"

#define PATIENCE (5 * NS_PER_S)

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

/* ---- what has to arrive ---- */

static bool wait_for(int fd, short events, mono_ns deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	mono_ns now;

	while ((now = mono_now()) < deadline) {
		int n = poll(&p, 1, (int)((deadline - now) / NS_PER_MS) + 1);

		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
	return false;
}

bool notify_pass(const struct notify *n, const char *state, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)state, .iov_len = strlen(state) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	const mono_ns deadline = mono_now() + PATIENCE;

	if (fd >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof control.bytes;
		control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), &fd, sizeof fd);
	}
	while (n->fd >= 0 && sendmsg(n->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno != EINTR && (errno != EAGAIN || !wait_for(n->fd, POLLOUT, deadline)))
			return false;
	}
	return n->fd >= 0;
}

/* It closes what it is given once it has come to it. */
bool notify_barrier(const struct notify *n)
{
	bool heard;
	int fd[2];

	notify_alive(n);
	if (pipe2(fd, O_CLOEXEC) != 0)
		return false;
	heard = notify_pass(n, "BARRIER=1", fd[1]);
	close(fd[1]);
	heard = heard && wait_for(fd[0], 0, mono_now() + PATIENCE);
	close(fd[0]);
	return heard;
}
