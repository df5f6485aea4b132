/* SPDX-License-Identifier: Apache-2.0 */
/* Which network device may take ESP over from the CPU. */
#ifndef XFRM_OFFLOAD_H
#define XFRM_OFFLOAD_H

#include "base/sadesc.h"

/* The device that has the address `own`, by number; 0 when none has it, and for OFFLOAD_NO. Under
 * OFFLOAD_AUTO only one that says that it can ("esp-hw-offload" in `ethtool -k`): asked in vain,
 * a kernel takes the state without a word, but first loads what it has for such devices. */
uint32_t offload_device(const struct addr *own, enum sa_offload want);

#endif
