/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's data plane: see xfrm/kernel.h. Opening, and the commands; kernel_inner.h says which
 * file does what.
 *
 * Outbound, the state comes before the policy that names it: a policy that names a state which is
 * not there makes the kernel wait for it under that very SPI, and then refuse the state. On the way
 * out the policy goes first.
 */
#include "xfrm/kernel.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xfrm/kernel_inner.h"
#include "xfrm/offload.h"
#include "xfrm/probe.h"
#include "xfrm/words.h"

static enum err open_events(struct netlink *nl)
{
	/* The tables themselves are watched because others may empty them. */
	static const uint32_t groups[] = { XFRMNLGRP_ACQUIRE, XFRMNLGRP_EXPIRE, XFRMNLGRP_MAPPING,
					   XFRMNLGRP_SA, XFRMNLGRP_POLICY };
	enum err err = netlink_open(nl, NETLINK_XFRM);

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]) && err == OK; i++)
		err = netlink_join(nl, groups[i]);
	return err;
}

/* Peers choose selectors and SPIs: with a seed that they do not know they cannot choose where these
 * collide. */
static struct kernel *kernel_new(const uint8_t seed[static SIPHASH_KEY_LEN])
{
	struct kernel *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->own.fd = -1;
	k->events.fd = -1;
	k->route.fd = -1;
	k->nl = &k->own;
	early_init(&k->early, NULL);
	k->taken = calloc(POLICY_FLOW_SLOTS, 1);
	if (k->taken != NULL && index_init(&k->index, seed) == OK)
		return k;
	kernel_close(k);
	return NULL;
}

enum err kernel_open(struct kernel **out, char why[static HOST_WHY_MAX])
{
	uint8_t seed[SIPHASH_KEY_LEN];
	struct kernel *k;
	enum err err;

	*out = NULL;
	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return why_say(why, ERR_SYSTEM, "no random numbers: %s", strerror(errno));
	k = kernel_new(seed);
	if (k == NULL)
		return why_say(why, ERR_NOMEM, "no memory");
	k->device = offload_device;
	k->early.open = netlink_open;
	err = netlink_open(&k->own, NETLINK_XFRM);
	if (err == OK)
		err = open_events(&k->events);
	if (err == OK)
		err = netlink_open(&k->route, NETLINK_ROUTE);
	if (err == OK) {
		*out = k;
		return OK;
	}
	kernel_close(k);
	if (err == ERR_UNSUPPORTED)
		return why_say(why, err, "the kernel has no IPsec (CONFIG_XFRM_USER)");
	return why_say(why, err, "cannot open a netlink socket for IPsec: %s", strerror(errno));
}

enum err kernel_over(struct netlink *nl, struct kernel **out)
{
	static const uint8_t seed[SIPHASH_KEY_LEN];

	*out = kernel_new(seed);
	if (*out == NULL)
		return ERR_NOMEM;
	(*out)->nl = nl;
	return OK;
}

void kernel_close(struct kernel *k)
{
	if (k == NULL)
		return;
	early_close(&k->early);
	netlink_close(&k->own);
	netlink_close(&k->events);
	netlink_close(&k->route);
	book_free(k);
	free(k);
}

/* Booted with ipv6.disable=1, or without the module. */
static bool has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno != EAFNOSUPPORT;
	close(fd);
	return true;
}

void kernel_probe(struct kernel *k, struct plane_caps *caps)
{
	probe_all(k->nl, has_ipv6(), caps);
	k->sa_dir = caps->sa_dir;
}

void kernel_know(struct kernel *k, const struct plane_caps *caps)
{
	k->sa_dir = caps->sa_dir;
}

void kernel_prepare(struct kernel *k)
{
	early_prepare(&k->early);
}

/* ---- commands ---- */

/* What the half brought in goes: policies in reverse, back to what they were for other halves, then
 * the state. */
static enum err take_half(struct kernel *k, struct kernel_half *half, char *why)
{
	const struct settle again = { .all = false };
	const struct state_id id = state_id_of(&half->d);
	char unused[HOST_WHY_MAX];
	enum err err;
	enum err gone;

	book_take(k, half);
	err = settle_flows(k, &half->flows, unused);
	gone = take_state(k, &id, unused);
	half_free(half);
	return err == OK && gone == OK ? OK : kernel_settle(k, &again, why);
}

/* Of a set the half may not be the best. */
static enum err put_flows(struct kernel *k, const struct flow_list *flows, char *why)
{
	struct flow_policy want;
	enum err err = OK;

	for (size_t i = 0; i < flows->n && err == OK; i++) {
		if (book_wants(k, &flows->v[i], &want))
			err = put_policy(k, &want, why);
	}
	return err;
}

/* A kernel that cannot do what it was asked for takes the state without a word. Only where it is
 * insisted on must this be known. */
static enum err read_offload(struct kernel *k, struct kernel_half *half,
			     const struct state_extra *x, char *why)
{
	const bool insists = half->d.offload == OFFLOAD_CRYPTO;
	struct state_info s = { .offload = OFFLOAD_NO };
	enum err err = x->ifindex == 0 ? OK : show_state(k, &half->d, &s, why);

	if (err == OK)
		half->offload = s.offload;
	if (err == OK && insists && half->offload != OFFLOAD_CRYPTO)
		return why_say(why, ERR_UNSUPPORTED,
			       "offload = crypto: the network device does not do it");
	return insists ? err : OK;
}

/* In the book first: what the policies of a selector shall be is decided there. */
static enum err put_half(struct kernel *k, struct kernel_half *half, enum sa_offload *given,
			 char *why)
{
	struct state_extra x = { .sa_dir = k->sa_dir };
	char unused[HOST_WHY_MAX];
	bool unheard;
	enum err err;

	half->claimed = true;
	err = book_put(k, half);
	if (err == OK) {
		err = put_state(k, &half->d, &x, &unheard, why);
		if (err != OK)
			book_take(k, half);
	} else {
		err = why_say(why, err, "%s", err_text(err));
	}
	if (err != OK) {
		half_free(half);
		return err;
	}
	err = read_offload(k, half, &x, why);
	*given = half->offload;
	if (err == OK)
		err = put_flows(k, &half->flows, why);
	/* What cannot be undone now is in doubt and undone later; the first failure is told. */
	if (err != OK && take_half(k, half, unused) != OK)
		k->doubt = true;
	return err;
}

/* Their states; the engine is told with the next events, as when others had deleted them. */
static enum err drive_out(struct kernel *k, const struct kernel_half *half, char *why)
{
	struct kernel_half *other;
	enum err err = OK;

	while (err == OK && (other = book_yields(k, half)) != NULL) {
		const struct state_id id = state_id_of(&other->d);

		err = take_state(k, &id, why);
		other->driven_out = err == OK;
		k->missing = true;
	}
	return err;
}

static enum err install(struct kernel *k, const struct sa_desc *d, enum sa_offload *given,
			char *why)
{
	enum sa_offload got = OFFLOAD_NO;
	char unused[HOST_WHY_MAX];
	struct kernel_half *half;
	enum err err = half_new(k, d, &half);

	if (err != OK)
		return why_say(why, err, "the selectors do not fit into policies of the kernel: %s",
			       err == ERR_LIMIT ? "there are too many" : err_text(err));
	err = book_judge(k, half, why);
	if (err == OK)
		err = drive_out(k, half, why);
	if (err != OK) {
		half_free(half);
		return err;
	}
	err = put_half(k, half, &got, why);
	if (err == OK)
		*given = got;
	if (err != OK)
		return err;
	if (d->dir == SA_IN) {
		early_release(&k->early, d->spi);
		return OK;
	}
	/* The trap shall raise an ACQUIRE again as soon as the child is gone. A larval state that
	 * stays ends by itself. */
	(void)!forget_acquires(k, d->reqid, d->acquire, unused);
	if (sa_desc_reqid(d) != d->reqid)
		(void)!forget_acquires(k, sa_desc_reqid(d), 0, unused);
	kernel_traps_wake(k, d->reqid);
	return OK;
}

static enum err remove_half(struct kernel *k, const struct sa_desc *d, char *why)
{
	struct kernel_half *half = book_find(k, d);

	if (half == NULL)
		return why_say(why, ERR_NOT_FOUND, "no state of ours has SPI %08x", d->spi);
	return take_half(k, half, why);
}

/* The policies change their priority or lead to another peer, in place: nothing is let out between.
 */
static enum err pass(struct kernel *k, const struct sa_desc *d, char *why)
{
	const struct settle again = { .all = false };
	struct kernel_half *half = book_find(k, d);
	char unused[HOST_WHY_MAX];

	if (half == NULL || half->d.dir != SA_OUT)
		return why_say(why, ERR_NOT_FOUND, "no state of ours has SPI %08x", d->spi);
	book_pass(half, d->passed);
	return settle_flows(k, &half->flows, unused) == OK ? OK : kernel_settle(k, &again, why);
}

/* ---- counters ---- */

/* Most kernels do not say when a state was last used, so that is when its counter was last seen to
 * have moved: as exact as one asks often. */
static void count(struct kernel_half *half, const struct state_info *s, struct sa_counters *c)
{
	if (s->packets != half->packets) {
		half->packets = s->packets;
		half->last_ns = mono_now();
	}
	*c = (struct sa_counters){
		.bytes = s->bytes,
		.packets = s->packets,
		.last_ns = half->last_ns,
		.drop_replay = half->drop_replay + s->drop_window + s->drop_replay,
		.drop_integrity = half->drop_integrity + s->drop_integrity,
	};
}

static enum err query(struct kernel *k, const struct sa_desc *d, struct sa_counters *c, char *why)
{
	struct kernel_half *half = book_find(k, d);
	struct state_info s;
	enum err err;

	if (half == NULL)
		return why_say(why, ERR_NOT_FOUND, "no state of ours has SPI %08x", d->spi);
	err = show_state(k, &half->d, &s, why);
	if (err == OK)
		count(half, &s, c);
	return err;
}

/* ---- after another engine ---- */

static enum err claim(struct kernel *k, const struct sa_desc *d, struct sa_done *done, char *why)
{
	struct kernel_half *half = book_find(k, d);

	if (half == NULL || half->d.mode != d->mode || half->d.if_id != d->if_id ||
	    half->d.set != d->set || half->d.priority != d->priority ||
	    !ts_list_eq(&half->d.local, &d->local) || !ts_list_eq(&half->d.remote, &d->remote))
		return why_say(why, ERR_NOT_FOUND, "no such state of ours has SPI %08x", d->spi);
	half->claimed = true;
	done->offload = half->offload;
	return query(k, d, &done->counters, why);
}

static enum err sweep(struct kernel *k, char *why)
{
	struct kernel_half *half = k->halves.newest;
	enum err err = OK;

	while (half != NULL) {
		struct kernel_half *older = half->older;
		enum err gone = half->claimed ? OK : take_half(k, half, why);

		err = err == OK ? gone : err;
		half = older;
	}
	return err;
}

void kernel_unclaim(struct kernel *k)
{
	k->installed_before = k->installed;
	for (struct kernel_half *half = k->halves.newest; half != NULL; half = half->older)
		half->claimed = false;
}

void kernel_began(struct kernel *k, mono_ns now)
{
	k->installed = now;
	k->installed_before = now;
}

/* What a predecessor of the engine had carried out is there, or it was, and is not put in again. */
static enum err install_once(struct kernel *k, const struct sa_cmd *cmd, struct sa_done *done,
			     char *why)
{
	if (cmd->install != 0 && cmd->install <= k->installed_before)
		return claim(k, &cmd->sa, done, why);
	if (cmd->install > k->installed)
		k->installed = cmd->install;
	return install(k, &cmd->sa, &done->offload, why);
}

/* ---- one command ---- */

static enum err perform(struct kernel *k, const struct sa_cmd *cmd, struct sa_done *done, char *why)
{
	const struct sa_desc *d = &cmd->sa;

	switch (cmd->op) {
	case SA_INSTALL:
		return install_once(k, cmd, done, why);
	case SA_MOVE:
		return kernel_move(k, d, why);
	case SA_REMOVE:
		return remove_half(k, d, why);
	case SA_PASS:
		return pass(k, d, why);
	case SA_QUERY:
		return query(k, d, &done->counters, why);
	case SA_FORGET:
		return forget_acquires(k, d->reqid, d->acquire, why);
	case SA_CLAIM:
		return claim(k, d, done, why);
	case SA_SWEEP:
		return sweep(k, why);
	case SA_EXPECT:
		return early_expect(&k->early, d->spi, mono_now());
	}
	return ERR_UNEXPECTED;
}

/* Tries once to clear up what was left open; what stays open is tried again the next time. */
static void clear_doubt(struct kernel *k)
{
	const struct settle s = { .all = false };
	char unused[HOST_WHY_MAX];

	if (k->doubt)
		(void)!kernel_settle(k, &s, unused);
}

void kernel_command(struct kernel *k, const struct sa_cmd *cmd, struct sa_done *done)
{
	char why[HOST_WHY_MAX] = "";

	*done = (struct sa_done){ .ticket = cmd->ticket,
				  .spi = cmd->sa.spi,
				  .dir = cmd->sa.dir,
				  .offload = OFFLOAD_NO };
	clear_doubt(k);
	done->err = perform(k, cmd, done, why);
	clear_doubt(k);
	if (done->err != OK)
		snprintf(done->why, sizeof(done->why), "%.*s", SA_WHY_MAX - 1, why);
}

/* ---- all of it ---- */

static void drop_policies(struct kernel *k, bool traps)
{
	char unused[HOST_WHY_MAX];
	struct standing *next;

	for (struct standing *s = k->policies.first; s != NULL; s = next) {
		const struct flow_policy key = s->f;

		next = s->next;
		if (traps || key.kind == FLOW_CHILD)
			(void)!take_policy(k, &key, unused);
	}
}

static void drop_children(struct kernel *k)
{
	char unused[HOST_WHY_MAX];

	drop_policies(k, false);
	while (k->halves.newest != NULL) {
		struct kernel_half *half = k->halves.newest;
		const struct state_id id = state_id_of(&half->d);

		book_take(k, half);
		half_free(half);
		(void)!take_state(k, &id, unused);
	}
}

static void drop_traps(struct kernel *k)
{
	struct flow_list none = { .n = 0 };

	drop_policies(k, true);
	book_traps_set(k, &none);
}

/* Twice, because a first try may be disturbed and there is nobody to ask again later. */
static enum err settle_all(struct kernel *k, char *why)
{
	const struct settle s = { .all = true };
	enum err err = kernel_settle(k, &s, why);

	return err == OK ? OK : kernel_settle(k, &s, why);
}

enum err kernel_clear(struct kernel *k, char why[static HOST_WHY_MAX])
{
	drop_children(k);
	drop_traps(k);
	return settle_all(k, why);
}

void kernel_flush(struct kernel *k)
{
	char unused[HOST_WHY_MAX];

	drop_children(k);
	(void)!settle_all(k, unused);
}
