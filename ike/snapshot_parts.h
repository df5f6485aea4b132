/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a snapshot, for the files ike/snapshot*.c: each is written after the IKE SA's own
 * fields, and read in the same order into an SA that has those already. */
#ifndef IKE_SNAPSHOT_PARTS_H
#define IKE_SNAPSHOT_PARTS_H

#include "ike/child.h"
#include "ike/create.h"
#include "ike/fields.h"
#include "ike/snapshot.h"

/* What goes on in another engine; the others are forgotten. */
bool snapshot_has_mine(const struct ike_sa *sa);
bool snapshot_has_child(const struct child_sa *c);

void snapshot_put_children(struct wr *w, const struct ike_sa *sa);
MUST_USE enum err snapshot_get_children(struct rd *r, struct snapshot *s);
void snapshot_free_children(struct child_sa *first);

void snapshot_put_mine(struct wr *w, const struct ike_sa *sa);
MUST_USE enum err snapshot_get_mine(struct rd *r, struct snapshot *s);
void snapshot_free_mine(struct snapshot *s);

/* Our IKE_AUTH request has left, and the answer has not come: what goes on of the handshake. The
 * other two have nothing to do with an SA in any other state. */
bool snapshot_has_handshake(const struct ike_sa *sa);
void snapshot_put_handshake(struct wr *w, const struct ike_sa *sa);
MUST_USE enum err snapshot_get_handshake(struct rd *r, struct snapshot *s);

/* The rows of each struct that is written: a test sees to it that no field is forgotten. */
struct fields snapshot_rows_sa(void);
struct fields snapshot_rows_child(void);
struct fields snapshot_rows_create(void);
struct fields snapshot_rows_beside(void);
struct fields snapshot_rows_handshake(void);
struct fields snapshot_rows_try(void);
struct fields snapshot_rows_auth(void);
struct fields snapshot_rows_conn(void);
struct fields snapshot_rows_conn_child(void);

/* The name of a connection or child, and the digest of what it is configured to. */
void snapshot_put_name(struct wr *w, const char *name, uint64_t digest);
uint64_t snapshot_get_name(struct rd *r, char name[static CONF_NAME_MAX + 1]);
/* An empty SA; NULL: no memory. */
struct ike_sa *snapshot_new(struct ike_engine *e);
/* One that is in no table. Takes NULL. */
void snapshot_free_sa(struct ike_sa *sa);
/* Keys are as long as the suite wants them. */
bool snapshot_keys_fit(const struct suite *s, const struct ike_keys *k);

#endif
