/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gatekeeper.h"

#include <stdio.h>
#include <string.h>

#include "crypto/alg.h"
#include "ike/child.h"
#include "ike/duplicate.h"

enum {
	SPI_FIRST = 256,    /* RFC 4303 2.1: those below are reserved */
	WINDOW_MOST = 4096, /* of the kernel's: its bitmap has at most 128 words */
};

/* What a command is judged by: the child that it names, as configured. */
struct gate {
	const struct conf_connection *cn;
	const struct conf_child *ch;
	const struct plane_caps *kernel;
	const struct gate_facts *facts;
};

/* One question: NULL when the answer is fine, else what is wrong. */
typedef const char *gate_fn(const struct gate *g, const struct sa_desc *d);

/* ---- of every command ---- */

static const char *ours(const struct gate *g, const struct sa_desc *d)
{
	(void)g;
	if (d->plane != PLANE_KERNEL)
		return "it is not for the kernel's plane";
	if ((d->reqid & SA_REQID_MASK) != SA_REQID_BASE)
		return "its reqid is none of ours";
	return NULL;
}

/* Bit 31 tells the planes apart on one port. What the peer chose for itself is the peer's. */
static const char *spi(const struct gate *g, const struct sa_desc *d)
{
	(void)g;
	if (d->spi < SPI_FIRST)
		return "its SPI is a reserved one";
	if (d->dir == SA_IN && (d->spi & SPI_USER_BIT) != 0)
		return "its SPI is one of the userspace plane";
	return NULL;
}

static const char *arriving(const struct gate *g, const struct sa_desc *d)
{
	(void)g;
	return d->dir == SA_IN ? NULL : "it is not inbound";
}

/* ---- of those that make or change an SA ---- */

static const char *known(const struct gate *g, const struct sa_desc *d)
{
	char why[CONF_PLANE_WHY_MAX];

	if (g->cn == NULL)
		return "there is no such connection";
	if (g->ch == NULL)
		return "the connection has no such child";
	if (conf_child_plane(g->cn, g->ch, g->kernel, why) != PLANE_KERNEL)
		return "the child is on the userspace plane";
	if (d->reqid != g->ch->reqid)
		return "the reqid is another child's";
	if (d->if_id != sa_if_id(g->ch->interface, g->ch->reqid))
		return "the interface is another child's";
	return NULL;
}

/* By the set the kernel lets in what another peer's SAs bring. */
static const char *rank(const struct gate *g, const struct sa_desc *d)
{
	if (d->priority != g->cn->priority || d->set != g->ch->set)
		return "its priority is not the configured one";
	return NULL;
}

static const char *path(const struct gate *g, const struct sa_desc *d)
{
	const struct addr *local = &d->path.local.addr, *remote = &d->path.remote.addr;

	if (!addr_is_host(local) || !addr_is_host(remote) || local->family != remote->family)
		return "its addresses are no path";
	if (addr_eq(local, remote) || g->facts->remote == WHOSE_OURS)
		return "it leads to ourselves";
	if (g->facts->local != WHOSE_OURS)
		return "its local address is none of this host";
	if (g->facts->remote != WHOSE_OTHER)
		return "its remote address is not that of one machine";
	if (g->cn->local_address.family != AF_UNSPEC && !addr_eq(&g->cn->local_address, local))
		return "its local address is not the configured one";
	if (!conf_peer_may_be_at(g->cn, remote))
		return "the peer is not configured to be there";
	if (d->encap && (d->path.local.port == 0 || d->path.remote.port == 0))
		return "a port of its UDP encapsulation is missing";
	return NULL;
}

/* ---- of those that make one ---- */

static const char *mode(const struct gate *g, const struct sa_desc *d)
{
	if (d->mode == SA_TRANSPORT && g->ch->mode == CONF_MODE_TUNNEL)
		return "the child is not configured for transport mode";
	if (d->mode == SA_TUNNEL && g->ch->mode == CONF_MODE_TRANSPORT)
		return "the child is configured for transport mode alone";
	return NULL;
}

static const char *selectors(const struct gate *g, const struct sa_desc *d)
{
	if (!ts_list_within(&d->local, &g->ch->local))
		return "its local selectors are wider than the configured ones";
	if (!ts_list_within(&d->remote, &g->ch->remote))
		return "its remote selectors are wider than the configured ones";
	return NULL;
}

static const struct encr *policy_encr(const struct suite_policy *p, const struct sa_desc *d)
{
	for (size_t i = 0; i < SUITE_ENCR_MAX && p->encr[i] != NULL; i++) {
		if (p->encr[i]->id == d->encr_id && p->encr[i]->key_bits == d->encr_key_bits)
			return p->encr[i];
	}
	return NULL;
}

static const struct integ *policy_integ(const struct suite_policy *p, const struct sa_desc *d)
{
	for (size_t i = 0; i < SUITE_INTEG_MAX && p->integ[i] != NULL; i++) {
		if (p->integ[i]->id == d->integ_id)
			return p->integ[i];
	}
	return NULL;
}

static const char *suite(const struct gate *g, const struct sa_desc *d)
{
	const struct encr *e = policy_encr(&g->cn->policy, d);
	const struct integ *i = policy_integ(&g->cn->policy, d);

	if (e == NULL)
		return "its encryption is not in the connection's policy";
	if (e->aead ? d->integ_id != 0 || d->integ_key.len != 0 : i == NULL)
		return "its integrity is not in the connection's policy";
	if (d->encr_key.len != e->key_len + e->salt_len ||
	    (!e->aead && d->integ_key.len != i->key_len))
		return "a key has not the length of its algorithm";
	return NULL;
}

static bool soft_fits(uint64_t soft, uint64_t hard)
{
	return soft == 0 || hard == 0 || soft <= hard;
}

static bool same_headers(const struct sa_headers *a, const struct sa_headers *b)
{
	return a->dscp_hide == b->dscp_hide && a->dscp_adopt == b->dscp_adopt &&
	       a->ecn_off == b->ecn_off && a->label_copy == b->label_copy &&
	       a->icmp_errors == b->icmp_errors && a->ttl == b->ttl;
}

static const char *limits(const struct gate *g, const struct sa_desc *d)
{
	const struct sa_headers conf_headers = conf_child_headers(g->ch);

	if (d->replay_window > WINDOW_MOST)
		return "its replay window is larger than the kernel has any";
	if (d->dir == SA_IN && g->ch->replay_window != 0 && d->replay_window == 0)
		return "it has no replay window";
	if (!soft_fits(d->byte_soft, d->byte_limit) || !soft_fits(d->packet_soft, d->packet_limit))
		return "a soft limit lies behind its hard one";
	if (d->offload != OFFLOAD_NO && d->offload != g->ch->offload)
		return "its offload is not the configured one";
	if (!same_headers(&d->headers, &conf_headers))
		return "what it makes of headers is not what is configured";
	return NULL;
}

/* RFC 7296 2.23.1: they take part in checksums alone, but they are addresses or nothing. */
static const char *nat(const struct gate *g, const struct sa_desc *d)
{
	const sa_family_t family = d->path.remote.addr.family;

	(void)g;
	if (d->nat_local.family != AF_UNSPEC && d->nat_local.family != family)
		return "our address behind the NAT is of another family";
	if (d->nat_remote.family != AF_UNSPEC && d->nat_remote.family != family)
		return "the peer's address behind its NAT is of another family";
	return NULL;
}

/* Numbers are times of the engine that gives them (base/sadesc.h). By one of times to come all that
 * the next engines put in would count as done before. */
static const char *number(const struct gate *g, const struct sa_cmd *cmd)
{
	return cmd->install > g->facts->now ? "its number is one of times to come" : NULL;
}

/* ---- how many there may be ---- */

size_t gate_connection_max(const struct conf_connection *cn)
{
	if (cn->identity.type == ID_NONE)
		return GATE_HALVES_MAX / 2;
	return (size_t)2 * (SAME_PEER_MAX + 1) * SA_PAIRS_MAX;
}

static const char *budget(const struct gate *g)
{
	if (g->facts->halves.all >= GATE_HALVES_MAX)
		return "there are as many SAs as the kernel is given";
	if (g->facts->halves.of_connection >= gate_connection_max(g->cn))
		return "the connection has as many SAs as it may have";
	return NULL;
}

/* ---- which questions for which command ---- */

static gate_fn *const of_install[] = { ours,	  spi,	 known,	 rank, path, mode,
				       selectors, suite, limits, nat,  NULL };
static gate_fn *const of_move[] = { ours, spi, known, path, NULL };
static gate_fn *const of_removal[] = { ours, spi, NULL };
static gate_fn *const of_expectation[] = { ours, spi, arriving, NULL };
static gate_fn *const of_forget[] = { ours, NULL };
static gate_fn *const of_sweep[] = { NULL };

static gate_fn *const *questions(enum sa_op op)
{
	switch (op) {
	case SA_INSTALL:
		return of_install;
	case SA_MOVE:
		return of_move;
	case SA_REMOVE:
	case SA_PASS:
	case SA_QUERY:
	case SA_CLAIM: /* the plane knows better what it has */
		return of_removal;
	case SA_EXPECT:
		return of_expectation;
	case SA_FORGET:
		return of_forget;
	case SA_SWEEP:
		return of_sweep;
	}
	return of_install;
}

enum err gate_judge(const struct conf *c, const struct plane_caps *kernel,
		    const struct gate_facts *facts, const struct sa_cmd *cmd,
		    char why[static SA_WHY_MAX])
{
	struct gate g = { .cn = conf_connection_find(c, cmd->sa.connection),
			  .kernel = kernel,
			  .facts = facts };
	const char *wrong = NULL;
	enum err e = OK;

	if (g.cn != NULL)
		g.ch = conf_child_find(g.cn, cmd->sa.child);
	for (gate_fn *const *ask = questions(cmd->op); *ask != NULL && wrong == NULL; ask++)
		wrong = (*ask)(&g, &cmd->sa);
	if (wrong == NULL && cmd->op == SA_INSTALL)
		wrong = number(&g, cmd);
	if (wrong != NULL)
		e = ERR_DENIED;
	else if (cmd->op == SA_INSTALL && (wrong = budget(&g)) != NULL)
		e = ERR_LIMIT;
	snprintf(why, SA_WHY_MAX, "%s", wrong != NULL ? wrong : "");
	return e;
}
