/* SPDX-License-Identifier: Apache-2.0 */
/* "did you mean", of connections and their children. */
#include "daemon/near.h"
#include "tests/unit/unit.h"

static struct conf_child lan = { .name = "lan" }, voice = { .name = "voice" };
static struct conf_connection office = { .name = "office" }, branch = { .name = "branch-7" };

static const struct {
	const char *connection, *child;
	const char *text;
} rows[] = {
	{ "offic", "", "no connection of that name in the configuration: did you mean `office`?" },
	{ "brnach-7", "",
	  "no connection of that name in the configuration: did you mean `branch-7`?" },
	{ "elsewhere", "", "no connection of that name in the configuration" },
	{ "", "", "no connection of that name in the configuration" },
	{ "office", "lna",
	  "no child of that name in the configuration: did you mean `office/lan`?" },
	{ "ofice", "voice",
	  "no child of that name in the configuration: did you mean `office/voice`?" },
	{ "branch-7", "voice", "no child of that name in the configuration" },
	{ "office", "dmz", "no child of that name in the configuration" },
	{ "voice", "",
	  "no connection of that name in the configuration: did you mean `office/voice`?" },
};

START_TEST(a_slip_in_a_name_is_answered_with_what_was_meant)
{
	const struct ike_child_view children[] = { { .conf = &lan }, { .conf = &voice } };
	const struct ike_view views[] = {
		{ .conf = &branch, .children = children, .n_children = 1 },
		{ .conf = &office, .children = children, .n_children = 2 },
	};
	struct near n = { .connection = rows[_i].connection, .child = rows[_i].child };
	char text[NEAR_TEXT_MAX];

	for (size_t i = 0; i < 2; i++)
		near_view(&n, &views[i]);
	ck_assert_str_eq(near_text(&n, text), rows[_i].text);
}
END_TEST

UNIT("daemon/near")
{
	tcase_add_loop_test(tc, a_slip_in_a_name_is_answered_with_what_was_meant, 0,
			    sizeof(rows) / sizeof(rows[0]));
}
