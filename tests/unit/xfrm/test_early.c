/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of nftables and its queues for an SPI that comes before its state. What the kernel
 * makes of it: tests/kernel/in-guest/early. */
#include "xfrm/early.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <netlink/msg.h>
#include <string.h>

#include "tests/unit/unit.h"

#define NFT(kind)   (NFNL_SUBSYS_NFTABLES << 8 | (kind))
#define QUEUE(kind) (NFNL_SUBSYS_QUEUE << 8 | (kind))

enum { SPI = 0x1000, SOCKETS = 64, ANSWERS = 8 };

/* Netfilter, as much as is asked of it. */
struct fake {
	int n_opened;
	int n_tables, n_maps, n_chains, n_rules, n_verdicts;
	int refuse; /* this type of message, with EBUSY, */
	int times;  /* ... so often; 0: always */
	struct {
		uint32_t spi; /* 0: none */
		uint32_t queue;
	} map[EARLY_MAX + 1];
	uint16_t bound[EARLY_MAX + 1]; /* 0: none; what is closed stays */
	uint16_t judged;
	uint32_t verdict;
	bool mapped_then; /* it was still in the map when its queue was judged */
	struct {
		uint32_t seq;
		int error;
	} answers[ANSWERS];
	size_t n_answers;
};

static struct fake fake;

static struct nlattr *attribute(struct nlmsghdr *m, int type)
{
	struct nlattr *a = nlmsg_find_attr(m, sizeof(struct nfgenmsg), type);

	ck_assert_ptr_nonnull(a);
	return a;
}

static uint32_t value_of(struct nlattr *element, int type)
{
	struct nlattr *data = nla_find(nla_data(element), nla_len(element), type);

	ck_assert_ptr_nonnull(data);
	return nla_get_u32(nla_find(nla_data(data), nla_len(data), NFTA_DATA_VALUE));
}

static size_t map_at(uint32_t spi)
{
	size_t i = 0;

	while (i <= EARLY_MAX && fake.map[i].spi != spi)
		i++;
	return i;
}

static int change_map(struct nlmsghdr *m, bool put)
{
	struct nlattr *one = nla_data(attribute(m, NFTA_SET_ELEM_LIST_ELEMENTS));
	uint32_t spi = ntohl(value_of(one, NFTA_SET_ELEM_KEY));
	size_t at = map_at(put ? 0 : spi);

	if (at > EARLY_MAX)
		return ENOENT;
	fake.map[at].spi = put ? spi : 0;
	fake.map[at].queue = put ? value_of(one, NFTA_SET_ELEM_DATA) : 0;
	return 0;
}

static uint16_t queue_number(struct nlmsghdr *m)
{
	const struct nfgenmsg *h = nlmsg_data(m);

	return ntohs(h->res_id);
}

static int bind_queue(struct nlmsghdr *m)
{
	const struct nfqnl_msg_config_cmd *cmd = nla_data(attribute(m, NFQA_CFG_CMD));
	const struct nfqnl_msg_config_params *params = nla_data(attribute(m, NFQA_CFG_PARAMS));

	ck_assert_uint_eq(cmd->command, NFQNL_CFG_CMD_BIND);
	ck_assert_uint_eq(params->copy_mode, NFQNL_COPY_META);
	ck_assert_uint_eq(ntohl(nla_get_u32(attribute(m, NFQA_CFG_QUEUE_MAXLEN))), EARLY_PACKETS);
	fake.bound[queue_number(m) - EARLY_QUEUES] = queue_number(m);
	return 0;
}

static int judge(struct nlmsghdr *m)
{
	const struct nfqnl_msg_verdict_hdr *v = nla_data(attribute(m, NFQA_VERDICT_HDR));

	ck_assert_uint_eq(ntohl(v->id), INT32_MAX);
	fake.verdict = ntohl(v->verdict);
	fake.n_verdicts++;
	fake.judged = queue_number(m);
	for (size_t i = 0; i <= EARLY_MAX; i++)
		fake.mapped_then = fake.mapped_then || fake.map[i].queue == fake.judged;
	return ENOENT; /* nothing waits */
}

static bool refuses(const struct nlmsghdr *m)
{
	bool is = m->nlmsg_type == fake.refuse;

	if (is && fake.times > 0 && --fake.times == 0)
		fake.refuse = 0;
	return is;
}

static int obey(struct nlmsghdr *m)
{
	if (refuses(m))
		return EBUSY;
	switch (m->nlmsg_type) {
	case NFT(NFT_MSG_NEWTABLE):
		ck_assert_str_eq(nla_get_string(attribute(m, NFTA_TABLE_NAME)), EARLY_TABLE);
		ck_assert_uint_eq(ntohl(nla_get_u32(attribute(m, NFTA_TABLE_FLAGS))),
				  NFT_TABLE_F_OWNER);
		fake.n_tables++;
		return 0;
	case NFT(NFT_MSG_NEWCHAIN):
		fake.n_chains++;
		return 0;
	case NFT(NFT_MSG_NEWSET):
		fake.n_maps++;
		return 0;
	case NFT(NFT_MSG_NEWRULE):
		fake.n_rules++;
		return 0;
	case NFT(NFT_MSG_NEWSETELEM):
		return change_map(m, true);
	case NFT(NFT_MSG_DELSETELEM):
		return change_map(m, false);
	case QUEUE(NFQNL_MSG_CONFIG):
		return bind_queue(m);
	case QUEUE(NFQNL_MSG_VERDICT_BATCH):
		return judge(m);
	default:
		return 0;
	}
}

static ssize_t hear(void *ctx, const void *p, size_t len)
{
	struct nlmsghdr *m = (struct nlmsghdr *)(uintptr_t)p;
	int left = (int)len;

	(void)ctx;
	for (; nlmsg_ok(m, left); m = nlmsg_next(m, &left)) {
		int error = obey(m);

		if (error == 0 && !(m->nlmsg_flags & NLM_F_ACK))
			continue;
		ck_assert_uint_lt(fake.n_answers, ANSWERS);
		fake.answers[fake.n_answers].seq = m->nlmsg_seq;
		fake.answers[fake.n_answers++].error = error;
		if (error != 0)
			break;
	}
	return (ssize_t)len;
}

static ssize_t say(void *ctx, void *p, size_t size)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} m = { .h = { .nlmsg_len = sizeof(m),
		       .nlmsg_type = NLMSG_ERROR,
		       .nlmsg_pid = NETLINK_MODEL_PORT } };

	(void)ctx;
	if (fake.n_answers == 0 || size < sizeof(m)) {
		errno = EAGAIN;
		return -1;
	}
	m.h.nlmsg_seq = fake.answers[0].seq;
	m.e.error = -fake.answers[0].error;
	memmove(&fake.answers[0], &fake.answers[1], sizeof(fake.answers) - sizeof(fake.answers[0]));
	fake.n_answers--;
	memcpy(p, &m, sizeof(m));
	return sizeof(m);
}

static enum err open_fake(struct netlink *nl, int protocol)
{
	static const struct netlink_ops ops = { .send = hear, .receive = say };

	ck_assert_int_eq(protocol, NETLINK_NETFILTER);
	fake.n_opened++;
	return netlink_over(nl, &ops, NULL);
}

static void begin(struct early *e)
{
	fake = (struct fake){ .n_opened = 0 };
	early_init(e, open_fake);
}

static size_t n_mapped(void)
{
	size_t n = 0;

	for (size_t i = 0; i <= EARLY_MAX; i++)
		n += fake.map[i].spi != 0;
	return n;
}

static size_t n_open(const struct early *e)
{
	size_t n = 0;

	for (size_t i = 0; i < EARLY_MAX; i++)
		n += e->slot[i].queue.buf != NULL;
	return n;
}

START_TEST(the_first_spi_makes_the_table)
{
	struct early e;

	begin(&e);
	ck_assert_int_eq(fake.n_opened, 0);
	ck_assert_int_eq(early_expect(&e, SPI, NS_PER_S), OK);
	ck_assert_int_eq(fake.n_tables, 1);
	ck_assert_int_eq(fake.n_maps, 1);
	ck_assert_int_eq(fake.n_chains, 1);
	ck_assert_int_eq(fake.n_rules, 2);
	ck_assert_uint_eq(fake.bound[0], EARLY_QUEUES);
	ck_assert_uint_eq(fake.map[map_at(SPI)].queue, EARLY_QUEUES);
	ck_assert_int_eq(early_expect(&e, SPI + 1, NS_PER_S), OK);
	ck_assert_int_eq(fake.n_tables, 1);
	ck_assert_uint_eq(fake.map[map_at(SPI + 1)].queue, EARLY_QUEUES + 1);
	ck_assert_int_eq(fake.n_opened, 3);
	early_close(&e);
	ck_assert_uint_eq(n_open(&e), 0);
}
END_TEST

/* Modules of the kernel are loaded by the table and by a queue: neither waits for the first SPI. */
START_TEST(what_is_prepared_is_not_made_again)
{
	struct early e;

	begin(&e);
	early_prepare(&e);
	ck_assert_int_eq(fake.n_tables, 1);
	ck_assert_uint_eq(fake.bound[0], EARLY_QUEUES);
	ck_assert_uint_eq(n_mapped(), 0);
	ck_assert_int_eq(fake.n_opened, 2);
	ck_assert_int_eq(early_expect(&e, SPI, NS_PER_S), OK);
	ck_assert_int_eq(fake.n_tables, 1);
	ck_assert_int_eq(fake.n_opened, 2);
	ck_assert_uint_eq(fake.map[map_at(SPI)].queue, EARLY_QUEUES);
	early_close(&e);
}
END_TEST

/* New ones go by before those that wait go on: none is left in a queue that nobody empties. */
START_TEST(a_state_lets_go_of_what_waits)
{
	struct early e;

	begin(&e);
	ck_assert_int_eq(early_expect(&e, SPI, NS_PER_S), OK);
	ck_assert_int_eq(early_expect(&e, SPI + 1, NS_PER_S), OK);
	early_release(&e, SPI + 2);
	ck_assert_int_eq(fake.n_verdicts, 0);
	early_release(&e, SPI + 1);
	ck_assert_int_eq(fake.n_verdicts, 1);
	ck_assert_uint_eq(fake.judged, EARLY_QUEUES + 1);
	ck_assert_uint_eq(fake.verdict, NF_ACCEPT);
	ck_assert(!fake.mapped_then);
	ck_assert_uint_eq(n_mapped(), 1);
	early_release(&e, SPI + 1);
	ck_assert_int_eq(fake.n_verdicts, 1);
	/* Its queue serves the next one, and no socket is opened. */
	ck_assert_uint_eq(n_open(&e), 2);
	ck_assert_int_eq(early_expect(&e, SPI + 3, NS_PER_S), OK);
	ck_assert_uint_eq(fake.map[map_at(SPI + 3)].queue, EARLY_QUEUES + 1);
	ck_assert_int_eq(fake.n_opened, 3);
	early_close(&e);
}
END_TEST

START_TEST(the_oldest_gives_way)
{
	struct early e;

	begin(&e);
	for (uint32_t i = 0; i < EARLY_MAX; i++)
		ck_assert_int_eq(early_expect(&e, SPI + i, (i + 1) * NS_PER_S), OK);
	/* Asked for again, it is the youngest. */
	ck_assert_int_eq(early_expect(&e, SPI, (EARLY_MAX + 1) * NS_PER_S), OK);
	ck_assert_int_eq(early_expect(&e, SPI + EARLY_MAX, (EARLY_MAX + 2) * NS_PER_S), OK);
	ck_assert_uint_eq(n_mapped(), EARLY_MAX);
	ck_assert_uint_gt(map_at(SPI + 1), EARLY_MAX);
	ck_assert_uint_le(map_at(SPI), EARLY_MAX);
	ck_assert_uint_eq(fake.map[map_at(SPI + EARLY_MAX)].queue, EARLY_QUEUES + 1);
	ck_assert_int_eq(fake.n_verdicts, 1);
	ck_assert_uint_eq(fake.verdict, NF_DROP);
	early_close(&e);
}
END_TEST

START_TEST(none_is_expected_for_ever)
{
	const mono_ns later = (1 + EARLY_SECONDS) * NS_PER_S;
	struct early e;

	begin(&e);
	ck_assert_int_eq(early_expect(&e, SPI, NS_PER_S), OK);
	ck_assert_int_eq(early_expect(&e, SPI + 1, later), OK);
	ck_assert_uint_eq(n_mapped(), 2);
	ck_assert_int_eq(early_expect(&e, SPI + 1, later + 1), OK);
	ck_assert_uint_eq(n_mapped(), 1);
	ck_assert_uint_gt(map_at(SPI), EARLY_MAX);
	ck_assert_int_eq(fake.n_verdicts, 1);
	ck_assert_uint_eq(fake.verdict, NF_DROP);
	early_expire(&e, later + (EARLY_SECONDS + 1) * NS_PER_S);
	ck_assert_uint_eq(n_mapped(), 0);
	early_close(&e);
}
END_TEST

/* One that has no table does not get one later. */
START_TEST(a_kernel_that_cannot_is_asked_once)
{
	struct early e;

	begin(&e);
	fake.refuse = NFT(NFT_MSG_NEWRULE);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(early_expect(&e, SPI, NS_PER_S), ERR_UNSUPPORTED);
	early_release(&e, SPI);
	ck_assert_int_eq(fake.n_opened, 1);
	ck_assert_ptr_null(e.table.buf);
	early_close(&e);
}
END_TEST

START_TEST(without_netfilter_nothing_is_asked)
{
	struct early e;

	begin(&e);
	e.open = NULL;
	ck_assert_int_eq(early_expect(&e, SPI, NS_PER_S), ERR_UNSUPPORTED);
	early_release(&e, SPI);
	ck_assert_int_eq(fake.n_opened, 0);
	early_close(&e);
}
END_TEST

START_TEST(another_programs_queue_is_passed_by)
{
	struct early e;

	begin(&e);
	fake.refuse = QUEUE(NFQNL_MSG_CONFIG);
	fake.times = 2;
	ck_assert_int_eq(early_expect(&e, SPI, NS_PER_S), OK);
	ck_assert_uint_eq(fake.map[map_at(SPI)].queue, EARLY_QUEUES + 2);
	/* The other ones are never tried again. */
	for (uint32_t i = 1; i < EARLY_MAX; i++)
		ck_assert_int_eq(early_expect(&e, SPI + i, NS_PER_S), OK);
	ck_assert_uint_eq(n_mapped(), EARLY_MAX - 2);
	ck_assert_int_eq(fake.n_opened, 1 + EARLY_MAX);
	early_close(&e);
}
END_TEST

START_TEST(a_kernel_without_queues_is_asked_for_each_once)
{
	struct early e;

	begin(&e);
	fake.refuse = QUEUE(NFQNL_MSG_CONFIG);
	for (int i = 0; i < 3; i++)
		ck_assert_int_ne(early_expect(&e, SPI, NS_PER_S), OK);
	ck_assert_int_eq(fake.n_opened, 1 + EARLY_MAX);
	ck_assert_uint_eq(n_open(&e), 0);
	early_close(&e);
}
END_TEST

START_TEST(a_map_that_takes_no_more_leaves_nothing_behind)
{
	struct early e;

	begin(&e);
	fake.refuse = NFT(NFT_MSG_NEWSETELEM);
	fake.times = 1;
	ck_assert_int_eq(early_expect(&e, SPI, NS_PER_S), ERR_SYSTEM);
	ck_assert_uint_eq(n_mapped(), 0);
	ck_assert_int_eq(early_expect(&e, SPI, NS_PER_S), OK);
	ck_assert_uint_eq(n_mapped(), 1);
	early_close(&e);
}
END_TEST

UNIT("xfrm/early")
{
	tcase_add_test(tc, the_first_spi_makes_the_table);
	tcase_add_test(tc, what_is_prepared_is_not_made_again);
	tcase_add_test(tc, a_state_lets_go_of_what_waits);
	tcase_add_test(tc, the_oldest_gives_way);
	tcase_add_test(tc, none_is_expected_for_ever);
	tcase_add_test(tc, a_kernel_that_cannot_is_asked_once);
	tcase_add_test(tc, without_netfilter_nothing_is_asked);
	tcase_add_test(tc, another_programs_queue_is_passed_by);
	tcase_add_test(tc, a_kernel_without_queues_is_asked_for_each_once);
	tcase_add_test(tc, a_map_that_takes_no_more_leaves_nothing_behind);
}
