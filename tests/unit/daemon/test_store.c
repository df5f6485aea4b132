/* SPDX-License-Identifier: Apache-2.0 */
/* What goes into a service manager's store, and what is taken from what comes out of it. */
#include "daemon/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/memory/failing.h"
#include "tests/unit/unit.h"

static const struct {
	const char *names;
	unsigned int n;
	enum err e;
} lists[] = {
	{ "record", 1, OK },
	{ "record:ike4-0:tun-17", 3, OK },
	{ "record:ike4-0", 3, ERR_SYNTAX },
	{ "record:ike4-0:tun-17", 2, ERR_SYNTAX },
	{ "", 1, ERR_SYNTAX },
	{ "", 2, ERR_SYNTAX },
	{ "record:", 2, ERR_SYNTAX },
	{ ":record", 2, ERR_SYNTAX },
	{ "ike4-0:ike4-0", 2, ERR_SYNTAX },
	{ "ike4-0:record:ike4-0", 3, ERR_SYNTAX },
	{ "record:a\nFDSTORE=1", 2, ERR_SYNTAX },
};

START_TEST(each_descriptor_has_a_name_of_its_own)
{
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		struct store s;

		ck_assert_msg(store_list(&s, 7, lists[i].n, lists[i].names) == lists[i].e, "%s, %u",
			      lists[i].names, lists[i].n);
		ck_assert_uint_eq(s.n, lists[i].n);
		store_free(&s);
	}
}
END_TEST

START_TEST(what_nobody_looked_for_is_known)
{
	struct store s;

	ck_assert_int_eq(store_list(&s, 7, 3, "a:b:c"), OK);
	ck_assert_int_eq(store_find(&s, "b"), 8);
	ck_assert_int_eq(store_find(&s, "a"), 7);
	ck_assert_int_eq(store_find(&s, "d"), -1);
	ck_assert(!store_all_found(&s));
	ck_assert_int_eq(store_find(&s, "c"), 9);
	ck_assert(store_all_found(&s));
	store_free(&s);
}
END_TEST

static void given_to(pid_t pid, const char *n, const char *names)
{
	char text[16];

	snprintf(text, sizeof text, "%d", (int)pid);
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", n, 1);
	setenv("LISTEN_FDNAMES", names, 1);
}

START_TEST(what_another_process_was_given_is_not_taken)
{
	static const char *const wrong[] = { "0", "-1", "1x", "99999999999999999999", "" };
	struct store s;

	ck_assert_int_eq(store_take(&s), ERR_NOT_FOUND);
	given_to(getppid(), "1", "record");
	ck_assert_int_eq(store_take(&s), ERR_DENIED);
	ck_assert_uint_eq(s.n, 0);
	ck_assert_ptr_null(getenv("LISTEN_PID"));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		given_to(getpid(), wrong[i], "record");
		ck_assert_int_eq(store_take(&s), ERR_NOT_FOUND);
	}
	given_to(getpid(), "1", "record");
	ck_assert_int_eq(store_take(&s), OK);
	ck_assert_int_eq(store_find(&s, "record"), 3);
	ck_assert_int_eq(fcntl(3, F_GETFD), FD_CLOEXEC);
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	ck_assert_ptr_null(getenv("LISTEN_FDNAMES"));
	store_free(&s);
}
END_TEST

/* In a process of its own that has a descriptor 3, and no 4. */
static int taken(const char *n, const char *names)
{
	struct store s;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		(void)dup2(STDERR_FILENO, 3);
		(void)close(4);
		given_to(getpid(), n, names);
		_exit((int)store_take(&s));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The same with two numbers of which one is opened only then: our own, and not to be closed. */
static bool keeps_its_own(void)
{
	struct store s;
	int status, own;
	pid_t pid = fork();

	if (pid == 0) {
		(void)dup2(STDERR_FILENO, 3);
		(void)close(4);
		given_to(getpid(), "2", "record:ike4-0");
		if (store_take(&s) != ERR_SYNTAX)
			_exit(2);
		own = dup(STDERR_FILENO);
		store_close(&s);
		_exit(own == 4 && fcntl(own, F_GETFD) >= 0 && fcntl(3, F_GETFD) < 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

START_TEST(what_was_not_given_is_not_closed)
{
	ck_assert(keeps_its_own());
}
END_TEST

/* It may be what a lock is held by. */
START_TEST(what_another_process_was_given_stays_as_it_is)
{
	struct store s;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		(void)dup2(STDERR_FILENO, 3);
		given_to(getppid(), "1", "record");
		if (store_take(&s) != ERR_DENIED)
			_exit(2);
		store_close(&s);
		_exit(fcntl(3, F_GETFD) == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

START_TEST(more_than_there_is_is_not_taken)
{
	ck_assert_int_eq(taken("1", "record"), OK);
	ck_assert_int_eq(taken("2", "record:ike4-0"), ERR_SYNTAX);
}
END_TEST

/* ---- a manager, played ---- */

struct heard {
	char line[512];
	int fd;
};

static struct heard hear(int from)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct heard h = { .fd = -1 };
	struct iovec iov = { .iov_base = h.line, .iov_len = sizeof h.line - 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.bytes,
			    .msg_controllen = sizeof control.bytes };
	const struct cmsghdr *c;

	ck_assert_int_gt(recvmsg(from, &m, 0), 0);
	c = CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_type == SCM_RIGHTS)
		memcpy(&h.fd, CMSG_DATA(c), sizeof h.fd);
	return h;
}

static ino_t inode(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_ino;
}

START_TEST(what_is_put_in_comes_with_its_name)
{
	int ends[2], fd = memfd_create("test", MFD_CLOEXEC);
	struct notify n;
	struct heard h;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	n = (struct notify){ .fd = ends[0] };
	ck_assert(store_put(&n, "ike4-0", fd));
	h = hear(ends[1]);
	ck_assert_str_eq(h.line, "FDSTORE=1\nFDPOLL=0\nFDNAME=ike4-0");
	ck_assert_int_ge(h.fd, 0);
	ck_assert_uint_eq(inode(h.fd), inode(fd));
	close(h.fd);
	store_remove(&n, "ike4-0");
	h = hear(ends[1]);
	ck_assert_str_eq(h.line, "FDSTOREREMOVE=1\nFDNAME=ike4-0");
	ck_assert_int_eq(h.fd, -1);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(all_of_it_is_taken_out_again)
{
	int ends[2];
	struct notify n;
	struct store s;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	n = (struct notify){ .fd = ends[0] };
	/* What has one is named, however wrong the rest is. */
	ck_assert_int_eq(store_list(&s, 7, 4, "a:b::b"), ERR_SYNTAX);
	store_clear(&s, &n);
	ck_assert_str_eq(hear(ends[1]).line, "FDSTOREREMOVE=1\nFDNAME=a");
	ck_assert_str_eq(hear(ends[1]).line, "FDSTOREREMOVE=1\nFDNAME=b");
	ck_assert_int_eq(recv(ends[1], &s, 1, MSG_DONTWAIT), -1);
	store_free(&s);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* More than fits into the socket: who sends waits for who reads, and the barrier for the last. */
START_TEST(a_manager_may_be_slow)
{
	enum { MANY = 2000 };
	int ends[2], status;
	struct notify n;
	pid_t pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	n = (struct notify){ .fd = ends[0] };
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		for (int i = 0; i < MANY; i++)
			(void)hear(ends[1]);
		_exit(strcmp(hear(ends[1]).line, "BARRIER=1") == 0 ? 0 : 1);
	}
	for (int i = 0; i < MANY; i++)
		ck_assert(notify_pass(&n, "FDSTOREREMOVE=1\nFDNAME=a", -1));
	ck_assert(notify_barrier(&n));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(who_does_not_listen_is_told_nothing)
{
	const struct notify none = { .fd = -1 };
	struct notify n;
	int ends[2];

	ck_assert(!store_put(&none, "ike4-0", STDERR_FILENO));
	ck_assert(!notify_barrier(&none));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	n = (struct notify){ .fd = ends[0] };
	close(ends[1]);
	ck_assert(!store_put(&n, "ike4-0", STDERR_FILENO));
	ck_assert(!notify_barrier(&n));
	close(ends[0]);
}
END_TEST

/* Whoever has it then closes it and takes its names out, as far as it has them. */
START_TEST(a_list_without_memory_is_one_of_no_names)
{
	enum { NOBODYS = 100000 };
	const struct notify nobody = { .fd = -1 };
	const long before = failing_live();
	bool failed = true;
	size_t n;

	for (n = 0; failed; n++) {
		struct store s;
		enum err e;

		failing_arm(n);
		e = store_list(&s, NOBODYS, 2, "record:tun-7");
		failed = failing_disarm() && n > 0;
		ck_assert_int_eq(e, failed ? ERR_NOMEM : OK);
		store_clear(&s, &nobody);
		store_close(&s);
		store_free(&s);
		ck_assert_int_eq(failing_live(), before);
		failed = failed || n == 0;
	}
	ck_assert_uint_eq(n, 4);
}
END_TEST

UNIT("daemon/store")
{
	tcase_add_test(tc, a_list_without_memory_is_one_of_no_names);
	tcase_add_test(tc, each_descriptor_has_a_name_of_its_own);
	tcase_add_test(tc, what_nobody_looked_for_is_known);
	tcase_add_test(tc, what_another_process_was_given_is_not_taken);
	tcase_add_test(tc, what_another_process_was_given_stays_as_it_is);
	tcase_add_test(tc, more_than_there_is_is_not_taken);
	tcase_add_test(tc, what_was_not_given_is_not_closed);
	tcase_add_test(tc, what_is_put_in_comes_with_its_name);
	tcase_add_test(tc, all_of_it_is_taken_out_again);
	tcase_add_test(tc, a_manager_may_be_slow);
	tcase_add_test(tc, who_does_not_listen_is_told_nothing);
}
