/* SPDX-License-Identifier: Apache-2.0 */
/* A day of a gateway with a hundred peers (soak.h), each child with new keys every minute, each IKE
 * SA every five:
 *
 *	postern-soak [--hours N] [--peers N] [--seed S]
 *
 * Each hour has half an hour of trouble: up to 30 % of all datagrams are lost, the others overtake
 * each other, peers move to other addresses, are killed and begin anew, fall asleep, and wake with
 * a clock that stood still or has jumped; every other hour the gateway is killed. Before that and
 * after it the network is good, and then each packet between each two ends is taken at each second.
 * In the end the gateway sleeps for eight hours, then all peers, by either kind of clock: all is
 * up again soon, and nobody has sent more than a few messages in a second for each tunnel.
 *
 * In the second hour and in the last one all is taken down: what is left is as much both times.
 *
 * First some memory is forgotten each hour, which has to be found. With MATRIX_SAMPLE set, four
 * hours are a day.
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
enum { CALM_TAKES = 10 * MINUTE, WATCHED = 5 * MINUTE, REST = 3 * MINUTE };

struct choice {
	uint64_t hours, peers, seed;
	bool control;
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

/* Whoever was killed begins anew; some who sleep wake. */
static void some_come_back(struct soak *w, bool all)
{
	for (size_t i = 0; i < w->n_nodes; i++) {
		if (!w->node[i].e)
			soak_live(w, i);
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
		if (s % 90 == 0)
			to_some_peer(w, soak_sleep);
		if (hour % 2 == 1 && s == 15 * MINUTE)
			soak_kill(w, SOAK_GATEWAY);
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
		run_s(w, 1);
	}
	return (struct soak_count){ sum.ike_sas / seconds, sum.plane_sas / seconds,
				    sum.tickets / seconds, sum.half_open / seconds,
				    sum.timers / seconds,  sum.bytes / seconds };
}

static struct soak_count hour_of(struct soak *w, uint64_t hour)
{
	good_network(w);
	(void)watch(w, TROUBLE_BEGINS);
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
	soak_must(w, c.ike_sas + c.plane_sas + c.tickets + c.half_open == 0,
		  "%" PRIu64 " IKE SAs, %" PRIu64 " SAs, %" PRIu64 " tickets are left", c.ike_sas,
		  c.plane_sas, c.tickets);
	soak_command(w, IKE_EV_UP);
	run_s(w, MINUTE);
	return c;
}

static void tell(const char *what, const struct soak_count *c)
{
	printf("%-10s %6" PRIu64 " IKE SAs, %6" PRIu64 " SAs in planes, %6" PRIu64
	       " tickets, %6" PRIu64 " timers, %9" PRIu64 " bytes\n",
	       what, c->ike_sas, c->plane_sas, c->tickets, c->timers, c->bytes);
	fflush(stdout);
}

/* Means differ by what was under way, and by what connections remember of their last failure. */
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
	must_not_grow(w, "bytes", a->bytes, b->bytes);
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

	w->engine_bytes -= memory_live();
	p = calloc(1, LEAK);
	if (p)
		*p = last;
	last = p;
	w->engine_bytes += memory_live();
}

static void run(struct soak *w, const struct choice *c)
{
	struct soak_count first = { 0 }, last = { 0 }, rest_first = { 0 }, rest_last = { 0 };

	good_network(w);
	run_s(w, MINUTE);
	for (uint64_t hour = 1; hour <= c->hours && !w->failed; hour++) {
		char what[32];

		last = hour_of(w, hour);
		if (c->control)
			leak(w);
		if (hour == 1)
			first = last;
		snprintf(what, sizeof(what), "hour %" PRIu64, hour);
		tell(what, &last);
		if (hour == c->hours && !c->control)
			nights(w);
		if (hour != 2 && hour != c->hours)
			continue;
		rest_last = rest(w);
		if (hour == 2)
			rest_first = rest_last;
		tell("at rest", &rest_last);
	}
	if (w->failed || c->hours < 2)
		return;
	compare(w, &first, &last);
	compare(w, &rest_first, &rest_last);
}

/* A leak is found, by a few peers in a few hours. */
static bool control_is_found(struct soak *w)
{
	const struct choice c = { .hours = 3, .peers = 10, .seed = 1, .control = true };
	bool found;

	if (soak_begin(w, c.peers, c.seed))
		run(w, &c);
	found = w->failed && strstr(w->why, "bytes have grown");
	printf("control: %s\n", found ? w->why : "FAILED: nobody sees it");
	soak_end(w);
	return found;
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

static uint64_t told(const struct soak *w, enum ike_note_kind kind)
{
	uint64_t n = 0;

	for (size_t i = 0; i < w->n_nodes; i++)
		n += w->node[i].n_notes[kind];
	return n;
}

int main(int argc, char **argv)
{
	static struct soak w;
	const char *sample = getenv("MATRIX_SAMPLE");
	struct choice c = { .hours = sample ? 4 : 24, .peers = 100, .seed = 1 };
	bool found;

	if (!parse(argc, argv, &c))
		return 2;
	ke_pretend(true);
	found = control_is_found(&w);
	if (soak_begin(&w, c.peers, c.seed))
		run(&w, &c);
	printf("%" PRIu64 " handshakes, %" PRIu64 " IKE rekeys, %" PRIu64
	       " Child rekeys (each end's), %" PRIu64 " moves; %" PRIu64 " messages, %" PRIu64
	       " lost, %" PRIu64 " packets; %u s of a processor\n",
	       told(&w, IKE_NOTE_UP), told(&w, IKE_NOTE_REKEYED), told(&w, IKE_NOTE_CHILD_REKEYED),
	       told(&w, IKE_NOTE_MOVED), w.n_delivered, w.n_lost, w.n_packets,
	       (unsigned)(clock() / CLOCKS_PER_SEC));
	if (w.failed)
		printf("FAILED  postern-soak --hours %" PRIu64 " --peers %" PRIu64
		       " --seed %" PRIu64 "\n        %s\n",
		       c.hours, c.peers, c.seed, w.why);
	soak_end(&w);
	printf("%u%%: Checks: 2, Failures: %u, Errors: 0\n", w.failed || !found ? 0u : 100u,
	       (unsigned)w.failed + !found);
	return w.failed || !found;
}
