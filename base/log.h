/* SPDX-License-Identifier: Apache-2.0 */
/* The log: `event=NAME key=value ...` lines on stderr, with a priority prefix under journald, which
 * knows the time, and a time in front everywhere else.
 *
 * A line is built by value in a bounded buffer and written whole. Values are escaped and quoted
 * when they have to be; what a peer sent goes only through log_peer, which cuts it at 200 bytes.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/escape.h"
#include "base/identity.h"

struct log_line {
	enum log_level level;
	size_t len;
	bool cut; /* something did not fit: the line says cut=yes */
	char text[1024];
};

enum log_form {
	LOG_FORM_BARE,	  /* the line alone */
	LOG_FORM_JOURNAL, /* <N> before it */
	LOG_FORM_TIMED	  /* time=2026-11-21T10:15:02.417Z before it */
};

/* Process-wide, set once in main, before it is shut in: the least important level that is written,
 * and what fd 2 wants. `role` stands in every line when not NULL. */
void log_setup(enum log_level max_level, enum log_form form, const char *role);
bool log_wanted(enum log_level level);

struct log_line log_event(enum log_level level, const char *event);
void log_str(struct log_line *l, const char *key, const char *value); /* NULL is written as - */
void log_num(struct log_line *l, const char *key, int64_t value);
void log_hex(struct log_line *l, const char *key, uint64_t value);
void log_endpoint(struct log_line *l, const char *key, const struct endpoint *e);
void log_identity(struct log_line *l, const char *key, const struct identity *id);
void log_peer(struct log_line *l, const char *key, struct span s);
void log_err(struct log_line *l, enum err e); /* reason=slug */
void log_write(struct log_line *l);

#endif
