/* SPDX-License-Identifier: Apache-2.0 */
/* Several peers for the same networks: who may be one, and which plane carries them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/conf/fixture.h"
#include "tests/unit/unit.h"

/* clang-format off */
#define OTHER(options) "connection other {\naddress = 203.0.113.9\nidentity = other.example.org\nauth = psk\npsk_file = good.psk\n" options
#define THIRD(options) "connection third {\naddress = 203.0.113.8\nidentity = third.example.org\nauth = psk\npsk_file = good.psk\n" options
#define CHILD(local, remote, options) "\nchild c {\nlocal = " local "\nremote = " remote "\n" options "}\n"
#define SAME(options) CHILD("10.1.0.0/16", "10.2.0.0/16", options)

#define SECOND "child d {\nlocal = { 10.5.0.0/16, 10.7.0.0/16 }\nremote = 10.6.0.0/16\n}\n"
#define TURNED THIRD("priority = 3") CHILD("{ 10.7.0.0/16, 10.5.0.0/16 }", "10.6.0.0/16", "")

static const struct {
	int line;
	const char *text, *problems;
} rows[] = {
	{ 1, OTHER("priority = 2") SAME("") "}",
	  "24:10: `other/c` and `office/lan` claim the same packets | line 9 has 10.1.0.0/16 = 10.2.0.0/16, this is 10.1.0.0/16 = 10.2.0.0/16; with priority in both connections one stands in for the other\n" },
	{ 11, "priority = 1" SAME("") "}\n" OTHER("priority = 2"), "ok\n" },
	{ 11, "priority = 10", "11:12: `10` is out of range | priority goes from 0 to 9\n" },
	/* alone, and elsewhere, the kernel carries it */
	{ 11, "priority = 1" CHILD("10.3.0.0/16", "10.4.0.0/16", "dataplane = kernel\n"), "ok\n" },
	{ 11, "priority = 1" SAME("dataplane = kernel\n") "}\n" OTHER("priority = 2"),
	  "15:13: userspace ESP alone can heed the priority: another peer has another data plane | dataplane = auto, or make the peers alike\n" },
	{ 15, "dataplane = kernel\n}\npriority = 1\n}\n" OTHER("priority = 2") CHILD("10.1.0.0/16", "10.2.0.0/16", "dataplane = kernel\n") "child d {\nlocal = 10.3.0.0/16\nremote = 10.4.0.0/16", "ok\n" },
	{ 11, "priority = 1" SAME("dataplane = kernel\n") "}\n" OTHER("priority = 1"),
	  "15:13: userspace ESP alone can heed the priority: another peer has the same number | dataplane = auto, or make the peers alike\n" },
	{ 11, "priority = 1" CHILD("10.1.0.0/16", "10.2.3.0/24", "offload = crypto\n") "}\n" OTHER("priority = 2"),
	  "15:11: userspace ESP alone can heed the priority: another peer has other networks, which overlap | offload = auto, or make the peers alike\n" },
};

/* `office` has priority 1, and a child from 10.1.0.0/16 to 10.2.0.0/16. */
static const struct {
	const char *other;
	const char *lacks; /* NULL: both are the kernel's */
} pairs[] = {
	{ OTHER("priority = 2") SAME(""), NULL },
	{ OTHER("priority = 9\nlocal_address = 192.0.2.1\nencap = always") SAME("lifetime = 2h\n"), NULL },
	{ OTHER("priority = 2") CHILD("10.1.0.0/16", "10.3.0.0/16", "dataplane = user\n"), NULL }, /* has nothing to do with it */
	{ OTHER("priority = 1") CHILD("10.1.0.0/16", "10.3.0.0/16", ""), NULL },
	{ OTHER("priority = 1") SAME(""), "another peer has the same number" },
	{ OTHER("priority = 2") CHILD("10.1.0.0/16", "10.2.3.0/24", ""), "another peer has other networks, which overlap" },
	{ OTHER("priority = 2") CHILD("10.1.0.0/16", "10.0.0.0/8", ""), "another peer has other networks, which overlap" },
	{ OTHER("priority = 2") CHILD("10.1.0.0/16", "\"10.2.0.0/16 tcp\"", ""), "another peer has other networks, which overlap" },
	{ OTHER("priority = 2") SAME("dataplane = user\n"), "another peer has another data plane" },
	{ OTHER("priority = 2") SAME("ttl = 9\n"), "another peer has another data plane" },
	{ OTHER("priority = 2\npolicy = compatible") SAME(""), "another peer has other algorithms" },
	/* what is in the way of one is in the way of all */
	{ OTHER("priority = 2") SAME("") "}\n" THIRD("priority = 2") SAME(""),
	  "another peer cannot be the kernel's" },
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

static struct plane_caps caps_of(const struct suite_policy *p)
{
	struct plane_caps k = { .v4 = true, .v6 = true, .encap = true, .transport = true };

	for (size_t i = 0; i < SUITE_ENCR_MAX && p->encr[i]; i++) {
		k.encr[k.n_encr].id = p->encr[i]->id;
		k.encr[k.n_encr++].key_bits = p->encr[i]->key_bits;
	}
	for (size_t i = 0; i < SUITE_INTEG_MAX && p->integ[i]; i++)
		k.integ[k.n_integ++] = p->integ[i]->id;
	return k;
}

static struct conf *load(const char *other)
{
	char *text = NULL;
	struct conf *c;

	ck_assert_int_gt(asprintf(&text,
				  "me {\nidentity = left.example.org\n}\n"
				  "connection office {\naddress = 203.0.113.2\n"
				  "identity = right.example.org\nauth = psk\n"
				  "psk_file = good.psk\npriority = 1" SAME("") "}\n%s}\n",
				  other),
			 0);
	c = fixture_load(text);
	free(text);
	return c;
}

static void check_plane(const struct conf *c, size_t at, const char *lacks)
{
	const struct conf_connection *cn = &c->connections[at];
	const struct conf_child *ch = &cn->children[0];
	const struct plane_caps kernel = caps_of(&cn->policy);
	const enum sa_plane plane = lacks ? PLANE_USER : PLANE_KERNEL;
	char why[CONF_PLANE_WHY_MAX];

	ck_assert_int_eq(conf_child_plane(cn, ch, &kernel, why), plane);
	if (lacks)
		ck_assert_msg(strstr(why, lacks) != NULL, "%s", why);
	ck_assert((ch->set == 0) == (lacks != NULL));
	ck_assert((ch->set_lacks == NULL) == (lacks == NULL));
}

START_TEST(the_kernel_carries_those_that_it_can_rank)
{
	struct conf *c = load(pairs[_i].other);

	check_plane(c, 0, pairs[_i].lacks);
	conf_free(c);
}
END_TEST

/* Who may be anybody could keep the others out; and what a set is belongs to what a child is, for
 * whoever goes on with it. */
START_TEST(anybody_is_in_no_set)
{
	struct conf *c = fixture_load("me {\nidentity = left.example.org\ncertificate = left.pem\n"
				      "key = left.key\ntrust = ca.pem\n}\n"
				      "connection office {\naddress = 203.0.113.2\n"
				      "identity = right.example.org\npriority = 1" SAME("") "}\n"
				      "connection other {\naddress = any\nidentity = any\n"
				      "priority = 2" SAME("") "}\n");
	struct conf_child *ch = &c->connections[0].children[0];
	const uint64_t digest = conf_child_digest(ch);

	check_plane(c, 0, "another peer cannot be the kernel's");
	check_plane(c, 1, "its peer may be anybody");
	ch->set = 0x5a000001;
	ck_assert(conf_child_digest(ch) != digest);
	conf_free(c);
}
END_TEST

/* They know each other by it, whoever else there is and in whichever order it is written. */
START_TEST(the_same_networks_are_one_set)
{
	struct conf *c = load(OTHER("priority = 2") SAME("") SECOND "}\n" TURNED);
	const struct conf_connection *cn = c->connections;

	ck_assert_uint_ne(cn[0].children[0].set, 0);
	ck_assert_uint_eq(cn[0].children[0].set, cn[1].children[0].set);
	ck_assert_uint_ne(cn[1].children[1].set, 0);
	ck_assert_uint_eq(cn[1].children[1].set, cn[2].children[0].set);
	ck_assert_uint_ne(cn[0].children[0].set, cn[2].children[0].set);
	for (size_t i = 0; i < c->n_connections; i++) {
		const uint32_t set = cn[i].children[0].set;

		ck_assert_uint_eq(set & SA_REQID_MASK, SA_REQID_BASE);
		ck_assert_uint_ge(set & ~SA_REQID_MASK, SA_REQID_SETS);
		ck_assert_uint_lt(cn[i].children[0].reqid & ~SA_REQID_MASK, SA_REQID_CHILDREN);
	}
	conf_free(c);
}
END_TEST

#define TWO(first, second)              \
	CHILD("10.1.0.0/16", first, "") \
	"child d {\nlocal = 10.1.0.0/16\nremote = " second "\n}\n"
#define FOURTH(options)                                                                      \
	"connection fourth {\naddress = 203.0.113.7\nidentity = fourth.example.org\nauth = " \
	"psk\npsk_file = good.psk\n" options

/* These two hash to one number. In the kernel each would be taken for the other's. */
START_TEST(sets_of_one_hash_have_two_numbers)
{
	static const char a[] = "10.134.69.0/24", b[] = "10.154.166.0/24";
	static const char *const texts[] = {
		THIRD("priority = 2")
			TWO("10.134.69.0/24", "10.154.166.0/24") "}\n" FOURTH("priority = 3")
				TWO("10.154.166.0/24", "10.134.69.0/24"),
		FOURTH("priority = 3")
			TWO("10.154.166.0/24", "10.134.69.0/24") "}\n" THIRD("priority = 2")
				TWO("10.134.69.0/24", "10.154.166.0/24"),
		THIRD("priority = 2") CHILD("10.1.0.0/16", "10.134.69.0/24", ""),
	};
	uint32_t set_a[3] = { 0 }, set_b[3] = { 0 };

	for (size_t t = 0; t < 3; t++) {
		struct conf *c = load(texts[t]);

		for (size_t i = 1; i < c->n_connections; i++) {
			const struct conf_connection *cn = &c->connections[i];

			for (size_t k = 0; k < cn->n_children; k++) {
				const struct conf_child *ch = &cn->children[k];
				char text[TS_TEXT_MAX];
				uint32_t *set = strcmp(ts_text(&ch->remote.v[0], text), a) == 0
							? &set_a[t]
							: &set_b[t];

				ck_assert(*set == 0 || *set == ch->set);
				ck_assert_uint_ne(ch->set, 0);
				ck_assert(set == &set_a[t] || strcmp(text, b) == 0);
				*set = ch->set;
			}
		}
		conf_free(c);
	}
	ck_assert_uint_ne(set_a[0], set_b[0]);
	ck_assert_uint_eq(set_a[0], set_a[1]);
	ck_assert_uint_eq(set_b[0], set_b[1]);
	/* The control: there is a collision. */
	ck_assert(set_a[0] + 1 == set_b[0] || set_b[0] + 1 == set_a[0]);
	ck_assert(set_a[2] == set_a[0] || set_a[2] == set_b[0]);
}
END_TEST

/* The same plane for all of them: one that comes and goes by IPv4 alone is no exception. */
START_TEST(a_kernel_of_one_family_has_none_of_them)
{
	struct conf *c = load(OTHER("priority = 2") SAME(""));
	const struct conf_connection *cn = &c->connections[0];
	struct plane_caps kernel = caps_of(&cn->policy);
	char why[CONF_PLANE_WHY_MAX];

	kernel.v6 = false;
	ck_assert_int_eq(conf_child_plane(cn, &cn->children[0], &kernel, why), PLANE_USER);
	ck_assert_str_eq(why, "the kernel lacks CONFIG_INET6_ESP");
	kernel.no_v6 = true;
	ck_assert_int_eq(conf_child_plane(cn, &cn->children[0], &kernel, why), PLANE_KERNEL);
	conf_free(c);
}
END_TEST

/* A reload that changes what the others are changes the plane, so the child begins anew. */
START_TEST(a_peer_that_another_one_bars_from_the_kernel_is_another_child)
{
	struct conf *c = load(OTHER("priority = 2") SAME(""));
	struct conf *d = load(OTHER("priority = 1") SAME(""));

	ck_assert(conf_connection_same(&c->connections[0], &d->connections[0]));
	ck_assert(!conf_child_eq(&c->connections[0].children[0], &d->connections[0].children[0]));
	conf_free(d);
	d = load(OTHER("priority = 5") SAME(""));
	ck_assert(conf_child_eq(&c->connections[0].children[0], &d->connections[0].children[0]));
	conf_free(c);
	conf_free(d);
}
END_TEST

UNIT("conf/priority")
{
	tcase_add_loop_test(tc, both_have_to_say_who_goes_first, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tc, the_kernel_carries_those_that_it_can_rank, 0,
			    sizeof(pairs) / sizeof(pairs[0]));
	tcase_add_test(tc, anybody_is_in_no_set);
	tcase_add_test(tc, the_same_networks_are_one_set);
	tcase_add_test(tc, sets_of_one_hash_have_two_numbers);
	tcase_add_test(tc, a_kernel_of_one_family_has_none_of_them);
	tcase_add_test(tc, a_peer_that_another_one_bars_from_the_kernel_is_another_child);
}
