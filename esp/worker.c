/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's thread: wait, look at what is ready, let it be handled inside one epoch, and wait
 * again.
 *
 * The epoch is entered after waiting and left before it, so that an SA that is removed is gone as
 * soon as the batch is.
 */
#include "esp/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "esp/arrive.h"
#include "esp/tunnel.h"

enum { READY_TUN = N_OUTER, READY_QUEUE, N_READY, READY_DEVICES = N_READY };
enum { ICMP_BURST = 50, EXPIRE_MS = 1000 };

#define TELL_AGAIN	     (10 * NS_PER_S)
#define SILENCE		     NS_PER_S
#define SILENCE_STANDBY	     (300 * NS_PER_MS) /* others are there to take over */
#define TELL_ELSEWHERE_AGAIN (2 * NS_PER_S)

static void init_socks(struct worker *w, const struct esp_env *env)
{
	w->tun_fd = env->tun_fd[w->index];
	w->sock[OUTER_UDP4] = outer_sock_of(env->udp4_fd[w->index], OUTER_UDP4);
	w->sock[OUTER_UDP6] = outer_sock_of(env->udp6_fd[w->index], OUTER_UDP6);
	w->sock[OUTER_RAW4] = outer_sock_of(env->raw4_fd, OUTER_RAW4);
	w->sock[OUTER_RAW6] = outer_sock_of(env->raw6_fd, OUTER_RAW6);
}

static enum err watch(struct worker *w, int fd, uint32_t what)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = what };

	if (fd < 0)
		return OK;
	return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0 ? OK : ERR_SYSTEM;
}

enum err worker_watch_device(struct worker *w, const struct device *d, unsigned slot)
{
	return watch(w, d->fd[w->index], READY_DEVICES + slot);
}

void worker_unwatch_device(struct worker *w, const struct device *d)
{
	(void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, d->fd[w->index], NULL);
}

static enum err watch_all(struct worker *w)
{
	enum err e = watch(w, w->tun_fd, READY_TUN);

	if (e == OK)
		e = watch(w, w->queue.wake_fd, READY_QUEUE);
	for (uint32_t k = 0; e == OK && k < N_OUTER; k++) {
		bool raw = k == OUTER_RAW4 || k == OUTER_RAW6;

		if (!raw || w->index == 0)
			e = watch(w, w->sock[k].fd, k);
	}
	return e;
}

enum err worker_init(struct worker *w, struct plane *plane, unsigned index)
{
	enum err e;

	*w = (struct worker){ .plane = plane,
			      .index = index,
			      .epoll_fd = -1,
			      .queue = { .wake_fd = -1 } };
	w->icmp_limit = (struct limit){ .every = NS_PER_S / ICMP_BURST, .burst = ICMP_BURST };
	acquire_limit_init(&w->acquire_limit);
	init_socks(w, &plane->env);
	w->inner_buf = malloc(DATAGRAM_MAX);
	w->piece_buf = malloc(DATAGRAM_MAX);
	w->whole_buf = malloc(DATAGRAM_MAX);
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	e = queue_init(&w->queue);
	if (e == OK)
		e = rx_init(&w->rx);
	if (e == OK)
		e = tx_init(&w->tx);
	if (e == OK && (!w->inner_buf || !w->piece_buf || !w->whole_buf))
		e = ERR_NOMEM;
	if (e == OK)
		e = w->epoll_fd >= 0 ? watch_all(w) : ERR_SYSTEM;
	return e;
}

void worker_free(struct worker *w)
{
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
	queue_free(&w->queue);
	rx_free(&w->rx);
	tx_free(&w->tx);
	secret_free(w->inner_buf, w->inner_buf ? DATAGRAM_MAX : 0);
	secret_free(w->piece_buf, w->piece_buf ? DATAGRAM_MAX : 0);
	secret_free(w->whole_buf, w->whole_buf ? DATAGRAM_MAX : 0);
	reassembler_free(&w->fragments);
	hold_free(&w->hold);
	handed_free_all(await_take(&w->await));
}

void worker_count(struct worker *w, enum drop why)
{
	uint64_t n = atomic_load_explicit(&w->drops[why], memory_order_relaxed);

	atomic_store_explicit(&w->drops[why], n + 1, memory_order_relaxed);
}

void worker_count_many(struct worker *w, enum drop why, size_t n)
{
	for (; n > 0; n--)
		worker_count(w, why);
}

void worker_event(struct worker *w, const struct plane_event *ev)
{
	w->plane->env.event(w->plane->env.ctx, ev);
}

void worker_tell_end(struct worker *w, struct sa *sa, enum drop why)
{
	struct plane_event ev = { .kind = PLANE_EXPIRE,
				  .spi = sa->spi,
				  .dir = sa->dir,
				  .remote = sa->path.remote };

	if ((why != DROP_LIMIT && why != DROP_EXHAUSTED) ||
	    (sa->told > 0 && w->now - sa->told < TELL_AGAIN))
		return;
	sa->told = w->now;
	worker_event(w, &ev);
}

void worker_tell_soft(struct worker *w, struct sa *sa)
{
	struct plane_event ev = { .kind = PLANE_EXPIRE,
				  .spi = sa->spi,
				  .dir = sa->dir,
				  .remote = sa->path.remote,
				  .soft = true };

	if (!sa_worn(sa) || (sa->told_soft > 0 && w->now - sa->told_soft < TELL_AGAIN))
		return;
	sa->told_soft = w->now;
	worker_event(w, &ev);
}

void worker_tell_elsewhere(struct worker *w, struct sa *sa, const struct path *path)
{
	struct plane_event ev = { .kind = PLANE_MAPPING,
				  .spi = sa->spi,
				  .dir = SA_IN,
				  .remote = path->remote };

	if (!sa->encap || path->remote.port == 0 || addr_is_any(&path->remote.addr) ||
	    endpoint_eq(&path->remote, &sa->path.remote))
		return;
	if (sa->told_elsewhere > 0 && w->now - sa->told_elsewhere < TELL_ELSEWHERE_AGAIN)
		return;
	sa->told_elsewhere = w->now;
	worker_event(w, &ev);
}

/* The other direction is looked at a few times a second: this costs a packet one comparison. */
void worker_tell_silent(struct worker *w, struct sa *sa)
{
	struct plane_event ev = { .kind = PLANE_SILENT,
				  .spi = sa->spi,
				  .dir = SA_OUT,
				  .remote = sa->path.remote };
	const mono_ns silence = sa->priority > 0 ? SILENCE_STANDBY : SILENCE;
	const struct sa *twin;

	if (w->now < sa->silence_look)
		return;
	sa->silence_look = w->now + silence / 4;
	twin = sad_in(w->plane->sad, sa->twin_spi);
	ev.heard_ns = twin ? atomic_load(&twin->tally->stats.last_ns) : 0;
	if (!twin || sa->sent_since == 0 || ev.heard_ns >= sa->sent_since) {
		sa->sent_since = w->now;
	} else if (w->now - sa->sent_since >= silence) {
		sa->silence_look = w->now + SILENCE;
		worker_event(w, &ev);
	}
}

/* A device that was deleted would be ready for ever. Whoever makes it anew starts this process
 * anew, or gives a child's new one. */
static void drain(struct worker *w, int fd, uint32_t if_id)
{
	if (!tunnel_drain(w, fd, if_id))
		(void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static void drain_device(struct worker *w, unsigned slot)
{
	const struct device *d = device_at(&w->plane->devices, slot);

	if (d != NULL)
		drain(w, d->fd[w->index], d->if_id);
}

static void ready(struct worker *w, const struct epoll_event *ev)
{
	uint32_t what = ev->data.u32;

	if (what >= READY_DEVICES) {
		drain_device(w, what - READY_DEVICES);
	} else if (what == READY_TUN) {
		drain(w, w->tun_fd, 0);
	} else if (what == READY_QUEUE) {
		arrive_handed(w);
		tunnel_release(w);
	} else {
		if (ev->events & EPOLLERR)
			(void)tunnel_learn_mtu(w);
		arrive_drain(w, &w->sock[what]);
	}
}

/* An SA has come since, or it is time to see what is not expected any more. */
static bool await_is_due(struct worker *w)
{
	unsigned installs = atomic_load(&w->plane->installs);

	if (w->await.n == 0 || (installs == w->await_installs && w->now < w->await_look))
		return false;
	w->await_installs = installs;
	w->await_look = w->now + NS_PER_S;
	return true;
}

void worker_round(struct worker *w, int timeout_ms)
{
	struct epoll_event ev[N_READY];
	int n = epoll_wait(w->epoll_fd, ev, N_READY, timeout_ms);

	w->now = mono_now();
	sad_enter(w->plane->sad, w->index);
	for (int i = 0; i < n; i++)
		ready(w, &ev[i]);
	if (await_is_due(w))
		arrive_awaited(w);
	sad_leave(w->plane->sad, w->index);
	worker_count_many(w, DROP_NO_SA, hold_expire(&w->hold, w->now));
}

static void *loop(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load(&w->plane->stop))
		worker_round(w, w->hold.n > 0 || w->await.n > 0 ? EXPIRE_MS : -1);
	return NULL;
}

void worker_finish(struct worker *w)
{
	w->now = mono_now();
	sad_enter(w->plane->sad, w->index);
	arrive_handed(w);
	arrive_awaited(w);
	sad_leave(w->plane->sad, w->index);
}

/* Signals are the main thread's. */
enum err worker_start(struct worker *w)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&w->thread, NULL, loop, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->running = r == 0;
	return w->running ? OK : ERR_SYSTEM;
}

void worker_join(struct worker *w)
{
	if (!w->running)
		return;
	queue_wake(&w->queue);
	pthread_join(w->thread, NULL);
	w->running = false;
}
