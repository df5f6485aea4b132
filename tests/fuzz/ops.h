/* SPDX-License-Identifier: Apache-2.0 */
/* The inputs of the targets that drive whole engines: a few bytes that say which world, then
 * operations, each one byte what, two bytes how long, and its arguments. Arguments that are missing
 * are zero.
 */
#ifndef TESTS_FUZZ_OPS_H
#define TESTS_FUZZ_OPS_H

#include "base/bytes.h"

enum op_code {
	OP_RUN,	    /* u8: so many times 10 ms (from 128 on: seconds) */
	OP_INSIDE,  /* a sealed message: see enum inside_how */
	OP_CLEAR,   /* u8 side, u8 how, u8 exchange, u8 first; a chain in clear */
	OP_EDIT,    /* u8 side, u8 skip, u8 rounds, u32 seed: a coming message is changed */
	OP_DROP,    /* u8 side, u8 n: so many coming messages are lost; 255: all */
	OP_NET,	    /* u8 loss, dup, mutate, reflect, replay in percent, delay in 10 ms */
	OP_COMMAND, /* u8 side and up or down, u8 child */
	OP_PLANE,   /* u8 side, u8 what happens in a data plane, or any event that it tells */
	OP_JOB,	    /* u8 side, u8 how: one fails, is lost, or any result: u8 kind, ticket; bytes */
	OP_DONE,    /* u8 side, ticket, err; u32 packets: an answer of the data plane */
	OP_FAIL,    /* u8 what, u8 nth */
	OP_LIFE,    /* u8 side, u8: crash, start, stop, or a new configuration */
	N_OP_CODES
};

struct op {
	uint8_t code;
	struct span args;
};

/* Which operations a target understands, and how many bytes stand before them. */
struct ops_form {
	size_t head;
	uint32_t codes; /* 1 << enum op_code */
};
extern const struct ops_form ops_form;

/* OP_INSIDE: how (who sends it, and what is wrong on purpose), then as INSIDE_HEAD says. */
enum inside_how {
	INSIDE_RIGHT = 1,
	INSIDE_RESPONSE = 2,
	INSIDE_FRAGMENTS = 4,
	INSIDE_BACKWARDS = 8,	/* fragments: the last one first */
	INSIDE_OTHER_ROLE = 16, /* the initiator flag is the other one */
	INSIDE_TWICE = 32,
	INSIDE_ELSEWHERE = 64, /* from another port */
};
/* OP_CLEAR: the receiver is RIGHT or (1) LEFT; SPIs are those of its SA or a stranger's. Bits 2 and
 * 3 are the message ID. */
enum clear_how {
	CLEAR_RESPONSE = 1,
	CLEAR_INITIATOR = 2,
	CLEAR_SPI_I = 16,
	CLEAR_SPI_R = 32,
	CLEAR_ELSEWHERE = 64, /* on port 4500 */
	CLEAR_FLOOD = 128,    /* many of them, from the same network */
};
enum { INSIDE_HEAD = 4 }; /* how, i8 message ID (0: the expected one), exchange, first */

static inline bool op_next(struct rd *r, struct op *op)
{
	uint16_t len;

	if (rd_left(r) == 0)
		return false;
	op->code = (uint8_t)(rd_u8(r) % N_OP_CODES);
	len = rd_left(r) >= 2 ? rd_u16(r) : 0;
	op->args = rd_take(r, len < rd_left(r) ? len : rd_left(r));
	return true;
}

static inline void op_put(struct wr *w, const struct op *op)
{
	wr_u8(w, op->code);
	wr_u16(w, (uint16_t)op->args.len);
	wr_span(w, op->args);
}

/* Zero when it is not there. */
static inline uint8_t arg_u8(struct rd *r)
{
	return rd_left(r) > 0 ? rd_u8(r) : 0;
}

static inline uint32_t arg_u32(struct rd *r)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 8 | arg_u8(r);
	return v;
}

#endif
