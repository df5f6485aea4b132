/* SPDX-License-Identifier: Apache-2.0 */
/* Telling: notes are what log, `watch`, waiting commands and metrics are made from. A note of a
 * failure says what was offered, what would have been accepted, what came, and which setting to
 * change; the peer learns none of it.
 */
#ifndef IKE_NOTE_H
#define IKE_NOTE_H

#include "ike/core.h"

/* A note with everything that the SA (or connection) tells by itself. */
struct ike_note note_of_sa(const struct ike_sa *sa, enum ike_note_kind kind, enum err err);
struct ike_note note_of_conn(const struct conn *c, enum ike_note_kind kind, enum err err);
void note_tell(struct ike_engine *e, const struct ike_note *n);

/* A datagram without effect: counted, and told at a bounded rate. */
void note_dropped(struct ike_engine *e, const struct path *p, enum err err);
/* An unauthenticated error in clear: told at once, remembered for the end of the attempt, once per
 * kind. */
void note_hint(struct ike_sa *sa, enum err err, const char *text);

/* The handshake failed for the reason in *n. As initiator the connection decides what next; as
 * responder it is only told and remembered. The caller then ends the SA. */
void note_refused(struct ike_sa *sa, struct ike_note *n);

void __attribute__((format(printf, 3, 4))) note_print(char *buf, size_t size, const char *fmt, ...);
/* "10.1.0.0/16, 10.3.0.0/16", cut with "..." */
void note_print_ts(char *buf, size_t size, const struct ts_list *l);
/* The suite that was agreed on, and what of it is weak. */
void note_print_suite(struct ike_note *n, const struct suite *s);
/* Type and text: "fqdn gw.example.org" */
void note_print_identity(char *buf, size_t size, const struct identity *id);
/* The peer does not take us, and says no more: what we told it of us, and what to look at there. */
void note_explain_rejection(struct ike_note *n, const struct conf_connection *cn);

#endif
