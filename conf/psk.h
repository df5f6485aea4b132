/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-shared keys: the file's format, and whether one can be guessed. RFC 7296 2.15: a PSK that a person
 * chose falls to a dictionary once a single handshake was recorded.
 */
#ifndef CONF_PSK_H
#define CONF_PSK_H

#include "conf/model.h"

enum { PSK_TEXT_MIN = 20, PSK_BYTES_MIN = 16, PSK_DIFFERENT_MIN = 8 };

/* Decodes *file, which is replaced: one line, its end cut off; as it stands, or 0x and hexadecimal, or 0s and
 * base64. *text is true for the first form. Old bytes are wiped. ERR_CONFIG: `why`. */
MUST_USE enum err psk_decode(struct span *file, bool *text, char why[static 256]);
/* Cuts the line end off the only line; ERR_CONFIG when there are several, a NUL or nothing. */
MUST_USE enum err secret_line(struct span *file, char why[static 256]);
/* Is the key good enough for this connection? Else `why` says what is wrong with it, without showing it. */
bool psk_strong(struct span key, bool text, const struct conf_connection *cn, char why[static 256]);

#endif
