/* SPDX-License-Identifier: Apache-2.0 */
/* A process that is killed at any instruction: whatever it has sent or handed on by then, the next
 * one uses no number of it again.
 *
 * The child does all that happens to an SA, and says in memory of its own what has left it. The
 * parent steps it, and looks at a copy of the ledger whenever that has changed.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "esp/ledger.h"
#include "esp/outbound.h"
#include "esp/sad.h"
#include "tests/unit/esp/kit.h"
#include "tests/unit/unit.h"

enum { SIZE = 24 * 1024, OUR_SPI = 0x80010001, PEER_SPI = 0x2000, TAKEN_MAX = 32 };
enum { STEPS_MAX = 20 * 1000 * 1000 };

/* What is out of the child's hands. */
struct done {
	_Atomic uint64_t installed;
	_Atomic uint64_t sent; /* numbers up to it, by the SA that is `in_use` */
	_Atomic bool out_in_use, in_in_use, out_removed;
	_Atomic uint32_t n_taken;
	uint64_t taken[TAKEN_MAX];
};

struct shared {
	_Alignas(64) uint8_t mem[SIZE];
	struct done done;
};

static void forget(struct span part)
{
	secret_wipe((void *)(uintptr_t)part.p, part.len);
}

static struct sad *begin(struct shared *s)
{
	const struct esp_memory m = { .p = s->mem, .size = SIZE, .spare = forget };
	struct esp_kept kept;
	struct sad *d;

	if (sad_new(1, &d) != OK || sad_keep(d, &m, &kept) != OK)
		_exit(2);
	return d;
}

static void install(struct shared *s, struct sad *d, const struct kit_sa *k, uint64_t number)
{
	if (sad_install(d, &k->d, number) != OK)
		_exit(3);
	atomic_store(&s->done.installed, number);
}

static void send_some(struct shared *s, struct sad *d)
{
	const struct flow f = { .src = kit_addr("10.1.0.1"), .dst = kit_addr("10.2.0.1") };
	struct sa *sa = sad_out(d, &f, 0);
	uint8_t inner[61], b[300];
	struct span p = kit_udp(inner, 61, "10.1.0.1", "10.2.0.1");

	for (int i = 0; i < 2; i++) {
		struct wr w = wr_into(b, sizeof b);

		if (outbound_seal(sa, p, 4, 7, &w) != DROP_NONE)
			_exit(4);
		atomic_fetch_add(&s->done.sent, 1);
	}
}

/* In order, late, and with jumps within a word, over words, over half of the ring and over all. */
static void take_some(struct shared *s, struct sad *d)
{
	static const uint64_t came[] = { 1,    2,    4,	   3,	 70,   69,    200,   4000, 3990,
					 9000, 8999, 8990, 8000, 9001, 30000, 29999, 30001 };
	struct replay *r = &sad_in(d, OUR_SPI)->tally->replay;

	for (size_t i = 0; i < sizeof came / sizeof came[0]; i++) {
		if (!replay_accept(r, came[i]))
			_exit(5);
		s->done.taken[i] = came[i];
		atomic_store(&s->done.n_taken, (uint32_t)i + 1);
	}
}

static void live(struct shared *s)
{
	struct sad *d = begin(s);
	struct kit_sa in, out;

	kit_sa_make(&out, &kit_suites[0], SA_OUT, PEER_SPI);
	kit_sa_make(&in, &kit_suites[0], SA_IN, OUR_SPI);
	in.d.replay_window = 4096;
	/* Outside of what is stepped: what a library does the first time. */
	install(s, d, &out, 1);
	send_some(s, d);
	if (sad_remove(d, &out.d) != OK)
		_exit(6);
	atomic_store(&s->done.sent, 0);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(7);
	raise(SIGSTOP);
	install(s, d, &out, 2);
	atomic_store(&s->done.out_in_use, true);
	send_some(s, d);
	install(s, d, &in, 3);
	atomic_store(&s->done.in_in_use, true);
	take_some(s, d);
	out.d.path.remote = kit_endpoint("198.51.100.9", 4711);
	if (sad_move(d, &out.d) != OK)
		_exit(8);
	send_some(s, d);
	atomic_store(&s->done.out_in_use, false);
	if (sad_remove(d, &out.d) != OK)
		_exit(9);
	atomic_store(&s->done.out_removed, true);
	/* The same name and another key, in the same place. */
	atomic_store(&s->done.sent, 0);
	out.d.encr_key.b[0] ^= 1;
	install(s, d, &out, 4);
	atomic_store(&s->done.out_in_use, true);
	send_some(s, d);
	_exit(0);
}

struct found {
	const struct done *done;
	bool out, in;
};

static enum err look(void *ctx, const struct sa_desc *d, struct tally *t)
{
	struct found *f = ctx;
	uint32_t n = atomic_load(&f->done->n_taken);

	if (d->dir == SA_OUT) {
		/* Which of the two it is, the key says. */
		bool second = d->encr_key.b[0] != 1;

		f->out = true;
		ck_assert(second || !atomic_load(&f->done->out_removed));
		if (!second == (atomic_load(&f->done->installed) < 4))
			ck_assert_uint_ge(atomic_load(&t->seq), atomic_load(&f->done->sent));
		return OK;
	}
	f->in = true;
	replay_shape(&t->replay, d->replay_window, d->esn);
	for (uint32_t i = 0; i < n; i++)
		ck_assert_msg(!replay_fresh(&t->replay, f->done->taken[i]),
			      "%u would be taken again", (unsigned)f->done->taken[i]);
	return OK;
}

static void judge(const struct shared *s)
{
	static _Alignas(64) uint8_t copy[SIZE];
	const struct esp_memory m = { .p = copy, .size = SIZE };
	struct found f = { .done = &s->done };
	struct ledger l;
	size_t refused;

	memcpy(copy, s->mem, SIZE);
	ck_assert_int_eq(ledger_open(&l, &m), OK);
	(void)ledger_each(&l, look, &f, &refused);
	ck_assert_uint_eq(refused, 0);
	ck_assert_uint_ge(ledger_installed(&l), atomic_load(&s->done.installed));
	ck_assert(f.out || !atomic_load(&s->done.out_in_use));
	ck_assert(f.in || !atomic_load(&s->done.in_in_use));
	ledger_close(&l);
}

START_TEST(no_number_is_used_twice_whenever_it_is_killed)
{
	static uint8_t was[SIZE];
	struct shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t n_done = 0;
	long steps = 0, changes = 0;
	int status;
	pid_t pid;

	ck_assert(s != MAP_FAILED);
	pid = fork();
	if (pid == 0)
		live(s);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	while (WIFSTOPPED(status) && steps++ < STEPS_MAX) {
		uint32_t now = (uint32_t)atomic_load(&s->done.sent) + s->done.n_taken * 8 +
			       atomic_load(&s->done.out_in_use);

		if (now != n_done || memcmp(was, s->mem, SIZE) != 0) {
			n_done = now;
			memcpy(was, s->mem, SIZE);
			judge(s);
			changes++;
		}
		ck_assert_int_eq(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	}
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_int_gt(changes, 100);
	ck_assert_uint_eq(atomic_load(&s->done.installed), 4);
	munmap(s, sizeof(*s));
}
END_TEST

UNIT("esp/ledger-killed")
{
	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, no_number_is_used_twice_whenever_it_is_killed);
}
