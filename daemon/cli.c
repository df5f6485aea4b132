/* SPDX-License-Identifier: Apache-2.0 */
/* `postern`: verbs are rows of a const table, from which help, completion and suggestions are made.
 */
#include "daemon/cli.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "conf/schema.h"
#include "config.h"

/* Of a daemon that lives, with any number of connections. */
enum { ANSWER_SECONDS = 10 };

static const struct cli_verb verbs[] = {
	{ "status", "[NAME]", 0, 1, ANSWER_SECONDS, CLI_EVERY_DAY,
	  "what is up, and why the rest is not", cli_status },
	{ "up", "NAME", 1, 1, 0, CLI_EVERY_DAY, "start a connection or child and wait", cli_up },
	{ "down", "NAME", 1, 1, 0, CLI_EVERY_DAY, "stop it and lift its guards", cli_down },
	{ "rekey", "NAME", 1, 1, ANSWER_SECONDS, CLI_TROUBLE,
	  "new keys now: of children, --ike, or --reauthenticate", cli_rekey },
	{ "watch", "[NAME]", 0, 1, 0, CLI_EVERY_DAY, "print events until Ctrl-C", cli_watch },
	{ "check", "[FILE]", 0, 1, 0, CLI_EVERY_DAY, "judge a configuration, change nothing",
	  cli_check },
	{ "reload", "", 0, 0, 0, CLI_EVERY_DAY, "apply it, touching only what differs",
	  cli_reload },
	{ "upgrade", "", 0, 0, 0, CLI_EVERY_DAY, "go on as the program that is installed now",
	  cli_upgrade },
	{ "wait", "NAME", 1, 1, 0, CLI_EVERY_DAY, "wait until it is up: for scripts", cli_wait },
	{ "explain", "[NAME]", 0, 1, ANSWER_SECONDS, CLI_TROUBLE,
	  "the last refusals, both sides compared", cli_explain },
	{ "guard", "show|on|off", 1, 1, 0, CLI_TROUBLE, "what is held back while nothing is up",
	  cli_guard },
	{ "leave-for-restart", "", 0, 0, 0, CLI_NOBODY, "", cli_leave_for_restart },
	{ "help", "[VERB]", 0, 1, 0, CLI_TROUBLE, "this text", cli_help },
	{ "version", "", 0, 0, 0, CLI_TROUBLE, "the version", cli_version },
};

enum { N_VERBS = sizeof(verbs) / sizeof(verbs[0]) };

enum option_id {
	OPT_CONFIG = 256,
	OPT_RUN_DIR,
	OPT_STATE_DIR,
	OPT_JSON,
	OPT_TIMEOUT,
	OPT_CHECK,
	OPT_VERBS,
	OPT_CHILD,
	OPT_IKE,
	OPT_REAUTHENTICATE,
	OPT_NAMES,
	OPT_VERSION
};

static const struct option options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "state-dir", required_argument, NULL, OPT_STATE_DIR },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "names", no_argument, NULL, OPT_NAMES },
	{ "verbs", no_argument, NULL, OPT_VERBS },
	{ "child", no_argument, NULL, OPT_CHILD },
	{ "ike", no_argument, NULL, OPT_IKE },
	{ "reauthenticate", no_argument, NULL, OPT_REAUTHENTICATE },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 },
};

static void usage_print(FILE *to, const struct cli_verb *v)
{
	fprintf(to, "usage: postern %s%s%s\n", v->name, v->args[0] ? " " : "", v->args);
}

static void verbs_print(enum cli_when when)
{
	for (size_t i = 0; i < N_VERBS; i++) {
		if (verbs[i].when == when)
			printf("  %-7s %-12s %s\n", verbs[i].name, verbs[i].args, verbs[i].brief);
	}
}

static const struct cli_verb *verb_find(const char *name)
{
	const char *near = NULL;
	unsigned int distance, nearest = 3;

	for (size_t i = 0; i < N_VERBS; i++) {
		distance = word_distance(verbs[i].name, name);
		if (distance == 0)
			return &verbs[i];
		if (distance < nearest && verbs[i].when != CLI_NOBODY) {
			nearest = distance;
			near = verbs[i].name;
		}
	}
	fprintf(stderr, "error: postern has no verb `%s`", name);
	if (near)
		fprintf(stderr, ": did you mean `%s`?", near);
	fprintf(stderr, "\n  try      %s\n",
		strncmp(name, "log", 3) == 0 ? "journalctl -u posternd, or postern watch"
					     : "postern help");
	return NULL;
}

static int verb_help(const char *name)
{
	const struct cli_verb *v = verb_find(name);

	if (!v)
		return CLI_USAGE;
	usage_print(stdout, v);
	printf("  %s\n  all verbs and options: postern help, postern(8)\n", v->brief);
	return CLI_DONE;
}

int cli_help(const struct cli *cli)
{
	if (cli->n_args > 0)
		return verb_help(cli->args[0]);
	for (size_t i = 0; cli->verbs && i < N_VERBS; i++) {
		if (verbs[i].when != CLI_NOBODY)
			puts(verbs[i].name);
	}
	if (cli->verbs)
		return CLI_DONE;
	printf("postern asks and commands posternd, the IKEv2 gateway daemon.\n\n"
	       "usage: postern VERB [NAME] [options]    NAME is a connection or connection/child\n\n"
	       "every day\n");
	verbs_print(CLI_EVERY_DAY);
	printf("when something is wrong\n");
	verbs_print(CLI_TROUBLE);
	printf("options\n"
	       "  --json, --quiet (-q), --verbose (-v), --timeout SECONDS, --help, --version\n"
	       "  --config FILE, --run-dir DIR, --state-dir DIR\n"
	       "  status --check: exit 1 unless all that is wanted is up; status --names\n\n"
	       "example: postern check && postern reload && postern up office\n"
	       "exit: 0 done, 1 refused or failed, 2 usage, 3 no daemon, 4 timed out\n");
	return CLI_DONE;
}

int cli_version(const struct cli *cli)
{
	(void)cli;
	printf("postern %s\n", PACKAGE_VERSION);
	return CLI_DONE;
}

static bool timeout_parse(const char *s, int *timeout)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (end == s || *end || n < 1 || n > 86400) {
		fprintf(stderr, "error: --timeout takes seconds from 1 to 86400, not `%s`\n", s);
		return false;
	}
	*timeout = (int)n;
	return true;
}

/* False: wrong, and said. */
static bool option_take(struct cli *cli, int id, bool *help, bool *version)
{
	switch (id) {
	case OPT_CONFIG:
		cli->config = optarg;
		return true;
	case OPT_RUN_DIR:
		cli->run_dir = optarg;
		return true;
	case OPT_STATE_DIR: /* as posternd takes it; no verb looks there */
		return true;
	case OPT_TIMEOUT:
		return timeout_parse(optarg, &cli->timeout_s);
	case OPT_JSON:
		return cli->json = true;
	case OPT_CHECK:
		return cli->all_up = true;
	case OPT_NAMES:
		return cli->names = true;
	case OPT_VERBS:
		return cli->verbs = true;
	case OPT_CHILD:
		return true; /* unless something else is said */
	case OPT_IKE:
		return cli->ike = true;
	case OPT_REAUTHENTICATE:
		return cli->proof = true;
	case 'q':
		return cli->quiet = true;
	case 'v':
		return cli->verbose = true;
	case 'h':
		return *help = true;
	case OPT_VERSION:
		return *version = true;
	default:
		fprintf(stderr, "  try      postern help\n");
		return false;
	}
}

static int verb_run(struct cli *cli, int argc, char **argv)
{
	const struct cli_verb *v = verb_find(argv[optind]);

	if (!v)
		return CLI_USAGE;
	cli->n_args = argc - optind - 1;
	if (cli->n_args < v->least || cli->n_args > v->most) {
		fputs("error: ", stderr);
		usage_print(stderr, v);
		return CLI_USAGE;
	}
	for (int i = 0; i < cli->n_args; i++)
		cli->args[i] = argv[optind + 1 + i];
	cli->any_answer = cli->timeout_s == 0 && v->answer_s > 0;
	if (cli->any_answer)
		cli->timeout_s = v->answer_s;
	return v->run(cli);
}

int main(int argc, char **argv)
{
	struct cli cli = { .config = "/etc/postern/postern.conf", .run_dir = "/run/postern" };
	bool help = false, version = false;
	int id;

	while ((id = getopt_long(argc, argv, "qvh", options, NULL)) != -1) {
		if (!option_take(&cli, id, &help, &version))
			return CLI_USAGE;
	}
	if (version)
		return cli_version(&cli);
	if (help && optind < argc) {
		cli.n_args = 1;
		cli.args[0] = argv[optind];
	}
	if (help || optind >= argc)
		return cli_help(&cli);
	return verb_run(&cli, argc, argv);
}
