/* SPDX-License-Identifier: Apache-2.0 */
/* One client of the control socket: its bytes in and out, and what it waits for. Shared by
 * control.c, which decides, and client.c, which moves bytes.
 */
#ifndef DAEMON_CLIENT_H
#define DAEMON_CLIENT_H

#include "daemon/control.h"

/* What waits for a client that does not read: events for a while, and for root the status of some
 * twenty thousand connections. */
enum { CLIENT_REQUEST_MAX = 4096, CLIENT_BACKLOG_MAX = 1 << 20, CLIENT_BACKLOG_ROOT = 32 << 20 };

enum client_wait {
	CLIENT_IDLE,   /* its request comes next */
	CLIENT_STATUS, /* for fresh counters */
	CLIENT_UP,     /* for a connection or child to be up, or refused */
	CLIENT_WAIT,   /* the same, whoever starts it; refusals do not end it */
	CLIENT_DOWN,   /* for a connection to be gone */
	CLIENT_WATCH,  /* for nothing: it gets every note */
	CLIENT_RELOAD, /* for the monitor's answer */
	CLIENT_DONE,   /* for its backlog to be written, then it is closed */
};

struct client {
	struct client *next;
	struct control *control;
	struct loop_watch watch;
	struct loop_timer timer;
	bool root;
	bool broken;
	enum client_wait waits;
	struct msg_restart about;	    /* and the ticket of any change */
	char command[PROTO_COMMAND_MAX];    /* of `about` */
	const struct request *asked;	    /* control.c's */
	char connection[CONF_NAME_MAX + 1]; /* "": all */
	char child[CONF_NAME_MAX + 1];	    /* "": all */
	struct ike_note failed;		    /* a child of that; connection "": none has */
	bool failed_told;
	size_t in_len;
	char in[CLIENT_REQUEST_MAX];
	char *out; /* backlog, owned */
	size_t out_len;
	size_t out_size;
};

/* What the request is about: "office" or "office/lan" in `name`, null: all; and of a restart what
 * struct msg_restart has. False: too long. */
bool client_take(struct client *c, const json_t *request);
/* Queues one JSON object as a line; takes the reference. A full backlog breaks the client. */
void client_send(struct client *c, json_t *o);
/* Writes what the socket takes; false when the client is gone. */
bool client_flush(struct client *c);
/* Reads on; gives a parsed request (new reference) when a line is whole, NULL otherwise. `broken`
 * is set when the client is gone or sends no JSON object in CLIENT_REQUEST_MAX bytes. */
json_t *client_read(struct client *c);

#endif
