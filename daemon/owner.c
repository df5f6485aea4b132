/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/owner.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/escape.h"

struct owner {
	uint64_t inode; /* of the socket */
	char pid[12];
	char name[64];
	char unit[128];
};

/* The socket's inode from /proc/net/udp or udp6: the second column ends in the port, the tenth is
 * the inode. */
static uint64_t inode_in(const char *table, uint16_t port)
{
	FILE *f = fopen(table, "re");
	char line[512];
	uint64_t found = 0;

	while (f != NULL && found == 0 && fgets(line, sizeof line, f) != NULL) {
		unsigned int p;
		uint64_t inode;

		if (sscanf(line, " %*[^:]: %*[0-9A-F]:%x %*s %*s %*s %*s %*s %*s %*s %" SCNu64, &p,
			   &inode) == 2 &&
		    p == port)
			found = inode;
	}
	if (f != NULL)
		fclose(f);
	return found;
}

static bool fd_is(int dir, const char *fd, uint64_t inode)
{
	char link[64], wanted[64];
	ssize_t n = readlinkat(dir, fd, link, sizeof link - 1);

	if (n < 0)
		return false;
	link[n] = '\0';
	snprintf(wanted, sizeof wanted, "socket:[%" PRIu64 "]", inode);
	return strcmp(link, wanted) == 0;
}

static bool process_holds(const char *pid, uint64_t inode)
{
	char path[64];
	const struct dirent *d;
	bool holds = false;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%.10s/fd", pid);
	dir = opendir(path);
	while (dir != NULL && !holds && (d = readdir(dir)) != NULL)
		holds = fd_is(dirfd(dir), d->d_name, inode);
	if (dir != NULL)
		closedir(dir);
	return holds;
}

/* The first line of /proc/PID/WHAT, behind its last slash when `behind_slash`. Escaped: others
 * choose these names. */
static void process_line(const char *pid, const char *what, bool behind_slash, char *to,
			 size_t size)
{
	char path[64], line[512] = "";
	const char *from;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%.10s/%s", pid, what);
	f = fopen(path, "re");
	if (f != NULL && fgets(line, sizeof line, f) == NULL)
		line[0] = '\0';
	if (f != NULL)
		fclose(f);
	line[strcspn(line, "\n")] = '\0';
	from = behind_slash ? strrchr(line, '/') : NULL;
	escape_peer(span_str(from != NULL ? from + 1 : line), to, size);
}

static bool owner_find(struct owner *o)
{
	const struct dirent *d;
	bool found = false;
	DIR *proc = opendir("/proc");

	while (proc != NULL && !found && (d = readdir(proc)) != NULL) {
		if (!isdigit((unsigned char)d->d_name[0]) || !process_holds(d->d_name, o->inode))
			continue;
		found = true;
		snprintf(o->pid, sizeof o->pid, "%.10s", d->d_name);
		process_line(d->d_name, "comm", false, o->name, sizeof o->name);
		process_line(d->d_name, "cgroup", true, o->unit, sizeof o->unit);
	}
	if (proc != NULL)
		closedir(proc);
	return found;
}

static bool is_unit(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL && strcmp(dot, ".service") == 0;
}

/* As the kernel shows their names. */
static bool speaks_ike(const char *name)
{
	static const char *const daemons[] = { "charon", "charon-systemd", "pluto",
					       "iked",	 "racoon",	   "posternd" };

	for (size_t i = 0; i < sizeof daemons / sizeof daemons[0]; i++) {
		if (strcmp(name, daemons[i]) == 0)
			return true;
	}
	return false;
}

void owner_explain(uint16_t port, char *why, size_t size)
{
	struct owner o = { .inode = inode_in("/proc/net/udp", port) };
	const char *what;

	if (o.inode == 0)
		o.inode = inode_in("/proc/net/udp6", port);
	if (o.inode == 0 || !owner_find(&o)) {
		snprintf(
			why, size,
			"port-taken: UDP %u belongs to another process, probably an IKE daemon "
			"(charon, pluto, iked, racoon): stop it first; ss -lunp sport = :%u shows it",
			port, port);
		return;
	}
	what = speaks_ike(o.name) ? ", another IKE daemon: only one can run here" : "";
	if (is_unit(o.unit))
		snprintf(why, size,
			 "port-taken: UDP %u belongs to %s, pid %s (%s)%s: try systemctl disable "
			 "--now %s",
			 port, o.name, o.pid, o.unit, what, o.unit);
	else
		snprintf(why, size, "port-taken: UDP %u belongs to %s, pid %s%s: stop it first",
			 port, o.name, o.pid, what);
}
