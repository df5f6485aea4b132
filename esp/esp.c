/* SPDX-License-Identifier: Apache-2.0 */
/* The interface of userspace ESP: makes workers and the SAD, takes commands, adds up counters. */
#include "esp/esp.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "esp/worker.h"

struct esp {
	struct plane plane;
	unsigned n_init; /* workers that worker_free must see */
	/* Numbers of installs: the last that was carried out, and the last of the engines that are
	 * gone. */
	uint64_t installed;
	uint64_t installed_before; /* 0: that is not known */
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
	if (env->n_workers == 0 || env->n_workers > ESP_WORKERS_MAX)
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
		worker_finish(&e->plane.workers[i]);
	for (unsigned i = 0; i < e->n_init; i++)
		worker_free(&e->plane.workers[i]);
	for (unsigned i = 0; i < ESP_DEVICES_MAX; i++)
		device_free(atomic_load(&e->plane.devices.v[i]));
	sad_free(e->plane.sad);
	free(e->plane.workers);
	free(e);
}

enum err esp_keep(struct esp *e, const struct esp_memory *m, struct esp_kept *kept)
{
	enum err err = sad_keep(e->plane.sad, m, kept);

	/* Whoever wrote that had been taken over. */
	if (sad_installed(e->plane.sad) > mono_now())
		sad_forget_installed(e->plane.sad);
	e->installed = sad_installed(e->plane.sad);
	return err;
}

enum err esp_start(struct esp *e)
{
	enum err err = OK;

	for (unsigned i = 0; err == OK && i < e->n_init; i++)
		err = worker_start(&e->plane.workers[i]);
	return err;
}

/* The workers see it no more. */
static void device_remove(struct esp *e, unsigned slot)
{
	struct device *old = atomic_exchange(&e->plane.devices.v[slot], NULL);

	for (unsigned i = 0; old != NULL && i < e->n_init; i++)
		worker_unwatch_device(&e->plane.workers[i], old);
	if (old != NULL)
		sad_grace(e->plane.sad);
	device_free(old);
}

static enum err device_add(struct esp *e, unsigned slot, struct device *d)
{
	enum err err = OK;

	for (unsigned i = 0; i < d->n && err == OK; i++)
		err = nonblocking(d->fd[i]);
	atomic_store(&e->plane.devices.v[slot], d);
	for (unsigned i = 0; i < e->n_init && err == OK; i++)
		err = worker_watch_device(&e->plane.workers[i], d, slot);
	if (err != OK)
		device_remove(e, slot);
	return err;
}

static bool has_number(const uint32_t *v, size_t n, uint32_t number)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i] == number)
			return true;
	}
	return false;
}

void esp_devices_keep(struct esp *e, const uint32_t *if_ids, size_t n)
{
	for (unsigned i = 0; i < ESP_DEVICES_MAX; i++) {
		const struct device *d = device_at(&e->plane.devices, i);

		if (d != NULL && !has_number(if_ids, n, d->if_id))
			device_remove(e, i);
	}
}

static void close_all(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}

enum err esp_device(struct esp *e, uint32_t if_id, const int *fds)
{
	unsigned slot = device_slot(&e->plane.devices, if_id);
	unsigned n = e->plane.env.n_workers;
	struct device *d;

	if (slot < ESP_DEVICES_MAX)
		device_remove(e, slot);
	if (fds == NULL)
		return OK;
	d = slot < ESP_DEVICES_MAX ? device_new(if_id, fds, n) : NULL;
	if (d != NULL)
		return device_add(e, slot, d);
	close_all(fds, n);
	return slot < ESP_DEVICES_MAX ? ERR_NOMEM : ERR_LIMIT;
}

/* Packets may be waiting for this SA. */
static void wake_all(struct esp *e)
{
	for (unsigned i = 0; i < e->n_init; i++)
		queue_wake(&e->plane.workers[i].queue);
}

void esp_hold(struct esp *e, bool hold)
{
	atomic_store(&e->plane.hold, hold);
}

/* Has it been carried out, or may it have been: one that is given once more, and nobody knows what
 * was before? */
static bool was_installed(const struct esp *e, const struct sa_cmd *cmd)
{
	if (cmd->install == 0)
		return false;
	return e->installed_before == 0 ? cmd->install != cmd->ticket
					: cmd->install <= e->installed_before;
}

/* What a predecessor of the engine, or of this process, had carried out is there, or it was, and is
 * not put in again. */
static enum err install(struct esp *e, const struct sa_cmd *cmd, struct sa_counters *counters)
{
	enum err err;

	/* By one of times to come all that the next engines put in would count as done before. */
	if (cmd->install > mono_now())
		return ERR_DENIED;
	if (was_installed(e, cmd))
		return sad_claim(e->plane.sad, &cmd->sa, counters);
	if (cmd->install > e->installed)
		e->installed = cmd->install;
	err = sad_install(e->plane.sad, &cmd->sa, cmd->install);
	/* It was given twice to this process. */
	if (err == ERR_EXISTS && cmd->install != 0 && cmd->install != cmd->ticket)
		err = sad_claim(e->plane.sad, &cmd->sa, counters);
	if (err != OK)
		return err;
	if (cmd->sa.dir == SA_IN) {
		await_forget(&e->plane.expected, cmd->sa.spi);
		atomic_fetch_add(&e->plane.installs, 1);
	}
	wake_all(e);
	return OK;
}

void esp_command(struct esp *e, const struct sa_cmd *cmd, struct sa_done *done)
{
	struct sad *sad = e->plane.sad;

	*done = (struct sa_done){ .ticket = cmd->ticket, .spi = cmd->sa.spi, .dir = cmd->sa.dir };
	switch (cmd->op) {
	case SA_INSTALL:
		done->err = install(e, cmd, &done->counters);
		break;
	case SA_MOVE:
		done->err = sad_move(sad, &cmd->sa);
		break;
	case SA_REMOVE:
		done->err = sad_remove(sad, &cmd->sa);
		break;
	case SA_PASS:
		done->err = sad_pass(sad, &cmd->sa);
		break;
	case SA_QUERY:
		done->err = sad_query(sad, &cmd->sa, &done->counters);
		break;
	case SA_CLAIM:
		done->err = sad_claim(sad, &cmd->sa, &done->counters);
		break;
	case SA_SWEEP:
		sad_sweep(sad);
		done->err = OK;
		break;
	case SA_EXPECT:
		await_expect(&e->plane.expected, cmd->sa.spi, mono_now());
		done->err = OK;
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

void esp_unclaim(struct esp *e)
{
	e->installed_before = e->installed;
	sad_unclaim(e->plane.sad);
}

void esp_drops(const struct esp *e, struct esp_drops *out)
{
	*out = (struct esp_drops){ 0 };
	for (unsigned i = 0; i < e->n_init; i++)
		for (size_t d = 0; d < N_DROPS; d++)
			out->n[d] += atomic_load_explicit(&e->plane.workers[i].drops[d],
							  memory_order_relaxed);
}
