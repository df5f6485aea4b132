/* SPDX-License-Identifier: Apache-2.0 */
/* The book: what shall be in the kernel. Nothing here asks the kernel.
 *
 * Which policy stands for a selector that several children have is decided here and nowhere else:
 * the newest half that has it.
 */
#include <stdlib.h>
#include <string.h>

#include "xfrm/grow.h"
#include "xfrm/kernel_inner.h"
#include "xfrm/words.h"

/* ---- halves ---- */

/* SPIs that we chose are ours alone; what peers chose may be the same for two peers. */
static bool half_is(const struct sa_desc *have, const struct sa_desc *d)
{
	if (have->dir != d->dir || have->spi != d->spi)
		return false;
	/* A command was judged by the child that it names (daemon/gatekeeper.c, which lets none
	 * through that names no reqid). */
	if (d->reqid != 0 && have->reqid != d->reqid)
		return false;
	if (d->child_id != 0)
		return have->child_id == d->child_id;
	return d->dir == SA_IN || addr_len(&d->path.remote.addr) == 0 ||
	       addr_eq(&have->path.remote.addr, &d->path.remote.addr);
}

struct kernel_sa *book_find(const struct kernel *k, const struct sa_desc *d)
{
	for (size_t i = k->sas.n; i-- > 0;) {
		if (half_is(&k->sas.v[i].d, d))
			return &k->sas.v[i];
	}
	return NULL;
}

struct kernel_count kernel_count(const struct kernel *k, const char *connection)
{
	struct kernel_count c = { .all = k->sas.n };

	for (size_t i = 0; i < k->sas.n; i++)
		c.of_connection += strcmp(k->sas.v[i].d.connection, connection) == 0;
	return c;
}

enum err book_put(struct kernel *k, const struct sa_desc *d)
{
	struct kernel_sas *l = &k->sas;
	struct kernel_sa sa = { .offload = OFFLOAD_NO };
	struct kernel_sa *v;
	enum err err = sa_desc_copy(&sa.d, d);

	if (err != OK)
		return err;
	/* Not grow(): it would leave keys behind in freed memory. */
	if (l->n == l->size) {
		size_t size = l->size == 0 ? 32 : 2 * l->size;

		v = reallocarray(NULL, size, sizeof(*v));
		if (v == NULL) {
			sa_desc_wipe(&sa.d);
			return ERR_NOMEM;
		}
		if (l->n > 0)
			memcpy(v, l->v, l->n * sizeof(*v));
		secret_free(l->v, l->size * sizeof(*v));
		l->v = v;
		l->size = size;
	}
	l->v[l->n++] = sa;
	secret_wipe(&sa, sizeof(sa));
	return OK;
}

void book_take(struct kernel *k, struct kernel_sa *sa)
{
	struct kernel_sas *l = &k->sas;
	size_t at = (size_t)(sa - l->v);

	sa_desc_wipe(&sa->d);
	l->n--;
	memmove(l->v + at, l->v + at + 1, (l->n - at) * sizeof(*l->v));
	secret_wipe(&l->v[l->n], sizeof(*l->v));
}

void book_free(struct kernel *k)
{
	while (k->sas.n > 0)
		book_take(k, &k->sas.v[k->sas.n - 1]);
	free(k->sas.v);
	k->sas = (struct kernel_sas){ .v = NULL };
	flow_list_free(&k->policies);
	free(k->taken);
	k->taken = NULL;
}

/* ---- policies ---- */

/* The level of the trap that it lies inside of: the priority of a child is that of its
 * configuration, whatever was negotiated. */
static void flow_find_level(const struct kernel *k, struct flow_policy *f)
{
	struct flow_policy out = f->p.dir == XFRM_POLICY_OUT ? *f : flow_mirror(f);

	for (size_t i = 0; i < k->policies.n; i++) {
		const struct flow_policy *trap = &k->policies.v[i];

		if (trap->kind == FLOW_TRAP && trap->reqid == f->reqid && flow_covers(trap, &out)) {
			flow_set_level(f, flow_level(trap));
			return;
		}
	}
}

enum err book_flows(const struct kernel *k, const struct sa_desc *d, struct flow_list *l)
{
	enum err err = flow_list_fill(l, d);

	for (size_t i = 0; i < l->n && err == OK; i++)
		flow_find_level(k, &l->v[i]);
	return err;
}

static bool dir_is(const struct flow_policy *f, enum sa_dir dir)
{
	return (f->p.dir == XFRM_POLICY_OUT) == (dir == SA_OUT);
}

/* Memory that is not there to find out means: no policy of it, and the trap catches. */
static bool half_has(const struct kernel *k, const struct sa_desc *d, const struct flow_policy *key,
		     struct flow_policy *want)
{
	struct flow_list l = { .n = 0 };
	const struct flow_policy *f = NULL;

	if (dir_is(key, d->dir) && book_flows(k, d, &l) == OK)
		f = flow_list_find(&l, key);
	if (f != NULL)
		*want = *f;
	flow_list_free(&l);
	return f != NULL;
}

bool book_wants(const struct kernel *k, const struct flow_policy *key, struct flow_policy *want)
{
	for (size_t i = k->sas.n; i-- > 0;) {
		const struct sa_desc *d = &k->sas.v[i].d;

		if (d->reqid == key->reqid && half_has(k, d, key, want))
			return true;
	}
	return false;
}

void book_refresh(struct kernel *k)
{
	struct flow_policy want;

	for (size_t i = k->policies.n; i-- > 0;) {
		struct flow_policy *f = &k->policies.v[i];

		if (f->kind != FLOW_CHILD)
			continue;
		if (!book_wants(k, f, &want)) {
			flow_list_take(&k->policies, f);
			continue;
		}
		want.p.index = f->p.index;
		*f = want;
	}
}

/* Two hosts behind one NAT look like one (RFC 7296 2.23.1): in transport mode what goes to the
 * second would take the first one's way. The same host that comes again has the same port, or its
 * old child was removed first. */
static bool is_neighbour(const struct sa_desc *have, const struct sa_desc *d)
{
	return d->mode == SA_TRANSPORT && have->mode == SA_TRANSPORT && d->encap && have->encap &&
	       have->dir == d->dir && have->reqid == d->reqid && have->child_id != d->child_id &&
	       addr_eq(&have->path.remote.addr, &d->path.remote.addr) &&
	       have->path.remote.port != d->path.remote.port;
}

static enum err judge_neighbours(const struct kernel *k, const struct sa_desc *d,
				 const struct flow_list *flows, char *why)
{
	char text[ENDPOINT_TEXT_MAX];
	struct flow_policy want;

	for (size_t i = 0; i < k->sas.n; i++) {
		const struct sa_desc *have = &k->sas.v[i].d;

		if (!is_neighbour(have, d))
			continue;
		for (size_t f = 0; f < flows->n; f++) {
			if (half_has(k, have, &flows->v[f], &want))
				return why_say(why, ERR_EXISTS,
					       "another host behind the same NAT, %s, has these "
					       "selectors in transport mode",
					       endpoint_text(&have->path.remote, text));
		}
	}
	return OK;
}

/* Of one configured child the newest wins: a peer that comes again (from elsewhere, or with new
 * keys) takes over from itself; the engine removes the old one when it knows. Of two different ones
 * the second would silently draw away what belongs to the first. */
enum err book_judge(const struct kernel *k, const struct sa_desc *d, const struct flow_list *flows,
		    char *why)
{
	char text[POLICY_TEXT_MAX];

	if (book_find(k, d) != NULL)
		return why_say(why, ERR_EXISTS, "the SPI %08x is in use", d->spi);
	for (size_t i = 0; i < flows->n; i++) {
		const struct flow_policy *have = flow_list_find(&k->policies, &flows->v[i]);

		if (have != NULL && have->reqid != d->reqid)
			return why_say(why, ERR_EXISTS,
				       "%s belongs to another child that is up (reqid %u)",
				       policy_text(&have->p, text), have->reqid);
	}
	return judge_neighbours(k, d, flows, why);
}

/* ---- larval states ---- */

void acquire_note(struct kernel *k, const struct state_larval *l)
{
	k->acquires[k->next_acquire] = *l;
	k->next_acquire = (k->next_acquire + 1) % KERNEL_ACQUIRES;
}

void acquire_drop(struct kernel *k, uint32_t reqid, uint32_t seq)
{
	for (size_t i = 0; i < KERNEL_ACQUIRES; i++) {
		struct state_larval *l = &k->acquires[i];

		if (l->reqid == reqid && l->seq == seq)
			l->reqid = 0;
	}
}
