/* SPDX-License-Identifier: Apache-2.0 */
/* What peers announce that we do not do: it is passed over in every message, it is never answered
 * in kind, and so it is never in force (RFC 7296 3.10.1, 3.12). Every protected message is opened
 * on its way, changed, and sealed again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/core.h"
#include "ike/protect.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

#define PSK  "auth = psk\n psk_file = a.psk"
#define CERT "auth = certificate"

/* Two children, one of them for a port at RIGHT's side. */
static const char *two(enum side s, const char *auth, const char *port)
{
	static char text[2][2048];
	int us = s == LEFT ? 1 : 2, them = 3 - us;

	snprintf(text[s], sizeof(text[s]),
		 "me {\n identity = %s\n certificate = c\n key = k\n trust = t\n}\n"
		 "connection site {\n address = %s\n identity = %s\n %s\n"
		 " start = manual\n fragment_size = 0\n"
		 " child net {\n  local = 10.%d.0.0/16\n  remote = 10.%d.0.0/16\n }\n"
		 " child web {\n  local = 10.7.%d.0/24%s\n  remote = 10.7.%d.0/24%s\n }\n}\n",
		 pair_names[s], s == LEFT ? "198.51.100.2" : "192.0.2.1", pair_names[1 - s], auth,
		 us, them, us, s == RIGHT ? port : "", them, s == LEFT ? port : "");
	return text[s];
}

static struct pair *pair_by(const char *auth, const char *port)
{
	return pair_new(two(LEFT, auth, port), two(RIGHT, auth, port));
}

/* What is put into messages, and what was found in those that are ours. */
struct look {
	uint8_t type; /* PL_NONE: nothing is put */
	uint16_t notify;
	struct span body;
	size_t n_put;
	size_t n_seen[2]; /* protected messages of either end */
	size_t n_said[2]; /* ... in which its own engine has said the same */
	size_t n_lookups; /* HTTP_CERT_LOOKUP_SUPPORTED, and certificates of other encodings */
};

static void count(struct look *l, const struct message *m, enum side from)
{
	static const uint8_t encoded[] = { PL_CERT, PL_CERTREQ };

	l->n_said[from] += l->type == PL_NOTIFY && message_notify(m, l->notify, NULL);
	l->n_said[from] += l->type == PL_VENDOR && message_has(m, PL_VENDOR);
	l->n_lookups += message_notify(m, NOTIFY_HTTP_CERT_LOOKUP_SUPPORTED, NULL);
	for (size_t i = 0; i < 2; i++) {
		for (const struct payload *p = message_find(m, encoded[i]); p;
		     p = message_next(m, p))
			l->n_lookups += p->body.p[0] != CERT_X509_SIGNATURE;
	}
}

/* The same message with one payload more, at its beginning. */
static void send_with(struct pair *p, const struct datagram *d, struct sk_keys *keys,
		      const struct message *m, const struct inner *in)
{
	static uint8_t chain[65536], sealed[65536];
	struct look *l = p->ctx;
	struct inner more = { .first = l->type };
	struct datagram *copy, **end = &p->wire;
	struct wr w = wr_into(chain, sizeof(chain));

	wr_u8(&w, in->first);
	wr_u8(&w, 0);
	wr_u16(&w, (uint16_t)(4 + l->body.len));
	wr_span(&w, l->body);
	wr_span(&w, in->chain);
	more.chain = wr_done(&w);
	keys->next_iv = (UINT64_C(1) << 40) + p->n_sent;
	w = wr_into(sealed, sizeof(sealed));
	ck_assert_int_eq(protect_seal(keys, &m->h, &more, &w), OK);
	copy = calloc(1, sizeof(*copy) + wr_len(&w));
	ck_assert_ptr_nonnull(copy);
	copy->path = d->path;
	copy->to = d->to;
	copy->len = wr_len(&w);
	memcpy(copy->bytes, sealed, copy->len);
	while (*end)
		end = &(*end)->next;
	*end = copy;
	l->n_put++;
}

static bool look(struct pair *p, struct datagram *d)
{
	static uint8_t plain[65536];
	struct wr w = wr_into(plain, sizeof(plain));
	struct look *l = p->ctx;
	struct message m, inside;
	struct sk_keys keys;
	struct inner in;

	ck_assert_int_eq(message_decode(span_of(d->bytes, d->len), &m), OK);
	if (m.h.exchange == X_IKE_SA_INIT) {
		count(l, &m, 1 - d->to);
		return true;
	}
	keys = d->to == LEFT ? sa_keys_in(pair_sa(p, LEFT)) : sa_keys_out(pair_sa(p, LEFT));
	ck_assert_int_eq(protect_open(&keys, &m, &w, &in), OK);
	ck_assert_int_eq(message_decode_inner(&m.h, &in, &inside), OK);
	l->n_seen[1 - d->to]++;
	count(l, &inside, 1 - d->to);
	if (l->type == PL_NONE)
		return true;
	send_with(p, d, &keys, &m, &in);
	return false;
}

#define NOTIFY_BODY(type, ...)                                                          \
	{                                                                               \
		0, 0, (uint8_t)((type) >> 8), (uint8_t)(type)__VA_OPT__(, ) __VA_ARGS__ \
	}

static const struct {
	const char *what;
	uint8_t type;
	uint16_t notify;
	uint8_t body[16];
	size_t len;
} announced[] = {
	{ "fragments that show no ports", PL_NOTIFY, NOTIFY_NON_FIRST_FRAGMENTS_ALSO,
	  NOTIFY_BODY(NOTIFY_NON_FIRST_FRAGMENTS_ALSO), 4 },
	{ "no padding for traffic flow confidentiality", PL_NOTIFY,
	  NOTIFY_ESP_TFC_PADDING_NOT_SUPPORTED, NOTIFY_BODY(NOTIFY_ESP_TFC_PADDING_NOT_SUPPORTED),
	  4 },
	{ "certificates by URL", PL_NOTIFY, NOTIFY_HTTP_CERT_LOOKUP_SUPPORTED,
	  NOTIFY_BODY(NOTIFY_HTTP_CERT_LOOKUP_SUPPORTED), 4 },
	{ "compression", PL_NOTIFY, NOTIFY_IPCOMP_SUPPORTED,
	  NOTIFY_BODY(NOTIFY_IPCOMP_SUPPORTED, 1, 2, 3), 7 },
	{ "more selectors are possible", PL_NOTIFY, NOTIFY_ADDITIONAL_TS_POSSIBLE,
	  NOTIFY_BODY(NOTIFY_ADDITIONAL_TS_POSSIBLE), 4 },
	{ "a window of 5", PL_NOTIFY, NOTIFY_SET_WINDOW_SIZE,
	  NOTIFY_BODY(NOTIFY_SET_WINDOW_SIZE, 0, 0, 0, 5), 8 },
	{ "a window of 0", PL_NOTIFY, NOTIFY_SET_WINDOW_SIZE,
	  NOTIFY_BODY(NOTIFY_SET_WINDOW_SIZE, 0, 0, 0, 0), 8 },
	{ "a window of no size", PL_NOTIFY, NOTIFY_SET_WINDOW_SIZE,
	  NOTIFY_BODY(NOTIFY_SET_WINDOW_SIZE), 4 },
	{ "a status that nobody knows", PL_NOTIFY, 40959, NOTIFY_BODY(40959, 1, 2, 3), 7 },
	{ "who made it", PL_VENDOR, 0, { 'O', 'p', 'a', 'q', 'u', 'e', 0, 0xff }, 8 },
	{ "a vendor ID of nothing", PL_VENDOR, 0, { 0 }, 0 },
};
enum { N_ANNOUNCED = sizeof(announced) / sizeof(announced[0]) };

START_TEST(what_we_do_not_do_is_passed_over_and_not_answered)
{
	struct look l = { .type = announced[_i].type,
			  .notify = announced[_i].notify,
			  .body = span_of(announced[_i].body, announced[_i].len) };
	struct pair *p = pair_by(PSK, "[tcp/443]");

	p->ctx = &l;
	p->filter = look;
	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	/* IKE_AUTH and CREATE_CHILD_SA, both directions */
	ck_assert_uint_eq(l.n_put, 4);
	pair_expect_children(p, 2);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ck_assert_msg(l.n_said[s] == 0, "we say it, too: %s", announced[_i].what);
		ck_assert_uint_eq(pair_count(p, s, IKE_NOTE_CHILD_FAILED), 0);
	}
	pair_free(p);
}
END_TEST

/* A URL from a stranger is not followed, and who does not offer it gets no such certificate (RFC
 * 7296 3.6). */
START_TEST(certificates_are_never_asked_for_by_url)
{
	struct look l = { .type = PL_NONE };
	struct pair *p = pair_by(CERT, "[tcp/443]");

	p->ctx = &l;
	p->filter = look;
	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	pair_expect_children(p, 2);
	ck_assert_uint_eq(l.n_seen[LEFT], 2);
	ck_assert_uint_eq(l.n_seen[RIGHT], 2);
	ck_assert_uint_eq(l.n_lookups, 0);
	pair_free(p);
}
END_TEST

START_TEST(control_what_is_said_would_be_seen)
{
	struct look l = { .type = PL_NOTIFY, .notify = NOTIFY_SIGNATURE_HASH_ALGORITHMS };
	uint8_t body[] = NOTIFY_BODY(NOTIFY_HTTP_CERT_LOOKUP_SUPPORTED);
	struct pair *p = pair_by(PSK, "[tcp/443]");

	l.body = span_of(body, sizeof(body));
	p->ctx = &l;
	p->filter = look;
	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	ck_assert_uint_eq(l.n_said[LEFT], 1);
	ck_assert_uint_eq(l.n_said[RIGHT], 1);
	pair_free(p);
}
END_TEST

/* ---- signatures ---- */

static bool hides_hashes(struct pair *p, struct datagram *d)
{
	const enum side *from = p->ctx;

	if (d->to != *from && pair_hide_notify(p, d, NOTIFY_SIGNATURE_HASH_ALGORITHMS))
		p->answered = true;
	return true;
}

/* Who has not announced hashes is signed for by a method of RFC 4754, and its own is taken. */
START_TEST(methods_9_to_11_are_for_peers_without_rfc_7427)
{
	static const uint8_t methods[] = { AUTH_ECDSA_256, AUTH_ECDSA_384, AUTH_ECDSA_521 };
	struct pair *p = pair_by(CERT, "[tcp/443]");
	enum side old = _i % 2 ? LEFT : RIGHT;

	for (enum side s = LEFT; s <= RIGHT; s++)
		p->end[s].sign_method = methods[_i / 2];
	p->ctx = &old;
	p->filter = hides_hashes;
	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	ck_assert(p->answered);
	pair_expect_children(p, 2);
	ck_assert(!p->end[1 - old].rfc7427);
	ck_assert(p->end[old].rfc7427);
	pair_free(p);
}
END_TEST

/* OPAQUE (RFC 4301 4.4.1.1): a child for the fragments that show no port. */
START_TEST(fragments_without_ports_may_have_a_child_of_their_own)
{
	struct pair *p = pair_by(PSK, "[udp/opaque]");

	pair_up(p, LEFT, "site");
	pair_run(p, NS_PER_S);
	pair_expect_children(p, 2);
	ck_assert_str_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_UP)->text,
			 "10.7.1.0/24 = 10.7.2.0/24 udp/opaque");
	ck_assert_str_eq(pair_note(p, RIGHT, IKE_NOTE_CHILD_UP)->text,
			 "10.7.2.0/24 udp/opaque = 10.7.1.0/24");
	pair_free(p);
}
END_TEST

UNIT("ike/engine-abilities")
{
	tcase_add_loop_test(tc, what_we_do_not_do_is_passed_over_and_not_answered, 0, N_ANNOUNCED);
	tcase_add_test(tc, certificates_are_never_asked_for_by_url);
	tcase_add_test(tc, control_what_is_said_would_be_seen);
	tcase_add_loop_test(tc, methods_9_to_11_are_for_peers_without_rfc_7427, 0, 6);
	tcase_add_test(tc, fragments_without_ports_may_have_a_child_of_their_own);
}
