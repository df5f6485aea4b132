/* SPDX-License-Identifier: Apache-2.0 */
/* What all processes but the monitor have in common: the channel to the monitor, a configuration
 * that is prepared and then committed or forgotten, and channels to neighbours.
 */
#ifndef DAEMON_PROCESS_H
#define DAEMON_PROCESS_H

#include <time.h>

#include "daemon/bundle.h"
#include "daemon/link.h"
#include "daemon/options.h"
#include "daemon/proto.h"

struct process;

enum { PROCESS_WHY_MAX = 256 };

struct process_ops {
	enum role role;
	/* Makes of a configuration what the process works with. The conf belongs to the result,
	 * also when it fails. `why` says what is wrong. */
	enum err (*prepare)(void *ctx, struct conf *c, uint8_t workers, void **prepared,
			    char why[static PROCESS_WHY_MAX]);
	void (*discard)(void *prepared);
	/* From now on this one holds; the process owns it and discards its last. An error ends the
	 * process. */
	enum err (*commit)(void *ctx, void *prepared);
	/* A new channel to that neighbour (instead of the old one, if any). Owns fd. */
	enum err (*peer)(void *ctx, enum role r, int fd);
	/* A descriptor from the monitor; NULL: this process gets none. Owns fd. */
	enum err (*socket)(void *ctx, const struct msg_socket *m, int fd);
	/* The answer to MSG_RELOAD; NULL: this process asks for none. */
	void (*reloaded)(void *ctx, const struct msg_text *m);
	/* Of the kernel's data plane (MSG_CAPS, MSG_SA_DONE, MSG_PLANE) and its addresses
	 * (MSG_ADDRESSES); NULL: this process gets none. */
	enum err (*plane)(void *ctx, const struct chan_msg *m);
	/* End in good order: call process_exit when done. NULL: at once. */
	void (*stop)(void *ctx);
	/* The same for who is followed by another one, which goes on (MSG_LEAVE); NULL: this
	 * process is not asked. */
	void (*leave)(void *ctx);
};

/* Gives up what the process must not have and sets up the loop; NULL after saying why in the log.
 */
struct process *process_new(const struct process_ops *ops, void *ctx);
struct loop *process_loop(struct process *p);
/* When the file was read that the last configuration comes from, prepared or committed. */
time_t process_config_read(const struct process *p);
void process_free(struct process *p);
/* loop_run and process_free in one, for those whose parts need no loop to be freed. */
int process_run(struct process *p);
void process_exit(struct process *p, int code);

/* To the monitor. A channel to it that fails ends the process: without a monitor there is nothing
 * to do. */
void process_tell(struct process *p, uint8_t type, struct span body);
/* The same for what may fail alone, as an SA command does whose answer then says so. */
MUST_USE enum err process_send(struct process *p, uint8_t type, struct span body);
/* Bytes that wait for the monitor to read them. */
size_t process_queued(const struct process *p);
/* That neighbour broke its table: the monitor ends it. */
void process_accuse(struct process *p, enum role r);

#endif
