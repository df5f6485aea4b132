/* SPDX-License-Identifier: Apache-2.0 */
/* Children for tests, written LOCAL>REMOTE with lists of selectors:
 *
 *	10.1.0.0/24,2001:db8:1::/64>10.2.0.0-10.2.0.9@tcp=80-90,2001:db8:2::/64@icmp6
 *
 * Behind it "+kernel" says that the kernel carries it, and "%ipsec0" that it has that device, with
 * the addresses behind "%" each:
 *
 *	0.0.0.0/0>0.0.0.0/0+kernel%ipsec0%10.255.0.1/30
 */
#ifndef TESTS_NET_HOST_CHILD_H
#define TESTS_NET_HOST_CHILD_H

#include "xfrm/host.h"

struct children {
	struct host_child *v;
	size_t n;
};

/* The texts are changed. False when one of them is wrong. children_free in any case. */
bool children_parse(struct children *c, char **text, size_t n);
void children_free(struct children *c);

#endif
