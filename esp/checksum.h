/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum (RFC 1071), and keeping it right when a field changes (RFC 1624). */
#ifndef ESP_CHECKSUM_H
#define ESP_CHECKSUM_H

#include "base/bytes.h"

/* A running sum of 16-bit words. Only the last span of a sum may have an odd length. */
uint32_t checksum_add(uint32_t sum, struct span s);
uint16_t checksum_fold(uint32_t sum); /* complemented, as it stands on the wire */
/* The checksum after one 16-bit word that it covers went from `was` to `is`. */
uint16_t checksum_update(uint16_t checksum, uint16_t was, uint16_t is);

#endif
