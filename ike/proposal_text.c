/* SPDX-License-Identifier: Apache-2.0 */
/* Why nothing fits, in words: what the peer offered, what we would have taken, and, for the
 * proposal that came nearest, which type of transform differs. Nothing in the texts is the peer's
 * own: names come from our tables, all else is numbers.
 */
#include "ike/proposal.h"

#include <stdio.h>

#include "ike/menu.h"

static const char ellipsis[] = "...";

/* A text that is cut between words, with "..." at the end. */
struct text {
	struct wr w;
	bool cut;
};

static struct text text_begin(char *buf, size_t size)
{
	/* Room for the dots and the NUL is kept back. */
	return (struct text){ .w = wr_into(buf,
					   size > sizeof(ellipsis) ? size - sizeof(ellipsis) : 0) };
}

static void text_end(struct text *t, char *buf, size_t size)
{
	size_t len = wr_len(&t->w);

	(void)snprintf(buf + len, size - len, "%s", t->cut ? ellipsis : "");
}

static void text_add(struct text *t, const char *s)
{
	struct span word = span_str(s);

	if (t->cut || word.len > wr_left(&t->w))
		t->cut = true;
	else
		wr_span(&t->w, word);
}

/* The keyword of the configuration, or the registry's name with its key length, or a number. */
static const char *transform_text(const struct offer_transform *o, char *buf, size_t size)
{
	const struct encr *encr = o->type == T_ENCR ? encr_find(o->id, o->key_bits) : NULL;
	const struct integ *integ = o->type == T_INTEG ? integ_find(o->id) : NULL;
	const struct prf *prf = o->type == T_PRF ? prf_find(o->id) : NULL;
	const struct ke_group *ke = o->type == T_KE ? ke_find(o->id) : NULL;
	const char *name = transform_name((enum transform_type)o->type, o->id);

	if (encr != NULL)
		return encr->keyword;
	if (integ != NULL)
		return integ->keyword;
	if (prf != NULL)
		return prf->keyword;
	if (ke != NULL)
		return ke->keyword;
	if (o->type == T_ESN && o->id <= ESN_YES)
		return o->id == ESN_YES ? "esn" : "noesn";
	if (name == NULL)
		(void)snprintf(buf, size, "%u/%u", (unsigned int)o->type, (unsigned int)o->id);
	else if (o->key_bits != 0)
		(void)snprintf(buf, size, "%s-%u", name, (unsigned int)o->key_bits);
	else
		(void)snprintf(buf, size, "%s", name);
	return buf;
}

enum { WORD_MAX = 48 };

/* All transforms of a proposal, type by type as the peer wrote them: "a b; c; d e". */
static void add_transforms(struct text *t, const struct offer_proposal *p)
{
	struct offer_walk w = offer_transforms(p);
	struct offer_transform o;
	uint8_t before = 0;
	char word[WORD_MAX];

	while (offer_next_transform(&w, &o)) {
		if (before != 0)
			text_add(t, o.type == before ? " " : "; ");
		text_add(t, transform_text(&o, word, sizeof(word)));
		before = o.type;
	}
}

/* Those of one type: "a, b", or "none". */
static void add_transforms_of(struct text *t, const struct offer_proposal *p, uint8_t type)
{
	struct offer_walk w = offer_transforms(p);
	struct offer_transform o;
	size_t n = 0;
	char word[WORD_MAX];

	while (offer_next_transform(&w, &o)) {
		if (o.type != type)
			continue;
		text_add(t, n++ == 0 ? "" : ", ");
		text_add(t, transform_text(&o, word, sizeof(word)));
	}
	if (n == 0)
		text_add(t, "none");
}

/* Keyword number i that we would take for a type; NULL behind the last. */
static const char *wanted_word(const struct proposal_want *want, enum transform_type type, size_t i)
{
	const struct suite_policy *p = want->policy;

	switch (type) {
	case T_ENCR:
		return i < SUITE_ENCR_MAX && p->encr[i] != NULL ? p->encr[i]->keyword : NULL;
	case T_PRF:
		return i < SUITE_PRF_MAX && p->prf[i] != NULL ? p->prf[i]->keyword : NULL;
	case T_INTEG:
		return i < SUITE_INTEG_MAX && p->integ[i] != NULL ? p->integ[i]->keyword : NULL;
	case T_KE:
		return i < SUITE_KE_MAX && p->ke[i] != NULL ? p->ke[i]->keyword : NULL;
	case T_ESN:
		if (i == 0)
			return want->esn ? "esn" : "noesn";
		return i == 1 && want->esn ? "noesn" : NULL;
	case N_TRANSFORM_TYPES:
		break;
	}
	return NULL;
}

/* A Child SA of IKE_AUTH takes its keys from the IKE SA: there is no group to want. */
static bool type_wanted(const struct proposal_want *want, enum transform_type type)
{
	if (type == T_KE && want->protocol == PROTO_ESP && !want->with_ke)
		return false;
	return menu_type_wanted(want, (uint8_t)type) && wanted_word(want, type, 0) != NULL;
}

static void add_wanted(struct text *t, const struct proposal_want *want)
{
	static const enum transform_type order[] = { T_ENCR, T_INTEG, T_PRF, T_KE, T_ESN };
	const char *word, *between = "";

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (!type_wanted(want, order[i]))
			continue;
		for (size_t n = 0; (word = wanted_word(want, order[i], n)) != NULL; n++) {
			text_add(t, n == 0 ? between : " ");
			text_add(t, word);
		}
		between = "; ";
	}
}

/* "a, b or c" */
static void add_wanted_of(struct text *t, const struct proposal_want *want,
			  enum transform_type type)
{
	const char *word;

	if (!type_wanted(want, type))
		text_add(t, "none");
	for (size_t n = 0; type_wanted(want, type) && (word = wanted_word(want, type, n)) != NULL;
	     n++) {
		bool last = wanted_word(want, type, n + 1) == NULL;

		text_add(t, n == 0 ? "" : last ? " or " : ", ");
		text_add(t, word);
	}
}

static void add_offered(struct text *t, struct span sa_body)
{
	struct offer_walk w = offer_proposals(sa_body);
	struct offer_proposal p;
	size_t n = 0;

	while (!t->cut && offer_next_proposal(&w, &p)) {
		text_add(t, n++ == 0 ? "" : " | ");
		if (p.protocol == PROTO_AH)
			text_add(t, "AH ");
		add_transforms(t, &p);
	}
}

/* The proposal that came nearest to what we want. */
struct nearest {
	bool found;
	bool foreign; /* none was found, but one with a transform type that we do not know */
	bool spi_bad;
	struct offer_proposal p;
	uint32_t lacks;
};

static void nearest_find(struct span sa_body, const struct proposal_want *want,
			 struct nearest *best)
{
	struct offer_walk w = offer_proposals(sa_body);
	struct proposal_chosen c;
	struct offer_proposal p;
	struct menu m;
	uint32_t rank;

	*best = (struct nearest){ .found = false };
	while (offer_next_proposal(&w, &p)) {
		uint32_t lacks;

		if (p.protocol != want->protocol)
			continue;
		menu_read(&p, want, &m);
		best->foreign = best->foreign || m.foreign;
		best->spi_bad = best->spi_bad || !m.spi_ok;
		if (m.foreign || !m.spi_ok)
			continue;
		lacks = menu_choose(&m, want, &c, &rank);
		if (!best->found || __builtin_popcount(lacks) < __builtin_popcount(best->lacks)) {
			best->found = true;
			best->p = p;
			best->lacks = lacks;
		}
	}
}

static const char *const type_words[N_TRANSFORM_TYPES] = {
	[T_ENCR] = "encryption",      [T_PRF] = "PRF", [T_INTEG] = "integrity", [T_KE] = "group",
	[T_ESN] = "sequence numbers",
};

static void add_difference(struct text *t, const struct proposal_want *want,
			   const struct nearest *n, enum transform_type type)
{
	text_add(t, "peer offers ");
	add_transforms_of(t, &n->p, (uint8_t)type);
	text_add(t, ", wanted ");
	add_wanted_of(t, want, type);
}

static void add_differences(struct text *t, const struct proposal_want *want,
			    const struct nearest *n)
{
	bool one = __builtin_popcount(n->lacks) == 1;
	size_t said = 0;

	for (unsigned int type = T_ENCR; type < N_TRANSFORM_TYPES; type++) {
		if (!(n->lacks & UINT32_C(1) << type))
			continue;
		text_add(t, said++ == 0 ? (one ? "all but the " : "") : "; ");
		text_add(t, type_words[type]);
		text_add(t, one ? " fits: " : ": ");
		add_difference(t, want, n, (enum transform_type)type);
	}
}

static void add_reason(struct text *t, struct span sa_body, const struct proposal_want *want)
{
	struct nearest n;

	nearest_find(sa_body, want, &n);
	if (n.found && n.lacks != 0)
		add_differences(t, want, &n);
	else if (n.found)
		text_add(t, "one of the proposals fits");
	else if (n.foreign)
		text_add(t, "every proposal demands a type of transform that is not known here");
	else if (n.spi_bad)
		text_add(t, "every proposal has an SPI of a wrong size");
	else
		text_add(t, want->protocol == PROTO_ESP ? "no proposal is for ESP"
							: "no proposal is for IKE");
}

void proposal_explain(struct span sa_body, const struct proposal_want *want,
		      struct proposal_texts *t)
{
	struct text offered = text_begin(t->offered, sizeof(t->offered));
	struct text differs = text_begin(t->differs, sizeof(t->differs));

	if (offer_check(sa_body) == OK) {
		add_offered(&offered, sa_body);
		add_reason(&differs, sa_body, want);
	} else {
		text_add(&differs, "the SA payload is malformed");
	}
	text_end(&offered, t->offered, sizeof(t->offered));
	text_end(&differs, t->differs, sizeof(t->differs));
	proposal_wanted_text(want, t->wanted, sizeof(t->wanted));
}

void proposal_wanted_text(const struct proposal_want *want, char *buf, size_t size)
{
	struct suite_policy room;
	struct proposal_want offered = proposal_offered(want, &room);
	struct text t = text_begin(buf, size);

	if (size == 0)
		return;
	add_wanted(&t, &offered);
	text_end(&t, buf, size);
}
