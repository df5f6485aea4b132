/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_CHILD_SA: see exchange_child.h. */
#include "ike/exchange_child.h"

struct step child_on_request(struct turn *t)
{
	(void)t;
	return step_fail(ERR_NO_ADDITIONAL_SAS, NOTIFY_NO_ADDITIONAL_SAS);
}
