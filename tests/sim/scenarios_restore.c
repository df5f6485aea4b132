/* SPDX-License-Identifier: Apache-2.0 */
/* An engine is killed before any one of its actions, and another one goes on with what it had
 * written down. Packets go all the while through planes that stay as they are, and none is lost.
 */
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

#define SLOW " policy = { aes256gcm16 prfsha384 modp4096 }\n"

static const struct sim_conf manual = SITE(CERT MANUAL, CERT MANUAL);
static const struct sim_conf always = SITE(CERT ALWAYS, CERT ALWAYS);
static const struct sim_conf left_always = SITE(CERT ALWAYS, CERT MANUAL);
static const struct sim_conf slow = SITE(PSK MANUAL SLOW, PSK MANUAL SLOW);
static const struct sim_conf three = THREE(PSK ALWAYS, PSK MANUAL);

static const struct sim_conf behind_nat = {
	{ LEFT_SITE(CERT ALWAYS LIVELY),
	  ME("right.example.org") PEER("any", "left.example.org") CERT LIVELY RIGHT_NET "}\n" }
};

static void begin(struct sim *s)
{
	sim_up(s, sim_side(s), "site");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

/* Everything goes on as it was. */
static void goes_on(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must_have_carried(s);
	for (enum side side = LEFT; side <= RIGHT; side++) {
		sim_must(s, sim_notes(s, side, IKE_NOTE_DOWN) == 0, "the IKE SA was lost");
		sim_must(s, sim_notes(s, side, IKE_NOTE_CHILD_DOWN) == 0, "the child was lost");
		sim_must(s, sim_notes(s, side, IKE_NOTE_UP) == 1, "another IKE SA was made");
	}
}

/* Before the nth action of what comes now, each n in turn, and either end. */
static void kill_somewhere(struct sim *s, uint32_t most, uint32_t away)
{
	uint32_t nth = 1 + (uint32_t)(sim_seed(s) / 2 % most);

	sim_kill(s, sim_seed(s) % 2 ? LEFT : RIGHT, nth, sim_draw(s, 1, away));
}

/* Nothing is under way. */
static void idle(struct sim *s)
{
	begin(s);
	sim_kill(s, sim_side(s), 0, sim_draw(s, 0, 3000));
	sim_packets(s, 20000);
	goes_on(s);
}

/* It is away when nothing else has anything to do any more. */
static void late(struct sim *s)
{
	begin(s);
	sim_packets(s, 1000);
	sim_kill(s, sim_side(s), 0, sim_draw(s, 12000, 20000));
	goes_on(s);
}

static void handshake(struct sim *s)
{
	kill_somewhere(s, 60, 3000);
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

static void three_children(struct sim *s)
{
	kill_somewhere(s, 120, 3000);
	sim_run_s(s, 60);
	sim_expect_three(s);
}

static void rekey(struct sim *s)
{
	begin(s);
	kill_somewhere(s, 50, 3000);
	sim_rekey(s, LEFT);
	sim_packets(s, 30000);
	goes_on(s);
}

static void rekey_both(struct sim *s)
{
	begin(s);
	kill_somewhere(s, 70, 3000);
	sim_rekey(s, LEFT);
	sim_packets(s, sim_draw(s, 0, 100));
	sim_rekey(s, RIGHT);
	sim_packets(s, 30000);
	goes_on(s);
}

static void rekey_ike(struct sim *s)
{
	begin(s);
	kill_somewhere(s, 50, 3000);
	sim_rekey_ike(s, LEFT);
	sim_packets(s, 30000);
	goes_on(s);
}

static void rekey_ike_both(struct sim *s)
{
	begin(s);
	kill_somewhere(s, 70, 3000);
	sim_rekey_ike(s, LEFT);
	sim_packets(s, sim_draw(s, 0, 100));
	sim_rekey_ike(s, RIGHT);
	sim_packets(s, 60000);
	goes_on(s);
}

static void rekey_mixed(struct sim *s)
{
	begin(s);
	kill_somewhere(s, 80, 3000);
	sim_rekey_ike(s, sim_side(s));
	sim_packets(s, sim_draw(s, 0, 100));
	sim_rekey(s, sim_side(s));
	sim_packets(s, 60000);
	goes_on(s);
}

/* What was taken down stays down, and what was lifted stays lifted. */
static void down(struct sim *s)
{
	enum side side = sim_side(s);

	begin(s);
	kill_somewhere(s, 20, 3000);
	sim_down(s, side, "site");
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_down(s, side, "site"); /* it may have been killed before it heard */
	sim_run_until_quiet(s);
	sim_expect(s, "site", 0);
}

static void child_down(struct sim *s)
{
	sim_run_until_quiet(s);
	kill_somewhere(s, 20, 3000);
	sim_down_child(s, LEFT, "site", "dmz");
	sim_run_s(s, 60);
	sim_down_child(s, LEFT, "site", "dmz");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 2);
}

/* A NAT gives LEFT another place while RIGHT, who is to follow it, is killed. */
static void moves(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_kill(s, RIGHT, (uint32_t)(sim_seed(s) % 40), sim_draw(s, 1, 3000));
	sim_rebind(s, LEFT, sim_draw(s, 0, 1));
	sim_traffic(s, LEFT);
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "another IKE SA was made");
	sim_points(s, RIGHT);
}

/* Its machine gets another address, and either is killed. */
static void roams(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	kill_somewhere(s, 60, 3000);
	sim_move(s, LEFT);
	sim_run_ms(s, sim_draw(s, 0, 400));
	sim_move(s, LEFT);
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_DOWN) == 0, "the IKE SA was lost");
	sim_points(s, LEFT);
	sim_points(s, RIGHT);
}

/* Both ends prove themselves anew. A peer that has answered IKE_AUTH may already send by the new
 * SAs, which are not forgotten. */
static void reauthenticate(struct sim *s)
{
	begin(s);
	kill_somewhere(s, 90, 3000);
	sim_reauthenticate(s, sim_side(s));
	sim_packets(s, 60000);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must_have_carried(s);
}

static void reauthenticate_both(struct sim *s)
{
	begin(s);
	kill_somewhere(s, 120, 3000);
	sim_reauthenticate(s, LEFT);
	sim_packets(s, sim_draw(s, 0, 100));
	sim_reauthenticate(s, RIGHT);
	sim_packets(s, 60000);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must_have_carried(s);
}

/* Again and again, whatever is going on. */
static void often(struct sim *s)
{
	begin(s);
	for (int i = 0; i < 40; i++) {
		sim_kill(s, sim_side(s), sim_draw(s, 0, 30), sim_draw(s, 1, 2000));
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

/* ---- another configuration ---- */

static const char *const renewed[] = {
	LEFT_SITE(CERT ALWAYS),
	"# the same in other words\n" LEFT_SITE(ALWAYS CERT),
	LEFT_SITE(CERT ALWAYS LIVELY), /* which interrupts nothing */
	LEFT_SITE(CERT ALWAYS " encap = always\n"),
	LEFT_BEGIN CERT ALWAYS CHILD("net", "10.1.0.0/16", "10.2.0.0/24") "}\n",
	LEFT_BEGIN CERT ALWAYS CHILD("web", "10.1.0.0/16", "10.2.0.0/16") "}\n",
};
enum { N_RENEWED = sizeof(renewed) / sizeof(renewed[0]), N_SAME = 3 };

/* The engine dies before one of its actions, of a reload too, or the reload comes while there is
 * none. */
static void cross(struct sim *s, const char *text)
{
	sim_kill(s, LEFT, sim_draw(s, 0, 12), sim_draw(s, 1, 2000));
	sim_run_ms(s, sim_draw(s, 0, 1) ? 0 : sim_draw(s, 0, 100));
	sim_reload(s, LEFT, text);
}

/* A reload and a crash: what is as it was goes on. */
static void reload_same(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_packets(s, 1000);
	cross(s, renewed[sim_seed(s) % N_SAME]);
	sim_packets(s, 20000);
	goes_on(s);
}

/* ... and what is not begins anew, at once: the peer has heard of it. */
static void reload_other(struct sim *s)
{
	uint32_t i = (uint32_t)(N_SAME + sim_seed(s) % (N_RENEWED - N_SAME));
	bool whole = i == N_SAME;

	sim_run_until_quiet(s);
	cross(s, renewed[i]);
	sim_run_s(s, 10);
	sim_expect(s, "site", 1);
	sim_must(s, sim_notes(s, RIGHT, IKE_NOTE_CHILD_DOWN) > 0, "the peer was not told");
	sim_must(s, (sim_notes(s, RIGHT, IKE_NOTE_UP) > 1) == whole,
		 whole ? "the IKE SA is that of the old connection" : "another IKE SA was made");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, i != N_SAME + 1 || s->failed || s->end[LEFT].sas[0].remote.v[0].hi.b[2] == 0,
		 "the selectors are the old ones");
}

/* The connection is taken out. */
static void reload_removed(struct sim *s)
{
	sim_run_until_quiet(s);
	cross(s, ME("left.example.org"));
	sim_run_s(s, 20);
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0, "SAs are left over");
	sim_must(s, sim_ike_sas(s, LEFT) == 0 && sim_ike_sas(s, RIGHT) == 0,
		 "an IKE SA is left over");
}

/* While all that can be under way is. */
static void reload_often(struct sim *s)
{
	begin(s);
	for (int i = 0; i < 12; i++) {
		sim_kill(s, LEFT, sim_draw(s, 0, 40), sim_draw(s, 1, 2000));
		switch (sim_draw(s, 0, 3)) {
		case 0:
			sim_rekey(s, sim_side(s));
			break;
		case 1:
			sim_rekey_ike(s, sim_side(s));
			break;
		case 2:
			sim_reauthenticate(s, sim_side(s));
			break;
		default:
			break;
		}
		sim_run_ms(s, sim_draw(s, 0, 300));
		sim_reload(s, LEFT, renewed[sim_draw(s, 0, N_RENEWED - 1)]);
		sim_run_ms(s, sim_draw(s, 0, 1) ? 0 : sim_draw(s, 0, 4000));
	}
	sim_kill(s, LEFT, 0, 1);
	sim_run_s(s, 1);
	sim_reload(s, LEFT, renewed[0]);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

#define LINK DELAYS(10, 80)
#define BEHIND_NAT                                                      \
	{                                                               \
		.delay_ms = { 10, 80 }, .nat = { NAT_MAPPED, NAT_NONE } \
	}

const struct sim_scenario scenarios_restore[] = {
	{ "restore-idle", "nothing is under way", idle, &manual, LINK, 0 },
	{ "restore-late", "... and it is long away", late, &manual, LINK, 0 },
	{ "restore-handshake", "a handshake begins anew", handshake, &always, LINK, 0 },
	{ "restore-three", "... with three children", three_children, &three, LINK, 0 },
	{ "restore-rekey", "new keys of a child", rekey, &manual, LINK, 0 },
	{ "restore-rekey-slow", "... while workers compute", rekey, &slow, LINK, 0 },
	{ "restore-rekey-lossy", "... over a bad link", rekey, &manual, LOSSY, 0 },
	{ "restore-rekey-both", "... from both ends", rekey_both, &manual, LINK, 0 },
	{ "restore-rekey-ike", "another IKE SA", rekey_ike, &manual, LINK, 0 },
	{ "restore-rekey-ike-slow", "... while workers compute", rekey_ike, &slow, LINK, 0 },
	{ "restore-rekey-ike-lossy", "... over a bad link", rekey_ike, &manual, LOSSY, 0 },
	{ "restore-rekey-ike-both", "... from both ends", rekey_ike_both, &manual, LINK, 0 },
	{ "restore-rekey-mixed", "both in each other's way", rekey_mixed, &manual, LINK, 0 },
	{ "restore-rekey-mixed-slow", "... while workers compute", rekey_mixed, &slow, LINK, 0 },
	{ "restore-down", "`down`", down, &manual, LINK, 0 },
	{ "restore-child-down", "`down` of a child", child_down, &three, LINK, 0 },
	{ "restore-moves", "a peer that its NAT moves", moves, &behind_nat, BEHIND_NAT, 0 },
	{ "restore-roams", "another address", roams, &behind_nat, LINK, 0 },
	{ "restore-reauth", "a new proof", reauthenticate, &manual, LINK, 0 },
	{ "restore-reauth-slow", "... while workers compute", reauthenticate, &slow, LINK, 0 },
	{ "restore-reauth-lossy", "... over a bad link", reauthenticate, &manual, LOSSY, 0 },
	{ "restore-reauth-both", "... from both ends", reauthenticate_both, &manual, LINK, 0 },
	{ "restore-often", "again and again, at either end", often, &manual, LINK, 0 },
	{ "restore-reload-same", "a reload that changes nothing", reload_same, &left_always, LINK,
	  0 },
	{ "restore-reload-other", "... another connection or child", reload_other, &left_always,
	  LINK, 0 },
	{ "restore-reload-removed", "... none any more", reload_removed, &left_always, LINK, 0 },
	{ "restore-reload-often", "... again and again", reload_often, &left_always, LINK, 0 },
	{ 0 },
};
