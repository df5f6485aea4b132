/* SPDX-License-Identifier: Apache-2.0 */
/* The policies that have a name, and what a chosen set is called. */
#include "crypto/suite.h"

#include <stdio.h>

#include "crypto/rows.h"

static const struct suite_policy modern = {
	.name = "modern",
	.encr = {
		&encr_rows[AES256_GCM16].row,
		&encr_rows[AES128_GCM16].row,
		&encr_rows[CHACHA20].row,
	},
	.prf = { &prf_rows[PRF_SHA384].row, &prf_rows[PRF_SHA256].row },
	.ke = {
		&ke_rows[X25519].row,
		&ke_rows[ECP384].row,
		&ke_rows[ECP256].row,
		&ke_rows[MODP3072].row,
	},
};

static const struct suite_policy compatible = {
	.name = "compatible",
	.encr = {
		&encr_rows[AES256_GCM16].row,
		&encr_rows[AES128_GCM16].row,
		&encr_rows[CHACHA20].row,
		&encr_rows[AES256_CBC].row,
		&encr_rows[AES128_CBC].row,
	},
	.integ = {
		&integ_rows[MAC_SHA256].row,
		&integ_rows[MAC_SHA384].row,
		&integ_rows[MAC_SHA512].row,
	},
	.prf = {
		&prf_rows[PRF_SHA384].row,
		&prf_rows[PRF_SHA256].row,
		&prf_rows[PRF_SHA512].row,
	},
	.ke = {
		&ke_rows[X25519].row,
		&ke_rows[ECP384].row,
		&ke_rows[ECP256].row,
		&ke_rows[MODP3072].row,
		&ke_rows[MODP4096].row,
		&ke_rows[MODP2048].row,
	},
};

const struct suite_policy *suite_policy_modern(void)
{
	return &modern;
}

const struct suite_policy *suite_policy_compatible(void)
{
	return &compatible;
}

/* Integrity goes with a cipher that needs it; one that needs it and has none is no suite. */
void suite_policy_first(const struct suite_policy *p, struct suite_policy *first)
{
	size_t i = 0;

	while (i + 1 < SUITE_ENCR_MAX && p->encr[i] && !p->encr[i]->aead && !p->integ[0])
		i++;
	*first = (struct suite_policy){
		.name = p->name,
		.encr = { p->encr[i] },
		.integ = { p->encr[i] && !p->encr[i]->aead ? p->integ[0] : NULL },
		.prf = { p->prf[0] },
		.ke = { p->ke[0] },
		.weak = p->weak,
	};
}

const char *suite_text(const struct suite *s, char *buf, size_t size)
{
	const char *integ = s->integ ? s->integ->keyword : NULL;
	const char *prf = s->prf ? s->prf->keyword : NULL;
	const char *ke = s->ke ? s->ke->keyword : NULL;

	/* Cut when it does not fit, never longer. */
	(void)snprintf(buf, size, "%s%s%s%s%s%s%s", s->encr ? s->encr->keyword : "-",
		       integ ? " " : "", integ ? integ : "", prf ? " " : "", prf ? prf : "",
		       ke ? " " : "", ke ? ke : "");
	return buf;
}

bool suite_weak(const struct suite *s)
{
	return (s->encr && s->encr->weak) || (s->integ && s->integ->weak) ||
	       (s->prf && s->prf->weak) || (s->ke && s->ke->weak);
}
