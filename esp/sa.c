/* SPDX-License-Identifier: Apache-2.0 */
/* One SA, either direction. The key material goes into the sealer and nowhere else, and is wiped
 * with it. */
#include "esp/sa.h"

#include <stdlib.h>
#include <string.h>

#include "esp/mtu.h"

#define PATH_MTU_AGE (600 * NS_PER_S)

/* Both ends are one address each, and what is known of NATs is of the same family. */
static bool two_hosts(const struct sa_desc *d)
{
	const struct addr *local = &d->path.local.addr, *remote = &d->path.remote.addr;

	return !addr_is_any(local) && !addr_is_any(remote) && local->family == remote->family &&
	       (d->nat_local.family == AF_UNSPEC || d->nat_local.family == local->family) &&
	       (d->nat_remote.family == AF_UNSPEC || d->nat_remote.family == remote->family);
}

static enum err judge(const struct sa_desc *d, struct shape *shape)
{
	sa_family_t family = d->path.remote.addr.family;

	if (d->mode == SA_TRANSPORT && !two_hosts(d))
		return ERR_CONFIG;
	/* 0 and 1 to 255 are reserved (RFC 4303 2.1); 0 would look like IKE's marker. */
	if (d->spi < 256 || d->local.n == 0 || d->remote.n == 0)
		return ERR_CONFIG;
	if (d->dir == SA_OUT && family != AF_INET && family != AF_INET6)
		return ERR_CONFIG;
	return shape_from_desc(d, shape);
}

static void set_hosts(struct sa *sa, const struct sa_desc *d)
{
	sa->host_local = d->path.local.addr;
	sa->host_remote = d->path.remote.addr;
	sa->sum_local = d->nat_local.family != AF_UNSPEC ? d->nat_local : sa->host_local;
	sa->sum_remote = d->nat_remote.family != AF_UNSPEC ? d->nat_remote : sa->host_remote;
}

static bool ask_ports(const struct ts_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (ts_asks_ports(&l->v[i]))
			return true;
	return false;
}

bool sa_joins(const struct sa *sa, const struct flow *f)
{
	return sa->mode == SA_TUNNEL ||
	       (addr_eq(&f->src, &sa->host_local) && addr_eq(&f->dst, &sa->host_remote));
}

static struct tally *tally_new(void)
{
	struct tally *t = aligned_alloc(_Alignof(struct tally), sizeof(*t));

	if (t)
		memset(t, 0, sizeof(*t));
	return t;
}

static enum err take_tally(struct sa *sa, struct tally *t, const struct sa_desc *d)
{
	sa->own_tally = !t;
	sa->tally = t ? t : tally_new();
	if (!sa->tally)
		return ERR_NOMEM;
	sa->tally->spi = sa->spi;
	replay_shape(&sa->tally->replay, d->replay_window, d->esn);
	return OK;
}

static void take_desc(struct sa *sa, const struct sa_desc *d)
{
	sa->dir = d->dir;
	sa->mode = d->mode;
	sa->spi = d->spi;
	sa->twin_spi = d->twin_spi;
	sa->child_id = d->child_id;
	sa->if_id = d->if_id;
	sa->reqid = d->reqid;
	sa->priority = d->priority;
	atomic_init(&sa->passed, d->passed);
	sa->byte_limit = d->byte_limit;
	sa->packet_limit = d->packet_limit;
	sa->byte_soft = d->byte_soft;
	sa->packet_soft = d->packet_soft;
	sa->path = d->path;
	set_hosts(sa, d);
	sa->encap = d->encap;
	sa->headers = d->headers;
	sa->by_ports = ask_ports(&d->local) || ask_ports(&d->remote);
	atomic_init(&sa->path_mtu, PATH_MTU_DEFAULT);
}

enum err esp_sa_new(const struct sa_desc *d, struct tally *t, struct sa **out)
{
	struct shape shape;
	enum err e = judge(d, &shape);
	struct sa *sa;

	*out = NULL;
	if (e != OK)
		return e;
	sa = calloc(1, sizeof(*sa));
	if (!sa)
		return ERR_NOMEM;
	sa->shape = shape;
	take_desc(sa, d);
	pthread_mutex_init(&sa->lock, NULL);

	e = take_tally(sa, t, d);
	if (e == OK)
		e = sealer_new(shape.encr, shape.integ, key_span(&d->encr_key),
			       key_span(&d->integ_key), &sa->sealer);
	if (e == OK)
		e = ts_list_copy(&sa->local, &d->local);
	if (e == OK)
		e = ts_list_copy(&sa->remote, &d->remote);
	if (e != OK) {
		esp_sa_free(sa);
		return e;
	}
	*out = sa;
	return OK;
}

void esp_sa_free(struct sa *sa)
{
	if (!sa)
		return;
	sealer_free(sa->sealer);
	ts_list_free(&sa->local);
	ts_list_free(&sa->remote);
	pthread_mutex_destroy(&sa->lock);
	if (sa->own_tally)
		free(sa->tally);
	secret_free(sa, sizeof(*sa));
}

/* There is one writer at a time (the lock), so a load and a store are enough and cost less than a
 * locked add. */
static void add(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

void sa_count_packet(struct sa *sa, size_t inner_len, mono_ns now)
{
	add(&sa->tally->stats.bytes, inner_len);
	add(&sa->tally->stats.packets, 1);
	atomic_store_explicit(&sa->tally->stats.last_ns, now, memory_order_relaxed);
}

void sa_count_drop(struct sa *sa, enum drop why)
{
	add(&sa->tally->stats.drops[why], 1);
}

bool sa_worn(const struct sa *sa)
{
	if (sa->packet_soft > 0 && get(&sa->tally->stats.packets) >= sa->packet_soft)
		return true;
	return sa->byte_soft > 0 && get(&sa->tally->stats.bytes) >= sa->byte_soft;
}

bool sa_spent(const struct sa *sa, size_t inner_len)
{
	if (sa->packet_limit > 0 && get(&sa->tally->stats.packets) >= sa->packet_limit)
		return true;
	return sa->byte_limit > 0 && get(&sa->tally->stats.bytes) + inner_len > sa->byte_limit;
}

void sa_counters(const struct sa *sa, struct sa_counters *out)
{
	*out = (struct sa_counters){
		.bytes = get(&sa->tally->stats.bytes),
		.packets = get(&sa->tally->stats.packets),
		.last_ns = get(&sa->tally->stats.last_ns),
		.drop_replay = get(&sa->tally->stats.drops[DROP_REPLAY]),
		.drop_integrity = get(&sa->tally->stats.drops[DROP_ICV]),
		.drop_selector = get(&sa->tally->stats.drops[DROP_SELECTOR]),
	};
	for (enum drop d = DROP_NONE + 1; d < N_DROPS; d++)
		if (d != DROP_REPLAY && d != DROP_ICV && d != DROP_SELECTOR && d != DROP_DUMMY)
			out->drop_other += get(&sa->tally->stats.drops[d]);
}

void sa_forget_path_mtu(struct sa *sa)
{
	atomic_store_explicit(&sa->path_mtu_since, 0, memory_order_relaxed);
	atomic_store_explicit(&sa->path_mtu, PATH_MTU_DEFAULT, memory_order_relaxed);
}

uint16_t sa_path_mtu(struct sa *sa, mono_ns now)
{
	mono_ns since = atomic_load_explicit(&sa->path_mtu_since, memory_order_relaxed);

	if (since > 0 && now > since && now - since > PATH_MTU_AGE)
		sa_forget_path_mtu(sa);
	return atomic_load_explicit(&sa->path_mtu, memory_order_relaxed);
}

bool sa_lower_path_mtu(struct sa *sa, uint16_t mtu, mono_ns now)
{
	uint16_t was = atomic_load_explicit(&sa->path_mtu, memory_order_relaxed);

	do {
		if (mtu >= was)
			return false;
	} while (!atomic_compare_exchange_weak(&sa->path_mtu, &was, mtu));
	atomic_store_explicit(&sa->path_mtu_since, now, memory_order_relaxed);
	return true;
}
