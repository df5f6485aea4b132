/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's data plane against XFRM in memory: every command with every request of it gone wrong
 * once, in every way.
 */
#include "xfrm/kernel.h"

#include <errno.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vault.h"
#include "tests/unit/xfrm/kernel_world.h"

#define N_OF(v) (sizeof(v) / sizeof((v)[0]))

enum { STEPS_MAX = 120 };

/* ---- the commands that are tried ---- */

/* An earlier run's: the book knows nothing of it. */
static void left_over(struct world *w)
{
	world_up_twice(w);
	kernel_close(w->k);
	ck_assert_int_eq(kernel_over(&w->nl, &w->k), OK);
}

static void install_in(struct world *w)
{
	world_simply(w, SA_INSTALL, SA_IN, 0x1001);
}

static void install_out(struct world *w)
{
	world_simply(w, SA_INSTALL, SA_OUT, 0x1002);
}

static void install_answer(struct world *w)
{
	struct sa_cmd cmd = world_cmd(w, SA_INSTALL, SA_OUT, 0x1002);

	cmd.sa.acquire = 99;
	world_run(w, &cmd);
}

static void install_second(struct world *w)
{
	struct sa_cmd cmd = world_cmd(w, SA_INSTALL, SA_IN, 0x2001);

	cmd.sa.reqid = REQID + 1;
	cmd.sa.local = w->children.v[1].local;
	cmd.sa.remote = w->children.v[1].remote;
	world_run(w, &cmd);
}

static void replace_in(struct world *w)
{
	world_simply(w, SA_INSTALL, SA_IN, 0x1011);
}

static void replace_out(struct world *w)
{
	world_simply(w, SA_INSTALL, SA_OUT, 0x1012);
}

static void remove_in(struct world *w)
{
	world_simply(w, SA_REMOVE, SA_IN, 0x1001);
}

static void remove_out(struct world *w)
{
	world_simply(w, SA_REMOVE, SA_OUT, 0x1002);
}

static void remove_newest(struct world *w)
{
	world_simply(w, SA_REMOVE, SA_OUT, 0x1012);
}

static void move(struct world *w, enum sa_dir dir, uint32_t spi, bool encap)
{
	struct sa_cmd cmd = world_cmd(w, SA_MOVE, dir, spi);

	ck_assert(addr_parse("192.0.2.77", &cmd.sa.path.remote.addr));
	cmd.sa.path.local.port = cmd.sa.path.remote.port = encap ? 4500 : 0;
	cmd.sa.encap = encap;
	world_run(w, &cmd);
}

static void move_in(struct world *w)
{
	move(w, SA_IN, 0x1001, true);
}

static void move_out(struct world *w)
{
	move(w, SA_OUT, 0x1002, false);
}

static struct sa_cmd encap_cmd(const struct world *w, enum sa_op op, enum sa_dir dir, uint32_t spi)
{
	struct sa_cmd cmd = world_cmd(w, op, dir, spi);

	cmd.sa.encap = true;
	cmd.sa.path.local.port = cmd.sa.path.remote.port = 4500;
	return cmd;
}

static void up_encap(struct world *w)
{
	struct sa_cmd in = encap_cmd(w, SA_INSTALL, SA_IN, 0x1001);
	struct sa_cmd out = encap_cmd(w, SA_INSTALL, SA_OUT, 0x1002);

	world_trapped(w);
	world_run(w, &in);
	ck_assert_msg(w->err == OK, "%s", w->why);
	world_run(w, &out);
	ck_assert_msg(w->err == OK, "%s", w->why);
}

static void move_ports_in(struct world *w)
{
	struct sa_cmd cmd = encap_cmd(w, SA_MOVE, SA_IN, 0x1001);

	cmd.sa.path.remote.port = 1027;
	world_run(w, &cmd);
}

static void move_ports_out(struct world *w)
{
	struct sa_cmd cmd = encap_cmd(w, SA_MOVE, SA_OUT, 0x1002);

	cmd.sa.path.remote.port = 1027;
	world_run(w, &cmd);
}

static void query(struct world *w)
{
	world_simply(w, SA_QUERY, SA_OUT, 0x1002);
}

static void forget(struct world *w)
{
	struct sa_cmd cmd = world_cmd(w, SA_FORGET, SA_OUT, 0);

	cmd.sa.acquire = 99;
	world_run(w, &cmd);
}

static void ranked(struct world *w, enum sa_op op, enum sa_dir dir)
{
	struct sa_cmd cmd = world_ranked_cmd(w, op, dir, 1);

	cmd.sa.passed = op == SA_PASS;
	if (op == SA_MOVE)
		ck_assert(addr_parse("192.0.2.77", &cmd.sa.path.remote.addr));
	world_run(w, &cmd);
}

static void pass_over(struct world *w)
{
	ranked(w, SA_PASS, SA_OUT);
}

static void remove_best(struct world *w)
{
	ranked(w, SA_REMOVE, SA_OUT);
}

static void move_best_in(struct world *w)
{
	ranked(w, SA_MOVE, SA_IN);
}

static void move_best_out(struct world *w)
{
	ranked(w, SA_MOVE, SA_OUT);
}

static void traps_fewer(struct world *w)
{
	world_traps(w, 1);
}

static void traps_all(struct world *w)
{
	world_traps(w, CHILDREN);
}

static void clear(struct world *w)
{
	w->why[0] = '\0';
	w->err = kernel_clear(w->k, w->why);
}

static void flush(struct world *w)
{
	kernel_flush(w->k);
	w->err = OK;
}

/* Another program's book. */
static void go_on(struct world *w)
{
	static _Alignas(64) uint8_t memory[1 << 16];
	struct vault v;

	memset(memory, 0, sizeof(memory));
	ck_assert_int_eq(vault_open(&v, memory, sizeof(memory)), OK);
	ck_assert_int_eq(kernel_pass_on(w->k, &v), OK);
	kernel_close(w->k);
	ck_assert_int_eq(kernel_over(&w->nl, &w->k), OK);
	w->why[0] = '\0';
	w->err = kernel_go_on(w->k, &v, w->why);
	vault_close(&v);
}

static const struct {
	const char *name;
	void (*before)(struct world *w);
	void (*command)(struct world *w);
	size_t halves; /* in the book, when it went well */
	size_t policies;
} sequences[] = {
	{ "install in", world_trapped, install_in, 1, 3 + 2 },
	{ "install out", world_half_up, install_out, 2, 3 + 3 },
	{ "install the answer to an ACQUIRE", world_asked_for, install_answer, 2, 3 + 3 },
	{ "install without traps", world_nothing, install_in, 1, 2 },
	{ "a second child", world_up, install_second, 3, 3 + 3 + 2 },
	{ "replace in", world_up, replace_in, 3, 3 + 3 },
	{ "replace out", world_up, replace_out, 3, 3 + 3 },
	{ "remove in", world_up, remove_in, 1, 3 + 1 },
	{ "remove out", world_up, remove_out, 1, 3 + 2 },
	{ "remove the newest", world_up_twice, remove_newest, 3, 3 + 3 },
	{ "remove the older", world_up_twice, remove_out, 3, 3 + 3 },
	{ "move in", world_up, move_in, 2, 3 + 3 },
	{ "move out", world_up, move_out, 2, 3 + 3 },
	{ "move ports in", up_encap, move_ports_in, 2, 3 + 3 },
	{ "move ports out", up_encap, move_ports_out, 2, 3 + 3 },
	{ "query", world_up, query, 2, 3 + 3 },
	{ "forget", world_asked_for, forget, 1, 3 + 2 },
	{ "pass over", world_ranked, pass_over, 4, 3 + 3 },
	{ "remove the best of two peers", world_ranked, remove_best, 3, 3 + 3 },
	{ "move the best of two peers in", world_ranked, move_best_in, 4, 3 + 3 },
	{ "move the best of two peers out", world_ranked, move_best_out, 4, 3 + 3 },
	{ "clear two peers", world_ranked, clear, 0, 0 },
	{ "traps", world_nothing, traps_all, 0, 3 },
	{ "fewer traps", world_up, traps_fewer, 2, 2 + 3 },
	{ "clear", world_up_twice, clear, 0, 0 },
	{ "clear what is left over", left_over, clear, 0, 0 },
	{ "flush", world_up_twice, flush, 0, 3 },
	{ "go on", world_up_twice, go_on, 4, 3 + 3 },
	{ "go on with two peers", world_ranked, go_on, 4, 3 + 3 },
};

/* ---- the tests ---- */

static const struct {
	enum model_fault fault;
	int error;
	bool harmless; /* the command goes well all the same */
} faults[] = {
	{ FAULT_REFUSE, EEXIST, false },
	{ FAULT_REFUSE, ESRCH, false },
	{ FAULT_REFUSE, ENOENT, false },
	{ FAULT_REFUSE, ENOMEM, false },
	{ FAULT_REFUSE, EINTR, false },
	{ FAULT_REFUSE, EPERM, false },
	{ FAULT_REFUSE, EINVAL, false },
	{ FAULT_REFUSE, ENOBUFS, false },
	{ FAULT_REFUSE, ENOSYS, false },
	{ FAULT_REFUSE, EAGAIN, false },
	{ FAULT_SEND, ENOBUFS, false },
	{ FAULT_SEND, ENOMEM, false },
	{ FAULT_SEND, EAGAIN, false },
	{ FAULT_SEND, EPERM, false },
	{ FAULT_SILENT, 0, false },
	{ FAULT_SHORT, 0, false },
	{ FAULT_GARBLED, GARBLE_LONG, false },
	{ FAULT_GARBLED, GARBLE_NOTHING, false },
	{ FAULT_GARBLED, GARBLE_POSITIVE, false },
	{ FAULT_GARBLED, GARBLE_TYPE, false },
	{ FAULT_LATE, 0, false },
	{ FAULT_LOST, 0, false },
	{ FAULT_DOUBLE, 0, true },
	{ FAULT_ALIEN, 0, true },
	{ FAULT_INTERRUPTED, 0, true },
	{ FAULT_INDEX, 0, true },
};

static void where(char *text, size_t size, int sequence, size_t fault, int step)
{
	snprintf(text, size, "%s, fault %d errno %d at request %d", sequences[sequence].name,
		 (int)faults[fault].fault, faults[fault].error, step);
}

static void unheard(void *ctx, const struct plane_event *ev)
{
	(void)ctx;
	(void)ev;
}

/* What is open is cleared up at the next opportunity, which is a command or an event. */
static void clear_up(struct world *w)
{
	const struct kernel_news news = { .fn = unheard };
	enum err err = w->err;

	world_simply(w, SA_QUERY, SA_IN, 0xdead);
	kernel_news_end(w->k, &news);
	w->err = err;
}

/* False when the command had no request of this number any more. */
static bool try_fault(int sequence, size_t fault, int step, int lasting)
{
	struct world *w = world_new();
	char text[200];
	size_t halves;
	const char *wrong;
	bool reached;

	where(text, sizeof(text), sequence, fault, step);
	sequences[sequence].before(w);
	halves = w->k->halves.n;
	model_arm(w->m, faults[fault].fault, faults[fault].error, step);
	w->m->lasting = lasting;
	sequences[sequence].command(w);
	reached = w->m->asked > step;
	model_arm(w->m, FAULT_NONE, 0, -1);
	/* Whoever has to try again knows it. */
	wrong = world_wrong(w);
	ck_assert_msg(wrong == NULL || kernel_doubts(w->k), "%s: no doubt, but %s", text, wrong);
	clear_up(w);
	wrong = world_wrong(w);
	ck_assert_msg(wrong == NULL, "%s: %s", text, wrong);
	ck_assert_msg(!faults[fault].harmless || lasting > 0 || w->err == OK, "%s: %s", text,
		      w->why);
	ck_assert_msg(!kernel_doubts(w->k), "%s: in doubt", text);
	/* What fails adds nothing; what was to go may be gone all the same. */
	if (w->err == OK)
		ck_assert_msg(w->k->halves.n == sequences[sequence].halves, "%s: %zu halves", text,
			      w->k->halves.n);
	else
		ck_assert_msg(w->k->halves.n <= halves, "%s: failed, %zu halves", text,
			      w->k->halves.n);
	world_free(w);
	return reached;
}

START_TEST(whatever_goes_wrong_book_and_kernel_agree)
{
	for (size_t fault = 0; fault < N_OF(faults); fault++) {
		int step = 0;

		while (try_fault(_i, fault, step, 0))
			ck_assert_int_lt(++step, STEPS_MAX);
		ck_assert_int_gt(step, 0);
	}
}
END_TEST

/* What does no harm, however often. */
static bool once_only(size_t fault)
{
	return faults[fault].harmless && faults[fault].fault != FAULT_INTERRUPTED;
}

/* As long as nothing goes, nothing can be undone either; then one command more clears it up. */
START_TEST(after_a_time_of_failures_book_and_kernel_agree)
{
	static const int lasting[] = { 1, 2, 5, 1000 };

	for (size_t fault = 0; fault < N_OF(faults); fault++) {
		for (size_t n = 0; n < N_OF(lasting) && !once_only(fault); n++) {
			int step = 0;

			while (try_fault(_i, fault, step, lasting[n]))
				ck_assert_int_lt(++step, STEPS_MAX);
		}
	}
}
END_TEST

START_TEST(a_command_does_what_it_says)
{
	struct world *w = world_new();
	const char *wrong;

	sequences[_i].before(w);
	sequences[_i].command(w);
	ck_assert_msg(w->err == OK, "%s: %s", sequences[_i].name, w->why);
	wrong = world_wrong(w);
	ck_assert_msg(wrong == NULL, "%s: %s", sequences[_i].name, wrong);
	ck_assert_uint_eq(w->k->halves.n, sequences[_i].halves);
	world_free(w);
}
END_TEST

/* The positive control of the two above: what a forgotten undo would leave is seen. */
START_TEST(what_is_left_behind_is_noticed)
{
	struct world *w = world_new();
	struct model_policy *p;

	world_up(w);
	ck_assert_ptr_null(world_wrong(w));
	w->m->states[w->m->n_states] = w->m->states[w->m->n_states - 1];
	w->m->states[w->m->n_states++].u.id.spi = htonl(0x6666);
	ck_assert_str_eq(world_wrong(w), "the kernel has a state that is not in the book");
	w->m->n_states -= 2;
	ck_assert_str_eq(world_wrong(w), "a half of the book is not in the kernel");
	w->m->n_states++;
	p = &w->m->policies[w->m->n_policies - 1];
	p->u.priority++;
	ck_assert_str_eq(world_wrong(w), "a policy of the book is not in the kernel");
	p->u.priority--;
	w->m->policies[w->m->n_policies++] = *p;
	p[1].u.index = 0;
	ck_assert_str_eq(world_wrong(w), "the kernel has a policy that is not in the book");
	w->m->n_policies--;
	w->m->policies[1].u.priority++;
	ck_assert_str_eq(world_wrong(w), "what others have was touched");
	world_free(w);
}
END_TEST

START_TEST(halves_are_counted_by_their_connection)
{
	struct world *w = world_new();
	struct sa_cmd cmd = world_cmd(w, SA_INSTALL, SA_IN, 0x1001);

	ck_assert_uint_eq(kernel_count(w->k, "office").all, 0);
	snprintf(cmd.sa.connection, sizeof(cmd.sa.connection), "office");
	world_run(w, &cmd);
	world_simply(w, SA_INSTALL, SA_OUT, 0x1002);
	ck_assert_uint_eq(kernel_count(w->k, "office").all, 2);
	ck_assert_uint_eq(kernel_count(w->k, "office").of_connection, 1);
	ck_assert_uint_eq(kernel_count(w->k, "nobody").of_connection, 0);
	world_simply(w, SA_REMOVE, SA_IN, 0x1001);
	ck_assert_uint_eq(kernel_count(w->k, "office").all, 1);
	ck_assert_uint_eq(kernel_count(w->k, "office").of_connection, 0);
	world_free(w);
}
END_TEST

UNIT("xfrm/kernel")
{
	tcase_add_test(tc, halves_are_counted_by_their_connection);
	tcase_add_test(tc, what_is_left_behind_is_noticed);
	tcase_add_loop_test(tc, a_command_does_what_it_says, 0, (int)N_OF(sequences));
	tcase_add_loop_test(tc, after_a_time_of_failures_book_and_kernel_agree, 0,
			    (int)N_OF(sequences));
	tcase_add_loop_test(tc, whatever_goes_wrong_book_and_kernel_agree, 0, (int)N_OF(sequences));
}
