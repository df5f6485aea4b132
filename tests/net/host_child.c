/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/net/host_child.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "tcp", "tcp=80", "udp=1000-2000", "icmp" */
static bool parse_ports(char *s, struct ts *t)
{
	static const struct {
		const char *name;
		uint8_t proto;
	} protos[] = {
		{ "tcp", IPPROTO_TCP },
		{ "udp", IPPROTO_UDP },
		{ "icmp", IPPROTO_ICMP },
		{ "icmp6", IPPROTO_ICMPV6 },
	};
	char *ports = strchr(s, '=');
	char *dash;

	if (ports != NULL)
		*ports++ = '\0';
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		if (strcmp(protos[i].name, s) == 0)
			t->proto = protos[i].proto;
	}
	if (ports != NULL) {
		dash = strchr(ports, '-');
		t->port_lo = (uint16_t)strtoul(ports, NULL, 10);
		t->port_hi = dash == NULL ? t->port_lo : (uint16_t)strtoul(dash + 1, NULL, 10);
	}
	return t->proto != 0;
}

static bool parse_ts(char *s, struct ts *t)
{
	char *proto = strchr(s, '@');
	char *dash = strchr(s, '-');
	struct net n;

	if (proto != NULL)
		*proto++ = '\0';
	if (dash != NULL && (proto == NULL || dash < proto)) {
		*dash = '\0';
		*t = (struct ts){ .port_hi = UINT16_MAX };
		if (!addr_parse(s, &t->lo) || !addr_parse(dash + 1, &t->hi))
			return false;
	} else {
		if (!net_parse(s, &n))
			return false;
		*t = ts_from_net(&n);
	}
	return proto == NULL || parse_ports(proto, t);
}

static bool parse_side(char *s, struct ts_list *l)
{
	struct ts *v = calloc(TS_MAX, sizeof(*v));
	char *save = NULL;

	*l = (struct ts_list){ .v = v };
	for (char *one = strtok_r(s, ",", &save); one != NULL; one = strtok_r(NULL, ",", &save)) {
		if (l->n == TS_MAX || !parse_ts(one, &v[l->n]))
			return false;
		l->n++;
	}
	return l->n > 0;
}

/* The host's bits are kept. */
static bool parse_address(char *s, struct host_child *c)
{
	char *slash = strchr(s, '/');
	struct net *v = realloc((void *)(uintptr_t)c->addresses, (c->n_addresses + 1) * sizeof(*v));

	if (v == NULL || slash == NULL)
		return false;
	*slash = '\0';
	c->addresses = v;
	v[c->n_addresses].bits = (uint8_t)strtoul(slash + 1, NULL, 10);
	return addr_parse(s, &v[c->n_addresses++].addr);
}

static bool parse_device(char *text, struct host_child *c)
{
	char *save = NULL;
	char *name = strtok_r(text, "%", &save);

	if (name == NULL)
		return false;
	snprintf(c->interface, sizeof(c->interface), "%s", name);
	for (char *one = strtok_r(NULL, "%", &save); one != NULL;
	     one = strtok_r(NULL, "%", &save)) {
		if (!parse_address(one, c))
			return false;
	}
	return true;
}

static bool parse_child(char *text, struct host_child *c)
{
	char *remote = strchr(text, '>');
	char *device = strchr(text, '%');
	char *kernel = strstr(text, "+kernel");

	if (device != NULL)
		*device++ = '\0';
	if (kernel != NULL) {
		*kernel = '\0';
		c->plane = PLANE_KERNEL;
	}
	if (device != NULL && !parse_device(device, c))
		return false;

	if (remote == NULL)
		return false;
	*remote++ = '\0';
	return parse_side(text, &c->local) && parse_side(remote, &c->remote);
}

bool children_parse(struct children *c, char **text, size_t n)
{
	*c = (struct children){ .v = calloc(n + 1, sizeof(*c->v)) };
	for (size_t i = 0; i < n && c->v != NULL; i++) {
		struct host_child *one = &c->v[c->n++];

		snprintf(one->connection, sizeof(one->connection), "test");
		snprintf(one->child, sizeof(one->child), "%zu", i);
		one->reqid = (uint32_t)i + 1;
		if (!parse_child(text[i], one))
			return false;
	}
	return c->v != NULL;
}

void children_free(struct children *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].local.v);
		free(c->v[i].remote.v);
		free((void *)(uintptr_t)c->v[i].addresses);
	}
	free(c->v);
	*c = (struct children){ .v = NULL };
}
