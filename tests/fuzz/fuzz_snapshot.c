/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine has kept, changed by whoever could write there, and read by the next one: records
 * of real engines in every state. First byte: the world; second: where the victim stands, its role
 * and side; then changes of five bytes each: the record, where in it, what is done there.
 *
 * It is refused whole, or it says just what was read; and whatever was taken, the engine goes on.
 */
#include <stdlib.h>

#include "ike/keep.h"
#include "ike/snapshot.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/ike_world.h"

enum { RECORDS_MAX = 16, CHANGES_MAX = 32, TICKS_MAX = 64 };

struct record {
	uint8_t key[KEEP_KEY_MAX];
	size_t key_len;
	struct packets bytes;
};

struct records {
	struct record v[RECORDS_MAX];
	size_t n;
};

static void take(void *ctx, struct span key, struct span bytes)
{
	struct records *all = ctx;
	struct record *r = &all->v[all->n];
	struct wr w = wr_into(r->key, sizeof(r->key));

	if (all->n == RECORDS_MAX || packets_set(&r->bytes, bytes) != OK)
		return;
	wr_span(&w, key);
	r->key_len = wr_len(&w);
	all->n++;
}

static void change(struct records *all, struct rd *r)
{
	uint8_t which = rd_u8(r);
	uint16_t at = rd_u16(r);
	uint8_t how = rd_u8(r), value = rd_u8(r);
	struct packets *p = all->n > 0 ? &all->v[which % all->n].bytes : NULL;

	if (!rd_ok(r) || !p || p->len == 0)
		return;
	if (how % 4 == 0)
		p->len = at % p->len;
	else if (how % 4 == 1)
		p->bytes[at % p->len] = value;
	else
		p->bytes[at % p->len] ^= value;
}

static void expect_said(const struct ike_engine *e, struct span bytes)
{
	uint8_t *room = malloc(SNAPSHOT_MAX);
	struct wr w = wr_into(room, SNAPSHOT_MAX);

	FUZZ_HOLDS(room != NULL && e->restored != NULL);
	snapshot_put(&w, e->restored);
	FUZZ_HOLDS(span_eq(wr_done(&w), bytes));
	free(room);
}

static void give(struct ike_engine *e, const struct records *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct record *r = &all->v[i];
		struct span bytes = packets_span(&r->bytes);
		uint64_t n = e->stats.sas;

		if (ike_engine_restore(e, span_of(r->key, r->key_len), bytes) != OK)
			FUZZ_HOLDS(e->stats.sas == n);
		else if (r->key[0] == KEEP_SA && e->n_retired == 0)
			expect_said(e, bytes);
	}
}

/* Planes have every second half. */
static void answer(struct ike_engine *e, const struct sa_cmd *cmd, mono_ns now)
{
	struct sa_done done = { .ticket = cmd->ticket,
				.spi = cmd->sa.spi,
				.dir = cmd->sa.dir,
				.err = cmd->ticket % 2 ? OK : ERR_NOT_FOUND };
	const struct ike_event ev = { .kind = IKE_EV_SA, .sa = &done };

	if (cmd->ticket != 0)
		ike_engine_event(e, &ev, now);
}

static void go_on(struct ike_engine *e, mono_ns now)
{
	struct ike_action a;

	ike_engine_resume(e, now);
	for (int i = 0; i < TICKS_MAX && now != NEVER; i++) {
		for (int k = 0; k < TICKS_MAX && ike_engine_next(e, &a); k++) {
			if (a.kind == IKE_ACT_SA)
				answer(e, a.sa, now);
		}
		ike_engine_tick(e, now);
		now = ike_engine_deadline(e);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_from(span_of(bytes, len));
	uint8_t which = rd_u8(&r), where = rd_u8(&r);
	enum side victim = where & 64 ? RIGHT : LEFT;
	struct records all = { .n = 0 };
	struct ike_world w;
	struct ike_engine *e;

	ike_world_begin(&w, which);
	(void)ike_world_reach(&w, victim, where & 128, where % N_STATIONS);
	if (w.s->end[victim].vault.mem)
		vault_each(&w.s->end[victim].vault, take, &all);
	for (int i = 0; i < CHANGES_MAX && rd_left(&r) > 0; i++)
		change(&all, &r);
	e = end_engine(&w.s->end[victim], true);
	if (e) {
		give(e, &all);
		go_on(e, w.s->now);
	}
	ike_engine_free(e);
	for (size_t i = 0; i < all.n; i++)
		packets_free(&all.v[i].bytes);
	ike_world_end(&w);
	return 0;
}
