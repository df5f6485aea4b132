/* SPDX-License-Identifier: Apache-2.0 */
/* The TUN device: see xfrm/tun.h.
 *
 * It is brought up without any address, not even a link-local one: the kernel would otherwise send
 * router solicitations and the like through it. Its alias marks it as ours: a device of another
 * program that happens to have the name is left alone.
 */
#include "xfrm/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "xfrm/host.h"
#include "xfrm/iface.h"
#include "xfrm/words.h"

enum {
	TUN_MTU = 9000, /* of the device; what counts are the routes' */
	RP_FILTER_OFF = 0,
	ADDR_GEN_NONE = 1, /* IN6_ADDR_GEN_MODE_NONE */
	TUN_TRIES = 8,
};

struct tun tun_shared(const char *name)
{
	return (struct tun){ .name = name, .alias = "postern", .mtu = TUN_MTU };
}

/* What came out of the tunnel has been judged by selectors, an ICMP error by what it quotes: its
 * sender may be a router that no route leads to through the tunnel. Linux is as strict with "loose"
 * as without on a device that has no address. (What counts is the greater of this and everybody's.)
 */
static void ask_family_inet(struct ask *a)
{
	struct nlattr *inet = ask_nest(a, AF_INET);
	struct nlattr *conf = ask_nest(a, IFLA_INET_CONF);

	ask_u32(a, IPV4_DEVCONF_RP_FILTER, RP_FILTER_OFF);
	ask_nest_end(a, conf);
	ask_nest_end(a, inet);
}

struct ask tun_ask_setup(uint32_t ifindex, const struct tun *t)
{
	const struct ifinfomsg h = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	struct ask a = ask_new(RTM_NEWLINK, 0);
	struct nlattr *spec;

	ask_header(&a, &h, sizeof(h));
	if (t->mtu != 0)
		ask_u32(&a, IFLA_MTU, t->mtu);
	ask_bytes(&a, IFLA_IFALIAS, t->alias, strlen(t->alias));
	spec = ask_nest(&a, IFLA_AF_SPEC);
	ask_family_inet(&a);
	ask_nest_end(&a, spec);
	return a;
}

struct ask tun_ask_no_autoconf(uint32_t ifindex)
{
	const struct ifinfomsg h = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	struct ask a = ask_new(RTM_NEWLINK, 0);
	struct nlattr *spec;
	struct nlattr *inet6;

	ask_header(&a, &h, sizeof(h));
	spec = ask_nest(&a, IFLA_AF_SPEC);
	inet6 = ask_nest(&a, AF_INET6);
	ask_u8(&a, IFLA_INET6_ADDR_GEN_MODE, ADDR_GEN_NONE);
	ask_nest_end(&a, inet6);
	ask_nest_end(&a, spec);
	return a;
}

static struct ask tun_ask_up(uint32_t ifindex)
{
	const struct ifinfomsg h = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)ifindex,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct ask a = ask_new(RTM_NEWLINK, 0);

	ask_header(&a, &h, sizeof(h));
	return a;
}

enum err tun_up(struct netlink *route, uint32_t ifindex, char *why)
{
	struct ask req = tun_ask_up(ifindex);
	struct answer a;
	enum err err = netlink_ask(route, &req, &a);

	return why_kernel(why, err, &a, "cannot bring the TUN device up");
}

/* What stands under the name. */
struct tun_look {
	bool there;
	struct iface is;
};

static enum err take_look(void *ctx, const struct nlmsghdr *m)
{
	struct tun_look *look = ctx;

	look->there = true;
	return iface_read(m, &look->is);
}

static enum err tun_look(struct netlink *route, const struct tun *t, struct tun_look *look,
			 char *why)
{
	const struct ifinfomsg h = { .ifi_family = AF_UNSPEC };
	const struct netlink_sink sink = { .take = take_look, .ctx = look };
	struct ask req = ask_new(RTM_GETLINK, 0);
	struct answer a;
	enum err err;

	*look = (struct tun_look){ .there = false };
	ask_header(&req, &h, sizeof(h));
	ask_str(&req, IFLA_IFNAME, t->name);
	err = netlink_get(route, &req, &sink, &a);
	return why_kernel(why, err == ERR_NOT_FOUND ? OK : err, &a,
			  "cannot look for the TUN device");
}

/* A child's device may have been another child's before. */
static bool is_ours(const struct tun_look *look, const struct tun *t)
{
	if (strcmp(look->is.kind, "tun") != 0 || !look->is.private)
		return false;
	return t->stays ? iface_is_ours(&look->is) : strcmp(look->is.alias, t->alias) == 0;
}

static enum err tun_attach(const struct tun *t, int flags, int *fd, char *why)
{
	struct ifreq ifr = { .ifr_flags = (short)(IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE | flags) };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", t->name);
	*fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0)
		return why_say(why,
			       errno == ENOENT || errno == ENODEV ? ERR_UNSUPPORTED : ERR_SYSTEM,
			       "cannot open /dev/net/tun: %s (the kernel needs CONFIG_TUN)",
			       strerror(errno));
	if (ioctl(*fd, TUNSETIFF, &ifr) == 0)
		return OK;
	return why_say(why, errno == EBUSY ? ERR_BUSY : ERR_SYSTEM,
		       "cannot make the TUN device %s: %s", t->name, strerror(errno));
}

/* Without an owner anybody may attach a queue of his own, and read and write the packets of the
 * tunnel; and a device has no owner when it begins. */
static enum err tun_seal(const struct tun *t, int fd, char *why)
{
	if (ioctl(fd, TUNSETOWNER, 0) == 0 && ioctl(fd, TUNSETGROUP, 0) == 0)
		return OK;
	return why_say(why, ERR_SYSTEM, "cannot give the TUN device %s to root: %s", t->name,
		       strerror(errno));
}

static enum err tun_discard(struct netlink *route, const struct tun_look *look, int *fd, char *why)
{
	struct ask req = iface_ask_delete(look->is.ifindex);
	struct answer a;
	enum err err = netlink_ask(route, &req, &a);

	close(*fd);
	*fd = -1;
	return why_kernel(why, err == ERR_NOT_FOUND ? OK : err, &a,
			  "cannot remove a device that another process has attached to");
}

/* Who is attached may do with the device as its owner does, even give it to himself and leave: so
 * besides the queues all that he could gain by is judged, by one message of the kernel. */
static bool is_untouched(const struct tun_look *look)
{
	return look->there && look->is.private && look->is.queues == 1 && !look->is.persistent;
}

/* A name that nobody can wait for. */
static enum err trial_name(char name[static IFNAMSIZ], char *why)
{
	uint32_t r;

	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return why_say(why, ERR_SYSTEM, "cannot get random bytes: %s", strerror(errno));
	snprintf(name, IFNAMSIZ, "pst-%08x", (unsigned int)r);
	return OK;
}

/* Sealed under a name of the moment. ERR_BUSY: somebody was there before the seal; it is gone. */
static enum err tun_try(struct netlink *route, struct tun_look *look, int *fd, char *why)
{
	char name[IFNAMSIZ];
	const struct tun trial = { .name = name };
	enum err err = trial_name(name, why);

	if (err == OK)
		err = tun_attach(&trial, IFF_TUN_EXCL, fd, why);
	if (err == OK)
		err = tun_seal(&trial, *fd, why);
	if (err == OK)
		err = tun_look(route, &trial, look, why);
	if (err == OK && !is_untouched(look)) {
		err = tun_discard(route, look, fd, why);
		return err == OK ? ERR_BUSY : err;
	}
	if (err != OK && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return err;
}

/* From the owner on nobody can attach. Who did before that is found: then the device, which nothing
 * leads into yet, goes again. It gets its name when it is known to be root's alone, and down. */
static enum err tun_make(struct netlink *route, const struct tun *t, int *fd, char *why)
{
	struct tun_look look;
	struct answer a;
	struct ask req;
	enum err err = ERR_BUSY;

	for (int tries = TUN_TRIES; tries > 0 && err == ERR_BUSY; tries--)
		err = tun_try(route, &look, fd, why);
	if (err == ERR_BUSY)
		return why_say(why, err,
			       "another process of this host attaches to each TUN device as soon "
			       "as it is made: look who has /dev/net/tun open");
	if (err != OK)
		return err;
	req = iface_ask_name(look.is.ifindex, t->name);
	err = netlink_ask(route, &req, &a);
	return why_kernel(why, err, &a, "cannot give the TUN device its name");
}

/* A device that is there already must be ours. */
static enum err tun_first(struct netlink *route, const struct tun *t, int *fd, char *why)
{
	struct tun_look look;
	enum err err = tun_look(route, t, &look, why);

	if (err != OK)
		return err;
	if (!look.there)
		return tun_make(route, t, fd, why);
	if (!is_ours(&look, t))
		return why_say(why, ERR_EXISTS,
			       "a network device %s is there that postern did not make: "
			       "remove it, or set another name",
			       t->name);
	return tun_attach(t, 0, fd, why);
}

/* Last of all: until now the device goes with us, and from now on the next start knows it. */
static enum err tun_stay(const struct tun *t, int fd, char *why)
{
	if (!t->stays || ioctl(fd, TUNSETPERSIST, 1) == 0)
		return OK;
	return why_say(why, ERR_SYSTEM, "cannot make the TUN device %s stay: %s", t->name,
		       strerror(errno));
}

static enum err tun_setup(struct netlink *route, const struct tun *t, char *why)
{
	uint32_t ifindex = if_nametoindex(t->name);
	struct ask req = tun_ask_no_autoconf(ifindex);
	struct answer a;
	enum err err = netlink_ask(route, &req, &a);

	if (err == OK || err == ERR_UNSUPPORTED) {
		req = tun_ask_setup(ifindex, t);
		err = netlink_ask(route, &req, &a);
	}
	if (err == OK) {
		req = tun_ask_up(ifindex);
		err = netlink_ask(route, &req, &a);
	}
	return why_kernel(why, err, &a, "cannot set up the TUN device");
}

enum err tun_open(struct netlink *route, const struct tun *t, unsigned int n_queues, int *fds,
		  char *why)
{
	enum err err;

	if (t->name[0] == '\0' || strlen(t->name) >= IFNAMSIZ || n_queues == 0 ||
	    n_queues > TUN_QUEUES_MAX)
		return why_say(why, ERR_CONFIG,
			       "a TUN device needs a name below %d bytes and 1 to %d queues",
			       IFNAMSIZ, TUN_QUEUES_MAX);
	for (unsigned int i = 0; i < n_queues; i++)
		fds[i] = -1;
	err = tun_first(route, t, &fds[0], why);
	for (unsigned int i = 1; i < n_queues && err == OK; i++)
		err = tun_attach(t, 0, &fds[i], why);
	if (err == OK)
		err = tun_setup(route, t, why);
	if (err == OK)
		err = tun_stay(t, fds[0], why);
	for (unsigned int i = 0; i < n_queues && err != OK; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
	return err;
}
