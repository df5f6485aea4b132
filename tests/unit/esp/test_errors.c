/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP errors that selectors do not allow, about packets that they do (RFC 4301 6): which pass, in
 * which direction, and which do not.
 */
#include "esp/icmp.h"

#include <string.h>

#include "esp/checksum.h"
#include "esp/select.h"
#include "tests/unit/esp/gateway.h"
#include "tests/unit/unit.h"

enum { QUOTE = 28 };

/* An ICMP message of that type from `from` to `to`, which quotes this much of a packet. */
static struct span error(uint8_t *buf, uint8_t type, const char *from, const char *to,
			 struct span quoted)
{
	size_t quote = quoted.len;
	bool v6 = quoted.p[0] >> 4 == 6;
	size_t head = v6 ? IP6_HEAD_LEN : IP4_HEAD_MIN, len = head + 8 + quote;

	kit_udp(buf, len, from, to);
	memset(buf + head, 0, 8);
	buf[head] = type;
	memcpy(buf + head + 8, quoted.p, quote);
	if (v6) {
		buf[6] = PROTO_ICMPV6;
	} else {
		buf[9] = PROTO_ICMP;
		kit_fix_v4(buf);
	}
	return span_of(buf, len);
}

static const struct {
	const char *why;
	uint8_t type4, type6;
	size_t cut; /* of the quote; 0: not */
	bool good;
} kinds[] = {
	{ "unreachable", 3, 1, 0, true },
	{ "expired", 11, 3, 0, true },
	{ "parameter problem", 12, 4, 0, true },
	{ "IPv6: too big; IPv4: source quench", 4, 2, 0, false },
	{ "redirect", 5, 137, 0, false },
	{ "echo request", 8, 128, 0, false },
	{ "echo reply", 0, 129, 0, false },
	{ "a quote without ports", 3, 1, 2, false },
	{ "a quote of ports alone", 3, 1, 4, true },
	{ "no quote", 3, 1, SIZE_MAX, false },
};

START_TEST(an_error_tells_what_it_is_about)
{
	for (int v6 = 0; v6 < 2; v6++) {
		const char *ours = v6 ? "2001:db8:1::1" : "10.1.0.1";
		const char *theirs = v6 ? "2001:db8:2::1" : "10.2.0.1";
		const char *router = v6 ? "2001:db8:ff::1" : "172.16.0.1";
		size_t head = v6 ? IP6_HEAD_LEN : IP4_HEAD_MIN, quote = head + 8;
		bool good = kinds[_i].good || (v6 && kinds[_i].type6 == 2);
		uint8_t sent[100], buf[200];
		struct addr src = kit_addr(ours), dst = kit_addr(theirs);
		struct flow about;
		struct inner in;
		struct span p;

		if (kinds[_i].cut > 0)
			quote = kinds[_i].cut == SIZE_MAX ? 0 : head + kinds[_i].cut;
		p = error(buf, v6 ? kinds[_i].type6 : kinds[_i].type4, router, ours,
			  span_head(kit_udp(sent, 100, ours, theirs), quote));
		in = kit_parsed(p);
		ck_assert_msg(icmp_error_about(p, &in, &about) == good, "%s", kinds[_i].why);
		if (!good)
			continue;
		ck_assert(addr_eq(&about.src, &src) && addr_eq(&about.dst, &dst));
		ck_assert(about.ports_known && about.sport == 1000 && about.dport == 2000);
		/* To somebody else than who sent the packet. */
		p = error(buf, v6 ? kinds[_i].type6 : kinds[_i].type4, router, theirs,
			  span_of(sent, quote));
		in = kit_parsed(p);
		ck_assert(!icmp_error_about(p, &in, &about));
	}
}
END_TEST

/* Every cut of a quote, and one of every byte changed, is read within bounds. */
START_TEST(quotes_lie_without_harm)
{
	uint8_t sent[100], buf[200];
	struct span p = kit_udp(sent, 100, _i ? "2001:db8:1::1" : "10.1.0.1",
				_i ? "2001:db8:2::1" : "10.2.0.1");
	struct inner in;

	for (size_t len = 0; len <= 100; len++)
		(void)!inner_parse_quoted(span_of(sent, len), &in);
	for (size_t at = 0; at < 48; at++) {
		for (unsigned value = 0; value < 256; value++) {
			memcpy(buf, p.p, p.len);
			buf[at] = (uint8_t)value;
			if (inner_parse_quoted(span_of(buf, 60), &in) == OK)
				ck_assert(in.len <= 60 && in.l4_at <= in.len);
		}
	}
}
END_TEST

/* Children of one port between 10.1 and 10.2, and what the peer's side says of our packet. */
static const struct {
	const char *why;
	const char *from, *to;
	const char *about_src, *about_dst;
	uint16_t port; /* of the selector; the packet has 2000 */
	bool allowed, passes;
} arrivals[] = {
	{ "a router on the way", "172.16.0.1", "10.1.0.1", "10.1.0.1", "10.2.0.1", 2000, true,
	  true },
	{ "the host itself", "10.2.0.1", "10.1.0.1", "10.1.0.1", "10.2.0.1", 2000, true, true },
	{ "not by configuration", "172.16.0.1", "10.1.0.1", "10.1.0.1", "10.2.0.1", 2000, false,
	  false },
	{ "about another port", "172.16.0.1", "10.1.0.1", "10.1.0.1", "10.2.0.1", 2001, true,
	  false },
	{ "about another peer's packet", "172.16.0.1", "10.1.0.1", "10.1.0.1", "10.9.0.1", 2000,
	  true, false },
	{ "about a packet that is not ours", "172.16.0.1", "10.8.0.1", "10.8.0.1", "10.2.0.1", 2000,
	  true, false },
	{ "to another host", "172.16.0.1", "10.1.0.2", "10.1.0.1", "10.2.0.1", 2000, true, false },
	{ "in the name of one of us", "10.1.0.7", "10.1.0.1", "10.1.0.1", "10.2.0.1", 2000, true,
	  false },
	{ "from nobody", "0.0.0.0", "10.1.0.1", "10.1.0.1", "10.2.0.1", 2000, true, false },
};

START_TEST(errors_arrive_by_the_sa_of_their_packet)
{
	struct gateway left, right;
	uint8_t sent[100], buf[200], got[300];
	struct kit_sa k;
	struct span p;
	ssize_t n;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	/* The peer sends whatever it likes. */
	kit_sa_make(&k, &kit_suites[0], SA_OUT, SPI_A);
	kit_sa_mirror(&k);
	k.local = k.remote = kit_ts("0.0.0.0/0");
	ck_assert_int_eq(gateway_command(&right, SA_INSTALL, &k), OK);
	kit_sa_make(&k, &kit_suites[0], SA_IN, SPI_A);
	k.remote.proto = PROTO_UDP;
	k.remote.port_lo = k.remote.port_hi = arrivals[_i].port;
	k.d.headers.icmp_errors = arrivals[_i].allowed;
	ck_assert_int_eq(gateway_command(&left, SA_INSTALL, &k), OK);

	p = error(buf, 3, arrivals[_i].from, arrivals[_i].to,
		  span_head(kit_udp(sent, 100, arrivals[_i].about_src, arrivals[_i].about_dst),
			    QUOTE));
	gateway_put(right.tun[0], p);
	n = gateway_get(right.net[0], got, sizeof(got));
	ck_assert_int_gt(n, 0);
	gateway_put(left.net[0], span_of(got, (size_t)n));
	if (arrivals[_i].passes)
		ck_assert_msg(gateway_get(left.tun[0], got, sizeof(got)) == (ssize_t)p.len, "%s",
			      arrivals[_i].why);
	else
		gateway_dropped(&left, DROP_SELECTOR, 1);
	ck_assert(gateway_silent(left.tun[0]));
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

/* From our side: about a packet that came from the peer, by the SA that answers to it would take;
 * else nowhere. */
START_TEST(errors_leave_by_the_sa_of_their_packet)
{
	for (int allowed = 0; allowed < 2; allowed++) {
		struct gateway left;
		uint8_t sent[100], buf[200], got[300];
		struct kit_sa k;

		gateway_up(&left, 1);
		kit_sa_make(&k, &kit_suites[0], SA_OUT, SPI_A);
		k.local.proto = PROTO_UDP;
		k.local.port_lo = k.local.port_hi = 2000;
		k.d.headers.icmp_errors = allowed;
		ck_assert_int_eq(gateway_command(&left, SA_INSTALL, &k), OK);
		kit_udp(sent, 100, "10.2.0.1", "10.1.0.1");
		gateway_put(left.tun[0],
			    error(buf, 11, "172.16.0.1", "10.2.0.1", span_of(sent, QUOTE)));
		if (allowed)
			ck_assert_int_gt(gateway_get(left.net[0], got, sizeof(got)), 56);
		else
			gateway_dropped(&left, DROP_NO_SA, 1);
		kit_udp(sent, 100, "10.2.0.1", "10.1.0.1");
		sent[23] = 99; /* another port of ours */
		gateway_put(left.tun[0],
			    error(buf, 11, "172.16.0.1", "10.2.0.1", span_of(sent, QUOTE)));
		gateway_dropped(&left, DROP_NO_SA, allowed ? 1 : 2);
		ck_assert(gateway_silent(left.net[0]));
		gateway_down(&left);
	}
}
END_TEST

UNIT("esp/errors")
{
	tcase_add_loop_test(tc, an_error_tells_what_it_is_about, 0,
			    (int)(sizeof(kinds) / sizeof(kinds[0])));
	tcase_add_loop_test(tc, quotes_lie_without_harm, 0, 2);
	tcase_add_loop_test(tc, errors_arrive_by_the_sa_of_their_packet, 0,
			    (int)(sizeof(arrivals) / sizeof(arrivals[0])));
	tcase_add_test(tc, errors_leave_by_the_sa_of_their_packet);
}
