/* SPDX-License-Identifier: Apache-2.0 */
/* What is a certificate, and what is not: PEM, DER and the form of CERT payloads. */
#include "certs/x509.h"

#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <stdio.h>
#include <string.h>

#include "crypto/ossl.h"
#include "tests/unit/certs/pki.h"
#include "tests/unit/unit.h"

static struct pki *p;
static const struct cert *root, *leaf;

static void set_up(void)
{
	p = pki_new();
	root = pki_ca(p, NULL, "CN=Root");
	leaf = pki_leaf(p, root, "DNS:gw.example.org");
}

static void tear_down(void)
{
	pki_free(p);
}

/* How many certificates; -1: refused. */
static int chain_count(struct span chain)
{
	STACK_OF(X509) *list = x509_from_chain(chain);
	const int n = list ? sk_X509_num(list) : -1;

	sk_X509_pop_free(list, X509_free);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	return n;
}

static struct span framed(struct span der)
{
	static uint8_t buf[65536];
	struct wr w = wr_into(buf, sizeof(buf));

	wr_u16(&w, (uint16_t)der.len);
	wr_span(&w, der);
	return wr_done(&w);
}

START_TEST(a_chain_is_taken_apart_in_its_order)
{
	STACK_OF(X509) *list = x509_from_chain(pki_chain(p, CERTS(leaf, root)));

	ck_assert_int_eq(sk_X509_num(list), 2);
	ck_assert_int_eq(X509_cmp(sk_X509_value(list, 0), leaf->x), 0);
	ck_assert_int_eq(X509_cmp(sk_X509_value(list, 1), root->x), 0);
	sk_X509_pop_free(list, X509_free);
}
END_TEST

START_TEST(ten_certificates_are_taken_and_eleven_are_not)
{
	const struct cert *many[12] = { NULL };

	for (int i = 0; i < 11; i++)
		many[i] = leaf;
	ck_assert_int_eq(chain_count(pki_chain(p, many)), -1);
	many[10] = NULL;
	ck_assert_int_eq(chain_count(pki_chain(p, many)), 10);
	ck_assert_int_eq(chain_count(SPAN_EMPTY), -1);
}
END_TEST

START_TEST(a_chain_cut_at_any_byte_is_refused)
{
	struct span chain = pki_chain(p, CERTS(leaf, root));
	const size_t first = 2 + pki_der(p, leaf).len;

	for (size_t len = 0; len < chain.len; len++)
		ck_assert_int_eq(chain_count(span_head(chain, len)), len == first ? 1 : -1);
}
END_TEST

/* Its own frame is whole, but the DER in it is not. */
START_TEST(der_cut_at_any_byte_is_refused)
{
	struct span der = pki_der(p, leaf);

	for (size_t len = 0; len < der.len; len++)
		ck_assert_int_eq(chain_count(framed(span_head(der, len))), -1);
	ck_assert_int_eq(chain_count(framed(der)), 1);
}
END_TEST

START_TEST(bytes_behind_a_certificate_are_refused)
{
	struct span der = pki_der(p, leaf);
	uint8_t longer[4096] = { 0 };

	memcpy(longer, der.p, der.len);
	ck_assert_int_eq(chain_count(framed(span_of(longer, der.len + 1))), -1);
	memcpy(longer + der.len, der.p, der.len);
	ck_assert_int_eq(chain_count(framed(span_of(longer, 2 * der.len))), -1);
}
END_TEST

START_TEST(garbage_is_refused)
{
	uint8_t junk[300];

	for (unsigned int seed = 0; seed < 256; seed++) {
		for (size_t i = 0; i < sizeof(junk); i++)
			junk[i] = (uint8_t)(seed * 31 + i * i * 7 + i * seed);
		ck_assert_int_eq(chain_count(framed(span_of(junk, sizeof(junk)))), -1);
		junk[0] = 0x30;
		junk[1] = (uint8_t)seed;
		ck_assert_int_eq(chain_count(framed(span_of(junk, sizeof(junk)))), -1);
	}
}
END_TEST

/* C6, C28: encodings of CERT payloads that we do not take, put where a certificate should be. */
START_TEST(pkcs7_is_refused)
{
	PKCS7 *only_crl = PKCS7_new(), *with_cert = PKCS7_new();
	unsigned char *der = NULL;
	int len;

	PKCS7_set_type(only_crl, NID_pkcs7_signed);
	PKCS7_content_new(only_crl, NID_pkcs7_data);
	len = i2d_PKCS7(only_crl, &der);
	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(chain_count(framed(span_of(der, (size_t)len))), -1);
	OPENSSL_free(der);
	der = NULL;
	PKCS7_set_type(with_cert, NID_pkcs7_signed);
	PKCS7_content_new(with_cert, NID_pkcs7_data);
	PKCS7_add_certificate(with_cert, leaf->x);
	len = i2d_PKCS7(with_cert, &der);
	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(chain_count(framed(span_of(der, (size_t)len))), -1);
	OPENSSL_free(der);
	PKCS7_free(only_crl);
	PKCS7_free(with_cert);
}
END_TEST

START_TEST(other_structures_are_refused)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(leaf->key, &der);

	ck_assert_int_eq(chain_count(framed(span_of(der, (size_t)len))), -1);
	OPENSSL_free(der);
	ck_assert_int_eq(chain_count(framed(pki_pem(p, CERTS(leaf)))), -1);
}
END_TEST

/* "DNS:a.org" that many times. */
static void names_fill(char *alt, size_t n)
{
	for (size_t i = 0; i < n; i++)
		memcpy(alt + 10 * i, "DNS:a.org,", 10);
	alt[10 * n - 1] = '\0';
}

/* More than 16 KiB is no certificate of a gateway. */
START_TEST(a_huge_certificate_is_refused)
{
	static char alt[32768];
	struct span der;

	names_fill(alt, 1000);
	der = pki_der(p, pki_leaf(p, root, alt));
	ck_assert_uint_lt(der.len, 16384);
	ck_assert_int_eq(chain_count(framed(der)), 1);
	names_fill(alt, 2500);
	der = pki_der(p, pki_leaf(p, root, alt));
	ck_assert_uint_gt(der.len, 16384);
	ck_assert_int_eq(chain_count(framed(der)), -1);
}
END_TEST

/* -1: refused with this text. */
static void pem_expect(struct span pem, int n, const char *why)
{
	char got[256] = "";
	STACK_OF(X509) *list = x509_from_pem(pem, got);

	ck_assert_int_eq(list ? sk_X509_num(list) : -1, n);
	ck_assert_str_eq(got, why);
	sk_X509_pop_free(list, X509_free);
	ck_assert_uint_eq(ERR_peek_error(), 0);
}

#define NO_PEM "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"

START_TEST(pem_gives_all_certificates_and_passes_over_other_text)
{
	struct span pem = pki_pem(p, CERTS(leaf, root));
	char text[8192];

	pem_expect(pem, 2, "");
	snprintf(text, sizeof(text), "subject=gw\n%.*sand after it\n", (int)pem.len,
		 (const char *)pem.p);
	pem_expect(span_str(text), 2, "");
}
END_TEST

START_TEST(pem_without_a_certificate_says_so)
{
	pem_expect(SPAN_EMPTY, -1, NO_PEM);
	pem_expect(span_str("\n"), -1, NO_PEM);
	pem_expect(span_str("garbage"), -1, NO_PEM);
	pem_expect(pki_der(p, leaf), -1, NO_PEM);
	pem_expect(span_str("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n"
			    "-----END PUBLIC KEY-----\n"),
		   -1, NO_PEM);
}
END_TEST

START_TEST(damaged_pem_says_which_certificate)
{
	struct span pem = pki_pem(p, CERTS(leaf, root)), one = pki_pem(p, CERTS(leaf));
	char text[8192];

	pem_expect(span_head(one, one.len / 2), -1, "certificate 1 in it is damaged");
	pem_expect(span_head(pem, one.len + 100), -1, "certificate 2 in it is damaged");
	snprintf(text, sizeof(text), "%.*s", (int)pem.len, (const char *)pem.p);
	text[one.len + 60] = '!';
	pem_expect(span_str(text), -1, "certificate 2 in it is damaged");
	pem_expect(span_str("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), -1,
		   "certificate 1 in it is damaged");
}
END_TEST

START_TEST(who_is_an_authority)
{
	static const struct {
		struct cert_spec spec;
		bool ca;
	} cases[] = {
		{ { .subject = "CN=x", .basic = "critical,CA:TRUE" }, true },
		{ { .subject = "CN=x", .basic = "CA:TRUE", .usage = "keyCertSign" }, true },
		{ { .subject = "CN=x", .version_1 = true }, true },
		{ { .subject = "CN=x", .basic = "CA:TRUE", .usage = "digitalSignature" }, false },
		{ { .subject = "CN=x", .basic = "CA:FALSE" }, false },
		{ { .subject = "CN=x" }, false },
		{ { .subject = "CN=x", .usage = "keyCertSign" }, false },
		{ { .subject = "CN=x", .netscape = "sslCA" }, false },
	};
	struct cert_spec v1 = { .issuer = root, .subject = "CN=x", .version_1 = true };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(x509_is_ca(pki_cert(p, &cases[i].spec)->x) == cases[i].ca, "%zu", i);
	ck_assert(!x509_is_ca(pki_cert(p, &v1)->x));
}
END_TEST

START_TEST(names_and_times_are_text)
{
	char buf[256], small[12], when[TIME_TEXT_MAX];
	X509 *x = pki_cert(p, &(struct cert_spec){ .subject = "C=XX,O=Ex\xc3\xa4mple,CN=g+w" })->x;
	X509 *nobody = pki_cert(p, &(struct cert_spec){ .subject = NULL })->x;
	ASN1_TIME *t = ASN1_TIME_new();

	ck_assert_str_eq(x509_name_text(X509_get_subject_name(x), buf, sizeof(buf)),
			 "C=XX, O=Ex\xc3\xa4mple, CN=g\\+w");
	/* not within the two bytes of the umlaut */
	ck_assert_str_eq(x509_name_text(X509_get_subject_name(x), small, sizeof(small)),
			 "C=XX, O=...");
	ck_assert_str_eq(x509_name_text(X509_get_subject_name(x), buf, 14), "C=XX, O=Ex...");
	ck_assert_str_eq(x509_name_text(X509_get_subject_name(x), buf, 15), "C=XX, O=Ex...");
	ck_assert_str_eq(x509_name_text(X509_get_subject_name(nobody), buf, sizeof(buf)), "nobody");
	ck_assert_str_eq(x509_time_text(X509_get0_notAfter(x), when), "2026-01-11 00:00 UTC");
	ASN1_STRING_set(t, "never", 5);
	ck_assert_str_eq(x509_time_text(t, when), "an unreadable time");
	ASN1_TIME_free(t);
}
END_TEST

START_TEST(a_name_longer_than_an_identity_is_counted)
{
	static char cn[800];
	char buf[64];
	X509 *x;

	memset(cn, 'x', sizeof(cn));
	x = pki_cert(p, &(struct cert_spec){ .raw_cn = span_of(cn, sizeof(cn)) })->x;
	ck_assert_str_eq(x509_name_text(X509_get_subject_name(x), buf, sizeof(buf)),
			 "a name of 821 bytes");
}
END_TEST

UNIT("certs/x509")
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_chain_is_taken_apart_in_its_order);
	tcase_add_test(tc, ten_certificates_are_taken_and_eleven_are_not);
	tcase_add_test(tc, a_chain_cut_at_any_byte_is_refused);
	tcase_add_test(tc, der_cut_at_any_byte_is_refused);
	tcase_add_test(tc, bytes_behind_a_certificate_are_refused);
	tcase_add_test(tc, garbage_is_refused);
	tcase_add_test(tc, pkcs7_is_refused);
	tcase_add_test(tc, other_structures_are_refused);
	tcase_add_test(tc, a_huge_certificate_is_refused);
	tcase_add_test(tc, pem_gives_all_certificates_and_passes_over_other_text);
	tcase_add_test(tc, pem_without_a_certificate_says_so);
	tcase_add_test(tc, damaged_pem_says_which_certificate);
	tcase_add_test(tc, who_is_an_authority);
	tcase_add_test(tc, names_and_times_are_text);
	tcase_add_test(tc, a_name_longer_than_an_identity_is_counted);
}
