/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier: chain, then signature, then identity, each a step that may only say no.
 *
 * The identity is enforced whatever the method: the peer's ID must be what the configuration wants
 * and must stand in the certificate (CVE-2022-4967: a valid certificate for somebody else proves
 * nothing). Nothing is remembered between two jobs: a forged certificate that was refused cannot
 * lock out the genuine one (CVE-2026-77205).
 */
#include "certs/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/chain.h"
#include "certs/x509.h"
#include "crypto/ossl.h"
#include "crypto/signature.h"

struct anchor {
	char connection[JOB_NAME_MAX];
	X509_STORE *store; /* NULL: this connection takes no certificates */
};

struct verifier {
	struct anchor *v;
	size_t n;
};

static enum err store_fill(X509_STORE *store, STACK_OF(X509) * cas, char why[static 256])
{
	char name[128];

	for (int i = 0; i < sk_X509_num(cas); i++) {
		X509 *ca = sk_X509_value(cas, i);

		if (!x509_is_ca(ca)) {
			x509_name_text(X509_get_subject_name(ca), name, sizeof(name));
			snprintf(why, 256, "it holds %s, which is no authority (CA)", name);
			return ERR_CONFIG;
		}
		if (!ossl_ok(X509_STORE_add_cert(store, ca)))
			return ossl_fail(ERR_CRYPTO);
	}
	return OK;
}

static enum err store_new(struct span pem, X509_STORE **out, char why[static 256])
{
	STACK_OF(X509) *cas = x509_from_pem(pem, why);
	X509_STORE *store = cas ? X509_STORE_new() : NULL;
	enum err e = cas ? ERR_NOMEM : ERR_CONFIG;

	if (store)
		e = store_fill(store, cas, why);
	sk_X509_pop_free(cas, X509_free);
	if (e != OK) {
		X509_STORE_free(store);
		store = NULL;
	}
	*out = store;
	return e;
}

/* Connections of one `me` share a store. */
static enum err anchor_fill(struct verifier *v, const struct conf *c, size_t i,
			    char why[static 256])
{
	const struct conf_connection *cn = &c->connections[i];
	char reason[256] = "";
	enum err e;

	snprintf(v->v[i].connection, sizeof(v->v[i].connection), "%s", cn->name);
	if (cn->auth != CONF_AUTH_CERTIFICATE)
		return OK;
	for (size_t j = 0; j < i; j++) {
		if (c->connections[j].me == cn->me && v->v[j].store) {
			if (!ossl_ok(X509_STORE_up_ref(v->v[j].store)))
				return ossl_fail(ERR_CRYPTO);
			v->v[i].store = v->v[j].store;
			return OK;
		}
	}
	e = store_new(cn->me->trust.bytes, &v->v[i].store, reason);
	if (e != OK)
		snprintf(why, 256, "%.100s: %.140s",
			 cn->me->trust.path ? cn->me->trust.path : "trust", reason);
	return e;
}

enum err verifier_new(const struct conf *c, struct verifier **out, char why[static 256])
{
	struct verifier *v = calloc(1, sizeof(*v));
	enum err e = OK;

	*out = NULL;
	why[0] = '\0';
	if (!v)
		return ERR_NOMEM;
	v->v = calloc(c->n_connections ? c->n_connections : 1, sizeof(*v->v));
	if (!v->v) {
		free(v);
		return ERR_NOMEM;
	}
	v->n = c->n_connections;
	for (size_t i = 0; i < v->n && e == OK; i++)
		e = anchor_fill(v, c, i, why);
	if (e != OK) {
		verifier_free(v);
		return e;
	}
	*out = v;
	return OK;
}

void verifier_free(struct verifier *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n; i++)
		X509_STORE_free(v->v[i].store);
	free(v->v);
	free(v);
}

static X509_STORE *store_find(const struct verifier *v, const char *connection)
{
	for (size_t i = 0; i < v->n; i++) {
		if (strcmp(v->v[i].connection, connection) == 0)
			return v->v[i].store;
	}
	return NULL;
}

static enum err signature_judge(X509 *leaf, const struct job_verify *j, struct job_result *r)
{
	const char *scheme = NULL;
	enum err e =
		signature_verify(X509_get0_pubkey(leaf), j->method, j->auth, j->octets, &scheme);

	if (e == OK)
		snprintf(r->scheme, sizeof(r->scheme), "%s", scheme);
	else
		snprintf(r->text, sizeof(r->text), "%s", err_text(e));
	return e == OK ? OK : ossl_fail(e);
}

/* As bytes, or, for distinguished names, as OpenSSL compares them. */
static bool wanted_is(const struct identity *wanted, const struct identity *claimed)
{
	const unsigned char *a = wanted->b, *b = claimed->b;
	X509_NAME *na, *nb;
	bool eq;

	if (identity_eq(wanted, claimed))
		return true;
	if (wanted->type != ID_DER_ASN1_DN || claimed->type != ID_DER_ASN1_DN)
		return false;
	na = d2i_X509_NAME(NULL, &a, wanted->len);
	nb = d2i_X509_NAME(NULL, &b, claimed->len);
	eq = na && nb && b == claimed->b + claimed->len && X509_NAME_cmp(na, nb) == 0;
	X509_NAME_free(na);
	X509_NAME_free(nb);
	ERR_clear_error();
	return eq;
}

/* Only here, with a chain that holds and a signature by its key, may anything of the certificate go
 * out. */
static enum err identity_judge(X509 *leaf, const struct job_verify *j, struct job_result *r)
{
	/* As the certificate spells it: the peer could choose another spelling for each IKE SA,
	 * and be as many peers. */
	const bool honest = x509_proves_as(leaf, &j->claimed, &r->proved);
	char shown[192];

	if (!honest)
		x509_first_identity(leaf, &r->proved);
	if (honest && (j->wanted.type == ID_NONE || wanted_is(&j->wanted, &j->claimed)))
		return OK;
	x509_identities_text(leaf, shown, sizeof(shown));
	snprintf(r->text, sizeof(r->text), "its certificate proves %s", shown);
	return ERR_WRONG_IDENTITY;
}

static enum err judge(X509_STORE *store, const struct job_verify *j, time_t at,
		      struct job_result *r)
{
	STACK_OF(X509) *chain = x509_from_chain(j->chain);
	enum err e;

	if (!chain) {
		snprintf(r->text, sizeof(r->text),
			 "the peer's CERT payloads hold no readable chain of at most %d",
			 CHAIN_CERTS_MAX);
		return ERR_CERT_INVALID;
	}
	e = chain_judge(store, chain, at, &r->good_s, r->text);
	if (e == OK)
		e = leaf_judge(sk_X509_value(chain, 0), r->text);
	if (e == OK)
		e = signature_judge(sk_X509_value(chain, 0), j, r);
	if (e == OK)
		e = identity_judge(sk_X509_value(chain, 0), j, r);
	if (e != OK)
		r->good_s = 0;
	sk_X509_pop_free(chain, X509_free);
	return e;
}

void verifier_do(struct verifier *v, const struct job *j, time_t at, struct job_result *r)
{
	X509_STORE *store = j->kind == JOB_VERIFY ? store_find(v, j->verify.connection) : NULL;

	*r = (struct job_result){ .ticket = j->ticket, .kind = j->kind, .err = ERR_UNSUPPORTED };
	if (j->kind != JOB_VERIFY)
		return;
	r->method = j->verify.method;
	r->err = store ? judge(store, &j->verify, at, r) : ERR_CERT_UNTRUSTED;
	if (!store)
		snprintf(r->text, sizeof(r->text), "this connection trusts no CA");
}
