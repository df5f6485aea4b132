/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <string.h>

#include "tests/unit/unit.h"

/* A TLV format as IKE has them: a length of two bytes that counts its own header of four. Every length that
 * could lie about what follows must be refused, and the walk must end. */
enum { HDR = 4, BODY = 8, WHOLE = HDR + BODY };

static bool tlv_walk(struct span s, size_t *rounds)
{
	struct rd r = rd_from(s);

	for (*rounds = 0; rd_left(&r) > 0; (*rounds)++) {
		size_t len;

		rd_skip(&r, 2);
		len = rd_u16(&r);
		if (len < HDR)
			rd_fail(&r);
		(void)rd_take(&r, len - HDR);
	}
	return rd_end(&r);
}

START_TEST(a_length_that_lies_is_refused_and_the_walk_ends)
{
	static const struct {
		uint16_t len;
		bool good;
	} cases[] = {
		{ 0, false }, { 1, false }, { HDR - 1, false }, { WHOLE, true }, { WHOLE + 1, false }, { UINT16_MAX, false },
	};
	uint8_t b[WHOLE] = { [2] = (uint8_t)(cases[_i].len >> 8), [3] = (uint8_t)cases[_i].len };
	size_t rounds;

	ck_assert_int_eq(tlv_walk(span_of(b, sizeof(b)), &rounds), cases[_i].good);
	ck_assert_uint_le(rounds, WHOLE / HDR);
}
END_TEST

START_TEST(reads_are_big_endian)
{
	static const uint8_t b[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct rd r = rd_from(span_of(b, sizeof(b)));

	ck_assert_uint_eq(rd_u8(&r), 1);
	ck_assert_uint_eq(rd_u16(&r), 0x0203);
	ck_assert_uint_eq(rd_u32(&r), 0x04050607);
	ck_assert_uint_eq(rd_u64(&r), 0x08090a0b0c0d0e0f);
	ck_assert(rd_end(&r));
}
END_TEST

UNIT("base/bytes")
{
	tcase_add_loop_test(tc, a_length_that_lies_is_refused_and_the_walk_ends, 0, 6);
	tcase_add_test(tc, reads_are_big_endian);
}
