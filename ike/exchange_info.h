/* SPDX-License-Identifier: Apache-2.0 */
/* INFORMATIONAL (RFC 7296 1.4), both roles: liveness, deletes, errors. */
#ifndef IKE_EXCHANGE_INFO_H
#define IKE_EXCHANGE_INFO_H

#include "ike/step.h"

/* Sends the one request that is most due, if any: closing the IKE SA, then deleting children, then
 * asking whether the peer lives. The window is free. */
void info_ask(struct ike_sa *sa);

/* A close, a Delete or a token is due, which come before all else. */
bool info_is_due(const struct ike_sa *sa);

handler_fn info_on_request;
handler_fn info_on_response;

#endif
