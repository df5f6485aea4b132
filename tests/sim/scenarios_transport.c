/* SPDX-License-Identifier: Apache-2.0 */
/* Transport mode (RFC 7296 1.3.1, 2.23.1): who wants it, who gets it, and what NATs make of it. */
#include <string.h>

#include "tests/sim/confs.h"
#include "tests/sim/world.h"

#define HOSTS(local, remote, mode) \
	" child net {\n  local = " local "\n  remote = " remote "\n  mode = " mode "\n }\n}\n"
#define LEFT_HOSTS(start, local, mode)	LEFT_BEGIN CERT start HOSTS(local, "198.51.100.2", mode)
#define RIGHT_HOSTS(start, local, mode) RIGHT_BEGIN CERT start HOSTS(local, "192.0.2.1", mode)
#define PUBLIC_LEFT			"192.0.2.1"
#define PUBLIC_RIGHT			"198.51.100.2"

static const struct sim_conf both = { { LEFT_HOSTS(MANUAL, PUBLIC_LEFT, "transport"),
					RIGHT_HOSTS(MANUAL, PUBLIC_RIGHT, "transport") } };

/* What each end says of the mode, and what comes of it when the first one begins. */
static const struct {
	const char *text[2]; /* LEFT as the one who begins, RIGHT */
	bool up;
	enum sa_mode mode;
} modes[] = {
#define MODES(l, r)                                                                      \
	{                                                                                \
		LEFT_HOSTS(MANUAL, PUBLIC_LEFT, l), RIGHT_HOSTS(MANUAL, PUBLIC_RIGHT, r) \
	}
	{ MODES("transport", "transport"), true, SA_TRANSPORT },
	{ MODES("transport", "prefer-transport"), true, SA_TRANSPORT },
	{ MODES("prefer-transport", "transport"), true, SA_TRANSPORT },
	{ MODES("prefer-transport", "prefer-transport"), true, SA_TRANSPORT },
	{ MODES("prefer-transport", "tunnel"), true, SA_TUNNEL },
	{ MODES("tunnel", "prefer-transport"), true, SA_TUNNEL },
	{ MODES("tunnel", "tunnel"), true, SA_TUNNEL },
	{ MODES("transport", "tunnel"), false, SA_TUNNEL },
	{ MODES("tunnel", "transport"), false, SA_TUNNEL },
};
enum { N_MODES = sizeof(modes) / sizeof(modes[0]) };

static void expect_mode(struct sim *s, enum sa_mode mode)
{
	for (enum side side = LEFT; side <= RIGHT; side++) {
		for (size_t i = 0; i < s->end[side].n_sas; i++)
			sim_must(s, s->end[side].sas[i].mode == mode, "an SA is of the other mode");
	}
}

static void either_begins(struct sim *s)
{
	sim_up(s, sim_side(s), "site");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	expect_mode(s, SA_TRANSPORT);
}

static void all_modes(struct sim *s)
{
	for (size_t i = 0; i < N_MODES && !sim_failed(s); i++) {
		sim_reload(s, LEFT, modes[i].text[LEFT]);
		sim_reload(s, RIGHT, modes[i].text[RIGHT]);
		sim_run_until_quiet(s);
		sim_up(s, LEFT, "site");
		sim_run_s(s, 5);
		if (modes[i].up)
			sim_expect(s, "site", 1);
		else
			sim_must(s, s->end[LEFT].n_sas + s->end[RIGHT].n_sas == 0,
				 "a mode that one end does not want is up");
		expect_mode(s, modes[i].mode);
		sim_down(s, LEFT, "site");
		sim_run_until_quiet(s);
	}
}

/* ---- NATs ---- */

static const struct sim_conf left_inside = { { LEFT_HOSTS(ALWAYS, "10.0.0.2", "transport"),
					       RIGHT_HOSTS(MANUAL, PUBLIC_RIGHT,
							   "prefer-transport") } };
static const struct sim_conf right_inside = { { LEFT_HOSTS(ALWAYS, PUBLIC_LEFT, "prefer-transport"),
						RIGHT_HOSTS(MANUAL, "10.99.0.2", "transport") } };
static const struct sim_conf both_inside = { { LEFT_HOSTS(ALWAYS, "10.0.0.2", "transport"),
					       RIGHT_HOSTS(MANUAL, "10.99.0.2", "transport") } };

/* What an end is told of the addresses that the other one has in its packets. */
static void look_at_addresses(struct sim *s, enum side side)
{
	const struct end *end = &s->end[side], *peer = &s->end[1 - side];
	bool nat_here = s->net.nat[side] != NAT_NONE, nat_there = s->net.nat[1 - side] != NAT_NONE;

	for (size_t i = 0; i < end->n_sas; i++) {
		const struct sa_desc *sa = &end->sas[i];

		sim_must(s, addr_eq(&sa->local.v[0].lo, &end->addr), "it is not our address");
		sim_must(s, addr_eq(&sa->remote.v[0].lo, &peer->public), "it is not the peer's");
		sim_must(s, (sa->nat_local.family != AF_UNSPEC) == nat_here, "nat_local");
		sim_must(s, (sa->nat_remote.family != AF_UNSPEC) == nat_there, "nat_remote");
		sim_must(s, !nat_here || addr_eq(&sa->nat_local, &end->public),
			 "the peer sends to another address");
		sim_must(s, !nat_there || addr_eq(&sa->nat_remote, &peer->addr),
			 "the peer sends from another address");
	}
}

static void behind_nat(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	expect_mode(s, SA_TRANSPORT);
	look_at_addresses(s, LEFT);
	look_at_addresses(s, RIGHT);
	/* It holds, and ends, like a tunnel. */
	sim_run_s(s, 120);
	sim_expire(s, sim_side(s));
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	look_at_addresses(s, RIGHT);
}

/* Another port of the same NAT is followed. */
static void nat_rebinds(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_rebind(s, LEFT, false);
	sim_traffic(s, LEFT);
	sim_run_s(s, 2);
	sim_must(s, sim_notes(s, RIGHT, IKE_NOTE_MOVED) == 1, "it is not followed");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_UP) == 1, "the child is made anew");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	look_at_addresses(s, RIGHT);
}

/* ---- packets ask ---- */

static const struct sim_conf by_traffic = {
	{ LEFT_HOSTS(" start = traffic\n", PUBLIC_LEFT, "transport"),
	  RIGHT_HOSTS(" start = traffic\n", PUBLIC_RIGHT, "transport") }
};

static void packets(struct sim *s)
{
	for (int i = 0; i < 5; i++) {
		sim_acquire(s, sim_side(s));
		sim_run_ms(s, sim_draw(s, 0, 60));
	}
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	expect_mode(s, SA_TRANSPORT);
	sim_must(s, sim_larvae(s, LEFT) + sim_larvae(s, RIGHT) == 0, "a packet is still held");
}

#define GOOD .delay_ms = { 1, 100 }
#define BAD  .loss = 20, .dup = 10, .delay_ms = { 1, 200 }

const struct sim_scenario scenarios_transport[] = {
	{ "transport", "transport mode, whoever begins", either_begins, &both, { GOOD }, 0 },
	{ "transport-modes",
	  "every pair of wishes has its outcome",
	  all_modes,
	  &both,
	  { GOOD },
	  0 },
	{ "transport-nat-left",
	  "the one who begins is behind a NAT",
	  behind_nat,
	  &left_inside,
	  { GOOD, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "transport-nat-right",
	  "the other one is",
	  behind_nat,
	  &right_inside,
	  { GOOD, .nat = { NAT_NONE, NAT_FORWARDED } },
	  0 },
	{ "transport-nat-both",
	  "both are, on a bad link",
	  behind_nat,
	  &both_inside,
	  { BAD, .nat = { NAT_MAPPED, NAT_FORWARDED } },
	  0 },
	{ "transport-nat-rebinds",
	  "the NAT takes another port",
	  nat_rebinds,
	  &left_inside,
	  { GOOD, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "transport-traffic", "the first packet makes it", packets, &by_traffic, { GOOD }, 0 },
	{ 0 },
};
