/* SPDX-License-Identifier: Apache-2.0 */
/* Messages with the keys of an end's own IKE SA: see insider.h. It looks into the engine, which no
 * other part of the simulator does. */
#include "tests/sim/insider.h"

#include <stdlib.h>

#include "ike/core.h"
#include "ike/keep.h"
#include "ike/protect.h"
#include "ike/send.h"

enum { MESSAGE_ROOM = 4096 };

struct ike_sa *insider_sa(const struct sim *s, enum side side)
{
	struct ike_engine *e = s->end[side].e;
	struct table_node *n = NULL;

	while (e && (n = table_next(&e->by_spi, n))) {
		struct ike_sa *sa = container_of(n, struct ike_sa, by_spi);

		if (sa->keys.ei.len == 0 || sa->state == S_CLOSING)
			continue;
		keep_touch_sa(sa); /* whoever asks may change it */
		return sa;
	}
	return NULL;
}

bool insider_seal(struct sim *s, enum side side, const struct insider_message *m, struct wr *w)
{
	struct ike_sa *sa = insider_sa(s, side);
	struct sk_keys keys;
	struct ike_header h;
	enum err err;

	if (!sa)
		return false;
	h = send_header(sa, m->exchange, m->response, m->id);
	keys = sa_keys_out(sa);
	err = protect_seal(&keys, &h, &m->in, w);
	/* The engine goes on behind ours: no IV is used twice. */
	sa->next_iv = keys.next_iv;
	sk_keys_wipe(&keys);
	return err == OK;
}

static void deliver(struct sim *s, enum side from, struct span datagram, bool in_vain)
{
	enum side to = from == LEFT ? RIGHT : LEFT;
	const struct ike_sa *sa = insider_sa(s, to);
	struct path path;

	if (!sa)
		return;
	path = sa->path;
	if (in_vain)
		net_inject(s, (struct inject){ to, REPLAYED }, &path, datagram);
	else
		end_datagram(&s->end[to], &path, datagram);
}

void insider_send(struct sim *s, enum side side, const struct insider_message *m, bool in_vain)
{
	uint8_t bytes[MESSAGE_ROOM];
	struct wr w = wr_into(bytes, sizeof(bytes));

	if (insider_seal(s, side, m, &w))
		deliver(s, side, wr_done(&w), in_vain);
}

void insider_ask(struct sim *s, enum side side, uint8_t exchange, const struct inner *in)
{
	struct ike_sa *sa = insider_sa(s, side);
	struct insider_message m = { .exchange = exchange, .in = *in };

	if (!sa)
		return;
	m.id = sa->window.next_out++;
	insider_send(s, side, &m, false);
}

bool insider_open(struct sim *s, enum side side, struct span datagram, struct wr *buf,
		  struct inner *in)
{
	struct ike_sa *sa = insider_sa(s, side);
	struct message m;
	struct sk_keys keys;
	bool good;

	if (!sa || message_decode(datagram, &m) != OK)
		return false;
	keys = sa_keys_in(sa);
	good = protect_open(&keys, &m, buf, in) == OK;
	sk_keys_wipe(&keys);
	return good;
}
