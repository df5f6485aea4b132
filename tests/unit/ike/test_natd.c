/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/natd.h"

#include "tests/unit/crypto/hex.h"
#include "tests/unit/unit.h"

static const struct ike_header head = {
	.spi_i = UINT64_C(0xa1a2a3a4a5a6a7a8),
	.version = IKE_VERSION,
	.exchange = X_IKE_SA_INIT,
	.flags = FLAG_INITIATOR,
};

static uint8_t buf[512];

static struct endpoint at(const char *addr, uint16_t port)
{
	struct endpoint e = { .port = port };

	ck_assert(addr_parse(addr, &e.addr));
	return e;
}

START_TEST(the_hash_is_over_spis_address_and_port)
{
	struct endpoint e4 = at("192.0.2.1", 500), e6 = at("2001:db8::1", 4500);
	uint8_t hash[NATD_LEN];

	/* by Python's hashlib */
	ck_assert_int_eq(natd_hash(&head, &e4, hash), OK);
	hex_expect("47299a7a1fecc5335f8faf525d8c7864f635761b", span_of(hash, sizeof(hash)));
	ck_assert_int_eq(natd_hash(&head, &e6, hash), OK);
	hex_expect("884e36a00c9f34fdb635be60a69137211abdd069", span_of(hash, sizeof(hash)));
}
END_TEST

/* The sender's path, and the receiver's view of it. */
static const struct {
	const char *from, *to; /* as the sender sees it */
	uint16_t from_port;
	const char *seen_from, *seen_to; /* as the receiver does */
	uint16_t seen_from_port;
	bool pretend;
	bool here, there;
} cases[] = {
	{ "192.0.2.1", "192.0.2.2", 500, "192.0.2.1", "192.0.2.2", 500, false, false, false },
	{ "10.0.0.1", "192.0.2.2", 500, "192.0.2.1", "192.0.2.2", 500, false, false, true },
	{ "192.0.2.1", "192.0.2.2", 500, "192.0.2.1", "192.0.2.2", 1024, false, false, true },
	{ "192.0.2.1", "198.51.100.1", 500, "192.0.2.1", "10.0.0.2", 500, false, true, false },
	{ "10.0.0.1", "198.51.100.1", 500, "192.0.2.1", "10.0.0.2", 500, false, true, true },
	{ "192.0.2.1", "192.0.2.2", 500, "192.0.2.1", "192.0.2.2", 500, true, false, true },
	{ "2001:db8::1", "2001:db8::2", 500, "2001:db8::1", "2001:db8::2", 500, false, false,
	  false },
	{ "2001:db8::1", "2001:db8::2", 500, "2001:db8:9::1", "2001:db8::2", 500, false, false,
	  true },
};

START_TEST(each_side_learns_who_is_behind_a_nat)
{
	struct path sent = { at(cases[_i].from, cases[_i].from_port), at(cases[_i].to, 500) };
	struct path came = { at(cases[_i].seen_to, 500),
			     at(cases[_i].seen_from, cases[_i].seen_from_port) };
	struct builder b = builder_message(buf, sizeof(buf), &head);
	struct message m;
	struct natd n;
	struct span d;

	ck_assert_int_eq(natd_add(&b, &head, &sent, cases[_i].pretend), OK);
	ck_assert_int_eq(builder_finish(&b, &d), OK);
	ck_assert_int_eq(message_decode(d, &m), OK);
	ck_assert_int_eq(natd_judge(&m, &came, &n), OK);
	ck_assert(n.known);
	ck_assert_int_eq(n.nat_here, cases[_i].here);
	ck_assert_int_eq(n.nat_there, cases[_i].there);
}
END_TEST

START_TEST(one_fitting_source_of_several_is_enough)
{
	struct path sent = { at("192.0.2.1", 500), at("192.0.2.2", 500) };
	struct path came = { sent.remote, sent.local };
	struct builder b = builder_message(buf, sizeof(buf), &head);
	struct message m;
	struct natd n;
	struct span d;

	builder_notify(&b, NOTIFY_NAT_DETECTION_SOURCE_IP, span_str("another interface's!"));
	ck_assert_int_eq(natd_add(&b, &head, &sent, false), OK);
	builder_notify(&b, NOTIFY_NAT_DETECTION_SOURCE_IP, SPAN_EMPTY);
	ck_assert_int_eq(builder_finish(&b, &d), OK);
	ck_assert_int_eq(message_decode(d, &m), OK);
	ck_assert_int_eq(natd_judge(&m, &came, &n), OK);
	ck_assert(n.known && !n.nat_there && !n.nat_here);
}
END_TEST

START_TEST(without_both_kinds_nothing_is_known)
{
	struct path came = { at("192.0.2.2", 500), at("192.0.2.1", 500) };

	for (uint16_t type = NOTIFY_NAT_DETECTION_SOURCE_IP; type <= NOTIFY_COOKIE; type++) {
		struct builder b = builder_message(buf, sizeof(buf), &head);
		struct message m;
		struct natd n;
		struct span d;

		builder_notify(&b, type, span_str("01234567890123456789"));
		ck_assert_int_eq(builder_finish(&b, &d), OK);
		ck_assert_int_eq(message_decode(d, &m), OK);
		ck_assert_int_eq(natd_judge(&m, &came, &n), OK);
		ck_assert(!n.known && !n.nat_here && !n.nat_there);
	}
}
END_TEST

UNIT("ike/natd")
{
	tcase_add_test(tc, the_hash_is_over_spis_address_and_port);
	tcase_add_loop_test(tc, each_side_learns_who_is_behind_a_nat, 0, 8);
	tcase_add_test(tc, one_fitting_source_of_several_is_enough);
	tcase_add_test(tc, without_both_kinds_nothing_is_known);
}
