/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's data plane in the monitor's hands, for only the monitor may speak netlink.
 *
 * Commands come from the engine, each judged by the gatekeeper before anything is done, and are
 * carried out at once: the kernel answers before the call returns. Events go up as they come. SAs
 * outlive their engine: the next one claims those that it knows of, and lets the others go. Without
 * one for a minute all of them go; traps and guards hold their packets then.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/vault.h"
#include "daemon/gatekeeper.h"
#include "daemon/monitor_state.h"
#include "daemon/vault_memory.h"

/* Until what packets asked in vain is forgotten, so that they ask again. */
#define AGAIN_PAUSE	 NS_PER_S
#define EVENTS_TURN	 (5 * NS_PER_MS)
#define EVENTS_PAUSE_MAX NS_PER_S

/* ---- start ---- */

static void log_probed(const struct plane_caps *c)
{
	struct log_line l = log_event(LOG_LEVEL_NOTICE, "plane_probed");

	log_str(&l, "kernel", plane_caps_esp(c) ? "yes" : "no");
	if (c->lacks[0] != '\0')
		log_str(&l, "lacks", c->lacks);
	log_write(&l);
}

static void without_kernel(struct monitor *m, const char *lacks)
{
	kernel_close(m->plane.kernel);
	m->plane.kernel = NULL;
	m->plane.caps = (struct plane_caps){ .v4 = false };
	snprintf(m->plane.caps.lacks, sizeof m->plane.caps.lacks, "%.*s", PLANE_LACKS_MAX - 1,
		 lacks);
}

static void open_kernel(struct monitor *m)
{
	char why[HOST_WHY_MAX] = "";

	if (kernel_open(&m->plane.kernel, why) != OK)
		without_kernel(m, why);
	else if (netlink_open(&m->plane.route, NETLINK_ROUTE) != OK)
		without_kernel(m, "a routing socket");
}

void monitor_kernel_know(struct monitor *m, const struct plane_caps *caps)
{
	open_kernel(m);
	if (m->plane.kernel == NULL)
		return;
	m->plane.caps = *caps;
	kernel_know(m->plane.kernel, caps);
}

void monitor_kernel_probe(struct monitor *m)
{
	open_kernel(m);
	if (m->plane.kernel != NULL)
		kernel_probe(m->plane.kernel, &m->plane.caps);
	/* SAs know the number of a device whether there can be one or not. */
	m->plane.caps.interface = m->plane.caps.interface && warden_interfaces(m->warden);
	log_probed(&m->plane.caps);
}

static char larval_drop_read(void)
{
	int fd = open(KERNEL_LARVAL_DROP, O_RDONLY | O_CLOEXEC);
	char is = '?';

	if (fd >= 0 && pread(fd, &is, 1, 0) != 1)
		is = '?';
	if (fd >= 0)
		close(fd);
	return is;
}

static void warn_hold(struct kernel_plane *p)
{
	int error = p->kernel == NULL ? 0 : kernel_hold_error(p->kernel);
	char why[HOST_WHY_MAX];

	if (error == 0 || larval_drop_read() != '1' || p->warned)
		return;
	snprintf(why, sizeof why,
		 "packets that wake a tunnel up are lost, not held: cannot set "
		 "net.core.xfrm_larval_drop to 0: %.100s",
		 strerror(error));
	monitor_log(LOG_LEVEL_WARNING, "sysctl_failed", why);
	p->warned = true;
}

void monitor_kernel_settled(struct monitor *m)
{
	struct kernel_plane *p = &m->plane;
	struct log_line l;

	warn_hold(p);
	if (p->larval_drop != '1' || larval_drop_read() != '0')
		return;
	p->larval_drop = '0';
	l = log_event(LOG_LEVEL_NOTICE, "sysctl_set");
	log_str(&l, "name", "net.core.xfrm_larval_drop");
	log_str(&l, "value", "0");
	log_str(&l, "why", "a packet that asks for a child waits for it (hold_packets = yes)");
	log_write(&l);
}

void monitor_kernel_prepare(struct monitor *m)
{
	if (m->plane.ours && plane_caps_esp(&m->plane.caps))
		kernel_prepare(m->plane.kernel);
}

/* ---- from one program to another ---- */

enum err monitor_kernel_pass_on(const struct monitor *m, int *book)
{
	struct vault v = { .mem = NULL };
	void *mem = NULL;
	size_t size = 0;
	enum err e;

	*book = -1;
	if (!m->plane.ours)
		return OK;
	e = vault_memory_make(book);
	if (e == OK)
		e = vault_memory_map(*book, &mem, &size);
	if (e == OK)
		e = vault_open(&v, mem, size);
	if (e == OK)
		e = kernel_pass_on(m->plane.kernel, &v);
	vault_close(&v);
	vault_memory_unmap(mem, size);
	if (e != OK && *book >= 0) {
		close(*book);
		*book = -1;
	}
	return e;
}

static enum err go_on(struct monitor *m, int book, char why[static HOST_WHY_MAX])
{
	struct vault v = { .mem = NULL };
	void *mem;
	size_t size;
	enum err e = vault_memory_map(book, &mem, &size);

	if (e != OK)
		return e;
	e = vault_open(&v, mem, size);
	if (e == OK)
		e = kernel_go_on(m->plane.kernel, &v, why);
	vault_close(&v);
	/* Keys are in it, and nobody needs it any more. */
	vault_memory_give_back(span_of(mem, size));
	vault_memory_unmap(mem, size);
	return e;
}

/* What cannot be gone on with goes: engines make it anew. */
static enum err begin_book(struct monitor *m, char why[static HOST_WHY_MAX])
{
	const int book = m->taken != NULL ? m->taken->book : -1;

	kernel_began(m->plane.kernel, mono_now());
	if (book >= 0 && go_on(m, book, why) == OK)
		return OK;
	if (book >= 0)
		monitor_log(LOG_LEVEL_ERROR, "book_dropped", why);
	return kernel_clear(m->plane.kernel, why);
}

enum err monitor_kernel_take(struct monitor *m, char why[static HOST_WHY_MAX])
{
	struct kernel_plane *p = &m->plane;
	enum err e = OK;

	if (p->kernel == NULL)
		return OK;
	p->larval_drop = larval_drop_read();
	e = begin_book(m, why);
	if (e != OK)
		return e;
	p->ours = true;
	warden_kernel(m->warden, p->kernel, &p->caps);
	e = warden_set(m->warden, m->now->conf, why);
	if (e == OK)
		monitor_kernel_settled(m);
	return e;
}

/* ---- events ---- */

static void send_engine(struct monitor *m, uint8_t type, const struct wr *w)
{
	if (wr_ok(w))
		crew_send(m->crew, ROLE_ENGINE, type, wr_done(w), -1);
}

/* The first time, and then every time that the number has doubled: nobody shall fill the log. */
static bool is_told(uint64_t n)
{
	return (n & (n - 1)) == 0;
}

static void log_times(enum log_level level, const char *event, uint64_t n)
{
	struct log_line l;

	if (!is_told(n))
		return;
	l = log_event(level, event);
	log_num(&l, "times", (int64_t)n);
	log_write(&l);
}

/* The end of an SA is told once, and then nobody knows of it any more, so it is never lost; there
 * are no more of them than SAs. Packets ask and peers move as often as they like. Where a peer is
 * will be told again; a question has to be forgotten, or the kernel asks it no more. */
static void on_event(void *ctx, const struct plane_event *ev)
{
	struct monitor *m = ctx;
	uint8_t b[PROTO_SMALL_MAX];
	struct wr w = wr_into(b, sizeof b);

	plane_event_encode(&w, ev);
	if (ev->kind == PLANE_EXPIRE) {
		send_engine(m, MSG_PLANE, &w);
		return;
	}
	if (!wr_ok(&w) || crew_offer(m->crew, ROLE_ENGINE, MSG_PLANE, wr_done(&w)))
		return;
	if (ev->kind == PLANE_SILENT)
		return; /* it is told again */
	log_times(LOG_LEVEL_WARNING, "events_lost", ++m->plane.lost);
	if (ev->kind == PLANE_ACQUIRE && !m->plane.lost_some) {
		m->plane.lost_some = true;
		loop_timer_set(m->loop, &m->plane.again, mono_now() + AGAIN_PAUSE);
	}
}

/* The next event or command, which would put it right, may be long in coming. */
static void retry_in_doubt(struct monitor *m)
{
	if (kernel_doubts(m->plane.kernel))
		monitor_host_retry(m);
}

static void forget(struct monitor *m, const struct conf_connection *cn, const struct conf_child *ch)
{
	struct sa_cmd cmd = { .op = SA_FORGET,
			      .sa = { .plane = PLANE_KERNEL, .reqid = ch->reqid } };
	struct sa_done done = { .err = OK };
	char why[CONF_PLANE_WHY_MAX];

	/* One that fails is forgotten by the kernel itself, some time later. */
	if (conf_child_plane(cn, ch, &m->plane.caps, why) == PLANE_KERNEL)
		kernel_command(m->plane.kernel, &cmd, &done);
}

/* Not while the engine is still behind: it would be asked what it cannot hear. */
static void on_again(void *ctx)
{
	struct monitor *m = ctx;
	const struct conf *c = m->now->conf;

	if (crew_is_behind(m->crew, ROLE_ENGINE)) {
		loop_timer_set(m->loop, &m->plane.again, mono_now() + AGAIN_PAUSE);
		return;
	}
	m->plane.lost_some = false;
	for (size_t i = 0; i < c->n_connections; i++) {
		for (size_t k = 0; k < c->connections[i].n_children; k++)
			forget(m, &c->connections[i], &c->connections[i].children[k]);
	}
}

static void look_later(struct monitor *m)
{
	const mono_ns pause = (mono_ns)kernel_look_pause(m->plane.kernel);

	loop_timer_set(m->loop, &m->plane.look, mono_now() + pause);
}

static void on_look(void *ctx)
{
	struct monitor *m = ctx;

	m->plane.looks = m->plane.kernel != NULL && kernel_count(m->plane.kernel, "").all > 0;
	if (!m->plane.looks)
		return;
	kernel_look(m->plane.kernel, (uint64_t)mono_now(), on_event, m);
	retry_in_doubt(m);
	look_later(m);
}

static void on_resume(void *ctx)
{
	struct monitor *m = ctx;

	if (loop_add(m->loop, &m->plane.watch, EPOLLIN) != OK)
		loop_timer_set(m->loop, &m->plane.resume, mono_now() + EVENTS_PAUSE_MAX);
}

/* Events that overrun make all tables be read and put right; while they go on, that takes all the
 * time there is. So they get a quarter of it: after a long turn nobody looks for thrice as long.
 * More than EVENTS_PAUSE_MAX nobody's packet shall wait to be heard, though: a turn that takes more
 * than a third of that gets a larger part. */
static void on_ready(void *ctx, uint32_t events)
{
	struct monitor *m = ctx;
	mono_ns begin = mono_now(), end;
	mono_ns pause;

	(void)events;
	kernel_events(m->plane.kernel, on_event, m);
	retry_in_doubt(m);
	end = mono_now();
	if (end - begin < EVENTS_TURN)
		return;
	pause = 3 * (end - begin);
	loop_del(m->loop, &m->plane.watch);
	loop_timer_set(m->loop, &m->plane.resume,
		       end + (pause < EVENTS_PAUSE_MAX ? pause : EVENTS_PAUSE_MAX));
}

bool monitor_kernel_again(struct monitor *m)
{
	if (!m->plane.ours || !kernel_doubts(m->plane.kernel))
		return true;
	kernel_events(m->plane.kernel, on_event, m);
	return !kernel_doubts(m->plane.kernel);
}

enum err monitor_kernel_watch(struct monitor *m)
{
	struct kernel_plane *p = &m->plane;

	if (p->kernel == NULL)
		return OK;
	p->watch = (struct loop_watch){ .fd = kernel_fd(p->kernel), .ready = on_ready, .ctx = m };
	p->again = (struct loop_timer){ .fire = on_again, .ctx = m };
	p->look = (struct loop_timer){ .fire = on_look, .ctx = m };
	p->resume = (struct loop_timer){ .fire = on_resume, .ctx = m };
	if (kernel_count(p->kernel, "").all > 0) { /* another program's */
		p->looks = true;
		look_later(m);
	}
	return loop_add(m->loop, &p->watch, EPOLLIN);
}

void monitor_kernel_tell(struct monitor *m)
{
	uint8_t b[PROTO_SMALL_MAX];
	struct wr w = wr_into(b, sizeof b);

	plane_caps_encode(&w, &m->plane.caps);
	send_engine(m, MSG_CAPS, &w);
}

/* ---- commands ---- */

/* By an engine that was taken over, perhaps. */
static void log_denied(struct monitor *m, const struct sa_cmd *cmd, const char *why)
{
	uint64_t n = ++m->plane.denied;
	struct log_line l;

	if (!is_told(n))
		return;
	l = log_event(LOG_LEVEL_ERROR, "sa_denied");
	log_peer(&l, "connection", span_str(cmd->sa.connection));
	log_peer(&l, "child", span_str(cmd->sa.child));
	log_str(&l, "why", why);
	log_num(&l, "times", (int64_t)n);
	log_write(&l);
}

static struct gate_facts facts_of(struct monitor *m, const struct sa_cmd *cmd)
{
	struct gate_facts f = { .local = WHOSE_UNKNOWN };

	if (cmd->op != SA_INSTALL && cmd->op != SA_MOVE)
		return f;
	f.local = whose_ask(&m->plane.route, &cmd->sa.path.local.addr);
	f.remote = whose_ask(&m->plane.route, &cmd->sa.path.remote.addr);
	f.halves = kernel_count(m->plane.kernel, cmd->sa.connection);
	f.now = mono_now();
	return f;
}

static void carry_out(struct monitor *m, const struct sa_cmd *cmd, struct sa_done *done)
{
	struct kernel_plane *p = &m->plane;
	struct gate_facts facts;

	if (!plane_caps_esp(&p->caps)) {
		done->err = ERR_UNSUPPORTED;
		snprintf(done->why, sizeof done->why, "the kernel lacks %s", p->caps.lacks);
		return;
	}
	facts = facts_of(m, cmd);
	done->err = gate_judge(m->now->conf, &p->caps, &facts, cmd, done->why);
	if (done->err != OK) {
		log_denied(m, cmd, done->why);
		return;
	}
	kernel_command(p->kernel, cmd, done);
	if (cmd->op == SA_INSTALL && !p->looks) {
		p->looks = true;
		look_later(m);
	}
	retry_in_doubt(m);
}

enum err monitor_kernel_command(struct monitor *m, struct span body)
{
	struct sa_done done = { .err = ERR_SYSTEM };
	uint8_t b[PROTO_SMALL_MAX];
	struct wr w = wr_into(b, sizeof b);
	struct sa_cmd cmd;
	enum err e = sa_cmd_decode(body, &cmd);

	if (e != OK && e != ERR_NOMEM)
		return e;
	done.err = e; /* no memory of ours is no lie of the engine's */
	if (e == OK)
		carry_out(m, &cmd, &done);
	done.ticket = cmd.ticket;
	done.spi = cmd.sa.spi;
	done.dir = cmd.sa.dir;
	sa_done_encode(&w, &done);
	if (cmd.ticket != 0)
		send_engine(m, MSG_SA_DONE, &w);
	sa_desc_wipe(&cmd.sa);
	return OK;
}

/* ---- ends ---- */

void monitor_kernel_unclaim(struct monitor *m)
{
	if (m->plane.ours)
		kernel_unclaim(m->plane.kernel);
}

void monitor_kernel_flush(struct monitor *m)
{
	if (!m->plane.ours)
		return;
	kernel_flush(m->plane.kernel);
	retry_in_doubt(m);
}

void monitor_kernel_ask_again(struct monitor *m)
{
	if (m->plane.ours)
		loop_timer_set(m->loop, &m->plane.again, mono_now());
}

void monitor_kernel_close(struct monitor *m)
{
	char why[HOST_WHY_MAX];

	/* What stays behind is found by its marks and taken away at the next start. */
	if (m->plane.ours && !m->left && kernel_clear(m->plane.kernel, why) != OK)
		fprintf(stderr, "posternd: %s\n", why);
	kernel_close(m->plane.kernel);
	m->plane.kernel = NULL;
	netlink_close(&m->plane.route);
}
