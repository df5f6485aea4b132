/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine writes ahead, in a vault as the daemon's. After every input the records are what
 * the engine is, byte for byte, so nothing that an input changes goes unwritten. */
#include <stdlib.h>
#include <string.h>

#include "ike/core.h"
#include "ike/keep.h"
#include "ike/snapshot.h"
#include "tests/sim/world.h"

enum { VAULT_SIZE = 4 * SNAPSHOT_MAX };

static struct vault *vault(struct end *end)
{
	if (end->vault.mem)
		return &end->vault;
	if (!end->vault_memory)
		end->vault_memory = calloc(1, VAULT_SIZE);
	sim_must(end->sim,
		 end->vault_memory && vault_open(&end->vault, end->vault_memory, VAULT_SIZE) == OK,
		 "the vault does not open");
	return &end->vault;
}

void records_put(struct end *end, const struct ike_action *a)
{
	struct span was;

	sim_must(end->sim, !a->keep.gone || vault_get(vault(end), a->keep.key, &was),
		 "what was never kept is to be forgotten");
	if (a->keep.gone)
		vault_forget(vault(end), a->keep.key);
	else
		sim_must(end->sim, vault_put(vault(end), a->keep.key, a->keep.bytes) == OK,
			 "the vault is full");
}

void records_commit(struct end *end)
{
	vault_commit(vault(end));
	end->reloaded = false;
}

void records_survive(struct end *end)
{
	vault_close(&end->vault);
}

void records_free(struct end *end)
{
	vault_close(&end->vault);
	free(end->vault_memory);
	end->vault_memory = NULL;
}

/* In no order that anybody could rely on. */
static void give(void *ctx, struct span key, struct span bytes)
{
	struct end *end = ctx;
	enum err err = ike_engine_restore(end->e, key, bytes);

	/* A connection that is configured otherwise now, or a handshake of one. */
	if (err == ERR_NOT_FOUND && end->reloaded && end->n_refused < 8) {
		end->refused[end->n_refused] = (struct key){ .len = 0 };
		key_set(&end->refused[end->n_refused++], key);
		return;
	}
	sim_must(end->sim, err == OK, "a record of %zu bytes is not taken: %s", bytes.len,
		 err_slug(err));
}

void records_give(struct end *end)
{
	end->n_refused = 0;
	vault_each(vault(end), give, end);
	for (size_t i = 0; i < end->n_refused; i++)
		vault_forget(vault(end), key_span(&end->refused[i]));
	if (!end->reloaded)
		records_check(end);
	end->reloaded = false;
}

/* ---- are they what the engine is? ---- */

static uint8_t now_is[SNAPSHOT_MAX];

static void check(struct end *end, struct span key, const struct wr *w)
{
	struct span kept;
	size_t i = 0;

	sim_must(end->sim, vault_get(vault(end), key, &kept), "something is not written down");
	if (span_eq(kept, wr_done(w)))
		return;
	while (i < kept.len && i < wr_done(w).len && kept.p[i] == now_is[i])
		i++;
	sim_must(end->sim, false, "what is written down of %02x (%zu bytes) differs at %zu",
		 key.p[0], kept.len, i);
}

/* It was written when its request left, and what it was then is not here any more. */
static bool is_handshake(const struct ike_sa *sa)
{
	return sa->state == S_AUTH_SENT && sa->keep && sa->keep->written;
}

static size_t check_sas(struct end *end)
{
	size_t n = 0;

	for (struct table_node *t = table_next(&end->e->by_spi, NULL); t;
	     t = table_next(&end->e->by_spi, t)) {
		const struct ike_sa *sa = container_of(t, struct ike_sa, by_spi);
		struct wr w = wr_into(now_is, sizeof(now_is));
		uint8_t key[1 + IKE_SPI_LEN] = { KEEP_SA };

		struct span was;

		if (!snapshot_has(sa) && !is_handshake(sa))
			continue;
		memcpy(key + 1, sa->own_spi, IKE_SPI_LEN);
		n++;
		if (sa->state == S_AUTH_SENT) {
			sim_must(end->sim, vault_get(vault(end), span_of(key, sizeof(key)), &was),
				 "a handshake is not written down");
			continue;
		}
		snapshot_put(&w, sa);
		check(end, span_of(key, sizeof(key)), &w);
	}
	return n;
}

static size_t check_conns(struct end *end)
{
	for (size_t i = 0; i < end->e->n_conns; i++) {
		const struct conn *c = end->e->conns[i];
		struct wr w = wr_into(now_is, sizeof(now_is));
		uint8_t key[KEEP_KEY_MAX] = { KEEP_CONN };
		size_t len = strlen(c->conf->name);

		memcpy(key + 1, c->conf->name, len);
		snapshot_put_conn(&w, c);
		check(end, span_of(key, 1 + len), &w);
	}
	return end->e->n_conns;
}

void records_check(struct end *end)
{
	size_t is;

	if (sim_failed(end->sim) || end->dead)
		return;
	is = check_sas(end) + check_conns(end);
	sim_must(end->sim, vault_count(vault(end)) == is, "%zu are written down, not %zu",
		 vault_count(vault(end)), is);
	sim_must(end->sim, ike_engine_kept(end->e) == is,
		 "%zu are said to be written down, not %zu", ike_engine_kept(end->e), is);
}
