/* SPDX-License-Identifier: Apache-2.0 */
/* A netlink socket that asks and waits (second half of xfrm/netlink.h).
 *
 * The kernel answers within the call, in practice; still every wait has an end, every answer is
 * matched by sequence number and port, and only the kernel (port 0) is listened to: any process may
 * send to our port.
 */
#include "xfrm/netlink.h"

#include <errno.h>
#include <netlink/msg.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"

enum {
	DATAGRAM_MAX = 65536, /* the kernel's dumps come in at most 32 KiB */
	DUMP_TRIES = 8,
	SEND_BUFFER = 16 << 20,
};

static const mono_ns patience = 5 * NS_PER_S;

static enum err errno_err(int error)
{
	switch (error) {
	case 0:
		return OK;
	case EEXIST:
		return ERR_EXISTS;
	case ENOENT:
	case ESRCH:
	case ENODEV:
		return ERR_NOT_FOUND;
	case EPERM:
	case EACCES:
		return ERR_DENIED;
	case EOPNOTSUPP:
	case EPROTONOSUPPORT:
	case EAFNOSUPPORT:
	case ENOSYS: /* an algorithm */
		return ERR_UNSUPPORTED;
	case ENOMEM:
		return ERR_NOMEM;
	default:
		return ERR_SYSTEM;
	}
}

static void netlink_options(const struct netlink *nl)
{
	int on = 1;
	int size = SEND_BUFFER;

	/* None is needed: words are a courtesy, filtered dumps are filtered again, and a batch that
	 * does not fit in the buffer is refused by the kernel. */
	(void)setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	/* A refusal does not bring the request back: keys may stand in it. */
	(void)setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)setsockopt(nl->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	(void)setsockopt(nl->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	(void)setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

enum err netlink_open(struct netlink *nl, int protocol)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(sa);
	int error;

	*nl = (struct netlink){ .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
					     protocol) };
	if (nl->fd < 0)
		return errno_err(errno);
	nl->buf = malloc(DATAGRAM_MAX);
	if (nl->buf == NULL || bind(nl->fd, (struct sockaddr *)&sa, len) < 0 ||
	    getsockname(nl->fd, (struct sockaddr *)&sa, &len) < 0) {
		error = nl->buf == NULL ? ENOMEM : errno;
		netlink_close(nl);
		return errno_err(error);
	}
	netlink_options(nl);
	nl->port = sa.nl_pid;
	nl->seq = (uint32_t)time(NULL);
	return OK;
}

enum err netlink_over(struct netlink *nl, const struct netlink_ops *ops, void *ctx)
{
	*nl = (struct netlink){ .fd = -1, .port = NETLINK_MODEL_PORT, .ops = ops, .ctx = ctx };
	nl->buf = malloc(DATAGRAM_MAX);
	return nl->buf == NULL ? ERR_NOMEM : OK;
}

void netlink_close(struct netlink *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	free(nl->buf);
	*nl = (struct netlink){ .fd = -1 };
}

static enum err netlink_read_model(struct netlink *nl, struct span *got)
{
	ssize_t n = nl->ops->receive(nl->ctx, nl->buf, DATAGRAM_MAX);

	*got = n < 0 ? SPAN_EMPTY : span_of(nl->buf, n > DATAGRAM_MAX ? DATAGRAM_MAX : (size_t)n);
	if (n >= 0)
		return n > DATAGRAM_MAX ? ERR_SYNTAX : OK;
	return errno == ENOBUFS ? ERR_BUSY : errno == EAGAIN ? ERR_NOT_FOUND : errno_err(errno);
}

enum err netlink_read(struct netlink *nl, struct span *got)
{
	struct sockaddr_nl from = { .nl_family = AF_UNSPEC };
	struct iovec iov = { .iov_base = nl->buf, .iov_len = DATAGRAM_MAX };
	struct msghdr mh = { .msg_name = &from,
			     .msg_namelen = sizeof(from),
			     .msg_iov = &iov,
			     .msg_iovlen = 1 };
	ssize_t n;

	if (nl->ops != NULL)
		return netlink_read_model(nl, got);
	n = recvmsg(nl->fd, &mh, 0);
	*got = SPAN_EMPTY;
	if (n < 0 && errno == ENOBUFS)
		return ERR_BUSY;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? ERR_NOT_FOUND : errno_err(errno);
	if (from.nl_family != AF_NETLINK || from.nl_pid != 0)
		return OK;
	*got = span_of(nl->buf, (size_t)n);
	return mh.msg_flags & MSG_TRUNC ? ERR_SYNTAX : OK;
}

/* The same, when it comes. */
static enum err netlink_receive(struct netlink *nl, mono_ns until, struct span *got)
{
	for (mono_ns now = mono_now(); now < until; now = mono_now()) {
		struct pollfd p = { .fd = nl->fd, .events = POLLIN };
		enum err err = netlink_read(nl, got);

		if (err == ERR_NOT_FOUND && nl->ops != NULL)
			break;
		if (err == ERR_NOT_FOUND)
			(void)poll(&p, 1, (int)((until - now) / NS_PER_MS) + 1);
		else if (err != OK || got->len > 0)
			return err;
	}
	return ERR_NO_ANSWER;
}

enum err netlink_join(const struct netlink *nl, uint32_t group)
{
	int n = (int)group;

	if (nl->ops != NULL)
		return OK;
	if (setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &n, sizeof(n)) == 0)
		return OK;
	return errno_err(errno);
}

/* What an earlier request left behind, or its overrun: away, so that it is not taken for an answer
 * to the next. */
static void netlink_drain(struct netlink *nl)
{
	struct span late = SPAN_EMPTY;

	for (int i = 0; i < DUMP_TRIES; i++) {
		enum err err = netlink_read(nl, &late);

		secret_wipe(nl->buf, late.len);
		if (err == ERR_NOT_FOUND)
			return;
	}
}

static enum err netlink_send(const struct netlink *nl, struct iovec *iov, size_t n)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr mh = { .msg_name = &kernel,
			     .msg_namelen = sizeof(kernel),
			     .msg_iov = iov,
			     .msg_iovlen = n };
	int tries = DUMP_TRIES;

	if (nl->ops != NULL)
		return nl->ops->send(nl->ctx, iov->iov_base, iov->iov_len) < 0 ? errno_err(errno)
									       : OK;
	while (sendmsg(nl->fd, &mh, 0) < 0) {
		if (errno != EINTR || tries-- == 0)
			return errno_err(errno);
	}
	return OK;
}

static enum err netlink_wait(struct netlink *nl, answer_fn *fn, void *ctx, struct answer *a)
{
	mono_ns until = mono_now() + patience;
	enum err err = OK;

	while (err == OK && !a->done) {
		struct span got = SPAN_EMPTY;

		err = netlink_receive(nl, until, &got);
		if (err == OK)
			err = answer_read(a, got, fn, ctx);
		secret_wipe(nl->buf, got.len);
	}
	return err != OK ? err : errno_err(a->error);
}

/* Gives the request the next sequence number and our port. */
static struct iovec netlink_stamp(struct netlink *nl, const struct ask *req)
{
	struct nlmsghdr *m = nlmsg_hdr(req->msg);

	m->nlmsg_seq = ++nl->seq;
	m->nlmsg_pid = nl->port;
	return (struct iovec){ .iov_base = m, .iov_len = m->nlmsg_len };
}

static enum err netlink_once(struct netlink *nl, const struct ask *req,
			     const struct netlink_sink *sink, struct answer *a)
{
	struct iovec iov = netlink_stamp(nl, req);
	enum err err;

	*a = (struct answer){ .seq_first = nl->seq, .seq_last = nl->seq, .port = nl->port };
	netlink_drain(nl);
	err = netlink_send(nl, &iov, 1);
	return err != OK ? err : netlink_wait(nl, sink->take, sink->ctx, a);
}

enum err netlink_get(struct netlink *nl, struct ask *req, const struct netlink_sink *sink,
		     struct answer *a)
{
	enum err err = ERR_NOMEM;

	*a = (struct answer){ .error = 0 };
	if (!req->bad) {
		nlmsg_hdr(req->msg)->nlmsg_flags |= NLM_F_ACK;
		err = netlink_once(nl, req, sink, a);
	}
	ask_free(req);
	return err;
}

enum err netlink_ask(struct netlink *nl, struct ask *req, struct answer *a)
{
	static const struct netlink_sink nobody;

	return netlink_get(nl, req, &nobody, a);
}

enum err netlink_dump(struct netlink *nl, struct ask *req, const struct netlink_sink *sink,
		      struct answer *a)
{
	enum err err = ERR_NOMEM;

	*a = (struct answer){ .error = 0 };
	for (int tries = DUMP_TRIES; !req->bad && tries > 0; tries--) {
		if (sink->restart != NULL)
			sink->restart(sink->ctx);
		err = netlink_once(nl, req, sink, a);
		if (err == OK && a->interrupted)
			err = ERR_BUSY;
		if (err != ERR_BUSY)
			break;
	}
	ask_free(req);
	return err;
}

/* The messages one behind the other, each aligned, as the kernel wants a batch. */
static void netlink_pack(struct netlink *nl, const struct ask *v, size_t n, struct wr *w)
{
	for (size_t i = 0; i < n; i++) {
		struct iovec iov = netlink_stamp(nl, &v[i]);

		wr_span(w, span_of(iov.iov_base, iov.iov_len));
		wr_zero(w, NLMSG_ALIGN(iov.iov_len) - iov.iov_len);
	}
}

enum err netlink_transact(struct netlink *nl, struct ask *v, size_t n, struct answer *a)
{
	struct iovec iov = { .iov_base = NULL };
	size_t size = 0;
	struct wr w;
	enum err err;

	*a = (struct answer){ .seq_first = nl->seq + 1, .port = nl->port };
	for (size_t i = 0; i < n; i++) {
		if (v[i].bad)
			return ERR_NOMEM;
		size += NLMSG_ALIGN(nlmsg_hdr(v[i].msg)->nlmsg_len);
	}
	iov.iov_base = malloc(size);
	if (iov.iov_base == NULL)
		return ERR_NOMEM;
	w = wr_into(iov.iov_base, size);
	netlink_pack(nl, v, n, &w);
	iov.iov_len = wr_len(&w);
	/* The last message only ends the batch; the one before it is the last that is acknowledged.
	 */
	a->seq_last = nl->seq - 1;
	netlink_drain(nl);
	err = netlink_send(nl, &iov, 1);
	if (err == OK)
		err = netlink_wait(nl, NULL, NULL, a);
	free(iov.iov_base);
	return err;
}

const char *netlink_words(enum err err, const struct answer *a, char buf[static NETLINK_WORDS_MAX])
{
	if (a->error == 0)
		snprintf(buf, NETLINK_WORDS_MAX, "%s", err_text(err));
	else if (a->words[0] != '\0')
		snprintf(buf, NETLINK_WORDS_MAX, "%s (%s)", strerror(a->error), a->words);
	else
		snprintf(buf, NETLINK_WORDS_MAX, "%s", strerror(a->error));
	return buf;
}
