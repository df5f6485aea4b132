/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends prove themselves anew, from either end or both at once, against everything that may
 * come between. The old IKE SA carries packets until the new one does. */
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

#define TEN_MIN " reauthenticate = 10m\n"
#define SLOW	" policy = { aes256gcm16 prfsha384 modp4096 }\n"

static const struct sim_conf by_left = SITE(CERT MANUAL TEN_MIN, CERT MANUAL);
static const struct sim_conf by_right = SITE(CERT MANUAL, CERT MANUAL TEN_MIN);
static const struct sim_conf by_each = SITE(CERT ALWAYS TEN_MIN, CERT ALWAYS TEN_MIN);
static const struct sim_conf manual = SITE(CERT MANUAL, CERT MANUAL);
static const struct sim_conf always = SITE(CERT ALWAYS, CERT ALWAYS);
static const struct sim_conf slow = SITE(PSK MANUAL SLOW, PSK MANUAL SLOW);
static const struct sim_conf three = THREE(CERT MANUAL, CERT MANUAL);
/* The peer of this one cannot begin anything. */
static const struct sim_conf waits = {
	{ LEFT_SITE(CERT ALWAYS),
	  ME("right.example.org") "connection site {\n address = any\n"
				  " identity = left.example.org\n" CERT TEN_MIN RIGHT_NET "}\n" }
};

static void begin(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

static void start(struct sim *s)
{
	sim_up(s, sim_side(s), "site");
	begin(s);
}

/* One IKE SA with its child is left, every packet came, and no child was ever down. */
static void end(struct sim *s, size_t least)
{
	sim_run_s(s, 30);
	begin(s);
	sim_must_have_carried(s);
	for (enum side side = LEFT; side <= RIGHT; side++) {
		sim_must(s, sim_notes(s, side, IKE_NOTE_CHILD_DOWN) == 0, "the child was down");
		sim_must(s, sim_notes(s, side, IKE_NOTE_UP) > least,
			 "%zu handshakes, of %zu and the first", sim_notes(s, side, IKE_NOTE_UP),
			 least);
	}
}

/* Of the first ones an end may have had more than the other: a call that came twice was answered
 * twice. */
static void by_time(struct sim *s)
{
	size_t first[2];

	start(s);
	for (enum side side = LEFT; side <= RIGHT; side++)
		first[side] = sim_notes(s, side, IKE_NOTE_UP);
	sim_packets(s, 700000);
	end(s, 0);
	for (enum side side = LEFT; side <= RIGHT; side++) {
		size_t n = sim_notes(s, side, IKE_NOTE_UP) - first[side];

		sim_must(s, n >= 1 && n <= 3, "%zu handshakes in 12 minutes", n);
	}
}

static void from_either(struct sim *s)
{
	start(s);
	for (int i = 0; i < 4; i++) {
		sim_reauthenticate(s, sim_side(s));
		sim_packets(s, sim_draw(s, 0, 15000));
	}
	sim_packets(s, 15000);
	end(s, 1);
}

/* The second one somewhere in the first one's handshake, or behind it. */
static void from_both(struct sim *s)
{
	start(s);
	for (int i = 0; i < 4; i++) {
		enum side first = sim_side(s);

		sim_reauthenticate(s, first);
		sim_packets(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 300) : sim_draw(s, 0, 8000));
		sim_reauthenticate(s, 1 - first);
		sim_packets(s, 20000);
	}
	end(s, 2);
}

static void at_once(struct sim *s)
{
	start(s);
	for (int i = 0; i < 4; i++) {
		sim_reauthenticate(s, LEFT);
		sim_reauthenticate(s, RIGHT);
		sim_packets(s, 20000);
	}
	end(s, 2);
}

/* New keys of the child and of the IKE SA at the same time, from both ends. */
static void with_rekeys(struct sim *s)
{
	start(s);
	for (int i = 0; i < 6; i++) {
		switch (sim_draw(s, 0, 2)) {
		case 0:
			sim_rekey_ike(s, sim_side(s));
			break;
		case 1:
			sim_rekey(s, sim_side(s));
			break;
		default:
			sim_reauthenticate(s, sim_side(s));
		}
		sim_packets(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 200) : sim_draw(s, 0, 7000));
	}
	sim_packets(s, 70000);
	sim_reauthenticate(s, sim_side(s));
	sim_packets(s, 70000);
	end(s, 1);
}

/* All children come along before the old IKE SA goes. */
static void all_children(struct sim *s)
{
	sim_up(s, sim_side(s), "site");
	sim_expect_three(s);
	for (int i = 0; i < 3; i++) {
		sim_reauthenticate(s, sim_side(s));
		sim_run_s(s, s->net.loss > 0 ? 90 : 30);
	}
	sim_expect_three(s);
	for (enum side side = LEFT; side <= RIGHT; side++) {
		sim_must(s, sim_notes(s, side, IKE_NOTE_CHILD_DOWN) == 0, "a child was down");
		sim_must(s, sim_notes(s, side, IKE_NOTE_UP) > 1, "no new handshake");
	}
}

static void against_down(struct sim *s)
{
	start(s);
	sim_reauthenticate(s, sim_side(s));
	sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 300) : sim_draw(s, 0, 8000));
	sim_down(s, LEFT, "site");
	sim_down(s, RIGHT, "site");
	sim_run_s(s, 120);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 0);
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0, "SAs are left over");
}

static void against_hard_limit(struct sim *s)
{
	begin(s);
	sim_reauthenticate(s, sim_side(s));
	sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 500) : sim_draw(s, 0, 8000));
	sim_expire(s, sim_side(s));
	sim_run_s(s, 120);
	begin(s);
}

/* The peer has another key now: no new IKE SA comes up, and the old one carries on to its end. */
static void peer_refuses(struct sim *s)
{
	enum side side = sim_side(s);

	start(s);
	sim_set_certificate(s, side, "somebody.else.example.org");
	sim_packets(s, 560000);
	sim_run_ms(s, 1000);
	sim_must_have_carried(s);
	for (enum side at = LEFT; at <= RIGHT; at++)
		sim_must(s, sim_notes(s, at, IKE_NOTE_CHILD_DOWN) == 0, "the child was down");
	sim_must(s,
		 sim_notes(s, LEFT, IKE_NOTE_REFUSED) + sim_notes(s, RIGHT, IKE_NOTE_REFUSED) > 0,
		 "nobody was refused");
	sim_run_s(s, 120);
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0,
		 "a proof outlives its time");
}

/* ---- what fails on a machine ---- */

static void job_fails(struct sim *s)
{
	start(s);
	if (sim_draw(s, 0, 1))
		sim_fail_job(s, sim_draw(s, 1, 6));
	else
		sim_lose_job(s, sim_draw(s, 1, 6));
	sim_reauthenticate(s, sim_side(s));
	sim_packets(s, 200000);
	end(s, 1);
}

static void install_fails(struct sim *s)
{
	begin(s);
	sim_fail_install(s, sim_draw(s, 1, 4));
	sim_reauthenticate(s, sim_side(s));
	sim_run_s(s, 300);
	begin(s);
}

static void memory_fails(struct sim *s)
{
	enum side side = sim_side(s);

	begin(s);
	sim_fail_malloc(s, side, sim_draw(s, 1, 150));
	sim_reauthenticate(s, sim_side(s));
	sim_run_s(s, 200);
	sim_fail_malloc(s, side, 0);
	sim_run_s(s, 200);
	begin(s);
}

static void crash(struct sim *s)
{
	enum side side = sim_side(s);

	begin(s);
	sim_reauthenticate(s, sim_side(s));
	sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 300) : sim_draw(s, 0, 8000));
	sim_crash(s, side);
	sim_run_ms(s, sim_draw(s, 0, 2000));
	sim_restart(s, side);
	sim_run_s(s, 200);
	begin(s);
}

static void plane_dies(struct sim *s)
{
	begin(s);
	sim_reauthenticate(s, sim_side(s));
	sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 300) : sim_draw(s, 0, 8000));
	sim_plane_dies(s, sim_side(s));
	sim_run_s(s, 200);
	begin(s);
}

static void reload(struct sim *s)
{
	begin(s);
	sim_reauthenticate(s, sim_side(s));
	sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 300) : sim_draw(s, 0, 8000));
	sim_reload(s, LEFT, sim_draw(s, 0, 1) ? always.text[LEFT] : by_each.text[LEFT]);
	sim_run_s(s, 60);
	begin(s);
}

/* A reload asks for a proof sooner than it was to come. */
static void reload_shortens(struct sim *s)
{
	size_t ups;

	start(s);
	ups = sim_notes(s, LEFT, IKE_NOTE_UP);
	sim_packets(s, sim_draw(s, 0, 400000));
	sim_reload(s, RIGHT, by_right.text[RIGHT]);
	sim_packets(s, 620000);
	end(s, ups);
}

#define LINK DELAYS(10, 80)

const struct sim_scenario scenarios_reauth[] = {
	{ "reauth-initiator", "a new proof in time, by `reauthenticate` of one end", by_time,
	  &by_left, LINK, 0 },
	{ "reauth-lifetime", "... of the other end, by AUTH_LIFETIME", by_time, &by_right, LINK,
	  0 },
	{ "reauth-each", "... of both", by_time, &by_each, LINK, 0 },
	{ "reauth-any", "... of one that cannot begin", by_time, &waits, LINK, 0 },
	{ "reauth-time-lossy", "... over a bad link", by_time, &by_each, LOSSY, 0 },
	{ "reauth", "from either end, under traffic", from_either, &manual, LINK, 0 },
	{ "reauth-lossy", "over a bad link", from_either, &manual, LOSSY, 0 },
	{ "reauth-slow", "a worker computes, at both ends", from_either, &slow, LINK, 0 },
	{ "reauth-both", "from both ends, in each other's way", from_both, &manual, LINK, 0 },
	{ "reauth-both-lossy", "... over a bad link", from_both, &manual, LOSSY, 0 },
	{ "reauth-both-slow", "... while workers compute", from_both, &slow, LINK, 0 },
	{ "reauth-at-once", "from both ends at one instant", at_once, &manual, LINK, 0 },
	{ "reauth-rekey", "mixed with new keys of both kinds", with_rekeys, &manual, LINK, 0 },
	{ "reauth-rekey-lossy", "... over a bad link", with_rekeys, &manual, LOSSY, 0 },
	{ "reauth-rekey-slow", "... while workers compute", with_rekeys, &slow, LINK, 0 },
	{ "reauth-children", "all of several children come along", all_children, &three, LINK, 0 },
	{ "reauth-children-lossy", "... over a bad link", all_children, &three, LOSSY, 0 },
	{ "reauth-down", "against `down`", against_down, &manual, LINK, 0 },
	{ "reauth-down-lossy", "... over a bad link", against_down, &manual, LOSSY, 0 },
	{ "reauth-hard", "against a hard limit of the child", against_hard_limit, &always, LINK,
	  0 },
	{ "reauth-refused", "the peer does not prove itself: the old one stays to its end",
	  peer_refuses, &by_left, LINK, 0 },
	{ "reauth-job-fails", "a worker fails or is silent", job_fails, &manual, LINK, 0 },
	{ "reauth-install-fails", "a data plane refuses", install_fails, &always, LINK, 0 },
	{ "reauth-memory-fails", "no memory, at any place", memory_fails, &always, LINK, 0 },
	{ "reauth-crash", "an engine is killed in the middle", crash, &always, LINK, 0 },
	{ "reauth-plane-dies", "a data plane dies in the middle", plane_dies, &always, LINK, 0 },
	{ "reauth-reload", "a reload in the middle", reload, &always, LINK, 0 },
	{ "reauth-shorter", "a reload that wants it sooner", reload_shortens, &manual, LINK, 0 },
	{ 0 },
};
