/* SPDX-License-Identifier: Apache-2.0 */
/* From the words of a configuration to a policy. Whoever writes them is no cryptographer and copies
 * from other programs' manuals: so every refusal says what would be right.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "crypto/rows.h"
#include "crypto/suite.h"

enum { WHY_MAX = 256, WORD_MAX = 32 };

_Static_assert((int)SUITE_ENCR_MAX > (int)N_ENCR && (int)SUITE_INTEG_MAX > (int)N_INTEG &&
		       (int)SUITE_PRF_MAX > (int)N_PRF && (int)SUITE_KE_MAX > (int)N_KE,
	       "a policy has room for every row, and the NULL behind");

/* What other programs call things, and what we do not do. A text that begins with "=" is our word
 * for it; any other is the reason of the refusal. */
struct hint {
	const char *word;
	const char *text;
};

static const struct hint hints[] = {
	{ "curve25519", "=x25519" },
	{ "ecp256r1", "=ecp256" },
	{ "secp256r1", "=ecp256" },
	{ "prime256v1", "=ecp256" },
	{ "p256", "=ecp256" },
	{ "p384", "=ecp384" },
	{ "secp384r1", "=ecp384" },
	{ "dh14", "=modp2048" },
	{ "dh15", "=modp3072" },
	{ "dh16", "=modp4096" },
	{ "dh19", "=ecp256" },
	{ "dh20", "=ecp384" },
	{ "dh31", "=x25519" },
	{ "dh17", "=modp6144" },
	{ "dh18", "=modp8192" },
	{ "dh21", "=ecp521" },
	{ "dh28", "=ecp256bp" },
	{ "dh29", "=ecp384bp" },
	{ "dh30", "=ecp512bp" },
	{ "dh32", "=x448" },
	{ "curve448", "=x448" },
	{ "p521", "=ecp521" },
	{ "secp521r1", "=ecp521" },
	{ "brainpoolp256r1", "=ecp256bp" },
	{ "brainpoolp384r1", "=ecp384bp" },
	{ "brainpoolp512r1", "=ecp512bp" },
	{ "aes", "=aes128" },
	{ "aes128cbc", "=aes128" },
	{ "aes192cbc", "=aes192" },
	{ "aes256cbc", "=aes256" },
	{ "aesctr", "=aes128ctr" },
	/* some write the ICV in bits */
	{ "aes128gcm", "=aes128gcm16" },
	{ "aes128gcm128", "=aes128gcm16" },
	{ "aes128gcm96", "=aes128gcm12" },
	{ "aes128gcm64", "=aes128gcm8" },
	{ "aes192gcm", "=aes192gcm16" },
	{ "aes192gcm128", "=aes192gcm16" },
	{ "aes192gcm96", "=aes192gcm12" },
	{ "aes192gcm64", "=aes192gcm8" },
	{ "aes256gcm", "=aes256gcm16" },
	{ "aes256gcm128", "=aes256gcm16" },
	{ "aes256gcm96", "=aes256gcm12" },
	{ "aes256gcm64", "=aes256gcm8" },
	{ "aes128ccm", "=aes128ccm16" },
	{ "aes128ccm128", "=aes128ccm16" },
	{ "aes128ccm96", "=aes128ccm12" },
	{ "aes128ccm64", "=aes128ccm8" },
	{ "aes192ccm", "=aes192ccm16" },
	{ "aes192ccm128", "=aes192ccm16" },
	{ "aes192ccm96", "=aes192ccm12" },
	{ "aes192ccm64", "=aes192ccm8" },
	{ "aes256ccm", "=aes256ccm16" },
	{ "aes256ccm128", "=aes256ccm16" },
	{ "aes256ccm96", "=aes256ccm12" },
	{ "aes256ccm64", "=aes256ccm8" },
	{ "cmac", "=aescmac" },
	{ "aes_cmac", "=aescmac" },
	{ "prfcmac", "=prfaescmac" },
	{ "xcbc", "=aesxcbc" },
	{ "aes_xcbc", "=aesxcbc" },
	{ "aes_gcm", "=aes256gcm16" },
	{ "chacha20", "=chacha20poly1305" },
	{ "chacha20_poly1305", "=chacha20poly1305" },
	{ "sha", "=sha1" },
	{ "sha2", "=sha256" },
	{ "sha2_256", "=sha256" },
	{ "sha2_384", "=sha384" },
	{ "sha2_512", "=sha512" },
	{ "default", "=modern" },
	{ "des", "its 56-bit keys are found by trying; aes256gcm16 would be right" },
	{ "3des", "its 64-bit blocks leak long texts (SWEET32); aes256gcm16 would be right" },
	{ "blowfish", "its 64-bit blocks leak long texts (SWEET32); aes256gcm16 would be right" },
	{ "cast128", "its 64-bit blocks leak long texts (SWEET32); aes256gcm16 would be right" },
	{ "null", "ESP without encryption protects nobody's words; aes256gcm16 would be right" },
	{ "aes128gmac",
	  "ESP without encryption protects nobody's words; aes256gcm16 would be right" },
	{ "aes256gmac",
	  "ESP without encryption protects nobody's words; aes256gcm16 would be right" },
	{ "none", "ESP without integrity can be altered on its way; sha256 would be right" },
	{ "md5", "it is broken; sha256 would be right" },
	{ "prfmd5", "it is broken; prfsha256 would be right" },
	{ "prfaesxcbc", "who speaks it speaks HMAC too; prfsha256 would be right" },
	{ "ecp192", "it is too near to what can be broken; ecp256 would be right" },
	{ "ecp224", "hardly anybody speaks it; ecp256 would be right" },
	{ "ecp224bp", "hardly anybody speaks it; ecp256bp would be right" },
	{ "dh25", "it is too near to what can be broken; ecp256 would be right" },
	{ "dh26", "hardly anybody speaks it; ecp256 would be right" },
	{ "dh27", "hardly anybody speaks it; ecp256bp would be right" },
	{ "modp768", "it can be broken; x25519 would be right, or modp3072" },
	{ "modp1024", "states can break it (Logjam); x25519 would be right, or modp3072" },
	{ "modp1536", "it is too near to what can be broken; x25519 would be right, or modp3072" },
	{ "dh1", "it can be broken; x25519 would be right, or modp3072" },
	{ "dh2", "states can break it (Logjam); x25519 would be right, or modp3072" },
	{ "dh5", "it is too near to what can be broken; x25519 would be right, or modp3072" },
	{ "dh22", "nobody knows where its prime comes from; x25519 would be right, or modp3072" },
	{ "dh23", "nobody knows where its prime comes from; x25519 would be right, or modp3072" },
	{ "dh24", "nobody knows where its prime comes from; x25519 would be right, or modp3072" },
	{ "modp1024s160", "nobody knows where its prime comes from; x25519 would be right" },
	{ "modp2048s224", "nobody knows where its prime comes from; x25519 would be right" },
	{ "modp2048s256", "nobody knows where its prime comes from; x25519 would be right" },
};

static const struct hint *hint_find(const char *word)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strcmp(hints[i].word, word) == 0)
			return &hints[i];
	return NULL;
}

/* Every word that is right, one after the other; NULL behind the last. */
static const char *word_right(size_t i)
{
	static const char *const policies[] = { "modern", "compatible" };
	const size_t n_policies = sizeof(policies) / sizeof(policies[0]);

	if (i < n_policies)
		return policies[i];
	i -= n_policies;
	if (i < N_ENCR)
		return encr_rows[i].row.keyword;
	i -= N_ENCR;
	if (i < N_INTEG)
		return integ_rows[i].row.keyword;
	i -= N_INTEG;
	if (i < N_PRF)
		return prf_rows[i].row.keyword;
	i -= N_PRF;
	return i < N_KE ? ke_rows[i].row.keyword : NULL;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	const size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's: how many letters have to be put in, taken out or changed. Both shorter than
 * WORD_MAX. */
static size_t word_distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1];
	const size_t b_len = strlen(b);

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			const size_t above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[b_len];
}

/* The right word that looks most like this one; NULL when none is near. */
static const char *word_nearest(const char *word)
{
	const char *best = NULL;
	size_t best_distance = strlen(word) / 2 < 4 ? strlen(word) / 2 : 4;

	for (size_t i = 0; word_right(i); i++) {
		const size_t d = word_distance(word, word_right(i));

		if (d < best_distance) {
			best_distance = d;
			best = word_right(i);
		}
	}
	return best;
}

/* Small letters, and only what can be shown. */
static void word_clean(const char *word, char clean[static WORD_MAX])
{
	size_t i = 0;

	for (; word[i] && i + 1 < WORD_MAX; i++) {
		const unsigned char c = (unsigned char)word[i];

		clean[i] = (char)(isgraph(c) ? tolower(c) : '?');
	}
	clean[i] = '\0';
}

static enum err word_refuse(const char *word, char why[static WHY_MAX])
{
	char clean[WORD_MAX];
	const struct hint *hint;
	const char *near;

	word_clean(word, clean);
	hint = hint_find(clean);
	near = word_nearest(clean);
	if (hint && hint->text[0] == '=')
		(void)snprintf(why, WHY_MAX, "%s is written %s here", clean, hint->text + 1);
	else if (hint)
		(void)snprintf(why, WHY_MAX, "%s is not implemented: %s", clean, hint->text);
	else if (near)
		(void)snprintf(why, WHY_MAX, "unknown word %s: did you mean %s?", clean, near);
	else
		(void)snprintf(why, WHY_MAX,
			       "unknown word %s: write modern, compatible, or algorithms such as "
			       "aes256gcm16 prfsha384 x25519",
			       clean);
	return ERR_CONFIG;
}

/* Each adds a row behind the others of its list unless it is there; the lists have room for all
 * rows. */
static void add_encr(struct suite_policy *p, const struct encr *row)
{
	size_t i = 0;

	while (p->encr[i] && p->encr[i] != row)
		i++;
	p->encr[i] = row;
	p->weak = p->weak || row->weak;
}

static void add_integ(struct suite_policy *p, const struct integ *row)
{
	size_t i = 0;

	while (p->integ[i] && p->integ[i] != row)
		i++;
	p->integ[i] = row;
	p->weak = p->weak || row->weak;
}

static void add_prf(struct suite_policy *p, const struct prf *row)
{
	size_t i = 0;

	while (p->prf[i] && p->prf[i] != row)
		i++;
	p->prf[i] = row;
	p->weak = p->weak || row->weak;
}

static void add_ke(struct suite_policy *p, const struct ke_group *row)
{
	size_t i = 0;

	while (p->ke[i] && p->ke[i] != row)
		i++;
	p->ke[i] = row;
	p->weak = p->weak || row->weak;
}

static void add_policy(struct suite_policy *p, const struct suite_policy *from)
{
	for (size_t i = 0; from->encr[i]; i++)
		add_encr(p, from->encr[i]);
	for (size_t i = 0; from->integ[i]; i++)
		add_integ(p, from->integ[i]);
	for (size_t i = 0; from->prf[i]; i++)
		add_prf(p, from->prf[i]);
	for (size_t i = 0; from->ke[i]; i++)
		add_ke(p, from->ke[i]);
}

static bool add_word(struct suite_policy *p, const char *word)
{
	const struct encr *encr = encr_by_keyword(word);
	const struct integ *integ = integ_by_keyword(word);
	const struct prf *prf = prf_by_keyword(word);
	const struct ke_group *ke = ke_by_keyword(word);

	if (encr)
		add_encr(p, encr);
	else if (integ)
		add_integ(p, integ);
	else if (prf)
		add_prf(p, prf);
	else if (ke)
		add_ke(p, ke);
	else if (strcmp(word, "modern") == 0)
		add_policy(p, suite_policy_modern());
	else if (strcmp(word, "compatible") == 0)
		add_policy(p, suite_policy_compatible());
	else
		return false;
	return true;
}

static bool same_mac(const struct mac_algo *a, const struct mac_algo *b)
{
	return a->kind == b->kind && strcmp(a->name, b->name) == 0;
}

/* The PRF over the same hash or cipher as each integrity algorithm; XCBC has none here. */
static void prf_from_integ(struct suite_policy *p)
{
	for (size_t i = 0; p->integ[i]; i++)
		for (size_t j = 0; j < N_PRF; j++)
			if (same_mac(&integ_impl(p->integ[i])->mac, &prf_rows[j].mac))
				add_prf(p, &prf_rows[j].row);
}

/* What is missing for a whole suite; NULL when nothing is. */
static const char *policy_gap(const struct suite_policy *p)
{
	bool bare = false; /* a cipher that proves nothing by itself */

	for (size_t i = 0; p->encr[i]; i++)
		bare = bare || !p->encr[i]->aead;
	if (!p->encr[0])
		return "no encryption is written: add aes256gcm16, or aes256 with sha256";
	if (bare && !p->integ[0])
		return "AES without gcm or ccm needs an integrity algorithm beside it: add sha256, "
		       "or write aes256gcm16";
	if (!p->prf[0] && !p->ke[0])
		return "no PRF and no key exchange group are written: add prfsha384 and x25519";
	if (!p->prf[0])
		return "no PRF is written: add prfsha384 or prfsha256";
	if (!p->ke[0])
		return "no key exchange group is written: add x25519, or ecp384";
	return NULL;
}

bool suite_word_known(const char *word, char why[static WHY_MAX])
{
	struct suite_policy p = { .name = "custom" };

	why[0] = '\0';
	return add_word(&p, word) || word_refuse(word, why) == OK;
}

bool suite_word_weak(const char *word)
{
	struct suite_policy p = { .name = "custom" };

	return add_word(&p, word) && p.weak;
}

enum err suite_policy_from_words(const char *const *words, size_t n, struct suite_policy *p,
				 char why[static WHY_MAX])
{
	const char *gap;

	*p = (struct suite_policy){ .name = "custom" };
	why[0] = '\0';
	for (size_t i = 0; i < n; i++)
		if (!add_word(p, words[i]))
			return word_refuse(words[i], why);
	if (!p->prf[0])
		prf_from_integ(p);
	gap = policy_gap(p);
	if (gap) {
		(void)snprintf(why, WHY_MAX, "%s", gap);
		return ERR_CONFIG;
	}
	if (n == 1) /* one word makes a whole suite: it was a policy's name */
		p->name = strcmp(words[0], "modern") == 0 ? "modern" : "compatible";
	return OK;
}
