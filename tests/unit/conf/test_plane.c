/* SPDX-License-Identifier: Apache-2.0 */
/* Which data plane a child has, on kernels that can do this or that. */
#include <stdlib.h>
#include <string.h>

#include "crypto/alg.h"
#include "tests/unit/conf/fixture.h"
#include "tests/unit/unit.h"

/* A kernel that carries all of the policy `modern`. */
static struct plane_caps able(void)
{
	const struct suite_policy *p = suite_policy_modern();
	struct plane_caps k = { .v4 = true,
				.v6 = true,
				.encap = true,
				.transport = true,
				.interface = true };

	for (size_t i = 0; i < SUITE_ENCR_MAX && p->encr[i] != NULL; i++) {
		k.encr[k.n_encr].id = p->encr[i]->id;
		k.encr[k.n_encr++].key_bits = p->encr[i]->key_bits;
	}
	return k;
}

static void as_able(struct plane_caps *k)
{
	(void)k;
}

static void without_esp(struct plane_caps *k)
{
	*k = (struct plane_caps){ .lacks = "CONFIG_INET_ESP" };
}

static void without_v6(struct plane_caps *k)
{
	k->v6 = false;
	memcpy(k->lacks, "CONFIG_INET6_ESP", sizeof("CONFIG_INET6_ESP"));
}

static void without_v4(struct plane_caps *k)
{
	k->v4 = false;
	memcpy(k->lacks, "CONFIG_INET_ESP", sizeof("CONFIG_INET_ESP"));
}

/* Booted with ipv6.disable=1. */
static void on_v4_host(struct plane_caps *k)
{
	k->v6 = false;
	k->no_v6 = true;
}

static void without_chacha(struct plane_caps *k)
{
	k->n_encr--;
}

static void without_encap(struct plane_caps *k)
{
	k->encap = false;
}
static void without_transport(struct plane_caps *k)
{
	k->transport = false;
}

static void without_interface(struct plane_caps *k)
{
	k->interface = false;
}

static const struct {
	enum conf_dataplane wanted;
	enum conf_mode mode;
	const char *interface;
	enum sa_offload offload;
	void (*lack)(struct plane_caps *k);
	enum sa_plane got;
	const char *why;
} cases[] = {
	{ CONF_PLANE_AUTO, CONF_MODE_TUNNEL, "", OFFLOAD_AUTO, as_able, PLANE_KERNEL,
	  "carries every suite" },
	{ CONF_PLANE_AUTO, CONF_MODE_TUNNEL, "", OFFLOAD_AUTO, without_esp, PLANE_USER,
	  "lacks CONFIG_INET_ESP" },
	{ CONF_PLANE_AUTO, CONF_MODE_TUNNEL, "", OFFLOAD_AUTO, without_v6, PLANE_KERNEL,
	  "every suite" },
	{ CONF_PLANE_AUTO, CONF_MODE_TUNNEL, "", OFFLOAD_AUTO, without_chacha, PLANE_USER,
	  "lacks CHACHA20" },
	{ CONF_PLANE_AUTO, CONF_MODE_TUNNEL, "", OFFLOAD_AUTO, without_encap, PLANE_USER,
	  "ESP in UDP" },
	{ CONF_PLANE_AUTO, CONF_MODE_TUNNEL, "", OFFLOAD_AUTO, without_transport, PLANE_KERNEL,
	  "every suite" },
	{ CONF_PLANE_AUTO, CONF_MODE_TRANSPORT, "", OFFLOAD_AUTO, without_transport, PLANE_USER,
	  "transport" },
	{ CONF_PLANE_AUTO, CONF_MODE_TUNNEL, "", OFFLOAD_AUTO, without_interface, PLANE_KERNEL,
	  "every suite" },
	{ CONF_PLANE_AUTO, CONF_MODE_TUNNEL, "ipsec0", OFFLOAD_AUTO, without_interface, PLANE_USER,
	  "INTERFACE" },
	{ CONF_PLANE_USER, CONF_MODE_TUNNEL, "", OFFLOAD_AUTO, as_able, PLANE_USER,
	  "as configured" },
	{ CONF_PLANE_KERNEL, CONF_MODE_TUNNEL, "", OFFLOAD_AUTO, as_able, PLANE_KERNEL,
	  "as configured" },
	{ CONF_PLANE_KERNEL, CONF_MODE_TUNNEL, "", OFFLOAD_AUTO, without_esp, PLANE_KERNEL,
	  "as configured" },
	{ CONF_PLANE_AUTO, CONF_MODE_TUNNEL, "", OFFLOAD_NO, without_esp, PLANE_USER,
	  "CONFIG_INET_ESP" },
	{ CONF_PLANE_AUTO, CONF_MODE_TUNNEL, "", OFFLOAD_CRYPTO, without_esp, PLANE_KERNEL,
	  "network card" },
	{ CONF_PLANE_AUTO, CONF_MODE_TUNNEL, "", OFFLOAD_PACKET, without_esp, PLANE_KERNEL,
	  "network card" },
	{ CONF_PLANE_AUTO, CONF_MODE_TUNNEL, "", OFFLOAD_PACKET, as_able, PLANE_KERNEL,
	  "network card" },
	{ CONF_PLANE_KERNEL, CONF_MODE_TUNNEL, "ipsec0", OFFLOAD_AUTO, without_interface,
	  PLANE_KERNEL, "as configured" },
	{ CONF_PLANE_AUTO, CONF_MODE_TUNNEL, "ipsec0", OFFLOAD_CRYPTO, without_interface,
	  PLANE_KERNEL, "network card" },
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

struct scene {
	struct conf *c;
	struct plane_caps kernel;
};

static struct scene scene_of(int i)
{
	char *text = fixture_text(0, NULL);
	struct scene s = { .c = fixture_load(text), .kernel = able() };
	struct conf_child *ch = &s.c->connections[0].children[0];

	free(text);
	ch->dataplane = cases[i].wanted;
	ch->mode = cases[i].mode;
	ch->offload = cases[i].offload;
	memcpy(ch->interface, cases[i].interface, strlen(cases[i].interface) + 1);
	cases[i].lack(&s.kernel);
	return s;
}

START_TEST(a_child_has_the_plane_that_can_carry_it)
{
	struct scene s = scene_of(_i);
	const struct conf_connection *cn = &s.c->connections[0];
	char why[CONF_PLANE_WHY_MAX];

	ck_assert_int_eq(conf_child_plane(cn, &cn->children[0], &s.kernel, why), cases[_i].got);
	ck_assert_msg(strstr(why, cases[_i].why) != NULL, "%s: %s", cases[_i].why, why);
	conf_free(s.c);
}
END_TEST

/* Nobody but a child that wants the kernel is worth a warning: the others have another way. */
START_TEST(check_warns_of_the_kernel_that_is_wanted_and_lacks_something)
{
	struct scene s = scene_of(_i);
	struct conf_problems p = { 0 };
	bool card = cases[_i].offload == OFFLOAD_CRYPTO || cases[_i].offload == OFFLOAD_PACKET;
	bool warns = (cases[_i].wanted == CONF_PLANE_KERNEL || card) && cases[_i].lack != as_able;

	conf_check_planes(s.c, &s.kernel, &p);
	ck_assert_uint_eq(p.n, warns ? 1 : 0);
	ck_assert_uint_eq(p.n_errors, 0);
	if (warns)
		ck_assert_ptr_nonnull(strstr(p.v[0].text, s.kernel.lacks));
	conf_free(s.c);
}
END_TEST

enum { V4 = 1, V6 = 2, OWN4 = 4, OWN6 = 8 };

/* The configuration as it says where the peer is: ADDRESSES of these families, or none. */
static const struct {
	int addresses;
	enum conf_mode mode;
	void (*lack)(struct plane_caps *k);
	enum sa_plane got;
	const char *why;
} families[] = {
	{ V4, CONF_MODE_TUNNEL, without_v6, PLANE_KERNEL, "every suite" },
	{ V6, CONF_MODE_TUNNEL, without_v6, PLANE_USER, "lacks CONFIG_INET6_ESP" },
	{ V6, CONF_MODE_TUNNEL, without_v4, PLANE_KERNEL, "every suite" },
	{ V4, CONF_MODE_TUNNEL, without_v4, PLANE_USER, "lacks CONFIG_INET_ESP" },
	{ V4 | V6, CONF_MODE_TUNNEL, without_v6, PLANE_USER, "lacks CONFIG_INET6_ESP" },
	{ V4 | V6, CONF_MODE_TUNNEL, without_v4, PLANE_USER, "lacks CONFIG_INET_ESP" },
	{ V4 | V6, CONF_MODE_TUNNEL, as_able, PLANE_KERNEL, "every suite" },
	/* A name, or anybody. */
	{ 0, CONF_MODE_TUNNEL, as_able, PLANE_KERNEL, "every suite" },
	{ 0, CONF_MODE_TUNNEL, without_v6, PLANE_USER, "lacks CONFIG_INET6_ESP" },
	{ 0, CONF_MODE_TUNNEL, without_v4, PLANE_USER, "lacks CONFIG_INET_ESP" },
	{ OWN4, CONF_MODE_TUNNEL, without_v6, PLANE_KERNEL, "every suite" },
	{ OWN6, CONF_MODE_TUNNEL, without_v6, PLANE_USER, "lacks CONFIG_INET6_ESP" },
	{ 0, CONF_MODE_TRANSPORT, without_v6, PLANE_KERNEL, "every suite" },
	{ 0, CONF_MODE_PREFER_TRANSPORT, without_v6, PLANE_USER, "lacks CONFIG_INET6_ESP" },
	/* No peer comes by IPv6 to a host without it. */
	{ 0, CONF_MODE_TUNNEL, on_v4_host, PLANE_KERNEL, "every suite" },
	{ V4, CONF_MODE_TUNNEL, on_v4_host, PLANE_KERNEL, "every suite" },
	{ V4 | V6, CONF_MODE_TUNNEL, on_v4_host, PLANE_KERNEL, "every suite" },
	{ V6, CONF_MODE_TUNNEL, on_v4_host, PLANE_USER, "lacks IPv6" },
};
enum { N_FAMILIES = sizeof families / sizeof families[0] };

static void place_peer(struct conf_connection *cn, int addresses)
{
	cn->n_addresses = 0;
	if (addresses & V4)
		cn->addresses[cn->n_addresses++].family = AF_INET;
	if (addresses & V6)
		cn->addresses[cn->n_addresses++].family = AF_INET6;
	if (addresses & (OWN4 | OWN6))
		cn->local_address.family = addresses & OWN6 ? AF_INET6 : AF_INET;
}

START_TEST(only_families_that_the_peer_can_come_by_count)
{
	char *text = fixture_text(0, NULL);
	struct conf *c = fixture_load(text);
	struct conf_connection *cn = &c->connections[0];
	struct plane_caps kernel = able();
	char why[CONF_PLANE_WHY_MAX];

	free(text);
	place_peer(cn, families[_i].addresses);
	cn->children[0].dataplane = CONF_PLANE_AUTO;
	cn->children[0].mode = families[_i].mode;
	families[_i].lack(&kernel);
	ck_assert_int_eq(conf_child_plane(cn, &cn->children[0], &kernel, why), families[_i].got);
	ck_assert_msg(strstr(why, families[_i].why) != NULL, "%s: %s", families[_i].why, why);
	conf_free(c);
}
END_TEST

/* It would be refused in the midst of making devices, by a name that nobody gave. */
START_TEST(a_device_that_only_the_kernel_could_make_is_refused_by_the_name_of_its_child)
{
	struct scene s = scene_of(_i);
	const struct conf_connection *cn = &s.c->connections[0];
	struct conf_problems p = { 0 };
	char why[CONF_PLANE_WHY_MAX];
	bool refused = cases[_i].interface[0] && cases[_i].lack == without_interface &&
		       conf_child_plane(cn, &cn->children[0], &s.kernel, why) == PLANE_KERNEL;

	ck_assert_int_eq(conf_judge_devices(s.c, &s.kernel, &p), refused ? ERR_UNSUPPORTED : OK);
	ck_assert_uint_eq(p.n_errors, refused ? 1 : 0);
	if (refused)
		ck_assert_ptr_nonnull(strstr(p.v[0].text, "office/lan: "));
	/* `postern check` has warned of it, and in these words of nothing else. */
	p = (struct conf_problems){ .n = 0 };
	conf_check_planes(s.c, &s.kernel, &p);
	ck_assert_int_eq(p.n > 0 && strstr(p.v[0].text, "a reload refuses it here") != NULL,
			 refused);
	ck_assert_uint_eq(p.n_errors, 0);
	conf_free(s.c);
}
END_TEST

/* The kernel takes the TTL of the route for all: who wants another one wants userspace. */
START_TEST(a_ttl_of_its_own_is_for_userspace)
{
	struct scene s = scene_of(0);
	struct conf_child *ch = &s.c->connections[0].children[0];
	char why[CONF_PLANE_WHY_MAX];

	ch->ttl = 3;
	ck_assert_int_eq(conf_child_plane(&s.c->connections[0], ch, &s.kernel, why), PLANE_USER);
	ck_assert_ptr_nonnull(strstr(why, "TTL"));
	ck_assert_uint_eq(conf_child_headers(ch).ttl, 3);
	conf_free(s.c);
}
END_TEST

START_TEST(headers_are_as_configured)
{
	static const struct {
		enum conf_dscp dscp;
		bool hide, adopt;
	} copied[] = { { CONF_DSCP_OUT, false, false },
		       { CONF_DSCP_IN, true, true },
		       { CONF_DSCP_BOTH, false, true },
		       { CONF_DSCP_NO, true, false } };

	for (size_t i = 0; i < 4; i++) {
		struct conf_child ch = {
			.copy_dscp = copied[i].dscp,
			.ecn = i & 1,
			.icmp_errors = i & 2,
			.flow_label = i & 1 ? CONF_LABEL_COPY : CONF_LABEL_AUTO,
			.ttl = (uint16_t)i,
		};
		struct sa_headers h = conf_child_headers(&ch);

		ck_assert(h.dscp_hide == copied[i].hide && h.dscp_adopt == copied[i].adopt);
		ck_assert(h.ecn_off == !(i & 1) && h.icmp_errors == !!(i & 2));
		ck_assert(h.label_copy == (i & 1) && h.ttl == i);
	}
}
END_TEST

UNIT("conf/plane")
{
	tcase_add_loop_test(tc, only_families_that_the_peer_can_come_by_count, 0, N_FAMILIES);
	tcase_add_loop_test(
		tc, a_device_that_only_the_kernel_could_make_is_refused_by_the_name_of_its_child, 0,
		N_CASES);
	tcase_add_loop_test(tc, a_child_has_the_plane_that_can_carry_it, 0, N_CASES);
	tcase_add_loop_test(tc, check_warns_of_the_kernel_that_is_wanted_and_lacks_something, 0,
			    N_CASES);
	tcase_add_test(tc, a_ttl_of_its_own_is_for_userspace);
	tcase_add_test(tc, headers_are_as_configured);
}
