/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notes.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { REPEATS = 64, REPEAT_SECONDS = 600 };

/* Which keys a kind of note has beside event, connection and child. Those that are empty are left
 * out. */
enum {
	K_PEER = 1 << 0,
	K_ROLE = 1 << 1,
	K_MS = 1 << 2,
	K_NAT = 1 << 3,
	K_SUITE = 1 << 4,
	K_WHO = 1 << 5, /* identity, scheme */
	K_ERR = 1 << 6,
	K_BOTH = 1 << 7, /* offered, wanted, got, text, fix, line, proved */
	K_NEXT = 1 << 8, /* tries, next_s */
	K_SA = 1 << 9,	 /* spi, mtu */
	K_TEXT = 1 << 10,
	K_SELECTORS = 1 << 11, /* the text is both sides' selectors */
	K_PLANE = 1 << 12,     /* plane, mode */
};

struct note_row {
	const char *event;
	enum log_level level;
	unsigned int keys;
	bool counted; /* repeats are counted */
};

static const struct note_row rows[] = {
	[IKE_NOTE_CONNECTING] = { "connecting", LOG_LEVEL_INFO, K_PEER | K_ROLE | K_NEXT, false },
	[IKE_NOTE_ANSWERED] = { "answered", LOG_LEVEL_INFO,
				K_PEER | K_ROLE | K_NAT | K_SUITE | K_MS, false },
	[IKE_NOTE_HINT] = { "hint", LOG_LEVEL_NOTICE, K_PEER | K_ERR | K_TEXT, true },
	[IKE_NOTE_PROVED] = { "proved", LOG_LEVEL_INFO, K_PEER | K_WHO, false },
	[IKE_NOTE_UP] = { "connection_up", LOG_LEVEL_NOTICE,
			  K_PEER | K_ROLE | K_WHO | K_SUITE | K_NAT | K_MS, false },
	[IKE_NOTE_CHILD_UP] = { "child_up", LOG_LEVEL_NOTICE,
				K_SUITE | K_SA | K_SELECTORS | K_PLANE, false },
	[IKE_NOTE_CHILD_DOWN] = { "child_down", LOG_LEVEL_NOTICE, K_ERR | K_SA, false },
	[IKE_NOTE_DOWN] = { "connection_down", LOG_LEVEL_NOTICE, K_PEER | K_ERR | K_TEXT | K_NEXT,
			    false },
	[IKE_NOTE_REFUSED] = { "refused", LOG_LEVEL_WARNING,
			       K_PEER | K_ROLE | K_ERR | K_BOTH | K_NEXT, true },
	[IKE_NOTE_MOVED] = { "moved", LOG_LEVEL_NOTICE, K_PEER | K_TEXT, false },
	[IKE_NOTE_DROPPED] = { "dropped", LOG_LEVEL_DEBUG, K_PEER | K_ERR | K_TEXT, false },
	[IKE_NOTE_COOKIE] = { "cookies", LOG_LEVEL_NOTICE, K_TEXT, false },
	[IKE_NOTE_CHILD_FAILED] = { "child_failed", LOG_LEVEL_WARNING, K_PEER | K_ERR | K_BOTH,
				    true },
	[IKE_NOTE_CHILD_LIMIT] = { "child_limit", LOG_LEVEL_DEBUG, K_SA | K_TEXT, false },
	[IKE_NOTE_CHILD_REKEYED] = { "rekeyed", LOG_LEVEL_INFO,
				     K_SUITE | K_SA | K_SELECTORS | K_PLANE, false },
	[IKE_NOTE_REKEYED] = { "ike_rekeyed", LOG_LEVEL_INFO, K_PEER | K_SUITE, false },
	[IKE_NOTE_REKEY_FAILED] = { "rekey_failed", LOG_LEVEL_WARNING, K_PEER | K_ERR | K_BOTH,
				    true },
};

enum { N_ROWS = sizeof rows / sizeof rows[0] };

/* A refusal that was written once: what came since then is counted. */
struct repeat {
	enum ike_note_kind kind;
	enum err err;
	char connection[CONF_NAME_MAX + 1];
	char child[CONF_NAME_MAX + 1];
	mono_ns written; /* 0: a free place */
	int64_t times;
};

struct notes {
	struct repeat v[REPEATS];
};

enum err notes_new(struct notes **n)
{
	*n = calloc(1, sizeof **n);
	return *n != NULL ? OK : ERR_NOMEM;
}

void notes_free(struct notes *n)
{
	free(n);
}

const char *note_event(enum ike_note_kind kind)
{
	return (size_t)kind < N_ROWS && rows[kind].event != NULL ? rows[kind].event : "note";
}

/* ---- keys ---- */

static void put_text(struct log_line *l, const char *key, const char *value)
{
	if (value[0] != '\0')
		log_str(l, key, value);
}

static void put_num(struct log_line *l, const char *key, int64_t value)
{
	if (value != 0)
		log_num(l, key, value);
}

static const char *nat_word(const struct ike_note *n)
{
	if (n->nat_here && n->nat_there)
		return "both";
	if (n->nat_here)
		return "here";
	return n->nat_there ? "there" : "none";
}

static void put_both(struct log_line *l, const struct ike_note *n)
{
	log_str(l, "proved", n->proved ? "yes" : "no");
	put_text(l, "offered", n->offered);
	put_text(l, "wanted", n->wanted);
	put_text(l, "got", n->got);
	put_text(l, "why", n->text);
	put_text(l, "try", n->fix);
	put_num(l, "line", n->line);
}

static void put_who(struct log_line *l, const struct ike_note *n)
{
	if (n->identity.type != ID_NONE)
		log_identity(l, "identity", &n->identity);
	put_text(l, "scheme", n->scheme);
	log_str(l, "downgrade_protected", n->downgrade_protected ? "yes" : "no");
}

static void put_first(struct log_line *l, const struct ike_note *n, unsigned int keys)
{
	put_text(l, "connection", n->connection);
	put_text(l, "child", n->child);
	if ((keys & K_PEER) != 0 && n->path.remote.addr.family != AF_UNSPEC)
		log_endpoint(l, "peer", &n->path.remote);
	if ((keys & K_ROLE) != 0)
		log_str(l, "role", n->initiator ? "initiator" : "responder");
	if ((keys & K_ERR) != 0)
		log_err(l, n->err);
}

static void put_keys(struct log_line *l, const struct ike_note *n, unsigned int keys)
{
	put_first(l, n, keys);
	if ((keys & K_WHO) != 0)
		put_who(l, n);
	if ((keys & K_SUITE) != 0) {
		put_text(l, "suite", n->suite);
		put_text(l, "weak", n->weak);
	}
	if ((keys & K_NAT) != 0)
		log_str(l, "nat", nat_word(n));
	if ((keys & K_BOTH) != 0)
		put_both(l, n);
	if ((keys & K_SELECTORS) != 0)
		put_text(l, "selectors", n->text);
	if ((keys & K_TEXT) != 0)
		put_text(l, "why", n->text);
	if ((keys & K_PLANE) != 0) {
		log_str(l, "plane", n->plane == PLANE_USER ? "user" : "kernel");
		log_str(l, "mode", n->mode == SA_TUNNEL ? "tunnel" : "transport");
	}
	if ((keys & K_SA) != 0 && n->spi != 0)
		log_hex(l, "spi", n->spi);
	if ((keys & K_SA) != 0)
		put_num(l, "mtu", n->mtu);
	if ((keys & K_MS) != 0)
		log_num(l, "ms", n->ms);
	if ((keys & K_NEXT) != 0) {
		put_num(l, "tries", n->tries);
		put_num(l, "next_s", (n->next_try_ms + 999) / 1000);
	}
}

/* ---- repeats ---- */

static bool repeat_is(const struct repeat *r, const struct ike_note *n)
{
	return r->written != 0 && r->kind == n->kind && r->err == n->err &&
	       strcmp(r->connection, n->connection) == 0 && strcmp(r->child, n->child) == 0;
}

/* The place of this note, or the one that was written longest ago. */
static struct repeat *repeat_find(struct notes *n, const struct ike_note *note)
{
	struct repeat *oldest = &n->v[0];

	for (size_t i = 0; i < REPEATS; i++) {
		if (repeat_is(&n->v[i], note))
			return &n->v[i];
		if (n->v[i].written < oldest->written)
			oldest = &n->v[i];
	}
	return oldest;
}

/* True: it was said a short while ago, and only counted now. */
static bool repeat_counted(struct notes *n, const struct ike_note *note, mono_ns now,
			   struct log_line *l)
{
	struct repeat *r = repeat_find(n, note);
	bool known = repeat_is(r, note);

	if (known && now - r->written < REPEAT_SECONDS * NS_PER_S) {
		r->times++;
		return true;
	}
	if (known && r->times > 0) {
		log_num(l, "repeated", r->times);
		log_num(l, "seconds", (int64_t)((now - r->written) / NS_PER_S));
	}
	*r = (struct repeat){ .kind = note->kind, .err = note->err, .written = now };
	memcpy(r->connection, note->connection, sizeof r->connection);
	memcpy(r->child, note->child, sizeof r->child);
	return false;
}

/* A connection that is up again begins a new count: the next refusal is news. */
static void repeat_forget(struct notes *n, const char *connection)
{
	for (size_t i = 0; i < REPEATS; i++) {
		if (n->v[i].written != 0 && strcmp(n->v[i].connection, connection) == 0)
			n->v[i].written = 0;
	}
}

void notes_log(struct notes *n, const struct ike_note *note, mono_ns now)
{
	const struct note_row *row = (size_t)note->kind < N_ROWS ? &rows[note->kind] : NULL;
	struct log_line l;

	if (note->kind == IKE_NOTE_UP)
		repeat_forget(n, note->connection);
	if (row == NULL || row->event == NULL || !log_wanted(row->level))
		return;
	l = log_event(row->level, row->event);
	put_keys(&l, note, row->keys);
	if (!row->counted || !repeat_counted(n, note, now, &l))
		log_write(&l);
}
