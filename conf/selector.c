/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors as people write them. An error names the smallest part that is wrong. */
#include "conf/selector.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/value.h"

enum { PROTO_ICMP = 1, PROTO_ICMPV6 = 58 };

/* clang-format off */
static const struct {
	const char *name;
	uint8_t proto;
	bool ports;
} protocols[] = {
	{ "any", 0, false },   { "icmp", PROTO_ICMP, true }, { "tcp", 6, true },	{ "udp", 17, true },
	{ "gre", 47, false }, { "esp", 50, false }, { "icmp6", PROTO_ICMPV6, true }, { "sctp", 132, true }, { "udplite", 136, true },
};
/* clang-format on */

/* The pieces of a selector in a buffer of their own; `proto` and `ports` are empty when not
 * written. */
struct pieces {
	char text[SELECTOR_MAX];
	char *range;
	char *proto;
	char *ports;
};

/* Cuts at the first of `c`; what follows, or the empty end when there is none. */
static char *cut(char *s, char c)
{
	char *at = strchr(s, c);

	if (!at)
		return s + strlen(s);
	*at = '\0';
	return at + 1;
}

static bool pieces_split(const char *text, struct pieces *p)
{
	size_t len = strlen(text);
	bool bracket = strchr(text, '[') != NULL;

	if (len >= sizeof(p->text) || (bracket && text[len - 1] != ']'))
		return false;
	memcpy(p->text, text, len + 1);
	if (bracket)
		p->text[len - 1] = '\0';
	p->range = p->text;
	p->proto = cut(p->text, bracket ? '[' : ' ');
	p->ports = cut(p->proto, '/');
	return p->range[0] && !strpbrk(p->proto, " []") && !strpbrk(p->ports, " []/") &&
	       (!bracket || p->proto[0]);
}

static void net_explain(const char *text, char fact[static WORDS_MAX], char hint[static WORDS_MAX])
{
	char host[SELECTOR_MAX];
	char shown[NET_TEXT_MAX];
	struct addr a;
	uint64_t bits = 0;
	const char *slash = strchr(text, '/');
	int host_len = slash ? (int)(slash - text) : (int)strlen(text);

	words(fact, "`%.120s` is no network", text);
	snprintf(host, sizeof(host), "%.*s", host_len, text);
	if (!addr_parse(host, &a)) {
		words(hint, "10.1.0.0/16, 2001:db8:1::/48, an address, or a range A-B");
		return;
	}
	if (!slash || !value_number(slash + 1, &bits) || bits > addr_len(&a) * 8) {
		words(hint, a.family == AF_INET ? "IPv4 goes from /0 to /32"
						: "IPv6 goes from /0 to /128");
		return;
	}
	a = net_first(&(struct net){ .addr = a, .bits = (uint8_t)bits });
	words(hint, "%s is the network, %.46s the address alone",
	      net_text(&(struct net){ .addr = a, .bits = (uint8_t)bits }, shown), host);
}

static bool range_parse(const char *text, struct ts *t, char fact[static WORDS_MAX],
			char hint[static WORDS_MAX])
{
	char lo[SELECTOR_MAX];
	const char *hi;
	struct net n;

	snprintf(lo, sizeof(lo), "%s", text);
	hi = cut(lo, '-');
	if (!*hi) {
		if (!net_parse(text, &n)) {
			net_explain(text, fact, hint);
			return false;
		}
		*t = ts_from_net(&n);
		return true;
	}
	if (addr_parse(lo, &t->lo) && addr_parse(hi, &t->hi) && t->lo.family == t->hi.family &&
	    addr_cmp(&t->lo, &t->hi) <= 0)
		return true;
	words(fact, "`%.120s` is no range", text);
	words(hint, "two addresses of one family, the lower first: 10.1.0.1-10.1.0.9");
	return false;
}

static bool proto_parse(const char *text, struct ts *t, bool *ports)
{
	uint64_t number;

	*ports = false;
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (strcasecmp(protocols[i].name, text) == 0) {
			t->proto = protocols[i].proto;
			*ports = protocols[i].ports;
			return true;
		}
	}
	if (!value_number(text, &number) || number > 255)
		return false;
	t->proto = (uint8_t)number;
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		*ports = *ports || (protocols[i].proto == t->proto && protocols[i].ports);
	return true;
}

/* RFC 7296 3.13.1: type and code of ICMP stand where others have a port; a lone type means all its
 * codes. */
static bool icmp_parse(char *text, uint16_t *lo, uint16_t *hi)
{
	uint64_t type;
	uint64_t code = 0;
	bool whole = strchr(text, '.') == NULL;
	char *code_text = cut(text, '.');

	if (!value_number(text, &type) || type > 255 ||
	    (!whole && (!value_number(code_text, &code) || code > 255)))
		return false;
	*lo = (uint16_t)(type << 8 | code);
	*hi = whole ? (uint16_t)(type << 8 | 0xff) : *lo;
	return true;
}

static bool port_parse(char *text, uint16_t *lo, uint16_t *hi)
{
	uint64_t number;

	if (!value_number(text, &number) || number > 65535)
		return false;
	*lo = *hi = (uint16_t)number;
	return true;
}

/* RFC 4301 4.4.1.1: packets whose ports are not to be seen. */
static bool opaque_parse(const char *text, struct ts *t)
{
	if (strcasecmp(text, "opaque") != 0 || !ts_proto_has_ports(t->proto))
		return false;
	t->port_lo = UINT16_MAX;
	t->port_hi = 0;
	return true;
}

static bool ports_parse(char *text, struct ts *t)
{
	bool (*parse)(char *, uint16_t *, uint16_t *) =
		t->proto == PROTO_ICMP || t->proto == PROTO_ICMPV6 ? icmp_parse : port_parse;
	bool range = strchr(text, '-') != NULL;
	char *second = cut(text, '-');
	uint16_t unused;

	if (!range && opaque_parse(text, t))
		return true;
	if (!parse(text, &t->port_lo, &t->port_hi))
		return false;
	if (range && !parse(second, &unused, &t->port_hi))
		return false;
	return t->port_lo <= t->port_hi;
}

/* In the words of the text: the pieces are cut up by now. */
static void ports_explain(const char *text, const char *proto, char fact[static WORDS_MAX])
{
	const char *ports = strchr(text + strcspn(text, "[ "), '/');

	words(fact, "`%.*s` behind %.20s is no port", (int)strcspn(ports + 1, "]"), ports + 1,
	      proto);
}

static bool family_fits(const struct ts *t)
{
	return !(t->proto == PROTO_ICMP && t->lo.family != AF_INET) &&
	       !(t->proto == PROTO_ICMPV6 && t->lo.family != AF_INET6);
}

enum err selector_parse(const char *text, struct ts *out, char fact[static WORDS_MAX],
			char hint[static WORDS_MAX])
{
	struct pieces p = { .text = "" };
	struct ts t = { .proto = 0, .port_lo = 0, .port_hi = 65535 };
	bool ports = false;

	*out = (struct ts){ 0 };
	hint[0] = '\0';
	if (!pieces_split(text, &p)) {
		words(fact, "`%.120s` is no selector", text);
		words(hint, "10.1.0.0/16, or 10.1.0.0/16[tcp/443]");
		return ERR_CONFIG;
	}
	if (!range_parse(p.range, &t, fact, hint))
		return ERR_CONFIG;
	if (p.proto[0] && !proto_parse(p.proto, &t, &ports)) {
		words(fact, "`%.80s` is no protocol", p.proto);
		words(hint, "tcp, udp, sctp, icmp, icmp6, gre, or a number up to 255");
		return ERR_CONFIG;
	}
	if (p.ports[0] && !ports) {
		words(fact, "`%.80s` has no ports", p.proto);
		return ERR_CONFIG;
	}
	if (p.ports[0] && !ports_parse(p.ports, &t)) {
		ports_explain(text, p.proto, fact);
		words(hint, t.proto == PROTO_ICMP || t.proto == PROTO_ICMPV6
				    ? "a type, or type.code: icmp/8, icmp/3.4"
				    : "443, 5000-5010, or opaque");
		return ERR_CONFIG;
	}
	if (!family_fits(&t)) {
		words(fact, "`%.20s` does not go over %s", p.proto,
		      t.lo.family == AF_INET ? "IPv4" : "IPv6");
		words(hint, t.lo.family == AF_INET ? "icmp" : "icmp6");
		return ERR_CONFIG;
	}
	*out = t;
	return OK;
}
