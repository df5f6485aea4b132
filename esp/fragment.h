/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting an inner IPv4 packet without DF into pieces before encryption (RFC 791 3.2, RFC 4301
 * appendix D.7); and an IPv6 packet that came whole out of a tunnel (RFC 8200 4.5). */
#ifndef ESP_FRAGMENT_H
#define ESP_FRAGMENT_H

#include "esp/inner.h"

/* The packet is borrowed while the pieces are taken. */
struct cutter {
	struct span packet;
	struct inner in;
	size_t step; /* payload bytes per piece, a multiple of 8 */
	size_t at;   /* payload bytes taken so far */
	uint32_t id; /* IPv6: of all pieces */
};

/* ERR_UNSUPPORTED when the packet must not be cut (IPv6, DF), ERR_SPACE when `mtu` leaves no room
 * for 8 bytes. */
MUST_USE enum err cutter_init(struct cutter *c, struct span packet, const struct inner *in,
			      uint16_t mtu);
/* An IPv6 packet, into pieces that every link takes; `id` is not to be guessed (RFC 7739).
 * ERR_UNSUPPORTED when it is a fragment, or has headers that each piece would need. */
MUST_USE enum err cutter_init6(struct cutter *c, struct span packet, const struct inner *in,
			       uint32_t id);
/* Writes the next piece, a whole packet of at most mtu bytes. False when there is none left, or `w`
 * is too small. */
bool cutter_next(struct cutter *c, struct wr *w);

#endif
