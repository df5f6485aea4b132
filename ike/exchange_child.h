/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_CHILD_SA (RFC 7296 1.3), both roles. Not spoken yet: the answer is NO_ADDITIONAL_SAS, and
 * the IKE SA and its children stay as they are. Additional children, and rekeying of children and
 * of the IKE SA, belong here. */
#ifndef IKE_EXCHANGE_CHILD_H
#define IKE_EXCHANGE_CHILD_H

#include "ike/step.h"

handler_fn child_on_request;

#endif
