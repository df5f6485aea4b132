/* SPDX-License-Identifier: Apache-2.0 */
/* Another IKE SA takes the place of one: by its lifetime, from either end or both at once, against
 * everything that may come between. The children stay what they are, and their packets go on. */
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

#define LIVED(local, remote) \
	" child net {\n  local = " local "\n  remote = " remote "\n  lifetime = 8h\n }\n"
#define PAIR(left, right)                                                                   \
	{                                                                                   \
		{                                                                           \
			LEFT_BEGIN left LIVED("10.1.0.0/16", "10.2.0.0/16") "}\n",          \
				RIGHT_BEGIN right LIVED("10.2.0.0/16", "10.1.0.0/16") "}\n" \
		}                                                                           \
	}
#define MINUTE " lifetime = 60s\n"
#define SLOW   " policy = { aes256gcm16 prfsha384 modp4096 }\n"

static const struct sim_conf minute = PAIR(CERT MANUAL MINUTE, CERT MANUAL MINUTE);
static const struct sim_conf always = PAIR(CERT ALWAYS, CERT ALWAYS);
static const struct sim_conf manual = PAIR(CERT MANUAL, CERT MANUAL);
static const struct sim_conf slow = PAIR(PSK MANUAL SLOW, PSK MANUAL SLOW);
static const struct sim_conf groups =
	PAIR(PSK MANUAL " policy = { aes256gcm16 prfsha384 x25519 ecp256 }\n",
	     PSK MANUAL " policy = { aes256gcm16 prfsha384 ecp256 x25519 }\n");

static size_t rekeyed(const struct sim *s)
{
	return sim_notes(s, LEFT, IKE_NOTE_REKEYED);
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

/* One IKE SA with its child is left, no packet was lost, and nobody was told that anything went. */
static void end(struct sim *s)
{
	sim_run_s(s, 20);
	begin(s);
	sim_must_have_carried(s);
	for (enum side side = LEFT; side <= RIGHT; side++) {
		sim_must(s, sim_notes(s, side, IKE_NOTE_CHILD_DOWN) == 0, "the child was down");
		sim_must(s, sim_notes(s, side, IKE_NOTE_DOWN) == 0, "the IKE SA was down");
		sim_must(s, sim_notes(s, side, IKE_NOTE_UP) == 1, "there was a handshake");
	}
	sim_must(s, rekeyed(s) >= 1, "no rekey");
	sim_must(s, rekeyed(s) == sim_notes(s, RIGHT, IKE_NOTE_REKEYED), "%zu and %zu rekeys",
		 rekeyed(s), sim_notes(s, RIGHT, IKE_NOTE_REKEYED));
}

static void by_time(struct sim *s)
{
	start(s);
	sim_packets(s, 300000);
	sim_must(s, rekeyed(s) >= 4 && rekeyed(s) <= 12, "%zu rekeys in 5 minutes", rekeyed(s));
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_REKEY_FAILED) == 0, "a rekey failed");
	sim_run_ms(s, 1000);
	sim_must_have_carried(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_DOWN) == 0, "the child was down");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "there was a handshake");
}

static void from_either(struct sim *s)
{
	start(s);
	for (int i = 0; i < 6; i++) {
		sim_rekey_ike(s, sim_side(s));
		sim_packets(s, sim_draw(s, 0, 4000));
	}
	sim_packets(s, 12000);
	end(s);
}

static void from_both(struct sim *s)
{
	start(s);
	for (int i = 0; i < 8; i++) {
		enum side first = sim_side(s);

		sim_rekey_ike(s, first);
		sim_packets(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 60) : sim_draw(s, 0, 400));
		sim_rekey_ike(s, 1 - first);
		sim_packets(s, sim_draw(s, 0, 3000));
	}
	sim_packets(s, 15000);
	end(s);
}

static void at_once(struct sim *s)
{
	start(s);
	for (int i = 0; i < 6; i++) {
		sim_rekey_ike(s, LEFT);
		sim_rekey_ike(s, RIGHT);
		sim_packets(s, 8000);
		begin(s);
	}
	end(s);
}

/* Both kinds, from both ends. */
static void with_children(struct sim *s)
{
	start(s);
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
	begin(s);
	sim_rekey_ike(s, sim_side(s));
	if (sim_draw(s, 0, 1))
		sim_rekey_ike(s, sim_side(s));
	sim_run_ms(s, sim_draw(s, 0, 500));
	sim_down(s, sim_side(s), "site");
	/* Not by liveness. */
	sim_run_s(s, s->net.loss > 0 ? 120 : 15);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 0);
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0, "SAs are left over");
}

static void against_hard_limit(struct sim *s)
{
	begin(s);
	sim_rekey_ike(s, sim_side(s));
	sim_run_ms(s, sim_draw(s, 0, 500));
	sim_expire(s, sim_side(s));
	sim_run_s(s, 60);
	begin(s);
}

/* ---- what fails on a machine ---- */

static void job_fails(struct sim *s)
{
	start(s);
	if (sim_draw(s, 0, 1))
		sim_fail_job(s, sim_draw(s, 1, 4));
	else
		sim_lose_job(s, sim_draw(s, 1, 4));
	sim_rekey_ike(s, LEFT);
	sim_run_s(s, 120);
	sim_up(s, LEFT, "site");
	begin(s);
}

static void memory_fails(struct sim *s)
{
	enum side side = sim_side(s);

	begin(s);
	sim_fail_malloc(s, side, sim_draw(s, 1, 60));
	sim_rekey_ike(s, LEFT);
	sim_run_s(s, 200);
	sim_fail_malloc(s, side, 0);
	sim_run_s(s, 200);
	begin(s);
}

static void crash(struct sim *s)
{
	enum side side = sim_side(s);

	begin(s);
	sim_rekey_ike(s, LEFT);
	sim_run_ms(s, sim_draw(s, 0, 1000));
	sim_crash(s, side);
	sim_run_ms(s, sim_draw(s, 0, 2000));
	sim_restart(s, side);
	sim_run_s(s, 200);
	begin(s);
}

static void plane_dies(struct sim *s)
{
	begin(s);
	sim_rekey_ike(s, LEFT);
	sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 300) : sim_draw(s, 0, 8000));
	sim_plane_dies(s, sim_side(s));
	sim_run_s(s, 100);
	begin(s);
}

static void reload(struct sim *s)
{
	begin(s);
	sim_rekey_ike(s, sim_side(s));
	sim_run_ms(s, sim_draw(s, 0, 400));
	sim_reload(s, LEFT, always.text[LEFT]);
	sim_run_s(s, 60);
	begin(s);
}

#define LINK DELAYS(10, 80)

const struct sim_scenario scenarios_rekey_ike[] = {
	{ "rekey-ike-time", "another IKE SA before the lifetime is over", by_time, &minute, LINK,
	  0 },
	{ "rekey-ike", "from either end, under traffic", from_either, &manual, LINK, 0 },
	{ "rekey-ike-lossy", "over a bad link", from_either, &manual, LOSSY, 0 },
	{ "rekey-ike-groups", "with the group that both have", from_either, &groups, LINK, 0 },
	{ "rekey-ike-slow", "a worker computes, at both ends", from_either, &slow, LINK, 0 },
	{ "rekey-ike-both", "from both ends, in each other's way", from_both, &manual, LINK, 0 },
	{ "rekey-ike-both-slow", "... while workers compute", from_both, &slow, LINK, 0 },
	{ "rekey-ike-both-lossy", "... over a bad link", from_both, &manual, LOSSY, 0 },
	{ "rekey-ike-at-once", "from both ends at one instant", at_once, &manual, LINK, 0 },
	{ "rekey-ike-child", "mixed with new keys of the child", with_children, &manual, LINK, 0 },
	{ "rekey-ike-child-slow", "... while workers compute", with_children, &slow, LINK, 0 },
	{ "rekey-ike-child-lossy", "... over a bad link", with_children, &manual, LOSSY, 0 },
	{ "rekey-ike-delete", "against `down`", against_delete, &manual, LINK, 0 },
	{ "rekey-ike-delete-slow", "... while workers compute", against_delete, &slow, LINK, 0 },
	{ "rekey-ike-delete-lossy", "... over a bad link", against_delete, &manual, LOSSY, 0 },
	{ "rekey-ike-hard", "against a hard limit of the child", against_hard_limit, &always, LINK,
	  0 },
	{ "rekey-ike-job-fails", "a worker fails or is silent", job_fails, &slow, LINK, 0 },
	{ "rekey-ike-memory-fails", "no memory, at any place", memory_fails, &always, LINK, 0 },
	{ "rekey-ike-crash", "an engine is killed in the middle", crash, &always, LINK, 0 },
	{ "rekey-ike-plane-dies", "a data plane dies in the middle", plane_dies, &always, LINK, 0 },
	{ "rekey-ike-reload", "a reload in the middle", reload, &always, LINK, 0 },
	{ 0 },
};
