/* SPDX-License-Identifier: Apache-2.0 */
/* Two engines back to back: a little wire in memory, a virtual clock, fake jobs and a fake data
 * plane. Small on purpose: loss, reordering and many seeds are the simulator's.
 */
#ifndef TESTS_UNIT_IKE_PAIR_H
#define TESTS_UNIT_IKE_PAIR_H

#include "ike/engine.h"

enum side { LEFT, RIGHT };
enum { PAIR_NOTES_MAX = 256, PAIR_SAS_MAX = 160 };

struct datagram {
	struct path path; /* as the receiver sees it */
	enum side to;
	size_t len;
	struct datagram *next;
	uint8_t bytes[];
};

struct pair;

/* Over 0 while an engine runs, so that a test can tell its allocations from others. */
extern int pair_in_engine;

struct end {
	struct pair *pair;
	enum side side;
	struct conf *conf;
	struct ike_engine *e;
	uint64_t seed;
	struct addr addr;
	struct ike_note notes[PAIR_NOTES_MAX]; /* DROPPED are only counted */
	size_t n_notes;
	size_t n_dropped;
	enum err last_drop;
	struct sa_desc sas[PAIR_SAS_MAX]; /* what the plane holds */
	size_t n_sas;
	size_t n_installs;
	uint64_t last_install; /* the number of the last one that was asked for, heard or not, */
	size_t n_disordered;   /* ... and how often it was lower than the one before */
	struct sa_desc claimed[PAIR_SAS_MAX]; /* their SPIs and directions */
	size_t n_claimed;
	const struct ike_engine *claims; /* the engine that did so */
	size_t n_unheard;		 /* so many claims find no room: ERR_LIMIT */
	bool sweeps_not;
	uint32_t sends_by; /* the SPI of the outbound SA that was put in last */
	size_t n_expects;
	uint32_t expected; /* the last SPI that a child was to come by */
	size_t n_forgets;
	uint32_t forgot;      /* the number of the last acquire that was to be forgotten */
	uint32_t answered;    /* ... that an outbound SA came for */
	struct sa_desc moved; /* the last SA_MOVE, without its selectors */
	size_t n_moves;
	uint64_t packets; /* that each of its SAs has carried, by its counters, */
	uint32_t only_by; /* ... or the one with this SPI, and the others none; 0: each */
	size_t n_route_questions;
	size_t n_keepalives;
	size_t n_guards;
	size_t n_jobs[JOB_KE + 1]; /* asked for, by kind */
	bool guarded;
	uint16_t mtu;
	/* what goes wrong */
	size_t fail_install;	   /* the nth install is refused; 0: none */
	enum err fail_install_err; /* OK: ERR_SYSTEM */
	const char *fail_install_why;
	enum job_kind fail_job;
	enum err fail_job_err; /* OK: none is */
	bool hold_jobs;	       /* answers stay away */
	bool hold_names;
	bool hold_sas;		   /* the plane is deaf: it neither does nor answers */
	size_t n_unheard_installs; /* ... and what it was told */
	size_t n_unheard_removes;
	uint8_t sign_method; /* AUTH method of its signatures; 0: AUTH_SIGNATURE */
	bool rfc7427;	     /* its last signature was asked for a peer that speaks RFC 7427 */
	struct plane_caps kernel;
	const char *psk;
	const char *name; /* identity that its certificate proves; NULL: the configuration's */
	struct identity proved; /* ... that the peer's does; ID_NONE: what that claims */
	uint64_t good_s;	/* ... and how long that holds; 0: that is not known */
};

struct pair {
	struct end end[2];
	mono_ns now;
	mono_ns delay;
	struct datagram *wire;
	size_t n_sent;
	size_t longest;	     /* longest datagram so far */
	uint8_t last[65536]; /* the last datagram sent, for tests that look inside */
	size_t last_len;
	enum side last_from;
	/* False: the datagram is lost. It may change the bytes. */
	bool (*filter)(struct pair *p, struct datagram *d);
	void *ctx;
	bool answered;	 /* for a test to remember */
	struct addr nat; /* when set: LEFT's address as RIGHT sees it */
};

/* Loads both configurations; the engines begin at once. */
struct conf *pair_load(const char *text);
struct pair *pair_new(const char *left, const char *right);
/* ... on machines whose kernels can do this. */
struct pair *pair_new_on(const char *const text[2], const struct plane_caps kernel[2]);
/* A kernel that carries everything; a test takes away what it wants. */
struct plane_caps pair_kernel(void);
/* Another engine with this end's configuration; the caller frees it. */
struct ike_engine *pair_engine(struct end *end, bool restores);
/* Asserts that nothing is left in the planes; frees. */
void pair_free(struct pair *p);
/* Runs until nothing is on the wire. */
void pair_drain(struct pair *p);
/* Runs for so long, timers included. */
void pair_run(struct pair *p, mono_ns time);
void pair_up(struct pair *p, enum side s, const char *connection);
void pair_down(struct pair *p, enum side s, const char *connection);
/* IKE_EV_UP or IKE_EV_DOWN of a child of `site`; NULL: of all. */
void pair_command(struct pair *p, enum side s, enum ike_event_kind kind, const char *child);
void pair_deliver(struct pair *p, enum side to, const struct path *path, struct span bytes);
/* Carries out what the engine of this side wants. */
void pair_act(struct pair *p, enum side s);

/* The last note of this kind, or NULL. */
const struct ike_note *pair_note(const struct pair *p, enum side s, enum ike_note_kind kind);
size_t pair_count(const struct pair *p, enum side s, enum ike_note_kind kind);
/* The peers of the connections that are up have shown that they take part in rekeying, so no new
 * keys are made early (ike/rekey.h). */
void pair_has_rekeyed(struct pair *p);
/* Both planes hold exactly n pairs that match each other. */
void pair_expect_children(const struct pair *p, size_t n);
/* IKE SAs that this engine has. */
size_t pair_sas(const struct pair *p, enum side s);
/* That of the first connection, or NULL. */
struct ike_sa *pair_sa(const struct pair *p, enum side s);
struct path pair_path(const struct pair *p, enum side from);

void pair_event(struct end *end, const struct ike_event *ev);
/* Carried out by the fake world. */
void pair_do_job(struct end *end, const struct job *j);
void pair_do_sa(struct end *end, const struct sa_cmd *cmd);
extern const char *const pair_names[2];

/* A filter: every datagram is lost. */
bool pair_lose(struct pair *p, struct datagram *d);
/* As if the sender of this IKE_SA_INIT message did not know the notify: it is another one on the
 * wire, and in what the sender remembers to have sent. False: it is none, or does not have it. */
bool pair_hide_notify(struct pair *p, struct datagram *d, uint16_t type);

/* Configurations. `more` goes into the connection. */
const char *pair_psk(enum side s, const char *more);
const char *pair_cert(enum side s, const char *more);
/* ... with a second child, `lab`. */
const char *pair_two(enum side s, bool cert, const char *more);

#endif
