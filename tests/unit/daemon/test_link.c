/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "daemon/desk.h"
#include "daemon/link.h"
#include "daemon/notify.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { WORD = 1 };

static const struct chan_rule rules[] = { { .type = WORD, .min = 1, .max = 100000 } };
static const struct chan_table table = { .name = "test", .rules = rules, .n = 1 };

struct end {
	struct loop *loop;
	struct link link;
	int got;
	int wanted;
	enum err gone;
	enum err answer; /* of the message callback */
};

static enum err on_msg(void *ctx, const struct chan_msg *m)
{
	struct end *e = ctx;

	(void)m;
	if (++e->got == e->wanted)
		loop_stop(e->loop, 7);
	return e->answer;
}

static void on_gone(void *ctx, enum err why)
{
	struct end *e = ctx;

	e->gone = why;
	loop_stop(e->loop, 8);
}

static void end_open(struct end *e, struct loop *l, int fd)
{
	e->loop = l;
	e->link = (struct link){ .loop = l, .on_msg = on_msg, .on_gone = on_gone, .ctx = e };
	ck_assert_int_eq(link_open(&e->link, fd, &table, &table), OK);
}

START_TEST(messages_flow_past_a_full_socket)
{
	static uint8_t body[60000];
	struct end a = { 0 }, b = { .wanted = 100 };
	struct loop *l;
	int fd[2];

	ck_assert_int_eq(loop_new(&l), OK);
	ck_assert_int_eq(chan_pair(fd), OK);
	end_open(&a, l, fd[0]);
	end_open(&b, l, fd[1]);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(link_send(&a.link, WORD, span_of(body, sizeof body), -1), OK);
	ck_assert_int_eq(loop_run(l), 7);
	ck_assert_int_eq(b.got, 100);
	link_close(&a.link);
	link_close(&b.link);
	ck_assert_int_eq(link_send(&a.link, WORD, span_of(body, 1), -1), ERR_NOT_FOUND);
	loop_free(l);
}
END_TEST

START_TEST(the_end_of_the_other_side_is_told)
{
	struct end a = { 0 };
	struct loop *l;
	int fd[2];

	ck_assert_int_eq(loop_new(&l), OK);
	ck_assert_int_eq(chan_pair(fd), OK);
	end_open(&a, l, fd[0]);
	close(fd[1]);
	ck_assert_int_eq(loop_run(l), 8);
	ck_assert_int_eq(a.gone, ERR_NOT_FOUND);
	ck_assert(!link_is_open(&a.link));
	loop_free(l);
}
END_TEST

/* Rubbish outside (the table) and inside (the callback says so) ends the link and nothing else. */
START_TEST(rubbish_ends_the_link)
{
	struct end a = { .answer = _i == 0 ? OK : ERR_SYNTAX };
	struct loop *l;
	int fd[2];

	ck_assert_int_eq(loop_new(&l), OK);
	ck_assert_int_eq(chan_pair(fd), OK);
	end_open(&a, l, fd[0]);
	ck_assert_int_eq(send(fd[1], _i == 0 ? "\x09x" : "\x01x", 2, 0), 2);
	ck_assert_int_eq(loop_run(l), 8);
	ck_assert_int_eq(a.gone, ERR_SYNTAX);
	close(fd[1]);
	loop_free(l);
}
END_TEST

struct busy {
	struct loop *loop;
	struct link link;
	int got;
	int got_when_due;
};

/* Work that takes longer than a turn. */
static enum err on_work(void *ctx, const struct chan_msg *m)
{
	struct busy *b = ctx;
	mono_ns until = mono_now() + 25 * NS_PER_MS;

	(void)m;
	b->got++;
	while (mono_now() < until)
		;
	return OK;
}

static void on_due(void *ctx)
{
	struct busy *b = ctx;

	b->got_when_due = b->got;
	loop_stop(b->loop, 5);
}

/* A neighbour that asks for much work, without end. */
START_TEST(a_timer_does_not_wait_for_all_of_a_neighbours_messages)
{
	struct busy b = { .got_when_due = -1 };
	struct loop_timer due = { .fire = on_due, .ctx = &b };
	int fd[2];

	ck_assert_int_eq(loop_new(&b.loop), OK);
	ck_assert_int_eq(chan_pair(fd), OK);
	b.link = (struct link){ .loop = b.loop, .on_msg = on_work, .on_gone = on_gone, .ctx = &b };
	ck_assert_int_eq(link_open(&b.link, fd[0], &table, &table), OK);
	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(send(fd[1], "\x01x", 2, 0), 2);
	loop_timer_set(b.loop, &due, mono_now() + NS_PER_MS);
	ck_assert_int_eq(loop_run(b.loop), 5);
	ck_assert_int_ge(b.got_when_due, 0);
	ck_assert_int_le(b.got_when_due, 2);
	link_close(&b.link);
	close(fd[1]);
	loop_free(b.loop);
}
END_TEST

static void stop_9(void *ctx)
{
	loop_stop(ctx, 9);
}

START_TEST(a_timer_fires_and_a_stopped_one_does_not)
{
	struct loop *l;
	struct loop_timer never, soon;

	ck_assert_int_eq(loop_new(&l), OK);
	never = (struct loop_timer){ .fire = stop_9, .ctx = l };
	soon = never;
	loop_timer_set(l, &never, mono_now());
	loop_timer_set(l, &never, NEVER);
	loop_timer_set(l, &soon, mono_now() + NS_PER_MS);
	ck_assert_int_eq(loop_run(l), 9);
	ck_assert(!soon.node.set);
	loop_free(l);
}
END_TEST

START_TEST(an_answer_counts_once_and_from_whom_was_asked)
{
	struct desk d;

	ck_assert_int_eq(desk_init(&d), OK);
	ck_assert_ptr_nonnull(desk_put(&d, ROLE_SIGNER, 1, 42));
	ck_assert_ptr_nonnull(desk_put(&d, ROLE_VERIFIER, 2, 43));
	ck_assert_ptr_null(desk_take(&d, ROLE_VERIFIER, 1, 42));
	ck_assert_ptr_null(desk_take(&d, ROLE_SIGNER, 0, 42));
	ck_assert_ptr_null(desk_take(&d, ROLE_SIGNER, 1, 43));
	free(desk_take(&d, ROLE_SIGNER, 1, 42));
	ck_assert_ptr_null(desk_take(&d, ROLE_SIGNER, 1, 42));
	ck_assert_ptr_null(desk_take_any(&d, ROLE_SIGNER));
	ck_assert_uint_eq(desk_count(&d, ROLE_SIGNER), 0);
	ck_assert_uint_eq(desk_count(&d, ROLE_VERIFIER), 1);
	ck_assert_ptr_nonnull(desk_put(&d, ROLE_VERIFIER, 2, 44));
	ck_assert_ptr_nonnull(desk_put(&d, ROLE_VERIFIER, 2, 45));
	free(desk_take(&d, ROLE_VERIFIER, 2, 44));
	free(desk_take_any(&d, ROLE_VERIFIER));
	free(desk_take_any(&d, ROLE_VERIFIER));
	ck_assert_uint_eq(desk_count(&d, ROLE_VERIFIER), 0);
	ck_assert_ptr_nonnull(desk_put(&d, ROLE_VERIFIER, 2, 46));
	desk_free(&d);
}
END_TEST

/* The part of systemd: an abstract socket that listens. */
START_TEST(systemd_hears_ready)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof sun;
	char name[128] = "", got[64] = "";
	struct notify n;

	/* An address of the kernel's choice, abstract. */
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof sun.sun_family), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sun, &len), 0);
	memcpy(name, sun.sun_path, len - sizeof sun.sun_family);
	name[0] = '@';
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "2000000", 1);
	n = notify_open();
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_uint_eq(n.watchdog, NS_PER_S);
	notify_send(&n, "READY=1");
	ck_assert_int_eq(recv(fd, got, sizeof got - 1, MSG_DONTWAIT), 7);
	ck_assert_str_eq(got, "READY=1");
	notify_close(&n);
	close(fd);
}
END_TEST

START_TEST(without_systemd_nothing_is_said)
{
	struct notify n;

	unsetenv("NOTIFY_SOCKET");
	n = notify_open();
	ck_assert_int_eq(n.fd, -1);
	ck_assert_uint_eq(n.watchdog, 0);
	notify_send(&n, "READY=1");
}
END_TEST

UNIT("daemon/link")
{
	tcase_add_test(tc, messages_flow_past_a_full_socket);
	tcase_add_test(tc, the_end_of_the_other_side_is_told);
	tcase_add_test(tc, a_timer_does_not_wait_for_all_of_a_neighbours_messages);
	tcase_add_loop_test(tc, rubbish_ends_the_link, 0, 2);
	tcase_add_test(tc, a_timer_fires_and_a_stopped_one_does_not);
	tcase_add_test(tc, an_answer_counts_once_and_from_whom_was_asked);
	tcase_add_test(tc, systemd_hears_ready);
	tcase_add_test(tc, without_systemd_nothing_is_said);
}
