/* SPDX-License-Identifier: Apache-2.0 */
/* One message on its way through the engine (a turn), and what its handler decided (a step).
 *
 * A handler reads the views of the message, computes in locals, and commits to the SA in its last
 * lines. The step that it returns is carried out by the receiver (ike/receive.c) alone: so there is
 * one place that answers, one that ends an SA, and one where "no effect" means no effect.
 */
#ifndef IKE_STEP_H
#define IKE_STEP_H

#include "base/err.h"
#include "ike/message.h"

struct ike_engine;
struct ike_sa;

struct turn {
	struct ike_engine *e;
	struct ike_sa *sa;	 /* NULL: the first request of a new one */
	const struct path *path; /* as it came */
	const struct message *m; /* in clear: the datagram; protected: what was inside */
	const struct inner *in;	 /* protected: the bytes that m's views lie in */
	struct builder *reply;	 /* a protected request's answer: payloads to go inside */
};

enum step_kind {
	STEP_REPLY, /* request: answer with t->reply */
	STEP_DONE,  /* nothing is left to send */
	STEP_WAIT,  /* a job or a data plane has to answer first; the request stays busy */
	STEP_FAIL,  /* request: answer with this notify alone; the SA stays as it was */
	STEP_FATAL, /* the same, and then the SA ends (`err` is the reason) */
	STEP_END,   /* request: answer with t->reply, and then the SA ends */
	STEP_DROP,  /* no effect: the SA is byte for byte what it was */
};

struct step {
	enum step_kind kind;
	enum err err;
	uint16_t notify;
	uint8_t byte; /* data of UNSUPPORTED_CRITICAL_PAYLOAD */
};

static inline struct step step_reply(void)
{
	return (struct step){ .kind = STEP_REPLY };
}

static inline struct step step_done(void)
{
	return (struct step){ .kind = STEP_DONE };
}

static inline struct step step_wait(void)
{
	return (struct step){ .kind = STEP_WAIT };
}

static inline struct step step_drop(enum err e)
{
	return (struct step){ .kind = STEP_DROP, .err = e };
}

static inline struct step step_end(enum err e)
{
	return (struct step){ .kind = STEP_END, .err = e };
}

static inline struct step step_fail(enum err e, uint16_t notify)
{
	return (struct step){ .kind = STEP_FAIL, .err = e, .notify = notify };
}

static inline struct step step_fatal(enum err e, uint16_t notify)
{
	return (struct step){ .kind = STEP_FATAL, .err = e, .notify = notify };
}

typedef struct step handler_fn(struct turn *t);

#endif
