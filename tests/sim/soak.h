/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway with many peers, for a long time: one engine each in one process, a virtual clock, a
 * network between them, and planes and jobs that are fake and never fail. The world of sim.h knows
 * two ends and remembers all that was ever sent; this one forgets, so that days are as cheap as
 * they are long. Each peer has a clock of its own, which stands still while its machine sleeps.
 */
#ifndef TESTS_SIM_SOAK_H
#define TESTS_SIM_SOAK_H

#include "ike/engine.h"
#include "tests/sim/world.h"

enum { SOAK_PEERS_MAX = 200, SOAK_NODES = SOAK_PEERS_MAX + 1, SOAK_GATEWAY = 0 };
enum { SOAK_WIRES = 1024, SOAK_WIRE_WAYS = 8 };

struct soak_net {
	uint32_t loss; /* per cent */
	uint32_t delay_ms[2];
};

/* Half of a Child SA in a plane. */
struct soak_sa {
	uint32_t spi;
	enum sa_dir dir;
	uint64_t key; /* a hash */
	struct addr remote;
	size_t peer; /* the node of the connection's other end */
};

struct soak_node {
	struct soak *w;
	size_t i;
	struct conf *conf;
	struct ike_engine *e; /* NULL: killed */
	uint32_t life;
	bool asleep;
	mono_ns behind; /* its clock */
	mono_ns deadline;
	mono_ns plane_free;
	struct chance chance;
	struct addr addr;
	struct soak_sa *sas; /* in the order in which they came */
	size_t n_sas, max_sas;
	uint64_t n_notes[N_IKE_NOTES];
};

/* What an IKE SA has sent in one direction: its IVs count up, and what comes again is the same. */
struct soak_wire {
	uint64_t spi_i, spi_r;
	uint64_t direction;
	uint64_t iv[8], hash[8];
	uint64_t highest;
	mono_ns used;
	unsigned at;
};

struct soak {
	struct soak_node node[SOAK_NODES];
	size_t n_nodes;
	mono_ns now;
	struct heap events;
	struct soak_net net;
	struct chance chance;
	struct soak_wire wire[SOAK_WIRES][SOAK_WIRE_WAYS];
	size_t engine_bytes; /* what inputs of engines have left allocated, in sum */
	uint64_t n_delivered, n_lost, n_packets;
	bool failed;
	char why[512];
};

/* ---- soak_world.c ---- */

bool soak_begin(struct soak *w, size_t n_peers, uint64_t seed);
void soak_end(struct soak *w);
void soak_must(struct soak *w, bool holds, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void soak_run_until(struct soak *w, mono_ns until);
void soak_kill(struct soak *w, size_t i);
void soak_live(struct soak *w, size_t i);
void soak_move(struct soak *w, size_t i);
/* It hears nothing and its clock stands still; it goes on. `jumps`: its clock, too. */
void soak_sleep(struct soak *w, size_t i);
void soak_wake(struct soak *w, size_t i, bool jumps);
/* `up` or `down` of all, at all peers. */
void soak_command(struct soak *w, enum ike_event_kind kind);
/* A packet leaves each end of each tunnel: how many of them would not be taken. */
size_t soak_packets(struct soak *w);

struct soak_count {
	uint64_t ike_sas, plane_sas, tickets, half_open, timers, bytes;
};
struct soak_count soak_count(const struct soak *w);

/* soak_wire.c: looks at a datagram that leaves. */
void soak_sent(struct soak *w, struct span datagram);

/* soak_plane.c: jobs and planes answer at once, but by an event. */
void soak_job(struct soak_node *n, const struct job *j);
void soak_plane(struct soak_node *n, const struct sa_cmd *cmd);
void soak_resolve(struct soak_node *n, const struct conf_connection *cn);
/* For those that answer. */
void soak_event(struct soak_node *n, const struct ike_event *ev);
struct soak_later {
	struct heap_node node;
	struct soak_node *to;
	uint32_t life;
	void (*happen)(struct soak_later *l);
};
void soak_later(struct soak_later *l, struct soak_node *to, mono_ns when);

#endif
