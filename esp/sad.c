/* SPDX-License-Identifier: Apache-2.0 */
/* The SA database.
 *
 * Inbound: an array over the 65536 slots of our SPIs, a pointer each, so that a look-up is one load
 * and one comparison of the whole SPI. Outbound: an immutable list behind one pointer, made anew at
 * each change. Readers are workers inside an epoch; the one writer unpublishes, waits until every
 * worker was seen outside, and only then frees.
 */
#include "esp/sad.h"

#include <stdlib.h>

#include "esp/epoch.h"

struct sad {
	_Atomic(struct sa *) slots[SPI_SLOTS];
	_Atomic(struct sa_list *) out; /* NULL: none */
	unsigned n_readers;
	struct epoch readers[];
};

static struct sa_list *list_new(size_t n)
{
	struct sa_list *l = calloc(1, sizeof(*l) + n * sizeof(l->v[0]));

	if (l)
		l->n = n;
	return l;
}

enum err sad_new(unsigned n_readers, struct sad **out)
{
	size_t size = sizeof(struct sad) + n_readers * sizeof(struct epoch);
	struct sad *d = aligned_alloc(_Alignof(struct sad), size);

	*out = NULL;
	if (!d)
		return ERR_NOMEM;
	for (size_t i = 0; i < SPI_SLOTS; i++)
		atomic_init(&d->slots[i], NULL);
	for (unsigned i = 0; i < n_readers; i++)
		atomic_init(&d->readers[i].count, 0);
	atomic_init(&d->out, NULL);
	d->n_readers = n_readers;
	*out = d;
	return OK;
}

void sad_free(struct sad *d)
{
	if (!d)
		return;
	sad_flush(d);
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

const struct sa_list *sad_out(struct sad *d)
{
	static const struct sa_list empty;
	const struct sa_list *l = atomic_load(&d->out);

	return l ? l : &empty;
}

void sad_grace(struct sad *d)
{
	epoch_wait(d->readers, d->n_readers);
}

/* The outbound SA that `which` names, among those with its SPI. */
static struct sa *find_out(struct sad *d, const struct sa_desc *which)
{
	const struct sa_list *l = sad_out(d);
	struct sa *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct sa *sa = l->v[i];

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

static void publish(struct sad *d, struct sa_list *l)
{
	struct sa_list *old = atomic_exchange(&d->out, l);

	sad_grace(d);
	free(old);
}

/* Newest first: after a rekey the new SA carries the packets while the old one is still there. */
static enum err add_out(struct sad *d, struct sa *sa)
{
	const struct sa_list *old = sad_out(d);
	struct sa_list *l;

	for (size_t i = 0; i < old->n; i++)
		if (old->v[i]->spi == sa->spi &&
		    addr_eq(&old->v[i]->path.remote.addr, &sa->path.remote.addr))
			return ERR_EXISTS;
	l = list_new(old->n + 1);
	if (!l)
		return ERR_NOMEM;
	l->v[0] = sa;
	for (size_t i = 0; i < old->n; i++)
		l->v[i + 1] = old->v[i];
	publish(d, l);
	return OK;
}

enum err sad_install(struct sad *d, const struct sa_desc *desc)
{
	struct sa *sa;
	enum err e = esp_sa_new(desc, &sa);

	if (e != OK)
		return e;
	e = sa->dir == SA_IN ? add_in(d, sa) : add_out(d, sa);
	if (e != OK)
		esp_sa_free(sa);
	return e;
}

static enum err take_out(struct sad *d, const struct sa *sa)
{
	const struct sa_list *old = sad_out(d);
	struct sa_list *l = list_new(old->n - 1);
	size_t n = 0;

	if (!l)
		return ERR_NOMEM;
	for (size_t i = 0; i < old->n; i++)
		if (old->v[i] != sa)
			l->v[n++] = old->v[i];
	publish(d, l);
	return OK;
}

enum err sad_remove(struct sad *d, const struct sa_desc *which)
{
	struct sa *sa = find(d, which);
	enum err e = OK;

	if (!sa)
		return ERR_NOT_FOUND;
	if (sa->dir == SA_IN) {
		atomic_store(&d->slots[spi_slot(sa->spi)], NULL);
		sad_grace(d);
	} else {
		e = take_out(d, sa);
	}
	if (e == OK)
		esp_sa_free(sa);
	return e;
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
	pthread_mutex_lock(&sa->lock);
	sa->path = which->path;
	sa->encap = which->encap;
	pthread_mutex_unlock(&sa->lock);
	sa_forget_path_mtu(sa);
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

/* One grace period for all of them. */
void sad_flush(struct sad *d)
{
	struct sa_list *out = atomic_exchange(&d->out, NULL);
	struct sa *doomed = NULL;

	for (size_t i = 0; i < SPI_SLOTS; i++) {
		struct sa *sa = atomic_load(&d->slots[i]);

		if (!sa)
			continue;
		atomic_store(&d->slots[i], NULL);
		sa->doomed = doomed;
		doomed = sa;
	}
	sad_grace(d);
	while (doomed) {
		struct sa *next = doomed->doomed;

		esp_sa_free(doomed);
		doomed = next;
	}
	for (size_t i = 0; out && i < out->n; i++)
		esp_sa_free(out->v[i]);
	free(out);
}
