/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into the engine without touching it: one view per connection (and one per further peer of
 * a connection that takes any), for status, metrics and the simulator. And having counters brought
 * up to date for it. */
#include "ike/carry.h"
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/note.h"
#include "ike/renew.h"

/* Of the connection, or of one of its children. */
static mono_ns next_try(const struct conn *c)
{
	mono_ns children = conn_children_deadline(c);

	return c->next_try < children ? c->next_try : children;
}

static uint32_t tries(const struct conn *c)
{
	uint32_t n = c->tries;

	for (size_t i = 0; i < c->conf->n_children; i++)
		n = c->children[i].tries > n ? c->children[i].tries : n;
	return n;
}

static enum ike_state state_of(const struct conn *c, const struct ike_sa *sa)
{
	if (sa && sa->state == S_UP)
		return IKE_STATE_UP;
	if (sa || c->resolving)
		return IKE_STATE_CONNECTING;
	if (c->down)
		return IKE_STATE_OFF;
	if (tries(c) > 0)
		return IKE_STATE_FAILING;
	if (c->wanted || c->conf->any_address || c->conf->start == CONF_START_TRAFFIC)
		return IKE_STATE_WAITING;
	return IKE_STATE_OFF;
}

/* What is told of the connection is told of `shown`; but until one that goes is gone its children
 * carry packets, too. */
static bool is_told_with(const struct ike_sa *shown, const struct ike_sa *sa)
{
	return sa == shown || (renew_goes(sa) && sa->state == S_UP && shown->state == S_UP &&
			       identity_eq(sa->peer, shown->peer));
}

/* The newest pair, which carries what is sent; one that lingers only while its successor's outbound
 * half is being put in. */
static const struct child_sa *child_in(const struct ike_sa *sa, const struct conf_child *conf)
{
	const struct child_sa *lingers = NULL;

	for (const struct child_sa *c = sa->children; c; c = c->next) {
		if (c->conf != conf || c->stage != CHILD_UP)
			continue;
		if (!c->rekey.lingers)
			return c;
		lingers = lingers ? lingers : c;
	}
	return lingers;
}

static const struct child_sa *child_for(const struct conn *c, const struct ike_sa *shown,
					const struct conf_child *conf)
{
	const struct child_sa *best = shown ? child_in(shown, conf) : NULL;

	for (const struct ike_sa *sa = shown ? c->sas : NULL; sa; sa = sa->next) {
		const struct child_sa *other = is_told_with(shown, sa) ? child_in(sa, conf) : NULL;

		if (other && (!best || (best->rekey.lingers && !other->rekey.lingers)))
			best = other;
	}
	return best;
}

/* A peer may have made more than one: all of them receive. */
static void add_counters(struct sa_counters *sum, const struct sa_counters *c)
{
	sum->bytes += c->bytes;
	sum->packets += c->packets;
	sum->last_ns = c->last_ns > sum->last_ns ? c->last_ns : sum->last_ns;
	sum->drop_replay += c->drop_replay;
	sum->drop_integrity += c->drop_integrity;
	sum->drop_selector += c->drop_selector;
	sum->drop_other += c->drop_other;
}

static void add_pairs(struct ike_child_view *v, const struct ike_sa *sa, bool counts)
{
	for (const struct child_sa *c = sa->children; c; c = c->next) {
		if (c->conf != v->conf || c->stage != CHILD_UP)
			continue;
		v->n_pairs += counts && !c->rekey.lingers;
		add_counters(&v->in, &c->in);
		add_counters(&v->out, &c->out);
	}
}

static struct ike_child_view view_child(const struct conn *c, const struct ike_sa *sa, size_t i)
{
	const struct conf_child *conf = &c->conf->children[i];
	const struct child_sa *child = child_for(c, sa, conf);
	struct ike_child_view v = { .conf = conf,
				    .guarded = c->children[i].guarded,
				    .wanted = c->children[i].due,
				    .missed = c->children[i].missed,
				    .tries = c->children[i].tries,
				    .next_try = NEVER,
				    .rekey_at = NEVER,
				    .offload = OFFLOAD_NO };

	v.plane = carry_plane(c->e, c->conf, conf, v.plane_why);
	v.carried = carry_judge(c->e, c->conf, conf, v.plane_why) == OK;
	if (v.wanted && !child && c->children[i].not_before > c->e->now)
		v.next_try = c->children[i].not_before;
	if (!child)
		return v;
	for (const struct ike_sa *other = c->sas; other; other = other->next) {
		if (is_told_with(sa, other))
			add_pairs(&v, other, other == child->sa);
	}
	v.up = true;
	v.plane = child->plane;
	v.offload = child->offload;
	v.mode = child->mode;
	v.suite = child->suite;
	v.spi_in = child->spi_in;
	v.spi_out = child->spi_out;
	v.child_id = child->id;
	v.local = child_local(child);
	v.remote = child_remote(child);
	v.piecemeal = conn_child_is_split(c, conf);
	v.mtu = child->mtu;
	v.since = child->since;
	v.rekey_at = child->rekey.soft;
	return v;
}

static void view_attempt(struct ike_view *v, const struct ike_sa *sa)
{
	if (sa->state != S_INIT_SENT && sa->state != S_AUTH_SENT)
		return;
	v->asked_auth = sa->state == S_AUTH_SENT;
	v->asked = sa->rt.at == NEVER ? 0 : sa->rt.sent;
	v->silent_since = v->asked_auth ? sa->heard : sa->born;
}

static void view_sa(struct ike_view *v, const struct ike_sa *sa)
{
	v->initiator = sa->initiator;
	v->path = sa->path;
	v->spi_i = sa->spi_i;
	v->spi_r = sa->spi_r;
	v->nat_here = sa->nat_here;
	v->nat_there = sa->nat_there;
	v->encap = sa->encap;
	v->passed = sa->standby.over;
	v->downgrade_protected = sa->transcript_full;
	v->suite = sa->suite;
	if (sa->peer)
		v->remote_identity = *sa->peer;
	if (sa->state == S_UP) {
		v->since = sa->since;
		v->rekey_at = sa->rekey_at;
	}
	note_print(v->scheme, sizeof(v->scheme), "%s", sa->scheme);
	view_attempt(v, sa);
}

static void show(const struct conn *c, const struct ike_sa *sa, ike_view_fn *fn, void *ctx)
{
	struct ike_child_view children[SA_CHILDREN_MAX];
	struct ike_view v = {
		.conf = c->conf,
		.state = state_of(c, sa),
		.wanted = c->wanted,
		.since = c->since,
		.next_try = next_try(c),
		.rekey_at = NEVER,
		.tries = tries(c),
		.local_identity = c->conf->local_identity,
		.remote_identity = c->conf->identity,
		.n_children = c->conf->n_children < SA_CHILDREN_MAX ? c->conf->n_children
								    : SA_CHILDREN_MAX,
		.children = children,
	};

	for (size_t i = 0; i < v.n_children; i++) {
		children[i] = view_child(c, sa, i);
		v.missed = v.missed || children[i].missed;
	}
	if (c->path_at < c->n_paths)
		v.path = c->paths[c->path_at];
	if (sa)
		view_sa(&v, sa);
	if (c->failure) {
		v.last_failure = *c->failure;
		v.last_failure_at = c->failure_at;
	}
	fn(ctx, &v);
}

void ike_engine_views(const struct ike_engine *e, ike_view_fn *fn, void *ctx)
{
	for (size_t i = 0; i < e->n_conns; i++) {
		const struct conn *c = e->conns[i];
		const struct ike_sa *stays = conn_carrier(c);
		const struct ike_sa *first = stays ? stays : conn_sa(c);

		show(c, first, fn, ctx);
		for (const struct ike_sa *sa = c->sas; sa && c->conf->any_address; sa = sa->next) {
			if (sa != first && sa->state == S_UP && !renew_goes(sa))
				show(c, sa, fn, ctx);
		}
	}
}

void ike_engine_refresh(struct ike_engine *e, mono_ns now)
{
	e->now = now > e->now ? now : e->now;
	for (size_t i = 0; i < e->n_conns; i++) {
		for (struct ike_sa *sa = e->conns[i]->sas; sa; sa = sa->next) {
			for (struct child_sa *c = sa->children; c; c = c->next)
				child_query(c);
		}
	}
}

const struct ike_stats *ike_engine_stats(const struct ike_engine *e)
{
	return &e->stats;
}
