/* SPDX-License-Identifier: Apache-2.0 */
/* What postern changes on the host, over netlink: the TUN device, routes and rules into it, the
 * guards (XFRM block policies with exceptions) and nftables tables (xfrm/nft_table.h).
 * Everything carries a mark of ours, so that any later start (or `postern guard off`) finds and
 * takes away exactly that, and nothing of others.
 *
 * Used by the monitor and by `postern guard`, which hold CAP_NET_ADMIN. Works from configuration
 * alone.
 */
#ifndef XFRM_HOST_H
#define XFRM_HOST_H

#include "base/err.h"
#include "base/sadesc.h"
#include "base/ts.h"

struct host;

/* The child of a configuration as the host knows it: its reqid and its selectors. */
struct host_child {
	char connection[64];
	char child[64];
	uint32_t reqid;
	struct ts_list local; /* borrowed for the call */
	struct ts_list remote;
	bool lockdown; /* no exception for the networks on the host's own links */
	enum sa_plane plane;
	enum sa_mode mode;
	/* Route-based: the device (an XFRM interface, or a TUN of the child's own), its addresses;
	 * "": by policies. */
	char interface[16];
	const struct net *addresses; /* borrowed */
	size_t n_addresses;
	uint16_t mtu;  /* what host_child_mtu was told last; 0: not yet */
	bool without6; /* set in xfrm/ alone: what it has of IPv6 is left out (xfrm/family.h) */
};

enum {
	HOST_MARK_OUTER = 0x50000000, /* our IKE and ESP packets, both directions */
	HOST_MARK_INNER = 0x60000000, /* packets that came out of the TUN device */
	HOST_MARK_ERROR = 0x40000000, /* ICMP errors that go by ESP (xfrm/nft_errors.h) */
	HOST_MARK_HELD =
		0x10000000, /* one bit: those that nothing carries, while they are judged */
	HOST_MARK_MASK = 0x70000000,
	HOST_MARK_LIFT = 0x30000000, /* zero in packets without a mark and in errors */
	HOST_TABLE = 5050,	     /* our routing table */
	HOST_TABLE_OUTER = 5051,     /* and that of our outer packets, xfrm/outer.h */
	HOST_RULE_PRIORITY = 5050,
	/* The MTU of routes and devices until the path and the suite are known: what fits into 1500
	 * bytes with the widest of both (IPv6, UDP, CBC with SHA2-512), so that connections which
	 * begin before the SA is up need not shrink. */
	HOST_MTU_FIRST = 1380,
	HOST_PROTOCOL = 0x50, /* rtm_protocol and FRA_PROTOCOL of what we make */
};

/* `why` in the calls below receives words for a person when they fail: which object, what the
 * kernel said. */
enum { HOST_WHY_MAX = 256 };

MUST_USE enum err host_open(struct host **out, char why[static HOST_WHY_MAX]);
void host_close(struct host *h); /* leaves all in place; takes NULL */

/* Guards for these children and no others: adds what is missing, then takes away what is too
 * much (never the other way round, so that there is no moment without). Idempotent. Works
 * without the TUN device (at boot). ERR_EXISTS: another program has a policy of the same
 * selector, which is left alone. */
MUST_USE enum err host_guard_set(struct host *h, const struct host_child *v, size_t n,
				 char why[static HOST_WHY_MAX]);
MUST_USE enum err host_guard_off(struct host *h, char why[static HOST_WHY_MAX]);
/* Calls back once per guard in place (for `postern guard show`). */
typedef void host_guard_fn(void *ctx, const struct ts *src, const struct ts *dst,
			   const char *direction);
MUST_USE enum err host_guard_list(struct host *h, host_guard_fn *fn, void *ctx,
				  char why[static HOST_WHY_MAX]);

/* Makes the TUN device with n_queues, brings it up, and gives its descriptors (close-on-exec,
 * non-blocking). It lives as long as one of them. A device of this name that postern made
 * before is taken over (whoever still holds queues of it keeps getting its share of the
 * packets); one of others is ERR_EXISTS. */
MUST_USE enum err host_tun_open(struct host *h, const char *name, unsigned n_queues, int *fds,
				char why[static HOST_WHY_MAX]);
/* Before the devices of these children are opened and set: what is in their way is renamed, changed
 * or removed. Routes of others are carried over (xfrm/iface.h). ERR_EXISTS: a device of such a name
 * is somebody else's; nothing was changed. */
MUST_USE enum err host_iface_ready(struct host *h, const struct host_child *v, size_t n,
				   char why[static HOST_WHY_MAX]);
/* Route-based children of the userspace plane: the child's own TUN, as host_tun_open. It stays
 * without descriptors too, and drops what it is given then. */
MUST_USE enum err host_iface_open(struct host *h, const struct host_child *c, unsigned int n_queues,
				  int *fds, char why[static HOST_WHY_MAX]);
/* Can the kernel make XFRM interfaces? One is made and deleted again. */
bool host_iface_probe(struct host *h);
/* Devices of ours that none of these children has, go; `*any`: there was one. Nothing else takes
 * one away for good: it keeps what is routed into it from leaving in clear, as a guard does. What
 * is on the old device of a child that has another goes to that. */
MUST_USE enum err host_iface_prune(struct host *h, const struct host_child *v, size_t n, bool *any,
				   char why[static HOST_WHY_MAX]);
/* The device's exceptions from the guards, the nftables table, and rules and routes that lead
 * these children's packets into it, and no others' (xfrm/share.h: less for those of the kernel's
 * plane). Their guards must stand. To be called
 * again when the host's addresses change (host_changed): one inside a local selector becomes
 * the source of what the gateway itself sends. Idempotent; what is missing is added first. */
MUST_USE enum err host_plane_set(struct host *h, const char *tun, const struct host_child *v,
				 size_t n, char why[static HOST_WHY_MAX]);
/* Words about what could not be done although the plane was set. The same words only once; "":
 * nothing. */
enum host_lack {
	HOST_LACK_ROUTE, /* a route of others for our outer packets (xfrm/outer.h) */
	HOST_LACK_IPV6,	 /* the host, or a device, has none, and a child wants it (xfrm/family.h) */
	HOST_LACK_HELD,	 /* the guards that nobody else can flush (xfrm/nft_table.h) */
	N_HOST_LACKS,
};
const char *host_plane_lacks(struct host *h, enum host_lack which);
/* Everything but guards away: device exceptions, rules, routes, nftables. Idempotent. */
MUST_USE enum err host_plane_off(struct host *h, char why[static HOST_WHY_MAX]);
/* The routes of one child get this MTU (and TCP's advertised MSS follows), until the next
 * call: also host_plane_set keeps it, or sets what the child says. Children with the same remote
 * network share its route (in host_plane_set the smaller MTU counts); one in transport mode on the
 * kernel's plane has none. */
MUST_USE enum err host_child_mtu(struct host *h, const struct host_child *c, uint16_t mtu,
				 char why[static HOST_WHY_MAX]);

/* Gives a descriptor (of `h`; once) that becomes readable when something changed on the host; then
 * host_changed reads what it was, and says whether guards and plane should be set again. What `h`
 * does itself does not count. */
enum host_change {
	HOST_SAME,
	HOST_CHANGED, /* something of ours was taken away, or addresses are not what they were; more
			 may follow */
	HOST_EMPTIED, /* all of a kind is gone, in one stroke: our nftables table, all policies */
};
MUST_USE enum err host_watch(struct host *h, int *fd, char why[static HOST_WHY_MAX]);
/* Whoever sets again does so at most about once a second: others may be stubborn. */
enum host_change host_changed(struct host *h);

#endif
