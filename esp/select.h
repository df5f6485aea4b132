/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors against packets: whether they fit (RFC 4301 5.1, 5.2), and how narrowly. */
#ifndef ESP_SELECT_H
#define ESP_SELECT_H

#include "esp/sa.h"

/* How narrowly selectors fit a packet; 0: they do not. More is narrower. One side's, and both
 * sides' together, are numbers of different kinds. */
typedef unsigned select_score;

/* The narrowest of n selectors that fits this end of the packet: address `a`, port `port`. */
select_score select_side(const struct ts *v, size_t n, const struct addr *a, const struct flow *f,
			 uint16_t port);
/* Of one selector that fits, in whose range the address lies in a block of that many bits. */
select_score select_fitting(const struct ts *t, unsigned bits, const struct flow *f, uint16_t port);
/* Of both ends. */
select_score select_both(select_score local, select_score remote, const struct flow *f);
/* More than any pair of selectors can have whose addresses have these many bits in common. */
select_score select_bound(unsigned local_bits, unsigned remote_bits);

/* Could a packet of these addresses and this protocol fit, if its ports were known? */
bool select_but_for_ports(const struct ts *t, const struct addr *a, const struct flow *f);

/* May an ICMP error from `src` have come by this SA? `about` is a packet of ours to the peer. */
bool select_inbound_error(const struct sa *sa, const struct addr *src, const struct flow *about);
/* May `f` (as the packet says: src is the peer's side) have come by this SA? */
bool select_inbound(const struct sa *sa, const struct flow *f);

#endif
