/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

static const char usage[] =
	"posternd, IKEv2 gateway daemon. It runs in the foreground and logs to stderr.\n"
	"\n"
	"usage: posternd [option ...]\n"
	"  --config FILE      configuration (default /etc/postern/postern.conf)\n"
	"  --run-dir DIR      control socket (default /run/postern)\n"
	"  --state-dir DIR    is made, and not used yet (default /var/lib/postern)\n"
	"  --log-level LEVEL  error, warning, notice, info (default) or debug\n"
	"  --version, --help\n"
	"\n"
	"exit: 0 stopped, 1 failed, 2 usage, 75 left for a restart, 78 wrong configuration\n";

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "run-dir", required_argument, NULL, 'r' },
	{ "state-dir", required_argument, NULL, 's' },
	{ "log-level", required_argument, NULL, 'l' },
	{ "role", required_argument, NULL, 'R' },
	{ OPTION_TAKE_OVER, required_argument, NULL, 'T' },
	{ OPTION_CHECK, required_argument, NULL, 'C' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const struct {
	const char *name;
	enum log_level level;
} levels[] = {
	{ "error", LOG_LEVEL_ERROR },	{ "warning", LOG_LEVEL_WARNING },
	{ "notice", LOG_LEVEL_NOTICE }, { "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
};

/* A name, or its number as syslog(3) counts. */
static bool level_parse(const char *s, enum log_level *level)
{
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		const char digit[2] = { (char)('0' + levels[i].level), '\0' };

		if (strcmp(s, levels[i].name) == 0 || strcmp(s, digit) == 0) {
			*level = levels[i].level;
			return true;
		}
	}
	fprintf(stderr, "posternd: no log level `%s`: error, warning, notice, info or debug\n", s);
	return false;
}

static bool role_parse(const char *s, struct options *o)
{
	o->role_given = role_find(s, &o->role) && o->role != ROLE_MONITOR;
	if (!o->role_given)
		fprintf(stderr, "posternd: no role `%s`\n", s);
	return o->role_given;
}

/* Only a posternd says it, to the program that is to follow it. */
static bool record_parse(const char *s, struct options *o)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (end == s || *end != '\0' || n <= STDERR_FILENO || n > INT_MAX) {
		fprintf(stderr, "posternd: `%s` is no descriptor of a record\n", s);
		return false;
	}
	o->take_over = (int)n;
	return true;
}

static bool option_take(int c, struct options *o)
{
	switch (c) {
	case 'C':
		o->check = true;
		return record_parse(optarg, o);
	case 'T':
		return record_parse(optarg, o);
	case 'c':
		o->config = optarg;
		return true;
	case 'r':
		o->run_dir = optarg;
		return true;
	case 's':
		o->state_dir = optarg;
		return true;
	case 'l':
		return level_parse(optarg, &o->level);
	case 'R':
		return role_parse(optarg, o);
	default:
		return false;
	}
}

bool options_parse(int argc, char **argv, struct options *o, int *code)
{
	int c;

	*o = (struct options){
		.config = "/etc/postern/postern.conf",
		.run_dir = "/run/postern",
		.state_dir = "/var/lib/postern",
		.level = LOG_LEVEL_INFO,
		.role = ROLE_MONITOR,
		.take_over = -1,
		.argv = argv,
	};
	*code = EXIT_USAGE;
	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (c == 'h' || c == 'V') {
			fputs(c == 'h' ? usage : PACKAGE_STRING "\n", stdout);
			*code = 0;
			return false;
		}
		if (!option_take(c, o)) {
			fputs("posternd --help tells what there is\n", stderr);
			return false;
		}
	}
	if (optind < argc)
		fprintf(stderr, "posternd: what is `%s`? posternd --help tells what there is\n",
			argv[optind]);
	return optind == argc;
}

bool options_take_over(const char *argument)
{
	static const char option[] = "--" OPTION_TAKE_OVER "=";

	return strncmp(argument, option, sizeof option - 1) == 0;
}
