/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/secret.h"

struct chan_queued {
	struct chan_queued *next;
	uint8_t type;
	int fd;
	size_t len;
	uint8_t body[];
};

struct chan {
	int fd;
	const struct chan_table *in;
	const struct chan_table *out;
	struct chan_queued *head;
	struct chan_queued **tail;
	size_t queued; /* bytes, with what each message costs beside its own */
	size_t size;   /* of buf: the longest body of `in`, its type, and one byte more to see a
			  longer one */
	uint8_t buf[];
};

/* Room in the socket for several of the longest messages. Only the privileged monitor may go beyond
 * the system's limit; where that fails the ordinary limit still holds one longest message. */
static void chan_room(int fd)
{
	int room = 8 * CHAN_BODY_MAX;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
}

enum err chan_pair(int fd[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd) != 0)
		return ERR_SYSTEM;
	chan_room(fd[0]);
	chan_room(fd[1]);
	return OK;
}

static const struct chan_rule *rule_find(const struct chan_table *t, uint8_t type)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->rules[i].type == type)
			return &t->rules[i];
	}
	return NULL;
}

static bool rule_fits(const struct chan_table *t, uint8_t type, size_t len, bool fd)
{
	const struct chan_rule *r = rule_find(t, type);

	return r != NULL && len >= r->min && len <= r->max && fd == r->fd;
}

static size_t table_longest(const struct chan_table *t)
{
	size_t longest = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (t->rules[i].max > longest)
			longest = t->rules[i].max;
	}
	return longest;
}

enum err chan_new(int fd, const struct chan_table *in, const struct chan_table *out,
		  struct chan **c)
{
	size_t size = table_longest(in) + 2;
	int flags = fcntl(fd, F_GETFL);

	*c = calloc(1, sizeof **c + size);
	if (*c == NULL || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
		free(*c);
		*c = NULL;
		close(fd);
		return ERR_NOMEM;
	}
	(*c)->fd = fd;
	(*c)->in = in;
	(*c)->out = out;
	(*c)->tail = &(*c)->head;
	(*c)->size = size;
	return OK;
}

static void queued_free(struct chan_queued *q)
{
	if (q->fd >= 0)
		close(q->fd);
	secret_free(q, sizeof *q + q->len);
}

void chan_free(struct chan *c)
{
	if (c == NULL)
		return;
	while (c->head != NULL) {
		struct chan_queued *q = c->head;

		c->head = q->next;
		queued_free(q);
	}
	close(c->fd);
	secret_free(c, sizeof *c + c->size);
}

int chan_fd(const struct chan *c)
{
	return c->fd;
}

bool chan_waiting(const struct chan *c)
{
	return c->head != NULL;
}

size_t chan_queued(const struct chan *c)
{
	return c->queued;
}

/* ---- sending ---- */

static void control_put_fd(struct msghdr *h, void *control, size_t size, int fd)
{
	struct cmsghdr *cm;

	h->msg_control = control;
	h->msg_controllen = size;
	cm = CMSG_FIRSTHDR(h);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(cm), &fd, sizeof fd);
}

static enum err send_one(int sock, uint8_t type, struct span body, int fd)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov[2] = {
		{ .iov_base = &type, .iov_len = 1 },
		{ .iov_base = (void *)(uintptr_t)body.p, .iov_len = body.len },
	};
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = 2 };

	if (fd >= 0)
		control_put_fd(&h, control, sizeof control, fd);
	while (sendmsg(sock, &h, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
			return ERR_BUSY;
		return errno == EPIPE || errno == ECONNRESET ? ERR_NOT_FOUND : ERR_SYSTEM;
	}
	return OK;
}

enum err chan_send_now(const struct chan *c, uint8_t type, struct span body, int fd)
{
	if (!rule_fits(c->out, type, body.len, fd >= 0))
		return ERR_UNSUPPORTED;
	return send_one(c->fd, type, body, fd);
}

static enum err queue_put(struct chan *c, uint8_t type, struct span body, int fd)
{
	struct chan_queued *q;

	if (sizeof *q + body.len > CHAN_QUEUE_MAX - c->queued)
		return ERR_LIMIT;
	q = malloc(sizeof *q + body.len);
	if (q == NULL)
		return ERR_NOMEM;
	*q = (struct chan_queued){ .type = type, .fd = -1, .len = body.len };
	if (fd >= 0) {
		q->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (q->fd < 0) {
			free(q);
			return ERR_SYSTEM;
		}
	}
	if (body.len > 0)
		memcpy(q->body, body.p, body.len);
	*c->tail = q;
	c->tail = &q->next;
	c->queued += sizeof *q + body.len;
	return OK;
}

enum err chan_send(struct chan *c, uint8_t type, struct span body, int fd)
{
	enum err e;

	if (!rule_fits(c->out, type, body.len, fd >= 0))
		return ERR_UNSUPPORTED;
	if (c->head != NULL)
		return queue_put(c, type, body, fd);
	e = send_one(c->fd, type, body, fd);
	return e == ERR_BUSY ? queue_put(c, type, body, fd) : e;
}

enum err chan_flush(struct chan *c)
{
	while (c->head != NULL) {
		struct chan_queued *q = c->head;
		enum err e = send_one(c->fd, q->type, span_of(q->body, q->len), q->fd);

		if (e == ERR_BUSY)
			return OK;
		if (e != OK)
			return e;
		c->head = q->next;
		if (c->head == NULL)
			c->tail = &c->head;
		c->queued -= sizeof *q + q->len;
		queued_free(q);
	}
	return OK;
}

/* ---- receiving ---- */

/* The first descriptor that came along; the kernel may give more than we made room for (padding),
 * and those are closed. */
static int control_take_fd(struct msghdr *h, bool *extra)
{
	int got = -1;

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(h); cm != NULL; cm = CMSG_NXTHDR(h, cm)) {
		struct rd r = rd_from(span_tail(span_of(cm, cm->cmsg_len), CMSG_LEN(0)));
		int fd;

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		while (rd_left(&r) >= sizeof fd) {
			rd_copy(&r, &fd, sizeof fd);
			if (got >= 0) {
				close(fd);
				*extra = true;
			} else {
				got = fd;
			}
		}
	}
	return got;
}

enum err chan_recv(struct chan *c, struct chan_msg *m)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = c->buf, .iov_len = c->size };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof control };
	bool extra = false;
	ssize_t n;

	*m = (struct chan_msg){ .fd = -1 };
	do {
		n = recvmsg(c->fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? ERR_BUSY : ERR_NOT_FOUND;
	m->fd = control_take_fd(&h, &extra);
	m->body = span_tail(span_of(c->buf, (size_t)n), 1);
	m->type = c->buf[0];
	if (n > 0 && !extra && (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
	    rule_fits(c->in, m->type, m->body.len, m->fd >= 0))
		return OK;
	if (m->fd >= 0)
		close(m->fd);
	*m = (struct chan_msg){ .fd = -1 };
	return n == 0 ? ERR_NOT_FOUND : ERR_SYNTAX;
}

void chan_wipe(struct chan *c)
{
	secret_wipe(c->buf, c->size);
}
