/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/net/host_outer.h"

#include <linux/xfrm.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "xfrm/host.h"

enum { PORT = 4500, WAIT_MS = 1500, DATAGRAM_MAX = 2048, V4_HEADER = 20 };

/* The first four bytes are an SPI that nobody has. */
static const char payload[] = "\x12\x34\x56\x78outer packet of a test";

static bool bypass(int fd, sa_family_t family, uint8_t dir)
{
	struct xfrm_userpolicy_info up = { .sel = { .family = family },
					   .dir = dir,
					   .action = XFRM_POLICY_ALLOW };
	int level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int option = family == AF_INET6 ? IPV6_XFRM_POLICY : IP_XFRM_POLICY;

	return setsockopt(fd, level, option, &up, sizeof(up)) == 0;
}

static int outer_socket(bool esp, const char *address, bool ours)
{
	struct endpoint e = { .port = esp ? 0 : PORT };
	struct sockaddr_storage ss;
	const int mark = HOST_MARK_OUTER;
	socklen_t len;
	int fd;

	if (!addr_parse(address, &e.addr))
		return -1;
	len = endpoint_to_sockaddr(&e, &ss);
	fd = socket(e.addr.family, esp ? SOCK_RAW : SOCK_DGRAM, esp ? IPPROTO_ESP : IPPROTO_UDP);
	if (fd < 0 || bind(fd, (struct sockaddr *)&ss, len) != 0)
		return -1;
	if (ours && (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) != 0 ||
		     !bypass(fd, e.addr.family, XFRM_POLICY_IN) ||
		     !bypass(fd, e.addr.family, XFRM_POLICY_OUT)))
		return -1;
	return fd;
}

bool outer_ask(bool esp, const char *source, const char *target)
{
	struct endpoint e = { .port = esp ? 0 : PORT };
	struct sockaddr_storage ss;
	socklen_t len;
	int fd = outer_socket(esp, source, true);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool came;

	if (fd < 0 || !addr_parse(target, &e.addr))
		return false;
	len = endpoint_to_sockaddr(&e, &ss);
	came = sendto(fd, payload, sizeof(payload), 0, (struct sockaddr *)&ss, len) ==
		       (ssize_t)sizeof(payload) &&
	       poll(&p, 1, WAIT_MS) == 1;
	close(fd);
	return came;
}

bool outer_echo(bool esp, const char *address)
{
	int fd = outer_socket(esp, address, false);
	uint8_t buf[DATAGRAM_MAX];

	if (fd < 0)
		return false;
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);
		/* Raw IPv4 sockets receive the header too. */
		ssize_t skip = esp && from.ss_family == AF_INET ? V4_HEADER : 0;

		if (n < skip || sendto(fd, buf + skip, (size_t)(n - skip), 0,
				       (struct sockaddr *)&from, len) < 0)
			return false;
	}
}
