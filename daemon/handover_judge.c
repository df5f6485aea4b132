/* SPDX-License-Identifier: Apache-2.0 */
/* Is a descriptor what its place in the record says? A number that is wrong would have one
 * process's secrets written into another one's socket. */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/udp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/handover.h"
#include "daemon/sealed.h"
#include "daemon/vault_memory.h"

static const char *const names[] = {
	[HANDOVER_IKE] = "UDP 500",
	[HANDOVER_NAT] = "UDP 4500",
	[HANDOVER_PROBE] = "a probe",
	[HANDOVER_RAW] = "raw ESP",
	[HANDOVER_ENCAP] = "the kernel's UDP 4500",
	[HANDOVER_TUN] = "a queue of a TUN device",
	[HANDOVER_CONTROL] = "the control socket",
	[HANDOVER_NOTIFY] = "the service manager's socket",
	[HANDOVER_BUNDLE] = "a bundle of the configuration",
	[HANDOVER_MEMORY] = "a process's memory",
};

static int option_of(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int v = -1;

	return getsockopt(fd, level, name, &v, &len) == 0 && len == sizeof v ? v : -1;
}

static bool is_socket(int fd, int domain, int type, int protocol)
{
	return option_of(fd, SOL_SOCKET, SO_DOMAIN) == domain &&
	       option_of(fd, SOL_SOCKET, SO_TYPE) == type &&
	       option_of(fd, SOL_SOCKET, SO_PROTOCOL) == protocol;
}

static bool is_bound(int fd, uint16_t port)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof ss;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return false;
	if (ss.ss_family == AF_INET)
		return ((const struct sockaddr_in *)&ss)->sin_port == htons(port);
	return ss.ss_family == AF_INET6 &&
	       ((const struct sockaddr_in6 *)&ss)->sin6_port == htons(port);
}

static bool is_udp(const struct handover_place *p, uint16_t port)
{
	return is_socket(*p->fd, p->v == 0 ? AF_INET : AF_INET6, SOCK_DGRAM, IPPROTO_UDP) &&
	       is_bound(*p->fd, port);
}

static bool is_queue(int fd, const char *device)
{
	struct ifreq ifr = { .ifr_flags = 0 };

	return ioctl(fd, TUNGETIFF, &ifr) == 0 && (ifr.ifr_flags & IFF_TUN) != 0 &&
	       strncmp(ifr.ifr_name, device, sizeof ifr.ifr_name) == 0;
}

static bool is_right(const struct handover_place *p)
{
	const int family = p->v == 0 ? AF_INET : AF_INET6, fd = *p->fd;

	switch (p->kind) {
	case HANDOVER_IKE:
		return is_udp(p, IKE_PORT);
	case HANDOVER_NAT:
		return is_udp(p, NAT_PORT) && option_of(fd, IPPROTO_UDP, UDP_ENCAP) == 0;
	case HANDOVER_ENCAP:
		return is_udp(p, NAT_PORT) &&
		       option_of(fd, IPPROTO_UDP, UDP_ENCAP) == UDP_ENCAP_ESPINUDP;
	case HANDOVER_PROBE:
		return is_socket(fd, family, SOCK_DGRAM, IPPROTO_UDP);
	case HANDOVER_RAW:
		return is_socket(fd, family, SOCK_RAW, IPPROTO_ESP);
	case HANDOVER_TUN:
		return is_queue(fd, p->device);
	case HANDOVER_CONTROL:
		return is_socket(fd, AF_UNIX, SOCK_STREAM, 0) &&
		       option_of(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1;
	case HANDOVER_NOTIFY:
		return is_socket(fd, AF_UNIX, SOCK_DGRAM, 0);
	case HANDOVER_BUNDLE:
		return sealed_is(fd);
	case HANDOVER_MEMORY:
		return vault_memory_is(fd);
	}
	return false;
}

static bool judge_one(void *ctx, const struct handover_place *p)
{
	char *why = ctx;

	if (*p->fd < 0 || is_right(p))
		return true;
	snprintf(why, HANDOVER_WHY_MAX, "descriptor %d is not %s%s", *p->fd, names[p->kind],
		 p->v == 1 ? " of IPv6" : "");
	return false;
}

/* ---- the same thing in two places: two processes would share what is one's ---- */

struct thing {
	dev_t dev;
	ino_t ino;
};

struct things {
	struct thing *v;
	size_t n;
	char *why;
};

static bool count_one(void *ctx, const struct handover_place *p)
{
	size_t *n = ctx;

	(void)p;
	++*n;
	return true;
}

/* The queues of all devices are one file to the kernel, so those are not told apart. */
static bool is_new(void *ctx, const struct handover_place *p)
{
	struct things *t = ctx;
	struct stat st;

	if (*p->fd < 0 || p->kind == HANDOVER_TUN)
		return true;
	if (fstat(*p->fd, &st) != 0)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].dev == st.st_dev && t->v[i].ino == st.st_ino) {
			snprintf(t->why, HANDOVER_WHY_MAX, "descriptor %d, %s, has another place, too",
				 *p->fd, names[p->kind]);
			return false;
		}
	}
	t->v[t->n++] = (struct thing){ .dev = st.st_dev, .ino = st.st_ino };
	return true;
}

static enum err judge_twins(struct handover *h, char why[static HANDOVER_WHY_MAX])
{
	struct things t = { .why = why };
	size_t most = 0;
	bool good;

	(void)handover_each(h, count_one, &most);
	t.v = calloc(most, sizeof *t.v);
	if (t.v == NULL)
		return ERR_NOMEM;
	good = handover_each(h, is_new, &t);
	free(t.v);
	return good ? OK : ERR_DENIED;
}

enum err handover_judge(struct handover *h, char why[static HANDOVER_WHY_MAX])
{
	return handover_each(h, judge_one, why) ? judge_twins(h, why) : ERR_DENIED;
}
