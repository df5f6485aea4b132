/* SPDX-License-Identifier: Apache-2.0 */
/* Our CREATE_CHILD_SA that is out, written and read: what its answer is judged by, and the IKE SAs
 * that may come of it, to which nobody can speak yet. Those are inside of it, for they live no
 * longer. */
#include <stdlib.h>

#include "ike/connection.h"
#include "ike/core.h"
#include "ike/rekey.h"
#include "ike/snapshot_parts.h"

#define CREATE(name) FIELD(struct create, name)

enum { N_PURPOSES = CREATE_IKE_REKEY + 1, N_CREATE_STAGES = CREATE_INSTALL + 1 };

static const struct field create_rows[] = {
	FIELD_OF(struct create, purpose, N_PURPOSES),
	FIELD_OF(struct create, stage, N_CREATE_STAGES),
	WHEN(struct create, expires),
	CREATE(path),
	BYTES(struct create, nonce),
	CREATE(peer_nonce),
	CREATE(peer_ke),
	CREATE(group),
	BYTES(struct create, priv),
	CREATE(regrouped),
	CREATE(deleted[0]),
	CREATE(deleted[1]),
	CREATE(deleted[2]),
	CREATE(deleted[3]),
	CREATE(n_deleted),
	CREATE(deal.ours),
	CREATE(deal.with_ke),
	CREATE(deal.fresh),
	CREATE(deal.replaces),
	CREATE(deal.offer.ts.i),
	CREATE(deal.offer.ts.r),
	CREATE(deal.offer.transport),
	CREATE(deal.offer.pair),
	CREATE(deal.chosen.suite),
	CREATE(deal.chosen.number),
	CREATE(deal.chosen.spi),
	CREATE(deal.chosen.integ_none),
	CREATE(deal.chosen.ke_none),
	CREATE(rival_low),
};

#define SA(name) FIELD(struct ike_sa, name)

static const struct field heir_rows[] = {
	SA(initiator), SA(spi_i),   SA(spi_r),	 SA(path),    SA(suite),
	SA(keys.d),    SA(keys.ai), SA(keys.ar), SA(keys.ei), SA(keys.er),
};

struct fields snapshot_rows_create(void)
{
	return FIELDS(create_rows);
}

bool snapshot_has_mine(const struct ike_sa *sa)
{
	return sa->mine && create_is_out(sa->mine);
}

static void put_heir(struct wr *w, const struct create *c, uint64_t own_spi)
{
	const struct ike_sa *heir = own_spi ? sa_find(c->sa->e, own_spi) : NULL;

	pack_bool(w, heir != NULL);
	if (heir)
		fields_put(w, FIELDS(heir_rows), heir);
}

void snapshot_put_mine(struct wr *w, const struct ike_sa *sa)
{
	const struct create *c = sa->mine;
	bool has = snapshot_has_mine(sa);

	pack_bool(w, has);
	if (!has)
		return;
	fields_put(w, FIELDS(create_rows), c);
	wr_u32(w, c->deal.child ? c->deal.child->id : 0);
	put_heir(w, c, c->heir);
	put_heir(w, c, c->rival);
}

/* ---- reading ---- */

/* A worker's part needs a group and the peer's value; what waits for nothing but the peer's own
 * exchange is an IKE SA. */
static bool is_sound(const struct snapshot *s)
{
	const struct create *c = s->sa->mine;
	bool ike = c->purpose == CREATE_IKE_REKEY;

	if ((!c->sa->conn && !s->retires) || !create_is_out(c) || !c->deal.fresh ||
	    c->n_deleted > CREATE_DELETED_MAX || (ike && (!c->group || c->deal.child)))
		return false;
	if (c->stage == CREATE_SECRET &&
	    (!c->group || !c->group->slow || c->peer_ke.len == 0 || c->peer_nonce.len == 0))
		return false;
	return c->stage != CREATE_INSTALL || (ike && c->peer_nonce.len > 0);
}

static struct child_sa *child_of(const struct ike_sa *sa, uint32_t id)
{
	struct child_sa *c = rekey_find(sa, id);

	return c && c->stage == CHILD_ASKED ? c : NULL;
}

static bool heir_is_sound(const struct ike_sa *heir, bool keyed)
{
	uint64_t peers = heir->initiator ? heir->spi_r : heir->spi_i;
	uint64_t own = heir->initiator ? heir->spi_i : heir->spi_r;

	if (own == 0)
		return false;
	return keyed ? peers != 0 && snapshot_keys_fit(&heir->suite, &heir->keys) : true;
}

/* In *out: NULL when there is none. */
static enum err get_heir(struct rd *r, const struct ike_sa *of, bool keyed, struct ike_sa **out)
{
	struct ike_sa *heir;
	enum err err;

	if (!unpack_bool(r))
		return rd_ok(r) ? OK : ERR_SYNTAX;
	heir = snapshot_new(of->e);
	*out = heir;
	if (!heir)
		return ERR_NOMEM;
	err = fields_get(r, FIELDS(heir_rows), heir, of->e->now);
	return err != OK || heir_is_sound(heir, keyed) ? err : ERR_SYNTAX;
}

static enum err get_heirs(struct rd *r, struct snapshot *s)
{
	const struct create *c = s->sa->mine;
	bool ike = c->purpose == CREATE_IKE_REKEY;
	enum err err = get_heir(r, s->sa, c->stage == CREATE_INSTALL, &s->heir);

	if (err == OK)
		err = get_heir(r, s->sa, true, &s->rival);
	if (err == OK && (ike != (s->heir != NULL) || (!ike && s->rival)))
		err = ERR_SYNTAX;
	return err;
}

enum err snapshot_get_mine(struct rd *r, struct snapshot *s)
{
	struct ike_sa *sa = s->sa;
	struct create *c;
	uint32_t child;
	enum err err;

	if (!unpack_bool(r))
		return rd_ok(r) ? OK : ERR_SYNTAX;
	c = calloc(1, sizeof(*c));
	if (!c)
		return ERR_NOMEM;
	c->sa = sa;
	c->ours = true;
	sa->mine = c;
	err = fields_get(r, FIELDS(create_rows), c, sa->e->now);
	child = rd_u32(r);
	c->deal.child = child_of(sa, child);
	if (err == OK && (!is_sound(s) || (child != 0 && !c->deal.child)))
		err = ERR_SYNTAX;
	return err == OK ? get_heirs(r, s) : err;
}

void snapshot_free_mine(struct snapshot *s)
{
	struct create *c = s->sa ? s->sa->mine : NULL;

	snapshot_free_sa(s->heir);
	snapshot_free_sa(s->rival);
	s->heir = s->rival = NULL;
	if (!c)
		return;
	s->sa->mine = NULL;
	deal_free(&c->deal);
	packets_free(&c->peer_nonce);
	packets_free(&c->peer_ke);
	secret_free(c, sizeof(*c));
}
