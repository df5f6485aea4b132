/* SPDX-License-Identifier: Apache-2.0 */
/* Engines and planes that are broken on purpose: the interleavings have to find each. */
#include <string.h>

#include "ike/core.h"
#include "tests/sim/interleave.h"
#include "tests/sim/world.h"

/* A little after the first has begun. */
enum { SOON = 4 };

typedef void sa_fn(struct ike_sa *sa);

static void each_sa(struct sim *s, enum side side, sa_fn *fn)
{
	struct ike_engine *e = s->end[side].e;
	struct table_node *n = NULL;

	while ((n = table_next(&e->by_spi, n)))
		fn(container_of(n, struct ike_sa, by_spi));
}

static void iv_back(struct ike_sa *sa)
{
	sa->next_iv -= sa->state == S_UP;
}

static void repeats_iv(struct sim *s, unsigned instant)
{
	if (instant == SOON)
		each_sa(s, LEFT, iv_back);
}

static void id_back(struct ike_sa *sa)
{
	sa->window.next_out -= sa->state == S_UP && !sa->window.asked && sa->window.next_out > 2;
}

static void repeats_id(struct sim *s, unsigned instant)
{
	if (instant > SOON)
		each_sa(s, LEFT, id_back);
}

static void keeps_what_goes(struct sim *s, unsigned instant)
{
	(void)instant;
	s->end[RIGHT].keeps_sas = true;
}

/* The one that sends is no longer what the peer has. */
static void loses_outbound(struct sim *s, unsigned instant)
{
	struct end *end = &s->end[RIGHT];

	for (size_t i = 0; i < end->n_sas && instant == SOON; i++)
		end->sas[i].spi ^= end->sas[i].dir == SA_OUT;
}

static void loses_inbound(struct sim *s, unsigned instant)
{
	if (instant == SOON)
		plane_clear(&s->end[RIGHT]);
}

const struct il_control il_controls[] = {
	{ "iv", "an IV is used twice", repeats_iv },
	{ "id", "is sent again with other bytes", repeats_id },
	{ "leftover", "the plane has", keeps_what_goes },
	{ "packet", "which is not there", loses_outbound },
	{ "outbound", "has no outbound SA", loses_inbound },
	{ NULL, NULL, NULL },
};
