/* SPDX-License-Identifier: Apache-2.0 */
/* The index of outbound SAs: it finds what a walk over all of them would, and as fast among ten
 * thousand as among ten.
 */
#include "esp/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "esp/inbound.h"
#include "esp/outbound.h"
#include "esp/sad.h"
#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

static uint32_t draw(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % n;
}

/* Ranges and networks of a small world, so that they overlap much. */
static struct ts drawn(uint32_t *seed, bool v6)
{
	struct ts t = kit_ts(v6 ? "2001:db8::/120" : "10.0.0.0/24");
	uint8_t *lo = &t.lo.b[v6 ? 15 : 3], *hi = &t.hi.b[v6 ? 15 : 3];
	uint32_t kind = draw(seed, 4), size = 1u << draw(seed, 9);

	*lo = (uint8_t)(draw(seed, 256) & ~(size - 1));
	*hi = (uint8_t)(*lo | (size - 1));
	if (kind == 0) {
		*lo = (uint8_t)draw(seed, 200);
		*hi = (uint8_t)(*lo + draw(seed, 50));
	}
	t.proto = draw(seed, 3) == 0 ? PROTO_TCP : 0;
	if (draw(seed, 3) == 0) {
		t.port_lo = (uint16_t)draw(seed, 8);
		t.port_hi = (uint16_t)(t.port_lo + draw(seed, 8));
	}
	return t;
}

enum { MANY = 60, SIDES = 20 };

/* Up to 20 selectors on a side: over some number of pairs the index treats an SA in another way. */
static void install_drawn(struct sad *d, uint32_t child, uint32_t *seed)
{
	struct ts local[SIDES], remote[SIDES];
	struct kit_sa k;

	kit_sa_make(&k, &kit_suites[0], SA_OUT, 0x1000 + child);
	k.d.child_id = child;
	k.d.local = (struct ts_list){ (uint8_t)(1 + draw(seed, draw(seed, 8) ? 2 : SIDES)), local };
	k.d.remote =
		(struct ts_list){ (uint8_t)(1 + draw(seed, draw(seed, 8) ? 2 : SIDES)), remote };
	for (size_t i = 0; i < SIDES; i++) {
		local[i] = drawn(seed, draw(seed, 4) == 0);
		remote[i] = drawn(seed, draw(seed, 4) == 0);
	}
	ck_assert_int_eq(sad_install(d, &k.d, 0), OK);
}

static select_score walked(const struct sa *sa, const struct flow *f)
{
	return select_both(select_side(sa->local.v, sa->local.n, &f->src, f, f->sport),
			   select_side(sa->remote.v, sa->remote.n, &f->dst, f, f->dport), f);
}

START_TEST(no_other_sa_fits_better_than_the_one_found)
{
	uint32_t seed = (uint32_t)_i;
	struct addr peer = kit_addr("192.0.2.2");
	size_t n_found = 0;
	struct sad *d;

	ck_assert_int_eq(sad_new(1, &d), OK);
	for (uint32_t i = 0; i < MANY; i++)
		install_drawn(d, i, &seed);
	for (int i = 0; i < 2000; i++) {
		bool v6 = draw(&seed, 4) == 0;
		struct flow f = { .src = kit_addr(v6 ? "2001:db8::" : "10.0.0.0"),
				  .dst = kit_addr(v6 ? "2001:db8::" : "10.0.0.0"),
				  .proto = draw(&seed, 2) ? PROTO_TCP : PROTO_UDP,
				  .ports_known = draw(&seed, 8) != 0,
				  .sport = (uint16_t)draw(&seed, 16),
				  .dport = (uint16_t)draw(&seed, 16) };
		select_score most = 0;
		const struct sa *found;

		f.src.b[v6 ? 15 : 3] = (uint8_t)draw(&seed, 256);
		f.dst.b[v6 ? 15 : 3] = (uint8_t)draw(&seed, 256);
		found = sad_out(d, &f, 0);
		for (struct sa *sa = sad_to(d, &peer, NULL); sa; sa = sad_to(d, &peer, sa))
			if (walked(sa, &f) > most)
				most = walked(sa, &f);
		ck_assert_uint_eq(found ? walked(found, &f) : 0, most);
		ck_assert_ptr_eq(sad_out(d, &f, 1), NULL); /* another device */
		n_found += found != NULL;
	}
	ck_assert_uint_gt(n_found, 0);
	ck_assert_uint_lt(n_found, 2000);
	sad_free(d);
}
END_TEST

static void install(struct sad *d, uint32_t child, const struct ts *net)
{
	struct kit_sa k;

	kit_sa_make(&k, &kit_suites[0], SA_OUT, 0x1000 + child);
	k.local = k.remote = *net;
	k.d.child_id = child;
	ck_assert_int_eq(sad_install(d, &k.d, 0), OK);
}

static void install_of(struct sad *d, uint32_t child, uint32_t reqid, uint8_t priority)
{
	struct kit_sa k;

	kit_sa_make(&k, &kit_suites[0], SA_OUT, 0x1000 + child);
	k.local = k.remote = kit_ts("10.2.0.0/16");
	k.d.child_id = child;
	k.d.reqid = reqid;
	k.d.priority = priority;
	ck_assert_int_eq(sad_install(d, &k.d, 0), OK);
}

static void install_ranked(struct sad *d, uint32_t child, const char *net, uint8_t priority)
{
	struct kit_sa k;

	kit_sa_make(&k, &kit_suites[0], SA_OUT, 0x1000 + child);
	k.local = k.remote = kit_ts(net);
	k.d.child_id = child;
	k.d.priority = priority;
	ck_assert_int_eq(sad_install(d, &k.d, 0), OK);
}

static void pass(struct sad *d, uint32_t child, bool passed)
{
	const struct sa_desc which = { .dir = SA_OUT,
				       .spi = 0x1000 + child,
				       .child_id = child,
				       .passed = passed };

	ck_assert_int_eq(sad_pass(d, &which), OK);
}

static uint32_t carrier(struct sad *d, const char *to)
{
	const struct flow f = { .src = kit_addr(to),
				.dst = kit_addr(to),
				.proto = PROTO_UDP,
				.ports_known = true };
	const struct sa *sa = sad_out(d, &f, 0);

	return sa ? sa->child_id : 0;
}

/* Whatever their order of arrival, and how narrow they are. */
START_TEST(the_best_peer_that_is_not_passed_over_carries)
{
	static const struct {
		bool passed[3];
		uint32_t both, wide;
	} cases[] = {
		{ { false, false, false }, 1, 1 }, { { true, false, false }, 2, 2 },
		{ { true, true, false }, 3, 1 },   { { true, true, true }, 1, 1 },
		{ { false, true, true }, 1, 1 },   { { true, false, true }, 2, 2 },
	};
	struct sa_desc inbound = { .dir = SA_IN, .spi = 0x1001, .child_id = 1 };
	struct sad *d;

	ck_assert_int_eq(sad_new(1, &d), OK);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t child = 1 + (i + (uint32_t)_i) % 3;

		/* The third one is narrower, which does not help it. */
		install_ranked(d, child, child == 3 ? "10.2.3.0/24" : "10.2.0.0/16",
			       (uint8_t)(child + (_i > 2)));
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (uint32_t k = 0; k < 3; k++)
			pass(d, k + 1, cases[i].passed[k]);
		ck_assert_msg(carrier(d, "10.2.3.4") == cases[i].both, "%zu", i);
		ck_assert_msg(carrier(d, "10.2.9.9") == cases[i].wide, "%zu", i);
	}
	ck_assert_int_eq(sad_pass(d, &inbound), ERR_NOT_FOUND);
	inbound.dir = SA_OUT;
	inbound.child_id = 9;
	ck_assert_int_eq(sad_pass(d, &inbound), ERR_NOT_FOUND);
	sad_free(d);
}
END_TEST

/* Each a good part, the same one after a rekey, and all when the other one is passed over. */
START_TEST(peers_of_one_priority_share)
{
	uint32_t first[256], n[4] = { 0 };
	char to[32];
	struct sad *d;

	ck_assert_int_eq(sad_new(1, &d), OK);
	install_of(d, 1, 71, 2);
	install_of(d, 2, 72, 2);
	for (int i = 0; i < 256; i++) {
		snprintf(to, sizeof(to), "10.2.7.%d", i);
		first[i] = carrier(d, to);
		n[first[i]]++;
	}
	ck_assert_uint_gt(n[1], 256 / 5);
	ck_assert_uint_gt(n[2], 256 / 5);
	install_of(d, 3, 71, 2);
	for (int i = 0; i < 256; i++) {
		snprintf(to, sizeof(to), "10.2.7.%d", i);
		ck_assert_uint_eq(carrier(d, to), first[i] == 1 ? 3 : 2);
	}
	pass(d, 2, true);
	for (int i = 0; i < 256; i++) {
		snprintf(to, sizeof(to), "10.2.7.%d", i);
		ck_assert_uint_eq(carrier(d, to), 3);
	}
	sad_free(d);
}
END_TEST

/* All SAs to a peer are found by its address, before and after they move. */
START_TEST(sas_are_found_by_their_peer)
{
	struct addr here = kit_addr("192.0.2.2"), there = kit_addr("198.51.100.7");
	struct ts net = kit_ts("10.2.0.0/16");
	struct sad *d;

	ck_assert_int_eq(sad_new(1, &d), OK);
	for (uint32_t i = 1; i <= 20; i++)
		install(d, i, &net);
	for (uint32_t i = 1; i <= 20; i += 2) {
		struct sa_desc which = { .dir = SA_OUT, .spi = 0x1000 + i, .child_id = i };

		which.path.remote = kit_endpoint("198.51.100.7", 4500);
		ck_assert_int_eq(sad_move(d, &which), OK);
	}
	for (uint32_t i = 1; i <= 4; i++) {
		struct sa_desc which = { .dir = SA_OUT, .spi = 0x1000 + i, .child_id = i };

		ck_assert_int_eq(sad_remove(d, &which), OK);
		ck_assert_int_eq(sad_remove(d, &which), ERR_NOT_FOUND);
	}
	for (int moved = 0; moved < 2; moved++) {
		const struct addr *peer = moved ? &there : &here;
		int n = 0;

		for (struct sa *sa = sad_to(d, peer, NULL); sa; sa = sad_to(d, peer, sa))
			n += addr_eq(&sa->path.remote.addr, peer);
		ck_assert_int_eq(n, 8);
	}
	sad_free(d);
}
END_TEST

/* ---- ten thousand ---- */

enum { FEW = 10, LOTS = 10000, PACKETS = 2000, ROUNDS = 7, SLOWER_AT_MOST = 12 };

struct crowd {
	struct sad *d;
	uint32_t n;
	uint8_t inner[100];
	uint8_t sealed[200];
};

/* Child i has the network 10.(i / 200).(i % 200).0/24 and a peer of its own; what it seals it can
 * open, too. */
static void address(uint32_t i, uint8_t last, char text[static 40])
{
	(void)snprintf(text, 40, "10.%u.%u.%u", i / 200, i % 200, last);
}

static void join(struct crowd *c, uint32_t i)
{
	uint32_t spi = spi_user(0, (uint8_t)i, (uint16_t)i);
	struct kit_sa k;
	char net[40];

	address(i, 0, net);
	kit_sa_make(&k, &kit_suites[0], SA_OUT, spi);
	k.d.child_id = i;
	k.d.path.remote.addr.b[1] = (uint8_t)(i >> 8);
	k.d.path.remote.addr.b[2] = (uint8_t)i;
	k.local = kit_ts("192.168.0.0/16");
	k.remote = kit_ts("10.0.0.0/24");
	k.remote.lo = kit_addr(net);
	k.remote.hi = k.remote.lo;
	k.remote.hi.b[3] = 255;
	ck_assert_int_eq(sad_install(c->d, &k.d, 0), OK);
	k.d.dir = SA_IN;
	kit_sa_mirror(&k);
	ck_assert_int_eq(sad_install(c->d, &k.d, 0), OK);
}

static struct crowd *crowd_new(uint32_t n)
{
	struct crowd *c = calloc(1, sizeof(*c));

	ck_assert_ptr_nonnull(c);
	c->n = n;
	ck_assert_int_eq(sad_new(1, &c->d), OK);
	for (uint32_t i = 0; i < n; i++)
		join(c, i);
	kit_udp(c->inner, sizeof(c->inner), "192.168.0.1", "10.0.0.1");
	return c;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	ck_assert_int_eq(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* To child `i` and out of its other half again: all that workers do but system calls. */
static void there_and_back(struct crowd *c, uint32_t i)
{
	struct wr w = wr_into(c->sealed, sizeof(c->sealed));
	struct opened o = { .p = NULL };
	struct esp_datagram d;
	struct inner in;
	struct sa *sa;
	uint32_t spi;

	c->inner[17] = (uint8_t)(i / 200);
	c->inner[18] = (uint8_t)(i % 200);
	ck_assert_int_eq(inner_parse(span_of(c->inner, sizeof(c->inner)), &in), OK);
	sa = sad_out(c->d, &in.flow, 0);
	ck_assert(sa && sa->child_id == i);
	ck_assert_int_eq(outbound_seal(sa, span_of(c->inner, in.len), 4, 1, &w), DROP_NONE);
	d = (struct esp_datagram){ .p = c->sealed, .len = wr_len(&w) };
	ck_assert(inbound_spi(wr_done(&w), &spi));
	sa = sad_in(c->d, spi);
	ck_assert(sa && sa->child_id == i);
	ck_assert_int_eq(inbound_open(sa, &d, 1, &o), DROP_NONE);
}

/* Nanoseconds a packet, the best of some rounds: others work on this machine, too. */
static uint64_t measured(struct crowd *c)
{
	uint64_t best = UINT64_MAX;
	uint32_t seed = 7;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t since = cpu_ns(), took;

		for (int i = 0; i < PACKETS; i++)
			there_and_back(c, draw(&seed, c->n));
		took = (cpu_ns() - since) / PACKETS;
		best = took < best ? took : best;
	}
	return best;
}

/* A walk over all SAs would be hundreds of times slower. What remains are caches: the keys of ten
 * thousand do not fit in. */
START_TEST(ten_thousand_sas_cost_a_packet_little_more_than_ten)
{
	struct crowd *few = crowd_new(FEW), *lots = crowd_new(LOTS);
	uint64_t of_few = measured(few), of_lots = measured(lots);

	ck_assert_msg(of_lots < of_few * SLOWER_AT_MOST, "%lu ns of ten, %lu ns of ten thousand",
		      (unsigned long)of_few, (unsigned long)of_lots);
	sad_free(few->d);
	sad_free(lots->d);
	free(few);
	free(lots);
}
END_TEST

/* So many selectors that the index has one entry for all of them; the one for packets without ports
 * is not the first. */
START_TEST(a_fragment_that_one_of_very_many_selectors_is_for_does_not_wait)
{
	struct flow f = { .src = kit_addr("10.1.0.1"),
			  .dst = kit_addr("10.2.0.1"),
			  .proto = PROTO_UDP };
	struct ts remote[100];
	struct kit_sa k;
	struct sad *d;

	for (size_t i = 0; i < 100; i++) {
		remote[i] = kit_ts("10.2.0.0/16");
		remote[i].port_lo = remote[i].port_hi = (uint16_t)i;
	}
	kit_sa_make(&k, &kit_suites[0], SA_OUT, 0x1000);
	k.d.remote = (struct ts_list){ 100, remote };
	for (uint32_t opaque = 0; opaque < 2; opaque++) {
		ck_assert_int_eq(sad_new(1, &d), OK);
		remote[50].port_lo = opaque ? UINT16_MAX : 50;
		remote[50].port_hi = opaque ? 0 : 50;
		ck_assert_int_eq(sad_install(d, &k.d, 0), OK);
		ck_assert(sad_wants_whole(d, &f, 0) == !opaque);
		ck_assert((sad_out(d, &f, 0) != NULL) == opaque);
		sad_free(d);
	}
}
END_TEST

UNIT("esp/lookup")
{
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, no_other_sa_fits_better_than_the_one_found, 0, 20);
	tcase_add_test(tc, a_fragment_that_one_of_very_many_selectors_is_for_does_not_wait);
	tcase_add_loop_test(tc, the_best_peer_that_is_not_passed_over_carries, 0, 6);
	tcase_add_test(tc, peers_of_one_priority_share);
	tcase_add_test(tc, sas_are_found_by_their_peer);
	tcase_add_test(tc, ten_thousand_sas_cost_a_packet_little_more_than_ten);
}
