/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket's parts, for control.c (clients and requests) and control_status.c (what they
 * are told of the whole). */
#ifndef DAEMON_CONTROL_STATE_H
#define DAEMON_CONTROL_STATE_H

#include "daemon/client.h"
#include "daemon/control.h"
#include "daemon/proto.h"
#include "daemon/refusals.h"

struct control {
	struct control_env env;
	struct loop_watch listener;
	bool listens; /* once there is an engine */
	struct client *clients;
	size_t n_clients;
	uint64_t tickets;
	time_t started;
	time_t config_loaded;
	char not_upgraded[PROTO_TEXT_MAX + 1]; /* why; "": no upgrade has failed in the end */
	struct refusals refusals;
};

struct ike_engine *control_engine(const struct control *ctl);
/* The last line of an answer. */
void client_end(struct client *c, enum err e, const char *text);
/* ... when there is no connection or child of the name that it asks for. */
void client_end_unknown(struct client *c);
/* The answer to `status`, from its first line to the last. */
void control_status(struct client *c);

#endif
