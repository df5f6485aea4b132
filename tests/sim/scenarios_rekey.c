/* SPDX-License-Identifier: Apache-2.0 */
/* New keys for a child that is in use: by its lifetime or its counters, from either end or both at
 * once, and against everything that may come between. Packets go all the while, and none is lost.
 */
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

#define LIVED(local, remote, life) \
	" child net {\n  local = " local "\n  remote = " remote "\n  lifetime = " life "\n }\n"
#define LIVED_SITE(left, right, life)                                                             \
	{                                                                                         \
		{                                                                                 \
			LEFT_BEGIN left LIVED("10.1.0.0/16", "10.2.0.0/16", life) "}\n",          \
				RIGHT_BEGIN right LIVED("10.2.0.0/16", "10.1.0.0/16", life) "}\n" \
		}                                                                                 \
	}
#define SLOW " policy = { aes256gcm16 prfsha384 modp4096 }\n"

static const struct sim_conf minute = LIVED_SITE(CERT MANUAL, CERT MANUAL, "60s");
static const struct sim_conf always = LIVED_SITE(CERT ALWAYS, CERT ALWAYS, "8h");
static const struct sim_conf manual = LIVED_SITE(CERT MANUAL, CERT MANUAL, "8h");
static const struct sim_conf slow = LIVED_SITE(PSK MANUAL SLOW, PSK MANUAL SLOW, "8h");
static const struct sim_conf groups =
	LIVED_SITE(PSK MANUAL " policy = { aes256gcm16 prfsha384 x25519 ecp256 }\n",
		   PSK MANUAL " policy = { aes256gcm16 prfsha384 ecp256 x25519 }\n", "8h");

static size_t rekeyed(const struct sim *s, enum side side)
{
	return sim_notes(s, side, IKE_NOTE_CHILD_REKEYED);
}

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

/* One pair is left, nothing was lost, and nobody was told that anything went. */
static void end(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must_have_carried(s);
	for (enum side side = LEFT; side <= RIGHT; side++) {
		sim_must(s, sim_notes(s, side, IKE_NOTE_CHILD_DOWN) == 0, "the child was down");
		sim_must(s, sim_notes(s, side, IKE_NOTE_UP) == 1, "another IKE SA was made");
	}
}

static void by_time(struct sim *s)
{
	start(s);
	sim_packets(s, 300000);
	sim_must(s, rekeyed(s, LEFT) >= 4 && rekeyed(s, LEFT) <= 12, "%zu rekeys in 5 minutes",
		 rekeyed(s, LEFT));
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_REKEY_FAILED) == 0, "a rekey failed");
	sim_run_ms(s, 1000);
	sim_must_have_carried(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_DOWN) == 0, "the child was down");
}

/* Without packets nothing but the Delete tells the responder. */
static void idle(struct sim *s)
{
	enum side side = sim_side(s);

	start(s);
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
	start(s);
	for (int i = 0; i < 6; i++) {
		sim_rekey(s, sim_side(s));
		sim_packets(s, sim_draw(s, 0, 4000));
	}
	sim_packets(s, 12000);
	sim_must(s, rekeyed(s, LEFT) >= 1, "no rekey");
	end(s);
}

/* Requests cross each other, or one comes while the other's is answered, or just behind. */
static void from_both(struct sim *s)
{
	start(s);
	for (int i = 0; i < 8; i++) {
		enum side first = sim_side(s);

		sim_rekey(s, first);
		sim_packets(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 60) : sim_draw(s, 0, 400));
		sim_rekey(s, 1 - first);
		sim_packets(s, sim_draw(s, 0, 3000));
	}
	sim_packets(s, 15000);
	/* Where links are bad one may take as long as all this. */
	sim_must(s, rekeyed(s, LEFT) >= (s->net.loss > 0 ? 1 : 2), "%zu rekeys", rekeyed(s, LEFT));
	end(s);
}

/* The same instant: both see a collision each time. */
static void at_once(struct sim *s)
{
	start(s);
	for (int i = 0; i < 6; i++) {
		sim_rekey(s, LEFT);
		sim_rekey(s, RIGHT);
		sim_packets(s, 8000);
		sim_run_until_quiet(s);
		sim_expect(s, "site", 1);
	}
	end(s);
}

static void against_delete(struct sim *s)
{
	enum side side = sim_side(s);

	sim_up(s, LEFT, "site");
	begin(s);
	sim_rekey(s, side);
	if (sim_draw(s, 0, 1))
		sim_rekey(s, 1 - side);
	sim_run_ms(s, sim_draw(s, 0, 500));
	sim_down(s, sim_side(s), "site");
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 0);
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0, "SAs are left over");
}

/* A hard limit in the middle of it. */
static void against_hard_limit(struct sim *s)
{
	begin(s);
	sim_rekey(s, LEFT);
	sim_run_ms(s, sim_draw(s, 0, 500));
	sim_expire(s, sim_side(s));
	sim_run_s(s, 60);
	begin(s);
}

/* ---- what fails on a machine ---- */

static void install_fails(struct sim *s)
{
	begin(s);
	sim_fail_install(s, sim_draw(s, 1, 4));
	sim_rekey(s, LEFT);
	sim_run_s(s, 100);
	begin(s);
}

static void job_fails(struct sim *s)
{
	start(s);
	if (sim_draw(s, 0, 1))
		sim_fail_job(s, sim_draw(s, 1, 4));
	else
		sim_lose_job(s, sim_draw(s, 1, 4));
	sim_rekey(s, LEFT);
	sim_packets(s, 60000);
	end(s);
}

static void memory_fails(struct sim *s)
{
	enum side side = sim_side(s);

	begin(s);
	sim_fail_malloc(s, side, sim_draw(s, 1, 120));
	sim_rekey(s, LEFT);
	sim_memory_is_back(s, side, 1);
}

static void crash(struct sim *s)
{
	enum side side = sim_side(s);

	begin(s);
	sim_rekey(s, LEFT);
	sim_run_ms(s, sim_draw(s, 0, 1000));
	sim_crash(s, side);
	sim_run_ms(s, sim_draw(s, 0, 2000));
	sim_restart(s, side);
	sim_run_s(s, 120);
	begin(s);
}

static void plane_dies(struct sim *s)
{
	begin(s);
	sim_rekey(s, LEFT);
	sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 300) : sim_draw(s, 0, 8000));
	sim_plane_dies(s, sim_side(s));
	sim_run_s(s, 100);
	begin(s);
}

/* The same configuration once more: nothing changes. */
static void reload(struct sim *s)
{
	begin(s);
	sim_rekey(s, sim_side(s));
	sim_run_ms(s, sim_draw(s, 0, 400));
	sim_reload(s, LEFT, always.text[LEFT]);
	sim_run_s(s, 60);
	begin(s);
}

#define LINK DELAYS(10, 80)

const struct sim_scenario scenarios_rekey[] = {
	{ "rekey-time", "new keys before the lifetime is over", by_time, &minute, LINK, 0 },
	{ "rekey-idle", "without packets the Delete moves what is sent", idle, &manual, LINK, 0 },
	{ "rekey", "from either end, under traffic", from_either, &manual, LINK, 0 },
	{ "rekey-lossy", "over a bad link", from_either, &manual, LOSSY, 0 },
	{ "rekey-groups", "another group is asked for", from_either, &groups, LINK, 0 },
	{ "rekey-slow", "a worker computes, at both ends", from_either, &slow, LINK, 0 },
	{ "rekey-both", "from both ends, in each other's way", from_both, &manual, LINK, 0 },
	{ "rekey-both-slow", "... while workers compute", from_both, &slow, LINK, 0 },
	{ "rekey-both-lossy", "... over a bad link", from_both, &manual, LOSSY, 0 },
	{ "rekey-at-once", "from both ends at one instant", at_once, &manual, LINK, 0 },
	{ "rekey-delete", "against `down`", against_delete, &manual, LINK, 0 },
	{ "rekey-delete-lossy", "... over a bad link", against_delete, &manual, LOSSY, 0 },
	{ "rekey-hard", "against a hard limit", against_hard_limit, &always, LINK, 0 },
	{ "rekey-install-fails", "a plane says no half way", install_fails, &always, LINK, 0 },
	{ "rekey-job-fails", "a worker fails or is silent", job_fails, &slow, LINK, 0 },
	{ "rekey-memory-fails", "no memory, at any place", memory_fails, &always, LINK, 0 },
	{ "rekey-crash", "an engine is killed in the middle", crash, &always, LINK, 0 },
	{ "rekey-plane-dies", "a data plane dies in the middle", plane_dies, &always, LINK, 0 },
	{ "rekey-reload", "a reload in the middle", reload, &always, LINK, 0 },
	{ 0 },
};
