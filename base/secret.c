/* SPDX-License-Identifier: Apache-2.0 */
/* Wiping that the compiler may not leave out, and comparing that tells nothing by its time. */
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

void secret_wipe(void *p, size_t len)
{
	if (p != NULL)
		explicit_bzero(p, len);
}

bool secret_eq(struct span a, struct span b)
{
	/* volatile: the compiler must not find out that the answer is known early. */
	volatile uint8_t differ = 0;

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		differ = (uint8_t)(differ | (a.p[i] ^ b.p[i]));
	return differ == 0;
}

void secret_free(void *p, size_t len)
{
	secret_wipe(p, len);
	free(p);
}

bool key_set(struct key *k, struct span s)
{
	key_wipe(k);
	if (s.len > KEY_MAX)
		return false;
	k->len = (uint8_t)s.len;
	if (s.len > 0)
		memcpy(k->b, s.p, s.len);
	return true;
}

/* A key whose length was damaged shows at most what it holds. */
struct span key_span(const struct key *k)
{
	return span_of(k->b, k->len <= KEY_MAX ? k->len : KEY_MAX);
}

void key_wipe(struct key *k)
{
	secret_wipe(k, sizeof(*k));
}
