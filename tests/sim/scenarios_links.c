/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/confs.h"

const struct sim_scenario scenarios_links[] = { { 0 } };
