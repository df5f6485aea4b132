/* SPDX-License-Identifier: Apache-2.0 */
/* A flood of IKE_SA_INIT requests from forged addresses, for tests/net/flood:
 *
 *	flood_tool GATEWAY PER-SECOND SECONDS
 *
 * Each comes from another address of 60.0.0.0/6 under another SPI and is whole: an offer, a public
 * value, a nonce, which begin a handshake where no cookie is asked for. Every eighth is something
 * else that strangers send: a cookie of nobody, IKE_AUTH of no SA, another version, garbage. It
 * says how many it sent, and goes only as fast as the machine lets it.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 64,
	IKE = 500,
	SA_AT = 28,
	KE_AT = SA_AT + 48,
	NONCE_AT = KE_AT + 40,
	MESSAGE = NONCE_AT + 36,
	COOKIE = 25, /* the payload that carries one */
};

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t ike[MESSAGE + COOKIE];
} __attribute__((packed));

/* Header; SA: AES-GCM-16 with 256 bits, HMAC-SHA2-256, Curve25519; KE and nonce, to be filled. */
/* clang-format off */
static const uint8_t request[MESSAGE] = {
	1, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,
	33, 0x20, 34, 8,  0, 0, 0, 0,  0, 0, 0, MESSAGE,
	[SA_AT] =
	34, 0, 0, 48,  0, 0, 0, 44,  1, 1, 0, 4,
	3, 0, 0, 12,  1, 0, 0, 20,  0x80, 14, 1, 0,
	3, 0, 0, 8,  2, 0, 0, 5,
	3, 0, 0, 8,  2, 0, 0, 6,
	0, 0, 0, 8,  4, 0, 0, 31,
	[KE_AT] = 40, 0, 0, 40,  0, 31, 0, 0,
	[NONCE_AT] = 0, 0, 0, 36,
};
/* clang-format on */

static uint64_t chance = 88172645463325252u;

static uint64_t roll(void)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return chance;
}

static void fill(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)roll();
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static size_t bend(struct packet *p, uint64_t i)
{
	static const uint8_t notify[] = { 33, 0, 0, COOKIE, 0, 0, 0x40, 0x06 };

	switch (i / 8 % 4) {
	case 0: /* a cookie of nobody, before the rest */
		memmove(p->ike + SA_AT + COOKIE, p->ike + SA_AT, MESSAGE - SA_AT);
		memcpy(p->ike + SA_AT, notify, sizeof(notify));
		p->ike[16] = 41;
		p->ike[27] = MESSAGE + COOKIE;
		return MESSAGE + COOKIE;
	case 1:
		p->ike[8] = 1;
		p->ike[18] = 35;
		break;
	case 2:
		p->ike[17] = 0x10;
		break;
	default:
		fill(p->ike, MESSAGE);
		break;
	}
	return MESSAGE;
}

static size_t make(struct packet *p, const struct in_addr *to, uint64_t i)
{
	size_t len = MESSAGE;

	memset(p, 0, sizeof(*p));
	memcpy(p->ike, request, sizeof(request));
	fill(p->ike, 8);
	p->ike[0] |= 1;
	fill(p->ike + KE_AT + 8, 32);
	fill(p->ike + NONCE_AT + 4, 32);
	if (i % 8 == 7)
		len = bend(p, i);
	len += sizeof(p->udp);
	p->udp.source = htons((uint16_t)(1024 + roll() % 60000));
	p->udp.dest = htons(IKE);
	p->udp.len = htons((uint16_t)len);
	p->ip.version = 4;
	p->ip.ihl = 5;
	p->ip.ttl = 60;
	p->ip.protocol = IPPROTO_UDP;
	p->ip.saddr = htonl((uint32_t)(60u << 24 | (roll() & 0x03ffffff)));
	p->ip.daddr = to->s_addr;
	return sizeof(p->ip) + len;
}

static uint64_t send_batch(int fd, const struct sockaddr_in *to, uint64_t at)
{
	static struct packet packets[BATCH];
	struct mmsghdr m[BATCH] = { 0 };
	struct iovec iov[BATCH];
	int n;

	for (size_t i = 0; i < BATCH; i++) {
		iov[i].iov_base = &packets[i];
		iov[i].iov_len = make(&packets[i], &to->sin_addr, at + i);
		m[i].msg_hdr = (struct msghdr){ .msg_name = (void *)(uintptr_t)to,
						.msg_namelen = sizeof(*to),
						.msg_iov = &iov[i],
						.msg_iovlen = 1 };
	}
	n = sendmmsg(fd, m, BATCH, 0);
	return n > 0 ? (uint64_t)n : 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	uint64_t rate, end, begin = now_ns(), sent = 0;
	int fd;

	if (argc != 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: flood_tool GATEWAY PER-SECOND SECONDS\n");
		return 2;
	}
	rate = strtoull(argv[2], NULL, 10);
	end = begin + strtoull(argv[3], NULL, 10) * 1000000000u;
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0) {
		perror("flood_tool");
		return 1;
	}
	for (uint64_t now = begin; now < end; now = now_ns()) {
		/* What was due so far; a machine that was too slow does not catch up in a burst. */
		if (sent * 1000000 > (now - begin) / 1000 * rate) {
			usleep(500);
			continue;
		}
		sent += send_batch(fd, &to, sent);
	}
	printf("%" PRIu64 " datagrams, %" PRIu64 " a second\n", sent,
	       sent * 1000000000u / (now_ns() - begin));
	close(fd);
	return sent == 0;
}
