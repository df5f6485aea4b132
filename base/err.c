/* SPDX-License-Identifier: Apache-2.0 */
/* The table of everything that can go wrong. Slugs are what people search for: never rename one.
 * Two rows share a slug only where one cause is seen from both ends (no-common-proposal,
 * selectors-disjoint).
 *
 * The peer learns less than the operator: whatever is wrong with its proof, it is told
 * AUTHENTICATION_FAILED (RFC 7296 2.21.2). 0 means that nothing is sent.
 */
#include "base/err.h"

#include <stddef.h>

/* RFC 7296 3.10.1 */
enum {
	TELL_NOTHING = 0,
	UNSUPPORTED_CRITICAL_PAYLOAD = 1,
	INVALID_MAJOR_VERSION = 5,
	INVALID_SYNTAX = 7,
	NO_PROPOSAL_CHOSEN = 14,
	INVALID_KE_PAYLOAD = 17,
	AUTHENTICATION_FAILED = 24,
	NO_ADDITIONAL_SAS = 35,
	TS_UNACCEPTABLE = 38,
	TEMPORARY_FAILURE = 43,
};

/* What the command exits with: done, refused or failed, nothing came in time. */
enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_TIMEOUT = 4 };

/* clang-format off */
#define ROW(slug, text, notify, level) { slug, text, notify, LOG_LEVEL_##level, EXIT_REFUSED }
/* clang-format on */

static const struct err_row err_rows[N_ERR] = {
	[OK] = { "ok", "done", TELL_NOTHING, LOG_LEVEL_INFO, EXIT_DONE },

	[ERR_SYNTAX] = ROW("malformed-message",
			   "a message does not have the form that the standard gives it",
			   INVALID_SYNTAX, NOTICE),
	[ERR_VERSION] = ROW("wrong-version", "the peer speaks another version of IKE than 2",
			    INVALID_MAJOR_VERSION, NOTICE),
	[ERR_CRITICAL] = ROW("unknown-critical-payload",
			     "the peer insists on a payload that is unknown here",
			     UNSUPPORTED_CRITICAL_PAYLOAD, NOTICE),
	[ERR_ICV] =
		ROW("integrity-failed", "a message was damaged on its way, or somebody forged it",
		    TELL_NOTHING, DEBUG),
	[ERR_REPLAY] = ROW("replayed-message", "a message came a second time", TELL_NOTHING, DEBUG),
	[ERR_UNEXPECTED] =
		ROW("unexpected-message", "a message has no place in the exchange as it stands",
		    INVALID_SYNTAX, DEBUG),
	[ERR_LIMIT] = ROW("limit-reached", "a limit that protects this gateway was reached",
			  TEMPORARY_FAILURE, NOTICE),

	[ERR_NOMEM] = ROW("out-of-memory", "no memory is left for it", TEMPORARY_FAILURE, ERROR),
	[ERR_SPACE] =
		ROW("too-large", "it is larger than there is room for", TEMPORARY_FAILURE, WARNING),
	[ERR_CRYPTO] = ROW("cryptography-failed", "the cryptographic library refused an operation",
			   TEMPORARY_FAILURE, ERROR),
	[ERR_SYSTEM] = ROW("system-error", "the operating system refused an operation",
			   TEMPORARY_FAILURE, ERROR),
	[ERR_NOT_FOUND] =
		ROW("not-found", "there is nothing of that name or number", TELL_NOTHING, NOTICE),
	[ERR_EXISTS] = ROW("already-there", "something of that name or number is there already",
			   TELL_NOTHING, NOTICE),
	[ERR_DENIED] = ROW("not-allowed", "who asks may not do that", TELL_NOTHING, WARNING),
	[ERR_BUSY] = ROW("busy", "something else has to end first", TEMPORARY_FAILURE, INFO),
	[ERR_UNSUPPORTED] = ROW("not-supported", "this version, or this kernel, cannot do that",
				NO_PROPOSAL_CHOSEN, NOTICE),
	[ERR_CONFIG] = ROW("wrong-configuration", "the configuration does not say it correctly",
			   TELL_NOTHING, ERROR),

	[ERR_NO_PROPOSAL] =
		ROW("no-common-proposal", "the peer offers nothing that our policy takes",
		    NO_PROPOSAL_CHOSEN, WARNING),
	[ERR_KE_GROUP] =
		ROW("wrong-group", "the key exchange uses another group than the one agreed on",
		    INVALID_KE_PAYLOAD, INFO),
	[ERR_KE_VALUE] = ROW("bad-public-value", "the peer's public value is not one of its group",
			     INVALID_SYNTAX, WARNING),
	[ERR_TS] = ROW("selectors-disjoint", "the networks of both sides have nothing in common",
		       TS_UNACCEPTABLE, WARNING),
	[ERR_MODE] = ROW("wrong-mode", "one side wants tunnel mode and the other transport mode",
			 NO_PROPOSAL_CHOSEN, WARNING),
	[ERR_DOWNGRADE] =
		ROW("below-the-floor", "less protection was offered than the connection requires",
		    NO_PROPOSAL_CHOSEN, WARNING),
	[ERR_NO_ADDITIONAL_SAS] =
		ROW("no-more-children", "no further child is taken on this connection",
		    NO_ADDITIONAL_SAS, NOTICE),

	[ERR_AUTH] = ROW("wrong-proof", "the peer's proof of its identity does not hold",
			 AUTHENTICATION_FAILED, WARNING),
	[ERR_WRONG_PSK] = ROW("wrong-psk", "the two sides have different pre-shared keys",
			      AUTHENTICATION_FAILED, WARNING),
	[ERR_WRONG_IDENTITY] = ROW("wrong-identity", "the peer is not whom the configuration wants",
				   AUTHENTICATION_FAILED, WARNING),
	[ERR_UNKNOWN_PEER] =
		ROW("unknown-peer", "no connection of the configuration is for this peer",
		    AUTHENTICATION_FAILED, WARNING),
	[ERR_AUTH_METHOD] =
		ROW("wrong-auth-method", "the peer proves itself by another method than configured",
		    AUTHENTICATION_FAILED, WARNING),
	[ERR_NO_CREDENTIAL] =
		ROW("no-credential", "our own key, certificate or pre-shared key is missing",
		    AUTHENTICATION_FAILED, ERROR),
	[ERR_CERT_UNTRUSTED] =
		ROW("certificate-untrusted", "no configured authority vouches for the certificate",
		    AUTHENTICATION_FAILED, WARNING),
	[ERR_CERT_ENDED] = ROW("certificate-ended", "the certificate's validity has ended",
			       AUTHENTICATION_FAILED, WARNING),
	[ERR_CERT_NOT_YET] =
		ROW("certificate-not-yet-valid", "the certificate's validity has not begun",
		    AUTHENTICATION_FAILED, WARNING),
	[ERR_CERT_REVOKED] =
		ROW("certificate-revoked", "the certificate was revoked by its authority",
		    AUTHENTICATION_FAILED, WARNING),
	[ERR_CERT_INVALID] =
		ROW("certificate-invalid", "the certificate is malformed or not made for this use",
		    AUTHENTICATION_FAILED, WARNING),
	[ERR_CERT_WEAK] = ROW("certificate-weak", "the certificate's key or signature is too weak",
			      AUTHENTICATION_FAILED, WARNING),

	[ERR_NO_ANSWER] = { "no-answer", "nothing at all came from the peer", TELL_NOTHING,
			    LOG_LEVEL_WARNING, EXIT_TIMEOUT },
	[ERR_PEER_LOST] =
		ROW("peer-lost", "the peer was there and went silent", TELL_NOTHING, WARNING),
	[ERR_PEER_RESTARTED] = ROW("peer-restarted", "the peer has restarted and lost it",
				   TELL_NOTHING, NOTICE),
	[ERR_REDIRECTED] =
		ROW("redirected", "the peer sends us to another gateway", TELL_NOTHING, NOTICE),
	[ERR_PEER_REFUSED] = ROW("peer-refused", "the peer refuses with an error of its own",
				 TELL_NOTHING, WARNING),
	[ERR_PEER_AUTH] = ROW("peer-rejects-us", "the peer does not accept our proof of identity",
			      TELL_NOTHING, WARNING),
	[ERR_PEER_PROPOSAL] = ROW("no-common-proposal",
				  "the peer takes none of our proposals, or expects nobody here",
				  TELL_NOTHING, WARNING),
	[ERR_PEER_TS] = ROW("selectors-disjoint", "the peer takes none of our networks",
			    TELL_NOTHING, WARNING),
	[ERR_PEER_DELETED] = ROW("peer-closed", "the peer has closed it", TELL_NOTHING, NOTICE),
	[ERR_LOOP] = ROW("endless-retries", "the peer keeps asking for another first message",
			 TELL_NOTHING, WARNING),
	[ERR_RESOLVE] = ROW("name-without-address",
			    "the peer's name has no address, or no route leads to it", TELL_NOTHING,
			    WARNING),
	[ERR_REPLACED] = ROW("replaced", "the same peer has connected anew", TELL_NOTHING, INFO),
	[ERR_OPERATOR] =
		ROW("closed-by-operator", "somebody here has closed it", TELL_NOTHING, NOTICE),
	[ERR_NOT_HERE] =
		ROW("address-not-here", "this machine lacks the address that it is to send from",
		    TELL_NOTHING, WARNING),
};

const struct err_row *err_row(enum err e)
{
	unsigned int i = (unsigned int)e;

	return &err_rows[i < N_ERR ? i : ERR_SYSTEM];
}

const char *err_slug(enum err e)
{
	return err_row(e)->slug;
}

const char *err_text(enum err e)
{
	return err_row(e)->text;
}
