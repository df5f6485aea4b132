/* SPDX-License-Identifier: Apache-2.0 */
/* A second request beside one that is out: see beside.h. */
#include "ike/beside.h"

#include <stdlib.h>

#include "ike/core.h"
#include "ike/rekey_ike.h"
#include "ike/send.h"

/* Four bytes, of a peer that promises to keep its answers to so many (3.10.1). */
static uint32_t announced(const struct message *m)
{
	struct pl_notify n;
	struct rd r;
	uint32_t window;

	if (!message_notify(m, NOTIFY_SET_WINDOW_SIZE, &n))
		return 0;
	r = rd_from(n.data);
	window = rd_u32(&r);
	return rd_end(&r) ? window : 0;
}

void beside_take_window(struct ike_sa *sa, const struct message *m)
{
	uint32_t window = announced(m);

	if (window < 2)
		return;
	if (!sa->beside)
		sa->beside = calloc(1, sizeof(*sa->beside));
	if (!sa->beside) /* then one at a time has to do */
		return;
	if (sa->beside->window == 0)
		retransmit_idle(&sa->beside->rt);
	if (window > sa->beside->window)
		sa->beside->window = window;
}

bool beside_is_out(const struct ike_sa *sa)
{
	return sa->beside && sa->beside->out;
}

bool beside_may(const struct ike_sa *sa)
{
	const struct window *w = &sa->window;

	return sa->beside && !sa->beside->out && w->asked && w->exchange == X_CREATE_CHILD_SA &&
	       w->next_out - w->asked_id < sa->beside->window && !move_is_asking(sa) &&
	       !rekey_ike_is_under_way(sa) && (sa->state == S_UP || sa->state == S_CLOSING);
}

void beside_send(struct ike_sa *sa, struct packets *sealed)
{
	struct beside *b = sa->beside;

	packets_free(&b->request);
	b->request = *sealed;
	*sealed = (struct packets){ 0 };
	b->out = true;
	b->id = sa->window.next_out++;
	beside_send_anew(sa);
}

void beside_send_anew(struct ike_sa *sa)
{
	if (!beside_is_out(sa))
		return;
	send_packets(sa, &sa->beside->request, &sa->path);
	retransmit_start(&sa->beside->rt, &sa->e->env.random, sa->e->now);
	sa_schedule(sa);
}

bool beside_is(const struct ike_sa *sa, uint32_t id)
{
	return beside_is_out(sa) && sa->beside->id == id;
}

void beside_heard(struct ike_sa *sa)
{
	packets_free(&sa->beside->request);
	retransmit_idle(&sa->beside->rt);
	sa->beside->out = false;
}

mono_ns beside_deadline(const struct ike_sa *sa)
{
	return beside_is_out(sa) ? sa->beside->rt.at : NEVER;
}

bool beside_tick(struct ike_sa *sa)
{
	if (beside_deadline(sa) > sa->e->now)
		return true;
	if (!retransmit_again(&sa->beside->rt, &sa->e->env.random, sa->e->now))
		return false;
	sa->e->stats.retransmissions++;
	send_packets(sa, &sa->beside->request, &sa->path);
	return true;
}

void beside_free(struct beside *b)
{
	if (!b)
		return;
	packets_free(&b->request);
	free(b);
}
