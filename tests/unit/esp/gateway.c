/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/esp/gateway.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

void gateway_to_engine(void *ctx, const struct path *p, struct span d)
{
	struct heard *h = ctx;

	(void)p;
	if (d.len > 0)
		atomic_fetch_add(&h->n_ike, 1);
}

void gateway_event(void *ctx, const struct plane_event *ev)
{
	struct heard *h = ctx;

	atomic_store(&h->last_kind, (int)ev->kind);
	atomic_fetch_add(&h->n_events, 1);
}

static int pair(int *ours)
{
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd), 0);
	*ours = fd[0];
	return fd[1];
}

void gateway_up(struct gateway *g, int n_workers)
{
	struct esp_env env = { .n_workers = (uint8_t)n_workers,
			       .raw6_fd = -1,
			       .to_engine = gateway_to_engine,
			       .event = gateway_event,
			       .ctx = &g->heard };

	memset(g, 0, sizeof(*g));
	g->n = n_workers;
	for (int i = 0; i < n_workers; i++) {
		env.tun_fd[i] = g->theirs[2 * i] = pair(&g->tun[i]);
		env.udp4_fd[i] = g->theirs[2 * i + 1] = pair(&g->net[i]);
		env.udp6_fd[i] = -1;
	}
	env.raw4_fd = g->theirs[4] = pair(&g->raw);
	ck_assert_int_eq(esp_new(&env, &g->esp), OK);
	ck_assert_int_eq(esp_start(g->esp), OK);
}

void gateway_down(struct gateway *g)
{
	esp_free(g->esp);
	for (int i = 0; i < g->n; i++) {
		close(g->tun[i]);
		close(g->net[i]);
	}
	close(g->raw);
	for (int i = 0; i < 5; i++)
		if (g->theirs[i] > 0)
			close(g->theirs[i]);
}

ssize_t gateway_get(int fd, uint8_t *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, PATIENCE_MS) == 1 ? read(fd, buf, size) : -1;
}

void gateway_put(int fd, struct span s)
{
	ck_assert_int_eq(write(fd, s.p, s.len), (ssize_t)s.len);
}

bool gateway_silent(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

enum err gateway_command(struct gateway *g, enum sa_op op, const struct kit_sa *k)
{
	struct sa_cmd cmd = { .ticket = 7, .op = op, .sa = k->d };
	struct sa_done done;

	esp_command(g->esp, &cmd, &done);
	ck_assert_uint_eq(done.ticket, 7);
	return done.err;
}

/* An outbound SA at `left`, its inbound side at `right`. */
void gateway_tunnel(struct gateway *left, struct gateway *right, int suite, uint32_t spi)
{
	struct kit_sa k;

	kit_sa_make(&k, &kit_suites[suite], SA_OUT, spi);
	if (left)
		ck_assert_int_eq(gateway_command(left, SA_INSTALL, &k), OK);
	kit_sa_make(&k, &kit_suites[suite], SA_IN, spi);
	kit_sa_mirror(&k);
	if (right)
		ck_assert_int_eq(gateway_command(right, SA_INSTALL, &k), OK);
}

/* Waits until the worker has dropped something for this reason. */
void gateway_dropped(struct gateway *g, enum drop why, uint64_t n)
{
	struct esp_drops d;

	for (int i = 0; i < PATIENCE_MS; i++) {
		esp_drops(g->esp, &d);
		if (d.n[why] >= n)
			break;
		poll(NULL, 0, 1);
	}
	ck_assert_msg(d.n[why] == n, "%s: %lu", drop_name(why), (unsigned long)d.n[why]);
}

void gateway_events(struct gateway *g, int n, enum plane_event_kind kind)
{
	for (int i = 0; i < PATIENCE_MS && atomic_load(&g->heard.n_events) < n; i++)
		poll(NULL, 0, 1);
	ck_assert_int_eq(atomic_load(&g->heard.n_events), n);
	ck_assert_int_eq(atomic_load(&g->heard.last_kind), (int)kind);
}
