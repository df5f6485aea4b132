/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/chan.h"
#include "tests/unit/unit.h"

enum { PING = 1, LONG, WITH_FD };

static const struct chan_rule rules[] = {
	{ .type = PING, .min = 2, .max = 4 },
	{ .type = LONG, .min = 1, .max = CHAN_BODY_MAX },
	{ .type = WITH_FD, .min = 0, .max = 8, .fd = true },
};
static const struct chan_table table = { .name = "test", .rules = rules, .n = 3 };
static const struct chan_table none = { .name = "none" };

/* A channel and the bare socket of somebody who keeps to no table. */
struct pair {
	struct chan *c;
	int stranger;
};

static struct pair pair_new(void)
{
	struct pair p;
	int fd[2];

	ck_assert_int_eq(chan_pair(fd), OK);
	ck_assert_int_eq(chan_new(fd[0], &table, &none, &p.c), OK);
	p.stranger = fd[1];
	return p;
}

static void pair_free(struct pair *p)
{
	chan_free(p->c);
	close(p->stranger);
}

static void stranger_sends(const struct pair *p, const void *bytes, size_t len)
{
	ck_assert_int_eq(send(p->stranger, bytes, len, 0), (ssize_t)len);
}

static void stranger_sends_fds(const struct pair *p, uint8_t type, size_t n)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(3 * sizeof(int))] = { 0 };
	int fds[3] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
	struct iovec iov = { .iov_base = &type, .iov_len = 1 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control };
	struct cmsghdr *cm = (struct cmsghdr *)control;

	h.msg_controllen = CMSG_SPACE(n * sizeof(int));
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(cm), fds, n * sizeof(int));
	ck_assert_int_eq(sendmsg(p->stranger, &h, 0), 1);
}

static int fds_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(a_message_arrives_whole_with_its_descriptor)
{
	struct chan *a, *b;
	struct chan_msg m;
	int fd[2];

	ck_assert_int_eq(chan_pair(fd), OK);
	ck_assert_int_eq(chan_new(fd[0], &none, &table, &a), OK);
	ck_assert_int_eq(chan_new(fd[1], &table, &none, &b), OK);
	ck_assert_int_eq(chan_recv(b, &m), ERR_BUSY);
	ck_assert_int_eq(chan_send(a, PING, span_str("abc"), -1), OK);
	ck_assert_int_eq(chan_send(a, WITH_FD, SPAN_EMPTY, STDERR_FILENO), OK);
	ck_assert_int_eq(chan_recv(b, &m), OK);
	ck_assert_int_eq(m.type, PING);
	ck_assert_int_eq(m.fd, -1);
	ck_assert(span_eq(m.body, span_str("abc")));
	ck_assert_int_eq(chan_recv(b, &m), OK);
	ck_assert_int_ge(m.fd, 0);
	ck_assert_int_eq(fcntl(m.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(m.fd);
	chan_free(a);
	ck_assert_int_eq(chan_recv(b, &m), ERR_NOT_FOUND);
	chan_free(b);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
} malformed[] = {
	{ "\x09"
	  "ab",
	  3 },	       /* a type that does not exist */
	{ "\x01", 1 }, /* shorter than its minimum */
	{ "\x01"
	  "a",
	  2 },
	{ "\x01"
	  "abcde",
	  6 },	       /* longer than its maximum */
	{ "\x03", 1 }, /* without its descriptor */
	{ "\x00"
	  "ab",
	  3 },
	{ "\xff"
	  "ab",
	  3 },
};

START_TEST(what_breaks_the_table_is_refused)
{
	struct pair p = pair_new();
	struct chan_msg m;

	stranger_sends(&p, malformed[_i].bytes, malformed[_i].len);
	ck_assert_int_eq(chan_recv(p.c, &m), ERR_SYNTAX);
	ck_assert_int_eq(m.fd, -1);
	pair_free(&p);
}
END_TEST

START_TEST(a_message_longer_than_any_rule_is_refused)
{
	static uint8_t big[CHAN_BODY_MAX + 100] = { LONG };
	struct pair p = pair_new();
	struct chan_msg m;

	stranger_sends(&p, big, CHAN_BODY_MAX + 1);
	ck_assert_int_eq(chan_recv(p.c, &m), OK);
	ck_assert_uint_eq(m.body.len, CHAN_BODY_MAX);
	stranger_sends(&p, big, CHAN_BODY_MAX + 2);
	ck_assert_int_eq(chan_recv(p.c, &m), ERR_SYNTAX);
	stranger_sends(&p, big, CHAN_BODY_MAX + 90);
	ck_assert_int_eq(chan_recv(p.c, &m), ERR_SYNTAX);
	pair_free(&p);
}
END_TEST

/* _i descriptors where the table allows none, and where it allows one. */
START_TEST(descriptors_that_are_not_allowed_are_closed)
{
	struct pair p = pair_new();
	int before = fds_open();
	struct chan_msg m;

	stranger_sends_fds(&p, LONG, (size_t)_i);
	ck_assert_int_eq(chan_recv(p.c, &m), ERR_SYNTAX);
	ck_assert_int_eq(fds_open(), before);
	if (_i > 1) {
		stranger_sends_fds(&p, WITH_FD, (size_t)_i);
		ck_assert_int_eq(chan_recv(p.c, &m), ERR_SYNTAX);
		ck_assert_int_eq(fds_open(), before);
	}
	pair_free(&p);
}
END_TEST

START_TEST(sending_never_blocks_and_keeps_the_order)
{
	static uint8_t body[60000];
	struct chan *a, *b;
	struct chan_msg m;
	int fd[2], sent = 0, got = 0;

	ck_assert_int_eq(chan_pair(fd), OK);
	ck_assert_int_eq(chan_new(fd[0], &none, &table, &a), OK);
	ck_assert_int_eq(chan_new(fd[1], &table, &none, &b), OK);
	for (; sent < 100; sent++) {
		body[0] = (uint8_t)sent;
		ck_assert_int_eq(chan_send(a, LONG, span_of(body, sizeof body), -1), OK);
	}
	ck_assert(chan_waiting(a));
	ck_assert_int_eq(chan_send_now(a, LONG, span_of(body, sizeof body), -1), ERR_BUSY);
	while (got < sent) {
		ck_assert_int_eq(chan_flush(a), OK);
		while (chan_recv(b, &m) == OK)
			ck_assert_uint_eq(m.body.p[0], (uint8_t)got++);
	}
	ck_assert(!chan_waiting(a));
	chan_free(a);
	chan_free(b);
}
END_TEST

/* However long they are: short ones cost more beside their bytes than these. */
START_TEST(the_queue_has_an_end)
{
	static const size_t lengths[] = { CHAN_BODY_MAX, 1 };
	static uint8_t body[CHAN_BODY_MAX];
	struct chan *a;
	enum err e = OK;
	int fd[2];

	ck_assert_int_eq(chan_pair(fd), OK);
	ck_assert_int_eq(chan_new(fd[0], &none, &table, &a), OK);
	for (int i = 0; i < CHAN_QUEUE_MAX / 16 && e == OK; i++)
		e = chan_send(a, LONG, span_of(body, lengths[_i]), -1);
	ck_assert_int_eq(e, ERR_LIMIT);
	ck_assert_uint_le(chan_queued(a), CHAN_QUEUE_MAX);
	chan_free(a);
	close(fd[1]);
}
END_TEST

START_TEST(what_is_not_in_our_own_table_is_not_sent)
{
	struct chan *a;
	int fd[2];

	ck_assert_int_eq(chan_pair(fd), OK);
	ck_assert_int_eq(chan_new(fd[0], &none, &table, &a), OK);
	ck_assert_int_eq(chan_send(a, 77, SPAN_EMPTY, -1), ERR_UNSUPPORTED);
	ck_assert_int_eq(chan_send(a, PING, span_str("a"), -1), ERR_UNSUPPORTED);
	ck_assert_int_eq(chan_send(a, PING, span_str("ab"), STDERR_FILENO), ERR_UNSUPPORTED);
	ck_assert_int_eq(chan_send(a, WITH_FD, SPAN_EMPTY, -1), ERR_UNSUPPORTED);
	chan_free(a);
	close(fd[1]);
}
END_TEST

UNIT("daemon/chan")
{
	tcase_add_test(tc, a_message_arrives_whole_with_its_descriptor);
	tcase_add_loop_test(tc, what_breaks_the_table_is_refused, 0,
			    sizeof malformed / sizeof malformed[0]);
	tcase_add_test(tc, a_message_longer_than_any_rule_is_refused);
	tcase_add_loop_test(tc, descriptors_that_are_not_allowed_are_closed, 1, 4);
	tcase_add_test(tc, sending_never_blocks_and_keeps_the_order);
	tcase_add_loop_test(tc, the_queue_has_an_end, 0, 2);
	tcase_add_test(tc, what_is_not_in_our_own_table_is_not_sent);
}
