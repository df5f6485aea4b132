/* SPDX-License-Identifier: Apache-2.0 */
/* Several children of one connection: the first comes with IKE_AUTH, the others by CREATE_CHILD_SA,
 * and what happens to one is nothing to the others. */
#include <string.h>

#include "tests/sim/confs.h"
#include "tests/sim/world.h"

#define CHILDLESS " childless = yes\n"

static const struct sim_conf always = THREE(CERT ALWAYS LIVELY, CERT ALWAYS LIVELY);
static const struct sim_conf one_end = THREE(CERT ALWAYS LIVELY, CERT MANUAL LIVELY);
static const struct sim_conf manual = THREE(PSK MANUAL LIVELY, PSK MANUAL LIVELY);
static const struct sim_conf traffic =
	THREE(CERT " start = traffic\n" LIVELY, CERT " start = traffic\n" LIVELY);
static const struct sim_conf without_lab = {
	{ LEFT_THREE(CERT ALWAYS LIVELY), RIGHT_BEGIN CERT MANUAL LIVELY RIGHT_NET RIGHT_DMZ "}\n" }
};

static const char *one_of(struct sim *s)
{
	return sim_three[sim_draw(s, 0, N_SIM_THREE - 1)];
}

/* ---- up ---- */

static void both_begin(struct sim *s)
{
	sim_expect_three(s);
}

static void three_and_no_more(struct sim *s)
{
	sim_expect_three(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_UP) == 3, "a child was made twice");
}

static void both_are_told(struct sim *s)
{
	sim_up(s, LEFT, "site");
	sim_run_ms(s, sim_draw(s, 0, 300));
	sim_up(s, RIGHT, "site");
	sim_expect_three(s);
}

/* One after the other, as people or scripts do, and from both ends at once. */
static void child_by_child(struct sim *s)
{
	for (size_t i = 0; i < N_SIM_THREE; i++) {
		sim_up_child(s, sim_side(s), "site", sim_three[i]);
		sim_run_ms(s, sim_draw(s, 0, 200));
		sim_up_child(s, sim_side(s), "site", sim_three[i]);
		sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 2000) : 0);
	}
	sim_expect_three(s);
}

/* The IKE SA is there, and both ends are told at the same moment. */
static void the_same_at_once(struct sim *s)
{
	sim_up_child(s, LEFT, "site", "net");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	for (int i = 0; i < 3; i++) {
		const char *name = sim_three[sim_draw(s, 1, 2)];

		sim_up_child(s, LEFT, "site", name);
		sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 150) : 0);
		sim_up_child(s, RIGHT, "site", name);
	}
	sim_run_s(s, 120);
	sim_up(s, LEFT, "site");
	sim_expect_three(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "another IKE SA was made");
}

/* ---- one goes, the others stay ---- */

static void one_down_and_up(struct sim *s)
{
	enum side side = sim_side(s);
	const char *name = one_of(s);

	sim_up(s, LEFT, "site");
	sim_expect_three(s);
	sim_down_child(s, side, "site", name);
	sim_run_s(s, 60);
	sim_must(s, sim_pairs(s, "site", name) == 0, "%s is still up", name);
	sim_expect(s, "site", 2);
	sim_up_child(s, side, "site", name);
	sim_expect_three(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "another IKE SA was made");
}

/* `always` at the other end wants it back, which is refused until it is up here, too. */
static void down_against_always(struct sim *s)
{
	const char *name = one_of(s);

	sim_expect_three(s);
	sim_down_child(s, RIGHT, "site", name);
	sim_run_s(s, 200);
	sim_expect(s, "site", 2);
	sim_up_child(s, RIGHT, "site", name);
	sim_run_s(s, 100);
	sim_expect_three(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "another IKE SA was made");
}

static void limit_of_one(struct sim *s)
{
	size_t downs, ups;

	sim_expect_three(s);
	downs = sim_notes(s, LEFT, IKE_NOTE_CHILD_DOWN);
	ups = sim_notes(s, LEFT, IKE_NOTE_UP);
	for (int i = 0; i < 4; i++) {
		sim_expire(s, sim_side(s));
		sim_expect_three(s);
	}
	downs = sim_notes(s, LEFT, IKE_NOTE_CHILD_DOWN) - downs;
	sim_must(s, downs >= 4 && downs <= 8, "%zu children went", downs);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == ups, "another IKE SA was made");
}

/* Somebody takes one away while another one is just made. */
static void crossing(struct sim *s)
{
	for (int i = 0; i < 12; i++) {
		enum side side = sim_side(s);
		const char *name = one_of(s);

		if (sim_draw(s, 0, 1))
			sim_up_child(s, side, "site", name);
		else
			sim_down_child(s, side, "site", name);
		sim_run_ms(s, sim_draw(s, 0, 250));
	}
	sim_up(s, RIGHT, "site");
	sim_run_ms(s, sim_draw(s, 0, 100));
	sim_up(s, LEFT, "site");
	sim_run_s(s, 30);
	sim_up(s, RIGHT, "site");
	sim_up(s, LEFT, "site");
	sim_expect_three(s);
}

/* ---- one that the peer does not want ---- */

static const char *const with_lab = RIGHT_THREE(CERT MANUAL LIVELY);

static void one_refused(struct sim *s)
{
	size_t refusals;

	sim_run_s(s, 300);
	sim_must(s, sim_pairs(s, "site", "net") == 1 && sim_pairs(s, "site", "dmz") == 1,
		 "the others are not up");
	refusals = sim_notes(s, LEFT, IKE_NOTE_CHILD_FAILED);
	sim_must(s, refusals >= 4 && refusals <= 12, "it was tried %zu times", refusals);
	sim_reload(s, RIGHT, with_lab);
	sim_expect_three(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_UP) == 3, "another child was made anew");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "another IKE SA was made");
}

/* ---- another configuration ---- */

static const char *const left_two = LEFT_BEGIN CERT ALWAYS LIVELY LEFT_DMZ LEFT_NET "}\n";
static const char *const left_three = LEFT_THREE(CERT ALWAYS LIVELY);
static const char *const left_other = LEFT_BEGIN CERT ALWAYS LIVELY LEFT_NET LEFT_DMZ CHILD(
	"lab", "10.5.0.0/17", "10.6.0.0/16") "}\n";

static void reload_children(struct sim *s)
{
	if (sim_draw(s, 0, 1))
		sim_expect_three(s);
	else
		sim_run_ms(s, sim_draw(s, 0, 600));
	s->end[LEFT].may_lift = true;
	sim_reload(s, LEFT, left_two);
	sim_run_s(s, 100);
	sim_expect(s, "site", 2);
	sim_reload(s, LEFT, left_three);
	sim_expect_three(s);
	sim_reload(s, LEFT, left_other);
	sim_run_ms(s, sim_draw(s, 0, 1000));
	sim_expect_three(s);
	sim_reload(s, LEFT, left_three);
	sim_expect_three(s);
}

/* Two stay untouched while the third goes, comes, and is another one. */
static void reload_keeps_the_others(struct sim *s)
{
	sim_expect_three(s);
	sim_reload(s, LEFT, left_two);
	sim_run_s(s, 20);
	sim_reload(s, LEFT, left_other);
	sim_expect_three(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "another IKE SA was made");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_UP) == 4, "a sibling was made anew");
}

/* ---- by traffic ---- */

static void packets_for_all(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 0);
	for (uint32_t i = 0; i < 12; i++) {
		sim_acquire_child(s, LEFT, i < 3 ? i : sim_draw(s, 0, 2));
		sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 3000) : 0);
	}
	sim_expect_three(s);
	sim_must(s, sim_larvae(s, LEFT) == 0, "a packet is still held");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CONNECTING) == 1, "another IKE SA was begun");
}

static void a_packet_for_the_second(struct sim *s)
{
	sim_acquire_child(s, LEFT, 0);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_acquire_child(s, LEFT, 2);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 2);
	sim_must(s, sim_pairs(s, "site", "dmz") == 0, "what nobody asked for is up");
	sim_must(s, sim_larvae(s, LEFT) == 0, "a packet is still held");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CONNECTING) == 1, "another IKE SA was begun");
}

/* ---- the IKE SA before all of them (RFC 6023) ---- */

static const struct sim_conf childless =
	THREE(CERT ALWAYS LIVELY CHILDLESS, CERT ALWAYS LIVELY CHILDLESS);
static const struct sim_conf childless_one =
	THREE(CERT ALWAYS LIVELY CHILDLESS, CERT ALWAYS LIVELY);
static const struct sim_conf childless_slow =
	THREE(CERT ALWAYS LIVELY CHILDLESS MODP_4096, CERT MANUAL LIVELY CHILDLESS MODP_4096);
static const struct sim_conf childless_manual =
	THREE(PSK MANUAL LIVELY CHILDLESS, PSK MANUAL LIVELY CHILDLESS);
static const struct sim_conf childless_traffic =
	THREE(CERT " start = traffic\n" LIVELY CHILDLESS, CERT " start = traffic\n" LIVELY);

/* What is made along with an IKE SA has no group of its own. */
static void each_by_itself(struct sim *s)
{
	const struct ike_note *n;

	sim_expect_three(s);
	n = sim_note(s, LEFT, IKE_NOTE_CHILD_UP);
	sim_must(s, n && strstr(n->suite, "modp4096"), "its group is not %s", n ? n->suite : "");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_UP) == 3, "a child was made twice");
}

/* The first child fails as any other, and is made over the same IKE SA. */
static void first_install_fails(struct sim *s)
{
	sim_fail_install(s, sim_draw(s, 1, 4));
	sim_expect_three(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "another IKE SA was made");
}

/* At any moment; an IKE SA that stays without a child is no harm, and is used by the next one. */
static void down_and_up_again(struct sim *s)
{
	for (int i = 0; i < 4; i++) {
		sim_up(s, LEFT, "site");
		sim_run_ms(s, sim_draw(s, 0, 600));
		sim_down_child(s, LEFT, "site", one_of(s));
		sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 2000) : 0);
	}
	for (size_t i = 0; i < N_SIM_THREE; i++) {
		sim_up_child(s, LEFT, "site", sim_three[i]);
		sim_run_s(s, 20);
	}
	sim_expect_three(s);
}

static void crash_at_any_moment(struct sim *s)
{
	enum side side = sim_side(s);

	sim_run_ms(s, sim_draw(s, 0, 1500));
	sim_crash(s, side);
	sim_run_ms(s, sim_draw(s, 0, 3000));
	sim_restart(s, side);
	sim_expect_three(s);
}

#define LINK DELAYS(10, 80)

const struct sim_scenario scenarios_children[] = {
	{ "three-children", "both begin with three children", both_begin, &always, LINK, 0 },
	{ "three-from-one-end", "one end makes them, each of them once", three_and_no_more,
	  &one_end, LINK, 0 },
	{ "three-lossy", "over a bad link", both_begin, &always, LOSSY, 0 },
	{ "three-told", "both ends are told to", both_are_told, &manual, LINK, 0 },
	{ "child-by-child", "one child after the other, from either end", child_by_child, &manual,
	  LINK, 0 },
	{ "same-at-once", "both make the same child at once: one pair", the_same_at_once, &manual,
	  LINK, 0 },
	{ "same-at-once-lossy", "over a bad link, too", the_same_at_once, &manual, ROUGH, 0 },
	{ "one-down", "one goes down and up, the others stay", one_down_and_up, &manual, LINK, 0 },
	{ "down-against-always", "`down` of one stands against the peer's wish",
	  down_against_always, &one_end, LINK, 0 },
	{ "limit-of-one", "one at its limit comes back, the others stay", limit_of_one, &always,
	  LINK, 0 },
	{ "crossing", "children go while others come", crossing, &manual, LINK, 0 },
	{ "crossing-lossy", "over a bad link, too", crossing, &manual, LOSSY, 0 },
	{ "one-refused", "one that the peer does not have is no harm to the others", one_refused,
	  &without_lab, LINK, 0 },
	{ "reload-children", "another configuration with other children", reload_children, &always,
	  LINK, 0 },
	{ "reload-keeps", "... leaves those that did not change alone", reload_keeps_the_others,
	  &one_end, LINK, 0 },
	{ "packets-for-all", "traffic makes each of them, over one IKE SA", packets_for_all,
	  &traffic, LINK, 0 },
	{ "packet-for-second", "a packet makes the child that it is for", a_packet_for_the_second,
	  &traffic, LINK, 0 },
	{ "childless", "the IKE SA first, then every child, from either end or both", both_begin,
	  &childless, LINK, 0 },
	{ "childless-lossy", "over a bad link", both_begin, &childless, LOSSY, 0 },
	{ "childless-of-one", "one end makes the first child along, the other does not", both_begin,
	  &childless_one, LOSSY, 0 },
	{ "childless-slow", "each has a group of its own", each_by_itself, &childless_slow, LINK,
	  0 },
	{ "childless-install-fails", "the first fails as any other", first_install_fails,
	  &childless_slow, LINK, 0 },
	{ "childless-down", "`down` at any moment", down_and_up_again, &childless_manual, LINK, 0 },
	{ "childless-crash", "an engine is killed at any moment", crash_at_any_moment, &childless,
	  LINK, 0 },
	{ "childless-traffic", "traffic makes each of them, over one IKE SA", packets_for_all,
	  &childless_traffic, LINK, 0 },
	{ 0 },
};
