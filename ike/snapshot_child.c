/* SPDX-License-Identifier: Apache-2.0 */
/* Child SAs, written and read. Their keys are among it for as long as a half may have to be put in,
 * and wiped then, as they are here. */
#include <stdlib.h>
#include <string.h>

#include "ike/connection.h"
#include "ike/core.h"
#include "ike/snapshot_parts.h"

#define CHILD(name)	 FIELD(struct child_sa, name)
#define CHILD_PAST(name) PAST(struct child_sa, name)
#define CHILD_WHEN(name) WHEN(struct child_sa, name)

enum { N_STAGES = CHILD_UP + 1, N_PLANES = PLANE_KERNEL + 1, N_MODES = SA_TRANSPORT + 1 };
enum { N_OFFLOADS = OFFLOAD_PACKET + 1 };

static const struct field child_rows[] = {
	CHILD(id),
	CHILD(replaces),
	CHILD_WHEN(rekey.soft),
	CHILD_WHEN(rekey.early),
	CHILD_WHEN(rekey.hard),
	CHILD_WHEN(rekey.not_before),
	CHILD(rekey.tries),
	CHILD_PAST(rekey.held_since),
	CHILD_WHEN(rekey.held),
	CHILD_WHEN(rekey.ask),
	CHILD(rekey.idle_asked),
	CHILD_WHEN(rekey.lingers),
	CHILD(rekey.low),
	CHILD(spi_in),
	CHILD(spi_out),
	FIELD_OF(struct child_sa, stage, N_STAGES),
	FIELD_OF(struct child_sa, plane, N_PLANES),
	FIELD_OF(struct child_sa, mode, N_MODES),
	CHILD(nat.local),
	CHILD(nat.remote),
	FIELD_OF(struct child_sa, offload, N_OFFLOADS),
	CHILD(in_there),
	CHILD(out_there),
	CHILD(delete_wanted),
	CHILD(delete_sent),
	FIELD_OF(struct child_sa, why, N_ERR),
	CHILD(surplus),
	CHILD(made_by_us),
	CHILD(suite),
	CHILD(keys.i_encr),
	CHILD(keys.i_integ),
	CHILD(keys.r_encr),
	CHILD(keys.r_integ),
	CHILD(install),
	CHILD(ts.i),
	CHILD(ts.r),
	CHILD_PAST(asked),
	CHILD_PAST(since),
	CHILD(mtu),
	CHILD(heard_packets),
};

struct fields snapshot_rows_child(void)
{
	return FIELDS(child_rows);
}

static bool owns(const struct create *c, const struct child_sa *child)
{
	return c && c->deal.child == child;
}

bool snapshot_has_child(const struct child_sa *c)
{
	const struct ike_sa *sa = c->sa;

	return !owns(sa->theirs, c) && (!owns(sa->mine, c) || snapshot_has_mine(sa));
}

static void put_ticket(struct wr *w, const struct ticket *t)
{
	pack_bool(w, t->number != 0);
}

static void put_child(struct wr *w, const struct child_sa *c)
{
	if (c->conf)
		snapshot_put_name(w, c->conf->name, conn_child_digest(c->sa->conn, c->conf));
	else
		snapshot_put_name(w, "", 0);
	put_ticket(w, &c->ticket);
	put_ticket(w, &c->move_in);
	put_ticket(w, &c->move_out);
	fields_put(w, FIELDS(child_rows), c);
}

void snapshot_put_children(struct wr *w, const struct ike_sa *sa)
{
	uint16_t n = 0;

	for (const struct child_sa *c = sa->children; c; c = c->next)
		n = (uint16_t)(n + snapshot_has_child(c));
	wr_u16(w, n);
	for (const struct child_sa *c = sa->children; c; c = c->next) {
		if (snapshot_has_child(c))
			put_child(w, c);
	}
}

/* ---- reading ---- */

static bool key_fits(const struct key *k, size_t len, bool wiped)
{
	return k->len == (wiped ? 0 : len);
}

static bool keys_fit(const struct child_sa *c)
{
	const struct suite *s = &c->suite;
	bool wiped = c->stage == CHILD_UP || c->stage == CHILD_ASKED;
	size_t encr = s->encr ? (size_t)s->encr->key_len + s->encr->salt_len : 0;
	size_t integ = s->integ ? s->integ->key_len : 0;

	return (s->encr || c->stage == CHILD_ASKED) && key_fits(&c->keys.i_encr, encr, wiped) &&
	       key_fits(&c->keys.r_encr, encr, wiped) && key_fits(&c->keys.i_integ, integ, wiped) &&
	       key_fits(&c->keys.r_integ, integ, wiped);
}

/* What is buried is in no plane. What is being put in has the SPI of its plane, and selectors. */
static bool is_sound(const struct child_sa *c)
{
	bool there = c->in_there || c->out_there || c->ticket.number || c->move_in.number ||
		     c->move_out.number;
	bool buried = c->conf == NULL;

	if (c->id == 0 || !(c->spi_in & SPI_USER_BIT) != (c->plane == PLANE_KERNEL))
		return false;
	if (buried || c->stage == CHILD_ASKED)
		return !there && (!buried || c->stage == CHILD_ASKED);
	return c->spi_out != 0 && c->ts.i.n > 0 && c->ts.r.n > 0 && c->stage != CHILD_READY &&
	       keys_fit(c);
}

/* Only its name is known. */
static const struct conf_child *former_new(struct snapshot *s, const char *name)
{
	struct former *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	memcpy(f->conf.name, name, sizeof(f->conf.name));
	f->next = s->formers;
	s->formers = f;
	return &f->conf;
}

static enum err get_conf(struct rd *r, struct snapshot *s, struct child_sa *c)
{
	char name[CONF_NAME_MAX + 1];
	uint64_t digest = snapshot_get_name(r, name);

	if (!rd_ok(r))
		return ERR_SYNTAX;
	if (name[0] == '\0')
		return OK;
	/* One that only says goodbye has none. */
	if (!s->sa->conn && !s->retires)
		return ERR_SYNTAX;
	c->conf = s->sa->conn ? conn_child_twin(s->sa->conn, name, digest) : NULL;
	if (!c->conf)
		c->conf = former_new(s, name);
	return c->conf ? OK : ERR_NOMEM;
}

/* Only that it was out. */
static void get_ticket(struct rd *r, struct ticket *t)
{
	t->number = unpack_bool(r);
}

static enum err get_child(struct rd *r, struct snapshot *s, struct child_sa *c)
{
	enum err err = get_conf(r, s, c);

	get_ticket(r, &c->ticket);
	get_ticket(r, &c->move_in);
	get_ticket(r, &c->move_out);
	if (err == OK)
		err = fields_get(r, FIELDS(child_rows), c, c->sa->e->now);
	return err != OK || is_sound(c) ? err : ERR_SYNTAX;
}

/* Numbers and SPIs name one child each. */
static bool is_alone(const struct child_sa *c)
{
	for (const struct child_sa *o = c->sa->children; o; o = o->next) {
		if (o != c && (o->id == c->id || o->spi_in == c->spi_in))
			return false;
	}
	return true;
}

enum err snapshot_get_children(struct rd *r, struct snapshot *s)
{
	struct ike_sa *sa = s->sa;
	struct child_sa **end = &sa->children;
	uint16_t n = rd_u16(r);
	enum err err = n <= SA_PAIRS_MAX ? OK : ERR_SYNTAX;

	for (; n > 0 && err == OK; n--) {
		struct child_sa *c = calloc(1, sizeof(*c));

		if (!c)
			return ERR_NOMEM;
		c->sa = sa;
		*end = c;
		end = &c->next;
		err = get_child(r, s, c);
		if (err == OK && !is_alone(c))
			err = ERR_SYNTAX;
	}
	return err;
}

void snapshot_free_children(struct child_sa *first)
{
	while (first) {
		struct child_sa *c = first;

		first = c->next;
		ts_pair_free(&c->ts);
		secret_free(c, sizeof(*c));
	}
}
