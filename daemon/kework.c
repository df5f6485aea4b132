/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/kework.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/secret.h"
#include "crypto/ke.h"

enum { KEWORK_WAITING_MAX = 256 };

struct work {
	struct work *next;
	uint64_t ticket;
	const struct ke_group *group;
	size_t peer_len; /* 0: only our public value is wanted */
	uint8_t secret[KE_PRIVATE_MAX];
	uint8_t peer[KE_PUBLIC_MAX];
	enum err err;
	uint8_t out[KE_PUBLIC_MAX];
};

struct kework {
	struct loop *loop;
	kework_fn *done;
	void *ctx;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	bool stop;
	struct work *todo;
	struct work **todo_end;
	struct work *ready;
	size_t n;
	int wake;
	struct loop_watch watch;
};

static void work_free(struct work *w)
{
	secret_free(w, sizeof *w);
}

static void work_compute(struct work *w)
{
	struct span secret = span_of(w->secret, w->group->private_len);

	if (w->peer_len > 0)
		w->err = ke_shared(w->group, secret, span_of(w->peer, w->peer_len), w->out);
	else
		w->err = ke_public(w->group, secret, w->out);
}

static void *kework_thread(void *arg)
{
	struct kework *k = arg;
	const uint64_t one = 1;

	pthread_mutex_lock(&k->lock);
	while (!k->stop) {
		struct work *w = k->todo;

		if (w == NULL) {
			pthread_cond_wait(&k->more, &k->lock);
			continue;
		}
		k->todo = w->next;
		if (k->todo == NULL)
			k->todo_end = &k->todo;
		pthread_mutex_unlock(&k->lock);
		work_compute(w);
		pthread_mutex_lock(&k->lock);
		w->next = k->ready;
		k->ready = w;
		while (write(k->wake, &one, sizeof one) < 0 && errno == EINTR)
			;
	}
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

static void give(struct kework *k, struct work *w)
{
	size_t len = w->peer_len > 0 ? w->group->secret_len : w->group->public_len;
	struct job_result r = { .ticket = w->ticket, .kind = JOB_KE, .err = w->err };

	if (w->err == OK)
		r.bytes = span_of(w->out, len);
	k->done(k->ctx, &r);
	work_free(w);
}

static void on_wake(void *ctx, uint32_t events)
{
	struct kework *k = ctx;
	struct work *ready;
	uint64_t n;

	(void)events;
	if (read(k->wake, &n, sizeof n) < 0)
		return;
	pthread_mutex_lock(&k->lock);
	ready = k->ready;
	k->ready = NULL;
	pthread_mutex_unlock(&k->lock);
	while (ready != NULL) {
		struct work *w = ready;

		ready = w->next;
		k->n--;
		give(k, w);
	}
}

enum err kework_put(struct kework *k, const struct job *j)
{
	const struct ke_group *g = ke_find(j->ke.group);
	struct work *w;

	if (g == NULL || j->ke.secret.len != g->private_len || j->ke.peer.len > KE_PUBLIC_MAX)
		return ERR_UNSUPPORTED;
	if (k->n >= KEWORK_WAITING_MAX)
		return ERR_LIMIT;
	w = calloc(1, sizeof *w);
	if (w == NULL)
		return ERR_NOMEM;
	w->ticket = j->ticket;
	w->group = g;
	memcpy(w->secret, j->ke.secret.p, j->ke.secret.len);
	w->peer_len = j->ke.peer.len;
	if (w->peer_len > 0)
		memcpy(w->peer, j->ke.peer.p, w->peer_len);
	k->n++;
	pthread_mutex_lock(&k->lock);
	*k->todo_end = w;
	k->todo_end = &w->next;
	pthread_cond_signal(&k->more);
	pthread_mutex_unlock(&k->lock);
	return OK;
}

enum err kework_new(struct loop *l, kework_fn *done, void *ctx, struct kework **out)
{
	struct kework *k = calloc(1, sizeof *k);

	*out = NULL;
	if (k == NULL)
		return ERR_NOMEM;
	k->loop = l;
	k->done = done;
	k->ctx = ctx;
	k->todo_end = &k->todo;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->more, NULL);
	k->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	k->watch = (struct loop_watch){ .fd = k->wake, .ready = on_wake, .ctx = k };
	if (k->wake >= 0 && loop_add(l, &k->watch, EPOLLIN) == OK &&
	    pthread_create(&k->thread, NULL, kework_thread, k) == 0) {
		*out = k;
		return OK;
	}
	if (k->wake >= 0)
		close(k->wake);
	free(k);
	return ERR_SYSTEM;
}

static void list_free(struct work *w)
{
	while (w != NULL) {
		struct work *next = w->next;

		work_free(w);
		w = next;
	}
}

void kework_free(struct kework *k)
{
	if (k == NULL)
		return;
	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_signal(&k->more);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	list_free(k->todo);
	list_free(k->ready);
	loop_del(k->loop, &k->watch);
	close(k->wake);
	free(k);
}
