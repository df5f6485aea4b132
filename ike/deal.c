/* SPDX-License-Identifier: Apache-2.0 */
/* What both roles of a deal share: see deal.h. */
#include "ike/deal.h"

#include "ike/carry.h"
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/peer.h"
#include "ike/rekey.h"

void deal_free(struct deal *d)
{
	child_offer_free(&d->offer);
}

struct proposal_want deal_want(const struct ike_sa *sa, const struct deal *d,
			       const struct conf_child *conf, struct suite_policy *room)
{
	struct proposal_want want = carry_want(sa, conf, room);

	/* Peers do it with a group of its own or without, and few can say so beforehand: ours
	 * comes first, and none at all is as good as the first child of an IKE SA. */
	want.with_ke = d->with_ke && room->ke[0];
	want.ke_optional = want.with_ke;
	want.one = d->ours && sa->conn->conf->propose == CONF_PROPOSE_ONE;
	return want;
}

enum err deal_judge_spi(const struct ike_sa *sa, uint64_t spi)
{
	if (spi < ESP_SPI_MIN || spi > UINT32_MAX)
		return ERR_SYNTAX;
	for (const struct ike_sa *s = peer_first(sa); s; s = s->peer_next) {
		if (child_find_out(s, (uint32_t)spi))
			return ERR_EXISTS;
	}
	return OK;
}

uint16_t deal_notify(const struct deal *d, enum err err)
{
	uint16_t notify = err_row(err)->notify;

	/* Selectors that are taken by another (or an SPI, which the next attempt draws anew). */
	if (err == ERR_TS || err == ERR_EXISTS)
		return NOTIFY_TS_UNACCEPTABLE;
	return d->fresh && notify != 0 ? notify : NOTIFY_NO_PROPOSAL_CHOSEN;
}

void deal_put_selectors(const struct ts_pair *ts, struct builder *b)
{
	ts_payload_encode(builder_begin(b, PL_TSI), &ts->i);
	builder_end(b);
	ts_payload_encode(builder_begin(b, PL_TSR), &ts->r);
	builder_end(b);
}

struct ike_note deal_note(const struct ike_sa *sa, const struct conf_child *conf)
{
	struct ike_note n = note_of_sa(sa, IKE_NOTE_CHILD_FAILED, OK);

	if (conf) {
		note_print(n.child, sizeof(n.child), "%s", conf->name);
		n.line = conf->pos.line;
	}
	return n;
}

void deal_failed(struct ike_sa *sa, struct deal *d, struct ike_note *n)
{
	if (d->child)
		child_free(d->child);
	d->child = NULL;
	d->notify = deal_notify(d, n->err);
	n->kind = rekey_find(sa, d->replaces) ? IKE_NOTE_REKEY_FAILED : IKE_NOTE_CHILD_FAILED;
	n->initiator = d->ours;
	if (n->text[0] == 0)
		note_print(n->text, sizeof(n->text), "%s", err_text(n->err));
	conn_remember(sa->conn, n);
	note_tell(sa->e, n);
}

void deal_put_off(struct ike_sa *sa, const struct deal *d, const struct conf_child *conf,
		  enum err err)
{
	rekey_or_child_failed(sa, d->replaces, conf, err);
}

void deal_not_installed(struct ike_sa *sa, struct deal *d, const struct sa_done *done)
{
	struct ike_note n = deal_note(sa, d->child->conf);

	n.err = done->err;
	child_explain_plane(d->child, done->err, done->why, &n);
	deal_failed(sa, d, &n);
}
