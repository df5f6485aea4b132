/* SPDX-License-Identifier: Apache-2.0 */
/* Strangers: floods, errors in clear, messages that are damaged, mirrored, repeated. What they send
 * changes nothing, and peers get through all the same. */
#include <string.h>

#include "ike/message.h"
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

static const struct sim_conf psk = SITE(PSK ALWAYS, PSK MANUAL);
static const struct sim_conf manual = SITE(PSK MANUAL, PSK MANUAL);
/* One transform of each kind, so that an offer looks like an answer. */
static const struct sim_conf one_suite =
	SITE(PSK ALWAYS " policy = { aes256gcm16 prfsha384 x25519 }\n",
	     PSK MANUAL " policy = { aes256gcm16 prfsha384 x25519 }\n");
static const struct sim_conf lively =
	SITE(CERT ALWAYS " liveness = 2s\n", CERT MANUAL " liveness = 3s\n");

#define ROAD                                                                      \
	"connection site {\n address = any\n identity = any\n" MANUAL CERT CHILD( \
		"net", "10.2.0.0/16", "10.1.0.0/16") "}\n"
static const struct sim_conf any = { { LEFT_SITE(CERT MANUAL), ME("right.example.org") ROAD } };

/* One datagram that went by, kept. */
struct kept {
	uint8_t exchange; /* the first of this one is kept */
	bool lose;
	bool have;
	size_t len;
	uint8_t bytes[2048];
};

static bool keep(struct sim *s, struct sim_packet *p, void *ctx)
{
	struct kept *k = ctx;
	struct ike_header h;

	(void)s;
	if (k->have || p->from != LEFT || p->len > sizeof(k->bytes) ||
	    header_decode(span_of(p->bytes, p->len), &h) != OK || h.exchange != k->exchange)
		return true;
	memcpy(k->bytes, p->bytes, p->len);
	k->len = p->len;
	k->have = true;
	return !k->lose;
}

static struct span kept_span(const struct kept *k)
{
	return span_of(k->bytes, k->len);
}

static void up_at_last(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

/* ---- a nasty network ---- */

/* Handshake and life on a network that damages, mirrors and repeats; then it is good again. */
static void nasty_network(struct sim *s)
{
	sim_run_s(s, 120);
	sim_set_net(s, (struct sim_net){ .delay_ms = { 1, 50 } });
	up_at_last(s);
}

/* An end that never expects a request keeps nothing of its own ones that come back (A4). */
static void mirrored(struct sim *s)
{
	for (int i = 0; i < 20 && !s->failed; i++) {
		sim_run_ms(s, 500);
		sim_must(s, ike_engine_stats(s->end[LEFT].e)->half_open == 0,
			 "our own request is taken for a peer's");
	}
	nasty_network(s);
}

/* A mirror that makes answers of requests, before the true answer. */
static void mirrored_as_answer(struct sim *s)
{
	struct kept k = { .exchange = X_IKE_SA_INIT };
	struct path path = sim_path_to(s, LEFT, 500);

	sim_set_middle(s, keep, &k);
	while (!k.have && !s->failed)
		sim_run_ms(s, 1);
	k.bytes[8] = 0x77; /* the responder's SPI */
	k.bytes[19] = FLAG_RESPONSE;
	sim_inject(s, LEFT, &path, kept_span(&k));
	up_at_last(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CONNECTING) == 1, "a second attempt was needed");
}

/* Established before: nothing that it does may cost the tunnel. */
static void nasty_to_a_tunnel(struct sim *s)
{
	struct sim_net nasty = s->net;
	size_t ups;

	sim_set_net(s, (struct sim_net){ .delay_ms = { 1, 50 } });
	up_at_last(s);
	ups = sim_notes(s, LEFT, IKE_NOTE_UP);
	sim_set_net(s, nasty);
	sim_run_s(s, 120);
	sim_set_net(s, (struct sim_net){ .delay_ms = { 1, 50 } });
	up_at_last(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == ups, "the tunnel was made anew");
}

/* Every bit of a request, before the true one comes; the answer is that to the true one. */
static void every_bit(struct sim *s)
{
	struct kept k = { .exchange = X_INFORMATIONAL, .lose = true };
	struct path path = sim_path_to(s, RIGHT, 500);
	uint64_t before;
	size_t ups;

	up_at_last(s);
	ups = sim_notes(s, LEFT, IKE_NOTE_UP);
	sim_set_middle(s, keep, &k);
	while (!k.have && !s->failed)
		sim_run_ms(s, 50);
	before = check_digest(&s->end[RIGHT]);
	for (size_t bit = 0; bit < k.len * 8; bit++) {
		k.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		sim_inject(s, RIGHT, &path, kept_span(&k));
		k.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	sim_run_ms(s, 2);
	sim_must(s, check_digest(&s->end[RIGHT]) == before, "a bit changed an SA");
	sim_run_s(s, 60);
	up_at_last(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == ups, "the tunnel was made anew");
}

/* The same with IKE_AUTH, whose fragments come in many bits: a few hundred of them. */
static void bits_of_auth(struct sim *s)
{
	struct kept k = { .exchange = X_IKE_AUTH, .lose = true };
	struct path path = sim_path_to(s, RIGHT, 500);

	sim_set_middle(s, keep, &k);
	while (!k.have && !s->failed)
		sim_run_ms(s, 10);
	for (int i = 0; i < 300; i++) {
		size_t bit = sim_draw(s, 0, (uint32_t)k.len * 8 - 1);

		k.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		sim_inject(s, RIGHT, &path, kept_span(&k));
		k.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	up_at_last(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CONNECTING) == 1, "a second attempt was needed");
}

/* ---- errors in clear ---- */

static void spoof(struct sim *s, enum side to, const struct ike_header *of, uint16_t type)
{
	struct ike_header h = *of;
	struct path path = sim_path_to(s, to, 500);
	uint8_t bytes[256], noise[4];
	struct builder b;
	struct span datagram;

	h.version = IKE_VERSION;
	h.spi_r = h.spi_r ? h.spi_r : chance_u64(&s->chance) * sim_draw(s, 0, 1);
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)sim_draw(s, 0, 255);
	if (type == NOTIFY_INVALID_KE_PAYLOAD) {
		noise[0] = 0;
		noise[1] = (uint8_t)sim_draw(s, 0, 31);
	}
	b = builder_message(bytes, sizeof(bytes), &h);
	builder_notify(&b, type,
		       span_of(noise, type == NOTIFY_INVALID_KE_PAYLOAD ? 2 : sizeof(noise)));
	if (builder_finish(&b, &datagram) == OK)
		sim_inject(s, to, &path, datagram);
}

static uint16_t some_error(struct sim *s)
{
	static const uint16_t errors[] = {
		NOTIFY_NO_PROPOSAL_CHOSEN,
		NOTIFY_INVALID_KE_PAYLOAD,
		NOTIFY_AUTHENTICATION_FAILED,
		NOTIFY_INVALID_MAJOR_VERSION,
		NOTIFY_INVALID_SYNTAX,
		NOTIFY_INVALID_IKE_SPI,
		NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD,
		NOTIFY_TS_UNACCEPTABLE,
		NOTIFY_COOKIE,
	};

	return errors[sim_draw(s, 0, sizeof(errors) / sizeof(errors[0]) - 1)];
}

/* Hundreds of them before the true answer (A6). */
static void spoofed_before_the_answer(struct sim *s)
{
	struct kept k = { .exchange = X_IKE_SA_INIT };
	struct ike_header h;

	sim_set_middle(s, keep, &k);
	sim_up(s, LEFT, "site");
	while (!k.have && !s->failed)
		sim_run_ms(s, 1);
	if (header_decode(kept_span(&k), &h) != OK)
		return;
	h.flags = FLAG_RESPONSE;
	for (int i = 0; i < 300; i++)
		spoof(s, LEFT, &h, some_error(s));
	up_at_last(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CONNECTING) == 1, "a second attempt was needed");
}

/* A cookie of somebody else would make another form of the request, and which form the peer then
 * answers cannot be told from its answer. So the true answer is given time first. */
static void spoofed_cookies(struct sim *s)
{
	struct kept k = { .exchange = X_IKE_SA_INIT };
	struct ike_header h;

	sim_set_middle(s, keep, &k);
	while (!k.have && !s->failed)
		sim_run_ms(s, 1);
	if (header_decode(kept_span(&k), &h) != OK)
		return;
	h.flags = FLAG_RESPONSE;
	for (int i = 0; i < 20; i++)
		spoof(s, LEFT, &h, NOTIFY_COOKIE);
	up_at_last(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CONNECTING) == 1, "a second attempt was needed");
}

/* And all through the handshake and the life of the SA, with its SPIs, to both ends. */
static void spoofed_all_along(struct sim *s)
{
	struct kept k = { .exchange = X_IKE_AUTH };
	struct ike_header h;
	size_t ups;

	sim_set_middle(s, keep, &k);
	sim_up(s, LEFT, "site");
	while (!k.have && !s->failed)
		sim_run_ms(s, 1);
	if (header_decode(kept_span(&k), &h) != OK)
		return;
	for (int i = 0; i < 300 && !s->failed; i++) {
		h.exchange = (uint8_t)sim_draw(s, X_IKE_SA_INIT, X_INFORMATIONAL);
		h.flags = (uint8_t)sim_draw(s, 0, 255);
		h.message_id = sim_draw(s, 0, 3);
		spoof(s, sim_side(s), &h, some_error(s));
		sim_run_ms(s, sim_draw(s, 0, 5));
	}
	up_at_last(s);
	ups = sim_notes(s, LEFT, IKE_NOTE_UP);
	sim_must(s, ups == 1, "%zu handshakes were needed", ups);
}

/* ---- floods ---- */

enum { FLOOD = 60, FLOOD_BYTES = 64 * 1024 };

/* Half-open SAs of nobody, from a network each, from one, or from the peer's own. */
static void flood(struct sim *s, const struct kept *k)
{
	struct path path = sim_path_to(s, RIGHT, 500);
	uint32_t from = sim_draw(s, 0, 2);
	uint8_t bytes[sizeof(k->bytes)];

	memcpy(bytes, k->bytes, k->len);
	for (uint8_t i = 0; i < FLOOD; i++) {
		uint64_t spi = chance_u64(&s->chance);

		memcpy(bytes, &spi, sizeof(spi));
		if (from != 2) {
			path.remote.addr.b[0] = 203;
			path.remote.addr.b[1] = from == 0 ? i : 0;
		}
		path.remote.addr.b[3] = (uint8_t)(100 + i);
		sim_inject(s, RIGHT, &path, span_of(bytes, k->len));
	}
}

static void through_a_flood(struct sim *s)
{
	struct kept k = { .exchange = X_IKE_SA_INIT, .lose = true };
	size_t before, half_open;

	sim_set_middle(s, keep, &k);
	sim_up(s, LEFT, "site");
	while (!k.have && !s->failed)
		sim_run_ms(s, 1);
	sim_down(s, LEFT, "site");
	sim_run_ms(s, 100);
	before = memory_live();
	flood(s, &k);
	sim_run_ms(s, 2);
	half_open = (size_t)ike_engine_stats(s->end[RIGHT].e)->half_open;
	sim_must(s, half_open > 0 && half_open <= 40, "%zu half-open SAs", half_open);
	sim_must(s, memory_live() <= before + half_open * 4096 + FLOOD_BYTES,
		 "%zu bytes for %zu half-open SAs", memory_live() - before, half_open);
	sim_must(s, ike_engine_stats(s->end[RIGHT].e)->cookies_sent > 0, "no cookie is asked for");
	sim_up(s, LEFT, "site");
	up_at_last(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CONNECTING) == 2, "a second attempt was needed");
}

/* ---- garbage ---- */

static void garbage(struct sim *s)
{
	up_at_last(s);
	for (int i = 0; i < 500; i++) {
		enum side to = sim_side(s);
		struct path path = sim_path_to(s, to, 500);
		uint8_t bytes[128];
		uint32_t len = sim_draw(s, 0, sizeof(bytes));

		for (uint32_t k = 0; k < len; k++)
			bytes[k] = (uint8_t)sim_draw(s, 0, 255);
		/* Half of them look like IKE at first sight. */
		if (len >= IKE_HEADER_LEN && sim_draw(s, 0, 1)) {
			bytes[17] = IKE_VERSION;
			bytes[18] = (uint8_t)sim_draw(s, X_IKE_SA_INIT, X_INFORMATIONAL);
			bytes[24] = bytes[25] = bytes[26] = 0;
			bytes[27] = (uint8_t)len;
		}
		sim_inject(s, to, &path, span_of(bytes, len));
	}
	up_at_last(s);
}

/* ICMP is anybody's word: it may cost a question to the peer now and then, and no more. */
static void unreachable(struct sim *s)
{
	uint64_t before;
	size_t ups;

	up_at_last(s);
	ups = sim_notes(s, LEFT, IKE_NOTE_UP);
	before = s->n_delivered;
	for (int i = 0; i < 1000 && !s->failed; i++) {
		sim_unreachable(s, sim_side(s));
		sim_run_ms(s, sim_draw(s, 0, 50));
	}
	sim_must(s, s->n_delivered - before < 100, "%u messages because of ICMP",
		 (unsigned)(s->n_delivered - before));
	up_at_last(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == ups, "the tunnel was made anew");
}

#define LINK DELAYS(5, 50)
#define NASTY(m, r, p)                                                                     \
	{                                                                                  \
		.loss = 5, .dup = 5, .mutate = m, .reflect = r, .replay = p, .delay_ms = { \
			1,                                                                 \
			100                                                                \
		}                                                                          \
	}

const struct sim_scenario scenarios_attacks[] = {
	{ "mutated", "messages are damaged on the way", nasty_network, &lively, NASTY(30, 0, 0),
	  0 },
	{ "mutated-tunnel", "those of a tunnel are", nasty_to_a_tunnel, &lively, NASTY(60, 0, 0),
	  0 },
	{ "mirrored-as-answer", "a request comes back as an answer", mirrored_as_answer, &one_suite,
	  LINK, 0 },
	{ "reflected", "messages come back to their sender", mirrored, &lively, NASTY(0, 100, 0),
	  0 },
	{ "replayed", "old messages come again", nasty_network, &lively, NASTY(0, 0, 100), 0 },
	{ "replayed-tunnel", "those of a tunnel do", nasty_to_a_tunnel, &lively, NASTY(0, 0, 100),
	  0 },
	{ "all-at-once", "all of this", nasty_network, &lively, NASTY(20, 30, 50), 0 },
	{ "every-bit", "every bit of a request is flipped once", every_bit, &lively, LINK, 0 },
	{ "bits-of-auth", "IKE_AUTH is damaged before it comes", bits_of_auth, &lively, LINK, 0 },
	{ "spoofed-errors", "hundreds of errors in clear before the answer",
	  spoofed_before_the_answer, &manual, LINK, 0 },
	{ "spoofed-cookies", "cookies of somebody else", spoofed_cookies, &psk, LINK, 0 },
	{ "spoofed-all-along", "errors in clear with the right SPIs", spoofed_all_along, &manual,
	  LINK, 0 },
	{ "cookies", "a flood of strangers: a peer gets through by a cookie", through_a_flood, &any,
	  LINK, 0 },
	{ "unreachable", "a flood of ICMP", unreachable, &psk, LINK, 0 },
	{ "garbage", "what is not IKE at all", garbage, &psk, LINK, 0 },
	{ 0 },
};
