/* SPDX-License-Identifier: Apache-2.0 */
/* The values of base/ as bytes, for the channels between our own processes. Each pack_X is read by
 * its unpack_X. A reader does not trust the other process: whatever is no value of the type breaks
 * it.
 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/identity.h"
#include "base/secret.h"
#include "base/ts.h"

void pack_bool(struct wr *w, bool v);
bool unpack_bool(struct rd *r);
/* One byte below `n`: for enums whose values are 0 .. n - 1. */
void pack_enum(struct wr *w, unsigned int v);
unsigned int unpack_enum(struct rd *r, unsigned int n);
void pack_err(struct wr *w, enum err e);
enum err unpack_err(struct rd *r);

/* A length of four bytes, then the bytes. What is unpacked points into the reader's bytes. */
void pack_span(struct wr *w, struct span s);
struct span unpack_span(struct rd *r, size_t max);
/* Text of a fixed array: at most size - 1 bytes without a NUL. */
void pack_text(struct wr *w, const char *text, size_t size);
void unpack_text(struct rd *r, char *text, size_t size);

void pack_addr(struct wr *w, const struct addr *a);
struct addr unpack_addr(struct rd *r);
void pack_endpoint(struct wr *w, const struct endpoint *e);
struct endpoint unpack_endpoint(struct rd *r);
void pack_path(struct wr *w, const struct path *p);
struct path unpack_path(struct rd *r);
void pack_identity(struct wr *w, const struct identity *id);
struct identity unpack_identity(struct rd *r);
void pack_key(struct wr *w, const struct key *k);
struct key unpack_key(struct rd *r);
void pack_ts_list(struct wr *w, const struct ts_list *l);
/* The caller owns the list; it is empty when the reader broke. ERR_NOMEM, ERR_SYNTAX. */
MUST_USE enum err unpack_ts_list(struct rd *r, struct ts_list *l);
void pack_flow(struct wr *w, const struct flow *f);
struct flow unpack_flow(struct rd *r);

#endif
