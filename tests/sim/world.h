/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated world's own state, for the files of tests/sim/ (scenarios use sim.h; those of
 * attackers look in here as well). Everything that happens later is an event in one heap; an end's
 * events die with its engine.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "base/heap.h"
#include "base/table.h"
#include "base/vault.h"
#include "tests/sim/sim.h"

enum {
	SIM_SAS_MAX = 64,
	SIM_PACKET_MAX = 65536,
	SIM_HISTORY = 64,
	SIM_MAPPINGS = 16,
	SIM_LARVAE_MAX = 8,
	SIM_LOG_BUCKETS = 512,
};

/* ---- chance ---- */

/* splitmix64. */
struct chance {
	uint64_t state;
};
uint64_t chance_u64(struct chance *c);
uint32_t chance_between(struct chance *c, uint32_t lo, uint32_t hi);
/* Below n; 0 when that is 0. */
uint32_t chance_index(struct chance *c, size_t n);
bool chance_percent(struct chance *c, uint32_t percent);

/* ---- events ---- */

struct sim_event {
	struct heap_node node;
	enum side side;
	uint32_t life;	/* of the end that it is for; another life never hears of it */
	bool of_planes; /* it is for that end's planes, which outlive an engine that is restored */
	uint32_t planes;
	void (*happen)(struct sim *s, struct sim_event *ev);
	void (*drop)(struct sim_event *ev); /* frees it */
};
void sim_later(struct sim *s, struct sim_event *ev, mono_ns when);
/* How long something takes: from lo to hi us, or what `work_us` says. */
mono_ns sim_takes(struct sim *s, uint32_t lo, uint32_t hi);
/* One instant; false when nothing is due before `until`, which is then the time. */
bool sim_step(struct sim *s, mono_ns until);
/* Nothing is on its way, no exchange open, and nothing happened for a while; so it may be at: */
bool sim_is_quiet(const struct sim *s);
mono_ns sim_quiet_at(const struct sim *s);

/* ---- datagrams ---- */

/* GENUINE: made by an engine, for the first time here. REPLAYED: it was here before. FORGED: nobody
 * with the keys made it, or not so, or for somebody else. */
enum trust { GENUINE, REPLAYED, FORGED };

struct sim_packet {
	struct sim_event ev;
	struct path path; /* as the receiver sees it */
	enum side from;
	enum trust trust;
	mono_ns arrives; /* 0: when the network likes */
	size_t len;
	uint8_t bytes[]; /* room for SIM_GROWTH more */
};
enum { SIM_GROWTH = 64 };

struct mapping {
	uint16_t inside;
	uint16_t outside;
	mono_ns used; /* when something last went out */
	bool forgotten;
};

/* ---- ends ---- */

/* Nonces decide which of two that crossed stays: as they come, or always below the other end's, or
 * always above. */
enum sim_nonces { NONCES_DRAWN, NONCES_LOW, NONCES_HIGH };

/* A packet of a trap that waits in the kernel: no other one asks for its child meanwhile. */
struct larval {
	uint32_t reqid;
	uint32_t number;
	mono_ns born;
};

struct end {
	struct sim *sim;
	enum side side;
	uint32_t life;	 /* counts up at each crash */
	uint32_t planes; /* ... that takes them along */
	bool dead;
	struct conf *conf;
	struct kept_conf *kept; /* whose conf this is; NULL: nobody's */
	struct ike_engine *e;
	struct chance chance;
	enum sim_nonces nonces;
	struct addr addr;   /* its own */
	struct addr public; /* what the world sees: its NAT's, if there is one */
	struct mapping map[SIM_MAPPINGS];
	size_t n_map;
	/* jobs */
	const char *psk;
	const char *proves; /* NULL: what its configuration says */
	uint32_t n_agreed;  /* proofs of the peer that were good */
	/* the plane */
	struct plane_caps kernel;	      /* all zero: there is userspace alone */
	struct larval larvae[SIM_LARVAE_MAX]; /* number 0: a free place */
	uint32_t last_acquire;
	struct sa_desc sas[SIM_SAS_MAX];
	size_t n_sas;
	struct heard {
		uint32_t spi;
		uint32_t n;
	} heard[SIM_SAS_MAX]; /* by which SPIs packets came, and how many */
	size_t n_heard;
	uint32_t n_went, n_came;   /* packets */
	uint32_t refused_spi;	   /* of the last install that failed */
	bool claimed[SIM_SAS_MAX]; /* by this engine, or put in by it */
	uint64_t last_install;	   /* numbers that were carried out: up to this one, */
	uint64_t done_before;	   /* ... and by engines that are gone */
	uint64_t asked_install;	   /* the last number that it was asked for, by this engine */
	uint32_t asked_in_life, asked_of_plane;
	uint32_t n_sa_commands;
	uint32_t plane_deaths;
	uint32_t plane_returns; /* of a process of userspace ESP that kept its SAs */
	mono_ns plane_is_back;	/* when it is; 0: it is there */
	uint32_t n_lost;	/* datagrams that left for nobody */
	bool lost_sas;		/* some expired by themselves */
	bool keeps_sas;		/* a broken plane: what is taken away stays */
	uint32_t n_protected;	/* answers that left with SK or SKF */
	bool is_lifted;		/* the last guard was */
	bool may_lift;		/* somebody said `down`, or took the connection out */
	mono_ns plane_free;	/* commands are carried out one after the other */
	/* what is written ahead */
	struct vault vault;
	uint8_t *vault_memory;
	bool reloaded; /* and nothing was written since; then these may not be taken: */
	struct key refused[8];
	size_t n_refused;
	uint32_t kill_in; /* it dies before the nth action from now on; 0: never */
	bool has_moved;
	mono_ns away;	 /* how long it is dead then */
	mono_ns back_at; /* dead, and restored then; NEVER */
	/* notes */
	struct ike_note last[N_IKE_NOTES];
	size_t n_notes[N_IKE_NOTES];
	/* check */
	uint64_t retransmissions;
	uint32_t stuck;
	/* memory */
	size_t fail_malloc;
};

struct sim {
	struct end end[2];
	mono_ns now;
	struct heap events;
	struct sim_net net;
	struct chance chance; /* the network's, the jobs' and the scenario's */
	uint64_t seed;	      /* what all of it came from */
	bool true_ke;
	sim_middle_fn *middle;
	void *middle_ctx;
	struct sim_packet *history[SIM_HISTORY]; /* delivered; NULL: none */
	size_t n_history;
	uint32_t work_us; /* what a job or a command of a plane takes; 0: drawn each time */
	mono_ns stirred;  /* when something last happened that is not liveness */
	uint32_t jobs_until_failure, jobs_until_loss, installs_until_failure, moves_until_failure;
	struct sent *sent[SIM_LOG_BUCKETS];    /* what is on the wire must never repeat an IV */
	struct proof *proofs[SIM_LOG_BUCKETS]; /* octets that were signed or MACed */
	struct outkey *outkeys;		       /* of outbound SAs, ever */
	bool planes_are_late; /* a command is carried out when it is answered, no sooner */
	bool addresses_go; /* what leaves from one that is gone gets nowhere, as a kernel does it */
	bool failed, missed, trace;
	char why[512];
	size_t memory_before;
	size_t memory_engines; /* what inputs of engines left allocated, in sum */
	uint64_t n_delivered;
};

/* end.c: inputs of an engine; what it wants then is carried out at once. */
void end_begin(struct end *end, const char *text);
void end_free(struct end *end);
void end_datagram(struct end *end, const struct path *path, struct span bytes);
void end_event(struct end *end, const struct ike_event *ev);
void end_tick(struct end *end);
void end_reload(struct end *end, const char *text);
void end_shutdown(struct end *end);
void end_die(struct end *end);
/* Its planes have what they have; all but that and its records is gone. */
void end_fall(struct end *end);
void end_restore(struct end *end);
void end_tell_address(struct end *end);
/* An engine with its configuration; NULL: no memory. */
struct ike_engine *end_engine(struct end *end, bool restores);
void end_live(struct end *end);

/* net.c */
void net_send(struct end *from, const struct ike_action *a);
/* The source of what leaves this end, as the world sees it. */
bool net_source(struct end *from, struct endpoint *src);
void net_keepalive(struct end *from, const struct path *path);
struct inject {
	enum side to;
	enum trust trust;
};
void net_inject(struct sim *s, struct inject how, const struct path *path, struct span bytes);
/* What this end has had may count once more: it was killed before it said so. */
void net_forget(struct sim *s, enum side side);
void net_free(struct sim *s);

/* jobs.c */
void jobs_do(struct end *end, const struct job *j);
/* What the fake world's cryptography comes to, for who has somebody's key (a name is the key), and
 * for who can break a slow group: its public values are all that he needs. The secret is 32 bytes,
 * and zeros up to the group's length. */
enum { SIM_PROOF_LEN = 32 };
MUST_USE enum err jobs_sign(const char *name, struct span octets,
			    uint8_t out[static SIM_PROOF_LEN]);
MUST_USE enum err jobs_secret(struct span a, struct span b, uint8_t out[static 32]);
void jobs_free(struct sim *s);

/* plane.c */
void plane_do(struct end *end, const struct sa_cmd *cmd);
/* Its words when it refuses something. */
extern const char *const sim_plane_says;
void plane_clear(struct end *end);
/* From the engine's begin on there is a kernel that carries everything. */
void plane_give_kernel(struct end *end);
/* traffic.c: how many packets have come by it? One more has. Would one be taken? */
uint32_t traffic_heard(const struct end *end, uint32_t spi);
void traffic_hear(struct end *end, uint32_t spi);
bool traffic_takes(const struct end *end, uint32_t spi, const struct key *key);

/* From now on nobody has claimed what is there. */
void plane_unclaim(struct end *end);

/* records.c: what an engine writes ahead, and what another one has of it */
void records_put(struct end *end, const struct ike_action *a);
void records_commit(struct end *end);
/* The engine died: what does not count is lost. */
void records_survive(struct end *end);
void records_give(struct end *end);
/* They are what the engine is, byte for byte. */
void records_check(struct end *end);
void records_free(struct end *end);

/* check.c: what holds in every story */
bool plane_twin(const struct end *other, const struct sa_desc *sa);
void check_sent(struct end *end, struct span datagram);
void check_outkey(struct sim *s, const struct key *k);
void check_install(struct end *end, const struct sa_cmd *cmd);
void check_step(struct sim *s);
void check_quiet(struct sim *s);
uint64_t check_digest(const struct end *end);
void check_established(struct end *end, const struct ike_note *n);
bool check_lost_memory(const struct end *end);
bool check_is_settled(const struct sim *s);
void check_free(struct sim *s);

/* An IKE SA of this end that is up. */
struct seen_sa {
	char connection[CONF_NAME_MAX + 1];
	uint64_t spi_i, spi_r;
	bool initiator;
};
struct seen {
	struct seen_sa sas[SIM_SAS_MAX];
	size_t n;
	size_t n_children;
	size_t n_unguarded;
	bool busy; /* some connection is not where it wants to be */
};
struct seen check_look(const struct end *end);

/* ke.c: is Diffie-Hellman that was computed before remembered? */
void ke_remember(bool on);
/* ... and is none at all, but both ends have to use it right? */
void ke_pretend(bool on);

/* kept.c: configurations that ends have begun with and not changed, for those that begin with the
 * same text. NULL: there is none; what was loaded then is added, if there is a place. */
struct conf *kept_take(struct end *end, const char *text);
void kept_add(struct end *end, const char *text, struct conf *conf, size_t bytes);
/* False: the end's is none of them, and has to be freed. */
bool kept_give(struct end *end);
/* The end's will be freed. */
void kept_forget(struct end *end);

/* memory.c: what the engines and their configurations have allocated, in bytes. */
size_t memory_live(void);
/* The nth allocation from now on fails; 0: none. */
void memory_fail(size_t nth);
size_t memory_until_failure(void);
/* So many bytes are not in the sum for a time, as they are kept for later runs. */
void memory_lend(size_t bytes);
void memory_take_back(size_t bytes);

/* trace.c */
void trace_packet(const struct sim *s, const struct sim_packet *p, const char *fate);
void trace_note(const struct end *end, const struct ike_note *n);
void trace_line(const struct sim *s, enum side side, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* For the next run. */
void trace_set(bool on);
bool trace_on(void);

#endif
