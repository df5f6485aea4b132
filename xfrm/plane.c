/* SPDX-License-Identifier: Apache-2.0 */
/* The data planes' place on the host (host_plane_*, host_child_mtu). The kernel's plane shares
 * rules and routes with userspace ESP (xfrm/share.h says what is whose).
 *
 * Order matters, because the plane lifts the guard of local IPv6 packets (xfrm/plan.c): what stands
 * for the guard, the nftables table and the rules, is there before and stays until after.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xfrm/family.h"
#include "xfrm/host_inner.h"
#include "xfrm/iface.h"
#include "xfrm/lead.h"
#include "xfrm/nft_table.h"
#include "xfrm/outer.h"
#include "xfrm/plan.h"
#include "xfrm/policy_set.h"
#include "xfrm/share.h"
#include "xfrm/tun.h"
#include "xfrm/words.h"

/* RFC 8200 5. Linux loses what is longer than a route's MTU, and no IPv6 sender goes below this:
 * what of it does not fit the path, the plane cuts on the outside. */
enum { ROUTE_MTU_LEAST6 = 1280 };

static enum err nft_ready(struct host *h, char *why)
{
	enum err err = h->nft.fd >= 0 ? OK : netlink_open(&h->nft, NETLINK_NETFILTER);

	if (err == ERR_UNSUPPORTED)
		return why_say(
			why, err,
			"the kernel lacks nftables (CONFIG_NF_TABLES), which userspace ESP needs");
	return err == OK ? OK
			 : why_say(why, err, "cannot open a netlink socket for nftables: %s",
				   strerror(errno));
}

static const char src_valid_mark[] = "/proc/sys/net/ipv4/conf/all/src_valid_mark";

/* Under the systemd unit /proc/sys is read-only, and the unit has set it before. */
static bool src_valid_mark_is_set(void)
{
	int fd = open(src_valid_mark, O_RDONLY | O_CLOEXEC);
	char was = '0';
	bool set = fd >= 0 && pread(fd, &was, 1, 0) == 1 && was == '1';

	if (fd >= 0)
		close(fd);
	return set;
}

/* Without it the reverse path filter does not look at marks. We change it for good (as
 * xfrm_larval_drop, kernel_trap.c): it only says that rules with marks count there, too. */
static enum err mark_counts_in_rp_filter(char *why)
{
	int fd, error;
	bool done;

	if (src_valid_mark_is_set())
		return OK;
	fd = open(src_valid_mark, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && pwrite(fd, "1", 1, 0) == 1;
	error = errno;
	if (fd >= 0)
		close(fd);
	return done ? OK
		    : why_say(why, ERR_SYSTEM, "cannot set %s to 1: %s", src_valid_mark,
			      strerror(error));
}

struct plane {
	const char *tun;
	const struct host_child *v;
	size_t n;
	struct host_child *open; /* SHARE_DEVICE */
	size_t n_open;
	struct host_child *led;
	size_t n_led;
	struct host_child *beside;
	size_t n_beside;
	struct host_child *routed;
	size_t n_routed;
	struct host_child *errors;
	size_t n_errors;
	bool devices; /* there is one of a child, be it one that an operator took down */
	bool has6;    /* the host has IPv6 */
	uint32_t device;
};

static enum err plane_fill(struct plane *p, const struct host_child *v, size_t n, char *why)
{
	p->open = share_pick(SHARE_DEVICE, v, n, &p->n_open);
	p->led = share_pick(SHARE_LED, v, n, &p->n_led);
	p->beside = share_pick(SHARE_BESIDE, v, n, &p->n_beside);
	p->routed = share_pick(SHARE_ROUTED, v, n, &p->n_routed);
	p->errors = share_pick(SHARE_ERRORS, v, n, &p->n_errors);
	return p->open != NULL && p->led != NULL && p->beside != NULL && p->routed != NULL &&
			       p->errors != NULL
		       ? OK
		       : why_say(why, ERR_NOMEM, "no memory");
}

static void plane_free(struct plane *p)
{
	free(p->open);
	free(p->led);
	free(p->beside);
	free(p->routed);
	free(p->errors);
}

/* Once the devices stand: which there are, and what they say of IPv6. */
static enum err plane_look(struct host *h, struct plane *p, char *why)
{
	struct iface_list all = { .n = 0 };
	enum err err = iface_list_read(&h->route, &all, why);

	if (err != OK)
		return err;
	for (size_t i = 0; i < all.n; i++)
		p->devices = p->devices || iface_is_ours(&all.v[i]);
	p->has6 = family_has6(&all);
	for (size_t i = 0; i < p->n_open; i++)
		p->open[i].without6 = family_left_out(&all, p->tun, &p->open[i]);
	for (size_t i = 0; i < p->n_led; i++)
		p->led[i].without6 = family_left_out(&all, p->tun, &p->led[i]);
	for (size_t i = 0; i < p->n_routed; i++)
		p->routed[i].without6 = family_left_out(&all, p->tun, &p->routed[i]);
	family_words(&all, p->tun, p->v, p->n, h->lacks[HOST_LACK_IPV6]);
	iface_list_free(&all);
	return OK;
}

static enum err table_set(struct host *h, const struct plane *p, const struct own_list *own,
			  char *why)
{
	struct policy_list guards = { .n = 0 };
	struct policy_list all = { .n = 0 };
	struct policy_list led = { .n = 0 };
	const struct nft_plan wish = { .tun = p->tun,
				       .guards = &guards,
				       .all = &all,
				       .led = &led,
				       .v = p->v,
				       .n = p->n };
	enum err err = plan_guards(&guards, p->open, p->n_open, own);

	if (err == OK)
		err = plan_guards(&all, p->v, p->n, own);
	if (err == OK)
		err = plan_guards(&led, p->errors, p->n_errors, own);
	if (err != OK)
		err = why_say(why, err, "cannot plan the nftables table: %s", err_text(err));
	else
		err = nft_table_apply(&h->nft, &wish, h->lacks[HOST_LACK_HELD], why);
	policy_list_free(&guards);
	policy_list_free(&all);
	policy_list_free(&led);
	return err;
}

static uint16_t route_mtu(const struct net *to, uint16_t mtu)
{
	bool v6 = to->addr.family == AF_INET6;

	return v6 && mtu < ROUTE_MTU_LEAST6 ? ROUTE_MTU_LEAST6 : mtu;
}

static struct route *route_of(const struct route_list *l, const struct host_child *c,
			      const struct net *to)
{
	const struct route like = { .to = *to, .main = c->interface[0] != '\0' };

	return route_list_same(l, &like);
}

/* What was learned of the paths of these children; of two that share a route the smaller counts. */
static enum err routes_size(struct route_list *l, const struct host_child *v, size_t n)
{
	enum err err = OK;

	for (size_t i = 0; i < n && err == OK; i++) {
		struct pair_list pairs = { .n = 0 };

		if (v[i].mtu != 0)
			err = pair_list_fill(&pairs, &v[i], 1);
		for (size_t k = 0; k < pairs.n && err == OK; k++) {
			const struct net *to = &pairs.v[k].remote;
			struct route *r = route_of(l, &v[i], to);

			if (r != NULL && (r->mtu == 0 || r->mtu > route_mtu(to, v[i].mtu)))
				r->mtu = route_mtu(to, v[i].mtu);
		}
		pair_list_free(&pairs);
	}
	return err;
}

static enum err routes_set(struct host *h, const struct plane *p, const struct own_list *own,
			   char *why)
{
	struct pair_list pairs = { .n = 0 };
	struct route_list routes = { .n = 0 };
	enum err err = pair_list_fill(&pairs, p->led, p->n_led);

	if (err == OK)
		err = lead_routes(&routes, &pairs, own, p->device);
	for (size_t i = 0; i < p->n_routed && err == OK; i++)
		err = lead_device_routes(&routes, &p->routed[i], own,
					 if_nametoindex(p->routed[i].interface));
	if (err == OK)
		err = routes_size(&routes, p->led, p->n_led);
	if (err == OK)
		err = routes_size(&routes, p->routed, p->n_routed);
	if (err == OK)
		err = route_set_apply(&h->route, &routes, why);
	else
		err = why_say(why, err, "cannot plan the routes: %s", err_text(err));
	route_list_free(&routes);
	pair_list_free(&pairs);
	return err;
}

static enum err rules_set(struct host *h, const struct plane *p, const struct own_list *own,
			  char *why)
{
	const struct lead_host host = {
		.own = own,
		.beside = p->beside,
		.n_beside = p->n_beside,
		.routed = p->devices,
		.has6 = p->has6,
	};
	struct rule_list rules = { .n = 0 };
	enum err err = lead_rules(&rules, p->led, p->n_led, &host);

	if (err == OK)
		err = rule_set_apply(&h->route, &rules, why);
	else
		err = why_say(why, err, "cannot plan the routing rules: %s", err_text(err));
	rule_list_free(&rules);
	return err;
}

typedef enum err change_fn(const struct policy_set *, const struct policy_list *, char *);

/* `change`: policy_set_prune before all else is changed, policy_set_apply when it stands. */
static enum err exceptions(struct host *h, const struct plane *p, change_fn *change, char *why)
{
	const struct policy_set set = { .nl = &h->xfrm, .section = POLICY_OF_PLANE };
	struct policy_list wanted = { .n = 0 };
	enum err err = OK;

	for (size_t i = 0; i < p->n_routed && err == OK; i++)
		err = plan_device(&wanted, &p->routed[i],
				  (int)if_nametoindex(p->routed[i].interface));
	if (err == OK)
		err = plan_plane(&wanted, p->open, p->n_open, (int)p->device);
	if (err == OK)
		err = change(&set, &wanted, why);
	else
		err = why_say(why, err, "cannot plan the exceptions of the TUN device: %s",
			      err_text(err));
	policy_list_free(&wanted);
	return err;
}

static enum err exceptions_remove(struct host *h, char *why)
{
	const struct policy_set set = { .nl = &h->xfrm, .section = POLICY_OF_PLANE };
	const struct policy_list none = { .n = 0 };

	return policy_set_prune(&set, &none, why);
}

enum err host_plane_set(struct host *h, const char *tun, const struct host_child *v, size_t n,
			char why[static HOST_WHY_MAX])
{
	struct plane p = { .tun = tun, .v = v, .n = n, .device = if_nametoindex(tun) };
	struct own_list own = { .n = 0 };
	enum err err = nft_ready(h, why);

	if (p.device == 0)
		return why_say(why, ERR_NOT_FOUND, "there is no TUN device %s", tun);
	if (err == OK)
		err = plane_fill(&p, v, n, why);
	if (err == OK)
		err = mark_counts_in_rp_filter(why);
	if (err == OK)
		err = iface_set(&h->route, p.routed, p.n_routed, why);
	if (err == OK)
		err = plane_look(h, &p, why);
	if (err == OK)
		err = own_list_read(&h->route, &own, why);
	if (err == OK)
		err = exceptions(h, &p, policy_set_prune, why);
	if (err == OK)
		err = table_set(h, &p, &own, why);
	if (err == OK)
		err = tun_up(&h->route, p.device, why);
	if (err == OK)
		err = outer_apply(&h->route, p.devices, h->lacks[HOST_LACK_ROUTE], why);
	if (err == OK)
		err = routes_set(h, &p, &own, why);
	if (err == OK)
		err = rules_set(h, &p, &own, why);
	if (err == OK)
		err = exceptions(h, &p, policy_set_apply, why);
	own_list_free(&own);
	plane_free(&p);
	return err;
}

const char *host_plane_lacks(struct host *h, enum host_lack which)
{
	char *told = h->lacks_told[which];

	if (strcmp(h->lacks[which], told) == 0)
		return "";
	memcpy(told, h->lacks[which], sizeof(h->lacks_told[which]));
	return told;
}

enum err host_plane_off(struct host *h, char why[static HOST_WHY_MAX])
{
	const struct rule_list no_rules = { .n = 0 };
	const struct route_list no_routes = { .n = 0 };
	enum err err = exceptions_remove(h, why);

	if (err == OK)
		err = rule_set_apply(&h->route, &no_rules, why);
	if (err == OK)
		err = route_set_apply(&h->route, &no_routes, why);
	if (err == OK)
		err = outer_apply(&h->route, false, h->lacks[HOST_LACK_ROUTE], why);
	/* Where there is no nftables there is no table of ours. */
	if (err != OK || nft_ready(h, why) != OK)
		return err;
	err = nft_table_remove(&h->nft, why);
	return err == ERR_UNSUPPORTED ? OK : err;
}

static enum err child_route_mtu(struct host *h, const struct route_list *routes,
				const struct host_child *c, const struct net *to, char *why)
{
	struct route *r = route_of(routes, c, to);
	uint16_t mtu = route_mtu(to, c->mtu);

	if (r == NULL && to->addr.family == AF_INET6 && h->lacks[HOST_LACK_IPV6][0] != '\0')
		return OK; /* it was left out */
	if (r == NULL)
		return c->interface[0] != '\0' && to->bits == 0
			       ? OK
			       : why_say(why, ERR_NOT_FOUND, "a route of %s/%s is not there",
					 c->connection, c->child);
	if (r->mtu == mtu)
		return OK;
	r->mtu = mtu;
	return route_put(&h->route, r, why);
}

static uint32_t table_of(const struct host_child *c)
{
	return c->interface[0] != '\0' ? RT_TABLE_MAIN : HOST_TABLE;
}

enum err host_child_mtu(struct host *h, const struct host_child *child, uint16_t mtu,
			char why[static HOST_WHY_MAX])
{
	struct pair_list pairs = { .n = 0 };
	struct route_list routes = { .n = 0 };
	struct host_child c = *child;
	enum err err;

	if (!share_has(SHARE_LED, &c) && !share_has(SHARE_ROUTED, &c))
		return OK; /* it has no route of ours */
	c.mtu = mtu;
	err = iface_set(&h->route, &c, 1, why);
	if (err == OK) {
		err = pair_list_fill(&pairs, &c, 1);
		if (err != OK)
			err = why_say(why, err, "cannot plan the routes of %s/%s: %s", c.connection,
				      c.child, err_text(err));
	}
	/* Only where one of it can be: an evening when all children come up asks this for each. */
	if (err == OK && pair_list_has(&pairs, AF_INET))
		err = route_table_read(&h->route, AF_INET, table_of(&c), &routes, why);
	if (err == OK && pair_list_has(&pairs, AF_INET6))
		err = route_table_read(&h->route, AF_INET6, table_of(&c), &routes, why);
	for (size_t i = 0; i < pairs.n && err == OK; i++)
		err = child_route_mtu(h, &routes, &c, &pairs.v[i].remote, why);
	route_list_free(&routes);
	pair_list_free(&pairs);
	return err;
}
