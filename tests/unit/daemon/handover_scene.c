/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/daemon/handover_scene.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static bool number(void *ctx, const struct handover_place *p)
{
	int *next = ctx;

	*p->fd = (*next)++;
	return true;
}

void handover_filled(struct handover *h)
{
	int next = FIRST_FD;

	handover_blank(h);
	memcpy(h->version, "0.9", 4);
	h->sockets.n_workers = WORKERS;
	memcpy(h->tun_name, "postern0", 9);
	h->n_devices = DEVICES;
	h->devices = calloc(DEVICES, sizeof *h->devices);
	ck_assert_ptr_nonnull(h->devices);
	memcpy(h->devices[0].name, "tun-a", 6);
	memcpy(h->devices[1].name, "tun-b", 6);
	h->devices[0].if_id = 7;
	h->devices[1].if_id = 8;
	h->watchdog = 12345;
	h->left_at = 67890;
	memset(h->mark_key, 0xa5, sizeof h->mark_key);
	h->caps = (struct plane_caps){ .v4 = true, .encap = true, .n_integ = 1, .integ = { 12 } };
	memcpy(h->caps.lacks, "nothing", 8);
	ck_assert(handover_each(h, number, &next));
}
