/* SPDX-License-Identifier: Apache-2.0 */
/* One case of two things that meet: see interleave.h. Beside what holds in every story (check.c):
 *
 *	- at each instant each end has an outbound SA for each child that nobody has deleted, and a
 *	  packet that leaves by it then is taken at the other end when it arrives
 *	- in the end there is one IKE SA and one pair for each such child, without another handshake
 *	  unless that was the wish, and nobody was told that a child went; or there is nothing
 */
#include "tests/sim/interleave.h"

#include <stdio.h>
#include <string.h>

#include "ike/core.h"
#include "ike/life.h"
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

enum { RESTART_MS = 100 };
enum { N_CHILDREN = 2, PROBES = 1024, SEED = 2 /* LEFT's plane is ours, RIGHT's the kernel's */ };

static const mono_ns latency = 40 * NS_PER_MS;
static const mono_ns longest = 1200 * NS_PER_S;
static const char *const children[N_CHILDREN] = { "net", "dmz" };

/* Where each of the two may come to be, so that the other one finds it. */
#define SITE_AT(places, name) "connection site {\n address = " places "\n identity = " name "\n"
#define RIGHTS		      "{ 198.51.100.2, 198.51.100.3, 198.51.100.4 }"
#define LEFTS		      "{ 192.0.2.1, 192.0.2.2, 192.0.2.3 }"

static const struct sim_conf conf = { { ME("left.example.org") SITE_AT(RIGHTS, "right.example.org")
						PSK MANUAL LEFT_NET LEFT_DMZ "}\n",
					ME("right.example.org") SITE_AT(LEFTS, "left.example.org")
						PSK MANUAL RIGHT_NET RIGHT_DMZ "}\n" } };

/* A packet on its way. */
struct probe {
	mono_ns arrives;
	enum side from;
	size_t child;
	uint32_t spi;
	struct key key;
};

struct story {
	struct sim *s;
	const struct il_pair *pair;
	const struct il_control *control;
	struct explore *x;
	bool begun;		 /* the second */
	unsigned instants, sent; /* from the first on */
	unsigned faults;
	mono_ns last[2];       /* when the last datagram for this end arrives */
	bool gone[N_CHILDREN]; /* somebody has deleted it */
	struct probe probes[PROBES];
	size_t n_put, n_taken;
};

/* ---- what happens ---- */

static void rekey(struct sim *s, enum side side, enum ike_rekey kind)
{
	struct ike_event ev = { .kind = IKE_EV_REKEY,
				.command = { .connection = "site",
					     .child = kind == IKE_REKEY_CHILD ? children[0] : NULL,
					     .rekey = kind } };

	end_event(&s->end[side], &ev);
}

static void ike_rekey(struct sim *s, enum side side)
{
	rekey(s, side, IKE_REKEY_IKE);
}

static void child_rekey(struct sim *s, enum side side)
{
	rekey(s, side, IKE_REKEY_CHILD);
}

static void reauthenticate(struct sim *s, enum side side)
{
	rekey(s, side, IKE_REKEY_PROOF);
}

static void child_delete(struct sim *s, enum side side)
{
	sim_down_child(s, side, "site", children[0]);
}

static void ike_delete(struct sim *s, enum side side)
{
	sim_down(s, side, "site");
}

/* It asks the peer over each IKE SA, as it does when nothing was heard for a while. */
static void liveness(struct sim *s, enum side side)
{
	struct ike_engine *e = s->end[side].e;
	struct table_node *n = NULL;

	e->now = s->now;
	while ((n = table_next(&e->by_spi, n))) {
		struct ike_sa *sa = container_of(n, struct ike_sa, by_spi);

		sa->alive_wanted = sa->state == S_UP;
		if (sa->state == S_UP)
			sa_settle(sa);
	}
	end_tick(&s->end[side]);
}

/* Its engine is killed, and another one goes on with what that had written down. */
static void restart(struct sim *s, enum side side)
{
	sim_kill(s, side, 0, RESTART_MS);
}

/* To add one: a value of enum il_what and a row. */
static const struct what {
	const char *name;
	void (*begin)(struct sim *s, enum side side);
	bool ends[N_CHILDREN];
	bool proves; /* another handshake */
	bool makes;  /* a nonce is drawn */
} whats[N_IL_WHAT] = {
	[IL_IKE_REKEY] = { "ike-rekey", ike_rekey, .makes = true },
	[IL_CHILD_REKEY] = { "child-rekey", child_rekey, .makes = true },
	[IL_CHILD_DELETE] = { "child-delete", child_delete, .ends = { true } },
	[IL_IKE_DELETE] = { "ike-delete", ike_delete, .ends = { true, true } },
	[IL_REAUTHENTICATE] = { "reauthenticate", reauthenticate, .proves = true, .makes = true },
	[IL_LIVENESS] = { "liveness", liveness, .ends = { false } },
	[IL_MOBIKE] = { "mobike", sim_move, .ends = { false } },
	[IL_RESTART] = { "restart", restart, .ends = { false } },
};

const char *il_name(enum il_what what)
{
	return whats[what].name;
}

bool il_may_cross(const struct il_pair *p)
{
	return p->at[0] != p->at[1] && whats[p->what[0]].makes && whats[p->what[1]].makes;
}

static void begin(struct story *st, size_t nth)
{
	const struct what *w = &whats[st->pair->what[nth]];

	trace_line(st->s, st->pair->at[nth], "---- %s ----", w->name);
	for (size_t i = 0; i < N_CHILDREN; i++)
		st->gone[i] = st->gone[i] || w->ends[i];
	st->s->stirred = st->s->now;
	w->begin(st->s, st->pair->at[nth]);
	st->begun = nth == 1;
}

/* ---- datagrams ---- */

/* Decides what becomes of each. */
static bool on_datagram(struct sim *s, struct sim_packet *p, void *ctx)
{
	struct story *st = ctx;
	mono_ns *last = &st->last[p->ev.side];
	char roads[EXPLORE_ROADS] = "-";
	size_t n = 1;

	if (st->faults < st->pair->faults)
		roads[n++] = 'l';
	if (st->faults<st->pair->faults && * last> s->now)
		roads[n++] = 'o';
	roads[n] = '\0';
	switch (n > 1 ? explore_road(st->x, ++st->sent, roads) : (st->sent++, '-')) {
	case 'l':
		st->faults++;
		trace_packet(s, p, "is lost");
		return false;
	case 'o':
		p->arrives = *last - ++st->faults * NS_PER_US;
		return true;
	default:
		p->arrives = s->now + latency;
		*last = p->arrives;
		return true;
	}
}

/* ---- packets ---- */

static const struct sa_desc *outbound(const struct end *end, const char *child)
{
	for (size_t i = end->n_sas; i > 0; i--) {
		const struct sa_desc *sa = &end->sas[i - 1];

		if (sa->dir == SA_OUT && strcmp(sa->child, child) == 0)
			return sa;
	}
	return NULL;
}

static void send_packet(struct story *st, enum side side, size_t child)
{
	struct sim *s = st->s;
	const struct sa_desc *out = outbound(&s->end[side], children[child]);

	sim_must(s, out != NULL, "%s has no outbound SA for %s", side == LEFT ? "left" : "right",
		 children[child]);
	sim_must(s, st->n_put - st->n_taken < PROBES, "too many packets are on their way");
	if (s->failed)
		return;
	st->probes[st->n_put++ % PROBES] = (struct probe){ .arrives = s->now + latency,
							   .from = side,
							   .child = child,
							   .spi = out->spi,
							   .key = out->encr_key };
}

static void send_packets(struct story *st)
{
	for (size_t i = 0; i < N_CHILDREN; i++) {
		if (st->gone[i])
			continue;
		send_packet(st, LEFT, i);
		send_packet(st, RIGHT, i);
	}
}

static mono_ns next_packet(const struct story *st)
{
	return st->n_taken < st->n_put ? st->probes[st->n_taken % PROBES].arrives : NEVER;
}

static void take_packets(struct story *st)
{
	while (next_packet(st) <= st->s->now) {
		const struct probe *p = &st->probes[st->n_taken++ % PROBES];
		struct end *to = &st->s->end[1 - p->from];

		if (st->gone[p->child])
			continue;
		sim_must(st->s, traffic_takes(to, p->spi, &p->key),
			 "a packet of %s comes by SA %08x, which is not there", children[p->child],
			 p->spi);
		if (st->pair->busy)
			traffic_hear(to, p->spi);
	}
}

/* ---- the story ---- */

static void come_up(struct sim *s)
{
	sim_up(s, LEFT, "site");
	sim_run_until_quiet(s);
	sim_expect(s, "site", N_CHILDREN);
	for (enum side side = LEFT; side <= RIGHT; side++)
		memset(s->end[side].n_notes, 0, sizeof(s->end[side].n_notes));
	for (enum side side = LEFT; side <= RIGHT; side++)
		s->end[side].n_agreed = 0;
}

/* Nobody can ask an engine that is dead. */
static bool may_begin(const struct story *st)
{
	return !st->s->end[st->pair->at[1]].dead;
}

/* Something has happened: is it now that the second one begins? */
static void after_instant(struct story *st)
{
	st->instants++;
	if (st->control)
		st->control->breaks(st->s, st->instants);
	send_packets(st);
	if (!st->begun && may_begin(st) && explore_road(st->x, st->instants, "-b") == 'b')
		begin(st, 1);
}

/* A Delete may get lost, or be said in the middle of IKE_AUTH, when nobody could say it: then the
 * other end finds out by asking. But no child waits for that. */
static bool is_over(const struct story *st)
{
	const struct sim *s = st->s;
	bool all_gone = st->gone[0] && st->gone[1];

	return st->begun && sim_is_quiet(s) &&
	       (!all_gone || sim_ike_sas(s, LEFT) == sim_ike_sas(s, RIGHT));
}

static void go_on(struct story *st)
{
	struct sim *s = st->s;
	mono_ns until = s->now + longest;

	while (!s->failed && s->now < until && !is_over(st)) {
		mono_ns calm = sim_quiet_at(s), next = earlier(next_packet(st), until);

		if (!st->begun && may_begin(st) && sim_is_quiet(s)) {
			begin(st, 1);
			continue;
		}
		if (sim_step(s, calm > s->now ? earlier(calm, next) : next))
			after_instant(st);
		else
			take_packets(st);
	}
	sim_must(s, is_over(st), "it does not come to an end");
}

static void judge(const struct story *st)
{
	struct sim *s = st->s;
	bool proves = whats[st->pair->what[0]].proves || whats[st->pair->what[1]].proves;
	size_t n = 0;

	check_quiet(s);
	for (size_t i = 0; i < N_CHILDREN; i++) {
		n += !st->gone[i];
		sim_must(s, sim_pairs(s, "site", children[i]) == !st->gone[i], "%s has %zu pairs",
			 children[i], sim_pairs(s, "site", children[i]));
	}
	sim_expect(s, "site", n);
	for (enum side side = LEFT; side <= RIGHT; side++) {
		sim_must(s, n < N_CHILDREN || sim_notes(s, side, IKE_NOTE_CHILD_DOWN) == 0,
			 "a child was down");
		sim_must(s, proves || sim_notes(s, side, IKE_NOTE_UP) == 0,
			 "there was another handshake");
		sim_points(s, side);
	}
}

struct il_result il_run(const struct il_pair *p, struct explore *x, const struct il_control *c)
{
	static struct story st;
	struct il_result r = { .messages = 0 };
	struct sim *s = sim_new(&conf, (struct sim_net){ 0 }, SEED);

	if (!s) {
		snprintf(r.why, sizeof(r.why), "no memory");
		return r;
	}
	st = (struct story){ .s = s, .pair = p, .x = x, .control = c };
	s->work_us = p->slow ? 60000 : 1000;
	s->addresses_go = true;
	s->planes_are_late = true;
	s->end[LEFT].nonces = p->lower == LEFT ? NONCES_LOW : NONCES_HIGH;
	s->end[RIGHT].nonces = p->lower == RIGHT ? NONCES_LOW : NONCES_HIGH;
	come_up(s);
	sim_set_middle(s, on_datagram, &st);
	begin(&st, 0);
	after_instant(&st);
	go_on(&st);
	judge(&st);
	sim_must(s, !x->lost, "there are more forks than can be remembered");
	r.messages = s->n_delivered;
	(void)sim_free(s, r.why);
	return r;
}
