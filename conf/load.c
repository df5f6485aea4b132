/* SPDX-License-Identifier: Apache-2.0 */
/* conf_load: the steps in their order. Each goes on with what the one before could make, so that
 * one run shows all; the model is handed out only when none found an error.
 */
#include "conf/load.h"

#include <stdlib.h>
#include <string.h>

#include "conf/build.h"
#include "conf/parse.h"

static void build_run(struct build *b)
{
	void (*const steps[])(struct build *) = {
		build_all,  build_check,      build_check_interfaces, build_check_overlaps,
		build_rank, build_read_files, build_number_children,
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !b->nomem; i++)
		steps[i](b);
}

static enum err load_into(struct conf *c, struct span text, const struct conf_source *src,
			  struct conf_problems *problems)
{
	struct tree t;
	struct build b = { .c = c, .t = &t, .p = problems, .src = src };
	enum err e;

	tree_init(&t);
	e = parse_text(text, &t, problems);
	if (e == OK)
		build_run(&b);
	tree_free(&t);
	if (b.nomem || e == ERR_NOMEM)
		return ERR_NOMEM;
	return e != OK || problems->n_errors > 0 ? ERR_CONFIG : OK;
}

enum err conf_load(const char *file, struct span text, const struct conf_source *src,
		   struct conf **out, struct conf_problems *problems)
{
	struct conf *c = calloc(1, sizeof(*c));
	enum err e = ERR_NOMEM;

	*out = NULL;
	memset(problems, 0, sizeof(*problems));
	if (!c)
		return ERR_NOMEM;
	c->file = strdup(file);
	if (c->file)
		e = load_into(c, text, src, problems);
	conf_problems_sort(problems);
	if (e == OK)
		*out = c;
	else
		conf_free(c);
	return e;
}
