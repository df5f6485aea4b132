/* SPDX-License-Identifier: Apache-2.0 */
/* The exchange table: see rules.h. */
#include "ike/rules.h"

#include "ike/exchange_auth.h"
#include "ike/exchange_create.h"
#include "ike/exchange_info.h"
#include "ike/exchange_init.h"

#define ST(s) (1u << S_##s)
#define P(pl) PL_BIT(PL_##pl)

/* What may stand in any message without meaning anything by itself. */
static const uint32_t always = P(NOTIFY) | P(VENDOR);

/* Payloads that a message may carry and that we pass over: configuration, and whatever has no row.
 */
static const uint32_t anything = UINT32_MAX & ~(P(SK) | P(SKF));

enum { AUTH_ALL = P(SA) | P(TSI) | P(TSR), AUTH_EXTRA = P(CERT) | P(CERTREQ) | P(CP) };
#define CHILD_ALL (P(SA) | P(NONCE) | P(TSI) | P(TSR))

static const struct rule rows[] = {
	/* exchange, direction, states, must, may, handler */
	{ X_IKE_SA_INIT, REQUEST, ST(NONE), P(SA) | P(KE) | P(NONCE), 0, init_on_request },
	{ X_IKE_SA_INIT, RESPONSE, ST(INIT_SENT), P(SA) | P(KE) | P(NONCE), P(CERTREQ),
	  init_on_response },
	{ X_IKE_SA_INIT, RESPONSE, ST(INIT_SENT), P(NOTIFY), 0, init_on_refusal },

	{ X_IKE_AUTH, REQUEST, ST(INIT_DONE), P(IDI) | P(AUTH) | AUTH_ALL, P(IDR) | AUTH_EXTRA,
	  auth_on_request },
	/* Without a child: those come by CREATE_CHILD_SA (RFC 6023). */
	{ X_IKE_AUTH, REQUEST, ST(INIT_DONE), P(IDI) | P(AUTH), P(IDR) | AUTH_EXTRA,
	  auth_on_request },
	/* No AUTH: the peer wants EAP (RFC 7296 2.16). */
	{ X_IKE_AUTH, REQUEST, ST(INIT_DONE), P(IDI) | AUTH_ALL, P(IDR) | AUTH_EXTRA,
	  auth_on_eap_request },
	{ X_IKE_AUTH, RESPONSE, ST(AUTH_SENT), P(IDR) | P(AUTH) | AUTH_ALL, AUTH_EXTRA,
	  auth_on_response },
	/* The IKE SA without its child, which was refused (2.21.2) or not asked for (RFC 6023). */
	{ X_IKE_AUTH, RESPONSE, ST(AUTH_SENT), P(IDR) | P(AUTH), AUTH_EXTRA, auth_on_response },
	{ X_IKE_AUTH, RESPONSE, ST(AUTH_SENT), P(NOTIFY), 0, auth_on_refusal },
	{ X_IKE_AUTH, RESPONSE, ST(CLOSING), 0, anything, auth_on_late },

	/* What it is for, and so what must be there, says a table of its own. */
	{ X_CREATE_CHILD_SA, REQUEST, ST(UP) | ST(CLOSING), 0, anything, create_on_request },
	{ X_CREATE_CHILD_SA, RESPONSE, ST(UP), CHILD_ALL, anything & ~CHILD_ALL,
	  create_on_response },
	{ X_CREATE_CHILD_SA, RESPONSE, ST(UP), P(SA) | P(NONCE) | P(KE),
	  anything & ~(P(SA) | P(NONCE) | P(KE) | P(TSI) | P(TSR)), create_on_response },
	{ X_CREATE_CHILD_SA, RESPONSE, ST(UP), P(NOTIFY), anything & ~P(SA), create_on_refusal },
	{ X_CREATE_CHILD_SA, RESPONSE, ST(CLOSING), 0, anything, create_on_late },

	{ X_INFORMATIONAL, REQUEST, ST(UP) | ST(CLOSING), 0, anything, info_on_request },
	{ X_INFORMATIONAL, RESPONSE, ST(UP) | ST(CLOSING), 0, anything, info_on_response },
};

static bool row_is_for(const struct rule *r, uint8_t exchange, enum direction d,
		       enum sa_state state)
{
	return r->exchange == exchange && r->direction == d && (r->states & 1u << state);
}

bool rules_expect(uint8_t exchange, enum direction d, enum sa_state state)
{
	const struct rule *r;

	for (size_t i = 0; (r = rules_row(i)); i++) {
		if (row_is_for(r, exchange, d, state))
			return true;
	}
	return false;
}

const struct rule *rules_find(uint8_t exchange, enum direction d, enum sa_state state,
			      uint32_t present)
{
	const struct rule *r;

	for (size_t i = 0; (r = rules_row(i)); i++) {
		if (row_is_for(r, exchange, d, state) && (present & r->must) == r->must &&
		    (present & ~(r->must | r->may | always)) == 0)
			return r;
	}
	return NULL;
}

const struct rule *rules_row(size_t i)
{
	return i < sizeof(rows) / sizeof(rows[0]) ? &rows[i] : NULL;
}
