/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel counts, looked at once a second, and more often where another peer may take over:
 * packets out, and none in. */
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

/* Packets to both, each 50 ms; one is not heard after the first second, and of the other one
 * nothing is told. */
START_TEST(where_another_may_take_over_it_is_told_soon)
{
	const uint64_t begin = 100 * S, cut = begin + S, step = S / 20;
	uint64_t next = begin, first = 0;
	struct world *w = world_new();
	struct told told = { .n = 0 };

	world_ranked(w);
	ck_assert_uint_le(kernel_look_pause(w->k), 3 * S / 10);
	for (uint64_t now = begin; now < cut + 2 * S; now += step) {
		carry(w, 0x1002, (now - begin) / step);
		carry(w, 0x1001, ((now < cut ? now : cut) - begin) / step);
		carry(w, 0x2002, (now - begin) / step);
		carry(w, 0x2001, (now - begin) / step);
		if (now < next)
			continue;
		kernel_look(w->k, now, tell, &told);
		next = now + kernel_look_pause(w->k);
		first = first == 0 && told.n > 0 ? now : first;
		ck_assert(told.n == 0 || told.last.spi == 0x1002);
	}
	ck_assert_uint_ge(first, cut + 3 * S / 10);
	ck_assert_uint_le(first, cut + 6 * S / 10);
	ck_assert_uint_ge(told.n, 3);
	ck_assert_uint_le(told.n, 6);
	world_free(w);
}
END_TEST

/* Nobody else is asked more often for that. */
START_TEST(without_a_priority_once_a_second_will_do)
{
	struct world *w = up();
	struct told told = { .n = 0 };
	int asked;

	ck_assert_uint_eq(kernel_look_pause(w->k), S);
	kernel_look(w->k, 100 * S, tell, &told);
	asked = w->m->asked;
	kernel_look(w->k, 100 * S + S / 2, tell, &told);
	ck_assert_int_eq(w->m->asked, asked);
	kernel_look(w->k, 101 * S, tell, &told);
	ck_assert_int_gt(w->m->asked, asked);
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
	tcase_add_test(tc, where_another_may_take_over_it_is_told_soon);
	tcase_add_test(tc, without_a_priority_once_a_second_will_do);
	tcase_add_test(tc, what_cannot_be_read_is_not_told);
}
