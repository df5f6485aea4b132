/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors to propose: see child_offer.h. */
#include "ike/child_offer.h"

#include <stdlib.h>

#include "ike/carry.h"
#include "ike/connection.h"

static struct ts host_of(const struct addr *a)
{
	return (struct ts){ .port_hi = UINT16_MAX, .lo = *a, .hi = *a };
}

/* One side of the packet. Type and code of ICMP stand in both ports. */
static struct ts ts_of(const struct flow *f, const struct addr *a, uint16_t port)
{
	struct ts t = host_of(a);

	t.proto = f->proto;
	if (f->ports_known) {
		t.port_lo = port;
		t.port_hi = port;
	}
	return t;
}

static bool list_has(const struct ts_list *l, const struct ts *t)
{
	for (unsigned int i = 0; i < l->n; i++) {
		if (ts_eq(&l->v[i], t))
			return true;
	}
	return false;
}

static void put(struct ts_list *l, const struct ts *t)
{
	if (l->n < TS_MAX && !list_has(l, t))
		l->v[l->n++] = *t;
}

/* `first` (NULL: none), then `ours`, cut to one host when there is one. A list that is full has no
 * room for a first one: leaving out one that is configured would be worse. */
static enum err side(const struct ts_list *ours, const struct addr *host, const struct ts *first,
		     struct ts_list *out)
{
	struct ts both, only;

	out->v = calloc(TS_MAX, sizeof(*out->v));
	if (!out->v)
		return ERR_NOMEM;
	if (host)
		only = host_of(host);
	if (first && ours->n < TS_MAX && (!host || ts_covers(&only, first)))
		put(out, first);
	for (unsigned int i = 0; i < ours->n; i++) {
		if (!host)
			put(out, &ours->v[i]);
		else if (ts_intersect(&ours->v[i], &only, &both))
			put(out, &both);
	}
	return out->n > 0 ? OK : ERR_TS;
}

static enum err make(const struct ike_sa *sa, const struct conf_child *conf,
		     const struct flow *flow, struct child_offer *o)
{
	const struct addr *local = o->transport ? &sa->path.local.addr : NULL;
	const struct addr *remote = o->transport ? &sa->path.remote.addr : NULL;
	bool asked = flow && ts_lists_match(&conf->local, &conf->remote, flow);
	bool first = asked;
	struct ts src, dst;
	enum err err;

	o->pair = asked && !o->transport && conn_child_is_split(sa->conn, conf);
	if (asked) {
		src = ts_of(flow, &flow->src, flow->sport);
		dst = ts_of(flow, &flow->dst, flow->dport);
	}
	if (o->pair) {
		local = &flow->src;
		remote = &flow->dst;
		first = false;
	}
	err = side(&conf->local, local, first ? &src : NULL, &o->ts.i);
	if (err == OK)
		err = side(&conf->remote, remote, first ? &dst : NULL, &o->ts.r);
	if (err != OK)
		ts_pair_free(&o->ts);
	return err;
}

enum err child_offer_make(const struct ike_sa *sa, const struct conf_child *conf,
			  const struct flow *flow, struct child_offer *o)
{
	enum err err;

	*o = (struct child_offer){ .transport = conf->mode != CONF_MODE_TUNNEL &&
						carry_transport(sa->e, sa->conn->conf, conf) };
	err = make(sa, conf, flow, o);
	if (err != ERR_TS || conf->mode != CONF_MODE_PREFER_TRANSPORT)
		return err;
	o->transport = false;
	return make(sa, conf, flow, o);
}

void child_offer_free(struct child_offer *o)
{
	ts_pair_free(&o->ts);
}
