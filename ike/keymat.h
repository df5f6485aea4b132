/* SPDX-License-Identifier: Apache-2.0 */
/* Keys from shared secrets: the IKE SA's (RFC 7296 2.14, 2.18) and a Child SA's (2.17). */
#ifndef IKE_KEYMAT_H
#define IKE_KEYMAT_H

#include "base/secret.h"
#include "crypto/suite.h"

/* i: what the initiator protects with; r: the responder. Encryption keys have their salt behind
 * them; ai and ar are empty with AEAD. Whoever holds them wipes them. */
struct ike_keys {
	struct key d;
	struct key ai, ar;
	struct key ei, er;
	struct key pi, pr;
};

struct child_keys {
	struct key i_encr, i_integ; /* from the initiator of the exchange to the responder */
	struct key r_encr, r_integ;
};

/* What goes in besides the suite. */
struct keymat_seed {
	/* shared secret of the group's secret_len; a Child SA without PFS: empty */
	struct span g_ir;
	struct span ni, nr;    /* nonces, without their headers */
	uint64_t spi_i, spi_r; /* IKE alone */
};

/* 2.14. On any error *k is wiped. */
MUST_USE enum err keymat_ike(const struct suite *s, const struct keymat_seed *seed,
			     struct ike_keys *k);
/* 2.18: SKEYSEED comes from the old SK_d with the old PRF, the rest by the new suite. */
MUST_USE enum err keymat_ike_rekey(const struct suite *s, const struct prf *old_prf,
				   const struct key *old_d, const struct keymat_seed *seed,
				   struct ike_keys *k);
/* 2.17: initiator to responder first, encryption before integrity. `prf` and `d` are the IKE
 * SA's. */
MUST_USE enum err keymat_child(const struct suite *esp, const struct prf *prf, const struct key *d,
			       const struct keymat_seed *seed, struct child_keys *k);

void ike_keys_wipe(struct ike_keys *k);
void child_keys_wipe(struct child_keys *k);

#endif
