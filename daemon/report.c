/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "daemon/notes.h"
#include "daemon/proto.h"

static const char *const state_names[] = {
	[IKE_STATE_OFF] = "off",
	[IKE_STATE_WAITING] = "waiting",
	[IKE_STATE_CONNECTING] = "connecting",
	[IKE_STATE_UP] = "up",
	[IKE_STATE_FAILING] = "failing",
};

const char *report_time(time_t t, char buf[static REPORT_TIME_MAX])
{
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(buf, REPORT_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		buf[0] = '\0';
	return buf;
}

void report_put(json_t **object, const char *key, json_t *value)
{
	if (json_object_set_new(*object, key, value) == 0)
		return;
	json_decref(*object);
	*object = NULL;
}

void report_add(json_t **array, json_t *value)
{
	if (json_array_append_new(*array, value) == 0)
		return;
	json_decref(*array);
	*array = NULL;
}

json_t *report_text(struct span s)
{
	char escaped[ESCAPE_TEXT_MAX];

	if (s.len == 0)
		return json_null();
	if (!escape_is_utf8(s))
		return json_string(escape_peer(s, escaped, sizeof escaped));
	return json_stringn((const char *)s.p, s.len);
}

static json_t *text_or_null(const char *s)
{
	return s ? report_text(span_str(s)) : json_null();
}

json_t *report_when(mono_ns at, const struct report_now *now)
{
	char buf[REPORT_TIME_MAX];
	mono_ns ago = now->mono > at ? now->mono - at : 0;
	time_t back = (time_t)(ago / NS_PER_S) + (now->rest < ago % NS_PER_S ? 1 : 0);

	return json_string(report_time(now->wall - back, buf));
}

static json_t *seconds_until(mono_ns at, const struct report_now *now)
{
	if (at == NEVER)
		return json_null();
	return json_integer(at > now->mono ? (json_int_t)((at - now->mono) / NS_PER_S) : 0);
}

static json_t *end_report(const struct endpoint *e, const struct identity *id)
{
	char addr[ADDR_TEXT_MAX], who[IDENTITY_TEXT_MAX];
	bool known = e->addr.family != AF_UNSPEC;

	return json_pack("{s:o, s:o, s:o, s:o}", "address",
			 known ? json_string(addr_text(&e->addr, addr)) : json_null(), "port",
			 known ? json_integer(e->port) : json_null(), "identity",
			 id->type == ID_NONE ? json_null() : json_string(identity_text(id, who)),
			 "identity_type",
			 id->type == ID_NONE ? json_null()
					     : json_string(identity_type_name(id->type)));
}

/* Before the first attempt the peer is where the configuration says. */
static json_t *remote_report(const struct ike_view *v)
{
	const struct conf_connection *cn = v->conf;
	struct endpoint e = v->path.remote;
	bool known = e.addr.family != AF_UNSPEC;
	json_t *o;

	if (!known && cn->n_addresses > 0)
		e = (struct endpoint){ .addr = cn->addresses[0], .port = cn->port };
	o = end_report(&e, &v->remote_identity);
	if (!known && cn->address_name != NULL)
		report_put(&o, "address", json_string(cn->address_name));
	return o;
}

static const char *nat_text(const struct ike_view *v)
{
	if (v->nat_here && v->nat_there)
		return "both";
	if (v->nat_here)
		return "here";
	return v->nat_there ? "there" : "none";
}

static json_t *suite_report(const struct suite *s)
{
	if (!s->encr)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o}", "encryption", s->encr->keyword, "integrity",
			 s->integ ? json_string(s->integ->keyword) : json_null(), "prf",
			 s->prf ? json_string(s->prf->keyword) : json_null(), "groups",
			 s->ke ? json_pack("[s]", s->ke->keyword) : json_array());
}

static json_t *selectors_report(const struct ts_list *l)
{
	json_t *a = json_array();
	char buf[TS_TEXT_MAX];

	for (unsigned i = 0; i < l->n; i++)
		report_add(&a, json_string(ts_text(&l->v[i], buf)));
	return a;
}

static json_t *spi_report(uint32_t spi)
{
	char buf[16];

	snprintf(buf, sizeof buf, "0x%08x", spi);
	return spi ? json_string(buf) : json_null();
}

static void child_traffic(json_t **o, const struct ike_child_view *c)
{
	report_put(o, "in_bytes", json_integer((json_int_t)c->in.bytes));
	report_put(o, "out_bytes", json_integer((json_int_t)c->out.bytes));
	report_put(o, "in_packets", json_integer((json_int_t)c->in.packets));
	report_put(o, "out_packets", json_integer((json_int_t)c->out.packets));
	report_put(o, "dropped_packets",
		   json_pack("{s:I, s:I, s:I, s:I}", "replay", (json_int_t)c->in.drop_replay,
			     "integrity", (json_int_t)c->in.drop_integrity, "selector",
			     (json_int_t)(c->in.drop_selector + c->out.drop_selector), "other",
			     (json_int_t)(c->in.drop_other + c->out.drop_other)));
}

/* Who carries it, or will, and why; with `carried` false nobody does, and why says what is missing.
 */
static void child_plane(json_t **o, const struct ike_child_view *c)
{
	static const char *const offloads[] = { [OFFLOAD_AUTO] = "no",
						[OFFLOAD_NO] = "no",
						[OFFLOAD_CRYPTO] = "crypto",
						[OFFLOAD_PACKET] = "packet" };

	report_put(o, "dataplane", json_string(c->plane == PLANE_USER ? "user" : "kernel"));
	report_put(o, "dataplane_why", text_or_null(c->plane_why));
	report_put(o, "carried", json_boolean(c->carried));
	report_put(o, "offload",
		   c->up && c->plane == PLANE_KERNEL ? json_string(offloads[c->offload])
						     : json_null());
}

static json_t *not_held(const struct ts_list *wanted, const struct ts_list *agreed)
{
	json_t *a = json_array();
	char buf[TS_TEXT_MAX];

	for (unsigned i = 0; i < wanted->n; i++) {
		if (!ts_list_holds(agreed, &wanted->v[i]))
			report_add(&a, json_string(ts_text(&wanted->v[i], buf)));
	}
	return a;
}

/* What is configured and was not agreed on, by selectors that lack some or all. In transport mode
 * it is as much as two hosts have; a connection for anybody shares its networks out; and of several
 * pairs each has a part. */
static json_t *not_carried(const struct ike_view *v, const struct ike_child_view *c)
{
	json_t *local, *remote;
	bool whole;

	if (!c->up || c->mode != SA_TUNNEL || v->conf->any_address || c->piecemeal ||
	    c->n_pairs > 1)
		return json_null();
	local = not_held(&c->conf->local, c->local);
	remote = not_held(&c->conf->remote, c->remote);
	whole = local && remote && json_array_size(local) + json_array_size(remote) == 0;
	if (!whole)
		return json_pack("{s:o, s:o}", "local", local, "remote", remote);
	json_decref(local);
	json_decref(remote);
	return json_null();
}

static json_t *child_report(const struct ike_view *v, const struct ike_child_view *c,
			    const struct report_now *now)
{
	const struct ts_list *local = c->up ? c->local : &c->conf->local,
			     *remote = c->up ? c->remote : &c->conf->remote;
	json_t *o = json_pack("{s:s, s:s, s:o, s:s, s:b, s:o, s:o, s:o}", "name", c->conf->name,
			      "state", c->up ? "up" : "down", "since",
			      c->up ? report_when(c->since, now) : json_null(), "mode",
			      c->mode == SA_TUNNEL ? "tunnel" : "transport", "guarded", c->guarded,
			      "mtu_bytes", c->up && c->mtu ? json_integer(c->mtu) : json_null(),
			      "local", selectors_report(local), "remote", selectors_report(remote));

	if (!o)
		return NULL;
	report_put(&o, "wanted", json_boolean(c->wanted || c->missed));
	report_put(&o, "tries", json_integer(c->tries));
	report_put(&o, "next_try_in_s", seconds_until(c->next_try, now));
	report_put(&o, "pairs", json_integer(c->n_pairs));
	report_put(&o, "not_carried", not_carried(v, c));
	child_plane(&o, c);
	report_put(&o, "interface", text_or_null(c->conf->interface));
	report_put(&o, "encryption",
		   c->up && c->suite.encr ? json_string(c->suite.encr->keyword) : json_null());
	report_put(&o, "integrity",
		   c->up && c->suite.integ ? json_string(c->suite.integ->keyword) : json_null());
	report_put(&o, "esn", c->up ? json_boolean(c->suite.esn) : json_null());
	report_put(&o, "rekey_in_s", seconds_until(c->rekey_at, now));
	report_put(&o, "spi_in", spi_report(c->spi_in));
	report_put(&o, "spi_out", spi_report(c->spi_out));
	child_traffic(&o, c);
	return o;
}

static json_t *failure_report(const struct ike_view *v, const struct report_now *now)
{
	json_t *o;

	if (!v->last_failure.connection[0])
		return json_null();
	o = report_note(&v->last_failure, 0);
	report_put(&o, "time", report_when(v->last_failure_at, now));
	return o;
}

static json_t *attempt_report(const struct ike_view *v, const struct report_now *now)
{
	if (v->asked == 0)
		return json_null();
	return json_pack("{s:s, s:i, s:o}", "exchange", v->asked_auth ? "IKE_AUTH" : "IKE_SA_INIT",
			 "messages", (int)v->asked, "silent_since",
			 report_when(v->silent_since, now));
}

static bool any_child_weak(const struct ike_view *v)
{
	for (size_t i = 0; i < v->n_children; i++) {
		if (v->children[i].up && suite_weak(&v->children[i].suite))
			return true;
	}
	return false;
}

static json_t *weak_report(const struct ike_view *v)
{
	json_t *a = json_array();

	if (v->conf->policy.weak)
		report_add(&a, json_string("policy"));
	if (v->state == IKE_STATE_UP && suite_weak(&v->suite))
		report_add(&a, json_string("ike"));
	if (any_child_weak(v))
		report_add(&a, json_string("children"));
	return a;
}

static json_t *weak_algorithms(const struct ike_view *v)
{
	char text[SUITE_WEAK_MAX];

	return text_or_null(suite_policy_weak_text(&v->conf->policy, text));
}

static json_t *ike_spi_report(uint64_t spi)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "0x%016" PRIx64, spi);
	return json_string(buf);
}

/* What an IKE SA is known by on the wire and at the peer: another one has others. */
static void ike_spis(json_t **o, const struct ike_view *v)
{
	bool up = v->state == IKE_STATE_UP;
	uint64_t local = v->initiator ? v->spi_i : v->spi_r;
	uint64_t remote = v->initiator ? v->spi_r : v->spi_i;

	report_put(o, "spi_local", up ? ike_spi_report(local) : json_null());
	report_put(o, "spi_remote", up ? ike_spi_report(remote) : json_null());
}

json_t *report_connection(const struct ike_view *v, const struct report_now *now)
{
	static const char *const starts[] = { [CONF_START_ALWAYS] = "always",
					      [CONF_START_TRAFFIC] = "traffic",
					      [CONF_START_MANUAL] = "manual" };
	bool up = v->state == IKE_STATE_UP;
	json_t *children = json_array();
	json_t *o =
		json_pack("{s:i, s:s, s:s, s:s, s:o, s:s, s:b, s:i}", "v", REPORT_VERSION, "kind",
			  "connection", "name", v->conf->name, "state", state_names[v->state],
			  "since", report_when(v->since, now), "start", starts[v->conf->start],
			  "wanted", v->wanted || v->missed, "tries", (int)v->tries);

	if (!o || !children) {
		json_decref(o);
		json_decref(children);
		return NULL;
	}
	report_put(&o, "role",
		   up ? json_string(v->initiator ? "initiator" : "responder") : json_null());
	ike_spis(&o, v);
	report_put(&o, "local", end_report(&v->path.local, &v->local_identity));
	report_put(&o, "remote", remote_report(v));
	report_put(&o, "nat", up ? json_string(nat_text(v)) : json_null());
	report_put(&o, "priority",
		   v->conf->priority > 0 ? json_integer(v->conf->priority) : json_null());
	report_put(&o, "passed_over", json_boolean(up && v->passed));
	report_put(&o, "encapsulated", up ? json_boolean(v->encap) : json_null());
	report_put(&o, "auth", json_string(v->conf->auth == CONF_AUTH_PSK ? "psk" : "certificate"));
	report_put(&o, "scheme", up ? text_or_null(v->scheme) : json_null());
	report_put(&o, "weak", weak_report(v));
	report_put(&o, "weak_algorithms", weak_algorithms(v));
	report_put(&o, "downgrade_protected",
		   up ? json_boolean(v->downgrade_protected) : json_null());
	report_put(&o, "rekey_in_s", seconds_until(v->rekey_at, now));
	report_put(&o, "next_try_in_s", seconds_until(v->next_try, now));
	report_put(&o, "ike", up ? suite_report(&v->suite) : json_null());
	report_put(&o, "attempt", attempt_report(v, now));
	report_put(&o, "last_failure", failure_report(v, now));
	for (size_t i = 0; i < v->n_children; i++)
		report_add(&children, child_report(v, &v->children[i], now));
	report_put(&o, "children", children);
	return o;
}

static json_t *peer_report(const struct ike_note *n)
{
	char buf[ENDPOINT_TEXT_MAX];

	return n->path.remote.addr.family == AF_UNSPEC
		       ? json_null()
		       : json_string(endpoint_text(&n->path.remote, buf));
}

json_t *report_note(const struct ike_note *n, time_t wall)
{
	char when_text[REPORT_TIME_MAX], who[IDENTITY_TEXT_MAX];
	json_t *o = json_pack("{s:i, s:s, s:s, s:s, s:o, s:o}", "v", REPORT_VERSION, "kind", "note",
			      "event", note_event(n->kind), "time", report_time(wall, when_text),
			      "connection", text_or_null(n->connection), "child",
			      text_or_null(n->child));

	if (!o)
		return NULL;
	report_put(&o, "reason", n->err == OK ? json_null() : json_string(err_slug(n->err)));
	report_put(&o, "meaning", n->err == OK ? json_null() : json_string(err_text(n->err)));
	report_put(&o, "proved", json_boolean(n->proved));
	report_put(&o, "role", json_string(n->initiator ? "initiator" : "responder"));
	report_put(&o, "peer", peer_report(n));
	report_put(&o, "identity",
		   n->identity.type == ID_NONE ? json_null()
					       : json_string(identity_text(&n->identity, who)));
	report_put(&o, "scheme", text_or_null(n->scheme));
	report_put(&o, "suite", text_or_null(n->suite));
	report_put(&o, "weak", text_or_null(n->weak));
	report_put(&o, "nat_here", json_boolean(n->nat_here));
	report_put(&o, "nat_there", json_boolean(n->nat_there));
	report_put(&o, "downgrade_protected", json_boolean(n->downgrade_protected));
	report_put(&o, "took_ms", json_integer(n->ms));
	report_put(&o, "next_try_ms", n->next_try_ms ? json_integer(n->next_try_ms) : json_null());
	report_put(&o, "next_address", json_boolean(n->next_address));
	report_put(&o, "goes_on", json_boolean(n->goes_on));
	report_put(&o, "tries", json_integer(n->tries));
	report_put(&o, "mtu_bytes", n->mtu ? json_integer(n->mtu) : json_null());
	report_put(&o, "dataplane",
		   n->kind == IKE_NOTE_CHILD_UP || n->kind == IKE_NOTE_CHILD_REKEYED
			   ? json_string(n->plane == PLANE_USER ? "user" : "kernel")
			   : json_null());
	report_put(&o, "offered", text_or_null(n->offered));
	report_put(&o, "wanted", text_or_null(n->wanted));
	report_put(&o, "got", text_or_null(n->got));
	report_put(&o, "text", text_or_null(n->text));
	report_put(&o, "fix", text_or_null(n->fix));
	report_put(&o, "line", n->line ? json_integer(n->line) : json_null());
	return o;
}

static json_t *changes_report(struct span lines)
{
	json_t *a = json_array();

	while (lines.len > 0) {
		const uint8_t *end = memchr(lines.p, '\n', lines.len);
		size_t len = end ? (size_t)(end - lines.p) : lines.len;

		report_add(&a, report_text(span_head(lines, len)));
		lines = span_tail(lines, len + 1);
	}
	return a;
}

json_t *report_end(enum err e, struct span text)
{
	const uint8_t *changes = text.len > 0 ? memchr(text.p, PROTO_CHANGES, text.len) : NULL;
	const size_t len = changes ? (size_t)(changes - text.p) : text.len;

	return json_pack("{s:i, s:s, s:b, s:o, s:o, s:i, s:o, s:o}", "v", REPORT_VERSION, "kind",
			 "end", "ok", e == OK, "reason",
			 e == OK ? json_null() : json_string(err_slug(e)), "meaning",
			 e == OK ? json_null() : json_string(err_text(e)), "exit",
			 err_row(e)->exit_code, "text", report_text(span_head(text, len)),
			 "changes",
			 changes ? changes_report(span_tail(text, len + 1)) : json_null());
}
