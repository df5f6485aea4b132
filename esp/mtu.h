/* SPDX-License-Identifier: Apache-2.0 */
/* What of a path is left for inner packets, by the suite's true overhead. */
#ifndef ESP_MTU_H
#define ESP_MTU_H

#include "esp/packet.h"

/* 552: down to there Linux believes an ICMP message, true or forged (net.ipv4.route.min_pmtu), and
 * then refuses what is longer. */
enum { PATH_MTU_DEFAULT = 1500, PATH_MTU_MIN4 = 552, PATH_MTU_MIN6 = 1280, UDP_HEAD_LEN = 8 };

/* Bytes before the ESP packet: the outer IP header, and UDP's. */
size_t mtu_outer_len(sa_family_t family, bool encap);
uint16_t mtu_inner(const struct shape *s, sa_family_t family, bool encap, uint16_t path_mtu);
/* The same in transport mode, for a packet whose own header, the one that goes outside, has
 * `head_len` bytes. */
uint16_t mtu_transport(const struct shape *s, size_t head_len, bool encap, uint16_t path_mtu);
/* What the path surely does not carry when a packet of `len` bytes did not pass: the next plateau
 * below (RFC 1191 7). */
uint16_t mtu_step_down(sa_family_t family, size_t len);
/* A path MTU that somebody reported, kept within what the Internet must carry. A forged ICMP gets
 * no lower (RFC 4301 8.2). */
uint16_t mtu_bounded(sa_family_t family, uint32_t reported);

#endif
