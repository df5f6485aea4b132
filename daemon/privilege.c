/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const unsigned int monitor_caps[] = {
	CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE, CAP_SETUID, CAP_SETGID, CAP_KILL,
};

enum { LOCK_ENOUGH = 64 * 1024 * 1024 };

enum err users_find(struct user_ids ids[static N_ROLES], char why[static PRIVILEGE_WHY_MAX])
{
	for (unsigned int r = 0; r < N_ROLES; r++) {
		const char *name = role_row((enum role)r)->user;
		const struct passwd *pw;

		if (name == NULL)
			continue;
		pw = getpwnam(name);
		if (pw == NULL || pw->pw_uid == 0) {
			snprintf(
				why, PRIVILEGE_WHY_MAX,
				"there is no user %s: run systemd-sysusers, or useradd --system --user-group "
				"--home-dir / --shell /usr/sbin/nologin %s",
				name, name);
			return ERR_NOT_FOUND;
		}
		ids[r] = (struct user_ids){ .uid = pw->pw_uid, .gid = pw->pw_gid };
	}
	return OK;
}

enum err privilege_monitor(char why[static PRIVILEGE_WHY_MAX])
{
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < sizeof monitor_caps / sizeof monitor_caps[0]; i++)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
			     monitor_caps[i]);
	if (geteuid() != 0)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
			     CAP_DAC_READ_SEARCH);
	/* Without CAP_SETPCAP (under systemd) the bounding set is what the unit left of it already.
	 */
	(void)capng_apply(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0) {
		snprintf(
			why, PRIVILEGE_WHY_MAX,
			"the capabilities of the monitor are missing (net_admin net_raw net_bind_service setuid setgid "
			"kill): start posternd as root");
		return ERR_DENIED;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		snprintf(why, PRIVILEGE_WHY_MAX, "no_new_privs: %s", strerror(errno));
		return ERR_SYSTEM;
	}
	return OK;
}

enum err privilege_become(const struct user_ids *ids)
{
	if (setgroups(0, NULL) != 0 || setresgid(ids->gid, ids->gid, ids->gid) != 0 ||
	    setresuid(ids->uid, ids->uid, ids->uid) != 0)
		return ERR_DENIED;
	return OK;
}

void privilege_hide(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

enum err privilege_process(enum role r, char why[static PRIVILEGE_WHY_MAX])
{
	char name[16];

	privilege_hide();
	snprintf(name, sizeof name, "postern-%s", role_row(r)->name);
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		snprintf(why, PRIVILEGE_WHY_MAX, "prctl: %s", strerror(errno));
		return ERR_SYSTEM;
	}
	if (geteuid() == 0 || capng_get_caps_process() != 0 ||
	    capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE) {
		snprintf(why, PRIVILEGE_WHY_MAX,
			 "a process of this kind has no business with capabilities");
		return ERR_DENIED;
	}
	return OK;
}

void privilege_lock_memory(void)
{
	struct rlimit l;

	/* Locking what comes later under a small limit would make later allocations fail. */
	if (getrlimit(RLIMIT_MEMLOCK, &l) == 0 && l.rlim_cur >= LOCK_ENOUGH)
		(void)mlockall(MCL_CURRENT | MCL_FUTURE);
}
