/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said of certificates and keys before a start: each question is
 * one function, and each answer says what would be right.
 */
#include <stdio.h>

#include "certs/cert.h"
#include "certs/keys.h"
#include "certs/x509.h"
#include "crypto/ossl.h"

enum { SOON_DAYS = 14, DAY_S = 86400 };

struct judged {
	const struct conf_me *me;
	time_t at;
	struct conf_problems *problems;
	STACK_OF(X509) * chain; /* NULL: unreadable */
	STACK_OF(X509) * trust;
	EVP_PKEY *key;
};

static void file_error(struct judged *j, const struct conf_file *f, const char *what,
		       const char *hint)
{
	char text[256];

	snprintf(text, sizeof(text), "%.120s: %.130s", f->path, what);
	conf_problem_add(j->problems, f->pos, 0, text, hint);
}

static void check_time(struct judged *j)
{
	X509 *leaf = sk_X509_value(j->chain, 0);
	time_t at = j->at, soon = j->at + SOON_DAYS * DAY_S;
	char when[TIME_TEXT_MAX], text[256];

	x509_time_text(X509_get0_notAfter(leaf), when);
	snprintf(text, sizeof(text), "%.160s ended %s; peers will refuse it",
		 j->me->certificate.path, when);
	if (X509_cmp_time(X509_get0_notAfter(leaf), &at) != 1) {
		conf_problem_add(j->problems, j->me->certificate.pos, 0, text, "have it renewed");
		return;
	}
	snprintf(text, sizeof(text), "%.160s ends %s", j->me->certificate.path, when);
	if (X509_cmp_time(X509_get0_notAfter(leaf), &soon) != 1)
		conf_problem_warn(j->problems, j->me->certificate.pos, 0, text,
				  "have it renewed soon");
	x509_time_text(X509_get0_notBefore(leaf), when);
	snprintf(text, sizeof(text), "%.160s begins only %s", j->me->certificate.path, when);
	if (X509_cmp_time(X509_get0_notBefore(leaf), &at) == 1)
		conf_problem_add(j->problems, j->me->certificate.pos, 0, text,
				 "is the clock right?");
}

static void check_identity(struct judged *j)
{
	X509 *leaf = sk_X509_value(j->chain, 0);
	char shown[120], mine[IDENTITY_TEXT_MAX], text[256], hint[256];

	if (j->me->identity.type == ID_NONE || x509_proves(leaf, &j->me->identity))
		return;
	snprintf(text, sizeof(text), "the certificate does not prove `%.200s`",
		 identity_text(&j->me->identity, mine));
	snprintf(hint, sizeof(hint), "it proves %s",
		 x509_identities_text(leaf, shown, sizeof(shown)));
	conf_problem_add(j->problems, j->me->identity_pos, 0, text, hint);
}

static void check_pair(struct judged *j)
{
	if (!ossl_ok(X509_check_private_key(sk_X509_value(j->chain, 0), j->key)))
		file_error(j, &j->me->key, "the key does not belong to the certificate",
			   "the key that the certificate was made for");
	ERR_clear_error();
}

/* Self-signed or not: does some certificate of the trust file or of the chain
 * vouch for each link? Only a warning: the peer trusts, not we; its CA may be
 * another. */
static void check_chain_order(struct judged *j)
{
	for (int i = 0; i + 1 < sk_X509_num(j->chain); i++) {
		if (X509_check_issued(sk_X509_value(j->chain, i + 1), sk_X509_value(j->chain, i)) !=
		    X509_V_OK)
			file_error(j, &j->me->certificate, "its certificates are not in order",
				   "ours first, then the one that issued it, and so on");
	}
}

static void check_trust(struct judged *j)
{
	char name[128], text[256];

	for (int i = 0; i < sk_X509_num(j->trust); i++) {
		X509 *ca = sk_X509_value(j->trust, i);

		if (x509_is_ca(ca))
			continue;
		x509_name_text(X509_get_subject_name(ca), name, sizeof(name));
		snprintf(text, sizeof(text), "it holds %.100s, which is no authority (CA)", name);
		file_error(j, &j->me->trust, text, "only CA certificates");
	}
}

static void check_me(const struct conf_me *me, time_t at, struct conf_problems *problems)
{
	struct judged j = { .me = me, .at = at, .problems = problems };
	char why[256];

	if (me->certificate.bytes.len > 0 && !(j.chain = x509_from_pem(me->certificate.bytes, why)))
		file_error(&j, &me->certificate, why, "");
	if (me->trust.bytes.len > 0 && !(j.trust = x509_from_pem(me->trust.bytes, why)))
		file_error(&j, &me->trust, why, "");
	if (me->key.bytes.len > 0 &&
	    !(j.key = key_from_pem(me->key.bytes, me->passphrase.secret, why)))
		file_error(&j, &me->key, why, "");
	if (j.chain) {
		check_time(&j);
		check_identity(&j);
		check_chain_order(&j);
	}
	if (j.chain && j.key)
		check_pair(&j);
	if (j.trust)
		check_trust(&j);
	sk_X509_pop_free(j.chain, X509_free);
	sk_X509_pop_free(j.trust, X509_free);
	EVP_PKEY_free(j.key);
}

void cert_check(const struct conf *c, time_t at, struct conf_problems *problems)
{
	for (size_t i = 0; i < c->n_mes; i++)
		check_me(&c->mes[i], at, problems);
}
