/* SPDX-License-Identifier: Apache-2.0 */
/* Every option, as it is written and as it is shown with defaults filled in: what `postern show
 * config` says is what the model holds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/diff.h"
#include "conf/schema.h"
#include "conf/show.h"
#include "tests/unit/conf/fixture.h"
#include "tests/unit/unit.h"

#define LONG "a23456789012345678901234567890123456789012345678901234567890"
#define HEX  LONG LONG

/* clang-format off */
static const struct {
	int line;		/* of the fixture, which it replaces */
	const char *text;
	const char *shown;	/* this line is in the configuration as shown */
} rows[] = {
	{ 1, "tun = ipsec-7.a_b", "tun             = ipsec-7.a_b\n" },
	{ 1, "", "tun             = postern0\n" },
	{ 1, "workers = 128", "workers         = 128\n" },
	{ 1, "", "workers         = 0\n" },
	{ 1, "lockdown = yes", "lockdown        = yes\n" },
	{ 1, "", "lockdown        = no\n" },
	{ 1, "hold_packets = no", "hold_packets    = no\n" },
	{ 1, "", "hold_packets    = yes\n" },
	{ 1, "qcd_secret_file = qcd.secret", "qcd_secret_file = /etc/postern/qcd.secret\n" },
	{ 3, "identity = 2001:db8::1", "\tidentity        = 2001:db8::1\n" },
	{ 3, "identity = ops@example.org", "\tidentity        = ops@example.org\n" },
	{ 3, "identity = keyid:office-7", "\tidentity        = keyid:office-7\n" },
	{ 3, "identity = keyid:0x0badcafe", "\tidentity        = keyid:0x0badcafe\n" },
	{ 3, "identity = \"C=XX, O=Example, CN=gw\"", "\tidentity        = \"C=XX, O=Example, CN=gw\"\n" },
	{ 4, "certificate = left.pem", "\tcertificate     = /etc/postern/left.pem\n" },
	{ 4, "certificate = \"/srv/our keys/a\\\"b\\\\c.pem\"", "\tcertificate     = \"/srv/our keys/a\\\"b\\\\c.pem\"\n" },
	{ 4, "trust = \"$HOME/ca.pem\"", "\ttrust           = \"/etc/postern/$HOME/ca.pem\"\n" },
	{ 4, "key = sub/left.key", "\tkey             = /etc/postern/sub/left.key\n" },
	{ 4, "key = left.key\npassphrase_file = good.psk", "\tpassphrase_file = /etc/postern/good.psk\n" },
	{ 9, "address = gw.example.org", "\taddress         = gw.example.org\n" },
	{ 9, "address = any", "\taddress         = any\n" },
	{ 9, "address = any", "\tstart           = manual\n" },
	{ 9, "address = { 192.0.2.1\n2001:db8::1,\n# remark }\n192.0.2.2 }", "\taddress         = { 192.0.2.1, 2001:db8::1, 192.0.2.2 }\n" },
	{ 3, "identity = " LONG "." LONG "." LONG "." LONG, "\tidentity        = " LONG "." LONG "." LONG "." LONG "\n" },
	{ 3, "identity = keyid:" LONG LONG LONG LONG, "\tidentity        = keyid:" LONG LONG LONG LONG "\n" },
	{ 3, "identity = keyid:0x00" HEX HEX HEX HEX, "\tidentity        = keyid:0x00" HEX HEX HEX HEX "\n" },
	{ 3, "identity = \"keyid:a\\\"b\\\\c\"", "\tidentity        = \"keyid:a\\\"b\\\\c\"\n" },
	{ 3, "identity = \"a\\\"b\\\\c@example.org\"", "\tidentity        = \"a\\\"b\\\\c@example.org\"\n" },
	{ 3, "identity = \"description=" LONG LONG LONG LONG "\"", "\tidentity        = \"description=" LONG LONG LONG LONG "\"\n" },
	{ 3, "identity = \"O=a\\\\01b\"", "\tidentity        = \"O=a\\\\01b\"\n" },
	{ 10, "identity = 203.0.113.2", "\tidentity        = 203.0.113.2\n" },
	{ 7, "auth = psk", "\tauth            = psk\n" },
	{ 8, "psk_file = good.psk", "\tpsk_file        = /etc/postern/good.psk\n" },
	{ 8, "psk_file = good.psk\naccept_weak_psk = yes", "\taccept_weak_psk = yes\n" },
	{ 11, "", "\taccept_weak_psk = no\n" },
	{ 11, "", "\tstart           = always\n" },
	{ 11, "", "\tredirect        = no\n" },
	{ 11, "redirect = follow", "\tredirect        = follow\n" },
	{ 11, "", "\tpriority        = 0\n" },
	{ 11, "priority = 9", "\tpriority        = 9\n" },
	{ 11, "start = traffic", "\tstart           = traffic\n" },
	{ 11, "start = manual", "\tstart           = manual\n" },
	{ 5, "}\nme berlin {\nidentity = b.example.org\n}", "\nme berlin {\n\tidentity        = b.example.org\n}\n" },
	{ 11, "local_identity = 198.51.100.7", "\tlocal_identity  = 198.51.100.7\n" },
	{ 11, "", "\tlocal_identity  = left.example.org\n" },
	{ 11, "local_address = 198.51.100.7", "\tlocal_address   = 198.51.100.7\n" },
	{ 11, "port = 4500", "\tport            = 4500\n" },
	{ 11, "", "\tport            = 500\n" },
	{ 11, "encap = always", "\tencap           = always\n" },
	{ 11, "", "\tencap           = auto\n" },
	{ 11, "policy = compatible", "\tpolicy          = compatible\n" },
	{ 11, "", "\tpolicy          = modern\n" },
	{ 11, "policy = { aes256gcm16 prfsha384, x25519 }", "\tpolicy          = { aes256gcm16 prfsha384 x25519 }\n" },
	{ 11, "propose = one", "\tpropose         = one\n" },
	{ 11, "", "\tpropose         = all\n" },
	{ 11, "full_transcript = require", "\tfull_transcript = require\n" },
	{ 11, "", "\tfull_transcript = auto\n" },
	{ 11, "liveness = 2h", "\tliveness        = 7200s\n" },
	{ 11, "", "\tliveness        = 30s\n" },
	{ 11, "keepalive = 5m", "\tkeepalive       = 300s\n" },
	{ 11, "", "\tkeepalive       = 20s\n" },
	{ 11, "fragment_size = 0", "\tfragment_size   = 0\n" },
	{ 11, "fragment_size = 576", "\tfragment_size   = 576\n" },
	{ 11, "", "\tfragment_size   = 1280\n" },
	{ 13, "local = { 10.1.0.0/24[tcp/443] 10.1.1.1 }", "\t\tlocal         = { 10.1.0.0/24[tcp/443], 10.1.1.1/32 }\n" },
	{ 14, "remote = \"10.2.0.0/16 udp/5000-5010\"", "\t\tremote        = { 10.2.0.0/16[udp/5000-5010] }\n" },
	{ 15, "mode = tunnel", "\t\tmode          = tunnel\n" },
	{ 15, "dataplane = user", "\t\tdataplane     = user\n" },
	{ 15, "", "\t\tdataplane     = auto\n" },
	{ 15, "interface = ipsec0", "\t\tinterface     = ipsec0\n" },
	{ 15, "interface = ipsec0\naddresses = 10.255.0.1/30", "\t\taddresses     = 10.255.0.1/30\n" },
	{ 15, "interface = a.b-c_d\naddresses = { 10.255.0.1, 2001:db8:ff::1/64 }",
	  "\t\taddresses     = { 10.255.0.1/32, 2001:db8:ff::1/64 }\n" },
	{ 15, "offload = no", "\t\toffload       = no\n" },
	{ 15, "offload = crypto", "\t\toffload       = crypto\n" },
	{ 15, "offload = packet", "\t\toffload       = packet\n" },
	{ 15, "", "\t\toffload       = auto\n" },
	{ 15, "replay_window = 4096", "\t\treplay_window = 4096\n" },
	{ 15, "", "\t\treplay_window = 1024\n" },
	{ 15, "lifetime = 8h", "\t\tlifetime      = 28800s\n" },
	{ 15, "", "\t\tlifetime      = 3600s\n" },
	{ 15, "life_bytes = 1125899906842624", "\t\tlife_bytes    = 1125899906842624\n" },
	{ 15, "", "\t\tlife_bytes    = 0\n" },
	{ 15, "life_packets = 5000000000", "\t\tlife_packets  = 5000000000\n" },
	{ 15, "", "\t\tlife_packets  = 0\n" },
	{ 15, "esn = no", "\t\tesn           = no\n" },
	{ 15, "", "\t\tesn           = yes\n" },
	{ 15, "icmp_errors = no", "\t\ticmp_errors   = no\n" },
	{ 15, "", "\t\ticmp_errors   = yes\n" },
	{ 15, "copy_dscp = no", "\t\tcopy_dscp     = no\n" },
	{ 15, "copy_dscp = in", "\t\tcopy_dscp     = in\n" },
	{ 15, "copy_dscp = both", "\t\tcopy_dscp     = both\n" },
	{ 15, "", "\t\tcopy_dscp     = out\n" },
	{ 15, "ecn = no", "\t\tecn           = no\n" },
	{ 15, "", "\t\tecn           = yes\n" },
	{ 15, "ttl = 255", "\t\tttl           = 255\n" },
	{ 15, "", "\t\tttl           = 0\n" },
	{ 15, "flow_label = copy", "\t\tflow_label    = copy\n" },
	{ 15, "", "\t\tflow_label    = auto\n" },
};
/* clang-format on */

static char *shown(const char *text)
{
	struct conf *c = fixture_load(text);
	char *out = conf_text(c);

	conf_free(c);
	ck_assert_ptr_nonnull(out);
	return out;
}

START_TEST(an_option_does_what_it_says)
{
	char *text = fixture_text(rows[_i].line, rows[_i].text);
	char *out = shown(text);

	ck_assert_msg(strstr(out, rows[_i].shown) != NULL, "not shown: %sbut:\n%s", rows[_i].shown,
		      out);
	free(out);
	free(text);
}
END_TEST

START_TEST(what_is_shown_loads_as_the_same)
{
	char *text = fixture_text(rows[_i].line, rows[_i].text);
	struct conf *was = fixture_load(text);
	char *out = conf_text(was);
	struct conf *is = fixture_load(out);
	struct conf_diff d;

	ck_assert_int_eq(conf_diff(was, is, &d), OK);
	ck_assert_uint_eq(d.n_changes, 0);
	conf_diff_free(&d);
	conf_free(was);
	conf_free(is);
	free(out);
	free(text);
}
END_TEST

START_TEST(one_line_blocks_carriage_returns_and_no_last_line_end_are_fine)
{
	char *plain = fixture_text(0, "");
	char *expected = shown(plain);
	char *out = shown(
		"me { identity = left.example.org }\r\nconnection office {\r\nauth = psk\r\npsk_file = good.psk\r\n"
		"address = 203.0.113.2\r\nidentity = right.example.org\r\n"
		"child lan {\r\nlocal = 10.1.0.0/16\r\nremote = 10.2.0.0/16 }\r\n}");

	ck_assert_str_eq(out, expected);
	free(out);
	free(expected);
	free(plain);
}
END_TEST

static void row_judge(const struct schema_option *row)
{
	ck_assert_msg(row->brief && row->example && row->since && row->values,
		      "%s: brief, example, since or values is missing", row->name);
	ck_assert_msg(strncmp(row->example, row->name, strlen(row->name)) == 0,
		      "%s: the example is of another option", row->name);
	ck_assert_msg((row->type == SCHEMA_CHOICE) == (row->choices != NULL), "%s: choices",
		      row->name);
	ck_assert_msg(!(row->required && row->preset), "%s: required with a default", row->name);
	ck_assert_msg(row->type != SCHEMA_NUMBER || (row->max > row->min && row->preset),
		      "%s: a number has bounds", row->name);
}

START_TEST(every_row_of_the_schema_is_whole_and_single)
{
	const struct schema_option *row;

	for (size_t i = 0; (row = schema_row(i)); i++) {
		row_judge(row);
		ck_assert_ptr_eq(schema_find(row->block, row->name), row);
	}
}
END_TEST

static int example_line(const struct schema_option *row)
{
	static const int lines[] = { [SCHEMA_GLOBAL] = 1,
				     [SCHEMA_ME] = 4,
				     [SCHEMA_CONNECTION] = 11,
				     [SCHEMA_CHILD] = 15 };

	if (strcmp(row->name, "identity") == 0)
		return row->block == SCHEMA_ME ? 3 : 10;
	if (strcmp(row->name, "address") == 0)
		return 9;
	if (strcmp(row->name, "auth") == 0)
		return 7;
	if (strcmp(row->name, "psk_file") == 0)
		return 8;
	return lines[row->block];
}

/* local and remote have two families, so only together; me, passphrase_file, addresses and qcd want
 * a companion. */
static bool example_alone(const struct schema_option *row)
{
	return row->type != SCHEMA_SELECTORS && row->type != SCHEMA_ME_NAME &&
	       row->type != SCHEMA_ADDRESSES &&
	       row->file != CONF_FILE_PASSPHRASE && strcmp(row->name, "qcd") != 0;
}

START_TEST(every_example_of_the_schema_loads)
{
	const struct schema_option *row;

	for (size_t i = 0; (row = schema_row(i)); i++) {
		char *text = fixture_text(example_line(row), row->example);

		if (example_alone(row))
			conf_free(fixture_load(text));
		free(text);
	}
}
END_TEST

UNIT("conf/options")
{
	tcase_add_loop_test(tc, an_option_does_what_it_says, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tc, what_is_shown_loads_as_the_same, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, one_line_blocks_carriage_returns_and_no_last_line_end_are_fine);
	tcase_add_test(tc, every_row_of_the_schema_is_whole_and_single);
	tcase_add_test(tc, every_example_of_the_schema_loads);
}
