/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as plain immutable data. It is made whole by conf_load (or not at all),
 * compared with conf_diff, and never changed. Defaults are filled in. Every setting remembers its
 * line, for messages.
 */
#ifndef CONF_MODEL_H
#define CONF_MODEL_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/identity.h"
#include "base/sadesc.h"
#include "base/ts.h"
#include "crypto/suite.h"

enum { CONF_NAME_MAX = 63, CONF_ADDRS_MAX = 8, CONF_CHILDREN_MAX = 64, CONF_MARK_LEN = 32 };

enum conf_auth { CONF_AUTH_CERTIFICATE, CONF_AUTH_PSK };
enum conf_start { CONF_START_ALWAYS, CONF_START_TRAFFIC, CONF_START_MANUAL };
enum conf_redirect { CONF_REDIRECT_NO, CONF_REDIRECT_FOLLOW };
enum conf_mobike_check { CONF_CHECK_AFTER, CONF_CHECK_BEFORE };
enum conf_encap { CONF_ENCAP_AUTO, CONF_ENCAP_ALWAYS };
enum conf_dataplane { CONF_PLANE_AUTO, CONF_PLANE_USER, CONF_PLANE_KERNEL };
enum conf_mode { CONF_MODE_TUNNEL, CONF_MODE_TRANSPORT, CONF_MODE_PREFER_TRANSPORT };
/* Which DSCP is taken over: on the way out the outer header gets the inner one's, on the way in the
 * inner one the outer one's. */
enum conf_dscp { CONF_DSCP_OUT, CONF_DSCP_IN, CONF_DSCP_BOTH, CONF_DSCP_NO };
enum conf_label { CONF_LABEL_AUTO, CONF_LABEL_COPY };
/* How much of the policy is proposed: everything in one offer, or the first of each kind alone. */
enum conf_duplicates { CONF_DUPLICATES_REPLACE, CONF_DUPLICATES_KEEP };
enum conf_propose { CONF_PROPOSE_ALL, CONF_PROPOSE_ONE };
enum conf_transcript { CONF_TRANSCRIPT_AUTO, CONF_TRANSCRIPT_REQUIRE };

/* Where a setting stands; line 0: it is a default. */
struct conf_pos {
	int line;
	int column;
};

/* A file that a setting names. `path` is resolved against the folder of the configuration. The
 * bytes are read by conf_load's file source, and only for the process that may see them: else they
 * are empty, and so is what is made of them. */
struct conf_file {
	char *path;	    /* NULL: not set */
	struct span bytes;  /* as they are */
	struct span secret; /* of a psk_file the key, of a passphrase_file its line; else empty */
	/* Of bytes that this process may not see: other bytes, another mark, so that a key that was
	 * replaced under its name is a change. Zero: none was given. */
	uint8_t mark[CONF_MARK_LEN];
	struct conf_pos pos;
};

/* Who we are: the `me` block (one, or several with names that connections choose by `me = NAME`).
 */
struct conf_me {
	char name[CONF_NAME_MAX + 1]; /* "" for the unnamed one */
	struct identity identity;
	struct conf_file certificate; /* PEM, leaf first, chain included */
	struct conf_file key;	      /* signer alone */
	struct conf_file passphrase;  /* passphrase_file; signer alone */
	struct conf_file trust;	      /* CA certificates, PEM; verifier alone */
	struct conf_pos pos;
	struct conf_pos identity_pos;
};

struct conf_child {
	char name[CONF_NAME_MAX + 1];
	struct ts_list local;
	struct ts_list remote;
	enum conf_mode mode;
	enum conf_dataplane dataplane;
	enum sa_offload offload; /* default auto */
	char interface[16];	 /* route-based: the device of this child; "": by policies */
	struct net addresses[CONF_ADDRS_MAX]; /* of that device */
	size_t n_addresses;
	/* Of SA_REQID_BASE, unique over the configuration, stable over reloads of an unchanged name
	 */
	uint32_t reqid;
	/* Of a connection with a priority, conf/rank.c: what the kernel knows the SAs of all peers
	 * for these networks by. 0: it cannot have several, and why. */
	uint32_t set;
	const char *set_lacks;
	uint32_t replay_window; /* packets, default 1024 */
	mono_ns lifetime;	/* of one pair of SAs; new keys come before that; default 1h */
	uint64_t life_bytes;	/* ... of each direction; default 0: none */
	uint64_t life_packets;
	bool esn;		    /* default yes */
	enum conf_dscp copy_dscp;   /* default out */
	bool ecn;		    /* default yes */
	uint16_t ttl;		    /* of outer packets, 1 to 255; 0: the host's default */
	enum conf_label flow_label; /* default auto */
	bool icmp_errors;	    /* default yes */
	struct conf_pos pos;
	struct conf_pos local_pos;
	struct conf_pos remote_pos;
	struct conf_pos dataplane_pos;
	struct conf_pos offload_pos;
};

struct conf_connection {
	char name[CONF_NAME_MAX + 1];
	const struct conf_me *me;
	char *address_name; /* to be resolved; NULL when addresses are written or `any` */
	struct addr addresses[CONF_ADDRS_MAX];
	size_t n_addresses;
	bool any_address;	   /* `address = any`: responder only */
	struct addr local_address; /* AF_UNSPEC: as the route says */
	uint16_t port;		   /* default 500; 4500 starts there with the marker */
	struct identity
		identity; /* of the peer; ID_NONE: `any` that a trusted certificate proves */
	struct identity local_identity; /* of ours: me's, unless written in the connection */
	enum conf_auth auth;
	struct conf_file psk; /* psk_file; signer alone */
	bool accept_weak_psk;
	enum conf_start start;
	enum conf_encap encap;
	bool mobike;
	enum conf_mobike_check mobike_check;
	enum conf_redirect redirect; /* does the peer send us elsewhere; default no */
	uint16_t
		priority; /* among those for the same networks, 1 the best; 0: it is the only one */
	enum conf_transcript full_transcript;
	struct suite_policy policy;
	enum conf_propose propose;
	bool qcd;			 /* the peer gets tokens (RFC 6290); default no */
	enum conf_duplicates duplicates; /* of IKE SAs with one identity; default replace */
	bool childless;			 /* the first child comes after IKE_AUTH, too; default no */
	mono_ns lifetime;		 /* of one IKE SA's keys; default 8h */
	mono_ns reauthenticate;		 /* how long a proof is good; 0: as long as the IKE SA */
	mono_ns liveness;		 /* an idle peer is asked after this; default 30 s */
	mono_ns keepalive;		 /* NAT keepalive; default 20 s */
	uint16_t fragment_size; /* IKE fragmentation: largest IP packet, default 1280; 0: off */
	struct conf_child *children;
	size_t n_children;
	struct conf_pos pos;
	struct conf_pos address_pos;
	struct conf_pos identity_pos;
};

struct conf {
	char *file;	   /* as named, for messages */
	char tun_name[16]; /* default postern0 */
	uint16_t workers;  /* esp threads; 0: one per core */
	bool lockdown;
	bool hold_packets; /* the kernel keeps what asked for a child until that is up; default yes
			    */
	struct conf_file qcd_secret; /* qcd_secret_file; engine alone */
	struct conf_me *mes;
	size_t n_mes;
	struct conf_connection *connections;
	size_t n_connections;
};

const struct conf_connection *conf_connection_find(const struct conf *c, const char *name);
/* Is the peer expected there? A name may be anywhere, and so may a gateway whose redirects are
 * followed. */
bool conf_peer_may_be_at(const struct conf_connection *cn, const struct addr *a);
const struct conf_child *conf_child_find(const struct conf_connection *cn, const char *name);
/* Equal in everything that matters to a running SA (positions do not): a connection but for its
 * children, and one of those. */
bool conf_connection_same(const struct conf_connection *a, const struct conf_connection *b);
bool conf_child_eq(const struct conf_child *a, const struct conf_child *b);
/* The same for those that are equal so, in another process, too; for others hardly ever. No secret,
 * and no proof against somebody who looks for two that have the same. */
uint64_t conf_connection_digest(const struct conf_connection *cn);
uint64_t conf_child_digest(const struct conf_child *ch);
/* Which data plane carries this child: as configured; with `auto` the kernel where it can carry
 * every suite of the connection's policy in what the child wants, over each family that the peer's
 * address can have, else userspace. Asked by the monitor (routes, policies) and by the engine
 * (SPIs, commands), who agree because it is a function. `why` says it for a person: "as
 * configured", "the kernel lacks CONFIG_INET_ESP". An offload that insists on a card
 * leaves the kernel alone: conf_child_insists. */
enum { CONF_PLANE_WHY_MAX = 192 };
enum sa_plane conf_child_plane(const struct conf_connection *cn, const struct conf_child *ch,
			       const struct plane_caps *kernel,
			       char why[static CONF_PLANE_WHY_MAX]);
/* What SAs of the child make of headers. */
struct sa_headers conf_child_headers(const struct conf_child *ch);
/* Is the kernel's the only plane that will do: by `dataplane`, or by an `offload` that insists? */
bool conf_child_insists(const struct conf_child *ch);
void conf_free(struct conf *c); /* secrets in files are wiped; takes NULL */

#endif
