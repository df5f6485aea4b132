/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ike/scene.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

uint64_t scene_roll(struct scene *s)
{
	s->chance = s->chance * 6364136223846793005u + 1442695040888963407u;
	return s->chance >> 16;
}

void scene_fill(struct scene *s, uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)scene_roll(s);
}

static void keep_first(const struct datagram *d, uint8_t *bytes, size_t *len)
{
	if (*len > 0 || d->len > SCENE_ROOM)
		return;
	memcpy(bytes, d->bytes, d->len);
	*len = d->len;
}

/* Keeps what is wanted for later, and loses what goes to strangers. */
static bool watch(struct pair *p, struct datagram *d)
{
	struct scene *s = p->ctx;
	struct ike_header h;

	if (d->to == LEFT)
		return addr_eq(&d->path.local.addr, &p->end[LEFT].addr);
	if (header_decode(span_of(d->bytes, d->len), &h) != OK)
		return true;
	if (h.exchange == X_IKE_SA_INIT)
		keep_first(d, s->init, &s->init_len);
	if (h.exchange == X_INFORMATIONAL && !header_is_response(&h))
		keep_first(d, s->old, &s->old_len);
	return true;
}

static void forget_notes(struct scene *s)
{
	for (enum side side = LEFT; side <= RIGHT; side++) {
		s->n_down += pair_count(s->p, side, IKE_NOTE_DOWN);
		s->p->end[side].n_notes = 0;
	}
}

void scene_pass_time(struct scene *s, mono_ns time)
{
	for (mono_ns gone = 0; gone < time; gone += 5 * NS_PER_S) {
		pair_run(s->p, time < 5 * NS_PER_S ? time : 5 * NS_PER_S);
		forget_notes(s);
	}
}

struct scene *scene_new(void)
{
	struct scene *s = calloc(1, sizeof(*s));

	ck_assert_ptr_nonnull(s);
	s->chance = 7;
	s->p = pair_new(
		pair_psk(LEFT, "liveness = 4s"),
		"me {\n identity = right.example.org\n}\n"
		"connection site {\n address = any\n identity = left.example.org\n auth = psk\n"
		" psk_file = site.psk\n liveness = 5s\n"
		" child net {\n  local = 10.2.0.0/16\n  remote = 10.1.0.0/16\n }\n}\n");
	s->p->ctx = s;
	s->p->filter = watch;
	pair_up(s->p, LEFT, "site");
	scene_pass_time(s, 20 * NS_PER_S);
	pair_expect_children(s->p, 1);
	ck_assert_uint_gt(s->init_len, 0);
	ck_assert_uint_gt(s->old_len, 0);
	return s;
}

void scene_free(struct scene *s)
{
	pair_free(s->p);
	free(s);
}

struct ike_sa *scene_up_sa(const struct scene *s, enum side side)
{
	struct table_node *n = NULL;

	while ((n = table_next(&s->p->end[side].e->by_spi, n))) {
		struct ike_sa *sa = container_of(n, struct ike_sa, by_spi);

		if (sa->state == S_UP)
			return sa;
	}
	ck_abort_msg("the established SA is gone");
	return NULL;
}
