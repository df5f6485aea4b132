/* SPDX-License-Identifier: Apache-2.0 */
/* New keys for a child: by its lifetime or its counters, from either end or both at once, and
 * against everything that may come between. Where packets go meanwhile, none is lost.
 */
#include "tests/sim/rekeying.h"
#include "tests/sim/world.h"

static const struct sim_conf minute = LIVED_SITE(CERT MANUAL, CERT MANUAL, "60s");

static size_t rekeyed(const struct sim *s, enum side side)
{
	return sim_notes(s, side, IKE_NOTE_CHILD_REKEYED);
}

static void by_time(struct sim *s)
{
	rekeying_by_time(s, IKE_NOTE_CHILD_REKEYED);
}

/* Without packets nothing but the Delete tells the responder. */
static void idle(struct sim *s)
{
	enum side side = sim_side(s);

	rekeying_start(s);
	for (int i = 0; i < 4; i++) {
		sim_rekey(s, side);
		sim_run_until_quiet(s);
	}
	sim_must(s, rekeyed(s, LEFT) == 4 && rekeyed(s, RIGHT) == 4, "%zu rekeys",
		 rekeyed(s, LEFT));
	sim_expect(s, "site", 1);
}

static void from_either(struct sim *s)
{
	rekeying_from_either(s, sim_rekey);
	sim_must(s, rekeyed(s, LEFT) >= 1, "no rekey");
	rekeying_end(s);
}

static void from_both(struct sim *s)
{
	rekeying_from_both(s, sim_rekey);
	/* Where links are bad one may take as long as all this. */
	sim_must(s, rekeyed(s, LEFT) >= (s->net.loss > 0 ? 1 : 2), "%zu rekeys", rekeyed(s, LEFT));
	rekeying_end(s);
}

static void at_once(struct sim *s)
{
	rekeying_at_once(s, sim_rekey);
	rekeying_end(s);
}

/* What is new has to have newer keys at once, so that the next rekey begins before the last one has
 * come to an end. */
static void again_and_again(struct sim *s)
{
	rekeying_start(s);
	for (int i = 0; i < 12; i++) {
		sim_rekey(s, sim_side(s));
		sim_packets(s, sim_draw(s, 0, 60));
	}
	sim_packets(s, 15000);
	rekeying_end(s);
}

static void against_delete(struct sim *s)
{
	enum side side = sim_side(s);

	sim_up(s, LEFT, "site");
	rekeying_settle(s);
	sim_rekey(s, side);
	if (sim_draw(s, 0, 1))
		sim_rekey(s, 1 - side);
	rekeying_meets_down(s, 60);
}

static void against_hard_limit(struct sim *s)
{
	rekeying_settle(s);
	sim_rekey(s, LEFT);
	rekeying_meets_hard_limit(s);
}

/* ---- what fails on a machine ---- */

static void install_fails(struct sim *s)
{
	rekeying_settle(s);
	sim_fail_install(s, sim_draw(s, 1, 4));
	sim_rekey(s, LEFT);
	sim_run_s(s, 100);
	rekeying_settle(s);
}

static void job_fails(struct sim *s)
{
	rekeying_breaks_job(s, sim_rekey);
	sim_packets(s, 60000);
	rekeying_end(s);
}

static void memory_fails(struct sim *s)
{
	enum side side = sim_side(s);

	rekeying_settle(s);
	sim_fail_malloc(s, side, sim_draw(s, 1, 120));
	sim_rekey(s, LEFT);
	sim_memory_is_back(s, side, 1);
}

static void crash(struct sim *s)
{
	rekeying_meets_crash(s, sim_rekey, 120);
}

static void plane_dies(struct sim *s)
{
	rekeying_meets_dead_plane(s, sim_rekey);
}

static void reload(struct sim *s)
{
	rekeying_meets_reload(s, sim_rekey);
}

#define LINK DELAYS(10, 80)

const struct sim_scenario scenarios_rekey[] = {
	{ "rekey-time", "new keys before the lifetime is over", by_time, &minute, LINK, 0 },
	{ "rekey-idle", "without packets the Delete moves what is sent", idle, &rekeying_manual,
	  LINK, 0 },
	{ "rekey", "from either end, under traffic", from_either, &rekeying_manual, LINK, 0 },
	{ "rekey-lossy", "over a bad link", from_either, &rekeying_manual, LOSSY, 0 },
	{ "rekey-groups", "another group is asked for", from_either, &rekeying_groups, LINK, 0 },
	{ "rekey-slow", "a worker computes, at both ends", from_either, &rekeying_slow, LINK, 0 },
	{ "rekey-both", "from both ends, in each other's way", from_both, &rekeying_manual, LINK,
	  0 },
	{ "rekey-both-slow", "... while workers compute", from_both, &rekeying_slow, LINK, 0 },
	{ "rekey-both-lossy", "... over a bad link", from_both, &rekeying_manual, LOSSY, 0 },
	{ "rekey-at-once", "from both ends at one instant", at_once, &rekeying_manual, LINK, 0 },
	{ "rekey-again", "... and again, before the last is settled", again_and_again,
	  &rekeying_manual, LINK, 0 },
	{ "rekey-again-slow", "... while workers compute", again_and_again, &rekeying_slow, LINK,
	  0 },
	{ "rekey-again-lossy", "... over a bad link", again_and_again, &rekeying_manual, LOSSY, 0 },
	{ "rekey-delete", "against `down`", against_delete, &rekeying_manual, LINK, 0 },
	{ "rekey-delete-lossy", "... over a bad link", against_delete, &rekeying_manual, LOSSY, 0 },
	{ "rekey-hard", "against a hard limit", against_hard_limit, &rekeying_always, LINK, 0 },
	{ "rekey-install-fails", "a plane says no half way", install_fails, &rekeying_always, LINK,
	  0 },
	{ "rekey-job-fails", "a worker fails or is silent", job_fails, &rekeying_slow, LINK, 0 },
	{ "rekey-memory-fails", "no memory, at any place", memory_fails, &rekeying_always, LINK,
	  0 },
	{ "rekey-crash", "an engine is killed in the middle", crash, &rekeying_always, LINK, 0 },
	{ "rekey-plane-dies", "a data plane dies in the middle", plane_dies, &rekeying_always, LINK,
	  0 },
	{ "rekey-reload", "a reload in the middle", reload, &rekeying_always, LINK, 0 },
	{ 0 },
};
