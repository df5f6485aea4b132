/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/conf/fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	const char *content; /* NULL: see `err` */
	enum err err;
} files[] = {
	{ "missing", NULL, ERR_NOT_FOUND },
	{ "open.psk", NULL, ERR_DENIED },
	{ "broken", NULL, ERR_SYSTEM },
	{ "good.psk", "correct horse battery staple\n", OK },
	{ "encoded.psk", "0x00112233445566778899aabbccddeeff\n", OK },
	{ "short.psk", "only 19 characters.\n", OK },
	{ "same.psk", "abcabcabcabcabcabcabcabc\n", OK },
	{ "name.psk", "my RIGHT.example.org secret 42\n", OK },
	{ "lines.psk", "one line and\nanother line\n", OK },
	{ "hex.psk", "0x00112233445566778899aabbccddeef\n", OK },
	{ "base64.psk", "0sAAEC!wQFBgcICQoLDA0ODw==\n", OK },
	{ "empty.psk", "\n", OK },
	{ "empty.pem", "", OK },
	{ "qcd.secret", "thirty-two bytes and not one less", OK },
	{ "short.secret", "thirty-one bytes and one less..", OK },
};

static enum err content_give(const char *content, struct span *bytes)
{
	char *copy = strdup(content);

	*bytes = copy ? span_str(copy) : SPAN_EMPTY;
	return copy ? OK : ERR_NOMEM;
}

static enum err fixture_read(void *ctx, enum conf_file_kind kind, const char *path,
			     struct span *bytes, char why[static 256])
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	(void)ctx;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strcmp(files[i].name, name) != 0)
			continue;
		if (files[i].err == ERR_DENIED)
			snprintf(why, 256, "can be read by others (mode 0644)\nchmod 0600 %s",
				 path);
		return files[i].content ? content_give(files[i].content, bytes) : files[i].err;
	}
	return content_give(kind == CONF_FILE_PSK ? "correct horse battery staple\n" : path, bytes);
}

static enum err refuse_read(void *ctx, enum conf_file_kind kind, const char *path,
			    struct span *bytes, char why[static 256])
{
	(void)ctx;
	(void)kind;
	(void)path;
	(void)bytes;
	(void)why;
	return ERR_UNSUPPORTED;
}

struct conf_source fixture_files(void)
{
	return (struct conf_source){ .read = fixture_read };
}

struct conf_source fixture_no_files(void)
{
	return (struct conf_source){ .read = refuse_read };
}

struct conf *fixture_load(const char *text)
{
	struct conf_source src = fixture_files();
	struct conf_problems problems;
	struct conf *c;

	if (conf_load("/etc/postern/postern.conf", span_str(text), &src, &c, &problems) != OK ||
	    problems.n > 0)
		ck_abort_msg("%d:%d: %s | %s", problems.v[0].line, problems.v[0].column,
			     problems.v[0].text, problems.v[0].hint);
	return c;
}

char *fixture_problems(const char *text)
{
	struct conf_source src = fixture_files();
	struct conf_problems problems;
	struct conf *c;
	char *out = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&out, &len);
	enum err e = conf_load("/etc/postern/postern.conf", span_str(text), &src, &c, &problems);

	ck_assert_int_eq(e, problems.n_errors ? ERR_CONFIG : OK);
	ck_assert_int_eq(c != NULL, e == OK);
	conf_free(c);
	for (size_t i = 0; i < problems.n && i < CONF_PROBLEMS_MAX; i++) {
		const struct conf_problem *p = &problems.v[i];

		fprintf(f, "%d:%d: %s%s%s%s\n", p->line, p->column, p->warning ? "warning: " : "",
			p->text, p->hint[0] ? " | " : "", p->hint);
	}
	if (problems.n == 0)
		fputs("ok\n", f);
	fclose(f);
	return out;
}

char *fixture_text(int line, const char *with)
{
	static const char *const lines[] = {
		"",
		"me {",
		"identity = left.example.org",
		"",
		"}",
		"connection office {",
		"auth = psk",
		"psk_file = good.psk",
		"address = 203.0.113.2",
		"identity = right.example.org",
		"",
		"child lan {",
		"local = 10.1.0.0/16",
		"remote = 10.2.0.0/16",
		"",
		"}",
		"}",
	};
	char *out = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&out, &len);

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		fprintf(f, "%s\n", (int)i + 1 == line ? with : lines[i]);
	fclose(f);
	return out;
}
