/* SPDX-License-Identifier: Apache-2.0 */
/* How large a packet may be that goes into a Child SA. */
#include "crypto/seal.h"
#include "ike/child.h"
#include "ike/connection.h"
#include "ike/keep.h"

enum {
	ESP_HEADER = 8,
	ESP_TRAILER = 2,
	ESP_ALIGN = 4,
	UDP_HEADER = 8,
	IPV4_HEADER = 20,
	IPV6_HEADER = 40
};

/* RFC 4303 2: what stands around an inner packet, and the padding that rounds it up. In transport
 * mode the header outside is the packet's own, and counts as a part of it. */
uint16_t child_mtu(const struct child_sa *c, uint16_t path_mtu)
{
	const struct encr *encr = c->suite.encr;
	const struct place at = move_children_place(c->sa);
	uint32_t outer = at.path.remote.addr.family == AF_INET6 ? IPV6_HEADER : IPV4_HEADER;
	uint32_t fixed = outer + (at.encap ? UDP_HEADER : 0) + ESP_HEADER + encr->iv_len +
			 (uint32_t)seal_icv_len(encr, c->suite.integ);
	uint32_t align = encr->block_len > ESP_ALIGN ? encr->block_len : ESP_ALIGN;
	uint32_t room = path_mtu > fixed ? path_mtu - fixed : 0;

	room -= room % align;
	if (room <= ESP_TRAILER)
		return 0;
	return (uint16_t)(room - ESP_TRAILER + (c->mode == SA_TRANSPORT ? outer : 0));
}

void child_path_mtu(struct child_sa *c, uint16_t path_mtu)
{
	/* Before it is up it may have no suite yet. */
	uint16_t mtu = c->stage == CHILD_UP ? child_mtu(c, path_mtu) : 0;

	if (mtu == 0 || mtu == c->mtu)
		return;
	c->mtu = mtu;
	keep_touch_sa(c->sa);
	actions_mtu(&c->sa->e->actions, c->sa->conn->conf->name, c->conf->name, mtu);
}

/* Behind a restore there is one for each child: that is not looked for among all. */
static void of_command(struct ike_engine *e, const struct ike_event *ev)
{
	const struct ticket *t = ticket_find(e, ev->ticket);

	if (t && t->child && t->child->plane == ev->from)
		child_path_mtu(t->child, ev->plane->mtu);
}

static void of_sa(struct ike_sa *sa, const struct ike_event *ev)
{
	if (!addr_eq(&sa->path.remote.addr, &ev->plane->remote.addr))
		return;
	for (struct child_sa *c = sa->children; c; c = c->next) {
		if (c->plane == ev->from)
			child_path_mtu(c, ev->plane->mtu);
	}
}

void children_on_mtu(struct ike_engine *e, const struct ike_event *ev)
{
	if (ev->ticket != 0) {
		of_command(e, ev);
		return;
	}
	for (size_t i = 0; i < e->n_conns; i++) {
		for (struct ike_sa *sa = e->conns[i]->sas; sa; sa = sa->next)
			of_sa(sa, ev);
	}
}
