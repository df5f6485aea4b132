/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel counts, looked at once a second: packets out, and none in. */
#include <check.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/xfrm/kernel_world.h"

#define S 1000000000ull

struct told {
	size_t n;
	struct plane_event last;
};

static void tell(void *ctx, const struct plane_event *ev)
{
	struct told *t = ctx;

	t->n++;
	t->last = *ev;
}

static void carry(struct world *w, uint32_t spi, uint64_t packets)
{
	struct model_state *s = NULL;

	for (size_t i = 0; i < w->m->n_states; i++) {
		if (w->m->states[i].u.id.spi == htonl(spi))
			s = &w->m->states[i];
	}
	ck_assert_ptr_nonnull(s);
	s->u.curlft.packets = packets;
	memcpy(s->body, &s->u, sizeof(s->u));
}

static struct world *up(void)
{
	struct world *w = world_new();
	struct sa_cmd cmd = world_cmd(w, SA_INSTALL, SA_OUT, 0x1002);

	world_half_up(w);
	cmd.sa.twin_spi = 0x1001;
	world_run(w, &cmd);
	ck_assert_msg(w->err == OK, "%s", w->why);
	return w;
}

START_TEST(packets_out_without_any_in_are_told)
{
	static const struct {
		uint64_t out, in;
		size_t want; /* told so often */
	} seconds[] = {
		{ 0, 0, 0 }, { 1, 0, 0 }, /* may have left just now */
		{ 2, 0, 1 }, { 3, 0, 2 }, /* and again */
		{ 3, 0, 2 },		  /* nothing went out */
		{ 4, 1, 2 },		  /* something came */
		{ 5, 1, 2 }, { 9, 1, 3 },
		{ 9, 5, 3 }, { 10, 5, 3 }, /* what came answered what was sent before, perhaps */
	};
	struct world *w = up();
	struct told told = { .n = 0 };

	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		carry(w, 0x1002, seconds[i].out);
		carry(w, 0x1001, seconds[i].in);
		kernel_look(w->k, (100 + i) * S, tell, &told);
		ck_assert_msg(told.n == seconds[i].want, "%zu: %zu", i, told.n);
	}
	ck_assert_int_eq(told.last.kind, PLANE_SILENT);
	ck_assert_uint_eq(told.last.spi, 0x1002);
	ck_assert_int_eq(told.last.dir, SA_OUT);
	ck_assert_uint_eq(told.last.heard_ns, 105 * S);
	world_free(w);
}
END_TEST

/* One that has gone from the kernel, or has no other half, is no news. */
START_TEST(what_cannot_be_read_is_not_told)
{
	struct world *w = up();
	struct told told = { .n = 0 };

	world_simply(w, SA_REMOVE, SA_IN, 0x1001);
	for (uint64_t i = 1; i < 5; i++) {
		carry(w, 0x1002, i);
		kernel_look(w->k, (100 + i) * S, tell, &told);
	}
	ck_assert_uint_eq(told.n, 0);
	world_free(w);
}
END_TEST

UNIT("xfrm/kernel-look")
{
	tcase_add_test(tc, packets_out_without_any_in_are_told);
	tcase_add_test(tc, what_cannot_be_read_is_not_told);
}
