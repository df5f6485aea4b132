/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and sending: see send.h. */
#include "ike/send.h"

#include "ike/beside.h"
#include "ike/connection.h"

struct builder send_begin(struct ike_engine *e)
{
	return builder_inner(e->built, SCRATCH_LEN);
}

struct ike_header send_header(const struct ike_sa *sa, uint8_t exchange, bool response, uint32_t id)
{
	return (struct ike_header){
		.spi_i = sa->spi_i,
		.spi_r = sa->spi_r,
		.version = IKE_VERSION,
		.exchange = exchange,
		.flags = (uint8_t)((sa->initiator ? FLAG_INITIATOR : 0) |
				   (response ? FLAG_RESPONSE : 0)),
		.message_id = id,
	};
}

/* Longest datagram before we cut it up (RFC 7383 2.5.1); 0: no cutting. */
static size_t fragment_limit(const struct ike_sa *sa)
{
	uint16_t packet = sa->conn ? sa->conn->conf->fragment_size : 1280;

	if (!sa->fragmentation || packet == 0)
		return 0;
	return protect_room(packet, sa->path.remote.addr.family, sa->path.local.port != PORT_IKE);
}

/* The IV counter moves on even when sealing fails half way: numbers are plenty, and reuse is fatal.
 */
static enum err seal_chain(struct ike_sa *sa, const struct ike_header *h, struct builder *b,
			   struct packets *out)
{
	struct sk_keys keys = sa_keys_out(sa);
	struct wr w = wr_into(sa->e->sealed, SCRATCH_LEN);
	struct inner in;
	enum err err;

	err = builder_finish_inner(b, &in);
	if (err == OK) {
		err = protect_seal_fragments(&keys, h, &in, fragment_limit(sa), &w);
		secret_wipe(sa->e->built, in.chain.len);
	}
	sa->next_iv = keys.next_iv;
	sk_keys_wipe(&keys);
	return err == OK ? packets_set(out, wr_done(&w)) : err;
}

void send_packets(struct ike_sa *sa, const struct packets *p, const struct path *path)
{
	struct rd r = rd_from(packets_span(p));
	struct span datagram;

	while (header_split(&r, &datagram))
		actions_send(&sa->e->actions, path, datagram);
	sa->sent = sa->e->now;
}

void send_answer_again(struct ike_sa *sa, const struct path *p)
{
	send_packets(sa, &sa->window.answer, mobike_answer_path(sa, p));
}

enum err send_answer(struct ike_sa *sa, uint8_t exchange, struct builder *b, const struct path *p)
{
	struct ike_header h = send_header(sa, exchange, true, sa->window.next_in);
	struct packets out = { 0 };
	enum err err = seal_chain(sa, &h, b, &out);

	if (err != OK)
		return err;
	window_answered(&sa->window, &out);
	send_answer_again(sa, p);
	return OK;
}

enum err send_request(struct ike_sa *sa, uint8_t exchange, struct builder *b)
{
	struct ike_header h = send_header(sa, exchange, false, sa->window.next_out);
	struct packets out = { 0 };
	struct path path;
	enum err err;

	if (sa->window.asked && (exchange != X_INFORMATIONAL || !beside_may(sa)))
		return ERR_BUSY;
	err = seal_chain(sa, &h, b, &out);
	if (err != OK)
		return err;
	if (sa->window.asked) {
		beside_send(sa, &out);
		return OK;
	}
	window_asked(&sa->window, &out);
	sa->window.exchange = exchange;
	path = move_path(sa);
	send_packets(sa, &sa->window.request, &path);
	retransmit_start(&sa->rt, &sa->e->env.random, sa->e->now);
	standby_asked(sa);
	sa_schedule(sa);
	return OK;
}

void send_request_elsewhere(struct ike_sa *sa)
{
	if (sa->window.asked)
		send_packets(sa, &sa->window.request, &sa->path);
}

void send_request_anew(struct ike_sa *sa)
{
	send_request_elsewhere(sa);
	if (sa->window.asked)
		retransmit_start(&sa->rt, &sa->e->env.random, sa->e->now);
	beside_send_anew(sa);
}

void send_clear(struct ike_engine *e, const struct path *p, const struct ike_header *h,
		const struct pl_notify *notifies, size_t n)
{
	struct ike_header answer = *h;
	struct builder b;
	struct span datagram;

	answer.version = IKE_VERSION;
	answer.flags = FLAG_RESPONSE | (header_from_initiator(h) ? 0 : FLAG_INITIATOR);
	b = builder_message(e->built, SCRATCH_LEN, &answer);
	for (size_t i = 0; i < n; i++)
		builder_notify_full(&b, &notifies[i]);
	if (builder_finish(&b, &datagram) == OK)
		actions_send(&e->actions, p, datagram);
}

void send_clear_always(struct ike_engine *e, const struct path *p, const struct ike_header *h,
		       uint16_t type, struct span notify_data)
{
	struct pl_notify n = { .type = type, .data = notify_data };

	send_clear(e, p, h, &n, 1);
}

void send_clear_notify(struct ike_engine *e, const struct path *p, const struct ike_header *h,
		       uint16_t type, struct span notify_data)
{
	if (limits_answer(&e->limits, e->now))
		send_clear_always(e, p, h, type, notify_data);
}
