/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of xfrm/ share: children from text, messages against golden bytes. */
#ifndef TESTS_UNIT_XFRM_KIT_H
#define TESTS_UNIT_XFRM_KIT_H

#include "tests/net/host_child.h"
#include "tests/unit/unit.h"
#include "xfrm/netlink.h"

/* At most 8 texts; they are copied. Fails the test when one is wrong. */
struct children kit_children(const char *const *text, size_t n);

/* The request's type, and its bytes after the netlink header, in hexadecimal. Frees it. */
void kit_expect(struct ask *a, uint16_t type, const char *hex);
/* The same for a request that the caller still needs. */
void kit_compare(const struct ask *a, uint16_t type, const char *hex);

/* A message as the kernel would send it, from a request of ours: for readers. Frees the request. */
struct nlmsghdr *kit_answer(struct ask *a, uint16_t type);

/* A message from its bytes in hexadecimal, in memory of exactly its size. */
struct nlmsghdr *kit_message(const char *hex);
/* ... its first `len` bytes, and it says that it is no longer. */
struct nlmsghdr *kit_cut(const struct nlmsghdr *m, uint32_t len);

#endif
