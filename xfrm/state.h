/* SPDX-License-Identifier: Apache-2.0 */
/* XFRM states (Child SAs in the kernel) as plain values, and the netlink messages that make,
 * change, remove and show them. Pure functions.
 *
 * A state of ours is known by its reqid (base/sadesc.h) and by the mask of the mark that it sets.
 * The kernel finds states by destination, SPI and protocol; which of several it sends by is decided
 * by policy templates and age.
 *
 * What the kernel does by default is what we want, so no flag asks for it: outer DF copies inner
 * DF, and too long packets are told to their senders (RFC 4301 8.1); the outer ECN and DSCP bits
 * are those of the inner packet, congestion that was met on the way is carried over to the inner
 * packet, and the inner DSCP leaves the tunnel as it came in (RFC 6040 4, RFC 4301 5.1.2.1).
 *
 * Messages that add or update carry keys. ask_free wipes every request.
 */
#ifndef XFRM_STATE_H
#define XFRM_STATE_H

#include <linux/xfrm.h>

#include "base/sadesc.h"
#include "xfrm/netlink.h"

enum {
	STATE_WINDOW_MIN = 32,	 /* RFC 4303 3.4.3 */
	STATE_WINDOW_MAX = 4096, /* XFRMA_REPLAY_ESN_MAX */
	/* Without a threshold each packet from a new address raises a MAPPING. */
	STATE_MAPPING_S = 5,
	/* XFRM_OFFLOAD_PACKET of linux/xfrm.h, which has it since 6.2 and some older ones. */
	STATE_OFFLOAD_PACKET = 4,
};

/* What a state needs that the description of the SA does not say. Zero is right for each. */
struct state_extra {
	bool sa_dir;	   /* the kernel knows XFRMA_SA_DIR (struct plane_caps) */
	uint32_t if_id;	   /* of its XFRM interface */
	uint32_t ifindex;  /* of the device that may take the work over; see state_ask_add */
	bool per_cpu;	   /* RFC 9611, where the kernel knows it: */
	uint32_t cpu;	   /* ... of this CPU */
	uint32_t hard_s;   /* the kernel removes it after so many seconds of the wall clock */
	uint64_t sent;	   /* sequence number to go on from, outbound */
	uint64_t received; /* ... inbound: the highest that came */
	/* It goes on from another, which had counted this. A soft limit that was reached has been
	 * told and is not set again. */
	bool counted;
	uint64_t bytes;
	uint64_t packets;
	uint64_t added_s;
	uint64_t used_s;
};

/* By what the kernel finds it. */
struct state_id {
	struct addr dst;
	uint32_t spi;
};
struct state_id state_id_of(const struct sa_desc *d);

/* The selector that the state carries in tunnel mode; AF_UNSPEC: it takes anything. */
struct xfrm_selector state_arrival(const struct sa_desc *d);

/* Whether a state can be made of it at all: algorithms that have a name, keys of the right length,
 * one family of addresses, an SPI that is not reserved. ERR_UNSUPPORTED: an algorithm; ERR_CONFIG:
 * the rest. */
MUST_USE enum err state_check(const struct sa_desc *d);

/* Broken when state_check would refuse. NEWSA fails when the SPI is taken (EEXIST); where the
 * description answers an ACQUIRE, it takes the larval state's place. UPDSA changes encapsulation
 * ports, limits and the output mark, and ignores the rest in silence.
 *
 * Offload: with an ifindex, OFFLOAD_PACKET asks for it and fails where it cannot be had;
 * OFFLOAD_CRYPTO and OFFLOAD_AUTO ask for the other kind, and most kernels then take the state
 * without a word when they cannot (read it back); they refuse it (EINVAL, EOPNOTSUPP) with UDP
 * encapsulation and on some devices: try again without an ifindex. */
struct ask state_ask_add(const struct sa_desc *d, const struct state_extra *x);
struct ask state_ask_update(const struct sa_desc *d, const struct state_extra *x);
struct ask state_ask_delete(const struct state_id *id);
struct ask state_ask_get(const struct state_id *id);
struct ask state_ask_dump(void); /* of ESP, where the kernel sorts them out; else of all */

/* A larval state has no SPI, so nothing can delete it. This gives it one (the answer is a message
 * for state_read); then it can. When there is none any more, one is made. */
struct state_larval {
	struct addr src;
	struct addr dst;
	enum sa_mode mode;
	uint32_t reqid;
	uint32_t seq;
	uint32_t if_id;
};
struct ask state_ask_allocspi(const struct state_larval *l);

/* A state as the kernel shows it. Keys are not read. */
struct state_info {
	struct addr src;
	struct addr dst;
	uint32_t spi;
	uint8_t proto;
	uint8_t mode;  /* XFRM_MODE_ */
	uint8_t flags; /* XFRM_STATE_ */
	bool larval;   /* made by an ACQUIRE: no SPI yet */
	bool keyless;  /* of no algorithm, so it protects nothing: larval, or with the SPI of a
			* policy whose state was not there */
	uint32_t reqid;
	uint32_t seq; /* of the ACQUIRE */
	uint32_t if_id;
	bool encap;
	uint16_t encap_sport;
	uint16_t encap_dport;
	uint32_t set_mark;
	uint32_t set_mark_mask;
	uint64_t sent;	   /* last sequence number, outbound */
	uint64_t received; /* ... inbound */
	uint32_t window;
	uint64_t bytes; /* inner bytes */
	uint64_t packets;
	uint64_t added_s; /* wall clock */
	uint64_t used_s;  /* first use, wall clock; 0: never */
	uint32_t drop_window;
	uint32_t drop_replay;
	uint32_t drop_integrity; /* with ESN also packets from behind the window */
	uint8_t dir;		 /* enum attr_dir; 0: not told */
	bool has_cpu;
	uint32_t cpu;
	enum sa_offload offload; /* OFFLOAD_NO, _CRYPTO or _PACKET */
	uint32_t ifindex;	 /* ... of this device */
};

/* By its reqid, which others may choose, too, and by the mark that it sets; one that a trap raised
 * sets none and is known by leading nowhere (flow_trap_dst). */
bool state_is_ours(const struct state_info *s);
/* A state of a dump, of a question, of a notification (NEWSA, UPDSA, DELSA). ERR_SYNTAX when it is
 * cut or bent, and for other kinds of message. */
MUST_USE enum err state_read(const struct nlmsghdr *m, struct state_info *s);
/* The part that messages of several kinds have; the rest of *s is cleared. */
void state_read_fixed(const struct xfrm_usersa_info *u, struct state_info *s);

#endif
