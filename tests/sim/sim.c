/* SPDX-License-Identifier: Apache-2.0 */
/* The clock, the events, and what scenarios say: see sim.h. */
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

static const mono_ns begin_of_time = 1000 * NS_PER_S;
static const mono_ns quiet_time = 9 * NS_PER_S; /* longer than any wait before a retransmission */
static const mono_ns longest_story = 1200 * NS_PER_S;

/* ---- a run ---- */

static void place(struct sim *s, bool v6)
{
	static const char *const inside[] = { "10.0.0.2", "10.99.0.2", "fd00::2", "fd99::2" };
	static const char *const world[] = { "192.0.2.1", "198.51.100.2", "2001:db8:1::1",
					     "2001:db8:2::2" };

	for (enum side side = LEFT; side <= RIGHT; side++) {
		struct end *end = &s->end[side];
		size_t i = (v6 ? 2u : 0u) + (size_t)side;
		bool nat = s->net.nat[side] != NAT_NONE;

		sim_must(s,
			 addr_parse(world[i], &end->public) &&
				 addr_parse(nat ? inside[i] : world[i], &end->addr),
			 "addresses");
	}
}

struct sim *sim_new(const struct sim_conf *conf, struct sim_net net, uint64_t seed)
{
	size_t before = memory_live();
	struct sim *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->memory_before = before;
	s->now = begin_of_time;
	s->stirred = s->now;
	s->net = net;
	s->seed = seed;
	s->chance.state = seed * 4 + 1;
	ke_remember(true);
	for (enum side side = LEFT; side <= RIGHT; side++) {
		s->end[side].sim = s;
		s->end[side].side = side;
		s->end[side].chance.state = seed * 4 + 2 + (uint64_t)side;
		chance_u64(&s->end[side].chance);
		/* Each run of four has one without a kernel's plane, one with two, and both mixed.
		 */
		if (seed >> side & 1)
			plane_give_kernel(&s->end[side]);
	}
	place(s, strstr(conf->text[LEFT], "2001:db8:2::2") != NULL);
	for (enum side side = LEFT; side <= RIGHT; side++)
		end_begin(&s->end[side], conf->text[side]);
	for (enum side side = LEFT; side <= RIGHT && !s->failed; side++)
		end_tick(&s->end[side]);
	return s;
}

static void drop_events(struct sim *s)
{
	struct heap_node *n;

	while ((n = heap_pop_due(&s->events, NEVER - 1))) {
		struct sim_event *ev = container_of(n, struct sim_event, node);

		ev->drop(ev);
	}
}

bool sim_free(struct sim *s, char text[static 512])
{
	size_t before = s->memory_before;
	bool good;

	drop_events(s);
	net_free(s);
	jobs_free(s);
	check_free(s);
	for (enum side side = LEFT; side <= RIGHT; side++)
		end_free(&s->end[side]);
	good = !s->failed;
	snprintf(text, 512, "%s", s->why);
	free(s);
	if (good && memory_live() != before) {
		snprintf(text, 512, "%zu bytes are left over", memory_live() - before);
		return false;
	}
	return good;
}

void sim_must(struct sim *s, bool holds, const char *format, ...)
{
	va_list args;
	size_t n;

	if (holds || s->failed)
		return;
	s->failed = true;
	n = (size_t)snprintf(s->why, sizeof(s->why),
			     "at %.0u.%03u s: ", (unsigned)((s->now - begin_of_time) / NS_PER_S),
			     (unsigned)((s->now - begin_of_time) / NS_PER_MS % 1000));
	va_start(args, format);
	vsnprintf(s->why + n, sizeof(s->why) - n, format, args);
	va_end(args);
}

bool sim_failed(const struct sim *s)
{
	return s->failed;
}

void sim_miss(struct sim *s)
{
	s->missed = true;
}

bool sim_missed(const struct sim *s)
{
	return s->missed;
}

/* ---- time ---- */

void sim_later(struct sim *s, struct sim_event *ev, mono_ns when)
{
	ev->life = s->end[ev->side].life;
	ev->planes = s->end[ev->side].planes;
	heap_set(&s->events, &ev->node, when);
}

mono_ns sim_takes(struct sim *s, uint32_t lo, uint32_t hi)
{
	return (s->work_us > 0 ? s->work_us : chance_between(&s->chance, lo, hi)) * NS_PER_US;
}

static mono_ns deadline(const struct end *end)
{
	return end->dead ? NEVER : ike_engine_deadline(end->e);
}

static mono_ns next_time(const struct sim *s)
{
	mono_ns when = heap_deadline(&s->events);

	for (enum side side = LEFT; side <= RIGHT; side++) {
		mono_ns d = deadline(&s->end[side]);
		mono_ns back = s->end[side].back_at;

		d = s->end[side].dead && back < d ? back : d;
		when = d < when ? d : when;
	}
	return when;
}

static bool is_heard(const struct sim *s, const struct sim_event *ev)
{
	const struct end *end = &s->end[ev->side];

	if (ev->of_planes)
		return ev->planes == end->planes;
	return !end->dead && (ev->life == end->life || !ev->happen);
}

static void happen(struct sim *s)
{
	struct heap_node *n = heap_pop_due(&s->events, s->now);
	struct sim_event *ev;

	if (!n)
		return;
	ev = container_of(n, struct sim_event, node);
	if (is_heard(s, ev))
		ev->happen(s, ev);
	else
		ev->drop(ev);
}

bool sim_step(struct sim *s, mono_ns until)
{
	mono_ns when = next_time(s);

	if (s->failed)
		return false;
	if (when > until) {
		s->now = until > s->now ? until : s->now;
		return false;
	}
	s->now = when > s->now ? when : s->now;
	if (heap_deadline(&s->events) <= s->now)
		happen(s);
	for (enum side side = LEFT; side <= RIGHT && !s->failed; side++) {
		if (s->end[side].dead && s->end[side].back_at <= s->now)
			end_restore(&s->end[side]);
		if (deadline(&s->end[side]) <= s->now)
			end_tick(&s->end[side]);
	}
	check_step(s);
	return !s->failed;
}

void sim_run_ms(struct sim *s, uint32_t ms)
{
	mono_ns until = s->now + ms * NS_PER_MS;

	while (sim_step(s, until))
		;
}

void sim_run_s(struct sim *s, uint32_t seconds)
{
	sim_run_ms(s, seconds * 1000);
}

bool sim_run_until_note(struct sim *s, enum side side, enum ike_note_kind kind, uint32_t seconds)
{
	mono_ns until = s->now + seconds * NS_PER_S;
	size_t before = s->end[side].n_notes[kind];

	while (s->end[side].n_notes[kind] == before && sim_step(s, until))
		;
	return s->end[side].n_notes[kind] > before;
}

mono_ns sim_quiet_at(const struct sim *s)
{
	return s->stirred + quiet_time;
}

bool sim_is_quiet(const struct sim *s)
{
	return s->now >= sim_quiet_at(s) && s->events.n == 0 && check_is_settled(s);
}

void sim_run_until_quiet(struct sim *s)
{
	mono_ns until = s->now + longest_story;

	s->stirred = s->now;
	while (!sim_is_quiet(s) && s->now < until && !s->failed) {
		mono_ns calm = sim_quiet_at(s);

		sim_step(s, calm > s->now && calm < until ? calm : until);
	}
	sim_must(s, sim_is_quiet(s), "it does not become quiet");
	check_quiet(s);
}

uint32_t sim_draw(struct sim *s, uint32_t lo, uint32_t hi)
{
	return chance_between(&s->chance, lo, hi);
}

enum side sim_side(struct sim *s)
{
	return sim_draw(s, 0, 1) ? LEFT : RIGHT;
}

/* ---- what people do ---- */

static void command(struct sim *s, enum side side, const struct ike_event *ev)
{
	if (s->failed)
		return;
	s->end[side].may_lift = ev->kind == IKE_EV_DOWN;
	trace_line(s, side, "%s %s %s", ev->kind == IKE_EV_UP ? "up" : "down",
		   ev->command.connection, ev->command.child ? ev->command.child : "");
	end_event(&s->end[side], ev);
}

void sim_up(struct sim *s, enum side side, const char *connection)
{
	struct ike_event ev = { .kind = IKE_EV_UP, .command = { .connection = connection } };

	command(s, side, &ev);
}

void sim_down(struct sim *s, enum side side, const char *connection)
{
	struct ike_event ev = { .kind = IKE_EV_DOWN, .command = { .connection = connection } };

	command(s, side, &ev);
}

void sim_up_child(struct sim *s, enum side side, const char *connection, const char *child)
{
	struct ike_event ev = { .kind = IKE_EV_UP,
				.command = { .connection = connection, .child = child } };

	command(s, side, &ev);
}

void sim_down_child(struct sim *s, enum side side, const char *connection, const char *child)
{
	struct ike_event ev = { .kind = IKE_EV_DOWN,
				.command = { .connection = connection, .child = child } };

	command(s, side, &ev);
}

uint64_t sim_seed(const struct sim *s)
{
	return s->seed;
}

void sim_compute_truly(struct sim *s)
{
	s->true_ke = true;
	ke_remember(false);
}

void sim_reload(struct sim *s, enum side side, const char *text)
{
	trace_line(s, side, "reload");
	if (!s->failed)
		end_reload(&s->end[side], text);
}

void sim_crash(struct sim *s, enum side side)
{
	trace_line(s, side, "crashes");
	if (!s->failed)
		end_die(&s->end[side]);
}

void sim_restart(struct sim *s, enum side side)
{
	trace_line(s, side, "starts again");
	if (!s->failed)
		end_live(&s->end[side]);
}

void sim_kill(struct sim *s, enum side side, uint32_t nth, uint32_t ms)
{
	struct end *end = &s->end[side];

	if (s->failed || end->dead)
		return;
	end->away = ms * NS_PER_MS;
	end->kill_in = nth;
	if (nth == 0)
		end_fall(end);
}

void sim_shutdown(struct sim *s, enum side side)
{
	trace_line(s, side, "stops");
	if (!s->failed)
		end_shutdown(&s->end[side]);
}

/* ---- what goes wrong ---- */

void sim_set_net(struct sim *s, struct sim_net net)
{
	/* Where the NATs are was decided at the beginning. */
	net.nat[LEFT] = s->net.nat[LEFT];
	net.nat[RIGHT] = s->net.nat[RIGHT];
	s->net = net;
}

void sim_fail_job(struct sim *s, uint32_t nth)
{
	s->jobs_until_failure = nth;
}

void sim_lose_job(struct sim *s, uint32_t nth)
{
	s->jobs_until_loss = nth;
}

void sim_fail_install(struct sim *s, uint32_t nth)
{
	s->installs_until_failure = nth;
}

void sim_fail_malloc(struct sim *s, enum side side, uint32_t nth)
{
	s->end[side].fail_malloc = nth;
}

void sim_set_psk(struct sim *s, enum side side, const char *psk)
{
	s->end[side].psk = psk;
}

void sim_set_certificate(struct sim *s, enum side side, const char *name)
{
	s->end[side].proves = name;
}

void sim_set_middle(struct sim *s, sim_middle_fn *fn, void *ctx)
{
	s->middle = fn;
	s->middle_ctx = ctx;
}

/* ---- what became of it ---- */

size_t sim_notes(const struct sim *s, enum side side, enum ike_note_kind kind)
{
	return s->end[side].n_notes[kind];
}

const struct ike_note *sim_note(const struct sim *s, enum side side, enum ike_note_kind kind)
{
	return s->end[side].n_notes[kind] > 0 ? &s->end[side].last[kind] : NULL;
}

size_t sim_ike_sas(const struct sim *s, enum side side)
{
	return s->end[side].dead ? 0 : (size_t)ike_engine_stats(s->end[side].e)->sas;
}
