/* SPDX-License-Identifier: Apache-2.0 */
/* What a Child SA is to a data plane, and what may be asked of a data plane: the contract between
 * the engine (ike/), userspace ESP (esp/) and kernel ESP (xfrm/), which never include each other.
 *
 * A description is of one direction. Algorithms are named by their IANA numbers (and key length),
 * so that each side finds its own row.
 */
#ifndef BASE_SADESC_H
#define BASE_SADESC_H

#include "base/addr.h"
#include "base/secret.h"
#include "base/ts.h"

enum sa_dir { SA_IN, SA_OUT };
enum sa_mode { SA_TUNNEL, SA_TRANSPORT };
enum sa_plane { PLANE_USER, PLANE_KERNEL };
/* Hardware offload of the kernel's plane: what is wanted, and (in struct sa_done) what there is. */
enum sa_offload { OFFLOAD_AUTO, OFFLOAD_NO, OFFLOAD_CRYPTO, OFFLOAD_PACKET };

/* SPIs that we choose for the userspace plane: bit 31 set, then the owner (worker, 7 bits), 8 bits
 * drawn at random, 16 bits of slot. Kernel-plane SPIs have bit 31 clear and are at least 256. The
 * owner is a hint to the kernel's steering program; the slot is an array index. */
#define SPI_USER_BIT 0x80000000u
#define SPI_OWNERS   128u
#define SPI_SLOTS    65536u

static inline uint32_t spi_user(uint8_t owner, uint8_t tag, uint16_t slot)
{
	return SPI_USER_BIT | (uint32_t)(owner & 0x7f) << 24 | (uint32_t)tag << 16 | slot;
}
static inline uint8_t spi_owner(uint32_t spi)
{
	return (spi >> 24) & 0x7f;
}
static inline uint16_t spi_slot(uint32_t spi)
{
	return spi & 0xffff;
}

/* Our reqids, by which SAs in the kernel are known as ours (with the mark that they set, see
 * xfrm/state.h, for anybody may choose a reqid). What is below the mask tells our children apart.
 */
#define SA_REQID_BASE	  0x50000000u
#define SA_REQID_MASK	  0xf0000000u
/* Children have the first of them, and those that collide are numbered on into a gap; sets (struct
 * sa_desc) lie behind that: no child has the number of a set. */
#define SA_REQID_CHILDREN 0x08000000u
#define SA_REQID_SETS	  0x0a000000u
#define SA_REQID_SETS_MAX 0x02000000u

/* Route-based children have a device of their own, and the kernel keeps apart by this number what
 * belongs to which: states, policies and the XFRM interface carry it. 0: by policies, no device. A
 * reqid is never 0 and of one child alone, so it serves. */
static inline uint32_t sa_if_id(const char *interface, uint32_t reqid)
{
	return interface[0] != '\0' ? reqid : 0;
}

/* What becomes of headers in tunnel mode (RFC 4301 5.1.2, RFC 6040). All zero: what is usual. */
struct sa_headers {
	bool dscp_hide;	  /* outer packets have the DSCP 0, not the inner one's */
	bool dscp_adopt;  /* what comes in gets the DSCP that it had outside */
	bool ecn_off;	  /* outer packets are Not-ECT, and marks of the path are not taken over */
	bool label_copy;  /* IPv6 in IPv6: outer packets have the inner flow label; userspace */
	bool icmp_errors; /* those about packets of the SA are let through (RFC 4301 6) */
	uint8_t ttl;	  /* of outer packets; 0: the host's default. Userspace */
};

struct sa_desc {
	enum sa_dir dir;
	enum sa_mode mode;
	enum sa_plane plane;
	uint32_t spi;	   /* inbound: ours; outbound: the peer's */
	uint32_t twin_spi; /* the other direction's, 0 when not yet known */
	uint32_t child_id; /* the engine's number of this Child SA (both directions); never reused
			      soon */
	uint32_t reqid;	   /* of the configured child; stable over rekeys */
	struct path path;  /* local and remote endpoint; ports matter only with encap */
	bool encap;	   /* UDP encapsulation (RFC 3948) */
	bool esn;
	uint32_t replay_window; /* packets; inbound only */
	uint16_t encr_id;	/* IANA transform type 1 */
	uint16_t encr_key_bits;
	uint16_t integ_id;   /* IANA transform type 3; 0 with AEAD */
	struct key encr_key; /* with the salt behind it where the cipher has one (RFC 4106 8.1) */
	struct key integ_key;
	struct ts_list local; /* ours, whatever the direction */
	struct ts_list remote;
	uint64_t byte_limit;   /* hard; 0: none */
	uint64_t packet_limit; /* hard; 0: none. Sequence exhaustion stops in any case */
	uint64_t byte_soft;    /* PLANE_EXPIRE with `soft` is told once; 0: none */
	uint64_t packet_soft;
	uint32_t acquire; /* of the PLANE_ACQUIRE that this child answers; 0: none */
	/* Transport mode through a NAT (RFC 7296 2.23.1): the addresses that the peer's checksums
	 * are over, where they are not those of `path`: our own as the peer knows it, and the one
	 * that the peer itself has. So they stand in the selectors that the peer sent, before the
	 * substitution. AF_UNSPEC: no NAT on that side. */
	struct addr nat_local;
	struct addr nat_remote;
	enum sa_offload offload;
	struct sa_headers headers;
	uint32_t if_id; /* of the child's own device, see sa_if_id; 0: it has none */
	/* Of SAs of several connections that a packet fits, one of the smallest number carries it,
	 * and one that is passed over only when all are. 0: no other connection's SA fits what this
	 * one's does. */
	uint8_t priority;
	bool passed;
	/* In the kernel's plane such SAs have one reqid together, which is that of no child: what
	 * comes by either is let in by the policies of both. 0: they cannot. */
	uint32_t set;
	char connection[64]; /* names for messages and for the monitor's checks */
	char child[64];
};

enum sa_op {
	SA_INSTALL, /* desc whole */
	SA_MOVE,    /* spi, dir, reqid, child_id, names; path and encap as they shall be */
	SA_REMOVE,  /* spi, dir, reqid, child_id, path */
	SA_QUERY,   /* as SA_REMOVE; counters come back */
	SA_PASS,    /* as SA_REMOVE, out: passed */
	SA_FORGET,  /* acquire, reqid: its negotiation failed; the next packet shall ask again */
	/* An engine follows another one that was stopped. This half, whose desc is whole but for
	 * the keys, should be there: ERR_NOT_FOUND when it is not. And all that were put in before
	 * this engine, and that it has neither claimed nor installed again, go: plane. */
	SA_CLAIM,
	SA_SWEEP,
	/* As SA_REMOVE, in: the peer is being asked for it, and may send by it before its answer is
	 * here (RFC 7296 2.8). What comes waits for SA_INSTALL, within the bounds of the plane
	 * (esp/await.h, xfrm/early.h); without an answer. */
	SA_EXPECT,
};

struct sa_counters {
	uint64_t bytes; /* inner bytes */
	uint64_t packets;
	uint64_t last_ns; /* monotonic time of the last packet; 0: none yet */
	uint64_t drop_replay;
	uint64_t drop_integrity;
	uint64_t drop_selector;
	uint64_t drop_other;
};

struct sa_cmd {
	uint64_t ticket; /* comes back with the answer; 0: no answer wanted */
	enum sa_op op;
	/* SA_INSTALL: its own number, larger than those of all before, and that of its ticket when
	 * it is given for the first time; 0: it has none. Numbers begin at the time when the engine
	 * does, by the monotonic clock, and never overtake it; a plane refuses one of times to
	 * come. An engine that follows another one gives the commands of that again which were not
	 * answered. What was carried out is not carried out once more, for sequence numbers would
	 * begin anew under the same key: then the answer is whether the half is there. */
	uint64_t install;
	struct sa_desc sa;
};

enum { SA_WHY_MAX = 160 };

struct sa_done {
	uint64_t ticket;
	enum err err;
	uint32_t spi;
	enum sa_dir dir;
	struct sa_counters counters; /* SA_QUERY */
	enum sa_offload offload;     /* SA_INSTALL: what the kernel really gave */
	char why[SA_WHY_MAX];	     /* on failure, for a person; "" when there is nothing to add */
};

/* What a data plane tells unasked. */
enum plane_event_kind {
	PLANE_ACQUIRE, /* a packet wants a child that is not up: reqid, flow, acquire */
	/* A limit (sequence numbers, bytes, packets) was reached: spi, dir, soft. After a hard one
	 * the SA is not there any more; one that is found to be gone is told in the same way. */
	PLANE_EXPIRE,
	PLANE_MAPPING, /* an authenticated, newest packet came from elsewhere: spi, remote */
	/* Packets went out for a second and none came in: spi, remote, heard_ns; again each second
	 * in which one goes out. Where another peer may take over it is said after 0.3 s. Of the
	 * kernel's plane it is as exact as its counters are looked at. */
	PLANE_SILENT,
	PLANE_MTU, /* the path to `remote` carries less: mtu */
	/* Never sent: who sees it says it. Its process died with every SA; or it is another one
	 * than before, which may have gone on with them: commands that were not answered are given
	 * again, and what is there is claimed. */
	PLANE_GONE,
	PLANE_BACK,
};

struct plane_event {
	enum plane_event_kind kind;
	uint32_t spi;
	enum sa_dir dir;
	uint32_t reqid;
	struct flow flow;
	uint32_t acquire; /* the kernel's number of it; 0 from userspace */
	bool soft;
	struct endpoint remote;
	uint64_t heard_ns; /* monotonic time of the last packet that came; 0: none yet */
	uint16_t mtu;
};

/* What a data plane can do on this machine, found out by trying at the start. */
enum { PLANE_ENCR_MAX = 32, PLANE_INTEG_MAX = 16, PLANE_LACKS_MAX = 128 };

struct plane_caps {
	bool v4; /* ESP over IPv4 */
	bool v6;
	bool no_v6; /* the host has no IPv6 at all: no peer can come by it */
	bool encap; /* in UDP */
	bool transport;
	bool esn;
	bool sa_dir;	/* XFRMA_SA_DIR, since 6.10: outbound SAs need no replay window */
	bool interface; /* XFRM interfaces */
	uint8_t n_encr;
	struct {
		uint16_t id;
		uint16_t key_bits; /* without the salt */
	} encr[PLANE_ENCR_MAX];
	uint8_t n_integ;
	uint16_t integ[PLANE_INTEG_MAX];
	/* For a person, when it can do nothing, or less than all: "CONFIG_INET_ESP". */
	char lacks[PLANE_LACKS_MAX];
};

bool plane_caps_esp(const struct plane_caps *c); /* it carries ESP at all */
bool plane_caps_encr(const struct plane_caps *c, uint16_t id, uint16_t key_bits);
bool plane_caps_integ(const struct plane_caps *c, uint16_t id);

/* What states and policies of the SA have for a reqid. In transport mode the ends tell themselves
 * apart. */
static inline uint32_t sa_desc_reqid(const struct sa_desc *d)
{
	return d->set != 0 && d->mode == SA_TUNNEL ? d->set : d->reqid;
}

void sa_desc_wipe(struct sa_desc *d); /* keys wiped, selectors freed */
MUST_USE enum err sa_desc_copy(struct sa_desc *to, const struct sa_desc *from);

/* To and from bytes, for the channels between the processes. Decoding checks every enum and count;
 * *cmd owns its selectors afterwards. SA_FORMAT is of a command's bytes, which outlive a program
 * that is replaced by another one: it goes up with every change of them. */
enum { SA_FORMAT = 1 };
void sa_cmd_encode(struct wr *w, const struct sa_cmd *cmd);
MUST_USE enum err sa_cmd_decode(struct span s, struct sa_cmd *cmd);
void sa_done_encode(struct wr *w, const struct sa_done *done);
MUST_USE enum err sa_done_decode(struct span s, struct sa_done *done);
void plane_event_encode(struct wr *w, const struct plane_event *ev);
MUST_USE enum err plane_event_decode(struct span s, struct plane_event *ev);
void plane_caps_encode(struct wr *w, const struct plane_caps *c);
MUST_USE enum err plane_caps_decode(struct span s, struct plane_caps *c);

#endif
