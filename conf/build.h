/* SPDX-License-Identifier: Apache-2.0 */
/* Tree to model, in steps that each report all they find: build (options to fields), files (what
 * they name is read), check (what does not fit together). conf_load runs them.
 */
#ifndef CONF_BUILD_H
#define CONF_BUILD_H

#include "conf/problems.h"
#include "conf/schema.h"
#include "conf/tree.h"

struct build {
	struct conf *c;
	struct tree *t;
	struct conf_problems *p;
	const struct conf_source *src;
	bool nomem;
};

/* One option into its field of `obj`; false after it reported a problem. */
typedef bool build_setter(struct build *b, const struct schema_option *row,
			  const struct tree_option *o, void *obj);

/* By the type of the row; a type that takes no list gets one value. */
build_setter build_set;
bool build_set_takes_list(enum schema_type type);

/* For one block: every option it has, then the presets of those it has not. */
void build_options(struct build *b, enum schema_block kind, struct tree_block *block, void *obj);
/* All blocks, me before the connections that name it. */
void build_all(struct build *b);
/* Reads what the model's files name, and judges the secrets among them. */
void build_read_files(struct build *b);
/* Everything about more than one option. */
void build_check(struct build *b);
/* Children that would claim the same packets. */
void build_check_overlaps(struct build *b);
/* What meets, as local of the first and the second, remote of the first and the second. A packet
 * has one family, so both sides are compared in each family by itself. */
bool build_children_meet(const struct conf_child *a, const struct conf_child *b,
			 const struct ts *met[static 4]);
/* Which children of connections with a priority the kernel can carry; see rank.c. */
void build_rank(struct build *b);
/* Devices of children: named once, and what must have one. */
void build_check_interfaces(struct build *b);
/* A number for each child; see reqid.c. */
void build_number_children(struct build *b);
/* FNV-1a goes on over the text and its NUL. */
#define BUILD_HASH_BASIS 2166136261u
uint32_t build_hash(uint32_t h, const char *s);

build_setter build_set_peer;	  /* peer.c */
build_setter build_set_addresses; /* interface.c */

#endif
