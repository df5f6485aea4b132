/* SPDX-License-Identifier: Apache-2.0 */
/* The esp process: the workers of userspace ESP in threads, and this thread for the engine's
 * commands.
 *
 * SAs outlive their engine: the one that follows claims those that it knows of, and lets the others
 * go. And they outlive this process, by memory that the monitor holds (esp/ledger.h): the process
 * that follows goes on with them, by the same sockets and TUN queues. What workers have to say goes
 * up the same channel from their own threads. It is sent or dropped, never waited for: a worker
 * that waits loses packets.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "daemon/answer.h"
#include "daemon/host_conf.h"
#include "daemon/process.h"
#include "daemon/processes.h"
#include "daemon/vault_memory.h"
#include "esp/esp.h"

enum { UP_MAX = 70000 }; /* a whole datagram and its path */

/* A child's TUN whose queues are still coming. */
struct coming {
	struct coming *next;
	uint32_t if_id;
	unsigned int n;
	int fd[ESP_WORKERS_MAX];
};

struct esp_process {
	struct process *process;
	struct link engine;
	struct loop_timer patience; /* without an engine for so long its SAs go */
	bool commanded;		    /* by the engine that there is */
	/* A duplicate of the channel for the workers, which only send; NULL without an engine. The
	 * lock is for its coming and going. */
	pthread_mutex_t up_lock;
	struct chan *up;
	struct esp_env env;
	struct esp_memory memory;
	struct esp *esp;
	struct coming *coming;
	int waiting_fd; /* the engine's channel, when it came before the workers run; -1: none */
	atomic_uint_fast64_t up_dropped;
};

/* ---- up, from the workers' threads ---- */

static void up_send(struct esp_process *p, uint8_t type, struct span body)
{
	enum err e = ERR_NOT_FOUND;

	pthread_mutex_lock(&p->up_lock);
	if (p->up != NULL)
		e = chan_send_now(p->up, type, body, -1);
	pthread_mutex_unlock(&p->up_lock);
	if (e != OK)
		atomic_fetch_add(&p->up_dropped, 1);
}

static void up_datagram(void *ctx, const struct path *path, struct span d)
{
	const struct msg_datagram m = { .path = *path, .bytes = d };
	uint8_t buf[UP_MAX];
	struct wr w = wr_into(buf, sizeof buf);

	msg_datagram_put(&w, &m);
	if (wr_ok(&w))
		up_send(ctx, MSG_DATAGRAM, wr_done(&w));
}

static void up_event(void *ctx, const struct plane_event *ev)
{
	uint8_t buf[PROTO_SMALL_MAX];
	struct wr w = wr_into(buf, sizeof buf);

	plane_event_encode(&w, ev);
	if (wr_ok(&w))
		up_send(ctx, MSG_PLANE, wr_done(&w));
}

static void up_close(struct esp_process *p)
{
	pthread_mutex_lock(&p->up_lock);
	chan_free(p->up);
	p->up = NULL;
	pthread_mutex_unlock(&p->up_lock);
}

static enum err up_open(struct esp_process *p)
{
	int fd = fcntl(chan_fd(p->engine.chan), F_DUPFD_CLOEXEC, 0);
	struct chan *c = NULL;
	enum err e =
		fd >= 0 ? chan_new(fd, proto_from_engine(ROLE_ESP), proto_to_engine(ROLE_ESP), &c)
			: ERR_SYSTEM;

	pthread_mutex_lock(&p->up_lock);
	p->up = c;
	pthread_mutex_unlock(&p->up_lock);
	return e;
}

/* ---- commands of the engine ---- */

static void send_done(struct esp_process *p, const struct sa_done *done)
{
	uint8_t buf[PROTO_SMALL_MAX];
	struct wr w = wr_into(buf, sizeof buf);

	sa_done_encode(&w, done);
	answer_send(p->process, &p->engine, MSG_SA_DONE, wr_done(&w));
}

/* It has gone through all that the one before it had kept; who dies before that was none. */
static void engine_lives(struct esp_process *p, enum sa_op op)
{
	p->commanded = true;
	if (op == SA_SWEEP)
		loop_timer_set(process_loop(p->process), &p->patience, NEVER);
}

/* No room for an answer and no memory for a command are nobody's lie. */
static enum err on_command(void *ctx, const struct chan_msg *m)
{
	struct esp_process *p = ctx;
	struct sa_cmd cmd;
	enum err e = sa_cmd_decode(m->body, &cmd);
	struct sa_done done = { .ticket = cmd.ticket,
				.err = e,
				.spi = cmd.sa.spi,
				.dir = cmd.sa.dir };

	chan_wipe(p->engine.chan);
	if (e != OK && e != ERR_NOMEM)
		return e;
	if (e == OK)
		esp_command(p->esp, &cmd, &done);
	engine_lives(p, cmd.op);
	sa_desc_wipe(&cmd.sa);
	if (cmd.ticket != 0)
		send_done(p, &done);
	return OK;
}

static void engine_lost(struct esp_process *p)
{
	p->commanded = false;
	if (!p->patience.node.set)
		loop_timer_set(process_loop(p->process), &p->patience,
			       mono_now() + ENGINE_PATIENCE);
}

static void on_engine_gone(void *ctx, enum err why)
{
	struct esp_process *p = ctx;

	up_close(p);
	engine_lost(p);
	if (why != ERR_NOT_FOUND)
		process_accuse(p->process, ROLE_ENGINE);
}

static void on_patience(void *ctx)
{
	struct esp_process *p = ctx;

	/* Without a sweep, too: not all could be claimed (daemon/bridge_act.c). */
	if (!link_is_open(&p->engine) || !p->commanded)
		esp_flush(p->esp);
}

static enum err engine_open(struct esp_process *p, int fd)
{
	enum err e;

	if (link_is_open(&p->engine))
		engine_lost(p);
	up_close(p);
	link_close(&p->engine);
	esp_unclaim(p->esp);
	e = link_open(&p->engine, fd, proto_from_engine(ROLE_ESP), proto_to_engine(ROLE_ESP));
	return e == OK ? up_open(p) : e;
}

/* Commands that come before the workers run wait in the channel. */
static enum err esp_peer(void *ctx, enum role r, int fd)
{
	struct esp_process *p = ctx;

	if (r != ROLE_ENGINE) {
		close(fd);
		return ERR_SYNTAX;
	}
	if (p->esp != NULL)
		return engine_open(p, fd);
	if (p->waiting_fd >= 0)
		close(p->waiting_fd);
	p->waiting_fd = fd;
	return OK;
}

/* ---- start ---- */

static int *socket_place(struct esp_env *env, const struct msg_socket *m)
{
	if (m->index >= ESP_WORKERS_MAX)
		return NULL;
	if (m->kind == SOCK_TUN)
		return &env->tun_fd[m->index];
	if (m->kind == SOCK_NAT4)
		return &env->udp4_fd[m->index];
	if (m->kind == SOCK_NAT6)
		return &env->udp6_fd[m->index];
	if (m->kind == SOCK_RAW4)
		return &env->raw4_fd;
	return m->kind == SOCK_RAW6 ? &env->raw6_fd : NULL;
}

static struct coming *coming_of(struct esp_process *p, uint32_t if_id)
{
	struct coming *c = p->coming;

	while (c != NULL && c->if_id != if_id)
		c = c->next;
	if (c != NULL)
		return c;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	c->if_id = if_id;
	c->next = p->coming;
	p->coming = c;
	return c;
}

static void coming_free(struct esp_process *p)
{
	while (p->coming != NULL) {
		struct coming *c = p->coming;

		p->coming = c->next;
		for (unsigned int i = 0; i < c->n; i++)
			close(c->fd[i]);
		free(c);
	}
}

/* One device less is no reason to end those that there are: what is routed into it is dropped. */
static void device_start(struct esp_process *p, const struct coming *c)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	struct log_line l;
	enum err e;

	if (ioctl(c->fd[0], TUNGETIFF, &ifr) != 0)
		ifr.ifr_name[0] = '\0';
	e = esp_device(p->esp, c->if_id, c->fd);
	if (e == OK)
		return;
	l = log_event(LOG_LEVEL_ERROR, "device_failed");
	log_str(&l, "interface", ifr.ifr_name);
	log_err(&l, e);
	log_write(&l);
}

/* Whole devices go to the workers, once these run. */
static void devices_start(struct esp_process *p)
{
	struct coming **at = &p->coming;

	while (p->esp != NULL && *at != NULL) {
		struct coming *c = *at;

		if (c->n < p->env.n_workers) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		device_start(p, c);
		free(c);
	}
}

/* The queues come in their order, and all of them. */
static enum err device_socket(struct esp_process *p, const struct msg_socket *m, int fd)
{
	struct coming *c = m->device != 0 ? coming_of(p, m->device) : NULL;

	if (c == NULL || m->index != c->n || c->n == ESP_WORKERS_MAX) {
		close(fd);
		return ERR_SYNTAX;
	}
	c->fd[c->n++] = fd;
	devices_start(p);
	return OK;
}

static enum err take_memory(struct esp_process *p, int fd)
{
	enum err e = p->memory.p == NULL && p->esp == NULL ? OK : ERR_SYNTAX;

	if (e == OK)
		e = vault_memory_map(fd, &p->memory.p, &p->memory.size);
	close(fd);
	return e;
}

static enum err esp_socket(void *ctx, const struct msg_socket *m, int fd)
{
	struct esp_process *p = ctx;
	int *place = socket_place(&p->env, m);

	if (m->kind == SOCK_VAULT)
		return take_memory(p, fd);
	if (m->kind == SOCK_DEVICE)
		return device_socket(p, m, fd);
	if (place == NULL || *place >= 0) {
		close(fd);
		return ERR_SYNTAX;
	}
	*place = fd;
	return OK;
}

/* What of the configuration is needed here. */
struct esp_wish {
	uint8_t workers;
	bool hold;
	uint32_t *devices; /* numbers of those that children may have */
	size_t n_devices;
};

static void wish_free(void *prepared)
{
	struct esp_wish *wish = prepared;

	free(wish->devices);
	free(wish);
}

/* Also of children that the kernel carries: which those are is not known here, and they have none.
 */
static bool wish_devices(struct esp_wish *wish, const struct conf *c)
{
	size_t n = host_conf_count(c);

	wish->devices = calloc(n + 1, sizeof *wish->devices);
	for (size_t i = 0; i < c->n_connections && wish->devices != NULL; i++) {
		const struct conf_connection *cn = &c->connections[i];

		for (size_t k = 0; k < cn->n_children; k++)
			wish->devices[wish->n_devices++] =
				sa_if_id(cn->children[k].interface, cn->children[k].reqid);
	}
	return wish->devices != NULL;
}

static enum err esp_prepare(void *ctx, struct conf *c, uint8_t workers, void **prepared,
			    char why[static PROCESS_WHY_MAX])
{
	struct esp_wish *wish = calloc(1, sizeof *wish);

	(void)ctx;
	(void)why;
	if (wish != NULL) {
		wish->workers = workers;
		wish->hold = c->hold_packets;
		if (!wish_devices(wish, c)) {
			wish_free(wish);
			wish = NULL;
		}
	}
	conf_free(c);
	*prepared = wish;
	return wish != NULL ? OK : ERR_NOMEM;
}

/* Those of a process that was killed are here before the first packet is looked at. */
static enum err restore(struct esp_process *p)
{
	struct esp_kept kept;
	enum err e = esp_keep(p->esp, &p->memory, &kept);
	struct log_line l;

	if (e == OK && kept.restored + kept.refused == 0)
		return OK;
	l = log_event(e == OK && kept.refused == 0 ? LOG_LEVEL_NOTICE : LOG_LEVEL_ERROR,
		      "esp_restored");
	log_num(&l, "halves", (int64_t)kept.restored);
	log_num(&l, "refused", (int64_t)kept.refused);
	if (e != OK)
		log_err(&l, e);
	log_write(&l);
	if (kept.restored > 0)
		engine_lost(p);
	/* Spoilt by whoever had it: it is empty now, and the engine finds nothing that it knows. */
	return e == ERR_SYNTAX ? OK : e;
}

static enum err workers_start(struct esp_process *p, const struct esp_wish *wish)
{
	int fd = p->waiting_fd;
	enum err e;

	p->env.n_workers = wish->workers;
	e = esp_new(&p->env, &p->esp);
	if (e == OK)
		esp_hold(p->esp, wish->hold);
	if (e == OK)
		e = restore(p);
	if (e == OK) {
		devices_start(p); /* what waits in the sockets may be for one of them */
		e = esp_start(p->esp);
	}
	if (e != OK || fd < 0)
		return e;
	p->waiting_fd = -1;
	return engine_open(p, fd);
}

/* The first configuration starts the workers; later ones change only what packets without an SA
 * meet, and which devices there are: new ones have come before. */
static enum err esp_commit(void *ctx, void *prepared)
{
	struct esp_process *p = ctx;
	struct esp_wish *wish = prepared;
	enum err e = OK;

	if (p->esp == NULL) {
		e = workers_start(p, wish);
	} else {
		esp_hold(p->esp, wish->hold);
		esp_devices_keep(p->esp, wish->devices, wish->n_devices);
	}
	wish_free(wish);
	return e;
}

static const struct process_ops ops = {
	.role = ROLE_ESP,
	.prepare = esp_prepare,
	.discard = wish_free,
	.commit = esp_commit,
	.peer = esp_peer,
	.socket = esp_socket,
};

static void env_clear(struct esp_process *p)
{
	p->env = (struct esp_env){
		.raw4_fd = -1,
		.raw6_fd = -1,
		.to_engine = up_datagram,
		.event = up_event,
		.ctx = p,
	};
	for (unsigned int i = 0; i < ESP_WORKERS_MAX; i++) {
		p->env.tun_fd[i] = -1;
		p->env.udp4_fd[i] = -1;
		p->env.udp6_fd[i] = -1;
	}
}

int esp_main(const struct options *o)
{
	struct esp_process p = { .waiting_fd = -1, .memory = { .spare = vault_memory_give_back } };
	int code;

	(void)o;
	env_clear(&p);
	pthread_mutex_init(&p.up_lock, NULL);
	p.process = process_new(&ops, &p);
	if (p.process == NULL)
		return EXIT_FAILED;
	p.patience = (struct loop_timer){ .fire = on_patience, .ctx = &p };
	p.engine = (struct link){
		.loop = process_loop(p.process),
		.on_msg = on_command,
		.on_gone = on_engine_gone,
		.ctx = &p,
	};
	code = process_run(p.process);
	esp_free(p.esp);
	vault_memory_unmap(p.memory.p, p.memory.size);
	coming_free(&p);
	up_close(&p);
	return code;
}
