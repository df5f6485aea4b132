/* SPDX-License-Identifier: Apache-2.0 */
/* Problems: kept while they are found, shown as people read them.
 *
 * The first 20 are kept and the rest is counted; an error takes the place of a warning rather than
 * being lost. The text shows the line as it stands in the file, a tab as one space, so that the
 * marks fit below it.
 */
#include "conf/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOW_COLUMNS = 160, SHOW_BEFORE = 40 };

const char *words(char buf[static WORDS_MAX], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(buf, WORDS_MAX, format, ap);
	va_end(ap);
	return buf;
}

/* A free place, or that of the last warning when an error needs one. */
static struct conf_problem *problem_place(struct conf_problems *p, bool warning)
{
	size_t kept = p->n < CONF_PROBLEMS_MAX ? p->n : CONF_PROBLEMS_MAX;

	if (kept < CONF_PROBLEMS_MAX)
		return &p->v[kept];
	if (warning)
		return NULL;
	while (kept > 0 && !p->v[kept - 1].warning)
		kept--;
	return kept > 0 ? &p->v[kept - 1] : NULL;
}

static void problem_keep(struct conf_problems *p, struct conf_problem *made)
{
	struct conf_problem *place = problem_place(p, made->warning);

	if (place)
		*place = *made;
	p->n++;
	if (!made->warning)
		p->n_errors++;
}

static void problem_make(struct conf_problems *p, struct mark at, bool warning, const char *text,
			 const char *hint)
{
	struct conf_problem made = { .line = at.pos.line,
				     .column = at.pos.column,
				     .width = at.width,
				     .warning = warning };

	snprintf(made.text, sizeof(made.text), "%s", text);
	snprintf(made.hint, sizeof(made.hint), "%s", hint ? hint : "");
	problem_keep(p, &made);
}

void mark_error(struct conf_problems *p, struct mark at, const char *text, const char *hint)
{
	problem_make(p, at, false, text, hint);
}

void mark_warning(struct conf_problems *p, struct mark at, const char *text, const char *hint)
{
	problem_make(p, at, true, text, hint);
}

void conf_problem_add(struct conf_problems *p, struct conf_pos pos, int width, const char *text,
		      const char *hint)
{
	mark_error(p, (struct mark){ .pos = pos, .width = width }, text, hint);
}

void conf_problem_warn(struct conf_problems *p, struct conf_pos pos, int width, const char *text,
		       const char *hint)
{
	mark_warning(p, (struct mark){ .pos = pos, .width = width }, text, hint);
}

static bool problem_before(const struct conf_problem *a, const struct conf_problem *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

void conf_problems_sort(struct conf_problems *p)
{
	size_t kept = p->n < CONF_PROBLEMS_MAX ? p->n : CONF_PROBLEMS_MAX;

	for (size_t i = 1; i < kept; i++) {
		struct conf_problem moving = p->v[i];
		size_t j = i;

		for (; j > 0 && problem_before(&moving, &p->v[j - 1]); j--)
			p->v[j] = p->v[j - 1];
		p->v[j] = moving;
	}
}

static struct span line_find(struct span text, int line)
{
	const uint8_t *p = text.p;
	const uint8_t *end = text.p + text.len;
	const uint8_t *stop;

	for (int i = 1; i < line && p < end; i++) {
		stop = memchr(p, '\n', (size_t)(end - p));
		p = stop ? stop + 1 : end;
	}
	stop = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
	if (!stop)
		stop = end;
	if (stop > p && stop[-1] == '\r')
		stop--;
	return (struct span){ p, (size_t)(stop - p) };
}

/* The characters number first..first + n - 1, control bytes as spaces (a file may hold anything).
 */
static void line_show(FILE *f, struct span line, int first, int n)
{
	int column = 0;

	for (size_t i = 0; i < line.len; i++) {
		uint8_t c = line.p[i];

		if ((c & 0xc0) != 0x80)
			column++;
		if (column < first || column >= first + n)
			continue;
		fputc(c < 0x20 || c == 0x7f ? ' ' : c, f);
	}
}

/* The line and what is wrong in it; a long line is shown from somewhat before the mark. */
static void problem_show_place(FILE *f, const struct conf_problem *p, struct span line)
{
	int first = p->column > SHOW_COLUMNS - SHOW_BEFORE ? p->column - SHOW_BEFORE : 1;
	int room = first + SHOW_COLUMNS - p->column;
	int width = p->width < 1 ? 1 : p->width > room ? room : p->width;

	fprintf(f, "%4d | ", p->line);
	line_show(f, line, first, SHOW_COLUMNS);
	fprintf(f, "\n     | %*s", p->column - first, "");
	for (int i = 0; i < width; i++)
		fputc('^', f);
	fprintf(f, "%s%s\n", p->hint[0] ? " " : "", p->hint);
}

static void problem_show(FILE *f, const char *file, const struct conf_problem *p, struct span text)
{
	const char *kind = p->warning ? "warning" : "error";
	struct span line = line_find(text, p->line);

	if (p->line < 1) {
		fprintf(f, "%s: %s: %s\n", file, kind, p->text);
		if (p->hint[0])
			fprintf(f, "     |  %s\n", p->hint);
		return;
	}
	fprintf(f, "%s:%d:%d: %s: %s\n", file, p->line, p->column, kind, p->text);
	problem_show_place(f, p, line);
}

char *conf_problems_text(const char *file, struct span text, const struct conf_problems *p)
{
	char *out = NULL;
	size_t len = 0;
	size_t kept = p->n < CONF_PROBLEMS_MAX ? p->n : CONF_PROBLEMS_MAX;
	struct conf_problems sorted = *p;
	FILE *f = open_memstream(&out, &len);

	if (!f)
		return NULL;
	conf_problems_sort(&sorted);
	for (size_t i = 0; i < kept; i++)
		problem_show(f, file, &sorted.v[i], text);
	if (p->n > kept)
		fprintf(f, "%zu more not shown.\n", p->n - kept);
	if (fclose(f) == 0)
		return out;
	free(out);
	return NULL;
}
