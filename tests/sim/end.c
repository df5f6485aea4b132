/* SPDX-License-Identifier: Apache-2.0 */
/* One end: an engine, its configuration, and the hands that carry out what it wants. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/load.h"
#include "ike/nonce.h"
#include "tests/sim/world.h"

static const char *const default_psk = "correct horse battery staple";

/* ---- what an engine is given ---- */

static bool fill(void *ctx, void *buf, size_t len)
{
	struct end *end = ctx;
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i += 8) {
		uint64_t draw = chance_u64(&end->chance);

		memcpy(p + i, &draw, len - i < 8 ? len - i : 8);
	}
	/* All that has a nonce's length has its first bit: that costs nobody anything here. */
	if (len == OWN_NONCE_LEN && end->nonces != NONCES_DRAWN)
		p[0] = (uint8_t)((p[0] & 0x7f) | (end->nonces == NONCES_HIGH ? 0x80 : 0));
	return true;
}

/* Two certificates that nobody looks into: the test verifier goes by the identity. Long enough to
 * need fragments. */
enum { CERTIFICATE_LEN = 700 };

static struct span certificates(void *ctx, const struct conf_me *me)
{
	static const uint8_t chain[2 * (2 + CERTIFICATE_LEN)] = {
		[0] = CERTIFICATE_LEN >> 8,
		[1] = CERTIFICATE_LEN & 0xff,
		[2] = 0x30,
		[2 + CERTIFICATE_LEN] = CERTIFICATE_LEN >> 8,
		[3 + CERTIFICATE_LEN] = CERTIFICATE_LEN & 0xff,
		[4 + CERTIFICATE_LEN] = 0x31,
	};

	(void)ctx;
	(void)me;
	return span_of(chain, sizeof(chain));
}

static struct span authorities(void *ctx, const struct conf_me *me)
{
	(void)ctx;
	(void)me;
	return span_str("01234567890123456789");
}

/* ---- the configuration ---- */

/* All files are there; what matters of them are the PSKs' bytes. */
static enum err read_file(void *ctx, enum conf_file_kind kind, const char *path, struct span *bytes,
			  char why[static 256])
{
	const struct end *end = ctx;
	char *copy =
		strdup(kind == CONF_FILE_PSK	      ? end->psk
		       : kind == CONF_FILE_QCD_SECRET ? "of the host, over all its lives: 32 bytes"
						      : path);

	(void)why;
	if (!copy)
		return ERR_NOMEM;
	*bytes = span_str(copy);
	return OK;
}

static struct conf *load(struct end *end, const char *text)
{
	struct conf_source src = { .read = read_file, .ctx = end };
	struct conf_problems problems = { .n = 0 };
	struct conf *conf = NULL;

	if (conf_load("test.conf", span_str(text), &src, &conf, &problems) != OK)
		sim_must(end->sim, false, "the configuration does not load: line %d: %s",
			 problems.v[0].line, problems.v[0].text);
	return conf;
}

static struct conf *first_conf(struct end *end, const char *text)
{
	struct conf *conf = kept_take(end, text);
	size_t before = memory_live();

	if (conf)
		return conf;
	conf = load(end, text);
	if (conf)
		kept_add(end, text, conf, memory_live() - before);
	return conf;
}

struct ike_engine *end_engine(struct end *end, bool restores)
{
	struct ike_env env = {
		.keeps = true,
		.restores = restores,
		.random = { .fill = fill, .ctx = end },
		.kernel = end->kernel,
		.n_owners = 2,
		.certificates = certificates,
		.authorities = authorities,
		.ctx = end,
	};

	return end->conf ? ike_engine_new(&env, end->conf, end->sim->now) : NULL;
}

/* ---- actions ---- */

struct resolved {
	struct sim_event ev;
	char connection[CONF_NAME_MAX + 1];
};

static void resolved_drop(struct sim_event *ev)
{
	free(container_of(ev, struct resolved, ev));
}

static void resolved_arrive(struct sim *s, struct sim_event *ev)
{
	struct resolved *w = container_of(ev, struct resolved, ev);
	struct end *end = &s->end[ev->side];
	const struct conf_connection *cn = conf_connection_find(end->conf, w->connection);
	struct ike_resolved r = { .connection = w->connection, .n = cn ? cn->n_addresses : 0 };
	struct ike_event event = { .kind = IKE_EV_RESOLVED, .resolved = &r };

	for (size_t i = 0; i < r.n; i++) {
		r.paths[i].local.addr = end->addr;
		r.paths[i].remote.addr = cn->addresses[i];
	}
	end_event(end, &event);
	free(w);
}

static void resolve(struct end *end, const struct conf_connection *cn)
{
	struct sim *s = end->sim;
	struct resolved *w = calloc(1, sizeof(*w));

	if (!w)
		return;
	w->ev = (struct sim_event){ .side = end->side,
				    .happen = resolved_arrive,
				    .drop = resolved_drop };
	snprintf(w->connection, sizeof(w->connection), "%s", cn->name);
	sim_later(s, &w->ev, s->now + sim_takes(s, 1, 2000));
}

static void take_note(struct end *end, const struct ike_note *n)
{
	trace_note(end, n);
	end->last[n->kind] = *n;
	end->n_notes[n->kind]++;
	if (n->kind == IKE_NOTE_UP)
		check_established(end, n);
	if (n->kind != IKE_NOTE_DROPPED)
		end->sim->stirred = end->sim->now;
}

static void send_it(struct end *end, const struct ike_action *a)
{
	bool here = addr_eq(&a->send.path.local.addr, &end->addr);

	sim_must(end->sim, here || end->sim->addresses_go,
		 "a datagram leaves from an address that is not ours");
	sim_must(end->sim, a->send.marker == (a->send.path.local.port != 500),
		 "the non-ESP marker goes with port 4500");
	check_sent(end, a->send.bytes);
	if (here)
		net_send(end, a);
}

/* The engine frees what it gave the last time. */
static bool next_action(struct end *end, struct ike_action *a)
{
	bool more;

	end->sim->memory_engines -= memory_live();
	more = ike_engine_next(end->e, a);
	end->sim->memory_engines += memory_live();
	return more;
}

/* Each end has one address. */
static void route(struct end *end, const struct ike_route_question *q)
{
	struct ike_routes r = { .spi = q->spi, .n = q->n };
	struct ike_event ev = { .kind = IKE_EV_ROUTES, .routes = &r };

	for (size_t i = 0; i < r.n; i++)
		r.paths[i] = (struct path){ .local.addr = end->addr, .remote.addr = q->to[i] };
	end_event(end, &ev);
}

/* Counts down to the one that it does not come to. */
static bool is_killed(struct end *end)
{
	return end->kill_in > 0 && --end->kill_in == 0;
}

static void carry_out(struct end *end, const struct ike_action *a)
{
	switch (a->kind) {
	case IKE_ACT_SEND:
		send_it(end, a);
		break;
	case IKE_ACT_SA:
		check_install(end, a->sa);
		plane_do(end, a->sa);
		break;
	case IKE_ACT_JOB:
		jobs_do(end, a->job);
		break;
	case IKE_ACT_RESOLVE:
		resolve(end, a->resolve.connection);
		break;
	case IKE_ACT_ROUTE:
		route(end, a->route);
		break;
	case IKE_ACT_NOTE:
		take_note(end, a->note);
		break;
	case IKE_ACT_KEEPALIVE:
		net_keepalive(end, &a->send.path);
		break;
	case IKE_ACT_GUARD:
		sim_must(end->sim, a->child.guarded || end->may_lift,
			 "the guard of %s is lifted, which nobody asked for", a->child.child);
		end->is_lifted = !a->child.guarded;
		break;
	case IKE_ACT_CHILD_MTU:
		break;
	case IKE_ACT_KEEP:
		records_put(end, a);
		break;
	case IKE_ACT_COMMIT:
		records_commit(end);
		break;
	}
}

static void act(struct end *end)
{
	struct ike_action a;

	/* An action may lead to an event, and that to actions, of which one is its last. */
	while (!end->dead && next_action(end, &a)) {
		if (is_killed(end)) {
			end_fall(end);
			return;
		}
		carry_out(end, &a);
	}
	records_check(end);
}

/* ---- inputs ---- */

/* Allocations of this engine are the ones that may fail. */
static void enter(const struct end *end)
{
	end->sim->memory_engines -= memory_live();
	memory_fail(end->fail_malloc);
}

static void leave(struct end *end)
{
	end->fail_malloc = memory_until_failure();
	memory_fail(0);
	end->sim->memory_engines += memory_live();
	act(end);
}

void end_datagram(struct end *end, const struct path *path, struct span bytes)
{
	enter(end);
	ike_engine_datagram(end->e, path, bytes, end->sim->now);
	leave(end);
}

void end_event(struct end *end, const struct ike_event *ev)
{
	if (end->dead)
		return;
	enter(end);
	ike_engine_event(end->e, ev, end->sim->now);
	leave(end);
}

void end_tick(struct end *end)
{
	enter(end);
	ike_engine_tick(end->e, end->sim->now);
	leave(end);
}

void end_shutdown(struct end *end)
{
	ike_engine_shutdown(end->e, end->sim->now);
	act(end);
}

void end_reload(struct end *end, const char *text)
{
	struct conf *old = end->conf, *conf = load(end, text);

	if (!conf)
		return;
	end->conf = conf;
	/* Without an engine it is the next one that finds it changed. */
	end->reloaded = true;
	if (end->e) {
		sim_must(end->sim, ike_engine_reconfigure(end->e, conf, end->sim->now) == OK,
			 "the engine does not take its configuration");
		act(end);
	}
	/* Whoever still looks into it is found out. */
	kept_forget(end);
	conf_free(old);
}

/* ---- life ---- */

void end_live(struct end *end)
{
	end->dead = false;
	records_free(end);
	end->e = end_engine(end, false);
	sim_must(end->sim, end->e != NULL, "the engine does not begin");
	end->dead = !end->e;
	if (end->e)
		act(end);
}

void end_begin(struct end *end, const char *text)
{
	if (!end->psk)
		end->psk = default_psk;
	end->conf = first_conf(end, text);
	end->dead = true;
	end->back_at = NEVER;
	end->e = end_engine(end, false);
	sim_must(end->sim, end->e != NULL, "the engine does not begin");
	end->dead = !end->e;
}

void end_die(struct end *end)
{
	ike_engine_free(end->e);
	end->e = NULL;
	end->dead = true;
	end->life++;
	end->planes++;
	end->kill_in = 0;
	end->back_at = NEVER;
	end->may_lift = false; /* what the next one finds is guarded */
	end->is_lifted = false;
	plane_clear(end);
}

void end_fall(struct end *end)
{
	trace_line(end->sim, end->side, "is killed");
	ike_engine_free(end->e);
	end->e = NULL;
	end->dead = true;
	end->life++;
	end->kill_in = 0;
	end->back_at = end->sim->now + end->away;
	records_survive(end);
	plane_unclaim(end);
}

void end_tell_address(struct end *end)
{
	const struct ike_addresses a = { .n = 1, .addrs = { end->addr } };
	const struct ike_event ev = { .kind = IKE_EV_ADDRESSES, .addresses = &a };

	end_event(end, &ev);
}

/* What was lifted before it was killed is lifted again; the command that would have changed that
 * may never have been heard. */
void end_restore(struct end *end)
{
	bool may_lift = end->may_lift;

	trace_line(end->sim, end->side, "is restored");
	end->back_at = NEVER;
	end->dead = false;
	net_forget(end->sim, end->side);
	end->e = end_engine(end, true);
	sim_must(end->sim, end->e != NULL, "the engine does not begin");
	end->dead = !end->e;
	if (!end->e)
		return;
	records_give(end);
	ike_engine_resume(end->e, end->sim->now);
	end->may_lift = may_lift || end->is_lifted;
	if (end->has_moved)
		end_tell_address(end);
	else
		act(end);
	end->may_lift = may_lift;
}

void end_free(struct end *end)
{
	records_free(end);
	ike_engine_free(end->e);
	plane_clear(end);
	if (!kept_give(end))
		conf_free(end->conf);
}
