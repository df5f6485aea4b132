/* SPDX-License-Identifier: Apache-2.0 */
/* Making, finding and ending IKE SAs as objects: see sa.h. What the protocol does with them is
 * elsewhere. */
#include "ike/sa.h"

#include <stdlib.h>
#include <string.h>

#include "ike/auth.h"
#include "ike/beside.h"
#include "ike/child.h"
#include "ike/core.h"
#include "ike/create.h"
#include "ike/init_rival.h"
#include "ike/keep.h"
#include "ike/peer.h"
#include "ike/rekey.h"
#include "ike/rekey_ike.h"

/* How long an attempt of ours may take in all: both requests with all their tries, and the jobs
 * between them. */
static const mono_ns attempt_time = 90 * NS_PER_S;

/* Draws SPIs until one is free; zero is no SPI (RFC 7296 3.1). */
static enum err draw_spi(struct ike_engine *e, struct ike_sa *sa)
{
	for (int i = 0; i < 16; i++) {
		enum err err;

		if (!random_fill(&e->env.random, sa->own_spi, sizeof(sa->own_spi)))
			return ERR_CRYPTO;
		if (sa_own_spi(sa) == 0)
			continue;
		err = table_add(&e->by_spi, &sa->by_spi);
		if (err != ERR_EXISTS)
			return err;
	}
	return ERR_CRYPTO;
}

static size_t handshake_size(uint8_t max_tries)
{
	return sizeof(struct handshake) + max_tries * sizeof(struct init_try);
}

struct handshake *handshake_new(uint8_t max_tries)
{
	struct handshake *hs = calloc(1, handshake_size(max_tries));

	if (!hs)
		return NULL;
	hs->max_tries = max_tries;
	hs->follow_at = NEVER;
	return hs;
}

static void handshake_free(struct handshake *hs)
{
	if (!hs)
		return;
	for (size_t i = 0; i < hs->max_tries; i++)
		packets_free(&hs->tries[i].request);
	packets_free(&hs->request);
	packets_free(&hs->response);
	auth_free(hs->auth);
	secret_free(hs, handshake_size(hs->max_tries));
}

enum err sa_new(struct ike_engine *e, bool initiator, const struct path *p, struct ike_sa **out)
{
	struct ike_sa *sa = calloc(1, sizeof(*sa));
	enum err err;

	*out = NULL;
	if (!sa)
		return ERR_NOMEM;
	sa->hs = handshake_new(initiator ? INIT_TRIES_MAX : 1);
	if (!sa->hs) {
		free(sa);
		return ERR_NOMEM;
	}
	*sa = (struct ike_sa){
		.e = e,
		.hs = sa->hs,
		.initiator = initiator,
		.answered = !initiator,
		.path = *p,
		.timer.of_sa = true,
		.born = e->now,
		.heard = e->now,
		.certified_until = NEVER,
		.proved_until = NEVER,
		.sent = e->now,
		.again = NEVER,
		.expires = e->now + (initiator ? attempt_time : limits_patience(&e->limits)),
	};
	retransmit_idle(&sa->rt);
	err = draw_spi(e, sa);
	if (err != OK) {
		handshake_free(sa->hs);
		free(sa);
		return err;
	}
	if (initiator)
		sa->spi_i = sa_own_spi(sa);
	else
		sa->spi_r = sa_own_spi(sa);
	sa->born_at = ++e->events;
	e->stats.sas++;
	*out = sa;
	return OK;
}

void sa_forget_handshake(struct ike_sa *sa)
{
	if (!sa->hs)
		return;
	ticket_drop(sa->e, &sa->hs->ticket);
	if (sa->initiator)
		rivals_free(sa->hs->rivals);
	handshake_free(sa->hs);
	sa->hs = NULL;
	/* They only ever served AUTH. */
	key_wipe(&sa->keys.pi);
	key_wipe(&sa->keys.pr);
}

void sa_drop_fragments(struct ike_sa *sa)
{
	if (!sa->fragments)
		return;
	limits_drop(&sa->e->limits, sa_stranger(sa), reassembly_cost(sa->fragments));
	reassembly_reset(sa->fragments);
	free(sa->fragments);
	sa->fragments = NULL;
}

const struct addr *sa_stranger(const struct ike_sa *sa)
{
	return sa->counted ? &sa->counted_for : NULL;
}

void sa_uncount(struct ike_sa *sa)
{
	/* They were the stranger's. */
	sa_drop_fragments(sa);
	if (sa->counted)
		limits_closed(&sa->e->limits, &sa->counted_for);
	sa->counted = false;
	sa->e->stats.half_open = sa->e->limits.half_open;
}

void sa_count(struct ike_sa *sa)
{
	limits_opened(&sa->e->limits, &sa->path.remote.addr);
	sa->counted = true;
	sa->counted_for = sa->path.remote.addr;
	sa->e->stats.half_open = sa->e->limits.half_open;
}

void sa_free(struct ike_sa *sa)
{
	if (!sa)
		return;
	create_free(&sa->mine);
	create_free(&sa->theirs);
	while (sa->children)
		child_free(sa->children);
	peer_leave(sa);
	if (sa->conn)
		conn_remove_sa(sa->conn, sa);
	sa_uncount(sa);
	sa_unindex_init(sa);
	table_del(&sa->e->by_spi, &sa->by_spi);
	heap_stop(&sa->e->timers, &sa->timer.node);
	sa_forget_handshake(sa);
	sa_drop_fragments(sa);
	window_free(&sa->window);
	beside_free(sa->beside);
	sa->e->stats.sas--;
	free(sa->peer);
	free(sa->qcd_hash);
	keep_gone(sa->e, sa->keep);
	secret_free(sa, sizeof(*sa));
}

static void put_spi(uint8_t out[static IKE_SPI_LEN], uint64_t spi)
{
	struct wr w = wr_into(out, IKE_SPI_LEN);

	wr_u64(&w, spi);
}

struct ike_sa *sa_find(struct ike_engine *e, uint64_t own_spi)
{
	uint8_t key[IKE_SPI_LEN];
	struct table_node *n;

	put_spi(key, own_spi);
	n = table_find(&e->by_spi, span_of(key, sizeof(key)));
	return n ? container_of(n, struct ike_sa, by_spi) : NULL;
}

struct span sa_spi_key(const struct table_node *n)
{
	const struct ike_sa *sa = container_of(n, const struct ike_sa, by_spi);

	return span_of(sa->own_spi, sizeof(sa->own_spi));
}

struct span sa_init_key(const struct table_node *n)
{
	const struct ike_sa *sa = container_of(n, const struct ike_sa, by_init);

	return span_of(sa->init_key, sizeof(sa->init_key));
}

static void make_init_key(uint8_t out[static INIT_KEY_LEN], uint64_t spi_i,
			  const struct endpoint *remote)
{
	struct wr w = wr_into(out, INIT_KEY_LEN);

	wr_u64(&w, spi_i);
	wr_u16(&w, (uint16_t)remote->addr.family);
	wr_u16(&w, remote->port);
	wr_span(&w, span_of(remote->addr.b, sizeof(remote->addr.b)));
}

struct ike_sa *sa_find_init(struct ike_engine *e, uint64_t spi_i, const struct endpoint *remote)
{
	uint8_t key[INIT_KEY_LEN];
	struct table_node *n;

	make_init_key(key, spi_i, remote);
	n = table_find(&e->by_init, span_of(key, sizeof(key)));
	return n ? container_of(n, struct ike_sa, by_init) : NULL;
}

enum err sa_index_init(struct ike_sa *sa)
{
	enum err err;

	make_init_key(sa->init_key, sa->spi_i, &sa->path.remote);
	err = table_add(&sa->e->by_init, &sa->by_init);
	sa->in_init = err == OK;
	return err;
}

void sa_unindex_init(struct ike_sa *sa)
{
	if (sa->in_init)
		table_del(&sa->e->by_init, &sa->by_init);
	sa->in_init = false;
}

uint64_t sa_own_spi(const struct ike_sa *sa)
{
	struct rd r = rd_from(span_of(sa->own_spi, sizeof(sa->own_spi)));

	return rd_u64(&r);
}

/* The initiator of the IKE SA protects with ei and ai, for as long as it lives (RFC 7296 2.14). */
static struct sk_keys keys_of(const struct ike_sa *sa, bool initiators)
{
	return (struct sk_keys){
		.encr = sa->suite.encr,
		.integ = sa->suite.integ,
		.encr_key = initiators ? sa->keys.ei : sa->keys.er,
		.integ_key = initiators ? sa->keys.ai : sa->keys.ar,
		.next_iv = sa->next_iv,
	};
}

struct sk_keys sa_keys_out(const struct ike_sa *sa)
{
	return keys_of(sa, sa->initiator);
}

struct sk_keys sa_keys_in(const struct ike_sa *sa)
{
	return keys_of(sa, !sa->initiator);
}

bool sa_parked(const struct ike_sa *sa)
{
	return sa->hs && sa->hs->wait != WAIT_NONE;
}

void sa_schedule(struct ike_sa *sa)
{
	mono_ns when =
		earlier(earlier(sa->rt.at, sa->expires), earlier(sa->again, keep_wake_at(sa)));

	keep_touch_sa(sa);
	if (sa->state == S_INIT_SENT)
		when = earlier(when, sa->hs->follow_at);
	for (const struct child_sa *c = sa->children; c && sa->state == S_UP; c = c->next)
		when = earlier(when, child_deadline(c));
	if (sa->state == S_UP)
		when = earlier(earlier(when, create_deadline(sa)), rekey_deadline(sa));
	if (sa->fragments)
		when = earlier(when, sa->fragments->until);
	if (sa->state == S_UP)
		when = earlier(when, rekey_ike_deadline(sa));
	when = earlier(when, beside_deadline(sa));
	if (sa->state == S_UP)
		when = earlier(earlier(when, move_deadline(sa)), standby_deadline(sa));
	if (sa->state == S_UP && sa->conn) {
		const struct conf_connection *cn = sa->conn->conf;

		if (!sa->window.asked && !sa->alive_wanted && cn->liveness > 0)
			when = earlier(when, sa->looks_until > 0 ? sa->looks_until
								 : sa->heard + cn->liveness);
		if (sa->nat_here && cn->keepalive > 0)
			when = earlier(when, sa->sent + cn->keepalive);
	}
	heap_set(&sa->e->timers, &sa->timer.node, when);
}
