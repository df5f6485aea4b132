/* SPDX-License-Identifier: Apache-2.0 */
/* Reading costs the proposal's transforms times the policy's, both bounded; a transform that is not
 * in the policy, has an attribute that we do not know, or an ID of nobody, is counted and passed
 * over (RFC 7296 3.3.6).
 */
#include "ike/menu.h"

_Static_assert((int)SUITE_ENCR_MAX <= 32 && (int)SUITE_INTEG_MAX <= 32 &&
		       (int)SUITE_PRF_MAX <= 32 && (int)SUITE_KE_MAX <= 32,
	       "a menu has a bit for each transform of a policy");

#define TYPE_BIT(type) (UINT32_C(1) << (type))
#define NO_ROW	       UINT32_MAX

static uint32_t encr_bits(const struct suite_policy *p, const struct offer_transform *t)
{
	for (size_t i = 0; i < SUITE_ENCR_MAX && p->encr[i] != NULL; i++) {
		if (p->encr[i]->id == t->id && p->encr[i]->key_bits == t->key_bits)
			return UINT32_C(1) << i;
	}
	return 0;
}

static uint32_t integ_bits(const struct suite_policy *p, const struct offer_transform *t)
{
	for (size_t i = 0; i < SUITE_INTEG_MAX && p->integ[i] != NULL; i++) {
		if (p->integ[i]->id == t->id && t->key_bits == 0)
			return UINT32_C(1) << i;
	}
	return 0;
}

static uint32_t prf_bits(const struct suite_policy *p, const struct offer_transform *t)
{
	for (size_t i = 0; i < SUITE_PRF_MAX && p->prf[i] != NULL; i++) {
		if (p->prf[i]->id == t->id && t->key_bits == 0)
			return UINT32_C(1) << i;
	}
	return 0;
}

static uint32_t ke_bits(const struct suite_policy *p, const struct offer_transform *t)
{
	for (size_t i = 0; i < SUITE_KE_MAX && p->ke[i] != NULL; i++) {
		if (p->ke[i]->id == t->id && t->key_bits == 0)
			return UINT32_C(1) << i;
	}
	return 0;
}

static bool take_bits(uint32_t *on_menu, uint32_t bits)
{
	*on_menu |= bits;
	return bits != 0;
}

static bool take_flag(bool *flag, bool fits)
{
	*flag = *flag || fits;
	return fits;
}

/* Puts one transform on the menu; false when it is none that we could choose. */
static bool menu_take(struct menu *m, const struct proposal_want *want,
		      const struct offer_transform *t)
{
	if (t->strange)
		return false;
	switch ((enum transform_type)t->type) {
	case T_ENCR:
		return take_bits(&m->encr, encr_bits(want->policy, t));
	case T_PRF:
		return take_bits(&m->prf, prf_bits(want->policy, t));
	case T_INTEG:
		return take_flag(&m->integ_none, t->id == INTEG_NONE && t->key_bits == 0) ||
		       take_bits(&m->integ, integ_bits(want->policy, t));
	case T_KE:
		return take_flag(&m->ke_none, t->id == KE_NONE && t->key_bits == 0) ||
		       take_bits(&m->ke, ke_bits(want->policy, t));
	case T_ESN:
		return take_flag(&m->esn_no, t->id == ESN_NO && t->key_bits == 0 &&
						     !(want->one && want->esn)) ||
		       take_flag(&m->esn_yes, want->esn && t->id == ESN_YES && t->key_bits == 0);
	case N_TRANSFORM_TYPES:
		break;
	}
	return false;
}

bool menu_type_wanted(const struct proposal_want *want, uint8_t type)
{
	bool ike = want->protocol == PROTO_IKE;

	return type == T_ENCR || type == T_INTEG || type == T_KE || (type == T_PRF && ike) ||
	       (type == T_ESN && !ike);
}

static void count(uint8_t *n)
{
	if (*n < UINT8_MAX)
		(*n)++;
}

/* RFC 7296 3.3.1: 4 bytes for ESP, 8 for a rekeyed IKE SA, none for a new one. */
static bool spi_read(const struct offer_proposal *p, const struct proposal_want *want,
		     uint64_t *spi)
{
	struct rd r = rd_from(p->spi);

	*spi = 0;
	if (want->protocol == PROTO_ESP)
		*spi = rd_u32(&r);
	else if (want->rekey)
		*spi = rd_u64(&r);
	if (!rd_end(&r))
		return false;
	return want->protocol == PROTO_ESP ? *spi >= ESP_SPI_MIN : !want->rekey || *spi != 0;
}

void menu_read(const struct offer_proposal *p, const struct proposal_want *want, struct menu *m)
{
	struct offer_walk w = offer_transforms(p);
	struct offer_transform t;

	*m = (struct menu){ .encr = 0 };
	m->spi_ok = spi_read(p, want, &m->spi);
	while (offer_next_transform(&w, &t)) {
		if (!menu_type_wanted(want, t.type)) {
			m->foreign = true;
			continue;
		}
		m->types |= TYPE_BIT(t.type);
		if (menu_take(m, want, &t))
			count(&m->n_of[t.type]);
		else
			count(&m->n_strange);
	}
}

static uint32_t first_bit(uint32_t bits)
{
	return bits != 0 ? (uint32_t)__builtin_ctz(bits) : NO_ROW;
}

/* AEAD goes without integrity, or with NONE where the peer wrote it; all else needs one. Of the
 * policy's order the first cipher for which that holds. */
static uint32_t choose_protection(const struct menu *m, const struct proposal_want *want,
				  struct proposal_chosen *c, uint32_t *rank)
{
	uint32_t integ = first_bit(m->integ);
	uint32_t lacks = m->encr == 0 ? TYPE_BIT(T_ENCR) : TYPE_BIT(T_INTEG);

	for (uint32_t i = 0; i < SUITE_ENCR_MAX && want->policy->encr[i] != NULL; i++) {
		const struct encr *encr = want->policy->encr[i];

		if (!(m->encr & UINT32_C(1) << i))
			continue;
		if (encr->aead ? (m->types & TYPE_BIT(T_INTEG)) && !m->integ_none : integ == NO_ROW)
			continue;
		c->suite.encr = encr;
		c->suite.integ = encr->aead ? NULL : want->policy->integ[integ];
		c->integ_none = encr->aead && m->integ_none;
		*rank = i << 8 | (encr->aead ? 0 : integ);
		return 0;
	}
	return lacks;
}

/* The group, where the exchange has one (IKE always); else the proposal must let it out. One with a
 * group is better than one without. */
static uint32_t choose_group(const struct menu *m, const struct proposal_want *want,
			     struct proposal_chosen *c, uint32_t *rank)
{
	uint32_t ke = first_bit(m->ke);
	bool esp = want->protocol == PROTO_ESP;

	if (esp && (!want->with_ke || (want->ke_optional && ke == NO_ROW))) {
		c->ke_none = m->ke_none;
		*rank = *rank << 8 | UINT8_MAX;
		return m->ke_none || !(m->types & TYPE_BIT(T_KE)) ? 0 : TYPE_BIT(T_KE);
	}
	if (ke == NO_ROW)
		return TYPE_BIT(T_KE);
	c->suite.ke = want->policy->ke[ke];
	*rank = *rank << 8 | ke;
	return 0;
}

/* What only one of the protocols has: a PRF (IKE), sequence numbers (ESP). */
static uint32_t choose_own(const struct menu *m, const struct proposal_want *want,
			   struct proposal_chosen *c, uint32_t *rank)
{
	uint32_t prf = first_bit(m->prf);

	if (want->protocol == PROTO_ESP) {
		c->suite.esn = m->esn_yes;
		*rank = *rank << 8 | (m->esn_yes ? 0 : 1);
		return m->esn_yes || m->esn_no ? 0 : TYPE_BIT(T_ESN);
	}
	if (prf == NO_ROW)
		return TYPE_BIT(T_PRF);
	c->suite.prf = want->policy->prf[prf];
	*rank = *rank << 8 | prf;
	return 0;
}

uint32_t menu_choose(const struct menu *m, const struct proposal_want *want,
		     struct proposal_chosen *c, uint32_t *rank)
{
	uint32_t lacks;

	*c = (struct proposal_chosen){ .spi = m->spi };
	*rank = 0;
	lacks = choose_protection(m, want, c, rank);
	/* PRF before group, group before ESN; one protocol has no PRF, the other no ESN. */
	if (want->protocol == PROTO_IKE)
		lacks |= choose_own(m, want, c, rank);
	lacks |= choose_group(m, want, c, rank);
	if (want->protocol == PROTO_ESP)
		lacks |= choose_own(m, want, c, rank);
	return lacks;
}
