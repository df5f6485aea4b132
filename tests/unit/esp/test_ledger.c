/* SPDX-License-Identifier: Apache-2.0 */
/* SAs that outlive the process: what one has left in its memory, another one goes on with. Who dies
 * does not clean up, so the other one is given a copy.
 */
#include "esp/ledger.h"

#include <string.h>

#include "esp/inbound.h"
#include "esp/outbound.h"
#include "esp/sad.h"
#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

enum { SIZE = 64 * 1024, OUR_SPI = 0x80010001, PEER_SPI = 0x2000, KEY_AT_LEAST = 16 };

struct half {
	_Alignas(64) uint8_t mem[SIZE];
	struct sad *d;
	struct esp_kept kept;
};

static unsigned int n_spared;

static void wipe(struct span part)
{
	n_spared++;
	secret_wipe((void *)(uintptr_t)part.p, part.len);
}

static enum err begin(struct half *h, size_t size)
{
	const struct esp_memory m = { .p = h->mem, .size = size, .spare = wipe };

	ck_assert_int_eq(sad_new(1, &h->d), OK);
	return sad_keep(h->d, &m, &h->kept);
}

static void begin_new(struct half *h)
{
	*h = (struct half){ .d = NULL };
	ck_assert_int_eq(begin(h, SIZE), OK);
	ck_assert_uint_eq(h->kept.restored + h->kept.refused, 0);
}

static enum err follow(struct half *next, const struct half *dead)
{
	memcpy(next->mem, dead->mem, SIZE);
	return begin(next, SIZE);
}

static void put(struct half *h, enum sa_dir dir, uint32_t spi, uint64_t install)
{
	struct kit_sa k;

	kit_sa_make(&k, &kit_suites[0], dir, spi);
	ck_assert_int_eq(sad_install(h->d, &k.d, install), OK);
}

static struct sa *out_of(struct half *h)
{
	const struct flow f = { .src = kit_addr("10.1.0.1"), .dst = kit_addr("10.2.0.1") };

	return sad_out(h->d, &f, 0);
}

static uint64_t sends(struct half *h)
{
	struct sa *sa = out_of(h);
	uint8_t inner[61], b[300];
	struct span p = kit_udp(inner, 61, "10.1.0.1", "10.2.0.1");
	struct wr w = wr_into(b, sizeof b);
	struct rd r;

	ck_assert(sa != NULL);
	ck_assert_int_eq(outbound_seal(sa, p, 4, 7, &w), DROP_NONE);
	r = rd_from(wr_done(&w));
	ck_assert_uint_eq(rd_u32(&r), sa->spi);
	return rd_u32(&r);
}

/* The peer's packets, by number. */
struct peer {
	struct sa *sa;
	uint8_t b[8][300];
	size_t len[8];
};

static void peer_seals(struct peer *p)
{
	struct kit_sa k;

	kit_sa_make(&k, &kit_suites[0], SA_OUT, OUR_SPI);
	kit_sa_mirror(&k);
	ck_assert_int_eq(esp_sa_new(&k.d, NULL, &p->sa), OK);
	for (size_t i = 0; i < 8; i++) {
		uint8_t inner[61];
		struct span s = kit_udp(inner, 61, "10.2.0.1", "10.1.0.1");
		struct wr w = wr_into(p->b[i], sizeof p->b[i]);

		ck_assert_int_eq(outbound_seal(p->sa, s, 4, 7, &w), DROP_NONE);
		p->len[i] = wr_len(&w);
	}
	esp_sa_free(p->sa);
}

static enum drop takes(struct half *h, const struct peer *p, size_t i)
{
	struct sa *sa = sad_in(h->d, OUR_SPI);
	uint8_t b[300];
	struct esp_datagram d = { .p = b, .len = p->len[i] };
	struct opened o = { .p = NULL };

	ck_assert(sa != NULL);
	memcpy(b, p->b[i], p->len[i]);
	return inbound_open(sa, &d, 1, &o);
}

START_TEST(numbers_go_on)
{
	static struct half a, b;
	struct peer p;
	struct sa_counters was, is;
	struct kit_sa k;

	begin_new(&a);
	put(&a, SA_OUT, PEER_SPI, 1);
	put(&a, SA_IN, OUR_SPI, 2);
	peer_seals(&p);
	for (uint64_t i = 1; i <= 5; i++)
		ck_assert_uint_eq(sends(&a), i);
	ck_assert_int_eq(takes(&a, &p, 0), DROP_NONE);
	ck_assert_int_eq(takes(&a, &p, 3), DROP_NONE);
	ck_assert_int_eq(takes(&a, &p, 3), DROP_REPLAY);

	ck_assert_int_eq(follow(&b, &a), OK);
	ck_assert_uint_eq(b.kept.restored, 2);
	ck_assert_uint_eq(b.kept.refused, 0);
	ck_assert_uint_eq(sad_installed(b.d), 2);
	kit_sa_make(&k, &kit_suites[0], SA_IN, OUR_SPI);
	sa_counters(sad_in(a.d, OUR_SPI), &was);
	ck_assert_int_eq(sad_claim(b.d, &k.d, &is), OK);
	ck_assert_mem_eq(&was, &is, sizeof(is));
	ck_assert_uint_eq(is.packets, 2);
	ck_assert_uint_eq(sends(&b), 6);
	ck_assert_int_eq(takes(&b, &p, 0), DROP_REPLAY);
	ck_assert_int_eq(takes(&b, &p, 3), DROP_REPLAY);
	ck_assert_int_eq(takes(&b, &p, 1), DROP_NONE);
	ck_assert_int_eq(takes(&b, &p, 7), DROP_NONE);
	ck_assert_int_eq(takes(&b, &p, 7), DROP_REPLAY);
	sad_free(b.d);
	sad_free(a.d);
}
END_TEST

/* The upper half of a number is nowhere on the wire. */
START_TEST(so_do_the_upper_halves)
{
	static struct half a, b;
	const uint64_t far = ((uint64_t)5 << 32) + 17;
	struct kit_sa k;

	begin_new(&a);
	kit_sa_make(&k, &kit_suites[0], SA_OUT, PEER_SPI);
	k.d.esn = true;
	ck_assert_int_eq(sad_install(a.d, &k.d, 1), OK);
	atomic_store(&out_of(&a)->tally->seq, far);
	kit_sa_make(&k, &kit_suites[0], SA_IN, OUR_SPI);
	k.d.esn = true;
	k.d.replay_window = 64;
	ck_assert_int_eq(sad_install(a.d, &k.d, 2), OK);
	ck_assert(replay_accept(&sad_in(a.d, OUR_SPI)->tally->replay, far));
	ck_assert_int_eq(follow(&b, &a), OK);
	(void)sends(&b);
	ck_assert_uint_eq(atomic_load(&out_of(&b)->tally->seq), far + 1);
	ck_assert_uint_eq(replay_infer(&sad_in(b.d, OUR_SPI)->tally->replay, 18), far + 1);
	ck_assert(!replay_fresh(&sad_in(b.d, OUR_SPI)->tally->replay, far));
	ck_assert(!replay_fresh(&sad_in(b.d, OUR_SPI)->tally->replay, far - 64));
	ck_assert(replay_fresh(&sad_in(b.d, OUR_SPI)->tally->replay, far - 63));
	sad_free(b.d);
	sad_free(a.d);
}
END_TEST

START_TEST(a_move_and_a_pass_are_kept)
{
	static struct half a, b;
	struct kit_sa k;

	begin_new(&a);
	put(&a, SA_OUT, PEER_SPI, 1);
	kit_sa_make(&k, &kit_suites[0], SA_OUT, PEER_SPI);
	k.d.path.remote = kit_endpoint("198.51.100.9", 4711);
	k.d.encap = false;
	ck_assert_int_eq(sad_move(a.d, &k.d), OK);
	k.d.passed = true;
	ck_assert_int_eq(sad_pass(a.d, &k.d), OK);
	ck_assert_int_eq(follow(&b, &a), OK);
	ck_assert_uint_eq(b.kept.restored, 1);
	ck_assert(endpoint_eq(&out_of(&b)->path.remote, &k.d.path.remote));
	ck_assert(!out_of(&b)->encap);
	ck_assert(atomic_load(&out_of(&b)->passed));
	sad_free(b.d);
	sad_free(a.d);
}
END_TEST

/* After a rekey both are there, and the newer one sends. */
START_TEST(the_newer_one_goes_before_the_older_one)
{
	static struct half a, b;
	const uint64_t first = 1 + (uint64_t)_i, second = 2 - (uint64_t)_i;

	begin_new(&a);
	put(&a, SA_OUT, PEER_SPI, first); /* the numbers say which is newer */
	put(&a, SA_OUT, PEER_SPI + 1, second);
	ck_assert_int_eq(follow(&b, &a), OK);
	ck_assert_uint_eq(b.kept.restored, 2);
	ck_assert_uint_eq(out_of(&b)->spi, first < second ? PEER_SPI + 1 : PEER_SPI);
	sad_free(b.d);
	sad_free(a.d);
}
END_TEST

/* The kit's keys are 1, 2, 3... */
static size_t keys_in(const struct half *h)
{
	size_t n = 0;

	for (size_t i = 0; i + KEY_AT_LEAST <= SIZE; i++) {
		size_t k = 0;

		while (k < KEY_AT_LEAST && h->mem[i + k] == k + 1)
			k++;
		n += k == KEY_AT_LEAST;
	}
	return n;
}

START_TEST(what_goes_is_wiped)
{
	static struct half a, b;
	struct kit_sa k;

	begin_new(&a);
	put(&a, SA_OUT, PEER_SPI, 1);
	put(&a, SA_IN, OUR_SPI, 2);
	put(&a, SA_IN, OUR_SPI + 1, 3);
	ck_assert_uint_eq(keys_in(&a), 3);
	kit_sa_make(&k, &kit_suites[0], SA_OUT, PEER_SPI);
	k.d.path.remote = kit_endpoint("198.51.100.9", 4711);
	ck_assert_int_eq(sad_move(a.d, &k.d), OK);
	ck_assert_uint_eq(keys_in(&a), 3);
	ck_assert_int_eq(sad_remove(a.d, &k.d), OK);
	ck_assert_uint_eq(keys_in(&a), 2);
	ck_assert_int_eq(follow(&b, &a), OK);
	ck_assert_uint_eq(b.kept.restored, 2);
	sad_sweep(b.d); /* nobody has claimed them */
	ck_assert(sad_in(b.d, OUR_SPI) == NULL);
	ck_assert_uint_eq(keys_in(&b), 0);
	sad_flush(a.d);
	ck_assert_uint_eq(keys_in(&a), 0);
	sad_free(b.d);
	sad_free(a.d);
	ck_assert_int_eq(follow(&b, &a), OK);
	ck_assert_uint_eq(b.kept.restored, 0);
	ck_assert_uint_eq(sad_installed(b.d), 3);
	sad_free(b.d);
}
END_TEST

START_TEST(what_finds_no_room_works_and_is_not_kept)
{
	enum { N = 40 };
	static struct half a, b;
	size_t kept = SIZE / 3 / sizeof(struct tally);

	ck_assert_uint_lt(kept, N);
	begin_new(&a);
	for (uint32_t i = 0; i < N; i++)
		put(&a, SA_IN, OUR_SPI + i, i + 1);
	ck_assert(replay_accept(&sad_in(a.d, OUR_SPI + N - 1)->tally->replay, 1));
	ck_assert_int_eq(follow(&b, &a), OK);
	ck_assert_uint_eq(b.kept.restored, kept);
	ck_assert_uint_eq(b.kept.refused, 0);
	ck_assert_uint_eq(sad_installed(b.d), N);
	sad_free(b.d);
	sad_free(a.d);
}
END_TEST

START_TEST(without_memory_nothing_is_kept)
{
	static struct half a;
	const struct esp_memory none = { .p = NULL };
	struct esp_kept kept;

	ck_assert_int_eq(sad_new(1, &a.d), OK);
	ck_assert_int_eq(sad_keep(a.d, &none, &kept), OK);
	ck_assert_uint_eq(kept.restored + kept.refused, 0);
	put(&a, SA_OUT, PEER_SPI, 1);
	ck_assert_uint_eq(sends(&a), 1);
	ck_assert_uint_eq(sad_installed(a.d), 0);
	sad_free(a.d);
	ck_assert_int_eq(begin(&a, 1000), ERR_SPACE);
	put(&a, SA_OUT, PEER_SPI, 1);
	ck_assert_uint_eq(sends(&a), 1);
	sad_free(a.d);
}
END_TEST

/* ---- memory that is not what it should be ---- */

static size_t vault_at(void)
{
	return SIZE / 3 / sizeof(struct tally) * sizeof(struct tally);
}

/* As a process that was taken over might: into the vault directly. */
static void write_record(struct half *h, const char *key, size_t key_len, const struct sa_cmd *cmd,
			 size_t cut)
{
	static uint8_t b[4096];
	struct wr w = wr_into(b, sizeof b);
	struct vault v;

	wr_u64(&w, 9);
	sa_cmd_encode(&w, cmd);
	ck_assert(wr_ok(&w));
	ck_assert_int_eq(vault_open(&v, h->mem + vault_at(), SIZE - vault_at()), OK);
	ck_assert_int_eq(vault_put(&v, span_of(key, key_len), span_of(b, wr_len(&w) - cut)), OK);
	vault_commit(&v);
	vault_close(&v);
}

START_TEST(a_record_that_is_not_what_it_should_be_is_refused)
{
	/* Its place, of which the first one names this SPI. */
	static const struct {
		const char *key;
		size_t key_len, cut;
		enum sa_op op;
		enum sa_plane plane;
		uint32_t spi;
		uint8_t n_local;
		bool fine;
	} cases[] = {
		{ "s\0\0\0\0", 5, 0, SA_INSTALL, PLANE_USER, OUR_SPI, 1, true },
		{ "s\0\0\0\0", 5, 0, SA_INSTALL, PLANE_USER, OUR_SPI + 1, 1, false },
		{ "s\0\0\0\0", 5, 1, SA_INSTALL, PLANE_USER, OUR_SPI, 1, false },
		{ "s\0\0\0\0", 5, 150, SA_INSTALL, PLANE_USER, OUR_SPI, 1, false },
		{ "s\0\0\0\0", 5, 0, SA_REMOVE, PLANE_USER, OUR_SPI, 1, false },
		{ "s\0\0\0\0", 5, 0, SA_INSTALL, PLANE_KERNEL, OUR_SPI, 1, false },
		{ "s\0\0\0\0", 5, 0, SA_INSTALL, PLANE_USER, OUR_SPI, 0, false },
		{ "s\0\0\0\1", 5, 0, SA_INSTALL, PLANE_USER, OUR_SPI, 1, false },
		{ "s\0\0\0\x7f", 5, 0, SA_INSTALL, PLANE_USER, OUR_SPI, 1, false },
		{ "s\xff\xff\xff\xff", 5, 0, SA_INSTALL, PLANE_USER, OUR_SPI, 1, false },
		{ "s\0\0\0", 4, 0, SA_INSTALL, PLANE_USER, OUR_SPI, 1, false },
		{ "x\0\0\0\0", 5, 0, SA_INSTALL, PLANE_USER, OUR_SPI, 1, false },
		{ "n\0\0\0\0", 5, 0, SA_INSTALL, PLANE_USER, OUR_SPI, 1, false },
	};
	static struct half a, b;
	struct sa_cmd cmd = { .op = cases[_i].op };
	struct kit_sa k;

	ck_assert_uint_eq(sizeof cases / sizeof cases[0], 13);
	memset(a.mem, 0, SIZE);
	((struct tally *)(void *)a.mem)->spi = OUR_SPI;
	kit_sa_make(&k, &kit_suites[0], SA_IN, cases[_i].spi);
	k.d.plane = cases[_i].plane;
	k.d.local.n = cases[_i].n_local;
	cmd.sa = k.d;
	write_record(&a, cases[_i].key, cases[_i].key_len, &cmd, cases[_i].cut);
	ck_assert_int_eq(begin(&a, SIZE), OK);
	ck_assert_uint_eq(a.kept.restored, cases[_i].fine);
	ck_assert_uint_eq(sad_installed(a.d), 0);
	put(&a, SA_IN, OUR_SPI + 9, 5); /* in whatever place there is */
	ck_assert_int_eq(follow(&b, &a), OK);
	ck_assert_uint_eq(b.kept.restored, 1 + (size_t)cases[_i].fine);
	ck_assert_uint_eq(b.kept.refused, 0); /* it was forgotten */
	sad_free(b.d);
	sad_free(a.d);
}
END_TEST

static uint32_t draw(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % n;
}

/* It may be anything at all: that is an error, or an SA less, and nothing worse. */
START_TEST(spoilt_memory_is_survived)
{
	static struct half a, b, c;
	uint32_t seed = (uint32_t)_i;
	unsigned spoilt = 0;

	begin_new(&a);
	put(&a, SA_OUT, PEER_SPI, 1);
	put(&a, SA_IN, OUR_SPI, 2);
	put(&a, SA_IN, OUR_SPI + 1, 3);
	for (int round = 0; round < 300; round++) {
		bool anywhere = draw(&seed, 2);
		enum err e;

		memcpy(b.mem, a.mem, SIZE);
		for (uint32_t n = 1 + draw(&seed, 4); n > 0; n--) {
			size_t at = anywhere ? draw(&seed, SIZE) : vault_at() + draw(&seed, 1200);

			b.mem[at] = (uint8_t)draw(&seed, 256);
		}
		e = begin(&b, SIZE);
		ck_assert(e == OK || e == ERR_SYNTAX);
		ck_assert_uint_le(b.kept.restored + b.kept.refused, 3);
		spoilt += e != OK || b.kept.restored < 3;
		put(&b, SA_IN, OUR_SPI + 7, 9);
		ck_assert_int_eq(follow(&c, &b), OK);
		ck_assert_uint_eq(c.kept.restored, b.kept.restored + 1);
		sad_free(c.d);
		sad_free(b.d);
	}
	ck_assert_uint_gt(spoilt, 10);
	sad_free(a.d);
}
END_TEST

/* Not by a signal, but for want of threads, say. */
START_TEST(who_ends_by_itself_leaves_what_it_has)
{
	static struct half a, b;

	begin_new(&a);
	put(&a, SA_IN, OUR_SPI, 1);
	put(&a, SA_OUT, PEER_SPI, 2);
	sad_free(a.d);
	ck_assert_int_eq(follow(&b, &a), OK);
	ck_assert_uint_eq(b.kept.restored, 2);
	sad_free(b.d);
}
END_TEST

/* Each time that the log goes to the other half what lies behind it and all of the first one. */
START_TEST(what_counts_no_more_is_given_back)
{
	static struct half a;
	const struct esp_memory m = { .p = a.mem, .size = SIZE, .spare = wipe };
	struct ledger l;

	ck_assert_int_eq(ledger_open(&l, &m), OK);
	n_spared = 0;
	ledger_set_installed(&l, 1);
	ledger_commit(&l);
	ck_assert_uint_eq(n_spared, 0);
	for (uint64_t i = 2; i < 3000; i++) {
		ledger_set_installed(&l, i);
		ledger_commit(&l);
	}
	ck_assert_uint_ge(n_spared, 2 * 2);
	ck_assert_uint_lt(n_spared, 100);
	ck_assert_uint_eq(ledger_installed(&l), 2999);
	ledger_close(&l);
}
END_TEST

/* Another program reads them (daemon/handover.h). Whoever changes them raises ESP_FORMAT, and then
 * puts the new sizes here. */
START_TEST(numbers_lie_as_their_format_says)
{
	ck_assert_int_eq(ESP_FORMAT, 1);
	ck_assert_uint_eq(sizeof(struct tally), 1280);
	ck_assert_uint_eq(offsetof(struct tally, spi), 8);
	ck_assert_uint_eq(offsetof(struct tally, replay), 16);
	ck_assert_uint_eq(offsetof(struct tally, stats), 1056);
}
END_TEST

UNIT("esp/ledger")
{
	tcase_add_test(tc, numbers_lie_as_their_format_says);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, who_ends_by_itself_leaves_what_it_has);
	tcase_add_test(tc, what_counts_no_more_is_given_back);
	tcase_add_test(tc, numbers_go_on);
	tcase_add_test(tc, so_do_the_upper_halves);
	tcase_add_test(tc, a_move_and_a_pass_are_kept);
	tcase_add_loop_test(tc, the_newer_one_goes_before_the_older_one, 0, 2);
	tcase_add_test(tc, what_goes_is_wiped);
	tcase_add_test(tc, what_finds_no_room_works_and_is_not_kept);
	tcase_add_test(tc, without_memory_nothing_is_kept);
	tcase_add_loop_test(tc, a_record_that_is_not_what_it_should_be_is_refused, 0, 13);
	tcase_add_loop_test(tc, spoilt_memory_is_survived, 0, 4);
}
