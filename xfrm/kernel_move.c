/* SPDX-License-Identifier: Apache-2.0 */
/* A Child SA that moves to other addresses or ports.
 *
 * Where the addresses stay and both were encapsulated, the kernel changes the ports in place. All
 * else is a state taken out and put in anew: XFRM_MSG_MIGRATE repeats sequence numbers under
 * traffic, finds policies by other rules in each kernel, and cannot take encapsulation away.
 *
 * Before anything is read of the old state, the policies of its half lead where traps lead. So
 * nobody is still on the way through it when its numbers are read, but for what this file's
 * comments name; packets that want out wait for the new state, or are dropped where
 * xfrm_larval_drop is 1; and none is given to another state of the same reqid.
 */
#include <string.h>

#include "xfrm/kernel_inner.h"
#include "xfrm/words.h"

/* A packet finds its state first and takes its number later: it may have found the old one before
 * the policies changed, and takes a number after ours was read. None may be used twice. It has
 * until the state is deleted, for from then on the kernel refuses it; asynchronous ciphers take the
 * number before they begin. That is the time of one request, for a packet of each CPU, which
 * segmentation offload cuts into some 64: this is enough for 64 CPUs. The peer sees a loss. */
enum { SENT_GAP = 4096, PORT_TRIES = 3 };

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

/* Inbound: numbers that arrive after ours was read will be taken once more at the new place. But
 * what they carried was not let in by the policies, which look at a packet after its number was
 * noted, so nothing is delivered twice. What is left: a packet that waits in a CPU's backlog
 * between the two for as long as the whole move takes. The bitmap behind the highest number is not
 * carried over: all of it counts as seen. */
static void state_goes_on(const struct sa_desc *d, const struct state_info *s,
			  struct state_extra *x)
{
	uint64_t last = d->esn ? UINT64_MAX : UINT32_MAX;

	x->sent = s->sent;
	x->received = s->received;
	if (d->dir == SA_OUT)
		x->sent = last - s->sent < SENT_GAP ? last : s->sent + SENT_GAP;
}

static void counters_go_on(const struct state_info *s, struct state_extra *x)
{
	x->counted = true;
	x->bytes = s->bytes;
	x->packets = s->packets;
	x->added_s = s->added_s;
	x->used_s = s->used_s;
}

/* ---- ports ---- */

/* In place. The kernel takes the whole state and keeps what it cannot change. Asked again until it
 * is heard: it does no harm twice. */
static enum err move_ports(struct kernel *k, struct kernel_half *half, const struct sa_desc *to,
			   char *why)
{
	struct sa_desc d = half->d;
	struct state_extra x = { .sa_dir = k->sa_dir, .if_id = d.if_id };
	struct state_info s;
	struct answer a = { .done = false };
	enum err err = show_state(k, &half->d, &s, why);

	if (err != OK)
		return err;
	counters_go_on(&s, &x);
	d.path = to->path;
	for (int tries = PORT_TRIES; tries > 0 && !a.done; tries--) {
		struct ask req = state_ask_update(&d, &x);

		err = netlink_ask(k->nl, &req, &a);
	}
	if (err == OK)
		book_place(k, half, &to->path, half->d.encap);
	/* Whichever ports it has now, the book learns them from the kernel. */
	k->doubt = k->doubt || !a.done;
	secret_wipe(&d, sizeof(d));
	return why_kernel(why, err, &a, "cannot change the ports of the state");
}

/* ---- places ---- */

static void lead_nowhere(struct flow_policy *f)
{
	f->mode = SA_TUNNEL;
	f->spi = 0;
	f->src = flow_trap_src();
	f->dst = flow_trap_dst();
}

/* Outbound they name the state that they are for, and those of another half that has the selectors
 * stay. Inbound they do not: what the older half decrypts, the policies of the newer let in. */
static enum err stop_flows(struct kernel *k, const struct kernel_half *half, char *why)
{
	struct flow_policy want;
	enum err err = OK;

	for (size_t i = 0; i < half->flows.n && err == OK; i++) {
		if (!book_wants(k, &half->flows.v[i], &want) ||
		    (half->d.dir == SA_OUT && want.spi != half->d.spi))
			continue;
		lead_nowhere(&want);
		err = put_policy(k, &want, why);
	}
	return err;
}

struct move {
	const struct sa_desc *to;
	struct state_extra x;
	uint64_t drop_replay; /* of the old state: the new one begins again */
	uint64_t drop_integrity;
	bool lost; /* neither at the new place nor at the old one */
};

static void move_from(struct move *m, const struct sa_desc *d, const struct state_info *s)
{
	state_goes_on(d, s, &m->x);
	counters_go_on(s, &m->x);
	m->drop_replay = (uint64_t)s->drop_window + s->drop_replay;
	m->drop_integrity = s->drop_integrity;
}

/* On another processor a packet that has read its policy before that led nowhere may look for the
 * state while there is none: the kernel makes one without keys for it, which has the SPI and is in
 * the way. */
static enum err put_moved(struct kernel *k, const struct sa_desc *d, struct state_extra *x,
			  bool *unheard, char *why)
{
	const struct state_id id = state_id_of(d);
	char unused[HOST_WHY_MAX];
	struct state_info s;
	enum err err = put_state(k, d, x, unheard, why);

	if (err != ERR_EXISTS || show_state(k, d, &s, unused) != OK || !s.keyless ||
	    s.reqid != sa_desc_reqid(d) || take_state(k, &id, unused) != OK)
		return err;
	return put_state(k, d, x, unheard, why);
}

/* Out of the old place and into the new one; back when that fails. Back failing too, the state is
 * lost, and the book says so. */
static enum err change_place(struct kernel *k, struct kernel_half *half, struct move *m, char *why)
{
	const struct path old = half->d.path;
	const bool encap = half->d.encap;
	const struct state_id id = state_id_of(&half->d);
	char unused[HOST_WHY_MAX];
	bool unheard;
	struct state_id to_id;
	enum err err = take_state(k, &id, why);

	if (err != OK)
		return err;
	half->drop_replay += m->drop_replay;
	half->drop_integrity += m->drop_integrity;
	book_place(k, half, &m->to->path, m->to->encap);
	err = put_moved(k, &half->d, &m->x, &unheard, why);
	if (err == OK)
		return OK;
	/* If the answer was lost and the state is there, it is in the way of the old one. After a
	 * refusal it would be another's that is taken away. */
	to_id = state_id_of(&half->d);
	if (unheard && addr_eq(&id.dst, &to_id.dst))
		(void)!take_state(k, &id, unused);
	book_place(k, half, &old, encap);
	m->lost = put_moved(k, &half->d, &m->x, &unheard, unused) != OK;
	return err;
}

/* A packet that waited asked for a child where traps ask, and as long as the kernel remembers that,
 * the trap itself would ask for none. It goes when the policies lead away from there. */
static void forget_waiting(struct kernel *k, const struct sa_desc *to, uint32_t reqid)
{
	char unused[HOST_WHY_MAX];

	if (to->dir == SA_OUT)
		(void)!forget_trap_larval(k, reqid, 0, unused);
}

static enum err move_whole(struct kernel *k, struct kernel_half *half, const struct sa_desc *to,
			   char *why)
{
	const struct settle again = { .all = false };
	const uint32_t reqid = half->reqid;
	struct move m = { .to = to };
	char unused[HOST_WHY_MAX];
	struct state_info s;
	enum err settled;
	enum err err = stop_flows(k, half, why);

	if (err == OK)
		err = show_state(k, &half->d, &s, why);
	if (err == OK) {
		move_from(&m, &half->d, &s);
		err = change_place(k, half, &m, why);
	}
	if (m.lost)
		book_take(k, half);
	settled = settle_flows(k, &half->flows, unused);
	forget_waiting(k, to, reqid);
	if (m.lost)
		half_free(half);
	return err == OK && settled != OK ? kernel_settle(k, &again, why) : err;
}

enum err kernel_move(struct kernel *k, const struct sa_desc *to, char *why)
{
	struct kernel_half *half = book_find(k, to);
	const struct path *have;
	enum err err;

	if (half == NULL)
		return why_say(why, ERR_NOT_FOUND, "no state of ours has SPI %08x", to->spi);
	have = &half->d.path;
	if (path_eq(have, &to->path) && half->d.encap == to->encap)
		return OK;
	err = book_judge_move(k, half, to, why);
	if (err != OK)
		return err;
	if (half->d.encap && to->encap && addr_eq(&have->local.addr, &to->path.local.addr) &&
	    addr_eq(&have->remote.addr, &to->path.remote.addr))
		return move_ports(k, half, to, why);
	return move_whole(k, half, to, why);
}
