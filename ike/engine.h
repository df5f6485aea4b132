/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol engine: the whole of IKEv2 as a function of its inputs. No socket, clock, file,
 * random device or log. Feed it a datagram, an event or the time, then drain its actions:
 *
 *	ike_engine_datagram(e, &path, bytes, now);
 *	while (ike_engine_next(e, &action))
 *		perform(&action);
 *	sleep until ike_engine_deadline(e), then ike_engine_tick(e, now);
 *
 * Nothing mutable is global, so several engines live in one process.
 */
#ifndef IKE_ENGINE_H
#define IKE_ENGINE_H

#include "base/clock.h"
#include "base/jobs.h"
#include "base/sadesc.h"
#include "conf/model.h"
#include "crypto/random.h"

struct ike_engine;

struct ike_env {
	struct random random;
	uint8_t n_owners; /* workers of the userspace plane: inbound SPIs name one of them; at least
			     1 */
	/* What the kernel's plane can do: which plane a child has (conf_child_plane). All
	 * zero: there is none. */
	struct plane_caps kernel;
	bool keeps; /* what it has is written down by IKE_ACT_KEEP, for an engine that follows */
	/* It follows one: nothing begins before ike_engine_resume. */
	bool restores;
	/* Own certificate chain of a `me` block, as the CERT payloads carry it: DER, each with a
	 * two-byte length before it, leaf first; empty when there is none. Points into memory that
	 * outlives the engine. */
	struct span (*certificates)(void *ctx, const struct conf_me *me);
	/* CERTREQ data: concatenated SHA-1 hashes of the trusted CAs' SubjectPublicKeyInfo (RFC
	 * 7296 3.7). */
	struct span (*authorities)(void *ctx, const struct conf_me *me);
	void *ctx;
};

/* ---- inputs ---- */

enum ike_event_kind {
	IKE_EV_JOB,	 /* a job's result */
	IKE_EV_SA,	 /* a data plane's answer */
	IKE_EV_PLANE,	 /* acquire, expire, mapping, mtu */
	IKE_EV_RESOLVED, /* answer to IKE_ACT_RESOLVE */
	IKE_EV_UP,	 /* command: connection (child may be NULL: all of them) */
	IKE_EV_DOWN,
	IKE_EV_REKEY,	    /* command: new keys, of the kind that it says */
	IKE_EV_UNREACHABLE, /* ICMP said so of a path: a hint, nothing more */
	IKE_EV_ADDRESSES,   /* addresses or routes of this machine have changed */
	IKE_EV_ROUTES,	    /* answer to IKE_ACT_ROUTE */
	IKE_EV_CLOCK,	    /* the wall clock was set, or the machine has slept */
};

struct ike_resolved {
	const char *connection;
	enum err err;
	size_t n;
	struct path paths[CONF_ADDRS_MAX]; /* local endpoint by the route, ports filled in by the
					      engine */
};

/* What of this machine a peer can send to, without loopback and link-local ones. */
enum { IKE_ADDRS_MAX = 8 };
struct ike_addresses {
	size_t n;
	struct addr addrs[IKE_ADDRS_MAX];
};

/* Where we would send from to each of these. */
enum { IKE_ROUTES_MAX = 16 };
struct ike_route_question {
	uint64_t spi;	   /* our SPI of the IKE SA, as it is to come back */
	struct addr local; /* the only one, as configured; AF_UNSPEC: as the route says */
	size_t n;
	struct addr to[IKE_ROUTES_MAX];
};

/* Those that there is a route to, in the same order; ports are the engine's. */
struct ike_routes {
	uint64_t spi;
	size_t n;
	struct path paths[IKE_ROUTES_MAX];
};

/* The engine's own clock knows neither: it only goes on. */
struct ike_clock {
	mono_ns ahead; /* the wall clock has gained so much on ours; 0: it has not */
	mono_ns slept; /* ... and so long the machine was asleep, while ours stood still */
};

enum ike_rekey {
	IKE_REKEY_CHILD, /* of children */
	IKE_REKEY_IKE,	 /* of the IKE SA, which stays as proved as it was */
	IKE_REKEY_PROOF, /* both ends prove themselves anew, in another IKE SA */
};

struct ike_event {
	enum ike_event_kind kind;
	/* IKE_EV_PLANE: whose word it is. About children of the other plane it has no effect, but
	 * is counted as dropped (ERR_NOT_FOUND). */
	enum sa_plane from;
	uint64_t ticket; /* of PLANE_MTU: about the child of this command alone; 0: of all there */
	union {
		const struct job_result *job;
		const struct sa_done *sa;
		const struct plane_event *plane;
		const struct ike_resolved *resolved;
		struct {
			const char *connection;
			const char *child;
			enum ike_rekey rekey; /* IKE_EV_REKEY */
		} command;
		const struct path *unreachable;
		const struct ike_addresses *addresses;
		const struct ike_routes *routes;
		const struct ike_clock *clock;
	};
};

/* `conf` must outlive the engine or the next reconfigure, which then lets go of the old one.
 * Connections that are unchanged (conf_connection_same) are left alone but for those of their
 * children that changed; changed and removed ones are deleted at the peer. */
struct ike_engine *ike_engine_new(const struct ike_env *env, const struct conf *conf, mono_ns now);
void ike_engine_free(struct ike_engine *e);
/* What another engine has kept, once for each key in any order, into one with `restores`, before it
 * is given anything else. `now` goes on from the other one's. The configuration may be another one:
 * what has changed is closed, as by ike_engine_reconfigure. ERR_SYNTAX, ERR_NOT_FOUND, ERR_EXISTS,
 * ERR_NOMEM: this one cannot be restored and is to be forgotten; it has left no trace. */
MUST_USE enum err ike_engine_restore(struct ike_engine *e, struct span key, struct span bytes);
/* That was all: it goes on. */
void ike_engine_resume(struct ike_engine *e, mono_ns now);
/* ERR_NOMEM: the engine knows only some of the connections, of either configuration; all that is
 * left to do with it is to free it, while both are still there. */
MUST_USE enum err ike_engine_reconfigure(struct ike_engine *e, const struct conf *conf,
					 mono_ns now);
/* An IKE message without the non-ESP marker; path.local.port tells where it came. */
void ike_engine_datagram(struct ike_engine *e, const struct path *p, struct span d, mono_ns now);
void ike_engine_event(struct ike_engine *e, const struct ike_event *ev, mono_ns now);
void ike_engine_tick(struct ike_engine *e, mono_ns now);
/* Deletes all at the peers (a clean stop), waiting for nothing. */
void ike_engine_shutdown(struct ike_engine *e, mono_ns now);

/* ---- outputs ---- */

enum ike_action_kind {
	IKE_ACT_SEND,	   /* path, bytes; marker: put four zero bytes before (port 4500) */
	IKE_ACT_KEEPALIVE, /* one byte 0xFF from path.local to path.remote */
	IKE_ACT_SA,	   /* a command for a data plane */
	IKE_ACT_JOB,
	IKE_ACT_RESOLVE,   /* find addresses of a connection's peer, and our address towards each */
	IKE_ACT_ROUTE,	   /* find our address towards each of these */
	IKE_ACT_CHILD_MTU, /* the inner MTU of a child is known or changed: connection, child, mtu
			    */
	IKE_ACT_GUARD,	   /* connection, child: guarded or lifted (postern down) */
	IKE_ACT_NOTE,
	/* With `keeps`, before all others that an input has led to: this is to be kept under that
	 * key, in the place of what was; and all of that counts from now on. An action that comes
	 * behind must not be performed before. */
	IKE_ACT_KEEP,
	IKE_ACT_COMMIT,
};

enum { KEEP_KEY_MAX = 1 + CONF_NAME_MAX };

/* What happened, for log, `watch`, waiting commands and metrics: all of them are made from notes.
 */
enum ike_note_kind {
	IKE_NOTE_CONNECTING, /* an attempt begins: peer */
	IKE_NOTE_ANSWERED,   /* IKE_SA_INIT is done: peer, nat, suite, ms */
	IKE_NOTE_HINT,	     /* an unauthenticated error in clear: err, text */
	IKE_NOTE_PROVED,     /* the peer authenticated: identity, scheme */
	IKE_NOTE_UP,	     /* IKE SA established: peer, role, suite, ms */
	IKE_NOTE_CHILD_UP,   /* child, suite, plane, mode, mtu, selectors */
	IKE_NOTE_CHILD_DOWN, /* child, err */
	IKE_NOTE_DOWN,	     /* IKE SA gone: err */
	IKE_NOTE_REFUSED,    /* a negotiation failed: err, proved, offered, wanted, got, text, fix;
				next_try_ms or 0 */
	IKE_NOTE_MOVED,	     /* peer's address changed */
	IKE_NOTE_DROPPED,    /* a datagram without effect: err (counted; logged at debug) */
	IKE_NOTE_COOKIE,     /* cookies are now demanded / no longer: n half-open */
	IKE_NOTE_CHILD_FAILED,	/* IKE SA is up, this child is not: child, err, offered, wanted, got
				*/
	IKE_NOTE_CHILD_LIMIT,	/* its key is near the end of what it may carry: child, text */
	IKE_NOTE_CHILD_REKEYED, /* as CHILD_UP, in the place of another one that goes unsaid */
	IKE_NOTE_REKEYED,	/* another IKE SA has taken the place of one, and its children */
	IKE_NOTE_REKEY_FAILED,	/* as CHILD_FAILED: no new keys, and the old ones stay */
	IKE_NOTE_PASSED_OVER,	/* it is silent, and packets go to others if there are any: text */
	IKE_NOTE_USED_AGAIN,	/* ... and is no longer: ms */
};
enum { N_IKE_NOTES = IKE_NOTE_USED_AGAIN + 1 };

enum { NOTE_TEXT_MAX = 256 };

struct ike_note {
	enum ike_note_kind kind;
	enum err err;
	char connection[CONF_NAME_MAX + 1]; /* "" when not (yet) known */
	char child[CONF_NAME_MAX + 1];
	struct path path;
	bool initiator;
	bool proved;	   /* said by an authenticated peer */
	bool next_address; /* REFUSED: not the end, the peer's next address is tried at once */
	/* DOWN: the connection has another IKE SA, or one is on its way: whoever wants it up waits
	 * for that. One that was taken down may go only now, when its Delete is answered. */
	bool goes_on;
	bool nat_here; /* we are behind a NAT */
	bool nat_there;
	bool downgrade_protected; /* full-transcript authentication in use */
	struct identity identity; /* of the peer */
	uint32_t ms;		  /* how long it took */
	uint32_t next_try_ms;	  /* 0: no further try */
	uint32_t tries;
	uint16_t mtu;
	uint64_t spi;
	enum sa_plane plane; /* CHILD_UP: who carries it, and how */
	enum sa_mode mode;
	char scheme[48]; /* how the peer proved itself */
	char suite[96];
	char weak[SUITE_WEAK_MAX];   /* what of it is weak */
	char offered[NOTE_TEXT_MAX]; /* what the other (or we) offered */
	char wanted[NOTE_TEXT_MAX];  /* what would have been accepted */
	char got[NOTE_TEXT_MAX];
	char text[NOTE_TEXT_MAX];
	char fix[NOTE_TEXT_MAX]; /* which setting to change */
	int line;		 /* of the configuration, where the setting stands; 0: none */
};

/* Spans and pointers of an action are valid until the next call of any engine function. */
struct ike_action {
	enum ike_action_kind kind;
	union {
		struct {
			struct path path;
			bool marker;
			struct span bytes;
		} send;
		const struct sa_cmd *sa;
		const struct job *job;
		struct {
			const char *connection;
			const char *child;
			uint16_t mtu;
			bool guarded;
		} child;
		struct {
			const struct conf_connection *connection;
		} resolve;
		const struct ike_route_question *route;
		const struct ike_note *note;
		struct {
			bool gone;     /* nothing is, any more */
			bool too_long; /* ... since it is longer than what can be */
			struct span key;
			struct span bytes; /* with secrets */
		} keep;
	};
};

bool ike_engine_next(struct ike_engine *e, struct ike_action *a);
mono_ns ike_engine_deadline(const struct ike_engine *e); /* NEVER: nothing to wait for */

/* ---- looking in: for status, metrics and the simulator's invariants ---- */

enum ike_state {
	IKE_STATE_OFF,
	IKE_STATE_WAITING,
	IKE_STATE_CONNECTING,
	IKE_STATE_UP,
	IKE_STATE_FAILING
};

struct ike_child_view {
	const struct conf_child *conf;
	bool up;
	bool guarded;
	bool wanted;	  /* by `always`, a command or a packet */
	bool missed;	  /* was, and failed or was lost; nothing but the next of them tries it */
	uint32_t tries;	  /* that failed, one after the other */
	mono_ns next_try; /* NEVER: none */
	mono_ns rekey_at; /* new keys by the clock; NEVER: not up, or never */
	unsigned n_pairs; /* of SAs; a peer may make more than one */
	enum sa_plane plane;
	bool carried;			    /* its plane has what it needs */
	char plane_why[CONF_PLANE_WHY_MAX]; /* ... and why, or what it lacks for this child */
	enum sa_offload offload;	    /* what the kernel's plane really gave */
	enum sa_mode mode;
	struct suite suite;
	uint32_t spi_in, spi_out;
	uint32_t child_id;
	const struct ts_list *local; /* negotiated */
	const struct ts_list *remote;
	bool piecemeal; /* the peer makes pairs of single addresses: a packet brings the next */
	uint16_t mtu;
	mono_ns since;
	struct sa_counters in, out; /* of all pairs, as last answered by the plane */
};

struct ike_view {
	const struct conf_connection *conf;
	enum ike_state state;
	bool wanted;
	bool missed; /* a child of it */
	bool initiator;
	mono_ns since;	  /* up since, or state entered */
	mono_ns next_try; /* NEVER: none */
	mono_ns rekey_at; /* of the IKE SA; NEVER: not up, or never */
	uint32_t tries;
	struct path path;
	/* CONNECTING: a request waits for its answer. So often it has left, since then nothing
	 * came. */
	unsigned asked;	 /* 0: none does */
	bool asked_auth; /* IKE_AUTH: it has answered before */
	mono_ns silent_since;
	uint64_t spi_i, spi_r;
	bool nat_here, nat_there;
	bool encap;
	bool passed; /* it is silent: others for its networks go before (ike/standby.h) */
	bool downgrade_protected;
	struct identity local_identity;
	struct identity remote_identity;
	struct suite suite;
	char scheme[48];
	struct ike_note last_failure; /* kind REFUSED or DOWN; connection "" when there was none */
	mono_ns last_failure_at;
	size_t n_children;
	const struct ike_child_view *children;
};

/* One view per configured connection, in order of the configuration; with a connection `any` the
 * established peers follow one by one. Valid until the next engine call. */
typedef void ike_view_fn(void *ctx, const struct ike_view *v);
void ike_engine_views(const struct ike_engine *e, ike_view_fn *fn, void *ctx);

struct ike_stats {
	uint64_t half_open;
	uint64_t sas;
	uint64_t cookies_sent;
	uint64_t retransmissions;
	uint64_t soft_limits; /* of Child SAs that were reached */
	uint64_t dropped[N_ERR];
	uint64_t established;
	uint64_t refused;
};
const struct ike_stats *ike_engine_stats(const struct ike_engine *e);
/* Of the records of connections and IKE SAs: it goes up with every change of what is written. */
enum { IKE_KEPT_FORMAT = 4 };
/* How many records there are to be of it, behind the last commit (ike/keep.h). */
size_t ike_engine_kept(const struct ike_engine *e);

/* Asks the plane for fresh counters of every Child SA (answers come as IKE_EV_SA). */
void ike_engine_refresh(struct ike_engine *e, mono_ns now);

#endif
