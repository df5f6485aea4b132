/* SPDX-License-Identifier: Apache-2.0 */
/* A restart by a service manager that keeps descriptors (systemd): `systemctl restart`, told from a
 * stop by the unit's ExecStop= (`postern leave-for-restart`).
 *
 * It is the upgrade (monitor_upgrade.c) with the manager in between. First the program that is
 * installed is asked whether it can go on; if anything is against it, that is said, and the SIGTERM
 * that follows is a stop as any other, with a goodbye to every peer. Otherwise all processes end,
 * each descriptor goes into the manager's store under the name of its place, the record last, and
 * the monitor ends without taking anything away from the host. Whoever is started next finds the
 * store (monitor_take.c). If that never comes, because somebody wanted a stop meanwhile, the
 * manager closes what it has, and it is as if we had been killed: guards hold, peers find out by
 * themselves.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/monitor_state.h"

/* ---- the question ---- */

/* n: of all places with a descriptor, as the question counts them (upgrade_ask). The manager's own
 * socket is among them, and stays; the book of the kernel's plane (leave_record), of which there is
 * one only in the end, is not, and takes its part. The record comes besides. Where there is no book
 * that is one too many, which is the better side: what finds no room is dropped, and nobody hears
 * of it. */
static enum err judge_room(size_t n, uint32_t room, char said[static UPGRADE_SAID_MAX])
{
	const size_t most = room < STORE_MAX ? room : STORE_MAX;

	if (n + 1 <= most)
		return OK;
	snprintf(said, UPGRADE_SAID_MAX,
		 "there are up to %zu descriptors, and the service manager keeps %zu: is "
		 "FileDescriptorStoreMax= of the unit %d?",
		 n + 1, most, STORE_MAX);
	return ERR_LIMIT;
}

/* The unit of another posternd may have the folder of our socket in its ExecStop=. */
static enum err judge_pid(uint32_t pid, char said[static UPGRADE_SAID_MAX])
{
	if (pid == (uint32_t)getpid())
		return OK;
	if (pid == 0)
		snprintf(said, UPGRADE_SAID_MAX, "it is not said which process is restarted");
	else
		snprintf(said, UPGRADE_SAID_MAX,
			 "process %" PRIu32
			 " is restarted, and this one is %d: is the --run-dir in "
			 "ExecStop= of its unit that of its ExecStart=?",
			 pid, (int)getpid());
	return ERR_DENIED;
}

/* The next argument of a command, which has one a line. */
static struct span argument_take(struct span *command)
{
	const uint8_t *end = command->len > 0 ? memchr(command->p, '\n', command->len) : NULL;
	const struct span first =
		span_head(*command, end ? (size_t)(end - command->p) : command->len);

	*command = span_tail(*command, first.len + (end != NULL));
	return first;
}

/* Are these ours, without those that we were given to take over? */
static bool arguments_are_ours(const struct monitor *m, struct span arguments)
{
	for (size_t i = 1; m->o->argv[i] != NULL; i++) {
		if (options_take_over(m->o->argv[i]))
			continue;
		if (arguments.len == 0 ||
		    !span_eq(argument_take(&arguments), span_str(m->o->argv[i])))
			return false;
	}
	return arguments.len == 0;
}

/* A unit that was changed (daemon-reload) starts something else than what the question asks, with
 * our arguments: the next one might not find its file, or the folder of its socket. Our program
 * may stand behind others in it (ip netns exec); one that it does not name at all, we cannot
 * judge. */
static enum err judge_command(const struct monitor *m, struct span command,
			      char said[static UPGRADE_SAID_MAX])
{
	while (command.len > 0) {
		if (!span_eq(argument_take(&command), span_str(m->path)))
			continue;
		if (arguments_are_ours(m, command))
			return OK;
		snprintf(
			said, UPGRADE_SAID_MAX,
			"ExecStart= of the unit has other arguments than this process was started with");
		return ERR_CONFIG;
	}
	return OK;
}

static enum err ask(struct monitor *m, const struct msg_restart *asked,
		    char said[static UPGRADE_SAID_MAX])
{
	enum err e = judge_pid(asked->pid, said);
	size_t n;

	if (e == OK)
		e = judge_command(m, asked->command, said);
	if (e != OK)
		return e;
	if (!notify_barrier(&m->notify)) {
		snprintf(said, UPGRADE_SAID_MAX, "no service manager keeps descriptors for us");
		return ERR_NOT_FOUND;
	}
	e = upgrade_ask(m, &n, said);
	if (e == OK && reload_needs_restart(m, said, UPGRADE_SAID_MAX))
		return ERR_CONFIG;
	return e == OK ? judge_room(n, asked->room, said) : e;
}

/* Who hears that something is busy asks ten times a second (daemon/cli_leave.c); the log has it
 * once. */
static void answer(struct monitor *m, uint64_t ticket, enum err e, const char *said)
{
	const bool again = e == ERR_BUSY && m->told_busy;

	m->told_busy = e == ERR_BUSY;
	if (again)
		monitor_send_reloaded(m, ticket, e, said);
	else
		upgrade_answer(m, e == OK ? "restart" : "restart_refused", ticket, e, said);
}

void restart_begin(struct monitor *m, const struct msg_restart *asked)
{
	char said[UPGRADE_SAID_MAX] = "";
	enum err e = ask(m, asked, said);

	answer(m, asked->ticket, e, said);
	if (e != OK)
		return;
	m->leaving = true;
	m->by_restart = true;
	crew_leave(m->crew);
}

/* ---- the end ---- */

static bool put_one(void *ctx, const struct handover_place *p)
{
	char name[STORE_NAME_MAX];

	return *p->fd < 0 || store_put(ctx, handover_name(p, name), *p->fd);
}

static bool remove_one(void *ctx, const struct handover_place *p)
{
	char name[STORE_NAME_MAX];

	return *p->fd < 0 || store_remove(ctx, handover_name(p, name));
}

/* Once the manager has come to all of it we may end: it believes us only while we are there. What
 * it has of it otherwise is of no use to anybody, whether it hears that it is to forget it or not:
 * our others go on writing to the memory. */
static bool put_all(struct monitor *m, struct handover *h, int record)
{
	if (handover_each(h, put_one, &m->notify) &&
	    store_put(&m->notify, HANDOVER_RECORD, record) && notify_barrier(&m->notify))
		return true;
	notify_alive(&m->notify);
	handover_spoil(record);
	if (store_remove(&m->notify, HANDOVER_RECORD))
		(void)handover_each(h, remove_one, &m->notify);
	return false;
}

void restart_go(struct monitor *m)
{
	struct handover h;
	int record;
	enum err e = leave_record(m, &h, true, &record);

	m->left = e == OK && put_all(m, &h, record);
	leave_close(&h, record);
	/* Whoever said that this is a restart: the manager shall start the next one. */
	if (m->left)
		loop_stop(m->loop, EXIT_LEFT);
	else
		leave_failed(m, "restart_failed",
			     e != OK ? err_text(e) : "the service manager does not answer");
}
