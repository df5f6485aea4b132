/* SPDX-License-Identifier: Apache-2.0 */
/* The signer: private keys and pre-shared keys live here and nowhere else. It does two fixed things
 * with them for the engine (sign, MAC) and gives none of them away. It has no files after its
 * start, no network, and reads nothing of a stranger's but octets that it hashes.
 */
#include "certs/keys.h"
#include "daemon/jobserver.h"
#include "daemon/privilege.h"
#include "daemon/processes.h"

static void signer_discard(void *prepared)
{
	keys_free(prepared);
}

/* The store has copies of its own: the configuration's are wiped at once. */
static enum err signer_prepare(void *ctx, struct conf *c, uint8_t workers, void **prepared,
			       char why[static PROCESS_WHY_MAX])
{
	struct keys *k = NULL;
	enum err e = keys_new(c, &k, why);

	(void)ctx;
	(void)workers;
	conf_free(c);
	if (e == OK)
		*prepared = k;
	return e;
}

static void signer_work(void *store, const struct job *j, uint8_t *buf, size_t size,
			struct job_result *r)
{
	keys_do(store, j, buf, size, r);
}

int signer_main(const struct options *o)
{
	static const struct jobserver_ops ops = {
		.process = { .role = ROLE_SIGNER,
			     .prepare = signer_prepare,
			     .discard = signer_discard },
		.kinds = 1u << JOB_SIGN | 1u << JOB_PSK_MAC,
		.work = signer_work,
	};

	(void)o;
	privilege_lock_memory();
	return jobserver_main(&ops);
}
