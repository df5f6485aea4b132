/* SPDX-License-Identifier: Apache-2.0 */
/* What we put into CERT and CERTREQ payloads. */
#include "certs/cert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jobs.h"
#include "certs/x509.h"
#include "tests/unit/certs/pki.h"
#include "tests/unit/crypto/hex.h"
#include "tests/unit/unit.h"

/* Made by `openssl req -x509`; the hashes are those that
 * `openssl x509 -pubkey | openssl pkey -pubin -outform DER | openssl sha1` gives. */
static const char vector_ec[] = "-----BEGIN CERTIFICATE-----\n"
				"MIIBojCCAUegAwIBAgIUAs6ldnuJkwdXtwXahsejx7NL/mYwCgYIKoZIzj0EAwIw\n"
				"JjEQMA4GA1UECgwHRXhhbXBsZTESMBAGA1UEAwwJVmVjdG9yIENBMB4XDTI2MTEy\n"
				"MTIzMzkzOVoXDTM2MTExODIzMzkzOVowJjEQMA4GA1UECgwHRXhhbXBsZTESMBAG\n"
				"A1UEAwwJVmVjdG9yIENBMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJBY2iKGo\n"
				"L/PHLPil6ZaPx9aNnhl5xRIgNHtMP6kvcVE1zWD61D55Oz1wjTSPKYTTh7fyMFWm\n"
				"fHY8L1yIrOoOIqNTMFEwHQYDVR0OBBYEFD1ppklu/37Rf7GB2DL1IODYtg7ZMB8G\n"
				"A1UdIwQYMBaAFD1ppklu/37Rf7GB2DL1IODYtg7ZMA8GA1UdEwEB/wQFMAMBAf8w\n"
				"CgYIKoZIzj0EAwIDSQAwRgIhALStuL107ty0YhYnlVXIy3GuqVmUkrc6vTxRR8C+\n"
				"7RhqAiEAnoGCTCmRFeExAO30c/iUT+sKBqmS+6KYk88dM3Hfjrs=\n"
				"-----END CERTIFICATE-----\n";
static const char vector_rsa[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIDDTCCAfWgAwIBAgIUPouXjIGwtw8p5sTppwIEDFNHjYQwDQYJKoZIhvcNAQEL\n"
	"BQAwFjEUMBIGA1UEAwwLVmVjdG9yIENBIDIwHhcNMjYxMTIxMjMzOTQwWhcNMzYx\n"
	"MTE4MjMzOTQwWjAWMRQwEgYDVQQDDAtWZWN0b3IgQ0EgMjCCASIwDQYJKoZIhvcN\n"
	"AQEBBQADggEPADCCAQoCggEBAM2ZoSMM5PtPQ6FvAwZWBbeH10eTvP5Lzs9I35Cw\n"
	"JZL4tb7yzUn7WsxlfArSRUNOXgbrFu7ECBiqVwiSiKejIQkKWnHLhA/TrG2rZuZw\n"
	"/aCcmQ14W1ul52Aa/HUPCqDtd2y1Zhcr3BB+OQf8R6Z/XThG3YIfNxKUlzHgF0W3\n"
	"s1ftkA1ipVQ5gwmNrHkCjz/31dzAIAx6MRnB2buTSVTEgYhMe/drjqxnDn/Pqbz5\n"
	"1QcKvIo3X63LZ/gBf0rcUXtyxIkqLPMFFbPyxcp1N6V6PrvSgICgUaKnnHJXf6rD\n"
	"1T4W/qiwG/u7c5Dpr0K7P/2iZohecCEdu/kt8gMAarEB9y0CAwEAAaNTMFEwHQYD\n"
	"VR0OBBYEFNZ/uYxfA11dzbyY4o2sb7/a6zbrMB8GA1UdIwQYMBaAFNZ/uYxfA11d\n"
	"zbyY4o2sb7/a6zbrMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEB\n"
	"AKwNFSuLvbANzm8gmOB6AZFKyEZtsjN1lvRrdbqmNO5Z3ohNPf9xidbUYhd4fa/i\n"
	"4O/jr9OWiJRfGeNiGSZYfV7/DeXhJlesRdbiByRom1s9wO21SBJQ1oBNZtZlfTBP\n"
	"5eBBAveHeraycC4yw4nKivxzdvL0BJt2pO4DC8XSO+5HhX+phPs6je6mnHeey9vx\n"
	"aGF+CSXH3MeJyIJMZitZ8Rmu2AkSOFOYiXSJ6i8GVB1ib823Uj6jaSNabZsbKB48\n"
	"ynBzFakxA/A5NM3a8Ae7Rxu9nXcma6/zxdPKPYoVzuCrytYob6ECB4G/2rzZcvfM\n"
	"8t50znLsUjCwFyr6tZ08BDU=\n"
	"-----END CERTIFICATE-----\n";
#define HASH_EC	 "58d0e31523c9706b9f20d5f4042d45c82890c449"
#define HASH_RSA "e5e0191c4c1c54a52a281a8bd8df4af7ed061312"

static struct pki *p;

static void set_up(void)
{
	p = pki_new();
}

static void tear_down(void)
{
	pki_free(p);
}

static void drop(struct span s)
{
	free((void *)(uintptr_t)s.p);
}

START_TEST(a_chain_is_the_certificates_in_the_order_of_the_file)
{
	const struct cert *root = pki_ca(p, NULL, "CN=Root"), *leaf = pki_leaf(p, root, NULL);
	struct span wanted = pki_chain(p, CERTS(leaf, root)), chain;
	char why[256] = "";

	ck_assert_int_eq(cert_chain_from_pem(pki_pem(p, CERTS(leaf, root)), &chain, why), OK);
	ck_assert(span_eq(chain, wanted));
	ck_assert_str_eq(why, "");
	drop(chain);
}
END_TEST

START_TEST(authorities_are_hashes_of_their_keys)
{
	char both[8192], why[256] = "";
	struct span hashes;

	ck_assert_int_eq(cert_authorities_from_pem(span_str(vector_ec), &hashes, why), OK);
	hex_expect(HASH_EC, hashes);
	drop(hashes);
	snprintf(both, sizeof(both), "%s%s", vector_rsa, vector_ec);
	ck_assert_int_eq(cert_authorities_from_pem(span_str(both), &hashes, why), OK);
	hex_expect(HASH_RSA HASH_EC, hashes);
	drop(hashes);
	ck_assert_str_eq(why, "");
}
END_TEST

static void both_refuse(struct span pem, const char *text)
{
	struct span out = span_str("not empty");
	char why[256] = "";

	ck_assert_int_eq(cert_chain_from_pem(pem, &out, why), ERR_CONFIG);
	ck_assert_ptr_null(out.p);
	ck_assert_str_eq(why, text);
	out = span_str("not empty");
	ck_assert_int_eq(cert_authorities_from_pem(pem, &out, why), ERR_CONFIG);
	ck_assert_ptr_null(out.p);
	ck_assert_str_eq(why, text);
}

START_TEST(what_is_no_certificate_is_refused_in_words)
{
	const char *none = "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)";

	both_refuse(SPAN_EMPTY, none);
	both_refuse(span_str("garbage"), none);
	both_refuse(span_head(span_str(vector_ec), 300), "certificate 1 in it is damaged");
}
END_TEST

START_TEST(a_chain_has_at_most_ten_certificates)
{
	const struct cert *many[12] = { NULL };
	struct span chain;
	char why[256] = "";

	for (int i = 0; i < 11; i++)
		many[i] = pki_leaf(p, NULL, NULL);
	ck_assert_int_eq(cert_chain_from_pem(pki_pem(p, many), &chain, why), ERR_CONFIG);
	ck_assert_str_eq(why, "it holds more than 10 certificates");
	ck_assert_ptr_null(chain.p);
	many[10] = NULL;
	ck_assert_int_eq(cert_chain_from_pem(pki_pem(p, many), &chain, why), OK);
	drop(chain);
}
END_TEST

/* "DNS:a.org" that many times. */
static const struct cert *fat(size_t n)
{
	static char alt[70000];

	for (size_t i = 0; i < n; i++)
		memcpy(alt + 10 * i, "DNS:a.org,", 10);
	alt[10 * n - 1] = '\0';
	return pki_leaf(p, NULL, alt);
}

START_TEST(a_chain_is_no_longer_than_a_job_may_carry)
{
	const struct cert *f = fat(2000); /* 14 KB */
	struct span chain;
	char why[256] = "";

	ck_assert_int_eq(cert_chain_from_pem(pki_pem(p, CERTS(f, f, f, f)), &chain, why), OK);
	drop(chain);
	ck_assert_int_eq(cert_chain_from_pem(pki_pem(p, CERTS(f, f, f, f, f)), &chain, why),
			 ERR_SPACE);
	ck_assert_str_eq(why, "its certificates are larger than 64 KiB");
	ck_assert_ptr_null(chain.p);
}
END_TEST

UNIT("certs/cert")
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_chain_is_the_certificates_in_the_order_of_the_file);
	tcase_add_test(tc, authorities_are_hashes_of_their_keys);
	tcase_add_test(tc, what_is_no_certificate_is_refused_in_words);
	tcase_add_test(tc, a_chain_has_at_most_ten_certificates);
	tcase_add_test(tc, a_chain_is_no_longer_than_a_job_may_carry);
}
