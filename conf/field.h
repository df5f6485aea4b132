/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done with any field of the model, knowing only its row of the schema: compare, and
 * write as it would stand in the file. `obj` is the struct of the row's block.
 */
#ifndef CONF_FIELD_H
#define CONF_FIELD_H

#include <stdio.h>

#include "conf/schema.h"

/* Equal in what matters to a running SA: contents of files count, places in the file do not. */
bool field_eq(const struct schema_option *row, const void *a, const void *b);
/* The option in which two blocks of a kind differ, or NULL: the first whose change interrupts
 * something, else the first. */
const struct schema_option *field_difference(enum schema_block block, const void *a, const void *b);
/* Of all options of a block whose change interrupts something: blocks that do not differ in one of
 * them have the same, and others hardly ever. It goes on from `before`, so that more can be in it.
 */
uint64_t field_digest(uint64_t before, enum schema_block block, const void *obj);
uint64_t field_digest_part(uint64_t before, uint64_t place, struct span is);
/* False when there is nothing to write: not set, and no default. */
bool field_is_set(const struct schema_option *row, const void *obj);
/* The value with quotes where the grammar wants them; a file's path, never what is in it. */
void field_write(const struct schema_option *row, const void *obj, FILE *f);

#endif
