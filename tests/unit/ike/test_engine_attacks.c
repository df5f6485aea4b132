/* SPDX-License-Identifier: Apache-2.0 */
/* What others fell for and no other file has a test of; doc/security.md has the table of all. */
#include <string.h>

#include "ike/cookie.h"
#include "ike/message.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

/* ---- fresh values ---- */

enum { ATTEMPTS = 4, VALUES_MAX = 4 * ATTEMPTS };

struct values {
	uint8_t v[VALUES_MAX][64]; /* the first bytes of each, which are enough */
	size_t n;
};

static void expect_new(struct values *all, struct span value)
{
	uint8_t *v = all->v[all->n];

	ck_assert_uint_lt(all->n, VALUES_MAX);
	ck_assert_uint_ge(value.len, 16);
	memcpy(v, value.p, value.len < 64 ? value.len : 64);
	for (size_t i = 0; i < all->n; i++)
		ck_assert_mem_ne(all->v[i], v, 64);
	all->n++;
}

static bool look_at_values(struct pair *p, struct datagram *d)
{
	struct message m;
	struct rd r;

	if (message_decode(span_of(d->bytes, d->len), &m) != OK || !message_has(&m, PL_KE))
		return true;
	r = rd_from(message_body(&m, PL_KE));
	rd_skip(&r, 4);
	expect_new(p->ctx, rd_rest(&r));
	expect_new(p->ctx, message_body(&m, PL_NONCE));
	return true;
}

/* A12: a private value that is used again shows in a public one that was there before. */
START_TEST(every_attempt_has_values_of_its_own_at_both_ends)
{
	static const char *const groups[] = {
		"policy = { aes256gcm16 prfsha384 x25519 }",
		"policy = { aes256gcm16 prfsha384 ecp384 }",
		"policy = { aes256gcm16 prfsha384 modp3072 }",
	};
	struct pair *p = pair_new(pair_psk(LEFT, groups[_i]), pair_psk(RIGHT, groups[_i]));
	struct values all = { .n = 0 };

	p->ctx = &all;
	p->filter = look_at_values;
	for (int i = 0; i < ATTEMPTS; i++) {
		pair_up(p, LEFT, "site");
		pair_run(p, 5 * NS_PER_S);
		pair_expect_children(p, 1);
		pair_down(p, LEFT, "site");
		pair_run(p, 5 * NS_PER_S);
	}
	ck_assert_uint_eq(all.n, 4 * ATTEMPTS);
	pair_free(p);
}
END_TEST

/* ---- cookies ---- */

static void send_cookie(struct pair *p, size_t len)
{
	static const uint8_t cookie[COOKIE_MAX + 1] = { 0xc0 };
	struct rd r = rd_from(span_of(p->last, p->last_len));
	struct path back = pair_path(p, RIGHT);
	struct ike_header h = { .version = IKE_VERSION,
				.exchange = X_IKE_SA_INIT,
				.flags = FLAG_RESPONSE };
	uint8_t buf[256];
	struct builder b;
	struct span out;

	h.spi_i = rd_u64(&r);
	b = builder_message(buf, sizeof(buf), &h);
	builder_notify(&b, NOTIFY_COOKIE, span_of(cookie, len));
	ck_assert_int_eq(builder_finish(&b, &out), OK);
	pair_deliver(p, LEFT, &back, out);
}

/* A2: a long one would be room for the block that makes two transcripts collide. */
START_TEST(a_cookie_over_64_bytes_is_not_sent_back)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	struct pl_notify n;
	struct message m;
	size_t sent;

	p->filter = pair_lose;
	pair_up(p, LEFT, "site");
	sent = p->n_sent;
	send_cookie(p, COOKIE_MAX + 1);
	send_cookie(p, 0);
	pair_run(p, 150 * NS_PER_MS);
	ck_assert_uint_eq(p->n_sent, sent);
	send_cookie(p, COOKIE_MAX);
	pair_run(p, 150 * NS_PER_MS);
	ck_assert_uint_eq(p->n_sent, sent + 1);
	/* First of all payloads (RFC 7296 2.6). */
	ck_assert_int_eq(message_decode(span_of(p->last, p->last_len), &m), OK);
	ck_assert_uint_eq(m.v[0].type, PL_NOTIFY);
	ck_assert(message_notify(&m, NOTIFY_COOKIE, &n));
	ck_assert_ptr_eq(n.data.p + n.data.len, m.v[0].body.p + m.v[0].body.len);
	ck_assert_uint_eq(n.data.len, COOKIE_MAX);
	/* Nor does one of no bytes take its place. */
	send_cookie(p, 0);
	pair_run(p, 150 * NS_PER_MS);
	ck_assert_uint_eq(p->n_sent, sent + 1);
	pair_free(p);
}
END_TEST

/* ---- a credential that is not there ---- */

struct kept { /* the last IKE_AUTH message to each side */
	uint8_t bytes[2][4096];
	size_t len[2];
	struct path path[2];
};

static bool keep_auth(struct pair *p, struct datagram *d)
{
	struct kept *k = p->ctx;

	if (d->bytes[18] == X_IKE_AUTH && d->len <= sizeof(k->bytes[0])) {
		memcpy(k->bytes[d->to], d->bytes, d->len);
		k->len[d->to] = d->len;
		k->path[d->to] = d->path;
	}
	return true;
}

/* CVE-2024-2357: the answer could not be made, the state stayed, and the retransmission found it
 * half made. */
START_TEST(a_request_that_comes_again_after_a_missing_credential_finds_nothing)
{
	struct pair *p = pair_new(_i ? pair_cert(LEFT, "fragment_size = 0") : pair_psk(LEFT, ""),
				  _i ? pair_cert(RIGHT, "fragment_size = 0") : pair_psk(RIGHT, ""));
	struct kept k = { .len = { 0 } };
	size_t before;

	p->end[RIGHT].fail_job = _i ? JOB_SIGN : JOB_PSK_MAC;
	p->end[RIGHT].fail_job_err = ERR_NO_CREDENTIAL;
	p->ctx = &k;
	p->filter = keep_auth;
	pair_up(p, LEFT, "site");
	pair_run(p, 30 * NS_PER_S);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	ck_assert_int_eq(pair_note(p, RIGHT, IKE_NOTE_REFUSED)->err, ERR_NO_CREDENTIAL);
	ck_assert_uint_gt(k.len[RIGHT], 0);
	before = p->end[RIGHT].n_dropped;
	for (int i = 0; i < 3; i++)
		pair_deliver(p, RIGHT, &k.path[RIGHT], span_of(k.bytes[RIGHT], k.len[RIGHT]));
	ck_assert_uint_eq(p->end[RIGHT].n_dropped, before + 3);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	/* The answer that refused LEFT comes again, too. */
	before = p->end[LEFT].n_dropped;
	pair_deliver(p, LEFT, &k.path[LEFT], span_of(k.bytes[LEFT], k.len[LEFT]));
	ck_assert_uint_eq(p->end[LEFT].n_dropped, before + 1);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-attacks")
{
	tcase_add_loop_test(tc, every_attempt_has_values_of_its_own_at_both_ends, 0, 3);
	tcase_add_test(tc, a_cookie_over_64_bytes_is_not_sent_back);
	tcase_add_loop_test(tc, a_request_that_comes_again_after_a_missing_credential_finds_nothing,
			    0, 2);
}
