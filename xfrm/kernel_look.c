/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that go out while none come in (PLANE_SILENT). The kernel says nothing of that, so
 * counters of a few halves are read and compared with those of the last time: once a second, and
 * every 150 ms where another peer may take over. One request for a child that sends nothing, two
 * for one that does. */
#include "xfrm/kernel_inner.h"

static const uint64_t silence_ns = 1000000000u;
static const uint64_t silence_ranked_ns = 300000000u;
static const uint64_t pause_ranked_ns = 150000000u;
enum { LOOKS_MAX = 64 }; /* of one call; with more children each is looked at less often */

/* Has its counter moved since the last look? False too when it could not be read. */
static bool has_moved(struct kernel *k, struct kernel_half *half, uint64_t now)
{
	char unused[HOST_WHY_MAX];
	struct state_info s;

	if (show_state(k, &half->d, &s, unused) != OK || s.packets == half->looked_packets)
		return false;
	half->looked_packets = s.packets;
	half->packets = s.packets;
	half->last_ns = now;
	return true;
}

static struct kernel_half *twin_of(struct kernel *k, const struct kernel_half *half)
{
	const struct sa_desc twin = { .dir = SA_IN,
				      .spi = half->d.twin_spi,
				      .child_id = half->d.child_id,
				      .reqid = half->d.reqid };

	return half->d.twin_spi == 0 ? NULL : book_find(k, &twin);
}

/* Did it send at an earlier look and at this one, that far apart, and nothing came in between? */
static bool is_silent(struct kernel *k, struct kernel_half *half, uint64_t now)
{
	struct kernel_half *twin;
	uint64_t since = half->sent_ns;

	if (!has_moved(k, half, now))
		return false;
	twin = twin_of(k, half);
	if (twin == NULL || has_moved(k, twin, now)) {
		half->sent_ns = 0;
		return false;
	}
	if (since > 0 && now - since < (half->d.priority > 0 ? silence_ranked_ns : silence_ns))
		return false;
	half->sent_ns = now;
	return since > 0;
}

static void tell(struct kernel *k, const struct kernel_half *half, kernel_event_fn *fn, void *ctx)
{
	const struct kernel_half *twin = twin_of(k, half);
	const struct sa_desc *d = &half->d;
	const struct plane_event ev = { .kind = PLANE_SILENT,
					.spi = d->spi,
					.dir = SA_OUT,
					.reqid = d->reqid,
					.remote = d->path.remote,
					.heard_ns = twin != NULL ? twin->last_ns : 0 };

	fn(ctx, &ev);
}

static void look(struct kernel *k, bool ranked, uint64_t now_ns, kernel_event_fn *fn, void *ctx)
{
	size_t *from = &k->look_from[ranked];
	size_t at = 0, looked = 0;

	for (struct kernel_half *half = k->halves.newest; half != NULL; half = half->older) {
		if (half->d.dir != SA_OUT || (half->d.priority > 0) != ranked || at++ < *from)
			continue;
		if (looked == LOOKS_MAX) {
			*from += looked;
			return;
		}
		looked++;
		if (is_silent(k, half, now_ns))
			tell(k, half, fn, ctx);
	}
	*from = 0;
}

void kernel_look(struct kernel *k, uint64_t now_ns, kernel_event_fn *fn, void *ctx)
{
	if (k->halves.n_ranked > 0)
		look(k, true, now_ns, fn, ctx);
	if (now_ns - k->looked_ns < silence_ns)
		return;
	k->looked_ns = now_ns;
	early_expire(&k->early, now_ns);
	look(k, false, now_ns, fn, ctx);
}

uint64_t kernel_look_pause(const struct kernel *k)
{
	return k->halves.n_ranked > 0 ? pause_ranked_ns : silence_ns;
}
