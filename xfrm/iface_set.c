/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing the host's devices to the plan (last two functions of xfrm/iface.h). */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "xfrm/grow.h"
#include "xfrm/iface.h"
#include "xfrm/tun.h"
#include "xfrm/words.h"

enum { IFA_PROTO_ = 11 }; /* linux/if_addr.h since 5.18 */

/* ---- addresses ---- */

/* Of our devices, with our protocol number. */
struct address_list {
	uint32_t ifindex; /* what is looked for */
	struct net *v;
	size_t n;
	size_t size;
};

static enum err take_address(void *ctx, const struct nlmsghdr *m)
{
	static const struct nla_policy shape[IFA_PROTO_ + 1] = { [IFA_PROTO_] = {
									 .type = NLA_U8 } };
	/* libnl's parser takes no const; nothing is written. */
	struct nlmsghdr *msg = (struct nlmsghdr *)(uintptr_t)m;
	const struct ifaddrmsg *h = nlmsg_data(m);
	struct address_list *l = ctx;
	struct nlattr *tb[IFA_PROTO_ + 1];
	const struct nlattr *attr;
	struct net n = { .bits = h->ifa_prefixlen };
	struct net *v;

	if (nlmsg_parse(msg, sizeof(*h), tb, IFA_PROTO_, shape) < 0)
		return ERR_SYNTAX;
	attr = tb[IFA_LOCAL] != NULL ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (h->ifa_index != l->ifindex || attr == NULL || tb[IFA_PROTO_] == NULL ||
	    nla_get_u8(tb[IFA_PROTO_]) != HOST_PROTOCOL ||
	    !addr_from_span(&n.addr, span_of(nla_data(attr), (size_t)nla_len(attr))))
		return OK;
	v = grow(l->v, l->n, &l->size, sizeof(*v));
	if (v == NULL)
		return ERR_NOMEM;
	l->v = v;
	l->v[l->n++] = n;
	return OK;
}

static void restart_addresses(void *ctx)
{
	((struct address_list *)ctx)->n = 0;
}

static bool has_address(const struct net *v, size_t n, const struct net *a)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].bits == a->bits && addr_eq(&v[i].addr, &a->addr))
			return true;
	}
	return false;
}

static enum err addresses_read(struct netlink *route, struct address_list *l, char *why)
{
	const struct netlink_sink sink = { .restart = restart_addresses,
					   .take = take_address,
					   .ctx = l };
	const struct ifaddrmsg h = { .ifa_family = AF_UNSPEC };
	struct ask req = ask_new(RTM_GETADDR, NLM_F_DUMP);
	struct answer a;

	ask_header(&req, &h, sizeof(h));
	return why_kernel(why, netlink_dump(route, &req, &sink, &a), &a,
			  "cannot read the addresses of this host");
}

static enum err address_add(struct netlink *route, const struct iface *want, uint32_t ifindex,
			    const struct net *n, char *why)
{
	struct ask req = iface_ask_address(RTM_NEWADDR, ifindex, n);
	char words[NETLINK_WORDS_MAX];
	char text[ADDR_TEXT_MAX];
	struct answer a;
	enum err err = netlink_ask(route, &req, &a);

	if (err == OK)
		return OK;
	return why_say(why, err, "cannot give %s the address %s: %s", want->name,
		       addr_text(&n->addr, text), netlink_words(err, &a, words));
}

/* It may have gone by itself. */
static enum err address_remove(struct netlink *route, uint32_t ifindex, const struct net *n,
			       char *why)
{
	struct ask req = iface_ask_address(RTM_DELADDR, ifindex, n);
	struct answer a;
	enum err err = netlink_ask(route, &req, &a);

	if (a.error == EADDRNOTAVAIL || err == ERR_NOT_FOUND)
		return OK;
	return why_kernel(why, err, &a, "cannot remove an address");
}

/* Adds first. Where the kernel does not keep who made an address, none is taken away. */
static enum err addresses_set(struct netlink *route, const struct iface *want, uint32_t ifindex,
			      char *why)
{
	struct address_list have = { .ifindex = ifindex };
	enum err err = addresses_read(route, &have, why);

	for (size_t i = 0; i < want->n_addresses && err == OK; i++) {
		if (!has_address(have.v, have.n, &want->addresses[i]))
			err = address_add(route, want, ifindex, &want->addresses[i], why);
	}
	for (size_t i = 0; i < have.n && err == OK; i++) {
		if (!has_address(want->addresses, want->n_addresses, &have.v[i]))
			err = address_remove(route, ifindex, &have.v[i], why);
	}
	free(have.v);
	return err;
}

/* ---- devices ---- */

static enum err tell(struct netlink *route, struct ask req, const struct iface *i, const char *what,
		     char *why)
{
	char words[NETLINK_WORDS_MAX];
	struct answer a;
	enum err err = netlink_ask(route, &req, &a);

	if (err == OK)
		return OK;
	return why_say(why, err, "cannot %s the device %s: %s", what, i->name,
		       netlink_words(err, &a, words));
}

static enum err link_read(struct netlink *route, const char *name, struct iface_list *got,
			  const struct iface **have, char *why)
{
	enum err err = iface_list_read(route, got, why);

	*have = err == OK ? iface_list_find(got, name) : NULL;
	return err;
}

/* One that was made and then not marked, for the daemon died between: nobody else has that number.
 * */
static bool half_made(const struct iface *have, const struct iface *want)
{
	return have->alias[0] == '\0' && want->if_id != 0 && have->if_id == want->if_id &&
	       strcmp(have->kind, want->kind) == 0;
}

static bool same_device(const struct iface *have, const struct iface *want)
{
	return strcmp(have->name, want->name) == 0 && strcmp(have->kind, want->kind) == 0 &&
	       (strcmp(want->kind, "xfrm") != 0 || have->if_id == want->if_id);
}

/* Ours under the wrong name, of the wrong kind or number: an earlier configuration's. */
static enum err clear_way(struct netlink *route, const struct iface_list *all,
			  const struct iface *want, char *why)
{
	enum err err = OK;

	for (size_t i = 0; i < all->n && err == OK; i++) {
		const struct iface *have = &all->v[i];
		bool in_way = strcmp(have->name, want->name) == 0 ||
			      (have->if_id != 0 && have->if_id == want->if_id);

		if (!in_way || same_device(have, want))
			continue;
		if (!iface_is_ours(have))
			return why_say(why, ERR_EXISTS,
				       "a network device %s is there that postern did not make: "
				       "remove it, or give %s another interface",
				       have->name, want->alias + sizeof("postern"));
		err = tell(route, iface_ask_delete(have->ifindex), have, "remove", why);
	}
	return err;
}

enum err iface_clear(struct netlink *route, const struct iface *want, char *why)
{
	struct iface_list all = { .n = 0 };
	enum err err = iface_list_read(route, &all, why);

	if (err == OK)
		err = clear_way(route, &all, want, why);
	iface_list_free(&all);
	return err;
}

static enum err make(struct netlink *route, const struct iface *want, char *why)
{
	struct ask req = iface_ask_make(want);
	char words[NETLINK_WORDS_MAX];
	struct answer a;
	enum err err;

	if (strcmp(want->kind, "xfrm") != 0)
		return why_say(why, ERR_NOT_FOUND, "there is no device %s", want->name);
	err = netlink_ask(route, &req, &a);
	if (err == OK) {
		/* Nothing of its own accord: a router solicitation would start the tunnel. */
		req = tun_ask_no_autoconf(if_nametoindex(want->name));
		err = netlink_ask(route, &req, &a);
		return err == ERR_UNSUPPORTED ? OK
					      : why_kernel(why, err, &a, "cannot set up a device");
	}
	if (err == ERR_UNSUPPORTED)
		return why_say(why, err, "the kernel lacks CONFIG_XFRM_INTERFACE, which %s needs",
			       want->name);
	return why_say(why, err, "cannot make the device %s: %s", want->name,
		       netlink_words(err, &a, words));
}

/* As it shall be; `have` is as it is. */
static enum err adjust(struct netlink *route, const struct iface *want, const struct iface *have,
		       char *why)
{
	enum err err = OK;

	if (strcmp(have->alias, want->alias) != 0 || have->group != want->group)
		err = tell(route, iface_ask_setup(have->ifindex, want), want, "set up", why);
	if (err == OK && want->mtu != 0 && have->mtu != want->mtu)
		err = tell(route, iface_ask_mtu(have->ifindex, want->mtu), want, "set the MTU of",
			   why);
	if (err == OK && !have->up)
		err = tell(route, iface_ask_up(have->ifindex), want, "bring up", why);
	return err == OK ? addresses_set(route, want, have->ifindex, why) : err;
}

static enum err set_one(struct netlink *route, const struct iface *want, char *why)
{
	struct iface_list all = { .n = 0 };
	const struct iface *have;
	enum err err = link_read(route, want->name, &all, &have, why);

	if (err == OK && have != NULL && !iface_is_ours(have) && !half_made(have, want))
		err = why_say(why, ERR_EXISTS,
			      "a network device %s is there that postern did not make: "
			      "remove it, or give %s another interface",
			      have->name, want->alias + sizeof("postern"));
	if (err == OK)
		err = clear_way(route, &all, want, why);
	if (err == OK && (have == NULL || !same_device(have, want))) {
		iface_list_free(&all);
		err = make(route, want, why);
		if (err == OK)
			err = link_read(route, want->name, &all, &have, why);
	}
	if (err == OK)
		err = have != NULL
			      ? adjust(route, want, have, why)
			      : why_say(why, ERR_NOT_FOUND, "there is no device %s", want->name);
	iface_list_free(&all);
	return err;
}

enum err iface_set(struct netlink *route, const struct host_child *v, size_t n, char *why)
{
	enum err err = OK;

	for (size_t i = 0; i < n && err == OK; i++) {
		struct iface want = iface_of(&v[i]);

		if (want.name[0] != '\0')
			err = set_one(route, &want, why);
	}
	return err;
}

static bool configured(const struct iface *have, const struct host_child *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct iface want = iface_of(&v[i]);

		if (want.name[0] != '\0' && same_device(have, &want))
			return true;
	}
	return false;
}

enum err iface_prune(struct netlink *route, const struct host_child *v, size_t n, char *why)
{
	struct iface_list all = { .n = 0 };
	enum err err = iface_list_read(route, &all, why);

	for (size_t i = 0; i < all.n && err == OK; i++) {
		if (iface_is_ours(&all.v[i]) && !configured(&all.v[i], v, n))
			err = tell(route, iface_ask_delete(all.v[i].ifindex), &all.v[i], "remove",
				   why);
	}
	iface_list_free(&all);
	return err;
}

enum err iface_any(struct netlink *route, bool *any, char *why)
{
	struct iface_list all = { .n = 0 };
	enum err err = iface_list_read(route, &all, why);

	*any = false;
	for (size_t i = 0; i < all.n; i++)
		*any = *any || iface_is_ours(&all.v[i]);
	iface_list_free(&all);
	return err;
}

/* One that a daemon left that died between making and deleting is as good. */
bool iface_probe(struct netlink *route)
{
	const struct iface trial = { .name = "postern-probe",
				     .kind = "xfrm",
				     .if_id = SA_REQID_BASE | ~SA_REQID_MASK,
				     .group = IFACE_GROUP };
	struct ask req = iface_ask_make(&trial);
	struct answer a;
	enum err err = netlink_ask(route, &req, &a);

	if (err != OK && err != ERR_EXISTS)
		return false;
	req = iface_ask_delete(if_nametoindex(trial.name));
	err = netlink_ask(route, &req, &a);
	return true;
}
