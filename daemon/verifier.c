/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier: strangers' certificates are parsed here, beside no key of ours and beside no key of
 * a tunnel. It gives back a verdict, who it was, and words.
 */
#include <stdlib.h>
#include <time.h>

#include "certs/verify.h"
#include "daemon/jobserver.h"
#include "daemon/processes.h"

struct anchors {
	struct conf *conf;
	struct verifier *verifier;
};

static void verifier_discard(void *prepared)
{
	struct anchors *a = prepared;

	verifier_free(a->verifier);
	conf_free(a->conf);
	free(a);
}

static enum err verifier_prepare(void *ctx, struct conf *c, uint8_t workers, void **prepared,
				 char why[static PROCESS_WHY_MAX])
{
	struct anchors *a = calloc(1, sizeof *a);
	enum err e;

	(void)ctx;
	(void)workers;
	if (a == NULL) {
		conf_free(c);
		return ERR_NOMEM;
	}
	a->conf = c;
	e = verifier_new(c, &a->verifier, why);
	if (e == OK)
		*prepared = a;
	else
		verifier_discard(a);
	return e;
}

static void verifier_work(void *store, const struct job *j, uint8_t *buf, size_t size,
			  struct job_result *r)
{
	struct anchors *a = store;

	(void)buf;
	(void)size;
	verifier_do(a->verifier, j, time(NULL), r);
}

int verifier_main(const struct options *o)
{
	static const struct jobserver_ops ops = {
		.process = { .role = ROLE_VERIFIER,
			     .prepare = verifier_prepare,
			     .discard = verifier_discard },
		.kinds = 1u << JOB_VERIFY,
		.work = verifier_work,
	};

	(void)o;
	return jobserver_main(&ops);
}
