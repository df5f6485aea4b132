/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation after the other fails while two processes talk past a full socket: what cannot
 * wait is refused to its sender, the others come in their order, and no descriptor is left.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/link.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/unit.h"

enum { WORD = 1, WITH_FD, WORDS = 150, LEN = 60000, ALLOCATIONS_MAX = 200 };

static const struct chan_rule rules[] = {
	{ .type = WORD, .min = 1, .max = LEN },
	{ .type = WITH_FD, .min = 1, .max = LEN, .fd = true },
};
static const struct chan_table table = { .name = "test", .rules = rules, .n = 2 };

struct end {
	struct link link;
	uint8_t last; /* number of the last word that came */
	size_t n;
	bool gone;
};

struct talk {
	struct loop *loop;
	struct end a, b;
	size_t n_refused;
};

static int fds_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static enum err on_msg(void *ctx, const struct chan_msg *m)
{
	struct end *e = ctx;

	failing_hold(true);
	ck_assert_uint_gt(m->body.p[0], e->last);
	ck_assert_uint_eq(m->body.len, LEN);
	ck_assert_int_eq(m->fd >= 0, m->type == WITH_FD);
	failing_hold(false);
	e->last = m->body.p[0];
	e->n++;
	if (m->fd >= 0)
		close(m->fd);
	if (e->last == WORDS)
		loop_stop(e->link.loop, 7);
	return OK;
}

static void on_gone(void *ctx, enum err why)
{
	(void)why;
	((struct end *)ctx)->gone = true;
}

static enum err end_open(struct end *e, struct loop *l, int fd)
{
	e->link = (struct link){ .loop = l, .on_msg = on_msg, .on_gone = on_gone, .ctx = e };
	return link_open(&e->link, fd, &table, &table);
}

/* The last word goes behind all that: it is said until it is taken. */
static enum err say(struct talk *t, uint8_t word)
{
	static uint8_t body[LEN];
	const bool fd = word % 2 == 0;
	enum err e;

	body[0] = word;
	do {
		e = link_send(&t->a.link, fd ? WITH_FD : WORD, span_of(body, LEN),
			      fd ? STDERR_FILENO : -1);
		t->n_refused += e != OK;
	} while (e != OK && word == WORDS);
	return e;
}

static enum err talk(struct talk *t, const int fd[2])
{
	enum err e = end_open(&t->a, t->loop, fd[0]), other;

	other = end_open(&t->b, t->loop, fd[1]);
	if (e != OK || other != OK)
		return e != OK ? e : other;
	for (uint8_t i = 1; i <= WORDS; i++) {
		other = say(t, i);
		if (other != OK && other != ERR_NOMEM)
			return other;
	}
	return loop_run(t->loop) == 7 ? OK : ERR_SYSTEM;
}

static bool run(size_t nth)
{
	struct talk t = { .n_refused = 0 };
	bool failed;
	enum err e;
	int fd[2];

	ck_assert_int_eq(chan_pair(fd), OK);
	failing_arm(nth);
	e = loop_new(&t.loop);
	if (e == OK) {
		e = talk(&t, fd);
	} else {
		close(fd[0]);
		close(fd[1]);
	}
	failed = failing_disarm() && nth > 0;
	ck_assert_msg(e == OK || (failed && e == ERR_NOMEM), "allocation %zu: %s", nth,
		      err_slug(e));
	if (e == OK) {
		ck_assert(!t.a.gone && !t.b.gone);
		ck_assert_uint_eq(t.n_refused, failed);
		ck_assert_uint_ge(t.b.n + t.n_refused, WORDS);
	}
	link_close(&t.a.link);
	link_close(&t.b.link);
	loop_free(t.loop);
	return failed;
}

START_TEST(what_cannot_wait_is_refused_to_its_sender)
{
	const long before = failing_live();
	const int fds = fds_open();
	size_t n = 0;

	ck_assert(!run(0));
	while (run(++n)) {
		ck_assert_uint_lt(n, ALLOCATIONS_MAX);
		ck_assert_int_eq(failing_live(), before);
		ck_assert_int_eq(fds_open(), fds);
	}
	ck_assert_uint_gt(n, WORDS / 3);
}
END_TEST

UNIT("daemon/link-memory")
{
	tcase_add_test(tc, what_cannot_wait_is_refused_to_its_sender);
}
