/* SPDX-License-Identifier: Apache-2.0 */
/* What is rejected leaves nothing: thousands of packets of each kind that a stranger, an observer,
 * a peer with the keys, or a host behind us can send go to a running gateway. Afterwards what is
 * allocated is what it was, and the peer's next packet comes through.
 *
 * POSTERN_REJECTED says how many of each kind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp/outbound.h"
#include "esp/sa.h"
#include "tests/unit/esp/gateway.h"
#include "tests/unit/rejected.h"
#include "tests/unit/unit.h"

enum { ROOM = 2048, FEW = 4000 };

/* A genuine packet, to be bent. */
struct packet {
	uint8_t p[ROOM];
	size_t len;
};

static void other_spi(struct packet *p, uint64_t i)
{
	p->p[2] = (uint8_t)(i >> 8 | 2);
	p->p[3] = (uint8_t)i;
}

static void no_spi_of_ours(struct packet *p, uint64_t i)
{
	p->p[0] = 0;
	p->p[1] = (uint8_t)(i | 1);
}

/* A number that was not there yet, so that it gets as far as the ICV. */
static void forged(struct packet *p, uint64_t i)
{
	p->p[6] = 1;
	p->p[p->len - 1 - i % 16] ^= 0x40;
}

static void replayed(struct packet *p, uint64_t i)
{
	(void)p;
	(void)i;
}

static void cut(struct packet *p, uint64_t i)
{
	p->len = 8 + i % 16;
}

/* The peer's side of the SA, in other hands: numbers that its gateway does not come to. */
static struct sa *peer;

static void seal_as_peer(struct packet *p, struct span inner)
{
	struct wr w = wr_into(p->p, sizeof(p->p));

	ck_assert_int_eq(outbound_seal(peer, inner, 4, 1, &w), DROP_NONE);
	p->len = wr_len(&w);
}

static void in_anothers_name(struct packet *p, uint64_t i)
{
	uint8_t buf[200];

	seal_as_peer(p, kit_udp(buf, 100 + i % 100, "10.77.0.1", "10.2.0.1"));
}

static void no_packet(struct packet *p, uint64_t i)
{
	uint8_t noise[100];

	memset(noise, (int)(0x40 + i % 16), sizeof(noise));
	seal_as_peer(p, span_of(noise, 1 + i % sizeof(noise)));
}

/* From the machine itself, for nobody. */
static void for_nobody(struct packet *p, uint64_t i)
{
	char to[32];

	snprintf(to, sizeof(to), "10.77.%u.%u", (unsigned)(i >> 8 & 0xff), (unsigned)(i & 0xff));
	p->len = kit_udp(p->p, 100, "10.2.0.1", to).len;
}

static const struct kind {
	const char *name;
	void (*bend)(struct packet *p, uint64_t i);
	enum drop why;
	bool inside; /* it comes from the device, not from the network */
} kinds[] = {
	{ "an SPI that nobody has", other_spi, DROP_SPI, false },
	{ "an SPI of another plane", no_spi_of_ours, DROP_SPI, false },
	{ "forged", forged, DROP_ICV, false },
	{ "the peer's own, again", replayed, DROP_REPLAY, false },
	{ "cut", cut, DROP_SHORT, false },
	{ "the peer's, in the name of others", in_anothers_name, DROP_SELECTOR, false },
	{ "the peer's, without a packet inside", no_packet, DROP_INNER, false },
	{ "for networks that no SA leads to", for_nobody, DROP_NO_SA, true },
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void peer_up(void)
{
	struct kit_sa k;

	kit_sa_make(&k, &kit_suites[0], SA_OUT, SPI_A);
	ck_assert_int_eq(esp_sa_new(&k.d, NULL, &peer), OK);
	atomic_store(&peer->tally->seq, 100);
}

static void send_many(struct gateway *g, const struct kind *k, const struct packet *genuine,
		      uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct packet p = *genuine;

		k->bend(&p, i);
		gateway_put(k->inside ? g->tun[0] : g->net[0], span_of(p.p, p.len));
	}
}

static void one_through(struct gateway *left, struct gateway *right, struct packet *p)
{
	uint8_t buf[200], got[ROOM];
	ssize_t n;

	gateway_put(left->tun[0], kit_udp(buf, 100, "10.1.0.1", "10.2.0.1"));
	n = gateway_get(left->net[0], p->p, sizeof(p->p));
	ck_assert_int_gt(n, 100);
	p->len = (size_t)n;
	gateway_put(right->net[0], span_of(p->p, p->len));
	ck_assert_int_eq(gateway_get(right->tun[0], got, sizeof(got)), 100);
}

static void peers_next_arrives(struct gateway *right)
{
	struct packet p;
	uint8_t buf[200], got[ROOM];

	seal_as_peer(&p, kit_udp(buf, 100, "10.1.0.1", "10.2.0.1"));
	gateway_put(right->net[0], span_of(p.p, p.len));
	ck_assert_int_eq(gateway_get(right->tun[0], got, sizeof(got)), 100);
}

START_TEST(what_is_rejected_leaves_nothing)
{
	const struct kind *k = &kinds[_i];
	struct gateway left, right;
	struct packet p;
	size_t before;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	gateway_tunnel(&left, &right, 0, SPI_A);
	peer_up();
	one_through(&left, &right, &p);
	send_many(&right, k, &p, FEW / 4);
	gateway_dropped(&right, k->why, FEW / 4);
	before = rejected_in_use();
	send_many(&right, k, &p, rejected_count(FEW));
	gateway_dropped(&right, k->why, FEW / 4 + rejected_count(FEW));
	ck_assert_msg(rejected_in_use() <= before + REJECTED_NOISE, "%s: %zu bytes, and then %zu",
		      k->name, before, rejected_in_use());
	peers_next_arrives(&right);
	esp_sa_free(peer);
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

UNIT("esp/rejected")
{
	tcase_set_timeout(tc, rejected_timeout());
	tcase_add_loop_test(tc, what_is_rejected_leaves_nothing, 0, N_KINDS);
}
