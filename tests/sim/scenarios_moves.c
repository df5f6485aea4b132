/* SPDX-License-Identifier: Apache-2.0 */
/* NATs that give a peer another place (RFC 7296 2.23), and those who would like us to think so. All
 * without MOBIKE, which has other ways (scenarios_mobike.c). */
#include "ike/header.h"
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

#define LEFT_ANYWHERE ME("right.example.org") PEER("any", "left.example.org")

static const struct sim_conf behind_nat = { { LEFT_SITE(CERT ALWAYS LIVELY FIXED),
					      LEFT_ANYWHERE CERT LIVELY FIXED RIGHT_NET "}\n" } };
static const struct sim_conf two_nats = SITE(CERT ALWAYS LIVELY FIXED, CERT MANUAL LIVELY FIXED);

static void begin(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_run_s(s, 40); /* early keys (ike/rekey.h) would show where the peer is */
	sim_run_ms(s, sim_draw(s, 0, 40000));
	sim_expect(s, "site", 1);
}

static void moved_to(struct sim *s, size_t times)
{
	sim_must(s, sim_notes(s, RIGHT, IKE_NOTE_MOVED) == times, "moved %zu times, not %zu",
		 sim_notes(s, RIGHT, IKE_NOTE_MOVED), times);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "it was made anew");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_MOVED) == 0, "left thinks that right moved");
	sim_points(s, RIGHT);
}

/* What all of these stand on: each port of ours has one of its own, and another one once the NAT
 * has forgotten it. */
static void ports_of_a_nat(struct sim *s)
{
	enum { TIMES = 100 };
	struct endpoint src[SIM_MAPPINGS];
	uint16_t last = 0;

	for (int n = 0; n < TIMES; n++) {
		sim_rebind(s, LEFT, false);
		for (uint16_t i = 0; i < SIM_MAPPINGS; i++) {
			src[i] = (struct endpoint){ .port = i };
			sim_must(s, net_source(&s->end[LEFT], &src[i]), "no port is left");
			for (uint16_t k = 0; k < i; k++)
				sim_must(s, src[k].port != src[i].port, "one is two ports'");
		}
		sim_must(s, src[0].port != last, "it forgets nothing");
		last = src[0].port;
	}
}

/* ESP tells where the peer is now, soon enough for nobody to notice. */
static void rebinds(struct sim *s)
{
	begin(s);
	sim_rebind(s, LEFT, sim_draw(s, 0, 1));
	sim_traffic(s, LEFT);
	sim_run_ms(s, 500);
	moved_to(s, 1);
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	moved_to(s, 1);
}

/* Nothing but IKE tells it: the peer's own request. */
static void rebinds_idle(struct sim *s)
{
	begin(s);
	sim_rebind(s, LEFT, sim_draw(s, 0, 1));
	sim_run_s(s, 30);
	moved_to(s, 1);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

/* A half that cannot follow is of no use: both go, and a new child comes. */
static void move_fails(struct sim *s)
{
	begin(s);
	sim_fail_move(s, sim_draw(s, 1, 2));
	sim_rebind(s, LEFT, sim_draw(s, 0, 1));
	sim_traffic(s, LEFT);
	sim_run_s(s, 20);
	sim_must(s, sim_notes(s, RIGHT, IKE_NOTE_CHILD_FAILED) == 1, "nobody is told");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_points(s, RIGHT);
}

/* On a bad link, over and over. */
static void rebinds_often(struct sim *s)
{
	begin(s);
	for (int i = 0; i < 10; i++) {
		sim_rebind(s, LEFT, sim_draw(s, 0, 1));
		for (int k = 0; k < 40; k++) {
			sim_traffic(s, LEFT);
			sim_run_ms(s, sim_draw(s, 0, 1000));
		}
	}
	sim_run_s(s, 120);
	sim_run_until_quiet(s);
	sim_must(s, sim_pairs(s, "site", "net") == 1, "it is not up");
	sim_must(s, sim_notes(s, RIGHT, IKE_NOTE_MOVED) > 0, "it never moved");
}

/* Somebody sends what he recorded from wherever he likes: a bounded number of questions go there,
 * and nothing moves. */
static void forged(struct sim *s)
{
	uint64_t before;

	begin(s);
	before = s->end[RIGHT].n_lost;
	for (int i = 0; i < 600; i++) {
		struct endpoint from = { .addr = s->end[LEFT].public,
					 .port = (uint16_t)sim_draw(s, 1, 19999) };

		from.addr.b[2] = (uint8_t)sim_draw(s, 0, 255);
		sim_mapping(s, RIGHT, &from);
		sim_run_ms(s, sim_draw(s, 50, 150));
	}
	moved_to(s, 0);
	before = s->end[RIGHT].n_lost - before;
	sim_must(s, before > 0 && before <= 60, "%u datagrams went to nobody", (unsigned)before);
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	moved_to(s, 0);
}

/* Our own address, and those that no peer can have. */
static void impossible(struct sim *s)
{
	static const char *const places[] = { "127.0.0.1", "0.0.0.0",	      "224.0.0.5",
					      "240.0.0.1", "255.255.255.255", NULL };
	uint64_t lost;

	begin(s);
	lost = s->end[RIGHT].n_lost;
	for (int i = 0; i < 60; i++) {
		const char *place = places[i % 6];
		struct endpoint from = { .addr = s->end[RIGHT].addr, .port = 4500 };

		sim_must(s, !place || addr_parse(place, &from.addr), "%s is no address", place);
		sim_mapping(s, RIGHT, &from);
		sim_run_ms(s, sim_draw(s, 100, 2000));
	}
	moved_to(s, 0);
	sim_must(s, s->end[RIGHT].n_lost == lost, "somebody is asked where no peer can be");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

/* It answered from there, and then nobody does: three datagrams more, and all goes where it went
 * before. LEFT says where it is in the end. */
static void answers_once(struct sim *s)
{
	struct end *right = &s->end[RIGHT];
	struct endpoint there;
	uint64_t lost;

	begin(s);
	sim_rebind(s, LEFT, true);
	sim_traffic(s, LEFT);
	sim_run_ms(s, 500);
	moved_to(s, 1);
	if (sim_failed(s))
		return;
	there = right->sas[0].path.remote;
	sim_rebind(s, LEFT, true);
	lost = right->n_lost;
	sim_run_ms(s, 8500);
	sim_must(s, sim_notes(s, RIGHT, IKE_NOTE_MOVED) == 2, "it does not go back");
	lost = right->n_lost - lost;
	sim_must(s, lost >= 3 && lost <= 5, "%u datagrams went to nobody", (unsigned)lost);
	for (size_t i = 0; i < right->n_sas; i++)
		sim_must(s, !addr_eq(&right->sas[i].path.remote.addr, &there.addr),
			 "an SA still points there");
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_points(s, RIGHT);
}

/* Every answer of LEFT's seems to come from somebody who shall get its traffic, but sees none of
 * what is sent to him. */
static bool answers_from_elsewhere(struct sim *s, struct sim_packet *p, void *ctx)
{
	struct rd r = rd_from(span_of(p->bytes, p->len));
	struct ike_header h;

	(void)ctx;
	(void)s;
	if (p->ev.side == RIGHT && header_decode(rd_rest(&r), &h) == OK && header_is_response(&h))
		p->path.remote.port = 777;
	return true;
}

static void spoofed(struct sim *s)
{
	struct endpoint victim = { .addr = s->end[LEFT].public, .port = 777 };

	begin(s);
	sim_set_middle(s, answers_from_elsewhere, NULL);
	for (int i = 0; i < 200; i++) {
		sim_mapping(s, RIGHT, &victim);
		sim_run_ms(s, sim_draw(s, 0, 1000));
	}
	moved_to(s, 0);
	sim_set_middle(s, NULL, NULL);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

/* Behind a NAT of our own one packet of an attacker would be enough: never. */
static void never_behind_nat(struct sim *s)
{
	begin(s);
	for (int i = 0; i < 50; i++) {
		struct endpoint from = { .addr = s->end[LEFT].public,
					 .port = (uint16_t)sim_draw(s, 20000, 60000) };

		sim_mapping(s, RIGHT, &from);
		from.addr = s->end[RIGHT].public;
		sim_mapping(s, LEFT, &from);
		sim_run_ms(s, sim_draw(s, 0, 1000));
	}
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_MOVED) == 0, "left moves its peer");
	sim_must(s, sim_notes(s, RIGHT, IKE_NOTE_MOVED) == 0, "right moves its peer");
	sim_must(s, s->end[RIGHT].n_lost == 0, "right asks where nobody is");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

/* Recorded messages, sent again from elsewhere, for half an hour. */
static void replayed(struct sim *s)
{
	begin(s);
	sim_run_s(s, 1800);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	moved_to(s, 0);
}

/* There is room for the wish of each soft limit; nothing happens yet. */
static void soft_limit(struct sim *s)
{
	enum side side = sim_side(s);

	begin(s);
	sim_expire_soft(s, side);
	sim_run_s(s, 30);
	sim_must(s, sim_notes(s, side, IKE_NOTE_CHILD_LIMIT) == 1, "nobody is told");
	sim_must(s, sim_notes(s, side, IKE_NOTE_CHILD_DOWN) == 0, "the child goes");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

#define GOOD .delay_ms = { 1, 50 }

const struct sim_scenario scenarios_moves[] = {
	{ "nat-ports",
	  "a NAT gives no port twice, and other ones once it has forgotten",
	  ports_of_a_nat,
	  &behind_nat,
	  { GOOD, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "nat-rebinds",
	  "ESP shows where the peer's NAT has moved it",
	  rebinds,
	  &behind_nat,
	  { GOOD, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "nat-rebinds-idle",
	  "so does IKE",
	  rebinds_idle,
	  &behind_nat,
	  { GOOD, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "nat-rebinds-often",
	  "over and over on a bad link",
	  rebinds_often,
	  &behind_nat,
	  { .loss = 10, .dup = 10, .delay_ms = { 1, 200 }, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "nat-move-fails",
	  "an SA that cannot follow gives way to a new one",
	  move_fails,
	  &behind_nat,
	  { GOOD, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "nat-forged",
	  "packets that seem to come from elsewhere move nothing",
	  forged,
	  &behind_nat,
	  { GOOD, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "nat-impossible",
	  "nor do those from where no peer can be",
	  impossible,
	  &behind_nat,
	  { GOOD, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "nat-answers-once",
	  "a peer that is not where it seemed to be is left there",
	  answers_once,
	  &behind_nat,
	  { GOOD, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "nat-spoofed",
	  "answers that seem to come from elsewhere move nothing",
	  spoofed,
	  &behind_nat,
	  { GOOD, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "nat-replayed",
	  "messages that are sent again from elsewhere move nothing",
	  replayed,
	  &behind_nat,
	  { GOOD, .replay = 60, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "nat-both-never",
	  "who is behind a NAT never moves its peer",
	  never_behind_nat,
	  &two_nats,
	  { GOOD, .nat = { NAT_MAPPED, NAT_FORWARDED } },
	  0 },
	{ "soft-limit", "a soft limit is told and counted", soft_limit, &two_nats, { GOOD }, 0 },
	{ 0 },
};
