/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs that write first inputs share. Given a folder they write FOLDER/TARGET/NAME.
 * Without one they are part of `make check` and compare with tests/fuzz/corpus of the source tree:
 * when a format changes, an input of the old one is refused by its decoder and reaches nothing
 * behind it, and no target would say so.
 */
#ifndef TESTS_FUZZ_SEEDS_H
#define TESTS_FUZZ_SEEDS_H

#include "base/sadesc.h"
#include "tests/fuzz/fuzz.h"

struct seeds {
	const char *folder;
	bool compares;
	unsigned int n;
	unsigned int stale; /* of these in the tree are others, or are not there */
};

struct seeds seeds_begin(int argc, char **argv);
/* Ends the process when it cannot. */
void seed_save(struct seeds *out, const char *target, const char *name, struct span bytes);
/* What `main` returns. */
int seeds_end(const struct seeds *out);

/* An outbound SA; its selectors are everybody's. */
struct sa_desc seed_desc(void);
void seed_netlink(struct seeds *out);

#endif
