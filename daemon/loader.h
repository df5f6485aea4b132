/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration as the monitor holds it: its text, the model without any file's bytes, and a
 * bundle for each process.
 *
 * The file and those that it names, keys among them, are read by a child of the monitor that lives
 * for the reading alone: it judges the whole configuration, writes the bundles and ends, so that no
 * byte of a key is ever in the monitor's own memory, and no file that does not answer holds the
 * monitor for longer than some seconds. A bundle without any file but with their marks tells the
 * monitor which of them are others than before.
 */
#ifndef DAEMON_LOADER_H
#define DAEMON_LOADER_H

#include "daemon/bundle.h"

struct loaded {
	struct conf *conf;   /* no file has bytes here */
	struct span text;    /* malloc'd */
	int bundle[N_ROLES]; /* sealed */
};

/* `key`: of the bundles' marks. *report (malloc'd, may be empty) holds all problems, warnings too,
 * as people read them. ERR_CONFIG: refused. ERR_SYSTEM: it could not be judged, for one because a
 * file did not answer in time, which the report names. *out then has no `conf`, and of the text
 * what could be read; it is to be freed all the same. */
MUST_USE enum err loader_load(const char *file, struct span key, struct loaded **out,
			      char **report);
/* A configuration that another monitor had loaded: its bundles, which are this one's afterwards, in
 * success as in failure. No file is looked at. */
MUST_USE enum err loader_take(const int bundle[static N_ROLES], struct loaded **out);
/* Can every part of it be read? For a process that ends behind that, for keys are among it. */
MUST_USE enum err loader_try(const int bundle[static N_ROLES]);
/* Of what loader_load has not loaded, without the files that it names: good for guards and nothing
 * else. NULL: the text itself is refused, or was not read. */
struct conf *loader_selectors(const char *file, const struct loaded *refused);
/* Can this kernel make the devices that are configured? ERR_UNSUPPORTED: no, and *report, malloc'd,
 * says which child wants what, and where; what it held before is freed. */
MUST_USE enum err loader_judge(const char *file, const struct loaded *l,
			       const struct plane_caps *kernel, char **report);
void loaded_free(struct loaded *l); /* takes NULL */

#endif
