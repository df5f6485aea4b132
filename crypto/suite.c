/* SPDX-License-Identifier: Apache-2.0 */
/* The policies that have a name, and what a chosen set is called. */
#include "crypto/suite.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
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

/* Rows are const and single, so their pointers say it all; behind the last, both have NULL. */
bool suite_policy_eq(const struct suite_policy *a, const struct suite_policy *b)
{
	return memcmp(a->encr, b->encr, sizeof(a->encr)) == 0 &&
	       memcmp(a->integ, b->integ, sizeof(a->integ)) == 0 &&
	       memcmp(a->prf, b->prf, sizeof(a->prf)) == 0 &&
	       memcmp(a->ke, b->ke, sizeof(a->ke)) == 0;
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

static void weak_add(struct wr *w, const char *keyword, bool weak)
{
	if (!weak)
		return;
	if (wr_len(w) > 0)
		wr_u8(w, ' ');
	wr_span(w, span_str(keyword));
}

const char *suite_policy_weak_text(const struct suite_policy *p, char buf[static SUITE_WEAK_MAX])
{
	struct wr w = wr_into(buf, SUITE_WEAK_MAX - 1);

	for (size_t i = 0; i < SUITE_ENCR_MAX && p->encr[i]; i++)
		weak_add(&w, p->encr[i]->keyword, p->encr[i]->weak);
	for (size_t i = 0; i < SUITE_INTEG_MAX && p->integ[i]; i++)
		weak_add(&w, p->integ[i]->keyword, p->integ[i]->weak);
	for (size_t i = 0; i < SUITE_PRF_MAX && p->prf[i]; i++)
		weak_add(&w, p->prf[i]->keyword, p->prf[i]->weak);
	for (size_t i = 0; i < SUITE_KE_MAX && p->ke[i]; i++)
		weak_add(&w, p->ke[i]->keyword, p->ke[i]->weak);
	buf[wr_len(&w)] = '\0';
	return buf;
}

const char *suite_weak_text(const struct suite *s, char buf[static SUITE_WEAK_MAX])
{
	const struct suite_policy alone = {
		.encr = { s->encr },
		.integ = { s->integ },
		.prf = { s->prf },
		.ke = { s->ke },
	};

	return suite_policy_weak_text(&alone, buf);
}
