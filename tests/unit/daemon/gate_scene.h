/* SPDX-License-Identifier: Apache-2.0 */
/* A good command for the kernel's plane, and all that it is judged by. */
#ifndef TESTS_UNIT_DAEMON_GATE_SCENE_H
#define TESTS_UNIT_DAEMON_GATE_SCENE_H

#include "conf/load.h"
#include "daemon/gatekeeper.h"

enum { AES_GCM_16 = 20, AES_CBC = 12, NULL_ENCRYPTION = 11, SHA2_256 = 12 };

/* A scene: the configuration, the kernel, and a command that is as it should be. */
struct scene {
	struct conf *c;
	struct conf_connection *cn;
	struct conf_child *ch;
	struct plane_caps kernel;
	struct gate_facts facts;
	struct ts local[2];
	struct ts remote[2];
	struct sa_cmd cmd;
	char why[SA_WHY_MAX];
};

struct addr address(const char *s);
struct ts network(const char *s);

void scene_open(struct scene *s);
void scene_close(struct scene *s);
enum err scene_judge(struct scene *s);
/* The command says that it is about this child. */
void scene_name(struct scene *s, const char *connection, const char *child);

#endif
