/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sockets.h"

#include <errno.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/owner.h"
#include "daemon/steer.h"
#include "esp/esp.h"
#include "xfrm/host.h"

enum {
	IKE_BUFFER = 2 * 1024 * 1024,
	ESP_BUFFER = ESP_SOCKET_BUFFER,
};

struct option {
	int level;
	int name;
	int value;
};

/* IKE messages may be fragmented on the way where IKE fragmentation is off, so without DF. */
static const struct option ike4[] = {
	{ SOL_SOCKET, SO_MARK, HOST_MARK_OUTER },
	{ SOL_SOCKET, SO_RCVBUFFORCE, IKE_BUFFER },
	{ IPPROTO_IP, IP_PKTINFO, 1 },
	{ IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT },
	{ 0 },
};

static const struct option ike6[] = {
	{ SOL_SOCKET, SO_MARK, HOST_MARK_OUTER },
	{ SOL_SOCKET, SO_RCVBUFFORCE, IKE_BUFFER },
	{ IPPROTO_IPV6, IPV6_V6ONLY, 1 },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO, 1 },
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT },
	{ 0 },
};

/* ESP packets have DF: an inner packet that is too big is told so, or fragmented before it is
 * encrypted. The outer header's ECN bits are wanted for RFC 6040, and its TTL for transport mode,
 * where it is the packet's; what routers say of the path's MTU comes by the error queue. */
static const struct option esp4[] = {
	{ SOL_SOCKET, SO_MARK, HOST_MARK_OUTER },
	{ SOL_SOCKET, SO_RCVBUFFORCE, ESP_BUFFER },
	{ SOL_SOCKET, SO_SNDBUFFORCE, ESP_BUFFER },
	{ IPPROTO_IP, IP_PKTINFO, 1 },
	{ IPPROTO_IP, IP_RECVTOS, 1 },
	{ IPPROTO_IP, IP_RECVTTL, 1 },
	{ IPPROTO_IP, IP_RECVERR, 1 },
	{ IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO },
	{ 0 },
};

static const struct option esp6[] = {
	{ SOL_SOCKET, SO_MARK, HOST_MARK_OUTER },
	{ SOL_SOCKET, SO_RCVBUFFORCE, ESP_BUFFER },
	{ SOL_SOCKET, SO_SNDBUFFORCE, ESP_BUFFER },
	{ IPPROTO_IPV6, IPV6_V6ONLY, 1 },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO, 1 },
	{ IPPROTO_IPV6, IPV6_RECVTCLASS, 1 },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1 },
	{ IPPROTO_IPV6, IPV6_RECVERR, 1 },
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO },
	{ 0 },
};

/* A raw socket knows no IPv4 on IPv6, and refuses to be asked (EINVAL). */
static const struct option raw6[] = {
	{ SOL_SOCKET, SO_MARK, HOST_MARK_OUTER },
	{ SOL_SOCKET, SO_RCVBUFFORCE, ESP_BUFFER },
	{ SOL_SOCKET, SO_SNDBUFFORCE, ESP_BUFFER },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO, 1 },
	{ IPPROTO_IPV6, IPV6_RECVTCLASS, 1 },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1 },
	{ IPPROTO_IPV6, IPV6_RECVERR, 1 },
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO },
	{ 0 },
};

/* ESP in UDP that the kernel decrypts. What is sent by it never passes a socket. */
static const struct option encap4[] = {
	{ IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP },
	{ 0 },
};

static const struct option encap6[] = {
	{ IPPROTO_IPV6, IPV6_V6ONLY, 1 },
	{ IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP },
	{ 0 },
};

static const struct option *const encap_options[2] = { encap4, encap6 };
static const struct option *const ike_options[2] = { ike4, ike6 };
static const struct option *const esp_options[2] = { esp4, esp6 };
static const struct option *const raw_options[2] = { esp4, raw6 };
static const int families[2] = { AF_INET, AF_INET6 };

/* An allow policy of the socket's own, in and out: it stands above every policy of the machine, our
 * guards as well (RFC 7296 would never get through to set up what lifts them). */
static bool bypass(int fd, int v)
{
	struct xfrm_userpolicy_info p = { .action = XFRM_POLICY_ALLOW,
					  .sel.family = (uint16_t)families[v] };
	int level = v == 0 ? IPPROTO_IP : IPPROTO_IPV6;
	int name = v == 0 ? IP_XFRM_POLICY : IPV6_XFRM_POLICY;

	p.dir = XFRM_POLICY_OUT;
	if (setsockopt(fd, level, name, &p, sizeof p) != 0)
		return false;
	p.dir = XFRM_POLICY_IN;
	return setsockopt(fd, level, name, &p, sizeof p) == 0;
}

static bool options_set(int fd, const struct option *o)
{
	for (; o->value != 0 || o->name != 0; o++) {
		if (setsockopt(fd, o->level, o->name, &o->value, sizeof o->value) != 0)
			return false;
	}
	return true;
}

struct opening {
	int v; /* 0: IPv4, 1: IPv6 */
	int type;
	int protocol;
	const struct option *options;
	uint16_t port; /* 0: not bound */
	enum { ALONE, FOUNDS, JOINS } group;
};

static bool reuse_port(int fd)
{
	const int one = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0;
}

/* Who founds a group binds as if there were none, so that a port that somebody else has, another
 * posternd too, is not shared with him. */
static bool opening_bind(int fd, const struct opening *o)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(o->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(o->port) };
	bool bound;

	if (o->group == JOINS && !reuse_port(fd))
		return false;
	if (o->port == 0)
		return true;
	bound = o->v == 0 ? bind(fd, (const struct sockaddr *)&in, sizeof in) == 0
			  : bind(fd, (const struct sockaddr *)&in6, sizeof in6) == 0;
	return bound && (o->group != FOUNDS || reuse_port(fd));
}

/* -1 and OK: the machine does not have this family. */
static enum err open_one(const struct opening *o, int *fd, char why[static SOCKETS_WHY_MAX])
{
	int saved;

	*fd = socket(families[o->v], o->type | SOCK_CLOEXEC | SOCK_NONBLOCK, o->protocol);
	if (*fd < 0 && o->v == 1 && (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT))
		return OK;
	if (*fd >= 0 && options_set(*fd, o->options) && bypass(*fd, o->v) && opening_bind(*fd, o))
		return OK;
	saved = errno;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	if (saved == EADDRINUSE) {
		owner_explain(o->port, why, SOCKETS_WHY_MAX);
		return ERR_EXISTS;
	}
	snprintf(why, SOCKETS_WHY_MAX, "cannot make the %s socket for %s: %s",
		 o->v == 0 ? "IPv4" : "IPv6",
		 o->type == SOCK_RAW   ? "ESP"
		 : o->port == IKE_PORT ? "UDP 500"
				       : "UDP 4500",
		 strerror(saved));
	return ERR_SYSTEM;
}

static enum err open_encap(struct sockets *s, const struct opening *o,
			   char why[static SOCKETS_WHY_MAX])
{
	enum err e = open_one(o, &s->encap[o->v], why);

	if (e == OK && s->encap[o->v] >= 0)
		e = steer_drop_all(s->encap[o->v]);
	return e;
}

/* The engine's others of a group that it has founded. */
static enum err open_queues(struct opening *o, int queue[static N_IKE_QUEUES],
			    char why[static SOCKETS_WHY_MAX])
{
	enum err e = OK;

	o->options = ike_options[o->v];
	for (int i = QUEUE_FIRST; i < N_IKE_QUEUES && e == OK && queue[QUEUE_SA] >= 0; i++)
		e = open_one(o, &queue[i], why);
	return e;
}

static enum err steered(enum err e, const struct opening *o, char why[static SOCKETS_WHY_MAX])
{
	if (e != OK)
		snprintf(why, SOCKETS_WHY_MAX, "cannot steer UDP %d: %s", o->port, strerror(errno));
	return e;
}

/* UDP 500: nothing but IKE. */
static enum err open_ike(struct sockets *s, int v, char why[static SOCKETS_WHY_MAX])
{
	struct opening o = { .v = v,
			     .type = SOCK_DGRAM,
			     .options = ike_options[v],
			     .port = IKE_PORT,
			     .group = FOUNDS };
	enum err e = open_one(&o, &s->ike[v][QUEUE_SA], why);

	o.group = JOINS;
	if (e == OK)
		e = open_queues(&o, s->ike[v], why);
	if (e == OK && s->ike[v][QUEUE_SA] >= 0)
		e = steered(steer_attach_ike(s->ike[v][QUEUE_SA]), &o, why);
	return e;
}

/* Member 0 first, then the workers in order, the kernel's, and the engine's others: a member's
 * number is the order of binding. */
static enum err open_group(struct sockets *s, int v, bool kernel, char why[static SOCKETS_WHY_MAX])
{
	struct opening o = { .v = v,
			     .type = SOCK_DGRAM,
			     .options = ike_options[v],
			     .port = NAT_PORT,
			     .group = FOUNDS };
	enum err e = open_one(&o, &s->nat[v][QUEUE_SA], why);
	int founder = s->nat[v][QUEUE_SA];

	o.group = JOINS;
	o.options = esp_options[v];
	for (unsigned int i = 0; i < s->n_workers && e == OK && founder >= 0; i++)
		e = open_one(&o, &s->worker[v][i], why);
	o.options = encap_options[v];
	if (e == OK && kernel && founder >= 0)
		e = open_encap(s, &o, why);
	if (e == OK)
		e = open_queues(&o, s->nat[v], why);
	if (e == OK && founder >= 0)
		e = steered(steer_attach(founder, s->n_workers, kernel), &o, why);
	return e;
}

static enum err open_family(struct sockets *s, int v, bool kernel, char why[static SOCKETS_WHY_MAX])
{
	const struct opening probe = { .v = v, .type = SOCK_DGRAM, .options = ike_options[v] };
	const struct opening raw = { .v = v,
				     .type = SOCK_RAW,
				     .protocol = IPPROTO_ESP,
				     .options = raw_options[v] };
	enum err e = open_ike(s, v, why);

	if (e == OK)
		e = open_group(s, v, kernel, why);
	if (e == OK)
		e = open_one(&probe, &s->probe[v], why);
	if (e == OK)
		e = open_one(&raw, &s->raw[v], why);
	if (e == OK && s->raw[v] >= 0)
		e = steer_raw(s->raw[v], v == 1);
	return e;
}

enum err sockets_open(struct sockets *s, unsigned int n_workers, bool kernel,
		      char why[static SOCKETS_WHY_MAX])
{
	enum err e = OK;

	memset(s, 0xff, sizeof *s); /* every descriptor -1 */
	s->n_workers = n_workers < SOCKETS_WORKERS_MAX ? n_workers : SOCKETS_WORKERS_MAX;
	for (int v = 0; v < 2 && e == OK; v++)
		e = open_family(s, v, kernel, why);
	if (e != OK)
		sockets_close(s);
	return e;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void sockets_close(struct sockets *s)
{
	for (int v = 0; v < 2; v++) {
		for (int i = 0; i < N_IKE_QUEUES; i++) {
			close_one(&s->ike[v][i]);
			close_one(&s->nat[v][i]);
		}
		close_one(&s->probe[v]);
		close_one(&s->raw[v]);
		close_one(&s->encap[v]);
		for (unsigned int i = 0; i < SOCKETS_WORKERS_MAX; i++)
			close_one(&s->worker[v][i]);
	}
}
