/* SPDX-License-Identifier: Apache-2.0 */
/* Packets through the fake planes: each goes out by the newest outbound SA of the best peer, as in
 * the real planes, and has to find the inbound one with its SPI and key when it arrives, some time
 * later. The network loses none of them, so one that is lost is the engines' doing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/proof.h"
#include "ike/rekey_ike.h"
#include "tests/sim/insider.h"
#include "tests/sim/world.h"

struct inner_packet {
	struct sim_event ev; /* side: who receives it */
	uint32_t spi;
	struct key key;
};

static void packet_drop(struct sim_event *ev)
{
	free(container_of(ev, struct inner_packet, ev));
}

static unsigned rank(const struct sa_desc *sa)
{
	return sa->priority + (sa->passed ? 256u : 0u);
}

const struct sa_desc *sim_carrier(const struct sim *s, enum side side)
{
	const struct end *end = &s->end[side];
	const struct sa_desc *best = NULL;

	for (size_t i = end->n_sas; i > 0; i--) {
		const struct sa_desc *sa = &end->sas[i - 1];

		if (sa->dir == SA_OUT && (!best || rank(sa) < rank(best)))
			best = sa;
	}
	return best;
}

uint32_t traffic_heard(const struct end *end, uint32_t spi)
{
	for (size_t i = 0; i < SIM_SAS_MAX; i++) {
		if (end->heard[i].spi == spi)
			return end->heard[i].n;
	}
	return 0;
}

void traffic_hear(struct end *end, uint32_t spi)
{
	end->n_came++;
	for (size_t i = 0; i < SIM_SAS_MAX; i++) {
		if (end->heard[i].spi != spi)
			continue;
		end->heard[i].n++;
		return;
	}
	end->heard[end->n_heard++ % SIM_SAS_MAX] = (struct heard){ spi, 1 };
}

bool traffic_takes(const struct end *end, uint32_t spi, const struct key *key)
{
	for (size_t i = 0; i < end->n_sas; i++) {
		if (end->sas[i].dir == SA_IN && end->sas[i].spi == spi &&
		    span_eq(key_span(&end->sas[i].encr_key), key_span(key)))
			return true;
	}
	return false;
}

static void packet_arrive(struct sim *s, struct sim_event *ev)
{
	struct inner_packet *p = container_of(ev, struct inner_packet, ev);
	struct end *end = &s->end[ev->side];

	sim_must(s, traffic_takes(end, p->spi, &p->key),
		 "a packet comes by SA %08x, which is not there", p->spi);
	traffic_hear(end, p->spi);
	free(p);
}

void sim_packet_out(struct sim *s, enum side side)
{
	const struct sa_desc *out = sim_carrier(s, side);
	struct inner_packet *p = calloc(1, sizeof(*p));
	uint32_t lo = s->net.delay_ms[0], hi = s->net.delay_ms[1];

	sim_must(s, out != NULL, "there is no outbound SA");
	if (!p || !out) {
		free(p);
		return;
	}
	p->ev = (struct sim_event){ .side = 1 - side,
				    .happen = packet_arrive,
				    .drop = packet_drop,
				    .of_planes = true };
	p->spi = out->spi;
	p->key = out->encr_key;
	s->end[side].n_went++;
	sim_later(s, &p->ev,
		  s->now + (hi > 0 ? chance_between(&s->chance, lo, hi) : 10) * NS_PER_MS);
}

void sim_packets(struct sim *s, uint32_t ms)
{
	mono_ns until = s->now + ms * NS_PER_MS;

	while (s->now < until && !s->failed) {
		sim_packet_out(s, LEFT);
		sim_packet_out(s, RIGHT);
		sim_run_ms(s, sim_draw(s, 5, 40));
	}
}

void sim_must_have_carried(struct sim *s)
{
	for (enum side side = LEFT; side <= RIGHT; side++)
		sim_must(s,
			 s->end[side].n_went > 0 && s->end[side].n_went == s->end[1 - side].n_came,
			 "%u packets went, %u came", s->end[side].n_went, s->end[1 - side].n_came);
}

void sim_silent(struct sim *s, enum side side)
{
	struct end *end = &s->end[side];
	const struct sa_desc *out = sim_carrier(s, side);
	struct plane_event pe = { .kind = PLANE_SILENT, .dir = SA_OUT };
	struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &pe };

	if (!out || s->failed)
		return;
	ev.from = out->plane;
	pe.spi = out->spi;
	pe.remote = out->path.remote;
	end_event(end, &ev);
}

void sim_rekey(struct sim *s, enum side side)
{
	struct end *end = &s->end[side];
	const struct sa_desc *out = sim_carrier(s, side);
	struct plane_event pe = { .kind = PLANE_EXPIRE, .soft = true, .dir = SA_OUT };
	struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &pe };

	if (!out || s->failed)
		return;
	ev.from = out->plane;
	pe.spi = out->spi;
	pe.remote = out->path.remote;
	trace_line(s, side, "plane: soft limit of %08x", out->spi);
	end_event(end, &ev);
}

void sim_rekey_ike(struct sim *s, enum side side)
{
	struct ike_sa *sa = s->end[side].dead ? NULL : insider_sa(s, side);

	if (!sa || sa->state != S_UP || s->failed)
		return;
	trace_line(s, side, "the IKE SA is to be rekeyed");
	sa->e->now = s->now;
	rekey_ike_want(sa);
	end_tick(&s->end[side]);
}

void sim_reauthenticate(struct sim *s, enum side side)
{
	struct ike_sa *sa = s->end[side].dead ? NULL : insider_sa(s, side);

	if (!sa || sa->state != S_UP || s->failed)
		return;
	trace_line(s, side, "both are to prove themselves anew");
	sa->e->now = s->now;
	proof_want(sa);
	end_tick(&s->end[side]);
}
