/* SPDX-License-Identifier: Apache-2.0 */
/* The far side of a tunnel for tests: pings on a TUN descriptor, IPv4 and IPv6. */
#ifndef TESTS_NET_HOST_ECHO_H
#define TESTS_NET_HOST_ECHO_H

#include <stdbool.h>

enum echo { ECHO_NOTHING, ECHO_ANSWERED, ECHO_REPLY };

/* Reads one packet: answers an echo request, tells of an echo reply. */
enum echo echo_answer(int fd);
/* "ping SOURCE TARGET": sends one echo request. */
bool echo_ask(int fd, const char *line);

#endif
