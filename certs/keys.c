/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's store: one entry per connection, with the private key that speaks for us there, or
 * the pre-shared key. Keys are read once and shared by the connections of a `me` block. Nothing
 * here is ever given out: only signatures and MACs leave.
 */
#include "certs/keys.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/ossl.h"
#include "crypto/prf.h"
#include "crypto/signature.h"
#include "crypto/signature_scheme.h"

struct key_entry {
	char name[JOB_NAME_MAX];
	EVP_PKEY *key;	 /* NULL: none */
	struct span psk; /* owned; empty: none */
};

struct keys {
	struct key_entry *v;
	size_t n;
};

static int passphrase_give(char *buf, int size, int writing, void *ctx)
{
	const struct span *pass = ctx;

	(void)writing;
	if (!pass || pass->len == 0 || size < 0 || pass->len > (size_t)size)
		return -1;
	memcpy(buf, pass->p, pass->len);
	return (int)pass->len;
}

/* "CERTIFICATE" of the first "-----BEGIN CERTIFICATE-----"; empty: there is none. */
static struct span pem_label(struct span pem)
{
	static const char begin[] = "-----BEGIN ";
	const uint8_t *at = pem.len > 0 ? memmem(pem.p, pem.len, begin, sizeof(begin) - 1) : NULL;
	struct span rest = SPAN_EMPTY;
	const uint8_t *end;

	if (at)
		rest = span_tail(pem, (size_t)(at - pem.p) + sizeof(begin) - 1);
	end = rest.len > 0 ? memchr(rest.p, '-', rest.len) : NULL;
	return end ? span_head(rest, (size_t)(end - rest.p)) : SPAN_EMPTY;
}

static bool has_text(struct span s, const char *text)
{
	return s.len > 0 && memmem(s.p, s.len, text, strlen(text)) != NULL;
}

/* Why there is no key in it: what is there instead, or what is missing to open it. */
static void explain(struct span pem, bool passphrase, char why[static 256])
{
	const struct span label = pem_label(pem);

	if (label.len == 0)
		snprintf(why, 256,
			 "it holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)");
	else if (!has_text(pem, "PRIVATE KEY-----"))
		snprintf(why, 256, "it holds a %.*s, not a private key",
			 (int)span_head(label, 40).len, (const char *)label.p);
	else if (!has_text(pem, "ENCRYPTED"))
		snprintf(why, 256, "the private key in it is damaged");
	else if (!passphrase)
		snprintf(why, 256, "the key is encrypted and no passphrase_file is set");
	else
		snprintf(why, 256, "the passphrase does not open the key, or the key is damaged");
}

/* A key that cannot sign for IKE is found at the start, not at the first peer. */
static bool key_is_useful(EVP_PKEY *key, char why[static 256])
{
	struct sig_key judged;
	const enum err e = sig_key_judge(key, &judged);

	if (e == ERR_CERT_WEAK)
		snprintf(why, 256, "the key is too weak, or longer than 8192 bits: RSA needs 2048");
	else if (e != OK)
		snprintf(why, 256,
			 "the key is of a kind that we do not speak: RSA, ECDSA on P-256, P-384 "
			 "or P-521, Ed25519 or Ed448");
	return e == OK;
}

EVP_PKEY *key_from_pem(struct span pem, struct span passphrase, char why[static 256])
{
	BIO *bio = BIO_new_mem_buf(pem.len > 0 ? pem.p : (const void *)"",
				   pem.len <= INT32_MAX ? (int)pem.len : 0);
	EVP_PKEY *key =
		bio ? PEM_read_bio_PrivateKey(bio, NULL, passphrase_give, &passphrase) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (!key) {
		explain(pem, passphrase.len > 0, why);
		return NULL;
	}
	if (key_is_useful(key, why))
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

/* Another connection of the same `me` has it already, or it is read now. */
static enum err entry_key(struct keys *k, const struct conf *c, size_t i, char why[static 256])
{
	const struct conf_me *me = c->connections[i].me;
	char reason[256];

	for (size_t j = 0; j < i; j++) {
		if (c->connections[j].me == me && k->v[j].key) {
			if (!ossl_ok(EVP_PKEY_up_ref(k->v[j].key)))
				return ossl_fail(ERR_CRYPTO);
			k->v[i].key = k->v[j].key;
			return OK;
		}
	}
	k->v[i].key = key_from_pem(me->key.bytes, me->passphrase.secret, reason);
	if (k->v[i].key)
		return OK;
	snprintf(why, 256, "%.100s: %.140s", me->key.path ? me->key.path : "key", reason);
	return ERR_CONFIG;
}

static enum err entry_psk(struct key_entry *e, struct span psk)
{
	uint8_t *copy = psk.len > 0 ? malloc(psk.len) : NULL;

	if (!copy)
		return psk.len > 0 ? ERR_NOMEM : OK;
	memcpy(copy, psk.p, psk.len);
	e->psk = span_of(copy, psk.len);
	return OK;
}

static enum err entry_fill(struct keys *k, const struct conf *c, size_t i, char why[static 256])
{
	const struct conf_connection *cn = &c->connections[i];

	snprintf(k->v[i].name, sizeof(k->v[i].name), "%s", cn->name);
	switch (cn->auth) {
	case CONF_AUTH_PSK:
		return entry_psk(&k->v[i], cn->psk.secret);
	case CONF_AUTH_CERTIFICATE:
		return entry_key(k, c, i, why);
	}
	return ERR_CONFIG;
}

enum err keys_new(const struct conf *c, struct keys **out, char why[static 256])
{
	struct keys *k = calloc(1, sizeof(*k));
	enum err e = OK;

	*out = NULL;
	why[0] = '\0';
	if (!k)
		return ERR_NOMEM;
	k->v = calloc(c->n_connections ? c->n_connections : 1, sizeof(*k->v));
	if (!k->v) {
		free(k);
		return ERR_NOMEM;
	}
	k->n = c->n_connections;
	for (size_t i = 0; i < k->n && e == OK; i++)
		e = entry_fill(k, c, i, why);
	if (e != OK) {
		keys_free(k);
		return e;
	}
	*out = k;
	return OK;
}

void keys_free(struct keys *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++) {
		EVP_PKEY_free(k->v[i].key);
		secret_free((void *)(uintptr_t)k->v[i].psk.p, k->v[i].psk.len);
	}
	free(k->v);
	free(k);
}

static const struct key_entry *entry_find(const struct keys *k, const char *name)
{
	for (size_t i = 0; i < k->n; i++) {
		if (strcmp(k->v[i].name, name) == 0)
			return &k->v[i];
	}
	return NULL;
}

/* RFC 7296 2.15: AUTH = prf(prf(Shared Secret, "Key Pad for IKEv2"),
 * <SignedOctets>) */
static enum err psk_mac(const struct key_entry *e, const struct job_psk_mac *j, struct key *mac)
{
	const struct span pad = span_str("Key Pad for IKEv2");
	const struct prf *prf = prf_find(j->prf_id);
	struct key inner = { 0 };
	enum err err;

	if (!prf)
		return ERR_UNSUPPORTED;
	err = prf_compute(prf, e->psk, &pad, 1, &inner);
	if (err == OK)
		err = prf_compute(prf, key_span(&inner), &j->octets, 1, mac);
	key_wipe(&inner);
	return err;
}

static void do_sign(const struct key_entry *e, const struct job_sign *j, struct wr *w,
		    struct job_result *r)
{
	const char *scheme = NULL;

	r->err = ERR_NO_CREDENTIAL;
	if (e && e->key)
		r->err = signature_make(e->key, j, w, &r->method, &scheme);
	if (r->err == OK)
		snprintf(r->scheme, sizeof(r->scheme), "%s", scheme);
}

static void do_psk_mac(const struct key_entry *e, const struct job_psk_mac *j, struct wr *w,
		       struct job_result *r)
{
	struct key mac = { 0 };

	r->err = e && e->psk.len > 0 ? psk_mac(e, j, &mac) : ERR_NO_CREDENTIAL;
	if (r->err == OK) {
		r->method = AUTH_PSK;
		wr_span(w, key_span(&mac));
	}
	key_wipe(&mac);
}

static const char *failure_text(enum err e)
{
	if (e == ERR_NO_CREDENTIAL)
		return "no key for this connection";
	if (e == ERR_AUTH_METHOD)
		return "the peer takes no signature that our key can make";
	return err_text(e);
}

void keys_do(struct keys *k, const struct job *j, uint8_t *buf, size_t size, struct job_result *r)
{
	struct wr w = wr_into(buf, size);

	*r = (struct job_result){ .ticket = j->ticket, .kind = j->kind, .err = ERR_UNSUPPORTED };
	switch (j->kind) {
	case JOB_SIGN:
		do_sign(entry_find(k, j->sign.key), &j->sign, &w, r);
		break;
	case JOB_PSK_MAC:
		do_psk_mac(entry_find(k, j->psk_mac.key), &j->psk_mac, &w, r);
		break;
	case JOB_VERIFY:
	case JOB_KE:
		break;
	}
	if (r->err == OK && !wr_ok(&w))
		r->err = ERR_SPACE;
	if (r->err == OK) {
		r->bytes = wr_done(&w);
		return;
	}
	r->method = 0;
	snprintf(r->text, sizeof(r->text), "%s", failure_text(r->err));
}
