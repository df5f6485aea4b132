/* SPDX-License-Identifier: Apache-2.0 */
/* Two engines and everything that can happen to them, in any order: messages of a peer with the
 * keys, changes to messages on their way, strangers, commands, answers of jobs and data planes,
 * events, losses, no memory, crashes, other configurations. What tests/sim/check.c wants holds
 * throughout.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/ike_world.h"

enum { OPS_MAX = 32 };

const struct ops_form ops_form = { .head = 1, .codes = (1u << N_OP_CODES) - 1 };

static void do_run(struct ike_world *w, struct rd *r)
{
	uint8_t n = arg_u8(r);

	if (n < 128)
		sim_run_ms(w->s, n * 10u);
	else
		sim_run_s(w->s, n - 127u);
}

static void do_edit(struct ike_world *w, struct rd *r)
{
	struct ambush *a = &w->ambush[arg_u8(r) & 1];

	a->edits = true;
	a->skip = arg_u8(r) % 8;
	a->rounds = arg_u8(r);
	a->seed = arg_u32(r);
}

static void do_net(struct ike_world *w, struct rd *r)
{
	struct sim_net net = { .loss = arg_u8(r) % 101, .dup = arg_u8(r) % 101 };

	net.mutate = arg_u8(r) % 101;
	net.reflect = arg_u8(r) % 101;
	net.replay = arg_u8(r) % 101;
	net.delay_ms[1] = arg_u8(r) * 10u;
	sim_set_net(w->s, net);
}

static void do_command(struct ike_world *w, struct rd *r)
{
	static const char *const children[] = { NULL, "net", "dmz", "lab", "hosts", "nobody" };
	uint8_t what = arg_u8(r);
	enum side side = what & 1 ? RIGHT : LEFT;
	const char *child = children[arg_u8(r) % 6];

	if (what & 2 && child)
		sim_down_child(w->s, side, "site", child);
	else if (what & 2)
		sim_down(w->s, side, "site");
	else if (child)
		sim_up_child(w->s, side, "site", child);
	else
		sim_up(w->s, side, "site");
}

/* An event that the simulator would not make: of any SA, of none, of the other plane. */
static void any_plane_event(struct end *end, struct rd *r)
{
	struct plane_event pe = { .kind = (enum plane_event_kind)(arg_u8(r) % (PLANE_MTU + 1)),
				  .dir = arg_u8(r) & 1 ? SA_OUT : SA_IN };
	struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &pe };
	uint8_t which = arg_u8(r);

	ev.from = which & 64 ? PLANE_KERNEL : PLANE_USER;
	pe.soft = which & 128;
	pe.spi = which % 32 < end->n_sas ? end->sas[which % 32].spi : arg_u32(r);
	pe.reqid = end->conf->connections[0].children[0].reqid + arg_u8(r) % 3;
	pe.mtu = (uint16_t)(arg_u8(r) << 8);
	pe.remote = (struct endpoint){ .addr = end->addr, .port = arg_u8(r) };
	/* As the planes do: a packet of an address that a family has. */
	pe.flow = (struct flow){ .src = end->addr, .dst = end->addr, .proto = arg_u8(r) };
	/* The simulated plane did not hold one. */
	end->lost_sas = true;
	end_event(end, &ev);
}

static void do_plane(struct ike_world *w, struct rd *r)
{
	enum side side = arg_u8(r) & 1 ? RIGHT : LEFT;
	const struct conf_connection *cn = &w->s->end[side].conf->connections[0];

	switch (arg_u8(r) % 8) {
	case 0:
		sim_expire(w->s, side);
		break;
	case 1:
		sim_expire_soft(w->s, side);
		break;
	case 2:
		sim_acquire_child(w->s, side, arg_u8(r) % cn->n_children);
		break;
	case 3:
		sim_plane_dies(w->s, side);
		break;
	case 4:
		sim_unreachable(w->s, side);
		break;
	case 5:
		sim_traffic(w->s, side);
		break;
	case 6:
		sim_rebind(w->s, side, arg_u8(r) & 1);
		break;
	default:
		any_plane_event(&w->s->end[side], r);
	}
}

static void any_result(struct ike_world *w, struct end *end, struct rd *r)
{
	struct job_result result = { .kind = (enum job_kind)(arg_u8(r) % (JOB_KE + 1)) };
	struct ike_event ev = { .kind = IKE_EV_JOB, .job = &result };
	uint8_t back = arg_u8(r);

	if (end->dead || sim_failed(w->s))
		return;
	result.err = (enum err)(back / 16 % N_ERR);
	result.ticket = end->e->last_ticket - back % 16;
	result.method = AUTH_SIGNATURE;
	result.bytes = rd_rest(r);
	/* Whoever answers for the verifier may let anybody in. */
	end->n_agreed += result.err == OK;
	end_event(end, &ev);
}

static void do_job(struct ike_world *w, struct rd *r)
{
	enum side side = arg_u8(r) & 1 ? RIGHT : LEFT;
	uint8_t how = arg_u8(r);

	if (how % 4 == 0)
		sim_fail_job(w->s, how / 4);
	else if (how % 4 == 1)
		sim_lose_job(w->s, how / 4);
	else
		any_result(w, &w->s->end[side], r);
}

static void do_done(struct ike_world *w, struct rd *r)
{
	struct end *end = &w->s->end[arg_u8(r) & 1];
	uint8_t back = arg_u8(r);
	struct sa_done done = { .dir = back & 128 ? SA_OUT : SA_IN };
	struct ike_event ev = { .kind = IKE_EV_SA, .sa = &done };

	if (end->dead || sim_failed(w->s))
		return;
	done.ticket = end->e->last_ticket - back % 16;
	done.err = (enum err)(arg_u8(r) % N_ERR);
	done.spi = end->n_sas > 0 ? end->sas[0].spi : arg_u32(r);
	done.counters.packets = arg_u32(r);
	/* An answer that came twice: the plane may have more or less than the engine believes. */
	end->lost_sas = true;
	end_event(end, &ev);
}

static void do_fail(struct ike_world *w, struct rd *r)
{
	uint8_t what = arg_u8(r), nth = arg_u8(r);

	switch (what % 4) {
	case 0:
		sim_fail_install(w->s, nth);
		break;
	case 1:
		sim_fail_move(w->s, nth);
		break;
	case 2:
		sim_fail_malloc(w->s, LEFT, nth);
		break;
	case 3:
		sim_fail_malloc(w->s, RIGHT, nth);
		break;
	}
}

/* Another configuration for the same addresses. */
static void reload(struct ike_world *w, enum side side, uint8_t which)
{
	const bool v6 = w->s->end[side].addr.family == AF_INET6;
	const struct sim_conf *to = &ike_confs[v6 ? 4 : which % N_IKE_CONFS];

	if (!v6 && to == &ike_confs[4])
		return;
	w->s->end[side].fail_malloc = 0;
	w->s->end[side].may_lift = true;
	sim_reload(w->s, side, to->text[side]);
}

static void do_life(struct ike_world *w, struct rd *r)
{
	enum side side = arg_u8(r) & 1 ? RIGHT : LEFT;
	uint8_t what = arg_u8(r);
	bool dead = w->s->end[side].dead;

	if (sim_failed(w->s))
		return;
	if (what % 8 == 0)
		sim_crash(w->s, side);
	else if (dead)
		sim_restart(w->s, side);
	else if (what % 8 == 1)
		sim_shutdown(w->s, side);
	else
		reload(w, side, what / 8);
}

static void carry_out(struct ike_world *w, const struct op *op)
{
	struct rd r = rd_from(op->args);
	uint8_t side;

	switch ((enum op_code)op->code) {
	case OP_RUN:
		do_run(w, &r);
		break;
	case OP_INSIDE:
		ike_world_inside(w, op->args);
		break;
	case OP_CLEAR:
		ike_world_clear(w, op->args);
		break;
	case OP_EDIT:
		do_edit(w, &r);
		break;
	case OP_DROP:
		side = arg_u8(&r) & 1;
		w->ambush[side].drop = arg_u8(&r);
		break;
	case OP_NET:
		do_net(w, &r);
		break;
	case OP_COMMAND:
		do_command(w, &r);
		break;
	case OP_PLANE:
		do_plane(w, &r);
		break;
	case OP_JOB:
		do_job(w, &r);
		break;
	case OP_DONE:
		do_done(w, &r);
		break;
	case OP_FAIL:
		do_fail(w, &r);
		break;
	case OP_LIFE:
		do_life(w, &r);
		break;
	case N_OP_CODES:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_from(span_of(bytes, len));
	struct ike_world w;
	struct op op;

	ike_world_begin(&w, arg_u8(&r));
	for (int i = 0; i < OPS_MAX && op_next(&r, &op); i++)
		carry_out(&w, &op);
	sim_run_s(w.s, 2);
	ike_world_end(&w);
	return 0;
}
