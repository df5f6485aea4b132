/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's data plane can do, found out by trying: each algorithm and feature is put into
 * a state that is thrown away again. Nothing else says it reliably: modules load on demand, and
 * unknown attributes are accepted in silence (those are read back).
 *
 * The states lie between addresses for documentation (RFC 5737, RFC 3849), which no policy leads
 * to. Each carries a limit of some seconds, so that it ends even when deleting it fails, and a
 * reqid of ours, so that the next start removes it.
 */
#ifndef XFRM_PROBE_H
#define XFRM_PROBE_H

#include "base/sadesc.h"
#include "xfrm/netlink.h"

/* The last of ours. Another process's probe (`postern check`) is nothing to put right. */
#define PROBE_REQID (SA_REQID_BASE | ~SA_REQID_MASK)

/* `nl`: NETLINK_XFRM; closed where the kernel has none. `has6`: the host has IPv6; else nothing of
 * it is asked for, or lacks. Never fails: a kernel without ESP is an answer, in words in
 * caps->lacks. */
void probe_all(struct netlink *nl, bool has6, struct plane_caps *caps);

#endif
