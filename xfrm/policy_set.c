/* SPDX-License-Identifier: Apache-2.0 */
/* Reconciling policies: see xfrm/policy_set.h.
 *
 * The kernel gives a policy another index than asked, without a word, when the index is taken; such
 * a policy would not be known as ours ever after. So taken slots are read first, and each addition
 * is read back.
 */
#include "xfrm/policy_set.h"

#include <stdlib.h>
#include <string.h>

#include "xfrm/host.h"
#include "xfrm/words.h"

enum { SLOT_TRIES = 8 };

struct view {
	enum policy_section section;
	struct policy_list ours;
	uint8_t *taken; /* a byte for each slot */
};

static void view_restart(void *ctx)
{
	struct view *w = ctx;

	w->ours.n = 0;
	memset(w->taken, 0, POLICY_SLOTS);
}

static enum err view_take(void *ctx, const struct nlmsghdr *m)
{
	struct view *w = ctx;
	enum policy_section section;
	struct policy p;
	uint32_t slot;
	enum err err = policy_read(m, &p);

	if (err != OK || !policy_index_taken(&p, &section, &slot) || section != w->section)
		return err;
	w->taken[slot] = 1;
	return policy_is_ours(&p, section) ? policy_list_add(&w->ours, &p) : OK;
}

static int view_cmp(const void *a, const void *b)
{
	return policy_cmp(a, b);
}

static void view_free(struct view *w)
{
	policy_list_free(&w->ours);
	free(w->taken);
}

static enum err view_read(struct netlink *nl, struct view *w, char *why)
{
	const struct netlink_sink sink = { .restart = view_restart, .take = view_take, .ctx = w };
	struct ask req = policy_ask_dump();
	struct answer a;
	enum err err;

	w->taken = calloc(POLICY_SLOTS, 1);
	if (w->taken == NULL) {
		ask_free(&req);
		return why_say(why, ERR_NOMEM, "no memory to read the IPsec policies");
	}
	err = netlink_dump(nl, &req, &sink, &a);
	if (err == OK && w->ours.n > 0)
		qsort(w->ours.v, w->ours.n, sizeof(*w->ours.v), view_cmp);
	return why_kernel(why, err, &a, "cannot read the IPsec policies of the kernel");
}

static enum err said(char *why, enum err err, const struct answer *a, const char *what,
		     const struct policy *p)
{
	char words[NETLINK_WORDS_MAX];
	char text[POLICY_TEXT_MAX];

	if (err == OK)
		return OK;
	return why_say(why, err, "%s %s: %s", what, policy_text(p, text),
		       netlink_words(err, a, words));
}

struct back {
	const struct policy *sought;
	bool seen;
};

static enum err back_take(void *ctx, const struct nlmsghdr *m)
{
	struct back *b = ctx;
	struct policy p;
	enum err err = policy_read(m, &p);

	if (err == OK && p.index == b->sought->index && policy_cmp(&p, b->sought) == 0)
		b->seen = true;
	return err;
}

/* Whether the policy stands under the index that was asked for. */
static enum err policy_read_back(struct netlink *nl, const struct policy *p, bool *seen,
				 struct answer *a)
{
	struct back b = { .sought = p };
	const struct netlink_sink sink = { .take = back_take, .ctx = &b };
	struct ask req = policy_ask_get(p);
	enum err err = netlink_get(nl, &req, &sink, a);

	*seen = b.seen;
	return err == ERR_NOT_FOUND ? OK : err;
}

static bool slot_next(const struct view *w, uint32_t *slot)
{
	while (*slot < POLICY_SLOTS && w->taken[*slot])
		(*slot)++;
	return *slot < POLICY_SLOTS;
}

/* One try. *again: the kernel gave another index, and the policy is gone again. */
static enum err add_at(struct netlink *nl, const struct policy *p, bool *again, char *why)
{
	struct ask req = policy_ask_add(p);
	char text[POLICY_TEXT_MAX];
	struct answer a, shown;
	bool seen = false;
	enum err back;
	enum err err = netlink_ask(nl, &req, &a);

	if (err == ERR_EXISTS)
		return why_say(
			why, err,
			"another program has an IPsec policy for %s, which postern does not touch: "
			"stop that program, or see `ip xfrm policy`",
			policy_text(p, text));
	if (err != OK)
		return said(why, err, &a, "cannot add the IPsec policy", p);
	back = policy_read_back(nl, p, &seen, &shown);
	if (back == OK && seen)
		return OK;
	req = policy_ask_delete_selector(p);
	err = netlink_ask(nl, &req, &a);
	if (err != OK)
		return said(why, err, &a, "cannot take back the IPsec policy", p);
	*again = back == OK;
	return said(why, back, &shown, "cannot read back the IPsec policy", p);
}

static enum err add(struct netlink *nl, struct view *w, struct policy p, uint32_t *slot, char *why)
{
	for (int tries = SLOT_TRIES; tries > 0 && slot_next(w, slot); tries--) {
		bool again = false;
		enum err err;

		w->taken[*slot] = 1;
		p.index = policy_index(w->section, *slot, p.dir);
		err = add_at(nl, &p, &again, why);
		if (!again)
			return err;
	}
	return why_say(why, ERR_LIMIT, "no index is left for an IPsec policy");
}

static const struct policy *list_find(const struct policy_list *l, const struct policy *p)
{
	return l->n == 0 ? NULL : bsearch(p, l->v, l->n, sizeof(*l->v), view_cmp);
}

static enum err update(struct netlink *nl, const struct policy *have, const struct policy *want,
		       char *why)
{
	struct policy p = *want;
	struct ask req;
	struct answer a;

	if (have->priority == want->priority && have->action == want->action)
		return OK;
	p.index = have->index;
	req = policy_ask_update(&p);
	return said(why, netlink_ask(nl, &req, &a), &a, "cannot change the IPsec policy", want);
}

/* Exceptions first, then guards: a wide new guard must not stand for a moment without what it has
 * to let through. */
static enum err add_missing(struct netlink *nl, struct view *w, const struct policy_list *wanted,
			    char *why)
{
	static const uint8_t actions[] = { XFRM_POLICY_ALLOW, XFRM_POLICY_BLOCK };
	uint32_t slot = 0;
	enum err err = OK;

	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < wanted->n && err == OK; i++) {
			const struct policy *have = list_find(&w->ours, &wanted->v[i]);

			if (wanted->v[i].action != actions[pass])
				continue;
			err = have != NULL ? update(nl, have, &wanted->v[i], why)
					   : add(nl, w, wanted->v[i], &slot, why);
		}
	}
	return err;
}

/* The other way round: exceptions go first, so that at no moment more is open than before or after.
 */
static enum err remove_surplus(struct netlink *nl, const struct view *w,
			       const struct policy_list *wanted, char *why)
{
	static const uint8_t actions[] = { XFRM_POLICY_ALLOW, XFRM_POLICY_BLOCK };
	enum err err = OK;

	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < w->ours.n && err == OK; i++) {
			struct ask req;
			struct answer a;

			if (w->ours.v[i].action != actions[pass] ||
			    list_find(wanted, &w->ours.v[i]) != NULL)
				continue;
			req = policy_ask_delete_index(&w->ours.v[i]);
			err = netlink_ask(nl, &req, &a);
			if (err == ERR_NOT_FOUND)
				err = OK; /* somebody was quicker */
			err = said(why, err, &a, "cannot remove the IPsec policy", &w->ours.v[i]);
		}
	}
	return err;
}

enum err policy_set_apply(const struct policy_set *s, const struct policy_list *wanted, char *why)
{
	struct view w = { .section = s->section };
	enum err err = view_read(s->nl, &w, why);

	if (err == OK)
		err = add_missing(s->nl, &w, wanted, why);
	if (err == OK)
		err = remove_surplus(s->nl, &w, wanted, why);
	view_free(&w);
	return err;
}

enum err policy_set_prune(const struct policy_set *s, const struct policy_list *wanted, char *why)
{
	struct view w = { .section = s->section };
	enum err err = view_read(s->nl, &w, why);

	if (err == OK)
		err = remove_surplus(s->nl, &w, wanted, why);
	view_free(&w);
	return err;
}

enum err policy_set_read(const struct policy_set *s, struct policy_list *got, char *why)
{
	struct view w = { .section = s->section };
	enum err err = view_read(s->nl, &w, why);

	*got = w.ours;
	w.ours = (struct policy_list){ .v = NULL };
	view_free(&w);
	if (err != OK)
		policy_list_free(got);
	return err;
}
