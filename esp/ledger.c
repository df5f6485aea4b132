/* SPDX-License-Identifier: Apache-2.0 */
/* Places for numbers, and a vault of descriptions behind them: see ledger.h. */
#include "esp/ledger.h"

#include <stdlib.h>
#include <string.h>

enum {
	SHARE = 3,	       /* of the memory, one part of so many is for numbers */
	RECORD_MAX = 65536 + 8 /* as large as a command may be */
};

enum { KEY_SA = 's', KEY_INSTALLED = 'n', KEY_LEN = 5 };

static struct span key_of(uint8_t b[static KEY_LEN], uint8_t kind, size_t index)
{
	struct wr w = wr_into(b, KEY_LEN);

	wr_u8(&w, kind);
	wr_u32(&w, (uint32_t)index);
	return wr_done(&w);
}

static struct span key_of_tally(const struct ledger *l, uint8_t b[static KEY_LEN],
				const struct tally *t)
{
	return key_of(b, KEY_SA, (size_t)(t - l->tallies));
}

static bool is_open(const struct ledger *l)
{
	return l->tallies != NULL;
}

static bool is_here(const struct ledger *l, const struct tally *t)
{
	uintptr_t p = (uintptr_t)t, from = (uintptr_t)l->tallies;

	return is_open(l) && p >= from && p < from + l->n * sizeof(*t);
}

/* ---- life ---- */

static void spare_all(struct ledger *l)
{
	struct span part[2];

	vault_spare(&l->vault, part);
	for (int i = 0; i < 2 && l->spare; i++)
		l->spare(part[i]);
}

enum err ledger_open(struct ledger *l, const struct esp_memory *m)
{
	size_t n = m->size / SHARE / sizeof(struct tally), of_tallies = n * sizeof(struct tally);
	enum err e = ERR_SPACE;

	*l = (struct ledger){ .n = n, .spare = m->spare };
	if (!m->p)
		return OK;
	if (n == 0 || n > UINT32_MAX)
		return ERR_SPACE;
	l->used = calloc(n, 1);
	l->scratch = calloc(RECORD_MAX, 1);
	e = l->used && l->scratch
		    ? vault_open(&l->vault, (uint8_t *)m->p + of_tallies, m->size - of_tallies)
		    : ERR_NOMEM;
	if (e != OK && e != ERR_SYNTAX) {
		ledger_close(l);
		return e;
	}
	l->tallies = m->p;
	spare_all(l);
	return e;
}

void ledger_close(struct ledger *l)
{
	vault_close(&l->vault);
	free(l->used);
	free(l->scratch);
	*l = (struct ledger){ .n = 0 };
}

/* ---- numbers ---- */

struct tally *ledger_take(struct ledger *l)
{
	/* The first one, so that what was never needed is never memory. */
	uint8_t *free = is_open(l) ? memchr(l->used, 0, l->n) : NULL;
	struct tally *t;

	if (!free)
		return NULL;
	*free = 1;
	t = &l->tallies[free - l->used];
	memset(t, 0, sizeof(*t));
	return t;
}

void ledger_give(struct ledger *l, const struct tally *t)
{
	uint8_t key[KEY_LEN];

	if (!is_here(l, t))
		return;
	vault_forget(&l->vault, key_of_tally(l, key, t));
	/* Before the place is anybody else's: a record counts as long as its place names its SPI.
	 */
	ledger_commit(l);
	l->used[t - l->tallies] = 0;
}

/* ---- descriptions ---- */

/* The newest number counts; where it finds no room none does, and then no install that was
 * commanded before is carried out (esp/esp.c). */
void ledger_set_installed(struct ledger *l, uint64_t number)
{
	uint8_t key[KEY_LEN], body[8];
	struct wr w = wr_into(body, sizeof(body));
	struct span k = key_of(key, KEY_INSTALLED, 0);

	wr_u64(&w, number);
	if (is_open(l) && vault_put(&l->vault, k, wr_done(&w)) != OK)
		vault_forget(&l->vault, k);
}

uint64_t ledger_installed(const struct ledger *l)
{
	uint8_t key[KEY_LEN];
	struct span s;
	struct rd r;
	uint64_t number;

	if (!is_open(l) || !vault_get(&l->vault, key_of(key, KEY_INSTALLED, 0), &s))
		return 0;
	r = rd_from(s);
	number = rd_u64(&r);
	return rd_end(&r) ? number : 0;
}

/* A record: which install it was, for the order, and the command. */
static enum err get(struct span record, struct sa_cmd *cmd)
{
	struct rd r = rd_from(record);

	(void)rd_u64(&r);
	return sa_cmd_decode(rd_rest(&r), cmd);
}

static enum err put(struct ledger *l, struct span key, const struct sa_cmd *cmd)
{
	struct wr w = wr_into(l->scratch, RECORD_MAX);
	enum err e = ERR_SPACE;

	wr_u64(&w, cmd->install);
	sa_cmd_encode(&w, cmd);
	if (wr_ok(&w))
		e = vault_put(&l->vault, key, wr_done(&w));
	secret_wipe(l->scratch, wr_ok(&w) ? wr_len(&w) : RECORD_MAX);
	return e;
}

void ledger_write(struct ledger *l, const struct tally *t, uint64_t install,
		  const struct sa_desc *d)
{
	struct sa_cmd cmd = { .op = SA_INSTALL, .install = install, .sa = *d };
	uint8_t key[KEY_LEN];

	if (is_here(l, t) && put(l, key_of_tally(l, key, t), &cmd) != OK)
		vault_forget(&l->vault, key_of_tally(l, key, t));
	/* Not sa_desc_wipe: the selectors are the caller's. */
	secret_wipe(&cmd, sizeof(cmd));
}

/* One that has become too long for what room there is goes on unkept. */
void ledger_amend(struct ledger *l, const struct sa *sa)
{
	uint8_t b[KEY_LEN];
	struct sa_cmd cmd;
	struct span key, was;

	if (!is_here(l, sa->tally))
		return;
	key = key_of_tally(l, b, sa->tally);
	if (!vault_get(&l->vault, key, &was) || get(was, &cmd) != OK)
		return;
	cmd.sa.path = sa->path;
	cmd.sa.encap = sa->encap;
	cmd.sa.passed = atomic_load(&sa->passed);
	if (put(l, key, &cmd) != OK)
		vault_forget(&l->vault, key);
	sa_desc_wipe(&cmd.sa);
}

void ledger_commit(struct ledger *l)
{
	if (is_open(l) && vault_commit(&l->vault))
		spare_all(l);
}

/* ---- what was left ---- */

struct left {
	uint64_t install;
	uint8_t key[KEY_LEN];
	bool is_sa;
};

struct leaving {
	struct left *v;
	size_t n;
};

static void note_one(void *ctx, struct span key, struct span bytes)
{
	struct leaving *all = ctx;
	struct left *at = &all->v[all->n];
	struct rd r = rd_from(key), b = rd_from(bytes);

	at->install = rd_u64(&b);
	at->is_sa = rd_u8(&r) == KEY_SA;
	if (key.len != KEY_LEN)
		return; /* not ours, and not to be reached */
	memcpy(at->key, key.p, KEY_LEN);
	all->n++;
}

static int by_install(const void *a, const void *b)
{
	const struct left *x = a, *y = b;

	return x->install < y->install ? -1 : x->install > y->install;
}

/* The place of these numbers, if its last owner was this SA. */
static struct tally *place_of(struct ledger *l, const struct left *at, uint32_t spi)
{
	struct rd r = rd_from(span_of(at->key, KEY_LEN));
	size_t index = (rd_u8(&r), rd_u32(&r));

	return index < l->n && !l->used[index] && l->tallies[index].spi == spi ? &l->tallies[index]
									       : NULL;
}

static enum err give_one(struct ledger *l, const struct left *at, ledger_fn *fn, void *ctx)
{
	enum err e = ERR_SYNTAX;
	struct tally *t = NULL;
	struct sa_cmd cmd;
	struct span bytes;

	if (!vault_get(&l->vault, span_of(at->key, KEY_LEN), &bytes) || get(bytes, &cmd) != OK)
		return ERR_SYNTAX;
	if (cmd.op == SA_INSTALL && cmd.sa.plane == PLANE_USER)
		t = place_of(l, at, cmd.sa.spi);
	if (t)
		e = fn(ctx, &cmd.sa, t);
	if (e == OK)
		l->used[t - l->tallies] = 1;
	sa_desc_wipe(&cmd.sa);
	return e;
}

size_t ledger_each(struct ledger *l, ledger_fn *fn, void *ctx, size_t *refused)
{
	size_t n = is_open(l) ? vault_count(&l->vault) : 0, taken = 0;
	struct leaving all = { .v = calloc(n + 1, sizeof(*all.v)) };

	*refused = 0;
	if (!all.v)
		*refused = n;
	if (n > 0 && all.v)
		vault_each(&l->vault, note_one, &all);
	if (all.n > 0)
		qsort(all.v, all.n, sizeof(*all.v), by_install);
	for (size_t i = 0; i < all.n; i++) {
		if (!all.v[i].is_sa)
			continue;
		if (give_one(l, &all.v[i], fn, ctx) == OK) {
			taken++;
			continue;
		}
		vault_forget(&l->vault, span_of(all.v[i].key, KEY_LEN));
		(*refused)++;
	}
	free(all.v);
	ledger_commit(l);
	return taken;
}
