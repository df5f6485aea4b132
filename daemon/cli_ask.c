/* SPDX-License-Identifier: Apache-2.0 */
/* Talking to the daemon: one request, lines until the one of kind "end", all within the time that
 * the person gave. What needs no time has to begin soon without that, too: a socket may listen, and
 * nobody is there. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/cli.h"
#include "daemon/loop.h"
#include "daemon/report.h"

enum { ASK_LINE_MAX = 1 << 20, ASK_CHUNK = 65536, ASK_AGAIN_MAX = 3, CONNECT_SECONDS = 10 };

struct ask {
	const char *verb;
	cli_line_fn *fn;
	void *ctx;
	int fd;
	bool lost;	 /* nobody is there any more who would say the end */
	bool any_answer; /* the deadline is that of the first line */
	mono_ns deadline;
	char *buf; /* ASK_LINE_MAX bytes */
	size_t len;
};

static int ask_connect(const struct cli *cli, struct ask *a)
{
	/* Where nobody takes any in, one connection more may wait for ever. */
	const struct timeval patience = { .tv_sec = CONNECT_SECONDS };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int n = snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/control.sock", cli->run_dir);

	if (n < 0 || (size_t)n >= sizeof(sun.sun_path)) {
		fprintf(stderr, "error: the path %s/control.sock is too long for a socket\n",
			cli->run_dir);
		return CLI_USAGE;
	}
	a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (a->fd >= 0)
		(void)setsockopt(a->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (a->fd >= 0 && connect(a->fd, (const struct sockaddr *)&sun, sizeof(sun)) == 0)
		return CLI_DONE;
	if (errno == EACCES) {
		fprintf(stderr, "error: not-allowed: %s: root and members of group postern may\n",
			sun.sun_path);
		return CLI_REFUSED;
	}
	fprintf(stderr,
		"error: no-daemon: nobody answers at %s (%s)\n  try      systemctl status posternd\n",
		sun.sun_path, strerror(errno));
	return CLI_NO_DAEMON;
}

static bool ask_send(const struct ask *a, const char *name, json_t *also)
{
	json_t *o = json_pack("{s:i, s:s, s:o}", "v", REPORT_VERSION, "do", a->verb, "name",
			      name ? json_string(name) : json_null());
	bool whole = o && (!also || json_object_update(o, also) == 0);
	char *line = whole ? json_dumps(o, JSON_COMPACT) : NULL;
	bool sent = false;

	if (line) {
		size_t len = strlen(line);

		line[len] = '\n'; /* where the NUL was: this one is no string any more */
		sent = send(a->fd, line, len + 1, MSG_NOSIGNAL) == (ssize_t)(len + 1);
	}
	free(line);
	json_decref(o);
	return sent;
}

/* Waits for bytes: 1 there are, 0 the time is over. */
static int ask_poll(const struct ask *a)
{
	struct pollfd p = { .fd = a->fd, .events = POLLIN };
	int n;

	do {
		mono_ns now = mono_now();
		int ms = a->deadline == NEVER ? -1
			 : a->deadline > now  ? (int)((a->deadline - now) / NS_PER_MS) + 1
					      : 0;

		n = poll(&p, 1, ms);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* The next line, NULL at the end, when it is no JSON, or when the time is over (*timeout). */
static json_t *ask_line(struct ask *a, bool *timeout)
{
	char *end;
	json_t *o;
	ssize_t n;

	while (!(end = memchr(a->buf, '\n', a->len))) {
		if (a->len + ASK_CHUNK > ASK_LINE_MAX)
			return NULL;
		*timeout = ask_poll(a) == 0;
		if (*timeout)
			return NULL;
		n = recv(a->fd, a->buf + a->len, ASK_CHUNK, 0);
		if (n <= 0)
			return NULL;
		a->len += (size_t)n;
	}
	o = json_loadb(a->buf, (size_t)(end - a->buf), 0, NULL);
	a->len -= (size_t)(end + 1 - a->buf);
	memmove(a->buf, end + 1, a->len);
	return o;
}

static int ask_read(struct ask *a, json_t **end)
{
	bool timeout = false;
	json_t *o;

	while ((o = ask_line(a, &timeout))) {
		if (a->any_answer)
			a->deadline = NEVER;
		if (strcmp(cli_str(o, "kind", ""), "end") == 0) {
			*end = o;
			return cli_true(o, "ok") ? CLI_DONE : (int)cli_num(o, "exit");
		}
		a->fn(a->ctx, o);
		json_decref(o);
	}
	a->lost = !timeout;
	return timeout ? CLI_TIMEOUT : CLI_NO_DAEMON;
}

static int ask_once(const struct cli *cli, struct ask *a, json_t **end)
{
	int code = ask_connect(cli, a);

	a->len = 0;
	a->lost = code == CLI_DONE && !ask_send(a, cli->args[0], cli->also);
	if (code == CLI_DONE)
		code = a->lost ? CLI_NO_DAEMON : ask_read(a, end);
	if (a->fd >= 0)
		close(a->fd);
	return code;
}

/* An engine that dies is followed by another one at the same socket. What may be said twice is said
 * to that one again. */
int cli_ask(const struct cli *cli, const char *verb, cli_line_fn *fn, void *ctx, json_t **end)
{
	const bool twice = strcmp(verb, "up") == 0 || strcmp(verb, "down") == 0;
	struct ask a = { .verb = verb,
			 .fn = fn,
			 .ctx = ctx,
			 .fd = -1,
			 .any_answer = cli->any_answer,
			 .deadline = NEVER };
	int code = CLI_REFUSED;

	*end = NULL;
	if (cli->timeout_s > 0)
		a.deadline = mono_now() + (mono_ns)cli->timeout_s * NS_PER_S;
	a.buf = malloc(ASK_LINE_MAX);
	a.lost = a.buf != NULL;
	for (int i = 0; i <= (twice ? ASK_AGAIN_MAX : 0) && a.lost; i++)
		code = ask_once(cli, &a, end);
	if (code == CLI_NO_DAEMON && a.lost)
		fprintf(stderr, "error: no-daemon: the daemon closed the connection in the middle "
				"of its answer\n");
	free(a.buf);
	return code;
}
