/* SPDX-License-Identifier: Apache-2.0 */
/* A packet that wants a child which is not up. The kernel then keeps a larval state and asks no
 * second time while it has it, so each question of its gets an end: the SA that is made carries its
 * number, or it is told to forget it, and the next packet asks again. Memory: one question for each
 * configured child.
 */
#ifndef IKE_ACQUIRE_H
#define IKE_ACQUIRE_H

#include "base/clock.h"
#include "base/sadesc.h"

struct conn;
struct conn_child;
struct conf_child;

struct acquire {
	bool there;
	bool waits;	 /* for an attempt; else it is only kept until: */
	uint32_t number; /* the kernel's; 0: userspace asked, which keeps nothing */
	struct flow flow;
	mono_ns forget_at;
};

/* It waits for the attempt that is under way or about to begin. */
void acquire_join(struct conn *c, struct conn_child *child, const struct plane_event *ev);
/* Nothing can be done for it before `until`: the kernel is told then, so that packets ask at our
 * pace. */
void acquire_hold(struct conn *c, struct conn_child *child, const struct plane_event *ev,
		  mono_ns until);
/* The attempt failed, or nothing is wanted any more: whoever waited asks again. */
void acquire_fail(struct conn *c);
/* ... of this child alone. */
void acquire_fail_child(struct conn *c, struct conn_child *child);
/* This child is up. */
void acquire_answered(struct conn *c, struct conn_child *child);
/* The number that an SA of this child answers; 0: none. */
uint32_t acquire_number(const struct conn *c, const struct conf_child *conf);
/* The packet that the attempt for this child is for; NULL: no packet asked. */
const struct flow *acquire_flow(const struct conn *c, const struct conf_child *conf);
mono_ns acquire_deadline(const struct conn *c); /* NEVER: none */
void acquire_tick(struct conn *c);

#endif
