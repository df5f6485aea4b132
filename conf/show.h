/* SPDX-License-Identifier: Apache-2.0 */
/* `postern check --verbose`: the whole configuration with its defaults filled in, as a file that
 * could be loaded. Of secrets it has the paths alone.
 */
#ifndef CONF_SHOW_H
#define CONF_SHOW_H

#include "conf/model.h"

/* malloc'd; NULL when there is no memory. */
char *conf_text(const struct conf *c);

#endif
