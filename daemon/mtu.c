/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mtu.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "esp/esp.h"
#include "esp/mtu.h"
#include "xfrm/chain.h"

enum { MTU_INNER_MIN = 576 };

/* An outbound SA, without its keys and selectors. */
struct mtu_entry {
	struct mtu_entry *next, *prev;
	struct chain by_sa, by_child, by_peer; /* by these: */
	uint8_t spi_and_id[8];
	char names[2][CONF_NAME_MAX + 1];
	uint8_t peer[1 + sizeof(struct addr)]; /* plane and address */
	struct sa_desc sa;
	uint16_t path;
	uint16_t inner;
};

/* After a restore it is asked about thousands: nothing here goes over all of them. */
struct mtu_book {
	const struct route *route;
	mtu_fn *changed;
	void *ctx;
	struct mtu_entry *first;
	struct table by_sa, by_child, by_peer;
};

/* ---- how they are found ---- */

static struct span key_of_sa(const struct table_node *n)
{
	const struct mtu_entry *e = container_of(n, const struct mtu_entry, by_sa.node);

	return span_of(e->spi_and_id, sizeof e->spi_and_id);
}

static struct span key_of_child(const struct table_node *n)
{
	const struct mtu_entry *e = container_of(n, const struct mtu_entry, by_child.node);

	return span_of(e->names, sizeof e->names);
}

static struct span key_of_peer(const struct table_node *n)
{
	const struct mtu_entry *e = container_of(n, const struct mtu_entry, by_peer.node);

	return span_of(e->peer, sizeof e->peer);
}

static void make_sa_key(uint8_t key[static 8], const struct sa_desc *sa)
{
	struct wr w = wr_into(key, 8);

	wr_u32(&w, sa->spi);
	wr_u32(&w, sa->child_id);
}

static void make_child_key(char key[static 2][CONF_NAME_MAX + 1], const char *connection,
			   const char *child)
{
	memset(key, 0, 2 * (CONF_NAME_MAX + 1));
	memcpy(key[0], connection, strnlen(connection, CONF_NAME_MAX));
	memcpy(key[1], child, strnlen(child, CONF_NAME_MAX));
}

static void make_peer_key(uint8_t key[static 1 + sizeof(struct addr)], enum sa_plane plane,
			  const struct addr *a)
{
	struct span s = addr_span(a);

	memset(key, 0, 1 + sizeof(struct addr));
	key[0] = (uint8_t)(plane << 1 | (a->family == AF_INET6));
	memcpy(key + 1, s.p, s.len);
}

/* What a peer can choose of it, its SPI and its address, is of its own SAs. */
static enum err make_tables(struct mtu_book *b)
{
	static const uint8_t seed[SIPHASH_KEY_LEN];
	enum err e = table_init(&b->by_sa, seed, key_of_sa);

	if (e == OK)
		e = table_init(&b->by_child, seed, key_of_child);
	return e == OK ? table_init(&b->by_peer, seed, key_of_peer) : e;
}

enum err mtu_new(const struct route *r, mtu_fn *changed, void *ctx, struct mtu_book **b)
{
	*b = calloc(1, sizeof **b);
	if (*b == NULL)
		return ERR_NOMEM;
	(*b)->route = r;
	(*b)->changed = changed;
	(*b)->ctx = ctx;
	if (make_tables(*b) == OK)
		return OK;
	mtu_free(*b);
	*b = NULL;
	return ERR_NOMEM;
}

static void entry_free(struct mtu_book *b, struct mtu_entry *e)
{
	chain_take(&b->by_sa, &e->by_sa);
	chain_take(&b->by_child, &e->by_child);
	chain_take(&b->by_peer, &e->by_peer);
	*(e->prev != NULL ? &e->prev->next : &b->first) = e->next;
	if (e->next != NULL)
		e->next->prev = e->prev;
	free(e);
}

void mtu_clear(struct mtu_book *b, enum sa_plane plane)
{
	struct mtu_entry *next;

	for (struct mtu_entry *e = b->first; e != NULL; e = next) {
		next = e->next;
		if (e->sa.plane == plane)
			entry_free(b, e);
	}
}

void mtu_free(struct mtu_book *b)
{
	if (b == NULL)
		return;
	mtu_clear(b, PLANE_USER);
	mtu_clear(b, PLANE_KERNEL);
	table_free(&b->by_sa);
	table_free(&b->by_child);
	table_free(&b->by_peer);
	free(b);
}

static struct mtu_fact entry_fact(const struct mtu_entry *e)
{
	return (struct mtu_fact){ .connection = e->sa.connection,
				  .child = e->sa.child,
				  .plane = e->sa.plane,
				  .remote = e->sa.path.remote.addr,
				  .path = e->path,
				  .inner = e->inner };
}

/* The last thing that is done with `e`: whoever is told may change the book. */
static void entry_update(struct mtu_book *b, struct mtu_entry *e, uint16_t path_mtu,
			 uint64_t ticket)
{
	uint16_t inner = path_mtu != 0 ? esp_inner_mtu(&e->sa, path_mtu) : 0;
	struct mtu_fact f;

	if (inner == 0)
		return;
	if (inner < MTU_INNER_MIN)
		inner = MTU_INNER_MIN;
	if (inner == e->inner && path_mtu == e->path)
		return;
	e->path = path_mtu;
	e->inner = inner;
	f = entry_fact(e);
	f.ticket = ticket;
	b->changed(b->ctx, &f);
}

/* That of the link by which its packets leave. Userspace ESP makes no use of more than is usual:
 * far from here the path may be narrower, and who would say so may be kept from it. */
static void entry_begin(struct mtu_book *b, struct mtu_entry *e, uint64_t ticket)
{
	const uint16_t mtu = route_mtu(b->route, &e->sa.path.remote.addr);
	const bool wide = e->sa.plane == PLANE_USER && mtu > PATH_MTU_DEFAULT;

	entry_update(b, e, wide ? PATH_MTU_DEFAULT : mtu, ticket);
}

static struct mtu_entry *entry_find(struct mtu_book *b, const struct sa_desc *sa)
{
	struct chain *c;
	uint8_t key[8];

	make_sa_key(key, sa);
	c = chain_find(&b->by_sa, span_of(key, sizeof key));
	return c != NULL ? container_of(c, struct mtu_entry, by_sa) : NULL;
}

static void entry_link(struct mtu_book *b, struct mtu_entry *e)
{
	make_sa_key(e->spi_and_id, &e->sa);
	make_child_key(e->names, e->sa.connection, e->sa.child);
	make_peer_key(e->peer, e->sa.plane, &e->sa.path.remote.addr);
	chain_put(&b->by_sa, &e->by_sa);
	chain_put(&b->by_child, &e->by_child);
	chain_put(&b->by_peer, &e->by_peer);
	e->next = b->first;
	if (e->next != NULL)
		e->next->prev = e;
	b->first = e;
}

static void entry_move(struct mtu_book *b, struct mtu_entry *e, const struct sa_desc *to)
{
	chain_take(&b->by_peer, &e->by_peer);
	e->sa.path = to->path;
	e->sa.encap = to->encap;
	make_peer_key(e->peer, e->sa.plane, &e->sa.path.remote.addr);
	chain_put(&b->by_peer, &e->by_peer);
}

static void entry_add(struct mtu_book *b, const struct sa_desc *sa, uint64_t ticket)
{
	struct mtu_entry *e = calloc(1, sizeof *e);

	if (e == NULL)
		return; /* the route's own MTU holds, and packets that are too big are told so */
	e->sa = *sa;
	key_wipe(&e->sa.encr_key);
	key_wipe(&e->sa.integ_key);
	e->sa.local = (struct ts_list){ 0 };
	e->sa.remote = (struct ts_list){ 0 };
	entry_link(b, e);
	entry_begin(b, e, ticket);
}

void mtu_sa(struct mtu_book *b, const struct sa_cmd *cmd)
{
	struct mtu_entry *e;

	if (cmd->sa.dir != SA_OUT)
		return;
	e = entry_find(b, &cmd->sa);
	switch (cmd->op) {
	case SA_INSTALL:
	case SA_CLAIM:
		if (e == NULL)
			entry_add(b, &cmd->sa, cmd->ticket);
		return;
	case SA_MOVE:
		if (e == NULL)
			return;
		entry_move(b, e, &cmd->sa);
		entry_begin(b, e, cmd->ticket);
		return;
	case SA_REMOVE:
		if (e == NULL)
			return;
		entry_free(b, e);
		return;
	case SA_PASS:
	case SA_QUERY:
	case SA_FORGET:
	case SA_SWEEP:
	case SA_EXPECT:
		return;
	}
}

void mtu_path(struct mtu_book *b, enum sa_plane plane, const struct addr *remote, uint16_t path_mtu)
{
	uint8_t key[1 + sizeof(struct addr)];
	struct chain *c;

	make_peer_key(key, plane, remote);
	c = chain_find(&b->by_peer, span_of(key, sizeof key));
	for (; c != NULL; c = c->older)
		entry_update(b, container_of(c, struct mtu_entry, by_peer), path_mtu, 0);
}

void mtu_refresh(struct mtu_book *b)
{
	for (struct mtu_entry *e = b->first; e != NULL; e = e->next)
		entry_begin(b, e, 0);
}

bool mtu_of(const struct mtu_book *b, const char *connection, const char *child, struct mtu_fact *f)
{
	char key[2][CONF_NAME_MAX + 1];
	const struct chain *c;

	make_child_key(key, connection, child);
	for (c = chain_find(&b->by_child, span_of(key, sizeof key)); c != NULL; c = c->older) {
		const struct mtu_entry *e = container_of(c, const struct mtu_entry, by_child);

		if (e->inner == 0)
			continue;
		*f = entry_fact(e);
		f->connection = connection;
		f->child = child;
		return true;
	}
	return false;
}
