/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation after the other fails while a process takes its configuration over: it has it
 * whole or goes on without. */
#include <fcntl.h>
#include <unistd.h>

#include "daemon/bundle.h"
#include "daemon/loader.h"
#include "daemon/sealed.h"
#include "tests/unit/conf/fixture.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/rejected.h"
#include "tests/unit/unit.h"

enum { ALLOCATIONS_MAX = 1000 };

static const char text[] =
	"me {\n identity = left.example.org\n certificate = left.pem\n key = left.key\n"
	" trust = ca.pem\n}\n"
	"connection office {\n address = 203.0.113.2\n identity = right.example.org\n auth = psk\n"
	" psk_file = office.psk\n"
	" child lan {\n  local = 10.1.0.0/16\n  remote = 10.2.0.0/16\n }\n}\n";

static int made(enum role r)
{
	struct conf *c = fixture_load(text);
	int fd;

	ck_assert_int_eq(sealed_make("test", &fd), OK);
	ck_assert_int_eq(bundle_write(fd, r, span_str(text), c, span_str("a key of marks")), OK);
	conf_free(c);
	return fd;
}

/* False when there are not so many. */
static bool taken(int fd, size_t nth)
{
	struct conf_problems problems;
	struct conf *c = NULL;
	struct bundle *b = NULL;
	bool failed;
	enum err e;

	failing_arm(nth);
	e = bundle_read(fd, &b);
	if (e == OK)
		e = bundle_load(b, &c, &problems);
	failed = failing_disarm() && nth > 0;
	ck_assert_msg(e == (failed ? ERR_NOMEM : OK), "allocation %zu: %s", nth, err_slug(e));
	if (e == OK)
		conf_free(c);
	bundle_free(b);
	return failed;
}

START_TEST(a_bundle_is_whole_or_not_there)
{
	const int fd = made((enum role)_i);
	size_t before, n = 0;

	ck_assert(!taken(fd, 0));
	before = rejected_in_use();
	do
		ck_assert_uint_lt(++n, ALLOCATIONS_MAX);
	while (taken(fd, n));
	ck_assert_uint_le(rejected_in_use(), before + REJECTED_NOISE);
	ck_assert_uint_gt(n, 5);
	close(fd);
}
END_TEST

/* ---- what the monitor before has left ---- */

static int fds_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* They are the loader's, also when it fails. */
static bool left(size_t nth)
{
	const int fds = fds_open();
	int bundle[N_ROLES];
	struct loaded *l;
	bool failed;
	enum err e;

	for (unsigned int r = 0; r < N_ROLES; r++)
		bundle[r] = made((enum role)r);
	failing_arm(nth);
	e = loader_take(bundle, &l);
	failed = failing_disarm() && nth > 0;
	ck_assert_msg(e == (failed ? ERR_NOMEM : OK), "allocation %zu: %s", nth, err_slug(e));
	ck_assert_int_eq(l == NULL, failed);
	loaded_free(l);
	ck_assert_int_eq(fds_open(), fds);
	return failed;
}

START_TEST(what_another_monitor_left_is_taken_whole_or_closed)
{
	size_t before, n = 0;

	ck_assert(!left(0));
	before = rejected_in_use();
	do
		ck_assert_uint_lt(++n, ALLOCATIONS_MAX);
	while (left(n));
	ck_assert_uint_le(rejected_in_use(), before + REJECTED_NOISE);
	ck_assert_uint_gt(n, 10);
}
END_TEST

UNIT("memory/bundle")
{
	tcase_add_test(tc, what_another_monitor_left_is_taken_whole_or_closed);
	tcase_add_loop_test(tc, a_bundle_is_whole_or_not_there, 0, N_ROLES);
}
