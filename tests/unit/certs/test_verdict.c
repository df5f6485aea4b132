/* SPDX-License-Identifier: Apache-2.0 */
/* What if the library's answer is neither yes nor no (C24, CVE-2013-2944; C25, CVE-2020-16088)? And
 * is a pre-shared key wiped whole? This program is linked with --wrap, so that the answers are
 * ours.
 */
#include <string.h>

#include "base/secret.h"
#include "certs/cert.h"
#include "certs/keys.h"
#include "certs/x509.h"
#include "tests/unit/certs/ask.h"
#include "tests/unit/unit.h"

enum { NOT_OURS = 99 };

static int answer = NOT_OURS;
static char wiped[64];

#define WRAP(name, parameters, arguments)                  \
	int __real_##name parameters;                      \
	int __wrap_##name parameters;                      \
	int __wrap_##name parameters                       \
	{                                                  \
		const int real = __real_##name arguments;  \
		return answer == NOT_OURS ? real : answer; \
	}

WRAP(X509_verify_cert, (X509_STORE_CTX * ctx), (ctx))
WRAP(X509_NAME_cmp, (const X509_NAME *a, const X509_NAME *b), (a, b))
WRAP(X509_check_ca, (X509 * x), (x))

void __real_secret_free(void *secret, size_t len);
void __wrap_secret_free(void *secret, size_t len);
void __wrap_secret_free(void *secret, size_t len)
{
	if (secret && len < sizeof(wiped))
		memcpy(wiped, secret, len);
	__real_secret_free(secret, len);
}

static struct pki *p;
static const struct cert *root, *leaf;

static void set_up(void)
{
	answer = NOT_OURS;
	p = pki_new();
	root = pki_ca(p, NULL, "CN=Root");
	leaf = pki_leaf(p, root, "DNS:gw.example.org");
}

static void tear_down(void)
{
	answer = NOT_OURS;
	pki_free(p);
}

START_TEST(only_1_is_a_chain_that_holds)
{
	struct verifier *v = ask_verifier(p, CERTS(root));
	const struct job j = { .kind = JOB_VERIFY,
			       .verify = { .connection = "office",
					   .chain = pki_chain(p, CERTS(leaf)),
					   .claimed = pki_id("gw.example.org"),
					   .method = AUTH_SIGNATURE,
					   .auth = ask_sign(p, leaf, AUTH_SIGNATURE, ASK_OCTETS),
					   .octets = span_str(ASK_OCTETS) } };
	struct job_result r;

	for (answer = -2; answer <= 2; answer++) {
		verifier_do(v, &j, PKI_NOW, &r);
		ck_assert_int_eq(r.err == OK, answer == 1);
		ck_assert_int_eq(r.proved.type == ID_NONE, answer != 1);
	}
	answer = NOT_OURS;
	verifier_free(v);
}
END_TEST

START_TEST(only_0_is_the_same_name)
{
	const struct identity same = pki_id("O=Example,CN=gw"), other = pki_id("CN=other");

	for (answer = -2; answer <= 2; answer++) {
		ck_assert_int_eq(x509_proves(leaf->x, &same), answer == 0);
		ck_assert_int_eq(x509_proves(leaf->x, &other), answer == 0);
	}
}
END_TEST

START_TEST(only_1_and_3_are_authorities)
{
	for (answer = -2; answer <= 6; answer++)
		ck_assert_int_eq(x509_is_ca(root->x), answer == 1 || answer == 3);
}
END_TEST

START_TEST(a_psk_is_wiped_whole)
{
	struct conf_connection cn = { .name = "psk",
				      .auth = CONF_AUTH_PSK,
				      .psk = { .secret = span_str("a secret of 21 bytes!") } };
	const struct conf c = { .connections = &cn, .n_connections = 1 };
	struct keys *k;
	char why[256];

	ck_assert_int_eq(keys_new(&c, &k, why), OK);
	memset(wiped, 0, sizeof(wiped));
	keys_free(k);
	ck_assert_str_eq(wiped, "a secret of 21 bytes!");
}
END_TEST

UNIT("certs/verdict")
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, only_1_is_a_chain_that_holds);
	tcase_add_test(tc, only_0_is_the_same_name);
	tcase_add_test(tc, only_1_and_3_are_authorities);
	tcase_add_test(tc, a_psk_is_wiped_whole);
}
