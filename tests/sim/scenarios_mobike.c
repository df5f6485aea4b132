/* SPDX-License-Identifier: Apache-2.0 */
/* MOBIKE (RFC 4555): addresses change, and one IKE SA and its children go along. */
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

#define FROM_ANYWHERE ME("right.example.org") PEER("any", "left.example.org")

static const struct sim_conf roams = { { LEFT_SITE(CERT ALWAYS LIVELY),
					 FROM_ANYWHERE CERT LIVELY RIGHT_NET "}\n" } };
static const struct sim_conf roams_checked = {
	{ LEFT_SITE(CERT ALWAYS LIVELY " mobike_check = before\n"),
	  FROM_ANYWHERE CERT LIVELY " mobike_check = before\n" RIGHT_NET "}\n" }
};

static void begin(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_run_ms(s, sim_draw(s, 0, 40000));
}

/* Nothing was made anew, and each end knows where the other one is. */
static void same_tunnel(struct sim *s)
{
	sim_run_s(s, 40);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "it was made anew");
	sim_points(s, LEFT);
	sim_points(s, RIGHT);
}

static void once(struct sim *s)
{
	begin(s);
	sim_move(s, LEFT);
	sim_traffic(s, LEFT);
	sim_run_ms(s, 500);
	sim_points(s, RIGHT);
	same_tunnel(s);
	sim_must(s, sim_notes(s, RIGHT, IKE_NOTE_MOVED) == 1, "it moved more than once");
}

/* Sooner than the last move is known to the peer, too. */
static void again_and_again(struct sim *s)
{
	uint32_t n = sim_draw(s, 2, 12);

	begin(s);
	for (uint32_t i = 0; i < n; i++) {
		sim_move(s, LEFT);
		sim_run_ms(s, sim_draw(s, 0, 400));
	}
	same_tunnel(s);
}

/* A NAT forgets, which is seen when the peer is asked whether it lives. */
static void forgotten(struct sim *s)
{
	begin(s);
	sim_rebind(s, LEFT, sim_draw(s, 0, 1));
	sim_run_s(s, 60);
	same_tunnel(s);
}

/* Keys change while the address does. */
static void with_new_keys(struct sim *s)
{
	begin(s);
	sim_rekey(s, sim_side(s));
	sim_run_ms(s, sim_draw(s, 0, 60));
	sim_move(s, LEFT);
	same_tunnel(s);
}

static void with_another_ike_sa(struct sim *s)
{
	begin(s);
	sim_rekey_ike(s, sim_side(s));
	sim_run_ms(s, sim_draw(s, 0, 60));
	sim_move(s, LEFT);
	sim_run_ms(s, sim_draw(s, 0, 3000));
	sim_move(s, LEFT);
	same_tunnel(s);
}

#define GOOD DELAYS(1, 50)

const struct sim_scenario scenarios_mobike[] = {
	{ "mobike", "an address that changes takes the tunnel along", once, &roams, GOOD, 0 },
	{ "mobike-checked", "and so it does when the place is checked first", once, &roams_checked,
	  DELAYS(1, 40), 0 },
	{ "mobike-often", "the last of many counts", again_and_again, &roams, GOOD, 0 },
	{ "mobike-often-lossy", "on a bad link, too", again_and_again, &roams, ROUGH, 0 },
	{ "mobike-often-checked", "and when each is checked first", again_and_again, &roams_checked,
	  ROUGH, 0 },
	{ "mobike-nat",
	  "behind a NAT",
	  again_and_again,
	  &roams,
	  { .delay_ms = { 1, 50 }, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "mobike-nat-forgets",
	  "a NAT that forgets is noticed",
	  forgotten,
	  &roams,
	  { .delay_ms = { 1, 50 }, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "mobike-rekey", "new keys of a child at the same time", with_new_keys, &roams, GOOD, 0 },
	{ "mobike-rekey-ike", "another IKE SA at the same time", with_another_ike_sa, &roams, GOOD,
	  0 },
	{ 0 },
};
