/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/natd.h"

#include "crypto/prf.h"

enum err natd_hash(const struct ike_header *h, const struct endpoint *e,
		   uint8_t out[static NATD_LEN])
{
	uint8_t hashed[2 * IKE_SPI_LEN + 16 + 2];
	struct wr w = wr_into(hashed, sizeof(hashed));
	struct span all;

	wr_u64(&w, h->spi_i);
	wr_u64(&w, h->spi_r);
	wr_span(&w, addr_span(&e->addr));
	wr_u16(&w, e->port);
	all = wr_done(&w);
	return hash_sha1(&all, 1, out);
}

enum err natd_add(struct builder *b, const struct ike_header *h, const struct path *p, bool pretend)
{
	struct endpoint source = p->local;
	uint8_t hash[NATD_LEN];
	enum err err;

	/* No datagram comes from port 0, so its hash fits none, and the peer sees a NAT. */
	if (pretend)
		source.port = 0;
	err = natd_hash(h, &source, hash);
	if (err != OK)
		return err;
	builder_notify(b, NOTIFY_NAT_DETECTION_SOURCE_IP, span_of(hash, sizeof(hash)));
	err = natd_hash(h, &p->remote, hash);
	if (err != OK)
		return err;
	builder_notify(b, NOTIFY_NAT_DETECTION_DESTINATION_IP, span_of(hash, sizeof(hash)));
	return OK;
}

/* What the notifies of one kind say about an endpoint. */
struct natd_side {
	bool there;
	bool fits;
};

static enum err natd_side(const struct message *m, uint16_t type, const struct endpoint *e,
			  struct natd_side *side)
{
	const struct payload *p = message_find(m, PL_NOTIFY);
	uint8_t hash[NATD_LEN];
	struct pl_notify n;
	enum err err = natd_hash(&m->h, e, hash);

	*side = (struct natd_side){ .there = false };
	for (; err == OK && p != NULL; p = message_next(m, p)) {
		if (pl_notify_decode(p->body, &n) != OK || n.type != type)
			continue;
		side->there = true;
		side->fits = side->fits || span_eq(n.data, span_of(hash, sizeof(hash)));
	}
	return err;
}

enum err natd_judge(const struct message *m, const struct path *p, struct natd *n)
{
	struct natd_side source, dest;
	enum err err = natd_side(m, NOTIFY_NAT_DETECTION_SOURCE_IP, &p->remote, &source);

	*n = (struct natd){ .known = false };
	if (err == OK)
		err = natd_side(m, NOTIFY_NAT_DETECTION_DESTINATION_IP, &p->local, &dest);
	if (err != OK)
		return err;
	n->known = source.there && dest.there;
	n->nat_there = n->known && !source.fits;
	n->nat_here = n->known && !dest.fits;
	return OK;
}
