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

#define SYSTEMD	 "org.freedesktop.systemd1"
#define PATIENCE (UINT64_C(3) * 1000 * 1000) /* microseconds; the unit has TimeoutStopSec */

enum { PATH_BYTES = 256 };

static uint32_t main_pid(void)
{
	const char *v = getenv("MAINPID");
	unsigned long n = v != NULL ? strtoul(v, NULL, 10) : 0;

	return n <= INT32_MAX ? (uint32_t)n : 0;
}

static int unit_path(sd_bus *bus, uint32_t pid, char path[static PATH_BYTES], sd_bus_error *error)
{
	sd_bus_message *m = NULL;
	const char *p;
	int r = sd_bus_call_method(bus, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager",
				   "GetUnitByPID", error, &m, "u", pid);

	if (r >= 0)
		r = sd_bus_message_read(m, "o", &p);
	if (r >= 0 && snprintf(path, PATH_BYTES, "%s", p) >= PATH_BYTES)
		r = -ENAMETOOLONG;
	sd_bus_message_unref(m);
	return r;
}

/* *id is 0 when there is none. */
static int unit_job(sd_bus *bus, char path[static PATH_BYTES], uint32_t *id, sd_bus_error *error)
{
	sd_bus_message *m = NULL;
	const char *p;
	int r = sd_bus_get_property(bus, SYSTEMD, path, SYSTEMD ".Unit", "Job", error, &m, "(uo)");

	if (r >= 0)
		r = sd_bus_message_read(m, "(uo)", id, &p);
	if (r >= 0 && snprintf(path, PATH_BYTES, "%s", p) >= PATH_BYTES)
		r = -ENAMETOOLONG;
	sd_bus_message_unref(m);
	return r;
}

static int ask(sd_bus *bus, uint32_t pid, bool *restarts, sd_bus_error *error)
{
	char path[PATH_BYTES], *type = NULL;
	uint32_t id = 0;
	int r = sd_bus_set_method_call_timeout(bus, PATIENCE);

	if (r >= 0)
		r = unit_path(bus, pid, path, error);
	if (r >= 0)
		r = unit_job(bus, path, &id, error);
	if (r < 0 || id == 0)
		return r;
	r = sd_bus_get_property_string(bus, SYSTEMD, path, SYSTEMD ".Job", "JobType", error, &type);
	*restarts = r >= 0 && (strcmp(type, "restart") == 0 || strcmp(type, "try-restart") == 0);
	free(type);
	return r;
}

bool unit_restarts(struct unit *u, char why[static UNIT_WHY_MAX])
{
	const uint32_t pid = main_pid();
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus *bus = NULL;
	bool restarts = false;
	int r;

	*u = (struct unit){ .pid = pid };
	/* By hand, or the service has ended by itself. */
	if (pid == 0)
		return false;
	r = sd_bus_open_system(&bus);
	if (r >= 0)
		r = ask(bus, pid, &restarts, &error);
	if (r < 0)
		snprintf(why, UNIT_WHY_MAX, "systemd does not say whether this is a restart (%s)",
			 error.message != NULL ? error.message : strerror(-r));
	sd_bus_error_free(&error);
	sd_bus_flush_close_unref(bus);
	return restarts;
}
