/* SPDX-License-Identifier: Apache-2.0 */
/* A Child SA that moves to other addresses or ports.
 *
 * Where the addresses stay and both were encapsulated, the kernel changes the ports in place. All
 * else is a state taken out and put in anew: XFRM_MSG_MIGRATE repeats sequence numbers under
 * traffic, finds policies by other rules in each kernel, and cannot take encapsulation away.
 *
 * Outbound, the policy points to the new addresses first, without naming a state: what is sent
 * meanwhile waits for the new state and does not pass by. Sequence numbers go on with a gap: a
 * packet that was on its way through the old state may have taken some after they were read, and
 * none may be used twice.
 */
#include <string.h>

#include "xfrm/kernel_inner.h"
#include "xfrm/words.h"

/* Of a packet per CPU, each cut into as many as 64 by segmentation offload. */
enum { SENT_GAP = 1024 };

enum err settle_flows(struct kernel *k, const struct flow_list *flows, char *why)
{
	char other[HOST_WHY_MAX] = "";
	struct flow_policy want;
	enum err first = OK;

	for (size_t i = flows->n; i-- > 0;) {
		char *to = first == OK ? why : other;
		const struct flow_policy *f = &flows->v[i];
		enum err err =
			book_wants(k, f, &want) ? put_policy(k, &want, to) : take_policy(k, f, to);

		if (first == OK)
			first = err;
	}
	k->doubt = k->doubt || first != OK;
	return first;
}

/* In place. The kernel takes the whole state and keeps what it cannot change. */
static enum err move_ports(struct kernel *k, struct kernel_sa *sa, const struct sa_desc *to,
			   char *why)
{
	struct sa_desc d = sa->d;
	struct state_extra x = { .sa_dir = k->sa_dir, .if_id = d.if_id };
	struct ask req;
	struct answer a;
	enum err err;

	d.path = to->path;
	req = state_ask_update(&d, &x);
	err = netlink_ask(k->nl, &req, &a);
	if (err == OK)
		book_place(k, sa, &to->path, sa->d.encap);
	secret_wipe(&d, sizeof(d));
	return why_kernel(why, err, &a, "cannot change the ports of the state");
}

/* The policies of the half, without a name for the state. */
static enum err unpin(struct kernel *k, const struct flow_list *flows, char *why)
{
	struct flow_policy want;
	enum err err = OK;

	for (size_t i = 0; i < flows->n && err == OK; i++) {
		if (!book_wants(k, &flows->v[i], &want))
			continue;
		want.spi = 0;
		err = put_policy(k, &want, why);
	}
	return err;
}

struct move {
	const struct sa_desc *to;
	struct state_extra x;
	bool lost; /* neither at the new place nor at the old one */
};

static void state_goes_on(const struct sa_desc *d, const struct state_info *s,
			  struct state_extra *x)
{
	uint64_t last = d->esn ? UINT64_MAX : UINT32_MAX;

	x->sent = s->sent;
	x->received = s->received;
	if (d->dir == SA_OUT)
		x->sent = last - s->sent < SENT_GAP ? last : s->sent + SENT_GAP;
}

/* Out of the old place and into the new one; back when that fails. Back failing too, the state is
 * lost, and the book says so. */
static enum err change_place(struct kernel *k, struct kernel_sa *sa, struct move *m, char *why)
{
	const struct path old = sa->d.path;
	const bool encap = sa->d.encap;
	const struct state_id id = state_id_of(&sa->d);
	char unused[HOST_WHY_MAX];
	struct state_id to_id;
	enum err err = take_state(k, &id, why);

	if (err != OK)
		return err;
	book_place(k, sa, &m->to->path, m->to->encap);
	err = put_state(k, &sa->d, &m->x, why);
	if (err == OK)
		return OK;
	/* If the answer was lost and the state is there, it is in the way of the old one. */
	to_id = state_id_of(&sa->d);
	if (k->doubt && addr_eq(&id.dst, &to_id.dst))
		(void)!take_state(k, &id, unused);
	book_place(k, sa, &old, encap);
	m->lost = put_state(k, &sa->d, &m->x, unused) != OK;
	return err;
}

static enum err move_whole(struct kernel *k, struct kernel_sa *sa, const struct sa_desc *to,
			   char *why)
{
	const struct path old = sa->d.path;
	char unused[HOST_WHY_MAX];
	struct move m = { .to = to };
	struct state_info s;
	const struct settle again = { .larval = false };
	enum err settled;
	enum err err = show_state(k, &sa->d, &s, why);

	if (err != OK)
		return err;
	book_place(k, sa, &to->path, sa->d.encap); /* what the policies shall say */
	if (sa->d.dir == SA_OUT)
		err = unpin(k, &sa->flows, why);
	book_place(k, sa, &old, sa->d.encap);
	state_goes_on(&sa->d, &s, &m.x);
	if (err == OK)
		err = change_place(k, sa, &m, why);
	if (m.lost)
		book_take(k, sa);
	settled = settle_flows(k, &sa->flows, unused);
	if (m.lost)
		half_free(sa);
	return err == OK && settled != OK ? kernel_settle(k, &again, why) : err;
}

enum err kernel_move(struct kernel *k, const struct sa_desc *to, char *why)
{
	struct kernel_sa *sa = book_find(k, to);
	const struct path *have;
	enum err err;

	if (sa == NULL)
		return why_say(why, ERR_NOT_FOUND, "no state of ours has SPI %08x", to->spi);
	have = &sa->d.path;
	if (path_eq(have, &to->path) && sa->d.encap == to->encap)
		return OK;
	err = book_judge_move(k, sa, to, why);
	if (err != OK)
		return err;
	if (sa->d.encap && to->encap && addr_eq(&have->local.addr, &to->path.local.addr) &&
	    addr_eq(&have->remote.addr, &to->path.remote.addr))
		return move_ports(k, sa, to, why);
	return move_whole(k, sa, to, why);
}
