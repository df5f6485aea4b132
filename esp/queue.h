/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams that came to one worker and belong to another: a bounded queue per worker. */
#ifndef ESP_QUEUE_H
#define ESP_QUEUE_H

#include <pthread.h>

#include "esp/inbound.h"

/* A copy of a datagram. */
struct handed {
	struct handed *next;
	struct esp_datagram d; /* points into b */
	uint8_t b[];
};

struct queue {
	pthread_mutex_t lock;
	struct handed *first;
	struct handed **last;
	size_t n;
	size_t bytes;
	int wake_fd; /* eventfd of the owner */
};

/* ERR_SYSTEM when there is no eventfd to be had. */
MUST_USE enum err queue_init(struct queue *q);
void queue_free(struct queue *q);
/* Any thread. Copies; false when the queue is full. */
MUST_USE bool queue_put(struct queue *q, const struct esp_datagram *d);
/* The owner: everything that is there, oldest first; the caller frees each. */
struct handed *queue_take(struct queue *q);
struct handed *handed_copy(const struct esp_datagram *d); /* NULL: no memory */
void handed_free(struct handed *h);
void handed_free_all(struct handed *h); /* and those behind it; takes NULL */
/* Wakes the owner without a datagram. */
void queue_wake(struct queue *q);

#endif
