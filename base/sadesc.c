/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptions of Child SAs on their way between processes. Keys travel in them, so every exit
 * wipes what it does not hand over.
 */
#include "base/sadesc.h"

#include "base/pack.h"

void sa_desc_wipe(struct sa_desc *d)
{
	ts_list_free(&d->local);
	ts_list_free(&d->remote);
	secret_wipe(d, sizeof(*d));
}

enum err sa_desc_copy(struct sa_desc *to, const struct sa_desc *from)
{
	enum err e;

	*to = *from;
	to->local = to->remote = (struct ts_list){ 0, NULL };
	e = ts_list_copy(&to->local, &from->local);
	if (e == OK)
		e = ts_list_copy(&to->remote, &from->remote);
	if (e != OK)
		sa_desc_wipe(to);
	return e;
}

static void headers_encode(struct wr *w, const struct sa_headers *h)
{
	pack_bool(w, h->dscp_hide);
	pack_bool(w, h->dscp_adopt);
	pack_bool(w, h->ecn_off);
	pack_bool(w, h->label_copy);
	pack_bool(w, h->icmp_errors);
	wr_u8(w, h->ttl);
}

static struct sa_headers headers_decode(struct rd *r)
{
	struct sa_headers h = { .dscp_hide = unpack_bool(r) };

	h.dscp_adopt = unpack_bool(r);
	h.ecn_off = unpack_bool(r);
	h.label_copy = unpack_bool(r);
	h.icmp_errors = unpack_bool(r);
	h.ttl = rd_u8(r);
	return h;
}

static void sa_desc_encode(struct wr *w, const struct sa_desc *d)
{
	pack_enum(w, (unsigned int)d->dir);
	pack_enum(w, (unsigned int)d->mode);
	pack_enum(w, (unsigned int)d->plane);
	wr_u32(w, d->spi);
	wr_u32(w, d->twin_spi);
	wr_u32(w, d->child_id);
	wr_u32(w, d->reqid);
	pack_path(w, &d->path);
	pack_bool(w, d->encap);
	pack_bool(w, d->esn);
	wr_u32(w, d->replay_window);
	wr_u16(w, d->encr_id);
	wr_u16(w, d->encr_key_bits);
	wr_u16(w, d->integ_id);
	pack_key(w, &d->encr_key);
	pack_key(w, &d->integ_key);
	wr_u64(w, d->byte_limit);
	wr_u64(w, d->packet_limit);
	wr_u64(w, d->byte_soft);
	wr_u64(w, d->packet_soft);
	wr_u32(w, d->acquire);
	pack_addr(w, &d->nat_local);
	pack_addr(w, &d->nat_remote);
	pack_enum(w, (unsigned int)d->offload);
	headers_encode(w, &d->headers);
	wr_u32(w, d->if_id);
	wr_u8(w, d->priority);
	pack_bool(w, d->passed);
	wr_u32(w, d->set);
	pack_text(w, d->connection, sizeof(d->connection));
	pack_text(w, d->child, sizeof(d->child));
	pack_ts_list(w, &d->local);
	pack_ts_list(w, &d->remote);
}

static enum err sa_desc_decode(struct rd *r, struct sa_desc *d)
{
	enum err e;

	d->dir = (enum sa_dir)unpack_enum(r, SA_OUT + 1);
	d->mode = (enum sa_mode)unpack_enum(r, SA_TRANSPORT + 1);
	d->plane = (enum sa_plane)unpack_enum(r, PLANE_KERNEL + 1);
	d->spi = rd_u32(r);
	d->twin_spi = rd_u32(r);
	d->child_id = rd_u32(r);
	d->reqid = rd_u32(r);
	d->path = unpack_path(r);
	d->encap = unpack_bool(r);
	d->esn = unpack_bool(r);
	d->replay_window = rd_u32(r);
	d->encr_id = rd_u16(r);
	d->encr_key_bits = rd_u16(r);
	d->integ_id = rd_u16(r);
	d->encr_key = unpack_key(r);
	d->integ_key = unpack_key(r);
	d->byte_limit = rd_u64(r);
	d->packet_limit = rd_u64(r);
	d->byte_soft = rd_u64(r);
	d->packet_soft = rd_u64(r);
	d->acquire = rd_u32(r);
	d->nat_local = unpack_addr(r);
	d->nat_remote = unpack_addr(r);
	d->offload = (enum sa_offload)unpack_enum(r, OFFLOAD_PACKET + 1);
	d->headers = headers_decode(r);
	d->if_id = rd_u32(r);
	d->priority = rd_u8(r);
	d->passed = unpack_bool(r);
	d->set = rd_u32(r);
	unpack_text(r, d->connection, sizeof(d->connection));
	unpack_text(r, d->child, sizeof(d->child));
	e = unpack_ts_list(r, &d->local);
	return e == OK ? unpack_ts_list(r, &d->remote) : e;
}

void sa_cmd_encode(struct wr *w, const struct sa_cmd *cmd)
{
	wr_u64(w, cmd->ticket);
	pack_enum(w, (unsigned int)cmd->op);
	wr_u64(w, cmd->install);
	sa_desc_encode(w, &cmd->sa);
}

enum err sa_cmd_decode(struct span s, struct sa_cmd *cmd)
{
	struct rd r = rd_from(s);
	enum err e;

	*cmd = (struct sa_cmd){ .ticket = rd_u64(&r) };
	cmd->op = (enum sa_op)unpack_enum(&r, SA_EXPECT + 1);
	cmd->install = rd_u64(&r);
	e = sa_desc_decode(&r, &cmd->sa);
	if (e == OK && !rd_end(&r))
		e = ERR_SYNTAX;
	if (e != OK)
		sa_desc_wipe(&cmd->sa);
	return e;
}

static void counters_encode(struct wr *w, const struct sa_counters *c)
{
	wr_u64(w, c->bytes);
	wr_u64(w, c->packets);
	wr_u64(w, c->last_ns);
	wr_u64(w, c->drop_replay);
	wr_u64(w, c->drop_integrity);
	wr_u64(w, c->drop_selector);
	wr_u64(w, c->drop_other);
}

static void counters_decode(struct rd *r, struct sa_counters *c)
{
	c->bytes = rd_u64(r);
	c->packets = rd_u64(r);
	c->last_ns = rd_u64(r);
	c->drop_replay = rd_u64(r);
	c->drop_integrity = rd_u64(r);
	c->drop_selector = rd_u64(r);
	c->drop_other = rd_u64(r);
}

void sa_done_encode(struct wr *w, const struct sa_done *done)
{
	wr_u64(w, done->ticket);
	pack_err(w, done->err);
	wr_u32(w, done->spi);
	pack_enum(w, (unsigned int)done->dir);
	counters_encode(w, &done->counters);
	pack_enum(w, (unsigned int)done->offload);
	pack_text(w, done->why, sizeof(done->why));
}

enum err sa_done_decode(struct span s, struct sa_done *done)
{
	struct rd r = rd_from(s);

	*done = (struct sa_done){ .ticket = rd_u64(&r) };
	done->err = unpack_err(&r);
	done->spi = rd_u32(&r);
	done->dir = (enum sa_dir)unpack_enum(&r, SA_OUT + 1);
	counters_decode(&r, &done->counters);
	done->offload = (enum sa_offload)unpack_enum(&r, OFFLOAD_PACKET + 1);
	unpack_text(&r, done->why, sizeof(done->why));
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

void plane_event_encode(struct wr *w, const struct plane_event *ev)
{
	pack_enum(w, (unsigned int)ev->kind);
	wr_u32(w, ev->spi);
	pack_enum(w, (unsigned int)ev->dir);
	wr_u32(w, ev->reqid);
	pack_flow(w, &ev->flow);
	wr_u32(w, ev->acquire);
	pack_bool(w, ev->soft);
	pack_endpoint(w, &ev->remote);
	wr_u64(w, ev->heard_ns);
	wr_u16(w, ev->mtu);
}

enum err plane_event_decode(struct span s, struct plane_event *ev)
{
	struct rd r = rd_from(s);

	*ev = (struct plane_event){ .kind = (enum plane_event_kind)unpack_enum(&r, PLANE_MTU + 1) };
	ev->spi = rd_u32(&r);
	ev->dir = (enum sa_dir)unpack_enum(&r, SA_OUT + 1);
	ev->reqid = rd_u32(&r);
	ev->flow = unpack_flow(&r);
	ev->acquire = rd_u32(&r);
	ev->soft = unpack_bool(&r);
	ev->remote = unpack_endpoint(&r);
	ev->heard_ns = rd_u64(&r);
	ev->mtu = rd_u16(&r);
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

bool plane_caps_esp(const struct plane_caps *c)
{
	return (c->v4 || c->v6) && c->n_encr > 0;
}

bool plane_caps_encr(const struct plane_caps *c, uint16_t id, uint16_t key_bits)
{
	for (size_t i = 0; i < c->n_encr; i++) {
		if (c->encr[i].id == id && c->encr[i].key_bits == key_bits)
			return true;
	}
	return false;
}

bool plane_caps_integ(const struct plane_caps *c, uint16_t id)
{
	for (size_t i = 0; i < c->n_integ; i++) {
		if (c->integ[i] == id)
			return true;
	}
	return false;
}

void plane_caps_encode(struct wr *w, const struct plane_caps *c)
{
	pack_bool(w, c->v4);
	pack_bool(w, c->v6);
	pack_bool(w, c->no_v6);
	pack_bool(w, c->encap);
	pack_bool(w, c->transport);
	pack_bool(w, c->esn);
	pack_bool(w, c->sa_dir);
	pack_bool(w, c->interface);
	pack_enum(w, c->n_encr);
	for (size_t i = 0; i < c->n_encr; i++) {
		wr_u16(w, c->encr[i].id);
		wr_u16(w, c->encr[i].key_bits);
	}
	pack_enum(w, c->n_integ);
	for (size_t i = 0; i < c->n_integ; i++)
		wr_u16(w, c->integ[i]);
	pack_text(w, c->lacks, sizeof(c->lacks));
}

enum err plane_caps_decode(struct span s, struct plane_caps *c)
{
	struct rd r = rd_from(s);

	*c = (struct plane_caps){ .v4 = unpack_bool(&r) };
	c->v6 = unpack_bool(&r);
	c->no_v6 = unpack_bool(&r);
	c->encap = unpack_bool(&r);
	c->transport = unpack_bool(&r);
	c->esn = unpack_bool(&r);
	c->sa_dir = unpack_bool(&r);
	c->interface = unpack_bool(&r);
	c->n_encr = (uint8_t)unpack_enum(&r, PLANE_ENCR_MAX + 1);
	for (size_t i = 0; i < c->n_encr; i++) {
		c->encr[i].id = rd_u16(&r);
		c->encr[i].key_bits = rd_u16(&r);
	}
	c->n_integ = (uint8_t)unpack_enum(&r, PLANE_INTEG_MAX + 1);
	for (size_t i = 0; i < c->n_integ; i++)
		c->integ[i] = rd_u16(&r);
	unpack_text(&r, c->lacks, sizeof(c->lacks));
	return rd_end(&r) ? OK : ERR_SYNTAX;
}
