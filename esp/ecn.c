/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 6040: the outer header starts with the inner packet's ECN field (normal mode; IKEv2 tunnels
 * need no compatibility mode, section 4.3), and a mark that the path set comes out on the inner
 * packet, or drops it when it cannot understand marks.
 */
#include "esp/ecn.h"

#include "esp/checksum.h"
#include "esp/inner.h"

enum { DROP = 0xff };

uint8_t ecn_encapsulate(uint8_t inner_tos)
{
	return inner_tos;
}

/* Figure 4, rows and columns in the order of the codepoints: Not-ECT, ECT(1), ECT(0), CE. */
static const uint8_t figure4[4][4] = {
	[ECN_NOT_ECT] = { ECN_NOT_ECT, ECN_NOT_ECT, ECN_NOT_ECT, DROP },
	[ECN_ECT1] = { ECN_ECT1, ECN_ECT1, ECN_ECT1, ECN_CE },
	[ECN_ECT0] = { ECN_ECT0, ECN_ECT1, ECN_ECT0, ECN_CE },
	[ECN_CE] = { ECN_CE, ECN_CE, ECN_CE, ECN_CE },
};

bool ecn_decapsulate(uint8_t inner, uint8_t outer, uint8_t *onward)
{
	*onward = figure4[inner & ECN_MASK][outer & ECN_MASK];
	return *onward != DROP;
}

uint8_t ecn_outer(const struct sa_headers *h, uint8_t inner_tos)
{
	uint8_t tos = ecn_encapsulate(inner_tos);

	if (h->dscp_hide)
		tos &= ECN_MASK;
	if (h->ecn_off)
		tos &= (uint8_t)~ECN_MASK;
	return tos;
}

static void write_v4(uint8_t *p, uint8_t tos)
{
	struct wr w = wr_into(p, IP4_HEAD_MIN);
	struct rd r = rd_from(span_of(p, IP4_HEAD_MIN));
	uint16_t was = rd_u16(&r), is = (uint16_t)((was & 0xff00) | tos);
	uint16_t sum;

	rd_skip(&r, 8);
	sum = checksum_update(rd_u16(&r), was, is);
	wr_u16(&w, is);
	(void)wr_take(&w, 8);
	wr_u16(&w, sum);
}

static uint8_t read_tos(const uint8_t *p, uint8_t version)
{
	return version == 4 ? p[1] : (uint8_t)(p[0] << 4 | p[1] >> 4);
}

static void write_tos(uint8_t *p, uint8_t version, uint8_t tos)
{
	if (version == 4) {
		write_v4(p, tos);
		return;
	}
	p[0] = (uint8_t)((p[0] & 0xf0) | tos >> 4);
	p[1] = (uint8_t)((p[1] & 0x0f) | tos << 4);
}

void ecn_adopt_dscp(uint8_t *p, uint8_t version, uint8_t outer_tos)
{
	uint8_t ecn = read_tos(p, version) & ECN_MASK;

	write_tos(p, version, (uint8_t)((outer_tos & ~ECN_MASK) | ecn));
}

bool ecn_apply(uint8_t *p, uint8_t version, uint8_t outer_tos)
{
	uint8_t inner = read_tos(p, version), onward;

	if (!ecn_decapsulate(inner, outer_tos, &onward))
		return false;
	if (onward != (inner & ECN_MASK))
		write_tos(p, version, (uint8_t)((inner & ~ECN_MASK) | onward));
	return true;
}
