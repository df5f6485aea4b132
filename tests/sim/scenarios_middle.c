/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody in the middle changes IKE_SA_INIT, which nothing protects while it is under way. What
 * both ends saw is signed at the end of the handshake, so neither may ever come up; and when he is
 * gone the tunnel comes up by itself. */
#include <string.h>

#include "ike/header.h"
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

static const struct sim_conf psk = SITE(PSK ALWAYS, PSK MANUAL);
static const struct sim_conf certificates = SITE(CERT ALWAYS, CERT MANUAL);
static const struct sim_conf require =
	SITE(PSK ALWAYS " full_transcript = require\n", PSK MANUAL " full_transcript = require\n");

/* What he does, and to which of the two messages. */
struct middle {
	void (*change)(struct sim *s, struct sim_packet *p);
	bool request, response;
	uint32_t changed;
};

static bool in_the_middle(struct sim *s, struct sim_packet *p, void *ctx)
{
	struct middle *m = ctx;
	struct ike_header h;

	if (header_decode(span_of(p->bytes, p->len), &h) != OK || h.exchange != X_IKE_SA_INIT)
		return true;
	if (header_is_response(&h) ? !m->response : !m->request)
		return true;
	m->change(s, p);
	p->trust = FORGED;
	m->changed++;
	return true;
}

/* ---- changes ---- */

static uint8_t *find(struct sim_packet *p, const void *what, size_t len)
{
	for (size_t i = 0; i + len <= p->len; i++) {
		if (memcmp(p->bytes + i, what, len) == 0)
			return p->bytes + i;
	}
	return NULL;
}

/* The notify 16447 becomes one that nobody knows: for both ends it is not there. */
static void strip_transcript(struct sim *s, struct sim_packet *p)
{
	static const uint8_t notify[] = { 0, 8, 0, 0, 16447 >> 8, 16447 & 0xff };
	uint8_t *at = find(p, notify, sizeof(notify));

	sim_must(s, at != NULL, "the notify 16447 is not announced");
	if (at)
		at[5] = 0xfe;
}

/* AES-256 becomes AES-128, which stands in the offer as well. */
static void weaken_offer(struct sim *s, struct sim_packet *p)
{
	static const uint8_t key_length[] = { 0x80, 14, 1, 0 };
	uint8_t *at = find(p, key_length, sizeof(key_length));

	(void)s;
	if (!at)
		return;
	at[2] = 0;
	at[3] = 128;
}

static void change_byte(struct sim *s, struct sim_packet *p)
{
	uint32_t at = sim_draw(s, 0, (uint32_t)p->len - 1);

	p->bytes[at] ^= (uint8_t)sim_draw(s, 1, 255);
}

static void change_bit(struct sim *s, struct sim_packet *p)
{
	uint32_t at = sim_draw(s, IKE_HEADER_LEN * 8, (uint32_t)p->len * 8 - 1);

	p->bytes[at / 8] ^= (uint8_t)(1u << at % 8);
}

/* The nonce is the last thing but the notifies: its body, so that all the rest fits. */
static void change_nonce(struct sim *s, struct sim_packet *p)
{
	static const uint8_t nonce[] = { PL_NOTIFY, 0, 0, 36 };
	uint8_t *at = find(p, nonce, sizeof(nonce));

	sim_must(s, at != NULL, "there is no nonce");
	if (at)
		at[4 + sim_draw(s, 0, 31)] ^= (uint8_t)sim_draw(s, 1, 255);
}

/* ---- stories ---- */

static void never_while(struct sim *s, struct middle *m)
{
	sim_set_middle(s, in_the_middle, m);
	sim_run_s(s, 100);
	sim_must(s, m->changed > 0, "nothing was changed");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 0, "left is up with somebody in the middle");
	sim_must(s, sim_notes(s, RIGHT, IKE_NOTE_UP) == 0,
		 "right is up with somebody in the middle");
	sim_set_middle(s, NULL, NULL);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

static void strips_transcript(struct sim *s)
{
	uint32_t which = sim_draw(s, 1, 3);
	struct middle m = { .change = strip_transcript,
			    .request = which & 1,
			    .response = which & 2 };

	never_while(s, &m);
}

static void weakens_offer(struct sim *s)
{
	struct middle m = { .change = weaken_offer, .request = true };

	never_while(s, &m);
}

static void changes_request(struct sim *s)
{
	struct middle m = { .change = sim_draw(s, 0, 1) ? change_byte : change_bit,
			    .request = true };

	never_while(s, &m);
}

static void changes_response(struct sim *s)
{
	struct middle m = { .change = sim_draw(s, 0, 1) ? change_byte : change_bit,
			    .response = true };

	never_while(s, &m);
}

static void changes_nonces(struct sim *s)
{
	uint32_t which = sim_draw(s, 1, 3);
	struct middle m = { .change = change_nonce, .request = which & 1, .response = which & 2 };

	never_while(s, &m);
}

#define LINK DELAYS(1, 50)

const struct sim_scenario scenarios_middle[] = {
	{ "strips-16447", "full-transcript authentication is stripped from either or both",
	  strips_transcript, &psk, LINK, 0 },
	{ "strips-16447-required", "... where it is required", strips_transcript, &require, LINK,
	  0 },
	{ "weakens-offer", "the strongest cipher is taken out of the offer", weakens_offer,
	  &certificates, LINK, 0 },
	{ "changes-request", "any byte of the request", changes_request, &psk, LINK, 0 },
	{ "changes-request-certificates", "... with certificates", changes_request, &certificates,
	  LINK, 0 },
	{ "changes-response", "any byte of the response", changes_response, &psk, LINK, 0 },
	{ "changes-response-certificates", "... with certificates", changes_response, &certificates,
	  LINK, 0 },
	{ "changes-nonces", "a nonce", changes_nonces, &certificates, LINK, 0 },
	{ 0 },
};
