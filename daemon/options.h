/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of posternd. */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include "base/err.h"
#include "daemon/role.h"

enum {
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_LEFT = 75,	  /* EX_TEMPFAIL: RestartForceExitStatus of the unit */
	EXIT_CONFIG = 78, /* EX_CONFIG: RestartPreventExitStatus of the unit */
};

/* With a descriptor: go on with what it says, or say whether you could. */
#define OPTION_TAKE_OVER "take-over"
#define OPTION_CHECK	 "check-take-over"

struct options {
	const char *config;
	const char *run_dir;
	const char *state_dir;
	enum log_level level;
	enum role role;
	bool role_given; /* started by the monitor, not by a person */
	int take_over;	 /* the descriptor of a record (daemon/handover.h); -1: none */
	bool check;	 /* ... that is only to be judged */
	char **argv;	 /* as we were called */
};

/* False: there is nothing more to do (--help, --version, a wrong option: all said already), exit
 * with *code. */
bool options_parse(int argc, char **argv, struct options *o, int *code);

/* Is it the argument that another posternd adds, and nobody else? */
bool options_take_over(const char *argument);

#endif
