/* SPDX-License-Identifier: Apache-2.0 */
/* Notes in words: the steps of an attempt, a refusal with both sides compared, and the lines of
 * `watch`. */
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "daemon/cli.h"

enum { FACT_COLUMN = 11 }; /* behind the label of a fact */
enum { STANDING_MAX = 200 };

static void fact_print(FILE *to, const json_t *n, const char *key, const char *label)
{
	const char *s = json_string_value(json_object_get(n, key));

	if (!s)
		return;
	fprintf(to, "  %-8s ", label);
	cli_wrap(to, FACT_COLUMN, FACT_COLUMN, s);
}

void cli_note_error(FILE *to, const json_t *n)
{
	const char *child = json_string_value(json_object_get(n, "child"));
	char line[400];

	snprintf(line, sizeof(line), "error: %s: %s%s%s: %s", cli_str(n, "reason", "refused"),
		 cli_str(n, "connection", "no connection"), child ? "/" : "", child ? child : "",
		 cli_str(n, "meaning", "it was refused"));
	cli_wrap(to, 0, 2, line);
	fact_print(to, n, "offered", "offered");
	/* Both the same: then it was not they that differed. */
	if (strcmp(cli_str(n, "wanted", ""), cli_str(n, "got", "")) != 0) {
		fact_print(to, n, "wanted", "wanted");
		fact_print(to, n, "got", cli_true(n, "proved") ? "proved" : "got");
	}
	fact_print(to, n, "text", "so");
	fact_print(to, n, "fix", "try");
}

static const char *nat_words(const json_t *n)
{
	if (cli_true(n, "nat_here") && cli_true(n, "nat_there"))
		return "both sides behind a NAT";
	if (cli_true(n, "nat_here"))
		return "we are behind a NAT";
	return cli_true(n, "nat_there") ? "it is behind a NAT" : "no NAT between";
}

static void seconds_print(json_int_t ms)
{
	printf("%lld.%lld s", (long long)(ms / 1000), (long long)(ms % 1000 / 100));
}

/* What took longer than an answer does was sent again, or the peer was not there at first. */
static void answered_print(const json_t *n, const char *peer)
{
	const json_int_t ms = cli_num(n, "took_ms");

	if (ms < 1000)
		printf("%s answered in %lld ms, %s\n", peer, (long long)ms, nat_words(n));
	else
		printf("%s answered, %lld s after the first try, %s\n", peer,
		       (long long)(ms / 1000), nat_words(n));
}

/* One finished step of `up`. What is no step of it is left to `watch`. */
static void step_print(const json_t *n)
{
	const char *event = cli_str(n, "event", ""), *peer = cli_str(n, "peer", "the peer");

	if (strcmp(event, "answered") == 0) {
		answered_print(n, peer);
	} else if (strcmp(event, "proved") == 0) {
		printf("it proved to be %s (%s)\n", cli_str(n, "identity", "?"),
		       cli_str(n, "scheme", "pre-shared key"));
	} else if (strcmp(event, "hint") == 0) {
		printf("%s says \"%s\"; unproven, so the attempt goes on\n", peer,
		       cli_str(n, "meaning", "?"));
	} else if (strcmp(event, "child_up") == 0) {
		char line[700];

		snprintf(line, sizeof(line), "%s carries %s (%s, %s, MTU %lld)",
			 cli_str(n, "child", "-"), cli_str(n, "text", "traffic"),
			 cli_str(n, "dataplane", "-"), cli_str(n, "suite", "-"),
			 (long long)cli_num(n, "mtu_bytes"));
		cli_wrap(stdout, 0, 2, line);
	}
	fflush(stdout);
}

struct up {
	const struct cli *cli;
	json_int_t took_ms; /* until the IKE SA stood; -1: it stood before */
	bool told;	    /* a refusal was printed */
	json_t *refusal;    /* the last one; owned, NULL: none came */
	char reason[48];    /* of the last one of our call, or by a peer with proof; "": none */
	char so[128];	    /* what is so now, when it is not simply up */
};

/* A peer that is asked again says the same again. */
static bool is_news(const struct up *u, const json_t *n)
{
	static const char *const keys[] = { "event", "child", "reason", "text", "role", "got" };

	for (size_t i = 0; u->refusal && i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!json_equal(json_object_get(u->refusal, keys[i]), json_object_get(n, keys[i])))
			return true;
	}
	return !u->refusal;
}

static void refusal_take(struct up *u, const json_t *n)
{
	if (!u->cli->json && is_news(u, n)) {
		cli_note_error(stderr, n);
		u->told = true;
	}
	/* Anybody can call, and be refused: that is no answer to us. */
	if (cli_true(n, "proved") || strcmp(cli_str(n, "role", ""), "initiator") == 0)
		snprintf(u->reason, sizeof(u->reason), "%s", cli_str(n, "reason", "refused"));
	json_decref(u->refusal);
	u->refusal = json_deep_copy(n);
}

static void up_line(void *ctx, const json_t *n)
{
	struct up *u = ctx;
	const char *event = cli_str(n, "event", "");
	bool refused = strcmp(event, "refused") == 0 || strcmp(event, "child_failed") == 0;

	if (strcmp(event, "connection_up") == 0)
		u->took_ms = cli_num(n, "took_ms");
	if (u->cli->json)
		cli_print_json(json_deep_copy(n));
	if (refused && !cli_true(n, "next_address")) {
		refusal_take(u, n);
	} else if (u->cli->json) {
		return;
	} else if (cli_true(n, "next_address")) {
		if (!u->cli->quiet)
			printf("%s: %s; its next address is tried\n",
			       cli_str(n, "peer", "the peer"), cli_str(n, "meaning", "?"));
	} else if (!u->cli->quiet) {
		step_print(n);
	}
}

struct standing {
	const char *child; /* NULL: the whole connection */
	bool off, waiting;
};

static void standing_line(void *ctx, const json_t *line)
{
	const char *state = cli_str(line, "state", "");
	const json_t *children = json_object_get(line, "children");
	struct standing *s = ctx;

	if (strcmp(cli_str(line, "kind", ""), "connection") != 0)
		return;
	s->off = strcmp(state, "off") == 0;
	s->waiting = strcmp(state, "waiting") == 0;
	for (size_t i = 0; s->child && i < json_array_size(children); i++) {
		const json_t *k = json_array_get(children, i);

		if (strcmp(s->child, cli_str(k, "name", "")) == 0)
			s->off = s->off || (!cli_true(k, "wanted") && !s->waiting);
	}
}

/* The time is over: does anything go on? Only of what has a name there is more to ask. */
static const char *standing_words(const struct cli *cli, char buf[static STANDING_MAX])
{
	const char *name = cli->args[0], *slash = name ? strchr(name, '/') : NULL;
	struct cli ask = { .run_dir = cli->run_dir, .timeout_s = 2, .args = { name } };
	struct standing s = { .child = slash ? slash + 1 : NULL };
	json_t *end = NULL;

	if (name)
		(void)cli_ask(&ask, "status", standing_line, &s, &end);
	json_decref(end);
	if (s.off)
		snprintf(buf, STANDING_MAX, "it is off: postern up %.150s", name);
	else
		snprintf(buf, STANDING_MAX, "it %s: postern status",
			 s.waiting ? "waits to be started" : "goes on");
	return buf;
}

/* The last word, unless a refusal said it already. */
static int end_print(const struct cli *cli, const char *name, int code, json_t *end, bool told)
{
	char so[STANDING_MAX];

	if (end && cli->json) {
		cli_print_json(end);
		return code;
	}
	if (end && code != CLI_DONE && !told)
		fprintf(stderr, "error: %s: %s: %s\n", cli_str(end, "reason", "refused"),
			name ? name : "posternd",
			cli_str(end, "text", cli_str(end, "meaning", "it was refused")));
	if (code == CLI_TIMEOUT && !end)
		fprintf(stderr, "error: no-answer: %s: not done after %d s; %s\n",
			name ? name : "posternd", cli->timeout_s, standing_words(cli, so));
	json_decref(end);
	return code;
}

/* The time is over, and there was an answer: that, and not silence, is what it ends with. */
static int late_print(const struct up *u)
{
	if (!u->cli->json)
		fprintf(stderr, "error: %s: %s: not done after %d s; it goes on: postern status\n",
			u->reason, u->cli->args[0], u->cli->timeout_s);
	return CLI_REFUSED;
}

static int ask_steps(const struct cli *cli, const char *verb, struct up *u)
{
	json_t *end;
	int code;

	*u = (struct up){ .cli = cli, .took_ms = -1 };
	code = cli_ask(cli, verb, up_line, u, &end);
	snprintf(u->so, sizeof(u->so), "%s", cli_str(end, "text", ""));
	if (code == CLI_TIMEOUT && !end && u->reason[0])
		code = late_print(u);
	else
		code = end_print(cli, cli->args[0], code, end, u->told);
	json_decref(u->refusal);
	u->refusal = NULL;
	return code;
}

/* A child that is up with less than is configured is up. */
static void less_line(void *ctx, const json_t *line)
{
	const struct cli *cli = ctx;
	const char *slash = strchr(cli->args[0], '/');

	cli_less_print(line, slash ? slash + 1 : NULL);
}

static void less_tell(const struct cli *cli)
{
	json_t *end;

	(void)cli_ask(cli, "status", less_line, (void *)(uintptr_t)cli, &end);
	json_decref(end);
}

static int ask_until_up(const struct cli *cli, const char *verb)
{
	struct up u;
	int code = ask_steps(cli, verb, &u);

	if (code != CLI_DONE || cli->quiet || cli->json)
		return code;
	if (u.so[0] != '\0') {
		printf("%s %s\n", cli->args[0], u.so);
		return code;
	}
	printf("%s is up", cli->args[0]);
	if (u.took_ms >= 0) {
		printf(" (");
		seconds_print(u.took_ms);
		putchar(')');
	}
	putchar('\n');
	less_tell(cli);
	return code;
}

int cli_up(const struct cli *cli)
{
	return ask_until_up(cli, "up");
}

int cli_wait(const struct cli *cli)
{
	return ask_until_up(cli, "wait");
}

struct downed {
	const char *child; /* NULL: all */
	bool device, plain;
};

static void downed_line(void *ctx, const json_t *line)
{
	const json_t *children = json_object_get(line, "children");
	struct downed *d = ctx;

	for (size_t i = 0; i < json_array_size(children); i++) {
		const json_t *k = json_array_get(children, i);

		if (d->child && strcmp(d->child, cli_str(k, "name", "")) != 0)
			continue;
		if (json_is_string(json_object_get(k, "interface")))
			d->device = true;
		else
			d->plain = true;
	}
}

/* What becomes of the packets. A device stays, and drops what is routed into it. */
static void downed_print(const struct cli *cli)
{
	const char *slash = strchr(cli->args[0], '/');
	struct downed d = { .child = slash ? slash + 1 : NULL };
	json_t *end;

	(void)cli_ask(cli, "status", downed_line, &d, &end);
	json_decref(end);
	if (d.device && !d.plain)
		printf("%s is down: what is routed into its interface is dropped; what is routed "
		       "elsewhere may leave in clear\n",
		       cli->args[0]);
	else
		printf("%s is down; its guards are lifted: its packets may leave in clear%s\n",
		       cli->args[0],
		       d.device ? ", but what is routed into an interface of it is dropped" : "");
}

int cli_down(const struct cli *cli)
{
	struct up u;
	int code = ask_steps(cli, "down", &u);

	if (code == CLI_DONE && !cli->quiet && !cli->json)
		downed_print(cli);
	return code;
}

int cli_rekey(const struct cli *cli)
{
	const char *verb = cli->proof ? "reauthenticate" : cli->ike ? "rekey-ike" : "rekey";
	struct up u;
	int code;

	if ((cli->proof || cli->ike) && strchr(cli->args[0], '/')) {
		fprintf(stderr, "error: a child has no IKE SA of its own: name its connection\n");
		return CLI_USAGE;
	}
	code = ask_steps(cli, verb, &u);
	if (code == CLI_DONE && !cli->quiet && !cli->json)
		printf("the peer is asked for %s; until they are there %s carries on\n",
		       cli->proof ? "new proofs of both ends"
		       : cli->ike ? "new keys of the IKE SA"
				  : "new keys",
		       cli->args[0]);
	return code;
}

struct successor {
	char version[CLI_WORDS_MAX];
	char not_upgraded[128]; /* why it is the same program; "": it is not */
};

static void successor_line(void *ctx, const json_t *line)
{
	const json_t *daemon = json_object_get(line, "daemon");
	struct successor *s = ctx;

	if (!daemon)
		return;
	snprintf(s->version, sizeof(s->version), "%s", cli_str(daemon, "version", "?"));
	snprintf(s->not_upgraded, sizeof(s->not_upgraded), "%s",
		 cli_str(daemon, "not_upgraded", ""));
}

/* The answer was that of an engine that left. The next one knows how it went on, of whichever
 * program it is. */
static int successor_ask(const struct cli *cli, struct successor *s, json_t *end)
{
	struct cli all = { .run_dir = cli->run_dir, .timeout_s = cli->timeout_s };
	json_t *answered;
	int code = cli_ask(&all, "status", successor_line, s, &answered);

	json_decref(answered);
	if (code != CLI_DONE || s->not_upgraded[0] == '\0')
		return code;
	json_object_set_new(end, "ok", json_false());
	json_object_set_new(end, "reason", json_string(err_slug(ERR_SYSTEM)));
	json_object_set_new(end, "meaning", json_string(err_text(ERR_SYSTEM)));
	json_object_set_new(end, "exit", json_integer(err_row(ERR_SYSTEM)->exit_code));
	json_object_set_new(
		end, "text",
		json_sprintf("the other program could not be executed (%s), and %s goes on",
			     s->not_upgraded, s->version));
	return err_row(ERR_SYSTEM)->exit_code;
}

int cli_upgrade(const struct cli *cli)
{
	struct up u = { .cli = cli };
	struct successor s = { .version = "?" };
	json_t *end;
	int code = cli_ask(cli, "upgrade", up_line, &u, &end);

	if (code == CLI_DONE)
		code = successor_ask(cli, &s, end);
	code = end_print(cli, NULL, code, end, false);
	if (code == CLI_DONE && !cli->quiet && !cli->json)
		printf("posternd %s goes on with every tunnel\n", s.version);
	return code;
}

static void reloaded_print(const json_t *end)
{
	const json_t *changes = json_object_get(end, "changes");

	for (size_t i = 0; i < json_array_size(changes); i++)
		printf("%s\n", json_string_value(json_array_get(changes, i)));
	printf("the configuration is loaded; %s\n",
	       json_array_size(changes) > 0 ? "all other connections were left alone"
					    : "no connection has changed");
}

int cli_reload(const struct cli *cli)
{
	struct up u = { .cli = cli };
	json_t *end;
	int code = cli_ask(cli, "reload", up_line, &u, &end);
	const char *text = json_string_value(json_object_get(end, "text"));

	if (!end || cli->json)
		return end_print(cli, NULL, code, end, false);
	if (text)
		fprintf(stderr, "%s%s", text,
			text[0] && text[strlen(text) - 1] == '\n' ? "" : "\n");
	if (code == CLI_DONE && !cli->quiet)
		reloaded_print(end);
	else if (code != CLI_DONE)
		fprintf(stderr, "error: %s: the running configuration is as before\n",
			cli_str(end, "reason", "refused"));
	json_decref(end);
	return code;
}

static void watch_words(const json_t *n)
{
	const char *event = cli_str(n, "event", "");

	if (strcmp(event, "connection_up") == 0) {
		printf("%s, ", cli_str(n, "identity", "?"));
		seconds_print(cli_num(n, "took_ms"));
	} else if (strcmp(event, "child_up") == 0 || strcmp(event, "answered") == 0) {
		printf("%s", cli_str(n, "text", cli_str(n, "peer", "")));
	} else if (strcmp(event, "proved") == 0) {
		printf("%s, %s", cli_str(n, "identity", "?"),
		       cli_str(n, "scheme", "pre-shared key"));
	} else {
		printf("%s", cli_str(n, "reason", cli_str(n, "peer", "")));
		if (strcmp(event, "refused") == 0 || strcmp(event, "child_failed") == 0)
			printf(": %s", cli_str(n, "text", cli_str(n, "meaning", "?")));
		if (cli_num(n, "next_try_ms") >= 1000)
			printf(", next try in %lld s",
			       (long long)(cli_num(n, "next_try_ms") / 1000));
		else if (cli_num(n, "next_try_ms") > 0)
			printf(", next try at once");
	}
}

static void watch_line(void *ctx, const json_t *n)
{
	const struct cli *cli = ctx;
	const char *child = json_string_value(json_object_get(n, "child"));
	char name[160], when[16];
	time_t now = time(NULL);
	struct tm tm;

	if (cli->json) {
		cli_print_json(json_deep_copy(n));
		return;
	}
	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%H:%M:%S", &tm);
	snprintf(name, sizeof(name), "%s%s%s", cli_str(n, "connection", "-"), child ? "/" : "",
		 child ? child : "");
	printf("%s %-11s %-11s ", when, name, cli_str(n, "event", "-"));
	watch_words(n);
	putchar('\n');
	fflush(stdout);
}

int cli_watch(const struct cli *cli)
{
	json_t *end;
	int code;

	code = cli_ask(cli, "watch", watch_line, (void *)(uintptr_t)cli, &end);
	/* A watch that was given a time ends with it: that is what was asked for. */
	return code == CLI_TIMEOUT && !end ? CLI_DONE
					   : end_print(cli, cli->args[0], code, end, false);
}
