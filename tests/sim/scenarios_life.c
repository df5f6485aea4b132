/* SPDX-License-Identifier: Apache-2.0 */
/* What people do to a tunnel: down, up, down from both ends at once, another configuration. */
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

static const struct sim_conf manual = SITE(CERT MANUAL LIVELY, CERT MANUAL LIVELY);
static const struct sim_conf always = SITE(CERT ALWAYS LIVELY, CERT ALWAYS LIVELY);

static void begin(struct sim *s)
{
	sim_up(s, LEFT, "site");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

/* A Delete is said for ten seconds. Once in some ten thousand times a bad link loses every one, and
 * the peer finds out by asking. */
static void gone(struct sim *s)
{
	if (s->net.loss > 0)
		sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 0);
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0, "SAs are left over");
}

static void down_from_either(struct sim *s)
{
	begin(s);
	sim_down(s, sim_side(s), "site");
	gone(s);
	sim_up(s, RIGHT, "site"); /* who was told `down` refuses the peer, too */
	begin(s);
}

static void down_from_both(struct sim *s)
{
	begin(s);
	sim_down(s, LEFT, "site");
	sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 200) : 0);
	sim_down(s, RIGHT, "site");
	gone(s);
	sim_up(s, RIGHT, "site");
	begin(s);
}

/* The child alone: with it goes what the connection was for. */
static void child_down(struct sim *s)
{
	begin(s);
	sim_down_child(s, LEFT, "site", "net");
	if (sim_draw(s, 0, 1))
		sim_down_child(s, RIGHT, "site", "net");
	gone(s);
}

static void down_at_any_moment(struct sim *s)
{
	sim_up(s, LEFT, "site");
	sim_run_ms(s, sim_draw(s, 0, 300));
	sim_down(s, sim_side(s), "site");
	sim_run_ms(s, sim_draw(s, 0, 300));
	sim_down(s, LEFT, "site");
	sim_down(s, RIGHT, "site");
	gone(s);
}

/* Whatever was said last counts. */
static void up_and_down(struct sim *s)
{
	for (int i = 0; i < 8; i++) {
		enum side side = sim_side(s);

		if (sim_draw(s, 0, 1))
			sim_up(s, side, "site");
		else
			sim_down(s, side, "site");
		sim_run_ms(s, sim_draw(s, 0, 500));
	}
	sim_down(s, LEFT, "site");
	sim_down(s, RIGHT, "site");
	gone(s);
	sim_up(s, RIGHT, "site");
	begin(s);
}

/* A peer that deletes is taken at its word; `always` begins anew. */
static void deleted_and_up_again(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_down(s, LEFT, "site");
	sim_run_ms(s, sim_draw(s, 0, 500));
	sim_up(s, LEFT, "site");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

/* ---- traffic ---- */

static const struct sim_conf traffic = SITE(CERT " start = traffic\n", CERT " start = traffic\n");

/* Packets come as they like, and the first one makes the tunnel. */
static void packets(struct sim *s)
{
	uint32_t from = sim_draw(s, 0, 2);

	for (int i = 0; i < 5; i++) {
		if (from != 1)
			sim_acquire(s, LEFT);
		sim_run_ms(s, sim_draw(s, 0, 30));
		if (from != 0)
			sim_acquire(s, RIGHT);
		sim_run_ms(s, sim_draw(s, 0, 30));
	}
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

static void by_traffic(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 0);
	packets(s);
	sim_must(s, sim_larvae(s, LEFT) + sim_larvae(s, RIGHT) == 0, "a packet is still held");
	sim_expire(s, sim_side(s));
	sim_run_until_quiet(s);
	packets(s);
}

/* After `down` no packet brings it up, until somebody says `up`. */
static void down_against_traffic(struct sim *s)
{
	packets(s);
	sim_down(s, LEFT, "site");
	for (int i = 0; i < 5; i++) {
		sim_run_ms(s, sim_draw(s, 0, 2000));
		sim_acquire(s, LEFT);
	}
	gone(s);
	begin(s);
}

static const struct sim_conf traffic_mismatch = {
	{ LEFT_SITE(CERT " start = traffic\n"),
	  RIGHT_BEGIN CERT MANUAL CHILD("net", "10.7.0.0/16", "10.1.0.0/16") "}\n" }
};

/* Packets for a child that the peer refuses, or a peer that is not there: each of them may ask, and
 * the attempts stay few. What the kernel holds is let go of, so that the next packet asks again. */
static void packets_in_vain(struct sim *s)
{
	size_t most = 0, left_over = 0;

	for (uint32_t i = 0; i < 600; i++) {
		sim_acquire(s, LEFT);
		sim_run_ms(s, sim_draw(s, 400, 600));
	}
	most = sim_notes(s, LEFT, IKE_NOTE_CONNECTING);
	sim_must(s, most >= 3 && most <= 12, "%zu attempts in five minutes", most);
	sim_run_s(s, 150);
	left_over = sim_larvae(s, LEFT);
	sim_must(s, left_over == 0, "%zu packets are held for ever", left_over);
	sim_acquire(s, LEFT);
	sim_must(s, sim_run_until_note(s, LEFT, IKE_NOTE_CONNECTING, 70), "no packet asks again");
}

static void packets_for_nobody(struct sim *s)
{
	sim_set_net(s, (struct sim_net){ .loss = 100 });
	packets_in_vain(s);
	sim_set_net(s, (struct sim_net){ .loss = 0 });
	sim_run_s(s, 100);
	sim_acquire(s, LEFT);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, sim_larvae(s, LEFT) == 0, "a packet is still held");
}

/* ---- another configuration ---- */

#define OTHER CHILD("net", "10.1.0.0/16", "10.2.0.0/24")

static const char *const unchanged = "# the same in other words\n" LEFT_SITE(ALWAYS CERT LIVELY);
static const char *const changed = LEFT_BEGIN CERT ALWAYS OTHER "}\n";
static const char *const removed = ME(
	"left.example.org") "connection other {\n address = 203.0.113.9\n identity = x.example.org\n" MANUAL
	CERT LEFT_NET "}\n";

static void reload_unchanged(struct sim *s)
{
	size_t ups;

	sim_run_until_quiet(s);
	ups = sim_notes(s, LEFT, IKE_NOTE_UP);
	sim_reload(s, LEFT, unchanged);
	sim_run_s(s, 100);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == ups, "an unchanged connection is made anew");
}

static void reload_changed(struct sim *s)
{
	sim_run_ms(s, sim_draw(s, 0, 2) ? sim_draw(s, 0, 400) : 60000);
	sim_reload(s, LEFT, changed);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, s->failed || s->end[LEFT].sas[0].remote.v[0].hi.b[2] == 0,
		 "the selectors are the old ones");
}

/* RIGHT wants it still, but LEFT has nobody for it. */
static void reload_removed(struct sim *s)
{
	sim_run_ms(s, sim_draw(s, 0, 2) ? sim_draw(s, 0, 400) : 60000);
	sim_reload(s, LEFT, removed);
	sim_run_s(s, 120);
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0, "SAs are left over");
	sim_must(s, sim_ike_sas(s, LEFT) == 0, "an IKE SA is left over");
	sim_reload(s, LEFT, unchanged);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

static void reload_back_and_forth(struct sim *s)
{
	static const char *const *const texts[] = { &unchanged, &changed, &removed };

	for (int i = 0; i < 6; i++) {
		sim_reload(s, LEFT, *texts[sim_draw(s, 0, 2)]);
		sim_run_ms(s, sim_draw(s, 0, 300));
	}
	sim_reload(s, LEFT, unchanged);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

#define GOOD DELAYS(1, 100)

const struct sim_scenario scenarios_life[] = {
	{ "down", "deleted from either end", down_from_either, &manual, GOOD, 0 },
	{ "down-lossy", "deleted from either end of a bad link", down_from_either, &manual, LOSSY,
	  0 },
	{ "down-both", "deleted from both ends at once", down_from_both, &manual, GOOD, 0 },
	{ "down-both-lossy", "deleted from both ends of a bad link", down_from_both, &manual, LOSSY,
	  0 },
	{ "down-child", "the only child is taken down", child_down, &manual, GOOD, 0 },
	{ "down-early", "taken down in the middle of the handshake", down_at_any_moment, &manual,
	  GOOD, 0 },
	{ "up-and-down", "up and down at both ends, as fast as one can type", up_and_down, &manual,
	  GOOD, 0 },
	{ "deleted", "taken down, and up again with `always` at both ends", deleted_and_up_again,
	  &always, GOOD, 0 },
	{ "traffic", "the first packet makes the tunnel, from either end or both", by_traffic,
	  &traffic, GOOD, 0 },
	{ "traffic-lossy", "... of a bad link", packets, &traffic, LOSSY, 0 },
	{ "traffic-down", "after `down` no packet does", down_against_traffic, &traffic, GOOD, 0 },
	{ "traffic-refused", "packets for a child that the peer refuses", packets_in_vain,
	  &traffic_mismatch, GOOD, 0 },
	{ "traffic-silent", "packets for a peer that is not there", packets_for_nobody, &traffic,
	  GOOD, 0 },
	{ "reload-unchanged", "a reload leaves what is unchanged alone", reload_unchanged, &always,
	  GOOD, 0 },
	{ "reload-changed", "a changed connection is made anew", reload_changed, &always, GOOD, 0 },
	{ "reload-removed", "a removed one goes, and comes back", reload_removed, &always, GOOD,
	  0 },
	{ "reload-often", "reloads faster than handshakes", reload_back_and_forth, &always, GOOD,
	  0 },
	{ 0 },
};
