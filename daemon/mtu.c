/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mtu.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "esp/esp.h"
#include "esp/mtu.h"

enum { MTU_INNER_MIN = 576 };

/* An outbound SA, without its keys and selectors. */
struct mtu_entry {
	struct mtu_entry *next;
	struct sa_desc sa;
	uint16_t path;
	uint16_t inner;
};

struct mtu_book {
	const struct route *route;
	mtu_fn *changed;
	void *ctx;
	struct mtu_entry *first;
};

enum err mtu_new(const struct route *r, mtu_fn *changed, void *ctx, struct mtu_book **b)
{
	*b = calloc(1, sizeof **b);
	if (*b == NULL)
		return ERR_NOMEM;
	(*b)->route = r;
	(*b)->changed = changed;
	(*b)->ctx = ctx;
	return OK;
}

void mtu_clear(struct mtu_book *b, enum sa_plane plane)
{
	struct mtu_entry **at = &b->first;

	while (*at != NULL) {
		struct mtu_entry *e = *at;

		if (e->sa.plane == plane) {
			*at = e->next;
			free(e);
		} else {
			at = &e->next;
		}
	}
}

void mtu_free(struct mtu_book *b)
{
	if (b == NULL)
		return;
	mtu_clear(b, PLANE_USER);
	mtu_clear(b, PLANE_KERNEL);
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
static void entry_update(struct mtu_book *b, struct mtu_entry *e, uint16_t path_mtu)
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
	b->changed(b->ctx, &f);
}

/* That of the link by which its packets leave. Userspace ESP makes no use of more than is usual:
 * far from here the path may be narrower, and who would say so may be kept from it. */
static void entry_begin(struct mtu_book *b, struct mtu_entry *e)
{
	const uint16_t mtu = route_mtu(b->route, &e->sa.path.remote.addr);
	const bool wide = e->sa.plane == PLANE_USER && mtu > PATH_MTU_DEFAULT;

	entry_update(b, e, wide ? PATH_MTU_DEFAULT : mtu);
}

static struct mtu_entry **entry_place(struct mtu_book *b, const struct sa_desc *sa)
{
	struct mtu_entry **at = &b->first;

	while (*at != NULL && ((*at)->sa.spi != sa->spi || (*at)->sa.child_id != sa->child_id))
		at = &(*at)->next;
	return at;
}

static void entry_add(struct mtu_book *b, const struct sa_desc *sa)
{
	struct mtu_entry *e = calloc(1, sizeof *e);

	if (e == NULL)
		return; /* the route's own MTU holds, and packets that are too big are told so */
	e->sa = *sa;
	key_wipe(&e->sa.encr_key);
	key_wipe(&e->sa.integ_key);
	e->sa.local = (struct ts_list){ 0 };
	e->sa.remote = (struct ts_list){ 0 };
	e->next = b->first;
	b->first = e;
	entry_begin(b, e);
}

void mtu_sa(struct mtu_book *b, const struct sa_cmd *cmd)
{
	struct mtu_entry **at = entry_place(b, &cmd->sa);
	struct mtu_entry *e = *at;

	if (cmd->sa.dir != SA_OUT)
		return;
	switch (cmd->op) {
	case SA_INSTALL:
	case SA_CLAIM:
		if (e == NULL)
			entry_add(b, &cmd->sa);
		return;
	case SA_MOVE:
		if (e == NULL)
			return;
		e->sa.path = cmd->sa.path;
		e->sa.encap = cmd->sa.encap;
		entry_begin(b, e);
		return;
	case SA_REMOVE:
		if (e == NULL)
			return;
		*at = e->next;
		free(e);
		return;
	case SA_PASS:
	case SA_QUERY:
	case SA_FORGET:
	case SA_SWEEP:
		return;
	}
}

void mtu_path(struct mtu_book *b, enum sa_plane plane, const struct addr *remote, uint16_t path_mtu)
{
	for (struct mtu_entry *e = b->first; e != NULL; e = e->next) {
		if (e->sa.plane == plane && addr_eq(&e->sa.path.remote.addr, remote))
			entry_update(b, e, path_mtu);
	}
}

void mtu_refresh(struct mtu_book *b)
{
	for (struct mtu_entry *e = b->first; e != NULL; e = e->next)
		entry_begin(b, e);
}

bool mtu_of(const struct mtu_book *b, const char *connection, const char *child, struct mtu_fact *f)
{
	for (const struct mtu_entry *e = b->first; e != NULL; e = e->next) {
		if (e->inner == 0 || strcmp(e->sa.connection, connection) != 0 ||
		    strcmp(e->sa.child, child) != 0)
			continue;
		*f = entry_fact(e);
		f->connection = connection;
		f->child = child;
		return true;
	}
	return false;
}
