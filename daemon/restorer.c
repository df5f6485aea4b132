/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/restorer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/vault_memory.h"

/* What the one before had not committed goes, too. */
static void give_back(struct restorer *r)
{
	struct span spare[2];

	vault_spare(&r->vault, spare);
	vault_memory_give_back(spare[0]);
	vault_memory_give_back(spare[1]);
}

static void commit(struct restorer *r)
{
	if (vault_commit(&r->vault))
		give_back(r);
}

enum err restorer_open(struct restorer *r, int fd)
{
	enum err err = r->mem == NULL ? OK : ERR_EXISTS;

	if (err == OK)
		err = vault_memory_map(fd, &r->mem, &r->size);
	close(fd);
	if (err != OK)
		return err;
	err = vault_open(&r->vault, r->mem, r->size);
	/* Spoilt by whoever had it: it is empty now. */
	if (err != OK && err != ERR_SYNTAX) {
		restorer_close(r);
		return err;
	}
	give_back(r);
	return OK;
}

void restorer_close(struct restorer *r)
{
	vault_close(&r->vault);
	vault_memory_unmap(r->mem, r->size);
	r->mem = NULL;
}

bool restorer_is_open(const struct restorer *r)
{
	return r->mem != NULL;
}

/* ---- what is forgotten: a key at a time, for the vault may not change while it is read ---- */

struct doomed {
	struct doomed *next;
	size_t len;
	uint8_t key[VAULT_KEY_MAX];
};

struct giving {
	struct ike_engine *engine;
	struct doomed *doomed;
	size_t n_given;
	size_t n_doomed;
};

static void doom(struct giving *g, struct span key)
{
	struct doomed *d = calloc(1, sizeof *d);

	g->n_doomed++;
	if (d == NULL)
		return; /* it stays, and is refused the next time, too */
	memcpy(d->key, key.p, key.len);
	d->len = key.len;
	d->next = g->doomed;
	g->doomed = d;
}

static void give_one(void *ctx, struct span key, struct span bytes)
{
	struct giving *g = ctx;

	if (ike_engine_restore(g->engine, key, bytes) == OK)
		g->n_given++;
	else
		doom(g, key);
}

static void forget_doomed(struct restorer *r, struct giving *g)
{
	while (g->doomed != NULL) {
		struct doomed *d = g->doomed;

		g->doomed = d->next;
		vault_forget(&r->vault, span_of(d->key, d->len));
		free(d);
	}
}

static void log_given(const struct giving *g)
{
	struct log_line l = log_event(LOG_LEVEL_NOTICE, "restored");

	log_num(&l, "records", (int64_t)g->n_given);
	log_num(&l, "forgotten", (int64_t)g->n_doomed);
	log_write(&l);
}

void restorer_give(struct restorer *r, struct ike_engine *e, mono_ns now)
{
	struct giving g = { .engine = e };

	if (r->mem != NULL) {
		vault_each(&r->vault, give_one, &g);
		forget_doomed(r, &g);
	}
	if (g.n_given + g.n_doomed > 0)
		log_given(&g);
	ike_engine_resume(e, now);
}

/* ---- what is kept ---- */

/* Once: there may be many, each time that one of them changes. */
static void tell_not_kept(struct restorer *r, const char *why)
{
	struct log_line l;

	if (r->told)
		return;
	r->told = true;
	l = log_event(LOG_LEVEL_ERROR, "not_kept");
	log_str(&l, "why", why);
	log_write(&l);
}

/* What finds no room is not there for the next engine: its peers are told that it has forgotten
 * them, as if it had never been written down. */
static void put(struct restorer *r, struct span key, struct span bytes)
{
	enum err err = vault_put(&r->vault, key, bytes);

	if (err == OK)
		return;
	vault_forget(&r->vault, key);
	tell_not_kept(r, err == ERR_SPACE ? "the vault is full" : err_text(err));
}

static void forget(struct restorer *r, const struct ike_action *a)
{
	vault_forget(&r->vault, a->keep.key);
	if (a->keep.too_long)
		tell_not_kept(r, "an IKE SA is too large");
}

int64_t restorer_not_kept(const struct restorer *r, const struct ike_engine *e)
{
	size_t all, there;

	if (r->mem == NULL)
		return -1;
	all = ike_engine_kept(e);
	there = vault_count(&r->vault);
	return all > there ? (int64_t)(all - there) : 0;
}

void restorer_keep(struct restorer *r, const struct ike_action *a)
{
	if (r->mem == NULL)
		return;
	if (a->kind == IKE_ACT_COMMIT)
		commit(r);
	else if (a->keep.gone)
		forget(r, a);
	else
		put(r, a->keep.key, a->keep.bytes);
}
