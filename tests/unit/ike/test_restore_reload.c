/* SPDX-License-Identifier: Apache-2.0 */
/* A reload and a crash that cross: an engine with another configuration is given what its
 * predecessor has written down. What comes of that is what comes of the same reload of an engine
 * that lives, for each single change. */
#include <stdio.h>
#include <string.h>

#include "ike/child.h"
#include "ike/core.h"
#include "ike/keep.h"
#include "ike/snapshot.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

#define LAB	  " child lab {\n  local = 10.7.1.0/24\n  remote = 10.7.2.0/24\n }\n"
#define LAB_RIGHT " child lab {\n  local = 10.7.2.0/24\n  remote = 10.7.1.0/24\n }\n"
#define NET	  "remote = 10.2.0.0/16\n"

enum effect { NOTHING, CHILD, ALL };

/* What takes the place of what, in the text of LEFT; and what it interrupts. */
static const struct {
	const char *was, *is;
	enum effect effect;
} changes[] = {
	{ "start = always", "start = always", NOTHING },
	{ "start = always", "# another text\nstart = always", NOTHING },
	{ "start = always", "start = always\nliveness = 10s", NOTHING },
	{ "start = always", "start = always\nkeepalive = 5s", NOTHING },
	{ "start = always", "start = always\nlifetime = 7h", NOTHING },
	{ "start = always", "start = always\nreauthenticate = 20h", NOTHING },
	{ "start = always", "start = always\nchildless = yes", NOTHING },
	{ "start = always", "start = always\nduplicates = keep", NOTHING },
	{ "start = always", "start = always\nfragment_size = 1400", NOTHING },
	{ "start = always", "start = traffic", ALL },
	{ "start = always", "start = manual", ALL },
	{ "start = always", "start = always\nencap = always", ALL },
	{ "start = always", "start = always\nmobike = no", ALL },
	{ "start = always", "start = always\nmobike_check = before", ALL },
	{ "start = always", "start = always\nport = 4500", ALL },
	{ "start = always", "start = always\npolicy = compatible", ALL },
	{ "start = always", "start = always\npropose = one", ALL },
	{ "start = always", "start = always\nfull_transcript = require", ALL },
	{ "start = always", "start = always\nredirect = follow", ALL },
	{ "start = always", "start = always\nlocal_identity = other.example.org", ALL },
	{ "start = always", "start = always\nlocal_address = 192.0.2.77", ALL },
	{ "identity = right.example.org", "identity = RIGHT.example.org", ALL },
	{ "psk_file = site.psk", "psk_file = other.psk", ALL },
	{ "trust = ca.pem", "trust = other.pem", ALL },
	{ "connection site", "connection other", ALL },
	{ NET, NET "esn = no\n", CHILD },
	{ NET, NET "mode = prefer-transport\n", CHILD },
	{ NET, NET "dataplane = user\n", CHILD },
	{ NET, NET "offload = no\n", CHILD },
	{ NET, NET "replay_window = 64\n", CHILD },
	{ NET, NET "lifetime = 50m\n", CHILD },
	{ NET, NET "life_bytes = 1000000000\n", CHILD },
	{ NET, NET "life_packets = 1000000\n", CHILD },
	{ NET, NET "icmp_errors = no\n", CHILD },
	{ NET, NET "copy_dscp = no\n", CHILD },
	{ NET, NET "ecn = no\n", CHILD },
	{ NET, NET "ttl = 9\n", CHILD },
	{ NET, NET "flow_label = copy\n", CHILD },
	{ NET, "remote = 10.2.0.0/24\n", CHILD },
	{ NET, "remote = 10.2.0.0/16[tcp/443]\n", CHILD },
	{ "local = 10.1.0.0/16", "local = 10.1.0.0/24", CHILD },
	{ "child net", "child web", CHILD },
	{ " child net {\n  local = 10.1.0.0/16\n  remote = 10.2.0.0/16\n }\n", "", CHILD },
};
enum { N_CHANGES = sizeof(changes) / sizeof(changes[0]) };

static const char *changed(int i)
{
	static char text[4096];
	const char *whole = pair_psk(LEFT, "start = always\n" LAB);
	const char *at = strstr(whole, changes[i].was);

	ck_assert_ptr_nonnull(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - whole), whole, changes[i].is,
		 at + strlen(changes[i].was));
	return text;
}

/* ---- the two ways ---- */

static uint8_t record[SNAPSHOT_MAX];

/* Both in one: a record of each IKE SA, and of each connection. */
static void hand_over(struct ike_engine *from, struct ike_engine *to)
{
	static const uint8_t conn_key[] = { KEEP_CONN };
	struct table_node *n = NULL;

	while ((n = table_next(&from->by_spi, n))) {
		const struct ike_sa *sa = container_of(n, struct ike_sa, by_spi);
		struct wr w = wr_into(record, sizeof(record));
		uint8_t key[1 + IKE_SPI_LEN] = { KEEP_SA };

		memcpy(key + 1, sa->own_spi, IKE_SPI_LEN);
		snapshot_put(&w, sa);
		ck_assert_int_eq(ike_engine_restore(to, span_of(key, sizeof(key)), wr_done(&w)),
				 OK);
	}
	for (size_t i = 0; i < from->n_conns; i++) {
		struct wr w = wr_into(record, sizeof(record));
		enum err err;

		snapshot_put_conn(&w, from->conns[i]);
		err = ike_engine_restore(to, span_of(conn_key, sizeof(conn_key)), wr_done(&w));
		ck_assert(err == OK || err == ERR_NOT_FOUND);
	}
}

static void by_crash(struct pair *p, const char *text)
{
	struct end *end = &p->end[LEFT];
	struct conf *old = end->conf;
	struct ike_engine *next;

	end->conf = pair_load(text);
	next = pair_engine(end, true);
	hand_over(end->e, next);
	ike_engine_free(end->e);
	end->e = next;
	conf_free(old);
	ike_engine_resume(next, p->now);
	pair_act(p, LEFT);
}

static void by_reload(struct pair *p, const char *text)
{
	struct end *end = &p->end[LEFT];
	struct conf *old = end->conf;

	end->conf = pair_load(text);
	ck_assert_int_eq(ike_engine_reconfigure(end->e, end->conf, p->now), OK);
	conf_free(old);
	pair_act(p, LEFT);
}

/* ---- what comes of it ---- */

struct outcome {
	size_t notes[2][4];
	size_t sas[2];
	size_t halves[2];
	bool same_ike, same_lab, same_net;
};

static const enum ike_note_kind told[] = { IKE_NOTE_UP, IKE_NOTE_DOWN, IKE_NOTE_CHILD_UP,
					   IKE_NOTE_CHILD_DOWN };

static bool has_spi(const struct pair *p, uint32_t spi)
{
	for (size_t i = 0; i < p->end[LEFT].n_sas; i++) {
		if (p->end[LEFT].sas[i].spi == spi)
			return true;
	}
	return false;
}

static uint32_t spi_of(struct pair *p, const char *name)
{
	const struct child_sa *c = pair_sa(p, LEFT)->children;

	while (c && strcmp(c->conf->name, name) != 0)
		c = c->next;
	ck_assert_ptr_nonnull(c);
	return c->spi_in;
}

static struct outcome outcome_of(void (*way)(struct pair *p, const char *text), int i)
{
	struct pair *p =
		pair_new(pair_psk(LEFT, "start = always\n" LAB), pair_psk(RIGHT, LAB_RIGHT));
	struct outcome o = { .same_ike = false };
	uint32_t net, lab;
	uint64_t ike;

	pair_run(p, 5 * NS_PER_S);
	pair_expect_children(p, 2);
	ike = sa_own_spi(pair_sa(p, RIGHT));
	net = spi_of(p, "net");
	lab = spi_of(p, "lab");
	way(p, changed(i));
	pair_run(p, 15 * NS_PER_S);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		for (size_t k = 0; k < 4; k++)
			o.notes[s][k] = pair_count(p, s, told[k]);
		o.sas[s] = pair_sas(p, s);
		o.halves[s] = p->end[s].n_sas;
	}
	o.same_ike = sa_find(p->end[RIGHT].e, ike) != NULL;
	o.same_net = has_spi(p, net);
	o.same_lab = has_spi(p, lab);
	pair_free(p);
	return o;
}

static void expect_same(const struct outcome *a, const struct outcome *b)
{
	for (enum side s = LEFT; s <= RIGHT; s++) {
		for (size_t k = 0; k < 4; k++)
			ck_assert_uint_eq(a->notes[s][k], b->notes[s][k]);
		ck_assert_uint_eq(a->sas[s], b->sas[s]);
		ck_assert_uint_eq(a->halves[s], b->halves[s]);
	}
}

static void expect_effect(const struct outcome *o, enum effect effect)
{
	ck_assert_int_eq(o->same_ike, effect != ALL);
	ck_assert_int_eq(o->same_lab, effect != ALL);
	ck_assert_int_eq(o->same_net, effect == NOTHING);
	ck_assert_uint_eq(o->notes[RIGHT][1], effect == ALL);
}

START_TEST(a_reload_that_a_crash_crosses_is_a_reload)
{
	struct outcome reload = outcome_of(by_reload, _i), crash = outcome_of(by_crash, _i);

	expect_effect(&reload, changes[_i].effect);
	expect_effect(&crash, changes[_i].effect);
	expect_same(&reload, &crash);
}
END_TEST

UNIT("ike/restore-reload")
{
	tcase_add_loop_test(tc, a_reload_that_a_crash_crosses_is_a_reload, 0, N_CHANGES);
}
