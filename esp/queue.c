/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-over. The kernel's steering is a hint (raw sockets cannot be steered at all), so what
 * arrives at the wrong worker is copied to the owner's queue: replay state stays with one owner.
 * Bounded, since strangers can fill it with any SPI of their liking.
 */
#include "esp/queue.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { QUEUE_MAX = 1024, QUEUE_BYTES_MAX = 4 << 20 };

enum err queue_init(struct queue *q)
{
	*q = (struct queue){ .wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
	q->last = &q->first;
	pthread_mutex_init(&q->lock, NULL);
	return q->wake_fd >= 0 ? OK : ERR_SYSTEM;
}

void handed_free(struct handed *h)
{
	free(h);
}

void handed_free_all(struct handed *h)
{
	while (h) {
		struct handed *next = h->next;

		handed_free(h);
		h = next;
	}
}

void queue_free(struct queue *q)
{
	handed_free_all(q->first);
	if (q->wake_fd >= 0)
		close(q->wake_fd);
	pthread_mutex_destroy(&q->lock);
}

struct handed *handed_copy(const struct esp_datagram *d)
{
	struct handed *h = malloc(sizeof(*h) + d->len);

	if (!h)
		return NULL;
	h->next = NULL;
	h->d = *d;
	h->d.p = h->b;
	memcpy(h->b, d->p, d->len);
	return h;
}

void queue_wake(struct queue *q)
{
	uint64_t one = 1;

	/* It fails only when the counter is at its top, and then the owner is awake. */
	(void)!write(q->wake_fd, &one, sizeof(one));
}

bool queue_put(struct queue *q, const struct esp_datagram *d)
{
	struct handed *h = handed_copy(d);
	bool room, first;

	if (!h)
		return false;
	pthread_mutex_lock(&q->lock);
	room = q->n < QUEUE_MAX && q->bytes + d->len <= QUEUE_BYTES_MAX;
	first = q->n == 0;
	if (room) {
		*q->last = h;
		q->last = &h->next;
		q->n++;
		q->bytes += d->len;
	}
	pthread_mutex_unlock(&q->lock);
	if (!room)
		handed_free(h);
	else if (first)
		queue_wake(q);
	return room;
}

struct handed *queue_take(struct queue *q)
{
	struct handed *all;
	uint64_t count;

	(void)!read(q->wake_fd, &count, sizeof(count));
	pthread_mutex_lock(&q->lock);
	all = q->first;
	q->first = NULL;
	q->last = &q->first;
	q->n = 0;
	q->bytes = 0;
	pthread_mutex_unlock(&q->lock);
	return all;
}
