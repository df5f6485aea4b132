/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier: does this chain lead to a trusted CA now, does the certificate
 * prove the identity that the configuration wants, did its key sign these
 * octets? No out-parameter holds anything of an untrusted certificate but words
 * for a message. Lives in the verifier process alone.
 */
#ifndef CERTS_VERIFY_H
#define CERTS_VERIFY_H

#include <time.h>

#include "base/jobs.h"
#include "conf/model.h"

struct verifier;

/* Trust anchors of every `me` block. */
MUST_USE enum err verifier_new(const struct conf *c, struct verifier **out, char why[static 256]);
void verifier_free(struct verifier *v);
/* JOB_VERIFY at wall-clock time `at`. r->err == OK only when chain, identity
 * and signature all hold. */
void verifier_do(struct verifier *v, const struct job *j, time_t at, struct job_result *r);

#endif
