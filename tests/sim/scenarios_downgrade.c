/* SPDX-License-Identifier: Apache-2.0 */
/* The attacks that draft-ietf-ipsecme-ikev2-downgrade-prevention is about, played by somebody in
 * the middle who breaks the weak group of a policy and has a signing key: the initiator's, the
 * responder's, or that of somebody else whom the responder lets in. Each is told twice: with the
 * defence switched off the attack works, or the story would prove nothing; and as we are it fails.
 */
#include <string.h>

#include "ike/core.h"
#include "tests/sim/confs.h"
#include "tests/sim/insider.h"
#include "tests/sim/mallory.h"
#include "tests/sim/world.h"

#define BOTH   " policy = { aes256gcm16 prfsha384 x25519 modp4096 }\n fragment_size = 0\n"
#define WEAK   " policy = { aes256gcm16 prfsha384 modp4096 }\n fragment_size = 0\n"
#define EVIL   "evil.example.org"
#define RIGHTS "right.example.org"

static const struct sim_conf both = SITE(CERT ALWAYS BOTH, CERT MANUAL BOTH);
static const struct sim_conf weak = SITE(CERT ALWAYS WEAK, CERT MANUAL WEAK);
/* Somebody else may come in, too, from anywhere, for the other half of what left asks for. */
static const struct sim_conf two = {
	{ LEFT_SITE(CERT ALWAYS BOTH),
	  RIGHT_BEGIN CERT MANUAL BOTH CHILD(
		  "net", "10.2.0.0/16",
		  "10.1.0.0/17") "}\n"
				 "connection other {\n address = any\n identity = " EVIL
				 "\n" CERT MANUAL BOTH CHILD("net", "10.2.0.0/16",
							     "10.1.128.0/17") "}\n" }
};

/* ---- what he changes ---- */

/* x25519 becomes a group that nobody knows, so that the weak one is all that is left. */
static void drop_strong_group(struct sim_packet *p)
{
	static const uint8_t x25519[] = { 0, 8, 4, 0, 0, 31 };
	uint8_t *at = mallory_find(p, x25519, sizeof(x25519));

	if (at)
		at[4] = 3;
}

/* An extension of the responder's: without it large messages hang on the fragments of IP. */
static void drop_fragmentation(struct sim_packet *p)
{
	static const uint8_t notify[] = { 0, 8, 0, 0, 16430 >> 8, 16430 & 0xff };
	uint8_t *at = mallory_find(p, notify, sizeof(notify));

	if (at)
		at[5] = 0xfd;
}

/* ---- stories ---- */

static struct mallory with_the_initiators_key(void)
{
	return (struct mallory){ .key_of = "left.example.org", .change = drop_strong_group };
}

static struct mallory with_a_strangers_key(void)
{
	return (struct mallory){ .key_of = EVIL, .change = drop_strong_group };
}

static struct mallory with_the_responders_key(void)
{
	return (struct mallory){ .key_of = RIGHTS,
				 .of_responder = true,
				 .change = drop_fragmentation,
				 .change_response = true };
}

/* The defence is off: both ends are up, and he has their keys. */
static void works(struct sim *s, struct mallory *m)
{
	mallory_switch_off(true);
	sim_set_middle(s, mallory_middle, m);
	sim_run_s(s, 10);
	mallory_switch_off(false);
	sim_must(s, m->n_forged > 0, "he replaced no AUTH");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "left is not up: the attack is none");
	sim_must(s, sim_notes(s, RIGHT, IKE_NOTE_UP) == 1, "right is not up: the attack is none");
	sim_must(s, mallory_reads(s, m, LEFT) && mallory_reads(s, m, RIGHT),
		 "he does not have the keys: the attack is none");
}

/* The side whose peer's key is safe never comes up, whatever he does to the announcement; and when
 * he is gone, the strongest that both have is used. */
static void fails(struct sim *s, struct mallory *m, const char *group)
{
	enum side side = m->of_responder ? RIGHT : LEFT;
	uint32_t which = sim_draw(s, 0, 3);

	mallory_switch_off(false);
	m->strip_request = which & 1;
	m->strip_response = which & 2;
	sim_set_middle(s, mallory_middle, m);
	sim_run_s(s, 100);
	/* Where it is the initiator's AUTH that gives him away, there is no other one. */
	sim_must(s, m->n_forged > 0 || m->of_responder, "he replaced no AUTH");
	sim_must(s, m->keys.d.len > 0, "he did not break the group");
	sim_must(s, sim_notes(s, side, IKE_NOTE_UP) == 0, "%s is up with somebody in the middle",
		 side == LEFT ? "left" : "right");
	sim_set_middle(s, NULL, NULL);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
	sim_must(s,
		 !s->failed && strstr(sim_note(s, LEFT, IKE_NOTE_UP)->suite, group) != NULL &&
			 !mallory_reads(s, m, LEFT),
		 "the weak group is used without need");
}

static void initiators_key_works(struct sim *s)
{
	struct mallory m = with_the_initiators_key();

	works(s, &m);
}

static void initiators_key_fails(struct sim *s)
{
	struct mallory m = with_the_initiators_key();

	fails(s, &m, "x25519");
}

/* Left believes to talk to right, and right to somebody else. */
static void strangers_key_works(struct sim *s)
{
	struct mallory m = with_a_strangers_key();

	works(s, &m);
	sim_must(s, s->failed || strcmp(sim_note(s, RIGHT, IKE_NOTE_UP)->connection, "other") == 0,
		 "right knows to whom it talks: the attack is none");
}

static void strangers_key_fails(struct sim *s)
{
	struct mallory m = with_a_strangers_key();

	fails(s, &m, "x25519");
}

static bool fragments(const struct sim *s, enum side side)
{
	const struct ike_sa *sa = insider_sa(s, side);

	return sa && sa->fragmentation;
}

static void responders_key_works(struct sim *s)
{
	struct mallory m = with_the_responders_key();

	works(s, &m);
	sim_must(s, !fragments(s, LEFT) && fragments(s, RIGHT),
		 "left knows what right can do: the attack is none");
}

static void responders_key_fails(struct sim *s)
{
	struct mallory m = with_the_responders_key();

	fails(s, &m, "modp4096");
	sim_must(s, fragments(s, LEFT) && fragments(s, RIGHT), "fragments are off without need");
}

#define LINK DELAYS(1, 50)

const struct sim_scenario scenarios_downgrade[] = {
	{ "downgrade-initiator-key-undefended", "who has the initiator's key reads along ...",
	  initiators_key_works, &both, LINK, 0 },
	{ "downgrade-initiator-key", "... but not when the whole of IKE_SA_INIT is authenticated",
	  initiators_key_fails, &both, LINK, 0 },
	{ "downgrade-stranger-key-undefended", "who has anybody's key, with a wrong identity ...",
	  strangers_key_works, &two, LINK, 0 },
	{ "downgrade-stranger-key", "... but not when the whole is", strangers_key_fails, &two,
	  LINK, 0 },
	{ "downgrade-responder-key-undefended", "with the responder's key an extension is off ...",
	  responders_key_works, &weak, LINK, 0 },
	{ "downgrade-responder-key", "... but not when the whole is", responders_key_fails, &weak,
	  LINK, 0 },
	{ 0 },
};
