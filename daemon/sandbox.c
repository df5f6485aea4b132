/* SPDX-License-Identifier: Apache-2.0 */
/* The place of the system call filter (seccomp) and the file system's (Landlock): a row for each
 * process. Until they come, a limit does a part of it: who starts no thread and no process cannot
 * be made to.
 */
#include "daemon/sandbox.h"

#include <sys/resource.h>

/* Who may make threads: a thread for slow Diffie-Hellman, one per core, one per name. */
static const bool threads[N_ROLES] = {
	[ROLE_MONITOR] = true,
	[ROLE_ENGINE] = true,
	[ROLE_ESP] = true,
	[ROLE_FETCHER] = true,
};

/* The leak check of test builds starts a process of its own at the end. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAK_CHECK true
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define LEAK_CHECK true
#endif
#ifndef LEAK_CHECK
#define LEAK_CHECK false
#endif

enum err sandbox_enter(enum role r)
{
	const struct rlimit none = { 0, 0 };

	if (!threads[r] && !LEAK_CHECK && setrlimit(RLIMIT_NPROC, &none) != 0)
		return ERR_SYSTEM;
	return OK;
}
