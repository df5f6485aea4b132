/* SPDX-License-Identifier: Apache-2.0 */
/* What the explorer shows of small sets of payloads holds for all: the exchange table of ike/ and
 * the one that tests have (explore.c) agree on every exchange, role, state and set. */
#include "tests/unit/ike/explore.h"
#include "tests/unit/unit.h"

/* All types that have a meaning, but for SK and SKF, which are no payloads of a table. */
static const uint8_t types[] = { PL_SA,	     PL_KE,   PL_IDI,	PL_IDR,	   PL_CERT,
				 PL_CERTREQ, PL_AUTH, PL_NONCE, PL_NOTIFY, PL_DELETE,
				 PL_VENDOR,  PL_TSI,  PL_TSR,	PL_CP,	   PL_EAP };
enum { N_TYPES = sizeof(types) };

static uint32_t present(uint32_t set)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < N_TYPES; i++)
		bits |= set & 1u << i ? PL_BIT(types[i]) : 0;
	return bits;
}

/* Who goes before IKE_AUTH is answered is known to ike/ by its state, and by what is asked. */
static bool takes(uint8_t exchange, enum direction d, unsigned s, uint32_t bits)
{
	return explore_takes(exchange, d, s, bits) ||
	       (s == S_CLOSING && explore_takes(exchange, d, S_LEAVING, bits));
}

/* How many roles of an exchange take this set in this state. */
static size_t compare(uint8_t exchange, enum sa_state s, uint32_t bits)
{
	size_t n = 0;

	for (enum direction d = REQUEST; d <= RESPONSE; d++) {
		const bool row = rules_find(exchange, d, s, bits) != NULL;

		if (row != takes(exchange, d, s, bits))
			ck_abort_msg("exchange %u, %u, %08x", exchange, d, bits);
		n += row;
	}
	return n;
}

START_TEST(every_set_of_payloads_has_a_row_or_none_as_it_should)
{
	size_t n = 0;

	for (uint32_t set = 0; set < 1u << N_TYPES; set++) {
		for (unsigned x = X_IKE_SA_INIT; x <= X_INFORMATIONAL; x++)
			n += compare((uint8_t)x, (enum sa_state)_i, present(set));
	}
	ck_assert_uint_gt(n, 0);
}
END_TEST

/* Those of no other exchange have a row, whatever stands in them. */
START_TEST(other_exchanges_have_no_row)
{
	for (unsigned x = 0; x < 256; x++) {
		for (unsigned s = 0; s < N_SA_STATES; s++) {
			bool ours = x >= X_IKE_SA_INIT && x <= X_INFORMATIONAL;

			ck_assert(ours || !rules_expect((uint8_t)x, REQUEST, s));
			ck_assert(ours || !rules_expect((uint8_t)x, RESPONSE, s));
		}
	}
}
END_TEST

UNIT("ike/matrix-rules")
{
	tcase_add_loop_test(tc, every_set_of_payloads_has_a_row_or_none_as_it_should, 0,
			    N_SA_STATES);
	tcase_add_test(tc, other_exchanges_have_no_row);
}
