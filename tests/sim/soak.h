/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway with many peers, for a long time: one engine each in one process, a virtual clock, a
 * network between them, and planes and jobs that are fake and never fail. The world of sim.h knows
 * two ends and remembers all that was ever sent; this one forgets, so that days are as cheap as
 * they are long. Each peer has a clock of its own, which stands still while its machine sleeps.
 */
#ifndef TESTS_SIM_SOAK_H
#define TESTS_SIM_SOAK_H

#include "base/vault.h"
#include "ike/engine.h"
#include "tests/sim/world.h"

enum { SOAK_PEERS_MAX = 200, SOAK_NODES = SOAK_PEERS_MAX + 1, SOAK_GATEWAY = 0 };
enum { SOAK_KEEPING = 3 }; /* each third peer writes down what another one may go on with */
enum { SOAK_WIRES = 1024, SOAK_WIRE_WAYS = 8, SOAK_IVS = 64 };

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
	bool claimed; /* by the engine that is there now */
};

struct soak_node {
	struct soak *w;
	size_t i;
	struct heap_node due;
	struct conf *conf;
	struct ike_engine *e; /* NULL: killed */
	size_t bytes;	      /* what its engine has allocated, */
	size_t fresh;	      /* ... and had before it knew of anything */
	uint32_t life;
	uint32_t kill_in; /* counts down to the action that it does not come to; 0: it does */
	mono_ns away;	  /* for so long, then */
	mono_ns back_at;
	bool keeps;	   /* records; may change while it is killed */
	bool goes_on;	   /* with what is kept */
	bool has_returned; /* the one that is there now has done so */
	void *vault_memory;
	struct vault vault;
	size_t vault_bytes;
	uint64_t last_install; /* numbers that were carried out: up to this one, */
	uint64_t done_before;  /* ... and for engines that are gone */
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
	uint64_t iv[SOAK_IVS], hash[SOAK_IVS]; /* hash 0: none yet */
	uint64_t highest;
	mono_ns used;
};

/* What is done wrong, so that it has to be found. */
enum soak_broken {
	SOAK_WHOLE,
	SOAK_LEAKS,	      /* memory, each hour */
	SOAK_LEAKS_AT_RETURN, /* ... by each engine that goes on */
	SOAK_KEEPS_RECORDS,   /* of what is gone */
	SOAK_KEEPS_SAS,	      /* that nobody claims */
	N_SOAK_BROKEN
};

struct soak {
	struct soak_node node[SOAK_NODES];
	size_t n_nodes;
	mono_ns now;
	struct heap events;
	struct heap due; /* ends */
	struct soak_net net;
	struct chance chance;
	struct soak_wire wire[SOAK_WIRES][SOAK_WIRE_WAYS];
	enum soak_broken broken;
	size_t forgotten; /* bytes, of SOAK_LEAKS */
	uint64_t n_delivered, n_lost, n_packets, n_returns;
	bool failed;
	char why[512];
};

/* ---- soak_world.c ---- */

bool soak_begin(struct soak *w, size_t n_peers, uint64_t seed);
void soak_end(struct soak *w);
void soak_must(struct soak *w, bool holds, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void soak_run_until(struct soak *w, mono_ns until);
/* A packet leaves each end of each tunnel: how many of them would not be taken. */
size_t soak_packets(struct soak *w);

struct soak_count {
	uint64_t ike_sas, plane_sas, tickets, half_open, timers, bytes, records, record_bytes;
};
/* Bytes are those that engines have beyond what each begins with. Records have to be those of what
 * is there. */
struct soak_count soak_count(struct soak *w);
/* SPIs that engines have in use. */
size_t soak_slots(const struct soak *w);

/* ---- soak_life.c ---- */

mono_ns soak_clock(const struct soak_node *n);
/* Around each input; what it leads to is done. */
void soak_enter(struct soak_node *n);
void soak_leave(struct soak_node *n); /* soak_world.c */
/* Its time has come. */
void soak_tick(struct soak_node *n);
/* When that is may have changed. */
void soak_reckon(struct soak_node *n); /* soak_world.c */
void soak_live(struct soak *w, size_t i);
/* With its planes and records: soon it begins anew. */
void soak_kill(struct soak *w, size_t i);
/* Before the nth of its actions from now on, 0: at once; after so long it goes on. No effect on one
 * that keeps nothing. */
void soak_kill_before(struct soak *w, size_t i, uint32_t nth, mono_ns away);
void soak_fall(struct soak_node *n);
void soak_move(struct soak *w, size_t i);
/* It hears nothing and its clock stands still; it goes on. `jumps`: its clock, too. */
void soak_sleep(struct soak *w, size_t i);
void soak_wake(struct soak *w, size_t i, bool jumps);
/* `up` or `down` of all, at all peers. */
void soak_command(struct soak *w, enum ike_event_kind kind);

/* ---- soak_records.c: what engines write down, and give to others ---- */

void soak_keep(struct soak_node *n, const struct ike_action *a);
void soak_commit(struct soak_node *n);
/* The engine died: what does not count is lost. */
void soak_survive(struct soak_node *n);
void soak_give(struct soak_node *n);
/* All of it is lost. */
void soak_forget(struct soak_node *n);
void soak_records_must_be_right(struct soak_node *n);

/* soak_wire.c: looks at a datagram that leaves. */
void soak_sent(struct soak_node *n, struct span datagram);

/* soak_plane.c: jobs and planes answer at once, but by an event. */
void soak_job(struct soak_node *n, const struct job *j);
void soak_plane(struct soak_node *n, const struct sa_cmd *cmd);
/* From now on nobody has claimed what is there. */
void soak_unclaim(struct soak_node *n);
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
