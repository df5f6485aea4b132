/* SPDX-License-Identifier: Apache-2.0 */
/* Whose policy decides: ours as responder, the first of ours with `propose = one`, and of several
 * connections at one address the one that the peer's identity leads to. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

#define WEAKEST_FIRST "policy = { aes128gcm16 aes256gcm16 prfsha256 prfsha384 ecp256 x25519 }"

static const char *suite_of(const struct pair *p, enum side s)
{
	const struct ike_note *up = pair_note(p, s, IKE_NOTE_UP);

	ck_assert_ptr_nonnull(up);
	return up->suite;
}

/* A responder that likes the weakest best gets what it likes, unless it is not there to be liked:
 * without the option the first row is what it comes to. */
START_TEST(propose_one_leaves_no_choice_to_a_peer_that_picks_the_lowest)
{
	static const char *const rows[][2] = {
		{ "propose = all", "aes128gcm16 prfsha256 ecp256" },
		{ "propose = one", "aes256gcm16 prfsha384 x25519" },
	};
	struct pair *p = pair_new(pair_psk(LEFT, rows[_i][0]), pair_psk(RIGHT, WEAKEST_FIRST));
	const struct ike_note *child;

	pair_up(p, LEFT, "site");
	pair_run(p, 5 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_str_eq(suite_of(p, LEFT), rows[_i][1]);
	child = pair_note(p, LEFT, IKE_NOTE_CHILD_UP);
	ck_assert_ptr_nonnull(child);
	ck_assert_mem_eq(child->suite, rows[_i][1], 6);
	pair_free(p);
}
END_TEST

/* The option is about what we propose: as responder the whole policy counts. */
START_TEST(propose_one_takes_what_the_peer_proposes_by_the_whole_policy)
{
	struct pair *p = pair_new(pair_psk(LEFT, "policy = { aes128gcm16 prfsha256 ecp256 }"),
				  pair_psk(RIGHT, "propose = one"));

	pair_up(p, LEFT, "site");
	pair_run(p, 5 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_str_eq(suite_of(p, RIGHT), "aes128gcm16 prfsha256 ecp256");
	pair_free(p);
}
END_TEST

START_TEST(the_responders_order_decides)
{
	struct pair *p = pair_new(pair_psk(LEFT, WEAKEST_FIRST), pair_psk(RIGHT, ""));

	pair_up(p, LEFT, "site");
	pair_run(p, 5 * NS_PER_S);
	pair_expect_children(p, 1);
	ck_assert_str_eq(suite_of(p, RIGHT), "aes256gcm16 prfsha384 x25519");
	pair_free(p);
}
END_TEST

/* ---- several connections at one address ---- */

#define EASY   "policy = { aes128 sha256 prfsha256 modp2048 aes256gcm16 prfsha384 x25519 }"
#define STRICT "policy = { aes256gcm16 prfsha384 x25519 }"
#define OTHER  "identity = other.example.org\n "
#define LEFTS  "identity = left.example.org\n "

/* Connections of a gateway, each with `more`; NULL behind the last. */
static const char *gateway(const char *const *more)
{
	static char text[8192];
	size_t len =
		(size_t)snprintf(text, sizeof(text), "me {\n identity = right.example.org\n}\n");

	for (unsigned i = 0; more[i]; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"connection c%u {\n auth = psk\n psk_file = a.psk\n"
					" start = manual\n %s\n child net {\n"
					"  local = 10.2.%u.0/24\n  remote = 10.1.0.0/16\n }\n}\n",
					i, more[i], i);
	return text;
}

static const char *const any_easy_strict[] = { "address = any\n " OTHER EASY,
					       "address = any\n " LEFTS STRICT, NULL };
static const char *const named_before_any[] = {
	"address = any\n " OTHER STRICT,
	"address = any\n identity = third.example.org\n policy = { aes256gcm16 prfsha384 x25519 ecp256 }",
	"address = 192.0.2.1\n " LEFTS "policy = { aes128 sha256 prfsha256 modp2048 }",
	NULL,
};
static const char *const many[] = {
	"address = any\n identity = o1.example.org\n policy = { aes256 sha256 prfsha256 modp2048 }",
	"address = any\n identity = o2.example.org\n policy = { aes256 sha384 prfsha256 modp2048 }",
	"address = any\n identity = o3.example.org\n policy = { aes256 sha512 prfsha256 modp2048 }",
	"address = any\n identity = o4.example.org\n policy = { aes256 sha256 prfsha384 modp2048 }",
	"address = any\n identity = o5.example.org\n policy = { aes256 sha384 prfsha384 modp2048 }",
	"address = any\n identity = o6.example.org\n policy = { aes256 sha512 prfsha384 modp2048 }",
	"address = any\n identity = o7.example.org\n policy = { aes256 sha256 prfsha512 modp2048 }",
	"address = any\n identity = o8.example.org\n policy = { aes256 sha384 prfsha512 modp2048 }",
	"address = any\n " LEFTS STRICT,
	NULL,
};

/* The neighbour with the easier policy stands first, and both ends can do better. */
START_TEST(a_suite_is_chosen_that_the_other_connections_at_the_address_take_too)
{
	static const struct {
		const char *const *right;
		const char *left, *suite;
	} rows[] = {
		{ any_easy_strict, EASY, "aes256gcm16 prfsha384 x25519" },
		{ any_easy_strict, STRICT, "aes256gcm16 prfsha384 x25519" },
		{ named_before_any, EASY, "aes128 sha256 prfsha256 modp2048" },
		{ many, STRICT, "aes256gcm16 prfsha384 x25519" },
	};
	struct pair *p = pair_new(pair_psk(LEFT, rows[_i].left), gateway(rows[_i].right));

	pair_up(p, LEFT, "site");
	pair_run(p, 5 * NS_PER_S);
	ck_assert_str_eq(suite_of(p, RIGHT), rows[_i].suite);
	pair_free(p);
}
END_TEST

/* ---- the floor, once the identity is known ---- */

static const struct {
	const char *left; /* its connection; NULL: with a certificate */
	const char *right[3];
	const char *psk; /* RIGHT's key */
	enum err err;	 /* what RIGHT's operator learns */
	bool strip;	 /* nobody announces the full transcript */
} refusals[] = {
	{ .left = EASY,
	  .right = { "address = any\n identity = other.example.org", NULL },
	  .err = ERR_UNKNOWN_PEER },
	{ .left = "policy = { aes128gcm16 prfsha256 ecp256 }",
	  .right = { "address = any\n " OTHER, "address = any\n " LEFTS STRICT, NULL },
	  .err = ERR_DOWNGRADE },
	{ .left = "",
	  .right = { "address = any\n " LEFTS "full_transcript = require", NULL },
	  .err = ERR_DOWNGRADE,
	  .strip = true },
	{ .left = "",
	  .right = { "address = any\n " LEFTS, NULL },
	  .psk = "not the same at all",
	  .err = ERR_WRONG_PSK },
	{ .left = NULL, .right = { "address = any\n " LEFTS, NULL }, .err = ERR_AUTH_METHOD },
};

struct answer {
	bool strip;
	size_t len; /* of RIGHT's IKE_AUTH answer */
};

/* Strips 16447 from both messages, and looks at the answer. */
static bool look(struct pair *p, struct datagram *d)
{
	static const uint8_t notify[] = { 0x00, 0x00, 0x40, 0x3f };
	struct answer *a = p->ctx;

	for (size_t i = 28; a->strip && d->bytes[18] == 34 && i + 4 <= d->len; i++) {
		if (memcmp(d->bytes + i, notify, sizeof(notify)) == 0)
			d->bytes[i + 3] ^= 0x40;
	}
	if (d->to == LEFT && d->bytes[18] == 35)
		a->len = d->len;
	return true;
}

/* The operator learns which, the peer that it is refused and no more: not even by the length. */
START_TEST(who_is_refused_does_not_learn_why)
{
	const char *left =
		refusals[_i].left ? pair_psk(LEFT, refusals[_i].left) : pair_cert(LEFT, "");
	struct pair *p = pair_new(left, gateway(refusals[_i].right));
	struct answer a = { .strip = refusals[_i].strip };
	const struct ike_note *n;

	if (refusals[_i].psk)
		p->end[RIGHT].psk = refusals[_i].psk;
	p->ctx = &a;
	p->filter = look;
	pair_up(p, LEFT, "site");
	pair_run(p, 30 * NS_PER_S);
	n = pair_note(p, RIGHT, IKE_NOTE_REFUSED);
	ck_assert_ptr_nonnull(n);
	ck_assert_int_eq(n->err, refusals[_i].err);
	ck_assert(n->text[0] && n->fix[0]);
	n = pair_note(p, LEFT, IKE_NOTE_REFUSED);
	ck_assert_ptr_nonnull(n);
	ck_assert_int_eq(n->err, ERR_PEER_AUTH);
	ck_assert_uint_eq(a.len, 28 + 4 + 8 + 8 + 1 + 16); /* one notify, with nothing in it */
	ck_assert_ptr_null(pair_note(p, RIGHT, IKE_NOTE_UP));
	pair_free(p);
}
END_TEST

UNIT("ike/engine-policy")
{
	tcase_add_loop_test(tc, who_is_refused_does_not_learn_why, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_loop_test(
		tc, a_suite_is_chosen_that_the_other_connections_at_the_address_take_too, 0, 4);
	tcase_add_loop_test(tc, propose_one_leaves_no_choice_to_a_peer_that_picks_the_lowest, 0, 2);
	tcase_add_test(tc, propose_one_takes_what_the_peer_proposes_by_the_whole_policy);
	tcase_add_test(tc, the_responders_order_decides);
}
