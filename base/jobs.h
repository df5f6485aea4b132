/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine asks of others: sign, MAC with a pre-shared key, verify a peer's certificate and
 * signature, compute a slow Diffie-Hellman. A job has a ticket, the exchange that needs it is
 * parked until the result comes as an event. The contract between ike/, certs/ and daemon/.
 */
#ifndef BASE_JOBS_H
#define BASE_JOBS_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/identity.h"

enum job_kind {
	JOB_SIGN,    /* signer */
	JOB_PSK_MAC, /* signer */
	JOB_VERIFY,  /* verifier */
	JOB_KE,	     /* a worker thread of the engine's process */
};

/* Authentication methods (RFC 7296 3.8, RFC 7427). */
enum auth_method {
	AUTH_RSA_SHA1 = 1,
	AUTH_PSK = 2,
	AUTH_ECDSA_256 = 9,
	AUTH_ECDSA_384 = 10,
	AUTH_ECDSA_521 = 11,
	AUTH_SIGNATURE = 14,
};

/* RFC 7427 hash algorithm numbers as bits: 1 << number. */
enum {
	SIGHASH_SHA1 = 1 << 1,
	SIGHASH_SHA2_256 = 1 << 2,
	SIGHASH_SHA2_384 = 1 << 3,
	SIGHASH_SHA2_512 = 1 << 4,
	SIGHASH_IDENTITY = 1 << 5
};

enum { JOB_NAME_MAX = 64, CERT_CHAIN_MAX = 65536, SIG_MAX = 1100 };

/* The signer chooses the scheme: by its key, the hashes that the peer takes (`hashes`), and the
 * methods that are possible (`rfc7427`: the peer sent SIGNATURE_HASH_ALGORITHMS). The result's
 * `auth` is the whole AUTH payload body after its four bytes of header: for method 14 the
 * AlgorithmIdentifier included. */
struct job_sign {
	char key[JOB_NAME_MAX]; /* name of the local credential: the connection's name */
	uint32_t hashes;
	bool rfc7427;
	struct span octets; /* <Initiator|Responder>SignedOctets, whole */
};

struct job_psk_mac {
	char key[JOB_NAME_MAX]; /* the connection's name */
	uint16_t prf_id;	/* IANA transform type 2 */
	struct span octets;
};

struct job_verify {
	char connection[JOB_NAME_MAX];
	struct span chain; /* CERT payload data (encoding 4), each with a two-byte length before it,
			      leaf first */
	struct identity claimed; /* the peer's ID payload */
	struct identity wanted;	 /* by configuration; ID_NONE: any that a certificate proves */
	uint8_t method;		 /* enum auth_method */
	struct span auth;	 /* AUTH payload body after its header */
	struct span octets;
};

struct job_ke {
	uint16_t group;
	struct span secret; /* our private value */
	struct span peer;   /* empty: compute only our public value */
};

struct job {
	uint64_t ticket;
	enum job_kind kind;
	union {
		struct job_sign sign;
		struct job_psk_mac psk_mac;
		struct job_verify verify;
		struct job_ke ke;
	};
};

/* `text` says in words what a person can act on, escaped and bounded ("certificate ended 2026-11-18
 * ..."). */
struct job_result {
	uint64_t ticket;
	enum job_kind kind;
	enum err err;
	uint8_t method;	   /* JOB_SIGN: enum auth_method that was used */
	struct span bytes; /* JOB_SIGN: AUTH body; JOB_PSK_MAC: the MAC; JOB_KE: public value or
			      shared secret */
	struct identity
		proved;	 /* JOB_VERIFY: the claimed identity as the certificate spells it; when
			    refused what it shows, for messages */
	uint64_t good_s; /* ... and for how many seconds from now the chain holds; 0: not known */
	char scheme[48]; /* "ECDSA with SHA2-256" */
	char text[256];
};

/* To and from bytes. Decoded spans point into `s`. */
void job_encode(struct wr *w, const struct job *j);
MUST_USE enum err job_decode(struct span s, struct job *j);
void job_result_encode(struct wr *w, const struct job_result *r);
MUST_USE enum err job_result_decode(struct span s, struct job_result *r);

#endif
