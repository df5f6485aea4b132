/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no daemon: judging a configuration, and the guards that hold packets back while
 * nothing is up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "certs/cert.h"
#include "conf/load.h"
#include "conf/show.h"
#include "daemon/cli.h"
#include "daemon/host_conf.h"
#include "xfrm/kernel.h"

enum { CONFIG_BYTES_MAX = 1 << 20 };

/* The whole file, malloc'd; false: said on stderr. */
static bool file_read(const char *path, struct span *text)
{
	FILE *f = fopen(path, "re");
	uint8_t *buf = f ? malloc(CONFIG_BYTES_MAX + 1) : NULL;
	size_t len = buf ? fread(buf, 1, CONFIG_BYTES_MAX + 1, f) : 0;
	bool ok = buf && !ferror(f) && len <= CONFIG_BYTES_MAX;

	if (!f)
		fprintf(stderr, "error: %s: %s\n", path, strerror(errno));
	else if (!ok)
		fprintf(stderr, "error: %s: not a readable file of at most 1 MiB\n", path);
	if (f)
		fclose(f);
	if (ok)
		*text = span_of(buf, len);
	else
		free(buf);
	return ok;
}

static bool wants_kernel(const struct conf *c)
{
	for (size_t i = 0; i < c->n_connections; i++) {
		for (size_t k = 0; k < c->connections[i].n_children; k++) {
			if (conf_child_insists(&c->connections[i].children[k]))
				return true;
		}
	}
	return false;
}

/* Only root may ask the kernel. The configuration may be meant for another machine, so that what
 * this one's kernel lacks is worth a warning, no more. */
static void kernel_judge(const struct conf *c, struct conf_problems *problems)
{
	struct plane_caps caps = { .lacks = "IPsec" };
	struct kernel *k = NULL;
	struct host *h = NULL;
	char why[HOST_WHY_MAX];

	if (!wants_kernel(c))
		return;
	if (geteuid() != 0) {
		fputs("note: what this kernel lacks for `dataplane = kernel` only root can find out\n",
		      stderr);
		return;
	}
	if (kernel_open(&k, why) == OK)
		kernel_probe(k, &caps);
	kernel_close(k);
	/* As the daemon finds it out. */
	if (caps.interface && host_open(&h, why) == OK)
		caps.interface = host_iface_probe(h);
	host_close(h);
	conf_check_planes(c, &caps, problems);
}

/* Loads and judges; all problems go to stderr. NULL: refused. */
static struct conf *text_judge(const char *path, struct span text, size_t *n_problems)
{
	struct conf_problems problems = { 0 };
	struct conf_source disk = conf_source_disk();
	struct conf *c = NULL;
	char *words;

	if (conf_load(path, text, &disk, &c, &problems) == OK) {
		cert_check(c, time(NULL), &problems);
		kernel_judge(c, &problems);
	}
	words = conf_problems_text(path, text, &problems);
	if (words)
		fputs(words, stderr);
	free(words);
	*n_problems = problems.n_errors;
	if (problems.n_errors > 0) {
		conf_free(c);
		c = NULL;
	}
	return c;
}

static struct conf *conf_judge(const char *path, size_t *n_problems)
{
	struct conf *c;
	struct span text;

	*n_problems = 1;
	if (!file_read(path, &text))
		return NULL;
	c = text_judge(path, text, n_problems);
	free((void *)(uintptr_t)text.p);
	return c;
}

/* What is to be guarded. A certificate that is over, or a key that is not there, keeps posternd
 * from starting (*broken), and all the more packets have to be held back. */
static struct conf *conf_guarded(const char *path, bool *broken)
{
	const struct conf_source none = conf_source_none();
	struct conf_problems problems = { 0 };
	struct conf *c = NULL;
	struct span text;
	size_t n;

	if (!file_read(path, &text))
		return NULL;
	c = text_judge(path, text, &n);
	*broken = c == NULL && conf_load(path, text, &none, &c, &problems) == OK;
	free((void *)(uintptr_t)text.p);
	return c;
}

static void print_whole(const struct conf *c)
{
	char *text = conf_text(c);

	if (text)
		fputs(text, stdout);
	free(text);
}

int cli_check(const struct cli *cli)
{
	const char *path = cli->n_args > 0 ? cli->args[0] : cli->config;
	size_t n;
	struct conf *c = conf_judge(path, &n);
	int code = c ? CLI_DONE : CLI_REFUSED;

	if (cli->json)
		cli_print_json(json_pack("{s:i, s:s, s:s, s:b, s:I}", "v", 1, "kind", "check",
					 "file", path, "ok", c != NULL, "errors", (json_int_t)n));
	else if (!c)
		fprintf(stderr, "%zu error%s. Nothing was changed.\n", n, n == 1 ? "" : "s");
	else if (cli->verbose)
		print_whole(c);
	else if (!cli->quiet)
		printf("%s: %zu connection%s, no errors\n", path, c->n_connections,
		       c->n_connections == 1 ? "" : "s");
	conf_free(c);
	return code;
}

/* ---- guards ---- */

struct shown {
	const struct cli *cli;
	size_t n;
};

static void guard_line(void *ctx, const struct ts *src, const struct ts *dst, const char *direction)
{
	struct shown *shown = ctx;
	char s[TS_TEXT_MAX], d[TS_TEXT_MAX];

	shown->n++;
	if (shown->cli->json)
		cli_print_json(json_pack("{s:i, s:s, s:s, s:s, s:s}", "v", 1, "kind", "guard",
					 "direction", direction, "from", ts_text(src, s), "to",
					 ts_text(dst, d)));
	else
		printf("%-4s %s -> %s\n", direction, ts_text(src, s), ts_text(dst, d));
}

/* One entry per child of the configuration; the selectors stay the configuration's. */
static struct host_child *children_of(const struct conf *c, size_t *n)
{
	struct host_child *v = calloc(host_conf_count(c) + 1, sizeof(*v));
	const struct plane_caps unknown = { .lacks = "" };

	*n = 0;
	for (size_t i = 0; v && i < c->n_connections; i++) {
		const struct conf_connection *cn = &c->connections[i];

		for (size_t k = 0; k < cn->n_children; k++)
			v[(*n)++] = host_conf_child(c, cn, &cn->children[k], &unknown);
	}
	return v;
}

static enum err guard_on(const struct cli *cli, struct host *h, char why[static HOST_WHY_MAX])
{
	size_t n;
	bool broken = false;
	struct conf *c = conf_guarded(cli->config, &broken);
	struct host_child *v = c ? children_of(c, &n) : NULL;
	enum err e = c ? ERR_NOMEM : ERR_CONFIG;

	if (!c)
		snprintf(why, HOST_WHY_MAX, "%.200s has errors", cli->config);
	if (v)
		e = host_guard_set(h, v, n, why);
	free(v);
	conf_free(c);
	if (e == OK && !cli->quiet)
		puts("the guards are on: packets of the configured children are held back");
	if (e == OK && broken)
		fputs("warning: posternd will not start before this is mended\n", stderr);
	return e;
}

/* States, policies and traps that a daemon left which was killed: they hold packets back as guards
 * do. */
static enum err leftovers_off(char why[static HOST_WHY_MAX])
{
	struct kernel *k = NULL;
	enum err e = kernel_open(&k, why);

	if (e == OK)
		e = kernel_clear(k, why);
	kernel_close(k);
	return e == ERR_UNSUPPORTED ? OK : e;
}

/* What is said of none goes to stderr: scripts count lines. */
static enum err guard_show(const struct cli *cli, struct host *h, char why[static HOST_WHY_MAX])
{
	struct shown shown = { .cli = cli };
	enum err e = host_guard_list(h, guard_line, &shown, why);

	if (e == OK && shown.n == 0 && !cli->json && !cli->quiet)
		fputs("there are no guards: nothing is held back\n", stderr);
	return e;
}

static enum err guard_off(struct host *h, char why[static HOST_WHY_MAX])
{
	enum err e = host_guard_off(h, why);
	bool any;

	if (e == OK)
		e = host_plane_off(h, why);
	if (e == OK)
		e = host_iface_prune(h, NULL, 0, &any, why);
	return e == OK ? leftovers_off(why) : e;
}

/* Is a daemon there? It would put back at once what is changed behind its back. */
static bool daemon_runs(const struct cli *cli)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int n = snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/control.sock", cli->run_dir);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool runs = fd >= 0 && n > 0 && (size_t)n < sizeof(sun.sun_path) &&
		    connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == 0;

	if (fd >= 0)
		close(fd);
	return runs;
}

int cli_guard(const struct cli *cli)
{
	char why[HOST_WHY_MAX] = "";
	const char *what = cli->args[0];
	struct host *h = NULL;
	enum err e;

	if (strcmp(what, "show") != 0 && daemon_runs(cli)) {
		fprintf(stderr, "error: busy: guard: posternd runs and sees to the guards itself\n"
				"  try      postern down NAME, or stop posternd first\n");
		return CLI_REFUSED;
	}
	e = host_open(&h, why);

	if (e == OK && strcmp(what, "show") == 0)
		e = guard_show(cli, h, why);
	else if (e == OK && strcmp(what, "on") == 0)
		e = guard_on(cli, h, why);
	else if (e == OK && strcmp(what, "off") == 0)
		e = guard_off(h, why);
	else if (e == OK) {
		fprintf(stderr, "error: postern guard takes show, on or off, not `%s`\n", what);
		host_close(h);
		return CLI_USAGE;
	}
	if (e != OK)
		fprintf(stderr, "error: %s: guard: %s\n", err_slug(e), why[0] ? why : err_text(e));
	else if (strcmp(what, "off") == 0 && !cli->quiet)
		printf("the guards are lifted: packets of all children may leave in clear\n");
	host_close(h);
	return e == OK ? CLI_DONE : CLI_REFUSED;
}
