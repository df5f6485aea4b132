/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 5685, as client: see redirect.h. */
#include "ike/redirect.h"

#include "ike/connection.h"
#include "ike/life.h"
#include "ike/note.h"

enum { GATEWAY_IPV4 = 1, GATEWAY_IPV6 = 2 };
enum { REDIRECTS_MAX = 5 };
static const mono_ns redirects_time = 300 * NS_PER_S; /* 7 */
static const mono_ns redirect_wait = 500 * NS_PER_MS;

static bool follows(const struct ike_sa *sa)
{
	return sa->conn && sa->conn->conf->redirect == CONF_REDIRECT_FOLLOW;
}

/* ---- saying ---- */

void redirect_put(const struct ike_sa *sa, struct builder *b)
{
	const struct addr *from = &sa->conn->redirected_from;
	uint8_t body[2 + 16];
	struct wr w = wr_into(body, sizeof(body));

	if (!follows(sa))
		return;
	if (from->family == AF_UNSPEC) {
		builder_notify(b, NOTIFY_REDIRECT_SUPPORTED, SPAN_EMPTY);
		return;
	}
	wr_u8(&w, from->family == AF_INET ? GATEWAY_IPV4 : GATEWAY_IPV6);
	wr_u8(&w, (uint8_t)addr_len(from));
	wr_span(&w, span_of(from->b, addr_len(from)));
	builder_notify(b, NOTIFY_REDIRECTED_FROM, wr_done(&w));
}

/* ---- reading ---- */

/* 9.2. ERR_UNSUPPORTED: another kind of gateway than an address. *nonce is what is behind it. */
static enum err decode(struct span body, struct addr *to, struct span *nonce)
{
	struct rd r = rd_from(body);
	uint8_t type = rd_u8(&r);
	struct span id = rd_take(&r, rd_u8(&r));

	*nonce = rd_rest(&r);
	if (!rd_end(&r) || id.len == 0)
		return ERR_SYNTAX;
	if (type != GATEWAY_IPV4 && type != GATEWAY_IPV6)
		return ERR_UNSUPPORTED;
	if (!addr_from_span(to, id))
		return ERR_SYNTAX;
	return (type == GATEWAY_IPV4) == (to->family == AF_INET) ? OK : ERR_SYNTAX;
}

static bool is_ours(const struct ike_sa *sa, const struct addr *a)
{
	for (size_t i = 0; i < sa->e->n_addrs; i++) {
		if (addr_eq(&sa->e->addrs[i], a))
			return true;
	}
	return addr_eq(&sa->path.local.addr, a);
}

static bool is_too_often(struct conn *c)
{
	mono_ns now = c->e->now;

	if (now - c->redirects_since >= redirects_time) {
		c->redirects_since = now;
		c->n_redirects = 0;
	}
	return c->n_redirects >= REDIRECTS_MAX;
}

/* Where to, if it can be followed. */
static enum err judge(const struct ike_sa *sa, const struct addr *to)
{
	if (!addr_is_host(to) || is_ours(sa, to) || addr_eq(to, &sa->path.remote.addr))
		return ERR_DENIED;
	if (to->family != sa->path.local.addr.family)
		return ERR_UNSUPPORTED;
	return is_too_often(sa->conn) ? ERR_LOOP : OK;
}

/* ---- following ---- */

/* The connection's next attempt goes there; the caller ends this one. */
static void go(struct ike_sa *sa, const struct addr *to)
{
	struct conn *c = sa->conn;
	struct ike_note n = note_of_sa(sa, IKE_NOTE_REFUSED, ERR_REDIRECTED);
	uint16_t remote = c->conf->port ? c->conf->port : PORT_IKE;
	char text[ADDR_TEXT_MAX];

	n.initiator = true;
	n.next_address = true;
	note_print(n.text, sizeof(n.text), "it sends us to %s", addr_text(to, text));
	note_tell(c->e, &n);
	c->n_redirects++;
	c->redirected_from = sa->path.remote.addr;
	c->paths[0] = (struct path){
		.local = { .addr = sa->path.local.addr,
			   .port = remote == PORT_IKE ? PORT_IKE : PORT_NATT },
		.remote = { .addr = *to, .port = remote },
	};
	c->n_paths = 1;
	c->path_at = 0;
	c->another_path = true;
	conn_plan_try(c, c->e->now);
}

struct step redirect_on_answer(struct ike_sa *sa, const struct pl_notify *n)
{
	struct span nonce;
	struct addr to;
	enum err err = follows(sa) ? decode(n->data, &to, &nonce) : ERR_UNEXPECTED;

	if (err == OK && !span_eq(nonce, span_of(sa->hs->nonce, sizeof(sa->hs->nonce))))
		err = ERR_UNEXPECTED; /* off the path */
	if (err == OK)
		err = judge(sa, &to);
	if (err == ERR_LOOP)
		note_hint(sa, err, "the peer sends us from one gateway to another");
	if (err == ERR_UNSUPPORTED)
		note_hint(sa, err,
			  "the peer sends us to a name, or to another family of addresses");
	if (err != OK)
		return step_drop(err);
	/* The first one counts; the wait for a cookie may be there already. */
	if (sa->conn->redirect_to.family != AF_UNSPEC)
		return step_drop(ERR_REPLAY);
	sa->conn->redirect_to = to;
	sa->hs->follow_at = sa->e->now + redirect_wait;
	return step_done();
}

bool redirect_follow(struct ike_sa *sa)
{
	struct addr to = sa->conn->redirect_to;

	if (to.family == AF_UNSPEC)
		return false;
	sa->conn->redirect_to = (struct addr){ .family = AF_UNSPEC };
	go(sa, &to);
	sa_end(sa, ERR_REDIRECTED);
	return true;
}

bool redirect_on_auth(struct ike_sa *sa, const struct message *m)
{
	struct pl_notify n;
	struct span nonce;
	struct addr to;

	if (!follows(sa) || message_has(m, PL_SA) || !message_notify(m, NOTIFY_REDIRECT, &n) ||
	    decode(n.data, &to, &nonce) != OK || nonce.len > 0 || judge(sa, &to) != OK)
		return false;
	sa_established(sa);
	sa_forget_handshake(sa);
	go(sa, &to);
	sa_close(sa, ERR_REDIRECTED, 0);
	return true;
}
