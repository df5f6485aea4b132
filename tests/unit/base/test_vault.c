/* SPDX-License-Identifier: Apache-2.0 */
/* A vault against a model of it: what was committed is there, whatever happens to the writer, and
 * nothing else is. */
#include "base/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum { N_KEYS = 8, BODY_MAX = 900 };

/* What is under each key: so many bytes of one value; 0: nothing. */
struct model {
	size_t len[N_KEYS];
	uint8_t value[N_KEYS];
};

static struct span key_of(size_t i)
{
	static const char *const keys[N_KEYS] = { "a", "bb", "ccc", "d",
						  "e", "f",  "g",   "a longer one" };

	return span_str(keys[i]);
}

static enum err put(struct vault *v, size_t i, uint8_t value, size_t len)
{
	uint8_t body[BODY_MAX];

	memset(body, value, len);
	return vault_put(v, key_of(i), span_of(body, len));
}

struct match {
	const struct model *m;
	size_t n;
	bool same;
};

static bool is_all(struct span s, uint8_t value)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] != value)
			return false;
	}
	return true;
}

static void match_one(void *ctx, struct span key, struct span bytes)
{
	struct match *m = ctx;
	size_t i = 0;

	while (i < N_KEYS && !span_eq(key, key_of(i)))
		i++;
	m->n++;
	m->same =
		m->same && i < N_KEYS && bytes.len == m->m->len[i] && is_all(bytes, m->m->value[i]);
}

static bool is(const struct vault *v, const struct model *model)
{
	struct match m = { .m = model, .same = true };
	size_t n = 0;

	for (size_t i = 0; i < N_KEYS; i++)
		n += model->len[i] > 0;
	vault_each(v, match_one, &m);
	return m.same && m.n == n && vault_count(v) == n;
}

static void expect(void *mem, size_t size, const struct model *m)
{
	struct vault v;

	ck_assert_int_eq(vault_open(&v, mem, size), OK);
	ck_assert(is(&v, m));
	vault_close(&v);
}

static uint8_t *memory(size_t size)
{
	uint8_t *mem = calloc(1, size);

	ck_assert_ptr_nonnull(mem);
	return mem;
}

static bool has_byte(const uint8_t *mem, size_t size, uint8_t value, size_t times)
{
	size_t run = 0;

	for (size_t i = 0; i < size && run < times; i++)
		run = mem[i] == value ? run + 1 : 0;
	return run == times;
}

START_TEST(what_counts_is_there_for_the_next_one)
{
	uint8_t *mem = memory(8192);
	struct model m = { .len = { 3, 0, 100 }, .value = { 1, 0, 3 } };
	struct vault v;

	ck_assert_int_eq(vault_open(&v, mem, 8192), OK);
	ck_assert_int_eq(put(&v, 0, 1, 3), OK);
	ck_assert_int_eq(put(&v, 1, 2, 3), OK);
	ck_assert_int_eq(put(&v, 2, 9, 50), OK);
	ck_assert_int_eq(put(&v, 2, 3, 100), OK);
	vault_forget(&v, key_of(1));
	vault_commit(&v);
	ck_assert(is(&v, &m));
	ck_assert_int_eq(put(&v, 0, 7, 30), OK); /* does not count */
	vault_forget(&v, key_of(2));
	vault_close(&v);
	expect(mem, 8192, &m);
	free(mem);
}
END_TEST

START_TEST(what_counts_no_more_is_wiped)
{
	uint8_t *mem = memory(8192);
	struct vault v;

	ck_assert_int_eq(vault_open(&v, mem, 8192), OK);
	ck_assert_int_eq(put(&v, 0, 0xa1, 64), OK);
	vault_commit(&v);
	ck_assert(has_byte(mem, 8192, 0xa1, 64));
	ck_assert_int_eq(put(&v, 0, 0xa2, 64), OK);
	ck_assert(has_byte(mem, 8192, 0xa1, 64));
	ck_assert_int_eq(put(&v, 0, 0xa3, 64), OK);
	ck_assert(!has_byte(mem, 8192, 0xa2, 8));
	vault_commit(&v);
	ck_assert(!has_byte(mem, 8192, 0xa1, 8));
	vault_forget(&v, key_of(0));
	ck_assert(has_byte(mem, 8192, 0xa3, 64));
	vault_commit(&v);
	ck_assert(!has_byte(mem, 8192, 0xa3, 8));
	ck_assert_uint_eq(vault_count(&v), 0);
	vault_close(&v);
	free(mem);
}
END_TEST

/* splitmix64 */
static uint64_t roll(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* What finds no room is forgotten, and then there is always room for that. */
static void change(struct vault *v, struct model *m, uint64_t *chance)
{
	size_t i = roll(chance) % N_KEYS, len = 1 + roll(chance) % BODY_MAX;
	uint8_t value = (uint8_t)(1 + roll(chance) % 255);

	if (roll(chance) % 4 == 0 || put(v, i, value, len) != OK) {
		vault_forget(v, key_of(i));
		m->len[i] = 0;
		return;
	}
	m->len[i] = len;
	m->value[i] = value;
}

START_TEST(however_it_is_used_it_is_what_it_should_be)
{
	static const size_t sizes[] = { 4096, 8192, 20000, 1 << 18 };
	size_t size = sizes[_i];
	uint8_t *mem = memory(size);
	struct model now = { { 0 }, { 0 } }, counts = { { 0 }, { 0 } };
	uint64_t chance = (uint64_t)_i;
	struct vault v;

	ck_assert_int_eq(vault_open(&v, mem, size), OK);
	for (int n = 0; n < 20000; n++) {
		change(&v, &now, &chance);
		ck_assert(is(&v, &now) || v.touched);
		if (roll(&chance) % 3 == 0) {
			vault_commit(&v);
			counts = now;
			ck_assert(is(&v, &now));
		}
		if (roll(&chance) % 50 != 0)
			continue;
		vault_close(&v);
		now = counts;
		ck_assert_int_eq(vault_open(&v, mem, size), OK);
		ck_assert(is(&v, &now));
	}
	vault_close(&v);
	free(mem);
}
END_TEST

/* A head or a log that cannot be gives an empty vault, and never anything else than an answer. */
START_TEST(it_takes_three_times_what_is_alive)
{
	const size_t size = 4 << 20, n = 64, len = 4000;
	uint8_t *mem = memory(size), body[4000];
	size_t longest = 0;
	struct vault v;

	ck_assert_int_eq(vault_open(&v, mem, size), OK);
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t key = i % n;

		memset(body, (int)i, len);
		ck_assert_int_eq(vault_put(&v, span_of(&key, sizeof(key)), span_of(body, len)), OK);
		vault_commit(&v);
		longest = wr_len(&v.w) > longest ? wr_len(&v.w) : longest;
	}
	ck_assert_uint_ge(longest, 2 * n * len);
	ck_assert_uint_le(longest, 3 * (n + 2) * (len + 64));
	ck_assert_uint_eq(vault_count(&v), n);
	vault_close(&v);
	free(mem);
}
END_TEST

START_TEST(spoilt_memory_is_refused)
{
	uint8_t *mem = memory(4096), *copy = memory(4096);
	struct model none = { { 0 }, { 0 } };
	size_t n_refused = 0;
	struct vault v;

	ck_assert_int_eq(vault_open(&v, mem, 4096), OK);
	for (size_t i = 0; i < N_KEYS; i++)
		ck_assert_int_eq(put(&v, i, (uint8_t)i, 10 * i + 1), OK);
	vault_commit(&v);
	vault_close(&v);
	for (size_t bit = 0; bit < 8 * 4096; bit++) {
		enum err err;

		memcpy(copy, mem, 4096);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		err = vault_open(&v, copy, 4096);
		ck_assert(err == OK || err == ERR_SYNTAX);
		n_refused += err != OK;
		ck_assert(err == OK || is(&v, &none));
		vault_close(&v);
	}
	ck_assert_uint_gt(n_refused, 64);
	free(copy);
	free(mem);
}
END_TEST

/* ---- kill -9 at any instruction ---- */

enum { SMALL = 4096, STEPS_MAX = 2000000 };

/* The last of these finds the log full and goes to the other half. */
static void write_once(struct vault *v, int round)
{
	(void)put(v, 0, (uint8_t)(10 + round), 300);
	(void)put(v, 1, (uint8_t)(20 + round), 100);
	vault_forget(v, key_of((size_t)(2 + round)));
	vault_commit(v);
}

enum { ROUNDS = 5 };

static void make_models(struct model m[ROUNDS + 1])
{
	m[0] = (struct model){ .len = { 5, 0, 7, 7, 7, 7, 7 }, .value = { 1, 0, 2, 3, 4, 5, 6 } };
	for (int i = 0; i < ROUNDS; i++) {
		m[i + 1] = m[i];
		m[i + 1].len[0] = 300;
		m[i + 1].value[0] = (uint8_t)(10 + i);
		m[i + 1].len[1] = 100;
		m[i + 1].value[1] = (uint8_t)(20 + i);
		m[i + 1].len[2 + i] = 0;
	}
}

static void fill(uint8_t *mem, const struct model *m)
{
	struct vault v;

	ck_assert_int_eq(vault_open(&v, mem, SMALL), OK);
	for (size_t i = 0; i < N_KEYS; i++) {
		if (m->len[i] > 0)
			ck_assert_int_eq(put(&v, i, m->value[i], m->len[i]), OK);
	}
	vault_commit(&v);
	vault_close(&v);
}

static pid_t start_writer(uint8_t *mem)
{
	pid_t pid = fork();
	struct vault v;

	if (pid != 0)
		return pid;
	if (vault_open(&v, mem, SMALL) != OK || ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(2);
	raise(SIGSTOP);
	for (int i = 0; i < ROUNDS; i++)
		write_once(&v, i);
	_exit(0);
}

/* The one that the memory holds, at `at` or behind it. */
static int model_of(const uint8_t *mem, const struct model *m, int at)
{
	static _Alignas(4096) uint8_t copy[SMALL];
	struct vault v;
	int found = -1;

	memcpy(copy, mem, SMALL);
	ck_assert_int_eq(vault_open(&v, copy, SMALL), OK);
	for (int i = at; i <= ROUNDS && i <= at + 1 && found < 0; i++)
		found = is(&v, &m[i]) ? i : -1;
	vault_close(&v);
	return found;
}

START_TEST(a_writer_may_be_killed_at_any_instruction)
{
	uint8_t *mem = mmap(NULL, SMALL, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct model m[ROUNDS + 1];
	int status, at = 0;
	unsigned halves = 0;
	long steps = 0;
	pid_t pid;

	ck_assert(mem != MAP_FAILED);
	make_models(m);
	fill(mem, &m[0]);
	pid = start_writer(mem);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSTOPPED(status));
	while (WIFSTOPPED(status) && steps++ < STEPS_MAX) {
		at = model_of(mem, m, at);
		ck_assert_msg(at >= 0, "after %ld instructions it is neither old nor new", steps);
		halves |= 1u << (mem[23] >> 7); /* the word's highest bit, little-endian */
		ck_assert_int_eq(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	}
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_eq(at, ROUNDS);
	ck_assert_uint_eq(halves, 3);
	ck_assert_int_gt(steps, 5000);
	munmap(mem, SMALL);
}
END_TEST

UNIT("base/vault")
{
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, it_takes_three_times_what_is_alive);
	tcase_add_test(tc, what_counts_is_there_for_the_next_one);
	tcase_add_test(tc, what_counts_no_more_is_wiped);
	tcase_add_loop_test(tc, however_it_is_used_it_is_what_it_should_be, 0, 4);
	tcase_add_test(tc, spoilt_memory_is_refused);
	tcase_add_test(tc, a_writer_may_be_killed_at_any_instruction);
}
