/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of posternd. */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include "base/err.h"
#include "daemon/role.h"

enum {
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_CONFIG = 78, /* EX_CONFIG: RestartPreventExitStatus of the unit */
};

struct options {
	const char *config;
	const char *run_dir;
	const char *state_dir;
	enum log_level level;
	enum role role;
	bool role_given; /* started by the monitor, not by a person */
};

/* False: there is nothing more to do (--help, --version, a wrong option: all said already), exit
 * with *code. */
bool options_parse(int argc, char **argv, struct options *o, int *code);

#endif
