/* SPDX-License-Identifier: Apache-2.0 */
/* Two peers for one network: RIGHT is both of them, by two identities. The path of the preferred
 * one goes and comes while packets want through. */
#include <string.h>

#include "tests/sim/confs.h"
#include "tests/sim/world.h"

#define TO_RIGHT(name, peer, number)                                        \
	"connection " name " {\n address = 198.51.100.2\n identity = " peer \
	".example.org\n priority = " number "\n" PSK ALWAYS FIXED LEFT_NET "}\n"
#define TO_LEFT(name, self, number)                                                        \
	"connection " name                                                                 \
	" {\n address = 192.0.2.1\n identity = left.example.org\n priority = " number "\n" \
	" local_identity = " self ".example.org\n" PSK MANUAL FIXED RIGHT_NET "}\n"
#define BARE(name) "me {\n identity = " name "\n}\n"

static const struct sim_conf two = {
	{ BARE("left.example.org") TO_RIGHT("main", "right", "1") TO_RIGHT("spare", "spare", "2"),
	  BARE("right.example.org") TO_LEFT("main", "right", "1") TO_LEFT("spare", "spare", "2") }
};

/* Whose path is cut: initiator's SPI, 0: nobody's. What goes to it is lost since, as told. */
struct cut {
	uint64_t spi;
	mono_ns since, told;
	bool one_way; /* nothing that is sent asks for an answer, so nothing ever comes */
};

static bool cut_one(struct sim *s, struct sim_packet *p, void *ctx)
{
	const struct cut *cut = ctx;
	struct rd r = rd_from(span_of(p->bytes, p->len));

	(void)s;
	return cut->spi == 0 || rd_u64(&r) != cut->spi;
}

static uint64_t spi_of(const struct sim *s, const char *connection)
{
	const struct seen seen = check_look(&s->end[LEFT]);

	for (size_t i = 0; i < seen.n; i++) {
		if (strcmp(seen.sas[i].connection, connection) == 0)
			return seen.sas[i].spi_i;
	}
	return 0;
}

static bool goes_by(const struct sim *s, const char *connection)
{
	const struct sa_desc *out = sim_carrier(s, LEFT);

	return out && strcmp(out->connection, connection) == 0;
}

/* A packet, and the next 50 ms. What is lost is not answered, and the plane says so. */
static void packet(struct sim *s, struct cut *cut)
{
	if ((cut->spi == 0 && !cut->one_way) || !goes_by(s, "main")) {
		cut->since = cut->told = s->now;
		sim_packet_out(s, LEFT);
		return sim_run_ms(s, 50);
	}
	if (cut->spi == 0)
		sim_packet_out(s, LEFT);
	if (s->now - cut->since >= 400 * NS_PER_MS &&
	    (cut->told == cut->since || s->now - cut->told >= NS_PER_S)) {
		cut->told = s->now;
		sim_silent(s, LEFT);
	}
	sim_run_ms(s, 50);
}

static void packets(struct sim *s, struct cut *cut, uint32_t ms)
{
	const mono_ns until = s->now + ms * NS_PER_MS;

	while (s->now < until && !s->failed)
		packet(s, cut);
}

/* ... until they go by that one. */
static void must_go_by(struct sim *s, struct cut *cut, const char *connection, uint32_t ms)
{
	const mono_ns was = s->now;

	while (!goes_by(s, connection) && s->now - was < ms * NS_PER_MS && !s->failed)
		packet(s, cut);
	sim_must(s, goes_by(s, connection), "after %u ms packets do not go by %s", ms, connection);
}

static bool is_good(const struct sim *s)
{
	return s->net.loss == 0;
}

static void begin(struct sim *s, struct cut *cut)
{
	sim_run_until_quiet(s);
	sim_expect(s, "main", 1);
	sim_expect(s, "spare", 1);
	sim_set_middle(s, cut_one, cut);
	sim_run_ms(s, sim_draw(s, 0, 40000));
	packets(s, cut, 2000);
	sim_must(s, goes_by(s, "main"), "packets do not go to the preferred one");
}

static void cut_off(struct sim *s, struct cut *cut)
{
	cut->since = cut->told = s->now;
	cut->spi = spi_of(s, "main");
	sim_must(s, cut->spi != 0, "the preferred one is not up");
	/* On a bad link every answer so far may have been lost once, so that what is slow is waited
	 * for: twice as long as the quickest of them took. */
	must_go_by(s, cut, "spare", is_good(s) ? 2000 : 3600);
}

static void end(struct sim *s)
{
	sim_set_middle(s, NULL, NULL);
	sim_run_s(s, 60);
	sim_run_until_quiet(s);
	sim_expect(s, "main", 1);
	sim_expect(s, "spare", 1);
	sim_must(s, goes_by(s, "main"), "packets do not go to the preferred one");
}

/* For less than what makes a peer lost. */
static void comes_back(struct sim *s)
{
	struct cut cut = { .spi = 0 };

	begin(s, &cut);
	for (uint32_t i = sim_draw(s, 1, 4); i > 0 && !s->failed; i--) {
		cut_off(s, &cut);
		packets(s, &cut, sim_draw(s, 0, 20000));
		sim_must(s, !is_good(s) || sim_notes(s, LEFT, IKE_NOTE_DOWN) == 0,
			 "it was deleted too early");
		cut.spi = 0;
		must_go_by(s, &cut, "main", is_good(s) ? 15000 : 200000);
		packets(s, &cut, sim_draw(s, 0, 20000));
	}
	end(s);
}

/* For so long that it is given up, and made anew. */
static void is_lost(struct sim *s)
{
	struct cut cut = { .spi = 0 };

	begin(s, &cut);
	cut_off(s, &cut);
	packets(s, &cut, 120000);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_DOWN) > 0, "it is never given up");
	cut.spi = 0;
	must_go_by(s, &cut, "main", 400000);
	end(s);
}

/* Its keys change while it is passed over, or the other one's do. */
static void with_new_keys(struct sim *s)
{
	struct cut cut = { .spi = 0 };

	begin(s, &cut);
	cut_off(s, &cut);
	packets(s, &cut, sim_draw(s, 0, 5000));
	cut.spi = 0;
	for (uint32_t i = sim_draw(s, 1, 3); i > 0; i--) {
		if (sim_draw(s, 0, 1))
			sim_rekey(s, sim_side(s));
		else
			sim_rekey_ike(s, sim_side(s));
		packets(s, &cut, sim_draw(s, 0, 3000));
	}
	must_go_by(s, &cut, "main", is_good(s) ? 15000 : 200000);
	end(s);
}

/* Its answers take longer than a request waits before it is sent again. What is known of the path
 * from the handshake keeps packets there; and it still is left in time. */
static void is_slow(struct sim *s)
{
	struct cut cut = { .one_way = true };

	begin(s, &cut);
	packets(s, &cut, 120000);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_PASSED_OVER) == 0, "a slow peer was passed over");
	for (uint32_t i = sim_draw(s, 1, 3); i > 0 && !s->failed; i--) {
		cut.since = cut.told = s->now;
		cut.spi = spi_of(s, "main");
		must_go_by(s, &cut, "spare", 5000);
		packets(s, &cut, sim_draw(s, 0, 10000));
		cut.spi = 0;
		must_go_by(s, &cut, "main", 20000);
	}
	end(s);
}

/* It becomes slow when it is up already: that is learned by passing it over once or twice. */
static void becomes_slow(struct sim *s)
{
	struct cut cut = { .one_way = true };

	begin(s, &cut);
	s->net.delay_ms[0] = 450;
	s->net.delay_ms[1] = 600;
	packets(s, &cut, 300000);
	sim_must(s, sim_notes(s, LEFT, IKE_NOTE_PASSED_OVER) <= 2,
		 "a peer that became slow was passed over %zu times",
		 sim_notes(s, LEFT, IKE_NOTE_PASSED_OVER));
	sim_must(s, goes_by(s, "main"), "packets do not go to the preferred one");
	end(s);
}

#define GOOD DELAYS(1, 100)
#define SLOW DELAYS(450, 600)

const struct sim_scenario scenarios_standby[] = {
	{ "standby", "the preferred of two peers is cut off and comes back, under traffic",
	  comes_back, &two, GOOD, 0 },
	{ "standby-lossy", "... over a bad link", comes_back, &two, LOSSY, 0 },
	{ "standby-lost", "the preferred of two peers is lost and made anew", is_lost, &two, GOOD,
	  0 },
	{ "standby-rekey", "... while keys change", with_new_keys, &two, GOOD, 0 },
	{ "standby-rekey-lossy", "... over a bad link", with_new_keys, &two, LOSSY, 0 },
	{ "standby-slow", "the preferred of two peers answers late, and is needed for no answer",
	  is_slow, &two, SLOW, 0 },
	{ "standby-slower", "... and does so from some moment on", becomes_slow, &two, GOOD, 0 },
	{ 0 },
};
