/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets: see ticket.h. */
#include "ike/ticket.h"

#include "ike/core.h"

struct span ticket_key(const struct table_node *n)
{
	const struct ticket *t = container_of(n, const struct ticket, node);

	return span_of(&t->number, sizeof(t->number));
}

enum err ticket_take(struct ticket *t, struct ike_sa *sa, struct child_sa *child)
{
	struct ike_engine *e = sa->e;
	enum err err;

	ticket_drop(e, t);
	*t = (struct ticket){ .number = ++e->last_ticket, .sa = sa, .child = child };
	err = table_add(&e->by_ticket, &t->node);
	if (err != OK)
		t->number = 0;
	return err;
}

enum err ticket_ask(struct ticket *t, struct ike_sa *sa, struct job *j)
{
	enum err err = ticket_take(t, sa, NULL);

	if (err != OK)
		return err;
	j->ticket = t->number;
	err = actions_job(&sa->e->actions, j);
	if (err != OK)
		ticket_drop(sa->e, t);
	return err;
}

void ticket_drop(struct ike_engine *e, struct ticket *t)
{
	if (t->number == 0)
		return;
	table_del(&e->by_ticket, &t->node);
	t->number = 0;
}

struct ticket *ticket_find(struct ike_engine *e, uint64_t number)
{
	struct table_node *n =
		number ? table_find(&e->by_ticket, span_of(&number, sizeof(number))) : NULL;

	return n ? container_of(n, struct ticket, node) : NULL;
}
