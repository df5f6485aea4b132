/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/event.h"

#include <linux/xfrm.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"

#define N_OF(v) (int)(sizeof(v) / sizeof((v)[0]))

/* Messages that Linux 6.1 sent. A datagram 10.1.0.1:1111 to 10.2.0.1:2222, by policy 0x50500001
 * with a tunnel from 10.0.0.1 to 10.0.0.2. */
static const char acquire4[] = "780100001700000000000000000000000a000002000000000000000000000000"
			       "00000000320000000a0000010000000000000000000000000a02000100000000"
			       "00000000000000000a01000100000000000000000000000008aeffff0457ffff"
			       "020020201100000002000000000000000a020000000000000000000000000000"
			       "0a01000000000000000000000000000000000000000000000200181800000000"
			       "0000000001005050ffffffffffffffffffffffffffffffffffffffffffffffff"
			       "ffffffffffffffff000000000000000000000000000000000000000000000000"
			       "000000000000000000000000000000000000000000000000784c026b00000000"
			       "0000000000000000e8030000010050500100000000000000ffffffffffffffff"
			       "ffffffff01000000440005000a00000200000000000000000000000000000000"
			       "32000000020000000a0000010000000000000000000000000700005001000000"
			       "ffffffffffffffffffffffff0a0010000000000000000000";

/* 2001:db8::1 port 3333 to 2001:db8::2 port 443 in transport mode. */
static const char acquire6[] = "7801000017000000000000000000000020010db8000000000000000000000002"
			       "000000003200000020010db800000000000000000000000120010db800000000"
			       "000000000000000220010db800000000000000000000000101bbffff0d05ffff"
			       "0a00808006000000000000000000000020010db8000000000000000000000002"
			       "20010db800000000000000000000000100000000000000000a00808006000000"
			       "0000000000000000ffffffffffffffffffffffffffffffffffffffffffffffff"
			       "ffffffffffffffff000000000000000000000000000000000000000000000000"
			       "000000000000000000000000000000000000000000000000794c026b00000000"
			       "0000000000000000e8030000110050500100000000000000ffffffffffffffff"
			       "ffffffff020000004400050020010db800000000000000000000000200000000"
			       "320000000a00000020010db80000000000000000000000010800005000000000"
			       "ffffffffffffffffffffffff0a0010000000000000000000";

/* A tunnel in UDP with packet limits of 2 and 4. */
static const char expire_soft[] = "f800000018000000000000000000000000000000000000000000000000000000"
				  "0000000000000000000000000000000000000000000000000000000000000000"
				  "00000000000000000a0000020000000000000000000000000000100132000000"
				  "0a000001000000000000000000000000ffffffffffffffffffffffffffffffff"
				  "0200000000000000040000000000000000000000000000000000000000000000"
				  "000000000000000000000000000000003a000000000000000200000000000000"
				  "7a4c026b000000008b4c026b0000000000000000000000000000000000000000"
				  "070000500200010020000000000000000000000000000000";
static const char expire_hard[] = "f800000018000000000000000000000000000000000000000000000000000000"
				  "0000000000000000000000000000000000000000000000000000000000000000"
				  "00000000000000000a0000020000000000000000000000000000100132000000"
				  "0a000001000000000000000000000000ffffffffffffffffffffffffffffffff"
				  "0200000000000000040000000000000000000000000000000000000000000000"
				  "0000000000000000000000000000000074000000000000000400000000000000"
				  "7a4c026b000000008b4c026b0000000000000000000000000000000000000000"
				  "070000500200010020000000000000000100000000000000";

/* From port 4500, where 4501 was expected. */
static const char mapping[] = "500000002600000000000000000000000a000002000000000000000000000000"
			      "0000100102003200070000500a0000010000000000000000000000000a000001"
			      "00000000000000000000000011951194";

static bool addr_is(const struct addr *a, const char *text)
{
	struct addr b;

	return addr_parse(text, &b) && addr_eq(a, &b);
}

static struct event read_ok(const char *hex)
{
	struct nlmsghdr *m = kit_message(hex);
	struct event ev;

	ck_assert_int_eq(event_read(m, &ev), OK);
	free(m);
	return ev;
}

START_TEST(an_acquire_names_the_packet_and_the_tunnel)
{
	struct event ev = read_ok(acquire4);

	ck_assert_int_eq(ev.plane.kind, PLANE_ACQUIRE);
	ck_assert_int_eq(ev.plane.dir, SA_OUT);
	ck_assert_uint_eq(ev.plane.reqid, 0x50000007);
	ck_assert_uint_eq(ev.plane.acquire, 1);
	ck_assert_uint_eq(ev.plane.spi, 0);
	ck_assert(addr_is(&ev.plane.flow.src, "10.1.0.1"));
	ck_assert(addr_is(&ev.plane.flow.dst, "10.2.0.1"));
	ck_assert_uint_eq(ev.plane.flow.proto, IPPROTO_UDP);
	ck_assert(ev.plane.flow.ports_known);
	ck_assert_uint_eq(ev.plane.flow.sport, 1111);
	ck_assert_uint_eq(ev.plane.flow.dport, 2222);
	ck_assert(addr_is(&ev.src.addr, "10.0.0.1"));
	ck_assert(addr_is(&ev.dst.addr, "10.0.0.2"));
	ck_assert_int_eq(ev.mode, SA_TUNNEL);
	ck_assert_uint_eq(ev.policy_user, 0x50500001);
	ck_assert_uint_eq(ev.if_id, 0);
}
END_TEST

START_TEST(an_acquire_in_transport_mode)
{
	struct event ev = read_ok(acquire6);

	ck_assert_uint_eq(ev.plane.reqid, 0x50000008);
	ck_assert(addr_is(&ev.plane.flow.src, "2001:db8::1"));
	ck_assert(addr_is(&ev.plane.flow.dst, "2001:db8::2"));
	ck_assert_uint_eq(ev.plane.flow.proto, IPPROTO_TCP);
	ck_assert_uint_eq(ev.plane.flow.sport, 3333);
	ck_assert_uint_eq(ev.plane.flow.dport, 443);
	ck_assert(addr_is(&ev.src.addr, "2001:db8::1"));
	ck_assert(addr_is(&ev.dst.addr, "2001:db8::2"));
	ck_assert_int_eq(ev.mode, SA_TRANSPORT);
}
END_TEST

/* What the kernel writes into the ports of the selector, and what that says of the packet. ICMP has
 * its type and its code there; RFC 7296 3.13.1 wants both in each port. */
static const struct {
	uint8_t proto;
	uint16_t sport;
	uint16_t dport;
	bool known;
	uint16_t flow_sport;
	uint16_t flow_dport;
} ports[] = {
	{ IPPROTO_TCP, 5, 6, true, 5, 6 },
	{ IPPROTO_TCP, 0, 6, true, 0, 6 },
	{ IPPROTO_UDP, 0, 0, false, 0, 0 }, /* a fragment that is forwarded */
	{ IPPROTO_SCTP, 5, 6, true, 5, 6 },
	{ IPPROTO_ICMP, 8, 0, true, 0x800, 0x800 },
	{ IPPROTO_ICMP, 3, 4, true, 0x304, 0x304 },
	{ IPPROTO_ICMPV6, 128, 0, true, 0x8000, 0x8000 },
	{ IPPROTO_ICMP, 0, 0, false, 0, 0 },
	{ IPPROTO_GRE, 5, 6, false, 0, 0 }, /* half a key each */
	{ IPPROTO_ESP, 5, 6, false, 0, 0 },
};

START_TEST(ports_mean_what_the_protocol_says)
{
	struct nlmsghdr *m = kit_message(acquire4);
	struct xfrm_user_acquire u;
	struct event ev;

	memcpy(&u, nlmsg_data(m), sizeof(u));
	u.sel.proto = ports[_i].proto;
	u.sel.sport = htons(ports[_i].sport);
	u.sel.dport = htons(ports[_i].dport);
	memcpy(nlmsg_data(m), &u, sizeof(u));
	ck_assert_int_eq(event_read(m, &ev), OK);
	ck_assert_uint_eq(ev.plane.flow.proto, ports[_i].proto);
	ck_assert_int_eq(ev.plane.flow.ports_known, ports[_i].known);
	ck_assert_uint_eq(ev.plane.flow.sport, ports[_i].flow_sport);
	ck_assert_uint_eq(ev.plane.flow.dport, ports[_i].flow_dport);
	free(m);
}
END_TEST

START_TEST(a_soft_limit_leaves_the_state)
{
	struct event ev = read_ok(expire_soft);

	ck_assert_int_eq(ev.plane.kind, PLANE_EXPIRE);
	ck_assert(ev.plane.soft);
	ck_assert_uint_eq(ev.plane.spi, 0x1001);
	ck_assert_uint_eq(ev.plane.reqid, 0x50000007);
	ck_assert(addr_is(&ev.src.addr, "10.0.0.1"));
	ck_assert(addr_is(&ev.dst.addr, "10.0.0.2"));
	ck_assert(!ev.larval);
	ck_assert(!read_ok(expire_hard).plane.soft);
	ck_assert_uint_eq(read_ok(expire_hard).plane.spi, 0x1001);
}
END_TEST

/* The state that an ACQUIRE leaves has no SPI, and is always outbound. */
START_TEST(a_larval_state_ends_with_the_number_of_its_acquire)
{
	struct nlmsghdr *m = kit_message(expire_hard);
	struct xfrm_user_expire u;
	struct event ev;

	memcpy(&u, nlmsg_data(m), sizeof(u));
	u.state.id.spi = 0;
	u.state.seq = 77;
	memcpy(nlmsg_data(m), &u, sizeof(u));
	ck_assert_int_eq(event_read(m, &ev), OK);
	ck_assert(ev.larval);
	ck_assert_uint_eq(ev.plane.acquire, 77);
	ck_assert(ev.plane.dir == SA_OUT);
	free(m);
}
END_TEST

START_TEST(a_mapping_says_from_where_to_where)
{
	struct event ev = read_ok(mapping);

	ck_assert_int_eq(ev.plane.kind, PLANE_MAPPING);
	ck_assert_int_eq(ev.plane.dir, SA_IN);
	ck_assert_uint_eq(ev.plane.spi, 0x1001);
	ck_assert_uint_eq(ev.plane.reqid, 0x50000007);
	ck_assert(addr_is(&ev.plane.remote.addr, "10.0.0.1"));
	ck_assert_uint_eq(ev.plane.remote.port, 4500);
	ck_assert(addr_is(&ev.src.addr, "10.0.0.1"));
	ck_assert_uint_eq(ev.src.port, 4501);
	ck_assert(addr_is(&ev.dst.addr, "10.0.0.2"));
}
END_TEST

static const char *const messages[] = { acquire4, acquire6, expire_soft, expire_hard, mapping };

/* In memory that ends where the message does, so that a sanitizer sees a read behind it. The last
 * attribute of an ACQUIRE is one that nobody needs: without it the message is whole again. */
START_TEST(a_message_cut_anywhere_is_refused)
{
	struct nlmsghdr *m = kit_message(messages[_i]);
	uint32_t without_last = m->nlmsg_type == XFRM_MSG_ACQUIRE ? m->nlmsg_len - 12 : 0;

	for (uint32_t len = sizeof(*m); len < m->nlmsg_len; len++) {
		struct nlmsghdr *cut = kit_cut(m, len);
		struct event ev;

		ck_assert_int_eq(event_read(cut, &ev), len == without_last ? OK : ERR_SYNTAX);
		free(cut);
	}
	free(m);
}
END_TEST

/* Any byte may be anything: no crash, and nothing but the three answers. */
START_TEST(a_bent_message_is_read_or_refused)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	struct nlmsghdr *m = kit_message(messages[_i]);

	for (uint32_t at = sizeof(*m); at < m->nlmsg_len; at++) {
		for (int v = 0; v < N_OF(values); v++) {
			struct nlmsghdr *bent = kit_cut(m, m->nlmsg_len);
			struct event ev;
			enum err err;

			((uint8_t *)bent)[at] = values[v];
			err = event_read(bent, &ev);
			ck_assert(err == OK || err == ERR_SYNTAX || err == ERR_UNEXPECTED);
			free(bent);
		}
	}
	free(m);
}
END_TEST

static const uint16_t others[] = { XFRM_MSG_NEWSA,   XFRM_MSG_DELSA,	 XFRM_MSG_NEWPOLICY,
				   XFRM_MSG_NEWAE,   XFRM_MSG_POLEXPIRE, XFRM_MSG_REPORT,
				   XFRM_MSG_MIGRATE, NLMSG_DONE,	 0xffff };

START_TEST(other_kinds_are_stepped_over)
{
	struct nlmsghdr *m = kit_message(acquire4);
	struct event ev;

	m->nlmsg_type = others[_i];
	ck_assert_int_eq(event_read(m, &ev), ERR_UNEXPECTED);
	free(m);
}
END_TEST

/* AH and IPComp are not ours. The protocol's place: behind destination and SPI of each. */
START_TEST(other_protocols_are_stepped_over)
{
	static const struct {
		const char *hex;
		size_t at;
	} cases[] = {
		{ acquire4, offsetof(struct xfrm_user_acquire, id.proto) },
		{ expire_hard, offsetof(struct xfrm_user_expire, state.id.proto) },
		{ mapping, offsetof(struct xfrm_user_mapping, id.proto) },
	};

	for (int i = 0; i < N_OF(cases); i++) {
		struct nlmsghdr *m = kit_message(cases[i].hex);
		struct event ev;

		((uint8_t *)nlmsg_data(m))[cases[i].at] = IPPROTO_AH;
		ck_assert_int_eq(event_read(m, &ev), ERR_UNEXPECTED);
		free(m);
	}
}
END_TEST

/* Nobody could say whose it is. */
START_TEST(an_acquire_without_a_template_is_refused)
{
	struct nlmsghdr *m = kit_message(acquire4);
	struct event ev;

	nlmsg_find_attr(m, sizeof(struct xfrm_user_acquire), XFRMA_TMPL)->nla_type = XFRMA_PAD;
	ck_assert_int_eq(event_read(m, &ev), ERR_SYNTAX);
	free(m);
}
END_TEST

UNIT("xfrm/event")
{
	tcase_add_test(tc, an_acquire_names_the_packet_and_the_tunnel);
	tcase_add_test(tc, an_acquire_in_transport_mode);
	tcase_add_loop_test(tc, ports_mean_what_the_protocol_says, 0, N_OF(ports));
	tcase_add_test(tc, a_soft_limit_leaves_the_state);
	tcase_add_test(tc, a_larval_state_ends_with_the_number_of_its_acquire);
	tcase_add_test(tc, a_mapping_says_from_where_to_where);
	tcase_add_loop_test(tc, a_message_cut_anywhere_is_refused, 0, N_OF(messages));
	tcase_add_loop_test(tc, a_bent_message_is_read_or_refused, 0, N_OF(messages));
	tcase_add_loop_test(tc, other_kinds_are_stepped_over, 0, N_OF(others));
	tcase_add_test(tc, other_protocols_are_stepped_over);
	tcase_add_test(tc, an_acquire_without_a_template_is_refused);
}
