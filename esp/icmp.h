/* SPDX-License-Identifier: Apache-2.0 */
/* "Too big" answers to inner packets that may not be cut: ICMP 3/4 (RFC 1191) and ICMPv6 packet too
 * big (RFC 4443 3.2). */
#ifndef ESP_ICMP_H
#define ESP_ICMP_H

#include "esp/inner.h"

enum { ICMP_ANSWER_MAX = 1280 };

/* May this packet be answered? Never an ICMP error, a later fragment, or what came from or goes to
 * no single host (RFC 1122 3.2.2, RFC 4443 2.4). */
bool icmp_may_answer(struct span p, const struct inner *in);
/* The packet that an ICMP error is about, as its sender sent it (RFC 4301 6.2): unreachable, too
 * big, time exceeded, parameter problem. False when `p` is none of those, is a fragment, does not
 * go to that sender, is from no host, or quotes too little to be judged. */
bool icmp_error_about(struct span p, const struct inner *in, struct flow *about);
/* Writes the answer, a whole IP packet, for an inner MTU of `mtu` (announced as at least 1280 with
 * IPv6, RFC 8200 5). It goes from the packet's destination to its source. False when it does not
 * fit in w. */
bool icmp_too_big(struct span p, const struct inner *in, uint16_t mtu, struct wr *w);

#endif
