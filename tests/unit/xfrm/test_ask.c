/* SPDX-License-Identifier: Apache-2.0 */
/* The first half of xfrm/netlink.h. */
#include <linux/xfrm.h>
#include <netlink/msg.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/netlink.h"

/* A second reference keeps the memory, so that one can look at what was left in it. */
START_TEST(a_freed_request_leaves_no_key_behind)
{
	static const char key[] = "a key of thirty-two bytes, or so";
	struct ask a = ask_new(XFRM_MSG_NEWSA, 0);
	struct nl_msg *msg = a.msg;
	struct nlmsghdr *m = nlmsg_hdr(msg);
	const uint8_t *p = (const uint8_t *)m;
	size_t len;

	ask_header(&a, key, sizeof(key));
	ask_bytes(&a, XFRMA_ALG_AEAD, key, sizeof(key));
	len = m->nlmsg_len;
	nlmsg_get(msg);
	ck_assert_ptr_nonnull(memmem(p, len, key, sizeof(key)));
	ask_free(&a);
	for (size_t i = 0; i < len; i++)
		ck_assert_uint_eq(p[i], 0);
	nlmsg_free(msg);
}
END_TEST

/* What does not fit breaks the request for good. */
START_TEST(a_request_that_is_broken_stays_so)
{
	static const uint8_t big[UINT16_MAX];
	struct ask a = ask_new(XFRM_MSG_NEWSA, 0);

	ask_u32(&a, XFRMA_IF_ID, 1);
	ck_assert_uint_gt(ask_span(&a).len, 0);
	ask_bytes(&a, XFRMA_ALG_AEAD, big, sizeof(big));
	ask_u32(&a, XFRMA_IF_ID, 1);
	ck_assert_uint_eq(ask_span(&a).len, 0);
	ask_free(&a);
	ask_free(&a);
}
END_TEST

UNIT("xfrm/ask")
{
	tcase_add_test(tc, a_freed_request_leaves_no_key_behind);
	tcase_add_test(tc, a_request_that_is_broken_stays_so);
}
