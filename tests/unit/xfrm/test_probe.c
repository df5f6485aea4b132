/* SPDX-License-Identifier: Apache-2.0 */
/* The probe against a kernel in memory: what it has is a line of a table. */
#include "xfrm/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xfrm/kit.h"
#include "xfrm/attr.h"
#include "xfrm/state.h"

#define N_OF(v) (int)(sizeof(v) / sizeof((v)[0]))

enum { STATES_MAX = 4, REPLY_MAX = 2048 };

struct model {
	/* what it has */
	bool v4, v6, no_encap, no_transport, no_esn, old;
	const char *missing[4]; /* algorithms */
	int refuses;		/* everything, with this errno */
	int silent_at;		/* does not answer the request of this number, but obeys */
	int delete_fails;	/* so many times */
	bool spi_taken;		/* once */
	/* what happened */
	int asked;
	int names_missed;
	size_t n;
	struct state_id states[STATES_MAX];
	struct nlmsghdr *kept; /* the last NEWSA */
	bool all_limited;
	uint8_t reply[REPLY_MAX];
	size_t reply_len;
};

static struct nlattr *attr_in(const struct nlmsghdr *m, int type)
{
	return nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)m, sizeof(struct xfrm_usersa_info),
			       type);
}

/* Names stand first in all three kinds of algorithm. */
static int model_algorithms(struct model *k, const struct nlmsghdr *m)
{
	static const int kinds[] = { XFRMA_ALG_AEAD, XFRMA_ALG_CRYPT, XFRMA_ALG_AUTH_TRUNC };

	for (int i = 0; i < N_OF(kinds); i++) {
		const struct nlattr *a = attr_in(m, kinds[i]);

		for (int j = 0; a != NULL && j < N_OF(k->missing); j++) {
			if (k->missing[j] == NULL || strcmp(nla_data(a), k->missing[j]) != 0)
				continue;
			k->names_missed++;
			return ENOSYS;
		}
	}
	return 0;
}

/* In the order of Linux: algorithms, then type and mode, then the rest. */
static int model_judge(struct model *k, const struct nlmsghdr *m, const struct xfrm_usersa_info *u)
{
	int error = model_algorithms(k, m);

	if (k->refuses != 0)
		return k->refuses;
	if (error != 0)
		return error;
	if (u->family == AF_INET ? !k->v4 : !k->v6)
		return EPROTONOSUPPORT;
	if (k->no_transport && u->mode == XFRM_MODE_TRANSPORT)
		return EPROTONOSUPPORT;
	if (k->no_encap && attr_in(m, XFRMA_ENCAP) != NULL)
		return EINVAL;
	return k->no_esn && (u->flags & XFRM_STATE_ESN) ? EINVAL : 0;
}

static int model_add(struct model *k, const struct nlmsghdr *m)
{
	struct xfrm_usersa_info u;
	int error;

	memcpy(&u, nlmsg_data(m), sizeof(u));
	error = model_judge(k, m, &u);
	if (error == 0 && k->spi_taken) {
		k->spi_taken = false;
		error = EEXIST;
	}
	if (error != 0)
		return error;
	ck_assert_uint_lt(k->n, STATES_MAX);
	ck_assert_uint_eq(u.reqid & SA_REQID_MASK, SA_REQID_BASE);
	ck_assert_uint_lt(ntohl(u.id.spi), SPI_USER_BIT);
	k->all_limited = k->all_limited && u.lft.hard_add_expires_seconds > 0;
	k->states[k->n].dst = attr_addr(&u.id.daddr, u.family);
	k->states[k->n++].spi = ntohl(u.id.spi);
	free(k->kept);
	k->kept = kit_cut(m, m->nlmsg_len);
	return 0;
}

static int model_delete(struct model *k, const struct nlmsghdr *m)
{
	struct xfrm_usersa_id id;

	memcpy(&id, nlmsg_data(m), sizeof(id));
	if (k->delete_fails > 0) {
		k->delete_fails--;
		return ENOMEM;
	}
	for (size_t i = 0; i < k->n; i++) {
		if (k->states[i].spi == ntohl(id.spi)) {
			k->states[i] = k->states[--k->n];
			return 0;
		}
	}
	return ESRCH;
}

static void model_say(struct model *k, const struct nlmsghdr *to, uint16_t type, const void *p,
		      size_t len)
{
	struct nlmsghdr h = { .nlmsg_len = (uint32_t)(sizeof(h) + len),
			      .nlmsg_type = type,
			      .nlmsg_seq = to->nlmsg_seq,
			      .nlmsg_pid = to->nlmsg_pid };

	ck_assert_uint_le(k->reply_len + h.nlmsg_len, REPLY_MAX);
	memcpy(k->reply + k->reply_len, &h, sizeof(h));
	memcpy(k->reply + k->reply_len + sizeof(h), p, len);
	k->reply_len += h.nlmsg_len;
}

/* The state back as it came; a kernel that is old has lost what it did not know. */
static int model_get(struct model *k, const struct nlmsghdr *m)
{
	if (k->old) {
		attr_in(k->kept, ATTR_SA_DIR)->nla_type = XFRMA_PAD;
		attr_in(k->kept, XFRMA_IF_ID)->nla_type = XFRMA_PAD;
	}
	model_say(k, m, XFRM_MSG_NEWSA, nlmsg_data(k->kept), (size_t)nlmsg_datalen(k->kept));
	return 0;
}

static int model_do(struct model *k, const struct nlmsghdr *m)
{
	switch (m->nlmsg_type) {
	case XFRM_MSG_NEWSA:
		return model_add(k, m);
	case XFRM_MSG_DELSA:
		return model_delete(k, m);
	case XFRM_MSG_GETSA:
		return model_get(k, m);
	default:
		return EINVAL;
	}
}

static ssize_t model_send(void *ctx, const void *p, size_t len)
{
	struct model *k = ctx;
	const struct nlmsghdr *m = p;
	struct nlmsgerr e;

	memset(&e, 0, sizeof(e));
	k->reply_len = 0;
	e.error = -model_do(k, m);
	e.msg = *m;
	if (++k->asked == k->silent_at)
		k->reply_len = 0;
	else
		model_say(k, m, NLMSG_ERROR, &e, sizeof(e));
	return (ssize_t)len;
}

static ssize_t model_receive(void *ctx, void *p, size_t size)
{
	struct model *k = ctx;
	size_t len = k->reply_len;

	if (len == 0) {
		errno = EAGAIN;
		return -1;
	}
	ck_assert_uint_le(len, size);
	memcpy(p, k->reply, len);
	k->reply_len = 0;
	return (ssize_t)len;
}

static struct plane_caps probe_host(struct model *k, bool has6)
{
	static const struct netlink_ops ops = { model_send, model_receive };
	struct plane_caps caps;
	struct netlink nl;

	k->all_limited = true;
	ck_assert_int_eq(netlink_over(&nl, &ops, k), OK);
	probe_all(&nl, has6, &caps);
	netlink_close(&nl);
	free(k->kept);
	k->kept = NULL;
	return caps;
}

static struct plane_caps probe_model(struct model *k)
{
	return probe_host(k, true);
}

START_TEST(a_kernel_with_everything)
{
	struct model k = { .v4 = true, .v6 = true };
	struct plane_caps c = probe_model(&k);

	ck_assert(c.v4 && c.v6 && c.encap && c.transport && c.esn && c.sa_dir && c.interface);
	ck_assert_uint_eq(c.n_encr, 25);
	ck_assert_uint_eq(c.n_integ, 6);
	ck_assert(plane_caps_encr(&c, 20, 256) && plane_caps_encr(&c, 28, 0));
	ck_assert(plane_caps_integ(&c, 12));
	ck_assert_str_eq(c.lacks, "");
	ck_assert_uint_eq(k.n, 0);
	ck_assert(k.all_limited);
}
END_TEST

/* Linux before 6.10 takes a direction in silence. */
START_TEST(what_is_not_read_back_is_not_there)
{
	struct model k = { .v4 = true, .v6 = true, .old = true };
	struct plane_caps c = probe_model(&k);

	ck_assert(c.v4 && c.esn && !c.sa_dir && !c.interface);
	ck_assert_str_eq(c.lacks, "");
}
END_TEST

static const struct {
	struct model k;
	const char *lacks;
	bool v4, v6, encap, transport, esn;
	uint8_t n_encr, n_integ;
	int misses; /* names that were not known were asked for so often at most */
} kernels[] = {
	{ .k = { .v4 = false }, "CONFIG_INET_ESP" },
	{ .k = { .missing = { "rfc4106(gcm(aes))" } }, "CONFIG_INET_ESP" },
	{ .k = { .missing = { "cbc(aes)" } }, "CONFIG_INET_ESP", .misses = 1 },
	{ .k = { .refuses = EPERM }, "CAP_NET_ADMIN" },
	{ .k = { .v4 = true }, "CONFIG_INET6_ESP", true, false, true, true, true, 25, 6 },
	{ .k = { .v6 = true }, "CONFIG_INET_ESP", false, true, true, true, true, 25, 6 },
	{ .k = { .v4 = true, .v6 = true, .missing = { "rfc4106(gcm(aes))" } },
	  "AES-GCM",
	  true,
	  true,
	  true,
	  true,
	  true,
	  16,
	  6,
	  1 },
	{ .k = { .v4 = true,
		 .v6 = true,
		 .missing = { "rfc7539esp(chacha20,poly1305)", "hmac(sha512)" } },
	  "ChaCha20-Poly1305, HMAC-SHA2-512",
	  true,
	  true,
	  true,
	  true,
	  true,
	  24,
	  5,
	  2 },
	/* without CBC there is nothing to try MACs with, and nothing to use them with */
	{ .k = { .v4 = true, .v6 = true, .missing = { "cbc(aes)" } },
	  "AES-CBC",
	  true,
	  true,
	  true,
	  true,
	  true,
	  22,
	  0,
	  2 },
	{ .k = { .v4 = true, .v6 = true, .no_encap = true },
	  "UDP encapsulation",
	  true,
	  true,
	  false,
	  true,
	  true,
	  25,
	  6 },
	{ .k = { .v4 = true, .v6 = true, .no_transport = true, .no_esn = true },
	  "transport mode, ESN",
	  true,
	  true,
	  true,
	  false,
	  false,
	  25,
	  6 },
};

START_TEST(what_a_kernel_lacks_is_named)
{
	struct model k = kernels[_i].k;
	struct plane_caps c = probe_model(&k);

	ck_assert_str_eq(c.lacks, kernels[_i].lacks);
	ck_assert_int_eq(c.v4, kernels[_i].v4);
	ck_assert_int_eq(c.v6, kernels[_i].v6);
	ck_assert_int_eq(c.encap, kernels[_i].encap);
	ck_assert_int_eq(c.transport, kernels[_i].transport);
	ck_assert_int_eq(c.esn, kernels[_i].esn);
	ck_assert_uint_eq(c.n_encr, kernels[_i].n_encr);
	ck_assert_uint_eq(c.n_integ, kernels[_i].n_integ);
	ck_assert_int_le(k.names_missed, kernels[_i].misses);
	ck_assert_uint_eq(k.n, 0);
}
END_TEST

/* Whatever the kernel could. */
START_TEST(a_host_without_ipv6_lacks_nothing_of_it)
{
	struct model k = { .v4 = true, .v6 = true };
	struct plane_caps c = probe_host(&k, false);

	ck_assert(c.no_v6 && c.v4 && !c.v6 && c.encap && c.transport && c.esn);
	ck_assert_str_eq(c.lacks, "");
	ck_assert(!probe_model(&k).no_v6);
}
END_TEST

/* Each look for what is not there may start a program of user space. */
START_TEST(a_kernel_without_esp_is_asked_little)
{
	struct model k = { .v4 = false };

	probe_model(&k);
	ck_assert_int_le(k.asked, 2);
}
END_TEST

START_TEST(a_kernel_without_xfrm_is_not_asked)
{
	struct netlink nl = { .fd = -1 };
	struct plane_caps c;

	probe_all(&nl, true, &c);
	ck_assert_str_eq(c.lacks, "CONFIG_XFRM_USER");
	ck_assert(!plane_caps_esp(&c));
}
END_TEST

START_TEST(nothing_stays_when_deleting_fails_once)
{
	struct model k = { .v4 = true, .v6 = true, .delete_fails = 2 };
	struct plane_caps c = probe_model(&k);

	ck_assert_uint_eq(k.n, 0);
	ck_assert_str_eq(c.lacks, "");
}
END_TEST

/* ... and should it never work, the kernel ends each by itself. */
START_TEST(what_stays_ends_by_itself)
{
	struct model k = { .v4 = true, .v6 = true, .delete_fails = 3 };

	probe_model(&k);
	ck_assert_uint_eq(k.n, 1);
	ck_assert(k.all_limited);
}
END_TEST

/* The request may have been obeyed: it is undone, and a kernel that does not answer is left alone,
 * for each wait is long. */
START_TEST(a_kernel_that_does_not_answer_is_left_alone)
{
	struct model k = { .v4 = true, .v6 = true, .silent_at = 1 + 2 * _i };

	probe_model(&k);
	ck_assert_uint_eq(k.n, 0);
	ck_assert_int_eq(k.asked, k.silent_at + 1);
}
END_TEST

START_TEST(a_taken_spi_is_not_a_missing_algorithm)
{
	struct model k = { .v4 = true, .v6 = true, .spi_taken = true };
	struct plane_caps c = probe_model(&k);

	ck_assert(c.v4);
	ck_assert_str_eq(c.lacks, "");
}
END_TEST

UNIT("xfrm/probe")
{
	tcase_add_test(tc, a_kernel_with_everything);
	tcase_add_test(tc, what_is_not_read_back_is_not_there);
	tcase_add_loop_test(tc, what_a_kernel_lacks_is_named, 0, N_OF(kernels));
	tcase_add_test(tc, a_host_without_ipv6_lacks_nothing_of_it);
	tcase_add_test(tc, a_kernel_without_esp_is_asked_little);
	tcase_add_test(tc, a_kernel_without_xfrm_is_not_asked);
	tcase_add_test(tc, nothing_stays_when_deleting_fails_once);
	tcase_add_test(tc, what_stays_ends_by_itself);
	tcase_add_loop_test(tc, a_kernel_that_does_not_answer_is_left_alone, 0, 6);
	tcase_add_test(tc, a_taken_spi_is_not_a_missing_algorithm);
}
