/* SPDX-License-Identifier: Apache-2.0 */
/* The clock, the network and the ends of a soak: see soak.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/load.h"
#include "ike/core.h"
#include "tests/sim/soak.h"

static const mono_ns begin_of_time = 1000 * NS_PER_S;

void soak_must(struct soak *w, bool holds, const char *format, ...)
{
	va_list args;
	size_t n;

	if (holds || w->failed)
		return;
	w->failed = true;
	n = (size_t)snprintf(w->why, sizeof(w->why),
			     "at %u s: ", (unsigned)((w->now - begin_of_time) / NS_PER_S));
	va_start(args, format);
	vsnprintf(w->why + n, sizeof(w->why) - n, format, args);
	va_end(args);
}

/* ---- what happens later ---- */

void soak_later(struct soak_later *l, struct soak_node *to, mono_ns when)
{
	l->to = to;
	l->life = to->life;
	heap_set(&to->w->events, &l->node, when);
}

/* ---- datagrams ---- */

struct datagram {
	struct soak_later later;
	struct path path;
	size_t len;
	uint8_t bytes[];
};

static struct soak_node *node_at(struct soak *w, const struct addr *a)
{
	size_t i = a->b[0] == 10 ? (size_t)a->b[1] : SOAK_GATEWAY;
	struct soak_node *n = i < w->n_nodes ? &w->node[i] : NULL;

	return n && addr_eq(&n->addr, a) ? n : NULL;
}

static void drain(struct soak_node *n);

static mono_ns clock_of(const struct soak_node *n)
{
	return n->w->now - n->behind;
}

static void enter(struct soak_node *n)
{
	n->w->engine_bytes -= memory_live();
}

static void leave(struct soak_node *n)
{
	n->w->engine_bytes += memory_live();
	drain(n);
}

static void datagram_arrive(struct soak_later *l)
{
	struct datagram *d = container_of(l, struct datagram, later);
	struct soak_node *n = l->to;

	if (!addr_eq(&n->addr, &d->path.local.addr))
		return;
	n->w->n_delivered++;
	enter(n);
	ike_engine_datagram(n->e, &d->path, span_of(d->bytes, d->len), clock_of(n));
	leave(n);
}

static void send_datagram(struct soak_node *n, const struct ike_action *a)
{
	struct soak *w = n->w;
	struct soak_node *to = node_at(w, &a->send.path.remote.addr);
	struct datagram *d;

	soak_sent(w, a->send.bytes);
	if (!to || !addr_eq(&a->send.path.local.addr, &n->addr) ||
	    chance_percent(&w->chance, w->net.loss)) {
		w->n_lost++;
		return;
	}
	d = calloc(1, sizeof(*d) + a->send.bytes.len);
	if (!d)
		return;
	d->later.happen = datagram_arrive;
	d->path = (struct path){ .local = a->send.path.remote, .remote = a->send.path.local };
	d->len = a->send.bytes.len;
	memcpy(d->bytes, a->send.bytes.p, d->len);
	soak_later(&d->later, to,
		   w->now + chance_between(&w->chance, w->net.delay_ms[0], w->net.delay_ms[1]) *
				    NS_PER_MS);
}

/* ---- engines ---- */

static void route(struct soak_node *n, const struct ike_route_question *q)
{
	struct ike_routes r = { .spi = q->spi, .n = q->n };
	struct ike_event ev = { .kind = IKE_EV_ROUTES, .routes = &r };

	for (size_t i = 0; i < r.n; i++)
		r.paths[i] = (struct path){ .local.addr = n->addr, .remote.addr = q->to[i] };
	soak_event(n, &ev);
}

static bool next_action(struct soak_node *n, struct ike_action *a)
{
	bool more;

	n->w->engine_bytes -= memory_live();
	more = ike_engine_next(n->e, a);
	n->w->engine_bytes += memory_live();
	return more;
}

static void drain(struct soak_node *n)
{
	struct ike_action a;

	while (next_action(n, &a)) {
		switch (a.kind) {
		case IKE_ACT_SEND:
			send_datagram(n, &a);
			break;
		case IKE_ACT_SA:
			soak_plane(n, a.sa);
			break;
		case IKE_ACT_JOB:
			soak_job(n, a.job);
			break;
		case IKE_ACT_RESOLVE:
			soak_resolve(n, a.resolve.connection);
			break;
		case IKE_ACT_ROUTE:
			route(n, a.route);
			break;
		case IKE_ACT_NOTE:
			n->n_notes[a.note->kind]++;
			break;
		case IKE_ACT_KEEPALIVE:
		case IKE_ACT_GUARD:
		case IKE_ACT_CHILD_MTU:
		case IKE_ACT_KEEP:
		case IKE_ACT_COMMIT:
			break;
		}
	}
	n->deadline = ike_engine_deadline(n->e);
}

void soak_event(struct soak_node *n, const struct ike_event *ev)
{
	enter(n);
	ike_engine_event(n->e, ev, clock_of(n));
	leave(n);
}

static void tick(struct soak_node *n)
{
	enter(n);
	ike_engine_tick(n->e, clock_of(n));
	leave(n);
}

static bool fill(void *ctx, void *buf, size_t len)
{
	struct soak_node *n = ctx;

	for (size_t i = 0; i < len; i += 8) {
		uint64_t draw = chance_u64(&n->chance);

		memcpy((uint8_t *)buf + i, &draw, len - i < 8 ? len - i : 8);
	}
	return true;
}

static struct span certificates(void *ctx, const struct conf_me *me)
{
	(void)ctx;
	(void)me;
	return span_str("\0\5leaf\0");
}

static struct span authorities(void *ctx, const struct conf_me *me)
{
	(void)ctx;
	(void)me;
	return span_str("01234567890123456789");
}

void soak_live(struct soak *w, size_t i)
{
	struct soak_node *n = &w->node[i];
	struct ike_env env = { .random = { .fill = fill, .ctx = n },
			       .n_owners = 2,
			       .certificates = certificates,
			       .authorities = authorities,
			       .ctx = n };

	enter(n);
	n->e = ike_engine_new(&env, n->conf, clock_of(n));
	n->w->engine_bytes += memory_live();
	soak_must(w, n->e != NULL, "an engine does not begin");
	if (n->e)
		tick(n);
}

void soak_kill(struct soak *w, size_t i)
{
	struct soak_node *n = &w->node[i];

	enter(n);
	ike_engine_free(n->e);
	n->w->engine_bytes += memory_live();
	n->e = NULL;
	n->life++;
	n->n_sas = 0;
	n->plane_free = 0;
	n->deadline = NEVER;
}

void soak_sleep(struct soak *w, size_t i)
{
	struct soak_node *n = &w->node[i];

	n->asleep = true;
	n->behind = w->now - n->behind;
}

/* While it sleeps `behind` is what its clock showed. */
void soak_wake(struct soak *w, size_t i, bool jumps)
{
	struct soak_node *n = &w->node[i];
	const mono_ns slept = w->now - n->behind;
	const struct ike_clock clock = { .ahead = slept, .slept = slept };
	const struct ike_event ev = { .kind = IKE_EV_CLOCK, .clock = &clock };

	n->asleep = false;
	n->behind = jumps ? 0 : slept;
	if (!jumps)
		soak_event(n, &ev);
	tick(n);
}

void soak_move(struct soak *w, size_t i)
{
	struct soak_node *n = &w->node[i];
	struct ike_addresses a = { .n = 1 };
	const struct ike_event ev = { .kind = IKE_EV_ADDRESSES, .addresses = &a };

	n->addr.b[3] = (uint8_t)(n->addr.b[3] % 250 + 1);
	a.addrs[0] = n->addr;
	soak_event(n, &ev);
}

void soak_command(struct soak *w, enum ike_event_kind kind)
{
	for (size_t i = 1; i < w->n_nodes; i++) {
		char name[32];
		struct ike_event ev = { .kind = kind, .command = { .connection = name } };

		snprintf(name, sizeof(name), "p%zu", i);
		soak_event(&w->node[i], &ev);
	}
}

/* ---- time ---- */

static bool runs(const struct soak_node *n)
{
	return n->e && !n->asleep;
}

static mono_ns deadline(const struct soak_node *n)
{
	return runs(n) && n->deadline != NEVER ? n->deadline + n->behind : NEVER;
}

static void happen(struct soak *w)
{
	struct heap_node *node = heap_pop_due(&w->events, w->now);
	struct soak_later *l = node ? container_of(node, struct soak_later, node) : NULL;

	if (!l)
		return;
	/* Jobs and planes sleep, too; a datagram finds nobody. */
	if (l->to->asleep && l->happen != datagram_arrive) {
		heap_set(&w->events, &l->node, w->now + NS_PER_S);
		return;
	}
	if (runs(l->to) && l->life == l->to->life)
		l->happen(l);
	free(l);
}

void soak_run_until(struct soak *w, mono_ns until)
{
	while (!w->failed) {
		mono_ns when = heap_deadline(&w->events);

		for (size_t i = 0; i < w->n_nodes; i++)
			when = earlier(when, deadline(&w->node[i]));
		if (when > until)
			break;
		w->now = when > w->now ? when : w->now;
		if (heap_deadline(&w->events) <= w->now)
			happen(w);
		for (size_t i = 0; i < w->n_nodes; i++) {
			if (deadline(&w->node[i]) <= w->now)
				tick(&w->node[i]);
		}
	}
	w->now = until;
}

/* ---- beginning and end ---- */

static enum err read_file(void *ctx, enum conf_file_kind kind, const char *path, struct span *bytes,
			  char why[static 256])
{
	char *copy = strdup("a file");

	(void)ctx;
	(void)kind;
	(void)path;
	(void)why;
	*bytes = copy ? span_str(copy) : SPAN_EMPTY;
	return copy ? OK : ERR_NOMEM;
}

static const char me[] = "me {\n identity = %s.example.org\n certificate = a\n key = b\n"
			 " trust = c\n}\n";
static const char site[] =
	"connection p%zu {\n address = %s\n identity = %s.example.org\n auth = certificate\n"
	" start = %s\n lifetime = 5m\n liveness = 10s\n"
	" child net {\n  local = 10.%zu.0.0/16\n  remote = 10.%zu.0.0/16\n  lifetime = 60s\n }\n}\n";
enum { GATEWAY_NET = 250, CONF_ROOM = 512 };

static char *text_of(const struct soak *w, size_t i)
{
	size_t room = CONF_ROOM * (w->n_nodes + 1), len;
	char *text = malloc(room), name[32];

	if (!text)
		return NULL;
	snprintf(name, sizeof(name), i == SOAK_GATEWAY ? "gateway" : "p%zu", i);
	len = (size_t)snprintf(text, room, me, name);
	if (i != SOAK_GATEWAY) {
		snprintf(text + len, room - len, site, i, "203.0.113.1", "gateway", "always", i,
			 (size_t)GATEWAY_NET);
		return text;
	}
	for (size_t k = 1; k < w->n_nodes; k++) {
		snprintf(name, sizeof(name), "p%zu", k);
		len += (size_t)snprintf(text + len, room - len, site, k, "any", name, "manual",
					(size_t)GATEWAY_NET, k);
	}
	return text;
}

static void place(struct soak *w, size_t i)
{
	struct soak_node *n = &w->node[i];
	struct conf_source src = { .read = read_file };
	struct conf_problems problems = { .n = 0 };
	char text[64], *conf = text_of(w, i);

	n->w = w;
	n->i = i;
	n->deadline = NEVER;
	n->chance.state = chance_u64(&w->chance);
	snprintf(text, sizeof(text), "10.%zu.0.1", i);
	soak_must(w, addr_parse(i == SOAK_GATEWAY ? "203.0.113.1" : text, &n->addr), "addresses");
	if (!conf || conf_load("soak.conf", span_str(conf), &src, &n->conf, &problems) != OK)
		soak_must(w, false, "the configuration does not load: line %d: %s",
			  problems.v[0].line, problems.v[0].text);
	free(conf);
}

bool soak_begin(struct soak *w, size_t n_peers, uint64_t seed)
{
	*w = (struct soak){ .n_nodes = n_peers + 1, .now = begin_of_time, .chance.state = seed };
	for (size_t i = 0; i < w->n_nodes && !w->failed; i++)
		place(w, i);
	for (size_t i = 0; i < w->n_nodes && !w->failed; i++)
		soak_live(w, i);
	return !w->failed;
}

void soak_end(struct soak *w)
{
	struct heap_node *node;

	while ((node = heap_pop_due(&w->events, NEVER - 1)))
		free(container_of(node, struct soak_later, node));
	for (size_t i = 0; i < w->n_nodes; i++) {
		ike_engine_free(w->node[i].e);
		conf_free(w->node[i].conf);
		free(w->node[i].sas);
	}
}

/* ---- looking ---- */

static const struct soak_sa *newest(const struct soak_node *n, size_t peer)
{
	for (size_t i = n->n_sas; i > 0; i--) {
		if (n->sas[i - 1].dir == SA_OUT && n->sas[i - 1].peer == peer)
			return &n->sas[i - 1];
	}
	return NULL;
}

static bool is_taken(const struct soak_node *from, const struct soak_node *to)
{
	const struct soak_sa *out = newest(from, to->i);

	for (size_t i = 0; out && i < to->n_sas; i++) {
		if (to->sas[i].dir == SA_IN && to->sas[i].spi == out->spi &&
		    to->sas[i].key == out->key)
			return addr_eq(&out->remote, &to->addr);
	}
	return false;
}

size_t soak_packets(struct soak *w)
{
	const struct soak_node *gateway = &w->node[SOAK_GATEWAY];
	size_t lost = 0;

	for (size_t i = 1; i < w->n_nodes; i++)
		lost += (is_taken(&w->node[i], gateway) ? 0u : 1u) +
			(is_taken(gateway, &w->node[i]) ? 0u : 1u);
	w->n_packets += 2 * (w->n_nodes - 1);
	return lost;
}

struct soak_count soak_count(const struct soak *w)
{
	struct soak_count c = { .bytes = w->engine_bytes };

	for (size_t i = 0; i < w->n_nodes; i++) {
		const struct ike_engine *e = w->node[i].e;

		c.plane_sas += w->node[i].n_sas;
		if (!e)
			continue;
		c.ike_sas += e->by_spi.n;
		c.half_open += e->by_init.n;
		c.tickets += e->by_ticket.n;
		c.timers += e->timers.n;
	}
	return c;
}
