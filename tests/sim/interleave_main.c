/* SPDX-License-Identifier: Apache-2.0 */
/* All cases of tests/sim/interleave.h:
 *
 *	postern-interleave                          at most one datagram is lost or overtakes
 *	postern-interleave --faults 2               at most two, and all of the rest
 *	postern-interleave --faults 2 --part 3/8    an eighth of it
 *	postern-interleave --only TEXT              pairs whose line of --list has this in it
 *	postern-interleave --pair PAIR [--case WAY] [--trace]
 *	postern-interleave --list
 *
 * MATRIX_SAMPLE=5 is as --part 1/5. Each case that fails is named with the command that repeats it.
 * What is broken on purpose is found first. The last line is a tally of cases.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/interleave.h"
#include "tests/sim/world.h"

enum { SHOWN_PER_PAIR = 3, CASE_SECONDS = 60, NAME_MAX_LEN = 128 };

struct choice {
	unsigned faults;
	uint64_t part, parts;
	const char *only; /* of the names */
	const char *way;  /* NULL: all */
	const char *control;
	bool list;
};

struct tally {
	uint64_t pairs, cases, failures, messages;
};

/* ---- pairs ---- */

static const char *const sides[] = { "left", "right" };

/* "ike-rekey:left,child-rekey:right,low:left,busy,slow" */
static const char *name_of(const struct il_pair *p, char name[static NAME_MAX_LEN])
{
	snprintf(name, NAME_MAX_LEN, "%s:%s,%s:%s,low:%s,%s,%s", il_name(p->what[0]),
		 sides[p->at[0]], il_name(p->what[1]), sides[p->at[1]], sides[p->lower],
		 p->busy ? "busy" : "idle", p->slow ? "slow" : "fast");
	return name;
}

/* The nth of all that there may be, the last being the one behind which there is none. Those that
 * are no other case than another one are left out. */
static bool pair_at(uint64_t nth, unsigned faults, struct il_pair *p, bool *counts)
{
	*p = (struct il_pair){ .faults = faults };
	p->what[0] = (enum il_what)(nth % N_IL_WHAT);
	nth /= N_IL_WHAT;
	p->what[1] = (enum il_what)(nth % N_IL_WHAT);
	nth /= N_IL_WHAT;
	p->at[0] = nth & 1 ? RIGHT : LEFT;
	p->at[1] = nth & 2 ? RIGHT : LEFT;
	p->lower = nth & 4 ? RIGHT : LEFT;
	p->busy = nth & 8;
	p->slow = nth & 16;
	*counts = p->lower == LEFT || il_may_cross(p);
	return nth < 32;
}

/* The short form has each pair of things, ends and orders of nonces, with packets or without. */
static bool is_short(const struct il_pair *p)
{
	return !p->slow && p->busy == ((p->at[0] == LEFT) == (p->lower == LEFT));
}

/* ---- cases ---- */

/* A loop without an end cannot be ended from inside: say which case it is. */
static const char *running;
static const struct explore *running_way;

static void on_alarm(int signal)
{
	char way[EXPLORE_TEXT_MAX];

	(void)signal;
	printf("HANGS  postern-interleave --pair %s --case '%s'\n", running,
	       explore_text(running_way, way));
	fflush(stdout);
	_exit(3);
}

static void tell(const struct il_pair *p, const struct explore *x, const char *why)
{
	char name[NAME_MAX_LEN], way[EXPLORE_TEXT_MAX];

	printf("FAILED  postern-interleave --trace --faults %u --pair %s --case '%s'\n        %s\n",
	       p->faults, name_of(p, name), explore_text(x, way), why);
	fflush(stdout);
}

static void run_pair(const struct il_pair *p, const struct choice *c, struct tally *all)
{
	static struct explore x;
	struct tally t = { 0 };
	char name[NAME_MAX_LEN];

	running = name_of(p, name);
	running_way = &x;
	explore_begin(&x, c->way);
	do {
		struct il_result r;

		alarm(CASE_SECONDS);
		r = il_run(p, &x, NULL);
		t.cases++;
		t.messages += r.messages;
		t.failures += r.why[0] != '\0';
		if (r.why[0] && t.failures <= SHOWN_PER_PAIR)
			tell(p, &x, r.why);
	} while (explore_next(&x));
	printf("%-64s %7" PRIu64 " cases, %" PRIu64 " failed\n", running, t.cases, t.failures);
	fflush(stdout);
	all->pairs++;
	all->cases += t.cases;
	all->failures += t.failures;
	all->messages += t.messages;
}

/* Of both ends that make keys for the same child. */
static bool control_is_found(const struct il_control *control, uint64_t *cases)
{
	static struct explore x;
	const struct il_pair p = { .what = { IL_CHILD_REKEY, IL_CHILD_REKEY },
				   .at = { LEFT, RIGHT },
				   .faults = 1 };

	explore_begin(&x, NULL);
	do {
		struct il_result r = il_run(&p, &x, control);
		char way[EXPLORE_TEXT_MAX];

		++*cases;
		if (!r.why[0] || !strstr(r.why, control->found_by))
			continue;
		printf("control %-10s found in case %" PRIu64 " '%s': %s\n", control->name, *cases,
		       explore_text(&x, way), r.why);
		return true;
	} while (explore_next(&x));
	printf("FAILED  control %s: nobody sees it\n", control->name);
	return false;
}

static void run_controls(struct tally *all)
{
	for (const struct il_control *c = il_controls; c->name; c++) {
		uint64_t cases = 0;

		all->failures += !control_is_found(c, &cases);
		all->cases++;
	}
}

static void run_all(const struct choice *c, struct tally *all)
{
	struct il_pair p;
	uint64_t n = 0;
	bool counts;

	for (uint64_t i = 0; pair_at(i, c->faults, &p, &counts); i++) {
		char name[NAME_MAX_LEN];

		if (!counts || (c->faults < 2 && !c->way && !is_short(&p)))
			continue;
		if ((c->only && !strstr(name_of(&p, name), c->only)) || n++ % c->parts != c->part)
			continue;
		if (c->list)
			printf("%s\n", name_of(&p, name));
		else
			run_pair(&p, c, all);
	}
}

static bool parse(int argc, char **argv, struct choice *c)
{
	static const struct option options[] = {
		{ "faults", required_argument, NULL, 'l' },
		{ "part", required_argument, NULL, 'p' },
		{ "only", required_argument, NULL, 'o' },
		{ "pair", required_argument, NULL, 'o' },
		{ "case", required_argument, NULL, 'c' },
		{ "trace", no_argument, NULL, 't' },
		{ "list", no_argument, NULL, 'L' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'l')
			c->faults = (unsigned)strtoul(optarg, NULL, 10);
		else if (o == 'p' &&
			 sscanf(optarg, "%" SCNu64 "/%" SCNu64, &c->part, &c->parts) == 2)
			c->part--;
		else if (o == 'o')
			c->only = optarg;
		else if (o == 'c')
			c->way = optarg;
		else if (o == 't')
			trace_set(true);
		else if (o == 'L')
			c->list = true;
		else
			return false;
	}
	return c->parts > 0 && c->part < c->parts;
}

int main(int argc, char **argv)
{
	const char *sample = getenv("MATRIX_SAMPLE");
	struct choice c = { .faults = 1, .parts = sample ? strtoull(sample, NULL, 10) : 1 };
	struct tally all = { 0 };

	if (!parse(argc, argv, &c))
		return 2;
	signal(SIGALRM, on_alarm);
	if (!c.list && !c.only)
		run_controls(&all);
	run_all(&c, &all);
	if (c.list)
		return 0;
	printf("%" PRIu64 " pairs, %" PRIu64 " cases, %" PRIu64 " messages delivered\n", all.pairs,
	       all.cases, all.messages);
	printf("%" PRIu64 "%%: Checks: %" PRIu64 ", Failures: %" PRIu64 ", Errors: 0\n",
	       all.cases > 0 ? (all.cases - all.failures) * 100 / all.cases : 0, all.cases,
	       all.failures);
	return all.failures > 0 || all.cases == 0;
}
