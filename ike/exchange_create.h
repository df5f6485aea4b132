/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_CHILD_SA (RFC 7296 1.3), both roles: additional children, new keys for those that are
 * there (rekey.h), and another IKE SA in the place of this one (rekey_ike.h). The responder has the
 * table of what a request is for.
 *
 * Both ends may make the same child at once. Then the one that began the IKE SA wins: it refuses
 * the other's request with TEMPORARY_FAILURE while its own is out; and the other one, which saw the
 * winner's request while its own was out, deletes what came of its own. So one pair is left, and a
 * peer that does not know this rule is left with two, which do no harm: the newest carries what is
 * sent, and both receive.
 */
#ifndef IKE_EXCHANGE_CREATE_H
#define IKE_EXCHANGE_CREATE_H

#include "base/jobs.h"
#include "base/sadesc.h"
#include "conf/model.h"
#include "ike/step.h"

struct create;

handler_fn create_on_request;
handler_fn create_on_response;
handler_fn create_on_refusal;
handler_fn create_on_late; /* the IKE SA is closing */

/* Begins the next child that is due, if any, and sends the request when it is ready; the window is
 * free. False: there is nothing to send (yet). */
bool create_ask(struct ike_sa *sa);
/* A worker has answered to c->ticket. */
void create_on_job(struct create *c, const struct job_result *r);
/* Theirs, while it is worked on: the same request, from that place. The answer goes there. */
void create_asked_again(struct ike_sa *sa, const struct path *p);
/* It was restored: what a worker was asked is asked again. */
void create_resume(struct ike_sa *sa);
/* The peer deletes an SPI that we do not know: that of a child whose answer was overtaken. */
void create_on_delete(struct ike_sa *sa, uint32_t spi);
/* Theirs: the plane has answered about the inbound half. */
void create_on_installed(struct ike_sa *sa, const struct sa_done *done);
/* The peer, who began the IKE SA or has just made a child, is left to make the next one. */
void create_yield(struct ike_sa *sa);
/* A worker that does not answer is given up. */
void create_tick(struct ike_sa *sa);
/* The configured child is not to be made by us: what the peer has not heard of is dropped. */
void create_cancel(struct ike_sa *sa, const struct conf_child *conf);

/* Each role's part of create_on_job, once the public value, or the keys, are there; `err`: or
 * not. */
void create_initiator_go_on(struct create *c, enum err err);
void create_responder_go_on(struct create *c, enum err err);

#endif
