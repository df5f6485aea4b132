/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that wait for their state: see xfrm/early.h.
 *
 * Each SPI has a queue of its own, so that one verdict is for all that is in it. First the SPI is
 * taken out of the map, so that nothing more comes in.
 */
#include "xfrm/early.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "xfrm/nft.h"

enum {
	BEFORE_ALL = -450, /* before fragments are joined, and whoever looks at packets */
	SPI_OF_ESP = 0,
	SPI_OF_UDP = 8, /* behind the UDP header (RFC 3948 2.1) */
	UDP_TARGET_AT = 2,
	PORT_NATT = 4500,
	LAST_ID = 0x7fffffff,
};

static const struct nft_map expected = { .table = EARLY_TABLE, .name = "expected" };

/* ---- the table ---- */

static void rule(struct nft *t, const struct nft_chain *c, uint8_t proto)
{
	const bool udp = proto == IPPROTO_UDP;
	struct nft_rule r = nft_rule_begin(t, c);

	nft_meta_is(&r, NFT_META_L4PROTO, &proto, sizeof(proto));
	if (udp)
		nft_port_within(&r, UDP_TARGET_AT, PORT_NATT, PORT_NATT);
	nft_mapped(&r, NFT_PAYLOAD_TRANSPORT_HEADER, udp ? SPI_OF_UDP : SPI_OF_ESP, &expected);
	nft_to_this_host(&r);
	nft_queue(&r);
	nft_rule_end(&r);
}

static enum err commit(struct early *e, struct nft *t)
{
	struct answer a;
	enum err err;

	nft_end(t);
	err = nft_commit(&e->table, t, &a);
	nft_free(t);
	return err;
}

static enum err table_make(struct early *e)
{
	const struct nft_chain in = { .table = EARLY_TABLE,
				      .name = "arriving",
				      .hook = NF_INET_PRE_ROUTING,
				      .priority = BEFORE_ALL };
	struct nft t;

	nft_begin(&t);
	nft_table_hold(&t, EARLY_TABLE);
	nft_map_add(&t, &expected);
	nft_chain_add(&t, &in);
	rule(&t, &in, IPPROTO_ESP);
	rule(&t, &in, IPPROTO_UDP);
	return commit(e, &t);
}

static enum err table_open(struct early *e)
{
	enum err err;

	if (e->open == NULL || e->cannot)
		return ERR_UNSUPPORTED;
	if (e->table.buf != NULL)
		return OK;
	err = e->open(&e->table, NETLINK_NETFILTER);
	if (err != OK)
		return err;
	err = table_make(e);
	if (err == OK)
		return OK;
	netlink_close(&e->table);
	e->cannot = err != ERR_NOMEM && err != ERR_NO_ANSWER;
	return e->cannot ? ERR_UNSUPPORTED : err;
}

/* ---- queues ---- */

static uint16_t queue_of(const struct early *e, const struct early_slot *s)
{
	return (uint16_t)(EARLY_QUEUES + (s - e->slot));
}

static struct ask queue_ask(const struct early *e, const struct early_slot *s, uint16_t kind)
{
	const struct nfgenmsg h = { .version = NFNETLINK_V0, .res_id = htons(queue_of(e, s)) };
	struct ask a = ask_new((uint16_t)(NFNL_SUBSYS_QUEUE << 8 | kind), 0);

	ask_header(&a, &h, sizeof(h));
	return a;
}

/* It tells of each packet, without the packet, and nobody listens. */
static enum err queue_open(struct early *e, struct early_slot *s)
{
	const struct nfqnl_msg_config_cmd bind = { .command = NFQNL_CFG_CMD_BIND };
	const struct nfqnl_msg_config_params params = { .copy_mode = NFQNL_COPY_META };
	enum err err;
	struct answer a;
	struct ask req;

	if (s->queue.buf != NULL)
		return OK;
	err = e->open(&s->queue, NETLINK_NETFILTER);
	if (err != OK)
		return err;
	req = queue_ask(e, s, NFQNL_MSG_CONFIG);
	ask_bytes(&req, NFQA_CFG_CMD, &bind, sizeof(bind));
	ask_bytes(&req, NFQA_CFG_PARAMS, &params, sizeof(params));
	ask_be32(&req, NFQA_CFG_QUEUE_MAXLEN, EARLY_PACKETS);
	err = netlink_ask(&s->queue, &req, &a);
	if (err != OK)
		netlink_close(&s->queue);
	return err;
}

static void queue_judge(const struct early *e, struct early_slot *s, uint32_t verdict)
{
	const struct nfqnl_msg_verdict_hdr all = { .verdict = htonl(verdict),
						   .id = htonl(LAST_ID) };
	struct ask req = queue_ask(e, s, NFQNL_MSG_VERDICT_BATCH);
	struct answer a;

	ask_bytes(&req, NFQA_VERDICT_HDR, &all, sizeof(all));
	(void)!netlink_ask(&s->queue, &req, &a); /* ERR_NOT_FOUND: nothing waits */
}

/* ---- slots ---- */

static enum err slot_map(struct early *e, const struct early_slot *s, bool put)
{
	struct nft t;

	nft_begin(&t);
	if (put)
		nft_map_put(&t, &expected, s->spi, queue_of(e, s));
	else
		nft_map_take(&t, &expected, s->spi);
	return commit(e, &t);
}

static void slot_end(struct early *e, struct early_slot *s, uint32_t verdict)
{
	(void)!slot_map(e, s, false);
	queue_judge(e, s, verdict);
	s->spi = 0;
}

static struct early_slot *slot_find(struct early *e, uint32_t spi)
{
	for (size_t i = 0; i < EARLY_MAX; i++) {
		if (e->slot[i].spi == spi && !e->slot[i].cannot)
			return &e->slot[i];
	}
	return NULL;
}

/* One that expects nothing, or else the oldest; NULL: none can. */
static struct early_slot *slot_take(struct early *e)
{
	struct early_slot *oldest = slot_find(e, 0);

	if (oldest != NULL)
		return oldest;
	for (size_t i = 0; i < EARLY_MAX; i++) {
		struct early_slot *s = &e->slot[i];

		if (!s->cannot && (oldest == NULL || s->since < oldest->since))
			oldest = s;
	}
	if (oldest != NULL)
		slot_end(e, oldest, NF_DROP);
	return oldest;
}

/* ... with a queue. */
static enum err slot_open(struct early *e, struct early_slot **out)
{
	enum err err = ERR_UNSUPPORTED;

	while ((*out = slot_take(e)) != NULL) {
		err = queue_open(e, *out);
		if (err == OK || err == ERR_NOMEM || err == ERR_NO_ANSWER)
			return err;
		(*out)->cannot = true;
	}
	return err;
}

/* ---- all ---- */

void early_init(struct early *e, enum err (*open)(struct netlink *nl, int protocol))
{
	*e = (struct early){ .open = open, .table = { .fd = -1 } };
	for (size_t i = 0; i < EARLY_MAX; i++)
		e->slot[i].queue.fd = -1;
}

void early_close(struct early *e)
{
	for (size_t i = 0; i < EARLY_MAX; i++)
		netlink_close(&e->slot[i].queue);
	netlink_close(&e->table);
}

void early_prepare(struct early *e)
{
	struct early_slot *s;

	if (table_open(e) == OK)
		(void)!slot_open(e, &s);
}

enum err early_expect(struct early *e, uint32_t spi, mono_ns now)
{
	struct early_slot *s;
	enum err err = table_open(e);

	if (err != OK)
		return err;
	early_expire(e, now);
	s = slot_find(e, spi);
	if (s != NULL) {
		s->since = now;
		return OK;
	}
	err = slot_open(e, &s);
	if (err != OK)
		return err;
	s->spi = spi;
	s->since = now;
	err = slot_map(e, s, true);
	if (err != OK)
		slot_end(e, s, NF_DROP);
	return err;
}

void early_release(struct early *e, uint32_t spi)
{
	struct early_slot *s = slot_find(e, spi);

	if (s != NULL)
		slot_end(e, s, NF_ACCEPT);
}

void early_expire(struct early *e, mono_ns now)
{
	for (size_t i = 0; i < EARLY_MAX; i++) {
		struct early_slot *s = &e->slot[i];

		if (s->spi != 0 && now - s->since > EARLY_SECONDS * NS_PER_S)
			slot_end(e, s, NF_DROP);
	}
}
