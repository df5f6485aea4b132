/* SPDX-License-Identifier: Apache-2.0 */
/* What one option demands of another: each check is one function, reads the model, and points into
 * the tree. Nothing is reported about a block that was not understood.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/build.h"

enum {
	FRAGMENT_LEAST = 576
}; /* RFC 7383 2.5.1: the smallest datagram that every IPv4 host takes */

static void error_at(struct build *b, const struct tree_block *block, const char *option,
		     const char *text, const char *hint)
{
	mark_error(b->p, tree_value_mark(block, option), text, hint);
}

/* The unnamed me, or the only one. */
static const struct conf_me *me_default(const struct conf *c)
{
	for (size_t i = 0; i < c->n_mes; i++) {
		if (!c->mes[i].name[0])
			return &c->mes[i];
	}
	return c->n_mes == 1 ? &c->mes[0] : NULL;
}

static void check_me(struct build *b, const struct tree_block *block, struct conf_connection *cn)
{
	char hint[WORDS_MAX];

	if (!tree_option_find(block, "me"))
		cn->me = me_default(b->c);
	if (cn->me && cn->local_identity.type == ID_NONE &&
	    !tree_option_find(block, "local_identity"))
		cn->local_identity = cn->me->identity;
	if (cn->me || tree_option_find(block, "me"))
		return;
	if (b->c->n_mes == 0 && !b->t->root.broken)
		mark_error(b->p, block->at, "no me block says who we are",
			   "me { identity = ... } above it");
	else if (b->c->n_mes > 0)
		mark_error(b->p, block->at, "which me speaks for us is open",
			   words(hint, "me = %s, or one me block without a name",
				 b->c->mes[0].name));
}

/* `any` is for peers that call: nobody can be called at any address. */
static void check_start(struct build *b, const struct tree_block *block, struct conf_connection *cn)
{
	if (!cn->any_address)
		return;
	if (!tree_option_find(block, "start"))
		cn->start = CONF_START_MANUAL;
	else if (cn->start != CONF_START_MANUAL && !tree_option_broken(block, "start"))
		error_at(b, block, "start", "with `address = any` there is nobody to call",
			 "start = manual, or write the address");
}

static void check_auth(struct build *b, const struct tree_block *block, struct conf_connection *cn)
{
	bool file = tree_option_find(block, "psk_file") != NULL;

	if (tree_option_broken(block, "auth"))
		return;
	if (cn->auth == CONF_AUTH_PSK && !file && !block->broken)
		error_at(b, block, "auth", "`auth = psk` without a psk_file", "psk_file = FILE");
	if (cn->auth == CONF_AUTH_CERTIFICATE && file)
		error_at(b, block, "psk_file", "psk_file without `auth = psk`",
			 "auth = psk, or leave the file out");
	if (cn->auth == CONF_AUTH_PSK && cn->identity.type == ID_NONE &&
	    tree_option_find(block, "identity") && !tree_option_broken(block, "identity"))
		error_at(b, block, "identity",
			 "a pre-shared key proves no identity by itself: `any` cannot be used",
			 "the identity that the peer sends: its name or address");
}

static void check_qcd(struct build *b, const struct tree_block *block, struct conf_connection *cn)
{
	if (cn->qcd && !tree_option_find(&b->t->root, "qcd_secret_file"))
		error_at(b, block, "qcd", "`qcd = yes` without a qcd_secret_file",
			 "qcd_secret_file = FILE before all blocks");
}

static void check_families(struct build *b, const struct tree_block *block,
			   struct conf_connection *cn)
{
	for (size_t i = 0; i < cn->n_addresses; i++) {
		if (cn->local_address.family == AF_UNSPEC ||
		    cn->local_address.family == cn->addresses[i].family)
			continue;
		error_at(b, block, "local_address",
			 "local_address and address are of different families",
			 cn->addresses[i].family == AF_INET ? "an IPv4 address of ours"
							    : "an IPv6 address of ours");
		return;
	}
}

static void check_fragment_size(struct build *b, const struct tree_block *block,
				struct conf_connection *cn)
{
	if (cn->fragment_size > 0 && cn->fragment_size < FRAGMENT_LEAST)
		error_at(b, block, "fragment_size", "fragments this small carry nothing",
			 "at least 576, or 0 for none");
}

/* RFC 4478 3 */
static const mono_ns reauthenticate_least = 300 * NS_PER_S;

static void check_reauthenticate(struct build *b, const struct tree_block *block,
				 struct conf_connection *cn)
{
	if (cn->reauthenticate > 0 && cn->reauthenticate < reauthenticate_least)
		error_at(b, block, "reauthenticate", "a peer cannot prove itself all the time",
			 "at least 5m, or 0s for never");
}

static void check_children(struct build *b, const struct tree_block *block,
			   struct conf_connection *cn)
{
	char text[WORDS_MAX];

	if (cn->n_children == 0 && !block->broken)
		mark_error(b->p, block->name_at,
			   words(text, "connection `%s` has no child", cn->name),
			   "child NAME { local = NETWORK ... remote = NETWORK }");
	if (cn->n_children > CONF_CHILDREN_MAX)
		mark_error(b->p, block->name_at,
			   words(text, "connection `%s` has more than %d children", cn->name,
				 CONF_CHILDREN_MAX),
			   "children of several networks each");
}

/* Can the two meet at the same place? Names may resolve to anything, so only equal ones count. */
static bool same_place(const struct conf_connection *a, const struct conf_connection *b)
{
	if (a->any_address && b->any_address)
		return true;
	if (a->address_name && b->address_name)
		return strcmp(a->address_name, b->address_name) == 0;
	for (size_t i = 0; i < a->n_addresses; i++) {
		for (size_t k = 0; k < b->n_addresses; k++) {
			if (addr_eq(&a->addresses[i], &b->addresses[k]))
				return true;
		}
	}
	return false;
}

static bool identity_known(const struct tree_block *block)
{
	return tree_option_find(block, "identity") && !tree_option_broken(block, "identity") &&
	       !tree_option_broken(block, "local_identity");
}

static bool same_peer(const struct conf_connection *a, const struct conf_connection *b)
{
	bool both_any = a->identity.type == ID_NONE && b->identity.type == ID_NONE;

	return (both_any || identity_eq(&a->identity, &b->identity)) &&
	       identity_eq(&a->local_identity, &b->local_identity) && same_place(a, b);
}

/* A peer that calls must fit one connection alone. */
static void check_distinct(struct build *b, const struct tree_block *block,
			   struct conf_connection *cn)
{
	char text[WORDS_MAX];
	char hint[WORDS_MAX];

	for (const struct tree_block *e = b->t->root.blocks; e != block && identity_known(block);
	     e = e->next) {
		const struct conf_connection *earlier = e->made;

		if (strcmp(e->kind, "connection") != 0 || !earlier || !identity_known(e) ||
		    !same_peer(earlier, cn))
			continue;
		words(text, "`%s` and `%s` are the same peer at the same place", earlier->name,
		      cn->name);
		words(hint, "`%s` is in line %d: one connection with two children", earlier->name,
		      earlier->pos.line);
		error_at(b, block, "identity", text, hint);
		return;
	}
}

static bool list_has_family(const struct ts_list *l, sa_family_t family)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].lo.family == family)
			return true;
	}
	return false;
}

/* IPv4 is joined with IPv4, IPv6 with IPv6: a family on one side alone would never match a packet.
 */
static void check_child_family(struct build *b, const struct tree_block *block,
			       const struct conf_child *ch, sa_family_t family)
{
	bool local = list_has_family(&ch->local, family);
	bool remote = list_has_family(&ch->remote, family);
	const char *name = family == AF_INET ? "IPv4" : "IPv6";
	char text[WORDS_MAX];

	if (local == remote || ch->local.n == 0 || ch->remote.n == 0 ||
	    tree_option_broken(block, "local") || tree_option_broken(block, "remote"))
		return;
	words(text, "%s stands in %s alone: no packet has it on one side only", name,
	      local ? "local" : "remote");
	error_at(b, block, local ? "local" : "remote", text,
		 local ? "add it to remote, or leave it out here"
		       : "add it to local, or leave it out here");
}

static bool is_host(const struct ts *t, const struct addr *a)
{
	return addr_eq(&t->lo, a) && addr_eq(&t->hi, a);
}

static bool all_are_of(const struct ts_list *l, const struct addr *hosts, size_t n)
{
	for (size_t i = 0; i < l->n; i++) {
		bool found = false;

		for (size_t k = 0; k < n && !found; k++)
			found = is_host(&l->v[i], &hosts[k]);
		if (!found)
			return false;
	}
	return true;
}

static void mode_problem(struct build *b, const struct tree_block *block,
			 const struct conf_child *ch, const char *option, const struct addr *right)
{
	char text[WORDS_MAX];
	char hint[WORDS_MAX];
	char addr[ADDR_TEXT_MAX];
	struct mark at = tree_value_mark(block, option);

	words(hint, "%s = %s, or mode = tunnel", option, addr_text(right, addr));
	words(text, "transport mode joins the two ends themselves, and %s is something else",
	      option);
	if (ch->mode == CONF_MODE_TRANSPORT)
		mark_error(b->p, at, text, hint);
	else
		mark_warning(b->p, at, text, hint);
}

/* RFC 7296 2.23.1: nothing but the two ends' own addresses. Where those are not written (a name,
 * any, by the route) the selectors are cut to them when they are known. */
static void check_child_mode(struct build *b, const struct tree_block *block,
			     const struct conf_connection *cn, const struct conf_child *ch)
{
	bool own = cn->local_address.family != AF_UNSPEC;

	if (ch->mode == CONF_MODE_TUNNEL)
		return;
	if (cn->n_addresses > 0 && !all_are_of(&ch->remote, cn->addresses, cn->n_addresses))
		mode_problem(b, block, ch, "remote", &cn->addresses[0]);
	if (own && !all_are_of(&ch->local, &cn->local_address, 1))
		mode_problem(b, block, ch, "local", &cn->local_address);
}

/* crypto and packet insist on a card, and only the kernel has one. */
static void check_child_offload(struct build *b, const struct tree_block *block,
				const struct conf_child *ch)
{
	if (ch->dataplane == CONF_PLANE_USER &&
	    (ch->offload == OFFLOAD_CRYPTO || ch->offload == OFFLOAD_PACKET))
		error_at(b, block, "offload",
			 "the kernel alone has network cards encrypt, and `dataplane = user` is "
			 "without it",
			 "dataplane = kernel, or offload = auto");
}

static void connection_check(struct build *b, const struct tree_block *block)
{
	static void (*const checks[])(struct build *, const struct tree_block *,
				      struct conf_connection *) = {
		check_me,	check_start,	     check_auth,	   check_qcd,
		check_families, check_fragment_size, check_reauthenticate, check_children,
		check_distinct,
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](b, block, block->made);
	for (const struct tree_block *in = block->blocks; in; in = in->next) {
		if (!in->made || in->broken)
			continue;
		check_child_family(b, in, in->made, AF_INET);
		check_child_family(b, in, in->made, AF_INET6);
		check_child_mode(b, in, block->made, in->made);
		check_child_offload(b, in, in->made);
	}
}

static const struct conf_connection *me_user(const struct tree *t, const struct conf_me *me)
{
	for (const struct tree_block *in = t->root.blocks; in; in = in->next) {
		const struct conf_connection *cn = in->made;

		if (cn && strcmp(in->kind, "connection") == 0 && cn->me == me && !in->broken &&
		    cn->auth == CONF_AUTH_CERTIFICATE && !tree_option_broken(in, "auth"))
			return cn;
	}
	return NULL;
}

/* What a me must have follows from the connections that use it. */
static void me_check(struct build *b, const struct tree_block *block)
{
	static const char *const needed[] = { "certificate", "key", "trust" };
	const struct conf_connection *user = me_user(b->t, block->made);
	char text[WORDS_MAX];
	char hint[WORDS_MAX];

	for (size_t i = 0; user && !block->broken && i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (tree_option_find(block, needed[i]))
			continue;
		words(text, "`%s` is missing in a me block", needed[i]);
		words(hint, "connection `%s` authenticates with certificates", user->name);
		mark_error(b->p, block->at, text, hint);
	}
	if (tree_option_find(block, "passphrase_file") && !tree_option_find(block, "key") && !user)
		error_at(b, block, "passphrase_file", "a passphrase_file without a key",
			 "key = FILE");
}

void build_check(struct build *b)
{
	for (const struct tree_block *in = b->t->root.blocks; in; in = in->next) {
		if (in->made && strcmp(in->kind, "connection") == 0)
			connection_check(b, in);
	}
	for (const struct tree_block *in = b->t->root.blocks; in; in = in->next) {
		if (in->made && strcmp(in->kind, "me") == 0)
			me_check(b, in);
	}
	if (tree_block_count(&b->t->root, "connection") == 0 && b->p->n_errors == 0)
		mark_warning(b->p, (struct mark){ .pos = { 1, 1 } }, "no connection is configured",
			     NULL);
}
