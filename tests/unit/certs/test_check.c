/* SPDX-License-Identifier: Apache-2.0 */
/* What `postern check` says of certificates and keys, word by word. */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/cert.h"
#include "tests/unit/certs/pki.h"
#include "tests/unit/unit.h"

static struct pki *p;
static const struct cert *root, *leaf;

static void set_up(void)
{
	p = pki_new();
	root = pki_ca(p, NULL, "CN=Root");
	leaf = pki_cert(p, &(struct cert_spec){ .issuer = root,
						.subject = "CN=gw",
						.alt = "DNS:gw.example.org,IP:192.0.2.1",
						.until = PKI_NOW + 100 * PKI_DAY });
}

static void tear_down(void)
{
	pki_free(p);
}

static struct span key_pem(EVP_PKEY *key, const char *passphrase)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct span kept;
	char *text;
	long len;

	ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(
				 bio, key, passphrase ? EVP_aes_128_cbc() : NULL, passphrase,
				 passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
			 1);
	len = BIO_get_mem_data(bio, &text);
	kept = pki_keep(p, text, (size_t)len);
	BIO_free(bio);
	return kept;
}

/* A configuration in which all is well until a test says otherwise. */
static struct world {
	struct conf_me me;
	struct conf_connection cn;
} world;
static char left_pem[] = "left.pem", left_key[] = "left.key", ca_pem[] = "ca.pem";

static struct world *good(void)
{
	world = (struct world){
		.me = { .identity = pki_id("gw.example.org"),
			.identity_pos = { 2, 1 },
			.certificate = { .path = left_pem,
					 .bytes = pki_pem(p, CERTS(leaf)),
					 .pos = { 3, 1 } },
			.key = { .path = left_key,
				 .bytes = key_pem(leaf->key, NULL),
				 .pos = { 4, 1 } },
			.trust = { .path = ca_pem,
				   .bytes = pki_pem(p, CERTS(root)),
				   .pos = { 5, 1 } } },
		.cn = { .name = "office", .me = &world.me, .pos = { 9, 1 } },
	};
	return &world;
}

/* Each problem as "line: text | hint", a line each; of warnings with a mark. */
static void expect_at(const struct world *w, time_t at, const char *wanted)
{
	const struct conf c = {
		.mes = (struct conf_me *)(uintptr_t)&w->me,
		.n_mes = 1,
		.connections = (struct conf_connection *)(uintptr_t)&w->cn,
		.n_connections = 1,
	};
	struct conf_problems problems = { 0 };
	char *got = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&got, &len);

	cert_check(&c, at, &problems);
	for (size_t i = 0; i < problems.n; i++)
		fprintf(f, "%d: %s%s | %s\n", problems.v[i].line,
			problems.v[i].warning ? "warning: " : "", problems.v[i].text,
			problems.v[i].hint);
	fclose(f);
	ck_assert_str_eq(got, wanted);
	free(got);
}

static void expect(const struct world *w, const char *wanted)
{
	expect_at(w, PKI_NOW, wanted);
}

START_TEST(nothing_is_said_when_all_is_well)
{
	struct world *w = good();

	expect(w, "");
	w->me.key.bytes = key_pem(leaf->key, "open sesame");
	w->me.passphrase.secret = span_str("open sesame");
	expect(w, "");
	w->me.identity = (struct identity){ 0 };
	w->cn.local_identity = pki_id("192.0.2.1");
	expect(w, "");
	*w = (struct world){ 0 };
	expect(w, "");
}
END_TEST

START_TEST(files_that_are_not_what_they_should_be)
{
	struct world *w = good();

	w->me.certificate.bytes = key_pem(leaf->key, NULL);
	w->me.key.bytes = pki_pem(p, CERTS(leaf));
	w->me.trust.bytes = span_str("garbage");
	expect(w,
	       "3: left.pem: it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----) "
	       "| ours, as the CA has issued it\n"
	       "5: ca.pem: it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----) | the "
	       "certificates of the CAs that may vouch for peers\n"
	       "4: left.key: it holds a CERTIFICATE, not a private key | the key that the "
	       "certificate was made for\n");
}
END_TEST

START_TEST(passphrases)
{
	struct world *w = good();

	w->me.key.bytes = key_pem(leaf->key, "open sesame");
	expect(w, "4: left.key: the key is encrypted and no passphrase_file is set | \n");
	w->me.passphrase.secret = span_str("shut sesame");
	expect(w, "4: left.key: the passphrase does not open the key, or the key is damaged | \n");
}
END_TEST

START_TEST(a_key_of_another_certificate)
{
	struct world *w = good();

	w->me.key.bytes = key_pem(root->key, NULL);
	expect(w, "4: left.key: the key does not belong to the certificate | the key that the "
		  "certificate was made for\n");
	w->me.key.bytes = key_pem(pki_key(p, KEY_RSA_2048), NULL);
	expect(w, "4: left.key: the key does not belong to the certificate | the key that the "
		  "certificate was made for\n");
}
END_TEST

START_TEST(an_identity_that_is_not_proved)
{
	struct world *w = good();

	w->me.identity = pki_id("hq.example.org");
	w->cn.local_identity = pki_id("hq.example.org");
	expect(w, "2: the certificate does not prove `hq.example.org` | it proves gw.example.org, "
		  "192.0.2.1\n");
	w->me.identity = w->cn.local_identity = pki_id("O=X,CN=gw");
	expect(w, "2: the certificate does not prove `O=X, CN=gw` | it proves gw.example.org, "
		  "192.0.2.1\n");
}
END_TEST

/* A name in CN alone is what many make at first. */
START_TEST(a_certificate_without_another_name_is_told_which)
{
	const struct cert *bare =
		pki_cert(p, &(struct cert_spec){ .issuer = root,
						 .subject = "CN=gw.example.org",
						 .until = PKI_NOW + 100 * PKI_DAY });
	struct world *w = good();

	w->me.certificate.bytes = pki_pem(p, CERTS(bare));
	w->me.key.bytes = key_pem(bare->key, NULL);
	expect(w,
	       "2: the certificate does not prove `gw.example.org` | it proves CN=gw.example.org; "
	       "have one made with subjectAltName=DNS:gw.example.org\n");
	w->me.identity = pki_id("192.0.2.1");
	expect(w, "2: the certificate does not prove `192.0.2.1` | it proves CN=gw.example.org; "
		  "have one made with subjectAltName=IP:192.0.2.1\n");
	w->me.identity = pki_id("CN=gw");
	expect(w, "2: the certificate does not prove `CN=gw` | it proves CN=gw.example.org\n");
}
END_TEST

START_TEST(an_identity_of_a_connection_that_is_not_proved)
{
	struct world *w = good();

	w->cn.local_identity = pki_id("192.0.2.2");
	expect(w, "9: the certificate does not prove `192.0.2.2` | it proves gw.example.org, "
		  "192.0.2.1\n");
	w->cn.auth = CONF_AUTH_PSK;
	expect(w, "");
	w->cn.auth = CONF_AUTH_CERTIFICATE;
	w->cn.me = NULL;
	expect(w, "");
}
END_TEST

START_TEST(times_of_our_certificate)
{
	struct world *w = good();
	const struct cert *ca =
		pki_cert(p, &(struct cert_spec){ .subject = "CN=Long",
						 .basic = "CA:TRUE",
						 .until = PKI_NOW + 900 * PKI_DAY });

	w->me.trust.bytes = pki_pem(p, CERTS(ca));
	expect_at(w, PKI_NOW + 86 * PKI_DAY - 1, "");
	expect_at(w, PKI_NOW + 86 * PKI_DAY,
		  "3: warning: left.pem ends 2026-04-11 00:00 UTC | have it renewed soon\n");
	expect_at(w, PKI_NOW + 100 * PKI_DAY - 1,
		  "3: warning: left.pem ends 2026-04-11 00:00 UTC | have it renewed soon\n");
	expect_at(w, PKI_NOW + 100 * PKI_DAY,
		  "3: left.pem ended 2026-04-11 00:00 UTC; peers will refuse it | have it "
		  "renewed\n");
	expect_at(w, PKI_FROM - 1,
		  "3: left.pem begins only 2025-12-31 00:00 UTC | is the clock right?\n");
}
END_TEST

START_TEST(times_of_the_others)
{
	struct world *w = good();

	w->me.certificate.bytes = pki_pem(p, CERTS(leaf, root));
	expect_at(w, PKI_UNTIL + PKI_DAY,
		  "3: left.pem: certificate of CN=Root ended 2026-01-11 00:00 UTC | peers will "
		  "refuse what it vouches for\n"
		  "5: warning: ca.pem: the CA CN=Root ended 2026-01-11 00:00 UTC | no peer that it "
		  "vouches for will be let in\n");
}
END_TEST

START_TEST(chains_out_of_order)
{
	struct world *w = good();
	const struct cert *one = pki_ca(p, root, "CN=One"), *two = pki_ca(p, one, "CN=Two"), *l;

	l = pki_leaf(p, two, "DNS:gw.example.org");
	w->me.key.bytes = key_pem(l->key, NULL);
	w->me.certificate.bytes = pki_pem(p, CERTS(l, two, one, root));
	expect_at(w, PKI_NOW - 6 * 3600,
		  "3: warning: left.pem ends 2026-01-11 00:00 UTC | have it "
		  "renewed soon\n");
	w->me.certificate.bytes = pki_pem(p, CERTS(l, one, two));
	expect(w, "3: warning: left.pem ends 2026-01-11 00:00 UTC | have it renewed soon\n"
		  "3: left.pem: its certificates are not in order | ours first, then the one that "
		  "issued it, and so on\n"
		  "3: left.pem: its certificates are not in order | ours first, then the one that "
		  "issued it, and so on\n");
}
END_TEST

START_TEST(the_certificate_of_an_authority_as_a_gateways)
{
	struct world *w = good();
	struct cert_spec s = { .subject = "CN=gw",
			       .alt = "DNS:gw.example.org,IP:192.0.2.1",
			       .basic = "CA:TRUE",
			       .key = leaf->key,
			       .until = PKI_NOW + 100 * PKI_DAY };

	w->me.certificate.bytes = pki_pem(p, CERTS(pki_cert(p, &s)));
	expect(w,
	       "3: warning: left.pem is the certificate of an authority (CA), not of a gateway | "
	       "its key can make a certificate of anybody, and some peers refuse it: have it "
	       "issue one for this gateway\n");
	s.issuer = root;
	w->me.certificate.bytes = pki_pem(p, CERTS(pki_cert(p, &s)));
	expect(w,
	       "3: warning: left.pem is the certificate of an authority (CA), not of a gateway | "
	       "its key can make a certificate of anybody, and some peers refuse it: have it "
	       "issue one for this gateway\n");
	s.basic = "CA:FALSE";
	w->me.certificate.bytes = pki_pem(p, CERTS(pki_cert(p, &s)));
	expect(w, "");
}
END_TEST

START_TEST(a_certificate_that_peers_will_not_take)
{
	struct world *w = good();
	struct cert_spec s = { .issuer = root,
			       .subject = "CN=gw",
			       .alt = "DNS:gw.example.org",
			       .key = leaf->key,
			       .until = PKI_NOW + 100 * PKI_DAY };

	s.usage = "keyEncipherment";
	w->me.certificate.bytes = pki_pem(p, CERTS(pki_cert(p, &s)));
	expect(w, "3: left.pem: the certificate's keyUsage does not allow digitalSignature | peers "
		  "will refuse it: have one made for digital signatures\n");
	s.usage = NULL;
	s.purpose = "codeSigning";
	w->me.certificate.bytes = pki_pem(p, CERTS(pki_cert(p, &s)));
	expect(w, "3: left.pem: the certificate's extendedKeyUsage has none of ipsecIKE, "
		  "serverAuth, clientAuth, ipsecEndSystem and anyExtendedKeyUsage | peers will "
		  "refuse it: have one made for digital signatures\n");
	s.purpose = NULL;
	s.digest = "SHA1";
	w->me.certificate.bytes = pki_pem(p, CERTS(pki_cert(p, &s)));
	expect(w, "3: left.pem: certificate of CN=gw is weak | peers want SHA-2, and RSA keys of "
		  "2048 bits or more\n");
}
END_TEST

START_TEST(more_certificates_than_a_peer_takes)
{
	struct world *w = good();
	const struct cert *many[12] = { leaf };

	for (int i = 1; i < 11; i++)
		many[i] = root;
	w->me.certificate.bytes = pki_pem(p, many);
	expect(w,
	       "3: left.pem: it holds more than 10 certificates | ours, and those between it and "
	       "the CA\n");
}
END_TEST

START_TEST(a_trust_file_with_something_else_in_it)
{
	struct world *w = good();

	w->me.trust.bytes = pki_pem(p, CERTS(root, leaf));
	expect(w, "5: ca.pem: it holds CN=gw, which is no authority (CA) | only CA certificates\n");
}
END_TEST

UNIT("certs/check")
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, nothing_is_said_when_all_is_well);
	tcase_add_test(tc, files_that_are_not_what_they_should_be);
	tcase_add_test(tc, passphrases);
	tcase_add_test(tc, a_key_of_another_certificate);
	tcase_add_test(tc, an_identity_that_is_not_proved);
	tcase_add_test(tc, a_certificate_without_another_name_is_told_which);
	tcase_add_test(tc, an_identity_of_a_connection_that_is_not_proved);
	tcase_add_test(tc, times_of_our_certificate);
	tcase_add_test(tc, times_of_the_others);
	tcase_add_test(tc, chains_out_of_order);
	tcase_add_test(tc, the_certificate_of_an_authority_as_a_gateways);
	tcase_add_test(tc, a_certificate_that_peers_will_not_take);
	tcase_add_test(tc, more_certificates_than_a_peer_takes);
	tcase_add_test(tc, a_trust_file_with_something_else_in_it);
}
