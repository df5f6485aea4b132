/* SPDX-License-Identifier: Apache-2.0 */
/* ExecStop= of the unit (daemon/monitor_restart.c). Whatever is in the way, SIGTERM follows, and
 * then it is a stop; so nothing but a refusal is a failure.
 *
 * What is busy is soon no more: a process that has just died, a reload, something of ours that is
 * missing on the host. So that, and nothing else, is asked again. The unit gives all of it 15
 * seconds (TimeoutStopSec=): systemd has its part of them (daemon/unit_job.c), and the daemon the
 * rest.
 */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "daemon/cli.h"
#include "daemon/unit_job.h"

#define BUSY_PATIENCE (8 * NS_PER_S)
#define ASK_PATIENCE  (9 * NS_PER_S)

enum { BUSY_PAUSE_MS = 100 };

static void no_line(void *ctx, const json_t *line)
{
	(void)ctx;
	(void)line;
}

static json_t *unit_members(const struct unit *u)
{
	return json_pack("{s:I, s:I, s:s}", "pid", (json_int_t)u->pid, "room", (json_int_t)u->room,
			 "command", u->command);
}

/* One that still thinks about it when the time is over does what it comes to, SIGTERM or not. */
static int ask(const struct cli *cli, const struct unit *u, mono_ns since, json_t **end)
{
	struct cli once = *cli;
	int code;

	once.also = unit_members(u);
	if (once.timeout_s == 0)
		once.timeout_s = (int)((since + ASK_PATIENCE - mono_now()) / NS_PER_S) + 1;
	code = cli_ask(&once, "restart", no_line, NULL, end);
	json_decref(once.also);
	return code;
}

static bool is_busy(const json_t *end)
{
	return end && strcmp(cli_str(end, "reason", ""), err_slug(ERR_BUSY)) == 0;
}

int cli_leave_for_restart(const struct cli *cli)
{
	char why[UNIT_WHY_MAX] = "";
	struct unit u;
	mono_ns asked;
	json_t *end;
	int code;

	if (!unit_restarts(&u, why)) {
		if (why[0] != '\0')
			fprintf(stderr, "peers are told goodbye: %s\n", why);
		return CLI_DONE;
	}
	asked = mono_now();
	code = ask(cli, &u, asked, &end);
	while (is_busy(end) && mono_now() - asked < BUSY_PATIENCE) {
		json_decref(end);
		(void)poll(NULL, 0, BUSY_PAUSE_MS);
		code = ask(cli, &u, asked, &end);
	}
	if (end && code != CLI_DONE)
		fprintf(stderr, "peers are told goodbye: %s: %s\n",
			cli_str(end, "reason", "refused"),
			cli_str(end, "text", cli_str(end, "meaning", "it was refused")));
	else if (code == CLI_TIMEOUT)
		fprintf(stderr, "the daemon has not said yet whether it leaves its tunnels\n");
	json_decref(end);
	return code;
}
