/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer's mutator for the inputs of tests/fuzz/ops.h: it takes operations out, puts them in,
 * exchanges and repeats them, takes some of other inputs, and changes the payloads inside as
 * tests/fuzz/chain.h says. The target seals what comes of it, so no change is lost at an ICV.
 */
#include <string.h>

#include "ike/wire.h"
#include "tests/fuzz/chain.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/ops.h"

/* The names are libFuzzer's. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t len, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t max, unsigned int seed);
enum { OPS_MAX = 40, ARGS_ROOM = 32 };

struct ops {
	struct op v[OPS_MAX];
	size_t n;
};

/* Operations of inputs that were seen, to be put into others. */
enum { KEPT = 64, KEPT_LEN = 2048 };
static uint8_t kept[KEPT][KEPT_LEN];
static size_t kept_len[KEPT];

static void ops_read(struct ops *ops, struct rd *r)
{
	ops->n = 0;
	while (ops->n < OPS_MAX && op_next(r, &ops->v[ops->n]))
		ops->n++;
}

static uint8_t any_code(struct chance *dice)
{
	uint8_t code = (uint8_t)chance_index(dice, N_OP_CODES);

	while (!(ops_form.codes >> code & 1))
		code = (uint8_t)((code + 1) % N_OP_CODES);
	return code;
}

/* Where a chain belongs, more often than not. */
static uint8_t exchange_for(uint8_t first, struct chance *dice)
{
	static const uint8_t exchanges[] = { X_IKE_SA_INIT, X_IKE_AUTH, X_CREATE_CHILD_SA,
					     X_INFORMATIONAL, X_IKE_INTERMEDIATE };

	if (chance_index(dice, 3) == 0)
		return exchanges[chance_index(dice, sizeof(exchanges))];
	if (first == PL_DELETE || first == PL_NONE)
		return X_INFORMATIONAL;
	return first == PL_IDI || first == PL_IDR ? X_IKE_AUTH : X_CREATE_CHILD_SA;
}

static void args_of_chain(struct op *op, struct rd *r, struct chance *dice)
{
	static uint8_t room[INSIDE_HEAD + CHAIN_ROOM];
	static struct chain c;
	uint8_t head[INSIDE_HEAD];
	struct wr w = wr_into(room, sizeof(room));

	for (size_t i = 0; i < INSIDE_HEAD; i++)
		head[i] = arg_u8(r);
	chain_set(&c, head[3], rd_rest(r));
	if (chance_index(dice, 6) == 0)
		head[0] ^= (uint8_t)(1u << chance_index(dice, 8));
	if (chance_index(dice, 12) == 0)
		head[1] = op->code == OP_INSIDE ? (uint8_t)(chance_index(dice, 3) - 1)
						: (uint8_t)chance_u64(dice);
	for (uint32_t n = chance_index(dice, 3) + 1; n > 0; n--)
		chain_mutate(&c, dice, LLVMFuzzerMutate);
	if (head[2] == 0 || chance_index(dice, 10) == 0)
		head[2] = exchange_for(c.first, dice);
	head[3] = c.first;
	wr_span(&w, span_of(head, sizeof(head)));
	wr_span(&w, span_of(c.bytes, c.len));
	op->args = wr_done(&w);
}

static void change_args(struct op *op, struct chance *dice)
{
	static uint8_t room[ARGS_ROOM];
	struct rd r = rd_from(op->args);
	size_t len = op->args.len < ARGS_ROOM ? op->args.len : ARGS_ROOM;

	if (op->code == OP_INSIDE || op->code == OP_CLEAR) {
		args_of_chain(op, &r, dice);
		return;
	}
	if (len > 0)
		memcpy(room, op->args.p, len);
	while (len < 8)
		room[len++] =
			(uint8_t)(chance_index(dice, 2) ? chance_index(dice, 8) : chance_u64(dice));
	op->args = span_of(room, LLVMFuzzerMutate(room, len, sizeof(room)));
}

static void put_in(struct ops *ops, size_t at, struct op op)
{
	if (ops->n == OPS_MAX)
		return;
	memmove(&ops->v[at + 1], &ops->v[at], (ops->n - at) * sizeof(ops->v[0]));
	ops->v[at] = op;
	ops->n++;
}

static void keep_one(const struct ops *ops, struct chance *dice)
{
	uint32_t place = chance_index(dice, KEPT);
	struct wr w = wr_into(kept[place], KEPT_LEN);

	if (ops->n == 0)
		return;
	op_put(&w, &ops->v[chance_index(dice, ops->n)]);
	kept_len[place] = wr_ok(&w) ? wr_len(&w) : 0;
}

static void put_kept(struct ops *ops, struct chance *dice)
{
	uint32_t place = chance_index(dice, KEPT);
	struct rd r = rd_from(span_of(kept[place], kept_len[place]));
	struct op op;

	if (op_next(&r, &op) && ops_form.codes >> op.code & 1)
		put_in(ops, chance_index(dice, ops->n + 1), op);
}

static void change(struct ops *ops, struct chance *dice)
{
	size_t at = chance_index(dice, ops->n), with = chance_index(dice, ops->n);
	struct op fresh = { .code = any_code(dice) };

	switch (ops->n > 0 ? chance_index(dice, 9) : 0) {
	case 0:
		change_args(&fresh, dice);
		put_in(ops, chance_index(dice, ops->n + 1), fresh);
		break;
	case 1:
		memmove(&ops->v[at], &ops->v[at + 1], (ops->n - at - 1) * sizeof(ops->v[0]));
		ops->n--;
		break;
	case 2:
		put_in(ops, with, ops->v[at]);
		break;
	case 3:
		put_kept(ops, dice);
		break;
	case 4:
		fresh = ops->v[at];
		ops->v[at] = ops->v[with];
		ops->v[with] = fresh;
		break;
	default:
		change_args(&ops->v[at], dice);
	}
}

static size_t ops_write(const struct ops *ops, struct span head, uint8_t *out, size_t max)
{
	struct wr w = wr_into(out, max);

	wr_span(&w, head);
	for (size_t i = 0; i < ops->n; i++)
		op_put(&w, &ops->v[i]);
	return wr_ok(&w) ? wr_len(&w) : 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t max, unsigned int seed)
{
	static uint8_t was[65536];
	struct chance dice = { .state = seed };
	struct ops ops;
	struct rd r;
	size_t n;

	if (len < ops_form.head || len > sizeof(was) || chance_index(&dice, 24) == 0)
		return LLVMFuzzerMutate(bytes, len, max);
	memcpy(was, bytes, len);
	if (chance_index(&dice, 12) == 0)
		was[chance_index(&dice, ops_form.head)] = (uint8_t)chance_u64(&dice);
	r = rd_from(span_of(was + ops_form.head, len - ops_form.head));
	ops_read(&ops, &r);
	keep_one(&ops, &dice);
	/* One change: arguments that were made anew lie in one place. */
	change(&ops, &dice);
	n = ops_write(&ops, span_of(was, ops_form.head), bytes, max);
	if (n > 0)
		return n;
	memcpy(bytes, was, len);
	return LLVMFuzzerMutate(bytes, len, max);
}
