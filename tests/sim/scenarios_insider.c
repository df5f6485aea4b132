/* SPDX-License-Identifier: Apache-2.0 */
/* A peer with the keys that does not keep to the protocol: every exchange in every state. Before it
 * has proved itself nothing it sends has an effect but IKE_AUTH (CVE-2014-2338); afterwards a
 * request that we understand is answered, and the SA stays. */
#include "ike/core.h"
#include "tests/sim/confs.h"
#include "tests/sim/insider.h"

static const struct sim_conf psk = SITE(PSK MANUAL, PSK MANUAL);
static const struct sim_conf lively =
	SITE(PSK MANUAL " liveness = 5s\n", PSK MANUAL " liveness = 5s\n");

static const uint8_t exchanges[] = { X_CREATE_CHILD_SA,
				     X_INFORMATIONAL,
				     X_IKE_SESSION_RESUME,
				     X_IKE_INTERMEDIATE,
				     X_IKE_SA_INIT,
				     33,
				     99,
				     250 };

/* The answers of the other end, as they go by. */
struct answers {
	enum side to;
	uint32_t n;
	uint16_t notify; /* of the last one; 0: none */
	uint8_t exchange;
};

static bool read_answers(struct sim *s, struct sim_packet *p, void *ctx)
{
	struct answers *a = ctx;
	uint8_t plain[2048];
	struct wr w = wr_into(plain, sizeof(plain));
	struct ike_header h;
	struct message m;
	struct pl_notify n = { .type = 0 };
	struct inner in;

	if (p->from == a->to || header_decode(span_of(p->bytes, p->len), &h) != OK ||
	    !header_is_response(&h) ||
	    !insider_open(s, a->to, span_of(p->bytes, p->len), &w, &in) ||
	    message_decode_inner(&h, &in, &m) != OK)
		return true;
	a->n++;
	a->exchange = h.exchange;
	a->notify = message_error(&m, &n) ? n.type : 0;
	return true;
}

/* Something plausible to put inside. */
static struct inner contents(struct sim *s, uint8_t *buf, size_t size, bool may_end_it)
{
	struct builder b = builder_inner(buf, size);
	uint32_t spi = sim_draw(s, 256, UINT32_MAX);
	struct inner in = { .first = PL_NONE };

	switch (sim_draw(s, 0, may_end_it ? 4 : 3)) {
	case 0:
		break;
	case 1:
		builder_notify(&b, (uint16_t)sim_draw(s, NOTIFY_STATUS_FIRST, 40960), SPAN_EMPTY);
		break;
	case 2:
		pl_delete_encode(builder_begin(&b, PL_DELETE), PROTO_ESP, &spi, 1);
		builder_end(&b);
		break;
	case 3:
		builder_add(&b, PL_VENDOR, span_str("a peer of its own kind"));
		break;
	case 4:
		pl_delete_encode(builder_begin(&b, PL_DELETE), PROTO_IKE, NULL, 0);
		builder_end(&b);
		break;
	}
	sim_must(s, builder_finish_inner(&b, &in) == OK, "the message cannot be made");
	return in;
}

/* Any exchange but IKE_AUTH, in the middle of the handshake, from either end. */
static void before_auth(struct sim *s)
{
	uint8_t buf[256];

	sim_up(s, LEFT, "site");
	while (!insider_sa(s, LEFT) && !s->failed)
		sim_run_ms(s, 1);
	for (int i = 0; i < 40 && !s->failed; i++) {
		struct insider_message m = {
			.exchange = exchanges[sim_draw(s, 0, sizeof(exchanges) - 1)],
			.response = sim_draw(s, 0, 1),
			.id = sim_draw(s, 0, 2),
			.in = contents(s, buf, sizeof(buf), true),
		};
		struct ike_sa *left = insider_sa(s, LEFT), *right = insider_sa(s, RIGHT);

		if (!left || left->state == S_UP || (right && right->state == S_UP))
			break;
		insider_send(s, LEFT, &m, true);
		insider_send(s, RIGHT, &m, true);
		sim_run_ms(s, sim_draw(s, 0, 3));
	}
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CONNECTING) == 1, "a second attempt was needed");
}

static void must_stay(struct sim *s, const struct answers *a, uint64_t digest)
{
	sim_must(s, check_digest(&s->end[1 - a->to]) == digest, "the SA did not stay as it was");
}

/* IKE_SA_INIT is left out: it is never protected. */
static const uint8_t in_window[] = {
	X_CREATE_CHILD_SA,
	X_INFORMATIONAL,
	X_IKE_AUTH,
	X_IKE_SESSION_RESUME,
	X_IKE_INTERMEDIATE,
	33,
	99,
};

/* The notify that a request of an established peer is answered with; 0: none. What CREATE_CHILD_SA
 * needs is not in there. */
static uint16_t answer_to(uint8_t exchange)
{
	return exchange == X_INFORMATIONAL ? 0 : NOTIFY_INVALID_SYNTAX;
}

/* Requests in the window that we do not do (yet), or know nothing about. */
static void after_auth(struct sim *s)
{
	struct answers a = { .to = sim_side(s) };
	uint64_t digest;
	uint8_t buf[256];

	sim_up(s, LEFT, "site");
	sim_run_until_quiet(s);
	sim_set_middle(s, read_answers, &a);
	digest = check_digest(&s->end[1 - a.to]);
	for (uint32_t i = 0; i < 20 && !s->failed; i++) {
		uint8_t x = in_window[sim_draw(s, 0, sizeof(in_window) - 1)];
		struct inner in = contents(s, buf, sizeof(buf), false);

		insider_ask(s, a.to, x, &in);
		sim_must(s, a.n == i + 1 && a.exchange == x, "a request is not answered");
		sim_must(s, a.notify == answer_to(x), "exchange %u is answered with %u", x,
			 a.notify);
		must_stay(s, &a, digest);
	}
	sim_set_middle(s, NULL, NULL);
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "the tunnel was made anew");
}

/* Answers that nobody asked for, and IDs outside of the window: no effect, no answer. */
static void out_of_place(struct sim *s)
{
	struct answers a = { .to = sim_side(s) };
	uint8_t buf[256];

	sim_up(s, LEFT, "site");
	sim_run_until_quiet(s);
	sim_set_middle(s, read_answers, &a);
	for (int i = 0; i < 40 && insider_sa(s, a.to); i++) {
		bool known = sim_draw(s, 0, 1);
		struct insider_message m = {
			.exchange = known ? X_INFORMATIONAL
					  : exchanges[sim_draw(s, 2, sizeof(exchanges) - 1)],
			.response = !known || sim_draw(s, 0, 1),
			.id = insider_sa(s, a.to)->window.next_out +
			      (known ? sim_draw(s, 1, 9) : 0),
			.in = contents(s, buf, sizeof(buf), true),
		};

		insider_send(s, a.to, &m, true);
	}
	sim_run_ms(s, 2);
	sim_must(s, a.n == 0, "what has no place is answered");
	sim_set_middle(s, NULL, NULL);
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "the tunnel was made anew");
}

#define LINK DELAYS(10, 50)

const struct sim_scenario scenarios_insider[] = {
	{ "before-auth", "no exchange but IKE_AUTH has an effect before it", before_auth, &psk,
	  LINK, 0 },
	{ "after-auth", "a request without what it needs is refused and the SA stays", after_auth,
	  &lively, LINK, 0 },
	{ "out-of-place", "what has no place has no effect", out_of_place, &lively, LINK, 0 },
	{ 0 },
};
