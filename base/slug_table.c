/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the table of base/err.c, one slug a line, for the manual: slug, level, what the peer is
 * told, exit code of the command, text. A slug that two rows share is printed for each.
 */
#include <stdio.h>

#include "base/err.h"

static const char *level_word(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARNING:
		return "warning";
	case LOG_LEVEL_NOTICE:
		return "notice";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "";
}

int main(void)
{
	for (unsigned int i = OK + 1; i < N_ERR; i++) {
		const struct err_row *r = err_row((enum err)i);

		printf("%s\t%s\t%u\t%d\t%s\n", r->slug, level_word(r->level), r->notify,
		       r->exit_code, r->text);
	}
	return 0;
}
