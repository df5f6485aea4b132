/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "daemon/bridge_state.h"
#include "daemon/restorer.h"

/* ---- answers that are known at once ---- */

void act_job_failed(struct bridge *b, uint64_t ticket, unsigned int kind, enum err e)
{
	struct job_result r = { .ticket = ticket, .kind = (enum job_kind)kind, .err = e };
	const struct ike_event ev = { .kind = IKE_EV_JOB, .job = &r };

	ike_engine_event(b->ike, &ev, mono_now());
}

void act_sa_failed(struct bridge *b, uint64_t ticket, uint32_t spi, enum sa_dir dir, enum err e)
{
	const struct sa_done done = { .ticket = ticket, .err = e, .spi = spi, .dir = dir };
	const struct ike_event ev = { .kind = IKE_EV_SA, .sa = &done };

	if (ticket != 0)
		ike_engine_event(b->ike, &ev, mono_now());
}

/* ---- datagrams ---- */

static void perform_send(struct bridge *b, const struct path *path, bool marker, struct span bytes)
{
	const struct path p = *path;
	const struct ike_event ev = { .kind = IKE_EV_UNREACHABLE, .unreachable = &p };

	/* A full socket is a lost datagram, which retransmission knows about; no route is worth a
	 * hint. */
	if (udp_send(b->udp, &p, marker, bytes) == ERR_NOT_FOUND)
		ike_engine_event(b->ike, &ev, mono_now());
}

/* ---- jobs ---- */

static enum role job_role(enum job_kind k)
{
	return k == JOB_VERIFY ? ROLE_VERIFIER : ROLE_SIGNER;
}

static enum err job_send(struct bridge *b, const struct job *j)
{
	enum role r = job_role(j->kind);
	struct wr w = wr_into(b->scratch, SCRATCH_SIZE);
	enum err e;

	job_encode(&w, j);
	if (!wr_ok(&w))
		return ERR_SPACE;
	if (desk_put(&b->desk, r, j->kind, j->ticket) == NULL)
		return ERR_NOMEM;
	e = link_send(&b->peer[r].link, MSG_JOB, wr_done(&w), -1);
	if (e != OK)
		free(desk_take(&b->desk, r, j->kind, j->ticket));
	return e;
}

static void perform_job(struct bridge *b, const struct job *j)
{
	uint64_t ticket = j->ticket;
	enum job_kind kind = j->kind;
	enum err e = kind == JOB_KE ? kework_put(b->kework, j) : job_send(b, j);

	if (e != OK)
		act_job_failed(b, ticket, kind, e);
}

/* ---- SAs ---- */

/* Whose process works that plane. */
static enum role plane_role(enum sa_plane plane)
{
	return plane == PLANE_USER ? ROLE_ESP : ROLE_MONITOR;
}

static enum err plane_send(struct bridge *b, enum role r, struct span body)
{
	enum err e;

	if (r == ROLE_MONITOR)
		return process_send(b->env.process, MSG_SA, body);
	e = b->esp_away ? OK : link_send(&b->peer[r].link, MSG_SA, body, -1);
	/* It has just died, and that will be heard in a moment. */
	return e == ERR_NOT_FOUND && link_is_open(&b->peer[r].link) ? OK : e;
}

static enum err sa_send(struct bridge *b, const struct sa_cmd *cmd)
{
	enum role r = plane_role(cmd->sa.plane);
	struct wr w = wr_into(b->scratch, SCRATCH_SIZE);
	struct slip *s = NULL;
	enum err e;

	sa_cmd_encode(&w, cmd);
	e = wr_ok(&w) ? OK : ERR_SPACE;
	if (e == OK && cmd->ticket != 0) {
		s = desk_put(&b->desk, r, 0, cmd->ticket);
		e = s != NULL ? OK : ERR_NOMEM;
	}
	if (s != NULL) {
		s->spi = cmd->sa.spi;
		s->dir = cmd->sa.dir;
	}
	if (e == OK)
		e = plane_send(b, r, wr_done(&w));
	if (e != OK && s != NULL)
		free(desk_take(&b->desk, r, 0, cmd->ticket));
	secret_wipe(b->scratch, SCRATCH_SIZE);
	return e;
}

/* Who could not be claimed shall not go for it: the engine asks for it again. What is nobody's
 * then stays until the next engine's sweep, and stands for nothing. */
static bool is_spared(struct bridge *b, const struct sa_cmd *cmd)
{
	bool *unasked = &b->unasked[plane_role(cmd->sa.plane)];
	const bool spared = cmd->op == SA_SWEEP && *unasked;

	if (cmd->op == SA_SWEEP)
		*unasked = false;
	return spared;
}

static void perform_sa(struct bridge *b, const struct sa_cmd *cmd)
{
	uint64_t ticket = cmd->ticket;
	uint32_t spi = cmd->sa.spi;
	enum sa_dir dir = cmd->sa.dir;
	enum err e = OK;

	if (is_spared(b, cmd))
		return;
	e = sa_send(b, cmd);
	if (e != OK && cmd->op == SA_CLAIM)
		b->unasked[plane_role(cmd->sa.plane)] = true;
	if (e == OK)
		mtu_sa(b->mtu, cmd);
	else
		act_sa_failed(b, ticket, spi, dir, e);
}

/* ---- addresses ---- */

void act_resolved(struct bridge *b, const char *connection, const struct addr *v, size_t n,
		  enum err e)
{
	const struct conf_connection *cn = conf_connection_find(b->conf, connection);
	struct ike_resolved r = { .connection = connection, .err = e };
	const struct ike_event ev = { .kind = IKE_EV_RESOLVED, .resolved = &r };

	if (cn == NULL)
		return; /* a reload took it away meanwhile */
	/* Nothing would leave, and half a minute later it would look as if nobody had answered. */
	if (cn->local_address.family != AF_UNSPEC && !route_is_here(&cn->local_address)) {
		r.err = ERR_NOT_HERE;
		n = 0;
	}
	for (size_t i = 0; i < n && i < CONF_ADDRS_MAX; i++) {
		struct path p = { .local.addr = cn->local_address, .remote.addr = v[i] };

		if (cn->local_address.family != AF_UNSPEC
			    ? cn->local_address.family == v[i].family
			    : route_local(&b->route, &v[i], &p.local.addr))
			r.paths[r.n++] = p;
	}
	/* It has addresses, but there is no way to any of them (yet). */
	if (r.err == OK && r.n == 0)
		r.err = ERR_RESOLVE;
	ike_engine_event(b->ike, &ev, mono_now());
}

static void perform_route(struct bridge *b, const struct ike_route_question *q)
{
	struct ike_routes r = { .spi = q->spi };
	const struct ike_event ev = { .kind = IKE_EV_ROUTES, .routes = &r };

	for (size_t i = 0; i < q->n; i++) {
		struct path p = { .local.addr = q->local, .remote.addr = q->to[i] };

		if (q->local.family != AF_UNSPEC ? q->local.family == q->to[i].family
						 : route_local(&b->route, &q->to[i], &p.local.addr))
			r.paths[r.n++] = p;
	}
	ike_engine_event(b->ike, &ev, mono_now());
}

static enum err resolve_send(struct bridge *b, const struct conf_connection *cn)
{
	struct msg_text m = { .ticket = ++b->resolve_ticket, .text = span_str(cn->address_name) };
	uint8_t buf[PROTO_SMALL_MAX];
	struct wr w = wr_into(buf, sizeof buf);
	struct slip *s;
	enum err e;

	msg_text_put(&w, &m);
	if (!wr_ok(&w) || m.text.len > PROTO_HOST_MAX)
		return ERR_RESOLVE;
	s = desk_put(&b->desk, ROLE_FETCHER, 0, m.ticket);
	if (s == NULL)
		return ERR_NOMEM;
	memcpy(s->connection, cn->name, sizeof s->connection);
	e = link_send(&b->peer[ROLE_FETCHER].link, MSG_RESOLVE, wr_done(&w), -1);
	if (e != OK)
		free(desk_take(&b->desk, ROLE_FETCHER, 0, m.ticket));
	return e;
}

static void perform_resolve(struct bridge *b, const struct conf_connection *cn)
{
	enum err e;

	if (cn->address_name == NULL) {
		act_resolved(b, cn->name, cn->addresses, cn->n_addresses, OK);
		return;
	}
	e = resolve_send(b, cn);
	if (e != OK)
		act_resolved(b, cn->name, NULL, 0, e);
}

/* ---- the monitor ---- */

static void tell_child(struct bridge *b, uint8_t type, const char *connection, const char *child,
		       uint16_t value)
{
	struct msg_child m = { .value = value };
	uint8_t buf[PROTO_SMALL_MAX];
	struct wr w = wr_into(buf, sizeof buf);
	size_t n = strnlen(connection, CONF_NAME_MAX), k = strnlen(child, CONF_NAME_MAX);

	memcpy(m.connection, connection, n);
	memcpy(m.child, child, k);
	msg_child_put(&w, &m);
	process_tell(b->env.process, type, wr_done(&w));
}

/* The engine reckons with a path of 1500 bytes until it is told better. The book asks the routing,
 * so what the book knows holds; the engine learns it by an event, for its views, and then says the
 * same. */
void act_mtu(struct bridge *b, const struct mtu_fact *f)
{
	const struct plane_event e = { .kind = PLANE_MTU,
				       .remote.addr = f->remote,
				       .mtu = f->path };
	const struct ike_event ev = { .kind = IKE_EV_PLANE,
				      .from = f->plane,
				      .ticket = f->ticket,
				      .plane = &e };

	tell_child(b, MSG_MTU, f->connection, f->child, f->inner);
	ike_engine_event(b->ike, &ev, mono_now());
}

static void perform_mtu(struct bridge *b, const char *connection, const char *child, uint16_t mtu)
{
	char names[2][CONF_NAME_MAX + 1] = { 0 };
	struct mtu_fact f;

	memcpy(names[0], connection, strnlen(connection, CONF_NAME_MAX));
	memcpy(names[1], child, strnlen(child, CONF_NAME_MAX));
	if (!mtu_of(b->mtu, names[0], names[1], &f))
		tell_child(b, MSG_MTU, connection, child, mtu);
	else if (f.inner != mtu)
		act_mtu(b, &f);
}

/* ---- notes ---- */

static void perform_note(struct bridge *b, const struct ike_note *note)
{
	struct ike_note n = *note;
	struct mtu_fact f;

	if ((n.kind == IKE_NOTE_CHILD_UP || n.kind == IKE_NOTE_CHILD_REKEYED) &&
	    mtu_of(b->mtu, n.connection, n.child, &f))
		n.mtu = f.inner;
	notes_log(b->notes, &n, mono_now());
	b->env.note(b->env.ctx, &n);
}

void act_perform(struct bridge *b, const struct ike_action *a)
{
	static const uint8_t keepalive = 0xff;

	switch (a->kind) {
	case IKE_ACT_SEND:
		perform_send(b, &a->send.path, a->send.marker, a->send.bytes);
		return;
	case IKE_ACT_KEEPALIVE:
		perform_send(b, &a->send.path, false, span_of(&keepalive, 1));
		return;
	case IKE_ACT_SA:
		perform_sa(b, a->sa);
		return;
	case IKE_ACT_JOB:
		perform_job(b, a->job);
		return;
	case IKE_ACT_RESOLVE:
		perform_resolve(b, a->resolve.connection);
		return;
	case IKE_ACT_ROUTE:
		perform_route(b, a->route);
		return;
	case IKE_ACT_CHILD_MTU:
		perform_mtu(b, a->child.connection, a->child.child, a->child.mtu);
		return;
	case IKE_ACT_GUARD:
		tell_child(b, MSG_GUARD, a->child.connection, a->child.child,
			   a->child.guarded ? 1 : 0);
		return;
	case IKE_ACT_NOTE:
		perform_note(b, a->note);
		return;
	case IKE_ACT_KEEP:
	case IKE_ACT_COMMIT:
		restorer_keep(b->env.restorer, a);
		return;
	}
}
