/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"

/* Room for `more` bytes behind the backlog, which grows by doubling. */
static bool backlog_grow(struct client *c, size_t more)
{
	size_t most = c->root ? CLIENT_BACKLOG_ROOT : CLIENT_BACKLOG_MAX;
	size_t wanted = c->out_len + more, size = c->out_size ? c->out_size : CLIENT_REQUEST_MAX;
	char *grown;

	if (wanted > most)
		return false;
	while (size < wanted)
		size *= 2;
	if (size == c->out_size)
		return true;
	grown = realloc(c->out, size);
	if (!grown)
		return false;
	c->out = grown;
	c->out_size = size;
	return true;
}

/* How long it is, written as far as it fits; 0: there is no memory. Not json_dumps, which leaves
 * out what it has no memory for and says that it went well. */
static size_t line_write(struct client *c, const json_t *o)
{
	return json_dumpb(o, c->out ? c->out + c->out_len : NULL, c->out_size - c->out_len,
			  JSON_COMPACT);
}

void client_send(struct client *c, json_t *o)
{
	size_t room = c->out_size - c->out_len;
	size_t len = o ? line_write(c, o) : 0;

	if (len > 0 && len >= room)
		len = backlog_grow(c, len + 1) ? line_write(c, o) : 0;
	json_decref(o);
	if (len == 0) {
		c->broken = true;
		return;
	}
	c->out[c->out_len + len] = '\n';
	c->out_len += len + 1;
}

bool client_flush(struct client *c)
{
	ssize_t n;

	while (c->out_len > 0 && !c->broken) {
		n = send(c->watch.fd, c->out, c->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			c->broken = true;
			break;
		}
		c->out_len -= (size_t)n;
		memmove(c->out, c->out + n, c->out_len);
	}
	return !c->broken && !(c->waits == CLIENT_DONE && c->out_len == 0);
}

/* The first line of what was read, cut out of the buffer. */
static json_t *line_take(struct client *c)
{
	char *end = memchr(c->in, '\n', c->in_len);
	json_t *o;
	size_t used;

	if (!end) {
		c->broken = c->broken || c->in_len == sizeof(c->in);
		return NULL;
	}
	used = (size_t)(end - c->in) + 1;
	o = json_loadb(c->in, used - 1, JSON_REJECT_DUPLICATES, NULL);
	c->in_len -= used;
	memmove(c->in, c->in + used, c->in_len);
	if (json_is_object(o))
		return o;
	json_decref(o);
	c->broken = true;
	return NULL;
}

json_t *client_read(struct client *c)
{
	ssize_t n = recv(c->watch.fd, c->in + c->in_len, sizeof(c->in) - c->in_len, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		c->broken = true;
	if (n > 0)
		c->in_len += (size_t)n;
	/* One request at a time: what follows it waits in the socket and in the buffer. */
	return c->waits == CLIENT_IDLE ? line_take(c) : NULL;
}

/* 0: it is not there, or none. */
static uint32_t number(const json_t *request, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(request, key));

	return n > 0 && n <= UINT32_MAX ? (uint32_t)n : 0;
}

bool client_take(struct client *c, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "name"));
	const char *command = json_string_value(json_object_get(request, "command"));
	const char *slash = name ? strchr(name, '/') : NULL;
	size_t len = slash ? (size_t)(slash - name) : name ? strlen(name) : 0;

	c->about.pid = number(request, "pid");
	c->about.room = number(request, "room");
	snprintf(c->command, sizeof(c->command), "%s",
		 command && strlen(command) < sizeof(c->command) ? command : "");
	c->about.command = span_str(c->command);
	c->connection[0] = c->child[0] = '\0';
	if (len > CONF_NAME_MAX || (slash && strlen(slash + 1) > CONF_NAME_MAX))
		return false;
	memcpy(c->connection, name ? name : "", len);
	c->connection[len] = '\0';
	if (slash)
		memcpy(c->child, slash + 1, strlen(slash + 1) + 1);
	return true;
}
