/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/daemon/gate_scene.h"

#include <stdio.h>
#include <string.h>

#include "crypto/alg.h"
#include "tests/unit/unit.h"

static const char text[] = "me {\n"
			   "	identity = left.example.org\n"
			   "}\n"
			   "connection office {\n"
			   "	address  = 203.0.113.2\n"
			   "	identity = right.example.org\n"
			   "	auth     = psk\n"
			   "	psk_file = office.psk\n"
			   "	policy   = compatible\n"
			   "	child lan {\n"
			   "		local  = { 10.1.0.0/16, 2001:db8:1::/48 }\n"
			   "		remote = { 10.2.0.0/16, 2001:db8:2::/48 }\n"
			   "	}\n"
			   "}\n"
			   "connection branch {\n"
			   "	address  = any\n"
			   "	identity = branch.example.org\n"
			   "	auth     = psk\n"
			   "	psk_file = branch.psk\n"
			   "	child lan {\n"
			   "		local     = 10.1.0.0/16\n"
			   "		remote    = 10.3.0.0/16\n"
			   "		dataplane = user\n"
			   "	}\n"
			   "	child web {\n"
			   "		local     = 10.1.0.0/16\n"
			   "		remote    = 10.4.0.0/16[tcp/443]\n"
			   "	}\n"
			   "}\n";

static enum err no_file(void *ctx, enum conf_file_kind kind, const char *path, struct span *bytes,
			char why[static 256])
{
	(void)ctx;
	(void)kind;
	(void)path;
	(void)why;
	*bytes = span_str(strdup("0a1b2c3d4e5f6071-pre-shared-key"));
	return bytes->p != NULL ? OK : ERR_NOMEM;
}

/* What a kernel can do that has all of a policy. */
static struct plane_caps caps_of(const struct suite_policy *p)
{
	struct plane_caps k = { .v4 = true, .v6 = true, .encap = true, .transport = true };

	for (size_t i = 0; i < SUITE_ENCR_MAX && p->encr[i] != NULL; i++) {
		k.encr[k.n_encr].id = p->encr[i]->id;
		k.encr[k.n_encr++].key_bits = p->encr[i]->key_bits;
	}
	for (size_t i = 0; i < SUITE_INTEG_MAX && p->integ[i] != NULL; i++)
		k.integ[k.n_integ++] = p->integ[i]->id;
	return k;
}

struct addr address(const char *s)
{
	struct addr a;

	ck_assert(addr_parse(s, &a));
	return a;
}

struct ts network(const char *s)
{
	struct net n;

	ck_assert(net_parse(s, &n));
	return ts_from_net(&n);
}

static void scene_desc(struct scene *s)
{
	s->local[0] = network("10.1.0.0/16");
	s->local[1] = network("2001:db8:1:1::/64");
	s->remote[0] = network("10.2.3.0/24");
	s->remote[1] = network("2001:db8:2::/48");
	s->cmd = (struct sa_cmd){
		.ticket = 1,
		.op = SA_INSTALL,
		.sa = {
			.dir = SA_IN,
			.mode = SA_TUNNEL,
			.plane = PLANE_KERNEL,
			.spi = 0x12345678,
			.child_id = 1,
			.reqid = s->ch->reqid,
			.path = { .local = { address("192.0.2.1"), 500 },
				  .remote = { address("203.0.113.2"), 500 } },
			.replay_window = s->ch->replay_window,
			.encr_id = AES_GCM_16,
			.encr_key_bits = 256,
			.encr_key.len = 36,
			.local = { .n = 2, .v = s->local },
			.remote = { .n = 2, .v = s->remote },
			.packet_limit = 1000000,
			.offload = s->ch->offload,
			.headers = conf_child_headers(s->ch),
			.connection = "office",
			.child = "lan",
		},
	};
}

void scene_open(struct scene *s)
{
	const struct conf_source src = { .read = no_file };
	struct conf_problems problems = { 0 };

	*s = (struct scene){ 0 };
	ck_assert_int_eq(conf_load("f", span_str(text), &src, &s->c, &problems), OK);
	s->cn = &s->c->connections[0];
	s->ch = &s->cn->children[0];
	s->kernel = caps_of(&s->cn->policy);
	s->facts = (struct gate_facts){ .local = WHOSE_OURS, .remote = WHOSE_OTHER, .now = 1000 };
	scene_desc(s);
}

enum err scene_judge(struct scene *s)
{
	return gate_judge(s->c, &s->kernel, &s->facts, &s->cmd, s->why);
}

void scene_name(struct scene *s, const char *connection, const char *child)
{
	snprintf(s->cmd.sa.connection, sizeof s->cmd.sa.connection, "%s", connection);
	snprintf(s->cmd.sa.child, sizeof s->cmd.sa.child, "%s", child);
}

void scene_close(struct scene *s)
{
	conf_free(s->c);
}
