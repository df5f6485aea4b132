/* SPDX-License-Identifier: Apache-2.0 */
/* The copy of default routes: see xfrm/outer.h.
 *
 * Routes are copied attribute by attribute, unread, but for the hops that lead into our devices: of
 * several the others stay. Nexthop objects are spelt out by the kernel, or else copied by their
 * number. Both tables are compared as the requests that would make their routes. A copy that the
 * kernel refuses is passed over and told: outer packets have no way there then, which is safe.
 */
#include "xfrm/outer.h"

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "xfrm/grow.h"
#include "xfrm/hops.h"
#include "xfrm/host.h"
#include "xfrm/nexthop.h"
#include "xfrm/words.h"

struct copies {
	sa_family_t family; /* without IPv6, a kernel answers for IPv4 when it is asked for that */
	const struct iface_list *devices;
	struct ask *v;
	size_t n;
	size_t size;
};

static void copies_clear(struct copies *c)
{
	for (size_t i = 0; i < c->n; i++)
		ask_free(&c->v[i]);
	c->n = 0;
}

static void copies_free(struct copies *c)
{
	copies_clear(c);
	free(c->v);
}

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

/* Where it leads, but for our devices. False: nowhere else. */
static bool copy_way(struct ask *a, struct nlattr *const *tb, const struct iface_list *devices)
{
	if (tb[RTA_MULTIPATH] != NULL)
		return hops_put(a, tb[RTA_MULTIPATH], hop_elsewhere, devices) > 0 || a->bad;
	if (tb[RTA_OIF] == NULL) {
		copy_attr(a, tb, RTA_NH_ID);
		return tb[RTA_NH_ID] != NULL;
	}
	copy_attr(a, tb, RTA_GATEWAY);
	copy_attr(a, tb, RTA_VIA);
	copy_attr(a, tb, RTA_OIF);
	return !is_our_device(devices, nla_get_u32(tb[RTA_OIF]));
}

/* `table`: which one the message is of. */
static enum err copy_of(const struct nlmsghdr *m, uint32_t table, const struct iface_list *devices,
			struct ask *a)
{
	static const int kept[] = { RTA_PRIORITY, RTA_PREFSRC, RTA_METRICS, RTA_PREF };
	struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *h = nlmsg_data(m);
	enum err err = parse(m, tb);

	if (err != OK)
		return err;
	if (!is_copied(h, tb, table))
		return ERR_NOT_FOUND;
	copy_begin(a, h, tb);
	if (!copy_way(a, tb, devices)) {
		ask_free(a);
		return ERR_NOT_FOUND;
	}
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		copy_attr(a, tb, kept[i]);
	return OK;
}

enum err outer_copy(const struct nlmsghdr *m, const struct iface_list *devices, struct ask *a)
{
	const struct rtmsg *h = nlmsg_data(m);
	struct nlattr *tb[RTA_MAX + 1];
	enum err err = parse(m, tb);

	if (err != OK)
		return err;
	return h->rtm_protocol == HOST_PROTOCOL ? ERR_NOT_FOUND
						: copy_of(m, RT_TABLE_MAIN, devices, a);
}

bool outer_concerns(const struct nlmsghdr *m)
{
	const struct rtmsg *h = nlmsg_data(m);
	struct nlattr *tb[RTA_MAX + 1];

	return parse(m, tb) == OK && h->rtm_dst_len == 0 && h->rtm_protocol != HOST_PROTOCOL &&
	       is_copied(h, tb, RT_TABLE_MAIN);
}

/* ---- both tables ---- */

static enum err copies_add(struct copies *c, struct ask *a)
{
	struct ask *v = grow(c->v, c->n, &c->size, sizeof(*v));

	if (v == NULL) {
		ask_free(a);
		return ERR_NOMEM;
	}
	c->v = v;
	c->v[c->n++] = *a;
	return OK;
}

static enum err copies_take(struct copies *c, const struct nlmsghdr *m, struct ask *a)
{
	const struct rtmsg *h = nlmsg_data(m);

	if (h->rtm_family == c->family)
		return copies_add(c, a);
	ask_free(a);
	return OK;
}

static enum err take_wanted(void *ctx, const struct nlmsghdr *m)
{
	struct copies *c = ctx;
	struct ask a;
	enum err err = outer_copy(m, c->devices, &a);

	if (err == ERR_NOT_FOUND)
		return OK;
	return err != OK ? err : copies_take(c, m, &a);
}

static enum err take_have(void *ctx, const struct nlmsghdr *m)
{
	const struct iface_list none = { .n = 0 };
	struct ask a;
	enum err err = copy_of(m, HOST_TABLE_OUTER, &none, &a);

	if (err == ERR_NOT_FOUND)
		return OK;
	return err != OK ? err : copies_take(ctx, m, &a);
}

static void restart(void *ctx)
{
	copies_clear(ctx);
}

static enum err table_read(struct netlink *route, sa_family_t family, uint32_t table,
			   struct copies *c, char *why)
{
	const struct netlink_sink sink = { .restart = restart,
					   .take = table == HOST_TABLE_OUTER ? take_have
									     : take_wanted,
					   .ctx = c };
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

static bool has(const struct copies *c, const struct ask *a)
{
	struct span body = span_tail(ask_span(a), NLMSG_HDRLEN);

	for (size_t i = 0; i < c->n; i++) {
		if (span_eq(span_tail(ask_span(&c->v[i]), NLMSG_HDRLEN), body))
			return true;
	}
	return false;
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
static bool number_leads_elsewhere(struct netlink *route, const struct copies *c,
				   const struct ask *from)
{
	const struct nlattr *id =
		nlmsg_find_attr(nlmsg_hdr(from->msg), sizeof(struct rtmsg), RTA_NH_ID);
	bool ours;

	return id == NULL ||
	       (nexthop_any(route, nla_get_u32(id), is_our_device, c->devices, &ours) == OK &&
		!ours);
}

static enum err copy_add(struct netlink *route, const struct copies *c, const struct ask *from,
			 char *lacks)
{
	char words[NETLINK_WORDS_MAX];
	struct answer a = { .error = 0 };
	enum err err = ERR_UNSUPPORTED;

	if (!from->bad && number_leads_elsewhere(route, c, from))
		err = copy_send(route, RTM_NEWROUTE, from, &a);
	if (err == OK || err == ERR_NO_ANSWER)
		return err;
	return why_say(lacks, OK,
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

static enum err add_missing(struct netlink *route, const struct copies *want,
			    const struct copies *have, bool link, char *lacks)
{
	enum err err = OK;

	for (size_t i = 0; i < want->n && err == OK; i++) {
		if (is_link(&want->v[i]) == link && !has(have, &want->v[i]))
			err = copy_add(route, want, &want->v[i], lacks);
	}
	return err;
}

static enum err remove_rest(struct netlink *route, const struct copies *want,
			    const struct copies *have, char *why)
{
	struct answer a = { .error = 0 };
	enum err err = OK;

	for (size_t i = 0; i < have->n && err == OK; i++) {
		if (!have->v[i].bad && !has(want, &have->v[i]))
			err = copy_send(route, RTM_DELROUTE, &have->v[i], &a);
	}
	return why_kernel(why, err, &a, "cannot remove the copy of a default route");
}

/* What the copies are for, and where words go. */
struct apply {
	const struct iface_list *devices;
	bool any;
	char *lacks;
	char *why;
};

static enum err apply_family(struct netlink *route, const struct apply *p, sa_family_t family)
{
	struct copies want = { .family = family, .devices = p->devices };
	struct copies have = { .family = family, .devices = p->devices };
	enum err err = p->any ? table_read(route, family, RT_TABLE_MAIN, &want, p->why) : OK;

	if (err == OK)
		err = table_read(route, family, HOST_TABLE_OUTER, &have, p->why);
	if (err == OK)
		err = add_missing(route, &want, &have, true, p->lacks);
	if (err == OK)
		err = add_missing(route, &want, &have, false, p->lacks);
	if (err == OK)
		err = remove_rest(route, &want, &have, p->why);
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
