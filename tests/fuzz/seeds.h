/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files of the program `seeds` share. */
#ifndef TESTS_FUZZ_SEEDS_H
#define TESTS_FUZZ_SEEDS_H

#include "base/sadesc.h"
#include "tests/fuzz/fuzz.h"

/* FOLDER/TARGET/NAME; ends the process when it cannot. */
void seed_save(const char *folder, const char *target, const char *name, struct span bytes);
struct addr seed_addr(const char *text);
struct net seed_net(const char *text);
/* An outbound SA; its selectors are everybody's. */
struct sa_desc seed_desc(void);
void seed_netlink(const char *folder);

#endif
