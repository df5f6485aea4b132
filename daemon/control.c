/* SPDX-License-Identifier: Apache-2.0 */
/* A first form: it listens and says that it serves nothing yet. */
#include "daemon/control.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct control {
	struct control_env env;
	int fd;
	struct loop_watch watch;
};

static const char nothing_yet[] =
	"{\"v\":1,\"kind\":\"error\",\"reason\":\"unsupported\",\"text\":\"this posternd serves no requests yet\"}\n";

static void on_caller(void *ctx, uint32_t events)
{
	struct control *c = ctx;
	int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	(void)send(fd, nothing_yet, sizeof nothing_yet - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

enum err control_new(const struct control_env *env, struct control **c)
{
	*c = calloc(1, sizeof **c);
	if (*c == NULL)
		return ERR_NOMEM;
	(*c)->env = *env;
	(*c)->fd = -1;
	return OK;
}

void control_free(struct control *c)
{
	if (c == NULL)
		return;
	if (c->fd >= 0) {
		loop_del(c->env.loop, &c->watch);
		close(c->fd);
	}
	free(c);
}

enum err control_listen(struct control *c, int fd)
{
	if (c->fd >= 0) {
		close(fd);
		return ERR_EXISTS;
	}
	c->fd = fd;
	c->watch = (struct loop_watch){ .fd = fd, .ready = on_caller, .ctx = c };
	return loop_add(c->env.loop, &c->watch, EPOLLIN);
}

void control_note(struct control *c, const struct ike_note *n)
{
	(void)c;
	(void)n;
}

void control_reloaded(struct control *c, uint64_t ticket, enum err e, struct span text)
{
	(void)c;
	(void)ticket;
	(void)e;
	(void)text;
}
