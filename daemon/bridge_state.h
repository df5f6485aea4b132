/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge's parts, for bridge.c (life, channels, answers) and bridge_act.c (the engine's
 * actions). */
#ifndef DAEMON_BRIDGE_STATE_H
#define DAEMON_BRIDGE_STATE_H

#include "daemon/bridge.h"
#include "daemon/desk.h"
#include "daemon/kework.h"
#include "daemon/mtu.h"
#include "daemon/notes.h"
#include "daemon/pace.h"
#include "daemon/route.h"
#include "daemon/udp.h"

struct bridge_peer {
	struct bridge *bridge;
	enum role role;
	struct link link;
	int waits; /* a channel that is read once there is an engine; -1: none */
};

struct bridge {
	struct bridge_env env;
	struct loop *loop;
	struct ike_engine *ike; /* NULL before the first configuration */
	bool begun;		/* what comes is read */
	const struct conf *conf;
	struct udp *udp;
	struct route route;
	struct kework *kework;
	struct mtu_book *mtu;
	struct notes *notes;
	struct desk desk;
	struct pace pace[N_ROLES]; /* of esp, and of the monitor */
	bool unasked[N_ROLES];	   /* a half could not be claimed there: nothing is swept */
	bool full;		   /* one of the two has to come after, and nobody is heard */
	uint64_t resolve_ticket;
	struct bridge_peer peer[N_ROLES];
	/* There is no esp, and it may come back with all SAs: what is asked of it meanwhile waits
	 * on the desk, unsent, and then the engine asks anew. */
	bool esp_away;
	struct loop_timer esp_patience;
	struct loop_timer tick;
	struct loop_timer refresh;
	uint8_t *scratch; /* SCRATCH_SIZE, for messages; wiped after each with keys */
};

enum { SCRATCH_SIZE = CHAN_BODY_MAX };

void act_perform(struct bridge *b, const struct ike_action *a);
/* Addresses of a peer are known: the local end of each by the route, then to the engine. */
void act_resolved(struct bridge *b, const char *connection, const struct addr *v, size_t n,
		  enum err e);
/* To the monitor and to the engine. */
void act_mtu(struct bridge *b, const struct mtu_fact *f);
/* What is asked and cannot be done is answered as failed at once. */
void act_job_failed(struct bridge *b, uint64_t ticket, unsigned int kind, enum err e);
void act_sa_failed(struct bridge *b, uint64_t ticket, uint32_t spi, enum sa_dir dir, enum err e);

#endif
