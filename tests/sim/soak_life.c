/* SPDX-License-Identifier: Apache-2.0 */
/* How engines of a soak begin, sleep, move and die. One that is killed leaves its planes and what
 * it wrote down (soak_records.c) for the next one, which goes on with both; or its machine goes,
 * and the next one begins anew. Either way all that it had allocated has to be free then, to the
 * byte.
 */
#include <stdio.h>
#include <string.h>

#include "tests/sim/soak.h"

static const mono_ns boot_time = 5 * NS_PER_S;

mono_ns soak_clock(const struct soak_node *n)
{
	return n->w->now - n->behind;
}

void soak_enter(struct soak_node *n)
{
	n->bytes -= memory_live();
}

static void tick(struct soak_node *n)
{
	if (!n->e)
		return;
	soak_enter(n);
	ike_engine_tick(n->e, soak_clock(n));
	soak_leave(n);
}

void soak_tick(struct soak_node *n)
{
	if (n->e)
		tick(n);
	else
		soak_live(n->w, n->i);
}

/* ---- birth ---- */

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

static struct ike_engine *engine(struct soak_node *n)
{
	struct ike_env env = { .keeps = n->keeps,
			       .restores = n->goes_on,
			       .random = { .fill = fill, .ctx = n },
			       .n_owners = 2,
			       .certificates = certificates,
			       .authorities = authorities,
			       .ctx = n };

	return ike_engine_new(&env, n->conf, soak_clock(n));
}

static void go_on(struct soak_node *n)
{
	soak_give(n);
	soak_enter(n);
	ike_engine_resume(n->e, soak_clock(n));
	soak_leave(n);
	n->w->n_returns++;
}

void soak_live(struct soak *w, size_t i)
{
	struct soak_node *n = &w->node[i];

	n->back_at = NEVER;
	soak_enter(n);
	n->e = engine(n);
	n->bytes += memory_live();
	n->fresh = n->bytes;
	soak_must(w, n->e != NULL, "an engine does not begin");
	n->has_returned = n->goes_on;
	n->goes_on = false;
	if (n->e && n->has_returned)
		go_on(n);
	tick(n);
}

/* ---- death ---- */

static void die(struct soak_node *n)
{
	soak_enter(n);
	ike_engine_free(n->e);
	n->bytes += memory_live();
	soak_must(n->w, n->bytes == 0, "an engine has left %zu bytes", n->bytes);
	n->bytes = 0;
	n->e = NULL;
	n->life++;
	n->kill_in = 0;
	n->deadline = NEVER;
}

void soak_kill(struct soak *w, size_t i)
{
	struct soak_node *n = &w->node[i];

	die(n);
	soak_forget(n);
	n->n_sas = 0;
	n->plane_free = 0;
	n->back_at = w->now + boot_time;
	soak_reckon(n);
}

void soak_fall(struct soak_node *n)
{
	die(n);
	soak_survive(n);
	soak_unclaim(n);
	n->goes_on = true;
	n->back_at = n->w->now + n->away;
	soak_reckon(n);
}

void soak_kill_before(struct soak *w, size_t i, uint32_t nth, mono_ns away)
{
	struct soak_node *n = &w->node[i];

	if (!n->keeps)
		return;
	n->kill_in = nth;
	n->away = away;
	if (nth == 0)
		soak_fall(n);
}

/* ---- sleep ---- */

void soak_sleep(struct soak *w, size_t i)
{
	struct soak_node *n = &w->node[i];

	n->asleep = true;
	n->behind = w->now - n->behind;
	soak_reckon(n);
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

/* ---- and another place ---- */

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
