/* SPDX-License-Identifier: Apache-2.0 */
/* A setting as it would stand in the file, so that what is shown can be loaded again. */
#include <string.h>

#include "conf/dn.h"
#include "conf/field.h"

/* The characters that a word may have without quotes, as in lex.l. */
static bool plain(const char *s)
{
	static const char words[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/@%+*-[]";

	return *s && s[strspn(s, words)] == '\0';
}

static void text_write(const char *s, FILE *f)
{
	if (plain(s)) {
		fputs(s, f);
		return;
	}
	fputc('"', f);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', f);
		fputc(*s, f);
	}
	fputc('"', f);
}

/* Text that is written as it is; else, or when it would be read as that, in hexadecimal. */
static void key_id_write(struct span s, FILE *f)
{
	bool plain = !(s.len >= 2 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x');
	char text[sizeof("keyid:") + IDENTITY_MAX];

	for (size_t i = 0; i < s.len; i++)
		plain = plain && s.p[i] > ' ' && s.p[i] < 0x7f;
	if (plain) {
		snprintf(text, sizeof(text), "keyid:%.*s", (int)s.len, (const char *)s.p);
		text_write(text, f);
		return;
	}
	fputs("keyid:0x", f);
	for (size_t i = 0; i < s.len; i++)
		fprintf(f, "%02x", s.p[i]);
}

/* Whole, as identity_parse and dn_from_text read it; identity_text escapes and cuts off. */
static void identity_write(const struct identity *id, FILE *f)
{
	struct span s = identity_span(id);
	char text[DN_TEXT_MAX];

	switch (id->type) {
	case ID_NONE:
		fputs("any", f);
		return;
	case ID_KEY_ID:
		key_id_write(s, f);
		return;
	case ID_FQDN:
	case ID_RFC822_ADDR:
		snprintf(text, sizeof(text), "%.*s", (int)s.len, (const char *)s.p);
		text_write(text, f);
		return;
	case ID_DER_ASN1_DN:
		if (dn_to_text(id, text)) {
			text_write(text, f);
			return;
		}
		break;
	}
	text_write(identity_text(id, text), f);
}

static uint64_t number_of(const struct schema_option *row, const void *x)
{
	uint16_t v16;
	uint32_t v32;
	uint64_t v64 = 0;

	if (row->size == sizeof(v16)) {
		memcpy(&v16, x, sizeof(v16));
		return v16;
	}
	if (row->size == sizeof(v32)) {
		memcpy(&v32, x, sizeof(v32));
		return v32;
	}
	memcpy(&v64, x, sizeof(v64));
	return v64;
}

static void choice_write(const struct schema_option *row, const void *x, FILE *f)
{
	for (const struct schema_choice *c = row->choices; c->word; c++) {
		if (c->value == number_of(row, x))
			fputs(c->word, f);
	}
}

static void peer_write(const struct conf_connection *cn, FILE *f)
{
	char text[ADDR_TEXT_MAX];

	if (cn->any_address || cn->address_name) {
		fputs(cn->any_address ? "any" : cn->address_name, f);
		return;
	}
	fputs(cn->n_addresses > 1 ? "{ " : "", f);
	for (size_t i = 0; i < cn->n_addresses; i++)
		fprintf(f, "%s%s", i ? ", " : "", addr_text(&cn->addresses[i], text));
	fputs(cn->n_addresses > 1 ? " }" : "", f);
}

static void addresses_write(const struct conf_child *ch, FILE *f)
{
	char text[ADDR_TEXT_MAX];

	fputs(ch->n_addresses > 1 ? "{ " : "", f);
	for (size_t i = 0; i < ch->n_addresses; i++)
		fprintf(f, "%s%s/%u", i ? ", " : "", addr_text(&ch->addresses[i].addr, text),
			ch->addresses[i].bits);
	fputs(ch->n_addresses > 1 ? " }" : "", f);
}

/* "10.1.0.0/16 tcp/443" is 10.1.0.0/16[tcp/443] in the file. */
static void selector_write(const struct ts *t, FILE *f)
{
	char text[TS_TEXT_MAX];
	char *space = strchr((char *)(uintptr_t)ts_text(t, text), ' ');

	if (space)
		*space = '\0';
	fputs(text, f);
	if (space)
		fprintf(f, "[%s]", space + 1);
}

static void selectors_write(const struct ts_list *l, FILE *f)
{
	fputs("{ ", f);
	for (size_t i = 0; i < l->n; i++) {
		fputs(i ? ", " : "", f);
		selector_write(&l->v[i], f);
	}
	fputs(" }", f);
}

static void policy_write(const struct suite_policy *p, FILE *f)
{
	if (strcmp(p->name, "custom") != 0) {
		fputs(p->name, f);
		return;
	}
	fputs("{", f);
	for (size_t i = 0; i < SUITE_ENCR_MAX && p->encr[i]; i++)
		fprintf(f, " %s", p->encr[i]->keyword);
	for (size_t i = 0; i < SUITE_INTEG_MAX && p->integ[i]; i++)
		fprintf(f, " %s", p->integ[i]->keyword);
	for (size_t i = 0; i < SUITE_PRF_MAX && p->prf[i]; i++)
		fprintf(f, " %s", p->prf[i]->keyword);
	for (size_t i = 0; i < SUITE_KE_MAX && p->ke[i]; i++)
		fprintf(f, " %s", p->ke[i]->keyword);
	fputs(" }", f);
}

bool field_is_set(const struct schema_option *row, const void *obj)
{
	const void *x = (const char *)obj + row->offset;

	switch (row->type) {
	case SCHEMA_FILE:
		return ((const struct conf_file *)x)->path != NULL;
	case SCHEMA_IDENTITY:
		return row->any || ((const struct identity *)x)->type != ID_NONE;
	case SCHEMA_ADDRESS:
		return ((const struct addr *)x)->family != AF_UNSPEC;
	case SCHEMA_DEVICE:
		return ((const char *)x)[0] != '\0';
	case SCHEMA_ADDRESSES:
		return ((const struct conf_child *)obj)->n_addresses > 0;
	case SCHEMA_ME_NAME:
		return *(const struct conf_me *const *)x &&
		       (*(const struct conf_me *const *)x)->name[0];
	case SCHEMA_YES_NO:
	case SCHEMA_NUMBER:
	case SCHEMA_TIME:
	case SCHEMA_CHOICE:
	case SCHEMA_PEER:
	case SCHEMA_SELECTORS:
	case SCHEMA_POLICY:
		return true;
	}
	return false;
}

void field_write(const struct schema_option *row, const void *obj, FILE *f)
{
	const void *x = (const char *)obj + row->offset;
	char text[ADDR_TEXT_MAX];

	switch (row->type) {
	case SCHEMA_YES_NO:
		fputs(*(const bool *)x ? "yes" : "no", f);
		return;
	case SCHEMA_NUMBER:
		fprintf(f, "%llu", (unsigned long long)number_of(row, x));
		return;
	case SCHEMA_TIME:
		fprintf(f, "%llus", (unsigned long long)(number_of(row, x) / NS_PER_S));
		return;
	case SCHEMA_CHOICE:
		choice_write(row, x, f);
		return;
	case SCHEMA_DEVICE:
		text_write(x, f);
		return;
	case SCHEMA_FILE:
		text_write(((const struct conf_file *)x)->path, f);
		return;
	case SCHEMA_IDENTITY:
		identity_write(x, f);
		return;
	case SCHEMA_PEER:
		peer_write(obj, f);
		return;
	case SCHEMA_ADDRESS:
		fputs(addr_text(x, text), f);
		return;
	case SCHEMA_ADDRESSES:
		addresses_write(obj, f);
		return;
	case SCHEMA_SELECTORS:
		selectors_write(x, f);
		return;
	case SCHEMA_POLICY:
		policy_write(x, f);
		return;
	case SCHEMA_ME_NAME:
		text_write((*(const struct conf_me *const *)x)->name, f);
		return;
	}
}
