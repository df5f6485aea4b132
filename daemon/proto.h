/* SPDX-License-Identifier: Apache-2.0 */
/* What our processes say to each other: every message type of every channel, in const tables with
 * sizes, and the bodies that are more than a job or an SA command (those are packed in base/).
 *
 *	monitor -> every process     configuration, descriptors, start and stop
 *	monitor -> engine            beside that: what the kernel's data plane can do, its answers
 *	                             and events; addresses; what became of a reload, an upgrade, a
 *	                             restart
 *	every process -> monitor     ready or refused; an accusation of a neighbour that sent
 *	                             rubbish
 *	engine -> monitor            beside that: guard, MTU and SA commands for the kernel, each
 *	                             checked against the configuration; reload, upgrade, restart;
 *	                             status
 *	engine <-> signer, verifier  jobs and results
 *	engine <-> fetcher           names and addresses
 *	engine <-> esp               SA commands and answers, events, IKE messages that came to a
 *	                             worker's socket
 */
#ifndef DAEMON_PROTO_H
#define DAEMON_PROTO_H

#include "conf/model.h"
#include "daemon/chan.h"
#include "daemon/role.h"

enum {
	PROTO_TEXT_MAX = 32 * 1024,
	PROTO_HOST_MAX = 255,
	PROTO_DATAGRAM_MAX = 65536,
	PROTO_STATUS_MAX = 200,
	PROTO_COMMAND_MAX = 2048,
	PROTO_SMALL_MAX = 512,
	/* In the text of MSG_RELOADED: behind it stands what the reload changed, a line each. A
	 * report of problems has no control characters but line ends. */
	PROTO_CHANGES = '\f'
};

enum msg_type {
	/* monitor -> process */
	MSG_CONFIG = 1, /* generation, workers; its bundle: take it in, then say ready or refused */
	MSG_COMMIT,	/* generation: this one holds now */
	MSG_ABORT,	/* generation: forget what was prepared */
	MSG_PEER,	/* role; a channel to that process */
	MSG_SOCKET,	/* kind, index; a descriptor */
	MSG_RELOADED,	/* ticket, err, text: the answer to MSG_RELOAD; why MSG_UPGRADE or
			   MSG_RESTART is refused; ticket 0: why the last upgrade failed */
	MSG_STOP,	/* end in good order */
	MSG_PING,	/* are you there? */
	MSG_ADDRESSES,	/* engine: what addresses the machine has now, for something has changed */
	MSG_LEAVE,	/* engine: end without a word to anybody, for another one follows */
	MSG_CAPS,	/* engine, before its first configuration: struct plane_caps */

	/* process -> monitor */
	MSG_READY = 32, /* generation */
	MSG_REFUSED,	/* generation, text */
	MSG_ACCUSE,	/* role that broke its table */
	MSG_GUARD,	/* engine: connection, child, on or off */
	MSG_MTU,	/* engine: connection, child, bytes of an inner packet */
	MSG_RELOAD,	/* engine: ticket */
	MSG_PONG,
	MSG_STATUS,  /* engine: one line for systemd */
	MSG_UPGRADE, /* engine: ticket; refused by MSG_RELOADED, else MSG_LEAVE comes */
	MSG_RESTART, /* the same, for a restart by a service manager; what it says of us */

	/* engine <-> signer, verifier */
	MSG_JOB = 64,
	MSG_RESULT,

	/* engine <-> fetcher */
	MSG_RESOLVE = 80, /* ticket, name */
	MSG_RESOLVED,	  /* ticket, err, addresses */

	/* engine <-> esp; the first three also engine <-> monitor, for the kernel's plane */
	MSG_SA = 96,
	MSG_SA_DONE,
	MSG_PLANE,
	MSG_DATAGRAM, /* path, bytes */
};

/* Tables by who reads: r from the monitor; the monitor from r; and between engine and the others.
 */
const struct chan_table *proto_from_monitor(enum role r);
const struct chan_table *proto_from_process(enum role r);
const struct chan_table *proto_from_engine(enum role r); /* what r reads */
const struct chan_table *proto_to_engine(enum role r);	 /* what r writes */

/* ---- bodies; each X_put is read by its X_get, which refuses everything that is not exactly one X
 * ---- */

enum sock_kind {
	SOCK_IKE4,
	SOCK_IKE6, /* UDP 500 */
	SOCK_NAT4,
	SOCK_NAT6, /* UDP 4500: in the engine its own of the group, in esp those of the workers */
	SOCK_PROBE4,
	SOCK_PROBE6, /* unbound UDP with our mark: asks the kernel for routes */
	SOCK_RAW4,
	SOCK_RAW6, /* IPPROTO_ESP */
	SOCK_TUN,
	SOCK_DEVICE,  /* a queue of a child's own TUN */
	SOCK_CONTROL, /* listening */
	SOCK_VAULT,   /* memory in which engine and esp keep what another one is to go on with */
	N_SOCK
};

struct msg_socket {
	enum sock_kind kind;
	uint8_t index;	 /* of the worker; in the engine the queue (enum ike_queue) */
	uint32_t device; /* SOCK_DEVICE: its if_id */
};

/* Engine to monitor: about a child of the configuration. */
struct msg_child {
	char connection[CONF_NAME_MAX + 1];
	char child[CONF_NAME_MAX + 1];
	uint16_t value; /* MSG_GUARD: 0 or 1; MSG_MTU: bytes */
};

struct msg_config {
	uint64_t generation;
	uint8_t workers; /* of the userspace plane */
};

/* Engine to monitor: what systemd says of the unit that it restarts. */
struct msg_restart {
	uint64_t ticket;
	uint32_t pid;  /* of whom; 0: it is not said */
	uint32_t room; /* descriptors that it keeps of it: FileDescriptorStoreMax= */
	/* ExecStart=, an argument a line; "": it is not said. The monitor's points into the
	 * message. */
	struct span command;
};

struct msg_text {
	uint64_t ticket; /* or generation */
	enum err err;
	struct span text; /* into the message */
};

struct msg_resolved {
	uint64_t ticket;
	enum err err;
	size_t n;
	struct addr addr[CONF_ADDRS_MAX];
};

/* The first of a machine's own. */
enum { PROTO_ADDRS_MAX = 8 };
struct msg_addresses {
	size_t n;
	struct addr addr[PROTO_ADDRS_MAX];
};

struct msg_datagram {
	struct path path;
	struct span bytes; /* into the message */
};

void msg_addresses_put(struct wr *w, const struct msg_addresses *m);
MUST_USE enum err msg_addresses_get(struct span s, struct msg_addresses *m);
void msg_number_put(struct wr *w, uint64_t number); /* generation, ticket */
MUST_USE enum err msg_number_get(struct span s, uint64_t *number);
void msg_config_put(struct wr *w, const struct msg_config *m);
MUST_USE enum err msg_config_get(struct span s, struct msg_config *m);
void msg_restart_put(struct wr *w, const struct msg_restart *m);
MUST_USE enum err msg_restart_get(struct span s, struct msg_restart *m);
void msg_role_put(struct wr *w, enum role r);
MUST_USE enum err msg_role_get(struct span s, enum role *r);
void msg_socket_put(struct wr *w, const struct msg_socket *m);
MUST_USE enum err msg_socket_get(struct span s, struct msg_socket *m);
void msg_child_put(struct wr *w, const struct msg_child *m);
MUST_USE enum err msg_child_get(struct span s, struct msg_child *m);
void msg_text_put(struct wr *w, const struct msg_text *m);
MUST_USE enum err msg_text_get(struct span s, struct msg_text *m);
void msg_resolved_put(struct wr *w, const struct msg_resolved *m);
MUST_USE enum err msg_resolved_get(struct span s, struct msg_resolved *m);
void msg_datagram_put(struct wr *w, const struct msg_datagram *m);
MUST_USE enum err msg_datagram_get(struct span s, struct msg_datagram *m);

#endif
