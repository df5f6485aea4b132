/* SPDX-License-Identifier: Apache-2.0 */
/* A CREATE_CHILD_SA exchange while it is under way (RFC 7296 1.3), ours or the peer's. An IKE SA
 * has at most one of each. Both roles go through the same stations, each in its own order:
 *
 *	ours:   offer -> [public value] -> READY -> request -> ASKED -> answer -> [secret] -> child
 *	theirs: request -> choice -> [public value, secret] -> inbound half in -> answer -> child
 *
 * In brackets: with a slow group a worker computes it, else it is there at once.
 *
 * Whose the child is while it is agreed on: ike/deal.h.
 */
#ifndef IKE_CREATE_H
#define IKE_CREATE_H

#include "crypto/alg.h"
#include "ike/deal.h"
#include "ike/sa.h"

/* What it is for. The request says it (3.10.1 REKEY_SA, and whether there are selectors). */
enum create_purpose { CREATE_CHILD, CREATE_CHILD_REKEY, CREATE_IKE_REKEY };

enum create_stage {
	CREATE_PUBLIC,	/* a worker computes our public value */
	CREATE_READY,	/* ours: to be sent when the window is free */
	CREATE_ASKED,	/* ours: the request is out */
	CREATE_SECRET,	/* a worker computes the shared secret */
	CREATE_INSTALL, /* the inbound half is being put in; of an IKE SA: its keys are there */
};

enum { CREATE_DELETED_MAX = 4 };

struct create {
	struct ike_sa *sa;
	enum create_purpose purpose;
	bool ours;
	enum create_stage stage;
	struct ticket ticket; /* of the worker */
	mono_ns expires;      /* a worker must have answered */
	struct path path;     /* theirs: where the request came from */
	uint8_t nonce[OWN_NONCE_LEN];
	struct packets peer_nonce;
	struct packets peer_ke;	      /* the value alone */
	const struct ke_group *group; /* NULL: the keys come from the IKE SA's alone */
	uint8_t priv[KE_PRIVATE_MAX];
	uint8_t pub[KE_PUBLIC_MAX];
	bool regrouped; /* ours: INVALID_KE_PAYLOAD was followed, which is done once */
	/* ours: SPIs that the peer deleted before its answer came, which may bring one of them */
	uint32_t deleted[CREATE_DELETED_MAX];
	uint8_t n_deleted;
	struct deal deal; /* of the IKE SA: its suite and the peer's SPI alone */
	uint64_t heir;	  /* our SPI of the IKE SA that it makes; 0: none */
	/* ours, while it is out: of what the peer has made for the same meanwhile; 0: nothing */
	uint64_t rival;
	struct low_nonce rival_low; /* of its exchange */
};

/* It is sa->mine or sa->theirs then, and has a fresh nonce. */
MUST_USE enum err create_new(struct ike_sa *sa, enum create_purpose purpose, bool ours);
/* Wiped, and NULL; what it holds goes along without a word: its child, its heir, its rival. *slot
 * may be NULL already. */
void create_free(struct create **slot);
/* This child goes: whose it is has none any more. */
void create_forget_child(struct ike_sa *sa, const struct child_sa *child);
/* Is this child still a matter between the two ends, so that the peer may not know it? */
bool create_is_dealing(const struct ike_sa *sa, const struct child_sa *child);
/* Ours: the peer may have heard of it. */
bool create_is_out(const struct create *c);
/* When a worker's answer is overdue, or when we may make children again; NEVER: neither. */
mono_ns create_deadline(const struct ike_sa *sa);

/* A private value of this group (NULL: none), and the public one: OK with c->stage CREATE_PUBLIC: a
 * worker was asked for it. */
MUST_USE enum err create_draw(struct create *c, const struct ke_group *g);
/* Our nonce, and our public value where there is a group. */
void create_put_values(const struct create *c, struct builder *b);
/* The shared secret is computed, or a worker was asked for it (CREATE_SECRET); then the child's
 * inbound half is commanded. */
MUST_USE enum err create_agree(struct create *c);

#endif
