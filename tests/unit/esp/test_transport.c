/* SPDX-License-Identifier: Apache-2.0 */
/* Transport mode: what is sealed of a packet, what becomes of it at the other host, and checksums
 * that a NAT made wrong. */
#include "esp/transport.h"

#include <string.h>

#include "esp/checksum.h"
#include "esp/outbound.h"
#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

enum { SPI = 0x80000102 };

/* ---- what is sealed ---- */

static const struct {
	const char *why;
	uint8_t first;	   /* of an IPv4 header; 0x60: IPv6 */
	uint8_t frag[2];   /* IPv4 flags and offset */
	uint8_t next;	   /* IPv6 */
	uint8_t chain[16]; /* IPv6: what follows the header */
	bool good;
	size_t at; /* of the payload */
	uint8_t want;
} payloads[] = {
	{ "IPv4", 0x45, { 0 }, 0, { 0 }, true, 20, 17 },
	{ "IPv4 with DF", 0x45, { 0x40 }, 0, { 0 }, true, 20, 17 },
	{ "IPv4 with options", 0x47, { 0 }, 0, { 0 }, true, 28, 17 },
	{ "a first fragment", 0x45, { 0x20 }, 0, { 0 }, false, 0, 0 },
	{ "a last fragment", 0x45, { 0, 1 }, 0, { 0 }, false, 0, 0 },
	{ "IPv6", 0x60, { 0 }, 17, { 0 }, true, 40, 17 },
	{ "destination options are sealed", 0x60, { 0 }, 60, { 17, 0, 1, 4 }, true, 40, 60 },
	{ "hop by hop options", 0x60, { 0 }, 0, { 17, 0, 1, 4 }, false, 0, 0 },
	{ "a routing header", 0x60, { 0 }, 43, { 17, 0, 4, 0 }, false, 0, 0 },
	{ "an IPv6 fragment", 0x60, { 0 }, 44, { 17, 0, 0, 1 }, false, 0, 0 },
	{ "a later IPv6 fragment", 0x60, { 0 }, 44, { 17, 0, 0, 8 }, false, 0, 0 },
	{ "a fragment header around all", 0x60, { 0 }, 44, { 17, 0, 0, 0 }, true, 48, 17 },
	{ "and around what is not sealed", 0x60, { 0 }, 44, { 43, 0, 0, 0 }, false, 0, 0 },
};

START_TEST(what_is_sealed_begins_behind_the_header)
{
	uint8_t b[100] = { 0 };
	struct span payload;
	uint8_t next;
	bool good;

	b[0] = payloads[_i].first;
	if (b[0] == 0x60) {
		b[6] = payloads[_i].next;
		memcpy(b + 40, payloads[_i].chain, sizeof(payloads[_i].chain));
	} else {
		memcpy(b + 6, payloads[_i].frag, 2);
		b[9] = 17;
	}
	good = transport_payload(span_of(b, sizeof(b)), &payload, &next);
	ck_assert_msg(good == payloads[_i].good, "%s", payloads[_i].why);
	if (!good)
		return;
	ck_assert_ptr_eq(payload.p, b + payloads[_i].at);
	ck_assert_uint_eq(payload.len, sizeof(b) - payloads[_i].at);
	ck_assert_uint_eq(next, payloads[_i].want);
}
END_TEST

START_TEST(options_go_along_but_no_source_route)
{
	static const struct {
		uint8_t b[8];
		bool good;
	} cases[] = {
		{ { 148, 4, 0, 0, 1, 1, 1, 0 }, true },	 { { 7, 7, 4, 0, 0, 0, 0, 0 }, true },
		{ { 131, 7, 4, 1, 2, 3, 4, 0 }, false }, { { 137, 7, 4, 1, 2, 3, 4, 0 }, false },
		{ { 1, 131, 7, 4, 1, 2, 3, 4 }, false }, { { 0, 131, 7, 4, 1, 2, 3, 4 }, true },
		{ { 7, 9, 4, 0, 0, 0, 0, 0 }, false },	 { { 7, 1, 4, 0, 0, 0, 0, 0 }, false },
		{ { 1, 1, 1, 1, 1, 1, 1, 7 }, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t b[40] = { 0x47, 0, 0, 40 };
		struct inner in = { .version = 4, .head_len = 28, .len = 40 };
		struct span options;

		memcpy(b + 20, cases[i].b, 8);
		ck_assert_msg(transport_options(span_of(b, 40), &in, &options) == cases[i].good,
			      "%zu", i);
		ck_assert(!cases[i].good || span_eq(options, span_of(b + 20, 8)));
	}
}
END_TEST

/* ---- there and back ---- */

static const struct {
	const char *left, *right;
} hosts[] = {
	{ "192.0.2.1", "192.0.2.2" },
	{ "2001:db8::1", "2001:db8::2" },
};

static struct sa *sa_make(int suite, enum sa_dir dir, int family, struct kit_sa *k)
{
	struct sa *sa;

	kit_sa_make(k, &kit_suites[suite], dir, SPI);
	kit_sa_join(k, hosts[family].left, hosts[family].right);
	if (dir == SA_IN)
		kit_sa_mirror(k);
	ck_assert_int_eq(esp_sa_new(&k->d, NULL, &sa), OK);
	return sa;
}

/* A packet from left to right with a checksum that is right. */
static struct span summed(uint8_t *b, size_t len, int family)
{
	struct span p = kit_udp(b, len, hosts[family].left, hosts[family].right);
	struct inner in = kit_parsed(p);
	uint16_t sum = kit_upper_sum(p, PROTO_UDP, &in.flow.src, &in.flow.dst);

	b[in.l4_at + 6] = (uint8_t)(sum >> 8);
	b[in.l4_at + 7] = (uint8_t)sum;
	return p;
}

struct room {
	uint8_t b[2048];
	struct opened o;
};

static enum drop arrives(struct sa *sa, uint8_t *p, size_t len, const struct path *path,
			 struct room *room)
{
	struct esp_datagram d = { .p = p, .len = len, .tos = 0xbb, .ttl = 7, .path = *path };

	room->o = (struct opened){ .room = wr_into(room->b, sizeof(room->b)) };
	return inbound_open(sa, &d, 1, &room->o);
}

START_TEST(a_packet_arrives_with_the_header_that_came)
{
	for (int family = 0; family < 2; family++) {
		struct kit_sa k;
		struct sa *out = sa_make(_i, SA_OUT, family, &k);
		struct sa *in = sa_make(_i, SA_IN, family, &k);
		size_t head = family ? 40 : 20;

		for (size_t len = head + 8; len < head + 60; len++) {
			uint8_t b[200], sealed[300];
			struct span p = summed(b, len, family);
			struct wr w = wr_into(sealed, sizeof(sealed));
			struct room room;

			ck_assert_int_eq(outbound_seal(out, p, family ? 6 : 4, 1, &w), DROP_NONE);
			ck_assert_uint_eq(wr_len(&w), shape_sealed_len(&out->shape, len - head));
			ck_assert_int_eq(arrives(in, sealed, wr_len(&w), &k.d.path, &room),
					 DROP_NONE);
			ck_assert_ptr_eq(room.o.p, room.b);
			ck_assert_uint_eq(room.o.in.len, len);
			ck_assert(
				span_eq(span_tail(span_of(room.b, len), head), span_tail(p, head)));
			ck_assert_uint_eq(room.o.in.tos, 0xbb);
			ck_assert_uint_eq(room.o.in.ttl, 7);
			ck_assert(family || kit_v4_sum_ok(span_of(room.b, len)));
			ck_assert(addr_eq(&room.o.in.flow.src, &k.d.path.remote.addr));
			ck_assert(addr_eq(&room.o.in.flow.dst, &k.d.path.local.addr));
		}
		esp_sa_free(out);
		esp_sa_free(in);
	}
}
END_TEST

START_TEST(a_datagram_from_elsewhere_is_none_of_this_sa)
{
	struct kit_sa k;
	struct sa *out = sa_make(0, SA_OUT, 0, &k), *in = sa_make(0, SA_IN, 0, &k);
	static const struct {
		const char *from, *to;
		enum drop want;
	} ways[] = {
		{ "192.0.2.1", "192.0.2.2", DROP_NONE },
		{ "192.0.2.9", "192.0.2.2", DROP_SELECTOR },
		{ "192.0.2.1", "192.0.2.9", DROP_SELECTOR },
		{ "192.0.2.2", "192.0.2.1", DROP_SELECTOR },
		{ "2001:db8::1", "2001:db8::2", DROP_SELECTOR },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct path path = { kit_endpoint(ways[i].to, 4500),
				     kit_endpoint(ways[i].from, 4500) };
		uint8_t b[200], sealed[300];
		struct span p = summed(b, 100, 0);
		struct wr w = wr_into(sealed, sizeof(sealed));
		struct room room;

		ck_assert_int_eq(outbound_seal(out, p, 4, 1, &w), DROP_NONE);
		ck_assert_int_eq(arrives(in, sealed, wr_len(&w), &path, &room), ways[i].want);
		/* Authentic it is, so that a NAT that moved the peer is found out. */
		ck_assert(room.o.newest);
	}
	esp_sa_free(out);
	esp_sa_free(in);
}
END_TEST

/* What a peer with good keys may put behind ESP. */
START_TEST(headers_that_stand_outside_are_refused_inside)
{
	static const struct {
		uint8_t next;
		uint8_t b[16];
		enum drop v4, v6;
	} cases[] = {
		{ 17, { 0, 1, 0, 2, 0, 16 }, DROP_NONE, DROP_NONE },
		{ 0, { 17, 0, 1, 4 }, DROP_NEXT_HEADER, DROP_NEXT_HEADER },
		{ 43, { 17, 0, 4, 0 }, DROP_NEXT_HEADER, DROP_NEXT_HEADER },
		{ 44, { 17, 0, 0, 1 }, DROP_NEXT_HEADER, DROP_NEXT_HEADER },
		{ 60, { 17, 0, 1, 4, 0, 0, 0, 0, 0, 1, 0, 2, 0, 8 }, DROP_NONE, DROP_NONE },
		/* fragments that hide behind options */
		{ 60, { 44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1 }, DROP_NONE, DROP_INNER },
		{ 60, { 43, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1 }, DROP_NONE, DROP_INNER },
		{ 59, { 0 }, DROP_DUMMY, DROP_DUMMY },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int family = 0; family < 2; family++) {
			struct transport_head h = { .src = kit_addr(hosts[family].left),
						    .dst = kit_addr(hosts[family].right),
						    .next = cases[i].next };
			enum drop want = family ? cases[i].v6 : cases[i].v4;
			uint8_t b[100];
			struct wr w = wr_into(b, sizeof(b));
			struct inner in;
			bool made = transport_rebuild(&h, span_of(cases[i].b, 16), &w);

			if (want == DROP_DUMMY)
				continue; /* judged before */
			ck_assert_msg(made == (want != DROP_NEXT_HEADER), "%zu", i);
			if (made)
				ck_assert_msg((inner_parse(wr_done(&w), &in) == OK &&
					       !in.fragment) == (want == DROP_NONE),
					      "%zu", i);
		}
	}
}
END_TEST

/* A fragment that hides behind options is none that transport mode carries. */
START_TEST(a_sealed_fragment_is_refused)
{
	static const uint8_t hidden[] = { 44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1,
					  0,  0, 0, 9, 0, 1, 0, 2, 0,  8, 0, 0 };
	struct kit_sa k;
	struct sa *out = sa_make(0, SA_OUT, 1, &k), *in = sa_make(0, SA_IN, 1, &k);
	uint8_t b[40 + sizeof(hidden)], sealed[200];
	struct wr w = wr_into(sealed, sizeof(sealed));
	struct room room;

	kit_udp(b, sizeof(b), hosts[1].left, hosts[1].right);
	b[6] = PROTO_DSTOPTS;
	memcpy(b + 40, hidden, sizeof(hidden));
	ck_assert(kit_parsed(span_of(b, sizeof(b))).fragment);
	ck_assert_int_eq(outbound_seal(out, span_of(b, sizeof(b)), 6, 1, &w), DROP_NONE);
	ck_assert_int_eq(arrives(in, sealed, wr_len(&w), &k.d.path, &room), DROP_INNER);
	esp_sa_free(out);
	esp_sa_free(in);
}
END_TEST

/* RFC 7296 2.23.1's picture: the client has 10.0.0.1 and is seen as 203.0.113.1; it calls the
 * server 203.0.113.2, which has 10.9.0.2. */
START_TEST(between_two_nats_both_addresses_are_mended)
{
	struct kit_sa k;
	struct sa *client, *server;
	struct addr seen = kit_addr("203.0.113.1"), own = kit_addr("10.9.0.2");
	uint8_t b[100], sealed[200];
	struct span p = kit_udp(b, 100, "10.0.0.1", "203.0.113.2");
	struct inner in = kit_parsed(p);
	uint16_t sum = kit_upper_sum(p, PROTO_UDP, &in.flow.src, &in.flow.dst);
	struct wr w = wr_into(sealed, sizeof(sealed));
	struct room room;

	b[26] = (uint8_t)(sum >> 8);
	b[27] = (uint8_t)sum;
	kit_sa_make(&k, &kit_suites[0], SA_OUT, SPI);
	kit_sa_join(&k, "10.0.0.1", "203.0.113.2");
	ck_assert_int_eq(esp_sa_new(&k.d, NULL, &client), OK);
	kit_sa_make(&k, &kit_suites[0], SA_IN, SPI);
	kit_sa_join(&k, "10.9.0.2", "203.0.113.1");
	k.d.nat_local = kit_addr("203.0.113.2");
	k.d.nat_remote = kit_addr("10.0.0.1");
	ck_assert_int_eq(esp_sa_new(&k.d, NULL, &server), OK);

	ck_assert_int_eq(outbound_seal(client, p, 4, 1, &w), DROP_NONE);
	ck_assert_int_eq(arrives(server, sealed, wr_len(&w), &k.d.path, &room), DROP_NONE);
	ck_assert_uint_eq(kit_upper_sum(span_of(room.b, 100), PROTO_UDP, &seen, &own), 0);
	esp_sa_free(client);
	esp_sa_free(server);
}
END_TEST

UNIT("esp/transport")
{
	tcase_add_loop_test(tc, what_is_sealed_begins_behind_the_header, 0,
			    (int)(sizeof(payloads) / sizeof(payloads[0])));
	tcase_add_test(tc, options_go_along_but_no_source_route);
	tcase_add_loop_test(tc, a_packet_arrives_with_the_header_that_came, 0, KIT_SUITES);
	tcase_add_test(tc, a_datagram_from_elsewhere_is_none_of_this_sa);
	tcase_add_test(tc, headers_that_stand_outside_are_refused_inside);
	tcase_add_test(tc, a_sealed_fragment_is_refused);
	tcase_add_test(tc, between_two_nats_both_addresses_are_mended);
}
