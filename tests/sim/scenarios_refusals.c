/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends that do not fit: nothing comes up, both say why, and once it is put right the tunnel
 * comes up by itself. */
#include "tests/sim/confs.h"
#include "tests/sim/world.h"

static const struct sim_conf psk = SITE(PSK ALWAYS, PSK MANUAL);
static const struct sim_conf certificates = SITE(CERT ALWAYS, CERT MANUAL);
static const struct sim_conf suites =
	SITE(PSK ALWAYS " policy = { aes256gcm16 prfsha384 x25519 }\n",
	     PSK MANUAL " policy = { aes256 sha256 prfsha256 ecp256 }\n");
static const struct sim_conf methods = SITE(PSK ALWAYS, CERT MANUAL);
static const struct sim_conf identities = {
	{ LEFT_SITE(PSK ALWAYS), ME("right.example.org") PEER("192.0.2.1", "other.example.org")
					 PSK MANUAL RIGHT_NET "}\n" }
};
static const struct sim_conf addresses = {
	{ LEFT_SITE(PSK ALWAYS), ME("right.example.org") PEER("192.0.2.77", "left.example.org")
					 PSK MANUAL RIGHT_NET "}\n" }
};
static const struct sim_conf selectors = { { LEFT_SITE(PSK ALWAYS),
					     RIGHT_BEGIN PSK MANUAL CHILD("net", "10.7.0.0/16",
									  "10.8.0.0/16") "}\n" } };

/* An easier neighbour takes the offer, whose policy is not left's. */
#define STRICT " policy = { aes256gcm16 prfsha384 x25519 }\n"
#define LESS   " policy = { aes128gcm16 prfsha256 ecp256 }\n"
static const struct sim_conf neighbours = {
	{ LEFT_SITE(PSK ALWAYS LESS),
	  RIGHT_SITE(PSK MANUAL STRICT) "connection other {\n address = any\n"
					" identity = other.example.org\n" PSK MANUAL CHILD(
						"net", "10.8.0.0/16", "10.9.0.0/16") "}\n" }
};

static const char *const right_psk = RIGHT_SITE(PSK MANUAL);

static void must_say(struct sim *s, enum side side, enum ike_note_kind kind, enum err err)
{
	const struct ike_note *n = sim_note(s, side, kind);
	const char *who = side == LEFT ? "left" : "right";

	sim_must(s, n != NULL, "%s does not say why", who);
	if (!n)
		return;
	sim_must(s, n->err == err, "%s says %s, not %s", who, err_slug(n->err), err_slug(err));
	sim_must(s, n->text[0] != 0, "%s says %s without words", who, err_slug(err));
}

static void must_compare(struct sim *s, enum side side, enum ike_note_kind kind)
{
	const struct ike_note *n = sim_note(s, side, kind);

	sim_must(s, n && (n->offered[0] || n->got[0]) && n->wanted[0],
		 "%s does not say what came and what was wanted", side == LEFT ? "left" : "right");
	sim_must(s, n && n->fix[0], "%s does not say what to change",
		 side == LEFT ? "left" : "right");
}

/* A few attempts, and nothing of them is left, once the one that is just under way has ended: a
 * responder is up until it hears that its proof was refused. */
static void fails(struct sim *s)
{
	sim_run_s(s, 100);
	for (int i = 0; i < 10 && s->end[RIGHT].n_sas > 0; i++)
		sim_run_s(s, 1);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 0, "left is up");
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0, "SAs are in the planes");
}

static void up_at_last(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

static void wrong_psk(struct sim *s)
{
	enum side side = sim_side(s);

	sim_set_psk(s, side, "another key than that of the peer");
	fails(s);
	sim_must(s, sim_notes(s, RIGHT, IKE_NOTE_UP) == 0, "right is up");
	must_say(s, RIGHT, IKE_NOTE_REFUSED, ERR_WRONG_PSK);
	must_say(s, LEFT, IKE_NOTE_REFUSED, ERR_PEER_AUTH);
	sim_set_psk(s, side, s->end[1 - side].psk);
	up_at_last(s);
}

/* Without the wish for every word: a refusal that is lost is not said again, since the responder
 * forgets whom it refused. */
static void wrong_psk_lossy(struct sim *s)
{
	enum side side = sim_side(s);

	sim_set_psk(s, side, "another key than that of the peer");
	fails(s);
	sim_must(s, sim_notes(s, RIGHT, IKE_NOTE_UP) == 0, "right is up");
	sim_set_psk(s, side, s->end[1 - side].psk);
	up_at_last(s);
}

static void wrong_certificate_left(struct sim *s)
{
	sim_set_certificate(s, LEFT, "mallory.example.org");
	fails(s);
	sim_must(s, sim_notes(s, RIGHT, IKE_NOTE_UP) == 0, "right is up");
	must_say(s, RIGHT, IKE_NOTE_REFUSED, ERR_AUTH);
	must_say(s, LEFT, IKE_NOTE_REFUSED, ERR_PEER_AUTH);
	sim_set_certificate(s, LEFT, NULL);
	up_at_last(s);
}

/* The responder is up for as long as its answer takes; it hears that it was refused. */
static void wrong_certificate_right(struct sim *s)
{
	sim_set_certificate(s, RIGHT, "mallory.example.org");
	fails(s);
	must_say(s, LEFT, IKE_NOTE_REFUSED, ERR_AUTH);
	must_say(s, RIGHT, IKE_NOTE_REFUSED, ERR_PEER_AUTH);
	sim_set_certificate(s, RIGHT, NULL);
	up_at_last(s);
}

static void wrong_identity(struct sim *s)
{
	fails(s);
	must_say(s, RIGHT, IKE_NOTE_REFUSED, ERR_UNKNOWN_PEER);
	must_compare(s, RIGHT, IKE_NOTE_REFUSED);
	must_say(s, LEFT, IKE_NOTE_REFUSED, ERR_PEER_AUTH);
	sim_reload(s, RIGHT, right_psk);
	up_at_last(s);
}

static void wrong_method(struct sim *s)
{
	fails(s);
	must_say(s, RIGHT, IKE_NOTE_REFUSED, ERR_AUTH_METHOD);
	must_compare(s, RIGHT, IKE_NOTE_REFUSED);
	must_say(s, LEFT, IKE_NOTE_REFUSED, ERR_PEER_AUTH);
	sim_reload(s, RIGHT, right_psk);
	up_at_last(s);
}

static void no_common_suite(struct sim *s)
{
	fails(s);
	must_say(s, RIGHT, IKE_NOTE_REFUSED, ERR_NO_PROPOSAL);
	must_compare(s, RIGHT, IKE_NOTE_REFUSED);
	must_say(s, LEFT, IKE_NOTE_HINT, ERR_PEER_PROPOSAL);
	must_say(s, LEFT, IKE_NOTE_REFUSED, ERR_PEER_PROPOSAL);
	sim_must(s, s->failed || sim_note(s, LEFT, IKE_NOTE_REFUSED)->offered[0],
		 "left does not say what it offered");
	sim_reload(s, RIGHT, right_psk);
	up_at_last(s);
}

/* IKE_SA_INIT is answered, and nothing comes of it: the floor is that of left's own connection. */
static void stricter_connection(struct sim *s)
{
	fails(s);
	sim_must(s, sim_notes(s, RIGHT, IKE_NOTE_UP) == 0, "right is up below its floor");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_ANSWERED) > 0, "IKE_SA_INIT was not answered");
	must_say(s, RIGHT, IKE_NOTE_REFUSED, ERR_DOWNGRADE);
	must_compare(s, RIGHT, IKE_NOTE_REFUSED);
	must_say(s, LEFT, IKE_NOTE_REFUSED, ERR_PEER_AUTH);
	sim_reload(s, LEFT, LEFT_SITE(PSK ALWAYS));
	up_at_last(s);
}

static void unknown_address(struct sim *s)
{
	fails(s);
	must_say(s, RIGHT, IKE_NOTE_REFUSED, ERR_UNKNOWN_PEER);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_REFUSED) > 0, "left says nothing");
	sim_reload(s, RIGHT, right_psk);
	up_at_last(s);
}

/* The IKE SA may come up; the child does not. */
static void no_common_selectors(struct sim *s)
{
	sim_run_s(s, 100);
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0, "SAs are in the planes");
	must_say(s, RIGHT, IKE_NOTE_CHILD_FAILED, ERR_TS);
	must_compare(s, RIGHT, IKE_NOTE_CHILD_FAILED);
	must_say(s, LEFT, IKE_NOTE_CHILD_FAILED, ERR_PEER_TS);
	sim_must(s, s->failed || sim_note(s, LEFT, IKE_NOTE_CHILD_FAILED)->offered[0],
		 "left does not say what it offered");
	sim_reload(s, RIGHT, right_psk);
	up_at_last(s);
}

#define LINK DELAYS(1, 100)
#define BAD                                                   \
	{                                                     \
		.loss = 10, .dup = 10, .delay_ms = { 1, 200 } \
	}

const struct sim_scenario scenarios_refusals[] = {
	{ "wrong-psk", "two different keys", wrong_psk, &psk, LINK, 0 },
	{ "wrong-psk-lossy", "so on a bad link", wrong_psk_lossy, &psk, BAD, 0 },
	{ "wrong-certificate", "the initiator proves to be somebody else", wrong_certificate_left,
	  &certificates, LINK, 0 },
	{ "wrong-certificate-responder", "the responder does", wrong_certificate_right,
	  &certificates, LINK, 0 },
	{ "wrong-identity", "somebody else is expected", wrong_identity, &identities, LINK, 0 },
	{ "wrong-method", "a key here, a certificate there", wrong_method, &methods, LINK, 0 },
	{ "no-common-suite", "policies without a common suite", no_common_suite, &suites, LINK, 0 },
	{ "stricter-connection", "the floor is that of whom the identity leads to",
	  stricter_connection, &neighbours, LINK, 0 },
	{ "unknown-address", "nobody is expected at that address", unknown_address, &addresses,
	  LINK, 0 },
	{ "no-common-selectors", "children that do not fit", no_common_selectors, &selectors, LINK,
	  0 },
	{ 0 },
};
