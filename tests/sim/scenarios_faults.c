/* SPDX-License-Identifier: Apache-2.0 */
/* The world fails: jobs, installs, memory, whole processes. Both ends are clean afterwards, and up
 * again where `start = always` says so. */
#include <string.h>

#include "tests/sim/confs.h"
#include "tests/sim/world.h"

static const struct sim_conf psk = SITE(PSK ALWAYS, PSK MANUAL);
static const struct sim_conf certificates = SITE(CERT ALWAYS, CERT MANUAL);
static const struct sim_conf both = SITE(CERT ALWAYS LIVELY, CERT ALWAYS LIVELY);
static const struct sim_conf manual = SITE(CERT MANUAL, CERT MANUAL);
static const struct sim_conf slow = SITE(CERT ALWAYS MODP_4096, CERT MANUAL MODP_4096);

/* Down at the end, and nothing is left. */
static void clean_up(struct sim *s)
{
	sim_down(s, LEFT, "site");
	sim_down(s, RIGHT, "site");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 0);
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0, "SAs are left over");
}

static void up_again(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	clean_up(s);
}

static void job_fails(struct sim *s)
{
	sim_fail_job(s, sim_draw(s, 1, 4));
	up_again(s);
}

static void slow_job_fails(struct sim *s)
{
	sim_fail_job(s, sim_draw(s, 1, 8));
	up_again(s);
}

/* Nothing asks for a second attempt: both ends are as if there had been none. */
static void job_fails_once_and_for_all(struct sim *s)
{
	sim_fail_job(s, sim_draw(s, 1, 4));
	sim_up(s, LEFT, "site");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 0);
	sim_must(s, sim_note(s, LEFT, IKE_NOTE_REFUSED) != NULL, "left does not say why");
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0, "SAs are left over");
}

static void job_is_lost(struct sim *s)
{
	sim_lose_job(s, sim_draw(s, 1, 4));
	up_again(s);
}

static void install_fails(struct sim *s)
{
	sim_fail_install(s, sim_draw(s, 1, 4));
	up_again(s);
}

/* In the plane's own words. */
static bool is_explained(const struct sim *s, enum side side)
{
	const struct ike_note *n = sim_note(s, side, IKE_NOTE_CHILD_FAILED);

	return n && strstr(n->text, sim_plane_says);
}

/* Without `always` perhaps nobody tries again; but nothing is half installed. */
static void install_fails_once_and_for_all(struct sim *s)
{
	sim_fail_install(s, sim_draw(s, 1, 4));
	sim_up(s, LEFT, "site");
	sim_run_until_quiet(s);
	sim_must(s, is_explained(s, LEFT) || is_explained(s, RIGHT), "the reason is lost");
	sim_up(s, LEFT, "site");
	up_again(s);
}

/* Either end is killed at some moment of the handshake or after it, and starts again. */
static void killed_and_started(struct sim *s)
{
	enum side side = sim_side(s);

	sim_run_ms(s, sim_draw(s, 0, 2) ? sim_draw(s, 0, 400) : sim_draw(s, 0, 60000));
	sim_crash(s, side);
	sim_run_ms(s, sim_draw(s, 0, 3000));
	sim_restart(s, side);
	up_again(s);
}

/* INITIAL_CONTACT: the peer lets go of what we have lost, at once. */
static void old_sa_is_forgotten(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_run_ms(s, sim_draw(s, 0, 20000));
	sim_crash(s, LEFT);
	sim_restart(s, LEFT);
	sim_run_s(s, 3);
	sim_must(s, sim_ike_sas(s, RIGHT) == 1, "the old SA is still there");
	sim_must(s, s->end[RIGHT].n_sas == 2, "its children are");
	up_again(s);
}

/* Somewhere in the engine there is no memory, once. */
static void no_memory(struct sim *s)
{
	enum side side = sim_side(s);

	sim_fail_malloc(s, side, sim_draw(s, 1, 120));
	sim_run_s(s, 200);
	sim_fail_malloc(s, side, 0);
	sim_run_until_quiet(s);
	sim_must(s, sim_pairs(s, "site", "net") > 0, "it is not up again");
	if (!check_lost_memory(&s->end[side]))
		clean_up(s);
}

static void both_killed(struct sim *s)
{
	sim_run_ms(s, sim_draw(s, 0, 2000));
	sim_crash(s, LEFT);
	sim_run_ms(s, sim_draw(s, 0, 1000));
	sim_crash(s, RIGHT);
	sim_restart(s, LEFT);
	sim_run_ms(s, sim_draw(s, 0, 1000));
	sim_restart(s, RIGHT);
	up_again(s);
}

/* A clean stop tells the peer, who is back when we are. */
static void stopped_and_started(struct sim *s)
{
	enum side side = sim_side(s);

	sim_run_until_quiet(s);
	sim_run_ms(s, sim_draw(s, 0, 60000));
	sim_shutdown(s, side);
	sim_run_ms(s, sim_draw(s, 0, 1000));
	sim_crash(s, side);
	sim_run_ms(s, sim_draw(s, 0, 3000));
	sim_restart(s, side);
	up_again(s);
}

/* The process of the data plane dies at any moment. */
static void plane_dies(struct sim *s)
{
	sim_run_ms(s, sim_draw(s, 0, 2) ? sim_draw(s, 0, 400) : sim_draw(s, 0, 60000));
	sim_plane_dies(s, sim_side(s));
	if (sim_draw(s, 0, 1))
		sim_plane_dies(s, sim_side(s));
	up_again(s);
}

/* The hard limit of an SA: until there is rekeying, a new tunnel. */
static void expired(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_expire(s, sim_side(s));
	up_again(s);
}

const struct sim_scenario scenarios_faults[] = {
	{ "job-fails-psk",
	  "each job of a handshake with PSK fails in turn",
	  job_fails,
	  &psk,
	  { .delay_ms = { 1, 50 } },
	  0 },
	{ "job-fails",
	  "each job of one with certificates",
	  job_fails,
	  &certificates,
	  { .delay_ms = { 1, 50 } },
	  0 },
	{ "job-fails-slow-group",
	  "those of a slow group",
	  slow_job_fails,
	  &slow,
	  { .delay_ms = { 1, 50 } },
	  0 },
	{ "job-fails-once",
	  "one fails and nobody tries again: both ends are clean",
	  job_fails_once_and_for_all,
	  &manual,
	  { .delay_ms = { 1, 50 } },
	  0 },
	{ "job-lost",
	  "each job is never answered in turn",
	  job_is_lost,
	  &certificates,
	  { .delay_ms = { 1, 50 } },
	  0 },
	{ "install-fails",
	  "each SA install fails in turn",
	  install_fails,
	  &certificates,
	  { .delay_ms = { 1, 50 } },
	  0 },
	{ "install-fails-lossy",
	  "so it does on a bad link",
	  install_fails,
	  &both,
	  { .loss = 20, .dup = 10, .delay_ms = { 1, 200 } },
	  0 },
	{ "install-fails-once",
	  "one fails and nobody tries again: nothing is half installed",
	  install_fails_once_and_for_all,
	  &manual,
	  { .delay_ms = { 1, 50 } },
	  0 },
	{ "killed",
	  "either end is killed at any moment",
	  killed_and_started,
	  &both,
	  { .delay_ms = { 1, 100 } },
	  0 },
	{ "killed-lossy",
	  "so it is on a bad link",
	  killed_and_started,
	  &both,
	  { .loss = 20, .dup = 10, .delay_ms = { 1, 200 } },
	  0 },
	{ "initial-contact",
	  "a peer that was killed is forgotten when it comes back",
	  old_sa_is_forgotten,
	  &psk,
	  { .delay_ms = { 1, 100 } },
	  0 },
	{ "no-memory",
	  "each allocation fails in turn",
	  no_memory,
	  &both,
	  { .delay_ms = { 1, 100 } },
	  0 },
	{ "both-killed", "both are", both_killed, &both, { .delay_ms = { 1, 100 } }, 0 },
	{ "stopped",
	  "either end is stopped",
	  stopped_and_started,
	  &both,
	  { .loss = 10, .delay_ms = { 1, 100 } },
	  0 },
	{ "plane-dies",
	  "the data plane's process dies at any moment",
	  plane_dies,
	  &both,
	  { .loss = 10, .delay_ms = { 1, 100 } },
	  0 },
	{ "expired", "the hard limit of an SA", expired, &both, { .delay_ms = { 1, 100 } }, 0 },
	{ 0 },
};
