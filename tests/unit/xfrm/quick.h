/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel that does whatever it is asked for, in the same time however much there is: for tests of
 * how long we ourselves take. It keeps what was put in, so that it can be dumped, and forgets
 * nothing.
 */
#ifndef TESTS_UNIT_XFRM_QUICK_H
#define TESTS_UNIT_XFRM_QUICK_H

#include "xfrm/netlink.h"

enum { QUICK_BODY = 400 };

struct quick_body {
	size_t len;
	unsigned char p[QUICK_BODY];
};

struct quick_table {
	struct quick_body *v;
	size_t n;
	size_t size;
};

struct quick {
	struct quick_table states;
	struct quick_table policies;
	struct nlmsghdr req; /* what is being answered */
	const struct quick_body *one;
	const struct quick_table *dump;
	size_t at;
	bool answered;
	size_t asked;
};

void quick_free(struct quick *q);	   /* what it holds; takes a zeroed one */
extern const struct netlink_ops quick_ops; /* its context is a struct quick */

#endif
