/* SPDX-License-Identifier: Apache-2.0 */
/* The IKE SA itself, written and read: see snapshot.h. */
#include "ike/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "ike/beside.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/keep.h"
#include "ike/qcd.h"
#include "ike/snapshot_parts.h"

_Static_assert(sizeof(enum sa_state) == sizeof(unsigned int), "enums are read as they are written");

#define SA(name)      FIELD(struct ike_sa, name)
#define SA_PAST(name) PAST(struct ike_sa, name)
#define SA_WHEN(name) WHEN(struct ike_sa, name)

static const struct field sa_rows[] = {
	FIELD_OF(struct ike_sa, state, N_SA_STATES),
	SA(initiator),
	SA(spi_i),
	SA(spi_r),
	SA(path),
	SA(suite),
	SA(keys.d),
	SA(keys.ai),
	SA(keys.ar),
	SA(keys.ei),
	SA(keys.er),
	SA(next_iv),
	SA(window.next_in),
	SA(window.next_out),
	SA(window.asked),
	SA(window.exchange),
	SA(window.asked_id),
	SA(window.answer),
	SA(window.request),
	SA_WHEN(rt.at),
	SA(rt.wait),
	SA(rt.sent),
	SA(move.to),
	SA(move.was.path),
	SA(move.was.nat_here),
	SA(move.was.nat_there),
	SA(move.was.encap),
	SA(move.left.path),
	SA(move.left.nat_here),
	SA(move.left.nat_there),
	SA(move.left.encap),
	SA_WHEN(move.checked_until),
	SA(move.alone),
	SA(move.sent),
	SA(move.tried),
	SA(move.children_wait),
	SA(move.paced),
	SA(move.children_at.path),
	SA(move.children_at.nat_here),
	SA(move.children_at.nat_there),
	SA(move.children_at.encap),
	SA(move.unproved),
	SA(move.asks),
	SA(move.asked),
	SA_PAST(move.at),
	SA_WHEN(move.ask_at),
	SA(mobike.on),
	SA(mobike.decides),
	SA(mobike.natt),
	SA(mobike.update_due),
	SA(mobike.update_out),
	SA(mobike.list_due),
	SA(mobike.list_out),
	SA(mobike.stale),
	SA(mobike.cookie_out),
	SA(mobike.left),
	SA(mobike.silent),
	SA(mobike.stays),
	SA(mobike.refusals),
	SA(mobike.barred),
	SA(mobike.good),
	BYTES(struct ike_sa, mobike.cookie),
	SA(mobike.seen_known),
	BYTES(struct ike_sa, mobike.seen),
	SA(mobike.n_addrs),
	SA(mobike.addrs[0]),
	SA(mobike.addrs[1]),
	SA(mobike.addrs[2]),
	SA(mobike.addrs[3]),
	SA(mobike.addrs[4]),
	SA(mobike.addrs[5]),
	SA(mobike.addrs[6]),
	SA(mobike.addrs[7]),
	SA(standby.over),
	SA_PAST(standby.told),
	SA_PAST(standby.since),
	SA_WHEN(standby.back),
	SA_PAST(standby.asked),
	SA(standby.doubts),
	SA(standby.hold_s),
	SA(standby.took_4ms[0]),
	SA(standby.took_4ms[1]),
	SA(standby.took_4ms[2]),
	SA(nat_here),
	SA(nat_there),
	SA(encap),
	SA(fragmentation),
	SA(transcript_full),
	TEXT(struct ike_sa, scheme),
	SA_PAST(born),
	SA(born_at),
	SA(up_at),
	SA(rank),
	SA_PAST(since),
	SA_PAST(heard),
	SA_PAST(sent),
	SA_PAST(hinted),
	SA_PAST(unheard),
	SA(unheard_asked),
	SA_WHEN(expires),
	SA_WHEN(rekey_at),
	SA_WHEN(ends_at),
	SA_WHEN(certified_until),
	SA_WHEN(proved_until),
	SA_WHEN(prove_at),
	SA(before),
	SA_WHEN(again),
	FIELD_OF(struct ike_sa, why, N_ERR),
	SA(established),
	SA(alive_wanted),
	SA(close_wanted),
	SA(token_wanted),
	SA(waits),
	SA(full),
	SA(told_full),
	SA(answered),
	SA(tell_proof),
	SA(retired),
	SA(redundant),
	SA(rekey_tries),
	SA(close_notify),
	SA_WHEN(yield),
};

static const struct field beside_rows[] = {
	FIELD(struct beside, window),  FIELD(struct beside, out),  FIELD(struct beside, id),
	FIELD(struct beside, request), WHEN(struct beside, rt.at), FIELD(struct beside, rt.wait),
	FIELD(struct beside, rt.sent),
};

struct fields snapshot_rows_sa(void)
{
	return FIELDS(sa_rows);
}

struct fields snapshot_rows_beside(void)
{
	return FIELDS(beside_rows);
}

/* ---- writing ---- */

bool snapshot_has(const struct ike_sa *sa)
{
	return sa->state == S_UP || sa->state == S_CLOSING || snapshot_has_handshake(sa);
}

void snapshot_put_name(struct wr *w, const char *name, uint64_t digest)
{
	pack_text(w, name, CONF_NAME_MAX + 1);
	wr_u64(w, digest);
}

static void put_conn(struct wr *w, const struct conn *c)
{
	snapshot_put_name(w, c ? c->conf->name : "", c ? c->digest : 0);
}

static void put_peer(struct wr *w, const struct identity *peer)
{
	static const struct identity nobody = { .type = ID_NONE };

	pack_identity(w, peer ? peer : &nobody);
}

/* The hash of the peer's token. */
static void put_token(struct wr *w, const uint8_t *hash)
{
	pack_bool(w, hash != NULL);
	if (hash)
		wr_span(w, span_of(hash, QCD_HASH_LEN));
}

static void put_beside(struct wr *w, const struct beside *b)
{
	pack_bool(w, b != NULL);
	if (b)
		fields_put(w, FIELDS(beside_rows), b);
}

void snapshot_put(struct wr *w, const struct ike_sa *sa)
{
	wr_u16(w, SNAPSHOT_VERSION);
	put_conn(w, sa->conn);
	fields_put(w, FIELDS(sa_rows), sa);
	wr_u64(w, sa->keep ? sa->keep->listed_at : 0);
	put_peer(w, sa->peer);
	put_token(w, sa->qcd_hash);
	put_beside(w, sa->beside);
	snapshot_put_children(w, sa);
	snapshot_put_mine(w, sa);
	snapshot_put_handshake(w, sa);
}

/* ---- reading ---- */

uint64_t snapshot_get_name(struct rd *r, char name[static CONF_NAME_MAX + 1])
{
	uint64_t digest;

	unpack_text(r, name, CONF_NAME_MAX + 1);
	digest = rd_u64(r);
	/* Without a name there is no configuration, nor a digest of it. */
	if (name[0] == '\0' && digest != 0)
		rd_fail(r);
	return digest;
}

static enum err get_conn(struct rd *r, struct snapshot *s)
{
	uint64_t digest = snapshot_get_name(r, s->connection);
	struct conn *c;

	if (!rd_ok(r))
		return ERR_SYNTAX;
	if (s->connection[0] == '\0')
		return OK;
	c = conn_find(s->sa->e, s->connection);
	s->retires = !c || c->digest != digest;
	s->sa->conn = s->retires ? NULL : c;
	return OK;
}

static enum err get_peer(struct rd *r, struct ike_sa *sa)
{
	struct identity peer = unpack_identity(r);

	if (!rd_ok(r))
		return ERR_SYNTAX;
	if (peer.type == ID_NONE)
		return OK;
	sa->peer = malloc(sizeof(*sa->peer));
	if (!sa->peer)
		return ERR_NOMEM;
	*sa->peer = peer;
	return OK;
}

static enum err get_token(struct rd *r, struct ike_sa *sa)
{
	if (!unpack_bool(r))
		return rd_ok(r) ? OK : ERR_SYNTAX;
	sa->qcd_hash = malloc(QCD_HASH_LEN);
	if (!sa->qcd_hash)
		return ERR_NOMEM;
	rd_copy(r, sa->qcd_hash, QCD_HASH_LEN);
	return rd_ok(r) ? OK : ERR_SYNTAX;
}

static enum err get_beside(struct rd *r, struct ike_sa *sa)
{
	enum err err;

	if (!unpack_bool(r))
		return rd_ok(r) ? OK : ERR_SYNTAX;
	sa->beside = calloc(1, sizeof(*sa->beside));
	if (!sa->beside)
		return ERR_NOMEM;
	err = fields_get(r, FIELDS(beside_rows), sa->beside, sa->e->now);
	if (err == OK && sa->beside->out &&
	    (sa->beside->request.len == 0 || sa->beside->rt.at == NEVER))
		err = ERR_SYNTAX;
	return err;
}

bool snapshot_keys_fit(const struct suite *s, const struct ike_keys *k)
{
	size_t encr = s->encr ? (size_t)s->encr->key_len + s->encr->salt_len : 0;
	size_t integ = s->integ ? s->integ->key_len : 0;

	return s->encr && s->prf && s->ke && k->d.len == s->prf->len && k->ei.len == encr &&
	       k->er.len == encr && k->ai.len == integ && k->ar.len == integ;
}

/* What the engine relies on. One that is up belongs to a connection and to somebody proved; a
 * request that is out has bytes, and leaves again some time. */
static bool is_sound(const struct snapshot *s)
{
	const struct ike_sa *sa = s->sa;
	const struct window *w = &sa->window;
	bool up = sa->state == S_UP, lives = up || sa->state == S_CLOSING;

	return (lives || sa->state == S_AUTH_SENT) && sa->spi_i != 0 && sa->spi_r != 0 &&
	       snapshot_keys_fit(&sa->suite, &sa->keys) &&
	       (!up || ((sa->conn || s->retires) && sa->peer)) && (!up || sa->established) &&
	       sa->mobike.n_addrs <= MOBIKE_ADDRS_MAX &&
	       (!w->asked || (w->request.len > 0 && sa->rt.at != NEVER));
}

static enum err get_all(struct rd *r, struct snapshot *s)
{
	struct ike_sa *sa = s->sa;
	enum err err = rd_u16(r) == SNAPSHOT_VERSION ? OK : ERR_SYNTAX;

	if (err == OK)
		err = get_conn(r, s);
	if (err == OK)
		err = fields_get(r, FIELDS(sa_rows), sa, sa->e->now);
	s->listed_at = rd_u64(r);
	if (err == OK)
		err = get_peer(r, sa);
	if (err == OK)
		err = get_token(r, sa);
	if (err == OK && !is_sound(s))
		err = ERR_SYNTAX;
	if (err == OK)
		err = get_beside(r, sa);
	if (err == OK)
		err = snapshot_get_children(r, s);
	if (err == OK)
		err = snapshot_get_mine(r, s);
	if (err == OK)
		err = snapshot_get_handshake(r, s);
	return err != OK || rd_end(r) ? err : ERR_SYNTAX;
}

struct ike_sa *snapshot_new(struct ike_engine *e)
{
	struct ike_sa *sa = calloc(1, sizeof(*sa));

	if (!sa)
		return NULL;
	sa->e = e;
	sa->timer.of_sa = true;
	sa->expires = NEVER;
	sa->again = NEVER;
	retransmit_idle(&sa->rt);
	return sa;
}

enum err snapshot_get(struct ike_engine *e, struct span bytes, struct snapshot *s)
{
	struct rd r = rd_from(bytes);
	enum err err;

	*s = (struct snapshot){ .sa = snapshot_new(e) };
	err = s->sa ? get_all(&r, s) : ERR_NOMEM;
	if (err != OK)
		snapshot_free(s);
	return err;
}

void snapshot_free_sa(struct ike_sa *sa)
{
	if (!sa)
		return;
	sa_forget_handshake(sa);
	snapshot_free_children(sa->children);
	window_free(&sa->window);
	beside_free(sa->beside);
	free(sa->peer);
	free(sa->qcd_hash);
	secret_free(sa, sizeof(*sa));
}

bool snapshot_is_former(const struct snapshot *s, const struct conf_child *conf)
{
	const struct former *f = s->formers;

	while (f && &f->conf != conf)
		f = f->next;
	return f != NULL;
}

void snapshot_free_formers(struct snapshot *s)
{
	while (s->formers) {
		struct former *f = s->formers;

		s->formers = f->next;
		free(f);
	}
}

void snapshot_free(struct snapshot *s)
{
	snapshot_free_mine(s);
	snapshot_free_sa(s->sa);
	snapshot_free_formers(s);
	*s = (struct snapshot){ .sa = NULL };
}
