/* SPDX-License-Identifier: Apache-2.0 */
/* A Child SA as its data plane is told of it: see child_plane.h. */
#include "ike/child_plane.h"

#include "ike/acquire.h"
#include "ike/connection.h"
#include "ike/note.h"
#include "ike/rekey.h"

/* AES-GCM and ChaCha20 stay far from their bounds below 2^32 packets on one key (RFC 8221; A18). */
static const uint64_t packet_limit = UINT32_MAX;
/* How much one key may carry: what is configured, and no more than is safe. CBC with a block of 128
 * bits has a bound of its own that nobody reaches, but numbers of 32 bits run out. What is left
 * behind the soft limit is minutes even at line rate. */
static void set_limits(struct sa_desc *d, const struct child_sa *c)
{
	bool bounded = c->suite.encr->aead || !c->suite.esn;

	d->byte_limit = c->conf->life_bytes;
	d->packet_limit = c->conf->life_packets;
	if (bounded && (d->packet_limit == 0 || d->packet_limit > packet_limit))
		d->packet_limit = packet_limit;
	d->byte_soft = rekey_soft(c, d->byte_limit);
	d->packet_soft = rekey_soft(c, d->packet_limit);
}

bool child_plane_is_worn(const struct child_sa *c, const struct sa_counters *n)
{
	struct sa_desc d = { .byte_limit = 0 };

	set_limits(&d, c);
	return (d.byte_soft > 0 && n->bytes >= d.byte_soft) ||
	       (d.packet_soft > 0 && n->packets >= d.packet_soft);
}

static struct sa_desc describe(const struct child_sa *c, enum sa_dir dir)
{
	/* The initiator of the exchange sends with the i keys (RFC 7296 2.17). */
	bool i_keys = (dir == SA_OUT) == c->made_by_us;
	const struct place at = move_children_place(c->sa);
	struct sa_desc d = {
		.dir = dir,
		.mode = c->mode,
		.plane = c->plane,
		.spi = dir == SA_IN ? c->spi_in : c->spi_out,
		.twin_spi = dir == SA_IN ? c->spi_out : c->spi_in,
		.child_id = c->id,
		.reqid = c->conf->reqid,
		.path = at.path,
		.encap = at.encap,
		.esn = c->suite.esn,
		.replay_window = dir == SA_IN ? c->conf->replay_window : 0,
		.encr_id = c->suite.encr->id,
		.encr_key_bits = c->suite.encr->key_bits,
		.integ_id = c->suite.integ ? c->suite.integ->id : 0,
		.encr_key = i_keys ? c->keys.i_encr : c->keys.r_encr,
		.integ_key = i_keys ? c->keys.i_integ : c->keys.r_integ,
		.local = *child_local(c),
		.remote = *child_remote(c),
		.acquire = dir == SA_OUT ? acquire_number(c->sa->conn, c->conf) : 0,
		.nat_local = c->nat.local,
		.nat_remote = c->nat.remote,
		.offload = c->conf->offload,
		.headers = conf_child_headers(c->conf),
		.if_id = sa_if_id(c->conf->interface, c->conf->reqid),
		.priority = (uint8_t)c->sa->conn->conf->priority,
		.passed = c->sa->standby.over,
		.set = c->conf->set,
	};

	set_limits(&d, c);
	note_print(d.connection, sizeof(d.connection), "%s", c->sa->conn->conf->name);
	note_print(d.child, sizeof(d.child), "%s", c->conf->name);
	return d;
}

static enum err install(struct child_sa *c, enum sa_dir dir, uint64_t number)
{
	struct sa_cmd cmd = { .op = SA_INSTALL, .sa = describe(c, dir) };
	enum err err = ticket_take(&c->ticket, c->sa, c);

	c->asked = c->sa->e->now;
	if (err == OK) {
		c->install = number ? number : c->ticket.number;
		cmd.ticket = c->ticket.number;
		cmd.install = c->install;
		err = actions_sa(&c->sa->e->actions, &cmd);
	}
	/* Not sa_desc_wipe: the selectors are the child's. */
	secret_wipe(&cmd, sizeof(cmd));
	return err;
}

enum err child_plane_install(struct child_sa *c, enum sa_dir dir)
{
	return install(c, dir, 0);
}

enum err child_plane_install_again(struct child_sa *c, enum sa_dir dir)
{
	return install(c, dir, c->install);
}

enum err child_plane_claim(struct child_sa *c, enum sa_dir dir, uint64_t ticket)
{
	struct sa_cmd cmd = { .op = SA_CLAIM, .ticket = ticket, .sa = describe(c, dir) };
	enum err err;

	key_wipe(&cmd.sa.encr_key);
	key_wipe(&cmd.sa.integ_key);
	err = actions_sa(&c->sa->e->actions, &cmd);
	/* As above. */
	secret_wipe(&cmd, sizeof(cmd));
	return err;
}

enum err child_plane_command(struct child_sa *c, enum sa_op op, enum sa_dir dir, uint64_t ticket)
{
	const struct place at = move_children_place(c->sa);
	struct sa_cmd cmd = {
		.op = op,
		.ticket = ticket,
		.sa = {
			.dir = dir, .plane = c->plane, .mode = c->mode,
			.path = at.path, .encap = at.encap,
			.spi = dir == SA_IN ? c->spi_in : c->spi_out,
			.twin_spi = dir == SA_IN ? c->spi_out : c->spi_in,
			.child_id = c->id, .reqid = c->conf->reqid,
			.if_id = sa_if_id(c->conf->interface, c->conf->reqid),
			.passed = c->sa->standby.over,
		},
	};

	note_print(cmd.sa.connection, sizeof(cmd.sa.connection), "%s", c->sa->conn->conf->name);
	note_print(cmd.sa.child, sizeof(cmd.sa.child), "%s", c->conf->name);
	return actions_sa(&c->sa->e->actions, &cmd);
}

/* Without memory for it a few packets may be lost. */
void child_plane_expect(struct child_sa *c)
{
	if (child_plane_command(c, SA_EXPECT, SA_IN, 0) != OK)
		c->sa->e->stats.dropped[ERR_NOMEM]++;
}

/* A removal that finds no memory leaves an SA in the plane that nobody renews: it ends at its
 * packet limit, and its selectors stay guarded. */
void child_plane_take_half(struct child_sa *c, enum sa_dir dir)
{
	bool *there = dir == SA_IN ? &c->in_there : &c->out_there;

	if (*there && child_plane_command(c, SA_REMOVE, dir, 0) != OK)
		c->sa->e->stats.dropped[ERR_NOMEM]++;
	*there = false;
}

void child_plane_take_out(struct child_sa *c)
{
	child_plane_take_half(c, SA_OUT);
	child_plane_take_half(c, SA_IN);
}

void child_plane_drop_tickets(struct child_sa *c)
{
	struct ike_engine *e = c->sa->e;

	ticket_drop(e, &c->ticket);
	ticket_drop(e, &c->query_in);
	ticket_drop(e, &c->query_out);
	ticket_drop(e, &c->move_in);
	ticket_drop(e, &c->move_out);
}
