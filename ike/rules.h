/* SPDX-License-Identifier: Apache-2.0 */
/* Which message is expected when: the exchange table, and the only way to a handler.
 *
 * A row says: this exchange, request or response, in these states of the SA, with these payloads.
 * Rows are disjoint (a test enumerates all combinations), so their order means nothing. What no row
 * names has no effect: that is what stops CREATE_CHILD_SA before IKE_AUTH (CVE-2014-2338,
 * CVE-2026-78135) and everything like it, without a check in any handler.
 */
#ifndef IKE_RULES_H
#define IKE_RULES_H

#include "ike/sa.h"
#include "ike/step.h"

enum direction { REQUEST, RESPONSE };

struct rule {
	uint8_t exchange;
	enum direction direction;
	uint32_t states; /* 1 << enum sa_state */
	uint32_t must;	 /* PL_BIT()s that are all there */
	uint32_t may;	 /* that may be there besides; NOTIFY and VENDOR always may */
	handler_fn *handler;
};

/* Is there any row for it, whatever the payloads? Asked before anything is decrypted. */
bool rules_expect(uint8_t exchange, enum direction d, enum sa_state state);
/* The row that fits a message with these payloads, or NULL. */
const struct rule *rules_find(uint8_t exchange, enum direction d, enum sa_state state,
			      uint32_t present);
/* Row i of all; NULL behind the last. For tests and for doc/. */
const struct rule *rules_row(size_t i);

#endif
