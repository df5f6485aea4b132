/* SPDX-License-Identifier: Apache-2.0 */
/* What the engines of a soak write down, in vaults as the daemon's, for those that follow. */
#include <stdlib.h>

#include "ike/snapshot.h"
#include "tests/sim/soak.h"

enum { VAULT_SIZE = 256 * 1024, GATEWAY_VAULT_SIZE = 4 * SNAPSHOT_MAX };
enum { LEAK = 64 };

static void enter(struct soak_node *n)
{
	n->vault_bytes -= memory_live();
}

static void leave(struct soak_node *n)
{
	n->vault_bytes += memory_live();
}

static bool is_open(struct soak_node *n)
{
	const size_t size = n->i == SOAK_GATEWAY ? GATEWAY_VAULT_SIZE : VAULT_SIZE;

	if (n->vault.mem)
		return true;
	if (!n->vault_memory)
		n->vault_memory = calloc(1, size);
	enter(n);
	soak_must(n->w,
		  n->vault_memory && vault_open(&n->vault, n->vault_memory, size) == OK &&
			  n->vault.mem,
		  "the vault does not open");
	leave(n);
	return !n->w->failed;
}

void soak_keep(struct soak_node *n, const struct ike_action *a)
{
	struct span was;

	if (!is_open(n))
		return;
	soak_must(n->w, !a->keep.gone || vault_get(&n->vault, a->keep.key, &was),
		  "what was never kept is to be forgotten");
	if (a->keep.gone && n->w->broken == SOAK_KEEPS_RECORDS)
		return;
	enter(n);
	if (a->keep.gone)
		vault_forget(&n->vault, a->keep.key);
	else
		soak_must(n->w, vault_put(&n->vault, a->keep.key, a->keep.bytes) == OK,
			  "the vault is full");
	leave(n);
}

void soak_commit(struct soak_node *n)
{
	if (!is_open(n))
		return;
	enter(n);
	(void)vault_commit(&n->vault);
	leave(n);
}

void soak_survive(struct soak_node *n)
{
	enter(n);
	vault_close(&n->vault);
	leave(n);
	soak_must(n->w, n->vault_bytes == 0, "a vault has left %zu bytes", n->vault_bytes);
}

void soak_forget(struct soak_node *n)
{
	soak_survive(n);
	free(n->vault_memory);
	n->vault_memory = NULL;
}

static void give(void *ctx, struct span key, struct span bytes)
{
	struct soak_node *n = ctx;
	enum err err = ike_engine_restore(n->e, key, bytes);

	soak_must(n->w, err == OK, "a record of %zu bytes is not taken: %s", bytes.len,
		  err_slug(err));
}

/* For SOAK_LEAKS_AT_RETURN; who looks for leaks at the end finds it held. */
static void leak(void)
{
	static void *last;
	void **p = calloc(1, LEAK);

	if (p)
		*p = last;
	last = p;
}

/* In no order that anybody could rely on. */
void soak_give(struct soak_node *n)
{
	if (!is_open(n))
		return;
	soak_enter(n);
	vault_each(&n->vault, give, n);
	if (n->w->broken == SOAK_LEAKS_AT_RETURN)
		leak();
	n->bytes += memory_live();
}

void soak_records_must_be_right(struct soak_node *n)
{
	const size_t is = n->keeps ? ike_engine_kept(n->e) : 0;

	soak_must(n->w, vault_count(&n->vault) == is, "%zu records are kept, not %zu",
		  vault_count(&n->vault), is);
}
