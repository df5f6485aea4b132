/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/random.h"

#include <limits.h>
#include <openssl/rand.h>
#include <string.h>

#include "crypto/ossl.h"

bool random_fill(const struct random *r, void *buf, size_t len)
{
	if (r->fill(r->ctx, buf, len))
		return true;
	memset(buf, 0, len); /* half-filled bytes must not pass for random ones */
	return false;
}

static bool system_fill(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	if (len > INT_MAX)
		return false;
	if (ossl_ok(RAND_bytes(buf, (int)len)))
		return true;
	ERR_clear_error();
	return false;
}

struct random random_system(void)
{
	return (struct random){ .fill = system_fill };
}
