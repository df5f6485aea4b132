/* SPDX-License-Identifier: Apache-2.0 */
/* Halves whose install was not answered, when an engine or a plane is followed by another one. Each
 * is commanded again under the number that it had (`install` of struct sa_cmd), so that a plane
 * that has done it does not do it again.
 *
 * A plane remembers of those numbers only the last one, and whoever comes next believes it of all
 * that are lower. So they go out in their order: else an engine that dies between two of them is
 * followed by one that takes a half for lost which no plane was ever asked for.
 */
#ifndef IKE_REINSTALL_H
#define IKE_REINSTALL_H

#include "base/sadesc.h"

struct child_sa;
struct ike_engine;

/* The half that waits, of a child of which one does. */
enum sa_dir reinstall_half(const struct child_sa *c);
/* All of a plane. They have the numbers of tickets that nobody will answer to, and get others. */
void reinstall_all(struct ike_engine *e, enum sa_plane plane);

#endif
