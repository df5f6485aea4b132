/* SPDX-License-Identifier: Apache-2.0 */
/* A tunnel comes up: by every kind of proof, from either end, from both. */
#include "tests/sim/confs.h"

static const struct sim_conf psk = SITE(PSK MANUAL, PSK MANUAL);
static const struct sim_conf certificates = SITE(CERT MANUAL, CERT MANUAL);
static const struct sim_conf ipv6 = SITE6(CERT MANUAL, CERT MANUAL);
static const struct sim_conf always = SITE(CERT ALWAYS, CERT ALWAYS);
static const struct sim_conf groups = SITE(PSK MANUAL X25519_FIRST, PSK MANUAL ECP256_FIRST);
static const struct sim_conf slow_group = SITE(PSK MANUAL MODP_4096, PSK MANUAL MODP_4096);
static const struct sim_conf slow_other_group =
	SITE(PSK MANUAL " policy = { aes256gcm16 prfsha384 x25519 modp4096 }\n",
	     PSK MANUAL " policy = { aes256gcm16 prfsha384 modp4096 x25519 }\n");
static const struct sim_conf cbc = SITE(PSK MANUAL " policy = { aes256 sha384 prfsha384 x25519 }\n",
					PSK MANUAL " policy = compatible\n");
static const struct sim_conf encap =
	SITE(CERT MANUAL " encap = always\n", CERT MANUAL " encap = always\n");
static const struct sim_conf port_4500 =
	SITE(CERT MANUAL " port = 4500\n", CERT MANUAL " port = 4500\n");
static const struct sim_conf encap_of_left = SITE(CERT MANUAL " encap = always\n", CERT MANUAL);
static const struct sim_conf encap_of_right = SITE(CERT MANUAL, CERT MANUAL " encap = always\n");

static const struct sim_conf esn_of_one = {
	{ LEFT_BEGIN PSK MANUAL CHILD("net", "10.1.0.0/16", "10.2.0.0/16\n  esn = no") "}\n",
	  RIGHT_BEGIN PSK MANUAL CHILD("net", "10.2.0.0/16", "10.1.0.0/16\n  esn = yes") "}\n" }
};
static const struct sim_conf require =
	SITE(PSK MANUAL " full_transcript = require\n", PSK MANUAL " full_transcript = require\n");

#define ROAD                                                                      \
	"connection site {\n address = any\n identity = any\n" MANUAL CERT CHILD( \
		"net", "10.2.0.0/16", "10.1.0.0/16") "}\n"
static const struct sim_conf any = { { LEFT_SITE(CERT MANUAL), ME("right.example.org") ROAD } };

static const struct sim_conf narrower = {
	{ LEFT_BEGIN PSK MANUAL CHILD("net", "10.0.0.0/8", "{ 10.2.0.0/16, 172.16.0.0/12 }") "}\n",
	  RIGHT_BEGIN PSK MANUAL CHILD("net", "10.2.3.0/24", "10.1.0.0/16") "}\n" }
};

/* Two connections between the same addresses, told apart by who speaks. */
#define NAMED(me, name) "me " me " {\n identity = " name "\n}\n"
#define TWO_LEFT                          \
	NAMED("site", "left.example.org") \
	NAMED("lab", "lab.example.org")   \
	PEER("198.51.100.2", "right.example.org") " me = site\n" PSK ALWAYS LEFT_NET "}\n"
#define LAB(address, name) "connection lab {\n address = " address "\n identity = " name "\n"
static const struct sim_conf two = {
	{ TWO_LEFT LAB("198.51.100.2", "right.example.org") " me = lab\n" PSK ALWAYS CHILD(
		  "net", "10.5.0.0/16", "10.6.0.0/16") "}\n",
	  RIGHT_SITE(PSK ALWAYS) LAB("192.0.2.1", "lab.example.org")
		  PSK MANUAL CHILD("net", "10.6.0.0/16", "10.5.0.0/16") "}\n" }
};

static void both_connections(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_expect(s, "lab", 1);
	sim_down(s, LEFT, "lab");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_expect(s, "lab", 0);
}

static void left_begins(struct sim *s)
{
	sim_up(s, LEFT, "site");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

static void right_begins(struct sim *s)
{
	sim_up(s, RIGHT, "site");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

static void both_begin(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

static void both_are_told(struct sim *s)
{
	sim_up(s, LEFT, "site");
	sim_run_ms(s, sim_draw(s, 0, 200));
	sim_up(s, RIGHT, "site");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

static void told_again_and_again(struct sim *s)
{
	for (int i = 0; i < 10; i++) {
		sim_up(s, sim_side(s), "site");
		sim_run_ms(s, sim_draw(s, 0, 100));
	}
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

#define DELAYED DELAYS(1, 150)

const struct sim_scenario scenarios_up[] = {
	{ "psk", "a pre-shared key brings up one pair", left_begins, &psk, DELAYED, 0 },
	{ "certificates", "certificates bring up one pair", left_begins, &certificates, DELAYED,
	  0 },
	{ "ipv6", "so they do over IPv6, for IPv4 and IPv6 behind it", left_begins, &ipv6, DELAYED,
	  0 },
	{ "from-the-right", "either end may begin", right_begins, &certificates, DELAYED, 0 },
	{ "both-begin", "both ends begin at once: one pair", both_begin, &always, DELAYED, 0 },
	{ "both-are-told", "both ends are told to, one a little later: one pair", both_are_told,
	  &psk, DELAYED, 0 },
	{ "told-again", "`up` at both ends, again and again: one pair", told_again_and_again, &psk,
	  DELAYED, 0 },
	{ "invalid-ke", "another first group is asked for and taken", left_begins, &groups, DELAYED,
	  0 },
	{ "slow-group", "a slow group is computed by a worker", left_begins, &slow_group, DELAYED,
	  0 },
	{ "slow-other-group", "so is one that is asked for", left_begins, &slow_other_group,
	  DELAYED, 0 },
	{ "cbc", "encryption with integrity, chosen from more", left_begins, &cbc, DELAYED, 0 },
	{ "encap-always", "4500 though there is no NAT", left_begins, &encap, DELAYED, 0 },
	{ "encap-of-left", "one end wants that", left_begins, &encap_of_left, DELAYED, 0 },
	{ "encap-of-right", "the other does", left_begins, &encap_of_right, DELAYED, 0 },
	{ "esn-of-one", "one end without extended sequence numbers", left_begins, &esn_of_one,
	  DELAYED, 0 },
	{ "port-4500", "the first message goes to 4500", left_begins, &port_4500, DELAYED, 0 },
	{ "full-transcript", "`full_transcript = require` at both ends", left_begins, &require,
	  DELAYED, 0 },
	{ "any", "a responder that takes any peer with a certificate", left_begins, &any, DELAYED,
	  0 },
	{ "narrowing", "what both ends have in common is carried", left_begins, &narrower, DELAYED,
	  0 },
	{ "two-connections", "two connections between the same two addresses", both_connections,
	  &two, DELAYED, 0 },
	{ 0 },
};
