/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict whole: chain, signature and identity, whose order decides what may be told. */
#include "certs/verify.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/certs/ask.h"
#include "tests/unit/unit.h"

static struct pki *p;
static const struct cert *root;

static void set_up(void)
{
	p = pki_new();
	root = pki_ca(p, NULL, "CN=Root");
}

static void tear_down(void)
{
	pki_free(p);
}

static const struct cert *leaf_with(EVP_PKEY *key)
{
	return pki_cert(p, &(struct cert_spec){ .issuer = root,
						.subject = "O=Example,CN=gw",
						.alt = "DNS:gw.example.org,email:gw@example.org,"
						       "IP:192.0.2.1,IP:2001:db8::1",
						.usage = "digitalSignature",
						.key = key });
}

enum { N_WAYS = 11, N_IDS = 6 };

/* Every kind of key by every method that it can be used with. */
static const struct way {
	enum test_key key;
	uint8_t method;
	const char *scheme;
} ways[N_WAYS] = {
	{ KEY_RSA_2048, AUTH_SIGNATURE, "RSA-PSS with SHA2-256" },
	{ KEY_RSA_PSS_2048, AUTH_SIGNATURE, "RSA-PSS with SHA2-256" },
	{ KEY_ECDSA_256, AUTH_SIGNATURE, "ECDSA with SHA2-256" },
	{ KEY_ECDSA_384, AUTH_SIGNATURE, "ECDSA with SHA2-384" },
	{ KEY_ECDSA_521, AUTH_SIGNATURE, "ECDSA with SHA2-512" },
	{ KEY_ED25519, AUTH_SIGNATURE, "Ed25519" },
	{ KEY_ED448, AUTH_SIGNATURE, "Ed448" },
	{ KEY_ECDSA_256, AUTH_ECDSA_256, "ECDSA-256 with SHA2-256" },
	{ KEY_ECDSA_384, AUTH_ECDSA_384, "ECDSA-384 with SHA2-384" },
	{ KEY_ECDSA_521, AUTH_ECDSA_521, "ECDSA-521 with SHA2-512" },
	{ KEY_RSA_2048_OTHER, AUTH_SIGNATURE, "RSA-PSS with SHA2-256" },
};

/* Of each kind the one that the certificate proves, and one that it does not. */
static void ids_make(const struct cert *c, struct identity mine[N_IDS],
		     struct identity other[N_IDS])
{
	static const char *const texts[2][N_IDS - 1] = {
		{ "gw.example.org", "gw@example.org", "192.0.2.1", "2001:db8::1",
		  "O=Example,CN=gw" },
		{ "hq.example.org", "hq@example.org", "192.0.2.2", "2001:db8::2",
		  "O=Example,CN=hq" },
	};

	for (size_t i = 0; i < N_IDS - 1; i++) {
		mine[i] = pki_id(texts[0][i]);
		other[i] = pki_id(texts[1][i]);
	}
	mine[N_IDS - 1] = other[N_IDS - 1] = pki_key_id(c);
	other[N_IDS - 1].b[3] ^= 0x40;
}

/* C12 (CVE-2022-4967): a good chain and a good signature, and the wrong name. */
static void refuse_identity(const struct ask *a)
{
	const struct job_result r = ask(p, a);

	ck_assert_int_eq(r.err, ERR_WRONG_IDENTITY);
	ck_assert_str_eq(r.text, "its certificate proves gw.example.org, gw@example.org, "
				 "192.0.2.1, 2001:db8::1");
	ck_assert_uint_ne(r.proved.type, ID_NONE);
}

static void judge_identities(const struct cert *c, uint8_t method)
{
	struct identity mine[N_IDS], other[N_IDS];

	ids_make(c, mine, other);
	for (size_t i = 0; i < N_IDS; i++) {
		struct ask a = { .trust = CERTS(root), .chain = CERTS(c), .method = method };

		a.claimed = mine[i];
		ask_passes(p, &a); /* wanted: any */
		a.wanted = mine[i];
		ask_passes(p, &a);
		a.wanted = other[i];
		refuse_identity(&a);
		a.wanted = mine[(i + 1) % N_IDS]; /* proved as well, but not claimed */
		refuse_identity(&a);
		a.claimed = other[i];
		a.wanted = (struct identity){ 0 };
		refuse_identity(&a);
		a.wanted = mine[i];
		refuse_identity(&a);
		a.wanted = other[i];
		refuse_identity(&a);
	}
}

START_TEST(only_the_true_identity_passes_whatever_the_method)
{
	const struct way *w = &ways[_i];
	const struct cert *c = leaf_with(pki_key(p, w->key));
	struct job_result r;

	judge_identities(c, w->method);
	r = ask(p, &(struct ask){ .trust = CERTS(root),
				  .chain = CERTS(c),
				  .claimed = pki_id("gw.example.org"),
				  .method = w->method });
	ck_assert_str_eq(r.scheme, w->scheme);
	ck_assert_uint_eq(r.method, w->method);
}
END_TEST

START_TEST(a_refused_identity_is_told_by_what_the_certificate_proves)
{
	const struct cert *c = leaf_with(NULL);
	struct ask a = { .trust = CERTS(root),
			 .chain = CERTS(c),
			 .claimed = pki_id("hq.example.org") };
	struct identity gw = pki_id("gw.example.org"), ip = pki_id("192.0.2.1");
	struct job_result r = ask(p, &a);

	ck_assert(identity_eq(&r.proved, &gw));
	a.claimed = ip;
	a.wanted = gw;
	r = ask(p, &a);
	ck_assert_int_eq(r.err, ERR_WRONG_IDENTITY);
	ck_assert(identity_eq(&r.proved, &ip));
}
END_TEST

START_TEST(wanted_names_are_compared_by_meaning)
{
	const struct cert *c = leaf_with(NULL);
	const struct identity subject = pki_id("O=Example,CN=gw");
	struct ask a = { .trust = CERTS(root), .chain = CERTS(c) };

	a.claimed = pki_id("GW.example.ORG");
	a.wanted = pki_id("gw.Example.org");
	ask_passes(p, &a);
	a.claimed = pki_dn("O=example,CN=GW", V_ASN1_PRINTABLESTRING);
	a.wanted = pki_dn("O=EXAMPLE,CN=gw", V_ASN1_T61STRING);
	a.own = &subject;
	ask_passes(p, &a);
	a.wanted.len--;
	refuse_identity(&a);
	a.wanted.len = 0;
	refuse_identity(&a);
	a.claimed = pki_id("O=Example,CN=gw");
	a.wanted = pki_id("keyid:gw");
	refuse_identity(&a);
}
END_TEST

START_TEST(a_claim_of_no_kind_is_never_proved)
{
	const struct cert *c = leaf_with(NULL);
	struct ask a = { .trust = CERTS(root), .chain = CERTS(c) };

	refuse_identity(&a);
	a.claimed = pki_id("gw.example.org");
	a.claimed.type = ID_DER_ASN1_GN;
	refuse_identity(&a);
	a.claimed.type = 201;
	a.wanted = a.claimed;
	refuse_identity(&a);
}
END_TEST

START_TEST(each_way_refuses_other_octets_and_each_flipped_bit)
{
	const struct way *w = &ways[_i];
	const struct cert *c = leaf_with(pki_key(p, w->key));
	struct span good = ask_sign(p, c, w->method, ASK_OCTETS);
	struct ask a = { .trust = CERTS(root),
			 .chain = CERTS(c),
			 .claimed = pki_id("gw.example.org"),
			 .method = w->method,
			 .signed_octets = "the signed octetS" };
	uint8_t bad[SIG_MAX];

	ask_refused(p, &a, ERR_AUTH, err_text(ERR_AUTH));
	a.auth = good;
	ask_passes(p, &a);
	memcpy(bad, good.p, good.len);
	for (size_t i = 0; i < good.len; i += 1 + good.len / 40) {
		struct job_result r;

		bad[i] ^= (uint8_t)(1u << i % 8);
		a.auth = span_of(bad, good.len);
		r = ask(p, &a);
		ck_assert_msg(r.err == ERR_AUTH || r.err == ERR_AUTH_METHOD, "byte %zu", i);
		ck_assert_uint_eq(r.proved.type, ID_NONE);
		ck_assert_str_eq(r.scheme, "");
		bad[i] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t len = 0; len < good.len; len += 1 + good.len / 40) {
		a.auth = span_of(bad, len);
		ck_assert_int_ne(ask(p, &a).err, OK);
	}
}
END_TEST

/* C25 (CVE-2020-16088): the key of the certificate decides, not what the peer says. */
START_TEST(a_key_of_another_kind_or_of_another_peer_is_refused)
{
	for (size_t i = 0; i < N_WAYS; i++) {
		const struct cert *c = leaf_with(pki_key(p, ways[i].key));

		for (size_t k = 0; k < N_WAYS; k++) {
			const struct cert *signer = leaf_with(pki_key(p, ways[k].key));
			struct job_result r =
				ask(p, &(struct ask){ .trust = CERTS(root),
						      .chain = CERTS(c),
						      .signer = signer,
						      .method = ways[k].method,
						      .claimed = pki_id("gw.example.org") });

			if (ways[i].key == ways[k].key)
				continue;
			ck_assert_msg(r.err == ERR_AUTH || r.err == ERR_AUTH_METHOD, "%zu %zu", i,
				      k);
			ck_assert_uint_eq(r.proved.type, ID_NONE);
		}
	}
}
END_TEST

START_TEST(methods_that_are_no_signature_of_ours_are_refused)
{
	const struct cert *c = leaf_with(pki_key(p, KEY_RSA_2048));
	struct ask a = { .trust = CERTS(root),
			 .chain = CERTS(c),
			 .claimed = pki_id("gw.example.org"),
			 .auth = ask_sign(p, c, AUTH_SIGNATURE, ASK_OCTETS) };

	for (unsigned int method = 1; method < 256; method++) {
		a.method = (uint8_t)method;
		if (method == AUTH_SIGNATURE)
			ask_passes(p, &a);
		else
			ask_refused(p, &a, ERR_AUTH_METHOD, err_text(ERR_AUTH_METHOD));
	}
}
END_TEST

START_TEST(keys_that_we_do_not_speak_are_refused)
{
	static const enum test_key keys[] = { KEY_ECDSA_SECP256K1, KEY_ED448 };

	for (size_t i = 0; i < 2; i++) {
		const struct cert *c = leaf_with(pki_key(p, keys[i]));

		ask_refused(p,
			    &(struct ask){ .trust = CERTS(root),
					   .chain = CERTS(c),
					   .signer = root,
					   .claimed = pki_id("gw.example.org") },
			    ERR_AUTH_METHOD, NULL);
	}
}
END_TEST

START_TEST(unreadable_chains_are_refused_in_words)
{
	const char *text = "the peer's CERT payloads hold no readable chain of at most 10";
	struct ask a = { .trust = CERTS(root), .claimed = pki_id("gw.example.org") };
	const struct cert *many[12] = { NULL };

	ask_refused(p, &a, ERR_CERT_INVALID, text);
	a.raw_chain = span_str("\0\3abc");
	ask_refused(p, &a, ERR_CERT_INVALID, text);
	for (int i = 0; i < 11; i++)
		many[i] = leaf_with(NULL);
	a.raw_chain = SPAN_EMPTY;
	a.chain = many;
	ask_refused(p, &a, ERR_CERT_INVALID, text);
	many[10] = NULL;
	ask_passes(p, &a);
}
END_TEST

/* What is changed inside of the certificate shows at its signature, wherever it is. */
START_TEST(a_flipped_bit_in_the_certificate_is_refused)
{
	const struct cert *c = leaf_with(NULL);
	struct span chain = pki_chain(p, CERTS(c));
	struct ask a = { .trust = CERTS(root),
			 .claimed = pki_id("gw.example.org"),
			 .auth = ask_sign(p, c, AUTH_SIGNATURE, ASK_OCTETS) };
	uint8_t bad[2048];

	memcpy(bad, chain.p, chain.len);
	a.raw_chain = span_of(bad, chain.len);
	ask_passes(p, &a);
	for (size_t i = 0; i < chain.len; i++) {
		struct job_result r;

		bad[i] ^= (uint8_t)(1u << i % 8);
		r = ask(p, &a);
		ck_assert_msg(r.err != OK, "byte %zu", i);
		ck_assert_uint_eq(r.proved.type, ID_NONE);
		bad[i] ^= (uint8_t)(1u << i % 8);
	}
}
END_TEST

START_TEST(a_connection_without_trust_trusts_nobody)
{
	const struct cert *c = leaf_with(NULL);
	struct ask a = { .trust = CERTS(root),
			 .chain = CERTS(c),
			 .claimed = pki_id("gw.example.org"),
			 .connection = "offic" };

	ask_refused(p, &a, ERR_CERT_UNTRUSTED, "this connection trusts no CA");
	a.connection = "";
	ask_refused(p, &a, ERR_CERT_UNTRUSTED, "this connection trusts no CA");
}
END_TEST

START_TEST(jobs_of_other_kinds_are_refused)
{
	static const enum job_kind kinds[] = { JOB_SIGN, JOB_PSK_MAC, JOB_KE };
	struct verifier *v = ask_verifier(p, CERTS(root));

	for (size_t i = 0; i < 3; i++) {
		const struct job j = { .ticket = 9, .kind = kinds[i] };
		struct job_result r;

		verifier_do(v, &j, PKI_NOW, &r);
		ck_assert_int_eq(r.err, ERR_UNSUPPORTED);
		ck_assert_uint_eq(r.ticket, 9);
		ck_assert_uint_eq(r.proved.type, ID_NONE);
	}
	verifier_free(v);
	verifier_free(NULL);
}
END_TEST

/* Two `me` blocks with a trust file each, and a connection with a pre-shared key. */
START_TEST(each_connection_trusts_what_its_own_me_trusts)
{
	const struct cert *other = pki_ca(p, NULL, "CN=Other"), *c = leaf_with(NULL);
	struct conf_me mes[] = { { .trust = { .bytes = pki_pem(p, CERTS(root)) } },
				 { .trust = { .bytes = pki_pem(p, CERTS(other)) } } };
	struct conf_connection cns[] = { { .name = "a", .me = &mes[0] },
					 { .name = "b", .me = &mes[1] },
					 { .name = "c", .me = &mes[0] },
					 { .name = "d", .me = &mes[0], .auth = CONF_AUTH_PSK } };
	const struct conf conf = { .mes = mes, .n_mes = 2, .connections = cns, .n_connections = 4 };
	struct job j = { .kind = JOB_VERIFY,
			 .verify = { .chain = pki_chain(p, CERTS(c)),
				     .claimed = pki_id("gw.example.org"),
				     .method = AUTH_SIGNATURE,
				     .auth = ask_sign(p, c, AUTH_SIGNATURE, ASK_OCTETS),
				     .octets = span_str(ASK_OCTETS) } };
	struct verifier *v;
	struct job_result r;
	char why[256];

	ck_assert_int_eq(verifier_new(&conf, &v, why), OK);
	for (size_t i = 0; i < 4; i++) {
		memcpy(j.verify.connection, cns[i].name, sizeof(cns[i].name));
		verifier_do(v, &j, PKI_NOW, &r);
		ck_assert_int_eq(r.err, i % 2 == 0 ? OK : ERR_CERT_UNTRUSTED);
	}
	verifier_free(v);
}
END_TEST

static void new_fails(struct span trust, const char *path, const char *text)
{
	char copy[32];
	struct conf_me me = { .trust = { .bytes = trust } };
	struct conf_connection cn = { .name = "office", .me = &me };
	const struct conf c = { .mes = &me, .n_mes = 1, .connections = &cn, .n_connections = 1 };
	struct verifier *v = (struct verifier *)&c;
	char why[256];

	snprintf(copy, sizeof(copy), "%s", path ? path : "");
	me.trust.path = path ? copy : NULL;
	ck_assert_int_eq(verifier_new(&c, &v, why), ERR_CONFIG);
	ck_assert_ptr_null(v);
	ck_assert_str_eq(why, text);
}

START_TEST(a_trust_file_that_is_none_is_refused_in_words)
{
	const struct cert *c = leaf_with(NULL);

	new_fails(SPAN_EMPTY, NULL,
		  "trust: it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
	new_fails(span_str("x"), "ca.pem",
		  "ca.pem: it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
	new_fails(pki_pem(p, CERTS(root, c)), "ca.pem",
		  "ca.pem: it holds O=Example, CN=gw, which is no authority (CA)");
	new_fails(span_head(pki_pem(p, CERTS(root)), 200), "ca.pem",
		  "ca.pem: certificate 1 in it is damaged");
}
END_TEST

UNIT("certs/verify")
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, only_the_true_identity_passes_whatever_the_method, 0, N_WAYS);
	tcase_add_test(tc, a_refused_identity_is_told_by_what_the_certificate_proves);
	tcase_add_test(tc, wanted_names_are_compared_by_meaning);
	tcase_add_test(tc, a_claim_of_no_kind_is_never_proved);
	tcase_add_loop_test(tc, each_way_refuses_other_octets_and_each_flipped_bit, 0, N_WAYS);
	tcase_add_test(tc, a_key_of_another_kind_or_of_another_peer_is_refused);
	tcase_add_test(tc, methods_that_are_no_signature_of_ours_are_refused);
	tcase_add_test(tc, keys_that_we_do_not_speak_are_refused);
	tcase_add_test(tc, unreadable_chains_are_refused_in_words);
	tcase_add_test(tc, a_flipped_bit_in_the_certificate_is_refused);
	tcase_add_test(tc, a_connection_without_trust_trusts_nobody);
	tcase_add_test(tc, jobs_of_other_kinds_are_refused);
	tcase_add_test(tc, each_connection_trusts_what_its_own_me_trusts);
	tcase_add_test(tc, a_trust_file_that_is_none_is_refused_in_words);
}
