/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever is refused is refused without memory, too: one allocation after the other fails while a
 * peer is verified, ours and the crypto library's. Each does so for a peer of another authority;
 * for the others every thirteenth of some thousand, with MATRIX_ALL in the environment each.
 */
#include <stdlib.h>

#include "tests/unit/certs/ask.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/unit.h"

enum { ALLOCATIONS_MAX = 20000, SOME = 13 };

static struct pki *p;
static const struct cert *root, *stranger, *branch, *leaf;

static void begin(void)
{
	p = pki_new();
	root = pki_ca(p, NULL, "O=Example,CN=root");
	stranger = pki_ca(p, NULL, "O=Example,CN=stranger");
	branch = pki_ca(p, root, "O=Example,CN=branch");
	leaf = pki_leaf(p, branch, "DNS:gw.example.org");
}

static void end(void)
{
	pki_free(p);
}

/* One question of all: what is trusted, claimed, signed, and when. */
static const struct story {
	const char *name;
	bool by_stranger;
	const char *claimed;
	const char *signed_octets;
	time_t at;
	enum err want;
} stories[] = {
	{ "the peer", false, "gw.example.org", ASK_OCTETS, PKI_NOW, OK },
	{ "of another authority", true, "gw.example.org", ASK_OCTETS, PKI_NOW, ERR_CERT_UNTRUSTED },
	{ "with another name", false, "hq.example.org", ASK_OCTETS, PKI_NOW, ERR_WRONG_IDENTITY },
	{ "with another signature", false, "gw.example.org", "other octets", PKI_NOW, ERR_AUTH },
	{ "too late", false, "gw.example.org", ASK_OCTETS, PKI_UNTIL + PKI_DAY, ERR_CERT_ENDED },
};
enum { N_STORIES = sizeof(stories) / sizeof(stories[0]) };

/* `nth` 0: no allocation fails. False when there are not so many. */
static bool told(const struct story *s, const struct conf *c, const struct job *j, size_t nth)
{
	struct verifier *v;
	struct job_result r = { .err = ERR_NOMEM };
	char why[256];
	bool failed;
	enum err e;

	failing_arm(nth);
	e = verifier_new(c, &v, why);
	if (e == OK) {
		verifier_do(v, j, s->at, &r);
		verifier_free(v);
	}
	failed = failing_disarm() && nth > 0;
	if (!failed)
		ck_assert_msg(r.err == s->want, "%s: %s", s->name, err_slug(r.err));
	else if (s->want != OK)
		ck_assert_msg(r.err != OK, "%s passes when allocation %zu fails", s->name, nth);
	if (r.err == OK)
		ck_assert(identity_eq(&r.proved, &j->verify.claimed));
	return failed;
}

START_TEST(who_is_refused_is_refused_without_memory)
{
	const struct story *s = &stories[_i];
	char path[] = "ca.pem";
	struct conf_me me = {
		.trust = { .path = path,
			   .bytes = pki_pem(p, CERTS(s->by_stranger ? stranger : root)) }
	};
	struct conf_connection cn = { .name = "office", .me = &me };
	const struct conf c = { .mes = &me, .n_mes = 1, .connections = &cn, .n_connections = 1 };
	struct job j = { .ticket = 7,
			 .kind = JOB_VERIFY,
			 .verify = { .connection = "office",
				     .chain = pki_chain(p, CERTS(leaf, branch)),
				     .claimed = pki_id(s->claimed),
				     .method = AUTH_SIGNATURE,
				     .auth = ask_sign(p, leaf, AUTH_SIGNATURE, s->signed_octets),
				     .octets = span_str(ASK_OCTETS) } };
	const size_t step = s->by_stranger || getenv("MATRIX_ALL") ? 1 : SOME;
	size_t n = 1 + (size_t)_i % step;

	ck_assert(failing_has_library());
	ck_assert(!told(s, &c, &j, 0));
	for (; told(s, &c, &j, n); n += step)
		ck_assert_uint_lt(n, ALLOCATIONS_MAX);
	ck_assert(!told(s, &c, &j, 0)); /* nothing has stuck */
	ck_assert_uint_gt(n, 1000);
}
END_TEST

UNIT("memory/certs")
{
	tcase_set_timeout(tc, 600);
	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_loop_test(tc, who_is_refused_is_refused_without_memory, 0, N_STORIES);
}
