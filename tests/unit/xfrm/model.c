/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/xfrm/model.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

enum { ALIEN_PORT = 4242, FIRST_SPI = 0x7000 };

struct model *model_new(void)
{
	struct model *m = calloc(1, sizeof(*m));

	if (m != NULL) {
		m->next_index = 8;
		m->next_spi = FIRST_SPI;
		m->port = NETLINK_MODEL_PORT;
	}
	return m;
}

void model_free(struct model *m)
{
	free(m);
}

void model_arm(struct model *m, enum model_fault fault, int error, int at)
{
	m->fault = fault;
	m->error = error;
	m->at = at;
	m->lasting = 0;
	m->asked = 0;
}

/* ---- answers ---- */

static struct model_reply *reply_new(struct model *m)
{
	if (m->n_replies == MODEL_REPLIES)
		return &m->replies[MODEL_REPLIES - 1];
	return &m->replies[m->n_replies++];
}

static struct nlmsghdr *reply(struct model *m, const struct nlmsghdr *req, uint16_t type,
			      const void *body, size_t len)
{
	struct model_reply *r = reply_new(m);
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)r->p;

	memset(r, 0, sizeof(*r));
	h->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len);
	h->nlmsg_type = type;
	h->nlmsg_seq = req->nlmsg_seq;
	h->nlmsg_pid = m->port;
	memcpy(nlmsg_data(h), body, len);
	r->len = NLMSG_ALIGN(h->nlmsg_len);
	return h;
}

static void reply_error(struct model *m, const struct nlmsghdr *req, int error)
{
	struct nlmsgerr e = { .error = -error, .msg = *req };

	reply(m, req, NLMSG_ERROR, &e, sizeof(e));
}

static void reply_done(struct model *m, const struct nlmsghdr *req, bool interrupted)
{
	int zero = 0;
	struct nlmsghdr *h = reply(m, req, NLMSG_DONE, &zero, sizeof(zero));

	h->nlmsg_flags = (uint16_t)(NLM_F_MULTI | (interrupted ? NLM_F_DUMP_INTR : 0));
}

/* ---- states ---- */

static struct model_state *state_find(struct model *m, const xfrm_address_t *dst, uint32_t spi)
{
	for (size_t i = 0; i < m->n_states; i++) {
		struct model_state *s = &m->states[i];

		if (s->u.id.spi == spi && memcmp(&s->u.id.daddr, dst, sizeof(*dst)) == 0)
			return s;
	}
	return NULL;
}

static void state_take(struct model *m, struct model_state *s)
{
	*s = m->states[--m->n_states];
}

/* It is gone, and a packet that had its policy already has looked for it: what the kernel made then
 * stands in its place. */
static void state_lose_keys(struct model *m, struct model_state *s)
{
	m->late_packet = false;
	s->acquire = true;
	memset(&s->u.curlft, 0, sizeof(s->u.curlft));
	memcpy(s->body, &s->u, sizeof(s->u));
	s->len = sizeof(s->u);
}

static struct model_state *larval_find(struct model *m, const struct xfrm_usersa_info *u, bool ends)
{
	for (size_t i = 0; i < m->n_states; i++) {
		struct model_state *s = &m->states[i];

		if (!s->acquire || s->u.reqid != u->reqid || s->u.mode != u->mode ||
		    memcmp(&s->u.id.daddr, &u->id.daddr, sizeof(u->id.daddr)) != 0)
			continue;
		if (ends && memcmp(&s->u.saddr, &u->saddr, sizeof(u->saddr)) != 0)
			continue;
		return s;
	}
	return NULL;
}

static int state_put(struct model *m, const struct nlmsghdr *req, bool update)
{
	struct model_state s = { .acquire = false };
	struct model_state *have;
	struct model_state *larval;
	struct nlattr *lt;

	s.len = (size_t)nlmsg_datalen(req);
	if (s.len < sizeof(s.u) || s.len > MODEL_BODY || m->n_states == MODEL_ENTRIES)
		return EINVAL;
	memcpy(s.body, nlmsg_data(req), s.len);
	memcpy(&s.u, s.body, sizeof(s.u));
	have = state_find(m, &s.u.id.daddr, s.u.id.spi);
	if (update && have == NULL)
		return ESRCH;
	if (!update && have != NULL)
		return EEXIST;
	lt = nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)req, sizeof(s.u), XFRMA_LTIME_VAL);
	if (update)
		s.u.curlft = have->u.curlft;
	else if (lt != NULL)
		memcpy(&s.u.curlft, nla_data(lt), sizeof(s.u.curlft));
	memcpy(s.body, &s.u, sizeof(s.u));
	if (update) {
		*have = s;
		return 0;
	}
	larval = larval_find(m, &s.u, true);
	if (larval != NULL)
		state_take(m, larval);
	m->states[m->n_states++] = s;
	return 0;
}

static int state_delete(struct model *m, const struct nlmsghdr *req)
{
	struct xfrm_usersa_id id;
	struct model_state *s;

	memcpy(&id, nlmsg_data(req), sizeof(id));
	s = id.spi == 0 ? NULL : state_find(m, &id.daddr, id.spi);
	if (s == NULL)
		return ESRCH;
	if (m->late_packet)
		state_lose_keys(m, s);
	else
		state_take(m, s);
	return 0;
}

static int state_get(struct model *m, const struct nlmsghdr *req)
{
	struct xfrm_usersa_id id;
	const struct model_state *s;

	memcpy(&id, nlmsg_data(req), sizeof(id));
	s = state_find(m, &id.daddr, id.spi);
	if (s == NULL)
		return ESRCH;
	reply(m, req, XFRM_MSG_NEWSA, s->body, s->len);
	return 0;
}

static int state_alloc(struct model *m, const struct nlmsghdr *req)
{
	struct xfrm_userspi_info u;
	struct model_state *s;

	memcpy(&u, nlmsg_data(req), sizeof(u));
	s = larval_find(m, &u.info, true);
	if (s == NULL) {
		s = &m->states[m->n_states++];
		*s = (struct model_state){ .u = u.info, .acquire = true };
	}
	if (s->u.id.spi == 0)
		s->u.id.spi = htonl(m->next_spi++);
	memcpy(s->body, &s->u, sizeof(s->u));
	s->len = sizeof(s->u);
	reply(m, req, XFRM_MSG_NEWSA, s->body, s->len);
	return 0;
}

uint32_t model_acquire(struct model *m, size_t i, uint32_t seq)
{
	const struct xfrm_user_tmpl *t = &m->policies[i].tmpl;
	struct model_state s = { .acquire = true };

	s.u.id = t->id;
	s.u.saddr = t->saddr;
	s.u.family = t->family;
	s.u.mode = t->mode;
	s.u.reqid = t->reqid;
	s.u.seq = seq;
	memcpy(s.body, &s.u, sizeof(s.u));
	s.len = sizeof(s.u);
	m->states[m->n_states++] = s;
	return seq;
}

/* ---- policies ---- */

static bool policy_same(const struct model_policy *p, const struct xfrm_selector *sel, uint8_t dir,
			uint32_t if_id)
{
	return p->u.dir == dir && p->if_id == if_id && memcmp(&p->u.sel, sel, sizeof(*sel)) == 0;
}

static struct model_policy *policy_find(struct model *m, const struct xfrm_userpolicy_id *id,
					uint32_t if_id)
{
	for (size_t i = 0; i < m->n_policies; i++) {
		struct model_policy *p = &m->policies[i];

		if (id->index != 0
			    ? p->u.index == id->index && p->u.dir == id->dir && p->if_id == if_id
			    : policy_same(p, &id->sel, id->dir, if_id))
			return p;
	}
	return NULL;
}

static uint32_t if_id_of(const struct nlmsghdr *req, size_t fixed)
{
	struct nlattr *a =
		nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)req, (int)fixed, XFRMA_IF_ID);

	return a == NULL ? 0 : nla_get_u32(a);
}

static bool index_taken(const struct model *m, uint32_t index)
{
	for (size_t i = 0; i < m->n_policies; i++) {
		if (m->policies[i].u.index == index)
			return true;
	}
	return false;
}

static uint32_t index_for(struct model *m, const struct model_policy *p, bool other)
{
	if (!other && p->u.index != 0 && !index_taken(m, p->u.index))
		return p->u.index;
	m->next_index += 8;
	return m->next_index | p->u.dir;
}

static int policy_put(struct model *m, const struct nlmsghdr *req, bool update, bool other)
{
	struct nlattr *tmpl = nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)req,
					      sizeof(struct xfrm_userpolicy_info), XFRMA_TMPL);
	struct model_policy p = { .has_tmpl = tmpl != NULL };
	struct xfrm_userpolicy_id id = { .index = 0 };
	struct model_policy *have;

	p.len = (size_t)nlmsg_datalen(req);
	if (p.len < sizeof(p.u) || p.len > MODEL_BODY || m->n_policies == MODEL_ENTRIES)
		return EINVAL;
	memcpy(p.body, nlmsg_data(req), p.len);
	memcpy(&p.u, p.body, sizeof(p.u));
	p.if_id = if_id_of(req, sizeof(p.u));
	if (tmpl != NULL)
		memcpy(&p.tmpl, nla_data(tmpl), sizeof(p.tmpl));
	if (p.u.index != 0 && (p.u.index & 7) != p.u.dir)
		return EINVAL;
	id.sel = p.u.sel;
	id.dir = p.u.dir;
	have = policy_find(m, &id, p.if_id);
	if (have != NULL && !update)
		return EEXIST;
	p.u.index = have != NULL ? have->u.index : index_for(m, &p, other);
	memcpy(p.body, &p.u, sizeof(p.u));
	p.woken = have != NULL ? have->woken + 1 : 0;
	if (have != NULL)
		*have = p;
	else
		m->policies[m->n_policies++] = p;
	return 0;
}

static int policy_one(struct model *m, const struct nlmsghdr *req, bool delete)
{
	struct xfrm_userpolicy_id id;
	struct model_policy *p;

	memcpy(&id, nlmsg_data(req), sizeof(id));
	p = policy_find(m, &id, if_id_of(req, sizeof(id)));
	if (p == NULL)
		return ENOENT;
	if (delete)
		*p = m->policies[--m->n_policies];
	else
		reply(m, req, XFRM_MSG_NEWPOLICY, p->body, p->len);
	return 0;
}

/* ---- requests ---- */

static void dump(struct model *m, const struct nlmsghdr *req, bool interrupted)
{
	/* In a dump no header stands before the attributes. */
	struct nlattr *a = nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)req, 0, XFRMA_PROTO);
	const size_t lost = interrupted ? 1 : 0;

	for (size_t i = 0; i + lost < m->n_states && req->nlmsg_type == XFRM_MSG_GETSA; i++) {
		if (a != NULL && m->states[i].u.id.proto != nla_get_u8(a))
			continue;
		reply(m, req, XFRM_MSG_NEWSA, m->states[i].body, m->states[i].len);
	}
	for (size_t i = 0; i + lost < m->n_policies && req->nlmsg_type == XFRM_MSG_GETPOLICY; i++)
		reply(m, req, XFRM_MSG_NEWPOLICY, m->policies[i].body, m->policies[i].len);
	reply_done(m, req, interrupted);
}

static int obey(struct model *m, const struct nlmsghdr *req, bool other_index)
{
	switch (req->nlmsg_type) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
		return state_put(m, req, req->nlmsg_type == XFRM_MSG_UPDSA);
	case XFRM_MSG_DELSA:
		return state_delete(m, req);
	case XFRM_MSG_GETSA:
		return state_get(m, req);
	case XFRM_MSG_ALLOCSPI:
		return state_alloc(m, req);
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
		return policy_put(m, req, req->nlmsg_type == XFRM_MSG_UPDPOLICY, other_index);
	case XFRM_MSG_DELPOLICY:
	case XFRM_MSG_GETPOLICY:
		return policy_one(m, req, req->nlmsg_type == XFRM_MSG_DELPOLICY);
	default:
		return EOPNOTSUPP;
	}
}

static void garble(struct model_reply *r, enum model_garble how)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)r->p;
	int positive = EPERM;

	switch (how) {
	case GARBLE_LONG:
		h->nlmsg_len += 4000;
		break;
	case GARBLE_NOTHING:
		h->nlmsg_len = 3;
		break;
	case GARBLE_POSITIVE:
		h->nlmsg_type = NLMSG_ERROR;
		memcpy(nlmsg_data(h), &positive, sizeof(positive));
		break;
	case GARBLE_TYPE:
		h->nlmsg_type = XFRM_MSG_MAX + 100;
		break;
	}
}

/* What becomes of the answers from number `from` on. */
static void spoil(struct model *m, enum model_fault fault, size_t from)
{
	struct model_reply *last = &m->replies[m->n_replies - 1];

	switch (fault) {
	case FAULT_SILENT:
		m->n_replies = from;
		break;
	case FAULT_SHORT:
		last->len = NLMSG_HDRLEN + 2;
		break;
	case FAULT_GARBLED:
		garble(last, (enum model_garble)m->error);
		break;
	case FAULT_LATE:
		m->late = *last;
		m->n_replies--;
		break;
	case FAULT_DOUBLE:
		*reply_new(m) = *last;
		break;
	case FAULT_LOST:
		m->n_replies = from;
		reply_new(m)->lost = true;
		break;
	case FAULT_NONE:
	case FAULT_REFUSE:
	case FAULT_SEND:
	case FAULT_ALIEN:
	case FAULT_INTERRUPTED:
	case FAULT_INDEX:
		break;
	}
}

/* To another port, and to us with a number that we did not ask by; both refuse. */
static void aliens(struct model *m, const struct nlmsghdr *req)
{
	struct nlmsghdr other = *req;
	struct nlmsghdr *h;

	reply_error(m, req, EPERM);
	h = (struct nlmsghdr *)(void *)m->replies[m->n_replies - 1].p;
	h->nlmsg_pid = ALIEN_PORT;
	other.nlmsg_seq += 1000;
	reply_error(m, &other, EPERM);
}

static void serve(struct model *m, const struct nlmsghdr *req, enum model_fault fault)
{
	size_t from = m->n_replies;
	int error;

	if (fault == FAULT_REFUSE) {
		reply_error(m, req, m->error);
		return;
	}
	if (fault == FAULT_ALIEN)
		aliens(m, req);
	if (req->nlmsg_flags & NLM_F_DUMP &&
	    (req->nlmsg_type == XFRM_MSG_GETSA || req->nlmsg_type == XFRM_MSG_GETPOLICY)) {
		dump(m, req, fault == FAULT_INTERRUPTED);
	} else {
		error = obey(m, req, fault == FAULT_INDEX);
		reply_error(m, req, error);
	}
	spoil(m, fault, from);
}

static ssize_t model_send(void *ctx, const void *p, size_t len)
{
	struct model *m = ctx;
	/* Aligned, as the kernel has it. */
	struct nlmsghdr *req = malloc(len);
	bool now = m->asked >= m->at && m->asked <= m->at + m->lasting;
	enum model_fault fault = now ? m->fault : FAULT_NONE;

	m->asked++;
	if (req == NULL || fault == FAULT_SEND) {
		free(req);
		errno = req == NULL ? ENOMEM : m->error;
		return -1;
	}
	memcpy(req, p, len);
	if (m->late.len > 0)
		*reply_new(m) = m->late;
	m->late.len = 0;
	serve(m, req, fault);
	free(req);
	return (ssize_t)len;
}

static ssize_t model_receive(void *ctx, void *p, size_t size)
{
	struct model *m = ctx;
	const struct model_reply *r = &m->replies[m->first];

	if (m->first == m->n_replies || r->len > size) {
		m->first = 0;
		m->n_replies = 0;
		errno = EAGAIN;
		return -1;
	}
	m->first++;
	if (r->lost) {
		errno = ENOBUFS;
		return -1;
	}
	memcpy(p, r->p, r->len);
	return (ssize_t)r->len;
}

const struct netlink_ops model_ops = { .send = model_send, .receive = model_receive };
