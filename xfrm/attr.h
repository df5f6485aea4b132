/* SPDX-License-Identifier: Apache-2.0 */
/* What the messages of XFRM have in common: their attributes, read strictly, addresses, and the
 * names of attributes that are newer than the header of Debian 12.
 */
#ifndef XFRM_ATTR_H
#define XFRM_ATTR_H

#include <linux/xfrm.h>
#include <netlink/attr.h>

#include "base/addr.h"

/* include/uapi/linux/xfrm.h of Linux 6.13. A kernel takes attributes that it does not know in
 * silence: whether it knows one is seen by reading back what was set. */
enum attr_newer {
	ATTR_SA_DIR = 33,  /* u8, ATTR_DIR_IN or _OUT; since 6.10 */
	ATTR_SA_PCPU = 35, /* u32, the CPU that the state belongs to; since 6.13 */
	ATTR_MAX = ATTR_SA_PCPU,
};
enum attr_dir { ATTR_DIR_IN = 1, ATTR_DIR_OUT = 2 };

struct nlmsghdr;

/* The attributes behind `fixed` bytes of header, into tb[0..ATTR_MAX]. False when the header is not
 * all there, an attribute is cut or shorter than its `shape`, or bytes are left over. */
MUST_USE bool attr_parse(const struct nlmsghdr *m, size_t fixed, struct nlattr **tb,
			 const struct nla_policy *shape);
/* Copied, for netlink aligns to four bytes only; `*to` is left as it is when there is none. At
 * least `len` bytes must have been asked for in the shape. */
void attr_copy(const struct nlattr *a, void *to, size_t len);

/* AF_UNSPEC for a family that is neither IPv4 nor IPv6. */
struct addr attr_addr(const xfrm_address_t *a, uint16_t family);
xfrm_address_t attr_xfrm_addr(const struct addr *a); /* unused bytes are zero */

#endif
