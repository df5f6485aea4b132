/* SPDX-License-Identifier: Apache-2.0 */
/* See xfrm/family.h. */
#include "xfrm/family.h"

#include "xfrm/share.h"
#include "xfrm/words.h"

bool family_has6(const struct iface_list *all)
{
	for (size_t i = 0; i < all->n; i++) {
		if (all->v[i].has6)
			return true;
	}
	return false;
}

static bool any6(const struct ts_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].lo.family == AF_INET6)
			return true;
	}
	return false;
}

static bool wants6(const struct host_child *c)
{
	for (size_t i = 0; i < c->n_addresses; i++) {
		if (c->addresses[i].addr.family == AF_INET6)
			return true;
	}
	return any6(&c->local) || any6(&c->remote);
}

static const char *device_of(const char *tun, const struct host_child *c)
{
	return c->interface[0] != '\0' ? c->interface : tun;
}

bool family_left_out(const struct iface_list *all, const char *tun, const struct host_child *c)
{
	const struct iface *device = iface_list_find(all, device_of(tun, c));

	/* XFRM leaves a packet of transport mode on the route that it had: no device is asked. */
	if (!share_has(SHARE_LED, c) && !share_has(SHARE_ROUTED, c))
		return false;
	return wants6(c) && (device == NULL || !device->has6 || device->off6);
}

void family_words(const struct iface_list *all, const char *tun, const struct host_child *v,
		  size_t n, char *words)
{
	const struct host_child *first = NULL;
	size_t others = 0;
	enum err err = OK;

	words[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (!family_left_out(all, tun, &v[i]))
			continue;
		others += first != NULL;
		first = first != NULL ? first : &v[i];
	}
	if (first == NULL)
		return;
	if (!family_has6(all))
		err = why_say(words, OK,
			      "this host has no IPv6: what %s/%s and %zu other children have of it "
			      "is left out",
			      first->connection, first->child, others);
	else
		err = why_say(
			words, OK,
			"IPv6 is switched off on the device %s (disable_ipv6): what %s/%s and "
			"%zu other children have of it is left out",
			device_of(tun, first), first->connection, first->child, others);
	(void)err;
}
