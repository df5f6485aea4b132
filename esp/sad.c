/* SPDX-License-Identifier: Apache-2.0 */
/* The SA database.
 *
 * Inbound: an array over the 65536 slots of our SPIs, a pointer each, so that a look-up is one load
 * and one comparison of the whole SPI. Outbound: the index of selectors for workers (esp/lookup.h),
 * and chains by SPI and by the peer's address. Nothing that a command or a packet does walks over
 * all SAs. Readers are workers inside an epoch; the one writer unlinks, waits until every worker
 * was seen outside, and only then frees.
 */
#include "esp/sad.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/table.h"
#include "esp/epoch.h"
#include "esp/ledger.h"
#include "esp/lookup.h"

enum { OUT_BUCKETS = 1 << 12 };

struct sad {
	_Atomic(struct sa *) slots[SPI_SLOTS];
	struct lookup *lookup;
	struct ledger ledger;
	struct sa *by_spi[OUT_BUCKETS];
	_Atomic(struct sa *) by_peer[OUT_BUCKETS];
	uint8_t seed[SIPHASH_KEY_LEN]; /* peers choose SPIs and addresses */
	unsigned n_readers;
	struct epoch readers[];
};

enum err sad_new(unsigned n_readers, struct sad **out)
{
	size_t size = sizeof(struct sad) + n_readers * sizeof(struct epoch);
	struct sad *d = aligned_alloc(_Alignof(struct sad), size);
	enum err e;

	*out = NULL;
	if (!d)
		return ERR_NOMEM;
	for (size_t i = 0; i < SPI_SLOTS; i++)
		atomic_init(&d->slots[i], NULL);
	for (size_t i = 0; i < OUT_BUCKETS; i++) {
		d->by_spi[i] = NULL;
		atomic_init(&d->by_peer[i], NULL);
	}
	for (unsigned i = 0; i < n_readers; i++)
		atomic_init(&d->readers[i].count, 0);
	d->n_readers = n_readers;
	d->ledger = (struct ledger){ .n = 0 };
	e = lookup_new(&d->lookup);
	if (e == OK && getrandom(d->seed, sizeof(d->seed), 0) != (ssize_t)sizeof(d->seed))
		e = ERR_SYSTEM;
	if (e != OK) {
		lookup_free(d->lookup);
		free(d);
		return e;
	}
	*out = d;
	return OK;
}

void sad_free(struct sad *d)
{
	if (!d)
		return;
	/* What was kept is the next process's. */
	ledger_close(&d->ledger);
	sad_flush(d);
	lookup_free(d->lookup);
	free(d);
}

void sad_enter(struct sad *d, unsigned reader)
{
	epoch_enter(&d->readers[reader]);
}

void sad_leave(struct sad *d, unsigned reader)
{
	epoch_leave(&d->readers[reader]);
}

struct sa *sad_in(struct sad *d, uint32_t spi)
{
	struct sa *sa = atomic_load(&d->slots[spi_slot(spi)]);

	return sa && sa->spi == spi ? sa : NULL;
}

struct sa *sad_out(struct sad *d, const struct flow *f, uint32_t if_id)
{
	return lookup_find(d->lookup, f, if_id);
}

bool sad_wants_whole(struct sad *d, const struct flow *f, uint32_t if_id)
{
	return lookup_wants_whole(d->lookup, f, if_id);
}

static size_t place_of(const struct sad *d, struct span key)
{
	return siphash(d->seed, key) & (OUT_BUCKETS - 1);
}

static struct sa **spi_place(struct sad *d, uint32_t spi)
{
	return &d->by_spi[place_of(d, span_of(&spi, sizeof(spi)))];
}

static _Atomic(struct sa *) *peer_place(struct sad *d, const struct addr *peer)
{
	return &d->by_peer[place_of(d, addr_span(peer))];
}

/* What the path says of the address is the lock's: an SA that has just moved may be given for its
 * old one, so who asks looks at the path itself. */
struct sa *sad_to(struct sad *d, const struct addr *peer, const struct sa *after)
{
	return after ? atomic_load(&after->next_to) : atomic_load(peer_place(d, peer));
}

void sad_grace(struct sad *d)
{
	epoch_wait(d->readers, d->n_readers);
}

/* The outbound SA that `which` names, among those with its SPI. */
static struct sa *find_out(struct sad *d, const struct sa_desc *which)
{
	struct sa *found = NULL;
	size_t n = 0;

	for (struct sa *sa = *spi_place(d, which->spi); sa; sa = sa->next_spi) {
		if (sa->spi != which->spi)
			continue;
		if (which->child_id != 0 && sa->child_id == which->child_id)
			return sa;
		/* Paths of outbound SAs are changed by this thread alone, so they may be read
		 * without the lock. */
		if (which->child_id == 0 &&
		    addr_eq(&sa->path.remote.addr, &which->path.remote.addr))
			return sa;
		found = sa;
		n++;
	}
	return n == 1 && which->child_id == 0 ? found : NULL;
}

static struct sa *find(struct sad *d, const struct sa_desc *which)
{
	return which->dir == SA_IN ? sad_in(d, which->spi) : find_out(d, which);
}

static enum err add_in(struct sad *d, struct sa *sa)
{
	if (!(sa->spi & SPI_USER_BIT))
		return ERR_CONFIG;
	if (atomic_load(&d->slots[spi_slot(sa->spi)]))
		return ERR_EXISTS;
	atomic_store(&d->slots[spi_slot(sa->spi)], sa);
	return OK;
}

static void peer_link(struct sad *d, struct sa *sa)
{
	_Atomic(struct sa *) *at = peer_place(d, &sa->path.remote.addr);

	atomic_store(&sa->next_to, atomic_load(at));
	atomic_store(at, sa);
}

static void peer_unlink(struct sad *d, struct sa *sa)
{
	_Atomic(struct sa *) *at = peer_place(d, &sa->path.remote.addr);

	while (atomic_load(at) != sa)
		at = &atomic_load(at)->next_to;
	atomic_store(at, atomic_load(&sa->next_to));
}

/* Newer SAs go before older ones of the same selectors: after a rekey the new one carries the
 * packets while the old one is still there. */
static enum err add_out(struct sad *d, struct sa *sa)
{
	struct sa **place = spi_place(d, sa->spi);
	enum err e;

	for (const struct sa *s = *place; s; s = s->next_spi)
		if (s->spi == sa->spi && addr_eq(&s->path.remote.addr, &sa->path.remote.addr))
			return ERR_EXISTS;
	e = lookup_add(d->lookup, sa);
	if (e != OK) {
		sad_grace(d); /* a worker may have seen some of it */
		lookup_sweep(d->lookup);
		return e;
	}
	peer_link(d, sa);
	sa->next_spi = *place;
	*place = sa;
	return OK;
}

static enum err add(struct sad *d, struct sa *sa)
{
	return sa->dir == SA_IN ? add_in(d, sa) : add_out(d, sa);
}

/* Nobody can see it any more. */
static void discard(struct sad *d, struct sa *sa)
{
	ledger_give(&d->ledger, sa->tally);
	esp_sa_free(sa);
}

/* Written down before a packet can find it. One that has no room there is as good as any other, but
 * ends with this process. */
enum err sad_install(struct sad *d, const struct sa_desc *desc, uint64_t install)
{
	struct tally *t = ledger_take(&d->ledger);
	struct sa *sa;
	enum err e = esp_sa_new(desc, t, &sa);

	if (e != OK) {
		ledger_give(&d->ledger, t);
		return e;
	}
	sa->claimed = true;
	ledger_write(&d->ledger, t, install, desc);
	if (install > ledger_installed(&d->ledger))
		ledger_set_installed(&d->ledger, install);
	ledger_commit(&d->ledger);
	e = add(d, sa);
	if (e != OK)
		discard(d, sa);
	return e;
}

static enum err restore_one(void *ctx, const struct sa_desc *desc, struct tally *t)
{
	struct sad *d = ctx;
	struct sa *sa;
	enum err e = esp_sa_new(desc, t, &sa);

	if (e == OK)
		e = add(d, sa);
	if (e != OK)
		esp_sa_free(sa);
	return e;
}

enum err sad_keep(struct sad *d, const struct esp_memory *m, struct esp_kept *kept)
{
	enum err e = ledger_open(&d->ledger, m);

	*kept = (struct esp_kept){ 0 };
	if (e == OK)
		kept->restored = ledger_each(&d->ledger, restore_one, d, &kept->refused);
	return e;
}

uint64_t sad_installed(const struct sad *d)
{
	return ledger_installed(&d->ledger);
}

void sad_forget_installed(struct sad *d)
{
	ledger_set_installed(&d->ledger, 0);
	ledger_commit(&d->ledger);
}

/* Readers that come now find it no more. */
static void take_out(struct sad *d, struct sa *sa)
{
	struct sa **at = spi_place(d, sa->spi);

	lookup_del(d->lookup, sa);
	peer_unlink(d, sa);
	while (*at != sa)
		at = &(*at)->next_spi;
	*at = sa->next_spi;
}

enum err sad_remove(struct sad *d, const struct sa_desc *which)
{
	struct sa *sa = find(d, which);

	if (!sa)
		return ERR_NOT_FOUND;
	if (sa->dir == SA_IN)
		atomic_store(&d->slots[spi_slot(sa->spi)], NULL);
	else
		take_out(d, sa);
	sad_grace(d);
	lookup_sweep(d->lookup);
	discard(d, sa);
	return OK;
}

/* In its new chain only when nobody can still be walking along the old one by it. */
static void move(struct sad *d, struct sa *sa, const struct path *path, bool encap)
{
	bool other = !addr_eq(&sa->path.remote.addr, &path->remote.addr);

	if (sa->dir == SA_OUT && other) {
		peer_unlink(d, sa);
		sad_grace(d);
	}
	pthread_mutex_lock(&sa->lock);
	sa->path = *path;
	sa->encap = encap;
	pthread_mutex_unlock(&sa->lock);
	if (sa->dir == SA_OUT && other)
		peer_link(d, sa);
}

enum err sad_move(struct sad *d, const struct sa_desc *which)
{
	struct sa *sa = find(d, which);

	if (!sa)
		return ERR_NOT_FOUND;
	if (sa->dir == SA_OUT && addr_len(&which->path.remote.addr) == 0)
		return ERR_CONFIG;
	/* In transport mode the hosts are what was negotiated: only ports and encapsulation move.
	 */
	if (sa->mode == SA_TRANSPORT && (!addr_eq(&sa->host_local, &which->path.local.addr) ||
					 !addr_eq(&sa->host_remote, &which->path.remote.addr)))
		return ERR_UNSUPPORTED;
	move(d, sa, &which->path, which->encap);
	ledger_amend(&d->ledger, sa);
	ledger_commit(&d->ledger);
	sa_forget_path_mtu(sa);
	return OK;
}

enum err sad_pass(struct sad *d, const struct sa_desc *which)
{
	struct sa *sa = which->dir == SA_OUT ? find_out(d, which) : NULL;

	if (!sa)
		return ERR_NOT_FOUND;
	atomic_store(&sa->passed, which->passed);
	ledger_amend(&d->ledger, sa);
	ledger_commit(&d->ledger);
	return OK;
}

enum err sad_query(struct sad *d, const struct sa_desc *which, struct sa_counters *out)
{
	struct sa *sa = find(d, which);

	if (!sa)
		return ERR_NOT_FOUND;
	sa_counters(sa, out);
	return OK;
}

enum err sad_claim(struct sad *d, const struct sa_desc *which, struct sa_counters *out)
{
	struct sa *sa = find(d, which);

	if (!sa || sa->child_id != which->child_id || sa->mode != which->mode ||
	    sa->if_id != which->if_id || !ts_list_eq(&sa->local, &which->local) ||
	    !ts_list_eq(&sa->remote, &which->remote))
		return ERR_NOT_FOUND;
	sa->claimed = true;
	sa_counters(sa, out);
	return OK;
}

static void doom(struct sa **list, struct sa *sa)
{
	sa->doomed = *list;
	*list = sa;
}

static void doom_in(struct sad *d, bool all, struct sa **doomed)
{
	for (size_t i = 0; i < SPI_SLOTS; i++) {
		struct sa *sa = atomic_load(&d->slots[i]);

		if (!sa || (sa->claimed && !all))
			continue;
		atomic_store(&d->slots[i], NULL);
		doom(doomed, sa);
	}
}

static void doom_out(struct sad *d, bool all, struct sa **doomed)
{
	for (size_t i = 0; i < OUT_BUCKETS; i++) {
		struct sa *next;

		for (struct sa *sa = d->by_spi[i]; sa; sa = next) {
			next = sa->next_spi;
			if (sa->claimed && !all)
				continue;
			take_out(d, sa);
			doom(doomed, sa);
		}
	}
}

/* One grace period for all of them. */
static void sweep(struct sad *d, bool all)
{
	struct sa *doomed = NULL;

	doom_in(d, all, &doomed);
	doom_out(d, all, &doomed);
	sad_grace(d);
	lookup_sweep(d->lookup);
	while (doomed) {
		struct sa *next = doomed->doomed;

		discard(d, doomed);
		doomed = next;
	}
}

void sad_unclaim(struct sad *d)
{
	for (size_t i = 0; i < SPI_SLOTS; i++) {
		struct sa *sa = atomic_load(&d->slots[i]);

		if (sa)
			sa->claimed = false;
	}
	for (size_t i = 0; i < OUT_BUCKETS; i++) {
		for (struct sa *sa = d->by_spi[i]; sa; sa = sa->next_spi)
			sa->claimed = false;
	}
}

void sad_sweep(struct sad *d)
{
	sweep(d, false);
}

void sad_flush(struct sad *d)
{
	sweep(d, true);
}
