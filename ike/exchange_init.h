/* SPDX-License-Identifier: Apache-2.0 */
/* IKE_SA_INIT (RFC 7296 1.2, 2.6, 2.7, 2.23), both roles. */
#ifndef IKE_EXCHANGE_INIT_H
#define IKE_EXCHANGE_INIT_H

#include "base/jobs.h"
#include "ike/note.h"
#include "ike/step.h"

/* Begins an attempt along `p`. On failure there is no SA. */
MUST_USE enum err init_begin(struct conn *c, const struct path *p);

handler_fn init_on_request;
handler_fn init_on_response;
handler_fn init_on_refusal; /* COOKIE, INVALID_KE_PAYLOAD, or an error in clear */

/* The time has come to send a cookie back. */
void init_follow_cookie(struct ike_sa *sa);

/* A slow group's value has been computed. */
void init_on_job(struct ike_sa *sa, const struct job_result *r);
/* The IKE SA's keys, if they are not there yet. The responder computes its secret only here, when
 * something arrives that needs it: who sends an IKE_SA_INIT and no more does not make us compute
 * it. A slow group's secret is computed by a job, together with our public value. */
MUST_USE enum err init_keys(struct ike_sa *sa);
/* No answer came that counts: what is known about why. */
void init_explain_silence(const struct ike_sa *sa, struct ike_note *n);

#endif
