/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notes.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/repeats.h"

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
	K_GOES_ON = 1 << 13,
};

/* What a peer can bring about without end is limited. Of refusals each is told that says something
 * new; of what goes well so much that nobody misses a line of a peer in its senses. A line for each
 * IKE_SA_INIT and IKE_AUTH that went well is paid for by the handshake. */
enum note_limit { UNLIMITED, REFUSALS, ROUTINE };

static const struct repeat_rule rules[] = {
	[UNLIMITED] = { .burst = 0 },
	[REFUSALS] = { .burst = 1, .news = 4 },
	[ROUTINE] = { .burst = 60, .refill = 10 * NS_PER_S },
};

struct note_row {
	const char *event;
	enum log_level level;
	unsigned int keys;
	enum note_limit limit;
};

static const struct note_row rows[] = {
	[IKE_NOTE_CONNECTING] = { "connecting", LOG_LEVEL_INFO, K_PEER | K_ROLE | K_NEXT,
				  UNLIMITED },
	[IKE_NOTE_ANSWERED] = { "answered", LOG_LEVEL_INFO,
				K_PEER | K_ROLE | K_NAT | K_SUITE | K_MS, UNLIMITED },
	[IKE_NOTE_HINT] = { "hint", LOG_LEVEL_NOTICE, K_PEER | K_ERR | K_TEXT, REFUSALS },
	[IKE_NOTE_PROVED] = { "proved", LOG_LEVEL_INFO, K_PEER | K_WHO, ROUTINE },
	[IKE_NOTE_UP] = { "connection_up", LOG_LEVEL_NOTICE,
			  K_PEER | K_ROLE | K_WHO | K_SUITE | K_NAT | K_MS, UNLIMITED },
	[IKE_NOTE_CHILD_UP] = { "child_up", LOG_LEVEL_NOTICE,
				K_SUITE | K_SA | K_SELECTORS | K_PLANE, ROUTINE },
	[IKE_NOTE_CHILD_DOWN] = { "child_down", LOG_LEVEL_NOTICE, K_ERR | K_SA, ROUTINE },
	[IKE_NOTE_DOWN] = { "connection_down", LOG_LEVEL_NOTICE,
			    K_PEER | K_ERR | K_TEXT | K_NEXT | K_GOES_ON, UNLIMITED },
	[IKE_NOTE_REFUSED] = { "refused", LOG_LEVEL_WARNING,
			       K_PEER | K_ROLE | K_ERR | K_BOTH | K_NEXT, REFUSALS },
	[IKE_NOTE_MOVED] = { "moved", LOG_LEVEL_NOTICE, K_PEER | K_TEXT, ROUTINE },
	[IKE_NOTE_DROPPED] = { "dropped", LOG_LEVEL_DEBUG, K_PEER | K_ERR | K_TEXT, UNLIMITED },
	[IKE_NOTE_COOKIE] = { "cookies", LOG_LEVEL_NOTICE, K_TEXT, UNLIMITED },
	[IKE_NOTE_CHILD_FAILED] = { "child_failed", LOG_LEVEL_WARNING, K_PEER | K_ERR | K_BOTH,
				    REFUSALS },
	[IKE_NOTE_CHILD_LIMIT] = { "child_limit", LOG_LEVEL_DEBUG, K_SA | K_TEXT, UNLIMITED },
	[IKE_NOTE_CHILD_REKEYED] = { "rekeyed", LOG_LEVEL_INFO,
				     K_SUITE | K_SA | K_SELECTORS | K_PLANE, ROUTINE },
	[IKE_NOTE_REKEYED] = { "ike_rekeyed", LOG_LEVEL_INFO, K_PEER | K_SUITE, ROUTINE },
	[IKE_NOTE_REKEY_FAILED] = { "rekey_failed", LOG_LEVEL_WARNING, K_PEER | K_ERR | K_BOTH,
				    REFUSALS },
	[IKE_NOTE_PASSED_OVER] = { "passed_over", LOG_LEVEL_WARNING, K_PEER | K_TEXT, ROUTINE },
	[IKE_NOTE_USED_AGAIN] = { "used_again", LOG_LEVEL_NOTICE, K_PEER | K_MS, ROUTINE },
};

enum { N_ROWS = sizeof rows / sizeof rows[0] };

struct notes {
	struct repeats *repeats;
};

enum err notes_new(struct notes **n)
{
	enum err e;

	*n = calloc(1, sizeof **n);
	if (*n == NULL)
		return ERR_NOMEM;
	e = repeats_new(&(*n)->repeats);
	if (e != OK) {
		free(*n);
		*n = NULL;
	}
	return e;
}

void notes_free(struct notes *n)
{
	if (n == NULL)
		return;
	repeats_free(n->repeats);
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
	if ((keys & K_GOES_ON) != 0)
		log_str(l, "goes_on", n->goes_on ? "yes" : "no");
	if ((keys & K_NEXT) != 0) {
		put_num(l, "tries", n->tries);
		put_num(l, "next_s", (n->next_try_ms + 999) / 1000);
	}
}

/* ---- lines ---- */

static void line_write(const struct ike_note *note, const struct repeat_count *count)
{
	const struct note_row *row = &rows[note->kind];
	struct log_line l = log_event(row->level, row->event);

	put_keys(&l, note, row->keys);
	if (count->times > 0) {
		log_num(&l, "repeated", count->times);
		log_num(&l, "seconds", count->seconds);
	}
	log_write(&l);
}

/* A connection that is up again begins a new count: the next refusal is news. */
static void forget(struct notes *n, const char *connection, mono_ns now)
{
	struct repeat_count count;
	struct ike_note note;

	while (repeats_forget(n->repeats, connection, now, &note, &count))
		line_write(&note, &count);
}

void notes_log(struct notes *n, const struct ike_note *note, mono_ns now)
{
	const struct note_row *row = (size_t)note->kind < N_ROWS ? &rows[note->kind] : NULL;
	struct repeat_count count;

	if (note->kind == IKE_NOTE_UP)
		forget(n, note->connection, now);
	if (row == NULL || row->event == NULL || !log_wanted(row->level))
		return;
	if (repeats_judge(n->repeats, note, &rules[row->limit], now, &count))
		line_write(note, &count);
}

void notes_tick(struct notes *n, mono_ns now)
{
	struct repeat_count count;
	struct ike_note note;

	while (repeats_due(n->repeats, now, &note, &count))
		line_write(&note, &count);
}
