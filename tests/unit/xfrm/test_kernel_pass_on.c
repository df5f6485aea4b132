/* SPDX-License-Identifier: Apache-2.0 */
/* One program's book in the hands of the next, while states and policies stand. */
#include <stdlib.h>
#include <string.h>

#include "base/vault.h"
#include "tests/unit/unit.h"
#include "tests/unit/xfrm/kernel_world.h"

enum { MEMORY = 1 << 20, SPI_IN = 0x1001, SPI_OUT = 0x1002, LATER_IN = 0x1011, LATER_OUT = 0x1012 };

struct memory {
	void *p;
	struct vault v;
};

static struct memory memory_new(void)
{
	struct memory m = { .p = aligned_alloc(64, MEMORY) };

	ck_assert_ptr_nonnull(m.p);
	memset(m.p, 0, MEMORY);
	ck_assert_int_eq(vault_open(&m.v, m.p, MEMORY), OK);
	return m;
}

/* As the next program opens it. */
static void memory_again(struct memory *m)
{
	vault_close(&m->v);
	ck_assert_int_eq(vault_open(&m->v, m->p, MEMORY), OK);
}

static void memory_free(struct memory *m)
{
	vault_close(&m->v);
	free(m->p);
}

/* What stands, but for what requests change of themselves: nothing may be put in again. */
struct stood {
	struct model_state states[MODEL_ENTRIES];
	size_t n_states;
	struct model_policy policies[MODEL_ENTRIES];
	size_t n_policies;
};

static struct stood *stood_now(const struct world *w)
{
	struct stood *s = calloc(1, sizeof(*s));

	ck_assert_ptr_nonnull(s);
	memcpy(s->states, w->m->states, sizeof(s->states));
	memcpy(s->policies, w->m->policies, sizeof(s->policies));
	s->n_states = w->m->n_states;
	s->n_policies = w->m->n_policies;
	return s;
}

static bool stands_still(const struct world *w, const struct stood *s)
{
	return s->n_states == w->m->n_states && s->n_policies == w->m->n_policies &&
	       memcmp(s->states, w->m->states, s->n_states * sizeof(*s->states)) == 0 &&
	       memcmp(s->policies, w->m->policies, s->n_policies * sizeof(*s->policies)) == 0;
}

/* The world has another kernel struct afterwards; the first is closed. */
static enum err follow(struct world *w, struct memory *m)
{
	kernel_close(w->k);
	ck_assert_int_eq(kernel_over(&w->nl, &w->k), OK);
	memory_again(m);
	return kernel_go_on(w->k, &m->v, w->why);
}

static void give(struct world *w, enum sa_op op, enum sa_dir dir, uint32_t spi, uint64_t install)
{
	struct sa_cmd cmd = world_cmd(w, op, dir, spi);

	cmd.install = install;
	world_run(w, &cmd);
}

typedef void make_fn(struct world *w);

static void moved(struct world *w)
{
	struct sa_cmd cmd;

	world_up(w);
	cmd = world_cmd(w, SA_MOVE, SA_OUT, SPI_OUT);
	ck_assert(addr_parse("192.0.2.77", &cmd.sa.path.remote.addr));
	world_run(w, &cmd);
	ck_assert_int_eq(w->err, OK);
}

static make_fn *const worlds[] = { world_trapped,  world_half_up, world_up,
				   world_up_twice, world_ranked,  moved };
enum { N_WORLDS = sizeof(worlds) / sizeof(worlds[0]) };

START_TEST(nothing_is_touched_and_all_is_known)
{
	struct world *w = world_new();
	struct memory m = memory_new();
	struct stood *before;
	size_t halves;

	worlds[_i](w);
	halves = w->k->halves.n;
	before = stood_now(w);
	ck_assert_int_eq(kernel_pass_on(w->k, &m.v), OK);
	ck_assert_msg(follow(w, &m) == OK, "%s", w->why);
	ck_assert(stands_still(w, before));
	ck_assert_uint_eq(w->k->halves.n, halves);
	world_traps(w, CHILDREN);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert(stands_still(w, before));
	ck_assert_ptr_null(world_wrong(w));
	memory_free(&m);
	free(before);
	world_free(w);
}
END_TEST

/* The child is narrower than its trap, and has the level of that. */
START_TEST(no_policy_changes_its_level_meanwhile)
{
	static const char *const wide[] = { "10.1.0.0/16>10.2.0.0/16" };
	struct children c = kit_children(wide, 1);
	struct world *w = world_new();
	struct memory m = memory_new();
	struct stood *before;

	world_up(w);
	c.v[0].reqid = REQID;
	c.v[0].plane = PLANE_KERNEL;
	ck_assert_int_eq(kernel_traps_set(w->k, c.v, 1, false, w->why), OK);
	before = stood_now(w);
	ck_assert_int_eq(kernel_pass_on(w->k, &m.v), OK);
	ck_assert_msg(follow(w, &m) == OK, "%s", w->why);
	ck_assert(stands_still(w, before));
	memory_free(&m);
	free(before);
	children_free(&c);
	world_free(w);
}
END_TEST

START_TEST(an_engine_claims_what_it_knows_and_the_others_go)
{
	struct world *w = world_new();
	struct memory m = memory_new();

	world_trapped(w);
	give(w, SA_INSTALL, SA_IN, SPI_IN, 10);
	give(w, SA_INSTALL, SA_OUT, SPI_OUT, 11);
	give(w, SA_INSTALL, SA_IN, LATER_IN, 12);
	give(w, SA_INSTALL, SA_OUT, LATER_OUT, 13);
	ck_assert_int_eq(kernel_pass_on(w->k, &m.v), OK);
	ck_assert_int_eq(follow(w, &m), OK);
	world_traps(w, CHILDREN);
	give(w, SA_CLAIM, SA_IN, LATER_IN, 0);
	ck_assert_msg(w->err == OK, "%s", w->why);
	/* Commands that were not answered come again; none is carried out twice. */
	give(w, SA_INSTALL, SA_OUT, LATER_OUT, 13);
	ck_assert_msg(w->err == OK, "%s", w->why);
	give(w, SA_SWEEP, SA_IN, 0, 0);
	ck_assert_int_eq(w->err, OK);
	ck_assert_uint_eq(w->k->halves.n, 2);
	give(w, SA_QUERY, SA_IN, SPI_IN, 0);
	ck_assert_int_eq(w->err, ERR_NOT_FOUND);
	ck_assert_ptr_null(world_wrong(w));
	memory_free(&m);
	world_free(w);
}
END_TEST

static void lose_state(struct world *w, uint32_t spi)
{
	for (size_t i = 0; i < w->m->n_states; i++) {
		if (w->m->states[i].u.id.spi != htonl(spi))
			continue;
		w->m->states[i] = w->m->states[--w->m->n_states];
		return;
	}
	ck_abort_msg("no such state");
}

/* Between two programs nobody hears what the kernel tells. */
START_TEST(what_has_gone_meanwhile_is_not_there)
{
	struct world *w = world_new();
	struct memory m = memory_new();

	world_up(w);
	ck_assert_int_eq(kernel_pass_on(w->k, &m.v), OK);
	lose_state(w, SPI_OUT);
	ck_assert_int_eq(follow(w, &m), OK);
	ck_assert(kernel_doubts(w->k));
	give(w, SA_CLAIM, SA_IN, SPI_IN, 0);
	ck_assert_int_eq(w->err, OK);
	give(w, SA_CLAIM, SA_OUT, SPI_OUT, 0);
	ck_assert_int_ne(w->err, OK);
	memory_free(&m);
	world_free(w);
}
END_TEST

/* A policy that others have taken comes back; what is not in the book goes. */
START_TEST(the_kernel_becomes_what_the_book_says)
{
	struct world *w = world_new();
	struct memory m = memory_new();
	struct stood *before;

	world_up(w);
	before = stood_now(w);
	ck_assert_int_eq(kernel_pass_on(w->k, &m.v), OK);
	give(w, SA_INSTALL, SA_IN, LATER_IN, 0);
	ck_assert_int_eq(w->err, OK);
	w->m->n_policies--; /* of the first child, out */
	ck_assert_msg(follow(w, &m) == OK, "%s", w->why);
	world_traps(w, CHILDREN);
	ck_assert_msg(w->err == OK, "%s", w->why);
	ck_assert_uint_eq(w->m->n_states, before->n_states);
	ck_assert_uint_eq(w->m->n_policies, before->n_policies);
	ck_assert_ptr_null(world_wrong(w));
	memory_free(&m);
	free(before);
	world_free(w);
}
END_TEST

START_TEST(what_is_no_book_is_refused)
{
	static const uint8_t key[4] = { 0 };
	struct world *w = world_new();
	struct memory m = memory_new();

	world_up(w);
	ck_assert_int_eq(follow(w, &m), ERR_SYNTAX); /* empty */
	ck_assert_int_eq(vault_put(&m.v, span_of(key, sizeof(key)), span_str("none")), OK);
	vault_commit(&m.v);
	ck_assert_int_eq(follow(w, &m), ERR_SYNTAX);
	ck_assert_int_eq(kernel_clear(w->k, w->why), OK);
	ck_assert_uint_eq(w->m->n_states, FOREIGN_STATES);
	memory_free(&m);
	world_free(w);
}
END_TEST

/* The next program may have lost what the first one had put in: sequence numbers of that key do not
 * begin anew. What comes later is put in. */
START_TEST(what_was_put_in_before_a_lost_book_is_not_again)
{
	struct world *w = world_new();
	struct memory m = memory_new();

	give(w, SA_INSTALL, SA_IN, SPI_IN, 1000);
	ck_assert_int_eq(w->err, OK);
	kernel_close(w->k);
	ck_assert_int_eq(kernel_over(&w->nl, &w->k), OK);
	kernel_began(w->k, 1001);
	ck_assert_int_eq(kernel_go_on(w->k, &m.v, w->why), ERR_SYNTAX);
	ck_assert_int_eq(kernel_clear(w->k, w->why), OK);
	give(w, SA_INSTALL, SA_IN, SPI_IN, 1000);
	ck_assert_int_eq(w->err, ERR_NOT_FOUND);
	ck_assert_uint_eq(w->m->n_states, FOREIGN_STATES);
	give(w, SA_INSTALL, SA_IN, SPI_IN, 1002);
	ck_assert_int_eq(w->err, OK);
	ck_assert_uint_eq(w->m->n_states, FOREIGN_STATES + 1);
	memory_free(&m);
	world_free(w);
}
END_TEST

struct cut {
	struct memory *to;
	size_t len;
};

static void put_cut(void *ctx, struct span key, struct span bytes)
{
	struct cut *c = ctx;
	const bool whole = span_eq(key, span_of("\0\0\0\0", 4));

	ck_assert_int_eq(vault_put(&c->to->v, key, whole ? bytes : span_head(bytes, c->len)), OK);
}

/* A half whose record ends anywhere is nobody's: it goes, and nothing else does. */
START_TEST(half_a_record_is_none)
{
	struct world *w = world_new();
	struct memory m = memory_new(), spoilt = memory_new();
	struct cut c = { .to = &spoilt, .len = (size_t)_i };

	world_up(w);
	ck_assert_int_eq(kernel_pass_on(w->k, &m.v), OK);
	vault_each(&m.v, put_cut, &c);
	vault_commit(&spoilt.v);
	ck_assert_msg(follow(w, &spoilt) == OK, "%s", w->why);
	ck_assert_uint_eq(w->k->halves.n, 0);
	ck_assert_uint_eq(w->m->n_states, FOREIGN_STATES);
	memory_free(&m);
	memory_free(&spoilt);
	world_free(w);
}
END_TEST

UNIT("xfrm/kernel-pass-on")
{
	tcase_add_loop_test(tc, nothing_is_touched_and_all_is_known, 0, N_WORLDS);
	tcase_add_test(tc, no_policy_changes_its_level_meanwhile);
	tcase_add_test(tc, an_engine_claims_what_it_knows_and_the_others_go);
	tcase_add_test(tc, what_has_gone_meanwhile_is_not_there);
	tcase_add_test(tc, the_kernel_becomes_what_the_book_says);
	tcase_add_test(tc, what_is_no_book_is_refused);
	tcase_add_test(tc, what_was_put_in_before_a_lost_book_is_not_again);
	tcase_add_loop_test(tc, half_a_record_is_none, 0, 200);
}
