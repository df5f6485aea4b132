/* SPDX-License-Identifier: Apache-2.0 */
/* The interface of userspace ESP: makes workers and the SAD, takes commands, adds up counters. */
#include "esp/esp.h"

#include <fcntl.h>
#include <stdlib.h>

#include "esp/worker.h"

struct esp {
	struct plane plane;
	unsigned n_init; /* workers that worker_free must see */
};

/* The TUN has no flag per call for not waiting, as sockets have. */
static enum err nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? OK : ERR_SYSTEM;
}

static enum err make_workers(struct esp *e)
{
	enum err err = OK;

	for (unsigned i = 0; err == OK && i < e->plane.env.n_workers; i++) {
		err = nonblocking(e->plane.env.tun_fd[i]);
		if (err != OK)
			break;
		e->n_init = i + 1;
		err = worker_init(&e->plane.workers[i], &e->plane, i);
	}
	return err;
}

enum err esp_new(const struct esp_env *env, struct esp **out)
{
	struct esp *e;
	enum err err;

	*out = NULL;
	/* Packets with a virtio header before them come with the offloads. */
	if (env->n_workers == 0 || env->n_workers > ESP_WORKERS_MAX || env->tun_vnet)
		return ERR_UNSUPPORTED;
	e = calloc(1, sizeof(*e));
	if (!e)
		return ERR_NOMEM;
	e->plane.env = *env;
	e->plane.workers = calloc(env->n_workers, sizeof(*e->plane.workers));
	err = e->plane.workers ? sad_new(env->n_workers, &e->plane.sad) : ERR_NOMEM;
	if (err == OK)
		err = make_workers(e);
	if (err != OK) {
		esp_free(e);
		return err;
	}
	*out = e;
	return OK;
}

void esp_free(struct esp *e)
{
	if (!e)
		return;
	atomic_store(&e->plane.stop, true);
	for (unsigned i = 0; i < e->n_init; i++)
		worker_join(&e->plane.workers[i]);
	for (unsigned i = 0; i < e->n_init; i++)
		worker_free(&e->plane.workers[i]);
	sad_free(e->plane.sad);
	free(e->plane.workers);
	free(e);
}

enum err esp_start(struct esp *e)
{
	enum err err = OK;

	for (unsigned i = 0; err == OK && i < e->n_init; i++)
		err = worker_start(&e->plane.workers[i]);
	return err;
}

void esp_command(struct esp *e, const struct sa_cmd *cmd, struct sa_done *done)
{
	struct sad *sad = e->plane.sad;

	*done = (struct sa_done){ .ticket = cmd->ticket, .spi = cmd->sa.spi, .dir = cmd->sa.dir };
	switch (cmd->op) {
	case SA_INSTALL:
		done->err = sad_install(sad, &cmd->sa);
		break;
	case SA_MOVE:
		done->err = sad_move(sad, &cmd->sa);
		break;
	case SA_REMOVE:
		done->err = sad_remove(sad, &cmd->sa);
		break;
	case SA_QUERY:
		done->err = sad_query(sad, &cmd->sa, &done->counters);
		break;
	case SA_FORGET: /* an acquire of userspace leaves nothing behind */
		done->err = OK;
		break;
	}
}

void esp_flush(struct esp *e)
{
	sad_flush(e->plane.sad);
}

void esp_drops(const struct esp *e, struct esp_drops *out)
{
	*out = (struct esp_drops){ 0 };
	for (unsigned i = 0; i < e->n_init; i++)
		for (size_t d = 0; d < N_DROPS; d++)
			out->n[d] += atomic_load_explicit(&e->plane.workers[i].drops[d],
							  memory_order_relaxed);
}
