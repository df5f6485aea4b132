/* SPDX-License-Identifier: Apache-2.0 */
/* TCP maximum segment size, lowered in SYN and SYN/ACK so that segments fit through the tunnel. */
#ifndef ESP_MSS_H
#define ESP_MSS_H

#include "esp/inner.h"

/* Is it a TCP segment with SYN, whose options can be read? */
bool mss_wants(struct span p, const struct inner *in);
/* Lowers the MSS option of such a segment, in place, to what fits in inner packets of `mtu` bytes,
 * and updates the checksum. Never raises it. True when it changed. A segment without the option is
 * left alone: its sender gets 536 (RFC 9293 3.7.1). */
bool mss_clamp(uint8_t *p, const struct inner *in, uint16_t mtu);

#endif
