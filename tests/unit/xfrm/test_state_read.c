/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/xfrm/kit.h"

UNIT("xfrm/state_read")
{
	(void)tc;
}
