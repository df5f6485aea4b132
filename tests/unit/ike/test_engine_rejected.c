/* SPDX-License-Identifier: Apache-2.0 */
/* What is rejected leaves nothing: of each kind of packet that strangers, observers and broken
 * peers can send, thousands go to an engine with an established peer. Two minutes later what is
 * allocated is what it was, and the peer has noticed nothing.
 *
 * POSTERN_REJECTED says how many of each kind; a million takes some minutes.
 */
#include <stdlib.h>
#include <string.h>

#include "ike/protect.h"
#include "tests/unit/ike/scene.h"
#include "tests/unit/rejected.h"
#include "tests/unit/unit.h"

enum {
	FEW = 3000,	   /* of each kind, unless told otherwise */
	BETWEEN = 1 << 20, /* bytes that may be in use meanwhile: half-open SAs, budgeted */
};

/* ---- packets ---- */

static void from_anywhere(struct scene *s)
{
	s->path = pair_path(s->p, LEFT);
	scene_fill(s, s->path.remote.addr.b, 4);
	s->path.remote.port = (uint16_t)(1024 + scene_roll(s) % 60000);
}

/* A stranger's request like the genuine one: other SPI, other place. */
static void fresh_init(struct scene *s)
{
	from_anywhere(s);
	memcpy(s->buf, s->init, s->init_len);
	s->len = s->init_len;
	scene_fill(s, s->buf, IKE_SPI_LEN);
	s->buf[0] |= 1;
}

/* A message with a sealed payload that nobody sealed. */
static void unsealed(struct scene *s, const struct ike_header *h, uint8_t type)
{
	struct builder b = builder_message(s->buf, sizeof(s->buf), h);
	uint8_t noise[96];
	struct span whole;

	scene_fill(s, noise, sizeof(noise));
	if (type == PL_SKF)
		memcpy(noise, (const uint8_t[]){ 0, 1, 0, 2 }, 4);
	builder_add(&b, type, span_of(noise, sizeof(noise)));
	ck_assert_int_eq(builder_finish(&b, &whole), OK);
	s->len = whole.len;
	if (type == PL_SKF) /* the first of two: the inner chain begins with a Notify */
		s->buf[IKE_HEADER_LEN] = PL_NOTIFY;
}

/* As the established peer would send it next, from where it is. */
static struct ike_header peers(struct scene *s, uint8_t exchange)
{
	const struct ike_sa *sa = scene_up_sa(s, RIGHT);

	s->path = pair_path(s->p, LEFT);
	return (struct ike_header){
		.spi_i = sa->spi_i,
		.spi_r = sa->spi_r,
		.version = IKE_VERSION,
		.exchange = exchange,
		.flags = FLAG_INITIATOR,
		.message_id = sa->window.next_in,
	};
}

/* ---- the kinds ---- */

static void garbage(struct scene *s, uint32_t i)
{
	from_anywhere(s);
	s->len = i % 300;
	scene_fill(s, s->buf, s->len);
}

static void cut(struct scene *s, uint32_t i)
{
	fresh_init(s);
	s->len = i % s->init_len;
}

static void version_1(struct scene *s, uint32_t i)
{
	(void)i;
	fresh_init(s);
	s->buf[17] = 0x10;
}

static void version_3(struct scene *s, uint32_t i)
{
	(void)i;
	fresh_init(s);
	s->buf[17] = 0x30;
}

static void no_such_spi(struct scene *s, uint32_t i)
{
	struct ike_header h = peers(s, i % 2 ? X_IKE_AUTH : X_INFORMATIONAL);

	from_anywhere(s);
	h.spi_i = scene_roll(s) | 1;
	h.spi_r = scene_roll(s) | 1;
	unsealed(s, &h, PL_SK);
}

static void spoofed_init(struct scene *s, uint32_t i)
{
	(void)i;
	fresh_init(s);
}

static void rebuild(struct scene *s, uint16_t notify, size_t notify_len)
{
	uint8_t whole[SCENE_ROOM], noise[COOKIE_MAX];
	struct message m;
	struct builder b;
	struct span made;

	memcpy(whole, s->buf, s->len);
	ck_assert_int_eq(message_decode(span_of(whole, s->len), &m), OK);
	scene_fill(s, noise, sizeof(noise));
	b = builder_message(s->buf, sizeof(s->buf), &m.h);
	builder_notify(&b, notify, span_of(noise, notify_len));
	for (size_t i = 0; i < m.n; i++)
		builder_add(&b, m.v[i].type, m.v[i].body);
	ck_assert_int_eq(builder_finish(&b, &made), OK);
	s->len = made.len;
}

static void bad_cookie(struct scene *s, uint32_t i)
{
	fresh_init(s);
	rebuild(s, NOTIFY_COOKIE, i % 2 ? COOKIE_LEN : 1 + i % COOKIE_MAX);
}

/* 3DES, MD5 and the like, in group 2; or a good offer and a group that was not in it. */
static void offer_of(struct scene *s, struct span sa, uint16_t group, size_t public_len)
{
	uint8_t public[256] = { 0 }, nonce[32] = { 0 };
	struct pl_ke ke = { .group = group, .data = span_of(public, public_len) };
	struct ike_header h;
	struct builder b;
	struct span made;

	fresh_init(s);
	ck_assert_int_eq(header_decode(span_of(s->buf, s->len), &h), OK);
	scene_fill(s, public, sizeof(public));
	scene_fill(s, nonce, sizeof(nonce));
	b = builder_message(s->buf, sizeof(s->buf), &h);
	builder_add(&b, PL_SA, sa);
	pl_ke_encode(builder_begin(&b, PL_KE), &ke);
	builder_end(&b);
	builder_add(&b, PL_NONCE, span_of(nonce, sizeof(nonce)));
	ck_assert_int_eq(builder_finish(&b, &made), OK);
	s->len = made.len;
}

static void no_proposal(struct scene *s, uint32_t i)
{
	static const uint8_t sa[] = { 0, 0, 0, 40, 1, 1, 0, 4, 3, 0, 0, 8, 1, 0, 0, 3, 3, 0, 0, 8,
				      2, 0, 0, 1,  3, 0, 0, 8, 3, 0, 0, 1, 0, 0, 0, 8, 4, 0, 0, 2 };

	(void)i;
	offer_of(s, span_of(sa, sizeof(sa)), 2, 128);
}

static void other_group(struct scene *s, uint32_t i)
{
	uint8_t sa[SCENE_ROOM];
	struct message m;
	struct span body;

	(void)i;
	ck_assert_int_eq(message_decode(span_of(s->init, s->init_len), &m), OK);
	body = message_body(&m, PL_SA);
	memcpy(sa, body.p, body.len);
	offer_of(s, span_of(sa, body.len), 14, 256);
}

static void critical(struct scene *s, uint32_t i)
{
	(void)i;
	fresh_init(s);
	rebuild(s, NOTIFY_COOKIE, 4);
	/* What was a Notify is now something that nobody knows. */
	s->buf[16] = 200;
	s->buf[IKE_HEADER_LEN + 1] = 0x80;
}

static struct ike_sa *half_open(const struct scene *s)
{
	struct table_node *n = table_next(&s->p->end[RIGHT].e->by_init, NULL);

	return n ? container_of(n, struct ike_sa, by_init) : NULL;
}

/* Begins a handshake, and another one when that is over; then IKE_AUTH that nobody sealed. */
static void auth_unsealed(struct scene *s, uint32_t i, uint8_t type)
{
	struct ike_sa *sa = half_open(s);
	struct ike_header h;

	if (!sa) {
		fresh_init(s);
		return;
	}
	h = (struct ike_header){ .spi_i = sa->spi_i,
				 .spi_r = sa->spi_r,
				 .version = IKE_VERSION,
				 .exchange = X_IKE_AUTH,
				 .flags = FLAG_INITIATOR,
				 .message_id = i % 3 };
	s->path = sa->path;
	unsealed(s, &h, type);
}

static void half_open_forged(struct scene *s, uint32_t i)
{
	auth_unsealed(s, i, PL_SK);
}

static void half_open_forged_fragment(struct scene *s, uint32_t i)
{
	auth_unsealed(s, i, PL_SKF);
}

/* A public value that gives no key: found out at the first IKE_AUTH, and then it is over. */
static void no_key(struct scene *s, uint32_t i)
{
	const uint8_t zero[32] = { 0 };
	struct message m;
	struct span ke;

	auth_unsealed(s, 1, PL_SK);
	if (half_open(s))
		return;
	(void)i;
	ck_assert_int_eq(message_decode(span_of(s->buf, s->len), &m), OK);
	ke = message_body(&m, PL_KE);
	ck_assert_uint_eq(ke.len, 4 + sizeof(zero));
	memcpy(s->buf + (ke.p - s->buf) + 4, zero, sizeof(zero));
}

static void up_forged(struct scene *s, uint32_t i)
{
	struct ike_header h = peers(s, i % 2 ? X_CREATE_CHILD_SA : X_INFORMATIONAL);

	unsealed(s, &h, PL_SK);
}

static void up_forged_fragment(struct scene *s, uint32_t i)
{
	struct ike_header h = peers(s, i % 2 ? X_CREATE_CHILD_SA : X_INFORMATIONAL);

	unsealed(s, &h, PL_SKF);
}

static void up_forged_answer(struct scene *s, uint32_t i)
{
	struct ike_header h = peers(s, X_INFORMATIONAL);

	h.flags |= FLAG_RESPONSE;
	h.message_id = i % 5;
	unsealed(s, &h, PL_SK);
}

static void notify_in_clear(struct scene *s, uint32_t i)
{
	static const uint16_t types[] = { NOTIFY_INVALID_IKE_SPI, NOTIFY_INVALID_SYNTAX,
					  NOTIFY_AUTHENTICATION_FAILED, NOTIFY_NO_PROPOSAL_CHOSEN,
					  NOTIFY_INVALID_MAJOR_VERSION };
	struct ike_header h = peers(s, X_INFORMATIONAL);
	struct builder b;
	struct span made;

	h.flags |= i % 2 ? FLAG_RESPONSE : 0;
	b = builder_message(s->buf, sizeof(s->buf), &h);
	builder_notify(&b, types[i % (sizeof(types) / sizeof(types[0]))], SPAN_EMPTY);
	ck_assert_int_eq(builder_finish(&b, &made), OK);
	s->len = made.len;
}

static void replayed(struct scene *s, uint32_t i)
{
	s->path = pair_path(s->p, LEFT);
	if (i % 2)
		from_anywhere(s);
	memcpy(s->buf, s->old, s->old_len);
	s->len = s->old_len;
}

static void replayed_init(struct scene *s, uint32_t i)
{
	(void)i;
	s->path = pair_path(s->p, LEFT);
	memcpy(s->buf, s->init, s->init_len);
	s->len = s->init_len;
}

/* The peer itself sends first fragments, of ever more in all, and never the rest. */
static void never_whole(struct scene *s, uint32_t i)
{
	struct ike_sa *sa = scene_up_sa(s, LEFT);
	struct ike_header h = peers(s, X_INFORMATIONAL);
	struct sk_keys keys = sa_keys_out(sa);
	static uint8_t chain[16000], made[64 * 1024];
	struct inner in = { .first = PL_VENDOR, .chain = span_of(chain, 300 + i % 60 * 250) };
	struct wr w = wr_into(made, sizeof(made));
	struct rd r;
	struct span first;

	ck_assert_int_eq(protect_seal_fragments(&keys, &h, &in, 300, &w), OK);
	sa->next_iv = keys.next_iv;
	sk_keys_wipe(&keys);
	r = rd_from(wr_done(&w));
	ck_assert(header_split(&r, &first));
	memcpy(s->buf, first.p, first.len);
	s->len = first.len;
}

static const struct kind {
	const char *name;
	void (*make)(struct scene *s, uint32_t i);
	enum err why; /* it is dropped; OK: it is answered, or kept for a while */
} kinds[] = {
	{ "garbage", garbage, ERR_SYNTAX },
	{ "cut", cut, ERR_SYNTAX },
	{ "version 1", version_1, ERR_VERSION },
	{ "version 3", version_3, ERR_VERSION },
	{ "no such SPI", no_such_spi, ERR_NOT_FOUND },
	{ "IKE_SA_INIT from everywhere, without a cookie", spoofed_init, OK },
	{ "with a cookie of nobody", bad_cookie, OK },
	{ "without a proposal that anybody takes", no_proposal, ERR_NO_PROPOSAL },
	{ "in a group that is not offered", other_group, OK },
	{ "with a critical payload that nobody knows", critical, ERR_CRITICAL },
	{ "the peer's own, again", replayed_init, OK },
	{ "IKE_AUTH that was not sealed", half_open_forged, ERR_ICV },
	{ "a fragment of IKE_AUTH that was not sealed", half_open_forged_fragment, ERR_ICV },
	{ "IKE_AUTH without a shared key", no_key, ERR_KE_VALUE },
	{ "requests of the peer's SA that were not sealed", up_forged, ERR_ICV },
	{ "fragments of them", up_forged_fragment, ERR_ICV },
	{ "answers that were not sealed", up_forged_answer, ERR_REPLAY },
	{ "errors in clear with the peer's SPIs", notify_in_clear, ERR_UNEXPECTED },
	{ "a request of the peer, again", replayed, ERR_REPLAY },
	{ "messages of the peer that never become whole", never_whole, OK },
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* ---- the promise ---- */

static void send_many(struct scene *s, const struct kind *k, uint32_t n)
{
	size_t before = rejected_in_use();

	for (uint32_t i = 0; i < n; i++) {
		k->make(s, i);
		pair_deliver(s->p, RIGHT, &s->path, span_of(s->buf, s->len));
		if (i % 32 > 0)
			continue;
		scene_pass_time(s, 32 * NS_PER_MS);
		ck_assert_uint_le(rejected_in_use(), before + BETWEEN);
	}
	scene_pass_time(s, 120 * NS_PER_S);
}

START_TEST(what_is_rejected_leaves_nothing)
{
	const struct kind *k = &kinds[_i];
	struct scene *s = scene_new();
	size_t before;

	/* What tables and libraries keep for good is there after the first ones. */
	send_many(s, k, FEW / 2);
	before = rejected_in_use();
	send_many(s, k, rejected_count(FEW));
	ck_assert_msg(rejected_in_use() <= before + REJECTED_NOISE, "%s: %zu bytes, and then %zu",
		      k->name, before, rejected_in_use());
	if (k->why != OK) /* the kind is what it is called */
		ck_assert_uint_ge(ike_engine_stats(s->p->end[RIGHT].e)->dropped[k->why], FEW / 3);
	ck_assert_uint_eq(s->n_down, 0);
	ck_assert_uint_eq(pair_sas(s->p, LEFT), 1);
	ck_assert_uint_eq(pair_sas(s->p, RIGHT), 1);
	pair_expect_children(s->p, 1);
	scene_free(s);
}
END_TEST

/* Handshakes that end at the proof, from many places, each with an SA, keys and jobs. */
START_TEST(proofs_that_fail_leave_nothing)
{
	struct pair *p = pair_new(
		pair_psk(LEFT, ""),
		"me {\n identity = right.example.org\n}\n"
		"connection site {\n address = any\n identity = left.example.org\n auth = psk\n"
		" psk_file = site.psk\n"
		" child net {\n  local = 10.2.0.0/16\n  remote = 10.1.0.0/16\n }\n}\n");
	uint32_t n = rejected_count(FEW) / 10;
	size_t before = 0;

	p->end[LEFT].psk = "not the key that is configured";
	p->nat = p->end[LEFT].addr;
	for (uint32_t i = 0; i < n; i++) {
		p->nat.b[1] = (uint8_t)(i >> 8);
		p->nat.b[2] = (uint8_t)i;
		pair_up(p, LEFT, "site");
		pair_run(p, 2 * NS_PER_S);
		pair_down(p, LEFT, "site");
		ck_assert_ptr_nonnull(pair_note(p, RIGHT, IKE_NOTE_REFUSED));
		p->end[LEFT].n_notes = p->end[RIGHT].n_notes = 0;
		if (i == n / 3)
			before = rejected_in_use();
	}
	pair_run(p, 120 * NS_PER_S);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 0);
	ck_assert_uint_le(rejected_in_use(), before + REJECTED_NOISE);
	pair_free(p);
}
END_TEST

/* A leak of a few bytes for each packet is seen. */
START_TEST(control_a_leak_would_be_seen)
{
	size_t before = rejected_in_use();
	void **kept = NULL;

	for (int i = 0; i < FEW; i++) {
		void **one = malloc(sizeof(*one));

		ck_assert_ptr_nonnull(one);
		*one = kept;
		kept = one;
	}
	ck_assert_uint_gt(rejected_in_use(), before + REJECTED_NOISE);
	while (kept) {
		void *next = *kept;

		free(kept);
		kept = next;
	}
}
END_TEST

UNIT("ike/engine-rejected")
{
	tcase_set_timeout(tc, rejected_timeout());
	tcase_add_loop_test(tc, what_is_rejected_leaves_nothing, 0, N_KINDS);
	tcase_add_test(tc, proofs_that_fail_leave_nothing);
	tcase_add_test(tc, control_a_leak_would_be_seen);
}
