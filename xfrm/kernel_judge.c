/* SPDX-License-Identifier: Apache-2.0 */
/* Who may come into the book beside what is there. Nothing here asks the kernel.
 *
 * What comes out of a tunnel is judged by two things: the selector of the state that it came by,
 * and a policy, which knows a state by reqid and remote address alone. Two peers of one child
 * behind one NAT have both in common, and so have all peers of a set (base/sadesc.h), wherever they
 * are. So the selector of the state has to tell them apart, and it
 * is one network, the smallest that covers all that was negotiated: what it has in excess may be
 * the neighbour's, who could then be impersonated (RFC 4301 5.2, step 4). Such a pair is refused.
 *
 * What was negotiated is the peer's choice, too. So that none of a set keeps the others out by it,
 * who could send what is configured and not its own yields to who could not, even when it was there
 * before.
 */
#include <string.h>

#include "xfrm/kernel_inner.h"
#include "xfrm/words.h"

enum {
	/* The peer chooses how ragged its selectors are, within the configured ones: a range that
	 * lacks an address at either end is dozens of prefixes. So a child has as many as its
	 * traps, but for a few. */
	RAGGED_MAX = 64,
	/* All policies have POLICY_FLOW_SLOTS indexes between them, one for each, and an `any`
	 * connection has as many peers as come. A quarter is enough for 10 000 peers with a network
	 * each (out, in, forward), for 170 that are as ragged as RAGGED_MAX allows, and for ten
	 * children with FLOW_MAX selectors; and no child can take it all alone, though four can
	 * together. */
	SHARE_MAX = POLICY_FLOW_SLOTS / 4,
};

_Static_assert(SHARE_MAX >= 3 * FLOW_MAX && SHARE_MAX >= 3 * 10000, "what is promised above");

/* ---- what the state itself takes ---- */

static struct addr addr_after(struct addr a)
{
	for (size_t i = addr_len(&a); i-- > 0;) {
		if (++a.b[i] != 0)
			break;
	}
	return a;
}

/* Whether the selectors for any protocol and port are together all addresses from `at` to `last`.
 */
static bool fill(const struct ts_list *l, struct addr at, const struct addr *last)
{
	for (size_t round = 0; round < l->n; round++) {
		const struct ts *next = NULL;

		for (size_t i = 0; i < l->n; i++) {
			const struct ts *t = &l->v[i];

			if (t->proto == 0 && ts_port_any(t) && ts_has_addr(t, &at) &&
			    (next == NULL || addr_cmp(&t->hi, &next->hi) > 0))
				next = t;
		}
		if (next == NULL)
			return false;
		if (addr_cmp(&next->hi, last) >= 0)
			return true;
		at = addr_after(next->hi);
	}
	return false;
}

static bool fill_network(const struct ts_list *l, sa_family_t family, const xfrm_address_t *a,
			 uint8_t bits)
{
	struct net n = { .addr = { .family = family }, .bits = bits };
	struct addr last;

	memcpy(n.addr.b, a, addr_len(&n.addr));
	last = net_last(&n);
	return fill(l, net_first(&n), &last);
}

void judge_prepare(struct kernel_half *half)
{
	const struct xfrm_selector *sel = &half->arrival;
	const bool tunnel = half->d.mode == SA_TUNNEL;
	const bool anywhere = half->d.dir == SA_IN && half->reqid != half->d.reqid;

	half->arrival = state_arrival(&half->d);
	half->peer_key = (struct peer_key){
		.family = half->d.path.remote.addr.family,
		.reqid = half->reqid,
		.dir = half->d.dir,
		.kind = !tunnel ? PEER_HOST : PEER_RAGGED,
	};
	if (anywhere)
		half->peer_key.family = AF_UNSPEC;
	else
		memcpy(half->peer_key.remote, half->d.path.remote.addr.b,
		       sizeof(half->peer_key.remote));
	if (tunnel && sel->family != AF_UNSPEC &&
	    fill_network(&half->d.remote, sel->family, &sel->saddr, sel->prefixlen_s) &&
	    fill_network(&half->d.local, sel->family, &sel->daddr, sel->prefixlen_d))
		half->peer_key.kind = PEER_WHOLE;
}

/* ---- neighbours ---- */

static bool owns(const struct kernel_half *half, const struct flow_policy *f)
{
	if (flow_list_find(&half->flows, f) != NULL)
		return true;
	for (size_t i = 0; i < half->flows.n; i++) {
		if (flow_covers(&half->flows.v[i], f))
			return true;
	}
	return false;
}

static bool same_flows(const struct kernel_half *a, const struct kernel_half *b)
{
	bool same = a->flows.n == b->flows.n;

	for (size_t i = 0; i < a->flows.n && same; i++)
		same = flow_cmp(&a->flows.v[i], &b->flows.v[i]) == 0;
	return same;
}

/* Whether `a` could send what is b's and not its own. */
static bool could_forge(const struct kernel_half *a, const struct kernel_half *b)
{
	if (a->peer_key.kind == PEER_WHOLE || !flow_addresses_meet(&a->arrival, &b->arrival))
		return false;
	for (size_t i = 0; i < b->flows.n; i++) {
		const struct flow_policy *f = &b->flows.v[i];

		if (f->p.dir == XFRM_POLICY_IN && flow_addresses_meet(&a->arrival, &f->p.sel) &&
		    !owns(a, f))
			return true;
	}
	return false;
}

/* Whether it could send what its child is configured to and it has not agreed to. */
static bool exceeds(const struct kernel *k, const struct kernel_half *half)
{
	size_t n;
	const struct flow_policy *traps = book_traps(k, half->d.reqid, &n);

	for (size_t i = 0; i < n && half->peer_key.kind == PEER_RAGGED; i++) {
		struct flow_policy in = flow_mirror(&traps[i]);

		in.p.dir = XFRM_POLICY_IN;
		if (flow_addresses_meet(&half->arrival, &in.p.sel) && !owns(half, &in))
			return true;
	}
	return false;
}

static bool yields(const struct kernel *k, const struct kernel_half *have,
		   const struct kernel_half *half)
{
	return have->reqid != have->d.reqid && exceeds(k, have) && !exceeds(k, half);
}

static bool could_either_forge(const struct kernel_half *a, const struct kernel_half *b)
{
	return !same_flows(a, b) && (could_forge(a, b) || could_forge(b, a));
}

static enum err judge_tunnel(const struct kernel *k, const struct kernel_half *have,
			     const struct kernel_half *half, char *why)
{
	char text[ENDPOINT_TEXT_MAX];

	if (!could_either_forge(have, half) || yields(k, have, half))
		return OK;
	return why_say(why, ERR_EXISTS,
		       "could not be told from the peer at %s: give each of them one network, or a "
		       "child of its own",
		       endpoint_text(&have->d.path.remote, text));
}

/* Two hosts behind one NAT look like one (RFC 7296 2.23.1): in transport mode what goes to the
 * second would take the first one's way. The same host that comes again has the same port, or its
 * old child was removed first. */
static enum err judge_host(const struct kernel *k, const struct kernel_half *have,
			   const struct kernel_half *half, char *why)
{
	char text[ENDPOINT_TEXT_MAX];

	(void)k;
	if (!half->d.encap || !have->d.encap || have->d.child_id == half->d.child_id ||
	    have->d.path.remote.port == half->d.path.remote.port)
		return OK;
	for (size_t i = 0; i < half->flows.n; i++) {
		if (flow_list_find(&have->flows, &half->flows.v[i]) != NULL)
			return why_say(why, ERR_EXISTS,
				       "another host behind the same NAT, %s, has these "
				       "selectors in transport mode",
				       endpoint_text(&have->d.path.remote, text));
	}
	return OK;
}

typedef enum err judge_fn(const struct kernel *k, const struct kernel_half *have,
			  const struct kernel_half *half, char *why);

static enum err judge_each(const struct kernel *k, const struct kernel_half *half,
			   enum peer_kind kind, char *why)
{
	judge_fn *judge = kind == PEER_HOST ? judge_host : judge_tunnel;
	struct peer_key key = half->peer_key;
	enum err err = OK;
	const struct chain *c;

	key.kind = kind;
	c = chain_find(&k->index.by_peer, span_of(&key, sizeof(key)));
	for (; c != NULL && err == OK; c = c->older) {
		const struct kernel_half *have = container_of(c, struct kernel_half, by_peer);

		err = have == half ? OK : judge(k, have, half, why);
	}
	return err;
}

/* Those whose state takes exactly what they have cannot harm each other, however many they are. */
static enum err judge_neighbours(const struct kernel *k, const struct kernel_half *half, char *why)
{
	enum err err;

	if (half->d.mode == SA_TRANSPORT)
		return judge_each(k, half, PEER_HOST, why);
	if (half->d.dir == SA_OUT)
		return OK;
	err = judge_each(k, half, PEER_RAGGED, why);
	if (err == OK && half->peer_key.kind == PEER_RAGGED)
		err = judge_each(k, half, PEER_WHOLE, why);
	return err;
}

struct kernel_half *book_yields(const struct kernel *k, const struct kernel_half *half)
{
	struct peer_key key = half->peer_key;
	struct chain *c;

	if (half->d.dir == SA_OUT || half->d.mode == SA_TRANSPORT)
		return NULL;
	key.kind = PEER_RAGGED;
	c = chain_find(&k->index.by_peer, span_of(&key, sizeof(key)));
	for (; c != NULL; c = c->older) {
		struct kernel_half *have = container_of(c, struct kernel_half, by_peer);

		if (!have->driven_out && could_either_forge(have, half) && yields(k, have, half))
			return have;
	}
	return NULL;
}

/* Not in transport mode: a host that came again has two halves, which follow it one by one, and
 * would stand in its own way. */
enum err book_judge_move(struct kernel *k, struct kernel_half *half, const struct sa_desc *to,
			 char *why)
{
	const struct path old = half->d.path;
	const bool encap = half->d.encap;
	enum err err;

	if (half->d.mode == SA_TRANSPORT || addr_eq(&old.remote.addr, &to->path.remote.addr))
		return OK;
	book_place(k, half, &to->path, to->encap);
	err = judge_neighbours(k, half, why);
	book_place(k, half, &old, encap);
	return err;
}

/* ---- room ---- */

static enum err judge_room(const struct kernel *k, const struct kernel_half *half, char *why)
{
	bool twice = half->d.dir == SA_IN && half->d.mode == SA_TUNNEL; /* in and forward */
	size_t traps;

	(void)book_traps(k, half->d.reqid, &traps);
	if (half->flows.n / (twice ? 2 : 1) > (traps > RAGGED_MAX ? traps : RAGGED_MAX))
		return why_say(why, ERR_LIMIT,
			       "the selectors are ranges that make %zu policies of the kernel: "
			       "networks make fewer",
			       half->flows.n);
	if (index_share_with(k, half) > SHARE_MAX)
		return why_say(why, ERR_LIMIT,
			       "the peers of this child have %d policies of the kernel already, "
			       "its share: single networks make fewer",
			       (int)SHARE_MAX);
	return OK;
}

/* Of one configured child the newest wins: a peer that comes again (from elsewhere, or with new
 * keys) takes over from itself; the engine removes the old one when it knows. Of two different ones
 * the second would silently draw away what belongs to the first. */
static enum err judge_others(const struct kernel *k, const struct kernel_half *half, char *why)
{
	char text[POLICY_TEXT_MAX];

	for (size_t i = 0; i < half->flows.n; i++) {
		const struct flow_policy *have = book_policy_find(k, &half->flows.v[i]);

		if (have != NULL && have->reqid != half->reqid)
			return why_say(why, ERR_EXISTS,
				       "%s belongs to another child that is up (reqid %u)",
				       policy_text(&have->p, text), have->reqid);
	}
	return OK;
}

enum err book_judge(const struct kernel *k, const struct kernel_half *half, char *why)
{
	enum err err = judge_room(k, half, why);

	if (err == OK && book_find(k, &half->d) != NULL)
		err = why_say(why, ERR_EXISTS, "the SPI %08x is in use", half->d.spi);
	if (err == OK)
		err = judge_others(k, half, why);
	if (err == OK)
		err = judge_neighbours(k, half, why);
	return err;
}
