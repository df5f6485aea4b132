/* SPDX-License-Identifier: Apache-2.0 */
/* Threads: no (key, IV) is used twice, numbers leave in their order, and SAs come and go under
 * traffic. Meant for the thread sanitizer too, which sees what a lucky run does not show.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp/limit.h"
#include "esp/outbound.h"
#include "esp/queue.h"
#include "esp/sad.h"
#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

enum { THREADS = 4, EACH = 5000, CHURN = 150 };

struct sealing {
	struct sa *sa;
	uint8_t *seen; /* by sequence number */
	_Atomic int twice;
};

static void *seal_many(void *arg)
{
	struct sealing *s = arg;
	uint8_t inner[61], buf[300];
	struct span p = kit_udp(inner, 61, "10.1.0.1", "10.2.0.1");

	for (int i = 0; i < EACH; i++) {
		struct wr w = wr_into(buf, sizeof(buf));
		struct rd r;
		uint64_t iv;

		pthread_mutex_lock(&s->sa->lock);
		if (outbound_seal(s->sa, p, 4, 1, &w) != DROP_NONE)
			atomic_fetch_add(&s->twice, 1);
		r = rd_from(wr_done(&w));
		rd_skip(&r, 8);
		iv = rd_u64(&r);
		if (iv == 0 || iv > THREADS * EACH || s->seen[iv]++)
			atomic_fetch_add(&s->twice, 1);
		pthread_mutex_unlock(&s->sa->lock);
	}
	return NULL;
}

START_TEST(no_iv_is_used_twice_by_threads)
{
	struct sealing s = { .seen = calloc(1, THREADS * EACH + 1) };
	pthread_t t[THREADS];
	struct kit_sa k;

	kit_sa_make(&k, &kit_suites[0], SA_OUT, 0x1000);
	ck_assert_int_eq(esp_sa_new(&k.d, NULL, &s.sa), OK);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, seal_many, &s), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	ck_assert_int_eq(atomic_load(&s.twice), 0);
	ck_assert_uint_eq(atomic_load(&s.sa->tally->seq), THREADS * EACH);
	esp_sa_free(s.sa);
	free(s.seen);
}
END_TEST

/* ---- a gateway of two workers under traffic, while its SAs are replaced ---- */

static void ignore_ike(void *ctx, const struct path *p, struct span d)
{
	(void)ctx;
	(void)p;
	(void)d;
}

static void count_event(void *ctx, const struct plane_event *ev)
{
	(void)ev;
	atomic_fetch_add((_Atomic int *)ctx, 1);
}

struct traffic {
	int tun[2], net[2], theirs[4];
	_Atomic bool stop;
	_Atomic uint64_t n_out, n_in;
};

/* The machine sends, on both TUN queues, packets of flows with and without an SA. */
static void *machine(void *arg)
{
	struct traffic *t = arg;
	uint8_t buf[400];

	for (unsigned i = 0; !atomic_load(&t->stop); i++) {
		struct span p = kit_udp(buf, 60 + i % 300, "10.1.0.1",
					i % 16 == 0 ? "10.9.0.1" : "10.2.0.1");

		(void)!send(t->tun[i % 2], p.p, p.len, MSG_DONTWAIT);
		if (i % 64 == 0)
			poll(NULL, 0, 1);
	}
	return NULL;
}

/* The network hands every datagram back, at the other socket: the outbound SA's SPI is also an
 * inbound one here. */
static void *network(void *arg)
{
	struct traffic *t = arg;
	uint8_t buf[2048];

	while (!atomic_load(&t->stop)) {
		struct pollfd p[4] = { { t->net[0], POLLIN, 0 },
				       { t->net[1], POLLIN, 0 },
				       { t->tun[0], POLLIN, 0 },
				       { t->tun[1], POLLIN, 0 } };

		poll(p, 4, 10);
		for (int i = 0; i < 4; i++) {
			ssize_t n =
				p[i].revents ? recv(p[i].fd, buf, sizeof(buf), MSG_DONTWAIT) : -1;

			if (n > 0 && i < 2) {
				(void)!send(t->net[1 - i], buf, (size_t)n, MSG_DONTWAIT);
				atomic_fetch_add(&t->n_out, 1);
			} else if (n > 0) {
				atomic_fetch_add(&t->n_in, 1);
			}
		}
	}
	return NULL;
}

static void command(struct esp *e, enum sa_op op, struct kit_sa *k)
{
	struct sa_cmd cmd = { .op = op, .sa = k->d };
	struct sa_done done;

	esp_command(e, &cmd, &done);
	ck_assert_int_eq(done.err, OK);
}

/* A rekey as the engine does it: new inbound, new outbound, old ones away, counters asked in
 * between. */
static void churn(struct esp *e)
{
	struct kit_sa in[2], out[2];

	for (unsigned i = 0; i < CHURN; i++) {
		struct kit_sa *now_in = &in[i % 2], *now_out = &out[i % 2];
		uint32_t spi = spi_user((uint8_t)(i % 2), (uint8_t)i, (uint16_t)i);

		kit_sa_make(now_out, &kit_suites[i % KIT_SUITES], SA_OUT, spi);
		kit_sa_make(now_in, &kit_suites[i % KIT_SUITES], SA_IN, spi);
		kit_sa_mirror(now_in);
		now_in->d.child_id = now_out->d.child_id = i + 1;
		command(e, SA_INSTALL, now_in);
		command(e, SA_INSTALL, now_out);
		if (i > 0) {
			command(e, SA_QUERY, &out[1 - i % 2]);
			command(e, SA_REMOVE, &out[1 - i % 2]);
			command(e, SA_REMOVE, &in[1 - i % 2]);
		}
		command(e, SA_MOVE, now_out);
		command(e, SA_QUERY, now_in);
		poll(NULL, 0, 2);
	}
}

START_TEST(sas_come_and_go_under_traffic)
{
	_Atomic int n_events = 0;
	struct esp_env env = { .n_workers = 2,
			       .raw4_fd = -1,
			       .raw6_fd = -1,
			       .to_engine = ignore_ike,
			       .event = count_event,
			       .ctx = &n_events };
	struct traffic t = { .n_out = 0 };
	pthread_t threads[2];
	struct esp_drops drops;
	struct esp *e;

	for (int i = 0; i < 2; i++) {
		int tun[2], net[2];

		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, tun), 0);
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, net), 0);
		t.tun[i] = tun[0];
		t.net[i] = net[0];
		env.tun_fd[i] = t.theirs[i] = tun[1];
		env.udp4_fd[i] = t.theirs[2 + i] = net[1];
		env.udp6_fd[i] = -1;
	}
	ck_assert_int_eq(esp_new(&env, &e), OK);
	ck_assert_int_eq(esp_start(e), OK);
	ck_assert_int_eq(pthread_create(&threads[0], NULL, machine, &t), 0);
	ck_assert_int_eq(pthread_create(&threads[1], NULL, network, &t), 0);
	churn(e);
	esp_drops(e, &drops);
	esp_flush(e);
	atomic_store(&t.stop, true);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	esp_free(e);
	for (int i = 0; i < 2; i++) {
		close(t.tun[i]);
		close(t.net[i]);
		close(t.theirs[i]);
		close(t.theirs[2 + i]);
	}
	ck_assert_uint_gt(atomic_load(&t.n_out), 0);
	ck_assert_uint_gt(atomic_load(&t.n_in), 0);
	ck_assert_uint_eq(drops.n[DROP_ICV], 0);
	ck_assert_uint_eq(drops.n[DROP_SELECTOR], 0);
	ck_assert_uint_eq(drops.n[DROP_CRYPTO], 0);
	ck_assert_int_gt(n_events, 0);
}
END_TEST

/* ---- the queue ---- */

START_TEST(a_full_queue_refuses_and_keeps_its_order)
{
	uint8_t b[4] = { 0 };
	struct esp_datagram d = { .p = b, .len = sizeof(b) };
	struct handed *h, *next;
	struct queue q;
	unsigned n = 0;

	ck_assert_int_eq(queue_init(&q), OK);
	while (queue_put(&q, &d))
		b[3] = (uint8_t)++n;
	ck_assert_uint_eq(n, 1024);
	n = 0;
	for (h = queue_take(&q); h; h = next) {
		next = h->next;
		ck_assert_uint_eq(h->d.p[3], (uint8_t)n++);
		handed_free(h);
	}
	ck_assert_uint_eq(n, 1024);
	ck_assert_ptr_null(queue_take(&q));
	ck_assert(queue_put(&q, &d));
	queue_free(&q);
}
END_TEST

START_TEST(a_queue_is_bounded_in_bytes)
{
	uint8_t *b = calloc(1, 65000);
	struct esp_datagram d = { .p = b, .len = 65000 };
	struct queue q;
	unsigned n = 0;

	ck_assert_int_eq(queue_init(&q), OK);
	while (queue_put(&q, &d))
		n++;
	ck_assert_uint_le(n * 65000, 4u << 20);
	queue_free(&q);
	free(b);
}
END_TEST

/* ---- limits ---- */

START_TEST(a_limit_gives_its_burst_and_then_its_pace)
{
	struct limit l = { .every = NS_PER_S / 10, .burst = 5 };
	mono_ns now = 1000 * NS_PER_S;
	int n = 0;

	for (int i = 0; i < 20; i++)
		n += limit_allows(&l, now);
	ck_assert_int_eq(n, 5);
	for (int i = 0; i < 100; i++)
		n += limit_allows(&l, now += NS_PER_S / 100);
	ck_assert_int_eq(n, 15);
	now += 3600 * NS_PER_S;
	for (int i = 0; i < 20; i++)
		n += limit_allows(&l, now);
	ck_assert_int_eq(n, 20);
}
END_TEST

START_TEST(acquires_are_one_a_second_per_flow_and_bounded)
{
	struct acquire_limit a;
	struct flow f = { .src = kit_addr("10.1.0.1"),
			  .dst = kit_addr("10.2.0.1"),
			  .proto = 17,
			  .dport = 1 };
	mono_ns now = 5 * NS_PER_S;
	int n = 0;

	acquire_limit_init(&a);
	ck_assert(acquire_limit_allows(&a, &f, now));
	f.dport = 2;
	ck_assert(!acquire_limit_allows(&a, &f, now + NS_PER_S - 1));
	ck_assert(acquire_limit_allows(&a, &f, now + NS_PER_S));
	for (unsigned i = 0; i < 10000; i++) {
		f.dst.b[2] = (uint8_t)(i >> 8);
		f.dst.b[3] = (uint8_t)i;
		n += acquire_limit_allows(&a, &f, now + 2 * NS_PER_S);
	}
	ck_assert_int_le(n, 32);
	ck_assert_int_gt(n, 0);
}
END_TEST

UNIT("esp/threads")
{
	tcase_add_test(tc, no_iv_is_used_twice_by_threads);
	tcase_add_test(tc, sas_come_and_go_under_traffic);
	tcase_add_test(tc, a_full_queue_refuses_and_keeps_its_order);
	tcase_add_test(tc, a_queue_is_bounded_in_bytes);
	tcase_add_test(tc, a_limit_gives_its_burst_and_then_its_pace);
	tcase_add_test(tc, acquires_are_one_a_second_per_flow_and_bounded);
}
