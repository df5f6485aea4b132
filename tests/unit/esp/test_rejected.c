/* SPDX-License-Identifier: Apache-2.0 */
/* What is rejected leaves nothing: thousands of packets of each kind that a stranger or an observer
 * can send go to a running gateway. Afterwards what is allocated is what it was, and the peer's
 * next packet comes through.
 *
 * POSTERN_REJECTED says how many of each kind.
 */
#include <stdlib.h>
#include <string.h>

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

static const struct kind {
	const char *name;
	void (*bend)(struct packet *p, uint64_t i);
	enum drop why;
} kinds[] = {
	{ "an SPI that nobody has", other_spi, DROP_SPI },
	{ "an SPI of another plane", no_spi_of_ours, DROP_SPI },
	{ "forged", forged, DROP_ICV },
	{ "the peer's own, again", replayed, DROP_REPLAY },
	{ "cut", cut, DROP_SHORT },
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void send_many(struct gateway *g, const struct kind *k, const struct packet *genuine,
		      uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct packet p = *genuine;

		k->bend(&p, i);
		gateway_put(g->net[0], span_of(p.p, p.len));
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

START_TEST(what_is_rejected_leaves_nothing)
{
	const struct kind *k = &kinds[_i];
	struct gateway left, right;
	struct packet p, later;
	size_t before;

	gateway_up(&left, 1);
	gateway_up(&right, 1);
	gateway_tunnel(&left, &right, 0, SPI_A);
	one_through(&left, &right, &p);
	send_many(&right, k, &p, FEW / 4);
	gateway_dropped(&right, k->why, FEW / 4);
	before = rejected_in_use();
	send_many(&right, k, &p, rejected_count(FEW));
	gateway_dropped(&right, k->why, FEW / 4 + rejected_count(FEW));
	ck_assert_msg(rejected_in_use() <= before + REJECTED_NOISE, "%s: %zu bytes, and then %zu",
		      k->name, before, rejected_in_use());
	one_through(&left, &right, &later);
	gateway_down(&left);
	gateway_down(&right);
}
END_TEST

UNIT("esp/rejected")
{
	tcase_set_timeout(tc, rejected_timeout());
	tcase_add_loop_test(tc, what_is_rejected_leaves_nothing, 0, N_KINDS);
}
