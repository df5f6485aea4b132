/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/certs/ask.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "crypto/signature.h"

struct span ask_sign(struct pki *p, const struct cert *c, uint8_t method, const char *octets)
{
	const struct job_sign job = { .hashes = SIGHASH_SHA2_256 | SIGHASH_SHA2_384 |
						SIGHASH_SHA2_512 | SIGHASH_IDENTITY,
				      .rfc7427 = method == AUTH_SIGNATURE,
				      .octets = span_str(octets) };
	uint8_t buf[SIG_MAX], used;
	struct wr w = wr_into(buf, sizeof(buf));
	const char *scheme;

	PKI_MUST(signature_make(c->key, &job, &w, &used, &scheme) == OK);
	return pki_keep(p, buf, wr_len(&w));
}

struct verifier *ask_verifier(struct pki *p, const struct cert *const *trust)
{
	char path[] = "ca.pem";
	struct conf_me me = { .trust = { .path = path, .bytes = pki_pem(p, trust) } };
	struct conf_connection cn = { .name = "office", .me = &me };
	const struct conf c = { .mes = &me, .n_mes = 1, .connections = &cn, .n_connections = 1 };
	struct verifier *v;
	char why[256];

	PKI_MUST(verifier_new(&c, &v, why) == OK);
	return v;
}

struct job_result ask(struct pki *p, const struct ask *a)
{
	const uint8_t method = a->method ? a->method : AUTH_SIGNATURE;
	struct verifier *v = ask_verifier(p, a->trust);
	struct job_result r;
	struct job j = { .ticket = 7,
			 .kind = JOB_VERIFY,
			 .verify = { .chain = a->raw_chain,
				     .claimed = a->claimed,
				     .wanted = a->wanted,
				     .method = method,
				     .auth = a->auth,
				     .octets = span_str(ASK_OCTETS) } };

	snprintf(j.verify.connection, sizeof(j.verify.connection), "%s",
		 a->connection ? a->connection : "office");
	if (a->chain && !a->raw_chain.p)
		j.verify.chain = pki_chain(p, a->chain);
	if (!a->auth.p && (a->signer || a->chain))
		j.verify.auth = ask_sign(p, a->signer ? a->signer : a->chain[0], method,
					 a->signed_octets ? a->signed_octets : ASK_OCTETS);
	verifier_do(v, &j, a->at ? a->at : PKI_NOW, &r);
	ck_assert_uint_eq(r.ticket, 7);
	ck_assert_int_eq(r.kind, JOB_VERIFY);
	verifier_free(v);
	return r;
}

void ask_passes(struct pki *p, const struct ask *a)
{
	const struct job_result r = ask(p, a);

	ck_assert_msg(r.err == OK, "%s: %s", err_slug(r.err), r.text);
	ck_assert(identity_eq(&r.proved, a->own ? a->own : &a->claimed));
	ck_assert_str_eq(r.text, "");
	ck_assert_uint_gt(r.good_s, 0);
	ck_assert_str_ne(r.scheme, "");
}

void ask_refused(struct pki *p, const struct ask *a, enum err err, const char *text)
{
	const struct job_result r = ask(p, a);

	ck_assert_msg(r.err == err, "%s: %s", err_slug(r.err), r.text);
	ck_assert_uint_eq(r.proved.type, ID_NONE);
	ck_assert_uint_eq(r.proved.len, 0);
	ck_assert_str_eq(r.scheme, "");
	ck_assert_uint_eq(r.bytes.len, 0);
	ck_assert_uint_eq(r.good_s, 0);
	if (text)
		ck_assert_str_eq(r.text, text);
	else
		ck_assert_str_ne(r.text, "");
}
