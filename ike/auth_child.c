/* SPDX-License-Identifier: Apache-2.0 */
/* The first Child SA of an IKE SA, which IKE_AUTH makes along (RFC 7296 1.2): its keys come from
 * the nonces of IKE_SA_INIT (2.17). All others are CREATE_CHILD_SA's, and so is the first where the
 * connection wants that and the peer can do without one along (RFC 6023). */
#include "ike/auth.h"
#include "ike/carry.h"
#include "ike/child.h"
#include "ike/connection.h"

/* The first that can be carried, of those that a packet waits for, then of those that shall be up,
 * then of those that may be. NULL: there is none, and *n says why. */
static const struct conf_child *first_wanted(const struct ike_sa *sa, struct ike_note *n)
{
	const struct conn *c = sa->conn;
	char why[CONF_PLANE_WHY_MAX];

	for (int rank = 0; rank < 3; rank++) {
		for (size_t i = 0; i < c->conf->n_children; i++) {
			const struct conn_child *child = &c->children[i];

			if (child->down || (rank == 0 && !child->acquire.waits) ||
			    (rank == 1 && !child->due))
				continue;
			if (carry_judge_path(sa, child->conf, why) == OK)
				return child->conf;
			note_print(n->child, sizeof(n->child), "%s", child->conf->name);
			carry_explain(child->conf, why, n);
		}
	}
	return NULL;
}

enum err auth_child_begin(struct ike_sa *sa, struct ike_note *n)
{
	const struct conf_child *conf = first_wanted(sa, n);

	if (!conf)
		return n->text[0] ? ERR_UNSUPPORTED : ERR_CONFIG;
	/* What was said about one that cannot be carried is not about this one. */
	*n = note_of_sa(sa, IKE_NOTE_REFUSED, OK);
	sa->hs->auth->alone = sa->conn->conf->childless && sa->hs->childless;
	return sa->hs->auth->alone ? OK : deal_begin(sa, &sa->hs->auth->deal, conf, n);
}

bool auth_child_fits(const struct auth *a)
{
	if (a->alone)
		return !message_has(&a->m, PL_SA);
	return message_has(&a->m, PL_SA) || message_has(&a->m, PL_NOTIFY);
}

static enum err install(struct ike_sa *sa)
{
	struct deal *d = &sa->hs->auth->deal;
	struct keymat_seed seed = { .ni = sa->hs->ni, .nr = sa->hs->nr };

	return child_install_inbound(d->child, &d->chosen, &seed);
}

void auth_child_answered(struct ike_sa *sa)
{
	struct auth *a = sa->hs->auth;
	struct pl_notify refusal = { .type = NOTIFY_NO_PROPOSAL_CHOSEN };
	enum err err;

	if (a->alone)
		return;
	if (!message_has(&a->m, PL_SA)) {
		(void)message_error(&a->m, &refusal);
		deal_refused(sa, &a->deal, refusal.type);
		return;
	}
	err = deal_take_answer(sa, &a->deal, &a->m);
	if (err == OK)
		err = install(sa);
	if (err != OK)
		deal_unfit(sa, &a->deal, err);
	a->deal.child = NULL;
}

bool auth_child_is_asked(const struct ike_sa *sa)
{
	return message_has(&sa->hs->auth->m, PL_SA);
}

enum err auth_child_respond(struct ike_sa *sa)
{
	struct auth *a = sa->hs->auth;
	enum err err = deal_choose(sa, &a->deal, &a->m);
	struct ike_note n;

	if (err != OK)
		return err;
	err = install(sa);
	if (err == OK)
		return OK;
	n = deal_note(sa, a->deal.child->conf);
	n.err = err;
	deal_failed(sa, &a->deal, &n);
	return err;
}

void auth_child_put_response(struct ike_sa *sa, struct builder *b)
{
	const struct deal *d = &sa->hs->auth->deal;

	if (!auth_child_is_asked(sa))
		return;
	if (!d->child) {
		builder_notify(b, d->notify, SPAN_EMPTY);
		return;
	}
	deal_put_answer(sa, d, b);
	deal_put_selectors(&d->child->ts, b);
}
