/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ike/roam.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/core.h"
#include "tests/unit/unit.h"

static bool look(struct pair *p, struct datagram *d)
{
	struct roam *w = p->ctx;
	struct path *path = &d->path;

	if (d->to == RIGHT)
		w->ports[d->bytes[18] != X_IKE_SA_INIT] = path->remote.port;
	if (w->without_natt && d->bytes[18] == X_IKE_SA_INIT) {
		(void)pair_hide_notify(p, d, NOTIFY_NAT_DETECTION_SOURCE_IP);
		(void)pair_hide_notify(p, d, NOTIFY_NAT_DETECTION_DESTINATION_IP);
	}
	if (w->dead.family != AF_UNSPEC &&
	    (addr_eq(&path->local.addr, &w->dead) || addr_eq(&path->remote.addr, &w->dead)))
		return false;
	if (d->to == RIGHT && addr_eq(&path->remote.addr, &w->translated))
		path->remote.addr = w->as;
	if (d->to == LEFT && addr_eq(&path->local.addr, &w->as) && w->as.family != AF_UNSPEC)
		path->local.addr = w->translated;
	return true;
}

static struct pair *in_roam(struct roam *w, struct pair *p)
{
	p->ctx = w;
	p->filter = look;
	return p;
}

struct pair *roam_new(struct roam *w, const char *left, const char *right)
{
	return in_roam(w, pair_new(left, right));
}

static struct pair *up(struct pair *p)
{
	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_has_rekeyed(p);
	pair_expect_children(p, 1);
	return p;
}

struct pair *roam_begin_with(struct roam *w, const char *left, const char *right)
{
	return up(roam_new(w, left, right));
}

struct pair *roam_begin_on(struct roam *w, const char *const text[2],
			   const struct plane_caps kernel[2])
{
	return up(in_roam(w, pair_new_on(text, kernel)));
}

const char *roam_conf(enum side s, const char *more)
{
	static char text[2][4096];
	const char *usual = pair_psk(s, more);
	const char *at = strstr(usual, "address = ");
	const char *end = strchr(at, '\n');

	snprintf(text[s], sizeof(text[s]), "%.*saddress = { %.*s, %s, %s }%s", (int)(at - usual),
		 usual, (int)(end - at - 10), at + 10, ROAM_ELSEWHERE, ROAM_BEYOND, end);
	return text[s];
}

struct pair *roam_begin(struct roam *w)
{
	*w = (struct roam){ .ports = { 0 } };
	return roam_begin_with(w, pair_psk(LEFT, ""), roam_conf(RIGHT, ""));
}

void roam_has(struct pair *p, enum side s, const char *const *texts, size_t n)
{
	struct ike_addresses a = { .n = n };
	struct ike_event ev = { .kind = IKE_EV_ADDRESSES, .addresses = &a };

	for (size_t i = 0; i < n; i++)
		ck_assert(addr_parse(texts[i], &a.addrs[i]));
	p->end[s].addr = a.addrs[0];
	pair_event(&p->end[s], &ev);
	pair_act(p, s);
}

void roam_go(struct pair *p, enum side s, const char *to)
{
	roam_has(p, s, &to, 1);
}

void roam_expect_at(struct pair *p, enum side s, const char *local, const char *remote)
{
	const struct ike_sa *sa = pair_sa(p, s);
	char text[ADDR_TEXT_MAX];

	ck_assert_str_eq(addr_text(&sa->path.local.addr, text), local);
	ck_assert_str_eq(addr_text(&sa->path.remote.addr, text), remote);
	for (size_t i = 0; i < p->end[s].n_sas; i++)
		ck_assert(path_eq(&p->end[s].sas[i].path, &sa->path));
}

void roam_expect_left_at(struct pair *p, const char *address)
{
	roam_expect_at(p, LEFT, address, "198.51.100.2");
	roam_expect_at(p, RIGHT, "198.51.100.2", address);
	pair_expect_children(p, 1);
}

struct datagram *roam_take(struct pair *p)
{
	struct datagram *d = p->wire;

	ck_assert_ptr_nonnull(d);
	p->wire = d->next;
	return d;
}

void roam_arrive(struct pair *p, struct datagram *d)
{
	pair_deliver(p, d->to, &d->path, span_of(d->bytes, d->len));
	free(d);
}

struct addr roam_address(const char *text)
{
	struct addr a;

	ck_assert(addr_parse(text, &a));
	return a;
}
