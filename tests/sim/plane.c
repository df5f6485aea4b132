/* SPDX-License-Identifier: Apache-2.0 */
/* The fake data plane: holds what was installed and looks at what it is told to do. Commands are
 * carried out one after the other, as over a channel; the answer comes later. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/alg.h"
#include "tests/sim/world.h"

struct answer {
	struct sim_event ev;
	struct sa_done done;
	uint32_t deaths; /* of the plane, when it was asked */
	uint32_t returns;
	bool late; /* not carried out yet: */
	struct sa_cmd cmd;
};

static void answer_free(struct answer *a)
{
	if (a->late)
		sa_desc_wipe(&a->cmd.sa);
	free(a);
}

static void answer_drop(struct sim_event *ev)
{
	answer_free(container_of(ev, struct answer, ev));
}

static enum err carry_out(struct end *end, const struct sa_cmd *cmd, struct sa_done *done);

/* Who asked one that died hears of it when the next one is there. */
static bool is_lost(const struct end *end, const struct answer *a)
{
	return a->returns != end->plane_returns || end->plane_is_back > 0;
}

static void answer_arrive(struct sim *s, struct sim_event *ev)
{
	struct answer *a = container_of(ev, struct answer, ev);
	struct end *end = &s->end[ev->side];
	struct ike_event event = { .kind = IKE_EV_SA, .sa = &a->done };

	if (end->plane_is_back > 0) {
		sim_later(s, &a->ev, end->plane_is_back + 1);
		return;
	}
	if (is_lost(end, a))
		a->done.err = ERR_SYSTEM;
	else if (a->late)
		a->done.err = carry_out(end, &a->cmd, &a->done);
	if (a->deaths != end->plane_deaths)
		a->done.err = ERR_SYSTEM;
	if (a->done.ticket != 0)
		end_event(end, &event);
	answer_free(a);
}

static struct sa_desc *find(struct end *end, const struct sa_desc *sa)
{
	for (size_t i = 0; i < end->n_sas; i++) {
		if (end->sas[i].spi == sa->spi && end->sas[i].dir == sa->dir)
			return &end->sas[i];
	}
	return NULL;
}

void plane_give_kernel(struct end *end)
{
	struct plane_caps *k = &end->kernel;

	*k = (struct plane_caps){ .v4 = true,
				  .v6 = true,
				  .encap = true,
				  .transport = true,
				  .esn = true,
				  .interface = true };
	for (size_t i = 0; encr_row(i) && k->n_encr < PLANE_ENCR_MAX; i++) {
		k->encr[k->n_encr].id = encr_row(i)->id;
		k->encr[k->n_encr++].key_bits = encr_row(i)->key_bits;
	}
	for (size_t i = 0; integ_row(i) && k->n_integ < PLANE_INTEG_MAX; i++)
		k->integ[k->n_integ++] = integ_row(i)->id;
}

static bool has_kernel(const struct end *end)
{
	return plane_caps_esp(&end->kernel);
}

static enum sa_plane plane_of(const struct end *end)
{
	return has_kernel(end) ? PLANE_KERNEL : PLANE_USER;
}

static const mono_ns larval_time = 30 * NS_PER_S;

static bool larval_lives(const struct end *end, const struct larval *l)
{
	return l->number != 0 && end->sim->now < l->born + larval_time;
}

/* The SA that a packet waits for, by its number or without one; or it is not to be. */
static void let_go(struct end *end, const struct sa_desc *sa)
{
	for (size_t i = 0; i < SIM_LARVAE_MAX; i++) {
		struct larval *l = &end->larvae[i];

		if (l->reqid == sa->reqid && (sa->acquire == 0 || sa->acquire == l->number))
			l->number = 0;
	}
}

static enum err forget(struct end *end, const struct sa_desc *sa)
{
	sim_must(end->sim,
		 sa->plane == PLANE_KERNEL && sa->acquire != 0 && sa->acquire <= end->last_acquire,
		 "a packet is to be forgotten that never asked");
	let_go(end, sa);
	return OK;
}

const char *const sim_plane_says = "the plane says no";

static bool is_nth(uint32_t *until)
{
	return *until > 0 && --*until == 0;
}

/* What a kernel says no with, and the words that somebody has to read in the end. */
static enum err refusal(struct sim *s, char why[static SA_WHY_MAX])
{
	static const enum err errors[] = { ERR_SYSTEM, ERR_NOMEM,	ERR_EXISTS,
					   ERR_DENIED, ERR_UNSUPPORTED, ERR_NO_ANSWER };

	snprintf(why, SA_WHY_MAX, "%s", sim_plane_says);
	return errors[sim_draw(s, 0, sizeof(errors) / sizeof(errors[0]) - 1)];
}

static enum err install(struct end *end, const struct sa_desc *sa, char why[static SA_WHY_MAX])
{
	struct sim *s = end->sim;

	sim_must(s, sa->plane == (has_kernel(end) ? PLANE_KERNEL : PLANE_USER),
		 "an SA comes to the wrong plane");
	sim_must(s, sa->dir == SA_OUT || !(sa->spi & SPI_USER_BIT) == (sa->plane == PLANE_KERNEL),
		 "SPI %08x is not of its plane", sa->spi);
	sim_must(s, !find(end, sa), "an SA is installed that is there already");
	sim_must(s, end->n_sas < SIM_SAS_MAX, "SAs pile up in the plane");
	sim_must(s, sa->twin_spi != 0 && sa->spi > 255, "an SA without its SPIs");
	if (sim_failed(s) || is_nth(&s->installs_until_failure)) {
		end->refused_spi = sa->spi;
		return refusal(s, why);
	}
	sim_must(s, sa->acquire <= end->last_acquire && (sa->acquire == 0 || sa->dir == SA_OUT),
		 "an SA answers what nobody asked");
	if (sa->dir == SA_OUT) {
		check_outkey(s, &sa->encr_key);
		let_go(end, sa);
	}
	end->claimed[end->n_sas] = true;
	return sa_desc_copy(&end->sas[end->n_sas++], sa);
}

static enum err take_away(struct end *end, const struct sa_desc *sa)
{
	struct sa_desc *at = find(end, sa);

	/* An engine that takes back an install does not know yet that it was refused. */
	sim_must(end->sim,
		 at || sa->spi == end->refused_spi || end->plane_deaths > 0 || end->lost_sas,
		 "an SA is removed that is not there");
	if (!at)
		return ERR_NOT_FOUND;
	if (end->keeps_sas)
		return OK;
	sa_desc_wipe(at);
	/* In the order of installation: the newest carries what is sent. */
	end->n_sas--;
	memmove(at, at + 1, (size_t)(end->sas + end->n_sas - at) * sizeof(*at));
	memmove(&end->claimed[at - end->sas], &end->claimed[at - end->sas + 1],
		(size_t)(end->sas + end->n_sas - at) * sizeof(end->claimed[0]));
	return OK;
}

/* Another engine knows of it what the one knew that put it in; but for where it is, which may be
 * about to change. */
static enum err claim(struct end *end, const struct sa_desc *sa)
{
	const struct sa_desc *at = find(end, sa);

	if (!at)
		return ERR_NOT_FOUND;
	sim_must(end->sim,
		 at->twin_spi == sa->twin_spi && at->plane == sa->plane && at->mode == sa->mode &&
			 at->child_id == sa->child_id && at->reqid == sa->reqid &&
			 at->esn == sa->esn && at->encr_id == sa->encr_id &&
			 at->integ_id == sa->integ_id && ts_list_eq(&at->local, &sa->local) &&
			 ts_list_eq(&at->remote, &sa->remote),
		 "SA %08x is claimed as what it is not", sa->spi);
	end->claimed[at - end->sas] = true;
	return OK;
}

static enum err sweep(struct end *end, enum sa_plane plane)
{
	for (size_t i = end->n_sas; i > 0; i--) {
		if (!end->claimed[i - 1] && end->sas[i - 1].plane == plane)
			(void)take_away(end, &end->sas[i - 1]);
	}
	return OK;
}

void plane_unclaim(struct end *end)
{
	memset(end->claimed, 0, sizeof(end->claimed));
	end->done_before = end->last_install;
}

/* What a predecessor asked for, and had. */
static bool is_done(const struct end *end, const struct sa_cmd *cmd)
{
	return cmd->install != 0 && cmd->install <= end->done_before;
}

static enum err install_once(struct end *end, const struct sa_cmd *cmd, char why[static SA_WHY_MAX])
{
	if (is_done(end, cmd))
		return claim(end, &cmd->sa);
	if (cmd->install > end->last_install)
		end->last_install = cmd->install;
	return install(end, &cmd->sa, why);
}

static enum err move(struct end *end, const struct sa_desc *sa, char why[static SA_WHY_MAX])
{
	struct sa_desc *at = find(end, sa);

	sim_must(end->sim, at || end->lost_sas || end->plane_deaths > 0,
		 "an SA is moved that is not there");
	if (!at)
		return ERR_NOT_FOUND;
	if (is_nth(&end->sim->moves_until_failure))
		return refusal(end->sim, why);
	at->path = sa->path;
	at->encap = sa->encap;
	return OK;
}

static enum err pass(struct end *end, const struct sa_desc *sa)
{
	struct sa_desc *at = find(end, sa);

	sim_must(end->sim, at || end->lost_sas || end->plane_deaths > 0,
		 "an SA is passed over that is not there");
	if (!at)
		return ERR_NOT_FOUND;
	at->passed = sa->passed;
	return OK;
}

static enum err carry_out(struct end *end, const struct sa_cmd *cmd, struct sa_done *done)
{
	switch (cmd->op) {
	case SA_INSTALL:
		return install_once(end, cmd, done->why);
	case SA_REMOVE:
		return take_away(end, &cmd->sa);
	case SA_QUERY:
		done->counters.packets =
			cmd->sa.dir == SA_OUT ? 1 : traffic_heard(end, cmd->sa.spi);
		return find(end, &cmd->sa) ? OK : ERR_NOT_FOUND;
	case SA_MOVE:
		return move(end, &cmd->sa, done->why);
	case SA_PASS:
		return pass(end, &cmd->sa);
	case SA_FORGET:
		return forget(end, &cmd->sa);
	case SA_CLAIM:
		done->counters.packets =
			cmd->sa.dir == SA_OUT ? 1 : traffic_heard(end, cmd->sa.spi);
		return claim(end, &cmd->sa);
	case SA_SWEEP:
		return sweep(end, cmd->sa.plane);
	case SA_EXPECT:
		return OK;
	}
	return ERR_UNSUPPORTED;
}

void plane_do(struct end *end, const struct sa_cmd *cmd)
{
	static const char *const ops[] = { "install", "move",	"remove", "query", "pass",
					   "forget",  "claim", "sweep",  "expect" };
	struct sim *s = end->sim;
	struct answer *a = calloc(1, sizeof(*a));
	mono_ns begin = end->plane_free > s->now ? end->plane_free : s->now;

	if (!a)
		return;
	trace_line(s, end->side, "plane: %s %s %08x", ops[cmd->op],
		   cmd->sa.dir == SA_IN ? "in" : "out", cmd->sa.spi);
	/* That packets wait, or wait no more, is nothing that is established, nor is a question. */
	end->n_sa_commands += cmd->op != SA_FORGET && cmd->op != SA_QUERY && cmd->op != SA_EXPECT;
	/* Looking whether anything has come is liveness, too. */
	if (cmd->op != SA_QUERY)
		s->stirred = s->now;
	a->ev = (struct sim_event){ .side = end->side,
				    .happen = answer_arrive,
				    .drop = answer_drop };
	a->done = (struct sa_done){ .ticket = cmd->ticket, .spi = cmd->sa.spi, .dir = cmd->sa.dir };
	a->deaths = end->plane_deaths;
	/* While there is none, it is asked of the one that is dead. */
	a->returns = end->plane_returns - (end->plane_is_back > 0);
	a->late = s->planes_are_late && sa_desc_copy(&a->cmd.sa, &cmd->sa) == OK;
	a->cmd.op = cmd->op;
	if (!a->late && !is_lost(end, a))
		a->done.err = carry_out(end, cmd, &a->done);
	if (!a->late && cmd->ticket == 0) {
		free(a);
		return;
	}
	end->plane_free = begin + sim_takes(s, 10, 5000);
	sim_later(s, &a->ev, end->plane_free);
}

void plane_clear(struct end *end)
{
	for (size_t i = 0; i < end->n_sas; i++)
		sa_desc_wipe(&end->sas[i]);
	end->n_sas = 0;
	end->plane_free = 0;
	end->plane_is_back = 0;
	memset(end->larvae, 0, sizeof(end->larvae));
}

void sim_plane_dies(struct sim *s, enum side side)
{
	struct plane_event pe = { .kind = PLANE_GONE };
	struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &pe };

	if (s->failed)
		return;
	trace_line(s, side, "plane: dies");
	/* The kernel's has no process of ours. */
	if (!has_kernel(&s->end[side])) {
		s->end[side].plane_deaths++;
		plane_clear(&s->end[side]);
	}
	end_event(&s->end[side], &ev);
}

static void expire(struct sim *s, enum side side, bool soft)
{
	struct end *end = &s->end[side];
	struct plane_event pe = { .kind = PLANE_EXPIRE, .soft = soft };
	struct ike_event ev = { .kind = IKE_EV_PLANE, .from = plane_of(end), .plane = &pe };
	struct sa_desc *at = &end->sas[sim_draw(s, 0, 1)];

	if (end->n_sas < 2)
		return;
	trace_line(s, side, "plane: %s limit of %08x", soft ? "soft" : "hard", at->spi);
	pe.spi = at->spi;
	pe.dir = at->dir;
	pe.remote = at->path.remote;
	if (!soft) {
		(void)take_away(end, at);
		end->lost_sas = true;
	}
	end_event(end, &ev);
}

void sim_fail_move(struct sim *s, uint32_t nth)
{
	s->moves_until_failure = nth;
}

void sim_expire(struct sim *s, enum side side)
{
	expire(s, side, false);
}

void sim_expire_soft(struct sim *s, enum side side)
{
	expire(s, side, true);
}

/* ---- packets ---- */

static const struct sa_desc *first_of(const struct end *end, enum sa_dir dir)
{
	for (size_t i = 0; i < end->n_sas; i++) {
		if (end->sas[i].dir == dir)
			return &end->sas[i];
	}
	return NULL;
}

void sim_mapping(struct sim *s, enum side side, const struct endpoint *from)
{
	struct end *end = &s->end[side];
	const struct sa_desc *in = first_of(end, SA_IN);
	struct plane_event pe = { .kind = PLANE_MAPPING, .dir = SA_IN, .remote = *from };
	struct ike_event ev = { .kind = IKE_EV_PLANE, .from = plane_of(end), .plane = &pe };

	if (s->failed || !in || endpoint_eq(&in->path.remote, from))
		return;
	trace_line(s, side, "plane: a packet came from port %u", from->port);
	pe.spi = in->spi;
	end_event(end, &ev);
}

void sim_traffic(struct sim *s, enum side side)
{
	struct end *end = &s->end[side];
	const struct sa_desc *out = first_of(end, SA_OUT);
	struct endpoint src;

	if (!out || !out->encap)
		return;
	src = out->path.local;
	if (net_source(end, &src))
		sim_mapping(s, 1 - side, &src);
}

static bool is_up(const struct end *end, uint32_t reqid)
{
	for (size_t i = 0; i < end->n_sas; i++) {
		if (end->sas[i].dir == SA_OUT && end->sas[i].reqid == reqid)
			return true;
	}
	return false;
}

/* One packet asks for all of its kind (facts of the kernel: one larval state for each template). */
static bool hold_packet(struct end *end, uint32_t reqid)
{
	struct larval *free_one = NULL;

	for (size_t i = 0; i < SIM_LARVAE_MAX; i++) {
		struct larval *l = &end->larvae[i];

		if (!larval_lives(end, l))
			free_one = l;
		else if (l->reqid == reqid)
			return false;
	}
	if (!free_one || is_up(end, reqid))
		return false;
	*free_one = (struct larval){ reqid, ++end->last_acquire, end->sim->now };
	return true;
}

/* A packet of the child's first selectors. */
static struct flow flow_of(struct sim *s, const struct conf_child *ch)
{
	return (struct flow){
		.src = ch->local.v[0].lo,
		.dst = ch->remote.v[0].hi,
		.proto = 6,
		.ports_known = true,
		.sport = (uint16_t)sim_draw(s, 1024, 65535),
		.dport = 443,
	};
}

void sim_acquire(struct sim *s, enum side side)
{
	sim_acquire_child(s, side, 0);
}

void sim_acquire_child(struct sim *s, enum side side, size_t nth)
{
	struct end *end = &s->end[side];
	struct plane_event pe = { .kind = PLANE_ACQUIRE };
	struct ike_event ev = { .kind = IKE_EV_PLANE, .from = plane_of(end), .plane = &pe };
	const struct conf_child *ch;

	if (s->failed)
		return;
	ch = &end->conf->connections[0].children[nth];
	pe.reqid = ch->reqid;
	pe.flow = flow_of(s, ch);
	if (has_kernel(end) && !hold_packet(end, ch->reqid))
		return;
	pe.acquire = has_kernel(end) ? end->last_acquire : 0;
	trace_line(s, side, "plane: acquire %u", pe.acquire);
	end_event(end, &ev);
}

size_t sim_larvae(const struct sim *s, enum side side)
{
	size_t n = 0;

	for (size_t i = 0; i < SIM_LARVAE_MAX; i++)
		n += larval_lives(&s->end[side], &s->end[side].larvae[i]);
	return n;
}
