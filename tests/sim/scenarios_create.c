/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_CHILD_SA when something goes wrong in it: groups, workers, planes, memory, crashes, and
 * peers that refuse. The IKE SA and the other children stay. */
#include "ike/sa.h"
#include "tests/sim/confs.h"
#include "tests/sim/insider.h"

#define LIVED_100S " lifetime = 100s\n" /* its IKE SA */

static const struct sim_conf always = THREE(CERT ALWAYS LIVELY, CERT ALWAYS LIVELY);
static const struct sim_conf one_end = THREE(PSK ALWAYS LIVELY, PSK MANUAL LIVELY);
static const struct sim_conf manual = THREE(PSK MANUAL LIVELY, PSK MANUAL LIVELY);
static const struct sim_conf groups = THREE(PSK MANUAL X25519_FIRST, PSK MANUAL ECP256_FIRST);
static const struct sim_conf slow = THREE(PSK MANUAL LIVELY MODP_4096, PSK MANUAL LIVELY MODP_4096);
static const struct sim_conf slow_other =
	THREE(PSK MANUAL LIVELY " policy = { aes256gcm16 prfsha384 x25519 modp4096 }\n",
	      PSK MANUAL LIVELY " policy = { aes256gcm16 prfsha384 modp4096 x25519 }\n");
static const struct sim_conf short_life = {
	{ LEFT_BEGIN PSK ALWAYS LIVED("10.1.0.0/16", "10.2.0.0/16", "60s") "}\n",
	  RIGHT_SITE(PSK MANUAL) }
};
static const struct sim_conf one_child = SITE(PSK ALWAYS, PSK MANUAL);
static const struct sim_conf ends_for_both = SITE(PSK ALWAYS LIVED_100S, PSK MANUAL LIVED_100S);
static const struct sim_conf ends = SITE(PSK ALWAYS LIVED_100S, PSK MANUAL);
static const struct sim_conf slow_always =
	THREE(PSK ALWAYS LIVELY MODP_4096, PSK ALWAYS LIVELY MODP_4096);

/* ---- groups ---- */

static void from_either(struct sim *s)
{
	sim_up(s, sim_side(s), "site");
	sim_expect_three(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_FAILED) == 0, "a child failed at first");
}

/* IKE SA from one end, the other children from the other. */
static void other_role(struct sim *s)
{
	enum side first = sim_side(s);

	sim_up_child(s, first, "site", "net");
	sim_run_until_quiet(s);
	sim_up(s, 1 - first, "site");
	sim_expect_three(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "another IKE SA was made");
}

/* ---- what fails on a machine ---- */

static void job_fails(struct sim *s)
{
	if (sim_draw(s, 0, 1))
		sim_fail_job(s, sim_draw(s, 1, 16));
	else
		sim_lose_job(s, sim_draw(s, 1, 16));
	sim_run_s(s, 200);
	sim_expect_three(s);
}

static void install_fails(struct sim *s)
{
	sim_fail_install(s, sim_draw(s, 1, 12));
	sim_expect_three(s);
}

static void memory_fails(struct sim *s)
{
	enum side side = sim_side(s);

	sim_fail_malloc(s, side, sim_draw(s, 1, 400));
	sim_memory_is_back(s, side, 3);
}

static void crash_in_the_middle(struct sim *s)
{
	enum side side = sim_side(s);

	sim_run_ms(s, sim_draw(s, 0, 1000));
	sim_crash(s, side);
	sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 200000) : sim_draw(s, 0, 500));
	sim_restart(s, side);
	sim_run_s(s, 120);
	sim_expect_three(s);
}

static void plane_dies(struct sim *s)
{
	sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 1000) : 20000);
	sim_plane_dies(s, sim_side(s));
	sim_run_s(s, 60);
	sim_expect_three(s);
}

static void down_in_the_middle(struct sim *s)
{
	sim_up(s, LEFT, "site");
	sim_run_ms(s, sim_draw(s, 0, 600));
	sim_down(s, sim_side(s), "site");
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 0);
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0, "SAs are left over");
	sim_up(s, RIGHT, "site");
	sim_up(s, LEFT, "site");
	sim_expect_three(s);
}

/* ---- peers that refuse ---- */

/* RIGHT says this to so many of LEFT's requests, or to all. */
struct refuser {
	uint16_t notify;
	struct span words;
	bool turns; /* between the two groups that are offered */
	uint32_t left;
	uint32_t asked; /* requests, not counting those that were sent again */
	uint32_t last;	/* message ID */
};

static void answer(struct sim *s, const struct refuser *r, uint32_t id)
{
	static const uint8_t x25519[] = { 0, 31 }, ecp256[] = { 0, 19 };
	uint8_t plain[64], sealed[256];
	struct builder b = builder_inner(plain, sizeof(plain));
	struct wr w = wr_into(sealed, sizeof(sealed));
	struct insider_message m = { .exchange = X_CREATE_CHILD_SA, .response = true, .id = id };
	struct path path = sim_path_to(s, LEFT, 500);

	builder_notify(&b, r->notify,
		       r->turns ? span_of(r->asked % 2 ? ecp256 : x25519, 2) : r->words);
	if (builder_finish_inner(&b, &m.in) != OK || !insider_seal(s, RIGHT, &m, &w))
		return;
	insider_sa(s, RIGHT)->window.next_in = id + 1;
	net_inject(s, (struct inject){ LEFT, GENUINE }, &path, wr_done(&w));
}

static bool refuse(struct sim *s, struct sim_packet *p, void *ctx)
{
	struct refuser *r = ctx;
	struct ike_header h;

	if (p->from != LEFT || header_decode(span_of(p->bytes, p->len), &h) != OK ||
	    h.exchange != X_CREATE_CHILD_SA || header_is_response(&h) || h.message_id == r->last)
		return true;
	r->last = h.message_id;
	r->asked++;
	if (r->left == 0)
		return true;
	r->left--;
	answer(s, r, h.message_id);
	return false;
}

static struct refuser refuse_by(uint16_t notify, uint32_t times)
{
	return (struct refuser){ .notify = notify, .left = times };
}

static void busy_for_a_while(struct sim *s)
{
	struct refuser r = refuse_by(NOTIFY_TEMPORARY_FAILURE, sim_draw(s, 1, 5));

	sim_set_middle(s, refuse, &r);
	sim_run_s(s, 100);
	sim_expect_three(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "another IKE SA was made");
	sim_must(s, r.left == 0 && r.asked <= 12, "%u requests", r.asked);
	sim_set_middle(s, NULL, NULL);
}

/* Told once, not asked for ever; once another child has gone, or when
 * a person says so, it is asked again. */
static void no_more_children(struct sim *s)
{
	struct refuser r = refuse_by(NOTIFY_NO_ADDITIONAL_SAS, 1);

	sim_set_middle(s, refuse, &r);
	sim_run_s(s, 600);
	sim_must(s, r.asked == 1, "%u requests", r.asked);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_FAILED) == 1, "it was told %zu times",
		 sim_notes(s, LEFT, IKE_NOTE_CHILD_FAILED));
	sim_expect(s, "site", 1);
	if (sim_draw(s, 0, 1))
		sim_up(s, LEFT, "site");
	else
		sim_expire(s, LEFT);
	sim_run_s(s, 60);
	sim_expect_three(s);
	sim_set_middle(s, NULL, NULL);
}

/* A peer that only ever takes the child of IKE_AUTH: when that goes there is a new IKE SA. */
static void only_the_first(struct sim *s)
{
	struct refuser r = refuse_by(NOTIFY_NO_ADDITIONAL_SAS, UINT32_MAX);

	sim_set_middle(s, refuse, &r);
	sim_run_s(s, 60);
	sim_expect(s, "site", 1);
	sim_expire(s, LEFT);
	sim_run_s(s, 60);
	sim_expect(s, "site", 1);
	sim_must(s, r.asked <= 6, "%u requests", r.asked);
	sim_set_middle(s, NULL, NULL);
}

/* Groups that we do not offer, the same one again, one after the other: followed once at most. */
static void asks_for_groups(struct sim *s)
{
	static const uint8_t words[][2] = { { 0, 14 }, { 0, 31 }, { 0, 19 }, { 0, 5 }, { 0, 0 } };
	struct refuser r = refuse_by(NOTIFY_INVALID_KE_PAYLOAD, UINT32_MAX);

	r.words = span_of(words[sim_draw(s, 0, 4)], sim_draw(s, 0, 9) ? 2 : 1);
	r.turns = sim_draw(s, 0, 1);
	sim_set_middle(s, refuse, &r);
	sim_up(s, LEFT, "site");
	sim_run_s(s, 60);
	sim_must(s, r.asked >= 2 && r.asked <= 4, "%u requests for two children", r.asked);
	sim_expect(s, "site", 1);
	sim_set_middle(s, NULL, NULL);
	sim_up(s, LEFT, "site");
	sim_expect_three(s);
}

static void any_refusal(struct sim *s)
{
	static const uint16_t notifies[] = { NOTIFY_NO_PROPOSAL_CHOSEN,	  NOTIFY_TS_UNACCEPTABLE,
					     NOTIFY_SINGLE_PAIR_REQUIRED, NOTIFY_INVALID_SYNTAX,
					     NOTIFY_CHILD_SA_NOT_FOUND,	  8191 };
	struct refuser r = refuse_by(notifies[sim_draw(s, 0, 5)], sim_draw(s, 1, 3));

	sim_set_middle(s, refuse, &r);
	sim_run_s(s, 100);
	sim_set_middle(s, NULL, NULL);
	sim_expect_three(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "another IKE SA was made");
	sim_must(s, sim_note(s, LEFT, IKE_NOTE_CHILD_FAILED)->text[0] != 0, "without words");
}

/* New keys are refused: those that are there are used on, and it is tried again. */
static void rekey_refused(struct sim *s)
{
	static const uint16_t notifies[] = { NOTIFY_NO_PROPOSAL_CHOSEN, NOTIFY_TS_UNACCEPTABLE,
					     NOTIFY_TEMPORARY_FAILURE,	NOTIFY_NO_ADDITIONAL_SAS,
					     NOTIFY_INVALID_KE_PAYLOAD, 8191 };
	struct refuser r = refuse_by(notifies[sim_draw(s, 0, 5)], sim_draw(s, 1, 5));

	sim_expect_three(s);
	sim_set_middle(s, refuse, &r);
	sim_rekey(s, LEFT);
	sim_packets(s, 100000);
	sim_set_middle(s, NULL, NULL);
	sim_must(s, r.left == 0 && r.asked <= 8, "%u requests", r.asked);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_REKEY_FAILED) == r.asked - 1, "%zu failures",
		 sim_notes(s, LEFT, IKE_NOTE_REKEY_FAILED));
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_REKEYED) == 1, "no new keys");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_DOWN) == 0, "a child was down");
	sim_expect_three(s);
	sim_must_have_carried(s);
}

/* A peer that wants another group for its children, which the first one does not show: it is told
 * long before new keys are due, once, and the child is used on. */
static void group_is_tried_early(struct sim *s)
{
	bool knows = sim_draw(s, 0, 1);
	struct refuser r = refuse_by(NOTIFY_NO_PROPOSAL_CHOSEN, knows ? 0 : UINT32_MAX);

	sim_run_until_quiet(s);
	sim_set_middle(s, refuse, &r);
	sim_packets(s, 200000);
	sim_must(s, r.asked == 1, "%u requests", r.asked);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_REKEY_FAILED) == !knows, "%zu failures",
		 sim_notes(s, LEFT, IKE_NOTE_REKEY_FAILED));
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_REKEYED) == knows, "%zu rekeys",
		 sim_notes(s, LEFT, IKE_NOTE_CHILD_REKEYED));
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_DOWN) == 0, "a child was down");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must_have_carried(s);
	sim_set_middle(s, NULL, NULL);
}

/* New keys of the IKE SA are refused for ever: a new handshake, and only then the old one goes. */
static void renewed(struct sim *s, uint16_t notify)
{
	struct refuser r = refuse_by(notify, UINT32_MAX);

	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_set_middle(s, refuse, &r);
	if (notify == NOTIFY_TEMPORARY_FAILURE)
		sim_rekey_ike(s, LEFT);
	for (int i = 0; i < 600 && sim_notes(s, LEFT, IKE_NOTE_UP) < 2; i++)
		sim_packets(s, 1000);
	sim_set_middle(s, NULL, NULL);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 2, "no handshake");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_DOWN) == 0, "the old one went too early");
	sim_packets(s, 20000);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must_have_carried(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_DOWN) == 0, "the child was down");
}

static void renewed_when_busy(struct sim *s)
{
	renewed(s, NOTIFY_TEMPORARY_FAILURE);
}

static void renewed_by_both(struct sim *s)
{
	struct refuser r = refuse_by(NOTIFY_NO_ADDITIONAL_SAS, UINT32_MAX);

	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_set_middle(s, refuse, &r);
	sim_packets(s, 180000);
	sim_set_middle(s, NULL, NULL);
	sim_packets(s, 40000);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must_have_carried(s);
	for (enum side side = LEFT; side <= RIGHT; side++)
		sim_must(s, sim_notes(s, side, IKE_NOTE_CHILD_DOWN) == 0, "the child was down");
}

static void renewed_at_end(struct sim *s)
{
	renewed(s, NOTIFY_NO_ADDITIONAL_SAS);
}

/* ... and for so long that the lifetime is over: then it goes, not before, and is made anew. */
static void rekey_refused_for_ever(struct sim *s)
{
	struct refuser r = refuse_by(NOTIFY_TEMPORARY_FAILURE, UINT32_MAX);

	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_set_middle(s, refuse, &r);
	sim_packets(s, 45000);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_DOWN) == 0, "it goes too early");
	sim_must(s, sim_run_until_note(s, LEFT, IKE_NOTE_CHILD_DOWN, 20), "it never ends");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_REKEY_FAILED) >= 2, "it was not tried again");
	sim_set_middle(s, NULL, NULL);
	sim_run_s(s, 30);
	sim_must(s, sim_pairs(s, "site", NULL) == 1, "it is not made anew");
}

#define LINK DELAYS(10, 80)

const struct sim_scenario scenarios_create[] = {
	{ "create-invalid-ke", "another group is asked for and taken", from_either, &groups, LINK,
	  0 },
	{ "create-other-role", "the peer of the initiator makes children, too", other_role, &groups,
	  LINK, 0 },
	{ "create-slow-group", "a worker computes, at both ends", from_either, &slow, LINK, 0 },
	{ "create-slow-other-role", "in the other role, another group", other_role, &slow_other,
	  LINK, 0 },
	{ "create-job-fails", "a worker fails or is silent", job_fails, &slow_always, LINK, 0 },
	{ "create-install-fails", "a plane says no half way", install_fails, &always, LINK, 0 },
	{ "create-memory-fails", "no memory, at any place", memory_fails, &always, LINK, 0 },
	{ "create-crash", "an engine is killed in the middle", crash_in_the_middle, &always, LINK,
	  0 },
	{ "create-crash-lossy", "over a bad link, too", crash_in_the_middle, &slow_always, LOSSY,
	  0 },
	{ "create-plane-dies", "a data plane dies in the middle", plane_dies, &always, LINK, 0 },
	{ "create-down", "`down` in the middle", down_in_the_middle, &manual, LINK, 0 },
	{ "create-busy", "TEMPORARY_FAILURE: tried again with backoff", busy_for_a_while, &one_end,
	  LINK, 0 },
	{ "create-no-more", "NO_ADDITIONAL_SAS: told once, not asked for ever", no_more_children,
	  &one_end, LINK, 0 },
	{ "create-only-first", "a peer that takes no other child than the first", only_the_first,
	  &one_end, LINK, 0 },
	{ "create-group-asked", "INVALID_KE_PAYLOAD is followed once, into our offer",
	  asks_for_groups, &groups, LINK, 0 },
	{ "create-refused", "any other refusal of one child", any_refusal, &one_end, LINK, 0 },
	{ "rekey-refused", "a refused rekey takes nothing down", rekey_refused, &one_end, LINK, 0 },
	{ "rekey-early", "whether there can be new keys is seen early", group_is_tried_early,
	  &one_child, LINK, 0 },
	{ "renew-busy", "a peer that is too busy for new keys gets a new handshake",
	  renewed_when_busy, &one_child, LINK, 0 },
	{ "renew-both", "... from both ends", renewed_by_both, &ends_for_both, LINK, 0 },
	{ "renew-end", "... and one that gives none, before the end", renewed_at_end, &ends, LINK,
	  0 },
	{ "rekey-refused-long", "... before the lifetime is over", rekey_refused_for_ever,
	  &short_life, LINK, 0 },
	{ 0 },
};
