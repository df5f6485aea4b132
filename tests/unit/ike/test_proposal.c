/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ike/sa_payload.h"
#include "tests/unit/unit.h"

static struct suite_policy policy_of(const char *const *words)
{
	struct suite_policy p;
	char why[256];
	size_t n = 0;

	while (words[n] != NULL)
		n++;
	ck_assert_msg(suite_policy_from_words(words, n, &p, why) == OK, "%s", why);
	return p;
}

static void expect_suite(const struct proposal_chosen *c, const char *want)
{
	char text[96];

	ck_assert_str_eq(suite_text(&c->suite, text, sizeof(text)), want);
}

/* ---- choosing ---- */

/* clang-format off */
static const struct {
	const char *policy;
	struct prop props[PROP_MAX];
	const char *want; /* NULL: NO_PROPOSAL_CHOSEN */
	uint8_t number;
	bool esn;
} choices[] = {
	/* our order, not the peer's: within a proposal and between them */
	{ "modern", { { 1, 0, { CHACHA, GCM(128), GCM(256), P256, P384, E384, X25519 } } },
	  "aes256gcm16 prfsha384 x25519", 1, false },
	{ "modern", { { 1, 0, { CHACHA, P384, X25519 } }, { 1, 0, { GCM(128), P256, E384 } } },
	  "aes128gcm16 prfsha256 ecp384", 2, false },
	{ "compatible", { { 1, 0, { CBC(128), CBC(256), I256, P256, M2048 } }, { 1, 0, { GCM(256),
	  P256, M2048 } } }, "aes256gcm16 prfsha256 modp2048", 2, false },
	{ "compatible", { { 1, 0, { CBC(128), CBC(256), I384, I256, P256, M2048 } } },
	  "aes256 sha256 prfsha256 modp2048", 1, false },
	/* equal: the earlier one */
	{ "modern", { { 1, 0, { GCM(256), P256, X25519 } }, { 1, 0, { GCM(256), P256,
	  X25519 } } }, "aes256gcm16 prfsha256 x25519", 1, false },
	/* integrity NONE beside AEAD is tolerated, another one is not */
	{ "modern", { { 1, 0, { GCM(256), INONE, P256, X25519 } } },
	  "aes256gcm16 prfsha256 x25519", 1, false },
	{ "modern", { { 1, 0, { GCM(256), I256, P256, X25519 } } }, NULL, 0, false },
	{ "compatible", { { 1, 0, { GCM(256), CBC(128), I256, P256, X25519 } } },
	  "aes128 sha256 prfsha256 x25519", 1, false },
	{ "compatible", { { 1, 0, { GCM(256), CBC(128), I256, INONE, P256, X25519 } } },
	  "aes256gcm16 prfsha256 x25519", 1, false },
	{ "compatible", { { 1, 0, { CBC(128), INONE, P256, X25519 } } }, NULL, 0, false },
	{ "compatible", { { 1, 0, { CBC(128), P256, X25519 } } }, NULL, 0, false },
	/* the floor */
	{ "modern", { { 1, 0, { CBC(256), I256, P256, X25519 } } }, NULL, 0, false },
	{ "modern", { { 1, 0, { TDES, I1, P1, M1024 } } }, NULL, 0, false },
	{ "compatible", { { 1, 0, { CBC(256), I1, P256, X25519 } } }, NULL, 0, false },
	{ "modern", { { 1, 0, { GCM(256), P256, M1024 } } }, NULL, 0, false },
	/* key lengths exactly */
	{ "modern", { { 1, 0, { GCM(192), P256, X25519 } } }, NULL, 0, false },
	{ "modern", { { 1, 0, { GCM(0), P256, X25519 } } }, NULL, 0, false },
	{ "modern", { { 1, 0, { { T_ENCR, ENCR_CHACHA20_POLY1305, 256 }, P256, X25519 } } }, NULL,
	  0, false },
	{ "modern", { { 1, 0, { GCM(256), { T_PRF, PRF_HMAC_SHA2_256, 256 }, X25519 } } }, NULL,
	  0, false },
	{ "modern", { { 1, 0, { GCM(256), P256, { T_KE, KE_CURVE25519, 256 } } } }, NULL, 0, false },
	{ "compatible", { { 1, 0, { CBC(256), { T_INTEG, INTEG_HMAC_SHA2_256_128, 256 }, P256,
	  X25519 } } }, NULL, 0, false },
	{ "modern", { { 3, 4, { GCM(256), { T_ESN, ESN_NO, 1 } } } }, NULL, 0, false },
	/* unknown transforms are passed over, unknown types spoil their proposal (3.3.6) */
	{ "modern", { { 1, 0, { { T_ENCR, 60000, 0 }, GCM(256), { T_PRF, 999, 0 }, P256, { T_KE,
	  1025, 0 }, X25519 } } }, "aes256gcm16 prfsha256 x25519", 1, false },
	{ "modern", { { 1, 0, { GCM(256), P384, X25519, { 6, 35, 0 } } }, { 1, 0, { GCM(128),
	  P256, X25519 } } }, "aes128gcm16 prfsha256 x25519", 2, false },
	{ "modern", { { 1, 0, { GCM(256), P384, X25519, NOESN } } }, NULL, 0, false },
	/* a mandatory type is missing (CVE-2016-5391) */
	{ "modern", { { 1, 0, { P256, X25519 } } }, NULL, 0, false },
	{ "modern", { { 1, 0, { GCM(256), X25519 } } }, NULL, 0, false },
	{ "modern", { { 1, 0, { GCM(256), P256 } } }, NULL, 0, false },
	{ "modern", { { 1, 0, { GCM(256), P256, KNONE } } }, NULL, 0, false },
	{ "modern", { { 3, 4, { GCM(256) } } }, NULL, 0, false },
	/* an SPI where none belongs */
	{ "modern", { { 1, 8, { GCM(256), P256, X25519 } } }, NULL, 0, false },
	/* ESP */
	{ "modern", { { 3, 4, { GCM(256), NOESN } } }, "aes256gcm16", 1, false },
	{ "modern", { { 3, 4, { GCM(256), NOESN, ESN } } }, "aes256gcm16", 1, true },
	{ "modern", { { 3, 4, { GCM(256), ESN } } }, "aes256gcm16", 1, true },
	{ "modern", { { 3, 4, { GCM(256), NOESN } }, { 3, 4, { GCM(256), ESN } } }, "aes256gcm16",
	  2, true },
	{ "modern", { { 3, 4, { GCM(256), KNONE, INONE, NOESN } } }, "aes256gcm16", 1, false },
	{ "modern", { { 3, 4, { GCM(256), X25519, KNONE, NOESN } } }, "aes256gcm16", 1, false },
	{ "modern", { { 3, 4, { GCM(256), X25519, NOESN } } }, NULL, 0, false },
	{ "compatible", { { 2, 4, { I256, NOESN } }, { 3, 4, { CBC(128), I256, NOESN } } },
	  "aes128 sha256", 2, false },
	{ "modern", { { 3, 4, { GCM(256), P256, NOESN } } }, NULL, 0, false },
	{ "modern", { { 3, 8, { GCM(256), NOESN } } }, NULL, 0, false },
	{ "modern", { { 3, 0, { GCM(256), NOESN } } }, NULL, 0, false },
	{ "modern", { { 2, 4, { I256, NOESN } } }, NULL, 0, false },
};
/* clang-format on */
enum { N_CHOICES = sizeof(choices) / sizeof(choices[0]) };

/* The protocol that a case is about: that of its last proposal. */
static uint8_t protocol_of(const struct prop *props)
{
	uint8_t protocol = 0;

	for (size_t i = 0; i < PROP_MAX && props[i].protocol != 0; i++)
		protocol = props[i].protocol;
	return protocol == PROTO_AH ? PROTO_ESP : protocol;
}

START_TEST(the_responder_chooses_by_its_own_order)
{
	struct proposal_want want = want_of(choices[_i].policy, protocol_of(choices[_i].props));
	struct proposal_chosen c;
	enum err err = proposal_choose(sa_of(choices[_i].props), &want, &c);

	ck_assert_int_eq(err, choices[_i].want != NULL ? OK : ERR_NO_PROPOSAL);
	if (err != OK)
		return;
	expect_suite(&c, choices[_i].want);
	ck_assert_uint_eq(c.number, choices[_i].number);
	ck_assert_int_eq(c.suite.esn, choices[_i].esn);
	ck_assert_uint_eq(c.spi, want.protocol == PROTO_ESP ? 0xc0010203 : 0);
}
END_TEST

/* A Child SA of CREATE_CHILD_SA: a group is better than none, and none is better than no child. */
static const struct {
	struct prop props[PROP_MAX];
	const char *optional, *demanded; /* what is chosen; NULL: nothing */
} with_groups[] = {
	{ { { 3, 4, { GCM(256), E384, X25519, NOESN } } },
	  "aes256gcm16 x25519",
	  "aes256gcm16 x25519" },
	{ { { 3, 4, { GCM(256), KNONE, E384, NOESN } } },
	  "aes256gcm16 ecp384",
	  "aes256gcm16 ecp384" },
	{ { { 3, 4, { GCM(256), KNONE, NOESN } } }, "aes256gcm16", NULL },
	{ { { 3, 4, { GCM(256), NOESN } } }, "aes256gcm16", NULL },
	{ { { 3, 4, { GCM(256), M1024, NOESN } } }, NULL, NULL },
	{ { { 3, 4, { GCM(256), M1024, KNONE, NOESN } } }, "aes256gcm16", NULL },
	{ { { 3, 4, { GCM(256), NOESN } }, { 3, 4, { GCM(256), X25519, NOESN } } },
	  "aes256gcm16 x25519",
	  "aes256gcm16 x25519" },
};
enum { N_WITH_GROUPS = sizeof(with_groups) / sizeof(with_groups[0]) };

START_TEST(a_group_is_taken_where_there_is_one)
{
	struct proposal_want want = want_of("modern", PROTO_ESP);
	const char *expected[] = { with_groups[_i].demanded, with_groups[_i].optional };
	struct proposal_chosen c;

	want.with_ke = true;
	for (int optional = 0; optional < 2; optional++) {
		want.ke_optional = optional;
		ck_assert_int_eq(proposal_choose(sa_of(with_groups[_i].props), &want, &c),
				 expected[optional] ? OK : ERR_NO_PROPOSAL);
		if (expected[optional])
			expect_suite(&c, expected[optional]);
	}
}
END_TEST

START_TEST(esn_is_not_taken_where_it_is_off)
{
	static const struct prop only[PROP_MAX] = { { 3, 4, { GCM(256), ESN } } };
	static const struct prop both[PROP_MAX] = { { 3, 4, { GCM(256), ESN, NOESN } } };
	struct proposal_want want = want_of("modern", PROTO_ESP);
	struct proposal_chosen c;

	want.esn = false;
	ck_assert_int_eq(proposal_choose(sa_of(only), &want, &c), ERR_NO_PROPOSAL);
	ck_assert_int_eq(proposal_choose(sa_of(both), &want, &c), OK);
	ck_assert(!c.suite.esn);
}
END_TEST

START_TEST(spis_of_a_rekey_are_eight_bytes_and_not_zero)
{
	struct prop props[PROP_MAX] = { { 1, 0, { GCM(256), P256, X25519 } } };
	struct proposal_want want = want_of("modern", PROTO_IKE);
	struct proposal_chosen c;

	want.rekey = true;
	for (uint8_t len = 0; len <= 16; len++) {
		props[0].spi_len = len;
		ck_assert_int_eq(proposal_choose(sa_of(props), &want, &c),
				 len == 8 ? OK : ERR_NO_PROPOSAL);
	}
	props[0].spi_len = 8;
	(void)sa_of(props);
	ck_assert_int_eq(proposal_choose(sa_of(props), &want, &c), OK);
	ck_assert_uint_eq(c.spi, UINT64_C(0xc001020304050607));
	memset(sa_bytes() + 8, 0, 8);
	ck_assert_int_eq(proposal_choose(span_of(sa_bytes(), 8 + 8 + 12 + 8 + 8), &want, &c),
			 ERR_NO_PROPOSAL);
}
END_TEST

START_TEST(reserved_esp_spis_are_refused)
{
	static const struct prop props[PROP_MAX] = { { 3, 4, { GCM(256), NOESN } } };
	struct proposal_want want = want_of("modern", PROTO_ESP);
	struct span sa = sa_of(props);
	struct proposal_chosen c;

	for (uint32_t spi = 0; spi < 300; spi++) {
		struct wr w = wr_into(sa_bytes() + 8, 4);

		wr_u32(&w, spi);
		ck_assert_int_eq(proposal_choose(sa, &want, &c), spi < 256 ? ERR_NO_PROPOSAL : OK);
	}
}
END_TEST

/* CVE-2014-9221: an ID of ours alone that was reached from the wire. */
START_TEST(no_transform_id_but_those_of_the_policy_is_ever_chosen)
{
	struct proposal_want want = want_of("compatible", PROTO_IKE);
	static const uint8_t types[] = { T_ENCR, T_PRF, T_INTEG, T_KE };
	/* AES-CBC alone of 256 bits with integrity; three PRFs; three integrities; six groups */
	static const unsigned int counts[] = { 1, 3, 3, 6 };
	unsigned int n = 0;

	for (unsigned int id = 0; id <= UINT16_MAX; id++) {
		struct prop props[PROP_MAX] = { { 1, 0, { CBC(256), P256, I256, X25519 } } };
		struct proposal_chosen c;

		props[0].t[_i].id = (uint16_t)id;
		if (proposal_choose(sa_of(props), &want, &c) != OK)
			continue;
		n++;
		ck_assert(types[_i] != T_ENCR || c.suite.encr->id == id);
		ck_assert(types[_i] != T_PRF || c.suite.prf->id == id);
		ck_assert(types[_i] != T_INTEG || c.suite.integ->id == id);
		ck_assert(types[_i] != T_KE || c.suite.ke->id == id);
		ck_assert(c.suite.encr == encr_find(c.suite.encr->id, c.suite.encr->key_bits));
	}
	ck_assert_uint_eq(n, counts[_i]);
}
END_TEST

/* CVE-2016-5391, 2016-3071: all subsets of the types of a good proposal. */
START_TEST(only_the_whole_set_of_types_is_chosen)
{
	static const struct tr all[] = { CBC(256), P256, I256, X25519, NOESN };
	struct proposal_want ike = want_of("compatible", PROTO_IKE);
	struct proposal_want esp = want_of("compatible", PROTO_ESP);

	for (unsigned int set = 1; set < 32; set++) {
		struct prop props[PROP_MAX] = { { 1, 0, { { 0, 0, 0 } } } };
		struct proposal_chosen c;
		size_t n = 0;

		for (size_t i = 0; i < 5; i++) {
			if (set & 1u << i)
				props[0].t[n++] = all[i];
		}
		ck_assert_int_eq(proposal_choose(sa_of(props), &ike, &c),
				 set == 0x0f ? OK : ERR_NO_PROPOSAL);
		props[0].protocol = PROTO_ESP;
		props[0].spi_len = 4;
		ck_assert_int_eq(proposal_choose(sa_of(props), &esp, &c),
				 set == 0x15 ? OK : ERR_NO_PROPOSAL);
	}
}
END_TEST

START_TEST(a_malformed_payload_is_malformed_whatever_else_fits)
{
	static const struct prop props[PROP_MAX] = { { 1, 0, { GCM(256), P256, X25519 } },
						     { 1, 0, { GCM(256), P256, X25519 } } };
	struct proposal_want want = want_of("modern", PROTO_IKE);
	struct span sa = sa_of(props);
	struct proposal_chosen c;

	for (size_t len = 0; len < sa.len; len++) {
		ck_assert_int_eq(proposal_choose(span_head(sa, len), &want, &c), ERR_SYNTAX);
		ck_assert_int_eq(proposal_verify(span_head(sa, len), &want, &c), ERR_SYNTAX);
		ck_assert_ptr_null(c.suite.encr);
	}
}
END_TEST

/* ---- both ends ---- */

static const char *const policies[][6] = {
	{ "modern", NULL },
	{ "compatible", NULL },
	{ "aes256gcm16", "prfsha256", "x25519", NULL },
	{ "aes128", "sha256", "prfsha256", "modp2048", NULL },
	{ "chacha20poly1305", "prfsha512", "ecp256", NULL },
	{ "aes256", "sha512", "prfsha384", "ecp384", NULL },
};
enum { N_POLICIES = 6 };

START_TEST(what_the_responder_answers_the_initiator_finds_in_its_offer)
{
	static uint8_t offer[2048], answer[256];

	for (unsigned int i = 0; i < N_POLICIES * N_POLICIES * 6; i++) {
		struct suite_policy a = policy_of(policies[i % N_POLICIES]);
		struct suite_policy b = policy_of(policies[i / N_POLICIES % N_POLICIES]);
		unsigned int kind = i / N_POLICIES / N_POLICIES;
		struct proposal_want wa = want_of("modern", kind < 2 ? PROTO_IKE : PROTO_ESP), wb;
		struct wr wo = wr_into(offer, sizeof(offer)), wn = wr_into(answer, sizeof(answer));
		struct proposal_chosen chosen, got;

		wa.policy = &a;
		wa.rekey = kind == 1;
		wa.with_ke = kind == 3;
		wa.esn = kind != 4;
		wb = wa;
		wb.policy = &b;
		wb.esn = kind != 5;
		proposal_offer(&wo, &wa, UINT64_C(0x1122334455667788));
		ck_assert(wr_ok(&wo));
		if (proposal_choose(wr_done(&wo), &wb, &chosen) != OK)
			continue;
		ck_assert_uint_eq(chosen.spi, kind == 0	  ? 0
					      : kind == 1 ? UINT64_C(0x1122334455667788)
							  : 0x55667788);
		proposal_answer(&wn, &wb, &chosen, UINT64_C(0xaabbccddeeff0011));
		ck_assert_int_eq(proposal_verify(wr_done(&wn), &wa, &got), OK);
		ck_assert_mem_eq(&got.suite, &chosen.suite, sizeof(got.suite));
		ck_assert_uint_eq(got.spi, kind == 0   ? 0
					   : kind == 1 ? UINT64_C(0xaabbccddeeff0011)
						       : 0xeeff0011);
		ck_assert_int_eq(got.suite.esn, kind > 1 && kind < 4);
	}
}
END_TEST

START_TEST(equal_policies_agree_on_what_both_like_best)
{
	static uint8_t offer[2048];
	struct proposal_want want = want_of("compatible", PROTO_IKE);
	struct wr w = wr_into(offer, sizeof(offer));
	struct proposal_chosen c;

	proposal_offer(&w, &want, 0);
	ck_assert_int_eq(proposal_choose(wr_done(&w), &want, &c), OK);
	expect_suite(&c, "aes256gcm16 prfsha384 x25519");
	ck_assert_int_eq(proposal_ke_check(&c, KE_CURVE25519), OK);
	ck_assert_int_eq(proposal_ke_check(&c, KE_ECP_384), ERR_KE_GROUP);
}
END_TEST

START_TEST(the_offer_is_aead_first_and_each_class_only_when_there)
{
	static uint8_t offer[2048];
	static const struct {
		const char *words[6];
		uint8_t n[2]; /* transforms of each proposal */
	} want[] = {
		{ { "modern" }, { 3 + 2 + 4, 0 } },
		{ { "compatible" }, { 3 + 3 + 6, 2 + 3 + 3 + 6 } },
		{ { "aes128", "sha256", "prfsha256", "modp2048" }, { 4, 0 } },
	};
	struct suite_policy policy = policy_of(want[_i].words);
	struct proposal_want w = want_of("modern", PROTO_IKE);
	struct wr out = wr_into(offer, sizeof(offer));
	struct offer_walk walk;
	struct offer_proposal p;
	uint8_t number = 0;

	w.policy = &policy;
	proposal_offer(&out, &w, 0);
	ck_assert_int_eq(offer_check(wr_done(&out)), OK);
	walk = offer_proposals(wr_done(&out));
	while (offer_next_proposal(&walk, &p)) {
		ck_assert_uint_eq(p.n_transforms, want[_i].n[number]);
		ck_assert_uint_eq(p.number, ++number);
		ck_assert_uint_eq(p.spi.len, 0);
	}
	ck_assert(number == 2 || want[_i].n[1] == 0);
}
END_TEST

START_TEST(an_answer_outside_of_the_offer_is_refused)
{
	/* clang-format off */
	static const struct {
		const char *policy;
		struct prop props[PROP_MAX];
		uint8_t number;
		enum err err;
	} answers[] = {
		{ "modern", { { 1, 0, { GCM(256), P256, X25519 } } }, 1, OK },
		{ "modern", { { 1, 0, { GCM(256), INONE, P256, X25519 } } }, 1, OK },
		{ "compatible", { { 1, 0, { CBC(256), P256, I256, X25519 } } }, 2, OK },
		/* two proposals, two transforms of a type, none of a type */
		{ "modern", { { 1, 0, { GCM(256), P256, X25519 } }, { 1, 0, { GCM(256), P256,
		  X25519 } } }, 1, ERR_NO_PROPOSAL },
		{ "modern", { { 1, 0, { GCM(256), GCM(128), P256, X25519 } } }, 1,
		  ERR_NO_PROPOSAL },
		{ "modern", { { 1, 0, { GCM(256), P256, X25519, X25519 } } }, 1, ERR_NO_PROPOSAL },
		{ "modern", { { 1, 0, { GCM(256), P256, X25519, KNONE } } }, 1, ERR_NO_PROPOSAL },
		{ "modern", { { 1, 0, { GCM(256), P256 } } }, 1, ERR_NO_PROPOSAL },
		/* numbers that were not ours, and the other proposal's ciphers */
		{ "modern", { { 1, 0, { GCM(256), P256, X25519 } } }, 0, ERR_NO_PROPOSAL },
		{ "modern", { { 1, 0, { GCM(256), P256, X25519 } } }, 2, ERR_NO_PROPOSAL },
		{ "compatible", { { 1, 0, { GCM(256), P256, X25519 } } }, 2, ERR_NO_PROPOSAL },
		{ "compatible", { { 1, 0, { CBC(256), P256, I256, X25519 } } }, 1,
		  ERR_NO_PROPOSAL },
		{ "compatible", { { 1, 0, { CBC(256), P256, I256, X25519 } } }, 3,
		  ERR_NO_PROPOSAL },
		/* a downgrade below the offer */
		{ "modern", { { 1, 0, { GCM(256), P256, M2048 } } }, 1, ERR_NO_PROPOSAL },
		{ "modern", { { 1, 0, { CBC(256), P256, I256, X25519 } } }, 1, ERR_NO_PROPOSAL },
		{ "compatible", { { 1, 0, { CBC(256), P1, I256, X25519 } } }, 2, ERR_NO_PROPOSAL },
		{ "compatible", { { 1, 0, { CBC(256), P256, I1, X25519 } } }, 2, ERR_NO_PROPOSAL },
		{ "compatible", { { 1, 0, { CBC(256), P256, INONE, X25519 } } }, 2,
		  ERR_NO_PROPOSAL },
		{ "modern", { { 1, 0, { GCM(192), P256, X25519 } } }, 1, ERR_NO_PROPOSAL },
		/* beside what was chosen, something that was never offered */
		{ "modern", { { 1, 0, { GCM(256), P256, X25519, TDES } } }, 1, ERR_NO_PROPOSAL },
		{ "modern", { { 1, 0, { GCM(256), P256, X25519, { 6, 1, 0 } } } }, 1,
		  ERR_NO_PROPOSAL },
		{ "modern", { { 3, 4, { GCM(256), NOESN } } }, 1, ERR_NO_PROPOSAL },
		{ "modern", { { 1, 8, { GCM(256), P256, X25519 } } }, 1, ERR_NO_PROPOSAL },
	};
	/* clang-format on */
	struct proposal_want want = want_of(answers[_i].policy, PROTO_IKE);
	struct proposal_chosen c;

	ck_assert_int_eq(proposal_verify(sa_numbered(answers[_i].props, answers[_i].number), &want,
					 &c),
			 answers[_i].err);
	ck_assert_int_eq(c.suite.encr != NULL, answers[_i].err == OK);
}
END_TEST

START_TEST(an_esp_answer_with_esn_needs_an_offer_of_it)
{
	static const struct prop with[PROP_MAX] = { { 3, 4, { GCM(256), ESN } } };
	static const struct prop both[PROP_MAX] = { { 3, 4, { GCM(256), ESN, NOESN } } };
	static const struct prop group[PROP_MAX] = { { 3, 4, { GCM(256), NOESN, X25519 } } };
	struct proposal_want want = want_of("modern", PROTO_ESP);
	struct proposal_chosen c;

	ck_assert_int_eq(proposal_verify(sa_of(with), &want, &c), OK);
	ck_assert(c.suite.esn);
	ck_assert_int_eq(proposal_verify(sa_of(both), &want, &c), ERR_NO_PROPOSAL);
	ck_assert_int_eq(proposal_verify(sa_of(group), &want, &c), ERR_NO_PROPOSAL);
	want.esn = false;
	ck_assert_int_eq(proposal_verify(sa_of(with), &want, &c), ERR_NO_PROPOSAL);
}
END_TEST

START_TEST(invalid_ke_is_followed_only_into_groups_of_our_offer)
{
	struct proposal_want want = want_of("modern", PROTO_IKE);

	for (unsigned int id = 0; id <= UINT16_MAX; id++) {
		uint8_t b[2] = { (uint8_t)(id >> 8), (uint8_t)id };
		const struct ke_group *g = proposal_ke_asked(&want, span_of(b, 2), KE_CURVE25519);
		bool ours = id == KE_ECP_384 || id == KE_ECP_256 || id == KE_MODP_3072;

		ck_assert_int_eq(g != NULL, ours);
		ck_assert(g == NULL || g->id == id);
	}
	ck_assert_ptr_null(proposal_ke_asked(&want, span_of("\x00", 1), 0));
	ck_assert_ptr_null(proposal_ke_asked(&want, span_of("\x00\x14\x00", 3), 0));
	ck_assert_ptr_null(proposal_ke_asked(&want, SPAN_EMPTY, 0));
}
END_TEST

UNIT("ike/proposal")
{
	tcase_add_loop_test(tc, the_responder_chooses_by_its_own_order, 0, N_CHOICES);
	tcase_add_loop_test(tc, a_group_is_taken_where_there_is_one, 0, N_WITH_GROUPS);
	tcase_add_test(tc, esn_is_not_taken_where_it_is_off);
	tcase_add_test(tc, spis_of_a_rekey_are_eight_bytes_and_not_zero);
	tcase_add_test(tc, reserved_esp_spis_are_refused);
	tcase_add_loop_test(tc, no_transform_id_but_those_of_the_policy_is_ever_chosen, 0, 4);
	tcase_add_test(tc, only_the_whole_set_of_types_is_chosen);
	tcase_add_test(tc, a_malformed_payload_is_malformed_whatever_else_fits);
	tcase_add_test(tc, what_the_responder_answers_the_initiator_finds_in_its_offer);
	tcase_add_test(tc, equal_policies_agree_on_what_both_like_best);
	tcase_add_loop_test(tc, the_offer_is_aead_first_and_each_class_only_when_there, 0, 3);
	tcase_add_loop_test(tc, an_answer_outside_of_the_offer_is_refused, 0, 23);
	tcase_add_test(tc, an_esp_answer_with_esn_needs_an_offer_of_it);
	tcase_add_test(tc, invalid_ke_is_followed_only_into_groups_of_our_offer);
}
