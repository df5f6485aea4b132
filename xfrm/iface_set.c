/* SPDX-License-Identifier: Apache-2.0 */
/* The devices of children as they shall be (iface_set of xfrm/iface.h), and what else is asked of
 * the host about them. */
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "xfrm/iface_inner.h"
#include "xfrm/tun.h"
#include "xfrm/words.h"

enum err iface_tell(struct netlink *route, struct ask req, const struct iface *i, const char *what,
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

enum err iface_refuse(const struct iface *want, const struct iface *have, char *why)
{
	return why_say(why, ERR_EXISTS,
		       "a network device %s is there that postern did not make: "
		       "remove it, or give %s another interface",
		       have->name, want->alias + sizeof("postern"));
}

/* Nothing of its own accord: a router solicitation would start the tunnel. */
static enum err keep_quiet(struct netlink *route, uint32_t ifindex, char *why)
{
	struct ask req = tun_ask_no_autoconf(ifindex);
	struct answer a;
	enum err err = netlink_ask(route, &req, &a);

	return err == ERR_UNSUPPORTED ? OK : why_kernel(why, err, &a, "cannot set up a device");
}

enum err iface_make(struct netlink *route, const struct iface *want, char *why)
{
	struct ask req = iface_ask_make(want);
	char words[NETLINK_WORDS_MAX];
	struct answer a;
	enum err err = netlink_ask(route, &req, &a);

	if (err == OK)
		return keep_quiet(route, if_nametoindex(want->name), why);
	if (err == ERR_UNSUPPORTED)
		return why_say(why, err, "the kernel lacks CONFIG_XFRM_INTERFACE, which %s needs",
			       want->name);
	return why_say(why, err, "cannot make the device %s: %s", want->name,
		       netlink_words(err, &a, words));
}

/* The alias before the number: of two children that change their devices, each knows its own. */
enum err iface_adjust(struct netlink *route, const struct iface *want, const struct iface *have,
		      char *why)
{
	enum err err = OK;

	if (strcmp(have->alias, want->alias) != 0 || have->group != want->group)
		err = iface_tell(route, iface_ask_setup(have->ifindex, want), want, "set up", why);
	if (err == OK && strcmp(have->kind, "xfrm") == 0 && have->if_id != want->if_id)
		err = iface_tell(route, iface_ask_number(have->ifindex, want->if_id), want,
				 "change the number of", why);
	if (err == OK && want->mtu != 0 && have->mtu != want->mtu)
		err = iface_tell(route, iface_ask_mtu(have->ifindex, want->mtu), want,
				 "set the MTU of", why);
	/* Again: who made it may have failed, or died, just behind. */
	if (err == OK && !have->up)
		err = keep_quiet(route, have->ifindex, why);
	if (err == OK && !have->up)
		err = iface_tell(route, iface_ask_up(have->ifindex), want, "bring up", why);
	return err == OK ? iface_addresses_set(route, want, have->ifindex, why) : err;
}

static bool is_wanted(const struct iface *want, const struct iface *have)
{
	return iface_is_ours(have) && strcmp(have->kind, want->kind) == 0;
}

static enum err set_one(struct netlink *route, const struct iface *want, char *why)
{
	struct iface_list all = { .n = 0 };
	enum err err = iface_list_read(route, &all, why);
	const struct iface *have = err == OK ? iface_list_find(&all, want->name) : NULL;

	if (err == OK && have == NULL && strcmp(want->kind, "xfrm") == 0) {
		err = iface_make(route, want, why);
		iface_list_free(&all);
		/* The kernel knows none of them (without IPv6 it loads no such module): nobody can
		 * carry this child, says the engine; the other children live. */
		if (err == ERR_UNSUPPORTED)
			return OK;
		if (err == OK)
			err = iface_list_read(route, &all, why);
		have = err == OK ? iface_list_find(&all, want->name) : NULL;
	}
	if (err == OK && have == NULL)
		err = why_say(why, ERR_NOT_FOUND, "there is no device %s", want->name);
	if (err == OK && !is_wanted(want, have))
		err = iface_refuse(want, have, why);
	if (err == OK)
		err = iface_adjust(route, want, have, why);
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

/* By its name, and only if it is ours: one that a daemon left that died before it deleted it is as
 * good. What is not deleted here, iface_prune finds. False: the name is taken by what is no XFRM
 * interface, and the kernel refuses the name before it looks at what is to be made. */
static bool probe_end(struct netlink *route, const char *name)
{
	struct iface_list all = { .n = 0 };
	char unused[HOST_WHY_MAX];
	const struct iface *have = NULL;
	bool is_xfrm;

	if (iface_list_read(route, &all, unused) == OK)
		have = iface_list_find(&all, name);
	is_xfrm = have == NULL || strcmp(have->kind, "xfrm") == 0;
	if (have != NULL && iface_is_ours(have)) {
		struct ask req = iface_ask_delete(have->ifindex);
		struct answer a;

		(void)!netlink_ask(route, &req, &a);
	}
	iface_list_free(&all);
	return is_xfrm;
}

bool iface_probe(struct netlink *route)
{
	const struct iface trial = { .name = "postern-probe",
				     .kind = "xfrm",
				     .if_id = SA_REQID_BASE | ~SA_REQID_MASK,
				     .group = IFACE_GROUP };
	struct ask req = iface_ask_make(&trial);
	struct answer a;
	enum err err = netlink_ask(route, &req, &a);

	return (err == OK || err == ERR_EXISTS) && probe_end(route, trial.name);
}
