/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation after the other fails while a configuration is read: it is refused, and nothing of
 * it is left. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/conf/fixture.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/rejected.h"
#include "tests/unit/unit.h"

enum { ALLOCATIONS_MAX = 5000 };

static const char good[] =
	"me {\n identity = left.example.org\n certificate = left.pem\n key = left.key\n"
	" trust = ca.pem\n}\n"
	"connection office {\n address = vpn.example.org\n identity = right.example.org\n"
	" auth = certificate\n policy = { aes256gcm16, aes128, sha256, prfsha384, x25519 }\n"
	" child lan {\n  local = { 10.1.0.0/16, 2001:db8:1::/48[tcp/443] }\n"
	"  remote = { 10.2.0.0/16, 2001:db8:2::/48 }\n }\n"
	" child lab {\n  local = 10.7.1.0/24\n  remote = 10.7.2.0-10.7.2.77\n }\n}\n"
	"connection home {\n address = { 192.0.2.1, 2001:db8::1 }\n identity = home.example.org\n"
	" auth = psk\n psk_file = home.psk\n"
	" child all {\n  local = 10.1.0.0/16\n  remote = 10.3.0.0/16\n }\n}\n";
/* Its problems are texts of their own. */
static const char bad[] = "me {\n identiy = left.example.org\n}\nconnection office {\n"
			  " address = 203.0.113.2\n auth = psk\n psk_file = missing\n}\n";

/* False when there are not so many. */
static bool loaded(const char *text, enum err want, size_t nth)
{
	const struct conf_source files = fixture_files();
	struct conf_problems problems;
	struct conf *c = NULL;
	char *said = NULL;
	bool failed;
	enum err e;

	failing_arm(nth);
	e = conf_load("/etc/postern/postern.conf", span_str(text), &files, &c, &problems);
	if (e == ERR_CONFIG)
		said = conf_problems_text("postern.conf", span_str(text), &problems);
	failed = failing_disarm() && nth > 0;
	if (failed)
		ck_assert_msg(e != OK, "it loads when allocation %zu fails", nth);
	else
		ck_assert_int_eq(e, want);
	free(said);
	if (e == OK)
		conf_free(c);
	return failed;
}

START_TEST(a_configuration_is_whole_or_not_there)
{
	const char *text = _i ? bad : good;
	const enum err want = _i ? ERR_CONFIG : OK;
	size_t before, n = 0;

	ck_assert(!loaded(text, want, 0));
	before = rejected_in_use();
	do
		ck_assert_uint_lt(++n, ALLOCATIONS_MAX);
	while (loaded(text, want, n));
	ck_assert_uint_le(rejected_in_use(), before + REJECTED_NOISE);
	ck_assert_uint_gt(n, 5);
}
END_TEST

UNIT("memory/conf")
{
	tcase_add_loop_test(tc, a_configuration_is_whole_or_not_there, 0, 2);
}
