/* SPDX-License-Identifier: Apache-2.0 */
/* Inbound SPIs: see spi.h. */
#include "ike/spi.h"

static bool slot_used(const struct spi_pool *p, uint32_t slot)
{
	return p->used[slot / 8] & 1u << slot % 8;
}

static enum err take_user(struct spi_pool *p, const struct random *random, uint8_t n_owners,
			  uint32_t *spi)
{
	uint8_t tag;

	if (!random_fill(random, &tag, sizeof(tag)))
		return ERR_CRYPTO;
	for (uint32_t i = 0; i < SPI_SLOTS; i++) {
		uint32_t slot = (p->next + i) % SPI_SLOTS;

		if (slot_used(p, slot))
			continue;
		p->used[slot / 8] |= (uint8_t)(1u << slot % 8);
		p->next = (slot + 1) % SPI_SLOTS;
		p->owner = (uint8_t)((p->owner + 1u) % (n_owners > 0 ? n_owners : 1));
		*spi = spi_user(p->owner, tag, (uint16_t)slot);
		return OK;
	}
	return ERR_LIMIT;
}

static enum err take_kernel(const struct random *random, uint32_t *spi)
{
	uint32_t draw;

	if (!random_fill(random, &draw, sizeof(draw)))
		return ERR_CRYPTO;
	draw &= ~SPI_USER_BIT;
	*spi = draw < 256 ? draw + 256 : draw;
	return OK;
}

enum err spi_take(struct spi_pool *p, const struct random *random, enum sa_plane plane,
		  uint8_t n_owners, uint32_t *spi)
{
	return plane == PLANE_USER ? take_user(p, random, n_owners, spi) : take_kernel(random, spi);
}

enum err spi_claim(struct spi_pool *p, uint32_t spi)
{
	uint32_t slot = spi_slot(spi);

	if (!(spi & SPI_USER_BIT))
		return OK;
	if (slot_used(p, slot))
		return ERR_EXISTS;
	p->used[slot / 8] |= (uint8_t)(1u << slot % 8);
	return OK;
}

void spi_give(struct spi_pool *p, uint32_t spi)
{
	uint32_t slot = spi_slot(spi);

	if (spi & SPI_USER_BIT)
		p->used[slot / 8] &= (uint8_t) ~(1u << slot % 8);
}
