/* SPDX-License-Identifier: Apache-2.0 */
/* The path behind the decryption, through the real engine: a peer with the keys says anything to an
 * SA in every state, in both roles. First byte: the world; second: where the victim stands, its
 * role and side; then OP_INSIDE and OP_RUN.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/ike_world.h"

enum { OPS_MAX = 16 };

const struct ops_form ops_form = { .head = 2, .codes = 1u << OP_INSIDE | 1u << OP_RUN };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_from(span_of(bytes, len));
	uint8_t which = arg_u8(&r), where = arg_u8(&r);
	enum side victim = where & 64 ? RIGHT : LEFT;
	struct ike_world w;
	struct op op;

	ike_world_begin(&w, which);
	(void)ike_world_reach(&w, victim, where & 128, where % N_STATIONS);
	for (int i = 0; i < OPS_MAX && op_next(&r, &op); i++) {
		struct rd a = rd_from(op.args);

		if (op.code == OP_INSIDE)
			ike_world_inside(&w, op.args);
		else
			sim_run_ms(w.s, arg_u8(&a));
	}
	w.ambush[LEFT].drop = w.ambush[RIGHT].drop = 0;
	sim_run_ms(w.s, 300);
	ike_world_end(&w);
	return 0;
}
