/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts without IPv6 (ipv6.disable=1, or no module), and devices on which it is switched off
 * (net.ipv6.conf.DEVICE.disable_ipv6): there the kernel takes no address, no route and, without
 * IPv6 at all, no rule of it. What children have of it is left out then, and their IPv4 lives.
 * Their guards stand for both families: they hold back what there is when IPv6 comes, until the
 * watch has it set up. Pure functions over the list of devices, which says both.
 */
#ifndef XFRM_FAMILY_H
#define XFRM_FAMILY_H

#include "xfrm/iface.h"

/* Is there IPv6 on this host at all? */
bool family_has6(const struct iface_list *all);
/* Has the child anything of IPv6, and the device that its packets go into (`tun`, or one of its
 * own) none? Then without6 is for it. */
bool family_left_out(const struct iface_list *all, const char *tun, const struct host_child *c);
/* Words about the children of whom something is left out (HOST_WHY_MAX bytes); "": of none. */
void family_words(const struct iface_list *all, const char *tun, const struct host_child *v,
		  size_t n, char *words);

#endif
