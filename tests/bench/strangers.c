/* SPDX-License-Identifier: Apache-2.0 */
/* What one packet of a stranger costs the engine, in its own process and without a network: from
 * the datagram to the answer that would leave. Time is the processor's, so that other work on the
 * machine does not count. It measures and does not judge.
 *
 *	strangers [PACKETS]	of each kind; 200000 when not said
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ike/message.h"
#include "tests/bench/engine.h"

enum { REQUEST_ROOM = 2048, WARM_UP = HALF_OPEN_COOKIE + 16 };

static const char right_conf[] =
	"me {\n identity = right.example.org\n}\n"
	"connection any {\n address = any\n identity = left.example.org\n auth = psk\n"
	" psk_file = any.psk\n"
	" child net {\n  local = 10.2.0.0/16\n  remote = 10.1.0.0/16\n }\n}\n";
static const char left_conf[] =
	"me {\n identity = left.example.org\n}\n"
	"connection any {\n address = 198.51.100.2\n identity = right.example.org\n auth = psk\n"
	" psk_file = any.psk\n start = manual\n"
	" child net {\n  local = 10.1.0.0/16\n  remote = 10.2.0.0/16\n }\n}\n";

struct bench {
	struct conf *conf;
	struct ike_engine *e;
	bench_chance chance;
	mono_ns now;
	struct path path;
	uint8_t request[REQUEST_ROOM];
	size_t len;
	uint8_t answer[REQUEST_ROOM]; /* the last one */
	size_t answer_len;
};

static void engine_begin(struct bench *b, const char *text)
{
	b->e = bench_engine_new(text, &b->chance, b->now, false, &b->conf);
}

static void engine_end(struct bench *b)
{
	ike_engine_free(b->e);
	conf_free(b->conf);
}

static size_t drain(struct bench *b)
{
	struct ike_action a;
	size_t n = 0;

	while (ike_engine_next(b->e, &a)) {
		if (a.kind != IKE_ACT_SEND || a.send.bytes.len > sizeof(b->answer))
			continue;
		memcpy(b->answer, a.send.bytes.p, a.send.bytes.len);
		b->answer_len = a.send.bytes.len;
		n++;
	}
	return n;
}

/* A genuine request, made by an engine that wants to connect. */
static void make_request(struct bench *b)
{
	struct bench left = { .chance = 88172645463325252u, .now = NS_PER_S };
	struct ike_resolved names = { .connection = "any", .n = 1 };
	struct ike_event up = { .kind = IKE_EV_UP, .command = { .connection = "any" } };
	struct ike_event resolved = { .kind = IKE_EV_RESOLVED, .resolved = &names };

	engine_begin(&left, left_conf);
	ike_engine_event(left.e, &up, left.now);
	drain(&left);
	names.paths[0] = (struct path){ .local = b->path.remote, .remote = b->path.local };
	ike_engine_event(left.e, &resolved, left.now);
	if (drain(&left) != 1) {
		fprintf(stderr, "no request was made\n");
		exit(1);
	}
	memcpy(b->request, left.answer, left.answer_len);
	b->len = left.answer_len;
	engine_end(&left);
}

/* Another stranger: SPI, address, port. */
static void another(struct bench *b)
{
	bench_draw(&b->chance, b->request, IKE_SPI_LEN);
	bench_draw(&b->chance, b->path.remote.addr.b, 4);
	bench_draw(&b->chance, &b->path.remote.port, sizeof(b->path.remote.port));
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void measure(struct bench *b, const char *what, uint64_t n)
{
	uint64_t answers = 0, before = cpu_ns(), ns;

	for (uint64_t i = 0; i < n; i++) {
		another(b);
		ike_engine_datagram(b->e, &b->path, span_of(b->request, b->len), b->now);
		answers += drain(b);
		b->now += 10 * NS_PER_US;
	}
	ns = (cpu_ns() - before) / (n > 0 ? n : 1);
	printf("%-44s %6" PRIu64 " ns a packet, %" PRIu64 " of %" PRIu64 " answered\n", what, ns,
	       answers, n);
}

/* The genuine request with a cookie before its payloads, as nobody made it. */
static void put_bad_cookie(struct bench *b)
{
	static const uint8_t none[COOKIE_LEN];
	uint8_t chain[REQUEST_ROOM];
	size_t len = b->len - IKE_HEADER_LEN;
	struct message m;
	struct builder made;
	struct span whole;

	memcpy(chain, b->request, b->len);
	if (message_decode(span_of(chain, b->len), &m) != OK)
		exit(1);
	made = builder_message(b->request, sizeof(b->request), &m.h);
	builder_notify(&made, NOTIFY_COOKIE, span_of(none, sizeof(none)));
	for (size_t i = 0; i < m.n; i++)
		builder_add(&made, m.v[i].type, m.v[i].body);
	if (builder_finish(&made, &whole) != OK || whole.len <= len)
		exit(1);
	b->len = whole.len;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
	struct bench b = { .chance = 1234567891011u, .now = NS_PER_S };

	if (!addr_parse("198.51.100.2", &b.path.local.addr) ||
	    !addr_parse("192.0.2.1", &b.path.remote.addr))
		return 1;
	b.path.local.port = b.path.remote.port = 500;
	make_request(&b);
	engine_begin(&b, right_conf);
	measure(&b, "IKE_SA_INIT, before cookies are asked for", WARM_UP);
	measure(&b, "IKE_SA_INIT without a cookie", n);
	put_bad_cookie(&b);
	measure(&b, "IKE_SA_INIT with a cookie of nobody", n);
	b.request[18] = X_IKE_AUTH;
	b.request[8] = 1;
	measure(&b, "IKE_AUTH of no SA", n);
	b.request[17] = 0x10;
	measure(&b, "IKE version 1", n);
	b.len = 100;
	measure(&b, "cut", n);
	engine_end(&b);
	return 0;
}
