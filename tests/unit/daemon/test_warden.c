/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation after the other fails while the host is told of the configuration, of a new one,
 * and of a child that is lifted and guarded: what was before stands, guards first; and the next
 * try goes through. The host only writes down.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/warden.h"
#include "tests/unit/conf/fixture.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/unit.h"

#define HEAD                                                                             \
	"me {\n identity = left.example.org\n certificate = left.pem\n key = left.key\n" \
	" trust = ca.pem\n}\nconnection office {\n address = 203.0.113.2\n"              \
	" identity = right.example.org\n auth = psk\n psk_file = office.psk\n"           \
	" child lan {\n  dataplane = user\n  interface = tun-a\n  local = 10.1.0.0/16\n" \
	"  remote = 10.2.0.0/16\n }\n"
#define MORE                                                                             \
	" child lab {\n  dataplane = user\n  interface = tun-b\n  local = 10.3.0.0/16\n" \
	"  remote = 10.4.0.0/16\n }\n"

enum { ALLOCATIONS_MAX = 100, FDS = 256 };

static struct {
	size_t n_guards; /* that stand */
	size_t n_led;	 /* children whose packets are led into a device */
} host;

/* ---- what stands in the place of the host ---- */

enum err host_open(struct host **out, char why[static HOST_WHY_MAX])
{
	(void)why;
	*out = (struct host *)(void *)&host;
	return OK;
}

enum err host_guard_set(struct host *h, const struct host_child *v, size_t n,
			char why[static HOST_WHY_MAX])
{
	(void)h;
	(void)v;
	(void)why;
	host.n_guards = n;
	return OK;
}

enum err host_plane_set(struct host *h, const char *tun, const struct host_child *v, size_t n,
			char why[static HOST_WHY_MAX])
{
	(void)h;
	(void)tun;
	(void)v;
	(void)why;
	host.n_led = n;
	return OK;
}

enum err host_iface_open(struct host *h, const struct host_child *c, unsigned int n_queues,
			 int *fds, char why[static HOST_WHY_MAX])
{
	(void)h;
	(void)c;
	(void)why;
	for (unsigned int i = 0; i < n_queues; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return OK;
}

enum err host_iface_ready(struct host *h, const struct host_child *v, size_t n,
			  char why[static HOST_WHY_MAX])
{
	(void)h;
	(void)v;
	(void)n;
	(void)why;
	return OK;
}

enum err host_iface_prune(struct host *h, const struct host_child *v, size_t n, bool *any,
			  char why[static HOST_WHY_MAX])
{
	(void)h;
	(void)v;
	(void)n;
	(void)why;
	*any = false;
	return OK;
}

/* What nothing here comes to. */
void host_close(struct host *h)
{
	(void)h;
}
bool host_iface_probe(struct host *h)
{
	(void)h;
	return false;
}
const char *host_plane_lacks(struct host *h, enum host_lack which)
{
	(void)h;
	(void)which;
	return "";
}
enum err host_plane_off(struct host *h, char why[static HOST_WHY_MAX])
{
	(void)h;
	(void)why;
	return OK;
}
enum err host_tun_open(struct host *h, const char *name, unsigned n_queues, int *fds,
		       char why[static HOST_WHY_MAX])
{
	(void)h;
	(void)name;
	(void)n_queues;
	(void)fds;
	(void)why;
	return ERR_UNSUPPORTED;
}
enum err host_child_mtu(struct host *h, const struct host_child *c, uint16_t mtu,
			char why[static HOST_WHY_MAX])
{
	(void)h;
	(void)c;
	(void)mtu;
	(void)why;
	return OK;
}
enum err host_watch(struct host *h, int *fd, char why[static HOST_WHY_MAX])
{
	(void)h;
	(void)fd;
	(void)why;
	return ERR_UNSUPPORTED;
}
enum host_change host_changed(struct host *h)
{
	(void)h;
	return HOST_SAME;
}
enum err kernel_traps_set(struct kernel *k, const struct host_child *v, size_t n, bool hold,
			  char why[static HOST_WHY_MAX])
{
	(void)k;
	(void)v;
	(void)n;
	(void)hold;
	(void)why;
	return OK;
}

/* ---- what is done to it ---- */

struct scene {
	struct warden *w;
	struct conf *small, *large;
};

static char why[HOST_WHY_MAX];

static enum err starts(struct scene *s)
{
	enum err e = warden_new(&s->w, why);

	return e == OK ? warden_set(s->w, s->small, why) : e;
}

static enum err has_a_device(struct scene *s)
{
	return warden_tun_take(s->w, "postern0", 2, why);
}

static enum err grows(struct scene *s)
{
	return warden_set(s->w, s->large, why);
}

static enum err shrinks(struct scene *s)
{
	return warden_set(s->w, s->small, why);
}

static enum err guard(struct scene *s, uint16_t value)
{
	const struct msg_child m = { .connection = "office", .child = "lan", .value = value };

	return warden_guard(s->w, &m, why);
}

static enum err lifts(struct scene *s)
{
	return guard(s, 0);
}

static enum err guards(struct scene *s)
{
	return guard(s, 1);
}

/* Guards and led children, and devices, behind each. What fails leaves those before it; a child in
 * doubt is guarded. */
static const struct {
	enum err (*act)(struct scene *s);
	size_t n_guards, n_led;
	int n_devices;
	size_t guards_failed;
} steps[] = {
	{ starts, 1, 0, 0, 0 },	 { has_a_device, 1, 1, 1, 1 }, { grows, 2, 2, 2, 1 },
	{ shrinks, 1, 1, 1, 2 }, { lifts, 0, 0, 1, 1 },	       { guards, 1, 1, 1, 1 },
};
enum { N_STEPS = sizeof(steps) / sizeof(steps[0]) };

static int fds_open(void)
{
	int n = 0;

	for (int fd = 0; fd < FDS; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void judge(int step, int fds, size_t nth)
{
	ck_assert_msg(host.n_guards == steps[step].n_guards && host.n_led == steps[step].n_led &&
			      fds_open() == fds + 2 * steps[step].n_devices,
		      "step %d, allocation %zu: %zu guards, %zu led, %d descriptors", step, nth,
		      host.n_guards, host.n_led, fds_open() - fds);
}

static void judge_failed(enum err e, int step)
{
	ck_assert(e == OK || e == ERR_NOMEM);
	ck_assert(e == OK || step == 0 || why[0] != '\0');
	ck_assert(e == OK || host.n_guards == steps[step].guards_failed);
}

/* A device that had to go may be there until this. */
static enum err again(struct scene *s, enum err e, int step)
{
	if (step > 0)
		return steps[step].act(s);
	if (e == OK)
		return OK;
	warden_free(s->w, false);
	return starts(s);
}

/* The allocation fails in one of the steps, which is done again. False: in none. */
static bool run(struct scene s, int failing, size_t nth)
{
	const int fds = fds_open();
	bool failed = false;

	memset(&host, 0, sizeof(host));
	for (int i = 0; i < N_STEPS; i++) {
		enum err e;

		why[0] = '\0';
		failing_arm(i == failing ? nth : 0);
		e = steps[i].act(&s);
		if (failing_disarm() && i == failing && nth > 0) {
			failed = true;
			judge_failed(e, i);
			e = again(&s, e, i);
		}
		ck_assert_int_eq(e, OK);
		judge(i, fds, nth);
	}
	warden_free(s.w, true);
	ck_assert_int_eq(fds_open(), fds);
	return failed;
}

START_TEST(what_the_host_was_told_before_stands)
{
	const struct scene s = { .small = fixture_load(HEAD "}\n"),
				 .large = fixture_load(HEAD MORE "}\n") };
	const long before = failing_live();
	size_t n = 0;

	ck_assert(!run(s, _i, 0));
	ck_assert_int_eq(failing_live(), before);
	while (run(s, _i, ++n)) {
		ck_assert_uint_lt(n, ALLOCATIONS_MAX);
		ck_assert_int_eq(failing_live(), before);
	}
	ck_assert_uint_gt(n, 1);
	conf_free(s.small);
	conf_free(s.large);
}
END_TEST

UNIT("daemon/warden")
{
	tcase_add_loop_test(tc, what_the_host_was_told_before_stands, 0, N_STEPS);
}
