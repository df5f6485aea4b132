/* SPDX-License-Identifier: Apache-2.0 */
/* How the other files of conf/ report what is wrong: a place, a fact, and what would be right. */
#ifndef CONF_PROBLEMS_H
#define CONF_PROBLEMS_H

#include "conf/load.h"
#include "conf/tree.h"

enum { WORDS_MAX = 256 };

/* Formats into the caller's buffer and returns it; what does not fit is cut. */
const char *words(char buf[static WORDS_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* `hint` may be NULL. */
void mark_error(struct conf_problems *p, struct mark at, const char *text, const char *hint);
void mark_warning(struct conf_problems *p, struct mark at, const char *text, const char *hint);
/* Into the order of the file; problems of one place stay in the order in which they were found. */
void conf_problems_sort(struct conf_problems *p);

#endif
