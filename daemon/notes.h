/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's notes as log lines (doc/events.md names every event and key). What a peer can bring
 * about again and again is written at once and then counted, `repeated=11 seconds=600`: see
 * daemon/repeats.h.
 */
#ifndef DAEMON_NOTES_H
#define DAEMON_NOTES_H

#include "ike/engine.h"

struct notes;

MUST_USE enum err notes_new(struct notes **n);
void notes_free(struct notes *n); /* takes NULL */
void notes_log(struct notes *n, const struct ike_note *note, mono_ns now);
/* Tells the counts that are due. Now and then. */
void notes_tick(struct notes *n, mono_ns now);
/* "connection_up": the name of a kind of note, in log, `watch` and JSON. */
const char *note_event(enum ike_note_kind kind);

#endif
