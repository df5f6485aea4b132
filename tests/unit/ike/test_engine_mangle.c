/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged messages of all kinds: on the wire, where nobody holds the keys, and inside of SK, as a
 * peer with the keys (or a broken one) would make them. Whatever comes, nothing crashes or hangs,
 * and once the damage ends each side has one pair. The linker puts our protect_seal_fragments
 * before ike's. */
#include <stdlib.h>
#include <string.h>

#include "ike/protect.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

enum { MANGLE_RUNS = 150 };

static uint64_t state;
static bool mangling;

static uint32_t roll(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

/* One of: a bit, a byte, a length field, a cut, or nothing. */
static void mangle(uint8_t *p, size_t *len)
{
	static const uint8_t values[] = { 0, 1, 3, 4, 7, 8, 0x7f, 0x80, 0xff };
	size_t at = *len > 0 ? roll((uint32_t)*len) : 0;

	switch (*len > 0 ? roll(5) : 4) {
	case 0:
		p[at] ^= (uint8_t)(1u << roll(8));
		break;
	case 1:
		p[at] = values[roll(sizeof(values))];
		break;
	case 2:
		for (size_t i = at; i < *len && i < at + 2; i++)
			p[i] = values[roll(sizeof(values))];
		break;
	case 3:
		*len = at;
		break;
	default:
		break;
	}
}

enum err __real_protect_seal_fragments(struct sk_keys *k, const struct ike_header *h,
				       const struct inner *in, size_t max, struct wr *w);
enum err __wrap_protect_seal_fragments(struct sk_keys *k, const struct ike_header *h,
				       const struct inner *in, size_t max, struct wr *w);

enum err __wrap_protect_seal_fragments(struct sk_keys *k, const struct ike_header *h,
				       const struct inner *in, size_t max, struct wr *w)
{
	uint8_t *copy;
	struct inner bad = *in;
	enum err err;

	if (!mangling || roll(3) > 0)
		return __real_protect_seal_fragments(k, h, in, max, w);
	copy = malloc(in->chain.len + 1);
	ck_assert_ptr_nonnull(copy);
	if (in->chain.len > 0)
		memcpy(copy, in->chain.p, in->chain.len);
	mangle(copy, &bad.chain.len);
	bad.chain.p = copy;
	err = __real_protect_seal_fragments(k, h, &bad, max, w);
	free(copy);
	return err;
}

static bool damage(struct pair *p, struct datagram *d)
{
	(void)p;
	if (mangling && roll(4) == 0)
		mangle(d->bytes, &d->len);
	return true;
}

START_TEST(damage_neither_crashes_nor_stays)
{
	struct pair *p;

	state = (uint64_t)_i;
	mangling = true;
	p = pair_new(_i % 2 ? pair_cert(LEFT, "start = always") : pair_psk(LEFT, "start = always"),
		     _i % 2 ? pair_cert(RIGHT, "start = always")
			    : pair_psk(RIGHT, "start = always"));
	p->filter = damage;
	for (int i = 0; i < 40; i++) {
		p->end[LEFT].n_notes = 0;
		p->end[RIGHT].n_notes = 0;
		pair_run(p, 10 * NS_PER_S);
		if (i % 7 == 6)
			pair_down(p, LEFT, "site");
		if (i % 7 == 6)
			pair_up(p, LEFT, "site");
	}
	mangling = false;
	p->end[LEFT].n_notes = 0;
	p->end[RIGHT].n_notes = 0;
	pair_run(p, 300 * NS_PER_S);
	/* Who holds the keys may have said other selectors or SPIs; then the halves do not match.
	 */
	ck_assert_uint_eq(p->end[LEFT].n_sas, 2);
	ck_assert_uint_eq(p->end[RIGHT].n_sas, 2);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-mangle")
{
	tcase_add_loop_test(tc, damage_neither_crashes_nor_stays, 0, MANGLE_RUNS);
}
