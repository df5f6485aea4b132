/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/xfrm/kernel_world.h"

#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what others have ---- */

enum { FOREIGN_SPI = 0x9000 };

static void foreign_state(struct world *w, uint32_t spi, uint32_t reqid, uint8_t proto)
{
	struct model_state *s = &w->m->states[w->m->n_states++];

	s->u.id.spi = htonl(spi);
	s->u.id.proto = proto;
	s->u.id.daddr.a4 = htonl(0xc0000202); /* where our peer is, too */
	s->u.family = AF_INET;
	s->u.reqid = reqid;
	s->u.mode = XFRM_MODE_TUNNEL;
	s->len = sizeof(s->u);
	memcpy(s->body, &s->u, sizeof(s->u));
	w->foreign_states[w->m->n_states - 1] = *s;
}

static void foreign_policy(struct world *w, uint32_t index, uint8_t dir, uint32_t user)
{
	struct model_policy *p = &w->m->policies[w->m->n_policies++];

	p->u.index = index | dir;
	p->u.dir = dir;
	p->u.priority = user == 0 ? 100 : FLOW_PRIORITY_BEST + 5;
	p->u.sel.family = AF_INET;
	p->u.sel.saddr.a4 = htonl(0x0a010000);
	p->u.sel.daddr.a4 = htonl(0x0a020000);
	p->u.sel.prefixlen_s = p->u.sel.prefixlen_d = 24;
	p->u.sel.user = user;
	p->len = sizeof(p->u);
	memcpy(p->body, &p->u, sizeof(p->u));
	w->foreign_policies[w->m->n_policies - 1] = *p;
}

/* Same places, same selectors, even an index of ours: each lacks something that ours have. */
static void foreign_make(struct world *w)
{
	foreign_state(w, FOREIGN_SPI + 1, 0, IPPROTO_ESP);
	foreign_state(w, FOREIGN_SPI + 2, 7, IPPROTO_ESP);
	foreign_state(w, FOREIGN_SPI + 3, 0x60000001, IPPROTO_ESP);
	foreign_state(w, FOREIGN_SPI + 4, REQID, IPPROTO_ESP);
	foreign_state(w, FOREIGN_SPI + 5, REQID, IPPROTO_AH);
	foreign_policy(w, 8 * 100, XFRM_POLICY_OUT, 0);
	foreign_policy(w, 8 * 100, XFRM_POLICY_IN, 0);
	foreign_policy(w, POLICY_INDEX_FLOW + 8 * 3, XFRM_POLICY_OUT, 1000);
	foreign_policy(w, policy_index(POLICY_OF_GUARD, 3, 0), XFRM_POLICY_OUT, 1001);
}

/* ---- the world ---- */

static const char *const child_texts[] = { "10.1.0.0/24>10.2.0.0/24",
					   "10.1.1.0/24@tcp=80-83>10.2.1.0-10.2.1.3" };

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	ck_assert_ptr_nonnull(w);
	w->m = model_new();
	ck_assert_ptr_nonnull(w->m);
	ck_assert_int_eq(netlink_over(&w->nl, &model_ops, w->m), OK);
	ck_assert_int_eq(kernel_over(&w->nl, &w->k), OK);
	w->children = kit_children(child_texts, CHILDREN);
	for (uint32_t i = 0; i < CHILDREN; i++) {
		w->children.v[i].reqid = REQID + i;
		w->children.v[i].plane = PLANE_KERNEL;
	}
	foreign_make(w);
	return w;
}

void world_free(struct world *w)
{
	kernel_close(w->k);
	netlink_close(&w->nl);
	children_free(&w->children);
	model_free(w->m);
	free(w);
}

struct sa_cmd world_cmd(const struct world *w, enum sa_op op, enum sa_dir dir, uint32_t spi)
{
	struct sa_cmd cmd = {
		.op = op,
		.ticket = 1,
		.sa = { .dir = dir,
			.plane = PLANE_KERNEL,
			.spi = spi,
			.child_id = spi >> 4,
			.reqid = REQID,
			.replay_window = 64,
			.encr_id = GCM_16,
			.encr_key_bits = 128,
			.encr_key = { .len = 20 },
			.local = w->children.v[0].local,
			.remote = w->children.v[0].remote },
	};

	ck_assert(addr_parse("192.0.2.1", &cmd.sa.path.local.addr));
	ck_assert(addr_parse("192.0.2.2", &cmd.sa.path.remote.addr));
	return cmd;
}

void world_run(struct world *w, const struct sa_cmd *cmd)
{
	struct sa_done done;

	kernel_command(w->k, cmd, &done);
	w->err = done.err;
	w->counters = done.counters;
	w->given = done.offload;
	snprintf(w->why, sizeof(w->why), "%s", done.why);
	ck_assert_uint_eq(done.ticket, cmd->ticket);
	ck_assert_msg((done.err == OK) == (done.why[0] == '\0'), "%d but \"%s\"", done.err,
		      done.why);
}

void world_simply(struct world *w, enum sa_op op, enum sa_dir dir, uint32_t spi)
{
	struct sa_cmd cmd = world_cmd(w, op, dir, spi);

	world_run(w, &cmd);
}

void world_traps(struct world *w, size_t n)
{
	w->why[0] = '\0';
	w->err = kernel_traps_set(w->k, w->children.v, n, true, w->why);
}

struct sa_cmd world_ranked_cmd(const struct world *w, enum sa_op op, enum sa_dir dir,
			       uint8_t priority)
{
	const uint32_t spi = 0x1000u * priority + (dir == SA_IN ? 1 : 2);
	struct sa_cmd cmd = world_cmd(w, op, dir, spi);

	cmd.sa.twin_spi = spi ^ 3;
	cmd.sa.priority = priority;
	cmd.sa.set = SET;
	if (priority > 1) {
		cmd.sa.reqid = REQID_SPARE;
		ck_assert(addr_parse("192.0.2.3", &cmd.sa.path.remote.addr));
	}
	return cmd;
}

/* ---- where tests start from ---- */

void world_nothing(struct world *w)
{
	(void)w;
}

void world_trapped(struct world *w)
{
	world_traps(w, CHILDREN);
	ck_assert_msg(w->err == OK, "%s", w->why);
}

void world_half_up(struct world *w)
{
	world_trapped(w);
	world_simply(w, SA_INSTALL, SA_IN, 0x1001);
	ck_assert_msg(w->err == OK, "%s", w->why);
}

void world_up(struct world *w)
{
	world_half_up(w);
	world_simply(w, SA_INSTALL, SA_OUT, 0x1002);
	ck_assert_msg(w->err == OK, "%s", w->why);
}

void world_up_twice(struct world *w)
{
	world_up(w);
	world_simply(w, SA_INSTALL, SA_IN, 0x1011);
	ck_assert_msg(w->err == OK, "%s", w->why);
	world_simply(w, SA_INSTALL, SA_OUT, 0x1012);
	ck_assert_msg(w->err == OK, "%s", w->why);
}

void world_ranked(struct world *w)
{
	world_trapped(w);
	/* The better one comes last, and first: whoever is newer does not matter. */
	for (uint8_t i = 0; i < 4; i++) {
		const uint8_t priority = i == 0 || i == 3 ? 2 : 1;
		const enum sa_dir dir = i < 2 ? SA_IN : SA_OUT;
		struct sa_cmd cmd = world_ranked_cmd(w, SA_INSTALL, dir, priority);

		world_run(w, &cmd);
		ck_assert_msg(w->err == OK, "%s", w->why);
	}
}

void world_asked_for(struct world *w)
{
	world_half_up(w);
	for (size_t i = FOREIGN_POLICIES; i < w->m->n_policies; i++) {
		if (w->m->policies[i].tmpl.reqid == REQID &&
		    w->m->policies[i].tmpl.id.daddr.a4 == 0) {
			model_acquire(w->m, i, 99);
			return;
		}
	}
	ck_abort_msg("no trap");
}

/* ---- what must hold ---- */

static bool foreign_there(const struct world *w)
{
	size_t found = 0;

	for (size_t i = 0; i < w->m->n_states; i++) {
		for (size_t f = 0; f < FOREIGN_STATES; f++)
			found += memcmp(&w->m->states[i], &w->foreign_states[f],
					sizeof(w->foreign_states[f])) == 0;
	}
	for (size_t i = 0; i < w->m->n_policies; i++) {
		for (size_t f = 0; f < FOREIGN_POLICIES; f++)
			found += memcmp(&w->m->policies[i], &w->foreign_policies[f],
					sizeof(w->foreign_policies[f])) == 0;
	}
	return found == FOREIGN_STATES + FOREIGN_POLICIES;
}

static bool state_of(const struct model_state *s, const struct sa_desc *d)
{
	const struct endpoint *from = d->dir == SA_OUT ? &d->path.local : &d->path.remote;
	const struct endpoint *to = d->dir == SA_OUT ? &d->path.remote : &d->path.local;

	return !s->acquire && ntohl(s->u.id.spi) == d->spi && s->u.reqid == sa_desc_reqid(d) &&
	       memcmp(&s->u.id.daddr, to->addr.b, 4) == 0 &&
	       memcmp(&s->u.saddr, from->addr.b, 4) == 0;
}

static bool ports_of(const struct model_state *s, const struct sa_desc *d)
{
	const struct endpoint *from = d->dir == SA_OUT ? &d->path.local : &d->path.remote;
	const struct endpoint *to = d->dir == SA_OUT ? &d->path.remote : &d->path.local;
	const struct nlattr *a =
		nla_find((const struct nlattr *)(const void *)(s->body + sizeof(s->u)),
			 (int)(s->len - sizeof(s->u)), XFRMA_ENCAP);
	struct xfrm_encap_tmpl e;

	if (a == NULL)
		return !d->encap;
	memcpy(&e, nla_data(a), sizeof(e));
	return d->encap && ntohs(e.encap_sport) == from->port && ntohs(e.encap_dport) == to->port;
}

static size_t states_of(const struct world *w, const struct sa_desc *d)
{
	size_t n = 0;

	for (size_t i = 0; i < w->m->n_states; i++)
		n += state_of(&w->m->states[i], d) && ports_of(&w->m->states[i], d);
	return n;
}

static bool is_foreign(const struct model_state *s)
{
	uint32_t spi = ntohl(s->u.id.spi);

	return spi > FOREIGN_SPI && spi <= FOREIGN_SPI + FOREIGN_STATES;
}

/* Of ours that are no larval states. */
static size_t states_ours(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->m->n_states; i++)
		n += !w->m->states[i].acquire && !is_foreign(&w->m->states[i]) &&
		     (w->m->states[i].u.reqid & SA_REQID_MASK) == SA_REQID_BASE;
	return n;
}

static bool policy_of(const struct model_policy *p, const struct flow_policy *f)
{
	uint8_t mode = f->mode == SA_TUNNEL ? XFRM_MODE_TUNNEL : XFRM_MODE_TRANSPORT;

	return p->u.index == f->p.index && p->u.dir == f->p.dir && p->u.priority == f->p.priority &&
	       p->u.action == XFRM_POLICY_ALLOW && p->has_tmpl &&
	       memcmp(&p->u.sel, &f->p.sel, sizeof(p->u.sel)) == 0 && p->tmpl.reqid == f->reqid &&
	       ntohl(p->tmpl.id.spi) == f->spi && p->tmpl.mode == mode &&
	       memcmp(&p->tmpl.saddr, f->src.b, 4) == 0 &&
	       memcmp(&p->tmpl.id.daddr, f->dst.b, 4) == 0;
}

static size_t policies_of(const struct world *w, const struct flow_policy *f)
{
	size_t n = 0;

	for (size_t i = 0; i < w->m->n_policies; i++)
		n += policy_of(&w->m->policies[i], f);
	return n;
}

static size_t policies_ours(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->m->n_policies; i++)
		n += (w->m->policies[i].u.sel.user & ~7u) == FLOW_USER;
	return n;
}

/* What book_wants says, found out without any index: by cutting the selectors of every half, the
 * newest first. */
static bool world_wants(const struct world *w, const struct flow_policy *key,
			struct flow_policy *want)
{
	struct flow_policy indexed;
	bool found = false;

	for (const struct kernel_half *half = w->k->halves.newest; half != NULL;
	     half = half->older) {
		struct flow_list l = { .n = 0 };
		const struct flow_policy *f;

		ck_assert_int_eq(flow_list_fill(&l, &half->d), OK);
		f = sa_desc_reqid(&half->d) == key->reqid ? flow_list_find(&l, key) : NULL;
		if (f != NULL && (!found || f->rank < want->rank))
			*want = *f;
		found = found || f != NULL;
		flow_list_free(&l);
	}
	if (!found || !book_wants(w->k, key, &indexed))
		return false;
	want->p.priority = indexed.p.priority; /* the level of its trap */
	return true;
}

/* The book and the kernel have the same, and the policies are those that the halves ask for. NULL,
 * or what is wrong. */
const char *world_wrong(const struct world *w)
{
	for (const struct kernel_half *half = w->k->halves.newest; half != NULL;
	     half = half->older) {
		if (states_of(w, &half->d) != 1)
			return "a half of the book is not in the kernel";
	}
	if (states_ours(w) != w->k->halves.n)
		return "the kernel has a state that is not in the book";
	for (const struct standing *s = w->k->policies.first; s != NULL; s = s->next) {
		const struct flow_policy *f = &s->f;
		struct flow_policy want;

		if (policies_of(w, f) != 1)
			return "a policy of the book is not in the kernel";
		if (f->kind == FLOW_CHILD && (!world_wants(w, f, &want) || !flow_same(f, &want)))
			return "a policy is not what its children ask for";
	}
	if (policies_ours(w) != w->k->policies.n)
		return "the kernel has a policy that is not in the book";
	return foreign_there(w) ? NULL : "what others have was touched";
}
