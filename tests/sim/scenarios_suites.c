/* SPDX-License-Identifier: Apache-2.0 */
/* Every algorithm that there is, each in handshakes of two real engines: both ends have one suite
 * alone, and come up by it.
 *
 * The seed counts through the suites, and each digit turns all that follow it too: so the first
 * handful of seeds have every row of each type, and as many seeds as there are combinations have
 * every combination once.
 */
#include <stdio.h>

#include "crypto/suite.h"
#include "tests/sim/confs.h"

enum { POLICY_LEN = 128, CONF_LEN = 2048 };

static const struct sim_conf start = SITE(PSK MANUAL, PSK MANUAL);

/* The next digit: of `*count`, turned by the sum of those before. */
static size_t digit(uint64_t *count, uint64_t *turn, size_t n)
{
	*turn += *count % n;
	*count /= n;
	return (size_t)(*turn % n);
}

static struct suite suite_of(uint64_t count)
{
	size_t n_encr = 0, n_integ = 0, n_prf = 0, n_ke = 0;
	struct suite s = { .encr = NULL };
	uint64_t turn = 0;

	while (encr_row(n_encr))
		n_encr++;
	while (integ_row(n_integ))
		n_integ++;
	while (prf_row(n_prf))
		n_prf++;
	while (ke_row(n_ke))
		n_ke++;
	s.encr = encr_row(digit(&count, &turn, n_encr));
	s.prf = prf_row(digit(&count, &turn, n_prf));
	s.ke = ke_row(digit(&count, &turn, n_ke));
	s.integ = integ_row(digit(&count, &turn, n_integ));
	if (s.encr->aead)
		s.integ = NULL;
	return s;
}

static void take_policy(struct sim *s, enum side side, const char *policy)
{
	char text[CONF_LEN];

	snprintf(text, sizeof(text), "%s%s policy = { %s }\n%s}\n",
		 side == LEFT ? LEFT_BEGIN : RIGHT_BEGIN, PSK MANUAL, policy,
		 side == LEFT ? LEFT_NET : RIGHT_NET);
	sim_reload(s, side, text);
}

static void one_suite(struct sim *s)
{
	const struct suite suite = suite_of(sim_seed(s));
	char policy[POLICY_LEN];

	suite_text(&suite, policy, sizeof(policy));
	take_policy(s, LEFT, policy);
	take_policy(s, RIGHT, policy);
	sim_compute_truly(s);
	sim_up(s, LEFT, "site");
	sim_run_until_quiet(s);
	sim_must(s, sim_pairs(s, "site", NULL) == 1, "no child is up by %s", policy);
	sim_expect(s, "site", 1);
}

const struct sim_scenario scenarios_suites[] = {
	{ "suites",
	  "each suite alone brings up one pair",
	  one_suite,
	  &start,
	  { .delay_ms = { 1, 50 } },
	  0 },
	{ 0 },
};
