/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors as people read them: a network where the range is one, else both ends of the range. */
#include "base/ts.h"

#include <stdio.h>

#include "base/escape.h"

enum { PROTO_ICMP = 1, PROTO_ICMPV6 = 58 };

static const struct {
	uint8_t proto;
	const char *name;
} proto_names[] = {
	{ 0, "any" },  { PROTO_ICMP, "icmp" },	  { 6, "tcp" },	   { 17, "udp" }, { 47, "gre" },
	{ 50, "esp" }, { PROTO_ICMPV6, "icmp6" }, { 132, "sctp" },
};

static void text_add(struct wr *w, const char *s)
{
	wr_span(w, span_str(s));
}

static void number_add(struct wr *w, unsigned int v)
{
	char text[12];

	snprintf(text, sizeof(text), "%u", v);
	text_add(w, text);
}

static void proto_add(struct wr *w, uint8_t proto)
{
	for (size_t i = 0; i < sizeof(proto_names) / sizeof(proto_names[0]); i++) {
		if (proto_names[i].proto == proto) {
			text_add(w, proto_names[i].name);
			return;
		}
	}
	number_add(w, proto);
}

/* ICMP has type and code where others have a port. */
static void port_add(struct wr *w, uint8_t proto, uint16_t port)
{
	if (proto != PROTO_ICMP && proto != PROTO_ICMPV6) {
		number_add(w, port);
		return;
	}
	number_add(w, port >> 8 & 0xffu);
	text_add(w, ".");
	number_add(w, port & 0xffu);
}

static void ports_add(struct wr *w, const struct ts *t)
{
	text_add(w, "/");
	if (ts_port_opaque(t)) {
		text_add(w, "opaque");
		return;
	}
	port_add(w, t->proto, t->port_lo);
	if (t->port_lo == t->port_hi)
		return;
	text_add(w, "-");
	port_add(w, t->proto, t->port_hi);
}

static void range_add(struct wr *w, const struct ts *t)
{
	char text[NET_TEXT_MAX];
	struct net one;

	if (net_from_range(&t->lo, &t->hi, &one, 1) == 1) {
		text_add(w, net_text(&one, text));
		return;
	}
	text_add(w, addr_text(&t->lo, text));
	text_add(w, "-");
	text_add(w, addr_text(&t->hi, text));
}

const char *ts_text(const struct ts *t, char buf[static TS_TEXT_MAX])
{
	struct wr w = wr_into(buf, TS_TEXT_MAX);

	range_add(&w, t);
	if (t->proto != 0 || !ts_port_any(t)) {
		text_add(&w, " ");
		proto_add(&w, t->proto);
	}
	if (!ts_port_any(t))
		ports_add(&w, t);
	escape_end(&w);
	return buf;
}
