/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-shared keys from files. Copies are wiped, and nothing of a key ever stands in a message. */
#include "conf/psk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "base/secret.h"

enum { NAME_SHORT = 4 }; /* shorter names are in too many good keys by chance */

static enum err line_find(struct span file, struct span *line, char why[static 256])
{
	*line = file;
	if (line->len > 0 && line->p[line->len - 1] == '\n')
		line->len--;
	if (line->len > 0 && line->p[line->len - 1] == '\r')
		line->len--;
	if (line->len == 0) {
		snprintf(why, 256, "is empty");
		return ERR_CONFIG;
	}
	if (memchr(line->p, '\n', line->len) || memchr(line->p, '\0', line->len)) {
		snprintf(why, 256, "has more than one line, or a NUL byte");
		return ERR_CONFIG;
	}
	return OK;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum err text_copy(struct span text, struct span *key)
{
	uint8_t *out = malloc(text.len);

	if (!out)
		return ERR_NOMEM;
	memcpy(out, text.p, text.len);
	*key = (struct span){ out, text.len };
	return OK;
}

enum err secret_line(struct span file, struct span *line, char why[static 256])
{
	struct span found;
	enum err e = line_find(file, &found, why);

	*line = SPAN_EMPTY;
	return e == OK ? text_copy(found, line) : e;
}

static enum err hex_decode(struct span hex, struct span *key)
{
	size_t n = hex.len / 2;
	uint8_t *out = malloc(n ? n : 1);
	bool good = hex.len % 2 == 0 && n > 0;

	if (!out)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(hex.p[2 * i]);
		int lo = hex_digit(hex.p[2 * i + 1]);

		good = good && hi >= 0 && lo >= 0;
		out[i] = (uint8_t)((unsigned int)hi << 4 | (unsigned int)lo);
	}
	*key = (struct span){ out, n };
	return good ? OK : ERR_CONFIG;
}

static enum err base64_decode(struct span text, struct span *key)
{
	/* EVP_DecodeBlock writes three bytes for four, and counts the padding as bytes. */
	uint8_t *out = malloc(text.len + 3);
	int n = -1;

	if (!out)
		return ERR_NOMEM;
	if (text.len > 0 && text.len % 4 == 0)
		n = EVP_DecodeBlock(out, text.p, (int)text.len);
	for (size_t i = 0; n > 0 && i < 2 && text.p[text.len - 1 - i] == '='; i++)
		n--;
	*key = (struct span){ out, n > 0 ? (size_t)n : text.len };
	return n > 0 ? OK : ERR_CONFIG;
}

static bool begins(struct span s, const char *with)
{
	return s.len >= 2 && s.p[0] == with[0] && s.p[1] == with[1];
}

static enum err line_decode(struct span line, struct span *key, bool *text, char why[static 256])
{
	if (begins(line, "0x")) {
		snprintf(why, 256,
			 "has 0x in front, but not an even number of hexadecimal digits behind it");
		return hex_decode(span_tail(line, 2), key);
	}
	if (begins(line, "0s")) {
		snprintf(why, 256, "has 0s in front, but no base64 behind it");
		return base64_decode(span_tail(line, 2), key);
	}
	*text = true;
	return text_copy(line, key);
}

enum err psk_decode(struct span file, struct span *key, bool *text, char why[static 256])
{
	struct span line;
	enum err e = line_find(file, &line, why);

	*key = SPAN_EMPTY;
	*text = false;
	if (e == OK)
		e = line_decode(line, key, text, why);
	if (e != OK) {
		secret_free((void *)(uintptr_t)key->p, key->len);
		*key = SPAN_EMPTY;
	}
	return e;
}

static size_t count_different(struct span key)
{
	bool seen[256] = { false };
	size_t n = 0;

	for (size_t i = 0; i < key.len; i++) {
		n += !seen[key.p[i]];
		seen[key.p[i]] = true;
	}
	return n;
}

static bool contains(struct span key, const char *name)
{
	size_t len = strlen(name);

	if (len < NAME_SHORT)
		return false;
	for (struct span rest = key; rest.len >= len; rest = span_tail(rest, 1)) {
		if (strncasecmp((const char *)rest.p, name, len) == 0)
			return true;
	}
	return false;
}

static bool names_peer(struct span key, const struct conf_connection *cn)
{
	char id[IDENTITY_TEXT_MAX];
	char addr[ADDR_TEXT_MAX];

	if (cn->identity.type != ID_NONE && contains(key, identity_text(&cn->identity, id)))
		return true;
	if (cn->local_identity.type != ID_NONE &&
	    contains(key, identity_text(&cn->local_identity, id)))
		return true;
	if (cn->address_name && contains(key, cn->address_name))
		return true;
	for (size_t i = 0; i < cn->n_addresses; i++) {
		if (contains(key, addr_text(&cn->addresses[i], addr)))
			return true;
	}
	return cn->local_address.family != AF_UNSPEC &&
	       contains(key, addr_text(&cn->local_address, addr));
}

bool psk_strong(struct span key, bool text, const struct conf_connection *cn, char why[static 256])
{
	size_t least = text ? PSK_TEXT_MIN : PSK_BYTES_MIN;

	if (key.len < least)
		snprintf(why, 256, "has fewer than %zu %s", least, text ? "characters" : "bytes");
	else if (count_different(key) < PSK_DIFFERENT_MIN)
		snprintf(why, 256, "has fewer than %d different characters", PSK_DIFFERENT_MIN);
	else if (names_peer(key, cn))
		snprintf(why, 256, "contains an identity or address of the connection");
	else
		return true;
	return false;
}
