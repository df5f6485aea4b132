/* SPDX-License-Identifier: Apache-2.0 */
/* States as the kernel shows them (second half of xfrm/state.h). Messages of the kernel's are
 * believed only as far as they are long: every fixed part and attribute is copied out of bytes that
 * have been checked to be there.
 */
#include <arpa/inet.h>
#include <netlink/msg.h>
#include <string.h>

#include "xfrm/attr.h"
#include "xfrm/flow.h"
#include "xfrm/host.h"
#include "xfrm/state.h"

static const struct nla_policy shape[ATTR_MAX + 1] = {
	[XFRMA_SA] = { .minlen = sizeof(struct xfrm_usersa_info) },
	[XFRMA_ENCAP] = { .minlen = sizeof(struct xfrm_encap_tmpl) },
	[XFRMA_REPLAY_VAL] = { .minlen = sizeof(struct xfrm_replay_state) },
	[XFRMA_REPLAY_ESN_VAL] = { .minlen = sizeof(struct xfrm_replay_state_esn) },
	[XFRMA_OFFLOAD_DEV] = { .minlen = sizeof(struct xfrm_user_offload) },
	[XFRMA_SET_MARK] = { .minlen = sizeof(uint32_t) },
	[XFRMA_SET_MARK_MASK] = { .minlen = sizeof(uint32_t) },
	[XFRMA_IF_ID] = { .minlen = sizeof(uint32_t) },
	[ATTR_SA_DIR] = { .minlen = sizeof(uint8_t) },
	[ATTR_SA_PCPU] = { .minlen = sizeof(uint32_t) },
};

static bool is_marked(const struct state_info *s)
{
	return s->set_mark_mask == HOST_MARK_MASK &&
	       (s->set_mark == HOST_MARK_OUTER || s->set_mark == 0);
}

/* The kernel made it for a trap; it has an SPI while it is being freed (state_ask_allocspi). */
static bool is_of_trap(const struct state_info *s)
{
	const struct addr src = flow_trap_src();
	const struct addr dst = flow_trap_dst();

	return addr_eq(&s->src, &src) && addr_eq(&s->dst, &dst);
}

bool state_is_ours(const struct state_info *s)
{
	return s->proto == IPPROTO_ESP && (s->reqid & SA_REQID_MASK) == SA_REQID_BASE &&
	       (is_marked(s) || is_of_trap(s));
}

void state_read_fixed(const struct xfrm_usersa_info *u, struct state_info *s)
{
	*s = (struct state_info){
		.src = attr_addr(&u->saddr, u->family),
		.dst = attr_addr(&u->id.daddr, u->family),
		.spi = ntohl(u->id.spi),
		.proto = u->id.proto,
		.mode = u->mode,
		.flags = u->flags,
		.larval = u->id.spi == 0,
		.reqid = u->reqid,
		.seq = u->seq,
		.window = u->replay_window,
		.bytes = u->curlft.bytes,
		.packets = u->curlft.packets,
		.added_s = u->curlft.add_time,
		.used_s = u->curlft.use_time,
		.drop_window = u->stats.replay_window,
		.drop_replay = u->stats.replay,
		.drop_integrity = u->stats.integrity_failed,
		.offload = OFFLOAD_NO,
	};
}

/* Sequence numbers stand in one of two attributes, the one that they were set with. */
static void read_replay(struct nlattr *const *tb, struct state_info *s)
{
	struct xfrm_replay_state r;
	struct xfrm_replay_state_esn e;

	if (tb[XFRMA_REPLAY_ESN_VAL] != NULL) {
		attr_copy(tb[XFRMA_REPLAY_ESN_VAL], &e, sizeof(e));
		s->sent = (uint64_t)e.oseq_hi << 32 | e.oseq;
		s->received = (uint64_t)e.seq_hi << 32 | e.seq;
		s->window = e.replay_window;
	} else if (tb[XFRMA_REPLAY_VAL] != NULL) {
		attr_copy(tb[XFRMA_REPLAY_VAL], &r, sizeof(r));
		s->sent = r.oseq;
		s->received = r.seq;
	}
}

static void read_encap(const struct nlattr *a, struct state_info *s)
{
	struct xfrm_encap_tmpl encap;

	if (a == NULL)
		return;
	attr_copy(a, &encap, sizeof(encap));
	s->encap = true;
	s->encap_sport = ntohs(encap.encap_sport);
	s->encap_dport = ntohs(encap.encap_dport);
}

static void read_offload(const struct nlattr *a, struct state_info *s)
{
	struct xfrm_user_offload off;

	if (a == NULL)
		return;
	attr_copy(a, &off, sizeof(off));
	s->ifindex = (uint32_t)off.ifindex;
	s->offload = off.flags & STATE_OFFLOAD_PACKET ? OFFLOAD_PACKET : OFFLOAD_CRYPTO;
}

/* A state that is gone is told as its identity with the state as an attribute. */
static bool read_fixed(const struct nlmsghdr *m, struct nlattr **tb, struct xfrm_usersa_info *u)
{
	switch (m->nlmsg_type) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
		if (!attr_parse(m, sizeof(*u), tb, shape))
			return false;
		memcpy(u, nlmsg_data(m), sizeof(*u));
		return true;
	case XFRM_MSG_DELSA:
		if (!attr_parse(m, sizeof(struct xfrm_usersa_id), tb, shape) ||
		    tb[XFRMA_SA] == NULL)
			return false;
		attr_copy(tb[XFRMA_SA], u, sizeof(*u));
		return true;
	default:
		return false;
	}
}

enum err state_read(const struct nlmsghdr *m, struct state_info *s)
{
	struct nlattr *tb[ATTR_MAX + 1];
	struct xfrm_usersa_info u;

	*s = (struct state_info){ .spi = 0 };
	if (!read_fixed(m, tb, &u))
		return ERR_SYNTAX;
	state_read_fixed(&u, s);
	if (s->dst.family == AF_UNSPEC)
		return ERR_SYNTAX;
	read_replay(tb, s);
	read_encap(tb[XFRMA_ENCAP], s);
	read_offload(tb[XFRMA_OFFLOAD_DEV], s);
	s->keyless = tb[XFRMA_ALG_AEAD] == NULL && tb[XFRMA_ALG_CRYPT] == NULL;
	attr_copy(tb[XFRMA_SET_MARK], &s->set_mark, sizeof(s->set_mark));
	attr_copy(tb[XFRMA_SET_MARK_MASK], &s->set_mark_mask, sizeof(s->set_mark_mask));
	attr_copy(tb[XFRMA_IF_ID], &s->if_id, sizeof(s->if_id));
	attr_copy(tb[ATTR_SA_DIR], &s->dir, sizeof(s->dir));
	s->has_cpu = tb[ATTR_SA_PCPU] != NULL;
	attr_copy(tb[ATTR_SA_PCPU], &s->cpu, sizeof(s->cpu));
	return OK;
}
