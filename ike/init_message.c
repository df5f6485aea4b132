/* SPDX-License-Identifier: Apache-2.0 */
/* The common part of IKE_SA_INIT: see init_message.h. */
#include "ike/init_message.h"

#include "crypto/ke.h"
#include "ike/connection.h"
#include "ike/exchange_init.h"
#include "ike/life.h"
#include "ike/note.h"

/* No SHA-1: RFC 7427 makes it optional, and SLOTH (CVE-2015-7575) is why. */
static const uint32_t own_hashes =
	SIGHASH_SHA2_256 | SIGHASH_SHA2_384 | SIGHASH_SHA2_512 | SIGHASH_IDENTITY;

/* Of Brainpool-384 nearly half of all draws are no private value. */
enum { DRAWS = 128 };

enum err init_views_decode(const struct message *m, struct init_views *v)
{
	enum err err = pl_ke_decode(message_body(m, PL_KE), &v->ke);
	const struct ke_group *g = err == OK ? ke_find(v->ke.group) : NULL;

	/* In clear: what can be no value of its group is left before it costs anything, so that
	 * the true message still counts. */
	if (g && v->ke.data.len != g->public_len)
		err = ERR_KE_VALUE;
	if (err == OK)
		err = pl_nonce_decode(message_body(m, PL_NONCE), &v->nonce);
	v->sa = message_body(m, PL_SA);
	return err;
}

void init_put_abilities(struct builder *b)
{
	uint8_t hashes[16];
	struct wr w = wr_into(hashes, sizeof(hashes));

	sighash_encode(&w, own_hashes);
	builder_notify(b, NOTIFY_SIGNATURE_HASH_ALGORITHMS, wr_done(&w));
	builder_notify(b, NOTIFY_IKEV2_FRAGMENTATION_SUPPORTED, SPAN_EMPTY);
	builder_notify(b, NOTIFY_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, SPAN_EMPTY);
}

void init_take_abilities(struct ike_sa *sa, const struct message *m)
{
	struct handshake *hs = sa->hs;
	struct pl_notify n;

	hs->rfc7427 = message_notify(m, NOTIFY_SIGNATURE_HASH_ALGORITHMS, &n) &&
		      sighash_decode(n.data, &hs->hashes) == OK;
	hs->childless = message_notify(m, NOTIFY_CHILDLESS_IKEV2_SUPPORTED, NULL);
	sa->fragmentation = message_notify(m, NOTIFY_IKEV2_FRAGMENTATION_SUPPORTED, NULL);
	sa->transcript_full = message_notify(m, NOTIFY_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, NULL);
}

enum err init_draw(struct ike_engine *e, const struct ke_group *g,
		   uint8_t priv[static KE_PRIVATE_MAX], uint8_t pub[static KE_PUBLIC_MAX])
{
	enum err err = ERR_CRYPTO;

	for (int i = 0; i < DRAWS; i++) {
		if (!random_fill(&e->env.random, priv, g->private_len))
			return ERR_CRYPTO;
		if (g->slow)
			return OK;
		err = ke_public(g, span_of(priv, g->private_len), pub);
		if (err != ERR_KE_VALUE)
			break;
	}
	return err;
}

struct proposal_want init_want(const struct conf_connection *cn)
{
	return (struct proposal_want){ .policy = &cn->policy,
				       .protocol = PROTO_IKE,
				       .with_ke = true };
}

struct proposal_want init_offer(const struct conf_connection *cn)
{
	struct proposal_want want = init_want(cn);

	want.one = cn->propose == CONF_PROPOSE_ONE;
	return want;
}

enum err init_ask_worker(struct ike_sa *sa, struct span peer)
{
	struct handshake *hs = sa->hs;
	const struct init_try *try = hs->chosen;
	struct job j = {
		.kind = JOB_KE,
		.ke = { .group = try->group->id,
			.secret = span_of(try->priv, try->group->private_len),
			.peer = peer },
	};
	enum err err = ticket_ask(&hs->ticket, sa, &j);

	if (err == OK)
		hs->wait = peer.len > 0 ? WAIT_KE_SECRET : WAIT_KE_PUBLIC;
	return err;
}

/* Keys from the shared secret; the nonces and both SPIs are known. */
static enum err derive(struct ike_sa *sa, struct span secret)
{
	struct handshake *hs = sa->hs;
	struct keymat_seed seed = {
		.g_ir = secret,
		.ni = hs->ni,
		.nr = hs->nr,
		.spi_i = sa->spi_i,
		.spi_r = sa->spi_r,
	};
	enum err err = keymat_ike(&sa->suite, &seed, &sa->keys);

	hs->keyed = err == OK;
	return err;
}

enum err init_keys(struct ike_sa *sa)
{
	struct handshake *hs = sa->hs;
	uint8_t secret[KE_SECRET_MAX];
	const struct ke_group *g;
	enum err err;

	if (!hs || hs->keyed)
		return OK;
	g = hs->chosen->group;
	err = ke_shared(g, span_of(hs->chosen->priv, g->private_len), hs->peer_ke, secret);
	if (err == OK)
		err = derive(sa, span_of(secret, g->secret_len));
	secret_wipe(secret, sizeof(secret));
	return err;
}

static void worker_failed(struct ike_sa *sa, enum err err)
{
	struct ike_note n = note_of_sa(sa, IKE_NOTE_REFUSED, err);

	note_print(n.text, sizeof(n.text), "Diffie-Hellman in group %s failed: %s",
		   sa->hs->chosen->group->keyword, err_text(err));
	note_refused(sa, &n);
	sa_end(sa, err);
}

void init_on_job(struct ike_sa *sa, const struct job_result *r)
{
	struct handshake *hs = sa->hs;
	const struct ke_group *g = hs->chosen->group;
	bool secret = hs->wait == WAIT_KE_SECRET;
	enum err err = r->err;

	hs->wait = WAIT_NONE;
	if (err == OK && r->bytes.len != (secret ? g->secret_len : g->public_len))
		err = ERR_CRYPTO;
	if (err == OK && secret)
		err = derive(sa, r->bytes);
	if (err != OK)
		worker_failed(sa, err);
	else if (sa->initiator && secret)
		init_go_on(sa);
	else if (sa->initiator)
		init_on_public(sa, r->bytes);
	else if (secret)
		init_answer(sa);
	else
		init_on_public_responder(sa, r->bytes);
}
