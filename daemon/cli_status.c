/* SPDX-License-Identifier: Apache-2.0 */
/* `postern status` in 80 columns: what is up since when, with whom, by which suite, on which data
 * plane; what is not, and why. `postern explain` tells the last refusal whole.
 */
#include <string.h>

#include "daemon/cli.h"

/* Where the words begin behind a child's name and state, and behind the label of a fact. */
enum { CHILD_COLUMN = 21, FACT_COLUMN = 10, TIMES_MAX = CLI_WORDS_MAX + 48 };

struct status {
	const struct cli *cli;
	json_t *connections; /* all of them, for the assembled JSON */
	json_t *summary;
};

static const char *suite_words(const json_t *c, char *buf, size_t size)
{
	const json_t *ike = json_object_get(c, "ike"), *groups = json_object_get(ike, "groups");
	const char *group = json_string_value(json_array_get(groups, 0));

	snprintf(buf, size, "%s %s", group ? group : "", cli_str(ike, "encryption", ""));
	return buf;
}

/* Who carries it and why; of hardware only when it helps. */
static void plane_print(const json_t *k)
{
	const char *why = cli_str(k, "dataplane_why", ""), *offload = cli_str(k, "offload", "no");
	bool kernel = strcmp(cli_str(k, "dataplane", ""), "kernel") == 0;
	char line[400];

	snprintf(line, sizeof(line), "%s%s: %s%s%s",
		 cli_true(k, "carried") ? "carried by " : "not carried by ",
		 kernel ? "the kernel" : "userspace ESP", why,
		 strcmp(offload, "no") != 0 ? "; offload: " : "",
		 strcmp(offload, "no") != 0 ? offload : "");
	printf("%*s", CHILD_COLUMN, "");
	cli_wrap(stdout, CHILD_COLUMN, CHILD_COLUMN, line);
}

/* A pair of SAs counts for itself: with new keys it begins anew. */
static void traffic_print(const json_t *k)
{
	char in[CLI_WORDS_MAX], out[CLI_WORDS_MAX], age[CLI_WORDS_MAX], line[300];

	snprintf(line, sizeof(line), "in %s, out %s by keys %s old; %s%s, MTU %lld",
		 cli_bytes(cli_num(k, "in_bytes"), in), cli_bytes(cli_num(k, "out_bytes"), out),
		 cli_duration(cli_ago(cli_str(k, "since", "")), age), cli_str(k, "encryption", "-"),
		 cli_true(k, "esn") ? "" : ", no ESN", (long long)cli_num(k, "mtu_bytes"));
	printf("%*s", CHILD_COLUMN, "");
	cli_wrap(stdout, CHILD_COLUMN, CHILD_COLUMN, line);
}

static void child_print(const struct cli *cli, const json_t *k)
{
	char local[512], remote[512], line[1100];
	char less[CLI_LESS_MAX];
	bool up = strcmp(cli_str(k, "state", ""), "up") == 0;
	const char *interface = json_string_value(json_object_get(k, "interface"));
	/* Beside a device the host's own routes are open; what is led into it goes nowhere. */
	const char *how = cli_true(k, "guarded") ? "guarded" : interface ? "down" : "open";

	snprintf(line, sizeof(line), "%s = %s", cli_join(k, "local", local, sizeof(local)),
		 cli_join(k, "remote", remote, sizeof(remote)));
	printf("  %-7s %-10s ", cli_str(k, "name", "-"), up ? cli_str(k, "dataplane", "-") : how);
	cli_wrap(stdout, CHILD_COLUMN, CHILD_COLUMN, line);
	if (cli_less(k, less)[0]) {
		printf("%*s", CHILD_COLUMN, "");
		cli_wrap(stdout, CHILD_COLUMN, CHILD_COLUMN, less);
	}
	if (up)
		traffic_print(k);
	plane_print(k);
	if (!up && cli_num(k, "tries") > 0 && json_is_integer(json_object_get(k, "next_try_in_s")))
		printf("%*s%lld tries, next in %lld s\n", CHILD_COLUMN, "",
		       (long long)cli_num(k, "tries"), (long long)cli_num(k, "next_try_in_s"));
	if (cli_num(k, "pairs") > 1)
		printf("%*sthe peer has made it %lld times; the newest pair sends\n", CHILD_COLUMN,
		       "", (long long)cli_num(k, "pairs"));
	if (up && cli->verbose)
		printf("%*s%s mode; SPI in %s, out %s; %lld packets in, %lld out\n", CHILD_COLUMN,
		       "", cli_str(k, "mode", "-"), cli_str(k, "spi_in", "-"),
		       cli_str(k, "spi_out", "-"), (long long)cli_num(k, "in_packets"),
		       (long long)cli_num(k, "out_packets"));
}

static void fact_print(const char *label, const char *text)
{
	printf("  %-7s ", label);
	cli_wrap(stdout, FACT_COLUMN, FACT_COLUMN, text);
}

static void failure_print(const json_t *f, const char *when)
{
	const char *got = json_string_value(json_object_get(f, "got")),
		   *fix = json_string_value(json_object_get(f, "fix"));

	char why[600];

	snprintf(why, sizeof(why), "%s: %s%s", cli_str(f, "reason", "-"),
		 cli_str(f, "text", cli_str(f, "meaning", "-")), when);
	fact_print("why", why);
	if (got)
		fact_print(cli_true(f, "proved") ? "proved" : "got", got);
	if (fix)
		fact_print("fix", fix);
}

/* "8 times, last 3s ago" */
static const char *times_words(const json_t *refusal, char buf[static TIMES_MAX])
{
	const json_int_t times = cli_num(refusal, "times");
	char ago[CLI_WORDS_MAX];

	cli_duration(cli_ago(cli_str(refusal, "time", "")), ago);
	if (times > 1)
		snprintf(buf, TIMES_MAX, "%lld times, last %s ago", (long long)times, ago);
	else
		snprintf(buf, TIMES_MAX, "%s ago", ago);
	return buf;
}

/* The last failure is that refusal, which the daemon has told with more. */
static bool is_told_by(const json_t *refusal, const json_t *failure)
{
	return json_is_object(refusal) && strcmp(cli_str(failure, "event", ""), "refused") == 0 &&
	       strcmp(cli_str(failure, "role", ""), "responder") == 0 &&
	       strcmp(cli_str(failure, "reason", ""), cli_str(refusal, "reason", "")) == 0;
}

/* By a command that another one has undone since. */
static bool was_undone(const json_t *c, const json_t *failure)
{
	return strcmp(cli_str(failure, "reason", ""), "closed-by-operator") == 0 &&
	       strcmp(cli_str(c, "state", ""), "off") != 0;
}

/* Both: the peer that refuses us may be one that we refuse, and then our own reason says more. */
static void reasons_print(const json_t *c)
{
	const json_t *failure = json_object_get(c, "last_failure"),
		     *refusal = json_object_get(c, "last_refusal");
	char words[TIMES_MAX], when[TIMES_MAX + 4];

	if (json_is_object(refusal) && !cli_true(refusal, "over")) {
		snprintf(when, sizeof(when), " (%s)", times_words(refusal, words));
		failure_print(refusal, when);
	}
	if (json_is_object(failure) && !is_told_by(refusal, failure) && !was_undone(c, failure))
		failure_print(failure, "");
}

static bool weak_is(const json_t *c, const char *what)
{
	const json_t *weak = json_object_get(c, "weak");

	for (size_t i = 0; i < json_array_size(weak); i++) {
		const char *word = json_string_value(json_array_get(weak, i));

		if (word && strcmp(word, what) == 0)
			return true;
	}
	return false;
}

static void weak_print(const json_t *c)
{
	bool ike = weak_is(c, "ike"), children = weak_is(c, "children");
	char line[300];

	if (!weak_is(c, "policy"))
		return;
	snprintf(line, sizeof(line), "its policy allows %s%s%s%s%s",
		 cli_str(c, "weak_algorithms", "what is no longer sound"),
		 ike || children ? "; in use by " : "", ike ? "the IKE SA" : "",
		 ike && children ? " and " : "", children ? "children" : "");
	fact_print("weak", line);
}

/* Of several peers for the same networks. */
static void priority_print(const json_t *c)
{
	char line[200];

	if (!json_is_integer(json_object_get(c, "priority")))
		return;
	snprintf(line, sizeof(line), "%lld%s", (long long)cli_num(c, "priority"),
		 cli_true(c, "passed_over")
			 ? "; passed over, for it does not answer: packets go to "
			   "another peer for its networks, if one is up"
			 : "");
	printf("  %-8s ", "priority");
	cli_wrap(stdout, FACT_COLUMN + 1, FACT_COLUMN + 1, line);
}

static void up_words(const json_t *c, const json_t *remote)
{
	char suite[64], since[CLI_WORDS_MAX], state[CLI_WORDS_MAX + 4], line[400];
	int at;

	snprintf(state, sizeof(state), "up %s",
		 cli_duration(cli_ago(cli_str(c, "since", "")), since));
	at = printf("%-9s %-10s %-14s ", cli_str(c, "name", "-"), state,
		    cli_str(remote, "address", "-"));
	snprintf(line, sizeof(line), "%s, %s", cli_str(remote, "identity", "-"),
		 suite_words(c, suite, sizeof(suite)));
	cli_wrap(stdout, at > 0 ? (size_t)at : 0, CHILD_COLUMN, line);
}

static void other_words(const json_t *c, const json_t *remote)
{
	const char *state = cli_str(c, "state", "-"), *name = cli_str(c, "name", "-");
	char attempt[CLI_ATTEMPT_MAX];
	int at;

	at = printf("%-9s %-10s %-14s ", name, state, cli_str(remote, "address", "any"));
	if (json_is_integer(json_object_get(c, "next_try_in_s")))
		printf("%lld tries, next in %lld s\n", (long long)cli_num(c, "tries"),
		       (long long)cli_num(c, "next_try_in_s"));
	else if (strcmp(state, "failing") == 0 && strcmp(cli_str(c, "start", ""), "traffic") == 0)
		printf("the next packet tries again\n");
	else if (strcmp(state, "failing") == 0)
		printf("start = %s: postern up %s\n", cli_str(c, "start", "manual"), name);
	else if (strcmp(state, "waiting") == 0)
		printf("%s starts it\n", strcmp(cli_str(c, "start", ""), "traffic") == 0
						 ? "the first packet"
						 : "the peer");
	else if (strcmp(state, "off") == 0)
		printf("start = %s: postern up %s\n", cli_str(c, "start", "manual"), name);
	else
		cli_wrap(stdout, at > 0 ? (size_t)at : 0, CHILD_COLUMN, cli_attempt(c, attempt));
}

/* Is it up with all children that have not been taken down (those are open, not guarded)? */
static bool whole_up(const json_t *c)
{
	const json_t *children = json_object_get(c, "children");

	if (strcmp(cli_str(c, "state", ""), "up") != 0)
		return false;
	for (size_t i = 0; i < json_array_size(children); i++) {
		const json_t *k = json_array_get(children, i);

		if (strcmp(cli_str(k, "state", ""), "up") != 0 && cli_true(k, "guarded"))
			return false;
	}
	return true;
}

static void spis_print(const json_t *c)
{
	char line[80];

	snprintf(line, sizeof(line), "of the IKE SA: local %s, remote %s",
		 cli_str(c, "spi_local", "-"), cli_str(c, "spi_remote", "-"));
	fact_print("SPI", line);
}

static void connection_print(const struct cli *cli, const json_t *c)
{
	const json_t *remote = json_object_get(c, "remote");
	const json_t *children = json_object_get(c, "children");
	bool up = strcmp(cli_str(c, "state", ""), "up") == 0;

	if (up)
		up_words(c, remote);
	else
		other_words(c, remote);
	if (up && cli->verbose)
		spis_print(c);
	weak_print(c);
	priority_print(c);
	if (!whole_up(c))
		reasons_print(c);
	for (size_t i = 0; i < json_array_size(children); i++)
		child_print(cli, json_array_get(children, i));
}

static void status_line(void *ctx, const json_t *line)
{
	struct status *s = ctx;

	if (strcmp(cli_str(line, "kind", ""), "connection") == 0)
		json_array_append_new(s->connections, json_deep_copy(line));
	else if (strcmp(cli_str(line, "kind", ""), "summary") == 0)
		s->summary = json_deep_copy(line);
}

/* The lines of the answer as one object. */
static json_t *status_assemble(const struct status *s)
{
	json_t *o = json_pack("{s:i, s:s}", "v", 1, "kind", "status");

	json_object_set(o, "time", json_object_get(s->summary, "time"));
	json_object_set(o, "summary", json_object_get(s->summary, "summary"));
	json_object_set(o, "daemon", json_object_get(s->summary, "daemon"));
	json_object_set(o, "unknown_peers", json_object_get(s->summary, "unknown_peers"));
	json_object_set(o, "connections", s->connections);
	return o;
}

static bool wanted_down(const json_t *o)
{
	return cli_true(o, "wanted") && strcmp(cli_str(o, "state", ""), "up") != 0;
}

/* Names on stderr what is wanted and not up: the connection, or those of its children. */
static size_t missing_print(const json_t *c)
{
	const json_t *children = json_object_get(c, "children");
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(children); i++) {
		const json_t *k = json_array_get(children, i);

		if (!wanted_down(k))
			continue;
		n++;
		fprintf(stderr, "%s/%s is wanted, and not up\n", cli_str(c, "name", "-"),
			cli_str(k, "name", "-"));
	}
	return n;
}

static bool all_wanted_up(const json_t *connections)
{
	size_t missing = 0;

	for (size_t i = 0; i < json_array_size(connections); i++)
		missing += missing_print(json_array_get(connections, i));
	return missing == 0;
}

static int status_ask(const struct cli *cli, struct status *s)
{
	json_t *end;
	int code;

	*s = (struct status){ .cli = cli, .connections = json_array() };
	code = cli_ask(cli, "status", status_line, s, &end);
	if (end && code != CLI_DONE)
		fprintf(stderr, "error: %s: %s: %s\n", cli_str(end, "reason", "refused"),
			cli->args[0] ? cli->args[0] : "posternd",
			cli_str(end, "text", cli_str(end, "meaning", "")));
	if (code == CLI_TIMEOUT)
		fprintf(stderr, "error: no-answer: the daemon did not answer in %d s\n",
			cli->timeout_s);
	json_decref(end);
	return code;
}

static void names_print(const json_t *c)
{
	const json_t *children = json_object_get(c, "children");

	puts(cli_str(c, "name", ""));
	for (size_t i = 0; i < json_array_size(children); i++)
		printf("%s/%s\n", cli_str(c, "name", ""),
		       cli_str(json_array_get(children, i), "name", ""));
}

int cli_status(const struct cli *cli)
{
	struct status s;
	int code = status_ask(cli, &s);

	if (code == CLI_DONE && cli->json) {
		cli_print_json(status_assemble(&s));
	} else if (code == CLI_DONE && cli->names) {
		for (size_t i = 0; i < json_array_size(s.connections); i++)
			names_print(json_array_get(s.connections, i));
	} else if (code == CLI_DONE && !cli->quiet) {
		for (size_t i = 0; i < json_array_size(s.connections); i++)
			connection_print(cli, json_array_get(s.connections, i));
		cli_summary(s.summary, s.connections, cli->args[0] != NULL);
	}
	if (code == CLI_DONE && cli->all_up && !all_wanted_up(s.connections))
		code = CLI_REFUSED;
	json_decref(s.connections);
	json_decref(s.summary);
	return code;
}

static void explain_print(const struct cli *cli, const json_t *f, const char *name, bool up)
{
	char when[TIMES_MAX];

	if (cli->json) {
		cli_print_json(json_deep_copy(f));
		return;
	}
	printf("%s, %s%s:\n", name, times_words(f, when), up ? "; it is up now" : "");
	cli_note_error(stdout, f);
}

static size_t explain_connection(const struct cli *cli, const json_t *c)
{
	const json_t *failure = json_object_get(c, "last_failure"),
		     *refusal = json_object_get(c, "last_refusal");
	const char *name = cli_str(c, "name", "-");
	char attempt[CLI_ATTEMPT_MAX];
	size_t n = 0;

	if (!cli->json && cli_attempt(c, attempt)[0]) {
		printf("%s: %s\n", name, attempt);
		n++;
	}
	if (json_is_object(refusal)) {
		explain_print(cli, refusal, name, whole_up(c));
		n++;
	}
	if (json_is_object(failure) && !is_told_by(refusal, failure)) {
		explain_print(cli, failure, name, whole_up(c));
		n++;
	}
	if (!cli->json)
		n += cli_less_print(c, NULL);
	return n;
}

/* What each connection failed and was refused for, then peers that fit none. */
static size_t explain_all(const struct cli *cli, const struct status *s)
{
	const json_t *strangers = json_object_get(s->summary, "unknown_peers");
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(s->connections); i++) {
		const json_t *c = json_array_get(s->connections, i);
		const char *before =
			i > 0 ? cli_str(json_array_get(s->connections, i - 1), "name", "") : "";

		/* Of one that takes anybody each peer has a line, and all have this in common. */
		if (strcmp(before, cli_str(c, "name", "-")) != 0)
			n += explain_connection(cli, c);
	}
	for (size_t i = 0; !cli->args[0] && i < json_array_size(strangers); i++, n++) {
		const json_t *f = json_array_get(strangers, i);

		explain_print(cli, f, cli_str(f, "peer", "a peer"), false);
	}
	return n;
}

/* An engine that died took what it knew of that with it. */
static void nothing_print(const json_t *daemon)
{
	char ago[CLI_WORDS_MAX];

	printf("nothing was refused since the engine began, %s ago\n",
	       cli_duration(cli_ago(cli_str(daemon, "started", "")), ago));
}

int cli_explain(const struct cli *cli)
{
	struct status s;
	int code = status_ask(cli, &s);

	if (code == CLI_DONE && explain_all(cli, &s) == 0 && !cli->json)
		nothing_print(json_object_get(s.summary, "daemon"));
	json_decref(s.connections);
	json_decref(s.summary);
	return code;
}
