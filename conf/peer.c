/* SPDX-License-Identifier: Apache-2.0 */
/* Where the peer is: a name, addresses, or any. */
#include <stdlib.h>
#include <string.h>

#include "conf/build.h"
#include "conf/value.h"

static bool refuse(struct build *b, const struct tree_value *v, const char *what, const char *hint)
{
	char text[WORDS_MAX];

	mark_error(b->p, v->at, words(text, "`%.120s` %s", v->text, what), hint);
	return false;
}

static bool peer_add(struct build *b, const struct tree_value *v, struct conf_connection *cn)
{
	struct addr a;

	if (!addr_parse(v->text, &a))
		return refuse(
			b, v, "is no address",
			"a list holds addresses: { 192.0.2.1, 2001:db8::1 }; a name stands alone");
	if (addr_is_any(&a))
		return refuse(b, v, "is no peer", "address = any, when the peer calls us");
	for (size_t i = 0; i < cn->n_addresses; i++) {
		if (addr_eq(&cn->addresses[i], &a))
			return refuse(b, v, "stands twice", NULL);
	}
	if (cn->n_addresses == CONF_ADDRS_MAX)
		return refuse(b, v, "is one too many", "8 addresses at most");
	cn->addresses[cn->n_addresses++] = a;
	return true;
}

static bool peer_set_name(struct build *b, const struct tree_value *v, struct conf_connection *cn)
{
	if (!value_is_host(v->text))
		return refuse(b, v, "is neither a name nor an address",
			      "gw.example.org, 192.0.2.1, 2001:db8::1, or any");
	cn->address_name = strdup(v->text);
	if (!cn->address_name)
		b->nomem = true;
	return cn->address_name != NULL;
}

bool build_set_peer(struct build *b, const struct schema_option *row, const struct tree_option *o,
		    void *obj)
{
	struct conf_connection *cn = obj;
	struct addr a;
	bool good = true;

	(void)row;
	if (o->n_values == 1 && strcmp(o->values->text, "any") == 0) {
		cn->any_address = true;
		return true;
	}
	if (o->n_values == 1 && !addr_parse(o->values->text, &a))
		return peer_set_name(b, o->values, cn);
	for (const struct tree_value *v = o->values; v; v = v->next)
		good = peer_add(b, v, cn) && good;
	return good;
}
