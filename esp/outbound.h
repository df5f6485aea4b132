/* SPDX-License-Identifier: Apache-2.0 */
/* An inner packet becomes an ESP packet (RFC 4303 3.3). */
#ifndef ESP_OUTBOUND_H
#define ESP_OUTBOUND_H

#include "esp/sa.h"

/* Seals `inner`, a whole IP packet of `version` 4 or 6, into `w`: SPI first, without outer headers;
 * in transport mode without its IP header, which the caller puts outside (esp/transport.h). The
 * SA's lock is held. Counts the packet, or the drop: DROP_EXHAUSTED, DROP_LIMIT (the SA is at its
 * end), DROP_CRYPTO, DROP_TOO_BIG (w is too small), DROP_HEADER (transport mode cannot carry it).
 */
enum drop outbound_seal(struct sa *sa, struct span inner, uint8_t version, mono_ns now,
			struct wr *w);

#endif
