/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool bench_draw(void *chance, void *buf, size_t len)
{
	bench_chance *state = chance;
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++) {
		*state ^= *state << 13;
		*state ^= *state >> 7;
		*state ^= *state << 17;
		p[i] = (uint8_t)*state;
	}
	return true;
}

static struct span nothing(void *ctx, const struct conf_me *me)
{
	(void)ctx;
	(void)me;
	return SPAN_EMPTY;
}

static enum err read_file(void *ctx, enum conf_file_kind kind, const char *path, struct span *bytes,
			  char why[static 256])
{
	char *copy = strdup(BENCH_SECRET "\n");

	(void)ctx;
	(void)kind;
	(void)path;
	(void)why;
	*bytes = span_str(copy);
	return copy ? OK : ERR_NOMEM;
}

struct ike_engine *bench_engine_new(const char *text, bench_chance *chance, mono_ns now, bool keeps,
				    struct conf **conf)
{
	struct conf_source src = { .read = read_file };
	struct conf_problems problems = { .n = 0 };
	struct ike_env env = { .random = { .fill = bench_draw, .ctx = chance },
			       .keeps = keeps,
			       .n_owners = 1,
			       .certificates = nothing,
			       .authorities = nothing };
	struct ike_engine *e;

	if (conf_load("bench.conf", span_str(text), &src, conf, &problems) != OK) {
		fprintf(stderr, "%s", conf_problems_text("bench.conf", span_str(text), &problems));
		exit(1);
	}
	e = ike_engine_new(&env, *conf, now);
	if (!e)
		exit(1);
	return e;
}
