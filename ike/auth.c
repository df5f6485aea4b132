/* SPDX-License-Identifier: Apache-2.0 */
/* Identities and credentials of IKE_AUTH, for both roles: see auth.h. */
#include "ike/auth.h"

#include <stdlib.h>

#include "ike/connection.h"
#include "ike/keep.h"
#include "ike/peer.h"
#include "ike/proof.h"
#include "ike/transcript.h"

enum err auth_new(struct ike_sa *sa)
{
	struct auth *a;
	struct wr w;

	if (keep_new_sa(sa) != OK)
		return ERR_NOMEM;
	a = calloc(1, sizeof(*a));
	if (!a)
		return ERR_NOMEM;
	sa->hs->auth = a;
	if (!sa->conn)
		return OK;
	w = wr_into(a->own_id, sizeof(a->own_id));
	pl_id_encode(&w, &sa->conn->conf->local_identity);
	a->own_id_len = (uint16_t)wr_len(&w);
	return wr_ok(&w) ? OK : ERR_SPACE;
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	packets_free(&a->kept);
	packets_free(&a->chain);
	packets_free(&a->own_auth);
	deal_free(&a->deal);
	secret_free(a, sizeof(*a));
}

/* ---- reading the peer's message ---- */

/* The CERT payloads of encoding 4, in order. The rest is refused unread (CVE-2026-35329). */
static enum err keep_chain(struct auth *a)
{
	size_t room = a->kept.len;
	uint8_t *buf = malloc(room > 0 ? room : 1);
	struct wr w = wr_into(buf, buf ? room : 0);
	enum err err = buf ? OK : ERR_NOMEM;

	for (const struct payload *p = message_find(&a->m, PL_CERT); p && err == OK;
	     p = message_next(&a->m, p)) {
		struct pl_cert c;

		err = pl_cert_decode(p->body, &c);
		if (err != OK || c.encoding != CERT_X509_SIGNATURE)
			continue;
		wr_u16(&w, (uint16_t)c.data.len);
		wr_span(&w, c.data);
	}
	if (err == OK && (!wr_ok(&w) || wr_len(&w) > CERT_CHAIN_MAX))
		err = ERR_LIMIT;
	if (err == OK)
		err = packets_set(&a->chain, wr_done(&w));
	free(buf);
	return err;
}

static enum err read_kept(struct auth *a, uint8_t id_type)
{
	enum err err;

	a->peer_id_body = message_body(&a->m, id_type);
	err = pl_identity_decode(a->peer_id_body, &a->claimed);
	if (err == OK)
		err = pl_auth_decode(message_body(&a->m, PL_AUTH), &a->peer_auth);
	return err == OK ? keep_chain(a) : err;
}

enum err auth_keep(struct ike_sa *sa, const struct turn *t, uint8_t id_type)
{
	struct auth *a = sa->hs->auth;
	struct inner copy = *t->in;
	enum err err = packets_set(&a->kept, t->in->chain);

	if (err != OK)
		return err;
	copy.chain = packets_span(&a->kept);
	err = message_decode_inner(&t->m->h, &copy, &a->m);
	return err == OK ? read_kept(a, id_type) : err;
}

/* ---- writing ours ---- */

void auth_put_identity(struct ike_sa *sa, struct builder *b)
{
	const struct auth *a = sa->hs->auth;

	builder_add(b, sa->initiator ? PL_IDI : PL_IDR, span_of(a->own_id, a->own_id_len));
}

void auth_put_certificates(struct ike_sa *sa, struct builder *b)
{
	const struct conf_connection *cn = sa->conn->conf;
	struct rd r;

	if (cn->auth != CONF_AUTH_CERTIFICATE)
		return;
	r = rd_from(sa->e->env.certificates(sa->e->env.ctx, cn->me));
	while (rd_left(&r) > 0) {
		struct pl_cert c = { .encoding = CERT_X509_SIGNATURE };

		c.data = rd_take(&r, rd_u16(&r));
		if (!rd_ok(&r))
			break;
		pl_cert_encode(builder_begin(b, PL_CERT), &c);
		builder_end(b);
	}
}

void auth_put_certreq(struct ike_sa *sa, struct builder *b)
{
	const struct conf_connection *cn = sa->conn->conf;
	struct pl_cert req = { .encoding = CERT_X509_SIGNATURE };

	if (cn->auth != CONF_AUTH_CERTIFICATE)
		return;
	req.data = sa->e->env.authorities(sa->e->env.ctx, cn->me);
	pl_cert_encode(builder_begin(b, PL_CERTREQ), &req);
	builder_end(b);
}

void auth_put_auth(struct ike_sa *sa, struct builder *b)
{
	const struct auth *a = sa->hs->auth;
	struct pl_auth auth = { .method = a->own_method, .data = packets_span(&a->own_auth) };

	pl_auth_encode(builder_begin(b, PL_AUTH), &auth);
	builder_end(b);
}

/* ---- what is signed ---- */

/* The octets of one side (RFC 7296 2.15), malloc'd. */
static enum err make_octets(const struct ike_sa *sa, bool initiators, struct span id_body,
			    struct packets *out)
{
	const struct handshake *hs = sa->hs;
	const struct packets *request = sa->initiator ? &hs->chosen->request : &hs->request;
	struct transcript t = {
		.prf = sa->suite.prf,
		.request = packets_span(request),
		.response = packets_span(&hs->response),
		.ni = hs->ni,
		.nr = hs->nr,
		.full = sa->transcript_full,
	};
	size_t room = transcript_len(&t);
	struct wr w;
	enum err err;

	out->bytes = malloc(room > 0 ? room : 1);
	if (!out->bytes)
		return ERR_NOMEM;
	w = wr_into(out->bytes, room);
	if (initiators)
		err = transcript_initiator(&t, &sa->keys.pi, id_body, &w);
	else
		err = transcript_responder(&t, &sa->keys.pr, id_body, &w);
	out->len = room;
	if (err == OK)
		out->len = wr_len(&w);
	else
		packets_free(out);
	return err;
}

/* Sends the job off and parks the exchange. */
static enum err ask(struct ike_sa *sa, struct job *j, enum sa_wait wait)
{
	enum err err = ticket_ask(&sa->hs->ticket, sa, j);

	if (err == OK)
		sa->hs->wait = wait;
	return err;
}

static enum err ask_psk(struct ike_sa *sa, const struct conf_connection *cn, struct span octets,
			enum sa_wait wait)
{
	struct job j = { .kind = JOB_PSK_MAC };

	j.psk_mac.prf_id = sa->suite.prf->id;
	j.psk_mac.octets = octets;
	note_print(j.psk_mac.key, sizeof(j.psk_mac.key), "%s", cn->name);
	return ask(sa, &j, wait);
}

enum err auth_ask_own(struct ike_sa *sa)
{
	const struct handshake *hs = sa->hs;
	const struct conf_connection *cn = sa->conn->conf;
	struct packets octets = { 0 };
	struct job j = { .kind = JOB_SIGN };
	enum err err = make_octets(sa, sa->initiator,
				   span_of(hs->auth->own_id, hs->auth->own_id_len), &octets);

	if (err != OK)
		return err;
	if (cn->auth == CONF_AUTH_PSK) {
		err = ask_psk(sa, cn, packets_span(&octets), WAIT_OWN_AUTH);
	} else {
		j.sign.hashes = hs->hashes;
		j.sign.rfc7427 = hs->rfc7427;
		j.sign.octets = packets_span(&octets);
		note_print(j.sign.key, sizeof(j.sign.key), "%s", cn->name);
		err = ask(sa, &j, WAIT_OWN_AUTH);
	}
	packets_free(&octets);
	return err;
}

enum err auth_ask_peer(struct ike_sa *sa, const struct conf_connection *cn)
{
	const struct auth *a = sa->hs->auth;
	struct packets octets = { 0 };
	struct job j = { .kind = JOB_VERIFY };
	enum err err = make_octets(sa, !sa->initiator, a->peer_id_body, &octets);

	if (err != OK)
		return err;
	if (cn->auth == CONF_AUTH_PSK) {
		err = ask_psk(sa, cn, packets_span(&octets), WAIT_PEER_AUTH);
	} else {
		j.verify.chain = packets_span(&a->chain);
		j.verify.claimed = a->claimed;
		j.verify.wanted = cn->identity;
		j.verify.method = a->peer_auth.method;
		j.verify.auth = a->peer_auth.data;
		j.verify.octets = packets_span(&octets);
		note_print(j.verify.connection, sizeof(j.verify.connection), "%s", cn->name);
		err = ask(sa, &j, WAIT_PEER_AUTH);
	}
	packets_free(&octets);
	return err;
}

/* ---- judging ---- */

static const char *method_text(uint8_t method)
{
	switch (method) {
	case AUTH_RSA_SHA1:
		return "an RSA signature with SHA-1";
	case AUTH_PSK:
		return "a pre-shared key";
	case AUTH_ECDSA_256:
	case AUTH_ECDSA_384:
	case AUTH_ECDSA_521:
	case AUTH_SIGNATURE:
		return "a signature";
	default:
		return "a method that we do not know";
	}
}

static bool method_fits(const struct conf_connection *cn, uint8_t method)
{
	switch (method) {
	case AUTH_PSK:
		return cn->auth == CONF_AUTH_PSK;
	case AUTH_ECDSA_256:
	case AUTH_ECDSA_384:
	case AUTH_ECDSA_521:
	case AUTH_SIGNATURE:
		return cn->auth == CONF_AUTH_CERTIFICATE;
	default: /* RSA method 1 too: it means SHA-1 (RFC 7296 3.8) */
		return false;
	}
}

enum err auth_judge_method(const struct ike_sa *sa, struct ike_note *n)
{
	const struct conf_connection *cn = sa->conn->conf;
	uint8_t method = sa->hs->auth->peer_auth.method;

	if (method_fits(cn, method))
		return OK;
	n->err = ERR_AUTH_METHOD;
	n->line = cn->pos.line;
	note_print(n->got, sizeof(n->got), "%s", method_text(method));
	note_print(n->wanted, sizeof(n->wanted), "%s",
		   cn->auth == CONF_AUTH_PSK ? "a pre-shared key" : "a certificate");
	note_print(n->text, sizeof(n->text), "the peer authenticates by %s, not by %s", n->got,
		   n->wanted);
	note_print(n->fix, sizeof(n->fix), "%s",
		   method == AUTH_RSA_SHA1 ? "let the peer sign with SHA-2 (RFC 7427)"
					   : "make `auth` of both ends the same");
	return ERR_AUTH_METHOD;
}

enum err auth_take_own(struct ike_sa *sa, const struct job_result *r, struct ike_note *n)
{
	struct auth *a = sa->hs->auth;
	const struct conf_connection *cn = sa->conn->conf;
	enum err err = r->err;

	sa->hs->wait = WAIT_NONE;
	a->own_method = r->kind == JOB_PSK_MAC ? AUTH_PSK : r->method;
	if (err == OK && r->bytes.len == 0)
		err = ERR_CRYPTO;
	if (err == OK)
		err = packets_set(&a->own_auth, r->bytes);
	if (err == OK)
		return OK;
	n->err = err;
	n->line = cn->pos.line;
	note_print(n->text, sizeof(n->text), "we cannot authenticate: %s",
		   r->text[0] ? r->text : err_text(err));
	note_print(n->fix, sizeof(n->fix),
		   cn->auth == CONF_AUTH_PSK ? "set `psk_file` of the connection"
					     : "set `certificate` and `key` of `me`");
	return err;
}

/* It has proved to be somebody: the name in its certificate, or the one that it calls itself. */
static void explain_identity(const struct conf_connection *cn, const struct auth *a,
			     const struct job_result *r, struct ike_note *n)
{
	char claimed[IDENTITY_TEXT_MAX], text[IDENTITY_TEXT_MAX];

	note_print(n->text, sizeof(n->text), "the peer calls itself %.80s%s%.60s, wanted is %.80s",
		   identity_text(&a->claimed, claimed), r->text[0] ? ", " : "", r->text,
		   identity_text(&cn->identity, text));
	(void)identity_text(r->proved.type != ID_NONE ? &r->proved : &a->claimed, text);
	note_print(n->fix, sizeof(n->fix), "set `identity = %.180s` here, or correct the peer's",
		   text);
}

static void explain_peer(const struct ike_sa *sa, const struct job_result *r, enum err err,
			 struct ike_note *n)
{
	const struct conf_connection *cn = sa->conn->conf;
	const struct auth *a = sa->hs->auth;

	n->err = err;
	n->line = cn->identity_pos.line;
	n->identity = a->claimed;
	note_print_identity(n->got, sizeof(n->got),
			    r->proved.type != ID_NONE ? &r->proved : &a->claimed);
	if (cn->identity.type != ID_NONE)
		note_print_identity(n->wanted, sizeof(n->wanted), &cn->identity);
	if (err == ERR_WRONG_PSK) {
		note_print(n->text, sizeof(n->text), "the peer's pre-shared key is not ours");
		note_print(n->fix, sizeof(n->fix), "put the same key into `psk_file` of both ends");
		return;
	}
	note_print(n->text, sizeof(n->text), "%s", r->text[0] ? r->text : err_text(err));
	if (err == ERR_WRONG_IDENTITY)
		explain_identity(cn, a, r, n);
	else if (err == ERR_CERT_UNTRUSTED)
		note_print(n->fix, sizeof(n->fix),
			   "add the CA of the peer's certificate to `trust`");
}

/* With a pre-shared key the identity is what the peer says under the key that is this connection's
 * alone. */
static enum err judge_psk(const struct ike_sa *sa, const struct job_result *r)
{
	const struct auth *a = sa->hs->auth;
	const struct identity *wanted = &sa->conn->conf->identity;

	if (r->err != OK)
		return r->err;
	if (r->bytes.len == 0 || !secret_eq(r->bytes, a->peer_auth.data))
		return ERR_WRONG_PSK;
	if (wanted->type != ID_NONE && !identity_eq(wanted, &a->claimed))
		return ERR_WRONG_IDENTITY;
	return OK;
}

/* One name for one peer, however it writes that in its ID payload: as configured, or as its
 * certificate has it. Else it would be another peer for each spelling. */
static const struct identity *proved_name(const struct ike_sa *sa, const struct job_result *r)
{
	const struct identity *claimed = &sa->hs->auth->claimed;

	if (sa->conn->conf->identity.type != ID_NONE)
		return &sa->conn->conf->identity;
	return r->proved.type == claimed->type ? &r->proved : claimed;
}

enum err auth_take_peer(struct ike_sa *sa, const struct job_result *r, struct ike_note *n)
{
	bool psk = sa->conn->conf->auth == CONF_AUTH_PSK;
	enum err err = psk ? judge_psk(sa, r) : r->err;
	struct identity *peer;
	struct ike_note proved;

	sa->hs->wait = WAIT_NONE;
	if (err != OK) {
		explain_peer(sa, r, err, n);
		return err;
	}
	peer = malloc(sizeof(*peer));
	if (!peer) {
		n->err = ERR_NOMEM;
		return ERR_NOMEM;
	}
	*peer = *proved_name(sa, r);
	sa->peer = peer;
	peer_enter(sa);
	proof_taken(sa, psk ? 0 : r->good_s);
	note_print(sa->scheme, sizeof(sa->scheme), "%s", psk ? "pre-shared key" : r->scheme);
	proved = note_of_sa(sa, IKE_NOTE_PROVED, OK);
	note_tell(sa->e, &proved);
	return OK;
}
