/* SPDX-License-Identifier: Apache-2.0 */
/* What holds in every story:
 *
 *	- no IV is used twice with a key, and a message that is sent again is the same bytes
 *	- installs are asked for in the order of their numbers, by each engine and of each plane
 *	- no two outbound SAs have a key in common (their sequence numbers both begin with 1)
 *	- nobody is up whose proof was not found good
 *	- a datagram that proves nothing changes nothing that is established
 *	- the engine's deadline moves on: it is never asked again and again at one instant
 *	- guards are lifted when somebody says `down` or takes the connection out, and only then
 *	- when it is quiet, both ends have the same IKE SAs, and the same Child SAs mirrored, one
 *	  pair for each child
 */
#include <stdlib.h>
#include <string.h>

#include "ike/header.h"
#include "tests/sim/world.h"

enum { STUCK_MAX = 64, HALF_OPEN_BOUND = 20000, NAME_PAIRS_MAX = 64 };

/* Nobody attacks these tables, and each message of a run is hashed a few times. */
static uint64_t hash_more(uint64_t hash, struct span s)
{
	uint64_t word;

	for (size_t i = 0; i < s.len; i += sizeof(word)) {
		word = 0;
		memcpy(&word, s.p + i, s.len - i < sizeof(word) ? s.len - i : sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 29;
	}
	return hash ^ s.len;
}

static uint64_t hash_of(struct span s)
{
	return hash_more(1, s);
}

/* ---- on the wire ---- */

enum sent_kind { SENT_IV, SENT_ID };

struct sent_key {
	uint64_t spi_i, spi_r;
	uint64_t kind;	    /* enum sent_kind */
	uint64_t direction; /* 1: from the initiator */
	uint64_t what;	    /* IV; or response, message ID and fragment number */
};

struct sent {
	struct sent *next;
	struct sent_key key;
	uint64_t hash;
};

/* False: it was sent before with other bytes. */
static bool sent_is_new_or_same(struct sim *s, const struct sent_key *key, uint64_t hash)
{
	uint64_t at = hash_of(span_of(key, sizeof(*key))) % SIM_LOG_BUCKETS;
	struct sent *e = s->sent[at];

	while (e && memcmp(&e->key, key, sizeof(*key)) != 0)
		e = e->next;
	if (e)
		return e->hash == hash;
	e = calloc(1, sizeof(*e));
	if (!e)
		return true;
	*e = (struct sent){ .next = s->sent[at], .key = *key, .hash = hash };
	s->sent[at] = e;
	return true;
}

void check_sent(struct end *end, struct span datagram)
{
	struct sim *s = end->sim;
	struct rd r = rd_from(span_tail(datagram, IKE_HEADER_LEN + PAYLOAD_HEADER_LEN));
	uint64_t hash = hash_of(datagram);
	uint64_t fragment = 0;
	struct sent_key key;
	struct ike_header h;

	sim_must(s, header_decode(datagram, &h) == OK, "a message without a header leaves");
	if (h.next != PL_SK && h.next != PL_SKF)
		return;
	end->n_protected += header_is_response(&h);
	if (h.next == PL_SKF) {
		fragment = rd_u16(&r);
		rd_skip(&r, 2);
	}
	key = (struct sent_key){ .spi_i = h.spi_i,
				 .spi_r = h.spi_r,
				 .kind = SENT_IV,
				 .direction = header_from_initiator(&h),
				 .what = rd_u64(&r) };
	sim_must(s, sent_is_new_or_same(s, &key, hash), "an IV is used twice");
	key.kind = SENT_ID;
	key.what = (uint64_t)header_is_response(&h) << 63 | fragment << 32 | h.message_id;
	sim_must(s, sent_is_new_or_same(s, &key, hash),
		 "message %u of exchange %u is sent again with other bytes", h.message_id,
		 h.exchange);
}

/* What was not asked for before an engine dies is told by its number from what was. */
void check_install(struct end *end, const struct sa_cmd *cmd)
{
	uint32_t plane = end->plane_returns - (end->plane_is_back > 0);

	if (cmd->op != SA_INSTALL)
		return;
	sim_must(end->sim,
		 cmd->install > end->asked_install || end->asked_in_life != end->life ||
			 end->asked_of_plane != plane,
		 "an install comes behind one of a higher number");
	end->asked_install = cmd->install;
	end->asked_in_life = end->life;
	end->asked_of_plane = plane;
}

struct outkey {
	struct outkey *next;
	uint64_t hash;
};

void check_outkey(struct sim *s, const struct key *k)
{
	uint64_t hash = hash_of(key_span(k));
	struct outkey *o = s->outkeys;

	while (o && o->hash != hash)
		o = o->next;
	sim_must(s, !o, "an outbound SA has a key that was used before");
	o = calloc(1, sizeof(*o));
	if (!o)
		return;
	*o = (struct outkey){ .next = s->outkeys, .hash = hash };
	s->outkeys = o;
}

void check_free(struct sim *s)
{
	for (size_t i = 0; i < SIM_LOG_BUCKETS; i++) {
		while (s->sent[i]) {
			struct sent *e = s->sent[i];

			s->sent[i] = e->next;
			free(e);
		}
	}
	while (s->outkeys) {
		struct outkey *o = s->outkeys;

		s->outkeys = o->next;
		free(o);
	}
}

/* ---- what is established ---- */

static void look_at_view(void *ctx, const struct ike_view *v)
{
	struct seen *seen = ctx;
	struct seen_sa *sa = &seen->sas[seen->n];
	struct wr w;

	for (size_t i = 0; i < v->n_children; i++)
		seen->n_unguarded += !v->children[i].guarded;
	if (v->state == IKE_STATE_CONNECTING || v->next_try != NEVER ||
	    (v->wanted && v->state != IKE_STATE_UP))
		seen->busy = true;
	if (v->state != IKE_STATE_UP || seen->n == SIM_SAS_MAX)
		return;
	*sa = (struct seen_sa){ .spi_i = v->spi_i, .spi_r = v->spi_r, .initiator = v->initiator };
	w = wr_into(sa->connection, CONF_NAME_MAX);
	wr_span(&w, span_str(v->conf->name));
	seen->n++;
	for (size_t i = 0; i < v->n_children; i++)
		seen->n_children += v->children[i].up;
}

struct seen check_look(const struct end *end)
{
	struct seen seen = { .n = 0 };

	if (!end->dead)
		ike_engine_views(end->e, look_at_view, &seen);
	return seen;
}

struct digest {
	uint64_t hash;
};

static void mix(struct digest *d, const void *p, size_t len)
{
	d->hash = hash_more(d->hash, span_of(p, len));
}

static void digest_view(void *ctx, const struct ike_view *v)
{
	struct digest *d = ctx;

	if (v->state != IKE_STATE_UP)
		return;
	mix(d, v->conf->name, sizeof(v->conf->name));
	mix(d, &v->spi_i, sizeof(v->spi_i));
	mix(d, &v->spi_r, sizeof(v->spi_r));
	mix(d, &v->path.local.addr, sizeof(v->path.local.addr));
	mix(d, &v->path.local.port, sizeof(v->path.local.port));
	mix(d, &v->path.remote.addr, sizeof(v->path.remote.addr));
	mix(d, &v->path.remote.port, sizeof(v->path.remote.port));
	for (size_t i = 0; i < v->n_children; i++) {
		mix(d, &v->children[i].up, sizeof(v->children[i].up));
		mix(d, &v->children[i].guarded, sizeof(v->children[i].guarded));
		mix(d, &v->children[i].spi_in, sizeof(v->children[i].spi_in));
		mix(d, &v->children[i].spi_out, sizeof(v->children[i].spi_out));
	}
}

/* Of everything that is established at this end. */
uint64_t check_digest(const struct end *end)
{
	struct digest d = { .hash = 0 };

	if (end->dead)
		return 0;
	ike_engine_views(end->e, digest_view, &d);
	mix(&d, &end->n_sas, sizeof(end->n_sas));
	mix(&d, &end->n_sa_commands, sizeof(end->n_sa_commands));
	return d.hash;
}

void check_established(struct end *end, const struct ike_note *n)
{
	sim_must(end->sim, end->n_notes[IKE_NOTE_UP] <= end->n_agreed,
		 "%s is up without a proof of the peer", n->connection);
}

/* ---- after each step ---- */

static void check_end(struct end *end)
{
	struct sim *s = end->sim;
	const struct ike_stats *stats = ike_engine_stats(end->e);

	if (stats->retransmissions != end->retransmissions)
		s->stirred = s->now;
	end->retransmissions = stats->retransmissions;
	end->stuck = ike_engine_deadline(end->e) <= s->now ? end->stuck + 1 : 0;
	sim_must(s, end->stuck < STUCK_MAX, "the engine's deadline does not move on");
	sim_must(s, stats->half_open <= HALF_OPEN_BOUND, "half-open SAs pile up");
}

void check_step(struct sim *s)
{
	for (enum side side = LEFT; side <= RIGHT; side++) {
		if (!s->end[side].dead)
			check_end(&s->end[side]);
	}
}

/* One that was killed and comes back has something to do, though nobody can ask it. */
bool check_is_settled(const struct sim *s)
{
	for (enum side side = LEFT; side <= RIGHT; side++) {
		const struct end *end = &s->end[side];
		struct seen seen = check_look(end);

		if (seen.busy || seen.n != sim_ike_sas(s, side) ||
		    (end->dead && end->back_at != NEVER))
			return false;
	}
	return true;
}

/* ---- when it is quiet ---- */

/* Each end of a transport mode SA has its own idea of the addresses when there is a NAT. */
static bool selectors_mirror(const struct ts_list *a, const struct ts_list *b, enum sa_mode mode)
{
	if (mode == SA_TUNNEL || a->n != b->n)
		return ts_list_eq(a, b);
	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i].proto != b->v[i].proto || a->v[i].port_lo != b->v[i].port_lo ||
		    a->v[i].port_hi != b->v[i].port_hi || !addr_eq(&a->v[i].lo, &a->v[i].hi))
			return false;
	}
	return true;
}

/* Inbound at one end is outbound at the other: SPI, keys, algorithms, and selectors mirrored. */
bool plane_twin(const struct end *other, const struct sa_desc *sa)
{
	for (size_t i = 0; i < other->n_sas; i++) {
		const struct sa_desc *o = &other->sas[i];

		if (o->spi == sa->spi && o->dir != sa->dir && o->twin_spi == sa->twin_spi &&
		    o->mode == sa->mode && o->esn == sa->esn && o->encap == sa->encap &&
		    o->encr_id == sa->encr_id && o->encr_key_bits == sa->encr_key_bits &&
		    o->integ_id == sa->integ_id &&
		    span_eq(key_span(&o->encr_key), key_span(&sa->encr_key)) &&
		    span_eq(key_span(&o->integ_key), key_span(&sa->integ_key)) &&
		    selectors_mirror(&o->local, &sa->remote, sa->mode) &&
		    selectors_mirror(&o->remote, &sa->local, sa->mode))
			return true;
	}
	return false;
}

static bool has_counterpart(const struct seen *other, const struct seen_sa *sa)
{
	for (size_t i = 0; i < other->n; i++) {
		if (other->sas[i].spi_i == sa->spi_i && other->sas[i].spi_r == sa->spi_r &&
		    other->sas[i].initiator != sa->initiator)
			return true;
	}
	return false;
}

static void check_ike_sas(struct sim *s, const struct seen *seen, const struct seen *other)
{
	sim_must(s, seen->n == other->n, "%zu IKE SAs at one end, %zu at the other", seen->n,
		 other->n);
	for (size_t i = 0; i < seen->n; i++)
		sim_must(s, has_counterpart(other, &seen->sas[i]),
			 "an IKE SA of %s is not at the other end", seen->sas[i].connection);
}

static bool same_child(const struct sa_desc *a, const struct sa_desc *b)
{
	return a->dir == b->dir && strcmp(a->connection, b->connection) == 0 &&
	       strcmp(a->child, b->child) == 0 && endpoint_eq(&a->path.remote, &b->path.remote);
}

/* A removal that found no memory leaves its SA in the plane: the engine counts it. */
bool check_lost_memory(const struct end *end)
{
	return !end->dead && ike_engine_stats(end->e)->dropped[ERR_NOMEM] > 0;
}

static void check_child_sas(struct sim *s, const struct end *end, const struct seen *seen)
{
	const struct end *other = &s->end[1 - end->side];

	if (check_lost_memory(end))
		return;
	sim_must(s, end->n_sas == 2 * seen->n_children,
		 "the plane has %zu SAs, the engine %zu children", end->n_sas, seen->n_children);
	for (size_t i = 0; i < end->n_sas; i++) {
		const struct sa_desc *sa = &end->sas[i];

		sim_must(s, plane_twin(other, sa), "SA %08x of %s has no twin at the other end",
			 sa->spi, sa->child);
		for (size_t k = 0; k < i; k++)
			sim_must(s, !same_child(sa, &end->sas[k]), "child %s has two pairs",
				 sa->child);
	}
}

void check_quiet(struct sim *s)
{
	struct seen left, right;

	if (s->failed || s->end[LEFT].dead || s->end[RIGHT].dead)
		return;
	left = check_look(&s->end[LEFT]);
	right = check_look(&s->end[RIGHT]);
	sim_must(s, left.n_unguarded == 0 || s->end[LEFT].may_lift, "left has an open guard");
	sim_must(s, right.n_unguarded == 0 || s->end[RIGHT].may_lift, "right has an open guard");
	check_ike_sas(s, &left, &right);
	check_child_sas(s, &s->end[LEFT], &left);
	check_child_sas(s, &s->end[RIGHT], &right);
}

/* ---- what scenarios ask ---- */

size_t sim_pairs(const struct sim *s, const char *connection, const char *child)
{
	const struct end *end = &s->end[LEFT];
	size_t n = 0;

	for (size_t i = 0; i < end->n_sas; i++) {
		const struct sa_desc *sa = &end->sas[i];

		n += sa->dir == SA_IN && strcmp(sa->connection, connection) == 0 &&
		     (!child || strcmp(sa->child, child) == 0) && plane_twin(&s->end[RIGHT], sa);
	}
	return n;
}

const char *const sim_three[N_SIM_THREE] = { "net", "dmz", "lab" };

void sim_expect_three(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", N_SIM_THREE);
	for (size_t i = 0; i < N_SIM_THREE; i++)
		sim_must(s, sim_pairs(s, "site", sim_three[i]) == 1, "%s has %zu pairs",
			 sim_three[i], sim_pairs(s, "site", sim_three[i]));
}

void sim_memory_is_back(struct sim *s, enum side side, size_t n)
{
	sim_run_s(s, 100);
	sim_fail_malloc(s, side, 0);
	sim_run_s(s, 100);
	sim_run_until_quiet(s);
	sim_expect(s, "site", n);
}

void sim_points(struct sim *s, enum side side)
{
	struct end *end = &s->end[side], *other = &s->end[1 - side];
	struct endpoint src = { .addr = other->addr, .port = 4500 };

	if (s->failed || !net_source(other, &src))
		return;
	for (size_t i = 0; i < end->n_sas; i++)
		sim_must(s, endpoint_eq(&end->sas[i].path.remote, &src),
			 "an SA points to port %u, where nobody is", end->sas[i].path.remote.port);
}

void sim_expect(struct sim *s, const char *connection, size_t n)
{
	size_t pairs = sim_pairs(s, connection, NULL), sas = 0;
	struct seen seen = check_look(&s->end[LEFT]);

	for (size_t i = 0; i < seen.n; i++)
		sas += strcmp(seen.sas[i].connection, connection) == 0;
	sim_must(s, pairs == n, "%s has %zu pairs, not %zu", connection, pairs, n);
	sim_must(s, sas == (n > 0), "%s has %zu IKE SAs", connection, sas);
}
