/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said of certificates and keys before a start: each question is one function, and each
 * answer says what would be right. What a peer will refuse us for is an error here, because the
 * peer would tell us no more than AUTHENTICATION_FAILED.
 */
#include <stdio.h>
#include <string.h>

#include "certs/cert.h"
#include "certs/chain.h"
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

static bool has_ended(X509 *x, time_t at)
{
	return X509_cmp_time(X509_get0_notAfter(x), &at) != 1;
}

static void check_time(struct judged *j)
{
	X509 *leaf = sk_X509_value(j->chain, 0);
	time_t at = j->at;
	char when[TIME_TEXT_MAX], text[256];

	x509_time_text(X509_get0_notAfter(leaf), when);
	snprintf(text, sizeof(text), "%.160s ended %s; peers will refuse it",
		 j->me->certificate.path, when);
	if (has_ended(leaf, at)) {
		conf_problem_add(j->problems, j->me->certificate.pos, 0, text, "have it renewed");
		return;
	}
	snprintf(text, sizeof(text), "%.160s ends %s", j->me->certificate.path, when);
	if (has_ended(leaf, at + SOON_DAYS * DAY_S))
		conf_problem_warn(j->problems, j->me->certificate.pos, 0, text,
				  "have it renewed soon");
	x509_time_text(X509_get0_notBefore(leaf), when);
	snprintf(text, sizeof(text), "%.160s begins only %s", j->me->certificate.path, when);
	if (X509_cmp_time(X509_get0_notBefore(leaf), &at) != -1)
		conf_problem_add(j->problems, j->me->certificate.pos, 0, text,
				 "is the clock right?");
}

/* What the certificate has to have for a name that no subject proves; NULL: none such. */
static const char *alt_name(const struct identity *id)
{
	switch ((int)id->type) {
	case ID_FQDN:
		return "DNS";
	case ID_RFC822_ADDR:
		return "email";
	case ID_IPV4_ADDR:
	case ID_IPV6_ADDR:
		return "IP";
	default:
		return NULL;
	}
}

static void identity_error(struct judged *j, const struct identity *id, struct conf_pos pos)
{
	const bool bare =
		X509_get_ext_by_NID(sk_X509_value(j->chain, 0), NID_subject_alt_name, -1) < 0;
	const char *alt = bare ? alt_name(id) : NULL;
	char shown[120], mine[IDENTITY_TEXT_MAX], text[256], hint[256];

	snprintf(text, sizeof(text), "the certificate does not prove `%.200s`",
		 identity_text(id, mine));
	snprintf(hint, sizeof(hint), "it proves %s%s%s%s%.70s",
		 x509_identities_text(sk_X509_value(j->chain, 0), shown, sizeof(shown)),
		 alt ? "; have one made with subjectAltName=" : "", alt ? alt : "", alt ? ":" : "",
		 alt ? mine : "");
	conf_problem_add(j->problems, pos, 0, text, hint);
}

static void check_identity(struct judged *j)
{
	const struct identity *mine = &j->me->identity;

	if (mine->type != ID_NONE && !x509_proves(sk_X509_value(j->chain, 0), mine))
		identity_error(j, mine, j->me->identity_pos);
}

/* A connection may call us something else than its `me` does. */
static void check_connection(struct judged *j, const struct conf_connection *cn)
{
	const struct identity *mine = &cn->local_identity;

	if (cn->me != j->me || cn->auth != CONF_AUTH_CERTIFICATE || mine->type == ID_NONE ||
	    identity_eq(mine, &j->me->identity))
		return;
	if (!x509_proves(sk_X509_value(j->chain, 0), mine))
		identity_error(j, mine, cn->pos);
}

static void check_pair(struct judged *j)
{
	if (!ossl_ok(X509_check_private_key(sk_X509_value(j->chain, 0), j->key)))
		file_error(j, &j->me->key, "the key does not belong to the certificate",
			   "the key that the certificate was made for");
	ERR_clear_error();
}

/* No RFC forbids it (RFC 5280 4.2.1.9 says who may issue, not who may not sign), but the key that
 * makes everybody's certificates then lies on a machine in the network. */
static void check_authority(struct judged *j)
{
	char text[256];

	if (!x509_is_ca(sk_X509_value(j->chain, 0)))
		return;
	snprintf(text, sizeof(text),
		 "%.120s is the certificate of an authority (CA), not of a gateway",
		 j->me->certificate.path);
	conf_problem_warn(
		j->problems, j->me->certificate.pos, 0, text,
		"its key can make a certificate of anybody, and some peers refuse it: have "
		"it issue one for this gateway");
}

/* What a peer of our own kind would refuse it for. */
static void check_use(struct judged *j)
{
	char text[CHAIN_TEXT_MAX];

	if (leaf_judge(sk_X509_value(j->chain, 0), text) != OK)
		file_error(j, &j->me->certificate, text,
			   "peers will refuse it: have one made for digital signatures");
	else
		check_authority(j);
}

/* The others of the file: does each vouch for the one before it, and will it be taken? That it
 * leads to a CA is not asked: the peer trusts, not we, and its CA may be another than ours. */
static void check_chain(struct judged *j)
{
	char name[96], when[TIME_TEXT_MAX], text[256];

	if (sk_X509_num(j->chain) > CHAIN_CERTS_MAX)
		file_error(j, &j->me->certificate, "it holds more than 10 certificates",
			   "ours, and those between it and the CA");
	for (int i = 0; i < sk_X509_num(j->chain); i++) {
		X509 *x = sk_X509_value(j->chain, i);
		X509 *issuer = sk_X509_value(j->chain, i + 1); /* NULL at the end */

		x509_name_text(X509_get_subject_name(x), name, sizeof(name));
		if (issuer && X509_check_issued(issuer, x) != X509_V_OK)
			file_error(j, &j->me->certificate, "its certificates are not in order",
				   "ours first, then the one that issued it, and so on");
		snprintf(text, sizeof(text), "certificate of %s is weak", name);
		if (x509_is_weak(x))
			file_error(j, &j->me->certificate, text,
				   "peers want SHA-2, and RSA keys of 2048 bits or more");
		snprintf(text, sizeof(text), "certificate of %s ended %s", name,
			 x509_time_text(X509_get0_notAfter(x), when));
		if (i > 0 && has_ended(x, j->at))
			file_error(j, &j->me->certificate, text,
				   "peers will refuse what it vouches for");
	}
	ERR_clear_error();
}

/* Each has to be an authority; one that has ended helps nobody, but the others may. */
static void check_trust(struct judged *j)
{
	char name[96], when[TIME_TEXT_MAX], text[256];

	for (int i = 0; i < sk_X509_num(j->trust); i++) {
		X509 *ca = sk_X509_value(j->trust, i);

		x509_name_text(X509_get_subject_name(ca), name, sizeof(name));
		snprintf(text, sizeof(text), "it holds %s, which is no authority (CA)", name);
		if (!x509_is_ca(ca))
			file_error(j, &j->me->trust, text, "only CA certificates");
		snprintf(text, sizeof(text), "%.120s: the CA %s ended %s", j->me->trust.path, name,
			 x509_time_text(X509_get0_notAfter(ca), when));
		if (has_ended(ca, j->at))
			conf_problem_warn(j->problems, j->me->trust.pos, 0, text,
					  "no peer that it vouches for will be let in");
	}
}

static void judged_read(struct judged *j)
{
	const struct conf_me *me = j->me;
	char why[256];

	if (me->certificate.bytes.len > 0 &&
	    !(j->chain = x509_from_pem(me->certificate.bytes, why)))
		file_error(j, &me->certificate, why, "ours, as the CA has issued it");
	if (me->trust.bytes.len > 0 && !(j->trust = x509_from_pem(me->trust.bytes, why)))
		file_error(j, &me->trust, why,
			   "the certificates of the CAs that may vouch for peers");
	if (me->key.bytes.len > 0 &&
	    !(j->key = key_from_pem(me->key.bytes, me->passphrase.secret, why)))
		file_error(j, &me->key, why,
			   strncmp(why, "it holds", 8) == 0
				   ? "the key that the certificate was made for"
				   : "");
}

static void check_me(struct judged *j, const struct conf *c)
{
	judged_read(j);
	if (j->chain) {
		check_time(j);
		check_identity(j);
		for (size_t i = 0; i < c->n_connections; i++)
			check_connection(j, &c->connections[i]);
		check_use(j);
		check_chain(j);
	}
	if (j->chain && j->key)
		check_pair(j);
	if (j->trust)
		check_trust(j);
	sk_X509_pop_free(j->chain, X509_free);
	sk_X509_pop_free(j->trust, X509_free);
	EVP_PKEY_free(j->key);
}

void cert_check(const struct conf *c, time_t at, struct conf_problems *problems)
{
	for (size_t i = 0; i < c->n_mes; i++) {
		struct judged j = { .me = &c->mes[i], .at = at, .problems = problems };

		check_me(&j, c);
	}
}
