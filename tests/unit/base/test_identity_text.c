/* SPDX-License-Identifier: Apache-2.0 */
/* Distinguished names as text: DER written by hand, and DER that somebody wrote wrongly on purpose.
 */
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/identity.h"
#include "tests/unit/unit.h"

#define CN "\x06\x03\x55\x04\x03"
#define C  "\x06\x03\x55\x04\x06"
#define O  "\x06\x03\x55\x04\x0a"
#define DC "\x06\x0a\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"

static const struct {
	const char *der;
	size_t len;
	const char *text;
} names[] = {
#define NAME(der, text)                    \
	{                                  \
		der, sizeof(der) - 1, text \
	}
	NAME("\x30\x0f\x31\x0d\x30\x0b" CN "\x0c\x04gate", "CN=gate"),
	/* two, in the order of the encoding */
	NAME("\x30\x1a\x31\x0b\x30\x09" C "\x13\x02XX\x31\x0b\x30\x09" CN "\x0c\x02gw",
	     "C=XX, CN=gw"),
	/* a set of two */
	NAME("\x30\x18\x31\x16\x30\x09" CN "\x0c\x02gw\x30\x09" O "\x0c\x02"
	     "ex",
	     "CN=gw+O=ex"),
	NAME("\x30\x16\x31\x14\x30\x12" DC "\x16\x04test", "DC=test"),
	/* a value that would pass for an attribute of its own, quotes, an escape sequence */
	NAME("\x30\x13\x31\x11\x30\x0f" CN "\x0c\x08x, CN=gw", "CN=x\\, CN\\=gw"),
	NAME("\x30\x10\x31\x0e\x30\x0c" CN "\x0c\x05\"\x1b+\\a", "CN=\\\"\\x1b\\+\\\\a"),
	NAME("\x30\x0d\x31\x0b\x30\x09" CN "\x0c\x02\x00\xff", "CN=\\x00\\xff"),
	/* a string type that is not bytes of text, an attribute without a name, an empty value */
	NAME("\x30\x0f\x31\x0d\x30\x0b" CN "\x1e\x04\x00g\x00w", "CN=#00670077"),
	NAME("\x30\x0d\x31\x0b\x30\x09\x06\x03\x2a\x03\x04\x0c\x02gw", "1.2.3.4=gw"),
	NAME("\x30\x0f\x31\x0d\x30\x0b\x06\x05\x88\x37\x8f\x7f\x01\x0c\x02gw", "2.999.2047.1=gw"),
	NAME("\x30\x0b\x31\x09\x30\x07" CN "\x0c\x00", "CN="),
	/* the long form of a length, also where the short one would do */
	NAME("\x30\x81\x0d\x31\x0b\x30\x09" CN "\x0c\x02gw", "CN=gw"),
	NAME("\x30\x82\x00\x0d\x31\x0b\x30\x09" CN "\x0c\x02gw", "CN=gw"),
	/* not a Name: shown as bytes */
	NAME("\x30\x00", "dn:0x3000"),
	NAME("\x30\x02\x31\x00", "dn:0x30023100"),
	NAME("\x30", "dn:0x30"),
	NAME("\x30\x80", "dn:0x3080"), /* indefinite */
	NAME("\x30\x83\x00\x00\x01\x00", "dn:0x308300000100"),
	NAME("\x30\x84\xff\xff\xff\xff", "dn:0x3084ffffffff"),
	NAME("\x31\x02\x31\x00", "dn:0x31023100"),
	NAME("\x30\x0d\x31\x0b\x30\x09" CN "\x0c\x03gw", "dn:0x300d310b30090603550403"
							 "0c036777"),
	NAME("\x30\x0d\x31\x0b\x30\x09" CN "\x0c\x01gw", "dn:0x300d310b30090603550403"
							 "0c016777"),
	NAME("\x30\x0d\x31\x0b\x30\x09" CN "\x0c\x02gw!", "dn:0x300d310b30090603550403"
							  "0c02677721"),
#undef NAME
};

static const char *dn_text(const void *der, size_t len, char buf[static IDENTITY_TEXT_MAX])
{
	struct identity id;

	ck_assert_int_eq(identity_from_wire(&id, ID_DER_ASN1_DN, span_of(der, len)), OK);
	return identity_text(&id, buf);
}

START_TEST(distinguished_names_are_shown)
{
	char buf[IDENTITY_TEXT_MAX];

	ck_assert_str_eq(dn_text(names[_i].der, names[_i].len, buf), names[_i].text);
}
END_TEST

/* Cut off at every byte, and with every byte changed to every value: always printable, never a
 * crash. */
START_TEST(damaged_names_give_printable_text)
{
	char buf[IDENTITY_TEXT_MAX];
	uint8_t der[64];

	for (size_t len = 1; len <= names[_i].len; len++) {
		for (unsigned int v = 0; v < 256; v++) {
			memcpy(der, names[_i].der, len);
			der[len - 1] = (uint8_t)v;
			dn_text(der, len, buf);
			ck_assert_uint_gt(strlen(buf), 0);
			for (const char *p = buf; *p != '\0'; p++)
				ck_assert((uint8_t)*p >= ' ' && *p != 0x7f);
		}
	}
}
END_TEST

START_TEST(a_name_of_the_longest_values_fits_or_is_shown_as_bytes)
{
	char buf[IDENTITY_TEXT_MAX];
	uint8_t der[IDENTITY_MAX];
	struct wr w = wr_into(der, sizeof(der));

	wr_span(&w,
		span_of("\x30\x82\x01\xfc\x31\x82\x01\xf8\x30\x82\x01\xf4" CN "\x0c\x82\x01\xeb",
			21));
	while (wr_left(&w) > 0)
		wr_u8(&w, 0x01);
	ck_assert_uint_eq(strlen(dn_text(der, sizeof(der), buf)), 3 + 200 * 4 + 3);
}
END_TEST

START_TEST(many_long_values_fall_back_to_bytes)
{
	static const uint8_t one[] =
		"\x31\x11\x30\x0f" CN "\x0c\x08\x01\x01\x01\x01\x01\x01\x01\x01";
	char buf[IDENTITY_TEXT_MAX];
	uint8_t der[4 + 26 * 19];
	struct wr w = wr_into(der, sizeof(der));

	wr_span(&w, span_of("\x30\x82\x01\xee", 4));
	for (unsigned int i = 0; i < 26; i++)
		wr_span(&w, span_of(one, sizeof(one) - 1));
	dn_text(der, sizeof(der), buf);
	ck_assert_int_eq(strncmp(buf, "dn:0x308201ee", 13), 0);
}
END_TEST

/* A set of one CN of `len` bytes; every length in the form of two bytes. */
static void cn_add(struct wr *w, size_t len, uint8_t byte)
{
	size_t set, attribute, value;

	wr_span(w, span_str("\x31\x82"));
	set = wr_hole_u16(w);
	wr_span(w, span_str("\x30\x82"));
	attribute = wr_hole_u16(w);
	wr_span(w, span_str(CN "\x0c\x82"));
	value = wr_hole_u16(w);
	for (size_t i = 0; i < len; i++)
		wr_u8(w, byte);
	wr_fill_len16(w, value, value + 2);
	wr_fill_len16(w, attribute, attribute + 2);
	wr_fill_len16(w, set, set + 2);
}

/* A name whose text is as long as the buffer once was shown as nothing: the text fitted, and its
 * NUL did not. */
START_TEST(a_name_that_leaves_no_place_for_its_nul_is_shown_as_bytes)
{
	enum { BEFORE = sizeof("CN=") - 1 + 4 * ESCAPE_MAX + sizeof(", CN=") - 1 };
	size_t len = IDENTITY_TEXT_MAX - 2 + (size_t)_i;
	char buf[IDENTITY_TEXT_MAX];
	uint8_t der[IDENTITY_MAX];
	struct wr w = wr_into(der, sizeof(der));
	size_t names_len;

	wr_span(&w, span_str("\x30\x82"));
	names_len = wr_hole_u16(&w);
	cn_add(&w, ESCAPE_MAX, 0x01);
	cn_add(&w, len - BEFORE, 'n');
	wr_fill_len16(&w, names_len, names_len + 2);
	dn_text(der, wr_len(&w), buf);
	if (len < IDENTITY_TEXT_MAX) {
		ck_assert_uint_eq(strlen(buf), len);
		ck_assert_int_eq(strncmp(buf, "CN=\\x01", 7), 0);
	} else {
		ck_assert_int_eq(strncmp(buf, "dn:0x3082", 9), 0);
	}
}
END_TEST

START_TEST(other_types_show_their_number)
{
	char buf[IDENTITY_TEXT_MAX];
	struct identity id;

	ck_assert_int_eq(identity_from_wire(&id, 200, span_of("\x01\xff", 2)), OK);
	ck_assert_str_eq(identity_text(&id, buf), "type-200:0x01ff");
	id = (struct identity){ .type = ID_NONE };
	ck_assert_str_eq(identity_text(&id, buf), "none");
	id = (struct identity){ .type = ID_IPV4_ADDR, .len = 3 };
	ck_assert_str_eq(identity_text(&id, buf), "-");
}
END_TEST

START_TEST(names_of_strangers_are_escaped)
{
	char buf[IDENTITY_TEXT_MAX];
	uint8_t long_name[IDENTITY_MAX];
	struct identity id;

	ck_assert_int_eq(identity_from_wire(&id, ID_FQDN, span_str("a\" b=\"\xff")), OK);
	ck_assert_str_eq(identity_text(&id, buf), "a\\\" b=\\\"\\xff");
	memset(long_name, 0xff, sizeof(long_name));
	ck_assert_int_eq(identity_from_wire(&id, ID_FQDN, span_of(long_name, sizeof(long_name))),
			 OK);
	ck_assert_uint_eq(strlen(identity_text(&id, buf)), 200 * 4 + 3);
	ck_assert_int_eq(identity_from_wire(&id, ID_KEY_ID, span_of(long_name, sizeof(long_name))),
			 OK);
	ck_assert_uint_eq(strlen(identity_text(&id, buf)), 8 + 200 * 2 + 3);
}
END_TEST

UNIT("base/identity_text")
{
	tcase_add_loop_test(tc, distinguished_names_are_shown, 0, sizeof(names) / sizeof(names[0]));
	tcase_add_loop_test(tc, damaged_names_give_printable_text, 0,
			    sizeof(names) / sizeof(names[0]));
	tcase_add_test(tc, a_name_of_the_longest_values_fits_or_is_shown_as_bytes);
	tcase_add_test(tc, many_long_values_fall_back_to_bytes);
	tcase_add_loop_test(tc, a_name_that_leaves_no_place_for_its_nul_is_shown_as_bytes, 0, 4);
	tcase_add_test(tc, other_types_show_their_number);
	tcase_add_test(tc, names_of_strangers_are_escaped);
}
