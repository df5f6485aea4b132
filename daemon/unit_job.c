/* SPDX-License-Identifier: Apache-2.0 */
/* While a unit is restarted its job is of type "restart", the stop included; of a stop, a shutdown
 * and whatever else ends it the type is "stop"; and a service that ends by itself has no job
 * (org.freedesktop.systemd1(5)).
 */
#include "daemon/unit_job.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"

#define SYSTEMD "org.freedesktop.systemd1"

/* For all of it: the unit has TimeoutStopSec=15 for us, and the daemon's part comes behind it
 * (daemon/cli_leave.c). */
#define PATIENCE (4 * NS_PER_S)

enum { PATH_BYTES = 256 };

/* ---- a bus that may be silent at any point ---- */

struct bus {
	sd_bus *bus;
	mono_ns deadline;
	sd_bus_error error;
};

static uint64_t usec_left(const struct bus *b)
{
	const mono_ns now = mono_now();

	return now < b->deadline ? (b->deadline - now) / NS_PER_US : 0;
}

/* A call waits for a connection that is not there yet as long as a bus likes, who it is and Hello
 * included; so that is waited for here. */
static int bus_open(struct bus *b)
{
	int r = sd_bus_open_system(&b->bus);

	while (r >= 0 && (r = sd_bus_is_ready(b->bus)) == 0) {
		const uint64_t left = usec_left(b);

		if (left == 0)
			return -ETIMEDOUT;
		r = sd_bus_process(b->bus, NULL);
		if (r == 0)
			r = sd_bus_wait(b->bus, left);
	}
	return r;
}

/* Before each call. What has no time left is not even sent: 0 would be no limit. */
static int bus_limit(const struct bus *b)
{
	const uint64_t left = usec_left(b);

	return left > 0 ? sd_bus_set_method_call_timeout(b->bus, left) : -ETIMEDOUT;
}

/* Nothing is waited for: there is nothing to send any more. */
static void bus_close(struct bus *b)
{
	sd_bus_error_free(&b->error);
	sd_bus_close_unref(b->bus);
}

/* ---- the questions ---- */

static uint32_t main_pid(void)
{
	const char *v = getenv("MAINPID");
	unsigned long n = v != NULL ? strtoul(v, NULL, 10) : 0;

	return n <= INT32_MAX ? (uint32_t)n : 0;
}

static int path_copy(const char *from, char path[static PATH_BYTES])
{
	return snprintf(path, PATH_BYTES, "%s", from) < PATH_BYTES ? 0 : -ENAMETOOLONG;
}

static int unit_path(struct bus *b, uint32_t pid, char path[static PATH_BYTES])
{
	sd_bus_message *m = NULL;
	const char *p;
	int r = bus_limit(b);

	if (r >= 0)
		r = sd_bus_call_method(b->bus, SYSTEMD, "/org/freedesktop/systemd1",
				       SYSTEMD ".Manager", "GetUnitByPID", &b->error, &m, "u", pid);
	if (r >= 0)
		r = sd_bus_message_read(m, "o", &p);
	if (r >= 0)
		r = path_copy(p, path);
	sd_bus_message_unref(m);
	return r;
}

/* *id is 0 when there is none. */
static int unit_job(struct bus *b, const char *unit, uint32_t *id, char job[static PATH_BYTES])
{
	sd_bus_message *m = NULL;
	const char *p;
	int r = bus_limit(b);

	if (r >= 0)
		r = sd_bus_get_property(b->bus, SYSTEMD, unit, SYSTEMD ".Unit", "Job", &b->error,
					&m, "(uo)");
	if (r >= 0)
		r = sd_bus_message_read(m, "(uo)", id, &p);
	if (r >= 0)
		r = path_copy(p, job);
	sd_bus_message_unref(m);
	return r;
}

static int job_restarts(struct bus *b, const char *job, bool *restarts)
{
	char *type = NULL;
	int r = bus_limit(b);

	if (r >= 0)
		r = sd_bus_get_property_string(b->bus, SYSTEMD, job, SYSTEMD ".Job", "JobType",
					       &b->error, &type);
	*restarts = r >= 0 && (strcmp(type, "restart") == 0 || strcmp(type, "try-restart") == 0);
	free(type);
	return r;
}

/* As it is now: after a daemon-reload that is not what the service was started with. */
static int unit_room(struct bus *b, const char *unit, uint32_t *room)
{
	const int r = bus_limit(b);

	return r < 0 ? r
		     : sd_bus_get_property_trivial(b->bus, SYSTEMD, unit, SYSTEMD ".Service",
						   "FileDescriptorStoreMax", &b->error, 'u', room);
}

static bool command_add(char command[static UNIT_COMMAND_MAX], const char *argument)
{
	const size_t len = strlen(command), room = UNIT_COMMAND_MAX - len;
	const int n = snprintf(command + len, room, "%s%s", len > 0 ? "\n" : "", argument);

	return n >= 0 && (size_t)n < room && strpbrk(argument, "$\n") == NULL;
}

/* The first one; Type=notify has no other. */
static int command_read(sd_bus_message *m, char command[static UNIT_COMMAND_MAX])
{
	const char *argument;
	bool whole = true;
	int r = sd_bus_message_enter_container(m, 'a', "(sasbttttuii)");

	if (r > 0)
		r = sd_bus_message_enter_container(m, 'r', "sasbttttuii");
	if (r > 0)
		r = sd_bus_message_skip(m, "s");
	if (r > 0)
		r = sd_bus_message_enter_container(m, 'a', "s");
	while (r > 0 && (r = sd_bus_message_read(m, "s", &argument)) > 0)
		whole = whole && command_add(command, argument);
	if (!whole)
		command[0] = '\0';
	return r;
}

static int unit_command(struct bus *b, const char *unit, char command[static UNIT_COMMAND_MAX])
{
	sd_bus_message *m = NULL;
	int r = bus_limit(b);

	if (r >= 0)
		r = sd_bus_get_property(b->bus, SYSTEMD, unit, SYSTEMD ".Service", "ExecStart",
					&b->error, &m, "a(sasbttttuii)");
	if (r >= 0)
		r = command_read(m, command);
	sd_bus_message_unref(m);
	return r;
}

static int ask(struct bus *b, struct unit *u, bool *restarts)
{
	char unit[PATH_BYTES], job[PATH_BYTES];
	uint32_t id = 0;
	int r = unit_path(b, u->pid, unit);

	if (r >= 0)
		r = unit_job(b, unit, &id, job);
	if (r >= 0 && id != 0)
		r = job_restarts(b, job, restarts);
	if (r >= 0 && *restarts)
		r = unit_room(b, unit, &u->room);
	if (r >= 0 && *restarts)
		r = unit_command(b, unit, u->command);
	*restarts = *restarts && r >= 0;
	return r;
}

bool unit_restarts(struct unit *u, char why[static UNIT_WHY_MAX])
{
	struct bus b = { .deadline = mono_now() + PATIENCE };
	bool restarts = false;
	int r;

	*u = (struct unit){ .pid = main_pid() };
	/* By hand, or the service has ended by itself. */
	if (u->pid == 0)
		return false;
	r = bus_open(&b);
	if (r >= 0)
		r = ask(&b, u, &restarts);
	if (r < 0)
		snprintf(why, UNIT_WHY_MAX,
			 "systemd does not say over D-Bus whether this is a restart (%s)",
			 b.error.message != NULL ? b.error.message : strerror(-r));
	bus_close(&b);
	return restarts;
}
