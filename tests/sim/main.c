/* SPDX-License-Identifier: Apache-2.0 */
/* Runs scenarios over seeds:
 *
 *	postern-sim [--scenario NAME] [--seeds N] [--first N] [--seed S] [--trace] [--list]
 *
 * Every run that fails is named with the command that repeats it. The last line is a tally of runs.
 * Without --seeds there are 200 of each scenario; with MATRIX_SAMPLE=5 a fifth of that.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/world.h"

enum { SEEDS = 200, SHOWN_PER_SCENARIO = 5, RUN_SECONDS = 60 };

struct choice {
	const char *scenario;
	uint64_t first;
	uint64_t n;
	bool list;
};

struct tally {
	uint64_t runs;
	uint64_t failures;
	uint64_t missed;
	uint64_t messages;
};

static const struct sim_scenario *const tables[] = {
	scenarios_up,	     scenarios_links,	 scenarios_faults,  scenarios_refusals,
	scenarios_attacks,   scenarios_insider,	 scenarios_middle,  scenarios_life,
	scenarios_chaos,     scenarios_mobike,	 scenarios_moves,   scenarios_suites,
	scenarios_transport, scenarios_children, scenarios_create,  scenarios_downgrade,
	scenarios_forged,    scenarios_qcd,	 scenarios_rekey,   scenarios_rekey_ike,
	scenarios_reauth,    scenarios_redirect, scenarios_standby, scenarios_restore,
	scenarios_return,
};

const struct sim_scenario *sim_scenario(size_t i)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		for (const struct sim_scenario *sc = tables[t]; sc->name; sc++) {
			if (i-- == 0)
				return sc;
		}
	}
	return NULL;
}

/* A loop without an end cannot be ended from inside: say which run it is. */
static char at_alarm[128];

static void on_alarm(int signal)
{
	(void)signal;
	(void)!write(STDERR_FILENO, at_alarm, strlen(at_alarm));
	_exit(3);
}

static void run_one(const struct sim_scenario *sc, uint64_t seed, struct tally *t)
{
	struct sim *s = sim_new(sc->conf, sc->net, seed);
	char why[512];
	bool good, missed;

	if (!s)
		exit(2);
	snprintf(at_alarm, sizeof(at_alarm),
		 "HANGS  postern-sim --scenario %s --seed %" PRIu64 "\n", sc->name, seed);
	alarm(RUN_SECONDS);
	if (!sim_failed(s))
		sc->run(s);
	t->messages += s->n_delivered;
	missed = sim_missed(s);
	good = sim_free(s, why);
	t->runs++;
	t->missed += missed;
	t->failures += !good;
	if (!good && t->failures <= SHOWN_PER_SCENARIO)
		printf("FAILED  postern-sim --trace --scenario %s --seed %" PRIu64 "\n        %s\n",
		       sc->name, seed, why);
}

static void run_scenario(const struct sim_scenario *sc, const struct choice *c, struct tally *all)
{
	struct tally t = { 0 };

	for (uint64_t i = 0; i < c->n; i++)
		run_one(sc, c->first + i, &t);
	if (t.missed * 1000 > t.runs * sc->may_miss && t.missed > (sc->may_miss > 0)) {
		t.failures++;
		printf("FAILED  %s: %" PRIu64 " of %" PRIu64 " runs missed it\n", sc->name,
		       t.missed, t.runs);
	}
	printf("%-32s %6" PRIu64 " runs, %" PRIu64 " failed, %" PRIu64 " missed, %" PRIu64
	       " messages\n",
	       sc->name, t.runs, t.failures, t.missed, t.messages);
	fflush(stdout);
	all->runs += t.runs;
	all->failures += t.failures;
	all->messages += t.messages;
}

static int parse(int argc, char **argv, struct choice *c)
{
	static const struct option options[] = {
		{ "scenario", required_argument, NULL, 's' },
		{ "seeds", required_argument, NULL, 'n' },
		{ "first", required_argument, NULL, 'f' },
		{ "seed", required_argument, NULL, '1' },
		{ "trace", no_argument, NULL, 't' },
		{ "list", no_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 's')
			c->scenario = optarg;
		else if (o == 'n')
			c->n = strtoull(optarg, NULL, 10);
		else if (o == 'f')
			c->first = strtoull(optarg, NULL, 10);
		else if (o == '1')
			*c = (struct choice){ c->scenario, strtoull(optarg, NULL, 10), 1, c->list };
		else if (o == 't')
			trace_set(true);
		else if (o == 'l')
			c->list = true;
		else
			return 2;
	}
	return 0;
}

static uint64_t seeds_of_sample(void)
{
	const char *sample = getenv("MATRIX_SAMPLE");
	uint64_t every = sample ? strtoull(sample, NULL, 10) : 1;

	return every > 0 && every < SEEDS ? SEEDS / every : 1;
}

int main(int argc, char **argv)
{
	struct choice c = { .first = 1, .n = seeds_of_sample() };
	const struct sim_scenario *sc;
	struct tally all = { 0 };

	if (parse(argc, argv, &c) != 0)
		return 2;
	signal(SIGALRM, on_alarm);
	for (size_t i = 0; (sc = sim_scenario(i)); i++) {
		if (c.scenario && strcmp(c.scenario, sc->name) != 0)
			continue;
		if (c.list)
			printf("%-32s %s\n", sc->name, sc->promise);
		else
			run_scenario(sc, &c, &all);
	}
	if (c.list)
		return 0;
	printf("%" PRIu64 " messages delivered\n", all.messages);
	printf("%" PRIu64 "%%: Checks: %" PRIu64 ", Failures: %" PRIu64 ", Errors: 0\n",
	       all.runs > 0 ? (all.runs - all.failures) * 100 / all.runs : 0, all.runs,
	       all.failures);
	return all.failures > 0 || all.runs == 0;
}
