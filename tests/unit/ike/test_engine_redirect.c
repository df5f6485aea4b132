/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway sends LEFT to another one: where it may, and where not. RIGHT is the other one; at the
 * configured address nobody answers but the test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/connection.h"
#include "ike/core.h"
#include "ike/redirect.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

#define FIRST  "203.0.113.9"
#define FOLLOW "start = always\n redirect = follow"

enum { IPV4 = 1, IPV6 = 2, NAME = 3, NONCE_LEN = 32 };

static struct addr addr_of(const char *text)
{
	struct addr a;

	ck_assert(addr_parse(text, &a));
	return a;
}

static struct conn *conn_of(struct pair *p)
{
	return p->end[LEFT].e->conns[0];
}

/* What left for the first gateway, and how often something left for others. */
struct seen {
	struct addr first;
	struct ike_header h;
	uint8_t nonce[NONCE_LEN];
	size_t n_first; /* times */
	bool supports;	/* REDIRECT_SUPPORTED in the last request to it */
	uint8_t from[64];
	size_t from_len; /* REDIRECTED_FROM in the last request to another one */
};

static void see(struct seen *s, const struct message *m)
{
	s->h = m->h;
	s->n_first++;
	s->supports = message_notify(m, NOTIFY_REDIRECT_SUPPORTED, NULL);
	ck_assert_uint_eq(message_body(m, PL_NONCE).len, NONCE_LEN);
	memcpy(s->nonce, message_body(m, PL_NONCE).p, NONCE_LEN);
}

static bool watch(struct pair *p, struct datagram *d)
{
	struct seen *s = p->ctx;
	struct pl_notify n;
	struct message m;
	bool to_first = addr_eq(&d->path.local.addr, &s->first);

	if (d->to != RIGHT || message_decode(span_of(d->bytes, d->len), &m) != OK ||
	    m.h.exchange != X_IKE_SA_INIT)
		return !to_first;
	if (!to_first) {
		if (message_notify(&m, NOTIFY_REDIRECTED_FROM, &n)) {
			s->from_len = n.data.len;
			memcpy(s->from, n.data.p, n.data.len);
		}
		return true;
	}
	see(s, &m);
	return false;
}

/* ... and nobody else is there either. */
static bool watch_all(struct pair *p, struct datagram *d)
{
	(void)watch(p, d);
	return false;
}

/* LEFT with the first gateway's address in the place of RIGHT's. */
static struct pair *begin(struct seen *s, const char *options)
{
	char text[2048], *at;
	const char *was = pair_psk(LEFT, options), *word = "address = ";
	struct pair *p;

	at = strstr(was, word);
	ck_assert_ptr_nonnull(at);
	snprintf(text, sizeof(text), "%.*s" FIRST "%s", (int)(at - was) + (int)strlen(word), was,
		 strchr(at, '\n'));
	*s = (struct seen){ .first = addr_of(FIRST) };
	p = pair_new(text, pair_psk(RIGHT, ""));
	/* What left while it was made is lost; it leaves again. */
	while (p->wire) {
		struct datagram *d = p->wire;

		p->wire = d->next;
		free(d);
	}
	p->filter = watch;
	p->ctx = s;
	pair_run(p, NS_PER_S);
	ck_assert_uint_eq(s->n_first, 1);
	return p;
}

struct redirect {
	uint8_t type;
	const char *to;
	size_t nonce_len;
	uint8_t nonce_bits; /* its first byte is another one */
};

static struct span body_of(const struct seen *s, const struct redirect *r, uint8_t buf[256])
{
	struct wr w = wr_into(buf, 256);
	struct span id = span_str(r->to);
	struct addr a;

	if (r->type != NAME) {
		a = addr_of(r->to);
		id = span_of(a.b, addr_len(&a));
	}
	wr_u8(&w, r->type);
	wr_u8(&w, (uint8_t)id.len);
	wr_span(&w, id);
	if (r->nonce_len > 0) {
		wr_u8(&w, s->nonce[0] ^ r->nonce_bits);
		wr_span(&w, span_of(s->nonce + 1, r->nonce_len - 1));
	}
	ck_assert(wr_ok(&w));
	return wr_done(&w);
}

/* Says it, from the first gateway. */
static void say(struct pair *p, const struct seen *s, const struct redirect *r)
{
	uint8_t buf[512], body[256];
	struct path path = { .local = { p->end[LEFT].addr, 500 }, .remote = { s->first, 500 } };
	struct ike_header h = s->h;
	struct builder b;
	struct span out;

	h.flags = FLAG_RESPONSE;
	b = builder_message(buf, sizeof(buf), &h);
	builder_notify(&b, NOTIFY_REDIRECT, body_of(s, r, body));
	ck_assert_int_eq(builder_finish(&b, &out), OK);
	pair_deliver(p, LEFT, &path, out);
}

static const struct {
	const char *what;
	struct redirect r;
	bool followed;
} answers[] = {
	{ "to RIGHT", { IPV4, "198.51.100.2", NONCE_LEN, 0 }, true },
	{ "by somebody who did not see our nonce", { IPV4, "198.51.100.2", NONCE_LEN, 1 }, false },
	{ "a part of it", { IPV4, "198.51.100.2", NONCE_LEN - 1, 0 }, false },
	{ "without it", { IPV4, "198.51.100.2", 0, 0 }, false },
	{ "to ourselves", { IPV4, "192.0.2.1", NONCE_LEN, 0 }, false },
	{ "to whom says it", { IPV4, FIRST, NONCE_LEN, 0 }, false },
	{ "to many", { IPV4, "224.0.0.1", NONCE_LEN, 0 }, false },
	{ "to this machine", { IPV4, "127.0.0.1", NONCE_LEN, 0 }, false },
	{ "to another family", { IPV6, "2001:db8::1", NONCE_LEN, 0 }, false },
	{ "to a name", { NAME, "gw.example.org", NONCE_LEN, 0 }, false },
	{ "an IPv6 address as IPv4", { IPV4, "2001:db8::1", NONCE_LEN, 0 }, false },
};

START_TEST(a_redirect_is_followed_where_it_may_be)
{
	struct seen s;
	struct pair *p = begin(&s, FOLLOW);

	ck_assert(s.supports);
	say(p, &s, &answers[_i].r);
	pair_run(p, 400 * NS_PER_MS);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 1);
	pair_run(p, 300 * NS_PER_MS);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), answers[_i].followed ? 2 : 1);
	pair_run(p, 3 * NS_PER_S);
	pair_expect_children(p, answers[_i].followed ? 1 : 0);
	if (answers[_i].followed) {
		const uint8_t from[] = { IPV4, 4, 203, 0, 113, 9 };

		ck_assert_uint_eq(s.from_len, sizeof(from));
		ck_assert_mem_eq(s.from, from, sizeof(from));
	}
	pair_free(p);
}
END_TEST

/* Whoever sees our request can say such a thing as often as he likes; it takes no more time, nor
 * does a later word take the place of the first. */
START_TEST(the_first_redirect_counts)
{
	const struct redirect first = { IPV4, "198.51.100.2", NONCE_LEN, 0 };
	const struct redirect later = { IPV4, "203.0.113.10", NONCE_LEN, 0 };
	struct seen s;
	struct pair *p = begin(&s, FOLLOW);

	say(p, &s, &first);
	pair_run(p, 300 * NS_PER_MS);
	say(p, &s, &later);
	pair_run(p, 300 * NS_PER_MS);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 2);
	pair_run(p, 3 * NS_PER_S);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

START_TEST(without_follow_nothing_is_followed_nor_announced)
{
	struct seen s;
	struct pair *p = begin(&s, "start = always");

	ck_assert(!s.supports);
	say(p, &s, &answers[0].r);
	pair_run(p, 3 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 1);
	pair_free(p);
}
END_TEST

/* The gateway itself answers a moment later: somebody else had said it. */
START_TEST(the_true_answer_is_better)
{
	struct seen s = { .first = addr_of("198.51.100.2") };
	struct pair *p = pair_new(pair_psk(LEFT, FOLLOW), pair_psk(RIGHT, ""));
	const struct redirect away = { IPV4, "203.0.113.77", NONCE_LEN, 0 };
	struct message m;

	ck_assert_int_eq(message_decode(span_of(p->last, p->last_len), &m), OK);
	see(&s, &m);
	say(p, &s, &away);
	pair_run(p, 3 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CONNECTING), 1);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

static size_t followed(const struct pair *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->end[LEFT].n_notes; i++)
		n += p->end[LEFT].notes[i].err == ERR_REDIRECTED;
	return n;
}

/* From one to the other and back, for so many times 5 seconds. */
static void send_round(struct pair *p, struct seen *s, int times)
{
	const struct redirect to[] = { { IPV4, "203.0.113.10", NONCE_LEN, 0 },
				       { IPV4, FIRST, NONCE_LEN, 0 } };
	const struct addr there = addr_of(to[0].to);

	for (int i = 0; i < times; i++) {
		s->first = conn_of(p)->paths[0].remote.addr;
		s->n_first = 0;
		pair_run(p, 4 * NS_PER_S);
		if (s->n_first > 0)
			say(p, s, &to[addr_eq(&s->first, &there)]);
		pair_run(p, NS_PER_S);
	}
}

START_TEST(five_redirects_in_five_minutes_are_enough)
{
	struct seen s;
	struct pair *p = begin(&s, FOLLOW);

	p->filter = watch_all;
	send_round(p, &s, 40);
	ck_assert_uint_eq(followed(p), 5);
	pair_run(p, 100 * NS_PER_S);
	send_round(p, &s, 40);
	ck_assert_uint_eq(followed(p), 10);
	pair_free(p);
}
END_TEST

/* Nobody is there: the next attempt begins where the configuration says. */
START_TEST(a_redirect_into_the_void_is_forgotten)
{
	struct seen s;
	struct pair *p = begin(&s, FOLLOW);
	const struct redirect away = { IPV4, "203.0.113.77", NONCE_LEN, 0 };
	const struct addr there = addr_of("203.0.113.77");

	s.n_first = 0;
	say(p, &s, &away);
	p->filter = watch_all;
	pair_run(p, 600 * NS_PER_MS);
	ck_assert(addr_eq(&conn_of(p)->sas->path.remote.addr, &there));
	ck_assert_uint_eq(s.n_first, 0);
	pair_run(p, 60 * NS_PER_S);
	ck_assert_uint_ge(s.n_first, 1);
	ck_assert(s.supports);
	pair_free(p);
}
END_TEST

/* In IKE_AUTH its sender has proved who it is; there is no nonce in it. */
static const struct {
	struct redirect r;
	bool followed;
} proved[] = {
	{ { IPV4, "203.0.113.77", 0, 0 }, true },
	{ { IPV4, "203.0.113.77", NONCE_LEN, 0 }, false },
	{ { NAME, "gw.example.org", 0, 0 }, false },
};

START_TEST(a_proved_gateway_may_send_us_on)
{
	struct seen s = { .n_first = 0 };
	struct pair *p = pair_new(pair_psk(LEFT, FOLLOW), pair_psk(RIGHT, ""));
	uint8_t buf[512], body[256];
	struct builder b = builder_inner(buf, sizeof(buf));
	struct addr to = addr_of("203.0.113.77");
	struct message m;
	struct inner in;
	struct ike_sa *sa;

	p->end[LEFT].hold_jobs = true;
	pair_run(p, 100 * NS_PER_MS);
	sa = conn_of(p)->sas;
	ck_assert_int_eq(sa->state, S_AUTH_SENT);
	builder_notify(&b, NOTIFY_REDIRECT, body_of(&s, &proved[_i].r, body));
	ck_assert_int_eq(builder_finish_inner(&b, &in), OK);
	ck_assert_int_eq(
		message_decode_inner(&(struct ike_header){ .version = IKE_VERSION }, &in, &m), OK);
	ck_assert_int_eq(redirect_on_auth(sa, &m), proved[_i].followed);
	if (proved[_i].followed) {
		ck_assert_int_eq(sa->state, S_CLOSING);
		pair_act(p, LEFT);
		pair_run(p, 100 * NS_PER_MS);
		ck_assert_ptr_nonnull(conn_sa(conn_of(p)));
		ck_assert(addr_eq(&conn_sa(conn_of(p))->path.remote.addr, &to));
	}
	pair_free(p);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof((table)[0]))

UNIT("ike/engine-redirect")
{
	tcase_add_loop_test(tc, a_redirect_is_followed_where_it_may_be, 0, N(answers));
	tcase_add_test(tc, the_first_redirect_counts);
	tcase_add_test(tc, without_follow_nothing_is_followed_nor_announced);
	tcase_add_test(tc, the_true_answer_is_better);
	tcase_add_test(tc, five_redirects_in_five_minutes_are_enough);
	tcase_add_test(tc, a_redirect_into_the_void_is_forgotten);
	tcase_add_loop_test(tc, a_proved_gateway_may_send_us_on, 0, N(proved));
}
