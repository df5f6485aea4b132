/* SPDX-License-Identifier: Apache-2.0 */
/* Bad links: loss, duplication, reordering, NATs, networks that carry only small packets, silence.
 */
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

static const struct sim_conf psk = SITE(PSK MANUAL, PSK MANUAL);
static const struct sim_conf certificates = SITE(CERT MANUAL, CERT MANUAL);
static const struct sim_conf always = SITE(CERT ALWAYS, CERT ALWAYS);
static const struct sim_conf left_always = SITE(CERT ALWAYS, CERT MANUAL);
static const struct sim_conf left_always_psk = SITE(PSK ALWAYS, PSK MANUAL);
static const struct sim_conf small =
	SITE(CERT ALWAYS " fragment_size = 576\n", CERT ALWAYS " fragment_size = 576\n");
static const struct sim_conf one_small = SITE(CERT MANUAL " fragment_size = 576\n", CERT MANUAL);
static const struct sim_conf lively = SITE(CERT ALWAYS LIVELY, CERT MANUAL LIVELY);

/* P5: one attempt has to do, without a second one. */
static void within_one_attempt(struct sim *s)
{
	sim_up(s, LEFT, "site");
	if (!sim_run_until_note(s, LEFT, IKE_NOTE_CHILD_UP, 120) ||
	    sim_notes(s, LEFT, IKE_NOTE_CONNECTING) > 1)
		sim_miss(s);
}

static void up_in_the_end(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

/* Up, and both ends know where the NAT is; then it stays up for an hour without a new handshake. */
static void through_nat(struct sim *s)
{
	size_t ups;

	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	ups = sim_notes(s, LEFT, IKE_NOTE_UP);
	sim_must(s,
		 !ups || sim_note(s, LEFT, IKE_NOTE_UP)->nat_here == (s->net.nat[LEFT] != NAT_NONE),
		 "left is wrong about the NAT before it");
	sim_must(s,
		 !ups || sim_note(s, LEFT, IKE_NOTE_UP)->nat_there ==
				 (s->net.nat[RIGHT] != NAT_NONE),
		 "left is wrong about the NAT before its peer");
	sim_run_s(s, 600);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == ups, "the tunnel did not stay up");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

static void from_either_end(struct sim *s)
{
	sim_up(s, sim_side(s), "site");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

/* Tells nobody and loses what is longer than an IPv4 packet of 1280 bytes carries. */
static bool black_hole(struct sim *s, struct sim_packet *p, void *ctx)
{
	(void)s;
	(void)ctx;
	return p->len <= 1280 - 28;
}

static void through_a_black_hole(struct sim *s)
{
	sim_set_middle(s, black_hole, NULL);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

/* ... than the smallest that everybody carries. */
static bool black_hole_576(struct sim *s, struct sim_packet *p, void *ctx)
{
	(void)s;
	(void)ctx;
	return p->len <= 576 - 28;
}

static void through_576(struct sim *s)
{
	sim_set_middle(s, black_hole_576, NULL);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

/* The network is away for long enough that both ends find out, and comes back. */
static void silence_and_back(struct sim *s)
{
	struct sim_net net = s->net, cut = { .loss = 100 };

	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_run_s(s, sim_draw(s, 0, 20));
	sim_set_net(s, cut);
	sim_run_s(s, sim_draw(s, 120, 300));
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0,
		 "a peer that is silent for two minutes is still there");
	sim_set_net(s, net);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

/* Away for less than the retransmissions take: nobody notices. */
static void short_silence(struct sim *s)
{
	struct sim_net net = s->net, cut = { .loss = 100 };
	size_t ups;

	sim_run_until_quiet(s);
	ups = sim_notes(s, LEFT, IKE_NOTE_UP);
	sim_run_s(s, sim_draw(s, 0, 20));
	sim_set_net(s, cut);
	sim_run_s(s, sim_draw(s, 1, 15));
	sim_set_net(s, net);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == ups,
		 "a new handshake after a short silence");
}

/* What was kept for one exchange is gone after it. */
static void an_hour(struct sim *s)
{
	size_t ups, before;

	sim_run_until_quiet(s);
	sim_run_s(s, 120);
	sim_run_until_quiet(s);
	ups = sim_notes(s, LEFT, IKE_NOTE_UP);
	before = s->memory_engines;
	sim_run_s(s, 3600);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == ups, "the tunnel did not stay up");
	sim_must(s, s->memory_engines <= before + 1024, "%zu bytes more after an hour",
		 s->memory_engines - before);
}

#define LOSS_30                                    \
	{                                          \
		.loss = 30, .delay_ms = { 1, 100 } \
	}
#define BAD                                                   \
	{                                                     \
		.loss = 30, .dup = 20, .delay_ms = { 1, 400 } \
	}
#define SLOW                            \
	{                               \
		.delay_ms = { 95, 105 } \
	}
#define BEHIND(left, right)                                                          \
	{                                                                            \
		.loss = 10, .dup = 5, .delay_ms = { 1, 150 }, .nat = { left, right } \
	}

const struct sim_scenario scenarios_links[] = {
	{ "one-attempt", "30 % loss each way: one attempt does, in 999 of 1000", within_one_attempt,
	  &psk, LOSS_30, 1 },
	{ "one-attempt-certificates", "so it does with fragments", within_one_attempt,
	  &certificates, LOSS_30, 1 },
	{ "one-attempt-terrible",
	  "50 % loss each way: 19 of 20 first attempts do",
	  within_one_attempt,
	  &psk,
	  { .loss = 50, .delay_ms = { 1, 100 } },
	  50 },
	{ "bad-link", "30 % loss with duplication and reordering: up in the end", up_in_the_end,
	  &left_always_psk, BAD, 0 },
	{ "bad-link-both", "so it is when both begin", up_in_the_end, &always, BAD, 0 },
	{ "terrible-link",
	  "50 % loss",
	  up_in_the_end,
	  &always,
	  { .loss = 50, .dup = 20, .delay_ms = { 1, 400 } },
	  0 },
	{ "satellite", "200 ms there and back", up_in_the_end, &always, SLOW, 0 },
	{ "fragments", "small fragments under loss", up_in_the_end, &small, BAD, 0 },
	{ "fragments-of-one",
	  "one end cuts smaller than the other",
	  from_either_end,
	  &one_small,
	  { .delay_ms = { 1, 400 } },
	  0 },
	{ "black-hole", "a path that silently drops what is longer than 1280", through_a_black_hole,
	  &left_always, LOSS_30, 0 },
	{ "black-hole-576", "... longer than 576, where both keep below that", through_576, &small,
	  LOSS_30, 0 },
	{ "nat-left", "a NAT before the initiator", through_nat, &left_always,
	  BEHIND(NAT_MAPPED, NAT_NONE), 0 },
	{ "nat-right", "one before the responder", through_nat, &left_always,
	  BEHIND(NAT_NONE, NAT_FORWARDED), 0 },
	{ "nat-both", "one before each", through_nat, &left_always,
	  BEHIND(NAT_MAPPED, NAT_FORWARDED), 0 },
	{ "nat-both-begin", "one before each, and both begin", through_nat, &always,
	  BEHIND(NAT_FORWARDED, NAT_FORWARDED), 0 },
	{ "an-hour",
	  "an hour of a tunnel with 5 % loss",
	  an_hour,
	  &left_always,
	  { .loss = 5, .dup = 5, .delay_ms = { 1, 150 }, .nat = { NAT_MAPPED, NAT_NONE } },
	  0 },
	{ "silence",
	  "a peer that goes silent and comes back",
	  silence_and_back,
	  &lively,
	  { .loss = 5, .delay_ms = { 1, 100 } },
	  0 },
	{ "short-silence",
	  "one that is back before anybody notices",
	  short_silence,
	  &lively,
	  { .delay_ms = { 1, 100 } },
	  0 },
	{ 0 },
};
