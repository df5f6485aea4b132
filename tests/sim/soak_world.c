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

static void datagram_arrive(struct soak_later *l)
{
	struct datagram *d = container_of(l, struct datagram, later);
	struct soak_node *n = l->to;

	if (!addr_eq(&n->addr, &d->path.local.addr))
		return;
	n->w->n_delivered++;
	soak_enter(n);
	ike_engine_datagram(n->e, &d->path, span_of(d->bytes, d->len), soak_clock(n));
	soak_leave(n);
}

static void send_datagram(struct soak_node *n, const struct ike_action *a)
{
	struct soak *w = n->w;
	struct soak_node *to = node_at(w, &a->send.path.remote.addr);
	struct datagram *d;

	soak_sent(n, a->send.bytes);
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

/* The engine frees what it gave the last time. */
static bool next_action(struct soak_node *n, struct ike_action *a)
{
	bool more;

	n->bytes -= memory_live();
	more = ike_engine_next(n->e, a);
	n->bytes += memory_live();
	return more;
}

static void carry_out(struct soak_node *n, const struct ike_action *a)
{
	switch (a->kind) {
	case IKE_ACT_SEND:
		send_datagram(n, a);
		break;
	case IKE_ACT_SA:
		soak_plane(n, a->sa);
		break;
	case IKE_ACT_JOB:
		soak_job(n, a->job);
		break;
	case IKE_ACT_RESOLVE:
		soak_resolve(n, a->resolve.connection);
		break;
	case IKE_ACT_ROUTE:
		route(n, a->route);
		break;
	case IKE_ACT_NOTE:
		n->n_notes[a->note->kind]++;
		break;
	case IKE_ACT_KEEP:
		soak_keep(n, a);
		break;
	case IKE_ACT_COMMIT:
		soak_commit(n);
		break;
	case IKE_ACT_KEEPALIVE:
	case IKE_ACT_GUARD:
	case IKE_ACT_CHILD_MTU:
		break;
	}
}

void soak_leave(struct soak_node *n)
{
	struct ike_action a;

	n->bytes += memory_live();
	/* An action may lead to an event, and that to actions, of which one is its last. */
	while (n->e && next_action(n, &a)) {
		if (n->kill_in > 0 && --n->kill_in == 0)
			soak_fall(n);
		else
			carry_out(n, &a);
	}
	n->deadline = n->e ? ike_engine_deadline(n->e) : NEVER;
	soak_reckon(n);
}

void soak_event(struct soak_node *n, const struct ike_event *ev)
{
	if (!n->e)
		return;
	soak_enter(n);
	ike_engine_event(n->e, ev, soak_clock(n));
	soak_leave(n);
}

/* ---- time ---- */

static bool runs(const struct soak_node *n)
{
	return n->e && !n->asleep;
}

static mono_ns deadline(const struct soak_node *n)
{
	if (!n->e)
		return n->back_at;
	return runs(n) && n->deadline != NEVER ? n->deadline + n->behind : NEVER;
}

void soak_reckon(struct soak_node *n)
{
	mono_ns when = deadline(n);

	if (when != (n->due.set ? n->due.when : NEVER))
		heap_set(&n->w->due, &n->due, when);
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
		mono_ns when = earlier(heap_deadline(&w->events), heap_deadline(&w->due));
		struct heap_node *node;

		if (when > until)
			break;
		w->now = when > w->now ? when : w->now;
		if (heap_deadline(&w->events) <= w->now)
			happen(w);
		node = heap_pop_due(&w->due, w->now);
		if (node)
			soak_tick(container_of(node, struct soak_node, due));
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
	n->back_at = NEVER;
	n->keeps = i == SOAK_GATEWAY || i % SOAK_KEEPING == 1;
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
		if (w->node[i].e)
			soak_kill(w, i);
		soak_forget(&w->node[i]);
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

struct soak_count soak_count(struct soak *w)
{
	struct soak_count c = { .bytes = w->forgotten };

	for (size_t i = 0; i < w->n_nodes; i++) {
		struct soak_node *n = &w->node[i];

		c.plane_sas += n->n_sas;
		c.records += vault_count(&n->vault);
		c.record_bytes += n->vault.alive;
		c.bytes += n->vault_bytes;
		if (!n->e)
			continue;
		soak_records_must_be_right(n);
		c.ike_sas += n->e->by_spi.n;
		c.half_open += n->e->by_init.n;
		c.tickets += n->e->by_ticket.n;
		c.timers += n->e->timers.n;
		c.bytes += n->bytes - n->fresh;
	}
	return c;
}

size_t soak_slots(const struct soak *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_nodes; i++) {
		const struct spi_pool *p = w->node[i].e ? &w->node[i].e->spis : NULL;

		for (size_t k = 0; p && k < sizeof(p->used); k++)
			n += (size_t)__builtin_popcount(p->used[k]);
	}
	return n;
}
