/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody sees our IKE_SA_INIT request and is faster than the peer: whatever he answers in clear,
 * the attempt goes on, is not made again, and comes to what both ends like best. Each kind of
 * answer is a row here, and a run sends many of one kind; that the engine got them shows in what it
 * counts.
 */
#include <string.h>

#include "crypto/alg.h"
#include "crypto/ke.h"
#include "ike/child.h"
#include "ike/offer.h"
#include "ike/protect.h"
#include "tests/sim/confs.h"
#include "tests/sim/insider.h"
#include "tests/sim/mallory.h"
#include "tests/sim/world.h"

enum { COPIES = 40, REDIRECT = 16407 };

static const struct sim_conf psk = SITE(PSK MANUAL, PSK MANUAL);
static const struct sim_conf slow = SITE(PSK ALWAYS MODP_4096, PSK MANUAL MODP_4096);
static const struct sim_conf always = SITE(PSK ALWAYS, PSK MANUAL);

/* What is not as it should be in an answer with SA, KE and nonce. */
enum bend {
	AS_IT_SHOULD, /* ... but for the suite */
	OTHER_SPI_I,
	NO_SPI_R,
	MESSAGE_ID,
	REQUEST,
	FROM_INITIATOR,
	VERSION_1,
	VERSION_3,
	NONCE_SHORT,
	NONCE_LONG,
	NONCE_OURS,
	NO_KE,
	KE_OTHER,
	PROPOSAL_2,
	TWO_PROPOSALS,
	TWO_GROUPS,
	NO_PRF,
	CRITICAL,
	OTHER_EXCHANGE,
};

struct kind {
	const char *what;
	uint16_t notify; /* an error, or one of the two that are asked again by; 0: an answer */
	uint16_t group;	 /* of INVALID_KE_PAYLOAD */
	bool followed;	 /* by another form of our request */
	uint16_t encr, key_bits, integ, prf, ke;
	enum bend bend;
};

#define BEST  .encr = ENCR_AES_GCM_16, .key_bits = 256, .prf = PRF_HMAC_SHA2_384
#define LIKED BEST, .ke = KE_CURVE25519

static const struct kind kinds[] = {
	{ "NO_PROPOSAL_CHOSEN", .notify = NOTIFY_NO_PROPOSAL_CHOSEN },
	{ "INVALID_SYNTAX", .notify = NOTIFY_INVALID_SYNTAX },
	{ "AUTHENTICATION_FAILED", .notify = NOTIFY_AUTHENTICATION_FAILED },
	{ "INVALID_IKE_SPI", .notify = NOTIFY_INVALID_IKE_SPI },
	{ "INVALID_MAJOR_VERSION", .notify = NOTIFY_INVALID_MAJOR_VERSION },
	{ "UNSUPPORTED_CRITICAL_PAYLOAD", .notify = NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD },
	{ "TEMPORARY_FAILURE", .notify = NOTIFY_TEMPORARY_FAILURE },
	{ "an error that nobody knows", .notify = 16383 },
	{ "a status that nobody knows", .notify = 40959 },
	{ "REDIRECT", .notify = REDIRECT },
	{ "a group that we do not offer", .notify = NOTIFY_INVALID_KE_PAYLOAD, .group = 2 },
	{ "a group that is none", .notify = NOTIFY_INVALID_KE_PAYLOAD, .group = 0 },
	{ "a weaker group of our offer", .notify = NOTIFY_INVALID_KE_PAYLOAD, .group = KE_MODP_3072,
	  .followed = true },
	{ "a cookie", .notify = NOTIFY_COOKIE, .followed = true },
	{ "a weak group", BEST, .ke = 2 },
	{ "a weak cipher", .encr = 3, .integ = INTEG_HMAC_SHA1_96, .prf = PRF_HMAC_SHA1, .ke = 2 },
	{ "a weak PRF", .encr = ENCR_AES_GCM_16, .key_bits = 256, .prf = PRF_HMAC_SHA1,
	  .ke = KE_CURVE25519 },
	{ "a short key", .encr = ENCR_AES_GCM_16, .key_bits = 192, .prf = PRF_HMAC_SHA2_384,
	  .ke = KE_CURVE25519 },
	{ "no encryption", .encr = 11, .prf = PRF_HMAC_SHA2_384, .ke = KE_CURVE25519 },
	{ "integrity beside AEAD", LIKED, .integ = INTEG_HMAC_SHA2_256_128 },
	{ "a group that we have not sent", BEST, .ke = KE_ECP_384 },
	{ "another SPIi", LIKED, .bend = OTHER_SPI_I },
	{ "no SPIr", LIKED, .bend = NO_SPI_R },
	{ "message ID 1", LIKED, .bend = MESSAGE_ID },
	{ "a request with our SPI", LIKED, .bend = REQUEST },
	{ "the initiator's flag", LIKED, .bend = FROM_INITIATOR },
	{ "IKEv1", LIKED, .bend = VERSION_1 },
	{ "IKEv3", LIKED, .bend = VERSION_3 },
	{ "a nonce of 8 bytes", LIKED, .bend = NONCE_SHORT },
	{ "a nonce of 257 bytes", LIKED, .bend = NONCE_LONG },
	{ "our own nonce", LIKED, .bend = NONCE_OURS },
	{ "no public value", LIKED, .bend = NO_KE },
	{ "the public value of another group", LIKED, .bend = KE_OTHER },
	{ "proposal 2", LIKED, .bend = PROPOSAL_2 },
	{ "two proposals", LIKED, .bend = TWO_PROPOSALS },
	{ "two groups", LIKED, .bend = TWO_GROUPS },
	{ "no PRF", LIKED, .bend = NO_PRF },
	{ "a critical payload", LIKED, .bend = CRITICAL },
	{ "IKE_AUTH in clear", LIKED, .bend = OTHER_EXCHANGE },
};

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* Nothing is wrong in it. */
static const struct kind whole = { "a whole answer", LIKED };

/* ---- making one ---- */

struct seen_request {
	bool have;
	struct ike_header h;
	uint8_t nonce[256];
	size_t nonce_len;
};

static struct ike_header header_of(struct sim *s, const struct kind *k,
				   const struct seen_request *r)
{
	struct ike_header h = r->h;

	h.flags = k->bend == REQUEST ? 0 : FLAG_RESPONSE;
	if (k->bend == FROM_INITIATOR)
		h.flags |= FLAG_INITIATOR;
	if (k->bend == OTHER_SPI_I)
		h.spi_i ^= chance_u64(&s->chance) | 1;
	h.spi_r = k->bend == NO_SPI_R ? 0 : chance_u64(&s->chance) | 1;
	if (k->notify && sim_draw(s, 0, 1))
		h.spi_r = 0;
	h.message_id = k->bend == MESSAGE_ID;
	h.version = k->bend == VERSION_1 ? 0x10 : k->bend == VERSION_3 ? 0x30 : IKE_VERSION;
	if (k->bend == OTHER_EXCHANGE)
		h.exchange = X_IKE_AUTH;
	return h;
}

static void put_proposal(struct wr *w, const struct kind *k, bool last)
{
	struct offer_proposal p = { .number = k->bend == PROPOSAL_2 ? 2 : 1,
				    .protocol = PROTO_IKE };
	struct offer_pen pen = offer_begin_proposal(w, &p, last);

	offer_add_transform(&pen, T_ENCR, k->encr, k->key_bits);
	if (k->integ)
		offer_add_transform(&pen, T_INTEG, k->integ, 0);
	if (k->bend != NO_PRF)
		offer_add_transform(&pen, T_PRF, k->prf, 0);
	offer_add_transform(&pen, T_KE, k->ke, 0);
	if (k->bend == TWO_GROUPS)
		offer_add_transform(&pen, T_KE, KE_ECP_384, 0);
	offer_end_proposal(&pen);
}

static void put_nonce(struct sim *s, const struct kind *k, const struct seen_request *r,
		      struct builder *b)
{
	uint8_t nonce[257];
	size_t len = k->bend == NONCE_SHORT ? 8 : k->bend == NONCE_LONG ? 257 : 32;

	for (size_t i = 0; i < sizeof(nonce); i++)
		nonce[i] = (uint8_t)sim_draw(s, 0, 255);
	if (k->bend == NONCE_OURS)
		builder_add(b, PL_NONCE, span_of(r->nonce, r->nonce_len));
	else
		builder_add(b, PL_NONCE, span_of(nonce, len));
}

/* Real enough to be taken: a public value is 32 bytes of chance, as those of x25519 are. */
static void put_answer(struct sim *s, const struct kind *k, const struct seen_request *r,
		       struct builder *b)
{
	uint8_t pub[512] = { 0 };
	struct pl_ke ke = { .group = k->bend == KE_OTHER ? KE_ECP_256 : k->ke,
			    .data = span_of(pub, k->ke == KE_MODP_4096 ? 512 : 32) };
	struct wr *w = builder_begin(b, PL_SA);

	put_proposal(w, k, k->bend != TWO_PROPOSALS);
	if (k->bend == TWO_PROPOSALS)
		put_proposal(w, k, true);
	builder_end(b);
	for (size_t i = 0; i < 32; i++)
		pub[i] = (uint8_t)sim_draw(s, 0, 255);
	if (k->bend != NO_KE) {
		pl_ke_encode(builder_begin(b, PL_KE), &ke);
		builder_end(b);
	}
	put_nonce(s, k, r, b);
	builder_notify(b, NOTIFY_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, SPAN_EMPTY);
}

static void put_notify(struct sim *s, const struct kind *k, struct builder *b)
{
	uint8_t body[8] = { 0, (uint8_t)k->group };

	if (k->notify != NOTIFY_INVALID_KE_PAYLOAD) {
		for (size_t i = 0; i < sizeof(body); i++)
			body[i] = (uint8_t)sim_draw(s, 0, 255);
	}
	builder_notify(b, k->notify,
		       span_of(body, k->notify == NOTIFY_INVALID_KE_PAYLOAD ? 2 : sizeof(body)));
}

/* What was sent, valid until the next. */
static struct span send_one(struct sim *s, const struct kind *k, const struct seen_request *r)
{
	struct path path = sim_path_to(s, LEFT, 500);
	struct ike_header h = header_of(s, k, r);
	static uint8_t bytes[2048];
	struct builder b = builder_message(bytes, sizeof(bytes), &h);
	struct span datagram;

	if (k->notify)
		put_notify(s, k, &b);
	else
		put_answer(s, k, r, &b);
	if (k->bend == CRITICAL)
		builder_add(&b, 200, SPAN_EMPTY);
	sim_must(s, builder_finish(&b, &datagram) == OK, "the forgery has no room");
	if (k->bend == CRITICAL)
		bytes[datagram.len - 3] |= 0x80;
	sim_inject(s, LEFT, &path, datagram);
	return datagram;
}

/* ---- stories ---- */

static bool see_request(struct sim *s, struct sim_packet *p, void *ctx)
{
	struct seen_request *r = ctx;
	struct span nonce;
	struct message m;

	(void)s;
	if (r->have || p->from != LEFT || message_decode(span_of(p->bytes, p->len), &m) != OK ||
	    m.h.exchange != X_IKE_SA_INIT)
		return true;
	r->h = m.h;
	nonce = message_body(&m, PL_NONCE);
	r->nonce_len = nonce.len < sizeof(r->nonce) ? nonce.len : sizeof(r->nonce);
	memcpy(r->nonce, nonce.p, r->nonce_len);
	r->have = true;
	return true;
}

static void wait_for_request(struct sim *s, const struct seen_request *r)
{
	while (!r->have && !s->failed)
		sim_run_ms(s, 1);
}

static uint64_t n_dropped(const struct sim *s)
{
	const struct ike_stats *stats = ike_engine_stats(s->end[LEFT].e);
	uint64_t n = 0;

	for (size_t i = 0; i < N_ERR; i++)
		n += stats->dropped[i];
	return n;
}

static void answers_of_a_kind(struct sim *s)
{
	const struct kind *k = &kinds[sim_seed(s) % N_KINDS];
	struct seen_request r = { .have = false };
	const struct ike_note *up;
	uint64_t dropped;

	trace_line(s, LEFT, "is answered with %s", k->what);
	sim_set_middle(s, see_request, &r);
	sim_up(s, LEFT, "site");
	wait_for_request(s, &r);
	dropped = n_dropped(s);
	for (int i = 0; i < COPIES; i++)
		(void)send_one(s, k, &r);
	sim_run_ms(s, 2);
	dropped = n_dropped(s) - dropped;
	sim_must(s, (dropped >= COPIES) == !k->followed, "%s: %u of them were dropped", k->what,
		 (unsigned)dropped);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	up = sim_note(s, LEFT, IKE_NOTE_UP);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CONNECTING) == 1, "%s cost the attempt", k->what);
	sim_must(s,
		 up && strcmp(up->suite, "aes256gcm16 prfsha384 x25519") == 0 &&
			 up->downgrade_protected,
		 "%s weakened the attempt: %s", k->what, up ? up->suite : "not up");
}

/* Answers with nothing wrong in them are believed, since nothing proves one before IKE_AUTH. The
 * true one comes behind them, and is followed when the others lead nowhere. */
static void whole_answers_come(struct sim *s, int n)
{
	struct seen_request r = { .have = false };

	sim_set_middle(s, see_request, &r);
	wait_for_request(s, &r);
	for (int i = 0; i < n; i++)
		(void)send_one(s, &whole, &r);
	sim_set_middle(s, NULL, NULL);
}

static void whole_answers(struct sim *s, int n)
{
	whole_answers_come(s, n);
	sim_run_ms(s, 500);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_ANSWERED) == 1, "no forged answer is taken");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 0, "left is up with who forged an answer");
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, s->failed || sim_note(s, LEFT, IKE_NOTE_UP)->downgrade_protected,
		 "the attempt is weakened");
	sim_must(s, s->failed || !insider_sa(s, LEFT)->children->next,
		 "a child of an answer that was given up is left");
}

static void some_whole_answers(struct sim *s)
{
	whole_answers(s, (int)sim_draw(s, 1, 4));
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CONNECTING) == 1, "the attempt was made again");
}

/* The positive control: what is kept has a bound, so many of them do cost the attempt. */
static void many_whole_answers(struct sim *s)
{
	whole_answers(s, 10);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CONNECTING) > 1, "the answers had no effect");
}

/* Behind the true one they are kept, and nothing comes of them. */
static void late_whole_answers(struct sim *s)
{
	struct seen_request r = { .have = false };

	sim_set_middle(s, see_request, &r);
	sim_must(s, sim_run_until_note(s, LEFT, IKE_NOTE_ANSWERED, 30), "nobody answers");
	for (int i = 0; i < 10 && !s->failed; i++)
		(void)send_one(s, &whole, &r);
	sim_run_until_quiet(s);
	sim_set_middle(s, NULL, NULL);
	sim_expect(s, "site", 1);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CONNECTING) == 1, "the attempt was made again");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_ANSWERED) == 1, "the true answer was given up");
}

/* So with an allocation that fails anywhere in it. */
static void whole_answers_without_memory(struct sim *s)
{
	sim_fail_malloc(s, LEFT, sim_draw(s, 1, 60));
	whole_answers_come(s, (int)sim_draw(s, 1, 4));
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

/* ---- who computes the keys, too ---- */

struct forger {
	struct seen_request r;
	uint64_t spi_r;
	struct sk_keys keys;
	uint32_t n_asked, n_said;
};

/* Our IKE_AUTH goes to the forger: it says no, or proves what it cannot prove. Not before the true
 * answer is there: what is protected is final, and when there is nothing else to follow it ends the
 * attempt. */
static void say_no(struct sim *s, struct forger *f, const struct ike_header *of)
{
	static const uint8_t id[] = "\2\0\0\0right.example.org";
	static const uint8_t auth[36] = { AUTH_PSK };
	struct path path = sim_path_to(s, LEFT, 500);
	struct ike_header h = *of;
	uint8_t chain[256], bytes[512];
	struct wr w = wr_into(bytes, sizeof(bytes));
	struct builder b = builder_inner(chain, sizeof(chain));
	struct inner in;

	h.flags = FLAG_RESPONSE;
	if (sim_draw(s, 0, 1)) {
		builder_add(&b, PL_IDR, span_of(id, sizeof(id) - 1));
		builder_add(&b, PL_AUTH, span_of(auth, sizeof(auth)));
		builder_notify(&b, NOTIFY_NO_PROPOSAL_CHOSEN, SPAN_EMPTY);
	} else {
		builder_notify(&b, NOTIFY_AUTHENTICATION_FAILED, SPAN_EMPTY);
	}
	if (builder_finish_inner(&b, &in) != OK || protect_seal(&f->keys, &h, &in, &w) != OK)
		return;
	f->n_said++;
	sim_inject(s, LEFT, &path, wr_done(&w));
}

static void forge_with_keys(struct sim *s, struct forger *f, const struct message *request)
{
	static const struct kind slow_whole = { "a whole answer", BEST, .ke = KE_MODP_4096 };
	struct span sent = send_one(s, &slow_whole, &f->r);
	struct ike_header h;
	struct ike_keys keys;

	if (header_decode(sent, &h) != OK || !mallory_break(request->raw, sent, &keys))
		return;
	f->spi_r = h.spi_r;
	f->keys = (struct sk_keys){ .encr = encr_by_keyword("aes256gcm16"), .encr_key = keys.er };
	ike_keys_wipe(&keys);
}

static bool answer_for(struct sim *s, struct sim_packet *p, void *ctx)
{
	struct forger *f = ctx;
	struct message m;

	if (p->from != LEFT || message_decode(span_of(p->bytes, p->len), &m) != OK)
		return true;
	if (m.h.exchange == X_IKE_SA_INIT && !f->r.have) {
		(void)see_request(s, p, &f->r);
		forge_with_keys(s, f, &m);
	}
	if (m.h.exchange == X_IKE_AUTH && m.h.spi_r == f->spi_r && ++f->n_asked == 2)
		say_no(s, f, &m.h);
	return true;
}

static void answers_with_keys(struct sim *s)
{
	struct forger f = { .n_said = 0 };

	sim_set_middle(s, answer_for, &f);
	sim_run_until_quiet(s);
	sim_must(s, f.n_said > 0, "the forger was not asked");
	sim_expect(s, "site", 1);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CONNECTING) == 1, "the attempt was made again");
}

#define LINK DELAYS(5, 30)

const struct sim_scenario scenarios_forged[] = {
	{ "forged-answers", "answers of every kind before the true one, each many times",
	  answers_of_a_kind, &psk, LINK, 0 },
	{ "forged-whole-answers", "some with nothing wrong in them, and the attempt goes on",
	  some_whole_answers, &always, LINK, 0 },
	{ "forged-late-answers", "... behind the true one", late_whole_answers, &always, LINK, 0 },
	{ "forged-whole-no-memory", "... and there is no memory, at any place",
	  whole_answers_without_memory, &always, LINK, 0 },
	{ "forged-with-keys", "one who answers IKE_AUTH, too, under the keys of its own answer",
	  answers_with_keys, &slow, LINK, 0 },
	{ "forged-many-whole-answers", "so many that the true one has no place cost an attempt",
	  many_whole_answers, &always, LINK, 0 },
	{ 0 },
};
