/* SPDX-License-Identifier: Apache-2.0 */
/* Two peers for the same networks: which of them packets go to. */
#include <string.h>

#include "ike/child.h"
#include "ike/connection.h"
#include "ike/core.h"
#include "ike/life.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

/* RIGHT is both peers: by who they say they are. */
#define ME(name) "me {\n identity = " name ".example.org\n}\n"
#define TO(name, peer, address, more)                                                            \
	"connection " name " {\n address = " address "\n identity = " peer ".example.org\n" more \
	" auth = psk\n psk_file = site.psk\n mobike = no\n"
#define NET(local, remote) " child net {\n  local = " local "\n  remote = " remote "\n }\n}\n"
#define LEFT_TO(name, peer, more)                                \
	TO(name, peer, "198.51.100.2", " start = always\n" more) \
	NET("10.1.0.0/16", "10.2.0.0/16")
#define RIGHT_TO(name, self)                                                           \
	TO(name, "left", "192.0.2.1",                                                  \
	   " start = manual\n priority = 1\n local_identity = " self ".example.org\n") \
	NET("10.2.0.0/16", "10.1.0.0/16")

static const char *const right = ME("right") RIGHT_TO("main", "right") RIGHT_TO("spare", "spare");
static const char *const ranked = ME("left") LEFT_TO("main", "right", " priority = 1\n")
	LEFT_TO("spare", "spare", " priority = 2\n");
static const char *const alone = ME("left") LEFT_TO("main", "right", " priority = 1\n");

static struct ike_sa *sa_named(const struct pair *p, enum side s, const char *name)
{
	const struct ike_engine *e = p->end[s].e;

	for (size_t i = 0; i < e->n_conns; i++) {
		if (strcmp(e->conns[i]->conf->name, name) == 0)
			return conn_sa(e->conns[i]);
	}
	return NULL;
}

/* What is for one of RIGHT's two, or from it, is lost. */
struct world {
	uint64_t dead; /* initiator's SPI; 0: none */
	size_t n_lost;
};

static bool passes(struct pair *p, struct datagram *d)
{
	struct world *w = p->ctx;
	struct rd r = rd_from(span_of(d->bytes, d->len));
	uint64_t spi = rd_u64(&r);

	if (w->dead == 0 || spi != w->dead)
		return true;
	w->n_lost++;
	return false;
}

static struct pair *begin_as(struct world *w, const char *left)
{
	struct pair *p = pair_new(left, right);

	*w = (struct world){ .dead = 0 };
	p->ctx = w;
	p->filter = passes;
	pair_run(p, 200 * NS_PER_S); /* the early new keys, too */
	return p;
}

static struct pair *begin(struct world *w)
{
	struct pair *p = begin_as(w, ranked);

	pair_expect_children(p, 2);
	ck_assert_ptr_nonnull(sa_named(p, LEFT, "main"));
	ck_assert_ptr_nonnull(sa_named(p, LEFT, "spare"));
	return p;
}

static const struct sa_desc *out_of(const struct pair *p, const char *name)
{
	const struct ike_sa *sa = sa_named(p, LEFT, name);
	const struct sa_desc *found = NULL;

	for (size_t i = 0; i < p->end[LEFT].n_sas; i++) {
		const struct sa_desc *d = &p->end[LEFT].sas[i];

		if (d->dir == SA_OUT && sa && sa->children && d->spi == sa->children->spi_out)
			found = d;
	}
	ck_assert_ptr_nonnull(found);
	return found;
}

/* Packets go by it, and none have come since. */
static void silent(struct pair *p, const char *name, mono_ns heard)
{
	struct plane_event pe = { .kind = PLANE_SILENT,
				  .dir = SA_OUT,
				  .spi = out_of(p, name)->spi,
				  .heard_ns = heard };
	const struct ike_event ev = { .kind = IKE_EV_PLANE, .plane = &pe };

	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
}

static void die(struct pair *p, struct world *w, const char *name)
{
	w->dead = sa_named(p, LEFT, name)->spi_i;
	pair_run(p, 400 * NS_PER_MS);
	silent(p, name, p->now - 400 * NS_PER_MS);
}

START_TEST(the_plane_is_told_who_goes_first)
{
	struct world w;
	struct pair *p = begin(&w);

	ck_assert_uint_eq(out_of(p, "main")->priority, 1);
	ck_assert_uint_eq(out_of(p, "spare")->priority, 2);
	ck_assert(!out_of(p, "main")->passed && !out_of(p, "spare")->passed);
	pair_free(p);
}
END_TEST

/* 0.4 s until the plane says it, 0.875 at most until the question is sent again. */
START_TEST(a_peer_that_does_not_answer_is_passed_over_in_time)
{
	struct world w;
	struct pair *p = begin(&w);
	const struct ike_note *n;

	die(p, &w, "main");
	ck_assert(!out_of(p, "main")->passed);
	pair_run(p, 880 * NS_PER_MS);
	ck_assert(out_of(p, "main")->passed);
	ck_assert(!out_of(p, "spare")->passed);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_PASSED_OVER), 1);
	n = pair_note(p, LEFT, IKE_NOTE_PASSED_OVER);
	ck_assert_str_eq(n->connection, "main");
	ck_assert_str_eq(n->text, "its packets go to spare");
	/* It is there for as long as ever. */
	pair_run(p, 10 * NS_PER_S);
	pair_expect_children(p, 2);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_DOWN), 0);
	pair_run(p, 40 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_DOWN), 1);
	w.dead = 0;
	pair_run(p, 100 * NS_PER_S);
	ck_assert(!out_of(p, "main")->passed);
	pair_free(p);
}
END_TEST

START_TEST(one_that_answers_is_not_passed_over)
{
	struct world w;
	struct pair *p = begin(&w);

	for (int i = 0; i < 120; i++) {
		silent(p, "main", p->now - 1100 * NS_PER_MS);
		pair_run(p, NS_PER_S);
	}
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_PASSED_OVER), 0);
	pair_free(p);
}
END_TEST

/* What needs no answer has it asked every two seconds, and not more. */
START_TEST(who_has_a_priority_is_asked_every_two_seconds_at_least)
{
	struct world w;
	struct pair *p = begin(&w);
	const mono_ns heard = p->now;
	size_t sent;

	pair_run(p, 5 * NS_PER_S);
	sent = p->n_sent;
	for (int i = 0; i < 60; i++) {
		silent(p, "main", heard);
		pair_run(p, NS_PER_S);
	}
	ck_assert_uint_ge(p->n_sent - sent, 2 * 28);
	ck_assert_uint_le(p->n_sent - sent, 2 * 32 + 4);
	pair_free(p);
}
END_TEST

START_TEST(who_is_heard_again_is_used_again_a_second_later)
{
	struct world w;
	struct pair *p = begin(&w);
	mono_ns was;

	die(p, &w, "main");
	pair_run(p, 5 * NS_PER_S);
	w.dead = 0;
	for (was = p->now; sa_named(p, LEFT, "main")->standby.back == NEVER;)
		pair_run(p, 10 * NS_PER_MS);
	ck_assert_uint_lt(p->now - was, 3500 * NS_PER_MS);
	pair_run(p, 900 * NS_PER_MS);
	ck_assert(out_of(p, "main")->passed);
	pair_run(p, 200 * NS_PER_MS);
	ck_assert(!out_of(p, "main")->passed);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_USED_AGAIN), 1);
	pair_free(p);
}
END_TEST

/* It comes and goes: used again after 1, 2, 4 and so on up to 64 seconds, and after two quiet
 * minutes after one second again. */
START_TEST(who_comes_and_goes_has_to_be_heard_for_longer)
{
	struct world w;
	struct pair *p = begin(&w);
	uint8_t hold = 0;

	for (int i = 0; i < 9; i++) {
		struct ike_sa *sa;

		die(p, &w, "main");
		pair_run(p, NS_PER_S);
		sa = sa_named(p, LEFT, "main");
		ck_assert(sa->standby.over);
		hold = (uint8_t)(1 << (i < 6 ? i : 6));
		ck_assert_uint_eq(sa->standby.hold_s, hold);
		w.dead = 0;
		pair_run(p, (hold + 4) * NS_PER_S);
		ck_assert(!sa_named(p, LEFT, "main")->standby.over);
	}
	pair_run(p, 150 * NS_PER_S);
	die(p, &w, "main");
	pair_run(p, NS_PER_S);
	ck_assert_uint_eq(sa_named(p, LEFT, "main")->standby.hold_s, 1);
	w.dead = 0;
	pair_run(p, 60 * NS_PER_S);
	pair_free(p);
}
END_TEST

/* Heard once, and silent before it is used again: it is not. */
START_TEST(one_word_is_not_enough)
{
	struct world w;
	struct pair *p = begin(&w);
	struct ike_sa *sa;

	die(p, &w, "main");
	pair_run(p, 2 * NS_PER_S);
	sa = sa_named(p, LEFT, "main");
	sa->standby.hold_s = 8;
	w.dead = 0;
	while (sa->standby.back == NEVER)
		pair_run(p, 10 * NS_PER_MS);
	pair_run(p, 2 * NS_PER_S);
	w.dead = sa->spi_i;
	sa->alive_wanted = true;
	sa_settle(sa);
	pair_act(p, LEFT);
	pair_run(p, 2 * NS_PER_S);
	ck_assert_uint_eq(sa->standby.back, NEVER);
	ck_assert(sa->standby.over);
	w.dead = 0;
	pair_run(p, 20 * NS_PER_S);
	ck_assert(!sa->standby.over);
	pair_free(p);
}
END_TEST

/* Its children that come while it is passed over, and another IKE SA in its place, are so, too. */
START_TEST(what_takes_its_place_is_passed_over_as_it_was)
{
	struct world w;
	struct pair *p = begin(&w);
	struct ike_sa *sa;
	uint32_t was;

	die(p, &w, "main");
	pair_run(p, 2 * NS_PER_S);
	sa = sa_named(p, LEFT, "main");
	ck_assert(sa->standby.over);
	sa->standby.hold_s = 64;
	w.dead = 0;
	was = out_of(p, "main")->spi;
	pair_run(p, 4 * NS_PER_S);
	sa->children->rekey.soft = p->now;
	sa_schedule(sa);
	pair_run(p, 5 * NS_PER_S);
	ck_assert_uint_ne(out_of(p, "main")->spi, was);
	ck_assert(out_of(p, "main")->passed);
	sa->rekey_at = p->now;
	sa_schedule(sa);
	pair_run(p, 5 * NS_PER_S);
	ck_assert_ptr_ne(sa_named(p, LEFT, "main"), sa);
	ck_assert(sa_named(p, LEFT, "main")->standby.over);
	pair_run(p, 70 * NS_PER_S);
	ck_assert(!out_of(p, "main")->passed);
	pair_free(p);
}
END_TEST

START_TEST(without_another_one_it_is_said_so)
{
	struct world w;
	struct pair *p = begin_as(&w, alone);

	die(p, &w, "main");
	pair_run(p, NS_PER_S);
	ck_assert_str_eq(pair_note(p, LEFT, IKE_NOTE_PASSED_OVER)->text,
			 "no other peer for its networks is up");
	w.dead = 0;
	pair_run(p, 10 * NS_PER_S);
	pair_free(p);
}
END_TEST

/* ---- what packets wake ---- */

#define WOKEN(name, peer, more)                                   \
	TO(name, peer, "198.51.100.2", " start = traffic\n" more) \
	NET("10.1.0.0/16", "10.2.0.0/16")
static const char *const woken = ME("left") WOKEN("main", "right", " priority = 1\n")
	WOKEN("spare", "spare", " priority = 2\n");
static const char *const one_woken =
	ME("left") TO("main", "right", "198.51.100.2", " start = manual\n priority = 1\n")
		NET("10.1.0.0/16", "10.2.0.0/16") WOKEN("spare", "spare", " priority = 2\n");
static const char *const unranked = ME("left") WOKEN("main", "right", "")
	TO("spare", "spare", "198.51.100.2", " start = traffic\n")
		NET("10.1.0.0/16", "10.3.0.0/16");

/* 0: userspace asks; else the kernel, by the trap that both have and that is this one's. */
static void ask(struct pair *p, uint32_t number, const char *trap)
{
	struct conf *c = p->end[LEFT].conf;
	struct plane_event pe = { .kind = PLANE_ACQUIRE, .acquire = number };
	struct ike_event ev = { .kind = IKE_EV_PLANE,
				.from = number != 0 ? PLANE_KERNEL : PLANE_USER,
				.plane = &pe };

	if (number != 0)
		pe.reqid = conf_connection_find(c, trap)->children[0].reqid;
	ck_assert(addr_parse("10.1.0.7", &pe.flow.src));
	ck_assert(addr_parse("10.2.0.7", &pe.flow.dst));
	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
}

static struct pair *sleeping(struct world *w, const char *left, bool kernel)
{
	const char *const text[2] = { left, right };
	const struct plane_caps none = { .v4 = false };
	const struct plane_caps caps[2] = { kernel ? pair_kernel() : none, none };
	struct pair *p = pair_new_on(text, caps);

	*w = (struct world){ .dead = 0 };
	p->ctx = w;
	p->filter = passes;
	return p;
}

static bool is_up(const struct pair *p, const char *name)
{
	const struct ike_sa *sa = sa_named(p, LEFT, name);

	return sa && sa->state == S_UP && sa->children;
}

static bool first_only(struct pair *p, struct datagram *d)
{
	struct world *w = p->ctx;

	if (w->dead == 0)
		w->dead = sa_named(p, LEFT, "main") ? sa_named(p, LEFT, "main")->spi_i : 0;
	return passes(p, d);
}

/* Whosever trap it was: the kernel has one for both, and userspace none. */
START_TEST(a_packet_wakes_all_peers_for_its_networks)
{
	static const char *const traps[] = { NULL, "main", "spare" };
	struct world w;
	struct pair *p = sleeping(&w, woken, _i > 0);

	ask(p, _i > 0 ? 7 : 0, traps[_i]);
	pair_run(p, 5 * NS_PER_S);
	ck_assert(is_up(p, "main") && is_up(p, "spare"));
	ck_assert_uint_eq(p->end[LEFT].n_forgets, 0);
	pair_free(p);
}
END_TEST

START_TEST(where_one_cannot_be_reached_the_next_one_comes)
{
	static const char *const traps[] = { NULL, "main", "spare" };
	struct world w;
	struct pair *p = sleeping(&w, woken, _i > 0);

	p->filter = first_only;
	ask(p, _i > 0 ? 7 : 0, traps[_i]);
	pair_run(p, 5 * NS_PER_S);
	ck_assert(!is_up(p, "main") && is_up(p, "spare"));
	pair_run(p, 60 * NS_PER_S);
	ck_assert_ptr_null(sa_named(p, LEFT, "main"));
	pair_free(p);
}
END_TEST

/* A packet begins nothing there, and the kernel's question waits for the other. */
START_TEST(who_does_not_wait_for_packets_is_not_woken)
{
	static const char *const traps[] = { NULL, "main", "spare" };
	struct world w;
	struct pair *p = sleeping(&w, one_woken, _i > 0);

	p->end[RIGHT].hold_jobs = true;
	ask(p, _i > 0 ? 7 : 0, traps[_i]);
	pair_run(p, 5 * NS_PER_S);
	ck_assert_uint_eq(p->end[LEFT].n_forgets, 0);
	pair_run(p, 60 * NS_PER_S);
	ck_assert_ptr_null(sa_named(p, LEFT, "main"));
	p->end[RIGHT].hold_jobs = false;
	pair_run(p, 100 * NS_PER_S);
	ask(p, _i > 0 ? 8 : 0, traps[_i]);
	pair_run(p, 5 * NS_PER_S);
	ck_assert_ptr_null(sa_named(p, LEFT, "main"));
	ck_assert(is_up(p, "spare"));
	pair_free(p);
}
END_TEST

START_TEST(whose_networks_are_others_is_not_woken)
{
	struct world w;
	struct pair *p = sleeping(&w, unranked, true);

	ask(p, 7, "main");
	pair_run(p, 5 * NS_PER_S);
	ck_assert(is_up(p, "main"));
	ck_assert_ptr_null(sa_named(p, LEFT, "spare"));
	pair_free(p);
}
END_TEST

UNIT("ike/engine-standby")
{
	tcase_add_loop_test(tc, a_packet_wakes_all_peers_for_its_networks, 0, 3);
	tcase_add_loop_test(tc, where_one_cannot_be_reached_the_next_one_comes, 0, 3);
	tcase_add_loop_test(tc, who_does_not_wait_for_packets_is_not_woken, 0, 3);
	tcase_add_test(tc, whose_networks_are_others_is_not_woken);
	tcase_add_test(tc, the_plane_is_told_who_goes_first);
	tcase_add_test(tc, a_peer_that_does_not_answer_is_passed_over_in_time);
	tcase_add_test(tc, one_that_answers_is_not_passed_over);
	tcase_add_test(tc, who_has_a_priority_is_asked_every_two_seconds_at_least);
	tcase_add_test(tc, who_is_heard_again_is_used_again_a_second_later);
	tcase_add_test(tc, who_comes_and_goes_has_to_be_heard_for_longer);
	tcase_add_test(tc, one_word_is_not_enough);
	tcase_add_test(tc, what_takes_its_place_is_passed_over_as_it_was);
	tcase_add_test(tc, without_another_one_it_is_said_so);
}
