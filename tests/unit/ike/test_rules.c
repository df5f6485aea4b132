/* SPDX-License-Identifier: Apache-2.0 */
/* The exchange table, by enumeration. */
#include "ike/rules.h"
#include "tests/unit/unit.h"

/* Every payload type that the table speaks of, and one that it does not. */
static const uint8_t types[] = { PL_SA,	     PL_KE,   PL_IDI,	PL_IDR,	   PL_CERT,
				 PL_CERTREQ, PL_AUTH, PL_NONCE, PL_NOTIFY, PL_DELETE,
				 PL_VENDOR,  PL_TSI,  PL_TSR,	PL_CP,	   PL_EAP };
enum { N_TYPES = sizeof(types) / sizeof(types[0]) };

static uint32_t payloads(uint32_t n)
{
	uint32_t present = 0;

	for (size_t i = 0; i < N_TYPES; i++)
		present |= n & 1u << i ? PL_BIT(types[i]) : 0;
	return present;
}

static const uint32_t always = PL_BIT(PL_NOTIFY) | PL_BIT(PL_VENDOR);

static bool row_fits(const struct rule *r, uint32_t present)
{
	return (present & r->must) == r->must && (present & ~(r->must | r->may | always)) == 0;
}

/* No message has two rows: so the order of the rows means nothing. */
START_TEST(rows_are_disjoint)
{
	const struct rule *a, *b;

	for (size_t i = 0; (a = rules_row(i)); i++) {
		for (size_t k = i + 1; (b = rules_row(k)); k++) {
			if (a->exchange != b->exchange || a->direction != b->direction ||
			    !(a->states & b->states))
				continue;
			for (uint32_t n = 0; n < 1u << N_TYPES; n++)
				ck_assert(!(row_fits(a, payloads(n)) && row_fits(b, payloads(n))));
		}
	}
}
END_TEST

/* The cells that may have an effect, written down a second time. */
static bool legal(uint8_t exchange, enum direction d, enum sa_state s)
{
	switch (exchange) {
	case X_IKE_SA_INIT:
		return d == REQUEST ? s == S_NONE : s == S_INIT_SENT;
	case X_IKE_AUTH:
		return d == REQUEST ? s == S_INIT_DONE : s == S_AUTH_SENT || s == S_CLOSING;
	case X_CREATE_CHILD_SA:
	case X_INFORMATIONAL:
		return s == S_UP || s == S_CLOSING;
	default:
		return false;
	}
}

START_TEST(only_the_legal_cells_are_expected)
{
	for (unsigned x = 0; x < 256; x++) {
		for (unsigned s = 0; s < N_SA_STATES; s++) {
			for (unsigned d = REQUEST; d <= RESPONSE; d++)
				ck_assert(rules_expect((uint8_t)x, d, s) ==
					  legal((uint8_t)x, d, s));
		}
	}
}
END_TEST

/* CVE-2013-6467: every payload that must be there, left out. */
START_TEST(nothing_goes_without_what_must_be_there)
{
	const struct rule *r;

	for (size_t i = 0; (r = rules_row(i)); i++) {
		for (uint32_t bit = 1; bit; bit <<= 1) {
			const struct rule *other;
			enum sa_state s = (enum sa_state)__builtin_ctz(r->states);

			if (!(r->must & bit))
				continue;
			other = rules_find(r->exchange, r->direction, s, r->must & ~bit);
			ck_assert(other != r);
		}
	}
}
END_TEST

UNIT("ike/rules")
{
	tcase_add_test(tc, rows_are_disjoint);
	tcase_add_test(tc, only_the_legal_cells_are_expected);
	tcase_add_test(tc, nothing_goes_without_what_must_be_there);
}
