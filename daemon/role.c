/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/role.h"

#include <string.h>

#define SEES(kind) (1u << CONF_FILE_##kind)

/* Whoever reads a stranger's certificate (verifier) has no key; whoever has keys (signer) reads
 * nothing of a stranger's but bytes to be signed; whoever parses IKE (engine) sees only what it
 * sends to strangers anyway, and the secret of tokens (ike/qcd.h), by which one can do no more than
 * end IKE SAs. */
static const struct role_row rows[N_ROLES] = {
	[ROLE_MONITOR] = { .name = "monitor", .compares = true },
	[ROLE_ENGINE] = {
		.name = "engine", .user = "postern",
		.files = SEES(CERTIFICATE) | SEES(TRUST) | SEES(QCD_SECRET), .compares = true,
	},
	[ROLE_SIGNER] = {
		.name = "signer", .user = "postern-sign",
		.files = SEES(KEY) | SEES(PASSPHRASE) | SEES(PSK), .serves_engine = true,
	},
	[ROLE_VERIFIER] = { .name = "verifier", .user = "postern-verify", .files = SEES(TRUST), .serves_engine = true },
	[ROLE_ESP] = { .name = "esp", .user = "postern", .serves_engine = true },
	[ROLE_FETCHER] = { .name = "fetcher", .user = "postern-fetch", .serves_engine = true },
};

const struct role_row *role_row(enum role r)
{
	return &rows[r];
}

bool role_find(const char *name, enum role *r)
{
	for (unsigned int i = 0; i < N_ROLES; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*r = (enum role)i;
			return true;
		}
	}
	return false;
}

bool role_meets(enum role a, enum role b)
{
	return (a == ROLE_ENGINE && rows[b].serves_engine) ||
	       (b == ROLE_ENGINE && rows[a].serves_engine);
}

bool role_may_see(enum role r, enum conf_file_kind kind)
{
	return (rows[r].files & (1u << kind)) != 0;
}
