/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-shared keys: the file's format, and whether one can be guessed. RFC 7296 2.15: a PSK that a
 * person chose falls to a dictionary once a single handshake was recorded.
 */
#ifndef CONF_PSK_H
#define CONF_PSK_H

#include "conf/model.h"

enum { PSK_TEXT_MIN = 20, PSK_BYTES_MIN = 16, PSK_DIFFERENT_MIN = 8 };

/* The key in the bytes of a psk_file: one line, its end cut off; as it stands, or 0x and
 * hexadecimal digits, or 0s and base64. *text is true for the first form. The key is malloc'd; the
 * caller gives it to secret_free. ERR_CONFIG: `why` says what is wrong with the file. */
MUST_USE enum err psk_decode(struct span file, struct span *key, bool *text, char why[static 256]);
/* The line of a file that has only one, without its end; malloc'd as above. ERR_CONFIG when there
 * are several, a NUL, or nothing. */
MUST_USE enum err secret_line(struct span file, struct span *line, char why[static 256]);
/* Is the key good enough for this connection? Else `why` says what is wrong with it, without
 * showing it. */
bool psk_strong(struct span key, bool text, const struct conf_connection *cn, char why[static 256]);

#endif
