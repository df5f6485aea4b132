/* SPDX-License-Identifier: Apache-2.0 */
/* Against the plainest chooser that can be written: every suite of the policy in its order, the
 * first that any proposal holds.
 */
#include "tests/unit/ike/sa_payload.h"
#include "tests/unit/unit.h"

static uint32_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * UINT32_C(1664525) + UINT32_C(1013904223);
	return (seed >> 8) % below;
}

static bool holds(const struct prop *p, uint8_t type, uint16_t id, uint16_t bits)
{
	for (size_t i = 0; i < TR_MAX && p->t[i].type != 0; i++) {
		if (p->t[i].type == type && p->t[i].id == id && p->t[i].bits == bits)
			return true;
	}
	return false;
}

static bool has_type(const struct prop *p, uint8_t type)
{
	for (size_t i = 0; i < TR_MAX && p->t[i].type != 0; i++) {
		if (p->t[i].type == type)
			return true;
	}
	return false;
}

static bool plain_fits(const struct prop *p, const struct suite *s)
{
	if (!holds(p, T_ENCR, s->encr->id, s->encr->key_bits) || !holds(p, T_PRF, s->prf->id, 0) ||
	    !holds(p, T_KE, s->ke->id, 0))
		return false;
	if (s->integ != NULL)
		return holds(p, T_INTEG, s->integ->id, 0);
	return !has_type(p, T_INTEG) || holds(p, T_INTEG, INTEG_NONE, 0);
}

/* Suite number x of a policy, in the order of its preference; false when a row is not there. */
static bool plain_suite(const struct suite_policy *po, size_t x, struct suite *s)
{
	size_t ke = x % SUITE_KE_MAX, prf = x / SUITE_KE_MAX % SUITE_PRF_MAX;
	size_t integ = x / SUITE_KE_MAX / SUITE_PRF_MAX % SUITE_INTEG_MAX;
	size_t encr = x / SUITE_KE_MAX / SUITE_PRF_MAX / SUITE_INTEG_MAX;

	*s = (struct suite){ .encr = po->encr[encr], .prf = po->prf[prf], .ke = po->ke[ke] };
	if (s->encr == NULL || s->prf == NULL || s->ke == NULL)
		return false;
	if (s->encr->aead)
		return integ == 0;
	s->integ = po->integ[integ];
	return s->integ != NULL;
}

enum { SUITES = SUITE_ENCR_MAX * SUITE_INTEG_MAX * SUITE_PRF_MAX * SUITE_KE_MAX };

/* The first suite of the policy that any proposal holds. */
static bool plain_choose(const struct prop *props, const struct suite_policy *po, struct suite *out)
{
	for (size_t x = 0; x < SUITES; x++) {
		if (!plain_suite(po, x, out))
			continue;
		for (size_t p = 0; p < PROP_MAX && props[p].protocol != 0; p++) {
			if (plain_fits(&props[p], out))
				return true;
		}
	}
	return false;
}

START_TEST(the_choice_is_that_of_the_plainest_chooser)
{
	static const struct tr pool[] = { CBC(128), CBC(256), GCM(128), GCM(256), CHACHA, TDES,
					  P256,	    P384,     P1,	I256,	  I384,	  I1,
					  INONE,    X25519,   E384,	M2048,	  M1024,  KNONE };
	struct proposal_want want = want_of("compatible", PROTO_IKE);
	unsigned int found = 0;

	seed = (uint32_t)_i;
	for (unsigned int round = 0; round < 1000; round++) {
		struct prop props[PROP_MAX] = { { 0, 0, { { 0, 0, 0 } } } };
		size_t n = 1 + draw(3);
		struct proposal_chosen c;
		struct suite plain = { .encr = NULL };
		enum err err;

		for (size_t p = 0; p < n; p++) {
			props[p].protocol = PROTO_IKE;
			for (size_t i = 0; i < 3 + draw(TR_MAX - 3); i++)
				props[p].t[i] = pool[draw(sizeof(pool) / sizeof(pool[0]))];
		}
		err = proposal_choose(sa_of(props), &want, &c);
		ck_assert_int_eq(err == OK, plain_choose(props, want.policy, &plain));
		if (err != OK)
			continue;
		found++;
		ck_assert(c.suite.encr == plain.encr && c.suite.integ == plain.integ);
		ck_assert(c.suite.prf == plain.prf && c.suite.ke == plain.ke);
	}
	ck_assert_uint_gt(found, 100);
}
END_TEST

UNIT("ike/proposal_choice")
{
	tcase_add_loop_test(tc, the_choice_is_that_of_the_plainest_chooser, 0, 10);
}
