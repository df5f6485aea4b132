/* SPDX-License-Identifier: Apache-2.0 */
/* IKE_AUTH between two engines: who is let in, who is not, and what both are told. */
#include <stdio.h>
#include <string.h>

#include "ike/connection.h"
#include "ike/core.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

static struct pair *try_it(const char *left, const char *right)
{
	struct pair *p = pair_new(left, right);

	pair_up(p, LEFT, "site");
	pair_run(p, 40 * NS_PER_S);
	return p;
}

static void expect_refused(struct pair *p, enum err left, enum err right)
{
	const struct ike_note *l = pair_note(p, LEFT, IKE_NOTE_REFUSED);
	const struct ike_note *r = pair_note(p, RIGHT, IKE_NOTE_REFUSED);

	ck_assert_ptr_nonnull(l);
	ck_assert_int_eq(l->err, left);
	ck_assert_str_ne(l->text, "");
	if (right != OK) {
		ck_assert_ptr_nonnull(r);
		ck_assert_int_eq(r->err, right);
		ck_assert_str_ne(r->text, "");
	}
	pair_expect_children(p, 0);
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	ck_assert_ptr_null(pair_note(p, LEFT, IKE_NOTE_UP));
	ck_assert_ptr_null(pair_note(p, RIGHT, IKE_NOTE_CHILD_UP));
}

START_TEST(certificates_come_up_in_fragments)
{
	struct pair *p = try_it(pair_cert(LEFT, ""), pair_cert(RIGHT, ""));

	pair_expect_children(p, 1);
	ck_assert_uint_gt(p->n_sent, 4);
	ck_assert_uint_le(p->longest, 1280 - 28);
	ck_assert_str_eq(pair_note(p, LEFT, IKE_NOTE_PROVED)->scheme, "a fake");
	pair_free(p);
}
END_TEST

START_TEST(fragmentation_can_be_off)
{
	struct pair *p = pair_new(pair_cert(LEFT, "fragment_size = 0"),
				  pair_cert(RIGHT, "fragment_size = 0"));

	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(p->n_sent, 4);
	pair_free(p);
}
END_TEST

START_TEST(a_wrong_psk_is_refused)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	p->end[LEFT].psk = "another key that is long";
	pair_up(p, LEFT, "site");
	pair_run(p, 40 * NS_PER_S);
	expect_refused(p, ERR_PEER_AUTH, ERR_WRONG_PSK);
	ck_assert_ptr_nonnull(strstr(pair_note(p, RIGHT, IKE_NOTE_REFUSED)->fix, "psk_file"));
	pair_free(p);
}
END_TEST

/* The responder lets the initiator in but cannot prove itself: the initiator says so in an
 * INFORMATIONAL, and the responder takes everything down again (RFC 7296 2.21.2). */
START_TEST(a_responder_that_cannot_prove_itself_is_refused)
{
	struct pair *p = pair_new(pair_cert(LEFT, ""), pair_cert(RIGHT, ""));

	p->end[RIGHT].name = "mallory.example.org";
	pair_up(p, LEFT, "site");
	pair_run(p, 40 * NS_PER_S);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_REFUSED)->err, ERR_AUTH);
	ck_assert_ptr_null(pair_note(p, LEFT, IKE_NOTE_UP));
	ck_assert_int_eq(pair_note(p, RIGHT, IKE_NOTE_DOWN)->err, ERR_PEER_AUTH);
	pair_expect_children(p, 0);
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}
END_TEST

START_TEST(different_methods_are_refused)
{
	struct pair *p = try_it(pair_psk(LEFT, ""), pair_cert(RIGHT, ""));

	expect_refused(p, ERR_PEER_AUTH, ERR_AUTH_METHOD);
	pair_free(p);
}
END_TEST

START_TEST(rsa_signatures_with_sha1_are_refused)
{
	struct pair *p = pair_new(pair_cert(LEFT, ""), pair_cert(RIGHT, ""));

	p->end[LEFT].sign_method = AUTH_RSA_SHA1;
	pair_up(p, LEFT, "site");
	pair_drain(p);
	expect_refused(p, ERR_PEER_AUTH, ERR_AUTH_METHOD);
	ck_assert_ptr_nonnull(strstr(pair_note(p, RIGHT, IKE_NOTE_REFUSED)->fix, "SHA-2"));
	pair_free(p);
}
END_TEST

START_TEST(an_unknown_identity_is_refused)
{
	struct pair *p = try_it(
		"me {\n identity = stranger.example.org\n}\n"
		"connection site {\n address = 198.51.100.2\n identity = right.example.org\n auth = psk\n"
		" psk_file = site.psk\n start = manual\n child net {\n  local = 10.1.0.0/16\n  remote = 10.2.0.0/16\n }\n}\n",
		pair_psk(RIGHT, ""));

	expect_refused(p, ERR_PEER_AUTH, ERR_UNKNOWN_PEER);
	ck_assert_ptr_nonnull(strstr(pair_note(p, RIGHT, IKE_NOTE_REFUSED)->got, "stranger"));
	ck_assert_ptr_nonnull(strstr(pair_note(p, RIGHT, IKE_NOTE_REFUSED)->wanted, "left"));
	pair_free(p);
}
END_TEST

static const char *meets(enum side s, const char *own, const char *other)
{
	static char text[2][512];

	snprintf(text[s], sizeof(text[s]),
		 "me {\n identity = %s\n}\n"
		 "connection site {\n address = %s\n identity = %s\n auth = psk\n"
		 " psk_file = site.psk\n start = manual\n child net {\n"
		 "  local = 10.%d.0.0/16\n  remote = 10.%d.0.0/16\n }\n}\n",
		 own, s == LEFT ? "198.51.100.2" : "192.0.2.1", other, s == LEFT ? 1 : 2,
		 s == LEFT ? 2 : 1);
	return text[s];
}

/* LEFT begins. What each end's operator reads. */
/* clang-format off */
static const struct {
	const char *left[2], *right[2]; /* who it is, whom it wants */
	const char *refuses;	/* RIGHT's words */
	const char *fix;
} mismatches[] = {
	{ { "gw2.example.org", "right.example.org" }, { "right.example.org", "left.example.org" },
	  "the peer calls itself gw2.example.org, and the configuration wants left.example.org",
	  "set `identity = gw2.example.org` here" },
	{ { "left.example.org", "gw3.example.org" }, { "right.example.org", "left.example.org" },
	  "the peer wants us to be gw3.example.org, and we are right.example.org",
	  "set `local_identity = gw3.example.org`" },
};
/* clang-format on */

START_TEST(a_wrong_name_is_explained_at_both_ends)
{
	struct pair *p = try_it(meets(LEFT, mismatches[_i].left[0], mismatches[_i].left[1]),
				meets(RIGHT, mismatches[_i].right[0], mismatches[_i].right[1]));
	const struct ike_note *l = pair_note(p, LEFT, IKE_NOTE_REFUSED);
	const struct ike_note *r = pair_note(p, RIGHT, IKE_NOTE_REFUSED);

	expect_refused(p, ERR_PEER_AUTH, ERR_UNKNOWN_PEER);
	ck_assert_str_eq(r->text, mismatches[_i].refuses);
	ck_assert_ptr_nonnull(strstr(r->fix, mismatches[_i].fix));
	ck_assert_str_eq(r->connection, "site");
	/* The refused end knows what it has said, and no more. */
	ck_assert_ptr_nonnull(strstr(l->offered, mismatches[_i].left[0]));
	ck_assert_ptr_nonnull(strstr(l->fix, mismatches[_i].left[0]));
	ck_assert_ptr_nonnull(strstr(l->fix, mismatches[_i].left[1]));
	ck_assert_str_eq(l->got, "");
	pair_free(p);
}
END_TEST

/* Who was not asked to be somebody, and is: LEFT refuses RIGHT's answer. */
START_TEST(an_answer_by_somebody_else_is_explained_at_both_ends)
{
	struct pair *p = pair_new(pair_cert(LEFT, ""), pair_cert(RIGHT, ""));

	ck_assert_int_eq(identity_parse(&p->end[LEFT].proved, "gw4.example.org"), OK);
	pair_up(p, LEFT, "site");
	pair_drain(p);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_REFUSED)->err, ERR_WRONG_IDENTITY);
	ck_assert_int_eq(pair_note(p, RIGHT, IKE_NOTE_REFUSED)->err, ERR_PEER_AUTH);
	pair_expect_children(p, 0);
	ck_assert_ptr_nonnull(strstr(pair_note(p, LEFT, IKE_NOTE_REFUSED)->text,
				     "the peer calls itself right.example.org"));
	ck_assert_ptr_nonnull(
		strstr(pair_note(p, LEFT, IKE_NOTE_REFUSED)->text, "wanted is right.example.org"));
	ck_assert_ptr_nonnull(
		strstr(pair_note(p, RIGHT, IKE_NOTE_REFUSED)->offered, "right.example.org"));
	ck_assert_ptr_nonnull(strstr(pair_note(p, LEFT, IKE_NOTE_REFUSED)->fix, "gw4.example.org"));
	pair_free(p);
}
END_TEST

static const enum job_kind job_kinds[] = { JOB_SIGN, JOB_VERIFY };

/* Each job of each side fails in turn: nothing comes up, nothing stays. */
START_TEST(a_failed_job_leaves_nothing)
{
	struct pair *p = pair_new(pair_cert(LEFT, ""), pair_cert(RIGHT, ""));
	enum side s = _i % 2 ? RIGHT : LEFT;

	p->end[s].fail_job = job_kinds[_i / 2];
	p->end[s].fail_job_err = ERR_SYSTEM;
	pair_up(p, LEFT, "site");
	pair_run(p, 70 * NS_PER_S);
	pair_expect_children(p, 0);
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	ck_assert_ptr_nonnull(pair_note(p, LEFT, IKE_NOTE_REFUSED));
	pair_free(p);
}
END_TEST

/* Each install of each side is refused in turn: no half of a pair stays, and the IKE SA does. */
START_TEST(a_refused_install_leaves_no_half)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	enum side s = _i % 2 ? RIGHT : LEFT;

	p->end[s].fail_install = (size_t)_i / 2 + 1;
	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 0);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	ck_assert_int_eq(pair_note(p, s, IKE_NOTE_CHILD_FAILED)->err, ERR_SYSTEM);
	pair_free(p);
}
END_TEST

START_TEST(start_always_tries_again_after_a_refused_install)
{
	struct pair *p = pair_new(pair_psk(LEFT, "start = always"), pair_psk(RIGHT, ""));

	p->end[LEFT].fail_install = 2;
	pair_run(p, 20 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	pair_free(p);
}
END_TEST

START_TEST(selectors_that_do_not_meet_leave_the_ike_sa)
{
	struct pair *p = try_it(
		pair_psk(LEFT, ""),
		"me {\n identity = right.example.org\n}\n"
		"connection site {\n address = 192.0.2.1\n identity = left.example.org\n auth = psk\n"
		" psk_file = site.psk\n start = manual\n child net {\n  local = 10.1.0.0/16\n  remote = 10.2.0.0/16\n }\n}\n");
	const struct ike_note *n;

	pair_expect_children(p, 0);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	n = pair_note(p, RIGHT, IKE_NOTE_CHILD_FAILED);
	ck_assert_int_eq(n->err, ERR_TS);
	ck_assert_ptr_nonnull(strstr(n->text, "10.1.0.0/16 is behind it"));
	ck_assert_int_gt(n->line, 0);
	ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_FAILED)->err, ERR_PEER_TS);
	pair_free(p);
}
END_TEST

START_TEST(selectors_are_narrowed)
{
	struct pair *p = try_it(
		pair_psk(LEFT, ""),
		"me {\n identity = right.example.org\n}\n"
		"connection site {\n address = 192.0.2.1\n identity = left.example.org\n auth = psk\n"
		" psk_file = site.psk\n start = manual\n child net {\n  local = 10.2.3.0/24\n  remote = 10.0.0.0/8\n }\n}\n");

	pair_expect_children(p, 1);
	ck_assert_str_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_UP)->text, "10.1.0.0/16 = 10.2.3.0/24");
	ck_assert_str_eq(pair_note(p, RIGHT, IKE_NOTE_CHILD_UP)->text, "10.2.3.0/24 = 10.1.0.0/16");
	pair_free(p);
}
END_TEST

/* The response is late; the request comes again meanwhile. One handshake, one answer, no second
 * signature. */
START_TEST(a_request_that_is_being_worked_on_is_not_handled_twice)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

	p->end[RIGHT].hold_jobs = true;
	pair_up(p, LEFT, "site");
	pair_run(p, 5 * NS_PER_S);
	ck_assert_int_eq(p->end[RIGHT].last_drop, ERR_BUSY);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	/* The answer never comes: the half-open SA ends by its time, the initiator by its tries. */
	pair_run(p, 60 * NS_PER_S);
	ck_assert_uint_eq(pair_sas(p, LEFT), 0);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	pair_free(p);
}
END_TEST

static bool strip_transcript(struct pair *p, struct datagram *d)
{
	static const uint8_t notify[] = { 0x00, 0x00, 0x40, 0x3f }; /* protocol, SPI size, 16447 */
	const enum side *to = p->ctx;

	for (size_t i = 28; d->to == *to && i + sizeof(notify) <= d->len && d->bytes[18] == 34;
	     i++) {
		if (memcmp(d->bytes + i, notify, sizeof(notify)) == 0)
			d->bytes[i + 3] ^= 0x40;
	}
	return true;
}

/* A1: who strips the announcement from either message makes AUTH fail, or is found out. */
START_TEST(stripping_the_transcript_notify_breaks_authentication)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	enum side to = _i ? LEFT : RIGHT;

	p->ctx = &to;
	p->filter = strip_transcript;
	pair_up(p, LEFT, "site");
	pair_run(p, 60 * NS_PER_S);
	pair_expect_children(p, 0);
	ck_assert_ptr_null(pair_note(p, LEFT, IKE_NOTE_UP));
	ck_assert_ptr_null(pair_note(p, RIGHT, IKE_NOTE_UP));
	pair_free(p);
}
END_TEST

static bool strip_both(struct pair *p, struct datagram *d)
{
	enum side to = d->to;

	p->ctx = &to;
	return strip_transcript(p, d);
}

START_TEST(a_required_transcript_is_required)
{
	struct pair *p = pair_new(pair_psk(LEFT, _i ? "" : "full_transcript = require"),
				  pair_psk(RIGHT, _i ? "full_transcript = require" : ""));

	p->filter = strip_both;
	pair_up(p, LEFT, "site");
	pair_run(p, 60 * NS_PER_S);
	pair_expect_children(p, 0);
	ck_assert_int_eq(pair_note(p, _i ? RIGHT : LEFT, IKE_NOTE_REFUSED)->err, ERR_DOWNGRADE);
	ck_assert_ptr_nonnull(strstr(pair_note(p, _i ? RIGHT : LEFT, IKE_NOTE_REFUSED)->fix,
				     "full_transcript = auto"));
	pair_free(p);
}
END_TEST

static const char *named(enum side s, const char *left, const char *auth)
{
	static char text[2][1024];
	const char *right = "right.example.org";

	snprintf(text[s], sizeof(text[s]),
		 "me {\n identity = \"%s\"\n certificate = me.pem\n key = me.key\n"
		 " trust = ca.pem\n}\nconnection site {\n address = %s\n identity = \"%s\"\n"
		 " %s\n start = manual\n"
		 " child net {\n local = 10.%d.0.0/16\n remote = 10.%d.0.0/16\n }\n}\n",
		 s == LEFT ? left : right, s == LEFT ? "198.51.100.2" : "192.0.2.1",
		 s == LEFT ? right : left, auth, s + 1, 2 - s);
	return text[s];
}

static bool loses_informational(struct pair *p, struct datagram *d)
{
	size_t at = d->bytes[0] == 0 && d->bytes[1] == 0 ? 4 : 0; /* the marker of port 4500 */

	(void)p;
	return d->bytes[at + 18] != X_INFORMATIONAL;
}

/* LEFT comes again under this name, as a machine that knows nothing of before. */
static void come_as(struct pair *p, const char *left, const char *auth)
{
	static char name[IDENTITY_TEXT_MAX];
	struct conf *old = p->end[LEFT].conf;

	p->end[LEFT].conf = pair_load(named(LEFT, left, auth));
	ck_assert_int_eq(ike_engine_reconfigure(p->end[LEFT].e, p->end[LEFT].conf, p->now), OK);
	conf_free(old);
	pair_act(p, LEFT);
	p->end[LEFT].name = identity_text(&p->end[LEFT].conf->connections[0].local_identity, name);
	pair_up(p, LEFT, "site");
	pair_drain(p);
}

static size_t sas_up(const struct pair *p, enum side s, const struct identity *peer)
{
	size_t n = 0;

	for (const struct ike_sa *sa = p->end[s].e->conns[0]->sas; sa; sa = sa->next) {
		if (sa->state != S_UP)
			continue;
		ck_assert_int_eq(sa->peer->type, peer->type);
		ck_assert(span_eq(identity_span(sa->peer), identity_span(peer)));
		n++;
	}
	return n;
}

/* INITIAL_CONTACT and the bound on IKE SAs go by that: who spells its name in another way each time
 * is no other peer. `wanted`: as RIGHT has it configured, and as the certificate has it. */
START_TEST(a_peer_has_one_name_however_it_spells_that)
{
	static const struct {
		const char *wanted, *claims[3], *auth;
	} rows[] = {
		{ "any", { "C=XX, CN=left", "C=XX, CN=Left", "C=xx, CN=LEFT" }, "certificate" },
		{ "C=XX, CN=left",
		  { "C=xX, CN=left", "C=XX, CN=lEFt", "C=XX, CN=LEFT" },
		  "certificate" },
		{ "any", { "gw.example.org", "GW.example.org", "gw.Example.org" }, "certificate" },
		{ "any", { "gw@example.org", "gw@EXAMPLE.org", "gw@Example.org" }, "certificate" },
		{ "gw@Example.org",
		  { "gw@example.org", "gw@EXAMPLE.org", "gw@example.ORG" },
		  "psk\n psk_file = site.psk" },
		{ "GW.example.org",
		  { "gw.example.org", "Gw.example.org", "gw.Example.org" },
		  "psk\n psk_file = site.psk" },
	};
	char auth[64];
	struct pair *p;
	struct identity own;

	snprintf(auth, sizeof(auth), "auth = %s", rows[_i].auth);
	p = pair_new(named(LEFT, rows[_i].claims[0], auth), named(RIGHT, rows[_i].wanted, auth));
	p->filter = loses_informational;
	own = strcmp(rows[_i].wanted, "any") != 0
		      ? p->end[RIGHT].conf->connections[0].identity
		      : p->end[LEFT].conf->connections[0].local_identity;
	if (strncmp(rows[_i].auth, "psk", 3) != 0)
		p->end[RIGHT].proved = own;
	for (size_t i = 0; i < 3; i++) {
		come_as(p, rows[_i].claims[i], auth);
		ck_assert_uint_eq(sas_up(p, RIGHT, &own), 1);
	}
	pair_free(p);
}
END_TEST

UNIT("ike/engine-auth")
{
	tcase_add_test(tc, certificates_come_up_in_fragments);
	tcase_add_test(tc, fragmentation_can_be_off);
	tcase_add_test(tc, a_wrong_psk_is_refused);
	tcase_add_test(tc, a_responder_that_cannot_prove_itself_is_refused);
	tcase_add_test(tc, different_methods_are_refused);
	tcase_add_test(tc, rsa_signatures_with_sha1_are_refused);
	tcase_add_test(tc, an_unknown_identity_is_refused);
	tcase_add_loop_test(tc, a_wrong_name_is_explained_at_both_ends, 0, 2);
	tcase_add_test(tc, an_answer_by_somebody_else_is_explained_at_both_ends);
	tcase_add_loop_test(tc, a_failed_job_leaves_nothing, 0, 4);
	tcase_add_loop_test(tc, a_refused_install_leaves_no_half, 0, 4);
	tcase_add_test(tc, start_always_tries_again_after_a_refused_install);
	tcase_add_test(tc, selectors_that_do_not_meet_leave_the_ike_sa);
	tcase_add_test(tc, selectors_are_narrowed);
	tcase_add_test(tc, a_request_that_is_being_worked_on_is_not_handled_twice);
	tcase_add_loop_test(tc, stripping_the_transcript_notify_breaks_authentication, 0, 2);
	tcase_add_loop_test(tc, a_required_transcript_is_required, 0, 2);
	tcase_add_loop_test(tc, a_peer_has_one_name_however_it_spells_that, 0, 6);
}
