/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/bridge.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "daemon/bridge_state.h"

enum {
	DRAIN_MAX = 1024,     /* actions per turn, so that sockets and timers get theirs */
	REFRESH_SECONDS = 30, /* the kernel forgets what it learned of a path's MTU after minutes */
};

static const mono_ns esp_patience = 10 * NS_PER_S;

/* ---- in: datagrams ---- */

static void on_datagram(void *ctx, const struct path *p, struct span d)
{
	struct bridge *b = ctx;

	if (b->ike != NULL)
		ike_engine_datagram(b->ike, p, d, mono_now());
}

/* ---- in: answers and events of the other processes ---- */

static enum err on_result(struct bridge_peer *p, struct span body)
{
	struct job_result r;
	struct slip *s;
	const struct ike_event ev = { .kind = IKE_EV_JOB, .job = &r };

	if (job_result_decode(body, &r) != OK)
		return ERR_SYNTAX;
	s = desk_take(&p->bridge->desk, p->role, r.kind, r.ticket);
	if (s == NULL)
		return ERR_SYNTAX; /* nobody asked this process for that */
	free(s);
	ike_engine_event(p->bridge->ike, &ev, mono_now());
	return OK;
}

/* Whose word it is: esp works the one plane, the monitor the other. */
static enum sa_plane role_plane(enum role r)
{
	return r == ROLE_MONITOR ? PLANE_KERNEL : PLANE_USER;
}

static void on_computed(void *ctx, const struct job_result *r)
{
	struct bridge *b = ctx;
	const struct ike_event ev = { .kind = IKE_EV_JOB, .job = r };

	ike_engine_event(b->ike, &ev, mono_now());
}

static enum err on_names(struct bridge_peer *p, struct span body)
{
	struct msg_resolved m = { 0 };
	struct slip *s;

	if (msg_resolved_get(body, &m) != OK)
		return ERR_SYNTAX;
	s = desk_take(&p->bridge->desk, p->role, 0, m.ticket);
	if (s == NULL)
		return ERR_SYNTAX;
	act_resolved(p->bridge, s->connection, m.addr, m.n, m.err);
	free(s);
	return OK;
}

static enum err on_done(struct bridge_peer *p, struct span body)
{
	struct sa_done done;
	struct slip *s;
	bool fits;
	const struct ike_event ev = { .kind = IKE_EV_SA, .sa = &done };

	if (sa_done_decode(body, &done) != OK)
		return ERR_SYNTAX;
	s = desk_take(&p->bridge->desk, p->role, 0, done.ticket);
	if (s == NULL)
		return ERR_SYNTAX;
	fits = s->spi == done.spi && s->dir == done.dir;
	if (!fits)
		act_sa_failed(p->bridge, s->ticket, s->spi, s->dir, ERR_SYSTEM);
	free(s);
	if (!fits)
		return ERR_SYNTAX;
	ike_engine_event(p->bridge->ike, &ev, mono_now());
	return OK;
}

/* What a process says counts for children of its own plane alone: the engine looks. */
static enum err on_plane(struct bridge_peer *p, struct span body)
{
	struct bridge *b = p->bridge;
	struct plane_event e;
	const struct ike_event ev = { .kind = IKE_EV_PLANE,
				      .from = role_plane(p->role),
				      .plane = &e };

	if (plane_event_decode(body, &e) != OK)
		return ERR_SYNTAX;
	if (e.kind == PLANE_MTU)
		mtu_path(b->mtu, ev.from, &e.remote.addr, e.mtu);
	ike_engine_event(b->ike, &ev, mono_now());
	return OK;
}

static enum err on_esp_datagram(struct bridge_peer *p, struct span body)
{
	struct msg_datagram m;

	if (msg_datagram_get(body, &m) != OK)
		return ERR_SYNTAX;
	if (p->bridge->full)
		return OK; /* lost, as on its way: it comes again */
	ike_engine_datagram(p->bridge->ike, &m.path, m.bytes, mono_now());
	return OK;
}

static enum err on_msg(void *ctx, const struct chan_msg *m)
{
	struct bridge_peer *p = ctx;

	/* Before the first configuration nothing was asked; only a packet may have come early. */
	if (p->bridge->ike == NULL)
		return OK;
	switch (m->type) {
	case MSG_RESULT:
		return on_result(p, m->body);
	case MSG_RESOLVED:
		return on_names(p, m->body);
	case MSG_SA_DONE:
		return on_done(p, m->body);
	case MSG_PLANE:
		return on_plane(p, m->body);
	case MSG_DATAGRAM:
		return on_esp_datagram(p, m->body);
	default:
		return ERR_SYNTAX;
	}
}

/* ---- a process is gone ---- */

static void fail_slip(struct bridge *b, const struct slip *s)
{
	if (s->role == ROLE_ESP || s->role == ROLE_MONITOR)
		act_sa_failed(b, s->ticket, s->spi, s->dir, ERR_SYSTEM);
	else if (s->role == ROLE_FETCHER)
		act_resolved(b, s->connection, NULL, 0, ERR_SYSTEM);
	else
		act_job_failed(b, s->ticket, s->kind, ERR_SYSTEM);
}

static void fail_all(struct bridge *b, enum role r)
{
	struct slip *s;

	while ((s = desk_take_any(&b->desk, r)) != NULL) {
		fail_slip(b, s);
		free(s);
	}
}

static void tell_plane(struct bridge *b, enum plane_event_kind kind)
{
	const struct plane_event e = { .kind = kind };
	const struct ike_event ev = { .kind = IKE_EV_PLANE, .from = PLANE_USER, .plane = &e };

	if (b->ike != NULL)
		ike_engine_event(b->ike, &ev, mono_now());
}

/* The next one goes on with its SAs, if it comes. */
static void esp_lost(struct bridge *b)
{
	b->esp_away = true;
	loop_timer_set(b->loop, &b->esp_patience, mono_now() + b->env.esp_patience);
}

/* The SAs that it held are gone with it, and the engine makes new ones. */
static void esp_gone(struct bridge *b)
{
	b->esp_away = false;
	loop_timer_set(b->loop, &b->esp_patience, NEVER);
	fail_all(b, ROLE_ESP);
	mtu_clear(b->mtu, PLANE_USER);
	tell_plane(b, PLANE_GONE);
}

static void on_esp_patience(void *ctx)
{
	esp_gone(ctx);
}

/* The engine asks anew what it still wants to know, by other tickets, so what fails then is what
 * nobody asks for any more. */
static void esp_back(struct bridge *b)
{
	b->esp_away = false;
	loop_timer_set(b->loop, &b->esp_patience, NEVER);
	tell_plane(b, PLANE_BACK);
	fail_all(b, ROLE_ESP);
}

static void peer_lost(struct bridge *b, enum role r)
{
	if (r == ROLE_ESP)
		esp_lost(b);
	else
		fail_all(b, r);
}

static void on_gone(void *ctx, enum err why)
{
	struct bridge_peer *p = ctx;

	if (why != ERR_NOT_FOUND)
		process_accuse(p->bridge->env.process, p->role);
	/* Nobody goes on with what was in the hands of a liar. */
	if (why != ERR_NOT_FOUND && p->role == ROLE_ESP)
		esp_gone(p->bridge);
	else
		peer_lost(p->bridge, p->role);
}

/* ---- timers ---- */

static void on_tick(void *ctx)
{
	struct bridge *b = ctx;

	ike_engine_tick(b->ike, mono_now());
}

static void on_refresh(void *ctx)
{
	struct bridge *b = ctx;

	mtu_refresh(b->mtu);
	notes_tick(b->notes, mono_now());
	loop_timer_set(b->loop, &b->refresh, mono_now() + REFRESH_SECONDS * NS_PER_S);
}

/* One that is away is asked nothing. */
static bool plane_is_full(struct bridge *b)
{
	const mono_ns now = mono_now();
	const bool esp =
		!b->esp_away && pace_holds(&b->pace[ROLE_ESP], desk_count(&b->desk, ROLE_ESP),
					   link_queued(&b->peer[ROLE_ESP].link), now);

	return pace_holds(&b->pace[ROLE_MONITOR], desk_count(&b->desk, ROLE_MONITOR),
			  process_queued(b->env.process), now) ||
	       esp;
}

void bridge_drain(struct bridge *b)
{
	struct ike_action a;
	mono_ns at;
	int n = 0;

	if (b->ike == NULL)
		return;
	b->full = plane_is_full(b);
	while (n < DRAIN_MAX && !b->full && ike_engine_next(b->ike, &a)) {
		act_perform(b, &a);
		b->full = plane_is_full(b);
		n++;
	}
	udp_hold(b->udp, b->full);
	/* More is queued: at once again, behind whatever else has come. */
	at = n == DRAIN_MAX && !b->full ? mono_now() : ike_engine_deadline(b->ike);
	if (b->full && at > mono_now() + PACE_PATIENCE)
		at = mono_now() + PACE_PATIENCE;
	loop_timer_set(b->loop, &b->tick, at);
}

void bridge_drain_all(struct bridge *b)
{
	struct ike_action a;

	while (b->ike != NULL && ike_engine_next(b->ike, &a))
		act_perform(b, &a);
}

/* ---- life ---- */

static void on_mtu(void *ctx, const struct mtu_fact *f)
{
	act_mtu(ctx, f);
}

static void peers_init(struct bridge *b)
{
	for (unsigned int r = 0; r < N_ROLES; r++) {
		struct bridge_peer *p = &b->peer[r];

		p->bridge = b;
		p->role = (enum role)r;
		p->waits = -1;
		p->link = (struct link){ .loop = b->loop,
					 .on_msg = on_msg,
					 .on_gone = on_gone,
					 .ctx = p };
	}
}

enum err bridge_new(const struct bridge_env *env, struct bridge **out)
{
	struct bridge *b = calloc(1, sizeof *b);
	enum err e = OK;

	*out = b;
	if (b == NULL)
		return ERR_NOMEM;
	b->env = *env;
	if (b->env.esp_patience == 0)
		b->env.esp_patience = esp_patience;
	b->loop = process_loop(env->process);
	b->route = (struct route){ .fd = { -1, -1 } };
	b->tick = (struct loop_timer){ .fire = on_tick, .ctx = b };
	b->refresh = (struct loop_timer){ .fire = on_refresh, .ctx = b };
	b->esp_patience = (struct loop_timer){ .fire = on_esp_patience, .ctx = b };
	peers_init(b);
	b->scratch = malloc(SCRATCH_SIZE);
	if (b->scratch == NULL)
		e = ERR_NOMEM;
	if (e == OK)
		e = desk_init(&b->desk);
	if (e == OK)
		e = udp_new(b->loop, on_datagram, b, &b->udp);
	if (e == OK)
		e = kework_new(b->loop, on_computed, b, &b->kework);
	if (e == OK)
		e = mtu_new(&b->route, on_mtu, b, &b->mtu);
	if (e == OK)
		e = notes_new(&b->notes);
	if (e != OK) {
		bridge_free(b);
		*out = NULL;
		return e;
	}
	on_refresh(b);
	return OK;
}

enum err bridge_kernel(struct bridge *b, const struct chan_msg *m)
{
	return on_msg(&b->peer[ROLE_MONITOR], m);
}

bool bridge_waits_for(const struct bridge *b, enum role r)
{
	return desk_count(&b->desk, r) > 0;
}

void bridge_free(struct bridge *b)
{
	if (b == NULL)
		return;
	for (unsigned int r = 0; r < N_ROLES; r++) {
		link_close(&b->peer[r].link);
		if (b->peer[r].waits >= 0)
			close(b->peer[r].waits);
	}
	kework_free(b->kework);
	udp_free(b->udp);
	mtu_free(b->mtu);
	notes_free(b->notes);
	desk_free(&b->desk);
	for (int v = 0; v < 2; v++) {
		if (b->route.fd[v] >= 0)
			close(b->route.fd[v]);
	}
	free(b->scratch);
	free(b);
}

void bridge_set(struct bridge *b, struct ike_engine *e, const struct conf *c)
{
	b->ike = e;
	b->conf = c;
}

enum err bridge_socket(struct bridge *b, const struct msg_socket *m, int fd)
{
	int v = m->kind == SOCK_PROBE6;

	if (m->kind != SOCK_PROBE4 && m->kind != SOCK_PROBE6)
		return udp_add(b->udp, m->kind, m->index, fd);
	if (b->route.fd[v] >= 0) {
		close(fd);
		return ERR_EXISTS;
	}
	b->route.fd[v] = fd;
	return OK;
}

static enum err listen_to(struct bridge_peer *p, int fd)
{
	return link_open(&p->link, fd, proto_to_engine(p->role), proto_from_engine(p->role));
}

static enum err listen_again(struct bridge_peer *p, int fd)
{
	enum err e = listen_to(p, fd);

	if (e == OK && p->role == ROLE_ESP)
		esp_back(p->bridge);
	return e;
}

enum err bridge_peer(struct bridge *b, enum role r, int fd)
{
	struct bridge_peer *p = &b->peer[r];

	if (!role_row(r)->serves_engine) {
		close(fd);
		return ERR_SYNTAX;
	}
	if (link_is_open(&p->link)) {
		link_close(&p->link);
		peer_lost(b, r);
	}
	if (b->begun)
		return listen_again(p, fd);
	if (p->waits >= 0)
		close(p->waits);
	p->waits = fd;
	return OK;
}

enum err bridge_begin(struct bridge *b)
{
	enum err e = OK;

	if (b->begun)
		return OK;
	b->begun = true;
	for (unsigned int r = 0; r < N_ROLES && e == OK; r++) {
		struct bridge_peer *p = &b->peer[r];
		int fd = p->waits;

		p->waits = -1;
		if (fd >= 0)
			e = listen_to(p, fd);
		else if (r == ROLE_ESP)
			esp_lost(b);
	}
	return e == OK ? udp_begin(b->udp) : e;
}
