/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine knows, as JSON objects with the stable fields of postern-json(5): views for
 * `status`, notes for `watch` and for whoever waits. Absent values are null, never a missing key;
 * what a peer said is escaped.
 */
#ifndef DAEMON_REPORT_H
#define DAEMON_REPORT_H

#include <jansson.h>
#include <time.h>

#include "base/bytes.h"
#include "ike/engine.h"

enum { REPORT_VERSION = 1, REPORT_TIME_MAX = 32 };

/* Two clocks of the same moment, to tell monotonic times as RFC 3339. */
struct report_now {
	mono_ns mono;
	time_t wall;
	mono_ns rest; /* of that second: or one time told twice could be two, a second apart */
};

/* A new reference, or NULL without memory: never half a report. */
json_t *report_connection(const struct ike_view *v, const struct report_now *now);
json_t *report_note(const struct ike_note *n, time_t wall);
/* A moment of the past. */
json_t *report_when(mono_ns at, const struct report_now *now);
/* The last line of an answer. What stands behind PROTO_CHANGES in `text` are changes, a line each.
 */
json_t *report_end(enum err e, struct span text);
/* A text, or null when it is empty. One that was cut within a character is escaped, and short. */
json_t *report_text(struct span s);
/* Take the reference. What there is no memory for takes the whole with it, which is NULL then: half
 * a report would lie. */
void report_put(json_t **object, const char *key, json_t *value);
void report_add(json_t **array, json_t *value);
const char *report_time(time_t t, char buf[static REPORT_TIME_MAX]);

#endif
