/* SPDX-License-Identifier: Apache-2.0 */
/* The copy of default routes: see xfrm/outer.h.
 *
 * Routes are copied attribute by attribute, unread, but for the hops that lead into our devices: of
 * several the others stay. Nexthop objects are spelt out by the kernel, or else copied by their
 * number. Both tables are compared as the requests that would make their routes. A copy that the
 * kernel refuses is passed over and told: outer packets have no way there then, which is safe.
 *
 * In IPv6 each hop is compared, added and deleted as a route of its own. For the kernel joins
 * routes of equal metric into one of several hops, but not those that routers advertise
 * (RTF_ADDRCONF, which is not ours to set): two of the main table are one route in ours, and to
 * delete that one would take both of its hops.
 */
#include "xfrm/outer.h"

#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include "xfrm/hops.h"
#include "xfrm/host.h"
#include "xfrm/nexthop.h"
#include "xfrm/words.h"

static bool is_our_device(const void *ctx, uint32_t ifindex)
{
	const struct iface_list *devices = ctx;

	for (size_t i = 0; i < devices->n; i++) {
		if (devices->v[i].ifindex == ifindex)
			return devices->v[i].group == IFACE_GROUP;
	}
	return false;
}

static uint32_t hop_elsewhere(const void *ctx, uint32_t ifindex)
{
	return is_our_device(ctx, ifindex) ? 0 : ifindex;
}

static enum err parse(const struct nlmsghdr *m, struct nlattr **tb)
{
	static const struct nla_policy shape[RTA_MAX + 1] = { [RTA_TABLE] = { .type = NLA_U32 },
							      [RTA_OIF] = { .type = NLA_U32 },
							      [RTA_NH_ID] = { .type = NLA_U32 } };
	/* libnl's parser takes no const; nothing is written. */
	struct nlmsghdr *msg = (struct nlmsghdr *)(uintptr_t)m;

	if ((m->nlmsg_type != RTM_NEWROUTE && m->nlmsg_type != RTM_DELROUTE) ||
	    nlmsg_parse(msg, sizeof(struct rtmsg), tb, RTA_MAX, shape) < 0)
		return ERR_SYNTAX;
	return OK;
}

/* A default route, or a network on a link. Others are longer than what could hide them, or meant to
 * be hidden. */
static bool is_copied(const struct rtmsg *h, struct nlattr *const *tb, uint32_t table)
{
	bool link = tb[RTA_GATEWAY] == NULL && tb[RTA_VIA] == NULL && tb[RTA_OIF] != NULL;

	return tb[RTA_TABLE] != NULL && nla_get_u32(tb[RTA_TABLE]) == table &&
	       h->rtm_type == RTN_UNICAST && !(h->rtm_flags & RTM_F_CLONED) &&
	       (h->rtm_dst_len == 0 || link);
}

static void copy_attr(struct ask *a, struct nlattr *const *tb, int type)
{
	if (tb[type] != NULL)
		ask_bytes(a, type, nla_data(tb[type]), (size_t)nla_len(tb[type]));
}

static void copy_begin(struct ask *a, const struct rtmsg *h, struct nlattr *const *tb)
{
	const struct rtmsg to = {
		.rtm_family = h->rtm_family,
		.rtm_dst_len = h->rtm_dst_len,
		.rtm_tos = h->rtm_tos,
		.rtm_protocol = HOST_PROTOCOL,
		.rtm_scope = h->rtm_scope,
		.rtm_type = h->rtm_type,
		.rtm_flags = h->rtm_flags & RTNH_F_ONLINK,
	};

	*a = ask_new(RTM_NEWROUTE, NLM_F_CREATE);
	ask_header(a, &to, sizeof(to));
	ask_u32(a, RTA_TABLE, HOST_TABLE_OUTER);
	copy_attr(a, tb, RTA_DST);
}

/* What is made a copy of. */
struct outer_from {
	const struct iface_list *devices;
	bool each_hop; /* is a route of its own */
};

/* One hop alone stands in the same order as in a list of them: both are compared. */
static void copy_hop(struct ask *a, struct nlattr *const *tb)
{
	static const int hop[] = { RTA_GATEWAY, RTA_VIA,	RTA_FLOW,
				   RTA_ENCAP,	RTA_ENCAP_TYPE, RTA_OIF };

	for (size_t i = 0; i < sizeof(hop) / sizeof(hop[0]); i++)
		copy_attr(a, tb, hop[i]);
}

/* Where it leads, but for our devices. False: nowhere else, or no further hop. */
static bool copy_way(struct ask *a, struct nlattr *const *tb, const struct outer_from *from,
		     size_t *at)
{
	const struct nlattr *hops = tb[RTA_MULTIPATH];

	if (hops != NULL && from->each_hop)
		return hops_put_next(a, hops, hop_elsewhere, from->devices, at) || a->bad;
	if ((*at)++ > 0)
		return false;
	if (hops != NULL)
		return hops_put(a, hops, hop_elsewhere, from->devices) > 0 || a->bad;
	if (tb[RTA_OIF] == NULL) {
		copy_attr(a, tb, RTA_NH_ID);
		return tb[RTA_NH_ID] != NULL;
	}
	copy_hop(a, tb);
	return !is_our_device(from->devices, nla_get_u32(tb[RTA_OIF]));
}

static size_t body_len(const struct ask *a)
{
	return span_tail(ask_span(a), NLMSG_HDRLEN).len;
}

/* By its metric and hop IPv6 knows a route from others. Of several hops it shows the rest for the
 * first one alone, so that is no reason to make one anew. */
static void copy_rest(struct copy *c, struct nlattr *const *tb, bool v6)
{
	static const int rest[] = { RTA_PREFSRC, RTA_METRICS, RTA_PREF };

	copy_attr(&c->ask, tb, RTA_PRIORITY);
	c->key = body_len(&c->ask);
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		copy_attr(&c->ask, tb, rest[i]);
	if (!v6)
		c->key = body_len(&c->ask);
}

static enum err copy_of(const struct nlmsghdr *m, uint32_t table, const struct iface_list *devices,
			size_t *at, struct copy *c)
{
	const struct rtmsg *h = nlmsg_data(m);
	struct nlattr *tb[RTA_MAX + 1];
	enum err err = parse(m, tb);
	struct outer_from from = { .devices = devices };

	if (err != OK)
		return err;
	if (!is_copied(h, tb, table))
		return ERR_NOT_FOUND;
	from.each_hop = h->rtm_family == AF_INET6;
	*c = (struct copy){ .known = false };
	copy_begin(&c->ask, h, tb);
	if (!copy_way(&c->ask, tb, &from, at)) {
		ask_free(&c->ask);
		return ERR_NOT_FOUND;
	}
	copy_rest(c, tb, from.each_hop);
	return OK;
}

enum err outer_copy(const struct nlmsghdr *m, const struct iface_list *devices, size_t *at,
		    struct copy *c)
{
	const struct rtmsg *h = nlmsg_data(m);
	struct nlattr *tb[RTA_MAX + 1];
	enum err err = parse(m, tb);

	if (err != OK)
		return err;
	return h->rtm_protocol == HOST_PROTOCOL ? ERR_NOT_FOUND
						: copy_of(m, RT_TABLE_MAIN, devices, at, c);
}

enum err outer_copied(const struct nlmsghdr *m, size_t *at, struct copy *c)
{
	const struct iface_list none = { .n = 0 };

	return copy_of(m, HOST_TABLE_OUTER, &none, at, c);
}

bool outer_concerns(const struct nlmsghdr *m)
{
	const struct rtmsg *h = nlmsg_data(m);
	struct nlattr *tb[RTA_MAX + 1];

	return parse(m, tb) == OK && h->rtm_dst_len == 0 && h->rtm_protocol != HOST_PROTOCOL &&
	       is_copied(h, tb, RT_TABLE_MAIN);
}

/* ---- both tables ---- */

struct reading {
	sa_family_t family; /* without IPv6, a kernel answers for IPv4 when it is asked for that */
	const struct iface_list *devices;
	struct copies *into;
};

static bool is_asked_for(const struct reading *r, const struct nlmsghdr *m)
{
	const struct rtmsg *h = nlmsg_data(m);

	/* One that is cut is for who parses it. */
	return m->nlmsg_len < NLMSG_LENGTH(sizeof(*h)) || h->rtm_family == r->family;
}

static enum err take_wanted(void *ctx, const struct nlmsghdr *m)
{
	const struct reading *r = ctx;
	size_t at = 0;
	struct copy c;
	enum err err;

	if (!is_asked_for(r, m))
		return OK;
	while ((err = outer_copy(m, r->devices, &at, &c)) == OK) {
		err = copies_add(r->into, &c);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err take_have(void *ctx, const struct nlmsghdr *m)
{
	const struct reading *r = ctx;
	size_t at = 0;
	struct copy c;
	enum err err;

	if (!is_asked_for(r, m))
		return OK;
	while ((err = outer_copied(m, &at, &c)) == OK) {
		err = copies_add(r->into, &c);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static void restart(void *ctx)
{
	const struct reading *r = ctx;

	copies_clear(r->into);
}

static enum err table_read(struct netlink *route, sa_family_t family, uint32_t table,
			   struct reading *r, char *why)
{
	const struct netlink_sink sink = { .restart = restart,
					   .take = table == HOST_TABLE_OUTER ? take_have
									     : take_wanted,
					   .ctx = r };
	const struct rtmsg h = { .rtm_family = (uint8_t)family };
	struct ask req = ask_new(RTM_GETROUTE, NLM_F_DUMP);
	struct answer a;
	enum err err;

	ask_header(&req, &h, sizeof(h));
	ask_u32(&req, RTA_TABLE, table);
	err = netlink_dump(route, &req, &sink, &a);
	if (err == ERR_NOT_FOUND || (err == ERR_UNSUPPORTED && family == AF_INET6))
		err = OK;
	return why_kernel(why, err, &a, "cannot read the routes");
}

/* The same request, as another one of the kernel. */
static enum err copy_send(struct netlink *route, uint16_t type, const struct ask *from,
			  struct answer *a)
{
	struct span body = span_tail(ask_span(from), NLMSG_HDRLEN);
	struct ask req = ask_new(type, type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_APPEND : 0);
	enum err err;

	ask_header(&req, body.p, body.len);
	err = netlink_ask(route, &req, a);
	return err == ERR_EXISTS || (type == RTM_DELROUTE && err == ERR_NOT_FOUND) ? OK : err;
}

/* A number says nothing of devices: those of our own are not copied. */
static bool number_leads_elsewhere(struct netlink *route, const struct iface_list *devices,
				   const struct ask *from)
{
	const struct nlattr *id =
		nlmsg_find_attr(nlmsg_hdr(from->msg), sizeof(struct rtmsg), RTA_NH_ID);
	bool ours;

	return id == NULL ||
	       (nexthop_any(route, nla_get_u32(id), is_our_device, devices, &ours) == OK && !ours);
}

/* What the copies are for, and where words go. */
struct apply {
	const struct iface_list *devices;
	bool any;
	char *lacks;
	char *why;
};

static enum err copy_add(struct netlink *route, const struct apply *p, const struct ask *from)
{
	char words[NETLINK_WORDS_MAX];
	struct answer a = { .error = 0 };
	enum err err = ERR_UNSUPPORTED;

	if (!from->bad && number_leads_elsewhere(route, p->devices, from))
		err = copy_send(route, RTM_NEWROUTE, from, &a);
	if (err == OK || err == ERR_NO_ANSWER)
		return err;
	return why_say(p->lacks, OK,
		       "a default route of the main table cannot be copied to table %d, so beside "
		       "an interface of a child no IKE and ESP go by it: %s",
		       HOST_TABLE_OUTER, netlink_words(err, &a, words));
}

/* A default route by way of a network on the link wants that network first. */
static bool is_link(const struct ask *a)
{
	const struct rtmsg *h = a->msg == NULL ? NULL : nlmsg_data(nlmsg_hdr(a->msg));

	return h != NULL && h->rtm_dst_len != 0;
}

static enum err add_missing(struct netlink *route, const struct copies *want, bool link,
			    const struct apply *p)
{
	enum err err = OK;

	for (size_t i = 0; i < want->n && err == OK; i++) {
		const struct copy *c = &want->v[i];

		if (is_link(&c->ask) == link && !c->known)
			err = copy_add(route, p, &c->ask);
	}
	return err;
}

static enum err remove_rest(struct netlink *route, const struct copies *have, char *why)
{
	struct answer a = { .error = 0 };
	enum err err = OK;

	for (size_t i = 0; i < have->n && err == OK; i++) {
		const struct copy *c = &have->v[i];

		if (!c->ask.bad && !c->known)
			err = copy_send(route, RTM_DELROUTE, &c->ask, &a);
	}
	return why_kernel(why, err, &a, "cannot remove the copy of a default route");
}

static enum err apply_family(struct netlink *route, const struct apply *p, sa_family_t family)
{
	struct copies want = { .n = 0 };
	struct copies have = { .n = 0 };
	struct reading main_table = { .family = family, .devices = p->devices, .into = &want };
	struct reading ours = { .family = family, .into = &have };
	enum err err = p->any ? table_read(route, family, RT_TABLE_MAIN, &main_table, p->why) : OK;

	if (err == OK)
		err = table_read(route, family, HOST_TABLE_OUTER, &ours, p->why);
	if (err == OK && copies_match(&want, &have) != OK)
		err = why_say(p->why, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	if (err == OK)
		err = add_missing(route, &want, true, p);
	if (err == OK)
		err = add_missing(route, &want, false, p);
	if (err == OK)
		err = remove_rest(route, &have, p->why);
	copies_free(&want);
	copies_free(&have);
	return err;
}

enum err outer_apply(struct netlink *route, bool any, char *lacks, char *why)
{
	struct iface_list devices = { .n = 0 };
	const struct apply p = { .devices = &devices, .any = any, .lacks = lacks, .why = why };
	enum err err = any ? iface_list_read(route, &devices, why) : OK;

	lacks[0] = '\0';
	if (err == OK)
		err = apply_family(route, &p, AF_INET);
	if (err == OK)
		err = apply_family(route, &p, AF_INET6);
	iface_list_free(&devices);
	return err;
}
