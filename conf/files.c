/* SPDX-License-Identifier: Apache-2.0 */
/* The files that the configuration names. One that this process may not see stays without bytes:
 * the monitor reads and judges all, the others get what is theirs.
 */
#include <string.h>

#include "conf/build.h"
#include "conf/psk.h"

enum { QCD_SECRET_LEAST = 32 }; /* RFC 6290 5.1 */

/* The text as written, without the folder in front. */
static const char *shown(const struct tree_block *block, const struct schema_option *row)
{
	const struct tree_option *o = tree_option_find(block, row->name);

	return o && o->values ? o->values->text : "";
}

static void file_refused(struct build *b, const struct tree_block *block,
			 const struct schema_option *row, const char *verb, const char *hint)
{
	char text[WORDS_MAX];

	words(text, "`%.100s` %s", shown(block, row), verb);
	mark_error(b->p, tree_value_mark(block, row->name), text, hint);
}

/* ERR_DENIED, ERR_SYSTEM and others: the source's own words, of the form FACT or FACT newline HINT.
 */
static void source_refused(struct build *b, const struct tree_block *block,
			   const struct schema_option *row, char *why)
{
	char *hint = strchr(why, '\n');

	if (hint)
		*hint++ = '\0';
	file_refused(b, block, row, why[0] ? why : "cannot be read", hint);
}

static bool file_fetch(struct build *b, const struct tree_block *block,
		       const struct schema_option *row, struct conf_file *f)
{
	char why[WORDS_MAX] = "";
	enum err e = b->src->read(b->src->ctx, row->file, f->path, &f->bytes, why);

	switch ((int)e) {
	case OK:
		return true;
	case ERR_UNSUPPORTED:
		if (b->src->mark)
			b->src->mark(b->src->ctx, row->file, f->path, f->mark);
		break;
	case ERR_NOMEM:
		b->nomem = true;
		break;
	case ERR_NOT_FOUND:
		file_refused(b, block, row, "is not there", f->path);
		break;
	default:
		source_refused(b, block, row, why);
	}
	f->bytes = SPAN_EMPTY;
	return false;
}

static void weak_warn(struct build *b, const struct tree_block *block,
		      const struct schema_option *row, const char *why)
{
	char text[WORDS_MAX];

	words(text, "`%.100s` %s, and is used by `accept_weak_psk`", shown(block, row), why);
	mark_warning(
		b->p, tree_value_mark(block, row->name), text,
		"who sees one handshake can find it by trying: openssl rand -hex 32 makes a good one");
}

static void psk_take(struct build *b, const struct tree_block *block,
		     const struct schema_option *row, struct conf_connection *cn)
{
	char why[WORDS_MAX] = "";
	bool text;
	enum err e = psk_decode(cn->psk.bytes, &cn->psk.secret, &text, why);

	if (e == ERR_NOMEM)
		b->nomem = true;
	else if (e != OK)
		file_refused(b, block, row, why,
			     "one line: text, 0x and hexadecimal, or 0s and base64");
	else if (psk_strong(cn->psk.secret, text, cn, why))
		return;
	else if (cn->accept_weak_psk)
		weak_warn(b, block, row, why);
	else
		file_refused(b, block, row, why, "openssl rand -hex 32 makes a good one");
}

static void passphrase_take(struct build *b, const struct tree_block *block,
			    const struct schema_option *row, struct conf_file *f)
{
	char why[WORDS_MAX] = "";
	enum err e = secret_line(f->bytes, &f->secret, why);

	if (e == ERR_NOMEM)
		b->nomem = true;
	else if (e != OK)
		file_refused(b, block, row, why, "the passphrase alone on one line");
}

/* The unit has ProtectHome: what lies there works by hand and is gone at the next boot. */
static void home_warn(struct build *b, const struct tree_block *block,
		      const struct schema_option *row, const struct conf_file *f)
{
	char text[WORDS_MAX];

	if (strncmp(f->path, "/home/", 6) != 0 && strncmp(f->path, "/root/", 6) != 0)
		return;
	words(text, "`%.100s` is where the systemd unit cannot see it", shown(block, row));
	mark_warning(b->p, tree_value_mark(block, row->name), text,
		     "/etc/postern is the place for it");
}

/* What a copy that went wrong leaves behind. What else it holds than it should is judged by those
 * who read it; nothing at all is what no judge is asked about. */
static bool holds_something(struct build *b, const struct tree_block *block,
			    const struct schema_option *row, const struct conf_file *f)
{
	const bool must = row->file == CONF_FILE_CERTIFICATE || row->file == CONF_FILE_KEY ||
			  row->file == CONF_FILE_TRUST;

	if (f->bytes.len > 0 || !must)
		return true;
	file_refused(b, block, row, "is empty", f->path);
	return false;
}

/* A token must not be guessed (RFC 6290 9.1). */
static void qcd_judge_secret(struct build *b, const struct tree_block *block,
			     const struct schema_option *row, const struct conf_file *f)
{
	if (f->bytes.len < QCD_SECRET_LEAST)
		file_refused(b, block, row, "holds fewer than 32 bytes",
			     "openssl rand -out FILE 32 makes a good one");
}

static void block_read_files(struct build *b, const struct tree_block *block,
			     enum schema_block kind)
{
	const struct schema_option *row;
	struct conf_file *f;

	for (size_t i = 0; (row = schema_row(i)); i++) {
		if (row->block != kind || row->type != SCHEMA_FILE)
			continue;
		f = (struct conf_file *)(void *)((char *)block->made + row->offset);
		if (!f->path || f->bytes.p || !file_fetch(b, block, row, f) ||
		    !holds_something(b, block, row, f))
			continue;
		home_warn(b, block, row, f);
		if (row->file == CONF_FILE_PSK)
			psk_take(b, block, row, block->made);
		else if (row->file == CONF_FILE_PASSPHRASE)
			passphrase_take(b, block, row, f);
		else if (row->file == CONF_FILE_QCD_SECRET)
			qcd_judge_secret(b, block, row, f);
	}
}

void build_read_files(struct build *b)
{
	if (b->t->root.made)
		block_read_files(b, &b->t->root, SCHEMA_GLOBAL);
	for (const struct tree_block *in = b->t->root.blocks; in && !b->nomem; in = in->next) {
		if (in->made)
			block_read_files(
				b, in, strcmp(in->kind, "me") == 0 ? SCHEMA_ME : SCHEMA_CONNECTION);
	}
}
