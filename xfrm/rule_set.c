/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing the kernel's rules to the plan (last function of xfrm/rule.h). */
#include <stdlib.h>

#include "xfrm/host.h"
#include "xfrm/rule.h"
#include "xfrm/words.h"

static enum err take(void *ctx, const struct nlmsghdr *m)
{
	struct rule r;
	enum err err = rule_read(m, &r);

	if (err == ERR_NOT_FOUND)
		return OK;
	return err != OK ? err : rule_list_add(ctx, &r);
}

static void restart(void *ctx)
{
	((struct rule_list *)ctx)->n = 0;
}

/* A kernel without IPv6 has no rules of it. */
static enum err rules_read(struct netlink *nl, sa_family_t family, struct rule_list *got, char *why)
{
	const struct netlink_sink sink = { .restart = restart, .take = take, .ctx = got };
	struct ask req = rule_ask_dump(family);
	struct answer a;
	enum err err = netlink_dump(nl, &req, &sink, &a);

	if (err == ERR_UNSUPPORTED && family == AF_INET6)
		err = OK;
	return why_kernel(why, err, &a, "cannot read the routing rules");
}

static int order(const void *a, const void *b)
{
	return rule_cmp(a, b);
}

/* Both lists are settled. */
static bool contains(const struct rule_list *l, const struct rule *r)
{
	return l->n > 0 && bsearch(r, l->v, l->n, sizeof(*l->v), order) != NULL;
}

static enum err apply_family(struct netlink *nl, const struct rule_list *wanted, sa_family_t family,
			     char *why)
{
	struct rule_list have = { .n = 0 };
	enum err err = rules_read(nl, family, &have, why);
	struct answer a;

	rule_list_settle(&have);
	for (size_t i = 0; i < wanted->n && err == OK; i++) {
		struct ask req;

		if (wanted->v[i].from.addr.family != family || contains(&have, &wanted->v[i]))
			continue;
		req = rule_ask_add(&wanted->v[i]);
		err = why_kernel(why, netlink_ask(nl, &req, &a), &a, "cannot add a routing rule");
	}
	for (size_t i = 0; i < have.n && err == OK; i++) {
		struct ask req;

		if (contains(wanted, &have.v[i]))
			continue;
		req = rule_ask_delete(&have.v[i]);
		err = netlink_ask(nl, &req, &a);
		if (err == ERR_NOT_FOUND)
			err = OK; /* somebody was quicker */
		err = why_kernel(why, err, &a, "cannot remove a routing rule");
	}
	rule_list_free(&have);
	return err;
}

enum err rule_set_apply(struct netlink *nl, const struct rule_list *wanted, char *why)
{
	enum err err = apply_family(nl, wanted, AF_INET, why);

	return err != OK ? err : apply_family(nl, wanted, AF_INET6, why);
}
