/* SPDX-License-Identifier: Apache-2.0 */
/* Calls xfrm/host.h from the command line, for tests/net/host. host_child.h says how to write a
 * CHILD.
 *
 *	guard CHILD...		guards for these and no others
 *	guard-off, guard-list, plane-off
 *	watch			says "ready", and "changed" when others change what concerns us
 *	plane TUN CHILD...	the data plane, on a device that is there
 *	mtu MTU CHILD...
 *	sized MTU CHILD...	the plane, of children that have been told one
 *	whose ADDRESS		says "ours", "many" or "other"
 *	prune CHILD...		removes devices of ours that none of these has
 *	peer TUN CHILD...	makes the device, sets the plane, says "ready", and is the far side
 *				of the tunnel: answers every ping that comes out of the device;
 *				"ping SOURCE TARGET" on its standard input sends one into the host,
 *				"reply" on its output says that it was answered
 *	ask-udp SOURCE TARGET	an outer packet there and back, as the daemon's sockets send them
 *	ask-esp SOURCE TARGET
 *	echo-udp ADDRESS	the other end of these
 *	echo-esp ADDRESS
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/net/host_child.h"
#include "tests/net/host_echo.h"
#include "tests/net/host_outer.h"
#include "xfrm/host.h"
#include "xfrm/whose.h"

enum { QUEUES = 2 };

struct tool {
	struct host *host;
	struct children c;
};

static int usage(const char *what)
{
	fprintf(stderr, "host_tool: what is \"%s\"?\n", what);
	return 2;
}

static int done(enum err err, const char *why)
{
	if (err != OK)
		fprintf(stderr, "host_tool: %s: %s\n", err_slug(err), why);
	return err == OK ? 0 : 1;
}

static void show(void *ctx, const struct ts *src, const struct ts *dst, const char *direction)
{
	char a[TS_TEXT_MAX];
	char b[TS_TEXT_MAX];

	(void)ctx;
	printf("%s > %s %s\n", ts_text(src, a), ts_text(dst, b), direction);
}

/* Ends with its standard input. */
static int peer_loop(int *fds)
{
	struct pollfd p[QUEUES + 1] = { [QUEUES] = { .fd = STDIN_FILENO, .events = POLLIN } };
	char line[200];

	for (size_t i = 0; i < QUEUES; i++)
		p[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	setvbuf(stdin, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	while (poll(p, QUEUES + 1, -1) >= 0 || errno == EINTR) {
		for (size_t i = 0; i < QUEUES; i++) {
			if ((p[i].revents & POLLIN) && echo_answer(fds[i]) == ECHO_REPLY)
				printf("reply\n");
		}
		if (p[QUEUES].revents == 0)
			continue;
		if (fgets(line, sizeof(line), stdin) == NULL)
			return 0;
		if (!echo_ask(fds[0], line))
			return usage(line);
	}
	return 1;
}

static int peer(struct tool *t, const char *tun)
{
	char why[HOST_WHY_MAX] = "";
	int fds[QUEUES];
	enum err err = host_tun_open(t->host, tun, QUEUES, fds, why);

	if (err == OK)
		err = host_plane_set(t->host, tun, t->c.v, t->c.n, why);
	return err != OK ? done(err, why) : peer_loop(fds);
}

static int mtu(struct tool *t, const char *text)
{
	char why[HOST_WHY_MAX] = "";
	enum err err = OK;

	for (size_t i = 0; i < t->c.n && err == OK; i++)
		err = host_child_mtu(t->host, &t->c.v[i], (uint16_t)strtoul(text, NULL, 10), why);
	return done(err, why);
}

static int sized(struct tool *t, const char *text)
{
	char why[HOST_WHY_MAX] = "";

	for (size_t i = 0; i < t->c.n; i++)
		t->c.v[i].mtu = (uint16_t)strtoul(text, NULL, 10);
	return done(host_plane_set(t->host, "postern0", t->c.v, t->c.n, why), why);
}

static int watch(struct tool *t)
{
	char why[HOST_WHY_MAX] = "";
	struct pollfd p = { .events = POLLIN };
	enum err err = host_watch(t->host, &p.fd, why);

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (err == OK)
		printf("ready\n");
	while (err == OK && (poll(&p, 1, -1) >= 0 || errno == EINTR)) {
		if (host_changed(t->host))
			printf("changed\n");
	}
	return done(err, why);
}

static int without_children(struct tool *t, const char *verb)
{
	char why[HOST_WHY_MAX] = "";

	if (strcmp(verb, "guard-off") == 0)
		return done(host_guard_off(t->host, why), why);
	if (strcmp(verb, "guard-list") == 0)
		return done(host_guard_list(t->host, show, NULL, why), why);
	if (strcmp(verb, "plane-off") == 0)
		return done(host_plane_off(t->host, why), why);
	if (strcmp(verb, "watch") == 0)
		return watch(t);
	return usage(verb);
}

static int with_children(struct tool *t, char **argv, int argc)
{
	char why[HOST_WHY_MAX] = "";
	int skip = strcmp(argv[1], "guard") == 0 || strcmp(argv[1], "prune") == 0 ? 2 : 3;
	bool any;

	if (argc < skip || !children_parse(&t->c, argv + skip, (size_t)(argc - skip)))
		return usage(argv[argc - 1]);
	if (strcmp(argv[1], "guard") == 0)
		return done(host_guard_set(t->host, t->c.v, t->c.n, why), why);
	if (strcmp(argv[1], "prune") == 0)
		return done(host_iface_prune(t->host, t->c.v, t->c.n, &any, why), why);
	if (strcmp(argv[1], "plane") == 0)
		return done(host_plane_set(t->host, argv[2], t->c.v, t->c.n, why), why);
	if (strcmp(argv[1], "mtu") == 0)
		return mtu(t, argv[2]);
	if (strcmp(argv[1], "sized") == 0)
		return sized(t, argv[2]);
	if (strcmp(argv[1], "peer") == 0)
		return peer(t, argv[2]);
	return usage(argv[1]);
}

static int tell_whose(const char *text)
{
	static const char *const words[] = { "unknown", "ours", "many", "other" };
	struct netlink nl;
	struct addr a;

	if (!addr_parse(text, &a) || netlink_open(&nl, NETLINK_ROUTE) != OK)
		return usage(text);
	printf("%s\n", words[whose_ask(&nl, &a)]);
	netlink_close(&nl);
	return 0;
}

/* What needs no host. -1: another verb. */
static int outer(int argc, char **argv)
{
	bool esp = argc > 1 && strstr(argv[1], "-esp") != NULL;

	if (argc == 4 && strncmp(argv[1], "ask-", 4) == 0)
		return outer_ask(esp, argv[2], argv[3]) ? 0 : 1;
	if (argc == 3 && strcmp(argv[1], "whose") == 0)
		return tell_whose(argv[2]);
	if (argc == 3 && strncmp(argv[1], "echo-", 5) == 0)
		return outer_echo(esp, argv[2]) ? 0 : 1;
	return -1;
}

int main(int argc, char **argv)
{
	char why[HOST_WHY_MAX] = "";
	struct tool *t = calloc(1, sizeof(*t));
	int code = outer(argc, argv);

	if (code >= 0) {
		free(t);
		return code;
	}
	code = 1;
	if (t == NULL || argc < 2)
		return 2;
	if (done(host_open(&t->host, why), why) == 0)
		code = argc == 2 && strcmp(argv[1], "guard") != 0 && strcmp(argv[1], "prune") != 0
			       ? without_children(t, argv[1])
			       : with_children(t, argv, argc);
	children_free(&t->c);
	host_close(t->host);
	free(t);
	return code;
}
