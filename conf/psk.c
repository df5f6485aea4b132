/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-shared keys from files. Whatever is replaced is wiped, nothing of a key ever stands in a message. */
#include "conf/psk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "base/secret.h"

enum { NAME_SHORT = 4 };	/* shorter names are in too many good keys by chance */

static void replace(struct span *old, uint8_t *bytes, size_t len)
{
	secret_free((void *)(uintptr_t)old->p, old->len);
	*old = (struct span){ bytes, len };
}

enum err secret_line(struct span *file, char why[static 256])
{
	struct span line = *file;

	if (line.len > 0 && line.p[line.len - 1] == '\n')
		line.len--;
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0) {
		snprintf(why, 256, "is empty");
		return ERR_CONFIG;
	}
	if (memchr(line.p, '\n', line.len) || memchr(line.p, '\0', line.len)) {
		snprintf(why, 256, "has more than one line, or a NUL byte");
		return ERR_CONFIG;
	}
	/* What is cut off is a line end, so the freed length may be the shorter one. */
	*file = line;
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

static enum err hex_decode(struct span *key)
{
	size_t n = key->len / 2 - 1;
	uint8_t *out = malloc(n ? n : 1);
	bool good = key->len % 2 == 0 && n > 0;

	if (!out)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(key->p[2 + 2 * i]);
		int lo = hex_digit(key->p[3 + 2 * i]);

		good = good && hi >= 0 && lo >= 0;
		out[i] = (uint8_t)((unsigned int)hi << 4 | (unsigned int)lo);
	}
	if (!good) {
		secret_free(out, n);
		return ERR_CONFIG;
	}
	replace(key, out, n);
	return OK;
}

static enum err base64_decode(struct span *key)
{
	size_t in = key->len - 2;
	uint8_t *out = malloc(in + 3);
	int n;

	if (!out)
		return ERR_NOMEM;
	n = in > 0 && in % 4 == 0 ? EVP_DecodeBlock(out, key->p + 2, (int)in) : -1;
	/* EVP_DecodeBlock counts the padding as bytes. */
	for (size_t i = 0; n > 0 && i < 2 && key->p[key->len - 1 - i] == '='; i++)
		n--;
	if (n <= 0) {
		secret_free(out, in + 3);
		return ERR_CONFIG;
	}
	replace(key, out, (size_t)n);
	return OK;
}

enum err psk_decode(struct span *file, bool *text, char why[static 256])
{
	enum err e = secret_line(file, why);

	*text = false;
	if (e != OK)
		return e;
	if (file->len >= 2 && memcmp(file->p, "0x", 2) == 0) {
		e = hex_decode(file);
		snprintf(why, 256, "has 0x in front, but not an even number of hexadecimal digits behind it");
	} else if (file->len >= 2 && memcmp(file->p, "0s", 2) == 0) {
		e = base64_decode(file);
		snprintf(why, 256, "has 0s in front, but no base64 behind it");
	} else {
		*text = true;
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
	if (cn->local_identity.type != ID_NONE && contains(key, identity_text(&cn->local_identity, id)))
		return true;
	if (cn->address_name && contains(key, cn->address_name))
		return true;
	for (size_t i = 0; i < cn->n_addresses; i++) {
		if (contains(key, addr_text(&cn->addresses[i], addr)))
			return true;
	}
	return cn->local_address.family != AF_UNSPEC && contains(key, addr_text(&cn->local_address, addr));
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
