/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for tests, good and bad, made when they are needed. A `struct pki` owns all that is
 * made with it. Nothing looks at the clock: the time of the tests is PKI_NOW.
 */
#ifndef TESTS_UNIT_CERTS_PKI_H
#define TESTS_UNIT_CERTS_PKI_H

#include <openssl/x509.h>
#include <time.h>

#include "base/identity.h"
#include "tests/unit/crypto/keys.h"

/* 2026-01-01 00:00 UTC; certificates are good from a day before until ten days after, when they do
 * not say otherwise. */
#define PKI_DAY	  ((time_t)86400)
#define PKI_NOW	  ((time_t)1767225600)
#define PKI_FROM  (PKI_NOW - PKI_DAY)
#define PKI_UNTIL (PKI_NOW + 10 * PKI_DAY)

/* For what cannot fail, whatever is tested. Not check's own, which work inside a test only. */
#define PKI_MUST(holds) pki_must((holds), #holds, __FILE__, __LINE__)
void pki_must(bool holds, const char *what, const char *file, int line);

struct cert {
	X509 *x;
	EVP_PKEY *key;
};

/* A list that ends in NULL: CERTS(leaf, issuer). */
#define CERTS(...) ((const struct cert *const[]){ __VA_ARGS__, NULL })

/* Extensions are written as in openssl.cnf(5); NULL: without it. */
struct cert_spec {
	const struct cert *issuer; /* NULL: self-signed */
	const char *subject;	   /* "O=Example,CN=gw"; NULL: empty */
	int subject_type;	   /* V_ASN1_*STRING; 0: UTF8String */
	struct span raw_cn;	   /* a CN of these bytes, as T61String */
	const char *alt;	   /* subjectAltName: "DNS:gw.example.org,IP:192.0.2.1" */
	struct span raw_alt;	   /* subjectAltName in DER */
	const char *basic;	   /* basicConstraints */
	const char *usage;	   /* keyUsage */
	const char *purpose;	   /* extendedKeyUsage */
	const char *constraints;   /* nameConstraints; sections: see conf */
	const char *conf;	   /* sections that the others refer to */
	const char *critical_oid;  /* an extension that nobody knows */
	const char *netscape;	   /* nsCertType */
	time_t from, until;	   /* 0: PKI_FROM, PKI_UNTIL */
	const char *digest;	   /* NULL: SHA256, or what the key does itself */
	EVP_PKEY *key;		   /* of the pki; NULL: a new one on P-256 */
	long serial;		   /* 0: the next one */
	bool bare;		   /* without key identifiers */
	bool version_1;
};

struct pki *pki_new(void);
void pki_free(struct pki *p);

const struct cert *pki_cert(struct pki *p, const struct cert_spec *s);
/* A CA below `issuer`, or a root (NULL), with nothing special about it. */
const struct cert *pki_ca(struct pki *p, const struct cert *issuer, const char *subject);
/* A gateway's certificate. */
const struct cert *pki_leaf(struct pki *p, const struct cert *issuer, const char *alt);
EVP_PKEY *pki_key(struct pki *p, enum test_key k);

/* What job_verify.chain carries, and PEM text. */
struct span pki_chain(struct pki *p, const struct cert *const *certs);
struct span pki_pem(struct pki *p, const struct cert *const *certs);
struct span pki_der(struct pki *p, const struct cert *c);
/* Bytes that live as long as the pki. */
struct span pki_keep(struct pki *p, const void *bytes, size_t len);

/* The identity that people write so; "CN=gw,O=Example" is a distinguished name of UTF8Strings. */
struct identity pki_id(const char *text);
/* A distinguished name with its strings of that type. */
struct identity pki_dn(const char *text, int type);
/* keyid: the certificate's subjectKeyIdentifier. */
struct identity pki_key_id(const struct cert *c);

#endif
