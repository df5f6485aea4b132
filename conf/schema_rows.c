/* SPDX-License-Identifier: Apache-2.0 */
/* The table of options. Order within a block: by importance, as the manual shows them.
 * (lint: long table) */
#include "conf/schema.h"

/* clang-format off */

#define FIELD(type, member) \
	.offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)
#define PLACE(type, member) .pos_offset = offsetof(struct type, member)

static const struct schema_choice auths[] = {
	{ "certificate", CONF_AUTH_CERTIFICATE }, { "psk", CONF_AUTH_PSK }, { NULL, 0 },
};
static const struct schema_choice starts[] = {
	{ "always", CONF_START_ALWAYS },
	{ "traffic", CONF_START_TRAFFIC },
	{ "manual", CONF_START_MANUAL },
	{ NULL, 0 },
};
static const struct schema_choice encaps[] = {
	{ "auto", CONF_ENCAP_AUTO }, { "always", CONF_ENCAP_ALWAYS }, { NULL, 0 },
};
static const struct schema_choice redirects[] = {
	{ "no", CONF_REDIRECT_NO }, { "follow", CONF_REDIRECT_FOLLOW }, { NULL, 0 },
};
static const struct schema_choice mobike_checks[] = {
	{ "after", CONF_CHECK_AFTER }, { "before", CONF_CHECK_BEFORE }, { NULL, 0 },
};
static const struct schema_choice duplicates[] = {
	{ "replace", CONF_DUPLICATES_REPLACE }, { "keep", CONF_DUPLICATES_KEEP }, { NULL, 0 },
};
static const struct schema_choice proposes[] = {
	{ "all", CONF_PROPOSE_ALL }, { "one", CONF_PROPOSE_ONE }, { NULL, 0 },
};
static const struct schema_choice transcripts[] = {
	{ "auto", CONF_TRANSCRIPT_AUTO }, { "require", CONF_TRANSCRIPT_REQUIRE }, { NULL, 0 },
};
static const struct schema_choice modes[] = {
	{ "tunnel", CONF_MODE_TUNNEL },
	{ "transport", CONF_MODE_TRANSPORT },
	{ "prefer-transport", CONF_MODE_PREFER_TRANSPORT },
	{ NULL, 0 },
};
static const struct schema_choice planes[] = {
	{ "auto", CONF_PLANE_AUTO }, { "user", CONF_PLANE_USER }, { "kernel", CONF_PLANE_KERNEL }, { NULL, 0 },
};

static const struct schema_choice dscps[] = {
	{ "out", CONF_DSCP_OUT },
	{ "in", CONF_DSCP_IN },
	{ "both", CONF_DSCP_BOTH },
	{ "no", CONF_DSCP_NO },
	{ NULL, 0 },
};
static const struct schema_choice labels[] = {
	{ "auto", CONF_LABEL_AUTO }, { "copy", CONF_LABEL_COPY }, { NULL, 0 },
};
static const struct schema_choice offloads[] = {
	{ "auto", OFFLOAD_AUTO },
	{ "no", OFFLOAD_NO },
	{ "crypto", OFFLOAD_CRYPTO },
	{ "packet", OFFLOAD_PACKET },
	{ NULL, 0 },
};

static const struct schema_option options[] = {
	{
		.block = SCHEMA_GLOBAL, .name = "tun", .type = SCHEMA_DEVICE, FIELD(conf, tun_name),
		.preset = "postern0", .since = "0.1", .reload = RELOAD_DAEMON,
		.values = "NAME",
		.brief = "the TUN device that packets of userspace ESP go through",
		.text = "It is made at the start of the daemon and taken away at its end. At most "
			"15 characters.",
		.example = "tun = postern0",
	},
	{
		.block = SCHEMA_GLOBAL, .name = "workers", .type = SCHEMA_NUMBER,
		FIELD(conf, workers),
		.unit = "threads", .preset = "0", .min = 0, .max = 128, .since = "0.1",
		.reload = RELOAD_DAEMON,
		.values = "NUMBER",
		.brief = "how many threads of userspace ESP there are",
		.text = "0 means one for each processor. More than 64 are not started.",
		.example = "workers = 2",
	},
	{
		.block = SCHEMA_GLOBAL, .name = "lockdown", .type = SCHEMA_YES_NO,
		FIELD(conf, lockdown),
		.preset = "no", .since = "0.1", .reload = RELOAD_QUIET,
		.values = "yes | no",
		.brief = "whether a child for all addresses also takes the networks that this "
			"machine is in",
		.text = "With no, private networks (RFC 1918, RFC 4193) that are directly "
			"connected to this machine stay reachable in clear beside a child whose "
			"remote is 0.0.0.0/0 or ::/0. With yes they do not.",
		.example = "lockdown = yes",
	},
	{
		.block = SCHEMA_GLOBAL, .name = "hold_packets", .type = SCHEMA_YES_NO,
		FIELD(conf, hold_packets),
		.preset = "yes", .since = "0.1", .reload = RELOAD_QUIET,
		.values = "yes | no",
		.brief = "whether a packet that asks for a child waits until that is up",
		.text = "With yes userspace ESP keeps a few such packets for some seconds, and "
			"the daemon sets net.core.xfrm_larval_drop to 0, where a child of "
			"the kernel's data plane is configured, and says so in the log; it stays so. "
			"With no such packets are dropped, the first among them (in the kernel's "
			"plane by default: that setting is left alone).",
		.example = "hold_packets = no",
	},
	{
		.block = SCHEMA_GLOBAL, .name = "qcd_secret_file", .type = SCHEMA_FILE,
		.file = CONF_FILE_QCD_SECRET, .secret = true,
		FIELD(conf, qcd_secret), .since = "0.1", .reload = RELOAD_QUIET,
		.values = "FILE",
		.brief = "holds the secret that tokens for qcd are made with",
		.text = "At least 32 bytes of whatever kind; 'openssl rand -out FILE 32' makes them. Mode and "
			"owner as for key. It stays as it is: a token is good only as long as its "
			"secret is there, over restarts too. Whoever has it can end every IKE SA that "
			"has such a token, so it is this machine's own: another one may have it only "
			"when it is a standby that is never up at the same time.",
		.example = "qcd_secret_file = qcd.secret",
	},

	{
		.block = SCHEMA_ME, .name = "identity", .type = SCHEMA_IDENTITY,
		FIELD(conf_me, identity), PLACE(conf_me, identity_pos),
		.required = true, .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "NAME | ADDRESS | USER@NAME | keyid:TEXT | \"CN=..., O=...\"",
		.brief = "who we prove to be",
		.text = "With a certificate, the identity must stand in it.",
		.example = "identity = left.example.org",
	},
	{
		.block = SCHEMA_ME, .name = "certificate", .type = SCHEMA_FILE,
		.file = CONF_FILE_CERTIFICATE,
		FIELD(conf_me, certificate), .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "FILE",
		.brief = "our certificate in PEM, followed by the intermediate certificates up to "
			"the one the peer trusts",
		.text = "Needed by connections with auth = certificate.",
		.example = "certificate = left.pem",
	},
	{
		.block = SCHEMA_ME, .name = "key", .type = SCHEMA_FILE, .file = CONF_FILE_KEY,
		.secret = true,
		FIELD(conf_me, key), .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "FILE",
		.brief = "the private key of the certificate, in PEM",
		.text = "Mode 0600 or stricter, and owned by root or by the user that the daemon "
			"was started by. The signer process alone gets it.",
		.example = "key = left.key",
	},
	{
		.block = SCHEMA_ME, .name = "passphrase_file", .type = SCHEMA_FILE,
		.file = CONF_FILE_PASSPHRASE, .secret = true,
		FIELD(conf_me, passphrase), .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "FILE",
		.brief = "holds the passphrase of an encrypted key, on one line",
		.text = "Mode and owner as for key.",
		.example = "passphrase_file = left.pass",
	},
	{
		.block = SCHEMA_ME, .name = "trust", .type = SCHEMA_FILE, .file = CONF_FILE_TRUST,
		FIELD(conf_me, trust), .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "FILE",
		.brief = "certificates, in PEM, of those who may vouch for peers",
		.text = "Needed by connections with auth = certificate. The system's list of "
			"authorities is never used.",
		.example = "trust = ca.pem",
	},

	{
		.block = SCHEMA_CONNECTION, .name = "address", .type = SCHEMA_PEER,
		FIELD(conf_connection, addresses), PLACE(conf_connection, address_pos),
		.required = true, .any = true, .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "NAME | ADDRESS | { ADDRESS, ... } | any",
		.brief = "where the peer is",
		.text = "A name is resolved before every attempt. Several addresses are tried in "
			"turn. With any, the peer has to call us: start is manual then.",
		.example = "address = 203.0.113.2",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "identity", .type = SCHEMA_IDENTITY,
		FIELD(conf_connection, identity), PLACE(conf_connection, identity_pos),
		.required = true, .any = true, .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "NAME | ADDRESS | USER@NAME | keyid:TEXT | \"CN=..., O=...\" | any",
		.brief = "who the peer has to prove to be",
		.text = "With any, everybody is let in whom a certificate of trust vouches for; "
			"not possible with a pre-shared key.",
		.example = "identity = right.example.org",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "auth", .type = SCHEMA_CHOICE, .choices = auths,
		FIELD(conf_connection, auth), .preset = "certificate", .since = "0.1",
		.reload = RELOAD_CONNECTION,
		.values = "certificate | psk",
		.brief = "how both sides prove who they are",
		.text = "psk wants a psk_file. A certificate is the better choice wherever the "
			"peer can.",
		.example = "auth = psk",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "psk_file", .type = SCHEMA_FILE,
		.file = CONF_FILE_PSK, .secret = true,
		FIELD(conf_connection, psk), .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "FILE",
		.brief = "holds the pre-shared key, on one line",
		.text = "Text as it stands, or 0x and hexadecimal digits, or 0s and base64. Mode "
			"and owner as for key. Refused when it has fewer than 20 characters (in "
			"the encoded forms: 16 bytes), fewer than 8 different ones, or an "
			"identity or address of the connection in it: whoever sees one handshake "
			"can try guesses at leisure. 'openssl rand -hex 32' makes a good one.",
		.example = "psk_file = office.psk",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "start", .type = SCHEMA_CHOICE,
		.choices = starts,
		FIELD(conf_connection, start), .preset = "always", .since = "0.1",
		.reload = RELOAD_CONNECTION,
		.values = "always | traffic | manual",
		.brief = "when the connection is started from here",
		.text = "At once and again whenever it is lost (always), by the first packet that "
			"wants through (traffic), or by 'postern up' (manual). The peer may start "
			"it at any time. Where address is any, manual is the default.",
		.example = "start = traffic",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "me", .type = SCHEMA_ME_NAME,
		FIELD(conf_connection, me),
		.since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "NAME",
		.brief = "which me block speaks for us",
		.text = "The default is the me block without a name, or the only one.",
		.example = "me = berlin",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "local_identity", .type = SCHEMA_IDENTITY,
		FIELD(conf_connection, local_identity),
		.since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "NAME | ADDRESS | USER@NAME | keyid:TEXT | \"CN=..., O=...\"",
		.brief = "who we prove to be to this peer",
		.text = "The default is the identity of the me block.",
		.example = "local_identity = 198.51.100.7",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "local_address", .type = SCHEMA_ADDRESS,
		FIELD(conf_connection, local_address),
		.since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "ADDRESS",
		.brief = "the address of ours from which this peer is called",
		.text = "The default is the one that the route to the peer has. A peer that calls is "
			"answered from the address that it calls, whatever stands here. For children in the kernel it "
			"must be an address of this host in its main tables: one that is there by "
			"ip_nonlocal_bind alone, or in the table of a VRF, is refused.",
		.example = "local_address = 198.51.100.7",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "port", .type = SCHEMA_NUMBER,
		FIELD(conf_connection, port),
		.preset = "500", .min = 1, .max = 65535, .since = "0.1",
		.reload = RELOAD_CONNECTION,
		.values = "NUMBER",
		.brief = "the UDP port of the peer that is tried first",
		.text = "4500 starts there, as encapsulated packets go: for networks that let 500 "
			"not pass.",
		.example = "port = 4500",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "encap", .type = SCHEMA_CHOICE,
		.choices = encaps, FIELD(conf_connection, encap),
		.preset = "auto", .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "auto | always",
		.brief = "whether ESP goes inside UDP",
		.text = "auto does so where an address translator is found. always helps where "
			"networks drop ESP.",
		.example = "encap = always",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "mobike", .type = SCHEMA_YES_NO,
		FIELD(conf_connection, mobike),
		.preset = "yes", .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "yes | no",
		.brief = "whether the tunnel lives on when an address changes (RFC 4555)",
		.text = "Where the peer can do it, too: who began says when its address is "
			"another one, and the tunnel goes on from there.",
		.example = "mobike = yes",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "mobike_check", .type = SCHEMA_CHOICE,
		.choices = mobike_checks, FIELD(conf_connection, mobike_check),
		.preset = "after", .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "after | before",
		.brief = "when packets go to an address that the peer has moved to",
		.text = "after sends them there at once and asks meanwhile whether the peer is "
			"there; if not, they go back. before asks first, which costs a round trip.",
		.example = "mobike_check = before",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "policy", .type = SCHEMA_POLICY,
		FIELD(conf_connection, policy),
		.preset = "modern", .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "modern | compatible | { ALGORITHM, ... }",
		.brief = "which algorithms are good enough, best first",
		.text = "See VALUES below.",
		.example = "policy = compatible",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "propose", .type = SCHEMA_CHOICE,
		.choices = proposes, FIELD(conf_connection, propose),
		.preset = "all", .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "all | one",
		.brief = "how much of the policy is proposed to the peer",
		.text = "For peers that choose the weakest of what they are offered, or that "
			"choke on long offers. With one it is the first algorithm of each kind and "
			"no more, for the IKE SA and its children, and no other answer is taken: "
			"with esn = yes no short sequence numbers, and a child that can have a key "
			"exchange of its own has one. What the peer proposes is judged by the whole "
			"policy.",
		.example = "propose = one",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "duplicates", .type = SCHEMA_CHOICE,
		.choices = duplicates, FIELD(conf_connection, duplicates),
		.preset = "replace", .since = "0.1", .reload = RELOAD_QUIET,
		.values = "replace | keep",
		.brief = "whether one identity is one machine",
		.text = "With replace a peer that begins anew after a restart, and says so "
			"(INITIAL_CONTACT), takes the place of all that there was with its "
			"identity, and we say so to it. With keep that is neither said nor "
			"believed, for where several machines share an identity: what one of them "
			"has lost goes when it does not answer. Up to 8 IKE SAs with an identity "
			"stay.",
		.example = "duplicates = keep",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "childless", .type = SCHEMA_YES_NO,
		FIELD(conf_connection, childless), .preset = "no", .since = "0.1",
		.reload = RELOAD_QUIET,
		.values = "yes | no",
		.brief = "whether the IKE SA is made before its first child, not along with it",
		.text = "Of a child that is made along the keys come from the key exchange of the "
			"IKE SA, and whether the peer has a group for children in common with us "
			"shows only when it gets new ones. With yes the first child is made like "
			"all others, with a key exchange of its own, where the peer can do so (RFC "
			"6023), for two messages more. What the peer does when it begins is its "
			"own choice.",
		.example = "childless = yes",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "full_transcript", .type = SCHEMA_CHOICE,
		.choices = transcripts,
		FIELD(conf_connection, full_transcript), .preset = "auto", .since = "0.1",
		.reload = RELOAD_CONNECTION,
		.values = "auto | require",
		.brief = "whether a peer must authenticate both messages of the first exchange",
		.text = "It is always offered and used when the peer can. require refuses peers "
			"that cannot: it is what proves that nobody on the way weakened the "
			"negotiation.",
		.example = "full_transcript = require",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "lifetime", .type = SCHEMA_TIME,
		FIELD(conf_connection, lifetime),
		.unit = "seconds", .preset = "8h", .min = 60, .max = 604800, .since = "0.1",
		.reload = RELOAD_QUIET,
		.values = "TIME",
		.brief = "how long one set of keys of the IKE SA is used",
		.text = "New keys are agreed on before that, and the children stay as they are. "
			"They have a lifetime of their own.",
		.example = "lifetime = 24h",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "reauthenticate", .type = SCHEMA_TIME,
		FIELD(conf_connection, reauthenticate),
		.unit = "seconds", .preset = "0s", .min = 0, .max = 604800, .since = "0.1",
		.reload = RELOAD_QUIET,
		.values = "TIME",
		.brief = "how long the peer's proof of who it is is good",
		.text = "Before that both ends prove themselves anew, in a new IKE SA which has "
			"all children before the old one goes. The peer is told; an IKE SA that "
			"it does not replace in time is closed. 0s: new keys need no new proof. No "
			"proof is good for longer than the certificates that it was made with.",
		.example = "reauthenticate = 24h",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "liveness", .type = SCHEMA_TIME,
		FIELD(conf_connection, liveness),
		.unit = "seconds", .preset = "30s", .min = 1, .max = 86400, .since = "0.1",
		.reload = RELOAD_QUIET,
		.values = "TIME",
		.brief = "how long a peer may be silent before it is asked whether it is still "
			"there",
		.text = "Packets that come by its children count, so this costs nothing while there "
			"are any. When packets go to it for a second and none come, it is asked at "
			"once; as long as it answers that, and still no packets come, again after "
			"1, 2, 4 and so on up to 32 seconds.",
		.example = "liveness = 30s",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "keepalive", .type = SCHEMA_TIME,
		FIELD(conf_connection, keepalive),
		.unit = "seconds", .preset = "20s", .min = 1, .max = 3600, .since = "0.1",
		.reload = RELOAD_QUIET,
		.values = "TIME",
		.brief = "how often an address translator on our side is reminded of us",
		.text = "Sent when no message of IKE has left for so long; packets of children do not "
			"count.",
		.example = "keepalive = 20s",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "qcd", .type = SCHEMA_YES_NO,
		FIELD(conf_connection, qcd), .preset = "no", .since = "0.1",
		.reload = RELOAD_QUIET,
		.values = "yes | no",
		.brief = "whether the peer gets a token that proves to it that this machine has restarted",
		.text = "Quick crash detection (RFC 6290), for peers that this machine cannot call, or "
			"that call it: when it has lost everything and such a peer asks after an "
			"IKE SA, it is answered with the token, and connects anew at once. Wants a "
			"qcd_secret_file. Tokens of peers are taken in any case. No for machines that "
			"share an address, or a secret, with others that are up at the same time.",
		.example = "qcd = yes",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "priority", .type = SCHEMA_NUMBER,
		FIELD(conf_connection, priority),
		.preset = "0", .min = 0, .max = 9, .since = "0.1",
		.reload = RELOAD_CONNECTION,
		.values = "NUMBER",
		.brief = "which of several peers for the same networks is preferred: 1 before 2",
		.text = "Children of different connections may have the same networks, or some that "
			"overlap, when all of these connections have a priority. Packets go to the best of "
			"those that are up and heard, and are taken from all of them; of several with the "
			"same number each has a share, by addresses. A peer to which packets go for 0.3 s "
			"while none come is asked, and when it does not answer within 0.9 s, or twice the "
			"time that its answers take and 2 s at most, the next one "
			"carries the packets. It stays up as long as ever, and is used again when it has "
			"been heard for a second, or for up to 64 when it comes and goes. Where packets "
			"need no answer it is asked every 2 seconds. All of them have to be up before, so "
			"start = always; with start = traffic a packet that finds none wakes all of "
			"them. The kernel encrypts only where these children have the same "
			"networks, different numbers and the same policy, in tunnel mode, and it can "
			"for each of them; else postern itself does for all.",
		.example = "priority = 1",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "redirect", .type = SCHEMA_CHOICE,
		.choices = redirects, FIELD(conf_connection, redirect),
		.preset = "no", .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "no | follow",
		.brief = "whether a gateway may send us to another one",
		.text = "For providers that spread their clients over several gateways (RFC 5685). With "
			"follow the other gateway has to prove the same identity; it is followed only "
			"while the connection is being made, to an address and not to a name, and at "
			"most five times in five minutes.",
		.example = "redirect = follow",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "fragment_size", .type = SCHEMA_NUMBER,
		FIELD(conf_connection, fragment_size),
		.unit = "bytes", .preset = "1280", .min = 0, .max = 9000, .since = "0.1",
		.reload = RELOAD_QUIET,
		.values = "NUMBER",
		.brief = "IKE messages that make larger IP packets are sent in pieces",
		.text = "0 turns it off; otherwise at least 576.",
		.example = "fragment_size = 1280",
	},
	{
		.block = SCHEMA_CONNECTION, .name = "accept_weak_psk", .type = SCHEMA_YES_NO,
		FIELD(conf_connection, accept_weak_psk),
		.preset = "no", .since = "0.1", .reload = RELOAD_QUIET,
		.values = "yes | no",
		.brief = "take a pre-shared key that can be guessed",
		.text = "Then whoever recorded one handshake may find the key.",
		.example = "accept_weak_psk = yes",
	},

	{
		.block = SCHEMA_CHILD, .name = "local", .type = SCHEMA_SELECTORS,
		FIELD(conf_child, local), PLACE(conf_child, local_pos),
		.required = true, .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "SELECTOR | { SELECTOR, ... }",
		.brief = "what is joined on our side",
		.text = "See VALUES below. At most 255.",
		.example = "local = { 10.1.0.0/16, 2001:db8:1::/48 }",
	},
	{
		.block = SCHEMA_CHILD, .name = "remote", .type = SCHEMA_SELECTORS,
		FIELD(conf_child, remote), PLACE(conf_child, remote_pos),
		.required = true, .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "SELECTOR | { SELECTOR, ... }",
		.brief = "what is joined on the side of the peer",
		.text = "At most 255. Where a selector has ports, on either side, fragments "
			"of its protocol between the two networks that this host forwards are "
			"held back, for the kernel sees no ports in them. Where it tracks "
			"connections it puts them together first, and they pass.",
		.example = "remote = { 10.2.0.0/16, 2001:db8:2::/48 }",
	},
	{
		.block = SCHEMA_CHILD, .name = "mode", .type = SCHEMA_CHOICE, .choices = modes,
		FIELD(conf_child, mode),
		.preset = "tunnel", .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "tunnel | transport | prefer-transport",
		.brief = "whether whole packets are carried or only what is in them",
		.text = "Transport is for packets between the two ends themselves: the selectors "
			"have their own addresses, with a protocol and ports where wanted. Where "
			"an address is not written (a name, any, ours by the route), wider "
			"selectors are cut to the two ends; 0.0.0.0/0[udp/1701] is one for any "
			"peer. Behind a NAT they have the addresses that packets have at this end. "
			"With prefer-transport a peer that wants a tunnel gets one; with "
			"transport it is refused. Of several peers behind one NAT each needs ports "
			"of its own in its selectors, and the second one with the same is refused.",
		.example = "mode = tunnel",
	},
	{
		.block = SCHEMA_CHILD, .name = "dataplane", .type = SCHEMA_CHOICE,
		.choices = planes, FIELD(conf_child, dataplane), PLACE(conf_child, dataplane_pos),
		.preset = "auto", .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "auto | user | kernel",
		.brief = "who encrypts: postern itself or the kernel",
		.text = "auto takes the kernel where it has ESP, for every family that the peer's "
			"address can have, and every cipher of the policy, and else postern "
			"itself. A name and any can have both, on a host that has IPv6. With "
			"kernel, what the kernel lacks is not proposed, and a child that is left with nothing stays down. `postern "
			"status` says who carries a child and why.",
		.example = "dataplane = user",
	},
	{
		.block = SCHEMA_CHILD, .name = "interface", .type = SCHEMA_DEVICE,
		FIELD(conf_child, interface), .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "NAME",
		.brief = "a network device of its own for this child: what is routed into it goes "
			"through the tunnel",
		.text = "The daemon makes it (an XFRM interface where the kernel encrypts, else a "
			"TUN device), with routes to the networks of remote. For 0.0.0.0/0 and "
			"::/0 it makes no route: the routes into the device, by hand or by a "
			"routing daemon, say what is to go there, and a child from everything to "
			"everything is possible only so. The device stays when the daemon stops, "
			"and drops what it is given; it goes when no child has it any more, or "
			"with 'postern guard off'. The peer may send what its selectors allow, but "
			"not in the name of a network that another child protects: what comes out "
			"of the device and fits narrower selectors of another child is dropped and "
			"counted ('nft list chain inet postern inward'; there is no such chain "
			"without another child to protect). "
			"A reload that changes it, its name or its kind "
			"keeps the routes and addresses that others have given it, and nothing "
			"leaves in clear meanwhile. One that gives the device of a child to another "
			"child is refused: reload first without it. But when it goes, or somebody deletes it, the "
			"routes into it go as well, and their packets follow the next best route, "
			"in clear: what must never leave so wants a second route, 'ip route add "
			"blackhole NETWORK metric 4000000000', and so does a host that routes "
			"before the daemon has started once, or that ignores routes into devices "
			"without carrier (ignore_routes_with_linkdown): a TUN has none while the "
			"daemon is stopped. At most 15 characters, and each child its own.",
		.example = "interface = ipsec0",
	},
	{
		.block = SCHEMA_CHILD, .name = "addresses", .type = SCHEMA_ADDRESSES,
		FIELD(conf_child, addresses), .since = "0.1", .reload = RELOAD_QUIET,
		.values = "ADDRESS/PREFIX | { ADDRESS/PREFIX, ... }",
		.brief = "addresses of the interface",
		.text = "At most 8. Others that somebody gives it are left alone.",
		.example = "addresses = { 10.255.0.1/30, 2001:db8:ff::1/64 }",
	},
	{
		.block = SCHEMA_CHILD, .name = "offload", .type = SCHEMA_CHOICE,
		.choices = offloads, FIELD(conf_child, offload), PLACE(conf_child, offload_pos),
		.preset = "auto", .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "auto | no | crypto | packet",
		.brief = "whether the network card encrypts",
		.text = "Only where the kernel encrypts. auto tries crypto and does without it "
			"where the card cannot. crypto and packet insist: without the card there "
			"is no tunnel, nor where the kernel cannot carry the child, for postern "
			"itself is no way out then; 'dataplane = user' beside them is an error. "
			"'postern status' says what there is.",
		.example = "offload = crypto",
	},
	{
		.block = SCHEMA_CHILD, .name = "replay_window", .type = SCHEMA_NUMBER,
		FIELD(conf_child, replay_window),
		.unit = "packets", .preset = "1024", .min = 32, .max = 4096, .since = "0.1",
		.reload = RELOAD_CONNECTION,
		.values = "NUMBER",
		.brief = "how late a packet may come and still be taken",
		.text = "Larger where many packets are in flight and networks change their order.",
		.example = "replay_window = 1024",
	},
	{
		.block = SCHEMA_CHILD, .name = "lifetime", .type = SCHEMA_TIME,
		FIELD(conf_child, lifetime),
		.unit = "seconds", .preset = "1h", .min = 60, .max = 604800, .since = "0.1",
		.reload = RELOAD_CONNECTION,
		.values = "TIME",
		.brief = "how long one set of keys is used",
		.text = "New keys are agreed on before that (after about 80 % of it), and no packet is "
			"lost. When the peer refuses them for so long, the child is deleted and made "
			"anew.",
		.example = "lifetime = 8h",
	},
	{
		.block = SCHEMA_CHILD, .name = "life_bytes", .type = SCHEMA_NUMBER,
		FIELD(conf_child, life_bytes),
		.unit = "bytes", .preset = "0", .min = 0, .max = 1ull << 50, .since = "0.1",
		.reload = RELOAD_CONNECTION,
		.values = "NUMBER",
		.brief = "how much one set of keys carries in one direction",
		.text = "0: as much as comes in its lifetime.",
		.example = "life_bytes = 1000000000000",
	},
	{
		.block = SCHEMA_CHILD, .name = "life_packets", .type = SCHEMA_NUMBER,
		FIELD(conf_child, life_packets),
		.unit = "packets", .preset = "0", .min = 0, .max = 1ull << 50, .since = "0.1",
		.reload = RELOAD_CONNECTION,
		.values = "NUMBER",
		.brief = "how many packets one set of keys carries in one direction",
		.text = "0: as many as are safe with the cipher.",
		.example = "life_packets = 1000000000",
	},
	{
		.block = SCHEMA_CHILD, .name = "esn", .type = SCHEMA_YES_NO, FIELD(conf_child, esn),
		.preset = "yes", .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "yes | no",
		.brief = "offer 64-bit sequence numbers",
		.text = "The peer may still choose 32 bits.",
		.example = "esn = no",
	},
	{
		.block = SCHEMA_CHILD, .name = "icmp_errors", .type = SCHEMA_YES_NO,
		FIELD(conf_child, icmp_errors),
		.preset = "yes", .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "yes | no",
		.brief = "whether ICMP errors about packets of this child pass",
		.text = "Routers report packets that are too long, expired or undeliverable from "
			"addresses of their own, by ICMP: often nothing that the selectors allow. "
			"With yes such an error is taken from the peer when the packet that it "
			"quotes is one of ours to the peer by the selectors, and userspace ESP "
			"sends ours the same way. Redirects are never taken so. Only in tunnel "
			"mode. An error of ours about a packet that came through the tunnel, and "
			"that no tunnel carries, is dropped: it quotes what was encrypted.",
		.example = "icmp_errors = no",
	},
	{
		.block = SCHEMA_CHILD, .name = "copy_dscp", .type = SCHEMA_CHOICE,
		.choices = dscps, FIELD(conf_child, copy_dscp),
		.preset = "out", .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "out | in | both | no",
		.brief = "whether the class of service (DSCP) of packets is copied between the "
			"inner and the outer header",
		.text = "With out networks on the way can prefer what is urgent, and everybody "
			"there sees what is; without, outer packets have 0. With in the inner "
			"packet gets what the outer one had when it came, which everybody on the "
			"way can set. Where classes overtake each other by much, replay_window "
			"has to be larger. Only in tunnel mode.",
		.example = "copy_dscp = no",
	},
	{
		.block = SCHEMA_CHILD, .name = "ecn", .type = SCHEMA_YES_NO, FIELD(conf_child, ecn),
		.preset = "yes", .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "yes | no",
		.brief = "whether congestion marks work through the tunnel (RFC 6040)",
		.text = "With no, outer packets say that they cannot be marked, and marks of the "
			"way do not come out of the tunnel. Only in tunnel mode.",
		.example = "ecn = no",
	},
	{
		.block = SCHEMA_CHILD, .name = "ttl", .type = SCHEMA_NUMBER, FIELD(conf_child, ttl),
		.unit = "hops", .preset = "0", .min = 0, .max = 255, .since = "0.1",
		.reload = RELOAD_CONNECTION,
		.values = "NUMBER",
		.brief = "the TTL or hop limit of outer packets",
		.text = "0 means what the host uses for its own. Only userspace ESP can set "
			"another, so dataplane = auto chooses it then. Only in tunnel mode.",
		.example = "ttl = 64",
	},
	{
		.block = SCHEMA_CHILD, .name = "flow_label", .type = SCHEMA_CHOICE,
		.choices = labels, FIELD(conf_child, flow_label),
		.preset = "auto", .since = "0.1", .reload = RELOAD_CONNECTION,
		.values = "auto | copy",
		.brief = "which flow label outer IPv6 packets have",
		.text = "With auto userspace ESP leaves it to the host, which gives a tunnel one "
			"label or none. copy takes that of the inner IPv6 packet, for routers that "
			"spread load by it; it shows how many connections there are inside. The "
			"kernel copies it always. Only in tunnel mode.",
		.example = "flow_label = copy",
	},
};
/* clang-format on */

const struct schema_option *schema_row(size_t i)
{
	return i < sizeof(options) / sizeof(options[0]) ? &options[i] : NULL;
}
