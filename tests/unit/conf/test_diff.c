/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "conf/diff.h"
#include "tests/unit/conf/fixture.h"
#include "tests/unit/unit.h"

/* clang-format off */
static const struct {
	int line;
	const char *text;	/* replaces that line of the fixture in the new configuration */
	bool eq;		/* an SA that is up does not notice */
	const char *says;
} rows[] = {
	{ 0, "", true, "unchanged" },
	{ 4, "# remark", true, "unchanged" },
	{ 11, "\n\n\nstart = always", true, "unchanged" },
	{ 11, "start = traffic", false, "restarts, start changed" },
	{ 11, "liveness = 10s", true, "liveness changed" },
	{ 11, "port = 4500", false, "restarts, port changed" },
	{ 11, "liveness = 10s\nencap = always", false, "restarts, encap changed" },
	{ 11, "policy = compatible", false, "restarts, policy changed" },
	{ 9, "address = 203.0.113.3", false, "restarts, address changed" },
	{ 9, "address = { 203.0.113.2, 203.0.113.3 }", false, "restarts, address changed" },
	{ 9, "address = right.example.org", false, "restarts, address changed" },
	{ 10, "identity = Right.example.org", false, "restarts, identity changed" },
	{ 3, "identity = other.example.org", false, "restarts, local_identity changed" },
	{ 4, "trust = ca.pem", false, "restarts, me changed" },
	{ 8, "psk_file = other.psk", false, "restarts, psk_file changed" },
	{ 15, "esn = no", false, "child lan restarts, esn changed" },
	{ 15, "interface = ipsec0", false, "child lan restarts, interface changed" },
	{ 15, "offload = no", false, "child lan restarts, offload changed" },
	{ 14, "remote = 10.3.0.0/16", false, "child lan restarts, remote changed" },
	{ 12, "child wan {", false, "child wan changed" },
	{ 11, "child wan {\nlocal = 10.8.0.0/16\nremote = 10.9.0.0/16\n}", false, "child wan changed" },
	{ 11, "liveness = 10s\nchild wan {\nlocal = 10.8.0.0/16\nremote = 10.9.0.0/16\n}", false, "child wan changed" },
};
/* clang-format on */

static struct conf *load_with(int line, const char *text)
{
	char *whole = fixture_text(line, text);
	struct conf *c = fixture_load(whole);

	free(whole);
	return c;
}

/* As the engine asks it: the connection, and then child by child. */
static bool goes_on(const struct conf *was, const struct conf *is)
{
	const struct conf_connection *a = &was->connections[0], *b = &is->connections[0];

	for (size_t i = 0; i < a->n_children; i++) {
		const struct conf_child *twin = conf_child_find(b, a->children[i].name);

		if (!twin || !conf_child_eq(&a->children[i], twin))
			return false;
	}
	return a->n_children == b->n_children && conf_connection_same(a, b);
}

/* By digests instead. */
static bool digests_go_on(const struct conf *was, const struct conf *is)
{
	const struct conf_connection *a = &was->connections[0], *b = &is->connections[0];

	for (size_t i = 0; i < a->n_children; i++) {
		const struct conf_child *twin = conf_child_find(b, a->children[i].name);

		if (!twin || conf_child_digest(&a->children[i]) != conf_child_digest(twin))
			return false;
	}
	return a->n_children == b->n_children &&
	       conf_connection_digest(a) == conf_connection_digest(b);
}

START_TEST(only_what_differs_is_touched)
{
	struct conf *was = load_with(0, "");
	struct conf *is = load_with(rows[_i].line, rows[_i].text);
	struct conf_diff d;
	char text[128];

	ck_assert_int_eq(conf_diff(was, is, &d), OK);
	ck_assert_uint_eq(d.n, 1);
	ck_assert_str_eq(conf_diff_text(&d.rows[0], text), rows[_i].says);
	ck_assert_uint_eq(d.n_changes, d.rows[0].change == CONF_UNCHANGED ? 0 : 1);
	ck_assert_int_eq(goes_on(was, is), rows[_i].eq);
	ck_assert_int_eq(digests_go_on(was, is), rows[_i].eq);
	ck_assert_int_eq(!d.rows[0].restarts, rows[_i].eq);
	ck_assert_ptr_null(d.daemon_option);
	conf_diff_free(&d);
	conf_free(was);
	conf_free(is);
}
END_TEST

/* The device gets them while its tunnel stays. */
START_TEST(new_addresses_of_an_interface_interrupt_nothing)
{
	struct conf *was = load_with(15, "interface = ipsec0\naddresses = 10.255.0.1/30");
	struct conf *is = load_with(15, "interface = ipsec0\naddresses = 10.255.0.1/24");
	struct conf_diff d;
	char text[128];

	ck_assert_int_eq(conf_diff(was, is, &d), OK);
	ck_assert_str_eq(conf_diff_text(&d.rows[0], text), "child lan addresses changed");
	ck_assert(!d.rows[0].restarts);
	ck_assert(goes_on(was, is));
	conf_diff_free(&d);
	conf_free(was);
	conf_free(is);
}
END_TEST

START_TEST(a_renamed_connection_goes_and_comes)
{
	struct conf *was = load_with(0, "");
	struct conf *is = load_with(6, "connection bureau {");
	struct conf_diff d;

	ck_assert_int_eq(conf_diff(was, is, &d), OK);
	ck_assert_uint_eq(d.n, 2);
	ck_assert_uint_eq(d.n_changes, 2);
	ck_assert_int_eq(d.rows[0].change, CONF_ADDED);
	ck_assert_str_eq(d.rows[0].is->name, "bureau");
	ck_assert_int_eq(d.rows[1].change, CONF_REMOVED);
	ck_assert_str_eq(d.rows[1].was->name, "office");
	conf_diff_free(&d);
	conf_free(was);
	conf_free(is);
}
END_TEST

START_TEST(what_wants_a_restart_of_the_daemon_is_named)
{
	struct conf *was = load_with(0, "");
	struct conf *is = load_with(1, "workers = 2");
	struct conf_diff d;

	ck_assert_int_eq(conf_diff(was, is, &d), OK);
	ck_assert_str_eq(d.daemon_option, "workers");
	ck_assert_uint_eq(d.n_changes, 0);
	conf_diff_free(&d);
	conf_free(was);
	conf_free(is);
}
END_TEST

static enum err read_given(void *ctx, enum conf_file_kind kind, const char *path,
			   struct span *bytes, char why[static 256])
{
	(void)kind;
	(void)path;
	(void)why;
	*bytes = span_str(strdup(ctx));
	return bytes->p ? OK : ERR_NOMEM;
}

static struct conf *load_given(const char *content)
{
	struct conf_source src = { .read = read_given, .ctx = (void *)(uintptr_t)content };
	struct conf_problems problems;
	char *text = fixture_text(0, "");
	struct conf *c;

	ck_assert_int_eq(conf_load("f", span_str(text), &src, &c, &problems), OK);
	free(text);
	return c;
}

START_TEST(a_file_renewed_under_its_name_is_a_change)
{
	struct conf *was = load_given("correct horse battery staple");
	struct conf *same = load_given("correct horse battery staple");
	struct conf *is = load_given("correct horse battery STAPLE");

	ck_assert(goes_on(was, same));
	ck_assert(!goes_on(was, is));
	conf_free(was);
	conf_free(same);
	conf_free(is);
}
END_TEST

static const struct {
	const char *text; /* where the old one has interface = ipsec0 */
	const char *says; /* NULL: the device stays, or comes, or goes */
} devices[] = {
	{ "interface = ipsec0", NULL },
	{ "interface = ipsec1", NULL },
	{ "", NULL },
	{ "interface = ipsec1\n}\nchild more {\nlocal = 10.1.0.0/24\nremote = 10.9.0.0/24\n"
	  "interface = ipsec0",
	  "interface ipsec0 is still that of office/lan: reload first without it, "
	  "then give it to the other child" },
};

START_TEST(a_device_goes_to_another_child_only_when_nobody_has_it)
{
	struct conf *was = load_with(15, "interface = ipsec0");
	struct conf *is = load_with(15, devices[_i].text);
	struct conf *none = load_with(0, "");
	char text[256] = "";

	ck_assert_int_eq(conf_device_moves(was, is, text), devices[_i].says != NULL);
	ck_assert_str_eq(text, devices[_i].says != NULL ? devices[_i].says : "");
	ck_assert(!conf_device_moves(none, is, text));
	conf_free(was);
	conf_free(is);
	conf_free(none);
}
END_TEST

UNIT("conf/diff")
{
	tcase_add_loop_test(tc, a_device_goes_to_another_child_only_when_nobody_has_it, 0,
			    sizeof(devices) / sizeof(devices[0]));
	tcase_add_test(tc, a_file_renewed_under_its_name_is_a_change);
	tcase_add_loop_test(tc, only_what_differs_is_touched, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, new_addresses_of_an_interface_interrupt_nothing);
	tcase_add_test(tc, a_renamed_connection_goes_and_comes);
	tcase_add_test(tc, what_wants_a_restart_of_the_daemon_is_named);
}
