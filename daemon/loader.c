/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "certs/cert.h"
#include "daemon/sealed.h"

enum {
	TEXT_MAX_BYTES = 4 * 1024 * 1024,
	REPORT_MAX = 256 * 1024,
	/* A file on a dead network file system holds the monitor no longer; and that is well within
	 * the time that a restart has for its question (daemon/cli_leave.c). */
	LOAD_SECONDS = 6,
	EXIT_REFUSED = 1,
	EXIT_BROKEN = 2,
};

/* What the child says besides the bundles, each in a memfd: its problems in words, the text of the
 * configuration, and the path of the file that it is at, "" while it is at none. */
enum { SAYS_REPORT, SAYS_TEXT, SAYS_AT, N_SAYS };

struct reading {
	const char *file;
	struct span key;
	const int *bundle;
	int says[N_SAYS];
};

/* ---- the child ---- */

/* Sockets, devices and memory of the monitor's are not to be held by one that waits for a file: it
 * may not even die before that answers. */
static void close_others(const struct reading *r, int alive)
{
	int keep[N_SAYS + N_ROLES + 1] = { alive };
	unsigned int from = STDERR_FILENO + 1, next;

	memcpy(keep + 1, r->says, sizeof r->says);
	memcpy(keep + 1 + N_SAYS, r->bundle, N_ROLES * sizeof *r->bundle);
	do {
		next = ~0u;
		for (size_t i = 0; i < sizeof keep / sizeof keep[0]; i++) {
			if ((unsigned int)keep[i] >= from && (unsigned int)keep[i] < next)
				next = (unsigned int)keep[i];
		}
		if (next > from)
			(void)close_range(from, next - 1, 0);
		from = next + 1;
	} while (next != ~0u);
}

static void say_at(const struct reading *r, const char *path)
{
	if (pwrite(r->says[SAYS_AT], path, strlen(path) + 1, 0) < 0)
		return; /* then only the name is missing */
}

static enum err source_read(void *ctx, enum conf_file_kind kind, const char *path,
			    struct span *bytes, char why[static 256])
{
	const struct conf_source disk = conf_source_disk();
	enum err e;

	say_at(ctx, path);
	e = disk.read(disk.ctx, kind, path, bytes, why);
	say_at(ctx, "");
	return e;
}

static enum err bundles_write(const struct reading *r, struct span text, const struct conf *c)
{
	enum err e = OK;

	for (unsigned int role = 0; role < N_ROLES && e == OK; role++)
		e = bundle_write(r->bundle[role], (enum role)role, text, c, r->key);
	return e;
}

/* Its end comes before it is full; else it is too large. */
static ssize_t read_up(int fd, uint8_t *p, size_t *len)
{
	ssize_t n;

	*len = 0;
	do {
		n = read(fd, p + *len, TEXT_MAX_BYTES - *len);
		if (n > 0)
			*len += (size_t)n;
	} while (n > 0 && *len < TEXT_MAX_BYTES);
	return n;
}

/* O_NONBLOCK: a FIFO must not hold anything up. NULL, or what is wrong with it. */
static const char *text_read(const char *file, struct span *text)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	uint8_t *p = malloc(TEXT_MAX_BYTES);
	const char *wrong = NULL;
	struct stat st;
	size_t len = 0;
	ssize_t n;

	if (fd < 0 || p == NULL || fstat(fd, &st) != 0)
		wrong = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		wrong = "it is no regular file";
	else if ((n = read_up(fd, p, &len)) != 0)
		wrong = strerror(n < 0 ? errno : EFBIG);
	if (fd >= 0)
		close(fd);
	if (wrong != NULL)
		free(p);
	else
		*text = span_of(p, len);
	return wrong;
}

static int text_load(const struct reading *r, struct span text)
{
	const struct conf_source src = { .read = source_read, .ctx = (void *)(uintptr_t)r };
	struct conf_problems problems = { 0 };
	struct conf *c = NULL;
	int code = EXIT_REFUSED;
	char *words;

	if (conf_load(r->file, text, &src, &c, &problems) == OK) {
		cert_check(c, time(NULL), &problems);
		code = problems.n_errors > 0		 ? EXIT_REFUSED
		       : bundles_write(r, text, c) == OK ? 0
							 : EXIT_BROKEN;
	}
	words = problems.n > 0 ? conf_problems_text(r->file, text, &problems) : NULL;
	if (words != NULL && sealed_append(r->says[SAYS_REPORT], span_str(words)) != OK)
		code = EXIT_BROKEN;
	free(words);
	conf_free(c);
	return code;
}

static int child_load(const struct reading *r)
{
	struct span text = SPAN_EMPTY;
	const char *wrong;
	int code;

	say_at(r, r->file);
	wrong = text_read(r->file, &text);
	say_at(r, "");
	if (wrong != NULL) {
		dprintf(r->says[SAYS_REPORT], "error: %s: cannot read it: %s\n", r->file, wrong);
		return EXIT_REFUSED;
	}
	if (sealed_append(r->says[SAYS_TEXT], text) != OK)
		return EXIT_BROKEN;
	code = text_load(r, text);
	free((void *)(uintptr_t)text.p);
	return code;
}

/* ---- the monitor ---- */

static char *report_text(const char *file, const char *what, const char *why)
{
	char *s = NULL;

	return asprintf(&s, "error: %s: %s: %s\n", file, what, why) >= 0 ? s : NULL;
}

/* What was said, with a NUL behind it that is not counted. Empty when there is no memory for it. */
static struct span said(int fd, size_t most)
{
	struct stat st = { .st_size = 0 };
	size_t len = fd >= 0 && fstat(fd, &st) == 0 ? (size_t)st.st_size : 0;
	uint8_t *p = calloc(1, (len < most ? len : most) + 1);
	ssize_t n = p != NULL && len > 0 ? pread(fd, p, len < most ? len : most, 0) : 0;

	return span_of(p, n > 0 ? (size_t)n : 0);
}

static void report_late(const struct reading *r)
{
	struct span at = said(r->says[SAYS_AT], BUNDLE_PATH_MAX);
	const char *path = at.len > 0 ? (const char *)at.p : "";

	if (path[0] == '\0')
		dprintf(r->says[SAYS_REPORT], "error: %s: it could not be judged in %d seconds\n",
			r->file, LOAD_SECONDS);
	else
		dprintf(r->says[SAYS_REPORT], "error: %s: %s could not be read in %d seconds\n",
			r->file, strcmp(path, r->file) == 0 ? "it" : path, LOAD_SECONDS);
	free((void *)(uintptr_t)at.p);
}

/* Its end closes the other end of `alive`. */
static bool ends_in_time(int alive)
{
	const mono_ns deadline = mono_now() + LOAD_SECONDS * NS_PER_S;
	struct pollfd p = { .fd = alive };
	mono_ns now;

	while ((now = mono_now()) < deadline) {
		if (poll(&p, 1, (int)((deadline - now) / NS_PER_MS) + 1) > 0)
			return true;
	}
	return false;
}

static enum err child_end(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return ERR_SYSTEM;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return OK;
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_REFUSED ? ERR_CONFIG : ERR_SYSTEM;
}

/* One that is late is killed and not waited for: what waits for some file systems dies only when
 * they answer. The crew buries it. */
static enum err child_run(const struct reading *r)
{
	enum err e = ERR_SYSTEM;
	int alive[2];
	pid_t pid;

	if (pipe2(alive, O_CLOEXEC) != 0)
		return ERR_SYSTEM;
	pid = fork();
	if (pid == 0) {
		alarm(2 * LOAD_SECONDS); /* if nobody is there any more who would kill it */
		close_others(r, alive[1]);
		_exit(child_load(r));
	}
	close(alive[1]);
	if (pid > 0 && ends_in_time(alive[0])) {
		e = child_end(pid);
	} else if (pid > 0) {
		(void)kill(pid, SIGKILL);
		report_late(r);
	}
	close(alive[0]);
	return e;
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

static enum err reading_make(struct reading *r, struct loaded *l)
{
	static const char *const names[N_SAYS] = { "postern-report", "postern-text", "postern-at" };
	enum err e = OK;

	for (unsigned int i = 0; i < N_SAYS; i++) {
		r->says[i] = memfd_create(names[i], MFD_CLOEXEC);
		if (r->says[i] < 0)
			e = ERR_SYSTEM;
	}
	for (unsigned int role = 0; role < N_ROLES && e == OK; role++)
		e = sealed_make(role_row((enum role)role)->name, &l->bundle[role]);
	return e;
}

static void reading_close(const struct reading *r)
{
	for (unsigned int i = 0; i < N_SAYS; i++) {
		if (r->says[i] >= 0)
			close(r->says[i]);
	}
}

static enum err loaded_fill(const char *file, struct loaded *l, struct span key, char **report)
{
	struct reading r = { .file = file, .key = key, .bundle = l->bundle };
	enum err e = reading_make(&r, l);

	if (e == OK)
		e = child_run(&r);
	l->text = said(r.says[SAYS_TEXT], TEXT_MAX_BYTES);
	*report = (char *)(uintptr_t)said(r.says[SAYS_REPORT], REPORT_MAX).p;
	reading_close(&r);
	return e == OK ? own_load(l) : e;
}

enum err loader_load(const char *file, struct span key, struct loaded **out, char **report)
{
	struct loaded *l = calloc(1, sizeof *l);
	enum err e;

	*out = l;
	*report = NULL;
	if (l == NULL)
		return ERR_NOMEM;
	for (unsigned int r = 0; r < N_ROLES; r++)
		l->bundle[r] = -1;
	e = loaded_fill(file, l, key, report);
	if (e != OK && (*report == NULL || **report == '\0')) {
		free(*report);
		*report = report_text(file, "reading it failed", err_text(e));
	}
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

struct conf *loader_selectors(const char *file, const struct loaded *refused)
{
	const struct conf_source none = conf_source_none();
	struct conf_problems problems = { 0 };
	struct conf *c = NULL;

	if (refused == NULL || refused->text.len == 0)
		return NULL;
	return conf_load(file, refused->text, &none, &c, &problems) == OK ? c : NULL;
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
