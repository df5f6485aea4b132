/* SPDX-License-Identifier: Apache-2.0 */
/* What one monitor hands over to the program that it becomes (execve, daemon/monitor_upgrade.c), or
 * leaves with a service manager for the one that is started next (daemon/monitor_restart.c): the
 * numbers of its descriptors, each with what it is, and the few values that must go on. One sealed
 * memfd, in memory alone, for the key of the marks and the keys of SAs are a secret.
 *
 * Out of a store descriptors come with other numbers, so there they have names, which follow from
 * what they are and from their order in the record ("ike4-0", "tun-3").
 *
 * The reader takes it from a program of another version. So it trusts no number: each descriptor is
 * looked at (handover_judge), none has two places, and what is not exactly a record of this version
 * is refused whole.
 */
#ifndef DAEMON_HANDOVER_H
#define DAEMON_HANDOVER_H

#include "base/sadesc.h"
#include "daemon/bundle.h"
#include "daemon/own_tun.h"
#include "daemon/sockets.h"
#include "daemon/store.h"

enum {
	HANDOVER_VERSION = 3, /* of the record, of the names, and of where both are looked for */
	HANDOVER_MAX = 256 * 1024,
	HANDOVER_FDS_MAX = 65536, /* their numbers are below that */
	HANDOVER_WHY_MAX = 256,
};

/* A child's own TUN. */
struct handover_device {
	char name[16];
	uint32_t if_id;
	int fd[SOCKETS_WORKERS_MAX]; /* as many as there are workers */
};

struct handover {
	char version[32]; /* of the program that wrote it; for the log */
	struct sockets sockets;
	char tun_name[16];
	int tun[SOCKETS_WORKERS_MAX];
	size_t n_devices;
	struct handover_device *devices; /* malloc'd */
	int control; /* -1: the next one makes it */
	int notify;  /* -1: no service manager listens */
	mono_ns watchdog;
	mono_ns left_at; /* by boot_now */
	/* The running configuration: it goes on, whatever the file says by now. */
	int bundle[N_ROLES];
	uint8_t mark_key[BUNDLE_KEY_LEN];
	/* Memory of the engine and of esp (struct kept of monitor_state.h); and the book of the
	 * kernel's plane (xfrm/kernel.h). -1: there is none. */
	int engine;
	int esp;
	int book;
	struct plane_caps caps; /* what the kernel was found to do; planes stay what they are */
};

/* Every descriptor -1, nothing else set. */
void handover_blank(struct handover *h);
/* Wipes; closes nothing. */
void handover_free(struct handover *h);

/* What a program must agree to besides the record itself, in words: the versions of all that the
 * next one finds in memory. */
const char *handover_formats(char text[static HANDOVER_WHY_MAX]);

/* Into a new memfd, sealed against every change. ERR_SPACE: more than a record holds. */
MUST_USE enum err handover_write(const struct handover *h, int *fd);
/* `kept` NULL: its numbers are those of our own descriptors (execve). Else they came out of that
 * store: a place has the descriptor that has its name there, none may be left over, and who reads
 * the record is the only one who ever does. ERR_DENIED: not sealed; ERR_EXISTS: somebody has read
 * it before; ERR_UNSUPPORTED: of another version; ERR_SYNTAX; ERR_NOMEM; ERR_SYSTEM. *h is blank
 * then, and `why` has words for each. */
MUST_USE enum err handover_read(int fd, struct store *kept, struct handover *h,
				char why[static HANDOVER_WHY_MAX]);

/* Whoever has that record goes on with it no more, out of a store. */
void handover_spoil(int fd);
/* `now` is of boot_now: was it left less than ENGINE_PATIENCE ago, so that peers still know of us,
 * and what was due meanwhile could wait? What was left by a clock that is none of ours was not. */
MUST_USE bool handover_is_fresh(const struct handover *h, mono_ns now);

/* What has descriptors in a record, and what they are. Those before HANDOVER_TUN are there for each
 * family, which their names tell (handover_name); HANDOVER_MEMORY is the last one. */
enum handover_kind {
	HANDOVER_IKE,
	HANDOVER_NAT, /* the workers' too */
	HANDOVER_PROBE,
	HANDOVER_RAW,
	HANDOVER_ENCAP,
	HANDOVER_TUN,
	HANDOVER_CONTROL,
	HANDOVER_NOTIFY,
	HANDOVER_BUNDLE,
	HANDOVER_MEMORY,
};

enum { N_HANDOVER = HANDOVER_MEMORY + 1 };

struct handover_place {
	enum handover_kind kind;
	int v;		    /* 1: IPv6 */
	unsigned int index; /* among those of its kind and family, in the order of the record */
	const char *device; /* HANDOVER_TUN: its name */
	bool needed;	    /* may not be -1 */
	int *fd;
};

/* Each place, -1 too, in the order of the record, until one is refused: false. */
typedef bool handover_fn(void *ctx, const struct handover_place *p);
bool handover_each(struct handover *h, handover_fn *fn, void *ctx);

/* Of a place, and of the record itself, in a service manager's store. */
#define HANDOVER_RECORD "record"
const char *handover_name(const struct handover_place *p, char name[static STORE_NAME_MAX]);

/* Is each descriptor what its place says, and in no other one, by another number? ERR_DENIED, with
 * words; ERR_NOMEM. */
MUST_USE enum err handover_judge(struct handover *h, char why[static HANDOVER_WHY_MAX]);
/* Whether a program that is executed has them. */
void handover_inherit(struct handover *h, bool inherit);

#endif
