/* SPDX-License-Identifier: Apache-2.0 */
#include "base/identity.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	const char *text;
	enum err err;
	uint8_t type;
	const char *shown;
} written[] = {
	{ "192.0.2.1", OK, ID_IPV4_ADDR, "192.0.2.1" },
	{ "2001:DB8::1", OK, ID_IPV6_ADDR, "2001:db8::1" },
	{ "gw.example.org", OK, ID_FQDN, "gw.example.org" },
	{ "left", OK, ID_FQDN, "left" },
	{ "gw-1.ex_ample.org", OK, ID_FQDN, "gw-1.ex_ample.org" },
	{ "1and1.example", OK, ID_FQDN, "1and1.example" },
	{ "user@example.org", OK, ID_RFC822_ADDR, "user@example.org" },
	{ "a@b@example.org", OK, ID_RFC822_ADDR, "a@b@example.org" },
	{ "keyid:office-7", OK, ID_KEY_ID, "keyid:office-7" },
	{ "keyid:0x0badcafe", OK, ID_KEY_ID, "keyid:0x0badcafe" },
	{ "keyid:0x6f666669636537", OK, ID_KEY_ID, "keyid:office7" },
	{ "keyid:two words", OK, ID_KEY_ID, "keyid:0x74776f20776f726473" },
	{ "keyid:0x30783132", OK, ID_KEY_ID, "keyid:0x30783132" }, /* the text "0x12" */
	{ "CN=gw, O=Example", ERR_UNSUPPORTED, ID_DER_ASN1_DN, NULL },
	{ "2.5.4.3 = gw", ERR_UNSUPPORTED, ID_DER_ASN1_DN, NULL },
	{ "", ERR_CONFIG, ID_NONE, NULL },
	{ "192.0.2.256", ERR_CONFIG, ID_NONE, NULL }, /* an address with a slip */
	{ "192.0.2", ERR_CONFIG, ID_NONE, NULL },
	{ "10", ERR_CONFIG, ID_NONE, NULL },
	{ "gw..example.org", ERR_CONFIG, ID_NONE, NULL },
	{ ".example.org", ERR_CONFIG, ID_NONE, NULL },
	{ "gw.example.org.", ERR_CONFIG, ID_NONE, NULL },
	{ "gw example.org", ERR_CONFIG, ID_NONE, NULL },
	{ "*.example.org", ERR_CONFIG, ID_NONE, NULL },
	{ "@example.org", ERR_CONFIG, ID_NONE, NULL },
	{ "user@", ERR_CONFIG, ID_NONE, NULL },
	{ "a b@example.org", ERR_CONFIG, ID_NONE, NULL },
	{ "keyid:", ERR_CONFIG, ID_NONE, NULL },
	{ "keyid:0x", ERR_CONFIG, ID_NONE, NULL },
	{ "keyid:0x123", ERR_CONFIG, ID_NONE, NULL },
	{ "keyid:0xzz", ERR_CONFIG, ID_NONE, NULL },
	{ "fe80::1%lo", ERR_CONFIG, ID_NONE, NULL },
	{ "a23456789012345678901234567890123456789012345678901234567890123", OK, ID_FQDN,
	  "a23456789012345678901234567890123456789012345678901234567890123" },
	{ "a234567890123456789012345678901234567890123456789012345678901234", ERR_CONFIG, ID_NONE,
	  NULL },
};

START_TEST(identities_are_read_as_people_write_them)
{
	char buf[IDENTITY_TEXT_MAX];
	struct identity id;

	ck_assert_int_eq(identity_parse(&id, written[_i].text), written[_i].err);
	ck_assert_uint_eq(id.type, written[_i].type);
	if (written[_i].err == OK)
		ck_assert_str_eq(identity_text(&id, buf), written[_i].shown);
}
END_TEST

START_TEST(long_texts_are_refused_and_not_cut)
{
	char text[2048] = "keyid:0x";
	struct identity id;

	memset(text + 8, '1', IDENTITY_MAX * 2);
	ck_assert_int_eq(identity_parse(&id, text), OK);
	ck_assert_uint_eq(id.len, IDENTITY_MAX);
	memset(text + 8, '1', IDENTITY_MAX * 2 + 2);
	ck_assert_int_eq(identity_parse(&id, text), ERR_CONFIG);
	memset(text, 'a', 300);
	for (size_t i = 40; i < 300; i += 40)
		text[i] = '.';
	text[253] = '\0';
	ck_assert_int_eq(identity_parse(&id, text), OK);
	text[253] = 'a';
	text[254] = '\0';
	ck_assert_int_eq(identity_parse(&id, text), ERR_CONFIG);
	/* The local part of an e-mail has no length of its own. */
	memset(text, 'a', sizeof(text));
	memcpy(text + IDENTITY_MAX - 2, "@b", 3);
	ck_assert_int_eq(identity_parse(&id, text), OK);
	ck_assert_uint_eq(id.len, IDENTITY_MAX);
	memcpy(text + IDENTITY_MAX - 2, "a@b", 4);
	ck_assert_int_eq(identity_parse(&id, text), ERR_CONFIG);
	ck_assert_uint_eq(id.type, ID_NONE);
}
END_TEST

/* Which body sizes of which type are taken from the wire. */
START_TEST(wire_lengths_are_judged_by_type)
{
	static const uint8_t types[] = { 1, 2, 3, 5, 9, 10, 11, 0, 200 };
	uint8_t body[IDENTITY_MAX + 1];
	uint8_t type = types[_i];

	memset(body, 'a', sizeof(body));
	for (size_t len = 0; len <= sizeof(body); len++) {
		struct identity id;
		bool good = len > 0 && len <= IDENTITY_MAX && type != 0 &&
			    (type != 1 || len == 4) && (type != 5 || len == 16);

		ck_assert_int_eq(identity_from_wire(&id, type, span_of(body, len)),
				 good ? OK : ERR_SYNTAX);
		ck_assert_uint_eq(id.type, good ? type : 0);
		ck_assert_uint_eq(identity_span(&id).len, good ? len : 0);
	}
}
END_TEST

/* "good.example\0.evil" has opened doors elsewhere. */
START_TEST(control_bytes_are_refused_in_names)
{
	for (unsigned int b = 0; b < 256; b++) {
		uint8_t body[] = { 'g', 'w', (uint8_t)b, 'x' };
		bool good = b >= 0x20 && b != 0x7f;
		struct identity id;

		ck_assert_int_eq(identity_from_wire(&id, ID_FQDN, span_of(body, 4)) == OK, good);
		ck_assert_int_eq(identity_from_wire(&id, ID_RFC822_ADDR, span_of(body, 4)) == OK,
				 good);
		ck_assert_int_eq(identity_from_wire(&id, ID_KEY_ID, span_of(body, 4)), OK);
	}
}
END_TEST

static const struct {
	const char *a, *b;
	bool equal;
} compared[] = {
	{ "gw.example.org", "GW.Example.ORG", true },
	{ "gw.example.org", "gw.example.orgx", false },
	{ "gw.example.org", "keyid:gw.example.org", false },
	{ "user@example.org", "user@EXAMPLE.org", true },
	{ "user@example.org", "User@example.org", false },
	{ "user@example.org", "use@rexample.org", false },
	{ "keyid:abc", "keyid:ABC", false },
	{ "keyid:abc", "keyid:0x616263", true },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.2", false },
	{ "192.0.2.1", "::ffff:192.0.2.1", true },
};

START_TEST(equal_is_judged_by_type)
{
	struct identity a, b;

	ck_assert_int_eq(identity_parse(&a, compared[_i].a), OK);
	ck_assert_int_eq(identity_parse(&b, compared[_i].b), OK);
	ck_assert_int_eq(identity_eq(&a, &b), compared[_i].equal);
	ck_assert_int_eq(identity_eq(&b, &a), compared[_i].equal);
}
END_TEST

START_TEST(no_identity_equals_none)
{
	struct identity a = { .type = ID_NONE };

	ck_assert(!identity_eq(&a, &a));
}
END_TEST

START_TEST(types_have_names)
{
	ck_assert_str_eq(identity_type_name(ID_IPV4_ADDR), "ipv4");
	ck_assert_str_eq(identity_type_name(ID_IPV6_ADDR), "ipv6");
	ck_assert_str_eq(identity_type_name(ID_FQDN), "fqdn");
	ck_assert_str_eq(identity_type_name(ID_RFC822_ADDR), "email");
	ck_assert_str_eq(identity_type_name(ID_DER_ASN1_DN), "dn");
	ck_assert_str_eq(identity_type_name(ID_KEY_ID), "keyid");
	ck_assert_str_eq(identity_type_name(0), "unknown");
	ck_assert_str_eq(identity_type_name(255), "unknown");
}
END_TEST

UNIT("base/identity")
{
	tcase_add_loop_test(tc, identities_are_read_as_people_write_them, 0,
			    sizeof(written) / sizeof(written[0]));
	tcase_add_test(tc, long_texts_are_refused_and_not_cut);
	tcase_add_loop_test(tc, wire_lengths_are_judged_by_type, 0, 9);
	tcase_add_test(tc, control_bytes_are_refused_in_names);
	tcase_add_loop_test(tc, equal_is_judged_by_type, 0, sizeof(compared) / sizeof(compared[0]));
	tcase_add_test(tc, no_identity_equals_none);
	tcase_add_test(tc, types_have_names);
}
