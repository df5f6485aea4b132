/* SPDX-License-Identifier: Apache-2.0 */
/* See ike_world.h. */
#include "tests/fuzz/ike_world.h"

#include <string.h>

#include "ike/create.h"
#include "ike/keep.h"
#include "ike/protect.h"
#include "ike/send.h"
#include "tests/fuzz/chain.h"
#include "tests/fuzz/fuzz.h"
#include "tests/sim/confs.h"

/* Diffie-Hellman of a slow group is a hash here (tests/sim/jobs.c), which makes runs faster; one
 * configuration has a quick group, which the engine computes itself. */
#define SLOW	  " policy = { aes256gcm16 prfsha384 modp4096 }\n"
#define QUICK	  " policy = { aes128 sha256 prfsha256 x25519 ecp256 }\n"
#define QUICK_TOO " policy = { aes128 sha256 prfsha256 ecp256 x25519 }\n"
#define RESTLESS  " liveness = 5s\n"

#define ANYBODY                                                                        \
	ME("right.example.org")                                                        \
	"connection site {\n address = any\n identity = any\n" MANUAL CERT SLOW CHILD( \
		"net", "10.2.0.0/16", "10.1.0.0/16") "}\n"
#define HOSTS(me, peer_at, peer, local, remote)                                \
	ME(me)                                                                 \
	PEER(peer_at, peer)                                                    \
	PSK SLOW MANUAL " child hosts {\n  mode = transport\n  local = " local \
			"\n  remote = " remote "\n }\n}\n"

const struct sim_conf ike_confs[N_IKE_CONFS] = {
	SITE(PSK MANUAL SLOW RESTLESS, PSK MANUAL SLOW RESTLESS),
	THREE(PSK MANUAL SLOW RESTLESS, PSK MANUAL SLOW RESTLESS),
	SITE(CERT MANUAL SLOW RESTLESS, CERT MANUAL SLOW RESTLESS),
	THREE(CERT ALWAYS SLOW, CERT ALWAYS SLOW),
	SITE6(CERT MANUAL SLOW, CERT MANUAL SLOW),
	{ { LEFT_SITE(CERT MANUAL SLOW), ANYBODY } },
	SITE(PSK MANUAL QUICK RESTLESS, PSK MANUAL QUICK_TOO RESTLESS),
	{ { HOSTS("left.example.org", "198.51.100.2", "right.example.org", "192.0.2.1",
		  "198.51.100.2"),
	    HOSTS("right.example.org", "192.0.2.1", "left.example.org", "198.51.100.2",
		  "192.0.2.1") } },
};

enum { MESSAGE_ROOM = 96 * 1024, FLOOD = 12 };

static uint8_t plain[MESSAGE_ROOM];
static uint8_t sealed[MESSAGE_ROOM];

/* ---- SAs ---- */

static struct ike_sa *sa_of(const struct ike_world *w, enum side side, bool keyed)
{
	struct ike_engine *e = w->s->end[side].e;
	struct table_node *n = NULL;

	while (e && (n = table_next(&e->by_spi, n))) {
		struct ike_sa *sa = container_of(n, struct ike_sa, by_spi);

		if (!keyed || sa->keys.ei.len > 0)
			return sa;
	}
	return NULL;
}

struct ike_sa *ike_world_sa(const struct ike_world *w, enum side side)
{
	return sa_of(w, side, true);
}

struct ike_sa *ike_world_any_sa(const struct ike_world *w, enum side side)
{
	return sa_of(w, side, false);
}

/* ---- sealing ---- */

static enum side other(enum side side)
{
	return side == LEFT ? RIGHT : LEFT;
}

/* The bytes of one message or its fragments, one behind the other; empty: it cannot be. */
static struct span seal_as(struct ike_sa *sa, const struct ike_header *h, const struct inner *in,
			   size_t max)
{
	struct wr w = wr_into(sealed, sizeof(sealed));
	struct sk_keys keys = sa_keys_out(sa);
	enum err err = protect_seal_fragments(&keys, h, in, max, &w);

	/* The engine goes on behind ours: no IV is used twice. */
	sa->next_iv = keys.next_iv;
	keep_touch_sa(sa);
	sk_keys_wipe(&keys);
	return err == OK ? wr_done(&w) : SPAN_EMPTY;
}

/* What `from` has sealed, as the receiver will see it inside; in->chain lies in `plain`. */
static bool open_of(const struct ike_world *w, enum side from, struct span datagram,
		    struct inner *in)
{
	struct ike_sa *sa = ike_world_sa(w, from);
	struct wr buf = wr_into(plain, sizeof(plain));
	struct sk_keys keys;
	struct message m;
	bool good;

	if (!sa || message_decode(datagram, &m) != OK)
		return false;
	keys = sa_keys_out(sa);
	good = protect_open(&keys, &m, &buf, in) == OK;
	sk_keys_wipe(&keys);
	return good;
}

/* ---- the man in the middle, who is the peer himself ---- */

static void edit(struct ambush *a, struct chain *c)
{
	struct chance dice = { .state = a->seed };

	for (uint8_t i = 0; i <= a->rounds % 8; i++)
		chain_mutate(c, &dice, NULL);
	a->edits = false;
}

static void inject(struct sim *s, const struct sim_packet *p, enum trust trust, struct span bytes)
{
	net_inject(s, (struct inject){ p->ev.side, trust }, &p->path, bytes);
}

/* A message in clear, which no AUTH will fit any more. */
static void edit_clear(struct ike_world *w, const struct sim_packet *p, struct ike_header *h)
{
	static struct chain c;
	struct wr out = wr_into(sealed, sizeof(sealed));

	chain_set(&c, h->next, span_tail(span_of(p->bytes, p->len), IKE_HEADER_LEN));
	edit(&w->ambush[p->from], &c);
	h->next = c.first;
	h->length = (uint32_t)(IKE_HEADER_LEN + c.len);
	header_encode(&out, h);
	wr_span(&out, span_of(c.bytes, c.len));
	inject(w->s, p, FORGED, wr_done(&out));
}

static void edit_inside(struct ike_world *w, const struct sim_packet *p, struct ike_header *h,
			const struct inner *in)
{
	static struct chain c;
	struct inner out;

	chain_set(&c, in->first, in->chain);
	edit(&w->ambush[p->from], &c);
	out = (struct inner){ .first = c.first, .chain = span_of(c.bytes, c.len) };
	inject(w->s, p, GENUINE, seal_as(ike_world_sa(w, p->from), h, &out, 0));
}

static bool let_pass(struct ike_world *w, const struct sim_packet *p, struct ike_header *h,
		     const struct inner *in)
{
	struct ambush *a = &w->ambush[p->from];
	const bool clear = h->exchange == X_IKE_SA_INIT;

	if (a->drop > 0 && !clear) {
		if (a->drop < 255)
			a->drop--;
		return false;
	}
	if (!a->edits || a->skip-- > 0 || (!clear && !in))
		return true;
	if (clear)
		edit_clear(w, p, h);
	else
		edit_inside(w, p, h, in);
	return false;
}

static bool middle(struct sim *s, struct sim_packet *p, void *ctx)
{
	struct ike_world *w = ctx;
	struct span d = span_of(p->bytes, p->len);
	struct inner in = { .first = PL_NONE };
	struct ike_header h;
	bool opened;

	(void)s;
	if (header_decode(d, &h) != OK)
		return true;
	opened = h.exchange != X_IKE_SA_INIT && open_of(w, p->from, d, &in);
	if (h.exchange == X_IKE_SA_INIT)
		in = (struct inner){ .first = h.next, .chain = span_tail(d, IKE_HEADER_LEN) };
	if (w->look && (opened || h.exchange == X_IKE_SA_INIT))
		w->look(w->look_ctx, p->from, &h, &in);
	return let_pass(w, p, &h, opened ? &in : NULL);
}

/* ---- a world ---- */

void ike_world_begin(struct ike_world *w, uint8_t which)
{
	const struct sim_net net = { .nat = { which & 128 ? NAT_MAPPED : NAT_NONE, NAT_NONE } };

	*w = (struct ike_world){
		.s = sim_new(&ike_confs[which / 4 % N_IKE_CONFS], net, which),
	};
	FUZZ_HOLDS(w->s != NULL);
	sim_set_middle(w->s, middle, w);
}

void ike_world_end(struct ike_world *w)
{
	char why[512];
	bool every_story_holds = sim_free(w->s, why);

	if (!every_story_holds)
		fprintf(stderr, "the world: %s\n", why);
	FUZZ_HOLDS(every_story_holds);
}

/* ---- how far it has come ---- */

static bool is_at(const struct ike_world *w, enum side victim, bool initiator, enum ike_station at)
{
	const struct ike_sa *sa = ike_world_any_sa(w, victim);

	if (!sa || !ike_world_sa(w, other(victim)) || sa->initiator != initiator)
		return false;
	switch (at) {
	case AT_INIT_DONE:
		return sa->state == S_INIT_DONE;
	case AT_AUTH_SENT:
		return sa->state == S_AUTH_SENT && sa->window.asked &&
		       ike_world_sa(w, other(victim))->state == S_UP;
	case AT_PARKED:
		return sa_parked(sa);
	case AT_UP:
		return sa->state == S_UP && sa->children && !sa->hs;
	case AT_ASKING:
		return sa->mine && sa->mine->stage == CREATE_ASKED;
	case AT_ANSWERING:
		return sa->theirs != NULL;
	case AT_ALIVE:
		return sa->state == S_UP && sa->window.asked &&
		       sa->window.exchange == X_INFORMATIONAL;
	case AT_CLOSING:
		return sa->state == S_CLOSING;
	case N_STATIONS:
		break;
	}
	return false;
}

static bool wait_for(struct ike_world *w, enum side victim, bool initiator, enum ike_station at)
{
	/* Some of them last a millisecond. */
	for (uint32_t ms = 0; ms < 8000 && !sim_failed(w->s); ms += ms < 400 ? 1 : 20) {
		if (is_at(w, victim, initiator, at))
			return true;
		sim_run_ms(w->s, ms < 400 ? 1 : 20);
	}
	return false;
}

bool ike_world_reach(struct ike_world *w, enum side victim, bool initiator, enum ike_station at)
{
	const bool early = at == AT_INIT_DONE || at == AT_AUTH_SENT;
	struct ambush *a = &w->ambush[other(victim)];

	if (early)
		a->drop = 255;
	if (at == AT_ANSWERING)
		sim_up_child(w->s, initiator ? victim : other(victim), "site", "net");
	else
		sim_up(w->s, initiator ? victim : other(victim), "site");
	if (early || at == AT_PARKED)
		return wait_for(w, victim, initiator, at);
	if (!wait_for(w, victim, initiator, AT_UP))
		return false;
	if (at != AT_ANSWERING && at != AT_UP)
		a->drop = 255;
	if (at == AT_CLOSING)
		sim_down(w->s, victim, "site");
	if (at == AT_ASKING)
		sim_up(w->s, victim, "site");
	if (at == AT_ANSWERING)
		sim_up(w->s, other(victim), "site");
	return wait_for(w, victim, initiator, at);
}

/* ---- messages ---- */

static void deliver(struct ike_world *w, enum side to, uint8_t how, struct span datagram)
{
	const struct ike_sa *victim = ike_world_any_sa(w, to);
	struct end *end = &w->s->end[to];
	struct path path;

	/* It may be gone since. */
	if (!victim || end->dead || sim_failed(w->s))
		return;
	path = victim->path;
	if (how & INSIDE_ELSEWHERE)
		path.remote.port ^= 0x101;
	end_datagram(end, &path, datagram);
	if (how & INSIDE_TWICE)
		end_datagram(end, &path, datagram);
}

enum { PACKETS_MAX = 64 };

static void deliver_all(struct ike_world *w, enum side to, uint8_t how, struct span row)
{
	static uint8_t copy[MESSAGE_ROOM];
	struct span d[PACKETS_MAX];
	size_t n = 0;
	struct rd r;

	/* What this leads to may seal something else. */
	if (row.len > 0)
		memcpy(copy, row.p, row.len);
	r = rd_from(span_of(copy, row.len));
	while (n < PACKETS_MAX && header_split(&r, &d[n]))
		n++;
	for (size_t i = 0; i < n; i++)
		deliver(w, to, how, d[how & INSIDE_BACKWARDS ? n - 1 - i : i]);
}

static uint32_t expected_id(const struct ike_sa *victim, bool response)
{
	return response ? victim->window.next_out - 1 : victim->window.next_in;
}

/* Its own engine has made its AUTH, so that the simulator knows a good one when it sees it. A seed
 * may hold one from another run before that. */
static bool has_proved(const struct ike_sa *by)
{
	return by->state == S_UP || (by->state == S_AUTH_SENT && !sa_parked(by));
}

void ike_world_inside(struct ike_world *w, struct span args)
{
	struct rd r = rd_from(args);
	uint8_t how = arg_u8(&r);
	uint8_t delta = arg_u8(&r);
	uint8_t exchange = arg_u8(&r), first = arg_u8(&r);
	enum side from = how & INSIDE_RIGHT ? RIGHT : LEFT;
	struct ike_sa *by = ike_world_sa(w, from), *victim = ike_world_any_sa(w, other(from));
	struct inner in = { .first = first, .chain = rd_rest(&r) };
	struct ike_header h;
	uint32_t id;

	if (!by || !victim || (exchange == X_IKE_AUTH && !has_proved(by)))
		return;
	id = expected_id(victim, how & INSIDE_RESPONSE) + delta - (delta > 127 ? 256u : 0u);
	h = send_header(by, exchange, how & INSIDE_RESPONSE, id);
	if (how & INSIDE_OTHER_ROLE)
		h.flags ^= FLAG_INITIATOR;
	deliver_all(w, other(from), how, seal_as(by, &h, &in, how & INSIDE_FRAGMENTS ? 200 : 0));
}

static struct ike_header clear_header(const struct ike_sa *sa, uint8_t how)
{
	struct ike_header h = { .spi_i = 0x1122334455667788,
				.version = IKE_VERSION,
				.flags = (how & CLEAR_RESPONSE ? FLAG_RESPONSE : 0) |
					 (how & CLEAR_INITIATOR ? FLAG_INITIATOR : 0),
				.message_id = how >> 2 & 3 };

	if (sa && how & CLEAR_SPI_I)
		h.spi_i = sa->spi_i;
	if (sa && how & CLEAR_SPI_R)
		h.spi_r = sa->spi_r;
	return h;
}

void ike_world_clear(struct ike_world *w, struct span args)
{
	static uint8_t bytes[MESSAGE_ROOM];
	struct rd r = rd_from(args);
	enum side to = arg_u8(&r) & 1 ? LEFT : RIGHT;
	uint8_t how = arg_u8(&r);
	const struct ike_sa *victim = ike_world_any_sa(w, to);
	struct path path = sim_path_to(w->s, to, how & CLEAR_ELSEWHERE ? 4500 : 500);
	struct ike_header h = clear_header(victim, how);
	uint32_t times = how & CLEAR_FLOOD ? FLOOD : 1;

	h.exchange = arg_u8(&r);
	h.next = arg_u8(&r);
	h.length = (uint32_t)(IKE_HEADER_LEN + rd_left(&r));
	for (uint32_t i = 0; i < times; i++) {
		struct rd chain = r;
		struct wr out = wr_into(bytes, sizeof(bytes));

		header_encode(&out, &h);
		wr_span(&out, rd_rest(&chain));
		sim_inject(w->s, to, &path, wr_done(&out));
		/* The next one is somebody else in the same network. */
		h.spi_i++;
		path.remote.addr.b[3]++;
	}
	sim_run_ms(w->s, 2);
}
