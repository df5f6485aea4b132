/* SPDX-License-Identifier: Apache-2.0 */
/* Writing ahead: see keep.h. The mark of an object that went outlives it, for as long as it takes
 * to say so: a death must not find no memory. */
#include "ike/keep.h"

#include <stdlib.h>

#include "ike/auth.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/snapshot.h"

static enum err keep_new(struct ike_engine *e, struct keep **k)
{
	if (*k || (!e->env.keeps && !e->env.restores))
		return OK;
	*k = calloc(1, sizeof(**k));
	if (!*k)
		return ERR_NOMEM;
	(*k)->wake_at = NEVER;
	return OK;
}

enum err keep_new_sa(struct ike_sa *sa)
{
	enum err err = keep_new(sa->e, &sa->keep);

	if (sa->keep)
		sa->keep->sa = sa;
	/* One of ours came to its connection when it was made, before there was a mark. */
	if (sa->keep && sa->conn && sa->keep->listed_at == 0)
		sa->keep->listed_at = sa->born_at;
	return err;
}

enum err keep_new_conn(struct conn *c)
{
	enum err err = keep_new(c->e, &c->keep);

	if (c->keep)
		c->keep->conn = c;
	keep_touch_conn(c);
	return err;
}

void keep_listed(struct ike_sa *sa)
{
	if (sa->keep)
		sa->keep->listed_at = ++sa->e->events;
	keep_touch_sa(sa);
}

mono_ns keep_wake_at(const struct ike_sa *sa)
{
	return sa->keep ? sa->keep->wake_at : NEVER;
}

/* By our own SPI, which no other one has, or by its name. */
static void make_key(struct keep *k)
{
	struct wr w = wr_into(k->key, sizeof(k->key));

	wr_u8(&w, k->sa ? KEEP_SA : KEEP_CONN);
	if (k->sa)
		wr_u64(&w, sa_own_spi(k->sa));
	else
		wr_span(&w, span_str(k->conn->conf->name));
	k->key_len = (uint8_t)wr_done(&w).len;
}

void keep_restored(struct ike_sa *sa, uint64_t listed_at)
{
	sa->keep->listed_at = listed_at;
	sa->keep->written = true;
	make_key(sa->keep);
}

/* ---- the queue ---- */

static void put_in(struct ike_engine *e, struct keep *k)
{
	if (!k || k->queued || !e->env.keeps)
		return;
	k->queued = true;
	k->next = NULL;
	k->prev = e->keeps.last;
	*(k->prev ? &k->prev->next : &e->keeps.first) = k;
	e->keeps.last = k;
}

static void take_out(struct ike_engine *e, struct keep *k)
{
	if (!k->queued)
		return;
	*(k->prev ? &k->prev->next : &e->keeps.first) = k->next;
	*(k->next ? &k->next->prev : &e->keeps.last) = k->prev;
	k->queued = false;
}

void keep_touch_sa(struct ike_sa *sa)
{
	if (!sa)
		return;
	put_in(sa->e, sa->keep);
	keep_touch_conn(sa->conn);
}

void keep_touch_conn(struct conn *c)
{
	if (c)
		put_in(c->e, c->keep);
}

void keep_gone(struct ike_engine *e, struct keep *k)
{
	if (!k)
		return;
	k->sa = NULL;
	k->conn = NULL;
	if (k->written && e->env.keeps) {
		put_in(e, k);
		return;
	}
	take_out(e, k);
	free(k);
}

void keep_free_all(struct ike_engine *e)
{
	while (e->keeps.first) {
		struct keep *k = e->keeps.first;

		take_out(e, k);
		if (!k->sa && !k->conn)
			free(k);
	}
}

/* ---- what is written ---- */

static void forget(struct ike_engine *e, struct keep *k, struct ike_action *a)
{
	struct wr w = wr_into(e->keeps.key, sizeof(e->keeps.key));

	wr_span(&w, span_of(k->key, k->key_len));
	*a = (struct ike_action){ .kind = IKE_ACT_KEEP,
				  .keep = { .gone = true, .key = wr_done(&w) } };
	k->written = false;
	if (!k->sa && !k->conn)
		free(k);
}

/* Our handshake waits for its last answer: what comes until it is up comes again. */
static struct auth *handshake_of(const struct keep *k)
{
	return k->sa && k->sa->state == S_AUTH_SENT ? k->sa->hs->auth : NULL;
}

static void write_down(struct ike_engine *e, struct keep *k, struct ike_action *a)
{
	struct auth *handshake = handshake_of(k);

	struct wr w = wr_into(e->keeps.bytes, SNAPSHOT_MAX);

	make_key(k);
	if (k->sa)
		snapshot_put(&w, k->sa);
	else
		snapshot_put_conn(&w, k->conn);
	k->written = true;
	if (handshake)
		handshake->written = true;
	e->keeps.used = wr_len(&w) > e->keeps.used ? wr_len(&w) : e->keeps.used;
	*a = (struct ike_action){ .kind = IKE_ACT_KEEP,
				  .keep = { .key = span_of(k->key, k->key_len),
					    .bytes = wr_done(&w) } };
	/* Too long to be written: it is as if it had never been. */
	if (!wr_ok(&w)) {
		forget(e, k, a);
		a->keep.too_long = true;
	}
}

static bool has_record(const struct keep *k)
{
	return k->conn || (k->sa && snapshot_has(k->sa));
}

size_t ike_engine_kept(const struct ike_engine *e)
{
	struct table_node *n = NULL;
	size_t kept = e->n_conns;

	while ((n = table_next(&e->by_spi, n))) {
		const struct ike_sa *sa = container_of(n, const struct ike_sa, by_spi);
		bool was = sa->state == S_AUTH_SENT && sa->hs->auth && sa->hs->auth->written;

		kept += was || snapshot_has(sa);
	}
	return kept;
}

/* Another connection has its name now, and its record. */
static bool is_succeeded(const struct ike_engine *e, const struct keep *k)
{
	char name[CONF_NAME_MAX + 1] = "";
	struct wr w = wr_into(name, CONF_NAME_MAX);

	if (k->sa || k->conn || k->key_len == 0 || k->key[0] != KEEP_CONN)
		return false;
	wr_span(&w, span_tail(span_of(k->key, k->key_len), 1));
	return conn_find(e, name) != NULL;
}

/* True: nothing is to be said of it, for it is not written, or not its own any more; it is freed
 * if its object is gone. */
static bool pass_over(const struct ike_engine *e, struct keep *k)
{
	const struct auth *handshake = handshake_of(k);

	if (handshake && handshake->written && k->written)
		return true;
	if (has_record(k) || (k->written && !is_succeeded(e, k)))
		return false;
	if (!k->sa && !k->conn)
		free(k);
	return true;
}

bool keep_next(struct ike_engine *e, struct ike_action *a)
{
	struct keep *k;

	while ((k = e->keeps.first)) {
		take_out(e, k);
		if (pass_over(e, k))
			continue;
		e->keeps.open = true;
		if (has_record(k))
			write_down(e, k, a);
		else
			forget(e, k, a);
		return true;
	}
	if (!e->keeps.open)
		return false;
	e->keeps.open = false;
	secret_wipe(e->keeps.bytes, e->keeps.used);
	*a = (struct ike_action){ .kind = IKE_ACT_COMMIT };
	return true;
}
