/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer's mutator for one message of fuzz_netlink: attributes are left out, doubled, exchanged,
 * called something else, cut and filled, and their lengths are right behind that, the last one's
 * too: so that one which is short of what a reader wants ends where the message does. What has no
 * attributes, and errands, libFuzzer changes as bytes.
 */
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/fuzz/fuzz.h"

/* The names are libFuzzer's. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t len, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t max, unsigned int seed);

enum { ATTRS_MAX = 24, ROOM = 8192, HEAD = 4, ERRANDS = 128 };

struct attr {
	uint16_t type;
	struct span body;
};

struct attrs {
	struct attr v[ATTRS_MAX];
	size_t n;
};

static const struct {
	uint16_t type;
	size_t fixed;
} forms[] = {
	{ XFRM_MSG_NEWSA, sizeof(struct xfrm_usersa_info) },
	{ XFRM_MSG_UPDSA, sizeof(struct xfrm_usersa_info) },
	{ XFRM_MSG_DELSA, sizeof(struct xfrm_usersa_id) },
	{ XFRM_MSG_NEWPOLICY, sizeof(struct xfrm_userpolicy_info) },
	{ XFRM_MSG_DELPOLICY, sizeof(struct xfrm_userpolicy_id) },
	{ XFRM_MSG_ACQUIRE, sizeof(struct xfrm_user_acquire) },
	{ XFRM_MSG_EXPIRE, sizeof(struct xfrm_user_expire) },
	{ XFRM_MSG_MAPPING, sizeof(struct xfrm_user_mapping) },
	{ RTM_NEWROUTE, sizeof(struct rtmsg) },
	{ RTM_DELROUTE, sizeof(struct rtmsg) },
	{ RTM_NEWRULE, sizeof(struct fib_rule_hdr) },
	{ RTM_DELRULE, sizeof(struct fib_rule_hdr) },
	{ RTM_NEWADDR, sizeof(struct ifaddrmsg) },
	{ RTM_NEWLINK, sizeof(struct ifinfomsg) },
	{ RTM_NEWNEXTHOP, sizeof(struct nhmsg) },
};

/* A small generator; libFuzzer's seed is new each time. */
static uint32_t throw_to(uint32_t *dice, size_t n)
{
	*dice = *dice * 1664525u + 1013904223u;
	return n > 0 ? (*dice >> 8) % (uint32_t)n : 0;
}

static size_t fixed_of(uint16_t type)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (forms[i].type == type)
			return forms[i].fixed;
	}
	return SIZE_MAX;
}

/* Lengths and types of attributes are in the host's order. */
static uint16_t take_u16(struct rd *r)
{
	uint16_t v = 0;

	rd_copy(r, &v, sizeof(v));
	return v;
}

static void take_apart(struct rd *r, struct attrs *as)
{
	as->n = 0;
	while (rd_left(r) >= NLA_HDRLEN && as->n < ATTRS_MAX) {
		size_t len = take_u16(r);
		struct attr *a = &as->v[as->n++];

		a->type = take_u16(r);
		len = len < NLA_HDRLEN ? 0 : len - NLA_HDRLEN;
		a->body = rd_take(r, len < rd_left(r) ? len : rd_left(r));
		len = NLA_ALIGN(len) - len;
		rd_skip(r, len < rd_left(r) ? len : rd_left(r));
	}
}

static void put_together(struct wr *w, const struct attrs *as)
{
	for (size_t i = 0; i < as->n; i++) {
		const struct attr *a = &as->v[i];
		uint16_t len = (uint16_t)(NLA_HDRLEN + a->body.len);

		wr_span(w, span_of(&len, sizeof(len)));
		wr_span(w, span_of(&a->type, sizeof(a->type)));
		wr_span(w, a->body);
		wr_zero(w, NLA_ALIGN(a->body.len) - a->body.len);
	}
}

static void change_body(struct attr *a, uint32_t *dice)
{
	static uint8_t room[ROOM];
	size_t len = a->body.len < ROOM / 2 ? a->body.len : ROOM / 2;

	if (len > 0)
		memcpy(room, a->body.p, len);
	if (len == 0 || throw_to(dice, 3) > 0)
		len = LLVMFuzzerMutate(room, len, ROOM / 2);
	else
		len = throw_to(dice, len);
	a->body = span_of(room, len);
}

static void change(struct attrs *as, uint32_t *dice)
{
	size_t at = throw_to(dice, as->n), with = throw_to(dice, as->n);
	struct attr a = as->v[at];

	switch (throw_to(dice, 7)) {
	case 0:
		memmove(&as->v[at], &as->v[at + 1], (as->n - at - 1) * sizeof(as->v[0]));
		as->n--;
		break;
	case 1:
		if (as->n < ATTRS_MAX)
			as->v[as->n++] = a;
		break;
	case 2:
		as->v[at] = as->v[with];
		as->v[with] = a;
		break;
	case 3:
		as->v[at].type = (uint16_t)throw_to(dice, 64);
		break;
	default:
		change_body(&as->v[at], dice);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t max, unsigned int seed)
{
	static uint8_t was[ROOM];
	struct rd r = rd_from(span_of(was, len));
	struct wr w = wr_into(bytes, max);
	uint32_t dice = seed;
	struct attrs as;
	uint16_t type;
	size_t fixed;

	if (len < HEAD || len > sizeof(was) || bytes[0] >= ERRANDS || throw_to(&dice, 6) == 0)
		return LLVMFuzzerMutate(bytes, len, max);
	memcpy(was, bytes, len);
	rd_skip(&r, 1);
	type = rd_u16(&r);
	fixed = fixed_of(type);
	if (fixed > len - HEAD)
		return LLVMFuzzerMutate(bytes, len, max);
	rd_skip(&r, 1 + fixed);
	take_apart(&r, &as);
	if (as.n == 0)
		return LLVMFuzzerMutate(bytes, len, max);
	change(&as, &dice);
	wr_span(&w, span_of(was, HEAD + fixed));
	put_together(&w, &as);
	if (wr_ok(&w))
		return wr_len(&w);
	memcpy(bytes, was, len);
	return LLVMFuzzerMutate(bytes, len, max);
}
