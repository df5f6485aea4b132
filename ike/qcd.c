/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of RFC 6290: see qcd.h. */
#include "ike/qcd.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/prf.h"
#include "ike/life.h"
#include "ike/send.h"

/* ---- maker ---- */

bool qcd_makes(const struct ike_engine *e, const struct conf_connection *cn)
{
	return cn->qcd && e->conf->qcd_secret.bytes.len > 0;
}

/* A purpose of its own first, should the file serve for something else one day. */
static enum err make(const struct ike_engine *e, uint64_t spi_i, uint64_t spi_r, struct key *token)
{
	uint8_t spis[2 * IKE_SPI_LEN];
	struct wr w = wr_into(spis, sizeof(spis));
	struct span parts[] = { span_str("postern QCD token"), span_of(spis, sizeof(spis)) };

	wr_u64(&w, spi_i);
	wr_u64(&w, spi_r);
	return prf_compute(prf_find(PRF_HMAC_SHA2_256), e->conf->qcd_secret.bytes, parts, 2, token);
}

static struct pl_notify notify_of(const struct key *token)
{
	return (struct pl_notify){ .protocol = PROTO_IKE,
				   .type = NOTIFY_QCD_TOKEN,
				   .data = key_span(token) };
}

void qcd_put(const struct ike_sa *sa, const struct conf_connection *cn, struct builder *b)
{
	struct key token = { .len = 0 };
	struct pl_notify n;

	if (qcd_makes(sa->e, cn) && make(sa->e, sa->spi_i, sa->spi_r, &token) == OK) {
		n = notify_of(&token);
		builder_notify_full(b, &n);
	}
	key_wipe(&token);
}

static bool makes_any(const struct ike_engine *e)
{
	for (size_t i = 0; i < e->n_conns; i++) {
		if (qcd_makes(e, e->conns[i]->conf))
			return true;
	}
	return false;
}

/* Both are looked for as if they were ours: the flags of a stranger's message say nothing. */
static bool is_nobodys(struct ike_engine *e, const struct ike_header *h)
{
	return h->spi_i != 0 && h->spi_r != 0 && !sa_find(e, h->spi_i) && !sa_find(e, h->spi_r);
}

void qcd_answer(struct ike_engine *e, const struct path *p, const struct ike_header *h)
{
	struct pl_notify notifies[2] = { { .type = NOTIFY_INVALID_IKE_SPI } };
	struct key token = { .len = 0 };
	size_t n = 1;

	if (is_nobodys(e, h) && makes_any(e) && make(e, h->spi_i, h->spi_r, &token) == OK)
		notifies[n++] = notify_of(&token);
	send_clear(e, p, h, notifies, n);
	key_wipe(&token);
}

/* ---- taker ---- */

static enum err hash_token(const struct pl_notify *n, uint8_t hash[static QCD_HASH_LEN])
{
	if (n->data.len < QCD_TOKEN_MIN || n->data.len > QCD_TOKEN_MAX)
		return ERR_SYNTAX;
	return hash_sha256(&n->data, 1, hash);
}

void qcd_take(struct ike_sa *sa, const struct message *m)
{
	uint8_t hash[QCD_HASH_LEN];
	struct pl_notify n;

	if (!message_notify(m, NOTIFY_QCD_TOKEN, &n) || hash_token(&n, hash) != OK)
		return;
	if (!sa->qcd_hash)
		sa->qcd_hash = malloc(QCD_HASH_LEN);
	if (sa->qcd_hash)
		memcpy(sa->qcd_hash, hash, QCD_HASH_LEN);
}

/* Any of the first four may be it: a maker may have had other secrets (4.5). */
static bool holds_token(const struct ike_sa *sa, const struct message *m)
{
	uint8_t hash[QCD_HASH_LEN];
	unsigned int seen = 0;
	bool right = false;

	for (const struct payload *p = message_find(m, PL_NOTIFY); p && seen < QCD_TOKENS_MAX;
	     p = message_next(m, p)) {
		struct pl_notify n;

		if (pl_notify_decode(p->body, &n) != OK || n.type != NOTIFY_QCD_TOKEN)
			continue;
		seen++;
		if (hash_token(&n, hash) == OK &&
		    secret_eq(span_of(hash, sizeof(hash)), span_of(sa->qcd_hash, QCD_HASH_LEN)))
			right = true;
	}
	return right;
}

enum err qcd_judge(struct ike_sa *sa, const struct path *p, const struct message *m)
{
	struct limits *l = &sa->e->limits;

	if (sa->state != S_UP || !sa->qcd_hash || !message_notify(m, NOTIFY_QCD_TOKEN, NULL))
		return ERR_NOT_FOUND;
	if (!limits_may_open(l, &p->remote.addr, sa->e->now))
		return ERR_LIMIT;
	if (!holds_token(sa, m)) {
		limits_opened_badly(l, &p->remote.addr, sa->e->now);
		return ERR_ICV;
	}
	sa_end(sa, ERR_PEER_RESTARTED);
	return OK;
}
