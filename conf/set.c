/* SPDX-License-Identifier: Apache-2.0 */
/* Values to fields: a setter for each type of the schema. Where several places could be meant, the
 * mark is on the value that is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/build.h"
#include "conf/dn.h"
#include "conf/selector.h"
#include "conf/value.h"

static void *field(const struct schema_option *row, void *obj)
{
	return (char *)obj + row->offset;
}

static void store_number(const struct schema_option *row, void *obj, uint64_t v)
{
	uint16_t v16 = (uint16_t)v;
	uint32_t v32 = (uint32_t)v;

	if (row->size == sizeof(v16))
		memcpy(field(row, obj), &v16, sizeof(v16));
	else if (row->size == sizeof(v32))
		memcpy(field(row, obj), &v32, sizeof(v32));
	else
		memcpy(field(row, obj), &v, sizeof(v));
}

static bool refuse(struct build *b, const struct tree_value *v, const char *what, const char *hint)
{
	char text[WORDS_MAX];

	mark_error(b->p, v->at, words(text, "`%.120s` %s", v->text, what), hint);
	return false;
}

static bool set_yes_no(struct build *b, const struct schema_option *row,
		       const struct tree_option *o, void *obj)
{
	return value_yes_no(o->values->text, field(row, obj)) ||
	       refuse(b, o->values, "is neither yes nor no", NULL);
}

static bool set_number(struct build *b, const struct schema_option *row,
		       const struct tree_option *o, void *obj)
{
	char hint[WORDS_MAX];
	uint64_t v;

	words(hint, "%s goes from %llu to %llu", row->name, (unsigned long long)row->min,
	      (unsigned long long)row->max);
	if (!value_number(o->values->text, &v))
		return refuse(b, o->values, "is no number", hint);
	if (v < row->min || v > row->max)
		return refuse(b, o->values, "is out of range", hint);
	store_number(row, obj, v);
	return true;
}

static bool set_time(struct build *b, const struct schema_option *row, const struct tree_option *o,
		     void *obj)
{
	char hint[WORDS_MAX];
	uint64_t v;

	words(hint, "%s goes from %llus to %llus", row->name, (unsigned long long)row->min,
	      (unsigned long long)row->max);
	if (!value_seconds(o->values->text, &v))
		return refuse(b, o->values, "is no time", "a number and s, m, h or d: 30s, 5m, 2h");
	if (v < row->min || v > row->max)
		return refuse(b, o->values, "is out of range", hint);
	store_number(row, obj, v * NS_PER_S);
	return true;
}

static bool refuse_choice(struct build *b, const struct schema_option *row,
			  const struct tree_value *v)
{
	char text[WORDS_MAX];
	char hint[WORDS_MAX] = "";
	size_t used = 0;

	words(text, "%s cannot be `%.120s`", row->name, v->text);
	for (const struct schema_choice *c = row->choices; c->word; c++) {
		const char *between = c == row->choices ? "" : c[1].word ? ", " : " or ";

		if (word_distance(v->text, c->word) <= 2) {
			words(hint, "did you mean `%s`?", c->word);
			break;
		}
		used += (size_t)snprintf(hint + used, sizeof(hint) - used, "%s%s", between,
					 c->word);
	}
	mark_error(b->p, v->at, text, hint);
	return false;
}

static bool set_choice(struct build *b, const struct schema_option *row,
		       const struct tree_option *o, void *obj)
{
	for (const struct schema_choice *c = row->choices; c->word; c++) {
		if (strcmp(c->word, o->values->text) == 0) {
			store_number(row, obj, c->value);
			return true;
		}
	}
	return refuse_choice(b, row, o->values);
}

static bool set_device(struct build *b, const struct schema_option *row,
		       const struct tree_option *o, void *obj)
{
	if (!value_is_device(o->values->text))
		return refuse(b, o->values, "cannot name a device",
			      "at most 15 letters, digits, `_`, `-`, `.`");
	snprintf(field(row, obj), row->size, "%s", o->values->text);
	return true;
}

/* Relative to the folder of the configuration. */
static char *path_resolve(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	char *joined = NULL;

	if (path[0] == '/' || !slash)
		return strdup(path);
	if (asprintf(&joined, "%.*s%s", (int)(slash + 1 - file), file, path) < 0)
		return NULL;
	return joined;
}

static bool set_file(struct build *b, const struct schema_option *row, const struct tree_option *o,
		     void *obj)
{
	struct conf_file *f = field(row, obj);

	if (!o->values->text[0])
		return refuse(b, o->values, "names no file", NULL);
	f->path = path_resolve(b->c->file, o->values->text);
	f->pos = o->values->at.pos;
	if (!f->path)
		b->nomem = true;
	return f->path != NULL;
}

static bool set_identity(struct build *b, const struct schema_option *row,
			 const struct tree_option *o, void *obj)
{
	struct identity *id = field(row, obj);
	char why[WORDS_MAX] = "a name, an address, user@name, keyid:TEXT, or \"CN=..., O=...\"";
	enum err e;

	if (strcmp(o->values->text, "any") == 0)
		return row->any || refuse(b, o->values, "is nobody", why);
	e = identity_parse(id, o->values->text);
	if (e == ERR_UNSUPPORTED && id->type == ID_DER_ASN1_DN)
		e = dn_from_text(o->values->text, id, why);
	if (e == OK)
		return true;
	*id = (struct identity){ .type = ID_NONE };
	/* As others write a name that is not to be looked up. */
	if (o->values->text[0] == '@' && value_is_host(o->values->text + 1))
		words(why, "without the @: %.200s", o->values->text + 1);
	return refuse(b, o->values, "is no identity", why);
}

static bool set_address(struct build *b, const struct schema_option *row,
			const struct tree_option *o, void *obj)
{
	struct addr *a = field(row, obj);

	if (addr_parse(o->values->text, a) && !addr_is_any(a))
		return true;
	*a = (struct addr){ .family = AF_UNSPEC };
	return refuse(b, o->values, "is no address",
		      "an address of this machine: 192.0.2.1, 2001:db8::1");
}

static bool selectors_room(struct build *b, const struct tree_option *o, struct ts_list *list)
{
	char text[WORDS_MAX];

	if (o->n_values > TS_MAX) {
		words(text, "`%s` has %zu selectors, %d are the most", o->name, o->n_values,
		      TS_MAX);
		mark_error(b->p, o->at, text, NULL);
		return false;
	}
	list->v = calloc(o->n_values, sizeof(*list->v));
	if (!list->v)
		b->nomem = true;
	return list->v != NULL;
}

/* In either order: what asks for a child (a trap of the kernel's plane) goes before what carries
 * packets by how narrow it is. Of a peer that agrees to the wider one alone no packet of the
 * narrower one would find its child. */
static bool selector_repeated(struct build *b, const struct tree_value *v,
			      const struct ts_list *list, const struct ts *t)
{
	char text[TS_TEXT_MAX];
	char hint[WORDS_MAX];

	for (size_t i = 0; i < list->n; i++) {
		if (ts_covers(&list->v[i], t)) {
			refuse(b, v, "is contained in another of this list", "leave it out");
			return true;
		}
		if (ts_covers(t, &list->v[i])) {
			words(hint, "leave out %s", ts_text(&list->v[i], text));
			refuse(b, v, "contains another of this list", hint);
			return true;
		}
	}
	return false;
}

static bool set_selectors(struct build *b, const struct schema_option *row,
			  const struct tree_option *o, void *obj)
{
	struct ts_list *list = field(row, obj);
	char text[WORDS_MAX];
	char hint[WORDS_MAX];
	bool good = selectors_room(b, o, list);
	struct ts t;

	if (!good)
		return false;
	for (const struct tree_value *v = o->values; v; v = v->next) {
		if (selector_parse(v->text, &t, text, hint) != OK) {
			mark_error(b->p, v->at, text, hint);
			good = false;
		} else if (selector_repeated(b, v, list, &t)) {
			good = false;
		} else {
			list->v[list->n++] = t;
		}
	}
	return good;
}

/* The word that `why` is about stands at its beginning; else the whole list is meant. */
static struct mark policy_mark(const struct tree_option *o, const char *why)
{
	static const char unknown[] = "unknown word ";
	const char *word =
		strncmp(why, unknown, sizeof(unknown) - 1) == 0 ? why + sizeof(unknown) - 1 : why;
	size_t len = strcspn(word, " :");

	for (const struct tree_value *v = o->values; v; v = v->next) {
		if (strlen(v->text) == len && strncmp(v->text, word, len) == 0)
			return v->at;
	}
	return o->values->at;
}

/* `why` has the form FACT: HINT. */
static bool refuse_policy(struct build *b, const struct tree_option *o, char why[static WORDS_MAX])
{
	struct mark at = policy_mark(o, why);
	char *hint = strstr(why, ": ");

	if (hint) {
		*hint = '\0';
		hint += 2;
	}
	mark_error(b->p, at, why, hint ? hint : "modern, compatible, or a list of algorithms");
	return false;
}

static void warn_weak(struct build *b, const struct tree_value *v)
{
	char text[WORDS_MAX];

	mark_warning(b->p, v->at, words(text, "`%.120s` is weak", v->text),
		     "only for a peer that has nothing better");
}

static bool set_policy(struct build *b, const struct schema_option *row,
		       const struct tree_option *o, void *obj)
{
	enum { POLICY_WORDS = 64 };
	const char *list[POLICY_WORDS];
	char why[WORDS_MAX] = "";
	bool known = true;
	size_t n = 0;

	if (o->n_values > POLICY_WORDS)
		return refuse(b, o->values, "and what follows are more than 64 words", NULL);
	for (const struct tree_value *v = o->values; v; v = v->next) {
		list[n++] = v->text;
		if (!suite_word_known(v->text, why))
			known = refuse_policy(b, o, why);
		else if (suite_word_weak(v->text))
			warn_weak(b, v);
	}
	return known && (suite_policy_from_words(list, n, field(row, obj), why) == OK ||
			 refuse_policy(b, o, why));
}

static bool set_me(struct build *b, const struct schema_option *row, const struct tree_option *o,
		   void *obj)
{
	const struct conf_me **me = field(row, obj);

	for (size_t i = 0; i < b->c->n_mes; i++) {
		if (strcmp(b->c->mes[i].name, o->values->text) == 0 && b->c->mes[i].name[0]) {
			*me = &b->c->mes[i];
			return true;
		}
	}
	return refuse(b, o->values, "names no me block", "me NAME { ... } makes one");
}

static const struct {
	build_setter *set;
	bool list;
} setters[] = {
	[SCHEMA_YES_NO] = { set_yes_no, false },
	[SCHEMA_NUMBER] = { set_number, false },
	[SCHEMA_TIME] = { set_time, false },
	[SCHEMA_CHOICE] = { set_choice, false },
	[SCHEMA_DEVICE] = { set_device, false },
	[SCHEMA_FILE] = { set_file, false },
	[SCHEMA_IDENTITY] = { set_identity, false },
	[SCHEMA_PEER] = { build_set_peer, true },
	[SCHEMA_ADDRESS] = { set_address, false },
	[SCHEMA_SELECTORS] = { set_selectors, true },
	[SCHEMA_POLICY] = { set_policy, true },
	[SCHEMA_ME_NAME] = { set_me, false },
	[SCHEMA_ADDRESSES] = { build_set_addresses, true },
};

bool build_set_takes_list(enum schema_type type)
{
	return setters[type].list;
}

bool build_set(struct build *b, const struct schema_option *row, const struct tree_option *o,
	       void *obj)
{
	return setters[row->type].set(b, row, o, obj);
}
