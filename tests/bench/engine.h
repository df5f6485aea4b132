/* SPDX-License-Identifier: Apache-2.0 */
/* An engine for the programs that measure: it has a configuration from a text, whose secrets are
 * all the same, no certificates, and chance that costs next to nothing. */
#ifndef TESTS_BENCH_ENGINE_H
#define TESTS_BENCH_ENGINE_H

#include "conf/load.h"
#include "ike/core.h"

#define BENCH_SECRET "correct horse battery staple"

/* xorshift64, whose state must not be 0: fast, and good enough for nobody to be asked. */
typedef uint64_t bench_chance;
bool bench_draw(void *chance, void *buf, size_t len);

/* Ends the program where there is no memory, or something to say against the text. Both are the
 * caller's to free; `chance` has to outlive the engine. `keeps`: it writes ahead (ike/keep.h). */
struct ike_engine *bench_engine_new(const char *text, bench_chance *chance, mono_ns now, bool keeps,
				    struct conf **conf);

#endif
