/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENV_MAX = 8, ENV_TEXT = 1024, EXIT_SPAWN = 71 /* EX_OSERR */ };

/* What a process may inherit: whether fd 2 is the journal, and what the sanitizers of test builds
 * want to know. An OPENSSL_CONF or LD_PRELOAD of the caller's is not among them. */
static const char *const env_names[] = {
	"JOURNAL_STREAM", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS",
};

struct spawn_args {
	char argv0[32];
	char role[32];
	char level[32];
	char *argv[4];
	char env_text[ENV_MAX][ENV_TEXT];
	char *env[ENV_MAX + 1];
};

static void args_fill(struct spawn_args *a, const struct spawn *s, enum role r)
{
	size_t n = 0;

	memset(a, 0, sizeof *a);
	snprintf(a->argv0, sizeof a->argv0, "postern-%s", role_row(r)->name);
	snprintf(a->role, sizeof a->role, "--role=%s", role_row(r)->name);
	snprintf(a->level, sizeof a->level, "--log-level=%d", (int)s->level);
	a->argv[0] = a->argv0;
	a->argv[1] = a->role;
	a->argv[2] = a->level;
	for (size_t i = 0; i < sizeof env_names / sizeof env_names[0]; i++) {
		const char *v = getenv(env_names[i]);

		if (v == NULL || strlen(v) > ENV_TEXT / 2)
			continue;
		snprintf(a->env_text[n], ENV_TEXT, "%s=%s", env_names[i], v);
		a->env[n] = a->env_text[n];
		n++;
	}
}

static void signals_default(void)
{
	sigset_t none;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
}

/* The program's descriptor is moved out of the way of ROLE_CHAN_FD; everything else closes on exec.
 */
static void child_exec(struct spawn_args *a, int exe, const struct user_ids *ids, int chan)
{
	int program = fcntl(exe, F_DUPFD_CLOEXEC, ROLE_CHAN_FD + 1);

	signals_default();
	if (program < 0 ||
	    (chan == ROLE_CHAN_FD ? fcntl(chan, F_SETFD, 0) : dup2(chan, ROLE_CHAN_FD)) < 0)
		_exit(EXIT_SPAWN);
	if (close_range(ROLE_CHAN_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC) != 0 ||
	    privilege_become(ids) != OK)
		_exit(EXIT_SPAWN);
	fexecve(program, a->argv, a->env);
	_exit(EXIT_SPAWN);
}

pid_t spawn_role(const struct spawn *s, enum role r, const struct user_ids *ids, int chan)
{
	struct spawn_args a;
	pid_t pid;

	args_fill(&a, s, r);
	pid = fork();
	if (pid == 0)
		child_exec(&a, s->exe, ids, chan);
	return pid;
}

static void version_exec(int exe, const struct user_ids *ids)
{
	char name[] = "posternd", option[] = "--version";
	char *argv[] = { name, option, NULL }, *env[] = { NULL };
	int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0 || dup2(nowhere, STDERR_FILENO) < 0 ||
	    close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) != 0 ||
	    privilege_become(ids) != OK)
		_exit(EXIT_SPAWN);
	fexecve(exe, argv, env);
	_exit(EXIT_SPAWN);
}

bool spawn_is_possible(int exe, const struct user_ids *ids)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		version_exec(exe, ids);
	while (pid > 0 && waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return false;
	}
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
