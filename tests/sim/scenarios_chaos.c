/* SPDX-License-Identifier: Apache-2.0 */
/* Everything at once, in any order; then the world is good again, and so is the tunnel. */
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

static const struct sim_conf always = SITE(CERT ALWAYS LIVELY, CERT ALWAYS LIVELY);
static const struct sim_conf manual = SITE(PSK MANUAL LIVELY, PSK MANUAL LIVELY);
static const struct sim_conf traffic =
	SITE(CERT " start = traffic\n" LIVELY, CERT " start = traffic\n" LIVELY);
static const struct sim_conf groups =
	SITE(PSK ALWAYS LIVELY X25519_FIRST, PSK MANUAL LIVELY ECP256_FIRST);

/* ---- what may happen ---- */

static void some_network(struct sim *s)
{
	sim_set_net(s, (struct sim_net){
			       .loss = sim_draw(s, 0, 4) ? sim_draw(s, 0, 40) : 100,
			       .dup = sim_draw(s, 0, 20),
			       .mutate = sim_draw(s, 0, 10),
			       .reflect = sim_draw(s, 0, 10),
			       .replay = sim_draw(s, 0, 10),
			       .delay_ms = { 1, sim_draw(s, 1, 600) },
		       });
}

static void good_network(struct sim *s)
{
	sim_set_net(s, (struct sim_net){ .delay_ms = { 1, 50 } });
}

static void kill_or_start(struct sim *s, enum side side)
{
	if (!s->end[side].dead)
		sim_crash(s, side);
	else if (s->end[side].back_at == NEVER)
		sim_restart(s, side);
}

static void fail_something(struct sim *s)
{
	switch (sim_draw(s, 0, 2)) {
	case 0:
		sim_fail_job(s, sim_draw(s, 1, 4));
		break;
	case 1:
		sim_lose_job(s, sim_draw(s, 1, 4));
		break;
	case 2:
		sim_fail_install(s, sim_draw(s, 1, 4));
		break;
	}
}

/* One of the things that need an engine. */
static void ask(struct sim *s, enum side side)
{
	switch (sim_draw(s, 0, 8)) {
	case 0:
	case 1:
		sim_up(s, side, "site");
		break;
	case 2:
		sim_down(s, side, "site");
		break;
	case 3:
		sim_acquire(s, side);
		break;
	case 4:
		sim_expire(s, side);
		break;
	case 5:
		sim_unreachable(s, side);
		break;
	case 6:
		sim_plane_dies(s, side);
		break;
	case 7:
		sim_rekey(s, side);
		break;
	case 8:
		sim_rekey_ike(s, side);
		break;
	}
}

static void something(struct sim *s)
{
	enum side side = sim_side(s);

	switch (sim_draw(s, 0, 8)) {
	case 0:
		some_network(s);
		break;
	case 1:
		good_network(s);
		break;
	case 2:
		kill_or_start(s, side);
		break;
	case 3:
		fail_something(s);
		break;
	case 4:
		sim_kill(s, side, sim_draw(s, 0, 30), sim_draw(s, 1, 3000));
		break;
	default:
		if (!s->end[side].dead)
			ask(s, side);
	}
}

static void pause_a_little(struct sim *s)
{
	static const uint32_t longest_ms[] = { 5, 200, 2000, 40000 };

	sim_run_ms(s, sim_draw(s, 0, longest_ms[sim_draw(s, 0, 3)]));
}

/* ---- and then ---- */

static void heal(struct sim *s)
{
	sim_fail_job(s, 0);
	sim_lose_job(s, 0);
	sim_fail_install(s, 0);
	good_network(s);
	for (enum side side = LEFT; side <= RIGHT; side++) {
		sim_kill(s, side, 0, 1);
		if (s->end[side].dead && s->end[side].back_at == NEVER)
			sim_restart(s, side);
	}
	sim_run_ms(s, 5000); /* those that are restored hear what is asked of them from now on */
}

/* An attempt that `down` ends in the middle of IKE_AUTH, when nothing comes through, may leave the
 * peer with an SA of its own, which it finds out by asking. */
enum { LIVENESS_TAKES_S = 60 };

/* Without `always`, `up` may have joined an attempt that was lost already; so it is said again. */
static void come_up(struct sim *s)
{
	bool always_tries = s->end[LEFT].conf->connections[0].start == CONF_START_ALWAYS;

	for (int i = 0; i < (always_tries ? 1 : 3); i++) {
		sim_up(s, LEFT, "site");
		sim_up(s, RIGHT, "site");
		sim_run_s(s, LIVENESS_TAKES_S);
		sim_run_until_quiet(s);
	}
	sim_expect(s, "site", 1);
}

static void chaos(struct sim *s)
{
	for (int i = 0; i < 30 && !s->failed; i++) {
		something(s);
		pause_a_little(s);
	}
	heal(s);
	come_up(s);
	sim_down(s, LEFT, "site");
	sim_down(s, RIGHT, "site");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 0);
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0, "SAs are left over");
}

#define LINK DELAYS(1, 50)

const struct sim_scenario scenarios_chaos[] = {
	{ "chaos", "everything at once: converges when the world is good again", chaos, &always,
	  LINK, 0 },
	{ "chaos-manual", "... by hand, with a pre-shared key", chaos, &manual, LINK, 0 },
	{ "chaos-traffic", "... by traffic", chaos, &traffic, LINK, 0 },
	{ "chaos-groups", "... with another first group", chaos, &groups, LINK, 0 },
	{ "chaos-nat",
	  "... behind NATs",
	  chaos,
	  &always,
	  { .delay_ms = { 1, 50 }, .nat = { NAT_FORWARDED, NAT_FORWARDED } },
	  0 },
	{ 0 },
};
