/* SPDX-License-Identifier: Apache-2.0 */
/* Outer headers as the socket interface shows them. Replies leave from the address that the SA's
 * path says, by PKTINFO; the TOS of each packet goes along for ECN (RFC 6040).
 */
#include "esp/outer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum {
	IP4_OPTIONS_MAX = 40,
	FLOWINFO = 11, /* IPV6_FLOWINFO of linux/in6.h, which does not go with netinet/in.h */
};

static bool is_v6(enum outer_kind k)
{
	return k == OUTER_UDP6 || k == OUTER_RAW6;
}

static bool is_udp(enum outer_kind k)
{
	return k == OUTER_UDP4 || k == OUTER_UDP6;
}

struct outer_sock outer_sock_of(int fd, enum outer_kind kind)
{
	struct outer_sock s = { .fd = fd, .kind = kind };
	struct sockaddr_storage ss = { 0 };
	struct endpoint self;
	socklen_t len = sizeof(ss);

	if (fd < 0)
		return s;
	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0 ||
	    !endpoint_from_sockaddr(&self, (struct sockaddr *)&ss))
		s.bare = true;
	else if (is_udp(kind))
		s.port = self.port;
	return s;
}

enum err rx_init(struct rx *rx)
{
	*rx = (struct rx){ .buf = malloc((size_t)BATCH * DATAGRAM_MAX) };
	return rx->buf ? OK : ERR_NOMEM;
}

void rx_free(struct rx *rx)
{
	if (rx->buf)
		secret_free(rx->buf, (size_t)BATCH * DATAGRAM_MAX);
	rx->buf = NULL;
}

int rx_fill(struct rx *rx, const struct outer_sock *s)
{
	int n;

	for (int i = 0; i < BATCH; i++) {
		rx->iov[i] = (struct iovec){ rx->buf + (size_t)i * DATAGRAM_MAX, DATAGRAM_MAX };
		rx->m[i].msg_hdr = (struct msghdr){
			.msg_name = s->bare ? NULL : &rx->from[i],
			.msg_namelen = s->bare ? 0 : sizeof(rx->from[i]),
			.msg_iov = &rx->iov[i],
			.msg_iovlen = 1,
			.msg_control = rx->control[i].b,
			.msg_controllen = sizeof(rx->control[i].b),
		};
	}
	n = recvmmsg(s->fd, rx->m, BATCH, MSG_DONTWAIT, NULL);
	return n > 0 ? n : 0;
}

/* The bytes of a control message, when it is the one that is asked for and long enough. */
static bool control_is(struct cmsghdr *c, int level, int type, void *to, size_t len)
{
	if (c->cmsg_level != level || c->cmsg_type != type || c->cmsg_len < CMSG_LEN(len))
		return false;
	memcpy(to, CMSG_DATA(c), len);
	return true;
}

static void read_control(struct msghdr *h, struct esp_datagram *d)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;
		uint8_t tos;
		int value;

		/* Addresses of fixed size cannot be refused. */
		if (control_is(c, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4)))
			(void)!addr_from_span(&d->path.local.addr, span_of(&v4.ipi_addr, 4));
		else if (control_is(c, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6)))
			(void)!addr_from_span(&d->path.local.addr, span_of(&v6.ipi6_addr, 16));
		else if (control_is(c, IPPROTO_IP, IP_TOS, &tos, sizeof(tos)))
			d->tos = tos;
		else if (control_is(c, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof(value)))
			d->tos = (uint8_t)value;
		else if (control_is(c, IPPROTO_IP, IP_TTL, &value, sizeof(value)) ||
			 control_is(c, IPPROTO_IPV6, IPV6_HOPLIMIT, &value, sizeof(value)))
			d->ttl = (uint8_t)value;
	}
}

/* A raw IPv4 socket delivers the IP header, options included. */
static bool strip_v4(struct esp_datagram *d)
{
	struct rd r = rd_from(span_of(d->p, d->len));
	uint8_t first = rd_u8(&r);
	size_t head_len = (size_t)(first & 0x0f) * 4;
	struct addr src, dst;

	d->tos = rd_u8(&r);
	rd_skip(&r, 6);
	d->ttl = rd_u8(&r);
	rd_skip(&r, 3);
	if (!addr_from_span(&src, rd_take(&r, 4)) || !addr_from_span(&dst, rd_take(&r, 4)))
		return false;
	rd_skip(&r, head_len - IP4_HEAD_MIN);
	if (first >> 4 != 4 || head_len < IP4_HEAD_MIN || !rd_ok(&r))
		return false;
	d->path.remote.addr = src;
	d->path.local.addr = dst;
	d->len = rd_left(&r);
	d->p += head_len;
	return true;
}

bool rx_datagram(struct rx *rx, const struct outer_sock *s, int i, struct esp_datagram *d)
{
	struct msghdr *h = &rx->m[i].msg_hdr;

	*d = (struct esp_datagram){ .p = rx->iov[i].iov_base, .len = rx->m[i].msg_len };
	if (h->msg_flags & MSG_TRUNC)
		return false;
	if (!s->bare && h->msg_namelen > 0 && !endpoint_from_sockaddr(&d->path.remote, h->msg_name))
		return false;
	if (!is_udp(s->kind))
		d->path.remote.port = 0;
	d->path.local.port = s->port;
	read_control(h, d);
	return s->kind != OUTER_RAW4 || strip_v4(d);
}

/* Appends one control message behind those that are there. */
static void put_control(struct msghdr *h, int level, int type, const void *body, size_t len)
{
	struct cmsghdr *c =
		(struct cmsghdr *)(void *)((uint8_t *)h->msg_control + h->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), body, len);
	h->msg_controllen += CMSG_SPACE(len);
}

static void put_source(struct msghdr *h, const struct addr *a)
{
	struct in_pktinfo v4 = { 0 };
	struct in6_pktinfo v6 = { 0 };

	if (addr_is_any(a))
		return;
	if (a->family == AF_INET) {
		memcpy(&v4.ipi_spec_dst, a->b, sizeof(v4.ipi_spec_dst));
		put_control(h, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
	} else {
		memcpy(&v6.ipi6_addr, a->b, sizeof(v6.ipi6_addr));
		put_control(h, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
	}
}

static void put_head(struct msghdr *h, bool v6, const struct outer_head *head)
{
	int tos = head->tos, ttl = head->ttl;
	uint32_t label = htonl(head->label);

	if (v6)
		put_control(h, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	else
		put_control(h, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	if (ttl > 0 && v6)
		put_control(h, IPPROTO_IPV6, IPV6_HOPLIMIT, &ttl, sizeof(ttl));
	else if (ttl > 0)
		put_control(h, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	if (v6 && head->label != 0)
		put_control(h, IPPROTO_IPV6, FLOWINFO, &label, sizeof(label));
	if (head->options.len > 0 && head->options.len <= IP4_OPTIONS_MAX)
		put_control(h, IPPROTO_IP, IP_RETOPTS, head->options.p, head->options.len);
}

void outer_address(struct msghdr *h, struct envelope *e, const struct outer_sock *s,
		   const struct path *path, const struct outer_head *head)
{
	struct endpoint to = path->remote;

	h->msg_name = NULL;
	h->msg_namelen = 0;
	h->msg_control = NULL;
	h->msg_controllen = 0;
	if (s->bare)
		return;
	if (!is_udp(s->kind))
		to.port = 0; /* a raw IPv6 socket would read it as a protocol */
	memset(&e->control, 0, sizeof(e->control));
	h->msg_name = &e->name;
	h->msg_namelen = endpoint_to_sockaddr(&to, &e->name);
	h->msg_control = e->control.b;
	put_head(h, is_v6(s->kind), head);
	put_source(h, &path->local.addr);
}

void outer_dont_fragment(const struct outer_sock *s, bool df)
{
	int value = df ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;

	if (s->bare)
		return;
	/* When it fails, the packet is refused as too long: lost, not sent wrongly. */
	if (is_v6(s->kind))
		(void)!setsockopt(s->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &value, sizeof(value));
	else
		(void)!setsockopt(s->fd, IPPROTO_IP, IP_MTU_DISCOVER, &value, sizeof(value));
}

_Static_assert(IP_PMTUDISC_DO == IPV6_PMTUDISC_DO && IP_PMTUDISC_DONT == IPV6_PMTUDISC_DONT,
	       "one value for both families");

static uint32_t reported_mtu(struct msghdr *h)
{
	struct sock_extended_err e;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (!control_is(c, IPPROTO_IP, IP_RECVERR, &e, sizeof(e)) &&
		    !control_is(c, IPPROTO_IPV6, IPV6_RECVERR, &e, sizeof(e)))
			continue;
		if (e.ee_errno == EMSGSIZE)
			return e.ee_info;
	}
	return 0;
}

bool outer_error(const struct outer_sock *s, struct endpoint *to, uint32_t *mtu)
{
	struct sockaddr_storage name = { 0 };
	union {
		struct cmsghdr align;
		uint8_t b[512];
	} control;
	uint8_t payload[64];
	struct iovec iov = { payload, sizeof(payload) };
	struct msghdr h = {
		.msg_name = &name,
		.msg_namelen = sizeof(name),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.b,
		.msg_controllen = sizeof(control.b),
	};

	*mtu = 0;
	*to = (struct endpoint){ 0 };
	if (s->fd < 0 || s->bare || recvmsg(s->fd, &h, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	if (endpoint_from_sockaddr(to, (struct sockaddr *)&name))
		*mtu = reported_mtu(&h);
	return true;
}
