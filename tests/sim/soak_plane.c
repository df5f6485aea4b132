/* SPDX-License-Identifier: Apache-2.0 */
/* What the engines of a soak ask for: proofs (as in jobs.c), planes, names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/soak.h"

static const mono_ns work_time = NS_PER_MS;

/* ---- jobs ---- */

struct job_answer {
	struct soak_later later;
	struct job_result r;
	uint8_t bytes[SIM_PROOF_LEN];
};

static void job_arrive(struct soak_later *l)
{
	struct job_answer *a = container_of(l, struct job_answer, later);
	struct ike_event ev = { .kind = IKE_EV_JOB, .job = &a->r };

	soak_event(l->to, &ev);
}

static enum err sign(struct soak_node *n, const struct job_sign *j, uint8_t *out)
{
	const struct conf_connection *cn = conf_connection_find(n->conf, j->key);
	char name[IDENTITY_TEXT_MAX];

	return cn ? jobs_sign(identity_text(&cn->local_identity, name), j->octets, out)
		  : ERR_NO_CREDENTIAL;
}

static enum err verify(const struct job_verify *j)
{
	uint8_t expect[SIM_PROOF_LEN];
	char name[IDENTITY_TEXT_MAX];
	enum err err;

	if (j->wanted.type != ID_NONE && !identity_eq(&j->wanted, &j->claimed))
		return ERR_WRONG_IDENTITY;
	err = jobs_sign(identity_text(&j->claimed, name), j->octets, expect);
	return err == OK && !span_eq(j->auth, span_of(expect, sizeof(expect))) ? ERR_AUTH : err;
}

void soak_job(struct soak_node *n, const struct job *j)
{
	struct job_answer *a = calloc(1, sizeof(*a));

	if (!a)
		return;
	a->later.happen = job_arrive;
	a->r.ticket = j->ticket;
	a->r.kind = j->kind;
	a->r.err = ERR_UNSUPPORTED;
	if (j->kind == JOB_SIGN) {
		a->r.method = AUTH_SIGNATURE;
		a->r.err = sign(n, &j->sign, a->bytes);
		a->r.bytes = span_of(a->bytes, sizeof(a->bytes));
	} else if (j->kind == JOB_VERIFY) {
		a->r.err = verify(&j->verify);
	}
	soak_later(&a->later, n, n->w->now + work_time);
}

/* ---- the plane ---- */

struct plane_answer {
	struct soak_later later;
	struct sa_done done;
};

static void plane_arrive(struct soak_later *l)
{
	struct plane_answer *a = container_of(l, struct plane_answer, later);
	struct ike_event ev = { .kind = IKE_EV_SA, .sa = &a->done };

	soak_event(l->to, &ev);
}

static uint64_t hash_key(const struct key *k)
{
	static const uint8_t seed[SIPHASH_KEY_LEN] = "keys of a soak";

	return siphash(seed, key_span(k));
}

/* Connections are called by the number of the peer, at both ends. */
static size_t peer_of(const struct soak_node *n, const struct sa_desc *sa)
{
	return n->i == SOAK_GATEWAY ? strtoul(sa->connection + 1, NULL, 10) : SOAK_GATEWAY;
}

/* SPIs of outbound SAs are the peers', and those of two may be alike. */
static struct soak_sa *find(struct soak_node *n, const struct sa_desc *sa)
{
	const size_t peer = peer_of(n, sa);

	for (size_t i = 0; i < n->n_sas; i++) {
		if (n->sas[i].spi == sa->spi && n->sas[i].dir == sa->dir && n->sas[i].peer == peer)
			return &n->sas[i];
	}
	return NULL;
}

static enum err install(struct soak_node *n, const struct sa_desc *sa)
{
	size_t more = n->max_sas > 0 ? 2 * n->max_sas : 8;
	struct soak_sa *v;

	soak_must(n->w, !find(n, sa), "an SA is installed twice");
	if (n->n_sas == n->max_sas) {
		v = realloc(n->sas, more * sizeof(*v));
		if (!v)
			return ERR_NOMEM;
		n->sas = v;
		n->max_sas = more;
	}
	n->sas[n->n_sas++] = (struct soak_sa){ .spi = sa->spi,
					       .dir = sa->dir,
					       .key = hash_key(&sa->encr_key),
					       .remote = sa->path.remote.addr,
					       .peer = peer_of(n, sa),
					       .claimed = true };
	return OK;
}

static void drop(struct soak_node *n, struct soak_sa *at)
{
	n->n_sas--;
	memmove(at, at + 1, (size_t)(n->sas + n->n_sas - at) * sizeof(*at));
}

static enum err take_away(struct soak_node *n, const struct sa_desc *sa)
{
	struct soak_sa *at = find(n, sa);

	soak_must(n->w, at != NULL, "an SA is removed that is not there");
	if (!at)
		return ERR_NOT_FOUND;
	drop(n, at);
	return OK;
}

/* ---- engines that follow another one ---- */

void soak_unclaim(struct soak_node *n)
{
	for (size_t i = 0; i < n->n_sas; i++)
		n->sas[i].claimed = false;
	n->done_before = n->last_install;
}

static enum err claim(struct soak_sa *at)
{
	if (at)
		at->claimed = true;
	return at ? OK : ERR_NOT_FOUND;
}

/* What a predecessor asked for, and had, is there. */
static enum err install_once(struct soak_node *n, const struct sa_cmd *cmd)
{
	if (cmd->install != 0 && cmd->install <= n->done_before)
		return claim(find(n, &cmd->sa));
	if (cmd->install > n->last_install)
		n->last_install = cmd->install;
	return install(n, &cmd->sa);
}

static enum err sweep(struct soak_node *n)
{
	for (size_t i = n->n_sas; i > 0 && n->w->broken != SOAK_KEEPS_SAS; i--) {
		if (!n->sas[i - 1].claimed)
			drop(n, &n->sas[i - 1]);
	}
	return OK;
}

/* Packets go all the time, so one has come where the other end sends by it. */
static uint64_t has_come(struct soak_node *n, const struct soak_sa *sa)
{
	const struct soak_node *o = &n->w->node[sa->peer];

	for (size_t i = 0; i < o->n_sas; i++) {
		if (o->sas[i].dir == SA_OUT && o->sas[i].spi == sa->spi && o->sas[i].key == sa->key)
			return 1;
	}
	return 0;
}

static enum err carry_out(struct soak_node *n, const struct sa_cmd *cmd, struct sa_done *done)
{
	struct soak_sa *at = cmd->op == SA_INSTALL ? NULL : find(n, &cmd->sa);

	switch (cmd->op) {
	case SA_INSTALL:
		return install_once(n, cmd);
	case SA_REMOVE:
		return take_away(n, &cmd->sa);
	case SA_QUERY:
		done->counters.packets = at ? has_come(n, at) : 0;
		return at ? OK : ERR_NOT_FOUND;
	case SA_MOVE:
		soak_must(n->w, at != NULL, "an SA is moved that is not there");
		if (at)
			at->remote = cmd->sa.path.remote.addr;
		return at ? OK : ERR_NOT_FOUND;
	case SA_CLAIM:
		done->counters.packets = at ? has_come(n, at) : 0;
		return claim(at);
	case SA_SWEEP:
		return sweep(n);
	case SA_PASS:
	case SA_FORGET:
	case SA_EXPECT:
		return OK;
	}
	return ERR_UNSUPPORTED;
}

void soak_plane(struct soak_node *n, const struct sa_cmd *cmd)
{
	struct plane_answer *a = calloc(1, sizeof(*a));

	if (!a)
		return;
	a->later.happen = plane_arrive;
	a->done = (struct sa_done){ .ticket = cmd->ticket, .spi = cmd->sa.spi, .dir = cmd->sa.dir };
	a->done.err = carry_out(n, cmd, &a->done);
	if (cmd->ticket == 0) {
		free(a);
		return;
	}
	n->plane_free = (n->plane_free > n->w->now ? n->plane_free : n->w->now) + work_time / 10;
	soak_later(&a->later, n, n->plane_free);
}

/* ---- names ---- */

struct name_answer {
	struct soak_later later;
	char connection[CONF_NAME_MAX + 1];
};

static void name_arrive(struct soak_later *l)
{
	struct name_answer *a = container_of(l, struct name_answer, later);
	const struct conf_connection *cn = conf_connection_find(l->to->conf, a->connection);
	struct ike_resolved r = { .connection = a->connection, .n = cn ? cn->n_addresses : 0 };
	struct ike_event ev = { .kind = IKE_EV_RESOLVED, .resolved = &r };

	for (size_t i = 0; i < r.n; i++) {
		r.paths[i].local.addr = l->to->addr;
		r.paths[i].remote.addr = cn->addresses[i];
	}
	soak_event(l->to, &ev);
}

void soak_resolve(struct soak_node *n, const struct conf_connection *cn)
{
	struct name_answer *a = calloc(1, sizeof(*a));

	if (!a)
		return;
	a->later.happen = name_arrive;
	snprintf(a->connection, sizeof(a->connection), "%s", cn->name);
	soak_later(&a->later, n, n->w->now + work_time);
}
