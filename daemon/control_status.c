/* SPDX-License-Identifier: Apache-2.0 */
/* `status` and `explain`: a line for each connection, then one for the whole. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "daemon/control_state.h"

static struct report_now now_get(void)
{
	struct timespec t = { .tv_sec = 0 };

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (struct report_now){ .mono = mono_now(),
				    .wall = t.tv_sec,
				    .rest = (mono_ns)t.tv_nsec };
}

struct status_walk {
	struct client *c;
	struct report_now now;
	int counts[IKE_STATE_FAILING + 1];
	bool found;
};

static void status_one(void *ctx, const struct ike_view *v)
{
	struct status_walk *w = ctx;
	json_t *o;

	if (w->c->connection[0] && strcmp(w->c->connection, v->conf->name) != 0)
		return;
	w->found = true;
	w->counts[v->state]++;
	o = report_connection(v, &w->now);
	report_put(&o, "last_refusal",
		   refusals_of(&w->c->control->refusals, v->conf->name, &w->now));
	client_send(w->c, o);
}

/* The pid is the monitor's, our parent: what people call the daemon. */
static json_t *daemon_report(const struct control *ctl)
{
	char started[REPORT_TIME_MAX], loaded[REPORT_TIME_MAX];
	int64_t not_kept = ctl->env.not_kept(ctl->env.ctx);

	return json_pack("{s:s, s:i, s:s, s:s, s:o, s:o}", "version", PACKAGE_VERSION, "pid",
			 (int)getppid(), "started", report_time(ctl->started, started),
			 "config_loaded", report_time(ctl->config_loaded, loaded), "not_kept",
			 not_kept < 0 ? json_null() : json_integer((json_int_t)not_kept),
			 "not_upgraded", report_text(span_str(ctl->not_upgraded)));
}

void control_status(struct client *c)
{
	struct status_walk w = { .c = c, .now = now_get() };
	char when[REPORT_TIME_MAX];

	ike_engine_views(control_engine(c->control), status_one, &w);
	if (c->connection[0] && !w.found) {
		client_end_unknown(c);
		return;
	}
	client_send(
		c, json_pack("{s:i, s:s, s:s, s:{s:i, s:i, s:i, s:i, s:i}, s:o, s:o}", "v",
			     REPORT_VERSION, "kind", "summary", "time",
			     report_time(w.now.wall, when), "summary", "up", w.counts[IKE_STATE_UP],
			     "connecting", w.counts[IKE_STATE_CONNECTING], "waiting",
			     w.counts[IKE_STATE_WAITING], "failing", w.counts[IKE_STATE_FAILING],
			     "off", w.counts[IKE_STATE_OFF], "daemon", daemon_report(c->control),
			     "unknown_peers", refusals_strangers(&c->control->refusals, &w.now)));
	client_end(c, OK, NULL);
}
