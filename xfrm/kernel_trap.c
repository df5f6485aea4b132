/* SPDX-License-Identifier: Apache-2.0 */
/* Traps of configured children, and the exceptions from them: what a guard lets through
 * (xfrm/plan.h) must not be caught by the trap or the child above it either.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xfrm/kernel_inner.h"
#include "xfrm/own.h"
#include "xfrm/plan.h"
#include "xfrm/words.h"

/* Under a service manager /proc/sys may be read-only. */
static int hold_packets(void)
{
	int fd = open(KERNEL_LARVAL_DROP, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, "0\n", 2) == 2;
	int error = errno;

	if (fd >= 0)
		close(fd);
	return written ? 0 : error;
}

int kernel_hold_error(const struct kernel *k)
{
	return k->hold_error;
}

static bool is_caught(const struct host_child *c)
{
	return c->plane == PLANE_KERNEL;
}

/* Route-based children catch only what is routed into their device, so nothing needs to be let
 * past. */
static bool needs_exceptions(const struct host_child *c)
{
	return is_caught(c) && c->interface[0] == '\0';
}

static enum err own_read_all(struct kernel *k, struct own_list *own, char *why)
{
	return k->route.fd < 0 ? OK : own_list_read(&k->route, own, why);
}

static enum err put_exceptions(struct flow_list *l, const struct policy_list *plan)
{
	enum err err = OK;

	for (size_t i = 0; i < plan->n && err == OK; i++) {
		struct flow_policy f = flow_exempt(&plan->v[i]);

		if (plan->v[i].action != XFRM_POLICY_ALLOW)
			continue;
		err = flow_list_add(l, &f);
	}
	return err;
}

static enum err wanted_exceptions(struct kernel *k, struct flow_list *l, const struct host_child *v,
				  size_t n, char *why)
{
	struct host_child *some = calloc(n + 1, sizeof(*some));
	struct own_list own = { .n = 0 };
	struct policy_list plan = { .n = 0 };
	size_t n_some = 0;
	enum err err =
		some == NULL ? why_say(why, ERR_NOMEM, "no memory") : own_read_all(k, &own, why);

	for (size_t i = 0; i < n && err == OK; i++) {
		if (needs_exceptions(&v[i]))
			some[n_some++] = v[i];
	}
	if (err == OK) {
		err = plan_guards(&plan, some, n_some, &own);
		if (err == OK)
			err = put_exceptions(l, &plan);
		if (err != OK)
			err = why_say(why, err, "the exceptions from the children's selectors: %s",
				      err_text(err));
	}
	policy_list_free(&plan);
	own_list_free(&own);
	free(some);
	return err;
}

static enum err wanted_traps(struct flow_list *l, const struct host_child *v, size_t n, char *why)
{
	enum err err = OK;

	for (size_t i = 0; i < n && err == OK; i++) {
		if (!is_caught(&v[i]))
			continue;
		err = flow_list_fill_trap(l, &v[i]);
		if (err == ERR_TS)
			err = OK; /* no packet has such selectors */
		if (err != OK)
			err = why_say(why, err,
				      "the selectors of connection \"%s\", child \"%s\" do not fit "
				      "into policies of the kernel: %s",
				      v[i].connection, v[i].child,
				      err == ERR_LIMIT ? "there are too many" : err_text(err));
	}
	return err;
}

/* Exceptions before traps: a wide trap must not stand for a moment without. */
static enum err put_wanted(struct kernel *k, const struct flow_list *wanted, char *why)
{
	static const enum flow_kind kinds[] = { FLOW_EXEMPT, FLOW_TRAP };
	enum err err = OK;

	for (size_t pass = 0; pass < sizeof(kinds) / sizeof(kinds[0]); pass++) {
		for (size_t i = 0; i < wanted->n && err == OK; i++) {
			if (wanted->v[i].kind == kinds[pass])
				err = put_policy(k, &wanted->v[i], why);
		}
	}
	return err;
}

static enum err take_surplus(struct kernel *k, const struct flow_list *wanted, char *why)
{
	struct standing *next;
	enum err err = OK;

	for (struct standing *s = k->policies.first; s != NULL && err == OK; s = next) {
		const struct flow_policy f = s->f;

		next = s->next;
		if (f.kind != FLOW_CHILD && flow_list_find(wanted, &f) == NULL)
			err = take_policy(k, &f, why);
	}
	return err;
}

/* Levels come from the traps, so they may have changed under children that are up. */
static enum err level_children(struct kernel *k, struct flow_list *traps, char *why)
{
	struct flow_policy want;
	enum err err = OK;

	book_traps_set(k, traps);
	for (struct standing *s = k->policies.first; s != NULL && err == OK; s = s->next) {
		if (s->f.kind == FLOW_CHILD && book_wants(k, &s->f, &want))
			err = put_policy(k, &want, why);
	}
	k->doubt = k->doubt || err != OK;
	return err;
}

static enum err wanted_policies(struct flow_list *wanted, const struct flow_list *traps)
{
	enum err err = OK;

	for (size_t i = 0; i < traps->n && err == OK; i++)
		err = flow_list_add(wanted, &traps->v[i]);
	flow_list_sort(wanted);
	return err;
}

enum err kernel_traps_set(struct kernel *k, const struct host_child *v, size_t n, bool hold,
			  char why[static HOST_WHY_MAX])
{
	/* Others may have taken away what the book still has. */
	const struct settle s = { .all = false };
	struct flow_list wanted = { .n = 0 };
	struct flow_list traps = { .n = 0 };
	enum err err = kernel_settle(k, &s, why);

	if (err == OK)
		err = wanted_traps(&traps, v, n, why);
	if (err == OK)
		err = wanted_exceptions(k, &wanted, v, n, why);
	if (err == OK && wanted_policies(&wanted, &traps) != OK)
		err = why_say(why, ERR_NOMEM, "no memory");
	if (err == OK)
		err = put_wanted(k, &wanted, why);
	if (err == OK)
		err = take_surplus(k, &wanted, why);
	if (err == OK)
		err = level_children(k, &traps, why);
	if (err == OK)
		k->hold_error = hold && k->nl == &k->own ? hold_packets() : 0;
	flow_list_free(&wanted);
	flow_list_free(&traps);
	return err;
}

/* Packets that wait look for their tunnel by a timer that doubles from 0.1 s on: after a handshake
 * of 0.3 s they would wait 0.4 s more. Those at a policy that is changed look at once
 * (xfrm_policy_requeue in net/xfrm/xfrm_policy.c), so the traps are set to what they are. A packet
 * whose trap could not be told looks again by itself. */
void kernel_traps_wake(struct kernel *k, uint32_t reqid)
{
	size_t n;
	const struct flow_policy *traps = book_traps(k, reqid, &n);

	for (size_t i = 0; i < n; i++) {
		const struct flow_policy *have = book_policy_find(k, &traps[i]);
		struct answer a;
		struct ask req;

		if (have == NULL || have->p.index == 0)
			continue;
		req = flow_ask_update(have);
		(void)!netlink_ask(k->nl, &req, &a);
	}
}
