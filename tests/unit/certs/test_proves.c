/* SPDX-License-Identifier: Apache-2.0 */
/* Which identities a certificate proves, kind by kind, and which it only seems to. */
#include <stdio.h>
#include <string.h>

#include "certs/cert.h"
#include "certs/x509.h"
#include "tests/unit/certs/pki.h"
#include "tests/unit/unit.h"

static struct pki *p;

static void set_up(void)
{
	p = pki_new();
}

static void tear_down(void)
{
	pki_free(p);
}

static X509 *with(const char *subject, const char *alt)
{
	return pki_cert(p, &(struct cert_spec){ .subject = subject,
						.alt = alt,
						.conf = "[dir]\nO=Dir\nCN=Name\n" })
		->x;
}

static bool proves(X509 *x, struct identity id)
{
	return x509_proves(x, &id);
}

static struct identity wire(uint8_t type, const void *bytes, size_t len)
{
	struct identity id = { .type = type, .len = (uint16_t)len };

	memcpy(id.b, bytes, len);
	return id;
}

START_TEST(each_kind_of_name_is_proved_by_its_own_kind_alone)
{
	static const char *const ids[] = {
		"gw.example.org", "admin@example.org", "192.0.2.1",
		"2001:db8::1",	  "O=Example,CN=gw",
	};
	static const char *const alts[] = {
		"DNS:gw.example.org",
		"email:admin@example.org",
		"IP:192.0.2.1",
		"IP:2001:db8::1",
		NULL,
	};

	for (size_t a = 0; a < 5; a++) {
		X509 *x = with(alts[a] ? "CN=x" : "O=Example,CN=gw", alts[a]);

		for (size_t i = 0; i < 5; i++)
			ck_assert_msg(proves(x, pki_id(ids[i])) == (a == i), "%s by %s", ids[i],
				      alts[a]);
	}
}
END_TEST

START_TEST(any_of_several_names_will_do)
{
	X509 *x = with("O=Example,CN=gw",
		       "DNS:a.example.org,IP:192.0.2.1,DNS:b.example.org,email:c@example.org,"
		       "IP:2001:db8::1,dirName:dir,URI:https://u.example.org");

	ck_assert(proves(x, pki_id("a.example.org")));
	ck_assert(proves(x, pki_id("b.example.org")));
	ck_assert(proves(x, pki_id("192.0.2.1")));
	ck_assert(proves(x, pki_id("2001:db8::1")));
	ck_assert(proves(x, pki_id("c@example.org")));
	ck_assert(proves(x, pki_id("O=Example,CN=gw")));
	ck_assert(proves(x, pki_id("O=Dir,CN=Name")));
	ck_assert(!proves(x, pki_id("u.example.org")));
	ck_assert(!proves(x, pki_id("c.example.org")));
}
END_TEST

START_TEST(domains_know_no_case_and_are_whole)
{
	X509 *x = with("CN=cn.example.org", "DNS:gw.Example.org");

	ck_assert(proves(x, pki_id("gw.example.org")));
	ck_assert(proves(x, pki_id("GW.EXAMPLE.ORG")));
	ck_assert(!proves(x, pki_id("w.example.org")));
	ck_assert(!proves(x, pki_id("gw.example.or")));
	ck_assert(!proves(x, pki_id("gw.example.org.uk")));
	ck_assert(!proves(x, pki_id("example.org")));
	ck_assert(!proves(x, pki_id("a.gw.example.org")));
	ck_assert(!proves(x, wire(ID_FQDN, "gw.example.org.", 15)));
	ck_assert(!proves(x, wire(ID_FQDN, "gw.example.org\0", 15)));
	ck_assert(!proves(x, wire(ID_FQDN, "", 0)));
}
END_TEST

/* Name constraints do not hold for it, so a common name is no domain and no mailbox. */
START_TEST(a_common_name_proves_no_domain)
{
	ck_assert(!proves(with("CN=gw.example.org", NULL), pki_id("gw.example.org")));
	ck_assert(!proves(with("CN=gw.example.org", "email:a@example.org"),
			  pki_id("gw.example.org")));
	ck_assert(!proves(with("CN=192.0.2.1", NULL), pki_id("192.0.2.1")));
	ck_assert(!proves(with("CN=x,emailAddress=a@example.org", NULL), pki_id("a@example.org")));
}
END_TEST

/* Whatever a certificate calls a domain: with these it proves nothing, not even itself. */
START_TEST(what_is_no_plain_name_proves_nothing)
{
	static const char *const alts[] = {
		"*.example.org", "gw.*.org", "*", ".example.org",     "gw.example.org.",
		"gw..org",	 "a b.org",  ".", "gw.example.org/x",
	};
	char alt[64];

	for (size_t i = 0; i < sizeof(alts) / sizeof(alts[0]); i++) {
		struct identity id;
		X509 *x;

		snprintf(alt, sizeof(alt), "DNS:%s", alts[i]);
		x = with("CN=x", alt);
		ck_assert_msg(!proves(x, wire(ID_FQDN, alts[i], strlen(alts[i]))), "%s", alts[i]);
		ck_assert(!proves(x, pki_id("gw.example.org")));
		x509_first_identity(x, &id);
		ck_assert_uint_eq(id.type, ID_DER_ASN1_DN);
	}
}
END_TEST

/* An IA5String whose bytes stand in `value`, as the one general name of that tag. */
static X509 *raw_alt(uint8_t tag, const void *value, size_t len)
{
	uint8_t der[80];
	struct wr w = wr_into(der, sizeof(der));

	wr_u8(&w, 0x30);
	wr_u8(&w, (uint8_t)(len + 2));
	wr_u8(&w, tag);
	wr_u8(&w, (uint8_t)len);
	wr_span(&w, span_of(value, len));
	return pki_cert(p, &(struct cert_spec){ .subject = "CN=x", .raw_alt = wr_done(&w) })->x;
}

enum { TAG_MAIL = 0x81, TAG_DNS = 0x82, TAG_IP = 0x87 };

START_TEST(a_nul_inside_a_name_ends_nothing)
{
	X509 *x = raw_alt(TAG_DNS, "gw.example.org\0.evil.net", 24);

	ck_assert(!proves(x, pki_id("gw.example.org")));
	ck_assert(!proves(x, wire(ID_FQDN, "gw.example.org\0.evil.net", 24)));
	x = raw_alt(TAG_DNS, "gw.example.org\0", 15);
	ck_assert(!proves(x, pki_id("gw.example.org")));
	x = raw_alt(TAG_MAIL, "a@example.org\0.evil.net", 23);
	ck_assert(!proves(x, pki_id("a@example.org")));
	ck_assert(!proves(x, wire(ID_RFC822_ADDR, "a@example.org\0.evil.net", 23)));
	x = raw_alt(TAG_DNS, "gw.ex\xe4mple.org", 14);
	ck_assert(!proves(x, wire(ID_FQDN, "gw.ex\xe4mple.org", 14)));
	/* the positive control of raw_alt */
	ck_assert(proves(raw_alt(TAG_DNS, "gw.example.org", 14), pki_id("gw.example.org")));
}
END_TEST

START_TEST(mailboxes_are_compared_as_mail_does)
{
	X509 *x = with("CN=x", "email:Admin@Example.org");

	ck_assert(proves(x, pki_id("Admin@example.ORG")));
	ck_assert(!proves(x, pki_id("admin@example.org")));
	ck_assert(!proves(x, pki_id("Admin@example.net")));
	ck_assert(!proves(x, pki_id("example.org")));
	ck_assert(!proves(raw_alt(TAG_MAIL, "example.org", 11),
			  wire(ID_RFC822_ADDR, "example.org", 11)));
	ck_assert(!proves(raw_alt(TAG_MAIL, "a@b@c.org", 9), wire(ID_RFC822_ADDR, "a@b@c.org", 9)));
	ck_assert(!proves(raw_alt(TAG_MAIL, "@c.org", 6), wire(ID_RFC822_ADDR, "@c.org", 6)));
	ck_assert(!proves(raw_alt(TAG_MAIL, "a b@c.org", 9), wire(ID_RFC822_ADDR, "a b@c.org", 9)));
	ck_assert(!proves(raw_alt(TAG_MAIL, "a@*.org", 7), wire(ID_RFC822_ADDR, "a@*.org", 7)));
	ck_assert(proves(raw_alt(TAG_MAIL, "a@c.org", 7), wire(ID_RFC822_ADDR, "a@c.org", 7)));
}
END_TEST

START_TEST(addresses_are_four_or_sixteen_bytes)
{
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
	static const uint8_t net[8] = { 192, 0, 2, 1, 255, 255, 255, 255 };

	ck_assert(proves(with("CN=x", "IP:192.0.2.1"), pki_id("192.0.2.1")));
	ck_assert(!proves(with("CN=x", "IP:192.0.2.1"), pki_id("192.0.2.2")));
	ck_assert(!proves(with("CN=x", "IP:192.0.2.1"), wire(ID_IPV6_ADDR, mapped, 16)));
	ck_assert(!proves(with("CN=x", "IP:::ffff:192.0.2.1"), pki_id("192.0.2.1")));
	ck_assert(!proves(raw_alt(TAG_IP, net, 8), pki_id("192.0.2.1")));
	ck_assert(!proves(raw_alt(TAG_IP, net, 3), pki_id("192.0.2.1")));
	ck_assert(!proves(raw_alt(TAG_IP, net, 8), wire(ID_IPV6_ADDR, net, 8)));
	ck_assert(!proves(with("CN=x", "DNS:192.0.2.1"), pki_id("192.0.2.1")));
}
END_TEST

START_TEST(distinguished_names_are_compared_by_meaning)
{
	X509 *x = with("C=XX,O=Example  Org,CN=Gate", NULL);

	ck_assert(proves(x, pki_dn("C=XX,O=Example Org,CN=Gate", V_ASN1_PRINTABLESTRING)));
	ck_assert(proves(x, pki_dn("C=XX,O=EXAMPLE ORG,CN=gate", V_ASN1_UTF8STRING)));
	ck_assert(proves(x, pki_dn("C=xx,O= example org ,CN=GATE", V_ASN1_T61STRING)));
	ck_assert(!proves(x, pki_dn("C=XX,CN=Gate,O=Example Org", V_ASN1_UTF8STRING)));
	ck_assert(!proves(x, pki_dn("C=XX,O=Example Org", V_ASN1_UTF8STRING)));
	ck_assert(!proves(x, pki_dn("C=XX,O=Example Org,CN=Gate,CN=Gate", V_ASN1_UTF8STRING)));
	ck_assert(!proves(x, pki_dn("C=XX,O=ExampleOrg,CN=Gate", V_ASN1_UTF8STRING)));
	ck_assert(!proves(x, pki_dn("C=XX,OU=Example Org,CN=Gate", V_ASN1_UTF8STRING)));
}
END_TEST

/* Whatever the peer chose. */
START_TEST(what_is_proved_has_the_certificates_spelling)
{
	static const char *const ids[][2] = {
		{ "gw.example.org", "GW.Example.org" },
		{ "gw@example.org", "gw@EXAMPLE.org" },
		{ "192.0.2.1", "192.0.2.1" },
		{ "2001:db8::1", "2001:DB8::1" },
		{ "O=Example,CN=gw", "O=EXAMPLE,CN=Gw" },
		{ "O=Dir,CN=Name", "O=dir,CN= name " },
	};
	X509 *x = with("O=Example,CN=gw", "DNS:gw.example.org,email:gw@example.org,IP:192.0.2.1,"
					  "IP:2001:db8::1,dirName:dir");

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		const struct identity own = pki_id(ids[i][0]);
		struct identity id = pki_id(ids[i][1]), got;

		if (id.type == ID_DER_ASN1_DN)
			id = pki_dn(ids[i][1], V_ASN1_T61STRING);
		ck_assert(x509_proves_as(x, &id, &got));
		ck_assert_int_eq(got.type, own.type);
		ck_assert(span_eq(identity_span(&got), identity_span(&own)));
	}
}
END_TEST

/* C23: a shorter one proves nothing, nor one with something behind it. */
START_TEST(a_cut_or_longer_distinguished_name_proves_nothing)
{
	X509 *x = with("C=XX,O=Example,CN=gw", "dirName:dir");
	struct identity id = pki_id("C=XX,O=Example,CN=gw"), cut;

	ck_assert(proves(x, id));
	for (uint16_t len = 0; len < id.len; len++) {
		cut = wire(ID_DER_ASN1_DN, id.b, len);
		ck_assert(!proves(x, cut));
	}
	id.b[id.len++] = 0;
	ck_assert(!proves(x, id));
	ck_assert(!proves(x, wire(ID_DER_ASN1_DN, "\x30\x00", 2)));
	ck_assert(!proves(with(NULL, "DNS:a.org"), wire(ID_DER_ASN1_DN, "\x30\x00", 2)));
}
END_TEST

START_TEST(a_key_id_is_the_subjectKeyIdentifier)
{
	const struct cert *c = pki_leaf(p, NULL, "DNS:a.org");
	struct identity id = pki_key_id(c);

	ck_assert(x509_proves(c->x, &id));
	id.b[0] ^= 1;
	ck_assert(!x509_proves(c->x, &id));
	id.b[0] ^= 1;
	id.len--;
	ck_assert(!x509_proves(c->x, &id));
	id.len = 0;
	ck_assert(!x509_proves(c->x, &id));
	ck_assert(!proves(c->x, pki_id("keyid:a.org")));
	c = pki_cert(p, &(struct cert_spec){ .subject = "CN=x", .bare = true });
	ck_assert(!x509_proves(c->x, &id));
	id = pki_key_id(pki_leaf(p, NULL, NULL));
	ck_assert(!x509_proves(c->x, &id));
}
END_TEST

START_TEST(kinds_that_nobody_knows_are_never_proved)
{
	X509 *x = with("CN=x", "DNS:gw.example.org");

	for (int type = 0; type < 256; type++)
		ck_assert(proves(x, wire((uint8_t)type, "gw.example.org", 14)) ==
			  (type == ID_FQDN));
}
END_TEST

/* Two subjectAltNames, or one that is no DER: OpenSSL gives neither, and a guess would be one. */
START_TEST(a_broken_or_double_subjectAltName_proves_nothing)
{
	X509 *x = pki_cert(p, &(struct cert_spec){ .subject = "CN=x",
						   .alt = "DNS:a.org",
						   .raw_alt = span_str("\x30\x07\x82\x05"
								       "b.org") })
			  ->x;

	ck_assert(!proves(x, pki_id("a.org")));
	ck_assert(!proves(x, pki_id("b.org")));
	x = pki_cert(p, &(struct cert_spec){ .subject = "CN=x",
					     .raw_alt = span_str("\x30\x09\x82\x05"
								 "b.org") })
		    ->x;
	ck_assert(!proves(x, pki_id("b.org")));
}
END_TEST

START_TEST(the_first_identity_is_what_people_mean)
{
	static const struct {
		const char *alt, *id;
	} cases[] = {
		{ "email:a@b.org,IP:192.0.2.1,DNS:*.b.org,DNS:gw.b.org,DNS:c.org", "gw.b.org" },
		{ "email:a@b.org,IP:192.0.2.1", "192.0.2.1" },
		{ "email:a@b.org,URI:http://x", "a@b.org" },
		{ "URI:http://x", "CN=x" },
		{ NULL, "CN=x" },
	};
	struct identity first, wanted;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		x509_first_identity(with("CN=x", cases[i].alt), &first);
		wanted = pki_id(cases[i].id);
		ck_assert_msg(identity_eq(&first, &wanted), "%s", cases[i].id);
	}
	x509_first_identity(with(NULL, NULL), &first);
	ck_assert_uint_eq(first.type, ID_NONE);
}
END_TEST

START_TEST(what_is_proved_is_shown)
{
	char buf[64];

	ck_assert_str_eq(x509_identities_text(with("CN=x", "DNS:a.org,IP:192.0.2.1,DNS:*.c.org"),
					      buf, sizeof(buf)),
			 "a.org, 192.0.2.1");
	ck_assert_str_eq(x509_identities_text(with("O=E,CN=x", NULL), buf, sizeof(buf)),
			 "O=E, CN=x");
	ck_assert_str_eq(x509_identities_text(with(NULL, NULL), buf, sizeof(buf)),
			 "no identity at all");
	ck_assert_str_eq(x509_identities_text(with("CN=x",
						   "DNS:a.example.org,DNS:b.example.org,"
						   "DNS:c.example.org,DNS:d.example.org,DNS:e.org"),
					      buf, sizeof(buf)),
			 "a.example.org, b.example.org, c.example.org, d.example.org, ...");
	ck_assert_str_eq(
		x509_identities_text(with("CN=x",
					  "DNS:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbb"
					  "bbbbbbbbbbb.example.org"),
				     buf, sizeof(buf)),
		"a name that is too long to show");
}
END_TEST

START_TEST(der_of_one_certificate_is_enough_for_cert_proves)
{
	const struct cert *c = pki_leaf(p, NULL, "DNS:a.org");
	struct span der = pki_der(p, c);
	const struct identity yes = pki_id("a.org"), no = pki_id("b.org");

	ck_assert(cert_proves(der, &yes));
	ck_assert(!cert_proves(der, &no));
	ck_assert(!cert_proves(span_head(der, der.len - 1), &yes));
	ck_assert(!cert_proves(SPAN_EMPTY, &yes));
}
END_TEST

UNIT("certs/proves")
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, each_kind_of_name_is_proved_by_its_own_kind_alone);
	tcase_add_test(tc, any_of_several_names_will_do);
	tcase_add_test(tc, domains_know_no_case_and_are_whole);
	tcase_add_test(tc, a_common_name_proves_no_domain);
	tcase_add_test(tc, what_is_no_plain_name_proves_nothing);
	tcase_add_test(tc, a_nul_inside_a_name_ends_nothing);
	tcase_add_test(tc, mailboxes_are_compared_as_mail_does);
	tcase_add_test(tc, addresses_are_four_or_sixteen_bytes);
	tcase_add_test(tc, distinguished_names_are_compared_by_meaning);
	tcase_add_test(tc, what_is_proved_has_the_certificates_spelling);
	tcase_add_test(tc, a_cut_or_longer_distinguished_name_proves_nothing);
	tcase_add_test(tc, a_key_id_is_the_subjectKeyIdentifier);
	tcase_add_test(tc, kinds_that_nobody_knows_are_never_proved);
	tcase_add_test(tc, a_broken_or_double_subjectAltName_proves_nothing);
	tcase_add_test(tc, the_first_identity_is_what_people_mean);
	tcase_add_test(tc, what_is_proved_is_shown);
	tcase_add_test(tc, der_of_one_certificate_is_enough_for_cert_proves);
}
