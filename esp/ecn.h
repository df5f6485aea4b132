/* SPDX-License-Identifier: Apache-2.0 */
/* Explicit congestion notification through the tunnel (RFC 6040). */
#ifndef ESP_ECN_H
#define ESP_ECN_H

#include "base/sadesc.h"

enum { ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3, ECN_MASK = 3 };

/* TOS or traffic class of the outer header: normal mode, and the DSCP is copied (RFC 4301 5.1.2).
 */
uint8_t ecn_encapsulate(uint8_t inner_tos);
/* The same by the SA's settings. */
uint8_t ecn_outer(const struct sa_headers *h, uint8_t inner_tos);
/* The opened packet gets the DSCP of the outer header. */
void ecn_adopt_dscp(uint8_t *p, uint8_t version, uint8_t outer_tos);
/* The field of the packet that goes on, by figure 4. False: it must be dropped. */
MUST_USE bool ecn_decapsulate(uint8_t inner, uint8_t outer, uint8_t *onward);
/* Judges the opened packet `p` (parsed before: at least a whole header of `version`), and marks it,
 * with its IPv4 header checksum. */
MUST_USE bool ecn_apply(uint8_t *p, uint8_t version, uint8_t outer_tos);

#endif
