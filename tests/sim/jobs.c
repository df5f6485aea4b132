/* SPDX-License-Identifier: Apache-2.0 */
/* Fake jobs: a signature is a hash over the signer's name and the octets, a verifier knows how to
 * make it; pre-shared keys are real. What is to be signed is made by the engine from the messages
 * that it saw, so a transcript that differs at the two ends gives a proof that is not good. Slow
 * groups have a Diffie-Hellman that costs nothing and proves nothing but that both ends use it
 * right: the public value is the private one, the secret a hash of both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/psk.h"
#include "crypto/ke.h"
#include "crypto/prf.h"
#include "tests/sim/world.h"

/* A proof that one end made or expected. */
struct proof {
	struct proof *next;
	enum side by;
	uint8_t bytes[SIM_PROOF_LEN];
};

struct answer {
	struct sim_event ev;
	struct job_result r;
	uint8_t bytes[1024];
};

/* ---- proofs ---- */

static bool proof_by(const struct sim *s, enum side by, const uint8_t bytes[static SIM_PROOF_LEN])
{
	const struct proof *p = s->proofs[bytes[0]];

	while (p && !(p->by == by && memcmp(p->bytes, bytes, SIM_PROOF_LEN) == 0))
		p = p->next;
	return p != NULL;
}

static void proof_add(struct sim *s, enum side by, const uint8_t bytes[static SIM_PROOF_LEN])
{
	struct proof *p = calloc(1, sizeof(*p));

	if (!p)
		return;
	p->by = by;
	memcpy(p->bytes, bytes, SIM_PROOF_LEN);
	p->next = s->proofs[bytes[0]];
	s->proofs[bytes[0]] = p;
}

void jobs_free(struct sim *s)
{
	for (size_t i = 0; i < SIM_LOG_BUCKETS; i++) {
		while (s->proofs[i]) {
			struct proof *p = s->proofs[i];

			s->proofs[i] = p->next;
			free(p);
		}
	}
}

/* A MAC that the other end has made before over the same octets with the same key: its proof is
 * good. */
static void note_mac(struct end *end, const struct key *mac)
{
	struct span s = key_span(mac);
	uint8_t h[SIM_PROOF_LEN];

	if (hash_sha256(&s, 1, h) != OK)
		return;
	if (proof_by(end->sim, end->side == LEFT ? RIGHT : LEFT, h))
		end->n_agreed++;
	proof_add(end->sim, end->side, h);
}

/* ---- the jobs ---- */

static struct span psk_of(const struct end *end)
{
	return span_str(end->psk);
}

static enum err do_psk(struct end *end, const struct job_psk_mac *j, struct key *out)
{
	const struct prf *prf = prf_find(j->prf_id);
	struct span pad = span_str("Key Pad for IKEv2");
	struct key k;
	enum err err = prf ? prf_compute(prf, psk_of(end), &pad, 1, &k) : ERR_UNSUPPORTED;

	if (err == OK)
		err = prf_compute(prf, key_span(&k), &j->octets, 1, out);
	if (err == OK)
		note_mac(end, out);
	return err;
}

enum err jobs_sign(const char *name, struct span octets, uint8_t out[static SIM_PROOF_LEN])
{
	struct span parts[] = { span_str("the test signer"), span_str(name), octets };

	return hash_sha256(parts, 3, out);
}

static enum err do_sign(struct end *end, const struct job_sign *j, uint8_t *out)
{
	const struct conf_connection *cn = conf_connection_find(end->conf, j->key);
	char name[IDENTITY_TEXT_MAX];

	if (!cn)
		return ERR_NO_CREDENTIAL;
	return jobs_sign(end->proves ? end->proves : identity_text(&cn->local_identity, name),
			 j->octets, out);
}

static enum err do_verify(struct end *end, const struct job_verify *j)
{
	char name[IDENTITY_TEXT_MAX];
	uint8_t expect[SIM_PROOF_LEN];
	enum err err;

	if (j->chain.len == 0)
		return ERR_CERT_UNTRUSTED;
	if (j->wanted.type != ID_NONE && !identity_eq(&j->wanted, &j->claimed))
		return ERR_WRONG_IDENTITY;
	err = jobs_sign(identity_text(&j->claimed, name), j->octets, expect);
	if (err == OK && !span_eq(j->auth, span_of(expect, sizeof(expect))))
		err = ERR_AUTH;
	if (err == OK)
		end->n_agreed++;
	return err;
}

static enum err do_ke_truly(const struct ke_group *g, const struct job_ke *j, struct answer *a)
{
	if (j->peer.len == 0) {
		a->r.bytes = span_of(a->bytes, g->public_len);
		return ke_public(g, j->secret, a->bytes);
	}
	a->r.bytes = span_of(a->bytes, g->secret_len);
	return ke_shared(g, j->secret, j->peer, a->bytes);
}

enum err jobs_secret(struct span a, struct span b, uint8_t out[static 32])
{
	bool first = span_order_bytes(a, b) < 0;

	return hash_sha256((struct span[]){ first ? a : b, first ? b : a }, 2, out);
}

/* Slow groups would be most of the time of all runs: a hash does, unless a scenario is about them.
 */
static enum err do_ke(struct end *end, const struct job_ke *j, struct answer *a)
{
	const struct ke_group *g = ke_find(j->group);
	uint8_t pub[sizeof(a->bytes)] = { 0 };
	struct span own = span_of(pub, g ? g->public_len : 0);

	if (!g || j->secret.len > own.len)
		return ERR_UNSUPPORTED;
	if (end->sim->true_ke)
		return do_ke_truly(g, j, a);
	memcpy(pub, j->secret.p, j->secret.len);
	a->r.bytes = span_of(a->bytes, own.len);
	if (j->peer.len == 0) {
		memcpy(a->bytes, pub, own.len);
		return OK;
	}
	if (jobs_secret(own, j->peer, a->bytes) != OK)
		return ERR_CRYPTO;
	a->r.bytes.len = g->secret_len;
	return OK;
}

static void answer_drop(struct sim_event *ev)
{
	free(container_of(ev, struct answer, ev));
}

static void answer_arrive(struct sim *s, struct sim_event *ev)
{
	struct answer *a = container_of(ev, struct answer, ev);
	struct end *end = &s->end[ev->side];
	struct ike_event event = { .kind = IKE_EV_JOB, .job = &a->r };

	end_event(end, &event);
	free(a);
}

static enum err work(struct end *end, const struct job *j, struct answer *a)
{
	struct key mac = { .len = 0 };
	enum err err;

	switch (j->kind) {
	case JOB_SIGN:
		a->r.method = AUTH_SIGNATURE;
		a->r.bytes = span_of(a->bytes, SIM_PROOF_LEN);
		return do_sign(end, &j->sign, a->bytes);
	case JOB_PSK_MAC:
		err = do_psk(end, &j->psk_mac, &mac);
		memcpy(a->bytes, mac.b, mac.len);
		a->r.bytes = span_of(a->bytes, mac.len);
		return err;
	case JOB_VERIFY:
		snprintf(a->r.scheme, sizeof(a->r.scheme), "the test signer");
		return do_verify(end, &j->verify);
	case JOB_KE:
		return do_ke(end, &j->ke, a);
	}
	return ERR_UNSUPPORTED;
}

/* Counts down to the one that is meant. */
static bool is_the_one(uint32_t *until)
{
	return *until > 0 && --*until == 0;
}

void jobs_do(struct end *end, const struct job *j)
{
	struct sim *s = end->sim;
	struct answer *a = calloc(1, sizeof(*a));
	bool fails = is_the_one(&s->jobs_until_failure);

	if (!a)
		return;
	s->stirred = s->now;
	a->ev = (struct sim_event){ .side = end->side,
				    .happen = answer_arrive,
				    .drop = answer_drop };
	a->r.ticket = j->ticket;
	a->r.kind = j->kind;
	a->r.err = fails ? ERR_SYSTEM : work(end, j, a);
	if (fails)
		a->r.bytes = SPAN_EMPTY;
	trace_line(s, end->side, "job %d: %s", (int)j->kind, err_slug(a->r.err));
	if (is_the_one(&s->jobs_until_loss)) {
		free(a);
		return;
	}
	sim_later(s, &a->ev, s->now + sim_takes(s, 1, 20000));
}
