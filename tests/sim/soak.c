/* SPDX-License-Identifier: Apache-2.0 */
/* A day of a gateway with a hundred peers (soak.h), each child with new keys every minute, each IKE
 * SA every five:
 *
 *	postern-soak [--hours N] [--peers N] [--seed S]
 *
 * Each hour has half an hour of trouble: up to 30 % of all datagrams are lost, the others overtake
 * each other, peers move to other addresses, fall asleep, and wake with a clock that stood still or
 * has jumped, and engines are killed. Two of three, of peers that write down what they have, are
 * killed before any one of their actions, and go on with that; the third begins anew. The gateway
 * begins anew in each hour, by turns as one that writes and goes on, once in each trouble, and as
 * one that does not. Before the trouble and after it the network is good, and then each packet
 * between each two ends is taken at each second: before it also while an engine is killed and goes
 * on each minute, for which no handshake is made.
 * In the end the gateway sleeps for eight hours, then all peers, by either kind of clock: all is
 * up again soon, and nobody has sent more than a few messages in a second for each tunnel.
 *
 * Whenever an engine is killed all that it had allocated is free, and at each look each has the
 * records that it should. In the second hour (of an odd number the third) and in the last one all
 * is taken down: what is left is as much both times.
 *
 * First things are done wrong on purpose (enum soak_broken), which has to be found. With
 * MATRIX_SAMPLE set, four hours are a day.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/soak.h"

enum { MINUTE = 60, TROUBLE_BEGINS = 10 * MINUTE, TROUBLE_ENDS = 40 * MINUTE, HOUR = 3600 };
/* After trouble: until nobody waits any more before he tries again; then how long it is watched. */
enum { LEAK = 64 * 1024 };
/* Of an engine that is killed and goes on: the latest action that it does not come to, and how long
 * nobody is there, in trouble and without. */
enum { ACTIONS = 40, AWAY_MS = 8000, SHORTLY_MS = 1500 };
enum { CALM_TAKES = 10 * MINUTE, WATCHED = 5 * MINUTE, REST = 3 * MINUTE };

struct choice {
	uint64_t hours, peers, seed;
};

static void run_s(struct soak *w, uint64_t seconds)
{
	soak_run_until(w, w->now + seconds * NS_PER_S);
}

/* ---- trouble ---- */

static size_t some_peer(struct soak *w)
{
	return 1 + chance_index(&w->chance, w->n_nodes - 1);
}

static bool is_well(const struct soak_node *n)
{
	return n->e && !n->asleep;
}

static void to_some_peer(struct soak *w, void (*happens)(struct soak *w, size_t i))
{
	size_t i = some_peer(w);

	if (is_well(&w->node[i]))
		happens(w, i);
}

/* For up to so long; before an action of its next ones, or at once. */
static void die_and_go_on(struct soak *w, size_t i, uint32_t ms)
{
	if (is_well(&w->node[i]))
		soak_kill_before(w, i, chance_between(&w->chance, 0, ACTIONS),
				 chance_between(&w->chance, 1, ms) * NS_PER_MS);
}

/* One that keeps records. */
static size_t some_keeper(struct soak *w)
{
	size_t i = some_peer(w);

	return i - (i - 1) % SOAK_KEEPING;
}

/* Every other hour it keeps nothing. */
static void gateway_dies(struct soak *w, uint64_t hour, unsigned s)
{
	if (s == 5 * MINUTE || s == 25 * MINUTE)
		die_and_go_on(w, SOAK_GATEWAY, AWAY_MS);
	if (s != 15 * MINUTE || !is_well(&w->node[SOAK_GATEWAY]))
		return;
	soak_kill(w, SOAK_GATEWAY);
	w->node[SOAK_GATEWAY].keeps = hour % 2 == 0;
}

/* Some who sleep wake; in the end all do, and whoever was killed is there again. */
static void some_come_back(struct soak *w, bool all)
{
	for (size_t i = 0; i < w->n_nodes; i++) {
		if (all && !w->node[i].e)
			soak_live(w, i);
		if (all)
			w->node[i].kill_in = 0;
		if (w->node[i].asleep && (all || chance_percent(&w->chance, 2)))
			soak_wake(w, i, chance_percent(&w->chance, 50));
	}
}

static void trouble(struct soak *w, uint64_t hour)
{
	static const uint32_t losses[] = { 30, 5, 20, 10, 30, 1 };

	for (unsigned s = 0; s < TROUBLE_ENDS - TROUBLE_BEGINS && !w->failed; s += 5) {
		w->net = (struct soak_net){ .loss = losses[s / (5 * MINUTE)],
					    .delay_ms = { 1, 200 } };
		some_come_back(w, false);
		if (s % 20 == 0)
			to_some_peer(w, soak_move);
		if (s % 120 == 0)
			to_some_peer(w, soak_kill);
		else if (s % 40 == 0)
			die_and_go_on(w, some_keeper(w), AWAY_MS);
		if (s % 90 == 0)
			to_some_peer(w, soak_sleep);
		gateway_dies(w, hour, s);
		run_s(w, 5);
	}
	some_come_back(w, true);
}

/* ---- and none ---- */

static void good_network(struct soak *w)
{
	w->net = (struct soak_net){ .delay_ms = { 5, 40 } };
}

/* Packets go all the time, and what there is is counted: the mean. */
static struct soak_count watch(struct soak *w, unsigned seconds)
{
	struct soak_count sum = { .bytes = 0 };

	for (unsigned s = 0; s < seconds && !w->failed; s++) {
		struct soak_count c = soak_count(w);
		size_t lost = soak_packets(w);

		soak_must(w, lost == 0, "%zu packets of %zu tunnels are lost", lost,
			  w->n_nodes - 1);
		sum.ike_sas += c.ike_sas;
		sum.plane_sas += c.plane_sas;
		sum.tickets += c.tickets;
		sum.half_open += c.half_open;
		sum.timers += c.timers;
		sum.bytes += c.bytes;
		sum.records += c.records;
		sum.record_bytes += c.record_bytes;
		run_s(w, 1);
	}
	return (struct soak_count){ sum.ike_sas / seconds, sum.plane_sas / seconds,
				    sum.tickets / seconds, sum.half_open / seconds,
				    sum.timers / seconds,  sum.bytes / seconds,
				    sum.records / seconds, sum.record_bytes / seconds };
}

static uint64_t told(const struct soak *w, enum ike_note_kind kind)
{
	uint64_t n = 0;

	for (size_t i = 0; i < w->n_nodes; i++)
		n += w->node[i].n_notes[kind];
	return n;
}

/* An engine dies each minute, and nobody notices: not even one packet does. */
static void watch_returns(struct soak *w)
{
	const uint64_t handshakes = told(w, IKE_NOTE_UP), returns = w->n_returns;
	const unsigned n = TROUBLE_BEGINS / MINUTE;

	for (unsigned i = 0; i < n && !w->failed; i++) {
		die_and_go_on(w, i % 2 ? SOAK_GATEWAY : some_keeper(w), SHORTLY_MS);
		(void)watch(w, MINUTE);
	}
	soak_must(w, told(w, IKE_NOTE_UP) == handshakes, "for returns handshakes are made");
	soak_must(w, w->n_returns >= returns + n / 4, "nobody dies");
}

static struct soak_count hour_of(struct soak *w, uint64_t hour)
{
	good_network(w);
	watch_returns(w);
	trouble(w, hour);
	good_network(w);
	run_s(w, CALM_TAKES);
	return watch(w, HOUR - TROUBLE_ENDS - CALM_TAKES);
}

/* All is taken down, and up again. */
static struct soak_count rest(struct soak *w)
{
	struct soak_count c;

	soak_command(w, IKE_EV_DOWN);
	run_s(w, REST);
	c = soak_count(w);
	soak_must(w, c.ike_sas + c.plane_sas + c.tickets + c.half_open + soak_slots(w) == 0,
		  "%" PRIu64 " IKE SAs, %" PRIu64 " SAs, %" PRIu64 " tickets, %zu SPIs are left",
		  c.ike_sas, c.plane_sas, c.tickets, soak_slots(w));
	soak_command(w, IKE_EV_UP);
	run_s(w, MINUTE);
	return c;
}

static void tell(const char *what, const struct soak_count *c)
{
	printf("%-10s %6" PRIu64 " IKE SAs, %6" PRIu64 " SAs in planes, %6" PRIu64
	       " tickets, %6" PRIu64 " timers, %9" PRIu64 " bytes, %6" PRIu64
	       " records of %7" PRIu64 "\n",
	       what, c->ike_sas, c->plane_sas, c->tickets, c->timers, c->bytes, c->records,
	       c->record_bytes);
	fflush(stdout);
}

/* Means differ by what was under way. */
static void must_not_grow(struct soak *w, const char *what, uint64_t before, uint64_t after)
{
	soak_must(w, after <= before + before / 500 + 4,
		  "%s have grown from %" PRIu64 " to %" PRIu64, what, before, after);
}

static void compare(struct soak *w, const struct soak_count *a, const struct soak_count *b)
{
	must_not_grow(w, "IKE SAs", a->ike_sas, b->ike_sas);
	must_not_grow(w, "SAs in planes", a->plane_sas, b->plane_sas);
	must_not_grow(w, "tickets", a->tickets, b->tickets);
	must_not_grow(w, "timers", a->timers, b->timers);
	/* ... and by what connections remember of their last failure. */
	soak_must(w, b->bytes <= a->bytes + a->bytes / 32 + LEAK / 4,
		  "bytes have grown from %" PRIu64 " to %" PRIu64, a->bytes, b->bytes);
	must_not_grow(w, "records", a->records, b->records);
	must_not_grow(w, "bytes of records", a->record_bytes, b->record_bytes);
}

/* ---- eight hours asleep ---- */

enum { NIGHT = 8 * HOUR, MORNING = 10 * MINUTE, STORM_PER_PEER = 12 };

static void sleep_all(struct soak *w, bool peers)
{
	for (size_t i = 0; i < w->n_nodes; i++) {
		if (peers == (i != SOAK_GATEWAY))
			soak_sleep(w, i);
	}
}

/* All wake at one moment: how many messages the worst second has. */
static uint64_t wake_all(struct soak *w, bool jumps)
{
	uint64_t worst = 0;

	for (size_t i = 0; i < w->n_nodes; i++) {
		if (w->node[i].asleep)
			soak_wake(w, i, jumps);
	}
	for (unsigned s = 0; s < MORNING && !w->failed; s++) {
		uint64_t before = w->n_delivered + w->n_lost;

		run_s(w, 1);
		before = w->n_delivered + w->n_lost - before;
		worst = before > worst ? before : worst;
	}
	return worst;
}

/* The gateway, or every peer, sleeps for eight hours. */
static void night(struct soak *w, bool peers, bool jumps)
{
	uint64_t worst;
	size_t lost;

	good_network(w);
	sleep_all(w, peers);
	run_s(w, NIGHT);
	worst = wake_all(w, jumps);
	lost = soak_packets(w);
	printf("%s slept, the clock %s: at most %" PRIu64 " messages in a second\n",
	       peers ? "all peers" : "the gateway", jumps ? "jumps" : "stood still", worst);
	fflush(stdout);
	soak_must(w, lost == 0, "after a night %zu packets are lost", lost);
	soak_must(w, worst <= STORM_PER_PEER * (w->n_nodes - 1), "a storm: %" PRIu64 " messages",
		  worst);
}

static void nights(struct soak *w)
{
	for (unsigned i = 0; i < 4 && !w->failed; i++)
		night(w, i & 1, i & 2);
}

/* ---- the whole ---- */

static void leak(struct soak *w)
{
	static void *last;
	void **p;

	w->forgotten -= memory_live();
	p = calloc(1, LEAK);
	if (p)
		*p = last;
	last = p;
	w->forgotten += memory_live();
}

static void run(struct soak *w, const struct choice *c)
{
	struct soak_count first = { 0 }, last = { 0 }, rest_first = { 0 }, rest_last = { 0 };
	const uint64_t from = 2 + c->hours % 2; /* the gateway's records are as in the last one */

	good_network(w);
	run_s(w, MINUTE);
	for (uint64_t hour = 1; hour <= c->hours && !w->failed; hour++) {
		char what[32];

		last = hour_of(w, hour);
		if (w->broken == SOAK_LEAKS)
			leak(w);
		if (hour == from)
			first = last;
		snprintf(what, sizeof(what), "hour %" PRIu64, hour);
		tell(what, &last);
		if (hour == c->hours && !w->broken)
			nights(w);
		if (hour != from && hour != c->hours)
			continue;
		rest_last = rest(w);
		if (hour == from)
			rest_first = rest_last;
		tell("at rest", &rest_last);
	}
	if (w->failed || c->hours < from)
		return;
	compare(w, &first, &last);
	compare(w, &rest_first, &rest_last);
}

/* What is done wrong is found, by a few peers in a few hours. */
static bool control_is_found(struct soak *w, enum soak_broken broken)
{
	static const char *const whys[] = {
		[SOAK_LEAKS] = "bytes have grown",
		[SOAK_LEAKS_AT_RETURN] = "an engine has left",
		[SOAK_KEEPS_RECORDS] = "records are kept, not",
		[SOAK_KEEPS_SAS] = "are left",
	};
	const struct choice c = { .hours = 4, .peers = 10, .seed = 1 };
	bool found;

	if (soak_begin(w, c.peers, c.seed)) {
		w->broken = broken;
		run(w, &c);
	}
	found = w->failed && strstr(w->why, whys[broken]);
	printf("control %d: %s%s\n", broken, found ? "" : "FAILED: ",
	       w->failed ? w->why : "nobody sees it");
	soak_end(w);
	return found;
}

static unsigned controls_unfound(struct soak *w)
{
	unsigned n = 0;

	for (enum soak_broken broken = SOAK_WHOLE + 1; broken < N_SOAK_BROKEN; broken++)
		n += !control_is_found(w, broken);
	return n;
}

static bool parse(int argc, char **argv, struct choice *c)
{
	static const struct option options[] = {
		{ "hours", required_argument, NULL, 'h' },
		{ "peers", required_argument, NULL, 'p' },
		{ "seed", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'h')
			c->hours = strtoull(optarg, NULL, 10);
		else if (o == 'p')
			c->peers = strtoull(optarg, NULL, 10);
		else if (o == 's')
			c->seed = strtoull(optarg, NULL, 10);
		else
			return false;
	}
	return c->hours > 0 && c->peers > 0 && c->peers <= SOAK_PEERS_MAX;
}

int main(int argc, char **argv)
{
	static struct soak w;
	const char *sample = getenv("MATRIX_SAMPLE");
	struct choice c = { .hours = sample ? 4 : 24, .peers = 100, .seed = 1 };
	unsigned unfound;

	if (!parse(argc, argv, &c))
		return 2;
	ke_pretend(true);
	unfound = controls_unfound(&w);
	if (soak_begin(&w, c.peers, c.seed))
		run(&w, &c);
	soak_end(&w);
	printf("%" PRIu64 " handshakes, %" PRIu64 " IKE rekeys, %" PRIu64
	       " Child rekeys (each end's), %" PRIu64 " moves; %" PRIu64 " messages, %" PRIu64
	       " lost, %" PRIu64 " packets; %" PRIu64 " engines went on; %u s of a processor\n",
	       told(&w, IKE_NOTE_UP), told(&w, IKE_NOTE_REKEYED), told(&w, IKE_NOTE_CHILD_REKEYED),
	       told(&w, IKE_NOTE_MOVED), w.n_delivered, w.n_lost, w.n_packets,
	       w.n_returns, (unsigned)(clock() / CLOCKS_PER_SEC));
	if (w.failed)
		printf("FAILED  postern-soak --hours %" PRIu64 " --peers %" PRIu64
		       " --seed %" PRIu64 "\n        %s\n",
		       c.hours, c.peers, c.seed, w.why);
	printf("%u%%: Checks: %u, Failures: %u, Errors: 0\n", w.failed || unfound ? 0u : 100u,
	       (unsigned)N_SOAK_BROKEN, (unsigned)w.failed + unfound);
	return w.failed || unfound;
}
