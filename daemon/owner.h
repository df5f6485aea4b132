/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds a UDP port that we want: read from /proc, as well as our rights there allow. */
#ifndef DAEMON_OWNER_H
#define DAEMON_OWNER_H

#include <stddef.h>
#include <stdint.h>

/* "port-taken: UDP 500 belongs to charon, pid 640 (strongswan.service), another IKE daemon: only
 * one can run here: try systemctl disable --now ..." */
void owner_explain(uint16_t port, char *why, size_t size);

#endif
