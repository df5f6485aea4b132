/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/sockets.h"
#include "daemon/steer.h"

enum {
	UDP_BATCH = 16,	  /* datagrams per turn: a flood must not keep timers and answers waiting */
	UDP_SIZE = 65536, /* the largest UDP payload is smaller: nothing is ever cut */
	UDP_CONTROL = 128,
	N_UDP = SOCK_NAT6 + 1,
};

struct udp_socket {
	struct udp *u;
	enum sock_kind kind;
	int fd;
	struct loop_watch watch;
};

struct udp {
	struct loop *loop;
	udp_fn *message;
	void *ctx;
	bool begun;
	bool held;
	struct udp_stats stats;
	struct udp_socket s[N_UDP][N_IKE_QUEUES];
	_Alignas(struct cmsghdr) uint8_t control[UDP_BATCH][UDP_CONTROL];
	uint8_t buf[UDP_BATCH][UDP_SIZE];
};

static const uint8_t marker_bytes[4];

static bool is_nat(enum sock_kind k)
{
	return k == SOCK_NAT4 || k == SOCK_NAT6;
}

static uint16_t kind_port(enum sock_kind k)
{
	return is_nat(k) ? NAT_PORT : IKE_PORT;
}

/* ---- in ---- */

/* The address that the datagram came to. */
static bool local_find(struct msghdr *h, struct addr *a)
{
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(h); cm != NULL; cm = CMSG_NXTHDR(h, cm)) {
		if (cm->cmsg_level == IPPROTO_IP && cm->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo pi;

			memcpy(&pi, CMSG_DATA(cm), sizeof pi);
			return addr_from_span(a, span_of(&pi.ipi_addr, sizeof pi.ipi_addr));
		}
		if (cm->cmsg_level == IPPROTO_IPV6 && cm->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo pi;

			memcpy(&pi, CMSG_DATA(cm), sizeof pi);
			return addr_from_span(a, span_of(&pi.ipi6_addr, sizeof pi.ipi6_addr));
		}
	}
	return false;
}

/* What of a datagram on port 4500 is an IKE message; empty: nothing. */
static struct span marker_cut(struct udp *u, struct span d)
{
	struct rd r = rd_from(d);
	uint32_t first = rd_u32(&r);

	if (d.len == 1 && d.p[0] == 0xff) {
		u->stats.keepalives++;
		return SPAN_EMPTY;
	}
	if (!rd_ok(&r) || first != 0) {
		u->stats.not_ike++;
		return SPAN_EMPTY;
	}
	return rd_rest(&r);
}

static void udp_take(struct udp_socket *s, struct msghdr *h, struct span d)
{
	struct path p = { .local.port = kind_port(s->kind) };
	struct udp *u = s->u;

	u->stats.received++;
	if ((h->msg_flags & MSG_TRUNC) != 0 || !local_find(h, &p.local.addr) ||
	    !endpoint_from_sockaddr(&p.remote, h->msg_name)) {
		u->stats.truncated++;
		return;
	}
	if (is_nat(s->kind))
		d = marker_cut(u, d);
	if (d.len > 0)
		u->message(u->ctx, &p, d);
}

static void udp_ready(void *ctx, uint32_t events)
{
	struct udp_socket *s = ctx;
	struct udp *u = s->u;
	struct sockaddr_storage name[UDP_BATCH];
	struct iovec iov[UDP_BATCH];
	struct mmsghdr m[UDP_BATCH] = { 0 };
	int n;

	(void)events;
	for (int i = 0; i < UDP_BATCH; i++) {
		iov[i] = (struct iovec){ .iov_base = u->buf[i], .iov_len = UDP_SIZE };
		m[i].msg_hdr = (struct msghdr){
			.msg_name = &name[i],
			.msg_namelen = sizeof name[i],
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
			.msg_control = u->control[i],
			.msg_controllen = UDP_CONTROL,
		};
	}
	n = recvmmsg(s->fd, m, UDP_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		udp_take(s, &m[i].msg_hdr, span_of(u->buf[i], m[i].msg_len));
}

/* ---- out ---- */

static void control_put(struct msghdr *h, int level, int type, const void *v, size_t len)
{
	struct cmsghdr *cm = CMSG_FIRSTHDR(h);

	cm->cmsg_level = level;
	cm->cmsg_type = type;
	cm->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cm), v, len);
	h->msg_controllen = CMSG_SPACE(len);
}

static void local_put(struct msghdr *h, const struct addr *a)
{
	if (a->family == AF_INET) {
		struct in_pktinfo pi = { 0 };

		memcpy(&pi.ipi_spec_dst, a->b, sizeof pi.ipi_spec_dst);
		control_put(h, IPPROTO_IP, IP_PKTINFO, &pi, sizeof pi);
	} else {
		struct in6_pktinfo pi = { 0 };

		memcpy(&pi.ipi6_addr, a->b, sizeof pi.ipi6_addr);
		control_put(h, IPPROTO_IPV6, IPV6_PKTINFO, &pi, sizeof pi);
	}
}

static const struct udp_socket *socket_for(const struct udp *u, const struct path *p)
{
	for (size_t i = 0; i < N_UDP; i++) {
		const struct udp_socket *s = &u->s[i][QUEUE_SA];
		bool v6 = s->kind == SOCK_IKE6 || s->kind == SOCK_NAT6;

		if (s->fd >= 0 && kind_port(s->kind) == p->local.port &&
		    v6 == (p->remote.addr.family == AF_INET6))
			return s;
	}
	return NULL;
}

static enum err send_result(struct udp *u, ssize_t n)
{
	if (n >= 0) {
		u->stats.sent++;
		return OK;
	}
	u->stats.not_sent++;
	return errno == EAGAIN || errno == ENOBUFS ? ERR_BUSY : ERR_NOT_FOUND;
}

enum err udp_send(struct udp *u, const struct path *p, bool marker, struct span d)
{
	const struct udp_socket *s = socket_for(u, p);
	_Alignas(struct cmsghdr) uint8_t control[UDP_CONTROL] = { 0 };
	struct iovec iov[2] = {
		{ .iov_base = (void *)(uintptr_t)marker_bytes,
		  .iov_len = marker ? sizeof marker_bytes : 0 },
		{ .iov_base = (void *)(uintptr_t)d.p, .iov_len = d.len },
	};
	struct sockaddr_storage to;
	struct msghdr h = {
		.msg_name = &to,
		.msg_namelen = endpoint_to_sockaddr(&p->remote, &to),
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = control,
		.msg_controllen = sizeof control,
	};

	if (s == NULL)
		return ERR_UNSUPPORTED;
	if (p->local.addr.family == AF_UNSPEC)
		h.msg_controllen = 0;
	else
		local_put(&h, &p->local.addr);
	return send_result(u, sendmsg(s->fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL));
}

/* ---- life ---- */

enum err udp_new(struct loop *l, udp_fn *message, void *ctx, struct udp **u)
{
	*u = calloc(1, sizeof **u);
	if (*u == NULL)
		return ERR_NOMEM;
	(*u)->loop = l;
	(*u)->message = message;
	(*u)->ctx = ctx;
	for (unsigned int i = 0; i < N_UDP; i++) {
		for (size_t q = 0; q < N_IKE_QUEUES; q++)
			(*u)->s[i][q] =
				(struct udp_socket){ .u = *u, .kind = (enum sock_kind)i, .fd = -1 };
	}
	return OK;
}

enum err udp_add(struct udp *u, enum sock_kind kind, uint8_t queue, int fd)
{
	struct udp_socket *s;

	if ((size_t)kind >= N_UDP || queue >= N_IKE_QUEUES || u->s[kind][queue].fd >= 0) {
		close(fd);
		return ERR_EXISTS;
	}
	s = &u->s[kind][queue];
	s->fd = fd;
	s->watch = (struct loop_watch){ .fd = fd, .ready = udp_ready, .ctx = s };
	return u->begun ? loop_add(u->loop, &s->watch, EPOLLIN) : OK;
}

enum err udp_begin(struct udp *u)
{
	enum err e = OK;

	for (size_t i = 0; i < N_UDP && !u->begun; i++) {
		for (size_t q = 0; q < N_IKE_QUEUES && e == OK; q++) {
			if (u->s[i][q].fd >= 0)
				e = loop_add(u->loop, &u->s[i][q].watch, EPOLLIN);
		}
	}
	u->begun = true;
	return e;
}

void udp_hold(struct udp *u, bool held)
{
	if (held == u->held)
		return;
	u->held = held;
	for (size_t i = 0; i < N_UDP && u->begun; i++) {
		for (size_t q = 0; q < N_IKE_QUEUES; q++) {
			if (u->s[i][q].fd >= 0)
				loop_change(u->loop, &u->s[i][q].watch, held ? 0 : EPOLLIN);
		}
	}
}

void udp_free(struct udp *u)
{
	if (u == NULL)
		return;
	for (size_t i = 0; i < N_UDP; i++) {
		for (size_t q = 0; q < N_IKE_QUEUES; q++) {
			if (u->s[i][q].fd >= 0)
				close(u->s[i][q].fd);
		}
	}
	free(u);
}

const struct udp_stats *udp_stats(const struct udp *u)
{
	return &u->stats;
}
