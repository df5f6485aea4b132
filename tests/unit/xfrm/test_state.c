/* SPDX-License-Identifier: Apache-2.0 */
#include "xfrm/state.h"

#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/attr.h"
#include "xfrm/host.h"

#define N_OF(v) (int)(sizeof(v) / sizeof((v)[0]))

/* Golden bytes are laid out by hand after linux/xfrm.h, line by line: selector; rest of it,
 * destination; SPI, protocol, source; limits (three lines); counters and flags; attributes. */

static struct addr addr_of(const char *text)
{
	struct addr a;

	ck_assert(addr_parse(text, &a));
	return a;
}

static void key_of(struct key *k, uint8_t len, uint8_t first)
{
	k->len = len;
	for (uint8_t i = 0; i < len; i++)
		k->b[i] = (uint8_t)(first + i);
}

static void path_of(struct sa_desc *d, const char *local, const char *remote)
{
	d->path.local.addr = addr_of(local);
	d->path.remote.addr = addr_of(remote);
}

/* AES-GCM-16-256 with ESN, tunnel, IPv4 in UDP, every limit, the answer to an ACQUIRE. */
static struct sa_desc outbound(void)
{
	struct sa_desc d = {
		.dir = SA_OUT,
		.mode = SA_TUNNEL,
		.plane = PLANE_KERNEL,
		.spi = 0x1003,
		.reqid = 0x50000007,
		.encap = true,
		.esn = true,
		.encr_id = 20,
		.encr_key_bits = 256,
		.byte_soft = 1000,
		.byte_limit = 2000,
		.packet_soft = 30,
		.packet_limit = 40,
		.acquire = 9,
	};

	path_of(&d, "198.51.100.2", "198.51.100.3");
	d.path.local.port = 4500;
	d.path.remote.port = 40000;
	key_of(&d.encr_key, 36, 1);
	return d;
}

static const char outbound_bytes[] =
	"0000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000c633640300000000"
	"00000000000000000000100332000000c6336402000000000000000000000000"
	"e803000000000000d0070000000000001e000000000000002800000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000090000000700005002000100a000000000000000"
	"70001200726663343130362867636d2861657329290000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000"
	"0000000020010000800000000102030405060708090a0b0c0d0e0f1011121314"
	"15161718191a1b1c1d1e1f20212223241c001700000000000500000000000000"
	"0100000000000000000000001c000400020011949c4000000000000000000000"
	"000000000000000008001d000000005008001e000000007008001f002a000000"
	"0500210002000000";

static const struct state_extra outbound_extra = { .sa_dir = true,
						   .if_id = 42,
						   .sent = 0x100000005 };
static const struct state_extra no_extra;

START_TEST(outbound_tunnel_in_udp)
{
	struct sa_desc d = outbound();
	struct ask a = state_ask_add(&d, &outbound_extra);

	kit_expect(&a, XFRM_MSG_NEWSA, outbound_bytes);
}
END_TEST

START_TEST(updating_differs_in_its_type_alone)
{
	struct sa_desc d = outbound();
	struct ask a = state_ask_update(&d, &outbound_extra);

	kit_expect(&a, XFRM_MSG_UPDSA, outbound_bytes);
}
END_TEST

/* AES-CBC-256 with HMAC-SHA2-256-128, no ESN, IPv6, on a kernel that knows no directions. */
static struct sa_desc inbound(void)
{
	struct sa_desc d = {
		.dir = SA_IN,
		.mode = SA_TUNNEL,
		.plane = PLANE_KERNEL,
		.spi = 0x1002,
		.reqid = 0x50000007,
		.replay_window = 64,
		.encr_id = 12,
		.encr_key_bits = 256,
		.integ_id = 12,
		.acquire = 9, /* is not for this direction */
	};

	path_of(&d, "2001:db8::2", "2001:db8::3");
	key_of(&d.encr_key, 32, 1);
	key_of(&d.integ_key, 32, 0x81);
	return d;
}

START_TEST(inbound_tunnel_with_cbc)
{
	struct sa_desc d = inbound();
	struct ask a = state_ask_add(&d, &no_extra);

	kit_expect(&a, XFRM_MSG_NEWSA,
		   "0000000000000000000000000000000000000000000000000000000000000000"
		   "00000000000000000000000000000000000000000000000020010db800000000"
		   "0000000000000002000010023200000020010db8000000000000000000000003"
		   "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		   "0000000000000000000000000000000000000000000000000000000000000000"
		   "0000000000000000000000000000000000000000000000000000000000000000"
		   "00000000000000000000000000000000070000500a0001002000000000000000"
		   "6c001400686d6163287368613235362900000000000000000000000000000000"
		   "0000000000000000000000000000000000000000000000000000000000000000"
		   "0000000000010000800000008182838485868788898a8b8c8d8e8f9091929394"
		   "95969798999a9b9c9d9e9fa06800020063626328616573290000000000000000"
		   "0000000000000000000000000000000000000000000000000000000000000000"
		   "00000000000000000000000000000000000100000102030405060708090a0b0c"
		   "0d0e0f101112131415161718191a1b1c1d1e1f20240017000200000000000000"
		   "00000000000000000000000040000000000000000000000008001d0000000000"
		   "08001e0000000070");
}
END_TEST

/* ChaCha20-Poly1305, the peer behind a NAT, to our port 443 alone. */
START_TEST(inbound_transport_through_nat)
{
	struct ts local = { .proto = IPPROTO_TCP, .port_lo = 443, .port_hi = 443 };
	struct ts remote = { .proto = IPPROTO_TCP, .port_lo = 0, .port_hi = 65535 };
	struct sa_desc d = {
		.dir = SA_IN,
		.mode = SA_TRANSPORT,
		.plane = PLANE_KERNEL,
		.spi = 0x1004,
		.reqid = 0x50000008,
		.encap = true,
		.esn = true,
		.replay_window = 96,
		.encr_id = 28,
		.local = { .n = 1, .v = &local },
		.remote = { .n = 1, .v = &remote },
		.nat_remote = addr_of("10.9.0.1"),
	};
	struct ask a;

	path_of(&d, "198.51.100.2", "203.0.113.9");
	d.path.local.port = 4500;
	d.path.remote.port = 4501;
	key_of(&d.encr_key, 36, 1);
	a = state_ask_add(
		&d, &(struct state_extra){ .sa_dir = true, .hard_s = 60, .received = 0x200000007 });
	kit_expect(&a, XFRM_MSG_NEWSA,
		   "c6336402000000000000000000000000cb007109000000000000000000000000"
		   "01bbffff0000000002002020060000000000000000000000c633640200000000"
		   "00000000000000000000100432000000cb007109000000000000000000000000"
		   "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		   "00000000000000003c0000000000000000000000000000000000000000000000"
		   "0000000000000000000000000000000000000000000000000000000000000000"
		   "0000000000000000000000000000000008000050020000008000000000000000"
		   "70001200726663373533396573702863686163686132302c706f6c7931333035"
		   "2900000000000000000000000000000000000000000000000000000000000000"
		   "0000000020010000800000000102030405060708090a0b0c0d0e0f1011121314"
		   "15161718191a1b1c1d1e1f202122232428001700030000000000000007000000"
		   "000000000200000060000000ffffffffffffffffffffffff1c00040002001195"
		   "119400000a090001000000000000000000000000080020000500000008001d00"
		   "0000000008001e00000000700500210001000000");
}
END_TEST

static const struct state_id example_id = {
	.dst = { .family = AF_INET, .b = { 198, 51, 100, 3 } },
	.spi = 0x1003,
};

START_TEST(deleting_and_asking_name_destination_and_spi)
{
	static const char bytes[] = "c63364030000000000000000000000000000100302003200";
	struct ask a = state_ask_delete(&example_id);
	struct ask b = state_ask_get(&example_id);

	kit_expect(&a, XFRM_MSG_DELSA, bytes);
	kit_expect(&b, XFRM_MSG_GETSA, bytes);
}
END_TEST

START_TEST(a_state_is_found_by_its_receiver)
{
	struct sa_desc out = outbound();
	struct sa_desc in = inbound();
	struct state_id a = state_id_of(&out);
	struct state_id b = state_id_of(&in);

	ck_assert(addr_eq(&a.dst, &example_id.dst) && a.spi == 0x1003);
	ck_assert(addr_eq(&b.dst, &in.path.local.addr) && b.spi == 0x1002);
}
END_TEST

START_TEST(a_dump_asks_for_esp)
{
	struct ask a = state_ask_dump();
	struct span s = ask_span(&a);
	struct nlmsghdr h;

	memcpy(&h, s.p, sizeof(h));
	ck_assert_uint_eq(h.nlmsg_flags & NLM_F_DUMP, NLM_F_DUMP);
	kit_expect(&a, XFRM_MSG_GETSA, "0500190032000000");
}
END_TEST

/* In the kernel's half of the SPIs: bit 31 clear, none of the reserved. */
START_TEST(a_larval_state_is_named_by_what_raised_it)
{
	const struct state_larval l = { .src = addr_of("198.51.100.2"),
					.dst = addr_of("198.51.100.3"),
					.mode = SA_TRANSPORT,
					.reqid = 0x50000007,
					.seq = 9,
					.if_id = 42 };
	struct ask a = state_ask_allocspi(&l);

	kit_expect(&a, XFRM_MSG_ALLOCSPI,
		   "0000000000000000000000000000000000000000000000000000000000000000"
		   "000000000000000000000000000000000000000000000000c633640300000000"
		   "00000000000000000000000032000000c6336402000000000000000000000000"
		   "0000000000000000000000000000000000000000000000000000000000000000"
		   "0000000000000000000000000000000000000000000000000000000000000000"
		   "0000000000000000000000000000000000000000000000000000000000000000"
		   "0000000000000000000000000900000007000050020000000000000000000000"
		   "00010000ffffff7f08001f002a000000");
}
END_TEST

/* The attribute in a message of ours; fails the test when there is none. */
static const struct nlattr *attr_of(struct nlmsghdr *m, int type)
{
	return nlmsg_find_attr(m, sizeof(struct xfrm_usersa_info), type);
}

/* What is wanted, and what the kernel is told: 4096 is its limit, 32 the least; an outbound state
 * has none where the kernel knows directions, and the least elsewhere, for ESN must have one. */
static const struct {
	enum sa_dir dir;
	bool sa_dir;
	bool esn;
	uint32_t wanted;
	uint32_t window;
	uint32_t words;
} windows[] = {
	{ SA_IN, false, false, 0, 32, 1 },	 { SA_IN, false, true, 0, 32, 1 },
	{ SA_IN, true, true, 33, 33, 2 },	 { SA_IN, true, false, 1024, 1024, 32 },
	{ SA_IN, false, true, 1024, 1024, 32 },	 { SA_IN, false, true, 4096, 4096, 128 },
	{ SA_IN, false, true, 4097, 4096, 128 }, { SA_IN, true, false, UINT32_MAX, 4096, 128 },
	{ SA_OUT, true, true, 1024, 0, 0 },	 { SA_OUT, true, false, 0, 0, 0 },
	{ SA_OUT, false, true, 0, 32, 1 },	 { SA_OUT, false, false, 4096, 32, 1 },
};

START_TEST(windows_are_what_the_kernel_takes)
{
	struct sa_desc d = windows[_i].dir == SA_IN ? inbound() : outbound();
	struct xfrm_replay_state_esn r;
	struct xfrm_usersa_info u;
	struct nlmsghdr *m;
	struct ask a;

	d.esn = windows[_i].esn;
	d.replay_window = windows[_i].wanted;
	a = state_ask_add(&d, &(struct state_extra){ .sa_dir = windows[_i].sa_dir });
	m = kit_answer(&a, XFRM_MSG_NEWSA);
	memcpy(&u, nlmsg_data(m), sizeof(u));
	ck_assert_uint_eq(u.replay_window, 0);
	ck_assert_int_eq((u.flags & XFRM_STATE_ESN) != 0, d.esn);
	ck_assert_ptr_nonnull(attr_of(m, XFRMA_REPLAY_ESN_VAL));
	attr_copy(attr_of(m, XFRMA_REPLAY_ESN_VAL), &r, sizeof(r));
	ck_assert_uint_eq(r.replay_window, windows[_i].window);
	ck_assert_uint_eq(r.bmp_len, windows[_i].words);
	ck_assert_int_eq(nla_len(attr_of(m, XFRMA_REPLAY_ESN_VAL)),
			 (int)(sizeof(r) + 4 * windows[_i].words));
	free(m);
}
END_TEST

static const struct {
	enum sa_dir dir;
	enum sa_offload offload;
	uint32_t ifindex;
	bool asked;
	uint8_t flags;
} offloads[] = {
	{ SA_IN, OFFLOAD_CRYPTO, 3, true, XFRM_OFFLOAD_INBOUND },
	{ SA_OUT, OFFLOAD_CRYPTO, 3, true, 0 },
	{ SA_OUT, OFFLOAD_AUTO, 3, true, 0 },
	{ SA_IN, OFFLOAD_PACKET, 3, true, XFRM_OFFLOAD_INBOUND | STATE_OFFLOAD_PACKET },
	{ SA_OUT, OFFLOAD_PACKET, 3, true, STATE_OFFLOAD_PACKET },
	{ SA_OUT, OFFLOAD_PACKET, 0, false, 0 },
	{ SA_OUT, OFFLOAD_AUTO, 0, false, 0 },
	{ SA_IN, OFFLOAD_NO, 3, false, 0 },
};

START_TEST(offload_is_asked_of_a_known_device)
{
	struct sa_desc d = offloads[_i].dir == SA_IN ? inbound() : outbound();
	struct xfrm_user_offload off = { .ifindex = 0 };
	struct nlmsghdr *m;
	struct ask a;

	d.offload = offloads[_i].offload;
	a = state_ask_add(&d, &(struct state_extra){ .ifindex = offloads[_i].ifindex });
	m = kit_answer(&a, XFRM_MSG_NEWSA);
	ck_assert_int_eq(attr_of(m, XFRMA_OFFLOAD_DEV) != NULL, offloads[_i].asked);
	attr_copy(attr_of(m, XFRMA_OFFLOAD_DEV), &off, sizeof(off));
	ck_assert_uint_eq(off.flags, offloads[_i].flags);
	ck_assert_int_eq(off.ifindex, offloads[_i].asked ? 3 : 0);
	free(m);
}
END_TEST

START_TEST(a_state_of_one_cpu_says_so)
{
	struct sa_desc d = outbound();
	struct ask a = state_ask_add(&d, &(struct state_extra){ .per_cpu = true, .cpu = 0 });
	struct ask b = state_ask_add(&d, &(struct state_extra){ .cpu = 1 });
	struct nlmsghdr *m = kit_answer(&a, XFRM_MSG_NEWSA);
	struct nlmsghdr *n = kit_answer(&b, XFRM_MSG_NEWSA);

	ck_assert_ptr_nonnull(attr_of(m, ATTR_SA_PCPU));
	ck_assert_ptr_null(attr_of(n, ATTR_SA_PCPU));
	free(m);
	free(n);
}
END_TEST

/* The outer packet's mark would stay on what comes out of the tunnel. */
START_TEST(what_leaves_is_marked_and_what_came_is_not_any_more)
{
	struct sa_desc in = inbound();
	struct sa_desc out = outbound();
	struct ask a = state_ask_add(&in, &no_extra);
	struct ask b = state_ask_add(&out, &no_extra);
	struct nlmsghdr *m = kit_answer(&a, XFRM_MSG_NEWSA);
	struct nlmsghdr *n = kit_answer(&b, XFRM_MSG_NEWSA);

	ck_assert_uint_eq(nla_get_u32(attr_of(m, XFRMA_SET_MARK)), 0);
	ck_assert_uint_eq(nla_get_u32(attr_of(m, XFRMA_SET_MARK_MASK)), HOST_MARK_MASK);
	ck_assert_uint_eq(nla_get_u32(attr_of(n, XFRMA_SET_MARK)), HOST_MARK_OUTER);
	ck_assert_ptr_null(attr_of(n, XFRMA_MTIMER_THRESH));
	free(m);
	free(n);
}
END_TEST

/* Several pairs, or protocols that differ: the addresses of the path are all that is sure. */
static const struct {
	uint8_t n_local;
	uint8_t proto;
	uint16_t lo;
	uint16_t hi;
	uint8_t sel_proto;
	uint16_t sport_mask;
} selectors[] = {
	{ 1, IPPROTO_UDP, 53, 53, IPPROTO_UDP, 0xffff },
	{ 1, IPPROTO_UDP, 53, 54, IPPROTO_UDP, 0 },
	{ 1, IPPROTO_UDP, 65535, 0, IPPROTO_UDP, 0 }, /* OPAQUE */
	{ 1, IPPROTO_ICMP, 0x800, 0x800, IPPROTO_ICMP, 0 },
	{ 1, 0, 0, 65535, 0, 0 },
	{ 2, IPPROTO_UDP, 53, 53, 0, 0 },
	{ 1, IPPROTO_TCP, 53, 53, 0, 0 },
};

START_TEST(a_transport_state_takes_its_path_and_what_is_sure)
{
	struct ts local[2] = { { .proto = selectors[_i].proto,
				 .port_lo = selectors[_i].lo,
				 .port_hi = selectors[_i].hi },
			       { .proto = IPPROTO_UDP, .port_lo = 1, .port_hi = 1 } };
	struct ts remote = { .proto = selectors[_i].proto, .port_lo = 0, .port_hi = 65535 };
	struct sa_desc d = outbound();
	struct xfrm_usersa_info u;
	struct nlmsghdr *m;
	struct ask a;

	if (selectors[_i].proto == IPPROTO_TCP)
		remote.proto = IPPROTO_UDP;
	d.mode = SA_TRANSPORT;
	d.local = (struct ts_list){ .n = selectors[_i].n_local, .v = local };
	d.remote = (struct ts_list){ .n = 1, .v = &remote };
	a = state_ask_add(&d, &no_extra);
	m = kit_answer(&a, XFRM_MSG_NEWSA);
	memcpy(&u, nlmsg_data(m), sizeof(u));
	ck_assert_uint_eq(u.sel.family, AF_INET);
	ck_assert_uint_eq(u.sel.prefixlen_s, 32);
	ck_assert_uint_eq(u.sel.saddr.a4, u.saddr.a4);
	ck_assert_uint_eq(u.sel.daddr.a4, u.id.daddr.a4);
	ck_assert_uint_eq(u.sel.proto, selectors[_i].sel_proto);
	ck_assert_uint_eq(u.sel.sport_mask, selectors[_i].sport_mask);
	ck_assert_uint_eq(u.flags & XFRM_STATE_AF_UNSPEC, 0);
	free(m);
}
END_TEST

/* One field at a time is not what inbound() has. */
static const struct {
	uint16_t encr_id;
	uint16_t bits;
	uint16_t integ_id;
	uint8_t encr_len;
	uint8_t integ_len;
	uint32_t spi;
	const char *local;
	enum err err;
} refusals[] = {
	{ 3, 256, 12, 32, 32, 256, "2001:db8::2", ERR_UNSUPPORTED },
	{ 12, 64, 12, 32, 32, 256, "2001:db8::2", ERR_UNSUPPORTED },
	{ 12, 256, 1, 32, 32, 256, "2001:db8::2", ERR_UNSUPPORTED },
	{ 12, 256, 0, 32, 32, 256, "2001:db8::2", ERR_UNSUPPORTED }, /* no integrity */
	{ 12, 256, 12, 31, 32, 256, "2001:db8::2", ERR_CONFIG },
	{ 12, 256, 12, 255, 32, 256, "2001:db8::2", ERR_CONFIG },
	{ 12, 256, 12, 32, 33, 256, "2001:db8::2", ERR_CONFIG },
	{ 12, 256, 12, 32, 32, 255, "2001:db8::2", ERR_CONFIG }, /* reserved */
	{ 12, 256, 12, 32, 32, 256, "192.0.2.1", ERR_CONFIG },	 /* of another family */
	{ 12, 256, 12, 32, 32, 256, NULL, ERR_CONFIG },
	{ 20, 256, 12, 36, 32, 256, "2001:db8::2", ERR_CONFIG }, /* AEAD and a MAC */
	{ 12, 256, 12, 32, 32, 256, "2001:db8::2", OK },
};

START_TEST(what_cannot_be_a_state_is_no_message)
{
	struct sa_desc d = inbound();
	struct ask a;

	d.encr_id = refusals[_i].encr_id;
	d.encr_key_bits = refusals[_i].bits;
	d.integ_id = refusals[_i].integ_id;
	d.encr_key.len = refusals[_i].encr_len;
	d.integ_key.len = refusals[_i].integ_len;
	d.spi = refusals[_i].spi;
	if (refusals[_i].local != NULL)
		d.path.local.addr = addr_of(refusals[_i].local);
	else
		d.path.local.addr = d.path.remote.addr = (struct addr){ .family = AF_UNSPEC };
	ck_assert_int_eq(state_check(&d), refusals[_i].err);
	a = state_ask_add(&d, &no_extra);
	ck_assert_int_eq(ask_span(&a).len > 0, refusals[_i].err == OK);
	ask_free(&a);
}
END_TEST

UNIT("xfrm/state")
{
	tcase_add_test(tc, outbound_tunnel_in_udp);
	tcase_add_test(tc, updating_differs_in_its_type_alone);
	tcase_add_test(tc, inbound_tunnel_with_cbc);
	tcase_add_test(tc, inbound_transport_through_nat);
	tcase_add_test(tc, deleting_and_asking_name_destination_and_spi);
	tcase_add_test(tc, a_state_is_found_by_its_receiver);
	tcase_add_test(tc, a_dump_asks_for_esp);
	tcase_add_test(tc, a_larval_state_is_named_by_what_raised_it);
	tcase_add_loop_test(tc, windows_are_what_the_kernel_takes, 0, N_OF(windows));
	tcase_add_loop_test(tc, offload_is_asked_of_a_known_device, 0, N_OF(offloads));
	tcase_add_test(tc, a_state_of_one_cpu_says_so);
	tcase_add_test(tc, what_leaves_is_marked_and_what_came_is_not_any_more);
	tcase_add_loop_test(tc, a_transport_state_takes_its_path_and_what_is_sure, 0,
			    N_OF(selectors));
	tcase_add_loop_test(tc, what_cannot_be_a_state_is_no_message, 0, N_OF(refusals));
}
