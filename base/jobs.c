/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs and their results on their way between the engine and who does them. */
#include "base/jobs.h"

#include "base/pack.h"

/* A key exchange's private value, public value or shared secret: MODP-8192 has 1024 bytes. Signed
 * octets are a message of at most 64 KiB with a nonce and a MAC; with the full transcript, two
 * messages. */
enum { KE_MAX = 4096, OCTETS_MAX = 192 * 1024, N_JOB_KINDS = JOB_KE + 1 };

void job_encode(struct wr *w, const struct job *j)
{
	wr_u64(w, j->ticket);
	pack_enum(w, (unsigned int)j->kind);
	switch (j->kind) {
	case JOB_SIGN:
		pack_text(w, j->sign.key, sizeof(j->sign.key));
		wr_u32(w, j->sign.hashes);
		pack_bool(w, j->sign.rfc7427);
		pack_span(w, j->sign.octets);
		return;
	case JOB_PSK_MAC:
		pack_text(w, j->psk_mac.key, sizeof(j->psk_mac.key));
		wr_u16(w, j->psk_mac.prf_id);
		pack_span(w, j->psk_mac.octets);
		return;
	case JOB_VERIFY:
		pack_text(w, j->verify.connection, sizeof(j->verify.connection));
		pack_span(w, j->verify.chain);
		pack_identity(w, &j->verify.claimed);
		pack_identity(w, &j->verify.wanted);
		wr_u8(w, j->verify.method);
		pack_span(w, j->verify.auth);
		pack_span(w, j->verify.octets);
		return;
	case JOB_KE:
		wr_u16(w, j->ke.group);
		pack_span(w, j->ke.secret);
		pack_span(w, j->ke.peer);
		return;
	}
	wr_fail(w);
}

static void sign_decode(struct rd *r, struct job_sign *s)
{
	unpack_text(r, s->key, sizeof(s->key));
	s->hashes = rd_u32(r);
	s->rfc7427 = unpack_bool(r);
	s->octets = unpack_span(r, OCTETS_MAX);
}

static void psk_mac_decode(struct rd *r, struct job_psk_mac *p)
{
	unpack_text(r, p->key, sizeof(p->key));
	p->prf_id = rd_u16(r);
	p->octets = unpack_span(r, OCTETS_MAX);
}

static void verify_decode(struct rd *r, struct job_verify *v)
{
	unpack_text(r, v->connection, sizeof(v->connection));
	v->chain = unpack_span(r, CERT_CHAIN_MAX);
	v->claimed = unpack_identity(r);
	v->wanted = unpack_identity(r);
	v->method = rd_u8(r);
	v->auth = unpack_span(r, SIG_MAX);
	v->octets = unpack_span(r, OCTETS_MAX);
}

static void ke_decode(struct rd *r, struct job_ke *k)
{
	k->group = rd_u16(r);
	k->secret = unpack_span(r, KE_MAX);
	k->peer = unpack_span(r, KE_MAX);
}

enum err job_decode(struct span s, struct job *j)
{
	struct rd r = rd_from(s);

	*j = (struct job){ .ticket = rd_u64(&r) };
	j->kind = (enum job_kind)unpack_enum(&r, N_JOB_KINDS);
	switch (j->kind) {
	case JOB_SIGN:
		sign_decode(&r, &j->sign);
		break;
	case JOB_PSK_MAC:
		psk_mac_decode(&r, &j->psk_mac);
		break;
	case JOB_VERIFY:
		verify_decode(&r, &j->verify);
		break;
	case JOB_KE:
		ke_decode(&r, &j->ke);
		break;
	}
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

void job_result_encode(struct wr *w, const struct job_result *r)
{
	wr_u64(w, r->ticket);
	pack_enum(w, (unsigned int)r->kind);
	pack_err(w, r->err);
	wr_u8(w, r->method);
	pack_span(w, r->bytes);
	pack_identity(w, &r->proved);
	wr_u64(w, r->good_s);
	pack_text(w, r->scheme, sizeof(r->scheme));
	pack_text(w, r->text, sizeof(r->text));
}

enum err job_result_decode(struct span s, struct job_result *res)
{
	struct rd r = rd_from(s);

	*res = (struct job_result){ .ticket = rd_u64(&r) };
	res->kind = (enum job_kind)unpack_enum(&r, N_JOB_KINDS);
	res->err = unpack_err(&r);
	res->method = rd_u8(&r);
	res->bytes = unpack_span(&r, KE_MAX);
	res->proved = unpack_identity(&r);
	res->good_s = rd_u64(&r);
	unpack_text(&r, res->scheme, sizeof(res->scheme));
	unpack_text(&r, res->text, sizeof(res->text));
	return rd_end(&r) ? OK : ERR_SYNTAX;
}
