/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual network: what becomes of a datagram between two ends, NATs included. What is changed
 * on the way, thrown back, or delivered once more is not genuine, and check.c sees to it that it
 * changes nothing that is established.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

/* ---- NAT ---- */

/* NATs forget a mapping that nothing goes out by, some sooner than RFC 4787 wants it. */
static const mono_ns mapping_time = 25 * NS_PER_S;

static bool is_fresh(const struct end *end, const struct mapping *m)
{
	return !m->forgotten && end->sim->now < m->used + mapping_time;
}

static struct mapping *mapping_of(struct end *end, uint16_t inside)
{
	for (size_t i = 0; i < end->n_map; i++) {
		if (end->map[i].inside == inside)
			return &end->map[i];
	}
	if (end->n_map == SIM_MAPPINGS)
		return NULL;
	end->map[end->n_map] = (struct mapping){ .inside = inside };
	return &end->map[end->n_map++];
}

static bool is_taken(const struct end *end, uint16_t outside)
{
	for (size_t i = 0; i < end->n_map; i++) {
		if (end->map[i].outside == outside)
			return true;
	}
	return false;
}

/* No two ports of one address share one: what comes to it is for one of them (RFC 4787 3). Nor is
 * it one that was just forgotten. */
static uint16_t free_port(struct end *end)
{
	uint16_t port;

	do
		port = (uint16_t)chance_between(&end->sim->chance, 20000, 60000);
	while (is_taken(end, port));
	return port;
}

/* For what goes out from this port now; one that was forgotten gets another port. */
static struct mapping *mapping_use(struct end *end, uint16_t inside)
{
	struct mapping *m = mapping_of(end, inside);

	if (!m)
		return NULL;
	if (m->outside == 0 || !is_fresh(end, m))
		m->outside = free_port(end);
	m->used = end->sim->now;
	m->forgotten = false;
	return m;
}

/* The source as the world sees it. */
static bool nat_out(struct end *end, struct endpoint *src)
{
	enum sim_nat nat = end->sim->net.nat[end->side];
	struct mapping *m;

	src->addr = end->public;
	if (nat != NAT_MAPPED)
		return true;
	m = mapping_use(end, src->port);
	if (m)
		src->port = m->outside;
	return m != NULL;
}

bool net_source(struct end *from, struct endpoint *src)
{
	return nat_out(from, src);
}

static void forget_all(struct end *end)
{
	for (size_t i = 0; i < end->n_map; i++)
		end->map[i].forgotten = true;
}

void sim_rebind(struct sim *s, enum side side, bool address)
{
	struct end *end = &s->end[side];

	trace_line(s, side, "its NAT forgets everything");
	forget_all(end);
	if (address)
		end->public.b[3] ^= 0x10;
}

void sim_move(struct sim *s, enum side side)
{
	struct end *end = &s->end[side];

	trace_line(s, side, "it has another address");
	end->has_moved = true;
	end->addr.b[3] = (uint8_t)(end->addr.b[3] % 250 + 1);
	forget_all(end);
	if (s->net.nat[side] == NAT_NONE)
		end->public = end->addr;
	end_tell_address(end);
}

/* The destination as the end itself sees it. False: nobody is there. */
static bool nat_in(struct end *end, struct endpoint *dst)
{
	enum sim_nat nat = end->sim->net.nat[end->side];

	if (!addr_eq(&dst->addr, &end->public))
		return false;
	dst->addr = end->addr;
	if (nat != NAT_MAPPED)
		return dst->port == 500 || dst->port == 4500;
	for (size_t i = 0; i < end->n_map; i++) {
		if (end->map[i].outside != dst->port || !is_fresh(end, &end->map[i]))
			continue;
		dst->port = end->map[i].inside;
		return true;
	}
	return false;
}

/* ---- datagrams ---- */

static void packet_drop(struct sim_event *ev)
{
	free(container_of(ev, struct sim_packet, ev));
}

static void packet_arrive(struct sim *s, struct sim_event *ev);

static struct sim_packet *packet_new(const struct path *path, enum side to, struct span bytes)
{
	struct sim_packet *p = calloc(1, sizeof(*p) + bytes.len + SIM_GROWTH);

	if (!p)
		return NULL;
	p->ev = (struct sim_event){ .side = to, .happen = packet_arrive, .drop = packet_drop };
	p->path = *path;
	p->from = to == LEFT ? RIGHT : LEFT;
	p->len = bytes.len;
	if (bytes.len > 0)
		memcpy(p->bytes, bytes.p, bytes.len);
	return p;
}

static struct sim_packet *packet_copy(const struct sim_packet *p)
{
	struct sim_packet *c = packet_new(&p->path, p->ev.side, span_of(p->bytes, p->len));

	if (c)
		c->trust = p->trust;
	return c;
}

static void remember(struct sim *s, const struct sim_packet *p)
{
	size_t at = s->n_history++ % SIM_HISTORY;

	free(s->history[at]);
	s->history[at] = packet_copy(p);
}

void net_forget(struct sim *s, enum side side)
{
	for (size_t i = 0; i < SIM_HISTORY; i++) {
		if (!s->history[i] || s->history[i]->ev.side != side)
			continue;
		free(s->history[i]);
		s->history[i] = NULL;
	}
}

static const char *trust_text(enum trust trust)
{
	static const char *const texts[] = { "arrives", "arrives again", "arrives, forged" };

	return texts[trust];
}

static uint64_t n_dropped(const struct end *end)
{
	const struct ike_stats *stats = ike_engine_stats(end->e);
	uint64_t n = 0;

	for (size_t i = 0; i < N_ERR; i++)
		n += stats->dropped[i];
	return n;
}

static void packet_arrive(struct sim *s, struct sim_event *ev)
{
	struct sim_packet *p = container_of(ev, struct sim_packet, ev);
	struct end *end = &s->end[ev->side];
	uint64_t before = check_digest(end);
	uint32_t n_protected = end->n_protected;
	uint64_t dropped = n_dropped(end);

	/* Who has gone from an address meanwhile gets nothing there. */
	if (!addr_eq(&p->path.local.addr, &end->addr)) {
		trace_packet(s, p, "arrives where nobody is");
		free(p);
		return;
	}
	trace_packet(s, p, trust_text(p->trust));
	s->n_delivered++;
	end_datagram(end, &p->path, span_of(p->bytes, p->len));
	if (end->dead) {
		free(p);
		return;
	}
	sim_must(s, p->trust == GENUINE || check_digest(end) == before,
		 "a datagram that proves nothing changed an SA");
	sim_must(s, p->trust != FORGED || end->n_protected == n_protected,
		 "a forged datagram gets a protected answer");
	/* One that was dropped may count when it comes again: it was early. */
	if (p->trust == GENUINE && n_dropped(end) == dropped)
		remember(s, p);
	free(p);
}

static void fly(struct sim *s, struct sim_packet *p)
{
	uint32_t ms = s->net.delay_ms[1] > 0
			      ? chance_between(&s->chance, s->net.delay_ms[0], s->net.delay_ms[1])
			      : 10;

	if (p->arrives > 0) {
		sim_later(s, &p->ev, p->arrives);
		return;
	}
	sim_later(s, &p->ev, s->now + ms * NS_PER_MS + chance_between(&s->chance, 0, 1000));
}

/* ---- what the network does to them ---- */

static void flip_bit(struct sim *s, struct sim_packet *p)
{
	uint32_t bit = chance_between(&s->chance, 0, (uint32_t)p->len * 8 - 1);

	p->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* Bits, the length, a payload's type, or a stretch of it. The result differs from what it was. */
static void mutate(struct sim *s, struct sim_packet *p)
{
	uint32_t at;

	if (p->len == 0)
		return;
	at = chance_between(&s->chance, 0, (uint32_t)p->len - 1);
	switch (chance_between(&s->chance, 0, 4)) {
	case 0:
		p->len = at;
		break;
	case 1:
		p->bytes[p->len++] = (uint8_t)chance_between(&s->chance, 0, 255);
		break;
	case 2:
		p->bytes[at] ^= (uint8_t)chance_between(&s->chance, 1, 255);
		break;
	default:
		flip_bit(s, p);
	}
	p->trust = FORGED;
}

/* Somebody else repeats it, from where he is. */
static void move_source(struct sim *s, struct sim_packet *p)
{
	if (!chance_percent(&s->chance, 30))
		return;
	p->path.remote.port = (uint16_t)chance_between(&s->chance, 1, 65535);
	p->path.remote.addr.b[3] ^= 0x55;
}

static void send_mutant(struct sim *s, const struct sim_packet *p)
{
	struct sim_packet *c = packet_copy(p);

	if (!c)
		return;
	mutate(s, c);
	move_source(s, c);
	fly(s, c);
}

/* Back to the sender, who sees it come from where it sent it to. */
static void send_mirrored(struct sim *s, const struct sim_packet *p, const struct ike_action *a)
{
	struct sim_packet *c = packet_new(&a->send.path, p->from, span_of(p->bytes, p->len));

	if (!c)
		return;
	c->trust = FORGED;
	fly(s, c);
}

static void send_again(struct sim *s)
{
	size_t n = s->n_history < SIM_HISTORY ? s->n_history : SIM_HISTORY;
	const struct sim_packet *old;
	struct sim_packet *c;

	if (n == 0)
		return;
	old = s->history[chance_between(&s->chance, 0, (uint32_t)n - 1)];
	c = old ? packet_copy(old) : NULL;
	if (!c)
		return;
	c->trust = REPLAYED;
	move_source(s, c);
	fly(s, c);
}

static void be_nasty(struct sim *s, const struct sim_packet *p, const struct ike_action *a)
{
	if (chance_percent(&s->chance, s->net.mutate))
		send_mutant(s, p);
	if (chance_percent(&s->chance, s->net.reflect))
		send_mirrored(s, p, a);
	if (chance_percent(&s->chance, s->net.replay))
		send_again(s);
}

static bool route(struct end *from, struct path *path)
{
	struct end *to = &from->sim->end[1 - from->side];
	struct path arrives = { .local = path->remote, .remote = path->local };

	if (!nat_out(from, &arrives.remote) || !nat_in(to, &arrives.local))
		return false;
	*path = arrives;
	return true;
}

/* It is for the NAT alone; what becomes of it behind that does not matter. */
void net_keepalive(struct end *from, const struct path *path)
{
	struct endpoint src = path->local;

	trace_line(from->sim, from->side, "keepalive");
	(void)nat_out(from, &src);
}

void net_send(struct end *from, const struct ike_action *a)
{
	struct sim *s = from->sim;
	struct path path = a->send.path;
	bool routed = route(from, &path);
	struct sim_packet *p = packet_new(&path, from->side == LEFT ? RIGHT : LEFT, a->send.bytes);

	if (!p)
		return;
	trace_packet(s, p, routed ? "leaves" : "leaves for nobody");
	from->n_lost += !routed;
	if (!routed || (s->middle && !s->middle(s, p, s->middle_ctx))) {
		free(p);
		return;
	}
	if (p->trust == GENUINE)
		be_nasty(s, p, a);
	if (chance_percent(&s->chance, s->net.dup)) {
		struct sim_packet *c = packet_copy(p);

		if (c)
			fly(s, c);
	}
	if (chance_percent(&s->chance, s->net.loss)) {
		trace_packet(s, p, "is lost");
		free(p);
		return;
	}
	fly(s, p);
}

void sim_inject(struct sim *s, enum side to, const struct path *path, struct span bytes)
{
	net_inject(s, (struct inject){ to, FORGED }, path, bytes);
}

void net_inject(struct sim *s, struct inject how, const struct path *path, struct span bytes)
{
	struct sim_packet *p = packet_new(path, how.to, bytes);

	if (!p)
		return;
	p->trust = how.trust;
	sim_later(s, &p->ev, s->now + chance_between(&s->chance, 1, 1000));
}

void sim_unreachable(struct sim *s, enum side side)
{
	struct path path = sim_path_to(s, side, 500);
	struct ike_event ev = { .kind = IKE_EV_UNREACHABLE, .unreachable = &path };

	if (!s->failed)
		end_event(&s->end[side], &ev);
}

struct path sim_path_to(const struct sim *s, enum side to, uint16_t port)
{
	return (struct path){
		.local = { .addr = s->end[to].addr, .port = port },
		.remote = { .addr = s->end[1 - to].public, .port = port },
	};
}

void net_free(struct sim *s)
{
	for (size_t i = 0; i < SIM_HISTORY; i++)
		free(s->history[i]);
}
