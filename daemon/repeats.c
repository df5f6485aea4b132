/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/repeats.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 512 };

/* A count is told after `first`, then each time after twice as long, up to `longest`; what was
 * quiet for that long is new. */
static const mono_ns first = 30 * NS_PER_S, longest = 600 * NS_PER_S;

struct repeat {
	struct ike_note *last; /* NULL: a free place */
	mono_ns written;
	mono_ns heard;
	mono_ns wait;	   /* since it was written, until a count is told */
	mono_ns filled;	   /* when `left` was counted last */
	unsigned int left; /* that may be written at once */
	unsigned int news; /* ... that say something else */
	int64_t times;	   /* since it was written */
};

struct repeats {
	struct repeat v[PLACES];
};

enum err repeats_new(struct repeats **r)
{
	*r = calloc(1, sizeof(**r));
	return *r ? OK : ERR_NOMEM;
}

void repeats_free(struct repeats *r)
{
	for (size_t i = 0; r && i < PLACES; i++)
		free(r->v[i].last);
	free(r);
}

static bool is_same(const struct repeat *p, const struct ike_note *n)
{
	const struct ike_note *was = p->last;

	if (!was || was->kind != n->kind || was->err != n->err || was->proved != n->proved)
		return false;
	/* Of many peers of one connection each has its own; who is not proved can take any name. */
	if (n->proved && !identity_eq(&was->identity, &n->identity))
		return false;
	return strcmp(was->connection, n->connection) == 0 && strcmp(was->child, n->child) == 0;
}

static bool says_else(const struct ike_note *was, const struct ike_note *n)
{
	return strcmp(was->text, n->text) != 0 || strcmp(was->got, n->got) != 0 ||
	       strcmp(was->wanted, n->wanted) != 0 || strcmp(was->offered, n->offered) != 0;
}

/* Its place; else a free one, or that of what was written longest ago, best without a count. */
static struct repeat *place_of(struct repeats *r, const struct ike_note *n)
{
	struct repeat *best = &r->v[0];

	for (size_t i = 0; i < PLACES; i++) {
		struct repeat *p = &r->v[i];

		if (is_same(p, n))
			return p;
		if (!best->last)
			continue;
		if (!p->last || (p->times > 0) < (best->times > 0) ||
		    ((p->times > 0) == (best->times > 0) && p->written < best->written))
			best = p;
	}
	return best;
}

static void refill(struct repeat *p, const struct repeat_rule *rule, mono_ns now)
{
	mono_ns n = rule->refill ? (now - p->filled) / rule->refill : 0;

	if (n == 0)
		return;
	p->left = n > rule->burst - p->left ? rule->burst : p->left + (unsigned int)n;
	p->filled = now;
}

static struct repeat_count take_count(struct repeat *p, mono_ns now)
{
	struct repeat_count c = { p->times, (int64_t)((now - p->written) / NS_PER_S) };

	p->times = 0;
	p->written = now;
	return c;
}

static void wait_longer(struct repeat *p)
{
	p->wait = p->wait * 2 < longest ? p->wait * 2 : longest;
}

/* May this one be written, of what was written before? */
static bool may_write(struct repeat *p, const struct ike_note *n, const struct repeat_rule *rule,
		      mono_ns now)
{
	bool news = says_else(p->last, n);

	refill(p, rule, now);
	if (p->left > 0) {
		p->left--;
		return true;
	}
	if (news && p->news > 0) {
		p->news--;
		return true;
	}
	if (now - p->written < (news ? first : p->wait))
		return false;
	wait_longer(p);
	return true;
}

/* Without memory for it it is written. */
static bool remember(struct repeat *p, const struct ike_note *n, const struct repeat_rule *rule,
		     mono_ns now)
{
	struct ike_note *last = p->last ? p->last : malloc(sizeof(*last));

	if (!last)
		return false;
	*last = *n;
	*p = (struct repeat){ .last = last,
			      .written = now,
			      .heard = now,
			      .filled = now,
			      .wait = first,
			      .left = rule->burst - 1,
			      .news = rule->news };
	return true;
}

bool repeats_judge(struct repeats *r, const struct ike_note *n, const struct repeat_rule *rule,
		   mono_ns now, struct repeat_count *count)
{
	struct repeat *p;
	bool writes;

	*count = (struct repeat_count){ .times = 0 };
	if (rule->burst == 0)
		return true;
	p = place_of(r, n);
	if (!is_same(p, n) || (p->times == 0 && now - p->heard >= longest)) {
		(void)remember(p, n, rule, now);
		return true;
	}
	p->heard = now;
	writes = may_write(p, n, rule, now);
	*p->last = *n;
	if (writes)
		*count = take_count(p, now);
	else
		p->times++;
	return writes;
}

bool repeats_due(struct repeats *r, mono_ns now, struct ike_note *n, struct repeat_count *count)
{
	for (size_t i = 0; i < PLACES; i++) {
		struct repeat *p = &r->v[i];

		if (!p->last || p->times == 0 || now - p->written < p->wait)
			continue;
		*n = *p->last;
		*count = take_count(p, now);
		wait_longer(p);
		return true;
	}
	return false;
}

static bool is_refusal(const struct ike_note *n)
{
	return n->kind == IKE_NOTE_REFUSED || n->kind == IKE_NOTE_CHILD_FAILED ||
	       n->kind == IKE_NOTE_HINT || n->kind == IKE_NOTE_REKEY_FAILED;
}

bool repeats_forget(struct repeats *r, const char *connection, mono_ns now, struct ike_note *n,
		    struct repeat_count *count)
{
	for (size_t i = 0; i < PLACES; i++) {
		struct repeat *p = &r->v[i];

		if (!p->last || !is_refusal(p->last) ||
		    strcmp(p->last->connection, connection) != 0)
			continue;
		*n = *p->last;
		*count = take_count(p, now);
		free(p->last);
		p->last = NULL;
		if (count->times > 0)
			return true;
	}
	return false;
}
