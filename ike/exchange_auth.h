/* SPDX-License-Identifier: Apache-2.0 */
/* IKE_AUTH (RFC 7296 1.2, 2.15, 2.21.2), both roles; what they share is in ike/auth.h. */
#ifndef IKE_EXCHANGE_AUTH_H
#define IKE_EXCHANGE_AUTH_H

#include "base/jobs.h"
#include "ike/note.h"
#include "ike/step.h"

/* Initiator: IKE_SA_INIT is done and the keys are there. */
MUST_USE enum err auth_begin(struct ike_sa *sa, struct ike_note *n);

handler_fn auth_on_request;
handler_fn auth_on_eap_request;
handler_fn auth_on_response;
handler_fn auth_on_refusal;
handler_fn auth_on_late; /* the IKE SA is closing */

/* A signature, MAC or verdict has come; or (responder) the plane's answer about the inbound half.
 */
void auth_on_job(struct ike_sa *sa, const struct job_result *r);
void auth_on_installed(struct ike_sa *sa, const struct sa_done *done);

/* Each role's part of auth_on_job. */
void auth_initiator_on_job(struct ike_sa *sa, const struct job_result *r);
void auth_responder_on_job(struct ike_sa *sa, const struct job_result *r);

#endif
