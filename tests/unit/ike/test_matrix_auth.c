/* SPDX-License-Identifier: Apache-2.0 */
/* Who must not be let in: several thousand ways not to prove an identity, generated, with both
 * methods and in both roles. Signatures are the fake world's, a hash over the signer's name and the
 * octets; those of real keys are in tests/unit/certs. Beside each kind stands a good one that is
 * let in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/core.h"
#include "tests/unit/ike/matrix.h"
#include "tests/unit/unit.h"

static const struct scene scenes[] = {
	{ M_AUTH_ASK, false, LEFT, NULL },
	{ M_AUTH_ANSWER, false, LEFT, NULL },
	{ M_AUTH_ASK, true, LEFT, NULL },
	{ M_AUTH_ANSWER, true, LEFT, NULL },
};
enum { N_SCENES = sizeof(scenes) / sizeof(scenes[0]) };

static size_t n_cases;

static void told(const char *kind)
{
	if (getenv("MATRIX_COUNT"))
		fprintf(stderr, "%s: %zu refused\n", kind, n_cases);
	n_cases = 0;
}

static bool let_in(const struct matrix *m)
{
	enum side to = scene_to(m->scene);

	return pair_note(m->p, to, IKE_NOTE_UP) || pair_note(m->p, to, IKE_NOTE_PROVED) ||
	       pair_note(m->p, to, IKE_NOTE_CHILD_UP) || m->p->end[to].n_sas > 0 ||
	       ike_engine_stats(m->p->end[to].e)->established > 0;
}

/* In a message for the receiver `bad` is not let in. */
static void refused(const struct scene *s, const struct chain *bad, const char *what, size_t at)
{
	static struct matrix m;

	if (matrix_passes_over())
		return;
	matrix_play(&m, s, bad);
	ck_assert_msg(!let_in(&m), "%s (%s): %s %zu is let in", station_names[s->at],
		      s->cert ? "certificate" : "psk", what, at);
	matrix_expect_legal(&m, what);
	matrix_end(&m, what);
	n_cases++;
}

START_TEST(the_good_one_is_let_in)
{
	static struct matrix m;

	matrix_play(&m, &scenes[_i], NULL);
	ck_assert(let_in(&m));
	matrix_recover(&m, "good");
	matrix_end(&m, "good");
}
END_TEST

/* ---- AUTH and ID, changed on their way ---- */

struct bodies {
	struct chain good;
	struct part id, auth;
};

static struct bodies record(const struct scene *s)
{
	struct bodies b;
	struct part parts[PARTS_MAX];
	size_t n;

	matrix_record(s, &b.good);
	ck_assert(chain_parts(&b.good, parts, &n));
	b.id = *part_find(parts, n, s->at == M_AUTH_ASK ? PL_IDI : PL_IDR);
	b.auth = *part_find(parts, n, PL_AUTH);
	return b;
}

START_TEST(another_method_with_the_same_proof_is_refused)
{
	struct bodies b = record(&scenes[_i]);

	for (unsigned method = 0; method < 256; method++) {
		struct chain bad = b.good;

		bad.b[b.auth.at] = (uint8_t)method;
		/* The fake verifier, unlike the true one, does not look at a signature's kind. */
		if (method == b.good.b[b.auth.at] ||
		    (scenes[_i].cert && method >= AUTH_ECDSA_256 && method <= AUTH_ECDSA_521))
			continue;
		refused(&scenes[_i], &bad, "method", method);
	}
	told("methods");
}
END_TEST

START_TEST(a_proof_with_one_bit_turned_is_refused)
{
	struct bodies b = record(&scenes[_i]);

	for (size_t bit = 0; bit < 8 * (b.auth.len - 4); bit++) {
		struct chain bad = b.good;

		bad.b[b.auth.at + 4 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		refused(&scenes[_i], &bad, "bit of AUTH", bit);
	}
	/* RESERVED of ID is signed as it came. */
	for (size_t bit = 0; bit < 8 * b.id.len; bit++) {
		struct chain bad = b.good;

		bad.b[b.id.at + bit / 8] ^= (uint8_t)(1u << bit % 8);
		refused(&scenes[_i], &bad, "bit of ID", bit);
	}
	told("bits");
}
END_TEST

START_TEST(an_identity_of_another_type_is_refused)
{
	struct bodies b = record(&scenes[_i]);

	for (unsigned type = 0; type < 256; type++) {
		struct chain bad = b.good;

		bad.b[b.id.at] = (uint8_t)type;
		if (type != b.good.b[b.id.at])
			refused(&scenes[_i], &bad, "identity type", type);
	}
	told("identity types");
}
END_TEST

/* The chain with the body of one payload replaced. */
static struct chain with(const struct chain *good, uint8_t type, const void *body, size_t len)
{
	struct chain c = { .len = 0 };
	struct part parts[PARTS_MAX];
	size_t n;

	ck_assert(chain_parts(good, parts, &n));
	for (size_t i = 0; i < n; i++) {
		if (parts[i].type == type)
			chain_put(&c, type, body, len);
		else
			chain_put(&c, parts[i].type, good->b + parts[i].at, parts[i].len);
	}
	return c;
}

START_TEST(a_proof_cut_or_longer_is_refused)
{
	struct bodies b = record(&scenes[_i]);
	uint8_t body[1024] = { 0 };

	memcpy(body, b.good.b + b.auth.at, b.auth.len);
	for (size_t len = 0; len < sizeof(body); len += len < 100 ? 1 : 97) {
		struct chain bad = with(&b.good, PL_AUTH, body, len);

		if (len != b.auth.len)
			refused(&scenes[_i], &bad, "AUTH of bytes", len);
	}
	told("lengths of AUTH");
}
END_TEST

/* ---- a true proof, of something else ---- */

/* The AUTH and ID of another handshake, of the other end, of the other method. */
START_TEST(a_proof_from_elsewhere_is_refused)
{
	static const char *const others[] = { "fragment_size = 1000", "full_transcript = auto",
					      "policy = { aes128gcm16 prfsha256 x25519 }",
					      "policy = { aes256gcm16 prfsha384 ecp384 }" };
	struct bodies b = record(&scenes[_i]);

	for (size_t i = 0; i < N_SCENES * 5; i++) {
		struct scene from = scenes[i % N_SCENES];
		struct bodies o;
		struct chain bad;

		from.more = i / N_SCENES < 4 ? others[i / N_SCENES] : NULL;
		o = record(&from);
		bad = with(&b.good, PL_AUTH, o.good.b + o.auth.at, o.auth.len);
		/* The engine's randomness is the same in each run, so this one may be the same. */
		if (o.auth.len == b.auth.len &&
		    memcmp(o.good.b + o.auth.at, b.good.b + b.auth.at, b.auth.len) == 0)
			continue;
		refused(&scenes[_i], &bad, "AUTH from elsewhere", i);
		bad = with(&bad, b.id.type, o.good.b + o.id.at, o.id.len);
		refused(&scenes[_i], &bad, "ID and AUTH from elsewhere", i);
	}
	told("proofs of others");
}
END_TEST

START_TEST(certificates_of_another_encoding_or_none_prove_nothing)
{
	const struct scene *s = &scenes[2 + _i];
	struct bodies b = record(s);
	struct part parts[PARTS_MAX];
	size_t n;

	ck_assert(chain_parts(&b.good, parts, &n));
	for (unsigned encoding = 0; encoding < 256; encoding++) {
		struct chain bad = b.good;

		for (size_t i = 0; i < n; i++) {
			if (parts[i].type == PL_CERT)
				bad.b[parts[i].at] = (uint8_t)encoding;
		}
		if (encoding != CERT_X509_SIGNATURE)
			refused(s, &bad, "encoding", encoding);
	}
	told("encodings");
}
END_TEST

/* ---- ends that are somebody else, and prove that ---- */

static const char *const identities[] = {
	"lleft.example.org",
	"left.example.or",
	"left.example.org.uk",
	"eft.example.org",
	"left.example.com",
	"LEFT.example.net",
	"example.org",
	"org",
	"left",
	"a.left.example.org",
	"left@example.org",
	"left.example@org",
	"192.0.2.1",
	"198.51.100.2",
	"0.0.0.0",
	"2001:db8::1",
	"::",
	"CN=left.example.org",
	"DC=left,DC=example,DC=org",
	"O=left.example.org",
	"keyid:6c6566742e6578616d706c652e6f7267",
	"left-example.org",
	"left.example0rg",
	"left.exampIe.org",
	"left..example.org",
	"left.example.org.",
	"*.example.org",
	"left.*",
	"*",
};
enum { N_IDENTITIES = sizeof(identities) / sizeof(identities[0]) };

/* A configuration of the side that proves itself, with another name. */
static const char *stranger(const char *identity, bool cert, enum side s)
{
	static char text[2048];
	int us = s == LEFT ? 1 : 2, them = 3 - us;

	snprintf(text, sizeof(text),
		 "me {\n identity = %s\n certificate = me.pem\n key = me.key\n trust = ca.pem\n}\n"
		 "connection site {\n address = %s\n identity = %s\n %s\n start = manual\n"
		 " child net {\n  local = 10.%d.0.0/16\n  remote = 10.%d.0.0/16\n }\n}\n",
		 identity, s == LEFT ? "198.51.100.2" : "192.0.2.1", pair_names[1 - s],
		 cert ? "auth = certificate" : "auth = psk\n psk_file = a.psk", us, them);
	return text;
}

/* LEFT, or RIGHT, is a stranger with this name that it can prove. */
static void stranger_is_refused(const char *identity, bool cert, enum side s, const char *psk)
{
	const char *other =
		cert ? pair_cert((enum side)(1 - s), "") : pair_psk((enum side)(1 - s), "");
	const char *text = stranger(identity, cert, s);
	struct pair *p = s == LEFT ? pair_new(text, other) : pair_new(other, text);
	enum side victim = (enum side)(1 - s);
	bool right = strcmp(identity, pair_names[s]) == 0 && !psk;
	char name[IDENTITY_TEXT_MAX];
	struct identity id;

	/* As the fake certificate of this very name. */
	ck_assert_int_eq(identity_parse(&id, identity), OK);
	p->end[s].name = identity_text(&id, name);
	p->end[s].psk = psk ? psk : p->end[s].psk;
	/* Who is asked for another name as responder would refuse by himself; this one does not. */
	matrix_leave_out(PL_IDR);
	pair_up(p, LEFT, "site");
	pair_drain(p);
	matrix_leave_out(0);
	ck_assert_msg(pair_note(p, victim, IKE_NOTE_PROVED) ||
			      pair_note(p, victim, IKE_NOTE_REFUSED),
		      "%s: proves nothing", identity);
	ck_assert_msg(right == (pair_note(p, victim, IKE_NOTE_UP) != NULL),
		      "%s, %s, with the key \"%s\"", identity, cert ? "certificate" : "psk",
		      psk ? psk : "that is right");
	ck_assert(right || !pair_note(p, victim, IKE_NOTE_CHILD_UP));
	ck_assert(right || p->end[victim].n_sas == 0);
	pair_free(p);
	n_cases += !right;
}

/* The name of the other side in the place of left: "left" in each text becomes "right". */
static const char *for_side(const char *identity, enum side s, char out[64])
{
	const char *at = strstr(identity, "left");

	if (s == LEFT || !at)
		return identity;
	snprintf(out, 64, "%.*sright%s", (int)(at - identity), identity, at + 4);
	return out;
}

/* Names that a configuration cannot have are left out. */
static bool can_be_written(const char *identity)
{
	struct identity id;

	return identity_parse(&id, identity) == OK;
}

START_TEST(a_stranger_with_a_good_proof_of_another_name_is_refused)
{
	enum side s = _i % 2 ? RIGHT : LEFT;
	char room[64];
	size_t tried = 0;

	stranger_is_refused(pair_names[s], _i / 2, s, NULL); /* the control: let in */
	for (size_t i = 0; i < N_IDENTITIES; i++) {
		const char *identity = for_side(identities[i], s, room);

		if (!can_be_written(identity))
			continue;
		tried++;
		stranger_is_refused(identity, _i / 2, s, NULL);
	}
	stranger_is_refused(pair_names[1 - s], _i / 2, s, NULL);
	ck_assert_uint_gt(tried, 20);
	told("strangers");
}
END_TEST

START_TEST(another_pre_shared_key_is_refused)
{
	static const char long_key[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const char *const keys[] = {
		"",
		"c",
		"correct horse battery stapl",
		"correct horse battery staple ",
		"correct horse battery staple\n",
		" correct horse battery staple",
		"Correct horse battery staple",
		"correct horse battery stapleA",
		"correct horse battery staplf",
		"dorrect horse battery staple",
		"correct horse battery staple\ncorrect horse battery staple",
		"a.psk",
		"left.example.org",
		long_key,
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		stranger_is_refused(pair_names[_i], false, (enum side)_i, keys[i]);
	told("keys");
}
END_TEST

/* Any answer of the verifier or the signer but OK. */
START_TEST(any_verdict_but_good_is_refused)
{
	bool cert = _i / 2;
	enum side victim = _i % 2 ? LEFT : RIGHT;

	for (int err = OK; err < N_ERR; err++) {
		struct pair *p = cert ? pair_new(pair_cert(LEFT, ""), pair_cert(RIGHT, ""))
				      : pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));

		p->end[victim].fail_job = cert ? JOB_VERIFY : JOB_PSK_MAC;
		p->end[victim].fail_job_err = (enum err)err;
		pair_up(p, LEFT, "site");
		pair_drain(p);
		ck_assert((err == OK) == (pair_note(p, victim, IKE_NOTE_UP) != NULL));
		ck_assert(err == OK || p->end[victim].n_sas == 0);
		pair_free(p);
		n_cases += err != OK;
	}
	told("verdicts");
}
END_TEST

UNIT("ike/matrix-auth")
{
	tcase_set_timeout(tc, 600);
	tcase_add_loop_test(tc, the_good_one_is_let_in, 0, N_SCENES);
	tcase_add_loop_test(tc, another_method_with_the_same_proof_is_refused, 0, N_SCENES);
	tcase_add_loop_test(tc, a_proof_with_one_bit_turned_is_refused, 0, N_SCENES);
	tcase_add_loop_test(tc, an_identity_of_another_type_is_refused, 0, N_SCENES);
	tcase_add_loop_test(tc, a_proof_cut_or_longer_is_refused, 0, N_SCENES);
	tcase_add_loop_test(tc, a_proof_from_elsewhere_is_refused, 0, N_SCENES);
	tcase_add_loop_test(tc, certificates_of_another_encoding_or_none_prove_nothing, 0, 2);
	tcase_add_loop_test(tc, a_stranger_with_a_good_proof_of_another_name_is_refused, 0, 4);
	tcase_add_loop_test(tc, another_pre_shared_key_is_refused, 0, 2);
	tcase_add_loop_test(tc, any_verdict_but_good_is_refused, 0, 4);
}
