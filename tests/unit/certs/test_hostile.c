/* SPDX-License-Identifier: Apache-2.0 */
/* What a stranger's chain may cost before it is refused: no more than 50 ms of this process's time,
 * however its certificates are entangled. Measured: 1 to 2 ms.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/unit/certs/ask.h"
#include "tests/unit/unit.h"

enum { N_CERTS = 10, BUDGET_MS = 50 };

static struct pki *p;
static const struct cert *root, *list[N_CERTS + 1];

static void set_up(void)
{
	p = pki_new();
	root = pki_ca(p, NULL, "CN=Root");
	memset(list, 0, sizeof(list));
}

static void tear_down(void)
{
	pki_free(p);
}

static long cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void refused_in_time(void)
{
	struct verifier *v = ask_verifier(p, CERTS(root));
	const struct job j = { .kind = JOB_VERIFY,
			       .verify = { .connection = "office",
					   .chain = pki_chain(p, list),
					   .claimed = pki_id("gw.example.org"),
					   .method = AUTH_SIGNATURE,
					   .auth = ask_sign(p, list[0], AUTH_SIGNATURE, "x"),
					   .octets = span_str("x") } };
	struct job_result r;
	long before = cpu_us(), took;

	verifier_do(v, &j, PKI_NOW, &r);
	took = cpu_us() - before;
	ck_assert(r.err == ERR_CERT_UNTRUSTED || r.err == ERR_CERT_INVALID);
	ck_assert_uint_eq(r.proved.type, ID_NONE);
	ck_assert_msg(took < BUDGET_MS * 1000, "%ld us", took);
	verifier_free(v);
}

/* Without key identifiers a name is all that there is to find an issuer by. */
static struct cert_spec anonymous(const char *subject)
{
	return (struct cert_spec){ .subject = subject, .basic = "CA:TRUE", .bare = true };
}

static void leaf_below(const struct cert *issuer)
{
	struct cert_spec s = anonymous("CN=gw");

	s.issuer = issuer;
	list[0] = pki_cert(p, &s);
}

START_TEST(ten_of_one_name_that_signed_themselves)
{
	static const char *const names[] = { "CN=Same", "CN=Root" };
	const struct cert_spec s = anonymous(names[_i]);

	for (int i = 1; i < N_CERTS; i++)
		list[i] = pki_cert(p, &s);
	leaf_below(list[5]);
	refused_in_time();
}
END_TEST

START_TEST(ten_of_one_name_that_signed_each_other)
{
	static const char *const names[] = { "CN=Same", "CN=Root" };
	struct cert_spec s = anonymous(names[_i]);

	for (int i = 1; i < N_CERTS; i++)
		s.issuer = list[i] = pki_cert(p, &s);
	leaf_below(s.issuer);
	refused_in_time();
}
END_TEST

START_TEST(two_names_in_a_ring)
{
	struct cert_spec a = anonymous("CN=A"), b = anonymous("CN=B");

	a.issuer = pki_cert(p, &b);
	for (int i = 1; i < N_CERTS; i++) {
		struct cert_spec *s = i % 2 ? &a : &b;

		list[i] = pki_cert(p, s);
		*(i % 2 ? &b.issuer : &a.issuer) = list[i];
	}
	leaf_below(list[N_CERTS - 1]);
	refused_in_time();
}
END_TEST

/* `n` times "PREFIX<number>.x", joined by commas. */
static void names_fill(char *text, size_t size, const char *prefix, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%s%zu.x", i ? "," : "", prefix,
					i);
}

/* Names times constraints are compared only when the signatures of the path hold. */
START_TEST(a_thousand_names_under_a_thousand_constraints)
{
	static char names[40000], constraints[40000];
	const struct cert_spec forged = anonymous("CN=Root");
	struct cert_spec s = anonymous("CN=CA");

	names_fill(names, sizeof(names), "DNS:a", 1000);
	names_fill(constraints, sizeof(constraints), "excluded;DNS:b", 1000);
	s.issuer = pki_cert(p, &forged);
	s.constraints = constraints;
	list[1] = pki_cert(p, &s);
	s = anonymous("CN=gw");
	s.issuer = list[1];
	s.alt = names;
	list[0] = pki_cert(p, &s);
	refused_in_time();
}
END_TEST

UNIT("certs/hostile")
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, ten_of_one_name_that_signed_themselves, 0, 2);
	tcase_add_loop_test(tc, ten_of_one_name_that_signed_each_other, 0, 2);
	tcase_add_test(tc, two_names_in_a_ring);
	tcase_add_test(tc, a_thousand_names_under_a_thousand_constraints);
}
