/* SPDX-License-Identifier: Apache-2.0 */
/* The command that people type. cli.c has the verbs and options, cli_ask.c talks to the daemon,
 * cli_status.c and cli_note.c say in words what it answered, cli_leave.c is what a service manager
 * calls, cli_local.c does what needs no daemon, cli_text.c has the small words.
 *
 * The answer goes to stdout, all else to stderr. Exit: 0 done, 1 refused or failed, 2 usage, 3 no
 * daemon, 4 timed out.
 */
#ifndef DAEMON_CLI_H
#define DAEMON_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CLI_DONE = 0, CLI_REFUSED = 1, CLI_USAGE = 2, CLI_NO_DAEMON = 3, CLI_TIMEOUT = 4 };

struct cli {
	const char *config;
	const char *run_dir;
	bool json;
	bool quiet;
	bool verbose;
	bool all_up;	 /* status --check */
	bool names;	 /* status --names: for completion and scripts */
	bool verbs;	 /* help --verbs: for completion */
	bool ike, proof; /* rekey --ike, rekey --reauthenticate */
	int timeout_s;	 /* 0: none */
	bool any_answer; /* ... and it is over with the first line */
	const char *args[4];
	int n_args;
	json_t *also; /* members of the request besides; borrowed, NULL: none */
};

/* Where help has it. */
enum cli_when { CLI_EVERY_DAY, CLI_TROUBLE, CLI_NOBODY };

struct cli_verb {
	const char *name;
	const char *args; /* as help shows them */
	int least, most;  /* arguments */
	int answer_s;	  /* so soon a daemon begins to answer; 0: it may wait */
	enum cli_when when;
	const char *brief;
	int (*run)(const struct cli *cli);
};

/* ---- asking the daemon (cli_ask.c) ---- */

/* Called with each line of the answer but the last; borrowed. */
typedef void cli_line_fn(void *ctx, const json_t *line);

/* Sends one request ({"do": verb, "name": the first argument or null}, and cli->also) and reads to
 * the end of the answer. CLI_NO_DAEMON, CLI_TIMEOUT and what goes wrong on the way are said on
 * stderr. *end is the last line (a new reference), NULL unless the answer came whole. */
int cli_ask(const struct cli *cli, const char *verb, cli_line_fn *fn, void *ctx, json_t **end);

/* ---- words (cli_text.c) ---- */

enum { CLI_WORDS_MAX = 32 };
const char *cli_bytes(json_int_t n, char buf[static CLI_WORDS_MAX]);	/* "8.1 MiB" */
const char *cli_duration(json_int_t s, char buf[static CLI_WORDS_MAX]); /* "3h12m" */
/* Seconds since an RFC 3339 time. */
json_int_t cli_ago(const char *rfc3339);
/* A member as text; `otherwise` when it is null or missing. */
const char *cli_str(const json_t *o, const char *key, const char *otherwise);
json_int_t cli_num(const json_t *o, const char *key);
bool cli_true(const json_t *o, const char *key);
/* All strings of a member array joined by ", " */
const char *cli_join(const json_t *o, const char *key, char *buf, size_t size);
/* "not wholly carried: 10.1.0.0/16; the peer ..." of a child; "" when all that is configured is */
enum { CLI_LESS_MAX = 1200 };
const char *cli_less(const json_t *child, char buf[static CLI_LESS_MAX]);
/* The same, of those children of a connection, or of one; returns how many. */
size_t cli_less_print(const json_t *connection, const char *child);
/* "4 messages sent, no answer for 12s" of a connection; "" when it waits for no answer */
enum { CLI_ATTEMPT_MAX = CLI_WORDS_MAX + 80 };
const char *cli_attempt(const json_t *connection, char buf[static CLI_ATTEMPT_MAX]);
/* Prints `text` where column `at` is reached, broken at blanks so that 80 columns suffice; further
 * lines begin at column `indent`. Ends the line. */
void cli_wrap(FILE *to, size_t at, size_t indent, const char *text);
/* Words that go into a JSON line of stdout. */
void cli_print_json(json_t *o); /* takes the reference */

/* ---- verbs ---- */

int cli_status(const struct cli *cli);
int cli_up(const struct cli *cli);
int cli_wait(const struct cli *cli);
int cli_down(const struct cli *cli);
int cli_rekey(const struct cli *cli);
int cli_watch(const struct cli *cli);
int cli_reload(const struct cli *cli);
int cli_upgrade(const struct cli *cli);
int cli_leave_for_restart(const struct cli *cli);
int cli_explain(const struct cli *cli);
int cli_check(const struct cli *cli);
int cli_guard(const struct cli *cli);
int cli_help(const struct cli *cli);
int cli_version(const struct cli *cli);

/* The last line of `status`, and of all connections another one about peers that fit none. */
void cli_summary(const json_t *summary, const json_t *connections, bool one);
/* The block of a refusal: `error: SLUG: WHERE: what`, then offered, wanted, got, try. */
void cli_note_error(FILE *to, const json_t *note);

#endif
