/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments out of the TUN become whole packets again: transport mode seals only those (RFC 4303
 * 3.3.4), and the kernel cuts a local datagram that is too long for the route before we see it. And
 * selectors with ports can judge only those: what later fragments are of stands in the first one.
 *
 * One store per worker. Fragments of one datagram have one flow hash (addresses and protocol), so
 * the device gives them to one queue; what it should split over two is lost and times out.
 */
#ifndef ESP_REASSEMBLE_H
#define ESP_REASSEMBLE_H

#include "base/clock.h"
#include "esp/drop.h"
#include "esp/inner.h"

/* The bounds, per worker: datagrams at once, of one pair of hosts, and bytes. RFC 791 and 8200
 * would wait 15 and 60 seconds, but these come from this machine, or over few hops, all at once. */
enum {
	REASSEMBLY_SLOTS = 32,
	REASSEMBLY_OF_PAIR = 16,
	REASSEMBLY_BYTES = 1 << 20,
	REASSEMBLY_SECONDS = 2,
};

struct reassembly; /* one datagram */

struct reassembler {
	struct reassembly *slots[REASSEMBLY_SLOTS];
	size_t bytes;
	uint32_t from;	  /* the device at hand, set by the owner: fragments of two do not mix */
	uint64_t dropped; /* datagrams that were given up; the owner takes the number away */
};

void reassembler_free(struct reassembler *r);
/* Takes the fragment `p` (`in` says that it is one). When it was the last that was missing, writes
 * the packet to `w` and gives true; `w` has room for 65535 bytes. A datagram with fragments that
 * overlap is dropped, with all that come later (RFC 5722), and so is one that is longer than a
 * packet can be, or older than REASSEMBLY_SECONDS; where there is no room the oldest goes. */
MUST_USE bool reassembler_add(struct reassembler *r, struct span p, const struct inner *in,
			      mono_ns now, struct wr *w);

#endif
