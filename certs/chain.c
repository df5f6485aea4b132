/* SPDX-License-Identifier: Apache-2.0 */
/* The path from a peer's certificate to a CA that the configuration trusts.
 *
 * OpenSSL judges it (RFC 5280 6.1), at security level 2: nothing signed with SHA-1, no RSA below
 * 2048 bits, anywhere between the leaf and the trusted CA. It builds one path, greedily, and tries
 * no others, so ten certificates of one name cost what ten of different names do. It checks
 * signatures from the CA downwards, so a stranger's certificate costs one failed signature. Nothing
 * is fetched.
 *
 * X509_V_FLAG_X509_STRICT stays off: it refuses certificates without key identifiers, which is how
 * many small authorities make them, and that harms nobody. What matters holds without it: whoever
 * issues, below the trusted CA, must say in basicConstraints that it may. A purpose is not set,
 * because those of TLS are not ours: leaf_judge asks for IKE's. X509_V_FLAG_POLICY_CHECK stays off:
 * policy trees have been a way to burn time (CVE-2023-0464).
 */
#include "certs/chain.h"

#include <openssl/x509v3.h>
#include <stdio.h>

#include "certs/x509.h"
#include "crypto/ossl.h"
#include "crypto/signature_scheme.h"

enum { CHAIN_DEPTH_MAX = 8, SECURITY_LEVEL = 2, SECURITY_BITS = 112 };

static enum err error_of(int verdict)
{
	switch (verdict) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return ERR_CERT_ENDED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return ERR_CERT_NOT_YET;
	case X509_V_ERR_CERT_REVOKED:
		return ERR_CERT_REVOKED;
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
	case X509_V_ERR_CA_MD_TOO_WEAK:
		return ERR_CERT_WEAK;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return ERR_CERT_UNTRUSTED;
	default:
		return ERR_CERT_INVALID;
	}
}

/* What is wrong with it, in a clause that follows "certificate of X". */
static const char *clause_of(int verdict)
{
	switch (verdict) {
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
		return "its key is too weak (RSA below 2048 bits), or of a kind that we do not "
		       "know";
	case X509_V_ERR_CA_MD_TOO_WEAK:
		return "it is signed with a hash that is too weak (SHA-1 or older)";
	case X509_V_ERR_INVALID_CA:
		return "it is no authority (CA), but has issued another certificate";
	case X509_V_ERR_PATH_LENGTH_EXCEEDED:
		return "more certificates stand below it than its pathlen allows";
	case X509_V_ERR_PERMITTED_VIOLATION:
	case X509_V_ERR_EXCLUDED_VIOLATION:
		return "it has a name that the name constraints of its CA forbid";
	case X509_V_ERR_INVALID_EXTENSION:
		return "an extension is malformed";
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
		return "its chain is too long";
	default:
		return X509_verify_cert_error_string(verdict);
	}
}

static void text_of_time(X509 *x, enum err e, const char *subject, char text[static CHAIN_TEXT_MAX])
{
	const bool early = e == ERR_CERT_NOT_YET;
	char when[TIME_TEXT_MAX];

	x509_time_text(early ? X509_get0_notBefore(x) : X509_get0_notAfter(x), when);
	snprintf(text, CHAIN_TEXT_MAX, "certificate of %s %s %s", subject,
		 early ? "begins" : "ended", when);
}

/* A CA that was made twice has one name and two keys, and each gateway has another of them. */
static bool trusts_namesake(X509_STORE_CTX *ctx, X509 *x)
{
	STACK_OF(X509) *found = X509_STORE_CTX_get1_certs(ctx, X509_get_issuer_name(x));
	const bool any = sk_X509_num(found) > 0;

	sk_X509_pop_free(found, X509_free);
	return any;
}

static void text_of_namesake(X509 *x, char text[static CHAIN_TEXT_MAX])
{
	char subject[84], issuer[84];

	snprintf(text, CHAIN_TEXT_MAX,
		 "certificate of %s, issued by %s: our CA of that name has another key: was it "
		 "made twice?",
		 x509_name_text(X509_get_subject_name(x), subject, sizeof(subject)),
		 x509_name_text(X509_get_issuer_name(x), issuer, sizeof(issuer)));
}

/* Says which certificate of the chain is at fault, and how. */
static void text_of(X509_STORE_CTX *ctx, X509 *x, int verdict, char text[static CHAIN_TEXT_MAX])
{
	const enum err e = error_of(verdict);
	char subject[96], issuer[96];

	x509_name_text(X509_get_subject_name(x), subject, sizeof(subject));
	x509_name_text(X509_get_issuer_name(x), issuer, sizeof(issuer));
	if (e == ERR_CERT_ENDED || e == ERR_CERT_NOT_YET)
		text_of_time(x, e, subject, text);
	else if (verdict == X509_V_ERR_CERT_SIGNATURE_FAILURE)
		snprintf(text, CHAIN_TEXT_MAX,
			 "certificate of %s: not signed by the key of %s that we know", subject,
			 issuer);
	else if (e == ERR_CERT_UNTRUSTED && trusts_namesake(ctx, x))
		text_of_namesake(x, text);
	else if (e == ERR_CERT_UNTRUSTED)
		snprintf(text, CHAIN_TEXT_MAX,
			 "certificate of %s, issued by %s: no such CA in our trust file", subject,
			 issuer);
	else
		snprintf(text, CHAIN_TEXT_MAX, "certificate of %s: %s", subject,
			 clause_of(verdict));
}

/* PARTIAL_CHAIN: a configured CA is an end of the chain, be it self-signed or not. */
static bool chain_prepare(X509_STORE_CTX *ctx, X509_STORE *store, STACK_OF(X509) * chain, time_t at)
{
	X509_VERIFY_PARAM *param;

	if (!ossl_ok(X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain)))
		return false;
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, at);
	X509_VERIFY_PARAM_set_depth(param, CHAIN_DEPTH_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
	return ossl_ok(X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN));
}

/* How long all of them are good yet; what cannot be told, or is over within the second, is one. */
static uint64_t good_for(STACK_OF(X509) * chain, time_t at)
{
	ASN1_TIME *now = ASN1_TIME_set(NULL, at);
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < sk_X509_num(chain); i++) {
		const ASN1_TIME *end = X509_get0_notAfter(sk_X509_value(chain, i));
		int days = 0, seconds = 0;
		uint64_t left = 1;

		if (now && ossl_ok(ASN1_TIME_diff(&days, &seconds, now, end)) && days >= 0 &&
		    seconds >= 0 && days + seconds > 0)
			left = (uint64_t)days * 86400 + (uint64_t)seconds;
		least = left < least ? left : least;
	}
	ASN1_TIME_free(now);
	return least;
}

enum err chain_judge(X509_STORE *store, STACK_OF(X509) * chain, time_t at, uint64_t *good_s,
		     char text[static CHAIN_TEXT_MAX])
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	enum err e = ERR_CRYPTO;
	X509 *culprit;
	int verdict;

	*good_s = 0;
	if (!ctx || !chain_prepare(ctx, store, chain, at))
		goto out;
	if (ossl_ok(X509_verify_cert(ctx))) {
		*good_s = good_for(X509_STORE_CTX_get0_chain(ctx), at);
		e = OK;
		goto out;
	}
	verdict = X509_STORE_CTX_get_error(ctx);
	culprit = X509_STORE_CTX_get_current_cert(ctx);
	culprit = culprit ? culprit : sk_X509_value(chain, 0);
	/* The library finds no issuer for one that it cannot read, and says no more than that. */
	if (X509_get_extension_flags(culprit) & EXFLAG_INVALID)
		verdict = X509_V_ERR_INVALID_EXTENSION;
	e = error_of(verdict);
	text_of(ctx, culprit, verdict, text);
out:
	X509_STORE_CTX_free(ctx);
	return e == OK ? OK : ossl_fail(e);
}

/* id-kp-ipsecIKE and any are the RFC's. Of the others one has to be there, because authorities give
 * out certificates for gateways with what Windows asks for (serverAuth), with what a TLS client
 * has, or with the old ipsecEndSystem. */
static bool purpose_is_ours(const ASN1_OBJECT *purpose)
{
	static const int ours[] = { NID_ipsec_IKE, NID_anyExtendedKeyUsage, NID_ipsecEndSystem,
				    NID_server_auth, NID_client_auth };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (OBJ_obj2nid(purpose) == ours[i])
			return true;
	return false;
}

/* One that cannot be read, or that stands there twice, allows nothing. */
static bool purposes_allow(X509 *leaf)
{
	int critical;
	EXTENDED_KEY_USAGE *purposes = X509_get_ext_d2i(leaf, NID_ext_key_usage, &critical, NULL);
	bool allow = !purposes && critical == -1; /* absent */

	for (int i = 0; i < sk_ASN1_OBJECT_num(purposes) && !allow; i++)
		allow = purpose_is_ours(sk_ASN1_OBJECT_value(purposes, i));
	EXTENDED_KEY_USAGE_free(purposes);
	ERR_clear_error();
	return allow;
}

enum err leaf_judge(X509 *leaf, char text[static CHAIN_TEXT_MAX])
{
	const uint32_t usage = X509_get_key_usage(leaf);

	if (usage != UINT32_MAX && !(usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION))) {
		snprintf(text, CHAIN_TEXT_MAX,
			 "the certificate's keyUsage does not allow digitalSignature");
		return ERR_CERT_INVALID;
	}
	if (!purposes_allow(leaf)) {
		snprintf(text, CHAIN_TEXT_MAX,
			 "the certificate's extendedKeyUsage has none of ipsecIKE, serverAuth, "
			 "clientAuth, ipsecEndSystem and anyExtendedKeyUsage");
		return ERR_CERT_INVALID;
	}
	return OK;
}

/* A signature of its own on itself says nothing about it. */
static bool signature_is_weak(X509 *x)
{
	int bits;

	if (X509_get_extension_flags(x) & EXFLAG_SS)
		return false;
	return !ossl_ok(X509_get_signature_info(x, NULL, NULL, &bits, NULL)) ||
	       bits < SECURITY_BITS;
}

bool x509_is_weak(X509 *x)
{
	struct sig_key key;
	const bool weak =
		sig_key_judge(X509_get0_pubkey(x), &key) == ERR_CERT_WEAK || signature_is_weak(x);

	ERR_clear_error();
	return weak;
}
