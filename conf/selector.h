/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors from text: 10.1.0.0/16, 10.1.0.7, 10.1.0.1-10.1.0.9, each with an optional [tcp/443],
 * [udp/5000-5010], [icmp/8], [47] behind it. In quotes a space may stand for the bracket:
 * "10.1.0.0/16 tcp/443", which is how selectors are shown.
 */
#ifndef CONF_SELECTOR_H
#define CONF_SELECTOR_H

#include "conf/problems.h"

enum { SELECTOR_MAX = 160 };

/* ERR_CONFIG: `text` is none; what is wrong and what would be right are in words in `fact` and
 * `hint`. */
MUST_USE enum err selector_parse(const char *text, struct ts *out, char fact[static WORDS_MAX],
				 char hint[static WORDS_MAX]);

#endif
