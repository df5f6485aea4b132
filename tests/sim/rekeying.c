/* SPDX-License-Identifier: Apache-2.0 */
/* What scenarios of new keys have in common: see rekeying.h. */
#include "tests/sim/rekeying.h"

#include "tests/sim/world.h"

const struct sim_conf rekeying_always = LIVED_SITE(CERT ALWAYS, CERT ALWAYS, "8h");
const struct sim_conf rekeying_manual = LIVED_SITE(CERT MANUAL, CERT MANUAL, "8h");
const struct sim_conf rekeying_slow = LIVED_SITE(PSK MANUAL MODP_4096, PSK MANUAL MODP_4096, "8h");
const struct sim_conf rekeying_groups =
	LIVED_SITE(PSK MANUAL X25519_FIRST, PSK MANUAL ECP256_FIRST, "8h");

void rekeying_settle(struct sim *s)
{
	sim_run_until_quiet(s);
	sim_expect(s, "site", 1);
}

void rekeying_start(struct sim *s)
{
	sim_up(s, sim_side(s), "site");
	rekeying_settle(s);
}

void rekeying_end(struct sim *s)
{
	rekeying_settle(s);
	sim_must_have_carried(s);
	for (enum side side = LEFT; side <= RIGHT; side++) {
		sim_must(s, sim_notes(s, side, IKE_NOTE_CHILD_DOWN) == 0, "the child was down");
		sim_must(s, sim_notes(s, side, IKE_NOTE_DOWN) == 0, "the IKE SA was down");
		sim_must(s, sim_notes(s, side, IKE_NOTE_UP) == 1, "there was another handshake");
	}
}

/* ---- who asks when ---- */

void rekeying_by_time(struct sim *s, enum ike_note_kind told)
{
	size_t n;

	rekeying_start(s);
	sim_packets(s, 300000);
	n = sim_notes(s, LEFT, told);
	sim_must(s, n >= 4 && n <= 12, "%zu rekeys in 5 minutes", n);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_REKEY_FAILED) == 0, "a rekey failed");
	sim_run_ms(s, 1000);
	sim_must_have_carried(s);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_CHILD_DOWN) == 0, "the child was down");
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_UP) == 1, "there was another handshake");
}

void rekeying_from_either(struct sim *s, rekey_fn *rekey)
{
	rekeying_start(s);
	for (int i = 0; i < 6; i++) {
		rekey(s, sim_side(s));
		sim_packets(s, sim_draw(s, 0, 4000));
	}
	sim_packets(s, 12000);
}

void rekeying_from_both(struct sim *s, rekey_fn *rekey)
{
	rekeying_start(s);
	for (int i = 0; i < 8; i++) {
		enum side first = sim_side(s);

		rekey(s, first);
		sim_packets(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 60) : sim_draw(s, 0, 400));
		rekey(s, 1 - first);
		sim_packets(s, sim_draw(s, 0, 3000));
	}
	sim_packets(s, 15000);
}

void rekeying_at_once(struct sim *s, rekey_fn *rekey)
{
	rekeying_start(s);
	for (int i = 0; i < 6; i++) {
		rekey(s, LEFT);
		rekey(s, RIGHT);
		sim_packets(s, 8000);
		rekeying_settle(s);
	}
}

/* ---- what comes between ---- */

void rekeying_meets_down(struct sim *s, uint32_t seconds)
{
	sim_run_ms(s, sim_draw(s, 0, 500));
	sim_down(s, sim_side(s), "site");
	sim_run_s(s, seconds);
	sim_run_until_quiet(s);
	sim_expect(s, "site", 0);
	sim_must(s, s->end[LEFT].n_sas == 0 && s->end[RIGHT].n_sas == 0, "SAs are left over");
}

void rekeying_meets_hard_limit(struct sim *s)
{
	sim_run_ms(s, sim_draw(s, 0, 500));
	sim_expire(s, sim_side(s));
	sim_run_s(s, 60);
	rekeying_settle(s);
}

void rekeying_breaks_job(struct sim *s, rekey_fn *rekey)
{
	rekeying_start(s);
	if (sim_draw(s, 0, 1))
		sim_fail_job(s, sim_draw(s, 1, 4));
	else
		sim_lose_job(s, sim_draw(s, 1, 4));
	rekey(s, LEFT);
}

void rekeying_meets_crash(struct sim *s, rekey_fn *rekey, uint32_t seconds)
{
	enum side side = sim_side(s);

	rekeying_settle(s);
	rekey(s, LEFT);
	sim_run_ms(s, sim_draw(s, 0, 1000));
	sim_crash(s, side);
	sim_run_ms(s, sim_draw(s, 0, 2000));
	sim_restart(s, side);
	sim_run_s(s, seconds);
	rekeying_settle(s);
}

void rekeying_meets_dead_plane(struct sim *s, rekey_fn *rekey)
{
	rekeying_settle(s);
	rekey(s, LEFT);
	sim_run_ms(s, sim_draw(s, 0, 1) ? sim_draw(s, 0, 300) : sim_draw(s, 0, 8000));
	sim_plane_dies(s, sim_side(s));
	sim_run_s(s, 100);
	rekeying_settle(s);
}

void rekeying_meets_reload(struct sim *s, rekey_fn *rekey)
{
	rekeying_settle(s);
	rekey(s, sim_side(s));
	sim_run_ms(s, sim_draw(s, 0, 400));
	sim_reload(s, LEFT, rekeying_always.text[LEFT]);
	sim_run_s(s, 60);
	rekeying_settle(s);
}
