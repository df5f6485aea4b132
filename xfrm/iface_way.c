/* SPDX-License-Identifier: Apache-2.0 */
/* What was there before: making way for the devices that children want, and letting those go that
 * none has (iface_ready and iface_prune of xfrm/iface.h).
 *
 * A device of the wrong kind has to be deleted before one of the right kind can have its name. What
 * is on it waits on a device of the same child meanwhile, the refuge: an XFRM interface that no
 * state has the number of, so it drops what it is given. It is then like any device of a child that
 * has another: renamed, or emptied by iface_prune.
 */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "xfrm/carry.h"
#include "xfrm/iface_inner.h"
#include "xfrm/words.h"

/* All that is wanted, and all that is there. */
struct way {
	struct netlink *route;
	const struct host_child *v;
	size_t n;
	struct iface_list all;
	char *why;
};

static enum err way_read(struct way *w)
{
	iface_list_free(&w->all);
	return iface_list_read(w->route, &w->all, w->why);
}

static bool is_xfrm(const struct iface *i)
{
	return strcmp(i->kind, "xfrm") == 0;
}

static bool same_kind(const struct iface *a, const struct iface *b)
{
	return strcmp(a->kind, b->kind) == 0;
}

/* Does another child want a device of this name? */
static bool name_is_wanted(const struct way *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++) {
		if (strcmp(w->v[i].interface, name) == 0)
			return true;
	}
	return false;
}

/* Another XFRM interface has the number: the kernel knows each once. */
static const struct iface *with_number(const struct way *w, const struct iface *want)
{
	for (size_t i = 0; i < w->all.n && is_xfrm(want); i++) {
		const struct iface *have = &w->all.v[i];

		if (is_xfrm(have) && have->if_id == want->if_id &&
		    strcmp(have->name, want->name) != 0)
			return have;
	}
	return NULL;
}

static enum err judge_one(struct way *w, const struct iface *want)
{
	const struct iface *named = iface_list_find(&w->all, want->name);
	const struct iface *numbered = with_number(w, want);

	if (named != NULL && !iface_is_ours(named))
		return iface_refuse(want, named, w->why);
	if (numbered != NULL && !iface_is_ours(numbered))
		return iface_refuse(want, numbered, w->why);
	return OK;
}

/* A number of ours that neither a device nor a child has. */
static uint32_t number_free(const struct way *w)
{
	uint32_t number = SA_REQID_BASE | ~SA_REQID_MASK;
	bool taken = true;

	while (taken) {
		taken = false;
		number--;
		for (size_t i = 0; i < w->all.n && !taken; i++)
			taken = w->all.v[i].if_id == number;
		for (size_t i = 0; i < w->n && !taken; i++)
			taken = w->v[i].reqid == number;
	}
	return number;
}

static enum err refuge_make(struct way *w, const struct iface *refuge)
{
	const struct iface *have;
	enum err err = iface_make(w->route, refuge, w->why);

	if (err == OK)
		err = way_read(w);
	have = err == OK ? iface_list_find(&w->all, refuge->name) : NULL;
	if (err == OK && have == NULL)
		err = why_say(w->why, ERR_NOT_FOUND, "there is no device %s", refuge->name);
	return err == OK ? iface_adjust(w->route, refuge, have, w->why) : err;
}

/* One that was left behind half-way is good. */
static enum err refuge_take(struct way *w, const struct iface *want, struct iface *refuge)
{
	const struct iface *have;

	*refuge = *want;
	refuge->n_addresses = 0;
	refuge->mtu = 0;
	refuge->if_id = number_free(w);
	snprintf(refuge->kind, sizeof(refuge->kind), "xfrm");
	snprintf(refuge->name, sizeof(refuge->name), "postern%08x", (unsigned int)want->if_id);
	have = iface_list_find(&w->all, refuge->name);
	if (have == NULL)
		return refuge_make(w, refuge);
	if (!iface_is_ours(have) || !same_kind(have, refuge))
		return iface_refuse(want, have, w->why);
	refuge->if_id = have->if_id;
	return iface_adjust(w->route, refuge, have, w->why);
}

/* Of the wrong kind. */
static enum err take_away(struct way *w, const struct iface *want, const struct iface *have)
{
	const struct iface old = *have;
	struct iface refuge;
	enum err err = refuge_take(w, want, &refuge);

	if (err == OK)
		err = carry_over(w->route, old.ifindex, if_nametoindex(refuge.name), w->why);
	if (err == OK)
		err = iface_tell(w->route, iface_ask_delete(old.ifindex), &old, "remove", w->why);
	return err == OK ? way_read(w) : err;
}

/* The device of this child, under a name that nobody wants. */
static const struct iface *under_old_name(const struct way *w, const struct iface *want)
{
	for (size_t i = 0; i < w->all.n; i++) {
		const struct iface *have = &w->all.v[i];

		if (iface_is_ours(have) && same_kind(have, want) &&
		    strcmp(have->alias, want->alias) == 0 && !name_is_wanted(w, have->name))
			return have;
	}
	return NULL;
}

/* Older kernels rename only what is down, and down it would lose its routes: there the child gets a
 * new device, and iface_prune carries over what is on this one. */
static enum err rename_to(struct way *w, const struct iface *want, const struct iface *have)
{
	struct ask req = iface_ask_name(have->ifindex, want->name);
	struct answer a;

	if (netlink_ask(w->route, &req, &a) != OK)
		return OK;
	return way_read(w);
}

/* What the number stood for is told apart again when that child's turn comes, or gone soon. */
static enum err number_release(struct way *w, const struct iface *have)
{
	enum err err = iface_tell(w->route, iface_ask_number(have->ifindex, number_free(w)), have,
				  "change the number of", w->why);

	return err == OK ? way_read(w) : err;
}

static enum err ready_one(struct way *w, const struct iface *want)
{
	const struct iface *have = iface_list_find(&w->all, want->name);
	enum err err = OK;

	if (have != NULL && !same_kind(have, want))
		err = take_away(w, want, have);
	if (err != OK)
		return err;
	have = under_old_name(w, want);
	if (have != NULL && iface_list_find(&w->all, want->name) == NULL)
		err = rename_to(w, want, have);
	if (err != OK)
		return err;
	have = with_number(w, want);
	return have != NULL ? number_release(w, have) : OK;
}

typedef enum err one_fn(struct way *w, const struct iface *want);

static enum err each(struct way *w, one_fn *fn)
{
	enum err err = OK;

	for (size_t i = 0; i < w->n && err == OK; i++) {
		const struct iface want = iface_of(&w->v[i]);

		if (want.name[0] != '\0')
			err = fn(w, &want);
	}
	return err;
}

enum err iface_ready(struct netlink *route, const struct host_child *v, size_t n, char *why)
{
	struct way w = { .route = route, .v = v, .n = n, .why = why };
	enum err err = way_read(&w);

	if (err == OK)
		err = each(&w, judge_one);
	if (err == OK)
		err = each(&w, ready_one);
	iface_list_free(&w.all);
	return err;
}

/* ---- the end ---- */

enum fate { FATE_STAYS, FATE_GIVES, FATE_GOES };

/* `*heir`: the device that the child has by now. */
static enum fate fate_of(const struct way *w, const struct iface *have, const struct iface **heir)
{
	enum fate fate = FATE_GOES;

	for (size_t i = 0; i < w->n; i++) {
		const struct iface want = iface_of(&w->v[i]);

		if (want.name[0] == '\0')
			continue;
		if (strcmp(have->name, want.name) == 0 && same_kind(have, &want))
			return FATE_STAYS;
		if (strcmp(have->alias, want.alias) != 0)
			continue;
		*heir = iface_list_find(&w->all, want.name);
		fate = *heir != NULL && iface_is_ours(*heir) && same_kind(*heir, &want)
			       ? FATE_GIVES
			       : FATE_STAYS;
	}
	return fate;
}

static enum err prune_one(struct way *w, const struct iface *have, bool *any)
{
	const struct iface *heir = NULL;
	enum fate fate = fate_of(w, have, &heir);
	enum err err = OK;

	if (fate == FATE_STAYS)
		return OK;
	if (fate == FATE_GIVES)
		err = carry_over(w->route, have->ifindex, heir->ifindex, w->why);
	if (err == OK)
		err = iface_tell(w->route, iface_ask_delete(have->ifindex), have, "remove", w->why);
	*any = *any || err == OK;
	return err;
}

enum err iface_prune(struct netlink *route, const struct host_child *v, size_t n, bool *any,
		     char *why)
{
	struct way w = { .route = route, .v = v, .n = n, .why = why };
	enum err err = way_read(&w);

	*any = false;
	for (size_t i = 0; i < w.all.n && err == OK; i++) {
		if (iface_is_ours(&w.all.v[i]))
			err = prune_one(&w, &w.all.v[i], any);
	}
	iface_list_free(&w.all);
	return err;
}
