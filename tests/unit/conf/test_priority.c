/* SPDX-License-Identifier: Apache-2.0 */
/* Several peers for the same networks: who may be one, and which plane carries them. */
#include <stdlib.h>

#include "tests/unit/conf/fixture.h"
#include "tests/unit/unit.h"

/* clang-format off */
static const struct {
	int line;
	const char *text, *problems;
} rows[] = {
	{ 1, "connection other {\npriority = 2\naddress = 203.0.113.9\nidentity = other.example.org\nauth = psk\npsk_file = good.psk\nchild c {\nlocal = 10.1.0.0/16\nremote = 10.2.0.0/16\n}\n}",
	  "24:10: `other/c` and `office/lan` claim the same packets | line 9 has 10.1.0.0/16 = 10.2.0.0/16, this is 10.1.0.0/16 = 10.2.0.0/16; with priority in both connections one stands in for the other\n" },
	{ 11, "priority = 1\nchild c {\nlocal = 10.1.0.0/16\nremote = 10.2.0.0/16\n}\n}\nconnection other {\npriority = 2\naddress = 203.0.113.9\nidentity = other.example.org\nauth = psk\npsk_file = good.psk",
	  "ok\n" },
	{ 11, "priority = 10", "11:12: `10` is out of range | priority goes from 0 to 9\n" },
	{ 11, "priority = 1\nchild c {\nlocal = 10.3.0.0/16\nremote = 10.4.0.0/16\ndataplane = kernel\n}",
	  "11:12: only userspace ESP heeds it, and child `c` is the kernel's | no dataplane = kernel or offload there\n" },
	{ 11, "priority = 0\nchild c {\nlocal = 10.3.0.0/16\nremote = 10.4.0.0/16\ndataplane = kernel\n}",
	  "ok\n" },
};
/* clang-format on */

START_TEST(both_have_to_say_who_goes_first)
{
	char *text = fixture_text(rows[_i].line, rows[_i].text);
	char *problems = fixture_problems(text);

	ck_assert_str_eq(problems, rows[_i].problems);
	free(problems);
	free(text);
}
END_TEST

/* Two policies of the kernel for the same packets let in what one peer sends alone. */
START_TEST(userspace_carries_them)
{
	const struct plane_caps kernel = { .v4 = true, .v6 = true, .encap = true };
	char *text = fixture_text(0, NULL);
	struct conf *c = fixture_load(text);
	struct conf_connection *cn = &c->connections[0];
	char why[CONF_PLANE_WHY_MAX];

	free(text);
	cn->priority = 1;
	ck_assert_int_eq(conf_child_plane(cn, &cn->children[0], &kernel, why), PLANE_USER);
	ck_assert_str_eq(why, "its connection has a priority");
	conf_free(c);
}
END_TEST

UNIT("conf/priority")
{
	tcase_add_loop_test(tc, both_have_to_say_who_goes_first, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, userspace_carries_them);
}
