/* SPDX-License-Identifier: Apache-2.0 */
/* What if the library's answer is neither yes nor no (C24, CVE-2013-2944; C25, CVE-2020-16088)? And
 * is a pre-shared key wiped whole? This program is linked with --wrap, so that the answers are
 * ours.
 */
#include <openssl/pem.h>
#include <string.h>

#include "base/secret.h"
#include "certs/cert.h"
#include "certs/keys.h"
#include "certs/verify.h"
#include "certs/x509.h"
#include "crypto/signature.h"
#include "tests/unit/certs/ask.h"
#include "tests/unit/unit.h"

enum { NOT_OURS = 99 };

static int answer = NOT_OURS;
static char wiped[64], path[] = "me.pem";

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

/* The steps on the way to a verdict, one at a time; a step that fails does nothing. */
static const char *liar;
static int lie;
static size_t n_lied;

#define WRAP_STEP(name, parameters, arguments)                           \
	int __real_##name parameters;                                    \
	int __wrap_##name parameters;                                    \
	int __wrap_##name parameters                                     \
	{                                                                \
		const bool ours = liar && strcmp(liar, #name) == 0;      \
                                                                         \
		n_lied += ours;                                          \
		return ours && lie != 1 ? lie : __real_##name arguments; \
	}

WRAP_STEP(X509_STORE_add_cert, (X509_STORE * s, X509 *x), (s, x))
WRAP_STEP(X509_STORE_up_ref, (X509_STORE * s), (s))
WRAP_STEP(X509_STORE_CTX_init,
	  (X509_STORE_CTX * ctx, X509_STORE *s, X509 *x, STACK_OF(X509) * chain),
	  (ctx, s, x, chain))
WRAP_STEP(X509_VERIFY_PARAM_set_flags, (X509_VERIFY_PARAM * param, unsigned long flags),
	  (param, flags))
WRAP_STEP(EVP_PKEY_up_ref, (EVP_PKEY * key), (key))
WRAP_STEP(X509_check_private_key, (const X509 *x, const EVP_PKEY *key), (x, key))
WRAP_STEP(X509_get_signature_info, (X509 * x, int *md, int *pk, int *bits, uint32_t *flags),
	  (x, md, pk, bits, flags))
WRAP_STEP(ASN1_TIME_diff, (int *days, int *s, const ASN1_TIME *from, const ASN1_TIME *to),
	  (days, s, from, to))
WRAP_STEP(ASN1_TIME_to_tm, (const ASN1_TIME *t, struct tm *tm), (t, tm))

static struct pki *p;
static const struct cert *root, *leaf;

static void set_up(void)
{
	answer = NOT_OURS;
	liar = NULL;
	p = pki_new();
	root = pki_ca(p, NULL, "CN=Root");
	leaf = pki_cert(p, &(struct cert_spec){ .issuer = root,
						.subject = "O=Example,CN=gw",
						.alt = "DNS:gw.example.org",
						.until = PKI_NOW + 100 * PKI_DAY });
}

static void tear_down(void)
{
	answer = NOT_OURS;
	liar = NULL;
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

static struct span key_pem(const struct cert *c)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct span kept;
	char *text;
	long len;

	ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(bio, c->key, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &text);
	kept = pki_keep(p, text, (size_t)len);
	BIO_free(bio);
	return kept;
}

/* Signed with the key of one connection, verified for another one of the same `me`. */
static bool proves(struct keys *k, struct verifier *v)
{
	const struct job s = { .kind = JOB_SIGN,
			       .sign = { .key = "lab",
					 .hashes = SIGHASH_SHA2_256,
					 .rfc7427 = true,
					 .octets = span_str(ASK_OCTETS) } };
	struct job j = { .kind = JOB_VERIFY,
			 .verify = { .connection = "lab",
				     .chain = pki_chain(p, CERTS(leaf)),
				     .claimed = pki_id("gw.example.org"),
				     .octets = span_str(ASK_OCTETS) } };
	uint8_t buf[SIG_MAX];
	struct job_result r;

	keys_do(k, &s, buf, sizeof(buf), &r);
	j.verify.method = r.method;
	j.verify.auth = r.bytes;
	if (r.err == OK)
		verifier_do(v, &j, PKI_NOW, &r);
	return r.err == OK && r.good_s > 1;
}

/* Reading, checking and using one `me` of two connections: nothing is wrong with it anywhere. */
static bool goes_well(void)
{
	struct conf_me me = { .identity = pki_id("gw.example.org"),
			      .certificate = { .path = path, .bytes = pki_pem(p, CERTS(leaf)) },
			      .key = { .path = path, .bytes = key_pem(leaf) },
			      .trust = { .path = path, .bytes = pki_pem(p, CERTS(root)) } };
	struct conf_connection cn[] = { { .name = "office", .me = &me },
					{ .name = "lab", .me = &me } };
	const struct conf c = { .mes = &me, .n_mes = 1, .connections = cn, .n_connections = 2 };
	struct conf_problems problems = { 0 };
	struct verifier *v = NULL;
	struct keys *k = NULL;
	char why[256], when[TIME_TEXT_MAX];
	bool well = keys_new(&c, &k, why) == OK && verifier_new(&c, &v, why) == OK && proves(k, v);

	cert_check(&c, PKI_NOW, &problems);
	x509_time_text(X509_get0_notAfter(leaf->x), when);
	keys_free(k);
	verifier_free(v);
	return well && problems.n == 0 && strcmp(when, "an unreadable time") != 0;
}

static const char *const steps[] = {
	"X509_STORE_add_cert",	       "X509_STORE_up_ref", "X509_STORE_CTX_init",
	"X509_VERIFY_PARAM_set_flags", "EVP_PKEY_up_ref",   "X509_check_private_key",
	"X509_get_signature_info",     "ASN1_TIME_diff",    "ASN1_TIME_to_tm",
};

START_TEST(only_1_is_a_step_on_the_way)
{
	for (lie = -2; lie <= 2; lie++) {
		bool well;

		n_lied = 0;
		liar = steps[_i];
		well = goes_well();
		liar = NULL;
		ck_assert_msg(n_lied > 0, "nothing calls %s", steps[_i]);
		ck_assert_msg(well == (lie == 1), "%s says %d", steps[_i], lie);
	}
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
	tcase_add_loop_test(tc, only_1_is_a_step_on_the_way, 0, sizeof(steps) / sizeof(steps[0]));
	tcase_add_test(tc, only_0_is_the_same_name);
	tcase_add_test(tc, only_1_and_3_are_authorities);
	tcase_add_test(tc, a_psk_is_wiped_whole);
}
