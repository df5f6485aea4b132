/* SPDX-License-Identifier: Apache-2.0 */
/* Our packet path as a command, for judges from outside.
 *
 *	esp-tool seal NAME=VALUE...	inner packets (a hexadecimal line each) become ESP packets
 *	esp-tool open NAME=VALUE...	ESP packets become inner packets, or "drop REASON"
 *	esp-tool gateway NAME=VALUE...	a gateway with one SA each way on a TUN and sockets of its
 *					own, until standard input ends
 *
 * Names: encr, bits, integ (IANA numbers), key, auth (hexadecimal), spi, seq (last number sent, or
 * highest received), esn, encap, transport, local, remote (outer addresses), natlocal, natremote
 * (what the peer sums), inside, outside (networks); and for gateway: dev, in (SPI that the peer
 * sends to), mark.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "esp/esp.h"
#include "esp/inbound.h"
#include "esp/outbound.h"

enum { PACKET_MAX = 65536, LINE_MAX_LEN = 2 * PACKET_MAX + 2 };

struct options {
	struct sa_desc d;
	struct ts inside, outside;
	uint32_t mark; /* of what the gateway's sockets send */
	uint32_t spi_in;
	uint64_t seq;
	char dev[IFNAMSIZ];
};

static void die(const char *why)
{
	fprintf(stderr, "esp-tool: %s\n", why);
	exit(2);
}

static size_t from_hex(const char *hex, uint8_t *out, size_t size)
{
	size_t n = strcspn(hex, "\n") / 2;

	if (n > size)
		die("too long");
	for (size_t i = 0; i < n; i++) {
		char byte[3] = { hex[2 * i], hex[2 * i + 1], 0 };

		out[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return n;
}

static void print_hex(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		printf("%02x", s.p[i]);
	printf("\n");
	fflush(stdout);
}

static void set_key(struct key *k, const char *hex)
{
	k->len = (uint8_t)from_hex(hex, k->b, sizeof(k->b));
}

static void set_addr(struct endpoint *e, const char *text)
{
	if (!addr_parse(text, &e->addr))
		die("bad address");
	e->port = 4500;
}

static void set_nat(struct addr *a, const char *text)
{
	if (!addr_parse(text, a))
		die("bad address");
}

static void set_net(struct ts *t, const char *text)
{
	struct net n;

	if (!net_parse(text, &n))
		die("bad network");
	*t = ts_from_net(&n);
}

static bool set_text(struct options *o, const char *name, const char *value)
{
	if (strcmp(name, "key") == 0)
		set_key(&o->d.encr_key, value);
	else if (strcmp(name, "auth") == 0)
		set_key(&o->d.integ_key, value);
	else if (strcmp(name, "local") == 0)
		set_addr(&o->d.path.local, value);
	else if (strcmp(name, "remote") == 0)
		set_addr(&o->d.path.remote, value);
	else if (strcmp(name, "inside") == 0)
		set_net(&o->inside, value);
	else if (strcmp(name, "outside") == 0)
		set_net(&o->outside, value);
	else if (strcmp(name, "natlocal") == 0)
		set_nat(&o->d.nat_local, value);
	else if (strcmp(name, "natremote") == 0)
		set_nat(&o->d.nat_remote, value);
	else if (strcmp(name, "dev") == 0)
		snprintf(o->dev, sizeof(o->dev), "%s", value);
	else
		return false;
	return true;
}

static void set_number(struct options *o, const char *name, uint64_t v)
{
	if (strcmp(name, "encr") == 0)
		o->d.encr_id = (uint16_t)v;
	else if (strcmp(name, "bits") == 0)
		o->d.encr_key_bits = (uint16_t)v;
	else if (strcmp(name, "integ") == 0)
		o->d.integ_id = (uint16_t)v;
	else if (strcmp(name, "spi") == 0)
		o->d.spi = (uint32_t)v;
	else if (strcmp(name, "in") == 0)
		o->spi_in = (uint32_t)v;
	else if (strcmp(name, "seq") == 0)
		o->seq = v;
	else if (strcmp(name, "esn") == 0)
		o->d.esn = v;
	else if (strcmp(name, "encap") == 0)
		o->d.encap = v;
	else if (strcmp(name, "mark") == 0)
		o->mark = (uint32_t)v;
	else if (strcmp(name, "transport") == 0)
		o->d.mode = v ? SA_TRANSPORT : SA_TUNNEL;
	else
		die("unknown name");
}

static void read_options(struct options *o, char **argv)
{
	*o = (struct options){ .d = { .encap = true } };
	set_net(&o->inside, "10.1.0.0/16");
	set_net(&o->outside, "10.2.0.0/16");
	set_addr(&o->d.path.local, "192.0.2.1");
	set_addr(&o->d.path.remote, "192.0.2.2");
	for (; *argv; argv++) {
		char *value = strchr(*argv, '=');

		if (!value)
			die("NAME=VALUE is wanted");
		*value++ = 0;
		if (!set_text(o, *argv, value))
			set_number(o, *argv, strtoull(value, NULL, 0));
	}
	o->d.local = (struct ts_list){ 1, &o->inside };
	o->d.remote = (struct ts_list){ 1, &o->outside };
}

static void seal_line(struct sa *sa, struct span p)
{
	static uint8_t out[PACKET_MAX + ESP_ROOM];
	struct wr w = wr_into(out, sizeof(out));
	enum drop why = outbound_seal(sa, p, p.len > 0 && p.p[0] >> 4 == 6 ? 6 : 4, 1, &w);

	if (why == DROP_NONE)
		print_hex(wr_done(&w));
	else
		printf("drop %s\n", drop_name(why));
}

static void open_line(struct sa *sa, uint8_t *p, size_t len)
{
	struct esp_datagram d = { .p = p, .len = len };
	static uint8_t room[PACKET_MAX];
	struct opened o = { .room = wr_into(room, sizeof(room)) };
	enum drop why = inbound_open(sa, &d, 1, &o);

	if (why == DROP_NONE)
		print_hex(span_of(o.p, o.in.len));
	else
		printf("drop %s\n", drop_name(why));
}

static int run_lines(struct options *o, enum sa_dir dir)
{
	static char line[LINE_MAX_LEN];
	static uint8_t p[PACKET_MAX];
	struct sa *sa;

	o->d.dir = dir;
	if (esp_sa_new(&o->d, NULL, &sa) != OK)
		die("the SA cannot be made");
	atomic_store(&sa->tally->seq, o->seq);
	sa->tally->replay.top = o->seq;
	while (fgets(line, sizeof(line), stdin)) {
		size_t len = from_hex(line, p, sizeof(p));

		if (dir == SA_OUT)
			seal_line(sa, span_of(p, len));
		else
			open_line(sa, p, len);
	}
	esp_sa_free(sa);
	return 0;
}

/* ---- gateway ---- */

static int tun_open(const char *dev)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", dev);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) != 0)
		die("no TUN device");
	return fd;
}

static void set_option(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) != 0)
		die("setsockopt");
}

/* What esp.h asks of who makes the sockets. */
static int sock_open(const struct options *o, int family, int type, int proto)
{
	int fd = socket(family, type | SOCK_CLOEXEC, proto);

	if (fd < 0)
		die("socket");
	set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, ESP_SOCKET_BUFFER);
	set_option(fd, SOL_SOCKET, SO_MARK, (int)o->mark);
	if (family == AF_INET) {
		set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
		set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
		set_option(fd, IPPROTO_IP, IP_RECVTTL, 1);
		set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
		set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	} else {
		if (type == SOCK_DGRAM)
			set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO);
	}
	return fd;
}

static int udp_open(const struct options *o, int family)
{
	struct endpoint any = { .addr.family = (sa_family_t)family, .port = 4500 };
	struct sockaddr_storage ss;
	int fd = sock_open(o, family, SOCK_DGRAM, 0);
	socklen_t len = endpoint_to_sockaddr(&any, &ss);

	if (bind(fd, (struct sockaddr *)&ss, len) != 0)
		die("bind");
	return fd;
}

static void on_ike(void *ctx, const struct path *p, struct span d)
{
	char buf[ENDPOINT_TEXT_MAX], local[ENDPOINT_TEXT_MAX];

	(void)ctx;
	printf("ike %zu from %s to %s\n", d.len, endpoint_text(&p->remote, buf),
	       endpoint_text(&p->local, local));
	fflush(stdout);
}

static void on_event(void *ctx, const struct plane_event *ev)
{
	static const char *const names[] = {
		[PLANE_ACQUIRE] = "acquire",
		[PLANE_EXPIRE] = "expire",
		[PLANE_MAPPING] = "mapping",
		[PLANE_MTU] = "mtu",
	};

	(void)ctx;
	printf("event %s mtu=%u spi=%08" PRIx32 "\n", names[ev->kind], ev->mtu, ev->spi);
	fflush(stdout);
}

static void install(struct esp *e, struct sa_desc *d, enum sa_dir dir, uint32_t spi)
{
	struct sa_cmd cmd = { .op = SA_INSTALL };
	struct sa_done done;

	d->dir = dir;
	d->spi = spi;
	cmd.sa = *d;
	esp_command(e, &cmd, &done);
	if (done.err != OK)
		die(err_text(done.err));
}

static void print_query(struct esp *e, struct sa_desc *d, enum sa_dir dir, uint32_t spi)
{
	struct sa_cmd cmd = { .op = SA_QUERY };
	struct sa_done done;

	d->dir = dir;
	d->spi = spi;
	cmd.sa = *d;
	esp_command(e, &cmd, &done);
	printf("%s packets=%" PRIu64 " bytes=%" PRIu64 "\n", dir == SA_IN ? "in" : "out",
	       done.counters.packets, done.counters.bytes);
}

static int run_gateway(struct options *o)
{
	struct esp_env env = {
		.n_workers = 1,
		.tun_fd = { tun_open(o->dev) },
		.udp4_fd = { udp_open(o, AF_INET) },
		.udp6_fd = { udp_open(o, AF_INET6) },
		.raw4_fd = sock_open(o, AF_INET, SOCK_RAW, IPPROTO_ESP),
		.raw6_fd = sock_open(o, AF_INET6, SOCK_RAW, IPPROTO_ESP),
		.to_engine = on_ike,
		.event = on_event,
	};
	uint32_t spi_out = o->d.spi; /* d.spi changes with what is asked */
	struct esp_drops drops;
	struct esp *e;

	if (esp_new(&env, &e) != OK)
		die("esp_new");
	install(e, &o->d, SA_IN, o->spi_in);
	install(e, &o->d, SA_OUT, spi_out);
	if (esp_start(e) != OK)
		die("esp_start");
	printf("ready mtu=%u\n", esp_inner_mtu(&o->d, 1500));
	fflush(stdout);
	while (getchar() != EOF)
		;
	print_query(e, &o->d, SA_OUT, spi_out);
	print_query(e, &o->d, SA_IN, o->spi_in);
	esp_drops(e, &drops);
	for (size_t i = 0; i < N_DROPS; i++)
		if (drops.n[i] > 0)
			printf("drop %s %" PRIu64 "\n", drop_name((enum drop)i), drops.n[i]);
	esp_free(e);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o;

	if (argc < 2)
		die("seal, open or gateway");
	read_options(&o, argv + 2);
	if (strcmp(argv[1], "seal") == 0)
		return run_lines(&o, SA_OUT);
	if (strcmp(argv[1], "open") == 0)
		return run_lines(&o, SA_IN);
	if (strcmp(argv[1], "gateway") == 0)
		return run_gateway(&o);
	die("seal, open or gateway");
}
