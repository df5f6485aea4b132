/* SPDX-License-Identifier: Apache-2.0 */
/* Values from text: pure functions, no defaults, no messages. Each clears *out and is false when
 * the text is no such value.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/model.h"

/* Decimal digits alone. Saturates at UINT64_MAX. */
MUST_USE bool value_number(const char *s, uint64_t *out);
/* "30s", "5m", "2h", "1d": seconds. A lone number has no unit and is refused, a lone 0 is not. */
MUST_USE bool value_seconds(const char *s, uint64_t *out);
MUST_USE bool value_yes_no(const char *s, bool *out);
/* Letters, digits, `_`, `-` and `.`, a letter or digit first, 1 to CONF_NAME_MAX. */
bool value_is_name(const char *s);
/* As the kernel takes device names: 1 to 15 bytes, no slash, colon or white space. */
bool value_is_device(const char *s);
/* Labels of RFC 1123, the last one not all digits (that is an address with a slip). */
bool value_is_host(const char *s);

#endif
