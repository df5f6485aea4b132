/* SPDX-License-Identifier: Apache-2.0 */
/* The book in another program's hands (kernel_pass_on, kernel_go_on of xfrm/kernel.h): states and
 * policies stand in the kernel meanwhile and carry packets.
 *
 * What the kernel has is not trusted to be what was passed on, and what was passed on is not
 * trusted to be in the kernel: the book learns both, and settling (kernel_settle.c) does the rest.
 */
#include <stdlib.h>
#include <string.h>

#include "base/pack.h"
#include "base/vault.h"
#include "xfrm/kernel_inner.h"
#include "xfrm/words.h"

/* A half's command, with its two lists of 255 selectors, and what stands in front of it. */
enum { HALF_MAX = 65536 + 64, KEY_LEN = 4, KEY_OF_ALL = 0 };

static struct span key_of(uint8_t b[static KEY_LEN], uint32_t n)
{
	struct wr w = wr_into(b, KEY_LEN);

	wr_u32(&w, n);
	return wr_done(&w);
}

/* ---- out ---- */

static void half_put(struct wr *w, const struct kernel_half *half)
{
	const struct sa_cmd cmd = { .op = SA_INSTALL, .sa = half->d };

	pack_enum(w, (unsigned int)half->offload);
	wr_u64(w, half->packets);
	wr_u64(w, half->last_ns);
	wr_u64(w, half->drop_replay);
	wr_u64(w, half->drop_integrity);
	sa_cmd_encode(w, &cmd);
}

/* What finds no room is not there for whoever goes on. */
static enum err half_write(struct vault *v, uint32_t n, const struct kernel_half *half,
			   uint8_t *scratch)
{
	uint8_t key[KEY_LEN];
	struct wr w = wr_into(scratch, HALF_MAX);
	enum err err;

	half_put(&w, half);
	err = wr_ok(&w) ? vault_put(v, key_of(key, n), wr_done(&w)) : ERR_SPACE;
	return err == ERR_SPACE ? OK : err;
}

static enum err all_write(const struct kernel *k, struct vault *v)
{
	uint8_t key[KEY_LEN], b[12];
	struct wr w = wr_into(b, sizeof(b));

	wr_u64(&w, k->installed);
	wr_u32(&w, (uint32_t)k->halves.n);
	return vault_put(v, key_of(key, KEY_OF_ALL), wr_done(&w));
}

static const struct kernel_half *oldest_of(const struct kernel *k)
{
	const struct kernel_half *half = k->halves.newest;

	while (half != NULL && half->older != NULL)
		half = half->older;
	return half;
}

enum err kernel_pass_on(const struct kernel *k, struct vault *v)
{
	uint8_t *scratch = malloc(HALF_MAX);
	enum err err = scratch != NULL ? all_write(k, v) : ERR_NOMEM;
	uint32_t n = KEY_OF_ALL;

	/* The newest of the same selectors has the policies: the order is part of the book. */
	for (const struct kernel_half *half = oldest_of(k); half != NULL && err == OK;
	     half = half->newer)
		err = half_write(v, ++n, half, scratch);
	vault_commit(v);
	secret_free(scratch, HALF_MAX);
	return err;
}

/* ---- in ---- */

static enum err half_get(struct kernel *k, struct span s, struct kernel_half **half)
{
	struct rd r = rd_from(s);
	const enum sa_offload offload = (enum sa_offload)unpack_enum(&r, OFFLOAD_PACKET + 1);
	const uint64_t packets = rd_u64(&r), last_ns = rd_u64(&r);
	const uint64_t replay = rd_u64(&r), integrity = rd_u64(&r);
	struct sa_cmd cmd;
	enum err err = rd_ok(&r) ? sa_cmd_decode(rd_rest(&r), &cmd) : ERR_SYNTAX;

	*half = NULL;
	if (err != OK)
		return err;
	err = cmd.op == SA_INSTALL ? half_new(k, &cmd.sa, half) : ERR_SYNTAX;
	sa_desc_wipe(&cmd.sa);
	if (err != OK)
		return err;
	(*half)->offload = offload;
	(*half)->packets = packets;
	(*half)->last_ns = last_ns;
	(*half)->drop_replay = replay;
	(*half)->drop_integrity = integrity;
	return OK;
}

/* A half that cannot be read, or that there is another one of, goes, as nobody's. */
static enum err half_take(struct kernel *k, struct span s)
{
	struct kernel_half *half;
	enum err err = half_get(k, s, &half);

	if (err == OK && book_find(k, &half->d) == NULL) {
		err = book_put(k, half);
		if (err == OK)
			return OK;
	}
	half_free(half);
	return err == ERR_NOMEM ? err : OK;
}

static enum err all_read(struct kernel *k, const struct vault *v, uint32_t *n)
{
	uint8_t key[KEY_LEN];
	struct span s;
	struct rd r;

	if (!vault_get(v, key_of(key, KEY_OF_ALL), &s))
		return ERR_SYNTAX;
	r = rd_from(s);
	k->installed = rd_u64(&r);
	k->installed_before = k->installed;
	*n = rd_u32(&r);
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

static enum err halves_take(struct kernel *k, const struct vault *v, char *why)
{
	uint32_t n = 0;
	enum err err = all_read(k, v, &n);

	for (uint32_t i = 1; i <= n && i <= vault_count(v) && err == OK; i++) {
		uint8_t key[KEY_LEN];
		struct span half;

		if (vault_get(v, key_of(key, i), &half))
			err = half_take(k, half);
	}
	return err == OK ? OK
			 : why_say(why, err, "what was passed on of the IPsec states: %s",
				   err_text(err));
}

enum err kernel_go_on(struct kernel *k, const struct vault *v, char why[static HOST_WHY_MAX])
{
	const struct settle s = { .all = false };
	enum err err = kernel_learn_traps(k, why);

	if (err == OK)
		err = halves_take(k, v, why);
	if (err == OK)
		err = kernel_learn(k, why);
	if (err == OK)
		err = kernel_settle(k, &s, why);
	/* What is not known is not kept: the kernel becomes what the book has by now. */
	k->doubt = k->doubt || err != OK;
	return err;
}
