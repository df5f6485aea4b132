/* SPDX-License-Identifier: Apache-2.0 */
/* Every transform type with every ID, in an offer to the responder and in an answer to the
 * initiator, for the IKE SA and for ESP with and without a group, each with AEAD and without: what
 * is taken stands in the policy, and all that stands there is. Which that is, is looked up in the
 * policy's own lists and not by the chooser. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ike/sa_payload.h"
#include "tests/unit/unit.h"

/* A proposal that is good but for the transform in its last place. */
struct base {
	const char *policy;
	uint8_t protocol;
	bool aead;
	bool with_ke;
	uint8_t number; /* of our own offer's proposal of this kind */
};

static const struct base bases[] = {
	{ "modern", PROTO_IKE, true, true, 1 },	      { "compatible", PROTO_IKE, true, true, 1 },
	{ "compatible", PROTO_IKE, false, true, 2 },  { "modern", PROTO_ESP, true, false, 1 },
	{ "compatible", PROTO_ESP, false, false, 2 }, { "modern", PROTO_ESP, true, true, 1 },
	{ "compatible", PROTO_ESP, false, true, 2 },
};
enum { N_BASES = sizeof(bases) / sizeof(bases[0]), N_TYPES = 5 };

static const uint16_t bits[] = { 0, 128, 192, 256, 1, 65535 };

static struct proposal_want wanted(const struct base *b)
{
	struct proposal_want want = want_of(b->policy, b->protocol);

	want.with_ke = b->with_ke;
	return want;
}

/* Does a good proposal of this kind have a transform of this type? */
static bool belongs(const struct base *b, uint8_t type)
{
	switch (type) {
	case T_ENCR:
		return true;
	case T_PRF:
		return b->protocol == PROTO_IKE;
	case T_INTEG:
		return !b->aead;
	case T_KE:
		return b->with_ke;
	case T_ESN:
		return b->protocol == PROTO_ESP;
	default:
		return false;
	}
}

static bool in_policy(const struct base *b, const struct tr *t)
{
	const struct suite_policy *p = wanted(b).policy;
	bool found = false;

	for (size_t i = 0; t->type == T_ENCR && p->encr[i]; i++)
		found |= p->encr[i]->id == t->id && p->encr[i]->key_bits == t->bits &&
			 p->encr[i]->aead == b->aead;
	for (size_t i = 0; t->type == T_PRF && p->prf[i]; i++)
		found |= p->prf[i]->id == t->id;
	for (size_t i = 0; t->type == T_INTEG && p->integ[i]; i++)
		found |= p->integ[i]->id == t->id;
	for (size_t i = 0; t->type == T_KE && p->ke[i]; i++)
		found |= p->ke[i]->id == t->id;
	found |= t->type == T_ESN && t->id <= ESN_YES;
	return found && (t->type == T_ENCR || t->bits == 0);
}

/* May the whole with this transform be taken? NONE may stand there for what does not belong. */
static bool may_be(const struct base *b, const struct tr *t)
{
	if (t->type == T_KE && b->protocol == PROTO_ESP && !b->with_ke)
		return t->id == KE_NONE && t->bits == 0;
	if (t->type == T_INTEG && b->aead)
		return t->id == INTEG_NONE && t->bits == 0;
	return belongs(b, t->type) && in_policy(b, t);
}

static struct prop proposal(const struct base *b, const struct tr *last)
{
	static const struct tr good[] = { P256, X25519, NOESN };
	struct prop p = { .protocol = b->protocol, .spi_len = b->protocol == PROTO_ESP ? 4 : 0 };
	struct tr encr = { T_ENCR, b->aead ? ENCR_AES_GCM_16 : ENCR_AES_CBC, 256 };
	size_t n = 0;

	if (last->type != T_ENCR)
		p.t[n++] = encr;
	for (size_t i = 0; i < 3; i++) {
		if (good[i].type != last->type && belongs(b, good[i].type))
			p.t[n++] = good[i];
	}
	if (!b->aead && last->type != T_INTEG)
		p.t[n++] = (struct tr)I256;
	p.t[n] = *last;
	return p;
}

static bool has(const struct suite *s, const struct tr *t)
{
	switch (t->type) {
	case T_ENCR:
		return s->encr->id == t->id && s->encr->key_bits == t->bits;
	case T_PRF:
		return s->prf && s->prf->id == t->id;
	case T_INTEG:
		return s->integ ? s->integ->id == t->id : t->id == INTEG_NONE;
	case T_KE:
		return s->ke ? s->ke->id == t->id : t->id == KE_NONE;
	default:
		return s->esn == (t->id == ESN_YES);
	}
}

/* Each ck_assert writes to a file, which a million of them would feel. */
static void must(bool holds, const struct tr *t, const char *what)
{
	if (!holds)
		ck_abort_msg("type %u, ID %u, %u bits: %s", t->type, t->id, t->bits, what);
}

/* Both roles; says whether the responder took it. */
static bool judge(const struct base *b, const struct tr *t)
{
	const struct proposal_want want = wanted(b);
	const struct prop props[PROP_MAX] = { proposal(b, t) };
	bool may = may_be(b, t);
	struct proposal_chosen c, v;
	struct span sa = sa_numbered(props, b->number);
	bool chosen = proposal_choose(sa, &want, &c) == OK;
	bool verified = proposal_verify(sa, &want, &v) == OK;

	must(chosen == may, t, may ? "the responder refuses it" : "the responder takes it");
	must(verified == may, t, may ? "the initiator refuses it" : "the initiator takes it");
	must(!may || (has(&c.suite, t) && has(&v.suite, t)), t, "another one is chosen");
	return chosen;
}

START_TEST(of_all_ids_only_those_of_the_policy_are_taken_in_either_role)
{
	const struct base *b = &bases[_i / N_TYPES];
	uint8_t type = (uint8_t)(_i % N_TYPES + 1);
	size_t n = 0;

	for (unsigned id = 0; id <= UINT16_MAX; id++) {
		for (size_t k = 0; k < (id < 64 ? 6 : 1); k++) {
			struct tr t = { type, (uint16_t)id, bits[k] };

			n += judge(b, &t);
		}
	}
	ck_assert((n > 0) == (belongs(b, type) || type == T_INTEG ||
			      (type == T_KE && b->protocol == PROTO_ESP)));
}
END_TEST

/* All of them cost more than everything else here: every 61st, without MATRIX_ALL. */
static unsigned next_id(unsigned id)
{
	return getenv("MATRIX_ALL") ? id + 1 : id + (id < 64 ? 1 : 61);
}

START_TEST(a_transform_of_an_unknown_type_spoils_its_proposal)
{
	const struct base *b = &bases[_i];
	const struct proposal_want want = wanted(b);
	const struct prop props[PROP_MAX] = { proposal(b, &(struct tr)NOESN) };
	struct span sa = sa_numbered(props, b->number);
	uint8_t *last = sa_bytes() + sa.len - 8; /* the type and the ID of it are written over */
	struct proposal_chosen c;

	for (unsigned type = 0; type < 256; type++) {
		if (type >= T_ENCR && type <= T_ESN)
			continue;
		last[4] = (uint8_t)type;
		for (unsigned id = 0; id <= UINT16_MAX; id = next_id(id)) {
			last[6] = (uint8_t)(id >> 8);
			last[7] = (uint8_t)id;
			if (proposal_choose(sa, &want, &c) == OK ||
			    proposal_verify(sa, &want, &c) == OK)
				ck_abort_msg("type %u, ID %u is taken", type, id);
		}
	}
	/* The control: what stood there is taken, and with an IKE SA nothing is written there. */
	last[4] = T_ESN;
	last[6] = last[7] = 0;
	ck_assert((proposal_choose(sa, &want, &c) == OK) == (b->protocol == PROTO_ESP));
}
END_TEST

/* The group of a KE payload, whatever else it holds: the one that was chosen and no other. */
START_TEST(of_all_groups_of_a_ke_payload_the_chosen_one_is_taken)
{
	static const struct prop props[PROP_MAX] = { { PROTO_IKE, 0, { GCM(256), P256, X25519 } } };
	const struct proposal_want want = want_of("modern", PROTO_IKE);
	struct proposal_chosen c;

	ck_assert_int_eq(proposal_choose(sa_of(props), &want, &c), OK);
	for (unsigned id = 0; id <= UINT16_MAX; id++) {
		if ((proposal_ke_check(&c, (uint16_t)id) == OK) != (id == KE_CURVE25519))
			ck_abort_msg("group %u", id);
	}
}
END_TEST

/* Key Length is attribute 14, in the short form; anything else there makes the transform one that
 * we do not know. */
START_TEST(any_attribute_but_the_key_length_is_not_taken)
{
	static const struct prop props[PROP_MAX] = { { PROTO_IKE, 0, { GCM(256), P256, X25519 } } };
	const struct proposal_want want = want_of("modern", PROTO_IKE);
	enum { AT = 8 + 8 };

	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		struct span sa = sa_of(props);
		struct proposal_chosen c;

		sa_bytes()[AT] = (uint8_t)(type >> 8);
		sa_bytes()[AT + 1] = (uint8_t)type;
		if ((proposal_choose(sa, &want, &c) == OK) != (type == 0x800e) ||
		    (proposal_verify(sa, &want, &c) == OK) != (type == 0x800e))
			ck_abort_msg("attribute %u", type);
	}
}
END_TEST

START_TEST(any_key_length_but_those_of_the_policy_is_not_taken)
{
	for (size_t i = 0; i < N_BASES; i++) {
		for (unsigned n = 0; n <= UINT16_MAX; n++) {
			struct tr t = { T_ENCR, bases[i].aead ? ENCR_AES_GCM_16 : ENCR_AES_CBC,
					(uint16_t)n };

			must(judge(&bases[i], &t) == (n == 128 || n == 256), &t, "key length");
		}
	}
}
END_TEST

UNIT("ike/proposal-ids")
{
	tcase_set_timeout(tc, 600);
	tcase_add_loop_test(tc, of_all_ids_only_those_of_the_policy_are_taken_in_either_role, 0,
			    N_BASES * N_TYPES);
	tcase_add_loop_test(tc, a_transform_of_an_unknown_type_spoils_its_proposal, 0, N_BASES);
	tcase_add_test(tc, of_all_groups_of_a_ke_payload_the_chosen_one_is_taken);
	tcase_add_test(tc, any_attribute_but_the_key_length_is_not_taken);
	tcase_add_test(tc, any_key_length_but_those_of_the_policy_is_not_taken);
}
