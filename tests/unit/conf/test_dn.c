/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>

#include "conf/dn.h"
#include "tests/unit/unit.h"

static const struct {
	const char *text;
	const char *shown;
} good[] = {
	{ "CN=gw", "CN=gw" },
	{ "C=XX, O=Example, CN=gw", "C=XX, O=Example, CN=gw" },
	{ "CN=gw,O=Example", "CN=gw, O=Example" },
	{ " CN = gw , O = Example ", "CN=gw, O=Example" },
	{ "O=\"Example, Inc.\", CN=gw", "O=Example\\, Inc., CN=gw" },
	{ "O=Example\\, Inc., CN=gw", "O=Example\\, Inc., CN=gw" },
	{ "O=Example\\2C Inc., CN=gw", "O=Example\\, Inc., CN=gw" },
	{ "CN=gw\\\\ ", "CN=gw\\\\" }, /* a backslash, and a space that nothing keeps */
	{ "CN=a+OU=b, O=c", NULL },
	{ "DC=example, DC=org, UID=7", "DC=example, DC=org, UID=7" },
	{ "2.5.4.3=gw", "CN=gw" },
	{ "emailAddress=a@example.org", "emailAddress=a@example.org" },
	{ "CN=M\303\274ller", "CN=M\303\274ller" },
};

static const struct {
	const char *text;
	const char *why;
} bad[] = {
	{ "", "wanted is" }, /* nobody: RFC 5280 4.1.2.6 lets it stand where another name is */
	{ " ", "wanted is" },
	{ ",", "wanted is" },
	{ "CN", "wanted is" },
	{ "CN=", "wanted is" },
	{ "CN= ", "wanted is" },
	{ "=gw", "wanted is" },
	{ "CN=gw,", "wanted is" },
	{ "CN=gw, ,O=x", "wanted is" },
	{ "CN=\"gw", "wanted is" },
	{ "CN=gw\\", "wanted is" },
	{ "CN=gw\\00", "wanted is" },
	{ "XX=gw", "no attribute" },
	{ "1.2.3.4.5.6.7.8=gw\377", "cannot have this value" },
	{ "C=Germany", "cannot have this value" },
};

START_TEST(a_name_is_encoded_in_the_order_in_which_it_is_written)
{
	char why[256];
	char text[IDENTITY_TEXT_MAX];
	struct identity id;

	ck_assert_msg(dn_from_text(good[_i].text, &id, why) == OK, "%s: %s", good[_i].text, why);
	ck_assert_int_eq(id.type, ID_DER_ASN1_DN);
	if (good[_i].shown)
		ck_assert_str_eq(identity_text(&id, text), good[_i].shown);
}
END_TEST

START_TEST(what_is_shown_is_read_as_the_same)
{
	char why[256];
	char text[IDENTITY_TEXT_MAX];
	struct identity id;
	struct identity again;

	ck_assert_int_eq(dn_from_text(good[_i].text, &id, why), OK);
	ck_assert_int_eq(dn_from_text(identity_text(&id, text), &again, why), OK);
	ck_assert(identity_eq(&id, &again));
}
END_TEST

#define LONG "a23456789012345678901234567890123456789012345678901234567890"

/* identity_text cuts these off, or escapes them in a way of its own. */
static const char *const whole[] = {
	"description=" LONG LONG LONG LONG,
	"description=" LONG LONG LONG LONG ", O=" LONG ", CN=" LONG,
	"O=a\\01\\7fb, CN=gw",
	"CN=\\ gw\\ ",
	"CN=\"  gw  \"",
	"CN=a\\\"b\\\\x41\\,c\\+d",
	"CN=zero\342\200\213width", /* U+200B */
	"CN=#0c0267",
	"1.2.3.4=x, CN=gw",
	"OU=z+CN=a+O=b, C=XX",
};

static void same_by_dn_to_text(const char *written)
{
	char why[256];
	char text[DN_TEXT_MAX];
	struct identity id;
	struct identity again;

	ck_assert_msg(dn_from_text(written, &id, why) == OK, "%s: %s", written, why);
	ck_assert(dn_to_text(&id, text));
	ck_assert_msg(dn_from_text(text, &again, why) == OK, "%s: %s: %s", written, text, why);
	ck_assert_msg(identity_eq(&id, &again), "%s: %s", written, text);
	for (const char *p = text; *p; p++)
		ck_assert((uint8_t)*p >= ' ' && *p != 0x7f);
}

START_TEST(a_name_is_written_whole)
{
	same_by_dn_to_text(whole[_i]);
}
END_TEST

START_TEST(a_short_name_is_written_as_people_write_it)
{
	char why[256];
	char text[DN_TEXT_MAX];
	struct identity id;

	same_by_dn_to_text(good[_i].text);
	ck_assert_int_eq(dn_from_text(good[_i].text, &id, why), OK);
	ck_assert(dn_to_text(&id, text));
	if (good[_i].shown)
		ck_assert_str_eq(text, good[_i].shown);
}
END_TEST

/* As many attributes as fit, of the shortest and of values that are written as three times their
 * length. */
START_TEST(the_longest_text_fits)
{
	char written[2048] = "";
	char why[256];
	size_t n = 0;
	struct identity id;

	do {
		ck_assert_uint_lt(n + 40, sizeof(written));
		n += (size_t)snprintf(written + n, sizeof(written) - n, "%sjurisdictionC=XX",
				      n > 0 ? "," : "");
	} while (dn_from_text(written, &id, why) == OK);
	written[n - strlen(",jurisdictionC=XX")] = '\0';
	same_by_dn_to_text(written);
	n = (size_t)snprintf(written, sizeof(written), "description=");
	memset(written + n, 1, 240);
	n += 240;
	n += (size_t)snprintf(written + n, sizeof(written) - n, ",description=");
	memset(written + n, 1, 220);
	written[n + 220] = '\0';
	same_by_dn_to_text(written);
}
END_TEST

START_TEST(what_is_no_name_is_not_written)
{
	char text[DN_TEXT_MAX];
	struct identity id = { .type = ID_DER_ASN1_DN, .len = 2, .b = { 0x30, 0 } };

	ck_assert(!dn_to_text(&id, text));
	id = (struct identity){ .type = ID_DER_ASN1_DN, .len = 3, .b = { 'a', 'b', 'c' } };
	ck_assert(!dn_to_text(&id, text));
}
END_TEST

START_TEST(what_is_no_name_is_explained)
{
	char why[256];
	struct identity id;

	ck_assert_int_eq(dn_from_text(bad[_i].text, &id, why), ERR_CONFIG);
	ck_assert_msg(strstr(why, bad[_i].why) != NULL, "%s: %s", bad[_i].text, why);
	ck_assert_int_eq(id.type, ID_NONE);
}
END_TEST

/* certs/ compares by X509_NAME_cmp: case and runs of spaces must not matter. */
START_TEST(a_name_is_equal_to_the_subject_of_a_certificate)
{
	char why[256];
	struct identity id;
	const unsigned char *p = id.b;
	X509_NAME *subject = X509_NAME_new();
	X509_NAME *ours;

	ck_assert_int_eq(X509_NAME_add_entry_by_txt(subject, "C", MBSTRING_ASC,
						    (const unsigned char *)"XX", -1, -1, 0),
			 1);
	ck_assert_int_eq(X509_NAME_add_entry_by_txt(subject, "O", V_ASN1_PRINTABLESTRING,
						    (const unsigned char *)"Example Inc", -1, -1,
						    0),
			 1);
	ck_assert_int_eq(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
						    (const unsigned char *)"gw", -1, -1, 0),
			 1);
	ck_assert_int_eq(dn_from_text("C=XX, O=example  inc, CN=GW", &id, why), OK);
	ours = d2i_X509_NAME(NULL, &p, id.len);
	ck_assert_ptr_nonnull(ours);
	ck_assert_int_eq(X509_NAME_cmp(subject, ours), 0);
	X509_NAME_free(ours);
	X509_NAME_free(subject);
}
END_TEST

UNIT("conf/dn")
{
	tcase_add_loop_test(tc, a_name_is_encoded_in_the_order_in_which_it_is_written, 0,
			    sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tc, what_is_shown_is_read_as_the_same, 0,
			    sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tc, a_name_is_written_whole, 0, sizeof(whole) / sizeof(whole[0]));
	tcase_add_loop_test(tc, a_short_name_is_written_as_people_write_it, 0,
			    sizeof(good) / sizeof(good[0]));
	tcase_add_test(tc, the_longest_text_fits);
	tcase_add_test(tc, what_is_no_name_is_not_written);
	tcase_add_loop_test(tc, what_is_no_name_is_explained, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, a_name_is_equal_to_the_subject_of_a_certificate);
}
