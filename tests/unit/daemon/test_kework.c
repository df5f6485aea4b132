/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "crypto/ke.h"
#include "daemon/kework.h"
#include "tests/unit/unit.h"

/* Two private values of a slow group; the worker computes what ke_ does. */
struct both {
	struct loop *loop;
	int n;
	int wanted;
	struct job_result r[4];
	uint8_t bytes[4][KE_PUBLIC_MAX];
};

static void on_done(void *ctx, const struct job_result *r)
{
	struct both *b = ctx;

	b->r[b->n] = *r;
	if (r->bytes.len > 0)
		memcpy(b->bytes[b->n], r->bytes.p, r->bytes.len);
	if (++b->n == b->wanted)
		loop_stop(b->loop, 0);
}

START_TEST(the_thread_computes_what_the_library_does)
{
	const struct ke_group *g = ke_find(KE_MODP_3072);
	uint8_t ours[KE_PRIVATE_MAX], theirs[KE_PRIVATE_MAX], pub[KE_PUBLIC_MAX],
		want[KE_SECRET_MAX];
	struct both b = { .wanted = 2 };
	struct kework *k;
	struct job j = { .ticket = 5, .kind = JOB_KE, .ke = { .group = KE_MODP_3072 } };

	memset(ours, 0x42, sizeof ours);
	memset(theirs, 0x24, sizeof theirs);
	ck_assert_int_eq(loop_new(&b.loop), OK);
	ck_assert_int_eq(kework_new(b.loop, on_done, &b, &k), OK);
	ck_assert_int_eq(ke_public(g, span_of(theirs, g->private_len), pub), OK);
	j.ke.secret = span_of(ours, g->private_len);
	ck_assert_int_eq(kework_put(k, &j), OK);
	j.ticket = 6;
	j.ke.peer = span_of(pub, g->public_len);
	ck_assert_int_eq(kework_put(k, &j), OK);
	/* The job's bytes need not live on. */
	secret_wipe(ours, sizeof ours);
	ck_assert_int_eq(loop_run(b.loop), 0);
	for (int i = 0; i < 2; i++) {
		bool shared = b.r[i].ticket == 6;

		ck_assert_int_eq(b.r[i].err, OK);
		ck_assert_int_eq(b.r[i].kind, JOB_KE);
		memset(ours, 0x42, sizeof ours);
		if (shared)
			ck_assert_int_eq(ke_shared(g, span_of(ours, g->private_len),
						   span_of(pub, g->public_len), want),
					 OK);
		else
			ck_assert_int_eq(ke_public(g, span_of(ours, g->private_len), want), OK);
		ck_assert_int_eq(memcmp(want, b.bytes[i], shared ? g->secret_len : g->public_len),
				 0);
	}
	kework_free(k);
	loop_free(b.loop);
}
END_TEST

START_TEST(a_peers_bad_value_is_an_error_and_no_secret)
{
	const struct ke_group *g = ke_find(KE_MODP_2048);
	uint8_t ours[KE_PRIVATE_MAX], pub[KE_PUBLIC_MAX] = { 0 };
	struct both b = { .wanted = 1 };
	struct kework *k;
	struct job j = { .ticket = 7, .kind = JOB_KE, .ke = { .group = KE_MODP_2048 } };

	memset(ours, 0x42, sizeof ours);
	ck_assert_int_eq(loop_new(&b.loop), OK);
	ck_assert_int_eq(kework_new(b.loop, on_done, &b, &k), OK);
	j.ke.secret = span_of(ours, g->private_len);
	j.ke.peer = span_of(pub, g->public_len);
	ck_assert_int_eq(kework_put(k, &j), OK);
	ck_assert_int_eq(loop_run(b.loop), 0);
	ck_assert_int_eq(b.r[0].err, ERR_KE_VALUE);
	ck_assert_uint_eq(b.r[0].bytes.len, 0);
	kework_free(k);
	loop_free(b.loop);
}
END_TEST

START_TEST(what_is_no_job_is_refused_and_too_many_too)
{
	const struct ke_group *g = ke_find(KE_MODP_2048);
	uint8_t ours[KE_PRIVATE_MAX] = { 1 };
	struct both b = { 0 };
	struct kework *k;
	struct job j = { .kind = JOB_KE, .ke = { .group = 1 } };
	enum err e = OK;

	ck_assert_int_eq(loop_new(&b.loop), OK);
	ck_assert_int_eq(kework_new(b.loop, on_done, &b, &k), OK);
	j.ke.secret = span_of(ours, 8);
	ck_assert_int_eq(kework_put(k, &j), ERR_UNSUPPORTED);
	j.ke.group = KE_MODP_2048;
	ck_assert_int_eq(kework_put(k, &j), ERR_UNSUPPORTED);
	j.ke.secret = span_of(ours, g->private_len);
	for (int i = 0; i < 1000 && e == OK; i++)
		e = kework_put(k, &j);
	ck_assert_int_eq(e, ERR_LIMIT);
	kework_free(k);
	loop_free(b.loop);
}
END_TEST

UNIT("daemon/kework")
{
	tcase_add_test(tc, the_thread_computes_what_the_library_does);
	tcase_add_test(tc, a_peers_bad_value_is_an_error_and_no_secret);
	tcase_add_test(tc, what_is_no_job_is_refused_and_too_many_too);
}
