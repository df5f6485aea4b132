/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ike/sa_payload.h"

#include <check.h>
#include <string.h>

static uint8_t buf[8192];

static void put_transforms(struct offer_pen *pen, const struct prop *p)
{
	for (size_t i = 0; i < TR_MAX && p->t[i].type != 0; i++)
		offer_add_transform(pen, p->t[i].type, p->t[i].id, p->t[i].bits);
}

struct span sa_numbered(const struct prop *props, uint8_t first)
{
	static const uint8_t spi[16] = { 0xc0, 1, 2, 3, 4, 5, 6, 7 };
	struct wr w = wr_into(buf, sizeof(buf));

	for (size_t i = 0; i < PROP_MAX && props[i].protocol != 0; i++) {
		struct offer_proposal p = { .number = (uint8_t)(first + i),
					    .protocol = props[i].protocol,
					    .spi = span_of(spi, props[i].spi_len) };
		struct offer_pen pen = offer_begin_proposal(
			&w, &p, i + 1 == PROP_MAX || props[i + 1].protocol == 0);

		put_transforms(&pen, &props[i]);
		offer_end_proposal(&pen);
	}
	if (!wr_ok(&w))
		ck_abort_msg("the SA payload is too long");
	return wr_done(&w);
}

struct span sa_of(const struct prop *props)
{
	return sa_numbered(props, 1);
}

uint8_t *sa_bytes(void)
{
	return buf;
}

struct proposal_want want_of(const char *policy, uint8_t protocol)
{
	bool modern = strcmp(policy, "modern") == 0;

	return (struct proposal_want){
		.policy = modern ? suite_policy_modern() : suite_policy_compatible(),
		.protocol = protocol,
		.esn = true,
	};
}
