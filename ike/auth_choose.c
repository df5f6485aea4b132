/* SPDX-License-Identifier: Apache-2.0 */
/* Whose connection is it: what the peer says of itself and of us, and where it is, against the
 * configuration. What it says is proved afterwards, against the connection that was chosen here; so
 * a wrong choice refuses a peer, it never lets one in. */
#include "ike/auth.h"
#include "ike/connection.h"

/* How well they fit; 0: not at all. */
static unsigned fit_identity(const struct identity *wanted, const struct identity *said)
{
	if (identity_eq(wanted, said))
		return 3;
	/* Names have several encodings; whether they mean the same is certs/' to say. */
	if (wanted->type == ID_DER_ASN1_DN && said->type == ID_DER_ASN1_DN)
		return 2;
	return wanted->type == ID_NONE ? 1 : 0;
}

static unsigned fit(const struct conn *c, const struct ike_sa *sa, const struct identity *asked)
{
	const struct conf_connection *cn = c->conf;
	const struct auth *a = sa->hs->auth;
	unsigned peer = fit_identity(&cn->identity, &a->claimed);
	unsigned own = asked->type == ID_NONE ? 1 : fit_identity(&cn->local_identity, asked);
	bool same_kind = (a->peer_auth.method == AUTH_PSK) == (cn->auth == CONF_AUTH_PSK);

	if (c->down || !conn_is_at(c, &sa->path.remote.addr) || peer == 0 || own == 0)
		return 0;
	return 16 * peer + 4 * own + (cn->any_address ? 0u : 2u) + (same_kind ? 1u : 0u);
}

/* Of the connections for its address the one that it misses by least: that wants such a peer, then
 * that is whom it asks for. */
static const struct conn *nearest(const struct ike_sa *sa, const struct identity *asked)
{
	const struct conn *best = NULL;
	unsigned best_fit = 0;

	for (size_t i = 0; i < sa->e->n_conns; i++) {
		const struct conn *c = sa->e->conns[i];
		unsigned f = 1;

		if (c->down || !conn_is_at(c, &sa->path.remote.addr))
			continue;
		f += fit_identity(&c->conf->identity, &sa->hs->auth->claimed) > 0 ? 2 : 0;
		f += asked->type == ID_NONE || fit_identity(&c->conf->local_identity, asked) > 0;
		if (f > best_fit)
			best = c;
		best_fit = f > best_fit ? f : best_fit;
	}
	return best;
}

/* It is whom we want, and wants somebody else than us. */
static void explain_own(const struct conf_connection *cn, const struct identity *asked,
			struct ike_note *n)
{
	char text[IDENTITY_TEXT_MAX], own[IDENTITY_TEXT_MAX];

	note_print(n->wanted, sizeof(n->wanted), "to be asked for %s",
		   identity_text(&cn->local_identity, own));
	note_print(n->text, sizeof(n->text), "the peer wants us to be %.100s, and we are %.100s",
		   identity_text(asked, text), own);
	note_print(
		n->fix, sizeof(n->fix),
		"set `local_identity = %.100s` of the connection, or whom the peer wants to %.100s",
		text, own);
	n->line = cn->pos.line;
}

static void explain_peer(const struct conf_connection *cn, const struct identity *claimed,
			 struct ike_note *n)
{
	char text[IDENTITY_TEXT_MAX], wanted[IDENTITY_TEXT_MAX];

	note_print_identity(n->wanted, sizeof(n->wanted), &cn->identity);
	note_print(n->text, sizeof(n->text),
		   "the peer calls itself %.100s, and the configuration wants %.100s",
		   identity_text(claimed, text), identity_text(&cn->identity, wanted));
	note_print(
		n->fix, sizeof(n->fix),
		"set `identity = %.100s` here, if it is the right machine, or the peer's own to %.100s",
		text, wanted);
	n->line = cn->identity_pos.line;
}

/* To the operator alone; the peer has proved nothing yet. */
static void explain(const struct ike_sa *sa, const struct identity *asked, struct ike_note *n)
{
	const struct identity *claimed = &sa->hs->auth->claimed;
	const struct conn *c = nearest(sa, asked);
	char text[IDENTITY_TEXT_MAX];

	n->err = ERR_UNKNOWN_PEER;
	n->identity = *claimed;
	note_print_identity(n->got, sizeof(n->got), claimed);
	if (asked->type != ID_NONE)
		note_print(n->offered, sizeof(n->offered), "it takes us for %s",
			   identity_text(asked, text));
	if (!c) {
		note_print(n->text, sizeof(n->text),
			   "no connection is for the address of this peer, which calls itself %s",
			   n->got);
		note_print(n->fix, sizeof(n->fix),
			   "write its `address` and `identity` into a connection");
		return;
	}
	note_print(n->connection, sizeof(n->connection), "%s", c->conf->name);
	if (fit_identity(&c->conf->identity, claimed) > 0 && asked->type != ID_NONE)
		explain_own(c->conf, asked, n);
	else
		explain_peer(c->conf, claimed, n);
}

struct conn *auth_choose(struct ike_sa *sa, const struct identity *asked, struct ike_note *n)
{
	struct conn *best = NULL;
	unsigned best_fit = 0;

	for (size_t i = 0; i < sa->e->n_conns; i++) {
		unsigned f = fit(sa->e->conns[i], sa, asked);

		if (f <= best_fit)
			continue;
		best = sa->e->conns[i];
		best_fit = f;
	}
	if (!best)
		explain(sa, asked, n);
	return best;
}

const struct conf_connection *auth_decoy(const struct ike_sa *sa)
{
	bool psk = sa->hs->auth->peer_auth.method == AUTH_PSK;

	for (size_t i = 0; i < sa->e->n_conns; i++) {
		const struct conf_connection *cn = sa->e->conns[i]->conf;

		if ((cn->auth == CONF_AUTH_PSK) == psk)
			return cn;
	}
	return NULL;
}

bool auth_floor_holds(const struct suite_policy *p, const struct suite *s)
{
	bool encr = false, integ = s->integ == NULL, prf = false, ke = false;

	for (size_t i = 0; i < SUITE_ENCR_MAX && p->encr[i]; i++)
		encr = encr || p->encr[i] == s->encr;
	for (size_t i = 0; i < SUITE_INTEG_MAX && p->integ[i]; i++)
		integ = integ || p->integ[i] == s->integ;
	for (size_t i = 0; i < SUITE_PRF_MAX && p->prf[i]; i++)
		prf = prf || p->prf[i] == s->prf;
	for (size_t i = 0; i < SUITE_KE_MAX && p->ke[i]; i++)
		ke = ke || p->ke[i] == s->ke;
	return encr && integ && prf && ke;
}
