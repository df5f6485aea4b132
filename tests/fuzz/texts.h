/* SPDX-License-Identifier: Apache-2.0 */
/* What targets and their first inputs need of text: addresses as people write them, and that what
 * people are shown can be shown.
 */
#ifndef TESTS_FUZZ_TEXTS_H
#define TESTS_FUZZ_TEXTS_H

#include "base/ts.h"
#include "tests/fuzz/fuzz.h"

static inline void fuzz_printable(const char *text)
{
	for (; *text != '\0'; text++)
		FUZZ_HOLDS((uint8_t)*text >= ' ' && *text != 0x7f);
}

static inline struct addr fuzz_addr(const char *text)
{
	struct addr a;

	FUZZ_HOLDS(addr_parse(text, &a));
	return a;
}

static inline struct net fuzz_net(const char *text)
{
	struct net n;

	FUZZ_HOLDS(net_parse(text, &n));
	return n;
}

static inline struct ts fuzz_net_ts(const char *text)
{
	struct net n = fuzz_net(text);

	return ts_from_net(&n);
}

#endif
