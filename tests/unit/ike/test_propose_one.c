/* SPDX-License-Identifier: Apache-2.0 */
/* `propose = one`: the first transform of each type is all that is offered, and all that is taken
 * as an answer. */
#include "tests/unit/ike/sa_payload.h"
#include "tests/unit/unit.h"

static struct proposal_want one_of(const char *policy, uint8_t protocol)
{
	struct proposal_want want = want_of(policy, protocol);

	want.one = true;
	want.with_ke = true;
	want.ke_optional = protocol == PROTO_ESP;
	return want;
}

/* The offer's first proposal; with `one` there is no other. */
static struct offer_proposal offer_of(const struct proposal_want *want)
{
	static uint8_t offer[2048];
	struct wr w = wr_into(offer, sizeof(offer));
	struct offer_proposal p = { .number = 0 };
	struct offer_walk walk;

	proposal_offer(&w, want, 0xc0010203);
	ck_assert_int_eq(offer_check(wr_done(&w)), OK);
	walk = offer_proposals(wr_done(&w));
	ck_assert(offer_next_proposal(&walk, &p));
	ck_assert(!want->one || !walk.more);
	return p;
}

/* clang-format off */
static const struct {
	const char *policy;
	uint8_t protocol;
	bool no_esn;
	struct tr want[TR_MAX];
} offers[] = {
	{ "modern", PROTO_IKE, false, { GCM(256), P384, X25519 } },
	{ "compatible", PROTO_IKE, false, { GCM(256), P384, X25519 } },
	{ "modern", PROTO_ESP, false, { GCM(256), X25519, ESN } },
	{ "modern", PROTO_ESP, true, { GCM(256), X25519, NOESN } },
};
/* clang-format on */

START_TEST(one_transform_of_each_type_is_offered)
{
	struct proposal_want want = one_of(offers[_i].policy, offers[_i].protocol);
	struct offer_proposal p;
	struct offer_transform t;
	struct offer_walk walk;
	size_t n = 0;

	want.esn = want.esn && !offers[_i].no_esn;
	p = offer_of(&want);
	walk = offer_transforms(&p);
	while (offer_next_transform(&walk, &t)) {
		ck_assert_uint_eq(t.type, offers[_i].want[n].type);
		ck_assert_uint_eq(t.id, offers[_i].want[n].id);
		ck_assert_uint_eq(t.key_bits, offers[_i].want[n++].bits);
	}
	ck_assert_uint_eq(n, 3);
	/* The same without the wish offers more. */
	want.one = false;
	ck_assert_uint_gt(offer_of(&want).n_transforms, 3);
}
END_TEST

/* clang-format off */
static const struct {
	uint8_t protocol;
	struct prop props[PROP_MAX];
	bool taken;
} answers[] = {
	{ PROTO_IKE, { { 1, 0, { GCM(256), P384, X25519 } } }, true },
	{ PROTO_IKE, { { 1, 0, { GCM(128), P384, X25519 } } }, false },
	{ PROTO_IKE, { { 1, 0, { GCM(256), P256, X25519 } } }, false },
	{ PROTO_IKE, { { 1, 0, { GCM(256), P384, E384 } } }, false },
	{ PROTO_ESP, { { 3, 4, { GCM(256), X25519, ESN } } }, true },
	{ PROTO_ESP, { { 3, 4, { GCM(256), X25519, NOESN } } }, false },
	{ PROTO_ESP, { { 3, 4, { GCM(256), KNONE, ESN } } }, false },
	{ PROTO_ESP, { { 3, 4, { GCM(256), ESN } } }, false },
};
/* clang-format on */

START_TEST(no_other_answer_is_taken_than_the_one_that_was_proposed)
{
	struct proposal_want want = one_of("modern", answers[_i].protocol);
	struct proposal_chosen c;

	ck_assert_int_eq(proposal_verify(sa_of(answers[_i].props), &want, &c),
			 answers[_i].taken ? OK : ERR_NO_PROPOSAL);
	/* Each of them lies in the whole policy. */
	want.one = false;
	ck_assert_int_eq(proposal_verify(sa_of(answers[_i].props), &want, &c), OK);
}
END_TEST

START_TEST(no_other_group_is_followed_than_the_one_that_was_proposed)
{
	struct proposal_want want = one_of("modern", PROTO_IKE);
	static const uint8_t ecp384[] = { 0, KE_ECP_384 };
	struct span asked = span_of(ecp384, sizeof(ecp384));

	ck_assert_ptr_null(proposal_ke_asked(&want, asked, KE_CURVE25519));
	want.one = false;
	ck_assert_ptr_nonnull(proposal_ke_asked(&want, asked, KE_CURVE25519));
}
END_TEST

START_TEST(what_was_proposed_is_said)
{
	struct proposal_want want = one_of("modern", PROTO_IKE);
	char text[PROPOSAL_TEXT_MAX];

	proposal_wanted_text(&want, text, sizeof(text));
	ck_assert_str_eq(text, "aes256gcm16; prfsha384; x25519");
}
END_TEST

UNIT("ike/propose-one")
{
	tcase_add_loop_test(tc, one_transform_of_each_type_is_offered, 0,
			    sizeof(offers) / sizeof(offers[0]));
	tcase_add_loop_test(tc, no_other_answer_is_taken_than_the_one_that_was_proposed, 0,
			    sizeof(answers) / sizeof(answers[0]));
	tcase_add_test(tc, no_other_group_is_followed_than_the_one_that_was_proposed);
	tcase_add_test(tc, what_was_proposed_is_said);
}
