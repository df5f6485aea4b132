/* SPDX-License-Identifier: Apache-2.0 */
/* See mallory.h. The linker puts our init_put_abilities in the place of the engine's (--wrap): that
 * is how the defence is switched off without a switch in the engine. */
#include "tests/sim/mallory.h"

#include <string.h>

#include "crypto/ke.h"
#include "ike/init_message.h"
#include "ike/protect.h"
#include "ike/transcript.h"
#include "tests/sim/insider.h"
#include "tests/sim/world.h"

static const uint8_t announcement[] = { 0, 8, 0, 0, 16447 >> 8, 16447 & 0xff };

/* ---- the switch ---- */

static bool switched_off;

void __real_init_put_abilities(struct builder *b);
void __wrap_init_put_abilities(struct builder *b);

void mallory_switch_off(bool off)
{
	switched_off = off;
}

static uint8_t *find(uint8_t *bytes, size_t n, const void *what, size_t len)
{
	for (size_t i = 0; i + len <= n; i++) {
		if (memcmp(bytes + i, what, len) == 0)
			return bytes + i;
	}
	return NULL;
}

uint8_t *mallory_find(struct sim_packet *p, const void *what, size_t len)
{
	return find(p->bytes, p->len, what, len);
}

/* The notify becomes one that nobody knows. */
static bool strip(uint8_t *bytes, size_t n)
{
	uint8_t *at = find(bytes, n, announcement, sizeof(announcement));

	if (at)
		at[5] = 0xfe;
	return at != NULL;
}

void __wrap_init_put_abilities(struct builder *b)
{
	__real_init_put_abilities(b);
	if (switched_off)
		(void)strip(b->w.start, wr_len(&b->w));
}

/* ---- IKE_SA_INIT ---- */

static void keep(uint8_t to[static MALLORY_ROOM], size_t *len, const struct sim_packet *p)
{
	*len = p->len < MALLORY_ROOM ? p->len : MALLORY_ROOM;
	memcpy(to, p->bytes, *len);
}

static struct span sent(const struct mallory_message *m)
{
	return span_of(m->sent, m->sent_len);
}

static struct span passed(const struct mallory_message *m)
{
	return span_of(m->passed, m->passed_len);
}

static bool read_init(struct span bytes, struct message *m, struct init_views *v)
{
	return message_decode(bytes, m) == OK && message_has(m, PL_KE) &&
	       init_views_decode(m, v) == OK;
}

static struct suite weak_suite(void)
{
	return (struct suite){ .encr = encr_by_keyword("aes256gcm16"),
			       .prf = prf_by_keyword("prfsha384"),
			       .ke = ke_by_keyword("modp4096") };
}

/* "Give me the weak group." */
static void ask_for_weak(struct sim *s, const struct ike_header *of, const struct path *path)
{
	static const uint8_t group[] = { 0, KE_MODP_4096 };
	struct ike_header h = *of;
	uint8_t bytes[256];
	struct span datagram;
	struct builder b;

	h.flags = FLAG_RESPONSE;
	b = builder_message(bytes, sizeof(bytes), &h);
	builder_notify(&b, NOTIFY_INVALID_KE_PAYLOAD, span_of(group, sizeof(group)));
	if (builder_finish(&b, &datagram) == OK)
		sim_inject(s, LEFT, path, datagram);
}

bool mallory_break(struct span request, struct span response, struct ike_keys *keys)
{
	struct suite suite = weak_suite();
	uint8_t secret[KE_SECRET_MAX] = { 0 };
	struct message asked, answered;
	struct init_views i, r;
	struct keymat_seed seed = { .g_ir = span_of(secret, suite.ke->secret_len) };

	if (!read_init(request, &asked, &i) || !read_init(response, &answered, &r))
		return false;
	seed.ni = i.nonce;
	seed.nr = r.nonce;
	seed.spi_i = answered.h.spi_i;
	seed.spi_r = answered.h.spi_r;
	return jobs_secret(i.ke.data, r.ke.data, secret) == OK &&
	       keymat_ike(&suite, &seed, keys) == OK;
}

static bool on_request(struct sim *s, struct sim_packet *p, struct mallory *m)
{
	struct path back = sim_path_to(s, LEFT, 500);
	struct init_views v;
	struct message msg;

	if (!read_init(span_of(p->bytes, p->len), &msg, &v))
		return true;
	if (v.ke.group != KE_MODP_4096) {
		ask_for_weak(s, &msg.h, &back);
		return false;
	}
	keep(m->request.sent, &m->request.sent_len, p);
	if (!m->change_response)
		m->change(p);
	if (m->strip_request)
		(void)strip(p->bytes, p->len);
	keep(m->request.passed, &m->request.passed_len, p);
	p->trust = FORGED;
	return true;
}

static bool on_response(struct sim *s, struct sim_packet *p, struct mallory *m)
{
	struct init_views v;
	struct message msg;

	if (!read_init(span_of(p->bytes, p->len), &msg, &v))
		return true;
	keep(m->response.sent, &m->response.sent_len, p);
	sim_must(s, mallory_break(passed(&m->request), sent(&m->response), &m->keys),
		 "mallory cannot break the group");
	if (m->change_response)
		m->change(p);
	if (m->strip_response)
		(void)strip(p->bytes, p->len);
	keep(m->response.passed, &m->response.passed_len, p);
	p->trust = FORGED;
	return true;
}

/* ---- IKE_AUTH ---- */

static bool announced(struct span bytes)
{
	struct message m;

	return message_decode(bytes, &m) == OK &&
	       message_notify(&m, NOTIFY_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, NULL);
}

/* What the end that judges this AUTH takes for the messages: what it sent, and what came to it. */
static enum err sign(const struct mallory *m, struct span id_body,
		     uint8_t out[static SIM_PROOF_LEN])
{
	bool r = m->of_responder;
	struct message msg;
	struct init_views i_views, r_views;
	struct transcript t = { .prf = weak_suite().prf,
				.request = r ? sent(&m->request) : passed(&m->request),
				.response = r ? passed(&m->response) : sent(&m->response) };
	uint8_t octets[2 * MALLORY_ROOM + 256];
	struct wr w = wr_into(octets, sizeof(octets));
	struct message request;
	enum err err;

	if (!read_init(t.request, &request, &i_views) || !read_init(t.response, &msg, &r_views))
		return ERR_SYNTAX;
	t.ni = i_views.nonce;
	t.nr = r_views.nonce;
	t.full = announced(t.request) && announced(t.response);
	err = r ? transcript_responder(&t, &m->keys.pr, id_body, &w)
		: transcript_initiator(&t, &m->keys.pi, id_body, &w);
	return err == OK ? jobs_sign(m->key_of, wr_done(&w), out) : err;
}

static struct sk_keys keys_from(const struct mallory *m, bool initiator)
{
	return (struct sk_keys){ .encr = weak_suite().encr,
				 .encr_key = initiator ? m->keys.ei : m->keys.er,
				 .next_iv = UINT64_C(1) << 32 };
}

/* Identity and AUTH of the plain chain become his; both stay as long as they were. */
static bool replace(const struct mallory *m, const struct ike_header *h, uint8_t *plain,
		    const struct inner *in)
{
	struct span id, auth;
	struct message msg;
	uint8_t proof[SIM_PROOF_LEN];
	size_t len = strlen(m->key_of);

	if (message_decode_inner(h, in, &msg) != OK)
		return false;
	id = message_body(&msg, m->of_responder ? PL_IDR : PL_IDI);
	auth = message_body(&msg, PL_AUTH);
	if (id.len != 4 + len || auth.len != 4 + sizeof(proof))
		return false;
	memcpy(plain + (id.p - in->chain.p) + 4, m->key_of, len);
	if (sign(m, id, proof) != OK)
		return false;
	memcpy(plain + (auth.p - in->chain.p) + 4, proof, sizeof(proof));
	return true;
}

static void forge(struct mallory *m, struct sim_packet *p)
{
	struct sk_keys k = keys_from(m, !m->of_responder);
	uint8_t plain[MALLORY_ROOM], sealed[MALLORY_ROOM];
	struct wr pw = wr_into(plain, sizeof(plain)), sw = wr_into(sealed, sizeof(sealed));
	struct message msg;
	struct inner in;

	if (message_decode(span_of(p->bytes, p->len), &msg) != OK ||
	    protect_open(&k, &msg, &pw, &in) != OK || !replace(m, &msg.h, plain, &in) ||
	    protect_seal(&k, &msg.h, &in, &sw) != OK || wr_len(&sw) != p->len)
		return;
	memcpy(p->bytes, sealed, p->len);
	m->n_forged++;
}

bool mallory_middle(struct sim *s, struct sim_packet *p, void *ctx)
{
	struct mallory *m = ctx;
	struct ike_header h;

	if (header_decode(span_of(p->bytes, p->len), &h) != OK)
		return true;
	if (h.exchange == X_IKE_SA_INIT)
		return header_is_response(&h) ? on_response(s, p, m) : on_request(s, p, m);
	if (h.exchange == X_IKE_AUTH && header_is_response(&h) == m->of_responder)
		forge(m, p);
	return true;
}

bool mallory_reads(const struct sim *s, const struct mallory *m, enum side side)
{
	const struct ike_sa *sa = insider_sa(s, side);

	return sa && span_eq(key_span(&sa->keys.d), key_span(&m->keys.d));
}
