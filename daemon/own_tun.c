/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/own_tun.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/sockets.h"

struct own_tun {
	struct own_tun *next;
	uint32_t if_id;
	char name[16];
	bool handed_over;
	unsigned int n;
	int fd[SOCKETS_WORKERS_MAX];
};

static void own_tun_free(struct own_tun *o)
{
	for (unsigned int i = 0; i < o->n; i++)
		close(o->fd[i]);
	free(o);
}

static bool wants(const struct host_child *c)
{
	return c->interface[0] != '\0' && c->plane == PLANE_USER;
}

static bool is_of(const struct own_tun *o, const struct host_child *c)
{
	return wants(c) && o->if_id == sa_if_id(c->interface, c->reqid) &&
	       strcmp(o->name, c->interface) == 0;
}

static struct own_tun **place_of(struct own_tuns *t, const struct host_child *c)
{
	struct own_tun **at = &t->first;

	while (*at != NULL && !is_of(*at, c))
		at = &(*at)->next;
	return at;
}

static void take_out(struct own_tun **at)
{
	struct own_tun *o = *at;

	*at = o->next;
	own_tun_free(o);
}

static enum err open_one(struct own_tuns *t, struct host *h, const struct host_child *c,
			 char why[static HOST_WHY_MAX])
{
	struct own_tun *o = calloc(1, sizeof *o);
	enum err e;

	if (o == NULL) {
		snprintf(why, HOST_WHY_MAX, "%s", err_text(ERR_NOMEM));
		return ERR_NOMEM;
	}
	e = host_iface_open(h, c, t->n_queues, o->fd, why);
	if (e != OK) {
		free(o);
		return e;
	}
	o->n = t->n_queues;
	o->if_id = sa_if_id(c->interface, c->reqid);
	memcpy(o->name, c->interface, sizeof o->name);
	o->next = t->first;
	t->first = o;
	return OK;
}

static enum err too_many(const struct host_child *c, char why[static HOST_WHY_MAX])
{
	snprintf(why, HOST_WHY_MAX, "no room for the interface %s of %s/%s: userspace ESP has %d",
		 c->interface, c->connection, c->child, OWN_TUNS_MAX);
	return ERR_LIMIT;
}

enum err own_tuns_set(struct own_tuns *t, struct host *h, const struct host_child *v, size_t n,
		      char why[static HOST_WHY_MAX])
{
	size_t n_wanted = 0;
	enum err e = OK;

	for (size_t i = 0; i < n && e == OK; i++) {
		struct own_tun **at = place_of(t, &v[i]);

		if (!wants(&v[i]))
			continue;
		if (++n_wanted > OWN_TUNS_MAX)
			return too_many(&v[i], why);
		if (*at != NULL && if_nametoindex(v[i].interface) == 0)
			take_out(at);
		else if (*at != NULL)
			continue;
		e = open_one(t, h, &v[i], why);
	}
	return e;
}

void own_tuns_prune(struct own_tuns *t, const struct host_child *v, size_t n)
{
	struct own_tun **at = &t->first;

	while (*at != NULL) {
		size_t i = 0;

		while (i < n && !is_of(*at, &v[i]))
			i++;
		if (i == n)
			take_out(at);
		else
			at = &(*at)->next;
	}
}

void own_tuns_free(struct own_tuns *t)
{
	own_tuns_prune(t, NULL, 0);
}

void own_tuns_each(const struct own_tuns *t, own_tun_each_fn *fn, void *ctx)
{
	for (const struct own_tun *o = t->first; o != NULL; o = o->next)
		fn(ctx, o->name, o->if_id, o->fd);
}

enum err own_tuns_take(struct own_tuns *t, const char *name, uint32_t if_id, const int *fds,
		       unsigned int n)
{
	struct own_tun *o = n <= SOCKETS_WORKERS_MAX ? calloc(1, sizeof *o) : NULL;

	if (o == NULL)
		return ERR_NOMEM;
	snprintf(o->name, sizeof o->name, "%s", name);
	o->if_id = if_id;
	o->n = n;
	memcpy(o->fd, fds, n * sizeof *fds);
	o->next = t->first;
	t->first = o;
	return OK;
}

void own_tuns_hand_over(struct own_tuns *t, own_tun_fn *fn, void *ctx)
{
	for (struct own_tun *o = t->first; o != NULL; o = o->next) {
		for (unsigned int i = 0; i < o->n && !o->handed_over; i++)
			fn(ctx, o->if_id, i, o->fd[i]);
		o->handed_over = true;
	}
}

void own_tuns_again(struct own_tuns *t)
{
	for (struct own_tun *o = t->first; o != NULL; o = o->next)
		o->handed_over = false;
}
