/* SPDX-License-Identifier: Apache-2.0 */
/* Putting in and taking out one state or policy, and keeping the book true.
 *
 * There are three ways to end: the kernel did it; it refused, and nothing has changed; it was not
 * heard of (the answer was lost, late, or cut), and then it may have done it. After the last, a new
 * policy is taken out again; all else, and what could not be taken out, is in doubt.
 */
#include <errno.h>
#include <string.h>

#include "xfrm/kernel_inner.h"
#include "xfrm/words.h"

enum { SLOT_TRIES = 8, TAKE_TRIES = 3 };

/* Whether the kernel gave its verdict. */
static bool heard(const struct answer *a)
{
	return a->done;
}

/* ---- states ---- */

static enum err state_words(char *why, enum err err, const struct answer *a, const char *what,
			    uint32_t spi)
{
	char words[NETLINK_WORDS_MAX];

	if (err == OK)
		return OK;
	return why_say(why, err, "%s %08x: %s", what, spi, netlink_words(err, a, words));
}

enum err take_state(struct kernel *k, const struct state_id *id, char *why)
{
	struct answer a = { .error = 0 };
	enum err err = ERR_NO_ANSWER;

	for (int tries = TAKE_TRIES; tries > 0 && err != OK && err != ERR_NOT_FOUND; tries--) {
		struct ask req = state_ask_delete(id);

		err = netlink_ask(k->nl, &req, &a);
	}
	/* What is not there although the book had it: what else is not? */
	if (err != OK)
		k->doubt = true;
	if (err == ERR_NOT_FOUND)
		return OK;
	return state_words(why, err, &a, "cannot remove the state", id->spi);
}

static enum err add_state(struct kernel *k, const struct sa_desc *d, const struct state_extra *x,
			  struct answer *a)
{
	struct ask req = state_ask_add(d, x);

	return netlink_ask(k->nl, &req, a);
}

/* Written out, it is not done without. */
static bool insists(const struct sa_desc *d)
{
	return d->offload == OFFLOAD_CRYPTO || d->offload == OFFLOAD_PACKET;
}

/* Which device, if any. With UDP encapsulation kernels refuse. */
static enum err choose_device(const struct kernel *k, const struct sa_desc *d,
			      struct state_extra *x, char *why)
{
	x->ifindex = k->device == NULL ? 0 : k->device(&d->path.local.addr, d->offload);
	if (d->encap && !insists(d))
		x->ifindex = 0;
	if (x->ifindex == 0 && insists(d))
		return why_say(why, ERR_UNSUPPORTED,
			       "offload = %s: no network device has the local address",
			       d->offload == OFFLOAD_PACKET ? "packet" : "crypto");
	return OK;
}

enum err put_state(struct kernel *k, const struct sa_desc *d, struct state_extra *x, bool *unheard,
		   char *why)
{
	struct answer a;
	enum err err = state_check(d);

	*unheard = false;
	if (err != OK)
		return why_say(why, err, "no state of the kernel's can be made of SPI %08x: %s",
			       d->spi, err_text(err));
	x->sa_dir = k->sa_dir;
	x->if_id = d->if_id;
	err = choose_device(k, d, x, why);
	if (err != OK)
		return err;
	err = add_state(k, d, x, &a);
	if (err != OK && heard(&a) && err != ERR_EXISTS && x->ifindex != 0 && !insists(d)) {
		x->ifindex = 0;
		err = add_state(k, d, x, &a);
	}
	if (err == ERR_EXISTS)
		return why_say(why, err,
			       "the SPI %08x is taken by another state, see `ip xfrm state`",
			       d->spi);
	/* It may be there now; or the SPI may be that of another program's state, so it is not
	 * deleted by its name. */
	*unheard = err != OK && !heard(&a);
	k->doubt = k->doubt || *unheard;
	return state_words(why, err, &a,
			   insists(d) ? "with the offload that is configured, cannot add the state"
				      : "cannot add the state",
			   d->spi);
}

struct shown {
	struct state_info s;
	bool there;
};

static enum err shown_take(void *ctx, const struct nlmsghdr *m)
{
	struct shown *got = ctx;
	enum err err = state_read(m, &got->s);

	got->there = got->there || err == OK;
	return err;
}

enum err show_state(struct kernel *k, const struct sa_desc *d, struct state_info *s, char *why)
{
	struct shown got = { .there = false };
	const struct netlink_sink sink = { .take = shown_take, .ctx = &got };
	const struct state_id id = state_id_of(d);
	struct ask req = state_ask_get(&id);
	struct answer a;
	enum err err = netlink_get(k->nl, &req, &sink, &a);

	*s = got.s;
	if (err == OK && !got.there)
		err = ERR_NO_ANSWER;
	if (err == ERR_NOT_FOUND)
		k->doubt = true;
	return state_words(why, err, &a, "cannot read the state", d->spi);
}

/* ---- policies ---- */

static enum err policy_words(char *why, enum err err, const struct answer *a, const char *what,
			     const struct flow_policy *f)
{
	char words[NETLINK_WORDS_MAX];
	char text[POLICY_TEXT_MAX];

	if (err == OK)
		return OK;
	return why_say(why, err, "%s %s: %s", what, policy_text(&f->p, text),
		       netlink_words(err, a, words));
}

struct back {
	const struct flow_policy *sought;
	bool seen;
};

static enum err back_take(void *ctx, const struct nlmsghdr *m)
{
	struct back *b = ctx;
	struct flow_policy f;
	enum err err = flow_read(m, &f);

	if (err == OK && f.p.index == b->sought->p.index && flow_same(&f, b->sought))
		b->seen = true;
	return err;
}

/* Whether it stands under the index that was asked for: the kernel gives another, without a word,
 * when that is taken, and such a policy would not be known as ours at the next start. */
static enum err read_back(struct kernel *k, const struct flow_policy *f, bool *seen,
			  struct answer *a)
{
	struct back b = { .sought = f };
	const struct netlink_sink sink = { .take = back_take, .ctx = &b };
	struct ask req = flow_ask_get(f);
	enum err err = netlink_get(k->nl, &req, &sink, a);

	*seen = b.seen;
	return err == ERR_NOT_FOUND ? OK : err;
}

/* By what it is, not by its index, which is in question. Only ours have that selector. `was_there`:
 * when it is not there any more, others are at work. */
static void take_back(struct kernel *k, const struct flow_policy *f, bool was_there)
{
	enum err err = ERR_NO_ANSWER;

	for (int tries = TAKE_TRIES; tries > 0 && err != OK && err != ERR_NOT_FOUND; tries--) {
		struct ask req = flow_ask_delete_selector(f);
		struct answer a;

		err = netlink_ask(k->nl, &req, &a);
	}
	if (err != OK && (was_there || err != ERR_NOT_FOUND))
		k->doubt = true;
}

/* *again: another index was given, or the key was taken; the policy is gone again. */
static enum err add_at(struct kernel *k, const struct flow_policy *f, bool *again, char *why)
{
	struct ask req = flow_ask_add(f);
	char text[POLICY_TEXT_MAX];
	bool seen = false;
	struct answer a;
	enum err err = netlink_ask(k->nl, &req, &a);
	const bool added = err == OK;

	if (err != OK && err != ERR_EXISTS && heard(&a))
		return policy_words(why, err, &a, "cannot add the policy", f);
	if (err == OK)
		err = read_back(k, f, &seen, &a);
	if (err == OK && seen)
		return OK;
	/* One that exists has our number in its selector and is not in the book: left over. */
	take_back(k, f, added);
	*again = err == OK || err == ERR_EXISTS;
	if (err == OK)
		return why_say(why, ERR_SYSTEM,
			       "the kernel does not show the policy %s as it was asked for",
			       policy_text(&f->p, text));
	return policy_words(why, err, &a, "cannot add the policy", f);
}

static bool slot_next(struct kernel *k, uint32_t *slot)
{
	for (uint32_t i = 0; i < POLICY_FLOW_SLOTS; i++) {
		*slot = k->slot;
		k->slot = (k->slot + 1) % POLICY_FLOW_SLOTS;
		if (!k->taken[*slot])
			return true;
	}
	return false;
}

static void slot_set(struct kernel *k, const struct flow_policy *f, bool taken)
{
	enum policy_section section;
	uint32_t slot;

	if (policy_index_taken(&f->p, &section, &slot) && section == POLICY_OF_FLOW)
		k->taken[slot] = taken;
}

/* The policy has a place in the book, which says nothing of the kernel before it is there. */
static enum err add_placed(struct kernel *k, struct flow_policy *have, struct flow_policy f,
			   char *why)
{
	enum err err = ERR_LIMIT;
	bool again = true;
	uint32_t slot;

	for (int tries = SLOT_TRIES; tries > 0 && again; tries--) {
		again = false;
		if (!slot_next(k, &slot))
			return why_say(why, ERR_LIMIT, "no index is left for a policy");
		f.p.index = policy_index(POLICY_OF_FLOW, slot, f.p.dir);
		err = add_at(k, &f, &again, why);
	}
	if (err != OK)
		return err;
	slot_set(k, &f, true);
	*have = f;
	return OK;
}

static enum err add_policy(struct kernel *k, struct flow_policy f, char *why)
{
	enum err err;

	f.p.index = 0;
	err = book_policy_put(k, &f);
	if (err != OK)
		return why_say(why, err, "%s", err_text(err));
	err = add_placed(k, book_policy_find(k, &f), f, why);
	if (err != OK)
		book_policy_take(k, &f);
	return err;
}

static enum err change_policy(struct kernel *k, struct flow_policy *have, struct flow_policy f,
			      char *why)
{
	struct ask req;
	struct answer a;
	enum err err;

	if (flow_same(have, &f))
		return OK;
	f.p.index = have->p.index;
	req = flow_ask_update(&f);
	err = netlink_ask(k->nl, &req, &a);
	if (err == OK || !heard(&a))
		*have = f;
	k->doubt = k->doubt || (err != OK && !heard(&a));
	return policy_words(why, err, &a, "cannot change the policy", &f);
}

enum err put_policy(struct kernel *k, const struct flow_policy *f, char *why)
{
	struct flow_policy *have = book_policy_find(k, f);

	if (have == NULL)
		return add_policy(k, *f, why);
	return have->p.index == 0 ? add_placed(k, have, *f, why) : change_policy(k, have, *f, why);
}

enum err take_stray(struct kernel *k, const struct flow_policy *f, char *why)
{
	struct answer a = { .error = 0 };
	enum err err = ERR_NO_ANSWER;

	for (int tries = TAKE_TRIES; tries > 0 && err != OK && err != ERR_NOT_FOUND; tries--) {
		struct ask req = flow_ask_delete(f);

		err = netlink_ask(k->nl, &req, &a);
	}
	slot_set(k, f, false);
	if (err != OK)
		k->doubt = true;
	if (err == ERR_NOT_FOUND)
		return OK;
	return policy_words(why, err, &a, "cannot remove the policy", f);
}

enum err take_policy(struct kernel *k, const struct flow_policy *key, char *why)
{
	const struct flow_policy *have = book_policy_find(k, key);
	struct flow_policy f;

	if (have == NULL)
		return OK;
	f = *have;
	book_policy_take(k, &f);
	return f.p.index == 0 ? OK : take_stray(k, &f, why);
}

/* ---- larval states ---- */

/* A larval state has no SPI to delete it by, so it gets one first. If the answer to that is lost,
 * the state ends by itself after xfrm_acq_expires, as it would have. */
enum err forget_larval(struct kernel *k, const struct state_larval *l, char *why)
{
	struct shown got = { .there = false };
	const struct netlink_sink sink = { .take = shown_take, .ctx = &got };
	struct ask req = state_ask_allocspi(l);
	struct answer a;
	enum err err = netlink_get(k->nl, &req, &sink, &a);

	if (!got.there && err != OK) {
		k->doubt = k->doubt || !heard(&a);
		return why_kernel(why, err, &a, "cannot find the state that waits for a child");
	}
	if (!got.there)
		return why_say(why, ERR_NO_ANSWER, "the kernel does not show the state that waits");
	return take_state(k, &(struct state_id){ .dst = got.s.dst, .spi = got.s.spi }, why);
}

/* The device that what this child has goes through (base/sadesc.h, sa_if_id). */
static uint32_t device_of(const struct kernel *k, uint32_t reqid)
{
	size_t n;
	const struct flow_policy *traps = book_traps(k, reqid, &n);

	return n > 0 ? traps[0].if_id : 0;
}

enum err forget_trap_larval(struct kernel *k, uint32_t reqid, uint32_t seq, char *why)
{
	const struct state_larval l = { .src = flow_trap_src(),
					.dst = flow_trap_dst(),
					.mode = SA_TUNNEL,
					.reqid = reqid,
					.seq = seq,
					.if_id = device_of(k, reqid) };

	return forget_larval(k, &l, why);
}

enum err forget_acquires(struct kernel *k, uint32_t reqid, uint32_t seq, char *why)
{
	bool known = false;
	enum err err = OK;

	for (size_t i = 0; i < KERNEL_ACQUIRES; i++) {
		struct state_larval l = k->acquires[i];
		enum err got;

		/* Of peers for the same networks the trap is one's, and another may come first: the
		 * kernel's number is that of one question alone. */
		if (l.reqid != reqid && (l.reqid == 0 || seq == 0 || l.seq != seq))
			continue;
		known = true;
		got = forget_larval(k, &l, why);
		if (got == OK)
			k->acquires[i].reqid = 0;
		else
			err = got;
	}
	/* One that we were not told of, or too long ago: those of traps are all in one place. */
	return known || seq == 0 ? err : forget_trap_larval(k, reqid, seq, why);
}
