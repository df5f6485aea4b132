/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor gives to the other processes, and what it takes from them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "daemon/monitor_state.h"
#include "daemon/vault_memory.h"

/* ---- to a process that was just started ---- */

static void send_socket(struct monitor *m, enum role r, enum sock_kind kind, unsigned int index,
			int fd)
{
	const struct msg_socket s = { .kind = kind, .index = (uint8_t)index };
	uint8_t b[8];
	struct wr w = wr_into(b, sizeof b);

	msg_socket_put(&w, &s);
	if (fd >= 0)
		crew_send(m->crew, r, MSG_SOCKET, wr_done(&w), fd);
}

/* One that dies of what it finds in it, again and again, shall find nothing. */
#define DIES_OF_IT NS_PER_S
enum { DEATHS_OF_IT = 3 };

static void log_kept(enum log_level level, const char *event, enum role r, const char *why)
{
	struct log_line l = log_event(level, event);

	log_str(&l, "process", role_row(r)->name);
	log_str(&l, "why", why);
	log_write(&l);
}

static void drop_kept(struct monitor *m, enum role r, const char *why)
{
	struct kept *k = &m->kept[r];

	if (k->fd < 0)
		return;
	close(k->fd);
	k->fd = -1;
	k->deaths = 0;
	log_kept(LOG_LEVEL_ERROR, "vault_dropped", r, why);
}

static void send_kept(struct monitor *m, enum role r)
{
	struct kept *k = &m->kept[r];

	if (k->deaths >= DEATHS_OF_IT)
		drop_kept(m, r, "it dies of it");
	if (k->fd < 0 && vault_memory_make(&k->fd) != OK)
		log_kept(LOG_LEVEL_WARNING, "vault_failed", r, strerror(errno));
	k->settled = 0;
	send_socket(m, r, SOCK_VAULT, 0, k->fd);
}

/* Who was asked to end, for another program or a restart that may fail in the end, has not died of
 * it. */
static void kept_ended(struct monitor *m, enum role r)
{
	struct kept *k = &m->kept[r];

	if (m->leaving)
		return;
	k->deaths = k->settled == 0 || mono_now() - k->settled < DIES_OF_IT ? k->deaths + 1 : 0;
}

/* Nobody renews its SAs, nor ends them in time. */
static void on_patience(void *ctx)
{
	struct monitor *m = ctx;

	monitor_log(LOG_LEVEL_ERROR, "engine_missing", "its SAs in the kernel go");
	monitor_kernel_flush(m);
}

void monitor_await_engine(struct monitor *m)
{
	m->patience.fire = on_patience;
	m->patience.ctx = m;
	/* From the first death on, whatever comes and dies meanwhile. */
	if (!m->patience.node.set)
		loop_timer_set(m->loop, &m->patience, mono_now() + ENGINE_PATIENCE);
}

static void engine_ended(struct monitor *m)
{
	char why[HOST_WHY_MAX] = "";

	monitor_kernel_unclaim(m);
	monitor_await_engine(m);
	if (warden_guard_all(m->warden, why) == OK)
		return;
	monitor_log(LOG_LEVEL_ERROR, "guard_failed", why);
	monitor_host_retry(m);
}

static void equip_engine(struct monitor *m)
{
	const struct sockets *s = &m->sockets;

	for (unsigned int i = 0; i < N_IKE_QUEUES; i++) {
		send_socket(m, ROLE_ENGINE, SOCK_IKE4, i, s->ike[0][i]);
		send_socket(m, ROLE_ENGINE, SOCK_IKE6, i, s->ike[1][i]);
		send_socket(m, ROLE_ENGINE, SOCK_NAT4, i, s->nat[0][i]);
		send_socket(m, ROLE_ENGINE, SOCK_NAT6, i, s->nat[1][i]);
	}
	send_socket(m, ROLE_ENGINE, SOCK_PROBE4, 0, s->probe[0]);
	send_socket(m, ROLE_ENGINE, SOCK_PROBE6, 0, s->probe[1]);
	send_socket(m, ROLE_ENGINE, SOCK_CONTROL, 0, m->control);
	send_kept(m, ROLE_ENGINE);
}

static void send_device(void *ctx, uint32_t if_id, unsigned int index, int fd)
{
	const struct msg_socket s = { .kind = SOCK_DEVICE,
				      .index = (uint8_t)index,
				      .device = if_id };
	struct monitor *m = ctx;
	uint8_t b[8];
	struct wr w = wr_into(b, sizeof b);

	msg_socket_put(&w, &s);
	crew_send(m->crew, ROLE_ESP, MSG_SOCKET, wr_done(&w), fd);
}

void monitor_send_devices(struct monitor *m)
{
	own_tuns_hand_over(warden_devices(m->warden), send_device, m);
}

static void equip_esp(struct monitor *m)
{
	const struct sockets *s = &m->sockets;

	for (unsigned int i = 0; i < s->n_workers; i++) {
		send_socket(m, ROLE_ESP, SOCK_TUN, i, m->tun[i]);
		send_socket(m, ROLE_ESP, SOCK_NAT4, i, s->worker[0][i]);
		send_socket(m, ROLE_ESP, SOCK_NAT6, i, s->worker[1][i]);
	}
	send_socket(m, ROLE_ESP, SOCK_RAW4, 0, s->raw[0]);
	send_socket(m, ROLE_ESP, SOCK_RAW6, 0, s->raw[1]);
	send_kept(m, ROLE_ESP);
	own_tuns_again(warden_devices(m->warden));
	monitor_send_devices(m);
}

void monitor_send_config(struct monitor *m, enum role r, const struct loaded *l,
			 uint64_t generation)
{
	const struct msg_config k = { .generation = generation,
				      .workers = (uint8_t)m->sockets.n_workers };
	uint8_t b[16];
	struct wr w = wr_into(b, sizeof b);

	msg_config_put(&w, &k);
	crew_send(m->crew, r, MSG_CONFIG, wr_done(&w), l->bundle[r]);
}

void monitor_send_number(struct monitor *m, enum role r, uint8_t type, uint64_t number)
{
	uint8_t b[8];
	struct wr w = wr_into(b, sizeof b);

	msg_number_put(&w, number);
	crew_send(m->crew, r, type, wr_done(&w), -1);
}

/* Somebody waits for it without a clock: nothing here may fail for want of memory. */
void monitor_send_reloaded(struct monitor *m, uint64_t ticket, enum err e, const char *text)
{
	const struct msg_text t = { .ticket = ticket, .err = e, .text = span_str(text) };
	uint8_t b[PROTO_TEXT_MAX + PROTO_SMALL_MAX];
	struct wr w = wr_into(b, sizeof b);

	msg_text_put(&w, &t);
	crew_send(m->crew, ROLE_ENGINE, MSG_RELOADED, wr_done(&w), -1);
}

void monitor_equip(void *ctx, enum role r)
{
	struct monitor *m = ctx;

	if (r == ROLE_ENGINE) {
		equip_engine(m);
		monitor_kernel_tell(m);
		monitor_net_tell(m);
		upgrade_tell(m);
	}
	if (r == ROLE_ESP)
		equip_esp(m);
	monitor_send_config(m, r, m->now, m->generation);
}

/* It has committed its configuration, and gone through what the one before it has kept. */
void monitor_settled(void *ctx, enum role r)
{
	struct monitor *m = ctx;

	m->kept[r].settled = mono_now();
	if (r == ROLE_ENGINE)
		loop_timer_set(m->loop, &m->patience, NEVER);
}

/* ---- a process ended ---- */

void monitor_ended(void *ctx, enum role r)
{
	struct monitor *m = ctx;

	m->ready[r] = 0;
	if (m->reload.next != NULL)
		reload_failed(
			m, ERR_BUSY,
			"a process ended while the new configuration was handed out: try again");
	kept_ended(m, r);
	/* Who was taken over may have written what it likes, SAs of its own among it. */
	if (crew_has_lied(m->crew, r))
		drop_kept(m, r, "it was killed for what it said");
	if (r == ROLE_ENGINE)
		engine_ended(m);
}

/* ---- messages ---- */

static bool all_ready(const struct monitor *m)
{
	for (unsigned int r = ROLE_MONITOR + 1; r < N_ROLES; r++) {
		if (m->ready[r] != m->generation)
			return false;
	}
	return true;
}

/* READY before the file is read: until then, and while it reloads, systemd does not ask us about a
 * restart (ExecStop=), and every tunnel would go by it. */
static void now_up(struct monitor *m)
{
	m->up = true;
	monitor_log(LOG_LEVEL_NOTICE, "started", NULL);
	notify_send(&m->notify, "READY=1\nSTATUS=running");
	monitor_kernel_prepare(m);
	if (m->reread && !m->stop_wanted)
		reload_silently(m);
	m->reread = false;
}

static enum err on_ready(struct monitor *m, enum role r, struct span body)
{
	uint64_t generation;

	if (msg_number_get(body, &generation) != OK)
		return ERR_SYNTAX;
	if (m->reload.next != NULL && generation == m->reload.generation) {
		m->ready[r] = generation;
		reload_ready(m);
		return OK;
	}
	if (generation != m->generation)
		return OK; /* of a reload that was given up */
	/* What asked for a child before there was an engine to hear it: the kernel shall ask
	 * again. */
	if (r == ROLE_ENGINE && m->ready[r] == 0)
		monitor_kernel_ask_again(m);
	m->ready[r] = generation;
	monitor_send_number(m, r, MSG_COMMIT, generation);
	crew_settle(m->crew, r);
	if (!all_ready(m))
		return OK;
	if (!m->up)
		now_up(m);
	if (m->stop_wanted && !m->leaving)
		monitor_stop(m);
	return OK;
}

/* At the start a refusal is a wrong configuration, found by the process that looked closest; in a
 * reload it ends the reload; a process that was restarted tries again, as does one behind a
 * take-over, for that configuration has run. */
static enum err on_refused(struct monitor *m, enum role r, struct span body)
{
	char said[ESCAPE_TEXT_MAX], why[ESCAPE_TEXT_MAX + 32];
	struct msg_text t;

	if (msg_text_get(body, &t) != OK)
		return ERR_SYNTAX;
	snprintf(why, sizeof why, "%s: %s", role_row(r)->name,
		 escape_peer(t.text, said, sizeof said));
	if (m->reload.next != NULL && t.ticket == m->reload.generation) {
		reload_failed(m, ERR_CONFIG, why);
	} else if (!m->up && !m->follows) {
		fprintf(stderr, "error: %s\n" MONITOR_GUARDED, why);
		loop_stop(m->loop, EXIT_CONFIG);
	} else {
		crew_kill(m->crew, r, why);
	}
	return OK;
}

static enum err on_accuse(struct monitor *m, enum role by, struct span body)
{
	char why[64];
	enum role r;

	if (msg_role_get(body, &r) != OK || !role_meets(by, r))
		return ERR_SYNTAX;
	snprintf(why, sizeof why, "sent rubbish to %s", role_row(by)->name);
	crew_distrust(m->crew, r, why);
	return OK;
}

/* Only about children of the configuration, and only what the configuration allows of them. A
 * request about one that a reload has just taken away is late, not a lie; so it has no effect and
 * no penalty. */
static enum err on_child(struct monitor *m, uint8_t type, struct span body)
{
	char why[HOST_WHY_MAX];
	struct msg_child c;
	enum err e;

	if (msg_child_get(body, &c) != OK)
		return ERR_SYNTAX;
	e = type == MSG_GUARD ? warden_guard(m->warden, &c, why) : warden_mtu(m->warden, &c, why);
	if (type == MSG_MTU)
		monitor_mtu_changed(m);
	if (e != OK) {
		struct log_line l = log_event(LOG_LEVEL_WARNING,
					      type == MSG_GUARD ? "guard_failed" : "mtu_failed");

		log_peer(&l, "connection", span_str(c.connection));
		log_peer(&l, "child", span_str(c.child));
		log_err(&l, e);
		if (why[0] != '\0')
			log_str(&l, "why", why);
		log_write(&l);
		/* The host's words: it was not the request. */
		if (why[0] != '\0')
			monitor_host_retry(m);
	}
	return OK;
}

static enum err on_restart_request(struct monitor *m, struct span body)
{
	struct msg_restart asked;

	if (msg_restart_get(body, &asked) != OK)
		return ERR_SYNTAX;
	restart_begin(m, &asked);
	return OK;
}

static enum err on_reload_request(struct monitor *m, uint8_t type, struct span body)
{
	uint64_t ticket;

	if (msg_number_get(body, &ticket) != OK || ticket == 0)
		return ERR_SYNTAX;
	if (type == MSG_UPGRADE)
		upgrade_begin(m, ticket);
	else
		reload_begin(m, ticket);
	return OK;
}

/* One line of printable text: it is shown by systemctl. */
static enum err on_status(struct monitor *m, struct span body)
{
	for (size_t i = 0; i < body.len; i++) {
		if (body.p[i] < 0x20 || body.p[i] > 0x7e)
			return ERR_SYNTAX;
	}
	notify_status(&m->notify, body);
	return OK;
}

enum err monitor_message(void *ctx, enum role r, const struct chan_msg *msg)
{
	struct monitor *m = ctx;

	switch (msg->type) {
	case MSG_READY:
		return on_ready(m, r, msg->body);
	case MSG_REFUSED:
		return on_refused(m, r, msg->body);
	case MSG_ACCUSE:
		return on_accuse(m, r, msg->body);
	case MSG_GUARD:
	case MSG_MTU:
		return on_child(m, msg->type, msg->body);
	case MSG_RELOAD:
	case MSG_UPGRADE:
		return on_reload_request(m, msg->type, msg->body);
	case MSG_RESTART:
		return on_restart_request(m, msg->body);
	case MSG_STATUS:
		return on_status(m, msg->body);
	case MSG_SA:
		return monitor_kernel_command(m, msg->body);
	default:
		return ERR_SYNTAX;
	}
}
