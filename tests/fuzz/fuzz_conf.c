/* SPDX-License-Identifier: Apache-2.0 */
/* conf: any bytes as postern.conf. There is a model or an error and never both; what was loaded is
 * shown as a file that loads as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/diff.h"
#include "conf/load.h"
#include "conf/show.h"
#include "tests/fuzz/fuzz.h"

static enum err read_any(void *ctx, enum conf_file_kind kind, const char *path, struct span *bytes,
			 char why[static 256])
{
	(void)ctx;
	(void)kind;
	(void)why;
	*bytes = span_str(strdup(path));
	return bytes->p ? OK : ERR_NOMEM;
}

static struct conf *load(struct span text)
{
	const struct conf_source src = { .read = read_any };
	struct conf_problems problems;
	struct conf *c;
	enum err e = conf_load("/etc/postern/postern.conf", text, &src, &c, &problems);
	char *shown = conf_problems_text("postern.conf", text, &problems);

	FUZZ_HOLDS((e == OK) == (c != NULL));
	FUZZ_HOLDS((e == OK) == (problems.n_errors == 0));
	free(shown);
	return c;
}

static void load_what_is_shown(const struct conf *c)
{
	char *text = conf_text(c);
	struct conf *again = load(span_str(text));
	struct conf_diff d;

	FUZZ_HOLDS(again != NULL);
	FUZZ_HOLDS(conf_diff(c, again, &d) == OK);
	FUZZ_HOLDS(d.n_changes == 0 && d.daemon_option == NULL);
	conf_diff_free(&d);
	conf_free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct conf *c = load(span_of(bytes, len));

	if (c)
		load_what_is_shown(c);
	conf_free(c);
	return 0;
}
