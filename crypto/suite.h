/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: ordered lists of transforms over a floor (`modern`, `compatible`, or written out), from
 * which proposals are made and against which the peer's are judged.
 *
 * A policy is two proposals for IKE (AEAD ones and encryption with integrity) and two for ESP, each
 * a list of transforms per type in order of preference. What is not in the list is below the floor.
 */
#ifndef CRYPTO_SUITE_H
#define CRYPTO_SUITE_H

#include "base/err.h"
#include "crypto/alg.h"

enum { SUITE_ENCR_MAX = 32, SUITE_INTEG_MAX = 8, SUITE_PRF_MAX = 8, SUITE_KE_MAX = 16 };

struct suite_policy {
	const char *name;			    /* "modern", "compatible", or "custom" */
	const struct encr *encr[SUITE_ENCR_MAX];    /* in order; NULL behind the last */
	const struct integ *integ[SUITE_INTEG_MAX]; /* for those of encr that are not AEAD */
	const struct prf *prf[SUITE_PRF_MAX];
	const struct ke_group *ke[SUITE_KE_MAX];
	bool weak; /* holds a transform that is weak: shown everywhere */
};

/* One chosen set, IKE or ESP. */
struct suite {
	const struct encr *encr;
	const struct integ *integ; /* NULL with AEAD */
	const struct prf *prf;	   /* NULL for ESP */
	const struct ke_group *ke; /* NULL for ESP without PFS */
	bool esn;		   /* ESP only */
};

const struct suite_policy *suite_policy_modern(void);
const struct suite_policy *suite_policy_compatible(void);

/* From the words of a configuration: `modern`, `compatible`, or keywords ("aes256gcm16", "sha256",
 * "prfsha384", "x25519", also "compatible" and further keywords: those are added). The PRF follows
 * from the integrity when none is written. What is missing for a whole suite, unknown, or refused
 * for good (3des, md5, modp1024, null, des, modp1536, group 22 to 24) fails, and `why` says in
 * words what is wrong and what would be right. */
MUST_USE enum err suite_policy_from_words(const char *const *words, size_t n,
					  struct suite_policy *p, char why[static 256]);

/* The same algorithms in the same order, whatever the name. */
bool suite_policy_eq(const struct suite_policy *a, const struct suite_policy *b);
/* The first whole suite of a policy, as a policy of that suite alone. */
void suite_policy_first(const struct suite_policy *p, struct suite_policy *first);

/* Is it a word of a policy? If not, `why` says what is wrong with it and what would be right. */
bool suite_word_known(const char *word, char why[static 256]);
/* Is it one that stands for something weak? */
bool suite_word_weak(const char *word);

/* "aes256gcm16 prfsha384 x25519" in a caller's buffer. */
const char *suite_text(const struct suite *s, char *buf, size_t size);
bool suite_weak(const struct suite *s);

/* The weak ones of a suite, or of all that a policy allows: "aes128gcm8 prfsha1"; "": none. */
enum { SUITE_WEAK_MAX = 128 };
const char *suite_weak_text(const struct suite *s, char buf[static SUITE_WEAK_MAX]);
const char *suite_policy_weak_text(const struct suite_policy *p, char buf[static SUITE_WEAK_MAX]);

#endif
