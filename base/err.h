/* SPDX-License-Identifier: Apache-2.0 */
/* One enum of everything that can go wrong, and one const table that says for each row what a
 * person searches for (slug), what it means (text), what the peer is told (notify, RFC
 * 7296 3.10.1), how loudly it is logged and with what the command exits. A slug is never renamed.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdint.h>

enum err {
	OK = 0,

	/* what arrived */
	ERR_SYNTAX,   /* malformed; INVALID_SYNTAX */
	ERR_VERSION,  /* major version is not 2; INVALID_MAJOR_VERSION */
	ERR_CRITICAL, /* unknown critical payload; UNSUPPORTED_CRITICAL_PAYLOAD */
	ERR_ICV,      /* integrity check failed */
	ERR_REPLAY,
	ERR_UNEXPECTED, /* no row of the exchange table fits */
	ERR_LIMIT,	/* a bound of ours was reached */

	/* here */
	ERR_NOMEM,
	ERR_SPACE,  /* the caller's buffer is too small */
	ERR_CRYPTO, /* the library refused */
	ERR_SYSTEM, /* a system call failed */
	ERR_NOT_FOUND,
	ERR_EXISTS,
	ERR_DENIED,
	ERR_BUSY,
	ERR_UNSUPPORTED,
	ERR_CONFIG,

	/* negotiation */
	ERR_NO_PROPOSAL, /* NO_PROPOSAL_CHOSEN */
	ERR_KE_GROUP,	 /* INVALID_KE_PAYLOAD */
	ERR_KE_VALUE,	 /* public value out of range, zero secret */
	ERR_TS,		 /* TS_UNACCEPTABLE */
	ERR_MODE,	 /* tunnel wanted, transport offered or the reverse */
	ERR_DOWNGRADE,	 /* the floor, or full_transcript = require, was not met */
	ERR_NO_ADDITIONAL_SAS,

	/* who the peer is */
	ERR_AUTH, /* AUTH does not verify; AUTHENTICATION_FAILED */
	ERR_WRONG_PSK,
	ERR_WRONG_IDENTITY, /* proved to be somebody else than the configuration wants */
	ERR_UNKNOWN_PEER,   /* no connection of ours fits */
	ERR_AUTH_METHOD,    /* the peer authenticates otherwise than configured */
	ERR_NO_CREDENTIAL,  /* ours is missing: key, certificate or PSK */
	ERR_CERT_UNTRUSTED,
	ERR_CERT_ENDED,
	ERR_CERT_NOT_YET,
	ERR_CERT_REVOKED,
	ERR_CERT_INVALID,
	ERR_CERT_WEAK,

	/* what the peer, or silence, said */
	ERR_NO_ANSWER,
	ERR_PEER_LOST,	   /* liveness: an established peer went silent */
	ERR_PEER_RESTARTED, /* it has proved that it knows nothing of the SA (RFC 6290) */
	ERR_REDIRECTED,	   /* the peer sends us to another address (RFC 5685) */
	ERR_PEER_REFUSED,  /* an error notify, protected */
	ERR_PEER_AUTH,	   /* the peer says AUTHENTICATION_FAILED */
	ERR_PEER_PROPOSAL, /* the peer says NO_PROPOSAL_CHOSEN */
	ERR_PEER_TS,	   /* the peer says TS_UNACCEPTABLE */
	ERR_PEER_DELETED,
	ERR_LOOP,     /* too many COOKIE or INVALID_KE_PAYLOAD rounds */
	ERR_RESOLVE,  /* the peer's name has no address */
	ERR_REPLACED, /* INITIAL_CONTACT of the same identity */
	ERR_OPERATOR, /* postern down */
	ERR_NOT_HERE, /* local_address is not one of this machine's */

	N_ERR
};

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

struct err_row {
	const char *slug; /* "no-common-proposal" */
	const char *text; /* "the peer takes none of our proposals" */
	uint16_t notify;  /* IKEv2 notify type that the peer gets, or 0 */
	enum log_level level;
	int exit_code; /* of the command: 1 refused, 4 timed out */
};

/* Never NULL; an unknown value gives the row of ERR_SYSTEM. */
const struct err_row *err_row(enum err e);
const char *err_slug(enum err e);
const char *err_text(enum err e);

#endif
