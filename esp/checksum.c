/* SPDX-License-Identifier: Apache-2.0 */
/* One's complement sums. A checksum that was wrong stays wrong over an update: corruption is not
 * laundered here. */
#include "esp/checksum.h"

uint32_t checksum_add(uint32_t sum, struct span s)
{
	struct rd r = rd_from(s);

	while (rd_left(&r) >= 2)
		sum += rd_u16(&r);
	if (rd_left(&r) > 0)
		sum += (uint32_t)rd_u8(&r) << 8;
	return sum;
}

uint16_t checksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). */
uint16_t checksum_update(uint16_t checksum, uint16_t was, uint16_t is)
{
	return checksum_fold((uint32_t)(uint16_t)~checksum + (uint16_t)~was + is);
}
