/* SPDX-License-Identifier: Apache-2.0 */
/* What states say of headers: DSCP, congestion marks, ICMP errors. */
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/state.h"

static struct sa_desc described(enum sa_dir dir)
{
	struct sa_desc d = {
		.dir = dir,
		.mode = SA_TUNNEL,
		.plane = PLANE_KERNEL,
		.spi = 0x1003,
		.reqid = 0x50000007,
		.encr_id = 20,
		.encr_key_bits = 256,
		.encr_key = { .len = 36 },
	};

	ck_assert(addr_parse("198.51.100.2", &d.path.local.addr));
	ck_assert(addr_parse("198.51.100.3", &d.path.remote.addr));
	return d;
}

/* Kernels with directions refuse a flag that is of the other one. */
START_TEST(headers_are_made_as_configured)
{
	static const struct {
		struct sa_headers h;
		uint8_t in, out;
		bool extra; /* XFRM_SA_XFLAG_DONT_ENCAP_DSCP outbound */
	} cases[] = {
		{ { 0 }, 0, 0, false },
		{ { .icmp_errors = true }, XFRM_STATE_ICMP, 0, false },
		{ { .ecn_off = true }, XFRM_STATE_NOECN, XFRM_STATE_NOECN, false },
		{ { .dscp_adopt = true }, XFRM_STATE_DECAP_DSCP, 0, false },
		{ { .dscp_hide = true }, 0, 0, true },
	};
	const uint8_t all = XFRM_STATE_ICMP | XFRM_STATE_NOECN | XFRM_STATE_DECAP_DSCP;

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct sa_desc d = described(i & 1 ? SA_IN : SA_OUT);
		struct xfrm_usersa_info u;
		struct nlmsghdr *m;
		struct ask a;

		d.headers = cases[i / 2].h;
		a = state_ask_add(&d, &(struct state_extra){ .sa_dir = true });
		m = kit_answer(&a, XFRM_MSG_NEWSA);
		memcpy(&u, nlmsg_data(m), sizeof(u));
		ck_assert_uint_eq(u.flags & all, i & 1 ? cases[i / 2].in : cases[i / 2].out);
		ck_assert_int_eq(nlmsg_find_attr(m, sizeof(u), XFRMA_SA_EXTRA_FLAGS) != NULL,
				 !(i & 1) && cases[i / 2].extra);
		free(m);
	}
}
END_TEST

/* Transport mode has one header. */
START_TEST(transport_mode_leaves_headers_alone)
{
	struct sa_desc d = described(SA_IN);
	struct xfrm_usersa_info u;
	struct nlmsghdr *m;
	struct ask a;

	d.mode = SA_TRANSPORT;
	d.headers = (struct sa_headers){ true, true, true, true, true, 9 };
	a = state_ask_add(&d, &(struct state_extra){ .sa_dir = true });
	m = kit_answer(&a, XFRM_MSG_NEWSA);
	memcpy(&u, nlmsg_data(m), sizeof(u));
	ck_assert_uint_eq(u.flags, 0);
	free(m);
}
END_TEST

UNIT("xfrm/state-headers")
{
	tcase_add_test(tc, headers_are_made_as_configured);
	tcase_add_test(tc, transport_mode_leaves_headers_alone);
}
