/* SPDX-License-Identifier: Apache-2.0 */
/* What a reload says of itself: the report of problems and what has changed, whole; and with any
 * allocation that fails it is refused before anything has changed, or goes through and says all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/monitor_state.h"
#include "tests/unit/conf/fixture.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/unit.h"

enum { TICKET = 7, ALLOCATIONS_MAX = 100, MANY = 43 };

static struct world {
	struct monitor m;
	struct loaded was, is;
	const char *report; /* of problems */
	enum err judged;    /* of its devices */
	unsigned int n_answers, n_held;
	enum err answer;
	char told[PROTO_TEXT_MAX + 1];
} w;

/* ---- what stands in the place of the other parts ---- */

mono_ns mono_now(void)
{
	return 1;
}

void loop_timer_set(struct loop *l, struct loop_timer *t, mono_ns at)
{
	(void)l;
	t->node.set = at != NEVER;
}

enum err loader_load(const char *file, struct span key, struct loaded **out, char **report)
{
	(void)file;
	(void)key;
	failing_hold(true);
	*out = &w.is;
	*report = strdup(w.report);
	failing_hold(false);
	return OK;
}

enum err loader_judge(const char *file, const struct loaded *l, const struct plane_caps *kernel,
		      char **report)
{
	(void)file;
	(void)l;
	(void)kernel;
	(void)report;
	return w.judged;
}

void loaded_free(struct loaded *l)
{
	(void)l;
}

enum err warden_set(struct warden *x, const struct conf *c, char why[static HOST_WHY_MAX])
{
	(void)x;
	(void)why;
	w.n_held += c == w.is.conf;
	return OK;
}

void monitor_send_reloaded(struct monitor *m, uint64_t ticket, enum err e, const char *text)
{
	(void)m;
	w.n_answers += ticket == TICKET;
	w.answer = e;
	snprintf(w.told, sizeof w.told, "%s", text);
}

/* What does nothing here. */
void monitor_send_config(struct monitor *m, enum role r, const struct loaded *l,
			 uint64_t generation)
{
	(void)m;
	(void)r;
	(void)l;
	(void)generation;
}
void monitor_send_number(struct monitor *m, enum role r, uint8_t type, uint64_t number)
{
	(void)m;
	(void)r;
	(void)type;
	(void)number;
}
void monitor_send_devices(struct monitor *m)
{
	(void)m;
}
void monitor_kernel_settled(struct monitor *m)
{
	(void)m;
}
void monitor_host_retry(struct monitor *m)
{
	(void)m;
}
void monitor_log(enum log_level level, const char *event, const char *why)
{
	(void)level;
	(void)event;
	(void)why;
}
void notify_send(const struct notify *n, const char *state)
{
	(void)n;
	(void)state;
}
void notify_alive(const struct notify *n)
{
	(void)n;
}
void notify_reloading(const struct notify *n, mono_ns now)
{
	(void)n;
	(void)now;
}

/* ---- the scene: `office` stays, and so many others come ---- */

static const struct options options = { .config = "postern.conf" };

static void connection_write(FILE *f, const char *name, unsigned int i)
{
	fprintf(f,
		"connection %s {\n address = 203.0.113.%u\n identity = %s.example.org\n"
		" auth = psk\n psk_file = office.psk\n child lan {\n  local = 10.1.0.0/16\n"
		"  remote = 10.%u.0.0/16\n }\n}\n",
		name, i + 1, name, i + 1);
}

static struct conf *conf_make(unsigned int n_more)
{
	static char text[64 * 1024];
	FILE *f = fmemopen(text, sizeof text, "w");
	char name[16];

	ck_assert_ptr_nonnull(f);
	fputs("me {\n identity = left.example.org\n}\n", f);
	connection_write(f, "office", 1);
	for (unsigned int i = 0; i < n_more; i++) {
		snprintf(name, sizeof name, "more%u", i);
		connection_write(f, name, i + 2);
	}
	ck_assert_int_eq(fclose(f), 0);
	return fixture_load(text);
}

static void world_open(unsigned int n_more, const char *report)
{
	memset(&w, 0, sizeof w);
	w.was.conf = conf_make(0);
	w.is.conf = conf_make(n_more);
	w.report = report;
	w.m = (struct monitor){ .o = &options, .now = &w.was, .generation = 1, .up = true };
	for (unsigned int r = 0; r < N_ROLES; r++)
		w.m.ready[r] = 1;
	reload_init(&w.m);
}

static void world_close(void)
{
	conf_free(w.was.conf);
	conf_free(w.is.conf);
}

/* Asked for, and all processes are ready; in that the nth allocation fails. True: one did. */
static bool reloads(size_t nth)
{
	bool failed;

	failing_arm(nth);
	reload_begin(&w.m, TICKET);
	for (unsigned int r = ROLE_MONITOR + 1; r < N_ROLES; r++)
		w.m.ready[r] = w.m.reload.generation;
	if (w.m.reload.next != NULL)
		reload_ready(&w.m);
	failed = failing_disarm() && nth > 0;
	ck_assert_uint_eq(w.n_answers, 1);
	ck_assert_ptr_null(w.m.reload.next);
	ck_assert_ptr_null(w.m.reload.report);
	ck_assert_ptr_null(w.m.reload.diff.rows);
	return failed;
}

static const struct {
	const char *report;
	unsigned int n_more;
	const char *told;
} stories[] = {
	{ "", 0, "\f" },
	{ "", 1, "\fmore0: added\n" },
	{ "p:1:1: warning: weak\n", 0, "p:1:1: warning: weak\n\f" },
	{ "p:1:1: warning: weak\n", 2, "p:1:1: warning: weak\n\fmore0: added\nmore1: added\n" },
};
enum { N_STORIES = sizeof(stories) / sizeof(stories[0]) };

START_TEST(what_has_changed_is_told_or_nothing_has)
{
	size_t n = 0, refused = 0;
	long before;

	for (bool failed = true; failed; n++) {
		ck_assert_uint_lt(n, ALLOCATIONS_MAX);
		world_open(stories[_i].n_more, stories[_i].report);
		before = failing_live();
		/* The control: none fails. */
		failed = reloads(n) || n == 0;
		ck_assert_int_eq(failing_live(), before);
		ck_assert_uint_eq(w.n_held, w.answer == OK);
		ck_assert_ptr_eq(w.m.now, w.answer == OK ? &w.is : &w.was);
		if (w.answer == OK)
			ck_assert_str_eq(w.told, stories[_i].told);
		else
			ck_assert_int_eq(w.answer, ERR_NOMEM);
		ck_assert(n > 0 || w.answer == OK);
		refused += w.answer != OK;
		world_close();
	}
	ck_assert_uint_gt(refused, 0);
}
END_TEST

START_TEST(what_is_refused_changes_nothing_and_says_why)
{
	long before;

	world_open(2, "p:1:1: error: no such device\n");
	w.judged = ERR_UNSUPPORTED;
	before = failing_live();
	(void)reloads(0);
	ck_assert_int_eq(failing_live(), before);
	ck_assert_int_eq(w.answer, ERR_UNSUPPORTED);
	ck_assert_str_eq(w.told, w.report);
	ck_assert_uint_eq(w.n_held, 0);
	ck_assert_ptr_eq(w.m.now, &w.was);
	world_close();
}
END_TEST

START_TEST(of_many_changes_the_first_are_told_and_how_many_more)
{
	size_t lines = 0;

	world_open(MANY, "");
	(void)reloads(0);
	for (const char *p = w.told; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	ck_assert_uint_eq(lines, 41);
	ck_assert_ptr_nonnull(strstr(w.told, "more39: added\n3 more, which the log has\n"));
	world_close();
}
END_TEST

/* However many problems are reported: whole lines, and room for what has changed. */
START_TEST(a_long_report_hides_no_change)
{
	static char report[2 * PROTO_TEXT_MAX];
	const char *mark;

	for (size_t i = 0; i + 8 < sizeof report; i += 7)
		memcpy(report + i, "K\xc3\xb6ln.\n", 8);
	world_open(1, report);
	(void)reloads(0);
	ck_assert_uint_lt(strlen(w.told), PROTO_TEXT_MAX);
	mark = strchr(w.told, PROTO_CHANGES);
	ck_assert_ptr_nonnull(mark);
	ck_assert_str_eq(mark, "\fmore0: added\n");
	ck_assert_int_gt(mark - w.told, PROTO_TEXT_MAX / 2);
	ck_assert_int_eq(mark[-1], '\n');
	world_close();
}
END_TEST

UNIT("daemon/reload")
{
	tcase_add_loop_test(tc, what_has_changed_is_told_or_nothing_has, 0, N_STORIES);
	tcase_add_test(tc, what_is_refused_changes_nothing_and_says_why);
	tcase_add_test(tc, of_many_changes_the_first_are_told_and_how_many_more);
	tcase_add_test(tc, a_long_report_hides_no_change);
}
