/* SPDX-License-Identifier: Apache-2.0 */
/* Every function of the library that says yes by 1, one at a time, says -2, -1, 0 or 2 instead,
 * within every operation that calls it: that operation fails. With 1 each goes well, and none of
 * the functions is one that nothing calls. */
#include <openssl/evp.h>
#include <string.h>

#include "crypto/ke.h"
#include "crypto/mac.h"
#include "crypto/prf.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "crypto/signature.h"
#include "tests/unit/crypto/answer.h"
#include "tests/unit/crypto/keys.h"
#include "tests/unit/unit.h"

static const int lies[] = { -2, -1, 0, 2 };
enum { N_LIES = sizeof(lies) / sizeof(lies[0]) };

/* ---- what is tried: each makes all it needs before the library begins to lie ---- */

struct kit {
	EVP_PKEY *key;
	uint8_t buf[SIG_MAX];
	struct wr auth;
	uint8_t method;
	const char *scheme;
};

static const struct {
	enum test_key key;
	bool rfc7427;
} signers[] = {
	{ KEY_RSA_2048, true }, { KEY_ECDSA_256, true }, { KEY_ECDSA_521, false },
	{ KEY_ED25519, true },	{ KEY_ED448, true },	 { KEY_RSA_PSS_2048, true },
};
enum { N_SIGNERS = sizeof(signers) / sizeof(signers[0]) };

static enum err sign(struct kit *k, size_t i)
{
	const struct job_sign job = { .hashes = signers[i].rfc7427
							? SIGHASH_SHA2_256 | SIGHASH_IDENTITY
							: 0,
				      .rfc7427 = signers[i].rfc7427,
				      .octets = span_str("octets") };

	k->key = k->key ? k->key : test_key(signers[i].key);
	k->auth = wr_into(k->buf, sizeof(k->buf));
	return signature_make(k->key, &job, &k->auth, &k->method, &k->scheme);
}

static const struct {
	const char *encr, *integ;
} seals[] = {
	{ "aes256gcm16", NULL }, { "chacha20poly1305", NULL }, { "aes128gcm8", NULL },
	{ "aes192ccm12", NULL }, { "aes128", "sha256" },       { "aes128ctr", "aescmac" },
	{ "aes192", "aesxcbc" },
};
enum { N_SEALS = sizeof(seals) / sizeof(seals[0]) };

static const uint8_t zero[KEY_MAX + 64];

static enum err seal_it(size_t i)
{
	const struct encr *e = encr_by_keyword(seals[i].encr);
	const struct integ *g = seals[i].integ ? integ_by_keyword(seals[i].integ) : NULL;
	uint8_t iv[16] = { 0 }, text[32] = { 0 }, icv[16] = { 0 };
	struct seal_text t = { .iv = iv, .text = text, .text_len = 32, .icv = icv };
	struct sealer *s = NULL;
	enum err err = sealer_new(e, g, span_of(zero, (size_t)e->key_len + e->salt_len),
				  span_of(zero, g ? g->key_len : 0), &s);

	t.aad = span_of(zero, 8);
	if (err == OK)
		err = sealer_iv(s, 1, iv);
	if (err == OK)
		err = seal(s, &t);
	if (err == OK)
		err = unseal(s, &t);
	sealer_free(s);
	return err;
}

static const uint16_t groups[] = { KE_CURVE25519, KE_CURVE448, KE_ECP_256, KE_ECP_521 };
enum { N_GROUPS = sizeof(groups) / sizeof(groups[0]) };

static enum err agree(size_t i)
{
	const struct ke_group *g = ke_find(groups[i]);
	uint8_t priv[KE_PRIVATE_MAX] = { 1, 2, 3 }, pub[KE_PUBLIC_MAX], secret[KE_PUBLIC_MAX];
	enum err err;

	priv[g->private_len / 2] = 7;
	priv[0] = groups[i] == KE_ECP_521 ? 0 : priv[0];
	err = ke_public(g, span_of(priv, g->private_len), pub);
	return err == OK ? ke_shared(g, span_of(priv, g->private_len), span_of(pub, g->public_len),
				     secret)
			 : err;
}

static const uint16_t prfs[] = { PRF_HMAC_SHA1, PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_512,
				 PRF_AES128_CMAC };
enum { N_PRFS = sizeof(prfs) / sizeof(prfs[0]) };

static enum err derive(size_t i)
{
	const struct span part = span_str("octets");
	uint8_t buf[200], digest[32];
	struct wr out = wr_into(buf, sizeof(buf));
	struct key key;
	enum err err = prf_compute(prf_find(prfs[i]), span_of(zero, 16), &part, 1, &key);

	if (err == OK)
		err = prf_plus(prf_find(prfs[i]), span_of(zero, 16), &part, 1, &out);
	if (err == OK)
		err = hash_sha1(&part, 1, digest);
	return err == OK ? hash_sha256(&part, 1, digest) : err;
}

static enum err draw(void)
{
	const struct random r = random_system();
	uint8_t b[16];

	return random_fill(&r, b, sizeof(b)) ? OK : ERR_CRYPTO;
}

enum {
	AT_VERIFY = N_SIGNERS,
	AT_SEAL = 2 * N_SIGNERS,
	AT_KE = AT_SEAL + N_SEALS,
	AT_PRF = AT_KE + N_GROUPS,
	AT_RANDOM = AT_PRF + N_PRFS,
	N_TRIES
};

static enum err attempt(size_t i, struct kit *k)
{
	if (i < AT_VERIFY)
		return sign(k, i);
	if (i < AT_SEAL)
		return signature_verify(k->key, k->method, wr_done(&k->auth), span_str("octets"),
					&k->scheme);
	if (i < AT_KE)
		return seal_it(i - AT_SEAL);
	if (i < AT_PRF)
		return agree(i - AT_KE);
	return i < AT_RANDOM ? derive(i - AT_PRF) : draw();
}

/* ---- */

/* How often the function was called in it. */
static size_t try_it(size_t i, const char *name, int says)
{
	struct kit k = { .key = NULL };
	enum err err;

	if (i < AT_SEAL)
		ck_assert_int_eq(sign(&k, i % N_SIGNERS), OK);
	answer_of = name;
	n_answered = 0;
	answer = says;
	err = attempt(i, &k);
	answer = ANSWER_NOT_OURS;
	answer_of = NULL;
	EVP_PKEY_free(k.key);
	ck_assert_msg((err == OK) == (says == 1 || n_answered == 0),
		      "operation %zu, %s says %d: %s", i, name, says,
		      err == OK ? "goes well" : err_text(err));
	return n_answered;
}

START_TEST(a_function_that_does_not_say_1_is_not_believed)
{
	const char *name = answer_names[_i];
	size_t n_called = 0;

	for (size_t i = 0; i < N_TRIES; i++) {
		n_called += try_it(i, name, 1);
		for (size_t l = 0; l < N_LIES; l++)
			try_it(i, name, lies[l]);
	}
	ck_assert_msg(n_called > 0, "nothing calls %s", name);
}
END_TEST

UNIT("crypto/verdict-each")
{
	int n = 0;

	while (answer_names[n])
		n++;
	tcase_add_loop_test(tc, a_function_that_does_not_say_1_is_not_believed, 0, n);
}
