/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for the files of this folder: out of PEM and DER, which
 * identities one proves, and times as text. Parsing and comparing is OpenSSL's;
 * here is only what IKE asks of it.
 */
#ifndef CERTS_X509_H
#define CERTS_X509_H

#include <openssl/x509v3.h>
#include <time.h>

#include "base/identity.h"

enum { CHAIN_CERTS_MAX = 10, TIME_TEXT_MAX = 32 };

/* One certificate, all bytes of `der` used; NULL otherwise. */
X509 *x509_from_der(struct span der);
/* All certificates of a PEM text in their order; NULL when there is none or one
 * is damaged: `why`. */
STACK_OF(X509) * x509_from_pem(struct span pem, char why[static 256]);
/* The form of job_verify.chain: each with a two-byte length before it. NULL:
 * malformed, none, or more than CHAIN_CERTS_MAX. */
STACK_OF(X509) * x509_from_chain(struct span chain);

/* Is it an authority: basicConstraints CA, or a self-signed version 1 (of which only a trust file
 * may make use)? */
bool x509_is_ca(X509 *x);
/* Does it prove this identity (RFC 7296 3.5, RFC 4945 5.1): a distinguished
 * name by the subject or a directoryName, a domain, mailbox or address by a
 * subjectAltName of that kind, a key id by the subjectKeyIdentifier? Wildcards
 * prove nothing. */
bool x509_proves(X509 *x, const struct identity *id);
/* ... and how the certificate itself writes it, which is one spelling where the claim may be any
 * that is equal (letters, spaces, types of strings). `own` is undefined when it proves nothing. */
bool x509_proves_as(X509 *x, const struct identity *id, struct identity *own);
/* The first identity that it proves, in order of what people mean: domain,
 * address, mailbox, subject. */
void x509_first_identity(X509 *x, struct identity *id);
/* What it proves as text, separated by commas, escaped: the subjectAltNames, or the subject when
 * there are none; ", ..." when not all fit. `size`: at least 64. */
const char *x509_identities_text(X509 *x, char *buf, size_t size);
/* "C=XX, O=Example, CN=gw" escaped, of subject or issuer; "nobody" when it is empty. */
const char *x509_name_text(const X509_NAME *name, char *buf, size_t size);
/* "2026-11-18 12:00 UTC" */
const char *x509_time_text(const ASN1_TIME *t, char buf[static TIME_TEXT_MAX]);

#endif
