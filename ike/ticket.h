/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets: what an answer of a job or of a data plane is for. A ticket lies inside the object that
 * waits; when the object goes it takes its tickets along, so a late answer finds nothing instead of
 * freed memory (CVE-2009-0790, CVE-2011-4073). Numbers are never used twice.
 */
#ifndef IKE_TICKET_H
#define IKE_TICKET_H

#include "base/err.h"
#include "base/table.h"

struct ike_engine;
struct ike_sa;
struct job;
struct child_sa;

struct ticket {
	struct table_node node;
	uint64_t number; /* 0: none is out */
	struct ike_sa *sa;
	struct child_sa *child; /* NULL: the IKE SA itself waits */
};

struct span ticket_key(const struct table_node *n);
/* Takes a fresh number; one that was out is dropped. */
MUST_USE enum err ticket_take(struct ticket *t, struct ike_sa *sa, struct child_sa *child);
/* Asks for a job of the IKE SA's, whose answer comes by the ticket. On failure none is out. */
MUST_USE enum err ticket_ask(struct ticket *t, struct ike_sa *sa, struct job *j);
/* A later answer finds nothing. Does nothing when none is out. */
void ticket_drop(struct ike_engine *e, struct ticket *t);
struct ticket *ticket_find(struct ike_engine *e, uint64_t number);

#endif
