/* SPDX-License-Identifier: Apache-2.0 */
/* The signer: which files are keys, and that nothing but signatures and MACs by the right key comes
 * out of it. */
#include "certs/keys.h"

#include <openssl/pem.h>
#include <string.h>

#include "crypto/ossl.h"
#include "crypto/signature.h"
#include "tests/unit/certs/pki.h"
#include "tests/unit/crypto/hex.h"
#include "tests/unit/unit.h"

#define OCTETS	   "the signed octets"
#define PASSPHRASE "open sesame"
#define PSK	   "correct horse battery staple"

static struct pki *p;

static void set_up(void)
{
	p = pki_new();
}

static void tear_down(void)
{
	pki_free(p);
}

enum form { PKCS8, TRADITIONAL, PUBLIC };

/* NULL cipher: in the clear. */
static struct span key_pem(EVP_PKEY *key, enum form form, const EVP_CIPHER *cipher)
{
	unsigned char *pass = cipher ? (unsigned char *)(uintptr_t)PASSPHRASE : NULL;
	const int pass_len = cipher ? (int)strlen(PASSPHRASE) : 0;
	BIO *bio = BIO_new(BIO_s_mem());
	struct span kept;
	char *text;
	long len;
	int rc = 0;

	switch (form) {
	case PKCS8:
		rc = PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, (char *)pass, pass_len, NULL,
						   NULL);
		break;
	case TRADITIONAL:
		rc = PEM_write_bio_PrivateKey_traditional(bio, key, cipher, pass, pass_len, NULL,
							  NULL);
		break;
	case PUBLIC:
		rc = PEM_write_bio_PUBKEY(bio, key);
		break;
	}
	ck_assert_int_eq(rc, 1);
	len = BIO_get_mem_data(bio, &text);
	kept = pki_keep(p, text, (size_t)len);
	BIO_free(bio);
	return kept;
}

static void opens(struct span pem, const char *passphrase, const EVP_PKEY *wanted)
{
	char why[256] = "";
	EVP_PKEY *key = key_from_pem(pem, span_str(passphrase), why);

	ck_assert_msg(key != NULL, "%s", why);
	ck_assert_int_eq(EVP_PKEY_eq(key, wanted), 1);
	EVP_PKEY_free(key);
	ck_assert_uint_eq(ERR_peek_error(), 0);
}

static void refused(struct span pem, const char *passphrase, const char *text)
{
	char why[256] = "";

	ck_assert_ptr_null(key_from_pem(pem, span_str(passphrase), why));
	ck_assert_str_eq(why, text);
	ck_assert_uint_eq(ERR_peek_error(), 0);
}

static const enum test_key kinds[] = { KEY_RSA_2048,  KEY_RSA_PSS_2048, KEY_ECDSA_256,
				       KEY_ECDSA_384, KEY_ECDSA_521,	KEY_ED25519,
				       KEY_ED448 };

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

#define NO_PASSPHRASE	 "the key is encrypted and no passphrase_file is set"
#define WRONG_PASSPHRASE "the passphrase does not open the key, or the key is damaged"

START_TEST(every_kind_of_key_opens_in_every_form)
{
	const enum test_key kind = kinds[_i];
	EVP_PKEY *key = pki_key(p, kind);

	opens(key_pem(key, PKCS8, NULL), "", key);
	opens(key_pem(key, PKCS8, NULL), "not needed", key);
	opens(key_pem(key, PKCS8, EVP_aes_256_cbc()), PASSPHRASE, key);
	refused(key_pem(key, PKCS8, EVP_aes_256_cbc()), "", NO_PASSPHRASE);
	refused(key_pem(key, PKCS8, EVP_aes_256_cbc()), "open sesam", WRONG_PASSPHRASE);
	refused(key_pem(key, PKCS8, EVP_aes_256_cbc()), PASSPHRASE "\n", WRONG_PASSPHRASE);
	if (kind != KEY_RSA_2048 && (kind < KEY_ECDSA_256 || kind > KEY_ECDSA_521))
		return; /* there is no traditional form */
	opens(key_pem(key, TRADITIONAL, NULL), "", key);
	opens(key_pem(key, TRADITIONAL, EVP_aes_128_cbc()), PASSPHRASE, key);
	refused(key_pem(key, TRADITIONAL, EVP_aes_128_cbc()), "", NO_PASSPHRASE);
	refused(key_pem(key, TRADITIONAL, EVP_aes_128_cbc()), "open sesam", WRONG_PASSPHRASE);
}
END_TEST

START_TEST(a_file_without_a_key_says_what_it_holds)
{
	const struct cert *c = pki_leaf(p, NULL, "DNS:a.org");
	const char *none = "it holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)";

	refused(SPAN_EMPTY, "", none);
	refused(span_str("garbage"), "", none);
	refused(span_str("-----BEGIN "), "", none);
	refused(pki_der(p, c), "", none);
	refused(key_pem(c->key, PUBLIC, NULL), "", "it holds a PUBLIC KEY, not a private key");
	refused(pki_pem(p, CERTS(c)), "", "it holds a CERTIFICATE, not a private key");
}
END_TEST

/* A certificate may stand before its key. */
START_TEST(the_key_is_found_behind_a_certificate)
{
	const struct cert *c = pki_leaf(p, NULL, "DNS:a.org");
	struct span cert = pki_pem(p, CERTS(c)), key = key_pem(c->key, PKCS8, NULL);
	uint8_t both[4096];
	struct wr w = wr_into(both, sizeof(both));

	wr_span(&w, cert);
	wr_span(&w, key);
	opens(wr_done(&w), "", c->key);
}
END_TEST

START_TEST(a_damaged_key_is_refused_wherever_it_is_cut)
{
	EVP_PKEY *key = pki_key(p, KEY_ECDSA_256);
	struct span pem = key_pem(key, PKCS8, NULL);
	const size_t head = strlen("-----BEGIN PRIVATE KEY-----\n");
	char why[256];

	for (size_t len = 0; len + 2 < pem.len; len++)
		ck_assert_ptr_null(key_from_pem(span_head(pem, len), SPAN_EMPTY, why));
	refused(span_head(pem, head + 20), "", "the private key in it is damaged");
}
END_TEST

START_TEST(a_passphrase_of_any_length_is_no_overflow)
{
	static char pass[5000];
	struct span pem = key_pem(pki_key(p, KEY_ECDSA_256), PKCS8, EVP_aes_256_cbc());
	char why[256];

	memset(pass, 'x', sizeof(pass));
	for (size_t len = 1; len < sizeof(pass); len += 1023)
		ck_assert_ptr_null(key_from_pem(pem, span_of(pass, len), why));
}
END_TEST

START_TEST(keys_that_no_peer_takes_are_refused)
{
	const char *kind = "the key is of a kind that we do not speak: RSA, ECDSA on P-256, P-384 "
			   "or P-521, Ed25519 or Ed448";

	refused(key_pem(pki_key(p, KEY_RSA_1024), PKCS8, NULL), "",
		"the key is too weak, or longer than 8192 bits: RSA needs 2048");
	refused(key_pem(pki_key(p, KEY_ECDSA_SECP256K1), PKCS8, NULL), "", kind);
	refused(key_pem(pki_key(p, KEY_X25519_ONLY), PKCS8, NULL), "", kind);
}
END_TEST

/* Two connections of one `me` with certificates, one with a pre-shared key. */
static struct keys *store(EVP_PKEY *key)
{
	struct conf_me me = { .key = { .bytes = key_pem(key, PKCS8, NULL) } };
	struct conf_connection cns[] = {
		{ .name = "office", .me = &me },
		{ .name = "psk",
		  .me = &me,
		  .auth = CONF_AUTH_PSK,
		  .psk = { .secret = span_str(PSK) } },
		{ .name = "branch", .me = &me },
		{ .name = "nopsk", .me = &me, .auth = CONF_AUTH_PSK },
	};
	const struct conf c = { .mes = &me, .n_mes = 1, .connections = cns, .n_connections = 4 };
	struct keys *k;
	char why[256];

	ck_assert_msg(keys_new(&c, &k, why) == OK, "%s", why);
	return k;
}

static struct job job_of(enum job_kind kind, const char *name)
{
	struct job j = { .ticket = 3, .kind = kind };

	if (kind == JOB_PSK_MAC) {
		j.psk_mac = (struct job_psk_mac){ .prf_id = 5, .octets = span_str(OCTETS) };
		memcpy(j.psk_mac.key, name, strlen(name));
	} else {
		j.sign = (struct job_sign){ .hashes = SIGHASH_SHA2_256 | SIGHASH_IDENTITY,
					    .rfc7427 = true,
					    .octets = span_str(OCTETS) };
		memcpy(j.sign.key, name, strlen(name));
	}
	return j;
}

static void fails(struct keys *k, const struct job *j, enum err err, const char *text)
{
	uint8_t buf[SIG_MAX] = { 0 };
	struct job_result r;

	keys_do(k, j, buf, sizeof(buf), &r);
	ck_assert_int_eq(r.err, err);
	ck_assert_str_eq(r.text, text);
	ck_assert_str_eq(r.scheme, "");
	ck_assert_uint_eq(r.bytes.len, 0);
	ck_assert_uint_eq(r.method, 0);
	ck_assert_uint_eq(r.ticket, 3);
	ck_assert_int_eq(r.kind, j->kind);
}

START_TEST(a_signature_is_made_by_the_key_of_the_connection)
{
	EVP_PKEY *key = pki_key(p, kinds[_i]);
	struct keys *k = store(key);
	static const char *const names[] = { "office", "branch" };

	for (size_t i = 0; i < 2; i++) {
		const struct job j = job_of(JOB_SIGN, names[i]);
		uint8_t buf[SIG_MAX];
		struct job_result r;
		const char *scheme;

		keys_do(k, &j, buf, sizeof(buf), &r);
		ck_assert_msg(r.err == OK, "%s", r.text);
		ck_assert_uint_eq(r.method, AUTH_SIGNATURE);
		ck_assert_ptr_eq(r.bytes.p, buf);
		ck_assert_int_eq(
			signature_verify(key, r.method, r.bytes, span_str(OCTETS), &scheme), OK);
		ck_assert_str_eq(r.scheme, scheme);
		ck_assert_str_eq(r.text, "");
	}
	keys_free(k);
}
END_TEST

START_TEST(each_me_speaks_with_its_own_key)
{
	EVP_PKEY *keys[] = { pki_key(p, KEY_ECDSA_256), pki_key(p, KEY_ED25519) };
	struct conf_me mes[] = { { .key = { .bytes = key_pem(keys[0], PKCS8, NULL) } },
				 { .key = { .bytes = key_pem(keys[1], PKCS8, NULL) } } };
	struct conf_connection cns[] = { { .name = "a", .me = &mes[0] },
					 { .name = "b", .me = &mes[1] } };
	const struct conf c = { .mes = mes, .n_mes = 2, .connections = cns, .n_connections = 2 };
	struct keys *k;
	char why[256];

	ck_assert_int_eq(keys_new(&c, &k, why), OK);
	for (size_t i = 0; i < 2; i++) {
		const struct job j = job_of(JOB_SIGN, cns[i].name);
		uint8_t buf[SIG_MAX];
		struct job_result r;
		const char *scheme;

		keys_do(k, &j, buf, sizeof(buf), &r);
		ck_assert_int_eq(r.err, OK);
		ck_assert_int_eq(signature_verify(keys[i], r.method, r.bytes, span_str(OCTETS),
						  &scheme),
				 OK);
	}
	keys_free(k);
}
END_TEST

/* Numbers from Python's hmac and hashlib: HMAC(HMAC(PSK, "Key Pad for IKEv2"), octets). */
START_TEST(a_psk_mac_is_that_of_the_rfc)
{
	static const struct {
		uint16_t prf;
		const char *mac;
	} cases[] = {
		{ 5, "e3d5d18825a8e3e88303f717b127bae590030d05c12976a9cbb82c577891199b" },
		{ 6, "377531edd1cbd250c36e0b5f134eb21228de513b6be20d139472d0d7c392f091"
		     "c76c397f1b0bc7218b2fcaea4d7017a8" },
		{ 7, "f84d12118bc1765c939257d1177a4627a0cb507a8dbaa8f0c079eb87f772c03c"
		     "e7e973adb84303792100113c890c90499e19596fa20801b288c03db054ac3eb5" },
		{ 2, "714f5d91cd63768ba8206c11cc39bb88f4582786" },
	};
	struct keys *k = store(pki_key(p, KEY_ECDSA_256));

	for (size_t i = 0; i < 4; i++) {
		struct job j = job_of(JOB_PSK_MAC, "psk");
		uint8_t buf[SIG_MAX];
		struct job_result r;

		j.psk_mac.prf_id = cases[i].prf;
		keys_do(k, &j, buf, sizeof(buf), &r);
		ck_assert_int_eq(r.err, OK);
		ck_assert_uint_eq(r.method, AUTH_PSK);
		hex_expect(cases[i].mac, r.bytes);
	}
	keys_free(k);
}
END_TEST

/* 200 times 'k': longer than a block of the hash. */
START_TEST(a_long_psk_is_used_whole)
{
	char psk[200] = { 0 };
	struct conf_connection cn = { .name = "psk",
				      .auth = CONF_AUTH_PSK,
				      .psk = { .secret = span_of(psk, sizeof(psk)) } };
	const struct conf c = { .connections = &cn, .n_connections = 1 };
	const struct job j = job_of(JOB_PSK_MAC, "psk");
	uint8_t buf[SIG_MAX];
	struct job_result r;
	struct keys *k;
	char why[256];

	memset(psk, 'k', sizeof(psk));
	ck_assert_int_eq(keys_new(&c, &k, why), OK);
	memset(psk, 0, sizeof(psk)); /* the store has its own */
	keys_do(k, &j, buf, sizeof(buf), &r);
	ck_assert_int_eq(r.err, OK);
	hex_expect("d3317a6488b12df1df2049721a3665a8695562f9f16ee83f2d50f444911be41f", r.bytes);
	keys_free(k);
}
END_TEST

START_TEST(who_has_no_key_gets_nothing)
{
	struct keys *k = store(pki_key(p, KEY_ECDSA_256));
	static const struct {
		enum job_kind kind;
		const char *name;
	} cases[] = {
		{ JOB_SIGN, "nobody" },	   { JOB_SIGN, "" },	      { JOB_SIGN, "psk" },
		{ JOB_SIGN, "offic" },	   { JOB_PSK_MAC, "nobody" }, { JOB_PSK_MAC, "" },
		{ JOB_PSK_MAC, "office" }, { JOB_PSK_MAC, "nopsk" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct job j = job_of(cases[i].kind, cases[i].name);

		fails(k, &j, ERR_NO_CREDENTIAL, "no key for this connection");
	}
	keys_free(k);
}
END_TEST

START_TEST(jobs_that_are_not_the_signers_are_refused)
{
	struct keys *k = store(pki_key(p, KEY_RSA_2048));
	struct job j = { .ticket = 3, .kind = JOB_VERIFY };

	fails(k, &j, ERR_UNSUPPORTED, err_text(ERR_UNSUPPORTED));
	j.kind = JOB_KE;
	fails(k, &j, ERR_UNSUPPORTED, err_text(ERR_UNSUPPORTED));
	j = job_of(JOB_PSK_MAC, "psk");
	j.psk_mac.prf_id = 1; /* HMAC-MD5 */
	fails(k, &j, ERR_UNSUPPORTED, err_text(ERR_UNSUPPORTED));
	keys_free(k);
}
END_TEST

START_TEST(a_peer_that_takes_no_signature_of_ours_is_told_so)
{
	struct keys *k = store(pki_key(p, KEY_RSA_2048));
	struct job j = job_of(JOB_SIGN, "office");
	const char *text = "the peer takes no signature that our key can make";

	j.sign.hashes = SIGHASH_SHA1;
	fails(k, &j, ERR_AUTH_METHOD, text);
	j.sign.hashes = SIGHASH_SHA2_256;
	j.sign.rfc7427 = false;
	fails(k, &j, ERR_AUTH_METHOD, text);
	keys_free(k);
}
END_TEST

START_TEST(a_buffer_that_is_too_small_gets_no_half_of_a_signature)
{
	struct keys *k = store(pki_key(p, KEY_RSA_2048));
	struct job j = job_of(JOB_SIGN, "office");
	uint8_t buf[SIG_MAX];
	struct job_result r;

	for (size_t size = 0; size < 320; size += 40) {
		keys_do(k, &j, buf, size, &r);
		ck_assert_int_eq(r.err, ERR_SPACE);
		ck_assert_uint_eq(r.bytes.len, 0);
		ck_assert_str_eq(r.scheme, "");
		ck_assert_uint_eq(r.method, 0);
	}
	j = job_of(JOB_PSK_MAC, "psk");
	keys_do(k, &j, buf, 31, &r);
	ck_assert_int_eq(r.err, ERR_SPACE);
	ck_assert_uint_eq(r.method, 0);
	ck_assert_uint_eq(r.bytes.len, 0);
	keys_free(k);
	keys_free(NULL);
}
END_TEST

START_TEST(a_store_is_whole_or_not_at_all)
{
	char path[] = "/etc/postern/left.key";
	struct conf_me me = { .key = { .path = path, .bytes = span_str("garbage") } };
	struct conf_connection cns[] = {
		{ .name = "psk", .auth = CONF_AUTH_PSK, .psk = { .secret = span_str(PSK) } },
		{ .name = "office", .me = &me },
	};
	const struct conf c = { .mes = &me, .n_mes = 1, .connections = cns, .n_connections = 2 };
	struct keys *k = (struct keys *)path;
	char why[256];

	ck_assert_int_eq(keys_new(&c, &k, why), ERR_CONFIG);
	ck_assert_ptr_null(k);
	ck_assert_str_eq(why, "/etc/postern/left.key: it holds no private key in PEM form "
			      "(-----BEGIN PRIVATE KEY-----)");
	me.key.path = NULL;
	ck_assert_int_eq(keys_new(&c, &k, why), ERR_CONFIG);
	ck_assert_str_eq(why, "key: it holds no private key in PEM form "
			      "(-----BEGIN PRIVATE KEY-----)");
}
END_TEST

START_TEST(an_empty_configuration_has_no_keys)
{
	const struct conf c = { 0 };
	const struct job j = job_of(JOB_SIGN, "office");
	struct keys *k;
	char why[256];

	ck_assert_int_eq(keys_new(&c, &k, why), OK);
	fails(k, &j, ERR_NO_CREDENTIAL, "no key for this connection");
	keys_free(k);
}
END_TEST

UNIT("certs/keys")
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, every_kind_of_key_opens_in_every_form, 0, N_KINDS);
	tcase_add_test(tc, a_file_without_a_key_says_what_it_holds);
	tcase_add_test(tc, the_key_is_found_behind_a_certificate);
	tcase_add_test(tc, a_damaged_key_is_refused_wherever_it_is_cut);
	tcase_add_test(tc, a_passphrase_of_any_length_is_no_overflow);
	tcase_add_test(tc, keys_that_no_peer_takes_are_refused);
	tcase_add_loop_test(tc, a_signature_is_made_by_the_key_of_the_connection, 0, N_KINDS);
	tcase_add_test(tc, each_me_speaks_with_its_own_key);
	tcase_add_test(tc, a_psk_mac_is_that_of_the_rfc);
	tcase_add_test(tc, a_long_psk_is_used_whole);
	tcase_add_test(tc, who_has_no_key_gets_nothing);
	tcase_add_test(tc, jobs_that_are_not_the_signers_are_refused);
	tcase_add_test(tc, a_peer_that_takes_no_signature_of_ours_is_told_so);
	tcase_add_test(tc, a_buffer_that_is_too_small_gets_no_half_of_a_signature);
	tcase_add_test(tc, a_store_is_whole_or_not_at_all);
	tcase_add_test(tc, an_empty_configuration_has_no_keys);
}
