/* SPDX-License-Identifier: Apache-2.0 */
/* Calls xfrm/host.h from the command line, for tests/net/host. A child is written LOCAL>REMOTE with
 *lists of selectors:
 *
 *	10.1.0.0/24,2001:db8:1::/64>10.2.0.0/24@tcp=80-90,2001:db8:2::/64
 *
 *	host_tool guard CHILD...	guards for these and no others
 *	host_tool guard-off | guard-list | plane-off
 *	host_tool plane TUN CHILD...	the data plane on a device that is there
 *	host_tool mtu MTU CHILD...
 *	host_tool peer TUN CHILD...	makes the device, sets the plane, says "ready", and is the
 *other side of the tunnel: answers every ping out of the device; "ping SOURCE TARGET" on its
 *standard input sends one into the host, "reply" on its output says that it was answered
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/net/host_echo.h"
#include "xfrm/host.h"

enum { CHILDREN_MAX = 300, SIDE_MAX = 64, QUEUES = 2 };

struct tool {
	struct host *host;
	size_t n;
	struct host_child child[CHILDREN_MAX];
	struct ts side[CHILDREN_MAX][2][SIDE_MAX];
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

/* "tcp", "tcp=80", "udp=1000-2000", "icmp" */
static bool parse_ports(char *s, struct ts *t)
{
	static const struct {
		const char *name;
		uint8_t proto;
	} protos[] = {
		{ "tcp", IPPROTO_TCP },
		{ "udp", IPPROTO_UDP },
		{ "icmp", IPPROTO_ICMP },
		{ "icmp6", IPPROTO_ICMPV6 },
	};
	char *ports = strchr(s, '=');
	char *dash;

	if (ports != NULL)
		*ports++ = '\0';
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		if (strcmp(protos[i].name, s) == 0)
			t->proto = protos[i].proto;
	}
	if (ports != NULL) {
		dash = strchr(ports, '-');
		t->port_lo = (uint16_t)strtoul(ports, NULL, 10);
		t->port_hi = dash == NULL ? t->port_lo : (uint16_t)strtoul(dash + 1, NULL, 10);
	}
	return t->proto != 0;
}

static bool parse_ts(char *s, struct ts *t)
{
	char *proto = strchr(s, '@');
	char *dash = strchr(s, '-');
	struct net n;

	if (proto != NULL)
		*proto++ = '\0';
	if (dash != NULL && (proto == NULL || dash < proto)) {
		*dash = '\0';
		*t = (struct ts){ .port_hi = UINT16_MAX };
		if (!addr_parse(s, &t->lo) || !addr_parse(dash + 1, &t->hi))
			return false;
	} else {
		if (!net_parse(s, &n))
			return false;
		*t = ts_from_net(&n);
	}
	return proto == NULL || parse_ports(proto, t);
}

static bool parse_side(char *s, struct ts *v, struct ts_list *l)
{
	char *save = NULL;

	*l = (struct ts_list){ .v = v };
	for (char *one = strtok_r(s, ",", &save); one != NULL; one = strtok_r(NULL, ",", &save)) {
		if (l->n == SIDE_MAX || !parse_ts(one, &v[l->n]))
			return false;
		l->n++;
	}
	return l->n > 0;
}

static bool parse_children(struct tool *t, char **v, size_t n)
{
	for (t->n = 0; t->n < n && t->n < CHILDREN_MAX; t->n++) {
		struct host_child *c = &t->child[t->n];
		char *remote = strchr(v[t->n], '>');

		if (remote == NULL)
			return false;
		*remote++ = '\0';
		snprintf(c->connection, sizeof(c->connection), "test");
		snprintf(c->child, sizeof(c->child), "%zu", t->n);
		c->reqid = (uint32_t)t->n + 1;
		if (!parse_side(v[t->n], t->side[t->n][0], &c->local) ||
		    !parse_side(remote, t->side[t->n][1], &c->remote))
			return false;
	}
	return t->n == n;
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
		err = host_plane_set(t->host, tun, t->child, t->n, why);
	return err != OK ? done(err, why) : peer_loop(fds);
}

static int mtu(struct tool *t, const char *text)
{
	char why[HOST_WHY_MAX] = "";
	enum err err = OK;

	for (size_t i = 0; i < t->n && err == OK; i++)
		err = host_child_mtu(t->host, &t->child[i], (uint16_t)strtoul(text, NULL, 10), why);
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
	return usage(verb);
}

static int with_children(struct tool *t, char **argv, int argc)
{
	char why[HOST_WHY_MAX] = "";
	int skip = strcmp(argv[1], "guard") == 0 ? 2 : 3;

	if (argc < skip || !parse_children(t, argv + skip, (size_t)(argc - skip)))
		return usage(argv[argc - 1]);
	if (strcmp(argv[1], "guard") == 0)
		return done(host_guard_set(t->host, t->child, t->n, why), why);
	if (strcmp(argv[1], "plane") == 0)
		return done(host_plane_set(t->host, argv[2], t->child, t->n, why), why);
	if (strcmp(argv[1], "mtu") == 0)
		return mtu(t, argv[2]);
	if (strcmp(argv[1], "peer") == 0)
		return peer(t, argv[2]);
	return usage(argv[1]);
}

int main(int argc, char **argv)
{
	char why[HOST_WHY_MAX] = "";
	struct tool *t = calloc(1, sizeof(*t));
	int code = 1;

	if (t == NULL || argc < 2)
		return 2;
	if (done(host_open(&t->host, why), why) == 0)
		code = argc == 2 && strcmp(argv[1], "guard") != 0 ? without_children(t, argv[1])
								  : with_children(t, argv, argc);
	host_close(t->host);
	free(t);
	return code;
}
