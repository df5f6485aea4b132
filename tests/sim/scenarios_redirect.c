/* SPDX-License-Identifier: Apache-2.0 */
/* LEFT follows redirects (RFC 5685), and somebody who sees its requests would lead it astray: there
 * is nothing wrong with what he says, but for who says it. */
#include <string.h>

#include "ike/message.h"
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

#define FOLLOW " redirect = follow\n"

static const struct sim_conf follow = SITE(CERT ALWAYS FOLLOW, CERT MANUAL);

/* To an address where nobody is. */
static void redirect(struct sim *s, const struct message *m)
{
	static const uint8_t nowhere[] = { 1, 4, 203, 0, 113, 77 };
	struct path path = sim_path_to(s, LEFT, 500);
	struct ike_header h = m->h;
	uint8_t buf[512], body[300];
	struct wr w = wr_into(body, sizeof(body));
	struct builder b;
	struct span out;

	h.flags = FLAG_RESPONSE;
	b = builder_message(buf, sizeof(buf), &h);
	wr_span(&w, span_of(nowhere, sizeof(nowhere)));
	wr_span(&w, message_body(m, PL_NONCE));
	builder_notify(&b, NOTIFY_REDIRECT, wr_done(&w));
	if (builder_finish(&b, &out) == OK)
		sim_inject(s, LEFT, &path, out);
}

static bool lead_astray(struct sim *s, struct sim_packet *p, void *ctx)
{
	size_t *n = ctx;
	struct message m;

	if (p->from != LEFT || message_decode(span_of(p->bytes, p->len), &m) != OK ||
	    m.h.exchange != X_IKE_SA_INIT || header_is_response(&m.h))
		return true;
	++*n;
	redirect(s, &m);
	return true;
}

/* On a good link the true answer is soon enough; on a bad one he has his way five times at most. */
static void led_astray(struct sim *s)
{
	size_t n = 0;

	sim_set_middle(s, lead_astray, &n);
	sim_crash(s, LEFT);
	sim_restart(s, LEFT);
	sim_run_s(s, s->net.loss > 0 ? 600 : 5);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s, n > 0, "he said nothing");
	sim_must(s, s->net.loss > 0 || sim_notes(s, LEFT, IKE_NOTE_REFUSED) == 0,
		 "LEFT went astray");
	sim_set_middle(s, NULL, NULL);
}

const struct sim_scenario scenarios_redirect[] = {
	{ "redirect-forged", "an observer sends us elsewhere, and we come up", led_astray, &follow,
	  DELAYS(1, 100), 0 },
	{ "redirect-forged-lossy", "... over a bad link", led_astray, &follow, LOSSY, 0 },
	{ 0 },
};
