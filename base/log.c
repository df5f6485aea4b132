/* SPDX-License-Identifier: Apache-2.0 */
/* A line is a value on the caller's stack; each key either fits whole or is left out and the line
 * says so. The three settings below are the only state, written once by main before anything else
 * runs.
 */
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Kept free at the end of a line for " cut=yes". */
enum { LINE_RESERVE = 16, NUMBER_MAX = 32, FRONT_MAX = 48 };

static enum log_level max_written = LOG_LEVEL_INFO;
static enum log_form line_form;
static char own_role[32];

/* RFC 3339, in UTC: a daemon that is shut in has no time zone. */
static void front_time(char front[static FRONT_MAX])
{
	struct timespec now = { .tv_sec = 0 };
	struct tm t = { .tm_mday = 1 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &t);
	snprintf(front, FRONT_MAX, "time=%04u-%02u-%02uT%02u:%02u:%02u.%03uZ ",
		 (unsigned int)(t.tm_year + 1900) % 10000, (unsigned int)(t.tm_mon + 1) % 100,
		 (unsigned int)t.tm_mday % 100, (unsigned int)t.tm_hour % 100,
		 (unsigned int)t.tm_min % 100, (unsigned int)t.tm_sec % 100,
		 (unsigned int)(now.tv_nsec / 1000000) % 1000);
}

/* What stands before a line of this level. */
static const char *line_front(enum log_level level, char front[static FRONT_MAX])
{
	front[0] = '\0';
	switch (line_form) {
	case LOG_FORM_BARE:
		break;
	case LOG_FORM_JOURNAL:
		snprintf(front, FRONT_MAX, "<%u>", (unsigned int)level);
		break;
	case LOG_FORM_TIMED:
		front_time(front);
		break;
	}
	return front;
}

void log_setup(enum log_level max_level, enum log_form form, const char *role)
{
	char front[FRONT_MAX];

	max_written = max_level;
	line_form = form;
	snprintf(own_role, sizeof(own_role), "%s", role != NULL ? role : "");
	/* The library looks for a time zone at the first time, and only then. */
	(void)line_front(max_level, front);
}

bool log_wanted(enum log_level level)
{
	return level <= max_written;
}

/* " key=value" with `value` as it stands, between quotes when it has to be. */
static void line_add(struct log_line *l, const char *key, struct span value, bool quoted)
{
	struct wr w = wr_into(l->text + l->len, sizeof(l->text) - LINE_RESERVE - l->len);
	const char *quote = quoted ? "\"" : "";

	if (l->len > 0)
		wr_span(&w, span_str(" "));
	wr_span(&w, span_str(key));
	wr_span(&w, span_str("="));
	wr_span(&w, span_str(quote));
	wr_span(&w, value);
	wr_span(&w, span_str(quote));
	if (wr_ok(&w))
		l->len += wr_len(&w);
	else
		l->cut = true;
}

/* What a reader of key=value pairs would split or misread stands in quotes. */
static void line_add_text(struct log_line *l, const char *key, const char *text)
{
	bool quoted = *text == '\0' || strpbrk(text, " =\"\\") != NULL;

	line_add(l, key, span_str(text), quoted);
}

struct log_line log_event(enum log_level level, const char *event)
{
	struct log_line l = { .level = level };

	line_add(&l, "event", span_str(event), false);
	if (own_role[0] != '\0')
		line_add(&l, "role", span_str(own_role), false);
	return l;
}

void log_str(struct log_line *l, const char *key, const char *value)
{
	char text[sizeof(l->text)];
	struct wr w = wr_into(text, sizeof(text));

	escape_write(&w, span_str(value != NULL ? value : "-"), SIZE_MAX, NULL);
	escape_end(&w);
	l->cut = l->cut || !wr_ok(&w);
	line_add_text(l, key, text);
}

void log_num(struct log_line *l, const char *key, int64_t value)
{
	char text[NUMBER_MAX];

	snprintf(text, sizeof(text), "%" PRId64, value);
	line_add_text(l, key, text);
}

void log_hex(struct log_line *l, const char *key, uint64_t value)
{
	char text[NUMBER_MAX];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	line_add_text(l, key, text);
}

void log_endpoint(struct log_line *l, const char *key, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX];

	line_add_text(l, key, endpoint_text(e, text));
}

/* identity_text and escape_peer have escaped already: a second time would double the backslashes.
 */
void log_identity(struct log_line *l, const char *key, const struct identity *id)
{
	char text[IDENTITY_TEXT_MAX];

	line_add_text(l, key, identity_text(id, text));
}

void log_peer(struct log_line *l, const char *key, struct span s)
{
	char text[ESCAPE_TEXT_MAX];

	line_add_text(l, key, escape_peer(s, text, sizeof(text)));
}

void log_err(struct log_line *l, enum err e)
{
	line_add_text(l, "reason", err_slug(e));
}

/* One write, so that lines of several processes do not mix. A log that cannot be written stops
 * nothing. */
void log_write(struct log_line *l)
{
	char out[sizeof(l->text) + FRONT_MAX];
	char front[FRONT_MAX];
	struct wr w = wr_into(out, sizeof(out));

	if (!log_wanted(l->level))
		return;
	wr_span(&w, span_str(line_front(l->level, front)));
	wr_span(&w, span_of(l->text, l->len));
	if (l->cut)
		wr_span(&w, span_str(" cut=yes"));
	wr_span(&w, span_str("\n"));
	if (write(STDERR_FILENO, wr_done(&w).p, wr_len(&w)) < 0)
		return;
}
