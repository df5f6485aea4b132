/* SPDX-License-Identifier: Apache-2.0 */
/* The outer side: sockets, and what stands in outer headers, as addresses and control messages. */
#ifndef ESP_OUTER_H
#define ESP_OUTER_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "esp/inbound.h"

enum outer_kind { OUTER_UDP4, OUTER_UDP6, OUTER_RAW4, OUTER_RAW6, N_OUTER };

enum { BATCH = 32, DATAGRAM_MAX = 65536, CONTROL_MAX = 192 };

struct outer_sock {
	int fd; /* -1: none */
	enum outer_kind kind;
	bool bare; /* no Internet socket (a socketpair in tests): it takes and gives no addresses */
	uint16_t port; /* our own, with UDP */
};

struct outer_sock outer_sock_of(int fd, enum outer_kind kind);

/* Control messages aligned as the kernel wants them. */
union control {
	struct cmsghdr align;
	uint8_t b[CONTROL_MAX];
};

/* Datagrams as they came, BATCH at a time. */
struct rx {
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_storage from[BATCH];
	union control control[BATCH];
	uint8_t *buf; /* BATCH times DATAGRAM_MAX */
};

MUST_USE enum err rx_init(struct rx *rx);
void rx_free(struct rx *rx);
/* How many came; 0 when none is waiting. */
int rx_fill(struct rx *rx, const struct outer_sock *s);
/* Datagram i. Raw IPv4 sockets give the IP header too, which is read and taken off. False when it
 * is malformed. */
MUST_USE bool rx_datagram(struct rx *rx, const struct outer_sock *s, int i, struct esp_datagram *d);

/* What the header of a message to be sent points at. */
struct envelope {
	struct sockaddr_storage name;
	union control control;
};

/* What of a packet's own header is asked of the kernel for the header outside. */
struct outer_head {
	uint8_t tos;
	uint8_t ttl;	     /* or hop limit; 0: the socket's default */
	uint32_t label;	     /* IPv6 flow label; 0: the kernel's choice */
	struct span options; /* of IPv4, at most 40 bytes */
};

/* Addresses one message along `path` with this header, by means of *e, which must live as long as
 * *h. */
void outer_address(struct msghdr *h, struct envelope *e, const struct outer_sock *s,
		   const struct path *path, const struct outer_head *head);

/* Does what we send carry DF? Normally yes; see tx.h for when not. */
void outer_dont_fragment(const struct outer_sock *s, bool df);

/* Takes the next report from the socket's error queue; false when it is empty. *mtu is 0 when it is
 * about something else. */
MUST_USE bool outer_error(const struct outer_sock *s, struct endpoint *to, uint32_t *mtu);

#endif
