/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/refusals.h"

#include <stdlib.h>
#include <string.h>

/* One that was taken down here refuses by the operator's wish. */
static bool is_refused_call(const struct ike_note *n)
{
	return n->kind == IKE_NOTE_REFUSED && !n->initiator && n->err != ERR_OPERATOR;
}

static bool is_same_stranger(const struct ike_note *a, const struct ike_note *b)
{
	bool nameless = a->identity.type == ID_NONE && b->identity.type == ID_NONE;

	return a->err == b->err && addr_eq(&a->path.remote.addr, &b->path.remote.addr) &&
	       (nameless || identity_eq(&a->identity, &b->identity));
}

static bool is_same_connection(const struct ike_note *a, const struct ike_note *b)
{
	return strcmp(a->connection, b->connection) == 0;
}

/* The place where the same is, a free one, or that of the oldest. */
static struct refusal *place_for(struct refusal *v, size_t n, const struct ike_note *note)
{
	bool (*is_same)(const struct ike_note *, const struct ike_note *) =
		note->connection[0] ? is_same_connection : is_same_stranger;
	struct refusal *best = &v[0];

	for (size_t i = 0; i < n; i++) {
		if (v[i].times > 0 && is_same(&v[i].note, note))
			return &v[i];
		if (best->times > 0 && (v[i].times == 0 || v[i].last < best->last))
			best = &v[i];
	}
	best->times = 0;
	return best;
}

static void keep(struct refusal *r, const struct ike_note *n, mono_ns now)
{
	if (r->times == 0 || r->over || r->note.err != n->err) {
		r->first = now;
		r->times = 0;
	}
	r->note = *n;
	r->last = now;
	r->over = false;
	r->times++;
}

static void put_an_end(struct refusals *r, const char *connection)
{
	for (size_t i = 0; i < REFUSALS_CONNECTIONS; i++) {
		if (strcmp(r->connection[i].note.connection, connection) == 0)
			r->connection[i].over = true;
	}
}

void refusals_note(struct refusals *r, const struct ike_note *n, mono_ns now)
{
	if (n->kind == IKE_NOTE_UP)
		put_an_end(r, n->connection);
	else if (is_refused_call(n) && n->connection[0])
		keep(place_for(r->connection, REFUSALS_CONNECTIONS, n), n, now);
	else if (is_refused_call(n))
		keep(place_for(r->stranger, REFUSALS_STRANGERS, n), n, now);
}

static json_t *refusal_report(const struct refusal *r, const struct report_now *now)
{
	json_t *o = report_note(&r->note, 0);

	report_put(&o, "time", report_when(r->last, now));
	report_put(&o, "first_time", report_when(r->first, now));
	report_put(&o, "times", json_integer((json_int_t)r->times));
	report_put(&o, "over", json_boolean(r->over));
	return o;
}

static int by_age(const void *a, const void *b)
{
	const struct refusal *const *x = a, *const *y = b;

	return ((*x)->last > (*y)->last) - ((*x)->last < (*y)->last);
}

json_t *refusals_strangers(const struct refusals *r, const struct report_now *now)
{
	const struct refusal *v[REFUSALS_STRANGERS];
	json_t *a = json_array();
	size_t n = 0;

	for (size_t i = 0; i < REFUSALS_STRANGERS; i++) {
		if (r->stranger[i].times > 0)
			v[n++] = &r->stranger[i];
	}
	qsort(v, n, sizeof(v[0]), by_age);
	for (size_t i = 0; i < n; i++)
		report_add(&a, refusal_report(v[i], now));
	return a;
}

json_t *refusals_of(const struct refusals *r, const char *connection, const struct report_now *now)
{
	for (size_t i = 0; i < REFUSALS_CONNECTIONS; i++) {
		const struct refusal *p = &r->connection[i];

		if (p->times > 0 && strcmp(p->note.connection, connection) == 0)
			return refusal_report(p, now);
	}
	return json_null();
}
