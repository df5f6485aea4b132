/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of esp/ share: SA descriptions, inner packets, and a gateway on socketpairs. */
#ifndef TESTS_UNIT_ESP_KIT_H
#define TESTS_UNIT_ESP_KIT_H

#include "base/sadesc.h"
#include "esp/esp.h"
#include "esp/inner.h"

/* The suites of both policies; then of all other kinds some. */
struct kit_suite {
	const char *name;
	uint16_t encr_id;
	uint16_t encr_key_bits;
	uint16_t integ_id;
	uint8_t encr_key_len; /* salt included */
	uint8_t integ_key_len;
};

enum { KIT_SUITES = 20 };
extern const struct kit_suite kit_suites[KIT_SUITES];

/* Selectors with one entry each live in the kit itself; the description borrows them. */
struct kit_sa {
	struct sa_desc d;
	struct ts local;
	struct ts remote;
};

struct ts kit_ts(const char *net);
struct addr kit_addr(const char *text);
struct endpoint kit_endpoint(const char *addr, uint16_t port);
/* A tunnel 10.1.0.0/16 === 10.2.0.0/16 (with "6" in `inner`: 2001:db8:1::/48 === 2001:db8:2::/48)
 * from the left gateway: 192.0.2.1 to 192.0.2.2, ports 4500. Keys are 1, 2, 3... The in and out
 * description of one SPI fit together. */
void kit_sa_make(struct kit_sa *k, const struct kit_suite *s, enum sa_dir dir, uint32_t spi);
/* The SA becomes one of transport mode, between these two hosts and all that they say. */
void kit_sa_join(struct kit_sa *k, const char *local, const char *remote);
/* Left and right change places: what the other gateway installs. */
void kit_sa_mirror(struct kit_sa *k);

/* An inner UDP packet of exactly `len` bytes, addresses as text of either family; gives the span in
 * buf. */
struct span kit_udp(uint8_t *buf, size_t len, const char *src, const char *dst);
/* The sum of the pseudo header and what is behind the IP header: 0 when the checksum in there is
 * right. */
uint16_t kit_upper_sum(struct span p, uint8_t proto, const struct addr *src,
		       const struct addr *dst);
/* Recomputes the checksum of an IPv4 header. */
void kit_fix_v4(uint8_t *p);
bool kit_v4_sum_ok(struct span p);

/* A packet that must be whole. */
struct inner kit_parsed(struct span p);

#endif
