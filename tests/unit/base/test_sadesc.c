/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sadesc.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/unit/unit.h"

enum { ROOM = 32 * 1024 };

static struct ts selectors[TS_MAX];

static void addr_set(struct addr *a, const char *text)
{
	ck_assert(addr_parse(text, a));
}

static struct ts_list selectors_of(unsigned int n)
{
	memset(selectors, 0, sizeof(selectors));
	for (unsigned int i = 0; i < n; i++) {
		selectors[i] = (struct ts){ .proto = (uint8_t)i, .port_hi = UINT16_MAX };
		addr_set(&selectors[i].lo, "2001:db8::1");
		addr_set(&selectors[i].hi, "2001:db8::9");
	}
	return (struct ts_list){ (uint8_t)n, selectors };
}

/* Each field with a value of its own, so that two that are swapped show. */
static struct sa_cmd example(unsigned int n)
{
	struct sa_cmd c = { .ticket = 0x1122334455667788, .op = SA_QUERY };
	struct sa_desc *d = &c.sa;

	*d = (struct sa_desc){
		.dir = SA_OUT,
		.mode = SA_TRANSPORT,
		.plane = PLANE_KERNEL,
		.spi = 1,
		.twin_spi = 2,
		.child_id = 3,
		.reqid = 4,
		.encap = true,
		.esn = true,
		.replay_window = 5,
		.encr_id = 6,
		.encr_key_bits = 7,
		.integ_id = 8,
		.byte_limit = 9,
		.packet_limit = 10,
		.if_id = 11,
		.set = 12,
		.headers = { true, false, true, false, true, 7 },
		.connection = "office",
		.child = "lan",
	};
	addr_set(&d->path.local.addr, "192.0.2.1");
	addr_set(&d->path.remote.addr, "2001:db8::2");
	d->path.local.port = 500;
	d->path.remote.port = 4500;
	ck_assert(key_set(&d->encr_key, span_str("encryption")));
	ck_assert(key_set(&d->integ_key, span_str("integrity")));
	d->local = selectors_of(n);
	d->remote = (struct ts_list){ (uint8_t)(n > 0 ? 1 : 0), selectors };
	return c;
}

static struct span encoded(const struct sa_cmd *c, uint8_t buf[static ROOM])
{
	struct wr w = wr_into(buf, ROOM);

	sa_cmd_encode(&w, c);
	ck_assert(wr_ok(&w));
	return wr_done(&w);
}

/* Whether each byte that went in came out: what is decoded encodes to the same again. */
START_TEST(a_command_survives_the_channel)
{
	static const unsigned int counts[] = { 0, 1, 2, TS_MAX };
	static uint8_t buf[ROOM], again[ROOM];
	struct sa_cmd c = example(counts[_i]);
	struct span s = encoded(&c, buf);
	struct sa_cmd back;

	ck_assert_int_eq(sa_cmd_decode(s, &back), OK);
	ck_assert(span_eq(encoded(&back, again), s));
	ck_assert_uint_eq(back.ticket, c.ticket);
	ck_assert_int_eq((int)back.op, SA_QUERY);
	ck_assert_int_eq((int)back.sa.dir, SA_OUT);
	ck_assert_int_eq((int)back.sa.plane, PLANE_KERNEL);
	ck_assert_uint_eq(back.sa.spi, 1);
	ck_assert_uint_eq(back.sa.twin_spi, 2);
	ck_assert_uint_eq(back.sa.packet_limit, 10);
	ck_assert_uint_eq(back.sa.if_id, 11);
	ck_assert_uint_eq(back.sa.set, 12);
	ck_assert_uint_eq(back.sa.headers.ttl, 7);
	ck_assert(back.sa.headers.dscp_hide && !back.sa.headers.dscp_adopt &&
		  back.sa.headers.ecn_off && !back.sa.headers.label_copy &&
		  back.sa.headers.icmp_errors);
	ck_assert(path_eq(&back.sa.path, &c.sa.path));
	ck_assert(span_eq(key_span(&back.sa.integ_key), span_str("integrity")));
	ck_assert_str_eq(back.sa.connection, "office");
	ck_assert_str_eq(back.sa.child, "lan");
	ck_assert(ts_list_eq(&back.sa.local, &c.sa.local));
	ck_assert(ts_list_eq(&back.sa.remote, &c.sa.remote));
	sa_desc_wipe(&back.sa);
}
END_TEST

START_TEST(a_command_cut_off_anywhere_is_refused)
{
	static uint8_t buf[ROOM];
	struct sa_cmd c = example(3);
	struct span s = encoded(&c, buf);
	struct sa_cmd back;

	for (size_t len = 0; len < s.len; len++) {
		ck_assert_int_eq(sa_cmd_decode(span_head(s, len), &back), ERR_SYNTAX);
		ck_assert_ptr_null(back.sa.local.v);
		ck_assert_uint_eq(back.sa.encr_key.len, 0);
	}
	buf[s.len] = 0;
	ck_assert_int_eq(sa_cmd_decode(span_of(buf, s.len + 1), &back), ERR_SYNTAX);
}
END_TEST

/* Every byte changed to every value: either refused, or a command that is whole and encodes to what
 * came. */
START_TEST(a_damaged_command_is_refused_or_valid)
{
	static uint8_t buf[ROOM], again[ROOM];
	struct sa_cmd c = example(1);
	size_t len = encoded(&c, buf).len;

	for (size_t i = 0; i < len; i++) {
		uint8_t was = buf[i];

		for (unsigned int v = 0; v < 256; v++) {
			struct sa_cmd back;

			buf[i] = (uint8_t)v;
			if (sa_cmd_decode(span_of(buf, len), &back) != OK)
				continue;
			ck_assert(span_eq(encoded(&back, again), span_of(buf, len)));
			sa_desc_wipe(&back.sa);
		}
		buf[i] = was;
	}
}
END_TEST

START_TEST(a_copy_has_its_own_selectors)
{
	struct sa_cmd c = example(2);
	struct sa_desc copy;

	ck_assert_int_eq(sa_desc_copy(&copy, &c.sa), OK);
	ck_assert_ptr_ne(copy.local.v, c.sa.local.v);
	ck_assert(ts_list_eq(&copy.local, &c.sa.local));
	sa_desc_wipe(&copy);
	ck_assert_uint_eq(copy.encr_key.b[0], 0);
	ck_assert_ptr_null(copy.local.v);
}
END_TEST

START_TEST(an_answer_survives_the_channel)
{
	struct sa_done done = { 7,
				ERR_EXISTS,
				8,
				SA_OUT,
				{ 1, 2, 3, 4, 5, 6, 7 },
				OFFLOAD_PACKET,
				"the device refused it" };
	struct sa_done back;
	uint8_t buf[320];
	struct wr w = wr_into(buf, sizeof(buf));

	sa_done_encode(&w, &done);
	ck_assert_int_eq(sa_done_decode(wr_done(&w), &back), OK);
	ck_assert_mem_eq(&back.counters, &done.counters, sizeof(done.counters));
	ck_assert_uint_eq(back.ticket, 7);
	ck_assert_int_eq((int)back.err, ERR_EXISTS);
	ck_assert_uint_eq(back.spi, 8);
	ck_assert_int_eq((int)back.offload, OFFLOAD_PACKET);
	ck_assert_str_eq(back.why, "the device refused it");
	for (size_t len = 0; len < wr_len(&w); len++)
		ck_assert_int_eq(sa_done_decode(span_of(buf, len), &back), ERR_SYNTAX);
	buf[8] = N_ERR;
	ck_assert_int_eq(sa_done_decode(wr_done(&w), &back), ERR_SYNTAX);
}
END_TEST

START_TEST(an_event_survives_the_channel)
{
	struct plane_event ev = { .kind = PLANE_MTU,
				  .spi = 1,
				  .dir = SA_OUT,
				  .reqid = 2,
				  .acquire = 9,
				  .soft = true,
				  .heard_ns = 0x1122334455667788,
				  .mtu = 1400 };
	struct plane_event back;
	uint8_t buf[128];
	struct wr w = wr_into(buf, sizeof(buf));

	ev.flow = (struct flow){ .proto = 6, .ports_known = true, .sport = 3, .dport = 4 };
	addr_set(&ev.flow.src, "192.0.2.1");
	addr_set(&ev.remote.addr, "2001:db8::1");
	plane_event_encode(&w, &ev);
	ck_assert_int_eq(plane_event_decode(wr_done(&w), &back), OK);
	ck_assert_int_eq((int)back.kind, PLANE_MTU);
	ck_assert(addr_eq(&back.flow.src, &ev.flow.src));
	ck_assert_int_eq(back.flow.dst.family, AF_UNSPEC);
	ck_assert(endpoint_eq(&back.remote, &ev.remote));
	ck_assert(back.flow.ports_known && back.flow.sport == 3 && back.flow.dport == 4);
	ck_assert_uint_eq(back.mtu, 1400);
	ck_assert_uint_eq(back.acquire, 9);
	ck_assert_uint_eq(back.heard_ns, 0x1122334455667788);
	ck_assert(back.soft);
	for (size_t len = 0; len < wr_len(&w); len++)
		ck_assert_int_eq(plane_event_decode(span_of(buf, len), &back), ERR_SYNTAX);
}
END_TEST

START_TEST(what_a_plane_can_do_survives_the_channel)
{
	struct plane_caps c = { .v4 = true,
				.no_v6 = true,
				.encap = true,
				.sa_dir = true,
				.n_encr = 2,
				.encr = { { 20, 256 }, { 12, 128 } },
				.n_integ = 1,
				.integ = { 12 },
				.lacks = "CONFIG_INET6_ESP" };
	struct plane_caps back;
	uint8_t buf[256];
	struct wr w = wr_into(buf, sizeof(buf));

	plane_caps_encode(&w, &c);
	ck_assert_int_eq(plane_caps_decode(wr_done(&w), &back), OK);
	ck_assert_mem_eq(&back, &c, sizeof(c));
	for (size_t len = 0; len < wr_len(&w); len++)
		ck_assert_int_eq(plane_caps_decode(span_of(buf, len), &back), ERR_SYNTAX);
	buf[8] = PLANE_ENCR_MAX + 1;
	ck_assert_int_eq(plane_caps_decode(wr_done(&w), &back), ERR_SYNTAX);
}
END_TEST

START_TEST(a_plane_carries_what_it_names)
{
	struct plane_caps c = { .v6 = true,
				.n_encr = 1,
				.encr = { { 20, 256 } },
				.n_integ = 1,
				.integ = { 12 } };

	ck_assert(plane_caps_encr(&c, 20, 256) && !plane_caps_encr(&c, 20, 128));
	ck_assert(plane_caps_integ(&c, 12) && !plane_caps_integ(&c, 13));
	ck_assert(plane_caps_esp(&c));
	c.n_encr = 0;
	ck_assert(!plane_caps_esp(&c));
}
END_TEST

START_TEST(an_spi_of_the_user_plane_carries_owner_and_slot)
{
	uint32_t spi = spi_user(0x7f, 0xab, 0x1234);

	ck_assert_uint_eq(spi, 0xffab1234);
	ck_assert_uint_eq(spi_owner(spi), 0x7f);
	ck_assert_uint_eq(spi_slot(spi), 0x1234);
	ck_assert_uint_eq(spi_user(0xff, 0, 0), 0xff000000);
	ck_assert_uint_eq(spi_user(0, 0, 0), SPI_USER_BIT);
}
END_TEST

/* Another program reads them (daemon/handover.h). Whoever changes them raises SA_FORMAT, and then
 * puts the new sum here. */
START_TEST(the_bytes_are_of_their_format)
{
	struct sa_cmd c = example(2);
	uint8_t buf[ROOM];
	struct wr w = wr_into(buf, sizeof(buf));
	uint64_t sum = 14695981039346656037u; /* FNV-1a */

	sa_cmd_encode(&w, &c);
	ck_assert(wr_ok(&w));
	for (size_t i = 0; i < wr_len(&w); i++)
		sum = (sum ^ buf[i]) * 1099511628211u;
	ck_assert_int_eq(SA_FORMAT, 1);
	ck_assert_uint_eq(sum, 12370999273699919989u);
}
END_TEST

UNIT("base/sadesc")
{
	tcase_add_test(tc, the_bytes_are_of_their_format);
	tcase_add_loop_test(tc, a_command_survives_the_channel, 0, 4);
	tcase_add_test(tc, a_command_cut_off_anywhere_is_refused);
	tcase_add_test(tc, a_damaged_command_is_refused_or_valid);
	tcase_add_test(tc, a_copy_has_its_own_selectors);
	tcase_add_test(tc, an_answer_survives_the_channel);
	tcase_add_test(tc, an_event_survives_the_channel);
	tcase_add_test(tc, what_a_plane_can_do_survives_the_channel);
	tcase_add_test(tc, a_plane_carries_what_it_names);
	tcase_add_test(tc, an_spi_of_the_user_plane_carries_owner_and_slot);
}
