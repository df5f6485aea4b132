/* SPDX-License-Identifier: Apache-2.0 */
/* Making notes: see note.h. */
#include "ike/note.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ike/connection.h"

void note_print(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, size, fmt, ap);
	va_end(ap);
}

void note_print_ts(char *buf, size_t size, const struct ts_list *l)
{
	struct wr w = wr_into(buf, size - 1);

	for (size_t i = 0; i < l->n; i++) {
		char text[TS_TEXT_MAX];
		struct span s = span_str(ts_text(&l->v[i], text));

		/* Room for " ..." is kept, so that a cut list says that it is cut. */
		if (wr_left(&w) < s.len + 8) {
			wr_span(&w, span_str(" ..."));
			break;
		}
		if (i > 0)
			wr_span(&w, span_str(", "));
		wr_span(&w, s);
	}
	buf[wr_len(&w)] = 0;
}

void note_print_identity(char *buf, size_t size, const struct identity *id)
{
	char text[IDENTITY_TEXT_MAX];

	note_print(buf, size, "%s %s", identity_type_name(id->type), identity_text(id, text));
}

void note_explain_rejection(struct ike_note *n, const struct conf_connection *cn)
{
	char own[IDENTITY_TEXT_MAX], peer[IDENTITY_TEXT_MAX];
	bool any = cn->identity.type == ID_NONE;

	note_print_identity(n->offered, sizeof(n->offered), &cn->local_identity);
	note_print(n->fix, sizeof(n->fix),
		   "see the peer's log: it has to want %.70s%s%.70s, and to %s",
		   identity_text(&cn->local_identity, own), any ? "" : ", to be ",
		   any ? "" : identity_text(&cn->identity, peer),
		   cn->auth == CONF_AUTH_PSK ? "have what is in `psk_file`"
					     : "trust the CA of our certificate");
	n->line = cn->identity_pos.line;
}

void note_print_suite(struct ike_note *n, const struct suite *s)
{
	suite_text(s, n->suite, sizeof(n->suite));
	suite_weak_text(s, n->weak);
}

struct ike_note note_of_conn(const struct conn *c, enum ike_note_kind kind, enum err err)
{
	struct ike_note n = { .kind = kind, .err = err, .tries = c->tries };

	note_print(n.connection, sizeof(n.connection), "%s", c->conf->name);
	if (c->path_at < c->n_paths)
		n.path = c->paths[c->path_at];
	return n;
}

struct ike_note note_of_sa(const struct ike_sa *sa, enum ike_note_kind kind, enum err err)
{
	struct ike_note n = { .kind = kind, .err = err };

	if (sa->conn)
		n = note_of_conn(sa->conn, kind, err);
	n.path = sa->path;
	n.initiator = sa->initiator;
	n.proved = sa->peer != NULL;
	n.nat_here = sa->nat_here;
	n.nat_there = sa->nat_there;
	n.downgrade_protected = sa->transcript_full;
	n.spi = sa_own_spi(sa);
	n.ms = (uint32_t)((sa->e->now - sa->born) / NS_PER_MS);
	if (sa->peer)
		n.identity = *sa->peer;
	if (sa->suite.encr)
		note_print_suite(&n, &sa->suite);
	note_print(n.scheme, sizeof(n.scheme), "%s", sa->scheme);
	return n;
}

void note_tell(struct ike_engine *e, const struct ike_note *n)
{
	actions_note(&e->actions, n);
}

void note_dropped(struct ike_engine *e, const struct path *p, enum err err)
{
	struct ike_note n;

	e->stats.dropped[err]++;
	if (!limits_tell_drop(&e->limits, e->now))
		return;
	/* A note is large: for what is dropped in silence it is not even cleared. */
	n = (struct ike_note){ .kind = IKE_NOTE_DROPPED, .err = err, .path = *p };
	note_tell(e, &n);
}

void note_hint(struct ike_sa *sa, enum err err, const char *text)
{
	struct ike_note n = note_of_sa(sa, IKE_NOTE_HINT, err);
	uint64_t bit = 1ull << err;

	sa->hs->hint = err;
	if (sa->hs->hinted & bit)
		return;
	sa->hs->hinted |= bit;
	note_print(n.text, sizeof(n.text), "%s", text);
	note_tell(sa->e, &n);
}

void note_refused(struct ike_sa *sa, struct ike_note *n)
{
	sa->e->stats.refused++;
	n->kind = IKE_NOTE_REFUSED;
	if (sa->conn && sa->initiator) {
		conn_failed(sa->conn, n);
		return;
	}
	if (sa->conn)
		conn_remember(sa->conn, n);
	note_tell(sa->e, n);
}
