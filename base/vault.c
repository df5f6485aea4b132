/* SPDX-License-Identifier: Apache-2.0 */
/* The log and its two halves: see vault.h. The index is the writer's own, made anew from the log by
 * whoever comes next. */
#include "base/vault.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

/* The head of the memory. `word`: which half counts (the highest bit), and how much of it. */
struct head {
	uint64_t kind;
	uint64_t size;
	_Atomic uint64_t word;
	uint64_t spare;
};

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "the word is written at once");

#define VAULT_KIND (0x706f737465726e30u + VAULT_FORMAT) /* "postern1" */
#define HALF_BIT   ((uint64_t)1 << 63)

enum { GONE = 0xffffffffu, LOG_MIN = 64 * 1024, LOG_TIMES = 3 };

struct vault_entry {
	struct table_node node;
	struct span key;   /* both in the log */
	struct span bytes; /* gone: empty */
	bool gone;
	struct span stale; /* what counts until the commit; empty: nothing */
	bool is_touched;
	struct vault_entry *next; /* that is touched */
};

static struct span key_of(const struct table_node *n)
{
	return container_of(n, const struct vault_entry, node)->key;
}

static struct head *head_of(const struct vault *v)
{
	return (struct head *)(void *)v->mem;
}

static size_t half_size(const struct vault *v)
{
	return (v->size - sizeof(struct head)) / 2 & ~(size_t)7;
}

static uint8_t *half_at(const struct vault *v, unsigned int half)
{
	return v->mem + sizeof(struct head) + half * half_size(v);
}

static struct wr half_writer(const struct vault *v, unsigned int half)
{
	return wr_into(half_at(v, half), half_size(v));
}

static unsigned int committed_half(const struct vault *v)
{
	return (atomic_load_explicit(&head_of(v)->word, memory_order_acquire) & HALF_BIT) != 0;
}

/* ---- a record ---- */

/* What a record takes, up to where the next one begins. */
static size_t record_size(struct span key, struct span bytes)
{
	return (2 * sizeof(uint32_t) + key.len + bytes.len + 7) & ~(size_t)7;
}

/* Appends one, and says where its parts are; the writer breaks when it does not fit. */
static void append(struct wr *w, bool gone, struct span *key, struct span *bytes)
{
	size_t before = wr_len(w);
	size_t size = record_size(*key, *bytes);
	uint8_t *k, *b;

	wr_u32(w, (uint32_t)key->len);
	wr_u32(w, gone ? GONE : (uint32_t)bytes->len);
	k = w->p;
	wr_span(w, *key);
	b = w->p;
	wr_span(w, *bytes);
	if (wr_ok(w))
		wr_zero(w, before + size - wr_len(w));
	*key = span_of(k, key->len);
	*bytes = span_of(b, bytes->len);
}

static void read_record(struct rd *r, struct span *key, struct span *bytes, bool *gone)
{
	size_t key_len = rd_u32(r), len = rd_u32(r);

	*gone = len == GONE;
	if (key_len == 0 || key_len > VAULT_KEY_MAX)
		rd_fail(r);
	*key = rd_take(r, key_len);
	*bytes = rd_take(r, *gone ? 0 : len);
	if (rd_ok(r))
		rd_skip(r,
			record_size(*key, *bytes) - 2 * sizeof(uint32_t) - key->len - bytes->len);
}

/* ---- the index ---- */

static struct vault_entry *find(const struct vault *v, struct span key)
{
	struct table_node *n = table_find(&v->index, key);

	return n ? container_of(n, struct vault_entry, node) : NULL;
}

static void drop_entry(struct vault *v, struct vault_entry *e)
{
	table_del(&v->index, &e->node);
	free(e);
}

static struct vault_entry *make_entry(struct vault *v, struct span key)
{
	struct vault_entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->key = key;
	e->gone = true; /* until something is put there */
	if (table_add(&v->index, &e->node) == OK)
		return e;
	free(e);
	return NULL;
}

/* Of the record that says of a key that it is gone. */
static size_t gone_size(struct span key)
{
	return record_size(key, SPAN_EMPTY);
}

static size_t size_of(const struct vault_entry *e)
{
	return e->gone ? 0 : record_size(e->key, e->bytes);
}

/* The memory is never const, though spans are. */
static void wipe(struct span s)
{
	if (s.len > 0)
		secret_wipe((void *)(uintptr_t)s.p, s.len);
}

/* ---- opening ---- */

static enum err replay_one(struct vault *v, struct rd *r)
{
	struct span key, bytes;
	struct vault_entry *e;
	bool gone;

	read_record(r, &key, &bytes, &gone);
	if (!rd_ok(r))
		return ERR_SYNTAX;
	e = find(v, key);
	if (!e && gone)
		return OK;
	if (!e)
		e = make_entry(v, key);
	if (!e)
		return ERR_NOMEM;
	v->alive -= size_of(e);
	e->key = key;
	e->bytes = bytes;
	e->gone = gone;
	v->alive += size_of(e);
	if (gone)
		drop_entry(v, e);
	return OK;
}

static void add_reserves(struct vault *v)
{
	const struct table_node *n = NULL;

	while ((n = table_next(&v->index, n)))
		v->reserve += gone_size(key_of(n));
}

static enum err replay(struct vault *v)
{
	uint64_t word = atomic_load_explicit(&head_of(v)->word, memory_order_acquire);
	uint64_t used = word & ~HALF_BIT;
	struct rd r = rd_from(span_of(half_at(v, v->half), half_size(v)));
	enum err err = OK;

	if (used > half_size(v) || used % 8 != 0)
		return ERR_SYNTAX;
	r = rd_from(span_of(half_at(v, v->half), (size_t)used));
	while (rd_left(&r) > 0 && err == OK)
		err = replay_one(v, &r);
	v->w = half_writer(v, v->half);
	(void)wr_take(&v->w, (size_t)used);
	add_reserves(v);
	return err == OK && wr_left(&v->w) < v->reserve ? ERR_SYNTAX : err;
}

static void format(struct vault *v)
{
	v->half = 0;
	v->w = half_writer(v, 0);
	head_of(v)->kind = VAULT_KIND;
	head_of(v)->size = v->size;
}

static void forget_all(struct vault *v)
{
	struct table_node *n;

	while ((n = table_next(&v->index, NULL)))
		drop_entry(v, container_of(n, struct vault_entry, node));
	v->touched = NULL;
	v->alive = 0;
	v->reserve = 0;
}

enum err vault_open(struct vault *v, void *mem, size_t size)
{
	static const uint8_t seed[SIPHASH_KEY_LEN] = { 0 }; /* all keys are our own */
	enum err err;

	*v = (struct vault){ .mem = mem, .size = size };
	if (size < VAULT_SIZE_MIN)
		return ERR_SPACE;
	err = table_init(&v->index, seed, key_of);
	if (err != OK)
		return err;
	if (head_of(v)->kind == 0) {
		format(v);
		return OK;
	}
	v->half = committed_half(v);
	if (head_of(v)->kind == VAULT_KIND && head_of(v)->size == size)
		err = replay(v);
	else
		err = ERR_SYNTAX;
	if (err == ERR_SYNTAX) {
		forget_all(v);
		secret_wipe(v->mem, v->size);
		format(v);
	}
	return err;
}

void vault_close(struct vault *v)
{
	if (!v->mem)
		return;
	forget_all(v);
	table_free(&v->index);
	*v = (struct vault){ .mem = NULL };
}

/* ---- writing ---- */

/* What is alive, uncommitted things included, goes to the other half, which nobody reads before the
 * next commit. Twice without one there is no half to go to. False: then, or it does not fit. */
static bool copy_over(struct vault *v)
{
	struct wr w = half_writer(v, 1 - v->half);
	struct table_node *n;

	if (committed_half(v) != v->half || wr_left(&w) < v->alive + v->reserve)
		return false;
	for (n = table_next(&v->index, NULL); n; n = table_next(&v->index, n)) {
		struct vault_entry *e = container_of(n, struct vault_entry, node);

		e->stale = SPAN_EMPTY; /* the whole half is */
		if (!e->gone)
			append(&w, false, &e->key, &e->bytes);
	}
	v->other_used = wr_len(&v->w);
	v->half = 1 - v->half;
	v->w = w;
	return true;
}

static bool is_long(const struct vault *v)
{
	return wr_len(&v->w) > LOG_MIN && wr_len(&v->w) / LOG_TIMES > v->alive;
}

/* Does copying leave room for more than this one? Else each record of a full vault would copy all.
 */
static bool is_worth_it(const struct vault *v, size_t size)
{
	return half_size(v) / 8 + size + v->alive + v->reserve <= half_size(v);
}

/* For a record, and for saying of all that they are gone; copies what is alive over where that
 * helps. False: there is none. */
static bool make_room(struct vault *v, size_t size)
{
	if (is_long(v) && copy_over(v))
		return wr_left(&v->w) >= size + v->reserve;
	return wr_left(&v->w) >= size + v->reserve || (is_worth_it(v, size) && copy_over(v));
}

/* Another record is its newest. */
static void supersede(struct vault *v, struct vault_entry *e, bool gone, struct span bytes)
{
	struct span key = e->key;

	append(&v->w, gone, &key, &bytes);
	v->alive -= size_of(e);
	if (e->is_touched)
		wipe(e->bytes); /* never counted */
	else
		e->stale = e->bytes;
	e->key = key;
	e->bytes = bytes;
	e->gone = gone;
	v->alive += size_of(e);
	if (e->is_touched)
		return;
	e->is_touched = true;
	e->next = v->touched;
	v->touched = e;
}

enum err vault_put(struct vault *v, struct span key, struct span bytes)
{
	struct vault_entry *e = find(v, key);

	if (key.len == 0 || key.len > VAULT_KEY_MAX || bytes.len >= GONE)
		return ERR_SPACE;
	/* Both are the writer's own: nobody learns anything by the time that it takes. */
	if (e && !e->gone && span_eq(e->bytes, bytes))
		return OK;
	if (!make_room(v, record_size(key, bytes) + (e && !e->gone ? 0 : gone_size(key))))
		return ERR_SPACE;
	if (!e)
		e = make_entry(v, key);
	if (!e)
		return ERR_NOMEM;
	if (e->gone)
		v->reserve += gone_size(key);
	supersede(v, e, false, bytes);
	return OK;
}

void vault_forget(struct vault *v, struct span key)
{
	struct vault_entry *e = find(v, key);

	if (!e || e->gone)
		return;
	v->reserve -= gone_size(key);
	supersede(v, e, true, SPAN_EMPTY);
}

bool vault_commit(struct vault *v)
{
	uint64_t word = (v->half ? HALF_BIT : 0) | wr_len(&v->w);
	bool turned = committed_half(v) != v->half;

	atomic_store_explicit(&head_of(v)->word, word, memory_order_release);
	while (v->touched) {
		struct vault_entry *e = v->touched;

		v->touched = e->next;
		e->is_touched = false;
		wipe(e->stale);
		e->stale = SPAN_EMPTY;
		if (e->gone)
			drop_entry(v, e);
	}
	secret_wipe(half_at(v, 1 - v->half), v->other_used);
	v->other_used = 0;
	return turned;
}

void vault_spare(const struct vault *v, struct span spare[static 2])
{
	struct wr behind = v->w;
	size_t left = wr_left(&behind);

	spare[0] = span_of(wr_take(&behind, left), left);
	spare[1] = span_of(half_at(v, 1 - v->half), half_size(v));
}

/* ---- reading ---- */

bool vault_get(const struct vault *v, struct span key, struct span *bytes)
{
	const struct vault_entry *e = find(v, key);

	*bytes = e ? e->bytes : SPAN_EMPTY;
	return e && !e->gone;
}

void vault_each(const struct vault *v, vault_fn *fn, void *ctx)
{
	const struct table_node *n = NULL;

	while ((n = table_next(&v->index, n))) {
		const struct vault_entry *e = container_of(n, const struct vault_entry, node);

		if (!e->gone)
			fn(ctx, e->key, e->bytes);
	}
}

size_t vault_count(const struct vault *v)
{
	return v->index.n;
}
