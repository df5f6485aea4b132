/* SPDX-License-Identifier: Apache-2.0 */
/* Path MTU and inner MTU: exact, per suite, so that neither a byte is wasted nor an outer packet is
 * cut. */
#include "esp/mtu.h"

#include "esp/esp.h"
#include "esp/inner.h"

size_t mtu_outer_len(sa_family_t family, bool encap)
{
	return (size_t)(family == AF_INET6 ? IP6_HEAD_LEN : IP4_HEAD_MIN) +
	       (encap ? UDP_HEAD_LEN : 0);
}

uint16_t mtu_inner(const struct shape *s, sa_family_t family, bool encap, uint16_t path_mtu)
{
	size_t outer = mtu_outer_len(family, encap);

	return path_mtu > outer ? (uint16_t)shape_payload_max(s, path_mtu - outer) : 0;
}

uint16_t mtu_transport(const struct shape *s, size_t head_len, bool encap, uint16_t path_mtu)
{
	size_t outer = head_len + (encap ? UDP_HEAD_LEN : 0);
	size_t room = path_mtu > outer ? shape_payload_max(s, path_mtu - outer) : 0;

	return room > 0 ? (uint16_t)(room + head_len) : 0;
}

/* RFC 1191 7.1, with the tunnels of today added. */
static const uint16_t plateaus[] = { 9000, 4352, 2002, 1500, 1492, 1480, 1460,
				     1420, 1400, 1360, 1320, 1280, 1006, 576 };

uint16_t mtu_step_down(sa_family_t family, size_t len)
{
	for (size_t i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++)
		if (plateaus[i] < len)
			return mtu_bounded(family, plateaus[i]);
	return mtu_bounded(family, 0);
}

uint16_t mtu_bounded(sa_family_t family, uint32_t reported)
{
	uint16_t least = family == AF_INET6 ? PATH_MTU_MIN6 : PATH_MTU_MIN4;

	if (reported < least)
		return least;
	return reported > UINT16_MAX ? UINT16_MAX : (uint16_t)reported;
}

uint16_t esp_inner_mtu(const struct sa_desc *sa, uint16_t path_mtu)
{
	struct shape s;

	if (shape_from_desc(sa, &s) != OK)
		return 0;
	if (sa->mode == SA_TRANSPORT)
		return mtu_transport(&s, mtu_outer_len(sa->path.remote.addr.family, false),
				     sa->encap, path_mtu);
	return mtu_inner(&s, sa->path.remote.addr.family, sa->encap, path_mtu);
}
