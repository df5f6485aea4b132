/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's process: the protocol engine with its bridge, and the control socket. It has the
 * network's bytes and no capability, no file, no private key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "certs/cert.h"
#include "daemon/bridge.h"
#include "daemon/clockwatch.h"
#include "daemon/control.h"
#include "daemon/processes.h"
#include "daemon/restorer.h"

/* What the engine works with of one configuration: the model, and per `me` what goes into CERT and
 * CERTREQ. */
struct setup {
	struct conf *conf;
	struct span *chains; /* one per me, malloc'd */
	struct span *authorities;
	uint8_t workers;
};

struct engine_process {
	struct process *process;
	struct bridge *bridge;
	struct control *control;
	struct ike_engine *ike;
	struct setup *setup;
	struct restorer restorer;
	struct clockwatch clock;
	struct loop_timer status;
	bool status_due;
	struct plane_caps kernel; /* what the kernel's data plane can do; the monitor found out */
	struct msg_addresses addresses; /* the machine's, as the monitor last said */
};

/* ---- configuration ---- */

static void setup_free(void *prepared)
{
	struct setup *s = prepared;

	for (size_t i = 0; s->conf != NULL && i < s->conf->n_mes; i++) {
		if (s->chains != NULL)
			free((void *)(uintptr_t)s->chains[i].p);
		if (s->authorities != NULL)
			free((void *)(uintptr_t)s->authorities[i].p);
	}
	free(s->chains);
	free(s->authorities);
	conf_free(s->conf);
	free(s);
}

static enum err setup_me(struct setup *s, size_t i, char why[static PROCESS_WHY_MAX])
{
	const struct conf_me *me = &s->conf->mes[i];
	enum err e = OK;

	if (me->certificate.bytes.len > 0)
		e = cert_chain_from_pem(me->certificate.bytes, &s->chains[i], why);
	if (e == OK && me->trust.bytes.len > 0)
		e = cert_authorities_from_pem(me->trust.bytes, &s->authorities[i], why);
	return e;
}

static enum err engine_prepare(void *ctx, struct conf *c, uint8_t workers, void **prepared,
			       char why[static PROCESS_WHY_MAX])
{
	struct setup *s = calloc(1, sizeof *s);
	enum err e = OK;

	(void)ctx;
	if (s == NULL) {
		conf_free(c);
		return ERR_NOMEM;
	}
	s->conf = c;
	s->workers = workers;
	s->chains = calloc(c->n_mes + 1, sizeof *s->chains);
	s->authorities = calloc(c->n_mes + 1, sizeof *s->authorities);
	if (s->chains == NULL || s->authorities == NULL)
		e = ERR_NOMEM;
	for (size_t i = 0; i < c->n_mes && e == OK; i++)
		e = setup_me(s, i, why);
	if (e == OK)
		*prepared = s;
	else
		setup_free(s);
	return e;
}

static size_t me_index(const struct setup *s, const struct conf_me *me)
{
	for (size_t i = 0; i < s->conf->n_mes; i++) {
		if (&s->conf->mes[i] == me)
			return i;
	}
	return s->conf->n_mes; /* the empty span behind the last */
}

static struct span env_certificates(void *ctx, const struct conf_me *me)
{
	const struct engine_process *p = ctx;

	return p->setup->chains[me_index(p->setup, me)];
}

static struct span env_authorities(void *ctx, const struct conf_me *me)
{
	const struct engine_process *p = ctx;

	return p->setup->authorities[me_index(p->setup, me)];
}

static void tell_addresses(struct engine_process *p)
{
	struct ike_addresses a = { .n = 0 };
	const struct ike_event ev = { .kind = IKE_EV_ADDRESSES, .addresses = &a };

	while (a.n < p->addresses.n && a.n < IKE_ADDRS_MAX) {
		a.addrs[a.n] = p->addresses.addr[a.n];
		a.n++;
	}
	ike_engine_event(p->ike, &ev, mono_now());
}

/* Goes on where another one was stopped, if there was one. */
static struct ike_engine *engine_begin(struct engine_process *p)
{
	const struct ike_env env = {
		.random = random_system(),
		.keeps = restorer_is_open(&p->restorer),
		.restores = true,
		.n_owners = p->setup->workers,
		.kernel = p->kernel,
		.certificates = env_certificates,
		.authorities = env_authorities,
		.ctx = p,
	};
	mono_ns now = mono_now();
	struct ike_engine *e = ike_engine_new(&env, p->setup->conf, now);

	if (e != NULL)
		restorer_give(&p->restorer, e, now);
	return e;
}

static enum err engine_commit(void *ctx, void *prepared)
{
	struct engine_process *p = ctx;
	struct setup *old = p->setup;
	enum err e = OK;

	p->setup = prepared;
	if (p->ike != NULL)
		e = ike_engine_reconfigure(p->ike, p->setup->conf, mono_now());
	else
		p->ike = engine_begin(p);
	if (e != OK || p->ike == NULL)
		return ERR_NOMEM; /* this process ends, so the old one is left where it is */
	bridge_set(p->bridge, p->ike, p->setup->conf);
	control_config(p->control, process_config_read(p->process));
	if (bridge_begin(p->bridge) != OK)
		return ERR_NOMEM;
	tell_addresses(p);
	if (control_begin(p->control) != OK)
		return ERR_NOMEM;
	if (old != NULL)
		setup_free(old);
	return OK;
}

/* ---- what systemctl shows ---- */

struct count {
	unsigned int up;
	unsigned int all;
};

static void count_view(void *ctx, const struct ike_view *v)
{
	struct count *c = ctx;

	c->all++;
	c->up += v->state == IKE_STATE_UP;
}

/* For the service manager. Whoever counts walks over all SAs, so ten thousand that come up are not
 * counted ten thousand times. */
#define STATUS_EVERY (200 * NS_PER_MS)

static void tell_status(void *ctx)
{
	struct engine_process *p = ctx;
	struct count c = { 0 };
	char line[64];

	ike_engine_views(p->ike, count_view, &c);
	p->status_due = false;
	snprintf(line, sizeof line, "%u of %u up", c.up, c.all);
	process_tell(p->process, MSG_STATUS, span_str(line));
}

static void on_note(void *ctx, const struct ike_note *n)
{
	struct engine_process *p = ctx;

	if ((n->kind == IKE_NOTE_UP || n->kind == IKE_NOTE_DOWN) && !p->status_due) {
		p->status_due = true;
		loop_timer_set(process_loop(p->process), &p->status, mono_now() + STATUS_EVERY);
	}
	control_note(p->control, n);
}

/* ---- the control socket's requests ---- */

static struct ike_engine *control_engine(void *ctx)
{
	const struct engine_process *p = ctx;

	return p->ike;
}

static int64_t control_not_kept(void *ctx)
{
	const struct engine_process *p = ctx;

	return restorer_not_kept(&p->restorer, p->ike);
}

static bool control_counters_fresh(void *ctx)
{
	const struct engine_process *p = ctx;

	return !bridge_waits_for(p->bridge, ROLE_ESP) && !bridge_waits_for(p->bridge, ROLE_MONITOR);
}

static void control_command(void *ctx, bool up, const char *connection, const char *child)
{
	struct engine_process *p = ctx;
	const struct ike_event ev = {
		.kind = up ? IKE_EV_UP : IKE_EV_DOWN,
		.command = { .connection = connection, .child = child },
	};

	if (p->ike != NULL)
		ike_engine_event(p->ike, &ev, mono_now());
}

static void control_rekey(void *ctx, enum ike_rekey what, const char *connection, const char *child)
{
	struct engine_process *p = ctx;
	const struct ike_event ev = {
		.kind = IKE_EV_REKEY,
		.command = { .connection = connection, .child = child, .rekey = what },
	};

	if (p->ike != NULL)
		ike_engine_event(p->ike, &ev, mono_now());
}

static void control_change(void *ctx, enum control_change what, const struct msg_restart *about)
{
	static const enum msg_type messages[] = {
		[CONTROL_RELOAD] = MSG_RELOAD,
		[CONTROL_UPGRADE] = MSG_UPGRADE,
		[CONTROL_RESTART] = MSG_RESTART,
	};
	struct engine_process *p = ctx;
	uint8_t b[PROTO_SMALL_MAX + PROTO_COMMAND_MAX];
	struct wr w = wr_into(b, sizeof b);

	if (what == CONTROL_RESTART)
		msg_restart_put(&w, about);
	else
		msg_number_put(&w, about->ticket);
	process_tell(p->process, (uint8_t)messages[what], wr_done(&w));
}

/* ---- the wall clock ---- */

static void on_clock(void *ctx, const struct ike_clock *c, mono_ns back)
{
	struct engine_process *p = ctx;
	const struct ike_event ev = { .kind = IKE_EV_CLOCK, .clock = c };
	struct log_line l = log_event(LOG_LEVEL_NOTICE, "clock_set");

	if (back > 0)
		log_num(&l, "back", (int64_t)(back / NS_PER_S));
	else
		log_num(&l, "ahead", (int64_t)(c->ahead / NS_PER_S));
	log_num(&l, "slept", (int64_t)(c->slept / NS_PER_S));
	log_write(&l);
	if (p->ike != NULL)
		ike_engine_event(p->ike, &ev, mono_now());
}

/* ---- the process ---- */

static enum err engine_socket(void *ctx, const struct msg_socket *m, int fd)
{
	struct engine_process *p = ctx;

	if (m->kind == SOCK_VAULT)
		return restorer_open(&p->restorer, fd);
	return m->kind == SOCK_CONTROL ? control_listen(p->control, fd)
				       : bridge_socket(p->bridge, m, fd);
}

static enum err engine_peer(void *ctx, enum role r, int fd)
{
	struct engine_process *p = ctx;

	return bridge_peer(p->bridge, r, fd);
}

static void engine_reloaded(void *ctx, const struct msg_text *m)
{
	struct engine_process *p = ctx;

	/* Nobody of this engine asked. */
	if (m->ticket == 0)
		control_not_upgraded(p->control, m->text);
	else
		control_reloaded(p->control, m->ticket, m->err, m->text);
}

static enum err engine_addresses(struct engine_process *p, struct span body)
{
	if (msg_addresses_get(body, &p->addresses) != OK)
		return ERR_SYNTAX;
	if (p->ike != NULL)
		tell_addresses(p);
	return OK;
}

static enum err engine_plane(void *ctx, const struct chan_msg *m)
{
	struct engine_process *p = ctx;

	switch (m->type) {
	case MSG_CAPS:
		return plane_caps_decode(m->body, &p->kernel);
	case MSG_ADDRESSES:
		return engine_addresses(p, m->body);
	default:
		return bridge_kernel(p->bridge, m);
	}
}

/* A clean end: the peers are told, then we go. */
static void engine_stop(void *ctx)
{
	struct engine_process *p = ctx;

	if (p->ike != NULL)
		ike_engine_shutdown(p->ike, mono_now());
	bridge_drain_all(p->bridge);
	process_exit(p->process, 0);
}

/* Another one goes on with what was kept. What is to be sent is sent, and who asked for that hears
 * it. */
static void engine_leave(void *ctx)
{
	struct engine_process *p = ctx;

	if (p->ike != NULL) {
		bridge_drain_all(p->bridge);
		control_leave(p->control);
	}
	process_exit(p->process, 0);
}

static void engine_after(void *ctx)
{
	struct engine_process *p = ctx;

	bridge_drain(p->bridge);
	if (p->ike != NULL)
		control_settle(p->control);
}

static const struct process_ops ops = {
	.role = ROLE_ENGINE,
	.prepare = engine_prepare,
	.discard = setup_free,
	.commit = engine_commit,
	.peer = engine_peer,
	.socket = engine_socket,
	.reloaded = engine_reloaded,
	.plane = engine_plane,
	.stop = engine_stop,
	.leave = engine_leave,
};

static enum err parts_new(struct engine_process *p)
{
	const struct bridge_env bridge = { .process = p->process,
					   .restorer = &p->restorer,
					   .note = on_note,
					   .ctx = p };
	const struct control_env control = {
		.loop = process_loop(p->process),
		.engine = control_engine,
		.not_kept = control_not_kept,
		.counters_fresh = control_counters_fresh,
		.command = control_command,
		.rekey = control_rekey,
		.change = control_change,
		.ctx = p,
	};
	enum err e = bridge_new(&bridge, &p->bridge);

	p->status = (struct loop_timer){ .fire = tell_status, .ctx = p };
	p->clock.loop = process_loop(p->process);
	p->clock.moved = on_clock;
	p->clock.ctx = p;
	if (e == OK)
		e = control_new(&control, &p->control);
	return e == OK ? clockwatch_begin(&p->clock) : e;
}

int engine_main(const struct options *o)
{
	struct engine_process p = { 0 };
	int code = EXIT_FAILED;

	(void)o;
	p.process = process_new(&ops, &p);
	if (p.process == NULL)
		return EXIT_FAILED;
	if (parts_new(&p) == OK) {
		loop_after(process_loop(p.process), engine_after, &p);
		code = loop_run(process_loop(p.process));
	}
	clockwatch_end(&p.clock);
	control_free(p.control);
	bridge_free(p.bridge);
	ike_engine_free(p.ike);
	restorer_close(&p.restorer);
	if (p.setup != NULL)
		setup_free(p.setup);
	process_free(p.process);
	return code;
}
