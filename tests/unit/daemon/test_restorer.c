/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine keeps, and what the next one is given of it. The engine is a fake that takes some
 * records and refuses others. */
#include "daemon/restorer.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/vault_memory.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/unit.h"

static struct {
	size_t n_taken;
	size_t n_resumed;
	uint8_t refuses; /* what a record begins with; 0: none */
	size_t n_kept;	 /* what there is to be */
} fake;

size_t ike_engine_kept(const struct ike_engine *e)
{
	(void)e;
	return fake.n_kept;
}

enum err ike_engine_restore(struct ike_engine *e, struct span key, struct span bytes)
{
	(void)e;
	(void)key;
	if (bytes.p[0] == fake.refuses)
		return ERR_NOT_FOUND;
	fake.n_taken++;
	return OK;
}

void ike_engine_resume(struct ike_engine *e, mono_ns now)
{
	(void)e;
	(void)now;
	fake.n_resumed++;
}

static struct ike_engine *engine(void)
{
	static char any;

	fake.n_taken = 0;
	fake.n_resumed = 0;
	return (struct ike_engine *)(void *)&any;
}

static void keep(struct restorer *r, const char *key, const char *bytes)
{
	struct ike_action a = {
		.kind = IKE_ACT_KEEP,
		.keep = { .gone = bytes == NULL,
			  .key = span_str(key),
			  .bytes = bytes != NULL ? span_str(bytes) : SPAN_EMPTY },
	};

	restorer_keep(r, &a);
}

static void commit(struct restorer *r)
{
	const struct ike_action a = { .kind = IKE_ACT_COMMIT };

	restorer_keep(r, &a);
}

/* An engine that has kept three things, and a fourth that does not count; the descriptor as the
 * monitor has it. */
static int a_life(void)
{
	struct restorer r = { .mem = NULL };
	int fd;

	ck_assert_int_eq(vault_memory_make(&fd), OK);
	ck_assert_int_eq(restorer_open(&r, dup(fd)), OK);
	fake.refuses = 0;
	restorer_give(&r, engine(), 0);
	ck_assert_uint_eq(fake.n_taken, 0);
	ck_assert_uint_eq(fake.n_resumed, 1);
	keep(&r, "1", "a");
	keep(&r, "2", "b");
	keep(&r, "3", "c");
	keep(&r, "4", "c");
	keep(&r, "4", NULL);
	commit(&r);
	keep(&r, "5", "d");
	restorer_close(&r);
	return fd;
}

static size_t given(int fd)
{
	struct restorer r = { .mem = NULL };

	ck_assert_int_eq(restorer_open(&r, dup(fd)), OK);
	restorer_give(&r, engine(), 0);
	ck_assert_uint_eq(fake.n_resumed, 1);
	commit(&r);
	restorer_close(&r);
	return fake.n_taken;
}

START_TEST(the_next_engine_gets_what_counts)
{
	int fd = a_life();

	ck_assert_uint_eq(given(fd), 3);
	ck_assert_uint_eq(given(fd), 3);
	close(fd);
}
END_TEST

START_TEST(what_is_refused_is_forgotten)
{
	int fd = a_life();

	fake.refuses = 'b';
	ck_assert_uint_eq(given(fd), 2);
	fake.refuses = 0;
	ck_assert_uint_eq(given(fd), 2);
	close(fd);
}
END_TEST

START_TEST(without_a_vault_it_goes_on_with_nothing)
{
	struct restorer r = { .mem = NULL };

	restorer_give(&r, engine(), 0);
	keep(&r, "1", "a");
	commit(&r);
	ck_assert_uint_eq(fake.n_taken, 0);
	ck_assert_uint_eq(fake.n_resumed, 1);
}
END_TEST

/* Whoever could shorten it would end its reader. */
START_TEST(only_sealed_memory_is_taken)
{
	struct restorer r = { .mem = NULL };
	int fd = memfd_create("no vault", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)VAULT_MEMORY_SIZE), 0);
	ck_assert_int_eq(restorer_open(&r, dup(fd)), ERR_SYNTAX);
	ck_assert(!restorer_is_open(&r));
	close(fd);
	ck_assert_int_eq(vault_memory_make(&fd), OK);
	ck_assert_int_ne(ftruncate(fd, 4096), 0);
	ck_assert_int_eq(restorer_open(&r, fd), OK);
	ck_assert_int_eq(restorer_open(&r, dup(fd)), ERR_EXISTS);
	restorer_close(&r);
}
END_TEST

/* A host may forbid that memory is executed (vm.memfd_noexec, Linux 6.3): one seal more. */
START_TEST(memory_that_cannot_be_executed_is_taken)
{
	enum { NOEXEC_SEAL = 8 };
	struct restorer r = { .mem = NULL };
	int fd = memfd_create("vault", MFD_CLOEXEC | NOEXEC_SEAL);

	if (fd < 0) /* an older kernel has no such seal */
		fd = memfd_create("vault", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)VAULT_MEMORY_SIZE), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	ck_assert_int_eq(restorer_open(&r, fd), OK);
	restorer_close(&r);
}
END_TEST

/* What is written again and again does not pile up. */
START_TEST(memory_is_bounded_by_what_is_alive)
{
	enum { N = 200, LEN = 2000, TIMES = 30000 };
	char key[16], bytes[LEN + 1];
	struct restorer r = { .mem = NULL };
	struct stat st;
	off_t most = 0;
	int fd;

	ck_assert_int_eq(vault_memory_make(&fd), OK);
	ck_assert_int_eq(restorer_open(&r, dup(fd)), OK);
	memset(bytes, 'x', LEN);
	bytes[LEN] = '\0';
	for (int i = 0; i < TIMES; i++) {
		snprintf(key, sizeof key, "%d", i % N);
		snprintf(bytes, sizeof bytes, "%0*d", LEN, i);
		keep(&r, key, bytes);
		commit(&r);
		ck_assert(fstat(fd, &st) == 0);
		most = st.st_blocks * 512 > most ? st.st_blocks * 512 : most;
	}
	restorer_close(&r);
	ck_assert_int_gt(most, N * LEN);
	/* Three times, once more for the moment in which it is copied over, and some. Where nothing
	 * can be unlocked what is idle stays, too. */
	ck_assert_int_lt(most, (unit_has_asan ? 14 : 9) * N * LEN / 2);
	ck_assert_uint_eq(given(fd), N);
	close(fd);
}
END_TEST

/* It may be secrets, and whoever follows writes behind what counts. */
START_TEST(nothing_is_left_that_was_not_committed)
{
	struct restorer r = { .mem = NULL };
	int fd = a_life();
	const char *at;

	ck_assert_int_eq(restorer_open(&r, dup(fd)), OK);
	keep(&r, "6", "a secret of somebody");
	at = memmem(r.mem, 4096, "a secret", 8);
	ck_assert_ptr_nonnull(at);
	restorer_close(&r);
	ck_assert_int_eq(restorer_open(&r, dup(fd)), OK);
	ck_assert_ptr_null(memmem(r.mem, 4096, "a secret", 8));
	restorer_close(&r);
	ck_assert_uint_eq(given(fd), 3);
	close(fd);
}
END_TEST

/* A vault is half of its memory at most, and what finds no room is in neither. */
START_TEST(what_finds_no_room_is_counted_and_told_once)
{
	static uint8_t memory[65536];
	struct restorer r = { .mem = memory, .size = sizeof memory };
	const struct ike_action too_long = {
		.kind = IKE_ACT_KEEP,
		.keep = { .gone = true, .too_long = true, .key = span_str("large") }
	};
	char bytes[4001], key[16];

	ck_assert_int_eq(vault_open(&r.vault, memory, sizeof memory), OK);
	memset(bytes, 'x', sizeof bytes - 1);
	bytes[sizeof bytes - 1] = '\0';
	fake.n_kept = 4;
	for (int i = 0; i < 4; i++) {
		snprintf(key, sizeof key, "%d", i);
		keep(&r, key, bytes);
	}
	ck_assert(!r.told);
	ck_assert_int_eq(restorer_not_kept(&r, engine()), 0);
	fake.n_kept = 40;
	for (int i = 4; i < 40; i++) {
		snprintf(key, sizeof key, "%d", i);
		keep(&r, key, bytes);
	}
	ck_assert(r.told);
	ck_assert_int_eq(restorer_not_kept(&r, engine()), 40 - (int64_t)vault_count(&r.vault));
	ck_assert_int_gt(restorer_not_kept(&r, engine()), 30);
	/* There is room again when others are gone. */
	for (int i = 0; i < 4; i++) {
		snprintf(key, sizeof key, "%d", i);
		keep(&r, key, NULL);
	}
	keep(&r, "39", bytes);
	fake.n_kept = 1;
	ck_assert_int_eq(restorer_not_kept(&r, engine()), 0);
	r.told = false;
	restorer_keep(&r, &too_long);
	ck_assert(r.told);
	vault_close(&r.vault);
}
END_TEST

START_TEST(without_a_vault_nothing_is_kept)
{
	const struct restorer r = { .mem = NULL };

	ck_assert_int_lt(restorer_not_kept(&r, engine()), 0);
}
END_TEST

/* ---- one allocation after the other fails ---- */

enum { RECORDS = 40, ALLOCATIONS_MAX = 500 };

/* A life with many records. False: there was no vault. */
static bool lives_with(int fd, size_t nth, bool *failed)
{
	struct restorer r = { .mem = NULL };
	char key[8];
	bool opened;
	enum err e;

	failing_arm(nth);
	e = restorer_open(&r, dup(fd));
	opened = e == OK;
	if (opened)
		restorer_give(&r, engine(), 0);
	for (int i = 0; opened && i < RECORDS; i++) {
		snprintf(key, sizeof key, "%d", i);
		keep(&r, key, "b");
	}
	if (opened)
		commit(&r);
	*failed = failing_disarm() && nth > 0;
	ck_assert(e == OK || (*failed && e == ERR_NOMEM));
	ck_assert_int_eq(restorer_is_open(&r), opened);
	if (opened)
		restorer_close(&r);
	return opened;
}

/* The engine before: begun or half through, what it had committed counts. */
START_TEST(what_there_is_no_memory_for_costs_one_record)
{
	const long before = failing_live();
	bool failed = true, opened;
	size_t n;

	for (n = 0; failed; n++) {
		int fd = a_life();

		ck_assert_uint_lt(n, ALLOCATIONS_MAX);
		/* Of the records there are 1, 2 and 3 before. */
		fake.refuses = _i ? 'b' : 0;
		opened = lives_with(fd, n, &failed);
		fake.refuses = 0;
		if (opened)
			ck_assert_uint_ge(given(fd), RECORDS - (failed ? 1 : 0));
		else
			ck_assert_uint_eq(given(fd), 3);
		close(fd);
		ck_assert_int_eq(failing_live(), before);
		failed = failed || n == 0;
	}
	ck_assert_uint_gt(n, RECORDS);
}
END_TEST

UNIT("daemon/restorer")
{
	tcase_add_loop_test(tc, what_there_is_no_memory_for_costs_one_record, 0, 2);
	tcase_add_test(tc, what_finds_no_room_is_counted_and_told_once);
	tcase_add_test(tc, without_a_vault_nothing_is_kept);
	tcase_add_test(tc, memory_is_bounded_by_what_is_alive);
	tcase_add_test(tc, nothing_is_left_that_was_not_committed);
	tcase_add_test(tc, the_next_engine_gets_what_counts);
	tcase_add_test(tc, what_is_refused_is_forgotten);
	tcase_add_test(tc, without_a_vault_it_goes_on_with_nothing);
	tcase_add_test(tc, only_sealed_memory_is_taken);
	tcase_add_test(tc, memory_that_cannot_be_executed_is_taken);
}
