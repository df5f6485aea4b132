/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the first inputs of the targets whose formats our own code can write: seeds FOLDER makes
 * FOLDER/netlink, ipc, control, identity and reassembly. Messages of the kernel are made from our
 * requests: what it shows has the same form.
 */
#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/jobs.h"
#include "daemon/bundle.h"
#include "daemon/proto.h"
#include "tests/fuzz/fuzz.h"
#include "xfrm/attr.h"
#include "xfrm/flow.h"
#include "xfrm/iface.h"
#include "xfrm/policy.h"
#include "xfrm/route.h"
#include "xfrm/rule.h"
#include "xfrm/state.h"

enum { ROOM = 16384 };

static uint8_t room[ROOM];

static void save(const char *folder, const char *target, const char *name, struct span bytes)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, target);
	(void)mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	f = fopen(path, "wb");
	FUZZ_HOLDS(f != NULL && fwrite(bytes.p, 1, bytes.len, f) == bytes.len && fclose(f) == 0);
}

static struct addr addr_of(const char *text)
{
	struct addr a;

	FUZZ_HOLDS(addr_parse(text, &a));
	return a;
}

static struct net net_of(const char *text)
{
	struct net n;

	FUZZ_HOLDS(net_parse(text, &n));
	return n;
}

/* ---- netlink: numbers of readers and errands as in fuzz_netlink.c ---- */

enum { READ_STATE, READ_EVENT, READ_FLOW, READ_POLICY, READ_ROUTE, READ_RULE };
enum { READ_IFACE = 6, READ_NEXTHOP, READ_OUTER, READ_CARRY, READ_OWN, READ_WATCH };
enum { ERRAND = 128, OBEYS = 64, RUN_COMMANDS = 1, RUN_CLEAR, RUN_ROUTES, RUN_RULES, RUN_DEVICES };
enum { RUN_PROBE = 0, RUN_CARRY = 6 };

struct shown {
	uint16_t type;
	struct span body;
};

static void save_read(const char *folder, const char *name, uint8_t reader, const struct shown *m)
{
	struct wr w = wr_into(room, sizeof(room));

	wr_u8(&w, reader);
	wr_u16(&w, m->type);
	wr_u8(&w, 0);
	wr_span(&w, m->body);
	save(folder, "netlink", name, wr_done(&w));
}

/* A dump of this one thing, then whatever is asked is done. */
static void save_errand(const char *folder, const char *name, uint8_t errand, const struct shown *m)
{
	struct wr w = wr_into(room, sizeof(room));

	wr_u8(&w, ERRAND | OBEYS | errand);
	for (int i = 0; i < 3; i++) {
		wr_u8(&w, 2 | 16);
		wr_u16(&w, m->type);
		wr_u16(&w, (uint16_t)m->body.len);
		wr_span(&w, m->body);
	}
	save(folder, "netlink", name, wr_done(&w));
}

/* As the kernel would show what this request made. The request is freed when the next comes. */
static struct shown shown_as(uint16_t type, struct ask *a)
{
	static uint8_t copy[ROOM];
	struct span s = span_tail(ask_span(a), NLMSG_HDRLEN);

	FUZZ_HOLDS(!a->bad && s.len > 0 && s.len < ROOM);
	memcpy(copy, s.p, s.len);
	ask_free(a);
	return (struct shown){ type, span_of(copy, s.len) };
}

static struct ts ours, theirs;

static struct sa_desc desc_of(void)
{
	ours = ts_from_net(&(struct net){ .addr = addr_of("10.1.0.0"), .bits = 16 });
	theirs = ts_from_net(&(struct net){ .addr = addr_of("10.2.0.0"), .bits = 16 });
	return (struct sa_desc){ .plane = PLANE_KERNEL,
				 .dir = SA_OUT,
				 .spi = 0x1001,
				 .twin_spi = 0x1002,
				 .reqid = SA_REQID_BASE + 1,
				 .encr_id = 20,
				 .encr_key_bits = 128,
				 .encr_key = { .len = 20 },
				 .esn = true,
				 .encap = true,
				 .path = { { addr_of("192.0.2.1"), 4500 },
					   { addr_of("192.0.2.2"), 4500 } },
				 .local = { 1, &ours },
				 .remote = { 1, &theirs } };
}

static void states(const char *folder)
{
	const struct sa_desc d = desc_of();
	const struct state_extra x = { .sa_dir = true };
	struct ask a = state_ask_add(&d, &x);
	struct shown m = shown_as(XFRM_MSG_NEWSA, &a);
	struct flow_list l = { .n = 0 };

	save_read(folder, "state", READ_STATE, &m);
	save_errand(folder, "dump-states", RUN_COMMANDS, &m);
	save_errand(folder, "probe", RUN_PROBE, &m);
	save_errand(folder, "clear-states", RUN_CLEAR, &m);
	FUZZ_HOLDS(flow_list_fill(&l, &d) == OK && l.n > 0);
	a = flow_ask_add(&l.v[0]);
	flow_list_free(&l);
	m = shown_as(XFRM_MSG_NEWPOLICY, &a);
	save_read(folder, "flow", READ_FLOW, &m);
	save_read(folder, "policy", READ_POLICY, &m);
	save_read(folder, "watch-policy", READ_WATCH, &m);
	save_errand(folder, "dump-policies", RUN_COMMANDS, &m);
	save_errand(folder, "clear-policies", RUN_CLEAR, &m);
}

static void events(const char *folder)
{
	const struct addr to = addr_of("192.0.2.2");
	struct xfrm_user_expire expire = { .hard = 1 };
	struct xfrm_user_mapping mapping = { .new_sport = htons(4501) };
	struct {
		struct xfrm_user_acquire u;
		struct nlattr a;
		struct xfrm_user_tmpl t;
	} acquire = { .a = { .nla_len = NLA_HDRLEN + sizeof(struct xfrm_user_tmpl),
			     .nla_type = XFRMA_TMPL } };

	expire.state.id.proto = mapping.id.proto = acquire.u.id.proto = IPPROTO_ESP;
	expire.state.family = mapping.id.family = AF_INET;
	acquire.t.family = acquire.u.sel.family = AF_INET;
	expire.state.id.daddr = mapping.id.daddr = acquire.u.id.daddr = attr_xfrm_addr(&to);
	mapping.new_saddr = acquire.u.sel.daddr = attr_xfrm_addr(&to);
	acquire.u.sel.proto = IPPROTO_TCP;
	acquire.u.sel.dport = htons(443);
	expire.state.id.spi = mapping.id.spi = htonl(0x1001);
	save_read(folder, "expire", READ_EVENT,
		  &(struct shown){ XFRM_MSG_EXPIRE, span_of(&expire, sizeof(expire)) });
	save_read(folder, "mapping", READ_EVENT,
		  &(struct shown){ XFRM_MSG_MAPPING, span_of(&mapping, sizeof(mapping)) });
	save_read(folder, "acquire", READ_EVENT,
		  &(struct shown){ XFRM_MSG_ACQUIRE, span_of(&acquire, sizeof(acquire)) });
}

static void routes(const char *folder)
{
	const struct route r = { .to = net_of("10.2.0.0/16"), .device = 7, .mtu = 1400 };
	const struct route here = { .to = net_of("fd02::/48"), .device = 7, .main = true };
	struct rule rule = { .priority = 5050,
			     .action = FR_ACT_TO_TBL,
			     .from = net_of("10.1.0.0/16"),
			     .to = net_of("10.2.0.0/16"),
			     .sport_hi = 65535,
			     .dport_lo = 80,
			     .dport_hi = 90,
			     .proto = IPPROTO_TCP };
	struct ask a = route_ask_put(&r);
	struct shown m = shown_as(RTM_NEWROUTE, &a);

	save_read(folder, "route", READ_ROUTE, &m);
	save_read(folder, "watch-route", READ_WATCH, &m);
	save_errand(folder, "dump-routes", RUN_ROUTES, &m);
	a = route_ask_put(&here);
	m = shown_as(RTM_NEWROUTE, &a);
	save_read(folder, "route-main", READ_ROUTE, &m);
	save_read(folder, "carry-route", READ_CARRY, &m);
	save_read(folder, "outer-route", READ_OUTER, &m);
	save_errand(folder, "carry-routes", RUN_CARRY, &m);
	a = rule_ask_add(&rule);
	m = shown_as(RTM_NEWRULE, &a);
	save_read(folder, "rule", READ_RULE, &m);
	save_errand(folder, "dump-rules", RUN_RULES, &m);
}

static void others_routes(const char *folder)
{
	const uint32_t table = RT_TABLE_MAIN, device = 7, other = 3, weight = 0;
	const struct rtnexthop hops[2] = { { .rtnh_len = 8, .rtnh_ifindex = 7 },
					   { .rtnh_len = 8, .rtnh_ifindex = 3 } };
	const struct nexthop_grp group[2] = { { .id = 5 }, { .id = 6 } };
	const struct rtmsg h = { .rtm_family = AF_INET6, .rtm_type = RTN_UNICAST };
	const struct nhmsg nh = { .nh_family = AF_INET };
	struct ask a = ask_new(RTM_NEWROUTE, 0);
	struct shown m;

	ask_header(&a, &h, sizeof(h));
	ask_bytes(&a, RTA_TABLE, &table, 4);
	ask_bytes(&a, RTA_PRIORITY, &weight, 4);
	ask_bytes(&a, RTA_MULTIPATH, hops, sizeof(hops));
	m = shown_as(RTM_NEWROUTE, &a);
	save_read(folder, "outer-hops", READ_OUTER, &m);
	save_read(folder, "carry-hops", READ_CARRY, &m);
	save_errand(folder, "outer-hops-dump", RUN_DEVICES, &m);
	a = ask_new(RTM_NEWROUTE, 0);
	ask_header(&a, &h, sizeof(h));
	ask_bytes(&a, RTA_TABLE, &table, 4);
	ask_bytes(&a, RTA_OIF, &other, 4);
	ask_bytes(&a, RTA_NH_ID, &device, 4);
	m = shown_as(RTM_NEWROUTE, &a);
	save_read(folder, "outer-object", READ_OUTER, &m);
	a = ask_new(RTM_NEWNEXTHOP, 0);
	ask_header(&a, &nh, sizeof(nh));
	ask_bytes(&a, NHA_ID, &device, 4);
	ask_bytes(&a, NHA_GROUP, group, sizeof(group));
	m = shown_as(RTM_NEWNEXTHOP, &a);
	save_read(folder, "nexthop", READ_NEXTHOP, &m);
	save_errand(folder, "nexthops", RUN_CARRY, &m);
}

static void devices(const char *folder)
{
	const struct iface want = { .name = "ipsec1",
				    .alias = "postern office/lan",
				    .kind = "xfrm",
				    .if_id = 5,
				    .mtu = 1400,
				    .group = IFACE_GROUP };
	const struct net inside = net_of("10.9.0.1/32");
	struct ask a = iface_ask_make(&want);
	struct shown m = shown_as(RTM_NEWLINK, &a);

	save_read(folder, "link", READ_IFACE, &m);
	save_errand(folder, "dump-links", RUN_DEVICES, &m);
	a = iface_ask_address(RTM_NEWADDR, 7, &inside);
	m = shown_as(RTM_NEWADDR, &a);
	save_read(folder, "address", READ_OWN, &m);
	save_read(folder, "carry-address", READ_CARRY, &m);
	save_errand(folder, "dump-addresses", RUN_DEVICES, &m);
}

/* ---- ipc ---- */

static void save_message(const char *folder, const char *name, uint8_t table, uint8_t type,
			 const struct wr *content)
{
	static uint8_t whole[ROOM];
	struct wr w = wr_into(whole, sizeof(whole));
	const bool with_fd = type == MSG_CONFIG || type == MSG_PEER || type == MSG_SOCKET;

	wr_u8(&w, table);
	wr_u8(&w, type);
	wr_u8(&w, with_fd ? 1 : 0);
	wr_u16(&w, (uint16_t)wr_len(content));
	wr_span(&w, wr_done(content));
	FUZZ_HOLDS(wr_ok(content) && wr_ok(&w));
	save(folder, "ipc", name, wr_done(&w));
}

enum { FROM_MONITOR = 0, FROM_PROCESS = N_ROLES, FROM_ENGINE = 2 * N_ROLES };
enum { TO_ENGINE = 3 * N_ROLES };

/* The body of the next message. */
static struct wr *body(void)
{
	static uint8_t bytes[2048];
	static struct wr w;

	w = wr_into(bytes, sizeof(bytes));
	return &w;
}

static void small_messages(const char *folder)
{
	struct wr *w;

	msg_config_put(w = body(), &(struct msg_config){ 1, 2 });
	save_message(folder, "config", FROM_MONITOR + ROLE_ESP, MSG_CONFIG, w);
	msg_role_put(w = body(), ROLE_ESP);
	save_message(folder, "peer", FROM_MONITOR + ROLE_ENGINE, MSG_PEER, w);
	msg_socket_put(w = body(), &(struct msg_socket){ SOCK_NAT4, 1, 0 });
	save_message(folder, "socket", FROM_MONITOR + ROLE_ESP, MSG_SOCKET, w);
	msg_text_put(w = body(), &(struct msg_text){ 7, ERR_CONFIG, span_str("line 3: no") });
	save_message(folder, "reloaded", FROM_MONITOR + ROLE_ENGINE, MSG_RELOADED, w);
	save_message(folder, "refused", FROM_PROCESS + ROLE_ESP, MSG_REFUSED, w);
	msg_number_put(w = body(), 7);
	save_message(folder, "ready", FROM_PROCESS + ROLE_SIGNER, MSG_READY, w);
	msg_child_put(w = body(), &(struct msg_child){ "office", "lan", 1400 });
	save_message(folder, "mtu", FROM_PROCESS + ROLE_ENGINE, MSG_MTU, w);
	save_message(folder, "guard", FROM_PROCESS + ROLE_ENGINE, MSG_GUARD, w);
	msg_resolved_put(w = body(), &(struct msg_resolved){ .ticket = 7,
							     .n = 2,
							     .addr = { addr_of("192.0.2.1"),
								       addr_of("2001:db8::1") } });
	save_message(folder, "resolved", TO_ENGINE + ROLE_FETCHER, MSG_RESOLVED, w);
	msg_text_put(w = body(), &(struct msg_text){ 7, OK, span_str("gw.example.org") });
	save_message(folder, "resolve", FROM_ENGINE + ROLE_FETCHER, MSG_RESOLVE, w);
	msg_datagram_put(w = body(),
			 &(struct msg_datagram){ .path = desc_of().path, .bytes = span_str("x") });
	save_message(folder, "datagram", TO_ENGINE + ROLE_ESP, MSG_DATAGRAM, w);
}

static void plane_messages(const char *folder)
{
	const struct sa_cmd cmd = { .ticket = 3, .op = SA_INSTALL, .sa = desc_of() };
	const struct sa_done done = { .ticket = 3, .err = ERR_EXISTS, .why = "taken" };
	const struct plane_event ev = {
		.kind = PLANE_ACQUIRE,
		.flow = { .src = addr_of("10.1.0.1"), .dst = addr_of("10.2.0.1"), .proto = 6 }
	};
	const struct plane_caps caps = { .v4 = true,
					 .n_encr = 1,
					 .encr = { { 20, 128 } },
					 .n_integ = 1,
					 .integ = { 12 },
					 .lacks = "CONFIG_INET6_ESP" };
	struct wr *w;

	sa_cmd_encode(w = body(), &cmd);
	save_message(folder, "command", FROM_ENGINE + ROLE_ESP, MSG_SA, w);
	sa_done_encode(w = body(), &done);
	save_message(folder, "done", TO_ENGINE + ROLE_ESP, MSG_SA_DONE, w);
	plane_event_encode(w = body(), &ev);
	save_message(folder, "plane", FROM_MONITOR + ROLE_ENGINE, MSG_PLANE, w);
	plane_caps_encode(w = body(), &caps);
	save_message(folder, "caps", FROM_MONITOR + ROLE_ENGINE, MSG_CAPS, w);
}

static void job_messages(const char *folder)
{
	const struct job j = { .ticket = 5,
			       .kind = JOB_VERIFY,
			       .verify = { .connection = "office",
					   .method = AUTH_SIGNATURE,
					   .octets = span_str("octets"),
					   .auth = span_str("auth"),
					   .chain = span_str("chain") } };
	const struct job_result r = { .ticket = 5,
				      .kind = JOB_VERIFY,
				      .err = ERR_CERT_UNTRUSTED,
				      .text = "no" };
	struct wr *w;

	job_encode(w = body(), &j);
	save_message(folder, "job", FROM_ENGINE + ROLE_VERIFIER, MSG_JOB, w);
	job_result_encode(w = body(), &r);
	save_message(folder, "result", TO_ENGINE + ROLE_VERIFIER, MSG_RESULT, w);
}

/* As bundle_write lays it out: magic, file name, text, count, files. */
static void bundle(const char *folder)
{
	static const char text[] =
		"connection a {\n address = 192.0.2.1\n identity = b.example.org\n"
		" auth = psk\n psk_file = k\n child c {\n  local = 10.1.0.0/16\n"
		"  remote = 10.2.0.0/16\n }\n}\nme {\n identity = a.example.org\n}\n";
	static char name[] = "postern.conf";
	struct conf c = { .file = name };
	struct wr w = wr_into(room, sizeof(room));
	ssize_t n;
	int fd;

	wr_u8(&w, 128);
	wr_u8(&w, 0);
	FUZZ_HOLDS(bundle_make("x", &fd) == OK);
	FUZZ_HOLDS(bundle_write(fd, ROLE_ENGINE, span_str(text), &c) == OK);
	n = pread(fd, room + wr_len(&w), sizeof(room) - wr_len(&w), 0);
	FUZZ_HOLDS(n > 0);
	save(folder, "ipc", "bundle", span_of(room, wr_len(&w) + (size_t)n));
	close(fd);
}

/* ---- what people write ---- */

static const struct {
	const char *target;
	const char *name;
	const char *bytes;
	size_t len;
} texts[] = {
#define TEXT(target, name, bytes)                      \
	{                                              \
		target, name, bytes, sizeof(bytes) - 1 \
	}
	TEXT("identity", "two-fqdn", "\x00\x05\x02gW.ex\x02gw.EX"),
	TEXT("identity", "two-email",
	     "\x00\x05\x03"
	     "a@b.c\x03"
	     "a@B.c"),
	TEXT("identity", "two-addresses",
	     "\x00\x04\x01\xc0\x00\x02\x01\x05"
	     "0123456789abcdef"),
	TEXT("identity", "two-names",
	     "\x00\x11\x09\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04gate\x09\x30\x0f\x31"
	     "\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04gate"),
	TEXT("identity", "fqdn", "\x01gw.example.org"),
	TEXT("identity", "email", "\x01user@example.org"),
	TEXT("identity", "ipv4",
	     "\x01"
	     "192.0.2.1"),
	TEXT("identity", "ipv6",
	     "\x01"
	     "2001:db8::1"),
	TEXT("identity", "keyid", "\x01keyid:office-7"),
	TEXT("identity", "keyid-hex", "\x01keyid:0x0102ff"),
	TEXT("identity", "dn",
	     "\x02"
	     "C=XX, O=Ex\\, ample, CN=gw+OU=a, DC=org, emailAddress=a@b"),
	TEXT("identity", "dn-oid",
	     "\x02"
	     "1.2.3.4=x, CN=#0c0267"),
	TEXT("identity", "net",
	     "\x03"
	     "10.1.0.0/16"),
	TEXT("identity", "net6",
	     "\x03"
	     "fd01::/48"),
	TEXT("reassembly", "three",
	     "\x00\x01\x03\x01\x23\x00\x10\x61\x00\x03\x03\x01\x00\x00\x10\x62\x00\x02\x03\x01\x00"
	     "\x00\x10\x63\x00"),
	TEXT("reassembly", "wrongs",
	     "\x01\x01\x02\x01\x23\x00\x10\x61\x01\x01\x02\x01\x23\x00\x10\x61\x02\x02\x02\x01\x00"
	     "\x4e\x1f\x62\x00\x01\x03\x01\x23\x00\x10\x61\x00\x01\x01\x02\x23\x00\x00\x61\x00\x00"
	     "\x01\x02\x23\x00\x00\x61\x00\x41\x42\x02\x00\x00\x00\x61\x00"),
	TEXT("control", "status",
	     "\x00\x00\x40\x00\x16{\"v\":1,\"do\":\"status\"}\x02\x00\x00\x00"),
	TEXT("control", "status-one",
	     "\x01\x00\x41\x00\x24{\"v\":1,\"do\":\"status\",\"name\":\"road\"}  \x05\x00\x00\x00"),
	TEXT("control", "watch-up",
	     "\x00\x00\x42\x00\x14{\"v\":1,\"do\":\"watch\"}"
	     "\x00\x40\x00\x26{\"v\":1,\"do\":\"up\",\"name\":\"office/lan\"} \x05\x00\x00\x00"
	     "\x03\x48\x00\x05\x07gate\x03\x68\x00\x01\x07\x01\x00\x00\x00\x01\x02\x00\x00"),
	TEXT("control", "down-reload",
	     "\x00\x00\x40\x00\x23{\"v\":1,\"do\":\"down\",\"name\":\"office\"} \x05\x00\x00\x00"
	     "\x00\x42\x00\x16{\"v\":1,\"do\":\"reload\"}\x05\x00\x00\x00\x04\x05\x00\x05wrong"),
	TEXT("control", "wait-denied",
	     "\x00\x00\x41\x00\x21{\"v\":1,\"do\":\"wait\",\"name\":\"road\"} "
	     "\x00\x43\x00\x1f{\"v\":1,\"do\":\"up\",\"name\":\"road\"} \x05\x00\x00\x00"),
	TEXT("control", "no-engine", "\x02\x00\x40\x00\x16{\"v\":1,\"do\":\"status\"}"),
};

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	states(argv[1]);
	events(argv[1]);
	routes(argv[1]);
	others_routes(argv[1]);
	devices(argv[1]);
	small_messages(argv[1]);
	plane_messages(argv[1]);
	job_messages(argv[1]);
	bundle(argv[1]);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		save(argv[1], texts[i].target, texts[i].name,
		     span_of(texts[i].bytes, texts[i].len));
	return 0;
}
