/* SPDX-License-Identifier: Apache-2.0 */
/* Who must not be let in, with real keys: each way to sign, with each thing that may be wrong about
 * the key, the identity, the certificate, or the order of certificates. Beside it stands the good
 * one, which passes by each way. What engines make of a verdict is in test_matrix_auth.c of ike. */
#include <string.h>

#include "certs/verify.h"
#include "tests/unit/certs/ask.h"
#include "tests/unit/unit.h"

#define GW "gw.example.org"

static const struct way {
	enum test_key key, other; /* of the same kind where there is another one */
	uint8_t method;
} ways[] = {
	{ KEY_RSA_2048, KEY_RSA_2048_OTHER, AUTH_SIGNATURE },
	{ KEY_RSA_2048_OTHER, KEY_RSA_2048, AUTH_SIGNATURE },
	{ KEY_RSA_PSS_2048, KEY_RSA_2048, AUTH_SIGNATURE },
	{ KEY_ECDSA_256, KEY_ECDSA_384, AUTH_SIGNATURE },
	{ KEY_ECDSA_384, KEY_ECDSA_521, AUTH_SIGNATURE },
	{ KEY_ECDSA_521, KEY_ECDSA_256, AUTH_SIGNATURE },
	{ KEY_ED25519, KEY_ED448, AUTH_SIGNATURE },
	{ KEY_ED448, KEY_ED25519, AUTH_SIGNATURE },
	{ KEY_ECDSA_256, KEY_ECDSA_384, AUTH_ECDSA_256 },
	{ KEY_ECDSA_384, KEY_ECDSA_521, AUTH_ECDSA_384 },
	{ KEY_ECDSA_521, KEY_ECDSA_256, AUTH_ECDSA_521 },
};
enum { N_WAYS = sizeof(ways) / sizeof(ways[0]) };

static struct pki *p;
static const struct cert *root, *one, *stranger, *leaf, *trust[2];
static const struct way *way;
static size_t n_refused;

static struct cert_spec good(void)
{
	return (struct cert_spec){ .issuer = one,
				   .subject = "O=Example,CN=gw",
				   .alt = "DNS:" GW,
				   .usage = "digitalSignature",
				   .purpose = "serverAuth",
				   .key = pki_key(p, way->key) };
}

static void set_up(void)
{
	p = pki_new();
	root = pki_ca(p, NULL, "O=Example,CN=Root");
	one = pki_ca(p, root, "O=Example,CN=One");
	stranger = pki_ca(p, NULL, "O=Example,CN=One");
	trust[0] = root;
	n_refused = 0;
}

static void tear_down(void)
{
	pki_free(p);
}

static struct ask asked(const struct cert *const *chain)
{
	return (struct ask){ .trust = trust,
			     .chain = chain,
			     .claimed = pki_id(GW),
			     .wanted = pki_id(GW),
			     .method = way->method };
}

/* Nothing of it is believed, by whatever reason it is refused. */
static void refused(const struct ask *a, const char *what)
{
	const struct job_result r = ask(p, a);

	ck_assert_msg(r.err != OK, "way %zu, %s: is let in", (size_t)(way - ways), what);
	ck_assert_msg(r.proved.type == ID_NONE || r.err == ERR_WRONG_IDENTITY, "%s", what);
	ck_assert_uint_eq(r.good_s, 0);
	n_refused++;
}

static void begin(int i)
{
	struct cert_spec spec;
	struct ask a;

	way = &ways[i];
	spec = good();
	leaf = pki_cert(p, &spec);
	a = asked(CERTS(leaf, one));
	ask_passes(p, &a);
}

START_TEST(another_key_does_not_prove_it)
{
	static const enum test_key keys[] = { KEY_RSA_2048,  KEY_RSA_2048_OTHER, KEY_RSA_PSS_2048,
					      KEY_ECDSA_256, KEY_ECDSA_384,	 KEY_ECDSA_521,
					      KEY_ED25519,   KEY_ED448 };
	struct cert_spec spec;
	struct ask a;

	begin(_i);
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		struct cert other = { .key = pki_key(p, keys[k]) };

		if (keys[k] == way->key)
			continue;
		a = asked(CERTS(leaf, one));
		a.auth = ask_sign(p, &other, AUTH_SIGNATURE, ASK_OCTETS);
		refused(&a, "another key");
	}
	/* The certificate says the same, and has another key. */
	spec = good();
	spec.key = pki_key(p, way->other);
	a = asked(CERTS(pki_cert(p, &spec), one));
	a.signer = leaf;
	refused(&a, "the same name for another key");
	a = asked(CERTS(leaf, one));
	a.signed_octets = "other octets";
	refused(&a, "other octets");
	ck_assert_uint_eq(n_refused, 9);
}
END_TEST

START_TEST(another_method_does_not_prove_it)
{
	struct ask a;

	begin(_i);
	a = asked(CERTS(leaf, one));
	a.auth = ask_sign(p, leaf, way->method, ASK_OCTETS);
	for (unsigned method = 1; method < 256; method++) {
		a.method = (uint8_t)method;
		if (method != way->method)
			refused(&a, "another method");
	}
	ck_assert_uint_eq(n_refused, 254);
}
END_TEST

START_TEST(another_identity_is_not_proved)
{
	static const char *const texts[] = {
		"hq.example.org",  "example.org", "gw@example.org",
		"192.0.2.1",	   "2001:db8::1", "O=Example,CN=hq",
		"CN=gw,O=Example", "keyid:6777",  "gw.example.org.uk"
	};
	struct ask a;

	begin(_i);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		a = asked(CERTS(leaf, one));
		a.claimed = pki_id(texts[i]);
		refused(&a, texts[i]);
		a.wanted = a.claimed;
		refused(&a, texts[i]);
		a.claimed = pki_id(GW);
		refused(&a, texts[i]);
	}
	ck_assert_uint_eq(n_refused, 27);
}
END_TEST

START_TEST(another_certificate_does_not_prove_it)
{
	struct cert_spec bad[16];
	struct ask a;
	size_t n = 0;

	begin(_i);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		bad[i] = good();
	bad[n++].until = PKI_NOW - 1;
	bad[n++].from = PKI_NOW + 1;
	bad[n++].issuer = stranger; /* of the same name as the one that is trusted */
	bad[n++].issuer = leaf;	    /* no authority */
	bad[n++].issuer = NULL;
	bad[n++].usage = "keyEncipherment";
	bad[n++].usage = "keyAgreement,keyCertSign";
	bad[n++].purpose = "codeSigning";
	bad[n++].critical_oid = "1.2.3.4";
	bad[n++].digest = "SHA1";
	bad[n++].alt = "DNS:hq.example.org";
	bad[n++].alt = "DNS:*.example.org";
	bad[n++].alt = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct cert *c = pki_cert(p, &bad[i]);

		a = asked(CERTS(c, one));
		refused(&a, "another certificate");
		a = asked(CERTS(c, one, leaf));
		refused(&a, "another certificate before the good one");
		a = asked(CERTS(c, leaf, one, stranger));
		refused(&a, "another certificate, and all others");
	}
	ck_assert_uint_eq(n_refused, 3 * n);
}
END_TEST

START_TEST(in_another_order_they_do_not_prove_it)
{
	const struct cert *other;
	struct cert_spec spec;

	begin(_i);
	spec = good();
	spec.alt = "DNS:hq.example.org";
	spec.key = pki_key(p, way->other);
	other = pki_cert(p, &spec);
	{
		const struct cert *const *const orders[] = {
			CERTS(one, leaf),
			CERTS(one, leaf, root),
			CERTS(root, one, leaf),
			CERTS(root, leaf, one),
			CERTS(other, leaf, one),
			CERTS(other, one, leaf),
			CERTS(stranger, leaf, one),
			CERTS(leaf),
			CERTS(leaf, leaf),
			CERTS(leaf, root),
			CERTS(leaf, stranger),
			CERTS(leaf, other),
			CERTS(leaf, root, stranger),
		};

		for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
			struct ask a = asked(orders[i]);

			a.signer = leaf;
			refused(&a, "another order");
		}
	}
	ck_assert_uint_eq(n_refused, 13);
}
END_TEST

UNIT("certs/matrix")
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, another_key_does_not_prove_it, 0, N_WAYS);
	tcase_add_loop_test(tc, another_method_does_not_prove_it, 0, N_WAYS);
	tcase_add_loop_test(tc, another_identity_is_not_proved, 0, N_WAYS);
	tcase_add_loop_test(tc, another_certificate_does_not_prove_it, 0, N_WAYS);
	tcase_add_loop_test(tc, in_another_order_they_do_not_prove_it, 0, N_WAYS);
}
