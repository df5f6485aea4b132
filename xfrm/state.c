/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about XFRM states, from descriptions: see xfrm/state.h. What the kernel takes and
 * refuses is partly folklore; where a line looks odd, its comment says what happens without it.
 */
#include "xfrm/state.h"

#include <arpa/inet.h>
#include <linux/udp.h>
#include <netlink/msg.h>
#include <string.h>

#include "xfrm/attr.h"
#include "xfrm/host.h"
#include "xfrm/names.h"
#include "xfrm/policy.h"

enum {
	SPI_RESERVED = 256, /* RFC 4303 2.1 */
	BITS = 8,
	WORD_BITS = 32,
	/* All NEWSA algorithms: name and two numbers, then the key. */
	ALG_MAX = sizeof(struct xfrm_algo_aead) + KEY_MAX,
	REPLAY_MAX = sizeof(struct xfrm_replay_state_esn) + STATE_WINDOW_MAX / BITS,
};

static const struct endpoint *state_from(const struct sa_desc *d)
{
	return d->dir == SA_OUT ? &d->path.local : &d->path.remote;
}

static const struct endpoint *state_to(const struct sa_desc *d)
{
	return d->dir == SA_OUT ? &d->path.remote : &d->path.local;
}

struct state_id state_id_of(const struct sa_desc *d)
{
	return (struct state_id){ .dst = state_to(d)->addr, .spi = d->spi };
}

static bool path_fits(const struct path *p)
{
	return addr_len(&p->local.addr) > 0 && p->local.addr.family == p->remote.addr.family;
}

enum err state_check(const struct sa_desc *d)
{
	const struct name_encr *e = names_encr(d->encr_id, d->encr_key_bits);
	const struct name_integ *i = names_integ(d->integ_id);

	if (e == NULL || (e->icv_bits == 0 && i == NULL))
		return ERR_UNSUPPORTED;
	if (d->encr_key.len > KEY_MAX || d->encr_key.len * BITS != e->keymat_bits)
		return ERR_CONFIG;
	if (e->icv_bits != 0 ? d->integ_id != 0 || d->integ_key.len != 0
			     : d->integ_key.len * BITS != i->key_bits)
		return ERR_CONFIG;
	return d->spi >= SPI_RESERVED && path_fits(&d->path) ? OK : ERR_CONFIG;
}

/* Name and sizes, then the key: struct xfrm_algo and its sisters end in a flexible array. */
static void ask_alg(struct ask *a, int type, struct span head, const struct key *key)
{
	uint8_t buf[ALG_MAX];
	struct wr w = wr_into(buf, sizeof(buf));
	struct span s;

	wr_span(&w, head);
	wr_span(&w, key_span(key));
	s = wr_done(&w);
	ask_bytes(a, type, s.p, s.len);
	secret_wipe(buf, sizeof(buf));
}

static void ask_aead(struct ask *a, const struct sa_desc *d, const struct name_encr *e)
{
	struct xfrm_algo_aead alg = { .alg_key_len = e->keymat_bits, .alg_icv_len = e->icv_bits };

	memcpy(alg.alg_name, e->kernel, strlen(e->kernel));
	ask_alg(a, XFRMA_ALG_AEAD, span_of(&alg, sizeof(alg)), &d->encr_key);
}

/* The truncation is always said: the kernel's own default for SHA2-256 is 96 bits, by an old draft.
 */
static void ask_encr_integ(struct ask *a, const struct sa_desc *d, const struct name_encr *e,
			   const struct name_integ *i)
{
	struct xfrm_algo crypt = { .alg_key_len = e->keymat_bits };
	struct xfrm_algo_auth auth = { .alg_key_len = i->key_bits, .alg_trunc_len = i->icv_bits };

	memcpy(crypt.alg_name, e->kernel, strlen(e->kernel));
	memcpy(auth.alg_name, i->kernel, strlen(i->kernel));
	ask_alg(a, XFRMA_ALG_AUTH_TRUNC, span_of(&auth, sizeof(auth)), &d->integ_key);
	ask_alg(a, XFRMA_ALG_CRYPT, span_of(&crypt, sizeof(crypt)), &d->encr_key);
}

static void ask_algorithms(struct ask *a, const struct sa_desc *d)
{
	const struct name_encr *e = names_encr(d->encr_id, d->encr_key_bits);

	if (e->icv_bits != 0)
		ask_aead(a, d, e);
	else
		ask_encr_integ(a, d, e, names_integ(d->integ_id));
}

static uint32_t state_window(const struct sa_desc *d)
{
	uint32_t w = d->replay_window < STATE_WINDOW_MIN ? STATE_WINDOW_MIN : d->replay_window;

	return w > STATE_WINDOW_MAX ? STATE_WINDOW_MAX : w;
}

/* Also without ESN: the other way to say a window ends at 32 packets, in silence. Outbound there is
 * nothing to replay: a kernel with directions refuses any window or bitmap there, and one without
 * refuses ESN without a window. */
static void ask_replay(struct ask *a, const struct sa_desc *d, const struct state_extra *x)
{
	bool none = d->dir == SA_OUT && x->sa_dir;
	uint32_t window = none ? 0 : d->dir == SA_OUT ? STATE_WINDOW_MIN : state_window(d);
	struct xfrm_replay_state_esn r = {
		.bmp_len = (window + WORD_BITS - 1) / WORD_BITS,
		.oseq = (uint32_t)x->sent,
		.oseq_hi = (uint32_t)(x->sent >> WORD_BITS),
		.seq = (uint32_t)x->received,
		.seq_hi = (uint32_t)(x->received >> WORD_BITS),
		.replay_window = window,
	};
	uint8_t buf[REPLAY_MAX];
	struct wr w = wr_into(buf, sizeof(buf));

	wr_span(&w, span_of(&r, sizeof(r)));
	wr_zero(&w, r.bmp_len * sizeof(r.bmp[0]));
	/* A state that goes on: which of the older numbers came is not known any more, and one that
	 * did must not be taken again (RFC 4303 3.4.3). */
	if (x->received != 0)
		memset(buf + sizeof(r), UINT8_MAX, r.bmp_len * sizeof(r.bmp[0]));
	ask_bytes(a, XFRMA_REPLAY_ESN_VAL, buf, wr_done(&w).len);
}

/* The address that the sender has, before any NAT (RFC 3947 5.2, NAT-OA). The kernel only keeps it:
 * in transport mode it leaves checksums of encapsulated packets unchecked, which RFC 3948 3.1.2
 * allows because ESP has vouched for them. */
static void ask_encap(struct ask *a, const struct sa_desc *d)
{
	const struct addr *own = d->dir == SA_OUT ? &d->nat_local : &d->nat_remote;
	struct xfrm_encap_tmpl encap;

	memset(&encap, 0, sizeof(encap));
	encap.encap_type = UDP_ENCAP_ESPINUDP;
	encap.encap_sport = htons(state_from(d)->port);
	encap.encap_dport = htons(state_to(d)->port);
	if (d->mode == SA_TRANSPORT && own->family == d->path.local.addr.family)
		encap.encap_oa = attr_xfrm_addr(own);
	ask_bytes(a, XFRMA_ENCAP, &encap, sizeof(encap));
	if (d->dir == SA_IN)
		ask_u32(a, XFRMA_MTIMER_THRESH, STATE_MAPPING_S);
}

/* The drops that it counted as well the kernel takes from nobody. */
static void ask_counted(struct ask *a, const struct state_extra *x)
{
	const struct xfrm_lifetime_cur cur = { .bytes = x->bytes,
					       .packets = x->packets,
					       .add_time = x->added_s,
					       .use_time = x->used_s };

	if (x->counted)
		ask_bytes(a, XFRMA_LTIME_VAL, &cur, sizeof(cur));
}

static void ask_offload(struct ask *a, const struct sa_desc *d, const struct state_extra *x)
{
	struct xfrm_user_offload off;

	if (x->ifindex == 0 || d->offload == OFFLOAD_NO)
		return;
	memset(&off, 0, sizeof(off));
	off.ifindex = (int)x->ifindex;
	off.flags = (uint8_t)((d->dir == SA_IN ? XFRM_OFFLOAD_INBOUND : 0) |
			      (d->offload == OFFLOAD_PACKET ? STATE_OFFLOAD_PACKET : 0));
	ask_bytes(a, XFRMA_OFFLOAD_DEV, &off, sizeof(off));
}

static void ask_extras(struct ask *a, const struct sa_desc *d, const struct state_extra *x)
{
	if (d->encap)
		ask_encap(a, d);
	/* So that rules and interfaces of ours let the outer packet past; and the other way round:
	 * an inner packet keeps the mark of the outer one, with which it would not be led into the
	 * next tunnel. */
	ask_u32(a, XFRMA_SET_MARK, d->dir == SA_OUT ? HOST_MARK_OUTER : 0);
	ask_u32(a, XFRMA_SET_MARK_MASK, HOST_MARK_MASK);
	if (x->if_id != 0)
		ask_u32(a, XFRMA_IF_ID, x->if_id);
	if (d->dir == SA_OUT && d->mode == SA_TUNNEL && d->headers.dscp_hide)
		ask_u32(a, XFRMA_SA_EXTRA_FLAGS, XFRM_SA_XFLAG_DONT_ENCAP_DSCP);
	if (x->sa_dir)
		ask_u8(a, ATTR_SA_DIR, d->dir == SA_OUT ? ATTR_DIR_OUT : ATTR_DIR_IN);
	if (x->per_cpu)
		ask_u32(a, ATTR_SA_PCPU, x->cpu);
	ask_offload(a, d, x);
}

static uint64_t limit(uint64_t v)
{
	return v == 0 ? XFRM_INF : v;
}

/* The kernel would tell it again, with the first packet or with the update itself. */
static uint64_t soft_limit(uint64_t v, uint64_t counted)
{
	return counted >= v ? XFRM_INF : v;
}

static void state_limits(struct xfrm_lifetime_cfg *l, const struct sa_desc *d,
			 const struct state_extra *x)
{
	l->soft_byte_limit = soft_limit(d->byte_soft, x->bytes);
	l->hard_byte_limit = limit(d->byte_limit);
	l->soft_packet_limit = soft_limit(d->packet_soft, x->packets);
	l->hard_packet_limit = limit(d->packet_limit);
	l->hard_add_expires_seconds = x->hard_s;
}

/* What both sides say alike; 0 else: the policies are exact, this is a second look. */
static uint8_t selector_proto(const struct sa_desc *d)
{
	if (d->local.n != 1 || d->remote.n != 1 || d->local.v[0].proto != d->remote.v[0].proto)
		return 0;
	return d->local.v[0].proto;
}

/* Transport mode: the inner addresses are the outer ones, as they are here (behind a NAT those that
 * RFC 7296 2.23.1 puts into the selectors). */
static struct xfrm_selector state_selector(const struct sa_desc *d)
{
	uint8_t bits = (uint8_t)(addr_len(&d->path.local.addr) * BITS);
	struct net src = { .addr = state_from(d)->addr, .bits = bits };
	struct net dst = { .addr = state_to(d)->addr, .bits = bits };
	uint8_t proto = selector_proto(d);
	struct xfrm_selector sel = policy_selector(&src, &dst, proto);
	const struct ts *from;
	const struct ts *to;

	if (!ts_proto_has_ports(proto))
		return sel;
	from = d->dir == SA_OUT ? d->local.v : d->remote.v;
	to = d->dir == SA_OUT ? d->remote.v : d->local.v;
	if (from->port_lo == from->port_hi)
		policy_source_port(&sel, from->port_lo);
	if (to->port_lo == to->port_hi)
		policy_target_port(&sel, to->port_lo);
	return sel;
}

/* The smallest network that all of them lie in; false when they are of two families, or none. */
static bool cover(const struct ts_list *l, struct net *n)
{
	struct addr lo;
	struct addr hi;

	if (l->n == 0)
		return false;
	lo = l->v[0].lo;
	hi = l->v[0].hi;
	for (size_t i = 1; i < l->n; i++) {
		if (l->v[i].lo.family != lo.family)
			return false;
		lo = addr_cmp(&l->v[i].lo, &lo) < 0 ? l->v[i].lo : lo;
		hi = addr_cmp(&l->v[i].hi, &hi) > 0 ? l->v[i].hi : hi;
	}
	*n = (struct net){ .addr = lo, .bits = (uint8_t)(addr_len(&lo) * BITS) };
	while (!net_contains(n, &hi)) {
		n->bits--;
		n->addr.b[n->bits / BITS] &= (uint8_t) ~(1u << (BITS - 1 - n->bits % BITS));
	}
	return true;
}

/* What comes out of a tunnel is judged by policies, which know whose it is by the addresses of the
 * tunnel. Several peers of one child behind one NAT have the same, so each state takes only what
 * its own selectors cover (RFC 4301 5.2, step 4). One selector cannot be of two families: then
 * there is none. */
struct xfrm_selector state_arrival(const struct sa_desc *d)
{
	const struct xfrm_selector any = { .family = AF_UNSPEC };
	struct net local;
	struct net remote;

	if (d->dir != SA_IN || !cover(&d->local, &local) || !cover(&d->remote, &remote) ||
	    local.addr.family != remote.addr.family)
		return any;
	return policy_selector(&remote, &local, 0);
}

/* What the kernel can do of it; kernels with directions refuse what is of the other one. */
static uint8_t header_flags(const struct sa_desc *d)
{
	const struct sa_headers *h = &d->headers;
	bool in = d->dir == SA_IN;

	if (d->mode != SA_TUNNEL)
		return 0;
	return (uint8_t)((h->ecn_off ? XFRM_STATE_NOECN : 0) |
			 (in && h->dscp_adopt ? XFRM_STATE_DECAP_DSCP : 0) |
			 (in && h->icmp_errors ? XFRM_STATE_ICMP : 0));
}

static void state_fixed(struct xfrm_usersa_info *u, const struct sa_desc *d,
			const struct state_extra *x)
{
	memset(u, 0, sizeof(*u)); /* padding too: the kernel shall not see our stack */
	u->id.daddr = attr_xfrm_addr(&state_to(d)->addr);
	u->id.spi = htonl(d->spi);
	u->id.proto = IPPROTO_ESP;
	u->saddr = attr_xfrm_addr(&state_from(d)->addr);
	u->family = d->path.local.addr.family;
	u->reqid = sa_desc_reqid(d);
	u->seq = d->dir == SA_OUT ? d->acquire : 0;
	u->flags = (uint8_t)((d->esn ? XFRM_STATE_ESN : 0) | header_flags(d));
	state_limits(&u->lft, d, x);
	if (d->mode == SA_TRANSPORT) {
		u->mode = XFRM_MODE_TRANSPORT;
		u->sel = state_selector(d);
	} else {
		/* Both inner families: with a selector of one family, or with none and without the
		 * flag, the other one finds no state. */
		u->mode = XFRM_MODE_TUNNEL;
		u->flags |= XFRM_STATE_AF_UNSPEC;
		u->sel = state_arrival(d);
	}
}

static struct ask ask_state(uint16_t type, uint16_t flags, const struct sa_desc *d,
			    const struct state_extra *x)
{
	struct xfrm_usersa_info u;
	struct ask a = ask_new(type, flags);

	if (state_check(d) != OK) {
		a.bad = true;
		return a;
	}
	state_fixed(&u, d, x);
	ask_header(&a, &u, sizeof(u));
	ask_algorithms(&a, d);
	ask_replay(&a, d, x);
	ask_counted(&a, x);
	ask_extras(&a, d, x);
	return a;
}

struct ask state_ask_add(const struct sa_desc *d, const struct state_extra *x)
{
	return ask_state(XFRM_MSG_NEWSA, NLM_F_CREATE | NLM_F_EXCL, d, x);
}

struct ask state_ask_update(const struct sa_desc *d, const struct state_extra *x)
{
	return ask_state(XFRM_MSG_UPDSA, NLM_F_REPLACE, d, x);
}

static struct ask ask_state_id(uint16_t type, const struct state_id *id)
{
	struct xfrm_usersa_id u;
	struct ask a = ask_new(type, 0);

	memset(&u, 0, sizeof(u));
	u.daddr = attr_xfrm_addr(&id->dst);
	u.spi = htonl(id->spi);
	u.family = id->dst.family;
	u.proto = IPPROTO_ESP;
	ask_header(&a, &u, sizeof(u));
	return a;
}

struct ask state_ask_delete(const struct state_id *id)
{
	return ask_state_id(XFRM_MSG_DELSA, id);
}

struct ask state_ask_get(const struct state_id *id)
{
	return ask_state_id(XFRM_MSG_GETSA, id);
}

/* Without the header that asking for one state has: in a dump the kernel looks for attributes where
 * that would begin, and takes a header of zeros for their end. */
struct ask state_ask_dump(void)
{
	struct ask a = ask_new(XFRM_MSG_GETSA, NLM_F_DUMP);

	ask_u8(&a, XFRMA_PROTO, IPPROTO_ESP);
	return a;
}

struct ask state_ask_allocspi(const struct state_larval *l)
{
	struct xfrm_userspi_info u;
	struct ask a = ask_new(XFRM_MSG_ALLOCSPI, 0);

	memset(&u, 0, sizeof(u));
	u.info.id.daddr = attr_xfrm_addr(&l->dst);
	u.info.id.proto = IPPROTO_ESP;
	u.info.saddr = attr_xfrm_addr(&l->src);
	u.info.family = l->dst.family;
	u.info.mode = l->mode == SA_TRANSPORT ? XFRM_MODE_TRANSPORT : XFRM_MODE_TUNNEL;
	u.info.reqid = l->reqid;
	u.info.seq = l->seq;
	u.min = SPI_RESERVED;
	u.max = SPI_USER_BIT - 1;
	ask_header(&a, &u, sizeof(u));
	if (l->if_id != 0)
		ask_u32(&a, XFRMA_IF_ID, l->if_id);
	return a;
}
