/* SPDX-License-Identifier: Apache-2.0 */
/* Another IKE SA takes the place of one: by its lifetime, from either end or both at once, against
 * everything that may come between. The children stay what they are, and their packets go on. */
#include "tests/sim/rekeying.h"
#include "tests/sim/world.h"

#define MINUTE " lifetime = 60s\n"

static const struct sim_conf minute = LIVED_SITE(CERT MANUAL MINUTE, CERT MANUAL MINUTE, "8h");

static size_t rekeyed(const struct sim *s, enum side side)
{
	return sim_notes(s, side, IKE_NOTE_REKEYED);
}

/* ... by the same IKE SA at both ends. */
static void end(struct sim *s)
{
	sim_run_s(s, 20);
	rekeying_end(s);
	sim_must(s, rekeyed(s, LEFT) >= 1, "no rekey");
	sim_must(s, rekeyed(s, LEFT) == rekeyed(s, RIGHT), "%zu and %zu rekeys", rekeyed(s, LEFT),
		 rekeyed(s, RIGHT));
}

static void by_time(struct sim *s)
{
	rekeying_by_time(s, IKE_NOTE_REKEYED);
}

static void from_either(struct sim *s)
{
	rekeying_from_either(s, sim_rekey_ike);
	end(s);
}

static void from_both(struct sim *s)
{
	rekeying_from_both(s, sim_rekey_ike);
	end(s);
}

static void at_once(struct sim *s)
{
	rekeying_at_once(s, sim_rekey_ike);
	end(s);
}

/* Both kinds, from both ends. */
static void with_children(struct sim *s)
{
	rekeying_start(s);
	for (int i = 0; i < 8; i++) {
		if (sim_draw(s, 0, 1))
			sim_rekey_ike(s, sim_side(s));
		else
			sim_rekey(s, sim_side(s));
		sim_packets(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 200) : sim_draw(s, 0, 2000));
	}
	sim_rekey_ike(s, sim_side(s));
	sim_packets(s, 30000);
	end(s);
}

static void against_delete(struct sim *s)
{
	sim_up(s, LEFT, "site");
	rekeying_settle(s);
	sim_rekey_ike(s, sim_side(s));
	if (sim_draw(s, 0, 1))
		sim_rekey_ike(s, sim_side(s));
	/* Not by liveness. */
	rekeying_meets_down(s, s->net.loss > 0 ? 120 : 15);
}

static void against_hard_limit(struct sim *s)
{
	rekeying_settle(s);
	sim_rekey_ike(s, sim_side(s));
	rekeying_meets_hard_limit(s);
}

/* ---- what fails on a machine ---- */

static void job_fails(struct sim *s)
{
	rekeying_breaks_job(s, sim_rekey_ike);
	sim_run_s(s, 120);
	sim_up(s, LEFT, "site");
	rekeying_settle(s);
}

static void memory_fails(struct sim *s)
{
	enum side side = sim_side(s);

	rekeying_settle(s);
	sim_fail_malloc(s, side, sim_draw(s, 1, 60));
	sim_rekey_ike(s, LEFT);
	sim_memory_is_back(s, side, 1);
}

static void crash(struct sim *s)
{
	rekeying_meets_crash(s, sim_rekey_ike, 200);
}

static void plane_dies(struct sim *s)
{
	rekeying_meets_dead_plane(s, sim_rekey_ike);
}

static void reload(struct sim *s)
{
	rekeying_meets_reload(s, sim_rekey_ike);
}

#define LINK DELAYS(10, 80)

const struct sim_scenario scenarios_rekey_ike[] = {
	{ "rekey-ike-time", "another IKE SA before the lifetime is over", by_time, &minute, LINK,
	  0 },
	{ "rekey-ike", "from either end, under traffic", from_either, &rekeying_manual, LINK, 0 },
	{ "rekey-ike-lossy", "over a bad link", from_either, &rekeying_manual, LOSSY, 0 },
	{ "rekey-ike-groups", "with the group that both have", from_either, &rekeying_groups, LINK,
	  0 },
	{ "rekey-ike-slow", "a worker computes, at both ends", from_either, &rekeying_slow, LINK,
	  0 },
	{ "rekey-ike-both", "from both ends, in each other's way", from_both, &rekeying_manual,
	  LINK, 0 },
	{ "rekey-ike-both-slow", "... while workers compute", from_both, &rekeying_slow, LINK, 0 },
	{ "rekey-ike-both-lossy", "... over a bad link", from_both, &rekeying_manual, LOSSY, 0 },
	{ "rekey-ike-at-once", "from both ends at one instant", at_once, &rekeying_manual, LINK,
	  0 },
	{ "rekey-ike-child", "mixed with new keys of the child", with_children, &rekeying_manual,
	  LINK, 0 },
	{ "rekey-ike-child-slow", "... while workers compute", with_children, &rekeying_slow, LINK,
	  0 },
	{ "rekey-ike-child-lossy", "... over a bad link", with_children, &rekeying_manual, LOSSY,
	  0 },
	{ "rekey-ike-delete", "against `down`", against_delete, &rekeying_manual, LINK, 0 },
	{ "rekey-ike-delete-slow", "... while workers compute", against_delete, &rekeying_slow,
	  LINK, 0 },
	{ "rekey-ike-delete-lossy", "... over a bad link", against_delete, &rekeying_manual, LOSSY,
	  0 },
	{ "rekey-ike-hard", "against a hard limit of the child", against_hard_limit,
	  &rekeying_always, LINK, 0 },
	{ "rekey-ike-job-fails", "a worker fails or is silent", job_fails, &rekeying_slow, LINK,
	  0 },
	{ "rekey-ike-memory-fails", "no memory, at any place", memory_fails, &rekeying_always, LINK,
	  0 },
	{ "rekey-ike-crash", "an engine is killed in the middle", crash, &rekeying_always, LINK,
	  0 },
	{ "rekey-ike-plane-dies", "a data plane dies in the middle", plane_dies, &rekeying_always,
	  LINK, 0 },
	{ "rekey-ike-reload", "a reload in the middle", reload, &rekeying_always, LINK, 0 },
	{ 0 },
};
