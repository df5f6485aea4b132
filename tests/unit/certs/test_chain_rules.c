/* SPDX-License-Identifier: Apache-2.0 */
/* Chains that lead to a trusted CA and break a rule all the same: authority, path length, names,
 * strength, use; and what a message shows of a stranger. */
#include "certs/chain.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/certs/ask.h"
#include "tests/unit/unit.h"

#define GW "gw.example.org"
#define PASSES(trust_, chain_) \
	ask_passes(p, &(struct ask){ .trust = trust_, .chain = chain_, .claimed = pki_id(GW) })
#define REFUSED(trust_, chain_, err_, text_)                                                     \
	ask_refused(p, &(struct ask){ .trust = trust_, .chain = chain_, .claimed = pki_id(GW) }, \
		    err_, text_)

static struct pki *p;
static const struct cert *root;

static void set_up(void)
{
	p = pki_new();
	root = pki_ca(p, NULL, "O=Example,CN=Root");
}

static void tear_down(void)
{
	pki_free(p);
}

static const struct cert *leaf(const struct cert *issuer)
{
	return pki_leaf(p, issuer, "DNS:" GW);
}

/* Each of these has issued a certificate and must not. */
START_TEST(who_is_no_authority_vouches_for_nobody)
{
	static const struct cert_spec issuers[] = {
		{ .basic = NULL },
		{ .basic = "CA:FALSE", .usage = "keyCertSign" },
		{ .basic = NULL, .usage = "keyCertSign" },
		{ .basic = NULL, .netscape = "sslCA" },
		{ .version_1 = true },
	};

	for (size_t i = 0; i < sizeof(issuers) / sizeof(issuers[0]); i++) {
		struct cert_spec s = issuers[i];
		const struct cert *issuer;

		s.issuer = root;
		s.subject = "CN=issuer";
		issuer = pki_cert(p, &s);
		REFUSED(CERTS(root), CERTS(leaf(issuer), issuer), ERR_CERT_INVALID,
			"certificate of CN=issuer: it is no authority (CA), but has issued another "
			"certificate");
	}
}
END_TEST

START_TEST(an_authority_whose_usage_has_no_keyCertSign_vouches_for_nobody)
{
	const struct cert *ca = pki_cert(p, &(struct cert_spec){ .issuer = root,
								 .subject = "CN=issuer",
								 .basic = "CA:TRUE",
								 .usage = "digitalSignature" });

	REFUSED(CERTS(root), CERTS(leaf(ca), ca), ERR_CERT_INVALID, NULL);
}
END_TEST

START_TEST(pathlen_is_kept)
{
	const struct cert *narrow = pki_cert(p, &(struct cert_spec){ .issuer = root,
								     .subject = "CN=Narrow",
								     .basic = "CA:TRUE,pathlen:0",
								     .usage = "keyCertSign" });
	const struct cert *below = pki_ca(p, narrow, "CN=Below");

	PASSES(CERTS(root), CERTS(leaf(narrow), narrow));
	REFUSED(CERTS(root), CERTS(leaf(below), below, narrow), ERR_CERT_INVALID,
		"certificate of CN=Narrow: more certificates stand below it than its pathlen "
		"allows");
}
END_TEST

START_TEST(a_chain_has_an_end)
{
	const struct cert *list[CHAIN_TEXT_MAX] = { NULL }, *ca = root;
	char name[] = "CN=Level 0";

	for (int i = 9; i >= 1; i--) {
		name[sizeof(name) - 2] = (char)('0' + i);
		list[i] = ca = pki_ca(p, ca, name);
	}
	list[0] = leaf(ca); /* nine between it and the root */
	REFUSED(CERTS(root), list, ERR_CERT_INVALID, NULL);
	list[0] = leaf(list[2]);
	memmove(&list[1], &list[2], 8 * sizeof(list[0]));
	list[9] = NULL;
	PASSES(CERTS(root), list);
}
END_TEST

/* C7: what is forbidden stays so in other letters, and in other encodings. */
START_TEST(name_constraints_hold_in_any_case)
{
	static const struct {
		const char *constraint, *alt;
		const char *subject;
	} cases[] = {
		{ "excluded;DNS:example.org", "DNS:" GW, "CN=x" },
		{ "excluded;DNS:EXAMPLE.org", "DNS:" GW, "CN=x" },
		{ "excluded;DNS:example.org", "DNS:" GW ",DNS:EVIL.Example.ORG", "CN=x" },
		{ "excluded;DNS:gw.example.org", "DNS:" GW, "CN=x" },
		{ "permitted;DNS:example.net", "DNS:" GW, "CN=x" },
		{ "permitted;DNS:example.org", "DNS:" GW ",DNS:example.net", "CN=x" },
		{ "excluded;email:example.net", "DNS:" GW ",email:a@EXAMPLE.net", "CN=x" },
		{ "excluded;email:.EXAMPLE.net", "DNS:" GW ",email:a@b.example.net", "CN=x" },
		{ "excluded;IP:192.0.2.0/255.255.255.0", "DNS:" GW ",IP:192.0.2.7", "CN=x" },
		{ "excluded;IP:2001:db8::/ffff:ffff::", "DNS:" GW ",IP:2001:db8::1", "CN=x" },
		{ "excluded;dirName:evil", "DNS:" GW, "O=Evil,CN=gw" },
		{ "excluded;dirName:evil", "DNS:" GW, "O=EVIL,CN=gw" },
		{ "excluded;dirName:evil", "DNS:" GW, "O= evil ,CN=gw" },
		{ "permitted;dirName:evil", "DNS:" GW, "O=Good,CN=gw" },
		{ "excluded;dirName:evil", "DNS:" GW ",dirName:shout", "CN=gw" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct cert *ca =
			pki_cert(p, &(struct cert_spec){ .issuer = root,
							 .subject = "CN=CA",
							 .basic = "CA:TRUE",
							 .constraints = cases[i].constraint,
							 .conf = "[evil]\nO=Evil\n" });
		const struct cert *l =
			pki_cert(p, &(struct cert_spec){ .issuer = ca,
							 .subject = cases[i].subject,
							 .subject_type = V_ASN1_PRINTABLESTRING,
							 .conf = "[shout]\nO=EVIL\nCN=a\n",
							 .alt = cases[i].alt });
		char text[256];

		snprintf(text, sizeof(text), "%s",
			 "it has a name that the name constraints of its CA forbid");
		ck_assert_msg(strstr(ask(p, &(struct ask){ .trust = CERTS(root),
							   .chain = CERTS(l, ca),
							   .claimed = pki_id(GW) })
					     .text,
				     text),
			      "case %zu", i);
		REFUSED(CERTS(root), CERTS(l, ca), ERR_CERT_INVALID, NULL);
		REFUSED(CERTS(ca), CERTS(l), ERR_CERT_INVALID, NULL);
	}
}
END_TEST

START_TEST(what_name_constraints_allow_passes)
{
	const struct cert *ca = pki_cert(
		p, &(struct cert_spec){ .issuer = root,
					.subject = "CN=CA",
					.basic = "CA:TRUE",
					.constraints = "critical,permitted;DNS:EXAMPLE.org,"
						       "excluded;DNS:evil.example.org" });

	PASSES(CERTS(root), CERTS(leaf(ca), ca));
}
END_TEST

/* RFC 5280 4.2.1.10: a constraint on a kind of name that we cannot judge refuses such names. */
START_TEST(a_name_constraint_of_unknown_kind_refuses_names_of_that_kind)
{
	const struct cert *ca =
		pki_cert(p, &(struct cert_spec){ .issuer = root,
						 .subject = "CN=CA",
						 .basic = "CA:TRUE",
						 .constraints = "permitted;RID:1.2.3.4" });
	const struct cert *l = pki_leaf(p, ca, "DNS:" GW ",RID:1.2.3.4");

	REFUSED(CERTS(root), CERTS(l, ca), ERR_CERT_INVALID, NULL);
}
END_TEST

START_TEST(sha1_is_refused_at_every_step)
{
	struct cert_spec s = { .issuer = root, .subject = "CN=gw", .alt = "DNS:" GW };
	struct cert_spec ca = { .issuer = root, .subject = "CN=Old", .basic = "CA:TRUE" };
	const struct cert *old;

	s.digest = ca.digest = "SHA1";
	old = pki_cert(p, &ca);
	REFUSED(CERTS(root), CERTS(pki_cert(p, &s)), ERR_CERT_WEAK,
		"certificate of CN=gw: it is signed with a hash that is too weak (SHA-1 or older)");
	REFUSED(CERTS(root), CERTS(leaf(old), old), ERR_CERT_WEAK,
		"certificate of CN=Old: it is signed with a hash that is too weak (SHA-1 or "
		"older)");
	ck_assert(x509_is_weak(old->x));
	ck_assert(!x509_is_weak(leaf(root)->x));
	/* Of a trusted CA the signature is its own on itself, and says nothing. */
	ca.issuer = NULL;
	old = pki_cert(p, &ca);
	PASSES(CERTS(old), CERTS(leaf(old)));
	ck_assert(!x509_is_weak(old->x));
}
END_TEST

START_TEST(rsa_below_2048_bits_is_refused_at_every_step)
{
	struct cert_spec s = { .issuer = root,
			       .subject = "CN=gw",
			       .alt = "DNS:" GW,
			       .key = pki_key(p, KEY_RSA_1024) };
	struct cert_spec ca = { .subject = "CN=Old", .basic = "CA:TRUE", .key = s.key };
	const struct cert *small = pki_cert(p, &s), *old = pki_cert(p, &ca);
	const char *weak = "certificate of CN=gw: its key is too weak (RSA below 2048 bits), or of "
			   "a kind that we do not know";

	ck_assert(x509_is_weak(small->x));
	ask_refused(p,
		    &(struct ask){ .trust = CERTS(root),
				   .chain = CERTS(small),
				   .claimed = pki_id(GW),
				   .signer = root },
		    ERR_CERT_WEAK, weak);
	REFUSED(CERTS(old), CERTS(leaf(old)), ERR_CERT_WEAK,
		"certificate of CN=Old: its key is too weak (RSA below 2048 bits), or of a kind "
		"that we do not know");
	ca.issuer = root;
	old = pki_cert(p, &ca);
	REFUSED(CERTS(root), CERTS(leaf(old), old), ERR_CERT_WEAK, NULL);
}
END_TEST

/* C16, C17, C30: numbers that are no RSA key, in a certificate that a trusted CA has signed. */
START_TEST(malformed_rsa_keys_verify_nothing)
{
	static const enum test_key keys[] = { KEY_RSA_E_0,    KEY_RSA_E_1,  KEY_RSA_E_EVEN,
					      KEY_RSA_N_EVEN, KEY_RSA_2047, KEY_RSA_E_ABOVE_N };
	const struct cert *rsa = pki_cert(
		p, &(struct cert_spec){ .subject = "CN=rsa", .key = pki_key(p, KEY_RSA_2048) });

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct cert *l =
			pki_cert(p, &(struct cert_spec){ .issuer = root,
							 .subject = "CN=gw",
							 .alt = "DNS:" GW,
							 .key = pki_key(p, keys[i]) });

		ask_refused(p,
			    &(struct ask){ .trust = CERTS(root),
					   .chain = CERTS(l),
					   .claimed = pki_id(GW),
					   .signer = rsa },
			    ERR_CERT_WEAK, NULL);
	}
}
END_TEST

START_TEST(an_unknown_critical_extension_is_refused)
{
	struct cert_spec s = { .issuer = root,
			       .subject = "CN=gw",
			       .alt = "DNS:" GW,
			       .critical_oid = "1.3.6.1.4.1.99999.1" };
	struct cert_spec ca = { .issuer = root,
				.subject = "CN=CA",
				.basic = "CA:TRUE",
				.critical_oid = "1.3.6.1.4.1.99999.1" };
	const struct cert *odd = pki_cert(p, &ca);

	REFUSED(CERTS(root), CERTS(pki_cert(p, &s)), ERR_CERT_INVALID,
		"certificate of CN=gw: unhandled critical extension");
	REFUSED(CERTS(root), CERTS(leaf(odd), odd), ERR_CERT_INVALID,
		"certificate of CN=CA: unhandled critical extension");
}
END_TEST

START_TEST(keyUsage_has_to_allow_signatures)
{
	static const struct {
		const char *usage;
		bool good;
	} cases[] = {
		{ NULL, true },
		{ "digitalSignature", true },
		{ "critical,digitalSignature,keyEncipherment", true },
		{ "nonRepudiation", true }, /* RFC 4945 5.1.3.2 */
		{ "keyEncipherment", false },
		{ "critical,keyAgreement", false },
		{ "keyCertSign,cRLSign", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct cert *l = pki_cert(p, &(struct cert_spec){ .issuer = root,
									.subject = "CN=gw",
									.alt = "DNS:" GW,
									.usage = cases[i].usage });

		if (cases[i].good)
			PASSES(CERTS(root), CERTS(l));
		else
			REFUSED(CERTS(root), CERTS(l), ERR_CERT_INVALID,
				"the certificate's keyUsage does not allow digitalSignature");
	}
}
END_TEST

START_TEST(extendedKeyUsage_has_to_be_one_of_ours)
{
	static const struct {
		const char *purpose;
		bool good;
	} cases[] = {
		{ NULL, true },
		{ "1.3.6.1.5.5.7.3.17", true },
		{ "1.3.6.1.5.5.7.3.5", true },
		{ "anyExtendedKeyUsage", true },
		{ "serverAuth", true },
		{ "clientAuth", true },
		{ "critical,serverAuth,emailProtection", true },
		{ "codeSigning,1.3.6.1.5.5.7.3.17", true },
		{ "codeSigning", false },
		{ "critical,emailProtection,timeStamping", false },
		{ "OCSPSigning", false },
		{ "1.3.6.1.5.5.7.3.171", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct cert *l =
			pki_cert(p, &(struct cert_spec){ .issuer = root,
							 .subject = "CN=gw",
							 .alt = "DNS:" GW,
							 .purpose = cases[i].purpose });

		if (cases[i].good)
			PASSES(CERTS(root), CERTS(l));
		else
			REFUSED(CERTS(root), CERTS(l), ERR_CERT_INVALID,
				"the certificate's extendedKeyUsage has none of ipsecIKE, "
				"serverAuth, clientAuth, ipsecEndSystem and anyExtendedKeyUsage");
	}
}
END_TEST

/* Two of one kind, or one that is no DER, could be read in two ways (RFC 5280 4.2). */
START_TEST(broken_and_double_extensions_are_refused)
{
	static const char double_alt[] = "\x30\x07\x82\x05"
					 "b.org",
			  broken_alt[] = "\x30\x09\x82\x05"
					 "b.org";
	const struct cert *twice =
		pki_cert(p, &(struct cert_spec){ .issuer = root,
						 .subject = "CN=gw",
						 .alt = "DNS:" GW,
						 .raw_alt = span_str(double_alt) });
	const struct cert *broken =
		pki_cert(p, &(struct cert_spec){ .issuer = root,
						 .subject = "CN=gw",
						 .raw_alt = span_str(broken_alt) });
	const struct cert *const *chains[] = { CERTS(twice), CERTS(broken) };

	for (size_t i = 0; i < 2; i++)
		ask_refused(p,
			    &(struct ask){ .trust = CERTS(root),
					   .chain = chains[i],
					   .claimed = pki_id("CN=gw") },
			    ERR_CERT_INVALID, "certificate of CN=gw: an extension is malformed");
}
END_TEST

/* RFC 3820: who holds a certificate could make others in his name. */
START_TEST(proxy_certificates_are_refused)
{
	const struct cert *l0 = leaf(root);
	const struct cert *proxy =
		pki_cert(p, &(struct cert_spec){ .issuer = l0,
						 .subject = "O=Example,CN=gw,CN=proxy",
						 .alt = "DNS:" GW });

	REFUSED(CERTS(root), CERTS(proxy, l0), ERR_CERT_INVALID, NULL);
}
END_TEST

/* A CA of the trust file may be a peer itself, if its usage allows it: it could have made itself a
 * certificate anyway. */
START_TEST(a_trusted_authority_may_be_a_peer_if_its_usage_allows_it)
{
	struct cert_spec s = { .subject = "CN=gw", .alt = "DNS:" GW, .basic = "CA:TRUE" };
	const struct cert *both = pki_cert(p, &s), *ca;

	PASSES(CERTS(both), CERTS(both));
	s.usage = "keyCertSign";
	ca = pki_cert(p, &s);
	REFUSED(CERTS(ca), CERTS(ca), ERR_CERT_INVALID,
		"the certificate's keyUsage does not allow digitalSignature");
}
END_TEST

/* C11: a stranger's words reach messages escaped, and nothing can pass for an attribute, a line or
 * a control sequence of ours. */
START_TEST(a_hostile_name_is_shown_escaped)
{
	static const char cn[] = "a\n\x1b[31m\"b\\,O=Evil\xff\xe2\x80\xae\0z";
	const struct cert *l = pki_cert(
		p, &(struct cert_spec){ .subject = "C=XX", .raw_cn = span_of(cn, sizeof(cn) - 1) });
	const char *shown =
		"C=XX, CN=a\\x0a\\x1b[31m\\\"b\\\\\\,O\\=Evil\\xff\\xe2\\x80\\xae\\x00z";
	char text[256], cut[97];

	ask_refused(p,
		    &(struct ask){ .trust = CERTS(root), .chain = CERTS(l), .claimed = pki_id(GW) },
		    ERR_CERT_UNTRUSTED, NULL);
	snprintf(cut, sizeof(cut), "%s", shown);
	snprintf(text, sizeof(text),
		 "certificate of %s, issued by %s: no such CA in our trust file", cut, cut);
	REFUSED(CERTS(root), CERTS(l), ERR_CERT_UNTRUSTED, text);
}
END_TEST

START_TEST(a_long_name_is_cut)
{
	char cn[600];
	struct job_result r;

	memset(cn, 'x', sizeof(cn));
	for (size_t len = 60; len < sizeof(cn); len += 13) {
		const struct cert *l =
			pki_cert(p, &(struct cert_spec){ .raw_cn = span_of(cn, len) });

		r = ask(p, &(struct ask){ .trust = CERTS(root),
					  .chain = CERTS(l),
					  .claimed = pki_id(GW) });
		ck_assert_int_eq(r.err, ERR_CERT_UNTRUSTED);
		ck_assert_ptr_nonnull(strstr(r.text, "no such CA in our trust file"));
	}
}
END_TEST

UNIT("certs/chain_rules")
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, who_is_no_authority_vouches_for_nobody);
	tcase_add_test(tc, an_authority_whose_usage_has_no_keyCertSign_vouches_for_nobody);
	tcase_add_test(tc, pathlen_is_kept);
	tcase_add_test(tc, a_chain_has_an_end);
	tcase_add_test(tc, name_constraints_hold_in_any_case);
	tcase_add_test(tc, what_name_constraints_allow_passes);
	tcase_add_test(tc, a_name_constraint_of_unknown_kind_refuses_names_of_that_kind);
	tcase_add_test(tc, sha1_is_refused_at_every_step);
	tcase_add_test(tc, rsa_below_2048_bits_is_refused_at_every_step);
	tcase_add_test(tc, malformed_rsa_keys_verify_nothing);
	tcase_add_test(tc, an_unknown_critical_extension_is_refused);
	tcase_add_test(tc, keyUsage_has_to_allow_signatures);
	tcase_add_test(tc, extendedKeyUsage_has_to_be_one_of_ours);
	tcase_add_test(tc, broken_and_double_extensions_are_refused);
	tcase_add_test(tc, proxy_certificates_are_refused);
	tcase_add_test(tc, a_trusted_authority_may_be_a_peer_if_its_usage_allows_it);
	tcase_add_test(tc, a_hostile_name_is_shown_escaped);
	tcase_add_test(tc, a_long_name_is_cut);
}
