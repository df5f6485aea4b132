/* SPDX-License-Identifier: Apache-2.0 */
/* Policies with templates and their messages: see xfrm/flow.h. xfrm/flow_cut.c makes them from
 * traffic selectors. */
#include "xfrm/flow.h"

#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "xfrm/attr.h"
#include "xfrm/grow.h"

int flow_cmp(const struct flow_policy *a, const struct flow_policy *b)
{
	int order = policy_cmp(&a->p, &b->p);

	return order != 0 ? order : (a->if_id > b->if_id) - (a->if_id < b->if_id);
}

bool flow_same(const struct flow_policy *a, const struct flow_policy *b)
{
	return flow_cmp(a, b) == 0 && a->kind == b->kind && a->p.priority == b->p.priority &&
	       a->p.action == b->p.action && a->mode == b->mode && a->reqid == b->reqid &&
	       a->spi == b->spi && addr_eq(&a->src, &b->src) && addr_eq(&a->dst, &b->dst);
}

/* ---- lists ---- */

/* The first that is not before the key. */
static size_t list_place(const struct flow_list *l, const struct flow_policy *key)
{
	size_t lo = 0;
	size_t hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (flow_cmp(&l->v[mid], key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct flow_policy *flow_list_find(const struct flow_list *l, const struct flow_policy *key)
{
	size_t at = list_place(l, key);

	return at < l->n && flow_cmp(&l->v[at], key) == 0 ? &l->v[at] : NULL;
}

enum err flow_list_add(struct flow_list *l, const struct flow_policy *f)
{
	struct flow_policy *v = grow(l->v, l->n, &l->size, sizeof(*v));

	if (v == NULL)
		return ERR_NOMEM;
	l->v = v;
	l->v[l->n++] = *f;
	return OK;
}

static int sort_cmp(const void *x, const void *y)
{
	const struct flow_policy *a = x;
	const struct flow_policy *b = y;
	int order = flow_cmp(a, b);

	return order != 0 ? order : (a->reqid > b->reqid) - (a->reqid < b->reqid);
}

void flow_list_sort(struct flow_list *l)
{
	size_t n = 0;

	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), sort_cmp);
	for (size_t i = 0; i < l->n; i++) {
		if (n == 0 || flow_cmp(&l->v[n - 1], &l->v[i]) != 0)
			l->v[n++] = l->v[i];
	}
	l->n = n;
}

void flow_list_free(struct flow_list *l)
{
	free(l->v);
	*l = (struct flow_list){ .v = NULL };
}

/* ---- what there is of one that was read ---- */

bool flow_is_ours(const struct flow_policy *f)
{
	enum policy_section section;
	uint32_t slot;

	if (!policy_index_taken(&f->p, &section, &slot) || section != POLICY_OF_FLOW ||
	    (uint32_t)f->p.sel.user != ((uint32_t)FLOW_USER | f->kind) ||
	    f->p.priority < FLOW_PRIORITY_BEST || f->p.priority > FLOW_PRIORITY_WORST)
		return false;
	return f->kind == FLOW_EXEMPT || (f->reqid & SA_REQID_MASK) == SA_REQID_BASE;
}

/* ---- messages ---- */

static struct xfrm_user_tmpl tmpl_of(const struct flow_policy *f)
{
	struct xfrm_user_tmpl t;

	memset(&t, 0, sizeof(t)); /* padding too */
	t.id.daddr = attr_xfrm_addr(&f->dst);
	t.id.spi = htonl(f->spi);
	t.id.proto = IPPROTO_ESP;
	t.family = f->dst.family;
	t.saddr = attr_xfrm_addr(&f->src);
	t.reqid = f->reqid;
	t.mode = f->mode == SA_TUNNEL ? XFRM_MODE_TUNNEL : XFRM_MODE_TRANSPORT;
	t.share = XFRM_SHARE_ANY;
	/* Any algorithm: the state was made from what was negotiated. */
	t.aalgos = UINT32_MAX;
	t.ealgos = UINT32_MAX;
	t.calgos = UINT32_MAX;
	return t;
}

static void ask_device(struct ask *a, const struct flow_policy *f)
{
	if (f->if_id != 0)
		ask_u32(a, XFRMA_IF_ID, f->if_id);
}

static struct ask with_template(struct ask a, const struct flow_policy *f)
{
	struct xfrm_user_tmpl t = tmpl_of(f);

	if (f->kind != FLOW_EXEMPT)
		ask_bytes(&a, XFRMA_TMPL, &t, sizeof(t));
	ask_device(&a, f);
	return a;
}

struct ask flow_ask_add(const struct flow_policy *f)
{
	return with_template(policy_ask_add(&f->p), f);
}

struct ask flow_ask_update(const struct flow_policy *f)
{
	return with_template(policy_ask_update(&f->p), f);
}

struct ask flow_ask_delete(const struct flow_policy *f)
{
	struct ask a = policy_ask_delete_index(&f->p);

	ask_device(&a, f);
	return a;
}

struct ask flow_ask_delete_selector(const struct flow_policy *f)
{
	struct ask a = policy_ask_delete_selector(&f->p);

	ask_device(&a, f);
	return a;
}

struct ask flow_ask_get(const struct flow_policy *f)
{
	struct ask a = policy_ask_get(&f->p);

	ask_device(&a, f);
	return a;
}

static enum flow_kind kind_of(const struct flow_policy *f)
{
	return f->p.sel.user == (FLOW_USER | FLOW_TRAP) ? FLOW_TRAP : FLOW_CHILD;
}

static void read_template(struct flow_policy *f, const struct nlattr *a)
{
	struct xfrm_user_tmpl t;

	attr_copy(a, &t, sizeof(t));
	/* A second template, or one that asks for less, is not what we write. */
	if (nla_len(a) != sizeof(t) || t.id.proto != IPPROTO_ESP || t.optional != 0)
		return;
	f->kind = kind_of(f);
	f->mode = t.mode == XFRM_MODE_TUNNEL ? SA_TUNNEL : SA_TRANSPORT;
	f->reqid = t.reqid;
	f->spi = ntohl(t.id.spi);
	f->src = attr_addr(&t.saddr, t.family);
	f->dst = attr_addr(&t.id.daddr, t.family);
}

enum err flow_read(const struct nlmsghdr *m, struct flow_policy *f)
{
	static const struct nla_policy shape[ATTR_MAX + 1] = {
		[XFRMA_TMPL] = { .minlen = sizeof(struct xfrm_user_tmpl) },
		[XFRMA_IF_ID] = { .minlen = sizeof(uint32_t) },
	};
	struct nlattr *tb[ATTR_MAX + 1];
	enum err err;

	*f = (struct flow_policy){ .kind = FLOW_EXEMPT };
	err = policy_read(m, &f->p);
	if (err != OK)
		return err;
	if (!attr_parse(m, sizeof(struct xfrm_userpolicy_info), tb, shape))
		return ERR_SYNTAX;
	attr_copy(tb[XFRMA_IF_ID], &f->if_id, sizeof(f->if_id));
	if (tb[XFRMA_TMPL] == NULL)
		return OK;
	f->kind = FLOW_CHILD; /* of another program, with reqid 0, unless it proves to be ours */
	read_template(f, tb[XFRMA_TMPL]);
	return OK;
}
