/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/warden.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/host_conf.h"

/* One configured child. */
struct ward {
	struct host_child host; /* selectors point into the configuration */
	bool lifted;
	uint16_t mtu;	    /* 0: not told yet */
	uint16_t table_mtu; /* by which TCP's segments are clamped; 0: as without */
};

struct warden {
	struct host *host;
	struct ward *v;
	size_t n;
	bool hold;    /* packets that asked for a child wait for it */
	char tun[16]; /* "": no device yet */
	struct own_tuns tuns;
	struct kernel *kernel; /* NULL: not there, or not known yet */
	struct plane_caps caps;
};

enum err warden_new(struct warden **w, char why[static HOST_WHY_MAX])
{
	enum err e;

	*w = calloc(1, sizeof **w);
	if (*w == NULL)
		return ERR_NOMEM;
	e = host_open(&(*w)->host, why);
	if (e != OK) {
		free(*w);
		*w = NULL;
	}
	return e;
}

void warden_free(struct warden *w, bool plane_off)
{
	char why[HOST_WHY_MAX];

	if (w == NULL)
		return;
	/* What stays behind is found by its mark and taken away at the next start. */
	if (plane_off && host_plane_off(w->host, why) != OK)
		fprintf(stderr, "posternd: %s\n", why);
	own_tuns_free(&w->tuns);
	host_close(w->host);
	free(w->v);
	free(w);
}

bool warden_interfaces(struct warden *w)
{
	return host_iface_probe(w->host);
}

struct own_tuns *warden_devices(struct warden *w)
{
	return &w->tuns;
}

void warden_kernel(struct warden *w, struct kernel *k, const struct plane_caps *caps)
{
	w->kernel = k;
	w->caps = *caps;
}

static struct ward *ward_find(struct ward *v, size_t n, const char *connection, const char *child)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].host.connection, connection) == 0 &&
		    strcmp(v[i].host.child, child) == 0)
			return &v[i];
	}
	return NULL;
}

/* ---- telling the host ---- */

/* The children that are not lifted, in a malloc'd array; NULL when there is no memory. */
static struct host_child *guarded(const struct ward *v, size_t n, size_t *n_guarded)
{
	struct host_child *h = calloc(n + 1, sizeof *h);

	*n_guarded = 0;
	for (size_t i = 0; i < n && h != NULL; i++) {
		if (!v[i].lifted)
			h[(*n_guarded)++] = v[i].host;
	}
	return h;
}

/* All of them, in a malloc'd array; NULL when there is no memory. */
static struct host_child *children_of(const struct ward *v, size_t n)
{
	struct host_child *all = calloc(n + 1, sizeof *all);

	for (size_t i = 0; i < n && all != NULL; i++)
		all[i] = v[i].host;
	return all;
}

/* In words, as the host says what it cannot do: then it is told, and tried again. */
static enum err no_memory(char why[static HOST_WHY_MAX])
{
	snprintf(why, HOST_WHY_MAX, "%s", err_text(ERR_NOMEM));
	return ERR_NOMEM;
}

static void tell_lacks(struct warden *w)
{
	static const char *const events[N_HOST_LACKS] = {
		[HOST_LACK_ROUTE] = "route_not_copied",
		[HOST_LACK_IPV6] = "ipv6_left_out",
		[HOST_LACK_HELD] = "table_not_held",
	};

	for (enum host_lack i = 0; i < N_HOST_LACKS; i++) {
		const char *lacks = host_plane_lacks(w->host, i);
		struct log_line l;

		if (lacks[0] == '\0')
			continue;
		l = log_event(LOG_LEVEL_WARNING, events[i]);
		log_str(&l, "why", lacks);
		log_write(&l);
	}
}

static enum err plane_apply(struct warden *w, const struct host_child *h, size_t n,
			    char why[static HOST_WHY_MAX])
{
	enum err e = host_iface_ready(w->host, h, n, why);

	if (e == OK)
		e = own_tuns_set(&w->tuns, w->host, h, n, why);
	if (e == OK)
		e = host_plane_set(w->host, w->tun, h, n, why);
	tell_lacks(w);
	for (size_t i = 0; i < w->n && e == OK; i++)
		w->v[i].table_mtu = w->v[i].lifted ? 0 : w->v[i].mtu;
	return e;
}

static enum err traps_apply(struct warden *w, const struct host_child *h, size_t n,
			    char why[static HOST_WHY_MAX])
{
	/* Without ESP in the kernel a trap has nobody to wait for; the guard holds its packets. */
	if (w->kernel == NULL || !plane_caps_esp(&w->caps))
		return OK;
	return kernel_traps_set(w->kernel, h, n, w->hold, why);
}

/* Guards first: what a route leads into the device must not be able to leave otherwise. */
static enum err apply(struct warden *w, char why[static HOST_WHY_MAX])
{
	size_t n;
	struct host_child *h = guarded(w->v, w->n, &n);
	enum err e = h != NULL ? host_guard_set(w->host, h, n, why) : no_memory(why);

	if (e == OK)
		e = traps_apply(w, h, n, why);
	if (e == OK && w->tun[0] != '\0')
		e = plane_apply(w, h, n, why);
	free(h);
	return e;
}

/* Devices that no child has any more. One of a child that is lifted stays, without routes of ours:
 * what others route into it is dropped. Not before the plane of each child is known. */
static enum err devices_prune(struct warden *w, bool *any, char why[static HOST_WHY_MAX])
{
	struct host_child *all = children_of(w->v, w->n);
	enum err e;

	*any = false;
	if (all == NULL)
		return no_memory(why);
	own_tuns_prune(&w->tuns, all, w->n);
	e = host_iface_prune(w->host, all, w->n, any, why);
	free(all);
	return e;
}

static bool has_devices(const struct ward *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].host.interface[0] != '\0')
			return true;
	}
	return false;
}

/* Rules are others when there is no device any more. Behind the plane: what is on a device may be
 * for another one that has to be there. */
static enum err devices_leave(struct warden *w, char why[static HOST_WHY_MAX])
{
	bool any;
	enum err e = devices_prune(w, &any, why);

	return e == OK && any ? apply(w, why) : e;
}

/* ---- the configuration ---- */

static void wards_fill(struct warden *w, const struct conf *c, struct ward *v)
{
	for (size_t i = 0; i < c->n_connections; i++) {
		const struct conf_connection *cn = &c->connections[i];

		for (size_t k = 0; k < cn->n_children; k++, v++) {
			const struct ward *old =
				ward_find(w->v, w->n, cn->name, cn->children[k].name);

			v->host = host_conf_child(c, cn, &cn->children[k], &w->caps);
			v->lifted = old != NULL && old->lifted;
			v->mtu = old != NULL ? old->mtu : 0;
			v->host.mtu = v->mtu;
		}
	}
}

static void host_trouble(const char *why)
{
	struct log_line l = log_event(LOG_LEVEL_ERROR, "host_failed");

	log_str(&l, "why", why);
	log_write(&l);
}

enum err warden_set(struct warden *w, const struct conf *c, char why[static HOST_WHY_MAX])
{
	struct ward *old = w->v;
	size_t old_n = w->n, n = host_conf_count(c);
	struct ward *v = calloc(n + 1, sizeof *v);
	struct host_child *old_all = children_of(old, old_n);
	bool old_hold = w->hold;
	char again[HOST_WHY_MAX] = "";
	enum err e;

	if (v == NULL || old_all == NULL) {
		free(v);
		free(old_all);
		return no_memory(why);
	}
	wards_fill(w, c, v);
	w->v = v;
	w->n = n;
	w->hold = c->hold_packets;
	e = apply(w, why);
	if (e == OK) {
		/* The new children hold. A device that does not go now goes at the next start. */
		if (w->tun[0] != '\0' && has_devices(old, old_n) && devices_leave(w, again) != OK)
			host_trouble(again);
		free(old_all);
		free(old);
		return OK;
	}
	/* What was done already is undone: guards and traps of the old children stand again. At the
	 * start there are none of whom we know; the guards that stand since the boot, or the last
	 * stop, stay. */
	w->v = old;
	w->n = old_n;
	w->hold = old_hold;
	free(v);
	/* Queues for new children may be on devices that get their old child back: nobody reads
	 * them, so what the kernel gives them would be lost; and handed over later, one child's
	 * packets would go to the peer of another. */
	own_tuns_prune(&w->tuns, old_all, old_n);
	free(old_all);
	if (old != NULL)
		(void)!apply(w, again);
	return e;
}

enum err warden_tun_take(struct warden *w, const char *name, unsigned int n_queues,
			 char why[static HOST_WHY_MAX])
{
	enum err e;

	snprintf(w->tun, sizeof w->tun, "%s", name);
	w->tuns.n_queues = n_queues;
	e = apply(w, why);
	return e == OK ? devices_leave(w, why) : e; /* of an earlier run */
}

enum err warden_tun(struct warden *w, const char *name, unsigned int n_queues, int *fds,
		    char why[static HOST_WHY_MAX])
{
	enum err e = host_tun_open(w->host, name, n_queues, fds, why);

	return e == OK ? warden_tun_take(w, name, n_queues, why) : e;
}

bool warden_tun_gone(const struct warden *w)
{
	return w->tun[0] != '\0' && if_nametoindex(w->tun) == 0;
}

enum err warden_guard_all(struct warden *w, char why[static HOST_WHY_MAX])
{
	bool any = false;

	for (size_t i = 0; i < w->n; i++) {
		any = any || w->v[i].lifted;
		w->v[i].lifted = false;
	}
	return any ? apply(w, why) : OK;
}

/* ---- requests of the engine ---- */

enum err warden_guard(struct warden *w, const struct msg_child *m, char why[static HOST_WHY_MAX])
{
	struct ward *x = ward_find(w->v, w->n, m->connection, m->child);
	char again[HOST_WHY_MAX];
	bool before;
	enum err e;

	why[0] = '\0';
	if (x == NULL || m->value > 1)
		return ERR_DENIED;
	before = x->lifted;
	x->lifted = m->value == 0;
	if (x->lifted == before)
		return OK;
	e = apply(w, why);
	/* In doubt it is guarded, and made so: what failed came behind the guards, and they may be
	 * lifted already. */
	if (e != OK) {
		x->lifted = false;
		(void)!apply(w, again);
	}
	return e;
}

enum err warden_mtu(struct warden *w, const struct msg_child *m, char why[static HOST_WHY_MAX])
{
	struct ward *x = ward_find(w->v, w->n, m->connection, m->child);

	why[0] = '\0';
	if (x == NULL || m->value < WARDEN_MTU_MIN)
		return ERR_DENIED;
	x->mtu = m->value;
	x->host.mtu = m->value;
	if (x->lifted || w->tun[0] == '\0')
		return OK;
	return host_child_mtu(w->host, &x->host, x->mtu, why);
}

/* The table has what warden_set or warden_again put there last, or what tunnels begin with. */
enum warden_mss warden_mss(const struct warden *w)
{
	enum warden_mss stale = WARDEN_MSS_FITS;

	for (size_t i = 0; i < w->n; i++) {
		uint16_t is = w->v[i].table_mtu != 0 ? w->v[i].table_mtu : HOST_MTU_FIRST;

		if (w->v[i].mtu == 0 || w->v[i].mtu == is || w->v[i].lifted)
			continue;
		if (w->v[i].mtu < is)
			return WARDEN_MSS_TOO_LARGE;
		stale = WARDEN_MSS_SMALL;
	}
	return stale;
}

/* ---- others ---- */

enum err warden_watch(struct warden *w, int *fd, char why[static HOST_WHY_MAX])
{
	return host_watch(w->host, fd, why);
}

enum host_change warden_changed(struct warden *w)
{
	return host_changed(w->host);
}

enum err warden_again(struct warden *w, char why[static HOST_WHY_MAX])
{
	return apply(w, why);
}
