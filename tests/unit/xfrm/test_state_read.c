/* SPDX-License-Identifier: Apache-2.0 */
/* The second half of xfrm/state.h: states as kernels showed them. */
#include <linux/xfrm.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/attr.h"
#include "xfrm/state.h"

#define N_OF(v) (int)(sizeof(v) / sizeof((v)[0]))

/* Linux 6.12: outbound, AES-GCM-16-256, ESN, in UDP, with mark, interface and direction. */
static const char outbound[] = "b8010000100000000f4f026bfe00000000000000000000000000000000000000"
			       "0000000000000000000000000000000000000000000000000000000000000000"
			       "0000000000000000c00002020000000000000000000000000000100132000000"
			       "c0000201000000000000000000000000ffffffffffffffffd007000000000000"
			       "1e00000000000000280000000000000000000000000000000000000000000000"
			       "0000000000000000000000000000000000000000000000000000000000000000"
			       "ed4e026b00000000000000000000000000000000000000000000000000000000"
			       "0700005002000100a00000000000000070001200726663343130362867636d28"
			       "6165732929000000000000000000000000000000000000000000000000000000"
			       "0000000000000000000000000000000000000000200100008000000001020304"
			       "05060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324"
			       "1c00040002001194119500000000000000000000000000000000000008001d00"
			       "0000005008001e00000000701c00170000000000050000000000000001000000"
			       "000000000000000008001f002a0000000500210002000000";

/* Linux 6.1: inbound, AES-CBC-128 with HMAC-SHA2-384, a window of 1024 without ESN. */
static const char inbound[] = "d802000010000000c84e026bff00000000000000000000000000000000000000"
			      "0000000000000000000000000000000000000000000000000000000000000000"
			      "0000000000000000c00002010000000000000000000000000000100232000000"
			      "c0000202000000000000000000000000ffffffffffffffffffffffffffffffff"
			      "ffffffffffffffffffffffffffffffff00000000000000000000000000000000"
			      "0000000000000000000000000000000000000000000000000000000000000000"
			      "c24e026b00000000000000000000000000000000000000000000000000000000"
			      "0700005002000100200000000000000078000100686d61632873686133383429"
			      "0000000000000000000000000000000000000000000000000000000000000000"
			      "0000000000000000000000000000000000000000800100004142434445464748"
			      "494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768"
			      "696a6b6c6d6e6f707c001400686d616328736861333834290000000000000000"
			      "0000000000000000000000000000000000000000000000000000000000000000"
			      "00000000000000000000000080010000c00000004142434445464748494a4b4c"
			      "4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c"
			      "6d6e6f7058000200636263286165732900000000000000000000000000000000"
			      "0000000000000000000000000000000000000000000000000000000000000000"
			      "0000000000000000800000000102030405060708090a0b0c0d0e0f109c001700"
			      "2000000000000000000000000000000000000000000400000000000000000000"
			      "0000000000000000000000000000000000000000000000000000000000000000"
			      "0000000000000000000000000000000000000000000000000000000000000000"
			      "0000000000000000000000000000000000000000000000000000000000000000"
			      "000000000000000000000000000000000000000000000000";

/* Linux 6.1: made by iproute2, with the old kind of replay state. */
static const char plain[] = "7c010000100000008b4c026b0000000000000000000000000000000000000000"
			    "0000000000000000000000000000000000000000000000000000000000000000"
			    "00000000000000000a0000020000000000000000000000000000100132000000"
			    "0a000001000000000000000000000000ffffffffffffffffffffffffffffffff"
			    "ffffffffffffffffffffffffffffffff00000000000000000000000000000000"
			    "0000000000000000000000000000000000000000000000000000000000000000"
			    "8a4c026b00000000000000000000000000000000000000000000000000000000"
			    "0700005002000100200000000000000060001200726663343130362867636d28"
			    "6165732929000000000000000000000000000000000000000000000000000000"
			    "0000000000000000000000000000000000000000a00000008000000000010203"
			    "0405060708090a0b0c0d0e0f101112131c000400020011951194000000000000"
			    "00000000000000000000000010000a00000000000000000000000000";

static bool addr_is(const struct addr *a, const char *text)
{
	struct addr b;

	return addr_parse(text, &b) && addr_eq(a, &b);
}

static struct state_info read_ok(const char *hex)
{
	struct nlmsghdr *m = kit_message(hex);
	struct state_info s;

	ck_assert_int_eq(state_read(m, &s), OK);
	free(m);
	return s;
}

START_TEST(an_outbound_state)
{
	struct state_info s = read_ok(outbound);

	ck_assert(addr_is(&s.src, "192.0.2.1"));
	ck_assert(addr_is(&s.dst, "192.0.2.2"));
	ck_assert_uint_eq(s.spi, 0x1001);
	ck_assert(state_is_ours(&s) && !s.larval);
	ck_assert_uint_eq(s.reqid, 0x50000007);
	ck_assert_uint_eq(s.mode, XFRM_MODE_TUNNEL);
	ck_assert_uint_eq(s.flags, XFRM_STATE_ESN | XFRM_STATE_AF_UNSPEC);
	ck_assert(s.encap);
	ck_assert_uint_eq(s.encap_sport, 4500);
	ck_assert_uint_eq(s.encap_dport, 4501);
	ck_assert_uint_eq(s.set_mark, 0x50000000);
	ck_assert_uint_eq(s.set_mark_mask, 0x70000000);
	ck_assert_uint_eq(s.if_id, 42);
	ck_assert_uint_eq(s.sent, 0x100000005);
	ck_assert_uint_eq(s.window, 0);
	ck_assert_uint_eq(s.dir, ATTR_DIR_OUT);
	ck_assert(!s.has_cpu);
	ck_assert_int_eq(s.offload, OFFLOAD_NO);
	ck_assert_uint_eq(s.added_s, 0x6b024eed);
}
END_TEST

START_TEST(an_inbound_state)
{
	struct state_info s = read_ok(inbound);

	ck_assert(addr_is(&s.src, "192.0.2.2"));
	ck_assert_uint_eq(s.spi, 0x1002);
	ck_assert_uint_eq(s.flags, XFRM_STATE_AF_UNSPEC);
	ck_assert(!s.encap);
	ck_assert_uint_eq(s.window, 1024);
	ck_assert_uint_eq(s.dir, 0);
	ck_assert_uint_eq(s.set_mark, 0);
}
END_TEST

/* Counters by hand into their places: what they were is zero in a state that is new. */
START_TEST(counters_are_read)
{
	const struct xfrm_replay_state_esn esn = { .oseq = 2,
						   .oseq_hi = 1,
						   .seq = 4,
						   .seq_hi = 3,
						   .replay_window = 64 };
	struct nlmsghdr *m = kit_message(inbound);
	struct xfrm_usersa_info u;
	struct state_info s;

	memcpy(&u, nlmsg_data(m), sizeof(u));
	u.curlft = (struct xfrm_lifetime_cur){ 0x1111111122, 33, 44, 55 };
	u.stats = (struct xfrm_stats){ 6, 7, 8 };
	u.seq = 99;
	memcpy(nlmsg_data(m), &u, sizeof(u));
	memcpy(nla_data(nlmsg_find_attr(m, sizeof(u), XFRMA_REPLAY_ESN_VAL)), &esn, sizeof(esn));
	ck_assert_int_eq(state_read(m, &s), OK);
	ck_assert_uint_eq(s.bytes, 0x1111111122);
	ck_assert_uint_eq(s.packets, 33);
	ck_assert_uint_eq(s.added_s, 44);
	ck_assert_uint_eq(s.used_s, 55);
	ck_assert_uint_eq(s.drop_window, 6);
	ck_assert_uint_eq(s.drop_replay, 7);
	ck_assert_uint_eq(s.drop_integrity, 8);
	ck_assert_uint_eq(s.seq, 99);
	ck_assert_uint_eq(s.sent, 0x100000002);
	ck_assert_uint_eq(s.received, 0x300000004);
	ck_assert_uint_eq(s.window, 64);
	free(m);
}
END_TEST

START_TEST(the_old_kind_of_replay_state_is_read)
{
	const struct xfrm_replay_state r = { .oseq = 5, .seq = 6 };
	struct nlmsghdr *m = kit_message(plain);
	struct nlattr *a = nlmsg_find_attr(m, sizeof(struct xfrm_usersa_info), XFRMA_REPLAY_VAL);
	struct state_info s;

	memcpy(nla_data(a), &r, sizeof(r));
	ck_assert_int_eq(state_read(m, &s), OK);
	ck_assert_uint_eq(s.sent, 5);
	ck_assert_uint_eq(s.received, 6);
	ck_assert_uint_eq(s.encap_sport, 4501);
	free(m);
}
END_TEST

static const struct {
	uint8_t flags;
	enum sa_offload offload;
} offloads[] = { { 0, OFFLOAD_CRYPTO },
		 { XFRM_OFFLOAD_INBOUND, OFFLOAD_CRYPTO },
		 { STATE_OFFLOAD_PACKET, OFFLOAD_PACKET } };

START_TEST(what_a_device_took_over_is_read)
{
	const struct xfrm_user_offload off = { .ifindex = 3, .flags = offloads[_i].flags };
	struct nlmsghdr *m = kit_message(plain);
	struct ask a = ask_new(XFRM_MSG_NEWSA, 0);
	struct state_info s;

	ask_header(&a, nlmsg_data(m), sizeof(struct xfrm_usersa_info));
	ask_bytes(&a, XFRMA_OFFLOAD_DEV, &off, sizeof(off));
	ask_u32(&a, ATTR_SA_PCPU, 1);
	free(m);
	m = kit_answer(&a, XFRM_MSG_NEWSA);
	ck_assert_int_eq(state_read(m, &s), OK);
	ck_assert_int_eq(s.offload, offloads[_i].offload);
	ck_assert_uint_eq(s.ifindex, 3);
	ck_assert(s.has_cpu && s.cpu == 1);
	free(m);
}
END_TEST

/* The last words about a state carry its sequence numbers: a successor can go on from there. */
START_TEST(a_state_that_is_gone_is_read_too)
{
	const struct xfrm_usersa_id id = { .spi = 0 };
	const struct xfrm_replay_state r = { .oseq = 1000 };
	struct nlmsghdr *m = kit_message(plain);
	struct ask a = ask_new(XFRM_MSG_DELSA, 0);
	struct state_info s;

	ask_header(&a, &id, sizeof(id));
	ask_bytes(&a, XFRMA_SA, nlmsg_data(m), sizeof(struct xfrm_usersa_info));
	ask_bytes(&a, XFRMA_REPLAY_VAL, &r, sizeof(r));
	free(m);
	m = kit_answer(&a, XFRM_MSG_DELSA);
	ck_assert_int_eq(state_read(m, &s), OK);
	ck_assert_uint_eq(s.spi, 0x1001);
	ck_assert_uint_eq(s.sent, 1000);
	nlmsg_find_attr(m, sizeof(id), XFRMA_SA)->nla_type = XFRMA_PAD;
	ck_assert_int_eq(state_read(m, &s), ERR_SYNTAX);
	free(m);
}
END_TEST

/* Others may choose any reqid, and any mark. */
static const struct {
	uint32_t reqid;
	uint32_t mark;
	uint32_t mask;
	const char *src;
	const char *dst;
	uint8_t proto;
	bool ours;
} owners[] = {
	{ 0x50000000, 0, 0x70000000, "192.0.2.1", "192.0.2.2", IPPROTO_ESP, true },
	{ 0x5fffffff, 0x50000000, 0x70000000, "192.0.2.1", "192.0.2.2", IPPROTO_ESP, true },
	{ 0x60000000, 0x50000000, 0x70000000, "192.0.2.1", "192.0.2.2", IPPROTO_ESP, false },
	{ 0x4fffffff, 0x50000000, 0x70000000, "192.0.2.1", "192.0.2.2", IPPROTO_ESP, false },
	{ 7, 0x50000000, 0x70000000, "192.0.2.1", "192.0.2.2", IPPROTO_ESP, false },
	{ 0xd0000000, 0x50000000, 0x70000000, "192.0.2.1", "192.0.2.2", IPPROTO_ESP, false },
	{ 0x50000000, 0x50000000, 0x70000000, "192.0.2.1", "192.0.2.2", IPPROTO_AH, false },
	{ 0x50000000, 0, 0, "192.0.2.1", "192.0.2.2", IPPROTO_ESP, false },
	{ 0x50000000, 0x50000000, 0xffffffff, "192.0.2.1", "192.0.2.2", IPPROTO_ESP, false },
	{ 0x50000000, 0x60000000, 0x70000000, "192.0.2.1", "192.0.2.2", IPPROTO_ESP, false },
	{ 0x50000000, 0, 0, "127.0.0.1", "0.0.0.0", IPPROTO_ESP, true }, /* of a trap */
	{ 0x50000000, 0, 0, "127.0.0.1", "192.0.2.2", IPPROTO_ESP, false },
	{ 0x50000000, 0, 0, "192.0.2.1", "0.0.0.0", IPPROTO_ESP, false },
	{ 7, 0, 0, "127.0.0.1", "0.0.0.0", IPPROTO_ESP, false },
};

static void place(xfrm_address_t *to, const char *text)
{
	struct addr a;

	ck_assert(addr_parse(text, &a));
	memcpy(to, a.b, 4);
}

START_TEST(ours_are_known_by_reqid_and_mark)
{
	struct nlmsghdr *m = kit_message(plain);
	struct ask a = ask_new(XFRM_MSG_NEWSA, 0);
	struct xfrm_usersa_info u;
	struct state_info s;

	memcpy(&u, nlmsg_data(m), sizeof(u));
	free(m);
	u.reqid = owners[_i].reqid;
	u.id.proto = owners[_i].proto;
	place(&u.saddr, owners[_i].src);
	place(&u.id.daddr, owners[_i].dst);
	ask_header(&a, &u, sizeof(u));
	if (owners[_i].mask != 0) {
		ask_u32(&a, XFRMA_SET_MARK, owners[_i].mark);
		ask_u32(&a, XFRMA_SET_MARK_MASK, owners[_i].mask);
	}
	m = kit_answer(&a, XFRM_MSG_NEWSA);
	ck_assert_int_eq(state_read(m, &s), OK);
	ck_assert_int_eq(state_is_ours(&s), owners[_i].ours);
	free(m);
}
END_TEST

static const char *const messages[] = { outbound, inbound, plain };

/* Whether the first `len` bytes end where an attribute does: such a message is whole, only
 * poorer. */
static bool ends_well(struct nlmsghdr *m, uint32_t len)
{
	int left = nlmsg_attrlen(m, sizeof(struct xfrm_usersa_info));
	struct nlattr *a = nlmsg_attrdata(m, sizeof(struct xfrm_usersa_info));

	for (; nla_ok(a, left); a = nla_next(a, &left)) {
		if ((uint32_t)((uint8_t *)a - (uint8_t *)m) == len)
			return true;
	}
	return false;
}

START_TEST(a_state_cut_anywhere_is_refused)
{
	struct nlmsghdr *m = kit_message(messages[_i]);
	unsigned int whole = 0;

	for (uint32_t len = sizeof(*m); len < m->nlmsg_len; len++) {
		struct nlmsghdr *cut = kit_cut(m, len);
		enum err wanted = ends_well(m, len) ? OK : ERR_SYNTAX;
		struct state_info s;

		ck_assert_int_eq(state_read(cut, &s), wanted);
		whole += wanted == OK;
		free(cut);
	}
	ck_assert_uint_ge(whole, 3);
	free(m);
}
END_TEST

START_TEST(a_bent_state_is_read_or_refused)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	struct nlmsghdr *m = kit_message(messages[_i]);

	for (uint32_t at = sizeof(*m); at < m->nlmsg_len; at++) {
		for (int v = 0; v < N_OF(values); v++) {
			struct nlmsghdr *bent = kit_cut(m, m->nlmsg_len);
			struct state_info s;
			enum err err;

			((uint8_t *)bent)[at] = values[v];
			err = state_read(bent, &s);
			ck_assert(err == OK || err == ERR_SYNTAX);
			free(bent);
		}
	}
	free(m);
}
END_TEST

/* An attribute of the right number that is too short for what should stand in it. */
START_TEST(a_short_attribute_is_refused)
{
	static const int types[] = { XFRMA_ENCAP,	XFRMA_REPLAY_VAL, XFRMA_REPLAY_ESN_VAL,
				     XFRMA_OFFLOAD_DEV, XFRMA_SET_MARK,	  XFRMA_SET_MARK_MASK,
				     XFRMA_IF_ID,	ATTR_SA_DIR,	  ATTR_SA_PCPU };

	for (int i = 0; i < N_OF(types); i++) {
		struct nlmsghdr *m = kit_message(plain);
		struct ask a = ask_new(XFRM_MSG_NEWSA, 0);
		struct state_info s;

		ask_header(&a, nlmsg_data(m), sizeof(struct xfrm_usersa_info));
		ask_bytes(&a, types[i], "", 0);
		free(m);
		m = kit_answer(&a, XFRM_MSG_NEWSA);
		ck_assert_int_eq(state_read(m, &s), ERR_SYNTAX);
		free(m);
	}
}
END_TEST

START_TEST(other_messages_are_refused)
{
	struct nlmsghdr *m = kit_message(plain);
	struct state_info s;

	m->nlmsg_type = XFRM_MSG_NEWPOLICY;
	ck_assert_int_eq(state_read(m, &s), ERR_SYNTAX);
	free(m);
}
END_TEST

UNIT("xfrm/state_read")
{
	tcase_add_test(tc, an_outbound_state);
	tcase_add_test(tc, an_inbound_state);
	tcase_add_test(tc, counters_are_read);
	tcase_add_test(tc, the_old_kind_of_replay_state_is_read);
	tcase_add_loop_test(tc, what_a_device_took_over_is_read, 0, N_OF(offloads));
	tcase_add_test(tc, a_state_that_is_gone_is_read_too);
	tcase_add_loop_test(tc, ours_are_known_by_reqid_and_mark, 0, N_OF(owners));
	tcase_add_loop_test(tc, a_state_cut_anywhere_is_refused, 0, N_OF(messages));
	tcase_add_loop_test(tc, a_bent_state_is_read_or_refused, 0, N_OF(messages));
	tcase_add_test(tc, a_short_attribute_is_refused);
	tcase_add_test(tc, other_messages_are_refused);
}
