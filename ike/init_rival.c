/* SPDX-License-Identifier: Apache-2.0 */
/* See init_rival.h. */
#include "ike/init_rival.h"

#include <stdlib.h>

#include "ike/auth.h"
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/exchange_init.h"
#include "ike/init_message.h"
#include "ike/note.h"
#include "ike/rules.h"

void rivals_free(struct init_rivals *r)
{
	for (size_t i = 0; r && i < r->n; i++)
		packets_free(&r->v[i].response);
	free(r);
}

/* ---- keeping ---- */

bool rival_was_followed(const struct ike_sa *sa, uint64_t spi_r)
{
	const struct init_rivals *r = sa->hs->rivals;

	for (size_t i = 0; r && i < r->n_followed; i++) {
		if (r->followed[i] == spi_r)
			return true;
	}
	return false;
}

/* An answer of the same responder, or one that takes its name. */
static bool is_known(const struct ike_sa *sa, uint64_t spi_r)
{
	const struct init_rivals *r = sa->hs->rivals;

	if (sa->spi_r == spi_r || rival_was_followed(sa, spi_r))
		return true;
	for (size_t i = 0; r && i < r->n; i++) {
		if (r->v[i].spi_r == spi_r)
			return true;
	}
	return false;
}

/* As good as the one that is followed: what does not fit must not take the place of one that does.
 */
static enum err judge(struct ike_sa *sa, const struct message *m)
{
	const struct rule *rule = rules_find(X_IKE_SA_INIT, RESPONSE, S_INIT_SENT, m->present);

	if (!rule || rule->handler != init_on_response || m->h.message_id != 0)
		return ERR_UNEXPECTED;
	return is_known(sa, m->h.spi_r) ? ERR_REPLAY : init_fits(sa, m);
}

enum err rival_keep(struct ike_engine *e, const struct path *p, const struct message *m)
{
	struct ike_sa *sa = header_from_initiator(&m->h) ? NULL : sa_find(e, m->h.spi_i);
	struct init_rivals *r;
	enum err err;

	if (!sa || !sa->initiator || sa->state != S_AUTH_SENT || !sa->hs || sa->hs->restored)
		return ERR_UNEXPECTED;
	err = judge(sa, m);
	if (err != OK)
		return err;
	r = sa->hs->rivals ? sa->hs->rivals : calloc(1, sizeof(*r));
	sa->hs->rivals = r;
	if (!r)
		return ERR_NOMEM;
	if (r->n + r->n_followed >= INIT_RIVALS_MAX)
		return ERR_LIMIT;
	err = packets_set(&r->v[r->n].response, m->raw);
	if (err != OK)
		return err;
	r->v[r->n].spi_r = m->h.spi_r;
	r->v[r->n++].path = *p;
	return OK;
}

bool rival_waits(const struct ike_sa *sa)
{
	return sa->initiator && sa->state == S_AUTH_SENT && sa->hs && sa->hs->rivals &&
	       sa->hs->rivals->n > 0;
}

/* ---- following ---- */

static void take_first(struct init_rivals *r, struct packets *response, struct path *path)
{
	*response = r->v[0].response;
	*path = r->v[0].path;
	r->n--;
	for (size_t i = 0; i < r->n; i++)
		r->v[i] = r->v[i + 1];
	r->v[r->n].response = (struct packets){ 0 };
}

/* Only from 500 does an answer that tells of a NAT lead to 4500 (2.23), and it may have lied. */
static void forget_nat(struct ike_sa *sa)
{
	uint16_t port = sa->conn->conf->port;

	if (port != 0 && port != PORT_IKE)
		return;
	sa->path.local.port = PORT_IKE;
	sa->path.remote.port = PORT_IKE;
}

/* Back to where our request waits for its answer. */
static enum err rewind_handshake(struct ike_sa *sa)
{
	struct handshake *hs = sa->hs;
	struct packets request = { 0 };
	enum err err = packets_set(&request, packets_span(&hs->chosen->request));

	if (err != OK)
		return err;
	ticket_drop(sa->e, &hs->ticket);
	hs->wait = WAIT_NONE;
	if (hs->auth && hs->auth->deal.child)
		child_free(hs->auth->deal.child);
	auth_free(hs->auth);
	hs->auth = NULL;
	ike_keys_wipe(&sa->keys);
	hs->keyed = false;
	packets_free(&hs->response);
	hs->nr = hs->peer_ke = SPAN_EMPTY;
	sa_drop_fragments(sa);
	forget_nat(sa);
	hs->rivals->followed[hs->rivals->n_followed++] = sa->spi_r;
	sa->spi_r = 0;
	sa->state = S_INIT_SENT;
	window_back(&sa->window, &request);
	retransmit_start(&sa->rt, &sa->e->env.random, sa->e->now);
	return OK;
}

static struct step try(struct ike_sa *sa, const struct path *path, struct span response)
{
	struct message m;
	struct turn t = { .e = sa->e, .sa = sa, .path = path, .m = &m };
	enum err err = message_decode(response, &m);

	return err == OK ? init_on_response(&t) : step_drop(err);
}

static struct step end_for(struct ike_sa *sa, enum err err)
{
	struct ike_note n = note_of_sa(sa, IKE_NOTE_REFUSED, err);

	note_print(n.text, sizeof(n.text), "another answer could not be followed: %s",
		   err_text(err));
	note_refused(sa, &n);
	return step_fatal(err, 0);
}

/* One that is dropped after all leaves our request waiting for its answer, as it was before. */
struct step rival_follow(struct ike_sa *sa)
{
	struct packets response;
	struct path path;
	struct step s;
	enum err err = rewind_handshake(sa);

	if (err != OK)
		return end_for(sa, err);
	note_hint(
		sa, ERR_PEER_AUTH,
		"the answer to IKE_SA_INIT proves nothing (perhaps forged): there is another one");
	do {
		take_first(sa->hs->rivals, &response, &path);
		s = try(sa, &path, packets_span(&response));
		packets_free(&response);
	} while (s.kind == STEP_DROP && sa->hs->rivals->n > 0);
	return s.kind == STEP_DROP ? step_done() : s;
}
