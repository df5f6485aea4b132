/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/proto.h"

#include <string.h>

#include "base/pack.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

enum {
	NUMBER = 8, /* bytes of msg_number_put */
	RESTART_MIN = NUMBER + 4 + 4 + 4,
	RESTART_MAX = RESTART_MIN + PROTO_COMMAND_MAX,
	CHILD_MIN = 1,
	CHILD_MAX = 2 * (4 + CONF_NAME_MAX) + 2,
	TEXT_MIN = NUMBER + 2 + 4,
	TEXT_MAX = TEXT_MIN + PROTO_TEXT_MAX,
	COMMAND_MAX = 65536, /* an SA's two lists of 255 selectors, and its keys */
};

/* What every process hears of the monitor. */
#define FROM_MONITOR                                                              \
	{ .type = MSG_CONFIG, .min = NUMBER + 1, .max = NUMBER + 1, .fd = true }, \
		{ .type = MSG_COMMIT, .min = NUMBER, .max = NUMBER },             \
		{ .type = MSG_ABORT, .min = NUMBER, .max = NUMBER },              \
		{ .type = MSG_PEER, .min = 1, .max = 1, .fd = true },             \
		{ .type = MSG_SOCKET, .min = 6, .max = 6, .fd = true },           \
		{ .type = MSG_STOP, .min = 0, .max = 0 },                         \
	{                                                                         \
		.type = MSG_PING, .min = 0, .max = 0                              \
	}

static const struct chan_rule from_monitor[] = { FROM_MONITOR };

static const struct chan_rule from_monitor_to_engine[] = {
	FROM_MONITOR,
	{ .type = MSG_RELOADED, .min = 1, .max = TEXT_MAX },
	{ .type = MSG_LEAVE, .min = 0, .max = 0 },
	{ .type = MSG_CAPS, .min = 1, .max = PROTO_SMALL_MAX },
	{ .type = MSG_ADDRESSES, .min = 1, .max = PROTO_SMALL_MAX },
	{ .type = MSG_SA_DONE, .min = 1, .max = PROTO_SMALL_MAX },
	{ .type = MSG_PLANE, .min = 1, .max = PROTO_SMALL_MAX },
};

static const struct chan_rule from_process[] = {
	{ .type = MSG_READY, .min = NUMBER, .max = NUMBER },
	{ .type = MSG_REFUSED, .min = 1, .max = TEXT_MAX },
	{ .type = MSG_ACCUSE, .min = 1, .max = 1 },
	{ .type = MSG_PONG, .min = 0, .max = 0 },
};

static const struct chan_rule from_engine_process[] = {
	{ .type = MSG_READY, .min = NUMBER, .max = NUMBER },
	{ .type = MSG_REFUSED, .min = 1, .max = TEXT_MAX },
	{ .type = MSG_ACCUSE, .min = 1, .max = 1 },
	{ .type = MSG_PONG, .min = 0, .max = 0 },
	{ .type = MSG_GUARD, .min = CHILD_MIN, .max = CHILD_MAX },
	{ .type = MSG_MTU, .min = CHILD_MIN, .max = CHILD_MAX },
	{ .type = MSG_RELOAD, .min = NUMBER, .max = NUMBER },
	{ .type = MSG_UPGRADE, .min = NUMBER, .max = NUMBER },
	{ .type = MSG_RESTART, .min = RESTART_MIN, .max = RESTART_MAX },
	{ .type = MSG_STATUS, .min = 1, .max = PROTO_STATUS_MAX },
	{ .type = MSG_SA, .min = 1, .max = COMMAND_MAX },
};

static const struct chan_rule jobs[] = { { .type = MSG_JOB, .min = 1, .max = CHAN_BODY_MAX } };
static const struct chan_rule results[] = { { .type = MSG_RESULT, .min = 1, .max = 8192 } };
static const struct chan_rule names[] = {
	{ .type = MSG_RESOLVE, .min = 1, .max = TEXT_MIN + PROTO_HOST_MAX }
};
static const struct chan_rule addresses[] = { { .type = MSG_RESOLVED, .min = 1, .max = 512 } };
static const struct chan_rule commands[] = { { .type = MSG_SA, .min = 1, .max = COMMAND_MAX } };
static const struct chan_rule from_esp[] = {
	{ .type = MSG_SA_DONE, .min = 1, .max = PROTO_SMALL_MAX },
	{ .type = MSG_PLANE, .min = 1, .max = PROTO_SMALL_MAX },
	{ .type = MSG_DATAGRAM, .min = 1, .max = PROTO_DATAGRAM_MAX + 128 },
};

#define TABLE(what, r)                                   \
	{                                                \
		.name = what, .rules = (r), .n = N_OF(r) \
	}

static const struct chan_table monitor_table = TABLE("monitor", from_monitor);
static const struct chan_table monitor_engine_table =
	TABLE("monitor to engine", from_monitor_to_engine);
static const struct chan_table process_table = TABLE("process", from_process);
static const struct chan_table engine_table = TABLE("engine", from_engine_process);
static const struct chan_table nothing = { .name = "nothing" };

static const struct chan_table to[N_ROLES] = {
	[ROLE_SIGNER] = TABLE("jobs", jobs),
	[ROLE_VERIFIER] = TABLE("jobs", jobs),
	[ROLE_FETCHER] = TABLE("names", names),
	[ROLE_ESP] = TABLE("commands", commands),
};

static const struct chan_table from[N_ROLES] = {
	[ROLE_SIGNER] = TABLE("results", results),
	[ROLE_VERIFIER] = TABLE("results", results),
	[ROLE_FETCHER] = TABLE("addresses", addresses),
	[ROLE_ESP] = TABLE("esp", from_esp),
};

const struct chan_table *proto_from_monitor(enum role r)
{
	return r == ROLE_ENGINE ? &monitor_engine_table : &monitor_table;
}

const struct chan_table *proto_from_process(enum role r)
{
	return r == ROLE_ENGINE ? &engine_table : &process_table;
}

const struct chan_table *proto_from_engine(enum role r)
{
	return to[r].name != NULL ? &to[r] : &nothing;
}

const struct chan_table *proto_to_engine(enum role r)
{
	return from[r].name != NULL ? &from[r] : &nothing;
}

/* ---- bodies ---- */

void msg_number_put(struct wr *w, uint64_t number)
{
	wr_u64(w, number);
}

enum err msg_number_get(struct span s, uint64_t *number)
{
	struct rd r = rd_from(s);

	*number = rd_u64(&r);
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

void msg_config_put(struct wr *w, const struct msg_config *m)
{
	wr_u64(w, m->generation);
	wr_u8(w, m->workers);
}

enum err msg_config_get(struct span s, struct msg_config *m)
{
	struct rd r = rd_from(s);

	m->generation = rd_u64(&r);
	m->workers = rd_u8(&r);
	if (m->workers == 0)
		rd_fail(&r);
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

void msg_restart_put(struct wr *w, const struct msg_restart *m)
{
	wr_u64(w, m->ticket);
	wr_u32(w, m->pid);
	wr_u32(w, m->room);
	pack_span(w, span_head(m->command, PROTO_COMMAND_MAX));
}

enum err msg_restart_get(struct span s, struct msg_restart *m)
{
	struct rd r = rd_from(s);

	m->ticket = rd_u64(&r);
	m->pid = rd_u32(&r);
	m->room = rd_u32(&r);
	m->command = unpack_span(&r, PROTO_COMMAND_MAX);
	if (m->ticket == 0)
		rd_fail(&r);
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

void msg_role_put(struct wr *w, enum role r)
{
	pack_enum(w, r);
}

enum err msg_role_get(struct span s, enum role *role)
{
	struct rd r = rd_from(s);

	*role = (enum role)unpack_enum(&r, N_ROLES);
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

void msg_socket_put(struct wr *w, const struct msg_socket *m)
{
	pack_enum(w, m->kind);
	wr_u8(w, m->index);
	wr_u32(w, m->device);
}

enum err msg_socket_get(struct span s, struct msg_socket *m)
{
	struct rd r = rd_from(s);

	m->kind = (enum sock_kind)unpack_enum(&r, N_SOCK);
	m->index = rd_u8(&r);
	m->device = rd_u32(&r);
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

void msg_child_put(struct wr *w, const struct msg_child *m)
{
	pack_text(w, m->connection, sizeof m->connection);
	pack_text(w, m->child, sizeof m->child);
	wr_u16(w, m->value);
}

enum err msg_child_get(struct span s, struct msg_child *m)
{
	struct rd r = rd_from(s);

	unpack_text(&r, m->connection, sizeof m->connection);
	unpack_text(&r, m->child, sizeof m->child);
	m->value = rd_u16(&r);
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

void msg_text_put(struct wr *w, const struct msg_text *m)
{
	wr_u64(w, m->ticket);
	pack_err(w, m->err);
	pack_span(w, span_head(m->text, PROTO_TEXT_MAX));
}

enum err msg_text_get(struct span s, struct msg_text *m)
{
	struct rd r = rd_from(s);

	m->ticket = rd_u64(&r);
	m->err = unpack_err(&r);
	m->text = unpack_span(&r, PROTO_TEXT_MAX);
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

static void addresses_put(struct wr *w, const struct addr *v, size_t n)
{
	wr_u8(w, (uint8_t)n);
	for (size_t i = 0; i < n; i++)
		pack_addr(w, &v[i]);
}

static size_t addresses_get(struct rd *r, struct addr *v, size_t max)
{
	const size_t n = rd_u8(r);

	if (n > max)
		rd_fail(r);
	for (size_t i = 0; i < n && rd_ok(r); i++) {
		v[i] = unpack_addr(r);
		if (v[i].family == AF_UNSPEC)
			rd_fail(r);
	}
	return n;
}

void msg_resolved_put(struct wr *w, const struct msg_resolved *m)
{
	wr_u64(w, m->ticket);
	pack_err(w, m->err);
	addresses_put(w, m->addr, m->n);
}

enum err msg_resolved_get(struct span s, struct msg_resolved *m)
{
	struct rd r = rd_from(s);

	m->ticket = rd_u64(&r);
	m->err = unpack_err(&r);
	m->n = addresses_get(&r, m->addr, CONF_ADDRS_MAX);
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

void msg_addresses_put(struct wr *w, const struct msg_addresses *m)
{
	addresses_put(w, m->addr, m->n);
}

enum err msg_addresses_get(struct span s, struct msg_addresses *m)
{
	struct rd r = rd_from(s);

	m->n = addresses_get(&r, m->addr, PROTO_ADDRS_MAX);
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

void msg_datagram_put(struct wr *w, const struct msg_datagram *m)
{
	pack_path(w, &m->path);
	wr_span(w, m->bytes);
}

enum err msg_datagram_get(struct span s, struct msg_datagram *m)
{
	struct rd r = rd_from(s);

	m->path = unpack_path(&r);
	m->bytes = rd_rest(&r);
	return rd_ok(&r) && m->bytes.len > 0 ? OK : ERR_SYNTAX;
}
