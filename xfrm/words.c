/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/words.h"

#include <stdarg.h>
#include <stdio.h>

#include "xfrm/host.h"

enum err why_say(char *why, enum err err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, HOST_WHY_MAX, fmt, ap);
	va_end(ap);
	return err;
}

enum err why_kernel(char *why, enum err err, const struct answer *a, const char *what)
{
	char words[NETLINK_WORDS_MAX];

	if (err == OK)
		return OK;
	return why_say(why, err, "%s: %s", what, netlink_words(err, a, words));
}
