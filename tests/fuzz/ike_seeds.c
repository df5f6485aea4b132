/* SPDX-License-Identifier: Apache-2.0 */
/* The first inputs of fuzz_inside and fuzz_engine. Two engines talk; what they say inside is
 * written down and said again to a victim that stands where it belongs. All is drawn from one seed,
 * so keys and proofs are the same in both runs, and the same bytes come out each time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/chain.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/ike_world.h"
#include "tests/fuzz/seeds.h"

enum { SAID_MAX = 40, SEED_ROOM = 8192 };

struct said {
	enum side from;
	uint8_t exchange;
	bool response;
	struct chain chain;
};

struct talk {
	struct said v[SAID_MAX];
	size_t n;
};

static void listen_in(void *ctx, enum side from, const struct ike_header *h, const struct inner *in)
{
	struct talk *t = ctx;
	struct said *s = &t->v[t->n];

	if (t->n == SAID_MAX)
		return;
	t->n++;
	s->from = from;
	s->exchange = h->exchange;
	s->response = header_is_response(h);
	chain_set(&s->chain, in->first, in->chain);
}

/* A whole life: up, a while, down. LEFT begins, or RIGHT. */
static void talk(struct talk *t, uint8_t which, enum side beginner)
{
	struct ike_world w;

	t->n = 0;
	ike_world_begin(&w, which);
	w.look = listen_in;
	w.look_ctx = t;
	sim_up(w.s, beginner, "site");
	sim_run_s(w.s, 9);
	sim_down(w.s, beginner, "site");
	sim_run_s(w.s, 1);
	ike_world_end(&w);
}

static void save(struct seeds *out, const char *target, const char *name, const struct wr *w)
{
	FUZZ_HOLDS(wr_ok(w));
	seed_save(out, target, name, wr_done(w));
}

static void put_said(struct wr *w, const struct said *s)
{
	static uint8_t room[SEED_ROOM];
	struct wr a = wr_into(room, sizeof(room));

	wr_u8(&a, (uint8_t)((s->from == RIGHT ? INSIDE_RIGHT : 0) |
			    (s->response ? INSIDE_RESPONSE : 0)));
	wr_u8(&a, 0);
	wr_u8(&a, s->exchange);
	wr_u8(&a, s->chain.first);
	wr_span(&a, span_of(s->chain.bytes, s->chain.len));
	op_put(w, &(struct op){ OP_INSIDE, wr_done(&a) });
}

static void put_op(struct wr *w, uint8_t code, const char *args, size_t len)
{
	op_put(w, &(struct op){ code, span_of(args, len) });
}
#define PUT(w, code, args) put_op(w, code, args, sizeof(args) - 1)

/* ---- inside ---- */

/* What belongs there. */
struct station {
	const char *name;
	enum ike_station at;
	uint8_t conf; /* of ike_confs */
	uint8_t exchange;
	bool response;
	unsigned int roles; /* of the victim; RIGHT is one where LEFT alone can begin */
};

enum { RESPONDER = 1, INITIATOR = 2, BOTH = RESPONDER | INITIATOR };

static const struct station stations[] = {
	{ "init-done", AT_INIT_DONE, 0, X_IKE_AUTH, false, RESPONDER },
	{ "init-done-cert", AT_INIT_DONE, 2, X_IKE_AUTH, false, RESPONDER },
	{ "init-done-any", AT_INIT_DONE, 5, X_IKE_AUTH, false, RESPONDER },
	{ "init-done-hosts", AT_INIT_DONE, 7, X_IKE_AUTH, false, RESPONDER },
	{ "auth-sent", AT_AUTH_SENT, 0, X_IKE_AUTH, true, INITIATOR },
	{ "auth-sent-cert", AT_AUTH_SENT, 4, X_IKE_AUTH, true, INITIATOR },
	{ "parked", AT_PARKED, 0, X_IKE_AUTH, false, BOTH },
	{ "parked-response", AT_PARKED, 6, X_IKE_AUTH, true, BOTH },
	{ "up-create", AT_UP, 1, X_CREATE_CHILD_SA, false, BOTH },
	{ "up-delete", AT_UP, 0, X_INFORMATIONAL, false, BOTH },
	{ "asking", AT_ASKING, 1, X_CREATE_CHILD_SA, true, BOTH },
	{ "asking-crossed", AT_ASKING, 1, X_CREATE_CHILD_SA, false, BOTH },
	{ "answering", AT_ANSWERING, 1, X_INFORMATIONAL, false, BOTH },
	{ "alive", AT_ALIVE, 0, X_INFORMATIONAL, true, BOTH },
	{ "closing", AT_CLOSING, 0, X_INFORMATIONAL, true, BOTH },
	{ "closing-create", AT_CLOSING, 1, X_CREATE_CHILD_SA, false, BOTH },
};

/* Where they stand, and how the world is then. */
struct scene {
	const struct station *st;
	bool initiator;
	enum side victim;
	uint8_t which;
};

static struct scene scene_of(const struct station *st, bool initiator)
{
	const bool any = st->conf == 5;

	return (struct scene){ .st = st,
			       .initiator = initiator,
			       .victim = any ? RIGHT : LEFT,
			       .which = (uint8_t)(st->conf * 4 + (initiator ? 1 : 2)) };
}

/* All that the other side said of this kind. */
static void write_station(struct seeds *out, const struct scene *sc)
{
	static struct talk t;
	static uint8_t room[SEED_ROOM];
	const struct station *st = sc->st;
	struct wr w = wr_into(room, sizeof(room));
	char name[64];
	size_t n = 0;

	talk(&t, sc->which, sc->initiator == (sc->victim == LEFT) ? LEFT : RIGHT);
	wr_u8(&w, sc->which);
	wr_u8(&w, (uint8_t)(st->at | (sc->initiator ? 128 : 0) | (sc->victim == RIGHT ? 64 : 0)));
	for (size_t i = 0; i < t.n && n < 3; i++) {
		const struct said *s = &t.v[i];

		if (s->from == sc->victim || s->exchange != st->exchange ||
		    s->response != st->response)
			continue;
		put_said(&w, s);
		PUT(&w, OP_RUN, "\x05");
		n++;
	}
	snprintf(name, sizeof(name), "%s-%s", st->name, sc->initiator ? "i" : "r");
	save(out, "inside", name, &w);
}

/* Deletes that overtake the answer: as many SPIs as are remembered. */
static void write_overtaken(struct seeds *out)
{
	static uint8_t room[SEED_ROOM];
	struct wr w = wr_into(room, sizeof(room));

	wr_u8(&w, 1 * 4 + 1);
	wr_u8(&w, AT_ASKING | 128);
	PUT(&w, OP_INSIDE,
	    "\x01\x00\x25\x2a\x00\x00\x00\x18\x03\x04\x00\x04"
	    "SPI1SPI2SPI3SPI4");
	PUT(&w, OP_RUN, "\x05");
	save(out, "inside", "asking-overtaken-i", &w);
}

/* A seed for a state that is not reached would be worth nothing. */
static void must_be_reached(const struct scene *sc)
{
	struct ike_world w;
	bool there;

	ike_world_begin(&w, sc->which);
	there = ike_world_reach(&w, sc->victim, sc->initiator, sc->st->at);
	printf("%-18s %s %s\n", sc->st->name, sc->initiator ? "initiator" : "responder",
	       there ? "reached" : "not reached");
	FUZZ_HOLDS(there);
	ike_world_end(&w);
}

static void write_stations(struct seeds *out)
{
	for (size_t i = 0; i < 2 * sizeof(stations) / sizeof(stations[0]); i++) {
		struct scene sc = scene_of(&stations[i / 2], i % 2);

		if (!(sc.st->roles & (sc.initiator ? INITIATOR : RESPONDER)))
			continue;
		write_station(out, &sc);
		must_be_reached(&sc);
	}
}

/* ---- engine ---- */

#define UP_LEFT	 PUT(&w, OP_COMMAND, "\x00\x00")
#define UP_RIGHT PUT(&w, OP_COMMAND, "\x01\x00")
#define SOON	 PUT(&w, OP_RUN, "\x32")
#define LATER	 PUT(&w, OP_RUN, "\x88")

static void write_scripts(struct seeds *out)
{
	static uint8_t room[SEED_ROOM];
	char name[64];

	for (uint8_t i = 0; i < N_IKE_CONFS; i++) {
		struct wr w = wr_into(room, sizeof(room));

		wr_u8(&w, (uint8_t)(i * 4 + i % 4));
		UP_LEFT;
		if (i % 2)
			UP_RIGHT;
		SOON;
		PUT(&w, OP_PLANE, "\x00\x02\x00");
		PUT(&w, OP_PLANE, "\x01\x00");
		LATER;
		PUT(&w, OP_PLANE, "\x00\x05");
		PUT(&w, OP_PLANE, "\x00\x04");
		PUT(&w, OP_EDIT, "\x01\x00\x02\x00\x00\x00\x07");
		PUT(&w, OP_COMMAND, "\x03\x00");
		LATER;
		snprintf(name, sizeof(name), "life-%u", i);
		save(out, "engine", name, &w);
	}
}

/* Each message of a handshake, changed on its way by either side. */
static void write_edits(struct seeds *out)
{
	static uint8_t room[SEED_ROOM];
	char name[64];

	for (uint8_t i = 0; i < 8; i++) {
		const char edit[] = { (char)(i & 1), (char)(i / 2), (char)i, 0, 0, 0, (char)i };
		struct wr w = wr_into(room, sizeof(room));

		wr_u8(&w, (uint8_t)(4 + i % 4));
		put_op(&w, OP_EDIT, edit, sizeof(edit));
		UP_LEFT;
		SOON;
		LATER;
		snprintf(name, sizeof(name), "edit-%u", i);
		save(out, "engine", name, &w);
	}
}

static void write_troubles(struct seeds *out)
{
	static const struct {
		const char *name;
		uint8_t code;
		const char *args;
		size_t len;
	} troubles[] = {
#define TROUBLE(name, code, args) { name, code, args, sizeof(args) - 1 }
		TROUBLE("drop", OP_DROP, "\x01\x02"),
		TROUBLE("net", OP_NET, "\x14\x14\x14\x14\x14\x05"),
		TROUBLE("job-fails", OP_JOB, "\x00\x0c"),
		TROUBLE("job-lost", OP_JOB, "\x01\x09"),
		TROUBLE("install-fails", OP_FAIL, "\x00\x01"),
		TROUBLE("no-memory", OP_FAIL, "\x02\x14"),
		TROUBLE("crash", OP_LIFE, "\x01\x00"),
		TROUBLE("reload", OP_LIFE, "\x00\x0a"),
		TROUBLE("stop", OP_LIFE, "\x00\x01"),
		TROUBLE("clear", OP_CLEAR, "\x00\x02\x22\x00"),
		TROUBLE("delete", OP_INSIDE, "\x01\x00\x25\x2a\x00\x00\x00\x08\x01\x00\x00\x00"),
		TROUBLE("done", OP_DONE, "\x00\x01\x05"),
		TROUBLE("job-other", OP_JOB, "\x00\x02\x01\x10words"),
	};
	static uint8_t room[SEED_ROOM];

	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		struct wr w = wr_into(room, sizeof(room));

		wr_u8(&w, (uint8_t)(4 + i % 4));
		UP_LEFT;
		PUT(&w, OP_RUN, "\x03");
		put_op(&w, troubles[i].code, troubles[i].args, troubles[i].len);
		SOON;
		put_op(&w, troubles[i].code, troubles[i].args, troubles[i].len);
		LATER;
		save(out, "engine", troubles[i].name, &w);
	}
}

/* The answers in clear that make an initiator try again, a flood of first messages, and a client
 * behind a NAT that forgets. */
static void write_clear(struct seeds *out)
{
	static uint8_t room[SEED_ROOM], args[SEED_ROOM];
	static struct talk t;
	struct wr w = wr_into(room, sizeof(room)), a = wr_into(args, sizeof(args));

	wr_u8(&w, 6 * 4);
	UP_LEFT;
	PUT(&w, OP_CLEAR,
	    "\x01\x11\x22\x29\x00\x00\x00\x10\x00\x00\x40\x06"
	    "cookies!");
	PUT(&w, OP_CLEAR, "\x01\x11\x22\x29\x00\x00\x00\x0a\x00\x00\x00\x11\x00\x13");
	PUT(&w, OP_CLEAR, "\x01\x11\x22\x29\x00\x00\x00\x08\x00\x00\x00\x0e");
	LATER;
	save(out, "engine", "clear-answers", &w);
	talk(&t, 6 * 4, LEFT);
	wr_u8(&a, 0);
	wr_u8(&a, CLEAR_FLOOD | CLEAR_INITIATOR);
	wr_u8(&a, X_IKE_SA_INIT);
	wr_u8(&a, t.v[0].chain.first);
	wr_span(&a, span_of(t.v[0].chain.bytes, t.v[0].chain.len));
	w = wr_into(room, sizeof(room));
	wr_u8(&w, 6 * 4);
	op_put(&w, &(struct op){ OP_CLEAR, wr_done(&a) });
	op_put(&w, &(struct op){ OP_CLEAR, wr_done(&a) });
	UP_LEFT;
	LATER;
	save(out, "engine", "flood", &w);
	w = wr_into(room, sizeof(room));
	wr_u8(&w, 128 | 2 * 4);
	UP_LEFT;
	SOON;
	PUT(&w, OP_PLANE, "\x00\x06\x00");
	PUT(&w, OP_PLANE, "\x00\x05");
	PUT(&w, OP_RUN, "\x9e");
	PUT(&w, OP_PLANE, "\x00\x06\x01");
	PUT(&w, OP_PLANE, "\x00\x05");
	LATER;
	save(out, "engine", "nat", &w);
}

int main(int argc, char **argv)
{
	struct seeds out = seeds_begin(argc, argv);

	write_stations(&out);
	write_overtaken(&out);
	write_scripts(&out);
	write_edits(&out);
	write_troubles(&out);
	write_clear(&out);
	return seeds_end(&out);
}
