/* SPDX-License-Identifier: Apache-2.0 */
/* The mains of the processes that the monitor starts. Each returns its exit code. */
#ifndef DAEMON_PROCESSES_H
#define DAEMON_PROCESSES_H

#include "daemon/options.h"

int engine_main(const struct options *o);
int signer_main(const struct options *o);
int verifier_main(const struct options *o);
int esp_main(const struct options *o);
int fetcher_main(const struct options *o);

#endif
