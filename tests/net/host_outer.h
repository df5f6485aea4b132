/* SPDX-License-Identifier: Apache-2.0 */
/* Outer packets for tests: sockets as the daemon makes them (marked, past all IPsec policies), and
 * an echo for the other end. */
#ifndef TESTS_NET_HOST_OUTER_H
#define TESTS_NET_HOST_OUTER_H

#include <stdbool.h>

/* Sends one datagram (UDP from and to port 4500, or bare ESP) and waits for the same to come back.
 */
bool outer_ask(bool esp, const char *source, const char *target);
/* Answers every datagram to `address`, until it is killed. Says "ready". */
bool outer_echo(bool esp, const char *address);

#endif
