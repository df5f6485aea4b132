/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/certs/pki.h"

#include <openssl/conf.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PKI_MAX = 4096 };

struct pki {
	struct cert *certs[PKI_MAX];
	EVP_PKEY *keys[PKI_MAX];
	void *blobs[PKI_MAX];
	size_t n_certs, n_keys, n_blobs;
	long serial;
};

void pki_must(bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

struct pki *pki_new(void)
{
	struct pki *p = calloc(1, sizeof(*p));

	PKI_MUST(p != NULL);
	return p;
}

void pki_free(struct pki *p)
{
	for (size_t i = 0; i < p->n_certs; i++) {
		X509_free(p->certs[i]->x);
		EVP_PKEY_free(p->certs[i]->key);
		free(p->certs[i]);
	}
	for (size_t i = 0; i < p->n_keys; i++)
		EVP_PKEY_free(p->keys[i]);
	for (size_t i = 0; i < p->n_blobs; i++)
		free(p->blobs[i]);
	free(p);
}

EVP_PKEY *pki_key(struct pki *p, enum test_key k)
{
	PKI_MUST(p->n_keys < PKI_MAX);
	p->keys[p->n_keys] = test_key(k);
	return p->keys[p->n_keys++];
}

struct span pki_keep(struct pki *p, const void *bytes, size_t len)
{
	void *copy = malloc(len + 1);

	PKI_MUST(p->n_blobs < PKI_MAX);
	PKI_MUST(copy != NULL);
	memcpy(copy, bytes, len);
	p->blobs[p->n_blobs++] = copy;
	return span_of(copy, len);
}

static X509_NAME *name_make(const char *text, int type)
{
	X509_NAME *name = X509_NAME_new();
	char copy[512], *rest = copy, *part;

	snprintf(copy, sizeof(copy), "%s", text ? text : "");
	while (*copy && (part = strsep(&rest, ",")) != NULL) {
		char *value = strchr(part, '=');

		PKI_MUST(value != NULL);
		*value++ = '\0';
		PKI_MUST(X509_NAME_add_entry_by_txt(name, part, type, (const unsigned char *)value,
						    -1, -1, 0) == 1);
	}
	return name;
}

static void subject_set(X509 *x, const struct cert_spec *s)
{
	X509_NAME *name =
		name_make(s->subject, s->subject_type ? s->subject_type : V_ASN1_UTF8STRING);

	if (s->raw_cn.len > 0)
		PKI_MUST(X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_T61STRING,
						    (unsigned char *)(uintptr_t)s->raw_cn.p,
						    (int)s->raw_cn.len, -1, 0) == 1);
	PKI_MUST(X509_set_subject_name(x, name) == 1);
	X509_NAME_free(name);
}

static CONF *conf_make(const char *text)
{
	CONF *conf = NCONF_new(NULL);
	BIO *bio = BIO_new_mem_buf(text ? text : "", -1);

	PKI_MUST(NCONF_load_bio(conf, bio, NULL) == 1);
	BIO_free(bio);
	return conf;
}

static void extension_push(X509 *x, X509_EXTENSION *e)
{
	PKI_MUST(e != NULL);
	PKI_MUST(X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
}

static void extension_add(X509 *x, X509V3_CTX *ctx, int nid, const char *value)
{
	if (value)
		extension_push(x, X509V3_EXT_nconf_nid(ctx->db, ctx, nid, value));
}

static void raw_alt_add(X509 *x, struct span der)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();

	ASN1_OCTET_STRING_set(value, der.p, (int)der.len);
	extension_push(x, X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, value));
	ASN1_OCTET_STRING_free(value);
}

static void unknown_add(X509 *x, const char *oid)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);

	ASN1_OCTET_STRING_set(value, (const unsigned char *)"\5\0", 2);
	extension_push(x, X509_EXTENSION_create_by_OBJ(NULL, object, 1, value));
	ASN1_OBJECT_free(object);
	ASN1_OCTET_STRING_free(value);
}

static void extensions_add(X509 *x, const struct cert_spec *s)
{
	CONF *conf = conf_make(s->conf);
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, s->issuer ? s->issuer->x : x, x, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	extension_add(x, &ctx, NID_basic_constraints, s->basic);
	extension_add(x, &ctx, NID_key_usage, s->usage);
	extension_add(x, &ctx, NID_ext_key_usage, s->purpose);
	extension_add(x, &ctx, NID_subject_alt_name, s->alt);
	extension_add(x, &ctx, NID_name_constraints, s->constraints);
	extension_add(x, &ctx, NID_netscape_cert_type, s->netscape);
	extension_add(x, &ctx, NID_subject_key_identifier, s->bare ? NULL : "hash");
	if (!s->issuer || X509_get0_subject_key_id(s->issuer->x))
		extension_add(x, &ctx, NID_authority_key_identifier, s->bare ? NULL : "keyid");
	if (s->raw_alt.len > 0)
		raw_alt_add(x, s->raw_alt);
	if (s->critical_oid)
		unknown_add(x, s->critical_oid);
	NCONF_free(conf);
}

static EVP_PKEY *key_for(const struct cert_spec *s)
{
	if (!s->key)
		return EVP_EC_gen("P-256");
	EVP_PKEY_up_ref(s->key);
	return s->key;
}

static void sign(X509 *x, EVP_PKEY *key, const char *digest)
{
	const bool own = EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");

	PKI_MUST(X509_sign(x, key, own ? NULL : EVP_get_digestbyname(digest ? digest : "SHA256")) >
		 0);
}

const struct cert *pki_cert(struct pki *p, const struct cert_spec *s)
{
	struct cert *c = calloc(1, sizeof(*c));
	const EVP_PKEY *signer;

	PKI_MUST(p->n_certs < PKI_MAX);
	p->certs[p->n_certs++] = c;
	c->x = X509_new();
	c->key = key_for(s);
	signer = s->issuer ? s->issuer->key : c->key;
	X509_set_version(c->x, s->version_1 ? X509_VERSION_1 : X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(c->x), s->serial ? s->serial : ++p->serial);
	ASN1_TIME_set(X509_getm_notBefore(c->x), s->from ? s->from : PKI_FROM);
	ASN1_TIME_set(X509_getm_notAfter(c->x), s->until ? s->until : PKI_UNTIL);
	PKI_MUST(X509_set_pubkey(c->x, c->key) == 1);
	subject_set(c->x, s);
	X509_set_issuer_name(c->x, X509_get_subject_name(s->issuer ? s->issuer->x : c->x));
	if (!s->version_1)
		extensions_add(c->x, s);
	sign(c->x, (EVP_PKEY *)(uintptr_t)signer, s->digest);
	return c;
}

const struct cert *pki_ca(struct pki *p, const struct cert *issuer, const char *subject)
{
	return pki_cert(p, &(struct cert_spec){ .issuer = issuer,
						.subject = subject,
						.basic = "critical,CA:TRUE",
						.usage = "critical,keyCertSign,cRLSign" });
}

const struct cert *pki_leaf(struct pki *p, const struct cert *issuer, const char *alt)
{
	return pki_cert(p, &(struct cert_spec){ .issuer = issuer,
						.subject = "O=Example,CN=gw",
						.alt = alt,
						.usage = "critical,digitalSignature" });
}

struct span pki_der(struct pki *p, const struct cert *c)
{
	unsigned char *der = NULL;
	const int len = i2d_X509(c->x, &der);
	struct span kept;

	PKI_MUST(len > 0);
	kept = pki_keep(p, der, (size_t)len);
	OPENSSL_free(der);
	return kept;
}

struct span pki_chain(struct pki *p, const struct cert *const *certs)
{
	static uint8_t buf[65536];
	struct wr w = wr_into(buf, sizeof(buf));

	for (; *certs; certs++) {
		struct span der = pki_der(p, *certs);

		wr_u16(&w, (uint16_t)der.len);
		wr_span(&w, der);
	}
	PKI_MUST(wr_ok(&w));
	return pki_keep(p, buf, wr_len(&w));
}

struct span pki_pem(struct pki *p, const struct cert *const *certs)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct span kept;
	char *text;
	long len;

	for (; *certs; certs++)
		PKI_MUST(PEM_write_bio_X509(bio, (*certs)->x) == 1);
	len = BIO_get_mem_data(bio, &text);
	kept = pki_keep(p, text, (size_t)len);
	BIO_free(bio);
	return kept;
}

struct identity pki_dn(const char *text, int type)
{
	X509_NAME *name = name_make(text, type);
	unsigned char *der = NULL;
	const int len = i2d_X509_NAME(name, &der);
	struct identity id;

	PKI_MUST(len > 0);
	PKI_MUST(identity_from_wire(&id, ID_DER_ASN1_DN, span_of(der, (size_t)len)) == OK);
	OPENSSL_free(der);
	X509_NAME_free(name);
	return id;
}

struct identity pki_id(const char *text)
{
	struct identity id = { 0 };

	if (!text)
		return id;
	if (strchr(text, '=') && strncmp(text, "keyid:", 6) != 0)
		return pki_dn(text, V_ASN1_UTF8STRING);
	PKI_MUST(identity_parse(&id, text) == OK);
	return id;
}

struct identity pki_key_id(const struct cert *c)
{
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(c->x);
	struct identity id;

	PKI_MUST(ski != NULL);
	PKI_MUST(identity_from_wire(&id, ID_KEY_ID,
				    span_of(ASN1_STRING_get0_data(ski),
					    (size_t)ASN1_STRING_length(ski))) == OK);
	return id;
}
