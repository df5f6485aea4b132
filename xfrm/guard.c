/* SPDX-License-Identifier: Apache-2.0 */
/* Guards (host_guard_*): between "configured" and "taken down by an operator" no packet of the
 * children's selectors leaves or comes in unprotected. The kernel holds them, so they outlive every
 * process of ours.
 */
#include "xfrm/host_inner.h"
#include "xfrm/plan.h"
#include "xfrm/policy_set.h"
#include "xfrm/words.h"

static enum err plan_guards_or_say(struct policy_list *wanted, const struct host_child *v, size_t n,
				   const struct own_list *own, char *why)
{
	enum err err = plan_guards(wanted, v, n, own);

	return err == OK ? OK : why_say(why, err, "cannot plan the guards: %s", err_text(err));
}

enum err host_guard_set(struct host *h, const struct host_child *v, size_t n,
			char why[static HOST_WHY_MAX])
{
	const struct policy_set set = { .nl = &h->xfrm, .section = POLICY_OF_GUARD };
	struct policy_list wanted = { .n = 0 };
	struct own_list own = { .n = 0 };
	enum err err = own_list_read(&h->route, &own, why);

	if (err == OK)
		err = plan_guards_or_say(&wanted, v, n, &own, why);
	if (err == OK)
		err = policy_set_apply(&set, &wanted, why);
	policy_list_free(&wanted);
	own_list_free(&own);
	return err;
}

enum err host_guard_off(struct host *h, char why[static HOST_WHY_MAX])
{
	return host_guard_set(h, NULL, 0, why);
}

enum err host_guard_list(struct host *h, host_guard_fn *fn, void *ctx,
			 char why[static HOST_WHY_MAX])
{
	const struct policy_set set = { .nl = &h->xfrm, .section = POLICY_OF_GUARD };
	struct policy_list got = { .n = 0 };
	enum err err = policy_set_read(&set, &got, why);

	for (size_t i = 0; i < got.n && err == OK; i++) {
		struct ts src;
		struct ts dst;

		if (got.v[i].action != XFRM_POLICY_BLOCK)
			continue;
		policy_sides(&got.v[i].sel, &src, &dst);
		fn(ctx, &src, &dst, policy_dir_text(got.v[i].dir));
	}
	policy_list_free(&got);
	return err;
}
