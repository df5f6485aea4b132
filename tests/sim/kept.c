/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing takes a good part of a short run, and thousands of runs begin with the same text. So a
 * configuration is lent to one world after the other, as long as each gives it back: engines may
 * only read it. One that was replaced by another in a reload is freed as ever, so that who still
 * looks into it is found out. While nobody has it, it is not in the sum of what is allocated.
 */
#include "tests/sim/world.h"

enum { KEPT_MAX = 32 };

struct kept_conf {
	struct conf *conf; /* NULL: a free place */
	uint64_t text;	   /* a hash of what it was loaded from */
	size_t bytes;
	bool taken;
};

static struct kept_conf kept[KEPT_MAX];

static uint64_t hash_of(const struct end *end, const char *text)
{
	static const uint8_t key[SIPHASH_KEY_LEN] = "configurations";

	return siphash(key, span_str(text)) ^ siphash(key, span_str(end->psk)) << 1;
}

static struct conf *lend(struct end *end, struct kept_conf *k)
{
	k->taken = true;
	end->kept = k;
	return k->conf;
}

struct conf *kept_take(struct end *end, const char *text)
{
	uint64_t hash = hash_of(end, text);

	for (size_t i = 0; i < KEPT_MAX; i++) {
		struct kept_conf *k = &kept[i];

		if (!k->conf || k->taken || k->text != hash)
			continue;
		memory_take_back(k->bytes);
		return lend(end, k);
	}
	return NULL;
}

/* A free place, or the one after the last, if nobody has it. */
static struct kept_conf *place(void)
{
	static size_t last;
	struct kept_conf *k;

	for (size_t i = 0; i < KEPT_MAX; i++) {
		if (!kept[i].conf)
			return &kept[i];
	}
	last = (last + 1) % KEPT_MAX;
	k = &kept[last];
	if (k->taken)
		return NULL;
	memory_take_back(k->bytes);
	conf_free(k->conf);
	return k;
}

void kept_add(struct end *end, const char *text, struct conf *conf, size_t bytes)
{
	struct kept_conf *k = place();

	if (!k)
		return;
	*k = (struct kept_conf){ .conf = conf, .text = hash_of(end, text), .bytes = bytes };
	(void)lend(end, k);
}

bool kept_give(struct end *end)
{
	struct kept_conf *k = end->kept;

	if (!k)
		return false;
	k->taken = false;
	end->kept = NULL;
	memory_lend(k->bytes);
	return true;
}

void kept_forget(struct end *end)
{
	if (end->kept)
		*end->kept = (struct kept_conf){ .conf = NULL };
	end->kept = NULL;
}
