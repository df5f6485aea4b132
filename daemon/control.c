/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket: requests are rows of a const table; what a request waits for is a state of
 * its client, and control_settle, called behind every batch of engine calls, looks whether it has
 * come.
 */
#include "daemon/control.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/client.h"
#include "daemon/control_state.h"
#include "daemon/find.h"
#include "daemon/near.h"

/* Those who may only look leave room for root. */
enum { CLIENTS_MAX = 64, LOOKERS_MAX = 32 };
static const mono_ns counters_patience = 500 * NS_PER_MS;

struct request {
	const char *name;
	bool changes; /* for root alone */
	bool named;   /* needs a connection */
	void (*serve)(struct client *c);
	enum client_wait waits;
	enum ike_rekey rekey;
	enum control_change change;
};

struct ike_engine *control_engine(const struct control *ctl)
{
	return ctl->env.engine(ctl->env.ctx);
}

/* ---- ending a request ---- */

static void client_end_with(struct client *c, enum err e, struct span text)
{
	loop_timer_set(c->control->env.loop, &c->timer, NEVER);
	client_send(c, report_end(e, text));
	c->waits = CLIENT_DONE;
}

void client_end(struct client *c, enum err e, const char *text)
{
	client_end_with(c, e, text ? span_str(text) : SPAN_EMPTY);
}

/* ---- what it names ---- */

static struct find client_find(const struct client *c)
{
	return find_do(control_engine(c->control), c->connection, c->child);
}

void client_end_unknown(struct client *c)
{
	struct near n = { .connection = c->connection, .child = c->child };
	char text[NEAR_TEXT_MAX];

	ike_engine_views(control_engine(c->control), near_view, &n);
	client_end(c, ERR_NOT_FOUND, near_text(&n, text));
}

/* ---- status ---- */

static void serve_status(struct client *c)
{
	c->waits = CLIENT_STATUS;
	loop_timer_set(c->control->env.loop, &c->timer, mono_now() + counters_patience);
	ike_engine_refresh(control_engine(c->control), mono_now());
}

/* ---- up, wait, down ---- */

static bool note_concerns(const struct client *c, const struct ike_note *n)
{
	return (!c->connection[0] || strcmp(c->connection, n->connection) == 0) &&
	       (!c->child[0] || !n->child[0] || strcmp(c->child, n->child) == 0);
}

/* A child of the IKE SA that is up has failed before anybody asked for it here. */
static void recall_one(void *ctx, const struct ike_view *v)
{
	struct client *c = ctx;

	if (v->state == IKE_STATE_UP && v->last_failure.kind == IKE_NOTE_CHILD_FAILED &&
	    v->last_failure_at >= v->since && note_concerns(c, &v->last_failure))
		c->failed = v->last_failure;
}

static void serve_updown(struct client *c)
{
	const struct control_env *h = &c->control->env;
	enum client_wait waits = c->asked->waits;
	const struct find f = client_find(c);

	if (!f.found) {
		client_end_unknown(c);
		return;
	}
	c->waits = waits;
	ike_engine_views(control_engine(c->control), recall_one, c);
	/* Nobody knows when that will be. */
	if (waits == CLIENT_UP && f.waits_for_peer && !f.up)
		client_end(c, OK, "waits for its peer, which begins");
	if (waits != CLIENT_WAIT)
		h->command(h->ctx, waits == CLIENT_UP, c->connection,
			   c->child[0] ? c->child : NULL);
}

/* It begins, and is not waited for: `watch` tells how it went. */
static void serve_rekey(struct client *c)
{
	const struct control_env *h = &c->control->env;
	const char *child = c->child[0] ? c->child : NULL;
	const struct find f = client_find(c);

	if (!f.found) {
		client_end_unknown(c);
		return;
	}
	if (!f.ike || (child && !f.up)) {
		client_end(c, ERR_NOT_FOUND, "nothing of that name is up and has keys");
		return;
	}
	h->rekey(h->ctx, c->asked->rekey, c->connection, child);
	client_end(c, OK, "");
}

static void serve_watch(struct client *c)
{
	if (c->connection[0] && !client_find(c).found)
		client_end_unknown(c);
	else
		c->waits = CLIENT_WATCH;
}

static void serve_change(struct client *c)
{
	c->waits = CLIENT_RELOAD;
	c->about.ticket = ++c->control->tickets;
	c->control->env.change(c->control->env.ctx, c->asked->change, &c->about);
}

static const struct request requests[] = {
	{ .name = "status", .serve = serve_status },
	{ .name = "up", .changes = true, .named = true, .serve = serve_updown, .waits = CLIENT_UP },
	{ .name = "wait", .named = true, .serve = serve_updown, .waits = CLIENT_WAIT },
	{ .name = "down",
	  .changes = true,
	  .named = true,
	  .serve = serve_updown,
	  .waits = CLIENT_DOWN },
	{ .name = "watch", .serve = serve_watch },
	{ .name = "reload", .changes = true, .serve = serve_change, .change = CONTROL_RELOAD },
	{ .name = "upgrade", .changes = true, .serve = serve_change, .change = CONTROL_UPGRADE },
	{ .name = "restart", .changes = true, .serve = serve_change, .change = CONTROL_RESTART },
	{ .name = "rekey",
	  .changes = true,
	  .named = true,
	  .serve = serve_rekey,
	  .rekey = IKE_REKEY_CHILD },
	{ .name = "rekey-ike",
	  .changes = true,
	  .named = true,
	  .serve = serve_rekey,
	  .rekey = IKE_REKEY_IKE },
	{ .name = "reauthenticate",
	  .changes = true,
	  .named = true,
	  .serve = serve_rekey,
	  .rekey = IKE_REKEY_PROOF },
};

static const struct request *request_find(const char *name)
{
	for (size_t i = 0; name && i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (strcmp(requests[i].name, name) == 0)
			return &requests[i];
	}
	return NULL;
}

static void client_serve(struct client *c, const json_t *o)
{
	const struct request *r = request_find(json_string_value(json_object_get(o, "do")));

	if (json_integer_value(json_object_get(o, "v")) != REPORT_VERSION || !r)
		client_end(
			c, ERR_UNSUPPORTED,
			"this daemon does not know that request: are command and daemon of one version?");
	else if (!client_take(c, o) || (r->named && !c->connection[0]))
		client_end(c, ERR_SYNTAX, "the request names no connection");
	else if (r->changes && !c->root)
		client_end(c, ERR_DENIED,
			   "only root may do that; the group of the socket may look");
	else {
		c->asked = r;
		r->serve(c);
	}
}

/* ---- clients come and go ---- */

static void client_close(struct client *c)
{
	struct client **p = &c->control->clients;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	c->control->n_clients--;
	loop_timer_set(c->control->env.loop, &c->timer, NEVER);
	loop_del(c->control->env.loop, &c->watch);
	close(c->watch.fd);
	free(c->out);
	free(c);
}

/* Writes what there is; a client that is done or broken goes. */
static void client_push(struct client *c)
{
	if (!client_flush(c))
		client_close(c);
	else
		loop_change(c->control->env.loop, &c->watch,
			    c->out_len > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void client_ready(void *ctx, uint32_t events)
{
	struct client *c = ctx;
	json_t *o = events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? client_read(c) : NULL;

	if (o)
		client_serve(c, o);
	json_decref(o);
	client_push(c);
}

/* The plane did not answer in time: older counters are better than none. */
static void client_late(void *ctx)
{
	struct client *c = ctx;

	if (c->waits == CLIENT_STATUS)
		control_status(c);
	client_push(c);
}

static bool peer_is_root(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && len == sizeof(cred) &&
	       cred.uid == 0;
}

static void client_add(struct control *ctl, int fd)
{
	bool root = peer_is_root(fd);
	size_t most = root ? CLIENTS_MAX : LOOKERS_MAX;
	struct client *c = ctl->n_clients < most ? calloc(1, sizeof(*c)) : NULL;

	if (!c) {
		close(fd);
		return;
	}
	c->control = ctl;
	c->root = root;
	c->watch = (struct loop_watch){ .fd = fd, .ready = client_ready, .ctx = c };
	c->timer = (struct loop_timer){ .fire = client_late, .ctx = c };
	if (loop_add(ctl->env.loop, &c->watch, EPOLLIN) != OK) {
		close(fd);
		free(c);
		return;
	}
	c->next = ctl->clients;
	ctl->clients = c;
	ctl->n_clients++;
}

static void listener_ready(void *ctx, uint32_t events)
{
	struct control *ctl = ctx;
	int fd = accept4(ctl->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0)
		client_add(ctl, fd);
}

/* ---- what happens outside ---- */

/* As responder we refuse whom we do not know: anybody, or a forged address. That is nothing to an
 * attempt of ours; nor is a child that the peer asks for in vain, or the end of an IKE SA that was
 * taken down before. */
static bool note_ends_up(const struct ike_note *n)
{
	bool busy = n->err == ERR_BUSY && n->next_try_ms > 0;

	return (n->kind == IKE_NOTE_REFUSED && n->initiator && !n->next_address) ||
	       (n->kind == IKE_NOTE_CHILD_FAILED && n->initiator && !busy) ||
	       (n->kind == IKE_NOTE_DOWN && n->err != OK && !n->goes_on);
}

/* A peer closes an IKE SA over which no child came about: then that is the reason, not the end. */
static void up_end(struct client *c, const struct ike_note *n)
{
	bool over_child = n->err == ERR_PEER_DELETED && c->failed.connection[0];

	if (over_child && !c->failed_told)
		client_send(c, report_note(&c->failed, time(NULL)));
	client_end(c, over_child ? c->failed.err : n->err, over_child ? c->failed.text : n->text);
}

static void up_note(struct client *c, const struct ike_note *n)
{
	if (n->kind == IKE_NOTE_CHILD_FAILED) {
		c->failed = *n;
		c->failed_told = true;
	}
	if (note_ends_up(n))
		up_end(c, n);
	else if (n->kind == IKE_NOTE_DOWN)
		c->failed.connection[0] = '\0';
}

void control_note(struct control *ctl, const struct ike_note *n)
{
	refusals_note(&ctl->refusals, n, mono_now());
	for (struct client *c = ctl->clients; c; c = c->next) {
		if (n->kind == IKE_NOTE_DROPPED || !note_concerns(c, n))
			continue;
		if (c->waits != CLIENT_WATCH && c->waits != CLIENT_UP && c->waits != CLIENT_WAIT &&
		    c->waits != CLIENT_DOWN)
			continue;
		client_send(c, report_note(n, time(NULL)));
		if (c->waits == CLIENT_UP)
			up_note(c, n);
	}
}

static void client_look(struct client *c)
{
	const struct control_env *h = &c->control->env;

	if (c->waits == CLIENT_STATUS && h->counters_fresh(h->ctx))
		control_status(c);
	else if ((c->waits == CLIENT_UP || c->waits == CLIENT_WAIT) && client_find(c).up)
		client_end(c, OK, NULL);
	else if (c->waits == CLIENT_DOWN &&
		 (c->child[0] ? !client_find(c).up : client_find(c).gone))
		client_end(c, OK, NULL);
}

void control_settle(struct control *ctl)
{
	struct client *next;

	for (struct client *c = ctl->clients; c; c = next) {
		next = c->next;
		client_look(c);
		client_push(c);
	}
}

void control_reloaded(struct control *ctl, uint64_t ticket, enum err e, struct span text)
{
	for (struct client *c = ctl->clients; c; c = c->next) {
		if (c->waits == CLIENT_RELOAD && c->about.ticket == ticket)
			client_end_with(c, e, text);
	}
}

void control_config(struct control *ctl, time_t loaded)
{
	ctl->config_loaded = loaded;
}

void control_not_upgraded(struct control *ctl, struct span why)
{
	snprintf(ctl->not_upgraded, sizeof(ctl->not_upgraded), "%.*s", (int)why.len,
		 (const char *)why.p);
}

void control_leave(struct control *ctl)
{
	for (struct client *c = ctl->clients; c; c = c->next) {
		if (c->waits == CLIENT_RELOAD && c->asked->change != CONTROL_RELOAD)
			client_end(c, OK, NULL);
		else if (c->waits == CLIENT_RELOAD)
			client_end(c, ERR_BUSY, "another program is about to go on: try again");
	}
	control_settle(ctl);
}

enum err control_new(const struct control_env *env, struct control **out)
{
	struct control *c = calloc(1, sizeof(*c));

	*out = c;
	if (!c)
		return ERR_NOMEM;
	c->env = *env;
	c->listener.fd = -1;
	c->started = c->config_loaded = time(NULL);
	return OK;
}

enum err control_listen(struct control *c, int fd)
{
	if (c->listener.fd >= 0) {
		close(fd);
		return ERR_EXISTS;
	}
	c->listener = (struct loop_watch){ .fd = fd, .ready = listener_ready, .ctx = c };
	return control_begin(c);
}

enum err control_begin(struct control *c)
{
	if (c->listens || c->listener.fd < 0 || !control_engine(c))
		return OK;
	c->listens = loop_add(c->env.loop, &c->listener, EPOLLIN) == OK;
	return c->listens ? OK : ERR_SYSTEM;
}

void control_free(struct control *c)
{
	if (!c)
		return;
	while (c->clients)
		client_close(c->clients);
	if (c->listens)
		loop_del(c->env.loop, &c->listener);
	if (c->listener.fd >= 0)
		close(c->listener.fd);
	free(c);
}
