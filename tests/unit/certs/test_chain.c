/* SPDX-License-Identifier: Apache-2.0 */
/* Which paths lead to a trusted CA, at which times, and in what words the others are refused. */
#include "certs/chain.h"

#include "tests/unit/certs/ask.h"
#include "tests/unit/unit.h"

#define GW "gw.example.org"
#define PASSES(trust_, chain_) \
	ask_passes(p, &(struct ask){ .trust = trust_, .chain = chain_, .claimed = pki_id(GW) })
#define REFUSED(trust_, chain_, err_, text_)                                                     \
	ask_refused(p, &(struct ask){ .trust = trust_, .chain = chain_, .claimed = pki_id(GW) }, \
		    err_, text_)
#define AT(chain_, at_, err_, text_)                      \
	ask_refused(p,                                    \
		    &(struct ask){ .trust = CERTS(root),  \
				   .chain = chain_,       \
				   .claimed = pki_id(GW), \
				   .at = at_ },           \
		    err_, text_)

static struct pki *p;
static const struct cert *root, *one, *two;

static void set_up(void)
{
	p = pki_new();
	root = pki_ca(p, NULL, "O=Example,CN=Root");
	one = pki_ca(p, root, "O=Example,CN=One");
	two = pki_ca(p, one, "O=Example,CN=Two");
}

static void tear_down(void)
{
	pki_free(p);
}

static const struct cert *leaf(const struct cert *issuer)
{
	return pki_leaf(p, issuer, "DNS:" GW);
}

START_TEST(zero_to_two_intermediates_lead_to_the_root)
{
	const struct cert *l0 = leaf(root), *l1 = leaf(one), *l2 = leaf(two);

	PASSES(CERTS(root), CERTS(l0));
	PASSES(CERTS(root), CERTS(l1, one));
	PASSES(CERTS(root), CERTS(l2, two, one));
	PASSES(CERTS(root), CERTS(l2, two, one, root));
}
END_TEST

START_TEST(an_intermediate_may_be_the_trusted_end)
{
	const struct cert *l2 = leaf(two);

	PASSES(CERTS(one), CERTS(l2, two));
	PASSES(CERTS(two), CERTS(l2));
	PASSES(CERTS(two), CERTS(l2, two, one));
}
END_TEST

START_TEST(after_the_leaf_any_order_and_any_other_certificate_will_do)
{
	const struct cert *l2 = leaf(two), *other = pki_ca(p, NULL, "CN=Other");

	PASSES(CERTS(root), CERTS(l2, one, two));
	PASSES(CERTS(root), CERTS(l2, root, other, one, leaf(other), two, two));
}
END_TEST

START_TEST(the_trust_file_may_hold_several_authorities)
{
	const struct cert *a = pki_ca(p, NULL, "CN=A"), *b = pki_ca(p, NULL, "CN=B");

	PASSES(CERTS(a, b, root), CERTS(leaf(root)));
	PASSES(CERTS(a, b, root, a), CERTS(leaf(a)));
	PASSES(CERTS(root, a, one), CERTS(leaf(two), two));
}
END_TEST

/* A CA that got a new key keeps its name: both may be in use. */
START_TEST(two_authorities_of_one_name_are_both_taken)
{
	const struct cert *again = pki_ca(p, NULL, "O=Example,CN=Root");

	PASSES(CERTS(root, again), CERTS(leaf(root)));
	PASSES(CERTS(root, again), CERTS(leaf(again)));
	PASSES(CERTS(again, root), CERTS(leaf(root)));
}
END_TEST

START_TEST(the_leaf_has_to_come_first)
{
	const struct cert *l1 = leaf(one);
	/* signed by the leaf's key, while the first certificate is the CA's */
	const struct ask a = { .trust = CERTS(root),
			       .chain = CERTS(one, l1),
			       .claimed = pki_id(GW),
			       .signer = l1 };

	ask_refused(p, &a, ERR_CERT_INVALID,
		    "the certificate's keyUsage does not allow digitalSignature");
}
END_TEST

/* Of two leaves only the first counts: a stranger's good one behind it lends it nothing. */
START_TEST(of_two_leading_leaves_only_the_first_counts)
{
	const struct cert *mine = pki_leaf(p, root, "DNS:mine.example.org"), *l0 = leaf(root);
	const struct job_result r = ask(p, &(struct ask){ .trust = CERTS(root),
							  .chain = CERTS(mine, l0),
							  .claimed = pki_id(GW) });

	PASSES(CERTS(root), CERTS(l0, mine));
	ck_assert_int_eq(r.err, ERR_WRONG_IDENTITY);
	ck_assert_str_eq(r.text, "its certificate proves mine.example.org");
	ask_refused(p,
		    &(struct ask){ .trust = CERTS(root),
				   .chain = CERTS(l0, mine),
				   .claimed = pki_id(GW),
				   .signer = mine },
		    ERR_AUTH, NULL);
}
END_TEST

START_TEST(a_missing_intermediate_is_named)
{
	REFUSED(CERTS(root), CERTS(leaf(one)), ERR_CERT_UNTRUSTED,
		"certificate of O=Example, CN=gw, issued by O=Example, CN=One: no such CA in our "
		"trust file");
	REFUSED(CERTS(root), CERTS(leaf(two), two), ERR_CERT_UNTRUSTED,
		"certificate of O=Example, CN=Two, issued by O=Example, CN=One: no such CA in our "
		"trust file");
}
END_TEST

START_TEST(an_unknown_root_is_named)
{
	const struct cert *other = pki_ca(p, NULL, "CN=Other");

	REFUSED(CERTS(other), CERTS(leaf(root)), ERR_CERT_UNTRUSTED,
		"certificate of O=Example, CN=gw, issued by O=Example, CN=Root: no such CA in our "
		"trust file");
	REFUSED(CERTS(other), CERTS(leaf(one), one, root), ERR_CERT_UNTRUSTED,
		"certificate of O=Example, CN=Root, issued by O=Example, CN=Root: no such CA in "
		"our trust file");
}
END_TEST

/* Both gateways have a CA of one name, made for each of them. */
START_TEST(an_authority_that_was_made_twice_is_named)
{
	const struct cert *again = pki_ca(p, NULL, "O=Example,CN=Root");

	REFUSED(CERTS(again), CERTS(leaf(root)), ERR_CERT_UNTRUSTED,
		"certificate of O=Example, CN=gw, issued by O=Example, CN=Root: our CA of that "
		"name has another key: was it made twice?");
	REFUSED(CERTS(again), CERTS(leaf(one), one, root), ERR_CERT_UNTRUSTED,
		"certificate of O=Example, CN=Root, issued by O=Example, CN=Root: our CA of that "
		"name has another key: was it made twice?");
}
END_TEST

START_TEST(a_self_signed_certificate_is_a_stranger)
{
	REFUSED(CERTS(root), CERTS(leaf(NULL)), ERR_CERT_UNTRUSTED,
		"certificate of O=Example, CN=gw, issued by O=Example, CN=gw: no such CA in our "
		"trust file");
}
END_TEST

/* One name and serial, another key: with key identifiers it is another CA, without them the
 * signature says so. Then the genuine one passes (CVE-2026-77205). */
START_TEST(a_forged_authority_is_refused_and_leaves_nothing_behind)
{
	const struct cert *bare = pki_cert(p, &(struct cert_spec){ .subject = "CN=Bare",
								   .basic = "CA:TRUE",
								   .serial = 77,
								   .bare = true });
	const struct cert *forged = pki_cert(p, &(struct cert_spec){ .subject = "CN=Bare",
								     .basic = "CA:TRUE",
								     .serial = 77,
								     .bare = true });
	struct cert_spec s = { .issuer = forged,
			       .subject = "CN=gw",
			       .alt = "DNS:" GW,
			       .serial = 5,
			       .bare = true };
	const struct cert *bad = pki_cert(p, &s), *good;

	s.issuer = bare;
	good = pki_cert(p, &s);
	for (int i = 0; i < 3; i++) {
		REFUSED(CERTS(bare), CERTS(bad), ERR_CERT_UNTRUSTED,
			"certificate of CN=gw: not signed by the key of CN=Bare that we know");
		REFUSED(CERTS(bare), CERTS(bad, forged), ERR_CERT_UNTRUSTED, NULL);
		PASSES(CERTS(bare), CERTS(good));
		PASSES(CERTS(bare), CERTS(good, bare));
	}
	REFUSED(CERTS(root), CERTS(leaf(pki_ca(p, NULL, "O=Example,CN=Root"))), ERR_CERT_UNTRUSTED,
		NULL);
}
END_TEST

/* The same in one verifier, where a store could remember. */
START_TEST(refused_certificates_do_not_lock_out_the_genuine_one)
{
	const struct cert *forger = pki_ca(p, NULL, "O=Example,CN=Root");
	struct cert_spec s = { .issuer = forger,
			       .subject = "CN=gw",
			       .alt = "DNS:" GW,
			       .serial = 5,
			       .bare = true };
	const struct cert *bad = pki_cert(p, &s), *good;
	struct verifier *v = ask_verifier(p, CERTS(root));
	struct job j = { .kind = JOB_VERIFY,
			 .verify = { .connection = "office",
				     .claimed = pki_id(GW),
				     .method = AUTH_SIGNATURE,
				     .octets = span_str(ASK_OCTETS) } };
	struct job_result r;

	s.issuer = root;
	good = pki_cert(p, &s);
	for (int i = 0; i < 40; i++) {
		const struct cert *c = i % 20 == 19 ? good : bad;

		j.verify.chain =
			c == good ? pki_chain(p, CERTS(good)) : pki_chain(p, CERTS(bad, forger));
		j.verify.auth = ask_sign(p, c, AUTH_SIGNATURE, ASK_OCTETS);
		verifier_do(v, &j, PKI_NOW, &r);
		ck_assert_msg(r.err == (c == good ? OK : ERR_CERT_UNTRUSTED), "%s", r.text);
	}
	verifier_free(v);
}
END_TEST

START_TEST(time_is_judged_at_every_step_of_the_chain)
{
	const struct cert *l1 = leaf(one);
	struct cert_spec s = { .issuer = root,
			       .subject = "CN=Short",
			       .basic = "critical,CA:TRUE",
			       .from = PKI_NOW - 3600,
			       .until = PKI_NOW + 3600 };
	const struct cert *shorter = pki_cert(p, &s), *l;

	l = pki_cert(p, &(struct cert_spec){ .issuer = shorter,
					     .subject = "CN=gw",
					     .alt = "DNS:" GW,
					     .from = PKI_NOW - 2 * PKI_DAY,
					     .until = PKI_NOW + 60 });
	PASSES(CERTS(root), CERTS(l1, one));
	PASSES(CERTS(root), CERTS(l, shorter));
	AT(CERTS(l, shorter), PKI_NOW + 61, ERR_CERT_ENDED,
	   "certificate of CN=gw ended 2026-01-01 00:01 UTC");
	AT(CERTS(l, shorter), PKI_NOW - 3601, ERR_CERT_NOT_YET,
	   "certificate of CN=Short begins 2025-12-31 23:00 UTC");
	l = pki_leaf(p, shorter, "DNS:" GW);
	AT(CERTS(l, shorter), PKI_NOW + 3601, ERR_CERT_ENDED,
	   "certificate of CN=Short ended 2026-01-01 01:00 UTC");
	AT(CERTS(pki_cert(p, &(struct cert_spec){ .issuer = root,
						  .subject = "CN=gw",
						  .alt = "DNS:" GW,
						  .from = PKI_NOW + 60 })),
	   PKI_NOW, ERR_CERT_NOT_YET, "certificate of CN=gw begins 2026-01-01 00:01 UTC");
	l = pki_cert(p, &(struct cert_spec){ .issuer = root,
					     .subject = "CN=gw",
					     .alt = "DNS:" GW,
					     .from = PKI_FROM - PKI_DAY,
					     .until = PKI_UNTIL + PKI_DAY });
	AT(CERTS(l), PKI_UNTIL + 1, ERR_CERT_ENDED,
	   "certificate of O=Example, CN=Root ended 2026-01-11 00:00 UTC");
	AT(CERTS(l), PKI_FROM - 1, ERR_CERT_NOT_YET,
	   "certificate of O=Example, CN=Root begins 2025-12-31 00:00 UTC");
}
END_TEST

static uint64_t good_s(const struct cert *const *chain, time_t at)
{
	const struct ask a = { .trust = CERTS(root),
			       .chain = chain,
			       .claimed = pki_id(GW),
			       .at = at };
	const struct job_result r = ask(p, &a);

	ck_assert_msg(r.err == OK, "%s", r.text);
	return r.good_s;
}

/* Whichever of them that is, the trusted one included. */
START_TEST(it_is_good_until_the_first_of_the_chain_ends)
{
	const struct cert *shorter = pki_cert(p, &(struct cert_spec){ .issuer = root,
								      .subject = "CN=Short",
								      .basic = "critical,CA:TRUE",
								      .until = PKI_NOW + 3600 });
	const struct cert *l = pki_leaf(p, shorter, "DNS:" GW);

	ck_assert_uint_eq(good_s(CERTS(leaf(one), one), PKI_NOW), 10 * PKI_DAY);
	ck_assert_uint_eq(good_s(CERTS(l, shorter), PKI_NOW), 3600);
	ck_assert_uint_eq(good_s(CERTS(l, shorter), PKI_NOW + 3599), 1);
	l = pki_cert(p, &(struct cert_spec){ .issuer = root,
					     .subject = "CN=gw",
					     .alt = "DNS:" GW,
					     .until = PKI_UNTIL + PKI_DAY });
	ck_assert_uint_eq(good_s(CERTS(l), PKI_NOW), 10 * PKI_DAY);
}
END_TEST

UNIT("certs/chain")
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, zero_to_two_intermediates_lead_to_the_root);
	tcase_add_test(tc, an_intermediate_may_be_the_trusted_end);
	tcase_add_test(tc, after_the_leaf_any_order_and_any_other_certificate_will_do);
	tcase_add_test(tc, the_trust_file_may_hold_several_authorities);
	tcase_add_test(tc, two_authorities_of_one_name_are_both_taken);
	tcase_add_test(tc, the_leaf_has_to_come_first);
	tcase_add_test(tc, of_two_leading_leaves_only_the_first_counts);
	tcase_add_test(tc, a_missing_intermediate_is_named);
	tcase_add_test(tc, an_unknown_root_is_named);
	tcase_add_test(tc, an_authority_that_was_made_twice_is_named);
	tcase_add_test(tc, a_self_signed_certificate_is_a_stranger);
	tcase_add_test(tc, a_forged_authority_is_refused_and_leaves_nothing_behind);
	tcase_add_test(tc, refused_certificates_do_not_lock_out_the_genuine_one);
	tcase_add_test(tc, time_is_judged_at_every_step_of_the_chain);
	tcase_add_test(tc, it_is_good_until_the_first_of_the_chain_ends);
}
