/* SPDX-License-Identifier: Apache-2.0 */
#include "ike/proposal.h"

#include "ike/menu.h"

static bool has_class(const struct suite_policy *p, bool aead)
{
	if (!aead && p->integ[0] == NULL)
		return false;
	for (size_t i = 0; i < SUITE_ENCR_MAX && p->encr[i] != NULL; i++) {
		if (p->encr[i]->aead == aead)
			return true;
	}
	return false;
}

/* Which of our proposals has this number? The AEAD ones come first (RFC 7296 3.3). */
static bool class_of(const struct suite_policy *p, uint8_t number, bool *aead)
{
	bool first = has_class(p, true), second = has_class(p, false);

	*aead = first && number == 1;
	return *aead || (second && number == (first ? 2 : 1));
}

static struct span spi_span(const struct proposal_want *want, uint64_t spi,
			    uint8_t buf[static IKE_SPI_LEN])
{
	struct wr w = wr_into(buf, IKE_SPI_LEN);

	if (want->protocol == PROTO_ESP)
		wr_u32(&w, (uint32_t)spi);
	else if (want->rekey)
		wr_u64(&w, spi);
	return wr_done(&w);
}

static void add_ciphers(struct offer_pen *pen, const struct suite_policy *p, bool aead)
{
	for (size_t i = 0; i < SUITE_ENCR_MAX && p->encr[i] != NULL; i++) {
		if (p->encr[i]->aead == aead)
			offer_add_transform(pen, T_ENCR, p->encr[i]->id, p->encr[i]->key_bits);
	}
	for (size_t i = 0; !aead && i < SUITE_INTEG_MAX && p->integ[i] != NULL; i++)
		offer_add_transform(pen, T_INTEG, p->integ[i]->id, 0);
}

static void add_prfs(struct offer_pen *pen, const struct suite_policy *p)
{
	for (size_t i = 0; i < SUITE_PRF_MAX && p->prf[i] != NULL; i++)
		offer_add_transform(pen, T_PRF, p->prf[i]->id, 0);
}

static void add_groups(struct offer_pen *pen, const struct proposal_want *want)
{
	for (size_t i = 0; i < SUITE_KE_MAX && want->policy->ke[i] != NULL; i++)
		offer_add_transform(pen, T_KE, want->policy->ke[i]->id, 0);
	if (want->ke_optional)
		offer_add_transform(pen, T_KE, KE_NONE, 0);
}

static void add_class(struct offer_pen *pen, const struct proposal_want *want, bool aead)
{
	bool esp = want->protocol == PROTO_ESP;

	add_ciphers(pen, want->policy, aead);
	if (!esp)
		add_prfs(pen, want->policy);
	if (!esp || want->with_ke)
		add_groups(pen, want);
	if (esp && want->esn)
		offer_add_transform(pen, T_ESN, ESN_YES, 0);
	if (esp && !(want->one && want->esn))
		offer_add_transform(pen, T_ESN, ESN_NO, 0);
}

struct proposal_want proposal_offered(const struct proposal_want *want, struct suite_policy *room)
{
	struct proposal_want offered = *want;

	if (!want->one)
		return offered;
	suite_policy_first(want->policy, room);
	offered.policy = room;
	offered.ke_optional = false;
	return offered;
}

void proposal_offer(struct wr *w, const struct proposal_want *all, uint64_t spi)
{
	struct suite_policy room;
	struct proposal_want want = proposal_offered(all, &room);
	bool second = has_class(want.policy, false);
	uint8_t buf[IKE_SPI_LEN];
	struct offer_proposal p = { .protocol = want.protocol, .spi = spi_span(&want, spi, buf) };
	struct offer_pen pen;

	if (has_class(want.policy, true)) {
		p.number++;
		pen = offer_begin_proposal(w, &p, !second);
		add_class(&pen, &want, true);
		offer_end_proposal(&pen);
	}
	if (second) {
		p.number++;
		pen = offer_begin_proposal(w, &p, true);
		add_class(&pen, &want, false);
		offer_end_proposal(&pen);
	}
	if (p.number == 0)
		wr_fail(w); /* a policy without a whole suite offers nothing */
}

/* Could this proposal be ours at all, whatever its transforms? */
static bool acceptable(const struct offer_proposal *p, const struct proposal_want *want,
		       struct menu *m)
{
	if (p->protocol != want->protocol)
		return false;
	menu_read(p, want, m);
	return m->spi_ok && !m->foreign;
}

enum err proposal_choose(struct span sa_body, const struct proposal_want *want,
			 struct proposal_chosen *c)
{
	struct offer_walk w = offer_proposals(sa_body);
	struct proposal_chosen candidate;
	struct offer_proposal p;
	uint32_t best = UINT32_MAX, rank;
	struct menu m;

	*c = (struct proposal_chosen){ .number = 0 };
	if (offer_check(sa_body) != OK)
		return ERR_SYNTAX;
	while (offer_next_proposal(&w, &p)) {
		if (!acceptable(&p, want, &m) || menu_choose(&m, want, &candidate, &rank) != 0)
			continue;
		/* Equal: the peer's earlier one. */
		if (rank < best) {
			best = rank;
			*c = candidate;
			c->number = p.number;
		}
	}
	return c->suite.encr != NULL ? OK : ERR_NO_PROPOSAL;
}

void proposal_answer(struct wr *w, const struct proposal_want *want,
		     const struct proposal_chosen *c, uint64_t spi)
{
	uint8_t buf[IKE_SPI_LEN];
	struct offer_proposal p = { .number = c->number,
				    .protocol = want->protocol,
				    .spi = spi_span(want, spi, buf) };
	struct offer_pen pen = offer_begin_proposal(w, &p, true);
	const struct suite *s = &c->suite;

	offer_add_transform(&pen, T_ENCR, s->encr->id, s->encr->key_bits);
	if (s->prf != NULL)
		offer_add_transform(&pen, T_PRF, s->prf->id, 0);
	if (s->integ != NULL)
		offer_add_transform(&pen, T_INTEG, s->integ->id, 0);
	else if (c->integ_none)
		offer_add_transform(&pen, T_INTEG, INTEG_NONE, 0);
	if (s->ke != NULL)
		offer_add_transform(&pen, T_KE, s->ke->id, 0);
	else if (c->ke_none)
		offer_add_transform(&pen, T_KE, KE_NONE, 0);
	if (want->protocol == PROTO_ESP)
		offer_add_transform(&pen, T_ESN, s->esn ? ESN_YES : ESN_NO, 0);
	offer_end_proposal(&pen);
}

/* One transform of a type at most, and none that was not to be chosen. */
static bool single(const struct menu *m)
{
	for (size_t i = 0; i < N_TRANSFORM_TYPES; i++) {
		if (m->n_of[i] > 1)
			return false;
	}
	return m->n_strange == 0;
}

enum err proposal_verify(struct span sa_body, const struct proposal_want *all,
			 struct proposal_chosen *c)
{
	struct suite_policy room;
	struct proposal_want want = proposal_offered(all, &room);
	struct offer_walk w = offer_proposals(sa_body);
	struct proposal_chosen answer;
	struct offer_proposal p;
	uint32_t rank;
	struct menu m;
	bool aead;

	*c = (struct proposal_chosen){ .number = 0 };
	if (offer_check(sa_body) != OK || !offer_next_proposal(&w, &p))
		return ERR_SYNTAX;
	if (!offer_ok(&w) || !class_of(want.policy, p.number, &aead))
		return ERR_NO_PROPOSAL;
	if (!acceptable(&p, &want, &m) || !single(&m) ||
	    menu_choose(&m, &want, &answer, &rank) != 0)
		return ERR_NO_PROPOSAL;
	/* A cipher of the other proposal, or NONE beside a cipher that needs integrity. */
	if (answer.suite.encr->aead != aead)
		return ERR_NO_PROPOSAL;
	answer.number = p.number;
	*c = answer;
	return OK;
}

enum err proposal_ke_check(const struct proposal_chosen *c, uint16_t group)
{
	return c->suite.ke != NULL && c->suite.ke->id == group ? OK : ERR_KE_GROUP;
}

const struct ke_group *proposal_ke_asked(const struct proposal_want *all, struct span notify_data,
					 uint16_t tried)
{
	struct suite_policy room;
	struct proposal_want want = proposal_offered(all, &room);
	struct rd r = rd_from(notify_data);
	uint16_t group = rd_u16(&r);

	if (!rd_end(&r) || group == tried)
		return NULL;
	for (size_t i = 0; i < SUITE_KE_MAX && want.policy->ke[i] != NULL; i++) {
		if (want.policy->ke[i]->id == group)
			return want.policy->ke[i];
	}
	return NULL;
}
