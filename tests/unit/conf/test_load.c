/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration at first sight, as the README has it, becomes the model that it says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "conf/load.h"
#include "tests/unit/conf/fixture.h"
#include "tests/unit/unit.h"

static const char first_sight[] =
	"me {\n"
	"	identity    = left.example.org      # must stand in the certificate\n"
	"	certificate = left.pem              # chain included; sought beside this file\n"
	"	key         = left.key              # read for the signer process alone\n"
	"	trust       = ca.pem                # who may vouch for peers\n"
	"}\n"
	"\n"
	"connection office {\n"
	"	address  = 203.0.113.2              # where the peer is: name, addresses, or any\n"
	"	identity = right.example.org        # who it must prove to be\n"
	"	auth     = certificate              # or psk, with psk_file = office.psk\n"
	"	start    = always                   # or traffic, manual\n"
	"\n"
	"	child lan {                         # what is joined to what\n"
	"		local  = { 10.1.0.0/16, 2001:db8:1::/48 }\n"
	"		remote = { 10.2.0.0/16, 2001:db8:2::/48 }\n"
	"	}\n"
	"}\n";

/* Every file holds its own path. */
static enum err read_path(void *ctx, enum conf_file_kind kind, const char *path, struct span *bytes,
			  char why[static 256])
{
	(void)ctx;
	(void)kind;
	(void)why;
	*bytes = span_str(strdup(path));
	return bytes->p ? OK : ERR_NOMEM;
}

static const struct conf_source paths = { .read = read_path };

static struct conf *load(const char *text)
{
	struct conf_problems problems;
	struct conf *c;

	ck_assert_int_eq(
		conf_load("/etc/postern/postern.conf", span_str(text), &paths, &c, &problems), OK);
	ck_assert_uint_eq(problems.n, 0);
	return c;
}

START_TEST(first_sight_has_the_files_beside_it)
{
	struct conf *c = load(first_sight);

	ck_assert_uint_eq(c->n_mes, 1);
	ck_assert_str_eq(c->mes[0].certificate.path, "/etc/postern/left.pem");
	ck_assert_str_eq(c->mes[0].key.path, "/etc/postern/left.key");
	ck_assert_str_eq(c->mes[0].trust.path, "/etc/postern/ca.pem");
	ck_assert(span_eq(c->mes[0].key.bytes, span_str("/etc/postern/left.key")));
	ck_assert_ptr_null(c->mes[0].passphrase.path);
	conf_free(c);
}
END_TEST

START_TEST(first_sight_has_its_defaults)
{
	struct conf *c = load(first_sight);
	const struct conf_connection *cn = conf_connection_find(c, "office");
	const struct conf_child *ch = conf_child_find(cn, "lan");

	ck_assert_str_eq(c->tun_name, "postern0");
	ck_assert(!c->lockdown);
	ck_assert(c->hold_packets);
	ck_assert_uint_eq(cn->port, 500);
	ck_assert_int_eq(cn->start, CONF_START_ALWAYS);
	ck_assert_str_eq(cn->policy.name, "modern");
	ck_assert_uint_eq(cn->liveness, 30 * NS_PER_S);
	ck_assert_uint_eq(cn->keepalive, 20 * NS_PER_S);
	ck_assert_uint_eq(cn->fragment_size, 1280);
	ck_assert(identity_eq(&cn->local_identity, &c->mes[0].identity));
	ck_assert_ptr_eq(cn->me, &c->mes[0]);
	ck_assert_uint_eq(ch->replay_window, 1024);
	ck_assert(ch->esn);
	ck_assert_uint_ne(ch->reqid, 0);
	conf_free(c);
}
END_TEST

START_TEST(first_sight_joins_two_networks)
{
	struct conf *c = load(first_sight);
	const struct conf_child *ch = &c->connections[0].children[0];
	char text[TS_TEXT_MAX];

	ck_assert_uint_eq(ch->local.n, 2);
	ck_assert_str_eq(ts_text(&ch->local.v[0], text), "10.1.0.0/16");
	ck_assert_str_eq(ts_text(&ch->remote.v[1], text), "2001:db8:2::/48");
	ck_assert_int_eq(ch->local_pos.line, 15);
	conf_free(c);
}
END_TEST

START_TEST(a_file_cut_off_anywhere_is_refused)
{
	struct conf_problems problems;
	struct conf *c;

	/* All but the line end after the last brace. */
	for (size_t len = 1; len + 2 < sizeof(first_sight); len++) {
		ck_assert_int_ne(conf_load("f", span_of(first_sight, len), &paths, &c, &problems) ==
						 OK &&
					 c->n_connections > 0,
				 1);
		conf_free(c);
	}
}
END_TEST

START_TEST(a_secret_is_what_its_file_means)
{
	static const uint8_t key[] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
				       0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	char *text = fixture_text(8, "psk_file = encoded.psk");
	struct conf *c = fixture_load(text);

	ck_assert(span_eq(c->connections[0].psk.secret, span_of(key, sizeof(key))));
	conf_free(c);
	free(text);
	text = fixture_text(4, "key = x\npassphrase_file = good.psk");
	c = fixture_load(text);
	ck_assert(span_eq(c->mes[0].passphrase.secret, span_str("correct horse battery staple")));
	ck_assert(span_eq(c->connections[0].psk.secret, span_str("correct horse battery staple")));
	ck_assert_uint_eq(c->connections[0].psk.bytes.len, c->connections[0].psk.secret.len + 1);
	conf_free(c);
	free(text);
}
END_TEST

/* An IKE SA has room for so many. */
START_TEST(a_connection_has_64_children_at_most)
{
	char children[8192] = "";
	size_t n = CONF_CHILDREN_MAX + (size_t)_i, at = 0;
	char *problems, *whole;

	for (size_t i = 1; i < n; i++)
		at += (size_t)snprintf(
			children + at, sizeof(children) - at,
			"child c%zu {\nlocal = 10.3.%zu.0/24\nremote = 10.4.0.0/16\n}\n", i, i);
	whole = fixture_text(11, children);
	problems = fixture_problems(whole);
	ck_assert_str_eq(problems,
			 _i == 0 ? "ok\n"
				 : "6:12: connection `office` has more than 64 children | "
				   "children of several networks each\n");
	free(problems);
	free(whole);
}
END_TEST

UNIT("conf/load")
{
	tcase_add_loop_test(tc, a_connection_has_64_children_at_most, 0, 2);
	tcase_add_test(tc, a_secret_is_what_its_file_means);
	tcase_add_test(tc, first_sight_has_the_files_beside_it);
	tcase_add_test(tc, first_sight_has_its_defaults);
	tcase_add_test(tc, first_sight_joins_two_networks);
	tcase_add_test(tc, a_file_cut_off_anywhere_is_refused);
}
