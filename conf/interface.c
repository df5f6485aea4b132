/* SPDX-License-Identifier: Apache-2.0 */
/* Route-based children: the device of a child and its addresses. See model.h. */
#include <string.h>

#include "conf/build.h"
#include "conf/value.h"

static bool refuse(struct build *b, const struct tree_value *v, const char *what, const char *hint)
{
	char text[WORDS_MAX];

	mark_error(b->p, v->at, words(text, "`%.120s` %s", v->text, what), hint);
	return false;
}

/* ADDRESS/PREFIX; an address alone has no network beside it. Unlike a struct net elsewhere the host
 * bits are the point. */
static bool address_parse(const char *text, struct net *n)
{
	const char *slash = strchr(text, '/');
	char host[ADDR_TEXT_MAX] = "";
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	uint64_t bits;

	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	if (!addr_parse(host, &n->addr))
		return false;
	bits = addr_len(&n->addr) * 8;
	if (slash && (!value_number(slash + 1, &bits) || bits > addr_len(&n->addr) * 8))
		return false;
	n->bits = (uint8_t)bits;
	return true;
}

/* Of one host: not 0.0.0.0, not a group, not everybody on the link. */
static bool address_is_of_a_host(const struct addr *a)
{
	bool group = a->family == AF_INET ? a->b[0] >= 224 : a->b[0] == 0xff;

	return !addr_is_any(a) && !group;
}

static bool address_add(struct build *b, const struct tree_value *v, struct conf_child *ch)
{
	struct net n;

	if (!address_parse(v->text, &n))
		return refuse(b, v, "is no address", "10.255.0.1/30, 2001:db8::1/64");
	if (!address_is_of_a_host(&n.addr))
		return refuse(b, v, "cannot be the address of a device",
			      "10.255.0.1/30, 2001:db8::1/64");
	for (size_t i = 0; i < ch->n_addresses; i++) {
		if (addr_eq(&ch->addresses[i].addr, &n.addr))
			return refuse(b, v, "stands twice", NULL);
	}
	if (ch->n_addresses == CONF_ADDRS_MAX)
		return refuse(b, v, "is one too many", "8 addresses at most");
	ch->addresses[ch->n_addresses++] = n;
	return true;
}

bool build_set_addresses(struct build *b, const struct schema_option *row,
			 const struct tree_option *o, void *obj)
{
	bool good = true;

	(void)row;
	for (const struct tree_value *v = o->values; v; v = v->next)
		good = address_add(b, v, obj) && good;
	return good;
}

static bool list_is_everything(const struct ts_list *l, sa_family_t family)
{
	for (size_t i = 0; i < l->n; i++) {
		struct net n;

		if (l->v[i].lo.family == family &&
		    net_from_range(&l->v[i].lo, &l->v[i].hi, &n, 1) == 1 && n.bits == 0)
			return true;
	}
	return false;
}

/* By policies it would take every packet of the host, those on its own links too; and there is no
 * guard against that which leaves the host reachable. */
static void check_everything(struct build *b, const struct tree_block *block,
			     const struct conf_child *ch)
{
	if (ch->interface[0] || tree_option_broken(block, "interface"))
		return;
	for (sa_family_t f = AF_INET; f; f = f == AF_INET ? AF_INET6 : 0) {
		if (list_is_everything(&ch->local, f) && list_is_everything(&ch->remote, f))
			mark_error(b->p, tree_value_mark(block, "local"),
				   "everything to everything wants an interface of its own",
				   "interface = NAME, and routes into it; or the networks of our "
				   "side");
	}
}

static void check_names(struct build *b, const struct tree_block *block,
			const struct conf_child *ch)
{
	struct mark at = tree_value_mark(block, "interface");
	char text[WORDS_MAX];

	if (strcmp(ch->interface, b->c->tun_name) == 0)
		mark_error(b->p, at,
			   words(text, "`%s` is the device of all other children", ch->interface),
			   "another name");
	if (strcmp(ch->interface, "lo") == 0)
		mark_error(b->p, at, "`lo` is there already", "another name");
	if (ch->mode != CONF_MODE_TUNNEL)
		mark_error(b->p, tree_value_mark(block, "mode"),
			   "a child with an interface carries whole packets", "mode = tunnel");
}

/* The first child with this device, in the order of the file. */
static const struct tree_block *interface_owner(const struct tree *t, const char *interface)
{
	for (const struct tree_block *cn = t->root.blocks; cn; cn = cn->next) {
		for (const struct tree_block *in = cn->blocks; in; in = in->next) {
			const struct conf_child *ch = in->made;

			if (ch && strcmp(ch->interface, interface) == 0)
				return in;
		}
	}
	return NULL;
}

static void check_single(struct build *b, const struct tree_block *block,
			 const struct conf_child *ch)
{
	const struct tree_block *first = interface_owner(b->t, ch->interface);
	char text[WORDS_MAX];
	char hint[WORDS_MAX];

	if (!first || first == block)
		return;
	words(text, "`%s` is the interface of another child", ch->interface);
	words(hint, "`%s/%s` in line %d has it: each needs its own",
	      first->parent->name ? first->parent->name : "", first->name ? first->name : "",
	      ((const struct conf_child *)first->made)->pos.line);
	mark_error(b->p, tree_value_mark(block, "interface"), text, hint);
}

static void check_child(struct build *b, const struct tree_block *block,
			const struct conf_child *ch)
{
	check_everything(b, block, ch);
	if (ch->interface[0]) {
		check_names(b, block, ch);
		check_single(b, block, ch);
	} else if (tree_option_find(block, "addresses") && !tree_option_find(block, "interface")) {
		mark_error(b->p, tree_value_mark(block, "addresses"),
			   "addresses without an interface that could have them",
			   "interface = NAME");
	}
}

void build_check_interfaces(struct build *b)
{
	for (const struct tree_block *cn = b->t->root.blocks; cn; cn = cn->next) {
		for (const struct tree_block *ch = cn->blocks; ch; ch = ch->next) {
			if (ch->made)
				check_child(b, ch, ch->made);
		}
	}
}
