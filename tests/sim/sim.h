/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator: two engines in one process, a virtual clock, a network that loses, duplicates,
 * reorders, delays, mutates, mirrors, repeats and translates addresses, a data plane and jobs that
 * are fake and can fail. One seed decides everything that is drawn, so a run that failed is run
 * again by its seed.
 *
 * A scenario is a function that tells a story with the words of this header; what holds in every
 * story (tests/sim/check.c) is looked at after every step without being asked for.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "ike/engine.h"

enum side { LEFT, RIGHT };

/* A NAT before one end. MAPPED: a port of the NAT's for each that is used, and nothing comes in
 * before something went out. FORWARDED: 500 and 4500 come in as well. */
enum sim_nat { NAT_NONE, NAT_MAPPED, NAT_FORWARDED };

/* Per cent of the datagrams that this happens to, and how long they take. */
struct sim_net {
	uint32_t loss;
	uint32_t dup;
	uint32_t mutate;
	uint32_t reflect;
	uint32_t replay;
	uint32_t delay_ms[2]; /* { 0, 0 }: 10 ms, so that they stay in order */
	enum sim_nat nat[2];
};

/* One configuration file per end. */
struct sim_conf {
	const char *text[2];
};

struct sim;

/* ---- a run ---- */

/* Both engines begin at once. */
struct sim *sim_new(const struct sim_conf *conf, struct sim_net net, uint64_t seed);
/* Checks that no memory is left. False when the run failed; then why is in `text`. */
bool sim_free(struct sim *s, char text[static 512]);
/* One more fact that has to hold: the first that does not fails the run, which then stands still.
 */
void sim_must(struct sim *s, bool holds, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool sim_failed(const struct sim *s);
/* A measured run did not reach its goal; how many may is the scenario's `may_miss`. */
void sim_miss(struct sim *s);
bool sim_missed(const struct sim *s);
/* From now on Diffie-Hellman in slow groups is what it should be, and takes its time. */
void sim_compute_truly(struct sim *s);

/* ---- time ---- */

/* Until nothing is on its way and no exchange is open, which has to be within 20 virtual minutes;
 * then both ends have to agree. */
void sim_run_until_quiet(struct sim *s);
void sim_run_s(struct sim *s, uint32_t seconds);
void sim_run_ms(struct sim *s, uint32_t ms);
/* Until this side has told such a note (again); false when it has not within so many seconds. */
bool sim_run_until_note(struct sim *s, enum side side, enum ike_note_kind kind, uint32_t seconds);
/* Draws of the scenario's: lo..hi; one of the ends. */
uint32_t sim_draw(struct sim *s, uint32_t lo, uint32_t hi);
enum side sim_side(struct sim *s);
/* For scenarios that count through cases. */
uint64_t sim_seed(const struct sim *s);

/* ---- what people do ---- */

void sim_up(struct sim *s, enum side side, const char *connection);
void sim_down(struct sim *s, enum side side, const char *connection);
void sim_up_child(struct sim *s, enum side side, const char *connection, const char *child);
void sim_down_child(struct sim *s, enum side side, const char *connection, const char *child);
void sim_reload(struct sim *s, enum side side, const char *text);
/* kill -9 and a new start: nothing is left of the engine nor of its SAs. */
void sim_crash(struct sim *s, enum side side);
void sim_restart(struct sim *s, enum side side);
/* kill -9 before the nth action of its engine from now on is carried out, writing ahead included;
 * 0: at once. Its planes stay as they are, and after so long another engine goes on. */
void sim_kill(struct sim *s, enum side side, uint32_t nth, uint32_t ms);
void sim_shutdown(struct sim *s, enum side side);

/* ---- what goes wrong ---- */

/* From now on; a cut network has a loss of 100. */
void sim_set_net(struct sim *s, struct sim_net net);
/* The nth job (install) of the run from now on fails, or (jobs) is never answered. */
void sim_fail_job(struct sim *s, uint32_t nth);
void sim_lose_job(struct sim *s, uint32_t nth);
void sim_fail_install(struct sim *s, uint32_t nth);
void sim_fail_move(struct sim *s, uint32_t nth);
/* The nth allocation of this side's engine from now on finds no memory. */
void sim_fail_malloc(struct sim *s, enum side side, uint32_t nth);
/* After a while there is memory again, and then n pairs of `site`. */
void sim_memory_is_back(struct sim *s, enum side side, size_t n);
/* The plane says that a hard limit was reached (a soft one: that it comes near). */
void sim_expire(struct sim *s, enum side side);
void sim_expire_soft(struct sim *s, enum side side);
/* This side's NAT forgets its mappings; `address`: and has another address from now on. */
void sim_rebind(struct sim *s, enum side side, bool address);
/* This side's machine has another address from now on, and knows it. */
void sim_move(struct sim *s, enum side side);
/* An ESP packet of this side's first child goes to the other end, which may notice from where. */
void sim_traffic(struct sim *s, enum side side);
/* ... or somebody makes this side believe that it came from here. */
void sim_mapping(struct sim *s, enum side side, const struct endpoint *from);
/* The outbound SA that packets go by: the newest, of those of the best peer that is not passed over
 * where there are several. NULL: none. */
const struct sa_desc *sim_carrier(const struct sim *s, enum side side);
/* A packet goes out by that SA, which must be there, and must be taken at the other
 * end; packets go both ways for so long; all of them have come. */
void sim_packet_out(struct sim *s, enum side side);
void sim_packets(struct sim *s, uint32_t ms);
void sim_must_have_carried(struct sim *s);
/* The newest outbound SA nears a limit. */
void sim_rekey(struct sim *s, enum side side);
/* The lifetime of the IKE SA is over soon. */
void sim_rekey_ike(struct sim *s, enum side side);
/* Both ends are to prove themselves anew. */
void sim_reauthenticate(struct sim *s, enum side side);
/* Its process dies with every SA, and what it was asked is answered by a failure. */
void sim_plane_dies(struct sim *s, enum side side);
/* A packet wants through a child that is not up; ICMP says that the peer cannot be reached. */
void sim_acquire(struct sim *s, enum side side);
/* Packets went out for a second, and none came: as the plane says it, if there is an SA. */
void sim_silent(struct sim *s, enum side side);
/* ... the nth of the first connection. */
void sim_acquire_child(struct sim *s, enum side side, size_t nth);
/* Packets that this side's kernel still holds. */
size_t sim_larvae(const struct sim *s, enum side side);
void sim_unreachable(struct sim *s, enum side side);
/* This side's PSK file has another key; its certificate proves another name. */
void sim_set_psk(struct sim *s, enum side side, const char *psk);
void sim_set_certificate(struct sim *s, enum side side, const char *name);

/* ---- what became of it ---- */

/* This side sends its ESP to where the other one is now. */
void sim_points(struct sim *s, enum side side);
/* Child SAs that both planes hold and that match; `child` NULL: of the whole connection. */
size_t sim_pairs(const struct sim *s, const char *connection, const char *child);
/* Exactly n pairs of the connection, and one IKE SA on both sides when n > 0, else none. */
void sim_expect(struct sim *s, const char *connection, size_t n);
/* Once nothing is on its way: all children of THREE (confs.h), one pair each. */
enum { N_SIM_THREE = 3 };
extern const char *const sim_three[N_SIM_THREE];
void sim_expect_three(struct sim *s);
size_t sim_ike_sas(const struct sim *s, enum side side);
size_t sim_notes(const struct sim *s, enum side side, enum ike_note_kind kind);
/* The last one; NULL: none was told. */
const struct ike_note *sim_note(const struct sim *s, enum side side, enum ike_note_kind kind);

/* ---- attackers ---- */

struct sim_packet;

/* Looks at every datagram that an engine sends, before the network does; it may change bytes (and
 * length) in place. False: it is lost. NULL: nobody looks. */
typedef bool sim_middle_fn(struct sim *s, struct sim_packet *p, void *ctx);
void sim_set_middle(struct sim *s, sim_middle_fn *fn, void *ctx);
/* Somebody else's datagram, which must not change anything that is established. */
void sim_inject(struct sim *s, enum side to, const struct path *path, struct span bytes);
/* As the receiver sees what the other end sends; ports as given. */
struct path sim_path_to(const struct sim *s, enum side to, uint16_t port);

/* ---- scenarios ---- */

struct sim_scenario {
	const char *name;
	const char *promise;
	void (*run)(struct sim *s);
	const struct sim_conf *conf;
	struct sim_net net;
	uint32_t may_miss; /* of 1000 runs */
};

/* NULL behind the last. */
const struct sim_scenario *sim_scenario(size_t i);

/* Tables of the scenario files; NULL name behind the last. */
extern const struct sim_scenario scenarios_up[];
extern const struct sim_scenario scenarios_links[];
extern const struct sim_scenario scenarios_faults[];
extern const struct sim_scenario scenarios_refusals[];
extern const struct sim_scenario scenarios_attacks[];
extern const struct sim_scenario scenarios_middle[];
extern const struct sim_scenario scenarios_downgrade[];
extern const struct sim_scenario scenarios_forged[];
extern const struct sim_scenario scenarios_chaos[];
extern const struct sim_scenario scenarios_insider[];
extern const struct sim_scenario scenarios_life[];
extern const struct sim_scenario scenarios_mobike[];
extern const struct sim_scenario scenarios_moves[];
extern const struct sim_scenario scenarios_suites[];
extern const struct sim_scenario scenarios_transport[];
extern const struct sim_scenario scenarios_children[];
extern const struct sim_scenario scenarios_create[];
extern const struct sim_scenario scenarios_qcd[];
extern const struct sim_scenario scenarios_redirect[];
extern const struct sim_scenario scenarios_standby[];
extern const struct sim_scenario scenarios_rekey[];
extern const struct sim_scenario scenarios_rekey_ike[];
extern const struct sim_scenario scenarios_reauth[];
extern const struct sim_scenario scenarios_restore[];
extern const struct sim_scenario scenarios_return[];

#endif
