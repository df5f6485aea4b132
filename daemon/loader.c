/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "certs/cert.h"
#include "daemon/sealed.h"

enum {
	TEXT_MAX_BYTES = 4 * 1024 * 1024,
	REPORT_MAX = 256 * 1024,
	LOAD_SECONDS = 10, /* a key on a dead network file system holds the monitor no longer */
	EXIT_REFUSED = 1,
	EXIT_BROKEN = 2,
};

/* ---- the child ---- */

static void report_write(int fd, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, text + at, len - at);

		if (n <= 0)
			return;
		at += (size_t)n;
	}
}

static enum err bundles_write(const struct loaded *l, const struct conf *c, struct span key)
{
	enum err e = OK;

	for (unsigned int r = 0; r < N_ROLES && e == OK; r++)
		e = bundle_write(l->bundle[r], (enum role)r, l->text, c, key);
	return e;
}

static int child_load(const char *file, const struct loaded *l, struct span key, int report)
{
	struct conf_source disk = conf_source_disk();
	struct conf_problems problems = { 0 };
	struct conf *c = NULL;
	int code = EXIT_REFUSED;
	char *words;

	if (conf_load(file, l->text, &disk, &c, &problems) == OK) {
		cert_check(c, time(NULL), &problems);
		code = problems.n_errors > 0		? EXIT_REFUSED
		       : bundles_write(l, c, key) == OK ? 0
							: EXIT_BROKEN;
	}
	words = problems.n > 0 ? conf_problems_text(file, l->text, &problems) : NULL;
	report_write(report, words);
	free(words);
	conf_free(c);
	return code;
}

/* ---- the monitor ---- */

static char *report_text(const char *file, const char *what, const char *why)
{
	char *s = NULL;

	return asprintf(&s, "error: %s: %s: %s\n", file, what, why) >= 0 ? s : NULL;
}

static char *report_read(int fd)
{
	char *s = calloc(1, REPORT_MAX + 1);

	if (s != NULL && pread(fd, s, REPORT_MAX, 0) < 0)
		s[0] = '\0';
	return s;
}

static enum err text_read(const char *file, struct span *text)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	uint8_t *p = malloc(TEXT_MAX_BYTES);
	size_t len = 0;
	ssize_t n = fd >= 0 && p != NULL ? 1 : -1;

	while (n > 0 && len < TEXT_MAX_BYTES) {
		n = read(fd, p + len, TEXT_MAX_BYTES - len);
		if (n > 0)
			len += (size_t)n;
	}
	if (n == 0)
		*text = span_of(p, len);
	else
		free(p);
	if (n > 0)
		errno = EFBIG;
	if (fd >= 0)
		close(fd);
	return n == 0 ? OK : ERR_SYSTEM;
}

static enum err child_run(const char *file, const struct loaded *l, struct span key, int report)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		alarm(LOAD_SECONDS);
		_exit(child_load(file, l, key, report));
	}
	if (pid < 0)
		return ERR_SYSTEM;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return ERR_SYSTEM;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return OK;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		dprintf(report, "error: %s: a file that it names could not be read in %d seconds\n",
			file, LOAD_SECONDS);
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_REFUSED ? ERR_CONFIG : ERR_SYSTEM;
}

static enum err conf_from(struct bundle *b, struct conf **c)
{
	struct conf_problems problems = { 0 };

	return bundle_load(b, c, &problems);
}

static enum err own_load(struct loaded *l)
{
	struct bundle *b;
	enum err e = bundle_read(l->bundle[ROLE_MONITOR], &b);

	if (e == OK)
		e = conf_from(b, &l->conf);
	bundle_free(b);
	return e;
}

static enum err loaded_fill(const char *file, struct loaded *l, struct span key, char **report)
{
	int fd = memfd_create("postern-report", MFD_CLOEXEC);
	enum err e = fd >= 0 ? OK : ERR_SYSTEM;

	for (unsigned int r = 0; r < N_ROLES && e == OK; r++)
		e = sealed_make(role_row((enum role)r)->name, &l->bundle[r]);
	if (e == OK)
		e = child_run(file, l, key, fd);
	if (fd >= 0)
		*report = report_read(fd);
	if (fd >= 0)
		close(fd);
	return e == OK ? own_load(l) : e;
}

enum err loader_load(const char *file, struct span key, struct loaded **out, char **report)
{
	struct loaded *l = calloc(1, sizeof *l);
	enum err e = l != NULL ? OK : ERR_NOMEM;

	*out = NULL;
	*report = NULL;
	for (unsigned int r = 0; r < N_ROLES && l != NULL; r++)
		l->bundle[r] = -1;
	if (e == OK && text_read(file, &l->text) != OK) {
		*report = report_text(file, "cannot read it", strerror(errno));
		e = ERR_CONFIG;
	}
	if (e == OK) {
		e = loaded_fill(file, l, key, report);
		if (e != OK && (*report == NULL || **report == '\0')) {
			free(*report);
			*report = report_text(file, "reading it failed", err_text(e));
		}
	}
	if (e == OK)
		*out = l;
	else
		loaded_free(l);
	return e;
}

static enum err text_copy(struct loaded *l)
{
	struct bundle *b;
	enum err e = bundle_read(l->bundle[ROLE_MONITOR], &b);
	const struct span text = e == OK ? bundle_text(b) : SPAN_EMPTY;
	uint8_t *p = malloc(text.len + 1);

	if (e == OK && p == NULL)
		e = ERR_NOMEM;
	if (e == OK && text.len > 0)
		memcpy(p, text.p, text.len);
	if (p != NULL)
		l->text = span_of(p, text.len);
	bundle_free(b);
	return e;
}

enum err loader_take(const int bundle[static N_ROLES], struct loaded **out)
{
	struct loaded *l = calloc(1, sizeof *l);
	enum err e;

	*out = NULL;
	if (l == NULL) {
		for (unsigned int r = 0; r < N_ROLES; r++)
			close(bundle[r]);
		return ERR_NOMEM;
	}
	memcpy(l->bundle, bundle, sizeof l->bundle);
	e = own_load(l);
	if (e == OK)
		e = text_copy(l);
	if (e == OK)
		*out = l;
	else
		loaded_free(l);
	return e;
}

enum err loader_try(const int bundle[static N_ROLES])
{
	enum err e = OK;

	for (unsigned int r = 0; r < N_ROLES && e == OK; r++) {
		struct bundle *b;
		struct conf *c = NULL;

		e = bundle_read(bundle[r], &b);
		if (e == OK)
			e = conf_from(b, &c);
		bundle_free(b);
		conf_free(c);
	}
	return e;
}

struct conf *loader_selectors(const char *file)
{
	const struct conf_source none = conf_source_none();
	struct conf_problems problems = { 0 };
	struct conf *c = NULL;
	struct span text;

	if (text_read(file, &text) != OK)
		return NULL;
	if (conf_load(file, text, &none, &c, &problems) != OK)
		c = NULL;
	free((void *)(uintptr_t)text.p);
	return c;
}

enum err loader_judge(const char *file, const struct loaded *l, const struct plane_caps *kernel,
		      char **report)
{
	struct conf_problems problems = { 0 };
	enum err e = conf_judge_devices(l->conf, kernel, &problems);

	if (e == OK)
		return OK;
	free(*report);
	*report = conf_problems_text(file, l->text, &problems);
	return e;
}

void loaded_free(struct loaded *l)
{
	if (l == NULL)
		return;
	conf_free(l->conf);
	free((void *)(uintptr_t)l->text.p);
	for (unsigned int r = 0; r < N_ROLES; r++) {
		if (l->bundle[r] >= 0)
			close(l->bundle[r]);
	}
	free(l);
}
