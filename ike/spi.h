/* SPDX-License-Identifier: Apache-2.0 */
/* Inbound SPIs of Child SAs. In the userspace plane an SPI is an array index and names a worker, so
 * slots are given out here, each once at a time; the next one handed out is the one that has been
 * free longest in turn, so that a packet of an SA that is gone does not meet its successor.
 */
#ifndef IKE_SPI_H
#define IKE_SPI_H

#include "base/sadesc.h"
#include "crypto/random.h"

struct spi_pool {
	uint8_t used[SPI_SLOTS / 8]; /* bit: slot is taken */
	uint32_t next;		     /* slot to try first */
	uint8_t owner;		     /* worker to name next */
};

/* ERR_LIMIT: no slot is free; ERR_CRYPTO: no randomness. Owners take turns. Kernel-plane SPIs come
 * from random alone: 31 bits, at least 256. */
MUST_USE enum err spi_take(struct spi_pool *p, const struct random *random, enum sa_plane plane,
			   uint8_t n_owners, uint32_t *spi);
/* This one is in use. ERR_EXISTS: it was already. */
MUST_USE enum err spi_claim(struct spi_pool *p, uint32_t spi);
void spi_give(struct spi_pool *p, uint32_t spi);

#endif
