/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/route.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PROBE_PORT = 4500, MTU_LARGEST = 65535 };

/* An earlier answer must not decide this one: the source address of a connected socket sticks. */
static int ask(const struct route *r, const struct addr *to)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	const struct endpoint e = { .addr = *to, .port = PROBE_PORT };
	int fd = r->fd[to->family == AF_INET6];
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&e, &ss);

	if (fd < 0 || connect(fd, &nobody, sizeof nobody) != 0)
		return -1;
	return connect(fd, (const struct sockaddr *)&ss, len) == 0 ? fd : -1;
}

bool route_local(const struct route *r, const struct addr *to, struct addr *local)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	struct endpoint e;
	int fd = ask(r, to);

	if (fd < 0 || getsockname(fd, (struct sockaddr *)&ss, &len) != 0 ||
	    !endpoint_from_sockaddr(&e, (const struct sockaddr *)&ss))
		return false;
	*local = e.addr;
	return !addr_is_any(local);
}

/* Also those that a bind would not find, in the table of a VRF. */
static bool on_a_device(const struct addr *a)
{
	struct ifaddrs *all = NULL;
	bool found = false;

	if (getifaddrs(&all) != 0)
		return true;
	for (const struct ifaddrs *i = all; i != NULL && !found; i = i->ifa_next) {
		struct endpoint e;

		found = i->ifa_addr != NULL && endpoint_from_sockaddr(&e, i->ifa_addr) &&
			addr_eq(&e.addr, a);
	}
	freeifaddrs(all);
	return found;
}

bool route_is_here(const struct addr *a)
{
	const struct endpoint e = { .addr = *a };
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&e, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool missing = fd >= 0 && bind(fd, (const struct sockaddr *)&ss, len) != 0 &&
		       errno == EADDRNOTAVAIL;

	if (fd >= 0)
		close(fd);
	return !missing || on_a_device(a);
}

uint16_t route_mtu(const struct route *r, const struct addr *to)
{
	bool v6 = to->family == AF_INET6;
	int mtu = 0, fd = ask(r, to);
	socklen_t len = sizeof mtu;

	if (fd < 0 ||
	    getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &len) !=
		    0 ||
	    mtu <= 0)
		return 0;
	return (uint16_t)(mtu < MTU_LARGEST ? mtu : MTU_LARGEST);
}
