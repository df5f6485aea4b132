/* SPDX-License-Identifier: Apache-2.0 */
/* Filling the `why` of xfrm/host.h. */
#ifndef XFRM_WORDS_H
#define XFRM_WORDS_H

#include "xfrm/netlink.h"

/* printf into `why` (HOST_WHY_MAX bytes); gives `err` back, so that a failure is one line. */
MUST_USE enum err why_say(char *why, enum err err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "WHAT: what the kernel said". OK passes through without a word. */
MUST_USE enum err why_kernel(char *why, enum err err, const struct answer *a, const char *what);

#endif
