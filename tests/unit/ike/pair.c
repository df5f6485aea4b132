/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ike/pair.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/load.h"
#include "crypto/alg.h"
#include "ike/connection.h"
#include "ike/core.h"

int pair_in_engine;

const char *const pair_names[] = { "left.example.org", "right.example.org" };
static const char *const addresses[] = { "192.0.2.1", "198.51.100.2" };

/* ---- what an engine is given ---- */

/* splitmix64: the same run every time. */
static bool draw(void *ctx, void *buf, size_t len)
{
	struct end *end = ctx;
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++) {
		uint64_t z = (end->seed += 0x9e3779b97f4a7c15u);

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		p[i] = (uint8_t)(z ^ (z >> 31));
	}
	return true;
}

/* Two certificates whose contents nobody looks at: the fake verifier goes by the identity. Long
 * enough to need fragments. */
static struct span certificates(void *ctx, const struct conf_me *me)
{
	static uint8_t chain[2][2 * 1002];
	struct end *end = ctx;
	struct wr w = wr_into(chain[end->side], sizeof(chain[0]));

	(void)me;
	for (int i = 0; i < 2; i++) {
		wr_u16(&w, 1000);
		memset(wr_take(&w, 1000), 0x30 + i, 1000);
	}
	return wr_done(&w);
}

static struct span authorities(void *ctx, const struct conf_me *me)
{
	(void)ctx;
	(void)me;
	return span_str("01234567890123456789");
}

static enum err read_file(void *ctx, enum conf_file_kind kind, const char *path, struct span *bytes,
			  char why[static 256])
{
	char *copy =
		strdup(kind == CONF_FILE_PSK	      ? "correct horse battery staple\n"
		       : kind == CONF_FILE_QCD_SECRET ? "32 bytes that nobody else on earth knows"
						      : path);

	(void)ctx;
	(void)why;
	*bytes = span_str(copy);
	return OK;
}

struct conf *pair_load(const char *text)
{
	struct conf_source src = { .read = read_file };
	struct conf_problems problems = { .n = 0 };
	struct conf *conf;

	if (conf_load("/etc/postern/test.conf", span_str(text), &src, &conf, &problems) != OK) {
		fprintf(stderr, "%s", conf_problems_text("test.conf", span_str(text), &problems));
		ck_abort_msg("the configuration does not load");
	}
	return conf;
}

struct ike_engine *pair_engine(struct end *end, bool restores)
{
	struct ike_env env = {
		.restores = restores,
		.random = { .fill = draw, .ctx = end },
		.kernel = end->kernel,
		.n_owners = 2,
		.certificates = certificates,
		.authorities = authorities,
		.ctx = end,
	};

	return ike_engine_new(&env, end->conf, end->pair->now);
}

static void end_begin(struct pair *p, enum side s, const char *text)
{
	struct end *end = &p->end[s];

	end->pair = p;
	end->side = s;
	end->seed = 1000u + (uint64_t)s;
	end->psk = "correct horse battery staple";
	end->guarded = true;
	end->conf = pair_load(text);
	end->e = pair_engine(end, false);
	ck_assert(end->e && addr_parse(addresses[s], &end->addr));
}

struct pair *pair_new_on(const char *const text[2], const struct plane_caps kernel[2])
{
	struct pair *p = calloc(1, sizeof(*p));

	ck_assert_ptr_nonnull(p);
	p->now = 1000 * NS_PER_S;
	p->delay = 10 * NS_PER_MS;
	for (enum side s = LEFT; s <= RIGHT; s++) {
		p->end[s].kernel = kernel[s];
		end_begin(p, s, text[s]);
	}
	pair_act(p, LEFT);
	pair_act(p, RIGHT);
	return p;
}

struct pair *pair_new(const char *left, const char *right)
{
	return pair_new_on((const char *const[]){ left, right },
			   (const struct plane_caps[2]){ { .v4 = false } });
}

struct plane_caps pair_kernel(void)
{
	struct plane_caps k = { .v4 = true,
				.v6 = true,
				.encap = true,
				.transport = true,
				.esn = true,
				.interface = true };

	for (size_t i = 0; encr_row(i) && k.n_encr < PLANE_ENCR_MAX; i++) {
		k.encr[k.n_encr].id = encr_row(i)->id;
		k.encr[k.n_encr++].key_bits = encr_row(i)->key_bits;
	}
	for (size_t i = 0; integ_row(i) && k.n_integ < PLANE_INTEG_MAX; i++)
		k.integ[k.n_integ++] = integ_row(i)->id;
	return k;
}

void pair_free(struct pair *p)
{
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ike_engine_free(p->end[s].e);
		for (size_t i = 0; i < p->end[s].n_sas; i++)
			sa_desc_wipe(&p->end[s].sas[i]);
		conf_free(p->end[s].conf);
	}
	while (p->wire) {
		struct datagram *d = p->wire;

		p->wire = d->next;
		free(d);
	}
	free(p);
}

/* ---- the wire ---- */

static bool nat_set(const struct pair *p)
{
	return p->nat.family != AF_UNSPEC;
}

static void put_on_wire(struct end *end, const struct ike_action *a)
{
	struct pair *p = end->pair;
	struct datagram *d = calloc(1, sizeof(*d) + a->send.bytes.len);
	struct datagram **at = &p->wire;

	ck_assert_ptr_nonnull(d);
	ck_assert(a->send.marker == (a->send.path.local.port != 500));
	d->to = end->side == LEFT ? RIGHT : LEFT;
	d->path = (struct path){ .local = a->send.path.remote, .remote = a->send.path.local };
	d->len = a->send.bytes.len;
	memcpy(d->bytes, a->send.bytes.p, d->len);
	if (nat_set(p) && d->to == RIGHT)
		d->path.remote.addr = p->nat;
	if (nat_set(p) && d->to == LEFT)
		d->path.local.addr = end->pair->end[LEFT].addr;
	p->n_sent++;
	p->longest = d->len > p->longest ? d->len : p->longest;
	memcpy(p->last, d->bytes, d->len);
	p->last_len = d->len;
	p->last_from = end->side;
	if (p->filter && !p->filter(p, d)) {
		free(d);
		return;
	}
	while (*at)
		at = &(*at)->next;
	*at = d;
}

static void do_resolve(struct end *end, const struct conf_connection *cn)
{
	struct ike_resolved r = { .connection = cn->name, .n = cn->n_addresses };
	struct ike_event ev = { .kind = IKE_EV_RESOLVED, .resolved = &r };

	if (end->hold_names)
		return;
	for (size_t i = 0; i < r.n; i++) {
		r.paths[i].local.addr =
			cn->local_address.family != AF_UNSPEC ? cn->local_address : end->addr;
		r.paths[i].remote.addr = cn->addresses[i];
	}
	pair_event(end, &ev);
}

/* A machine with one address has no way to another family. */
static void do_route(struct end *end, const struct ike_route_question *q)
{
	struct ike_routes r = { .spi = q->spi };
	struct ike_event ev = { .kind = IKE_EV_ROUTES, .routes = &r };

	end->n_route_questions++;
	for (size_t i = 0; i < q->n; i++) {
		const struct addr *local = q->local.family != AF_UNSPEC ? &q->local : &end->addr;

		if (local->family == q->to[i].family)
			r.paths[r.n++] =
				(struct path){ .local.addr = *local, .remote.addr = q->to[i] };
	}
	pair_event(end, &ev);
}

static void keep_note(struct end *end, const struct ike_note *n)
{
	if (getenv("PAIR_TRACE"))
		fprintf(stderr,
			"%s %llu: note %d err %s: %s | offered %s | wanted %s | got %s | fix %s\n",
			end->side == LEFT ? "left " : "right",
			(unsigned long long)(end->pair->now / NS_PER_MS), (int)n->kind,
			err_slug(n->err), n->text, n->offered, n->wanted, n->got, n->fix);
	if (n->kind == IKE_NOTE_DROPPED) {
		end->n_dropped++;
		end->last_drop = n->err;
		return;
	}
	ck_assert_uint_lt(end->n_notes, PAIR_NOTES_MAX);
	end->notes[end->n_notes++] = *n;
}

void pair_event(struct end *end, const struct ike_event *ev)
{
	pair_in_engine++;
	ike_engine_event(end->e, ev, end->pair->now);
	pair_in_engine--;
}

void pair_act(struct pair *p, enum side s)
{
	struct end *end = &p->end[s];
	struct ike_action a;

	while (ike_engine_next(end->e, &a)) {
		switch (a.kind) {
		case IKE_ACT_SEND:
			put_on_wire(end, &a);
			break;
		case IKE_ACT_KEEPALIVE:
			end->n_keepalives++;
			break;
		case IKE_ACT_SA:
			pair_do_sa(end, a.sa);
			break;
		case IKE_ACT_JOB:
			pair_do_job(end, a.job);
			break;
		case IKE_ACT_RESOLVE:
			do_resolve(end, a.resolve.connection);
			break;
		case IKE_ACT_ROUTE:
			do_route(end, a.route);
			break;
		case IKE_ACT_CHILD_MTU:
			end->mtu = a.child.mtu;
			break;
		case IKE_ACT_GUARD:
			end->guarded = a.child.guarded;
			end->n_guards++;
			break;
		case IKE_ACT_KEEP:
		case IKE_ACT_COMMIT:
			break;
		case IKE_ACT_NOTE:
			keep_note(end, a.note);
			break;
		}
	}
}

void pair_deliver(struct pair *p, enum side to, const struct path *path, struct span bytes)
{
	pair_in_engine++;
	ike_engine_datagram(p->end[to].e, path, bytes, p->now);
	pair_in_engine--;
	pair_act(p, to);
}

void pair_drain(struct pair *p)
{
	while (p->wire) {
		struct datagram *d = p->wire;

		p->wire = d->next;
		p->now += p->delay;
		pair_deliver(p, d->to, &d->path, span_of(d->bytes, d->len));
		free(d);
	}
}

void pair_run(struct pair *p, mono_ns time)
{
	mono_ns end = p->now + time;
	size_t still = 0;

	for (;;) {
		mono_ns left, right, next;

		pair_drain(p);
		left = ike_engine_deadline(p->end[LEFT].e);
		right = ike_engine_deadline(p->end[RIGHT].e);
		next = left < right ? left : right;
		if (next > end)
			break;
		still = next > p->now ? 0 : still + 1;
		if (still == 10000)
			ck_abort_msg("an engine's deadline does not move on");
		p->now = next > p->now ? next : p->now;
		for (enum side s = LEFT; s <= RIGHT; s++) {
			pair_in_engine++;
			ike_engine_tick(p->end[s].e, p->now);
			pair_in_engine--;
			pair_act(p, s);
		}
	}
	p->now = end > p->now ? end : p->now;
}

static void command(struct pair *p, enum side s, enum ike_event_kind kind, const char *connection,
		    const char *child)
{
	struct ike_event ev = { .kind = kind,
				.command = { .connection = connection, .child = child } };

	pair_event(&p->end[s], &ev);
	pair_act(p, s);
}

void pair_up(struct pair *p, enum side s, const char *connection)
{
	command(p, s, IKE_EV_UP, connection, NULL);
}

void pair_down(struct pair *p, enum side s, const char *connection)
{
	command(p, s, IKE_EV_DOWN, connection, NULL);
}

void pair_command(struct pair *p, enum side s, enum ike_event_kind kind, const char *child)
{
	command(p, s, kind, "site", child);
}

bool pair_lose(struct pair *p, struct datagram *d)
{
	(void)p;
	(void)d;
	return false;
}

/* ---- asking ---- */

const struct ike_note *pair_note(const struct pair *p, enum side s, enum ike_note_kind kind)
{
	for (size_t i = p->end[s].n_notes; i > 0; i--) {
		if (p->end[s].notes[i - 1].kind == kind)
			return &p->end[s].notes[i - 1];
	}
	return NULL;
}

size_t pair_count(const struct pair *p, enum side s, enum ike_note_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < p->end[s].n_notes; i++)
		n += p->end[s].notes[i].kind == kind;
	return n;
}

/* Each end of a transport mode SA has its own idea of the addresses when there is a NAT. */
static bool mirror(const struct ts_list *a, const struct ts_list *b, enum sa_mode mode)
{
	if (mode == SA_TUNNEL)
		return ts_list_eq(a, b);
	return a->n == b->n && a->v[0].proto == b->v[0].proto &&
	       a->v[0].port_lo == b->v[0].port_lo && a->v[0].port_hi == b->v[0].port_hi;
}

static bool has_twin(const struct end *other, const struct sa_desc *sa)
{
	for (size_t i = 0; i < other->n_sas; i++) {
		const struct sa_desc *o = &other->sas[i];

		if (o->spi == sa->spi && o->dir != sa->dir && o->esn == sa->esn &&
		    o->encap == sa->encap &&
		    secret_eq(key_span(&o->encr_key), key_span(&sa->encr_key)) &&
		    secret_eq(key_span(&o->integ_key), key_span(&sa->integ_key)) &&
		    o->mode == sa->mode && mirror(&o->local, &sa->remote, sa->mode) &&
		    mirror(&o->remote, &sa->local, sa->mode))
			return true;
	}
	return false;
}

void pair_expect_children(const struct pair *p, size_t n)
{
	for (enum side s = LEFT; s <= RIGHT; s++) {
		const struct end *end = &p->end[s];

		ck_assert_uint_eq(end->n_sas, 2 * n);
		for (size_t i = 0; i < end->n_sas; i++)
			ck_assert(has_twin(&p->end[1 - s], &end->sas[i]));
	}
}

size_t pair_sas(const struct pair *p, enum side s)
{
	return ike_engine_stats(p->end[s].e)->sas;
}

struct ike_sa *pair_sa(const struct pair *p, enum side s)
{
	return conn_sa(p->end[s].e->conns[0]);
}

struct path pair_path(const struct pair *p, enum side from)
{
	return (struct path){
		.local = { .addr = p->end[1 - from].addr, .port = 500 },
		.remote = { .addr = p->end[from].addr, .port = 500 },
	};
}

/* ---- configurations ---- */

#define BY_PSK	"auth = psk\n psk_file = site.psk"
#define BY_CERT "auth = certificate"

static const char *configuration(enum side s, const char *auth, const char *more,
				 const char *second)
{
	static char text[2][2048];
	int self = s == LEFT ? 0 : 1, peer = 1 - self;

	snprintf(text[s], sizeof(text[s]),
		 "me {\n identity = %s\n certificate = me.pem\n key = me.key\n trust = ca.pem\n}\n"
		 "connection site {\n address = %s\n identity = %s\n %s\n %s\n %s\n"
		 " child net {\n  local = 10.%d.0.0/16\n  remote = 10.%d.0.0/16\n }\n%s}\n",
		 pair_names[self], addresses[peer], pair_names[peer], auth,
		 strstr(more, "start") ? "" : "start = manual", more, self + 1, peer + 1, second);
	return text[s];
}

const char *pair_psk(enum side s, const char *more)
{
	return configuration(s, BY_PSK, more, "");
}

const char *pair_cert(enum side s, const char *more)
{
	return configuration(s, BY_CERT, more, "");
}

const char *pair_two(enum side s, bool cert, const char *more)
{
	static const char *const lab[] = {
		[LEFT] = " child lab {\n  local = 10.7.1.0/24\n  remote = 10.7.2.0/24\n }\n",
		[RIGHT] = " child lab {\n  local = 10.7.2.0/24\n  remote = 10.7.1.0/24\n }\n",
	};

	return configuration(s, cert ? BY_CERT : BY_PSK, more, lab[s]);
}
