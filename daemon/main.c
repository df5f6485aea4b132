/* SPDX-License-Identifier: Apache-2.0 */
/* posternd: one program, six processes. A person (or systemd) starts the monitor; the monitor
 * starts the others as `posternd --role=NAME`. Who does what stands in daemon/role.c.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/monitor.h"
#include "daemon/options.h"
#include "daemon/processes.h"

/* Is fd 2 the journal? JOURNAL_STREAM names its device and inode (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
	const char *v = getenv("JOURNAL_STREAM");
	uint64_t dev, ino;
	struct stat st;

	if (v == NULL || sscanf(v, "%" SCNu64 ":%" SCNu64, &dev, &ino) != 2 ||
	    fstat(STDERR_FILENO, &st) != 0)
		return false;
	return st.st_dev == dev && st.st_ino == ino;
}

/* A descriptor 0, 1 or 2 that is closed would be given to a socket, and the next message to stderr
 * sent there. */
static void standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int run_role(const struct options *o)
{
	switch (o->role) {
	case ROLE_MONITOR:
		return monitor_main(o);
	case ROLE_ENGINE:
		return engine_main(o);
	case ROLE_SIGNER:
		return signer_main(o);
	case ROLE_VERIFIER:
		return verifier_main(o);
	case ROLE_ESP:
		return esp_main(o);
	case ROLE_FETCHER:
		return fetcher_main(o);
	case N_ROLES:
		break;
	}
	return EXIT_USAGE;
}

/* The gateway's own events need no sender; only what the helpers say of themselves does. */
static const char *log_name(enum role r)
{
	return r == ROLE_MONITOR || r == ROLE_ENGINE ? NULL : role_row(r)->name;
}

int main(int argc, char **argv)
{
	struct options o;
	int code;

	standard_fds();
	if (!options_parse(argc, argv, &o, &code))
		return code;
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	log_setup(o.level, stderr_is_journal() ? LOG_FORM_JOURNAL : LOG_FORM_TIMED,
		  log_name(o.role));
	return run_role(&o);
}
