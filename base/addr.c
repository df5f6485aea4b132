/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as plain bytes in network order, so that ranges and networks of both families are the
 * same arithmetic: compare bytes, set the host bits, add one.
 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

size_t addr_len(const struct addr *a)
{
	if (a->family == AF_INET)
		return 4;
	return a->family == AF_INET6 ? 16 : 0;
}

struct span addr_span(const struct addr *a)
{
	return span_of(a->b, addr_len(a));
}

bool addr_from_span(struct addr *a, struct span s)
{
	*a = (struct addr){ .family = AF_UNSPEC };
	if (s.len != 4 && s.len != 16)
		return false;
	if (s.len == 16 && memcmp(s.p, v4_mapped, sizeof(v4_mapped)) == 0)
		s = span_tail(s, sizeof(v4_mapped));
	a->family = s.len == 4 ? AF_INET : AF_INET6;
	memcpy(a->b, s.p, s.len);
	return true;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return addr_cmp(a, b) == 0;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->b, zero, sizeof(zero)) == 0;
}

bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_eq(&a->addr, &b->addr);
}

bool path_eq(const struct path *a, const struct path *b)
{
	return endpoint_eq(&a->local, &b->local) && endpoint_eq(&a->remote, &b->remote);
}

bool addr_parse(const char *s, struct addr *a)
{
	uint8_t b[16];

	if (inet_pton(AF_INET, s, b) == 1)
		return addr_from_span(a, span_of(b, 4));
	if (inet_pton(AF_INET6, s, b) == 1)
		return addr_from_span(a, span_of(b, 16));
	*a = (struct addr){ .family = AF_UNSPEC };
	return false;
}

const char *addr_text(const struct addr *a, char buf[static ADDR_TEXT_MAX])
{
	if (addr_len(a) == 0 || inet_ntop(a->family, a->b, buf, ADDR_TEXT_MAX) == NULL)
		snprintf(buf, ADDR_TEXT_MAX, "-");
	return buf;
}

const char *endpoint_text(const struct endpoint *e, char buf[static ENDPOINT_TEXT_MAX])
{
	char text[ADDR_TEXT_MAX];
	bool v6 = e->addr.family == AF_INET6;

	addr_text(&e->addr, text);
	snprintf(buf, ENDPOINT_TEXT_MAX, "%s%s%s:%u", v6 ? "[" : "", text, v6 ? "]" : "",
		 (unsigned int)e->port);
	return buf;
}

socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = e->addr.family;
	if (e->addr.family == AF_INET) {
		in->sin_port = htons(e->port);
		memcpy(&in->sin_addr, e->addr.b, 4);
		return sizeof(*in);
	}
	if (e->addr.family == AF_INET6) {
		in6->sin6_port = htons(e->port);
		memcpy(&in6->sin6_addr, e->addr.b, 16);
		return sizeof(*in6);
	}
	return 0;
}

bool endpoint_from_sockaddr(struct endpoint *e, const struct sockaddr *sa)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;

	*e = (struct endpoint){ .port = 0 };
	if (sa->sa_family == AF_INET) {
		e->port = ntohs(in->sin_port);
		return addr_from_span(&e->addr, span_of(&in->sin_addr, 4));
	}
	if (sa->sa_family == AF_INET6) {
		e->port = ntohs(in6->sin6_port);
		return addr_from_span(&e->addr, span_of(&in6->sin6_addr, 16));
	}
	return false;
}
