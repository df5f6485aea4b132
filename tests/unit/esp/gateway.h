/* SPDX-License-Identifier: Apache-2.0 */
/* Whole gateways on socketpairs, for tests that put packets in at one end. */
#ifndef TESTS_UNIT_ESP_GATEWAY_H
#define TESTS_UNIT_ESP_GATEWAY_H

#include <stdatomic.h>
#include <sys/types.h>

#include "tests/unit/esp/kit.h"

enum { PATIENCE_MS = 5000, SPI_A = 0x80010001, SPI_B = 0x80020002 };

struct heard {
	_Atomic int n_ike;
	_Atomic int n_events;
	_Atomic int last_kind;
};

/* A gateway with one worker, or with two that share nothing but the SAs. */
struct gateway {
	struct esp *esp;
	struct heard heard;
	int n;
	int tun[2], net[2],
		raw; /* our ends: tun is what the machine sends and gets, net the network */
	int theirs[5];
};

void gateway_up(struct gateway *g, int n_workers);
void gateway_down(struct gateway *g);
/* Waits for a packet at one of our ends; -1: none came. */
ssize_t gateway_get(int fd, uint8_t *buf, size_t size);
void gateway_put(int fd, struct span s);
bool gateway_silent(int fd);
enum err gateway_command(struct gateway *g, enum sa_op op, const struct kit_sa *k);
/* An outbound SA at `left`, its inbound side at `right`; either may be NULL. */
void gateway_tunnel(struct gateway *left, struct gateway *right, int suite, uint32_t spi);
/* Waits until `n` packets were dropped for this reason. */
void gateway_dropped(struct gateway *g, enum drop why, uint64_t n);
void gateway_events(struct gateway *g, int n, enum plane_event_kind kind);
/* Callbacks that count, into a struct heard. */
void gateway_to_engine(void *ctx, const struct path *p, struct span d);
void gateway_event(void *ctx, const struct plane_event *ev);

#endif
