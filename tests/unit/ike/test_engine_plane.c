/* SPDX-License-Identifier: Apache-2.0 */
/* Which data plane carries a child, what is then proposed, and what happens when one refuses. */
#include <stdio.h>
#include <string.h>

#include "crypto/alg.h"
#include "ike/child.h"
#include "ike/deal.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

/* Both ends alike, with this line in the child and these policies. */
static const char *site(enum side s, const char *policy, const char *child)
{
	static char text[2][2048];
	int self = s == LEFT ? 0 : 1, peer = 1 - self;

	snprintf(text[s], sizeof(text[s]),
		 "me {\n identity = %s\n}\nconnection site {\n address = %s\n identity = %s\n"
		 " auth = psk\n psk_file = a.psk\n %s\n %s\n"
		 " child net {\n  local = 10.%d.0.0/16\n  remote = 10.%d.0.0/16\n  %s\n }\n}\n",
		 pair_names[self], peer ? "198.51.100.2" : "192.0.2.1", pair_names[peer],
		 strstr(policy, "start") ? "" : "start = manual", policy, self + 1, peer + 1,
		 child);
	return text[s];
}

static struct pair *pair_of(const char *policy, const char *const child[2],
			    const struct plane_caps kernel[2])
{
	const char *const text[2] = { site(LEFT, policy, child[LEFT]),
				      site(RIGHT, policy, child[RIGHT]) };

	return pair_new_on(text, kernel);
}

static void take_encr(struct plane_caps *k, const char *keyword)
{
	const struct encr *e = encr_by_keyword(keyword);
	uint8_t n = 0;

	for (uint8_t i = 0; i < k->n_encr; i++) {
		if (k->encr[i].id != e->id || k->encr[i].key_bits != e->key_bits)
			k->encr[n++] = k->encr[i];
	}
	k->n_encr = n;
}

static void keep_view(void *ctx, const struct ike_view *v)
{
	struct ike_child_view *out = ctx;

	*out = v->children[0];
}

static struct ike_child_view view_of(const struct pair *p, enum side s)
{
	struct ike_child_view v = { .up = false };

	ike_engine_views(p->end[s].e, keep_view, &v);
	return v;
}

/* What LEFT's and RIGHT's children say, what LEFT's kernel lacks, and where LEFT's child goes. */
static const struct {
	const char *child;
	const char *lacks; /* a cipher; "all" */
	enum sa_plane plane;
	const char *why;
} choices[] = {
	{ "", NULL, PLANE_KERNEL, "the kernel carries every suite of its policy" },
	{ "", "all", PLANE_USER, "the kernel lacks CONFIG_INET_ESP" },
	{ "", "aes128gcm16", PLANE_USER, "the kernel lacks AES-GCM-16-128" },
	{ "dataplane = user", NULL, PLANE_USER, "as configured" },
	{ "dataplane = kernel", NULL, PLANE_KERNEL, "as configured" },
	{ "dataplane = kernel", "aes128gcm16", PLANE_KERNEL, "as configured" },
};

START_TEST(a_child_goes_to_the_plane_that_carries_it)
{
	struct plane_caps kernel[2] = { pair_kernel(), { .v4 = false } };
	const char *const child[2] = { choices[_i].child, "" };
	const char *lacks = choices[_i].lacks;
	struct pair *p;

	if (lacks && strcmp(lacks, "all") == 0)
		kernel[LEFT] = (struct plane_caps){ .lacks = "CONFIG_INET_ESP" };
	else if (lacks)
		take_encr(&kernel[LEFT], lacks);
	p = pair_of("", child, kernel);
	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 1);
	for (size_t i = 0; i < p->end[LEFT].n_sas; i++) {
		const struct sa_desc *sa = &p->end[LEFT].sas[i];

		ck_assert_int_eq(sa->plane, choices[_i].plane);
		ck_assert(sa->dir == SA_OUT ||
			  !(sa->spi & SPI_USER_BIT) == (sa->plane == PLANE_KERNEL));
	}
	ck_assert_int_eq(view_of(p, LEFT).plane, choices[_i].plane);
	ck_assert_str_eq(view_of(p, LEFT).plane_why, choices[_i].why);
	ck_assert(view_of(p, LEFT).carried);
	pair_free(p);
}
END_TEST

/* The first of the policy is what the kernel does not have: the next one is agreed on, whoever
 * begins. */
START_TEST(what_the_kernel_lacks_is_not_agreed_on)
{
	struct plane_caps kernel[2] = { pair_kernel(), { .v4 = false } };
	const char *const child[2] = { "dataplane = kernel", "" };
	const char *policy = _i % 2 ? "policy = { aes256gcm16 aes128gcm16 prfsha384 x25519 }"
				    : "policy = { aes256 aes128 sha256 x25519 }";
	const struct encr *left = encr_by_keyword(_i % 2 ? "aes128gcm16" : "aes128");
	struct pair *p;

	take_encr(&kernel[LEFT], _i % 2 ? "aes256gcm16" : "aes256");
	p = pair_of(policy, child, kernel);
	pair_up(p, _i < 2 ? LEFT : RIGHT, "site");
	pair_drain(p);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(p->end[LEFT].sas[0].encr_id, left->id);
	ck_assert_uint_eq(p->end[LEFT].sas[0].encr_key_bits, left->key_bits);
	pair_free(p);
}
END_TEST

START_TEST(esn_is_not_offered_where_the_kernel_has_none)
{
	struct plane_caps kernel[2] = { pair_kernel(), { .v4 = false } };
	const char *const child[2] = { "", "" };
	struct pair *p;

	kernel[LEFT].esn = false;
	p = pair_of("", child, kernel);
	pair_up(p, _i ? LEFT : RIGHT, "site");
	pair_drain(p);
	pair_expect_children(p, 1);
	ck_assert(!p->end[LEFT].sas[0].esn);
	pair_free(p);
}
END_TEST

START_TEST(a_child_that_nobody_carries_is_not_tried)
{
	const struct plane_caps kernel[2] = { { .lacks = "CONFIG_INET_ESP" }, { .v4 = false } };
	const char *const text[2] = { site(LEFT, "start = always", "dataplane = kernel"),
				      site(RIGHT, "", "") };
	struct pair *p = pair_new_on(text, kernel);
	const struct ike_note *n;

	pair_run(p, 200 * NS_PER_S);
	n = pair_note(p, LEFT, IKE_NOTE_REFUSED);
	ck_assert_ptr_nonnull(n);
	ck_assert_int_eq(n->err, ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(n->text, "CONFIG_INET_ESP"));
	ck_assert_uint_gt(n->next_try_ms, 0);
	ck_assert_uint_eq(p->n_sent, 0);
	/* One, two, four ... seconds apart. */
	ck_assert_uint_le(pair_count(p, LEFT, IKE_NOTE_REFUSED), 12);
	ck_assert(!view_of(p, LEFT).carried);
	pair_free(p);
}
END_TEST

START_TEST(a_peer_that_wants_what_nobody_carries_is_told)
{
	struct plane_caps kernel[2] = { { .v4 = false }, { .lacks = "CONFIG_INET_ESP" } };
	const char *const child[2] = { "", "dataplane = kernel" };
	struct pair *p = pair_of("", child, kernel);
	const struct ike_note *n;

	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 0);
	n = pair_note(p, RIGHT, IKE_NOTE_CHILD_FAILED);
	ck_assert_int_eq(n->err, ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(n->text, "CONFIG_INET_ESP"));
	n = pair_note(p, LEFT, IKE_NOTE_CHILD_FAILED);
	ck_assert_int_eq(n->err, ERR_PEER_PROPOSAL);
	pair_free(p);
}
END_TEST

/* The way there is what the kernel cannot: UDP, or the family. */
START_TEST(a_path_that_the_kernel_cannot_carry_is_told)
{
	struct plane_caps kernel[2] = { pair_kernel(), { .v4 = false } };
	const char *const child[2] = { "dataplane = kernel", "" };
	struct pair *p;

	kernel[LEFT].encap = false;
	p = pair_of("encap = always", child, kernel);
	pair_up(p, LEFT, "site");
	pair_run(p, 40 * NS_PER_S);
	pair_expect_children(p, 0);
	ck_assert_ptr_nonnull(strstr(pair_note(p, LEFT, IKE_NOTE_REFUSED)->text, "ESP in UDP"));
	pair_free(p);
}
END_TEST

/* Which install of LEFT's (who begins) or RIGHT's fails, with what. */
static const struct {
	enum side side;
	size_t nth;
	enum err err;
	enum err peer_hears; /* of LEFT, when RIGHT's inbound half fails */
} refusals[] = {
	{ RIGHT, 1, ERR_NOMEM, ERR_PEER_PROPOSAL },
	{ RIGHT, 1, ERR_UNSUPPORTED, ERR_PEER_PROPOSAL },
	{ RIGHT, 1, ERR_EXISTS, ERR_PEER_TS },
	{ RIGHT, 2, ERR_NOMEM, OK },
	{ LEFT, 1, ERR_DENIED, OK },
	{ LEFT, 2, ERR_EXISTS, OK },
};

START_TEST(what_a_plane_refuses_is_told_and_leaves_nothing)
{
	const struct plane_caps kernel[2] = { pair_kernel(), pair_kernel() };
	const char *const child[2] = { "", "" };
	struct pair *p = pair_of("", child, kernel);
	struct end *end = &p->end[refusals[_i].side];
	const struct ike_note *n;

	end->fail_install = refusals[_i].nth;
	end->fail_install_err = refusals[_i].err;
	end->fail_install_why = "the kernel says: no more room";
	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 0);
	ck_assert_uint_eq(pair_sas(p, LEFT), 1);
	ck_assert_uint_eq(pair_sas(p, RIGHT), 1);
	n = pair_note(p, refusals[_i].side, IKE_NOTE_CHILD_FAILED);
	ck_assert_ptr_nonnull(n);
	ck_assert_int_eq(n->err, refusals[_i].err);
	ck_assert_ptr_nonnull(strstr(n->text, "no more room"));
	if (refusals[_i].peer_hears != OK)
		ck_assert_int_eq(pair_note(p, LEFT, IKE_NOTE_CHILD_FAILED)->err,
				 refusals[_i].peer_hears);
	pair_free(p);
}
END_TEST

static const struct {
	const char *policy;
	const char *child;
	bool limited;
} limits[] = {
	{ "policy = { aes256gcm16 prfsha384 x25519 }", "", true },
	{ "policy = { aes256gcm16 prfsha384 x25519 }", "esn = no", true },
	{ "policy = { aes256 sha256 x25519 }", "", false },
	{ "policy = { aes256 sha256 x25519 }", "esn = no", true }, /* numbers run out */
};

START_TEST(a_key_has_the_limits_of_its_cipher)
{
	const struct plane_caps kernel[2] = { pair_kernel(), { .v4 = false } };
	const char *const child[2] = { limits[_i].child, limits[_i].child };
	struct pair *p = pair_of(limits[_i].policy, child, kernel);

	pair_up(p, LEFT, "site");
	pair_drain(p);
	pair_expect_children(p, 1);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		const struct sa_desc *sa = &p->end[s].sas[0];

		ck_assert_uint_eq(sa->packet_limit, limits[_i].limited ? UINT32_MAX : 0);
		ck_assert((sa->packet_soft > 0) == limits[_i].limited);
		ck_assert(sa->packet_soft <= sa->packet_limit);
		ck_assert_uint_eq(sa->byte_limit, 0);
	}
	pair_free(p);
}
END_TEST

/* Two SAs of one number at one peer would be one to it (A27); 0 to 255 are none. */
START_TEST(a_peers_spi_is_taken_once)
{
	const struct plane_caps kernel[2] = { pair_kernel(), pair_kernel() };
	const char *const child[2] = { "", "" };
	struct pair *p = pair_of("", child, kernel);
	const struct ike_sa *sa;
	uint32_t spi;

	pair_up(p, LEFT, "site");
	pair_drain(p);
	for (enum side s = LEFT; s <= RIGHT; s++) {
		sa = pair_sa(p, s);
		spi = sa->children->spi_out;
		ck_assert_int_eq(deal_judge_spi(sa, spi), ERR_EXISTS);
		ck_assert_int_eq(deal_judge_spi(sa, spi ^ 1), OK);
		ck_assert_int_eq(deal_judge_spi(sa, 0), ERR_SYNTAX);
		ck_assert_int_eq(deal_judge_spi(sa, 255), ERR_SYNTAX);
		ck_assert_int_eq(deal_judge_spi(sa, 256), OK);
		ck_assert_int_eq(deal_judge_spi(sa, 1ull << 32 | spi), ERR_SYNTAX);
	}
	pair_free(p);
}
END_TEST

/* ---- whose word it is ---- */

static uint64_t tell(struct pair *p, enum sa_plane from, const struct plane_event *pe)
{
	const struct ike_stats *stats = ike_engine_stats(p->end[LEFT].e);
	struct ike_event ev = { .kind = IKE_EV_PLANE, .from = from, .plane = pe };
	uint64_t before = stats->dropped[ERR_NOT_FOUND];

	pair_event(&p->end[LEFT], &ev);
	pair_act(p, LEFT);
	pair_drain(p);
	return stats->dropped[ERR_NOT_FOUND] - before;
}

static struct pair *pair_on(enum sa_plane plane, const char *start)
{
	const struct plane_caps kernel[2] = { pair_kernel(), { .v4 = false } };
	const char *const child[2] = { plane == PLANE_KERNEL ? "" : "dataplane = user", "" };

	return pair_of(start, child, kernel);
}

/* An SA's end, in either direction: the one plane's word, and then the other's, which it is. */
START_TEST(the_end_of_an_sa_is_told_by_its_own_plane)
{
	enum sa_plane own = _i < 2 ? PLANE_KERNEL : PLANE_USER;
	enum sa_plane other = own == PLANE_KERNEL ? PLANE_USER : PLANE_KERNEL;
	struct pair *p = pair_on(own, "start = manual");
	struct plane_event pe = { .kind = PLANE_EXPIRE };

	pair_up(p, LEFT, "site");
	pair_drain(p);
	pe.spi = p->end[LEFT].sas[_i % 2].spi;
	pe.dir = p->end[LEFT].sas[_i % 2].dir;
	ck_assert_uint_eq(tell(p, other, &pe), 1);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_DOWN), 0);
	pe.kind = PLANE_GONE;
	ck_assert_uint_eq(tell(p, other, &pe), 0);
	pair_expect_children(p, 1);
	pe.kind = PLANE_EXPIRE;
	ck_assert_uint_eq(tell(p, own, &pe), 0);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_DOWN), 1);
	pair_free(p);
}
END_TEST

/* ---- another process of userspace ESP, which has the SAs of the one before ---- */

START_TEST(a_plane_that_is_back_is_asked_and_nothing_else_happens)
{
	const struct plane_event back = { .kind = PLANE_BACK };
	struct pair *p = pair_on(PLANE_USER, "start = manual");
	size_t installs;
	uint32_t spi;

	pair_up(p, LEFT, "site");
	pair_drain(p);
	installs = p->end[LEFT].n_installs;
	spi = pair_sa(p, LEFT)->children->spi_in;
	ck_assert_uint_eq(tell(p, PLANE_USER, &back), 0);
	pair_expect_children(p, 1);
	ck_assert_uint_eq(pair_sa(p, LEFT)->children->spi_in, spi);
	ck_assert_uint_eq(p->end[LEFT].n_installs, installs);
	pair_free(p);
}
END_TEST

/* It could not go on with them. */
START_TEST(what_a_plane_that_is_back_does_not_have_is_made_anew)
{
	const struct plane_event back = { .kind = PLANE_BACK };
	struct pair *p = pair_on(PLANE_USER, "start = always");
	struct end *left = &p->end[LEFT];
	uint32_t spi;

	pair_up(p, LEFT, "site");
	pair_run(p, 20 * NS_PER_S); /* both have begun, and one of the two goes */
	spi = pair_sa(p, LEFT)->children->spi_in;
	for (size_t i = 0; i < left->n_sas; i++)
		sa_desc_wipe(&left->sas[i]);
	left->n_sas = 0;
	tell(p, PLANE_USER, &back);
	pair_run(p, 5 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_uint_ne(pair_sa(p, LEFT)->children->spi_in, spi);
	pair_free(p);
}
END_TEST

/* Perhaps it is what they die of. */
START_TEST(what_is_asked_of_one_after_the_other_is_given_up_in_time)
{
	const struct plane_event back = { .kind = PLANE_BACK };
	struct pair *p = pair_on(PLANE_USER, "start = manual");
	struct end *left = &p->end[LEFT];

	left->hold_sas = true;
	pair_up(p, LEFT, "site");
	pair_drain(p);
	ck_assert_uint_eq(left->n_unheard_installs, 1);
	for (int i = 0; i < 4; i++) {
		pair_run(p, 2 * NS_PER_S);
		tell(p, PLANE_USER, &back);
	}
	ck_assert_uint_eq(left->n_unheard_installs, 5);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_FAILED), 0);
	pair_run(p, 3 * NS_PER_S);
	ck_assert_uint_eq(pair_count(p, LEFT, IKE_NOTE_CHILD_FAILED), 1);
	left->hold_sas = false;
	pair_free(p);
}
END_TEST

START_TEST(a_path_is_smaller_for_the_plane_that_says_so)
{
	struct pair *p = pair_on(PLANE_KERNEL, "start = manual");
	struct plane_event pe = { .kind = PLANE_MTU, .mtu = 1400 };
	uint16_t before;

	pair_up(p, LEFT, "site");
	pair_drain(p);
	before = p->end[LEFT].mtu;
	pe.remote.addr = p->end[RIGHT].addr;
	tell(p, PLANE_USER, &pe);
	ck_assert_uint_eq(p->end[LEFT].mtu, before);
	tell(p, PLANE_KERNEL, &pe);
	ck_assert_uint_eq(p->end[LEFT].mtu, before - 100);
	pair_free(p);
}
END_TEST

/* The kernel by the number of its trap; userspace by the packet alone, and without a number. */
START_TEST(a_packet_asks_its_own_plane)
{
	enum sa_plane own = _i == 0 ? PLANE_KERNEL : PLANE_USER;
	enum sa_plane other = _i == 0 ? PLANE_USER : PLANE_KERNEL;
	struct pair *p = pair_on(own, "start = traffic");
	uint32_t reqid = p->end[LEFT].conf->connections[0].children[0].reqid;
	struct plane_event pe = { .kind = PLANE_ACQUIRE, .flow = { .proto = 1 } };

	ck_assert(addr_parse("10.1.0.7", &pe.flow.src) && addr_parse("10.2.0.7", &pe.flow.dst));
	ck_assert_uint_eq(tell(p, other, &pe), 1);
	pe.reqid = reqid;
	ck_assert_uint_eq(tell(p, other, &pe), 1);
	pe.reqid = own == PLANE_KERNEL ? 0 : reqid;
	pe.acquire = own == PLANE_KERNEL ? 0 : 7;
	ck_assert_uint_eq(tell(p, own, &pe), 1);
	ck_assert_uint_eq(p->n_sent, 0);
	pe.reqid = own == PLANE_KERNEL ? reqid : 0;
	pe.acquire = own == PLANE_KERNEL ? 7 : 0;
	ck_assert_uint_eq(tell(p, own, &pe), 0);
	pair_expect_children(p, 1);
	pair_free(p);
}
END_TEST

UNIT("ike/engine-plane")
{
	tcase_add_loop_test(tc, the_end_of_an_sa_is_told_by_its_own_plane, 0, 4);
	tcase_add_test(tc, a_plane_that_is_back_is_asked_and_nothing_else_happens);
	tcase_add_test(tc, what_a_plane_that_is_back_does_not_have_is_made_anew);
	tcase_add_test(tc, what_is_asked_of_one_after_the_other_is_given_up_in_time);
	tcase_add_test(tc, a_path_is_smaller_for_the_plane_that_says_so);
	tcase_add_loop_test(tc, a_packet_asks_its_own_plane, 0, 2);
	tcase_add_loop_test(tc, a_child_goes_to_the_plane_that_carries_it, 0,
			    sizeof(choices) / sizeof(choices[0]));
	tcase_add_loop_test(tc, what_the_kernel_lacks_is_not_agreed_on, 0, 4);
	tcase_add_loop_test(tc, esn_is_not_offered_where_the_kernel_has_none, 0, 2);
	tcase_add_test(tc, a_child_that_nobody_carries_is_not_tried);
	tcase_add_test(tc, a_peer_that_wants_what_nobody_carries_is_told);
	tcase_add_test(tc, a_path_that_the_kernel_cannot_carry_is_told);
	tcase_add_loop_test(tc, a_key_has_the_limits_of_its_cipher, 0,
			    sizeof(limits) / sizeof(limits[0]));
	tcase_add_test(tc, a_peers_spi_is_taken_once);
	tcase_add_loop_test(tc, what_a_plane_refuses_is_told_and_leaves_nothing, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
}
