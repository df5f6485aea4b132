/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers learn from a refusal: that it is one. Not by whom we are known, not whom we know,
 * neither by what the answer says nor by when it comes. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

#define OFFER "policy = { aes128 sha256 prfsha256 ecp256 }"

/* Two connections for any address; one takes pre-shared keys, the other certificates. */
static const char *gateway(const char *psk, const char *cert)
{
	static char text[2048];

	snprintf(text, sizeof(text),
		 "me {\n identity = right.example.org\n certificate = c\n key = k\n trust = t\n}\n"
		 "connection one {\n address = any\n auth = psk\n psk_file = a.psk\n %s\n"
		 " child net {\n  local = 10.2.0.0/16\n  remote = 10.1.0.0/17\n }\n}\n"
		 "connection two {\n address = any\n auth = certificate\n %s\n"
		 " child net {\n  local = 10.2.0.0/16\n  remote = 10.1.128.0/17\n }\n}\n",
		 psk, cert);
	return text;
}

#define KNOWS_LEFT "identity = left.example.org\n policy = compatible"
#define KNOWS_A	   "identity = a.example.org\n policy = compatible"
#define KNOWS_B	   "identity = b.example.org\n policy = compatible"
#define IS_ANOTHER \
	"identity = left.example.org\n local_identity = c.example.org\n policy = compatible"
#define IS_STRICT "identity = left.example.org\n policy = modern"

static const struct {
	const char *(*left)(enum side s, const char *more);
	const char *psk, *cert; /* what the right end has for either */
	enum err why;
	enum job_kind job;
} refusals[] = {
	{ pair_psk, KNOWS_LEFT, KNOWS_A, ERR_WRONG_PSK, JOB_PSK_MAC },
	{ pair_psk, KNOWS_A, KNOWS_B, ERR_UNKNOWN_PEER, JOB_PSK_MAC },
	{ pair_psk, IS_ANOTHER, KNOWS_B, ERR_UNKNOWN_PEER, JOB_PSK_MAC },
	{ pair_psk, KNOWS_A, KNOWS_LEFT, ERR_AUTH_METHOD, JOB_PSK_MAC },
	{ pair_psk, IS_STRICT, KNOWS_A, ERR_DOWNGRADE, JOB_PSK_MAC },
	{ pair_cert, KNOWS_A, KNOWS_LEFT, ERR_AUTH, JOB_VERIFY },
	{ pair_cert, KNOWS_A, KNOWS_B, ERR_UNKNOWN_PEER, JOB_VERIFY },
	{ pair_cert, KNOWS_B, IS_ANOTHER, ERR_UNKNOWN_PEER, JOB_VERIFY },
	{ pair_cert, KNOWS_LEFT, KNOWS_A, ERR_AUTH_METHOD, JOB_VERIFY },
	{ pair_cert, KNOWS_A, IS_STRICT, ERR_DOWNGRADE, JOB_VERIFY },
};

enum { N_REFUSALS = sizeof(refusals) / sizeof(refusals[0]) };

/* Its proof is wrong, besides. */
static struct pair *stranger(int i)
{
	struct pair *p =
		pair_new(refusals[i].left(LEFT, OFFER), gateway(refusals[i].psk, refusals[i].cert));

	p->end[LEFT].psk = "another key that is long";
	p->end[LEFT].name = "mallory.example.org";
	return p;
}

START_TEST(a_refusal_says_the_same_whatever_is_wrong)
{
	struct pair *p = stranger(_i);

	pair_up(p, LEFT, "site");
	pair_drain(p);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_REFUSED)->err, ERR_PEER_AUTH);
	ck_assert_uint_eq(pair_count(p, RIGHT, IKE_NOTE_REFUSED), 1);
	ck_assert_int_eq(pair_note(p, RIGHT, IKE_NOTE_REFUSED)->err, refusals[_i].why);
	ck_assert_ptr_null(pair_note(p, RIGHT, IKE_NOTE_PROVED));
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}
END_TEST

/* Whatever is wrong, the proof is judged, once, and only then the answer leaves. */
START_TEST(a_refusal_takes_the_same_work_whatever_is_wrong)
{
	struct pair *p = stranger(_i);
	const size_t *jobs = p->end[RIGHT].n_jobs;

	p->end[RIGHT].hold_jobs = true;
	pair_up(p, LEFT, "site");
	pair_run(p, 10 * NS_PER_S);
	ck_assert_ptr_null(pair_note(p, LEFT, IKE_NOTE_REFUSED));
	ck_assert_uint_eq(jobs[refusals[_i].job], 1);
	ck_assert_uint_eq(jobs[JOB_PSK_MAC] + jobs[JOB_SIGN] + jobs[JOB_VERIFY], 1);
	pair_run(p, 100 * NS_PER_S);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}
END_TEST

/* Who is refused is refused, however good the proof is that is judged for the look of it. */
START_TEST(a_good_proof_does_not_help_who_is_refused)
{
	struct pair *p = pair_new(refusals[_i].left(LEFT, OFFER),
				  gateway(refusals[_i].psk, refusals[_i].cert));
	bool proof_was_the_fault =
		refusals[_i].why == ERR_WRONG_PSK || refusals[_i].why == ERR_AUTH;

	pair_up(p, LEFT, "site");
	pair_drain(p);
	ck_assert_int_eq(pair_note(p, RIGHT, IKE_NOTE_PROVED) != NULL, proof_was_the_fault);
	if (!proof_was_the_fault)
		ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_REFUSED)->err, ERR_PEER_AUTH);
	pair_free(p);
}
END_TEST

/* ---- several of us ---- */

/* A gateway that is two: each with an identity of its own, by which peers ask for it. */
static const char gateways[] =
	"me east {\n identity = east.example.org\n certificate = e\n key = k\n trust = t\n}\n"
	"me west {\n identity = west.example.org\n certificate = w\n key = l\n trust = t\n}\n"
	"connection one {\n me = east\n address = any\n identity = left.example.org\n"
	" child net {\n  local = 10.2.0.0/17\n  remote = 10.1.0.0/16\n }\n}\n"
	"connection two {\n me = west\n address = any\n identity = left.example.org\n"
	" child net {\n  local = 10.2.128.0/17\n  remote = 10.1.0.0/16\n }\n}\n";

static const char *asks_for(const char *identity)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		 "me {\n identity = left.example.org\n certificate = c\n key = k\n trust = t\n}\n"
		 "connection site {\n address = 198.51.100.2\n identity = %s\n start = manual\n"
		 " child net {\n  local = 10.1.0.0/16\n  remote = 10.2.0.0/16\n }\n}\n",
		 identity);
	return text;
}

static const struct {
	const char *asked;
	const char *chosen; /* NULL: nobody */
} names[] = {
	{ "east.example.org", "one" },
	{ "west.example.org", "two" },
	{ "north.example.org", NULL },
};

START_TEST(the_one_that_is_asked_for_answers)
{
	struct pair *p = pair_new(asks_for(names[_i].asked), gateways);
	const struct ike_note *up;

	p->end[RIGHT].name = names[_i].asked; /* the key that the fake signer has */
	pair_up(p, LEFT, "site");
	pair_drain(p);
	up = pair_note(p, RIGHT, IKE_NOTE_UP);
	ck_assert_int_eq(up != NULL, names[_i].chosen != NULL);
	if (up) {
		ck_assert_str_eq(up->connection, names[_i].chosen);
		pair_expect_children(p, 1);
	} else {
		ck_assert_int_eq(pair_note(p, RIGHT, IKE_NOTE_REFUSED)->err, ERR_UNKNOWN_PEER);
		ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_REFUSED)->err, ERR_PEER_AUTH);
	}
	pair_free(p);
}
END_TEST

UNIT("ike/engine-oracle")
{
	tcase_add_loop_test(tc, a_refusal_says_the_same_whatever_is_wrong, 0, N_REFUSALS);
	tcase_add_loop_test(tc, a_refusal_takes_the_same_work_whatever_is_wrong, 0, N_REFUSALS);
	tcase_add_loop_test(tc, a_good_proof_does_not_help_who_is_refused, 0, N_REFUSALS);
	tcase_add_loop_test(tc, the_one_that_is_asked_for_answers, 0, 3);
}
