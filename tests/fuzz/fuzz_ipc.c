/* SPDX-License-Identifier: Apache-2.0 */
/* What one of our processes makes of another that was taken over: whole messages of any type with
 * or without descriptors over a real channel with the real tables, the bodies behind them, and
 * bundles of a configuration. A message that the table does not have, or that is no body of its
 * type, ends the channel; one that is, is the same again when it is written.
 *
 * First byte: who reads. Then messages: type, how, length (2), bytes.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/jobs.h"
#include "base/sadesc.h"
#include "conf/load.h"
#include "daemon/bundle.h"
#include "daemon/proto.h"
#include "daemon/sealed.h"
#include "tests/fuzz/fuzz.h"

enum { ROOM = 256 * 1024, MESSAGES_MAX = 16 };
enum { HOW_FDS = 3, HOW_UNSEALED = 4 };

static uint8_t again[ROOM];

static void same(const struct wr *w, struct span body)
{
	FUZZ_HOLDS(wr_ok(w) && span_eq(wr_done(w), body));
}

/* ---- bodies, by type: read, written, compared ---- */

static enum err number(struct span s, struct wr *w)
{
	uint64_t n;
	enum err err = msg_number_get(s, &n);

	if (err == OK)
		msg_number_put(w, n);
	return err;
}

static enum err config(struct span s, struct wr *w)
{
	struct msg_config m;
	enum err err = msg_config_get(s, &m);

	if (err == OK)
		msg_config_put(w, &m);
	return err;
}

static enum err restart(struct span s, struct wr *w)
{
	struct msg_restart m;
	enum err err = msg_restart_get(s, &m);

	if (err == OK)
		msg_restart_put(w, &m);
	return err;
}

static enum err role(struct span s, struct wr *w)
{
	enum role r;
	enum err err = msg_role_get(s, &r);

	if (err == OK)
		msg_role_put(w, r);
	return err;
}

static enum err sock(struct span s, struct wr *w)
{
	struct msg_socket m;
	enum err err = msg_socket_get(s, &m);

	if (err == OK)
		msg_socket_put(w, &m);
	return err;
}

static enum err child(struct span s, struct wr *w)
{
	struct msg_child m;
	enum err err = msg_child_get(s, &m);

	if (err == OK)
		msg_child_put(w, &m);
	return err;
}

static enum err words(struct span s, struct wr *w)
{
	struct msg_text m;
	enum err err = msg_text_get(s, &m);

	if (err == OK)
		msg_text_put(w, &m);
	return err;
}

static enum err resolved(struct span s, struct wr *w)
{
	struct msg_resolved m;
	enum err err = msg_resolved_get(s, &m);

	if (err == OK)
		msg_resolved_put(w, &m);
	return err;
}

static enum err addresses(struct span s, struct wr *w)
{
	struct msg_addresses m;
	enum err err = msg_addresses_get(s, &m);

	if (err == OK)
		msg_addresses_put(w, &m);
	return err;
}

static enum err datagram(struct span s, struct wr *w)
{
	struct msg_datagram m;
	enum err err = msg_datagram_get(s, &m);

	if (err == OK)
		msg_datagram_put(w, &m);
	return err;
}

static enum err caps(struct span s, struct wr *w)
{
	struct plane_caps c;
	enum err err = plane_caps_decode(s, &c);

	if (err == OK)
		plane_caps_encode(w, &c);
	return err;
}

static enum err command(struct span s, struct wr *w)
{
	struct sa_cmd cmd;
	enum err err = sa_cmd_decode(s, &cmd);

	if (err != OK)
		return err;
	sa_cmd_encode(w, &cmd);
	sa_desc_wipe(&cmd.sa);
	return OK;
}

static enum err done(struct span s, struct wr *w)
{
	struct sa_done d;
	enum err err = sa_done_decode(s, &d);

	if (err == OK)
		sa_done_encode(w, &d);
	return err;
}

static enum err plane(struct span s, struct wr *w)
{
	struct plane_event ev;
	enum err err = plane_event_decode(s, &ev);

	if (err == OK)
		plane_event_encode(w, &ev);
	return err;
}

static enum err job(struct span s, struct wr *w)
{
	struct job j;
	enum err err = job_decode(s, &j);

	if (err == OK)
		job_encode(w, &j);
	return err;
}

static enum err result(struct span s, struct wr *w)
{
	struct job_result r;
	enum err err = job_result_decode(s, &r);

	if (err == OK)
		job_result_encode(w, &r);
	return err;
}

static const struct {
	enum msg_type type;
	enum err (*read)(struct span s, struct wr *w);
} bodies[] = {
	{ MSG_CONFIG, config },	      { MSG_COMMIT, number },	  { MSG_ABORT, number },
	{ MSG_PEER, role },	      { MSG_SOCKET, sock },	  { MSG_RELOADED, words },
	{ MSG_CAPS, caps },	      { MSG_READY, number },	  { MSG_REFUSED, words },
	{ MSG_ACCUSE, role },	      { MSG_GUARD, child },	  { MSG_MTU, child },
	{ MSG_RELOAD, number },	      { MSG_JOB, job },		  { MSG_RESULT, result },
	{ MSG_RESOLVE, words },	      { MSG_RESOLVED, resolved }, { MSG_SA, command },
	{ MSG_SA_DONE, done },	      { MSG_PLANE, plane },	  { MSG_DATAGRAM, datagram },
	{ MSG_ADDRESSES, addresses }, { MSG_RESTART, restart },
};

static void read_body(uint8_t type, struct span body)
{
	struct wr w = wr_into(again, sizeof(again));

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		if (bodies[i].type == type && bodies[i].read(body, &w) == OK)
			same(&w, body);
	}
}

/* ---- bundles ---- */

static int bundle_of(struct span bytes, uint8_t how)
{
	int fd;

	FUZZ_HOLDS(sealed_make("postern.conf", &fd) == OK);
	FUZZ_HOLDS(sealed_append(fd, bytes) == OK);
	if (!(how & HOW_UNSEALED))
		FUZZ_HOLDS(sealed_seal(fd) == OK);
	return fd;
}

static void read_bundle(struct span bytes, uint8_t how)
{
	int fd = bundle_of(bytes, how);
	struct conf_problems problems;
	struct bundle *b;
	struct conf *c = NULL;

	if (bundle_read(fd, &b) == OK) {
		FUZZ_HOLDS(!(how & HOW_UNSEALED));
		FUZZ_HOLDS((bundle_load(b, &c, &problems) == OK) == (c != NULL));
		conf_free(c);
		bundle_free(b);
	}
	close(fd);
}

/* ---- channels ---- */

static const struct chan_table *table_of(uint8_t which)
{
	enum role r = (enum role)(which % N_ROLES);

	switch (which / N_ROLES % 4) {
	case 0:
		return proto_from_monitor(r);
	case 1:
		return proto_from_process(r);
	case 2:
		return proto_from_engine(r);
	default:
		return proto_to_engine(r);
	}
}

static void send_raw(int fd, uint8_t type, uint8_t n_fds, struct span body)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(3 * sizeof(int))];
	} control = { .bytes = { 0 } };
	int fds[3] = { fd, fd, fd };
	struct iovec iov[2] = { { .iov_base = &type, .iov_len = 1 },
				{ .iov_base = (void *)(uintptr_t)body.p, .iov_len = body.len } };
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = 2 };
	struct cmsghdr *cm;

	if (n_fds > 0) {
		h.msg_control = control.bytes;
		h.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		cm = CMSG_FIRSTHDR(&h);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(cm), fds, n_fds * sizeof(int));
	}
	(void)sendmsg(fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static bool table_has(const struct chan_table *t, const struct chan_msg *m)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->rules[i].type == m->type)
			return m->body.len >= t->rules[i].min && m->body.len <= t->rules[i].max &&
			       (m->fd >= 0) == t->rules[i].fd;
	}
	return false;
}

static void hear(struct chan *c, const struct chan_table *t)
{
	struct chan_msg m;
	enum err err = chan_recv(c, &m);

	FUZZ_HOLDS(err == OK || m.fd < 0);
	if (err != OK)
		return;
	FUZZ_HOLDS(table_has(t, &m));
	read_body(m.type, m.body);
	if (m.fd >= 0)
		close(m.fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_from(span_of(bytes, len));
	uint8_t which = rd_u8(&r);
	const struct chan_table *t = table_of(which);
	struct chan *c;
	int fd[2];

	if (which >= 128) {
		uint8_t how = rd_u8(&r);

		read_bundle(rd_rest(&r), how);
		return 0;
	}
	FUZZ_HOLDS(chan_pair(fd) == OK && chan_new(fd[0], t, t, &c) == OK);
	for (int i = 0; i < MESSAGES_MAX && rd_left(&r) >= 4; i++) {
		uint8_t type = rd_u8(&r), how = rd_u8(&r);
		uint16_t n = rd_u16(&r);
		struct span body = rd_take(&r, n < rd_left(&r) ? n : rd_left(&r));

		send_raw(fd[1], type, how & HOW_FDS, body);
		hear(c, t);
	}
	chan_free(c);
	close(fd[1]);
	return 0;
}
