/* SPDX-License-Identifier: Apache-2.0 */
/* How often a line of the log may come that a peer can bring about: nobody reads a log that a
 * stranger, or a peer gone mad, can fill. What repeats (kind, reason, connection, child and peer
 * are the same) is written at once for so many times, then counted, and told with the count at
 * growing intervals, also when nothing more comes. One that says something else than the one before
 * (another identity, another suite) is news, and sooner written.
 */
#ifndef DAEMON_REPEATS_H
#define DAEMON_REPEATS_H

#include "ike/engine.h"

/* What a kind of line may have before it is counted. */
struct repeat_rule {
	unsigned int burst; /* at once; 0: no limit at all */
	unsigned int news;  /* ... and so many more that say something else */
	mono_ns refill;	    /* one more of `burst` after each; 0: none */
};

struct repeat_count {
	int64_t times; /* that were not written; 0: none */
	int64_t seconds;
};

struct repeats;

MUST_USE enum err repeats_new(struct repeats **r);
void repeats_free(struct repeats *r); /* takes NULL */
/* True: it is written now, and *count says what was not written before it. False: it was counted.
 */
bool repeats_judge(struct repeats *r, const struct ike_note *n, const struct repeat_rule *rule,
		   mono_ns now, struct repeat_count *count);
/* One whose count is due; call until it is false. The note is the last that was counted. */
bool repeats_due(struct repeats *r, mono_ns now, struct ike_note *n, struct repeat_count *count);
/* Forgets what was refused to this connection, so that the next refusal is news. True: something
 * was counted, which is to be told before; call until it is false. */
bool repeats_forget(struct repeats *r, const char *connection, mono_ns now, struct ike_note *n,
		    struct repeat_count *count);

#endif
