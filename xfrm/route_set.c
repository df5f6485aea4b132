/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing our routes to the plan (second half of xfrm/route.h). */
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>

#include "xfrm/host.h"
#include "xfrm/route.h"
#include "xfrm/words.h"

static enum err take_route(void *ctx, const struct nlmsghdr *m)
{
	struct route r;
	enum err err = route_read(m, &r);

	if (err == ERR_NOT_FOUND)
		return OK;
	return err != OK ? err : route_list_add(ctx, &r);
}

static void restart_routes(void *ctx)
{
	((struct route_list *)ctx)->n = 0;
}

/* A dump of a table that does not exist ends with ENOENT. A kernel without IPv6 answers with all
 * others when it is asked for that. */
enum err route_table_read(struct netlink *nl, sa_family_t family, uint32_t table,
			  struct route_list *got, char *why)
{
	struct route_list part = { .n = 0 };
	const struct netlink_sink sink = { .restart = restart_routes,
					   .take = take_route,
					   .ctx = &part };
	struct ask req = route_ask_dump(family, table);
	struct answer a;
	enum err err = netlink_dump(nl, &req, &sink, &a);

	if (err == ERR_NOT_FOUND || (err == ERR_UNSUPPORTED && family == AF_INET6))
		err = OK;
	for (size_t i = 0; i < part.n && err == OK; i++) {
		if (part.v[i].to.addr.family == family)
			err = route_list_add(got, &part.v[i]);
	}
	route_list_free(&part);
	return why_kernel(why, err, &a, "cannot read the routes");
}

static enum err routes_read(struct netlink *nl, sa_family_t family, struct route_list *got,
			    char *why)
{
	enum err err = route_table_read(nl, family, HOST_TABLE, got, why);

	return err != OK ? err : route_table_read(nl, family, RT_TABLE_MAIN, got, why);
}

enum err route_set_read(struct netlink *nl, struct route_list *got, char *why)
{
	enum err err = routes_read(nl, AF_INET, got, why);

	return err != OK ? err : routes_read(nl, AF_INET6, got, why);
}

enum err route_put(struct netlink *nl, const struct route *r, char *why)
{
	struct ask req = route_ask_put(r);
	char what[NET_TEXT_MAX];
	struct answer a;
	char words[NETLINK_WORDS_MAX];
	enum err err = netlink_ask(nl, &req, &a);

	if (err == OK)
		return OK;
	return why_say(why, err, "cannot add the route to %s: %s", net_text(&r->to, what),
		       netlink_words(err, &a, words));
}

static enum err put_missing(struct netlink *nl, const struct route_list *wanted,
			    const struct route_list *have, char *why)
{
	enum err err = OK;

	for (size_t i = 0; i < wanted->n && err == OK; i++) {
		const struct route *old = route_list_same(have, &wanted->v[i]);
		struct route r = wanted->v[i];

		if (r.mtu == 0 && !r.dead)
			r.mtu = old != NULL ? old->mtu : HOST_MTU_FIRST;
		if (old == NULL || old->device != r.device || old->mtu != r.mtu ||
		    !addr_eq(&old->source, &r.source))
			err = route_put(nl, &r, why);
	}
	return err;
}

enum err route_set_apply(struct netlink *nl, const struct route_list *wanted, char *why)
{
	struct route_list have = { .n = 0 };
	enum err err = route_set_read(nl, &have, why);
	struct answer a;

	if (err == OK)
		err = put_missing(nl, wanted, &have, why);
	for (size_t i = 0; i < have.n && err == OK; i++) {
		struct ask req;

		if (route_list_same(wanted, &have.v[i]) != NULL)
			continue;
		req = route_ask_delete(&have.v[i]);
		err = netlink_ask(nl, &req, &a);
		if (err == ERR_NOT_FOUND)
			err = OK; /* went with its device */
		err = why_kernel(why, err, &a, "cannot remove a route");
	}
	route_list_free(&have);
	return err;
}
