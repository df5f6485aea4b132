/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenSSL's answers mean, for the files of this folder.
 *
 * Its functions give 1 for yes and 0, -1 or -2 for every shade of no. Taking "not zero" or "not
 * negative" for yes has let strangers in before (CVE-2013-2944, CVE-2020-16088), so there is one
 * question, and it is here.
 */
#ifndef CRYPTO_OSSL_H
#define CRYPTO_OSSL_H

#include <openssl/err.h>
#include <stdbool.h>

#include "base/err.h"

static inline bool ossl_ok(int rc)
{
	return rc == 1;
}

/* Takes the library's own account of a failure out of its queue, so that no later call finds it
 * there, and gives back `e`. */
static inline enum err ossl_fail(enum err e)
{
	ERR_clear_error();
	return e;
}

#endif
