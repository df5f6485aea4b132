/* SPDX-License-Identifier: Apache-2.0 */
/* The process of userspace ESP is killed at any moment, and another one goes on with its SAs. What
 * it was asked for is lost or was done and not answered; what it is asked while it is away is lost,
 * too. Packets wait meanwhile, and none is lost.
 */
#include <stdlib.h>

#include "tests/sim/confs.h"
#include "tests/sim/world.h"

static const struct sim_conf manual = SITE(CERT MANUAL, CERT MANUAL);
static const struct sim_conf always = SITE(CERT ALWAYS, CERT ALWAYS);
static const struct sim_conf three = THREE(PSK ALWAYS, PSK MANUAL);

static const struct sim_conf behind_nat = {
	{ LEFT_SITE(CERT ALWAYS LIVELY),
	  ME("right.example.org") PEER("any", "left.example.org") CERT LIVELY RIGHT_NET "}\n" }
};

struct comeback {
	struct sim_event ev;
};

static void comeback_drop(struct sim_event *ev)
{
	free(container_of(ev, struct comeback, ev));
}

static void come_back(struct sim *s, struct sim_event *ev)
{
	struct plane_event pe = { .kind = PLANE_BACK };
	struct ike_event event = { .kind = IKE_EV_PLANE, .plane = &pe };
	struct end *end = &s->end[ev->side];

	trace_line(s, ev->side, "plane: is back");
	end->plane_is_back = 0;
	plane_unclaim(end);
	end_event(end, &event);
	comeback_drop(ev);
}

static void plane_returns(struct sim *s, enum side side, uint32_t away_ms)
{
	struct end *end = &s->end[side];
	struct comeback *c;

	/* The kernel's has no process of ours. */
	if (s->failed || plane_caps_esp(&end->kernel) || end->plane_is_back > 0)
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	trace_line(s, side, "plane: is killed");
	end->plane_returns++;
	end->plane_is_back = s->now + away_ms * NS_PER_MS;
	c->ev = (struct sim_event){ .side = side,
				    .happen = come_back,
				    .drop = comeback_drop,
				    .of_planes = true };
	sim_later(s, &c->ev, end->plane_is_back);
}

static void begin(struct sim *s)
{
	sim_up(s, sim_side(s), "site");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

static void goes_on(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must_have_carried(s);
	for (enum side side = LEFT; side <= RIGHT; side++) {
		sim_must(s, sim_notes(s, side, IKE_NOTE_DOWN) == 0, "the IKE SA was lost");
		sim_must(s, sim_notes(s, side, IKE_NOTE_CHILD_DOWN) == 0, "the child was lost");
		sim_must(s, sim_notes(s, side, IKE_NOTE_CHILD_FAILED) == 0, "a child failed");
		sim_must(s, sim_notes(s, side, IKE_NOTE_UP) == 1, "another IKE SA was made");
	}
}

/* Some time after what has just begun. */
static void kill_sometime(struct sim *s, uint32_t most_ms)
{
	if (sim_draw(s, 0, 3))
		sim_packets(s, sim_draw(s, 0, most_ms));
	plane_returns(s, sim_side(s), sim_draw(s, 1, 800));
	if (sim_draw(s, 0, 1))
		plane_returns(s, sim_side(s), sim_draw(s, 1, 800));
}

static void idle(struct sim *s)
{
	begin(s);
	kill_sometime(s, 3000);
	sim_packets(s, 20000);
	goes_on(s);
}

static void rekey(struct sim *s)
{
	begin(s);
	sim_rekey(s, LEFT);
	kill_sometime(s, 400);
	sim_packets(s, 30000);
	goes_on(s);
}

static void rekey_both(struct sim *s)
{
	begin(s);
	sim_rekey(s, LEFT);
	sim_packets(s, sim_draw(s, 0, 100));
	sim_rekey(s, RIGHT);
	kill_sometime(s, 400);
	sim_packets(s, 30000);
	goes_on(s);
}

static void rekey_ike(struct sim *s)
{
	begin(s);
	sim_rekey_ike(s, LEFT);
	kill_sometime(s, 400);
	sim_packets(s, 30000);
	goes_on(s);
}

/* Whatever comes of the first try. */
static void handshake(struct sim *s)
{
	sim_run_ms(s, sim_draw(s, 0, 500));
	plane_returns(s, sim_side(s), sim_draw(s, 1, 800));
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

static void three_children(struct sim *s)
{
	sim_run_ms(s, sim_draw(s, 0, 800));
	plane_returns(s, sim_side(s), sim_draw(s, 1, 800));
	sim_run_s(s, 60);
	sim_expect_three(s);
}

static void down(struct sim *s)
{
	enum side side = sim_side(s);

	begin(s);
	plane_returns(s, sim_side(s), sim_draw(s, 1, 800));
	sim_run_ms(s, sim_draw(s, 0, 1000));
	sim_down(s, side, "site");
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 0);
}

static void roams(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	plane_returns(s, sim_side(s), sim_draw(s, 1, 800));
	sim_run_ms(s, sim_draw(s, 0, 400));
	sim_move(s, LEFT);
	sim_run_ms(s, sim_draw(s, 0, 400));
	plane_returns(s, sim_side(s), sim_draw(s, 1, 800));
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_DOWN) == 0, "the IKE SA was lost");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_DOWN) == 0, "the child was lost");
	sim_points(s, LEFT);
	sim_points(s, RIGHT);
}

/* Engines and planes, again and again, whatever is going on. */
static void often(struct sim *s)
{
	begin(s);
	for (int i = 0; i < 40; i++) {
		if (sim_draw(s, 0, 1))
			sim_kill(s, sim_side(s), sim_draw(s, 0, 30), sim_draw(s, 1, 2000));
		plane_returns(s, sim_side(s), sim_draw(s, 1, 1500));
		switch (sim_draw(s, 0, 3)) {
		case 0:
			sim_rekey(s, sim_side(s));
			break;
		case 1:
			sim_rekey_ike(s, sim_side(s));
			break;
		default:
			break;
		}
		sim_packets(s, sim_draw(s, 0, 4000));
	}
	sim_kill(s, LEFT, 0, 1);
	sim_kill(s, RIGHT, 0, 1);
	sim_packets(s, 60000);
	goes_on(s);
}

#define LINK DELAYS(10, 80)
#define BEHIND_NAT                                                      \
	{                                                               \
		.delay_ms = { 10, 80 }, .nat = { NAT_MAPPED, NAT_NONE } \
	}

const struct sim_scenario scenarios_return[] = {
	{ "return-idle", "esp is killed, and nothing is under way", idle, &manual, LINK, 0 },
	{ "return-handshake", "... in a handshake", handshake, &always, LINK, 0 },
	{ "return-three", "... with three children", three_children, &three, LINK, 0 },
	{ "return-rekey", "... with new keys of a child", rekey, &manual, LINK, 0 },
	{ "return-rekey-lossy", "... over a bad link", rekey, &manual, LOSSY, 0 },
	{ "return-rekey-both", "... from both ends", rekey_both, &manual, LINK, 0 },
	{ "return-rekey-ike", "... with another IKE SA", rekey_ike, &manual, LINK, 0 },
	{ "return-down", "... and `down`", down, &manual, LINK, 0 },
	{ "return-roams", "... and another address", roams, &behind_nat, LINK, 0 },
	{ "return-often", "... and engines, again and again", often, &manual, LINK, 0 },
	{ 0 },
};
