/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's parts, for monitor.c (start, end, signals), monitor_crew.c (what the other
 * processes say), monitor_upgrade.c and monitor_restart.c (another program), monitor_take.c (that
 * one), monitor_reload.c (a new configuration, whole or not at all), monitor_host.c (what
 * others do to the host), monitor_net.c (addresses) and monitor_kernel.c (the kernel's data plane).
 */
#ifndef DAEMON_MONITOR_STATE_H
#define DAEMON_MONITOR_STATE_H

#include <limits.h>

#include "conf/diff.h"
#include "daemon/crew.h"
#include "daemon/handover.h"
#include "daemon/loader.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/sockets.h"
#include "daemon/warden.h"
#include "xfrm/netlink.h"

enum { MONITOR_WHY_MAX = 256, UPGRADE_SAID_MAX = 1024 };

struct reload {
	struct loaded *next; /* NULL: none is under way */
	uint64_t generation;
	uint64_t ticket;       /* of the engine's request; 0: SIGHUP */
	char *report;	       /* warnings */
	struct conf_diff diff; /* what it changes; points into `next` and the monitor's `now` */
	struct loop_timer deadline;
};

/* Others changed the host: monitor_host.c. */
struct host_care {
	struct loop_watch watch;
	struct loop_timer again;
	mono_ns last;
	mono_ns at; /* of `again`, when it is pending */
	bool pending;
	unsigned int failures; /* to put back, in a row */
	bool lacks;	       /* something of ours could not be put there, and is tried again */
};

/* The kernel's data plane: monitor_kernel.c. */
struct kernel_plane {
	struct kernel *kernel;	/* NULL: the kernel has no XFRM for us */
	struct netlink route;	/* whose an address is; open when `kernel` is */
	struct plane_caps caps; /* all false then */
	bool ours;		/* what stands there is of this run: it goes at the end */
	struct loop_watch watch;
	bool warned;		  /* that xfrm_larval_drop could not be set */
	char larval_drop;	  /* what it was at the start: '0', '1', or '?' when it cannot be
				     read; '0' once its change was told */
	uint64_t denied;	  /* commands that the gatekeeper refused */
	uint64_t lost;		  /* questions of packets that the engine was too busy to hear */
	bool lost_some;		  /* ... and that the kernel has to be told to ask again */
	struct loop_timer again;  /* then it is told */
	struct loop_timer resume; /* events are read again */
	struct loop_timer look;	  /* at what SAs have carried */
	bool looks;		  /* ... that is set: there are some */
};

/* Addresses and routes change: monitor_net.c. */
struct net_care {
	struct netlink listen, ask;
	struct loop_watch watch;
	struct loop_timer timer;
	mono_ns told;
	bool pending;
};

/* What a process, the engine or esp, keeps for the one that follows. */
struct kept {
	int fd;		     /* -1: nothing */
	mono_ns settled;     /* when who was given it lived with what it found; 0: not yet */
	unsigned int deaths; /* of those that did not, or only just, in a row */
};

struct monitor {
	const struct options *o;
	struct user_ids ids[N_ROLES];
	struct store store; /* what the service manager has kept, until that is taken or refused */
	enum err stored;    /* of store_take */
	struct notify notify;
	struct loop *loop;
	struct crew *crew;
	struct warden *warden;
	struct sockets sockets;
	int tun[SOCKETS_WORKERS_MAX];
	int control;
	struct kept kept[N_ROLES];
	struct loop_timer patience; /* without an engine for so long its SAs go */
	int exe;
	uint8_t mark_key[BUNDLE_KEY_LEN]; /* of the marks in bundles; nobody else has it */
	struct loaded *now;
	uint64_t generation;	 /* of now */
	uint64_t ready[N_ROLES]; /* generation that each said ready for; 0: none yet */
	/* The start. `taken` is there until it is done (take_end), where this program goes on with
	 * what another one has left; `follows` says so ever after. */
	struct handover *taken;
	bool follows;
	bool reread; /* ... out of a service manager's store: then the file is read, behind READY */
	bool up;     /* all processes have been ready: it is over */
	/* The end, to which another program follows: all other processes end first. */
	bool leaving;
	bool by_restart; /* by a service manager; else that program is executed */
	bool told_busy;	 /* the last question for that was refused for now, and is in the log */
	bool left;	 /* its store has all of it: nothing is taken away from the host */
	/* A stop that came while there was no engine to say goodbye: as soon as there is one, or
	 * when this timer says that it was long enough. */
	bool stop_wanted;
	struct loop_timer late_stop;
	bool stopping;		/* monitor_stop: nothing else begins any more */
	char not_executed[128]; /* why the last upgrade failed; "": none has */
	char path[PATH_MAX];	/* of our program, as it was started */
	struct reload reload;
	int signals;
	struct loop_watch signal_watch;
	struct loop_timer watchdog;
	struct host_care host;
	struct kernel_plane plane;
	struct net_care net;
};

void monitor_log(enum log_level level, const char *event, const char *why);

/* What crew_env calls. */
void monitor_equip(void *ctx, enum role r);
void monitor_ended(void *ctx, enum role r);
void monitor_settled(void *ctx, enum role r);
enum err monitor_message(void *ctx, enum role r, const struct chan_msg *m);
void monitor_stopped(void *ctx);

/* Sends one configuration to one process: MSG_CONFIG with its bundle. */
void monitor_send_config(struct monitor *m, enum role r, const struct loaded *l,
			 uint64_t generation);
void monitor_send_number(struct monitor *m, enum role r, uint8_t type, uint64_t number);
/* MSG_RELOADED, to the engine. What is too long of the text is cut. */
void monitor_send_reloaded(struct monitor *m, uint64_t ticket, enum err e, const char *text);

/* To esp, what it has not got yet of the devices of route-based children. */
void monitor_send_devices(struct monitor *m);

/* No engine is there (yet): its SAs go when there is none for a minute. */
void monitor_await_engine(struct monitor *m);
/* The next engine says goodbye, if one comes soon. */
void monitor_await_goodbye(struct monitor *m);
/* The end, in good order. */
void monitor_stop(struct monitor *m);

/* monitor_upgrade.c: asks the program at our path whether it can go on with what we have, says so
 * to the engine (and the log), and if it can becomes it. */
void upgrade_begin(struct monitor *m, uint64_t ticket);
/* To a new engine: that the last one left for nobody. */
void upgrade_tell(struct monitor *m);
/* The others have ended. Returns when the program could not be executed: they are started again. */
void upgrade_go(struct monitor *m);

/* For both ways. The question. ERR_UNSUPPORTED: that program cannot go on, and `said` is what it
 * says of it, or that it says nothing; ERR_BUSY: it was not asked, for this is not the time; else
 * it could not be asked. `n`: so many descriptors are handed over. */
MUST_USE enum err upgrade_ask(struct monitor *m, size_t *n, char said[static UPGRADE_SAID_MAX]);
/* Says how it went, to the engine too when that was asked. */
void upgrade_answer(struct monitor *m, const char *event, uint64_t ticket, enum err e,
		    const char *said);
/* The record of the end, the kernel's book in it; leave_close takes both. */
MUST_USE enum err leave_record(struct monitor *m, struct handover *h, bool by_restart, int *record);
void leave_close(struct handover *h, int record);
/* All have ended, and no other program follows: they are started again. */
void leave_failed(struct monitor *m, const char *event, const char *why);

/* monitor_restart.c: the same for a restart by a service manager that keeps descriptors: refused,
 * or all ends, and the next program begins with what the manager has in its store. */
void restart_begin(struct monitor *m, const struct msg_restart *asked);
void restart_go(struct monitor *m);

/* monitor_take.c: the other side. take_check is the process that answers the question (`posternd
 * --check-take-over`), and touches nothing. */
int take_check(const struct options *o);
/* m->taken, and of it what needs nothing else; what is in it is the monitor's then. */
MUST_USE enum err take_over(struct monitor *m, char why[static HANDOVER_WHY_MAX]);
/* The same of what a service manager has kept; it has nothing of it any more afterwards.
 * ERR_NOT_FOUND: there is nothing, or nothing to go on with, which is said in the log: a start like
 * any other. */
MUST_USE enum err take_kept(struct monitor *m, char why[static HANDOVER_WHY_MAX]);
/* A start that fails before that: what is no longer to be gone on with is let go of. */
void take_nothing(struct monitor *m);
/* The devices, to the warden. */
MUST_USE enum err take_devices(struct monitor *m, char why[static HOST_WHY_MAX]);
/* Frees m->taken, where there is one: all of it is where it belongs, or will not be. From here on
 * the engine is waited for. */
void take_end(struct monitor *m);

/* Has the file something that no reload can bring? One that cannot be loaded has nothing. */
bool reload_needs_restart(const struct monitor *m, char *why, size_t size);
/* Why nothing can be changed now; NULL: it can. */
const char *reload_not_now(const struct monitor *m);
void reload_init(struct monitor *m);
/* Reads the configuration anew and asks every process; the answer goes to the engine (and the log)
 * when all are ready, or one refused. */
void reload_begin(struct monitor *m, uint64_t ticket);
/* The same without a word to the service manager before: for itself it runs, and was not asked. */
void reload_silently(struct monitor *m);
/* A process said ready for the generation under way; refused it; or died over it. */
void reload_ready(struct monitor *m);
void reload_failed(struct monitor *m, enum err e, const char *why);

/* Another program goes on: its plane as it was found, instead of monitor_kernel_probe; and the
 * book, in a memfd, -1 when there is none. */
void monitor_kernel_know(struct monitor *m, const struct plane_caps *caps);
MUST_USE enum err monitor_kernel_pass_on(const struct monitor *m, int *book);
/* Opens the kernel's data plane, finds out what it can do, and says so in the log. Changes nothing
 * that stays; never fails, for there is userspace ESP. */
void monitor_kernel_probe(struct monitor *m);
/* What an earlier run left there goes, or what m->taken has of it goes on; the warden has it from
 * now on. */
MUST_USE enum err monitor_kernel_take(struct monitor *m, char why[static HOST_WHY_MAX]);
/* After the warden took a configuration: says in the log, once, that a setting of the host was
 * changed for it, or could not be. */
void monitor_kernel_settled(struct monitor *m);
/* What it will need, and nobody waits for any more: with modules to load that may be long. */
void monitor_kernel_prepare(struct monitor *m);
/* Its events go to the engine. */
MUST_USE enum err monitor_kernel_watch(struct monitor *m);
/* MSG_CAPS, before the engine's first configuration. */
void monitor_kernel_tell(struct monitor *m);
/* MSG_SA: judged, carried out, answered. */
MUST_USE enum err monitor_kernel_command(struct monitor *m, struct span body);
/* The engine is gone: the next one claims what it knows of, and lets the others go. */
void monitor_kernel_unclaim(struct monitor *m);
/* ... and there was none for too long: all of them go. */
void monitor_kernel_flush(struct monitor *m);
/* Whatever asked while there was no engine to hear it shall ask again. */
void monitor_kernel_ask_again(struct monitor *m);
/* Tries what the kernel did not do, or did not answer. False: it is still not as it should be. */
MUST_USE bool monitor_kernel_again(struct monitor *m);
/* The end: all but the guards goes. */
void monitor_kernel_close(struct monitor *m);

/* After MSG_MTU: TCP's segment sizes follow, all together. */
void monitor_mtu_changed(struct monitor *m);
/* Something of ours could not be put on the host: all is set again a moment later. */
void monitor_host_retry(struct monitor *m);
/* From now on what others take away is put back. */
MUST_USE enum err monitor_watch_host(struct monitor *m, char why[static HOST_WHY_MAX]);

/* From now on the engine hears of changes (MSG_ADDRESSES); a new engine hears what there is. */
MUST_USE enum err monitor_net_watch(struct monitor *m);
void monitor_net_tell(struct monitor *m);
void monitor_net_close(struct monitor *m);

/* What is so of the packets when a start ends over its configuration. */
#define MONITOR_GUARDED	    "the guards are on: packets of the configured children are held back\n"
#define MONITOR_NOT_GUARDED "no guards were put up: nothing is held back that was not before\n"

#endif
