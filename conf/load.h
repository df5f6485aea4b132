/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a configuration: whole, with every problem found in one run. */
#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include "conf/model.h"

enum { CONF_PROBLEMS_MAX = 20 };

/* One problem, ready to be shown as in doc: file:line:column, what is wrong, the line, the mark,
 * the hint. */
struct conf_problem {
	int line;
	int column;
	int width; /* columns to underline; 0: none */
	bool warning;
	char text[256]; /* "a connection has no option `adress`" */
	char hint[256]; /* "did you mean `address`?", or empty */
};

struct conf_problems {
	size_t n; /* may exceed the maximum: the rest is only counted */
	size_t n_errors;
	struct conf_problem v[CONF_PROBLEMS_MAX];
};

enum conf_file_kind {
	CONF_FILE_CERTIFICATE,
	CONF_FILE_KEY,
	CONF_FILE_PASSPHRASE,
	CONF_FILE_PSK,
	CONF_FILE_TRUST,
	CONF_FILE_QCD_SECRET
};

/* Where files come from: the disk in the monitor and the command, a bundle handed over in the other
 * processes. Gives malloc'd bytes that conf owns (wiped when freed). ERR_NOT_FOUND, ERR_DENIED
 * (mode too open: `why` says so), ERR_UNSUPPORTED: this process may not see that kind, the setting
 * stays without bytes, and has the mark that `mark` gives it (which may be NULL). */
struct conf_source {
	enum err (*read)(void *ctx, enum conf_file_kind kind, const char *path, struct span *bytes,
			 char why[static 256]);
	void (*mark)(void *ctx, enum conf_file_kind kind, const char *path,
		     uint8_t mark[static CONF_MARK_LEN]);
	void *ctx;
};

struct conf_source conf_source_disk(void);
/* No file is seen: what is left is what a configuration says without them, its selectors above all,
 * so that they can be guarded whatever is the matter with a certificate or a key. */
struct conf_source conf_source_none(void);

/* Parses `text`, fills in defaults, reads the named files, checks what can be checked without
 * certificates. *out is NULL when there is an error. `file` is the name for messages and gives the
 * folder for relative paths. */
MUST_USE enum err conf_load(const char *file, struct span text, const struct conf_source *src,
			    struct conf **out, struct conf_problems *problems);

/* Warns of children that the kernel alone may carry where `kernel` lacks something for them; of
 * what conf_judge_devices refuses, too. */
void conf_check_planes(const struct conf *c, const struct plane_caps *kernel,
		       struct conf_problems *problems);

/* An interface is made before its child is up, or not at all: ERR_UNSUPPORTED, with a problem for
 * each, when nothing but XFRM interfaces will do for some of them and `kernel` has none. */
MUST_USE enum err conf_judge_devices(const struct conf *c, const struct plane_caps *kernel,
				     struct conf_problems *problems);

void conf_problem_add(struct conf_problems *p, struct conf_pos pos, int width, const char *text,
		      const char *hint);
void conf_problem_warn(struct conf_problems *p, struct conf_pos pos, int width, const char *text,
		       const char *hint);
/* All problems in the order of the file, as people read them (`file:line:col: error: ...`, the
 * line, the underline, the hint), malloc'd. */
char *conf_problems_text(const char *file, struct span text, const struct conf_problems *p);

#endif
