/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway that cannot call its peers loses everything and comes back. By its tokens (RFC 6290)
 * its peers know at the first question; an observer, who has seen everything, ends nothing. And a
 * peer that was away, and speaks, is called at once. */
#include <string.h>

#include "ike/header.h"
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

#define SECRET "qcd_secret_file = host.qcd\n"
#define ROAD                                                                                  \
	"connection site {\n address = any\n identity = any\n qcd = yes\n" MANUAL CERT CHILD( \
		"net", "10.2.0.0/16", "10.1.0.0/16") "}\n"

static const struct sim_conf gateway = { { LEFT_SITE(CERT ALWAYS LIVELY),
					   SECRET ME("right.example.org") ROAD } };
static const struct sim_conf both = { { SECRET LEFT_SITE(CERT ALWAYS LIVELY " qcd = yes\n"),
					SECRET RIGHT_SITE(CERT ALWAYS LIVELY " qcd = yes\n") } };

static void begin(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

static bool restarted(const struct sim *s, enum side side)
{
	const struct ike_note *n = sim_note(s, side, IKE_NOTE_DOWN);

	return n && n->err == ERR_PEER_RESTARTED;
}

/* A question is due every ten seconds, and then come four messages at most 100 ms each. */
static void comes_back(struct sim *s)
{
	mono_ns was;

	sim_crash(s, RIGHT);
	sim_run_ms(s, sim_draw(s, 50, 3000));
	sim_restart(s, RIGHT);
	was = s->now;
	sim_must(s, sim_run_until_note(s, LEFT, IKE_NOTE_CHILD_UP, 20), "it does not come back");
	sim_must(s, restarted(s, LEFT), "the end was not told as a restart");
	sim_must(s, s->now - was < 16 * NS_PER_S, "it took %u ms",
		 (unsigned)((s->now - was) / NS_PER_MS));
	begin(s);
}

static void gateway_restarts(struct sim *s)
{
	begin(s);
	sim_run_s(s, 30);
	if (sim_draw(s, 0, 1)) {
		sim_rekey_ike(s, sim_side(s));
		sim_run_s(s, 20);
	}
	comes_back(s);
	sim_run_s(s, 30);
	comes_back(s);
}

/* Either may be the one, at any moment, and both may be. */
static void either_restarts(struct sim *s)
{
	begin(s);
	for (int i = 0; i < 6; i++) {
		enum side side = sim_side(s);

		if (sim_draw(s, 0, 1))
			sim_rekey_ike(s, sim_side(s));
		sim_run_ms(s, sim_draw(s, 0, 2000));
		sim_crash(s, side);
		sim_run_ms(s, sim_draw(s, 0, 3000));
		sim_restart(s, side);
		sim_run_ms(s, sim_draw(s, 0, 20000));
	}
	sim_run_s(s, 100);
	begin(s);
}

enum { FLAGS_AT = 19 };

/* Turns the direction of what he sees round, and asks both ends about SAs that are up; what is said
 * in clear he takes to whomever it may concern. */
static bool observe(struct sim *s, struct sim_packet *p, void *ctx)
{
	static const uint8_t turns[] = { FLAG_INITIATOR, FLAG_RESPONSE,
					 FLAG_INITIATOR | FLAG_RESPONSE };
	uint8_t copy[1500];
	size_t *n_clear = ctx;
	struct ike_header h;

	if (p->len > sizeof(copy) || header_decode(span_of(p->bytes, p->len), &h) != OK)
		return true;
	*n_clear += h.next == PL_NOTIFY;
	memcpy(copy, p->bytes, p->len);
	for (size_t i = 0; i < 2 * sizeof(turns); i++) {
		enum side side = i < sizeof(turns) ? LEFT : RIGHT;
		struct path path = sim_path_to(s, side, 500);

		copy[FLAGS_AT] = p->bytes[FLAGS_AT] ^ turns[i % sizeof(turns)];
		sim_inject(s, side, &path, span_of(copy, p->len));
	}
	return true;
}

static size_t told(const struct sim *s, enum ike_note_kind kind)
{
	return sim_notes(s, LEFT, kind) + sim_notes(s, RIGHT, kind);
}

static void observed(struct sim *s)
{
	size_t n_clear = 0, ups, downs;

	begin(s);
	ups = told(s, IKE_NOTE_UP);
	downs = told(s, IKE_NOTE_DOWN);
	sim_set_middle(s, observe, &n_clear);
	for (int i = 0; i < 5; i++) {
		sim_rekey_ike(s, sim_side(s));
		sim_run_s(s, 15);
	}
	sim_set_middle(s, NULL, NULL);
	sim_run_s(s, 30);
	begin(s);
	sim_must(s, n_clear > 0, "nobody was answered");
	sim_must(s, told(s, IKE_NOTE_UP) == ups && told(s, IKE_NOTE_DOWN) == downs,
		 "an observer ended an SA");
}

/* ---- a peer that is there again ---- */

static const struct sim_conf patient = SITE(CERT ALWAYS LIVELY, CERT MANUAL " liveness = 1d\n");

/* The network is away until LEFT has given up; RIGHT has noticed nothing, and asks for something
 * when the network is there again. */
static void network_returns(struct sim *s)
{
	struct sim_net good = s->net;
	mono_ns was;

	begin(s);
	sim_set_net(s, (struct sim_net){ .loss = 100 });
	sim_run_ms(s, sim_draw(s, 60000, 600000));
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_DOWN) > 0, "the peer is not lost");
	sim_set_net(s, good);
	was = s->now;
	sim_rekey(s, RIGHT);
	sim_must(s, sim_run_until_note(s, LEFT, IKE_NOTE_CHILD_UP, 10), "it does not come back");
	sim_must(s, s->now - was < NS_PER_S, "it took %u ms",
		 (unsigned)((s->now - was) / NS_PER_MS));
	sim_run_s(s, 60);
	begin(s);
}

/* ---- packets that nothing answers ---- */

static const struct sim_conf relaxed = { { LEFT_SITE(CERT ALWAYS),
					   SECRET ME("right.example.org") ROAD } };

/* Packets go to a gateway that restarts meanwhile: the plane notices within a second, and long
 * before a peer that is idle would be asked. */
static void restarts_under_traffic(struct sim *s)
{
	mono_ns was;

	begin(s);
	sim_run_s(s, sim_draw(s, 11, 17));
	sim_crash(s, RIGHT);
	sim_run_ms(s, sim_draw(s, 0, 500));
	sim_restart(s, RIGHT);
	was = s->now;
	sim_run_ms(s, sim_draw(s, 500, 1000));
	sim_silent(s, LEFT);
	sim_must(s, sim_run_until_note(s, LEFT, IKE_NOTE_CHILD_UP, 10), "it does not come back");
	sim_must(s, restarted(s, LEFT), "the end was not told as a restart");
	sim_must(s, s->now - was < 2500 * NS_PER_MS, "it took %u ms",
		 (unsigned)((s->now - was) / NS_PER_MS));
	begin(s);
}

/* Packets that need no answer, for ten minutes: the peer is there, and is not asked for ever. */
static void one_way(struct sim *s)
{
	uint32_t asked;

	begin(s);
	sim_run_s(s, 2);
	asked = s->end[RIGHT].n_protected;
	for (int i = 0; i < 600; i++) {
		sim_silent(s, LEFT);
		sim_run_s(s, 1);
	}
	asked = s->end[RIGHT].n_protected - asked;
	sim_must(s, asked >= 10 && asked <= 45, "asked %u times in 10 minutes", asked);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_DOWN) == 0, "the IKE SA was down");
	begin(s);
}

#define GOOD DELAYS(1, 100)

const struct sim_scenario scenarios_qcd[] = {
	{ "qcd", "a gateway that restarts is known by its token", gateway_restarts, &gateway, GOOD,
	  0 },
	{ "qcd-either", "either end restarts, at any moment", either_restarts, &both, GOOD, 0 },
	{ "qcd-lossy", "... over a bad link", either_restarts, &both, LOSSY, 0 },
	{ "qcd-observed", "nobody gets a token of an SA that is up", observed, &both, GOOD, 0 },
	{ "silent", "packets that nothing answers make us ask at once", restarts_under_traffic,
	  &relaxed, GOOD, 0 },
	{ "silent-one-way", "... and not for ever, when they need no answer", one_way, &relaxed,
	  GOOD, 0 },
	{ "returns", "a peer that speaks to us is called at once, however long it was away",
	  network_returns, &patient, GOOD, 0 },
	{ 0 },
};
