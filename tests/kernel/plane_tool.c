/* SPDX-License-Identifier: Apache-2.0 */
/* Calls xfrm/kernel.h from a script, for tests/kernel/in-guest/plane. One command a line on the
 * standard input; each is answered by one line, "ok ..." or "error SLUG: why". host_child.h says
 * how to write a CHILD; children are numbered from 1 (REQID) in the order of `traps`. Both halves
 * of a child have SPIs that differ in the last digit alone.
 *
 *	probe | clear | flush | off
 *	traps [hold] CHILD...
 *	install in|out SPI REQID LOCAL REMOTE CHILD [transport] [acquire=N] [encap=PORT] [esn]
 *		[limit=PACKETS] [auto|crypto]
 *	move in|out SPI LOCAL REMOTE [encap=PORT]
 *	remove|query|expect in|out SPI
 *	forget REQID ACQUIRE
 *	socket			takes UDP port 4500, ESP in it goes to the kernel
 *	events MS		waits so long for one event, at most, and prints what there is
 */
#include <linux/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/net/host_child.h"
#include "xfrm/kernel.h"

enum { WORDS_MAX = 40, LINE_MAX_LEN = 4000, IKE_NATT = 4500, GCM_16 = 20 };

struct line {
	char *v[WORDS_MAX];
	size_t n;
};

static bool wrong(const char *what)
{
	printf("error usage: %s\n", what);
	return false;
}

static uint32_t number(const char *s)
{
	return (uint32_t)strtoul(s, NULL, 0);
}

static void say(enum err err, const char *why)
{
	if (err == OK)
		printf("ok %s\n", why);
	else
		printf("error %s: %s\n", err_slug(err), why);
}

/* ---- events ---- */

static void event(void *ctx, const struct plane_event *ev)
{
	static const char *const kinds[] = { "acquire", "expire", "mapping", "mtu", "gone" };
	char src[ADDR_TEXT_MAX];
	char dst[ADDR_TEXT_MAX];
	char remote[ENDPOINT_TEXT_MAX];

	*(bool *)ctx = true;
	printf("event %s dir=%s spi=%08x reqid=%u acquire=%u %s flow=%s>%s/%u/%u-%u remote=%s\n",
	       kinds[ev->kind], ev->dir == SA_IN ? "in" : "out", ev->spi, ev->reqid - SA_REQID_BASE,
	       ev->acquire, ev->soft ? "soft" : "hard", addr_text(&ev->flow.src, src),
	       addr_text(&ev->flow.dst, dst), ev->flow.proto, ev->flow.sport, ev->flow.dport,
	       endpoint_text(&ev->remote, remote));
}

/* Also what nobody is told makes the descriptor readable. */
static void events(struct kernel *k, const char *ms)
{
	struct pollfd p = { .fd = kernel_fd(k), .events = POLLIN };
	bool any = false;

	while (!any && poll(&p, 1, (int)number(ms)) > 0)
		kernel_events(k, event, &any);
	printf("ok\n");
}

/* ---- commands ---- */

/* Both ends know the key by the SPI. */
static void fill_key(struct sa_desc *d)
{
	d->encr_id = GCM_16;
	d->encr_key_bits = 128;
	d->encr_key.len = 20;
	for (size_t i = 0; i < d->encr_key.len; i++)
		d->encr_key.b[i] = (uint8_t)(d->spi >> 8 * (i % 4));
}

static void option(struct sa_desc *d, const char *s)
{
	if (strcmp(s, "transport") == 0)
		d->mode = SA_TRANSPORT;
	else if (strcmp(s, "auto") == 0)
		d->offload = OFFLOAD_AUTO;
	else if (strcmp(s, "crypto") == 0)
		d->offload = OFFLOAD_CRYPTO;
	else if (strcmp(s, "esn") == 0)
		d->esn = true;
	else if (strncmp(s, "acquire=", 8) == 0)
		d->acquire = number(s + 8);
	else if (strncmp(s, "limit=", 6) == 0)
		d->packet_limit = number(s + 6);
	else if (strncmp(s, "encap=", 6) == 0) {
		d->encap = true;
		d->path.local.port = IKE_NATT;
		d->path.remote.port = (uint16_t)number(s + 6);
	}
}

static bool path_parse(struct sa_desc *d, char **v)
{
	return addr_parse(v[0], &d->path.local.addr) && addr_parse(v[1], &d->path.remote.addr);
}

static void run(struct kernel *k, const struct sa_cmd *cmd)
{
	struct sa_done done;
	char text[200] = "";

	kernel_command(k, cmd, &done);
	if (cmd->op == SA_INSTALL && done.err == OK)
		snprintf(text, sizeof(text), "offload=%d", (int)done.offload);
	if (cmd->op == SA_QUERY && done.err == OK)
		snprintf(text, sizeof(text), "packets=%llu bytes=%llu replay=%llu integrity=%llu",
			 (unsigned long long)done.counters.packets,
			 (unsigned long long)done.counters.bytes,
			 (unsigned long long)done.counters.drop_replay,
			 (unsigned long long)done.counters.drop_integrity);
	say(done.err, done.err == OK ? text : done.why);
}

static bool command(struct kernel *k, struct line *l, enum sa_op op)
{
	struct sa_cmd cmd = { .op = op, .ticket = 1 };
	struct children c = { .n = 0 };
	size_t at = 3;

	if (l->n < 3)
		return wrong(l->v[0]);
	cmd.sa.dir = strcmp(l->v[1], "in") == 0 ? SA_IN : SA_OUT;
	cmd.sa.spi = number(l->v[2]);
	cmd.sa.child_id = cmd.sa.spi >> 4;
	cmd.sa.replay_window = 128;
	cmd.sa.offload = OFFLOAD_NO;
	fill_key(&cmd.sa);
	if (op == SA_INSTALL && l->n > 6) {
		cmd.sa.reqid = SA_REQID_BASE + number(l->v[3]);
		if (!path_parse(&cmd.sa, &l->v[4]) || !children_parse(&c, &l->v[6], 1))
			return wrong(l->v[6]);
		cmd.sa.local = c.v[0].local;
		cmd.sa.remote = c.v[0].remote;
		at = 7;
	}
	if (op == SA_MOVE && (l->n < 5 || !path_parse(&cmd.sa, &l->v[3])))
		return wrong(l->v[0]);
	for (; at < l->n; at++)
		option(&cmd.sa, l->v[at]);
	run(k, &cmd);
	children_free(&c);
	return true;
}

static void forget(struct kernel *k, const struct line *l)
{
	struct sa_cmd cmd = { .op = SA_FORGET, .ticket = 1 };

	if (l->n != 3)
		return (void)wrong(l->v[0]);
	cmd.sa.reqid = SA_REQID_BASE + number(l->v[1]);
	cmd.sa.acquire = number(l->v[2]);
	run(k, &cmd);
}

static void traps(struct kernel *k, struct line *l)
{
	bool hold = l->n > 1 && strcmp(l->v[1], "hold") == 0;
	size_t skip = hold ? 2 : 1;
	char why[HOST_WHY_MAX] = "";
	struct children c;

	if (!children_parse(&c, l->v + skip, l->n - skip)) {
		children_free(&c);
		return (void)wrong("CHILD");
	}
	for (size_t i = 0; i < c.n; i++) {
		c.v[i].reqid += SA_REQID_BASE;
		c.v[i].plane = PLANE_KERNEL;
	}
	say(kernel_traps_set(k, c.v, c.n, hold, why), why);
	children_free(&c);
}

static void probe(struct kernel *k)
{
	struct plane_caps caps;
	char text[PLANE_LACKS_MAX + 80];

	kernel_probe(k, &caps);
	snprintf(text, sizeof(text), "esp=%d encr=%u integ=%u sa_dir=%d lacks=%s",
		 plane_caps_esp(&caps), caps.n_encr, caps.n_integ, caps.sa_dir, caps.lacks);
	say(OK, text);
}

/* It is never read: the kernel takes what is ESP. */
static void encap_socket(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(IKE_NATT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int kind = UDP_ENCAP_ESPINUDP;

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &kind, sizeof(kind)) < 0)
		say(ERR_SYSTEM, "socket");
	else
		say(OK, "");
}

static bool whole(struct kernel *k, const char *verb)
{
	char why[HOST_WHY_MAX] = "";

	if (strcmp(verb, "probe") == 0)
		probe(k);
	else if (strcmp(verb, "socket") == 0)
		encap_socket();
	else if (strcmp(verb, "clear") == 0 || strcmp(verb, "off") == 0)
		say(kernel_clear(k, why), why);
	else if (strcmp(verb, "flush") == 0) {
		kernel_flush(k);
		say(OK, "");
	} else
		return false;
	return true;
}

static void one(struct kernel *k, struct line *l)
{
	static const struct {
		const char *verb;
		enum sa_op op;
	} ops[] = { { "install", SA_INSTALL },
		    { "move", SA_MOVE },
		    { "remove", SA_REMOVE },
		    { "query", SA_QUERY },
		    { "expect", SA_EXPECT } };

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (strcmp(l->v[0], ops[i].verb) == 0)
			return (void)command(k, l, ops[i].op);
	}
	if (strcmp(l->v[0], "forget") == 0)
		forget(k, l);
	else if (strcmp(l->v[0], "traps") == 0)
		traps(k, l);
	else if (strcmp(l->v[0], "events") == 0 && l->n == 2)
		events(k, l->v[1]);
	else if (!whole(k, l->v[0]))
		(void)wrong(l->v[0]);
}

int main(void)
{
	char why[HOST_WHY_MAX] = "";
	char text[LINE_MAX_LEN];
	struct kernel *k;
	enum err err = kernel_open(&k, why);

	if (err != OK) {
		fprintf(stderr, "plane_tool: %s: %s\n", err_slug(err), why);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(text, sizeof(text), stdin) != NULL) {
		struct line l = { .n = 0 };
		char *save = NULL;

		for (char *w = strtok_r(text, " \n", &save); w != NULL && l.n < WORDS_MAX;
		     w = strtok_r(NULL, " \n", &save))
			l.v[l.n++] = w;
		if (l.n > 0)
			one(k, &l);
	}
	kernel_close(k);
	return 0;
}
